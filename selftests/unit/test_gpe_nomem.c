// SPDX-License-Identifier: GPL-2.0
/*
 * Allocate first, or change nothing: the same scenario over and over, with the
 * n-th allocation of one node failing, for each n there is. Whatever that node
 * does (it may leave the view), nothing crashes or leaks, the others agree,
 * and in the end all are together again.
 */
#include "unit_net.h"

struct play {
	struct u_net *net;
	u32 who;		/* whose memory fails */
	long nr;		/* the n-th, 0: none */
	struct u_sock *s[4];	/* of nodes 0, 1, 2, and a second group's */
	u64 tag;
};

/* A program that meets ENOMEM tries again a little later. */
static struct u_sock *join(struct play *p, u32 i, const char *name)
{
	struct u_sock *s;

	while (u_try_join(p->net, i, name, NULL, 0, &s))
		u_run(p->net, U_MS);
	return s;
}

/* Until it is accepted; false: the node died or the socket is out. */
static bool push(struct play *p, struct u_sock *s, u8 level, u32 len)
{
	u64 end = p->net->now + 20000 * U_MS;

	p->tag++;
	while (s->bound) {
		u32 wakes = s->host->wakes;
		int ret = u_send(p->net, s, level, len, p->tag);

		if (!ret)
			return true;
		assert_true(p->net->now < end);
		if (ret == -ENOMEM) {
			u_run(p->net, U_MS);
			continue;
		}
		if (ret == -EPIPE)
			return false;
		assert_int_equal(ret, -EAGAIN);
		if (!u_until(p->net, s->host->wakes != wakes, 20000))
			fail_msg("n %ld: no wake at node %u, block %d", p->nr,
				 s->node->index, s->block);
	}
	return false;
}

static bool all_in(const struct play *p, u32 mask, u32 members)
{
	u32 i;

	for (i = 0; i < 3; i++)
		if ((mask >> i & 1) && (!p->s[i]->attached ||
					u_members(p->s[i]) != members))
			return false;
	return true;
}

static void burst(struct play *p, u32 mask)
{
	u32 i, k;

	for (k = 0; k < 3; k++)
		for (i = 0; i < 3; i++)
			if (mask >> i & 1)
				push(p, p->s[i], k & 1 ? GPE_FIFO : GPE_TOTAL,
				     k == 2 ? 9000 : 40);
}

/*
 * Join, send, a second group, leave, a node dies, it comes again, the node in
 * question is cut off for so long that it has to come again as well.
 */
static void scenario(struct play *p)
{
	struct u_net *net = p->net;
	u32 i, dead = p->who == 2 ? 1 : 2;

	for (i = 0; i < 3; i++)
		p->s[i] = join(p, i, "first");
	u_wait(net, all_in(p, 7, 3), 20000);
	burst(p, 7);
	p->s[3] = join(p, p->who, "second");
	burst(p, 7);
	u_leave(net, p->s[3]);
	u_wait(net, !p->s[3]->bound, 20000);
	burst(p, 7);
	u_kill(net, dead);
	burst(p, 7 & ~(1 << dead));
	u_wait(net, all_in(p, 7 & ~(1 << dead), 2), 20000);
	u_start(net, dead);
	p->s[dead] = join(p, dead, "first");
	u_wait(net, all_in(p, 7, 3), 30000);
	burst(p, 7);
	u_isolate(net, p->who, true);
	u_run(net, 1500 * U_MS);
	u_isolate(net, p->who, false);
	u_wait(net, all_in(p, 7, 3), 30000);
	burst(p, 7);
}

static void settle(struct play *p)
{
	struct u_net *net = p->net;
	u64 tags[3];
	u32 i, k;

	if (!u_until(net, u_one_view(net, 7) && all_in(p, 7, 3), 60000))
		fail_msg("n %ld: does not settle", p->nr);
	for (i = 0; i < 3; i++) {
		push(p, p->s[i], GPE_TOTAL, 100);
		tags[i] = p->tag;
	}
	for (i = 0; i < 3; i++)
		for (k = 0; k < 3; k++)
			if (!u_until(net, u_got(p->s[i], tags[k]), 20000))
				fail_msg("n %ld: node %u lacks a message of %u",
					 p->nr, i, k);
	u_check(net);
}

/* False: the scenario has fewer allocations. */
static bool play(u32 who, long nr)
{
	struct play p = { .who = who, .nr = nr };
	bool failed;
	u32 i;

	p.net = u_new(3);
	for (i = 0; i < 3; i++) {
		u_start(p.net, i);
		p.net->node[i].fail_in = i == who ? nr : 0;
	}
	u_wait(p.net, u_one_view(p.net, 7), 20000);
	scenario(&p);
	settle(&p);
	failed = p.net->node[who].failed;
	u_free(p.net);
	return failed;
}

static void each(u32 who)
{
	long nr;

	for (nr = 1; play(who, nr); nr++)
		;
	printf("rank %u: %ld allocations failed, one at a time\n", who,
	       nr - 1);
	assert_true(nr > 100);
}

/* A cluster of one has no heartbeats whose steps would try things again. */
static bool play_alone(long nr)
{
	struct play p = { .nr = nr };
	bool failed;

	p.net = u_new(1);
	u_start_alone(p.net, 0);
	p.net->node[0].fail_in = nr;
	p.s[0] = join(&p, 0, "first");
	p.s[1] = join(&p, 0, "first");
	u_wait(p.net, p.s[0]->attached && u_members(p.s[1]) == 2, 1000);
	push(&p, p.s[0], GPE_TOTAL, 100000);
	push(&p, p.s[1], GPE_FIFO, 10);
	p.s[2] = join(&p, 0, "second");
	u_wait(p.net, p.s[2]->attached, 1000);
	u_leave(p.net, p.s[0]);
	u_leave(p.net, p.s[2]);
	u_wait(p.net, !p.s[0]->bound && !p.s[2]->bound, 1000);
	push(&p, p.s[1], GPE_TOTAL, 10);
	u_wait(p.net, u_got(p.s[1], p.tag), 1000);
	u_check(p.net);
	failed = p.net->node[0].failed;
	u_free(p.net);
	return failed;
}

static void gpe_alloc__each_fails_once_alone(void **state)
{
	long nr;

	(void)state;
	for (nr = 1; play_alone(nr); nr++)
		;
	assert_true(nr > 80);
}

/* From @from_ms on, for @ms, memory is short; false: it was all over then. */
static bool shortage(u32 who, u64 from_ms, u64 ms, bool cells)
{
	struct play p = { .who = who, .nr = from_ms };
	struct u_node *n;
	bool reached;
	u32 i;

	p.net = u_new(3);
	n = &p.net->node[who];
	for (i = 0; i < 3; i++)
		u_start(p.net, i);
	n->short_from = p.net->now + from_ms * U_MS;
	n->short_to = n->short_from + ms * U_MS;
	n->short_cells = cells;
	u_wait(p.net, u_one_view(p.net, 7), 20000);
	scenario(&p);
	reached = p.net->now >= n->short_from;
	settle(&p);
	u_free(p.net);
	return reached;
}

static void shortages(bool cells)
{
	u32 who;
	u64 at;

	for (who = 0; who < 3; who++)
		for (at = 900; shortage(who, at, 60, cells); at += 17)
			;
}

static void gpe_alloc__none_for_a_while(void **state)
{
	(void)state;
	shortages(false);
}

static void gpe_pool_add__no_cells_for_a_while(void **state)
{
	(void)state;
	shortages(true);
}

static void gpe_alloc__each_fails_once_at_rank_0(void **state)
{
	(void)state;
	each(0);
}

static void gpe_alloc__each_fails_once_at_rank_1(void **state)
{
	(void)state;
	each(1);
}

static void gpe_alloc__each_fails_once_at_rank_2(void **state)
{
	(void)state;
	each(2);
}

/* The host is asked to go on only for what can go on. */
static void gpe_dir_pump__without_cells_is_no_loop(void **state)
{
	struct u_net *net = u_new(1);
	struct u_sock *s;

	(void)state;
	u_start_alone(net, 0);
	net->node[0].short_to = U64_MAX;
	net->node[0].short_cells = true;
	s = u_join(net, 0, "g");
	u_run(net, 100 * U_MS);
	assert_false(s->attached);
	net->node[0].short_to = 0;
	u_wait(net, s->attached, 1000);
	u_free(net);
}

static void gpe_node_create__each_allocation_fails(void **state)
{
	struct gpe_cfg cfg = { .id = 1, .votes = 1,
			       .heartbeat_ns = GPE_HEARTBEAT_NS,
			       .detect_ns = GPE_DETECT_NS };
	struct gpe_node *node = NULL;
	long nr;

	(void)state;
	for (nr = 1; !node; nr++) {
		gpe_shim_fail_in = nr;
		node = gpe_node_create(&cfg, 1, 1, 1, 1);
		if (!node)
			assert_int_equal(gpe_shim_allocs, 0);
	}
	assert_true(nr > 4);
	gpe_shim_fail_in = 0;
	gpe_node_free(node);
	assert_int_equal(gpe_shim_allocs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_node_create__each_allocation_fails),
		cmocka_unit_test(gpe_dir_pump__without_cells_is_no_loop),
		cmocka_unit_test(gpe_alloc__each_fails_once_alone),
		cmocka_unit_test(gpe_alloc__each_fails_once_at_rank_0),
		cmocka_unit_test(gpe_alloc__each_fails_once_at_rank_1),
		cmocka_unit_test(gpe_alloc__each_fails_once_at_rank_2),
		cmocka_unit_test(gpe_alloc__none_for_a_while),
		cmocka_unit_test(gpe_pool_add__no_cells_for_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
