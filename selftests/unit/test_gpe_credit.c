// SPDX-License-Identifier: GPL-2.0
/* Credit: packets, senders held back and woken, what passes nevertheless. */
#include "unit_wire.h"

#define BODY GPE_WIRE_HDR
#define LEN 36		/* of an entry */

static struct u_sock *s[3];

/* ---- packets ---- */

static void credit_fill(struct w_pkt *w, u32 n)
{
	u32 i;

	w_open(w, GPE_PK_CREDIT, 0);
	w->p[BODY] = n;
	for (i = 0; i < n; i++) {
		u8 *p = w->p + BODY + 4 + i * LEN;

		put_unaligned_be64(1000 + i, p);
		put_unaligned_be64(20 + i, p + 8);
		put_unaligned_be64(0x0102030405060708ULL, p + 16);
		put_unaligned_be32(30 + i, p + 24);
		put_unaligned_be32(40 + i, p + 28);
		p[32] = i & 1;
	}
	w_close(w, 4 + n * LEN, 0);
}

static void gpe_credit_decode__round_trip(void **state)
{
	struct w_pkt w;
	u32 n, i;

	w_setup(state);
	for (n = 1; n <= GPE_CREDITS_MAX; n++) {
		credit_fill(&w, n);
		assert_int_equal(w_decode(&w), 0);
		assert_int_equal(w_out.credit.n, n);
		for (i = 0; i < n; i++) {
			assert_int_equal(w_out.credit.c[i].gid, 1000 + i);
			assert_int_equal(w_out.credit.c[i].k, 20 + i);
			assert_true(w_out.credit.c[i].limit ==
				    0x0102030405060708ULL);
			assert_int_equal(w_out.credit.c[i].serial, 30 + i);
			assert_int_equal(w_out.credit.c[i].want, 40 + i);
			assert_int_equal(w_out.credit.c[i].ask, i & 1);
		}
	}
	w_teardown(state);
}

static void gpe_credit_decode__malformed(void **state)
{
	static const struct w_case cases[] = {
		{ BODY, 1, 0, 0 },	/* entries */
		{ BODY, 1, 1, 0 },
		{ BODY, 1, 3, 0 },
		{ BODY, 1, GPE_CREDITS_MAX + 1, 0 },
		{ BODY, 1, 255, 0 },
		{ BODY + 1, 1, 1, 0 },
		{ BODY + 3, 1, 1, 0 },
		{ BODY + 4, 8, U64_MAX, 1 },
		{ BODY + 4 + 28, 4, GPE_MSG_MAX + GPE_RECORD_COST, 1 },
		{ BODY + 4 + 28, 4, GPE_MSG_MAX + GPE_RECORD_COST + 1, 0 },
		{ BODY + 4 + 28, 4, U32_MAX, 0 },
		{ BODY + 4 + 32, 1, 1, 1 },
		{ BODY + 4 + 32, 1, 2, 1 },
		{ BODY + 4 + 32, 1, 3, 0 },
		{ BODY + 4 + 33, 1, 1, 0 },
		{ BODY + 4 + 35, 1, 1, 0 },
		{ BODY + 4 + LEN + 35, 1, 1, 0 },
	};
	struct w_pkt w;

	w_setup(state);
	credit_fill(&w, 2);
	w_cases(&w, cases, ARRAY_SIZE(cases));
	w_truncate(&w);
	credit_fill(&w, GPE_CREDITS_MAX);
	w_truncate(&w);
	w_fuzz(&w, 100000);
	w_teardown(state);
}

/* ---- senders and readers ---- */

static void open_three(struct u_net *net, u32 limit)
{
	u32 i;

	for (i = 0; i < 3; i++)
		u_try_join(net, i, "g", NULL, limit, &s[i]);
	for (i = 0; i < 3; i++)
		u_wait(net, u_members(s[i]) == 3, 2000);
	u_run(net, 50 * U_MS);
}

/* Sends until it is refused: how many were taken. */
static u32 fill(struct u_net *net, struct u_sock *from, u32 len, u64 tag)
{
	u32 n = 0;

	while (!u_send(net, from, GPE_FIFO, len, tag + n)) {
		assert_true(++n < 100000);
		u_run(net, U_MS);
	}
	return n;
}

static void gpe_credit_check__slow_reader_blocks_and_wakes(void **state)
{
	struct u_net *net = u_cluster(3);
	u32 n, wakes, limit = 100000;

	(void)state;
	open_three(net, limit);
	net->node[2].hold = true;
	n = fill(net, s[0], 1000, 1);
	assert_int_equal(s[0]->block, GPE_BLOCK_CREDIT);
	assert_true(u_count(net, 0, GPE_CNT_BLOCKED_CREDIT) > 0);
	/* What is unread never passes the share of half the limit. */
	u_run(net, 500 * U_MS);
	assert_int_equal(u_unread(net, 2), n);
	assert_true(n * gpe_cost(1000) <= limit / 2);
	assert_true(n > 5);
	wakes = s[0]->host->wakes;
	u_run(net, 500 * U_MS);
	assert_int_equal(u_send(net, s[0], GPE_FIFO, 1000, n + 1), -EAGAIN);
	u_run(net, 500 * U_MS);
	assert_int_equal(s[0]->host->wakes, wakes);
	u_read(net, 2, U32_MAX);
	u_wait(net, s[0]->host->wakes > wakes, 1000);
	assert_int_equal(u_send(net, s[0], GPE_FIFO, 1000, n + 1), 0);
	u_check(net);
	u_free(net);
}

static void gpe_credit_check__own_reader_is_told_apart(void **state)
{
	struct u_net *net = u_cluster(3);
	u32 wakes;

	(void)state;
	open_three(net, 100000);
	net->node[0].hold = true;
	fill(net, s[0], 1000, 1);
	assert_int_equal(s[0]->block, GPE_BLOCK_SELF);
	/* With another one besides it is not ourselves alone. */
	net->node[1].hold = true;
	u_read(net, 0, U32_MAX);
	fill(net, s[0], 1000, 1000);
	assert_int_equal(s[0]->block, GPE_BLOCK_CREDIT);
	u_read(net, 1, U32_MAX);
	net->node[1].hold = false;
	u_run(net, 300 * U_MS);
	fill(net, s[0], 1000, 3000);
	assert_int_equal(s[0]->block, GPE_BLOCK_SELF);
	wakes = s[0]->host->wakes;
	u_read(net, 0, U32_MAX);
	assert_true(s[0]->host->wakes > wakes);
	assert_int_equal(u_send(net, s[0], GPE_FIFO, 1000, 5000), 0);
	u_free(net);
}

static void gpe_credit_check__memory_is_bounded(void **state)
{
	struct u_net *net = u_cluster(3);
	u32 i, k, sent = 0, limit = 200000;
	long bufs;

	(void)state;
	open_three(net, limit);
	net->node[2].hold = true;
	/* All three send all they can for a while, small and large. */
	for (k = 1; k < 1000; k++) {
		for (i = 0; i < 3; i++)
			sent += !u_send(net, s[i], k & 1 ? GPE_TOTAL : GPE_FIFO,
					k % 7 ? 100 : 60000, k);
		u_run(net, U_MS);
	}
	u_run(net, 1000 * U_MS);
	bufs = gpe_shim_bufs;
	assert_true(sent > 10);
	assert_int_equal(u_unread(net, 2), sent);
	/* Half the limit in shares, and one large message. */
	assert_true(u_unread(net, 2) * 356 <= limit / 2 + 60256);
	u_read(net, 2, U32_MAX);
	u_run(net, 1000 * U_MS);
	assert_true(gpe_shim_bufs < bufs);
	u_check(net);
	u_free(net);
}

static void gpe_credit_check__joins_and_leaves_pass(void **state)
{
	struct u_net *net = u_cluster(3);
	struct u_sock *more;
	u32 i;

	(void)state;
	open_three(net, 100000);
	for (i = 0; i < 3; i++)
		net->node[i].hold = true;
	for (i = 0; i < 3; i++)
		fill(net, s[i], 1000, 1 + i * 10000);
	more = u_join(net, 1, "g");
	for (i = 0; i < 3; i++)
		u_wait(net, u_members(s[i]) == 4, 1000);
	u_wait(net, more->attached, 1000);
	u_leave(net, s[0]);
	u_wait(net, u_members(s[1]) == 3 && u_members(s[2]) == 3, 1000);
	u_wait(net, !s[0]->bound, 1000);
	u_check(net);
	u_free(net);
}

static void gpe_credit_check__order_records_pass(void **state)
{
	struct u_net *net = u_cluster(3);
	u32 i, n;

	(void)state;
	open_three(net, 100000);
	/* The sequencer's members cannot send any more; it still orders. */
	net->node[2].hold = true;
	fill(net, s[0], 1000, 1);
	assert_int_equal(s[0]->block, GPE_BLOCK_CREDIT);
	for (i = 0; i < 5; i++)
		assert_int_equal(u_send(net, s[1], GPE_TOTAL, 50, 1000 + i), 0);
	for (n = 0; n < 3; n++)
		u_wait(net, u_got(s[n], 1004), 1000);
	u_check(net);
	u_free(net);
}

/* All send the largest there are, each again when it is woken, to the end. */
static void gpe_grant_give__large_ones_of_all_get_through(void **state)
{
	struct u_net *net = u_cluster(3);
	u32 done[3] = { 0 }, seen[3], i;
	u64 end;

	(void)state;
	open_three(net, GPE_MSG_MAX + GPE_LIMIT_SLACK);
	for (i = 0; i < 3; i++)
		seen[i] = U32_MAX;
	end = net->now + 20000 * U_MS;
	while (done[0] + done[1] + done[2] < 12) {
		for (i = 0; i < 3; i++) {
			if (done[i] == 4 || seen[i] == s[i]->host->wakes)
				continue;
			seen[i] = s[i]->host->wakes;
			if (u_send(net, s[i], GPE_TOTAL, GPE_MSG_MAX - i,
				   (i + 1) * 100 + done[i]))
				continue;
			done[i]++;
			seen[i] = U32_MAX;
		}
		if (!u_turn(net, end))
			fail_msg("stuck at %u, %u, %u", done[0], done[1],
				 done[2]);
	}
	for (i = 0; i < 3; i++)
		u_wait(net, u_msgs(s[i]) == 12, 5000);
	u_check(net);
	u_free(net);
}

/* Who asked for a large grant and sends something small instead. */
static void gpe_credit_idle__grant_not_used_is_given_back(void **state)
{
	struct u_net *net = u_cluster(3);

	(void)state;
	open_three(net, GPE_MSG_MAX + GPE_LIMIT_SLACK);
	assert_int_equal(u_send(net, s[1], GPE_FIFO, GPE_MSG_MAX, 1), -EAGAIN);
	u_run(net, 50 * U_MS);
	u_push(net, s[1], GPE_FIFO, 10, 1);
	/* The other one waits at most until it is given back. */
	u_push(net, s[2], GPE_FIFO, GPE_MSG_MAX, 2);
	u_push(net, s[0], GPE_FIFO, GPE_MSG_MAX, 3);
	u_wait(net, u_got(s[1], 2) && u_got(s[1], 3), 5000);
	u_free(net);
}

static void set_limit(struct u_net *net, struct u_sock *sock, u32 limit)
{
	struct gpe_event ev = { .type = GPE_EV_LIMIT };

	ev.limit.local_at = &sock->local;
	ev.limit.limit = limit;
	u_event(net, sock->node->index, &ev);
}

static void gpe_credit_limit__raised_wakes(void **state)
{
	struct u_net *net = u_cluster(3);
	u32 wakes, n, k;

	(void)state;
	open_three(net, 100000);
	net->node[2].hold = true;
	n = fill(net, s[0], 1000, 1);
	wakes = s[0]->host->wakes;
	set_limit(net, s[2], 400000);
	u_wait(net, s[0]->host->wakes > wakes, 1000);
	k = fill(net, s[0], 1000, 10000);
	assert_true(k > 2 * n);
	u_free(net);
}

static void gpe_credit_limit__of_who_has_left_counts_no_more(void **state)
{
	struct u_net *net = u_cluster(3);
	struct u_sock *tight;
	u32 with, without;

	(void)state;
	open_three(net, 1000000);
	u_try_join(net, 2, "g", NULL, 30000, &tight);
	u_wait(net, u_members(s[0]) == 4 && tight->attached, 2000);
	/* What was told before it came is not taken back, but used up. */
	for (with = 0; with < 200; with++)
		u_push(net, s[0], GPE_FIFO, 1000, 100000 + with);
	net->node[2].hold = true;
	with = fill(net, s[0], 1000, 200000);
	u_leave(net, tight);
	u_wait(net, !tight->bound, 2000);
	u_read(net, 2, U32_MAX);
	u_run(net, 1000 * U_MS);
	without = fill(net, s[0], 1000, 300000);
	assert_true(with < 10 && without > 50);
	u_free(net);
}

static void no_credit(struct u_net *net, u32 from, u32 to,
		      const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)from;
	(void)to;
	if (buf->data[3] == GPE_PK_CREDIT && u_random(net, 100) < 70)
		fate->copies = 0;
}

static void gpe_credit_told__lost_packets_are_asked_for(void **state)
{
	struct u_net *net = u_cluster(3);
	u32 i;

	(void)state;
	open_three(net, 50000);
	net->filter = no_credit;
	for (i = 0; i < 200; i++)
		u_push(net, s[i % 3], GPE_TOTAL, 1000, i + 1);
	for (i = 0; i < 3; i++)
		u_wait(net, u_msgs(s[i]) == 200, 5000);
	u_check(net);
	u_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_credit_decode__round_trip),
		cmocka_unit_test(gpe_credit_decode__malformed),
		cmocka_unit_test(
			gpe_credit_check__slow_reader_blocks_and_wakes),
		cmocka_unit_test(gpe_credit_check__own_reader_is_told_apart),
		cmocka_unit_test(gpe_credit_check__memory_is_bounded),
		cmocka_unit_test(gpe_credit_check__joins_and_leaves_pass),
		cmocka_unit_test(gpe_credit_check__order_records_pass),
		cmocka_unit_test(gpe_grant_give__large_ones_of_all_get_through),
		cmocka_unit_test(gpe_credit_idle__grant_not_used_is_given_back),
		cmocka_unit_test(gpe_credit_limit__raised_wakes),
		cmocka_unit_test(
			gpe_credit_limit__of_who_has_left_counts_no_more),
		cmocka_unit_test(gpe_credit_told__lost_packets_are_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
