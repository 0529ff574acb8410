// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink, byte by byte: requests with wrong, missing and unknown
 * attributes. Each refusal has its errno and a text, and names the attribute,
 * by offset or as the one that is missing; none changes anything.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <linux/genetlink.h>
#include <linux/group_netlink.h>
#include <linux/netlink.h>
#include "sockets.h"
#include "harness.h"

#ifndef NLMSGERR_ATTR_MISS_TYPE
#define NLMSGERR_ATTR_MISS_TYPE 5
#endif

/* A request under construction, and what came back. */
struct req {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	char attrs[4096];
};

struct answer {
	int err;		/* 0, or negative errno */
	char text[256];		/* of the kernel */
	int bad;		/* type of the attribute at fault, 0: none */
	int missing;		/* type of the attribute that is missing */
	int replies;		/* messages that are not the status */
};

static int family;

static int nl_open(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };
	int one = 1, fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)))
		return -1;
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	/* 6.1 and 6.12 check the header of dumps only when asked to. */
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	set_timeo(fd, SO_RCVTIMEO, DEADLINE_MS);
	return fd;
}

static void begin(struct req *r, int type, int cmd, int flags)
{
	memset(r, 0, sizeof(*r));
	r->nlh.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	r->nlh.nlmsg_type = type;
	r->nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	r->nlh.nlmsg_seq = 7;
	r->genl.cmd = cmd;
	r->genl.version = 1;
}

static void put(struct req *r, int type, const void *data, int len)
{
	struct nlattr *a = (void *)((char *)r + r->nlh.nlmsg_len);

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	memcpy((char *)a + NLA_HDRLEN, data, len);
	r->nlh.nlmsg_len += NLA_ALIGN(a->nla_len);
}

static void put_u32(struct req *r, int type, uint32_t val)
{
	put(r, type, &val, sizeof(val));
}

/* The attributes of an error: text, which is at fault, which is missing. */
static void read_error(const struct nlmsghdr *n, const struct req *r,
		       struct answer *out)
{
	const struct nlmsgerr *e = NLMSG_DATA(n);
	int off = NLMSG_HDRLEN + sizeof(*e);

	out->err = e->error;
	if (!(n->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(n->nlmsg_flags & NLM_F_CAPPED))
		off += NLMSG_ALIGN(e->msg.nlmsg_len - NLMSG_HDRLEN);
	while (off + NLA_HDRLEN <= (int)n->nlmsg_len) {
		const struct nlattr *a = (void *)((char *)n + off);
		const void *data = (char *)a + NLA_HDRLEN;
		uint32_t at;

		if (a->nla_type == NLMSGERR_ATTR_MSG) {
			snprintf(out->text, sizeof(out->text), "%s",
				 (const char *)data);
		} else if (a->nla_type == NLMSGERR_ATTR_OFFS) {
			memcpy(&at, data, sizeof(at));
			out->bad = ((const struct nlattr *)
				    ((const char *)r + at))->nla_type;
		} else if (a->nla_type == NLMSGERR_ATTR_MISS_TYPE) {
			memcpy(&at, data, sizeof(at));
			out->missing = at;
		}
		off += NLA_ALIGN(a->nla_len);
	}
}

/* A dump ends with its status in NLMSG_DONE. */
static void read_done(const struct nlmsghdr *n, struct answer *out)
{
	const char *end = (const char *)n + n->nlmsg_len;
	const struct nlattr *a = (void *)((char *)NLMSG_DATA(n) + 4);

	memcpy(&out->err, NLMSG_DATA(n), sizeof(out->err));
	if (!(n->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	for (; (const char *)a + NLA_HDRLEN <= end;
	     a = (void *)((char *)a + NLA_ALIGN(a->nla_len))) {
		const void *data = (char *)a + NLA_HDRLEN;
		uint32_t type;

		if (a->nla_type == NLMSGERR_ATTR_MSG) {
			snprintf(out->text, sizeof(out->text), "%s",
				 (const char *)data);
		} else if (a->nla_type == NLMSGERR_ATTR_MISS_TYPE) {
			memcpy(&type, data, sizeof(type));
			out->missing = type;
		}
	}
}

static struct answer ask(struct req *r)
{
	struct answer out = { .err = -ETIMEDOUT };
	char buf[65536] __attribute__((aligned(8)));
	int fd = nl_open();
	ssize_t len;

	if (fd < 0 || send(fd, r, r->nlh.nlmsg_len, 0) < 0)
		goto end;
	while ((len = recv(fd, buf, sizeof(buf), 0)) > 0) {
		struct nlmsghdr *n = (void *)buf;

		for (; NLMSG_OK(n, len); n = NLMSG_NEXT(n, len)) {
			if (n->nlmsg_type == NLMSG_ERROR)
				read_error(n, r, &out);
			else if (n->nlmsg_type == NLMSG_DONE)
				read_done(n, &out);
			else
				out.replies++;
			if (n->nlmsg_type == NLMSG_ERROR ||
			    n->nlmsg_type == NLMSG_DONE)
				goto end;
		}
	}
end:
	close(fd);
	return out;
}

/* Number of the family, or -1. */
static int resolve(void)
{
	char buf[8192] __attribute__((aligned(8)));
	struct req r;
	int fd = nl_open(), id = -1;
	struct nlattr *a;
	ssize_t len;

	begin(&r, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	put(&r, CTRL_ATTR_FAMILY_NAME, GSOCK_GENL_NAME,
	    sizeof(GSOCK_GENL_NAME));
	send(fd, &r, r.nlh.nlmsg_len, 0);
	len = recv(fd, buf, sizeof(buf), 0);
	close(fd);
	for (a = (void *)(buf + NLMSG_LENGTH(GENL_HDRLEN));
	     (char *)a + NLA_HDRLEN <= buf + len && a->nla_len;
	     a = (void *)((char *)a + NLA_ALIGN(a->nla_len)))
		if (a->nla_type == CTRL_ATTR_FAMILY_ID)
			id = *(uint16_t *)((char *)a + NLA_HDRLEN);
	return id;
}

FIXTURE(nl) { int unused; };

FIXTURE_SETUP(nl)
{
	family = resolve();
	ASSERT_LT(0, family);
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
}

FIXTURE_TEARDOWN(nl)
{
}

/* Refused with @e, and a text; @b is at fault, or 0. */
#define REFUSED(r, e, b) do {						\
	struct answer got = ask(r);					\
	EXPECT_EQ(-(e), got.err);					\
	EXPECT_EQ(b, got.bad);						\
	EXPECT_NE(0, strlen(got.text));					\
	EXPECT_EQ(0, got.replies);					\
} while (0)

#define MISSING(r, m) do {						\
	struct answer got = ask(r);					\
	EXPECT_EQ(-EINVAL, got.err);					\
	EXPECT_EQ(m, got.missing);					\
	EXPECT_NE(0, strlen(got.text));					\
	EXPECT_EQ(0, got.replies);					\
} while (0)

TEST_F(nl, node_settings_out_of_range)
{
	static const struct {
		int attr;
		uint32_t val;
	} bad[] = {
		{ GSOCK_A_NODE_ID, 0 },
		{ GSOCK_A_NODE_ID, 0x80000000 },
		{ GSOCK_A_NODE_VOTES, 17 },
		{ GSOCK_A_NODE_EXPECTED_VOTES, 1025 },
		{ GSOCK_A_NODE_HEARTBEAT_MS, 9 },
		{ GSOCK_A_NODE_HEARTBEAT_MS, 10001 },
		{ GSOCK_A_NODE_DETECT_MS, 299 },
		{ GSOCK_A_NODE_DETECT_MS, 60001 },
	};
	struct req r;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(&r, family, GSOCK_CMD_NODE_SET, 0);
		put_u32(&r, bad[i].attr, bad[i].val);
		REFUSED(&r, ERANGE, bad[i].attr);
	}
}

TEST_F(nl, heartbeat_too_slow_for_the_detection)
{
	struct req r;

	/* 300 ms of detection do not take heartbeats of 200 ms. */
	begin(&r, family, GSOCK_CMD_NODE_SET, 0);
	put_u32(&r, GSOCK_A_NODE_HEARTBEAT_MS, 200);
	REFUSED(&r, ERANGE, GSOCK_A_NODE_HEARTBEAT_MS);
	put_u32(&r, GSOCK_A_NODE_DETECT_MS, 600);
	EXPECT_EQ(0, ask(&r).err);
}

TEST_F(nl, wrong_cluster_names)
{
	static const char longest[65] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	struct req r;

	begin(&r, family, GSOCK_CMD_NODE_SET, 0);
	put(&r, GSOCK_A_NODE_CLUSTER, "", 1);
	REFUSED(&r, EINVAL, GSOCK_A_NODE_CLUSTER);
	begin(&r, family, GSOCK_CMD_NODE_SET, 0);
	put(&r, GSOCK_A_NODE_CLUSTER, "a b", 4);
	REFUSED(&r, EINVAL, GSOCK_A_NODE_CLUSTER);
	begin(&r, family, GSOCK_CMD_NODE_SET, 0);
	put(&r, GSOCK_A_NODE_CLUSTER, longest, sizeof(longest));
	REFUSED(&r, EINVAL, GSOCK_A_NODE_CLUSTER);
	/* Without its zero byte. */
	begin(&r, family, GSOCK_CMD_NODE_SET, 0);
	put(&r, GSOCK_A_NODE_CLUSTER, "abc", 3);
	REFUSED(&r, EINVAL, GSOCK_A_NODE_CLUSTER);
}

TEST_F(nl, addresses)
{
	static const int cmds[] = { GSOCK_CMD_BEARER_ADD, GSOCK_CMD_BEARER_DEL,
				    GSOCK_CMD_PEER_ADD, GSOCK_CMD_PEER_DEL };
	static const uint8_t v4[4] = { 127, 0, 0, 1 }, zero[16], six[6];
	struct req r;
	int i;

	for (i = 0; i < 4; i++) {
		begin(&r, family, cmds[i], 0);
		MISSING(&r, GSOCK_A_ADDR);
		put_u32(&r, GSOCK_A_PORT, 7018);
		MISSING(&r, GSOCK_A_ADDR);
		begin(&r, family, cmds[i], 0);
		put(&r, GSOCK_A_ADDR, six, 6);
		REFUSED(&r, EINVAL, GSOCK_A_ADDR);
		begin(&r, family, cmds[i], 0);
		put(&r, GSOCK_A_ADDR, zero, 17 - 1);
		REFUSED(&r, EINVAL, GSOCK_A_ADDR);
		begin(&r, family, cmds[i], 0);
		put(&r, GSOCK_A_ADDR, zero, 3);
		REFUSED(&r, ERANGE, GSOCK_A_ADDR);
		begin(&r, family, cmds[i], 0);
		put(&r, GSOCK_A_ADDR, v4, 4);
		put_u32(&r, GSOCK_A_PORT, 65536);
		REFUSED(&r, ERANGE, GSOCK_A_PORT);
		begin(&r, family, cmds[i], 0);
		put(&r, GSOCK_A_ADDR, v4, 4);
		put_u32(&r, GSOCK_A_PORT, 0);
		REFUSED(&r, ERANGE, GSOCK_A_PORT);
		/* Two bytes are no u32. */
		begin(&r, family, cmds[i], 0);
		put(&r, GSOCK_A_ADDR, v4, 4);
		put(&r, GSOCK_A_PORT, zero, 2);
		REFUSED(&r, EINVAL, GSOCK_A_PORT);
	}
}

TEST_F(nl, what_is_not_there)
{
	static const uint8_t v4[4] = { 127, 0, 0, 1 };
	struct answer got;
	struct req r;

	begin(&r, family, GSOCK_CMD_BEARER_DEL, 0);
	put(&r, GSOCK_A_ADDR, v4, 4);
	EXPECT_EQ(-ENOENT, ask(&r).err);
	EXPECT_NE(0, strlen(ask(&r).text));
	begin(&r, family, GSOCK_CMD_PEER_DEL, 0);
	put(&r, GSOCK_A_ADDR, v4, 4);
	EXPECT_EQ(-ENOENT, ask(&r).err);
	EXPECT_NE(0, strlen(ask(&r).text));
	begin(&r, family, GSOCK_CMD_GROUP_GET, 0);
	MISSING(&r, GSOCK_A_GROUP_NAME);
	put(&r, GSOCK_A_GROUP_NAME, "nobody", 7);
	REFUSED(&r, ENOENT, GSOCK_A_GROUP_NAME);
	begin(&r, family, GSOCK_CMD_MEMBER_GET, NLM_F_DUMP);
	/* 6.1 has room for the text alone in a dump's last message. */
	got = ask(&r);
	EXPECT_EQ(-EINVAL, got.err);
	EXPECT_TRUE(got.missing == GSOCK_A_GROUP_NAME ||
		    strstr(got.text, "GROUP_NAME"));
	put(&r, GSOCK_A_GROUP_NAME, "nobody", 7);
	got = ask(&r);
	EXPECT_EQ(-ENOENT, got.err);
	EXPECT_STREQ("no such group", got.text);
	EXPECT_EQ(0, got.replies);
	/* A dump is the only way to ask for members. */
	begin(&r, family, GSOCK_CMD_MEMBER_GET, 0);
	put(&r, GSOCK_A_GROUP_NAME, "nobody", 7);
	EXPECT_EQ(-EOPNOTSUPP, ask(&r).err);
	begin(&r, family, __GSOCK_CMD_MAX + 5, 0);
	EXPECT_EQ(-EOPNOTSUPP, ask(&r).err);
	begin(&r, family, GSOCK_CMD_NODE_NTF, 0);
	EXPECT_EQ(-EOPNOTSUPP, ask(&r).err);
}

/* An attribute of another command is refused, and named. */
TEST_F(nl, attributes_of_other_commands)
{
	static const struct {
		int cmd, flags, attr;
	} bad[] = {
		{ GSOCK_CMD_NODE_GET, 0, GSOCK_A_NODE_ID },
		{ GSOCK_CMD_NODE_SET, 0, GSOCK_A_NODE_EPOCH },
		{ GSOCK_CMD_NODE_SET, 0, GSOCK_A_PORT },
		{ GSOCK_CMD_BEARER_ADD, 0, GSOCK_A_NODE_ID },
		{ GSOCK_CMD_PEER_ADD, 0, GSOCK_A_PEER_PATH },
		{ GSOCK_CMD_BEARER_GET, NLM_F_DUMP, GSOCK_A_PORT },
		{ GSOCK_CMD_PEER_GET, NLM_F_DUMP, GSOCK_A_PORT },
		{ GSOCK_CMD_GROUP_GET, 0, GSOCK_A_GROUP_ID },
		{ GSOCK_CMD_MEMBER_GET, NLM_F_DUMP, GSOCK_A_MEMBER_RANK },
		{ GSOCK_CMD_COUNTERS_GET, 0, GSOCK_A_COUNTER },
		{ GSOCK_CMD_COUNTERS_GET, 0, GSOCK_A_PAD },
		{ GSOCK_CMD_NODE_SET, 0, GSOCK_A_MAX + 3 },
	};
	struct req r;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(&r, family, bad[i].cmd, bad[i].flags);
		put_u32(&r, bad[i].attr, 1);
		REFUSED(&r, EINVAL, bad[i].attr);
	}
}

/* Who is not the owner's root may look and not touch. */
TEST_F(nl, no_permission)
{
	static const int cmds[] = { GSOCK_CMD_NODE_SET, GSOCK_CMD_BEARER_ADD,
				    GSOCK_CMD_BEARER_DEL, GSOCK_CMD_PEER_ADD,
				    GSOCK_CMD_PEER_DEL };
	static const uint8_t v4[4] = { 127, 0, 0, 1 };
	struct answer got;
	struct req r;
	int i;

	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	for (i = 0; i < 5; i++) {
		begin(&r, family, cmds[i], 0);
		if (i)
			put(&r, GSOCK_A_ADDR, v4, 4);
		EXPECT_EQ(-EPERM, ask(&r).err);
	}
	begin(&r, family, GSOCK_CMD_NODE_GET, 0);
	got = ask(&r);
	EXPECT_EQ(0, got.err);
	EXPECT_EQ(1, got.replies);
	begin(&r, family, GSOCK_CMD_COUNTERS_GET, 0);
	EXPECT_EQ(0, ask(&r).err);
	/* In a user namespace of its own it may; and only there. */
	ASSERT_EQ(0, unshare(CLONE_NEWUSER));
	begin(&r, family, GSOCK_CMD_NODE_SET, 0);
	put_u32(&r, GSOCK_A_NODE_ID, 5);
	EXPECT_EQ(-EPERM, ask(&r).err);
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	EXPECT_EQ(0, ask(&r).err);
	ASSERT_EQ(0, ask(&r).err);
}

TEST_F(nl, nothing_changes_with_a_refusal)
{
	struct req r;
	struct answer got;
	int fd = join("same");
	struct sockaddr_group before, after;
	socklen_t len = sizeof(before);

	ASSERT_EQ(0, getsockname(fd, (struct sockaddr *)&before, &len));
	begin(&r, family, GSOCK_CMD_NODE_SET, 0);
	put_u32(&r, GSOCK_A_NODE_ID, 99);
	put_u32(&r, GSOCK_A_NODE_VOTES, 17);
	REFUSED(&r, ERANGE, GSOCK_A_NODE_VOTES);
	begin(&r, family, GSOCK_CMD_NODE_SET, 0);
	put_u32(&r, GSOCK_A_NODE_ID, 99);
	put(&r, GSOCK_A_NODE_CLUSTER, "a b", 4);
	REFUSED(&r, EINVAL, GSOCK_A_NODE_CLUSTER);
	ASSERT_EQ(0, getsockname(fd, (struct sockaddr *)&after, &len));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	begin(&r, family, GSOCK_CMD_GROUP_GET, NLM_F_DUMP);
	got = ask(&r);
	EXPECT_EQ(0, got.err);
	EXPECT_EQ(1, got.replies);
	close(fd);
}

TEST_HARNESS_MAIN
