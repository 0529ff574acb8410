// SPDX-License-Identifier: GPL-2.0
/*
 * A member that writes down all it sees, for logs to be compared:
 *
 *	member -g GROUP -l LOG [-t TIMELINE] [-n NAME] [-f FILE] [-o ORDER]
 *	       [-e TEXT] [-m MARK] [-z SIZES] [-r TIMES] [-b BEGIN] [-s] [-w] [-p]
 *
 * LOG gets a line for each view, message and state change, in which nothing
 * is said of the member itself: two logs of one group are the same bytes.
 * TIMELINE gets times (seconds of CLOCK_MONOTONIC) and NAME for people. The
 * lines of FILE are sent in ORDER (total), as fast as they are taken. When the
 * file MARK is there and all is sent, TEXT goes out as the last message; a
 * member ends when it has read TEXT, or has left (SIGTERM). Nothing is sent
 * before the file BEGIN is there.
 *
 * Instead of a file, messages of the SIZES ("0 1 65536") are sent, TIMES over;
 * -s logs the sum of a message's bytes in place of the bytes. -w: blocking
 * sends, in a thread's stead: nothing is read while one waits. -p: what fails
 * for lack of memory is tried again.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <gsock.h>

static struct {
	const char *group;
	const char *name;
	const char *end;
	const char *mark;
	const char *begin;	/* NULL: it is there */
	int order;
	int fd;
	FILE *log;
	FILE *timeline;
	FILE *file;
	const char *sizes;	/* next one, NULL: none */
	const char *all_sizes;
	int times;
	bool sums;
	int flags;
	unsigned int made;
	char *line;		/* to be sent next */
	size_t size;
	ssize_t len;		/* of it, -1: none */
	bool marked;
	bool ended;
	bool joined;
	bool waits;		/* a send was refused */
	bool suspended;
	bool told;		/* that it cannot send while suspended */
	bool persists;		/* lack of memory is no reason to end */
} me = {
	.name = "member",
	.order = GROUP_ORDER_TOTAL,
	.times = 1,
	.flags = MSG_DONTWAIT | MSG_NOSIGNAL,
	.len = -1,
};

static volatile sig_atomic_t told_to_leave;

static void on_term(int sig)
{
	(void)sig;
	told_to_leave = 1;
}

static void die(const char *what, int err)
{
	fprintf(stderr, "member %s: %s: %s\n", me.name, what, strerror(-err));
	exit(1);
}

/* Is @err what another attempt may not meet? */
static bool again(int err)
{
	return me.persists && (err == -ENOMEM || err == -ENOBUFS);
}

static void happened(const char *fmt, ...)
{
	struct timespec now;
	va_list ap;

	if (!me.timeline)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	fprintf(me.timeline, "%ld.%06ld %s ", (long)now.tv_sec,
		now.tv_nsec / 1000, me.name);
	va_start(ap, fmt);
	vfprintf(me.timeline, fmt, ap);
	va_end(ap);
	fputc('\n', me.timeline);
}

/* ---- what comes ---- */

static void log_members(const char *what, const struct group_member *m,
			unsigned int n, bool joined)
{
	unsigned int i;
	bool any = false;

	for (i = 0; i < n; i++) {
		if (joined && m[i].change != GROUP_JOINED)
			continue;
		fprintf(me.log, "%s %u/%u", any ? "" : what, m[i].node,
			m[i].port);
		if (m[i].change == GROUP_LEFT)
			fprintf(me.log, " (%s)", gsock_why_name(m[i].reason));
		any = true;
	}
}

static void tell_view(const struct group_event *ev, const struct gsock_rx *rx)
{
	const struct group_member *m, *left;
	unsigned int i, n, n_left;
	char text[2048] = "";
	size_t at = 0;

	m = gsock_rx_members(rx, &n);
	left = gsock_rx_left(rx, &n_left);
	for (i = 0; i < n && at < sizeof(text) - 100; i++)
		if (m[i].change == GROUP_JOINED)
			at += snprintf(text + at, sizeof(text) - at,
				       ", node %u port %u joined", m[i].node,
				       m[i].port);
	for (i = 0; i < n_left && at < sizeof(text) - 100; i++)
		at += snprintf(text + at, sizeof(text) - at,
			       ", node %u port %u left (%s)", left[i].node,
			       left[i].port, gsock_why_name(left[i].reason));
	happened("view of %u members%s", ev->members, text);
}

static void log_view(const struct group_event *ev, const struct gsock_rx *rx)
{
	const struct group_member *m, *left;
	unsigned int n, n_left;

	m = gsock_rx_members(rx, &n);
	left = gsock_rx_left(rx, &n_left);
	fprintf(me.log, "view %llu.%llu", ev->view.epoch, ev->view.seq);
	log_members(" members", m, n, false);
	log_members(" joined", m, n, true);
	log_members(" left", left, n_left, false);
	fputc('\n', me.log);
	tell_view(ev, rx);
	me.joined = true;
}

static void take_event(const struct gsock_rx *rx)
{
	const struct group_event *ev = gsock_rx_event(rx);

	switch (ev->type) {
	case GROUP_EV_VIEW:
		log_view(ev, rx);
		break;
	case GROUP_EV_SUSPENDED:
		fprintf(me.log, "suspended\n");
		happened("suspended: no quorum here");
		me.suspended = true;
		break;
	case GROUP_EV_RESUMED:
		fprintf(me.log, "resumed\n");
		happened("resumed");
		me.suspended = false;
		break;
	case GROUP_EV_EVICTED:
		fprintf(me.log, "evicted (%s)\n", gsock_why_name(ev->reason));
		happened("evicted (%s)", gsock_why_name(ev->reason));
		break;
	}
}

/* FNV-1a (Fowler, Noll, Vo): tells bytes that differ. */
static unsigned int sum_of(const char *data, size_t len)
{
	unsigned int sum = 2166136261U;

	while (len--)
		sum = (sum ^ (unsigned char)*data++) * 16777619U;
	return sum;
}

static void take_message(const struct gsock_rx *rx)
{
	const struct sockaddr_group *from = gsock_rx_sender(rx);
	const struct group_msg_info *info = gsock_rx_info(rx);
	const char *data;
	size_t len;

	data = gsock_rx_data(rx, &len);
	fprintf(me.log, "message %llu.%llu %llu %s %u/%u ", info->view.epoch,
		info->view.seq, info->position, gsock_order_name(info->order),
		from->sgr_node, from->sgr_port);
	if (me.sums)
		fprintf(me.log, "%zu bytes %08x\n", len, sum_of(data, len));
	else
		fprintf(me.log, "%.*s\n", (int)len, data);
	if (me.end && len == strlen(me.end) && !memcmp(data, me.end, len))
		me.ended = true;
}

static void receive(struct gsock_rx *rx)
{
	int kind;

	while (!me.ended) {
		kind = gsock_recv(me.fd, rx, MSG_DONTWAIT);
		if (kind == -EAGAIN || kind == -EINTR || again(kind))
			return;
		if (kind < 0)
			die("receive", kind);
		if (kind == GSOCK_MESSAGE)
			take_message(rx);
		else if (kind == GSOCK_EVENT)
			take_event(rx);
		else
			me.ended = true;
	}
}

/* ---- what is sent ---- */

/* A message of the next size; bytes that differ from message to message. */
static bool next_size(void)
{
	char *end;
	ssize_t i;

	if (!*me.sizes) {
		me.sizes = --me.times > 0 ? me.all_sizes : NULL;
		if (!me.sizes) {
			happened("has sent all of its messages");
			return false;
		}
	}
	me.len = strtol(me.sizes, &end, 10);
	me.sizes = end + strspn(end, " ");
	if (me.size < (size_t)me.len + 1) {
		me.size = me.len + 1;
		me.line = realloc(me.line, me.size);
	}
	me.made++;
	for (i = 0; i < me.len; i++)
		me.line[i] = me.made * 31 + i * 7 + (i >> 8);
	return true;
}

/* The next line into me.line; false when there is nothing (yet). */
static bool next_line(void)
{
	if (me.len >= 0)
		return true;
	if (me.sizes && next_size())
		return true;
	if (me.file) {
		me.len = getline(&me.line, &me.size, me.file);
		if (me.len > 0 && me.line[me.len - 1] == '\n')
			me.len--;
		if (me.len >= 0)
			return true;
		fclose(me.file);
		me.file = NULL;
		happened("has sent all of its file");
	}
	if (!me.mark || me.marked || access(me.mark, F_OK))
		return false;
	me.marked = true;
	me.len = strlen(me.end);
	me.line = realloc(me.line, me.len + 1);
	me.size = me.len + 1;
	strcpy(me.line, me.end);
	return true;
}

static bool may_begin(void)
{
	if (me.begin && !access(me.begin, F_OK))
		me.begin = NULL;
	return !me.begin;
}

/* A few lines, so that reading has its turn. */
static void send_some(void)
{
	int i, err;

	me.waits = false;
	for (i = 0; i < 32 && next_line(); i++) {
		err = gsock_send(me.fd, me.line, me.len, me.order, me.flags);
		if (err == -EAGAIN || again(err)) {
			me.waits = true;
			if (me.suspended && !me.told)
				happened("cannot send (EAGAIN)");
			me.told = me.suspended;
			return;
		}
		if (err < 0)
			die("send", err);
		me.len = -1;
	}
}

/* ---- all of it ---- */

static FILE *open_out(const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f) {
		perror(path);
		exit(1);
	}
	/* A whole line at a time: what SIGKILL leaves can be compared. */
	setvbuf(f, NULL, _IOLBF, 0);
	return f;
}

static void options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "g:l:t:n:f:o:e:m:z:r:b:swp")) != -1) {
		switch (c) {
		case 'g':
			me.group = optarg;
			break;
		case 'l':
			me.log = open_out(optarg);
			break;
		case 't':
			me.timeline = open_out(optarg);
			break;
		case 'n':
			me.name = optarg;
			break;
		case 'f':
			me.file = fopen(optarg, "r");
			if (!me.file) {
				perror(optarg);
				exit(1);
			}
			break;
		case 'o':
			me.order = gsock_order_of(optarg);
			if (me.order < 0)
				die(optarg, me.order);
			break;
		case 'e':
			me.end = optarg;
			break;
		case 'm':
			me.mark = optarg;
			break;
		case 'z':
			me.sizes = optarg;
			me.all_sizes = optarg;
			break;
		case 'r':
			me.times = atoi(optarg);
			break;
		case 'b':
			me.begin = optarg;
			break;
		case 's':
			me.sums = true;
			break;
		case 'p':
			me.persists = true;
			break;
		case 'w':
			me.flags = MSG_NOSIGNAL;
			break;
		default:
			exit(2);
		}
	}
	if (!me.group || !me.log) {
		fprintf(stderr, "member: -g GROUP and -l LOG are needed\n");
		exit(2);
	}
}

static void join(void)
{
	unsigned int all = 1 << GROUP_EV_VIEW | 1 << GROUP_EV_SUSPENDED |
			   1 << GROUP_EV_RESUMED | 1 << GROUP_EV_EVICTED;
	int err;

	do {
		me.fd = gsock_open(SOCK_CLOEXEC);
	} while (again(me.fd));
	if (me.fd < 0)
		die("socket", me.fd);
	err = gsock_set_events(me.fd, all);
	if (!err)
		err = gsock_set_info(me.fd, 1);
	if (!err) {
		do {
			err = gsock_join(me.fd, me.group);
		} while (again(err));
	}
	if (err)
		die(me.group, err);
}

int main(int argc, char **argv)
{
	struct sigaction term = { .sa_handler = on_term };
	bool leaving = false;
	struct gsock_rx *rx;
	struct pollfd p;
	int err;

	options(argc, argv);
	sigaction(SIGTERM, &term, NULL);
	err = gsock_rx_new(&rx, GROUP_MSG_MAX);
	if (err)
		die("memory", err);
	join();
	p.fd = me.fd;
	while (!me.ended) {
		p.events = POLLIN;
		if (!me.begin &&
		    (me.waits || me.file || me.sizes || me.len >= 0))
			p.events |= POLLOUT;
		/* The marks are files, which poll does not tell of. */
		if (poll(&p, 1, 50) < 0 && errno != EINTR)
			die("poll", -errno);
		if (p.revents & (POLLIN | POLLHUP | POLLERR))
			receive(rx);
		if (told_to_leave && !leaving) {
			leaving = true;
			gsock_leave(me.fd);
		}
		if (me.joined && !leaving && !me.ended && may_begin())
			send_some();
	}
	gsock_rx_free(rx);
	close(me.fd);
	return 0;
}
