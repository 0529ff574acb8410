// SPDX-License-Identifier: GPL-2.0
/*
 * The family: making, binding, polling, shutting down and closing sockets.
 *
 * A socket is held by its file and, from bind to GPE_ACT_GONE, by the engine;
 * a closed socket whose leave is under way is an orphan that only the engine
 * knows. Its group holds no reference: it is unlinked before the last one
 * goes.
 *
 * What a member may have in its queue is charged to the socket's memory
 * cgroup before any sender is told of it, in bind and, when SO_RCVBUF has
 * grown, in recvmsg; so delivery never has to ask.
 */
#include <linux/compat.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sizes.h>
#include <linux/termios.h>
#include "group.h"

int gsk_family = AF_GROUP;
module_param_named(family, gsk_family, int, 0444);
MODULE_PARM_DESC(family, "address family number, 18 by default");

static atomic_long_t gsk_memory_allocated;
static DEFINE_PER_CPU(int, gsk_memory_per_cpu_fw_alloc);
/* What is charged is a promise and seldom used: no limit but the cgroup's. */
static long gsk_sysctl_mem[3] = { LONG_MAX, LONG_MAX, LONG_MAX };
static int gsk_sysctl_rmem[3] = { PAGE_SIZE, PAGE_SIZE, PAGE_SIZE };

static struct proto gsk_proto = {
	.name = "GROUP",
	.owner = THIS_MODULE,
	.obj_size = sizeof(struct gsk_sock),
	.memory_allocated = &gsk_memory_allocated,
	.per_cpu_fw_alloc = &gsk_memory_per_cpu_fw_alloc,
	.sysctl_mem = gsk_sysctl_mem,
	.sysctl_rmem = gsk_sysctl_rmem,
	.sysctl_wmem = gsk_sysctl_rmem,
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

/**
 * gsk_addr_check() - is this a well-formed address?
 * @addr: from a program
 * @len: bytes of it
 *
 * Return: 0, -EINVAL, -ENAMETOOLONG or -EAFNOSUPPORT.
 */
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

/**
 * gsk_addr_fill() - the address of a member
 * @addr: out, filled to its last byte
 * @name: of the group; NULL: the family alone
 * @member: the member
 */
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

/* ---- memory ---- */

/**
 * gsk_sock_limit() - what a member's queue may hold before senders wait
 * @gsk: the socket
 *
 * Return: bytes: SO_RCVBUF, but never less than the largest message.
 */
u32 gsk_sock_limit(const struct gsk_sock *gsk)
{
	u32 msg_max = gsk->props.msg_max ? gsk->props.msg_max : GPE_MSG_MAX;
	u32 rcvbuf = min_t(u32, READ_ONCE(gsk->sk.sk_rcvbuf), SZ_1G);

	return max_t(u32, rcvbuf, msg_max + GPE_LIMIT_SLACK);
}

/**
 * gsk_sock_charge() - charge the memory behind a limit
 * @gsk: the socket, locked
 * @limit: bytes
 *
 * Never gives any back: what was granted under a higher limit may still come.
 *
 * Return: 0, or -ENOMEM with nothing changed.
 */
int gsk_sock_charge(struct gsk_sock *gsk, u32 limit)
{
	int more = PAGE_ALIGN(limit) - gsk->charged;

	if (more <= 0)
		return 0;
	if (!__sk_mem_schedule(&gsk->sk, more, SK_MEM_RECV))
		return -ENOMEM;
	sk_mem_charge(&gsk->sk, more);
	gsk->charged += more;
	return 0;
}

static void gsk_sock_uncharge(struct gsk_sock *gsk)
{
	sk_mem_uncharge(&gsk->sk, gsk->charged);
	gsk->charged = 0;
}

/* ---- bind ---- */

static int gsk_bind_locked(struct gsk_sock *gsk, const char *name)
{
	u32 limit = gsk_sock_limit(gsk);
	int err;

	if (gsk->bound)
		return -EINVAL;
	err = gsk_sock_charge(gsk, limit);
	if (err)
		return err;
	gsk->limit = limit;
	gsk->limit_max = limit;
	err = gsk_group_join(gsk, name);
	if (err)
		gsk_sock_uncharge(gsk);
	else
		/* Pairs with smp_load_acquire() in send and receive. */
		smp_store_release(&gsk->bound, true);
	return err;
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
	err = gsk_bind_locked(gsk, addr->sgr_name);
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

/* Wakes who waits for the engine, and who waits for the send buffer. */
static void gsk_write_space(struct sock *sk)
{
	struct gsk_acct *acct = gsk_sk(sk)->acct;
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLOUT | EPOLLWRNORM |
						      EPOLLWRBAND);
	sk_wake_async(sk, SOCK_WAKE_SPACE, POLL_OUT);
	rcu_read_unlock();
	if (wq_has_sleeper(&acct->wq))
		wake_up_interruptible_poll(&acct->wq, EPOLLOUT | EPOLLWRNORM);
}

/* Under gn->lock: would what was refused last go now? */
static bool gsk_writable(const struct gsk_sock *gsk)
{
	lockdep_assert_held(&gsk->gn->lock);
	return gsk->joined && !gsk->suspended && !gsk->leaving &&
	       !gsk->refused && gsk_send_room(gsk, READ_ONCE(gsk->want));
}

static __poll_t gsk_poll(struct file *file, struct socket *sock,
			 poll_table *wait)
{
	struct sock *sk = sock->sk;
	struct gsk_sock *gsk = gsk_sk(sk);
	__poll_t mask = 0;

	poll_wait(file, &gsk->acct->wq, wait);
	/* Last: its barrier stands between both queues and what follows. */
	sock_poll_wait(file, sock, wait);
	/* Pairs with smp_store_release() in gsk_bind(). */
	if (!smp_load_acquire(&gsk->bound))
		return EPOLLOUT | EPOLLHUP;
	spin_lock_bh(&gsk->gn->lock);
	if (gsk_queue_next(gsk))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (gsk->gone) {
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLHUP | EPOLLRDHUP;
		if (gsk->error)
			mask |= EPOLLERR;
	} else if (gsk_writable(gsk)) {
		mask |= EPOLLOUT | EPOLLWRNORM;
	}
	spin_unlock_bh(&gsk->gn->lock);
	return mask;
}

/* Bytes of the record that is to be read next. */
static int gsk_inq(struct gsk_sock *gsk)
{
	const struct gpe_view *view;
	struct gpe_rec *rec;
	int len = 0;

	spin_lock_bh(&gsk->gn->lock);
	rec = gsk_queue_next(gsk);
	if (rec && rec->type == GPE_REC_MSG) {
		len = gsk_rec_cost(rec) - GPE_RECORD_COST;
	} else if (rec) {
		len = sizeof(struct group_event);
		view = rec->type == GPE_REC_VIEW ? gsk_rec_view(rec) : NULL;
		/* The resumed event before a view is all head. */
		if (view && !(gsk_resumes_at(gsk, rec) &&
			      (gsk->events & BIT(GROUP_EV_RESUMED))))
			len += (view->n + view->n_left) *
			       sizeof(struct group_member);
	}
	spin_unlock_bh(&gsk->gn->lock);
	return len;
}

static int gsk_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	struct gsk_sock *gsk = gsk_sk(sock->sk);
	int val;

	switch (cmd) {
	case TIOCOUTQ:
		val = atomic_read(&gsk->acct->bytes);
		break;
	case FIONREAD:
		val = gsk_inq(gsk);
		break;
	default:
		return -ENOIOCTLCMD;
	}
	return put_user(val, (int __user *)arg);
}

#ifdef CONFIG_COMPAT
static int gsk_compat_ioctl(struct socket *sock, unsigned int cmd,
			    unsigned long arg)
{
	return gsk_ioctl(sock, cmd, (unsigned long)compat_ptr(arg));
}
#endif

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
	if (gsk_sk(sk)->bound) {
		gsk_group_leave(gsk_sk(sk), true);
		gsk_sock_uncharge(gsk_sk(sk));
	}
	/* SO_RESERVE_MEM, too. */
	sk_mem_reclaim_final(sk);
	sock_put(sk);
	return 0;
}

static struct proto_ops gsk_ops __ro_after_init = {
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
#ifdef CONFIG_COMPAT
	.compat_ioctl = gsk_compat_ioctl,
#endif
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
	sk->sk_write_space = gsk_write_space;
	gsk = gsk_sk(sk);
	gsk->gn = gsk_net(net);
	gsk->acct = acct;
	mutex_init(&gsk->rd_lock);
	gsk->order = GPE_GROUPS_OWN;
	gsk->loopback = true;
	INIT_LIST_HEAD(&gsk->in_grp);
	INIT_LIST_HEAD(&gsk->evict);
	INIT_LIST_HEAD(&gsk->orphan);
	INIT_LIST_HEAD(&gsk->ones);
	gsk_count_created(GSK_OBJ_SOCK);
	return 0;
}

static struct net_proto_family gsk_family_ops = {
	.create = gsk_create,
	.owner = THIS_MODULE,
};

/**
 * gsk_family_check() - is the parameter a number that a family can have?
 *
 * Asked before anything is done, since sock_register() takes a negative number
 * for an index.
 *
 * Return: 0 or -EINVAL.
 */
int gsk_family_check(void)
{
	if (gsk_family > AF_UNSPEC && gsk_family < AF_MAX)
		return 0;
	pr_err("gsock: address family %d is out of range: family=N is 1 to %d\n",
	       gsk_family, AF_MAX - 1);
	return -EINVAL;
}

/**
 * gsk_sock_init() - open the family to programs
 *
 * Return: 0, -ENOMEM, or -EBUSY when another family has the number. Not the
 * -EEXIST that sock_register() says then: modprobe would take it for "is
 * loaded already" and be content.
 */
int gsk_sock_init(void)
{
	int err = proto_register(&gsk_proto, 1);

	if (err)
		return err;
	gsk_family_ops.family = gsk_family;
	gsk_ops.family = gsk_family;
	err = sock_register(&gsk_family_ops);
	if (!err)
		return 0;
	pr_err("gsock: address family %d is taken; load with another family=N\n",
	       gsk_family);
	proto_unregister(&gsk_proto);
	return err == -EEXIST ? -EBUSY : err;
}

/**
 * gsk_sock_exit() - no more sockets; none is left, each holds the module
 */
void gsk_sock_exit(void)
{
	sock_unregister(gsk_family);
	proto_unregister(&gsk_proto);
}
