// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a leader proposes: who is in the next node view, in which order, and
 * the cut.
 *
 * Nodes: those of the closing epoch that promised, as gpe_pick chooses, from
 * the most senior down; newcomers follow.
 *
 * The cut: for each stream the longest prefix that some node of the proposal
 * holds; it becomes the holder that the others repair from.
 */
#include "gpe_change.h"

/* ---- old nodes ---- */

/* The old nodes of the proposal, or 0 if no choice has a quorum. */
static u64 gpe_old_nodes(struct gpe_node *node)
{
	const struct gpe_change *ch = node->change;
	u64 cand = 0, set;
	u32 i;

	for (i = 0; i < ch->lead.n; i++)
		if (ch->lead.part[i].old && ch->lead.part[i].promised)
			cand |= gpe_bit(ch->lead.part[i].rank);
	cand &= ~gpe_detect_byes(node);
	set = gpe_pick(node, cand & ~ch->failed);
	return set ? set : gpe_pick(node, cand);
}

static void gpe_seat_old(struct gpe_node *node, u32 rank)
{
	struct gpe_change *ch = node->change;
	struct gpe_part *part = &ch->lead.part[rank];
	struct gpe_value *val = &ch->val;
	struct gpe_seat *seat = &val->next.seat[val->next.n];
	u32 expected = gpe_expected(node);

	*seat = node->ep.seat[rank];
	seat->votes = node->cfg.votes;
	if (!part->self) {
		seat->votes = node->path[part->path].votes;
		expected = node->path[part->path].expected;
	}
	val->next.expected = max(val->next.expected, expected);
	val->old |= gpe_bit(val->next.n);
	val->old_rank[val->next.n++] = rank;
	part->in = true;
}

/* ---- newcomers ---- */

/**
 * gpe_newcomer_ok() - may this newcomer come in now?
 * @node: the node
 * @path: where it is
 *
 * Return: false also while it waits for having come and gone.
 */
bool gpe_newcomer_ok(const struct gpe_node *node, u32 path)
{
	const struct gpe_path *p = &node->path[path];

	return p->used && p->up && !p->bye && p->hears_me &&
	       p->state == GPE_ST_FRESH && p->seat >= node->ep.n &&
	       p->id != node->cfg.id && p->fresh_ns &&
	       node->now - p->fresh_ns >= GPE_GATHER_NS &&
	       (node->now >= p->hold_until || GPE_BROKEN(GPE_FAULT_FLAP_FREE));
}

static bool gpe_seated(const struct gpe_value *val, u32 id)
{
	u32 i;

	for (i = 0; i < val->next.n; i++)
		if (val->next.seat[i].id == id)
			return true;
	return false;
}

static void gpe_seat_newcomers(struct gpe_node *node, u64 paths)
{
	struct gpe_change *ch = node->change;
	struct gpe_lead *lead = &ch->lead;
	struct gpe_value *val = &ch->val;
	u32 i;

	for (i = 0; i < GPE_PATHS_MAX; i++) {
		const struct gpe_path *p = &node->path[i];
		struct gpe_seat *seat = &val->next.seat[val->next.n];
		struct gpe_part *part = &lead->part[lead->n];

		if (val->next.n >= GPE_NODES_MAX || lead->n >= GPE_PARTS_MAX)
			return;
		if (!gpe_newcomer_ok(node, i) || gpe_seated(val, p->id) ||
		    !gpe_path_fits(node, i, paths))
			continue;
		seat->id = p->id;
		seat->inc = p->inc;
		seat->votes = p->votes;
		val->next.n++;
		val->next.expected = max(val->next.expected, p->expected);
		memset(part, 0, sizeof(*part));
		part->id = p->id;
		part->inc = p->inc;
		part->path = i;
		part->in = true;
		lead->n++;
		paths |= BIT_ULL(i);
	}
}

/* A second try of the same ballot finds newcomers anew. */
static void gpe_newcomers_forget(struct gpe_lead *lead)
{
	u32 i, n = 0;

	for (i = 0; i < lead->n; i++) {
		lead->part[i].in = false;
		if (lead->part[i].old)
			n = i + 1;
	}
	lead->n = n;
}

/* ---- the cut ---- */

/* Streams in order; of one stream the longest prefix first. */
static int gpe_held_cmp(const struct gpe_cut *a, const struct gpe_cut *b)
{
	int c = gpe_cut_cmp(a, b);

	if (c)
		return c;
	if (a->seq != b->seq)
		return (a->seq > b->seq) !=
				       GPE_BROKEN(GPE_FAULT_CUT_SHORTEST) ?
			       -1 : 1;
	if (a->mark_k != b->mark_k)
		return a->mark_k > b->mark_k ? -1 : 1;
	return (int)a->holder - (int)b->holder;
}

static void gpe_cuts_sift(struct gpe_cut *cut, u32 i, u32 n)
{
	struct gpe_cut moved = cut[i];

	for (;;) {
		u32 child = 2 * i + 1;

		if (child >= n)
			break;
		if (child + 1 < n &&
		    gpe_held_cmp(&cut[child], &cut[child + 1]) < 0)
			child++;
		if (gpe_held_cmp(&moved, &cut[child]) >= 0)
			break;
		cut[i] = cut[child];
		i = child;
	}
	cut[i] = moved;
}

/* Heapsort: in place, and no input makes it slow. */
static void gpe_cuts_sort(struct gpe_cut *cut, u32 n)
{
	u32 i;

	for (i = n / 2; i > 0; i--)
		gpe_cuts_sift(cut, i - 1, n);
	for (i = n; i > 1; i--) {
		struct gpe_cut top = cut[0];

		cut[0] = cut[i - 1];
		cut[i - 1] = top;
		gpe_cuts_sift(cut, 0, i - 1);
	}
}

static u32 gpe_cuts_collect(const struct gpe_node *node,
			    const struct gpe_part *part, struct gpe_cut *cut)
{
	struct gpe_promise pr;
	u32 i, n = 0;

	if (gpe_promise_get(part->promise->data, part->promise->len, &pr))
		return 0;
	for (i = 0; i < pr.n_cut; i++) {
		struct gpe_cut *c = &cut[n];

		gpe_cut_get(pr.cuts + i * GPE_CUT_LEN, c);
		c->holder = part->rank;
		if (!(c->region & ~gpe_all(&node->ep)) &&
		    (c->region & gpe_bit(part->rank)))
			n++;
	}
	return n;
}

static bool gpe_same_stream(const struct gpe_cut *a, const struct gpe_cut *b)
{
	return a->dir == b->dir && a->region == b->region &&
	       a->rank == b->rank;
}

/* Fills the value's cut from the promises of its old nodes. */
static int gpe_cut_make(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;
	const struct gpe_lead *lead = &ch->lead;
	struct gpe_value *val = &ch->val;
	const struct gpe_cut *prefix = NULL;
	struct gpe_promise pr;
	u32 i, n = 0, kept = 0;

	for (i = 0; i < lead->n; i++)
		if (lead->part[i].in && lead->part[i].old &&
		    !gpe_promise_get(lead->part[i].promise->data,
				     lead->part[i].promise->len, &pr))
			n += pr.n_cut;
	if (!n)
		return 0;
	val->cut = gpe_alloc((size_t)n * sizeof(*val->cut));
	if (!val->cut)
		return -ENOMEM;
	n = 0;
	for (i = 0; i < lead->n; i++)
		if (lead->part[i].in && lead->part[i].old)
			n += gpe_cuts_collect(node, &lead->part[i],
					      val->cut + n);
	gpe_cuts_sort(val->cut, n);
	/* Of each stream the longest prefix, and what it does not cover. */
	for (i = 0; i < n; i++) {
		const struct gpe_cut *c = &val->cut[i];

		if ((prefix && gpe_same_stream(prefix, c) && c->one &&
		     c->seq <= prefix->seq) ||
		    (kept && !gpe_cut_cmp(&val->cut[kept - 1], c)))
			continue;
		val->cut[kept] = *c;
		if (!c->one)
			prefix = &val->cut[kept];
		kept++;
	}
	val->n_cut = kept;
	return 0;
}

/* ---- numbers ---- */

/*
 * Where no votes are expected there may be other chains that know the same
 * numbers and take one as well, with nobody in both who could tell: so they
 * differ by chance.
 */
static void gpe_number(struct gpe_node *node, u64 epoch)
{
	struct gpe_epoch *next = &node->change->val.next;

	next->epoch = epoch;
	if (!next->expected && !GPE_BROKEN(GPE_FAULT_EPOCH_SHARED))
		next->epoch += gpe_random(node, GPE_EPOCH_SPREAD);
}

/* ---- formations ---- */

/* Who ranks first: the younger chain, in it the more senior, then the id. */
static bool gpe_part_before(const struct gpe_part *a, const struct gpe_part *b)
{
	if (a->epoch != b->epoch)
		return a->epoch > b->epoch;
	if (a->epoch && a->rank != b->rank)
		return a->rank < b->rank;
	return a->id < b->id;
}

static void gpe_parts_sort(struct gpe_lead *lead)
{
	u32 i, j;

	for (i = 1; i < lead->n; i++) {
		struct gpe_part part = lead->part[i];

		for (j = i; j && gpe_part_before(&part, &lead->part[j - 1]);
		     j--)
			lead->part[j] = lead->part[j - 1];
		lead->part[j] = part;
	}
}

static int gpe_propose_formation(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;
	struct gpe_lead *lead = &ch->lead;
	struct gpe_value *val = &ch->val;
	u32 i, votes = 0;
	u64 paths = 0;

	gpe_parts_sort(lead);
	for (i = 0; i < lead->n; i++) {
		struct gpe_part *part = &lead->part[i];
		struct gpe_seat *seat = &val->next.seat[val->next.n];

		part->in = part->self ||
			   (part->promised &&
			    gpe_path_fits(node, part->path, paths));
		if (!part->in)
			continue;
		if (!part->self)
			paths |= BIT_ULL(part->path);
		seat->id = part->id;
		seat->inc = part->inc;
		seat->votes = part->votes;
		votes += part->votes;
		val->next.n++;
		val->next.expected = max(val->next.expected, part->expected);
	}
	if (!gpe_majority(votes, val->next.expected,
			  GPE_BROKEN(GPE_FAULT_FORM_HALF)))
		return -EAGAIN;
	gpe_number(node, gpe_first_epoch(node));
	return 0;
}

/* ---- all of it ---- */

static int gpe_propose_regular(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;
	u64 paths = 0, set;

	gpe_newcomers_forget(&ch->lead);
	set = gpe_old_nodes(node);
	if (!set)
		return -EAGAIN;
	for (; set; set &= set - 1) {
		u32 rank = gpe_lowest(set);

		if (rank != node->ep.self)
			paths |= BIT_ULL(ch->lead.part[rank].path);
		gpe_seat_old(node, rank);
	}
	gpe_seat_newcomers(node, paths);
	ch->val.closing = node->ep.epoch;
	gpe_number(node, max(node->max_epoch, node->ep.epoch) + 1);
	ch->val.bye = gpe_detect_byes(node);
	return gpe_cut_make(node);
}

/**
 * gpe_propose() - make the value of the ballot led here
 * @node: the node; enough have promised, nothing is inherited
 *
 * Return: 0, -EAGAIN without a quorum that hear each other, -ENOMEM, -E2BIG;
 * nothing has changed then.
 */
int gpe_propose(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;
	struct gpe_lead *lead = &ch->lead;
	struct gpe_blob *blob;
	int ret;

	memset(&ch->val, 0, sizeof(ch->val));
	ret = lead->closing ? gpe_propose_regular(node) :
			      gpe_propose_formation(node);
	if (!ret && gpe_value_len(&ch->val) > GPE_BLOB_MAX)
		ret = -E2BIG;
	if (!ret) {
		blob = gpe_blob_new(gpe_value_len(&ch->val));
		if (blob) {
			gpe_value_put(blob->data, &ch->val);
			gpe_blob_put(lead->value);
			lead->value = blob;
			lead->expected = gpe_form_votes(&ch->val.next);
		} else {
			ret = -ENOMEM;
		}
	}
	gpe_value_free(&ch->val);
	return ret;
}
