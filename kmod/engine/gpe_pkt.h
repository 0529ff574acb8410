/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Packets, decoded: what gpe_wire and gpe_wirev make of bytes from the
 * network, once they have passed every check. Part of gpe_int.h.
 */
#ifndef GPE_PKT_H
#define GPE_PKT_H

#include "gpe.h"

/* ---- decoded packets ---- */

enum gpe_pkt_type {
	GPE_PK_BEAT = 1,	/* gpe_detect: heartbeat, also answers a probe */
	GPE_PK_PROBE,
	GPE_PK_GOODBYE,
	GPE_PK_REFUSE,
	GPE_PK_PREPARE,		/* gpe_view from here on */
	GPE_PK_PROMISE,
	GPE_PK_PROPOSE,
	GPE_PK_READY,
	GPE_PK_ACCEPT,
	GPE_PK_ACCEPTED,
	GPE_PK_INSTALL,
	GPE_PK_GET,
	GPE_PK_PART,
	GPE_PK_DATA,		/* gpe_region from here on */
	GPE_PK_ACK,
	GPE_PK_STATUS,
	GPE_PK_REPAIR,		/* asks for items of a closing epoch */
	GPE_PK_CREDIT,		/* gpe_credit */
	GPE_PK_N
};

/* An item of a DATA packet, decoded; the last four with fragment 0 only. */
struct gpe_item {
	u8 type;
	u8 level;
	u8 inl_len;
	u16 idx;
	u16 n_frags;
	u32 frag_len;
	u32 len;		/* payload bytes of this fragment */
	u32 total;		/* payload bytes of the message */
	u64 gid;
	struct gpe_vid vid;
	u32 port;
	u32 dst_port;
	u32 off;		/* of the payload in the packet's buffer */
	const u8 *inl;
	u64 lamport;
	u64 rec;		/* struct gpe_msg */
	u64 vec_mask;		/* struct gpe_vec */
	const u8 *vec;
};

struct gpe_pkt_data {
	u64 region;
	u64 base;		/* sequence number of the first item */
	u64 stable;
	bool dir;
	bool repair;		/* of a closing epoch, from its holder */
	u8 origin;		/* rank of the stream's sender */
	u8 n;
	struct gpe_item item[GPE_ITEMS_MAX];
};

struct gpe_range {
	u64 from;
	u64 to;
};

/* ACK: of the destination's stream. STATUS: of the source's own stream. */
struct gpe_pkt_ack {
	u64 region;
	bool dir;
	u64 cum;		/* STATUS: top */
	u64 stable;
	u8 n;
	struct gpe_range nack[GPE_NACKS_MAX];
};

struct gpe_pkt_repair {
	u64 region;
	bool dir;
	u8 origin;
	u64 from;
	u64 to;
};

/* Entries of a CREDIT packet; see gpe_credit.c. */
#define GPE_CREDITS_MAX 20
struct gpe_pkt_credit {
	u8 n;
	struct {
		u64 gid;
		u64 k;
		u64 limit;
		u32 serial;
		u32 want;
		u8 ask;
	} c[GPE_CREDITS_MAX];
};

/* Control packets: gpe_wirev.c says which fields each type carries. */

/* Epochs and ballot numbers stay below this, so that one more fits. */
#define GPE_EPOCH_TOP BIT_ULL(62)
/* How far ahead of the wall clock an epoch is believed, ns: nine years. */
#define GPE_EPOCH_AHEAD BIT_ULL(58)
/* Numbers that a first epoch is drawn from where the wall clock is behind. */
#define GPE_EPOCH_SPREAD BIT(24)

enum gpe_beat_flags {
	GPE_BF_QUORATE = 1,	/* hears a quorum of its epoch */
	GPE_BF_LEFT = 2,	/* accepted a formation: its chain is left */
	GPE_BF_ALL = 3,
};

enum gpe_refuse {
	GPE_REFUSE_DUP_ID = 1,
};

struct gpe_pkt_beat {
	u64 max_epoch;
	u64 nonce;		/* of the probe it answers, 0: none */
	u32 votes;
	u32 expected;
	u32 view_votes;		/* all votes of its node view */
	u8 state;		/* enum gpe_state */
	u8 rank;		/* own rank in its epoch */
	u8 flags;
	u8 reason;		/* REFUSE: enum gpe_refuse */
	u8 n;
	struct {
		u32 id;
		u64 inc;
	} heard[GPE_NODES_MAX];
};

struct gpe_ballot {
	u64 nr;
	u32 id;
};

/* Blobs: control messages that travel in parts. */
enum gpe_blob_kind {
	GPE_BK_NONE,
	GPE_BK_PROMISE,
	GPE_BK_VALUE,		/* of a proposal */
	GPE_BK_DECISION,
	GPE_BK_DIR,
	GPE_BK_N
};

/* Bytes of one part: with both heads below GPE_HDR_MAX. */
#define GPE_VIEW_PART 928

enum gpe_view_flags {
	GPE_VF_NAK = 1,		/* PROMISE: no, @nonce was promised already */
	GPE_VF_DONE = 2,	/* READY: all is here; else @nonce is progress */
	GPE_VF_GONE = 4,	/* PART: unknown here, and so is the asker */
};

struct gpe_pkt_view {
	u64 closing;		/* instance: epoch that ends, 0: formation */
	struct gpe_ballot ballot;
	u8 kind;		/* enum gpe_blob_kind */
	u8 flags;
	u8 want;		/* GET: parts wanted, bit 0 is the one at @off */
	u32 total;		/* bytes of the whole blob */
	u32 off;
	u32 len;
	u64 nonce;
	const u8 *part;		/* in the packet's header part */
};

struct gpe_pkt {
	enum gpe_pkt_type type;
	u32 path;
	u32 src;
	u64 src_inc;
	u64 dst_inc;		/* 0: whoever is there */
	u64 epoch;		/* sender's current epoch, 0: none */
	u32 len;
	void *buf;
	union {
		struct gpe_pkt_data data;
		struct gpe_pkt_ack ack;
		struct gpe_pkt_repair repair;
		struct gpe_pkt_credit credit;
		struct gpe_pkt_beat beat;
		struct gpe_pkt_view view;
	};
};

#endif /* GPE_PKT_H */
