// SPDX-License-Identifier: GPL-2.0
/*
 * Faults at random. Each kind has a chance of its own, drawn for the seed, and
 * what a fault does follows from its number and kind alone.
 */
#include <stddef.h>
#include "sim.h"

/* What is to be undone later, the other node above. */
enum undo { UNDO_FLAP, UNDO_BEARER, UNDO_NOMEM, UNDO_PEER, UNDO_MTU };

static bool runs(const struct sim_node *n)
{
	return n->engine && n->paused_until <= S.now;
}

u32 sim_alive(void)
{
	u32 i, n = 0;

	for (i = 0; i < S.n_nodes; i++)
		n += !!S.node[i].engine;
	return n;
}

u32 sim_there(void)
{
	u32 i, n = 0;

	for (i = 0; i < S.n_nodes; i++)
		n += !S.node[i].absent;
	return n;
}

static u32 another(const struct sim_node *n)
{
	return sim_behind(n->index, sim_rand(S.n_nodes - 1));
}

static void undo_in(struct sim_node *n, u32 ms, enum undo what, u32 to)
{
	sim_at(S.now + ms * SIM_MS, SIM_EV_UNDO, n->index, what | to << 8,
	       NULL);
}

/* ---- nodes ---- */

static void crash(struct sim_node *n)
{
	struct gpe_event bye = { .type = GPE_EV_GOODBYE };

	if (!n->engine || sim_alive() < 2)
		return;
	if (runs(n) && sim_chance(S.mix.bye)) {
		sim_trace("node %u says goodbye", n->index);
		sim_node_step(n, &bye);
	}
	sim_node_crash(n);
}

static void still(struct sim_node *n, u32 ms, bool loses)
{
	n->paused_until = S.now + ms * SIM_MS;
	n->loses = loses;
	sim_trace("node %u stands still for %u ms%s", n->index, ms,
		  loses ? ", deaf" : "");
}

static void pause(struct sim_node *n)
{
	if (runs(n))
		still(n, sim_rand(2000), false);
}

static void suspend(struct sim_node *n)
{
	if (runs(n))
		still(n, sim_rand(5000), true);
}

static void freeze(struct sim_node *n)
{
	if (!runs(n))
		return;
	still(n, sim_rand(5000), sim_chance(500));
	sim_trace("node %u: its clock too", n->index);
	sim_clock_stop(n, n->paused_until);
	sim_node_rearm(n);
}

static void jump(struct sim_node *n)
{
	u32 ms = sim_rand(sim_chance(500) ? 400 : 10000);

	if (!runs(n))
		return;
	sim_trace("node %u: its clock jumps by %u ms", n->index, ms);
	sim_clock_jump(n, ms * SIM_MS);
	sim_node_rearm(n);
}

static void wall(struct sim_node *n)
{
	struct gpe_event ev = { .type = GPE_EV_CONFIG };
	struct gpe_node_info info;
	s64 s = (s64)sim_rand(20000) - 10000;

	if (sim_chance(500))
		s *= 20000;
	n->clock.wall = s * (s64)SIM_S;
	sim_trace("node %u: wall clock off by %lld s", n->index, s);
	if (!runs(n))
		return;
	gpe_node_info(n->engine, &info);
	ev.config.cfg = info.cfg;
	ev.config.wall_ns = sim_wall(n);
	sim_node_step(n, &ev);
}

static void nomem(struct sim_node *n)
{
	n->nomem = 1 + sim_rand(sim_chance(200) ? 1000 : 200);
	sim_trace("node %u: %u of 1000 allocations fail", n->index, n->nomem);
	undo_in(n, sim_rand(1500), UNDO_NOMEM, 0);
}

/* ---- links ---- */

static void cut(u64 from, u64 to)
{
	u32 a, b;

	for (a = 0; a < S.n_nodes; a++)
		for (b = 0; b < S.n_nodes; b++)
			if ((from >> a & 1) && (to >> b & 1))
				S.cut[a][b] = true;
}

static u64 some(void)
{
	u64 all = U64_MAX >> (64 - S.n_nodes);
	u64 mask = (u64)sim_rand(U32_MAX) << 32 | sim_rand(U32_MAX);

	return mask & all;
}

static void cut_sides(struct sim_node *n)
{
	u64 side = some();

	(void)n;
	sim_trace("cut: %llx", side);
	cut(side, ~side);
	cut(~side, side);
}

static void cut_oneway(struct sim_node *n)
{
	u64 side = some();

	(void)n;
	sim_trace("cut: from %llx to the rest", side);
	cut(side, ~side);
}

static void cut_link(struct sim_node *n)
{
	u32 to = another(n);

	sim_trace("cut: from %u to %u", n->index, to);
	S.cut[n->index][to] = true;
}

static void deaf(struct sim_node *n)
{
	sim_trace("node %u hears nothing", n->index);
	cut(~BIT_ULL(n->index), BIT_ULL(n->index));
}

static void mute(struct sim_node *n)
{
	sim_trace("node %u is not heard", n->index);
	cut(BIT_ULL(n->index), ~BIT_ULL(n->index));
}

static void flap(struct sim_node *n)
{
	u32 i;

	if (!n->flaps)
		n->flaps = 2 * (1 + sim_rand(6));
	n->flaps--;
	sim_trace("node %u: links %s", n->index,
		  n->flaps & 1 ? "off" : "on");
	for (i = 0; i < S.n_nodes; i++) {
		S.cut[i][n->index] = n->flaps & 1;
		S.cut[n->index][i] = n->flaps & 1;
	}
	if (n->flaps)
		undo_in(n, 20 + sim_rand(600), UNDO_FLAP, 0);
}

static void cable(struct sim_node *n)
{
	struct sim_link *l = &S.link[n->index][another(n)];

	l->loss = 100 + sim_rand(900);
	sim_trace("node %u: one link loses %u of 1000", n->index, l->loss);
}

/* The path's limit changes, and the host hears of it a little later. */
static void mtu(struct sim_node *n)
{
	static const u32 sizes[] = { 576, 1280, 1472, 4000, 8972, 60000 };
	u32 to = another(n);

	S.link[n->index][to].mtu = sizes[sim_rand(ARRAY_SIZE(sizes))];
	sim_trace("from %u to %u: mtu %u", n->index, to,
		  S.link[n->index][to].mtu);
	undo_in(n, 1 + sim_rand(100), UNDO_MTU, to);
}

static void bearer(struct sim_node *n)
{
	if (!runs(n) || !n->bearer)
		return;
	sim_trace("node %u: bearer removed", n->index);
	sim_node_bearer(n, false);
	undo_in(n, sim_rand(3000), UNDO_BEARER, 0);
}

static void peer(struct sim_node *n)
{
	u32 to = another(n);

	if (!runs(n) || S.node[to].absent)
		return;
	sim_trace("node %u: address of %u removed", n->index, to);
	sim_node_peer(n, to, false);
	undo_in(n, 1 + sim_rand(2000), UNDO_PEER, to);
}

static void whole(struct sim_node *n)
{
	u32 a, b;

	(void)n;
	memset(S.cut, 0, sizeof(S.cut));
	for (a = 0; a < S.n_nodes; a++)
		for (b = 0; b < S.n_nodes; b++)
			S.link[a][b].loss = 0;
	sim_trace("links whole");
}

static void start(struct sim_node *n)
{
	if (!n->engine && n->paused_until <= S.now)
		sim_node_start(n);
}

/* ---- all of them ---- */

static const u32 always = 1000, third = 300;

static const struct {
	const u32 *chance;
	void (*make)(struct sim_node *n);
} faults[] = {
	{ &always, start },
	{ &third, whole },
	{ &S.mix.crash, crash },
	{ &S.mix.pause, pause },
	{ &S.mix.suspend, suspend },
	{ &S.mix.freeze, freeze },
	{ &S.mix.jump, jump },
	{ &S.mix.wall, wall },
	{ &S.mix.nomem, nomem },
	{ &S.mix.cut, cut_sides },
	{ &S.mix.oneway, cut_oneway },
	{ &S.mix.link, cut_link },
	{ &S.mix.deaf, deaf },
	{ &S.mix.mute, mute },
	{ &S.mix.flap, flap },
	{ &S.mix.cable, cable },
	{ &S.mix.mtu, mtu },
	{ &S.mix.bearer, bearer },
	{ &S.mix.peer, peer },
};

void sim_fault(void)
{
	u64 was = S.rng;
	u32 i, nr = S.n_faults++;

	if (!S.faults)
		return;
	sim_stream(SIM_FAULT, nr, 0, 0);
	sim_at(S.now + (50 + sim_rand(400)) * SIM_MS, SIM_EV_FAULT, 0, 0,
	       NULL);
	for (i = 0; i < ARRAY_SIZE(faults) && !S.bad; i++) {
		sim_stream(SIM_FAULT, nr, i + 1, 0);
		if (sim_chance(*faults[i].chance) &&
		    sim_do(SIM_FAULT, 0, nr, i))
			faults[i].make(&S.node[sim_rand(S.n_nodes)]);
	}
	S.rng = was;
}

void sim_undo(struct sim_node *n, u32 what)
{
	u64 was = sim_stream(SIM_UNDO, n->index, what, S.n_faults);
	u32 to = what >> 8;

	if (n->paused_until > S.now) {
		sim_at(n->paused_until, SIM_EV_UNDO, n->index, what, NULL);
		return;
	}
	switch ((enum undo)(what & 0xff)) {
	case UNDO_FLAP:
		if (S.faults)
			flap(n);
		break;
	case UNDO_BEARER:
		if (n->engine && !n->bearer)
			sim_node_bearer(n, true);
		break;
	case UNDO_NOMEM:
		n->nomem = 0;
		break;
	case UNDO_PEER:
	case UNDO_MTU:
		if (n->engine)
			sim_node_peer(n, to, true);
		break;
	}
	S.rng = was;
}

static void heal_node(struct sim_node *n)
{
	u32 i;

	n->flaps = 0;
	n->nomem = 0;
	if (n->paused_until > S.now) {
		n->paused_until = S.now;
		sim_clock_go(n);
		if (n->engine)
			sim_node_rearm(n);
	}
	if (!n->engine)
		return;
	if (!n->bearer)
		sim_node_bearer(n, true);
	for (i = 0; i < S.n_nodes; i++)
		if (i != n->index)
			sim_node_peer(n, i, true);
}

static u32 votes_alive(void)
{
	u32 i, votes = 0;

	for (i = 0; i < S.n_nodes; i++)
		votes += S.node[i].engine ? S.node[i].votes : 0;
	return votes;
}

/*
 * All links are whole, and whoever stands still goes on. Nodes that are down
 * come back, or some of them stay away as long as a quorum can form.
 */
void sim_heal(void)
{
	u32 i;

	S.healed = S.now;
	S.faults = false;
	S.working = false;
	S.rate = 0;
	whole(NULL);
	sim_trace("faults end");
	for (i = 0; i < S.n_nodes; i++)
		heal_node(&S.node[i]);
	for (i = 0; i < S.n_nodes; i++)
		if (!S.node[i].engine &&
		    (2 * votes_alive() <= S.n_votes || sim_chance(500)))
			sim_node_start(&S.node[i]);
}
