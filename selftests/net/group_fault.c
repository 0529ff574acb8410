// SPDX-License-Identifier: GPL-2.0
/*
 * No memory: under a memory cgroup's limit bind and send fail with ENOMEM, and
 * change nothing. Needs cgroup2, which is mounted if it is not.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "sockets.h"
#include "harness.h"

#define ROOT "/tmp/cg2"
#define GROUP_DIR ROOT "/group_fault"

static int put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static long long get_number(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return atoll(text);
}

FIXTURE(cg) { int unused; };

/* Into a cgroup of 24 MiB. */
FIXTURE_SETUP(cg)
{
	mkdir(ROOT, 0755);
	if (access(ROOT "/cgroup.procs", F_OK))
		ASSERT_EQ(0, mount("none", ROOT, "cgroup2", 0, NULL));
	put_file(ROOT "/cgroup.subtree_control", "+memory");
	mkdir(GROUP_DIR, 0755);
	ASSERT_EQ(0, put_file(GROUP_DIR "/memory.max", "25165824"));
	ASSERT_EQ(0, put_file(GROUP_DIR "/cgroup.procs", "0"));
}

FIXTURE_TEARDOWN(cg)
{
	put_file(ROOT "/cgroup.procs", "0");
	rmdir(GROUP_DIR);
}

/* A member's queue is charged in bind, about 1 MiB each. */
TEST_F(cg, bind_charges_the_queue)
{
	long long before = get_number(GROUP_DIR "/memory.current"), used;
	int fd = group_socket();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, try_join(fd, "charge"));
	used = get_number(GROUP_DIR "/memory.current") - before;
	EXPECT_LE(GROUP_MSG_MAX, used);
	close(fd);
	/* Charges are given back in batches. */
	used = get_number(GROUP_DIR "/memory.current") - before;
	EXPECT_GT(GROUP_MSG_MAX / 2, used);
}

/*
 * What a program reserves for a socket is given back with the socket. Newer
 * kernels (6.12.117, not 6.1) let nobody but TCP reserve.
 */
TEST_F(cg, reserved_memory_goes_with_the_socket)
{
	int i, fd, none = 0, val = 8 << 20;

	for (i = 0; i < 8; i++) {
		fd = group_socket();
		ASSERT_LE(0, fd);
		if (setsockopt(fd, SOL_SOCKET, SO_RESERVE_MEM, &none,
			       sizeof(none)) && errno == EOPNOTSUPP) {
			close(fd);
			SKIP(return, "reserving memory is for TCP alone here");
		}
		EXPECT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_RESERVE_MEM, &val,
					sizeof(val)));
		if (i & 1)
			EXPECT_EQ(0, try_join(fd, "reserve"));
		close(fd);
	}
}

TEST_F(cg, bind_without_memory)
{
	struct group_status st;
	int fd[64], n, refused;

	for (n = 0; n < 64; n++) {
		char name[16];

		snprintf(name, sizeof(name), "bind%d", n);
		fd[n] = group_socket();
		ASSERT_LE(0, fd[n]);
		if (try_join(fd[n], name))
			break;
	}
	ASSERT_GT(64, n);
	EXPECT_LT(8, n);
	EXPECT_EQ(-ENOMEM, try_join(fd[n], "bind0"));
	/* Nothing of it is there: not bound, no member, no group. */
	ASSERT_EQ(0, status_of(fd[n], &st));
	EXPECT_EQ(GROUP_ST_UNBOUND, st.state);
	EXPECT_EQ(-1, send(fd[n], "x", 1, 0));
	EXPECT_EQ(ENOTCONN, errno);
	/* The others go on, and so does this one when there is memory. */
	EXPECT_TRUE(wait_for(fd[0], POLLOUT) & POLLOUT);
	EXPECT_EQ(1, send(fd[0], "x", 1, 0));
	close(fd[1]);
	close(fd[2]);
	for (refused = 0; refused < 100 && try_join(fd[n], "bind0"); refused++)
		poll(NULL, 0, 10);
	EXPECT_GT(100, refused);
	EXPECT_TRUE(wait_for(fd[n], POLLOUT) & POLLOUT);
	for (; n >= 0; n--)
		if (n != 1 && n != 2)
			close(fd[n]);
}

/* What is sent and not read is charged to its sender. */
TEST_F(cg, send_without_memory)
{
	struct group_props p = { .msg_max = 65536 };
	static char buf[65536], in[65536];
	int val = 64 << 20, fd = group_socket(), n = 0;
	struct group_status st;
	ssize_t len;

	setsockopt(fd, SOL_GROUP, GROUP_PROPS, &p, sizeof(p));
	/* Credit and send buffer for much more than the cgroup has. */
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &val,
				sizeof(val)));
	val = 7 << 20;
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &val,
				sizeof(val)));
	ASSERT_EQ(0, try_join(fd, "send"));
	ASSERT_TRUE(wait_for(fd, POLLOUT) & POLLOUT);
	ASSERT_EQ(0, put_file(GROUP_DIR "/memory.max", "19922944"));
	/* Else this program's own page faults meet the limit. */
	memset(in, 1, sizeof(in));
	do {
		memset(buf, n + 1, sizeof(buf));
		len = send(fd, buf, sizeof(buf), MSG_DONTWAIT);
		n += len == sizeof(buf);
	} while (len == sizeof(buf));
	EXPECT_EQ(-1, len);
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_LT(4, n);
	ASSERT_EQ(0, status_of(fd, &st));
	EXPECT_EQ(n, (int)st.sent);
	EXPECT_EQ(n, (int)st.queued);
	/* It is all there, whole and in order, and then there is room. */
	for (int i = 0; i < n; i++) {
		ASSERT_EQ((ssize_t)sizeof(in),
			  next(fd, in, sizeof(in), NULL));
		EXPECT_EQ((char)(i + 1), in[0]);
		EXPECT_EQ((char)(i + 1), in[sizeof(in) - 1]);
	}
	EXPECT_EQ((ssize_t)sizeof(buf),
		  send(fd, buf, sizeof(buf), MSG_DONTWAIT));
	close(fd);
}

/* Descriptors run out before groups do. */
TEST(no_descriptors)
{
	struct rlimit lim = { 16, 16 };
	int n = 0, status;
	pid_t pid = fork();

	if (!pid) {
		if (setrlimit(RLIMIT_NOFILE, &lim))
			_exit(1);
		while (group_socket() >= 0)
			n++;
		_exit(n < 16 && errno == EMFILE ? 0 : 2);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
