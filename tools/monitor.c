// SPDX-License-Identifier: GPL-2.0
/* gsockctl monitor: notifications, one line each, until told to stop. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "gsockctl.h"
#include "node.h"
#include "print.h"
#include "wait.h"

#define CLOCK_MAX 64

/* The wall clock to the millisecond; in JSON with the zone. */
static const char *clock_text(bool json, char *buf)
{
	struct timespec now;
	char zone[16] = "";
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	n = strftime(buf, CLOCK_MAX, json ? "%FT%T" : "%F %T", &tm);
	if (json)
		strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(buf + n, CLOCK_MAX - n, ".%03ld%s", now.tv_nsec / 1000000,
		 zone);
	return buf;
}

/* ---- JSON ---- */

static struct json_object *event_json(const char *event)
{
	struct json_object *obj = json_object_new_object();
	char buf[CLOCK_MAX];

	json_object_object_add(obj, "time",
			       json_object_new_string(clock_text(true, buf)));
	json_object_object_add(obj, "event", json_object_new_string(event));
	return obj;
}

static void show_json(const struct gsock_rec *rec)
{
	struct json_object *obj;

	switch (gsock_rec_cmd(rec)) {
	case GSOCK_CMD_NODE_NTF:
		obj = event_json("node");
		json_object_object_add(obj, "node", node_json(rec));
		break;
	case GSOCK_CMD_PEER_NTF:
		obj = event_json("peer");
		json_object_object_add(obj, "peer",
				       rec_json(rec, peer_fields));
		break;
	case GSOCK_CMD_GROUP_NTF:
		obj = event_json("group");
		json_object_object_add(obj, "group",
				       rec_json(rec, group_fields));
		break;
	default:
		return;
	}
	json_line(obj);
}

/* ---- text ---- */

static void show_node(const struct gsock_rec *rec)
{
	const char *why = gsock_rec_str(rec, GSOCK_A_NODE_WHY);
	struct gsock_rec *seat;

	printf("node %" PRIu64 ": %s%s%s%s, epoch %" PRIu64 ", quorum %s, nodes",
	       gsock_rec_num(rec, GSOCK_A_NODE_ID),
	       gsock_node_state_name(gsock_rec_num(rec, GSOCK_A_NODE_STATE)),
	       *why ? " (" : "", why, *why ? ")" : "",
	       gsock_rec_num(rec, GSOCK_A_NODE_EPOCH),
	       gsock_rec_num(rec, GSOCK_A_NODE_QUORATE) ? "yes" : "no");
	seat = gsock_rec_nested(rec);
	if (!seat)
		fputs(" none", stdout);
	for (; seat; seat = gsock_rec_next(seat))
		printf(" %" PRIu64, gsock_rec_num(seat, GSOCK_A_NODE_ID));
}

static void show_peer(const struct gsock_rec *rec)
{
	char buf[ADDR_TEXT_MAX];

	printf("peer %s port %" PRIu64 ": %s, node %" PRIu64,
	       addr_text(rec, buf), gsock_rec_num(rec, GSOCK_A_PORT),
	       gsock_rec_num(rec, GSOCK_A_PEER_UP) ? "up" : "down",
	       gsock_rec_num(rec, GSOCK_A_PEER_NODE));
}

static void show_group(const struct gsock_rec *rec)
{
	printf("group %s: view %" PRIu64 ".%" PRIu64 ", %" PRIu64
	       " members, %" PRIu64 " here",
	       gsock_rec_str(rec, GSOCK_A_GROUP_NAME),
	       gsock_rec_num(rec, GSOCK_A_GROUP_EPOCH),
	       gsock_rec_num(rec, GSOCK_A_GROUP_SEQ),
	       gsock_rec_num(rec, GSOCK_A_GROUP_MEMBERS),
	       gsock_rec_num(rec, GSOCK_A_GROUP_LOCALS));
}

static void show_text(const struct gsock_rec *rec)
{
	char buf[CLOCK_MAX];

	printf("%s ", clock_text(false, buf));
	switch (gsock_rec_cmd(rec)) {
	case GSOCK_CMD_NODE_NTF:
		show_node(rec);
		break;
	case GSOCK_CMD_PEER_NTF:
		show_peer(rec);
		break;
	case GSOCK_CMD_GROUP_NTF:
		show_group(rec);
		break;
	default:
		printf("notification %d", gsock_rec_cmd(rec));
		break;
	}
	putchar('\n');
}

/* ---- the loop ---- */

static void show_lost(bool json)
{
	char buf[CLOCK_MAX];

	if (json)
		json_line(event_json("lost"));
	else
		printf("%s notifications were lost: they came too fast\n",
		       clock_text(false, buf));
}

/* All that is there; 0 or -errno. */
static int show_all(struct gsock_mon *mon, bool json)
{
	struct gsock_rec *rec;
	int ret;

	while ((ret = gsock_mon_next(mon, &rec)) != -EAGAIN) {
		if (ret == -ENOBUFS)
			show_lost(json);
		else if (ret)
			return ret;
		else if (json)
			show_json(rec);
		else
			show_text(rec);
		gsock_rec_free(rec);
		if (fflush(stdout))
			return -errno;
	}
	return 0;
}

int monitor(struct call *call)
{
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };
	struct gsock_mon *mon;
	int ret = take_words(call, 0, 0, "");

	if (ret)
		return ret;
	ret = gsock_mon_new(&mon);
	if (ret)
		return failed(call, ret);
	fds[0].fd = gsock_mon_fd(mon);
	fds[1].fd = stop_fd();
	ret = fds[1].fd < 0 ? fds[1].fd : 0;
	while (ret >= 0 && !fds[1].revents) {
		ret = wait_any(fds, 2);
		if (ret > 0 && fds[0].revents)
			ret = show_all(mon, call->json);
	}
	gsock_mon_free(mon);
	return ret < 0 ? failed(call, ret) : EXIT_OK;
}
