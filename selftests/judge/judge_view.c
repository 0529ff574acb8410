// SPDX-License-Identifier: GPL-2.0
/* V1: a member is in its first view, their numbers grow, all see one list. */
#include <string.h>
#include "judge_int.h"

static struct judge_key vid_key(u32 group, const struct judge_vid *vid)
{
	return (struct judge_key){ { group, vid->epoch, vid->seq } };
}

static struct judge_key addr_key(const struct judge_addr *addr)
{
	return (struct judge_key){ { addr->inc, addr->node, addr->port } };
}

struct judge_view *judge_find_view(const struct judge *j, u32 group,
				   const struct judge_vid *vid)
{
	return judge_find(&j->by_vid, vid_key(group, vid));
}

struct judge_member *judge_owner(const struct judge *j,
				 const struct judge_addr *addr)
{
	return judge_find(&j->by_addr, addr_key(addr));
}

static struct judge_view *new_view(struct judge *j, u32 group,
				   const struct judge_view_line *line)
{
	struct judge_view *v = judge_alloc(sizeof(*v));

	v->group = group;
	v->vid = line->vid;
	v->at = j->at;
	v->n = line->n;
	v->m = judge_alloc(line->n * sizeof(v->m[0]));
	memcpy(v->m, line->m, line->n * sizeof(v->m[0]));
	v->next = j->views;
	j->views = v;
	judge_put(&j->by_vid, vid_key(group, &v->vid), v);
	j->counts.views++;
	return v;
}

static struct judge_view *agreed(struct judge *j, struct judge_member *m,
				 const struct judge_view_line *line)
{
	struct judge_view *v = judge_find_view(j, m->group, &line->vid);
	u32 i;

	if (!v)
		return new_view(j, m->group, line);
	if (v->n != line->n) {
		judge_bad(j, "V1", v->at, 0,
			  "view %llu.%llu has %u and %u members", v->vid.epoch,
			  v->vid.seq, v->n, line->n);
		return v;
	}
	for (i = 0; i < v->n; i++) {
		if (judge_same_addr(&v->m[i], &line->m[i]))
			continue;
		judge_bad(j, "V1", v->at, 0,
			  "view %llu.%llu differs at rank %u", v->vid.epoch,
			  v->vid.seq, i);
		break;
	}
	return v;
}

/* False for one that is not in it, as it left, or was told to. */
static bool check_self(struct judge *j, struct judge_member *m,
		       const struct judge_view_line *line)
{
	struct judge_member *owner = judge_owner(j, &line->self);
	u32 i, mine = 0;

	for (i = 0; i < line->n; i++)
		mine += judge_same_addr(&line->m[i], &line->self);
	if (mine > 1 || (!mine && !m->first.epoch))
		judge_bad(j, "V1", 0, 0,
			  "%s is in its view %llu.%llu %u times", m->name,
			  line->vid.epoch, line->vid.seq, mine);
	if (!mine && m->first.epoch)
		return false;
	if (!owner)
		judge_put(&j->by_addr, addr_key(&line->self), m);
	else if (owner != m)
		judge_bad(j, "V1", 0, 0, "%s has the address of %s", m->name,
			  owner->name);
	m->self = line->self;
	if (!m->first.epoch)
		m->first = line->vid;
	return true;
}

void judge_view(struct judge *j, struct judge_member *m,
		const struct judge_view_line *line)
{
	struct judge_view *v = agreed(j, m, line);
	bool goes_on;

	if (m->in && !judge_before(&m->view->vid, &line->vid))
		judge_bad(j, "V1", m->view->at, 0,
			  "%s installs view %llu.%llu after %llu.%llu", m->name,
			  line->vid.epoch, line->vid.seq, m->view->vid.epoch,
			  m->view->vid.seq);
	goes_on = check_self(j, m, line);
	if (m->in)
		judge_close(j, m, goes_on && !m->broken ? v : NULL);
	m->in = goes_on;
	m->broken = false;
	m->away = false;
	m->view = v;
	judge_order_view(m);
}
