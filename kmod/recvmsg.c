// SPDX-License-Identifier: GPL-2.0
/*
 * recv, recvfrom, recvmsg. A reader holds rd_lock while it copies, and has the
 * record pinned (queue.c).
 */
#include <linux/sched/signal.h>
#include <linux/uio.h>
#include "group.h"

/* What a reader has found. */
enum gsk_found {
	GSK_NOTHING,
	GSK_RECORD,
	GSK_RESUME,	/* a resumed event that precedes a view */
	GSK_EVICTED,	/* the last record of a member that was evicted */
	GSK_END,
};

/* With @pin, a record found is to be let go by gsk_queue_read_end(). */
static enum gsk_found gsk_find(struct gsk_sock *gsk, struct gpe_rec **rec,
			       bool pin)
{
	enum gsk_found found = GSK_NOTHING;

	spin_lock_bh(&gsk->gn->lock);
	*rec = gsk_queue_next(gsk);
	if (*rec) {
		found = GSK_RECORD;
		if (gsk_resumes_at(gsk, *rec) &&
		    (gsk->events & BIT(GROUP_EV_RESUMED)))
			found = GSK_RESUME;
	} else if (gsk->gone) {
		found = gsk->evict_due &&
				(gsk->events & BIT(GROUP_EV_EVICTED)) ?
				GSK_EVICTED : GSK_END;
	}
	if (*rec && pin)
		gsk_queue_read_begin(gsk, *rec);
	spin_unlock_bh(&gsk->gn->lock);
	return found;
}

static int gsk_recv_head(struct msghdr *msg, size_t len,
			 struct group_event *ev)
{
	if (len < sizeof(*ev))
		return -EMSGSIZE;
	msg->msg_flags |= MSG_NOTIFICATION | MSG_EOR;
	msg->msg_namelen = 0;
	return copy_to_iter(ev, sizeof(*ev), &msg->msg_iter) == sizeof(*ev) ?
		       0 : -EFAULT;
}

static void gsk_member_line(const struct gpe_member *m, u32 rank,
			    struct group_member *line)
{
	memset(line, 0, sizeof(*line));
	line->node = m->addr.node;
	line->port = m->addr.port;
	line->inc = m->addr.inc;
	line->rank = m->change == GROUP_LEFT ? 0 : rank;
	line->change = m->change;
	line->reason = m->why;
}

static u32 gsk_view_rank(const struct gsk_sock *gsk,
			 const struct gpe_view *view)
{
	u32 node = gsk_own_node(gsk), i;

	for (i = 0; i < view->n; i++)
		if (view->m[i].addr.port == gsk->port &&
		    view->m[i].addr.node == node)
			return i;
	return 0;
}

static int gsk_recv_view(struct gsk_sock *gsk, struct msghdr *msg, size_t len,
			 int flags, const struct gpe_view *view)
{
	u32 i, all = view->n + view->n_left;
	struct group_event ev = {
		.type = GROUP_EV_VIEW,
		.len = sizeof(ev) + all * sizeof(struct group_member),
		.view = { view->id.epoch, view->id.seq },
		.members = view->n,
		.left = view->n_left,
		.joined = view->n_joined,
		.rank = gsk_view_rank(gsk, view),
	};
	struct group_member line;
	int err = gsk_recv_head(msg, len, &ev);

	for (i = 0; !err && i < all; i++) {
		if (msg_data_left(msg) < sizeof(line)) {
			msg->msg_flags |= MSG_TRUNC;
			break;
		}
		gsk_member_line(&view->m[i], i, &line);
		if (copy_to_iter(&line, sizeof(line), &msg->msg_iter) !=
		    sizeof(line))
			err = -EFAULT;
	}
	if (err)
		return err;
	return flags & MSG_TRUNC ? ev.len : sizeof(ev) + i * sizeof(line);
}

/* An event that is all head. */
static int gsk_recv_plain(struct msghdr *msg, size_t len, u32 type, u32 reason,
			  const struct gpe_vid *vid)
{
	struct group_event ev = {
		.type = type,
		.len = sizeof(ev),
		.reason = reason,
	};
	int err;

	if (vid) {
		ev.view.epoch = vid->epoch;
		ev.view.seq = vid->seq;
	}
	err = gsk_recv_head(msg, len, &ev);
	return err ? err : sizeof(ev);
}

static int gsk_recv_payload(struct msghdr *msg, const struct gpe_rec *rec)
{
	u32 i, off, n;
	void *buf;

	for (i = 0; gpe_msg_seg(rec, i, &buf, &off, &n); i++) {
		if (n > msg_data_left(msg))
			n = msg_data_left(msg);
		if (!n)
			break;
		if (gsk_buf_to_user(buf, off, n, &msg->msg_iter))
			return -EFAULT;
	}
	return 0;
}

static int gsk_recv_msg(struct gsk_sock *gsk, struct msghdr *msg, size_t len,
			int flags, const struct gpe_rec *rec)
{
	struct gpe_msg_info info;
	int err;

	gpe_msg_info(rec, &info);
	err = gsk_recv_payload(msg, rec);
	if (err)
		return err;
	msg->msg_flags |= MSG_EOR;
	if (info.len > len)
		msg->msg_flags |= MSG_TRUNC;
	if (msg->msg_name) {
		gsk_addr_fill(msg->msg_name, gsk->grp->name, &info.sender);
		msg->msg_namelen = sizeof(struct sockaddr_group);
	}
	/* An option that may change beside this. */
	if (READ_ONCE(gsk->info)) {
		struct group_msg_info out = {
			.view = { info.vid.epoch, info.vid.seq },
			.position = info.position,
			.lamport = info.lamport,
			.order = info.level,
		};

		put_cmsg(msg, SOL_GROUP, GROUP_CMSG_INFO, sizeof(out), &out);
	}
	if (flags & MSG_TRUNC)
		return info.len;
	return min_t(size_t, info.len, len);
}

static int gsk_recv_rec(struct gsk_sock *gsk, struct msghdr *msg, size_t len,
			int flags, struct gpe_rec *rec)
{
	const struct gpe_note *note;
	int ret;

	switch ((enum gpe_rec_type)rec->type) {
	case GPE_REC_MSG:
		ret = gsk_recv_msg(gsk, msg, len, flags, rec);
		break;
	case GPE_REC_VIEW:
		ret = gsk_recv_view(gsk, msg, len, flags, gsk_rec_view(rec));
		break;
	default:
		note = container_of(rec, const struct gpe_note, rec);
		ret = gsk_recv_plain(msg, len,
				     rec->type == GPE_REC_SUSPENDED ?
					     GROUP_EV_SUSPENDED :
					     GROUP_EV_RESUMED,
				     0, &note->vid);
		break;
	}
	return ret;
}

/* The resumed event that a view at the cursor is preceded by. */
static int gsk_recv_resume(struct gsk_sock *gsk, struct msghdr *msg,
			   size_t len, const struct gpe_rec *rec)
{
	return gsk_recv_plain(msg, len, GROUP_EV_RESUMED, 0,
			      &gsk_rec_view(rec)->id);
}

/* Done with the record that gsk_find() pinned. */
static void gsk_recv_done(struct gsk_sock *gsk, enum gsk_found found,
			  const struct gpe_rec *rec, bool pass)
{
	spin_lock_bh(&gsk->gn->lock);
	if (pass && found == GSK_RESUME)
		gsk_queue_resumed(gsk, rec);
	if (pass && found == GSK_RECORD && rec->type == GPE_REC_MSG)
		gsk->received++;
	gsk_queue_read_end(gsk, pass && found == GSK_RECORD);
	/* Who does not pass a record does not settle either. */
	if (!pass && gsk->grp->n_consumed)
		gsk_net_work_due(gsk->gn);
	spin_unlock_bh(&gsk->gn->lock);
	/* The sender that waited for this queue to be read up. */
	gsk_group_wake_flush(gsk->gn);
}

static int gsk_recv_found(struct gsk_sock *gsk, struct msghdr *msg, size_t len,
			  int flags, enum gsk_found found,
			  struct gpe_rec *rec)
{
	int ret;

	switch (found) {
	case GSK_RECORD:
	case GSK_RESUME:
		ret = found == GSK_RECORD ?
			      gsk_recv_rec(gsk, msg, len, flags, rec) :
			      gsk_recv_resume(gsk, msg, len, rec);
		gsk_recv_done(gsk, found, rec,
			      ret >= 0 && !(flags & MSG_PEEK));
		return ret;
	case GSK_EVICTED:
		ret = gsk_recv_plain(msg, len, GROUP_EV_EVICTED, gsk->why,
				     gsk->view ? &gsk->view->id : NULL);
		if (ret > 0 && !(flags & MSG_PEEK)) {
			spin_lock_bh(&gsk->gn->lock);
			gsk->evict_due = false;
			spin_unlock_bh(&gsk->gn->lock);
		}
		return ret;
	default:
		msg->msg_namelen = 0;
		return gsk->error;
	}
}

static int gsk_recv_wait(struct gsk_sock *gsk, struct msghdr *msg, size_t len,
			 int flags, long *timeo)
{
	struct sock *sk = &gsk->sk;
	enum gsk_found found;
	struct gpe_rec *rec;
	long left;
	int ret = 0;

	for (;;) {
		/* Held for as long as one record is copied. */
		if (mutex_lock_interruptible(&gsk->rd_lock))
			return sock_intr_errno(*timeo);
		found = gsk_find(gsk, &rec, true);
		if (found != GSK_NOTHING)
			ret = gsk_recv_found(gsk, msg, len, flags, found, rec);
		mutex_unlock(&gsk->rd_lock);
		if (found != GSK_NOTHING)
			return ret;
		if (!*timeo)
			return -EAGAIN;
		left = wait_event_interruptible_timeout(
			*sk_sleep(sk),
			gsk_find(gsk, &rec, false) != GSK_NOTHING, *timeo);
		if (left < 0)
			return sock_intr_errno(*timeo);
		if (!left)
			return -EAGAIN;
		if (*timeo != MAX_SCHEDULE_TIMEOUT)
			*timeo = left;
	}
}

/*
 * SO_RCVBUF was changed: it counts for what senders are granted from now on. A
 * higher limit that cannot be charged is none.
 */
static void gsk_recv_relimit(struct gsk_sock *gsk)
{
	struct gpe_event ev = { .type = GPE_EV_LIMIT };
	u32 limit;

	lock_sock(&gsk->sk);
	limit = gsk_sock_limit(gsk);
	if (limit != gsk->limit && !gsk_sock_charge(gsk, limit)) {
		spin_lock_bh(&gsk->gn->lock);
		/* gsk_recvmsg() looks without the lock. */
		WRITE_ONCE(gsk->limit, limit);
		gsk->limit_max = max(gsk->limit_max, limit);
		spin_unlock_bh(&gsk->gn->lock);
		ev.limit.local_at = &gsk->local;
		ev.limit.limit = limit;
		gsk_run_task(gsk->gn, &ev);
	}
	release_sock(&gsk->sk);
}

/**
 * gsk_recvmsg() - recv, recvfrom, recvmsg
 * @sock: the socket
 * @msg: where to
 * @len: bytes of room
 * @flags: MSG_*
 *
 * Return: bytes, or a negative errno as uapi/linux/group.h lists them.
 */
int gsk_recvmsg(struct socket *sock, struct msghdr *msg, size_t len, int flags)
{
	struct sock *sk = sock->sk;
	struct gsk_sock *gsk = gsk_sk(sk);
	long timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	int ret;

	if (flags & (MSG_OOB | MSG_ERRQUEUE))
		return -EOPNOTSUPP;
	/* Pairs with smp_store_release() in gsk_bind(). */
	if (!smp_load_acquire(&gsk->bound))
		return -ENOTCONN;
	atomic_inc(&gsk->readers);
	ret = gsk_recv_wait(gsk, msg, len, flags, &timeo);
	atomic_dec(&gsk->readers);
	if (ret < 0 || (flags & MSG_PEEK))
		return ret;
	if (gsk_sock_limit(gsk) != READ_ONCE(gsk->limit))
		gsk_recv_relimit(gsk);
	gsk_group_settle(gsk);
	return ret;
}
