// SPDX-License-Identifier: GPL-2.0
/*
 * Scenes of ballots: two leaders, and packets of one of them that get lost
 * until the other has got so far. Each is the shortest run, or near it, in
 * which one rule of the vote is needed; without it two views follow one.
 *
 * Of three nodes A and B do not hear what the other has to ask, and both hear C:
 * so each tries to go on with C alone.
 */
#include "sim_play.h"
#include "sim_scene.h"

struct trio {
	u32 a;
	u32 b;
	u32 c;
	u64 epoch;
};

/* In the order of rank. */
static struct trio three(void)
{
	struct trio t;

	S.n_groups = 1 + sim_rand(2);
	S.n_socks = 2;
	cluster();
	t.a = at_rank(0, 0);
	t.b = at_rank(1, 0);
	t.c = at_rank(2, 0);
	t.epoch = info_of(t.a).epoch;
	tap(t.a, t.b, GPE_PK_PREPARE, SIM_DROP);
	tap(t.b, t.a, GPE_PK_PREPARE, SIM_DROP);
	tap(t.a, t.b, GPE_PK_ACCEPT, SIM_DROP);
	tap(t.b, t.a, GPE_PK_ACCEPT, SIM_DROP);
	return t;
}

static void set_votes(u32 i, u32 votes)
{
	struct gpe_event ev = { .type = GPE_EV_CONFIG };

	sim_trace("-- node %u: %u votes", i, votes);
	ev.config.cfg = info_of(i).cfg;
	ev.config.cfg.votes = votes;
	ev.config.wall_ns = sim_wall(&S.node[i]);
	sim_node_step(&S.node[i], &ev);
}

/*
 * B does not hear A. Before anybody has noticed, A wants a view, for it is to
 * have another vote, and does not any more when it has asked.
 */
static struct trio senior_leads(void)
{
	struct trio t = three();

	cut(bit(t.a), bit(t.b), true);
	pass(150);
	set_votes(t.a, 2);
	await_said(t.a, t.c, GPE_PK_PREPARE, 100);
	set_votes(t.a, 1);
	return t;
}

/* B does not hear A, and C, which would lead, is not heard: B leads, then A. */
static struct trio junior_leads(void)
{
	struct trio t = three();

	tap(t.c, t.a, GPE_PK_PREPARE, SIM_DROP);
	tap(t.c, t.b, GPE_PK_PREPARE, SIM_DROP);
	cut(bit(t.a), bit(t.b), true);
	return t;
}

static void rejoined(void)
{
	pass(1000);
	healed(FORM + GPE_FLAP_MIN_NS / SIM_MS);
}

/* A's question comes after C has promised B. */
static void old_prepare(void)
{
	struct trio t = junior_leads();

	tap(t.a, t.c, GPE_PK_PREPARE, SIM_DROP);
	tap(t.b, t.c, GPE_PK_PROPOSE, SIM_DROP);
	await_said(t.c, t.b, GPE_PK_PROMISE, 3000);
	tap(t.a, t.c, GPE_PK_INSTALL, SIM_DROP);
	tap(t.a, t.c, GPE_PK_PREPARE, SIM_PASS);
	await_epoch(t.a, t.epoch, 900);
	cut(bit(t.a), bit(t.c), true);
	tap(t.b, t.c, GPE_PK_PROPOSE, SIM_PASS);
	await_epoch(t.b, t.epoch, 1000);
	rejoined();
}

/* A's value comes to be accepted after C has promised B. */
static void old_accept(void)
{
	struct trio t = senior_leads();

	tap(t.a, t.c, GPE_PK_ACCEPT, SIM_DROP);
	tap(t.b, t.c, GPE_PK_PROPOSE, SIM_DROP);
	await_said(t.a, t.c, GPE_PK_ACCEPT, 3000);
	await_said(t.c, t.b, GPE_PK_PROMISE, 3000);
	tap(t.a, t.c, GPE_PK_INSTALL, SIM_DROP);
	tap(t.a, t.c, GPE_PK_ACCEPT, SIM_PASS);
	await_epoch(t.a, t.epoch, 100);
	cut(bit(t.a), bit(t.c), true);
	tap(t.b, t.c, GPE_PK_PROPOSE, SIM_PASS);
	await_epoch(t.b, t.epoch, 1000);
	rejoined();
}

/* C has accepted what A decides, and does not hear of that. */
static struct trio half_told(void)
{
	struct trio t = senior_leads();

	tap(t.a, t.c, GPE_PK_INSTALL, SIM_DROP);
	await_epoch(t.a, t.epoch, BOUND);
	split(bit(t.a), true);
	return t;
}

static void inherited(void)
{
	struct trio t = half_told();

	await_epoch(t.b, t.epoch, BOUND);
	rejoined();
}

/* A newcomer does not hear that it is in, and who has decided it dies. */
static void untold(void)
{
	u32 d = sim_rand(S.n_nodes), rest = all() & ~bit(d), a, i;
	u64 epoch;

	start(rest);
	settle(rest, FORM + BOUND, "a cluster forms");
	a = at_rank(0, __ffs64(rest));
	epoch = info_of(a).epoch;
	tap(a, d, GPE_PK_INSTALL, SIM_DROP);
	start(bit(d));
	for (i = 0; i < S.n_nodes; i++)
		if (rest & bit(i))
			await_epoch(i, epoch, BOUND);
	crash(bit(a));
	settle(all() & ~bit(a), BOUND, "another tells it");
	start(bit(a));
	healed(GPE_FLAP_MIN_NS / SIM_MS);
}

/* C is suspended, too, before B asks what it has accepted. */
static void kept(void)
{
	struct trio t = half_told();

	split(bit(t.b), true);
	becomes(t.c, GPE_ST_SUSPENDED, BOUND, "it hears nobody");
	cut(bit(t.b), bit(t.c), false);
	cut(bit(t.c), bit(t.b), false);
	await_epoch(t.b, t.epoch, BOUND);
	rejoined();
}

/* A alone has accepted its value, C later that of B, which is decided. */
static void two_values(void)
{
	struct trio t = senior_leads();

	tap(t.a, t.c, GPE_PK_ACCEPT, SIM_DROP);
	tap(t.b, t.c, GPE_PK_INSTALL, SIM_DROP);
	await_said(t.a, t.c, GPE_PK_ACCEPT, 3000);
	await_epoch(t.b, t.epoch, 3000);
	split(bit(t.b), true);
	tap(t.a, t.c, GPE_PK_ACCEPT, SIM_PASS);
	await_epoch(t.a, t.epoch, BOUND);
	rejoined();
}

/* One of five says twice that it has accepted: two are no quorum. */
static void said_twice(void)
{
	u32 a, c, rest, i;
	u64 epoch;

	S.n_groups = 1;
	S.n_socks = 2;
	cluster();
	a = at_rank(0, 0);
	c = at_rank(1 + sim_rand(4), 0);
	rest = all() & ~bit(a) & ~bit(c);
	epoch = info_of(a).epoch;
	for (i = 0; i < S.n_nodes; i++)
		if (rest & bit(i))
			tap(a, i, GPE_PK_ACCEPT, SIM_DROP);
	tap(c, a, GPE_PK_ACCEPTED, SIM_TWICE);
	set_votes(a, 2);
	await_said(a, c, GPE_PK_PREPARE, 100);
	set_votes(a, 1);
	await_said(a, c, GPE_PK_ACCEPT, BOUND);
	await_epoch(a, epoch, 200);
	split(bit(a) | bit(c), true);
	settle(rest, 2 * BOUND, "three of five go on");
	rejoined();
}

/* A node has no bearer for a while, says goodbye, and is back. */
static void unplugged(void)
{
	u32 i = sim_rand(S.n_nodes);

	cluster();
	sim_node_bearer(&S.node[i], false);
	settle(all() & ~bit(i), BOUND, "the others go on");
	pass(sim_rand(2000));
	sim_node_bearer(&S.node[i], true);
	healed(FORM + GPE_FLAP_MIN_NS / SIM_MS);
}

/* All but one restart, and all clocks are set back: epochs grow all the same. */
static void clocks_back(void)
{
	u32 a = sim_rand(S.n_nodes), i;

	cluster();
	crash(all() & ~bit(a));
	becomes(a, GPE_ST_SUSPENDED, BOUND, "it hears nobody");
	for (i = 0; i < S.n_nodes; i++)
		wall_set(i, -10 * 365 * 86400000LL - sim_rand(86400000));
	start(all());
	healed(FORM + GPE_FLAP_MIN_NS / SIM_MS);
}

/* One is back, as another, before anybody has missed it. */
static void quick_restart(void)
{
	u32 i = sim_rand(S.n_nodes), round;

	S.n_groups = 1 + sim_rand(2);
	cluster();
	for (round = 0; round < 3 && !S.bad; round++) {
		crash(bit(i));
		pass(sim_rand(100));
		start(bit(i));
		settle(all(), BOUND + (GPE_FLAP_MIN_NS << round) / SIM_MS,
		       "it is back");
		pass(between(200, 1000));
	}
	healed(GPE_FLAP_MAX_NS / SIM_MS);
}

/* And then heartbeats come that it sent as who it was. */
static void old_beats(void)
{
	u32 i = sim_rand(S.n_nodes), k;

	S.n_groups = 1;
	cluster();
	for (k = 0; k < S.n_nodes; k++)
		if (k != i)
			tap(i, k, GPE_PK_BEAT, SIM_COPY);
	pass(between(200, 600));
	crash(bit(i));
	tap_end();
	settle(all() & ~bit(i), BOUND, "the others go on");
	start(bit(i));
	settle(all(), BOUND + GPE_FLAP_MIN_NS / SIM_MS, "it is back");
	sim_release();
	calm(all(), 2000, "heartbeats of the one it was");
	healed(GPE_FLAP_MIN_NS / SIM_MS);
}

const struct sim_scene sim_scenes_vote[] = {
	{ "old-prepare", "a question comes after a later promise", 3, 3,
	  old_prepare },
	{ "old-accept", "a value comes after a later promise", 3, 3,
	  old_accept },
	{ "inherited", "who accepted a value does not hear that it is decided",
	  3, 3, inherited },
	{ "untold", "a newcomer does not hear that it is in", 4, 4, untold },
	{ "kept", "the same, and it is suspended meanwhile", 3, 3, kept },
	{ "two-values", "two values were accepted, one is decided", 3, 3,
	  two_values },
	{ "said-twice", "one node accepts, and says so twice", 5, 5,
	  said_twice },
	{ "quick-restart", "a node is back before it was missed", 3, 5,
	  quick_restart },
	{ "old-beats", "a node is back, and then come heartbeats from before",
	  3, 5, old_beats },
	{ "unplugged", "a node has no bearer for a while", 3, 7, unplugged },
	{ "clocks-back", "clocks go back, then a cluster forms", 3, 5,
	  clocks_back },
	{ 0 }
};
