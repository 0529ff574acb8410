// SPDX-License-Identifier: GPL-2.0
/* Streams among whole nodes: loss, duplicates, order, the window, packets that
 * do not belong.
 */
#include "unit_wire.h"

static struct u_sock *s[3];

static u8 type_of(const struct gpe_shim_buf *buf)
{
	return buf->data[3];
}

static struct u_net *three(void)
{
	struct u_net *net = u_cluster(3);
	u32 i;

	for (i = 0; i < 3; i++)
		u_try_join(net, i, "g", NULL, 1 << 24, &s[i]);
	for (i = 0; i < 3; i++)
		u_wait(net, u_members(s[i]) == 3, 2000);
	u_run(net, 100 * U_MS);
	return net;
}

static void drop_some(struct u_net *net, u32 from, u32 to,
		      const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)from;
	(void)to;
	(void)buf;
	if (u_random(net, 100) < net->filter_arg)
		fate->copies = 0;
}

static void shuffle(struct u_net *net, u32 from, u32 to,
		    const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	drop_some(net, from, to, buf, fate);
	fate->delay_ns = u_random(net, 10) * U_MS;
	fate->copies *= 1 + u_random(net, 2);
}

/* The first @filter_arg DATA packets of node 0 are lost. */
static void drop_first_data(struct u_net *net, u32 from, u32 to,
			    const struct gpe_shim_buf *buf,
			    struct u_fate *fate)
{
	(void)to;
	if (!from && type_of(buf) == GPE_PK_DATA && net->filter_arg) {
		net->filter_arg--;
		fate->copies = 0;
	}
}

static void twice(struct u_net *net, u32 from, u32 to,
		  const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)net;
	(void)from;
	(void)to;
	if (type_of(buf) == GPE_PK_DATA)
		fate->copies = 2;
}

static void no_acks(struct u_net *net, u32 from, u32 to,
		    const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)net;
	(void)from;
	(void)to;
	if (type_of(buf) == GPE_PK_ACK)
		fate->copies = 0;
}

static void cluster__forms(void **state)
{
	u32 n;

	(void)state;
	for (n = 1; n <= 5; n++)
		u_free(u_cluster(n));
}

static void sizes_with(u_filter *filter, u64 arg)
{
	struct u_net *net = three();
	u32 frag = net->node[0].engine->frag_len, i, k, at;
	u32 sizes[] = { 0, 1, 7, frag - 1, frag, frag + 1, GPE_MSG_MAX, 2 };

	net->filter = filter;
	net->filter_arg = arg;
	for (i = 0; i < 3; i++)
		for (k = 0; k < ARRAY_SIZE(sizes); k++)
			u_push(net, s[i], k & 1 ? GPE_TOTAL : GPE_FIFO,
			       sizes[k], i * 100 + k + 1);
	for (i = 0; i < 3; i++)
		u_wait(net, u_msgs(s[i]) == 3 * ARRAY_SIZE(sizes), 120000);
	/* One sender's messages, in the order sent, with these bytes. */
	for (i = 0; i < 3; i++) {
		for (k = 0, at = 0; k < u_msgs(s[i]); k++) {
			const struct u_rec *r = u_msg(s[i], k);

			if (r->sender.node != 2)
				continue;
			assert_int_equal(r->len, sizes[at]);
			assert_true(r->hash == u_hash(101 + at, sizes[at]));
			at++;
		}
		assert_int_equal(at, ARRAY_SIZE(sizes));
	}
	u_check(net);
	u_free(net);
}

static void gpe_region_append__all_sizes(void **state)
{
	(void)state;
	sizes_with(NULL, 0);
}

static void gpe_region_append__all_sizes_under_loss(void **state)
{
	(void)state;
	sizes_with(drop_some, 20);
}

static void gpe_region_append__all_sizes_shuffled(void **state)
{
	(void)state;
	sizes_with(shuffle, 10);
}

static void gpe_region_timer__last_item_lost(void **state)
{
	struct u_net *net = three();
	u64 was = u_count(net, 0, GPE_CNT_TX_REPAIRS);

	(void)state;
	net->filter = drop_first_data;
	net->filter_arg = 2;	/* one packet, to two nodes */
	assert_int_equal(u_send(net, s[0], GPE_FIFO, 100, 1), 0);
	u_run(net, 4 * U_MS);
	assert_int_equal(net->filter_arg, 0);
	assert_false(u_got(s[1], 1));
	u_wait(net, u_got(s[1], 1) && u_got(s[2], 1), 200);
	assert_int_equal(u_count(net, 0, GPE_CNT_TX_REPAIRS) - was, 2);
	u_free(net);
}

static void gpe_region_rx_ack__gap_is_repaired_to_who_asks(void **state)
{
	struct u_net *net = three();
	u64 was = u_count(net, 0, GPE_CNT_TX_REPAIRS), began;

	(void)state;
	net->filter = drop_first_data;
	net->filter_arg = 1;	/* to the first of two nodes only */
	u_push(net, s[0], GPE_FIFO, 100, 1);
	u_run(net, U_MS);
	began = net->now;
	u_push(net, s[0], GPE_FIFO, 100, 2);
	u_wait(net, u_got(s[1], 2) && u_got(s[2], 2), 1000);
	assert_true(net->now - began < 5 * U_MS);
	u_run(net, 200 * U_MS);
	assert_int_equal(u_count(net, 0, GPE_CNT_TX_REPAIRS) - was, 1);
	u_check(net);
	u_free(net);
}

static void gpe_region_rx_data__duplicates_are_counted(void **state)
{
	struct u_net *net = three();
	u64 was = u_count(net, 1, GPE_CNT_RX_DUPLICATES);
	u32 i;

	(void)state;
	net->filter = twice;
	for (i = 0; i < 5; i++) {
		u_push(net, s[0], GPE_FIFO, 100, i + 1);
		u_run(net, 5 * U_MS);
	}
	u_wait(net, u_msgs(s[1]) == 5, 1000);
	assert_int_equal(u_count(net, 1, GPE_CNT_RX_DUPLICATES) - was, 5);
	u_check(net);
	u_free(net);
}

static void gpe_region_room__full_window_blocks_and_wakes(void **state)
{
	struct u_net *net = three();
	u32 n, wakes;

	(void)state;
	net->filter = no_acks;
	for (n = 0; n < 2 * GPE_WINDOW_DATA; n++)
		if (u_send(net, s[0], GPE_FIFO, 8, n + 1))
			break;
	assert_int_equal(n, GPE_WINDOW_DATA);
	assert_int_equal(s[0]->block, GPE_BLOCK_WINDOW);
	assert_int_equal(u_count(net, 0, GPE_CNT_BLOCKED_WINDOW), 1);
	wakes = s[0]->host->wakes;
	u_run(net, 150 * U_MS);
	assert_int_equal(s[0]->host->wakes, wakes);
	net->filter = NULL;
	u_wait(net, s[0]->host->wakes > wakes, 1000);
	assert_int_equal(u_send(net, s[0], GPE_FIFO, 8, n + 1), 0);
	u_wait(net, u_msgs(s[2]) == n + 1, 2000);
	u_check(net);
	u_free(net);
}

static void gpe_region_room__empty_window_takes_the_largest(void **state)
{
	struct u_net *net = u_new(2);
	struct u_sock *a, *b;
	u32 i;

	(void)state;
	for (i = 0; i < 2; i++) {
		net->node[i].mtu = 500;	/* fragments of the least size */
		u_start(net, i);
	}
	net->node[0].mtu = GPE_DGRAM_MAX;
	net->node[1].mtu = GPE_DGRAM_MAX;
	u_wait(net, u_one_view(net, 3), 5000);
	assert_int_equal(net->node[0].engine->frag_len, GPE_FRAG_MIN);
	a = u_member(net, 0, "g");
	b = u_member(net, 1, "g");
	u_push(net, a, GPE_FIFO, GPE_MSG_MAX, 1);
	u_wait(net, u_got(b, 1), 5000);
	u_free(net);
}

/* Settled: neither timer nor packet but those of the detector. */
static void gpe_region_timer__settled_streams_cost_nothing(void **state)
{
	struct u_net *net = three();
	struct gpe_region *rgn;
	u64 sent;
	u32 i;

	(void)state;
	for (i = 0; i < 20; i++)
		u_push(net, s[i % 3], GPE_TOTAL, 3000, i + 1);
	u_run(net, 1000 * U_MS);
	for (i = 0; i < 3; i++) {
		list_for_each_entry(rgn, &net->node[i].engine->regions, all) {
			assert_false(rgn->timer.armed);
			assert_int_equal(rgn->inflight_data, 0);
			assert_int_equal(rgn->inflight_ctl, 0);
		}
	}
	sent = net->sent;
	u_run(net, 1000 * U_MS);
	/* Ten heartbeats to two nodes from three, and a probe each way. */
	assert_true(net->sent - sent <= 3 * 2 * (11 + 4));
	u_free(net);
}

/* ---- packets that do not belong, from a node that does ---- */

static void w_as(struct u_net *net, u32 i)
{
	w_node = net->node[i].engine;
}

static void data_to(struct u_net *net, u32 to, u32 from, u64 mask, u64 base,
		    u32 origin, bool dir, bool repair, u32 total)
{
	struct gpe_msg msg = { .type = GPE_IT_DATA, .level = GPE_FIFO,
			       .n_frags = 1, .len = total, .gid = 1,
			       .vid = { 1, 1 }, .sender = { 0, 0, 1 } };
	struct w_pkt w;
	u32 n;

	w_as(net, from);
	w_open(&w, GPE_PK_DATA, 0);
	n = gpe_wire_body(w.p + GPE_WIRE_HDR, mask, base, 0, origin, dir,
			  repair, 1);
	n += gpe_wire_item(w.p + GPE_WIRE_HDR + n, &msg, 0);
	w_close(&w, n, 0);
	u_inject(net, to, from, w.p, w.len);
}

static void gpe_region_rx_data__strangers_are_dropped(void **state)
{
	struct u_net *net = three();
	u64 region = u_count(net, 0, GPE_CNT_DROP_REGION);
	u64 wedged = u_count(net, 0, GPE_CNT_DROP_WEDGED);
	u64 place = u_count(net, 0, GPE_CNT_DROP_PLACE);
	u64 window = u_count(net, 0, GPE_CNT_DROP_WINDOW);

	(void)state;
	data_to(net, 0, 1, 8, 1, 1, false, false, 0);	/* no such node */
	data_to(net, 0, 1, 6, 1, 1, false, false, 0);	/* without us */
	data_to(net, 0, 1, 5, 1, 1, false, false, 0);	/* without it */
	data_to(net, 0, 1, 3, 1, 1, true, false, 0);	/* log of a few */
	data_to(net, 0, 1, 7, 1, 0, false, false, 0);	/* our own stream */
	data_to(net, 0, 1, 7, 1, 2, false, false, 0);	/* another's */
	assert_int_equal(u_count(net, 0, GPE_CNT_DROP_REGION) - region, 6);
	data_to(net, 0, 1, 7, 1, 1, false, true, 0);	/* not closing */
	assert_int_equal(u_count(net, 0, GPE_CNT_DROP_WEDGED) - wedged, 1);
	data_to(net, 0, 1, 7, GPE_WINDOW_RX + 5, 1, false, false, 0);
	assert_int_equal(u_count(net, 0, GPE_CNT_DROP_WINDOW) - window, 1);
	data_to(net, 0, 1, 7, 1, 1, true, false, 0);	/* no log item */
	assert_int_equal(u_count(net, 0, GPE_CNT_DROP_PLACE) - place, 1);
	u_free(net);
}

static void gpe_region_rx_ack__of_what_was_not_sent(void **state)
{
	struct u_net *net = three();
	u64 was = u_count(net, 0, GPE_CNT_DROP_MALFORMED);
	struct w_pkt w;
	u32 n;

	(void)state;
	w_as(net, 1);
	w_open(&w, GPE_PK_ACK, 0);
	n = gpe_wire_body(w.p + GPE_WIRE_HDR, 7, 1000, 0, 0, false, false, 0);
	w_close(&w, n, 0);
	u_inject(net, 0, 1, w.p, w.len);
	assert_int_equal(u_count(net, 0, GPE_CNT_DROP_MALFORMED) - was, 1);
	w_open(&w, GPE_PK_STATUS, 0);
	n = gpe_wire_body(w.p + GPE_WIRE_HDR, 7, 1ULL << 40, 0, 0, false,
			  false, 0);
	w_close(&w, n, 0);
	was = u_count(net, 0, GPE_CNT_DROP_WINDOW);
	u_inject(net, 0, 1, w.p, w.len);
	assert_int_equal(u_count(net, 0, GPE_CNT_DROP_WINDOW) - was, 1);
	u_push(net, s[0], GPE_TOTAL, 10, 1);
	u_wait(net, u_got(s[1], 1) && u_got(s[2], 1), 1000);
	u_free(net);
}

/*
 * A forged acknowledgement makes the sender let go of what the leader lacks:
 * the leader cannot follow into the next view, and others lead on.
 */
static void gpe_flush_expired__leader_was_lied_about(void **state)
{
	struct u_net *net = three();
	struct gpe_region *rgn;
	struct w_pkt w;
	u32 n;

	(void)state;
	net->cut[1][0] = true;
	u_push(net, s[1], GPE_FIFO, 10, 1);
	u_wait(net, u_got(s[2], 1), 100);
	u_run(net, 10 * U_MS);
	rgn = gpe_region_find(net->node[1].engine, 7, false);
	assert_non_null(rgn);
	w_as(net, 0);
	w_open(&w, GPE_PK_ACK, 0);
	n = gpe_wire_body(w.p + GPE_WIRE_HDR, 7, rgn->tx_next - 1, 0, 0, false,
			  false, 0);
	w_close(&w, n, 0);
	u_inject(net, 1, 0, w.p, w.len);
	net->cut[1][0] = false;
	u_run(net, 100 * U_MS);
	assert_false(u_got(s[0], 1));
	u_kill(net, 2);
	/* Not stable, so the cut reaches beyond the gap. */
	u_push(net, s[1], GPE_FIFO, 10, 3);
	u_wait(net, u_one_view(net, 3), 20000);
	u_wait(net, u_members(s[0]) == 2 && u_members(s[1]) == 2, 2000);
	u_push(net, s[1], GPE_TOTAL, 10, 2);
	u_wait(net, u_got(s[0], 2), 1000);
	u_free(net);
}

static void gpe_rx__every_packet_damaged_as_well(void **state)
{
	struct u_net *net = three();
	struct w_pkt w;
	u32 i, k;

	(void)state;
	for (i = 0; i < 3000; i++) {
		w_as(net, 1);
		w_open(&w, GPE_PK_DATA + w_random(5), 0);
		for (k = GPE_WIRE_HDR; k < 160; k++)
			w.p[k] = w_random(4) ? 0 : w_random(256);
		w.p[GPE_WIRE_HDR + 7] = 7;
		w.p[GPE_WIRE_HDR + 26] = 1;
		gpe_wire_close(w.p, 80 + w_random(80));
		u_inject(net, 0, 1, w.p, 160);
	}
	u_push(net, s[0], GPE_TOTAL, 10, 1);
	u_wait(net, u_got(s[2], 1), 1000);
	u_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cluster__forms),
		cmocka_unit_test(gpe_region_append__all_sizes),
		cmocka_unit_test(gpe_region_append__all_sizes_under_loss),
		cmocka_unit_test(gpe_region_append__all_sizes_shuffled),
		cmocka_unit_test(gpe_region_room__full_window_blocks_and_wakes),
		cmocka_unit_test(
			gpe_region_room__empty_window_takes_the_largest),
		cmocka_unit_test(gpe_region_rx_data__duplicates_are_counted),
		cmocka_unit_test(gpe_region_rx_data__strangers_are_dropped),
		cmocka_unit_test(
			gpe_region_rx_ack__gap_is_repaired_to_who_asks),
		cmocka_unit_test(gpe_region_rx_ack__of_what_was_not_sent),
		cmocka_unit_test(gpe_region_timer__last_item_lost),
		cmocka_unit_test(
			gpe_region_timer__settled_streams_cost_nothing),
		cmocka_unit_test(gpe_flush_expired__leader_was_lied_about),
		cmocka_unit_test(gpe_rx__every_packet_damaged_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
