// SPDX-License-Identifier: GPL-2.0
/*
 * Bounds: of time, memory and steps.
 *
 * V11: how long it may take, once faults are over, until all nodes share one
 * view and nobody waits. What protocol.md 8 allows, added up for the seed:
 *
 *	10 x detection (its bound, for all that is quick),
 *	1 s to form, when no chain is left, and 0.5 s to ask to be let in,
 *	2 s of back-off, when ballots have met,
 *	1 s for one who does not get ready,
 *	and the hold-off of nodes that came and went: 1 s, doubling to 30 s.
 *
 * The last is by far the longest, and follows from what each node has seen:
 * how often it saw which other leave the view; and since one who is let in and
 * does not get ready waits as well, how many ballots of its own came to nothing.
 */
#include "sim.h"

static void seen_going(struct sim_node *n, u32 id)
{
	u32 i = id - 1;
	u64 ns;

	if (n->left[i] < 8)
		n->left[i]++;
	ns = min_t(u64, GPE_FLAP_MIN_NS << (n->left[i] - 1), GPE_FLAP_MAX_NS);
	/* Endless coming and going is no excuse. */
	if (!S.healed || S.now < S.healed + 10 * S.detect_ns + 4 * SIM_S)
		S.hold_until = max(S.hold_until, S.now + ns);
}

static bool still_in(const struct gpe_node_entry *e,
		     const struct gpe_node_info *info)
{
	u32 i;

	for (i = 0; i < info->n_nodes; i++)
		if (info->nodes[i].id == e->id && info->nodes[i].inc == e->inc)
			return true;
	return false;
}

/* What a node needs with nothing under way, thrice what was measured. */
static u64 quiet_bytes(const struct gpe_node_info *info)
{
	u64 members = (u64)S.n_nodes * S.n_socks;

	return 256 * 1024 + info->groups * (4096 + info->n_nodes * 512ULL) +
	       info->regions * info->n_nodes * 1024ULL + members * 1024;
}

/* And with all its windows full, and all that travels in parts. */
static void check_bytes(const struct sim_node *n,
			const struct gpe_node_info *info)
{
	u64 streams = (u64)(info->regions + 1) * max(info->n_nodes, 1U);
	u64 most = quiet_bytes(info) + GPE_BLOB_MAX +
		   streams * GPE_WINDOW_RX * GPE_CELL_SIZE;

	if (n->bytes > most)
		sim_bad("memory", "node %u holds %llu bytes, %llu are enough",
			n->index, n->bytes, most);
}

/* Everything was read and is stable. */
void sim_bound_quiet(struct sim_node *n)
{
	struct gpe_node_info info;

	gpe_node_info(n->engine, &info);
	if (n->bytes > quiet_bytes(&info))
		sim_bad("memory", "node %u holds %llu bytes when all is quiet, %llu are enough",
			n->index, n->bytes, quiet_bytes(&info));
}

/* Steps that follow each other because there is more to do: seen were 12. */
u32 sim_bound_rounds(void)
{
	return 64 + 4 * (S.n_groups + S.n_socks);
}

/* Before the epoch in the books is another one. */
void sim_bound_look(struct sim_node *n, const struct gpe_node_info *info)
{
	u32 i;

	check_bytes(n, info);
	if (info->ballots != n->last_ballots) {
		n->last_ballots = info->ballots;
		for (i = 0; i < S.n_nodes; i++)
			if (i != n->index && S.node[i].last_epoch != info->epoch)
				seen_going(n, i + 1);
	}
	if (info->epoch == n->last_epoch)
		return;
	for (i = 0; i < n->last_n; i++)
		if (n->last_nodes[i].id != n->index + 1 &&
		    !still_in(&n->last_nodes[i], info))
			seen_going(n, n->last_nodes[i].id);
	n->last_n = info->n_nodes;
	memcpy(n->last_nodes, info->nodes,
	       info->n_nodes * sizeof(info->nodes[0]));
}

/* Until then. */
u64 sim_bound(void)
{
	return max(S.healed, S.hold_until) + 10 * S.detect_ns +
	       1000 * SIM_MS + 500 * SIM_MS + 2000 * SIM_MS + 1000 * SIM_MS;
}
