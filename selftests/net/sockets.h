/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of the socket interface share. Every wait has a deadline. */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <linux/group.h>
#include "deadline.h"

static inline struct sockaddr_group addr_of(const char *name)
{
	struct sockaddr_group a = { .sgr_family = AF_GROUP };

	strncpy(a.sgr_name, name, GROUP_NAME_MAX);
	return a;
}

static inline int try_join(int fd, const char *name)
{
	struct sockaddr_group a = addr_of(name);

	return bind(fd, (struct sockaddr *)&a, sizeof(a)) ? -errno : 0;
}

static inline int group_socket(void)
{
	return socket(AF_GROUP, SOCK_SEQPACKET, 0);
}

static inline int set_int(int fd, int opt, int val)
{
	return setsockopt(fd, SOL_GROUP, opt, &val, sizeof(val)) ? -errno : 0;
}

static inline int wait_for(int fd, short what)
{
	struct pollfd p = { .fd = fd, .events = what };

	return poll(&p, 1, DEADLINE_MS) == 1 ? p.revents : 0;
}

static inline int polled(int fd, short what)
{
	struct pollfd p = { .fd = fd, .events = what };

	return poll(&p, 1, 0) == 1 ? p.revents : 0;
}

/* A member that can send, or -1. */
static inline int join(const char *name)
{
	int err, fd = group_socket();

	if (fd < 0)
		return -1;
	err = try_join(fd, name);
	if (!err && wait_for(fd, POLLOUT) & POLLOUT)
		return fd;
	close(fd);
	errno = err ? -err : ETIMEDOUT;
	return -1;
}

static inline int join_events(const char *name)
{
	int fd = group_socket();

	if (fd < 0 || set_int(fd, GROUP_EVENTS, 15) || try_join(fd, name)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The next record; the flags of recvmsg in *flags if it is not NULL. */
static inline ssize_t next(int fd, void *buf, size_t len, int *flags)
{
	struct iovec iov = { buf, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (!wait_for(fd, POLLIN))
		return -ETIMEDOUT;
	n = recvmsg(fd, &m, MSG_DONTWAIT);
	if (flags)
		*flags = m.msg_flags;
	return n < 0 ? -errno : n;
}

static inline int next_view(int fd, struct group_event *ev)
{
	static char buf[262144];
	int flags;
	ssize_t n = next(fd, buf, sizeof(buf), &flags);

	if (n < (ssize_t)sizeof(*ev) || !(flags & MSG_NOTIFICATION))
		return -1;
	memcpy(ev, buf, sizeof(*ev));
	return ev->type == GROUP_EV_VIEW ? 0 : -1;
}

static inline int status_of(int fd, struct group_status *st)
{
	socklen_t len = sizeof(*st);

	return getsockopt(fd, SOL_GROUP, GROUP_STATUS, st, &len) ? -errno : 0;
}

/* Sends until it is refused; how many went. */
static inline int fill(int fd, size_t size)
{
	static char buf[GROUP_MSG_MAX];
	int n = 0;

	while (send(fd, buf, size, MSG_DONTWAIT) == (ssize_t)size)
		n++;
	return n;
}

/* Reads until nothing is left; how many came. */
static inline int drain(int fd)
{
	static char buf[GROUP_MSG_MAX];
	int n = 0;

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) >= 0)
		n++;
	return n;
}

static inline void set_timeo(int fd, int opt, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	setsockopt(fd, SOL_SOCKET, opt, &tv, sizeof(tv));
}

static inline uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

#endif /* SOCKETS_H */
