// SPDX-License-Identifier: GPL-2.0
/*
 * What scenes are made of: nodes are started, cut off and crashed, and asked
 * how they are, at moments of a scene's choice.
 */
#include "sim.h"
#include "sim_play.h"

u32 bit(u32 i)
{
	return 1U << i;
}

u32 all(void)
{
	return bit(S.n_nodes) - 1;
}

u32 between(u32 least, u32 most)
{
	return least + sim_rand(most - least + 1);
}

void pass(u32 ms)
{
	sim_run(S.now + ms * SIM_MS);
}

void pass_steps(u32 n)
{
	u64 end = S.steps + n, until = S.now + SIM_S;

	while (!S.bad && S.steps < end && S.now < until)
		sim_run(S.now + SIM_MS / 20);
}

/* ---- what nodes say of themselves ---- */

struct gpe_node_info info_of(u32 i)
{
	struct gpe_node_info info = { 0 };

	if (S.node[i].engine)
		gpe_node_info(S.node[i].engine, &info);
	return info;
}

bool state_is(u32 i, enum gpe_state state)
{
	return S.node[i].engine && info_of(i).state == state;
}

/* These nodes, as who they are now, are one view, at each of them. */
bool one_view(u32 mask)
{
	u64 epoch = 0;
	u32 i, k;

	for (i = 0; i < S.n_nodes; i++) {
		struct gpe_node_info info = info_of(i);

		if (!(mask & bit(i)))
			continue;
		if (!S.node[i].engine || info.state != GPE_ST_NORMAL ||
		    info.n_nodes != hweight64(mask) ||
		    (epoch && epoch != info.epoch))
			return false;
		for (k = 0; k < info.n_nodes; k++)
			if (!(mask & bit(info.nodes[k].id - 1)))
				return false;
		epoch = info.epoch;
	}
	return true;
}

u32 rank_of(u32 i)
{
	struct gpe_node_info info = info_of(i);
	u32 k;

	for (k = 0; k < info.n_nodes; k++)
		if (info.nodes[k].id == i + 1)
			return k;
	return SIM_NODES;
}

u32 at_rank(u32 rank, u32 asked)
{
	return info_of(asked).nodes[rank].id - 1;
}

u64 counted(u32 mask, enum gpe_counter c)
{
	u64 n = 0;
	u32 i;

	for (i = 0; i < S.n_nodes; i++)
		if ((mask & bit(i)) && S.node[i].engine)
			n += gpe_counters(S.node[i].engine)[c];
	return n;
}

/* ---- what is asked of them ---- */

void failed(const char *property, const char *what)
{
	char text[120] = "";
	u32 i, at = 0;

	for (i = 0; i < S.n_nodes && at < sizeof(text) - 40; i++) {
		struct gpe_node_info info = info_of(i);

		at += snprintf(text + at, sizeof(text) - at, " %u:%u/%u %s", i,
			       info.state, info.n_nodes,
			       info.why ? info.why : "down");
	}
	sim_bad(property, "%s (node:state/nodes)%s", what, text);
}

/* They are one view before so much time is over. */
void settle(u32 mask, u32 ms, const char *what)
{
	u64 end = S.now + ms * SIM_MS;

	sim_trace("-- %s: %x within %u ms", what, mask, ms);
	while (!S.bad && !one_view(mask) && S.now < end)
		pass(5);
	if (!S.bad && !one_view(mask))
		failed("V11", what);
}

void becomes(u32 i, enum gpe_state state, u32 ms, const char *what)
{
	u64 end = S.now + ms * SIM_MS;

	while (!S.bad && !state_is(i, state) && S.now < end)
		sim_run(S.now + SIM_MS / 20);
	if (!S.bad && !state_is(i, state))
		failed("V11", what);
}

/* All that time they stay the view they are. */
void stays(u32 mask, u32 ms, const char *what)
{
	u64 end = S.now + ms * SIM_MS, epoch = info_of(__ffs64(mask)).epoch;

	sim_trace("-- %s: %x goes on for %u ms", what, mask, ms);
	while (!S.bad && S.now < end) {
		pass(20);
		if (!S.bad && (info_of(__ffs64(mask)).epoch != epoch ||
			       !one_view(mask)))
			failed("duel", what);
	}
}

/* And messages arrive. */
void calm(u32 mask, u32 ms, const char *what)
{
	u64 got = counted(mask, GPE_CNT_MSG_DELIVERED);

	stays(mask, ms, what);
	if (!S.bad && counted(mask, GPE_CNT_MSG_DELIVERED) == got)
		failed("V11", "nothing was delivered");
}

/* None of them is without a quorum at any time. */
void never_out(u32 mask, u32 ms, const char *what)
{
	u64 end = S.now + ms * SIM_MS;
	u32 i;

	while (!S.bad && S.now < end) {
		pass(10);
		for (i = 0; i < S.n_nodes && !S.bad; i++)
			if ((mask & bit(i)) &&
			    !state_is(i, GPE_ST_NORMAL) &&
			    !state_is(i, GPE_ST_WEDGED))
				failed("V11", what);
	}
}

struct budget spend(u32 mask)
{
	struct budget b = { .mask = mask };
	u32 i;

	for (i = 0; i < S.n_nodes; i++)
		b.views[i] = info_of(i).view_changes;
	b.ballots = counted(mask, GPE_CNT_BALLOTS);
	return b;
}

/* No node has had more views since, nor all of them more ballots. */
void at_most(const struct budget *b, u32 views, u32 ballots, const char *what)
{
	u64 most = 0, held = counted(b->mask, GPE_CNT_BALLOTS) - b->ballots;
	u32 i;

	for (i = 0; i < S.n_nodes; i++)
		if (b->mask & bit(i))
			most = max(most, info_of(i).view_changes - b->views[i]);
	sim_trace("-- %s: %llu views, %llu ballots", what, most, held);
	if (!S.bad && (most > views || held > ballots))
		sim_bad("duel", "%s: %llu views and %llu ballots, %u and %u are enough",
			what, most, held, views, ballots);
}

/* ---- what is done to them ---- */

void start(u32 mask)
{
	u32 i;

	for (i = 0; i < S.n_nodes; i++)
		if ((mask & bit(i)) && !S.node[i].engine) {
			sim_node_start(&S.node[i]);
			pass(sim_rand(100));
		}
}

void crash(u32 mask)
{
	u32 i;

	for (i = 0; i < S.n_nodes; i++)
		if ((mask & bit(i)) && S.node[i].engine)
			sim_node_crash(&S.node[i]);
}

/* From each of @from to each of @to. */
void cut(u32 from, u32 to, bool off)
{
	u32 a, b;

	sim_trace("-- %x to %x %s", from, to, off ? "cut" : "whole");
	for (a = 0; a < S.n_nodes; a++)
		for (b = 0; b < S.n_nodes; b++)
			if ((from & bit(a)) && (to & bit(b)))
				S.cut[a][b] = off;
}

void split(u32 side, bool off)
{
	cut(side, all() & ~side, off);
	cut(all() & ~side, side, off);
}

void wall_set(u32 i, s64 ms)
{
	struct gpe_event ev = { .type = GPE_EV_CONFIG };
	struct sim_node *n = &S.node[i];

	sim_trace("-- node %u: wall clock off by %lld ms", i, ms);
	n->clock.wall = ms * (s64)SIM_MS;
	if (!n->engine)
		return;
	ev.config.cfg = info_of(i).cfg;
	ev.config.wall_ns = sim_wall(n);
	sim_node_step(n, &ev);
}

void cluster(void)
{
	start(all());
	settle(all(), FORM + BOUND, "a cluster forms");
	/* Programs join, and begin to send. */
	pass(between(500, 1500));
}

void healed(u32 ms)
{
	tap_end();
	memset(S.cut, 0, sizeof(S.cut));
	settle(all(), BOUND + ms, "healed, all are one view");
	calm(all(), 1000, "healed");
}

/* ---- what becomes of packets ---- */

enum { TAPS = 7 };

static struct {
	enum sim_tap what[TAPS][TAPS][GPE_PK_N];
	u32 said[TAPS][TAPS][GPE_PK_N];
	u64 region[TAPS][TAPS];
	bool log[TAPS][TAPS];
} taps;

/* In the packet: where its type is, and what follows the common part. */
enum { AT_TYPE = 3, AT_BODY = 48, AT_VIEW_FLAGS = 21, AT_DATA_FLAGS = 25 };

static bool means_it(u8 type, u8 flags)
{
	if (type == GPE_PK_PROMISE)
		return !(flags & GPE_VF_NAK);
	return type != GPE_PK_READY || (flags & GPE_VF_DONE);
}

static enum sim_tap looked_at(u32 from, u32 to, const struct gpe_shim_buf *buf)
{
	const u8 *p = buf->data, *body = p + AT_BODY;
	u8 type = p[AT_TYPE];
	bool log = type == GPE_PK_DATA && (body[AT_DATA_FLAGS] & 1);

	if (means_it(type, type == GPE_PK_DATA ? 0 : body[AT_VIEW_FLAGS]))
		taps.said[from][to][type]++;
	if (type == GPE_PK_DATA && taps.region[from][to] &&
	    (log || taps.region[from][to] != get_unaligned_be64(body)))
		return SIM_PASS;
	if (type == GPE_PK_DATA && taps.log[from][to] && !log)
		return SIM_PASS;
	return taps.what[from][to][type];
}

void tap_end(void)
{
	memset(&taps, 0, sizeof(taps));
	S.tap = NULL;
}

void tap(u32 from, u32 to, enum gpe_pkt_type type, enum sim_tap what)
{
	static const char *const words[] = { "pass", "are lost", "come twice",
					     "are kept", "are kept as well" };

	if (!S.tap)
		tap_end();
	S.tap = looked_at;
	sim_trace("-- from %u to %u packets of type %u %s", from, to, type,
		  words[what]);
	taps.what[from][to][type] = what;
	taps.region[from][to] = 0;
	taps.log[from][to] = false;
}

void tap_region(u32 from, u32 to, u64 region, enum sim_tap what)
{
	tap(from, to, GPE_PK_DATA, what);
	taps.region[from][to] = region;
}

void tap_log(u32 from, u32 to, enum sim_tap what)
{
	tap(from, to, GPE_PK_DATA, what);
	taps.log[from][to] = true;
}

u32 said(u32 from, u32 to, enum gpe_pkt_type type)
{
	return taps.said[from][to][type];
}

void await_said(u32 from, u32 to, enum gpe_pkt_type type, u32 ms)
{
	u64 end = S.now + ms * SIM_MS;
	u32 was = said(from, to, type);

	while (!S.bad && said(from, to, type) == was && S.now < end)
		sim_run(S.now + SIM_MS / 20);
}

void await_epoch(u32 i, u64 after, u32 ms)
{
	u64 end = S.now + ms * SIM_MS;

	while (!S.bad && info_of(i).epoch <= after && S.now < end)
		sim_run(S.now + SIM_MS / 20);
}

void levels(u32 none, u32 fifo, u32 causal, u32 total, u32 safe)
{
	S.mix.level[GPE_NONE] = none;
	S.mix.level[GPE_FIFO] = fifo;
	S.mix.level[GPE_CAUSAL] = causal;
	S.mix.level[GPE_TOTAL] = total;
	S.mix.level[GPE_SAFE] = safe;
}
