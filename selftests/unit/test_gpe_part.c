// SPDX-License-Identifier: GPL-2.0
/* Policy none: each part of a cluster goes on by itself; protocol.md 6. */
#include "unit_net.h"
#include "gpe_change.h"

static struct u_sock *s[U_NODES];

static u32 bit(u32 i)
{
	return 1U << i;
}

static struct u_net *members(u32 n)
{
	struct u_net *net = u_new(n);
	u32 i;

	for (i = 0; i < n; i++) {
		net->node[i].cfg.partition = GPE_PART_NONE;
		u_start(net, i);
	}
	u_wait(net, u_one_view(net, bit(n) - 1), 5000);
	for (i = 0; i < n; i++)
		s[i] = u_join(net, i, "g");
	for (i = 0; i < n; i++)
		u_wait(net, u_members(s[i]) == n, 2000);
	return net;
}

static void link_parts(struct u_net *net, u32 part, bool up)
{
	u32 i, k;

	for (i = 0; i < net->n; i++)
		for (k = 0; k < i; k++)
			if ((part & bit(i)) && !(part & bit(k)))
				u_link(net, i, k, up);
			else if (!(part & bit(i)) && (part & bit(k)))
				u_link(net, i, k, up);
}

static void configure(struct u_net *net, u32 i, u32 partition, int ret)
{
	struct gpe_event ev = { .type = GPE_EV_CONFIG };

	ev.config.cfg = net->node[i].cfg;
	ev.config.cfg.partition = partition;
	ev.config.wall_ns = 1700000000ULL * 1000 * U_MS + net->now;
	u_event(net, i, &ev);
	assert_int_equal(ev.config.ret, ret);
}

/* Three of five have a quorum, two have none: both go on, each its way. */
static void gpe_quorum_lost__both_parts_go_on(void **state)
{
	struct u_net *net = members(5);
	u64 at;
	u32 i;

	(void)state;
	link_parts(net, 7, false);
	at = net->now;
	u_wait(net, u_one_view(net, 7) && u_one_view(net, 24), 2000);
	/* Detection, a heartbeat, another, and a round or two. */
	assert_true(net->now - at < 800 * U_MS);
	assert_true(net->node[0].engine->ep.epoch !=
		    net->node[3].engine->ep.epoch);
	assert_int_equal(net->node[3].engine->ep.expected, 0);
	assert_int_equal(u_recs(s[3], GPE_REC_SUSPENDED), 1);
	assert_int_equal(u_recs(s[0], GPE_REC_SUSPENDED), 0);
	u_wait(net, u_members(s[0]) == 3 && u_members(s[3]) == 2, 1000);
	u_push(net, s[0], GPE_TOTAL, 10, 1);
	u_push(net, s[3], GPE_TOTAL, 10, 2);
	u_wait(net, u_got(s[2], 1) && u_got(s[4], 2), 1000);
	assert_false(u_got(s[2], 2) || u_got(s[4], 1));

	/* They meet: the fewer yield, and the others notice one view. */
	i = u_recs(s[0], GPE_REC_VIEW);
	link_parts(net, 7, true);
	u_wait(net, u_one_view(net, 31), 4000);
	u_wait(net, u_members(s[0]) == 5 && u_members(s[4]) == 5, 1000);
	assert_in_range(u_recs(s[0], GPE_REC_VIEW) - i, 1, 2);
	assert_int_equal(u_recs(s[0], GPE_REC_SUSPENDED), 0);
	u_check(net);
	u_free(net);
}

/* No part has a quorum. Epochs differ though all count from the same one. */
static void gpe_number__chains_differ(void **state)
{
	struct u_net *net = members(4);
	u32 i, k;

	(void)state;
	for (i = 0; i < 4; i++) {
		net->node[i].engine->wall_off = 0;
		u_isolate(net, i, true);
	}
	for (i = 0; i < 4; i++)
		u_wait(net, u_one_view(net, bit(i)), 2000);
	for (i = 0; i < 4; i++)
		for (k = 0; k < i; k++)
			assert_true(net->node[i].engine->ep.epoch !=
				    net->node[k].engine->ep.epoch);
	for (i = 0; i < 4; i++)
		u_isolate(net, i, false);
	u_wait(net, u_one_view(net, 15), 6000);
	for (i = 0; i < 4; i++)
		u_wait(net, u_members(s[i]) == 4, 1000);
	u_check(net);
	u_free(net);
}

/* One that hears another chain and is not heard by it stays what it is. */
static void gpe_is_foreign__not_without_being_heard(void **state)
{
	struct u_net *net = members(3);
	u64 epoch;
	u32 i;

	(void)state;
	u_isolate(net, 2, true);
	u_wait(net, u_one_view(net, 3) && u_one_view(net, 4), 3000);
	epoch = net->node[2].engine->ep.epoch;
	for (i = 0; i < 2; i++)
		net->cut[i][2] = false;
	u_run(net, 5000 * U_MS);
	assert_int_equal(net->node[2].engine->ep.epoch, epoch);
	assert_true(u_one_view(net, 4));
	u_isolate(net, 2, false);
	u_wait(net, u_one_view(net, 7), 5000);
	u_check(net);
	u_free(net);
}

/* One node that expects votes is enough for all to expect them. */
static void gpe_expected__primary_wins(void **state)
{
	struct u_net *net = members(3);

	(void)state;
	configure(net, 2, GPE_PART_PRIMARY, 0);
	u_wait(net, net->node[0].engine->ep.expected == 3, 3000);
	u_wait(net, u_one_view(net, 7), 1000);
	u_isolate(net, 2, true);
	u_wait(net, u_state_is(net, 2, GPE_ST_SUSPENDED), 3000);
	u_run(net, 1000 * U_MS);
	assert_true(u_state_is(net, 2, GPE_ST_SUSPENDED));
	/* What is left without a quorum is let go on by hand. */
	configure(net, 2, GPE_PART_NONE, 0);
	u_wait(net, u_one_view(net, 4), 2000);
	configure(net, 2, GPE_PART_N, -EINVAL);
	u_isolate(net, 2, false);
	u_wait(net, u_one_view(net, 7), 5000);
	assert_int_equal(net->node[2].engine->ep.expected, 0);
	u_check(net);
	u_free(net);
}

/* A cluster of one that gets a peer is no reason to begin anew. */
static void gpe_view_peers__none_goes_on(void **state)
{
	struct u_net *net = u_new(2);
	struct gpe_event ev = { .type = GPE_EV_PEER_ADD };
	struct u_sock *one;

	(void)state;
	net->node[0].cfg.partition = GPE_PART_NONE;
	u_start_alone(net, 0);
	ev.type = GPE_EV_BEARERS;
	ev.bearers.count = 1;
	ev.bearers.wall_ns = 1700000000ULL * 1000 * U_MS;
	u_event(net, 0, &ev);
	u_wait(net, u_one_view(net, 1), 3000);
	one = u_member(net, 0, "g");
	ev.type = GPE_EV_PEER_ADD;
	ev.peer.path = 1;
	ev.peer.mtu = 1472;
	u_event(net, 0, &ev);
	assert_true(u_one_view(net, 1));
	assert_int_equal(u_recs(one, GPE_REC_SUSPENDED), 0);
	u_free(net);
}

/* Who goes on in another chain is not heard; who is on its way is. */
static void gpe_path_elsewhere__table(void **state)
{
	static const struct {
		u32 state;
		u32 expected;
		bool behind;
		bool heard;
	} table[] = {
		{ GPE_ST_NORMAL, 0, false, true },
		{ GPE_ST_NORMAL, 0, true, false },
		{ GPE_ST_WEDGED, 0, true, true },
		{ GPE_ST_FRESH, 0, true, true },
		{ GPE_ST_NORMAL, 2, true, true },
	};
	struct u_net *net = members(2);
	struct gpe_node *node = net->node[0].engine;
	struct gpe_path *p = &node->path[0];
	u32 i;

	(void)state;
	while (p->seat >= node->ep.n)
		p++;
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		p->state = table[i].state;
		p->beat_epoch = node->ep.epoch - table[i].behind;
		node->ep.expected = table[i].expected;
		assert_int_equal(gpe_ranks_heard(node) ==
				 gpe_bit(node->ep.self),
				 !table[i].heard);
	}
	u_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_quorum_lost__both_parts_go_on),
		cmocka_unit_test(gpe_number__chains_differ),
		cmocka_unit_test(gpe_is_foreign__not_without_being_heard),
		cmocka_unit_test(gpe_expected__primary_wins),
		cmocka_unit_test(gpe_view_peers__none_goes_on),
		cmocka_unit_test(gpe_path_elsewhere__table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
