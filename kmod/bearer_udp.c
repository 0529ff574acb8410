// SPDX-License-Identifier: GPL-2.0
/*
 * The UDP bearer, IPv4 and IPv6. The only file that knows UDP.
 *
 * Receive: the socket has the type of a tunnel but no encap_rcv, so errors
 * come by the tunnel's hook and not as sk_err, and packets go through the
 * socket's queue; with UDP_GRO they stay whole super-packets there, which is
 * four times as fast as encap_rcv, before which they would be cut up. The
 * queue is emptied in softirq, from sk_data_ready.
 *
 * Transmit: a route is looked up for each burst, so a path MTU learned by
 * ICMP acts at once. A datagram that is larger than the path takes now (it was
 * cut before the path shrank, and its numbers cannot change) goes without DF,
 * so that this host fragments it.
 */
#include <linux/netlink.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6_stubs.h>
#include <net/route.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>
#include "bearer.h"

#define GSK_UDP_RCVBUF (8 << 20)
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
	u32 off, seg = skb->len;
	struct gsk_addr from;
	struct gsk_peer *peer;
	int path;

	gsk_udp_from(skb, &from);
	path = gsk_peer_of(gn, &from);
	if (path < 0)
		return;
	peer = &gn->bearers->peer[path];
	if (skb_is_gso(skb) && skb_shinfo(skb)->gso_size)
		seg = skb_shinfo(skb)->gso_size;
	for (off = 0; off < skb->len; off += seg) {
		atomic64_inc(&peer->rx_packets);
		gsk_run_rx(gn, path, skb, off, min(seg, skb->len - off));
	}
	atomic64_add(skb->len, &peer->rx_bytes);
}

static void gsk_udp_drain(struct gsk_bearer *brr, struct sock *sk)
{
	struct sk_buff *skb;
	int off, err;

	for (;;) {
		off = 0;
		skb = __skb_recv_udp(sk, MSG_DONTWAIT, &off, &err);
		if (!skb) {
			if (err == -EAGAIN)
				return;
			continue;
		}
		/* The queue kept its own figures in this field. */
		skb->dev = NULL;
		if (!udp_lib_checksum_complete(skb))
			gsk_udp_packet(brr, skb);
		consume_skb(skb);
	}
}

static void gsk_udp_ready(struct sock *sk)
{
	struct gsk_bearer *brr;

	rcu_read_lock();
	brr = rcu_dereference_sk_user_data(sk);
	if (brr)
		gsk_udp_drain(brr, sk);
	rcu_read_unlock();
}

/* ---- open and close, under cfg_lock ---- */

static void gsk_udp_setup(struct gsk_bearer *brr, struct socket *sock)
{
	struct udp_tunnel_sock_cfg tunnel = {
		.sk_user_data = brr,
		.encap_type = 1,
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
	/* Whoever sends or receives by it does so under rcu_read_lock(). */
	synchronize_net();
	udp_tunnel_sock_release(sock);
	synchronize_net();
}

/* ---- transmit ---- */

static void gsk_udp_count(struct gsk_peer *peer, u32 len)
{
	atomic64_inc(&peer->tx_packets);
	atomic64_add(len, &peer->tx_bytes);
}

static void gsk_udp_mtu(struct gsk_bearer *brr, struct gsk_peer *peer,
			u32 mtu, u32 hdrs)
{
	mtu = mtu > hdrs + GPE_FRAG_MIN ? mtu - hdrs : GPE_FRAG_MIN;
	if (READ_ONCE(peer->mtu_seen) == mtu)
		return;
	WRITE_ONCE(peer->mtu_seen, mtu);
	brr->gn->mtu_due = true;
	queue_work(gsk_wq, &brr->gn->work);
}

static void gsk_udp_send4(struct gsk_bearer *brr, struct gsk_peer *peer,
			  struct sock *sk, struct sk_buff_head *list)
{
	struct net *net = brr->gn->net;
	struct flowi4 fl = {
		.daddr = peer->addr.v6.s6_addr32[0],
		.saddr = brr->addr.v6.s6_addr32[0],
		.flowi4_proto = IPPROTO_UDP,
		.fl4_sport = brr->addr.port,
		.fl4_dport = peer->addr.port,
	};
	struct rtable *rt = ip_route_output_flow(net, &fl, sk);
	struct sk_buff *skb;
	u32 mtu;

	if (IS_ERR(rt)) {
		atomic64_add(skb_queue_len(list), &peer->tx_drops);
		return;
	}
	mtu = dst_mtu(&rt->dst);
	gsk_udp_mtu(brr, peer, mtu, GSK_UDP_HDRS_V4);
	while ((skb = __skb_dequeue(list))) {
		bool fits = skb->len + GSK_UDP_HDRS_V4 <= mtu;

		gsk_udp_count(peer, skb->len);
		dst_hold(&rt->dst);
		udp_tunnel_xmit_skb(rt, sk, skb, fl.saddr, fl.daddr, 0,
				    ip4_dst_hoplimit(&rt->dst),
				    fits ? htons(IP_DF) : 0, fl.fl4_sport,
				    fl.fl4_dport, false, false);
	}
	ip_rt_put(rt);
}

static void gsk_udp_send6(struct gsk_bearer *brr, struct gsk_peer *peer,
			  struct sock *sk, struct sk_buff_head *list)
{
#if IS_ENABLED(CONFIG_IPV6)
	struct net *net = brr->gn->net;
	struct flowi6 fl = {
		.daddr = peer->addr.v6,
		.saddr = brr->addr.v6,
		.flowi6_proto = IPPROTO_UDP,
		.fl6_sport = brr->addr.port,
		.fl6_dport = peer->addr.port,
	};
	struct dst_entry *dst =
		ipv6_stub->ipv6_dst_lookup_flow(net, sk, &fl, NULL);
	struct sk_buff *skb;
	u32 mtu;

	if (IS_ERR(dst)) {
		atomic64_add(skb_queue_len(list), &peer->tx_drops);
		return;
	}
	mtu = dst_mtu(dst);
	gsk_udp_mtu(brr, peer, mtu, GSK_UDP_HDRS_V6);
	while ((skb = __skb_dequeue(list))) {
		gsk_udp_count(peer, skb->len);
		skb->ignore_df = skb->len + GSK_UDP_HDRS_V6 > mtu;
		dst_hold(dst);
		udp_tunnel6_xmit_skb(dst, sk, skb, NULL, &fl.saddr, &fl.daddr,
				     0, ip6_dst_hoplimit(dst), 0, fl.fl6_sport,
				     fl.fl6_dport, false);
	}
	dst_release(dst);
#endif
}

void gsk_udp_send(struct gsk_bearer *brr, struct gsk_peer *peer,
		  struct sk_buff_head *list)
{
	struct socket *sock = rcu_dereference(brr->sock);

	if (!sock)
		return;
	if (peer->addr.family == AF_INET)
		gsk_udp_send4(brr, peer, sock->sk, list);
	else
		gsk_udp_send6(brr, peer, sock->sk, list);
}
