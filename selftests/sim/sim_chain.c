// SPDX-License-Identifier: GPL-2.0
/*
 * V10 as it is meant: of all chains of node views one goes on at most.
 *
 * The judge of histories tells chains apart by the numbers of their epochs,
 * later. Here all nodes are seen at once. An epoch could go on as long as those
 * who are in it, and have not left it for a formation, could decide what
 * follows: by their votes alone, whether they hear each other or not. No two
 * chains may, at any time, and none may again after another has. No history shows
 * that nodes could: where one is written the run goes on, until they have.
 */
#include <stdlib.h>
#include <string.h>
#include "sim.h"
#include "sim_hist.h"

struct chain_epoch {
	u64 number;
	u64 root;		/* first epoch of its chain */
	u32 expected;
	u32 n;
	struct gpe_node_entry node[SIM_NODES];
};

static struct chain_epoch *epochs;
static u32 n_epochs, size;
static u64 goes_on;		/* root of the chain that did last */
static u64 *over;		/* roots of those that did before */
static u32 n_over, over_size;

void chain_reset(void)
{
	n_epochs = 0;
	n_over = 0;
	goes_on = 0;
}

static struct chain_epoch *find(u64 number)
{
	u32 i;

	for (i = n_epochs; i; i--)
		if (epochs[i - 1].number == number)
			return &epochs[i - 1];
	return NULL;
}

static void learn(const struct gpe_node_info *info)
{
	const struct chain_epoch *last = find(info->before);
	u64 root = last ? last->root : info->before;
	struct chain_epoch *e;

	if (n_epochs == size) {
		size = size ? 2 * size : 256;
		epochs = realloc(epochs, size * sizeof(*epochs));
		if (!epochs)
			abort();
	}
	e = &epochs[n_epochs++];
	e->number = info->epoch;
	e->root = root ? root : info->epoch;
	e->expected = info->expected_votes;
	e->n = info->n_nodes;
	memcpy(e->node, info->nodes, e->n * sizeof(e->node[0]));
}

/* Is it in the epoch, and could still vote for what follows? */
static bool is_in(const struct chain_epoch *e, u32 rank)
{
	const struct sim_node *n = &S.node[e->node[rank].id - 1];

	return n->engine && n->chain_epoch == e->number &&
	       n->chain_inc == e->node[rank].inc;
}

/*
 * The rule of quorums, not the engine's: could those of a view that are in
 * @mask, by rank, decide what follows, and be the old nodes of it?
 */
bool chain_quorum(const struct gpe_node_entry *node, u32 n, u32 expected,
		  u64 mask)
{
	u32 i, votes = 0, here = 0;
	int senior = -1;

	for (i = 0; i < n; i++) {
		bool in = mask >> i & 1;

		votes += node[i].votes;
		here += in ? node[i].votes : 0;
		if (senior < 0 && node[i].votes)
			senior = in;
	}
	return (2 * here > votes || (2 * here == votes && senior == 1)) &&
	       (2 * here > expected || (expected == 2 && here == 1));
}

static bool could_go_on(const struct chain_epoch *e)
{
	u64 here = 0;
	u32 i;

	for (i = 0; i < e->n; i++)
		if (is_in(e, i))
			here |= BIT_ULL(i);
	return chain_quorum(e->node, e->n, e->expected, here);
}

static bool is_over(u64 root)
{
	u32 i;

	for (i = 0; i < n_over; i++)
		if (over[i] == root)
			return true;
	return false;
}

static void end(u64 root)
{
	if (n_over == over_size) {
		over_size = over_size ? 2 * over_size : 64;
		over = realloc(over, over_size * sizeof(*over));
		if (!over)
			abort();
	}
	over[n_over++] = root;
}

static void check(void)
{
	const struct chain_epoch *one = NULL;
	u32 i;

	for (i = 0; i < S.n_nodes; i++) {
		const struct chain_epoch *e = find(S.node[i].chain_epoch);

		if (!S.node[i].engine || !e || !could_go_on(e))
			continue;
		if (one && one->root != e->root)
			sim_bad("V10", "epochs %llu and %llu of two chains could both go on",
				one->number, e->number);
		one = e;
	}
	if (!one || one->root == goes_on)
		return;
	if (is_over(one->root))
		sim_bad("V10", "epoch %llu could go on, after another chain has",
			one->number);
	if (goes_on)
		end(goes_on);
	goes_on = one->root;
}

/* The node has done a step; a cluster of one, without a bearer, is none. */
void chain_look(struct sim_node *n, const struct gpe_node_info *info)
{
	u64 epoch = info->left || info->state == GPE_ST_FRESH ||
			    info->state == GPE_ST_STOPPED ||
			    info->expected_votes < S.n_votes ?
			    0 : info->epoch;

	if ((n->chain_epoch == epoch && n->chain_inc == info->inc) ||
	    sim_hist_on())
		return;
	n->chain_epoch = epoch;
	n->chain_inc = info->inc;
	if (epoch && !find(epoch))
		learn(info);
	check();
}
