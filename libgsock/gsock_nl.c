// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Requests over generic netlink. libnl maps the kernel's errno to numbers of
 * its own, several to one, and knows no texts, so refusals are read here, by
 * callbacks, from the message itself.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include "gsock_nl.h"

/* How often a dump is begun again that changed while it was read. */
#define DUMP_TRIES 8

int gsock_nl_errno(int nle)
{
	switch (nle < 0 ? -nle : nle) {
	case NLE_SUCCESS:
		return 0;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_INTR:
		return -EINTR;
	case NLE_AGAIN:
		return -EAGAIN;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_AF_NOSUPPORT:
	case NLE_PROTO_MISMATCH:
		return -EPROTONOSUPPORT;
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	case NLE_BAD_SOCK:
		return -EBADF;
	case NLE_DUMP_INTR:
		return -EBUSY;
	case NLE_MSGSIZE:
	case NLE_MSG_TRUNC:
		return -EMSGSIZE;
	default:
		return -EPROTO;
	}
}

/* ---- what comes back ---- */

static int attr_at(struct nl_msg *req, uint32_t off)
{
	struct nlmsghdr *nlh = req ? nlmsg_hdr(req) : NULL;

	if (!nlh || off < NLMSG_HDRLEN ||
	    off + sizeof(struct nlattr) > nlh->nlmsg_len)
		return 0;
	return nla_type((struct nlattr *)((char *)nlh + off));
}

static void take_tlvs(struct gsock_ctx *ctx, void *at, int len)
{
	struct nlattr *a;
	int left;

	nla_for_each_attr(a, at, len, left) {
		switch (nla_type(a)) {
		case NLMSGERR_ATTR_MSG:
			snprintf(ctx->text, sizeof(ctx->text), "%.*s",
				 nla_len(a), (char *)nla_data(a));
			break;
		case NLMSGERR_ATTR_OFFS:
			if (nla_len(a) == sizeof(uint32_t))
				ctx->attr = attr_at(ctx->req, nla_get_u32(a));
			break;
		case NLMSGERR_ATTR_MISS_TYPE:
			if (nla_len(a) == sizeof(uint32_t))
				ctx->attr = nla_get_u32(a);
			break;
		}
	}
}

static int on_error(struct sockaddr_nl *who, struct nlmsgerr *e, void *arg)
{
	struct gsock_ctx *ctx = arg;
	struct nlmsghdr *nlh = (struct nlmsghdr *)((char *)e - NLMSG_HDRLEN);
	size_t used = NLMSG_HDRLEN + sizeof(*e);

	(void)who;
	ctx->ret = e->error;
	ctx->done = 1;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NL_STOP;
	/* The whole request stands before the texts, unless it was capped. */
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		used += NLMSG_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	if (used < nlh->nlmsg_len)
		take_tlvs(ctx, (char *)nlh + used, nlh->nlmsg_len - used);
	return NL_STOP;
}

/* The end of a dump carries its errno, and texts behind it. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	struct gsock_ctx *ctx = arg;
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	int len = nlmsg_datalen(nlh), used = NLMSG_ALIGN(sizeof(int));
	int err = 0;

	ctx->done = 1;
	if (len >= (int)sizeof(int))
		memcpy(&err, nlmsg_data(nlh), sizeof(int));
	if (err < 0)
		ctx->ret = err;
	if ((nlh->nlmsg_flags & NLM_F_ACK_TLVS) && len > used)
		take_tlvs(ctx, (char *)nlmsg_data(nlh) + used, len - used);
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct gsock_ctx *ctx = arg;

	(void)msg;
	ctx->done = 1;
	return NL_STOP;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct gsock_ctx *ctx = arg;
	int ret = gsock_recs_add(&ctx->recs, nlmsg_hdr(msg));

	/* The rest is still read, so that the socket can be used again. */
	if (ret && !ctx->ret)
		ctx->ret = ret;
	return NL_OK;
}

static int on_interrupt(struct nl_msg *msg, void *arg)
{
	struct gsock_ctx *ctx = arg;

	(void)msg;
	ctx->interrupted = 1;
	return NL_OK;
}

/* ---- the context ---- */

/**
 * gsock_ctx_new() - begin to talk to the node of this network namespace
 * @ctx: set to the new object; free it by gsock_ctx_free(). One thread at a
 *	time.
 *
 * Return: 0; -ENOMEM, or -errno of socket(2). Whether the module is loaded
 * shows with the first request: -EAFNOSUPPORT.
 */
int gsock_ctx_new(struct gsock_ctx **ctx)
{
	struct gsock_ctx *c = calloc(1, sizeof(*c));
	int ret;

	*ctx = NULL;
	if (!c)
		return -ENOMEM;
	gsock_recs_init(&c->recs);
	ret = gsock_nl_open(c);
	if (ret) {
		gsock_ctx_free(c);
		return ret;
	}
	nl_cb_err(c->cb, NL_CB_CUSTOM, on_error, c);
	nl_cb_set(c->cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, c);
	nl_cb_set(c->cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, c);
	nl_cb_set(c->cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, c);
	nl_cb_set(c->cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupt, c);
	*ctx = c;
	return 0;
}

int gsock_nl_open(struct gsock_ctx *c)
{
	int one = 1, ret, fd;

	c->sk = nl_socket_alloc();
	c->cb = nl_cb_alloc(NL_CB_DEFAULT);
	if (!c->sk || !c->cb)
		return -ENOMEM;
	ret = gsock_nl_errno(genl_connect(c->sk));
	if (ret)
		return ret;
	fd = nl_socket_get_fd(c->sk);
	/* A kernel without them gives no texts, but works. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one,
			 sizeof(one));
	return 0;
}

/**
 * gsock_ctx_free() - end the conversation
 * @ctx: may be NULL. Records that it gave out stay good.
 */
void gsock_ctx_free(struct gsock_ctx *ctx)
{
	if (!ctx)
		return;
	gsock_rec_free(ctx->recs.head);
	nl_cb_put(ctx->cb);
	nl_socket_free(ctx->sk);
	free(ctx);
}

/**
 * gsock_error_text() - why the last request failed, in the kernel's words
 * @ctx: the context
 *
 * Return: a text without a full stop, owned by @ctx, good until the next
 * request; "" when there is nothing to say beyond the errno.
 */
const char *gsock_error_text(const struct gsock_ctx *ctx)
{
	return ctx->text;
}

/**
 * gsock_error_attr() - which attribute was at fault
 * @ctx: the context
 *
 * Return: GSOCK_A_*, or 0 when the kernel named none.
 */
int gsock_error_attr(const struct gsock_ctx *ctx)
{
	return ctx->attr;
}

/**
 * gsock_attr_name() - the word for an attribute that can be at fault
 * @attr: GSOCK_A_*
 *
 * Return: a constant; "" for what is not given in any request.
 */
const char *gsock_attr_name(int attr)
{
	switch (attr) {
	case GSOCK_A_NODE_ID:
		return "id";
	case GSOCK_A_NODE_CLUSTER:
		return "cluster";
	case GSOCK_A_NODE_VOTES:
		return "votes";
	case GSOCK_A_NODE_EXPECTED_VOTES:
		return "expected-votes";
	case GSOCK_A_NODE_PARTITION:
		return "partition";
	case GSOCK_A_NODE_HEARTBEAT_MS:
		return "heartbeat";
	case GSOCK_A_NODE_DETECT_MS:
		return "detect";
	case GSOCK_A_ADDR:
		return "address";
	case GSOCK_A_PORT:
		return "port";
	case GSOCK_A_GROUP_NAME:
		return "group";
	default:
		return "";
	}
}

/* ---- requests ---- */

static int find_family(struct gsock_ctx *ctx)
{
	int ret;

	if (ctx->family)
		return 0;
	ret = genl_ctrl_resolve(ctx->sk, GSOCK_GENL_NAME);
	if (ret >= 0) {
		ctx->family = ret;
		return 0;
	}
	if (ret != -NLE_OBJ_NOTFOUND)
		return gsock_nl_errno(ret);
	snprintf(ctx->text, sizeof(ctx->text),
		 "the gsock module is not loaded");
	return -EAFNOSUPPORT;
}

struct nl_msg *gsock_nl_msg(struct gsock_ctx *ctx, int cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (msg && genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, ctx->family, 0,
			       flags, cmd, GSOCK_GENL_VERSION))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static int exchange(struct gsock_ctx *ctx)
{
	int ret;

	ctx->ret = 0;
	ctx->done = 0;
	ctx->interrupted = 0;
	nlmsg_hdr(ctx->req)->nlmsg_seq = NL_AUTO_SEQ;
	ret = nl_send_auto(ctx->sk, ctx->req);
	if (ret < 0)
		return gsock_nl_errno(ret);
	while (!ctx->done) {
		ret = nl_recvmsgs(ctx->sk, ctx->cb);
		if (ret < 0 && !ctx->done && ret != -NLE_INTR)
			return gsock_nl_errno(ret);
	}
	return ctx->ret;
}

int gsock_nl_do(struct gsock_ctx *ctx, struct nl_msg *req,
		struct gsock_rec **out)
{
	int ret, tries = 0;

	ctx->text[0] = 0;
	ctx->attr = 0;
	ret = req ? find_family(ctx) : -ENOMEM;
	if (ret)
		goto out;
	ctx->req = req;
	nlmsg_hdr(req)->nlmsg_type = ctx->family;
	do {
		gsock_rec_free(ctx->recs.head);
		gsock_recs_init(&ctx->recs);
		ret = exchange(ctx);
	} while (!ret && ctx->interrupted && ++tries < DUMP_TRIES);
	ctx->req = NULL;
	if (!ret && ctx->interrupted)
		ret = -EBUSY;
	if (!ret && out) {
		*out = ctx->recs.head;
		gsock_recs_init(&ctx->recs);
	}
	gsock_rec_free(ctx->recs.head);
	gsock_recs_init(&ctx->recs);
out:
	nlmsg_free(req);
	return ret;
}
