// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading from a group socket: one record a call, taken apart. The pointers
 * that the gsock_rx_* functions return are good until the next gsock_recv()
 * into the same object.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "gsock.h"

struct gsock_rx {
	size_t room;
	size_t len;
	enum gsock_kind kind;
	int truncated;
	int has_info;
	struct sockaddr_group sender;
	struct group_msg_info info;
	struct group_event event;
	char *buf;
};

/**
 * gsock_rx_new() - room to receive into
 * @rx: set to the new object; free it by gsock_rx_free()
 * @room: bytes of the longest message or event taken whole; 0:
 *	GROUP_MSG_MAX, which takes every message, and views of 40,000 members
 *
 * Return: 0 or -ENOMEM.
 */
int gsock_rx_new(struct gsock_rx **rx, size_t room)
{
	if (!room)
		room = GROUP_MSG_MAX;
	if (room < sizeof(struct group_event))
		room = sizeof(struct group_event);
	*rx = calloc(1, sizeof(**rx));
	if (!*rx)
		return -ENOMEM;
	(*rx)->buf = malloc(room);
	if (!(*rx)->buf) {
		free(*rx);
		*rx = NULL;
		return -ENOMEM;
	}
	(*rx)->room = room;
	return 0;
}

/**
 * gsock_rx_free() - free the object and what was read into it
 * @rx: may be NULL
 */
void gsock_rx_free(struct gsock_rx *rx)
{
	if (!rx)
		return;
	free(rx->buf);
	free(rx);
}

static void take_info(struct gsock_rx *rx, struct msghdr *msg)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_GROUP ||
		    c->cmsg_type != GROUP_CMSG_INFO ||
		    c->cmsg_len < CMSG_LEN(sizeof(rx->info)))
			continue;
		memcpy(&rx->info, CMSG_DATA(c), sizeof(rx->info));
		rx->has_info = 1;
	}
}

/**
 * gsock_recv() - read the next message or event
 * @fd: a socket that has joined
 * @rx: what was read; of its former content nothing remains
 * @flags: 0, or a mask of MSG_DONTWAIT and MSG_PEEK
 *
 * Return: GSOCK_MESSAGE, GSOCK_EVENT or GSOCK_END (0); -EAGAIN, -EINTR,
 * -ENOTCONN (not joined), -ECONNRESET (evicted, everything has been read), or
 * the errno with which the join was refused.
 */
int gsock_recv(int fd, struct gsock_rx *rx, int flags)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct group_msg_info)) + 128];
	} ctl;
	struct iovec iov = { rx->buf, rx->room };
	struct msghdr msg = {
		.msg_name = &rx->sender,
		.msg_namelen = sizeof(rx->sender),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &ctl,
		.msg_controllen = sizeof(ctl),
	};
	int saved = errno;
	ssize_t n;

	memset(&rx->sender, 0, sizeof(rx->sender));
	rx->has_info = 0;
	rx->len = 0;
	rx->truncated = 0;
	rx->kind = GSOCK_END;
	n = recvmsg(fd, &msg, flags & ~MSG_TRUNC);
	if (n < 0) {
		n = -errno;
		errno = saved;
		return n;
	}
	rx->len = n;
	rx->truncated = !!(msg.msg_flags & MSG_TRUNC);
	if (!n && !(msg.msg_flags & MSG_EOR))
		return GSOCK_END;
	if (!(msg.msg_flags & MSG_NOTIFICATION)) {
		take_info(rx, &msg);
		rx->kind = GSOCK_MESSAGE;
		return rx->kind;
	}
	if (rx->len < sizeof(rx->event))
		return -EPROTO;
	memcpy(&rx->event, rx->buf, sizeof(rx->event));
	rx->kind = GSOCK_EVENT;
	return rx->kind;
}

/**
 * gsock_rx_truncated() - was the record longer than the room?
 * @rx: what was read
 *
 * Return: 1 if so: the rest of the message, or of the list of members, is
 * lost; else 0.
 */
int gsock_rx_truncated(const struct gsock_rx *rx)
{
	return rx->truncated;
}

/**
 * gsock_rx_data() - the bytes of a message
 * @rx: what was read
 * @len: set to their number
 *
 * Return: the bytes, not ended by a zero; NULL when it is no message.
 */
const void *gsock_rx_data(const struct gsock_rx *rx, size_t *len)
{
	*len = rx->kind == GSOCK_MESSAGE ? rx->len : 0;
	return rx->kind == GSOCK_MESSAGE ? rx->buf : NULL;
}

/**
 * gsock_rx_sender() - who sent a message
 * @rx: what was read
 *
 * Return: the member's address; NULL when it is no message.
 */
const struct sockaddr_group *gsock_rx_sender(const struct gsock_rx *rx)
{
	return rx->kind == GSOCK_MESSAGE ? &rx->sender : NULL;
}

/**
 * gsock_rx_info() - view, position and order of a message
 * @rx: what was read
 *
 * Return: the information; NULL when it is no message, or when
 * gsock_set_info() has not asked for it.
 */
const struct group_msg_info *gsock_rx_info(const struct gsock_rx *rx)
{
	return rx->kind == GSOCK_MESSAGE && rx->has_info ? &rx->info : NULL;
}

/**
 * gsock_rx_event() - the head of an event
 * @rx: what was read
 *
 * Return: the head; NULL when it is no event.
 */
const struct group_event *gsock_rx_event(const struct gsock_rx *rx)
{
	return rx->kind == GSOCK_EVENT ? &rx->event : NULL;
}

/* Entries @from to @to of a view's list, as far as they were read. */
static const struct group_member *rx_list(const struct gsock_rx *rx,
					  size_t from, size_t to,
					  unsigned int *n)
{
	const char *list = rx->buf + sizeof(rx->event);
	size_t have;

	*n = 0;
	if (rx->kind != GSOCK_EVENT || rx->event.type != GROUP_EV_VIEW)
		return NULL;
	have = (rx->len - sizeof(rx->event)) / sizeof(struct group_member);
	if (to > have)
		to = have;
	if (from > to)
		from = to;
	*n = to - from;
	return (const struct group_member *)list + from;
}

/**
 * gsock_rx_members() - the members of a view, in rank order
 * @rx: what was read
 * @n: set to how many entries there are; fewer than the event's own figure
 *	when gsock_rx_truncated()
 *
 * Return: the entries; NULL when it is no view.
 */
const struct group_member *gsock_rx_members(const struct gsock_rx *rx,
					    unsigned int *n)
{
	return rx_list(rx, 0, rx->event.members, n);
}

/**
 * gsock_rx_left() - who left since the view before, and why
 * @rx: what was read
 * @n: set to how many entries there are
 *
 * Return: the entries; NULL when it is no view.
 */
const struct group_member *gsock_rx_left(const struct gsock_rx *rx,
					 unsigned int *n)
{
	size_t members = rx->event.members;

	return rx_list(rx, members, members + rx->event.left, n);
}

/* ---- words for numbers ---- */

static const char *const orders[] = {
	[GROUP_ORDER_NONE] = "none",
	[GROUP_ORDER_FIFO] = "fifo",
	[GROUP_ORDER_CAUSAL] = "causal",
	[GROUP_ORDER_TOTAL] = "total",
	[GROUP_ORDER_SAFE] = "safe",
};

static const char *const whys[] = {
	[GROUP_WHY_NONE] = "none",
	[GROUP_WHY_LEAVE] = "leave",
	[GROUP_WHY_NODE_DOWN] = "node down",
	[GROUP_WHY_NODE_LEFT] = "node left",
	[GROUP_WHY_OVERRUN] = "overrun",
};

static const char *const states[] = {
	[GROUP_ST_UNBOUND] = "unbound",
	[GROUP_ST_JOINING] = "joining",
	[GROUP_ST_JOINED] = "joined",
	[GROUP_ST_SUSPENDED] = "suspended",
	[GROUP_ST_LEAVING] = "leaving",
	[GROUP_ST_LEFT] = "left",
	[GROUP_ST_EVICTED] = "evicted",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *word(const char *const *words, size_t n, int i)
{
	return i >= 0 && (size_t)i < n ? words[i] : "unknown";
}

/**
 * gsock_order_name() - the word for an order
 * @order: GROUP_ORDER_*
 *
 * Return: a constant, "unknown" for what is no order.
 */
const char *gsock_order_name(int order)
{
	return word(orders, COUNT(orders), order);
}

/**
 * gsock_order_of() - the order that a word stands for
 * @name: as gsock_order_name() gives it
 *
 * Return: GROUP_ORDER_* or -EINVAL.
 */
int gsock_order_of(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(orders); i++)
		if (!strcmp(orders[i], name))
			return i;
	return -EINVAL;
}

/**
 * gsock_why_name() - why a member left, in words
 * @why: GROUP_WHY_*
 *
 * Return: a constant, "unknown" for what is no reason.
 */
const char *gsock_why_name(int why)
{
	return word(whys, COUNT(whys), why);
}

/**
 * gsock_state_name() - the word for a socket's state
 * @state: GROUP_ST_*
 *
 * Return: a constant, "unknown" for what is no state.
 */
const char *gsock_state_name(int state)
{
	return word(states, COUNT(states), state);
}
