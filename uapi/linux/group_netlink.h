/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * AF_GROUP: configuration and inspection by generic netlink.
 *
 * The family acts on the caller's network namespace, which is one node. Every
 * refusal has a text and, where one is at fault, names the attribute. Looking
 * needs no privilege; changing needs CAP_NET_ADMIN in the user namespace that
 * owns the network namespace (EPERM).
 *
 * Numbers are native u32 or u64; addresses are in network byte order, 4 bytes
 * for IPv4, 16 for IPv6; ports are in host byte order.
 */
#ifndef _UAPI_LINUX_GROUP_NETLINK_H
#define _UAPI_LINUX_GROUP_NETLINK_H

#define GSOCK_GENL_NAME		"gsock"
#define GSOCK_GENL_VERSION	1
/* Multicast group of the notifications, those commands that end in NTF. */
#define GSOCK_MCGRP_EVENTS	"events"

/* UDP port of a bearer or a peer when none is given. */
#define GSOCK_PORT_DEFAULT	7018

/**
 * enum gsock_cmd - commands
 * @GSOCK_CMD_NODE_GET: reply: GSOCK_A_NODE_*, of this node and its view
 * @GSOCK_CMD_NODE_SET: any of ID, CLUSTER, VOTES, EXPECTED_VOTES, PARTITION,
 *	HEARTBEAT_MS, DETECT_MS. All or nothing. Another id or cluster name
 *	makes it another node: it leaves and joins anew.
 * @GSOCK_CMD_BEARER_ADD: ADDR, PORT (default GSOCK_PORT_DEFAULT). EEXIST,
 *	EADDRINUSE, EADDRNOTAVAIL, ENOSPC (4 bearers).
 * @GSOCK_CMD_BEARER_DEL: ADDR, PORT. ENOENT. Without its last bearer a node
 *	says goodbye, leaves its cluster and is a cluster of its own.
 * @GSOCK_CMD_BEARER_GET: dump: ADDR, PORT
 * @GSOCK_CMD_PEER_ADD: ADDR, PORT: where another node listens. EEXIST, ENOSPC
 *	(64 peers), EINVAL (an address of this node's bearers).
 * @GSOCK_CMD_PEER_DEL: ADDR, PORT. ENOENT.
 * @GSOCK_CMD_PEER_GET: dump: GSOCK_A_PEER_*
 * @GSOCK_CMD_GROUP_GET: GROUP_NAME: that group, ENOENT; dump: all groups of
 *	the directory. GSOCK_A_GROUP_*
 * @GSOCK_CMD_MEMBER_GET: dump, with GROUP_NAME: its members in rank order,
 *	GSOCK_A_MEMBER_*
 * @GSOCK_CMD_COUNTERS_GET: reply: COUNTER nests
 * @GSOCK_CMD_NODE_NTF: as the reply to NODE_GET, when state or view changed
 * @GSOCK_CMD_PEER_NTF: as a line of PEER_GET, when it went up or down
 * @GSOCK_CMD_GROUP_NTF: as a line of GROUP_GET, when a group with local
 *	members has a new view
 */
enum gsock_cmd {
	GSOCK_CMD_UNSPEC,
	GSOCK_CMD_NODE_GET,
	GSOCK_CMD_NODE_SET,
	GSOCK_CMD_BEARER_ADD,
	GSOCK_CMD_BEARER_DEL,
	GSOCK_CMD_BEARER_GET,
	GSOCK_CMD_PEER_ADD,
	GSOCK_CMD_PEER_DEL,
	GSOCK_CMD_PEER_GET,
	GSOCK_CMD_GROUP_GET,
	GSOCK_CMD_MEMBER_GET,
	GSOCK_CMD_COUNTERS_GET,
	GSOCK_CMD_NODE_NTF,
	GSOCK_CMD_PEER_NTF,
	GSOCK_CMD_GROUP_NTF,
	__GSOCK_CMD_MAX,
	GSOCK_CMD_MAX = __GSOCK_CMD_MAX - 1
};

/* States of a node, GSOCK_A_NODE_STATE. */
enum gsock_node_state {
	GSOCK_NODE_FRESH,	/* in no view, looking for a cluster */
	GSOCK_NODE_NORMAL,
	GSOCK_NODE_CHANGING,	/* the node view is changing */
	GSOCK_NODE_SUSPENDED,	/* no quorum */
	GSOCK_NODE_STOPPED
};

/*
 * What nodes without a quorum do, GSOCK_A_NODE_PARTITION. NONE holds where all
 * nodes of a view have it: then no votes are expected (EXPECTED_DECIDED is 0),
 * and of two parts that meet again the one with fewer votes yields: its members
 * are suspended and come back in the other. Set on a node that has no quorum,
 * it lets that node go on.
 */
enum gsock_partition {
	GSOCK_PARTITION_PRIMARY,	/* suspend their groups (default) */
	GSOCK_PARTITION_NONE		/* go on at once, as a cluster */
};

enum gsock_attr {
	GSOCK_A_UNSPEC,
	GSOCK_A_PAD,
	/* node */
	GSOCK_A_NODE_ID,		/* u32, 1 to 2147483647 */
	GSOCK_A_NODE_INC,		/* u64, incarnation */
	GSOCK_A_NODE_CLUSTER,		/* string, 1 to 63 bytes */
	GSOCK_A_NODE_STATE,		/* u32, enum gsock_node_state */
	GSOCK_A_NODE_WHY,		/* string: why it waits, may be empty */
	GSOCK_A_NODE_EPOCH,		/* u64, 0: in no view */
	GSOCK_A_NODE_QUORATE,		/* u32, 0 or 1 */
	GSOCK_A_NODE_VOTES,		/* u32, 0 to 16 */
	GSOCK_A_NODE_EXPECTED_VOTES,	/* u32, 0 to 1024, 0: 1 + peers */
	GSOCK_A_NODE_EXPECTED_DECIDED,	/* u32, as decided with the view, 0:
					 * none are, or there is no view
					 */
	GSOCK_A_NODE_HEARTBEAT_MS,	/* u32, 10 to 10000 */
	GSOCK_A_NODE_DETECT_MS,		/* u32, 30 to 60000, >= 3 heartbeats */
	GSOCK_A_NODE_FAMILY,		/* u32, number of AF_GROUP */
	GSOCK_A_NODE_GROUPS,		/* u32, in the directory */
	GSOCK_A_NODE_BALLOTS,		/* u64, started here */
	GSOCK_A_NODE_VIEW_CHANGES,	/* u64 */
	GSOCK_A_NODE_VIEW,		/* nest, one each node in rank order:
					 * NODE_ID, NODE_INC, NODE_VOTES
					 */
	/* bearer and peer */
	GSOCK_A_ADDR,			/* binary, 4 or 16 bytes */
	GSOCK_A_PORT,			/* u32, 1 to 65535 */
	GSOCK_A_PEER_PATH,		/* u32 */
	GSOCK_A_PEER_NODE,		/* u32, 0: never heard */
	GSOCK_A_PEER_INC,		/* u64 */
	GSOCK_A_PEER_UP,		/* u32, 0 or 1 */
	GSOCK_A_PEER_HEARD_MS,		/* u64, since it was last heard */
	GSOCK_A_PEER_RTT_US,		/* u64, 0: unknown */
	GSOCK_A_PEER_MTU,		/* u32, largest datagram, bytes */
	GSOCK_A_PEER_TX_PACKETS,	/* u64 */
	GSOCK_A_PEER_TX_BYTES,		/* u64 */
	GSOCK_A_PEER_TX_DROPS,		/* u64: queue full or no route */
	GSOCK_A_PEER_RX_PACKETS,	/* u64 */
	GSOCK_A_PEER_RX_BYTES,		/* u64 */
	/* group */
	GSOCK_A_GROUP_NAME,		/* string */
	GSOCK_A_GROUP_ID,		/* u64 */
	GSOCK_A_GROUP_EPOCH,		/* u64, view id, first half */
	GSOCK_A_GROUP_SEQ,		/* u64, view id, second half */
	GSOCK_A_GROUP_MEMBERS,		/* u32 */
	GSOCK_A_GROUP_LOCALS,		/* u32, sockets of this node */
	GSOCK_A_GROUP_ORDER,		/* u32, GROUP_ORDER_* */
	GSOCK_A_GROUP_MSG_MAX,		/* u32, bytes */
	GSOCK_A_GROUP_BACKLOG,		/* u32, messages held for order */
	GSOCK_A_GROUP_QUEUED,		/* u32, records of the slowest reader */
	GSOCK_A_GROUP_QUEUED_BYTES,	/* u64 */
	GSOCK_A_GROUP_DELIVERED,	/* u64, messages */
	GSOCK_A_GROUP_SENT,		/* u64, messages */
	/* member */
	GSOCK_A_MEMBER_NODE,		/* u32 */
	GSOCK_A_MEMBER_INC,		/* u64 */
	GSOCK_A_MEMBER_PORT,		/* u32 */
	GSOCK_A_MEMBER_RANK,		/* u32 */
	GSOCK_A_MEMBER_LOCAL,		/* u32, 0 or 1 */
	/* counters */
	GSOCK_A_COUNTER,		/* nest, many */
	GSOCK_A_COUNTER_NAME,		/* string */
	GSOCK_A_COUNTER_VALUE,		/* u64 */
	GSOCK_A_NODE_EPOCH_BEFORE,	/* u64, 0: NODE_EPOCH was formed */
	GSOCK_A_NODE_PARTITION,		/* u32, enum gsock_partition */
	__GSOCK_A_MAX,
	GSOCK_A_MAX = __GSOCK_A_MAX - 1
};

#endif /* _UAPI_LINUX_GROUP_NETLINK_H */
