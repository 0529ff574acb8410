// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Socket helpers: open, join, send, options. What is read is in gsock_rx.c.
 * Nothing here needs netlink.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "gsock.h"

/* Where the module shows the family number that it was loaded with. */
#define FAMILY_FILE "/sys/module/gsock/parameters/family"

/**
 * gsock_family() - number of the address family in use
 *
 * Asks the module each time, as it may be loaded with another number. In a
 * container without /sys gsock_node_get() tells it too (GSOCK_A_NODE_FAMILY).
 *
 * Return: the number; -EAFNOSUPPORT when the module is not loaded; AF_GROUP
 * when /sys cannot be read.
 */
int gsock_family(void)
{
	char buf[16];
	ssize_t n;
	int saved = errno, fd = open(FAMILY_FILE, O_RDONLY | O_CLOEXEC);
	long num;

	if (fd < 0) {
		/* No module, or just no /sys? */
		num = access("/sys/module", F_OK) ? AF_GROUP : -EAFNOSUPPORT;
		errno = saved;
		return num;
	}
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	errno = saved;
	if (n <= 0)
		return AF_GROUP;
	buf[n] = 0;
	num = strtol(buf, NULL, 10);
	return num > 0 && num < 256 ? num : AF_GROUP;
}

/**
 * gsock_open() - a new group socket, not yet in a group
 * @flags: 0 or a mask of SOCK_CLOEXEC and SOCK_NONBLOCK
 *
 * Return: a file descriptor, to be closed by the caller; -EAFNOSUPPORT when
 * the module is not loaded; else -errno of socket(2).
 */
int gsock_open(int flags)
{
	int family = gsock_family(), saved = errno, fd;

	if (family < 0)
		return family;
	fd = socket(family, SOCK_SEQPACKET | flags, 0);
	if (fd < 0)
		fd = -errno;
	errno = saved;
	return fd;
}

static int sock_family(int fd)
{
	socklen_t len = sizeof(int);
	int family;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len))
		return -errno;
	return family;
}

/**
 * gsock_join() - join a group by its name
 * @fd: a socket of gsock_open()
 * @name: 1 to 63 bytes in the range 0x21 to 0x7e, without '/'
 *
 * Returns at once; the first view event, or POLLOUT, says that the join is
 * done. Set events, properties and so on before.
 *
 * Return: 0; -EINVAL (a bad name, or joined already), -ENAMETOOLONG, and what
 * else <linux/group.h> lists for bind.
 */
int gsock_join(int fd, const char *name)
{
	struct sockaddr_group a = { .sgr_kind = GROUP_ADDR_NAME };
	size_t len = strlen(name);
	int saved = errno, ret = sock_family(fd);

	if (ret < 0)
		goto out;
	a.sgr_family = ret;
	ret = -ENAMETOOLONG;
	if (len > GROUP_NAME_MAX)
		goto out;
	memcpy(a.sgr_name, name, len);
	ret = bind(fd, (struct sockaddr *)&a, sizeof(a)) ? -errno : 0;
out:
	errno = saved;
	return ret;
}

/**
 * gsock_leave() - leave the group
 * @fd: a socket that has joined
 *
 * What was sent before is delivered first, and what is queued can be read;
 * after it gsock_recv() returns GSOCK_END. Closing leaves as well.
 *
 * Return: 0; -ENOTCONN before gsock_join().
 */
int gsock_leave(int fd)
{
	int saved = errno, ret = shutdown(fd, SHUT_WR) ? -errno : 0;

	errno = saved;
	return ret;
}

/**
 * gsock_self() - a socket's own address as a member
 * @fd: a socket that has joined
 * @addr: filled in; node and incarnation change when the node joins its
 *	cluster anew
 *
 * Return: 0 or -errno of getsockname(2).
 */
int gsock_self(int fd, struct sockaddr_group *addr)
{
	socklen_t len = sizeof(*addr);
	int saved = errno, ret;

	memset(addr, 0, sizeof(*addr));
	ret = getsockname(fd, (struct sockaddr *)addr, &len) ? -errno : 0;
	errno = saved;
	return ret;
}

/* ---- options ---- */

static int set_opt(int fd, int opt, const void *val, socklen_t len)
{
	int saved = errno;
	int ret = setsockopt(fd, SOL_GROUP, opt, val, len) ? -errno : 0;

	errno = saved;
	return ret;
}

static int get_opt(int fd, int opt, void *val, socklen_t len)
{
	int saved = errno;
	int ret = getsockopt(fd, SOL_GROUP, opt, val, &len) ? -errno :
							      (int)len;

	errno = saved;
	return ret;
}

/**
 * gsock_set_events() - choose the events to be read
 * @fd: the socket
 * @mask: 1 << GROUP_EV_*, added up; 0: messages only
 *
 * Return: 0; -EINVAL for a bit that stands for no event.
 */
int gsock_set_events(int fd, unsigned int mask)
{
	return set_opt(fd, GROUP_EVENTS, &mask, sizeof(mask));
}

/**
 * gsock_set_order() - choose the order of messages sent without one of their
 *	own
 * @fd: the socket
 * @order: GROUP_ORDER_*
 *
 * Return: 0 or -EINVAL.
 */
int gsock_set_order(int fd, int order)
{
	return set_opt(fd, GROUP_ORDER, &order, sizeof(order));
}

/**
 * gsock_set_loopback() - read one's own messages or not
 * @fd: the socket
 * @on: 0 or 1; 1 is the default
 *
 * Return: 0 or -EINVAL.
 */
int gsock_set_loopback(int fd, int on)
{
	return set_opt(fd, GROUP_LOOPBACK, &on, sizeof(on));
}

/**
 * gsock_set_info() - ask for gsock_rx_info() with every message
 * @fd: the socket
 * @on: 0 or 1; 0 is the default
 *
 * Return: 0 or -EINVAL.
 */
int gsock_set_info(int fd, int on)
{
	return set_opt(fd, GROUP_INFO, &on, sizeof(on));
}

/**
 * gsock_set_props() - what the group must promise; before gsock_join()
 * @fd: the socket
 * @props: 0 in a field leaves it open
 *
 * Return: 0; -EINVAL, -EISCONN (joined already).
 */
int gsock_set_props(int fd, const struct group_props *props)
{
	return set_opt(fd, GROUP_PROPS, props, sizeof(*props));
}

/**
 * gsock_get_props() - the properties set or, once joined, the group's
 * @fd: the socket
 * @props: filled in
 *
 * Return: 0 or -errno.
 */
int gsock_get_props(int fd, struct group_props *props)
{
	int ret = get_opt(fd, GROUP_PROPS, props, sizeof(*props));

	return ret < 0 ? ret : 0;
}

/**
 * gsock_get_status() - state and figures of a socket
 * @fd: the socket
 * @status: filled in; see struct group_status for the units
 *
 * Return: 0 or -errno.
 */
int gsock_get_status(int fd, struct group_status *status)
{
	int ret = get_opt(fd, GROUP_STATUS, status, sizeof(*status));

	return ret < 0 ? ret : 0;
}

/**
 * gsock_get_view() - the view that this socket has read last
 * @fd: the socket
 * @view: filled in; @view->members is the whole number
 * @members: filled in rank order as far as there is room; may be NULL
 * @room: entries that fit into @members
 *
 * Return: how many entries were filled in; -ENOTCONN before the first view
 * has been read past; -ENOMEM.
 */
int gsock_get_view(int fd, struct group_view *view,
		   struct group_member *members, unsigned int room)
{
	size_t len = sizeof(*view);
	char *buf;
	int ret;

	if (members)
		len += (size_t)room * sizeof(*members);
	if (len > INT32_MAX)
		return -EINVAL;
	buf = malloc(len);
	if (!buf)
		return -ENOMEM;
	ret = get_opt(fd, GROUP_VIEW, buf, len);
	if (ret >= (int)sizeof(*view)) {
		memcpy(view, buf, sizeof(*view));
		ret -= sizeof(*view);
		if (ret)
			memcpy(members, buf + sizeof(*view), ret);
		ret /= (int)sizeof(*members);
	}
	free(buf);
	return ret;
}

/* ---- send ---- */

static void add_cmsg(struct msghdr *msg, int type, const void *val,
		     size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)((char *)msg->msg_control +
					       msg->msg_controllen);

	c->cmsg_level = SOL_GROUP;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), val, len);
	msg->msg_controllen += CMSG_SPACE(len);
}

static int send_msg(int fd, const struct sockaddr_group *to,
		    const struct group_view_id *view, const void *data,
		    size_t len, int order, int flags)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(*view))];
	} ctl = {};
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = {
		.msg_name = (void *)to,
		.msg_namelen = to ? sizeof(*to) : 0,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &ctl,
	};
	int saved = errno, ret;

	if (order != GSOCK_ORDER_DEFAULT)
		add_cmsg(&msg, GROUP_CMSG_ORDER, &order, sizeof(order));
	if (view)
		add_cmsg(&msg, GROUP_CMSG_VIEW, view, sizeof(*view));
	if (!msg.msg_controllen)
		msg.msg_control = NULL;
	ret = sendmsg(fd, &msg, flags | MSG_NOSIGNAL) < 0 ? -errno : 0;
	errno = saved;
	return ret;
}

/**
 * gsock_send() - send one message to all members of the current view
 * @fd: a socket that has joined
 * @data: the message; the caller's again after the call
 * @len: its length in bytes, 0 to GROUP_MSG_MAX
 * @order: GROUP_ORDER_*, or GSOCK_ORDER_DEFAULT
 * @flags: 0 or MSG_DONTWAIT
 *
 * A message goes whole or not at all. There is no SIGPIPE.
 *
 * Return: 0; -EAGAIN (poll for POLLOUT), -EMSGSIZE, -EPIPE (left, evicted),
 * and what else <linux/group.h> lists for send.
 */
int gsock_send(int fd, const void *data, size_t len, int order, int flags)
{
	return send_msg(fd, NULL, NULL, data, len, order, flags);
}

/**
 * gsock_send_to() - send one message to one member
 * @fd: a socket that has joined
 * @member: its address, as gsock_rx_sender() gives it
 * @data: the message
 * @len: its length in bytes
 * @order: as for gsock_send()
 * @flags: as for gsock_send()
 *
 * Return: as gsock_send(); -EHOSTUNREACH when no member of the current view
 * has this address.
 */
int gsock_send_to(int fd, const struct sockaddr_group *member,
		  const void *data, size_t len, int order, int flags)
{
	return send_msg(fd, member, NULL, data, len, order, flags);
}

/**
 * gsock_send_in() - send one message, in this view or not at all
 * @fd: a socket that has joined
 * @view: the view that must be the current one
 * @data: the message
 * @len: its length in bytes
 * @order: as for gsock_send()
 * @flags: as for gsock_send()
 *
 * Return: as gsock_send(); -ESTALE when @view is not current any more.
 */
int gsock_send_in(int fd, const struct group_view_id *view, const void *data,
		  size_t len, int order, int flags)
{
	return send_msg(fd, NULL, view, data, len, order, flags);
}
