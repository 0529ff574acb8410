// SPDX-License-Identifier: GPL-2.0
/*
 * What a seed consists of: a cluster, programs and chances are drawn; faults
 * happen and all that must never be is looked for; then faults stop, and what
 * must be at last is waited for.
 */
#include "sim.h"
#include "sim_scene.h"

/* Each seed draws its own chances: many runs have few faults or none. */
static u32 draw(u32 most)
{
	return sim_chance(400) ? 0 : sim_rand(most);
}

/* Of the more special faults a seed has only some. */
static u32 rare(u32 most)
{
	return sim_chance(750) ? 0 : sim_rand(most);
}

/* Costs as much as a hundred others: heartbeats alone go by the square. */
static bool big(void)
{
	return S.n_nodes > SIM_USUAL;
}

static void draw_mix(void)
{
	static u32 * const noise[] = {
		&S.mix.loss, &S.mix.dup, &S.mix.reorder, &S.mix.flip,
		&S.mix.stale, &S.mix.big, &S.mix.slow, &S.mix.one, &S.mix.lazy,
	};
	u32 i, sum = 0;

	S.mix = (struct sim_mix){
		.loss = draw(200), .dup = draw(100), .reorder = draw(300),
		.flip = rare(2000), .crash = draw(200), .bye = draw(500),
		.pause = draw(200), .suspend = rare(150), .freeze = rare(150),
		.jump = rare(200), .wall = rare(200), .cut = draw(300),
		.oneway = draw(200), .link = rare(400), .deaf = rare(200),
		.mute = rare(200), .flap = rare(200), .cable = rare(400),
		.mtu = rare(300), .bearer = rare(150), .peer = rare(100),
		.nomem = rare(300), .stale = rare(20), .leave = 1 + draw(50),
		.big = draw(100),
		.slow = draw(800), .send = 20 + sim_rand(200),
		.one = draw(200), .lazy = draw(900),
		.late = 1 + sim_rand(sim_chance(200) ? 40 : 2),
	};
	for (i = 0; i < ARRAY_SIZE(noise); i++)
		if (*noise[i] && !sim_do(SIM_MIX, 0, 0, i))
			*noise[i] = 0;
	if (big())
		S.mix.send = 1 + S.mix.send * SIM_USUAL / S.n_nodes;
	while (!sum)
		for (i = 0; i < ARRAY_SIZE(S.mix.level); i++)
			if (SIM_LEVELS >> i & 1)
				sum += S.mix.level[i] = draw(100);
}

/* All nodes, or some, or a pair: so regions come and go. */
static u64 draw_span(void)
{
	u64 all = U64_MAX >> (64 - S.n_nodes);
	u64 mask = (u64)sim_rand(U32_MAX) << 32 | sim_rand(U32_MAX);

	if (sim_chance(400))
		return all;
	if (sim_chance(300))
		mask = BIT_ULL(sim_rand(S.n_nodes));
	return all & (mask | BIT_ULL(sim_rand(S.n_nodes)));
}

static u32 draw_nodes(u32 nodes)
{
	u32 usual = 2 + sim_rand(SIM_USUAL - 1);
	u32 many = SIM_USUAL + 1 +
		   sim_rand(1 + sim_rand(SIM_NODES - SIM_USUAL));

	if (nodes)
		return nodes;
	return sim_chance(10) ? many : usual;
}

static void draw_network(bool plain)
{
	static const u32 sizes[] = { 1280, 1472, 1472, 1472, 8972 };
	u32 mtu = sizes[sim_rand(ARRAY_SIZE(sizes))];
	u32 a, b, delay = 20000 + sim_rand(!plain && sim_chance(200) ?
						   5000000 : 200000);

	for (a = 0; a < S.n_nodes; a++)
		for (b = 0; b < S.n_nodes; b++) {
			S.link[a][b].mtu = mtu;
			S.link[a][b].delay = delay / 2 + sim_rand(delay);
		}
	if (plain || sim_chance(700))
		return;
	/* Never so slow that heartbeats alone would fill it. */
	S.rate = (2 + sim_rand(60)) * 1000000ULL * DIV_ROUND_UP(S.n_nodes, 7);
	S.queue = 100000 + sim_rand(1000000);
}

/* One each, as a rule. */
static void draw_votes(bool equal)
{
	u32 i;

	sim_stream(SIM_SETUP, 1, 0, 0);
	equal |= sim_chance(700);
	for (i = 0; i < S.n_nodes; i++) {
		S.node[i].votes = equal ? 1 : 1 + sim_rand(3);
		S.n_votes += S.node[i].absent ? 0 : S.node[i].votes;
	}
}

static void setup(u64 seed, u32 nodes, const struct sim_scene *scene)
{
	u32 i;

	S.seed = seed;
	S.now = 1000 * SIM_MS;
	sim_stream(SIM_SETUP, 0, 0, 0);
	S.n_nodes = scene ? scene->least +
			    sim_rand(scene->most - scene->least + 1) :
			    draw_nodes(nodes);
	S.n_groups = 1 + sim_rand(sim_chance(250) ? 24 : 4);
	S.n_socks = 1 + sim_rand(12);
	if (sim_chance(big() ? 300 : 20)) {
		S.n_groups = 1 + sim_rand(SIM_GROUPS);
		S.n_socks = 1 + sim_rand(SIM_SOCKS);
	}
	/* Many nodes, but not many times the work of each. */
	if (big())
		S.n_socks = 1 + S.n_socks * SIM_USUAL / S.n_nodes;
	S.heartbeat_ns = GPE_HEARTBEAT_NS;
	S.detect_ns = GPE_DETECT_NS;
	if (!scene && sim_chance(200)) {
		S.heartbeat_ns = (20 + sim_rand(180)) * SIM_MS;
		S.detect_ns = (300 + sim_rand(200)) * S.heartbeat_ns / 100;
	}
	draw_mix();
	draw_network(scene);
	if (scene)
		S.mix.peer = 0;
	for (i = 0; i < S.n_groups; i++)
		S.spans[i] = draw_span();
	S.faults = true;
	S.working = true;
	S.none = sim_chance(100);
	check_init();
	for (i = 0; i < S.n_nodes; i++) {
		S.node[i].index = i;
		S.node[i].absent = !sim_do(SIM_NODE, i, 0, 0);
		S.node[i].luck = S.rng + i * 0x2545f4914f6cdd1dULL;
	}
	draw_votes(scene);
	chain_reset();
}

/* A node that is not as it has to be at last, with so many up. */
static bool odd(struct sim_node *n, u32 up, struct gpe_node_info *info)
{
	gpe_node_info(n->engine, info);
	return info->state != GPE_ST_NORMAL || info->n_nodes != up ||
	       sim_node_busy(n);
}

static bool settled(void)
{
	struct gpe_node_info info;
	u32 i, up = sim_alive();
	u64 epoch = 0;

	for (i = 0; i < S.n_nodes; i++) {
		if (!S.node[i].engine)
			continue;
		if (odd(&S.node[i], up, &info) ||
		    (epoch && epoch != info.epoch))
			return false;
		epoch = info.epoch;
	}
	return true;
}

static void why_not(void)
{
	struct gpe_node_info info;
	char text[160] = "";
	u32 i, at = 0, up = sim_alive();

	for (i = 0; i < S.n_nodes && at < sizeof(text) - 60; i++) {
		struct sim_node *n = &S.node[i];

		if (!n->engine || !odd(n, up, &info))
			continue;
		at += snprintf(text + at, sizeof(text) - at, " %u:%u/%u %s%.30s",
			       i, info.state, info.n_nodes,
			       sim_node_busy(n) ?: "", info.why);
	}
	sim_bad("V11", "not settled, %u up (node:state/nodes)%s", up,
		at ? text : " two views");
	check_unsettled();
}

static void teardown(void)
{
	u32 i;

	for (i = 0; i < S.n_nodes; i++) {
		if (S.node[i].engine)
			sim_node_crash(&S.node[i]);
		free(S.node[i].host);
		free(S.node[i].sock);
	}
	sim_net_clear();
	check_free();
	if (!S.bad && (gpe_shim_allocs || gpe_shim_bufs))
		sim_bad("memory", "%ld objects, %ld buffers left over",
			gpe_shim_allocs, gpe_shim_bufs);
}

void sim_run(u64 until)
{
	while (!S.bad && sim_next(until))
		;
}

/* Faults at random. */
static void storm(void)
{
	u32 i;

	for (i = 0; i < S.n_nodes; i++)
		sim_node_start(&S.node[i]);
	sim_at(S.now + 500 * SIM_MS, SIM_EV_FAULT, 0, 0, NULL);
	sim_run(S.now + (2000 + sim_rand(big() ? 1500 : 6000)) * SIM_MS);
}

void sim_seed(u64 seed, u32 nodes, const struct sim_scene *scene)
{
	u32 i;

	setup(seed, nodes, scene);
	if (scene)
		sim_scene_play(scene);
	else
		storm();
	sim_heal();
	while (!S.bad && S.now < sim_bound() && !settled())
		sim_run(S.now + 100 * SIM_MS);
	if (!S.bad && !settled())
		why_not();
	/* What is under way arrives. */
	if (!S.bad)
		sim_run(S.now + (big() ? 1000 : 3000) * SIM_MS);
	for (i = 0; i < S.n_nodes && !S.bad; i++)
		if (S.node[i].engine)
			sim_read(&S.node[i], true);
	for (i = 0; i < S.n_nodes && !S.bad; i++)
		if (S.node[i].engine)
			sim_bound_quiet(&S.node[i]);
	if (!S.bad)
		check_end();
	teardown();
}
