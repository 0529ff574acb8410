// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Packets on the wire. Every byte from the network is checked here and in the
 * two functions called from here for control packets, before any state is
 * read; what passes is a struct gpe_pkt.
 *
 * A datagram is a header part, hdr_len bytes, and payload. All numbers are
 * big-endian. The header part begins with
 *
 *	 0 magic 2 | 2 version 1 | 3 type 1 | 4 hdr_len 2 | 6 zero 2
 *	 8 cluster 8 | 16 source id 4 | 20 zero 4 | 24 source incarnation 8
 *	32 destination incarnation 8, 0: whoever is there | 40 epoch 8
 */
#include "gpe_int.h"

#define GPE_MAGIC	0x4753

/*
 * DATA: region 8 | base 8 | stable 8 | origin 1 | flags 1 | items 1 | zero 5,
 * then the items' headers. ACK and STATUS: region 8 | cum 8 | stable 8 |
 * ranges 1 | flags 1 | zero 6, then the ranges. REPAIR: region 8 | from 8 |
 * to 8 | origin 1 | flags 1 | zero 6.
 */
#define GPE_BODY_LEN	32
#define GPE_FLAG_DIR	1
#define GPE_FLAG_REPAIR	2
#define GPE_RANGE_LEN	16
/*
 * Control item: type 1 | zero 1 | length 1 | zero 1, then its content.
 * Message: type 1 | level 1, top bit: one of several fragments | length of the
 * extension 2 | message length 4 | gid 8 | view epoch 8 | view seq 8 | port 4,
 * to one member: to port 4, of several: index 2 | fragments 2 | fragment
 * length 4. The first or only fragment goes on with the extension: lamport 8,
 * to all and causal or above: order record 8, and if the vector has changed:
 * its ranks 8, each one's sequence number 6.
 */
#define GPE_ITEM_LEN	4
#define GPE_ITEM_MSG	36
#define GPE_ITEM_TO	4
#define GPE_ITEM_FRAG	8
#define GPE_LEVEL_FRAG	0x80
#define GPE_EXT_LAMPORT	8
#define GPE_EXT_REC	16
#define GPE_EXT_VEC	24

#define GPE_BAD(reason) (GPE_CNT_DROP_##reason + 1)

u32 gpe_wire_open(struct gpe_node *node, u8 *p, enum gpe_pkt_type type,
		  u64 dst_inc)
{
	put_unaligned_be16(GPE_MAGIC, p);
	p[2] = GPE_VERSION;
	p[3] = type;
	put_unaligned_be32(0, p + 4);
	put_unaligned_be64(node->cfg.cluster, p + 8);
	put_unaligned_be32(node->cfg.id, p + 16);
	put_unaligned_be32(0, p + 20);
	put_unaligned_be64(node->inc, p + 24);
	put_unaligned_be64(dst_inc, p + 32);
	put_unaligned_be64(node->ep.epoch, p + 40);
	return GPE_WIRE_HDR;
}

void gpe_wire_close(u8 *p, u32 hdr_len)
{
	put_unaligned_be16(hdr_len, p + 4);
}

/* ---- encoding ---- */

u32 gpe_wire_body(u8 *p, u64 region, u64 a, u64 b, u8 nr, bool dir,
		  bool repair, u8 n)
{
	put_unaligned_be64(region, p);
	put_unaligned_be64(a, p + 8);
	put_unaligned_be64(b, p + 16);
	p[24] = nr;
	p[25] = (dir ? GPE_FLAG_DIR : 0) | (repair ? GPE_FLAG_REPAIR : 0);
	p[26] = n;
	memset(p + 27, 0, 5);
	return GPE_BODY_LEN;
}

u32 gpe_wire_range(u8 *p, u64 from, u64 to)
{
	put_unaligned_be64(from, p);
	put_unaligned_be64(to, p + 8);
	return GPE_RANGE_LEN;
}

static bool gpe_ordered_level(u8 type, u8 level)
{
	return type == GPE_IT_DATA && level >= GPE_CAUSAL;
}

static u32 gpe_ext_len(const struct gpe_msg *msg, u32 idx)
{
	if (idx)
		return 0;
	if (!gpe_ordered_level(msg->type, msg->level))
		return GPE_EXT_LAMPORT;
	if (!msg->vec)
		return GPE_EXT_REC;
	return GPE_EXT_VEC + hweight64(msg->vec->mask) * GPE_VEC_SEQ;
}

u32 gpe_wire_item_len(const struct gpe_msg *msg, u32 idx)
{
	if (gpe_item_is_ctl(msg->type))
		return GPE_ITEM_LEN + msg->inl_len;
	return GPE_ITEM_MSG + (msg->type == GPE_IT_ONE ? GPE_ITEM_TO : 0) +
	       (msg->n_frags > 1 ? GPE_ITEM_FRAG : 0) + gpe_ext_len(msg, idx);
}

static u8 *gpe_ext_put(u8 *p, const struct gpe_msg *msg, u32 len)
{
	if (!len)
		return p;
	put_unaligned_be64(msg->lamport, p);
	if (len >= GPE_EXT_REC)
		put_unaligned_be64(msg->after, p + GPE_EXT_LAMPORT);
	if (len >= GPE_EXT_VEC) {
		put_unaligned_be64(msg->vec->mask, p + GPE_EXT_REC);
		memcpy(p + GPE_EXT_VEC, msg->vec->seq, len - GPE_EXT_VEC);
	}
	return p + len;
}

u32 gpe_wire_item(u8 *p, const struct gpe_msg *msg, u32 idx)
{
	u32 ext = gpe_ext_len(msg, idx);
	u8 *q = p;

	q[0] = msg->type;
	if (gpe_item_is_ctl(msg->type)) {
		q[1] = 0;
		q[2] = msg->inl_len;
		q[3] = 0;
		memcpy(q + GPE_ITEM_LEN, msg->inl, msg->inl_len);
		return GPE_ITEM_LEN + msg->inl_len;
	}
	q[1] = msg->level | (msg->n_frags > 1 ? GPE_LEVEL_FRAG : 0);
	put_unaligned_be16(ext, q + 2);
	put_unaligned_be32(msg->len, q + 4);
	put_unaligned_be64(msg->gid, q + 8);
	put_unaligned_be64(msg->vid.epoch, q + 16);
	put_unaligned_be64(msg->vid.seq, q + 24);
	put_unaligned_be32(msg->sender.port, q + 32);
	q += GPE_ITEM_MSG;
	if (msg->type == GPE_IT_ONE) {
		put_unaligned_be32(msg->dst_port, q);
		q += GPE_ITEM_TO;
	}
	if (msg->n_frags > 1) {
		put_unaligned_be16(idx, q);
		put_unaligned_be16(msg->n_frags, q + 2);
		put_unaligned_be32(msg->frag_len, q + 4);
		q += GPE_ITEM_FRAG;
	}
	return gpe_ext_put(q, msg, ext) - p;
}

/* ---- decoding ---- */

static bool gpe_zero(const u8 *p, u32 n)
{
	while (n--)
		if (p[n])
			return false;
	return true;
}

/* How the fragments divide the message, and how long this one is. */
static bool gpe_item_frags(struct gpe_item *it)
{
	if (it->total > GPE_MSG_MAX || !it->n_frags || it->idx >= it->n_frags)
		return false;
	if (it->n_frags == 1) {
		it->len = it->total;
		return !it->frag_len && it->total <= GPE_FRAG_MAX;
	}
	if (it->frag_len < GPE_FRAG_MIN - GPE_FRAG_VEC || it->frag_len > GPE_FRAG_MAX ||
	    it->n_frags != DIV_ROUND_UP(it->total, it->frag_len))
		return false;
	it->len = it->frag_len;
	if (it->idx == it->n_frags - 1)
		it->len = it->total - it->idx * it->frag_len;
	return true;
}

/* The extension, @len bytes, of a message whose head was decoded. */
static bool gpe_decode_ext(const u8 *p, u32 len, struct gpe_item *it)
{
	u32 i;

	if (it->idx)
		return !len;
	if (len < GPE_EXT_LAMPORT)
		return false;
	it->lamport = get_unaligned_be64(p);
	if (it->lamport >= GPE_EPOCH_TOP)
		return false;
	if (!gpe_ordered_level(it->type, it->level))
		return len == GPE_EXT_LAMPORT;
	if (len < GPE_EXT_REC)
		return false;
	it->rec = get_unaligned_be64(p + GPE_EXT_LAMPORT);
	if (len == GPE_EXT_REC)
		return true;
	if (len < GPE_EXT_VEC)
		return false;
	it->vec_mask = get_unaligned_be64(p + GPE_EXT_REC);
	it->vec = p + GPE_EXT_VEC;
	len -= GPE_EXT_VEC;
	if (!it->vec_mask || hweight64(it->vec_mask) >= GPE_NODES_MAX ||
	    len != hweight64(it->vec_mask) * GPE_VEC_SEQ)
		return false;
	for (i = 0; i < len; i += GPE_VEC_SEQ)
		if (gpe_zero(it->vec + i, GPE_VEC_SEQ))
			return false;
	return true;
}

/* A message's header of at most @len bytes; its length, or minus the reason. */
static int gpe_decode_msg(const u8 *p, u32 len, struct gpe_item *it)
{
	u32 ext, used = GPE_ITEM_MSG;
	bool frag;

	if (len < GPE_ITEM_MSG)
		return -GPE_BAD(SHORT);
	frag = p[1] & GPE_LEVEL_FRAG;
	it->level = p[1] & ~GPE_LEVEL_FRAG;
	ext = get_unaligned_be16(p + 2);
	it->total = get_unaligned_be32(p + 4);
	it->gid = get_unaligned_be64(p + 8);
	it->vid.epoch = get_unaligned_be64(p + 16);
	it->vid.seq = get_unaligned_be64(p + 24);
	it->port = get_unaligned_be32(p + 32);
	if (len < used + (it->type == GPE_IT_ONE ? GPE_ITEM_TO : 0) +
			  (frag ? GPE_ITEM_FRAG : 0) + ext)
		return -GPE_BAD(SHORT);
	if (it->type == GPE_IT_ONE) {
		it->dst_port = get_unaligned_be32(p + used);
		used += GPE_ITEM_TO;
		if (!it->dst_port)
			return -GPE_BAD(MALFORMED);
	}
	it->n_frags = 1;
	if (frag) {
		it->idx = get_unaligned_be16(p + used);
		it->n_frags = get_unaligned_be16(p + used + 2);
		it->frag_len = get_unaligned_be32(p + used + 4);
		used += GPE_ITEM_FRAG;
	}
	if (!it->gid || !it->vid.epoch || !it->port || it->level > GPE_SAFE ||
	    frag != (it->n_frags > 1) || !gpe_item_frags(it) ||
	    !gpe_decode_ext(p + used, ext, it))
		return -GPE_BAD(MALFORMED);
	return used + ext;
}

/* One item header of at most @len bytes; its length, or minus the reason. */
static int gpe_decode_item(const u8 *p, u32 len, struct gpe_item *it)
{
	if (len < GPE_ITEM_LEN)
		return -GPE_BAD(SHORT);
	memset(it, 0, sizeof(*it));
	it->type = p[0];
	if (!it->type || it->type >= GPE_IT_N)
		return -GPE_BAD(MALFORMED);
	if (!gpe_item_is_ctl(it->type))
		return gpe_decode_msg(p, len, it);
	it->inl_len = p[2];
	if (len < GPE_ITEM_LEN + (u32)it->inl_len)
		return -GPE_BAD(SHORT);
	it->inl = p + GPE_ITEM_LEN;
	it->n_frags = 1;
	if (p[1] || p[3] || it->inl_len > GPE_INLINE_MAX ||
	    !gpe_item_check(it->type, it->inl, it->inl_len))
		return -GPE_BAD(MALFORMED);
	return GPE_ITEM_LEN + it->inl_len;
}

static int gpe_decode_data(const u8 *p, u32 len, u32 payload, u32 off,
			   struct gpe_pkt_data *data)
{
	u32 i, used = GPE_BODY_LEN, sum = 0;

	data->region = get_unaligned_be64(p);
	data->base = get_unaligned_be64(p + 8);
	data->stable = get_unaligned_be64(p + 16);
	data->origin = p[24];
	data->dir = p[25] & GPE_FLAG_DIR;
	data->repair = p[25] & GPE_FLAG_REPAIR;
	data->n = p[26];
	if (p[25] > 3 || !gpe_zero(p + 27, 5) || !data->n ||
	    data->n > GPE_ITEMS_MAX || data->origin >= GPE_NODES_MAX ||
	    !data->region || !data->base ||
	    data->base > U64_MAX - 2 * GPE_WINDOW_RX)
		return GPE_BAD(MALFORMED);
	for (i = 0; i < data->n; i++) {
		struct gpe_item *it = &data->item[i];
		int n = gpe_decode_item(p + used, len - used, it);

		if (n < 0)
			return -n;
		if (it->idx >= data->base + i)
			return GPE_BAD(MALFORMED);
		used += n;
		it->off = off + sum;
		sum += it->len;
	}
	return used == len && sum == payload ? 0 : GPE_BAD(SHORT);
}

static int gpe_decode_ack(const u8 *p, u32 len, struct gpe_pkt_ack *ack)
{
	u32 i;

	ack->region = get_unaligned_be64(p);
	ack->cum = get_unaligned_be64(p + 8);
	ack->stable = get_unaligned_be64(p + 16);
	ack->n = p[24];
	ack->dir = p[25] & GPE_FLAG_DIR;
	if (p[25] > 1 || !gpe_zero(p + 26, 6) || !ack->region ||
	    ack->n > GPE_NACKS_MAX || ack->stable > ack->cum)
		return GPE_BAD(MALFORMED);
	if (len != GPE_BODY_LEN + (u32)ack->n * GPE_RANGE_LEN)
		return GPE_BAD(SHORT);
	p += GPE_BODY_LEN;
	for (i = 0; i < ack->n; i++, p += GPE_RANGE_LEN) {
		ack->nack[i].from = get_unaligned_be64(p);
		ack->nack[i].to = get_unaligned_be64(p + 8);
		if (!ack->nack[i].from || ack->nack[i].to < ack->nack[i].from)
			return GPE_BAD(MALFORMED);
	}
	return 0;
}

static int gpe_decode_repair(const u8 *p, u32 len, struct gpe_pkt_repair *r)
{
	r->region = get_unaligned_be64(p);
	r->from = get_unaligned_be64(p + 8);
	r->to = get_unaligned_be64(p + 16);
	r->origin = p[24];
	r->dir = p[25] & GPE_FLAG_DIR;
	if (len != GPE_BODY_LEN)
		return GPE_BAD(SHORT);
	if (p[25] > 1 || !gpe_zero(p + 26, 6) || !r->region || !r->from ||
	    r->to < r->from || r->origin >= GPE_NODES_MAX)
		return GPE_BAD(MALFORMED);
	return 0;
}

static int gpe_decode_body(const u8 *p, u32 len, u32 payload, u32 off,
			   struct gpe_pkt *pkt)
{
	if (pkt->type != GPE_PK_DATA && payload)
		return GPE_BAD(MALFORMED);
	if (pkt->type < GPE_PK_DATA)
		return gpe_wirev_decode(p, len, pkt);
	if (pkt->type == GPE_PK_CREDIT)
		return gpe_credit_decode(p, len, pkt);
	if (len < GPE_BODY_LEN)
		return GPE_BAD(SHORT);
	switch (pkt->type) {
	case GPE_PK_DATA:
		return gpe_decode_data(p, len, payload, off, &pkt->data);
	case GPE_PK_ACK:
	case GPE_PK_STATUS:
		return gpe_decode_ack(p, len, &pkt->ack);
	case GPE_PK_REPAIR:
		return gpe_decode_repair(p, len, &pkt->repair);
	default:
		return GPE_BAD(TYPE);
	}
}

int gpe_wire_decode(struct gpe_node *node, const struct gpe_ev_packet *ev,
		    struct gpe_pkt *pkt)
{
	const u8 *p = ev->hdr;
	u32 hdr_len;

	if (ev->len < GPE_WIRE_HDR || ev->hdr_len < GPE_WIRE_HDR ||
	    ev->hdr_len > ev->len)
		return GPE_BAD(SHORT);
	if (get_unaligned_be16(p) != GPE_MAGIC || p[2] != GPE_VERSION)
		return GPE_BAD(VERSION);
	if (get_unaligned_be64(p + 8) != node->cfg.cluster)
		return GPE_BAD(CLUSTER);
	if (!p[3] || p[3] >= GPE_PK_N)
		return GPE_BAD(TYPE);
	hdr_len = get_unaligned_be16(p + 4);
	if (hdr_len < GPE_WIRE_HDR || hdr_len > GPE_HDR_MAX ||
	    hdr_len > ev->hdr_len)
		return GPE_BAD(SHORT);
	if (p[6] || p[7] || !gpe_zero(p + 20, 4))
		return GPE_BAD(MALFORMED);
	pkt->type = p[3];
	pkt->path = ev->path;
	pkt->src = get_unaligned_be32(p + 16);
	pkt->src_inc = get_unaligned_be64(p + 24);
	pkt->dst_inc = get_unaligned_be64(p + 32);
	pkt->epoch = get_unaligned_be64(p + 40);
	pkt->len = ev->len;
	pkt->buf = ev->buf;
	if (!pkt->src || !pkt->src_inc)
		return GPE_BAD(MALFORMED);
	return gpe_decode_body(p + GPE_WIRE_HDR, hdr_len - GPE_WIRE_HDR,
			       ev->len - hdr_len, ev->off + hdr_len, pkt);
}
