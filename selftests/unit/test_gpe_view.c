// SPDX-License-Identifier: GPL-2.0
/* The states of a node: alone, fresh, in a view, wedged, suspended, stopped. */
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

static void bearers(struct u_net *net, u32 i, u32 count)
{
	struct gpe_event ev = { .type = GPE_EV_BEARERS };

	ev.bearers.count = count;
	ev.bearers.wall_ns = 1700000000ULL * 1000 * U_MS + net->now;
	u_event(net, i, &ev);
}

static void gpe_view_init__cluster_of_one_at_once(void **state)
{
	struct u_net *net = u_new(1);
	struct u_sock *a, *b;

	(void)state;
	u_start_alone(net, 0);
	a = u_join(net, 0, "g");
	b = u_join(net, 0, "g");
	assert_true(a->attached && b->attached);
	assert_int_equal(u_send(net, a, GPE_TOTAL, GPE_MSG_MAX, 1), 0);
	assert_int_equal(u_send(net, b, GPE_FIFO, 0, 2), 0);
	assert_int_equal(u_msgs(a), 2);
	assert_int_equal(u_msgs(b), 2);
	assert_int_equal(net->sent, 0);
	u_check(net);
	u_free(net);
}

static void gpe_view_bearers__first_ends_it_last_begins_it(void **state)
{
	struct u_net *net = u_new(1);
	struct u_sock *a;
	u64 inc;

	(void)state;
	net->node[0].cfg.expected_votes = 2;
	u_start_alone(net, 0);
	a = u_member(net, 0, "g");
	inc = net->node[0].engine->inc;
	bearers(net, 0, 1);
	assert_true(u_state_is(net, 0, GPE_ST_FRESH));
	assert_string_equal(u_why(net, 0), "looks for a cluster");
	assert_int_equal(u_recs(a, GPE_REC_SUSPENDED), 1);
	assert_true(net->node[0].engine->inc != inc);
	bearers(net, 0, 2);
	u_run(net, 3000 * U_MS);
	assert_true(u_state_is(net, 0, GPE_ST_FRESH));
	bearers(net, 0, 0);
	assert_true(u_state_is(net, 0, GPE_ST_NORMAL));
	u_wait(net, u_recs(a, GPE_REC_VIEW) == 2, 1000);
	assert_int_equal(u_send(net, a, GPE_TOTAL, 10, 1), 0);
	assert_true(u_got(a, 1));
	u_check(net);
	u_free(net);
}

/* Without peers it is what it waits for itself; the first one changes that. */
static void gpe_view_peers__first_peer_ends_the_cluster_of_one(void **state)
{
	struct u_net *net = u_new(2);
	struct gpe_event ev = { .type = GPE_EV_PEER_ADD };

	(void)state;
	u_start_alone(net, 0);
	bearers(net, 0, 1);
	u_wait(net, u_state_is(net, 0, GPE_ST_NORMAL), 3000);
	ev.peer.path = 1;
	ev.peer.mtu = 1472;
	u_event(net, 0, &ev);
	assert_true(u_state_is(net, 0, GPE_ST_FRESH));
	u_run(net, 3000 * U_MS);
	assert_true(u_state_is(net, 0, GPE_ST_FRESH));
	u_start(net, 1);
	u_wait(net, u_one_view(net, 3), 5000);
	u_free(net);
}

static void gpe_view_config__another_id_is_another_node(void **state)
{
	struct u_net *net = members(3);
	struct gpe_event ev = { .type = GPE_EV_CONFIG };

	(void)state;
	ev.config.cfg = net->node[2].cfg;
	ev.config.cfg.id = 77;
	ev.config.wall_ns = 1700000000ULL * 1000 * U_MS + net->now;
	u_event(net, 2, &ev);
	assert_int_equal(ev.config.ret, 0);
	assert_int_equal(u_recs(s[2], GPE_REC_SUSPENDED), 1);
	u_wait(net, u_members(s[0]) == 2, 2000);
	u_wait(net, u_members(s[0]) == 3 && u_members(s[2]) == 3, 5000);
	assert_int_equal(u_last_view(s[0])->view->m[2].addr.node, 77);
	u_free(net);
}

static void gpe_view_goodbye__stopped_for_good(void **state)
{
	struct u_net *net = members(3);
	struct u_sock *late;
	u64 sent;

	(void)state;
	u_goodbye(net, 1);
	u_wait(net, u_one_view(net, 5), 500);
	assert_int_equal(u_try_join(net, 1, "g", NULL, 0, &late), -ENOSPC);
	bearers(net, 1, 2);
	sent = u_count(net, 1, GPE_CNT_TX_PACKETS);
	u_run(net, 2000 * U_MS);
	assert_true(u_state_is(net, 1, GPE_ST_STOPPED));
	assert_int_equal(u_count(net, 1, GPE_CNT_TX_PACKETS), sent);
	assert_true(u_one_view(net, 5));
	u_free(net);
}

static void no_install(struct u_net *net, u32 from, u32 to,
		       const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)from;
	if (to == net->filter_arg && (buf->data[3] == GPE_PK_INSTALL ||
				      buf->data[3] == GPE_PK_PART))
		fate->copies = 0;
}

/* Decided, and one does not hear of it: it asks, and follows as a survivor. */
static void gpe_view_behind__asks_what_was_decided(void **state)
{
	struct u_net *net = members(4);
	u64 inc = net->node[2].engine->inc;
	u32 i;

	(void)state;
	net->filter = no_install;
	net->filter_arg = 2;
	u_kill(net, 3);
	u_wait(net, u_members(s[0]) == 3, 2000);
	assert_true(u_state_is(net, 2, GPE_ST_WEDGED));
	u_run(net, 100 * U_MS);
	net->filter = NULL;
	u_wait(net, u_one_view(net, 7), 1000);
	assert_true(net->node[2].engine->inc == inc);
	assert_int_equal(u_recs(s[2], GPE_REC_SUSPENDED), 0);
	for (i = 0; i < 3; i++)
		u_wait(net, u_members(s[i]) == 3, 1000);
	u_check(net);
	u_free(net);
}

/* Cut off when the view that contains it was decided: resumed in it. */
static void gpe_install_old__suspended_goes_on_as_a_survivor(void **state)
{
	struct u_net *net = members(4);

	(void)state;
	net->filter = no_install;
	net->filter_arg = 2;
	u_kill(net, 3);
	u_wait(net, u_state_is(net, 2, GPE_ST_WEDGED) &&
	       u_members(s[0]) == 3, 2000);
	u_isolate(net, 2, true);
	u_wait(net, u_recs(s[2], GPE_REC_SUSPENDED) == 1, 3000);
	net->filter = NULL;
	u_isolate(net, 2, false);
	u_wait(net, u_members(s[2]) == 3 && u_members(s[0]) == 3 &&
	       u_one_view(net, 7), 5000);
	u_push(net, s[2], GPE_TOTAL, 10, 1);
	u_wait(net, u_got(s[0], 1), 1000);
	u_check(net);
	u_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_view_init__cluster_of_one_at_once),
		cmocka_unit_test(gpe_view_bearers__first_ends_it_last_begins_it),
		cmocka_unit_test(
			gpe_view_peers__first_peer_ends_the_cluster_of_one),
		cmocka_unit_test(gpe_view_config__another_id_is_another_node),
		cmocka_unit_test(gpe_view_goodbye__stopped_for_good),
		cmocka_unit_test(gpe_view_behind__asks_what_was_decided),
		cmocka_unit_test(
			gpe_install_old__suspended_goes_on_as_a_survivor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
