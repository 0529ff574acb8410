// SPDX-License-Identifier: GPL-2.0
/*
 * What a member has yet to read: a cursor into its group's log, and a list of
 * messages to it alone. Delivery appends and moves no data; passing a record
 * lowers its count, and the front of the log whose count is 0 is handed back.
 *
 * A reader copies a record with no lock held. It pins it before: nothing that
 * happens meanwhile to the cursor (an option, a rejoin) frees the record.
 */
#include "group.h"

static bool gsk_in_gap(const struct gsk_sock *gsk, const struct gpe_rec *rec)
{
	u64 pos = rec->host_u64[0];
	u32 i;

	for (i = 0; i < gsk->n_backs; i++)
		if (pos >= gsk->back[i].from && pos < gsk->back[i].to)
			return true;
	return false;
}

static u32 gsk_back_at(const struct gsk_sock *gsk, const struct gpe_rec *rec)
{
	u32 i;

	for (i = 0; i < gsk->n_backs; i++)
		if (gsk->back[i].to == rec->host_u64[0])
			break;
	return i;
}

/**
 * gsk_resumes_at() - is this a view that a resumed event is to be read before?
 * @gsk: the socket; gn->lock held
 * @rec: a record of its queue
 *
 * Return: whether it is.
 */
bool gsk_resumes_at(const struct gsk_sock *gsk, const struct gpe_rec *rec)
{
	u32 i;

	if (rec->type != GPE_REC_VIEW || !gsk->n_backs)
		return false;
	i = gsk_back_at(gsk, rec);
	return i < gsk->n_backs && gsk->back[i].resumed;
}

/**
 * gsk_queue_resumed() - that event has been read
 * @gsk: the socket; gn->lock held
 * @rec: the view, which is read next
 */
void gsk_queue_resumed(struct gsk_sock *gsk, const struct gpe_rec *rec)
{
	u32 i = gsk_back_at(gsk, rec);

	lockdep_assert_held(&gsk->gn->lock);
	if (i < gsk->n_backs)
		gsk->back[i].resumed = false;
}

/* What lies behind the cursor. */
static void gsk_backs_drop(struct gsk_sock *gsk, u64 pos)
{
	u32 n = 0;

	while (n < gsk->n_backs && gsk->back[n].to <= pos)
		n++;
	gsk->n_backs -= n;
	memmove(gsk->back, gsk->back + n, gsk->n_backs * sizeof(*gsk->back));
}

static bool gsk_own(const struct gsk_sock *gsk,
		    const struct gpe_msg_info *info)
{
	return info->sender.port == gsk->port && gsk->self.node &&
	       info->sender.node == gsk->self.node &&
	       info->sender.inc == gsk->self.inc;
}

/* A record that this socket does not want to see. */
static bool gsk_unwanted(const struct gsk_sock *gsk, const struct gpe_rec *rec)
{
	struct gpe_msg_info info;

	switch ((enum gpe_rec_type)rec->type) {
	case GPE_REC_MSG:
		if (gsk->loopback)
			return false;
		gpe_msg_info(rec, &info);
		return gsk_own(gsk, &info);
	case GPE_REC_VIEW:
		if (gsk_resumes_at(gsk, rec) &&
		    (gsk->events & BIT(GROUP_EV_RESUMED)))
			return false;
		return !(gsk->events & BIT(GROUP_EV_VIEW));
	case GPE_REC_SUSPENDED:
		return !(gsk->events & BIT(GROUP_EV_SUSPENDED));
	case GPE_REC_RESUMED:
		return !(gsk->events & BIT(GROUP_EV_RESUMED));
	}
	return false;
}

/**
 * gsk_queue_trim() - free what every member has passed, from the front
 * @gn: the node, its lock held
 * @grp: the group
 */
void gsk_queue_trim(struct gsk_net *gn, struct gsk_group *grp)
{
	struct gpe_rec *rec, *next;

	lockdep_assert_held(&gn->lock);
	list_for_each_entry_safe(rec, next, &grp->log, link) {
		if (rec->host_u64[1])
			return;
		list_del_init(&rec->link);
		if (rec->type == GPE_REC_MSG)
			gsk_group_spend(gn, grp, rec);
		else
			gpe_rec_free(gn->node, rec);
	}
}

/* The record of the log behind @rec that is for this socket, or NULL. */
static struct gpe_rec *gsk_queue_after(const struct gsk_sock *gsk,
				       struct gpe_rec *rec)
{
	do {
		if (list_is_last(&rec->link, &gsk->grp->log))
			return NULL;
		rec = list_next_entry(rec, link);
	} while (gsk_in_gap(gsk, rec));
	/* Behind the end, and not attached: nothing of what follows counts. */
	if (gsk->end_pos && rec->host_u64[0] >= gsk->end_pos)
		return NULL;
	return rec;
}

/* A record costs a little; the list in a view may be large, and there may be
 * one view a join.
 */
static u32 gsk_view_bytes(const struct gpe_rec *rec)
{
	const struct gpe_view *view;

	if (rec->type != GPE_REC_VIEW)
		return 0;
	view = gsk_rec_view(rec);
	return (view->n + view->n_left) * sizeof(struct gpe_member);
}

/* Leaves the record at the cursor behind. */
static void gsk_queue_step(struct gsk_sock *gsk)
{
	struct gpe_rec *rec = gsk->cursor;

	lockdep_assert_held(&gsk->gn->lock);
	gsk->cursor = gsk_queue_after(gsk, rec);
	gsk->queued--;
	gsk->queued_bytes -= gsk_rec_cost(rec);
	gsk->view_bytes -= gsk_view_bytes(rec);
	if (rec->type == GPE_REC_VIEW) {
		struct gpe_view *view =
			container_of(rec, struct gpe_view_rec, rec)->view;

		gpe_view_get(view);
		if (gsk->view)
			gpe_view_put(gsk->view);
		gsk->view = view;
		gsk_backs_drop(gsk, rec->host_u64[0]);
	}
	rec->host_u64[1]--;
}

static void gsk_queue_pass_one(struct gsk_sock *gsk, struct gpe_rec *rec)
{
	list_del_init(&rec->link);
	gsk->queued--;
	gsk->queued_bytes -= gsk_rec_cost(rec);
	gsk_group_spend(gsk->gn, gsk->grp, rec);
}

/**
 * gsk_queue_skip() - pass over what is not wanted
 * @gsk: the socket; gn->lock held
 *
 * After each step of the cursor, and when options have changed. What a reader
 * copies just now it has asked for.
 */
void gsk_queue_skip(struct gsk_sock *gsk)
{
	bool any = false;

	lockdep_assert_held(&gsk->gn->lock);
	while (gsk->cursor && gsk->cursor != gsk->reading &&
	       gsk_unwanted(gsk, gsk->cursor)) {
		gsk_queue_step(gsk);
		any = true;
	}
	if (any)
		gsk_queue_trim(gsk->gn, gsk->grp);
}

/**
 * gsk_queue_next() - what is to be read next
 * @gsk: the socket; gn->lock held
 *
 * Return: a record, or NULL.
 */
struct gpe_rec *gsk_queue_next(const struct gsk_sock *gsk)
{
	lockdep_assert_held(&gsk->gn->lock);
	if (!list_empty(&gsk->ones)) {
		struct gpe_rec *one =
			list_first_entry(&gsk->ones, struct gpe_rec, link);

		if (!gsk->cursor ||
		    one->host_u64[0] <= gsk->cursor->host_u64[0])
			return one;
	}
	return gsk->cursor;
}

/**
 * gsk_queue_read_begin() - keep a record while it is copied
 * @gsk: the socket; its rd_lock and gn->lock held
 * @rec: from gsk_queue_next()
 */
void gsk_queue_read_begin(struct gsk_sock *gsk, struct gpe_rec *rec)
{
	lockdep_assert_held(&gsk->gn->lock);
	gsk->reading = rec;
	gsk->reading_one = rec != gsk->cursor;
	rec->host_u64[1]++;
}

/**
 * gsk_queue_read_end() - let go of it
 * @gsk: the socket; its rd_lock and gn->lock held
 * @pass: it was read, and not only looked at
 */
void gsk_queue_read_end(struct gsk_sock *gsk, bool pass)
{
	struct gsk_group *grp = gsk->grp;
	struct gpe_rec *rec = gsk->reading;

	lockdep_assert_held(&gsk->gn->lock);
	gsk->reading = NULL;
	rec->host_u64[1]--;
	if (pass && gsk->reading_one)
		gsk_queue_pass_one(gsk, rec);
	else if (pass && rec == gsk->cursor)
		gsk_queue_step(gsk);
	gsk_queue_skip(gsk);
	gsk_queue_trim(gsk->gn, grp);
	/* Its queue is in nobody's way any more. */
	if (!gsk->queued && grp->n_blocked)
		gsk_group_rouse(grp);
}

/**
 * gsk_queue_own_bytes() - payload of its own that this socket has not read
 * @gsk: the socket; gn->lock held
 *
 * Return: bytes.
 */
u64 gsk_queue_own_bytes(const struct gsk_sock *gsk)
{
	struct gpe_msg_info info;
	struct gpe_rec *rec;
	u64 bytes = 0;

	lockdep_assert_held(&gsk->gn->lock);
	for (rec = gsk->cursor; rec; rec = gsk_queue_after(gsk, rec)) {
		if (rec->type != GPE_REC_MSG)
			continue;
		gpe_msg_info(rec, &info);
		if (gsk_own(gsk, &info))
			bytes += info.len;
	}
	list_for_each_entry(rec, &gsk->ones, link) {
		gpe_msg_info(rec, &info);
		if (gsk_own(gsk, &info))
			bytes += info.len;
	}
	return bytes;
}

/* ---- delivery ---- */

/* The worker takes it out of its group. */
static void gsk_queue_overrun(struct gsk_sock *gsk)
{
	if (gsk->overrun || !gsk->local)
		return;
	gsk->overrun = true;
	sock_hold(&gsk->sk);
	list_add_tail(&gsk->evict, &gsk->gn->evict);
	gsk_net_work_due(gsk->gn);
}

static void gsk_queue_grown(struct gsk_sock *gsk, const struct gpe_rec *rec)
{
	gsk->queued++;
	gsk->queued_bytes += gsk_rec_cost(rec);
	gsk->view_bytes += gsk_view_bytes(rec);
	if (gsk->queued_bytes > 2ULL * gsk->limit_max ||
	    gsk->view_bytes > GSK_VIEWS_MAX)
		gsk_queue_overrun(gsk);
}

/**
 * gsk_queue_given() - a record has been appended to the log for this member
 * @gsk: an attached member; gn->lock held
 * @rec: counted for it
 */
void gsk_queue_given(struct gsk_sock *gsk, struct gpe_rec *rec)
{
	lockdep_assert_held(&gsk->gn->lock);
	gsk_queue_grown(gsk, rec);
	if (!gsk->cursor) {
		gsk->cursor = rec;
		gsk_queue_skip(gsk);
	}
	if (gsk_queue_next(gsk))
		gsk_sock_wake(gsk, GSK_WAKE_READ);
}

/**
 * gsk_queue_given_one() - a message for this member alone
 * @gsk: an attached member; gn->lock held
 * @rec: the message; rec->host_u64[0] is set
 */
void gsk_queue_given_one(struct gsk_sock *gsk, struct gpe_rec *rec)
{
	lockdep_assert_held(&gsk->gn->lock);
	rec->host_u64[1] = 0;
	list_add_tail(&rec->link, &gsk->ones);
	gsk_queue_grown(gsk, rec);
	gsk_sock_wake(gsk, GSK_WAKE_READ);
}

/* All before @rec, which is not counted for it yet, and it is out for that. */
static void gsk_queue_lose(struct gsk_sock *gsk, const struct gpe_rec *rec)
{
	if (gsk->attached)
		gsk->end_pos = rec->host_u64[0];
	gsk_queue_flush(gsk, U32_MAX);
	if (gsk->attached)
		gsk->end_pos = 0;
	gsk->n_backs = 0;
	gsk_queue_overrun(gsk);
}

/* Away from @from on and back with @rec: as the reader will come to it. */
static void gsk_back_add(struct gsk_sock *gsk, u64 from,
			 const struct gpe_rec *rec)
{
	struct gsk_back *back;

	/* Nothing unread lies before what was left out. */
	if (!gsk->cursor)
		from = rec->host_u64[0];
	if (from == rec->host_u64[0] && !gsk->suspended)
		return;
	if (gsk->n_backs == GSK_BACKS_MAX) {
		gsk_queue_lose(gsk, rec);
		from = rec->host_u64[0];
	}
	back = &gsk->back[gsk->n_backs++];
	back->from = from;
	back->to = rec->host_u64[0];
	back->resumed = gsk->suspended;
}

/**
 * gsk_queue_resume() - back in the cluster by a view that lists it as joined
 * @gsk: the socket; gn->lock held
 * @rec: the view, just appended
 *
 * A node that was cut off comes back without having seen a view that its
 * members are not in, so they may be attached all the while.
 */
void gsk_queue_resume(struct gsk_sock *gsk, const struct gpe_rec *rec)
{
	lockdep_assert_held(&gsk->gn->lock);
	gsk_back_add(gsk, rec->host_u64[0], rec);
	gsk->suspended = false;
	gsk_sock_wake(gsk, GSK_WAKE_WRITE);
}

/**
 * gsk_queue_attach() - start to read
 * @gsk: the socket; gn->lock held
 * @rec: a view that lists it as a member, just appended
 */
void gsk_queue_attach(struct gsk_sock *gsk, const struct gpe_rec *rec)
{
	lockdep_assert_held(&gsk->gn->lock);
	gsk_back_add(gsk, gsk->end_pos, rec);
	gsk->end_pos = 0;
	gsk->attached = true;
	gsk->grp->n_attached++;
	gsk->suspended = false;
	gsk_sock_wake(gsk, GSK_WAKE_WRITE);
}

/**
 * gsk_queue_detach() - no more records for @gsk; those it has stay
 * @gsk: the socket; gn->lock held
 * @end_pos: position of the first record that is not for it
 */
void gsk_queue_detach(struct gsk_sock *gsk, u64 end_pos)
{
	lockdep_assert_held(&gsk->gn->lock);
	if (!gsk->attached)
		return;
	gsk->attached = false;
	gsk->end_pos = end_pos;
	gsk->grp->n_attached--;
}

/**
 * gsk_queue_flush() - pass what is unread, unseen
 * @gsk: the socket; gn->lock held, no more records to come for it
 * @budget: how many records at most
 *
 * One that a reader copies just now is left if it is to this member alone.
 *
 * Return: true when nothing is left.
 */
bool gsk_queue_flush(struct gsk_sock *gsk, u32 budget)
{
	struct gpe_rec *rec, *next;

	lockdep_assert_held(&gsk->gn->lock);
	for (; gsk->cursor && budget; budget--)
		gsk_queue_step(gsk);
	list_for_each_entry_safe(rec, next, &gsk->ones, link) {
		if (!budget)
			break;
		if (rec == gsk->reading)
			continue;
		gsk_queue_pass_one(gsk, rec);
		budget--;
	}
	gsk_queue_trim(gsk->gn, gsk->grp);
	return budget;
}

/* ---- waking ---- */

/**
 * gsk_sock_wake() - mark a socket to be woken when the lock is dropped
 * @gsk: the socket; gn->lock held, and gsk_group_wake_flush() to come
 * @what: GSK_WAKE_*
 */
void gsk_sock_wake(struct gsk_sock *gsk, int what)
{
	lockdep_assert_held(&gsk->gn->lock);
	if (atomic_fetch_or(what, &gsk->wake))
		return;
	sock_hold(&gsk->sk);
	llist_add(&gsk->wake_node, &gsk->gn->wakes);
}

/**
 * gsk_group_wake_flush() - wake who was marked
 * @gn: the node, its lock not held
 */
void gsk_group_wake_flush(struct gsk_net *gn)
{
	struct llist_node *list = llist_del_all(&gn->wakes);
	struct gsk_sock *gsk, *next;

	llist_for_each_entry_safe(gsk, next, list, wake_node) {
		struct sock *sk = &gsk->sk;
		/* Who marks it from here on has it woken once more. */
		int what = atomic_xchg(&gsk->wake, 0);

		if (what & GSK_WAKE_READ)
			sk->sk_data_ready(sk);
		if (what & GSK_WAKE_WRITE)
			sk->sk_write_space(sk);
		if (what & GSK_WAKE_STATE)
			sk->sk_state_change(sk);
		sock_put(sk);
	}
}
