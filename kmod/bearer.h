/* SPDX-License-Identifier: GPL-2.0 */
/* Bearers and peers: where datagrams leave and where they go. */
#ifndef GSK_BEARER_H
#define GSK_BEARER_H

#include <linux/in6.h>
#include <linux/socket.h>
#include "gsk.h"

struct netlink_ext_ack;

#define GSK_BEARERS_MAX 4

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
 */
struct gsk_bearer {
	struct gsk_net *gn;
	struct socket __rcu *sock;
	struct gsk_addr addr;
};

/**
 * struct gsk_peer - a configured remote address
 * @used: slot in use; under cfg_lock, read in softirq
 * @addr: remote address
 * @queue: datagrams to be sent, each with its header in front; its own lock
 * @tx_lock: who transmits; tried, never waited for
 * @mtu: largest datagram that passes unfragmented, as last told the engine
 * @mtu_seen: as the route says now
 */
struct gsk_peer {
	bool used;
	struct gsk_addr addr;
	struct sk_buff_head queue;
	spinlock_t tx_lock;
	u32 mtu;
	u32 mtu_seen;
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
 * @rx_unknown: datagrams from an address that is no peer's
 */
struct gsk_bearers {
	struct gsk_bearer bearer[GSK_BEARERS_MAX];
	struct gsk_peer peer[GPE_PATHS_MAX];
	u32 n;
	u32 n_peers;
	u64 tx_pending;
	atomic64_t rx_unknown;
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
/* Sends a list of datagrams; frees them. Softirqs off, under rcu. */
void gsk_udp_send(struct gsk_bearer *brr, struct gsk_peer *peer,
		  struct sk_buff_head *list);

#endif /* GSK_BEARER_H */
