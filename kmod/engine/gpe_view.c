// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Node views: the states of a node and what takes it from one to another.
 *
 *          formation decided, or let in by a cluster
 *   FRESH ------------------------------------------> NORMAL <--------.
 *     ^                                               |  | promised   |
 *     |            no quorum heard for twice the      |  v            | decided
 *     |            detection time                     |  WEDGED ------+
 *     |       .---------------------------------------'  |            |
 *     |       v                                          | no quorum  |
 *     |   SUSPENDED <------------------------------------'            |
 *     |       |  |        quorum heard again: the next view, or a     |
 *     |       |  '------------------- formation ----------------------'
 *     '-------' decided without this node, under a new incarnation
 *
 * A node without a bearer is a cluster of its own, at once and for ever.
 */
#include "gpe_change.h"

/* A proposal of a cluster that a newcomer hears no more of is dropped. */
#define GPE_PROP_STALE_NS (4 * GPE_READY_WAIT_NS)

/* ---- what was decided ---- */

/**
 * gpe_decision() - what this node remembers to have been decided
 * @node: the node
 * @closing: instance: the epoch that ended, 0: a formation
 *
 * Return: the decision, or NULL.
 */
const struct gpe_decision *gpe_decision(const struct gpe_node *node,
					u64 closing)
{
	const struct gpe_change *ch = node->change;
	u32 i;

	for (i = 0; i < GPE_DECISIONS; i++)
		if (ch->decision[i].blob && ch->decision[i].closing == closing)
			return &ch->decision[i];
	return NULL;
}

/* The decision that opened the current epoch, if it was one. */
static const struct gpe_decision *gpe_opened_by(const struct gpe_node *node)
{
	const struct gpe_change *ch = node->change;
	u32 i;

	for (i = 0; i < GPE_DECISIONS; i++)
		if (ch->decision[i].blob && node->ep.epoch &&
		    ch->decision[i].epoch == node->ep.epoch)
			return &ch->decision[i];
	return NULL;
}

static void gpe_decision_keep(struct gpe_node *node, u64 closing, u64 epoch,
			      const struct gpe_ballot *ballot,
			      struct gpe_blob *blob)
{
	struct gpe_change *ch = node->change;
	struct gpe_decision *dec = NULL;
	u32 i;

	/* One formation at a time is enough, the latest. */
	for (i = 0; i < GPE_DECISIONS; i++)
		if (ch->decision[i].blob && ch->decision[i].closing == closing)
			dec = &ch->decision[i];
	if (!dec)
		dec = &ch->decision[ch->next_decision++ % GPE_DECISIONS];
	dec->closing = closing;
	dec->epoch = epoch;
	dec->ballot = *ballot;
	gpe_blob_set(&dec->blob, blob);
}

static void gpe_decisions_forget(struct gpe_change *ch)
{
	u32 i;

	for (i = 0; i < GPE_DECISIONS; i++)
		gpe_blob_set(&ch->decision[i].blob, NULL);
}

/* ---- beginning anew ---- */

static u64 gpe_new_inc(struct gpe_node *node)
{
	return (u64)gpe_random(node, U32_MAX) << 32 |
	       (gpe_random(node, U32_MAX) + 1);
}

/* Nothing of the instance that ended, or was left, counts any more. */
static void gpe_change_reset(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;

	gpe_ballot_abort(node);
	gpe_prop_drop(node);
	gpe_blob_drop_all(node);
	gpe_acceptor_clear(&ch->acc[0]);
	gpe_acceptor_clear(&ch->acc[1]);
	memset(&ch->acc[1].promised, 0, sizeof(ch->acc[1].promised));
	ch->acc[1].closing = node->ep.epoch;
	ch->left = false;
	ch->told = false;
	ch->start_ns = 0;
	ch->wait_ns = 0;
	ch->contact_ns = 0;
	ch->lost_ns = 0;
	ch->deaf_ns = 0;
	ch->backoff_ns = 0;
	ch->failed = 0;
	ch->install = 0;
}

/* Node->ep is set, the directory is not open yet. */
static int gpe_view_enter(struct gpe_node *node, u64 bye, bool resume)
{
	node->max_epoch = max(node->max_epoch, node->ep.epoch);
	node->state = GPE_ST_NORMAL;
	node->quorate = true;
	node->act_node = true;
	node->view_changes++;
	gpe_count(node, GPE_CNT_VIEW_CHANGES);
	gpe_change_reset(node);
	gpe_detect_epoch(node);
	node->why = node->doubt ? "has not run: asks whether its epoch is open" :
				  "";
	gpe_view_busy(node);
	return gpe_epoch_open(node, bye, resume);
}

/**
 * gpe_first_epoch() - a number for a chain that begins here
 * @node: the node
 *
 * Where the wall clock is behind the numbers in use, the next one may be what
 * another chain takes next: any of many, then.
 *
 * Return: the number, higher than any known.
 */
u64 gpe_first_epoch(struct gpe_node *node)
{
	u64 next = max(node->max_epoch, node->ep.epoch) + 1;

	if (gpe_wall(node) >= next || GPE_BROKEN(GPE_FAULT_EPOCH_WALL))
		return gpe_wall(node);
	return next + gpe_random(node, GPE_EPOCH_SPREAD);
}

static int gpe_alone_form(struct gpe_node *node)
{
	int ret;

	gpe_epoch_drop(node);
	node->ep.epoch = gpe_first_epoch(node);
	node->ep.n = 1;
	node->ep.expected = 1;
	node->ep.seat[0].id = node->cfg.id;
	node->ep.seat[0].inc = node->inc;
	node->ep.seat[0].votes = node->cfg.votes;
	node->ep.seat[0].path = GPE_NO_PATH;
	ret = gpe_view_enter(node, 0, false);
	if (!ret)
		return 0;
	gpe_epoch_drop(node);
	node->state = GPE_ST_FRESH;
	node->why = "no memory to form a cluster";
	gpe_view_busy(node);
	return ret;
}

/**
 * gpe_view_fresh() - leave the node view, or the search for one, for good
 * @node: the node
 * @why: text for people
 *
 * Members of the node hear that they are suspended; they come back when the
 * node is in a view again, under its new incarnation.
 */
void gpe_view_fresh(struct gpe_node *node, const char *why)
{
	struct gpe_change *ch = node->change;

	if (!ch->told)
		gpe_groups_suspend(node);
	gpe_epoch_drop(node);
	if (!GPE_BROKEN(GPE_FAULT_INC_KEPT))
		node->inc = gpe_new_inc(node);
	node->state = GPE_ST_FRESH;
	node->why = why;
	node->quorate = false;
	node->doubt = false;
	node->act_node = true;
	gpe_change_reset(node);
	memset(&ch->acc[0].promised, 0, sizeof(ch->acc[0].promised));
	ch->form_ns = node->now + GPE_REJOIN_NS;
	gpe_detect_epoch(node);
	gpe_view_busy(node);
	if (!node->n_bearers)
		gpe_alone_form(node);
}

/**
 * gpe_view_fail() - leave the node view without memory to go on in it
 * @node: the node
 */
void gpe_view_fail(struct gpe_node *node)
{
	gpe_view_fresh(node, "ran out of memory in its view");
}

/**
 * gpe_view_suspend() - nothing moves until there is a quorum again
 * @node: the node
 * @why: text for people
 */
void gpe_view_suspend(struct gpe_node *node, const char *why)
{
	struct gpe_change *ch = node->change;

	gpe_ballot_abort(node);
	if (node->state != GPE_ST_NORMAL && node->state != GPE_ST_WEDGED)
		return;
	if (GPE_BROKEN(GPE_FAULT_PROMISE_FORGOT)) {
		gpe_acceptor_clear(&ch->acc[1]);
		memset(&ch->acc[1].promised, 0, sizeof(ch->acc[1].promised));
	}
	node->state = GPE_ST_SUSPENDED;
	node->why = why;
	node->quorate = false;
	node->act_node = true;
	gpe_groups_suspend(node);
	ch->told = true;
	gpe_detect_restart(node);
	gpe_view_busy(node);
}

/* ---- installation ---- */

static int gpe_self_in(const struct gpe_node *node, const struct gpe_value *val)
{
	u32 i;

	for (i = 0; i < val->next.n; i++)
		if (val->next.seat[i].id == node->cfg.id &&
		    val->next.seat[i].inc == node->inc)
			return i;
	return -ENOENT;
}

static void gpe_epoch_take(struct gpe_node *node, const struct gpe_value *val,
			   u32 rank)
{
	node->ep = val->next;
	node->ep.self = rank;
}

/*
 * As an old node: everything up to the cut is here, or was never needed. Who
 * is still opening the epoch has not promised, so is in no view that follows.
 */
static int gpe_install_old(struct gpe_node *node, struct gpe_value *val,
			   u32 rank)
{
	bool told = node->change->told;
	int ret;

	if (!(val->old & gpe_bit(rank)) ||
	    val->old_rank[rank] != node->ep.self || node->opening.on)
		return -EINVAL;
	ret = gpe_region_set_cut(node, val->cut, val->n_cut);
	if (!ret && !gpe_region_complete(node))
		ret = -ENODATA;
	if (!ret)
		ret = gpe_epoch_close(node, val);
	if (ret)
		return ret;
	gpe_epoch_take(node, val, rank);
	return gpe_view_enter(node, val->bye, told);
}

static int gpe_install_newcomer(struct gpe_node *node,
				const struct gpe_value *val, u32 rank,
				const struct gpe_blob *blob)
{
	struct gpe_prop *prop = &node->change->prop;
	struct gpe_blob *dir;
	int ret;

	if (!prop->joiner || !prop->dir || !gpe_blob_same(prop->blob, blob))
		return -ENODATA;
	dir = gpe_blob_get(prop->dir);
	gpe_epoch_drop(node);
	ret = gpe_dir_load(node, dir->data, dir->len, val->closing);
	gpe_blob_put(dir);
	if (ret)
		return ret;
	gpe_epoch_take(node, val, rank);
	return gpe_view_enter(node, val->bye, false);
}

static int gpe_install_formed(struct gpe_node *node,
			      const struct gpe_value *val, u32 rank)
{
	if (!node->change->told)
		gpe_groups_suspend(node);
	gpe_epoch_drop(node);
	gpe_epoch_take(node, val, rank);
	return gpe_view_enter(node, 0, false);
}

static void gpe_install(struct gpe_node *node, struct gpe_value *val,
			struct gpe_blob *blob)
{
	int rank = gpe_self_in(node, val), ret;
	u64 newcomers = gpe_all(&val->next) & ~val->old;

	if (val->closing && node->change->left) {
		/* What was to follow the old chain has failed: a new start. */
		gpe_view_fresh(node, "has left the chain that goes on");
		return;
	}
	if (rank < 0) {
		/* A stranger's view: nothing to a node that is in none. */
		if (node->state != GPE_ST_FRESH && val->closing)
			gpe_view_fresh(node, "was left out of the node view");
		return;
	}
	if (!val->closing)
		ret = gpe_install_formed(node, val, rank);
	else if (node->state == GPE_ST_FRESH)
		ret = gpe_install_newcomer(node, val, rank, blob);
	else
		ret = gpe_install_old(node, val, rank);
	if (ret == -ENOMEM)
		gpe_view_fail(node);
	else if (ret == -ENODATA && node->state != GPE_ST_FRESH)
		gpe_view_fresh(node, "lacks what its next node view holds");
	else if (ret)
		gpe_view_fresh(node, "cannot follow into the node view");
	else if (newcomers)
		node->change->join_ns = node->now;
}

/**
 * gpe_view_wants() - is the decision of this instance of use?
 * @node: the node
 * @closing: instance
 *
 * Return: true if it ends the node's epoch, or could begin one.
 */
bool gpe_view_wants(const struct gpe_node *node, u64 closing)
{
	if (node->state == GPE_ST_STOPPED || !node->n_bearers)
		return false;
	if (node->state == GPE_ST_FRESH)
		return true;
	if (!closing)
		return node->state == GPE_ST_SUSPENDED;
	return closing == node->ep.epoch;
}

/*
 * A formation does not end the one before: two can be decided, and a vote for
 * the later one may be what it was decided with. Whoever gave it enters none of
 * a lower ballot, else it would go on in one while its vote carries the other.
 */
static bool gpe_formation_bound(const struct gpe_node *node,
				const struct gpe_ballot *ballot,
				const struct gpe_blob *blob)
{
	const struct gpe_acceptor *acc = &node->change->acc[0];

	return acc->value && gpe_ballot_cmp(ballot, &acc->accepted) < 0 &&
	       !gpe_blob_same(acc->value, blob);
}

/**
 * gpe_view_decided() - a value was decided: install it
 * @node: the node
 * @closing: instance
 * @ballot: in which it was accepted
 * @blob: the value
 */
void gpe_view_decided(struct gpe_node *node, u64 closing,
		      const struct gpe_ballot *ballot, struct gpe_blob *blob)
{
	struct gpe_change *ch = node->change;

	if (!gpe_view_wants(node, closing) ||
	    (!closing && gpe_formation_bound(node, ballot, blob)) ||
	    gpe_value_get(blob->data, blob->len, &ch->val))
		return;
	/* What the epoch is the result of is no news. */
	if (ch->val.closing == closing && ch->val.next.epoch > node->ep.epoch) {
		gpe_decision_keep(node, closing, ch->val.next.epoch, ballot,
				  blob);
		gpe_install(node, &ch->val, blob);
	}
	gpe_value_free(&ch->val);
}

/**
 * gpe_view_gone() - a node of a later epoch does not know ours
 * @node: the node
 * @path: who says so
 * @closing: our epoch, if it is about that
 */
void gpe_view_gone(struct gpe_node *node, u8 path, u64 closing)
{
	const struct gpe_path *p = &node->path[path];

	if (!closing || closing != node->ep.epoch ||
	    node->state == GPE_ST_FRESH || p->beat_epoch <= closing)
		return;
	/* Two chains that meet are another matter, see gpe_view_beat(). */
	if ((node->state == GPE_ST_NORMAL || !node->ep.expected) &&
	    node->quorate && !node->doubt)
		return;
	gpe_view_fresh(node, "the cluster has gone on without this node");
}

/* ---- what heartbeats tell ---- */

/**
 * gpe_view_behind() - a packet of a later epoch than ours
 * @node: the node
 * @pkt: the packet
 */
void gpe_view_behind(struct gpe_node *node, const struct gpe_pkt *pkt)
{
	struct gpe_vpath *vp = &node->change->path[pkt->path];

	if (!node->ep.epoch || node->state == GPE_ST_FRESH ||
	    node->now - vp->asked_ns < GPE_CTL_REPEAT_NS)
		return;
	vp->asked_ns = node->now;
	vp->ask = node->ep.epoch;
	gpe_due(node, pkt->path, GPE_DUE_ASK);
}

/*
 * Is a node on this path in a chain that goes on, and not in ours? And so that
 * we might go over: a part where no votes are expected does when it is
 * suspended, too.
 */
static bool gpe_is_foreign(const struct gpe_node *node,
			   const struct gpe_path *p)
{
	bool ours = node->state == GPE_ST_NORMAL && node->quorate;

	if (node->state == GPE_ST_SUSPENDED)
		ours = !node->ep.expected;
	return ours && !node->doubt && p->seat >= node->ep.n &&
	       p->state == GPE_ST_NORMAL && (p->flags & GPE_BF_QUORATE) &&
	       p->beat_epoch && p->beat_epoch != node->ep.epoch &&
	       !gpe_decision(node, p->beat_epoch);
}

/*
 * Do this node and all of the chain on this path hear each other? Else that has
 * no place for it. Nodes without votes go uncounted.
 */
static bool gpe_hears_chain(const struct gpe_node *node,
			    const struct gpe_path *p)
{
	u32 i, votes = 0;

	for (i = 0; i < GPE_PATHS_MAX; i++) {
		const struct gpe_path *q = &node->path[i];

		if (q->used && q->up && q->hears_me &&
		    q->beat_epoch == p->beat_epoch &&
		    gpe_detect_path(node, q->id, q->inc) == i)
			votes += q->votes;
	}
	return p->hears_me && (votes >= p->view_votes ||
			       GPE_BROKEN(GPE_FAULT_YIELD_ANY));
}

/*
 * Of two chains that meet, which votes expected prevent where there are any,
 * the one with fewer votes yields, of equal ones the older epoch. One that does
 * not go on yields in any case.
 */
static bool gpe_yields(const struct gpe_node *node, const struct gpe_path *p)
{
	u32 votes = gpe_votes(&node->ep, gpe_all(&node->ep));

	if (!node->ep.expected && (GPE_BROKEN(GPE_FAULT_NEVER_YIELD) ||
				   !gpe_hears_chain(node, p)))
		return false;
	return node->state == GPE_ST_SUSPENDED || p->view_votes > votes ||
	       (p->view_votes == votes && p->beat_epoch > node->ep.epoch);
}

/**
 * gpe_view_yields() - is there another chain that this one is to yield to?
 * @node: the node, in an epoch
 *
 * Return: true if so, and no votes are expected: then that one takes newcomers
 * in, and not this one.
 */
bool gpe_view_yields(const struct gpe_node *node)
{
	u32 i;

	for (i = 0; i < GPE_PATHS_MAX && !node->ep.expected; i++) {
		const struct gpe_path *p = &node->path[i];

		if (p->used && p->up && gpe_is_foreign(node, p) &&
		    gpe_yields(node, p))
			return true;
	}
	return false;
}

static void gpe_foreign(struct gpe_node *node, struct gpe_path *p)
{
	if (!gpe_is_foreign(node, p)) {
		p->foreign_ns = 0;
		return;
	}
	if (!p->foreign_ns)
		p->foreign_ns = node->now;
	if (node->now - p->foreign_ns >= 3 * node->cfg.detect_ns &&
	    gpe_yields(node, p))
		gpe_view_fresh(node, "yields to another cluster");
}

static void gpe_late(struct gpe_node *node, const struct gpe_pkt *pkt,
		     const struct gpe_decision *dec)
{
	if (!dec || GPE_BROKEN(GPE_FAULT_DECISION_MUTE))
		return;
	node->change->path[pkt->path].decision = dec->closing;
	gpe_due(node, pkt->path, GPE_DUE_DECISION);
}

/**
 * gpe_view_beat() - a heartbeat: who is behind, who leads, who is foreign
 * @node: the node
 * @pkt: the heartbeat; its path's record is up to date
 */
void gpe_view_beat(struct gpe_node *node, const struct gpe_pkt *pkt)
{
	struct gpe_path *p = &node->path[pkt->path];
	struct gpe_change *ch = node->change;

	if (pkt->epoch > node->ep.epoch) {
		gpe_view_behind(node, pkt);
	} else if (p->seat < node->ep.n) {
		if (pkt->epoch == node->ep.epoch)
			ch->install &= ~gpe_bit(p->seat);
		else
			gpe_late(node, pkt, gpe_opened_by(node));
	} else if (pkt->epoch && pkt->epoch < node->ep.epoch) {
		gpe_late(node, pkt, gpe_decision(node, pkt->epoch));
	}
	if (pkt->src == ch->acc[1].promised.id && p->seat < node->ep.n &&
	    pkt->epoch == node->ep.epoch && p->state != GPE_ST_NORMAL &&
	    (p->flags & GPE_BF_QUORATE))
		ch->contact_ns = node->now;
	/* A newcomer that is ready waits for others who are not yet. */
	if (node->state == GPE_ST_FRESH && ch->prop.blob &&
	    pkt->path == ch->prop.path && pkt->epoch == ch->prop.closing)
		ch->contact_ns = node->now;
	gpe_foreign(node, p);
}

/**
 * gpe_view_refused() - another node uses our id
 * @node: the node, fresh
 */
void gpe_view_refused(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;

	ch->refused_ns = node->now + GPE_BACKOFF_MAX_NS;
	if (node->state != GPE_ST_FRESH)
		return;
	node->why = "its node id is in use by another node";
	node->act_node = true;
}

/**
 * gpe_view_before() - the epoch before the current one
 * @node: the node
 *
 * Return: its number; 0 if the current one was formed, or there is none.
 */
u64 gpe_view_before(const struct gpe_node *node)
{
	const struct gpe_decision *dec = gpe_opened_by(node);

	return dec ? dec->closing : 0;
}

/**
 * gpe_view_left() - has this node accepted a formation?
 * @node: the node
 *
 * Return: true if it has left its old chain for good.
 */
bool gpe_view_left(const struct gpe_node *node)
{
	return node->change->left;
}

/**
 * gpe_view_consider() - who is heard has changed, or time has passed
 * @node: the node
 */
void gpe_view_consider(struct gpe_node *node)
{
	if (!node->n_bearers)
		return;
	switch (node->state) {
	case GPE_ST_STOPPED:
		break;
	case GPE_ST_FRESH:
		gpe_form_consider(node);
		break;
	case GPE_ST_SUSPENDED:
		if (!gpe_view_left(node))
			gpe_regular_consider(node);
		if (node->state == GPE_ST_SUSPENDED && !node->quorate &&
		    !GPE_BROKEN(GPE_FAULT_FORM_FRESH))
			gpe_form_consider(node);
		break;
	default:
		gpe_regular_consider(node);
		break;
	}
}

/**
 * gpe_view_repaired() - a stream of the closing epoch is whole up to its cut
 * @node: the node
 */
void gpe_view_repaired(struct gpe_node *node)
{
	gpe_accept_check(node);
	gpe_timer_sooner(node, &node->change->tm, node->now);
}

/* ---- time ---- */

/**
 * gpe_view_busy() - something is under way: look again soon
 * @node: the node
 */
void gpe_view_busy(struct gpe_node *node)
{
	gpe_timer_sooner(node, &node->change->tm,
			 node->now + GPE_CTL_REPEAT_NS);
}

/* Those who accepted may not know that it was decided. */
static void gpe_install_repeat(struct gpe_node *node)
{
	const struct gpe_decision *dec = gpe_opened_by(node);
	struct gpe_change *ch = node->change;
	u64 left;

	if (!dec)
		ch->install = 0;
	for (left = ch->install; left; left &= left - 1) {
		u8 path = node->ep.seat[__ffs64(left)].path;

		if (path >= GPE_PATHS_MAX)
			continue;
		ch->path[path].decision = dec->closing;
		gpe_due(node, path, GPE_DUE_DECISION);
	}
}

static bool gpe_view_waits(const struct gpe_node *node)
{
	const struct gpe_change *ch = node->change;
	u32 i;

	if (ch->lead.phase != GPE_PH_IDLE || ch->prop.blob || ch->install ||
	    node->state == GPE_ST_WEDGED)
		return true;
	if (node->state == GPE_ST_FRESH && !node->n_bearers)
		return true;
	for (i = 0; i < GPE_PATHS_MAX; i++)
		if (ch->path[i].rx.kind)
			return true;
	return false;
}

/**
 * gpe_view_timer() - repeats, and what waits for time to pass
 * @node: the node
 * @tm: its timer
 */
void gpe_view_timer(struct gpe_node *node, struct gpe_timer *tm)
{
	struct gpe_change *ch = node->change;

	(void)tm;
	if (node->state == GPE_ST_STOPPED)
		return;
	if (node->state == GPE_ST_FRESH && !node->n_bearers) {
		gpe_alone_form(node);
		return;
	}
	if (node->state == GPE_ST_FRESH && ch->prop.blob &&
	    node->now - ch->contact_ns > GPE_PROP_STALE_NS)
		gpe_prop_drop(node);
	gpe_blob_tick(node);
	gpe_accept_check(node);
	gpe_ballot_tick(node);
	gpe_install_repeat(node);
	gpe_view_consider(node);
	if (gpe_view_waits(node))
		gpe_view_busy(node);
}

/* ---- configuration ---- */

/* Said once, as who it still is: who misses it finds out by the silence. */
static void gpe_goodbye_send(struct gpe_node *node)
{
	u64 paths = 0;
	u32 i, len;
	u8 *p;

	for (i = 0; i < GPE_PATHS_MAX; i++)
		if (node->path[i].used && node->path[i].up)
			paths |= BIT_ULL(i);
	p = paths && node->n_bearers ?
		    gpe_send_begin(node, paths, GPE_WIRE_HDR) : NULL;
	if (!p)
		return;
	len = gpe_wire_open(node, p, GPE_PK_GOODBYE, 0);
	gpe_wire_close(p, len);
	gpe_send_end(node, len);
}

/* Begins to look for a cluster; peers may still be on their way. */
static void gpe_view_seek(struct gpe_node *node)
{
	gpe_view_fresh(node, "looks for a cluster");
	node->change->form_ns = node->now + GPE_FORMATION_NS;
}

/**
 * gpe_view_bearers() - bearers came or went
 * @node: the node
 * @ev: how many there are now
 *
 * The first one ends the cluster of one, the last one begins it again.
 */
void gpe_view_bearers(struct gpe_node *node, struct gpe_ev_bearers *ev)
{
	u32 was = node->n_bearers;

	node->wall_off = ev->wall_ns - node->now;
	if (was && !ev->count)
		gpe_goodbye_send(node);
	node->n_bearers = ev->count;
	if (node->state == GPE_ST_STOPPED)
		return;
	if (!was && ev->count)
		gpe_view_seek(node);
	else if (was && !ev->count)
		gpe_view_fresh(node, "");
}

/**
 * gpe_view_peers() - addresses came or went
 * @node: the node
 * @before: how many there were
 *
 * A node that has formed a cluster of its own because it had no peers looks
 * for theirs as soon as it has one, unless it was told what to expect.
 */
void gpe_view_peers(struct gpe_node *node, u32 before)
{
	if (before || !node->n_paths || !node->n_bearers ||
	    node->cfg.partition == GPE_PART_NONE ||
	    node->cfg.expected_votes || node->ep.n != 1)
		return;
	gpe_view_seek(node);
}

static bool gpe_cfg_ok(const struct gpe_cfg *cfg)
{
	return cfg->id && cfg->votes <= 16 && cfg->expected_votes <= 1024 &&
	       cfg->partition < GPE_PART_N &&
	       cfg->heartbeat_ns >= 10 * GPE_MS &&
	       cfg->heartbeat_ns <= 10000 * GPE_MS &&
	       cfg->detect_ns >= 3 * cfg->heartbeat_ns &&
	       cfg->detect_ns <= 60000 * GPE_MS;
}

/**
 * gpe_view_config() - settings
 * @node: the node
 * @ev: all of them
 *
 * A node id or a cluster name is an identity: another one is another node.
 *
 * Return: 0 or -EINVAL, and nothing has changed.
 */
int gpe_view_config(struct gpe_node *node, struct gpe_ev_config *ev)
{
	const struct gpe_cfg *cfg = &ev->cfg;
	bool other = cfg->id != node->cfg.id ||
		     cfg->cluster != node->cfg.cluster;

	if (!gpe_cfg_ok(cfg))
		return -EINVAL;
	if (other)
		gpe_goodbye_send(node);
	node->cfg = *cfg;
	node->wall_off = ev->wall_ns - node->now;
	if (node->state == GPE_ST_STOPPED)
		return 0;
	if (other)
		gpe_view_seek(node);
	else if (!node->n_bearers && node->ep.n == 1)
		node->ep.seat[0].votes = cfg->votes;
	gpe_detect_restart(node);
	node->act_node = true;
	return 0;
}

/**
 * gpe_view_goodbye() - tell the others, then stop
 * @node: the node
 */
void gpe_view_goodbye(struct gpe_node *node)
{
	gpe_goodbye_send(node);
	node->state = GPE_ST_STOPPED;
	node->act_node = true;
	gpe_ballot_abort(node);
}

/**
 * gpe_view_init() - make the state of the consensus; a cluster of one
 * @node: the node
 *
 * Return: 0 or -ENOMEM.
 */
int gpe_view_init(struct gpe_node *node)
{
	int ret;

	node->change = gpe_alloc(sizeof(*node->change));
	if (!node->change)
		return -ENOMEM;
	gpe_timer_init(&node->change->tm, GPE_TM_VIEW);
	node->change->prop.path = GPE_NO_PATH;
	ret = gpe_alone_form(node);
	if (ret)
		gpe_view_destroy(node);
	return ret;
}

/**
 * gpe_view_destroy() - free the state of the consensus
 * @node: the node
 */
void gpe_view_destroy(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;

	if (!ch)
		return;
	gpe_timer_cancel(node, &ch->tm);
	gpe_change_reset(node);
	gpe_decisions_forget(ch);
	gpe_free(ch);
	node->change = NULL;
}
