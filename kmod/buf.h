/* SPDX-License-Identifier: GPL-2.0 */
/* Payload: what the engine hands around as a buffer and never looks into. */
#ifndef GSK_BUF_H
#define GSK_BUF_H

#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/wait.h>

struct iov_iter;
struct sk_buff;
struct gsk_buf;

/**
 * struct gsk_acct - memory of a socket's messages that are not stable yet
 * @refs: the socket, and each buffer; so it outlives a closed socket
 * @bytes: charged
 * @wq: woken when @bytes falls
 */
struct gsk_acct {
	refcount_t refs;
	atomic_t bytes;
	wait_queue_head_t wq;
};

struct gsk_acct *gsk_acct_new(void);
void gsk_acct_put(struct gsk_acct *acct);

/* From a program's memory. Sleeps. The buffer, or an ERR_PTR. */
struct gsk_buf *gsk_buf_from_user(struct iov_iter *from, u32 len,
				  struct gsk_acct *acct);
/* Does a received packet hold more memory than four times its bytes? */
bool gsk_buf_pins(const struct sk_buff *skb);
/* Around a received packet, offsets as in it; NULL without memory. */
struct gsk_buf *gsk_buf_from_skb(struct sk_buff *skb);
/* A copy of a part of one, at offset 0; NULL without memory. */
struct gsk_buf *gsk_buf_copy_skb(const struct sk_buff *skb, u32 off, u32 len);
void gsk_buf_copy(void *buf, u32 off, void *dst, u32 len);
/* 0 or -EFAULT. */
int gsk_buf_to_user(void *buf, u32 off, u32 len, struct iov_iter *to);

#endif /* GSK_BUF_H */
