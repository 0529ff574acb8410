// SPDX-License-Identifier: GPL-2.0
/* Options of level SOL_GROUP. */
#include <linux/uaccess.h>
#include <linux/slab.h>
#include "group.h"

#define GSK_EVENTS_ALL (BIT(GROUP_EV_VIEW) | BIT(GROUP_EV_SUSPENDED) | \
			BIT(GROUP_EV_RESUMED) | BIT(GROUP_EV_EVICTED))
#define GSK_ORDERS_ALL (2 * BIT(GROUP_ORDER_SAFE) - 1)

static int gsk_set_order(struct gsk_sock *gsk, int val)
{
	if (val < 0 || val > GROUP_ORDER_SAFE)
		return -EINVAL;
	/* A sender reads it without a lock. */
	WRITE_ONCE(gsk->order, val);
	return 0;
}

static int gsk_set_int(struct gsk_sock *gsk, int opt, int val)
{
	int err = 0;

	spin_lock_bh(&gsk->gn->lock);
	switch (opt) {
	case GROUP_ORDER:
		err = gsk_set_order(gsk, val);
		break;
	case GROUP_EVENTS:
		if (val & ~GSK_EVENTS_ALL)
			err = -EINVAL;
		else
			gsk->events = val;
		break;
	case GROUP_LOOPBACK:
	case GROUP_INFO:
		if (val != 0 && val != 1)
			err = -EINVAL;
		else if (opt == GROUP_INFO)
			/* A reader looks at it without a lock. */
			WRITE_ONCE(gsk->info, val);
		else
			gsk->loopback = val;
		break;
	default:
		err = -ENOPROTOOPT;
	}
	if (!err)
		gsk_group_unwanted(gsk);
	spin_unlock_bh(&gsk->gn->lock);
	gsk_group_wake_flush(gsk->gn);
	return err;
}

static int gsk_set_props(struct gsk_sock *gsk, sockptr_t val, unsigned int len)
{
	struct group_props p;
	struct gpe_props props;

	if (len != sizeof(p))
		return -EINVAL;
	if (copy_from_sockptr(&p, val, sizeof(p)))
		return -EFAULT;
	if (p.pad || p.order > GROUP_ORDER_SAFE || p.msg_max > GROUP_MSG_MAX ||
	    (p.orders & ~GSK_ORDERS_ALL))
		return -EINVAL;
	props.order = p.order;
	props.orders = p.orders;
	props.msg_max = p.msg_max;
	if (p.orders && !(p.orders & BIT(gpe_props_level(&props))))
		return -EINVAL;
	if (gsk->bound)
		return -EISCONN;
	gsk->props = props;
	if (p.order)
		WRITE_ONCE(gsk->order, p.order);
	return 0;
}

/**
 * gsk_setsockopt() - options of level SOL_GROUP
 * @sock: the socket
 * @level: SOL_GROUP
 * @opt: GROUP_*
 * @val: from a program
 * @len: bytes of it
 *
 * Return: 0 or a negative errno as uapi/linux/group.h lists them.
 */
int gsk_setsockopt(struct socket *sock, int level, int opt, sockptr_t val,
		   unsigned int len)
{
	struct gsk_sock *gsk = gsk_sk(sock->sk);
	int num, err;

	if (level != SOL_GROUP)
		return -ENOPROTOOPT;
	lock_sock(sock->sk);
	if (opt == GROUP_PROPS)
		err = gsk_set_props(gsk, val, len);
	else if (opt < GROUP_EVENTS || opt > GROUP_INFO)
		err = -ENOPROTOOPT;
	else if (len != sizeof(num))
		err = -EINVAL;
	else if (copy_from_sockptr(&num, val, sizeof(num)))
		err = -EFAULT;
	else
		err = gsk_set_int(gsk, opt, num);
	release_sock(sock->sk);
	return err;
}

static u32 gsk_state(const struct gsk_sock *gsk)
{
	/* Pairs with smp_store_release() in gsk_bind(). */
	if (!smp_load_acquire(&gsk->bound))
		return GROUP_ST_UNBOUND;
	if (gsk->gone)
		return gsk->why == GPE_WHY_OVERRUN ? GROUP_ST_EVICTED :
						     GROUP_ST_LEFT;
	if (gsk->leaving)
		return GROUP_ST_LEAVING;
	if (gsk->suspended)
		return GROUP_ST_SUSPENDED;
	return gsk->joined ? GROUP_ST_JOINED : GROUP_ST_JOINING;
}

static int gsk_get_status(struct gsk_sock *gsk, char __user *val, int len)
{
	struct group_status st = {};

	if (len < sizeof(st))
		return -EINVAL;
	spin_lock_bh(&gsk->gn->lock);
	st.state = gsk_state(gsk);
	st.error = -gsk->error;
	st.queued = gsk->queued;
	st.queued_bytes = gsk->queued_bytes;
	st.limit_bytes = gsk->limit;
	st.sent = atomic64_read(&gsk->sent);
	st.received = gsk->received;
	spin_unlock_bh(&gsk->gn->lock);
	return copy_to_user(val, &st, sizeof(st)) ? -EFAULT : sizeof(st);
}

static int gsk_get_props(struct gsk_sock *gsk, char __user *val, int len)
{
	struct group_props p = {
		.order = gsk->props.order,
		.orders = gsk->props.orders,
		.msg_max = gsk->props.msg_max,
	};

	if (len < sizeof(p))
		return -EINVAL;
	return copy_to_user(val, &p, sizeof(p)) ? -EFAULT : sizeof(p);
}

/**
 * gsk_own_node() - id of the node, as in the member's own address
 * @gsk: a bound socket; gn->lock not held
 *
 * Return: 0 before its first view.
 */
u32 gsk_own_node(const struct gsk_sock *gsk)
{
	u32 node;

	spin_lock_bh(&gsk->gn->lock);
	node = gsk->self.node;
	spin_unlock_bh(&gsk->gn->lock);
	return node;
}

static int gsk_put_view(struct gsk_sock *gsk, const struct gpe_view *view,
			char __user *val, int len)
{
	struct group_view head = {
		.id = { view->id.epoch, view->id.seq },
		.members = view->n,
	};
	u32 node = gsk_own_node(gsk), i;
	int used = sizeof(head);

	for (i = 0; i < view->n; i++) {
		const struct gpe_member *m = &view->m[i];
		struct group_member line = {
			.node = m->addr.node,
			.port = m->addr.port,
			.inc = m->addr.inc,
			.rank = i,
			.change = m->change,
		};

		if (line.port == gsk->port && line.node == node)
			head.rank = i;
		if (used + (int)sizeof(line) > len)
			continue;
		if (copy_to_user(val + used, &line, sizeof(line)))
			return -EFAULT;
		used += sizeof(line);
	}
	return copy_to_user(val, &head, sizeof(head)) ? -EFAULT : used;
}

static int gsk_get_view(struct gsk_sock *gsk, char __user *val, int len)
{
	struct gpe_view *view;
	int ret;

	if (len < sizeof(struct group_view))
		return -EINVAL;
	spin_lock_bh(&gsk->gn->lock);
	view = gsk->view;
	if (view)
		gpe_view_get(view);
	spin_unlock_bh(&gsk->gn->lock);
	if (!view)
		return -ENOTCONN;
	ret = gsk_put_view(gsk, view, val, len);
	gpe_view_put(view);
	return ret;
}

static int gsk_get_int(struct gsk_sock *gsk, int opt, char __user *val,
		       int len)
{
	int num;

	switch (opt) {
	case GROUP_EVENTS:
		num = gsk->events;
		break;
	case GROUP_ORDER:
		num = gsk->order;
		if (num == GPE_GROUPS_OWN)
			num = gpe_props_level(&gsk->props);
		break;
	case GROUP_LOOPBACK:
		num = gsk->loopback;
		break;
	case GROUP_INFO:
		num = gsk->info;
		break;
	default:
		return -ENOPROTOOPT;
	}
	if (len < sizeof(num))
		return -EINVAL;
	return copy_to_user(val, &num, sizeof(num)) ? -EFAULT : sizeof(num);
}

/**
 * gsk_getsockopt() - options of level SOL_GROUP
 * @sock: the socket
 * @level: SOL_GROUP
 * @opt: GROUP_*
 * @val: where to
 * @optlen: room, and then what was used
 *
 * Return: 0 or a negative errno as uapi/linux/group.h lists them.
 */
int gsk_getsockopt(struct socket *sock, int level, int opt, char __user *val,
		   int __user *optlen)
{
	struct gsk_sock *gsk = gsk_sk(sock->sk);
	int len, ret;

	if (level != SOL_GROUP)
		return -ENOPROTOOPT;
	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	switch (opt) {
	case GROUP_VIEW:
		ret = gsk_get_view(gsk, val, len);
		break;
	case GROUP_PROPS:
		lock_sock(sock->sk);
		ret = gsk_get_props(gsk, val, len);
		release_sock(sock->sk);
		break;
	case GROUP_STATUS:
		ret = gsk_get_status(gsk, val, len);
		break;
	default:
		lock_sock(sock->sk);
		ret = gsk_get_int(gsk, opt, val, len);
		release_sock(sock->sk);
	}
	if (ret < 0)
		return ret;
	return put_user(ret, optlen) ? -EFAULT : 0;
}
