// SPDX-License-Identifier: GPL-2.0
/*
 * How long a message takes, and when something was done.
 *
 *	lag send GROUP COUNT MEMBERS	a message of 64 B every millisecond or
 *					so, with the time in it, once the group
 *					has MEMBERS members
 *	lag recv GROUP COUNT		median and 99th percentile, microseconds
 *	lag at COMMAND...		says the time (seconds of
 *					CLOCK_MONOTONIC), becomes COMMAND
 *
 * Sender and receiver are on one machine, so that one clock serves both.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/group.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "lag: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int join(const char *name, int loopback)
{
	struct sockaddr_group a = { .sgr_family = AF_GROUP };
	int fd = socket(AF_GROUP, SOCK_SEQPACKET, 0);

	strncpy(a.sgr_name, name, GROUP_NAME_MAX);
	if (fd < 0 || setsockopt(fd, SOL_GROUP, GROUP_LOOPBACK, &loopback,
				 sizeof(loopback)) ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die(name);
	return fd;
}

/* Reads views until there is one of so many members. */
static void wait_members(int fd, unsigned int members)
{
	int events = 1 << GROUP_EV_VIEW;
	char buf[65536];
	struct group_event *ev = (struct group_event *)buf;

	if (setsockopt(fd, SOL_GROUP, GROUP_EVENTS, &events, sizeof(events)))
		die("events");
	do {
		if (recv(fd, buf, sizeof(buf), 0) < (ssize_t)sizeof(*ev))
			die("view");
	} while (ev->members < members);
}

static int send_all(const char *name, unsigned int count, unsigned int members)
{
	struct timespec gap = { .tv_nsec = 1000000 };
	uint64_t msg[8] = { 0 };
	int fd = join(name, 0);

	wait_members(fd, members);
	while (count--) {
		nanosleep(&gap, NULL);
		msg[0] = now_ns();
		if (send(fd, msg, sizeof(msg), 0) != sizeof(msg))
			die("send");
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int recv_all(const char *name, unsigned int count)
{
	uint64_t *took = calloc(count, sizeof(*took)), msg[8];
	int fd = join(name, 1);
	unsigned int i;

	if (!took)
		die("memory");
	for (i = 0; i < count; i++) {
		if (recv(fd, msg, sizeof(msg), 0) != sizeof(msg))
			die("receive");
		took[i] = now_ns() - msg[0];
	}
	qsort(took, count, sizeof(*took), by_value);
	printf("%.0f %.0f\n", took[count / 2] / 1e3, took[count * 99 / 100] / 1e3);
	free(took);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "send"))
		return send_all(argv[2], atoi(argv[3]), atoi(argv[4]));
	if (argc == 4 && !strcmp(argv[1], "recv") && atoi(argv[3]) > 0)
		return recv_all(argv[2], atoi(argv[3]));
	if (argc > 2 && !strcmp(argv[1], "at")) {
		printf("%.6f\n", now_ns() / 1e9);
		fflush(stdout);
		execvp(argv[2], argv + 2);
		die(argv[2]);
	}
	fprintf(stderr, "lag: send GROUP COUNT MEMBERS | recv GROUP COUNT | at COMMAND...\n");
	return 2;
}
