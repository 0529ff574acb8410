// SPDX-License-Identifier: GPL-2.0
/*
 * Limits and waiting on one node: who is held back, for how long, who is woken
 * and what a full queue says; kernel.md's rules on poll, memory and leaving.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <linux/sockios.h>
#include "sockets.h"
#include "harness.h"

/* A send in a thread of its own, and how it ended. */
struct sender {
	pthread_t thread;
	int fd;
	size_t len;
	int ret;
	int done;
};

static void *send_one(void *arg)
{
	static char buf[GROUP_MSG_MAX];
	struct sender *s = arg;
	ssize_t n = send(s->fd, buf, s->len, MSG_NOSIGNAL);

	s->ret = n < 0 ? -errno : (int)n;
	__atomic_store_n(&s->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

static int sender_start(struct sender *s, int fd, size_t len)
{
	s->fd = fd;
	s->len = len;
	s->done = 0;
	return pthread_create(&s->thread, NULL, send_one, s);
}

/* Is a thread of that process asleep in such a function? */
static bool thread_sleeps(pid_t pid, const char *where)
{
	char path[320], what[64];
	bool found = false;
	struct dirent *d;
	DIR *dir;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && !found && (d = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%s/wchan", pid,
			 d->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		found = fgets(what, sizeof(what), f) && strstr(what, where);
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return found;
}

static int sender_end(struct sender *s)
{
	uint64_t end = now_ms() + DEADLINE_MS;

	while (!__atomic_load_n(&s->done, __ATOMIC_ACQUIRE)) {
		if (now_ms() > end)
			return -ETIMEDOUT;
		sched_yield();
	}
	pthread_join(s->thread, NULL);
	return s->ret;
}

/* What was refused for the send buffer is not said to be possible. */
TEST(pollout_waits_for_room_in_the_send_buffer)
{
	enum { SIZE = 60000 };
	char *buf = calloc(1, SIZE);
	int val = 100000, fd = group_socket(), n, i;

	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &val, sizeof(val)));
	ASSERT_EQ(0, try_join(fd, "want"));
	ASSERT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	n = fill(fd, SIZE);
	EXPECT_EQ(3, n);
	EXPECT_EQ(EAGAIN, errno);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, polled(fd, POLLOUT));
	/* A smaller one has room all the same. */
	EXPECT_EQ(100, send(fd, buf, 100, MSG_DONTWAIT));
	EXPECT_EQ(-1, send(fd, buf, SIZE, MSG_DONTWAIT));
	EXPECT_EQ(4, drain(fd));
	ASSERT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	EXPECT_EQ(SIZE, send(fd, buf, SIZE, MSG_DONTWAIT));
	close(fd);
	free(buf);
}

/* Of two messages that were refused the last one counts. */
TEST(pollout_is_for_the_message_refused_last)
{
	static char big[GROUP_MSG_MAX];
	int i, fd = join("last");

	ASSERT_LT(10, fill(fd, 1));
	EXPECT_EQ(-1, send(fd, big, sizeof(big), MSG_DONTWAIT));
	EXPECT_EQ(-1, send(fd, big, 1, MSG_DONTWAIT));
	ASSERT_EQ(0, polled(fd, POLLOUT));
	for (i = 0; i < 1000; i++)
		ASSERT_EQ(1, recv(fd, big, 1, MSG_DONTWAIT));
	EXPECT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	EXPECT_EQ(1, send(fd, big, 1, MSG_DONTWAIT));
	close(fd);
}

TEST(sndbuf_that_grows_lets_go)
{
	struct sender s;
	int val = 20000, fd = join("grow");

	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &val, sizeof(val)));
	set_timeo(fd, SO_SNDTIMEO, DEADLINE_MS);
	/* Another socket's reader is to be waited for, not this one's. */
	EXPECT_LT(0, fill(fd, 10000));
	EXPECT_LT(0, drain(fd));
	EXPECT_LT(0, fill(fd, 10000));
	ASSERT_EQ(0, polled(fd, POLLOUT));
	val = 200000;
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &val, sizeof(val)));
	EXPECT_TRUE(polled(fd, POLLOUT));
	ASSERT_EQ(0, sender_start(&s, fd, 10000));
	EXPECT_EQ(10000, sender_end(&s));
	close(fd);
}

/* Who asks for nothing is still told of the end. */
TEST(epoll_for_nothing_sees_hup)
{
	struct epoll_event e = { 0 }, got = { 0 };
	int ep = epoll_create1(0), fd = join("hup");

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	ASSERT_EQ(0, epoll_wait(ep, &got, 1, 0));
	if (!fork()) {
		/* After the parent waits, or before: both must do. */
		_exit(shutdown(fd, SHUT_WR));
	}
	EXPECT_EQ(1, epoll_wait(ep, &got, 1, DEADLINE_MS));
	EXPECT_TRUE(got.events & EPOLLHUP);
	wait(NULL);
	close(ep);
	close(fd);
}

TEST(epoll_level_and_edge)
{
	struct epoll_event lt = { .events = EPOLLIN }, got;
	struct epoll_event et = { .events = EPOLLIN | EPOLLET };
	int a = epoll_create1(0), b = epoll_create1(0), fd = join("edge");
	char c;

	ASSERT_EQ(0, epoll_ctl(a, EPOLL_CTL_ADD, fd, &lt));
	ASSERT_EQ(0, epoll_ctl(b, EPOLL_CTL_ADD, fd, &et));
	ASSERT_EQ(1, send(fd, "x", 1, 0));
	ASSERT_EQ(1, epoll_wait(a, &got, 1, DEADLINE_MS));
	ASSERT_EQ(1, epoll_wait(a, &got, 1, 0));
	ASSERT_EQ(1, epoll_wait(b, &got, 1, DEADLINE_MS));
	ASSERT_EQ(0, epoll_wait(b, &got, 1, 0));
	/* A new edge although the first record has not been read. */
	ASSERT_EQ(1, send(fd, "y", 1, 0));
	ASSERT_EQ(1, epoll_wait(b, &got, 1, DEADLINE_MS));
	ASSERT_EQ(1, recv(fd, &c, 1, 0));
	ASSERT_EQ(1, recv(fd, &c, 1, 0));
	ASSERT_EQ(0, epoll_wait(a, &got, 1, 0));
	close(a);
	close(b);
	close(fd);
}

/* EDEADLK is for one's own queue, not for another's. */
TEST(slow_neighbour_is_waited_for)
{
	struct sender s;
	int fd = join("slow"), other = join("slow");

	ASSERT_LT(10, fill(fd, 1000));
	ASSERT_LT(10, drain(fd));
	/* The neighbour's queue is full, this one's is not. */
	set_timeo(fd, SO_SNDTIMEO, 50);
	ASSERT_EQ(0, sender_start(&s, fd, 1000));
	EXPECT_EQ(-EAGAIN, sender_end(&s));
	EXPECT_EQ(0, polled(fd, POLLOUT));
	set_timeo(fd, SO_SNDTIMEO, DEADLINE_MS);
	ASSERT_EQ(0, sender_start(&s, fd, 1000));
	EXPECT_LT(10, drain(other));
	EXPECT_EQ(1000, sender_end(&s));
	close(fd);
	close(other);
}

/* Both are full; the neighbour reads all: then only one's own is in the way. */
TEST(deadlock_is_seen_when_the_neighbour_is_done)
{
	struct sender s;
	int fd = join("late"), other = join_events("late");

	/* The neighbour's queue is longer by the view that it asked for. */
	ASSERT_TRUE(wait_for(other, POLLOUT) & POLLOUT);
	ASSERT_LT(10, fill(fd, 1));
	ASSERT_EQ(0, sender_start(&s, fd, 1));
	while (!thread_sleeps(getpid(), "gsk_send"))
		sched_yield();
	EXPECT_LT(10, drain(other));
	EXPECT_EQ(-EDEADLK, sender_end(&s));
	close(fd);
	close(other);
}

TEST(own_full_queue_is_a_deadlock)
{
	static char big[GROUP_MSG_MAX];
	int fd = join("own");

	ASSERT_LT(10, fill(fd, 1000));
	EXPECT_EQ(-1, send(fd, big, 1000, 0));
	EXPECT_EQ(EDEADLK, errno);
	drain(fd);
	/* By the send buffer as well as by credit. */
	ASSERT_EQ(GROUP_MSG_MAX, send(fd, big, sizeof(big), 0));
	EXPECT_EQ(-1, send(fd, big, sizeof(big), 0));
	EXPECT_EQ(EDEADLK, errno);
	close(fd);
}

/* The worker is done with a new group when its directory is there. */
static int shown(const char *name)
{
	uint64_t end = now_ms() + DEADLINE_MS;
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/group/%s/sent", name);
	while (access(path, R_OK)) {
		if (now_ms() > end)
			return -ETIMEDOUT;
		sched_yield();
	}
	return 0;
}

/* What no reader has to read is given back without one. */
TEST(unread_own_messages_hold_nobody)
{
	static char big[GROUP_MSG_MAX];
	int fd = join("mute"), n;

	ASSERT_EQ(0, set_int(fd, GROUP_LOOPBACK, 0));
	ASSERT_EQ(0, shown("mute"));
	/* Too little for a worker to be called for by itself. */
	ASSERT_EQ(40000, send(fd, big, 40000, 0));
	set_timeo(fd, SO_SNDTIMEO, DEADLINE_MS);
	EXPECT_EQ(GROUP_MSG_MAX, send(fd, big, sizeof(big), 0));
	close(fd);

	fd = join("deaf");
	n = fill(fd, 1000);
	ASSERT_LT(10, n);
	ASSERT_EQ(0, polled(fd, POLLOUT));
	ASSERT_EQ(0, shown("deaf"));
	/* All that fills the queue is passed over at once. */
	ASSERT_EQ(0, set_int(fd, GROUP_LOOPBACK, 0));
	EXPECT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	EXPECT_EQ(1000, send(fd, big, 1000, MSG_DONTWAIT));
	close(fd);
}

/* Blocked by credit (small messages) and by the send buffer (larger ones). */
TEST(shutdown_wakes_a_blocked_sender)
{
	static const size_t sizes[] = { 1, 10000 };
	size_t i;

	for (i = 0; i < 2; i++) {
		int fd = join("shut"), other = join("shut");
		struct sender s;

		ASSERT_LT(10, fill(fd, sizes[i]));
		drain(fd);
		ASSERT_EQ(0, sender_start(&s, fd, sizes[i]));
		while (!thread_sleeps(getpid(), "gsk_send"))
			sched_yield();
		ASSERT_EQ(0, shutdown(fd, SHUT_WR));
		EXPECT_EQ(-EPIPE, sender_end(&s));
		close(fd);
		close(other);
	}
}

TEST(sigkill_in_a_blocked_send)
{
	struct group_event ev;
	int watch = join_events("sigkill"), other, status;
	uint64_t end = now_ms() + DEADLINE_MS;
	pid_t pid;

	ASSERT_EQ(0, next_view(watch, &ev));
	other = join("sigkill");
	ASSERT_EQ(0, next_view(watch, &ev));
	pid = fork();
	if (!pid) {
		int fd;

		close(watch);
		close(other);
		fd = join("sigkill");
		fill(fd, 1);
		drain(fd);
		send(fd, "y", 1, 0);
		_exit(1);
	}
	while (!thread_sleeps(pid, "gsk_send") && now_ms() < end)
		sched_yield();
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	/* Its messages are delivered first, then it is out. */
	do {
		char buf[2048];
		int flags;
		ssize_t n = next(watch, buf, sizeof(buf), &flags);

		ASSERT_LE(0, n);
		if (flags & MSG_NOTIFICATION)
			memcpy(&ev, buf, sizeof(ev));
	} while (!ev.left);
	EXPECT_EQ(2, ev.members);
	close(watch);
	close(other);
}

TEST(receive_buffer_below_one_message)
{
	struct group_props p = { .msg_max = 100 };
	static char big[GROUP_MSG_MAX];
	struct group_status st;
	int val = 2048, fd = group_socket(), small = group_socket();

	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &val, sizeof(val)));
	ASSERT_EQ(0, try_join(fd, "below"));
	ASSERT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	ASSERT_EQ(0, status_of(fd, &st));
	EXPECT_EQ(GROUP_MSG_MAX + 4096, st.limit_bytes);
	EXPECT_EQ(GROUP_MSG_MAX, send(fd, big, sizeof(big), 0));
	EXPECT_EQ(GROUP_MSG_MAX, next(fd, big, sizeof(big), NULL));
	/* In a group of small messages it counts. */
	setsockopt(small, SOL_GROUP, GROUP_PROPS, &p, sizeof(p));
	setsockopt(small, SOL_SOCKET, SO_RCVBUF, &val, sizeof(val));
	ASSERT_EQ(0, try_join(small, "small"));
	ASSERT_EQ(0, status_of(small, &st));
	EXPECT_EQ(100 + 4096, st.limit_bytes);
	ASSERT_TRUE(wait_for(small, POLLOUT) & POLLOUT);
	EXPECT_LT(2, fill(small, 100));
	EXPECT_LT(2, drain(small));
	close(small);
	close(fd);
}

TEST(receive_buffer_changes_later_grants)
{
	struct group_status st;
	int val = 2 << 20, fd = join("later"), before, after;
	char c;

	before = fill(fd, 1);
	drain(fd);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &val,
				sizeof(val)));
	ASSERT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	ASSERT_EQ(1, send(fd, "x", 1, 0));
	ASSERT_EQ(1, next(fd, &c, 1, NULL));
	ASSERT_EQ(0, status_of(fd, &st));
	EXPECT_EQ(4 << 20, st.limit_bytes);
	after = fill(fd, 1);
	EXPECT_LT(2 * before, after);
	/* What is there under the old limit does not evict its reader. */
	val = 4096;
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &val, sizeof(val)));
	ASSERT_EQ(1, next(fd, &c, 1, NULL));
	ASSERT_EQ(0, status_of(fd, &st));
	EXPECT_EQ(GROUP_MSG_MAX + 4096, st.limit_bytes);
	EXPECT_EQ(GROUP_ST_JOINED, st.state);
	EXPECT_EQ(after - 1, drain(fd));
	ASSERT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	EXPECT_GT(2 * before, fill(fd, 1));
	close(fd);
}

/* What one reads is not freed by what another thread asks for. */
static void *flip(void *arg)
{
	int i, fd = *(int *)arg;

	for (i = 0; i < 3000; i++) {
		set_int(fd, GROUP_EVENTS, i & 1 ? 15 : 0);
		set_int(fd, GROUP_LOOPBACK, i >> 1 & 1);
	}
	set_int(fd, GROUP_EVENTS, 15);
	return NULL;
}

TEST(options_change_under_a_reader)
{
	char buf[4096];
	int i, fd = join_events("flip");
	struct group_status st;
	pthread_t t;

	ASSERT_EQ(0, pthread_create(&t, NULL, flip, &fd));
	for (i = 0; i < 300; i++) {
		int b = join("flip");

		ASSERT_LE(0, b);
		send(fd, buf, 100, MSG_DONTWAIT);
		while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) >= 0)
			;
		close(b);
	}
	pthread_join(t, NULL);
	drain(fd);
	ASSERT_EQ(0, status_of(fd, &st));
	EXPECT_EQ(GROUP_ST_JOINED, st.state);
	EXPECT_GT(3, st.queued);
	close(fd);
}

TEST(descriptor_in_flight_keeps_the_member)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} c = { .buf = "" };
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &c, .msg_controllen = sizeof(c) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&m);
	int pair[2], a = join_events("flight"), b;
	struct group_event ev;

	ASSERT_EQ(0, next_view(a, &ev));
	b = join("flight");
	ASSERT_EQ(0, next_view(a, &ev));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &b, sizeof(b));
	/* Nobody would get it that way. */
	EXPECT_EQ(-1, sendmsg(b, &m, 0));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(1, sendmsg(pair[0], &m, 0));
	close(b);
	b = join("flight");
	ASSERT_EQ(0, next_view(a, &ev));
	EXPECT_EQ(3, ev.members);
	close(pair[0]);
	close(pair[1]);
	ASSERT_EQ(0, next_view(a, &ev));
	EXPECT_EQ(2, ev.members);
	close(a);
	close(b);
}

TEST(queue_lengths)
{
	char buf[256];
	struct group_event *ev = (void *)buf;
	int val, fd = join_events("inq");

	ASSERT_TRUE(wait_for(fd, POLLIN));
	ASSERT_EQ(0, ioctl(fd, SIOCINQ, &val));
	EXPECT_EQ((int)(sizeof(*ev) + sizeof(struct group_member)), val);
	/* The whole length of an event, as of a message. */
	EXPECT_EQ(val, recv(fd, buf, sizeof(*ev), MSG_PEEK | MSG_TRUNC));
	EXPECT_EQ(val, (int)ev->len);
	EXPECT_EQ(val, recv(fd, buf, sizeof(buf), 0));
	ASSERT_EQ(0, ioctl(fd, SIOCINQ, &val));
	EXPECT_EQ(0, val);
	ASSERT_EQ(77, send(fd, buf, 77, 0));
	ASSERT_TRUE(wait_for(fd, POLLIN));
	ASSERT_EQ(0, ioctl(fd, SIOCINQ, &val));
	EXPECT_EQ(77, val);
	ASSERT_EQ(0, ioctl(fd, SIOCOUTQ, &val));
	EXPECT_EQ(77, val);
	ASSERT_EQ(77, recv(fd, buf, sizeof(buf), 0));
	EXPECT_EQ(-1, ioctl(fd, 0x12345, &val));
	EXPECT_EQ(ENOTTY, errno);
	close(fd);
}

TEST(calls_that_do_not_exist)
{
	int fd = join("none"), pair[2];
	char c;

	EXPECT_EQ(-1, send(fd, "x", 1, MSG_OOB));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, recv(fd, &c, 1, MSG_OOB));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, recv(fd, &c, 1, MSG_ERRQUEUE));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, accept(fd, NULL, NULL));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, socketpair(AF_GROUP, SOCK_SEQPACKET, 0, pair));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, getpeername(fd, (struct sockaddr *)&c, &(socklen_t){ 1 }));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &pair[0], 4));
	EXPECT_EQ(EOPNOTSUPP, errno);
	close(fd);
}

/* Properties that contradict themselves. */
TEST(properties_out_of_range)
{
	static const struct {
		struct group_props p;
		int err;
	} bad[] = {
		{ { .order = 9 }, EINVAL },
		{ { .orders = 1 << 9 }, EINVAL },
		{ { .msg_max = GROUP_MSG_MAX + 1 }, EINVAL },
		{ { .orders = 1 << GROUP_ORDER_CAUSAL }, EINVAL },
		{ { .order = GROUP_ORDER_SAFE,
		    .orders = 1 << GROUP_ORDER_TOTAL }, EINVAL },
		{ { .order = GROUP_ORDER_TOTAL,
		    .orders = 1 << GROUP_ORDER_FIFO }, EINVAL },
		{ { .orders = 1 << GROUP_ORDER_FIFO }, EINVAL },
	};
	struct group_props p = { .order = GROUP_ORDER_FIFO };
	int fd = group_socket();
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(-1, setsockopt(fd, SOL_GROUP, GROUP_PROPS, &bad[i].p,
					 sizeof(p)));
		EXPECT_EQ(bad[i].err, errno);
	}
	EXPECT_EQ(-1, setsockopt(fd, SOL_GROUP, GROUP_PROPS, &p, 8));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, try_join(fd, "range"));
	EXPECT_EQ(-1, setsockopt(fd, SOL_GROUP, GROUP_PROPS, &p, sizeof(p)));
	EXPECT_EQ(EISCONN, errno);
	close(fd);
}

static int sysctl_write(const char *val)
{
	int fd = open("/proc/sys/net/group/max_members", O_WRONLY), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, val, strlen(val)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* In a namespace of its own: its limit, under the initial one's. */
TEST(members_have_a_limit)
{
	int fd[4], i;

	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	EXPECT_EQ(-EINVAL, sysctl_write("0"));
	EXPECT_EQ(-EINVAL, sysctl_write("65537"));
	ASSERT_EQ(0, sysctl_write("3"));
	for (i = 0; i < 3; i++)
		ASSERT_LE(0, fd[i] = join("limit"));
	fd[3] = group_socket();
	EXPECT_EQ(-ENOSPC, try_join(fd[3], "limit"));
	EXPECT_EQ(-ENOSPC, try_join(fd[3], "another"));
	close(fd[0]);
	/* It goes with the view that says so. */
	for (i = 0; i < DEADLINE_MS && try_join(fd[3], "limit"); i++)
		poll(NULL, 0, 1);
	EXPECT_TRUE(wait_for(fd[3], POLLOUT) & POLLOUT);
	for (i = 1; i < 4; i++)
		close(fd[i]);
}

/* Who does not read its views does not keep them all for ever. */
FIXTURE(many) { int unused; };

FIXTURE_SETUP(many)
{
}

FIXTURE_TEARDOWN(many)
{
}

TEST_F(many, unread_views_are_bounded)
{
	struct rlimit lim = { 4096, 4096 };
	static int fd[800];
	struct group_status st;
	int i, slow;

	setrlimit(RLIMIT_NOFILE, &lim);
	for (i = 0; i < 800; i++)
		ASSERT_LE(0, fd[i] = join("churn"));
	slow = join_events("churn");
	ASSERT_LE(0, slow);
	/* 800 members, 24 bytes each: 32 MiB are some 1,740 views. */
	for (i = 0; i < 900; i++) {
		int one = join("churn");

		ASSERT_LE(0, one);
		close(one);
		if (i == 300) {
			ASSERT_EQ(0, status_of(slow, &st));
			EXPECT_EQ(GROUP_ST_JOINED, st.state);
		}
	}
	EXPECT_TRUE(wait_for(slow, POLLHUP) & POLLERR);
	ASSERT_EQ(0, status_of(slow, &st));
	EXPECT_EQ(GROUP_ST_EVICTED, st.state);
	EXPECT_EQ(ECONNRESET, st.error);
	/* What came before can be read; then the reason, then the end. */
	EXPECT_LT(800, drain(slow));
	EXPECT_EQ(ECONNRESET, errno);
	close(slow);
	for (i = 0; i < 800; i++)
		close(fd[i]);
}

TEST(a_thousand_members_timed)
{
	struct rlimit lim = { 4096, 4096 };
	static int fd[1000];
	uint64_t t0 = now_ms(), t1, t2, t3;
	char c;
	int i;

	setrlimit(RLIMIT_NOFILE, &lim);
	for (i = 0; i < 1000; i++)
		ASSERT_LE(0, fd[i] = join("thousand"));
	t1 = now_ms();
	ASSERT_EQ(1, send(fd[0], "m", 1, 0));
	for (i = 0; i < 1000; i++)
		ASSERT_EQ(1, next(fd[i], &c, 1, NULL));
	t2 = now_ms();
	for (i = 0; i < 1000; i++)
		close(fd[i]);
	t3 = now_ms();
	TH_LOG("1000 members: join %d ms, one message %d ms, leave %d ms",
	       (int)(t1 - t0), (int)(t2 - t1), (int)(t3 - t2));
}

TEST_HARNESS_MAIN
