// SPDX-License-Identifier: GPL-2.0
/* What waits for what, in a stage that is open and in one that is forced. */
#include "unit_net.h"

static struct u_sock *s[6];

static struct u_net *members(u32 n)
{
	struct u_net *net = u_cluster(n);
	u32 i;

	for (i = 0; i < n; i++)
		s[i] = u_join(net, i, "g");
	for (i = 0; i < n; i++)
		u_wait(net, u_members(s[i]) == n, 2000);
	u_run(net, 50 * U_MS);
	return net;
}

/* Streams of @lost_from do not come to the nodes in @lost_to. */
static u32 lost_from, lost_to;

static void lose(struct u_net *net, u32 from, u32 to,
		 const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)net;
	if (from == lost_from && (lost_to >> to & 1) &&
	    (buf->data[3] == GPE_PK_DATA || buf->data[3] == GPE_PK_STATUS))
		fate->copies = 0;
}

/* Node 3 acknowledges nothing. */
static void mute(struct u_net *net, u32 from, u32 to,
		 const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)net;
	(void)to;
	if (from == 3 && buf->data[3] == GPE_PK_ACK)
		fate->copies = 0;
}

static void loses(struct u_net *net, u32 from, u32 to)
{
	lost_from = from;
	lost_to = to;
	net->filter = lose;
}

static void gpe_take_early__none_waits_for_nothing(void **state)
{
	struct u_net *net = members(3);

	(void)state;
	loses(net, 1, 1 << 2);
	u_push(net, s[1], GPE_FIFO, 10, 1);
	u_run(net, U_MS / 4);
	net->filter = NULL;
	u_push(net, s[1], GPE_NONE, 10, 2);
	u_push(net, s[1], GPE_FIFO, 10, 3);
	u_wait(net, u_msgs(s[2]) == 3, 1000);
	assert_int_equal(u_msg(s[2], 0)->tag, 2);
	assert_int_equal(u_msg(s[2], 1)->tag, 1);
	assert_int_equal(u_msg(s[2], 2)->tag, 3);
	u_free(net);
}

/* A large one waits for all its parts, and then for nothing else. */
static void gpe_take_early__whole_messages_only(void **state)
{
	struct u_net *net = members(3);

	(void)state;
	loses(net, 1, 1 << 2);
	u_push(net, s[1], GPE_TOTAL, 10, 1);
	u_run(net, U_MS / 4);
	net->filter = NULL;
	u_push(net, s[1], GPE_NONE, 50000, 2);
	u_wait(net, u_msgs(s[2]) == 2, 1000);
	assert_int_equal(u_msg(s[2], 0)->len, 50000);
	assert_true(u_msg(s[2], 0)->hash == u_hash(2, 50000));
	u_free(net);
}

/* Only node 2 has it, before its turn, and its sender dies. */
static void gpe_single__is_in_the_cut_without_what_is_before(void **state)
{
	struct u_net *net = members(5);
	u32 i;

	(void)state;
	loses(net, 1, 0x1d);
	u_push(net, s[1], GPE_FIFO, 10, 1);
	u_run(net, U_MS / 4);
	loses(net, 1, 0x19);
	u_push(net, s[1], GPE_NONE, 20000, 2);
	u_wait(net, u_got(s[2], 2), 20);
	assert_false(u_got(s[2], 1));
	u_kill(net, 1);
	u_wait(net, u_one_view(net, 0x1d), 5000);
	for (i = 0; i < 5; i++)
		u_wait(net, i == 1 || u_members(s[i]) == 4, 2000);
	for (i = 0; i < 5; i++) {
		if (i == 1)
			continue;
		assert_true(u_got(s[i], 2));
		assert_false(u_got(s[i], 1));
	}
	u_check(net);
	u_free(net);
}

static void gpe_vec_met__effect_waits_for_its_cause(void **state)
{
	struct u_net *net = members(4);

	(void)state;
	loses(net, 1, 1 << 3);
	u_push(net, s[1], GPE_CAUSAL, 10, 1);
	u_wait(net, u_got(s[2], 1), 100);
	u_push(net, s[2], GPE_CAUSAL, 10, 2);
	u_push(net, s[2], GPE_FIFO, 10, 3);
	u_push(net, s[0], GPE_FIFO, 10, 4);
	u_wait(net, u_got(s[0], 3) && u_got(s[3], 4), 100);
	u_run(net, 50 * U_MS);
	/* Nor does what its sender sent after it pass. */
	assert_false(u_got(s[3], 2) || u_got(s[3], 3));
	net->filter = NULL;
	u_wait(net, u_msgs(s[3]) == 4, 1000);
	assert_int_equal(u_msg(s[3], 1)->tag, 1);
	assert_int_equal(u_msg(s[3], 2)->tag, 2);
	assert_true(u_msg(s[3], 1)->lamport < u_msg(s[3], 2)->lamport);
	u_check(net);
	u_free(net);
}

/* Total order that the sender of a causal message has seen comes first. */
static void gpe_recs_met__causal_waits_for_records(void **state)
{
	struct u_net *net = members(4);

	(void)state;
	loses(net, 0, 1 << 3);
	u_push(net, s[1], GPE_TOTAL, 10, 1);
	u_wait(net, u_got(s[2], 1), 100);
	u_push(net, s[2], GPE_CAUSAL, 10, 2);
	u_wait(net, u_got(s[1], 2), 100);
	u_run(net, 50 * U_MS);
	assert_false(u_got(s[3], 1) || u_got(s[3], 2));
	net->filter = NULL;
	u_wait(net, u_msgs(s[3]) == 2, 1000);
	assert_int_equal(u_msg(s[3], 0)->tag, 1);
	u_free(net);
}

/* Messages of other groups that the same record orders need only be here. */
static void gpe_waits_run__record_of_another_group(void **state)
{
	struct u_net *net = members(4);
	struct u_sock *h[4];
	u32 i;

	(void)state;
	for (i = 0; i < 4; i++)
		h[i] = u_join(net, i, "h");
	for (i = 0; i < 4; i++)
		u_wait(net, u_members(h[i]) == 4, 2000);
	u_run(net, 20 * U_MS);
	loses(net, 2, 1 << 3);
	u_push(net, s[1], GPE_TOTAL, 10, 1);
	u_push(net, h[2], GPE_TOTAL, 10, 7);
	u_wait(net, u_got(s[0], 1) && u_got(h[0], 7), 100);
	u_push(net, s[0], GPE_CAUSAL, 10, 2);
	u_run(net, 20 * U_MS);
	net->filter = NULL;
	u_wait(net, u_got(s[3], 2) && u_got(h[3], 7), 1000);
	assert_int_equal(u_msg(s[3], 0)->tag, 1);
	u_free(net);
}

static void gpe_safe_met__waits_until_all_have_it(void **state)
{
	struct u_net *net = members(4);
	u32 i;

	(void)state;
	net->filter = mute;
	u_push(net, s[1], GPE_SAFE, 10, 1);
	u_push(net, s[2], GPE_CAUSAL, 10, 2);
	u_run(net, 100 * U_MS);
	for (i = 0; i < 4; i++)
		assert_true(u_got(s[i], 2) && !u_got(s[i], 1));
	net->filter = NULL;
	for (i = 0; i < 4; i++)
		u_wait(net, u_got(s[i], 1), 1000);
	u_check(net);
	u_free(net);
}

/* All have the safe message, but not the total one that is ordered first. */
static void gpe_hold__predecessors_are_stable_too(void **state)
{
	struct u_net *net = members(4);
	u32 i;

	(void)state;
	loses(net, 1, 1 << 3);
	u_push(net, s[1], GPE_TOTAL, 10, 1);
	u_wait(net, u_got(s[2], 1), 100);
	u_push(net, s[2], GPE_SAFE, 10, 2);
	u_run(net, 100 * U_MS);
	for (i = 0; i < 4; i++)
		assert_false(u_got(s[i], 2));
	net->filter = NULL;
	for (i = 0; i < 4; i++) {
		u_wait(net, u_got(s[i], 2), 1000);
		assert_int_equal(u_msg(s[i], 0)->tag, 1);
	}
	u_check(net);
	u_free(net);
}

static void gpe_safe_met__a_cut_makes_stable(void **state)
{
	struct u_net *net = members(4);
	u32 i;

	(void)state;
	net->filter = mute;
	u_push(net, s[1], GPE_SAFE, 10, 1);
	u_run(net, 20 * U_MS);
	assert_false(u_got(s[0], 1));
	u_kill(net, 3);
	u_wait(net, u_one_view(net, 7), 5000);
	for (i = 0; i < 3; i++) {
		u_wait(net, u_members(s[i]) == 3, 2000);
		assert_true(u_got(s[i], 1));
	}
	u_check(net);
	u_free(net);
}

/* A node that comes to a group must have its view open first. */
static void gpe_stage_open__all_say_so(void **state)
{
	struct u_net *net = u_cluster(3);
	u32 i, k;

	(void)state;
	for (k = 0; k < 3; k++) {
		s[k] = u_join(net, k, "g");
		for (i = 0; i <= k; i++)
			u_wait(net, u_members(s[i]) == k + 1, 2000);
		u_push(net, s[k], GPE_SAFE, 10, 1 + k);
		for (i = 0; i <= k; i++)
			u_wait(net, u_got(s[i], 1 + k), 1000);
	}
	u_check(net);
	u_free(net);
}

/*
 * The cause is lost with the two nodes that had it; nobody who is left may
 * have delivered its effects, and nobody does.
 */
static void lost_cause(u8 cause, u8 effect)
{
	struct u_net *net = members(5);
	u32 i;

	loses(net, 1, 0x19);
	u_push(net, s[1], cause, 10, 1);
	u_wait(net, u_got(s[2], 1), 100);
	/* A causal one may be sent on at once, a total one has its record. */
	u_push(net, s[2], effect, 10, 2);
	u_push(net, s[2], GPE_FIFO, 10, 3);
	u_push(net, s[2], GPE_NONE, 10, 4);
	u_push(net, s[3], GPE_TOTAL, 10, 5);
	u_run(net, 10 * U_MS);
	u_kill(net, 1);
	u_kill(net, 2);
	u_wait(net, u_one_view(net, 0x19), 5000);
	for (i = 0; i < 5; i++) {
		if (i == 1 || i == 2)
			continue;
		u_wait(net, u_members(s[i]) == 3, 2000);
		u_wait(net, u_got(s[i], 5), 100);
		assert_false(u_got(s[i], 1) || u_got(s[i], 2) ||
			     u_got(s[i], 3));
		assert_true(u_got(s[i], 4));
		assert_true(u_count(net, i, GPE_CNT_MSG_VOID) >= 2);
	}
	u_push(net, s[0], GPE_SAFE, 10, 6);
	u_wait(net, u_got(s[3], 6) && u_got(s[4], 6), 1000);
	u_check(net);
	u_free(net);
}

static void gpe_force_one__effects_of_what_is_lost(void **state)
{
	(void)state;
	lost_cause(GPE_CAUSAL, GPE_CAUSAL);
	lost_cause(GPE_CAUSAL, GPE_TOTAL);
	lost_cause(GPE_CAUSAL, GPE_SAFE);
}

/* A vector that fills the first datagram leaves room for less payload. */
static void gpe_submit__vector_and_large_message(void **state)
{
	struct u_net *net = members(6);
	u32 i, k;

	(void)state;
	for (k = 1; k < 4; k++) {
		for (i = 0; i < 6; i++)
			u_push(net, s[i], GPE_CAUSAL, 10, 100 * k + i);
		for (i = 0; i < 6; i++)
			u_wait(net, u_msgs(s[i]) == 7 * k - 1, 1000);
		u_push(net, s[k], GPE_CAUSAL, 100000, 100 * k + 50);
		for (i = 0; i < 6; i++)
			u_wait(net, u_msgs(s[i]) == 7 * k, 1000);
		assert_true(u_msg(s[0], 7 * k - 1)->hash ==
			    u_hash(100 * k + 50, 100000));
	}
	u_check(net);
	u_free(net);
}

static void gpe_props_level__default_of_the_group(void **state)
{
	static const struct {
		struct gpe_props props;
		u8 level;
	} c[] = {
		{ { 0, 0, 0 }, GPE_TOTAL },
		{ { GPE_SAFE, 0, 0 }, GPE_SAFE },
		{ { 0, 1 << GPE_NONE, 0 }, GPE_NONE },
		{ { GPE_CAUSAL, 1 << GPE_CAUSAL | 1 << GPE_NONE, 0 },
		  GPE_CAUSAL },
	};
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(c); i++) {
		struct u_net *net = u_cluster(2);

		assert_int_equal(u_try_join(net, 0, "g", &c[i].props, 0,
					    &s[0]), 0);
		u_wait(net, u_members(s[0]) == 1, 1000);
		u_push(net, s[0], GPE_GROUPS_OWN, 10, 1);
		u_wait(net, u_got(s[0], 1), 1000);
		assert_int_equal(u_msg(s[0], 0)->level, c[i].level);
		u_free(net);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_take_early__none_waits_for_nothing),
		cmocka_unit_test(gpe_take_early__whole_messages_only),
		cmocka_unit_test(
			gpe_single__is_in_the_cut_without_what_is_before),
		cmocka_unit_test(gpe_vec_met__effect_waits_for_its_cause),
		cmocka_unit_test(gpe_recs_met__causal_waits_for_records),
		cmocka_unit_test(gpe_waits_run__record_of_another_group),
		cmocka_unit_test(gpe_safe_met__waits_until_all_have_it),
		cmocka_unit_test(gpe_hold__predecessors_are_stable_too),
		cmocka_unit_test(gpe_safe_met__a_cut_makes_stable),
		cmocka_unit_test(gpe_stage_open__all_say_so),
		cmocka_unit_test(gpe_force_one__effects_of_what_is_lost),
		cmocka_unit_test(gpe_submit__vector_and_large_message),
		cmocka_unit_test(gpe_props_level__default_of_the_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
