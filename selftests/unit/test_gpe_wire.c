// SPDX-License-Identifier: GPL-2.0
/* Packets of streams: what is written is read, and nothing else is taken. */
#include "unit_wire.h"

#define BODY GPE_WIRE_HDR
#define ITEM (GPE_WIRE_HDR + 32)
#define BAD(reason) (GPE_CNT_DROP_##reason + 1)

static void msg_fill(struct gpe_msg *msg, u8 type)
{
	memset(msg, 0, sizeof(*msg));
	msg->type = type;
	msg->level = GPE_TOTAL;
	msg->n_frags = 3;
	msg->frag_len = 2000;
	msg->len = 5001;
	msg->gid = 0x0102030405060708ULL;
	msg->vid.epoch = 0x1112131415161718ULL;
	msg->vid.seq = 0x2122232425262728ULL;
	msg->sender.port = 0x31323334;
	msg->dst_port = type == GPE_IT_ONE ? 0x41424344 : 0;
}

/* Two fragments of a message and an order record. */
static void data_fill(struct w_pkt *w)
{
	struct gpe_msg msg, rec = { .type = GPE_IT_ORDER, .inl_len = 3,
				    .inl = { 1, 0, 5 } };
	u32 n;

	msg_fill(&msg, GPE_IT_DATA);
	w_open(w, GPE_PK_DATA, 77);
	n = gpe_wire_body(w->p + BODY, 0xf0, 100, 50, 6, true, true, 3);
	n += gpe_wire_item(w->p + BODY + n, &msg, 1);
	n += gpe_wire_item(w->p + BODY + n, &msg, 2);
	n += gpe_wire_item(w->p + BODY + n, &rec, 0);
	w_close(w, n, 2000 + 1001);
}

static void ack_fill(struct w_pkt *w, enum gpe_pkt_type type)
{
	u32 n;

	w_open(w, type, 0);
	n = gpe_wire_body(w->p + BODY, 0x7, 40, 30, 2, true, false, 0);
	n += gpe_wire_range(w->p + BODY + n, 41, 41);
	n += gpe_wire_range(w->p + BODY + n, 45, 60);
	w_close(w, n, 0);
}

static void repair_fill(struct w_pkt *w)
{
	u32 n;

	w_open(w, GPE_PK_REPAIR, 0);
	n = gpe_wire_body(w->p + BODY, 0x7, 4, 9, 2, false, false, 0);
	w_close(w, n, 0);
}

static void gpe_wire_open__head(void **state)
{
	struct w_pkt w;

	(void)state;
	w_node->ep.epoch = 0x99;
	w_open(&w, GPE_PK_GOODBYE, 0x55);
	w_close(&w, 0, 0);
	assert_int_equal(w_decode(&w), 0);
	assert_int_equal(w_out.type, GPE_PK_GOODBYE);
	assert_int_equal(w_out.path, 3);
	assert_int_equal(w_out.src, 9);
	assert_int_equal(w_out.src_inc, 0xabcdef);
	assert_int_equal(w_out.dst_inc, 0x55);
	assert_int_equal(w_out.epoch, 0x99);
	assert_int_equal(w_out.len, GPE_WIRE_HDR);
}

static void gpe_wire_decode__head_ranges(void **state)
{
	static const struct {
		struct w_case c;
		int ret;
	} cases[] = {
		{ { 0, 2, 0x4752, 0 }, BAD(VERSION) },
		{ { 0, 2, 0x4754, 0 }, BAD(VERSION) },
		{ { 2, 1, 0, 0 }, BAD(VERSION) },
		{ { 2, 1, 1, 0 }, BAD(VERSION) },
		{ { 2, 1, 3, 0 }, BAD(VERSION) },
		{ { 3, 1, 0, 0 }, BAD(TYPE) },
		{ { 3, 1, GPE_PK_N, 0 }, BAD(TYPE) },
		{ { 3, 1, 255, 0 }, BAD(TYPE) },
		{ { 4, 2, 0, 0 }, BAD(SHORT) },
		{ { 4, 2, GPE_WIRE_HDR - 1, 0 }, BAD(SHORT) },
		{ { 4, 2, GPE_WIRE_HDR + 1, 0 }, BAD(SHORT) },
		{ { 4, 2, 0xffff, 0 }, BAD(SHORT) },
		{ { 6, 1, 1, 0 }, BAD(MALFORMED) },
		{ { 7, 1, 1, 0 }, BAD(MALFORMED) },
		{ { 8, 8, 0x1122334455667787ULL, 0 }, BAD(CLUSTER) },
		{ { 16, 4, 0, 0 }, BAD(MALFORMED) },
		{ { 16, 4, U32_MAX, 1 }, 0 },
		{ { 20, 4, 1, 0 }, BAD(MALFORMED) },
		{ { 20, 1, 1, 0 }, BAD(MALFORMED) },
		{ { 24, 8, 0, 0 }, BAD(MALFORMED) },
		{ { 24, 8, U64_MAX, 1 }, 0 },
		{ { 32, 8, U64_MAX, 1 }, 0 },
		{ { 40, 8, U64_MAX, 1 }, 0 },
	};
	struct w_pkt base, w;
	u32 i;

	(void)state;
	w_open(&base, GPE_PK_GOODBYE, 0);
	w_close(&base, 0, 0);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		w = base;
		w_put(w.p + cases[i].c.off, cases[i].c.size, cases[i].c.val);
		assert_int_equal(w_decode(&w), cases[i].ret);
	}
}

static void gpe_wire_decode__header_of_the_largest_size(void **state)
{
	struct gpe_msg rec = { .type = GPE_IT_ORDER, .inl_len = 192 };
	struct w_pkt w;
	u32 n, i;

	(void)state;
	w_open(&w, GPE_PK_DATA, 0);
	n = gpe_wire_body(w.p + BODY, 1, 1, 0, 0, false, false, 5);
	for (i = 0; i < 5; i++) {
		rec.inl_len = i < 4 ? 192 : 138;
		n += gpe_wire_item(w.p + BODY + n, &rec, 0);
	}
	w_close(&w, n, 0);
	assert_int_equal(w.hdr_len, 1006);
	assert_int_equal(w_decode(&w), 0);
	/* One item more would pass all checks but that of the header part. */
	w.p[BODY + 26] = 6;
	rec.inl_len = 15;
	gpe_wire_item(w.p + w.hdr_len, &rec, 0);
	gpe_wire_close(w.p, w.hdr_len + 19);
	assert_int_equal(w_decode_at(w.p, 1025, 1025, 0), BAD(SHORT));
}

static void gpe_wire_item__message_round_trip(void **state)
{
	const struct gpe_pkt_data *d = &w_out.data;
	struct w_pkt w;
	u32 i;

	(void)state;
	data_fill(&w);
	assert_int_equal(w_decode_at(w.p, w.hdr_len, w.len, 17), 0);
	assert_int_equal(w_out.type, GPE_PK_DATA);
	assert_int_equal(w_out.dst_inc, 77);
	assert_int_equal(d->region, 0xf0);
	assert_int_equal(d->base, 100);
	assert_int_equal(d->stable, 50);
	assert_int_equal(d->origin, 6);
	assert_true(d->dir && d->repair);
	assert_int_equal(d->n, 3);
	for (i = 0; i < 2; i++) {
		const struct gpe_item *it = &d->item[i];

		assert_int_equal(it->type, GPE_IT_DATA);
		assert_int_equal(it->level, GPE_TOTAL);
		assert_int_equal(it->idx, i + 1);
		assert_int_equal(it->n_frags, 3);
		assert_int_equal(it->frag_len, 2000);
		assert_int_equal(it->total, 5001);
		assert_int_equal(it->len, i ? 1001 : 2000);
		assert_int_equal(it->off, 17 + w.hdr_len + i * 2000);
		assert_true(it->gid == 0x0102030405060708ULL);
		assert_true(it->vid.epoch == 0x1112131415161718ULL);
		assert_true(it->vid.seq == 0x2122232425262728ULL);
		assert_int_equal(it->port, 0x31323334);
		assert_int_equal(it->dst_port, 0);
		assert_null(it->inl);
	}
	assert_int_equal(d->item[2].type, GPE_IT_ORDER);
	assert_int_equal(d->item[2].inl_len, 3);
	assert_int_equal(d->item[2].len, 0);
	assert_int_equal(d->item[2].n_frags, 1);
	assert_memory_equal(d->item[2].inl, "\1\0\5", 3);
}

static void gpe_wire_item__to_one_round_trip(void **state)
{
	struct gpe_msg msg;
	struct w_pkt w;
	u32 n;

	(void)state;
	msg_fill(&msg, GPE_IT_ONE);
	msg.level = GPE_FIFO;
	msg.n_frags = 1;
	msg.len = GPE_FRAG_MAX;
	msg.lamport = 77;
	assert_int_equal(gpe_wire_item_len(&msg, 0), 48);
	w_open(&w, GPE_PK_DATA, 0);
	n = gpe_wire_body(w.p + BODY, 3, 1, 0, 0, false, false, 1);
	n += gpe_wire_item(w.p + BODY + n, &msg, 0);
	w_close(&w, n, GPE_FRAG_MAX);
	assert_int_equal(w_decode(&w), 0);
	assert_false(w_out.data.dir || w_out.data.repair);
	assert_int_equal(w_out.data.item[0].type, GPE_IT_ONE);
	assert_int_equal(w_out.data.item[0].dst_port, 0x41424344);
	assert_int_equal(w_out.data.item[0].len, GPE_FRAG_MAX);
	assert_int_equal(w_out.data.item[0].frag_len, 0);
	assert_int_equal(w_out.data.item[0].lamport, 77);
	w_put(w.p + ITEM + 36, 4, 0);
	assert_int_equal(w_decode(&w), BAD(MALFORMED));
}

/* A message of one fragment; its vector has entries for @mask. */
static void ext_fill(struct w_pkt *w, u8 level, u64 mask)
{
	struct gpe_vec vec = { .mask = mask };
	struct gpe_msg msg;
	u32 n, i;

	for (i = 0; i < sizeof(vec.seq); i++)
		vec.seq[i] = i + 1;
	msg_fill(&msg, GPE_IT_DATA);
	msg.level = level;
	msg.n_frags = 1;
	msg.len = 10;
	msg.lamport = GPE_EPOCH_TOP - 1;
	msg.after = 0x99;
	msg.vec = mask ? &vec : NULL;
	w_open(w, GPE_PK_DATA, 0);
	n = gpe_wire_body(w->p + BODY, 3, 1, 0, 0, false, false, 1);
	n += gpe_wire_item(w->p + BODY + n, &msg, 0);
	w_close(w, n, 10);
}

static void gpe_wire_item__vector_round_trip(void **state)
{
	const struct gpe_item *it = &w_out.data.item[0];
	static const u64 masks[] = { 0, 1, 0x8000000000000005ULL, ~1ULL };
	struct w_pkt w;
	u32 i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		ext_fill(&w, GPE_CAUSAL, masks[i]);
		assert_int_equal(w_decode(&w), 0);
		assert_int_equal(it->level, GPE_CAUSAL);
		assert_true(it->lamport == GPE_EPOCH_TOP - 1);
		assert_int_equal(it->rec, 0x99);
		assert_true(it->vec_mask == masks[i]);
		for (k = 0; k < 6U * hweight64(masks[i]); k++)
			assert_int_equal(it->vec[k], (u8)(k + 1));
	}
}

static void gpe_wire_decode__extension_ranges(void **state)
{
	/* After the head of 36: lamport 8, record 8, mask 8, 2 times 6. */
	static const struct w_case cases[] = {
		{ ITEM + 1, 1, GPE_FIFO, 0 },	/* those carry no vector */
		{ ITEM + 1, 1, GPE_NONE, 0 },
		{ ITEM + 1, 1, GPE_SAFE, 1 },
		{ ITEM + 2, 2, 0, 0 },
		{ ITEM + 2, 2, 8, 0 },
		{ ITEM + 2, 2, 16, 0 },
		{ ITEM + 2, 2, 24, 0 },
		{ ITEM + 2, 2, 30, 0 },
		{ ITEM + 2, 2, 37, 0 },
		{ ITEM + 2, 2, 0xffff, 0 },
		{ ITEM + 36, 8, GPE_EPOCH_TOP, 0 },
		{ ITEM + 44, 8, 0, 1 },
		{ ITEM + 44, 8, U64_MAX, 1 },
		{ ITEM + 52, 8, 0, 0 },
		{ ITEM + 52, 8, 1, 0 },
		{ ITEM + 52, 8, 7, 0 },
		{ ITEM + 52, 8, U64_MAX, 0 },
		{ ITEM + 60, 6, 0, 0 },
		{ ITEM + 66, 6, 0, 0 },
		{ ITEM + 66, 6, 1, 1 },
	};
	struct w_pkt w;

	(void)state;
	ext_fill(&w, GPE_CAUSAL, 5);
	w_cases(&w, cases, ARRAY_SIZE(cases));
}

static void gpe_wire_decode__data_ranges(void **state)
{
	static const struct w_case cases[] = {
		{ BODY, 8, 0, 0 },		/* region */
		{ BODY, 8, 1, 1 },
		{ BODY, 8, U64_MAX, 1 },
		{ BODY + 8, 8, 0, 0 },		/* base */
		{ BODY + 8, 8, 1, 0 },		/* its first fragment at 0 */
		{ BODY + 8, 8, 2, 1 },
		{ BODY + 8, 8, U64_MAX - 2 * GPE_WINDOW_RX, 1 },
		{ BODY + 8, 8, U64_MAX - 2 * GPE_WINDOW_RX + 1, 0 },
		{ BODY + 16, 8, U64_MAX, 1 },	/* stable */
		{ BODY + 24, 1, 63, 1 },	/* origin */
		{ BODY + 24, 1, 64, 0 },
		{ BODY + 25, 1, 0, 1 },		/* flags */
		{ BODY + 25, 1, 4, 0 },
		{ BODY + 25, 1, 255, 0 },
		{ BODY + 26, 1, 0, 0 },		/* items */
		{ BODY + 26, 1, 2, 0 },
		{ BODY + 26, 1, 4, 0 },
		{ BODY + 26, 1, GPE_ITEMS_MAX + 1, 0 },
		{ BODY + 26, 1, 255, 0 },
		{ BODY + 27, 1, 1, 0 },
		{ BODY + 31, 1, 1, 0 },
	};
	struct w_pkt w;

	(void)state;
	data_fill(&w);
	w_cases(&w, cases, ARRAY_SIZE(cases));
}

static void gpe_wire_decode__item_ranges(void **state)
{
	static const struct w_case cases[] = {
		{ ITEM, 1, 0, 0 },		/* type */
		{ ITEM, 1, GPE_IT_ONE, 0 },	/* without destination */
		{ ITEM, 1, GPE_IT_N, 0 },
		{ ITEM, 1, 255, 0 },
		{ ITEM + 1, 1, 0x80 | GPE_NONE, 1 },	/* level */
		{ ITEM + 1, 1, 0x80 | GPE_SAFE, 1 },
		{ ITEM + 1, 1, 0x80 | (GPE_SAFE + 1), 0 },
		{ ITEM + 1, 1, 255, 0 },
		{ ITEM + 1, 1, GPE_TOTAL, 0 },	/* not of several */
		{ ITEM + 2, 2, 8, 0 },		/* extension of a later one */
		{ ITEM + 2, 2, 0xffff, 0 },
		{ ITEM + 4, 4, 0, 0 },		/* message length */
		{ ITEM + 4, 4, 4000, 0 },
		{ ITEM + 4, 4, 4001, 1 },
		{ ITEM + 4, 4, 6000, 1 },
		{ ITEM + 4, 4, 6001, 0 },
		{ ITEM + 4, 4, GPE_MSG_MAX + 1, 0 },
		{ ITEM + 4, 4, U32_MAX, 0 },
		{ ITEM + 8, 8, 0, 0 },		/* gid */
		{ ITEM + 8, 8, U64_MAX, 1 },
		{ ITEM + 16, 8, 0, 0 },		/* view */
		{ ITEM + 16, 8, U64_MAX, 1 },
		{ ITEM + 24, 8, 0, 1 },
		{ ITEM + 24, 8, U64_MAX, 1 },
		{ ITEM + 32, 4, 0, 0 },		/* port */
		{ ITEM + 32, 4, U32_MAX, 1 },
		{ ITEM + 36, 2, 0, 0 },		/* index: extension missing */
		{ ITEM + 36, 2, 2, 0 },		/* the last one is shorter */
		{ ITEM + 36, 2, 3, 0 },
		{ ITEM + 36, 2, 0xffff, 0 },
		{ ITEM + 38, 2, 0, 0 },		/* fragments */
		{ ITEM + 38, 2, 1, 0 },
		{ ITEM + 38, 2, 2, 0 },
		{ ITEM + 38, 2, 4, 0 },
		{ ITEM + 40, 4, 0, 0 },		/* fragment length */
		{ ITEM + 40, 4, GPE_FRAG_MIN - 1, 0 },
		{ ITEM + 40, 4, GPE_FRAG_MAX + 1, 0 },
		{ ITEM + 40, 4, U32_MAX, 0 },
	};
	struct w_pkt w;

	(void)state;
	data_fill(&w);
	w_cases(&w, cases, ARRAY_SIZE(cases));
}

static void one_item(struct w_pkt *w, u32 n_frags, u32 frag_len, u32 total,
		     u32 idx, u32 payload)
{
	struct gpe_msg msg;
	u32 n;

	msg_fill(&msg, GPE_IT_DATA);
	msg.n_frags = n_frags;
	msg.frag_len = frag_len;
	msg.len = total;
	w_open(w, GPE_PK_DATA, 0);
	n = gpe_wire_body(w->p + BODY, 1, 5000, 0, 0, false, false, 1);
	n += gpe_wire_item(w->p + BODY + n, &msg, idx);
	w_close(w, n, payload);
}

static void gpe_wire_decode__fragments(void **state)
{
	static const struct {
		u32 n, frag, total, idx, payload;
		bool ok;
	} c[] = {
		{ 1, 0, 0, 0, 0, true },
		{ 1, 0, 1, 0, 1, true },
		{ 1, 0, 1, 0, 0, false },
		{ 1, 0, 1, 0, 2, false },
		{ 1, 0, GPE_FRAG_MAX, 0, GPE_FRAG_MAX, true },
		{ 1, 0, GPE_FRAG_MAX + 1, 0, GPE_FRAG_MAX + 1, false },
		{ 2, 1024, 1025, 0, 1024, true },
		{ 2, 1024, 1025, 1, 1, true },
		{ 2, 1024, 1024, 1, 0, false },
		{ 2, 624, 1025, 0, 624, true },
		{ 2, 623, 1025, 0, 623, false },
		{ 1024, 1024, GPE_MSG_MAX, 1023, 1024, true },
		{ 1025, 1024, GPE_MSG_MAX + 1, 1024, 1, false },
		{ 2, GPE_FRAG_MAX, GPE_FRAG_MAX + 1, 1, 1, true },
		{ 65535, 1024, 0, 0, 1024, false },
	};
	struct w_pkt w;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(c); i++) {
		one_item(&w, c[i].n, c[i].frag, c[i].total, c[i].idx,
			 c[i].payload);
		if (!w_decode(&w) != c[i].ok)
			fail_msg("case %u", i);
	}
}

static void gpe_wire_decode__control_items(void **state)
{
	static const struct {
		u8 type, len;
		bool ok;
	} c[] = {
		{ GPE_IT_ORDER, 0, false },  { GPE_IT_ORDER, 2, false },
		{ GPE_IT_ORDER, 3, true },   { GPE_IT_ORDER, 4, false },
		{ GPE_IT_ORDER, 192, true }, { GPE_IT_ORDER, 193, false },
		{ GPE_IT_ORDER, 195, false }, { GPE_IT_MARK, 7, false },
		{ GPE_IT_MARK, 8, true },    { GPE_IT_MARK, 9, false },
		{ GPE_IT_OPEN, 15, false },  { GPE_IT_OPEN, 16, true },
		{ GPE_IT_OPEN, 17, false },  { GPE_IT_REPLY, 11, false },
		{ GPE_IT_REPLY, 12, true },  { GPE_IT_REPLY, 13, false },
	};
	struct w_pkt w;
	u32 i, n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(c); i++) {
		w_open(&w, GPE_PK_DATA, 0);
		n = gpe_wire_body(w.p + BODY, 1, 1, 0, 0, false, false, 1);
		w.p[ITEM] = c[i].type;
		w.p[ITEM + 2] = c[i].len;
		w_close(&w, n + 4 + c[i].len, 0);
		if (!w_decode(&w) != c[i].ok)
			fail_msg("type %u len %u", c[i].type, c[i].len);
		w.p[ITEM + 1] = 1;
		assert_int_not_equal(w_decode(&w), 0);
	}
}

static void gpe_wire_range__ack_round_trip(void **state)
{
	enum gpe_pkt_type type;
	struct w_pkt w;

	(void)state;
	for (type = GPE_PK_ACK; type <= GPE_PK_STATUS; type++) {
		ack_fill(&w, type);
		assert_int_equal(w_decode(&w), 0);
		assert_int_equal(w_out.type, type);
		assert_int_equal(w_out.ack.region, 7);
		assert_int_equal(w_out.ack.cum, 40);
		assert_int_equal(w_out.ack.stable, 30);
		assert_true(w_out.ack.dir);
		assert_int_equal(w_out.ack.n, 2);
		assert_int_equal(w_out.ack.nack[0].from, 41);
		assert_int_equal(w_out.ack.nack[0].to, 41);
		assert_int_equal(w_out.ack.nack[1].from, 45);
		assert_int_equal(w_out.ack.nack[1].to, 60);
	}
}

static void gpe_wire_decode__ack_ranges(void **state)
{
	static const struct w_case cases[] = {
		{ BODY, 8, 0, 0 },		/* region */
		{ BODY, 8, U64_MAX, 1 },
		{ BODY + 8, 8, 29, 0 },		/* cum below stable */
		{ BODY + 8, 8, 30, 1 },
		{ BODY + 8, 8, U64_MAX, 1 },
		{ BODY + 16, 8, 41, 0 },	/* stable */
		{ BODY + 24, 1, 1, 0 },		/* ranges */
		{ BODY + 24, 1, 3, 0 },
		{ BODY + 24, 1, GPE_NACKS_MAX + 1, 0 },
		{ BODY + 24, 1, 255, 0 },
		{ BODY + 25, 1, 0, 1 },		/* flags */
		{ BODY + 25, 1, 2, 0 },
		{ BODY + 26, 1, 1, 0 },
		{ BODY + 31, 1, 1, 0 },
		{ ITEM, 8, 0, 0 },		/* from */
		{ ITEM, 8, 42, 0 },
		{ ITEM, 8, 1, 1 },
		{ ITEM + 8, 8, 40, 0 },		/* to */
		{ ITEM + 8, 8, U64_MAX, 1 },
		{ ITEM + 16, 8, 61, 0 },
	};
	struct w_pkt w;

	(void)state;
	ack_fill(&w, GPE_PK_ACK);
	w_cases(&w, cases, ARRAY_SIZE(cases));
	ack_fill(&w, GPE_PK_STATUS);
	w_cases(&w, cases, ARRAY_SIZE(cases));
}

static void gpe_wire_decode__most_ranges(void **state)
{
	struct w_pkt w;
	u32 i, n;

	(void)state;
	w_open(&w, GPE_PK_ACK, 0);
	n = gpe_wire_body(w.p + BODY, 7, 0, 0, GPE_NACKS_MAX, false, false, 0);
	for (i = 0; i < GPE_NACKS_MAX; i++)
		n += gpe_wire_range(w.p + BODY + n, i + 1, i + 1);
	w_close(&w, n, 0);
	assert_int_equal(w_decode(&w), 0);
	assert_int_equal(w_out.ack.nack[GPE_NACKS_MAX - 1].to, GPE_NACKS_MAX);
}

static void gpe_wire_body__repair_round_trip(void **state)
{
	struct w_pkt w;

	(void)state;
	repair_fill(&w);
	assert_int_equal(w_decode(&w), 0);
	assert_int_equal(w_out.repair.region, 7);
	assert_int_equal(w_out.repair.from, 4);
	assert_int_equal(w_out.repair.to, 9);
	assert_int_equal(w_out.repair.origin, 2);
	assert_false(w_out.repair.dir);
}

static void gpe_wire_decode__repair_ranges(void **state)
{
	static const struct w_case cases[] = {
		{ BODY, 8, 0, 0 },
		{ BODY, 8, U64_MAX, 1 },
		{ BODY + 8, 8, 0, 0 },
		{ BODY + 8, 8, 9, 1 },
		{ BODY + 8, 8, 10, 0 },
		{ BODY + 16, 8, 3, 0 },
		{ BODY + 16, 8, U64_MAX, 1 },
		{ BODY + 24, 1, 63, 1 },
		{ BODY + 24, 1, 64, 0 },
		{ BODY + 25, 1, 1, 1 },
		{ BODY + 25, 1, 2, 0 },
		{ BODY + 26, 1, 1, 0 },
		{ BODY + 31, 1, 1, 0 },
	};
	struct w_pkt w;

	(void)state;
	repair_fill(&w);
	w_cases(&w, cases, ARRAY_SIZE(cases));
}

static void gpe_wire_decode__truncated(void **state)
{
	struct w_pkt w;

	(void)state;
	data_fill(&w);
	w_truncate(&w);
	ack_fill(&w, GPE_PK_ACK);
	w_truncate(&w);
	ack_fill(&w, GPE_PK_STATUS);
	w_truncate(&w);
	repair_fill(&w);
	w_truncate(&w);
}

static void gpe_wire_decode__payload_to_control(void **state)
{
	struct w_pkt w;

	(void)state;
	ack_fill(&w, GPE_PK_ACK);
	w.len++;
	assert_int_equal(w_decode(&w), BAD(MALFORMED));
	repair_fill(&w);
	w.len += 1000;
	assert_int_equal(w_decode(&w), BAD(MALFORMED));
}

static void gpe_wire_decode__random_bytes(void **state)
{
	struct w_pkt w;
	u32 i, k;

	(void)state;
	for (i = 0; i < 100000; i++) {
		u32 len = w_random(200);

		memset(&w, 0, sizeof(w));
		w_open(&w, 1 + w_random(GPE_PK_N), 0);
		for (k = i & 1 ? 0 : GPE_WIRE_HDR; k < len; k++)
			w.p[k] = w_random(256);
		if (!(i & 1))
			gpe_wire_close(w.p, w_random(8) ? len : w_random(250));
		w_decode_at(w.p, len, len + w_random(3) * 100, 0);
	}
	data_fill(&w);
	w_fuzz(&w, 50000);
	ack_fill(&w, GPE_PK_ACK);
	w_fuzz(&w, 25000);
	repair_fill(&w);
	w_fuzz(&w, 25000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_wire_open__head),
		cmocka_unit_test(gpe_wire_range__ack_round_trip),
		cmocka_unit_test(gpe_wire_body__repair_round_trip),
		cmocka_unit_test(gpe_wire_item__message_round_trip),
		cmocka_unit_test(gpe_wire_item__to_one_round_trip),
		cmocka_unit_test(gpe_wire_item__vector_round_trip),
		cmocka_unit_test(gpe_wire_decode__extension_ranges),
		cmocka_unit_test(gpe_wire_decode__head_ranges),
		cmocka_unit_test(gpe_wire_decode__header_of_the_largest_size),
		cmocka_unit_test(gpe_wire_decode__data_ranges),
		cmocka_unit_test(gpe_wire_decode__item_ranges),
		cmocka_unit_test(gpe_wire_decode__fragments),
		cmocka_unit_test(gpe_wire_decode__control_items),
		cmocka_unit_test(gpe_wire_decode__ack_ranges),
		cmocka_unit_test(gpe_wire_decode__most_ranges),
		cmocka_unit_test(gpe_wire_decode__repair_ranges),
		cmocka_unit_test(gpe_wire_decode__truncated),
		cmocka_unit_test(gpe_wire_decode__payload_to_control),
		cmocka_unit_test(gpe_wire_decode__random_bytes),
	};

	return cmocka_run_group_tests(tests, w_setup, w_teardown);
}
