// SPDX-License-Identifier: GPL-2.0
/* The messages of one stream: found, missing, let go of; against a model. */
#include "unit_wire.h"
#include "gpe_stream.h"

static struct gpe_stream stream;
static struct gpe_region rgn = { .mask = 3, .n = 1 };

static int setup(void **state)
{
	u32 i;

	if (w_setup(state))
		return 1;
	for (i = 0; i < 250; i++)
		gpe_pool_add(w_node, gpe_alloc(GPE_CELL_SIZE));
	return 0;
}

static void begin(void)
{
	memset(&stream, 0, sizeof(stream));
	stream.next = 1;
	stream.cut = U64_MAX;
	rgn.stream = &stream;
}

static struct gpe_msg *add(u64 first, u32 n_frags, u64 have)
{
	struct gpe_msg *msg = gpe_msg_new(w_node, GPE_IT_DATA);
	u32 i;

	assert_non_null(msg);
	msg->first_seq = first;
	msg->n_frags = n_frags;
	msg->len = n_frags > 1 ? n_frags * 1024 : 0;
	msg->frag_len = 1024;
	msg->got = hweight64(have);
	if (n_frags > 1) {
		msg->blk = gpe_cell_get(w_node);
		for (i = 0; i < n_frags; i++) {
			if (!(have >> i & 1))
				continue;
			msg->blk->have |= BIT(i);
			msg->blk->frag[i].buf = gpe_shim_buf_new(1);
		}
	}
	gpe_msg_insert(&stream, msg);
	return msg;
}

static void end(void)
{
	struct gpe_msg *msg;

	while ((msg = gpe_msg_first(&stream)))
		gpe_msg_unlink(w_node, &stream, msg);
	assert_int_equal(gpe_shim_bufs, 0);
}

static void gpe_msg_at__between_and_beyond(void **state)
{
	struct gpe_msg *a, *b;

	(void)state;
	begin();
	assert_null(gpe_msg_at(&stream, 1));
	assert_null(gpe_msg_first(&stream));
	b = add(10, 3, 7);
	a = add(4, 1, 1);
	assert_null(gpe_msg_at(&stream, 3));
	assert_ptr_equal(gpe_msg_at(&stream, 4), a);
	assert_null(gpe_msg_at(&stream, 5));
	assert_null(gpe_msg_at(&stream, 9));
	assert_ptr_equal(gpe_msg_at(&stream, 10), b);
	assert_ptr_equal(gpe_msg_at(&stream, 12), b);
	assert_null(gpe_msg_at(&stream, 13));
	assert_null(gpe_msg_floor(&stream, 3));
	assert_ptr_equal(gpe_msg_floor(&stream, 9), a);
	assert_ptr_equal(gpe_msg_floor(&stream, 99), b);
	assert_ptr_equal(gpe_msg_first(&stream), a);
	assert_ptr_equal(gpe_msg_next(a), b);
	assert_null(gpe_msg_next(b));
	end();
}

static void gpe_missing__ranges(void **state)
{
	struct gpe_range r[8];

	(void)state;
	begin();
	stream.cum = 2;
	add(5, 4, 0x5);		/* 5 and 7 are here, 6 and 8 are not */
	add(12, 1, 1);
	assert_int_equal(gpe_missing(&stream, (&stream)->cum + 1, 2, r, 8), 0);
	assert_int_equal(gpe_missing(&stream, (&stream)->cum + 1, 14, r, 8), 4);
	assert_true(r[0].from == 3 && r[0].to == 4);
	assert_true(r[1].from == 6 && r[1].to == 6);
	assert_true(r[2].from == 8 && r[2].to == 11);
	assert_true(r[3].from == 13 && r[3].to == 14);
	assert_int_equal(gpe_missing(&stream, (&stream)->cum + 1, 14, r, 2), 2);
	assert_int_equal(gpe_missing(&stream, (&stream)->cum + 1, 3, r, 8), 1);
	assert_true(r[0].from == 3 && r[0].to == 3);
	end();
}

/* Random streams: the ranges are exactly what a plain table lacks. */
static void gpe_missing__against_a_table(void **state)
{
	u32 round;

	(void)state;
	for (round = 0; round < 2000; round++) {
		struct gpe_range r[64];
		bool here[80] = { false };
		u64 seq = 1, to;
		u32 n, i;

		begin();
		while (seq < 60) {
			u32 frags = w_random(3) ? 1 : 2 + w_random(8);
			u64 have = 1;

			if (w_random(3)) {
				have = frags > 1 ? w_random(1 << frags) : 1;
				if (have) {
					add(seq, frags, have);
					for (i = 0; i < frags; i++)
						here[seq + i] = have >> i & 1;
				}
			}
			seq += frags;
		}
		while (here[stream.cum + 1])
			stream.cum++;
		to = stream.cum + w_random(15);
		n = gpe_missing(&stream, (&stream)->cum + 1, to, r, 64);
		for (i = 0; i < n; i++) {
			assert_true(r[i].from <= r[i].to);
			assert_true(!i || r[i].from > r[i - 1].to + 1);
			for (seq = r[i].from; seq <= r[i].to; seq++) {
				assert_false(here[seq]);
				here[seq] = true;
			}
		}
		for (seq = stream.cum + 1; seq <= to; seq++)
			assert_true(here[seq]);
		end();
	}
}

static void gpe_trim__stable_and_dispatched(void **state)
{
	struct gpe_msg *a, *b, *c;
	u64 mask = rgn.mask;

	(void)state;
	begin();
	/* A stream of another node: the own one is slot 0 of two. */
	w_node->ep.self = 1;
	a = add(1, 2, 3);
	b = add(3, 1, 1);
	c = add(4, 1, 1);
	stream.stable = 1;
	a->dispatched = true;
	gpe_trim(w_node, &rgn, &stream);
	assert_ptr_equal(gpe_msg_first(&stream), a);
	stream.stable = 4;
	c->dispatched = true;
	gpe_trim(w_node, &rgn, &stream);
	assert_ptr_equal(gpe_msg_first(&stream), b);
	b->dispatched = true;
	gpe_trim(w_node, &rgn, &stream);
	assert_null(gpe_msg_first(&stream));
	w_node->ep.self = 0;
	rgn.mask = mask;
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_msg_at__between_and_beyond),
		cmocka_unit_test(gpe_missing__ranges),
		cmocka_unit_test(gpe_missing__against_a_table),
		cmocka_unit_test(gpe_trim__stable_and_dispatched),
	};

	return cmocka_run_group_tests(tests, setup, w_teardown);
}
