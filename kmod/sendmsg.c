// SPDX-License-Identifier: GPL-2.0
/* send, sendto, sendmsg. */
#include <linux/err.h>
#include <linux/sched/signal.h>
#include "group.h"

/**
 * struct gsk_send - a message on its way to the engine
 * @ev: what the engine is asked, and its answer
 * @gen: the socket's wake generation before it was asked
 * @timeo: jiffies left to wait
 * @nonblock: do not wait
 */
struct gsk_send {
	struct gpe_ev_submit *ev;
	u64 gen;
	long timeo;
	bool nonblock;
};

static int gsk_send_cmsg(struct gsk_sock *gsk, struct msghdr *msg,
			 struct gpe_ev_submit *ev)
{
	struct cmsghdr *cmsg;

	for_each_cmsghdr(cmsg, msg) {
		struct group_view_id id;
		int order;

		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level != SOL_GROUP)
			continue;
		switch (cmsg->cmsg_type) {
		case GROUP_CMSG_ORDER:
			if (cmsg->cmsg_len != CMSG_LEN(sizeof(order)))
				return -EINVAL;
			memcpy(&order, CMSG_DATA(cmsg), sizeof(order));
			if (order < 0 || order > GROUP_ORDER_SAFE)
				return -EINVAL;
			ev->level = order;
			break;
		case GROUP_CMSG_VIEW:
			if (cmsg->cmsg_len != CMSG_LEN(sizeof(id)))
				return -EINVAL;
			memcpy(&id, CMSG_DATA(cmsg), sizeof(id));
			ev->demand = true;
			ev->vid.epoch = id.epoch;
			ev->vid.seq = id.seq;
			break;
		default:
			return -EINVAL;
		}
	}
	return 0;
}

static int gsk_send_addr(struct gsk_sock *gsk, const struct msghdr *msg,
			 struct gpe_ev_submit *ev)
{
	const struct sockaddr_group *addr = msg->msg_name;
	int err;

	if (!addr || !msg->msg_namelen)
		return 0;
	err = gsk_addr_check(addr, msg->msg_namelen);
	if (err)
		return err;
	if (strcmp(addr->sgr_name, gsk->grp->name))
		return -EISCONN;
	if (addr->sgr_kind == GROUP_ADDR_NAME)
		return 0;
	ev->to_one = true;
	ev->dst.node = addr->sgr_node;
	ev->dst.inc = addr->sgr_inc;
	ev->dst.port = addr->sgr_port;
	return 0;
}

static bool gsk_send_may_retry(struct gsk_sock *gsk, u64 gen)
{
	return READ_ONCE(gsk->wake_gen) != gen || READ_ONCE(gsk->gone) ||
	       READ_ONCE(gsk->leaving);
}

/* Waits until what was refused may go: 0, or why there is no point. */
static int gsk_send_wait(struct gsk_sock *gsk, struct gsk_send *send)
{
	struct sock *sk = &gsk->sk;
	long left;

	if (send->nonblock || !send->timeo)
		return -EAGAIN;
	/* Only this socket's own queue is full, and nobody reads it. */
	if (send->ev->block == GPE_BLOCK_SELF && !atomic_read(&gsk->readers))
		return -EDEADLK;
	left = wait_event_interruptible_timeout(
		*sk_sleep(sk), gsk_send_may_retry(gsk, send->gen),
		send->timeo);
	if (left < 0)
		return sock_intr_errno(send->timeo);
	if (!left)
		return -EAGAIN;
	if (send->timeo != MAX_SCHEDULE_TIMEOUT)
		send->timeo = left;
	return 0;
}

static int gsk_send_submit(struct gsk_sock *gsk, struct gpe_event *ev,
			   struct gsk_send *send)
{
	int err;

	for (;;) {
		if (READ_ONCE(gsk->gone) || READ_ONCE(gsk->leaving))
			return gsk->error && gsk->why != GPE_WHY_OVERRUN ?
				       gsk->error : -EPIPE;
		send->gen = READ_ONCE(gsk->wake_gen);
		ev->submit.ret = -EPIPE;
		gsk_run(gsk->gn, ev);
		if (ev->submit.ret != -EAGAIN)
			return ev->submit.ret;
		spin_lock_bh(&gsk->gn->lock);
		if (gsk->wake_gen == send->gen)
			gsk->refused = ev->submit.len + 1;
		spin_unlock_bh(&gsk->gn->lock);
		err = gsk_send_wait(gsk, send);
		if (err)
			return err;
	}
}

static bool gsk_send_room(struct gsk_sock *gsk, size_t len)
{
	int have = atomic_read(&gsk->acct->bytes);

	return !have || have + len <= READ_ONCE(gsk->sk.sk_sndbuf) ||
	       READ_ONCE(gsk->gone);
}

/* Does this socket's own queue hold what it waits for to be freed? */
static bool gsk_send_own_queue(struct gsk_sock *gsk, size_t len)
{
	u64 bytes;

	spin_lock_bh(&gsk->gn->lock);
	bytes = gsk->queued_bytes - (u64)gsk->queued * GPE_RECORD_COST;
	spin_unlock_bh(&gsk->gn->lock);
	return bytes + len > READ_ONCE(gsk->sk.sk_sndbuf);
}

/* Room in the send buffer, for what is sent and not stable or not read yet. */
static int gsk_send_memory(struct gsk_sock *gsk, size_t len,
			   struct gsk_send *send)
{
	long left;

	if (gsk_send_room(gsk, len))
		return 0;
	if (send->nonblock || !send->timeo)
		return -EAGAIN;
	if (!atomic_read(&gsk->readers) && gsk_send_own_queue(gsk, len))
		return -EDEADLK;
	left = wait_event_interruptible_timeout(gsk->acct->wq,
						gsk_send_room(gsk, len),
						send->timeo);
	if (left < 0)
		return sock_intr_errno(send->timeo);
	if (!left)
		return -EAGAIN;
	if (send->timeo != MAX_SCHEDULE_TIMEOUT)
		send->timeo = left;
	return 0;
}

static int gsk_send_msg(struct gsk_sock *gsk, struct msghdr *msg, size_t len)
{
	struct gpe_event ev = { .type = GPE_EV_SUBMIT };
	struct gsk_send send = { .ev = &ev.submit };
	struct gsk_buf *buf = NULL;
	int err;

	ev.submit.local_at = &gsk->local;
	ev.submit.len = len;
	ev.submit.level = gsk->order;
	send.nonblock = msg->msg_flags & MSG_DONTWAIT;
	send.timeo = sock_sndtimeo(&gsk->sk, send.nonblock);
	err = gsk_send_addr(gsk, msg, &ev.submit);
	if (!err && msg->msg_controllen)
		err = gsk_send_cmsg(gsk, msg, &ev.submit);
	if (!err)
		err = gsk_send_memory(gsk, len, &send);
	if (!err && len) {
		buf = gsk_buf_from_user(&msg->msg_iter, len, gsk->acct);
		if (IS_ERR(buf))
			return PTR_ERR(buf);
	}
	if (err)
		return err;
	ev.submit.buf = buf;
	err = gsk_send_submit(gsk, &ev, &send);
	if (buf)
		gpe_buf_put(buf);
	if (!err)
		WRITE_ONCE(gsk->sent, gsk->sent + 1);
	return err;
}

int gsk_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct sock *sk = sock->sk;
	struct gsk_sock *gsk = gsk_sk(sk);
	int err;

	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	/* Pairs with smp_store_release() in gsk_bind(). */
	if (!smp_load_acquire(&gsk->bound))
		return -ENOTCONN;
	if (len > GROUP_MSG_MAX)
		return -EMSGSIZE;
	err = gsk_send_msg(gsk, msg, len);
	if (err == -EPIPE && !(msg->msg_flags & MSG_NOSIGNAL))
		send_sig(SIGPIPE, current, 0);
	return err ? err : len;
}
