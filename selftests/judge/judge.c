// SPDX-License-Identifier: GPL-2.0
/* Beginning and end of a judge, its members, and what it reports. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "judge_int.h"

struct judge *judge_new(const struct judge_ops *ops, void *ctx)
{
	struct judge *j = judge_alloc(sizeof(*j));

	j->ops = ops;
	j->ctx = ctx;
	return j;
}

static void free_member(struct judge_member *m)
{
	u32 i;

	for (i = 0; i < m->size_seen; i++)
		free(m->seen[i]);
	free(m->seen);
	free(m->got);
	free(m->from);
	free(m->active);
	free(m->sends);
	free(m->name);
	free(m);
}

void judge_free(struct judge *j)
{
	struct judge_member *m;
	struct judge_view *v;
	struct judge_clock *c;
	u32 i;

	while ((m = j->members)) {
		j->members = m->next;
		free_member(m);
	}
	while ((v = j->views)) {
		j->views = v->next;
		judge_free_stays(v->went);
		judge_free_stays(v->broke);
		free(v->m);
		free(v);
	}
	while ((c = j->clocks)) {
		j->clocks = c->next;
		free(c);
	}
	judge_free_epochs(j);
	for (i = 0; i < j->size_groups; i++)
		free(j->group[i].member);
	free(j->group);
	free(j->msg);
	free(j->by_vid.slot);
	free(j->by_addr.slot);
	free(j->by_epoch.slot);
	free(j);
}

void judge_at(struct judge *j, u32 at)
{
	j->at = at;
}

static void place(struct judge_report *r, u32 at)
{
	u32 i;

	for (i = 0; i < r->n_at; i++)
		if (r->at[i] == at)
			return;
	if (at)
		r->at[r->n_at++] = at;
}

void judge_bad(struct judge *j, const char *property, u32 at1, u32 at2,
	       const char *fmt, ...)
{
	struct judge_report r = { .property = property };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r.text, sizeof(r.text), fmt, ap);
	va_end(ap);
	place(&r, j->at);
	place(&r, at1);
	place(&r, at2);
	j->counts.violations++;
	j->ops->report(j->ctx, &r);
}

const char *judge_msg_name(struct judge *j, u32 id)
{
	char *name = j->name[j->next_name++ % 4];

	if (j->ops->msg_name)
		return j->ops->msg_name(j->ctx, id);
	snprintf(name, sizeof(j->name[0]), "%u", id);
	return name;
}

struct judge_member *judge_join(struct judge *j, u32 group, const char *name)
{
	struct judge_member *m = judge_alloc(sizeof(*m));
	struct judge_group *g;

	j->group = judge_grow(j->group, group, &j->size_groups,
			      sizeof(*j->group));
	g = &j->group[group];
	g->member = judge_grow(g->member, g->n_members, &g->size_members,
			       sizeof(struct judge_member *));
	m->name = strdup(name);
	m->group = group;
	m->index = g->n_members;
	g->member[g->n_members++] = m;
	m->next = j->members;
	j->members = m;
	j->counts.members++;
	return m;
}

void judge_suspended(struct judge *j, struct judge_member *m)
{
	(void)j;
	m->broken = true;
	m->away = true;
	m->outs++;
	judge_order_suspended(m);
}

void judge_resumed(struct judge *j, struct judge_member *m)
{
	(void)j;
	m->away = false;
}

void judge_out(struct judge *j, struct judge_member *m, enum judge_out why)
{
	if (m->in)
		judge_close(j, m, NULL);
	m->in = false;
	if (why == JUDGE_LEFT)
		m->left = true;
	else
		m->outs++;
}

void judge_stays(struct judge *j, struct judge_member *m)
{
	(void)j;
	m->ended = true;
}

void judge_finish(struct judge *j)
{
	judge_at(j, 0);
	judge_finish_views(j);
	judge_finish_msgs(j);
	judge_finish_order(j);
}

void judge_counts(const struct judge *j, struct judge_counts *counts)
{
	*counts = j->counts;
}
