// SPDX-License-Identifier: GPL-2.0
/* The directory: who comes in, who is refused, who leaves, which names. */
#include "unit_wire.h"

static void gpe_dir_join__views_list_who_came(void **state)
{
	struct u_net *net = u_cluster(3);
	struct u_sock *s[4];
	const struct u_rec *r;
	u32 i;

	(void)state;
	for (i = 0; i < 4; i++) {
		s[i] = u_member(net, i % 3, "g");
		r = u_last_view(s[i]);
		assert_int_equal(r->view->n, i + 1);
		assert_int_equal(r->view->n_joined, 1);
		assert_int_equal(r->view->n_left, 0);
		assert_int_equal(r->view->m[i].change, 1);
		assert_int_equal(r->view->m[i].addr.node, i % 3 + 1);
		assert_int_equal(r->view->m[i].addr.port, s[i]->port);
		assert_true(r->view->m[i].addr.inc ==
			    net->node[i % 3].engine->inc);
	}
	/* Its first view is the first a member sees. */
	assert_int_equal(u_recs(s[3], GPE_REC_VIEW), 1);
	u_wait(net, u_recs(s[0], GPE_REC_VIEW) == 4, 1000);
	u_check(net);
	u_free(net);
}

static void gpe_dir_leave__last_view_then_gone(void **state)
{
	struct u_net *net = u_cluster(3);
	struct u_sock *a = u_member(net, 0, "g"), *b = u_member(net, 1, "g");
	struct u_sock *c = u_member(net, 1, "g");
	const struct gpe_view *v;

	(void)state;
	u_wait(net, u_members(a) == 3, 1000);
	u_push(net, b, GPE_TOTAL, 100, 1);
	u_leave(net, b);
	u_wait(net, !b->bound && u_members(a) == 2, 1000);
	assert_int_equal(b->error, 0);
	assert_int_equal(b->why, GPE_WHY_LEAVE);
	/* Everything sent before is delivered first; it reads so itself. */
	assert_true(u_got(a, 1) && u_got(b, 1));
	v = u_last_view(b)->view;
	assert_int_equal(v->n, 2);
	assert_int_equal(v->n_left, 1);
	assert_int_equal(v->m[2].change, 2);
	assert_int_equal(v->m[2].why, GPE_WHY_LEAVE);
	assert_int_equal(v->m[2].addr.port, b->port);
	/* A node's last member needs no view that nobody would read. */
	u_push(net, c, GPE_TOTAL, 100, 2);
	u_leave(net, c);
	u_wait(net, !c->bound && u_members(a) == 1, 1000);
	assert_true(u_got(a, 2) && u_got(c, 2));
	u_check(net);
	u_free(net);
}

static void gpe_dir_leave__overrun_is_an_error(void **state)
{
	struct u_net *net = u_cluster(2);
	struct u_sock *a = u_member(net, 0, "g"), *b = u_member(net, 1, "g");
	struct gpe_event ev = { .type = GPE_EV_LEAVE };

	(void)state;
	ev.leave.local_at = &b->local;
	ev.leave.why = GPE_WHY_OVERRUN;
	u_event(net, 1, &ev);
	u_wait(net, !b->bound && u_members(a) == 1, 1000);
	assert_int_equal(b->error, -ECONNRESET);
	assert_int_equal(b->why, GPE_WHY_OVERRUN);
	assert_int_equal(u_last_view(a)->view->m[1].why, GPE_WHY_OVERRUN);
	u_free(net);
}

static void gpe_dir_leave__while_joining(void **state)
{
	struct u_net *net = u_cluster(3);
	struct u_sock *a = u_member(net, 0, "g"), *b;
	u32 i;

	(void)state;
	for (i = 0; i < 20; i++) {
		b = u_join(net, 1 + (i & 1), "g");
		u_run(net, i * U_MS / 20);
		u_leave(net, b);
		u_wait(net, !b->bound, 1000);
		assert_int_equal(b->error, 0);
	}
	u_run(net, 100 * U_MS);
	assert_int_equal(u_members(a), 1);
	/* Twice is once. */
	u_leave(net, b);
	u_check(net);
	u_free(net);
}

static void gpe_dir_leave__before_there_is_a_view(void **state)
{
	struct u_net *net = u_new(2);
	struct u_sock *s;

	(void)state;
	u_start(net, 0);
	s = u_join(net, 0, "g");
	assert_int_equal(u_send(net, s, GPE_FIFO, 1, 1), -EAGAIN);
	assert_int_equal(s->block, GPE_BLOCK_JOINING);
	u_leave(net, s);
	assert_false(s->bound);
	u_free(net);
}

/* ---- properties ---- */

static int join_with(struct u_net *net, u32 i, u32 order, u32 orders, u32 max)
{
	struct gpe_props props = { order, orders, max };
	struct u_sock *s;

	assert_int_equal(u_try_join(net, i, "g", &props, 0, &s), 0);
	u_wait(net, s->attached || !s->bound, 2000);
	return s->bound ? 0 : s->error;
}

static void gpe_join_check__other_properties_are_refused(void **state)
{
	struct u_net *net = u_cluster(3);
	struct gpe_group_info info;
	u32 i;

	(void)state;
	assert_int_equal(join_with(net, 1, GPE_TOTAL, 1 << GPE_TOTAL, 5000),
			 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(join_with(net, i, 0, 0, 0), 0);
		assert_int_equal(join_with(net, i, GPE_TOTAL, 0, 0), 0);
		assert_int_equal(join_with(net, i, 0, 1 << GPE_TOTAL, 5000),
				 0);
		assert_int_equal(join_with(net, i, GPE_FIFO, 0, 0),
				 -EPROTOTYPE);
		assert_int_equal(join_with(net, i, 0, 1 << GPE_FIFO, 0),
				 -EPROTOTYPE);
		assert_int_equal(join_with(net, i, 0, 0, 5001), -EPROTOTYPE);
	}
	assert_int_equal(gpe_group_find(net->node[2].engine, "g", &info), 0);
	assert_int_equal(info.props.order, GPE_TOTAL);
	assert_int_equal(info.props.msg_max, 5000);
	assert_int_equal(info.view->n, 10);
	u_free(net);
}

/* Who names what a group has by default asks for nothing else. */
static void gpe_props_match__defaults_may_be_named(void **state)
{
	static const struct gpe_props all[] = {
		{ GPE_TOTAL, 0, 0 },
		{ 0, (2 << GPE_SAFE) - 1, 0 },
		{ 0, 0, GPE_MSG_MAX },
	};
	u32 made, i;

	(void)state;
	for (made = 0; made <= ARRAY_SIZE(all); made++) {
		struct u_net *net = u_cluster(2);

		/* First with all of them left out, then with one named. */
		assert_int_equal(made ? join_with(net, 0, all[made - 1].order,
						  all[made - 1].orders,
						  all[made - 1].msg_max) :
					join_with(net, 0, 0, 0, 0), 0);
		for (i = 0; i < ARRAY_SIZE(all); i++)
			assert_int_equal(join_with(net, i & 1, all[i].order,
						   all[i].orders,
						   all[i].msg_max), 0);
		assert_int_equal(join_with(net, 1, 0, 0, 0), 0);
		assert_int_equal(join_with(net, 0, GPE_FIFO, 0, 0),
				 -EPROTOTYPE);
		assert_int_equal(join_with(net, 1, 0, 1 << GPE_TOTAL, 0),
				 -EPROTOTYPE);
		assert_int_equal(join_with(net, 1, 0, 0, GPE_MSG_MAX - 1),
				 -EPROTOTYPE);
		u_free(net);
	}
}

/* Asked for while there was no view, so all at once when there is one. */
static void gpe_dir_refuse__many_at_once_all_hear(void **state)
{
	struct gpe_props odd = { .msg_max = 77 };
	struct u_sock *s[400];
	struct u_net *net;
	u32 i, who, gone;

	(void)state;
	for (who = 0; who < 2; who++) {
		net = u_new(2);
		u_start(net, who);
		u_run(net, 500 * U_MS);
		u_try_join(net, who, "g", NULL, 0, &s[0]);
		for (i = 1; i < 400; i++)
			u_try_join(net, who, "g", &odd, 0, &s[i]);
		u_start(net, !who);
		u_wait(net, s[0]->attached, 5000);
		u_run(net, 3000 * U_MS);
		for (i = 1, gone = 0; i < 400; i++)
			gone += !s[i]->bound && s[i]->error == -EPROTOTYPE;
		assert_int_equal(gone, 399);
		u_free(net);
	}
}

/* ---- names ---- */

static void gpe_name_ok__what_may_be_in_it(void **state)
{
	char name[GPE_NAME_MAX + 2];
	u32 c;

	(void)state;
	memset(name, 'x', sizeof(name));
	assert_false(gpe_name_ok((u8 *)name, 0));
	assert_true(gpe_name_ok((u8 *)name, 1));
	assert_true(gpe_name_ok((u8 *)name, GPE_NAME_MAX));
	assert_false(gpe_name_ok((u8 *)name, GPE_NAME_MAX + 1));
	for (c = 0; c < 256; c++) {
		name[5] = c;
		assert_int_equal(gpe_name_ok((u8 *)name, 10),
				 c > 0x20 && c < 0x7f && c != '/');
	}
}

static void gpe_dir_join__longest_name(void **state)
{
	struct u_net *net = u_cluster(2);
	char name[GPE_NAME_MAX + 1] = "";
	struct u_sock *a, *b;

	(void)state;
	memset(name, 'n', GPE_NAME_MAX);
	a = u_member(net, 0, name);
	name[GPE_NAME_MAX - 1] = 'm';
	b = u_member(net, 1, name);
	assert_int_equal(u_members(a), 1);
	assert_int_equal(u_members(b), 1);
	u_free(net);
}

static void gpe_group_die__name_is_free_again(void **state)
{
	struct u_net *net = u_cluster(3);
	struct gpe_group_info info;
	struct gpe_vid last = { 0, 0 };
	u64 gid = 0;
	u32 i;

	(void)state;
	for (i = 0; i < 6; i++) {
		struct gpe_props props = { .msg_max = 1000 + i };
		struct u_sock *a, *b;

		u_try_join(net, i % 3, "g", &props, 0, &a);
		u_wait(net, a->attached, 1000);
		b = u_member(net, (i + 1) % 3, "g");
		u_push(net, b, GPE_TOTAL, 50, i + 1);
		u_wait(net, u_got(a, i + 1), 1000);
		assert_int_equal(gpe_group_find(net->node[0].engine, "g",
						&info), 0);
		assert_true(info.gid > gid);
		assert_true(gpe_vid_cmp(&info.view->id, &last) > 0);
		assert_int_equal(info.props.msg_max, 1000 + i);
		gid = info.gid;
		last = info.view->id;
		u_leave(net, a);
		u_leave(net, b);
		u_wait(net, !a->bound && !b->bound, 1000);
		u_wait(net, gpe_group_find(net->node[0].engine, "g", &info) ==
				    -ENOENT, 1000);
	}
	u_run(net, 100 * U_MS);
	for (i = 0; i < 3; i++)
		assert_int_equal(net->node[i].engine->n_groups, 0);
	u_check(net);
	u_free(net);
}

/* The old one is not read to its end yet where the new one begins. */
static void gpe_group_waits__same_name_while_the_old_one_ends(void **state)
{
	struct u_net *net = u_cluster(3);
	struct u_sock *a[3], *b[3];
	u32 i;

	(void)state;
	for (i = 0; i < 3; i++)
		a[i] = u_member(net, i, "g");
	for (i = 0; i < 3; i++)
		u_wait(net, u_members(a[i]) == 3, 1000);
	for (i = 0; i < 3; i++)
		u_push(net, a[i], GPE_TOTAL, 5000, i + 1);
	for (i = 0; i < 3; i++)
		u_leave(net, a[i]);
	for (i = 0; i < 3; i++)
		b[i] = u_join(net, i, "g");
	for (i = 0; i < 3; i++)
		u_wait(net, !a[i]->bound && u_members(b[i]) == 3, 2000);
	for (i = 0; i < 3; i++)
		assert_int_equal(u_msgs(b[i]) + u_msgs(a[i]), 3);
	u_check(net);
	u_free(net);
}

/* ---- limits ---- */

static void gpe_join_check__members_limit(void **state)
{
	struct u_net *net = u_new(1);
	struct u_sock *s = NULL, *first = NULL;
	u32 i;

	(void)state;
	net->quiet = true;
	u_start_alone(net, 0);
	for (i = 0; i < GPE_MEMBERS_MAX; i++) {
		s = u_join(net, 0, "g");
		first = first ? first : s;
	}
	u_wait(net, s->attached, 1000);
	s = u_join(net, 0, "g");
	u_wait(net, !s->bound, 1000);
	assert_int_equal(s->error, -ENOSPC);
	u_leave(net, first);
	u_wait(net, !first->bound, 1000);
	s = u_join(net, 0, "g");
	u_wait(net, s->attached, 1000);
	u_free(net);
}

static void gpe_join_check__groups_limit(void **state)
{
	struct u_net *net = u_new(1);
	struct u_sock *s;
	char name[16];
	u32 i;

	(void)state;
	net->quiet = true;
	u_start_alone(net, 0);
	for (i = 0; i <= GPE_GROUPS_MAX; i++) {
		snprintf(name, sizeof(name), "g%u", i);
		s = u_join(net, 0, name);
		u_wait(net, s->bound == (i < GPE_GROUPS_MAX), 1000);
	}
	assert_int_equal(s->error, -ENOSPC);
	assert_int_equal(net->node[0].engine->n_groups, GPE_GROUPS_MAX);
	u_free(net);
}

/* ---- items of the log and requests, hostile ---- */

static void gpe_item_check__changes(void **state)
{
	static const struct w_case cases[] = {
		{ 0, 1, 0, 0 },		/* op */
		{ 0, 1, 2, 1 },
		{ 0, 1, 3, 0 },
		{ 1, 1, GPE_WHY_OVERRUN, 1 },
		{ 1, 1, GPE_WHY_OVERRUN + 1, 0 },
		{ 2, 1, 2, 0 },		/* length of the name */
		{ 2, 1, 4, 0 },
		{ 3, 1, 1, 0 },
		{ 24, 4, 0, 0 },	/* port */
		{ 24, 4, U32_MAX, 1 },
		{ 36, 4, GPE_SAFE, 1 },	/* order */
		{ 36, 4, GPE_SAFE + 1, 0 },
		{ 40, 4, 31, 1 },	/* orders */
		{ 40, 4, 32, 0 },
		{ 44, 4, GPE_MSG_MAX, 1 },
		{ 44, 4, GPE_MSG_MAX + 1, 0 },
		{ 48, 1, '/', 0 },
		{ 50, 1, 0, 0 },
	};
	u8 p[64] = { 1, 0, 3 }, q[64];
	u32 i;

	(void)state;
	p[27] = 1;
	memcpy(p + 48, "abc", 3);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memcpy(q, p, sizeof(q));
		w_put(q + cases[i].off, cases[i].size, cases[i].val);
		assert_int_equal(gpe_item_check(GPE_IT_LOG, q, 51),
				 cases[i].ok);
		assert_int_equal(gpe_item_check(GPE_IT_REQ, q, 51),
				 cases[i].ok);
	}
	for (i = 0; i < 64; i++)
		assert_int_equal(gpe_item_check(GPE_IT_REQ, p, i), i == 51);
	assert_false(gpe_item_check(GPE_IT_DATA, p, 51));
	assert_false(gpe_item_check(GPE_IT_N, p, 51));
}

/* ---- failures ---- */

static void gpe_locals_reopen__asks_again_in_the_next_epoch(void **state)
{
	struct u_net *net = u_cluster(3);
	struct u_sock *s[4], *late;
	u32 i;

	(void)state;
	for (i = 0; i < 3; i++)
		s[i] = u_member(net, i, "g");
	/* Whom it has to ask has just died. */
	u_kill(net, 0);
	late = u_join(net, 2, "g");
	u_leave(net, s[1]);
	u_wait(net, late->attached && !s[1]->bound, 5000);
	u_wait(net, u_members(s[2]) == 2, 1000);
	u_check(net);
	u_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_dir_join__views_list_who_came),
		cmocka_unit_test(gpe_dir_join__longest_name),
		cmocka_unit_test(gpe_dir_leave__last_view_then_gone),
		cmocka_unit_test(gpe_dir_leave__overrun_is_an_error),
		cmocka_unit_test(gpe_dir_leave__while_joining),
		cmocka_unit_test(gpe_dir_leave__before_there_is_a_view),
		cmocka_unit_test(gpe_join_check__other_properties_are_refused),
		cmocka_unit_test(gpe_props_match__defaults_may_be_named),
		cmocka_unit_test(gpe_join_check__members_limit),
		cmocka_unit_test(gpe_join_check__groups_limit),
		cmocka_unit_test(gpe_dir_refuse__many_at_once_all_hear),
		cmocka_unit_test(gpe_name_ok__what_may_be_in_it),
		cmocka_unit_test(gpe_item_check__changes),
		cmocka_unit_test(gpe_group_die__name_is_free_again),
		cmocka_unit_test(
			gpe_group_waits__same_name_while_the_old_one_ends),
		cmocka_unit_test(
			gpe_locals_reopen__asks_again_in_the_next_epoch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
