/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * AF_GROUP: virtually synchronous process groups behind a socket.
 *
 * This header is the manual of the socket interface. Every structure has a
 * fixed layout without holes, the same for 32-bit and 64-bit programs. Fields
 * called pad must be zero on the way in and are zero on the way out.
 *
 * A first program:
 *
 *	int fd = socket(AF_GROUP, SOCK_SEQPACKET, 0);
 *	struct sockaddr_group a = {
 *		.sgr_family = AF_GROUP, .sgr_name = "chat"
 *	};
 *	bind(fd, (struct sockaddr *)&a, sizeof(a));	// join
 *	send(fd, "hello", 5, 0);	// to every member, this one included
 *	recv(fd, buf, sizeof(buf), 0);	// what every other member sees too
 */
#ifndef _UAPI_LINUX_GROUP_H
#define _UAPI_LINUX_GROUP_H

#include <linux/types.h>
#include <linux/socket.h>

/*
 * The family's number. No number is reserved for this family; the module has
 * a parameter (family=N) for hosts where 18 is taken, and the number in use is
 * in the reply to GSOCK_CMD_NODE_GET (group_netlink.h).
 */
#ifndef AF_GROUP
#define AF_GROUP	18
#define PF_GROUP	AF_GROUP
#endif

/* Level of the socket options and control messages below. */
#define SOL_GROUP	318

/* Longest group name in bytes, without the closing zero byte. */
#define GROUP_NAME_MAX	63

/* Largest message in bytes unless the group's properties say less. */
#define GROUP_MSG_MAX	1048576

/* What a sockaddr_group names. */
#define GROUP_ADDR_NAME		0	/* a group: name only */
#define GROUP_ADDR_MEMBER	1	/* one member: name, node, inc, port */

/**
 * struct sockaddr_group - address of a group or of one member
 * @sgr_family: AF_GROUP
 * @sgr_kind: GROUP_ADDR_NAME or GROUP_ADDR_MEMBER
 * @sgr_pad: 0
 * @sgr_node: node id of the member, 0 for a group
 * @sgr_inc: incarnation of that node, 0 for a group
 * @sgr_port: number of the socket on that node, 0 for a group
 * @sgr_pad2: 0
 * @sgr_name: group name: 1 to 63 bytes in the range 0x21 to 0x7e without '/',
 *	then zero bytes up to the end of the field
 *
 * The address length given to a call is the size of this structure.
 */
struct sockaddr_group {
	__kernel_sa_family_t sgr_family;
	__u8	sgr_kind;
	__u8	sgr_pad;
	__u32	sgr_node;
	__aligned_u64 sgr_inc;
	__u32	sgr_port;
	__u32	sgr_pad2;
	char	sgr_name[GROUP_NAME_MAX + 1];
};

/**
 * struct group_view_id - number of a group view
 * @epoch: epoch of the node view in which it was agreed, never 0
 * @seq: number of the change in that epoch's directory log
 *
 * Grows from view to view of one chain: compare epoch first, then seq.
 */
struct group_view_id {
	__aligned_u64 epoch;
	__aligned_u64 seq;
};

/* Order of a message, chosen per message or per socket. */
#define GROUP_ORDER_NONE	0	/* as it arrives */
#define GROUP_ORDER_FIFO	1	/* as its sender sent them */
#define GROUP_ORDER_CAUSAL	2	/* what its sender had seen comes first */
#define GROUP_ORDER_TOTAL	3	/* one order at all members */
#define GROUP_ORDER_SAFE	4	/* total, and all nodes have it first */

/*
 * Socket options of level SOL_GROUP. "int" is 4 bytes.
 *
 * GROUP_EVENTS	  get/set, int: mask of 1 << GROUP_EV_*; events whose bit is
 *		  set are read from the socket in their place between the
 *		  messages. Default 0: only messages. Acts on what is queued
 *		  and not yet read, too.
 * GROUP_ORDER	  get/set, int: order of messages sent without a control
 *		  message that says otherwise. Until it is set, messages
 *		  have the group's default order (GROUP_PROPS), and get says
 *		  GROUP_ORDER_TOTAL or what GROUP_PROPS asked for.
 * GROUP_LOOPBACK get/set, int 0 or 1: read one's own messages. Default 1.
 * GROUP_INFO	  get/set, int 0 or 1: recvmsg adds GROUP_CMSG_INFO. Default 0.
 * GROUP_VIEW	  get: struct group_view, then as many struct group_member as
 *		  fit, in rank order: the view that this socket has read last
 *		  (whether or not it asks for view events). ENOTCONN before
 *		  the first view has been read past.
 * GROUP_PROPS	  get/set: struct group_props; set only before bind.
 * GROUP_STATUS	  get: struct group_status.
 */
#define GROUP_EVENTS	1
#define GROUP_ORDER	2
#define GROUP_LOOPBACK	3
#define GROUP_INFO	4
#define GROUP_VIEW	5
#define GROUP_PROPS	6
#define GROUP_STATUS	7

/*
 * Control messages of level SOL_GROUP.
 *
 * GROUP_CMSG_INFO   recvmsg: struct group_msg_info (option GROUP_INFO)
 * GROUP_CMSG_ORDER  sendmsg: int, order of this message
 * GROUP_CMSG_VIEW   sendmsg: struct group_view_id; the message goes out only
 *		     if this is the current view of the sender's node, else
 *		     ESTALE
 */
#define GROUP_CMSG_INFO		1
#define GROUP_CMSG_ORDER	2
#define GROUP_CMSG_VIEW		3

/**
 * struct group_msg_info - where a message stands
 * @view: the view it was stamped with and is delivered in
 * @position: counts the messages to all of this view from 1, in this member's
 *	delivery order; 0 for a message to this member alone
 * @lamport: Lamport's clock: greater than that of every message, in any group,
 *	that its sender's node had sent or delivered before it
 * @order: GROUP_ORDER_* of the message
 * @flags: 0 (none are defined yet)
 */
struct group_msg_info {
	struct group_view_id view;
	__aligned_u64 position;
	__aligned_u64 lamport;
	__u32	order;
	__u32	flags;
};

/**
 * struct group_member - one line of a view's list
 * @node: node id
 * @port: number of the socket on that node
 * @inc: incarnation of the node
 * @rank: place in the view, 0 is the most senior; 0 for one who left
 * @change: GROUP_STAYED, GROUP_JOINED or GROUP_LEFT
 * @reason: GROUP_WHY_* for one who left, else 0
 */
struct group_member {
	__u32	node;
	__u32	port;
	__aligned_u64 inc;
	__u32	rank;
	__u16	change;
	__u16	reason;
};

/* In msg_flags: the record is an event. (SCTP's flag of that name.) */
#ifndef MSG_NOTIFICATION
#define MSG_NOTIFICATION 0x8000
#endif

#define GROUP_STAYED	0
#define GROUP_JOINED	1
#define GROUP_LEFT	2

/* Why a member left. */
#define GROUP_WHY_NONE		0
#define GROUP_WHY_LEAVE		1	/* closed, shut down, or its process died */
#define GROUP_WHY_NODE_DOWN	2	/* its node crashed or was cut off */
#define GROUP_WHY_NODE_LEFT	3	/* its node said goodbye */
#define GROUP_WHY_OVERRUN	4	/* evicted: read too slowly, so that
					 * twice its limit, or more than 32 MiB
					 * of member lists of views, wait for it
					 */

/* Kinds of events. */
#define GROUP_EV_VIEW		0	/* a new view */
#define GROUP_EV_SUSPENDED	1	/* this node has no quorum: nothing moves */
#define GROUP_EV_RESUMED	2	/* the node is back in a primary view */
#define GROUP_EV_EVICTED	3	/* this member is out; last record */

/**
 * struct group_event - head of every event record
 * @type: GROUP_EV_*
 * @len: bytes of the whole record, list included
 * @view: the view the event opens (GROUP_EV_VIEW) or falls into
 * @members: GROUP_EV_VIEW: how many members the view has
 * @left: GROUP_EV_VIEW: how many left since the view before
 * @joined: GROUP_EV_VIEW: how many of the members are new
 * @rank: GROUP_EV_VIEW: this member's own rank; 0, with its own entry among
 *	those who left, in the last view of a member that leaves
 * @reason: GROUP_EV_EVICTED: GROUP_WHY_*, else 0
 * @pad: 0
 *
 * An event is read like a message, with MSG_NOTIFICATION in msg_flags and no
 * sender address. Behind the head of GROUP_EV_VIEW stand @members entries of
 * struct group_member in rank order, then @left entries for those who left.
 * A buffer that takes the head but not the whole list gets as many whole
 * entries as fit, and MSG_TRUNC. A buffer smaller than the head: EMSGSIZE, and
 * the record stays in the queue.
 */
struct group_event {
	__u32	type;
	__u32	len;
	struct group_view_id view;
	__u32	members;
	__u32	left;
	__u32	joined;
	__u32	rank;
	__u32	reason;
	__u32	pad;
};

/**
 * struct group_view - head of what GROUP_VIEW returns
 * @id: the view's number
 * @members: how many members it has
 * @rank: this member's own rank
 */
struct group_view {
	struct group_view_id id;
	__u32	members;
	__u32	rank;
};

/**
 * struct group_props - what a group promises
 * @order: default order of the group, GROUP_ORDER_*; 0 stands for
 *	GROUP_ORDER_TOTAL, or where @orders leaves that out, for
 *	GROUP_ORDER_NONE
 * @orders: mask of 1 << GROUP_ORDER_* that may be used, @order among them; 0:
 *	all
 * @msg_max: largest message in bytes, 1 to GROUP_MSG_MAX; 0: GROUP_MSG_MAX
 * @pad: 0
 *
 * Who creates a group by joining it first sets them; who joins later and asks
 * for other values is refused with EPROTOTYPE. A socket that sets none takes
 * the group as it is.
 */
struct group_props {
	__u32	order;
	__u32	orders;
	__u32	msg_max;
	__u32	pad;
};

/* States of a socket. */
#define GROUP_ST_UNBOUND	0	/* bind has not been called */
#define GROUP_ST_JOINING	1	/* waiting for the first view */
#define GROUP_ST_JOINED		2
#define GROUP_ST_SUSPENDED	3	/* its node has no quorum */
#define GROUP_ST_LEAVING	4	/* shut down, waiting for the last view */
#define GROUP_ST_LEFT		5	/* out; queued records can be read */
#define GROUP_ST_EVICTED	6	/* out by force; @error says why */

/**
 * struct group_status - state and figures of a socket
 * @state: GROUP_ST_*
 * @error: errno that later calls get, 0 if none
 * @queued: records waiting to be read
 * @pad: 0
 * @queued_bytes: memory charged for them, in bytes
 * @limit_bytes: charge from which senders are held back
 * @sent: messages sent
 * @received: messages read
 */
struct group_status {
	__u32	state;
	__s32	error;
	__u32	queued;
	__u32	pad;
	__aligned_u64 queued_bytes;
	__aligned_u64 limit_bytes;
	__aligned_u64 sent;
	__aligned_u64 received;
};

/*
 * Errors of each call, besides those that every socket has (EBADF, EFAULT,
 * ENOTSOCK).
 *
 * socket
 *   ESOCKTNOSUPPORT  a type other than SOCK_SEQPACKET
 *   EPROTONOSUPPORT  a protocol other than 0
 *   ENOMEM, ENFILE, EMFILE
 *
 * bind (join). Returns at once; the first view event, or POLLOUT, says that
 * the join is done. A refusal that comes later is reported by poll (POLLERR)
 * and by every later call.
 *   EINVAL	  wrong address length; a kind other than GROUP_ADDR_NAME;
 *		  pad, node, inc or port not 0; an empty name; a byte that
 *		  names must not have; bytes behind the zero byte; or the
 *		  socket is bound already
 *   EAFNOSUPPORT a family other than AF_GROUP
 *   ENAMETOOLONG no zero byte within the field
 *   ENOSPC	  the namespace has as many members as it may have
 *		  (net.group.max_members), or, late, the group or the table of
 *		  groups is full
 *   EPROTOTYPE	  the group has other properties (comes late)
 *   ENOMEM	  also when the memory cgroup has no room for what the socket
 *		  may have in its queue, see SO_RCVBUF
 *
 * connect, listen, accept, socketpair
 *   EOPNOTSUPP	  clients of a group do not exist yet
 *
 * send, sendto, sendmsg. Success: every member of the current view that stays
 * gets the whole message, or this member is told otherwise by an event.
 *   ENOTCONN	  bind has not been called
 *   EMSGSIZE	  longer than the largest message of the group
 *   EAGAIN	  non-blocking, or the time of SO_SNDTIMEO is over: a receiver
 *		  has no room, the window is full, the join is not done, the
 *		  node is changing its view or suspended. POLLOUT follows when
 *		  a message of this size can be sent.
 *   EDEADLK	  blocking, and only this socket's own full receive queue is
 *		  in the way, with no other thread waiting to receive. A local
 *		  member that reads more slowly is waited for.
 *   ESTALE	  GROUP_CMSG_VIEW is not the current view
 *   EOPNOTSUPP	  MSG_OOB
 *   EINVAL	  the order or a control message is malformed, unknown or of
 *		  another level than SOL_GROUP, or an order that the group does
 *		  not allow; wrong address length
 *   EAFNOSUPPORT the address is of another family
 *   EISCONN	  the address names another group than the one joined
 *   EHOSTUNREACH the address names no member of the current view
 *   EPIPE	  left, evicted or shut down (with SIGPIPE unless MSG_NOSIGNAL)
 *   EINTR	  a signal came before the message had its number
 *   ENOMEM	  also when the memory cgroup has no room for the message
 *   any errno of a refused join
 *
 * recv, recvfrom, recvmsg. Every record has MSG_EOR in msg_flags. 0 bytes with
 * MSG_EOR is an empty message; 0 without it is the end: the member left.
 * A message longer than the buffer is cut, with MSG_TRUNC in msg_flags. Flags:
 * MSG_TRUNC asks for the length of the whole record, MSG_PEEK leaves it in the
 * queue, MSG_WAITALL changes nothing: a call returns one record.
 *   ENOTCONN	  bind has not been called
 *   EAGAIN	  non-blocking, or the time of SO_RCVTIMEO is over
 *   EMSGSIZE	  an event, and the buffer is smaller than its head
 *   ECONNRESET	  evicted, once everything queued has been read
 *   EINTR
 *   EOPNOTSUPP	  MSG_OOB, MSG_ERRQUEUE
 *   any errno of a refused join
 *
 * getsockname	  the member's address; before bind, family only.
 * getpeername	  EOPNOTSUPP
 *
 * shutdown
 *   SHUT_WR, SHUT_RDWR: leave; what was sent before is delivered first, what
 *   is queued can be read. SHUT_RD alone: EOPNOTSUPP. ENOTCONN before bind.
 *
 * close	  leaves when the last descriptor of the socket is closed: a
 *		  forked child's copy, one in flight in a unix socket
 *		  (SCM_RIGHTS), one in an io_uring ring, a core dump being
 *		  written and a thread that cannot be killed keep the member in.
 *
 * poll
 *   POLLIN	  a record can be read, or the end
 *   POLLOUT	  the last message that was refused with EAGAIN can be sent
 *		  now; off while joining, suspended, and after shutdown
 *   POLLHUP	  not a member: not bound, or out
 *   POLLERR	  with POLLHUP: the join was refused, or evicted
 *
 * ioctl
 *   SIOCINQ	  int: bytes of the record that is read next
 *   SIOCOUTQ	  int: bytes sent and not yet stable, or not yet read by a
 *		  member of this node
 *   ENOTTY	  anything else
 *
 * setsockopt of level SOL_SOCKET
 *   SO_RCVBUF	  what senders may have in this member's queue before they are
 *		  held back; never less than the largest message that bind
 *		  was given (GROUP_PROPS), or GROUP_MSG_MAX, and 4 KiB. It is
 *		  charged to the memory cgroup in bind. A change after bind
 *		  takes effect with the next read, for what senders are granted
 *		  from then on.
 *   SO_SNDBUF	  bytes that may be sent and not yet stable. One message may
 *		  always be, whatever its size.
 *   SO_RCVTIMEO, SO_SNDTIMEO  as for every socket
 *
 * setsockopt, getsockopt of level SOL_GROUP
 *   ENOPROTOOPT  no such option
 *   EINVAL	  wrong length, value out of range, properties that contradict
 *		  each other
 *   EISCONN	  GROUP_PROPS after bind
 *   ENOTCONN	  GROUP_VIEW before the first view
 */

#endif /* _UAPI_LINUX_GROUP_H */
