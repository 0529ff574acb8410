// SPDX-License-Identifier: GPL-2.0
/*
 * The clocks of nodes. Each runs at a speed of its own, may stand still (a
 * guest that is paused with its clock), may jump ahead (a machine that was
 * suspended) and never goes back. The wall clock beside it goes where it
 * likes. S.now is the time outside, which no node knows.
 */
#include "sim.h"

enum { MILLION = 1000000 };

/* Nodes do not start at zero, nor together. */
#define WALL_EPOCH (1700000000ULL * SIM_S)

/* What the clock shows now. */
u64 sim_clock(const struct sim_node *n)
{
	const struct sim_clock *c = &n->clock;
	u64 passed = S.now > c->at ? S.now - c->at : 0;

	return c->shows + passed + (s64)passed * c->ppm / MILLION;
}

u64 sim_wall(const struct sim_node *n)
{
	return S.now + WALL_EPOCH + n->clock.wall;
}

/* The first moment, not before now, at which the clock shows so much. */
u64 sim_when(const struct sim_node *n, u64 shows)
{
	const struct sim_clock *c = &n->clock;
	u64 left;

	if (shows <= c->shows)
		return max(S.now, c->at);
	left = shows - c->shows;
	/* Some nanoseconds late by rounding: a timer is never early. */
	left = left - (s64)left * c->ppm / (MILLION + c->ppm) + 2;
	return max(S.now, c->at + left);
}

/* @at: from then on it goes again. */
static void set(struct sim_node *n, u64 shows, u64 at)
{
	n->clock.shows = shows;
	n->clock.at = at;
}

void sim_clock_start(struct sim_node *n)
{
	n->clock.ppm = sim_chance(500) ? 0 : (s32)sim_rand(2001) - 1000;
	set(n, SIM_S + sim_rand(1000) * SIM_S, S.now);
}

void sim_clock_jump(struct sim_node *n, u64 ns)
{
	set(n, sim_clock(n) + ns, max(S.now, n->clock.at));
}

void sim_clock_stop(struct sim_node *n, u64 until)
{
	set(n, sim_clock(n), max(until, n->clock.at));
}

/* However long it was to stand. */
void sim_clock_go(struct sim_node *n)
{
	set(n, sim_clock(n), S.now);
}
