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

#endif /* GSK_COMPAT_H */
