// SPDX-License-Identifier: GPL-2.0
/*
 * The UDP bearer, IPv4 and IPv6. The only file that knows UDP.
 *
 * Receive: the socket has the type of a tunnel but no encap_rcv, so errors
 * come by the tunnel's hook and not as sk_err, and packets go through the
 * socket's queue; with UDP_GRO they stay whole super-packets there, which is
 * four times as fast as encap_rcv, before which they would be cut up. The
 * queue is emptied in softirq, from sk_data_ready, which may be called with a
 * lock held that UDP sockets share: nothing here waits for another socket.
 *
 * Transmit: a packet of several datagrams goes to the stack as one, for GSO. A
 * route is looked up for each burst, so a path MTU learned by ICMP acts at
 * once. A datagram that is larger than the path takes now (it was cut before
 * the path shrank, and its numbers cannot change) goes alone and without DF,
 * so that this host, or a router, fragments it. The stack gives no
 * back-pressure; see bearer.c for who paces.
 */
#include <linux/netlink.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/dst.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6_stubs.h>
#include <net/route.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>
#include "bearer.h"

#define GSK_UDP_RCVBUF (8 << 20)
/* Packets taken in one softirq before others have a turn. */
#define GSK_RX_BUDGET 256
#define GSK_UDP_HDRS_V4 (sizeof(struct iphdr) + sizeof(struct udphdr))
#define GSK_UDP_HDRS_V6 (sizeof(struct ipv6hdr) + sizeof(struct udphdr))

/* ---- receive ---- */

static void gsk_udp_from(const struct sk_buff *skb, struct gsk_addr *from)
{
	from->port = udp_hdr(skb)->source;
	if (ip_hdr(skb)->version == 4) {
		from->family = AF_INET;
		from->v6.s6_addr32[0] = ip_hdr(skb)->saddr;
	} else {
		from->family = AF_INET6;
		from->v6 = ipv6_hdr(skb)->saddr;
	}
}

/* One packet, or the datagrams of a super-packet. */
static void gsk_udp_packet(struct gsk_bearer *brr, struct sk_buff *skb)
{
	struct gsk_net *gn = brr->gn;
	struct gsk_addr from;
	u32 seg = skb->len;
	struct gsk_peer *peer;
	int path;

	gsk_udp_from(skb, &from);
	path = gsk_peer_of(gn, &from);
	if (path < 0)
		return;
	if (!skb->len) {
		atomic64_inc(&gn->bearers->rx_empty);
		return;
	}
	peer = &gn->bearers->peer[path];
	/* Of UFO, as from a tap, it is the size of fragments of one datagram. */
	if (skb_is_gso(skb) && skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4)
		seg = skb_shinfo(skb)->gso_size;
	atomic64_add(DIV_ROUND_UP(skb->len, seg), &peer->rx_packets);
	atomic64_add(skb->len, &peer->rx_bytes);
	gsk_run_rx(gn, path, skb, seg);
}

static void gsk_udp_bad_csum(struct gsk_bearer *brr, struct sock *sk)
{
	struct net *net = brr->gn->net;

	atomic64_inc(&brr->gn->bearers->rx_csum);
	/* Nobody else has looked at it: count it as the stack would. */
	if (brr->addr.family == AF_INET) {
		__UDP_INC_STATS(net, UDP_MIB_CSUMERRORS, 0);
		__UDP_INC_STATS(net, UDP_MIB_INERRORS, 0);
	} else {
		__UDP6_INC_STATS(net, UDP_MIB_CSUMERRORS, 0);
		__UDP6_INC_STATS(net, UDP_MIB_INERRORS, 0);
	}
	atomic_inc(&sk->sk_drops);
}

/* Until the queue is empty: true; or @budget packets were taken: false. */
static bool gsk_udp_drain(struct gsk_bearer *brr, struct sock *sk, int *budget)
{
	struct sk_buff *skb;
	int off, err;

	while (*budget) {
		off = 0;
		skb = __skb_recv_udp(sk, MSG_DONTWAIT, &off, &err);
		if (!skb) {
			if (err == -EAGAIN)
				return true;
			continue;
		}
		--*budget;
		/* The queue kept its own figures in this field. */
		skb->dev = NULL;
		/* For a super-packet too: its parts were looked at when it
		 * was put together, or it was never taken apart.
		 */
		if (udp_lib_checksum_complete(skb))
			gsk_udp_bad_csum(brr, sk);
		else
			gsk_udp_packet(brr, skb);
		consume_skb(skb);
	}
	return false;
}

/* By whoever made @rx_due other than 0: so what came in order stays so. */
static void gsk_udp_rx(struct gsk_bearer *brr, struct sock *sk)
{
	int budget = GSK_RX_BUDGET, seen;

	do {
		seen = atomic_read(&brr->rx_due);
		if (!gsk_udp_drain(brr, sk, &budget)) {
			queue_work(gsk_wq, &brr->rx_work);
			return;
		}
	} while (atomic_sub_return(seen, &brr->rx_due));
}

static void gsk_udp_rx_work(struct work_struct *work)
{
	struct gsk_bearer *brr =
		container_of(work, struct gsk_bearer, rx_work);
	struct socket *sock;

	local_bh_disable();
	rcu_read_lock();
	sock = rcu_dereference(brr->sock);
	if (sock)
		gsk_udp_rx(brr, sock->sk);
	rcu_read_unlock();
	local_bh_enable();
}

static void gsk_udp_ready(struct sock *sk)
{
	struct gsk_bearer *brr;

	rcu_read_lock();
	brr = rcu_dereference_sk_user_data(sk);
	if (brr && atomic_fetch_inc(&brr->rx_due) == 0)
		gsk_udp_rx(brr, sk);
	rcu_read_unlock();
}

/*
 * An ICMP error. The stack has put a new path MTU into the route before this,
 * where the next burst finds it; a peer that is not there shows by silence.
 */
static void gsk_udp_err(gsk_encap_err_args)
{
	struct gsk_bearer *brr = rcu_dereference_sk_user_data(sk);

	if (brr)
		atomic64_inc(&brr->gn->bearers->rx_errors);
}

/* ---- open and close, under cfg_lock ---- */

static void gsk_udp_setup(struct gsk_bearer *brr, struct socket *sock)
{
	struct udp_tunnel_sock_cfg tunnel = {
		.sk_user_data = brr,
		.encap_type = 1,
		.encap_err_rcv = gsk_udp_err,
	};
	struct sock *sk = sock->sk;
	int one = 1;

	sk->sk_rcvbuf = GSK_UDP_RCVBUF;
	sk->sk_sndbuf = GSK_UDP_RCVBUF;
	sk->sk_allocation = GFP_ATOMIC;
#ifdef CONFIG_NET_RX_BUSY_POLL
	/* Polling from within the callback would take this path again. */
	sk->sk_ll_usec = 0;
#endif
	setup_udp_tunnel_sock(brr->gn->net, sock, &tunnel);
	if (sock->ops->setsockopt(sock, SOL_UDP, UDP_GRO,
				  KERNEL_SOCKPTR(&one), sizeof(one)))
		pr_debug("gsock: no UDP_GRO on this bearer\n");
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = gsk_udp_ready;
	write_unlock_bh(&sk->sk_callback_lock);
}

int gsk_udp_open(struct gsk_bearer *brr, struct netlink_ext_ack *extack)
{
	struct udp_port_cfg cfg = {
		.family = brr->addr.family,
		.local_udp_port = brr->addr.port,
		.use_udp_checksums = 1,
		.use_udp6_tx_checksums = 1,
		.use_udp6_rx_checksums = 1,
		.ipv6_v6only = 1,
	};
	struct socket *sock;
	int err;

	if (brr->addr.family == AF_INET)
		cfg.local_ip.s_addr = brr->addr.v6.s6_addr32[0];
	else
		cfg.local_ip6 = brr->addr.v6;
	err = udp_sock_create(brr->gn->net, &cfg, &sock);
	if (err) {
		if (err == -EADDRINUSE)
			NL_SET_ERR_MSG(extack, "the port is in use");
		else if (err == -EADDRNOTAVAIL)
			NL_SET_ERR_MSG(extack, "not an address of this node");
		else
			NL_SET_ERR_MSG(extack, "cannot open a UDP socket");
		return err;
	}
	atomic_set(&brr->rx_due, 0);
	INIT_WORK(&brr->rx_work, gsk_udp_rx_work);
	gsk_udp_setup(brr, sock);
	rcu_assign_pointer(brr->sock, sock);
	/* What came between bind and the callback. */
	local_bh_disable();
	gsk_udp_ready(sock->sk);
	local_bh_enable();
	return 0;
}

void gsk_udp_close(struct gsk_bearer *brr)
{
	struct socket *sock = rcu_dereference_protected(
		brr->sock, lockdep_is_held(&brr->gn->cfg_lock));

	RCU_INIT_POINTER(brr->sock, NULL);
	/* Waits for who sends or receives by it, under rcu_read_lock(). */
	udp_tunnel_sock_release(sock);
	synchronize_net();
	cancel_work_sync(&brr->rx_work);
}

/* ---- transmit ---- */

/**
 * struct gsk_udp_out - a burst to one peer
 * @peer: the peer
 * @sk: the bearer's socket
 * @dst: route, held by the burst
 * @fl: its key; addresses and ports in it are those of the packets
 * @room: bytes of a datagram that pass unfragmented
 */
struct gsk_udp_out {
	struct gsk_peer *peer;
	struct sock *sk;
	struct dst_entry *dst;
	struct flowi fl;
	u32 room;
};

static void gsk_udp_mtu(struct gsk_bearer *brr, struct gsk_udp_out *out,
			u32 hdrs)
{
	u32 mtu = dst_mtu(out->dst);

	out->room = mtu > hdrs ? mtu - hdrs : 0;
	mtu = max_t(u32, out->room, GPE_FRAG_MIN);
	WRITE_ONCE(out->peer->single, dst_xfrm(out->dst));
	if (READ_ONCE(out->peer->mtu_seen) == mtu)
		return;
	WRITE_ONCE(out->peer->mtu_seen, mtu);
	/* The worker may be clearing it, and then looks at all paths. */
	WRITE_ONCE(brr->gn->mtu_due, true);
	queue_work(gsk_wq, &brr->gn->work);
}

static int gsk_udp_route(struct gsk_bearer *brr, struct gsk_udp_out *out)
{
	const struct gsk_addr *to = &out->peer->addr;
	struct net *net = brr->gn->net;
	struct flowi6 *fl6;
	struct flowi4 *fl4;
	struct rtable *rt;

	if (to->family == AF_INET) {
		fl4 = &out->fl.u.ip4;
		fl4->daddr = to->v6.s6_addr32[0];
		fl4->saddr = brr->addr.v6.s6_addr32[0];
		fl4->flowi4_proto = IPPROTO_UDP;
		fl4->fl4_sport = brr->addr.port;
		fl4->fl4_dport = to->port;
		rt = ip_route_output_flow(net, fl4, out->sk);
		if (IS_ERR(rt))
			return PTR_ERR(rt);
		out->dst = &rt->dst;
		gsk_udp_mtu(brr, out, GSK_UDP_HDRS_V4);
		return 0;
	}
	if (!IS_ENABLED(CONFIG_IPV6))
		return -EAFNOSUPPORT;
	fl6 = &out->fl.u.ip6;
	fl6->daddr = to->v6;
	fl6->saddr = brr->addr.v6;
	fl6->flowi6_proto = IPPROTO_UDP;
	fl6->fl6_sport = brr->addr.port;
	fl6->fl6_dport = to->port;
	out->dst = ipv6_stub->ipv6_dst_lookup_flow(net, out->sk, fl6, NULL);
	if (IS_ERR(out->dst))
		return PTR_ERR(out->dst);
	gsk_udp_mtu(brr, out, GSK_UDP_HDRS_V6);
	return 0;
}

static void gsk_udp_gso(struct sk_buff *skb, u32 seg, u32 segs)
{
	static_assert(GSK_SUPER_SEGS <= UDP_MAX_SEGMENTS);

	skb_shinfo(skb)->gso_size = seg;
	skb_shinfo(skb)->gso_segs = segs;
	skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
	/* Of one datagram the checksum is set up on the way. */
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) - sizeof(struct udphdr);
	skb->csum_offset = offsetof(struct udphdr, check);
}

static void gsk_udp_xmit(struct gsk_udp_out *out, struct sk_buff *skb)
{
	bool fits = gsk_super(skb)->seg <= out->room;

	atomic64_add(gsk_super(skb)->segs, &out->peer->tx_packets);
	atomic64_add(skb->len, &out->peer->tx_bytes);
	if (gsk_super(skb)->segs > 1)
		gsk_udp_gso(skb, gsk_super(skb)->seg, gsk_super(skb)->segs);
	dst_hold(out->dst);
	if (out->peer->addr.family == AF_INET) {
		const struct flowi4 *fl = &out->fl.u.ip4;

		udp_tunnel_xmit_skb((struct rtable *)out->dst, out->sk, skb,
				    fl->saddr, fl->daddr, 0,
				    ip4_dst_hoplimit(out->dst),
				    fits ? htons(IP_DF) : 0, fl->fl4_sport,
				    fl->fl4_dport, false, false);
		return;
	}
#if IS_ENABLED(CONFIG_IPV6)
	skb->ignore_df = !fits;
	udp_tunnel6_xmit_skb(out->dst, out->sk, skb, NULL,
			     &out->fl.u.ip6.saddr, &out->fl.u.ip6.daddr, 0,
			     ip6_dst_hoplimit(out->dst), 0,
			     out->fl.u.ip6.fl6_sport, out->fl.u.ip6.fl6_dport,
			     false);
#endif
}

/* Its datagrams one by one: the route is not as it was when it was built. */
static void gsk_udp_cut(struct gsk_udp_out *out, struct sk_buff *skb)
{
	u32 seg = gsk_super(skb)->seg, off, len;

	for (off = 0; off < skb->len; off += len) {
		struct sk_buff *one;

		len = min(seg, skb->len - off);
		one = pskb_extract(skb, off, len, GFP_ATOMIC | __GFP_NOWARN);
		if (!one || skb_cow_head(one, GSK_HEADROOM)) {
			atomic64_inc(&out->peer->tx_drops);
			kfree_skb(one);
			continue;
		}
		gsk_super(one)->seg = len;
		gsk_super(one)->segs = 1;
		gsk_udp_xmit(out, one);
	}
	consume_skb(skb);
}

void gsk_udp_send(struct gsk_bearer *brr, struct gsk_peer *peer,
		  struct sk_buff_head *list)
{
	struct socket *sock = rcu_dereference(brr->sock);
	struct gsk_udp_out out = { .peer = peer };
	struct sk_buff *skb;

	if (!sock)
		return;
	out.sk = sock->sk;
	if (gsk_udp_route(brr, &out))
		return;
	while ((skb = __skb_dequeue(list))) {
		if (gsk_super(skb)->segs > 1 &&
		    (gsk_super(skb)->seg > out.room || peer->single))
			gsk_udp_cut(&out, skb);
		else
			gsk_udp_xmit(&out, skb);
	}
	dst_release(out.dst);
}
