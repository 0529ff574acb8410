// SPDX-License-Identifier: GPL-2.0
/* The frame: timers, numbers, cells, payload ranges, names, settings. */
#include "unit_net.h"

static struct u_net *alone(void)
{
	struct u_net *net = u_new(1);

	u_start_alone(net, 0);
	return net;
}

static void gpe_timer_set__earliest_first(void **state)
{
	struct u_net *net = alone();
	struct gpe_node *node = net->node[0].engine;
	struct gpe_timer tm[50];
	u32 i;

	(void)state;
	while (gpe_next_deadline(node) != U64_MAX)
		u_run(net, 100 * U_MS);
	for (i = 0; i < 50; i++) {
		gpe_timer_init(&tm[i], GPE_TM_CREDIT);
		gpe_timer_set(node, &tm[i], net->now + 1000 + i * 37 % 50);
	}
	assert_true(gpe_next_deadline(node) == net->now + 1000);
	/* Sooner moves only forward, set moves both ways. */
	gpe_timer_sooner(node, &tm[7], net->now + 5000);
	gpe_timer_sooner(node, &tm[7], net->now + 10);
	assert_true(gpe_next_deadline(node) == net->now + 10);
	gpe_timer_set(node, &tm[7], net->now + 5000);
	assert_true(gpe_next_deadline(node) == net->now + 1000);
	for (i = 0; i < 50; i++) {
		gpe_timer_cancel(node, &tm[i]);
		gpe_timer_cancel(node, &tm[i]);
	}
	assert_true(gpe_next_deadline(node) == U64_MAX);
	u_free(net);
}

static void gpe_timers_run__more_than_one_step_takes(void **state)
{
	struct u_net *net = alone();
	struct gpe_node *node = net->node[0].engine;
	struct gpe_event ev = { .type = GPE_EV_TICK };
	struct gpe_timer tm[100];
	u32 i, left = 0;

	(void)state;
	for (i = 0; i < 100; i++) {
		gpe_timer_init(&tm[i], GPE_TM_CREDIT);
		gpe_timer_set(node, &tm[i], 1);
	}
	gpe_step(node, net->now, &ev, net->node[0].out);
	assert_true(net->node[0].out->more);
	for (i = 0; i < 100; i++)
		left += tm[i].armed;
	assert_true(left > 0 && left < 100);
	gpe_step(node, net->now, &ev, net->node[0].out);
	for (i = 0; i < 100; i++)
		assert_false(tm[i].armed);
	u_free(net);
}

static void gpe_step__time_never_goes_back(void **state)
{
	struct u_net *net = alone();
	struct gpe_node *node = net->node[0].engine;
	struct gpe_event ev = { .type = GPE_EV_TICK };
	u64 now = node->now;

	(void)state;
	gpe_step(node, now + 5, &ev, net->node[0].out);
	gpe_step(node, now + 2, &ev, net->node[0].out);
	assert_true(node->now == now + 5);
	u_free(net);
}

static void gpe_random__spreads_below_its_bound(void **state)
{
	struct u_net *net = alone();
	u32 hits[10] = { 0 }, i;

	(void)state;
	for (i = 0; i < 10000; i++)
		hits[gpe_random(net->node[0].engine, 10)]++;
	for (i = 0; i < 10; i++)
		assert_true(hits[i] > 800 && hits[i] < 1200);
	assert_int_equal(gpe_random(net->node[0].engine, 1), 0);
	u_free(net);
}

static void gpe_cell_get__reserve(void **state)
{
	struct u_net *net = alone();
	struct gpe_node *node = net->node[0].engine;
	u32 need = gpe_pool_need(node), i;
	void *cell[GPE_STEP_CELLS];
	u8 *bytes;

	(void)state;
	for (i = 0; i < need; i++)
		gpe_pool_add(node, gpe_alloc(GPE_CELL_SIZE));
	assert_int_equal(gpe_pool_need(node), 0);
	for (i = 0; i < GPE_STEP_CELLS; i++) {
		cell[i] = gpe_cell_get(node);
		bytes = cell[i];
		assert_non_null(bytes);
		/* Clean, whatever was in it before. */
		assert_int_equal(bytes[0] | bytes[GPE_CELL_SIZE - 1], 0);
		memset(bytes, 0xff, GPE_CELL_SIZE);
	}
	assert_null(gpe_cell_get(node));
	assert_int_equal(gpe_pool_need(node), GPE_STEP_CELLS);
	for (i = 0; i < GPE_STEP_CELLS; i++)
		gpe_cell_put(node, cell[i]);
	bytes = gpe_cell_get(node);
	assert_int_equal(bytes[8] | bytes[GPE_CELL_SIZE - 1], 0);
	gpe_cell_put(node, bytes);
	u_free(net);
}

static void gpe_msg_frag__of_one_buffer(void **state)
{
	struct gpe_shim_buf *buf = gpe_shim_buf_new(5001);
	struct gpe_msg msg = { .n_frags = 3, .frag_len = 2000, .len = 5001,
			       .off = 7, .buf = buf };
	struct gpe_seg seg;
	u32 i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_true(gpe_msg_frag(&msg, i, &seg));
		assert_ptr_equal(seg.buf, buf);
		assert_int_equal(seg.off, 7 + i * 2000);
		assert_int_equal(seg.len, i < 2 ? 2000 : 1001);
	}
	gpe_buf_put(buf);
}

static void gpe_msg_frag__of_blocks(void **state)
{
	struct gpe_fragblk blk[2] = { { .nr = 1, .next = NULL }, { .nr = 0 } };
	struct gpe_msg msg = { .n_frags = 30, .frag_len = 2000, .len = 59000,
			       .blk = &blk[1] };
	struct gpe_seg seg;

	(void)state;
	blk[1].next = &blk[0];
	blk[1].have = 2;
	blk[1].frag[1].len = 11;
	blk[0].have = 1;
	blk[0].frag[0].len = 22;
	assert_false(gpe_msg_frag(&msg, 0, &seg));
	assert_true(gpe_msg_frag(&msg, 1, &seg));
	assert_int_equal(seg.len, 11);
	assert_true(gpe_msg_frag(&msg, GPE_BLK_FRAGS, &seg));
	assert_int_equal(seg.len, 22);
	assert_false(gpe_msg_frag(&msg, GPE_BLK_FRAGS + 1, &seg));
	msg.blk = &blk[0];
	assert_false(gpe_msg_frag(&msg, 1, &seg));
}

static void gpe_counter_names__all_and_different(void **state)
{
	u32 i, k;

	(void)state;
	for (i = 0; i < GPE_CNT_N; i++) {
		assert_non_null(gpe_counter_names[i]);
		for (k = 0; k < i; k++)
			assert_string_not_equal(gpe_counter_names[i],
						gpe_counter_names[k]);
	}
}

static int config(struct u_net *net, const struct gpe_cfg *cfg)
{
	struct gpe_event ev = { .type = GPE_EV_CONFIG };

	ev.config.cfg = *cfg;
	ev.config.wall_ns = 1;
	u_event(net, 0, &ev);
	return ev.config.ret;
}

static void gpe_view_config__ranges(void **state)
{
	struct u_net *net = alone();
	struct gpe_cfg good = net->node[0].cfg, cfg;
	struct gpe_node_info info;
	u64 beats[] = { 10 * U_MS - 1, 10000 * U_MS + 1 };
	u32 i;

	(void)state;
	cfg = good;
	cfg.id = 0;
	assert_int_equal(config(net, &cfg), -EINVAL);
	cfg = good;
	cfg.votes = 17;
	assert_int_equal(config(net, &cfg), -EINVAL);
	cfg = good;
	cfg.expected_votes = 1025;
	assert_int_equal(config(net, &cfg), -EINVAL);
	for (i = 0; i < 2; i++) {
		cfg = good;
		cfg.heartbeat_ns = beats[i];
		cfg.detect_ns = 3 * beats[i];
		assert_int_equal(config(net, &cfg), -EINVAL);
	}
	cfg = good;
	cfg.detect_ns = 3 * cfg.heartbeat_ns - 1;
	assert_int_equal(config(net, &cfg), -EINVAL);
	cfg.detect_ns = 60000 * U_MS + 1;
	assert_int_equal(config(net, &cfg), -EINVAL);
	gpe_node_info(net->node[0].engine, &info);
	assert_memory_equal(&info.cfg, &good, sizeof(good));
	cfg = good;
	cfg.votes = 16;
	cfg.expected_votes = 1024;
	cfg.heartbeat_ns = 10 * U_MS;
	cfg.detect_ns = 30 * U_MS;
	assert_int_equal(config(net, &cfg), 0);
	gpe_node_info(net->node[0].engine, &info);
	assert_memory_equal(&info.cfg, &cfg, sizeof(cfg));
	u_free(net);
}

static void gpe_node_info__of_a_cluster(void **state)
{
	struct u_net *net = u_cluster(3);
	struct gpe_node_info info;
	struct gpe_addr self;

	(void)state;
	gpe_node_info(net->node[1].engine, &info);
	assert_int_equal(info.state, GPE_ST_NORMAL);
	assert_int_equal(info.n_nodes, 3);
	assert_int_equal(info.expected_votes, 3);
	assert_true(info.quorate);
	assert_int_equal(info.nodes[2].id, 3);
	assert_int_equal(info.nodes[2].votes, 1);
	assert_true(info.nodes[1].inc == info.inc);
	assert_string_equal(info.why, "");
	assert_true(info.view_changes >= 2);
	gpe_self(net->node[1].engine, &self);
	assert_true(gpe_is_self(net->node[1].engine, &self));
	assert_false(gpe_is_self(net->node[0].engine, &self));
	self.inc++;
	assert_false(gpe_is_self(net->node[1].engine, &self));
	u_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_random__spreads_below_its_bound),
		cmocka_unit_test(gpe_timer_set__earliest_first),
		cmocka_unit_test(gpe_timers_run__more_than_one_step_takes),
		cmocka_unit_test(gpe_cell_get__reserve),
		cmocka_unit_test(gpe_msg_frag__of_one_buffer),
		cmocka_unit_test(gpe_msg_frag__of_blocks),
		cmocka_unit_test(gpe_counter_names__all_and_different),
		cmocka_unit_test(gpe_step__time_never_goes_back),
		cmocka_unit_test(gpe_view_config__ranges),
		cmocka_unit_test(gpe_node_info__of_a_cluster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
