// SPDX-License-Identifier: GPL-2.0
/* Those who promise and accept: what they do not fall for. */
#include "unit_wire.h"
#include "gpe_change.h"
#include "gpe_wirev.h"

/* From node 1 to node 0. */
static void send_view(struct u_net *net, enum gpe_pkt_type type,
		      struct gpe_pkt_view v)
{
	struct w_pkt w;

	w_node = net->node[1].engine;
	w_open(&w, type, 0);
	w_close(&w, gpe_wirev_view(w.p + GPE_WIRE_HDR, &v), 0);
	u_inject(net, 0, 1, w.p, w.len);
}

/* A value that does not belong: not its ranks, not its cut, not a value. */
static void gpe_accept_value__that_does_not_fit(void **state)
{
	struct u_net *net = u_cluster(3);
	struct gpe_node *e = net->node[0].engine;
	struct gpe_value val = { .closing = e->ep.epoch, .old = 1 };
	struct gpe_cut cut = { .region = 1ULL << 40 | 1, .seq = 5 };
	struct gpe_pkt_view v = { .closing = e->ep.epoch,
				  .kind = GPE_BK_VALUE };
	u8 p[256];
	u32 i;

	(void)state;
	for (i = 0; i < 4; i++) {
		memset(p, 0xee, sizeof(p));
		val.next = e->ep;
		val.next.epoch = e->ep.epoch + 1;
		val.next.n = 1;
		val.n_cut = 0;
		val.cut = &cut;
		if (i == 1)
			val.next.seat[0].inc++;
		if (i == 2)
			val.n_cut = 1;
		if (i == 3)
			val.bye = 1ULL << 50;
		v.total = gpe_value_len(&val);
		v.len = v.total;
		if (i)
			gpe_value_put(p, &val);
		v.part = p;
		v.ballot.nr = (i + 1) << 20;
		v.ballot.id = 2;
		send_view(net, GPE_PK_ACCEPT, v);
	}
	/* It promised those ballots, and nothing else came of it. */
	assert_true(u_state_is(net, 0, GPE_ST_WEDGED));
	assert_int_equal(e->change->acc[1].accepted.id, 0);
	u_wait(net, u_one_view(net, 7) && net->node[0].engine == e, 10000);
	u_free(net);
}

static void gpe_accept_prepare__not_from_its_leader(void **state)
{
	struct u_net *net = u_cluster(3);
	u64 epoch = net->node[0].engine->ep.epoch;
	struct gpe_pkt_view v = { .closing = epoch, .ballot = { 1 << 20, 3 } };
	u64 was = u_count(net, 0, GPE_CNT_DROP_EPOCH);
	u64 other = u_count(net, 0, GPE_CNT_DROP_STATE);

	(void)state;
	send_view(net, GPE_PK_PREPARE, v);	/* in another's name */
	assert_int_equal(u_count(net, 0, GPE_CNT_DROP_EPOCH) - was, 1);
	v.ballot.id = 2;
	v.closing = epoch + 1;			/* not our instance */
	send_view(net, GPE_PK_PREPARE, v);
	v.closing = 0;				/* nor a formation */
	v.ballot.nr = 1 << 20;
	other = u_count(net, 0, GPE_CNT_DROP_STATE) - other;
	assert_true(other >= 1);
	assert_true(u_state_is(net, 0, GPE_ST_NORMAL));
	v.closing = epoch;
	send_view(net, GPE_PK_PREPARE, v);
	assert_true(u_state_is(net, 0, GPE_ST_WEDGED));
	/* A lower one is refused now. */
	v.ballot.nr--;
	send_view(net, GPE_PK_PREPARE, v);
	assert_true(net->node[0].engine->change->acc[1].promised.nr ==
		    1 << 20);
	/* Whoever made it promise does not go on: the others do. */
	u_wait(net, u_one_view(net, 7) &&
	       net->node[0].engine->ep.epoch > epoch, 10000);
	u_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_accept_value__that_does_not_fit),
		cmocka_unit_test(gpe_accept_prepare__not_from_its_leader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
