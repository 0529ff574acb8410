// SPDX-License-Identifier: GPL-2.0
/*
 * libgsock as a program uses it: sockets, what is read from them, records,
 * refusals. The rest of its netlink half is tested through gsockctl.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <gsock.h>
#include "harness.h"

#define ALL_EVENTS 15

FIXTURE(two)
{
	int a;
	int b;
	struct gsock_rx *rx;
};

/* The next record, waited for. */
static int next(int fd, struct gsock_rx *rx)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (poll(&p, 1, DEADLINE_MS) != 1)
		return -ETIMEDOUT;
	return gsock_recv(fd, rx, MSG_DONTWAIT);
}

/* Reads up to a view of @n members. */
static int view_of(int fd, struct gsock_rx *rx, unsigned int n)
{
	int kind;

	do {
		kind = next(fd, rx);
		if (kind < 0 || kind == GSOCK_END)
			return -1;
	} while (kind != GSOCK_EVENT || gsock_rx_event(rx)->members != n);
	return 0;
}

static int member(const char *group)
{
	int fd = gsock_open(SOCK_CLOEXEC);

	if (fd < 0 || gsock_set_events(fd, ALL_EVENTS) ||
	    gsock_set_info(fd, 1) || gsock_join(fd, group))
		return -1;
	return fd;
}

FIXTURE_SETUP(two)
{
	ASSERT_EQ(gsock_rx_new(&self->rx, 0), 0);
	self->a = member("lib");
	ASSERT_GE(self->a, 0);
	ASSERT_EQ(view_of(self->a, self->rx, 1), 0);
	self->b = member("lib");
	ASSERT_GE(self->b, 0);
	ASSERT_EQ(view_of(self->a, self->rx, 2), 0);
	ASSERT_EQ(view_of(self->b, self->rx, 2), 0);
}

FIXTURE_TEARDOWN(two)
{
	close(self->a);
	close(self->b);
	gsock_rx_free(self->rx);
}

TEST_F(two, view_is_taken_apart)
{
	const struct group_event *ev = gsock_rx_event(self->rx);
	const struct group_member *m;
	struct group_member list[3];
	struct sockaddr_group addr;
	struct group_view view;
	unsigned int n;
	size_t len;

	/* b's own first view is what was read last. */
	ASSERT_NE(ev, NULL);
	EXPECT_EQ(ev->type, GROUP_EV_VIEW);
	EXPECT_EQ(ev->joined, 1);
	EXPECT_EQ(gsock_rx_truncated(self->rx), 0);
	EXPECT_EQ(gsock_rx_data(self->rx, &len), NULL);
	EXPECT_EQ(gsock_rx_sender(self->rx), NULL);
	EXPECT_EQ(gsock_rx_info(self->rx), NULL);
	m = gsock_rx_members(self->rx, &n);
	ASSERT_EQ(n, 2);
	EXPECT_EQ(m[0].change, GROUP_STAYED);
	EXPECT_EQ(m[1].change, GROUP_JOINED);
	ASSERT_EQ(gsock_self(self->b, &addr), 0);
	EXPECT_EQ(addr.sgr_family, gsock_family());
	EXPECT_EQ(addr.sgr_kind, GROUP_ADDR_MEMBER);
	EXPECT_EQ(addr.sgr_port, m[ev->rank].port);
	EXPECT_EQ(addr.sgr_inc, m[ev->rank].inc);
	EXPECT_STREQ(addr.sgr_name, "lib");
	gsock_rx_left(self->rx, &n);
	EXPECT_EQ(n, 0);

	EXPECT_EQ(gsock_get_view(self->b, &view, list, 3), 2);
	EXPECT_EQ(view.members, 2);
	EXPECT_EQ(view.rank, ev->rank);
	EXPECT_EQ(view.id.seq, ev->view.seq);
	EXPECT_EQ(list[1].port, m[1].port);
	EXPECT_EQ(gsock_get_view(self->b, &view, list, 1), 1);
	EXPECT_EQ(gsock_get_view(self->b, &view, NULL, 0), 0);
	EXPECT_EQ(view.members, 2);
}

TEST_F(two, message_is_taken_apart)
{
	const struct group_msg_info *info;
	struct sockaddr_group addr;
	unsigned int n;
	size_t len;

	ASSERT_EQ(gsock_self(self->a, &addr), 0);
	ASSERT_EQ(gsock_send(self->a, "hello", 5, GROUP_ORDER_FIFO, 0), 0);
	ASSERT_EQ(next(self->b, self->rx), GSOCK_MESSAGE);
	EXPECT_EQ(memcmp(gsock_rx_data(self->rx, &len), "hello", 5), 0);
	EXPECT_EQ(len, 5);
	EXPECT_EQ(memcmp(gsock_rx_sender(self->rx), &addr, sizeof(addr)), 0);
	EXPECT_EQ(gsock_rx_event(self->rx), NULL);
	EXPECT_EQ(gsock_rx_members(self->rx, &n), NULL);
	EXPECT_EQ(n, 0);
	info = gsock_rx_info(self->rx);
	ASSERT_NE(info, NULL);
	EXPECT_EQ(info->order, GROUP_ORDER_FIFO);
	EXPECT_EQ(info->position, 1);

	/* An empty message is a message. */
	ASSERT_EQ(gsock_send(self->a, NULL, 0, GSOCK_ORDER_DEFAULT, 0), 0);
	ASSERT_EQ(next(self->b, self->rx), GSOCK_MESSAGE);
	EXPECT_NE(gsock_rx_data(self->rx, &len), NULL);
	EXPECT_EQ(len, 0);
	EXPECT_EQ(gsock_rx_info(self->rx)->order, GROUP_ORDER_TOTAL);
}

TEST_F(two, small_room_is_told)
{
	struct gsock_rx *rx;
	unsigned int n;
	char big[200];
	size_t len;

	memset(big, 'x', sizeof(big));
	ASSERT_EQ(gsock_rx_new(&rx, 100), 0);
	ASSERT_EQ(gsock_send(self->a, big, sizeof(big), GSOCK_ORDER_DEFAULT,
			     0), 0);
	ASSERT_EQ(next(self->b, rx), GSOCK_MESSAGE);
	EXPECT_EQ(gsock_rx_truncated(rx), 1);
	gsock_rx_data(rx, &len);
	EXPECT_EQ(len, 100);
	/* A view of one member and one who left: 48 + 2 * 24 fits, 72 not. */
	gsock_rx_free(rx);
	ASSERT_EQ(gsock_rx_new(&rx, 72), 0);
	ASSERT_EQ(close(self->b), 0);
	self->b = -1;
	ASSERT_EQ(next(self->a, rx), GSOCK_MESSAGE);
	ASSERT_EQ(next(self->a, rx), GSOCK_EVENT);
	EXPECT_EQ(gsock_rx_truncated(rx), 1);
	EXPECT_EQ(gsock_rx_event(rx)->left, 1);
	gsock_rx_members(rx, &n);
	EXPECT_EQ(n, 1);
	gsock_rx_left(rx, &n);
	EXPECT_EQ(n, 0);
	gsock_rx_free(rx);
}

TEST_F(two, to_one_member_and_in_a_view)
{
	struct group_view_id id = gsock_rx_event(self->rx)->view;
	struct sockaddr_group addr;
	unsigned int n;

	ASSERT_EQ(gsock_self(self->b, &addr), 0);
	ASSERT_EQ(gsock_send_to(self->a, &addr, "1", 1, GSOCK_ORDER_DEFAULT,
				0), 0);
	ASSERT_EQ(next(self->b, self->rx), GSOCK_MESSAGE);
	EXPECT_EQ(gsock_rx_info(self->rx)->position, 0);
	addr.sgr_port += 1000;
	EXPECT_EQ(gsock_send_to(self->a, &addr, "1", 1, GSOCK_ORDER_DEFAULT,
				0), -EHOSTUNREACH);
	EXPECT_EQ(gsock_send_in(self->a, &id, "2", 1, GROUP_ORDER_FIFO, 0), 0);
	ASSERT_EQ(next(self->b, self->rx), GSOCK_MESSAGE);
	EXPECT_EQ(gsock_rx_info(self->rx)->order, GROUP_ORDER_FIFO);
	ASSERT_EQ(close(self->b), 0);
	self->b = -1;
	ASSERT_EQ(view_of(self->a, self->rx, 1), 0);
	EXPECT_EQ(gsock_rx_left(self->rx, &n)->reason, GROUP_WHY_LEAVE);
	EXPECT_EQ(n, 1);
	EXPECT_EQ(gsock_send_in(self->a, &id, "3", 1, GSOCK_ORDER_DEFAULT, 0),
		  -ESTALE);
}

TEST_F(two, options_and_end)
{
	struct group_props props = { .msg_max = 10 };
	struct group_status st;
	int kind;

	EXPECT_EQ(gsock_set_props(self->a, &props), -EISCONN);
	EXPECT_EQ(gsock_get_props(self->a, &props), 0);
	EXPECT_EQ(gsock_set_order(self->a, GROUP_ORDER_SAFE + 1), -EINVAL);
	EXPECT_EQ(gsock_set_order(self->a, GROUP_ORDER_SAFE), 0);
	EXPECT_EQ(gsock_set_order(self->a, GROUP_ORDER_FIFO), 0);
	EXPECT_EQ(gsock_set_loopback(self->a, 2), -EINVAL);
	EXPECT_EQ(gsock_set_loopback(self->a, 0), 0);
	EXPECT_EQ(gsock_set_events(self->a, 1 << 20), -EINVAL);
	ASSERT_EQ(gsock_send(self->a, "x", 1, GSOCK_ORDER_DEFAULT, 0), 0);
	ASSERT_EQ(next(self->b, self->rx), GSOCK_MESSAGE);
	EXPECT_EQ(gsock_recv(self->a, self->rx, MSG_DONTWAIT), -EAGAIN);
	ASSERT_EQ(gsock_get_status(self->a, &st), 0);
	EXPECT_EQ(st.state, GROUP_ST_JOINED);
	EXPECT_EQ(st.sent, 1);
	errno = 0;
	EXPECT_EQ(gsock_join(self->a, "other"), -EINVAL);
	EXPECT_EQ(errno, 0);
	ASSERT_EQ(gsock_leave(self->a), 0);
	while ((kind = next(self->a, self->rx)) > 0)
		;
	EXPECT_EQ(kind, GSOCK_END);
	EXPECT_EQ(gsock_send(self->a, "x", 1, GSOCK_ORDER_DEFAULT, 0), -EPIPE);
}

TEST(bad_names)
{
	char name[80] = "";
	int fd = gsock_open(SOCK_CLOEXEC);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(gsock_leave(fd), -ENOTCONN);
	EXPECT_EQ(gsock_join(fd, ""), -EINVAL);
	EXPECT_EQ(gsock_join(fd, "a/b"), -EINVAL);
	memset(name, 'n', 64);
	EXPECT_EQ(gsock_join(fd, name), -ENAMETOOLONG);
	name[63] = 0;
	EXPECT_EQ(gsock_join(fd, name), 0);
	close(fd);
	EXPECT_EQ(gsock_join(fd, name), -EBADF);
}

TEST(words)
{
	int i;

	for (i = GROUP_ORDER_NONE; i <= GROUP_ORDER_SAFE; i++)
		EXPECT_EQ(gsock_order_of(gsock_order_name(i)), i);
	EXPECT_EQ(gsock_order_of("tota"), -EINVAL);
	EXPECT_STREQ(gsock_order_name(5), "unknown");
	EXPECT_STREQ(gsock_order_name(-1), "unknown");
	EXPECT_STREQ(gsock_why_name(GROUP_WHY_NODE_DOWN), "node down");
	EXPECT_STREQ(gsock_state_name(GROUP_ST_EVICTED), "evicted");
	EXPECT_STREQ(gsock_node_state_name(GSOCK_NODE_STOPPED), "stopped");
	EXPECT_STREQ(gsock_node_state_name(99), "unknown");
}

TEST(refusals_keep_errno_text_and_attribute)
{
	struct gsock_rec *rec = NULL;
	struct in_addr lo = { htonl(INADDR_LOOPBACK) }, any = { 0 };
	struct gsock_ctx *ctx;
	struct gsock_set *set;

	ASSERT_EQ(gsock_ctx_new(&ctx), 0);
	EXPECT_EQ(gsock_peer_add(ctx, AF_INET, &any, 0), -EINVAL);
	EXPECT_EQ(gsock_error_attr(ctx), GSOCK_A_ADDR);
	EXPECT_STREQ(gsock_attr_name(GSOCK_A_ADDR), "address");
	EXPECT_NE(strstr(gsock_error_text(ctx), "unspecified"), NULL);
	EXPECT_EQ(gsock_peer_add(ctx, AF_UNIX, &any, 0), -EINVAL);
	EXPECT_EQ(gsock_peer_del(ctx, AF_INET, &lo, 9), -ENOENT);
	EXPECT_STREQ(gsock_error_text(ctx), "no such peer");
	/* A dump's refusal comes with its end. */
	EXPECT_EQ(gsock_member_list(ctx, "nobody", &rec), -ENOENT);
	EXPECT_EQ(rec, NULL);
	EXPECT_STREQ(gsock_error_text(ctx), "no such group");
	/* Linux 6.1 puts the text alone there. */
	if (gsock_error_attr(ctx))
		EXPECT_EQ(gsock_error_attr(ctx), GSOCK_A_GROUP_NAME);
	EXPECT_EQ(gsock_group_get(ctx, "nobody", &rec), -ENOENT);
	EXPECT_EQ(gsock_error_attr(ctx), GSOCK_A_GROUP_NAME);

	ASSERT_EQ(gsock_set_new(&set), 0);
	EXPECT_EQ(gsock_set_num(set, GSOCK_A_NODE_VOTES, 1), 0);
	EXPECT_EQ(gsock_set_num(set, GSOCK_A_NODE_VOTES, 17), 0);
	EXPECT_EQ(gsock_node_set(ctx, set), -ERANGE);
	EXPECT_EQ(gsock_error_attr(ctx), GSOCK_A_NODE_VOTES);
	gsock_set_free(set);

	/* After a success nothing is left of it. */
	ASSERT_EQ(gsock_node_get(ctx, &rec), 0);
	EXPECT_STREQ(gsock_error_text(ctx), "");
	EXPECT_EQ(gsock_error_attr(ctx), 0);
	EXPECT_EQ(gsock_rec_cmd(rec), GSOCK_CMD_NODE_GET);
	EXPECT_EQ(gsock_rec_num(rec, GSOCK_A_NODE_FAMILY), gsock_family());
	EXPECT_EQ(gsock_rec_has(rec, GSOCK_A_PEER_NODE), 0);
	EXPECT_EQ(gsock_rec_num(rec, GSOCK_A_PEER_NODE), 0);
	EXPECT_STREQ(gsock_rec_str(rec, GSOCK_A_PEER_NODE), "");
	gsock_ctx_free(ctx);
	/* Records outlive the context. */
	EXPECT_NE(gsock_rec_num(rec, GSOCK_A_NODE_ID), 0);
	gsock_rec_free(rec);
	gsock_rec_free(NULL);
}

TEST(monitor)
{
	struct pollfd p = { .events = POLLIN };
	struct gsock_rec *rec;
	struct gsock_mon *mon;
	int fd, cmd, ret;

	ASSERT_EQ(gsock_mon_new(&mon), 0);
	EXPECT_EQ(gsock_mon_next(mon, &rec), -EAGAIN);
	p.fd = gsock_mon_fd(mon);
	fd = member("watched");
	ASSERT_GE(fd, 0);
	do {
		ASSERT_EQ(poll(&p, 1, DEADLINE_MS), 1);
		ret = gsock_mon_next(mon, &rec);
		if (ret == -EAGAIN)
			continue;
		ASSERT_EQ(ret, 0);
		cmd = gsock_rec_cmd(rec);
		if (cmd == GSOCK_CMD_GROUP_NTF)
			EXPECT_STREQ(gsock_rec_str(rec, GSOCK_A_GROUP_NAME),
				     "watched");
		gsock_rec_free(rec);
	} while (ret || cmd != GSOCK_CMD_GROUP_NTF);
	gsock_mon_free(mon);
	close(fd);
}

TEST_HARNESS_MAIN
