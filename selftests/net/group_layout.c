// SPDX-License-Identifier: GPL-2.0
/*
 * The interface has one layout for all programs: compiled for 64 bits and for
 * 32 bits (group_layout32), and run as both, it joins, sends with control
 * messages, receives with them, and asks for the queue lengths.
 */
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <linux/sockios.h>
#include "sockets.h"
#include "harness.h"

#define SIZE(type, size) \
	_Static_assert(sizeof(struct type) == (size), #type " has a hole")
#define AT(type, field, at) \
	_Static_assert(offsetof(struct type, field) == (at), #field " moved")

SIZE(sockaddr_group, 88);
AT(sockaddr_group, sgr_kind, 2);
AT(sockaddr_group, sgr_node, 4);
AT(sockaddr_group, sgr_inc, 8);
AT(sockaddr_group, sgr_port, 16);
AT(sockaddr_group, sgr_name, 24);
SIZE(group_view_id, 16);
SIZE(group_msg_info, 40);
AT(group_msg_info, position, 16);
AT(group_msg_info, lamport, 24);
AT(group_msg_info, order, 32);
SIZE(group_member, 24);
AT(group_member, inc, 8);
AT(group_member, rank, 16);
AT(group_member, change, 20);
AT(group_member, reason, 22);
SIZE(group_event, 48);
AT(group_event, view, 8);
AT(group_event, members, 24);
AT(group_event, reason, 40);
SIZE(group_view, 24);
AT(group_view, members, 16);
SIZE(group_props, 16);
SIZE(group_status, 48);
AT(group_status, queued_bytes, 16);
AT(group_status, received, 40);

union control {
	char buf[CMSG_SPACE(sizeof(struct group_msg_info))];
	struct cmsghdr align;
};

static ssize_t send_fifo(int fd, const char *text, size_t len)
{
	int order = GROUP_ORDER_FIFO;
	union control c = { .buf = "" };
	struct iovec iov = { (char *)text, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &c,
			    .msg_controllen = CMSG_SPACE(sizeof(order)) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&m);

	cm->cmsg_level = SOL_GROUP;
	cm->cmsg_type = GROUP_CMSG_ORDER;
	cm->cmsg_len = CMSG_LEN(sizeof(order));
	memcpy(CMSG_DATA(cm), &order, sizeof(order));
	return sendmsg(fd, &m, 0);
}

TEST(all_ways_in_and_out)
{
	struct sockaddr_group from, self;
	socklen_t len = sizeof(self);
	union control c;
	struct group_msg_info info;
	char buf[1024];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from),
			    .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &c, .msg_controllen = sizeof(c) };
	int val, fd = join_events("layout");
	struct group_event ev;
	struct cmsghdr *cm;

	TH_LOG("pointers of %d bytes", (int)sizeof(void *));
	ASSERT_EQ(0, next_view(fd, &ev));
	EXPECT_EQ(1, ev.members);
	ASSERT_EQ(0, set_int(fd, GROUP_INFO, 1));
	ASSERT_EQ(5, send_fifo(fd, "hello", 5));
	ASSERT_EQ(0, ioctl(fd, SIOCINQ, &val));
	EXPECT_EQ(5, val);
	ASSERT_EQ(0, ioctl(fd, SIOCOUTQ, &val));
	EXPECT_EQ(5, val);
	ASSERT_EQ(5, recvmsg(fd, &m, 0));
	EXPECT_EQ(0, m.msg_flags & MSG_CTRUNC);
	EXPECT_EQ(sizeof(from), m.msg_namelen);
	ASSERT_EQ(0, getsockname(fd, (struct sockaddr *)&self, &len));
	EXPECT_EQ(0, memcmp(&from, &self, sizeof(self)));
	cm = CMSG_FIRSTHDR(&m);
	ASSERT_TRUE(!!cm);
	ASSERT_EQ(SOL_GROUP, cm->cmsg_level);
	ASSERT_EQ(GROUP_CMSG_INFO, cm->cmsg_type);
	ASSERT_EQ(CMSG_LEN(sizeof(info)), cm->cmsg_len);
	memcpy(&info, CMSG_DATA(cm), sizeof(info));
	EXPECT_EQ(1, info.position);
	EXPECT_EQ(GROUP_ORDER_FIFO, info.order);
	EXPECT_EQ(ev.view.epoch, info.view.epoch);
	EXPECT_EQ(ev.view.seq, info.view.seq);
	set_timeo(fd, SO_RCVTIMEO, 20);
	EXPECT_EQ(-1, recv(fd, buf, sizeof(buf), 0));
	EXPECT_EQ(EAGAIN, errno);
	close(fd);
}

TEST_HARNESS_MAIN
