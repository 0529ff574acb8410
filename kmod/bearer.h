/* SPDX-License-Identifier: GPL-2.0 */
/* Bearers and peers: where datagrams leave and where they go. */
#ifndef GSK_BEARER_H
#define GSK_BEARER_H

#include <linux/in6.h>
#include <linux/socket.h>
#include "gsk.h"

struct netlink_ext_ack;

#define GSK_BEARERS_MAX 4
/* Datagrams in one super-packet, and bytes, headers left out. */
#define GSK_SUPER_SEGS 64
#define GSK_SUPER_MAX (65535 - 48)
/* Room in front of a datagram for UDP, IP and the link. */
#define GSK_HEADROOM (LL_MAX_HEADER + 40 + 8)

/**
 * struct gsk_addr - a UDP address
 * @family: AF_INET or AF_INET6
 * @port: network byte order
 * @v6: IPv6; @v6.s6_addr32[0] is the IPv4 address
 */
struct gsk_addr {
	sa_family_t family;
	__be16 port;
	struct in6_addr v6;
};

static inline bool gsk_addr_same(const struct gsk_addr *a,
				 const struct gsk_addr *b)
{
	return a->family == b->family && a->port == b->port &&
	       !memcmp(&a->v6, &b->v6,
		       a->family == AF_INET ? 4 : sizeof(a->v6));
}

/**
 * struct gsk_bearer - a UDP socket of this node; in a slot, so never moved
 * @gn: the node
 * @sock: NULL: free slot. Written under cfg_lock; readers run in the
 *	socket's own callbacks, or under the peer's transmit lock, and are
 *	waited for by synchronize_net() after it is cleared
 * @addr: local address
 * @rx_due: calls of the receive callback since the queue was last seen empty;
 *	not 0: somebody is emptying it, or @rx_work will
 * @rx_work: goes on where a softirq has spent its share
 */
struct gsk_bearer {
	struct gsk_net *gn;
	struct socket __rcu *sock;
	struct gsk_addr addr;
	atomic_t rx_due;
	struct work_struct rx_work;
};

/**
 * struct gsk_super - what a packet in a transmit queue holds, in its cb
 * @seg: bytes of each datagram but the last, which may be shorter
 * @segs: datagrams
 */
struct gsk_super {
	u32 seg;
	u32 segs;
};

static inline struct gsk_super *gsk_super(const struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct gsk_super) > sizeof(skb->cb));
	return (struct gsk_super *)skb->cb;
}

/**
 * struct gsk_peer - a configured remote address
 * @used: slot in use; under cfg_lock, read in softirq
 * @addr: remote address
 * @queue: packets to be sent, each one datagram or several of one size; the
 *	last one may grow until it is taken out. Its own lock
 * @queued: memory held by @queue, bytes; under its lock
 * @tx_lock: who transmits; tried, never waited for
 * @mtu: largest datagram that passes unfragmented, as last told the engine
 * @mtu_seen: as the route says now
 * @single: the route cannot take super-packets
 */
struct gsk_peer {
	bool used;
	struct gsk_addr addr;
	struct sk_buff_head queue;
	u32 queued;
	spinlock_t tx_lock;
	u32 mtu;
	u32 mtu_seen;
	bool single;
	atomic64_t tx_packets;
	atomic64_t tx_bytes;
	atomic64_t tx_drops;
	atomic64_t rx_packets;
	atomic64_t rx_bytes;
};

/**
 * struct gsk_bearers - all of a node
 * @n: bearers in use, under cfg_lock
 * @n_peers: peers in use, under cfg_lock
 * @tx_pending: mask of peers with a queue that is not empty
 * @tx_page: where the next datagram's bytes go, NULL at first; under gn->lock
 * @tx_used: bytes of it in use
 * @rx_unknown: datagrams from an address that is no peer's
 * @rx_empty: datagrams without a byte
 * @rx_csum: datagrams whose checksum was wrong
 * @rx_errors: ICMP errors about datagrams sent
 */
struct gsk_bearers {
	struct gsk_bearer bearer[GSK_BEARERS_MAX];
	struct gsk_peer peer[GPE_PATHS_MAX];
	u32 n;
	u32 n_peers;
	u64 tx_pending;
	struct page *tx_page;
	u32 tx_used;
	atomic64_t rx_unknown;
	atomic64_t rx_empty;
	atomic64_t rx_csum;
	atomic64_t rx_errors;
};

/* Under cfg_lock; each sets the text of its refusal. */
int gsk_bearer_add(struct gsk_net *gn, const struct gsk_addr *addr,
		   struct netlink_ext_ack *extack);
int gsk_bearer_del(struct gsk_net *gn, const struct gsk_addr *addr,
		   struct netlink_ext_ack *extack);
int gsk_peer_add(struct gsk_net *gn, const struct gsk_addr *addr,
		 struct netlink_ext_ack *extack);
int gsk_peer_del(struct gsk_net *gn, const struct gsk_addr *addr,
		 struct netlink_ext_ack *extack);
/* Worker: tells the engine of path MTUs that have changed. */
void gsk_bearer_mtu(struct gsk_net *gn);

/* ---- bearer_udp.c ---- */

int gsk_udp_open(struct gsk_bearer *brr, struct netlink_ext_ack *extack);
/* After this no callback of it runs or will run. May sleep. */
void gsk_udp_close(struct gsk_bearer *brr);
/* From the socket's receive path: which path is it from? -1: none. */
int gsk_peer_of(struct gsk_net *gn, const struct gsk_addr *from);
/* Sends a list of packets, or counts them as drops. Softirqs off, under rcu. */
void gsk_udp_send(struct gsk_bearer *brr, struct gsk_peer *peer,
		  struct sk_buff_head *list);

#endif /* GSK_BEARER_H */
