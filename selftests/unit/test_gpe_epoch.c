// SPDX-License-Identifier: GPL-2.0
/* From one epoch to the next, a slice of the groups at a time. */
#include "unit_wire.h"
#include "gpe_change.h"

enum { GROUPS = 3 * GPE_OPEN_SLICE };

/*
 * Node 0, alone, is in many groups and has just closed its epoch: the next one,
 * with itself in it, is to be opened. Without the steps of the test's hosts,
 * which would not stop between two slices.
 */
static struct u_net *closed(struct u_sock **s)
{
	struct u_net *net = u_new(2);
	struct gpe_value val = { .old = 1 };
	struct gpe_node *e;
	char name[16];
	u32 i;

	u_start_alone(net, 0);
	for (i = 0; i < GROUPS; i++) {
		snprintf(name, sizeof(name), "g%u", i);
		s[i] = u_member(net, 0, name);
	}
	e = net->node[0].engine;
	val.closing = e->ep.epoch;
	val.next = e->ep;
	val.next.epoch++;
	assert_int_equal(gpe_epoch_close(e, &val), 0);
	e->ep = val.next;
	return net;
}

/* One step. What it delivers, that members are suspended, nobody reads. */
static void one_tick(struct u_net *net)
{
	struct gpe_event tick = { .type = GPE_EV_TICK };
	struct u_node *n = &net->node[0];
	u32 i;

	gpe_step(n->engine, net->now, &tick, n->out);
	for (i = 0; i < n->out->n; i++)
		if (n->out->act[i].type == GPE_ACT_DELIVER)
			gpe_rec_free(n->engine, n->out->act[i].deliver.rec);
}

/* One step: nothing but what is open gets anywhere. */
static int send_now(struct u_net *net, struct u_sock *s)
{
	struct gpe_event ev = { .type = GPE_EV_SUBMIT };
	struct gpe_shim_buf *buf = gpe_shim_buf_new(8);
	struct u_node *n = &net->node[0];

	ev.submit.local_at = &s->local;
	ev.submit.len = 8;
	ev.submit.level = GPE_FIFO;
	ev.submit.buf = buf;
	gpe_step(n->engine, net->now, &ev, n->out);
	gpe_buf_put(buf);
	s->block = ev.submit.block;
	return ev.submit.ret;
}

static void gpe_epoch_open__nothing_moves_before_the_last(void **state)
{
	static struct u_sock *s[GROUPS];
	struct u_net *net = closed(s);
	struct gpe_node *e = net->node[0].engine;
	u32 steps = 0, waits;

	(void)state;
	assert_int_equal(gpe_epoch_open(e, 0, false), 0);
	while (e->opening.on) {
		/* The first group is open with the first slice. */
		assert_int_equal(send_now(net, s[0]), -EAGAIN);
		assert_int_equal(s[0]->block, GPE_BLOCK_VIEW);
		assert_true(net->node[0].out->more || !e->opening.on);
		assert_true(e->opening.gid <=
			    s[0]->local->grp->gid + (steps + 1) * GPE_OPEN_SLICE);
		steps++;
		if (e->opening.on)
			assert_int_equal(net->node[0].out->n, 0);
	}
	/* Groups, then members, and to see that there are no more. */
	assert_int_equal(steps, 2 * GROUPS / GPE_OPEN_SLICE + 1);
	waits = s[0]->host->wakes;
	u_run(net, U_MS);
	u_push(net, s[0], GPE_FIFO, 100, 1);
	u_push(net, s[GROUPS - 1], GPE_TOTAL, 100, 2);
	assert_true(u_got(s[0], 1) && u_got(s[GROUPS - 1], 2));
	assert_true(s[0]->host->wakes >= waits);
	u_check(net);
	u_free(net);
}

static void gpe_epoch_open__no_promise_before_the_last(void **state)
{
	static struct u_sock *s[GROUPS];
	struct u_net *net = closed(s);
	struct gpe_ballot ballot = { .nr = 1 << 20, .id = 2 };
	struct u_node *n = &net->node[0];
	struct gpe_node *e = n->engine;
	u64 closing = e->ep.epoch;

	(void)state;
	assert_int_equal(gpe_epoch_open(e, 0, false), 0);
	one_tick(net);
	assert_true(e->opening.on);
	assert_false(gpe_accept_promise(e, closing, &ballot));
	assert_false(gpe_accept_wants(e, closing, &ballot));
	assert_false(gpe_accept_vote(e, closing, &ballot, NULL));
	assert_int_equal(e->state, GPE_ST_NORMAL);
	while (n->out->more)
		one_tick(net);
	assert_false(e->opening.on);
	assert_true(gpe_accept_promise(e, closing, &ballot));
	assert_int_equal(e->state, GPE_ST_WEDGED);
	u_free(net);
}

static void gpe_epoch_open__without_memory_half_way(void **state)
{
	static struct u_sock *s[GROUPS];
	struct u_net *net = closed(s);
	struct u_node *n = &net->node[0];
	struct gpe_node *e = n->engine;
	u64 inc = e->inc;

	(void)state;
	assert_int_equal(gpe_epoch_open(e, 0, false), 0);
	one_tick(net);
	assert_true(e->opening.on && e->opening.gid);
	/* As if the rest of the members were in a view that must be made. */
	s[GROUPS - 1]->local->grp->latest->m[0].addr.inc++;
	gpe_shim_fail_in = -1;
	while (n->out->more && e->inc == inc)
		one_tick(net);
	gpe_shim_fail_in = 0;
	/* Out, and back under another name: the members join again. */
	assert_true(e->inc != inc);
	u_wait(net, s[0]->local->grp && s[GROUPS - 1]->local->grp, 5000);
	u_push(net, s[GROUPS - 1], GPE_FIFO, 100, 3);
	u_free(net);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_epoch_open__nothing_moves_before_the_last),
		cmocka_unit_test(gpe_epoch_open__no_promise_before_the_last),
		cmocka_unit_test(gpe_epoch_open__without_memory_half_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
