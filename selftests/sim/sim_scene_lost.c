// SPDX-License-Identifier: GPL-2.0
/*
 * Scenes of messages that some have and others lack when a node dies, and of
 * packets that come late. Each is the shortest run, or near it, in which one
 * rule of streams, order, the directory or the flush is needed.
 */
#include "sim_play.h"
#include "sim_scene.h"

/* One group, and much to say; @socks: on each node. */
static void talk(u32 socks)
{
	S.n_groups = 1;
	S.n_socks = socks;
	S.mix.send = 300;
	S.mix.big = 0;
	S.mix.leave = 0;
	S.mix.one = 0;
}

/* A cluster without members. */
static void silent_cluster(void)
{
	S.spans[0] = 0;
	start(all());
	settle(all(), FORM + BOUND, "a cluster forms");
}

static void members(u32 mask)
{
	sim_trace("-- programs of %x join", mask);
	S.spans[0] = mask;
	pass(between(600, 900));
}

/* On each of these nodes. */
static bool has_members(u32 mask)
{
	u32 i, k;

	for (i = 0; i < S.n_nodes; i++) {
		for (k = 0; (mask & bit(i)) && k < S.n_socks; k++)
			if (S.node[i].sock[k].attached)
				mask &= ~bit(i);
	}
	return !mask;
}

/* What @from sends into streams is lost to each of @to. */
static void unheard(u32 from, u32 to, enum sim_tap what)
{
	u32 i;

	for (i = 0; i < S.n_nodes; i++)
		if ((to & bit(i)) && i != from)
			tap(from, i, GPE_PK_DATA, what);
}

/* Two at random, the first one rank 0 if @senior. */
static void draw_two(bool senior, u32 *a, u32 *b)
{
	*a = senior ? at_rank(0, 0) : sim_rand(S.n_nodes);
	*b = (*a + 1 + sim_rand(S.n_nodes - 1)) % S.n_nodes;
}

/* @dead die, what was lost is not any more, the rest goes on. */
static void die(u32 dead, const char *what)
{
	crash(dead);
	settle(all() & ~dead, BOUND, what);
	pass(500);
	start(dead);
	healed(FORM + GPE_FLAP_MIN_NS / SIM_MS);
}

/* ---- late packets ---- */

/*
 * Packets of an epoch come when the next one has begun: the same nodes, the
 * same streams, the same numbers.
 */
static void late_data(void)
{
	u32 d = sim_rand(S.n_nodes), rest = all() & ~bit(d), a, b;
	u64 epoch;

	talk(2);
	S.spans[0] = rest;
	start(rest);
	settle(rest, FORM + BOUND, "a cluster forms");
	pass(between(300, 600));
	a = (d + 1) % S.n_nodes;
	b = (d + 2) % S.n_nodes;
	epoch = info_of(b).epoch;
	tap(a, b, GPE_PK_DATA, SIM_COPY);
	start(bit(d));
	await_epoch(b, epoch, BOUND);
	tap_end();
	pass(sim_rand(5));
	sim_release();
	healed(GPE_FLAP_MIN_NS / SIM_MS);
}

/* The same with what B has confirmed, while it lacks what A sends now. */
static void late_acks(void)
{
	u32 d = sim_rand(S.n_nodes), rest = all() & ~bit(d), a, b;
	u64 epoch;

	talk(2);
	S.spans[0] = rest;
	start(rest);
	settle(rest, FORM + BOUND, "a cluster forms");
	a = (d + 1) % S.n_nodes;
	b = (d + 2) % S.n_nodes;
	epoch = info_of(b).epoch;
	tap(b, a, GPE_PK_ACK, SIM_COPY);
	pass(between(300, 500));
	tap(b, a, GPE_PK_ACK, SIM_PASS);
	start(bit(d));
	await_epoch(b, epoch, BOUND);
	unheard(a, bit(b), SIM_DROP);
	pass(1000);
	sim_release();
	pass(20);
	healed(GPE_FLAP_MIN_NS / SIM_MS);
}

/* Data comes after its receiver has said what it holds. */
static void late_wedged(void)
{
	u32 a, c;

	talk(2);
	cluster();
	draw_two(false, &a, &c);
	unheard(a, all() & ~bit(c), SIM_DROP);
	unheard(a, bit(c), SIM_KEEP);
	pass(between(20, 60));
	crash(bit(a));
	becomes(c, GPE_ST_WEDGED, BOUND, "it promises");
	sim_release();
	die(bit(a), "without the one that died");
}

/* ---- the flush ---- */

/* One has not got what the others have of a node that dies. */
static void uneven(void)
{
	u32 a, c, i;

	talk(2);
	cluster();
	draw_two(false, &a, &c);
	unheard(a, bit(c), SIM_DROP);
	pass(between(20, 60));
	crash(bit(a));
	/* Nor does it get it soon. */
	for (i = 0; i < S.n_nodes; i++)
		unheard(i, bit(c), SIM_DROP);
	becomes(c, GPE_ST_WEDGED, BOUND, "it promises");
	pass(between(50, 300));
	for (i = 0; i < S.n_nodes; i++)
		unheard(i, bit(c), SIM_PASS);
	die(bit(a), "all have what one had");
}

/* It never does: the others do not wait for ever. */
static void never_ready(void)
{
	u32 a, c, i, rest;
	u64 epoch;

	talk(2);
	cluster();
	draw_two(false, &a, &c);
	rest = all() & ~bit(a) & ~bit(c);
	epoch = info_of(a).epoch;
	for (i = 0; i < S.n_nodes; i++)
		unheard(i, bit(c), SIM_DROP);
	pass(between(20, 60));
	crash(bit(a));
	await_epoch(__ffs64(rest), epoch, BOUND);
	if (!S.bad && info_of(__ffs64(rest)).epoch == epoch)
		failed("V11", "one does not get ready, and all wait");
	start(bit(a));
	healed(FORM + GPE_FLAP_MIN_NS / SIM_MS);
}

/* A message of order none was read before its turn, by one alone. */
static void early_read(void)
{
	u32 a, b;

	talk(2);
	levels(1, 0, 0, 0, 0);
	cluster();
	draw_two(false, &a, &b);
	unheard(a, all(), SIM_DROP);
	await_said(a, b, GPE_PK_DATA, 500);
	unheard(a, bit(b), SIM_PASS);
	await_said(a, b, GPE_PK_DATA, 500);
	die(bit(a), "what one has read, all read");
}

/* The log is behind what is stamped with its changes: not so in the end. */
static void log_behind(void)
{
	u32 a, c, d, i;

	talk(2);
	silent_cluster();
	a = at_rank(0, 0);
	c = at_rank(1 + sim_rand(2), a);
	d = at_rank(3, a);
	members(all() & ~bit(a) & ~bit(d));
	tap_log(a, c, SIM_DROP);
	members(all() & ~bit(a));
	for (i = 0; i < S.n_nodes; i++)
		unheard(a, bit(i), SIM_DROP);
	die(bit(a), "the log comes from another");
}

/* ---- order ---- */

/* A node dies, and so does the only one that heard it last. */
static void lost_with_reader(bool senior, const char *what)
{
	u32 a, b;

	cluster();
	draw_two(senior, &a, &b);
	unheard(a, all() & ~bit(b), SIM_DROP);
	pass(between(20, 60));
	die(bit(a) | bit(b), what);
}

/* A cause is lost with its sender, and with the one who has read it. */
static void cause_lost(void)
{
	talk(2);
	levels(0, 0, 1, 0, 0);
	lost_with_reader(false, "what is left has no cause");
}

/* An order record is lost so, and what it ordered is not. */
static void record_lost(void)
{
	talk(2);
	levels(0, 0, 0, 1, 2);
	lost_with_reader(true, "they order what is left");
}

/* Few safe messages: the last one is read by one that dies, like its sender. */
static void safe_lost(void)
{
	u32 a, b, c;

	talk(1);
	S.mix.send = 40;
	levels(0, 0, 0, 0, 1);
	silent_cluster();
	a = at_rank(0, 0);
	b = at_rank(1, 0);
	c = at_rank(2, 0);
	members(bit(a) | bit(b) | bit(c));
	unheard(a, all() & ~bit(b), SIM_DROP);
	pass(between(60, 150));
	die(bit(a) | bit(b), "what one has read, all read");
}

/*
 * A sender's last messages in a view are lost with its marker, not its first in
 * the next one, which is larger: of all these nobody is to have any.
 */
static void mark_lost(void)
{
	u32 a, d, i;

	talk(2);
	levels(0, 3, 2, 1, 0);
	silent_cluster();
	d = at_rank(3, 0);
	a = at_rank(sim_rand(3), 0);
	members(all() & ~bit(d));
	if (!has_members(all() & ~bit(d)))
		return;
	for (i = 0; i < S.n_nodes; i++)
		tap_region(a, i, BIT_ULL(3) - 1, SIM_DROP);
	S.void_node = a;
	S.void_inc = info_of(a).inc;
	S.void_first = S.n_msgs;
	pass(between(20, 60));
	S.spans[0] = all();
	pass(between(200, 600));
	die(bit(a), "they have no marker");
}

/* One alone has all of a view, and dies when it could have seen the next. */
static void mark_alone(void)
{
	u32 a, b, d, i;

	talk(2);
	levels(1, 2, 2, 0, 0);
	silent_cluster();
	d = at_rank(4, 0);
	a = at_rank(sim_rand(4), 0);
	b = at_rank((rank_of(a) + 1 + sim_rand(3)) % 4, 0);
	members(all() & ~bit(d));
	for (i = 0; i < S.n_nodes; i++)
		if (i != a)
			tap_region(b, i, BIT_ULL(4) - 1, SIM_DROP);
	pass(between(20, 60));
	S.spans[0] = all();
	pass(between(200, 600));
	die(bit(a) | bit(b), "they have not all of the view");
}

/* ---- room ---- */

/* Nobody reads for a while. */
static void slow_readers(void)
{
	talk(4);
	cluster();
	S.mix.slow = 1000;
	S.mix.big = 1000;
	S.mix.flip = 0;
	S.faults = true;
	pass(2000);
	S.faults = false;
	healed(0);
}

const struct sim_scene sim_scenes_lost[] = {
	{ "late-data", "packets of an epoch come in the next one", 3, 5,
	  late_data },
	{ "late-acks", "confirmations of an epoch come in the next one", 3, 5,
	  late_acks },
	{ "late-wedged", "a dead node's packets come after a promise", 3, 5,
	  late_wedged },
	{ "uneven", "one lacks what a dead node has sent", 3, 5, uneven },
	{ "never-ready", "one lacks it for ever", 5, 7, never_ready },
	{ "early-read", "one has read ahead of what a dead node has sent", 3,
	  5, early_read },
	{ "log-behind", "one lacks changes, not what is stamped with them", 4,
	  5, log_behind },
	{ "cause-lost", "a cause is lost, and not its effect", 5, 7,
	  cause_lost },
	{ "record-lost", "an order record is lost, and not what it orders", 5,
	  7, record_lost },
	{ "safe-lost", "a dead node alone has got a safe message", 5, 7,
	  safe_lost },
	{ "mark-lost", "the end of a view is lost, and not what follows", 4, 4,
	  mark_lost },
	{ "mark-alone", "only a dead node had all of a view", 5, 5,
	  mark_alone },
	{ "slow-readers", "nobody reads", 2, 5, slow_readers },
	{ 0 }
};
