// SPDX-License-Identifier: GPL-2.0
/* gsockctl node */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "gsockctl.h"
#include "node.h"
#include "print.h"

const struct field node_fields[] = {
	{ "id", GSOCK_A_NODE_ID, FIELD_NUM },
	{ "incarnation", GSOCK_A_NODE_INC, FIELD_NUM },
	{ "cluster", GSOCK_A_NODE_CLUSTER, FIELD_STR },
	{ "state", GSOCK_A_NODE_STATE, FIELD_STATE },
	{ "why", GSOCK_A_NODE_WHY, FIELD_STR },
	{ "epoch", GSOCK_A_NODE_EPOCH, FIELD_NUM },
	{ "epoch_before", GSOCK_A_NODE_EPOCH_BEFORE, FIELD_NUM },
	{ "quorate", GSOCK_A_NODE_QUORATE, FIELD_BOOL },
	{ "votes", GSOCK_A_NODE_VOTES, FIELD_NUM },
	{ "expected_votes", GSOCK_A_NODE_EXPECTED_VOTES, FIELD_NUM },
	{ "expected_decided", GSOCK_A_NODE_EXPECTED_DECIDED, FIELD_NUM },
	{ "partition", GSOCK_A_NODE_PARTITION, FIELD_PARTITION },
	{ "heartbeat_ms", GSOCK_A_NODE_HEARTBEAT_MS, FIELD_NUM },
	{ "detect_ms", GSOCK_A_NODE_DETECT_MS, FIELD_NUM },
	{ "family", GSOCK_A_NODE_FAMILY, FIELD_NUM },
	{ "groups", GSOCK_A_NODE_GROUPS, FIELD_NUM },
	{ "ballots", GSOCK_A_NODE_BALLOTS, FIELD_NUM },
	{ "view_changes", GSOCK_A_NODE_VIEW_CHANGES, FIELD_NUM },
	{ }
};

static const struct field seat_fields[] = {
	{ "id", GSOCK_A_NODE_ID, FIELD_NUM },
	{ "incarnation", GSOCK_A_NODE_INC, FIELD_NUM },
	{ "votes", GSOCK_A_NODE_VOTES, FIELD_NUM },
	{ }
};

/* Where no votes are expected there is nothing that a quorum would be of. */
static const char *quorum_word(const struct gsock_rec *node)
{
	if (!gsock_rec_num(node, GSOCK_A_NODE_EPOCH))
		return "no";
	if (!gsock_rec_num(node, GSOCK_A_NODE_EXPECTED_DECIDED))
		return "none";
	return gsock_rec_num(node, GSOCK_A_NODE_QUORATE) ? "yes" : "no";
}

struct json_object *node_json(const struct gsock_rec *node)
{
	struct json_object *obj = rec_json(node, node_fields);

	json_object_object_add(obj, "nodes",
			       recs_json(gsock_rec_nested(node), seat_fields));
	return obj;
}

static void show_expected(const struct gsock_rec *node)
{
	uint64_t set = gsock_rec_num(node, GSOCK_A_NODE_EXPECTED_VOTES);
	uint64_t decided = gsock_rec_num(node, GSOCK_A_NODE_EXPECTED_DECIDED);

	printf("votes         %" PRIu64, gsock_rec_num(node,
						       GSOCK_A_NODE_VOTES));
	if (decided)
		printf(" of %" PRIu64 " expected", decided);
	else if (gsock_rec_num(node, GSOCK_A_NODE_EPOCH))
		printf(", none expected");
	else
		printf(", none decided");
	if (set)
		printf(" (own setting %" PRIu64 ")\n", set);
	else
		puts(" (own setting 0: one and one for each peer)");
}

/* The nodes of the view by rank; the one that is asked has a star. */
static void show_seats(const struct gsock_rec *node)
{
	struct gsock_rec *seat = gsock_rec_nested(node);
	struct table *t;
	int rank = 0;

	if (!seat) {
		puts("view          none");
		return;
	}
	puts("view");
	t = table_new(5);
	table_cell(t, "  rank");
	table_cell(t, "node");
	table_cell(t, "votes");
	table_cell(t, "incarnation");
	table_cell(t, "%s", "");
	for (; seat; seat = gsock_rec_next(seat)) {
		uint64_t id = gsock_rec_num(seat, GSOCK_A_NODE_ID);
		uint64_t inc = gsock_rec_num(seat, GSOCK_A_NODE_INC);
		bool self = id == gsock_rec_num(node, GSOCK_A_NODE_ID) &&
			    inc == gsock_rec_num(node, GSOCK_A_NODE_INC);

		table_cell(t, "  %d", rank++);
		table_cell(t, "%" PRIu64, id);
		table_cell(t, "%" PRIu64,
			   gsock_rec_num(seat, GSOCK_A_NODE_VOTES));
		table_cell(t, "%" PRIu64, inc);
		table_cell(t, "%s", self ? "* this node" : "");
	}
	table_print(t);
}

static void show_epoch(const struct gsock_rec *node)
{
	uint64_t before = gsock_rec_num(node, GSOCK_A_NODE_EPOCH_BEFORE);

	printf("epoch         %" PRIu64,
	       gsock_rec_num(node, GSOCK_A_NODE_EPOCH));
	if (before)
		printf(" after %" PRIu64, before);
	puts("");
}

static void show_node(const struct gsock_rec *node)
{
	const char *why = gsock_rec_str(node, GSOCK_A_NODE_WHY);

	printf("node          %" PRIu64 "\n",
	       gsock_rec_num(node, GSOCK_A_NODE_ID));
	printf("incarnation   %" PRIu64 "\n",
	       gsock_rec_num(node, GSOCK_A_NODE_INC));
	printf("cluster       %s\n", gsock_rec_str(node, GSOCK_A_NODE_CLUSTER));
	printf("state         %s%s%s\n",
	       gsock_node_state_name(gsock_rec_num(node, GSOCK_A_NODE_STATE)),
	       *why ? ": " : "", why);
	show_epoch(node);
	printf("quorum        %s\n", quorum_word(node));
	show_expected(node);
	printf("partition     %s\n",
	       partition_name(gsock_rec_num(node, GSOCK_A_NODE_PARTITION)));
	printf("heartbeat     %" PRIu64 " ms, detection after %" PRIu64 " ms\n",
	       gsock_rec_num(node, GSOCK_A_NODE_HEARTBEAT_MS),
	       gsock_rec_num(node, GSOCK_A_NODE_DETECT_MS));
	printf("groups        %" PRIu64 "\n",
	       gsock_rec_num(node, GSOCK_A_NODE_GROUPS));
	printf("view changes  %" PRIu64 ", ballots started here %" PRIu64 "\n",
	       gsock_rec_num(node, GSOCK_A_NODE_VIEW_CHANGES),
	       gsock_rec_num(node, GSOCK_A_NODE_BALLOTS));
	printf("family        %" PRIu64 "\n",
	       gsock_rec_num(node, GSOCK_A_NODE_FAMILY));
	show_seats(node);
}

static int get_node(struct gsock_ctx *ctx, const struct call *call,
		    struct gsock_rec **recs)
{
	(void)call;
	return gsock_node_get(ctx, recs);
}

static void say_node(const struct call *call, const struct gsock_rec *node)
{
	if (call->json)
		json_show(node_json(node));
	else
		show_node(node);
}

int node_show(struct call *call)
{
	int ret = take_words(call, 0, 0, "");

	return ret ? ret : show(call, get_node, say_node);
}

/* ---- set ---- */

/* What can be set, with its range; a word where the range is 0 to 0. */
static const struct {
	const char *word;
	int attr;
	uint32_t min;
	uint32_t max;
} settings[] = {
	{ "id", GSOCK_A_NODE_ID, 1, 2147483647 },
	{ "cluster", GSOCK_A_NODE_CLUSTER, 0, 0 },
	{ "votes", GSOCK_A_NODE_VOTES, 0, 16 },
	{ "expected-votes", GSOCK_A_NODE_EXPECTED_VOTES, 0, 1024 },
	{ "partition", GSOCK_A_NODE_PARTITION, 0, 0 },
	{ "heartbeat", GSOCK_A_NODE_HEARTBEAT_MS, 10, 10000 },
	{ "detect", GSOCK_A_NODE_DETECT_MS, 30, 60000 },
};

#define N_SETTINGS (sizeof(settings) / sizeof(settings[0]))

static int fill_partition(const struct call *call, struct gsock_set *set,
			  const char *value)
{
	uint32_t i;
	int ret;

	for (i = 0; i <= GSOCK_PARTITION_NONE; i++) {
		if (strcmp(value, partition_name(i)))
			continue;
		ret = gsock_set_num(set, GSOCK_A_NODE_PARTITION, i);
		return ret ? failed(call, ret) : 0;
	}
	return usage(call, "partition: '%s' is not primary or none", value);
}

static int fill_setting(const struct call *call, struct gsock_set *set,
			size_t i, const char *value)
{
	const char *bad;
	uint32_t num;
	int ret;

	if (settings[i].attr == GSOCK_A_NODE_PARTITION)
		return fill_partition(call, set, value);
	if (!settings[i].max) {
		bad = parse_cluster(value);
		if (bad)
			return usage(call, "%s: '%s' %s", settings[i].word,
				     value, bad);
		ret = gsock_set_str(set, settings[i].attr, value);
	} else {
		ret = take_num(call, settings[i].word, value, settings[i].min,
			       settings[i].max, &num);
		if (ret)
			return ret;
		ret = gsock_set_num(set, settings[i].attr, num);
	}
	return ret ? failed(call, ret) : 0;
}

static int fill_settings(const struct call *call, struct gsock_set *set)
{
	struct keyword words[N_SETTINGS] = { };
	size_t i;
	int ret;

	for (i = 0; i < N_SETTINGS; i++)
		words[i].word = settings[i].word;
	ret = take_keywords(call, 0, words, N_SETTINGS);
	for (i = 0; !ret && i < N_SETTINGS; i++)
		if (words[i].given)
			ret = fill_setting(call, set, i, words[i].value);
	return ret;
}

int node_set(struct call *call)
{
	struct gsock_ctx *ctx = NULL;
	struct gsock_set *set;
	int ret;

	if (!call->argc)
		return usage(call, "what to set is missing");
	need(gsock_set_new(&set) ? NULL : set);
	ret = fill_settings(call, set);
	if (!ret)
		ret = take_ctx(call, &ctx);
	if (!ret) {
		ret = gsock_node_set(ctx, set);
		if (ret)
			ret = refused(call, ctx, ret);
	}
	gsock_ctx_free(ctx);
	gsock_set_free(set);
	return ret;
}
