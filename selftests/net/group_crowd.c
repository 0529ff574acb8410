// SPDX-License-Identifier: GPL-2.0
/*
 * group_crowd GROUPS MEMBERS SECONDS: joins GROUPS groups, waits until each
 * has MEMBERS members, says "complete", and waits until each has one less: how
 * long after the first of them the last one had its view. Sends a message in
 * each and reads it. Not 0 if anything does not come in SECONDS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include "sockets.h"

struct crowd {
	int n;
	int ep;
	int *fd;
	unsigned int *members;	/* in the view read last */
	char *heard;		/* a message has come */
	uint64_t first, last;	/* when the first and the last changed */
};

/* Reads all that one socket has. */
static int read_one(struct crowd *c, int i)
{
	static char buf[65536];
	struct group_event ev;
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	while ((n = recvmsg(c->fd[i], &m, MSG_DONTWAIT)) >= 0) {
		memcpy(&ev, buf, sizeof(ev));
		if (!(m.msg_flags & MSG_NOTIFICATION)) {
			c->heard[i] = 1;
		} else if (ev.type == GROUP_EV_VIEW) {
			c->members[i] = ev.members;
			c->last = now_ms();
			if (!c->first)
				c->first = c->last;
		} else {
			printf("# group %d: event %u\n", i, ev.type);
			return -1;
		}
	}
	if (errno == EAGAIN)
		return 0;
	printf("# group %d: %s\n", i, strerror(errno));
	return -1;
}

/* How many do not have so many members; with 0, have not had a message. */
static int lacking(const struct crowd *c, unsigned int members)
{
	int i, n = 0;

	for (i = 0; i < c->n; i++)
		n += members ? c->members[i] != members : !c->heard[i];
	return n;
}

static int until(struct crowd *c, unsigned int members, uint64_t limit)
{
	uint64_t deadline = now_ms() + limit;
	struct epoll_event ev[64];
	int i, n;

	c->first = 0;
	while (lacking(c, members)) {
		n = epoll_wait(c->ep, ev, 64, 100);
		for (i = 0; i < n; i++)
			if (read_one(c, ev[i].data.u32))
				return -1;
		if (now_ms() < deadline)
			continue;
		printf("# %s: %d of %d groups lack it\n",
		       members ? "the view" : "a message",
		       lacking(c, members), c->n);
		return -1;
	}
	return 0;
}

static int join_all(struct crowd *c)
{
	struct epoll_event ev = { .events = EPOLLIN };
	char name[32];
	int i, err;

	for (i = 0; i < c->n; i++) {
		snprintf(name, sizeof(name), "crowd%d", i);
		c->fd[i] = group_socket();
		err = c->fd[i] < 0 ? -errno :
				     set_int(c->fd[i], GROUP_EVENTS, 15);
		if (!err)
			err = try_join(c->fd[i], name);
		if (err) {
			printf("# group %d: %s\n", i, strerror(-err));
			return -1;
		}
		ev.data.u32 = i;
		if (epoll_ctl(c->ep, EPOLL_CTL_ADD, c->fd[i], &ev))
			return -1;
	}
	return 0;
}

static int send_all(struct crowd *c)
{
	int i;

	for (i = 0; i < c->n; i++) {
		set_timeo(c->fd[i], SO_SNDTIMEO, DEADLINE_MS);
		if (send(c->fd[i], "m", 1, 0) == 1)
			continue;
		printf("# group %d: send: %s\n", i, strerror(errno));
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct crowd c = { .n = argc > 1 ? atoi(argv[1]) : 0 };
	int members = argc > 2 ? atoi(argv[2]) : 0;
	uint64_t limit = argc > 3 ? atoi(argv[3]) * 1000ULL : 0;
	struct rlimit lim = { c.n + 64, c.n + 64 };
	uint64_t t0 = now_ms();

	if (c.n < 1 || members < 2 || setrlimit(RLIMIT_NOFILE, &lim)) {
		fprintf(stderr, "usage: group_crowd GROUPS MEMBERS SECONDS (as root)\n");
		return 2;
	}
	c.ep = epoll_create1(0);
	c.fd = calloc(c.n, sizeof(*c.fd));
	c.members = calloc(c.n, sizeof(*c.members));
	c.heard = calloc(c.n, 1);
	if (!c.fd || !c.members || !c.heard || c.ep < 0 || join_all(&c) ||
	    until(&c, members, limit))
		return 1;
	printf("complete: %d groups of %d in %d ms\n", c.n, members,
	       (int)(now_ms() - t0));
	fflush(stdout);
	if (until(&c, members - 1, limit))
		return 1;
	printf("# all views smaller within %d ms\n", (int)(c.last - c.first));
	t0 = now_ms();
	if (send_all(&c) || until(&c, 0, limit))
		return 1;
	printf("# a message in each, %d ms\n", (int)(now_ms() - t0));
	return 0;
}
