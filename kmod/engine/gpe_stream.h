/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What gpe_region, gpe_stream and gpe_repair share; for nobody else. */
#ifndef GPE_STREAM_H
#define GPE_STREAM_H

#include "gpe_int.h"

/* The message that item @seq belongs to, or the last one before it. */
struct gpe_msg *gpe_msg_floor(struct gpe_stream *s, u64 seq);
struct gpe_msg *gpe_msg_at(struct gpe_stream *s, u64 seq);
struct gpe_msg *gpe_msg_next(struct gpe_msg *msg);
struct gpe_msg *gpe_msg_first(struct gpe_stream *s);
void gpe_msg_insert(struct gpe_stream *s, struct gpe_msg *msg);
void gpe_msg_unlink(struct gpe_node *node, struct gpe_stream *s,
		    struct gpe_msg *msg);
/* Lets go of what is stable and dispatched. */
void gpe_trim(struct gpe_node *node, struct gpe_region *rgn,
	      struct gpe_stream *s);
/* Is @it of this message, as far as can be seen? */
bool gpe_msg_fits(const struct gpe_msg *msg, const struct gpe_item *it);
/* Takes fragment @it in; false if it was here or found no memory. */
bool gpe_rx_frag(struct gpe_node *node, struct gpe_msg *msg,
		 const struct gpe_item *it, void *buf);
void gpe_rx_contiguous(struct gpe_stream *s);
/* What of stream @s is missing in items @seq to @to: ranges, at most @max. */
u32 gpe_missing(struct gpe_stream *s, u64 seq, u64 to, struct gpe_range *r,
		u32 max);

struct gpe_stream *gpe_own(struct gpe_node *node, struct gpe_region *rgn);
struct gpe_peerack *gpe_ack_of(struct gpe_region *rgn, u32 rank);
void gpe_region_work(struct gpe_node *node, struct gpe_region *rgn);
void gpe_region_rearm(struct gpe_node *node, struct gpe_region *rgn);
/* Dispatches what is in sequence. */
void gpe_advance(struct gpe_node *node, struct gpe_region *rgn,
		 struct gpe_stream *s);
bool gpe_rx_gate(struct gpe_node *node, const struct gpe_pkt *pkt,
		 bool repair);
struct gpe_region *gpe_rx_region(struct gpe_node *node,
				 const struct gpe_pkt *pkt, u64 mask, bool dir,
				 u32 *rank);
void gpe_repair_add(struct gpe_peerack *pa, u64 from, u64 to, u8 origin);
/* Takes note of a message put into the own stream. */
void gpe_tx_numbered(struct gpe_node *node, struct gpe_region *rgn,
		     const struct gpe_msg *msg);
/* What is held goes as soon as anything may. */
void gpe_tx_push(struct gpe_node *node, struct gpe_region *rgn);
/* Do the items not sent yet wait for a batch? Sets when they end to. */
bool gpe_tx_hold(struct gpe_node *node, struct gpe_region *rgn);
u64 gpe_paths(const struct gpe_node *node, u64 ranks);
/* Closing: the message beyond the prefix that item @seq is of, or NULL. */
const struct gpe_cut *gpe_single(const struct gpe_node *node,
				 const struct gpe_region *rgn, u32 rank,
				 u64 seq);
/* Closing: asks the holders for what lacks; false when the output is full. */
bool gpe_tx_wants(struct gpe_node *node, struct gpe_region *rgn);

#endif /* GPE_STREAM_H */
