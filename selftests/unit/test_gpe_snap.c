// SPDX-License-Identifier: GPL-2.0
/* The directory as a blob: written, read, hostile; and looked into. */
#include "unit_wire.h"

#define HEAD 24
#define GROUP HEAD	/* the first one */

static struct gpe_node *fresh;

static int load(const u8 *p, u32 len)
{
	u8 *mem = malloc(len ? len : 1);
	int ret;

	assert_non_null(mem);
	memcpy(mem, p, len);
	gpe_epoch_drop(fresh);
	ret = gpe_dir_load(fresh, mem, len, 5);
	free(mem);
	return ret;
}

/* A cluster of one with groups; its snapshot. */
static struct u_net *filled(u32 groups, u8 **p, u32 *len)
{
	struct u_net *net = u_new(1);
	char name[16];
	u32 i;

	w_setup(NULL);
	fresh = w_node;
	u_start_alone(net, 0);
	for (i = 0; i < groups; i++) {
		struct gpe_props props = { GPE_TOTAL, 1 << GPE_TOTAL,
					   1000 + i };
		struct u_sock *s;

		snprintf(name, sizeof(name), "group%u", i);
		u_try_join(net, 0, name, &props, 0, &s);
		if (i & 1)
			u_join(net, 0, name);
	}
	*p = gpe_dir_snapshot(net->node[0].engine, len);
	assert_non_null(*p);
	return net;
}

static void done(struct u_net *net, u8 *p)
{
	gpe_free(p);
	gpe_node_free(fresh);
	u_free(net);
}

static void gpe_dir_load__round_trip(void **state)
{
	struct gpe_group_info info, was;
	struct u_net *net;
	u64 gid = 0, n = 0;
	u32 len;
	u8 *p;

	(void)state;
	net = filled(20, &p, &len);
	assert_int_equal(load(p, len), 0);
	while (!gpe_group_next(fresh, gid, &info)) {
		assert_int_equal(gpe_group_find(net->node[0].engine,
						info.name, &was), 0);
		assert_int_equal(info.gid, was.gid);
		assert_memory_equal(&info.props, &was.props,
				    sizeof(info.props));
		assert_int_equal(gpe_vid_cmp(&info.view->id, &was.view->id),
				 0);
		assert_int_equal(info.view->n, was.view->n);
		assert_int_equal(info.view->m[0].addr.port,
				 was.view->m[0].addr.port);
		gid = info.gid;
		n++;
	}
	assert_int_equal(n, 20);
	assert_true(fresh->next_gid == net->node[0].engine->next_gid);
	assert_int_equal(gpe_group_find(fresh, "nobody", &info), -ENOENT);
	done(net, p);
}

static void gpe_dir_load__empty(void **state)
{
	struct u_net *net;
	u32 len;
	u8 *p;

	(void)state;
	net = filled(0, &p, &len);
	assert_int_equal(len, HEAD);
	assert_int_equal(load(p, len), 0);
	assert_int_equal(load(p, len - 1), -EINVAL);
	done(net, p);
}

static void gpe_dir_load__malformed(void **state)
{
	static const struct w_case cases[] = {
		{ 16, 4, 1, 0 },		/* groups */
		{ 16, 4, 3, 0 },
		{ 16, 4, GPE_GROUPS_MAX + 1, 0 },
		{ 16, 4, U32_MAX, 0 },
		{ 20, 4, 1, 0 },		/* changes */
		{ 20, 4, U32_MAX, 0 },
		{ GROUP, 8, 0, 0 },		/* number */
		{ GROUP, 8, U64_MAX, 0 },
		{ GROUP + 24, 1, 0, 0 },	/* length of the name */
		{ GROUP + 24, 1, 64, 0 },
		{ GROUP + 24, 1, 255, 0 },
		{ GROUP + 25, 3, 0, 0 },	/* members */
		{ GROUP + 25, 3, 2, 0 },
		{ GROUP + 25, 3, 0xffffff, 0 },
		{ GROUP + 28, 4, GPE_SAFE + 1, 0 },
		{ GROUP + 32, 4, 32, 0 },
		{ GROUP + 36, 4, GPE_MSG_MAX + 1, 0 },
		{ GROUP + 36, 4, GPE_MSG_MAX, 1 },
		{ GROUP + 40, 1, '/', 0 },
		{ GROUP + 45, 1, '1', 0 },	/* a name twice */
		{ GROUP + 45, 1, '7', 1 },
	};
	struct u_net *net;
	u8 q[1024];
	u32 len, i;
	u8 *p;

	(void)state;
	net = filled(2, &p, &len);
	assert_true(len < sizeof(q));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memcpy(q, p, len);
		w_put(q + cases[i].off, cases[i].size, cases[i].val);
		if (!load(q, len) != cases[i].ok)
			fail_msg("case %u", i);
	}
	for (i = 0; i < len; i++)
		assert_int_equal(load(p, i), -EINVAL);
	memcpy(q, p, len);
	assert_int_equal(load(q, len + 1), -EINVAL);
	/* A number twice. */
	memcpy(q + GROUP + 46 + 16, q + GROUP, 8);
	assert_int_equal(load(q, len), -EINVAL);
	done(net, p);
}

/* A change of the log, behind the groups. */
static u32 change(u8 *p, u64 k, u64 gid, const char *name)
{
	memset(p, 0, 49);
	p[0] = 48 + strlen(name);
	p[1] = 1;
	p[3] = strlen(name);
	put_unaligned_be64(k, p + 5);
	put_unaligned_be64(gid, p + 13);
	put_unaligned_be32(3, p + 21);
	put_unaligned_be32(7, p + 25);
	put_unaligned_be64(99, p + 29);
	memcpy(p + 49, name, strlen(name));
	return 1 + p[0];
}

static void gpe_dir_replay__changes_not_applied_yet(void **state)
{
	struct gpe_group_info info;
	struct u_net *net;
	u8 q[1024];
	u32 len, n, i;
	u64 k, gid;
	u8 *p;

	(void)state;
	net = filled(2, &p, &len);
	memcpy(q, p, len);
	k = get_unaligned_be64(q + 8);
	gid = get_unaligned_be64(q + GROUP);
	put_unaligned_be32(1, q + 20);
	n = change(q + len, k + 1, gid + 100, "late");
	assert_int_equal(load(q, len + n), 0);
	assert_int_equal(gpe_group_find(fresh, "late", &info), 0);
	assert_int_equal(info.gid, gid + 100);
	assert_int_equal(info.view->n, 1);
	assert_int_equal(info.view->id.epoch, 5);
	assert_int_equal(info.view->id.seq, k + 1);
	for (i = 0; i < n; i++)
		assert_int_equal(load(q, len + i), -EINVAL);
	assert_int_equal(load(q, len + n + 1), -EINVAL);
	/* Numbers that are none, or another group's: no change anywhere. */
	change(q + len, k + 1, 0, "late");
	assert_int_equal(load(q, len + n), 0);
	assert_int_equal(gpe_group_find(fresh, "late", &info), -ENOENT);
	change(q + len, k + 1, gid, "late");
	assert_int_equal(load(q, len + n), 0);
	assert_int_equal(gpe_group_find(fresh, "late", &info), -ENOENT);
	/* Into one that is there. */
	n = change(q + len, k + 1, gid, "group0");
	assert_int_equal(load(q, len + n), 0);
	assert_int_equal(gpe_group_find(fresh, "group0", &info), 0);
	assert_int_equal(info.view->n, 2);
	done(net, p);
}

static void gpe_dir_load__random_bytes(void **state)
{
	struct u_net *net;
	u32 len, i, n;
	u8 q[4096];
	u8 *p;

	(void)state;
	net = filled(12, &p, &len);
	for (i = 0; i < 20000; i++) {
		memcpy(q, p, len);
		for (n = 1 + w_random(5); n; n--)
			q[w_random(len)] = w_random(256);
		load(q, w_random(4) ? len : w_random(len));
	}
	done(net, p);
}

static void gpe_dir_load__no_memory(void **state)
{
	struct u_net *net;
	long nr;
	u32 len;
	u8 *p;

	(void)state;
	net = filled(5, &p, &len);
	for (nr = 1;; nr++) {
		int ret;

		gpe_shim_fail_in = nr;
		ret = load(p, len);
		gpe_shim_fail_in = 0;
		if (!ret)
			break;
		assert_int_equal(ret, -ENOMEM);
	}
	assert_true(nr > 10);
	done(net, p);
}

static void drop_third(struct u_net *net, u32 from, u32 to,
		       const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	(void)from;
	(void)to;
	(void)buf;
	if (!u_random(net, 3))
		fate->copies = 0;
}

/* More than one packet: a joiner fetches it part by part. */
static void gpe_dir_snapshot__joiner_fetches_a_large_one(void **state)
{
	struct u_net *net;
	struct u_sock *s;
	char name[32];
	u32 i;

	(void)state;
	net = u_new(3);
	u_start(net, 0);
	u_start(net, 1);
	u_wait(net, u_one_view(net, 3), 5000);
	for (i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "a-rather-long-name-%u", i);
		u_join(net, i & 1, name);
		u_run(net, 2 * U_MS);
	}
	u_run(net, 1000 * U_MS);
	assert_int_equal(net->node[0].engine->n_groups, 500);
	net->filter = drop_third;
	u_start(net, 2);
	u_wait(net, net->node[2].engine->n_groups == 500, 120000);
	net->filter = NULL;
	u_wait(net, u_one_view(net, 7), 20000);
	s = u_member(net, 2, "a-rather-long-name-77");
	assert_int_equal(u_members(s), 2);
	u_free(net);
}

/* Joins and leaves go on while it comes: it is as of the cut. */
static void gpe_dir_snapshot__as_of_the_cut(void **state)
{
	struct u_net *net;
	struct u_sock *s[200];
	struct gpe_group_info x, y;
	char name[32];
	u64 gid = 0;
	u32 i;

	(void)state;
	net = u_new(3);
	u_start(net, 0);
	u_start(net, 1);
	u_wait(net, u_one_view(net, 3), 5000);
	u_start(net, 2);
	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "g%u", i % 50);
		s[i] = u_join(net, i & 1, name);
		if (i > 30 && i % 3 == 0)
			u_leave(net, s[i - 30]);
		u_run(net, 3 * U_MS);
	}
	u_wait(net, u_one_view(net, 7), 10000);
	u_run(net, 1000 * U_MS);
	while (!gpe_group_next(net->node[0].engine, gid, &x)) {
		assert_int_equal(gpe_group_find(net->node[2].engine, x.name,
						&y), 0);
		assert_int_equal(x.gid, y.gid);
		assert_int_equal(gpe_vid_cmp(&x.view->id, &y.view->id), 0);
		assert_int_equal(x.view->n, y.view->n);
		gid = x.gid;
	}
	u_check(net);
	u_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_dir_load__round_trip),
		cmocka_unit_test(gpe_dir_load__empty),
		cmocka_unit_test(gpe_dir_load__malformed),
		cmocka_unit_test(gpe_dir_replay__changes_not_applied_yet),
		cmocka_unit_test(gpe_dir_load__random_bytes),
		cmocka_unit_test(gpe_dir_load__no_memory),
		cmocka_unit_test(gpe_dir_snapshot__joiner_fetches_a_large_one),
		cmocka_unit_test(gpe_dir_snapshot__as_of_the_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
