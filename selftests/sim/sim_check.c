// SPDX-License-Identifier: GPL-2.0
/*
 * The checkers: design.md's properties, over what programs see. They share no
 * code with the engine. A member here is one stay of a socket in the cluster:
 * when its node was out and it comes back under another incarnation, or from a
 * suspension, what it may expect starts afresh (its stay's number grows).
 */
#include "sim.h"

enum { VIEWS = 1 << 14, STAYS = 64 };

/* A view as first seen: the others must see the same. */
struct check_view {
	u32 group;
	struct gpe_vid vid;
	u32 n;
	struct gpe_addr *m;
};

/* What was delivered between two views, by whoever installed both first. */
struct check_span {
	u32 group;
	struct gpe_vid from;
	struct gpe_vid to;
	u32 n;
	u32 n_totals;
	u64 *ids;	/* sorted */
	u64 *totals;	/* in order */
};

struct sim_member {
	struct sim_member *next;
	u32 group;
	u32 port;
	bool in;
	bool broken;		/* suspended since its last view */
	bool ever_out;		/* suspended, out, crashed or left, ever */
	struct gpe_vid vid;
	u32 n_got;
	u32 size_got;
	u64 *got;		/* messages to all in this view, in order */
	u64 sent_order;		/* of its own messages to all, and to one */
	u64 last_one;
	u8 *seen;		/* bit for each message */
	struct {
		struct sim_member *from;
		bool to_one;
		u64 order;
	} *fifo;
	u32 n_fifo;
};

struct sim_check {
	struct sim_member *members;
	struct check_view view[VIEWS];
	u32 n_views;
	struct check_span *span;
	u32 n_spans;
	u32 size_spans;
	struct {
		u64 epoch;
		u64 next;
		u32 n;
		struct gpe_node_entry nodes[SIM_NODES];
	} epoch[VIEWS];
	u32 n_epochs;
	u64 top;	/* highest epoch seen of those that were agreed on */
	u64 late;	/* one below it that was seen later */
};

static void *grow(void *p, u32 n, u32 *size, size_t one)
{
	if (n < *size)
		return p;
	*size = *size ? 2 * *size : 64;
	p = realloc(p, *size * one);
	if (!p)
		abort();
	return p;
}

static bool same(const struct gpe_vid *a, const struct gpe_vid *b)
{
	return a->epoch == b->epoch && a->seq == b->seq;
}

void check_init(void)
{
	S.check = calloc(1, sizeof(*S.check));
	if (!S.check)
		abort();
}

void check_free(void)
{
	struct sim_check *c = S.check;
	struct sim_member *m;
	u32 i;

	while ((m = c->members)) {
		c->members = m->next;
		free(m->got);
		free(m->seen);
		free(m->fifo);
		free(m);
	}
	for (i = 0; i < c->n_views; i++)
		free(c->view[i].m);
	for (i = 0; i < c->n_spans; i++) {
		free(c->span[i].ids);
		free(c->span[i].totals);
	}
	free(c->span);
	free(c);
}

struct sim_member *check_join(u32 group, u32 port)
{
	struct sim_member *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	m->seen = calloc(1, SIM_MSGS / 8);
	m->group = group;
	m->port = port;
	m->next = S.check->members;
	S.check->members = m;
	return m;
}

/* ---- V1: views ---- */

static void check_same_view(struct sim_member *m, const struct gpe_view *v)
{
	struct sim_check *c = S.check;
	struct check_view *cv;
	u32 i, k;

	for (i = 0; i < c->n_views; i++) {
		cv = &c->view[i];
		if (cv->group != m->group || !same(&cv->vid, &v->id))
			continue;
		if (cv->n != v->n)
			sim_bad("V1", "view %llu.%llu has %u and %u members",
				v->id.epoch, v->id.seq, cv->n, v->n);
		for (k = 0; k < v->n && !S.bad; k++)
			if (memcmp(&cv->m[k], &v->m[k].addr,
				   sizeof(cv->m[k])))
				sim_bad("V1", "view %llu.%llu differs at rank %u",
					v->id.epoch, v->id.seq, k);
		return;
	}
	if (c->n_views == VIEWS)
		return;
	cv = &c->view[c->n_views++];
	cv->group = m->group;
	cv->vid = v->id;
	cv->n = v->n;
	cv->m = calloc(v->n, sizeof(cv->m[0]));
	for (k = 0; k < v->n; k++)
		cv->m[k] = v->m[k].addr;
}

/* ---- V2, V7: what was delivered between two views ---- */

static int by_id(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* The first message that only one of two sorted lists has. */
static u64 differs(const u64 *a, u32 na, const u64 *b, u32 nb)
{
	u32 i = 0, k = 0;

	while (i < na && k < nb && a[i] == b[k]) {
		i++;
		k++;
	}
	if (i == na)
		return b[k];
	return k == nb || a[i] < b[k] ? a[i] : b[k];
}

static void check_span(struct sim_member *m, const struct gpe_vid *to)
{
	struct sim_check *c = S.check;
	u64 *ids = malloc((m->n_got + 1) * sizeof(u64));
	u64 *totals = malloc((m->n_got + 1) * sizeof(u64));
	struct check_span *sp;
	u32 i, n_totals = 0;

	for (i = 0; i < m->n_got; i++) {
		ids[i] = m->got[i];
		if (S.msg[m->got[i]].level == GPE_TOTAL)
			totals[n_totals++] = m->got[i];
	}
	qsort(ids, m->n_got, sizeof(u64), by_id);
	for (i = 0; i < c->n_spans; i++) {
		sp = &c->span[i];
		if (sp->group != m->group || !same(&sp->from, &m->vid) ||
		    !same(&sp->to, to))
			continue;
		if (sp->n != m->n_got ||
		    memcmp(sp->ids, ids, sp->n * sizeof(u64)))
			sim_bad("V2", "port %u delivered %u messages in view %llu.%llu, another %u; message %llu is in one only",
				m->port, m->n_got, m->vid.epoch, m->vid.seq,
				sp->n, differs(ids, m->n_got, sp->ids, sp->n));
		else if (sp->n_totals != n_totals ||
			 memcmp(sp->totals, totals, n_totals * sizeof(u64)))
			sim_bad("V7", "port %u has another order in view %llu.%llu",
				m->port, m->vid.epoch, m->vid.seq);
		free(ids);
		free(totals);
		return;
	}
	c->span = grow(c->span, c->n_spans, &c->size_spans, sizeof(*sp));
	sp = &c->span[c->n_spans++];
	sp->group = m->group;
	sp->from = m->vid;
	sp->to = *to;
	sp->n = m->n_got;
	sp->n_totals = n_totals;
	sp->ids = ids;
	sp->totals = totals;
}

void check_view(struct sim_member *m, const struct gpe_view *v)
{
	u32 i, mine = 0;

	for (i = 0; i < v->n; i++)
		mine += v->m[i].addr.port == m->port;
	sim_trace("port %u of group %u: view %llu.%llu, %u members", m->port,
		  m->group, v->id.epoch, v->id.seq, v->n);
	if (!mine) {
		sim_bad("V1", "port %u is not in its view", m->port);
		return;
	}
	if (m->in && !m->broken &&
	    (v->id.epoch < m->vid.epoch ||
	     (v->id.epoch == m->vid.epoch && v->id.seq <= m->vid.seq)))
		sim_bad("V1", "view ids do not grow at port %u", m->port);
	check_same_view(m, v);
	/* Both views installed, and nothing between them. */
	if (m->in && !m->broken)
		check_span(m, &v->id);
	m->in = true;
	m->broken = false;
	m->vid = v->id;
	m->n_got = 0;
}

void check_suspended(struct sim_member *m)
{
	sim_trace("port %u suspended", m->port);
	m->broken = true;
	m->ever_out = true;
}

/*
 * Its node is another incarnation: who had no view yet was told nothing, but
 * what was sent to it as a member of the old one is lost.
 */
void check_reborn(struct sim_member *m)
{
	if (!m->in)
		m->ever_out = true;
}

void check_gone(struct sim_member *m)
{
	m->in = false;
	m->ever_out = true;
}

/* ---- V3, V4, V5: messages ---- */

static bool check_order(struct sim_member *m, struct sim_member *from,
			bool to_one, u64 order)
{
	u32 i, size = m->n_fifo;

	for (i = 0; i < m->n_fifo; i++) {
		if (m->fifo[i].from != from || m->fifo[i].to_one != to_one)
			continue;
		if (m->fifo[i].order >= order)
			return false;
		m->fifo[i].order = order;
		return true;
	}
	if (!(size & (size - 1)) || !size)
		m->fifo = realloc(m->fifo, (size ? 2 * size : 1) *
						   sizeof(*m->fifo));
	m->fifo[m->n_fifo].from = from;
	m->fifo[m->n_fifo].to_one = to_one;
	m->fifo[m->n_fifo++].order = order;
	return true;
}

static bool before(const struct gpe_vid *a, const struct gpe_vid *b)
{
	return a->epoch != b->epoch ? a->epoch < b->epoch : a->seq < b->seq;
}

/* To one member: to that one, and never before the view it is stamped in. */
static void check_one(struct sim_member *m, const struct gpe_msg_info *info,
		      const struct sim_msg *msg, u64 id)
{
	if (info->dst_port != m->port || (msg->dst && msg->dst != m))
		sim_bad("V3", "message %llu for another at port %u", id,
			m->port);
	if (!m->in || before(&m->vid, &info->vid))
		sim_bad("V4", "message %llu of view %llu.%llu at port %u in view %llu.%llu",
			id, info->vid.epoch, info->vid.seq, m->port,
			m->vid.epoch, m->vid.seq);
}

static void check_to_all(struct sim_member *m, const struct gpe_msg_info *info,
			 struct sim_msg *msg, u64 id)
{
	if (!m->in || !same(&info->vid, &m->vid))
		sim_bad("V4", "message %llu of view %llu.%llu at port %u in view %llu.%llu",
			id, info->vid.epoch, info->vid.seq, m->port,
			m->vid.epoch, m->vid.seq);
	/* Delivered within the very step that accepts it: not stamped yet. */
	if (!msg->vid.epoch)
		msg->vid = info->vid;
	else if (!same(&info->vid, &msg->vid))
		sim_bad("V4", "message %llu was stamped otherwise", id);
	m->got = grow(m->got, m->n_got, &m->size_got, sizeof(u64));
	m->got[m->n_got++] = id;
}

void check_deliver(struct sim_member *m, const struct gpe_msg_info *info,
		   u64 id)
{
	struct sim_msg *msg;

	if (id >= S.n_msgs || !S.msg[id].sender) {
		sim_bad("V3", "port %u got bytes that nobody sent", m->port);
		return;
	}
	msg = &S.msg[id];
	if (msg->group != m->group || msg->len != info->len ||
	    msg->sender->port != info->sender.port)
		sim_bad("V3", "message %llu names another sender, group or size",
			id);
	if (m->seen[id / 8] >> (id % 8) & 1)
		sim_bad("V3", "message %llu twice at port %u", id, m->port);
	m->seen[id / 8] |= 1 << (id % 8);
	/* Ids grow with each send of a member. */
	if (!check_order(m, msg->sender, msg->to_one, id))
		sim_bad("V5", "message %llu late at port %u", id, m->port);
	if (msg->to_one)
		check_one(m, info, msg, id);
	else
		check_to_all(m, info, msg, id);
}

void check_sent(struct sim_member *m, u64 id)
{
	S.msg[id].sender = m;
	S.msg[id].order = 1; /* accepted */
}

/* ---- V10: node views ---- */

/*
 * A formation takes its number from the clock, a successor the next one. So a
 * chain that goes on after another was formed shows by numbers that are new
 * and yet lower. One of them may have been decided before, and be heard of only
 * now: it has no successor, since too few are left of it. A node that only
 * starts is a cluster of its own, which is agreed with nobody.
 */
static void check_one_chain(const struct gpe_node_info *info, u64 before)
{
	struct sim_check *c = S.check;

	if (!before && info->n_nodes == 1)
		return;
	if (info->epoch > c->top) {
		c->top = info->epoch;
		return;
	}
	if (before && before == c->late)
		sim_bad("V10", "epoch %llu goes on in %llu, after %llu",
			before, info->epoch, c->top);
	c->late = info->epoch;
}

void check_epoch(const struct gpe_node_info *info, u64 before)
{
	struct sim_check *c = S.check;
	u32 i, k;

	for (i = 0; i < c->n_epochs; i++)
		if (c->epoch[i].epoch == info->epoch)
			break;
	if (i == VIEWS)
		return;
	if (i == c->n_epochs) {
		check_one_chain(info, before);
		c->n_epochs++;
		c->epoch[i].epoch = info->epoch;
		c->epoch[i].n = info->n_nodes;
		memcpy(c->epoch[i].nodes, info->nodes,
		       info->n_nodes * sizeof(info->nodes[0]));
	} else if (c->epoch[i].n != info->n_nodes ||
		   memcmp(c->epoch[i].nodes, info->nodes,
			  info->n_nodes * sizeof(info->nodes[0]))) {
		sim_bad("V10", "epoch %llu has two node views", info->epoch);
	}
	if (!before)
		return;
	for (k = 0; k < c->n_epochs; k++) {
		if (c->epoch[k].epoch != before)
			continue;
		if (!c->epoch[k].next)
			c->epoch[k].next = info->epoch;
		else if (c->epoch[k].next != info->epoch)
			sim_bad("V10", "epoch %llu is followed by %llu and by %llu",
				before, c->epoch[k].next, info->epoch);
	}
}

/* ---- V9, V13 and once more V2, V7: at the end, when all is quiet ---- */

static bool saw(const struct sim_member *m, u64 id)
{
	return m->seen[id / 8] >> (id % 8) & 1;
}

/* What was accepted from a member that was never out has arrived. */
static void check_arrived(const struct sim_msg *msg, u64 id)
{
	if (!msg->sender || !msg->order || msg->sender->ever_out)
		return;
	if (!msg->to_one && !saw(msg->sender, id))
		sim_bad("V9", "port %u never saw its own message %llu",
			msg->sender->port, id);
	if (msg->to_one && msg->dst && !msg->dst->ever_out &&
	    !saw(msg->dst, id))
		sim_bad("V13", "message %llu to port %u alone never arrived",
			id, msg->dst->port);
}

void check_end(void)
{
	static const struct gpe_vid end = { U64_MAX, 0 };
	struct sim_member *m;
	u64 id;

	for (m = S.check->members; m && !S.bad; m = m->next)
		if (m->in && !m->broken)
			check_span(m, &end);
	for (id = 0; id < S.n_msgs && !S.bad; id++)
		check_arrived(&S.msg[id], id);
}
