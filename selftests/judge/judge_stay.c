// SPDX-License-Identifier: GPL-2.0
/*
 * V2, V7, V8: what members delivered between two views. V11: the last view.
 *
 * Of those who install the same next view, one's stay stands for all, as the
 * others must equal it. Of those who do not, each is kept to the end: only
 * then is it known which messages came before a safe one somewhere.
 */
#include <stdlib.h>
#include "judge_int.h"

void judge_free_stays(struct judge_stay *st)
{
	struct judge_stay *next;

	for (; st; st = next) {
		next = st->next;
		free(st->got);
		free(st);
	}
}

static bool is_total(const struct judge *j, u32 id)
{
	return j->msg[id].level >= JUDGE_TOTAL;
}

/* The next of the messages from @i on that have a place in the total order. */
static u32 next_total(const struct judge *j, const struct judge_got *got, u32 n,
		      u32 i)
{
	while (i < n && !is_total(j, got[i].id))
		i++;
	return i;
}

/* The first of @got that @m has not delivered. */
static const struct judge_got *missing(const struct judge *j,
				       const struct judge_member *m,
				       const struct judge_got *got, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (!judge_seen(m, &j->msg[got[i].id]))
			return &got[i];
	return NULL;
}

/*
 * The same set? What was delivered twice or in another view is reported as
 * such, so that who has a message has it from this view.
 */
static bool same_set(struct judge *j, const struct judge_member *m,
		     const struct judge_stay *st)
{
	const struct judge_vid *vid = &m->view->vid;
	const struct judge_got *got;

	got = missing(j, m, st->got, st->n);
	if (got) {
		judge_bad(j, "V2", st->at, got->at,
			  "%s did not deliver message %s in view %llu.%llu, %s did",
			  m->name, judge_msg_name(j, got->id), vid->epoch,
			  vid->seq, st->m->name);
		return false;
	}
	got = missing(j, st->m, m->got, m->n_got);
	if (got)
		judge_bad(j, "V2", st->at, got->at,
			  "%s delivered message %s in view %llu.%llu, %s did not",
			  m->name, judge_msg_name(j, got->id), vid->epoch,
			  vid->seq, st->m->name);
	return !got;
}

static void same_order(struct judge *j, const struct judge_member *m,
		       const struct judge_stay *st)
{
	u32 i = 0, k = 0;

	for (;; i++, k++) {
		i = next_total(j, m->got, m->n_got, i);
		k = next_total(j, st->got, st->n, k);
		if (i == m->n_got || k == st->n)
			return;
		if (m->got[i].id != st->got[k].id)
			break;
	}
	judge_bad(j, "V7", m->got[i].at, st->got[k].at,
		  "in view %llu.%llu %s has message %s where %s has %s",
		  m->view->vid.epoch, m->view->vid.seq, m->name,
		  judge_msg_name(j, m->got[i].id), st->m->name,
		  judge_msg_name(j, st->got[k].id));
}

static void keep(struct judge *j, struct judge_member *m,
		 const struct judge_view *to)
{
	struct judge_stay *st = judge_alloc(sizeof(*st));
	struct judge_stay **list = to ? &m->view->went : &m->view->broke;

	st->m = m;
	st->to = to;
	st->at = j->at;
	st->n = m->n_got;
	st->got = m->got;
	st->next = *list;
	*list = st;
	m->got = NULL;
	m->size_got = 0;
}

/*
 * A view that is followed by two others at members that were never suspended
 * is where a chain of node views divides: V10.
 */
void judge_close(struct judge *j, struct judge_member *m, struct judge_view *to)
{
	struct judge_view *v = m->view;
	struct judge_stay *st = v->went;

	while (to && st && st->to != to)
		st = st->next;
	if (to && st) {
		if (same_set(j, m, st))
			same_order(j, m, st);
	} else {
		if (to && v->went && to != &j->end && v->went->to != &j->end)
			judge_bad(j, "V10", v->went->at, 0,
				  "view %llu.%llu is followed by %llu.%llu at %s and by %llu.%llu at %s",
				  v->vid.epoch, v->vid.seq, to->vid.epoch,
				  to->vid.seq, m->name, v->went->to->vid.epoch,
				  v->went->to->vid.seq, v->went->m->name);
		keep(j, m, to);
	}
	m->n_got = 0;
}

/* ---- at the end: V7 and V8 for whoever did not go on ---- */

/* How many messages come before the last safe one, with it. */
static u32 safe_part(const struct judge *j, const struct judge_stay *st)
{
	u32 n = st->n;

	while (n && j->msg[st->got[n - 1].id].level != JUDGE_SAFE)
		n--;
	return n;
}

/* Totals among the first @n. */
static u32 totals(const struct judge *j, const struct judge_stay *st, u32 n)
{
	u32 i, count = 0;

	for (i = 0; i < n; i++)
		count += is_total(j, st->got[i].id);
	return count;
}

/* Who delivered most before, and with, a safe message. */
static void longest_safe(const struct judge *j, struct judge_stay *list,
			 struct judge_stay **best, u32 *part, u32 *most)
{
	struct judge_stay *st;
	u32 n, count;

	for (st = list; st; st = st->next) {
		n = safe_part(j, st);
		count = totals(j, st, n);
		if (count <= *most)
			continue;
		*best = st;
		*part = n;
		*most = count;
	}
}

/* Up to its last safe message @st has what @ref has, as far as that goes. */
static void check_prefix(struct judge *j, const struct judge_view *v,
			 const struct judge_stay *st,
			 const struct judge_stay *ref, u32 part)
{
	u32 n = safe_part(j, st), i = 0, k = 0;

	for (;; i++, k++) {
		i = next_total(j, st->got, n, i);
		k = next_total(j, ref->got, part, k);
		if (i == n || k == part)
			return;
		if (st->got[i].id != ref->got[k].id)
			break;
	}
	judge_bad(j, "V7", st->got[i].at, ref->got[k].at,
		  "in view %llu.%llu %s has message %s where %s has %s, and a safe one later",
		  v->vid.epoch, v->vid.seq, st->m->name,
		  judge_msg_name(j, st->got[i].id), ref->m->name,
		  judge_msg_name(j, ref->got[k].id));
}

/*
 * Totals alone may come in another order at a member that did not go on, behind
 * a common prefix, which says nothing of any two of them. But what one that has
 * delivered a safe message delivered before it is the same everywhere.
 */
static void check_safe_order(struct judge *j, const struct judge_view *v)
{
	struct judge_stay *ref = NULL, *st;
	u32 part = 0, most = 0;

	longest_safe(j, v->went, &ref, &part, &most);
	longest_safe(j, v->broke, &ref, &part, &most);
	if (!ref)
		return;
	for (st = v->went; st; st = st->next)
		check_prefix(j, v, st, ref, part);
	for (st = v->broke; st; st = st->next)
		check_prefix(j, v, st, ref, part);
}

/* A safe message that one delivered, all have delivered who went on. */
static void check_uniform(struct judge *j, const struct judge_view *v,
			  const struct judge_stay *by)
{
	const struct judge_stay *st;
	u32 i;

	for (i = 0; i < by->n; i++) {
		if (j->msg[by->got[i].id].level != JUDGE_SAFE)
			continue;
		for (st = v->went; st; st = st->next)
			if (!judge_seen(st->m, &j->msg[by->got[i].id]))
				judge_bad(j, "V8", by->got[i].at, st->at,
					  "safe message %s was delivered by %s in view %llu.%llu, and not by %s, which went on",
					  judge_msg_name(j, by->got[i].id),
					  by->m->name, v->vid.epoch,
					  v->vid.seq, st->m->name);
	}
}

/*
 * V11: who is still there when all is quiet is in a view, and with the others
 * of its group in one. That its time is over is what the end says.
 */
static void check_last_views(struct judge *j)
{
	const struct judge_member *m, *first;
	struct judge_group *g;

	for (m = j->members; m; m = m->next) {
		if (!m->ended)
			continue;
		g = &j->group[m->group];
		first = g->last;
		if (!m->in || m->away)
			judge_bad(j, "V11", 0, 0, "%s is in no view at the end",
				  m->name);
		else if (!first)
			g->last = m;
		else if (first->view != m->view)
			judge_bad(j, "V11", first->view->at, m->view->at,
				  "at the end %s is in view %llu.%llu and %s in %llu.%llu",
				  m->name, m->view->vid.epoch,
				  m->view->vid.seq, first->name,
				  first->view->vid.epoch,
				  first->view->vid.seq);
	}
}

void judge_finish_views(struct judge *j)
{
	struct judge_member *m;
	struct judge_stay *st;
	struct judge_view *v;

	check_last_views(j);
	for (m = j->members; m; m = m->next) {
		if (m->in)
			judge_close(j, m, m->ended && !m->broken ? &j->end :
								   NULL);
		m->in = false;
	}
	for (v = j->views; v; v = v->next) {
		check_safe_order(j, v);
		for (st = v->went; st; st = st->next)
			check_uniform(j, v, st);
		for (st = v->broke; st; st = st->next)
			check_uniform(j, v, st);
	}
}
