// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A group on this node: from stream items to deliveries.
 *
 * A view of a group is a stage. Messages enter the stage they are stamped
 * with, in its queue of their sender's node. The first stage of the list is
 * the one being delivered:
 *
 *	        change k of the log                 markers through k from all
 *	             |                              nodes of the view before, all
 *	             v                              stable, and its queues empty
 *	  (stage made, waits) -----------------------------> installed
 *	             |                                           |
 *	             | this node was not in the view before:     v
 *	             +--> OPENs of those who stay ----------> delivering
 *
 * At the closing of an epoch the stages are forced: what is here is all that
 * will come, so queues are emptied in an agreed order and every pending view
 * installs.
 *
 * What may be delivered in between, and in which order, is gpe_deliver's part.
 * Markers are the flush messages of Birman & Joseph (1987), one for all groups
 * that a change touches.
 */
#include "gpe_int.h"

/* ---- stages ---- */

static struct gpe_stage *gpe_stage_new(struct gpe_node *node,
				       struct gpe_group *grp,
				       struct gpe_view *view, u64 mask,
				       u64 region, bool event)
{
	u32 i, n = hweight64(mask);
	struct gpe_stage *st = gpe_alloc(sizeof(*st) + n * sizeof(st->slot[0]));

	if (!st)
		return NULL;
	if (event) {
		st->vrec = gpe_alloc(sizeof(*st->vrec));
		if (!st->vrec) {
			gpe_free(st);
			return NULL;
		}
		st->vrec->rec.type = GPE_REC_VIEW;
		st->vrec->view = view;
		gpe_view_get(view);
	}
	st->grp = grp;
	st->view = view;
	if (view) {
		gpe_view_get(view);
		st->vid = view->id;
	}
	st->epoch = node->ep.epoch;
	st->mask = mask;
	st->region = region;
	INIT_LIST_HEAD(&st->list);
	INIT_LIST_HEAD(&st->closing);
	INIT_LIST_HEAD(&st->open_link);
	INIT_LIST_HEAD(&st->totals);
	INIT_LIST_HEAD(&st->ones);
	INIT_LIST_HEAD(&st->nones);
	INIT_LIST_HEAD(&st->wait);
	st->wait_rec = U64_MAX;
	st->wait_rank = GPE_NO_PATH;
	for (i = 0; i < n; i++)
		INIT_LIST_HEAD(&st->slot[i].q);
	return st;
}

void gpe_stage_take(struct gpe_stage *st, struct gpe_msg *msg)
{
	list_del_init(&msg->q);
	if (msg->ordered)
		list_del_init(&msg->tq);
	msg->stage = NULL;
	st->held--;
	if (msg->type == GPE_IT_DATA && msg->level != GPE_NONE) {
		u32 slot = gpe_slot(st->mask, msg->rank);

		if (list_empty(&st->slot[slot].q))
			st->ready &= ~gpe_bit(slot);
	}
}

static void gpe_stage_empty(struct gpe_node *node, struct gpe_stage *st,
			    struct list_head *list)
{
	struct gpe_msg *msg, *next;

	list_for_each_entry_safe(msg, next, list, q) {
		gpe_stage_take(st, msg);
		gpe_msg_put(node, msg);
	}
}

static void gpe_stage_free(struct gpe_node *node, struct gpe_stage *st)
{
	u32 i;

	for (i = 0; i < hweight64(st->mask); i++)
		gpe_stage_empty(node, st, &st->slot[i].q);
	gpe_stage_empty(node, st, &st->ones);
	gpe_stage_empty(node, st, &st->nones);
	list_del(&st->list);
	list_del(&st->closing);
	list_del(&st->open_link);
	list_del(&st->wait);
	if (st->vrec) {
		gpe_view_put(st->vrec->view);
		gpe_free(st->vrec);
	}
	if (st->view)
		gpe_view_put(st->view);
	gpe_free(st);
}

static struct gpe_stage *gpe_stage_find(const struct gpe_node *node,
					const struct gpe_group *grp,
					const struct gpe_vid *vid)
{
	struct gpe_stage *st;

	list_for_each_entry(st, &grp->stages, list)
		if (st->epoch == node->ep.epoch && st->view &&
		    !gpe_vid_cmp(&st->vid, vid))
			return st;
	return NULL;
}

struct gpe_stage *gpe_stage_last(struct gpe_group *grp)
{
	return list_empty(&grp->stages) ?
		       NULL :
		       list_last_entry(&grp->stages, struct gpe_stage, list);
}

void gpe_group_work(struct gpe_node *node, struct gpe_group *grp)
{
	if (list_empty(&grp->work))
		list_add_tail(&grp->work, &node->work_groups);
}

void gpe_group_drop(struct gpe_node *node, struct gpe_group *grp)
{
	struct gpe_stage *st, *next;

	list_for_each_entry_safe(st, next, &grp->stages, list)
		gpe_stage_free(node, st);
}

/* ---- node sets ---- */

/*
 * Which region carries a node set is part of what nodes must agree on, so it
 * follows from the log alone: sets count from the epoch's beginning, and those
 * beyond the limit ride with all nodes.
 */
u64 gpe_set_region(struct gpe_node *node, u64 mask)
{
	const u32 max = GPE_REGIONS_MAX - 2 * GPE_NODES_MAX;
	u32 lo = 0, hi = node->n_sets;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (node->sets[mid] == mask)
			return mask;
		if (node->sets[mid] < mask)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (node->n_sets >= max)
		return gpe_all(&node->ep);
	memmove(&node->sets[lo + 1], &node->sets[lo],
		(node->n_sets - lo) * sizeof(node->sets[0]));
	node->sets[lo] = mask;
	node->n_sets++;
	return mask;
}

/* ---- changes ---- */

static void gpe_group_hist(struct gpe_group *grp, u64 k)
{
	if (grp->n_hist == GPE_HIST) {
		memmove(&grp->hist[0], &grp->hist[1],
			(GPE_HIST - 1) * sizeof(grp->hist[0]));
		grp->n_hist--;
	}
	grp->hist[grp->n_hist].k = k;
	grp->hist[grp->n_hist].prev_mask = grp->mask;
	grp->hist[grp->n_hist].prev_region = grp->region;
	grp->n_hist++;
}

/* The view before closes when all its nodes have marked change @k. */
static void gpe_stage_close(struct gpe_node *node, struct gpe_stage *st,
			    struct gpe_region *rgn, u64 k)
{
	st->close_k = k;
	list_move_tail(&st->closing, &rgn->closing);
	rgn->mark_want = k;
	if (list_empty(&rgn->mark_work))
		list_add_tail(&rgn->mark_work, &node->mark_regions);
}

int gpe_group_change(struct gpe_node *node, struct gpe_group *grp,
		     struct gpe_view *view, u64 mask, u64 k)
{
	u64 self = gpe_bit(node->ep.self);
	struct gpe_stage *last = gpe_stage_last(grp), *st = NULL;
	struct gpe_region *old = NULL;
	u64 region = gpe_set_region(node, mask);

	if (grp->mask & self) {
		old = gpe_region_get(node, grp->region, false);
		if (!old || GPE_ASSERT(last))
			return -ENOMEM;
	}
	if (gpe_credit_prepare(node, grp, mask, k))
		return -ENOMEM;
	if ((grp->mask | mask) & self) {
		/* An end stage carries no messages: it needs no queues. */
		st = gpe_stage_new(node, grp, mask & self ? view : NULL,
				   mask & self ? mask : 0, region,
				   mask & self);
		if (!st)
			return -ENOMEM;
	}
	if (st) {
		st->k = k;
		st->prev_mask = grp->mask;
		st->prev_region = grp->region;
		st->vid = view->id;
		list_add_tail(&st->list, &grp->stages);
	}
	if (grp->mask & self)
		gpe_stage_close(node, last, old, k);
	gpe_group_hist(grp, k);
	if (grp->latest)
		gpe_view_put(grp->latest);
	grp->latest = view;
	grp->mask = mask;
	grp->region = region;
	gpe_credit_sync(node, grp, false);
	gpe_group_work(node, grp);
	return 0;
}

/* An installed, empty, open stage of an unchanged view just changes epochs. */
static bool gpe_stage_retag(struct gpe_node *node, struct gpe_stage *st,
			    u64 mask, u64 region)
{
	u32 i;

	if (!st->installed || st->held || st->close_k || !st->view ||
	    !list_empty(&st->open_link) ||
	    hweight64(mask) != hweight64(st->mask))
		return false;
	st->epoch = node->ep.epoch;
	st->k = 0;
	st->mask = mask;
	st->region = region;
	st->prev_mask = 0;
	st->forced = false;
	st->broken = 0;
	st->opens = 0;
	st->open_sent = false;
	st->safe = false;
	st->rec_seq = 0;
	st->rec_used = 0;
	st->rec_done = 0;
	for (i = 0; i < hweight64(mask); i++) {
		if (GPE_BROKEN(GPE_FAULT_VEC_KEPT))
			continue;
		st->slot[i].done = 0;
		st->slot[i].seen = 0;
		st->slot[i].told = 0;
		st->slot[i].need = 0;
	}
	return true;
}

int gpe_group_reopen(struct gpe_node *node, struct gpe_group *grp,
		     struct gpe_view *view, u64 mask)
{
	u64 self = gpe_bit(node->ep.self);
	struct gpe_stage *last = gpe_stage_last(grp), *st;
	u64 region = mask ? gpe_set_region(node, mask) : 0;
	bool event = !!view;

	if (gpe_credit_prepare(node, grp, mask, 0))
		return -ENOMEM;
	grp->n_hist = 0;
	if (last && last->view && (mask & self) &&
	    (event || !gpe_stage_retag(node, last, mask, region))) {
		st = gpe_stage_new(node, grp, event ? view : last->view, mask,
				   region, event);
		if (!st)
			return -ENOMEM;
		st->silent = !event;
		list_add_tail(&st->list, &grp->stages);
	}
	if (event) {
		gpe_view_put(grp->latest);
		grp->latest = view;
	}
	grp->mask = mask;
	grp->region = region;
	gpe_credit_sync(node, grp, true);
	gpe_group_work(node, grp);
	return 0;
}

/* ---- the closing of an epoch ---- */

/*
 * Did the cut leave @rank's marker for change @k behind? Without an entry no
 * old node had any marker of it in this epoch.
 */
static bool gpe_mark_lost(const struct gpe_opening *op, u64 region, u32 rank,
			  u64 k)
{
	u32 i;

	for (i = 0; i < op->n_cut; i++)
		if (!op->cut[i].dir && !op->cut[i].one &&
		    op->cut[i].region == region && op->cut[i].rank == rank)
			return op->cut[i].mark_k < k;
	return true;
}

/*
 * Senders whose messages of stage @st are void: one of the changes that led
 * there closed a view the sender was in, and its marker is not in the cut; so
 * old members cannot have delivered them, and new ones must not.
 */
static u64 gpe_stage_broken(const struct gpe_stage *st,
			    const struct gpe_opening *op)
{
	const struct gpe_group *grp = st->grp;
	u64 broken = 0, ranks;
	u32 i;

	if (GPE_BROKEN(GPE_FAULT_MARK_LOST))
		return 0;
	for (i = 0; i < grp->n_hist; i++) {
		const struct gpe_hist *h = &grp->hist[i];

		if (h->k > st->k || !(h->prev_mask & op->survivors))
			continue;
		for (ranks = st->mask & h->prev_mask & ~op->survivors; ranks;
		     ranks &= ranks - 1) {
			u32 rank = __ffs64(ranks);

			if (gpe_mark_lost(op, h->prev_region, rank, h->k))
				broken |= gpe_bit(rank);
		}
	}
	return broken;
}

/* Place of the last order record of a region of the closed epoch. */
static u64 gpe_recs_end(const struct gpe_opening *op, u64 region)
{
	u32 lo = 0, hi = op->n_recs;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (op->recs[mid].region == region)
			return op->recs[mid].seq;
		if (op->recs[mid].region < region)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

void gpe_group_force(struct gpe_node *node, struct gpe_group *grp)
{
	struct gpe_stage *st;

	list_for_each_entry(st, &grp->stages, list) {
		if (st->epoch != node->closed.epoch)
			continue;
		st->forced = true;
		st->rec_done = gpe_recs_end(&node->opening, st->region);
		list_del_init(&st->open_link);
		list_del_init(&st->closing);
		if (st->k && st->view) {
			st->broken = gpe_stage_broken(st, &node->opening);
			gpe_stage_void(node, st, st->broken);
		}
	}
	gpe_group_work(node, grp);
}

/* ---- from the streams ---- */

static bool gpe_ahead(const struct gpe_node *node, const struct gpe_vid *vid)
{
	return vid->epoch == node->ep.epoch && vid->seq > node->log_k;
}

/* The fault that delivers a message twice: a second one, the same in all. */
static void gpe_twice(struct gpe_node *node, struct gpe_stage *st,
		      struct gpe_slot *slot, const struct gpe_msg *msg)
{
	struct gpe_msg *twin;

	if (msg->level != GPE_FIFO || !msg->buf || (msg->first_seq & 7))
		return;
	twin = gpe_msg_new(node, msg->type);
	if (!twin)
		return;
	twin->level = msg->level;
	twin->rank = msg->rank;
	twin->n_frags = msg->n_frags;
	twin->frag_len = msg->frag_len;
	twin->len = msg->len;
	twin->off = msg->off;
	twin->epoch = msg->epoch;
	twin->first_seq = msg->first_seq;
	twin->gid = msg->gid;
	twin->vid = msg->vid;
	twin->sender = msg->sender;
	twin->buf = msg->buf;
	gpe_buf_get(twin->buf);
	twin->stage = st;
	list_add_tail(&twin->q, &slot->q);
	st->held++;
}

static void gpe_stage_add(struct gpe_node *node, struct gpe_stage *st,
			  struct gpe_msg *msg)
{
	u32 nr = gpe_slot(st->mask, msg->rank);
	struct gpe_slot *slot = &st->slot[nr];

	gpe_msg_get(msg);
	msg->stage = st;
	st->held++;
	if (msg->level == GPE_NONE) {
		list_add_tail(&msg->q, &st->nones);
	} else {
		list_add_tail(&msg->q, &slot->q);
		st->ready |= gpe_bit(nr);
	}
	if (GPE_BROKEN(GPE_FAULT_DUP_DELIVER))
		gpe_twice(node, st, slot, msg);
	gpe_group_work(node, st->grp);
}

/*
 * A safe message waits until everyone has it, and its record, and says that
 * the view is open: all of that at once.
 */
static void gpe_stage_safe(struct gpe_node *node, struct gpe_region *rgn,
			   struct gpe_stage *st, struct gpe_msg *msg)
{
	msg->hurry = true;
	st->safe = true;
	gpe_stage_open(node, st);
	gpe_region_hurry(node, rgn, gpe_stream(rgn, msg->rank));
}

static enum gpe_verdict gpe_take_data(struct gpe_node *node,
				      struct gpe_region *rgn,
				      struct gpe_msg *msg)
{
	struct gpe_group *grp = NULL;
	struct gpe_stage *st = NULL;

	if (gpe_ahead(node, &msg->vid) && !node->draining)
		return GPE_BROKEN(GPE_FAULT_AHEAD_LOST) ? GPE_TAKEN : GPE_STALL;
	/* The cut may lack the change: then it is void, but has its place. */
	if (!gpe_ahead(node, &msg->vid))
		grp = gpe_group_by_gid(node, msg->gid);
	else
		gpe_count(node, GPE_CNT_MSG_VOID);
	if (grp)
		st = gpe_stage_find(node, grp, &msg->vid);
	if (st && GPE_BROKEN(GPE_FAULT_LATER_NOW) &&
	    list_first_entry(&grp->stages, struct gpe_stage, list)->mask ==
		    st->mask)
		st = list_first_entry(&grp->stages, struct gpe_stage, list);
	if (st && (st->region != rgn->mask ||
		   !(st->mask & gpe_bit(msg->rank)))) {
		gpe_count(node, GPE_CNT_DROP_PLACE);
		st = NULL;
	}
	if (st) {
		gpe_stage_add(node, st, msg);
		if (msg->level == GPE_SAFE)
			gpe_stage_safe(node, rgn, st, msg);
	}
	/* Totals count in the region's order even if nobody here reads them. */
	if (msg->level >= GPE_TOTAL)
		gpe_order_add(node, rgn, msg);
	return GPE_TAKEN;
}

/*
 * A message of order none, before its turn. It needs the view it is stamped
 * with to be the one delivered here: then no marker that it depends on is
 * outstanding. How many there may be of a stream is bounded, since a promise
 * names each.
 */
void gpe_take_early(struct gpe_node *node, struct gpe_region *rgn,
		    struct gpe_msg *msg)
{
	struct gpe_group *grp = gpe_group_by_gid(node, msg->gid);
	struct gpe_stream *s = gpe_stream(rgn, msg->rank);
	struct gpe_stage *st;

	if (!gpe_moving(node) || !grp || list_empty(&grp->stages) ||
	    s->n_early >= GPE_EARLY_MAX)
		return;
	st = list_first_entry(&grp->stages, struct gpe_stage, list);
	if (!st->installed || !st->view || st->epoch != node->ep.epoch ||
	    gpe_vid_cmp(&st->vid, &msg->vid) || st->region != rgn->mask ||
	    !(st->mask & gpe_bit(msg->rank)))
		return;
	msg->dispatched = true;
	msg->early = true;
	s->n_early++;
	gpe_stage_add(node, st, msg);
}

static enum gpe_verdict gpe_take_one(struct gpe_node *node,
				     struct gpe_region *rgn,
				     struct gpe_msg *msg)
{
	struct gpe_group *grp;
	struct gpe_stage *st;

	if (gpe_ahead(node, &msg->vid))
		return GPE_STALL;
	/* The sender's node has it in the pair's stream as well. */
	if (msg->rank == node->ep.self && rgn->n > 1)
		return GPE_TAKEN;
	grp = gpe_group_by_gid(node, msg->gid);
	if (!grp || list_empty(&grp->stages)) {
		gpe_count(node, GPE_CNT_DROP_PLACE);
		return GPE_TAKEN;
	}
	st = gpe_stage_find(node, grp, &msg->vid);
	if (!st)
		st = list_first_entry(&grp->stages, struct gpe_stage, list);
	gpe_msg_get(msg);
	msg->stage = st;
	list_add_tail(&msg->q, &st->ones);
	st->held++;
	gpe_group_work(node, grp);
	return GPE_TAKEN;
}

static u64 gpe_inl_u64(const u8 *p)
{
	return get_unaligned_be64(p);
}

static enum gpe_verdict gpe_take_mark(struct gpe_node *node,
				      struct gpe_region *rgn,
				      struct gpe_msg *msg)
{
	u64 k = gpe_inl_u64(msg->inl);
	struct gpe_stream *s = gpe_stream(rgn, msg->rank);

	if (k > node->log_k)
		return GPE_STALL;
	s->mark_k = max(s->mark_k, k);
	gpe_region_hurry(node, rgn, s);
	if (GPE_BROKEN(GPE_FAULT_MARK_UNSTABLE))
		gpe_group_stable(node, rgn);
	return GPE_TAKEN;
}

static enum gpe_verdict gpe_take_open(struct gpe_node *node,
				      struct gpe_msg *msg)
{
	struct gpe_vid vid = { node->ep.epoch, gpe_inl_u64(msg->inl + 8) };
	struct gpe_group *grp;
	struct gpe_stage *st;

	if (gpe_ahead(node, &vid))
		return GPE_STALL;
	grp = gpe_group_by_gid(node, gpe_inl_u64(msg->inl));
	st = grp ? gpe_stage_find(node, grp, &vid) : NULL;
	if (st) {
		st->opens |= gpe_bit(msg->rank);
		gpe_group_work(node, grp);
	}
	return GPE_TAKEN;
}

static enum gpe_verdict gpe_take_record(struct gpe_node *node,
					struct gpe_region *rgn,
					struct gpe_msg *msg)
{
	if (msg->rank != gpe_lowest(rgn->mask)) {
		gpe_count(node, GPE_CNT_DROP_PLACE);
		return GPE_TAKEN;
	}
	gpe_msg_get(msg);
	list_add_tail(&msg->tq, &rgn->recs);
	gpe_order_run(node, rgn);
	return GPE_TAKEN;
}

enum gpe_verdict gpe_dispatch(struct gpe_node *node, struct gpe_region *rgn,
			      struct gpe_msg *msg)
{
	/* Region 0 carries the log and nothing else; the log goes nowhere
	 * else.
	 */
	if (rgn->dir != (msg->type == GPE_IT_LOG)) {
		gpe_count(node, GPE_CNT_DROP_PLACE);
		return GPE_TAKEN;
	}
	switch (msg->type) {
	case GPE_IT_DATA:
		return gpe_take_data(node, rgn, msg);
	case GPE_IT_ONE:
		return gpe_take_one(node, rgn, msg);
	case GPE_IT_ORDER:
		return gpe_take_record(node, rgn, msg);
	case GPE_IT_MARK:
		return gpe_take_mark(node, rgn, msg);
	case GPE_IT_OPEN:
		return gpe_take_open(node, msg);
	case GPE_IT_LOG:
		return gpe_dir_log(node, msg);
	case GPE_IT_REQ:
		gpe_dir_req(node, msg);
		return GPE_TAKEN;
	case GPE_IT_REPLY:
		gpe_dir_reply(node, msg);
		return GPE_TAKEN;
	}
	gpe_count(node, GPE_CNT_DROP_PLACE);
	return GPE_TAKEN;
}

/* ---- installing views ---- */

static void gpe_group_wake(struct gpe_node *node, struct gpe_group *grp)
{
	grp->wake_due = true;
	if (list_empty(&grp->waiting))
		list_add_tail(&grp->waiting, &node->waiting);
}

/* The change of the last MARK of @s that views do not wait for any more. */
static u64 gpe_marked(const struct gpe_stream *s)
{
	return GPE_BROKEN(GPE_FAULT_MARK_UNSTABLE) ? s->mark_k : s->stable_k;
}

void gpe_group_stable(struct gpe_node *node, struct gpe_region *rgn)
{
	struct gpe_stage *st;
	u64 k = 0;
	u32 i;

	for (i = 0; i < rgn->n; i++)
		k = max(k, gpe_marked(&rgn->stream[i]));
	/* Thousands may be closing: those beyond wait for markers still. */
	list_for_each_entry(st, &rgn->closing, closing) {
		if (st->close_k > k && !GPE_BROKEN(GPE_FAULT_MARK_EARLY))
			break;
		gpe_group_work(node, st->grp);
	}
	gpe_waits_run(node, rgn);
}

/*
 * Has everything of this stage come and gone, and come everywhere? Else a node
 * that is cut off just now would have gone on to the next view with messages,
 * or in an order, that those who stay never saw (V2, V7).
 */
static bool gpe_stage_done(struct gpe_node *node, struct gpe_stage *st)
{
	struct gpe_region *rgn;
	u64 ranks;

	if (list_is_last(&st->list, &st->grp->stages) || st->held ||
	    !list_empty(&st->open_link))
		return false;
	if (st->forced || GPE_BROKEN(GPE_FAULT_MARK_EARLY))
		return true;
	rgn = gpe_region_find(node, st->region, false);
	if (!rgn)
		return false;
	for (ranks = st->mask; ranks; ranks &= ranks - 1) {
		struct gpe_stream *s = gpe_stream(rgn, __ffs64(ranks));

		if (gpe_marked(s) < st->close_k)
			return false;
	}
	return gpe_stream(rgn, gpe_lowest(rgn->mask))->stable >= st->rec_seq ||
	       GPE_BROKEN(GPE_FAULT_MARK_UNSTABLE);
}

static bool gpe_may_install(const struct gpe_stage *st)
{
	if (st->follows || st->forced || GPE_BROKEN(GPE_FAULT_OPEN_SKIP))
		return true;
	return !(st->prev_mask & st->mask & ~st->opens);
}

static bool gpe_view_lists(const struct gpe_view *view,
			   const struct gpe_local *loc)
{
	u32 i;

	for (i = 0; i < view->n; i++)
		if (view->m[i].addr.port == loc->port &&
		    view->m[i].addr.inc == loc->inc)
			return true;
	return false;
}

static bool gpe_stage_install(struct gpe_node *node, struct gpe_stage *st)
{
	struct gpe_group *grp = st->grp;
	u64 self = gpe_bit(node->ep.self);
	struct gpe_local *loc;
	struct gpe_act *act;

	if (st->vrec && grp->host) {
		act = gpe_act_new(node, GPE_ACT_DELIVER);
		if (!act)
			return false;
		act->deliver.host = grp->host;
		act->deliver.cookie = NULL;
		act->deliver.rec = &st->vrec->rec;
		st->vrec = NULL;
	}
	st->installed = true;
	list_for_each_entry(loc, &grp->locals, in_grp) {
		if (loc->state == GPE_LS_OUT &&
		    gpe_vid_cmp(&loc->out_vid, &st->vid) <= 0) {
			gpe_local_gone(node, loc);
		} else if (loc->fresh && st->view &&
			   gpe_view_lists(st->view, loc)) {
			loc->fresh = false;
			gpe_group_wake(node, grp);
		}
	}
	if (st->safe || (st->follows && (st->prev_mask & self) &&
			 (st->mask & ~st->prev_mask)))
		gpe_stage_open(node, st);
	return true;
}

void gpe_stage_open(struct gpe_node *node, struct gpe_stage *st)
{
	if (!st->k || !st->installed || st->forced || st->open_sent)
		return;
	st->open_sent = true;
	list_add_tail(&st->open_link, &node->opens);
}

/*
 * A name may be in use again while local members of the group that had it
 * before have not had their last view. Both have the same host, so the new one
 * waits: or members of it would read what was said in the old one.
 */
static bool gpe_group_waits(const struct gpe_node *node,
			    const struct gpe_group *grp)
{
	const struct gpe_group *old;

	list_for_each_entry(old, &node->dying, dying)
		if (old->gid < grp->gid && old->host && old->host == grp->host)
			return true;
	return false;
}

static void gpe_group_heirs(struct gpe_node *node, const struct gpe_group *old)
{
	struct gpe_group *grp = gpe_group_by_name(node, old->name);

	if (grp)
		gpe_group_work(node, grp);
	list_for_each_entry(grp, &node->dying, dying)
		if (grp->host == old->host)
			gpe_group_work(node, grp);
}

/* ---- local members that are out ---- */

/*
 * GONE for each; the host's objects are not named again. The last one takes
 * the group's tie to its host with it.
 */
static void gpe_gone_pump(struct gpe_node *node)
{
	struct gpe_local *loc, *next;
	struct gpe_act *act;

	list_for_each_entry_safe(loc, next, &node->gone, work) {
		struct gpe_group *grp = loc->grp;

		act = gpe_act_new(node, GPE_ACT_GONE);
		if (!act)
			return;
		act->gone.cookie = loc->cookie;
		act->gone.error = loc->error;
		act->gone.why = loc->why;
		gpe_local_free(node, loc);
		if (grp && list_empty(&grp->locals)) {
			gpe_group_heirs(node, grp);
			grp->host = NULL;
			list_del_init(&grp->waiting);
			gpe_group_reap(node, grp);
		}
	}
}

/* ---- the pump ---- */

/* False when the output is full and the group must be looked at again. */
static bool gpe_group_advance(struct gpe_node *node, struct gpe_group *grp)
{
	struct gpe_stage *st, *next;

	for (;;) {
		if (list_empty(&grp->stages))
			return true;
		st = list_first_entry(&grp->stages, struct gpe_stage, list);
		if (!st->installed) {
			if (!gpe_may_install(st) || gpe_group_waits(node, grp))
				return true;
			if (!gpe_stage_install(node, st))
				return false;
			continue;
		}
		if (!st->view) {
			/* The end: this node has no members here any more. */
			gpe_stage_free(node, st);
			continue;
		}
		if (!gpe_stage_deliver(node, st))
			return false;
		if (!gpe_stage_done(node, st))
			return true;
		next = list_next_entry(st, list);
		next->follows = true;
		if (next->silent)
			next->position = st->position;
		gpe_stage_free(node, st);
	}
}

/* Suspended and resumed, whatever the node's state is. */
static bool gpe_notes_pump(struct gpe_node *node)
{
	while (!list_empty(&node->notes)) {
		struct gpe_note *note = list_first_entry(
			&node->notes, struct gpe_note, rec.link);
		struct gpe_act *act = gpe_act_new(node, GPE_ACT_DELIVER);

		if (!act)
			return false;
		list_del_init(&note->rec.link);
		act->deliver.host = (void *)(uintptr_t)note->rec.host_u64[0];
		act->deliver.cookie = NULL;
		act->deliver.rec = &note->rec;
	}
	return true;
}

static void gpe_wake_pump(struct gpe_node *node)
{
	struct gpe_group *grp, *next;

	list_for_each_entry_safe(grp, next, &node->waiting, waiting) {
		struct gpe_act *act;

		if (!grp->wake_due || !grp->host)
			continue;
		if (GPE_BROKEN(GPE_FAULT_WAKE_LOST) &&
		    !gpe_random(node, 2)) {
			grp->wake_due = false;
			list_del_init(&grp->waiting);
			continue;
		}
		act = gpe_act_new(node, GPE_ACT_WAKE);
		if (!act)
			return;
		act->wake.host = grp->host;
		grp->wake_due = false;
		list_del_init(&grp->waiting);
	}
}

void gpe_group_pump(struct gpe_node *node)
{
	u32 budget = 0;

	if (!gpe_notes_pump(node))
		return;
	if (gpe_moving(node)) {
		gpe_marks_flush(node);
		gpe_seq_pump(node);
		while (!list_empty(&node->work_groups)) {
			struct gpe_group *grp = list_first_entry(
				&node->work_groups, struct gpe_group, work);

			if (budget++ >= GPE_ACTS_MAX) {
				node->out->more = true;
				break;
			}
			if (!gpe_group_advance(node, grp))
				return;
			list_del_init(&grp->work);
			gpe_group_reap(node, grp);
		}
		gpe_marks_flush(node);
	}
	gpe_gone_pump(node);
	gpe_wake_pump(node);
}

void gpe_group_wake_all(struct gpe_node *node)
{
	struct gpe_group *grp;

	list_for_each_entry(grp, &node->waiting, waiting)
		grp->wake_due = true;
}

void gpe_group_wake_region(struct gpe_node *node, struct gpe_region *rgn)
{
	struct gpe_group *grp;

	/* A refused message may have been for a pair region: wake them too. */
	list_for_each_entry(grp, &node->waiting, waiting)
		if (grp->region == rgn->mask || rgn->n <= 2)
			grp->wake_due = true;
}
