// SPDX-License-Identifier: GPL-2.0
/* The end of an epoch: what late packets do, what is fetched, what is void. */
#include "unit_wire.h"

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

static bool is_data(const struct gpe_shim_buf *buf, bool dir)
{
	return buf->data[3] == GPE_PK_DATA &&
	       !(buf->data[GPE_WIRE_HDR + 25] & 1) == !dir;
}

static struct w_pkt kept;

/* Data of node (arg) is lost; that to the last one is kept for later. */
static void keep_back(struct u_net *n, u32 from, u32 to,
		      const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	if (from != n->filter_arg || !is_data(buf, false))
		return;
	fate->copies = 0;
	if (to == r[1]) {
		assert_true(buf->len <= sizeof(kept.p));
		memcpy(kept.p, buf->data, buf->len);
		kept.len = buf->len;
	}
}

static void gpe_rx_gate__late_data_is_not_taken_in(void **state)
{
	u64 was;
	u32 i;

	(void)state;
	members(4);
	net->filter = keep_back;
	net->filter_arg = r[3];
	u_push(net, s[r[3]], GPE_FIFO, 50, 1);
	u_run(net, U_MS);
	assert_true(kept.len > 0);
	net->filter = NULL;
	u_kill(net, r[3]);
	u_wait(net, u_state_is(net, r[1], GPE_ST_WEDGED), 2000);
	was = u_count(net, r[1], GPE_CNT_DROP_WEDGED);
	u_inject(net, r[1], r[3], kept.p, kept.len);
	assert_int_equal(u_count(net, r[1], GPE_CNT_DROP_WEDGED) - was, 1);
	for (i = 0; i < 3; i++)
		u_wait(net, u_members(s[r[i]]) == 3, 2000);
	/* Nobody had said that it holds it, so it never was. */
	for (i = 0; i < 3; i++)
		assert_int_equal(u_msgs(s[r[i]]), 0);
	/* And in the new epoch it is nothing. */
	was = u_count(net, r[1], GPE_CNT_DROP_INC) +
	      u_count(net, r[1], GPE_CNT_DROP_EPOCH);
	u_inject(net, r[1], r[3], kept.p, kept.len);
	assert_int_equal(u_count(net, r[1], GPE_CNT_DROP_INC) +
			 u_count(net, r[1], GPE_CNT_DROP_EPOCH) - was, 1);
	u_check(net);
	u_free(net);
}

/* The log does not come to rank 1. */
static void no_log(struct u_net *n, u32 from, u32 to,
		   const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)n;
	(void)from;
	if (to == r[1] && is_data(buf, true) &&
	    !(buf->data[GPE_WIRE_HDR + 25] & 2))
		fate->copies = 0;
}

/* What waited for a change of the log is delivered up to the last item. */
static void gpe_stream_drain__log_comes_with_the_cut(void **state)
{
	struct u_sock *more;
	u32 i, k;

	(void)state;
	members(4);
	net->filter = no_log;
	more = u_join(net, r[2], "g");
	u_run(net, 20 * U_MS);
	for (k = 0; k < 5; k++) {
		u_push(net, s[r[0]], GPE_FIFO, 50, 10 + k);
		u_push(net, s[r[2]], GPE_TOTAL, 50, 20 + k);
	}
	u_run(net, 20 * U_MS);
	assert_int_equal(u_msgs(s[r[1]]), 0);
	u_kill(net, r[3]);
	for (i = 0; i < 3; i++)
		u_wait(net, u_members(s[r[i]]) == 4 &&
			    u_recs(s[r[i]], GPE_REC_VIEW) >= 2 &&
			    u_last_view(s[r[i]])->view->n_left == 1, 3000);
	for (i = 0; i < 3; i++)
		assert_int_equal(u_msgs(s[r[i]]), 10);
	assert_int_equal(u_msgs(more), 10);
	u_check(net);
	u_free(net);
}

/* Data of the one that dies comes to rank 0 alone, then under loss. */
static void to_first(struct u_net *n, u32 from, u32 to,
		     const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	if (n->filter_arg) {
		if (u_random(n, 100) < n->filter_arg)
			fate->copies = 0;
		return;
	}
	if (from == r[4] && to != r[0] && is_data(buf, false))
		fate->copies = 0;
}

static void gpe_tx_wants__fetched_from_the_holder_under_loss(void **state)
{
	u32 i, k;

	(void)state;
	members(5);
	net->filter = to_first;
	for (k = 0; k < 30; k++)
		u_push(net, s[r[4]], k & 1 ? GPE_FIFO : GPE_TOTAL, 2000,
		       k + 1);
	u_run(net, 3 * U_MS);
	net->filter_arg = 30;
	u_kill(net, r[4]);
	for (i = 0; i < 4; i++)
		u_wait(net, u_members(s[r[i]]) == 4, 10000);
	for (i = 0; i < 4; i++)
		assert_int_equal(u_msgs(s[r[i]]), 30);
	assert_true(u_count(net, r[0], GPE_CNT_TX_REPAIRS) >= 3 * 30);
	u_check(net);
	u_free(net);
}

static void gpe_region_rx_repair__asked_too_much(void **state)
{
	u64 was;
	struct w_pkt w;
	u32 n;

	(void)state;
	members(3);
	w_node = net->node[r[1]].engine;
	w_open(&w, GPE_PK_REPAIR, 0);
	n = gpe_wire_body(w.p + GPE_WIRE_HDR, 7, 1, U64_MAX, 0, false, false,
			  0);
	w_close(&w, n, 0);
	/* Not now: nothing is closing. */
	was = u_count(net, r[0], GPE_CNT_DROP_WEDGED);
	u_inject(net, r[0], r[1], w.p, w.len);
	assert_int_equal(u_count(net, r[0], GPE_CNT_DROP_WEDGED) - was, 1);
	u_kill(net, r[2]);
	u_wait(net, u_state_is(net, r[0], GPE_ST_WEDGED), 2000);
	was = u_count(net, r[0], GPE_CNT_TX_REPAIRS);
	u_inject(net, r[0], r[1], w.p, w.len);
	/* Of a stream that is not in the region. */
	w.p[GPE_WIRE_HDR + 24] = 9;
	u_inject(net, r[0], r[1], w.p, w.len);
	assert_true(u_count(net, r[0], GPE_CNT_TX_REPAIRS) - was < 20);
	u_wait(net, u_members(s[r[0]]) == 2 && u_members(s[r[1]]) == 2, 2000);
	u_free(net);
}

/*
 * What rank 2 sends comes to nobody but as a repair; a first proposal is not
 * heard of by rank 1, and a second one never gets all ready.
 */
static void two_proposals(struct u_net *n, u32 from, u32 to,
			  const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	u8 type = buf->data[3];

	(void)to;
	if (from == r[2] && is_data(buf, false) &&
	    !(buf->data[GPE_WIRE_HDR + 25] & 2))
		fate->copies = 0;
	if (type == GPE_PK_ACCEPT && n->filter_arg) {
		fate->copies = 0;
		n->filter_arg = 2;
	}
	if (type == GPE_PK_READY && from == r[2])
		fate->copies = 0;
}

/*
 * Rank 0 and 1 are proposed, and rank 0 accepts it. Then ranks 1 and 2, for
 * which rank 1 fetches what only rank 2 holds; rank 2 dies. The first proposal
 * is taken over: it says nothing of that stream, so nothing of it belongs to
 * the epoch, at rank 1 as little as at rank 0.
 */
static void gpe_region_set_cut__fetched_for_another_proposal(void **state)
{
	struct gpe_region *rgn;
	u32 i;

	(void)state;
	members(3);
	net->filter = two_proposals;
	for (i = 0; i < 3; i++)
		u_push(net, s[r[2]], GPE_FIFO, 50, 10 + i);
	net->filter_arg = 1;
	for (i = 0; i < 2; i++)
		u_link(net, r[i], r[2], false);
	u_wait(net, net->filter_arg == 2, 2000);
	u_isolate(net, r[0], true);
	u_link(net, r[1], r[2], true);
	rgn = gpe_region_find(net->node[r[1]].engine, 7, false);
	assert_non_null(rgn);
	u_wait(net, gpe_stream(rgn, 2)->cum > gpe_stream(rgn, 2)->stable, 2000);
	u_kill(net, r[2]);
	net->filter = NULL;
	u_isolate(net, r[0], false);
	for (i = 0; i < 2; i++)
		u_wait(net, u_members(s[r[i]]) == 2, 5000);
	for (i = 0; i < 2; i++) {
		assert_int_equal(u_recs(s[r[i]], GPE_REC_SUSPENDED), 0);
		assert_int_equal(u_msgs(s[r[i]]), 0);
	}
	u_check(net);
	u_free(net);
}

/* Rank 1 hears neither of the log nor of what rank 2 sends. */
static void no_log_no_data(struct u_net *n, u32 from, u32 to,
			   const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	no_log(n, from, to, buf, fate);
	if (from == r[2] && to == r[1] && is_data(buf, false) &&
	    !(buf->data[GPE_WIRE_HDR + 25] & 2))
		fate->copies = 0;
}

static struct gpe_view *latest(u32 rank, const char *name)
{
	return gpe_group_by_name(net->node[r[rank]].engine, name)->latest;
}

/*
 * Rank 2 sends in the old view, marks the change and sends in the new one,
 * then dies. Rank 1 has not applied the change: it waits for no marker, and
 * knows of nothing that is not stable. Only the newcomer has the last message,
 * whose predecessor is lost.
 */
static void gpe_mark_lost__who_is_behind_knows_of_no_marker(void **state)
{
	struct u_sock *old, *dead, *fresh;

	(void)state;
	members(4);
	old = u_member(net, r[1], "h");
	dead = u_member(net, r[2], "h");
	u_wait(net, u_members(old) == 2, 1000);
	u_run(net, 200 * U_MS);
	net->filter = no_log_no_data;
	u_push(net, dead, GPE_FIFO, 50, 1);
	fresh = u_join(net, r[3], "h");
	u_wait(net, latest(2, "h")->n == 3, 100);
	u_push(net, dead, GPE_FIFO, 50, 2);
	u_run(net, 5 * U_MS);
	assert_int_equal(latest(1, "h")->n, 2);
	u_kill(net, r[2]);
	u_wait(net, u_members(fresh) == 2 &&
		    u_last_view(fresh)->view->n_left == 1, 3000);
	u_wait(net, u_members(old) == 2 &&
		    u_last_view(old)->view->n_left == 1, 1000);
	assert_int_equal(u_msgs(old), 0);
	assert_int_equal(u_msgs(fresh), 0);
	u_check(net);
	u_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			gpe_mark_lost__who_is_behind_knows_of_no_marker),
		cmocka_unit_test(
			gpe_region_set_cut__fetched_for_another_proposal),
		cmocka_unit_test(gpe_rx_gate__late_data_is_not_taken_in),
		cmocka_unit_test(gpe_stream_drain__log_comes_with_the_cut),
		cmocka_unit_test(
			gpe_tx_wants__fetched_from_the_holder_under_loss),
		cmocka_unit_test(gpe_region_rx_repair__asked_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
