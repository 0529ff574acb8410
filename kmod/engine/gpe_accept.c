// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The side of those who promise, get ready and accept.
 *
 *   instance E, at a node of epoch E:
 *
 *             PREPARE b >= promised          PROPOSE b        complete
 *   [open] ------------------------> [wedged] -------> [fetches] ------> [ready]
 *                                     ^   |                                |
 *                                     |   | PREPARE of a higher ballot     |
 *                                     +---+----------------<---------------+
 *                                         |                                |
 *                                         | ACCEPT b >= promised (ready or |
 *                                         v not, in the proposal or not)   |
 *      next epoch <-- INSTALL ----- [accepted] <---------------------------+
 *
 *   at a newcomer:  [fresh] --PROPOSE--> [fetches the directory] --> [ready]
 *                                        --INSTALL--> next epoch
 *
 *   instance 0 (formation) goes from the promise straight to ACCEPT.
 *
 * The rules are those of single-decree Paxos (Lamport, Paxos made simple,
 * SIGACT News 2001). What is added: the promise wedges and carries what the
 * node holds of each stream, as in Birman and Joseph's flush (Exploiting
 * virtual synchrony, SOSP 1987), but before the vote rather than after it,
 * so a decided view never waits for a message. Nothing is on stable storage:
 * a restart is a new incarnation, which has no vote (compare Liskov and
 * Cowling, Viewstamped replication revisited, 2012).
 */
#include "gpe_change.h"

/**
 * gpe_acceptor_clear() - forget value and report, not the promise
 * @acc: the acceptor
 */
void gpe_acceptor_clear(struct gpe_acceptor *acc)
{
	gpe_blob_set(&acc->value, NULL);
	gpe_blob_set(&acc->report, NULL);
	acc->accepted.nr = 0;
	acc->accepted.id = 0;
}

/**
 * gpe_prop_drop() - the proposal is over
 * @node: the node
 */
void gpe_prop_drop(struct gpe_node *node)
{
	struct gpe_prop *prop = &node->change->prop;

	gpe_blob_set(&prop->blob, NULL);
	gpe_blob_set(&prop->dir, NULL);
	memset(prop, 0, sizeof(*prop));
	prop->path = GPE_NO_PATH;
}

/*
 * Is this instance one that the node may promise in, in its state? Not while
 * its epoch is being opened: who leads asks again, and waits for the promise.
 */
static bool gpe_instance_open(const struct gpe_node *node, u64 closing)
{
	if (!closing)
		return node->state == GPE_ST_FRESH ||
		       node->state == GPE_ST_SUSPENDED;
	return closing == node->ep.epoch && !node->change->left &&
	       !node->opening.on &&
	       node->state != GPE_ST_FRESH && node->state != GPE_ST_STOPPED;
}

/* ---- the promise ---- */

static void gpe_report_cuts(struct gpe_node *node, u8 *p, u32 n,
			    struct gpe_cut *cut)
{
	u32 i;

	for (i = 0; i < n; i++) {
		cut[i].holder = node->ep.self;
		gpe_cut_put(p + i * GPE_CUT_LEN, &cut[i]);
	}
}

/* Body of a promise, from what the node holds now. NULL: no memory. */
static struct gpe_blob *gpe_report(struct gpe_node *node,
				   const struct gpe_acceptor *acc, u64 closing)
{
	struct gpe_promise pr = { .epoch = node->ep.epoch };
	struct gpe_cut *cut = NULL;
	struct gpe_blob *blob;
	u8 *p;

	pr.max_epoch = max(node->max_epoch, node->ep.epoch);
	pr.accepted = acc->accepted;
	if (acc->value) {
		pr.value = acc->value->data;
		pr.value_len = acc->value->len;
	}
	if (closing)
		pr.n_cut = gpe_region_report(node, NULL, 0);
	if (pr.n_cut > (GPE_BLOB_MAX - pr.value_len) / GPE_CUT_LEN - 2)
		return NULL;
	if (pr.n_cut) {
		cut = gpe_alloc((size_t)pr.n_cut * sizeof(*cut));
		if (!cut)
			return NULL;
		if (GPE_ASSERT(gpe_region_report(node, cut, pr.n_cut) ==
			       pr.n_cut)) {
			gpe_free(cut);
			return NULL;
		}
	}
	blob = gpe_blob_new(gpe_promise_len(&pr));
	if (blob) {
		p = gpe_promise_put(blob->data, &pr);
		gpe_report_cuts(node, p, pr.n_cut, cut);
	}
	gpe_free(cut);
	return blob;
}

static void gpe_wedge(struct gpe_node *node)
{
	if (node->state != GPE_ST_NORMAL)
		return;
	node->state = GPE_ST_WEDGED;
	node->why = "the node view is changing";
	node->act_node = true;
}

/**
 * gpe_accept_promise() - promise a ballot, and wedge
 * @node: the node
 * @closing: instance
 * @ballot: at least the one promised before
 *
 * Return: false if a higher one was promised, while the epoch is being opened,
 * or without memory for what the promise has to say: then nothing was promised.
 */
bool gpe_accept_promise(struct gpe_node *node, u64 closing,
			const struct gpe_ballot *ballot)
{
	struct gpe_change *ch = node->change;
	struct gpe_acceptor *acc = gpe_acceptor(node, closing);
	struct gpe_blob *report;
	int cmp = gpe_ballot_cmp(ballot, &acc->promised);

	if ((cmp < 0 && !GPE_BROKEN(GPE_FAULT_PROMISE_LOW) &&
	     !GPE_BROKEN(GPE_FAULT_ACCEPT_LOW)) ||
	    (closing && node->opening.on))
		return false;
	if (!cmp && acc->report && acc->closing == closing)
		return true;
	report = gpe_report(node, acc, closing);
	if (!report)
		return false;
	if (ch->lead.phase != GPE_PH_IDLE && ch->lead.closing == closing &&
	    gpe_ballot_cmp(&ch->lead.ballot, ballot) < 0)
		gpe_ballot_abort(node);
	/* The cut of an earlier proposal counts no more; what is fetched for
	 * it now would not be in the report.
	 */
	if (ch->prop.blob && !ch->prop.joiner)
		gpe_prop_drop(node);
	if (closing)
		gpe_region_drop_cut(node);
	acc->closing = closing;
	acc->promised = *ballot;
	gpe_blob_put(acc->report);
	acc->report = report;
	ch->max_nr = max(ch->max_nr, ballot->nr);
	if (closing)
		gpe_wedge(node);
	gpe_view_busy(node);
	return true;
}

/**
 * gpe_accept_prepare() - PREPARE
 * @node: the node
 * @pkt: the packet
 */
void gpe_accept_prepare(struct gpe_node *node, struct gpe_pkt *pkt)
{
	const struct gpe_pkt_view *v = &pkt->view;
	struct gpe_vpath *vp = &node->change->path[pkt->path];
	const struct gpe_acceptor *acc = gpe_acceptor(node, v->closing);

	if (v->closing && gpe_decision(node, v->closing)) {
		vp->decision = v->closing;
		gpe_due(node, pkt->path, GPE_DUE_DECISION);
		return;
	}
	if (!gpe_instance_open(node, v->closing)) {
		gpe_count(node, GPE_CNT_DROP_STATE);
		return;
	}
	/* Who is not in the epoch, or asks under another's name, leads not. */
	if (v->ballot.id != pkt->src ||
	    (v->closing && node->path[pkt->path].seat >= node->ep.n)) {
		gpe_count(node, GPE_CNT_DROP_EPOCH);
		return;
	}
	vp->formation = !v->closing;
	if (gpe_ballot_cmp(&v->ballot, &acc->promised) < 0 &&
	    !GPE_BROKEN(GPE_FAULT_PROMISE_LOW)) {
		vp->nak = v->ballot;
		gpe_due(node, pkt->path, GPE_DUE_NAK);
		return;
	}
	if (!gpe_accept_promise(node, v->closing, &v->ballot)) {
		gpe_count(node, GPE_CNT_DROP_NOMEM);
		return;
	}
	node->change->contact_ns = node->now;
	gpe_due(node, pkt->path, GPE_DUE_PROMISE);
}

/* ---- the proposal ---- */

/**
 * gpe_accept_overtaken() - was a higher ballot promised?
 * @acc: the acceptor
 * @ballot: whose value has come
 *
 * Return: true if this one is over.
 */
bool gpe_accept_overtaken(const struct gpe_acceptor *acc,
			  const struct gpe_ballot *ballot)
{
	return gpe_ballot_cmp(ballot, &acc->promised) < 0 &&
	       !GPE_BROKEN(GPE_FAULT_ACCEPT_LOW);
}

/**
 * gpe_accept_wants() - may a value of this ballot be fetched?
 * @node: the node
 * @closing: instance
 * @ballot: the ballot
 *
 * Return: true if it would be looked at.
 */
bool gpe_accept_wants(const struct gpe_node *node, u64 closing,
		      const struct gpe_ballot *ballot)
{
	const struct gpe_change *ch = node->change;
	const struct gpe_acceptor *acc = &ch->acc[closing != 0];

	/* A newcomer has promised nothing: it takes the newest. */
	if (closing && node->state == GPE_ST_FRESH)
		return !ch->prop.blob || closing > ch->prop.closing ||
		       (closing == ch->prop.closing &&
			gpe_ballot_cmp(ballot, &ch->prop.ballot) >= 0);
	return gpe_instance_open(node, closing) &&
	       !gpe_accept_overtaken(acc, ballot);
}

static int gpe_value_find(const struct gpe_value *val, u32 id, u64 inc)
{
	u32 i;

	for (i = 0; i < val->next.n; i++)
		if (val->next.seat[i].id == id && val->next.seat[i].inc == inc)
			return i;
	return -ENOENT;
}

/* Do the ranks of the value mean what they mean here? */
static bool gpe_value_fits(const struct gpe_node *node,
			   const struct gpe_value *val)
{
	const struct gpe_epoch *ep = &node->ep;
	u64 all = gpe_all(ep);
	u32 i;

	for (i = 0; i < val->next.n; i++) {
		const struct gpe_seat *seat = &val->next.seat[i];

		if (!(val->old & gpe_bit(i)))
			continue;
		if (val->old_rank[i] >= ep->n ||
		    ep->seat[val->old_rank[i]].id != seat->id ||
		    ep->seat[val->old_rank[i]].inc != seat->inc)
			return false;
	}
	for (i = 0; i < val->n_cut; i++)
		if (val->cut[i].region & ~all)
			return false;
	return !(val->bye & ~all);
}

/* Takes what the proposal says to this node. */
static bool gpe_prop_enter(struct gpe_node *node, const struct gpe_value *val)
{
	struct gpe_prop *prop = &node->change->prop;
	int rank = gpe_value_find(val, node->cfg.id, node->inc);

	prop->in = rank >= 0;
	prop->joiner = false;
	if (!val->closing)
		return true;
	if (node->state == GPE_ST_FRESH) {
		prop->joiner = rank >= 0 && !(val->old & gpe_bit(rank));
		return prop->joiner;
	}
	if (!gpe_value_fits(node, val))
		return false;
	if (!prop->in)
		return true;
	if (!(val->old & gpe_bit(rank)) ||
	    val->old_rank[rank] != node->ep.self)
		return false;
	if (gpe_region_set_cut(node, val->cut, val->n_cut))
		return false;
	prop->cut_set = true;
	return true;
}

/**
 * gpe_accept_value() - the value of a ballot is here
 * @node: the node
 * @path: the leader's, GPE_NO_PATH: this node
 * @closing: instance
 * @ballot: of the leader; gpe_accept_wants() it
 * @blob: the value
 *
 * Doing it again changes nothing.
 *
 * Return: false if it is malformed, does not fit, or there is no memory.
 */
bool gpe_accept_value(struct gpe_node *node, u8 path, u64 closing,
		      const struct gpe_ballot *ballot, struct gpe_blob *blob)
{
	struct gpe_change *ch = node->change;
	struct gpe_prop *prop = &ch->prop;
	struct gpe_blob *dir = NULL;
	bool ok;

	if (prop->blob && prop->closing == closing &&
	    !gpe_ballot_cmp(&prop->ballot, ballot))
		return true;
	if (closing && node->state != GPE_ST_FRESH &&
	    !gpe_accept_promise(node, closing, ballot))
		return false;
	if (gpe_value_get(blob->data, blob->len, &ch->val))
		return false;
	/* The directory is as of a cut: it serves the same value only. */
	if (prop->dir && gpe_blob_same(prop->blob, blob))
		dir = gpe_blob_get(prop->dir);
	gpe_prop_drop(node);
	ok = ch->val.closing == closing && gpe_prop_enter(node, &ch->val);
	if (ok) {
		prop->closing = closing;
		prop->ballot = *ballot;
		prop->blob = gpe_blob_get(blob);
		prop->dir = dir;
		prop->path = path;
		ch->contact_ns = node->now;
		gpe_view_busy(node);
	} else {
		gpe_blob_put(dir);
		gpe_prop_drop(node);
	}
	gpe_value_free(&ch->val);
	if (ok)
		gpe_accept_check(node);
	return ok;
}

/**
 * gpe_accept_check() - may the node say READY now?
 * @node: the node
 */
void gpe_accept_check(struct gpe_node *node)
{
	struct gpe_prop *prop = &node->change->prop;

	if (!prop->blob || !prop->in || prop->ready)
		return;
	if (prop->joiner) {
		if (!prop->dir && !GPE_BROKEN(GPE_FAULT_JOIN_BLIND)) {
			gpe_blob_fetch(node, prop->path, GPE_BK_DIR);
			return;
		}
	} else if (!prop->cut_set || (!gpe_region_complete(node) &&
				      !GPE_BROKEN(GPE_FAULT_READY_BLIND))) {
		return;
	}
	prop->ready = true;
	gpe_due(node, prop->path, GPE_DUE_READY);
	gpe_view_busy(node);
}

/**
 * gpe_accept_dir() - the directory has come
 * @node: a newcomer
 * @blob: it
 */
void gpe_accept_dir(struct gpe_node *node, struct gpe_blob *blob)
{
	struct gpe_prop *prop = &node->change->prop;

	if (!prop->joiner || prop->dir)
		return;
	prop->dir = gpe_blob_get(blob);
	gpe_accept_check(node);
}

/**
 * gpe_accept_progress() - a number that changes while repairs go on
 * @node: the node
 *
 * Return: parts of the directory, or the sum of the prefixes held of streams
 * that have a cut.
 */
u64 gpe_accept_progress(const struct gpe_node *node)
{
	const struct gpe_prop *prop = &node->change->prop;
	const struct gpe_region *rgn;
	u64 sum = 0;
	u32 i;

	if (prop->joiner)
		return gpe_blob_progress(node, prop->path);
	list_for_each_entry(rgn, &node->regions, all)
		for (i = 0; i < rgn->n; i++)
			if (rgn->stream[i].cut != U64_MAX)
				sum += rgn->stream[i].cum;
	return sum % GPE_EPOCH_TOP;
}

/* ---- the vote ---- */

/**
 * gpe_accept_vote() - accept a value
 * @node: the node, of the closing epoch, or free to form
 * @closing: instance
 * @ballot: at least the one promised
 * @blob: the value, decoded before by gpe_accept_value()
 *
 * Any node of the closing epoch accepts, in the proposal or not. Who accepts
 * a formation has left its old chain for good.
 *
 * Return: false if a higher ballot was promised.
 */
bool gpe_accept_vote(struct gpe_node *node, u64 closing,
		     const struct gpe_ballot *ballot, struct gpe_blob *blob)
{
	struct gpe_change *ch = node->change;
	struct gpe_acceptor *acc = gpe_acceptor(node, closing);

	if (!gpe_instance_open(node, closing) ||
	    gpe_accept_overtaken(acc, ballot))
		return false;
	acc->closing = closing;
	acc->promised = *ballot;
	acc->accepted = *ballot;
	gpe_blob_set(&acc->value, blob);
	/* It says what was accepted before: made anew when asked for. */
	gpe_blob_set(&acc->report, NULL);
	if (!closing && node->ep.epoch && !ch->left) {
		ch->left = true;
		gpe_acceptor_clear(&ch->acc[1]);
	}
	ch->contact_ns = node->now;
	gpe_view_busy(node);
	return true;
}
