// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Total order: the region's lowest-ranked node writes records into its own
 * stream, each "the next n unordered total messages of sender s"; its own
 * totals stand at their place in that stream. Total order by a sequencer is
 * that of Birman, Schiper & Stephenson (1991).
 */
#include "gpe_int.h"

/* @msg has its place in the total order, by the record at @seq. */
static void gpe_place(struct gpe_node *node, struct gpe_region *rgn,
		      struct gpe_msg *msg, u64 seq)
{
	struct gpe_stage *st = msg->stage;

	list_del_init(&msg->tq);
	msg->rec_seq = seq;
	/* Safe messages wait until this record is stable. */
	if (msg->level == GPE_SAFE && !node->draining)
		gpe_region_hurry(node, rgn,
				 gpe_stream(rgn, gpe_lowest(rgn->mask)));
	if (st) {
		st->rec_seq = max(st->rec_seq, seq);
		msg->ordered = true;
		list_add_tail(&msg->tq, &st->totals);
		gpe_group_work(node, st->grp);
	}
	gpe_msg_put(node, msg);
}

/* One record: false if a message it orders is not here yet. */
static bool gpe_record_run(struct gpe_node *node, struct gpe_region *rgn,
			   struct gpe_msg *rec)
{
	while (rgn->rec_pos + 3 <= rec->inl_len) {
		u32 rank = rec->inl[rgn->rec_pos];
		struct gpe_stream *s;

		if (!rgn->rec_left)
			rgn->rec_left = rec->inl[rgn->rec_pos + 1] << 8 |
					rec->inl[rgn->rec_pos + 2];
		if (rank >= 64 || !(rgn->mask & gpe_bit(rank)))
			rgn->rec_left = 0;
		while (rgn->rec_left) {
			s = gpe_stream(rgn, rank);
			if (list_empty(&s->unordered)) {
				if (!node->draining)
					return false;
				rgn->rec_left = 0;
				break;
			}
			gpe_place(node, rgn,
				  list_first_entry(&s->unordered,
						   struct gpe_msg, tq),
				  rec->first_seq);
			rgn->rec_left--;
		}
		rgn->rec_pos += 3;
	}
	rgn->rec_pos = 0;
	return true;
}

static void gpe_recs_run(struct gpe_node *node, struct gpe_region *rgn)
{
	while (!list_empty(&rgn->recs)) {
		struct gpe_msg *msg =
			list_first_entry(&rgn->recs, struct gpe_msg, tq);

		if (msg->type == GPE_IT_DATA) {
			rgn->rec_done = msg->first_seq;
			gpe_place(node, rgn, msg, msg->first_seq);
			continue;
		}
		if (!gpe_record_run(node, rgn, msg))
			return;
		rgn->rec_done = msg->first_seq;
		list_del_init(&msg->tq);
		gpe_msg_put(node, msg);
	}
}

/*
 * While an epoch is drained, stream by stream, a message that is not here yet
 * may come with the next stream: gpe_order_finish() is told when all are done.
 */
void gpe_order_run(struct gpe_node *node, struct gpe_region *rgn)
{
	u64 was = rgn->rec_done;

	if (node->draining)
		return;
	gpe_recs_run(node, rgn);
	if (rgn->rec_done != was)
		gpe_waits_run(node, rgn);
}

void gpe_order_finish(struct gpe_node *node)
{
	struct gpe_region *rgn;

	list_for_each_entry(rgn, &node->regions, all)
		gpe_recs_run(node, rgn);
}

/*
 * The sequencer writes one record for all that has come. Which of several
 * senders goes first is free: what one of them may have seen of another was
 * ordered before.
 */
static bool gpe_record_write(struct gpe_node *node, struct gpe_region *rgn)
{
	struct gpe_msg *rec;
	u64 ranks;

	if (!gpe_region_room(rgn, 1, true))
		return false;
	rec = gpe_msg_new(node, GPE_IT_ORDER);
	if (!rec)
		return false;
	for (ranks = rgn->mask; ranks; ranks &= ranks - 1) {
		u32 rank = __ffs64(ranks);
		struct gpe_stream *s = gpe_stream(rgn, rank);
		u32 n = min_t(u32, s->n_todo, 0xffff);

		if (!n)
			continue;
		rec->inl[rec->inl_len++] = rank;
		rec->inl[rec->inl_len++] = n >> 8;
		rec->inl[rec->inl_len++] = n;
		s->n_todo -= n;
		rec->hurry |= s->todo_safe;
		if (!s->n_todo)
			s->todo_safe = false;
	}
	gpe_region_append(node, rgn, rec);
	return true;
}

void gpe_seq_pump(struct gpe_node *node)
{
	struct gpe_region *rgn, *next;

	if (!gpe_moving(node))
		return;
	list_for_each_entry_safe(rgn, next, &node->seq_regions, seq_work) {
		if (!list_empty(&rgn->closing) &&
		    GPE_BROKEN(GPE_FAULT_SEQ_STOPS))
			continue;
		if (gpe_record_write(node, rgn))
			list_del_init(&rgn->seq_work);
	}
}

/* A total message, in sequence: where does its order come from? */
void gpe_order_add(struct gpe_node *node, struct gpe_region *rgn,
		   struct gpe_msg *msg)
{
	u32 seqr = gpe_lowest(rgn->mask);
	struct gpe_stream *s = gpe_stream(rgn, msg->rank);

	gpe_msg_get(msg);
	if (msg->rank == seqr) {
		list_add_tail(&msg->tq, &rgn->recs);
		gpe_order_run(node, rgn);
		return;
	}
	list_add_tail(&msg->tq, &s->unordered);
	if (node->ep.self == seqr) {
		s->n_todo++;
		s->todo_safe |= msg->level == GPE_SAFE;
		if (list_empty(&rgn->seq_work))
			list_add_tail(&rgn->seq_work, &node->seq_regions);
	} else {
		gpe_order_run(node, rgn);
	}
}
