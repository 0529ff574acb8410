// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What of a stage may be delivered, and when. protocol.md 3 and 5.
 *
 *	none	at once, and before its turn in the stream
 *	fifo	when it is first in its sender's queue
 *	causal	and what its vector names was delivered: of each sender up to a
 *		message, of total order up to a record
 *	total	and it is first in total order; which brings what its vector
 *		says of records by itself, since its own record was written
 *		later
 *	safe	and it, its record and all that was delivered before it are
 *		stable, and all nodes of its view have it open
 *
 * A safe message that is delivered can be missing in no cut: all nodes of the
 * region hold it with all it depends on. That the view must be open everywhere
 * closes the one hole that is left: those who survive might hold the message,
 * but not the change of the log that made the view it is stamped with.
 *
 * In a stage that is forced nothing more will come. What can be delivered by
 * these rules is the same set at all, since each delivery only allows others.
 * Then the first total message that a record orders, and that waits for what
 * never comes, is void, with all that its sender sent after it. What no record
 * orders follows by rank and sequence, none before what it depends on; what is
 * left then depends on messages that are not in the cut: void. No survivor can
 * have delivered any of it.
 */
#include "gpe_int.h"

static struct gpe_local *gpe_local_at(const struct gpe_group *grp, u32 port)
{
	struct gpe_local *loc;

	list_for_each_entry(loc, &grp->locals, in_grp)
		if (loc->port == port)
			return loc;
	return NULL;
}

static struct gpe_slot *gpe_slot_of(struct gpe_stage *st, u32 rank)
{
	return &st->slot[gpe_slot(st->mask, rank)];
}

/* @msg is delivered: what later messages from here say they depend on. */
static void gpe_learn(struct gpe_node *node, struct gpe_stage *st,
		      const struct gpe_msg *msg)
{
	struct gpe_slot *slot;

	if (!GPE_BROKEN(GPE_FAULT_CLOCK_ALONE))
		node->lamport = max(node->lamport, msg->lamport);
	if (msg->type != GPE_IT_DATA)
		return;
	if (st->holding == msg)
		st->holding = NULL;
	if (msg->level == GPE_NONE)
		return;
	slot = gpe_slot_of(st, msg->rank);
	slot->done = gpe_msg_last_seq(msg);
	/*
	 * Total ones are named as well: the record alone does not say which of
	 * those that it orders had come, and a cut may lack one of them.
	 */
	if (msg->level > GPE_CAUSAL || (msg->level == GPE_CAUSAL &&
					!GPE_BROKEN(GPE_FAULT_VEC_SHORT)))
		slot->seen = slot->done;
	if (msg->rec_seq)
		st->rec_used = max(st->rec_used, msg->rec_seq);
}

/* Hands @msg over to the host: false when the output is full. */
static bool gpe_deliver(struct gpe_node *node, struct gpe_stage *st,
			struct gpe_msg *msg)
{
	struct gpe_group *grp = st->grp;
	struct gpe_local *loc = NULL;
	bool read = !grp->host;
	struct gpe_act *act;

	if (msg->type == GPE_IT_ONE) {
		loc = gpe_local_at(grp, msg->dst_port);
		read = !loc || loc->fresh;
	}
	if (GPE_BROKEN(GPE_FAULT_SELF_SKIP) && msg->rank == node->ep.self &&
	    !(msg->first_seq & 15))
		read = true;
	if (!read) {
		act = gpe_act_new(node, msg->type == GPE_IT_ONE ?
						GPE_ACT_DELIVER_ONE :
						GPE_ACT_DELIVER);
		if (!act)
			return false;
		act->deliver.host = grp->host;
		act->deliver.cookie = loc ? loc->cookie : NULL;
		act->deliver.rec = &msg->rec;
	}
	gpe_stage_take(st, msg);
	gpe_learn(node, st, msg);
	if (msg->type == GPE_IT_DATA)
		msg->position = ++st->position;
	gpe_credit_delivered(node, grp, msg, read);
	if (read) {
		gpe_msg_put(node, msg);
		return true;
	}
	grp->delivered++;
	gpe_count(node, GPE_CNT_MSG_DELIVERED);
	return true;
}

/* ---- what a message waits for ---- */

static u64 gpe_vec_seq(const struct gpe_vec *vec, u32 i)
{
	const u8 *p = vec->seq + i * GPE_VEC_SEQ;

	return (u64)get_unaligned_be16(p) << 32 | get_unaligned_be32(p + 2);
}

static bool gpe_vec_met(struct gpe_stage *st, const struct gpe_vec *vec)
{
	u64 ranks;
	u32 i = 0;

	for (ranks = vec->mask; ranks; ranks &= ranks - 1, i++) {
		u32 rank = __ffs64(ranks);

		/* Of nobody in the view: not from a node that works. */
		if (!(st->mask & gpe_bit(rank)) ||
		    gpe_slot_of(st, rank)->done < gpe_vec_seq(vec, i))
			return false;
	}
	return true;
}

/* To be looked at again when record @rec is done. */
static void gpe_wait_record(struct gpe_stage *st, struct gpe_region *rgn,
			    u64 rec)
{
	st->wait_rec = min(st->wait_rec, rec);
	list_move_tail(&st->wait, &rgn->waits);
}

static void gpe_wait_none(struct gpe_stage *st)
{
	st->wait_rec = U64_MAX;
	st->wait_rank = GPE_NO_PATH;
	list_del_init(&st->wait);
}

/*
 * Was all delivered that records up to @rec order? Those that name messages of
 * other groups must only have found them: what waits there may wait for this.
 */
static bool gpe_recs_met(struct gpe_node *node, struct gpe_stage *st, u64 rec)
{
	struct gpe_region *rgn;

	if (!rec)
		return true;
	if (!list_empty(&st->totals) &&
	    list_first_entry(&st->totals, struct gpe_msg, tq)->rec_seq <= rec)
		return false;
	if (st->forced)
		return st->rec_done >= rec;
	rgn = gpe_region_find(node, st->region, false);
	if (!rgn || rgn->rec_done >= rec)
		return rgn;
	gpe_wait_record(st, rgn, rec);
	return false;
}

static bool gpe_deps_met(struct gpe_node *node, struct gpe_stage *st,
			 const struct gpe_msg *msg)
{
	if (GPE_BROKEN(GPE_FAULT_CAUSAL_FREE))
		return true;
	if (msg->vec && !gpe_vec_met(st, msg->vec))
		return false;
	/* Its own record came after those it names. */
	return msg->ordered || gpe_recs_met(node, st, msg->after);
}

static bool gpe_stable_wait(struct gpe_region *rgn, struct gpe_stage *st,
			    u32 rank, u64 seq)
{
	if (gpe_stream(rgn, rank)->stable >= seq)
		return true;
	st->wait_rank = rank;
	st->wait_seq = seq;
	list_move_tail(&st->wait, &rgn->waits);
	return false;
}

/* @msg comes next: what was delivered before it must be stable as well. */
static void gpe_hold(struct gpe_stage *st, const struct gpe_msg *msg)
{
	u32 i;

	if (st->holding == msg)
		return;
	st->holding = msg;
	for (i = 0; i < hweight64(st->mask); i++)
		st->slot[i].need = st->slot[i].done;
}

static bool gpe_safe_met(struct gpe_node *node, struct gpe_stage *st,
			 const struct gpe_msg *msg)
{
	struct gpe_region *rgn;
	u64 ranks;

	if (st->forced || GPE_BROKEN(GPE_FAULT_SAFE_EARLY))
		return true;
	rgn = gpe_region_find(node, st->region, false);
	if (!rgn)
		return false;
	if (st->k && (st->mask & ~st->opens))
		return false;
	gpe_hold(st, msg);
	if (!gpe_stable_wait(rgn, st, msg->rank, gpe_msg_last_seq(msg)))
		return false;
	if (GPE_BROKEN(GPE_FAULT_SAFE_ALONE))
		return true;
	if (!gpe_stable_wait(rgn, st, gpe_lowest(rgn->mask), msg->rec_seq))
		return false;
	for (ranks = st->mask; ranks; ranks &= ranks - 1) {
		u32 rank = __ffs64(ranks);

		if (!gpe_stable_wait(rgn, st, rank,
				     gpe_slot_of(st, rank)->need))
			return false;
	}
	return true;
}

void gpe_waits_run(struct gpe_node *node, struct gpe_region *rgn)
{
	struct gpe_stage *st, *next;

	list_for_each_entry_safe(st, next, &rgn->waits, wait) {
		if (rgn->rec_done < st->wait_rec &&
		    (st->wait_rank == GPE_NO_PATH ||
		     gpe_stream(rgn, st->wait_rank)->stable < st->wait_seq))
			continue;
		gpe_wait_none(st);
		gpe_group_work(node, st->grp);
	}
}

/* ---- what may go ---- */

/* First in its sender's queue: may it be delivered without a record? */
static bool gpe_free_to_go(struct gpe_node *node, struct gpe_stage *st,
			   const struct gpe_msg *msg)
{
	if (msg->level == GPE_FIFO)
		return true;
	if (msg->level == GPE_CAUSAL)
		return gpe_deps_met(node, st, msg);
	return GPE_BROKEN(GPE_FAULT_TOTAL_LOCAL);
}

/* Delivers from the head of one sender's queue what waits for no record. */
static bool gpe_drain_slot(struct gpe_node *node, struct gpe_stage *st,
			   struct gpe_slot *slot, bool *moved)
{
	struct gpe_msg *msg, *next;

	list_for_each_entry_safe(msg, next, &slot->q, q) {
		if (!gpe_free_to_go(node, st, msg)) {
			if (GPE_BROKEN(GPE_FAULT_FIFO_OVERTAKE))
				continue;
			break;
		}
		if (!gpe_deliver(node, st, msg))
			return false;
		*moved = true;
	}
	return true;
}

static bool gpe_drain_list(struct gpe_node *node, struct gpe_stage *st,
			   struct list_head *list)
{
	struct gpe_msg *msg, *next;

	list_for_each_entry_safe(msg, next, list, q)
		if (!gpe_deliver(node, st, msg))
			return false;
	return true;
}

/* The next in total order, if it may go now. */
static struct gpe_msg *gpe_total_next(struct gpe_node *node,
				      struct gpe_stage *st)
{
	struct gpe_slot *slot;
	struct gpe_msg *msg;

	if (list_empty(&st->totals))
		return NULL;
	msg = list_first_entry(&st->totals, struct gpe_msg, tq);
	slot = gpe_slot_of(st, msg->rank);
	if (list_first_entry(&slot->q, struct gpe_msg, q) != msg ||
	    !gpe_deps_met(node, st, msg))
		return NULL;
	if (msg->level == GPE_SAFE && !gpe_safe_met(node, st, msg))
		return NULL;
	return msg;
}

static bool gpe_drain_totals(struct gpe_node *node, struct gpe_stage *st,
			     bool *moved)
{
	struct gpe_msg *msg;

	while ((msg = gpe_total_next(node, st))) {
		struct gpe_slot *slot = gpe_slot_of(st, msg->rank);

		if (!gpe_deliver(node, st, msg))
			return false;
		*moved = true;
		if (!gpe_drain_slot(node, st, slot, moved))
			return false;
	}
	return true;
}

/* All that the rules allow. One delivery may allow others, of any sender. */
static bool gpe_drain_all(struct gpe_node *node, struct gpe_stage *st)
{
	bool moved;
	u64 slots;

	do {
		moved = false;
		for (slots = st->ready; slots; slots &= slots - 1)
			if (!gpe_drain_slot(node, st,
					    &st->slot[__ffs64(slots)], &moved))
				return false;
		if (!gpe_drain_totals(node, st, &moved))
			return false;
	} while (moved && st->ready);
	return true;
}

/* ---- when nothing more will come ---- */

static void gpe_void_list(struct gpe_node *node, struct gpe_stage *st,
			  struct list_head *list, u64 ranks)
{
	struct gpe_msg *msg, *next;

	list_for_each_entry_safe(msg, next, list, q) {
		if (!(ranks & gpe_bit(msg->rank)))
			continue;
		if (st->holding == msg)
			st->holding = NULL;
		gpe_stage_take(st, msg);
		gpe_count(node, GPE_CNT_MSG_VOID);
		gpe_msg_put(node, msg);
	}
}

static void gpe_void_slots(struct gpe_node *node, struct gpe_stage *st,
			   u64 ranks)
{
	for (ranks &= st->mask; ranks; ranks &= ranks - 1)
		gpe_void_list(node, st, &gpe_slot_of(st, __ffs64(ranks))->q,
			      ranks);
}

void gpe_stage_void(struct gpe_node *node, struct gpe_stage *st, u64 ranks)
{
	gpe_void_slots(node, st, ranks);
	gpe_void_list(node, st, &st->nones, ranks);
}

/* The first total message that no record orders, by rank, that may go. */
static struct gpe_msg *gpe_unordered_next(struct gpe_node *node,
					  struct gpe_stage *st)
{
	u64 slots;

	for (slots = st->ready; slots; slots &= slots - 1) {
		u32 nr = GPE_BROKEN(GPE_FAULT_REST_ANY) && (node->ep.self & 1) ?
				 fls64(slots) - 1 :
				 __ffs64(slots);
		struct gpe_slot *slot = &st->slot[nr];
		struct gpe_msg *msg =
			list_first_entry(&slot->q, struct gpe_msg, q);

		if (msg->level >= GPE_TOTAL && gpe_deps_met(node, st, msg))
			return msg;
	}
	return NULL;
}

/* One step of the end: false when the output is full. */
static bool gpe_force_one(struct gpe_node *node, struct gpe_stage *st)
{
	struct gpe_msg *msg;

	if (!list_empty(&st->totals)) {
		msg = list_first_entry(&st->totals, struct gpe_msg, tq);
		if (GPE_BROKEN(GPE_FAULT_VOID_NEVER))
			return gpe_deliver(node, st, msg);
		gpe_void_slots(node, st, gpe_bit(msg->rank));
		return true;
	}
	msg = gpe_unordered_next(node, st);
	if (msg)
		return gpe_deliver(node, st, msg);
	if (GPE_BROKEN(GPE_FAULT_VOID_NEVER))
		return gpe_deliver(node, st,
				   list_first_entry(
					&st->slot[__ffs64(st->ready)].q,
					struct gpe_msg, q));
	gpe_void_slots(node, st, st->mask);
	return true;
}

bool gpe_stage_deliver(struct gpe_node *node, struct gpe_stage *st)
{
	gpe_wait_none(st);
	if (!gpe_drain_list(node, st, &st->ones) ||
	    !gpe_drain_list(node, st, &st->nones) || !gpe_drain_all(node, st))
		return false;
	while (st->forced && st->ready)
		if (!gpe_force_one(node, st) || !gpe_drain_all(node, st))
			return false;
	return true;
}

/* ---- vectors of messages sent from here ---- */

static u64 gpe_vec_mask(const struct gpe_node *node,
			const struct gpe_stage *st)
{
	u64 ranks, mask = 0;

	for (ranks = st->mask & ~gpe_bit(node->ep.self); ranks;
	     ranks &= ranks - 1) {
		u32 rank = __ffs64(ranks);
		const struct gpe_slot *slot =
			&st->slot[gpe_slot(st->mask, rank)];

		if (slot->seen > slot->told)
			mask |= gpe_bit(rank);
	}
	return mask;
}

/* The fault whose vectors name streams: what came of any group. */
static void gpe_vec_prefix(struct gpe_node *node, struct gpe_stage *st,
			   struct gpe_slot *slot)
{
	struct gpe_region *rgn = gpe_region_find(node, st->region, false);
	u32 nr = slot - st->slot, rank = 0;

	for (rank = 0; nr || !(st->mask & gpe_bit(rank)); rank++)
		nr -= !!(st->mask & gpe_bit(rank));
	if (rgn)
		slot->seen = gpe_stream(rgn, rank)->next - 1;
}

u32 gpe_vec_len(const struct gpe_node *node, const struct gpe_stage *st)
{
	return hweight64(gpe_vec_mask(node, st)) * GPE_VEC_SEQ;
}

void gpe_vec_make(struct gpe_node *node, struct gpe_stage *st,
		  struct gpe_vec *vec)
{
	u8 *p = vec->seq;
	u64 ranks;

	vec->mask = gpe_vec_mask(node, st);
	for (ranks = vec->mask; ranks; ranks &= ranks - 1) {
		struct gpe_slot *slot = gpe_slot_of(st, __ffs64(ranks));

		if (GPE_BROKEN(GPE_FAULT_VEC_STREAM))
			gpe_vec_prefix(node, st, slot);
		put_unaligned_be16(slot->seen >> 32, p);
		put_unaligned_be32(slot->seen, p + 2);
		p += GPE_VEC_SEQ;
		slot->told = slot->seen;
	}
}
