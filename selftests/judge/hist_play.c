// SPDX-License-Identifier: GPL-2.0
/*
 * Tells the judge a history, whose lines of different members may be mixed in
 * any way: each member's in their order, and a delivery waits until the line
 * that sends the message was told.
 */
#include <stdlib.h>
#include "hist.h"
#include "judge_int.h"

/**
 * struct place - how far a member is
 * @m: once it has joined
 * @line: its next line, 0: none
 * @next: of those that wait for the same message, or for their turn; plus 1
 */
struct place {
	struct judge_member *m;
	u32 line;
	u32 next;
};

/**
 * struct player - a history that is being told
 * @waits: for each message not sent yet, who waits for it
 * @sent: the send line of this message was told
 * @ready: members whose turn it is
 */
struct player {
	const struct hist *h;
	struct judge *j;
	struct place *place;
	u32 *waits;
	bool *sent;
	u32 ready;
};

static void push(struct player *p, u32 *list, u32 member)
{
	p->place[member].next = *list;
	*list = member + 1;
}

static void play_deliver(struct player *p, const struct hist_line *line,
			 bool early)
{
	struct judge_member *m = p->place[line->member].m;
	u32 id = line->id;

	if (early)
		judge_early(p->j, m, id);
	else
		judge_deliver(p->j, m, p->h->msg[id].send ? id : UINT32_MAX,
			      &line->deliver);
}

static void play_view(struct player *p, const struct hist_line *line)
{
	const struct hist_view *v = line->view;
	struct judge_view_line view = {
		.vid = v->vid, .self = v->self, .n = v->n, .m = v->m,
	};

	judge_view(p->j, p->place[line->member].m, &view);
}

static void play_send(struct player *p, const struct hist_line *line)
{
	u32 *list = &p->waits[line->id], member;

	judge_send(p->j, p->place[line->member].m, line->id, &line->send);
	p->sent[line->id] = true;
	while (*list) {
		member = *list - 1;
		*list = p->place[member].next;
		push(p, &p->ready, member);
	}
}

static void play_line(struct player *p, u32 at, bool early)
{
	const struct hist_line *line = &p->h->line[at];
	struct place *pl = &p->place[line->member];

	judge_at(p->j, at);
	switch (line->event) {
	case HIST_JOIN:
		pl->m = judge_join(p->j, line->group,
				   p->h->members.name[line->member]);
		break;
	case HIST_SEND:
		play_send(p, line);
		break;
	case HIST_SENT:
		judge_sent(p->j, line->id, line->sent);
		break;
	case HIST_REFUSED:
		judge_refused(p->j, line->id, line->unknown);
		break;
	case HIST_DELIVER:
		play_deliver(p, line, early);
		break;
	case HIST_VIEW:
		play_view(p, line);
		break;
	case HIST_SUSPENDED:
		judge_suspended(p->j, pl->m);
		break;
	case HIST_RESUMED:
		judge_resumed(p->j, pl->m);
		break;
	default: /* what says nothing, or is told at the end */
		break;
	}
}

static bool waits(const struct player *p, const struct hist_line *line)
{
	return line->event == HIST_DELIVER && p->h->msg[line->id].send &&
	       !p->sent[line->id];
}

/* As far as @member comes. */
static void play_member(struct player *p, u32 member)
{
	struct place *pl = &p->place[member];
	const struct hist_line *line;

	for (; pl->line; pl->line = line->next) {
		line = &p->h->line[pl->line];
		if (waits(p, line)) {
			push(p, &p->waits[line->id], member);
			return;
		}
		play_line(p, pl->line, false);
	}
}

/*
 * Each waits for a message of another one: a circle. One of them did not wait
 * in truth. False if all is told.
 */
static bool break_circle(struct player *p)
{
	const struct hist_line *line;
	struct place *pl;
	u32 i, *list;

	for (i = 0; i < p->h->members.n; i++)
		if (p->place[i].line)
			break;
	if (i == p->h->members.n)
		return false;
	pl = &p->place[i];
	line = &p->h->line[pl->line];
	for (list = &p->waits[line->id]; *list != i + 1;)
		list = &p->place[*list - 1].next;
	*list = pl->next;
	play_line(p, pl->line, true);
	pl->line = line->next;
	push(p, &p->ready, i);
	return true;
}

static void play_members(struct player *p)
{
	u32 i;

	for (i = p->h->members.n; i--;) {
		p->place[i].line = p->h->member[i].first;
		push(p, &p->ready, i);
	}
	do {
		while (p->ready) {
			i = p->ready - 1;
			p->ready = p->place[i].next;
			play_member(p, i);
		}
	} while (break_circle(p));
}

/* How they ended may be said by others, at any time. */
static void play_ends(struct player *p)
{
	const struct hist_member *hm;
	u32 i;

	for (i = 0; i < p->h->members.n; i++) {
		hm = &p->h->member[i];
		judge_at(p->j, hm->out ? hm->out : hm->end);
		if (hm->out)
			judge_out(p->j, p->place[i].m,
				  p->h->line[hm->out].event == HIST_LEFT ?
					  JUDGE_LEFT : JUDGE_CRASHED);
		else if (hm->end)
			judge_stays(p->j, p->place[i].m);
	}
}

/* ---- epochs, in the order of time if that is known ---- */

static const struct hist *sorted;

static int by_time(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;
	u64 s = sorted->line[x].epoch->at, t = sorted->line[y].epoch->at;

	if (s != t)
		return s < t ? -1 : 1;
	return x < y ? -1 : 1;
}

static void play_epochs(struct player *p)
{
	const struct hist *h = p->h;
	struct judge_epoch_line e = { .timed = true };
	u32 *at = judge_alloc(h->n_lines * sizeof(u32));
	u32 i, n = 0;

	for (i = 1; i <= h->n_lines; i++) {
		if (h->line[i].event != HIST_EPOCH)
			continue;
		at[n++] = i;
		e.timed &= h->line[i].epoch->at != 0;
		e.free |= h->line[i].epoch->free;
	}
	sorted = h;
	if (e.timed)
		qsort(at, n, sizeof(u32), by_time);
	for (i = 0; i < n; i++) {
		const struct hist_epoch *he = h->line[at[i]].epoch;

		e.epoch = he->epoch;
		e.before = he->before;
		e.n = he->n;
		e.node = he->node;
		judge_at(p->j, at[i]);
		judge_epoch(p->j, &e);
	}
	free(at);
}

void hist_play(const struct hist *h, struct judge *j)
{
	struct player p = {
		.h = h,
		.j = j,
		.place = judge_alloc(h->members.n * sizeof(*p.place)),
		.waits = judge_alloc(h->msgs.n * sizeof(u32)),
		.sent = judge_alloc(h->msgs.n),
	};

	play_members(&p);
	play_ends(&p);
	play_epochs(&p);
	free(p.place);
	free(p.waits);
	free(p.sent);
	judge_finish(j);
}
