// SPDX-License-Identifier: GPL-2.0
/*
 * Checker of protocol.md 5, "Pause": a node that has stood still delivers and
 * takes nothing until so many of its epoch have said something after it woke
 * that the others cannot have gone on. (The engine asks for more: answers.)
 */
#include "sim.h"

/* A step begins. A guest whose clock stood still with it cannot know. */
void pause_ran(struct sim_node *n)
{
	u64 now = sim_clock(n);

	if (n->ran_at && now - n->ran_at > S.detect_ns / 2) {
		n->woke_at = S.now;
		n->answered = 0;
	}
	n->ran_at = now;
}

/* A packet that was sent at @sent is about to be taken in. */
void pause_heard(struct sim_node *n, u32 path, u64 sent)
{
	u32 from = sim_behind(n->index, path);

	if (n->woke_at && sent >= n->woke_at)
		n->answered |= 1ULL << from;
}

/* Could those that said nothing since have gone on without it? */
static bool others_go_on(const struct sim_node *n)
{
	struct gpe_node_info info;
	u64 left = 0;
	u32 i;

	gpe_node_info(n->engine, &info);
	for (i = 0; i < info.n_nodes; i++) {
		u32 id = info.nodes[i].id;

		if (id != n->index + 1 && !(n->answered >> (id - 1) & 1))
			left |= BIT_ULL(i);
	}
	return chain_quorum(info.nodes, info.n_nodes, info.expected_votes,
			    left);
}

/* It delivers to a program, or takes something from one. */
void pause_acts(struct sim_node *n, const char *what)
{
	if (!n->woke_at)
		return;
	if (!others_go_on(n))
		n->woke_at = 0;
	else
		sim_bad("pause", "node %u %s after it stood still, heard %llx since",
			n->index, what, n->answered);
}
