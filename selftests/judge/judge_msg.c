// SPDX-License-Identifier: GPL-2.0
/*
 * V3, V4: each message delivered was sent, comes once, and in its view.
 * V9, V13: what was accepted arrives.
 */
#include <stdlib.h>
#include "judge_int.h"

enum { PAGE_BITS = 4096 };

bool judge_seen(const struct judge_member *m, const struct judge_msg *msg)
{
	u32 page = msg->nr / PAGE_BITS, bit = msg->nr % PAGE_BITS;

	return page < m->size_seen && m->seen[page] &&
	       m->seen[page][bit / 64] >> (bit % 64) & 1;
}

static void see(struct judge_member *m, const struct judge_msg *msg)
{
	u32 page = msg->nr / PAGE_BITS, bit = msg->nr % PAGE_BITS;

	m->seen = judge_grow(m->seen, page, &m->size_seen, sizeof(u64 *));
	if (!m->seen[page])
		m->seen[page] = judge_alloc(PAGE_BITS / 8);
	m->seen[page][bit / 64] |= 1ULL << (bit % 64);
}

/* ---- sent ---- */

void judge_send(struct judge *j, struct judge_member *m, u32 id,
		const struct judge_send *send)
{
	struct judge_msg *msg;

	j->msg = judge_grow(j->msg, id, &j->size_msgs, sizeof(*j->msg));
	if (id >= j->n_msgs)
		j->n_msgs = id + 1;
	msg = &j->msg[id];
	if (!msg->sender) {
		msg->nr = j->group[m->group].n_msgs++;
		j->counts.messages++;
	}
	msg->sender = m;
	msg->state = JUDGE_ASKED;
	msg->len = send->len;
	msg->level = send->level;
	msg->to_one = send->to_one;
	msg->dst = send->dst;
	msg->outs = m->outs;
	msg->sent_at = j->at;
	judge_order_send(j, m, id);
}

void judge_sent(struct judge *j, u32 id, struct judge_vid vid)
{
	struct judge_msg *msg = &j->msg[id];

	msg->state = JUDGE_ACCEPTED;
	if (!vid.epoch)
		return;
	/* It may have been delivered before the system call returned. */
	if (msg->vid.epoch && !judge_same(&msg->vid, &vid))
		judge_bad(j, "V4", msg->sent_at, 0,
			  "message %s is stamped %llu.%llu but was delivered in %llu.%llu",
			  judge_msg_name(j, id), vid.epoch, vid.seq,
			  msg->vid.epoch, msg->vid.seq);
	msg->vid = vid;
}

void judge_refused(struct judge *j, u32 id, bool unknown)
{
	struct judge_msg *msg = &j->msg[id];

	msg->state = unknown ? JUDGE_UNKNOWN : JUDGE_REFUSED;
	if (!unknown && msg->vid.epoch)
		judge_bad(j, "V3", msg->sent_at, 0,
			  "message %s was refused, and delivered",
			  judge_msg_name(j, id));
}

/* ---- delivered ---- */

/* To one member: to that one, and never before the view it is stamped in. */
static void check_one(struct judge *j, struct judge_member *m, u32 id,
		      const struct judge_deliver *d)
{
	struct judge_msg *msg = &j->msg[id];
	struct judge_member *owner = judge_owner(j, &msg->dst);

	/* Its own address it has from the view it is in, or an earlier one. */
	if (owner != m)
		judge_bad(j, "V3", msg->sent_at, 0,
			  "message %s is not for %s", judge_msg_name(j, id),
			  m->name);
	if (!m->in)
		judge_bad(j, "V4", msg->sent_at, 0,
			  "message %s at %s, which is in no view",
			  judge_msg_name(j, id), m->name);
	else if (judge_before(&m->view->vid, &d->vid))
		judge_bad(j, "V4", msg->sent_at, m->view->at,
			  "message %s of view %llu.%llu at %s in view %llu.%llu",
			  judge_msg_name(j, id), d->vid.epoch, d->vid.seq,
			  m->name, m->view->vid.epoch, m->view->vid.seq);
}

static void got(struct judge *j, struct judge_member *m, u32 id)
{
	m->got = judge_grow(m->got, m->n_got, &m->size_got, sizeof(*m->got));
	m->got[m->n_got++] = (struct judge_got){ id, j->at };
}

static void check_to_all(struct judge *j, struct judge_member *m, u32 id,
			 const struct judge_deliver *d)
{
	struct judge_msg *msg = &j->msg[id];

	if (!m->in) {
		judge_bad(j, "V4", msg->sent_at, 0,
			  "message %s at %s, which is in no view",
			  judge_msg_name(j, id), m->name);
		return;
	}
	if (!judge_same(&d->vid, &m->view->vid))
		judge_bad(j, "V4", msg->sent_at, m->view->at,
			  "message %s of view %llu.%llu at %s in view %llu.%llu",
			  judge_msg_name(j, id), d->vid.epoch, d->vid.seq,
			  m->name, m->view->vid.epoch, m->view->vid.seq);
	if (msg->vid.epoch && !judge_same(&d->vid, &msg->vid))
		judge_bad(j, "V4", msg->sent_at, 0,
			  "message %s of view %llu.%llu is stamped %llu.%llu at %s",
			  judge_msg_name(j, id), msg->vid.epoch, msg->vid.seq,
			  d->vid.epoch, d->vid.seq, m->name);
	got(j, m, id);
	if (d->pos && d->pos != m->n_got && !m->misplaced_by) {
		m->misplaced = m->got[m->n_got - 1];
		m->misplaced_by = d->pos - m->n_got;
	}
}

static void check_sender(struct judge *j, struct judge_member *m, u32 id,
			 const struct judge_deliver *d)
{
	struct judge_msg *msg = &j->msg[id];
	struct judge_member *owner = judge_owner(j, &d->from);

	if ((owner && owner != msg->sender) ||
	    (msg->from.node && !judge_same_addr(&msg->from, &d->from))) {
		judge_bad(j, "V3", msg->sent_at, 0,
			  "message %s of %s names another sender at %s",
			  judge_msg_name(j, id), msg->sender->name, m->name);
		return;
	}
	msg->from = d->from;
}

/* Is it what was sent? */
static void check_content(struct judge *j, struct judge_member *m, u32 id,
			  const struct judge_deliver *d)
{
	struct judge_msg *msg = &j->msg[id];
	const char *what = NULL;

	if (msg->state == JUDGE_REFUSED)
		what = "was refused";
	else if (msg->level != d->level || msg->to_one != d->to_one)
		what = "was sent in another order, or to others";
	else if (msg->len != d->len || !d->ok)
		what = "has other bytes";
	if (what)
		judge_bad(j, "V3", msg->sent_at, 0, "message %s at %s %s",
			  judge_msg_name(j, id), m->name, what);
	check_sender(j, m, id, d);
}

void judge_deliver(struct judge *j, struct judge_member *m, u32 id,
		   const struct judge_deliver *d)
{
	struct judge_msg *msg;

	j->counts.delivered++;
	if (id >= j->n_msgs || !j->msg[id].sender) {
		judge_bad(j, "V3", 0, 0, "%s got bytes that nobody sent",
			  m->name);
		return;
	}
	msg = &j->msg[id];
	if (d->group != m->group || d->group != msg->sender->group) {
		judge_bad(j, "V3", msg->sent_at, 0,
			  "message %s of another group at %s",
			  judge_msg_name(j, id), m->name);
		return;
	}
	check_content(j, m, id, d);
	if (judge_seen(m, msg)) {
		judge_bad(j, "V3", msg->sent_at, 0, "message %s twice at %s",
			  judge_msg_name(j, id), m->name);
		return;
	}
	if (m->away)
		judge_bad(j, "V4", msg->sent_at, 0,
			  "message %s at %s, which is suspended",
			  judge_msg_name(j, id), m->name);
	judge_order_deliver(j, m, id, d);
	see(m, msg);
	if (msg->to_one)
		check_one(j, m, id, d);
	else
		check_to_all(j, m, id, d);
	msg->vid = d->vid;
}

void judge_early(struct judge *j, struct judge_member *m, u32 id)
{
	j->counts.delivered++;
	judge_bad(j, "V3", 0, 0, "message %s at %s before it was sent",
		  judge_msg_name(j, id), m->name);
}

/* ---- at the end, when all is quiet ---- */

static struct judge_key node_key(const struct judge_addr *addr)
{
	return (struct judge_key){ { addr->inc, addr->node, 0 } };
}

/*
 * Members that were never out, the first one for each node and incarnation:
 * they show how long it has been in the chain, without a suspension.
 */
static struct judge_table lasting(const struct judge *j)
{
	struct judge_member *m, *have;
	struct judge_table t = { 0 };

	for (m = j->members; m; m = m->next) {
		if (!m->ended || m->outs || !m->first.epoch)
			continue;
		have = judge_find(&t, node_key(&m->self));
		if (!have || judge_before(&m->first, &have->first))
			judge_put(&t, node_key(&m->self), m);
	}
	return t;
}

/*
 * A member that left sees no more, but its node has what it sent: the others
 * who were in the view, and went on from it, have delivered it.
 */
static void check_left(struct judge *j, const struct judge_msg *msg, u32 id)
{
	const struct judge_view *v;
	const struct judge_stay *st;

	v = judge_find_view(j, msg->sender->group, &msg->vid);
	for (st = v ? v->went : NULL; st; st = st->next)
		if (!judge_seen(st->m, msg))
			judge_bad(j, "V13", msg->sent_at, st->at,
				  "message %s of %s, which left, never arrived at %s",
				  judge_msg_name(j, id), msg->sender->name,
				  st->m->name);
}

/* Does what @msg's sender sent stay with its node? */
static bool lasts(const struct judge_table *nodes, const struct judge_msg *msg)
{
	const struct judge_member *m = msg->sender, *other;

	if (m->outs != msg->outs)
		return false;
	if (!m->left)
		return m->ended;
	other = judge_find(nodes, node_key(&m->self));
	return other && msg->vid.epoch &&
	       !judge_before(&msg->vid, &other->first);
}

/* What was accepted from a member that was not out since has arrived. */
static void check_arrived(struct judge *j, const struct judge_table *nodes,
			  u32 id)
{
	const struct judge_msg *msg = &j->msg[id];
	struct judge_member *m = msg->sender, *dst;

	if (!m || msg->state != JUDGE_ACCEPTED || !lasts(nodes, msg))
		return;
	if (msg->to_one) {
		dst = judge_owner(j, &msg->dst);
		if (dst && dst->ended && !dst->outs && !judge_seen(dst, msg))
			judge_bad(j, "V13", msg->sent_at, 0,
				  "message %s to %s alone never arrived",
				  judge_msg_name(j, id), dst->name);
	} else if (m->left) {
		check_left(j, msg, id);
	} else if (!judge_seen(m, msg)) {
		judge_bad(j, "V9", msg->sent_at, 0,
			  "%s never saw its own message %s", m->name,
			  judge_msg_name(j, id));
	}
}

/* By now it is known who has which address. */
static void check_address(struct judge *j, u32 id)
{
	const struct judge_msg *msg = &j->msg[id];
	struct judge_member *owner;

	if (!msg->sender || !msg->from.node)
		return;
	owner = judge_owner(j, &msg->from);
	if (owner ? owner != msg->sender : msg->sender->ended)
		judge_bad(j, "V3", msg->sent_at, 0,
			  "message %s names a sender that is not %s",
			  judge_msg_name(j, id), msg->sender->name);
}

/*
 * Where something is missing, places are wrong for that reason, and it is
 * reported before this.
 */
static void check_places(struct judge *j)
{
	const struct judge_member *m;

	for (m = j->members; m; m = m->next)
		if (m->misplaced_by)
			judge_bad(j, "V4", m->misplaced.at, 0,
				  "message %s at %s names a place in the view that is wrong by %lld",
				  judge_msg_name(j, m->misplaced.id), m->name,
				  m->misplaced_by);
}

void judge_finish_msgs(struct judge *j)
{
	struct judge_table nodes = lasting(j);
	u32 id;

	check_places(j);
	for (id = 0; id < j->n_msgs; id++) {
		check_address(j, id);
		check_arrived(j, &nodes, id);
	}
	free(nodes.slot);
}
