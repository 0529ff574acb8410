// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The closing of an epoch and the opening of the next one, for the directory
 * and the groups of this node. Called by gpe_view at INSTALL, in this order:
 * close or drop, then open; see gpe_int.h.
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

int gpe_epoch_close(struct gpe_node *node, const struct gpe_value *val)
{
	struct gpe_group *grp;
	u64 gid = 0;
	int ret;

	node->draining = true;
	ret = gpe_region_drain(node);
	if (ret) {
		node->draining = false;
		return ret;
	}
	gpe_order_finish(node);
	while ((grp = gpe_group_after(node, gid))) {
		gid = grp->gid;
		gpe_group_force(node, grp, val);
	}
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

static void gpe_locals_reopen(struct gpe_node *node)
{
	struct gpe_local *loc, *next;

	list_for_each_entry_safe(loc, next, &node->locals, list) {
		switch (loc->state) {
		case GPE_LS_ASKED:
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
}

int gpe_epoch_open(struct gpe_node *node, u64 bye)
{
	struct gpe_group *grp;
	u64 gid = 0;
	int ret;

	if (!node->sets)
		node->sets = gpe_alloc(GPE_REGIONS_MAX * sizeof(u64));
	if (!node->sets)
		return -ENOMEM;
	gpe_epoch_clear(node);
	while ((grp = gpe_group_after(node, gid))) {
		struct gpe_view *view;

		gid = grp->gid;
		view = gpe_view_purged(node, grp->latest, bye, &ret);
		if (ret)
			return ret;
		ret = gpe_group_reopen(node, grp, view,
				       gpe_view_mask(node, view ?
							   view :
							   grp->latest));
		if (ret) {
			if (view)
				gpe_view_put(view);
			return ret;
		}
		if (!grp->latest->n)
			gpe_group_die(node, grp);
		gpe_group_reap(node, grp);
	}
	gpe_locals_reopen(node);
	gpe_group_wake_all(node);
	return 0;
}
