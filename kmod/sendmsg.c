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
 * @blocked: counted in the group's n_blocked
 */
struct gsk_send {
	struct gpe_ev_submit *ev;
	u64 gen;
	long timeo;
	bool nonblock;
	bool blocked;
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
		/* Descriptors or credentials that nobody would get. */
		if (cmsg->cmsg_level != SOL_GROUP)
			return -EINVAL;
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

/* Why no send of this socket can ever succeed again, or 0. */
static int gsk_send_over(struct gsk_sock *gsk)
{
	lockdep_assert_held(&gsk->gn->lock);
	if (gsk->gone && gsk->error && gsk->why != GPE_WHY_OVERRUN)
		return gsk->error;
	return gsk->gone || gsk->leaving ? -EPIPE : 0;
}

/* How a wait ended, as an errno; 0: the condition came true. */
static int gsk_send_waited(struct gsk_send *send, long left)
{
	if (left < 0)
		return sock_intr_errno(send->timeo);
	if (!left)
		return -EAGAIN;
	if (send->timeo != MAX_SCHEDULE_TIMEOUT)
		send->timeo = left;
	return 0;
}

/* Under gn->lock: is no local reader further behind than this one? */
static bool gsk_send_fullest(const struct gsk_sock *gsk)
{
	const struct gsk_sock *other;

	lockdep_assert_held(&gsk->gn->lock);
	list_for_each_entry(other, &gsk->grp->members, in_grp)
		if (other->queued_bytes > gsk->queued_bytes)
			return false;
	return true;
}

/*
 * Notes that the engine refused, so that POLLOUT is off until it says that the
 * message may go. It may have said so by now: then there is nothing to wait
 * for.
 *
 * Return: 0, or -EDEADLK if only this socket's own queue is in the way and
 * nobody reads it.
 */
static int gsk_send_refused(struct gsk_sock *gsk, struct gsk_send *send)
{
	bool self = send->ev->block == GPE_BLOCK_SELF;
	int err = 0;

	spin_lock_bh(&gsk->gn->lock);
	if (gsk->wake_gen == send->gen) {
		gsk->refused = true;
		/* Not what the send buffer had no room for before. */
		WRITE_ONCE(gsk->want, send->ev->len);
		if (self && !send->nonblock && !atomic_read(&gsk->readers) &&
		    gsk_send_fullest(gsk))
			err = -EDEADLK;
	}
	/* For the next one who reads up its queue to look again. */
	send->blocked = self && !err;
	gsk->blocked += send->blocked;
	gsk->grp->n_blocked += send->blocked;
	spin_unlock_bh(&gsk->gn->lock);
	return err;
}

static void gsk_send_unblocked(struct gsk_sock *gsk, struct gsk_send *send)
{
	if (!send->blocked)
		return;
	spin_lock_bh(&gsk->gn->lock);
	gsk->blocked--;
	gsk->grp->n_blocked--;
	spin_unlock_bh(&gsk->gn->lock);
}

/* Waits until what was refused may go: 0, or why there is no point. */
static int gsk_send_wait(struct gsk_sock *gsk, struct gsk_send *send)
{
	long left;
	int err = gsk_send_refused(gsk, send);

	if (!err && (send->nonblock || !send->timeo)) {
		err = -EAGAIN;
	} else if (!err) {
		left = wait_event_interruptible_timeout(
			*sk_sleep(&gsk->sk),
			READ_ONCE(gsk->wake_gen) != send->gen, send->timeo);
		err = gsk_send_waited(send, left);
	}
	gsk_send_unblocked(gsk, send);
	return err;
}

static int gsk_send_submit(struct gsk_sock *gsk, struct gpe_event *ev,
			   struct gsk_send *send)
{
	int err;

	for (;;) {
		spin_lock_bh(&gsk->gn->lock);
		send->gen = gsk->wake_gen;
		err = gsk_send_over(gsk);
		spin_unlock_bh(&gsk->gn->lock);
		if (err)
			return err;
		ev->submit.ret = -EPIPE;
		gsk_run_task(gsk->gn, ev);
		if (ev->submit.ret != -EAGAIN)
			return ev->submit.ret;
		err = gsk_send_wait(gsk, send);
		if (err)
			return err;
	}
}

/* ---- the send buffer ---- */

/**
 * gsk_send_room() - may a message enter the send buffer?
 * @gsk: the socket
 * @len: bytes of it
 *
 * One message may, whatever its size, when nothing else is in it.
 *
 * Return: whether it may.
 */
bool gsk_send_room(const struct gsk_sock *gsk, size_t len)
{
	int have = atomic_read(&gsk->acct->bytes);

	return !have || have + len <= READ_ONCE(gsk->sk.sk_sndbuf);
}

static bool gsk_send_room_or_over(struct gsk_sock *gsk, size_t len)
{
	return gsk_send_room(gsk, len) || READ_ONCE(gsk->gone) ||
	       READ_ONCE(gsk->leaving);
}

/* Does this socket's own queue hold what it waits for to be freed? */
static bool gsk_send_own_queue(struct gsk_sock *gsk, size_t len)
{
	u64 bytes;

	spin_lock_bh(&gsk->gn->lock);
	bytes = gsk_queue_own_bytes(gsk);
	spin_unlock_bh(&gsk->gn->lock);
	return bytes && bytes + len > READ_ONCE(gsk->sk.sk_sndbuf);
}

/* Room in the send buffer, for what is sent and not stable or not read yet. */
static int gsk_send_memory(struct gsk_sock *gsk, size_t len,
			   struct gsk_send *send)
{
	long left;

	if (gsk_send_room_or_over(gsk, len))
		return 0;
	/* POLLOUT is off until so much fits in. */
	WRITE_ONCE(gsk->want, len);
	if (send->nonblock || !send->timeo) {
		/* It may have been freed before that could be seen. */
		smp_mb();
		return gsk_send_room_or_over(gsk, len) ? 0 : -EAGAIN;
	}
	if (!atomic_read(&gsk->readers) && gsk_send_own_queue(gsk, len))
		return -EDEADLK;
	left = wait_event_interruptible_timeout(
		gsk->acct->wq, gsk_send_room_or_over(gsk, len), send->timeo);
	return gsk_send_waited(send, left);
}

static int gsk_send_msg(struct gsk_sock *gsk, struct msghdr *msg, size_t len)
{
	struct gpe_event ev = { .type = GPE_EV_SUBMIT };
	struct gsk_send send = { .ev = &ev.submit };
	struct gsk_buf *buf = NULL;
	int err;

	ev.submit.local_at = &gsk->local;
	ev.submit.len = len;
	/* An option that may change beside this. */
	ev.submit.level = READ_ONCE(gsk->order);
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
	if (!err) {
		WRITE_ONCE(gsk->want, 0);
		atomic64_inc(&gsk->sent);
	}
	return err;
}

/**
 * gsk_sendmsg() - send, sendto, sendmsg
 * @sock: the socket
 * @msg: what, and to whom
 * @len: bytes
 *
 * Return: @len, or a negative errno as uapi/linux/group.h lists them.
 */
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
