// SPDX-License-Identifier: GPL-2.0
/* Every answer that a send can get. */
#include "unit_net.h"

static struct u_sock *a, *b;

static struct u_net *pair(const struct gpe_props *props)
{
	struct u_net *net = u_cluster(2);

	u_try_join(net, 0, "g", props, 0, &a);
	u_wait(net, a->attached, 1000);
	b = u_member(net, 1, "g");
	u_wait(net, u_members(a) == 2, 1000);
	u_run(net, 100 * U_MS);
	return net;
}

static void gpe_submit_check__sizes(void **state)
{
	struct gpe_props props = { .msg_max = 5000 };
	struct u_net *net = pair(&props);

	(void)state;
	assert_int_equal(u_send(net, a, GPE_FIFO, 5001, 1), -EMSGSIZE);
	assert_int_equal(u_send(net, a, GPE_FIFO, 5000, 1), 0);
	assert_int_equal(u_send(net, a, GPE_FIFO, 0, 2), 0);
	u_wait(net, u_msgs(b) == 2, 1000);
	u_free(net);
	net = pair(NULL);
	assert_int_equal(u_send(net, a, GPE_FIFO, GPE_MSG_MAX + 1, 1),
			 -EMSGSIZE);
	u_push(net, a, GPE_FIFO, GPE_MSG_MAX, 1);
	u_free(net);
}

static void gpe_submit_check__levels(void **state)
{
	struct gpe_props props = { .orders = 1 << GPE_TOTAL };
	struct u_net *net = pair(&props);
	u32 level;

	(void)state;
	for (level = GPE_NONE; level <= GPE_SAFE; level++)
		assert_int_equal(u_send(net, a, level, 1, 1),
				 level == GPE_TOTAL ? 0 : -EINVAL);
	u_free(net);
	net = pair(NULL);
	for (level = GPE_NONE; level <= GPE_SAFE; level++)
		assert_int_equal(u_send(net, a, level, 1, level), 0);
	assert_int_equal(u_send(net, a, GPE_GROUPS_OWN + 1, 1, 1), -EINVAL);
	assert_int_equal(u_send(net, a, 255, 1, 1), -EINVAL);
	u_wait(net, u_msgs(b) == 5, 1000);
	u_free(net);
}

static void gpe_submit_check__view_demanded(void **state)
{
	struct u_net *net = pair(NULL);
	struct gpe_vid now = u_last_view(a)->vid, old = now;
	struct u_sock *c;

	(void)state;
	old.seq--;
	assert_int_equal(u_send_in(net, a, &old), -ESTALE);
	assert_int_equal(u_send_in(net, a, &now), 0);
	assert_int_equal(gpe_vid_cmp(&a->vid, &now), 0);
	c = u_member(net, 1, "g");
	u_wait(net, u_members(a) == 3, 1000);
	assert_int_equal(u_send_in(net, a, &now), -ESTALE);
	now = u_last_view(c)->vid;
	assert_int_equal(u_send_in(net, a, &now), 0);
	u_free(net);
}

static void gpe_submit_dst__to_one(void **state)
{
	struct u_net *net = pair(NULL);
	struct gpe_addr to = u_addr(b);
	u32 i;

	(void)state;
	assert_int_equal(u_send_to(net, a, &to, 3000, 1), 0);
	u_wait(net, u_got(b, 1), 1000);
	assert_int_equal(u_msg(b, 0)->position, 0);
	assert_false(u_got(a, 1));
	/* To one's own node, and to oneself. */
	assert_int_equal(u_send_to(net, b, &to, 10, 2), 0);
	u_wait(net, u_got(b, 2), 1000);
	to.port += 100;
	assert_int_equal(u_send_to(net, a, &to, 10, 3), -EHOSTUNREACH);
	to = u_addr(b);
	to.inc++;
	assert_int_equal(u_send_to(net, a, &to, 10, 3), -EHOSTUNREACH);
	to = u_addr(b);
	to.node = 77;
	assert_int_equal(u_send_to(net, a, &to, 10, 3), -EHOSTUNREACH);
	/* A reader that stands still holds back those who write to it. */
	to = u_addr(b);
	net->node[1].hold = true;
	for (i = 0; i < 10000; i++) {
		if (u_send_to(net, a, &to, 1000, 100 + i))
			break;
		u_run(net, U_MS);
	}
	assert_int_equal(a->block, GPE_BLOCK_CREDIT);
	u_read(net, 1, U32_MAX);
	u_wait(net, !u_send_to(net, a, &to, 1000, 100 + i), 1000);
	u_check(net);
	u_free(net);
}

/* It has left before the message came: nobody reads it, nothing is stuck. */
static void gpe_take_one__to_who_has_left(void **state)
{
	struct u_net *net = pair(NULL);
	struct u_sock *c = u_member(net, 1, "g");
	struct gpe_addr to = u_addr(c);
	u32 i;

	(void)state;
	u_wait(net, u_members(a) == 3, 1000);
	for (i = 0; i < 200; i++) {
		int ret = u_send_to(net, a, &to, 5000, i + 1);

		assert_true(!ret || ret == -EHOSTUNREACH || ret == -EAGAIN);
		if (i == 5)
			u_leave(net, c);
		u_run(net, U_MS / 10);
	}
	u_wait(net, !c->bound && u_members(a) == 2, 1000);
	for (i = 0; i < 100; i++)
		u_push(net, a, GPE_TOTAL, 5000, 1000 + i);
	u_wait(net, u_got(b, 1099), 5000);
	u_free(net);
}

static void gpe_submit_state__what_is_in_the_way(void **state)
{
	struct u_net *net = pair(NULL);
	struct u_sock *c = u_join(net, 1, "g");
	u32 wakes = c->host->wakes;

	(void)state;
	assert_int_equal(u_send(net, c, GPE_FIFO, 1, 1), -EAGAIN);
	assert_int_equal(c->block, GPE_BLOCK_JOINING);
	u_wait(net, c->host->wakes > wakes, 1000);
	assert_int_equal(u_send(net, c, GPE_FIFO, 8, 1), 0);
	/* Wedged: the leader has asked, and is heard no more. */
	u_isolate(net, 1, true);
	wakes = b->host->wakes;
	u_wait(net, u_send(net, b, GPE_FIFO, 1, 1) == -EAGAIN, 5000);
	u_wait(net, u_state_is(net, 1, GPE_ST_SUSPENDED), 5000);
	assert_int_equal(u_send(net, b, GPE_FIFO, 1, 1), -EAGAIN);
	assert_int_equal(b->block, GPE_BLOCK_SUSPENDED);
	u_isolate(net, 1, false);
	u_wait(net, b->host->wakes > wakes, 10000);
	u_wait(net, !u_send(net, b, GPE_FIFO, 8, 100), 2000);
	u_leave(net, b);
	assert_int_equal(u_send(net, b, GPE_FIFO, 1, 2), -EPIPE);
	u_wait(net, !b->bound, 1000);
	assert_int_equal(u_send(net, b, GPE_FIFO, 1, 2), -EPIPE);
	u_free(net);
}

/* No cell is left for the message: nothing was taken, and later it goes. */
static void gpe_submit_msg__no_cell(void **state)
{
	struct u_net *net = pair(NULL);
	struct u_node *n = &net->node[0];
	u32 taken = 0, i;
	int ret = 0;

	(void)state;
	u_link(net, 0, 1, false);
	n->short_to = U64_MAX;
	n->short_cells = true;
	for (i = 0; i < 1000 && !ret; i++) {
		ret = u_send(net, a, GPE_FIFO, 100, i + 1);
		taken += !ret;
	}
	assert_int_equal(ret, -ENOMEM);
	assert_true(taken > 10);
	n->short_to = 0;
	u_link(net, 0, 1, true);
	u_push(net, a, GPE_FIFO, 100, i + 1);
	u_wait(net, u_msgs(b) == taken + 1, 2000);
	u_check(net);
	u_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_submit_state__what_is_in_the_way),
		cmocka_unit_test(gpe_submit_check__sizes),
		cmocka_unit_test(gpe_submit_check__levels),
		cmocka_unit_test(gpe_submit_check__view_demanded),
		cmocka_unit_test(gpe_submit_dst__to_one),
		cmocka_unit_test(gpe_take_one__to_who_has_left),
		cmocka_unit_test(gpe_submit_msg__no_cell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
