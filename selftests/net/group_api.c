// SPDX-License-Identifier: GPL-2.0
/*
 * The socket interface on one node: calls, errors, views, order, waiting and
 * flow control, as uapi/linux/group.h promises them. Nothing waits by
 * sleeping: every wait is a poll with a deadline.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/group.h>
#include "harness.h"

static struct sockaddr_group addr_of(const char *name)
{
	struct sockaddr_group a = { .sgr_family = AF_GROUP };

	strncpy(a.sgr_name, name, GROUP_NAME_MAX);
	return a;
}

static int try_bind(int fd, const struct sockaddr_group *a, socklen_t len)
{
	return bind(fd, (const struct sockaddr *)a, len) ? -errno : 0;
}

static int join(const char *name)
{
	struct sockaddr_group a = addr_of(name);
	int fd = socket(AF_GROUP, SOCK_SEQPACKET, 0);

	if (fd >= 0 && try_bind(fd, &a, sizeof(a))) {
		close(fd);
		return -1;
	}
	return fd;
}

static int set_int(int fd, int opt, int val)
{
	return setsockopt(fd, SOL_GROUP, opt, &val, sizeof(val)) ? -errno : 0;
}

static int join_events(const char *name)
{
	struct sockaddr_group a = addr_of(name);
	int fd = socket(AF_GROUP, SOCK_SEQPACKET, 0);

	set_int(fd, GROUP_EVENTS, 15);
	if (try_bind(fd, &a, sizeof(a)))
		return -1;
	return fd;
}

static int wait_for(int fd, short what)
{
	struct pollfd p = { .fd = fd, .events = what };

	return poll(&p, 1, DEADLINE_MS) == 1 ? p.revents : 0;
}

/* The next record; flags of recvmsg in *flags. */
static ssize_t next(int fd, void *buf, size_t len, int *flags)
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

static int next_view(int fd, struct group_event *ev)
{
	char buf[8192];
	int flags;
	ssize_t n = next(fd, buf, sizeof(buf), &flags);

	if (n < (ssize_t)sizeof(*ev) || !(flags & MSG_NOTIFICATION))
		return -1;
	memcpy(ev, buf, sizeof(*ev));
	return ev->type == GROUP_EV_VIEW ? 0 : -1;
}

TEST(socket_types)
{
	EXPECT_EQ(-1, socket(AF_GROUP, SOCK_STREAM, 0));
	EXPECT_EQ(ESOCKTNOSUPPORT, errno);
	EXPECT_EQ(-1, socket(AF_GROUP, SOCK_DGRAM, 0));
	EXPECT_EQ(ESOCKTNOSUPPORT, errno);
	EXPECT_EQ(-1, socket(AF_GROUP, SOCK_SEQPACKET, 7));
	EXPECT_EQ(EPROTONOSUPPORT, errno);
}

TEST(bind_errors)
{
	int fd = socket(AF_GROUP, SOCK_SEQPACKET, 0);
	struct sockaddr_group a = addr_of("g");

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, try_bind(fd, &a, sizeof(a) - 1));
	EXPECT_EQ(-EINVAL, try_bind(fd, &a, 1));
	a.sgr_family = AF_INET;
	EXPECT_EQ(-EAFNOSUPPORT, try_bind(fd, &a, sizeof(a)));
	a = addr_of("");
	EXPECT_EQ(-EINVAL, try_bind(fd, &a, sizeof(a)));
	a = addr_of("a/b");
	EXPECT_EQ(-EINVAL, try_bind(fd, &a, sizeof(a)));
	a = addr_of("a b");
	EXPECT_EQ(-EINVAL, try_bind(fd, &a, sizeof(a)));
	a = addr_of("ab");
	a.sgr_name[5] = 'x';
	EXPECT_EQ(-EINVAL, try_bind(fd, &a, sizeof(a)));
	memset(a.sgr_name, 'x', sizeof(a.sgr_name));
	EXPECT_EQ(-ENAMETOOLONG, try_bind(fd, &a, sizeof(a)));
	a = addr_of("g");
	a.sgr_pad = 1;
	EXPECT_EQ(-EINVAL, try_bind(fd, &a, sizeof(a)));
	a = addr_of("g");
	a.sgr_port = 1;
	EXPECT_EQ(-EINVAL, try_bind(fd, &a, sizeof(a)));
	a = addr_of("g");
	a.sgr_kind = GROUP_ADDR_MEMBER;
	EXPECT_EQ(-EINVAL, try_bind(fd, &a, sizeof(a)));
	a = addr_of("g");
	EXPECT_EQ(0, try_bind(fd, &a, sizeof(a)));
	EXPECT_EQ(-EINVAL, try_bind(fd, &a, sizeof(a)));
	close(fd);
}

TEST(calls_before_bind)
{
	struct group_status st;
	socklen_t len = sizeof(st);
	char view[64];
	int fd = socket(AF_GROUP, SOCK_SEQPACKET, 0);

	EXPECT_EQ(-1, send(fd, "x", 1, 0));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, recv(fd, view, 1, MSG_DONTWAIT));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, shutdown(fd, SHUT_WR));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(0, getsockopt(fd, SOL_GROUP, GROUP_STATUS, &st, &len));
	EXPECT_EQ(GROUP_ST_UNBOUND, st.state);
	len = sizeof(view);
	EXPECT_EQ(-1, getsockopt(fd, SOL_GROUP, GROUP_VIEW, view, &len));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-1, listen(fd, 1));
	EXPECT_EQ(EOPNOTSUPP, errno);
	close(fd);
}

TEST(options)
{
	struct group_props p = { .msg_max = 100 };
	int fd = socket(AF_GROUP, SOCK_SEQPACKET, 0);
	int val = 0;
	socklen_t len = sizeof(val);

	EXPECT_EQ(-ENOPROTOOPT, set_int(fd, 99, 0));
	EXPECT_EQ(-EINVAL, set_int(fd, GROUP_ORDER, 9));
	EXPECT_EQ(-EINVAL, set_int(fd, GROUP_ORDER, -1));
	EXPECT_EQ(0, getsockopt(fd, SOL_GROUP, GROUP_ORDER, &val, &len));
	EXPECT_EQ(GROUP_ORDER_TOTAL, val);
	EXPECT_EQ(0, set_int(fd, GROUP_ORDER, GROUP_ORDER_SAFE));
	EXPECT_EQ(0, set_int(fd, GROUP_ORDER, GROUP_ORDER_NONE));
	EXPECT_EQ(0, getsockopt(fd, SOL_GROUP, GROUP_ORDER, &val, &len));
	EXPECT_EQ(GROUP_ORDER_NONE, val);
	EXPECT_EQ(-EINVAL, set_int(fd, GROUP_LOOPBACK, 2));
	EXPECT_EQ(-EINVAL, set_int(fd, GROUP_EVENTS, 1 << 20));
	EXPECT_EQ(0, set_int(fd, GROUP_ORDER, GROUP_ORDER_FIFO));
	EXPECT_EQ(0, getsockopt(fd, SOL_GROUP, GROUP_ORDER, &val, &len));
	EXPECT_EQ(GROUP_ORDER_FIFO, val);
	EXPECT_EQ(-1, setsockopt(fd, SOL_GROUP, GROUP_EVENTS, &val, 2));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, setsockopt(fd, SOL_GROUP, GROUP_PROPS, &p, sizeof(p)));
	p.pad = 1;
	EXPECT_EQ(-1, setsockopt(fd, SOL_GROUP, GROUP_PROPS, &p, sizeof(p)));
	EXPECT_EQ(EINVAL, errno);
	close(fd);
}

TEST(properties_of_a_group)
{
	struct group_props p = { .msg_max = 100 };
	struct sockaddr_group a = addr_of("props");
	int one = socket(AF_GROUP, SOCK_SEQPACKET, 0);
	int two = socket(AF_GROUP, SOCK_SEQPACKET, 0);
	char big[101] = "";

	setsockopt(one, SOL_GROUP, GROUP_PROPS, &p, sizeof(p));
	ASSERT_EQ(0, try_bind(one, &a, sizeof(a)));
	ASSERT_TRUE(wait_for(one, POLLOUT) & POLLOUT);
	EXPECT_EQ(-1, send(one, big, 101, 0));
	EXPECT_EQ(EMSGSIZE, errno);
	EXPECT_EQ(100, send(one, big, 100, 0));
	p.msg_max = 200;
	setsockopt(two, SOL_GROUP, GROUP_PROPS, &p, sizeof(p));
	ASSERT_EQ(0, try_bind(two, &a, sizeof(a)));
	EXPECT_TRUE(wait_for(two, POLLIN) & POLLERR);
	EXPECT_EQ(-1, send(two, big, 1, 0));
	EXPECT_EQ(EPROTOTYPE, errno);
	EXPECT_EQ(-1, recv(two, big, 1, 0));
	EXPECT_EQ(EPROTOTYPE, errno);
	close(one);
	close(two);
}

TEST(first_view_and_message)
{
	struct group_event ev;
	struct sockaddr_group a;
	socklen_t len = sizeof(a);
	char buf[100];
	int flags, fd = join_events("first");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, next_view(fd, &ev));
	EXPECT_EQ(1, ev.members);
	EXPECT_EQ(1, ev.joined);
	EXPECT_EQ(0, ev.rank);
	EXPECT_NE(0, ev.view.epoch);
	EXPECT_EQ(5, send(fd, "hello", 5, 0));
	EXPECT_EQ(5, next(fd, buf, sizeof(buf), &flags));
	EXPECT_EQ(0, memcmp(buf, "hello", 5));
	EXPECT_TRUE(flags & MSG_EOR);
	EXPECT_FALSE(flags & MSG_NOTIFICATION);
	EXPECT_EQ(0, getsockname(fd, (struct sockaddr *)&a, &len));
	EXPECT_EQ(sizeof(a), len);
	EXPECT_EQ(GROUP_ADDR_MEMBER, a.sgr_kind);
	EXPECT_STREQ("first", a.sgr_name);
	EXPECT_NE(0, a.sgr_port);
	EXPECT_NE(0, a.sgr_inc);
	close(fd);
}

TEST(sender_and_info)
{
	struct sockaddr_group from, self;
	union {
		char buf[CMSG_SPACE(sizeof(struct group_msg_info))];
		struct cmsghdr align;
	} c;
	struct group_msg_info info;
	socklen_t len = sizeof(self);
	char buf[10];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from),
			    .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &c, .msg_controllen = sizeof(c) };
	int fd = join("info");

	ASSERT_EQ(0, set_int(fd, GROUP_INFO, 1));
	ASSERT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	getsockname(fd, (struct sockaddr *)&self, &len);
	ASSERT_EQ(2, send(fd, "ab", 2, 0));
	ASSERT_TRUE(wait_for(fd, POLLIN));
	ASSERT_EQ(2, recvmsg(fd, &m, 0));
	EXPECT_EQ(sizeof(from), m.msg_namelen);
	EXPECT_EQ(0, memcmp(&from, &self, sizeof(from)));
	ASSERT_NE(NULL, CMSG_FIRSTHDR(&m));
	EXPECT_EQ(SOL_GROUP, CMSG_FIRSTHDR(&m)->cmsg_level);
	memcpy(&info, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(info));
	EXPECT_EQ(1, info.position);
	EXPECT_EQ(GROUP_ORDER_TOTAL, info.order);
	close(fd);
}

TEST(views_of_joins_and_leaves)
{
	struct group_event ev;
	int a = join_events("views"), b, c;

	ASSERT_EQ(0, next_view(a, &ev));
	b = join_events("views");
	ASSERT_EQ(0, next_view(a, &ev));
	EXPECT_EQ(2, ev.members);
	EXPECT_EQ(1, ev.joined);
	ASSERT_EQ(0, next_view(b, &ev));
	EXPECT_EQ(2, ev.members);
	EXPECT_EQ(1, ev.rank);
	c = join("views");
	ASSERT_EQ(0, next_view(a, &ev));
	EXPECT_EQ(3, ev.members);
	close(b);
	ASSERT_EQ(0, next_view(a, &ev));
	EXPECT_EQ(2, ev.members);
	EXPECT_EQ(1, ev.left);
	close(c);
	ASSERT_EQ(0, next_view(a, &ev));
	EXPECT_EQ(1, ev.members);
	close(a);
}

TEST(killed_process_leaves)
{
	struct group_event ev;
	int status, a = join_events("kill");
	pid_t pid;

	ASSERT_EQ(0, next_view(a, &ev));
	pid = fork();
	if (!pid) {
		int fd = join("kill");

		close(a);
		wait_for(fd, POLLOUT);
		for (;;)
			pause();
	}
	ASSERT_EQ(0, next_view(a, &ev));
	EXPECT_EQ(2, ev.members);
	kill(pid, SIGKILL);
	ASSERT_EQ(0, next_view(a, &ev));
	EXPECT_EQ(1, ev.members);
	EXPECT_EQ(1, ev.left);
	waitpid(pid, &status, 0);
	close(a);
}

TEST(fork_keeps_the_member)
{
	struct group_event ev;
	int pipefd[2], status, a = join_events("fork"), b = join("fork");
	char byte;
	pid_t pid;

	ASSERT_EQ(0, next_view(a, &ev));
	ASSERT_EQ(0, next_view(a, &ev));
	ASSERT_EQ(0, pipe(pipefd));
	pid = fork();
	if (!pid) {
		close(pipefd[1]);
		/* Until the parent has looked; b goes with this process. */
		_exit(read(pipefd[0], &byte, 1));
	}
	close(b);
	/* A third member's view must still list the second. */
	b = join("fork");
	ASSERT_EQ(0, next_view(a, &ev));
	EXPECT_EQ(3, ev.members);
	close(pipefd[1]);
	waitpid(pid, &status, 0);
	ASSERT_EQ(0, next_view(a, &ev));
	EXPECT_EQ(2, ev.members);
	close(a);
	close(b);
	close(pipefd[0]);
}

TEST(sizes)
{
	char *out = malloc(GROUP_MSG_MAX + 1), *in = malloc(GROUP_MSG_MAX + 1);
	static const size_t sizes[] = { 0, 1, 2047, 2048, 2049, 4096, 65536,
					100001, GROUP_MSG_MAX };
	int flags, fd = join("sizes");
	size_t i, k;

	ASSERT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	for (k = 0; k <= GROUP_MSG_MAX; k++)
		out[k] = k * 7 + (k >> 10);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ASSERT_EQ((ssize_t)sizes[i], send(fd, out, sizes[i], 0));
		ASSERT_EQ((ssize_t)sizes[i],
			  next(fd, in, GROUP_MSG_MAX + 1, &flags));
		EXPECT_TRUE(flags & MSG_EOR);
		EXPECT_EQ(0, memcmp(out, in, sizes[i]));
	}
	EXPECT_EQ(-1, send(fd, out, GROUP_MSG_MAX + 1, 0));
	EXPECT_EQ(EMSGSIZE, errno);
	close(fd);
	free(out);
	free(in);
}

TEST(peek_and_truncation)
{
	char buf[16];
	int flags, fd = join("peek");

	ASSERT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	ASSERT_EQ(8, send(fd, "abcdefgh", 8, 0));
	ASSERT_TRUE(wait_for(fd, POLLIN));
	EXPECT_EQ(8, recv(fd, buf, sizeof(buf), MSG_PEEK));
	EXPECT_EQ(8, recv(fd, buf, 3, MSG_PEEK | MSG_TRUNC));
	EXPECT_EQ(3, next(fd, buf, 3, &flags));
	EXPECT_TRUE(flags & MSG_TRUNC);
	EXPECT_EQ(-1, recv(fd, buf, 3, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	close(fd);
}

TEST(event_buffers)
{
	char buf[sizeof(struct group_event) + sizeof(struct group_member) - 1];
	struct group_event ev;
	int flags, a = join_events("evbuf"), b = join_events("evbuf");

	ASSERT_EQ(0, next_view(b, &ev));
	EXPECT_EQ(-EMSGSIZE, next(a, buf, sizeof(ev) - 1, &flags));
	/* It stays; a head alone is taken, with a note that more was there. */
	EXPECT_EQ((ssize_t)sizeof(ev), next(a, buf, sizeof(buf), &flags));
	EXPECT_TRUE(flags & MSG_TRUNC);
	EXPECT_TRUE(flags & MSG_NOTIFICATION);
	close(a);
	close(b);
}

TEST(view_option)
{
	struct {
		struct group_view head;
		struct group_member m[4];
	} v;
	socklen_t len = sizeof(v);
	struct group_event ev;
	int a = join_events("viewopt"), b;

	ASSERT_EQ(0, next_view(a, &ev));
	b = join("viewopt");
	ASSERT_EQ(0, getsockopt(a, SOL_GROUP, GROUP_VIEW, &v, &len));
	EXPECT_EQ(1, v.head.members);
	ASSERT_EQ(0, next_view(a, &ev));
	len = sizeof(v);
	ASSERT_EQ(0, getsockopt(a, SOL_GROUP, GROUP_VIEW, &v, &len));
	EXPECT_EQ(2, v.head.members);
	EXPECT_EQ(sizeof(v.head) + 2 * sizeof(v.m[0]), len);
	EXPECT_EQ(ev.view.seq, v.head.id.seq);
	close(a);
	close(b);
}

TEST(stale_view)
{
	union {
		char buf[CMSG_SPACE(sizeof(struct group_view_id))];
		struct cmsghdr align;
	} c = { .buf = "" };
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &c, .msg_controllen = sizeof(c) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&m);
	struct group_event ev, old;
	int a = join_events("stale"), b;

	ASSERT_EQ(0, next_view(a, &old));
	b = join_events("stale");
	ASSERT_EQ(0, next_view(a, &ev));
	cm->cmsg_level = SOL_GROUP;
	cm->cmsg_type = GROUP_CMSG_VIEW;
	cm->cmsg_len = CMSG_LEN(sizeof(struct group_view_id));
	memcpy(CMSG_DATA(cm), &old.view, sizeof(old.view));
	EXPECT_EQ(-1, sendmsg(a, &m, 0));
	EXPECT_EQ(ESTALE, errno);
	memcpy(CMSG_DATA(cm), &ev.view, sizeof(ev.view));
	EXPECT_EQ(1, sendmsg(a, &m, 0));
	cm->cmsg_type = 77;
	EXPECT_EQ(-1, sendmsg(a, &m, 0));
	EXPECT_EQ(EINVAL, errno);
	close(a);
	close(b);
}

/* One message of @order; 0 or -errno. */
static int send_order(int fd, int order)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} c = { .buf = "" };
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &c, .msg_controllen = sizeof(c) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&m);

	cm->cmsg_level = SOL_GROUP;
	cm->cmsg_type = GROUP_CMSG_ORDER;
	cm->cmsg_len = CMSG_LEN(sizeof(order));
	memcpy(CMSG_DATA(cm), &order, sizeof(order));
	return sendmsg(fd, &m, 0) == 1 ? 0 : -errno;
}

/* Info of the next message; position 0 there is none. */
static struct group_msg_info next_info(int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(struct group_msg_info))];
		struct cmsghdr align;
	} c;
	struct group_msg_info info = { .position = 0 };
	char buf[10];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &c, .msg_controllen = sizeof(c) };

	if (wait_for(fd, POLLIN) && recvmsg(fd, &m, 0) >= 0 &&
	    CMSG_FIRSTHDR(&m))
		memcpy(&info, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(info));
	return info;
}

TEST(every_order_by_control_message)
{
	struct group_msg_info info;
	__u64 clock = 0;
	int fd = join("cmsg"), order;

	ASSERT_EQ(0, set_int(fd, GROUP_INFO, 1));
	ASSERT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	for (order = GROUP_ORDER_NONE; order <= GROUP_ORDER_SAFE; order++) {
		EXPECT_EQ(0, send_order(fd, order));
		info = next_info(fd);
		EXPECT_EQ(order + 1, info.position);
		EXPECT_EQ(order, info.order);
		EXPECT_LT(clock, info.lamport);
		clock = info.lamport;
	}
	EXPECT_EQ(-EINVAL, send_order(fd, GROUP_ORDER_SAFE + 1));
	EXPECT_EQ(-EINVAL, send_order(fd, -1));
	EXPECT_EQ(-EINVAL, send_order(fd, 17));
	close(fd);
}

static int join_props(const char *name, struct group_props p)
{
	int fd = socket(AF_GROUP, SOCK_SEQPACKET, 0);
	struct sockaddr_group a = addr_of(name);

	if (setsockopt(fd, SOL_GROUP, GROUP_PROPS, &p, sizeof(p)) ||
	    try_bind(fd, &a, sizeof(a))) {
		close(fd);
		return -1;
	}
	return fd;
}

TEST(orders_that_the_group_allows)
{
	const unsigned int some = 1 << GROUP_ORDER_FIFO | 1 << GROUP_ORDER_SAFE;
	int fd = join_props("some", (struct group_props){
			.order = GROUP_ORDER_SAFE, .orders = some });
	int other, order, plain = join("some");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, set_int(plain, GROUP_INFO, 1));
	ASSERT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	ASSERT_TRUE(wait_for(plain, POLLOUT) & POLLOUT);
	for (order = GROUP_ORDER_NONE; order <= GROUP_ORDER_SAFE; order++)
		EXPECT_EQ(some >> order & 1 ? 0 : -EINVAL,
			  send_order(plain, order));
	/* Who names no order sends in the group's own. */
	EXPECT_EQ(1, send(plain, "x", 1, 0));
	EXPECT_EQ(GROUP_ORDER_FIFO, next_info(plain).order);
	EXPECT_EQ(GROUP_ORDER_SAFE, next_info(plain).order);
	EXPECT_EQ(GROUP_ORDER_SAFE, next_info(plain).order);
	other = join_props("some", (struct group_props){
			.orders = 1 << GROUP_ORDER_TOTAL });
	ASSERT_LE(0, other);
	EXPECT_TRUE(wait_for(other, POLLERR) & POLLERR);
	EXPECT_EQ(-1, send(other, "x", 1, 0));
	EXPECT_EQ(EPROTOTYPE, errno);
	close(other);
	close(plain);
	close(fd);
}

TEST(to_one_member)
{
	struct sockaddr_group a = addr_of("other"), to;
	socklen_t len = sizeof(to);
	char buf[8];
	int x = join("one"), y = join("one");

	ASSERT_TRUE(wait_for(x, POLLOUT) & POLLOUT);
	ASSERT_TRUE(wait_for(y, POLLOUT) & POLLOUT);
	getsockname(y, (struct sockaddr *)&to, &len);
	EXPECT_EQ(3, sendto(x, "hey", 3, 0, (struct sockaddr *)&to, len));
	EXPECT_EQ(3, next(y, buf, sizeof(buf), NULL));
	EXPECT_EQ(-1, recv(x, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	to.sgr_port += 1000;
	EXPECT_EQ(-1, sendto(x, "hey", 3, 0, (struct sockaddr *)&to, len));
	EXPECT_EQ(EHOSTUNREACH, errno);
	EXPECT_EQ(-1, sendto(x, "hey", 3, 0, (struct sockaddr *)&a, len));
	EXPECT_EQ(EISCONN, errno);
	EXPECT_EQ(-1, sendto(x, "hey", 3, 0, (struct sockaddr *)&a, 5));
	EXPECT_EQ(EINVAL, errno);
	a.sgr_family = AF_UNIX;
	EXPECT_EQ(-1, sendto(x, "hey", 3, 0, (struct sockaddr *)&a, len));
	EXPECT_EQ(EAFNOSUPPORT, errno);
	close(x);
	close(y);
}

TEST(loopback_off)
{
	char buf[8];
	int x = join("loop"), y = join("loop");

	ASSERT_EQ(0, set_int(x, GROUP_LOOPBACK, 0));
	ASSERT_TRUE(wait_for(x, POLLOUT) & POLLOUT);
	ASSERT_TRUE(wait_for(y, POLLOUT) & POLLOUT);
	EXPECT_EQ(1, send(x, "a", 1, 0));
	EXPECT_EQ(1, send(y, "b", 1, 0));
	EXPECT_EQ(1, next(x, buf, sizeof(buf), NULL));
	EXPECT_EQ('b', buf[0]);
	EXPECT_EQ(1, next(y, buf, sizeof(buf), NULL));
	EXPECT_EQ('a', buf[0]);
	close(x);
	close(y);
}

TEST(shutdown_reads_on)
{
	struct group_event ev;
	char buf[256];
	int flags, fd = join_events("down");

	ASSERT_EQ(0, next_view(fd, &ev));
	ASSERT_EQ(4, send(fd, "last", 4, 0));
	EXPECT_EQ(-1, shutdown(fd, SHUT_RD));
	EXPECT_EQ(EOPNOTSUPP, errno);
	ASSERT_EQ(0, shutdown(fd, SHUT_WR));
	EXPECT_EQ(4, next(fd, buf, sizeof(buf), &flags));
	/* The end: 0 bytes without MSG_EOR. */
	while (next(fd, buf, sizeof(buf), &flags) > 0)
		EXPECT_TRUE(flags & MSG_NOTIFICATION);
	EXPECT_FALSE(flags & MSG_EOR);
	EXPECT_EQ(-1, send(fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_TRUE(wait_for(fd, POLLIN) & POLLHUP);
	close(fd);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void alarm_soon(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval it = { .it_value.tv_usec = 50000,
				.it_interval.tv_usec = 50000 };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

static void alarm_off(void)
{
	struct itimerval it = { 0 };

	setitimer(ITIMER_REAL, &it, NULL);
}

/* Sends until the queues are full; how many went. */
static int fill(int fd, size_t size)
{
	static char buf[65536];
	int n = 0;

	while (send(fd, buf, size, MSG_DONTWAIT) == (ssize_t)size)
		n++;
	return n;
}

TEST(signal_ends_waits)
{
	char buf[8], big[1000] = "";
	int fd = join("signal"), other = join("signal");

	ASSERT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	alarm_soon();
	EXPECT_EQ(-1, recv(fd, buf, sizeof(buf), 0));
	EXPECT_EQ(EINTR, errno);
	fill(other, 1000);
	EXPECT_EQ(-1, send(other, big, sizeof(big), 0));
	EXPECT_TRUE(errno == EINTR || errno == EDEADLK);
	alarm_off();
	close(fd);
	close(other);
}

TEST(timeouts)
{
	struct timeval tv = { .tv_usec = 30000 };
	char buf[8];
	int fd = join("timeo");

	ASSERT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	EXPECT_EQ(-1, recv(fd, buf, sizeof(buf), 0));
	EXPECT_EQ(EAGAIN, errno);
	close(fd);
}

TEST(slow_reader_blocks_and_frees)
{
	struct group_status st;
	socklen_t len = sizeof(st);
	static char buf[65536];
	int fd = join("slow"), n, got = 0;

	ASSERT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	n = fill(fd, 1000);
	EXPECT_LT(10, n);
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, getsockopt(fd, SOL_GROUP, GROUP_STATUS, &st, &len));
	EXPECT_LE(st.queued_bytes, 2 * st.limit_bytes);
	/* Only the own queue is in the way and nobody reads: deadlock. */
	EXPECT_EQ(-1, send(fd, buf, 1000, 0));
	EXPECT_EQ(EDEADLK, errno);
	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) == 1000)
		got++;
	EXPECT_EQ(n, got);
	EXPECT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	EXPECT_EQ(1000, send(fd, buf, 1000, MSG_DONTWAIT));
	close(fd);
}

static void *reader(void *arg)
{
	static char buf[65536];
	int fd = *(int *)arg;
	long n = 0;

	while (n < 5000 && recv(fd, buf, sizeof(buf), 0) == 1000)
		n++;
	return (void *)n;
}

TEST(blocked_sender_goes_on)
{
	static char buf[1000];
	pthread_t thread;
	void *got;
	int i, fd = join("block");

	ASSERT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	ASSERT_EQ(0, pthread_create(&thread, NULL, reader, &fd));
	for (i = 0; i < 5000; i++) {
		ssize_t n = send(fd, buf, sizeof(buf), 0);

		/* The reader may not have begun to wait yet. */
		if (n < 0 && errno == EDEADLK) {
			i--;
			sched_yield();
			continue;
		}
		ASSERT_EQ(1000, n);
	}
	pthread_join(thread, &got);
	EXPECT_EQ(5000, (long)got);
	close(fd);
}

TEST(large_messages_take_turns)
{
	char *big = calloc(1, GROUP_MSG_MAX);
	int i, a = join("large"), b = join("large");

	ASSERT_TRUE(wait_for(a, POLLOUT) & POLLOUT);
	ASSERT_TRUE(wait_for(b, POLLOUT) & POLLOUT);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(GROUP_MSG_MAX, send(a, big, GROUP_MSG_MAX, 0));
		ASSERT_EQ(GROUP_MSG_MAX, next(a, big, GROUP_MSG_MAX, NULL));
		ASSERT_EQ(GROUP_MSG_MAX, next(b, big, GROUP_MSG_MAX, NULL));
	}
	close(a);
	close(b);
	free(big);
}

TEST(epoll_edges)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET }, got;
	int ep = epoll_create1(0), fd = join("epoll");

	ASSERT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	EXPECT_EQ(0, epoll_wait(ep, &got, 1, 0));
	EXPECT_EQ(1, send(fd, "x", 1, 0));
	EXPECT_EQ(1, epoll_wait(ep, &got, 1, DEADLINE_MS));
	EXPECT_TRUE(got.events & EPOLLIN);
	EXPECT_EQ(0, epoll_wait(ep, &got, 1, 0));
	close(ep);
	close(fd);
}

/* Views without a wish for them must not make the socket readable. */
TEST(unwanted_events_are_passed)
{
	struct pollfd p;
	int a = join("quiet"), b;

	ASSERT_TRUE(wait_for(a, POLLOUT) & POLLOUT);
	b = join_events("quiet");
	ASSERT_TRUE(wait_for(b, POLLIN) & POLLIN);
	p.fd = a;
	p.events = POLLIN;
	EXPECT_EQ(0, poll(&p, 1, 0));
	close(a);
	close(b);
}

TEST(thousand_members)
{
	struct group_event ev;
	int i, fd[1000];
	char c;

	fd[0] = join_events("many");
	ASSERT_LE(0, fd[0]);
	for (i = 1; i < 1000; i++) {
		fd[i] = join("many");
		ASSERT_LE(0, fd[i]);
	}
	do {
		ASSERT_EQ(0, next_view(fd[0], &ev));
	} while (ev.members < 1000);
	ASSERT_TRUE(wait_for(fd[999], POLLOUT) & POLLOUT);
	ASSERT_EQ(1, send(fd[999], "m", 1, 0));
	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(1, next(fd[i], &c, 1, NULL));
		EXPECT_EQ('m', c);
	}
	for (i = 0; i < 1000; i++)
		close(fd[i]);
}

TEST(same_order_for_all)
{
	enum { MEMBERS = 4, EACH = 200 };
	int fd[MEMBERS], i, k, n;
	char log[MEMBERS][MEMBERS * EACH], c;

	for (i = 0; i < MEMBERS; i++) {
		fd[i] = join("order");
		ASSERT_TRUE(wait_for(fd[i], POLLOUT) & POLLOUT);
	}
	for (k = 0; k < EACH; k++)
		for (i = 0; i < MEMBERS; i++) {
			c = 'a' + i;
			ASSERT_EQ(1, send(fd[i], &c, 1, 0));
		}
	for (i = 0; i < MEMBERS; i++)
		for (n = 0; n < MEMBERS * EACH; n++)
			ASSERT_EQ(1, next(fd[i], &log[i][n], 1, NULL));
	for (i = 1; i < MEMBERS; i++)
		EXPECT_EQ(0, memcmp(log[0], log[i], sizeof(log[0])));
	for (i = 0; i < MEMBERS; i++)
		close(fd[i]);
}

TEST_HARNESS_MAIN
