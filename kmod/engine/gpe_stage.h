/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Views of a group on this node, and the messages that wait in them. Included
 * by gpe_int.h.
 */
#ifndef GPE_STAGE_H
#define GPE_STAGE_H

#include "gpe.h"

struct gpe_msg;
struct gpe_node;
struct gpe_region;

/* Bytes of one entry of a vector: a sequence number. */
#define GPE_VEC_SEQ 6

/**
 * struct gpe_vec - what the sender of a causal message had delivered
 * @mask: senders, by rank, of whom it had more than its last message said
 * @seq: for each set bit of @mask, where their last message of order causal or
 *	above ends: a 48-bit number, big-endian, as on the wire
 *
 * Counts messages of this group and view only: a prefix of the stream would
 * make a causal message wait for a total one of another group, which may wait
 * for it. What it had delivered of total order is in gpe_msg.after. The clocks
 * are those of Birman, Schiper & Stephenson (Lightweight causal and atomic
 * group multicast, 1991), with stream positions for counters.
 */
struct gpe_vec {
	u64 mask;
	u8 seq[GPE_VEC_SEQ * (GPE_NODES_MAX - 1)];
};

/**
 * struct gpe_slot - a sender node in a stage
 * @q: its messages of order fifo and above, in the order sent
 * @done: where the last one delivered ends, as a place in its stream
 * @seen: the same for those of order causal and above
 * @told: of @seen, what vectors sent from here have said
 * @need: @done, when the safe message that waits now came to be the next
 */
struct gpe_slot {
	struct list_head q;
	u64 done;
	u64 seen;
	u64 told;
	u64 need;
};

/**
 * struct gpe_stage - a view of a group on this node, or the part of it that
 *	lies in one epoch: messages wait in it until they can be delivered
 * @list: in the group's list; the first is the one being delivered
 * @view: NULL at the end stage of a group that this node has left
 * @epoch: the epoch whose ranks the masks use
 * @k: change that opened it, 0 if it opened with the epoch
 * @mask: nodes with members in the view
 * @region: mask of the region that carries its messages
 * @prev_mask: nodes of the view before, 0 if that was of an earlier epoch
 * @silent: same view as before, in a new epoch: no event
 * @forced: the epoch is closed: no more markers or opens will come
 * @broken: ranks whose messages of this stage are void
 * @close_k: change that closes it, 0 while it is the latest
 * @opens: ranks that said OPEN for @k
 * @open_sent: this node did
 * @safe: a safe message has come: all say OPEN
 * @installed: its view was delivered
 * @ready: slots whose queue is not empty
 * @follows: the stage before it was delivered here
 * @rec_seq: place of the last record that ordered a message of it
 * @rec_used: place of the last record that a message delivered was ordered by
 * @rec_done: forced: place of the last record there is
 * @open_link: in node->opens while the OPEN of this view is to be sent
 * @wait: in gpe_region.waits while it waits for one of the next two
 * @wait_rec: this record, U64_MAX: none
 * @wait_rank: this stream to be stable up to @wait_seq, GPE_NO_PATH: none
 * @holding: the safe message that the slots' @need is about
 * @totals: messages in total order
 * @ones: messages to one member that wait for the view
 * @nones: messages of order none
 * @slot: one for each set bit of @mask
 */
struct gpe_stage {
	struct list_head list;
	struct list_head closing;
	struct gpe_group *grp;
	struct gpe_view *view;
	struct gpe_view_rec *vrec; /* record made ready: install cannot fail */
	struct gpe_vid vid;
	u64 epoch;
	u64 k;
	u64 mask;
	u64 region;
	u64 prev_mask;
	u64 prev_region;
	bool silent;
	bool forced;
	bool installed;
	bool follows;
	bool open_sent;
	bool safe;
	u8 wait_rank;
	struct list_head open_link;
	struct list_head wait;
	u64 wait_rec;
	u64 wait_seq;
	u64 broken;
	u64 close_k;
	u64 opens;
	u64 position;
	u64 ready;
	u64 rec_seq;
	u64 rec_used;
	u64 rec_done;
	u32 held;
	const struct gpe_msg *holding;
	struct list_head totals;
	struct list_head ones;
	struct list_head nones;
	struct gpe_slot slot[];
};

/* Past views of a group within this epoch, for the rule on void messages. */
#define GPE_HIST 8
struct gpe_hist {
	u64 k;
	u64 prev_region;
	u64 prev_mask;
};

/* ---- gpe_group ---- */

/* Takes a message out of its stage, for delivery or for nothing. */
void gpe_stage_take(struct gpe_stage *st, struct gpe_msg *msg);
/* The latest view, or NULL. */
struct gpe_stage *gpe_stage_last(struct gpe_group *grp);
/* Says OPEN to the others, once, if it is open here. */
void gpe_stage_open(struct gpe_node *node, struct gpe_stage *st);

/* ---- gpe_deliver ---- */

/* Delivers what may be delivered; false when the output is full. */
bool gpe_stage_deliver(struct gpe_node *node, struct gpe_stage *st);
/* Messages of ranks in @ranks are void. */
void gpe_stage_void(struct gpe_node *node, struct gpe_stage *st, u64 ranks);
/* Stages that wait for a record, or for a stream of @rgn to be stable. */
void gpe_waits_run(struct gpe_node *node, struct gpe_region *rgn);
/* The vector of the next message from here: entries, or how many bytes. */
u32 gpe_vec_len(const struct gpe_node *node, const struct gpe_stage *st);
void gpe_vec_make(struct gpe_node *node, struct gpe_stage *st,
		  struct gpe_vec *vec);

#endif /* GPE_STAGE_H */
