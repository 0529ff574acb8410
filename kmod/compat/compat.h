/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that knows that kernels differ. Kbuild asks the headers and
 * defines GSK_HAVE_*; this file, included before everything, turns that into
 * one form for the rest of the module.
 */
#ifndef GSK_COMPAT_H
#define GSK_COMPAT_H

/* What a class's namespace callback is given. */
#ifdef GSK_HAVE_CONST_CLASS
#define gsk_const_device const struct device
#else
#define gsk_const_device struct device
#endif

/* Attributes of a request that is answered by a dump. */
#ifdef GSK_HAVE_DUMP_INFO
#define gsk_dump_attrs(di) ((di)->info.attrs)
#else
#define gsk_dump_attrs(di) ((di)->attrs)
#endif

/* What a UDP socket's hook for ICMP errors is given; the first is sk. */
#ifdef GSK_HAVE_ENCAP_ERR_INFO
#define gsk_encap_err_args struct sock *sk, struct sk_buff *skb, int err, \
	__be16 port, u32 info, u8 *payload
#else
#define gsk_encap_err_args struct sock *sk, struct sk_buff *skb, \
	unsigned int udp_offset
#endif

/* A namespace's sysctls: how many there are, or an empty entry at the end. */
#ifdef GSK_HAVE_SYSCTL_SZ
#define gsk_register_sysctl(net, path, table, n) \
	register_net_sysctl_sz(net, path, table, n)
#else
#define gsk_register_sysctl(net, path, table, n) \
	register_net_sysctl(net, path, table)
#endif

/*
 * A socket's reference to its namespace is no longer counted as one that keeps
 * it alive; where sk_destruct() gives back a passive one then, it takes that.
 */
#ifdef GSK_HAVE_NET_PASSIVE
#define gsk_net_passive(net, tracker) do {				\
		net_passive_inc(net);					\
		__netns_tracker_free(net, tracker, true);		\
		__netns_tracker_alloc(net, tracker, false, GFP_KERNEL);	\
	} while (0)
#else
#define gsk_net_passive(net, tracker) netns_tracker_free(net, tracker)
#endif

#endif /* GSK_COMPAT_H */
