// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Streams of a closing epoch: what is held, the cut, and the fetching of what
 * lacks from who holds it. Protocol.md 5.
 */
#include "gpe_int.h"
#include "gpe_stream.h"

/* Marks in what is held but was not dispatched yet count as well. */
static u64 gpe_held_mark(struct gpe_stream *s)
{
	struct gpe_msg *msg = gpe_msg_at(s, s->next);
	u64 mark_k = s->mark_k;

	for (; msg && gpe_msg_last_seq(msg) <= s->cum;
	     msg = gpe_msg_next(msg)) {
		if (msg->type == GPE_IT_MARK)
			mark_k = max(mark_k, get_unaligned_be64(msg->inl));
	}
	return mark_k;
}

/*
 * Is there anything to say of a stream? What is known to be stable all have,
 * and then no entry means that no marker came in this epoch. That markers are
 * waited for says nothing: who is behind in the log does not wait yet.
 */
static bool gpe_to_report(struct gpe_stream *s)
{
	return s->cum > s->stable || gpe_held_mark(s);
}

u32 gpe_region_report(struct gpe_node *node, struct gpe_cut *cut, u32 max)
{
	struct gpe_region *rgn;
	u64 ranks;
	u32 n = 0;

	list_for_each_entry(rgn, &node->regions, all) {
		for (ranks = rgn->mask; ranks; ranks &= ranks - 1) {
			u32 rank = __ffs64(ranks);
			struct gpe_stream *s = gpe_stream(rgn, rank);

			if (!gpe_to_report(s))
				continue;
			if (n < max) {
				cut[n].region = rgn->mask;
				cut[n].dir = rgn->dir;
				cut[n].rank = rank;
				cut[n].holder = node->ep.self;
				cut[n].seq = s->cum;
				cut[n].mark_k = gpe_held_mark(s);
			}
			n++;
		}
	}
	return n;
}

/*
 * A stream that no old node of the proposal reported was held by all of them
 * up to its stable mark and not further, and the mark stands still since the
 * first promise. What is held beyond it was fetched for another proposal.
 */
static void gpe_region_cut_rest(struct gpe_region *rgn)
{
	u32 i;

	for (i = 0; i < rgn->n; i++)
		rgn->stream[i].cut = rgn->stream[i].stable;
}

int gpe_region_set_cut(struct gpe_node *node, const struct gpe_cut *cut,
		       u32 n)
{
	u64 self = gpe_bit(node->ep.self);
	struct gpe_region *rgn;
	u32 i;

	list_for_each_entry(rgn, &node->regions, all)
		gpe_region_cut_rest(rgn);
	for (i = 0; i < n; i++) {
		struct gpe_stream *s;

		if (!(cut[i].region & self) ||
		    !(cut[i].region & gpe_bit(cut[i].rank)))
			continue;
		rgn = gpe_region_find(node, cut[i].region, cut[i].dir);
		if (!rgn) {
			/* It holds nothing that the cut does not name. */
			rgn = gpe_region_get(node, cut[i].region, cut[i].dir);
			if (!rgn)
				return -ENOMEM;
			gpe_region_cut_rest(rgn);
		}
		s = gpe_stream(rgn, cut[i].rank);
		s->cut = cut[i].seq;
		s->holder = cut[i].holder;
		if (s->cum < s->cut) {
			rgn->repair_at = node->now;
			gpe_region_work(node, rgn);
		}
	}
	return 0;
}

void gpe_region_drop_cut(struct gpe_node *node)
{
	struct gpe_region *rgn;
	u32 i;

	list_for_each_entry(rgn, &node->regions, all) {
		rgn->repair_at = U64_MAX;
		for (i = 0; i < rgn->n; i++)
			rgn->stream[i].cut = U64_MAX;
	}
}

bool gpe_region_complete(const struct gpe_node *node)
{
	struct gpe_region *rgn;
	u32 i;

	list_for_each_entry(rgn, &node->regions, all)
		for (i = 0; i < rgn->n; i++)
			if (rgn->stream[i].cut != U64_MAX &&
			    rgn->stream[i].cum < rgn->stream[i].cut)
				return false;
	return true;
}

void gpe_region_rx_repair(struct gpe_node *node, struct gpe_pkt *pkt)
{
	struct gpe_pkt_repair *r = &pkt->repair;
	struct gpe_region *rgn;
	struct gpe_stream *s;
	u32 rank;

	if (!gpe_rx_gate(node, pkt, true))
		return;
	rgn = gpe_rx_region(node, pkt, r->region, r->dir, &rank);
	if (!rgn || !(rgn->mask & gpe_bit(r->origin))) {
		gpe_count(node, GPE_CNT_DROP_REGION);
		return;
	}
	s = gpe_stream(rgn, r->origin);
	r->to = min(r->to, s->cum);
	if (r->from <= r->to && r->to - r->from < GPE_WINDOW_RX) {
		gpe_repair_add(gpe_ack_of(rgn, rank), r->from, r->to,
			       r->origin);
		gpe_region_work(node, rgn);
	}
}

/* Asks the holders for what lacks, a few ranges a round. */
bool gpe_tx_wants(struct gpe_node *node, struct gpe_region *rgn)
{
	struct gpe_range r[8];
	bool missing = false;
	u64 ranks;
	u32 i, n;

	if (node->now < rgn->repair_at)
		return true;
	for (ranks = rgn->mask; ranks; ranks &= ranks - 1) {
		u32 rank = __ffs64(ranks);
		struct gpe_stream *s = gpe_stream(rgn, rank);

		if (s->cut == U64_MAX || s->cum >= s->cut ||
		    s->holder >= node->ep.n)
			continue;
		missing = true;
		n = gpe_missing(s, s->cut, r, ARRAY_SIZE(r));
		for (i = 0; i < n; i++) {
			u64 paths = gpe_paths(node, gpe_bit(s->holder));
			u8 *p = gpe_send_begin(node, paths, GPE_HDR_MAX);
			u32 body, len;

			if (!p)
				return false;
			body = gpe_wire_open(node, p, GPE_PK_REPAIR,
					     node->ep.seat[s->holder].inc);
			len = body + gpe_wire_body(p + body, rgn->mask,
						   r[i].from, r[i].to, rank,
						   rgn->dir, false, 0);
			gpe_wire_close(p, len);
			gpe_send_end(node, paths ? len : 0);
		}
	}
	rgn->repair_at = missing ? node->now + GPE_CTL_REPEAT_NS : U64_MAX;
	gpe_region_rearm(node, rgn);
	return true;
}

/* Everything up to the cut goes into the stages; what lies beyond is void. */
static void gpe_stream_drain(struct gpe_node *node, struct gpe_region *rgn,
			     struct gpe_stream *s)
{
	struct gpe_msg *msg, *next;

	if (s->cut == U64_MAX)
		s->cut = s->cum;
	if (GPE_BROKEN(GPE_FAULT_CUT_SHORT) && (node->ep.self & 1) && s->cut)
		s->cut--;
	gpe_advance(node, rgn, s);
	for (msg = gpe_msg_first(s); msg; msg = next) {
		next = gpe_msg_next(msg);
		if (!msg->dispatched)
			gpe_count(node, GPE_CNT_MSG_VOID);
		gpe_msg_unlink(node, s, msg);
	}
}

int gpe_region_drain(struct gpe_node *node)
{
	struct gpe_region *rgn;
	int dir;
	u64 ranks;

	for (dir = 1; dir >= 0; dir--) {
		list_for_each_entry(rgn, &node->regions, all) {
			if (rgn->dir != !!dir)
				continue;
			for (ranks = rgn->mask; ranks; ranks &= ranks - 1)
				gpe_stream_drain(node, rgn,
						 gpe_stream(rgn,
							    __ffs64(ranks)));
			/* The log waits for nothing but memory. */
			if (rgn->dir && gpe_stream(rgn, 0)->stalled)
				return -ENOMEM;
		}
	}
	return 0;
}
