// SPDX-License-Identifier: GPL-2.0
/* gsockctl group, gsockctl member, gsockctl counters */
#include <inttypes.h>
#include <stdio.h>
#include "gsockctl.h"
#include "node.h"
#include "print.h"

const struct field group_fields[] = {
	{ "name", GSOCK_A_GROUP_NAME, FIELD_STR },
	{ "id", GSOCK_A_GROUP_ID, FIELD_NUM },
	{ "epoch", GSOCK_A_GROUP_EPOCH, FIELD_NUM },
	{ "seq", GSOCK_A_GROUP_SEQ, FIELD_NUM },
	{ "members", GSOCK_A_GROUP_MEMBERS, FIELD_NUM },
	{ "locals", GSOCK_A_GROUP_LOCALS, FIELD_NUM },
	{ "order", GSOCK_A_GROUP_ORDER, FIELD_ORDER },
	{ "msg_max", GSOCK_A_GROUP_MSG_MAX, FIELD_NUM },
	{ "backlog", GSOCK_A_GROUP_BACKLOG, FIELD_NUM },
	{ "queued", GSOCK_A_GROUP_QUEUED, FIELD_NUM },
	{ "queued_bytes", GSOCK_A_GROUP_QUEUED_BYTES, FIELD_NUM },
	{ "delivered", GSOCK_A_GROUP_DELIVERED, FIELD_NUM },
	{ "sent", GSOCK_A_GROUP_SENT, FIELD_NUM },
	{ }
};

static void show_groups(const struct gsock_rec *rec)
{
	static const char *const heads[] = {
		"NAME", "VIEW", "MEMBERS", "LOCAL", "ORDER", "MSG-MAX",
		"BACKLOG", "QUEUED", "QUEUED-BYTES", "DELIVERED", "SENT",
	};
	static const int nums[] = {
		GSOCK_A_GROUP_MSG_MAX, GSOCK_A_GROUP_BACKLOG,
		GSOCK_A_GROUP_QUEUED, GSOCK_A_GROUP_QUEUED_BYTES,
		GSOCK_A_GROUP_DELIVERED, GSOCK_A_GROUP_SENT,
	};
	struct table *t = table_new(sizeof(heads) / sizeof(heads[0]));
	size_t i;

	for (i = 0; rec && i < sizeof(heads) / sizeof(heads[0]); i++)
		table_cell(t, "%s", heads[i]);
	for (; rec; rec = gsock_rec_next(rec)) {
		table_cell(t, "%s", gsock_rec_str(rec, GSOCK_A_GROUP_NAME));
		table_cell(t, "%" PRIu64 ".%" PRIu64,
			   gsock_rec_num(rec, GSOCK_A_GROUP_EPOCH),
			   gsock_rec_num(rec, GSOCK_A_GROUP_SEQ));
		table_cell(t, "%" PRIu64,
			   gsock_rec_num(rec, GSOCK_A_GROUP_MEMBERS));
		table_cell(t, "%" PRIu64,
			   gsock_rec_num(rec, GSOCK_A_GROUP_LOCALS));
		table_cell(t, "%s", gsock_order_name(gsock_rec_num(
					    rec, GSOCK_A_GROUP_ORDER)));
		for (i = 0; i < sizeof(nums) / sizeof(nums[0]); i++)
			table_cell(t, "%" PRIu64, gsock_rec_num(rec, nums[i]));
	}
	table_print(t);
}

static int take_group(const struct call *call, const char *name)
{
	const char *bad = parse_group(name);

	return bad ? usage(call, "'%s' %s", name, bad) : 0;
}

static int get_groups(struct gsock_ctx *ctx, const struct call *call,
		      struct gsock_rec **recs)
{
	return call->argc ? gsock_group_get(ctx, call->argv[0], recs) :
			    gsock_group_list(ctx, recs);
}

static void say_groups(const struct call *call, const struct gsock_rec *recs)
{
	if (!call->json)
		show_groups(recs);
	else
		json_show(call->argc ? rec_json(recs, group_fields) :
				       recs_json(recs, group_fields));
}

int group_show(struct call *call)
{
	int ret = take_words(call, 0, 1, "");

	if (!ret && call->argc)
		ret = take_group(call, call->argv[0]);
	return ret ? ret : show(call, get_groups, say_groups);
}

/* ---- members ---- */

static const struct field member_fields[] = {
	{ "rank", GSOCK_A_MEMBER_RANK, FIELD_NUM },
	{ "node", GSOCK_A_MEMBER_NODE, FIELD_NUM },
	{ "port", GSOCK_A_MEMBER_PORT, FIELD_NUM },
	{ "incarnation", GSOCK_A_MEMBER_INC, FIELD_NUM },
	{ "local", GSOCK_A_MEMBER_LOCAL, FIELD_BOOL },
	{ }
};

static void show_members(const struct gsock_rec *rec)
{
	struct table *t = table_new(5);

	if (rec) {
		table_cell(t, "RANK");
		table_cell(t, "NODE");
		table_cell(t, "PORT");
		table_cell(t, "INCARNATION");
		table_cell(t, "%s", "");
	}
	for (; rec; rec = gsock_rec_next(rec)) {
		table_cell(t, "%" PRIu64,
			   gsock_rec_num(rec, GSOCK_A_MEMBER_RANK));
		table_cell(t, "%" PRIu64,
			   gsock_rec_num(rec, GSOCK_A_MEMBER_NODE));
		table_cell(t, "%" PRIu64,
			   gsock_rec_num(rec, GSOCK_A_MEMBER_PORT));
		table_cell(t, "%" PRIu64,
			   gsock_rec_num(rec, GSOCK_A_MEMBER_INC));
		table_cell(t, "%s", gsock_rec_num(rec, GSOCK_A_MEMBER_LOCAL) ?
					    "* this node" : "");
	}
	table_print(t);
}

static int get_members(struct gsock_ctx *ctx, const struct call *call,
		       struct gsock_rec **recs)
{
	return gsock_member_list(ctx, call->argv[0], recs);
}

static void say_members(const struct call *call, const struct gsock_rec *recs)
{
	if (call->json)
		json_show(recs_json(recs, member_fields));
	else
		show_members(recs);
}

int member_show(struct call *call)
{
	int ret = take_words(call, 1, 1, "the name of a group");

	if (!ret)
		ret = take_group(call, call->argv[0]);
	return ret ? ret : show(call, get_members, say_members);
}

/* ---- counters ---- */

static int get_counters(struct gsock_ctx *ctx, const struct call *call,
			struct gsock_rec **recs)
{
	(void)call;
	return gsock_counters_get(ctx, recs);
}

static void say_counters(const struct call *call, const struct gsock_rec *recs)
{
	const struct gsock_rec *rec = gsock_rec_nested(recs);
	struct json_object *obj = json_object_new_object();
	struct table *t = table_new(2);

	for (; rec; rec = gsock_rec_next(rec)) {
		const char *name = gsock_rec_str(rec, GSOCK_A_COUNTER_NAME);
		uint64_t num = gsock_rec_num(rec, GSOCK_A_COUNTER_VALUE);

		if (!num && !call->all)
			continue;
		table_cell(t, "%s", name);
		table_cell(t, "%" PRIu64, num);
		json_object_object_add(obj, name, json_object_new_uint64(num));
	}
	if (call->json) {
		json_show(obj);
		table_free(t);
	} else {
		json_object_put(obj);
		table_print(t);
	}
}

int counters_show(struct call *call)
{
	int ret = take_words(call, 0, 0, "");

	return ret ? ret : show(call, get_counters, say_counters);
}
