// SPDX-License-Identifier: GPL-2.0
/*
 * V10: one chain of node views.
 *
 * A formation takes its number from the clock, a successor the next one. So a
 * chain that goes on after another was formed shows by numbers that are new
 * and yet lower. One of them may have been decided before, and be heard of only
 * now: it has no successor, since too few are left of it. A node that only
 * starts is a cluster of its own, which is agreed with nobody. This can be told
 * only of lines in the order of time.
 */
#include <stdlib.h>
#include <string.h>
#include "judge_int.h"

/**
 * struct judge_epoch - a node view as first seen
 * @before: the epoch it follows, 0: none so far as is known
 * @at: line
 * @late: first seen after one with a higher number
 */
struct judge_epoch {
	struct judge_epoch *next;
	u64 number;
	u64 before;
	u32 at;
	bool late;
	u32 n;
	struct judge_node node[];
};

void judge_free_epochs(struct judge *j)
{
	struct judge_epoch *e;

	while ((e = j->epochs)) {
		j->epochs = e->next;
		free(e);
	}
}

static struct judge_epoch *find(const struct judge *j, u64 number)
{
	return judge_find(&j->by_epoch, (struct judge_key){ { number } });
}

static void check_in_time(struct judge *j, struct judge_epoch *e, u64 before)
{
	struct judge_epoch *last = before ? find(j, before) : NULL;

	if (!before && e->n == 1)
		return;
	if (e->number > j->top) {
		j->top = e->number;
		return;
	}
	if (last && last->late)
		judge_bad(j, "V10", last->at, 0,
			  "epoch %llu goes on in %llu, after %llu", before,
			  e->number, j->top);
	e->late = true;
}

static struct judge_epoch *new_epoch(struct judge *j,
				     const struct judge_epoch_line *line)
{
	struct judge_epoch *e = judge_alloc(sizeof(*e) +
					    line->n * sizeof(e->node[0]));

	e->number = line->epoch;
	e->at = j->at;
	e->n = line->n;
	memcpy(e->node, line->node, line->n * sizeof(e->node[0]));
	e->next = j->epochs;
	j->epochs = e;
	judge_put(&j->by_epoch, (struct judge_key){ { line->epoch } }, e);
	return e;
}

static bool same_nodes(const struct judge_epoch *e,
		       const struct judge_epoch_line *line)
{
	u32 i;

	if (e->n != line->n)
		return false;
	for (i = 0; i < e->n; i++)
		if (e->node[i].id != line->node[i].id ||
		    e->node[i].inc != line->node[i].inc)
			return false;
	return true;
}

/* What follows @before; it may not have been seen itself yet. */
static void check_links(struct judge *j, struct judge_epoch *e, u64 before)
{
	struct judge_key key = { { before, 1 } };
	struct judge_epoch *next = judge_find(&j->by_epoch, key);

	if (e->before && e->before != before)
		judge_bad(j, "V10", e->at, 0,
			  "epoch %llu goes on from %llu and from %llu",
			  e->number, e->before, before);
	e->before = before;
	if (!next)
		judge_put(&j->by_epoch, key, e);
	else if (next != e)
		judge_bad(j, "V10", next->at, 0,
			  "epoch %llu is followed by %llu and by %llu", before,
			  next->number, e->number);
}

void judge_epoch(struct judge *j, const struct judge_epoch_line *line)
{
	struct judge_epoch *e = find(j, line->epoch);

	if (!e) {
		e = new_epoch(j, line);
		if (line->timed && !line->free)
			check_in_time(j, e, line->before);
	} else if (!same_nodes(e, line)) {
		judge_bad(j, "V10", e->at, 0, "epoch %llu has two node views",
			  line->epoch);
	}
	if (line->before)
		check_links(j, e, line->before);
}
