// SPDX-License-Identifier: GPL-2.0
/*
 * A group on this node: one log in delivery order, and a cursor into it for
 * each member (queue.c). What all members have passed goes back to the engine,
 * which returns credit for it.
 */
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "group.h"

/* Records handed back, or flushed, under one hold of the lock. */
#define GSK_BATCH 64

/* ---- what is passed by all ---- */

/**
 * gsk_group_spend() - a message that no member has to read any more
 * @gn: the node, its lock held
 * @grp: its group
 * @rec: the message, in no list
 */
void gsk_group_spend(struct gsk_net *gn, struct gsk_group *grp,
		     struct gpe_rec *rec)
{
	lockdep_assert_held(&gn->lock);
	list_add_tail(&rec->link, &grp->consumed);
	grp->consumed_bytes += gsk_rec_cost(rec);
	grp->n_consumed++;
	if (list_empty(&grp->spent))
		list_add_tail(&grp->spent, &gn->spent);
}

/* The first of them to @list; how many. */
static u32 gsk_group_return(struct gsk_net *gn, struct gsk_group *grp,
			    struct list_head *list)
{
	struct gpe_rec *rec, *next;
	u32 n = 0;

	lockdep_assert_held(&gn->lock);
	list_for_each_entry_safe(rec, next, &grp->consumed, link) {
		if (n == GSK_BATCH)
			break;
		list_move_tail(&rec->link, list);
		grp->consumed_bytes -= gsk_rec_cost(rec);
		grp->n_consumed--;
		n++;
	}
	if (list_empty(&grp->consumed))
		list_del_init(&grp->spent);
	return n;
}

static void gsk_consumed(struct gsk_net *gn, struct list_head *list)
{
	struct gpe_event ev = { .type = GPE_EV_CONSUMED };

	ev.consumed = list;
	if (!list_empty(list))
		gsk_run_task(gn, &ev);
}

/**
 * gsk_group_settle() - return credit for what was read, if it is time
 * @gsk: a bound socket
 *
 * Context: process; gn->lock not held.
 */
void gsk_group_settle(struct gsk_sock *gsk)
{
	struct gsk_net *gn = gsk->gn;
	struct gsk_group *grp;
	LIST_HEAD(list);
	u32 n = 0;

	spin_lock_bh(&gn->lock);
	grp = gsk->grp;
	if (grp->consumed_bytes > gsk->limit / 8 ||
	    grp->n_consumed > GSK_BATCH || !gsk_queue_next(gsk))
		n = gsk_group_return(gn, grp, &list);
	spin_unlock_bh(&gn->lock);
	gsk_consumed(gn, &list);
	while (n == GSK_BATCH) {
		spin_lock_bh(&gn->lock);
		n = gsk_group_return(gn, grp, &list);
		spin_unlock_bh(&gn->lock);
		gsk_consumed(gn, &list);
	}
}

/**
 * gsk_group_collect() - return credit that no reader has returned
 * @gn: the node
 *
 * Context: the worker.
 */
void gsk_group_collect(struct gsk_net *gn)
{
	struct gsk_group *grp;
	LIST_HEAD(list);

	do {
		spin_lock_bh(&gn->lock);
		grp = list_first_entry_or_null(&gn->spent, struct gsk_group,
					       spent);
		if (grp)
			gsk_group_return(gn, grp, &list);
		spin_unlock_bh(&gn->lock);
		gsk_consumed(gn, &list);
		cond_resched();
	} while (grp);
}

/* ---- delivery: under gn->lock, from run.c ---- */

/* Takes it to the worker's list. */
static void gsk_group_due(struct gsk_net *gn, struct gsk_group *grp)
{
	lockdep_assert_held(&gn->lock);
	if (list_empty(&grp->due))
		list_add_tail(&grp->due, &gn->groups_due);
	gsk_net_work_due(gn);
}

/**
 * gsk_is_self() - is this an address of this very node?
 * @gn: the node, its lock held
 * @addr: a member
 *
 * Return: whether it is, in the node's present incarnation.
 */
bool gsk_is_self(struct gsk_net *gn, const struct gpe_addr *addr)
{
	lockdep_assert_held(&gn->lock);
	return gpe_is_self(gn->node, addr);
}

/* Whose view is it? Attaches those it lists, detaches those it does not. */
static void gsk_group_view(struct gsk_net *gn, struct gsk_group *grp,
			   const struct gpe_rec *rec)
{
	const struct gpe_view *view = gsk_rec_view(rec);
	u64 gen = ++grp->view_gen;
	struct gsk_sock *gsk;
	u32 i;

	lockdep_assert_held(&gn->lock);
	for (i = 0; i < view->n + view->n_left; i++) {
		const struct gpe_addr *a = &view->m[i].addr;

		/* Most members of a large view are of other nodes. */
		if (!gsk_is_self(gn, a))
			continue;
		gsk = xa_load(&gn->socks, a->port);
		if (!gsk || gsk->grp != grp || gsk->closed)
			continue;
		gsk->seen_gen = gen;
		gsk->self = *a;
		if (i >= view->n)
			continue;
		if (!gsk->attached)
			gsk_queue_attach(gsk, rec);
		else if (gsk->suspended && view->m[i].change == GROUP_JOINED)
			gsk_queue_resume(gsk, rec);
		gsk->joined = true;
	}
	/* The node was out of the cluster, and they are not in again yet. */
	list_for_each_entry(gsk, &grp->members, in_grp)
		if (gsk->attached && gsk->seen_gen != gen)
			gsk_queue_detach(gsk, rec->host_u64[0]);
	gsk_group_due(gn, grp);
}

/* Who the view says has left read up to and with it. */
static void gsk_group_view_left(struct gsk_net *gn, struct gsk_group *grp,
				const struct gpe_rec *rec)
{
	const struct gpe_view *view = gsk_rec_view(rec);
	u32 i;

	lockdep_assert_held(&gn->lock);
	for (i = view->n; i < view->n + view->n_left; i++) {
		const struct gpe_addr *a = &view->m[i].addr;
		struct gsk_sock *gsk = xa_load(&gn->socks, a->port);

		if (gsk && gsk->grp == grp && gsk_is_self(gn, a))
			gsk_queue_detach(gsk, rec->host_u64[0] + 1);
	}
}

/**
 * gsk_group_deliver() - a record for all local members: GPE_ACT_DELIVER
 * @gn: the node, its lock held
 * @host: struct gsk_group
 * @rec: the record, the glue's from here on
 */
void gsk_group_deliver(struct gsk_net *gn, void *host, struct gpe_rec *rec)
{
	struct gsk_group *grp = host;
	struct gsk_sock *gsk;

	lockdep_assert_held(&gn->lock);
	rec->host_u64[0] = grp->next_pos++;
	list_add_tail(&rec->link, &grp->log);
	/* One more, so that it stays until the end of this function. */
	rec->host_u64[1] = 1;
	if (rec->type == GPE_REC_VIEW)
		gsk_group_view(gn, grp, rec);
	rec->host_u64[1] += grp->n_attached;
	list_for_each_entry(gsk, &grp->members, in_grp) {
		if (!gsk->attached)
			continue;
		if (rec->type == GPE_REC_SUSPENDED)
			gsk->suspended = true;
		if (rec->type == GPE_REC_RESUMED) {
			gsk->suspended = false;
			gsk_sock_wake(gsk, GSK_WAKE_WRITE);
		}
		gsk_queue_given(gsk, rec);
	}
	if (rec->type == GPE_REC_VIEW)
		gsk_group_view_left(gn, grp, rec);
	rec->host_u64[1]--;
	gsk_queue_trim(gn, grp);
	/* Readers return credit; what nobody reads, the worker does. */
	if (grp->n_consumed > GSK_BATCH || grp->consumed_bytes > SZ_64K ||
	    (grp->n_consumed && list_empty(&grp->log)))
		gsk_net_work_due(gn);
}

/**
 * gsk_group_unwanted() - options have changed what a socket wants to read
 * @gsk: the socket; gn->lock held, and gsk_group_wake_flush() to come
 *
 * What it passes over now, no reader of it will return the credit for.
 */
void gsk_group_unwanted(struct gsk_sock *gsk)
{
	struct gsk_group *grp = gsk->grp;

	lockdep_assert_held(&gsk->gn->lock);
	if (!grp)
		return;
	gsk_queue_skip(gsk);
	if (grp->n_consumed)
		gsk_net_work_due(gsk->gn);
	if (!gsk->queued && grp->n_blocked)
		gsk_group_rouse(grp);
}

/**
 * gsk_group_deliver_one() - a message to one member: GPE_ACT_DELIVER_ONE
 * @gn: the node, its lock held
 * @host: struct gsk_group
 * @cookie: struct gsk_sock
 * @rec: the message, the glue's from here on
 */
void gsk_group_deliver_one(struct gsk_net *gn, void *host, void *cookie,
			   struct gpe_rec *rec)
{
	struct gsk_group *grp = host;
	struct gsk_sock *gsk = cookie;

	lockdep_assert_held(&gn->lock);
	rec->host_u64[0] = grp->next_pos;
	if (gsk->attached && !gsk->closed) {
		gsk_queue_given_one(gsk, rec);
		return;
	}
	INIT_LIST_HEAD(&rec->link);
	gsk_group_spend(gn, grp, rec);
	gsk_net_work_due(gn);
}

static void gsk_sock_may_send(struct gsk_sock *gsk)
{
	/* Who waits reads it without the lock. */
	WRITE_ONCE(gsk->wake_gen, gsk->wake_gen + 1);
	gsk->refused = false;
	gsk_sock_wake(gsk, GSK_WAKE_WRITE);
}

/**
 * gsk_group_wake() - what was refused may go now: GPE_ACT_WAKE
 * @gn: the node, its lock held
 * @host: struct gsk_group
 */
void gsk_group_wake(struct gsk_net *gn, void *host)
{
	struct gsk_group *grp = host;
	struct gsk_sock *gsk;

	lockdep_assert_held(&gn->lock);
	list_for_each_entry(gsk, &grp->members, in_grp)
		gsk_sock_may_send(gsk);
}

/**
 * gsk_group_rouse() - a local reader is done: look again who holds whom
 * @grp: its group, under its node's lock
 */
void gsk_group_rouse(struct gsk_group *grp)
{
	struct gsk_sock *gsk;

	list_for_each_entry(gsk, &grp->members, in_grp)
		if (gsk->blocked)
			gsk_sock_may_send(gsk);
}

/* ---- coming and going ---- */

static void gsk_group_free(struct gsk_net *gn, struct gsk_group *grp)
{
	struct gpe_rec *rec, *next;

	lockdep_assert_held(&gn->lock);
	list_splice_tail_init(&grp->log, &grp->consumed);
	list_for_each_entry_safe(rec, next, &grp->consumed, link) {
		list_del(&rec->link);
		gpe_rec_free(gn->node, rec);
	}
	list_del(&grp->spent);
	list_del(&grp->due);
	rb_erase(&grp->node, &gn->groups);
	kfree(grp);
	gsk_count_destroyed(GSK_OBJ_GROUP);
}

/* Closed, and gone from the engine: out of the group, and maybe the last. */
static void gsk_sock_unlink(struct gsk_sock *gsk)
{
	struct gsk_group *grp = gsk->grp;
	struct gsk_net *gn = gsk->gn;

	lockdep_assert_held(&gn->lock);
	if (!grp || !gsk->closed || gsk->local || gsk->cursor ||
	    !list_empty(&gsk->ones))
		return;
	gsk_queue_detach(gsk, grp->next_pos);
	xa_erase(&gn->socks, gsk->port);
	list_del_init(&gsk->in_grp);
	gn->n_members--;
	gsk->grp = NULL;
	if (gsk->view)
		gpe_view_put(gsk->view);
	gsk->view = NULL;
	if (!list_empty(&grp->members))
		return;
	/* The worker takes it out of sysfs first. */
	if (grp->shown || !list_empty(&grp->due))
		gsk_group_due(gn, grp);
	else
		gsk_group_free(gn, grp);
}

/**
 * gsk_group_gone() - the engine has let go of a member: GPE_ACT_GONE
 * @gn: the node, its lock held
 * @cookie: struct gsk_sock; the engine's reference goes
 * @error: 0 if it left as asked, else a negative errno
 * @why: reason
 */
void gsk_group_gone(struct gsk_net *gn, void *cookie, int error,
		    enum gpe_why why)
{
	struct gsk_sock *gsk = cookie;

	lockdep_assert_held(&gn->lock);
	gsk->local = NULL;
	gsk->error = error;
	gsk->why = why;
	gsk->evict_due = why == GPE_WHY_OVERRUN;
	/* gsk_send_room_or_over() looks without the lock. */
	WRITE_ONCE(gsk->gone, true);
	list_del_init(&gsk->orphan);
	if (gsk->grp)
		gsk_queue_detach(gsk, gsk->grp->next_pos);
	gsk_sock_may_send(gsk);
	gsk_sock_wake(gsk, GSK_WAKE_READ | GSK_WAKE_STATE);
	gsk_sock_unlink(gsk);
	sock_put(&gsk->sk);
}

static struct gsk_group *gsk_group_new(const char *name)
{
	struct gsk_group *grp = kzalloc(sizeof(*grp), GFP_KERNEL_ACCOUNT);

	if (!grp)
		return NULL;
	INIT_LIST_HEAD(&grp->members);
	INIT_LIST_HEAD(&grp->log);
	INIT_LIST_HEAD(&grp->consumed);
	INIT_LIST_HEAD(&grp->spent);
	INIT_LIST_HEAD(&grp->due);
	grp->next_pos = 1;
	strscpy(grp->name, name, sizeof(grp->name));
	gsk_count_created(GSK_OBJ_GROUP);
	return grp;
}

/* The group of @fresh's name: that one if there was none. */
static struct gsk_group *gsk_group_get(struct gsk_net *gn,
				       struct gsk_group *fresh)
{
	struct rb_node **p = &gn->groups.rb_node, *parent = NULL;

	lockdep_assert_held(&gn->lock);
	while (*p) {
		struct gsk_group *grp = rb_entry(*p, struct gsk_group, node);
		int c = strcmp(fresh->name, grp->name);

		if (!c)
			return grp;
		parent = *p;
		p = c < 0 ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&fresh->node, parent, p);
	rb_insert_color(&fresh->node, &gn->groups);
	return fresh;
}

/* Into the group of @fresh's name; 0 or -ENOSPC. */
static int gsk_group_enter(struct gsk_net *gn, struct gsk_sock *gsk,
			   struct gsk_group *fresh)
{
	int err = -ENOSPC;

	spin_lock_bh(&gn->lock);
	if (gn->n_members < gsk_max_members(gn)) {
		gn->n_members++;
		gsk->grp = gsk_group_get(gn, fresh);
		list_add_tail(&gsk->in_grp, &gsk->grp->members);
		/* For the engine's handle, put with GPE_ACT_GONE. */
		sock_hold(&gsk->sk);
		err = 0;
	}
	spin_unlock_bh(&gn->lock);
	return err;
}

static int gsk_group_tell_join(struct gsk_sock *gsk, const char *name)
{
	struct gpe_event ev = { .type = GPE_EV_JOIN };

	ev.join.host = gsk->grp;
	ev.join.cookie = gsk;
	ev.join.name = name;
	ev.join.props = gsk->props;
	ev.join.port = gsk->port;
	ev.join.limit = gsk->limit;
	ev.join.local_at = &gsk->local;
	ev.join.ret = -ESHUTDOWN;
	gsk_run_task(gsk->gn, &ev);
	return ev.join.ret;
}

/* The engine would not have it: as if it had never been. */
static void gsk_group_undo(struct gsk_sock *gsk)
{
	spin_lock_bh(&gsk->gn->lock);
	gsk->closed = true;
	gsk_sock_unlink(gsk);
	gsk->closed = false;
	spin_unlock_bh(&gsk->gn->lock);
	sock_put(&gsk->sk);
}

/**
 * gsk_group_join() - make a socket a member
 * @gsk: the socket, locked; its @limit is set and charged
 * @name: of the group, checked
 *
 * Context: process; gn->lock not held.
 * Return: 0, -ENOMEM, -ENOSPC or -ESHUTDOWN; on failure nothing has changed.
 */
int gsk_group_join(struct gsk_sock *gsk, const char *name)
{
	struct gsk_net *gn = gsk->gn;
	struct gsk_group *fresh;
	int err;

	err = gsk_net_start(gn);
	if (err)
		return err;
	err = xa_alloc_cyclic_bh(&gn->socks, &gsk->port, gsk,
				 XA_LIMIT(1, S32_MAX), &gn->ports, GFP_KERNEL);
	if (err < 0)
		return err == -EBUSY ? -ENOSPC : err;
	fresh = gsk_group_new(name);
	err = fresh ? gsk_group_enter(gn, gsk, fresh) : -ENOMEM;
	if (err)
		xa_erase_bh(&gn->socks, gsk->port);
	if (fresh && gsk->grp != fresh) {
		kfree(fresh);
		gsk_count_destroyed(GSK_OBJ_GROUP);
	}
	if (err)
		return err;
	err = gsk_group_tell_join(gsk, name);
	if (err)
		gsk_group_undo(gsk);
	return err;
}

/* Passes all it has not read, a bit at a time; nothing comes any more. */
static void gsk_group_leave_queue(struct gsk_sock *gsk)
{
	struct gsk_net *gn = gsk->gn;
	bool done;

	do {
		spin_lock_bh(&gn->lock);
		/* It may have gone between two bits. */
		done = !gsk->grp || gsk_queue_flush(gsk, GSK_BATCH);
		if (done)
			gsk_sock_unlink(gsk);
		spin_unlock_bh(&gn->lock);
		cond_resched();
	} while (!done);
}

/* Under gn->lock: no more sending; with @close no more reading either. */
static void gsk_group_leave_begin(struct gsk_sock *gsk, bool close)
{
	lockdep_assert_held(&gsk->gn->lock);
	/* gsk_send_room_or_over() looks without the lock. */
	WRITE_ONCE(gsk->leaving, true);
	gsk_sock_may_send(gsk);
	if (!close)
		return;
	gsk->closed = true;
	gsk_queue_detach(gsk, gsk->grp->next_pos);
	if (!list_empty(&gsk->evict)) {
		list_del_init(&gsk->evict);
		__sock_put(&gsk->sk);
	}
	/* Credit for what is not read. */
	gsk_net_work_due(gsk->gn);
}

/**
 * gsk_group_leave() - a member leaves; its handle is gone soon
 * @gsk: a bound socket
 * @close: it reads no more, and may go
 *
 * Context: process; gn->lock not held.
 */
void gsk_group_leave(struct gsk_sock *gsk, bool close)
{
	struct gpe_event ev = { .type = GPE_EV_LEAVE };
	struct gsk_net *gn = gsk->gn;

	ev.leave.local_at = &gsk->local;
	ev.leave.why = GPE_WHY_LEAVE;
	spin_lock_bh(&gn->lock);
	gsk_group_leave_begin(gsk, close);
	spin_unlock_bh(&gn->lock);
	if (close)
		gsk_group_leave_queue(gsk);
	gsk_run_task(gn, &ev);
	gsk_group_wake_flush(gn);
	if (close)
		gsk_orphan_add(gsk);
}

/**
 * gsk_group_abandon() - the namespace ends: as if the engine let go of all
 * @gn: the node, its lock held, @dead set; gsk_group_wake_flush() to come
 */
void gsk_group_abandon(struct gsk_net *gn)
{
	struct rb_node *p, *next;

	lockdep_assert_held(&gn->lock);
	for (p = rb_first(&gn->groups); p; p = next) {
		struct gsk_group *grp = rb_entry(p, struct gsk_group, node);
		struct gsk_sock *gsk, *tmp;

		next = rb_next(p);
		/* Keeps the group while its last socket goes. */
		grp->shown = true;
		list_for_each_entry_safe(gsk, tmp, &grp->members, in_grp)
			if (gsk->local)
				gsk_group_gone(gn, gsk, -ESHUTDOWN,
					       GPE_WHY_NODE_LEFT);
		if (list_empty(&grp->members))
			gsk_group_free(gn, grp);
	}
}

/* ---- the worker's part ---- */

/**
 * gsk_group_evict() - members past twice their limit leave
 * @gn: the node
 *
 * Context: the worker.
 */
void gsk_group_evict(struct gsk_net *gn)
{
	for (;;) {
		struct gpe_event ev = { .type = GPE_EV_LEAVE };
		struct gsk_sock *gsk;

		spin_lock_bh(&gn->lock);
		gsk = list_first_entry_or_null(&gn->evict, struct gsk_sock,
					       evict);
		if (gsk)
			list_del_init(&gsk->evict);
		spin_unlock_bh(&gn->lock);
		if (!gsk)
			return;
		ev.leave.local_at = &gsk->local;
		ev.leave.why = GPE_WHY_OVERRUN;
		gsk_run_task(gn, &ev);
		sock_put(&gsk->sk);
		cond_resched();
	}
}

/* Takes the next one that changed off the list; false if there is none. */
static bool gsk_group_next_due(struct gsk_net *gn, char *name, bool *last)
{
	struct gsk_group *grp;

	spin_lock_bh(&gn->lock);
	grp = list_first_entry_or_null(&gn->groups_due, struct gsk_group, due);
	if (grp) {
		list_del_init(&grp->due);
		strscpy(name, grp->name, sizeof(grp->name));
		*last = list_empty(&grp->members);
		grp->shown = !*last;
		if (*last)
			gsk_group_free(gn, grp);
	}
	spin_unlock_bh(&gn->lock);
	return grp;
}

/**
 * gsk_group_announce() - sysfs and notifications of groups that changed
 * @gn: the node
 *
 * Context: the worker; nobody else shows a group or takes it away.
 */
void gsk_group_announce(struct gsk_net *gn)
{
	char name[GROUP_NAME_MAX + 1];
	bool last;

	while (gsk_group_next_due(gn, name, &last)) {
		if (last)
			gsk_sysfs_del(gn, name);
		else
			gsk_sysfs_add(gn, name);
		gsk_netlink_notify_group(gn, name);
		cond_resched();
	}
}

/**
 * gsk_group_figures() - queues of a group's local members
 * @gn: the node, its lock held
 * @host: as the engine names the group; NULL: no local members
 * @f: out
 *
 * The engine names a group only as long as it is here.
 *
 * Return: whether there are any.
 */
bool gsk_group_figures(struct gsk_net *gn, void *host,
		       struct gsk_group_figures *f)
{
	struct gsk_group *grp = host;
	struct gsk_sock *gsk;

	lockdep_assert_held(&gn->lock);
	memset(f, 0, sizeof(*f));
	if (!grp)
		return false;
	list_for_each_entry(gsk, &grp->members, in_grp) {
		f->locals++;
		f->queued = max(f->queued, gsk->queued);
		f->queued_bytes = max(f->queued_bytes, gsk->queued_bytes);
	}
	return true;
}
