// SPDX-License-Identifier: GPL-2.0
/* Quorums, who may start a ballot, formations: protocol.md 5 and 6. */
#include "unit_net.h"
#include "gpe_change.h"

static struct u_sock *s[U_NODES];

/* ---- tables ---- */

static void gpe_majority__table(void **state)
{
	u32 votes, total;

	(void)state;
	for (total = 0; total < 12; total++) {
		for (votes = 0; votes <= total; votes++) {
			assert_int_equal(gpe_majority(votes, total, false),
					 votes > total - votes);
			assert_int_equal(gpe_majority(votes, total, true),
					 votes >= total - votes);
		}
	}
	assert_false(gpe_majority(1, 3, true));
	assert_true(gpe_majority(2, 3, false));
	assert_false(gpe_majority(2, 4, false));
}

static struct gpe_epoch epoch_of(u32 n, const u32 *votes, u32 expected)
{
	struct gpe_epoch ep = { .epoch = 1, .n = n, .expected = expected };
	u32 i;

	for (i = 0; i < n; i++)
		ep.seat[i].votes = votes ? votes[i] : 1;
	return ep;
}

static void gpe_quorum__one_vote_each(void **state)
{
	u32 n;
	u64 mask;

	(void)state;
	for (n = 1; n <= 6; n++) {
		struct gpe_epoch ep = epoch_of(n, NULL, n);

		for (mask = 0; mask < 1ULL << n; mask++) {
			u32 have = hweight64(mask);
			bool tie = 2 * have == n && (mask & 1);

			assert_int_equal(gpe_quorum(&ep, mask),
					 2 * have > n || tie);
			/* Never both a set and the rest. */
			assert_false(gpe_quorum(&ep, mask) &&
				     gpe_quorum(&ep, ~mask & gpe_all(&ep)));
		}
	}
}

static void gpe_quorum__votes_differ(void **state)
{
	static const struct {
		u32 n, votes[5];
		u64 mask;
		bool quorum;
	} c[] = {
		{ 3, { 0, 1, 1 }, 1, false },
		{ 3, { 0, 1, 1 }, 2, true },	/* lowest that votes */
		{ 3, { 0, 1, 1 }, 4, false },
		{ 3, { 0, 1, 1 }, 5, false },
		{ 3, { 0, 1, 1 }, 6, true },
		{ 3, { 0, 0, 0 }, 7, false },	/* nobody votes */
		{ 3, { 3, 1, 1 }, 1, true },
		{ 3, { 3, 1, 1 }, 6, false },
		{ 4, { 2, 1, 1, 2 }, 1 + 2, true },
		{ 4, { 2, 1, 1, 2 }, 4 + 8, false },
		{ 5, { 16, 16, 16, 16, 16 }, 0x1c, true },
		{ 5, { 16, 16, 16, 16, 16 }, 0x3, false },
		{ 2, { 0, 1 }, 2, true },
		{ 2, { 1, 0 }, 1, true },
		{ 2, { 1, 0 }, 2, false },
	};
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(c); i++) {
		struct gpe_epoch ep = epoch_of(c[i].n, c[i].votes, 1);

		if (gpe_quorum(&ep, c[i].mask) != c[i].quorum)
			fail_msg("case %u", i);
	}
}

static void gpe_old_enough__table(void **state)
{
	u32 n, expected;
	u64 mask;

	(void)state;
	for (n = 1; n <= 5; n++) {
		for (expected = 1; expected <= 8; expected++) {
			struct gpe_epoch ep = epoch_of(n, NULL, expected);

			for (mask = 0; mask < 1ULL << n; mask++)
				assert_int_equal(gpe_old_enough(&ep, mask),
						 2 * hweight64(mask) > expected ||
							 (expected == 2 &&
							  hweight64(mask) == 1));
		}
	}
}

static void gpe_votes__of_all_64(void **state)
{
	struct gpe_epoch ep = epoch_of(64, NULL, 64);

	(void)state;
	assert_int_equal(gpe_votes(&ep, U64_MAX), 64);
	assert_int_equal(gpe_votes(&ep, 1ULL << 63), 1);
	assert_true(gpe_quorum(&ep, 0xffffffffULL));
	assert_false(gpe_quorum(&ep, 0xffffffffULL << 32));
	assert_true(gpe_quorum(&ep, 0x1ffffffffULL << 31));
}

static void gpe_backoff__doubles_up_to_a_bound(void **state)
{
	struct u_net *net = u_new(1);
	struct gpe_node *node;
	u64 least = GPE_BACKOFF_MIN_NS;
	u32 i;

	(void)state;
	u_start_alone(net, 0);
	node = net->node[0].engine;
	for (i = 0; i < 12; i++) {
		u64 ns = gpe_backoff(node);

		assert_true(ns >= least && ns < 3 * least);
		least = min(2 * least, GPE_BACKOFF_MAX_NS / 2);
	}
	u_free(net);
}

/* ---- who may start, and who goes on ---- */

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

/* Ranks are ids less one only if nothing else was agreed: use ranks. */
static u32 at_rank(const struct u_net *net, u32 rank)
{
	return net->node[0].engine->ep.seat[rank].id - 1;
}

static void goes_on(struct u_net *net, u32 mask, u64 ms)
{
	u32 i;

	u_wait(net, u_one_view(net, mask), ms);
	for (i = 0; i < net->n; i++)
		if (mask >> i & 1)
			u_wait(net, u_members(s[i]) == hweight64(mask), 1000);
}

static u32 bit(u32 i)
{
	return 1 << i;
}

static void gpe_regular_consider__one_of_three_dies(void **state)
{
	struct u_net *net = members(3);
	u32 dead = at_rank(net, 2), i;
	u64 at;

	(void)state;
	u_kill(net, dead);
	at = net->now;
	goes_on(net, 7 & ~bit(dead), 600);
	assert_true(net->now - at > 200 * U_MS);
	for (i = 0; i < 3; i++) {
		const struct gpe_view *v;

		if (i == dead)
			continue;
		v = u_last_view(s[i])->view;
		assert_int_equal(v->n_left, 1);
		assert_int_equal(v->m[2].why, GPE_WHY_NODE_DOWN);
	}
	u_check(net);
	u_free(net);
}

static void gpe_regular_consider__most_senior_dies(void **state)
{
	struct u_net *net = members(3);
	u32 dead = at_rank(net, 0);

	(void)state;
	u_kill(net, dead);
	goes_on(net, 7 & ~bit(dead), 600);
	u_check(net);
	u_free(net);
}

static void gpe_regular_consider__two_of_five_die(void **state)
{
	struct u_net *net = members(5);
	u32 a = at_rank(net, 0), b = at_rank(net, 3);

	(void)state;
	u_kill(net, a);
	u_kill(net, b);
	goes_on(net, 31 & ~bit(a) & ~bit(b), 2000);
	u_check(net);
	u_free(net);
}

static void gpe_goodbye_rx__node_left_at_once(void **state)
{
	struct u_net *net = members(3);
	u32 gone = at_rank(net, 1), i;

	(void)state;
	u_goodbye(net, gone);
	goes_on(net, 7 & ~bit(gone), 100);
	for (i = 0; i < 3; i++)
		if (i != gone)
			assert_int_equal(u_last_view(s[i])->view->m[2].why,
					 GPE_WHY_NODE_LEFT);
	assert_true(u_state_is(net, gone, GPE_ST_STOPPED));
	assert_int_equal(u_send(net, s[gone], GPE_FIFO, 1, 1), -EPIPE);
	u_check(net);
	u_free(net);
}

/* Both ways, only from the senior, only from the junior. */
static u32 deaf_pair(u32 senior, u32 junior, u32 way)
{
	struct u_net *net = members(3);
	u32 a = at_rank(net, senior), b = at_rank(net, junior), out;

	net->cut[a][b] = way != 2;
	net->cut[b][a] = way != 1;
	assert_true(u_until(net, u_one_view(net, 7 & ~bit(b)) ||
			    u_one_view(net, 7 & ~bit(a)), 4000));
	out = u_one_view(net, 7 & ~bit(b)) ? b : a;
	goes_on(net, 7 & ~bit(out), 1000);
	u_run(net, 1000 * U_MS);
	assert_true(u_one_view(net, 7 & ~bit(out)));
	u_link(net, a, b, true);
	goes_on(net, 7, 10000);
	u_check(net);
	u_free(net);
	return out == b ? junior : senior;
}

static void gpe_view_deaf__junior_of_two_is_left_out(void **state)
{
	u32 way;

	(void)state;
	for (way = 0; way < 3; way++) {
		assert_int_equal(deaf_pair(1, 2, way), 2);
		assert_int_equal(deaf_pair(0, 2, way), 2);
		assert_int_equal(deaf_pair(0, 1, way), 1);
	}
}

/* The first choice by rank has no quorum, so the next one is tried. */
static void gpe_pick__next_choice_by_rank(void **state)
{
	struct u_net *net = members(5);
	u32 r[5], i;

	(void)state;
	for (i = 0; i < 5; i++)
		r[i] = at_rank(net, i);
	for (i = 2; i < 5; i++)
		u_link(net, r[1], r[i], false);
	goes_on(net, 31 & ~bit(r[1]), 5000);
	u_check(net);
	u_free(net);
}

/* A quorum would be left with either: the one that two do not hear goes. */
static void gpe_pick__most_votes_stay(void **state)
{
	struct u_net *net = members(6);
	u32 r[6], i;

	(void)state;
	for (i = 0; i < 6; i++)
		r[i] = at_rank(net, i);
	u_link(net, r[1], r[2], false);
	net->cut[r[3]][r[1]] = true;
	goes_on(net, 63 & ~bit(r[1]), 5000);
	u_check(net);
	u_free(net);
}

/* All links are bad: one choice after another, but not for ever. */
static void gpe_pick__bounded(void **state)
{
	struct u_net *net = members(8);
	struct gpe_node *node = net->node[at_rank(net, 0)].engine;
	u32 i, k;

	(void)state;
	/* No three of them hear each other: as many choices as can be. */
	for (i = 1; i < 8; i++)
		for (k = 1; k < 8; k++)
			if ((i + k) % 2 == 0 && i != k)
				u_link(net, at_rank(net, i), at_rank(net, k),
				       false);
	u_wait(net, !node->quorate, 1000);
	u_wait(net, node->state == GPE_ST_SUSPENDED, 1000);
	for (i = 0; i < 8; i++)
		for (k = 0; k < 8; k++)
			if (i != k)
				u_link(net, i, k, true);
	goes_on(net, 255, 10000);
	u_check(net);
	u_free(net);
}

/* Each hears a quorum, but there is none in which all hear each other. */
static void gpe_has_quorum__all_have_to_hear_each_other(void **state)
{
	struct u_net *net = members(5);
	u64 was = u_count(net, 0, GPE_CNT_BALLOTS);
	u32 i, k;

	(void)state;
	for (i = 0; i < 5; i++)
		for (k = 0; k < i; k++)
			if (i - k == 2 || i - k == 3)
				u_link(net, i, k, false);
	for (i = 0; i < 5; i++)
		u_wait(net, u_recs(s[i], GPE_REC_SUSPENDED) == 1, 6000);
	/* Before all links were known to be bad. */
	assert_in_range(u_count(net, 0, GPE_CNT_BALLOTS) - was, 0, 2);
	assert_int_equal(u_send(net, s[0], GPE_FIFO, 10, 1), -EAGAIN);
	for (i = 0; i < 5; i++)
		for (k = 0; k < i; k++)
			u_link(net, i, k, true);
	goes_on(net, 31, 5000);
	for (i = 0; i < 5; i++)
		u_push(net, s[i], GPE_TOTAL, 10, 1 + i);
	for (i = 0; i < 5; i++)
		u_wait(net, u_msgs(s[i]) == 5, 1000);
	u_check(net);
	u_free(net);
}

/* A senior that only one other hears cannot lead: nobody waits for it. */
static void gpe_unheard_leads__not_without_a_quorum(void **state)
{
	struct u_net *net = members(5);
	u32 lone = at_rank(net, 0), i;

	(void)state;
	for (i = 1; i < 4; i++)
		u_link(net, lone, at_rank(net, i), false);
	goes_on(net, 31 & ~bit(lone), 600);
	u_check(net);
	u_free(net);
}

/* Who is heard by all and hears nobody starts no ballot. */
static void gpe_ranks_heard__who_hears_none_starts_none(void **state)
{
	struct u_net *net = members(3);
	u32 deaf = at_rank(net, 0), i;
	u64 was = u_count(net, deaf, GPE_CNT_BALLOTS);

	(void)state;
	for (i = 0; i < 3; i++)
		net->cut[i][deaf] = i != deaf;
	u_run(net, 3000 * U_MS);
	assert_int_equal(u_count(net, deaf, GPE_CNT_BALLOTS), was);
	assert_true(u_one_view(net, 7 & ~bit(deaf)));
	u_check(net);
	u_free(net);
}

/*
 * Nor who hears all and is heard by nobody, but for the moment in which one of
 * the others has not said so yet.
 */
static void gpe_ranks_heard__who_is_not_heard_starts_none(void **state)
{
	struct u_net *net = members(3);
	u32 mute = at_rank(net, 0), i;
	u64 was = u_count(net, mute, GPE_CNT_BALLOTS);

	(void)state;
	for (i = 0; i < 3; i++)
		net->cut[mute][i] = i != mute;
	u_run(net, 3000 * U_MS);
	assert_true(u_count(net, mute, GPE_CNT_BALLOTS) <= was + 1);
	assert_true(u_one_view(net, 7 & ~bit(mute)));
	u_check(net);
	u_free(net);
}

/* Heartbeats overtake the decision by (arg) nanoseconds. */
static void late_install(struct u_net *net, u32 from, u32 to,
			 const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)from;
	(void)to;
	if (buf->data[3] == GPE_PK_INSTALL)
		fate->delay_ns += net->filter_arg;
}

/* Who hears the next epoch asks for the decision and begins no ballot. */
static void gpe_led_by_other__next_epoch_is_heard_first(void **state)
{
	struct u_net *net = members(4);
	u32 dead = at_rank(net, 3), i;
	u64 sum = 0, was = 0;

	(void)state;
	for (i = 0; i < 4; i++)
		was += i == dead ? 0 : u_count(net, i, GPE_CNT_BALLOTS);
	net->filter = late_install;
	net->filter_arg = 150 * U_MS;
	u_kill(net, dead);
	goes_on(net, 15 & ~bit(dead), 1500);
	for (i = 0; i < 4; i++)
		sum += i == dead ? 0 : u_count(net, i, GPE_CNT_BALLOTS);
	assert_int_equal(sum, was + 1);
	u_check(net);
	u_free(net);
}

/* Whoever loses a node says so at once, or the next in rank would wait. */
static void gpe_loss_tell__junior_takes_over_at_once(void **state)
{
	struct u_net *net = members(3);
	u32 a = at_rank(net, 0), b = at_rank(net, 1), c = at_rank(net, 2);

	(void)state;
	/* The last that the others heard of it they heard at one time. */
	u_kill(net, a);
	u_wait(net, !net->node[b].engine->path[a].up &&
		    !net->node[c].engine->path[a].up, 500);
	u_wait(net, !u_state_is(net, b, GPE_ST_NORMAL), 2);
	u_check(net);
	u_free(net);
}

/* The senior cannot propose the best choice, which is without it. */
static void gpe_first_heard__best_connected_leads(void **state)
{
	struct u_net *net = members(5);
	u32 senior = at_rank(net, 0);

	(void)state;
	u_link(net, senior, at_rank(net, 1), false);
	net->cut[senior][at_rank(net, 2)] = true;
	goes_on(net, 31 & ~bit(senior), 1500);
	u_check(net);
	u_free(net);
}

static void gpe_first_heard__lowest_rank_leads(void **state)
{
	struct u_net *net = members(4);
	u32 r[4], i;
	u64 was[4];

	(void)state;
	for (i = 0; i < 4; i++) {
		r[i] = at_rank(net, i);
		was[i] = u_count(net, r[i], GPE_CNT_BALLOTS);
	}
	u_kill(net, r[3]);
	goes_on(net, 15 & ~bit(r[3]), 1000);
	assert_int_equal(u_count(net, r[0], GPE_CNT_BALLOTS), was[0] + 1);
	assert_int_equal(u_count(net, r[1], GPE_CNT_BALLOTS), was[1]);
	assert_int_equal(u_count(net, r[2], GPE_CNT_BALLOTS), was[2]);
	u_free(net);
}

static void gpe_quorum__of_two_the_senior_goes_on(void **state)
{
	struct u_net *net = members(2);
	u32 a = at_rank(net, 0), b = at_rank(net, 1);

	(void)state;
	u_link(net, a, b, false);
	goes_on(net, bit(a), 2000);
	u_run(net, 2000 * U_MS);
	assert_true(u_one_view(net, bit(a)));
	assert_true(u_state_is(net, b, GPE_ST_SUSPENDED));
	u_link(net, a, b, true);
	goes_on(net, 3, 5000);
	u_check(net);
	u_free(net);
}

static void gpe_quorum__four_halved(void **state)
{
	struct u_net *net = members(4);
	u32 r[4], i, k;

	(void)state;
	for (i = 0; i < 4; i++)
		r[i] = at_rank(net, i);
	for (i = 0; i < 4; i++)
		for (k = 0; k < 4; k++)
			if ((i == 0 || i == 3) != (k == 0 || k == 3))
				u_link(net, r[i], r[k], false);
	for (i = 0; i < 4; i++)
		u_wait(net, u_state_is(net, i, GPE_ST_SUSPENDED), 2000);
	for (i = 0; i < 4; i++)
		for (k = 0; k < 4; k++)
			u_link(net, i, k, true);
	goes_on(net, 15, 5000);
	u_check(net);
	u_free(net);
}

static void gpe_view_suspend__minority_hears_so_and_comes_back(void **state)
{
	struct u_net *net = members(3);
	u32 lone = at_rank(net, 2), i, other = at_rank(net, 1);
	u64 inc = net->node[lone].engine->inc;

	(void)state;
	u_isolate(net, lone, true);
	u_wait(net, u_recs(s[lone], GPE_REC_SUSPENDED) == 1, 1500);
	assert_true(u_state_is(net, lone, GPE_ST_SUSPENDED));
	assert_string_equal(u_why(net, lone), "no quorum is heard");
	assert_int_equal(u_send(net, s[lone], GPE_FIFO, 10, 1), -EAGAIN);
	assert_int_equal(s[lone]->block, GPE_BLOCK_SUSPENDED);
	goes_on(net, 7 & ~bit(lone), 1000);
	u_push(net, s[other], GPE_TOTAL, 10, 5);
	u_run(net, 2000 * U_MS);
	assert_false(u_got(s[lone], 5));

	u_isolate(net, lone, false);
	goes_on(net, 7, 5000);
	assert_true(net->node[lone].engine->inc != inc);
	assert_true(s[lone]->bound && s[lone]->attached);
	assert_int_equal(u_recs(s[lone], GPE_REC_SUSPENDED), 1);
	for (i = 0; i < 3; i++)
		u_push(net, s[i], GPE_TOTAL, 10, 100 + i);
	for (i = 0; i < 3; i++)
		u_wait(net, u_got(s[i], 100) && u_got(s[i], 101) &&
			    u_got(s[i], 102), 1000);
	u_check(net);
	u_free(net);
}

/* Cut off shorter than it takes the others to go on: as if nothing was. */
static void gpe_view_suspend__healed_in_time(void **state)
{
	struct u_net *net = members(3);
	u32 lone = at_rank(net, 1), i;
	u64 epoch = net->node[0].engine->ep.epoch;

	(void)state;
	u_isolate(net, lone, true);
	u_run(net, 150 * U_MS);
	u_isolate(net, lone, false);
	u_run(net, 1000 * U_MS);
	assert_true(u_one_view(net, 7));
	assert_int_equal(net->node[0].engine->ep.epoch, epoch);
	for (i = 0; i < 3; i++)
		assert_int_equal(u_members(s[i]), 3);
	u_free(net);
}

/* All suspended, then a quorum hears each other again. */
static void gpe_view_suspend__all_apart_and_together_again(void **state)
{
	struct u_net *net = members(3);
	u32 i;

	(void)state;
	for (i = 0; i < 3; i++)
		u_isolate(net, i, true);
	for (i = 0; i < 3; i++)
		u_wait(net, u_recs(s[i], GPE_REC_SUSPENDED) == 1, 2000);
	for (i = 0; i < 3; i++)
		u_isolate(net, i, false);
	goes_on(net, 7, 10000);
	for (i = 0; i < 3; i++)
		u_push(net, s[i], GPE_TOTAL, 10, 1 + i);
	for (i = 0; i < 3; i++)
		u_wait(net, u_msgs(s[i]) == 3, 1000);
	u_check(net);
	u_free(net);
}

/* ---- formations ---- */

static void gpe_form_enough__half_is_not(void **state)
{
	struct u_net *net = u_new(4);

	(void)state;
	u_start(net, 0);
	u_start(net, 1);
	u_run(net, 5000 * U_MS);
	assert_true(u_state_is(net, 0, GPE_ST_FRESH));
	assert_true(u_state_is(net, 1, GPE_ST_FRESH));
	u_start(net, 3);
	u_wait(net, u_one_view(net, 11), 5000);
	u_start(net, 2);
	u_wait(net, u_one_view(net, 15), 5000);
	u_free(net);
}

static void gpe_form_consider__not_before_its_time(void **state)
{
	struct u_net *net = u_new(2);
	u64 at = net->now;

	(void)state;
	u_start(net, 0);
	u_start(net, 1);
	u_wait(net, u_one_view(net, 3), 5000);
	assert_true(net->now - at >= GPE_FORMATION_NS);
	assert_true(net->now - at < GPE_FORMATION_NS + 500 * U_MS);
	/* The wall clock numbers the first epoch. */
	assert_true(net->node[0].engine->ep.epoch > 1700000000ULL * 1000 *
						    U_MS);
	u_free(net);
}

static void gpe_newcomer_waits__arrivals_are_gathered(void **state)
{
	struct u_net *net = u_new(5);
	u64 was;
	u32 i;

	(void)state;
	for (i = 0; i < 3; i++)
		u_start(net, i);
	u_wait(net, u_one_view(net, 7), 5000);
	u_run(net, 1000 * U_MS);
	was = u_count(net, 0, GPE_CNT_VIEW_CHANGES);
	u_start(net, 3);
	u_run(net, 20 * U_MS);
	u_start(net, 4);
	u_wait(net, u_one_view(net, 31), 2000);
	assert_true(u_count(net, 0, GPE_CNT_VIEW_CHANGES) - was <= 2);
	u_free(net);
}

static void gpe_flap_account__who_comes_and_goes_waits(void **state)
{
	struct u_net *net = members(3);
	u32 odd = at_rank(net, 2), i;
	u64 gap = 0, at;

	(void)state;
	for (i = 0; i < 4; i++) {
		u_kill(net, odd);
		u_wait(net, u_one_view(net, 7 & ~bit(odd)), 2000);
		at = net->now;
		u_start(net, odd);
		u_wait(net, u_one_view(net, 7), 60000);
		if (i > 1)
			assert_true(net->now - at > gap);
		gap = net->now - at;
	}
	assert_true(gap > 4000 * U_MS);
	u_free(net);
}

/* Two chains, which only wrong settings make possible. */
static void gpe_foreign__fewer_votes_yield(void **state)
{
	struct u_net *net = u_new(3);
	u32 i;

	(void)state;
	u_isolate(net, 2, true);
	for (i = 0; i < 3; i++) {
		net->node[i].cfg.expected_votes = 1;
		u_start(net, i);
	}
	u_wait(net, u_one_view(net, 3) && u_one_view(net, 4), 10000);
	for (i = 0; i < 3; i++)
		s[i] = u_join(net, i, "g");
	u_wait(net, u_members(s[0]) == 2 && u_members(s[2]) == 1, 1000);
	u_isolate(net, 2, false);
	goes_on(net, 7, 10000);
	assert_int_equal(u_recs(s[2], GPE_REC_SUSPENDED), 1);
	assert_int_equal(u_recs(s[0], GPE_REC_SUSPENDED), 0);
	u_check(net);
	u_free(net);
}

static void gpe_settings_differ__votes_change_with_a_view(void **state)
{
	struct u_net *net = members(3);
	struct gpe_event ev = { .type = GPE_EV_CONFIG };
	u32 i;

	(void)state;
	ev.config.cfg = net->node[1].cfg;
	ev.config.cfg.votes = 3;
	ev.config.wall_ns = 1700000000ULL * 1000 * U_MS;
	u_event(net, 1, &ev);
	assert_int_equal(ev.config.ret, 0);
	u_wait(net, gpe_votes(&net->node[0].engine->ep, 7) == 5, 3000);
	u_wait(net, u_one_view(net, 7), 1000);
	/* Groups whose members are the same keep their view. */
	for (i = 0; i < 3; i++)
		assert_int_equal(u_recs(s[i], GPE_REC_VIEW),
				 u_recs(s[i], GPE_REC_VIEW));
	u_push(net, s[0], GPE_TOTAL, 10, 1);
	u_wait(net, u_got(s[2], 1), 1000);
	/* Now it is a quorum by itself. */
	u_isolate(net, 1, true);
	goes_on(net, 2, 3000);
	u_check(net);
	u_free(net);
}

/* The leader that was promised to restarts: it has no seat in the epoch. */
static void gpe_led_by_other__leader_restarts(void **state)
{
	struct u_net *net = members(5);

	(void)state;
	u_kill(net, 4);
	u_wait(net, u_state_is(net, 1, GPE_ST_WEDGED) &&
		    u_state_is(net, 2, GPE_ST_WEDGED), 2000);
	u_kill(net, 0);
	/* The next in rank does not hear of it and waits. */
	u_link(net, 0, 1, false);
	u_start(net, 0);
	u_run(net, 500 * U_MS);
	u_link(net, 0, 1, true);
	u_wait(net, u_one_view(net, 15), 20000);
	u_check(net);
	u_free(net);
}

/* The vote of the node (arg) is asked for in vain. */
static void vote_lost(struct u_net *net, u32 from, u32 to,
		      const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)to;
	if (from == net->filter_arg && buf->data[3] == GPE_PK_ACCEPT)
		fate->copies = 0;
}

/*
 * Four of five are suspended, two by two. The senior of one half has accepted
 * a formation with the fifth, of which nothing came; then the other three meet
 * and their chain goes on. It has left that chain, and has to come back.
 */
static void gpe_view_wants__left_for_a_formation_that_failed(void **state)
{
	struct u_net *net = members(5);
	u32 r[5], i, k;

	(void)state;
	for (i = 0; i < 5; i++)
		r[i] = at_rank(net, i);
	u_kill(net, r[4]);
	goes_on(net, 31 & ~bit(r[4]), 2000);
	for (i = 0; i < 2; i++)
		for (k = 2; k < 4; k++)
			u_link(net, r[i], r[k], false);
	for (i = 2; i < 4; i++)
		u_link(net, r[i], r[4], false);
	for (i = 0; i < 4; i++)
		u_wait(net, u_state_is(net, r[i], GPE_ST_SUSPENDED), 3000);
	net->filter = vote_lost;
	net->filter_arg = r[0];
	u_start(net, r[4]);
	u_wait(net, net->node[r[0]].engine->change->left, 5000);
	u_isolate(net, r[0], true);
	net->filter = NULL;
	for (k = 2; k < 4; k++) {
		u_link(net, r[1], r[k], true);
		u_link(net, r[4], r[k], true);
	}
	u_wait(net, u_one_view(net, 31 & ~bit(r[0])), 20000);
	assert_true(net->node[r[0]].engine->change->left);
	u_isolate(net, r[0], false);
	u_wait(net, u_one_view(net, 31), 10000);
	u_check(net);
	u_free(net);
}

static void no_ready(struct u_net *n, u32 from, u32 to,
		     const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)n;
	(void)to;
	if (from == 1 && buf->data[3] == GPE_PK_READY)
		fate->copies = 0;
}

/* The newcomer that a ballot waits for has gone elsewhere: no second lost. */
static void gpe_flush_gone__ballot_goes_on(void **state)
{
	struct u_net *net = u_cluster(3);
	u64 at;

	(void)state;
	u_run(net, 1000 * U_MS);
	u_kill(net, 2);
	u_wait(net, u_one_view(net, 3), 2000);
	u_run(net, 1000 * U_MS);
	u_start(net, 2);
	u_wait(net, net->node[0].engine->change->lead.phase == GPE_PH_FLUSH,
	       5000);
	/* It restarts, at the very moment; another one is not ready yet. */
	net->filter = no_ready;
	u_kill(net, 2);
	u_start(net, 2);
	at = net->now;
	u_run(net, 100 * U_MS);
	assert_int_equal(net->node[0].engine->change->failed, 0);
	net->filter = NULL;
	u_wait(net, u_one_view(net, 3), 2000);
	assert_true(net->now - at < 200 * U_MS);
	u_wait(net, u_one_view(net, 7), 10000);
	u_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_majority__table),
		cmocka_unit_test(gpe_votes__of_all_64),
		cmocka_unit_test(gpe_quorum__one_vote_each),
		cmocka_unit_test(gpe_quorum__votes_differ),
		cmocka_unit_test(gpe_quorum__of_two_the_senior_goes_on),
		cmocka_unit_test(gpe_quorum__four_halved),
		cmocka_unit_test(gpe_old_enough__table),
		cmocka_unit_test(gpe_ranks_heard__who_hears_none_starts_none),
		cmocka_unit_test(gpe_ranks_heard__who_is_not_heard_starts_none),
		cmocka_unit_test(gpe_view_deaf__junior_of_two_is_left_out),
		cmocka_unit_test(gpe_unheard_leads__not_without_a_quorum),
		cmocka_unit_test(gpe_pick__next_choice_by_rank),
		cmocka_unit_test(gpe_pick__most_votes_stay),
		cmocka_unit_test(gpe_pick__bounded),
		cmocka_unit_test(gpe_has_quorum__all_have_to_hear_each_other),
		cmocka_unit_test(gpe_newcomer_waits__arrivals_are_gathered),
		cmocka_unit_test(gpe_settings_differ__votes_change_with_a_view),
		cmocka_unit_test(gpe_backoff__doubles_up_to_a_bound),
		cmocka_unit_test(gpe_first_heard__best_connected_leads),
		cmocka_unit_test(gpe_first_heard__lowest_rank_leads),
		cmocka_unit_test(gpe_led_by_other__next_epoch_is_heard_first),
		cmocka_unit_test(gpe_loss_tell__junior_takes_over_at_once),
		cmocka_unit_test(gpe_regular_consider__one_of_three_dies),
		cmocka_unit_test(gpe_regular_consider__most_senior_dies),
		cmocka_unit_test(gpe_regular_consider__two_of_five_die),
		cmocka_unit_test(gpe_led_by_other__leader_restarts),
		cmocka_unit_test(gpe_goodbye_rx__node_left_at_once),
		cmocka_unit_test(
			gpe_view_suspend__minority_hears_so_and_comes_back),
		cmocka_unit_test(gpe_view_suspend__healed_in_time),
		cmocka_unit_test(
			gpe_view_suspend__all_apart_and_together_again),
		cmocka_unit_test(gpe_form_enough__half_is_not),
		cmocka_unit_test(gpe_form_consider__not_before_its_time),
		cmocka_unit_test(gpe_flap_account__who_comes_and_goes_waits),
		cmocka_unit_test(gpe_flush_gone__ballot_goes_on),
		cmocka_unit_test(gpe_foreign__fewer_votes_yield),
		cmocka_unit_test(
			gpe_view_wants__left_for_a_formation_that_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
