// SPDX-License-Identifier: GPL-2.0
/*
 * Payload buffers. A sender's bytes lie in order-0 pages, or in one small
 * allocation; received bytes stay in their packet, unless that pins more than
 * four times as much, then they are copied out.
 */
#include <linux/err.h>
#include <linux/poll.h>
#include <linux/mm.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include "gsk.h"
#include "buf.h"

/* Up to here a linear allocation is no larger than a page. */
#define GSK_LINEAR_MAX 2048
/* A sender at the limit of its memory cgroup gets ENOMEM, nobody is killed. */
#define GSK_GFP_USER (GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

enum gsk_buf_kind { GSK_BUF_LINEAR, GSK_BUF_PAGES, GSK_BUF_SKB };

/**
 * struct gsk_buf - a payload buffer
 * @refs: engine, logs and transmit queues; freed with the last, in any context
 * @kind: where the bytes are
 * @len: bytes
 * @acct: charged for it, or NULL
 * @skb: GSK_BUF_SKB
 * @data: GSK_BUF_LINEAR: bytes; GSK_BUF_PAGES: pointers to pages
 */
struct gsk_buf {
	refcount_t refs;
	enum gsk_buf_kind kind;
	u32 len;
	struct gsk_acct *acct;
	struct sk_buff *skb;
	u8 data[] __aligned(8);
};

void *gpe_alloc(size_t size)
{
	return kzalloc(size, GFP_ATOMIC | __GFP_NOWARN);
}

void gpe_free(void *mem)
{
	kfree(mem);
}

struct gsk_acct *gsk_acct_new(void)
{
	struct gsk_acct *acct = kzalloc(sizeof(*acct), GFP_KERNEL_ACCOUNT);

	if (!acct)
		return NULL;
	refcount_set(&acct->refs, 1);
	init_waitqueue_head(&acct->wq);
	return acct;
}

void gsk_acct_put(struct gsk_acct *acct)
{
	if (refcount_dec_and_test(&acct->refs))
		kfree(acct);
}

static struct page **gsk_buf_pages(struct gsk_buf *buf)
{
	return (struct page **)buf->data;
}

static void gsk_buf_free(struct gsk_buf *buf)
{
	struct gsk_acct *acct = buf->acct;
	u32 i;

	if (buf->kind == GSK_BUF_PAGES)
		for (i = 0; i < DIV_ROUND_UP(buf->len, PAGE_SIZE); i++)
			if (gsk_buf_pages(buf)[i])
				put_page(gsk_buf_pages(buf)[i]);
	if (buf->kind == GSK_BUF_SKB)
		kfree_skb(buf->skb);
	if (acct) {
		atomic_sub(buf->len, &acct->bytes);
		if (wq_has_sleeper(&acct->wq))
			wake_up_interruptible_poll(&acct->wq, EPOLLOUT);
		gsk_acct_put(acct);
	}
	kfree(buf);
	gsk_count_destroyed(GSK_OBJ_BUF);
}

void gpe_buf_get(void *buf)
{
	refcount_inc(&((struct gsk_buf *)buf)->refs);
}

void gpe_buf_put(void *buf)
{
	if (refcount_dec_and_test(&((struct gsk_buf *)buf)->refs))
		gsk_buf_free(buf);
}

static struct gsk_buf *gsk_buf_new(enum gsk_buf_kind kind, u32 len,
				   size_t data, gfp_t gfp)
{
	struct gsk_buf *buf = kmalloc(struct_size(buf, data, data), gfp);

	if (!buf)
		return NULL;
	refcount_set(&buf->refs, 1);
	buf->kind = kind;
	buf->len = len;
	buf->acct = NULL;
	buf->skb = NULL;
	gsk_count_created(GSK_OBJ_BUF);
	return buf;
}

static int gsk_buf_fill(struct gsk_buf *buf, struct iov_iter *from)
{
	struct page **pages = gsk_buf_pages(buf);
	u32 i, n = DIV_ROUND_UP(buf->len, PAGE_SIZE);

	for (i = 0; i < n; i++) {
		size_t part = min_t(size_t, PAGE_SIZE,
				    buf->len - i * PAGE_SIZE);

		pages[i] = alloc_page(GSK_GFP_USER);
		if (!pages[i])
			return -ENOMEM;
		if (copy_page_from_iter(pages[i], 0, part, from) != part)
			return -EFAULT;
	}
	return 0;
}

struct gsk_buf *gsk_buf_from_user(struct iov_iter *from, u32 len,
				  struct gsk_acct *acct)
{
	u32 n = DIV_ROUND_UP(len, PAGE_SIZE);
	bool linear = len <= GSK_LINEAR_MAX;
	struct gsk_buf *buf;
	int err = 0;

	buf = gsk_buf_new(linear ? GSK_BUF_LINEAR : GSK_BUF_PAGES, len,
			  linear ? len : n * sizeof(struct page *),
			  GSK_GFP_USER);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	refcount_inc(&acct->refs);
	atomic_add(len, &acct->bytes);
	buf->acct = acct;
	if (linear) {
		if (!copy_from_iter_full(buf->data, len, from))
			err = -EFAULT;
	} else {
		memset(buf->data, 0, n * sizeof(struct page *));
		err = gsk_buf_fill(buf, from);
	}
	if (!err)
		return buf;
	gpe_buf_put(buf);
	return ERR_PTR(err);
}

bool gsk_buf_pins(const struct sk_buff *skb)
{
	return skb->truesize / 4 > skb->len;
}

struct gsk_buf *gsk_buf_from_skb(struct sk_buff *skb)
{
	struct gsk_buf *buf = gsk_buf_new(GSK_BUF_SKB, skb->len, 0,
					  GFP_ATOMIC | __GFP_NOWARN);

	if (buf)
		buf->skb = skb_get(skb);
	return buf;
}

struct gsk_buf *gsk_buf_copy_skb(const struct sk_buff *skb, u32 off, u32 len)
{
	struct gsk_buf *buf = gsk_buf_new(GSK_BUF_LINEAR, len, len,
					  GFP_ATOMIC | __GFP_NOWARN);

	if (buf && skb_copy_bits(skb, off, buf->data, len)) {
		gpe_buf_put(buf);
		buf = NULL;
	}
	return buf;
}

void gsk_buf_copy(void *b, u32 off, void *dst, u32 len)
{
	struct gsk_buf *buf = b;
	u32 at = off, end = off + len;

	switch (buf->kind) {
	case GSK_BUF_LINEAR:
		memcpy(dst, buf->data + off, len);
		break;
	case GSK_BUF_SKB:
		WARN_ON_ONCE(skb_copy_bits(buf->skb, off, dst, len));
		break;
	case GSK_BUF_PAGES:
		while (at < end) {
			u32 in = at & ~PAGE_MASK;
			u32 n = min_t(u32, PAGE_SIZE - in, end - at);

			memcpy_from_page(dst + (at - off),
					 gsk_buf_pages(buf)[at >> PAGE_SHIFT],
					 in, n);
			at += n;
		}
		break;
	}
}

int gsk_buf_to_user(void *b, u32 off, u32 len, struct iov_iter *to)
{
	struct gsk_buf *buf = b;
	u32 at = off, end = off + len;

	switch (buf->kind) {
	case GSK_BUF_LINEAR:
		return copy_to_iter(buf->data + off, len, to) == len ? 0 :
								       -EFAULT;
	case GSK_BUF_SKB:
		return skb_copy_datagram_iter(buf->skb, off, to, len);
	case GSK_BUF_PAGES:
		while (at < end) {
			u32 in = at & ~PAGE_MASK;
			u32 n = min_t(u32, PAGE_SIZE - in, end - at);

			if (copy_page_to_iter(
				    gsk_buf_pages(buf)[at >> PAGE_SHIFT], in,
				    n, to) != n)
				return -EFAULT;
			at += n;
		}
		return 0;
	}
	return -EFAULT;
}
