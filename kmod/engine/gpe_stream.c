// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The messages of a stream: a tree by first item, trimmed when stable. */
#include "gpe_int.h"
#include "gpe_stream.h"

/* The message that item @seq belongs to, or the last one before it. */
struct gpe_msg *gpe_msg_floor(struct gpe_stream *s, u64 seq)
{
	struct rb_node *p = s->msgs.rb_node;
	struct gpe_msg *best = NULL;

	if (s->hint && s->hint->first_seq <= seq &&
	    gpe_msg_last_seq(s->hint) >= seq)
		return s->hint;
	while (p) {
		struct gpe_msg *msg = rb_entry(p, struct gpe_msg, rb);

		if (msg->first_seq <= seq) {
			best = msg;
			p = p->rb_right;
		} else {
			p = p->rb_left;
		}
	}
	if (best)
		s->hint = best;
	return best;
}

struct gpe_msg *gpe_msg_at(struct gpe_stream *s, u64 seq)
{
	struct gpe_msg *msg = gpe_msg_floor(s, seq);

	return msg && gpe_msg_last_seq(msg) >= seq ? msg : NULL;
}

struct gpe_msg *gpe_msg_next(struct gpe_msg *msg)
{
	struct rb_node *p = rb_next(&msg->rb);

	return p ? rb_entry(p, struct gpe_msg, rb) : NULL;
}

struct gpe_msg *gpe_msg_first(struct gpe_stream *s)
{
	struct rb_node *p = rb_first(&s->msgs);

	return p ? rb_entry(p, struct gpe_msg, rb) : NULL;
}

void gpe_msg_insert(struct gpe_stream *s, struct gpe_msg *msg)
{
	struct rb_node **p = &s->msgs.rb_node, *parent = NULL;

	while (*p) {
		parent = *p;
		if (msg->first_seq <
		    rb_entry(parent, struct gpe_msg, rb)->first_seq)
			p = &parent->rb_left;
		else
			p = &parent->rb_right;
	}
	rb_link_node(&msg->rb, parent, p);
	rb_insert_color(&msg->rb, &s->msgs);
	s->hint = msg;
}

void gpe_msg_unlink(struct gpe_node *node, struct gpe_stream *s,
		    struct gpe_msg *msg)
{
	if (s->hint == msg)
		s->hint = NULL;
	rb_erase(&msg->rb, &s->msgs);
	RB_CLEAR_NODE(&msg->rb);
	gpe_msg_put(node, msg);
}

/* Lets go of what is stable and dispatched. */
void gpe_trim(struct gpe_node *node, struct gpe_region *rgn,
	      struct gpe_stream *s)
{
	bool own = s == gpe_own(node, rgn);
	bool hurry = false;
	u64 k = s->stable_k;
	struct gpe_msg *msg;

	while ((msg = gpe_msg_first(s))) {
		if (gpe_msg_last_seq(msg) > s->stable || !msg->dispatched)
			break;
		if (msg->type == GPE_IT_MARK)
			k = max(k, get_unaligned_be64(msg->inl));
		if (own && gpe_item_is_ctl(msg->type))
			rgn->inflight_ctl--;
		else if (own)
			rgn->inflight_data -= msg->n_frags;
		hurry |= msg->hurry;
		gpe_msg_unlink(node, s, msg);
	}
	if (k != s->stable_k) {
		s->stable_k = k;
		hurry = true;
		gpe_group_stable(node, rgn);
	}
	/* Views, or safe messages, may wait for this at the others. */
	if (hurry && own && rgn->n > 1) {
		rgn->status_to |= rgn->mask & ~gpe_bit(node->ep.self);
		gpe_region_work(node, rgn);
	}
}

/* ---- receiving ---- */

bool gpe_msg_fits(const struct gpe_msg *msg, const struct gpe_item *it)
{
	return msg->type == it->type && msg->level == it->level &&
	       msg->n_frags == it->n_frags && msg->len == it->total &&
	       (it->n_frags == 1 || msg->frag_len == it->frag_len) &&
	       msg->gid == it->gid && msg->sender.port == it->port;
}

/* What comes with the first fragment; false without memory. */
static bool gpe_rx_ext(struct gpe_node *node, struct gpe_msg *msg,
		       const struct gpe_item *it)
{
	if (it->idx)
		return true;
	if (it->vec_mask) {
		msg->vec = gpe_cell_get(node);
		if (!msg->vec) {
			gpe_count(node, GPE_CNT_DROP_NOMEM);
			return false;
		}
		msg->vec->mask = it->vec_mask;
		memcpy(msg->vec->seq, it->vec,
		       hweight64(it->vec_mask) * GPE_VEC_SEQ);
	}
	msg->lamport = it->lamport;
	msg->after = it->rec;
	return true;
}

bool gpe_rx_frag(struct gpe_node *node, struct gpe_msg *msg,
		 const struct gpe_item *it, void *buf)
{
	u32 i = it->idx % GPE_BLK_FRAGS, nr = it->idx / GPE_BLK_FRAGS;
	struct gpe_fragblk *blk;

	if (msg->n_frags == 1) {
		if (msg->got || !gpe_rx_ext(node, msg, it))
			return false;
		if (it->len) {
			msg->buf = buf;
			msg->off = it->off;
			gpe_buf_get(buf);
		}
		msg->got = 1;
		return true;
	}
	for (blk = msg->blk; blk; blk = blk->next)
		if (blk->nr == nr)
			break;
	if (!blk) {
		blk = gpe_cell_get(node);
		if (!blk) {
			gpe_count(node, GPE_CNT_DROP_NOMEM);
			return false;
		}
		blk->nr = nr;
		blk->next = msg->blk;
		msg->blk = blk;
	}
	if ((blk->have & BIT(i)) || !gpe_rx_ext(node, msg, it))
		return false;
	blk->have |= BIT(i);
	blk->frag[i].buf = buf;
	blk->frag[i].off = it->off;
	blk->frag[i].len = it->len;
	gpe_buf_get(buf);
	msg->got++;
	return true;
}

/*
 * Moves the contiguous mark, fragment by fragment: a message may be larger
 * than what may be under way, so its parts must be acknowledged.
 */
void gpe_rx_contiguous(struct gpe_stream *s)
{
	struct gpe_msg *msg = gpe_msg_at(s, s->cum + 1);
	struct gpe_seg seg;

	while (msg && msg->got) {
		u64 last = gpe_msg_last_seq(msg);

		if (msg->got == msg->n_frags)
			s->cum = last;
		while (s->cum < last &&
		       gpe_msg_frag(msg, s->cum + 1 - msg->first_seq, &seg))
			s->cum++;
		if (s->cum < last)
			break;
		msg = gpe_msg_at(s, s->cum + 1);
	}
	if (s->top < s->cum)
		s->top = s->cum;
}

/* What of stream @s is missing in these items: ranges, at most @max. */
u32 gpe_missing(struct gpe_stream *s, u64 seq, u64 to, struct gpe_range *r,
		u32 max)
{
	struct gpe_seg seg;
	u32 n = 0;

	while (seq <= to && n < max) {
		struct gpe_msg *at = gpe_msg_at(s, seq), *msg;
		u64 end;

		if (at && gpe_msg_frag(at, seq - at->first_seq, &seg) &&
		    at->got) {
			seq++;
			continue;
		}
		if (at) {
			end = seq;
		} else {
			/* A hole up to the next message that has begun. */
			msg = gpe_msg_floor(s, seq);
			msg = msg ? gpe_msg_next(msg) : gpe_msg_first(s);
			end = msg ? min(to, msg->first_seq - 1) : to;
		}
		if (n && r[n - 1].to + 1 == seq) {
			r[n - 1].to = end;
		} else {
			r[n].from = seq;
			r[n].to = end;
			n++;
		}
		seq = end + 1;
	}
	return n;
}

void gpe_tx_numbered(struct gpe_node *node, struct gpe_region *rgn,
		     const struct gpe_msg *msg)
{
	if (gpe_item_is_ctl(msg->type) || msg->n_frags > 1) {
		rgn->push_seq = gpe_msg_last_seq(msg);
		return;
	}
	if (node->now > rgn->sent_at + GPE_HOLD_NS / 2)
		rgn->streak = 0;
	else if (rgn->streak < GPE_STREAK)
		rgn->streak++;
	rgn->sent_at = node->now;
}

/*
 * A sender of many small messages has them wait for each other, so that they
 * share datagrams, and datagrams a packet: when they follow each other too
 * quickly to be answers, or when so much is under way that acknowledgements
 * come at once and take what is held along (Nagle's rule, RFC 896). Whatever
 * views and order depend on goes at once, and all that is in front of it;
 * fragments are a batch of their own.
 */
bool gpe_tx_hold(struct gpe_node *node, struct gpe_region *rgn)
{
	struct gpe_stream *own = gpe_own(node, rgn);

	if (rgn->push_seq < rgn->tx_next && rgn->tx_next <= own->top &&
	    (rgn->streak >= GPE_STREAK ||
	     rgn->tx_next > own->stable + GPE_ACK_EVERY) &&
	    own->top - rgn->tx_next + 1 < GPE_BATCH) {
		if (rgn->hold_at == U64_MAX) {
			rgn->hold_at = node->now + GPE_HOLD_NS;
			gpe_region_rearm(node, rgn);
		}
		return true;
	}
	rgn->hold_at = U64_MAX;
	return false;
}

void gpe_tx_push(struct gpe_node *node, struct gpe_region *rgn)
{
	rgn->push_seq = gpe_own(node, rgn)->top;
	rgn->hold_at = U64_MAX;
	gpe_region_work(node, rgn);
}
