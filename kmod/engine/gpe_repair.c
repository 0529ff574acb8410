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

static struct gpe_cut gpe_report_entry(const struct gpe_node *node,
				       const struct gpe_region *rgn, u32 rank)
{
	struct gpe_cut cut = { .region = rgn->mask, .dir = rgn->dir,
			       .rank = rank, .holder = node->ep.self };

	return cut;
}

/* Messages of order none that were delivered before their turn. */
static u32 gpe_report_early(struct gpe_node *node, struct gpe_region *rgn,
			    u32 rank, struct gpe_cut *cut, u32 n, u32 max)
{
	struct gpe_stream *s = gpe_stream(rgn, rank);
	struct gpe_msg *msg;

	if (!s->n_early || GPE_BROKEN(GPE_FAULT_EARLY_UNSAID))
		return n;
	for (msg = gpe_msg_first(s); msg; msg = gpe_msg_next(msg)) {
		if (!msg->early)
			continue;
		if (n < max) {
			cut[n] = gpe_report_entry(node, rgn, rank);
			cut[n].one = true;
			cut[n].mark_k = msg->first_seq;
			cut[n].seq = gpe_msg_last_seq(msg);
		}
		n++;
	}
	return n;
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

			n = gpe_report_early(node, rgn, rank, cut, n, max);
			if (!gpe_to_report(s))
				continue;
			if (n < max) {
				cut[n] = gpe_report_entry(node, rgn, rank);
				cut[n].seq = s->cum;
				cut[n].mark_k = gpe_held_mark(s);
			}
			n++;
		}
	}
	return n;
}

/* ---- messages of order none, beyond the prefix ---- */

static void gpe_singles_free(struct gpe_node *node)
{
	gpe_free(node->singles);
	node->singles = NULL;
	node->n_singles = 0;
}

/* Keeps those of @cut that this node can hold; they stay in their order. */
static int gpe_singles_set(struct gpe_node *node, const struct gpe_cut *cut,
			   u32 n)
{
	u32 i, ones = 0;

	gpe_singles_free(node);
	for (i = 0; i < n; i++)
		ones += cut[i].one;
	if (!ones)
		return 0;
	node->singles = gpe_alloc(ones * sizeof(*cut));
	if (!node->singles)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		if (cut[i].one && (cut[i].region & gpe_bit(node->ep.self)))
			node->singles[node->n_singles++] = cut[i];
	return 0;
}

static int gpe_single_cmp(const struct gpe_cut *one,
			  const struct gpe_region *rgn, u32 rank, u64 seq)
{
	if (one->region != rgn->mask)
		return one->region < rgn->mask ? -1 : 1;
	if (one->rank != rank)
		return one->rank < rank ? -1 : 1;
	if (one->seq < seq)
		return -1;
	return one->mark_k > seq;
}

const struct gpe_cut *gpe_single(const struct gpe_node *node,
				 const struct gpe_region *rgn, u32 rank,
				 u64 seq)
{
	u32 lo = 0, hi = node->n_singles;

	while (lo < hi && !rgn->dir) {
		u32 mid = (lo + hi) / 2;
		int c = gpe_single_cmp(&node->singles[mid], rgn, rank, seq);

		if (!c)
			return &node->singles[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* Is all of it here? It may have become part of what is held anyway. */
static bool gpe_single_here(struct gpe_stream *s, const struct gpe_cut *one)
{
	struct gpe_msg *msg;

	if (s->cum >= one->seq)
		return true;
	msg = gpe_msg_at(s, one->seq);
	return msg && msg->got == msg->n_frags;
}

static bool gpe_singles_complete(struct gpe_node *node)
{
	struct gpe_region *rgn;
	u32 i;

	for (i = 0; i < node->n_singles; i++) {
		const struct gpe_cut *one = &node->singles[i];

		rgn = gpe_region_find(node, one->region, false);
		if (!rgn || !gpe_single_here(gpe_stream(rgn, one->rank), one))
			return false;
	}
	return true;
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

	if (gpe_singles_set(node, cut, n))
		return -ENOMEM;
	list_for_each_entry(rgn, &node->regions, all)
		gpe_region_cut_rest(rgn);
	for (i = 0; i < n; i++) {
		struct gpe_stream *s;
		bool here;

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
		if (cut[i].one) {
			here = gpe_single_here(s, &cut[i]);
		} else {
			s->cut = cut[i].seq;
			s->holder = cut[i].holder;
			here = s->cum >= s->cut;
		}
		if (!here) {
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

	gpe_singles_free(node);
	list_for_each_entry(rgn, &node->regions, all) {
		rgn->repair_at = U64_MAX;
		for (i = 0; i < rgn->n; i++)
			rgn->stream[i].cut = U64_MAX;
	}
}

bool gpe_region_complete(struct gpe_node *node)
{
	struct gpe_region *rgn;
	u32 i;

	list_for_each_entry(rgn, &node->regions, all)
		for (i = 0; i < rgn->n; i++)
			if (rgn->stream[i].cut != U64_MAX &&
			    rgn->stream[i].cum < rgn->stream[i].cut)
				return false;
	return gpe_singles_complete(node);
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
	if (!gpe_msg_at(s, r->from))
		r->to = min(r->to, s->cum);
	if (r->from <= r->to && r->to - r->from < GPE_WINDOW_RX) {
		gpe_repair_add(gpe_ack_of(rgn, rank), r->from, r->to,
			       r->origin);
		gpe_region_work(node, rgn);
	}
}

/* Asks @holder for what is missing of these items: false when it is full. */
static bool gpe_tx_want(struct gpe_node *node, struct gpe_region *rgn,
			u32 rank, u32 holder, u64 from, u64 to)
{
	u64 paths = gpe_paths(node, gpe_bit(holder));
	struct gpe_range r[8];
	u32 i, n;

	n = gpe_missing(gpe_stream(rgn, rank), from, to, r, ARRAY_SIZE(r));
	for (i = 0; i < n; i++) {
		u8 *p = gpe_send_begin(node, paths, GPE_HDR_MAX);
		u32 body, len;

		if (!p)
			return false;
		body = gpe_wire_open(node, p, GPE_PK_REPAIR,
				     node->ep.seat[holder].inc);
		len = body + gpe_wire_body(p + body, rgn->mask, r[i].from,
					   r[i].to, rank, rgn->dir, false, 0);
		gpe_wire_close(p, len);
		gpe_send_end(node, paths ? len : 0);
	}
	return true;
}

static bool gpe_tx_want_singles(struct gpe_node *node, struct gpe_region *rgn,
				bool *missing)
{
	u32 i;

	for (i = 0; i < node->n_singles && !rgn->dir; i++) {
		const struct gpe_cut *one = &node->singles[i];

		if (one->region != rgn->mask || one->holder >= node->ep.n ||
		    gpe_single_here(gpe_stream(rgn, one->rank), one))
			continue;
		*missing = true;
		if (!gpe_tx_want(node, rgn, one->rank, one->holder,
				 one->mark_k, one->seq))
			return false;
	}
	return true;
}

/* Asks the holders for what lacks, a few ranges a round. */
bool gpe_tx_wants(struct gpe_node *node, struct gpe_region *rgn)
{
	bool missing = false;
	u64 ranks;

	if (node->now < rgn->repair_at)
		return true;
	for (ranks = rgn->mask; ranks; ranks &= ranks - 1) {
		u32 rank = __ffs64(ranks);
		struct gpe_stream *s = gpe_stream(rgn, rank);

		if (s->cut == U64_MAX || s->cum >= s->cut ||
		    s->holder >= node->ep.n)
			continue;
		missing = true;
		if (!gpe_tx_want(node, rgn, rank, s->holder, s->cum + 1,
				 s->cut))
			return false;
	}
	if (!gpe_tx_want_singles(node, rgn, &missing))
		return false;
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
		if (!msg->dispatched &&
		    gpe_single(node, rgn, msg->rank, msg->first_seq))
			gpe_dispatch(node, rgn, msg);
		else if (!msg->dispatched)
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
			if (rgn->dir != (dir != GPE_BROKEN(GPE_FAULT_LOG_LAST)))
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
