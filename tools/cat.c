// SPDX-License-Identifier: GPL-2.0
/*
 * gsockctl cat: standard input to the group, line by line; what comes from
 * the group to standard output.
 *
 * Each line is sent in the view that was read last, or not yet. So at a new
 * view it is certain which lines came back and which are lost.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "gsockctl.h"
#include "print.h"
#include "wait.h"

/* The longest line, its end, and more to read at a time. */
#define BUF_SIZE (GROUP_MSG_MAX + 65536)

enum { FD_GROUP, FD_STOP, FD_STDIN };

/**
 * struct cat - one run
 * @call: how it was called
 * @fd: the socket
 * @rx: what was read from it last
 * @view: the view read last; epoch 0: none yet
 * @self: this member in it
 * @stale: the node has a newer view, which is still to be read
 * @blocked: the line must wait for POLLOUT
 * @leaving: asked to leave
 * @ended: has left, or must stop
 * @out: lines sent in this view that have not come back
 * @status: how the program will end
 * @eof: no more lines will be read
 * @buf: what was read of standard input
 * @from: first byte of it that was not sent
 * @to: behind its last byte
 * @line: bytes of the line at @from; -1: not known to be whole
 */
struct cat {
	struct call *call;
	int fd;
	struct gsock_rx *rx;
	struct group_view_id view;
	struct group_member self;
	bool stale;
	bool blocked;
	bool leaving;
	bool ended;
	unsigned long out;
	int status;
	bool eof;
	char *buf;
	size_t from;
	size_t to;
	ssize_t line;
};

static void stop_sending(struct cat *cat)
{
	cat->eof = true;
	cat->from = 0;
	cat->to = 0;
	cat->line = -1;
}

__attribute__((format(printf, 2, 3)))
static void problem(struct cat *cat, const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "gsockctl: cat: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	cat->status = EXIT_REFUSED;
}

/* ---- from standard input ---- */

/* Looks for a whole line; the last one needs no end. */
static void find_line(struct cat *cat)
{
	const char *at = cat->buf + cat->from;
	const char *end = memchr(at, '\n', cat->to - cat->from);

	cat->line = -1;
	if (end) {
		cat->line = end - at;
	} else if (cat->eof && cat->to > cat->from) {
		cat->line = cat->to - cat->from;
	} else if (cat->to - cat->from > GROUP_MSG_MAX) {
		problem(cat, "a line has more than %d bytes; no more are sent",
			GROUP_MSG_MAX);
		stop_sending(cat);
	}
}

static int read_lines(struct cat *cat)
{
	ssize_t n;

	if (cat->from) {
		memmove(cat->buf, cat->buf + cat->from, cat->to - cat->from);
		cat->to -= cat->from;
		cat->from = 0;
	}
	n = read(STDIN_FILENO, cat->buf + cat->to, BUF_SIZE - cat->to);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	cat->to += n;
	cat->eof = !n;
	find_line(cat);
	return 0;
}

/* Sends the lines that are whole, as long as there is room. */
static int send_lines(struct cat *cat)
{
	int ret;

	while (cat->line >= 0 && !cat->stale) {
		ret = gsock_send_in(cat->fd, &cat->view, cat->buf + cat->from,
				    cat->line, cat->call->order,
				    MSG_DONTWAIT);
		if (ret == -EAGAIN) {
			cat->blocked = true;
			return 0;
		}
		if (ret == -ESTALE) {
			cat->stale = true;
			return 0;
		}
		/* Out of the group; the records still to be read say why. */
		if (ret == -EPIPE) {
			problem(cat, "out of the group; no more lines are sent");
			stop_sending(cat);
			return 0;
		}
		if (ret == -EMSGSIZE) {
			problem(cat, "a line of %zd bytes is longer than this group's largest message; no more are sent",
				cat->line);
			stop_sending(cat);
			return 0;
		}
		if (ret)
			return ret;
		cat->out++;
		cat->from += cat->line;
		if (cat->from < cat->to)
			cat->from++;
		find_line(cat);
	}
	return 0;
}

/* ---- from the group: text ---- */

static void text_view(const struct cat *cat, const struct group_event *ev)
{
	const struct group_member *m;
	unsigned int i, n;

	printf("view %" PRIu64 ".%" PRIu64 ": %u member%s:",
	       (uint64_t)ev->view.epoch, (uint64_t)ev->view.seq, ev->members,
	       ev->members == 1 ? "" : "s");
	m = gsock_rx_members(cat->rx, &n);
	for (i = 0; i < n; i++)
		printf(" %u/%u%s", m[i].node, m[i].port,
		       m[i].rank == ev->rank ? "*" : "");
	if (n < ev->members)
		fputs(" ...", stdout);
	if (ev->joined)
		fputs(" joined", stdout);
	for (i = 0; i < n; i++)
		if (m[i].change == GROUP_JOINED)
			printf(" %u/%u", m[i].node, m[i].port);
	m = gsock_rx_left(cat->rx, &n);
	if (ev->left)
		fputs(" left", stdout);
	for (i = 0; i < n; i++)
		printf(" %u/%u (%s)", m[i].node, m[i].port,
		       gsock_why_name(m[i].reason));
	putchar('\n');
}

static const char *event_name(unsigned int type)
{
	switch (type) {
	case GROUP_EV_VIEW:
		return "view";
	case GROUP_EV_SUSPENDED:
		return "suspended";
	case GROUP_EV_RESUMED:
		return "resumed";
	case GROUP_EV_EVICTED:
		return "evicted";
	default:
		return "unknown event";
	}
}

static void text_event(const struct cat *cat, const struct group_event *ev)
{
	if (ev->type == GROUP_EV_VIEW) {
		text_view(cat, ev);
		return;
	}
	fputs(event_name(ev->type), stdout);
	if (ev->type == GROUP_EV_SUSPENDED)
		fputs(": no quorum", stdout);
	if (ev->type == GROUP_EV_EVICTED)
		printf(": %s", gsock_why_name(ev->reason));
	putchar('\n');
}

static void text_message(const struct cat *cat)
{
	const struct sockaddr_group *from = gsock_rx_sender(cat->rx);
	size_t len;
	const void *data = gsock_rx_data(cat->rx, &len);

	printf("%u/%u: ", from->sgr_node, from->sgr_port);
	print_safe(data, len);
	putchar('\n');
}

/* ---- from the group: JSON ---- */

static void add_num(struct json_object *obj, const char *key, uint64_t num)
{
	json_object_object_add(obj, key, json_object_new_uint64(num));
}

static void add_str(struct json_object *obj, const char *key, const char *str)
{
	json_object_object_add(obj, key, json_object_new_string(str));
}

static struct json_object *member_json(const struct group_member *m)
{
	struct json_object *obj = json_object_new_object();

	add_num(obj, "node", m->node);
	add_num(obj, "port", m->port);
	add_num(obj, "incarnation", m->inc);
	if (m->change == GROUP_LEFT) {
		add_str(obj, "why", gsock_why_name(m->reason));
		return obj;
	}
	add_num(obj, "rank", m->rank);
	json_object_object_add(obj, "joined",
			       json_object_new_boolean(m->change ==
						       GROUP_JOINED));
	return obj;
}

static struct json_object *list_json(const struct group_member *m,
				     unsigned int n)
{
	struct json_object *array = json_object_new_array();
	unsigned int i;

	for (i = 0; i < n; i++)
		json_object_array_add(array, member_json(&m[i]));
	return array;
}

static void json_event(const struct cat *cat, const struct group_event *ev)
{
	struct json_object *obj = json_object_new_object();
	const struct group_member *m;
	unsigned int n;

	add_str(obj, "event", event_name(ev->type));
	add_num(obj, "epoch", ev->view.epoch);
	add_num(obj, "seq", ev->view.seq);
	if (ev->type == GROUP_EV_EVICTED)
		add_str(obj, "why", gsock_why_name(ev->reason));
	if (ev->type == GROUP_EV_VIEW) {
		add_num(obj, "rank", ev->rank);
		m = gsock_rx_members(cat->rx, &n);
		json_object_object_add(obj, "members", list_json(m, n));
		m = gsock_rx_left(cat->rx, &n);
		json_object_object_add(obj, "left", list_json(m, n));
	}
	json_line(obj);
}

static void json_message(const struct cat *cat)
{
	const struct sockaddr_group *from = gsock_rx_sender(cat->rx);
	const struct group_msg_info *info = gsock_rx_info(cat->rx);
	struct json_object *obj = json_object_new_object();
	size_t len;
	const void *data = gsock_rx_data(cat->rx, &len);

	add_str(obj, "event", "message");
	add_num(obj, "node", from->sgr_node);
	add_num(obj, "port", from->sgr_port);
	add_num(obj, "incarnation", from->sgr_inc);
	if (info) {
		add_num(obj, "epoch", info->view.epoch);
		add_num(obj, "seq", info->view.seq);
		add_num(obj, "position", info->position);
		add_str(obj, "order", gsock_order_name(info->order));
	}
	json_bytes(obj, data, len);
	json_line(obj);
}

/* ---- from the group ---- */

static void take_view(struct cat *cat, const struct group_event *ev)
{
	const struct group_member *m;
	unsigned int n;

	m = gsock_rx_members(cat->rx, &n);
	if (ev->rank < n)
		cat->self = m[ev->rank];
	/* What was sent in the view before comes no more. */
	if (cat->out)
		problem(cat, "%lu line%s lost: this node was cut off",
			cat->out, cat->out == 1 ? " was" : "s were");
	cat->out = 0;
	cat->view = ev->view;
	cat->stale = false;
	cat->blocked = false;
}

static void take_message(struct cat *cat)
{
	const struct sockaddr_group *from = gsock_rx_sender(cat->rx);
	const struct group_msg_info *info = gsock_rx_info(cat->rx);

	/* A message to this member alone has no position. */
	if (cat->out && info && info->position &&
	    from->sgr_node == cat->self.node &&
	    from->sgr_inc == cat->self.inc && from->sgr_port == cat->self.port)
		cat->out--;
	if (cat->call->json)
		json_message(cat);
	else
		text_message(cat);
}

static void take_event(struct cat *cat)
{
	const struct group_event *ev = gsock_rx_event(cat->rx);

	if (cat->call->json)
		json_event(cat, ev);
	else
		text_event(cat, ev);
	if (ev->type == GROUP_EV_VIEW)
		take_view(cat, ev);
	if (ev->type == GROUP_EV_EVICTED) {
		cat->status = EXIT_REFUSED;
		cat->ended = true;
	}
}

/* Everything that is there. */
static int receive(struct cat *cat)
{
	int kind;

	while (!cat->ended) {
		kind = gsock_recv(cat->fd, cat->rx, MSG_DONTWAIT);
		if (kind == -EAGAIN)
			break;
		if (kind < 0)
			return kind;
		if (kind == GSOCK_END)
			cat->ended = true;
		else if (kind == GSOCK_EVENT)
			take_event(cat);
		else
			take_message(cat);
	}
	return fflush(stdout) ? -errno : 0;
}

/* ---- the loop ---- */

/* Leaves when all lines have come back. */
static int leave_if_done(struct cat *cat)
{
	if (!cat->eof || cat->line >= 0 || cat->out || cat->leaving ||
	    cat->ended || cat->call->keep || !cat->view.epoch)
		return 0;
	cat->leaving = true;
	return gsock_leave(cat->fd);
}

static int turn(struct cat *cat, struct pollfd *fds)
{
	bool sends = cat->line >= 0 && cat->view.epoch && !cat->stale;
	int ret;

	fds[FD_GROUP].events = POLLIN | (sends ? POLLOUT : 0);
	fds[FD_STDIN].fd = cat->eof || cat->line >= 0 ? -1 : STDIN_FILENO;
	ret = wait_any(fds, 3);
	if (ret < 0)
		return ret;
	if (fds[FD_STOP].revents) {
		cat->ended = true;
		return 0;
	}
	if (fds[FD_GROUP].revents & POLLOUT)
		cat->blocked = false;
	ret = receive(cat);
	if (!ret && !cat->ended && fds[FD_STDIN].fd >= 0 &&
	    fds[FD_STDIN].revents)
		ret = read_lines(cat);
	if (!ret && cat->view.epoch && !cat->blocked && !cat->ended)
		ret = send_lines(cat);
	return ret ? ret : leave_if_done(cat);
}

static int start(struct cat *cat, struct pollfd *fds)
{
	int ret;

	fds[FD_STOP].fd = stop_fd();
	if (fds[FD_STOP].fd < 0)
		return fds[FD_STOP].fd;
	cat->fd = gsock_open(SOCK_CLOEXEC);
	if (cat->fd < 0)
		return cat->fd;
	fds[FD_GROUP].fd = cat->fd;
	ret = gsock_rx_new(&cat->rx, 0);
	if (!ret)
		ret = gsock_set_events(cat->fd, 1 << GROUP_EV_VIEW |
						1 << GROUP_EV_SUSPENDED |
						1 << GROUP_EV_RESUMED |
						1 << GROUP_EV_EVICTED);
	if (!ret)
		ret = gsock_set_info(cat->fd, 1);
	return ret ? ret : gsock_join(cat->fd, cat->call->argv[0]);
}

int cat(struct call *call)
{
	struct pollfd fds[3] = {
		[FD_STOP] = { .events = POLLIN },
		[FD_STDIN] = { .events = POLLIN },
	};
	struct cat cat = { .call = call, .fd = -1, .line = -1 };
	const char *bad;
	int ret = take_words(call, 1, 1, "the name of a group");

	if (ret)
		return ret;
	bad = parse_group(call->argv[0]);
	if (bad)
		return usage(call, "'%s' %s", call->argv[0], bad);
	cat.buf = need(malloc(BUF_SIZE));
	ret = start(&cat, fds);
	while (!ret && !cat.ended)
		ret = turn(&cat, fds);
	gsock_rx_free(cat.rx);
	free(cat.buf);
	if (cat.fd >= 0)
		close(cat.fd);
	return ret ? failed(call, ret) : cat.status;
}
