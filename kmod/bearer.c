// SPDX-License-Identifier: GPL-2.0
/*
 * Peers and their transmit queues. The engine's datagrams are copied into
 * packets under gn->lock, since their parts are only valid there, and leave
 * without it: one CPU at a time and peer, so that their order is kept. What a
 * queue at its limit drops, the protocol repairs.
 */
#include <linux/netlink.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "bearer.h"
#include "buf.h"

/* Datagrams waiting for one peer. */
#define GSK_TXQ_MAX 8192
/* Before a path is known: an Ethernet frame's worth, less IPv6 and UDP. */
#define GSK_MTU_INIT (1500 - 48)
/* Room in front of a datagram for UDP, IP and the link. */
#define GSK_HEADROOM (LL_MAX_HEADER + 40 + 8 + 64)

int gsk_bearer_init(struct gsk_net *gn)
{
	struct gsk_bearers *b = kvzalloc(sizeof(*b), GFP_KERNEL);
	int i;

	if (!b)
		return -ENOMEM;
	for (i = 0; i < GPE_PATHS_MAX; i++) {
		skb_queue_head_init(&b->peer[i].queue);
		spin_lock_init(&b->peer[i].tx_lock);
	}
	for (i = 0; i < GSK_BEARERS_MAX; i++)
		b->bearer[i].gn = gn;
	gn->bearers = b;
	return 0;
}

void gsk_bearer_exit(struct gsk_net *gn)
{
	struct gsk_bearers *b = gn->bearers;
	int i;

	mutex_lock(&gn->cfg_lock);
	gsk_bearer_flush(gn);
	for (i = 0; i < GSK_BEARERS_MAX; i++)
		if (rcu_access_pointer(b->bearer[i].sock))
			gsk_udp_close(&b->bearer[i]);
	b->n = 0;
	for (i = 0; i < GPE_PATHS_MAX; i++) {
		b->peer[i].used = false;
		skb_queue_purge(&b->peer[i].queue);
	}
	mutex_unlock(&gn->cfg_lock);
}

void gsk_bearer_free(struct gsk_net *gn)
{
	int i;

	for (i = 0; i < GPE_PATHS_MAX; i++)
		skb_queue_purge(&gn->bearers->peer[i].queue);
	kvfree(gn->bearers);
	gn->bearers = NULL;
}

/* ---- transmit ---- */

/* A datagram in one linear packet; larger ones in order-0 pages behind it. */
static struct sk_buff *gsk_skb(const struct gpe_act_send *send)
{
	u32 linear = min_t(u32, send->len, 2048), at, i;
	struct sk_buff *skb;
	int err;

	skb = alloc_skb_with_frags(GSK_HEADROOM + linear, send->len - linear,
				   0, &err, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reserve(skb, GSK_HEADROOM);
	skb_put(skb, linear);
	skb->data_len = send->len - linear;
	skb->len = send->len;
	skb_store_bits(skb, 0, send->hdr, send->hdr_len);
	for (i = 0, at = send->hdr_len; i < send->n_segs; i++) {
		const struct gpe_seg *seg = &send->segs[i];

		if (at + seg->len <= linear)
			gsk_buf_copy(seg->buf, seg->off, skb->data + at,
				     seg->len);
		else
			gsk_buf_to_skb(seg->buf, seg->off, seg->len, skb, at);
		at += seg->len;
	}
	return skb;
}

void gsk_bearer_queue(struct gsk_net *gn, const struct gpe_act_send *send)
{
	struct gsk_bearers *b = gn->bearers;
	struct sk_buff *skb = NULL, *copy;
	u64 paths = send->paths;

	lockdep_assert_held(&gn->lock);
	for (; paths; paths &= paths - 1) {
		u32 path = __ffs64(paths);
		struct gsk_peer *peer = &b->peer[path];

		if (!READ_ONCE(peer->used))
			continue;
		if (skb_queue_len_lockless(&peer->queue) >= GSK_TXQ_MAX) {
			atomic64_inc(&peer->tx_drops);
			continue;
		}
		if (!skb)
			skb = gsk_skb(send);
		/* The last path takes the packet itself. */
		copy = paths & (paths - 1) ?
			       (skb ? pskb_copy(skb, GFP_ATOMIC) : NULL) : skb;
		if (copy == skb)
			skb = NULL;
		if (!copy) {
			atomic64_inc(&peer->tx_drops);
			continue;
		}
		skb_queue_tail(&peer->queue, copy);
		b->tx_pending |= BIT_ULL(path);
	}
	kfree_skb(skb);
}

static void gsk_peer_flush(struct gsk_net *gn, struct gsk_peer *peer)
{
	struct gsk_bearers *b = gn->bearers;
	struct gsk_bearer *brr = NULL;
	struct sk_buff_head list;
	int i;

	/* Who holds the lock looks at the queue again after letting go. */
	while (!skb_queue_empty_lockless(&peer->queue)) {
		if (!spin_trylock(&peer->tx_lock))
			return;
		__skb_queue_head_init(&list);
		spin_lock(&peer->queue.lock);
		skb_queue_splice_tail_init(&peer->queue, &list);
		spin_unlock(&peer->queue.lock);
		for (i = 0; i < GSK_BEARERS_MAX && !brr; i++)
			if (rcu_access_pointer(b->bearer[i].sock) &&
			    b->bearer[i].addr.family == peer->addr.family)
				brr = &b->bearer[i];
		if (brr)
			gsk_udp_send(brr, peer, &list);
		__skb_queue_purge(&list);
		spin_unlock(&peer->tx_lock);
	}
}

void gsk_bearer_flush(struct gsk_net *gn)
{
	struct gsk_bearers *b = gn->bearers;
	u64 paths;

	if (!READ_ONCE(b->tx_pending))
		return;
	local_bh_disable();
	rcu_read_lock();
	paths = xchg(&b->tx_pending, 0);
	for (; paths; paths &= paths - 1)
		gsk_peer_flush(gn, &b->peer[__ffs64(paths)]);
	rcu_read_unlock();
	local_bh_enable();
}

/* ---- configuration, under cfg_lock ---- */

static struct gsk_bearer *gsk_bearer_find(struct gsk_bearers *b,
					  const struct gsk_addr *addr)
{
	int i;

	for (i = 0; i < GSK_BEARERS_MAX; i++)
		if (rcu_access_pointer(b->bearer[i].sock) &&
		    gsk_addr_same(&b->bearer[i].addr, addr))
			return &b->bearer[i];
	return NULL;
}

static void gsk_bearers_told(struct gsk_net *gn)
{
	struct gpe_event ev = { .type = GPE_EV_BEARERS };

	ev.bearers.count = gn->bearers->n;
	ev.bearers.wall_ns = ktime_get_real_ns();
	gsk_run(gn, &ev);
}

int gsk_bearer_add(struct gsk_net *gn, const struct gsk_addr *addr,
		   struct netlink_ext_ack *extack)
{
	struct gsk_bearers *b = gn->bearers;
	struct gsk_bearer *brr = NULL;
	int i, err;

	lockdep_assert_held(&gn->cfg_lock);
	if (gsk_bearer_find(b, addr)) {
		NL_SET_ERR_MSG(extack, "this bearer exists already");
		return -EEXIST;
	}
	for (i = 0; i < GSK_BEARERS_MAX && !brr; i++)
		if (!rcu_access_pointer(b->bearer[i].sock))
			brr = &b->bearer[i];
	if (!brr) {
		NL_SET_ERR_MSG(extack, "a node has at most 4 bearers");
		return -ENOSPC;
	}
	err = gsk_net_start(gn);
	if (err) {
		NL_SET_ERR_MSG(extack, "no memory for the node");
		return err;
	}
	brr->addr = *addr;
	err = gsk_udp_open(brr, extack);
	if (err)
		return err;
	b->n++;
	gsk_bearers_told(gn);
	return 0;
}

int gsk_bearer_del(struct gsk_net *gn, const struct gsk_addr *addr,
		   struct netlink_ext_ack *extack)
{
	struct gsk_bearer *brr = gsk_bearer_find(gn->bearers, addr);

	lockdep_assert_held(&gn->cfg_lock);
	if (!brr) {
		NL_SET_ERR_MSG(extack, "no such bearer");
		return -ENOENT;
	}
	gsk_udp_close(brr);
	gn->bearers->n--;
	gsk_bearers_told(gn);
	return 0;
}

static struct gsk_peer *gsk_peer_find(struct gsk_bearers *b,
				      const struct gsk_addr *addr)
{
	int i;

	for (i = 0; i < GPE_PATHS_MAX; i++)
		if (b->peer[i].used && gsk_addr_same(&b->peer[i].addr, addr))
			return &b->peer[i];
	return NULL;
}

static void gsk_peer_told(struct gsk_net *gn, struct gsk_peer *peer,
			  enum gpe_ev_type type)
{
	struct gpe_event ev = { .type = type };

	ev.peer.path = peer - gn->bearers->peer;
	ev.peer.mtu = peer->mtu;
	gsk_run(gn, &ev);
}

int gsk_peer_add(struct gsk_net *gn, const struct gsk_addr *addr,
		 struct netlink_ext_ack *extack)
{
	struct gsk_bearers *b = gn->bearers;
	struct gsk_peer *peer = NULL;
	int i, err;

	lockdep_assert_held(&gn->cfg_lock);
	if (gsk_peer_find(b, addr)) {
		NL_SET_ERR_MSG(extack, "this peer exists already");
		return -EEXIST;
	}
	if (gsk_bearer_find(b, addr)) {
		NL_SET_ERR_MSG(extack, "this is an address of this node");
		return -EINVAL;
	}
	for (i = 0; i < GPE_PATHS_MAX && !peer; i++)
		if (!b->peer[i].used)
			peer = &b->peer[i];
	if (!peer) {
		NL_SET_ERR_MSG(extack, "a node has at most 64 peers");
		return -ENOSPC;
	}
	err = gsk_net_start(gn);
	if (err) {
		NL_SET_ERR_MSG(extack, "no memory for the node");
		return err;
	}
	peer->addr = *addr;
	peer->mtu = GSK_MTU_INIT;
	peer->mtu_seen = GSK_MTU_INIT;
	atomic64_set(&peer->tx_packets, 0);
	atomic64_set(&peer->tx_bytes, 0);
	atomic64_set(&peer->tx_drops, 0);
	atomic64_set(&peer->rx_packets, 0);
	atomic64_set(&peer->rx_bytes, 0);
	/* The address is there before softirqs may look at it. */
	smp_store_release(&peer->used, true);
	b->n_peers++;
	gsk_peer_told(gn, peer, GPE_EV_PEER_ADD);
	return 0;
}

int gsk_peer_del(struct gsk_net *gn, const struct gsk_addr *addr,
		 struct netlink_ext_ack *extack)
{
	struct gsk_peer *peer = gsk_peer_find(gn->bearers, addr);

	lockdep_assert_held(&gn->cfg_lock);
	if (!peer) {
		NL_SET_ERR_MSG(extack, "no such peer");
		return -ENOENT;
	}
	gsk_peer_told(gn, peer, GPE_EV_PEER_DEL);
	WRITE_ONCE(peer->used, false);
	gn->bearers->n_peers--;
	/* Nobody looks at the address any more when the slot is used again. */
	synchronize_net();
	skb_queue_purge(&peer->queue);
	return 0;
}

int gsk_peer_of(struct gsk_net *gn, const struct gsk_addr *from)
{
	struct gsk_bearers *b = gn->bearers;
	int i;

	for (i = 0; i < GPE_PATHS_MAX; i++)
		/* Pairs with smp_store_release() in gsk_peer_add(). */
		if (smp_load_acquire(&b->peer[i].used) &&
		    gsk_addr_same(&b->peer[i].addr, from))
			return i;
	atomic64_inc(&b->rx_unknown);
	return -1;
}

void gsk_bearer_mtu(struct gsk_net *gn)
{
	struct gsk_bearers *b = gn->bearers;
	int i;

	mutex_lock(&gn->cfg_lock);
	for (i = 0; i < GPE_PATHS_MAX; i++) {
		struct gsk_peer *peer = &b->peer[i];
		u32 mtu = READ_ONCE(peer->mtu_seen);

		if (!peer->used || peer->mtu == mtu)
			continue;
		peer->mtu = mtu;
		gsk_peer_told(gn, peer, GPE_EV_PEER_ADD);
	}
	mutex_unlock(&gn->cfg_lock);
}
