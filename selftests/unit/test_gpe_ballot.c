// SPDX-License-Identifier: GPL-2.0
/* Ballots: leaders and others that die, or are not heard, at each packet. */
#include "unit_net.h"
#include "gpe_change.h"

static struct u_sock *s[U_NODES];
static u32 victim;	/* node index to die, U32_MAX: nobody */

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

static u32 at_rank(const struct u_net *net, u32 rank)
{
	return net->node[0].engine->ep.seat[rank].id - 1;
}

/* Who sends packet number (arg >> 8) of type (arg & 0xff) dies of it. */
static void deadly(struct u_net *net, u32 from, u32 to,
		   const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)to;
	(void)fate;
	if (victim != U32_MAX || buf->data[3] != (net->filter_arg & 0xff))
		return;
	if (net->filter_arg >> 8)
		net->filter_arg -= 0x100;
	else
		victim = from;
}

/* The first (arg >> 8) packets of type (arg & 0xff) are lost. */
static void lossy(struct u_net *net, u32 from, u32 to,
		  const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)from;
	(void)to;
	if (buf->data[3] != (net->filter_arg & 0xff) || !(net->filter_arg >> 8))
		return;
	net->filter_arg -= 0x100;
	fate->copies = 0;
}

/* Those alive are one view and talk to each other. */
static void settled(struct u_net *net, u64 tag)
{
	u32 mask = 0, i, k;

	for (i = 0; i < net->n; i++)
		mask |= (u32)!!net->node[i].engine << i;
	u_wait(net, u_one_view(net, mask), 20000);
	for (i = 0; i < net->n; i++)
		if (mask >> i & 1)
			u_wait(net, u_members(s[i]) == hweight64(mask), 2000);
	for (i = 0; i < net->n; i++)
		if (mask >> i & 1)
			u_push(net, s[i], GPE_TOTAL, 20, tag + i);
	for (i = 0; i < net->n; i++)
		for (k = 0; k < net->n; k++)
			if ((mask >> i & 1) && (mask >> k & 1))
				u_wait(net, u_got(s[i], tag + k), 2000);
	u_check(net);
}

static void traffic(struct u_net *net, u64 *tag)
{
	u32 i, k;

	for (k = 0; k < 5; k++)
		for (i = 0; i < net->n; i++)
			if (net->node[i].engine)
				u_send(net, s[i], k & 1 ? GPE_FIFO : GPE_TOTAL,
				       3000, ++*tag);
}

/* Rank 4 of five dies, and at that packet of the ballot one more. */
static void die_at(enum gpe_pkt_type type, u32 nr)
{
	struct u_net *net = members(5);
	u64 tag = 0, end;

	victim = U32_MAX;
	net->filter = deadly;
	net->filter_arg = type | nr << 8;
	traffic(net, &tag);
	u_run(net, U_MS / 5);
	u_kill(net, at_rank(net, 4));
	end = net->now + 3000 * U_MS;
	while (victim == U32_MAX && u_turn(net, end))
		;
	net->filter = NULL;
	/* There may be nothing to repair. */
	assert_true(victim != U32_MAX || type == GPE_PK_REPAIR || nr);
	if (victim != U32_MAX)
		u_kill(net, victim);
	settled(net, 100000);
	u_free(net);
}

static void gpe_ballot_tick__one_more_dies_at_each_packet(void **state)
{
	static const enum gpe_pkt_type types[] = {
		GPE_PK_PREPARE, GPE_PK_PROMISE, GPE_PK_PROPOSE, GPE_PK_READY,
		GPE_PK_ACCEPT, GPE_PK_ACCEPTED, GPE_PK_INSTALL,
		GPE_PK_REPAIR,
	};
	u32 i, nr;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(types); i++)
		for (nr = 0; nr < 4; nr++)
			die_at(types[i], nr);
}

static void gpe_ballot_repeat__each_packet_lost(void **state)
{
	enum gpe_pkt_type type;
	u32 nr;

	(void)state;
	for (type = GPE_PK_PREPARE; type <= GPE_PK_PART; type++) {
		for (nr = 1; nr < 10; nr += 4) {
			struct u_net *net = members(4);
			u64 tag = 0;

			net->filter = lossy;
			net->filter_arg = type | nr << 8;
			traffic(net, &tag);
			u_kill(net, at_rank(net, 3));
			settled(net, 100000);
			u_free(net);
		}
	}
}

/* The newcomer's, and the formation's. */
static void gpe_ballot_repeat__each_packet_lost_at_the_start(void **state)
{
	enum gpe_pkt_type type;
	u32 i;

	(void)state;
	for (type = GPE_PK_PREPARE; type <= GPE_PK_PART; type++) {
		struct u_net *net = u_new(4);

		net->filter = lossy;
		net->filter_arg = type | 3 << 8;
		for (i = 0; i < 3; i++)
			u_start(net, i);
		u_wait(net, u_one_view(net, 7), 10000);
		net->filter_arg = type | 3 << 8;
		u_start(net, 3);
		u_wait(net, u_one_view(net, 15), 10000);
		u_free(net);
	}
}

/* A newcomer that is proposed and dies does not hold the others up. */
static void gpe_flush_expired__newcomer_dies(void **state)
{
	struct u_net *net = u_new(4);
	u64 end;
	u32 i;

	(void)state;
	for (i = 0; i < 3; i++)
		u_start(net, i);
	u_wait(net, u_one_view(net, 7), 5000);
	for (i = 0; i < 3; i++)
		s[i] = u_join(net, i, "g");
	u_run(net, 1000 * U_MS);
	victim = U32_MAX;
	net->filter = deadly;
	net->filter_arg = GPE_PK_GET;
	u_start(net, 3);
	end = net->now + 5000 * U_MS;
	while (victim == U32_MAX && u_turn(net, end))
		;
	assert_int_equal(victim, 3);
	net->filter = NULL;
	u_kill(net, 3);
	settled(net, 1);
	u_free(net);
}

/* Two lead at once: numbers decide, and neither is stuck. */
static void gpe_ballot_nak__two_leaders(void **state)
{
	struct u_net *net = members(5);
	struct gpe_event ev = { .type = GPE_EV_TICK };
	u32 i;

	(void)state;
	for (i = 0; i < 5; i++)
		u_event(net, i, &ev);
	/* As if their turn had come: in one moment all begin. */
	u_kill(net, at_rank(net, 4));
	for (i = 0; i < 5; i++) {
		struct gpe_node *e = net->node[i].engine;

		if (!e)
			continue;
		/* An output is there only in a step. */
		e->out = net->node[i].out;
		net->node[i].out->n = 0;
		gpe_ballot_start(e, e->ep.epoch);
		e->out = NULL;
		u_event(net, i, &ev);
	}
	settled(net, 1);
	u_free(net);
}

/* Repairs never come to one node: the next ballot is without it. */
static void no_repairs(struct u_net *net, u32 from, u32 to,
		       const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)from;
	if (to == net->filter_arg && buf->data[3] == GPE_PK_DATA)
		fate->copies = 0;
}

static void gpe_flush_expired__one_cannot_repair(void **state)
{
	struct u_net *net = members(5);
	u32 bad = at_rank(net, 2), dead = at_rank(net, 4);
	u32 mask = 31 & ~(1 << bad) & ~(1 << dead);

	(void)state;
	net->filter = no_repairs;
	net->filter_arg = bad;
	u_push(net, s[at_rank(net, 1)], GPE_FIFO, 3000, 1);
	u_run(net, 5 * U_MS);
	u_kill(net, dead);
	u_wait(net, u_one_view(net, mask), 5000);
	net->filter = NULL;
	settled(net, 100);
	u_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_ballot_tick__one_more_dies_at_each_packet),
		cmocka_unit_test(gpe_ballot_repeat__each_packet_lost),
		cmocka_unit_test(
			gpe_ballot_repeat__each_packet_lost_at_the_start),
		cmocka_unit_test(gpe_ballot_nak__two_leaders),
		cmocka_unit_test(gpe_flush_expired__newcomer_dies),
		cmocka_unit_test(gpe_flush_expired__one_cannot_repair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
