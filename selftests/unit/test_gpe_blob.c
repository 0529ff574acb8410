// SPDX-License-Identifier: GPL-2.0
/* Blobs: counted, compared; and packets about blobs nobody has a use for. */
#include "unit_wire.h"
#include "gpe_change.h"
#include "gpe_wirev.h"

static void gpe_blob_new__limits(void **state)
{
	struct gpe_blob *blob;

	(void)state;
	gpe_shim_allocs = 0;
	assert_null(gpe_blob_new(0));
	assert_null(gpe_blob_new(GPE_BLOB_MAX + 1));
	gpe_shim_fail_in = 1;
	assert_null(gpe_blob_new(1));
	gpe_shim_fail_in = 0;
	blob = gpe_blob_new(GPE_BLOB_MAX);
	assert_non_null(blob);
	assert_int_equal(blob->len, GPE_BLOB_MAX);
	gpe_blob_put(blob);
	gpe_blob_put(NULL);
	assert_null(gpe_blob_get(NULL));
	assert_int_equal(gpe_shim_allocs, 0);
}

static void gpe_blob_set__references(void **state)
{
	struct gpe_blob *a = gpe_blob_new(3), *b = gpe_blob_new(3);
	struct gpe_blob *holder = NULL;

	(void)state;
	gpe_blob_set(&holder, a);
	gpe_blob_set(&holder, a);
	gpe_blob_put(a);
	memcpy(holder->data, "abc", 3);
	memcpy(b->data, "abc", 3);
	assert_true(gpe_blob_same(holder, b));
	b->data[2] = 'x';
	assert_false(gpe_blob_same(holder, b));
	assert_false(gpe_blob_same(holder, NULL));
	assert_false(gpe_blob_same(NULL, NULL));
	gpe_blob_set(&holder, b);
	gpe_blob_put(b);
	gpe_blob_set(&holder, NULL);
	assert_int_equal(gpe_shim_allocs, 0);
}

/* From a member of the cluster, and yet to no purpose. */
static void send_view(struct u_net *net, enum gpe_pkt_type type,
		      struct gpe_pkt_view v)
{
	struct w_pkt w;

	w_node = net->node[1].engine;
	w_open(&w, type, 0);
	w_close(&w, gpe_wirev_view(w.p + GPE_WIRE_HDR, &v), 0);
	u_inject(net, 0, 1, w.p, w.len);
}

static void gpe_view_rx__nobody_asked(void **state)
{
	static const u8 bytes[GPE_VIEW_PART];
	struct u_net *net = u_cluster(3);
	u64 epoch = net->node[0].engine->ep.epoch;
	struct gpe_pkt_view v = { .closing = epoch, .ballot = { 1ULL << 40,
								2 },
				  .total = GPE_BLOB_MAX, .len = GPE_VIEW_PART,
				  .part = bytes };
	struct gpe_pkt_view small = { .closing = epoch,
				      .ballot = { 1ULL << 40, 2 } };
	long allocs = gpe_shim_allocs;
	u64 was = u_count(net, 0, GPE_CNT_DROP_STATE);
	u32 kind;

	(void)state;
	v.kind = GPE_BK_PROMISE;
	send_view(net, GPE_PK_PROMISE, v);
	for (kind = GPE_BK_PROMISE; kind < GPE_BK_N; kind++) {
		v.kind = kind;
		if (kind != GPE_BK_VALUE)
			send_view(net, GPE_PK_PART, v);
	}
	assert_true(u_count(net, 0, GPE_CNT_DROP_STATE) - was >= 3);
	/* What nobody has a use for costs no memory. */
	assert_int_equal(gpe_shim_allocs, allocs);
	send_view(net, GPE_PK_READY, small);
	send_view(net, GPE_PK_ACCEPTED, small);
	small.flags = GPE_VF_NAK;
	send_view(net, GPE_PK_PROMISE, small);
	small.flags = 0;
	small.want = 255;
	for (kind = GPE_BK_PROMISE; kind < GPE_BK_N; kind++) {
		small.kind = kind;
		send_view(net, GPE_PK_GET, small);
	}
	assert_true(u_state_is(net, 0, GPE_ST_NORMAL));
	u_run(net, 1000 * U_MS);
	assert_true(u_one_view(net, 7));
	u_free(net);
}

/* A cluster under fire of damaged control packets stays one. */
static void gpe_view_rx__damaged(void **state)
{
	struct u_net *net = u_cluster(3);
	struct w_pkt w;
	u32 i, k;

	(void)state;
	for (i = 0; i < 20000; i++) {
		u32 type = GPE_PK_PROBE + w_random(GPE_PK_PART);
		u32 body = w_random(2) ? 44 : 44 + w_random(200);

		if (type == GPE_PK_GOODBYE || type == GPE_PK_PREPARE)
			continue;
		w_node = net->node[1].engine;
		w_open(&w, type, 0);
		for (k = 0; k < body; k++)
			w.p[GPE_WIRE_HDR + k] = w_random(5) ? 0 :
							      w_random(256);
		put_unaligned_be64(net->node[0].engine->ep.epoch,
				   w.p + GPE_WIRE_HDR);
		put_unaligned_be16(body - 44, w.p + GPE_WIRE_HDR + 22);
		put_unaligned_be32(body - 44, w.p + GPE_WIRE_HDR + 28);
		w_put(w.p + GPE_WIRE_HDR + 16, 4, 2);
		w_close(&w, body, 0);
		u_inject(net, 0, 1, w.p, w.len);
		if (i % 100 == 0)
			u_run(net, U_MS);
	}
	u_wait(net, u_one_view(net, 7), 20000);
	u_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_blob_new__limits),
		cmocka_unit_test(gpe_blob_set__references),
		cmocka_unit_test(gpe_view_rx__nobody_asked),
		cmocka_unit_test(gpe_view_rx__damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
