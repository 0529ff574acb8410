/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between the netlink files of the library; not installed for use. */
#ifndef GSOCK_NL_H
#define GSOCK_NL_H

#include <netlink/netlink.h>
#include <netlink/msg.h>
#include "gsock.h"

#define GSOCK_TEXT_MAX 256

/* Records in the order in which they came; @tail is where the next goes. */
struct gsock_recs {
	struct gsock_rec *head;
	struct gsock_rec **tail;
};

/**
 * struct gsock_ctx - one netlink socket and what the last request came to
 * @sk: the socket
 * @cb: its callbacks
 * @family: number of the generic netlink family; 0: not asked for yet
 * @req: the request under way, for the attribute that a refusal points at
 * @recs: what it brought
 * @ret: 0 or -errno of the kernel
 * @done: the answer is complete
 * @interrupted: a dump that changed while it was read
 * @attr: the attribute at fault, 0: none named
 * @text: the kernel's words, or ours when it gave none
 */
struct gsock_ctx {
	struct nl_sock *sk;
	struct nl_cb *cb;
	int family;
	struct nl_msg *req;
	struct gsock_recs recs;
	int ret;
	int done;
	int interrupted;
	int attr;
	char text[GSOCK_TEXT_MAX];
};

void gsock_recs_init(struct gsock_recs *recs);
/* -ENOMEM, or -EBADMSG for what no such record can be. */
int gsock_recs_add(struct gsock_recs *recs, struct nlmsghdr *nlh);
/* Takes the first out of a list that is not empty. */
struct gsock_rec *gsock_recs_take(struct gsock_recs *recs);

/* libnl's error, as from any of its functions, as -errno. */
int gsock_nl_errno(int nle);
/* A request to be filled in; NULL without memory. */
struct nl_msg *gsock_nl_msg(struct gsock_ctx *ctx, int cmd, int flags);
/* Sends the request, frees it, waits for the whole answer. */
int gsock_nl_do(struct gsock_ctx *ctx, struct nl_msg *req,
		struct gsock_rec **out);
/* Opens a socket; sets *family. */
int gsock_nl_open(struct gsock_ctx *ctx);

#endif /* GSOCK_NL_H */
