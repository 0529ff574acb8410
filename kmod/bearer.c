// SPDX-License-Identifier: GPL-2.0
/*
 * Peers and their transmit queues. The engine's datagrams are copied into
 * pages under gn->lock, since their parts are only valid there, once for all
 * peers that get them. Consecutive datagrams of one size to one peer become
 * one packet that refers to these pages and is cut up as late as possible: by
 * the device, or not at all. Packets leave without the lock: one CPU at a time
 * and peer, so that their order is kept.
 *
 * Nothing says when the network is full. What is under way is limited by the
 * streams' windows; what a queue at its limit drops, the protocol repairs.
 */
#include <linux/netlink.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "bearer.h"
#include "buf.h"

/* Memory of what waits for one peer, bytes. */
#define GSK_TXQ_MAX (8 << 20)
/* Before a path is known: an Ethernet frame's worth, less IPv6 and UDP. */
#define GSK_MTU_INIT (1500 - 48)
/* Up to this length a datagram of its own lies behind the packet's head. */
#define GSK_LINEAR_MAX 256
#define GSK_PIECES DIV_ROUND_UP(GPE_DGRAM_MAX, PAGE_SIZE)

/**
 * struct gsk_dgram - a datagram on its way into the queues
 * @send: as the engine gave it
 * @n: its pieces, 0 until it has been copied into pages
 * @piece: where it is; the first begins at @off in its page, the others at 0
 * @off: see @piece
 */
struct gsk_dgram {
	const struct gpe_act_send *send;
	u32 n;
	u32 off;
	struct page *piece[GSK_PIECES];
};

int gsk_bearer_init(struct gsk_net *gn)
{
	struct gsk_bearers *b = kvzalloc(sizeof(*b),
					 GFP_KERNEL | __GFP_NOWARN);
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

static void gsk_peer_purge(struct gsk_peer *peer)
{
	struct sk_buff_head list;

	__skb_queue_head_init(&list);
	spin_lock_bh(&peer->queue.lock);
	skb_queue_splice_init(&peer->queue, &list);
	peer->queued = 0;
	spin_unlock_bh(&peer->queue.lock);
	__skb_queue_purge(&list);
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
		/* The timer and the worker may still have something to send. */
		WRITE_ONCE(b->peer[i].used, false);
		gsk_peer_purge(&b->peer[i]);
	}
	mutex_unlock(&gn->cfg_lock);
}

void gsk_bearer_free(struct gsk_net *gn)
{
	int i;

	for (i = 0; i < GPE_PATHS_MAX; i++)
		gsk_peer_purge(&gn->bearers->peer[i]);
	if (gn->bearers->tx_page)
		put_page(gn->bearers->tx_page);
	kvfree(gn->bearers);
	gn->bearers = NULL;
}

/* ---- transmit ---- */

/* Copies @len bytes of a datagram from @at on. */
static void gsk_dgram_copy(const struct gpe_act_send *send, u32 at, u8 *dst,
			   u32 len)
{
	u32 i, n;

	if (at < send->hdr_len) {
		n = min_t(u32, len, send->hdr_len - at);
		memcpy(dst, send->hdr + at, n);
		dst += n;
		len -= n;
		at = 0;
	} else {
		at -= send->hdr_len;
	}
	for (i = 0; len && i < send->n_segs; i++) {
		const struct gpe_seg *seg = &send->segs[i];

		if (at >= seg->len) {
			at -= seg->len;
			continue;
		}
		n = min(len, seg->len - at);
		gsk_buf_copy(seg->buf, seg->off + at, dst, n);
		dst += n;
		len -= n;
		at = 0;
	}
}

/* A page with room for @len bytes, which do not cross its end. */
static bool gsk_tx_room(struct gsk_bearers *b, u32 len)
{
	struct page *page = b->tx_page;

	if (page && b->tx_used + len <= PAGE_SIZE)
		return true;
	/* Nobody but this file holds it any more: all was sent and read. */
	if (!page || page_ref_count(page) != 1) {
		page = alloc_page(GFP_ATOMIC | __GFP_NOWARN);
		if (!page)
			return false;
		if (b->tx_page)
			put_page(b->tx_page);
		b->tx_page = page;
	}
	b->tx_used = 0;
	return true;
}

/* The pages stay as long as the caller holds gn->lock, or a packet has them. */
static bool gsk_dgram_place(struct gsk_bearers *b, struct gsk_dgram *dg)
{
	u32 at, n;

	if (dg->n)
		return true;
	for (at = 0; at < dg->send->len; at += n) {
		n = min_t(u32, dg->send->len - at, PAGE_SIZE);
		if (!gsk_tx_room(b, n))
			break;
		if (!at)
			dg->off = b->tx_used;
		gsk_dgram_copy(dg->send, at,
			       page_address(b->tx_page) + b->tx_used, n);
		b->tx_used += n;
		get_page(b->tx_page);
		dg->piece[dg->n++] = b->tx_page;
	}
	if (at >= dg->send->len)
		return true;
	while (dg->n)
		put_page(dg->piece[--dg->n]);
	return false;
}

/* Refers to the datagram's pages at the end of @skb: false without room. */
static bool gsk_dgram_add(const struct gsk_dgram *dg, struct sk_buff *skb)
{
	u32 len = dg->send->len, off = dg->off, i, n;
	int nr = skb_shinfo(skb)->nr_frags;

	if (nr + dg->n > MAX_SKB_FRAGS)
		return false;
	for (i = 0; i < dg->n; i++, len -= n, off = 0) {
		n = min_t(u32, len, PAGE_SIZE - off);
		if (skb_can_coalesce(skb, nr, dg->piece[i], off)) {
			skb_coalesce_rx_frag(skb, nr - 1, n, n);
			continue;
		}
		get_page(dg->piece[i]);
		skb_add_rx_frag(skb, nr++, dg->piece[i], off, n, n);
	}
	/* Other peers' packets have the same pages. */
	skb_shinfo(skb)->flags |= SKBFL_SHARED_FRAG;
	return true;
}

/* May a datagram of @len bytes ride in the packet @skb, as its last? */
static bool gsk_super_takes(const struct gsk_peer *peer,
			    const struct sk_buff *skb, u32 len)
{
	const struct gsk_super *super = gsk_super(skb);

	return len <= super->seg && skb->len == super->seg * super->segs &&
	       super->segs < GSK_SUPER_SEGS &&
	       skb->len + len <= GSK_SUPER_MAX && !READ_ONCE(peer->single) &&
	       super->seg <= READ_ONCE(peer->mtu_seen);
}

static struct sk_buff *gsk_skb(struct gsk_bearers *b, struct gsk_dgram *dg)
{
	u32 len = dg->send->len;
	bool linear = len <= GSK_LINEAR_MAX;
	struct sk_buff *skb;

	if (!linear && !gsk_dgram_place(b, dg))
		return NULL;
	skb = alloc_skb(GSK_HEADROOM + (linear ? len : 0),
			GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reserve(skb, GSK_HEADROOM);
	if (linear)
		gsk_dgram_copy(dg->send, 0, skb_put(skb, len), len);
	else
		gsk_dgram_add(dg, skb);
	gsk_super(skb)->seg = len;
	gsk_super(skb)->segs = 1;
	return skb;
}

static bool gsk_peer_put(struct gsk_bearers *b, struct gsk_peer *peer,
			 struct gsk_dgram *dg)
{
	struct sk_buff *skb = skb_peek_tail(&peer->queue);
	u32 had;

	if (peer->queued > GSK_TXQ_MAX)
		return false;
	if (skb && gsk_super_takes(peer, skb, dg->send->len)) {
		had = skb->truesize;
		if (!gsk_dgram_place(b, dg))
			return false;
		if (gsk_dgram_add(dg, skb)) {
			gsk_super(skb)->segs++;
			peer->queued += skb->truesize - had;
			return true;
		}
	}
	skb = gsk_skb(b, dg);
	if (!skb)
		return false;
	__skb_queue_tail(&peer->queue, skb);
	peer->queued += skb->truesize;
	return true;
}

void gsk_bearer_queue(struct gsk_net *gn, const struct gpe_act_send *send)
{
	struct gsk_dgram dg = { .send = send };
	struct gsk_bearers *b = gn->bearers;
	u64 paths = send->paths;

	lockdep_assert_held(&gn->lock);
	for (; paths; paths &= paths - 1) {
		u32 path = __ffs64(paths);
		struct gsk_peer *peer = &b->peer[path];
		bool put;

		if (!READ_ONCE(peer->used))
			continue;
		spin_lock(&peer->queue.lock);
		put = gsk_peer_put(b, peer, &dg);
		spin_unlock(&peer->queue.lock);
		if (put)
			/* Pairs with xchg() in gsk_bearer_flush(): who takes
			 * the bit finds the packet. One that an xchg() beside
			 * this has cleared may come back, and costs a look.
			 */
			smp_store_release(&b->tx_pending,
					  READ_ONCE(b->tx_pending) |
						  BIT_ULL(path));
		else
			atomic64_inc(&peer->tx_drops);
	}
	while (dg.n)
		put_page(dg.piece[--dg.n]);
}

static struct gsk_bearer *gsk_bearer_for(struct gsk_bearers *b,
					 const struct gsk_peer *peer)
{
	int i;

	for (i = 0; i < GSK_BEARERS_MAX; i++)
		if (rcu_access_pointer(b->bearer[i].sock) &&
		    b->bearer[i].addr.family == peer->addr.family)
			return &b->bearer[i];
	return NULL;
}

static void gsk_peer_dropped(struct gsk_peer *peer, struct sk_buff_head *list)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(list))) {
		atomic64_add(gsk_super(skb)->segs, &peer->tx_drops);
		kfree_skb(skb);
	}
}

static void gsk_peer_flush(struct gsk_net *gn, struct gsk_peer *peer)
{
	struct gsk_bearer *brr;
	struct sk_buff_head list;

	/* Who holds the lock looks at the queue again after letting go. */
	while (!skb_queue_empty_lockless(&peer->queue)) {
		if (!spin_trylock(&peer->tx_lock))
			return;
		__skb_queue_head_init(&list);
		spin_lock(&peer->queue.lock);
		skb_queue_splice_tail_init(&peer->queue, &list);
		peer->queued = 0;
		spin_unlock(&peer->queue.lock);
		brr = gsk_bearer_for(gn->bearers, peer);
		if (brr)
			gsk_udp_send(brr, peer, &list);
		gsk_peer_dropped(peer, &list);
		spin_unlock(&peer->tx_lock);
		/* Pairs with xchg() in gsk_bearer_flush(): either this sees
		 * what was queued, or who queued it finds the lock free.
		 */
		smp_mb();
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
	gsk_run_task(gn, &ev);
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
	/* The last one says goodbye before it goes. */
	gn->bearers->n--;
	gsk_bearers_told(gn);
	gsk_udp_close(brr);
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
	gsk_run_task(gn, &ev);
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
	peer->single = false;
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
	gsk_peer_purge(peer);
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
