// SPDX-License-Identifier: GPL-2.0
/*
 * A group on this node: one log in delivery order, and a cursor into it for
 * each member. Delivering appends one record and moves no data; what all
 * members have passed goes back to the engine, which returns credit for it.
 */
#include <linux/sizes.h>
#include <linux/slab.h>
#include "group.h"

/* ---- waking ---- */

/* Marks @gsk to be woken when the lock is dropped. */
static void gsk_sock_wake(struct gsk_sock *gsk)
{
	lockdep_assert_held(&gsk->gn->lock);
	if (test_and_set_bit(0, &gsk->wake_bit))
		return;
	sock_hold(&gsk->sk);
	llist_add(&gsk->wake_node, &gsk->gn->wakes);
}

void gsk_group_wake_flush(struct gsk_net *gn)
{
	struct llist_node *list = llist_del_all(&gn->wakes);
	struct gsk_sock *gsk, *next;

	llist_for_each_entry_safe(gsk, next, list, wake_node) {
		struct sock *sk = &gsk->sk;

		clear_bit(0, &gsk->wake_bit);
		/* Who marks it from here on is woken once more. */
		smp_mb__after_atomic();
		sk->sk_data_ready(sk);
		sk->sk_write_space(sk);
		sock_put(sk);
	}
}

/* ---- cursors ---- */

static bool gsk_in_gap(const struct gsk_sock *gsk, const struct gpe_rec *rec)
{
	return gsk->gap_to && rec->host_u64[0] >= gsk->gap_from &&
	       rec->host_u64[0] < gsk->gap_to;
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
		return info.sender.port == gsk->port &&
		       gsk->view && info.sender.node == gsk->self.node &&
		       info.sender.inc == gsk->self.inc;
	case GPE_REC_VIEW:
		if (gsk->resume_due && (gsk->events & BIT(GROUP_EV_RESUMED)))
			return false;
		return !(gsk->events & BIT(GROUP_EV_VIEW));
	case GPE_REC_SUSPENDED:
		return !(gsk->events & BIT(GROUP_EV_SUSPENDED));
	case GPE_REC_RESUMED:
		return !(gsk->events & BIT(GROUP_EV_RESUMED));
	}
	return false;
}

/* Frees what every member has passed, from the front. */
static void gsk_group_trim(struct gsk_group *grp, struct gsk_net *gn)
{
	struct gpe_rec *rec, *next;

	list_for_each_entry_safe(rec, next, &grp->log, link) {
		if (rec->host_u64[1])
			return;
		list_del_init(&rec->link);
		if (rec->type == GPE_REC_MSG && gn->node) {
			list_add_tail(&rec->link, &grp->consumed);
			grp->consumed_bytes += gsk_rec_cost(rec);
			grp->n_consumed++;
		} else if (gn->node) {
			gpe_rec_free(gn->node, rec);
		}
	}
}

static void gsk_sock_step(struct gsk_sock *gsk)
{
	struct gpe_rec *rec = gsk->cursor;

	do {
		gsk->cursor = list_is_last(&rec->link, &gsk->grp->log) ?
				      NULL :
				      list_next_entry(rec, link);
		rec = gsk->cursor;
	} while (rec && gsk_in_gap(gsk, rec));
	/* Behind the end, and not attached: nothing of what follows counts. */
	if (rec && gsk->end_pos && rec->host_u64[0] >= gsk->end_pos)
		gsk->cursor = NULL;
}

/* Takes note of a record that the socket leaves behind. */
static void gsk_sock_left(struct gsk_sock *gsk, struct gpe_rec *rec)
{
	gsk->queued--;
	gsk->queued_bytes -= gsk_rec_cost(rec);
	if (rec->type == GPE_REC_VIEW) {
		struct gpe_view *view =
			container_of(rec, struct gpe_view_rec, rec)->view;

		gpe_view_get(view);
		if (gsk->view)
			gpe_view_put(gsk->view);
		gsk->view = view;
		gsk->resume_due = false;
	}
	rec->host_u64[1]--;
}

void gsk_sock_skip(struct gsk_sock *gsk)
{
	bool any = false;

	while (gsk->cursor && gsk_unwanted(gsk, gsk->cursor)) {
		struct gpe_rec *rec = gsk->cursor;

		gsk_sock_step(gsk);
		gsk_sock_left(gsk, rec);
		any = true;
	}
	if (any)
		gsk_group_trim(gsk->grp, gsk->gn);
}

struct gpe_rec *gsk_sock_next(struct gsk_sock *gsk)
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

void gsk_sock_pass(struct gsk_sock *gsk, struct gpe_rec *rec)
{
	lockdep_assert_held(&gsk->gn->lock);
	if (rec != gsk->cursor) {
		list_move_tail(&rec->link, &gsk->grp->consumed);
		gsk->grp->consumed_bytes += gsk_rec_cost(rec);
		gsk->grp->n_consumed++;
		gsk->queued--;
		gsk->queued_bytes -= gsk_rec_cost(rec);
		return;
	}
	gsk_sock_step(gsk);
	gsk_sock_left(gsk, rec);
	gsk_group_trim(gsk->grp, gsk->gn);
	gsk_sock_skip(gsk);
}

/* No more records for @gsk; those it has stay to be read. */
static void gsk_sock_detach(struct gsk_sock *gsk, u64 end_pos)
{
	if (!gsk->attached)
		return;
	gsk->attached = false;
	gsk->end_pos = end_pos;
	gsk->grp->n_attached--;
}

/* Everything unread is passed unseen. */
static void gsk_sock_flush(struct gsk_sock *gsk)
{
	struct gpe_rec *rec, *next;

	while (gsk->cursor) {
		rec = gsk->cursor;
		gsk_sock_step(gsk);
		gsk_sock_left(gsk, rec);
	}
	list_for_each_entry_safe(rec, next, &gsk->ones, link)
		gsk_sock_pass(gsk, rec);
	if (gsk->grp)
		gsk_group_trim(gsk->grp, gsk->gn);
}

/* ---- delivery: under gn->lock, from run.c ---- */

static void gsk_sock_given(struct gsk_sock *gsk, struct gpe_rec *rec)
{
	u32 cost = gsk_rec_cost(rec);

	gsk->queued++;
	gsk->queued_bytes += cost;
	if (gsk->queued_bytes > 2ULL * gsk->limit && !gsk->overrun &&
	    gsk->local) {
		gsk->overrun = true;
		sock_hold(&gsk->sk);
		list_add_tail(&gsk->evict, &gsk->gn->evict);
		queue_work(gsk_wq, &gsk->gn->work);
	}
	if (!gsk->cursor) {
		gsk->cursor = rec;
		gsk_sock_skip(gsk);
	}
	if (gsk_sock_next(gsk))
		gsk_sock_wake(gsk);
}

/* Starts to read at @rec, a view that lists it as joined. */
static void gsk_sock_attach(struct gsk_sock *gsk, struct gpe_rec *rec)
{
	if (gsk->cursor) {
		gsk->gap_from = gsk->end_pos;
		gsk->gap_to = rec->host_u64[0];
	}
	gsk->end_pos = 0;
	gsk->attached = true;
	gsk->grp->n_attached++;
	if (gsk->suspended)
		gsk->resume_due = true;
	gsk->suspended = false;
}

/* The node was out of the cluster: what is not listed here reads no more. */
static void gsk_sock_out(struct gsk_sock *gsk, struct gpe_rec *rec)
{
	/* A gap not read yet, and another: keep what is before the first. */
	if (gsk->cursor && gsk->gap_to &&
	    gsk->cursor->host_u64[0] < gsk->gap_to)
		gsk_sock_flush(gsk);
	gsk->gap_to = 0;
	gsk_sock_detach(gsk, rec->host_u64[0]);
}

bool gsk_is_self(struct gsk_net *gn, const struct gpe_addr *addr)
{
	return gpe_is_self(gn->node, addr);
}

/* Whose view is it? Attaches those it lists, detaches those it does not. */
static void gsk_group_view(struct gsk_net *gn, struct gsk_group *grp,
			   struct gpe_rec *rec)
{
	const struct gpe_view *view = gsk_rec_view(rec);
	u64 gen = ++grp->view_gen;
	struct gsk_sock *gsk;
	u32 i;

	for (i = 0; i < view->n + view->n_left; i++) {
		const struct gpe_addr *a = &view->m[i].addr;

		gsk = xa_load(&gn->socks, a->port);
		if (!gsk || gsk->grp != grp || gsk->closed ||
		    !gsk_is_self(gn, a))
			continue;
		gsk->seen_gen = gen;
		gsk->self = *a;
		if (i >= view->n)
			continue;
		if (!gsk->attached)
			gsk_sock_attach(gsk, rec);
		if (!gsk->joined) {
			gsk->joined = true;
			gsk_sock_wake(gsk);
		}
	}
	list_for_each_entry(gsk, &grp->members, in_grp)
		if (gsk->attached && gsk->seen_gen != gen)
			gsk_sock_out(gsk, rec);
	grp->changed = true;
	queue_work(gsk_wq, &gn->work);
}

/* Who the view says has left read up to and with it. */
static void gsk_group_view_left(struct gsk_net *gn, struct gsk_group *grp,
				struct gpe_rec *rec)
{
	const struct gpe_view *view = gsk_rec_view(rec);
	u32 i;

	for (i = view->n; i < view->n + view->n_left; i++) {
		const struct gpe_addr *a = &view->m[i].addr;
		struct gsk_sock *gsk = xa_load(&gn->socks, a->port);

		if (gsk && gsk->grp == grp && gsk_is_self(gn, a))
			gsk_sock_detach(gsk, rec->host_u64[0] + 1);
	}
}

void gsk_group_deliver(struct gsk_net *gn, void *host, struct gpe_rec *rec)
{
	struct gsk_group *grp = host;
	struct gsk_sock *gsk;

	lockdep_assert_held(&gn->lock);
	rec->host_u64[0] = grp->next_pos++;
	list_add_tail(&rec->link, &grp->log);
	if (rec->type == GPE_REC_VIEW)
		gsk_group_view(gn, grp, rec);
	/* One more, so that it stays until the end of this function. */
	rec->host_u64[1] = grp->n_attached + 1;
	list_for_each_entry(gsk, &grp->members, in_grp) {
		if (!gsk->attached)
			continue;
		if (rec->type == GPE_REC_SUSPENDED)
			gsk->suspended = true;
		if (rec->type == GPE_REC_RESUMED) {
			gsk->suspended = false;
			gsk_sock_wake(gsk);
		}
		gsk_sock_given(gsk, rec);
	}
	if (rec->type == GPE_REC_VIEW)
		gsk_group_view_left(gn, grp, rec);
	rec->host_u64[1]--;
	gsk_group_trim(grp, gn);
	/* Readers return credit; what nobody reads, the worker does. */
	if (grp->n_consumed > 64 || grp->consumed_bytes > SZ_64K)
		queue_work(gsk_wq, &gn->work);
}

void gsk_group_deliver_one(struct gsk_net *gn, void *host, void *cookie,
			   struct gpe_rec *rec)
{
	struct gsk_group *grp = host;
	struct gsk_sock *gsk = cookie;

	lockdep_assert_held(&gn->lock);
	rec->host_u64[0] = grp->next_pos;
	if (!gsk->attached || gsk->closed) {
		list_add_tail(&rec->link, &grp->consumed);
		grp->consumed_bytes += gsk_rec_cost(rec);
		grp->n_consumed++;
		queue_work(gsk_wq, &gn->work);
		return;
	}
	list_add_tail(&rec->link, &gsk->ones);
	gsk->queued++;
	gsk->queued_bytes += gsk_rec_cost(rec);
	gsk_sock_wake(gsk);
}

void gsk_group_wake(struct gsk_net *gn, void *host)
{
	struct gsk_group *grp = host;
	struct gsk_sock *gsk;

	lockdep_assert_held(&gn->lock);
	list_for_each_entry(gsk, &grp->members, in_grp) {
		gsk->wake_gen++;
		gsk->refused = 0;
		gsk_sock_wake(gsk);
	}
}

/* ---- coming and going ---- */

static void gsk_group_free(struct gsk_net *gn, struct gsk_group *grp)
{
	struct gpe_rec *rec, *next;

	list_splice_tail_init(&grp->log, &grp->consumed);
	list_for_each_entry_safe(rec, next, &grp->consumed, link) {
		list_del(&rec->link);
		if (gn->node)
			gpe_rec_free(gn->node, rec);
	}
	list_del(&grp->list);
	kfree(grp);
	gsk_count_destroyed(GSK_OBJ_GROUP);
}

/* Closed, and gone from the engine: out of the group, and maybe the last. */
static void gsk_sock_unlink(struct gsk_sock *gsk)
{
	struct gsk_group *grp = gsk->grp;

	if (!grp || !gsk->closed || gsk->local)
		return;
	gsk_sock_detach(gsk, grp->next_pos);
	gsk_sock_flush(gsk);
	xa_erase(&gsk->gn->socks, gsk->port);
	list_del_init(&gsk->in_grp);
	gsk->grp = NULL;
	if (gsk->view)
		gpe_view_put(gsk->view);
	gsk->view = NULL;
	if (list_empty(&grp->members)) {
		/* The worker takes it out of sysfs first. */
		if (grp->shown || grp->changed) {
			grp->changed = true;
			queue_work(gsk_wq, &gsk->gn->work);
		} else {
			gsk_group_free(gsk->gn, grp);
		}
	}
}

void gsk_group_gone(struct gsk_net *gn, void *cookie, int error,
		    enum gpe_why why)
{
	struct gsk_sock *gsk = cookie;

	lockdep_assert_held(&gn->lock);
	gsk->local = NULL;
	gsk->gone = true;
	gsk->error = error;
	gsk->why = why;
	gsk->evict_due = why == GPE_WHY_OVERRUN;
	gsk->wake_gen++;
	if (gsk->grp)
		gsk_sock_detach(gsk, gsk->grp->next_pos);
	gsk_sock_wake(gsk);
	gsk_sock_unlink(gsk);
	sock_put(&gsk->sk);
}

static struct gsk_group *gsk_group_find(struct gsk_net *gn, const char *name)
{
	struct gsk_group *grp;

	list_for_each_entry(grp, &gn->groups, list)
		if (!strcmp(grp->name, name))
			return grp;
	return NULL;
}

static struct gsk_group *gsk_group_new(const char *name)
{
	struct gsk_group *grp = kzalloc(sizeof(*grp), GFP_KERNEL_ACCOUNT);

	if (!grp)
		return NULL;
	INIT_LIST_HEAD(&grp->list);
	INIT_LIST_HEAD(&grp->members);
	INIT_LIST_HEAD(&grp->log);
	INIT_LIST_HEAD(&grp->consumed);
	grp->next_pos = 1;
	strscpy(grp->name, name, sizeof(grp->name));
	gsk_count_created(GSK_OBJ_GROUP);
	return grp;
}

/* Into the group of that name, which is @fresh if there was none. */
static bool gsk_group_enter(struct gsk_net *gn, struct gsk_sock *gsk,
			    const char *name, struct gsk_group *fresh)
{
	struct gsk_group *grp;
	bool used = false;

	spin_lock_bh(&gn->lock);
	grp = gsk_group_find(gn, name);
	if (!grp) {
		grp = fresh;
		used = true;
		list_add_tail(&grp->list, &gn->groups);
	}
	gsk->grp = grp;
	list_add_tail(&gsk->in_grp, &grp->members);
	/* For the engine's handle, put with GPE_ACT_GONE. */
	sock_hold(&gsk->sk);
	spin_unlock_bh(&gn->lock);
	return used;
}

int gsk_group_join(struct gsk_sock *gsk, const char *name)
{
	struct gpe_event ev = { .type = GPE_EV_JOIN };
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
	if (!fresh) {
		xa_erase_bh(&gn->socks, gsk->port);
		return -ENOMEM;
	}
	gsk->limit = max_t(u32, gsk->sk.sk_rcvbuf,
			   GPE_MSG_MAX + GPE_LIMIT_SLACK);
	if (!gsk_group_enter(gn, gsk, name, fresh)) {
		kfree(fresh);
		gsk_count_destroyed(GSK_OBJ_GROUP);
	}
	ev.join.host = gsk->grp;
	ev.join.cookie = gsk;
	ev.join.name = name;
	ev.join.props = gsk->props;
	ev.join.port = gsk->port;
	ev.join.limit = gsk->limit;
	ev.join.local_at = &gsk->local;
	ev.join.ret = -ESHUTDOWN;
	gsk_run(gn, &ev);
	if (!ev.join.ret)
		return 0;
	spin_lock_bh(&gn->lock);
	gsk->closed = true;
	gsk_sock_unlink(gsk);
	gsk->closed = false;
	spin_unlock_bh(&gn->lock);
	sock_put(&gsk->sk);
	return ev.join.ret;
}

void gsk_group_leave(struct gsk_sock *gsk, bool close)
{
	struct gpe_event ev = { .type = GPE_EV_LEAVE };
	struct gsk_net *gn = gsk->gn;

	ev.leave.local_at = &gsk->local;
	ev.leave.why = GPE_WHY_LEAVE;
	spin_lock_bh(&gn->lock);
	gsk->leaving = true;
	if (close && gsk->grp) {
		gsk->closed = true;
		gsk_sock_detach(gsk, gsk->grp->next_pos);
		gsk_sock_flush(gsk);
		if (!list_empty(&gsk->evict)) {
			list_del_init(&gsk->evict);
			__sock_put(&gsk->sk);
		}
		gsk_sock_unlink(gsk);
	}
	spin_unlock_bh(&gn->lock);
	gsk_run(gn, &ev);
	if (!close)
		return;
	/* Credit for what was not read. */
	queue_work(gsk_wq, &gn->work);
}

void gsk_group_abandon(struct gsk_net *gn)
{
	struct gsk_group *grp, *gnext;
	struct gsk_sock *gsk, *next;

	lockdep_assert_held(&gn->lock);
	list_for_each_entry_safe(grp, gnext, &gn->groups, list) {
		/* Keeps the group while its last socket goes. */
		grp->changed = true;
		list_for_each_entry_safe(gsk, next, &grp->members, in_grp)
			if (gsk->local)
				gsk_group_gone(gn, gsk, -ESHUTDOWN,
					       GPE_WHY_NODE_LEFT);
		if (list_empty(&grp->members))
			gsk_group_free(gn, grp);
	}
}

/* ---- the worker's part ---- */

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
		gsk_run(gn, &ev);
		sock_put(&gsk->sk);
	}
}

/* Hands back what was passed by all, of any group. */
static void gsk_group_return(struct gsk_net *gn, struct gsk_group *grp,
			     struct list_head *list)
{
	lockdep_assert_held(&gn->lock);
	list_splice_tail_init(&grp->consumed, list);
	grp->n_consumed = 0;
	grp->consumed_bytes = 0;
}

static void gsk_consumed(struct gsk_net *gn, struct list_head *list)
{
	struct gpe_event ev = { .type = GPE_EV_CONSUMED };

	ev.consumed = list;
	if (!list_empty(list))
		gsk_run(gn, &ev);
}

void gsk_group_settle(struct gsk_sock *gsk)
{
	struct gsk_group *grp;
	LIST_HEAD(list);

	spin_lock_bh(&gsk->gn->lock);
	grp = gsk->grp;
	if (grp && (grp->consumed_bytes > gsk->limit / 8 ||
		    grp->n_consumed > 64 ||
		    (grp->n_consumed && !gsk_sock_next(gsk))))
		gsk_group_return(gsk->gn, grp, &list);
	spin_unlock_bh(&gsk->gn->lock);
	gsk_consumed(gsk->gn, &list);
}

void gsk_group_announce(struct gsk_net *gn)
{
	char name[GROUP_NAME_MAX + 1];
	struct gsk_group *grp;
	LIST_HEAD(list);
	bool last;

	spin_lock_bh(&gn->lock);
	list_for_each_entry(grp, &gn->groups, list)
		gsk_group_return(gn, grp, &list);
	spin_unlock_bh(&gn->lock);
	gsk_consumed(gn, &list);
	for (;;) {
		bool found = false;

		spin_lock_bh(&gn->lock);
		list_for_each_entry(grp, &gn->groups, list) {
			if (!grp->changed)
				continue;
			found = true;
			break;
		}
		if (!found) {
			spin_unlock_bh(&gn->lock);
			return;
		}
		grp->changed = false;
		last = list_empty(&grp->members);
		strscpy(name, grp->name, sizeof(name));
		if (last)
			gsk_group_free(gn, grp);
		else
			grp->shown = true;
		spin_unlock_bh(&gn->lock);
		if (last)
			gsk_sysfs_del(gn, name);
		else
			gsk_sysfs_add(gn, name);
		gsk_netlink_notify_group(gn, name);
	}
}

bool gsk_group_figures(struct gsk_net *gn, void *host,
		       struct gsk_group_figures *f)
{
	struct gsk_group *grp;
	struct gsk_sock *gsk;

	lockdep_assert_held(&gn->lock);
	memset(f, 0, sizeof(*f));
	list_for_each_entry(grp, &gn->groups, list)
		if (grp == host)
			break;
	if (list_entry_is_head(grp, &gn->groups, list))
		return false;
	list_for_each_entry(gsk, &grp->members, in_grp) {
		f->locals++;
		f->queued = max(f->queued, gsk->queued);
		f->queued_bytes = max(f->queued_bytes, gsk->queued_bytes);
	}
	return true;
}
