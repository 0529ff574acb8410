// SPDX-License-Identifier: GPL-2.0
/*
 * V5, V6: messages come after those that they follow, and not without them.
 *
 * A message's vector clock says of each sender how many of its messages the
 * program had delivered in this view when it sent. What these depend on need
 * not be in it: their clocks were checked when they were delivered there. A
 * receiver walks each sender's messages once, up to what the clocks name, so
 * that a gap shows as soon as something comes that depends on what is missing.
 * Only messages stamped with the view at hand count, as those of earlier views
 * have come before it, or never will.
 */
#include "judge_int.h"

static struct judge_from *from(struct judge_member *m, u32 index)
{
	m->from = judge_grow(m->from, index, &m->size_from, sizeof(*m->from));
	return &m->from[index];
}

/* ---- sent ---- */

static const struct judge_clock *clock_of(struct judge *j,
					  struct judge_member *m)
{
	struct judge_clock *c = m->clock;
	u32 i;

	if (c && !m->stale)
		return c;
	c = judge_alloc(sizeof(*c) + m->n_active * sizeof(c->e[0]));
	c->n = m->n_active;
	for (i = 0; i < c->n; i++) {
		c->e[i].sender = m->active[i];
		c->e[i].seq = m->from[m->active[i]].causal;
	}
	c->next = j->clocks;
	j->clocks = c;
	m->clock = c;
	m->stale = false;
	return c;
}

void judge_order_send(struct judge *j, struct judge_member *m, u32 id)
{
	struct judge_msg *msg = &j->msg[id];

	msg->seq = 0;
	msg->clock = NULL;
	msg->after = 0;
	if (msg->level == JUDGE_NONE)
		return;
	if (msg->to_one) {
		msg->seq = ++m->n_ones;
		return;
	}
	m->sends = judge_grow(m->sends, m->n_sends, &m->size_sends,
			      sizeof(u32));
	m->sends[m->n_sends++] = id;
	msg->seq = m->n_sends;
	if (msg->level >= JUDGE_CAUSAL) {
		msg->clock = clock_of(j, m);
		msg->after = m->lamport;
	}
}

/* ---- delivered ---- */

/* One that was refused and sent again has its later place. */
static bool lost(const struct judge_member *m,
		 const struct judge_msg *msg, u32 seq)
{
	return msg->seq == seq && msg->state != JUDGE_REFUSED &&
	       judge_same(&msg->vid, &m->view->vid) && !judge_seen(m, msg);
}

/* The first @upto messages of @sender are here, before @id. */
static void check_upto(struct judge *j, struct judge_member *m, u32 id,
		       const char *property, struct judge_member *sender,
		       u32 upto)
{
	struct judge_from *f = from(m, sender->index);

	for (; f->upto < upto; f->upto++) {
		u32 first = sender->sends[f->upto];

		/* Its own comes late, which is seen then, or never: V9. */
		if (sender != m && m->in && lost(m, &j->msg[first], f->upto + 1))
			judge_bad(j, property, j->msg[id].sent_at,
				  j->msg[first].sent_at,
				  "message %s of %s at %s without message %s of %s, which is before it",
				  judge_msg_name(j, id),
				  j->msg[id].sender->name, m->name,
				  judge_msg_name(j, first), sender->name);
	}
}

static void check_clock(struct judge *j, struct judge_member *m, u32 id)
{
	const struct judge_clock *c = j->msg[id].clock;
	u32 i;

	for (i = 0; i < c->n; i++)
		check_upto(j, m, id, "V6",
			   j->group[m->group].member[c->e[i].sender],
			   c->e[i].seq);
}

static void check_lamport(struct judge *j, struct judge_member *m, u32 id,
			  u64 lamport)
{
	struct judge_msg *msg = &j->msg[id];

	if (!lamport)
		return;
	if (msg->lamport && msg->lamport != lamport)
		judge_bad(j, "V6", msg->sent_at, 0,
			  "message %s has Lamport stamp %llu at %s, %llu elsewhere",
			  judge_msg_name(j, id), lamport, m->name,
			  msg->lamport);
	else if (!msg->lamport && lamport <= msg->after)
		judge_bad(j, "V6", msg->sent_at, 0,
			  "message %s has Lamport stamp %llu, one before it has %llu",
			  judge_msg_name(j, id), lamport, msg->after);
	msg->lamport = lamport;
	if (m->lamport < lamport)
		m->lamport = lamport;
}

/* From now on what @m sends is after this. */
static void note_causal(struct judge_member *m, const struct judge_msg *msg)
{
	u32 index = msg->sender->index;
	struct judge_from *f = from(m, index);

	if (!f->causal) {
		m->active = judge_grow(m->active, m->n_active, &m->size_active,
				       sizeof(u32));
		m->active[m->n_active++] = index;
	}
	f->causal = msg->seq;
	m->stale = true;
}

void judge_order_deliver(struct judge *j, struct judge_member *m, u32 id,
			 const struct judge_deliver *d)
{
	struct judge_msg *msg = &j->msg[id];
	struct judge_from *f = from(m, msg->sender->index);
	u32 *last = msg->to_one ? &f->last_one : &f->last;

	if (!msg->seq)
		return;
	if (msg->seq < *last)
		judge_bad(j, "V5", msg->sent_at, 0,
			  "message %s of %s at %s after a later one",
			  judge_msg_name(j, id), msg->sender->name, m->name);
	else
		*last = msg->seq;
	if (msg->to_one || *last != msg->seq)
		return;
	if (msg->seq <= f->upto)
		judge_bad(j, "V6", msg->sent_at, 0,
			  "message %s of %s at %s after what depends on it",
			  judge_msg_name(j, id), msg->sender->name, m->name);
	check_upto(j, m, id, "V5", msg->sender, msg->seq - 1);
	if (f->upto < msg->seq)
		f->upto = msg->seq;
	if (msg->level < JUDGE_CAUSAL)
		return;
	check_clock(j, m, id);
	check_lamport(j, m, id, d->lamport);
	note_causal(m, msg);
}

void judge_order_view(struct judge_member *m)
{
	u32 i;

	for (i = 0; i < m->n_active; i++)
		m->from[m->active[i]].causal = 0;
	m->n_active = 0;
	m->stale = true;
}

void judge_order_suspended(struct judge_member *m)
{
	judge_order_view(m);
	m->lamport = 0;
}

/* ---- at the end ---- */

/* Stamps of a member's own messages, some of which it may never have seen. */
void judge_finish_order(struct judge *j)
{
	const struct judge_msg *msg, *last;
	struct judge_member *m;
	u32 i;

	for (m = j->members; m; m = m->next) {
		for (last = NULL, i = 0; i < m->n_sends; i++) {
			msg = &j->msg[m->sends[i]];
			if (msg->seq != i + 1 || !msg->lamport)
				continue;
			if (last && last->outs == msg->outs &&
			    last->lamport >= msg->lamport)
				judge_bad(j, "V6", last->sent_at, msg->sent_at,
					  "%s sent with Lamport stamp %llu after %llu",
					  m->name, msg->lamport,
					  last->lamport);
			last = msg;
		}
	}
}
