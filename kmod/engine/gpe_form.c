// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Who may start a ballot, and when; quorums; formations. Protocol.md 5 and 6.
 *
 * A ballot for the current epoch is started by a node that hears a quorum
 * which hears it, and then by the lowest-ranked of those that say so of
 * themselves. The others wait: if nothing comes of it, any of them tries,
 * after a random time, so that two leaders do not overtake each other for
 * ever. A formation (instance 0) works alike among nodes that are in no chain
 * or cannot go on in theirs.
 */
#include "gpe_change.h"

/* A leader that is heard but brings nothing about has this long. */
#define GPE_CONTACT_NS (2 * GPE_READY_WAIT_NS)

/* ---- quorums ---- */

/**
 * gpe_majority() - enough votes?
 * @votes: votes held
 * @total: of how many
 * @half: exactly half is enough
 *
 * Return: true if so.
 */
bool gpe_majority(u32 votes, u32 total, bool half)
{
	if (GPE_BROKEN(GPE_FAULT_QUORUM_ANY))
		return true;
	return 2 * votes > total || (half && 2 * votes == total);
}

/**
 * gpe_votes() - votes of some nodes of an epoch
 * @ep: the epoch
 * @mask: ranks
 *
 * Return: their sum.
 */
u32 gpe_votes(const struct gpe_epoch *ep, u64 mask)
{
	u32 i, votes = 0;

	for (i = 0; i < ep->n; i++)
		if (mask & gpe_bit(i))
			votes += ep->seat[i].votes;
	return votes;
}

/**
 * gpe_quorum() - may these nodes decide what follows an epoch?
 * @ep: the epoch
 * @mask: ranks
 *
 * Return: true with more than half of the votes, or with exactly half if the
 * lowest-ranked voting node is among them.
 */
bool gpe_quorum(const struct gpe_epoch *ep, u64 mask)
{
	u32 i;

	for (i = 0; i < ep->n; i++)
		if (ep->seat[i].votes)
			break;
	return gpe_majority(gpe_votes(ep, mask), gpe_votes(ep, gpe_all(ep)),
			    (i < ep->n && (mask & gpe_bit(i))) ||
				    GPE_BROKEN(GPE_FAULT_HALF_ANY));
}

/**
 * gpe_old_enough() - may these nodes go on as the old ones of a new view?
 * @ep: the closing epoch
 * @mask: ranks
 *
 * Half is enough only where two are expected. With four, two could stay in one
 * chain while one that has accepted a formation restarts and joins them: the
 * two others who have formed would hold half as well, and both would go on.
 *
 * Return: true with more than half of the expected votes: so at no time can a
 * chain go on besides one that more than half have formed.
 */
bool gpe_old_enough(const struct gpe_epoch *ep, u64 mask)
{
	return GPE_BROKEN(GPE_FAULT_OLD_FEW) ||
	       gpe_majority(gpe_votes(ep, mask), ep->expected,
			    ep->expected == 2);
}

/**
 * gpe_form_votes() - of how many votes is more than half to accept a formation?
 * @next: the epoch that would be formed
 *
 * Return: those it expects; where none are expected its own, so that who leads
 * does not decide alone for all that are in it.
 */
u32 gpe_form_votes(const struct gpe_epoch *next)
{
	return next->expected ? next->expected :
				gpe_votes(next, gpe_all(next));
}

/* ---- who hears whom ---- */

/*
 * Does it go on in another epoch? Where no votes are expected two formations
 * can be decided that both count on one node, and it goes into one of them.
 * Who is on the way from the closing epoch into this one has promised.
 */
static bool gpe_path_elsewhere(const struct gpe_node *node,
			       const struct gpe_path *p)
{
	return !node->ep.expected && p->state == GPE_ST_NORMAL &&
	       p->beat_epoch != node->ep.epoch;
}

/* In the current epoch, as far as its last heartbeat says, and not beyond. */
static bool gpe_path_here(const struct gpe_node *node, const struct gpe_path *p)
{
	return p->used && p->up && !p->bye && p->seat < node->ep.n &&
	       p->beat_epoch <= node->ep.epoch && !(p->flags & GPE_BF_LEFT) &&
	       !gpe_path_elsewhere(node, p);
}

/**
 * gpe_ranks_heard() - ranks that are heard and hear this node
 * @node: the node, in an epoch
 *
 * Return: mask, with this node in it and without suspects.
 */
u64 gpe_ranks_heard(const struct gpe_node *node)
{
	u64 heard = 0;
	u32 i;

	for (i = 0; i < GPE_PATHS_MAX; i++)
		if (gpe_path_here(node, &node->path[i]) &&
		    node->path[i].hears_me)
			heard |= gpe_bit(node->path[i].seat);
	return (heard & ~gpe_detect_suspects(node)) | gpe_bit(node->ep.self);
}

/**
 * gpe_has_quorum() - could this node's side go on?
 * @node: the node, in an epoch
 *
 * Return: true if a quorum, this node in it, is heard to hear each other.
 * Without that a ballot of this node leads to nothing.
 */
bool gpe_has_quorum(const struct gpe_node *node)
{
	return gpe_pick(node, gpe_ranks_heard(node)) != 0;
}

/* Paths of the ranks in @mask, this node's own left out. */
static u64 gpe_ranks_paths(const struct gpe_node *node, u64 mask)
{
	u64 paths = 0;
	u32 i;

	for (i = 0; i < node->ep.n; i++)
		if ((mask & gpe_bit(i)) && node->ep.seat[i].path < GPE_PATHS_MAX)
			paths |= BIT_ULL(node->ep.seat[i].path);
	return paths;
}

static bool gpe_all_mutual(const struct gpe_node *node, u32 path, u64 paths)
{
	for (; paths; paths &= paths - 1)
		if (!gpe_paths_mutual(node, path, __ffs64(paths)))
			return false;
	return true;
}

/* ---- reasons for a ballot ---- */

/* Two nodes of the view, neither of them suspected, do not hear each other. */
static bool gpe_view_deaf(const struct gpe_node *node)
{
	u64 suspects = gpe_detect_suspects(node);
	u64 heard = gpe_ranks_heard(node);
	u64 paths = gpe_ranks_paths(node, heard), left;

	if (gpe_all(&node->ep) & ~heard & ~suspects)
		return true;
	for (left = paths; left; left &= left - 1)
		if (!gpe_all_mutual(node, __ffs64(left), paths))
			return true;
	return false;
}

static bool gpe_deaf_long(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;

	if (!gpe_view_deaf(node)) {
		ch->deaf_ns = 0;
		return false;
	}
	if (!ch->deaf_ns)
		ch->deaf_ns = node->now;
	/* Whoever says so has waited before: this is for word to get round. */
	return 2 * (node->now - ch->deaf_ns) > node->cfg.detect_ns;
}

static bool gpe_newcomer_waits(const struct gpe_node *node)
{
	u64 paths = gpe_ranks_paths(node, gpe_ranks_heard(node));
	u32 i;

	if (node->ep.n >= GPE_NODES_MAX || gpe_view_yields(node))
		return false;
	for (i = 0; i < GPE_PATHS_MAX; i++)
		if (gpe_newcomer_ok(node, i) && gpe_all_mutual(node, i, paths))
			return true;
	return false;
}

/* Votes, and votes expected, change only with a view: they ask for one. */
static bool gpe_settings_differ(const struct gpe_node *node)
{
	u32 expected = gpe_expected(node), i;

	for (i = 0; i < node->ep.n; i++) {
		const struct gpe_seat *seat = &node->ep.seat[i];
		const struct gpe_path *p;

		if (i == node->ep.self) {
			if (seat->votes != node->cfg.votes)
				return true;
			continue;
		}
		if (seat->path >= GPE_PATHS_MAX)
			return false;
		p = &node->path[seat->path];
		if (!p->up || p->beat_epoch != node->ep.epoch)
			return false;
		if (seat->votes != p->votes)
			return true;
		expected = max(expected, p->expected);
	}
	return expected != node->ep.expected;
}

/* Does the leader we promised to still bring something about? */
static bool gpe_led_by_other(const struct gpe_node *node, u64 closing)
{
	const struct gpe_change *ch = node->change;
	const struct gpe_acceptor *acc = &ch->acc[closing != 0];
	u64 quiet = node->now - ch->contact_ns;
	u32 i;

	if (!acc->promised.id || acc->promised.id == node->cfg.id ||
	    acc->closing != closing || quiet > GPE_CONTACT_NS)
		return false;
	for (i = 0; i < GPE_PATHS_MAX; i++) {
		const struct gpe_path *p = &node->path[i];

		if (p->used && p->id == acc->promised.id && p->up && !p->bye &&
		    p->hears_me)
			return !closing ||
			       (p->seat < node->ep.n &&
				(gpe_ranks_heard(node) & gpe_bit(p->seat)));
	}
	return false;
}

/* One of this epoch is in a later one: it was asked, its answer is awaited. */
static bool gpe_decision_comes(const struct gpe_node *node)
{
	u32 i;

	if (node->now - node->change->contact_ns > GPE_CONTACT_NS)
		return false;
	for (i = 0; i < GPE_PATHS_MAX; i++) {
		const struct gpe_path *p = &node->path[i];

		if (p->used && p->up && p->hears_me && p->seat < node->ep.n &&
		    p->beat_epoch > node->ep.epoch)
			return true;
	}
	return false;
}

static bool gpe_ballot_reason(struct gpe_node *node)
{
	const struct gpe_change *ch = node->change;
	u64 all = gpe_all(&node->ep);
	bool rested = node->now - ch->join_ns >= GPE_REJOIN_NS;

	/* It could not promise itself. */
	if (node->opening.on)
		return false;
	if (node->state == GPE_ST_WEDGED || node->state == GPE_ST_SUSPENDED)
		return !gpe_led_by_other(node, node->ep.epoch) &&
		       !gpe_decision_comes(node);
	if (node->doubt)
		return false;
	if ((gpe_detect_suspects(node) & all) || gpe_deaf_long(node))
		return true;
	return rested && (gpe_newcomer_waits(node) ||
			  gpe_settings_differ(node));
}

/* ---- when ---- */

/**
 * gpe_backoff() - how long to wait before the next try
 * @node: the node
 *
 * Return: nanoseconds, random around a mean that doubles with each call up to
 * a bound, and starts over with the next view.
 */
u64 gpe_backoff(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;
	u64 least = clamp_t(u64, ch->backoff_ns, GPE_BACKOFF_MIN_NS,
			    GPE_BACKOFF_MAX_NS / 2);

	ch->backoff_ns = 2 * least;
	return least + gpe_random(node, (u32)(2 * least));
}

/*
 * The first in rank starts at once, all others only when it has had its time.
 * True: now.
 */
static bool gpe_turn(struct gpe_node *node, bool first)
{
	struct gpe_change *ch = node->change;

	if (node->now < ch->start_ns)
		return false;
	if (!first && !ch->wait_ns) {
		ch->wait_ns = node->now + 2 * node->cfg.detect_ns +
			      gpe_random(node, (u32)GPE_BACKOFF_MAX_NS / 8);
		return false;
	}
	if (!first && node->now < ch->wait_ns)
		return false;
	ch->wait_ns = 0;
	ch->start_ns = 0;
	return true;
}

/*
 * Does a senior node lead that this one and it do not hear both ways? It says
 * so itself, or those who are heard hear it, enough of them for a quorum.
 */
static bool gpe_unheard_leads(const struct gpe_node *node, u32 rank, u64 heard)
{
	u8 path = node->ep.seat[rank].path;
	u64 set = gpe_all(&node->ep) & ~heard;
	bool alive = false;
	u32 i;

	if (path >= GPE_PATHS_MAX || node->path[path].bye)
		return false;
	if (node->path[path].up)
		return node->path[path].beat_epoch == node->ep.epoch &&
		       (node->path[path].flags & GPE_BF_QUORATE);
	for (i = 0; i < GPE_PATHS_MAX; i++) {
		const struct gpe_path *p = &node->path[i];

		if (!p->used || p->seat >= node->ep.n ||
		    !(heard & gpe_bit(p->seat)) || !(p->hears & BIT_ULL(path)))
			continue;
		set |= gpe_bit(p->seat);
		alive = true;
	}
	return alive && gpe_quorum(&node->ep, set) &&
	       gpe_old_enough(&node->ep, set);
}

/*
 * Ranks on the path's side, which hears this node: those that it hears, and
 * that hear it, as far as this node hears them and can tell.
 */
static u64 gpe_ranks_of(const struct gpe_node *node, u32 path)
{
	const struct gpe_path *p = &node->path[path];
	u64 left, mask = gpe_bit(p->seat) | gpe_bit(node->ep.self);

	for (left = p->hears; left; left &= left - 1) {
		const struct gpe_path *to = &node->path[__ffs64(left)];

		if (to->seat < node->ep.n &&
		    (!to->up || (to->hears & BIT_ULL(path))))
			mask |= gpe_bit(to->seat);
	}
	return mask;
}

/*
 * Of those that hear a quorum, who hears the most leads, since one that does
 * not hear all of the best choice cannot propose it; of equal ones the lowest
 * in rank. So where a node is silent that another still hears, it is left to
 * that one to find out whether it is dead or a link is. Of two that do not hear
 * each other the junior lets the senior lead, which leaves it out.
 */
static bool gpe_first_heard(const struct gpe_node *node)
{
	u64 heard = gpe_ranks_heard(node), byes = gpe_detect_byes(node);
	u32 mine = gpe_set_weight(node, heard), i;

	for (i = 0; i < node->ep.self; i++)
		if (!(heard & gpe_bit(i)) && gpe_unheard_leads(node, i, heard))
			return false;
	for (i = 0; i < GPE_PATHS_MAX; i++) {
		const struct gpe_path *p = &node->path[i];
		u32 theirs;

		if (!p->used || p->seat >= node->ep.n ||
		    !(heard & gpe_bit(p->seat)) ||
		    p->beat_epoch != node->ep.epoch ||
		    !(p->flags & GPE_BF_QUORATE))
			continue;
		theirs = gpe_set_weight(node, gpe_ranks_of(node, i) & ~byes);
		if (theirs > mine ||
		    (theirs == mine && p->seat < node->ep.self))
			return false;
	}
	return true;
}

static void gpe_quorate_set(struct gpe_node *node, bool quorate)
{
	if (node->quorate != quorate) {
		node->quorate = quorate;
		node->act_node = true;
	}
}

/* Where no votes are expected the rest goes on by itself, and at once. */
static void gpe_quorum_lost(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;
	bool alone = !node->ep.expected && !gpe_expected(node);
	u64 wait = alone ? node->cfg.heartbeat_ns : 2 * node->cfg.detect_ns;

	if (!ch->lost_ns)
		ch->lost_ns = node->now;
	if (node->state == GPE_ST_SUSPENDED ||
	    node->now - ch->lost_ns < wait)
		return;
	gpe_view_suspend(node, "no quorum is heard");
	/* The others of this side are about to find out as well. */
	if (alone)
		ch->form_ns = node->now + node->cfg.heartbeat_ns;
}

/**
 * gpe_regular_consider() - does the current epoch need a successor?
 * @node: in an epoch, with bearers
 */
void gpe_regular_consider(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;
	bool quorate = gpe_has_quorum(node);

	gpe_quorate_set(node, quorate);
	if (!quorate) {
		gpe_quorum_lost(node);
		return;
	}
	ch->lost_ns = 0;
	if (ch->lead.phase != GPE_PH_IDLE)
		return;
	if (!gpe_ballot_reason(node)) {
		ch->wait_ns = 0;
		return;
	}
	if (gpe_turn(node, gpe_first_heard(node) ||
				   GPE_BROKEN(GPE_FAULT_LEAD_ANY)))
		gpe_ballot_start(node, node->ep.epoch);
}

/* ---- formations ---- */

/**
 * gpe_form_cand() - may the node on a path take part in a formation?
 * @node: the node
 * @path: the path
 *
 * Return: true if it is in no chain, or cannot go on in its own.
 */
bool gpe_form_cand(const struct gpe_node *node, u32 path)
{
	const struct gpe_path *p = &node->path[path];

	return p->used && p->up && !p->bye && p->hears_me && p->id &&
	       p->id != node->cfg.id &&
	       (p->state == GPE_ST_FRESH ||
		(p->state == GPE_ST_SUSPENDED &&
		 !GPE_BROKEN(GPE_FAULT_FORM_FRESH))) &&
	       gpe_detect_path(node, p->id, p->inc) == path;
}

/* A cluster that goes on takes newcomers in: no need for another. */
static bool gpe_cluster_heard(const struct gpe_node *node)
{
	u32 i;

	for (i = 0; i < GPE_PATHS_MAX; i++) {
		const struct gpe_path *p = &node->path[i];

		if (p->used && p->up && !p->bye && p->hears_me &&
		    (p->state == GPE_ST_NORMAL || p->state == GPE_ST_WEDGED) &&
		    (p->flags & GPE_BF_QUORATE))
			return true;
	}
	return false;
}

/* Among candidates: the younger chain, in it the more senior, then the id. */
static bool gpe_form_before(const struct gpe_node *node,
			    const struct gpe_path *p)
{
	if (p->beat_epoch != node->ep.epoch)
		return p->beat_epoch > node->ep.epoch;
	if (p->beat_epoch && p->rank != node->ep.self)
		return p->rank < node->ep.self;
	return p->id < node->cfg.id;
}

static bool gpe_form_first(const struct gpe_node *node)
{
	u32 i;

	for (i = 0; i < GPE_PATHS_MAX; i++)
		if (gpe_form_cand(node, i) &&
		    gpe_form_before(node, &node->path[i]))
			return false;
	return true;
}

static bool gpe_form_enough(const struct gpe_node *node)
{
	u32 votes = node->cfg.votes, expected = gpe_expected(node), i;

	for (i = 0; i < GPE_PATHS_MAX; i++) {
		if (!gpe_form_cand(node, i))
			continue;
		votes += node->path[i].votes;
		expected = max(expected, node->path[i].expected);
	}
	return gpe_majority(votes, expected, GPE_BROKEN(GPE_FAULT_FORM_HALF));
}

/**
 * gpe_form_consider() - is a new chain to be formed, and by this node?
 * @node: fresh or suspended, with bearers
 */
void gpe_form_consider(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;

	if (node->now < ch->form_ns || node->now < ch->refused_ns ||
	    ch->lead.phase != GPE_PH_IDLE)
		return;
	if (gpe_cluster_heard(node) || !gpe_form_enough(node) ||
	    gpe_led_by_other(node, 0)) {
		ch->wait_ns = 0;
		return;
	}
	if (gpe_turn(node, gpe_form_first(node)))
		gpe_ballot_start(node, 0);
}
