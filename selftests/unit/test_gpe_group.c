// SPDX-License-Identifier: GPL-2.0
/* Stages: which view a message is delivered in, and when a view installs. */
#include "unit_net.h"

static struct u_sock *s[U_NODES];
static struct u_net *net;
static u32 r[U_NODES];		/* node at each rank */

static void members(u32 n)
{
	u32 i;

	net = u_cluster(n);
	for (i = 0; i < n; i++)
		s[i] = u_join(net, i, "g");
	for (i = 0; i < n; i++)
		u_wait(net, u_members(s[i]) == n, 2000);
	u_run(net, 500 * U_MS);
	for (i = 0; i < n; i++)
		r[i] = net->node[0].engine->ep.seat[i].id - 1;
}

static bool is_data(const struct gpe_shim_buf *buf)
{
	return buf->data[3] == GPE_PK_DATA &&
	       !(buf->data[GPE_WIRE_HDR + 25] & 1);
}

/* Data of rank 1 comes to rank 3 only. */
static void one_to_three(struct u_net *n, u32 from, u32 to,
			 const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)n;
	if (from == r[1] && to != r[3] && is_data(buf))
		fate->copies = 0;
}

/*
 * Rank 3 has all markers, and a message that the others lack. If it went on to
 * the next view and were lost with the sender, the others would install the
 * same view without that message.
 */
static void gpe_stage_done__markers_must_be_stable(void **state)
{
	struct u_sock *more;
	u32 i;

	(void)state;
	members(5);
	net->filter = one_to_three;
	u_push(net, s[r[1]], GPE_FIFO, 50, 1);
	more = u_join(net, r[0], "g");
	u_run(net, 30 * U_MS);
	assert_true(u_got(s[r[3]], 1));
	assert_int_equal(u_members(s[r[3]]), 5);
	u_kill(net, r[1]);
	u_kill(net, r[3]);
	net->filter = NULL;
	for (i = 0; i < 5; i += 2)
		u_wait(net, u_members(s[r[i]]) == 4, 3000);
	u_wait(net, more->attached, 1000);
	u_check(net);
	u_free(net);
}

static void slow_from_two(struct u_net *n, u32 from, u32 to,
			  const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)n;
	(void)buf;
	if (from == r[2] && to == r[1])
		fate->delay_ns = 30 * U_MS;
}

/* A view waits for what was sent in the one before; senders do not wait. */
static void gpe_stage_done__all_before_is_delivered_first(void **state)
{
	struct u_sock *more;
	const struct gpe_vid *vid;
	u32 i;

	(void)state;
	members(3);
	net->filter = slow_from_two;
	u_push(net, s[r[2]], GPE_FIFO, 50, 1);
	more = u_join(net, r[0], "g");
	u_run(net, 10 * U_MS);
	assert_int_equal(u_members(s[r[1]]), 3);
	/* Stamped with the new view already, at all. */
	u_push(net, s[r[0]], GPE_TOTAL, 50, 2);
	u_push(net, s[r[1]], GPE_TOTAL, 50, 3);
	vid = &s[r[1]]->vid;
	u_wait(net, more->attached && u_got(more, 2) && u_got(more, 3), 1000);
	assert_int_equal(gpe_vid_cmp(&u_msg(more, 0)->vid, vid), 0);
	assert_false(u_got(more, 1));
	for (i = 0; i < 3; i++) {
		u_wait(net, u_msgs(s[i]) == 3, 1000);
		assert_int_equal(u_msg(s[i], 0)->tag, 1);
		assert_int_equal(u_msg(s[i], 0)->position, 1);
		assert_int_equal(u_msg(s[i], 1)->position, 1);
	}
	u_check(net);
	u_free(net);
}

static void jitter(struct u_net *n, u32 from, u32 to,
		   const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)from;
	(void)to;
	(void)buf;
	fate->delay_ns = u_random(n, 4000000);
	fate->copies = u_random(n, 10) != 0;
}

static void gpe_group_change__joins_and_leaves_amid_traffic(void **state)
{
	u64 tag = 0;
	u32 i, k;

	(void)state;
	members(4);
	net->filter = jitter;
	for (k = 0; k < 150; k++) {
		for (i = 0; i < 4; i++)
			u_send(net, s[i], k & 1 ? GPE_TOTAL : GPE_FIFO,
			       8 + u_random(net, 3000), ++tag);
		if (k % 5 == 2) {
			i = u_random(net, 4);
			u_leave(net, s[i]);
			s[i] = u_join(net, i, "g");
		}
		u_run(net, U_MS);
	}
	net->filter = NULL;
	for (i = 0; i < 4; i++)
		u_wait(net, s[i]->attached && u_members(s[i]) == 4, 5000);
	for (i = 0; i < 4; i++)
		u_push(net, s[i], GPE_TOTAL, 8, ++tag);
	for (i = 0; i < 4; i++)
		u_wait(net, u_got(s[i], tag), 2000);
	u_check(net);
	u_free(net);
}

/* Groups over some of the nodes have a region of their own. */
static void gpe_set_region__subsets(void **state)
{
	struct u_sock *x[16][4];
	char name[8];
	u32 set, i;

	(void)state;
	members(4);
	for (set = 1; set < 16; set++) {
		snprintf(name, sizeof(name), "set%u", set);
		for (i = 0; i < 4; i++)
			x[set][i] = set >> i & 1 ? u_member(net, i, name) :
						   NULL;
	}
	u_run(net, 100 * U_MS);
	for (set = 1; set < 16; set++)
		for (i = 0; i < 4; i++)
			if (x[set][i])
				u_push(net, x[set][i], GPE_TOTAL, 3000,
				       set * 10 + i);
	u_run(net, 500 * U_MS);
	for (set = 1; set < 16; set++)
		for (i = 0; i < 4; i++)
			if (x[set][i])
				assert_int_equal(u_msgs(x[set][i]),
						 hweight64(set));
	assert_true(net->node[0].engine->n_regions >= 9);
	u_check(net);
	u_free(net);
}

/* More to do than one step's output holds. */
static void gpe_group_pump__more_than_one_step_holds(void **state)
{
	struct u_sock *x[300];
	char name[8];
	u32 i;

	(void)state;
	net = u_cluster(2);
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		x[i] = u_join(net, 0, name);
		u_join(net, 1, name);
	}
	for (i = 0; i < 300; i++)
		u_wait(net, u_members(x[i]) == 2, 5000);
	u_run(net, 1000 * U_MS);
	u_kill(net, 1);
	u_wait(net, u_one_view(net, 1), 3000);
	for (i = 0; i < 300; i++) {
		u_wait(net, u_members(x[i]) == 1, 100);
		assert_int_equal(u_last_view(x[i])->view->m[1].why,
				 GPE_WHY_NODE_DOWN);
	}
	u_check(net);
	u_free(net);
}

/* A group in which nothing happened keeps its view across an epoch. */
static void gpe_stage_retag__unchanged_groups_keep_their_view(void **state)
{
	struct u_sock *a, *b;
	struct gpe_vid vid;

	(void)state;
	members(4);
	a = u_member(net, r[0], "two");
	b = u_member(net, r[1], "two");
	u_wait(net, u_members(a) == 2, 1000);
	u_push(net, a, GPE_TOTAL, 10, 1);
	vid = u_last_view(a)->vid;
	u_kill(net, r[3]);
	u_wait(net, u_members(s[r[0]]) == 3, 3000);
	u_push(net, b, GPE_TOTAL, 10, 1);
	u_wait(net, u_msgs(a) == 2, 1000);
	assert_int_equal(gpe_vid_cmp(&u_last_view(a)->vid, &vid), 0);
	assert_int_equal(gpe_vid_cmp(&u_msg(a, 1)->vid, &vid), 0);
	assert_int_equal(u_msg(a, 1)->position, 2);
	u_check(net);
	u_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_stage_done__markers_must_be_stable),
		cmocka_unit_test(
			gpe_stage_done__all_before_is_delivered_first),
		cmocka_unit_test(
			gpe_group_change__joins_and_leaves_amid_traffic),
		cmocka_unit_test(
			gpe_stage_retag__unchanged_groups_keep_their_view),
		cmocka_unit_test(gpe_set_region__subsets),
		cmocka_unit_test(gpe_group_pump__more_than_one_step_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
