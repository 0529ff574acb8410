// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Which nodes of an epoch can be the old ones of the next view.
 *
 * All of them have to hear each other (a clique: streams need every node to
 * reach every other), they need a quorum, and of what that leaves the choice
 * with the most votes is taken, so that whoever is at fault is left out and
 * not those it cannot talk to. Of two that do not hear each other, all else
 * being equal, the senior one stays.
 *
 * Links are judged by what both ends say in their heartbeats (compare Suresh
 * and others, Rapid, USENIX ATC 2018, where several observers decide).
 */
#include "gpe_change.h"

/* Choices looked at: a bound for links that are down in the worst way. */
#define GPE_PICK_STEPS 1024

/**
 * gpe_paths_mutual() - do two nodes hear each other?
 * @node: the node that asks
 * @a: path of one
 * @b: path of the other
 *
 * Return: true if both said so in their last heartbeat.
 */
bool gpe_paths_mutual(const struct gpe_node *node, u32 a, u32 b)
{
	return GPE_BROKEN(GPE_FAULT_LINKS_UNSEEN) || a == b ||
	       ((node->path[a].hears & BIT_ULL(b)) &&
		(node->path[b].hears & BIT_ULL(a)));
}

/**
 * gpe_path_fits() - does a node hear this one and all these, both ways?
 * @node: this node
 * @path: of the other
 * @paths: mask of those to be heard
 *
 * Return: true if so.
 */
bool gpe_path_fits(const struct gpe_node *node, u32 path, u64 paths)
{
	const struct gpe_path *p = &node->path[path];

	if (!p->up || !p->hears_me)
		return false;
	for (; paths; paths &= paths - 1)
		if (!gpe_paths_mutual(node, path, __ffs64(paths)))
			return false;
	return true;
}

/* Where a rank is, as long as it is still the one that has the seat. */
static u32 gpe_rank_path(const struct gpe_node *node, u32 rank)
{
	u8 path = node->ep.seat[rank].path;

	if (path >= GPE_PATHS_MAX || node->path[path].seat != rank ||
	    !gpe_path_fits(node, path, 0))
		return GPE_NO_PATH;
	return path;
}

/* Those of @cand that this node hears; of each, whom it hears of them. */
static u64 gpe_pick_graph(const struct gpe_node *node, u64 cand, bool *whole)
{
	struct gpe_pick *pick = &node->change->pick;
	u64 there = 0, left, others;

	for (left = cand & ~gpe_bit(node->ep.self); left; left &= left - 1)
		if (gpe_rank_path(node, gpe_lowest(left)) != GPE_NO_PATH)
			there |= gpe_bit(gpe_lowest(left));
	*whole = true;
	for (left = there; left; left &= left - 1) {
		u32 rank = gpe_lowest(left);
		u32 path = node->ep.seat[rank].path;

		pick->with[rank] = 0;
		for (others = there; others; others &= others - 1) {
			u32 other = gpe_lowest(others);

			if (gpe_paths_mutual(node, path,
					     node->ep.seat[other].path))
				pick->with[rank] |= gpe_bit(other);
		}
		*whole &= pick->with[rank] == there;
	}
	return there;
}

static bool gpe_set_ok(const struct gpe_node *node, u64 set)
{
	return gpe_quorum(&node->ep, set) && gpe_old_enough(&node->ep, set);
}

/**
 * gpe_set_weight() - how good is a set of nodes?
 * @node: the node, in an epoch
 * @set: ranks
 *
 * Return: votes count; of equal ones, the more nodes the better.
 */
u32 gpe_set_weight(const struct gpe_node *node, u64 set)
{
	return gpe_votes(&node->ep, set) * (GPE_NODES_MAX + 1) +
	       hweight64(set);
}

/*
 * Branch and bound. The choice with the lowest rank is looked at before the
 * one without, so of those that weigh the same the most senior is found first.
 */
static u64 gpe_pick_search(const struct gpe_node *node, u64 there)
{
	struct gpe_pick *pick = &node->change->pick;
	u32 n = 1, steps = 0, most = 0;
	u64 best = 0;

	pick->set[0] = gpe_bit(node->ep.self);
	pick->cand[0] = there;
	while (n && steps++ < GPE_PICK_STEPS) {
		u64 set = pick->set[n - 1], left = pick->cand[n - 1];
		u64 first = left & -left;

		if (!gpe_set_ok(node, set | left) ||
		    gpe_set_weight(node, set | left) <= most) {
			n--;
			continue;
		}
		if (!left) {
			best = set;
			most = gpe_set_weight(node, set);
			n--;
			continue;
		}
		pick->cand[n - 1] = left & ~first;
		pick->set[n] = set | first;
		pick->cand[n] = left & ~first & pick->with[gpe_lowest(first)];
		n++;
	}
	return best;
}

/**
 * gpe_pick() - choose the old nodes of a view that could follow
 * @node: the node, in an epoch; it is one of them
 * @cand: ranks to choose from
 *
 * Return: mask of ranks, or 0 if no choice has a quorum.
 */
u64 gpe_pick(const struct gpe_node *node, u64 cand)
{
	u64 there, set;
	bool whole;

	there = gpe_pick_graph(node, cand, &whole);
	set = there | gpe_bit(node->ep.self);
	if (!gpe_set_ok(node, set))
		return 0;
	return whole ? set : gpe_pick_search(node, there);
}
