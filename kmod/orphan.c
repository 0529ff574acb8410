// SPDX-License-Identifier: GPL-2.0
/*
 * Orphans: closed sockets that the engine has not let go of. What they sent is
 * to be delivered, and their leave to be agreed on, while the namespace and
 * its devices last; so each holds the namespace, but for one second at most:
 * without a quorum it might never be let go. From then on it goes when the
 * engine lets go, or when the namespace ends (gsk_group_abandon()).
 */
#include "group.h"

#define GSK_ORPHAN_HOLD	HZ

/* Its reference to the namespace, which sk_alloc() took, goes. */
static void gsk_orphan_unhold(struct sock *sk)
{
	struct net *net = sock_net(sk);

	/* Nobody else has a reference but the engine: no lock is needed. */
	if (!sk->sk_net_refcnt)
		return;
	sk->sk_net_refcnt = 0;
	sock_inuse_add(net, -1);
	gsk_net_passive(net, &sk->ns_tracker);
	put_net(net);
}

/* The oldest one whose time is over, with a reference; or when to look. */
static struct gsk_sock *gsk_orphan_next(struct gsk_net *gn,
					unsigned long *delay)
{
	/* Once: a tick between two looks would leave no delay, or a huge one. */
	unsigned long now = jiffies;
	struct gsk_sock *gsk;

	*delay = 0;
	spin_lock_bh(&gn->lock);
	gsk = list_first_entry_or_null(&gn->orphans, struct gsk_sock, orphan);
	if (gsk && time_before(now, gsk->orphan_at)) {
		*delay = gsk->orphan_at - now;
		gsk = NULL;
	}
	if (gsk) {
		list_del_init(&gsk->orphan);
		sock_hold(&gsk->sk);
	}
	spin_unlock_bh(&gn->lock);
	return gsk;
}

static void gsk_orphan_work(struct work_struct *work)
{
	struct gsk_net *gn = container_of(to_delayed_work(work),
					  struct gsk_net, orphan_work);
	struct gsk_sock *gsk;
	unsigned long delay;

	while ((gsk = gsk_orphan_next(gn, &delay))) {
		gsk_orphan_unhold(&gsk->sk);
		sock_put(&gsk->sk);
		cond_resched();
	}
	/* The namespace's exit waits for this work before it frees @gn. */
	if (delay)
		queue_delayed_work(gsk_wq, &gn->orphan_work, delay);
}

/**
 * gsk_orphan_add() - a closed socket, if the engine has not let go of it yet
 * @gsk: the socket; the caller has a reference of its own
 */
void gsk_orphan_add(struct gsk_sock *gsk)
{
	struct gsk_net *gn = gsk->gn;

	spin_lock_bh(&gn->lock);
	if (gsk->local && !gn->dead) {
		gsk->orphan_at = jiffies + GSK_ORPHAN_HOLD;
		list_add_tail(&gsk->orphan, &gn->orphans);
		queue_delayed_work(gsk_wq, &gn->orphan_work, GSK_ORPHAN_HOLD);
	}
	spin_unlock_bh(&gn->lock);
}

/**
 * gsk_orphan_init() - at the beginning of a namespace
 * @gn: the node
 */
void gsk_orphan_init(struct gsk_net *gn)
{
	INIT_LIST_HEAD(&gn->orphans);
	INIT_DELAYED_WORK(&gn->orphan_work, gsk_orphan_work);
}
