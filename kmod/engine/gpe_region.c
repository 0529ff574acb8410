// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Region streams: reliable, numbered items from each node of a set to all the
 * others, within one epoch.
 *
 * A receiver acknowledges what it holds without a gap (cumulative) and names
 * what is missing beyond (selective, as in RFC 2018); the sender repairs to
 * who asked. The least acknowledgement of all receivers is the stable mark;
 * below it nobody keeps anything. After the last item a STATUS tells the mark,
 * repeated until every receiver has confirmed it: then the stream is settled
 * and costs nothing, neither timer nor packet.
 *
 *	numbered ----> sent ----> acknowledged by all = stable ----> settled
 *	   window        cwnd                           STATUS until confirmed
 *
 * The retransmission timer follows RFC 6298, with Karn's rule; the limit of
 * what is under way, additive increase and multiplicative decrease, RFC 5681
 * with a floor, since loss here is as often noise as congestion.
 */
#include "gpe_int.h"
#include "gpe_stream.h"

#define GPE_CWND_INIT	64
#define GPE_CWND_MIN	32
#define GPE_CWND_MAX	(GPE_WINDOW_DATA + GPE_WINDOW_CTL)
/* Header bytes around one full fragment, at most; see gpe_detect_peer(). */
#define GPE_DGRAM_SLACK	160

/* ---- finding and making ---- */

static int gpe_region_cmp(const struct gpe_region *rgn, u64 mask, bool dir)
{
	if (mask != rgn->mask)
		return mask < rgn->mask ? -1 : 1;
	return (int)dir - (int)rgn->dir;
}

struct gpe_region *gpe_region_find(struct gpe_node *node, u64 mask, bool dir)
{
	struct rb_node *p = node->region_tree.rb_node;

	while (p) {
		struct gpe_region *rgn = rb_entry(p, struct gpe_region, rb);
		int c = gpe_region_cmp(rgn, mask, dir);

		if (!c)
			return rgn;
		p = c < 0 ? p->rb_left : p->rb_right;
	}
	return NULL;
}

static void gpe_region_link(struct gpe_node *node, struct gpe_region *rgn)
{
	struct rb_node **p = &node->region_tree.rb_node, *parent = NULL;

	while (*p) {
		parent = *p;
		if (gpe_region_cmp(rb_entry(parent, struct gpe_region, rb),
				   rgn->mask, rgn->dir) < 0)
			p = &parent->rb_left;
		else
			p = &parent->rb_right;
	}
	rb_link_node(&rgn->rb, parent, p);
	rb_insert_color(&rgn->rb, &node->region_tree);
	list_add_tail(&rgn->all, &node->regions);
	node->n_regions++;
}

static void gpe_region_init(struct gpe_region *rgn, u64 mask, bool dir)
{
	u32 i;

	rgn->mask = mask;
	rgn->dir = dir;
	rgn->n = hweight64(mask);
	rgn->tx_next = 1;
	rgn->cwnd = GPE_CWND_INIT;
	rgn->rto_ns = GPE_RTO_INIT_NS;
	rgn->rto_at = U64_MAX;
	rgn->ack_at = U64_MAX;
	rgn->repair_at = U64_MAX;
	rgn->hold_at = U64_MAX;
	INIT_LIST_HEAD(&rgn->work);
	INIT_LIST_HEAD(&rgn->recs);
	INIT_LIST_HEAD(&rgn->seq_work);
	INIT_LIST_HEAD(&rgn->mark_work);
	INIT_LIST_HEAD(&rgn->closing);
	INIT_LIST_HEAD(&rgn->waits);
	gpe_timer_init(&rgn->timer, GPE_TM_REGION);
	for (i = 0; i < rgn->n; i++) {
		struct gpe_stream *s = &rgn->stream[i];

		s->msgs = RB_ROOT;
		s->next = 1;
		s->cut = U64_MAX;
		INIT_LIST_HEAD(&s->unordered);
	}
}

/**
 * gpe_region_get() - the region of a node set of the current epoch
 * @node: the node, in an epoch
 * @mask: ranks
 * @dir: the directory's region; @mask is all nodes
 *
 * Return: the region, made if need be; NULL if @mask is no set that this node
 * belongs to, at the limit of regions, or without memory.
 */
struct gpe_region *gpe_region_get(struct gpe_node *node, u64 mask, bool dir)
{
	struct gpe_region *rgn;
	u32 n = hweight64(mask);

	if (!node->ep.n || (mask & ~gpe_all(&node->ep)) ||
	    !(mask & gpe_bit(node->ep.self)) ||
	    (dir && mask != gpe_all(&node->ep)))
		return NULL;
	rgn = gpe_region_find(node, mask, dir);
	if (rgn)
		return rgn;
	if (node->n_regions >= GPE_REGIONS_MAX) {
		gpe_count(node, GPE_CNT_DROP_LIMIT);
		return NULL;
	}
	rgn = gpe_alloc(sizeof(*rgn));
	if (!rgn)
		return NULL;
	rgn->stream = gpe_alloc(n * sizeof(rgn->stream[0]));
	rgn->ack = gpe_alloc(n * sizeof(rgn->ack[0]));
	if (!rgn->stream || !rgn->ack) {
		gpe_free(rgn->stream);
		gpe_free(rgn->ack);
		gpe_free(rgn);
		return NULL;
	}
	gpe_region_init(rgn, mask, dir);
	gpe_region_link(node, rgn);
	return rgn;
}

struct gpe_stream *gpe_own(struct gpe_node *node, struct gpe_region *rgn)
{
	return gpe_stream(rgn, node->ep.self);
}

static u64 gpe_others(const struct gpe_node *node,
		      const struct gpe_region *rgn)
{
	return rgn->mask & ~gpe_bit(node->ep.self);
}

struct gpe_peerack *gpe_ack_of(struct gpe_region *rgn, u32 rank)
{
	return &rgn->ack[gpe_slot(rgn->mask, rank)];
}

void gpe_region_work(struct gpe_node *node, struct gpe_region *rgn)
{
	if (list_empty(&rgn->work))
		list_add_tail(&rgn->work, &node->work_regions);
}

void gpe_region_rearm(struct gpe_node *node, struct gpe_region *rgn)
{
	u64 at = min(min(rgn->rto_at, rgn->hold_at),
		     min(rgn->ack_at, rgn->repair_at));

	if (at == U64_MAX)
		gpe_timer_cancel(node, &rgn->timer);
	else
		gpe_timer_set(node, &rgn->timer, at);
}

bool gpe_region_room(const struct gpe_region *rgn, u32 n, bool ctl)
{
	if (rgn->n == 1)
		return true;
	if (ctl)
		return rgn->inflight_ctl + n <= GPE_WINDOW_CTL;
	return !rgn->inflight_data ||
	       rgn->inflight_data + n <= GPE_WINDOW_DATA;
}

/* ---- in sequence: dispatch ---- */

/*
 * What waits for a change that the cut has no more waits for nothing: it is
 * void, but what comes behind it, records and other groups' messages, is not.
 */
static bool gpe_waits_for_log(const struct gpe_node *node,
			      const struct gpe_region *rgn)
{
	return rgn->dir || !node->draining;
}

void gpe_advance(struct gpe_node *node, struct gpe_region *rgn,
		 struct gpe_stream *s)
{
	/*
	 * What is fetched for one proposal need not be in the one decided, so
	 * nothing enters the groups or the directory before it is.
	 */
	if (node->state != GPE_ST_NORMAL && !node->draining &&
	    !GPE_BROKEN(GPE_FAULT_NO_WEDGE))
		return;
	s->stalled = false;
	while (s->next <= s->cum && s->next <= s->cut) {
		struct gpe_msg *msg = gpe_msg_at(s, s->next);

		if (!msg || (gpe_msg_last_seq(msg) > min(s->cum, s->cut) &&
			     !GPE_BROKEN(GPE_FAULT_PART_WHOLE)))
			return;
		if (msg->early) {
			msg->early = false;
			s->n_early--;
		} else if (gpe_dispatch(node, rgn, msg) == GPE_STALL &&
			   gpe_waits_for_log(node, rgn)) {
			s->stalled = true;
			return;
		}
		msg->dispatched = true;
		s->next = gpe_msg_last_seq(msg) + 1;
	}
}

void gpe_region_unstall(struct gpe_node *node)
{
	struct gpe_region *rgn;
	u32 i;

	list_for_each_entry(rgn, &node->regions, all) {
		for (i = 0; i < rgn->n; i++) {
			if (!rgn->stream[i].stalled)
				continue;
			gpe_advance(node, rgn, &rgn->stream[i]);
			gpe_trim(node, rgn, &rgn->stream[i]);
		}
	}
}

void gpe_region_append(struct gpe_node *node, struct gpe_region *rgn,
		       struct gpe_msg *msg)
{
	struct gpe_stream *s = gpe_own(node, rgn);

	msg->rank = node->ep.self;
	msg->epoch = node->ep.epoch;
	msg->first_seq = s->top + 1;
	msg->got = msg->n_frags;
	s->top += msg->n_frags;
	s->cum = s->top;
	if (gpe_item_is_ctl(msg->type))
		rgn->inflight_ctl++;
	else
		rgn->inflight_data += msg->n_frags;
	gpe_tx_numbered(node, rgn, msg);
	gpe_msg_insert(s, msg);
	if (rgn->n == 1) {
		s->stable = s->top;
		rgn->tx_next = s->top + 1;
	}
	gpe_advance(node, rgn, s);
	gpe_trim(node, rgn, s);
	if (rgn->n > 1)
		gpe_region_work(node, rgn);
}

/* ---- receiving data ---- */

static struct gpe_msg *gpe_rx_new(struct gpe_node *node, struct gpe_stream *s,
				  u32 origin, u64 first,
				  const struct gpe_item *it)
{
	struct gpe_msg *msg = gpe_msg_floor(s, first + it->n_frags - 1);

	/* Nothing may lie across the place of this message. */
	if (msg && gpe_msg_last_seq(msg) >= first) {
		gpe_count(node, GPE_CNT_DROP_PLACE);
		return NULL;
	}
	msg = gpe_msg_new(node, it->type);
	if (!msg) {
		gpe_count(node, GPE_CNT_DROP_NOMEM);
		return NULL;
	}
	msg->level = it->level;
	msg->rank = origin;
	msg->n_frags = it->n_frags;
	msg->frag_len = it->frag_len;
	msg->len = it->total;
	msg->epoch = node->ep.epoch;
	msg->first_seq = first;
	msg->gid = it->gid;
	msg->vid = it->vid;
	msg->sender.node = node->ep.seat[origin].id;
	msg->sender.inc = node->ep.seat[origin].inc;
	msg->sender.port = it->port;
	msg->dst_port = it->dst_port;
	if (it->inl) {
		msg->inl_len = it->inl_len;
		memcpy(msg->inl, it->inl, it->inl_len);
	}
	gpe_msg_insert(s, msg);
	return msg;
}

static void gpe_rx_item(struct gpe_node *node, struct gpe_region *rgn,
			struct gpe_stream *s, u32 origin, u64 seq,
			const struct gpe_item *it, void *buf)
{
	u64 first = seq - it->idx;
	struct gpe_msg *msg;

	if (seq <= s->cum) {
		gpe_count(node, GPE_CNT_RX_DUPLICATES);
		s->ack_due = true;
		return;
	}
	if (first + it->n_frags - 1 > s->cum + GPE_WINDOW_RX) {
		gpe_count(node, GPE_CNT_DROP_WINDOW);
		return;
	}
	msg = gpe_msg_at(s, seq);
	if (!msg && first <= s->cum) {
		gpe_count(node, GPE_CNT_DROP_PLACE);
		return;
	}
	if (!msg) {
		msg = gpe_rx_new(node, s, origin, first, it);
	} else if (msg->first_seq != first || !gpe_msg_fits(msg, it)) {
		gpe_count(node, GPE_CNT_DROP_PLACE);
		return;
	}
	if (!msg)
		return;
	if (!gpe_rx_frag(node, msg, it, buf)) {
		gpe_count(node, GPE_CNT_RX_DUPLICATES);
		return;
	}
	gpe_count(node, GPE_CNT_RX_ITEMS);
	if (!gpe_item_is_ctl(it->type))
		rgn->streak = 0;
	s->unacked++;
	if (seq > s->top)
		s->top = seq;
}

/**
 * gpe_other_epoch() - is this packet about streams of another epoch?
 * @node: the node
 * @pkt: DATA to CREDIT
 *
 * Return: true if it changes nothing.
 */
bool gpe_other_epoch(const struct gpe_node *node, const struct gpe_pkt *pkt)
{
	if (GPE_BROKEN(GPE_FAULT_EPOCH_ANY) ||
	    (GPE_BROKEN(GPE_FAULT_ACK_ANY) && pkt->type == GPE_PK_ACK))
		return false;
	return pkt->epoch != node->ep.epoch;
}

/* May this packet change the region's streams now? */
bool gpe_rx_gate(struct gpe_node *node, const struct gpe_pkt *pkt,
		 bool repair)
{
	if (gpe_other_epoch(node, pkt)) {
		gpe_count(node, GPE_CNT_DROP_EPOCH);
		return false;
	}
	/* Repairs are as good as ever: what is wedged delivers nothing. What
	 * comes before all groups are open is repaired later.
	 */
	if ((node->doubt && !repair) || node->opening.on ||
	    (node->state == GPE_ST_NORMAL) == repair) {
		if (GPE_BROKEN(GPE_FAULT_NO_WEDGE) && !node->doubt)
			return true;
		gpe_count(node, GPE_CNT_DROP_WEDGED);
		return false;
	}
	return true;
}

/* The region and the sender's rank in it, or NULL. */
struct gpe_region *gpe_rx_region(struct gpe_node *node,
				 const struct gpe_pkt *pkt, u64 mask, bool dir,
				 u32 *rank)
{
	int r = gpe_rank_of(node, pkt->src, pkt->src_inc);
	struct gpe_region *rgn = NULL;

	if (r >= 0 && (mask & gpe_bit(r)) && (u32)r != node->ep.self)
		rgn = gpe_region_get(node, mask, dir);
	if (!rgn) {
		gpe_count(node, GPE_CNT_DROP_REGION);
		return NULL;
	}
	*rank = r;
	return rgn;
}

static void gpe_told_stable(struct gpe_node *node, struct gpe_region *rgn,
			    struct gpe_stream *s, u64 stable)
{
	/* More than is here cannot be stable: this node is one of all. */
	if (stable > s->cum)
		stable = s->cum;
	if (stable > s->stable) {
		s->stable = stable;
		gpe_trim(node, rgn, s);
		gpe_group_stable(node, rgn);
	}
}

void gpe_region_hurry(struct gpe_node *node, struct gpe_region *rgn,
		      struct gpe_stream *s)
{
	if (rgn->n == 1 || s == gpe_own(node, rgn))
		return;
	s->ack_due = true;
	gpe_region_work(node, rgn);
}

/* Decides when to acknowledge what came. */
static void gpe_rx_ack_when(struct gpe_node *node, struct gpe_region *rgn,
			    struct gpe_stream *s)
{
	if (s->top > s->cum && node->now >= s->nack_at)
		s->ack_due = true;
	if (s->unacked >= GPE_ACK_EVERY)
		s->ack_due = true;
	if (s->ack_due) {
		gpe_region_work(node, rgn);
		return;
	}
	if (s->unacked || s->top > s->cum) {
		rgn->ack_at = min(rgn->ack_at, node->now + GPE_ACK_DELAY_NS);
		gpe_region_rearm(node, rgn);
	}
}

/* What came whole, and of no order, waits for nothing that came not. */
static void gpe_rx_early(struct gpe_node *node, struct gpe_region *rgn,
			 struct gpe_stream *s, const struct gpe_pkt_data *d)
{
	u32 i;

	for (i = 0; i < d->n; i++) {
		const struct gpe_item *it = &d->item[i];
		struct gpe_msg *msg;

		if (it->type != GPE_IT_DATA || it->level != GPE_NONE ||
		    d->base + i < s->next)
			continue;
		msg = gpe_msg_at(s, d->base + i);
		if (msg && msg->got == msg->n_frags && !msg->dispatched)
			gpe_take_early(node, rgn, msg);
	}
}

void gpe_region_rx_data(struct gpe_node *node, struct gpe_pkt *pkt)
{
	struct gpe_pkt_data *d = &pkt->data;
	struct gpe_region *rgn;
	struct gpe_stream *s;
	u32 rank, i;

	if (!gpe_rx_gate(node, pkt, d->repair))
		return;
	rgn = gpe_rx_region(node, pkt, d->region, d->dir, &rank);
	if (!rgn)
		return;
	if (d->origin == node->ep.self || !(rgn->mask & gpe_bit(d->origin)) ||
	    (!d->repair && d->origin != rank)) {
		gpe_count(node, GPE_CNT_DROP_REGION);
		return;
	}
	s = gpe_stream(rgn, d->origin);
	for (i = 0; i < d->n; i++) {
		u64 seq = d->base + i;

		if ((seq > s->cut && !gpe_single(node, rgn, d->origin, seq)) ||
		    (d->repair && s->cut == U64_MAX)) {
			gpe_count(node, GPE_CNT_DROP_WEDGED);
			break;
		}
		gpe_rx_item(node, rgn, s, d->origin, seq, &d->item[i],
			    pkt->buf);
	}
	gpe_rx_contiguous(s);
	gpe_advance(node, rgn, s);
	if (d->repair) {
		if (s->cum >= s->cut)
			gpe_view_repaired(node);
		return;
	}
	gpe_rx_early(node, rgn, s, d);
	gpe_told_stable(node, rgn, s, d->stable);
	gpe_rx_ack_when(node, rgn, s);
}

void gpe_region_rx_status(struct gpe_node *node, struct gpe_pkt *pkt)
{
	struct gpe_region *rgn;
	struct gpe_stream *s;
	u32 rank;

	if (!gpe_rx_gate(node, pkt, false))
		return;
	rgn = gpe_rx_region(node, pkt, pkt->ack.region, pkt->ack.dir, &rank);
	if (!rgn)
		return;
	s = gpe_stream(rgn, rank);
	if (pkt->ack.cum > s->cum + GPE_WINDOW_RX) {
		gpe_count(node, GPE_CNT_DROP_WINDOW);
		return;
	}
	if (pkt->ack.cum > s->top)
		s->top = pkt->ack.cum;
	gpe_told_stable(node, rgn, s, pkt->ack.stable);
	s->ack_due = true;
	gpe_region_work(node, rgn);
}

/* ---- acknowledgements of the own stream ---- */

static void gpe_rtt_sample(struct gpe_region *rgn, u64 now)
{
	u64 rtt = now - rgn->rtt_sent;

	rgn->rtt_seq = 0;
	rgn->srtt_ns = rgn->srtt_ns ? (7 * rgn->srtt_ns + rtt) / 8 : rtt;
}

static u64 gpe_rto_base(const struct gpe_region *rgn)
{
	if (!rgn->srtt_ns)
		return GPE_RTO_INIT_NS;
	return clamp_t(u64, 3 * rgn->srtt_ns + GPE_ACK_DELAY_NS,
		       GPE_RTO_MIN_NS, GPE_RTO_MAX_NS);
}

/* Who has not confirmed all that was sent, or the stable mark. */
static u64 gpe_lagging(struct gpe_node *node, struct gpe_region *rgn)
{
	u64 ranks, lag = 0, sent = rgn->tx_next - 1;
	struct gpe_stream *own = gpe_own(node, rgn);

	for (ranks = gpe_others(node, rgn); ranks; ranks &= ranks - 1) {
		struct gpe_peerack *pa = gpe_ack_of(rgn, __ffs64(ranks));

		if (pa->cum < sent || pa->stable < own->stable)
			lag |= ranks & -ranks;
	}
	return lag;
}

static void gpe_cwnd_cut(struct gpe_region *rgn, u64 lost)
{
	if (lost < rgn->recover)
		return;
	rgn->cwnd = max_t(u32, GPE_CWND_MIN, rgn->cwnd * 3 / 4);
	rgn->recover = rgn->tx_next;
}

void gpe_repair_add(struct gpe_peerack *pa, u64 from, u64 to, u8 origin)
{
	u32 i;

	for (i = 0; i < pa->n_repair; i++)
		if (pa->repair[i].origin == origin &&
		    pa->repair[i].from <= from && pa->repair[i].to >= to)
			return;
	if (pa->n_repair == GPE_NACKS_MAX)
		return;
	pa->repair[pa->n_repair].from = from;
	pa->repair[pa->n_repair].to = to;
	pa->repair[pa->n_repair].origin = origin;
	pa->n_repair++;
}

static void gpe_rx_nacks(struct gpe_node *node, struct gpe_region *rgn,
			 struct gpe_peerack *pa, const struct gpe_pkt_ack *ack)
{
	u64 last = rgn->tx_next - 1;
	u32 i;

	if (!ack->n || GPE_BROKEN(GPE_FAULT_NO_REPAIR))
		return;
	/* What was repaired just now is still on its way. */
	if (node->now < pa->sent_at + max_t(u64, rgn->srtt_ns / 2,
					    GPE_NACK_GAP_NS / 2))
		return;
	for (i = 0; i < ack->n; i++) {
		u64 from = max(ack->nack[i].from, pa->cum + 1);
		u64 to = min(ack->nack[i].to, last);

		if (from <= to)
			gpe_repair_add(pa, from, to, node->ep.self);
	}
	if (pa->n_repair) {
		gpe_cwnd_cut(rgn, pa->repair[0].from);
		gpe_region_work(node, rgn);
	}
}

static void gpe_own_stable(struct gpe_node *node, struct gpe_region *rgn)
{
	struct gpe_stream *own = gpe_own(node, rgn);
	u64 ranks, stable = own->top;

	for (ranks = gpe_others(node, rgn); ranks; ranks &= ranks - 1)
		stable = min(stable, gpe_ack_of(rgn, __ffs64(ranks))->cum);
	if (stable <= own->stable)
		return;
	if (rgn->cwnd < GPE_CWND_MAX)
		rgn->cwnd += rgn->recover ? 1 + (stable - own->stable) / 8 :
					    stable - own->stable;
	rgn->cwnd = min_t(u32, rgn->cwnd, GPE_CWND_MAX);
	own->stable = stable;
	gpe_trim(node, rgn, own);
	gpe_group_stable(node, rgn);
	gpe_group_wake_region(node, rgn);
	if (rgn->tx_next <= own->top)
		gpe_tx_push(node, rgn);
}

void gpe_region_rx_ack(struct gpe_node *node, struct gpe_pkt *pkt)
{
	struct gpe_pkt_ack *ack = &pkt->ack;
	struct gpe_region *rgn;
	struct gpe_peerack *pa;
	u32 rank;

	if (!gpe_rx_gate(node, pkt, false))
		return;
	rgn = gpe_rx_region(node, pkt, ack->region, ack->dir, &rank);
	if (!rgn)
		return;
	if (ack->cum >= rgn->tx_next) {
		gpe_count(node, GPE_CNT_DROP_MALFORMED);
		return;
	}
	pa = gpe_ack_of(rgn, rank);
	if (ack->stable > pa->stable)
		pa->stable = ack->stable;
	if (ack->cum > pa->cum) {
		pa->cum = ack->cum;
		if (rgn->rtt_seq && ack->cum >= rgn->rtt_seq)
			gpe_rtt_sample(rgn, node->now);
		rgn->rto_ns = gpe_rto_base(rgn);
		gpe_own_stable(node, rgn);
	}
	gpe_rx_nacks(node, rgn, pa, ack);
	if (!gpe_lagging(node, rgn))
		rgn->rto_at = U64_MAX;
	else if (gpe_own(node, rgn)->stable == rgn->tx_next - 1)
		rgn->rto_at = min(rgn->rto_at, node->now + GPE_ACK_DELAY_NS);
	else
		rgn->rto_at = node->now + rgn->rto_ns;
	gpe_region_rearm(node, rgn);
}

/* ---- timer ---- */

static void gpe_ack_timer(struct gpe_node *node, struct gpe_region *rgn)
{
	u32 i;

	rgn->ack_at = U64_MAX;
	for (i = 0; i < rgn->n; i++) {
		struct gpe_stream *s = &rgn->stream[i];

		if (s == gpe_own(node, rgn))
			continue;
		if (s->unacked || s->top > s->cum)
			s->ack_due = true;
	}
	gpe_region_work(node, rgn);
}

void gpe_region_timer(struct gpe_node *node, struct gpe_region *rgn)
{
	if (node->now >= rgn->ack_at)
		gpe_ack_timer(node, rgn);
	if (node->now >= rgn->rto_at) {
		u64 lag = gpe_lagging(node, rgn);

		rgn->rto_at = U64_MAX;
		rgn->rtt_seq = 0;
		if (lag && !GPE_BROKEN(GPE_FAULT_NO_REPAIR)) {
			rgn->status_to |= lag;
			rgn->rto_at = node->now + rgn->rto_ns;
			rgn->rto_ns = min_t(u64, 2 * rgn->rto_ns,
					    GPE_RTO_MAX_NS);
		}
		gpe_region_work(node, rgn);
	}
	if (node->now >= rgn->hold_at)
		gpe_tx_push(node, rgn);
	if (node->now >= rgn->repair_at)
		gpe_region_work(node, rgn);
	gpe_region_rearm(node, rgn);
}

/* ---- sending ---- */

u64 gpe_paths(const struct gpe_node *node, u64 ranks)
{
	u64 paths = 0;

	for (; ranks; ranks &= ranks - 1) {
		u8 path = node->ep.seat[__ffs64(ranks)].path;

		if (path < GPE_PATHS_MAX)
			paths |= gpe_bit(path);
	}
	return paths;
}

/*
 * One datagram with items of stream @s from *@from on, as many as fit and are
 * not beyond @to; *@from moves on. False when the output is full. Items that
 * are not here (a repair for a peer that asks too much) are passed over.
 */
static bool gpe_tx_items(struct gpe_node *node, struct gpe_region *rgn,
			 u32 origin, u64 *from, u64 to, u64 ranks,
			 bool repair)
{
	u32 room = GPE_HDR_MAX, len, n = 0, body, bytes = 0;
	u32 max = node->frag_len + GPE_DGRAM_SLACK;
	struct gpe_stream *s = gpe_stream(rgn, origin);
	u64 dst_inc = hweight64(ranks) == 1 ?
			      node->ep.seat[__ffs64(ranks)].inc : 0;
	u64 paths = gpe_paths(node, ranks), base = *from;
	u8 *p = gpe_send_begin(node, paths, room);

	if (!p)
		return false;
	body = gpe_wire_open(node, p, GPE_PK_DATA, dst_inc);
	len = body + gpe_wire_body(p + body, 0, 0, 0, 0, 0, 0, 0);
	while (*from <= to && n < GPE_ITEMS_MAX) {
		struct gpe_msg *msg = gpe_msg_at(s, *from);
		struct gpe_seg seg = { NULL, 0, 0 };
		u32 idx, item;

		if (!msg) {
			if (n)
				break;
			base = ++*from;
			continue;
		}
		idx = *from - msg->first_seq;
		item = gpe_wire_item_len(msg, idx);
		if (!gpe_item_is_ctl(msg->type) &&
		    !gpe_msg_frag(msg, idx, &seg)) {
			if (n)
				break;
			base = ++*from;
			continue;
		}
		if (len + item > room ||
		    (n && len + bytes + item + seg.len > max))
			break;
		len += gpe_wire_item(p + len, msg, idx);
		gpe_send_seg(node, &seg);
		bytes += seg.len;
		n++;
		++*from;
	}
	gpe_wire_body(p + body, rgn->mask, base, s->stable, origin, rgn->dir,
		      repair, n);
	gpe_wire_close(p, len);
	gpe_send_end(node, n && paths ? len : 0);
	if (repair || hweight64(ranks) == 1)
		node->counters[GPE_CNT_TX_REPAIRS] += n;
	return true;
}

/* New items, to all at once, as far as the congestion window goes. */
static bool gpe_tx_new(struct gpe_node *node, struct gpe_region *rgn)
{
	struct gpe_stream *own = gpe_own(node, rgn);

	if (gpe_tx_hold(node, rgn))
		return true;
	while (rgn->tx_next <= own->top &&
	       rgn->tx_next - 1 - own->stable < rgn->cwnd) {
		u64 from = rgn->tx_next;
		u64 to = min(own->top, own->stable + rgn->cwnd);

		if (!gpe_tx_items(node, rgn, node->ep.self, &rgn->tx_next, to,
				  gpe_others(node, rgn), false))
			return false;
		node->counters[GPE_CNT_TX_ITEMS] += rgn->tx_next - from;
		if (!rgn->rtt_seq) {
			rgn->rtt_seq = rgn->tx_next - 1;
			rgn->rtt_sent = node->now;
		}
		if (rgn->rto_at == U64_MAX) {
			rgn->rto_at = node->now + rgn->rto_ns;
			gpe_region_rearm(node, rgn);
		}
	}
	return true;
}

static bool gpe_tx_repairs(struct gpe_node *node, struct gpe_region *rgn,
			   bool closing)
{
	u64 ranks;

	for (ranks = gpe_others(node, rgn); ranks; ranks &= ranks - 1) {
		struct gpe_peerack *pa = gpe_ack_of(rgn, __ffs64(ranks));

		while (pa->n_repair) {
			u32 i = pa->n_repair - 1;

			if (!gpe_tx_items(node, rgn, pa->repair[i].origin,
					  &pa->repair[i].from,
					  pa->repair[i].to, ranks & -ranks,
					  closing))
				return false;
			if (pa->repair[i].from > pa->repair[i].to)
				pa->n_repair--;
			pa->sent_at = node->now;
		}
	}
	return true;
}

static bool gpe_tx_ack(struct gpe_node *node, struct gpe_region *rgn,
		       u32 rank)
{
	struct gpe_stream *s = gpe_stream(rgn, rank);
	struct gpe_range r[GPE_NACKS_MAX];
	u32 n = 0, i, len, body;
	u8 *p = gpe_send_begin(node, gpe_paths(node, gpe_bit(rank)),
			       GPE_HDR_MAX);

	if (!p)
		return false;
	if (s->top > s->cum) {
		if (node->now >= s->nack_at) {
			n = gpe_missing(s, s->cum + 1, s->top, r,
					GPE_NACKS_MAX);
			s->nack_at = node->now + max_t(u64, GPE_NACK_GAP_NS,
						       rgn->srtt_ns);
		}
		rgn->ack_at = min(rgn->ack_at, s->nack_at);
		gpe_region_rearm(node, rgn);
	}
	body = gpe_wire_open(node, p, GPE_PK_ACK, node->ep.seat[rank].inc);
	len = body + gpe_wire_body(p + body, rgn->mask, s->cum, s->stable, n,
				   rgn->dir, false, 0);
	for (i = 0; i < n; i++)
		len += gpe_wire_range(p + len, r[i].from, r[i].to);
	gpe_wire_close(p, len);
	gpe_send_end(node, gpe_paths(node, gpe_bit(rank)) ? len : 0);
	s->ack_due = false;
	s->unacked = 0;
	return true;
}

static bool gpe_tx_status(struct gpe_node *node, struct gpe_region *rgn)
{
	struct gpe_stream *own = gpe_own(node, rgn);
	u64 paths = gpe_paths(node, rgn->status_to);
	u32 body, len;
	u8 *p;

	if (!rgn->status_to)
		return true;
	p = gpe_send_begin(node, paths, GPE_HDR_MAX);
	if (!p)
		return false;
	body = gpe_wire_open(node, p, GPE_PK_STATUS, 0);
	len = body + gpe_wire_body(p + body, rgn->mask, rgn->tx_next - 1,
				   own->stable, 0, rgn->dir, false, 0);
	gpe_wire_close(p, len);
	gpe_send_end(node, paths ? len : 0);
	rgn->status_to = 0;
	return true;
}

static bool gpe_tx_acks(struct gpe_node *node, struct gpe_region *rgn)
{
	u64 ranks;

	for (ranks = gpe_others(node, rgn); ranks; ranks &= ranks - 1) {
		u32 rank = __ffs64(ranks);

		if (gpe_stream(rgn, rank)->ack_due &&
		    !gpe_tx_ack(node, rgn, rank))
			return false;
	}
	return true;
}

/* ---- the end ---- */

static void gpe_list_put(struct gpe_node *node, struct list_head *list)
{
	struct gpe_msg *msg, *next;

	list_for_each_entry_safe(msg, next, list, tq) {
		list_del_init(&msg->tq);
		gpe_msg_put(node, msg);
	}
}

static void gpe_region_free(struct gpe_node *node, struct gpe_region *rgn)
{
	struct gpe_stage *st, *st_next;
	struct gpe_msg *msg;
	u32 i;

	gpe_timer_cancel(node, &rgn->timer);
	list_for_each_entry_safe(st, st_next, &rgn->closing, closing)
		list_del_init(&st->closing);
	list_for_each_entry_safe(st, st_next, &rgn->waits, wait)
		list_del_init(&st->wait);
	gpe_list_put(node, &rgn->recs);
	for (i = 0; i < rgn->n; i++) {
		struct gpe_stream *s = &rgn->stream[i];

		gpe_list_put(node, &s->unordered);
		while ((msg = gpe_msg_first(s)))
			gpe_msg_unlink(node, s, msg);
	}
	list_del(&rgn->all);
	list_del(&rgn->work);
	list_del(&rgn->seq_work);
	list_del(&rgn->mark_work);
	rb_erase(&rgn->rb, &node->region_tree);
	node->n_regions--;
	gpe_free(rgn->stream);
	gpe_free(rgn->ack);
	gpe_free(rgn);
}

void gpe_region_free_all(struct gpe_node *node)
{
	gpe_region_drop_cut(node);
	while (!list_empty(&node->regions))
		gpe_region_free(node, list_first_entry(&node->regions,
						       struct gpe_region,
						       all));
}

/* ---- the pump ---- */

static bool gpe_region_tx(struct gpe_node *node, struct gpe_region *rgn)
{
	if (node->state != GPE_ST_NORMAL)
		return gpe_tx_wants(node, rgn) &&
		       gpe_tx_repairs(node, rgn, true);
	return gpe_tx_acks(node, rgn) && gpe_tx_status(node, rgn) &&
	       gpe_tx_repairs(node, rgn, false) && gpe_tx_new(node, rgn);
}

void gpe_region_pump(struct gpe_node *node)
{
	/* In doubt everything stays due until a quorum has answered. */
	if (node->state == GPE_ST_NORMAL && !gpe_moving(node))
		return;
	while (!list_empty(&node->work_regions)) {
		struct gpe_region *rgn = list_first_entry(
			&node->work_regions, struct gpe_region, work);

		if (!gpe_region_tx(node, rgn))
			return;
		list_del_init(&rgn->work);
	}
}
