// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Credit: room in the receivers' queues, taken before a message is numbered.
 *
 * Each node with members of a group tells each sending node of that group, as
 * one growing number, how far the cost of what that node sends may go:
 *
 *	limit = got - unread + base + grant
 *
 * got: cost delivered from that sender in this epoch; unread: what the slowest
 * local member has not read of it. base: a share of half the members' limit.
 * A message above the base needs a grant: one at a time and node, as large as
 * the message, from the other half; so what can be unread never passes one and
 * a half times the limit, and events have the rest up to twice. There is none
 * while more than half the limit is unread: it may be the large message of one
 * who left, or of an epoch before.
 *
 * A sender asks for grants in order of rank and waits for one before it asks
 * the next; resources taken in one order by all cannot deadlock (Havender
 * 1968). Numbers and not differences are told, so a lost, doubled or late
 * packet changes nothing; a blocked sender asks again until it is answered.
 * Who gives a grant back raises its serial, and answers to older questions
 * count for nothing. It says what it has sent until then, since a message that
 * uses the grant may be on its way. Who holds a grant for somebody says so
 * again until it is used: a question that came late, after the message it was
 * for, is answered by giving the grant back.
 */
#include "gpe_int.h"

/* The entry that a message counts in: none, it had gone. */
#define GPE_CREDIT_NOBODY	U32_MAX

/* Bytes of an entry on the wire. */
#define GPE_CREDIT_LEN	36

/* What an entry says: a limit; a question; a limit with a grant in it. */
enum { GPE_CREDIT_TELL, GPE_CREDIT_ASK, GPE_CREDIT_HELD };

static u64 gpe_credit_base(const struct gpe_group *grp)
{
	u32 n = hweight64(grp->mask);
	u64 base = grp->limit == U32_MAX ? GPE_LIMIT_SLACK :
					   grp->limit / 2 / (n ? n : 1);

	return base > 4 * GPE_RECORD_COST ? base : 4 * GPE_RECORD_COST;
}

static u64 gpe_credit_limit_now(const struct gpe_credit *cr)
{
	u64 room = gpe_credit_base(cr->grp) + cr->grant;

	return cr->got + (room > cr->unread ? room - cr->unread : 0);
}

static struct gpe_credit *gpe_credit_of(const struct gpe_group *grp, u32 id,
					u64 inc)
{
	struct gpe_credit *cr;

	list_for_each_entry(cr, &grp->credits, list)
		if (cr->id == id && cr->inc == inc)
			return cr;
	return NULL;
}

static bool gpe_credit_self(const struct gpe_node *node,
			    const struct gpe_credit *cr)
{
	return cr->id == node->cfg.id && cr->inc == node->inc;
}

static void gpe_credit_due(struct gpe_node *node, struct gpe_credit *cr)
{
	if (list_empty(&cr->work) && !gpe_credit_self(node, cr))
		list_add_tail(&cr->work, &node->work_credit);
}

/* A submit of this group was refused: it may go now. */
static void gpe_credit_wake(struct gpe_group *grp)
{
	if (!list_empty(&grp->waiting))
		grp->wake_due = true;
}

/* ---- grants of this node ---- */

static bool gpe_grant_free(const struct gpe_group *grp)
{
	return grp->grant_rank == 0xff && grp->unread <= grp->limit / 2;
}

/*
 * The grant is free: the lowest rank that waits gets it. Who holds it may
 * raise it until it is used. Return: an entry that has more room, or NULL.
 */
static struct gpe_credit *gpe_grant_give(struct gpe_node *node,
					 struct gpe_group *grp)
{
	u64 base = gpe_credit_base(grp);
	struct gpe_credit *cr, *best = NULL;
	bool is_free = gpe_grant_free(grp);

	list_for_each_entry(cr, &grp->credits, list) {
		if (cr->granted && cr->rank == grp->grant_rank)
			best = cr;
		if (is_free && cr->their_want > base &&
		    (!best || cr->rank < best->rank))
			best = cr;
	}
	if (!best || (best->granted &&
		      (best->grant_used || best->grant >= best->their_want)))
		return NULL;
	grp->grant_rank = best->rank;
	best->grant = best->their_want;
	best->granted = true;
	if (!gpe_credit_self(node, best))
		list_move_tail(&best->held, &node->held_credit);
	gpe_credit_due(node, best);
	return best;
}

static void gpe_grant_next(struct gpe_node *node, struct gpe_group *grp)
{
	struct gpe_credit *cr = gpe_grant_give(node, grp);

	if (cr && gpe_credit_self(node, cr))
		gpe_credit_wake(grp);
}

static void gpe_grant_end(struct gpe_node *node, struct gpe_credit *cr)
{
	struct gpe_group *grp = cr->grp;

	cr->grant = 0;
	cr->granted = false;
	cr->grant_used = false;
	cr->giving_back = false;
	cr->their_want = 0;
	list_del_init(&cr->held);
	if (grp->grant_rank == cr->rank)
		grp->grant_rank = 0xff;
	gpe_grant_next(node, grp);
}

/* The large message was read: its room is free for the next one. */
static void gpe_grant_check(struct gpe_node *node, struct gpe_credit *cr)
{
	if (cr->granted && cr->grant_used &&
	    cr->unread <= gpe_credit_base(cr->grp))
		gpe_grant_end(node, cr);
}

/* The sender does without: once what it sent before it said so is here. */
static void gpe_grant_back(struct gpe_node *node, struct gpe_credit *cr)
{
	if (!cr->giving_back || cr->got < cr->their_sent)
		return;
	cr->giving_back = false;
	if (cr->granted && !cr->grant_used)
		gpe_grant_end(node, cr);
}

/* ---- entries ---- */

static void gpe_credit_del(struct gpe_node *node, struct gpe_credit *cr)
{
	struct gpe_group *grp = cr->grp;
	bool granted = cr->granted;

	list_del(&cr->list);
	list_del(&cr->work);
	list_del(&cr->ask);
	list_del(&cr->held);
	if (granted && grp->grant_rank == cr->rank) {
		grp->grant_rank = 0xff;
		gpe_grant_next(node, grp);
	}
	gpe_free(cr);
}

void gpe_credit_free(struct gpe_node *node, struct gpe_group *grp)
{
	struct gpe_credit *cr, *next;

	list_for_each_entry_safe(cr, next, &grp->credits, list) {
		cr->granted = false;
		gpe_credit_del(node, cr);
	}
	grp->grant_rank = 0xff;
}

static void gpe_credit_restart(struct gpe_credit *cr)
{
	cr->k = 0;
	cr->sent = 0;
	cr->limit = 0;
	cr->serial = 0;
	cr->want = 0;
	cr->got = 0;
	cr->told = 0;
	cr->their_serial = 0;
	cr->their_want = 0;
	cr->grant = 0;
	cr->granted = false;
	cr->grant_used = false;
	cr->giving_back = false;
	list_del_init(&cr->ask);
	list_del_init(&cr->held);
}

static int gpe_credit_add(struct gpe_node *node, struct gpe_group *grp,
			  u32 rank, u64 k)
{
	struct gpe_credit *cr = gpe_alloc(sizeof(*cr));

	if (!cr)
		return -ENOMEM;
	INIT_LIST_HEAD(&cr->work);
	INIT_LIST_HEAD(&cr->ask);
	INIT_LIST_HEAD(&cr->held);
	cr->grp = grp;
	cr->rank = rank;
	cr->id = node->ep.seat[rank].id;
	cr->inc = node->ep.seat[rank].inc;
	cr->k = k;
	cr->nr = ++node->credits;
	list_add_tail(&cr->list, &grp->credits);
	gpe_credit_due(node, cr);
	return 0;
}

/**
 * gpe_credit_prepare() - entries for a view that is to be the latest
 * @node: the node
 * @grp: its @mask is still that of the view before
 * @mask: nodes of the view
 * @k: change that makes it the latest; 0 at the opening of an epoch
 *
 * Both sides of a pair know it by the change that brought them together, so an
 * entry must not be made at a later one. What is added is found again when the
 * change is tried again.
 *
 * Return: 0, or -ENOMEM: the change must not be applied.
 */
int gpe_credit_prepare(struct gpe_node *node, struct gpe_group *grp, u64 mask,
		       u64 k)
{
	struct gpe_credit *cr;
	u64 have = 0, ranks;
	int ret = 0;

	if (!(mask & gpe_bit(node->ep.self)))
		return 0;
	list_for_each_entry(cr, &grp->credits, list) {
		int rank = gpe_rank_of(node, cr->id, cr->inc);

		if (rank >= 0)
			have |= gpe_bit(rank);
	}
	for (ranks = mask & ~have; ranks && !ret; ranks &= ranks - 1)
		ret = gpe_credit_add(node, grp, __ffs64(ranks), k);
	return ret;
}

/**
 * gpe_credit_sync() - drop the entries that are not in the latest view
 * @node: the node
 * @grp: its @mask is that of the latest view, which was prepared for
 * @new_epoch: every count starts afresh
 *
 * A sender that is blocked tries again: who held it up may be gone, and whom it
 * has to ask next it finds out then.
 */
void gpe_credit_sync(struct gpe_node *node, struct gpe_group *grp,
		     bool new_epoch)
{
	bool in = grp->mask & gpe_bit(node->ep.self);
	struct gpe_credit *cr, *next;

	if (new_epoch)
		grp->grant_rank = 0xff;
	list_for_each_entry_safe(cr, next, &grp->credits, list) {
		int rank = gpe_rank_of(node, cr->id, cr->inc);

		if (!in || rank < 0 || !(grp->mask & gpe_bit(rank))) {
			gpe_credit_del(node, cr);
			continue;
		}
		cr->rank = rank;
		if (new_epoch)
			gpe_credit_restart(cr);
		gpe_credit_due(node, cr);
	}
	/* All are woken when an epoch has opened, and not before. */
	if (!new_epoch)
		gpe_credit_wake(grp);
}

/* ---- sending ---- */

static struct gpe_credit *gpe_credit_rank(const struct gpe_group *grp,
					  u32 rank)
{
	struct gpe_credit *cr;

	list_for_each_entry(cr, &grp->credits, list)
		if (cr->rank == rank)
			return cr;
	return NULL;
}

static u64 gpe_credit_room(const struct gpe_node *node, struct gpe_credit *cr)
{
	u64 limit = gpe_credit_self(node, cr) ? gpe_credit_limit_now(cr) :
						cr->limit;

	return limit > cr->sent ? limit - cr->sent : 0;
}

/* Ask @cr for room for a message of @cost. */
static void gpe_credit_ask(struct gpe_node *node, struct gpe_credit *cr,
			   u32 cost)
{
	bool more = cost > cr->want;

	cr->wanted_at = node->now;
	if (more)
		cr->want = cost;
	if (gpe_credit_self(node, cr)) {
		/* No wake: who asks sees the room at once. */
		cr->their_want = max_t(u64, cr->their_want, cost);
		gpe_grant_give(node, cr->grp);
	}
	/* A larger message of another socket does not wait its turn. */
	if (!list_empty(&cr->ask) && !more)
		return;
	if (list_empty(&cr->ask))
		list_add_tail(&cr->ask, &node->ask_credit);
	cr->ask_gap = GPE_CREDIT_ASK_NS;
	cr->asked_at = 0;
}

/* Gives back what was granted; said until it is answered. */
static void gpe_credit_forgo(struct gpe_node *node, struct gpe_credit *cr)
{
	cr->want = 0;
	cr->serial++;
	cr->limit = cr->sent;
	cr->asked_at = 0;
	cr->ask_gap = GPE_CREDIT_ASK_NS;
	if (list_empty(&cr->ask))
		list_add_tail(&cr->ask, &node->ask_credit);
}

/*
 * Gives back what was granted at ranks beyond @rank, since it is to be waited
 * for there: a smaller message of another socket may have used up room that
 * had been asked for first.
 */
static void gpe_credit_release(struct gpe_node *node, struct gpe_group *grp,
			       u32 rank)
{
	struct gpe_credit *cr;

	list_for_each_entry(cr, &grp->credits, list) {
		if (cr->rank <= rank)
			continue;
		if (!cr->want)
			continue;
		cr->want = 0;
		if (gpe_credit_self(node, cr)) {
			cr->their_want = 0;
			if (cr->granted && !cr->grant_used)
				gpe_grant_end(node, cr);
			continue;
		}
		gpe_credit_forgo(node, cr);
	}
}

enum gpe_block gpe_credit_check(struct gpe_node *node, struct gpe_group *grp,
				u64 mask, u32 cost)
{
	enum gpe_block block = GPE_BLOCK_NONE;
	bool asked = false;
	u64 ranks;

	if (GPE_BROKEN(GPE_FAULT_CREDIT_ANY))
		return GPE_BLOCK_NONE;
	for (ranks = mask; ranks; ranks &= ranks - 1) {
		struct gpe_credit *cr = gpe_credit_rank(grp, __ffs64(ranks));

		if (GPE_ASSERT(cr))
			return GPE_BLOCK_CREDIT;
		/* What was asked for first is wanted as long as the last. */
		if (cr->want)
			cr->wanted_at = node->now;
		if (gpe_credit_room(node, cr) >= cost)
			continue;
		/* Only the first in rank is asked: see the head comment. */
		if (!asked) {
			gpe_credit_release(node, grp, cr->rank);
			gpe_credit_ask(node, cr, cost);
		}
		/* Our own grant may be there at once: the next one's turn. */
		if (gpe_credit_self(node, cr) &&
		    gpe_credit_room(node, cr) >= cost)
			continue;
		asked = true;
		if (block == GPE_BLOCK_NONE && gpe_credit_self(node, cr))
			block = GPE_BLOCK_SELF;
		else
			block = GPE_BLOCK_CREDIT;
	}
	return block;
}

void gpe_credit_take(struct gpe_node *node, struct gpe_group *grp, u64 mask,
		     u32 cost)
{
	struct gpe_credit *cr;

	(void)node;
	list_for_each_entry(cr, &grp->credits, list) {
		if (!(mask & gpe_bit(cr->rank)))
			continue;
		cr->sent += cost;
		/* Room asked for a larger message is still to be used, or to
		 * be given back.
		 */
		if (cost < cr->want)
			continue;
		cr->want = 0;
		list_del_init(&cr->ask);
	}
}

/* ---- receiving ---- */

/* Tell when a quarter of the base has become free since the last time. */
static void gpe_credit_tell(struct gpe_node *node, struct gpe_credit *cr)
{
	u64 now = gpe_credit_limit_now(cr);

	if (now >= cr->told + gpe_credit_base(cr->grp) / 4)
		gpe_credit_due(node, cr);
	if (gpe_credit_self(node, cr))
		gpe_credit_wake(cr->grp);
}

/**
 * gpe_credit_delivered() - a message has left its stage
 * @node: the node
 * @grp: its group
 * @msg: the message
 * @read: nobody here will read it
 */
void gpe_credit_delivered(struct gpe_node *node, struct gpe_group *grp,
			  struct gpe_msg *msg, bool read)
{
	struct gpe_credit *cr =
		gpe_credit_of(grp, msg->sender.node, msg->sender.inc);
	u32 cost = gpe_cost(msg->len);

	if (!read) {
		grp->unread += cost;
		msg->credit = GPE_CREDIT_NOBODY;
	}
	if (!cr)
		return;
	/*
	 * What was sent before the pair came (back) to be in the group was
	 * charged to an entry that is gone.
	 */
	if (msg->epoch == node->ep.epoch &&
	    (!cr->k || (msg->vid.epoch == msg->epoch && msg->vid.seq >= cr->k)))
		cr->got += cost;
	/* The base may have grown past the message since it was asked for. */
	if (cr->granted && (cost > gpe_credit_base(grp) || cost >= cr->grant)) {
		cr->grant_used = true;
		list_del_init(&cr->held);
	}
	if (cost >= cr->their_want)
		cr->their_want = 0;
	if (!read) {
		cr->unread += cost;
		msg->credit = cr->nr;
	}
	gpe_grant_back(node, cr);
	if (!read)
		return;
	gpe_grant_check(node, cr);
	gpe_credit_tell(node, cr);
}

/* A message was read: there is room again. */
static void gpe_credit_read(struct gpe_node *node, struct gpe_group *grp,
			    const struct gpe_msg *msg)
{
	struct gpe_credit *cr =
		gpe_credit_of(grp, msg->sender.node, msg->sender.inc);
	u32 cost = gpe_cost(msg->len);
	bool was_free = gpe_grant_free(grp);

	grp->unread -= min_t(u64, grp->unread, cost);
	if (cr && cr->nr == msg->credit) {
		if (!GPE_BROKEN(GPE_FAULT_CREDIT_LEAK))
			cr->unread -= min_t(u64, cr->unread, cost);
		gpe_grant_check(node, cr);
		gpe_credit_tell(node, cr);
	}
	if (!was_free && gpe_grant_free(grp))
		gpe_grant_next(node, grp);
}

void gpe_credit_consumed(struct gpe_node *node, struct list_head *recs)
{
	struct gpe_rec *rec, *next;

	list_for_each_entry_safe(rec, next, recs, link) {
		struct gpe_msg *msg = container_of(rec, struct gpe_msg, rec);
		struct gpe_group *grp;

		list_del_init(&rec->link);
		if (rec->type != GPE_REC_MSG) {
			gpe_rec_free(node, rec);
			continue;
		}
		grp = gpe_group_by_gid(node, msg->gid);
		if (grp && msg->credit)
			gpe_credit_read(node, grp, msg);
		gpe_msg_put(node, msg);
	}
}

/**
 * gpe_credit_locals() - the local members, or their limits, have changed
 * @node: the node
 * @grp: their group
 */
void gpe_credit_locals(struct gpe_node *node, struct gpe_group *grp)
{
	struct gpe_local *loc;
	struct gpe_credit *cr;

	grp->limit = U32_MAX;
	list_for_each_entry(loc, &grp->locals, in_grp)
		if (loc->limit < grp->limit)
			grp->limit = loc->limit;
	list_for_each_entry(cr, &grp->credits, list)
		gpe_credit_tell(node, cr);
}

void gpe_credit_limit(struct gpe_node *node, struct gpe_ev_limit *ev)
{
	struct gpe_local *loc = *ev->local_at;

	if (!loc)
		return;
	loc->limit = ev->limit;
	if (loc->grp)
		gpe_credit_locals(node, loc->grp);
}

/* ---- packets ---- */

int gpe_credit_decode(const u8 *p, u32 len, struct gpe_pkt *pkt)
{
	struct gpe_pkt_credit *body = &pkt->credit;
	u32 i;

	if (len < 4 || !p[0] || p[0] > GPE_CREDITS_MAX || p[1] || p[2] || p[3])
		return GPE_CNT_DROP_MALFORMED + 1;
	body->n = p[0];
	if (len != 4u + body->n * GPE_CREDIT_LEN)
		return GPE_CNT_DROP_SHORT + 1;
	p += 4;
	for (i = 0; i < body->n; i++, p += GPE_CREDIT_LEN) {
		body->c[i].gid = get_unaligned_be64(p);
		body->c[i].k = get_unaligned_be64(p + 8);
		body->c[i].limit = get_unaligned_be64(p + 16);
		body->c[i].serial = get_unaligned_be32(p + 24);
		body->c[i].want = get_unaligned_be32(p + 28);
		body->c[i].ask = p[32];
		if (p[32] > GPE_CREDIT_HELD || p[33] || p[34] || p[35] ||
		    body->c[i].want > GPE_MSG_MAX + GPE_RECORD_COST)
			return GPE_CNT_DROP_MALFORMED + 1;
	}
	return 0;
}

static void gpe_credit_asked(struct gpe_node *node, struct gpe_credit *cr,
			     u32 serial, u32 want, u64 sent)
{
	/* Serials only grow within an epoch: an older question is late. */
	if ((s32)(serial - cr->their_serial) < 0)
		return;
	if (serial != cr->their_serial) {
		cr->their_serial = serial;
		cr->their_want = 0;
		cr->their_sent = sent;
		cr->giving_back = true;
		gpe_grant_back(node, cr);
	}
	if (want > cr->their_want)
		cr->their_want = want;
	if (!cr->giving_back)
		gpe_grant_next(node, cr->grp);
	gpe_credit_due(node, cr);
}

static void gpe_credit_told(struct gpe_node *node, struct gpe_credit *cr,
			    u32 serial, u64 limit, bool held)
{
	if (serial != cr->serial)
		return;
	if (!cr->want && held) {
		gpe_credit_forgo(node, cr);
		return;
	}
	if (!cr->want)
		list_del_init(&cr->ask);
	if (limit <= cr->limit)
		return;
	cr->limit = limit;
	gpe_credit_wake(cr->grp);
}

void gpe_credit_rx(struct gpe_node *node, struct gpe_pkt *pkt)
{
	u32 i;

	if (pkt->epoch != node->ep.epoch || node->state != GPE_ST_NORMAL) {
		gpe_count(node, GPE_CNT_DROP_EPOCH);
		return;
	}
	for (i = 0; i < pkt->credit.n; i++) {
		struct gpe_group *grp =
			gpe_group_by_gid(node, pkt->credit.c[i].gid);
		struct gpe_credit *cr = NULL;

		/* One that is not open yet would forget it: it is to be asked
		 * for again.
		 */
		if (grp && !(node->opening.on && grp->gid > node->opening.gid))
			cr = gpe_credit_of(grp, pkt->src, pkt->src_inc);
		if (!cr || cr->k != pkt->credit.c[i].k)
			continue;
		if (pkt->credit.c[i].ask == GPE_CREDIT_ASK)
			gpe_credit_asked(node, cr, pkt->credit.c[i].serial,
					 pkt->credit.c[i].want,
					 pkt->credit.c[i].limit);
		else
			gpe_credit_told(node, cr, pkt->credit.c[i].serial,
					pkt->credit.c[i].limit,
					pkt->credit.c[i].ask ==
						GPE_CREDIT_HELD);
	}
}

static void gpe_credit_put(const struct gpe_credit *cr, u8 *p, bool ask)
{
	put_unaligned_be64(cr->grp->gid, p);
	put_unaligned_be64(cr->k, p + 8);
	put_unaligned_be64(ask ? cr->sent : gpe_credit_limit_now(cr), p + 16);
	put_unaligned_be32(ask ? cr->serial : cr->their_serial, p + 24);
	put_unaligned_be32(ask ? cr->want : 0, p + 28);
	if (ask)
		p[32] = GPE_CREDIT_ASK;
	else
		p[32] = list_empty(&cr->held) ? GPE_CREDIT_TELL :
						GPE_CREDIT_HELD;
	memset(p + 33, 0, 3);
}

/* Begins a packet to the node of @cr: NULL when the output is full. */
static u8 *gpe_credit_begin(struct gpe_node *node, const struct gpe_credit *cr,
			    u32 *len)
{
	const struct gpe_seat *seat = &node->ep.seat[cr->rank];
	u8 *pkt = gpe_send_begin(node, gpe_bit(seat->path), GPE_HDR_MAX);

	if (pkt)
		*len = gpe_wire_open(node, pkt, GPE_PK_CREDIT, seat->inc);
	return pkt;
}

static void gpe_credit_end(struct gpe_node *node, u8 *pkt, u32 len, u32 n)
{
	put_unaligned_be32(n << 24, pkt + len);
	len += 4 + n * GPE_CREDIT_LEN;
	gpe_wire_close(pkt, len);
	gpe_send_end(node, len);
}

static bool gpe_credit_reachable(const struct gpe_node *node,
				 const struct gpe_credit *cr)
{
	return node->ep.seat[cr->rank].path < GPE_PATHS_MAX;
}

/* New limits: one packet takes as many as are for the same node in a row. */
static bool gpe_credit_tell_pump(struct gpe_node *node)
{
	while (!list_empty(&node->work_credit)) {
		struct gpe_credit *cr = list_first_entry(
			&node->work_credit, struct gpe_credit, work);
		u32 rank = cr->rank, n = 0, len;
		u8 *pkt;

		/* Nobody to tell yet: the other side will ask. */
		if (!gpe_credit_reachable(node, cr)) {
			list_del_init(&cr->work);
			continue;
		}
		pkt = gpe_credit_begin(node, cr, &len);
		if (!pkt)
			return false;
		while (n < GPE_CREDITS_MAX && !list_empty(&node->work_credit)) {
			cr = list_first_entry(&node->work_credit,
					      struct gpe_credit, work);
			if (cr->rank != rank)
				break;
			gpe_credit_put(cr, pkt + len + 4 + n * GPE_CREDIT_LEN,
				       false);
			cr->told = gpe_credit_limit_now(cr);
			list_del_init(&cr->work);
			n++;
		}
		gpe_credit_end(node, pkt, len, n);
	}
	return true;
}

/*
 * A grant that nobody used although it was said to be there is given back: the
 * sender has given up.
 */
static void gpe_credit_idle(struct gpe_node *node, struct gpe_credit *cr)
{
	if (!cr->want || !list_empty(&cr->grp->waiting) ||
	    node->now <= cr->wanted_at + GPE_CREDIT_IDLE_NS)
		return;
	if (!gpe_credit_self(node, cr)) {
		gpe_credit_forgo(node, cr);
		return;
	}
	cr->want = 0;
	cr->their_want = 0;
	if (cr->granted && !cr->grant_used)
		gpe_grant_end(node, cr);
}

/* Questions whose time has come. */
static bool gpe_credit_ask_pump(struct gpe_node *node)
{
	struct gpe_credit *cr, *next;
	u64 at = U64_MAX;
	u32 len;
	u8 *pkt;

	list_for_each_entry_safe(cr, next, &node->ask_credit, ask) {
		gpe_credit_idle(node, cr);
		if (gpe_credit_self(node, cr)) {
			/* Nobody to ask; here for the look just taken. */
			if (!cr->want)
				list_del_init(&cr->ask);
			else
				at = min_t(u64, at, node->now +
					   GPE_CREDIT_ASK_MAX_NS);
			continue;
		}
		if (cr->asked_at + cr->ask_gap <= node->now &&
		    gpe_credit_reachable(node, cr)) {
			pkt = gpe_credit_begin(node, cr, &len);
			if (!pkt)
				return false;
			gpe_credit_put(cr, pkt + len + 4, true);
			gpe_credit_end(node, pkt, len, 1);
			cr->asked_at = node->now;
			cr->ask_gap = min_t(u64, cr->ask_gap * 2,
					    GPE_CREDIT_ASK_MAX_NS);
		}
		at = min_t(u64, at, cr->asked_at + cr->ask_gap);
	}
	if (at != U64_MAX)
		gpe_timer_set(node, &node->credit_timer,
			      max_t(u64, at, node->now + GPE_CREDIT_ASK_NS / 2));
	return true;
}

void gpe_credit_timer(struct gpe_node *node)
{
	struct gpe_credit *cr;

	/* The pump of this very step looks at the questions. */
	list_for_each_entry(cr, &node->held_credit, held)
		gpe_credit_due(node, cr);
}

void gpe_credit_pump(struct gpe_node *node)
{
	if (!gpe_moving(node))
		return;
	if (gpe_credit_tell_pump(node) && !list_empty(&node->ask_credit))
		gpe_credit_ask_pump(node);
	if (!list_empty(&node->held_credit))
		gpe_timer_sooner(node, &node->credit_timer,
				 node->now + GPE_CREDIT_ASK_MAX_NS);
}
