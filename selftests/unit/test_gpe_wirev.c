// SPDX-License-Identifier: GPL-2.0
/* Control packets and blobs: what is written is read, and nothing else. */
#include "unit_wire.h"
#include "gpe_wirev.h"

#define BODY GPE_WIRE_HDR
#define HEARD (BODY + 26)
#define SEATS 44	/* of a value */

static void beat_fill(struct w_pkt *w, u32 n)
{
	struct gpe_pkt_beat beat = { .max_epoch = 1000, .nonce = 5, .votes = 1,
				     .expected = 3, .view_votes = 2,
				     .state = GPE_ST_WEDGED, .rank = 1,
				     .flags = GPE_BF_QUORATE, .n = n };
	u32 i;

	for (i = 0; i < n; i++) {
		beat.heard[i].id = i + 1;
		beat.heard[i].inc = 100 + i;
	}
	w_open(w, GPE_PK_BEAT, 0);
	w_close(w, gpe_wirev_beat(w->p + BODY, &beat), 0);
}

static void view_fill(struct w_pkt *w, enum gpe_pkt_type type,
		      const struct gpe_pkt_view *v)
{
	w_open(w, type, 0);
	w_close(w, gpe_wirev_view(w->p + BODY, v), 0);
}

static const u8 bytes[GPE_VIEW_PART + 1] = { 1, 2, 3 };

/* A good packet of each type from PREPARE to PART. */
static void view_good(struct w_pkt *w, enum gpe_pkt_type type)
{
	struct gpe_pkt_view v = { .closing = 77, .ballot = { 9, 2 },
				  .nonce = 0 };

	switch (type) {
	case GPE_PK_PROMISE:
		v.kind = GPE_BK_PROMISE;
		break;
	case GPE_PK_PROPOSE:
	case GPE_PK_ACCEPT:
		v.kind = GPE_BK_VALUE;
		break;
	case GPE_PK_INSTALL:
		v.kind = GPE_BK_DECISION;
		break;
	case GPE_PK_PART:
		v.kind = GPE_BK_DIR;
		break;
	case GPE_PK_GET:
		v.kind = GPE_BK_VALUE;
		v.want = 0x81;
		v.off = 2 * GPE_VIEW_PART;
		break;
	default:
		break;
	}
	if (v.kind && type != GPE_PK_GET) {
		v.total = 10;
		v.len = 10;
		v.part = bytes;
	}
	view_fill(w, type, &v);
}

static void gpe_wirev_beat__round_trip(void **state)
{
	const struct gpe_pkt_beat *b = &w_out.beat;
	struct w_pkt w;
	u32 n;

	(void)state;
	for (n = 0; n <= GPE_NODES_MAX; n++) {
		beat_fill(&w, n);
		assert_int_equal(w_decode(&w), 0);
		assert_int_equal(b->max_epoch, 1000);
		assert_int_equal(b->nonce, 5);
		assert_int_equal(b->votes, 1);
		assert_int_equal(b->expected, 3);
		assert_int_equal(b->view_votes, 2);
		assert_int_equal(b->state, GPE_ST_WEDGED);
		assert_int_equal(b->rank, 1);
		assert_int_equal(b->flags, GPE_BF_QUORATE);
		assert_int_equal(b->n, n);
		if (n)
			assert_int_equal(b->heard[n - 1].id, n);
		if (n)
			assert_int_equal(b->heard[n - 1].inc, 99 + n);
	}
}

static void gpe_wirev_decode__beat_ranges(void **state)
{
	static const struct w_case cases[] = {
		{ BODY, 8, 0, 1 },			/* max_epoch */
		{ BODY, 8, (1ULL << 62) - 1, 1 },
		{ BODY, 8, 1ULL << 62, 0 },
		{ BODY, 8, U64_MAX, 0 },
		{ BODY + 8, 8, U64_MAX, 1 },		/* nonce */
		{ BODY + 16, 2, 0, 1 },			/* votes */
		{ BODY + 16, 2, 16, 1 },
		{ BODY + 16, 2, 17, 0 },
		{ BODY + 18, 2, 0, 1 },			/* expected */
		{ BODY + 18, 2, 1, 1 },
		{ BODY + 18, 2, 1024, 1 },
		{ BODY + 18, 2, 1025, 0 },
		{ BODY + 20, 2, 1024, 1 },		/* view_votes */
		{ BODY + 20, 2, 1025, 0 },
		{ BODY + 22, 1, GPE_ST_STOPPED, 1 },	/* state */
		{ BODY + 22, 1, GPE_ST_STOPPED + 1, 0 },
		{ BODY + 23, 1, 63, 1 },		/* rank */
		{ BODY + 23, 1, 64, 0 },
		{ BODY + 24, 1, GPE_BF_ALL, 1 },	/* flags */
		{ BODY + 24, 1, GPE_BF_ALL + 1, 0 },
		{ BODY + 25, 1, 1, 0 },			/* n */
		{ BODY + 25, 1, 3, 0 },
		{ BODY + 25, 1, 65, 0 },
		{ BODY + 25, 1, 255, 0 },
		{ HEARD, 4, 0, 0 },			/* id */
		{ HEARD + 4, 8, 0, 0 },			/* incarnation */
		{ HEARD + 12, 4, 0, 0 },
	};
	struct w_pkt w;

	(void)state;
	beat_fill(&w, 2);
	w_cases(&w, cases, ARRAY_SIZE(cases));
}

static void small_fill(struct w_pkt *w, enum gpe_pkt_type type)
{
	u32 n = 0;

	w_open(w, type, 0);
	if (type == GPE_PK_PROBE)
		n = gpe_wirev_probe(w->p + BODY, 0x1234567812345678ULL);
	if (type == GPE_PK_REFUSE)
		n = gpe_wirev_refuse(w->p + BODY, GPE_REFUSE_DUP_ID);
	w_close(w, n, 0);
}

static void gpe_wirev_probe__round_trip(void **state)
{
	static const struct w_case cases[] = {
		{ BODY, 8, 0, 0 },
		{ BODY, 8, U64_MAX, 1 },
	};
	struct w_pkt w;

	(void)state;
	small_fill(&w, GPE_PK_PROBE);
	w_cases(&w, cases, ARRAY_SIZE(cases));
	assert_int_equal(w_decode(&w), 0);
	assert_true(w_out.beat.nonce == 0x1234567812345678ULL);
}

static void gpe_wirev_refuse__round_trip(void **state)
{
	static const struct w_case cases[] = {
		{ BODY, 1, 0, 0 },
		{ BODY, 1, 2, 0 },
		{ BODY, 1, 255, 0 },
	};
	struct w_pkt w;

	(void)state;
	small_fill(&w, GPE_PK_REFUSE);
	w_cases(&w, cases, ARRAY_SIZE(cases));
	assert_int_equal(w_decode(&w), 0);
	assert_int_equal(w_out.beat.reason, GPE_REFUSE_DUP_ID);
}

static void gpe_wirev_view__round_trip(void **state)
{
	struct gpe_pkt_view v = { .closing = 0x0102030405060708ULL,
				  .ballot = { 0x1112131415161718ULL, 7 },
				  .kind = GPE_BK_DIR,
				  .total = 3 * GPE_VIEW_PART,
				  .off = 2 * GPE_VIEW_PART,
				  .len = GPE_VIEW_PART,
				  .nonce = 0x3132333435363738ULL,
				  .part = bytes };
	const struct gpe_pkt_view *o = &w_out.view;
	struct w_pkt w;

	(void)state;
	view_fill(&w, GPE_PK_PART, &v);
	assert_true(w.hdr_len <= GPE_HDR_MAX);
	assert_int_equal(w_decode(&w), 0);
	assert_true(o->closing == v.closing && o->nonce == v.nonce &&
		    o->ballot.nr == v.ballot.nr && o->ballot.id == 7);
	assert_int_equal(o->kind, GPE_BK_DIR);
	assert_int_equal(o->flags, 0);
	assert_int_equal(o->want, 0);
	assert_int_equal(o->total, v.total);
	assert_int_equal(o->off, v.off);
	assert_int_equal(o->len, GPE_VIEW_PART);
	assert_memory_equal(o->part, bytes, GPE_VIEW_PART);
	view_good(&w, GPE_PK_GET);
	assert_int_equal(w_decode(&w), 0);
	assert_int_equal(o->want, 0x81);
	assert_int_equal(o->off, 2 * GPE_VIEW_PART);
}

static void gpe_wirev_decode__view_ranges(void **state)
{
	static const struct w_case cases[] = {
		{ BODY, 8, 0, 1 },			/* closing */
		{ BODY, 8, (1ULL << 62) - 1, 1 },
		{ BODY, 8, 1ULL << 62, 0 },
		{ BODY + 8, 8, (1ULL << 62) - 1, 1 },	/* ballot */
		{ BODY + 8, 8, 1ULL << 62, 0 },
		{ BODY + 16, 4, 0, 0 },
		{ BODY + 16, 4, U32_MAX, 1 },
		{ BODY + 20, 1, GPE_BK_N, 0 },		/* kind */
		{ BODY + 20, 1, 255, 0 },
		{ BODY + 21, 1, GPE_VF_GONE, 0 },	/* flags */
		{ BODY + 21, 1, 8, 0 },
		{ BODY + 22, 2, 11, 0 },		/* len */
		{ BODY + 22, 2, 0xffff, 0 },
		{ BODY + 25, 1, 1, 0 },
		{ BODY + 26, 1, 1, 0 },
		{ BODY + 27, 1, 1, 0 },
		{ BODY + 28, 4, 9, 0 },			/* total */
		{ BODY + 28, 4, 11, 0 },
		{ BODY + 28, 4, GPE_BLOB_MAX + 1, 0 },
		{ BODY + 32, 4, 1, 0 },			/* off */
		{ BODY + 32, 4, GPE_VIEW_PART, 0 },
		{ BODY + 32, 4, U32_MAX, 0 },
	};
	enum gpe_pkt_type type;
	struct w_pkt w;

	(void)state;
	for (type = GPE_PK_PREPARE; type <= GPE_PK_PART; type++) {
		u32 i;

		view_good(&w, type);
		assert_int_equal(w_decode(&w), 0);
		/* What is bad for one with a part is bad for all. */
		for (i = 0; i < ARRAY_SIZE(cases); i++) {
			if (cases[i].off == BODY + 32 && type == GPE_PK_GET)
				continue;
			/* A decision stands for itself. */
			if (cases[i].off == BODY + 16 &&
			    type == GPE_PK_INSTALL)
				continue;
			w_cases(&w, &cases[i], 1);
		}
	}
}

static void gpe_wirev_decode__fields_of_other_types(void **state)
{
	enum gpe_pkt_type type;
	struct w_pkt w;

	(void)state;
	for (type = GPE_PK_PREPARE; type <= GPE_PK_PART; type++) {
		view_good(&w, type);
		/* Only GET says what it wants. */
		w.p[BODY + 24] = type == GPE_PK_GET ? 0 : 1;
		assert_int_not_equal(w_decode(&w), 0);
		/* Each type has its own kind, or any but none. */
		view_good(&w, type);
		if (type == GPE_PK_GET || type == GPE_PK_PART)
			w.p[BODY + 20] = 0;
		else
			w.p[BODY + 20] = GPE_BK_DIR;
		assert_int_not_equal(w_decode(&w), 0);
		view_good(&w, type);
		w.p[BODY + 21] = GPE_VF_NAK | GPE_VF_DONE;
		assert_int_not_equal(w_decode(&w), 0);
	}
}

static void gpe_wirev_decode__answers_without_a_part(void **state)
{
	struct gpe_pkt_view v = { .closing = 5, .ballot = { 1, 1 },
				  .flags = GPE_VF_NAK, .nonce = 7 };
	struct w_pkt w;

	(void)state;
	view_fill(&w, GPE_PK_PROMISE, &v);
	assert_int_equal(w_decode(&w), 0);
	assert_int_equal(w_out.view.nonce, 7);
	v.total = 1;
	view_fill(&w, GPE_PK_PROMISE, &v);
	assert_int_not_equal(w_decode(&w), 0);

	v.total = 0;
	v.flags = GPE_VF_DONE;
	view_fill(&w, GPE_PK_READY, &v);
	assert_int_equal(w_decode(&w), 0);
	view_fill(&w, GPE_PK_ACCEPTED, &v);
	assert_int_not_equal(w_decode(&w), 0);

	v.flags = GPE_VF_GONE;
	v.kind = GPE_BK_DECISION;
	v.ballot.id = 0;
	view_fill(&w, GPE_PK_PART, &v);
	assert_int_equal(w_decode(&w), 0);
	v.kind = GPE_BK_DIR;
	view_fill(&w, GPE_PK_PART, &v);
	assert_int_not_equal(w_decode(&w), 0);

	/* Asked for without knowing the ballot. */
	v.kind = GPE_BK_DECISION;
	v.flags = 0;
	v.want = 1;
	view_fill(&w, GPE_PK_GET, &v);
	assert_int_equal(w_decode(&w), 0);
	v.off = GPE_BLOB_MAX / GPE_VIEW_PART * GPE_VIEW_PART;
	view_fill(&w, GPE_PK_GET, &v);
	assert_int_equal(w_decode(&w), 0);
	v.off += GPE_VIEW_PART;
	view_fill(&w, GPE_PK_GET, &v);
	assert_int_not_equal(w_decode(&w), 0);
}

static void gpe_wirev_decode__truncated(void **state)
{
	enum gpe_pkt_type type;
	struct w_pkt w;

	(void)state;
	beat_fill(&w, 3);
	w_truncate(&w);
	small_fill(&w, GPE_PK_PROBE);
	w_truncate(&w);
	small_fill(&w, GPE_PK_GOODBYE);
	w_truncate(&w);
	small_fill(&w, GPE_PK_REFUSE);
	w_truncate(&w);
	for (type = GPE_PK_PREPARE; type <= GPE_PK_PART; type++) {
		view_good(&w, type);
		w_truncate(&w);
	}
}

static void gpe_wirev_decode__random_bytes(void **state)
{
	enum gpe_pkt_type type;
	struct w_pkt w;

	(void)state;
	beat_fill(&w, 3);
	w_fuzz(&w, 20000);
	for (type = GPE_PK_BEAT; type <= GPE_PK_PART; type++) {
		if (type >= GPE_PK_PREPARE)
			view_good(&w, type);
		else if (type > GPE_PK_BEAT)
			small_fill(&w, type);
		w_fuzz(&w, 8000);
	}
}

/* ---- blobs ---- */

static u8 *exact(const u8 *p, u32 len)
{
	u8 *mem = malloc(len ? len : 1);

	assert_non_null(mem);
	memcpy(mem, p, len);
	return mem;
}

static int value_try(const u8 *p, u32 len, struct gpe_value *val)
{
	u8 *mem = exact(p, len);
	int ret = gpe_value_get(mem, len, val);

	free(mem);
	return ret;
}

static struct gpe_cut cuts[] = {
	{ .region = 0x7, .seq = 9, .mark_k = 3, .rank = 0, .holder = 2,
	  .dir = true },
	{ .region = 0x3, .seq = 8, .mark_k = 2, .rank = 0, .holder = 0 },
	{ .region = 0x3, .seq = 7, .mark_k = 1, .rank = 1, .holder = 0 },
	{ .region = 0x7, .seq = 6, .mark_k = 0, .rank = 1, .holder = 2 },
};

/* Of three nodes ranks 0 and 2 stay, and one comes. */
static u32 value_fill(u8 *p)
{
	struct gpe_value val = { .closing = 50, .old = 3, .bye = 2,
				 .old_rank = { 0, 2, 0 }, .n_cut = 4,
				 .cut = cuts };

	val.next.epoch = 51;
	val.next.n = 3;
	val.next.expected = 3;
	val.next.seat[0] = (struct gpe_seat){ .id = 4, .inc = 40, .votes = 1 };
	val.next.seat[1] = (struct gpe_seat){ .id = 2, .inc = 20, .votes = 16 };
	val.next.seat[2] = (struct gpe_seat){ .id = 9, .inc = 90, .votes = 0 };
	gpe_value_put(p, &val);
	return gpe_value_len(&val);
}

static void gpe_value_get__round_trip(void **state)
{
	struct gpe_value val;
	u8 p[512];
	u32 len = value_fill(p), i;

	(void)state;
	assert_int_equal(len, 44 + 3 * 16 + 4 * 28);
	assert_int_equal(value_try(p, len, &val), 0);
	assert_int_equal(val.closing, 50);
	assert_int_equal(val.next.epoch, 51);
	assert_int_equal(val.next.n, 3);
	assert_int_equal(val.next.expected, 3);
	assert_int_equal(val.old, 3);
	assert_int_equal(val.bye, 2);
	assert_int_equal(val.old_rank[1], 2);
	assert_int_equal(val.next.seat[1].id, 2);
	assert_int_equal(val.next.seat[1].inc, 20);
	assert_int_equal(val.next.seat[1].votes, 16);
	assert_int_equal(val.n_cut, 4);
	for (i = 0; i < 4; i++) {
		assert_int_equal(val.cut[i].region, cuts[i].region);
		assert_int_equal(val.cut[i].seq, cuts[i].seq);
		assert_int_equal(val.cut[i].mark_k, cuts[i].mark_k);
		assert_int_equal(val.cut[i].rank, cuts[i].rank);
		assert_int_equal(val.cut[i].holder, cuts[i].holder);
		assert_int_equal(val.cut[i].dir, cuts[i].dir);
	}
	gpe_value_free(&val);
	assert_null(val.cut);
}

static void value_cases(const u8 *base, u32 len, const struct w_case *c, u32 n)
{
	struct gpe_value val;
	u8 p[512];
	u32 i;

	for (i = 0; i < n; i++) {
		int ret;

		memcpy(p, base, len);
		w_put(p + c[i].off, c[i].size, c[i].val);
		ret = value_try(p, len, &val);
		if (!ret)
			gpe_value_free(&val);
		if (!ret != c[i].ok)
			fail_msg("case %u: %u bytes at %u set to %llu: %d", i,
				 c[i].size, c[i].off, c[i].val, ret);
	}
}

static void gpe_value_get__malformed_head(void **state)
{
	static const struct w_case cases[] = {
		{ 0, 8, 51, 0 },		/* closing, not below epoch */
		{ 0, 8, 0, 0 },			/* a formation has no old */
		{ 8, 8, 50, 0 },		/* epoch */
		{ 8, 8, (1ULL << 62) - 1, 1 },
		{ 8, 8, 1ULL << 62, 0 },
		{ 16, 4, 0, 1 },		/* expected */
		{ 16, 4, 1024, 1 },
		{ 16, 4, 1025, 0 },
		{ 20, 1, 0, 0 },		/* n */
		{ 20, 1, 2, 0 },
		{ 20, 1, 65, 0 },
		{ 21, 1, 1, 0 },
		{ 23, 1, 1, 0 },
		{ 24, 8, 0, 0 },		/* old: none of them */
		{ 24, 8, 1, 0 },		/* a newcomer with an old rank */
		{ 24, 8, 2, 0 },		/* newcomers come last */
		{ 24, 8, 5, 0 },
		{ 24, 8, 0xf, 0 },		/* more than there are */
		{ 32, 8, 1, 0 },		/* bye: who stays */
		{ 32, 8, 4, 0 },
		{ 32, 8, 0, 1 },
		{ 40, 4, 3, 0 },		/* cuts */
		{ 40, 4, 5, 0 },
		{ 40, 4, U32_MAX, 0 },
		{ 40, 4, GPE_BLOB_MAX / 28 + 1, 0 },
	};
	u8 p[512];
	u32 len = value_fill(p);

	(void)state;
	value_cases(p, len, cases, ARRAY_SIZE(cases));
}

static void gpe_value_get__malformed_seats(void **state)
{
	static const struct w_case cases[] = {
		{ SEATS, 4, 0, 0 },		/* id */
		{ SEATS, 4, 2, 0 },		/* twice the same */
		{ SEATS + 32, 4, 4, 0 },
		{ SEATS + 4, 8, 0, 0 },		/* incarnation */
		{ SEATS + 12, 1, 16, 1 },	/* votes */
		{ SEATS + 12, 1, 17, 0 },
		{ SEATS + 16 + 13, 1, 0, 0 },	/* old ranks ascend */
		{ SEATS + 13, 1, 2, 0 },
		{ SEATS + 13, 1, 3, 0 },
		{ SEATS + 16 + 13, 1, 63, 0 },	/* holder is not among them */
		{ SEATS + 16 + 13, 1, 64, 0 },
		{ SEATS + 32 + 13, 1, 1, 0 },	/* a newcomer has none */
		{ SEATS + 14, 1, 1, 0 },
		{ SEATS + 15, 1, 1, 0 },
	};
	u8 p[512];
	u32 len = value_fill(p);

	(void)state;
	value_cases(p, len, cases, ARRAY_SIZE(cases));
}

static void gpe_value_get__malformed_cuts(void **state)
{
	enum { CUT = SEATS + 3 * 16, LEN = GPE_CUT_LEN };
	static const struct w_case cases[] = {
		{ CUT, 8, 0, 0 },		/* region without sender */
		{ CUT, 8, 6, 0 },
		{ CUT, 8, 3, 0 },		/* without holder */
		{ CUT, 8, 5, 1 },
		{ CUT + 8, 8, (1ULL << 62) - 1, 1 },	/* seq */
		{ CUT + 8, 8, 1ULL << 62, 0 },
		{ CUT + 16, 8, 1ULL << 62, 0 },	/* mark_k */
		{ CUT + 24, 1, 64, 0 },		/* rank */
		{ CUT + 25, 1, 1, 0 },		/* holder that goes */
		{ CUT + 25, 1, 64, 0 },
		{ CUT + 26, 1, 2, 0 },		/* dir */
		{ CUT + 26, 1, 0, 0 },		/* the log comes first */
		{ CUT + 27, 1, 1, 0 },
		{ CUT + LEN + 24, 1, 1, 0 },	/* twice the same stream */
		{ CUT + 2 * LEN + 24, 1, 0, 0 },
		{ CUT + 3 * LEN, 8, 0x2, 0 },	/* regions ascend */
		{ CUT + 3 * LEN + 26, 1, 1, 0 },
	};
	u8 p[512];
	u32 len = value_fill(p);

	(void)state;
	value_cases(p, len, cases, ARRAY_SIZE(cases));
}

static void gpe_value_get__truncated(void **state)
{
	struct gpe_value val;
	u8 p[512];
	u32 len = value_fill(p), i;

	(void)state;
	for (i = 0; i < len; i++)
		assert_int_equal(value_try(p, i, &val), -EINVAL);
	assert_int_equal(value_try(p, len + 1, &val), -EINVAL);
}

static void gpe_value_get__formation(void **state)
{
	struct gpe_value val = { .next = { .epoch = 5, .n = 64,
					   .expected = 64 } }, out;
	u8 p[44 + 64 * 16];
	u32 i;

	(void)state;
	for (i = 0; i < 64; i++) {
		val.next.seat[i].id = 64 - i;
		val.next.seat[i].inc = 1;
		val.next.seat[i].votes = 1;
	}
	gpe_value_put(p, &val);
	assert_int_equal(value_try(p, sizeof(p), &out), 0);
	assert_null(out.cut);
	assert_int_equal(out.next.n, 64);
	gpe_value_free(&out);
	val.old = U64_MAX;
	gpe_value_put(p, &val);
	assert_int_equal(value_try(p, sizeof(p), &out), -EINVAL);
	val.old = 0;
	val.bye = 1;
	gpe_value_put(p, &val);
	assert_int_equal(value_try(p, sizeof(p), &out), -EINVAL);
}

static void gpe_value_get__no_memory(void **state)
{
	struct gpe_value val;
	u8 p[512];
	u32 len = value_fill(p);

	(void)state;
	gpe_shim_fail_in = 1;
	assert_int_equal(value_try(p, len, &val), -ENOMEM);
	assert_null(val.cut);
	gpe_shim_fail_in = 0;
}

static void gpe_value_get__random_bytes(void **state)
{
	u8 base[512], p[512];
	u32 len = value_fill(base), i, n;
	struct gpe_value val;

	(void)state;
	for (i = 0; i < 100000; i++) {
		u32 cut = w_random(8) ? len : w_random(len + 100);

		memcpy(p, base, sizeof(p));
		for (n = w_random(4); n; n--)
			p[w_random(len)] = w_random(256);
		if (!value_try(p, cut, &val)) {
			assert_true(val.next.n && val.next.n <= 64);
			gpe_value_free(&val);
		}
	}
}

static void gpe_cut_cmp__order_of_streams(void **state)
{
	u32 i, k;

	(void)state;
	for (i = 0; i < 4; i++)
		for (k = 0; k < 4; k++)
			assert_int_equal(gpe_cut_cmp(&cuts[i], &cuts[k]) < 0,
					 i < k);
}

static u32 promise_fill(u8 *p)
{
	struct gpe_promise pr = { .epoch = 50, .max_epoch = 60,
				  .accepted = { 7, 3 }, .n_cut = 2,
				  .value_len = 5,
				  .value = (const u8 *)"hello" };
	u8 *at = gpe_promise_put(p, &pr);

	gpe_cut_put(at, &cuts[0]);
	gpe_cut_put(at + GPE_CUT_LEN, &cuts[1]);
	return gpe_promise_len(&pr);
}

static int promise_try(const u8 *p, u32 len)
{
	struct gpe_promise pr;
	u8 *mem = exact(p, len);
	int ret = gpe_promise_get(mem, len, &pr);

	free(mem);
	return ret;
}

static void gpe_promise_get__round_trip(void **state)
{
	struct gpe_promise pr;
	struct gpe_cut cut;
	u8 p[256];
	u32 len = promise_fill(p);

	(void)state;
	assert_int_equal(len, 36 + 2 * 28 + 5);
	assert_int_equal(gpe_promise_get(p, len, &pr), 0);
	assert_int_equal(pr.epoch, 50);
	assert_int_equal(pr.max_epoch, 60);
	assert_int_equal(pr.accepted.nr, 7);
	assert_int_equal(pr.accepted.id, 3);
	assert_int_equal(pr.n_cut, 2);
	assert_int_equal(pr.value_len, 5);
	assert_memory_equal(pr.value, "hello", 5);
	assert_true(gpe_cut_get(pr.cuts + GPE_CUT_LEN, &cut));
	assert_int_equal(gpe_cut_cmp(&cut, &cuts[1]), 0);
}

static void gpe_promise_get__malformed(void **state)
{
	static const struct w_case cases[] = {
		{ 0, 8, (1ULL << 62) - 1, 1 },	/* epoch */
		{ 0, 8, 1ULL << 62, 0 },
		{ 8, 8, (1ULL << 62) - 1, 1 },	/* max_epoch */
		{ 8, 8, 1ULL << 62, 0 },
		{ 16, 8, (1ULL << 62) - 1, 1 },	/* accepted */
		{ 16, 8, 1ULL << 62, 0 },
		{ 24, 4, 0, 0 },
		{ 28, 4, 0, 0 },		/* value_len */
		{ 28, 4, 4, 0 },
		{ 28, 4, 6, 0 },
		{ 28, 4, U32_MAX, 0 },
		{ 32, 4, 1, 0 },		/* n_cut */
		{ 32, 4, 3, 0 },
		{ 32, 4, U32_MAX, 0 },
		{ 32, 4, 0x24924925, 0 },	/* times 28 is 12 mod 2^32 */
		{ 36, 8, 0, 0 },		/* a cut */
		{ 36 + 27, 1, 1, 0 },
	};
	u8 base[256], p[256];
	u32 len = promise_fill(base), i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memcpy(p, base, len);
		w_put(p + cases[i].off, cases[i].size, cases[i].val);
		if (!promise_try(p, len) != cases[i].ok)
			fail_msg("case %u", i);
	}
	for (i = 0; i < len; i++)
		assert_int_equal(promise_try(base, i), -EINVAL);
	assert_int_equal(promise_try(base, len + 1), -EINVAL);
}

static void gpe_promise_get__random_bytes(void **state)
{
	u8 base[256], p[256];
	u32 len = promise_fill(base), i, n;

	(void)state;
	for (i = 0; i < 100000; i++) {
		memcpy(p, base, sizeof(p));
		for (n = w_random(4); n; n--)
			p[w_random(len)] = w_random(256);
		promise_try(p, w_random(4) ? len : w_random(len + 20));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_wirev_beat__round_trip),
		cmocka_unit_test(gpe_wirev_probe__round_trip),
		cmocka_unit_test(gpe_wirev_refuse__round_trip),
		cmocka_unit_test(gpe_wirev_view__round_trip),
		cmocka_unit_test(gpe_wirev_decode__beat_ranges),
		cmocka_unit_test(gpe_wirev_decode__view_ranges),
		cmocka_unit_test(gpe_wirev_decode__fields_of_other_types),
		cmocka_unit_test(gpe_wirev_decode__answers_without_a_part),
		cmocka_unit_test(gpe_wirev_decode__truncated),
		cmocka_unit_test(gpe_wirev_decode__random_bytes),
		cmocka_unit_test(gpe_cut_cmp__order_of_streams),
		cmocka_unit_test(gpe_value_get__round_trip),
		cmocka_unit_test(gpe_value_get__formation),
		cmocka_unit_test(gpe_value_get__malformed_head),
		cmocka_unit_test(gpe_value_get__malformed_seats),
		cmocka_unit_test(gpe_value_get__malformed_cuts),
		cmocka_unit_test(gpe_value_get__truncated),
		cmocka_unit_test(gpe_value_get__no_memory),
		cmocka_unit_test(gpe_value_get__random_bytes),
		cmocka_unit_test(gpe_promise_get__round_trip),
		cmocka_unit_test(gpe_promise_get__malformed),
		cmocka_unit_test(gpe_promise_get__random_bytes),
	};

	return cmocka_run_group_tests(tests, w_setup, w_teardown);
}
