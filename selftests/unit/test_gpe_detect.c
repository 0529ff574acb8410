// SPDX-License-Identifier: GPL-2.0
/* Who is behind a path, who is silent, and the own doubt. */
#include "unit_net.h"
#include "gpe_change.h"

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

static void gpe_learn__id_in_use_is_refused_by_name(void **state)
{
	struct u_net *net = u_new(4);
	u32 i;

	(void)state;
	for (i = 0; i < 3; i++)
		u_start(net, i);
	u_wait(net, u_one_view(net, 7), 5000);
	net->node[3].cfg.id = 2;	/* as node 1 */
	u_start(net, 3);
	u_run(net, 3000 * U_MS);
	assert_true(u_state_is(net, 3, GPE_ST_FRESH));
	assert_string_equal(u_why(net, 3),
			    "its node id is in use by another node");
	for (i = 0; i < 4; i++)
		assert_true(u_count(net, i, GPE_CNT_DROP_DUP_ID) > 0);
	assert_true(u_one_view(net, 7));
	/* When the other one is gone the id is free. */
	u_goodbye(net, 1);
	u_run(net, 10 * U_MS);
	u_kill(net, 1);
	u_wait(net, net->node[3].engine->ep.n == 3, 10000);
	u_free(net);
}

static void gpe_learn__two_newcomers_of_one_id(void **state)
{
	struct u_net *net = u_new(4);
	u32 i, in;

	(void)state;
	net->node[3].cfg.id = 3;	/* as node 2 */
	for (i = 0; i < 4; i++) {
		net->node[i].cfg.expected_votes = 3;
		u_start(net, i);
	}
	u_run(net, 10000 * U_MS);
	in = u_state_is(net, 2, GPE_ST_NORMAL) +
	     u_state_is(net, 3, GPE_ST_NORMAL);
	assert_true(in <= 1);
	/* At the latest when one of them goes the other one is in. */
	u_kill(net, u_state_is(net, 2, GPE_ST_NORMAL) ? 3 : 2);
	u_wait(net, net->node[0].engine->ep.n == 3, 10000);
	u_free(net);
}

static void gpe_wire_decode__other_cluster_is_dropped(void **state)
{
	struct u_net *net = u_new(3);
	u32 i;

	(void)state;
	net->node[2].cfg.cluster = 8;
	for (i = 0; i < 3; i++)
		u_start(net, i);
	u_wait(net, u_one_view(net, 3), 5000);
	u_run(net, 1000 * U_MS);
	assert_true(u_count(net, 0, GPE_CNT_DROP_CLUSTER) > 10);
	assert_true(u_count(net, 2, GPE_CNT_DROP_CLUSTER) > 20);
	assert_true(u_state_is(net, 2, GPE_ST_FRESH));
	assert_int_equal(net->node[0].engine->path[2].id, 0);
	u_free(net);
}

/* Restarted at once: the old incarnation is condemned, not waited for. */
static void gpe_path_leave__restart_is_noticed_at_once(void **state)
{
	struct u_net *net = members(3);
	u64 at;

	(void)state;
	u_kill(net, 2);
	u_run(net, 20 * U_MS);
	u_start(net, 2);
	at = net->now;
	u_wait(net, u_members(s[0]) == 2 && u_members(s[1]) == 2, 1000);
	assert_true(net->now - at < 100 * U_MS);
	u_wait(net, u_one_view(net, 7), 5000);
	u_check(net);
	u_free(net);
}

static u64 beats_late(struct u_net *net, u32 node, u32 from, u32 to)
{
	u64 n = 0;

	for (; from <= to; from++)
		n += u_count(net, node, GPE_CNT_BEAT_64US + from);
	return n;
}

static void gpe_beat_late__buckets(void **state)
{
	struct u_net *net = members(3);
	u64 before, all;

	(void)state;
	assert_int_equal(GPE_CNT_BEAT_LATER - GPE_CNT_BEAT_64US,
			 GPE_BEAT_LATE_N - 1);
	/* No beat takes longer here than the others: none is late. */
	before = beats_late(net, 0, 0, 0);
	u_run(net, 1000 * U_MS);
	assert_in_range(beats_late(net, 0, 0, 0) - before, 18, 22);
	assert_int_equal(beats_late(net, 0, 8, GPE_BEAT_LATE_N - 1), 0);
	/* Node 1 stands still: its next beat comes that late, less a period. */
	all = beats_late(net, 0, 0, GPE_BEAT_LATE_N - 1);
	net->node[1].paused_until = net->now + 140 * U_MS;
	u_run(net, 300 * U_MS);
	assert_true(beats_late(net, 0, 0, GPE_BEAT_LATE_N - 1) > all);
	assert_in_range(beats_late(net, 0, 10, 12), 1, 2);
	assert_int_equal(beats_late(net, 0, 13, GPE_BEAT_LATE_N - 1), 0);
	u_free(net);
}

static void gpe_ranks_check__silence_is_suspected(void **state)
{
	struct u_net *net = members(3);
	struct gpe_peer_info info;
	u64 at;

	(void)state;
	assert_int_equal(gpe_peer_info(net->node[0].engine, 2, &info), 0);
	assert_true(info.up && info.node == 3 && info.mtu == 1472);
	assert_true(info.rtt_ns >= 200000 && info.rtt_ns < 400000);
	assert_int_equal(gpe_peer_info(net->node[0].engine, 0, &info),
			 -ENOENT);
	assert_int_equal(gpe_peer_info(net->node[0].engine, GPE_PATHS_MAX,
				       &info), -ENOENT);
	u_kill(net, 2);
	at = net->now;
	u_wait(net, u_count(net, 0, GPE_CNT_SUSPICIONS), 1000);
	assert_true(net->now - at > 190 * U_MS && net->now - at < 340 * U_MS);
	u_wait(net, !gpe_peer_info(net->node[0].engine, 2, &info) && !info.up,
	       200);
	u_free(net);
}

static void drop_beats(struct u_net *net, u32 from, u32 to,
		       const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)from;
	(void)to;
	(void)buf;
	if (u_random(net, 100) < 20)
		fate->copies = 0;
}

static void gpe_check__loss_is_no_death(void **state)
{
	struct u_net *net = members(3);
	u64 epoch = net->node[0].engine->ep.epoch;

	(void)state;
	net->filter = drop_beats;
	u_run(net, 60000 * U_MS);
	assert_int_equal(net->node[0].engine->ep.epoch, epoch);
	assert_true(u_one_view(net, 7));
	u_free(net);
}

/* ---- the own doubt ---- */

static void gpe_detect_ran__clock_jumps_and_the_epoch_is_open(void **state)
{
	struct u_net *net = members(3);
	u64 epoch = net->node[1].engine->ep.epoch, was;
	u32 wakes;

	(void)state;
	was = u_count(net, 1, GPE_CNT_DOUBTS);
	net->node[1].skew += 10000 * U_MS;
	/* A message that comes first does not get through before an answer. */
	net->cut[1][0] = true;
	net->cut[1][2] = true;
	assert_int_equal(u_send(net, s[1], GPE_FIFO, 10, 1), -EAGAIN);
	assert_int_equal(s[1]->block, GPE_BLOCK_VIEW);
	assert_int_equal(u_count(net, 1, GPE_CNT_DOUBTS) - was, 1);
	assert_true(net->node[1].engine->doubt);
	assert_string_equal(u_why(net, 1),
			    "has not run: asks whether its epoch is open");
	u_push(net, s[0], GPE_FIFO, 10, 2);
	u_run(net, 20 * U_MS);
	assert_false(u_got(s[1], 2));
	/* Nobody has heard the question so far. */
	wakes = s[1]->host->wakes;
	net->cut[1][0] = false;
	net->cut[1][2] = false;
	u_wait(net, !net->node[1].engine->doubt, 100);
	assert_int_equal(net->node[1].engine->ep.epoch, epoch);
	u_wait(net, s[1]->host->wakes > wakes && u_got(s[1], 2), 500);
	assert_int_equal(u_send(net, s[1], GPE_FIFO, 10, 1), 0);
	u_wait(net, u_got(s[0], 1), 500);
	u_check(net);
	u_free(net);
}

static void gpe_detect_ran__asleep_and_the_others_went_on(void **state)
{
	struct u_net *net = members(3);
	u64 inc = net->node[1].engine->inc;
	u32 msgs;

	(void)state;
	net->node[1].paused_until = net->now + 10000 * U_MS;
	u_wait(net, u_members(s[0]) == 2 && u_members(s[2]) == 2, 2000);
	u_push(net, s[0], GPE_TOTAL, 10, 1);
	u_push(net, s[2], GPE_TOTAL, 10, 1);
	msgs = u_msgs(s[1]);
	u_run(net, 9500 * U_MS);
	u_wait(net, u_count(net, 1, GPE_CNT_DOUBTS), 1000);
	u_wait(net, u_one_view(net, 7), 5000);
	assert_true(net->node[1].engine->inc != inc);
	assert_int_equal(u_recs(s[1], GPE_REC_SUSPENDED), 1);
	assert_int_equal(u_msgs(s[1]), msgs);
	u_wait(net, u_members(s[1]) == 3, 1000);
	u_check(net);
	u_free(net);
}

/*
 * The votes for the first view arrive while its leader stands still. When it
 * wakes it finds them, but the others may have gone on: it asks them first.
 */
static void gpe_detect_ran__a_decision_that_waited(void **state)
{
	struct u_net *net = u_new(3);
	struct gpe_node *lead;
	u32 i;

	(void)state;
	for (i = 0; i < 3; i++)
		u_start(net, i);
	lead = net->node[0].engine;
	s[0] = u_join(net, 0, "g");
	u_wait(net, lead->change->lead.phase == GPE_PH_ACCEPT, 2000);
	net->node[0].paused_until = net->now + 2000 * U_MS;
	u_run(net, 1900 * U_MS);
	assert_int_equal(lead->ep.n, 0);
	u_wait(net, lead->ep.n == 3, 200);
	assert_true(lead->doubt);
	assert_int_equal(u_recs(s[0], GPE_REC_VIEW), 0);
	u_wait(net, u_one_view(net, 7), 5000);
	u_wait(net, u_members(s[0]) == 1, 1000);
	assert_false(net->node[0].engine->doubt);
	u_free(net);
}

/* All stand still together: nothing was decided meanwhile. */
static void gpe_detect_ran__all_asleep(void **state)
{
	struct u_net *net = members(3);
	u32 i;

	(void)state;
	for (i = 0; i < 3; i++)
		net->node[i].paused_until = net->now + 5000 * U_MS;
	u_run(net, 5500 * U_MS);
	u_wait(net, u_one_view(net, 7), 5000);
	for (i = 0; i < 3; i++)
		u_push(net, s[i], GPE_TOTAL, 10, i + 1);
	for (i = 0; i < 3; i++)
		u_wait(net, u_msgs(s[i]) == 3, 1000);
	u_check(net);
	u_free(net);
}

static void gpe_detect_ran__alone_there_is_nobody_to_ask(void **state)
{
	struct u_net *net = u_new(1);
	struct u_sock *one;

	(void)state;
	u_start_alone(net, 0);
	one = u_member(net, 0, "g");
	net->node[0].skew += 100000 * U_MS;
	assert_int_equal(u_send(net, one, GPE_TOTAL, 10, 1), 0);
	assert_true(u_got(one, 1));
	assert_int_equal(u_count(net, 0, GPE_CNT_DOUBTS), 0);
	u_free(net);
}

/* ---- configuration ---- */

static void gpe_detect_peer__removed_and_added(void **state)
{
	struct u_net *net = members(3);
	struct gpe_event ev = { .type = GPE_EV_PEER_DEL };
	struct gpe_peer_info info;

	(void)state;
	ev.peer.path = 2;
	u_event(net, 0, &ev);
	assert_int_equal(gpe_peer_info(net->node[0].engine, 2, &info),
			 -ENOENT);
	u_wait(net, net->node[0].engine->ep.n == 2 ||
	       net->node[1].engine->ep.n == 2, 3000);
	u_run(net, 200 * U_MS);
	assert_true(u_count(net, 0, GPE_CNT_DROP_PATH) > 0);
	ev.type = GPE_EV_PEER_ADD;
	ev.peer.mtu = 1472;
	u_event(net, 0, &ev);
	u_wait(net, u_one_view(net, 7), 20000);
	/* Out of range changes nothing. */
	ev.peer.path = GPE_PATHS_MAX;
	u_event(net, 0, &ev);
	ev.type = GPE_EV_PEER_DEL;
	u_event(net, 0, &ev);
	u_run(net, 500 * U_MS);
	assert_true(u_one_view(net, 7));
	u_check(net);
	u_free(net);
}

static void gpe_frag_update__least_of_all_paths(void **state)
{
	struct u_net *net = members(3);
	struct gpe_event ev = { .type = GPE_EV_PEER_ADD };

	(void)state;
	assert_int_equal(net->node[0].engine->frag_len, (1472 - 160) & ~7);
	ev.peer.path = 1;
	ev.peer.mtu = 9000;
	u_event(net, 0, &ev);
	assert_int_equal(net->node[0].engine->frag_len, (1472 - 160) & ~7);
	ev.peer.path = 2;
	ev.peer.mtu = 1250;
	u_event(net, 0, &ev);
	assert_int_equal(net->node[0].engine->frag_len, (1250 - 160) & ~7);
	net->node[0].mtu = 1250;
	/* And messages cut in the old way go on. */
	u_push(net, s[0], GPE_TOTAL, 50000, 1);
	u_push(net, s[1], GPE_TOTAL, 50000, 2);
	u_wait(net, u_got(s[2], 1) && u_got(s[2], 2), 1000);
	u_free(net);
}

static void gpe_detect_heard__own_and_old_packets(void **state)
{
	struct u_net *net = members(3);
	struct gpe_node *e = net->node[1].engine;
	u64 self = u_count(net, 0, GPE_CNT_DROP_SELF);
	u64 other = u_count(net, 0, GPE_CNT_DROP_INC);
	u64 epoch = u_count(net, 0, GPE_CNT_DROP_EPOCH);
	u8 p[GPE_HDR_MAX] = { 0 };
	u32 len;

	(void)state;
	/* Our own, come back. */
	len = gpe_wire_open(net->node[0].engine, p, GPE_PK_GOODBYE, 0);
	gpe_wire_close(p, len);
	u_inject(net, 0, 1, p, len);
	assert_int_equal(u_count(net, 0, GPE_CNT_DROP_SELF) - self, 1);
	/* For an incarnation that we are not. */
	len = gpe_wire_open(e, p, GPE_PK_GOODBYE, 12345);
	gpe_wire_close(p, len);
	u_inject(net, 0, 1, p, len);
	/* From one that is not there. */
	e->inc++;
	len = gpe_wire_open(e, p, GPE_PK_GOODBYE, 0);
	e->inc--;
	gpe_wire_close(p, len);
	u_inject(net, 0, 1, p, len);
	assert_int_equal(u_count(net, 0, GPE_CNT_DROP_INC) - other, 2);
	/* Stream data of an epoch before. */
	e->ep.epoch--;
	len = gpe_wire_open(e, p, GPE_PK_ACK, 0);
	e->ep.epoch++;
	len += gpe_wire_body(p + len, 7, 0, 0, 0, false, false, 0);
	gpe_wire_close(p, len);
	u_inject(net, 0, 1, p, len);
	assert_int_equal(u_count(net, 0, GPE_CNT_DROP_EPOCH) - epoch, 1);
	/* On a path that nobody configured. */
	u_inject(net, 0, 7, p, len);
	u_inject(net, 0, GPE_PATHS_MAX, p, len);
	assert_int_equal(u_count(net, 0, GPE_CNT_DROP_PATH), 2);
	assert_true(u_one_view(net, 7));
	u_free(net);
}

static u8 beat[GPE_HDR_MAX];
static u32 beat_len;

static void keep_beat(struct u_net *net, u32 from, u32 to,
		      const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)to;
	(void)fate;
	if (from != net->filter_arg || buf->data[3] != GPE_PK_BEAT)
		return;
	beat_len = buf->len;
	memcpy(beat, buf->data, buf->len);
}

/* One damaged number does not use up those of all epochs to come. */
static void gpe_epoch_heard__not_from_the_far_future(void **state)
{
	struct u_net *net = members(4);
	struct gpe_node *e = net->node[0].engine;

	(void)state;
	net->filter = keep_beat;
	net->filter_arg = 1;
	beat_len = 0;
	u_wait(net, beat_len, 500);
	net->filter = NULL;
	put_unaligned_be64(GPE_EPOCH_TOP - 1, beat + GPE_WIRE_HDR);
	u_inject(net, 0, 1, beat, beat_len);
	/* The number of a cluster whose clocks are ahead by some years. */
	put_unaligned_be64(gpe_wall(e) + GPE_EPOCH_AHEAD / 2,
			   beat + GPE_WIRE_HDR);
	u_inject(net, 0, 1, beat, beat_len);
	u_kill(net, 3);
	u_wait(net, u_one_view(net, 7), 2000);
	assert_true(e->ep.epoch > gpe_wall(e) + GPE_EPOCH_AHEAD / 3);
	u_check(net);
	u_free(net);
}

/* A clock set to the year 2200 leaves room for epochs as well. */
static void gpe_wall__far_in_the_future(void **state)
{
	struct u_net *net = u_new(2);
	struct gpe_event ev = { .type = GPE_EV_BEARERS };

	(void)state;
	u_start_alone(net, 0);
	ev.bearers.wall_ns = 7258118400ULL * 1000 * U_MS;
	ev.bearers.count = 1;
	u_event(net, 0, &ev);
	ev.bearers.count = 0;
	u_event(net, 0, &ev);
	assert_true(u_state_is(net, 0, GPE_ST_NORMAL));
	assert_true(net->node[0].engine->ep.epoch < GPE_EPOCH_TOP -
						    GPE_EPOCH_AHEAD);
	u_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_epoch_heard__not_from_the_far_future),
		cmocka_unit_test(gpe_wall__far_in_the_future),
		cmocka_unit_test(gpe_learn__id_in_use_is_refused_by_name),
		cmocka_unit_test(gpe_learn__two_newcomers_of_one_id),
		cmocka_unit_test(gpe_wire_decode__other_cluster_is_dropped),
		cmocka_unit_test(gpe_detect_heard__own_and_old_packets),
		cmocka_unit_test(gpe_path_leave__restart_is_noticed_at_once),
		cmocka_unit_test(gpe_beat_late__buckets),
		cmocka_unit_test(gpe_ranks_check__silence_is_suspected),
		cmocka_unit_test(gpe_check__loss_is_no_death),
		cmocka_unit_test(
			gpe_detect_ran__clock_jumps_and_the_epoch_is_open),
		cmocka_unit_test(gpe_detect_ran__asleep_and_the_others_went_on),
		cmocka_unit_test(gpe_detect_ran__a_decision_that_waited),
		cmocka_unit_test(gpe_detect_ran__all_asleep),
		cmocka_unit_test(gpe_detect_ran__alone_there_is_nobody_to_ask),
		cmocka_unit_test(gpe_detect_peer__removed_and_added),
		cmocka_unit_test(gpe_frag_update__least_of_all_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
