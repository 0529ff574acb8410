// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The closing of an epoch and the opening of the next one, for the directory
 * and the groups of this node. Called by gpe_view at INSTALL, in this order:
 * close or drop, then open; see gpe_epoch.h. What depends on the number of
 * groups is done with the opening, a slice a step, but for dropping, which
 * frees and looks at nothing.
 */
#include "gpe_int.h"

static void gpe_msgs_drop(struct gpe_node *node, struct list_head *list)
{
	struct gpe_msg *msg, *next;

	list_for_each_entry_safe(msg, next, list, q) {
		list_del_init(&msg->q);
		gpe_msg_put(node, msg);
	}
}

static void gpe_epoch_clear(struct gpe_node *node)
{
	gpe_msgs_drop(node, &node->reqs);
	gpe_msgs_drop(node, &node->replies);
	node->log_k = 0;
	node->log_out = 0;
	node->n_sets = 0;
	node->unstall_due = false;
}

static void gpe_opening_end(struct gpe_node *node)
{
	gpe_free(node->opening.cut);
	gpe_free(node->opening.recs);
	memset(&node->opening, 0, sizeof(node->opening));
}

/* Where total order ends, for stages that outlive the streams. */
static void gpe_recs_note(struct gpe_node *node)
{
	struct gpe_opening *op = &node->opening;
	struct rb_node *p;

	for (p = rb_first(&node->region_tree); p; p = rb_next(p)) {
		struct gpe_region *rgn = rb_entry(p, struct gpe_region, rb);

		if (rgn->dir || !rgn->rec_done)
			continue;
		op->recs[op->n_recs].region = rgn->mask;
		op->recs[op->n_recs++].seq = rgn->rec_done;
	}
}

int gpe_epoch_close(struct gpe_node *node, struct gpe_value *val)
{
	struct gpe_opening *op = &node->opening;
	int ret;
	u32 i;

	op->recs = gpe_alloc((node->n_regions + 1) * sizeof(op->recs[0]));
	if (!op->recs)
		return -ENOMEM;
	node->draining = true;
	ret = gpe_region_drain(node);
	if (ret) {
		node->draining = false;
		return ret;
	}
	gpe_order_finish(node);
	gpe_recs_note(node);
	/* The groups' stages are forced with the slices of the opening. */
	op->cut = val->cut;
	op->n_cut = val->n_cut;
	val->cut = NULL;
	val->n_cut = 0;
	for (i = 0; i < val->next.n; i++)
		if (val->old & gpe_bit(i))
			op->survivors |= gpe_bit(val->old_rank[i]);
	gpe_region_free_all(node);
	gpe_epoch_clear(node);
	node->draining = false;
	node->closed = node->ep;
	return 0;
}

static void gpe_locals_reset(struct gpe_node *node)
{
	struct gpe_local *loc, *next;

	list_for_each_entry_safe(loc, next, &node->locals, list) {
		if (loc->state == GPE_LS_GONE)
			continue;
		loc->grp = NULL;
		loc->fresh = true;
		list_del_init(&loc->in_grp);
		if (loc->state >= GPE_LS_LEAVE) {
			gpe_local_gone(node, loc);
			continue;
		}
		loc->state = GPE_LS_ASK;
		gpe_local_work(node, loc);
	}
	/* Those that are gone may still name a group. */
	list_for_each_entry(loc, &node->gone, work) {
		loc->grp = NULL;
		list_del_init(&loc->in_grp);
	}
}

void gpe_epoch_drop(struct gpe_node *node)
{
	struct gpe_group *grp;

	while ((grp = gpe_group_after(node, 0))) {
		list_del_init(&grp->locals);
		gpe_group_free(node, grp);
	}
	gpe_locals_reset(node);
	gpe_region_free_all(node);
	gpe_epoch_clear(node);
	node->next_gid = 0;
	gpe_opening_end(node);
	memset(&node->ep, 0, sizeof(node->ep));
	memset(&node->closed, 0, sizeof(node->closed));
}

static u16 gpe_why_left(const struct gpe_node *node,
			const struct gpe_addr *addr, u64 bye)
{
	u32 i;

	for (i = 0; i < node->closed.n; i++)
		if (node->closed.seat[i].id == addr->node &&
		    node->closed.seat[i].inc == addr->inc &&
		    (bye & gpe_bit(i)))
			return GPE_WHY_NODE_LEFT;
	return GPE_WHY_NODE_DOWN;
}

/* The view without members of nodes that are gone; NULL and *ret 0: as is. */
static struct gpe_view *gpe_view_purged(const struct gpe_node *node,
					const struct gpe_view *old, u64 bye,
					int *ret)
{
	u32 i, n = 0, left = 0, gone = 0;
	struct gpe_view *view;

	for (i = 0; i < old->n; i++)
		if (gpe_rank_of(node, old->m[i].addr.node,
				old->m[i].addr.inc) < 0)
			gone++;
	*ret = 0;
	if (!gone)
		return NULL;
	view = gpe_view_new(old->n - gone, gone);
	if (!view) {
		*ret = -ENOMEM;
		return NULL;
	}
	for (i = 0; i < old->n; i++) {
		const struct gpe_addr *addr = &old->m[i].addr;
		struct gpe_member *m;

		if (gpe_rank_of(node, addr->node, addr->inc) >= 0) {
			view->m[n++].addr = *addr;
			continue;
		}
		m = &view->m[view->n + left++];
		m->addr = *addr;
		m->change = 2;
		m->why = gpe_why_left(node, addr, bye);
	}
	view->id.epoch = node->ep.epoch;
	return view;
}

/* ---- opening, slice by slice ---- */

/*
 * @grp is in the epoch with its latest view, as changed by who is gone. May
 * free it.
 */
static int gpe_open_group(struct gpe_node *node, struct gpe_group *grp)
{
	struct gpe_view *view;
	u64 mask;
	int ret;

	if (grp->host && !gpe_group_notes(grp))
		return -ENOMEM;
	gpe_group_force(node, grp);
	view = gpe_view_purged(node, grp->latest, node->opening.bye, &ret);
	if (ret)
		return ret;
	mask = gpe_view_mask(node, view ? view : grp->latest);
	ret = gpe_group_reopen(node, grp, view, mask);
	if (ret) {
		if (view)
			gpe_view_put(view);
		return ret;
	}
	if (node->opening.resume && grp->host && grp->suspended)
		gpe_group_note(node, grp, false);
	if (!grp->latest->n)
		gpe_group_die(node, grp);
	gpe_group_reap(node, grp);
	return 0;
}

/* What was asked for in the closing epoch is asked for again in this one. */
static void gpe_open_local(struct gpe_node *node, struct gpe_local *loc)
{
	switch (loc->state) {
	case GPE_LS_ASKED:
		if (GPE_BROKEN(GPE_FAULT_ASKED_ONCE))
			break;
		loc->state = GPE_LS_ASK;
		gpe_local_work(node, loc);
		break;
	case GPE_LS_LEAVE:
	case GPE_LS_LEFT:
		if (!loc->grp) {
			gpe_local_gone(node, loc);
			break;
		}
		loc->state = GPE_LS_LEAVE;
		gpe_local_work(node, loc);
		break;
	default:
		break;
	}
}

/* One slice: 0, or -ENOMEM and the node cannot go on in the epoch. */
static int gpe_open_slice(struct gpe_node *node)
{
	struct gpe_opening *op = &node->opening;
	u32 left = GPE_OPEN_SLICE;
	struct gpe_group *grp;
	struct gpe_local *loc;
	int ret;

	for (; !op->groups_done && left; left--) {
		grp = gpe_group_after(node, op->gid);
		if (!grp) {
			op->groups_done = true;
			break;
		}
		op->gid = grp->gid;
		ret = gpe_open_group(node, grp);
		if (ret)
			return ret;
	}
	for (; op->groups_done && left; left--) {
		loc = gpe_local_after(node, op->port);
		if (!loc) {
			gpe_opening_end(node);
			gpe_group_wake_all(node);
			break;
		}
		op->port = loc->port;
		gpe_open_local(node, loc);
	}
	return 0;
}

int gpe_epoch_open(struct gpe_node *node, u64 bye, bool resume)
{
	if (!node->sets)
		node->sets = gpe_alloc(GPE_REGIONS_MAX * sizeof(u64));
	if (!node->sets)
		return -ENOMEM;
	gpe_epoch_clear(node);
	node->opening.on = true;
	node->opening.bye = bye;
	node->opening.resume = resume;
	return 0;
}

/*
 * While it goes on nothing moves in the new epoch: streams take nothing in,
 * sends are refused, no request goes out and no view is delivered; only then
 * is the node in the epoch as one that has opened it at once would be. It is
 * heard all the same, and as a member of the epoch; it promises nothing, so
 * whoever wants a further epoch waits for it.
 */
void gpe_epoch_pump(struct gpe_node *node)
{
	if (!node->opening.on || node->state == GPE_ST_STOPPED)
		return;
	if (gpe_open_slice(node))
		gpe_view_fail(node);
	node->out->more |= node->opening.on;
}
