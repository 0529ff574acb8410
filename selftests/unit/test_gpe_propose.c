// SPDX-License-Identifier: GPL-2.0
/* What a leader proposes: ranks, and the cut that survivors agree on. */
#include "unit_net.h"

static struct u_sock *s[U_NODES];

static struct u_net *members(u32 n)
{
	struct u_net *net = u_cluster(n);
	u32 i;

	for (i = 0; i < n; i++)
		s[i] = u_join(net, i, "g");
	for (i = 0; i < n; i++)
		u_wait(net, u_members(s[i]) == n, 2000);
	u_run(net, 500 * U_MS);
	return net;
}

/* Data of node (arg >> 8) comes to node (arg & 0xff) only. */
static void to_one(struct u_net *net, u32 from, u32 to,
		   const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	if (from == net->filter_arg >> 8 && to != (net->filter_arg & 0xff) &&
	    buf->data[3] == GPE_PK_DATA)
		fate->copies = 0;
}

/* Sent by one that dies, held by one that stays: at all, or at none. */
static void gpe_cut_make__what_one_survivor_holds_counts(void **state)
{
	u32 from, holder, i, n;

	(void)state;
	for (from = 0; from < 4; from++) {
		for (holder = 0; holder < 4; holder++) {
			struct u_net *net = members(4);

			if (holder == from) {
				u_free(net);
				continue;
			}
			net->filter = to_one;
			net->filter_arg = from << 8 | holder;
			for (n = 0; n < 20; n++)
				u_push(net, s[from], GPE_FIFO, 2500, n + 1);
			u_run(net, 3 * U_MS);
			net->filter = NULL;
			u_kill(net, from);
			u_wait(net, u_one_view(net, 15 & ~(1 << from)), 3000);
			for (i = 0; i < 4; i++)
				if (i != from)
					u_wait(net, u_members(s[i]) == 3,
					       1000);
			for (i = 0; i < 4; i++)
				if (i != from)
					assert_int_equal(u_msgs(s[i]), 20);
			u_check(net);
			u_free(net);
		}
	}
}

/* An incomplete message at the cut is void, and what follows it too. */
static void gpe_cut_make__incomplete_is_void(void **state)
{
	struct u_net *net = members(3);
	u32 i;

	(void)state;
	u_push(net, s[0], GPE_FIFO, 10, 1);
	u_run(net, 50 * U_MS);
	u_send(net, s[0], GPE_FIFO, GPE_MSG_MAX, 2);
	u_run(net, U_MS / 2);
	u_kill(net, 0);
	u_wait(net, u_one_view(net, 6), 3000);
	for (i = 1; i < 3; i++) {
		u_wait(net, u_members(s[i]) == 2, 1000);
		assert_int_equal(u_msgs(s[i]), 1);
	}
	u_check(net);
	u_free(net);
}

static void gpe_seat_old__order_survives_newcomers_come_last(void **state)
{
	struct u_net *net = u_new(5);
	u32 order[] = { 3, 1, 4, 0, 2 }, i, k;

	(void)state;
	for (i = 0; i < 5; i++)
		net->node[i].cfg.expected_votes = 3;
	for (i = 0; i < 3; i++)
		u_start(net, order[i]);
	u_wait(net, u_one_view(net, 26), 5000);
	/* A formation ranks by id. */
	assert_int_equal(net->node[1].engine->ep.seat[0].id, 2);
	assert_int_equal(net->node[1].engine->ep.seat[1].id, 4);
	assert_int_equal(net->node[1].engine->ep.seat[2].id, 5);
	u_start(net, 0);
	u_wait(net, u_one_view(net, 27), 5000);
	assert_int_equal(net->node[1].engine->ep.seat[3].id, 1);
	u_kill(net, 1);
	u_wait(net, u_one_view(net, 25), 5000);
	u_start(net, 2);
	u_wait(net, u_one_view(net, 29), 5000);
	for (i = 0; i < 5; i++) {
		static const u32 ids[] = { 4, 5, 1, 3 };

		for (k = 0; k < 4 && i != 1; k++)
			assert_int_equal(net->node[i].engine->ep.seat[k].id,
					 ids[k]);
	}
	u_free(net);
}

static void gpe_seat_newcomers__restart_is_another_node(void **state)
{
	struct u_net *net = members(3);
	u64 inc = net->node[1].inc;

	(void)state;
	u_kill(net, 1);
	u_start(net, 1);
	u_wait(net, u_one_view(net, 7), 5000);
	assert_true(net->node[1].inc != inc);
	assert_int_equal(net->node[0].engine->ep.seat[2].id, 2);
	u_free(net);
}

/* ---- a little of everything, at a time drawn by a number ---- */

static void storm(struct u_net *net, u32 from, u32 to,
		  const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)from;
	(void)to;
	(void)buf;
	fate->copies = u_random(net, 100) < 8 ? 0 : 1 + !u_random(net, 30);
	fate->delay_ns = u_random(net, 2000000);
}

static void epoch_ends_amid(u64 seed)
{
	struct u_net *net = members(4);
	u32 dead = seed % 4, i, k;
	u64 tag = 0;

	net->rng = seed * 7919 + 1;
	net->filter = storm;
	for (k = 0; k < 40; k++) {
		for (i = 0; i < 4; i++) {
			if (!net->node[i].engine || !s[i]->bound)
				continue;
			u_send(net, s[i], u_random(net, 2) ? GPE_TOTAL :
							     GPE_FIFO,
			       8 + u_random(net, 4000), ++tag);
			if (u_random(net, 25) == 0) {
				u_leave(net, s[i]);
				s[i] = u_join(net, i, "g");
			}
		}
		if (k == 20 + seed % 7)
			u_kill(net, dead);
		u_run(net, u_random(net, 1500000));
	}
	u_wait(net, u_one_view(net, 15 & ~(1 << dead)), 10000);
	net->filter = NULL;
	for (i = 0; i < 4; i++)
		if (i != dead)
			u_wait(net, u_members(s[i]) == 3, 5000);
	for (i = 0; i < 4; i++)
		if (i != dead)
			u_push(net, s[i], GPE_TOTAL, 8, 100000 + i);
	for (i = 0; i < 4; i++)
		for (k = 0; k < 4; k++)
			if (i != dead && k != dead)
				u_wait(net, u_got(s[i], 100000 + k), 3000);
	u_check(net);
	u_free(net);
}

static void gpe_cut_make__joins_leaves_and_a_death_under_loss(void **state)
{
	u64 seed;

	(void)state;
	for (seed = 1; seed <= 60; seed++)
		epoch_ends_amid(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_seat_old__order_survives_newcomers_come_last),
		cmocka_unit_test(gpe_seat_newcomers__restart_is_another_node),
		cmocka_unit_test(gpe_cut_make__what_one_survivor_holds_counts),
		cmocka_unit_test(gpe_cut_make__incomplete_is_void),
		cmocka_unit_test(
			gpe_cut_make__joins_leaves_and_a_death_under_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
