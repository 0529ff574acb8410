// SPDX-License-Identifier: LGPL-2.1-or-later
/* Notifications: a socket in the family's multicast group. */
#include <errno.h>
#include <stdlib.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include "gsock_nl.h"

/* Room for a burst of some thousand notifications, in bytes. */
#define MON_RCVBUF (4 << 20)

/**
 * struct gsock_mon - a listener
 * @ctx: its socket; no requests are made by it once it listens
 */
struct gsock_mon {
	struct gsock_ctx ctx;
};

static int on_notification(struct nl_msg *msg, void *arg)
{
	struct gsock_mon *mon = arg;
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	int ret;

	if (nlh->nlmsg_type != mon->ctx.family)
		return NL_SKIP;
	ret = gsock_recs_add(&mon->ctx.recs, nlh);
	if (ret && !mon->ctx.ret)
		mon->ctx.ret = ret;
	return NL_OK;
}

/* Notifications are not numbered. */
static int on_seq(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_OK;
}

static int mon_join(struct gsock_mon *mon)
{
	struct nl_sock *sk;
	int ret;

	gsock_recs_init(&mon->ctx.recs);
	ret = gsock_nl_open(&mon->ctx);
	if (ret)
		return ret;
	sk = mon->ctx.sk;
	ret = genl_ctrl_resolve(sk, GSOCK_GENL_NAME);
	if (ret < 0)
		return ret == -NLE_OBJ_NOTFOUND ? -EAFNOSUPPORT :
						  gsock_nl_errno(ret);
	mon->ctx.family = ret;
	ret = genl_ctrl_resolve_grp(sk, GSOCK_GENL_NAME, GSOCK_MCGRP_EVENTS);
	if (ret < 0)
		return gsock_nl_errno(ret);
	nl_socket_set_buffer_size(sk, MON_RCVBUF, 0);
	nl_cb_set(mon->ctx.cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_seq, NULL);
	nl_cb_set(mon->ctx.cb, NL_CB_VALID, NL_CB_CUSTOM, on_notification,
		  mon);
	ret = nl_socket_add_membership(sk, ret);
	return ret ? gsock_nl_errno(ret) :
		     gsock_nl_errno(nl_socket_set_nonblocking(sk));
}

/**
 * gsock_mon_new() - listen for notifications of this network namespace
 * @mon: set to the new object; free it by gsock_mon_free(). One thread at a
 *	time.
 *
 * Return: 0; -EAFNOSUPPORT (the module is not loaded), -ENOMEM, or -errno of
 * socket(2).
 */
int gsock_mon_new(struct gsock_mon **mon)
{
	struct gsock_mon *m = calloc(1, sizeof(*m));
	int ret;

	*mon = NULL;
	if (!m)
		return -ENOMEM;
	ret = mon_join(m);
	if (ret) {
		gsock_mon_free(m);
		return ret;
	}
	*mon = m;
	return 0;
}

/**
 * gsock_mon_free() - stop listening
 * @mon: may be NULL. Records that it gave out stay good.
 */
void gsock_mon_free(struct gsock_mon *mon)
{
	if (!mon)
		return;
	gsock_rec_free(mon->ctx.recs.head);
	nl_cb_put(mon->ctx.cb);
	nl_socket_free(mon->ctx.sk);
	free(mon);
}

/**
 * gsock_mon_fd() - what to poll
 * @mon: the listener
 *
 * Return: a descriptor, owned by @mon; readable when gsock_mon_next() may have
 * something. Call that until it says -EAGAIN.
 */
int gsock_mon_fd(const struct gsock_mon *mon)
{
	return nl_socket_get_fd(mon->ctx.sk);
}

/**
 * gsock_mon_next() - the next notification; does not wait
 * @mon: the listener
 * @rec: set to one record, the caller's to free by gsock_rec_free();
 *	gsock_rec_cmd() says which: GSOCK_CMD_NODE_NTF, _PEER_NTF, _GROUP_NTF
 *
 * Return: 0; -EAGAIN when there is none; -ENOBUFS when some were lost (go on,
 * and read anew what they would have told); -ENOMEM.
 */
int gsock_mon_next(struct gsock_mon *mon, struct gsock_rec **rec)
{
	struct gsock_recs *recs = &mon->ctx.recs;
	int ret;

	*rec = NULL;
	mon->ctx.ret = 0;
	if (!recs->head) {
		ret = nl_recvmsgs(mon->ctx.sk, mon->ctx.cb);
		/* libnl's word for ENOBUFS. */
		if (ret == -NLE_NOMEM)
			return -ENOBUFS;
		if (ret < 0)
			return gsock_nl_errno(ret);
	}
	if (!recs->head)
		return mon->ctx.ret ? mon->ctx.ret : -EAGAIN;
	*rec = gsock_recs_take(recs);
	return 0;
}
