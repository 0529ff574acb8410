// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The leader's side of a ballot.
 *
 *                 a quorum promised, all unsuspected
 *                 answered or 100 ms later
 *   [idle] --> [prepare] ------------------> [flush] --> [accept] --> decided
 *     ^            |  \                         |  all READY   ^  a quorum
 *     |            |   \ formation, or a value  |              |  accepted
 *     |            |    \ accepted earlier      |              |
 *     |            |     `----------------------|--------------'
 *     |            | a higher ballot, or        | no progress for 1 s:
 *     '------------+ no quorum in time          | again without those
 *                  '----------------------------'
 *
 * Single-decree Paxos (Lamport, The part-time parliament, TOCS 1998), one
 * instance for each epoch. Two things are added. A value is proposed for the
 * vote only when every node of it says that it holds all of the cut: so
 * whoever is in a decided view can install it alone. And the leader may leave
 * nodes out that promised, so that one that does not get ready costs a second
 * and not the cluster.
 *
 * Ballot numbers end in 16 random bits: a node that restarts under its id and
 * has forgotten its ballots does not use one of them again.
 */
#include "gpe_change.h"

/**
 * gpe_ballot_abort() - lead no more; what others promised stays promised
 * @node: the node
 */
void gpe_ballot_abort(struct gpe_node *node)
{
	struct gpe_lead *lead = &node->change->lead;
	u32 i;

	for (i = 0; i < lead->n; i++)
		gpe_blob_set(&lead->part[i].promise, NULL);
	gpe_blob_set(&lead->value, NULL);
	gpe_blob_set(&lead->dir, NULL);
	lead->n = 0;
	lead->phase = GPE_PH_IDLE;
}

/* Gives up for now; tries again after a random time. */
static void gpe_ballot_back_off(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;

	gpe_ballot_abort(node);
	ch->start_ns = node->now + gpe_backoff(node);
}

/**
 * gpe_ballot_is() - is this the ballot that this node leads?
 * @node: the node
 * @closing: instance
 * @ballot: the ballot
 * @phase: in which it has to be
 *
 * Return: true if it is.
 */
bool gpe_ballot_is(const struct gpe_node *node, u64 closing,
		   const struct gpe_ballot *ballot, enum gpe_phase phase)
{
	const struct gpe_lead *lead = &node->change->lead;

	return lead->phase == phase && lead->closing == closing &&
	       !gpe_ballot_cmp(&lead->ballot, ballot);
}

/**
 * gpe_ballot_part() - who is behind a path, in the ballot led here
 * @node: the node
 * @path: the path
 *
 * Return: the participant, or NULL.
 */
struct gpe_part *gpe_ballot_part(struct gpe_node *node, u8 path)
{
	struct gpe_lead *lead = &node->change->lead;
	const struct gpe_path *p = &node->path[path];
	u32 i;

	if (lead->phase == GPE_PH_IDLE)
		return NULL;
	for (i = 0; i < lead->n; i++)
		if (!lead->part[i].self && lead->part[i].id == p->id &&
		    lead->part[i].inc == p->inc)
			return &lead->part[i];
	return NULL;
}

/* ---- beginning ---- */

static struct gpe_part *gpe_part_add(struct gpe_lead *lead, u32 id, u64 inc)
{
	struct gpe_part *part = &lead->part[lead->n++];

	memset(part, 0, sizeof(*part));
	part->id = id;
	part->inc = inc;
	part->path = GPE_NO_PATH;
	return part;
}

static void gpe_parts_regular(struct gpe_node *node)
{
	struct gpe_lead *lead = &node->change->lead;
	const struct gpe_epoch *ep = &node->ep;
	u32 i;

	for (i = 0; i < ep->n; i++) {
		const struct gpe_seat *seat = &ep->seat[i];
		struct gpe_part *part = gpe_part_add(lead, seat->id,
						     seat->inc);

		part->rank = i;
		part->old = true;
		part->self = i == ep->self;
		if (!part->self)
			part->path = gpe_detect_path(node, seat->id,
						     seat->inc);
	}
}

static void gpe_parts_formation(struct gpe_node *node)
{
	struct gpe_lead *lead = &node->change->lead;
	struct gpe_part *part = gpe_part_add(lead, node->cfg.id, node->inc);
	u32 i;

	part->self = true;
	part->votes = node->cfg.votes;
	part->expected = gpe_expected(node);
	part->epoch = node->ep.epoch;
	part->rank = node->ep.self;
	for (i = 0; i < GPE_PATHS_MAX && lead->n < GPE_NODES_MAX; i++) {
		const struct gpe_path *p = &node->path[i];

		if (!gpe_form_cand(node, i))
			continue;
		part = gpe_part_add(lead, p->id, p->inc);
		part->path = i;
		part->votes = p->votes;
		part->expected = p->expected;
		part->epoch = p->beat_epoch;
		part->rank = p->rank;
	}
}

/**
 * gpe_ballot_start() - lead a ballot
 * @node: the node
 * @closing: instance: the current epoch, or 0: a formation
 *
 * Without memory for the own promise nothing happens.
 */
void gpe_ballot_start(struct gpe_node *node, u64 closing)
{
	struct gpe_change *ch = node->change;
	struct gpe_lead *lead = &ch->lead;
	const struct gpe_acceptor *acc = gpe_acceptor(node, closing);
	struct gpe_ballot ballot;
	u64 nr = max(ch->max_nr, acc->promised.nr);
	u32 i;

	gpe_ballot_abort(node);
	ballot.nr = ((nr >> 16) + 1) << 16 | gpe_random(node, 1U << 16);
	ballot.id = node->cfg.id;
	if (ballot.nr >= GPE_EPOCH_TOP ||
	    !gpe_accept_promise(node, closing, &ballot)) {
		ch->start_ns = node->now + gpe_backoff(node);
		return;
	}
	node->ballots++;
	gpe_count(node, GPE_CNT_BALLOTS);
	lead->closing = closing;
	lead->ballot = ballot;
	lead->began_ns = node->now;
	lead->moved_ns = node->now;
	lead->quorum_ns = 0;
	lead->inherited = false;
	lead->phase = GPE_PH_PREPARE;
	if (closing)
		gpe_parts_regular(node);
	else
		gpe_parts_formation(node);
	for (i = 0; i < lead->n; i++)
		if (!lead->part[i].self)
			gpe_due(node, lead->part[i].path, GPE_DUE_PREPARE);
	gpe_view_busy(node);
	gpe_ballot_promise(node, GPE_NO_PATH, acc->report);
}

/* ---- the vote ---- */

static bool gpe_decided(const struct gpe_node *node)
{
	const struct gpe_lead *lead = &node->change->lead;
	u32 i, votes = 0;
	u64 mask = 0;

	for (i = 0; i < lead->n; i++) {
		if (!lead->part[i].accepted)
			continue;
		if (lead->closing)
			mask |= gpe_bit(lead->part[i].rank);
		votes += lead->part[i].votes;
	}
	if (lead->closing)
		return gpe_quorum(&node->ep, mask);
	return gpe_majority(votes, lead->expected,
			    GPE_BROKEN(GPE_FAULT_FORM_HALF));
}

/*
 * A leader that has taken over a formation without itself in it: those who are
 * in it know no epoch to ask for. What is lost is decided once more.
 */
static void gpe_formed_tell(struct gpe_node *node, u64 paths)
{
	struct gpe_change *ch = node->change;

	for (; paths; paths &= paths - 1) {
		ch->path[__ffs64(paths)].decision = 0;
		gpe_due(node, __ffs64(paths), GPE_DUE_DECISION);
	}
	ch->start_ns = node->now + gpe_backoff(node);
}

static u64 gpe_lead_paths(const struct gpe_lead *lead)
{
	u64 paths = 0;
	u32 i;

	for (i = 0; i < lead->n; i++)
		if (lead->part[i].path < GPE_PATHS_MAX)
			paths |= BIT_ULL(lead->part[i].path);
	return paths;
}

static void gpe_vote_check(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;
	struct gpe_ballot ballot = ch->lead.ballot;
	u64 closing = ch->lead.closing, paths;
	struct gpe_blob *value;
	const struct gpe_decision *dec;

	if (!gpe_decided(node))
		return;
	value = gpe_blob_get(ch->lead.value);
	paths = gpe_lead_paths(&ch->lead);
	gpe_ballot_abort(node);
	gpe_view_decided(node, closing, &ballot, value);
	gpe_blob_put(value);
	dec = gpe_decision(node, closing);
	if (dec && dec->epoch == node->ep.epoch)
		ch->install = gpe_all(&node->ep) & ~gpe_bit(node->ep.self);
	else if (!closing)
		gpe_formed_tell(node, paths);
}

static void gpe_vote_begin(struct gpe_node *node)
{
	struct gpe_lead *lead = &node->change->lead;
	struct gpe_ballot ballot = lead->ballot;
	u32 i;

	if (!gpe_accept_value(node, GPE_NO_PATH, lead->closing, &ballot,
			      lead->value) ||
	    !gpe_accept_vote(node, lead->closing, &ballot, lead->value)) {
		gpe_ballot_back_off(node);
		return;
	}
	lead->phase = GPE_PH_ACCEPT;
	lead->moved_ns = node->now;
	for (i = 0; i < lead->n; i++) {
		struct gpe_part *part = &lead->part[i];

		if (part->self)
			part->accepted = true;
		else if (part->old || !lead->closing)
			gpe_due(node, part->path, GPE_DUE_ACCEPT);
	}
	gpe_vote_check(node);
}

/* The fault that counts an answer each time it comes. */
static void gpe_accepted_again(struct gpe_lead *lead)
{
	u32 i;

	for (i = 0; i < lead->n; i++) {
		if (lead->part[i].accepted || !lead->part[i].old)
			continue;
		lead->part[i].accepted = true;
		return;
	}
}

/**
 * gpe_ballot_accepted() - ACCEPTED
 * @node: the node
 * @path: from whom
 * @v: the packet
 */
void gpe_ballot_accepted(struct gpe_node *node, u8 path,
			 const struct gpe_pkt_view *v)
{
	struct gpe_part *part = gpe_ballot_part(node, path);

	if (!part || !gpe_ballot_is(node, v->closing, &v->ballot,
				    GPE_PH_ACCEPT))
		return;
	if (v->closing && !part->old)
		return;
	if (!part->accepted)
		node->change->lead.moved_ns = node->now;
	else if (GPE_BROKEN(GPE_FAULT_VOTE_TWICE))
		gpe_accepted_again(&node->change->lead);
	part->accepted = true;
	gpe_vote_check(node);
}

/* ---- the flush ---- */

/* The directory as of the cut, once the log is here up to it. */
static void gpe_lead_snapshot(struct gpe_node *node)
{
	struct gpe_lead *lead = &node->change->lead;
	struct gpe_blob *blob;
	u32 len = 0;
	u8 *p;

	p = gpe_dir_snapshot(node, &len);
	if (!p)
		return;
	blob = gpe_blob_new(len);
	if (blob) {
		memcpy(blob->data, p, len);
		gpe_blob_put(lead->dir);
		lead->dir = blob;
	}
	gpe_free(p);
}

static void gpe_flush_check(struct gpe_node *node)
{
	struct gpe_lead *lead = &node->change->lead;
	bool all = true, newcomers = false;
	u32 i;

	if (lead->phase != GPE_PH_FLUSH)
		return;
	for (i = 0; i < lead->n; i++) {
		struct gpe_part *part = &lead->part[i];

		if (!part->in)
			continue;
		if (part->self && node->change->prop.ready && !part->ready) {
			part->ready = true;
			lead->moved_ns = node->now;
		}
		newcomers |= !part->old;
		all &= part->ready;
	}
	if (newcomers && !lead->dir && node->change->prop.ready)
		gpe_lead_snapshot(node);
	if (all)
		gpe_vote_begin(node);
}

static void gpe_flush_begin(struct gpe_node *node)
{
	struct gpe_lead *lead = &node->change->lead;
	struct gpe_ballot ballot = lead->ballot;
	u32 i;

	lead->phase = GPE_PH_FLUSH;
	lead->moved_ns = node->now;
	if (!gpe_accept_value(node, GPE_NO_PATH, lead->closing, &ballot,
			      lead->value)) {
		gpe_ballot_back_off(node);
		return;
	}
	for (i = 0; i < lead->n; i++)
		if (lead->part[i].in && !lead->part[i].self)
			gpe_due(node, lead->part[i].path, GPE_DUE_PROPOSE);
	gpe_flush_check(node);
}

/**
 * gpe_ballot_ready() - READY
 * @node: the node
 * @path: from whom
 * @v: the packet
 */
void gpe_ballot_ready(struct gpe_node *node, u8 path,
		      const struct gpe_pkt_view *v)
{
	struct gpe_part *part = gpe_ballot_part(node, path);
	struct gpe_lead *lead = &node->change->lead;

	if (!part || !part->in ||
	    !gpe_ballot_is(node, v->closing, &v->ballot, GPE_PH_FLUSH))
		return;
	if (!part->ready && ((v->flags & GPE_VF_DONE) ||
			     part->progress != v->nonce))
		lead->moved_ns = node->now;
	part->progress = v->nonce;
	if (v->flags & GPE_VF_DONE)
		part->ready = true;
	gpe_flush_check(node);
}

/* ---- promises ---- */

static bool gpe_promised_enough(const struct gpe_node *node, bool *all)
{
	const struct gpe_lead *lead = &node->change->lead;
	u64 suspects = gpe_detect_suspects(node), mask = 0;
	u32 i, votes = 0, expected = 0;

	*all = true;
	for (i = 0; i < lead->n; i++) {
		const struct gpe_part *part = &lead->part[i];

		expected = max(expected, part->expected);
		if (part->promised) {
			votes += part->votes;
			if (lead->closing)
				mask |= gpe_bit(part->rank);
		} else if (!lead->closing ||
			   !(suspects & gpe_bit(part->rank))) {
			*all = false;
		}
	}
	if (lead->closing)
		return gpe_quorum(&node->ep, mask);
	return gpe_majority(votes, expected, GPE_BROKEN(GPE_FAULT_FORM_HALF));
}

/* Is one of those who promised in the value, as who it is now? */
static bool gpe_value_alive(const struct gpe_lead *lead,
			    const struct gpe_value *val)
{
	u32 i, k;

	for (i = 0; i < lead->n; i++) {
		const struct gpe_part *part = &lead->part[i];

		for (k = 0; part->promised && k < val->next.n; k++)
			if (val->next.seat[k].id == part->id &&
			    val->next.seat[k].inc == part->inc)
				return true;
	}
	return false;
}

/*
 * Takes over the value accepted in the highest ballot, if there is one. A
 * formation is history and binds nobody when a participant's epoch is its
 * result or a later one, or when none of the participants is in it: more than
 * half of the expected votes have promised, so those who are in it and did not
 * restart are too few to go on in it.
 */
static int gpe_inherit(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;
	struct gpe_lead *lead = &ch->lead;
	const struct gpe_part *best = NULL;
	struct gpe_promise pr, top = { .epoch = 0 };
	u64 epoch = 0;
	u32 i;

	for (i = 0; i < lead->n; i++) {
		const struct gpe_part *part = &lead->part[i];

		if (!part->promised ||
		    gpe_promise_get(part->promise->data, part->promise->len,
				    &pr))
			continue;
		epoch = max(epoch, pr.epoch);
		if (!pr.value_len || GPE_BROKEN(GPE_FAULT_VALUE_OWN))
			continue;
		if (!best || (gpe_ballot_cmp(&pr.accepted, &top.accepted) > 0) !=
				     GPE_BROKEN(GPE_FAULT_VALUE_LOWEST)) {
			best = part;
			top = pr;
		}
	}
	if (!best)
		return 0;
	if (gpe_value_get(top.value, top.value_len, &ch->val))
		return -EINVAL;
	lead->expected = gpe_form_votes(&ch->val.next);
	lead->inherited = ch->val.closing == lead->closing &&
			  (lead->closing || (ch->val.next.epoch > epoch &&
					     gpe_value_alive(lead, &ch->val)));
	gpe_value_free(&ch->val);
	if (!lead->inherited)
		return 0;
	gpe_blob_put(lead->value);
	lead->value = gpe_blob_new(top.value_len);
	if (!lead->value)
		return -ENOMEM;
	memcpy(lead->value->data, top.value, top.value_len);
	return 0;
}

static void gpe_prepare_check(struct gpe_node *node)
{
	struct gpe_lead *lead = &node->change->lead;
	bool all;

	if (lead->phase != GPE_PH_PREPARE)
		return;
	if (!gpe_promised_enough(node, &all))
		return;
	if (!lead->quorum_ns)
		lead->quorum_ns = node->now;
	if (!all && node->now - lead->quorum_ns < GPE_PROMISE_WAIT_NS)
		return;
	if (gpe_inherit(node))
		return;
	if (!lead->inherited && gpe_propose(node))
		return;
	if (lead->inherited || !lead->closing ||
	    GPE_BROKEN(GPE_FAULT_VOTE_FIRST))
		gpe_vote_begin(node);
	else
		gpe_flush_begin(node);
}

/**
 * gpe_ballot_promise() - a promise is here
 * @node: the node
 * @path: from whom, GPE_NO_PATH: from this node
 * @blob: its body
 */
void gpe_ballot_promise(struct gpe_node *node, u8 path, struct gpe_blob *blob)
{
	struct gpe_lead *lead = &node->change->lead;
	struct gpe_part *part = NULL;
	struct gpe_promise pr;
	u32 i;

	if (path != GPE_NO_PATH)
		part = gpe_ballot_part(node, path);
	else
		for (i = 0; i < lead->n; i++)
			if (lead->part[i].self)
				part = &lead->part[i];
	if (!part || part->promised || lead->phase != GPE_PH_PREPARE)
		return;
	if (gpe_promise_get(blob->data, blob->len, &pr)) {
		gpe_count(node, GPE_CNT_DROP_MALFORMED);
		return;
	}
	node->max_epoch = max(node->max_epoch, pr.max_epoch);
	part->promised = true;
	part->promise = gpe_blob_get(blob);
	lead->moved_ns = node->now;
	gpe_prepare_check(node);
}

/**
 * gpe_ballot_nak() - somebody has promised a higher ballot
 * @node: the node
 * @closing: instance
 * @ballot: ballot that was refused
 * @nr: number of the higher one
 */
void gpe_ballot_nak(struct gpe_node *node, u64 closing,
		    const struct gpe_ballot *ballot, u64 nr)
{
	struct gpe_change *ch = node->change;

	if (ch->lead.phase == GPE_PH_IDLE || ch->lead.closing != closing ||
	    gpe_ballot_cmp(&ch->lead.ballot, ballot) || nr >= GPE_EPOCH_TOP)
		return;
	ch->max_nr = max(ch->max_nr, nr);
	gpe_ballot_back_off(node);
}

/* ---- time ---- */

/* Those who are not ready hold all others up: again without them. */
static void gpe_flush_expired(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;
	struct gpe_lead *lead = &ch->lead;
	u64 closing = lead->closing, failed = ch->failed;
	u32 i;

	for (i = 0; i < lead->n; i++) {
		const struct gpe_part *part = &lead->part[i];

		if (!part->in || part->ready)
			continue;
		if (part->old)
			ch->failed |= gpe_bit(part->rank);
		else
			gpe_detect_hold_off(node, &node->path[part->path]);
	}
	/*
	 * What the leader itself lacks nobody has who is left: a new cut. When
	 * that does not help either, a holder has let go of it, told that it
	 * was here: there is no way to follow, and others have to lead.
	 */
	if ((failed & gpe_bit(node->ep.self)) && !ch->prop.ready)
		gpe_view_fresh(node, "lacks what nobody has any more");
	else
		gpe_ballot_start(node, closing);
}

/*
 * Newcomers that have found their place elsewhere, or another in their place:
 * again without them, at once. The others have had no time yet to fail.
 */
static void gpe_flush_gone(struct gpe_node *node)
{
	const struct gpe_lead *lead = &node->change->lead;
	bool gone = false;
	u32 i;

	for (i = 0; i < lead->n; i++) {
		const struct gpe_part *part = &lead->part[i];
		struct gpe_path *p;

		if (!part->in || part->old || part->ready)
			continue;
		p = &node->path[part->path];
		if (p->id == part->id && p->inc == part->inc &&
		    p->state == GPE_ST_FRESH)
			continue;
		gpe_detect_hold_off(node, p);
		gone = true;
	}
	if (gone)
		gpe_ballot_start(node, lead->closing);
}

static void gpe_ballot_repeat(struct gpe_node *node)
{
	struct gpe_lead *lead = &node->change->lead;
	u32 i;

	for (i = 0; i < lead->n; i++) {
		struct gpe_part *part = &lead->part[i];

		if (part->self)
			continue;
		if (part->old && part->path == GPE_NO_PATH)
			part->path = gpe_detect_path(node, part->id,
						     part->inc);
		if (lead->phase == GPE_PH_PREPARE && !part->promised)
			gpe_due(node, part->path, GPE_DUE_PREPARE);
		if (lead->phase == GPE_PH_FLUSH && part->in && !part->ready)
			gpe_due(node, part->path, GPE_DUE_PROPOSE);
		if (lead->phase == GPE_PH_ACCEPT && !part->accepted &&
		    (part->old || !lead->closing))
			gpe_due(node, part->path, GPE_DUE_ACCEPT);
	}
}

/**
 * gpe_ballot_tick() - repeat, and look at the time
 * @node: the node
 */
void gpe_ballot_tick(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;
	struct gpe_lead *lead = &ch->lead;
	u64 idle = node->now - lead->moved_ns;

	if (lead->phase == GPE_PH_IDLE)
		return;
	gpe_ballot_repeat(node);
	if (lead->phase == GPE_PH_PREPARE) {
		gpe_prepare_check(node);
		if (lead->phase != GPE_PH_PREPARE)
			return;
		if (lead->closing && idle > 2 * node->cfg.detect_ns)
			gpe_view_suspend(node, "no quorum promises");
		else if (!lead->closing && idle > GPE_READY_WAIT_NS)
			gpe_ballot_back_off(node);
	} else if (lead->phase == GPE_PH_FLUSH) {
		gpe_flush_check(node);
		if (lead->phase != GPE_PH_FLUSH ||
		    GPE_BROKEN(GPE_FAULT_FLUSH_WAITS))
			return;
		if (idle > GPE_READY_WAIT_NS)
			gpe_flush_expired(node);
		else
			gpe_flush_gone(node);
	} else if (idle > GPE_READY_WAIT_NS) {
		gpe_ballot_back_off(node);
	}
}
