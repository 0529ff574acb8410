// SPDX-License-Identifier: GPL-2.0
/* Scenes with policy none: each part of a cluster goes on by itself. */
#include "sim.h"
#include "sim_play.h"
#include "sim_scene.h"

/* Nodes of part @i of so many. */
static u32 part_of(u32 parts, u32 i)
{
	u32 k, mask = 0;

	for (k = 0; k < S.n_nodes; k++)
		if (k % parts == i)
			mask |= bit(k);
	return mask;
}

void none_split(void)
{
	u32 parts = between(2, min(3, S.n_nodes)), i;
	struct budget b;

	S.none = true;
	cluster();
	for (i = 0; i < parts; i++)
		split(part_of(parts, i), true);
	for (i = 0; i < parts; i++)
		settle(part_of(parts, i), BOUND, "a part goes on by itself");
	pass(1000);
	for (i = 0; i < parts; i++)
		stays(part_of(parts, i), 2000, "a part");
	b = spend(all());
	healed(FORM + GPE_FLAP_MIN_NS / SIM_MS);
	at_most(&b, 2 + parts, 4 * parts, "parts merge");
}

/* With clocks behind, numbers of epochs are all that tells parts apart. */
void none_clocks(void)
{
	u32 i, round;

	S.none = true;
	cluster();
	for (i = 0; i < S.n_nodes; i++)
		wall_set(i, -365LL * 86400 * 1000);
	for (round = 0; round < 3 && !S.bad; round++) {
		cut(all(), all(), true);
		for (i = 0; i < S.n_nodes; i++)
			settle(bit(i), BOUND, "each goes on by itself");
		pass(sim_rand(2000));
		healed(FORM + (GPE_FLAP_MIN_NS / SIM_MS << round));
	}
}

/*
 * Of two parts one node hears one: the other part has no place for it, so it
 * must not yield, and leave its own for nothing, again and again.
 */
void none_bridge(void)
{
	u32 small = part_of(2, 1), large = part_of(2, 0);
	u32 a = bit(1), b = bit(0);
	struct budget bud;

	S.none = true;
	cluster();
	split(small, true);
	settle(small, BOUND, "a part goes on by itself");
	settle(large, BOUND, "the other one does");
	pass(sim_rand(1000));
	bud = spend(all());
	cut(a, b, false);
	cut(b, a, false);
	stays(small, 6000, "one part");
	stays(large, 3000, "the other part");
	at_most(&bud, 0, 0, "one node of each hears one of the other");
	healed(FORM + GPE_FLAP_MIN_NS / SIM_MS);
}

/* Clusters of one that were never anything else. */
void none_meet(void)
{
	u32 i;

	S.none = true;
	cut(all(), all(), true);
	start(all());
	for (i = 0; i < S.n_nodes; i++)
		settle(bit(i), FORM + BOUND, "a cluster of one");
	pass(sim_rand(3000));
	healed(FORM + GPE_FLAP_MIN_NS / SIM_MS);
}

/* Is all that this node goes on with in the same view? */
static bool all_with(u32 i)
{
	struct gpe_node_info info = info_of(i), other;
	u32 k;

	for (k = 0; k < info.n_nodes; k++) {
		other = info_of(info.nodes[k].id - 1);
		if (other.epoch != info.epoch)
			return false;
	}
	return true;
}

/*
 * Cables are bad when clusters form, so that some hear nodes of two. A node
 * that two formations count on goes into one; the other must not wait for it.
 */
void none_form(void)
{
	u32 i, k;

	S.none = true;
	for (i = 0; i < S.n_nodes; i++)
		for (k = 0; k < S.n_nodes; k++)
			S.link[i][k].delay = between(1, 60) * SIM_MS;
	for (i = 0; i < S.n_nodes; i++)
		for (k = 0; k < i; k++)
			if (sim_chance(300)) {
				cut(bit(i), bit(k), true);
				cut(bit(k), bit(i), true);
			}
	start(all());
	pass(FORM + 3 * BOUND);
	for (i = 0; i < S.n_nodes && !S.bad; i++)
		if (state_is(i, GPE_ST_NORMAL) && !all_with(i))
			failed("V11", "a view has a node that is in another");
	healed(FORM + GPE_FLAP_MAX_NS / SIM_MS);
}
