// SPDX-License-Identifier: GPL-2.0
/* Total order by records, and fifo across levels. */
#include "unit_net.h"

static struct u_sock *s[4];

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

/* Packets of streams from node 0 do not come to node 2. */
static void no_records(struct u_net *net, u32 from, u32 to,
		       const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)net;
	if (!from && to == 2 && (buf->data[3] == GPE_PK_DATA ||
				 buf->data[3] == GPE_PK_STATUS))
		fate->copies = 0;
}

static void jitter(struct u_net *net, u32 from, u32 to,
		   const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)from;
	(void)to;
	(void)buf;
	fate->delay_ns = u_random(net, 3000000);
	fate->copies = u_random(net, 20) != 0;
}

static void gpe_order_run__three_senders_equal_at_all(void **state)
{
	struct u_net *net = members(4);
	u32 i, k;

	(void)state;
	net->filter = jitter;
	for (k = 0; k < 100; k++) {
		for (i = 0; i < 3; i++)
			u_push(net, s[i + 1], GPE_TOTAL, 20 + k,
			       1000 * (i + 1) + k);
		u_run(net, U_MS);
	}
	for (i = 0; i < 4; i++)
		u_wait(net, u_msgs(s[i]) == 300, 5000);
	for (k = 0; k < 300; k++) {
		for (i = 1; i < 4; i++) {
			assert_int_equal(u_msg(s[0], k)->tag,
					 u_msg(s[i], k)->tag);
			assert_int_equal(u_msg(s[i], k)->position, k + 1);
		}
	}
	u_check(net);
	u_free(net);
}

static void gpe_order_add__waits_for_its_record(void **state)
{
	struct u_net *net = members(3);

	(void)state;
	net->filter = no_records;
	u_push(net, s[1], GPE_TOTAL, 10, 1);
	u_wait(net, u_got(s[0], 1) && u_got(s[1], 1), 100);
	u_run(net, 100 * U_MS);
	assert_false(u_got(s[2], 1));
	net->filter = NULL;
	u_wait(net, u_got(s[2], 1), 1000);
	u_free(net);
}

static void gpe_drain_slot__fifo_stays_behind_total_of_its_sender(void **state)
{
	struct u_net *net = members(3);
	u32 i, k;

	(void)state;
	net->filter = no_records;
	u_push(net, s[1], GPE_FIFO, 10, 1);
	u_push(net, s[1], GPE_TOTAL, 10, 2);
	u_push(net, s[1], GPE_FIFO, 10, 3);
	u_push(net, s[2], GPE_FIFO, 10, 11);
	u_run(net, 100 * U_MS);
	/* Without its record only what is before it, and others' fifo. */
	assert_true(u_got(s[2], 1) && u_got(s[2], 11));
	assert_false(u_got(s[2], 2) || u_got(s[2], 3));
	net->filter = NULL;
	u_wait(net, u_got(s[2], 3), 1000);
	for (i = 0; i < 3; i++) {
		u64 last = 0;

		u_wait(net, u_msgs(s[i]) == 4, 1000);
		for (k = 0; k < 4; k++) {
			if (u_msg(s[i], k)->sender.node != 2)
				continue;
			assert_int_equal(u_msg(s[i], k)->tag, last + 1);
			last++;
		}
	}
	u_check(net);
	u_free(net);
}

static void gpe_order_add__own_of_the_sequencer_need_no_record(void **state)
{
	struct u_net *net = members(3);
	u64 was = u_count(net, 0, GPE_CNT_TX_ITEMS);
	u32 i;

	(void)state;
	for (i = 0; i < 10; i++)
		u_push(net, s[0], GPE_TOTAL, 10, i + 1);
	u_wait(net, u_msgs(s[2]) == 10, 1000);
	assert_int_equal(u_count(net, 0, GPE_CNT_TX_ITEMS) - was, 10);
	u_free(net);
}

static void gpe_record_write__many_messages_to_a_record(void **state)
{
	struct u_net *net = members(3);
	u64 was = u_count(net, 0, GPE_CNT_TX_ITEMS);
	u32 i;

	(void)state;
	for (i = 0; i < 200; i++)
		u_push(net, s[1], GPE_TOTAL, 10, i + 1);
	u_wait(net, u_msgs(s[2]) == 200, 2000);
	assert_true(u_count(net, 0, GPE_CNT_TX_ITEMS) - was < 100);
	u_free(net);
}

static void gpe_order_finish__sequencer_dies(void **state)
{
	struct u_net *net = members(4);
	u32 i, k;

	(void)state;
	net->filter = no_records;
	for (k = 0; k < 20; k++) {
		for (i = 1; i < 4; i++)
			u_push(net, s[i], GPE_TOTAL, 10, 100 * i + k);
		u_run(net, U_MS / 4);
	}
	u_kill(net, 0);
	net->filter = NULL;
	u_wait(net, u_one_view(net, 14), 5000);
	for (i = 1; i < 4; i++)
		u_wait(net, u_members(s[i]) == 3, 2000);
	for (i = 1; i < 4; i++)
		u_push(net, s[i], GPE_TOTAL, 10, 1000 * i);
	for (i = 1; i < 4; i++)
		u_wait(net, u_msgs(s[i]) == 63, 2000);
	u_check(net);
	u_free(net);
}

/* The view comes first, then the record: groups do not mix. */
static void gpe_order_run__groups_share_records(void **state)
{
	struct u_net *net = members(3);
	struct u_sock *h[3];
	u32 i, k;

	(void)state;
	for (i = 0; i < 3; i++)
		h[i] = u_join(net, i, "h");
	for (i = 0; i < 3; i++)
		u_wait(net, u_members(h[i]) == 3, 2000);
	net->filter = jitter;
	for (k = 0; k < 60; k++) {
		u_push(net, s[k % 3], GPE_TOTAL, 10, k + 1);
		u_push(net, h[(k + 1) % 3], GPE_TOTAL, 10, k + 1);
		if (k == 30)
			u_leave(net, h[2]), h[2] = u_member(net, 2, "h");
	}
	for (i = 0; i < 3; i++)
		u_wait(net, u_got(s[i], 60) && u_got(h[i], 60), 5000);
	u_check(net);
	u_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_order_run__three_senders_equal_at_all),
		cmocka_unit_test(gpe_order_run__groups_share_records),
		cmocka_unit_test(gpe_order_add__waits_for_its_record),
		cmocka_unit_test(
			gpe_order_add__own_of_the_sequencer_need_no_record),
		cmocka_unit_test(
			gpe_drain_slot__fifo_stays_behind_total_of_its_sender),
		cmocka_unit_test(gpe_record_write__many_messages_to_a_record),
		cmocka_unit_test(gpe_order_finish__sequencer_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
