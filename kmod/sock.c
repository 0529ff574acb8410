// SPDX-License-Identifier: GPL-2.0
/*
 * The family: making, binding, polling, shutting down and closing sockets.
 *
 * A socket is held by its file and, from bind to GPE_ACT_GONE, by the engine;
 * a closed socket whose leave is under way is an orphan that only the engine
 * knows. Its group holds no reference: it is unlinked before the last one
 * goes.
 */
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/termios.h>
#include "group.h"

int gsk_family = AF_GROUP;
module_param_named(family, gsk_family, int, 0444);
MODULE_PARM_DESC(family, "address family number, 18 by default");

static struct proto gsk_proto = {
	.name = "GROUP",
	.owner = THIS_MODULE,
	.obj_size = sizeof(struct gsk_sock),
};

/* ---- addresses ---- */

static bool gsk_name_ok(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (name[i] < 0x21 || name[i] > 0x7e || name[i] == '/')
			return false;
	return len > 0;
}

int gsk_addr_check(const struct sockaddr_group *addr, int len)
{
	size_t n;

	if (len < (int)sizeof(addr->sgr_family))
		return -EINVAL;
	if (addr->sgr_family != gsk_family)
		return -EAFNOSUPPORT;
	if (len != sizeof(*addr) || addr->sgr_pad || addr->sgr_pad2 ||
	    addr->sgr_kind > GROUP_ADDR_MEMBER)
		return -EINVAL;
	n = strnlen(addr->sgr_name, sizeof(addr->sgr_name));
	if (n == sizeof(addr->sgr_name))
		return -ENAMETOOLONG;
	if (!gsk_name_ok(addr->sgr_name, n) ||
	    memchr_inv(addr->sgr_name + n, 0, sizeof(addr->sgr_name) - n))
		return -EINVAL;
	if (addr->sgr_kind == GROUP_ADDR_NAME &&
	    (addr->sgr_node || addr->sgr_inc || addr->sgr_port))
		return -EINVAL;
	return 0;
}

void gsk_addr_fill(struct sockaddr_group *addr, const char *name,
		   const struct gpe_addr *member)
{
	memset(addr, 0, sizeof(*addr));
	addr->sgr_family = gsk_family;
	if (!name)
		return;
	addr->sgr_kind = GROUP_ADDR_MEMBER;
	addr->sgr_node = member->node;
	addr->sgr_inc = member->inc;
	addr->sgr_port = member->port;
	strscpy(addr->sgr_name, name, sizeof(addr->sgr_name));
}

static int gsk_bind(struct socket *sock, struct sockaddr *uaddr, int len)
{
	struct sockaddr_group *addr = (struct sockaddr_group *)uaddr;
	struct gsk_sock *gsk = gsk_sk(sock->sk);
	int err = gsk_addr_check(addr, len);

	if (err)
		return err;
	if (addr->sgr_kind != GROUP_ADDR_NAME)
		return -EINVAL;
	lock_sock(sock->sk);
	if (gsk->bound)
		err = -EINVAL;
	else if (gsk->leaving)
		err = -ESHUTDOWN;
	else
		err = gsk_group_join(gsk, addr->sgr_name);
	if (!err)
		/* Pairs with smp_load_acquire() in send and receive. */
		smp_store_release(&gsk->bound, true);
	release_sock(sock->sk);
	return err;
}

static int gsk_getname(struct socket *sock, struct sockaddr *uaddr, int peer)
{
	struct sockaddr_group *addr = (struct sockaddr_group *)uaddr;
	struct gsk_sock *gsk = gsk_sk(sock->sk);
	struct gpe_addr self;

	if (peer)
		return -EOPNOTSUPP;
	/* Pairs with smp_store_release() in gsk_bind(). */
	if (!smp_load_acquire(&gsk->bound)) {
		gsk_addr_fill(addr, NULL, NULL);
		return sizeof(*addr);
	}
	spin_lock_bh(&gsk->gn->lock);
	self = gsk->self;
	/* Before its first view, what the node is now. */
	if (!self.node && gsk->gn->node)
		gpe_self(gsk->gn->node, &self);
	self.port = gsk->port;
	spin_unlock_bh(&gsk->gn->lock);
	gsk_addr_fill(addr, gsk->grp->name, &self);
	return sizeof(*addr);
}

/* ---- poll ---- */

static __poll_t gsk_poll(struct file *file, struct socket *sock,
			 poll_table *wait)
{
	struct sock *sk = sock->sk;
	struct gsk_sock *gsk = gsk_sk(sk);
	__poll_t mask = 0;
	int charged;

	sock_poll_wait(file, sock, wait);
	poll_wait(file, &gsk->acct->wq, wait);
	/* Pairs with smp_store_release() in gsk_bind(). */
	if (!smp_load_acquire(&gsk->bound))
		return EPOLLOUT | EPOLLHUP;
	charged = atomic_read(&gsk->acct->bytes);
	spin_lock_bh(&gsk->gn->lock);
	if (gsk->grp && gsk_sock_next(gsk))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (gsk->gone) {
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLHUP | EPOLLRDHUP;
		if (gsk->error)
			mask |= EPOLLERR;
	} else if (gsk->joined && !gsk->suspended && !gsk->leaving &&
		   !gsk->refused && (!charged || charged < sk->sk_sndbuf)) {
		mask |= EPOLLOUT | EPOLLWRNORM;
	}
	spin_unlock_bh(&gsk->gn->lock);
	return mask;
}

static int gsk_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	struct gsk_sock *gsk = gsk_sk(sock->sk);
	struct gpe_rec *rec;
	int val = 0;

	switch (cmd) {
	case TIOCOUTQ:
		val = atomic_read(&gsk->acct->bytes);
		break;
	case FIONREAD:
		spin_lock_bh(&gsk->gn->lock);
		rec = gsk->grp ? gsk_sock_next(gsk) : NULL;
		if (rec)
			val = gsk_rec_cost(rec) - GPE_RECORD_COST;
		spin_unlock_bh(&gsk->gn->lock);
		break;
	default:
		return -ENOIOCTLCMD;
	}
	return put_user(val, (int __user *)arg);
}

/* ---- the end ---- */

static int gsk_shutdown(struct socket *sock, int how)
{
	struct gsk_sock *gsk = gsk_sk(sock->sk);

	if (how == SHUT_RD)
		return -EOPNOTSUPP;
	if (how != SHUT_WR && how != SHUT_RDWR)
		return -EINVAL;
	/* Pairs with smp_store_release() in gsk_bind(). */
	if (!smp_load_acquire(&gsk->bound))
		return -ENOTCONN;
	gsk_group_leave(gsk, false);
	return 0;
}

static void gsk_destruct(struct sock *sk)
{
	gsk_acct_put(gsk_sk(sk)->acct);
	gsk_count_destroyed(GSK_OBJ_SOCK);
}

static int gsk_release(struct socket *sock)
{
	struct sock *sk = sock->sk;

	if (!sk)
		return 0;
	sock_orphan(sk);
	sock->sk = NULL;
	if (gsk_sk(sk)->bound)
		gsk_group_leave(gsk_sk(sk), true);
	sock_put(sk);
	return 0;
}

static const struct proto_ops gsk_ops = {
	.family = PF_GROUP,
	.owner = THIS_MODULE,
	.release = gsk_release,
	.bind = gsk_bind,
	.connect = sock_no_connect,
	.socketpair = sock_no_socketpair,
	.accept = sock_no_accept,
	.getname = gsk_getname,
	.poll = gsk_poll,
	.ioctl = gsk_ioctl,
	.listen = sock_no_listen,
	.shutdown = gsk_shutdown,
	.setsockopt = gsk_setsockopt,
	.getsockopt = gsk_getsockopt,
	.sendmsg = gsk_sendmsg,
	.recvmsg = gsk_recvmsg,
	.mmap = sock_no_mmap,
};

static int gsk_create(struct net *net, struct socket *sock, int protocol,
		      int kern)
{
	struct gsk_acct *acct;
	struct gsk_sock *gsk;
	struct sock *sk;

	if (sock->type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	if (protocol)
		return -EPROTONOSUPPORT;
	acct = gsk_acct_new();
	if (!acct)
		return -ENOMEM;
	sk = sk_alloc(net, gsk_family, GFP_KERNEL, &gsk_proto, kern);
	if (!sk) {
		gsk_acct_put(acct);
		return -ENOMEM;
	}
	sock_init_data(sock, sk);
	sock->ops = &gsk_ops;
	sk->sk_destruct = gsk_destruct;
	gsk = gsk_sk(sk);
	gsk->gn = gsk_net(net);
	gsk->acct = acct;
	mutex_init(&gsk->rd_lock);
	gsk->order = GROUP_ORDER_TOTAL;
	gsk->loopback = true;
	INIT_LIST_HEAD(&gsk->in_grp);
	INIT_LIST_HEAD(&gsk->evict);
	INIT_LIST_HEAD(&gsk->ones);
	gsk_count_created(GSK_OBJ_SOCK);
	return 0;
}

static struct net_proto_family gsk_family_ops = {
	.create = gsk_create,
	.owner = THIS_MODULE,
};

int gsk_sock_init(void)
{
	int err = proto_register(&gsk_proto, 1);

	if (err)
		return err;
	gsk_family_ops.family = gsk_family;
	err = sock_register(&gsk_family_ops);
	if (err) {
		pr_err("gsock: address family %d is %s; load with family=N\n",
		       gsk_family, err == -EEXIST ? "taken" : "out of range");
		proto_unregister(&gsk_proto);
	}
	return err;
}

void gsk_sock_exit(void)
{
	sock_unregister(gsk_family);
	proto_unregister(&gsk_proto);
}
