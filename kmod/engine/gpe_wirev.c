// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Control packets and blobs: encode, decode, validate. Everything here comes
 * from the network and is hostile until checked: nothing but the bytes is
 * looked at, nothing is taken on trust, and what passes is within the limits
 * on which the other files rely (ranks below GPE_NODES_MAX, masks within
 * their view, ids unique, epochs below GPE_EPOCH_TOP).
 *
 * All numbers are big-endian. Bodies, after the common head:
 *
 *   BEAT      max_epoch 8, nonce 8, votes 2, expected 2, view_votes 2,
 *             state 1, rank 1, flags 1, n 1, n times: id 4, inc 8
 *   PROBE     nonce 8
 *   GOODBYE   -
 *   REFUSE    reason 1
 *   PREPARE to PART, all alike:
 *             closing 8, ballot 8 + 4, kind 1, flags 1, len 2, want 1, 3 x 0,
 *             total 4, off 4, nonce 8, len bytes of a blob from off
 *
 * Blobs:
 *
 *   value     closing 8, epoch 8, expected 4, n 1, 3 x 0, old 8, bye 8,
 *             n_cut 4, seats: id 4, inc 8, votes 1, old_rank 1, 2 x 0; cuts
 *   cut       region 8, seq 8, mark_k 8, rank 1, holder 1, dir 1, 0
 *   promise   epoch 8, max_epoch 8, accepted 8 + 4, value_len 4, n_cut 4,
 *             cuts, value
 *
 * A decision is the value decided; the directory's blob is gpe_dir's.
 */
#include "gpe_wirev.h"

#define GPE_BEAT_LEN	26
#define GPE_HEARD_LEN	12
#define GPE_VIEWP_LEN	44
#define GPE_VALUE_LEN	44
#define GPE_SEAT_LEN	16
#define GPE_PROMISE_LEN	36

#define GPE_VOTES_MAX		16
#define GPE_EXPECTED_MAX	1024

#define GPE_SHORT	(GPE_CNT_DROP_SHORT + 1)
#define GPE_MALFORMED	(GPE_CNT_DROP_MALFORMED + 1)

static_assert(GPE_WIRE_HDR + GPE_BEAT_LEN + GPE_NODES_MAX * GPE_HEARD_LEN <=
	      GPE_HDR_MAX);
static_assert(GPE_WIRE_HDR + GPE_VIEWP_LEN + GPE_VIEW_PART <= GPE_HDR_MAX);

/* ---- heartbeats and their like ---- */

/**
 * gpe_wirev_beat() - body of a BEAT
 * @p: room for GPE_HDR_MAX - GPE_WIRE_HDR bytes
 * @beat: what to say
 *
 * Return: bytes written.
 */
u32 gpe_wirev_beat(u8 *p, const struct gpe_pkt_beat *beat)
{
	u32 i;

	put_unaligned_be64(beat->max_epoch, p);
	put_unaligned_be64(beat->nonce, p + 8);
	put_unaligned_be16(beat->votes, p + 16);
	put_unaligned_be16(beat->expected, p + 18);
	put_unaligned_be16(beat->view_votes, p + 20);
	p[22] = beat->state;
	p[23] = beat->rank;
	p[24] = beat->flags;
	p[25] = beat->n;
	p += GPE_BEAT_LEN;
	for (i = 0; i < beat->n; i++, p += GPE_HEARD_LEN) {
		put_unaligned_be32(beat->heard[i].id, p);
		put_unaligned_be64(beat->heard[i].inc, p + 4);
	}
	return GPE_BEAT_LEN + beat->n * GPE_HEARD_LEN;
}

/**
 * gpe_wirev_probe() - body of a PROBE
 * @p: where to
 * @nonce: to be echoed, not 0
 *
 * Return: bytes written.
 */
u32 gpe_wirev_probe(u8 *p, u64 nonce)
{
	put_unaligned_be64(nonce, p);
	return 8;
}

/**
 * gpe_wirev_refuse() - body of a REFUSE
 * @p: where to
 * @reason: enum gpe_refuse
 *
 * Return: bytes written.
 */
u32 gpe_wirev_refuse(u8 *p, u8 reason)
{
	p[0] = reason;
	return 1;
}

static int gpe_beat_decode(const u8 *p, u32 len, struct gpe_pkt_beat *beat)
{
	u32 i;

	if (len < GPE_BEAT_LEN)
		return GPE_SHORT;
	beat->max_epoch = get_unaligned_be64(p);
	beat->nonce = get_unaligned_be64(p + 8);
	beat->votes = get_unaligned_be16(p + 16);
	beat->expected = get_unaligned_be16(p + 18);
	beat->view_votes = get_unaligned_be16(p + 20);
	beat->state = p[22];
	beat->rank = p[23];
	beat->flags = p[24];
	beat->n = p[25];
	beat->reason = 0;
	if (beat->max_epoch >= GPE_EPOCH_TOP || beat->votes > GPE_VOTES_MAX ||
	    beat->expected > GPE_EXPECTED_MAX ||
	    beat->view_votes > GPE_VOTES_MAX * GPE_NODES_MAX ||
	    beat->state > GPE_ST_STOPPED || beat->rank >= GPE_NODES_MAX ||
	    (beat->flags & ~GPE_BF_ALL) || beat->n > GPE_NODES_MAX)
		return GPE_MALFORMED;
	if (len != GPE_BEAT_LEN + (u32)beat->n * GPE_HEARD_LEN)
		return len < GPE_BEAT_LEN + (u32)beat->n * GPE_HEARD_LEN ?
			       GPE_SHORT :
			       GPE_MALFORMED;
	p += GPE_BEAT_LEN;
	for (i = 0; i < beat->n; i++, p += GPE_HEARD_LEN) {
		beat->heard[i].id = get_unaligned_be32(p);
		beat->heard[i].inc = get_unaligned_be64(p + 4);
		if (!beat->heard[i].id || !beat->heard[i].inc)
			return GPE_MALFORMED;
	}
	return 0;
}

/* ---- packets of ballots ---- */

/**
 * gpe_wirev_view() - body of PREPARE to PART
 * @p: room for GPE_HDR_MAX - GPE_WIRE_HDR bytes
 * @v: what to say; @v->part has @v->len bytes
 *
 * Return: bytes written.
 */
u32 gpe_wirev_view(u8 *p, const struct gpe_pkt_view *v)
{
	put_unaligned_be64(v->closing, p);
	put_unaligned_be64(v->ballot.nr, p + 8);
	put_unaligned_be32(v->ballot.id, p + 16);
	p[20] = v->kind;
	p[21] = v->flags;
	put_unaligned_be16(v->len, p + 22);
	p[24] = v->want;
	memset(p + 25, 0, 3);
	put_unaligned_be32(v->total, p + 28);
	put_unaligned_be32(v->off, p + 32);
	put_unaligned_be64(v->nonce, p + 36);
	if (v->len)
		memcpy(p + GPE_VIEWP_LEN, v->part, v->len);
	return GPE_VIEWP_LEN + v->len;
}

/* Part and whole fit each other; parts start at multiples of their size. */
static bool gpe_part_ok(const struct gpe_pkt_view *v)
{
	if (!v->total || v->total > GPE_BLOB_MAX || v->off >= v->total ||
	    v->off % GPE_VIEW_PART)
		return false;
	return v->len == min_t(u32, v->total - v->off, GPE_VIEW_PART);
}

/* What each type carries; unused fields are zero. */
static bool gpe_view_ok(enum gpe_pkt_type type, const struct gpe_pkt_view *v)
{
	switch (type) {
	case GPE_PK_PROMISE:
		if (v->flags == GPE_VF_NAK)
			return !v->len && !v->total && !v->off;
		return !v->flags && !v->off && v->kind == GPE_BK_PROMISE &&
		       gpe_part_ok(v);
	case GPE_PK_PROPOSE:
	case GPE_PK_ACCEPT:
		return !v->flags && !v->off && v->kind == GPE_BK_VALUE &&
		       gpe_part_ok(v);
	case GPE_PK_INSTALL:
		return !v->flags && !v->off && v->kind == GPE_BK_DECISION &&
		       gpe_part_ok(v);
	case GPE_PK_PART:
		if (!v->kind || v->kind >= GPE_BK_N)
			return false;
		if (v->flags == GPE_VF_GONE)
			return v->kind == GPE_BK_DECISION && !v->len &&
			       !v->total && !v->off;
		return !v->flags && gpe_part_ok(v);
	case GPE_PK_GET:
		return v->kind && v->kind < GPE_BK_N && !v->flags &&
		       v->want && !v->len && !v->total &&
		       v->off < GPE_BLOB_MAX && !(v->off % GPE_VIEW_PART);
	case GPE_PK_READY:
		return !v->kind && !(v->flags & ~GPE_VF_DONE) && !v->len &&
		       !v->total && !v->off;
	case GPE_PK_PREPARE:
	case GPE_PK_ACCEPTED:
		return !v->kind && !v->flags && !v->len && !v->total &&
		       !v->off;
	default:
		return false;
	}
}

static int gpe_view_decode(const u8 *p, u32 len, struct gpe_pkt *pkt)
{
	struct gpe_pkt_view *v = &pkt->view;

	if (len < GPE_VIEWP_LEN)
		return GPE_SHORT;
	v->closing = get_unaligned_be64(p);
	v->ballot.nr = get_unaligned_be64(p + 8);
	v->ballot.id = get_unaligned_be32(p + 16);
	v->kind = p[20];
	v->flags = p[21];
	v->len = get_unaligned_be16(p + 22);
	v->want = p[24];
	v->total = get_unaligned_be32(p + 28);
	v->off = get_unaligned_be32(p + 32);
	v->nonce = get_unaligned_be64(p + 36);
	v->part = p + GPE_VIEWP_LEN;
	if (v->len > len - GPE_VIEWP_LEN)
		return GPE_SHORT;
	if (v->len != len - GPE_VIEWP_LEN)
		return GPE_MALFORMED;
	if (v->closing >= GPE_EPOCH_TOP || v->ballot.nr >= GPE_EPOCH_TOP ||
	    p[25] || p[26] || p[27] || !gpe_view_ok(pkt->type, v))
		return GPE_MALFORMED;
	if (v->want && pkt->type != GPE_PK_GET)
		return GPE_MALFORMED;
	/* Only decisions are asked for without knowing the ballot. */
	if (!v->ballot.id && v->kind != GPE_BK_DECISION)
		return GPE_MALFORMED;
	return 0;
}

/**
 * gpe_wirev_decode() - body of a control packet
 * @p: the body
 * @len: its bytes
 * @pkt: @pkt->type is set; the rest of the type's part is filled
 *
 * Return: 0, or the counter of the reason plus 1.
 */
int gpe_wirev_decode(const u8 *p, u32 len, struct gpe_pkt *pkt)
{
	switch (pkt->type) {
	case GPE_PK_BEAT:
		return gpe_beat_decode(p, len, &pkt->beat);
	case GPE_PK_PROBE:
		if (len != 8)
			return len < 8 ? GPE_SHORT : GPE_MALFORMED;
		pkt->beat.nonce = get_unaligned_be64(p);
		return pkt->beat.nonce ? 0 : GPE_MALFORMED;
	case GPE_PK_GOODBYE:
		return len ? GPE_MALFORMED : 0;
	case GPE_PK_REFUSE:
		if (len != 1)
			return len ? GPE_MALFORMED : GPE_SHORT;
		pkt->beat.reason = p[0];
		return p[0] == GPE_REFUSE_DUP_ID ? 0 : GPE_MALFORMED;
	default:
		return gpe_view_decode(p, len, pkt);
	}
}

/* ---- cuts ---- */

/* An entry: region 8 | last item 8 | change or first item 8 | rank 1 |
 * holder 1 | flags 1 | zero 1.
 */
#define GPE_CUT_DIR	1
#define GPE_CUT_ONE	2

/**
 * gpe_cut_put() - encode one entry of a cut
 * @p: room for GPE_CUT_LEN bytes
 * @cut: the entry
 */
void gpe_cut_put(u8 *p, const struct gpe_cut *cut)
{
	put_unaligned_be64(cut->region, p);
	put_unaligned_be64(cut->seq, p + 8);
	put_unaligned_be64(cut->mark_k, p + 16);
	p[24] = cut->rank;
	p[25] = cut->holder;
	p[26] = (cut->dir ? GPE_CUT_DIR : 0) | (cut->one ? GPE_CUT_ONE : 0);
	p[27] = 0;
}

/**
 * gpe_cut_get() - decode one entry of a cut
 * @p: GPE_CUT_LEN bytes
 * @cut: result
 *
 * Return: false if a field is out of its range.
 */
bool gpe_cut_get(const u8 *p, struct gpe_cut *cut)
{
	cut->region = get_unaligned_be64(p);
	cut->seq = get_unaligned_be64(p + 8);
	cut->mark_k = get_unaligned_be64(p + 16);
	cut->rank = p[24];
	cut->holder = p[25];
	cut->dir = p[26] & GPE_CUT_DIR;
	cut->one = p[26] & GPE_CUT_ONE;
	if (cut->one && (!cut->mark_k || cut->mark_k > cut->seq))
		return false;
	return cut->rank < GPE_NODES_MAX && cut->holder < GPE_NODES_MAX &&
	       p[26] <= GPE_CUT_ONE && !p[27] && cut->seq < GPE_EPOCH_TOP &&
	       cut->mark_k < GPE_EPOCH_TOP &&
	       (cut->region & gpe_bit(cut->rank)) &&
	       (cut->region & gpe_bit(cut->holder));
}

/**
 * gpe_cut_cmp() - order of streams: the log first, then by region and sender;
 * of one stream its prefix first, then what is beyond it
 * @a: an entry
 * @b: another
 *
 * Return: below, above or 0.
 */
int gpe_cut_cmp(const struct gpe_cut *a, const struct gpe_cut *b)
{
	if (a->dir != b->dir)
		return a->dir ? -1 : 1;
	if (a->region != b->region)
		return a->region < b->region ? -1 : 1;
	if (a->rank != b->rank)
		return (int)a->rank - (int)b->rank;
	if (a->one != b->one)
		return a->one ? 1 : -1;
	if (!a->one || a->seq == b->seq)
		return 0;
	return a->seq < b->seq ? -1 : 1;
}

/* ---- values ---- */

/**
 * gpe_value_len() - bytes of an encoded value
 * @val: the value
 *
 * Return: bytes; more than GPE_BLOB_MAX cannot be sent.
 */
u32 gpe_value_len(const struct gpe_value *val)
{
	return GPE_VALUE_LEN + val->next.n * GPE_SEAT_LEN +
	       val->n_cut * GPE_CUT_LEN;
}

/**
 * gpe_value_put() - encode a value
 * @p: room for gpe_value_len() bytes
 * @val: the value
 */
void gpe_value_put(u8 *p, const struct gpe_value *val)
{
	u32 i;

	put_unaligned_be64(val->closing, p);
	put_unaligned_be64(val->next.epoch, p + 8);
	put_unaligned_be32(val->next.expected, p + 16);
	p[20] = val->next.n;
	memset(p + 21, 0, 3);
	put_unaligned_be64(val->old, p + 24);
	put_unaligned_be64(val->bye, p + 32);
	put_unaligned_be32(val->n_cut, p + 40);
	p += GPE_VALUE_LEN;
	for (i = 0; i < val->next.n; i++, p += GPE_SEAT_LEN) {
		put_unaligned_be32(val->next.seat[i].id, p);
		put_unaligned_be64(val->next.seat[i].inc, p + 4);
		p[12] = val->next.seat[i].votes;
		p[13] = val->old_rank[i];
		p[14] = 0;
		p[15] = 0;
	}
	for (i = 0; i < val->n_cut; i++, p += GPE_CUT_LEN)
		gpe_cut_put(p, &val->cut[i]);
}

/* Ranks of the closing epoch that come along. */
static u64 gpe_value_stay(const struct gpe_value *val)
{
	u64 stay = 0;
	u32 i;

	for (i = 0; i < val->next.n; i++)
		if (val->old & gpe_bit(i))
			stay |= gpe_bit(val->old_rank[i]);
	return stay;
}

static bool gpe_seats_ok(const u8 *p, struct gpe_value *val)
{
	u32 i, j;

	for (i = 0; i < val->next.n; i++, p += GPE_SEAT_LEN) {
		struct gpe_seat *seat = &val->next.seat[i];

		seat->id = get_unaligned_be32(p);
		seat->inc = get_unaligned_be64(p + 4);
		seat->votes = p[12];
		seat->path = GPE_NO_PATH;
		val->old_rank[i] = p[13];
		if (!seat->id || !seat->inc || p[12] > GPE_VOTES_MAX ||
		    p[13] >= GPE_NODES_MAX || p[14] || p[15])
			return false;
		for (j = 0; j < i; j++)
			if (val->next.seat[j].id == seat->id)
				return false;
		/* Who stays keeps the order, so the ranks ascend. */
		if ((val->old & gpe_bit(i)) && i &&
		    val->old_rank[i] <= val->old_rank[i - 1])
			return false;
		if (!(val->old & gpe_bit(i)) && val->old_rank[i])
			return false;
	}
	return true;
}

static bool gpe_cuts_ok(const u8 *p, const struct gpe_value *val)
{
	struct gpe_cut cut, prev;
	u64 stay = gpe_value_stay(val);
	u32 i;

	for (i = 0; i < val->n_cut; i++, p += GPE_CUT_LEN) {
		if (!gpe_cut_get(p, &cut) || !(stay & gpe_bit(cut.holder)))
			return false;
		if (i && gpe_cut_cmp(&prev, &cut) >= 0)
			return false;
		prev = cut;
	}
	return true;
}

static bool gpe_value_head(const u8 *p, u32 len, struct gpe_value *val)
{
	if (len < GPE_VALUE_LEN || len > GPE_BLOB_MAX)
		return false;
	val->closing = get_unaligned_be64(p);
	val->next.epoch = get_unaligned_be64(p + 8);
	val->next.expected = get_unaligned_be32(p + 16);
	val->next.n = p[20];
	val->old = get_unaligned_be64(p + 24);
	val->bye = get_unaligned_be64(p + 32);
	val->n_cut = get_unaligned_be32(p + 40);
	if (!val->next.n || val->next.n > GPE_NODES_MAX || p[21] || p[22] ||
	    p[23] || val->next.epoch <= val->closing ||
	    val->next.epoch >= GPE_EPOCH_TOP ||
	    val->next.expected > GPE_EXPECTED_MAX ||
	    val->n_cut > GPE_BLOB_MAX / GPE_CUT_LEN)
		return false;
	if ((val->old & ~gpe_all(&val->next)) ||
	    (val->old & (val->old + 1)))	/* newcomers come last */
		return false;
	if (val->closing ? !val->old : val->old || val->n_cut || val->bye)
		return false;
	return len == gpe_value_len(val);
}

/**
 * gpe_value_get() - decode and check a value
 * @p: its bytes
 * @len: how many
 * @val: result; gpe_value_free() when done with it
 *
 * Return: 0, -EINVAL, or -ENOMEM; there is nothing to free unless 0.
 */
int gpe_value_get(const u8 *p, u32 len, struct gpe_value *val)
{
	const u8 *cuts;
	u32 i;

	memset(val, 0, sizeof(*val));
	if (!gpe_value_head(p, len, val))
		return -EINVAL;
	cuts = p + GPE_VALUE_LEN + val->next.n * GPE_SEAT_LEN;
	if (!gpe_seats_ok(p + GPE_VALUE_LEN, val) || !gpe_cuts_ok(cuts, val) ||
	    (gpe_value_stay(val) & val->bye))
		return -EINVAL;
	if (!val->n_cut)
		return 0;
	val->cut = gpe_alloc((size_t)val->n_cut * sizeof(*val->cut));
	if (!val->cut)
		return -ENOMEM;
	for (i = 0; i < val->n_cut; i++)
		gpe_cut_get(cuts + i * GPE_CUT_LEN, &val->cut[i]);
	return 0;
}

/**
 * gpe_value_free() - free what gpe_value_get() allocated
 * @val: the value
 */
void gpe_value_free(struct gpe_value *val)
{
	gpe_free(val->cut);
	val->cut = NULL;
	val->n_cut = 0;
}

/* ---- promises ---- */

/**
 * gpe_promise_len() - bytes of an encoded promise
 * @pr: the promise; only its numbers count
 *
 * Return: bytes.
 */
u32 gpe_promise_len(const struct gpe_promise *pr)
{
	return GPE_PROMISE_LEN + pr->n_cut * GPE_CUT_LEN + pr->value_len;
}

/**
 * gpe_promise_put() - encode a promise without its cuts
 * @p: room for gpe_promise_len() bytes
 * @pr: the promise; its cuts are not looked at
 *
 * Return: where the caller puts @pr->n_cut entries.
 */
u8 *gpe_promise_put(u8 *p, const struct gpe_promise *pr)
{
	put_unaligned_be64(pr->epoch, p);
	put_unaligned_be64(pr->max_epoch, p + 8);
	put_unaligned_be64(pr->accepted.nr, p + 16);
	put_unaligned_be32(pr->accepted.id, p + 24);
	put_unaligned_be32(pr->value_len, p + 28);
	put_unaligned_be32(pr->n_cut, p + 32);
	if (pr->value_len)
		memcpy(p + GPE_PROMISE_LEN + pr->n_cut * GPE_CUT_LEN,
		       pr->value, pr->value_len);
	return p + GPE_PROMISE_LEN;
}

/**
 * gpe_promise_get() - decode and check a promise
 * @p: its bytes
 * @len: how many
 * @pr: result, points into @p; the value in it is not checked yet
 *
 * Return: 0 or -EINVAL.
 */
int gpe_promise_get(const u8 *p, u32 len, struct gpe_promise *pr)
{
	struct gpe_cut cut;
	u32 i;

	if (len < GPE_PROMISE_LEN || len > GPE_BLOB_MAX)
		return -EINVAL;
	pr->epoch = get_unaligned_be64(p);
	pr->max_epoch = get_unaligned_be64(p + 8);
	pr->accepted.nr = get_unaligned_be64(p + 16);
	pr->accepted.id = get_unaligned_be32(p + 24);
	pr->value_len = get_unaligned_be32(p + 28);
	pr->n_cut = get_unaligned_be32(p + 32);
	pr->cuts = p + GPE_PROMISE_LEN;
	if (pr->epoch >= GPE_EPOCH_TOP || pr->max_epoch >= GPE_EPOCH_TOP ||
	    pr->accepted.nr >= GPE_EPOCH_TOP ||
	    pr->n_cut > GPE_BLOB_MAX / GPE_CUT_LEN ||
	    pr->value_len > GPE_BLOB_MAX || len != gpe_promise_len(pr) ||
	    !pr->accepted.id != !pr->value_len)
		return -EINVAL;
	pr->value = pr->cuts + pr->n_cut * GPE_CUT_LEN;
	for (i = 0; i < pr->n_cut; i++)
		if (!gpe_cut_get(pr->cuts + i * GPE_CUT_LEN, &cut))
			return -EINVAL;
	return 0;
}
