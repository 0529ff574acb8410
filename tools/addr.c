// SPDX-License-Identifier: GPL-2.0
/* gsockctl bearer, gsockctl peer: both are about addresses. */
#include <inttypes.h>
#include "gsockctl.h"
#include "node.h"
#include "print.h"

typedef int (*addr_fn)(struct gsock_ctx *ctx, int family, const void *addr,
		       uint16_t port);

static int addr_do(struct call *call, addr_fn fn)
{
	struct keyword words[] = { { .word = "port" } };
	struct gsock_ctx *ctx;
	struct inaddr addr;
	const char *bad;
	uint32_t port = GSOCK_PORT_DEFAULT;
	int ret;

	if (!call->argc)
		return usage(call, "an address is missing");
	bad = parse_addr(call->argv[0], &addr);
	if (bad)
		return usage(call, "'%s' %s", call->argv[0], bad);
	ret = take_keywords(call, 1, words, 1);
	if (!ret && words[0].given)
		ret = take_num(call, "port", words[0].value, 1, 65535, &port);
	if (!ret)
		ret = take_ctx(call, &ctx);
	if (ret)
		return ret;
	ret = fn(ctx, addr.family, addr.bytes, port);
	if (ret)
		ret = refused(call, ctx, ret);
	gsock_ctx_free(ctx);
	return ret;
}

int bearer_add(struct call *call)
{
	return addr_do(call, gsock_bearer_add);
}

int bearer_del(struct call *call)
{
	return addr_do(call, gsock_bearer_del);
}

int peer_add(struct call *call)
{
	return addr_do(call, gsock_peer_add);
}

int peer_del(struct call *call)
{
	return addr_do(call, gsock_peer_del);
}

/* ---- show ---- */

static const struct field bearer_fields[] = {
	{ "address", GSOCK_A_ADDR, FIELD_ADDR },
	{ "port", GSOCK_A_PORT, FIELD_NUM },
	{ }
};

const struct field peer_fields[] = {
	{ "address", GSOCK_A_ADDR, FIELD_ADDR },
	{ "port", GSOCK_A_PORT, FIELD_NUM },
	{ "path", GSOCK_A_PEER_PATH, FIELD_NUM },
	{ "node", GSOCK_A_PEER_NODE, FIELD_NUM },
	{ "incarnation", GSOCK_A_PEER_INC, FIELD_NUM },
	{ "up", GSOCK_A_PEER_UP, FIELD_BOOL },
	{ "heard_ms", GSOCK_A_PEER_HEARD_MS, FIELD_NUM },
	{ "rtt_us", GSOCK_A_PEER_RTT_US, FIELD_NUM },
	{ "mtu", GSOCK_A_PEER_MTU, FIELD_NUM },
	{ "tx_packets", GSOCK_A_PEER_TX_PACKETS, FIELD_NUM },
	{ "tx_bytes", GSOCK_A_PEER_TX_BYTES, FIELD_NUM },
	{ "tx_drops", GSOCK_A_PEER_TX_DROPS, FIELD_NUM },
	{ "rx_packets", GSOCK_A_PEER_RX_PACKETS, FIELD_NUM },
	{ "rx_bytes", GSOCK_A_PEER_RX_BYTES, FIELD_NUM },
	{ }
};

static void show_bearers(const struct gsock_rec *rec)
{
	struct table *t = table_new(2);
	char buf[ADDR_TEXT_MAX];

	if (rec) {
		table_cell(t, "ADDRESS");
		table_cell(t, "PORT");
	}
	for (; rec; rec = gsock_rec_next(rec)) {
		table_cell(t, "%s", addr_text(rec, buf));
		table_cell(t, "%" PRIu64, gsock_rec_num(rec, GSOCK_A_PORT));
	}
	table_print(t);
}

/* A peer that was never heard of has no node and no times. */
static void show_peer_state(struct table *t, const struct gsock_rec *rec)
{
	uint64_t node = gsock_rec_num(rec, GSOCK_A_PEER_NODE);
	uint64_t rtt = gsock_rec_num(rec, GSOCK_A_PEER_RTT_US);

	if (node) {
		table_cell(t, "%" PRIu64, node);
		table_cell(t, "%s", gsock_rec_num(rec, GSOCK_A_PEER_UP) ?
					    "up" : "down");
		table_cell(t, "%" PRIu64 " ms",
			   gsock_rec_num(rec, GSOCK_A_PEER_HEARD_MS));
	} else {
		table_cell(t, "-");
		table_cell(t, "down");
		table_cell(t, "never");
	}
	if (rtt)
		table_cell(t, "%" PRIu64 ".%03" PRIu64 " ms", rtt / 1000,
			   rtt % 1000);
	else
		table_cell(t, "-");
}

static void show_peers(const struct gsock_rec *rec)
{
	static const char *const heads[] = {
		"ADDRESS", "PORT", "NODE", "STATE", "HEARD", "RTT", "MTU",
		"TX-PACKETS", "TX-BYTES", "TX-DROPS", "RX-PACKETS", "RX-BYTES",
	};
	static const int nums[] = {
		GSOCK_A_PEER_MTU, GSOCK_A_PEER_TX_PACKETS,
		GSOCK_A_PEER_TX_BYTES, GSOCK_A_PEER_TX_DROPS,
		GSOCK_A_PEER_RX_PACKETS, GSOCK_A_PEER_RX_BYTES,
	};
	struct table *t = table_new(sizeof(heads) / sizeof(heads[0]));
	char buf[ADDR_TEXT_MAX];
	size_t i;

	for (i = 0; rec && i < sizeof(heads) / sizeof(heads[0]); i++)
		table_cell(t, "%s", heads[i]);
	for (; rec; rec = gsock_rec_next(rec)) {
		table_cell(t, "%s", addr_text(rec, buf));
		table_cell(t, "%" PRIu64, gsock_rec_num(rec, GSOCK_A_PORT));
		show_peer_state(t, rec);
		for (i = 0; i < sizeof(nums) / sizeof(nums[0]); i++)
			table_cell(t, "%" PRIu64, gsock_rec_num(rec, nums[i]));
	}
	table_print(t);
}

static int get_bearers(struct gsock_ctx *ctx, const struct call *call,
		       struct gsock_rec **recs)
{
	(void)call;
	return gsock_bearer_list(ctx, recs);
}

static void say_bearers(const struct call *call, const struct gsock_rec *recs)
{
	if (call->json)
		json_show(recs_json(recs, bearer_fields));
	else
		show_bearers(recs);
}

int bearer_show(struct call *call)
{
	int ret = take_words(call, 0, 0, "");

	return ret ? ret : show(call, get_bearers, say_bearers);
}

static int get_peers(struct gsock_ctx *ctx, const struct call *call,
		     struct gsock_rec **recs)
{
	(void)call;
	return gsock_peer_list(ctx, recs);
}

static void say_peers(const struct call *call, const struct gsock_rec *recs)
{
	if (call->json)
		json_show(recs_json(recs, peer_fields));
	else
		show_peers(recs);
}

int peer_show(struct call *call)
{
	int ret = take_words(call, 0, 0, "");

	return ret ? ret : show(call, get_peers, say_peers);
}
