/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The engine's private structures. Who does what:
 *
 *   gpe_core    step, timers, reserve, output, counters
 *   gpe_wire    packets of streams: encode, decode, validate
 *   gpe_region  reliable streams among a set of nodes of one epoch;
 *		 gpe_stream: their messages, gpe_repair: their end
 *   gpe_group   a group on this node: stages and views; gpe_deliver: what may
 *		 be delivered, gpe_submit: sends, gpe_order: total order,
 *		 gpe_mark: markers and opens; see gpe_stage.h
 *   gpe_dir     the directory: log, requests, groups and members; gpe_epoch:
 *		 from one epoch to the next, gpe_snap: for a joiner
 *   gpe_credit  room of receivers, granted to senders
 *   gpe_detect  heartbeats, who hears whom, suspicion, own doubt
 *   gpe_view    consensus on the next node view, see gpe_change.h
 *   gpe_wirev   packets of gpe_detect and gpe_view
 *
 * Output is pulled: an event changes state and marks what is due; the pump
 * functions then turn what is due into actions while the output has room, and
 * find the rest still due at the next step. So nothing is lost for want of
 * room, and a control message is always made anew from state.
 */
#ifndef GPE_INT_H
#define GPE_INT_H

#include "gpe.h"
#include "gpe_epoch.h"
#include "gpe_fault.h"
#include "gpe_pkt.h"
#include "gpe_stage.h"

/* ---- ranks, masks, epochs ---- */

#define GPE_NO_PATH 0xff

/**
 * struct gpe_seat - a node of an epoch; its index is its rank
 */
struct gpe_seat {
	u32 id;
	u32 votes;
	u64 inc;
	u8 path;	/* GPE_NO_PATH: self, or address not known yet */
};

/**
 * struct gpe_epoch - a node view
 * @epoch: number, 0: none
 * @n: nodes, rank 0 is the most senior
 * @self: own rank
 * @expected: expected votes, as decided
 */
struct gpe_epoch {
	u64 epoch;
	u32 n;
	u32 self;
	u32 expected;
	struct gpe_seat seat[GPE_NODES_MAX];
};

static inline u64 gpe_bit(u32 rank)
{
	return 1ULL << rank;
}

static inline u64 gpe_all(const struct gpe_epoch *ep)
{
	return ep->n == 64 ? ~0ULL : gpe_bit(ep->n) - 1;
}

static inline u32 gpe_lowest(u64 mask)
{
	return __ffs64(mask);
}

/* Index of @rank among the set bits of @mask. */
static inline u32 gpe_slot(u64 mask, u32 rank)
{
	return hweight64(mask & (gpe_bit(rank) - 1));
}

static inline int gpe_vid_cmp(const struct gpe_vid *a, const struct gpe_vid *b)
{
	if (a->epoch != b->epoch)
		return a->epoch < b->epoch ? -1 : 1;
	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	return 0;
}

/* ---- timers ---- */

enum gpe_timer_kind {
	GPE_TM_REGION,		/* struct gpe_region.timer */
	GPE_TM_CREDIT,		/* struct gpe_node.credit_timer */
	GPE_TM_DIR,		/* struct gpe_node.dir_timer */
	GPE_TM_BEAT,		/* gpe_detect: heartbeat */
	GPE_TM_CHECK,		/* gpe_detect: next suspicion or probe */
	GPE_TM_VIEW,		/* gpe_view: whatever the ballot waits for */
};

struct gpe_timer {
	struct rb_node rb;
	u64 at;
	u8 kind;
	bool armed;
};

void gpe_timer_init(struct gpe_timer *tm, enum gpe_timer_kind kind);
/* (Re)arms; @at may be in the past: fires in the next step. */
void gpe_timer_set(struct gpe_node *node, struct gpe_timer *tm, u64 at);
/* Arms only if not armed, or armed for later than @at. */
void gpe_timer_sooner(struct gpe_node *node, struct gpe_timer *tm, u64 at);
void gpe_timer_cancel(struct gpe_node *node, struct gpe_timer *tm);

/* ---- messages ---- */

/* Item types on the wire. Those from GPE_IT_ORDER on are control items: one
 * fragment, content inline, their own share of the window.
 */
enum gpe_item_type {
	GPE_IT_DATA = 1,	/* message to all members */
	GPE_IT_ONE,		/* message to one member, pair region */
	GPE_IT_ORDER,		/* order records of a data region */
	GPE_IT_MARK,		/* "through k" */
	GPE_IT_OPEN,		/* a group's view k is open at the sender */
	GPE_IT_LOG,		/* a change of the directory, region 0 */
	GPE_IT_REQ,		/* request to the lowest-ranked node */
	GPE_IT_REPLY,		/* refusal of a request */
	GPE_IT_N
};

/* Blocks of received fragments, one cell each, chained from the message. */
#define GPE_BLK_FRAGS 26
struct gpe_fragblk {
	struct gpe_fragblk *next;
	u32 have;	/* mask of filled entries */
	u32 nr;		/* first fragment / GPE_BLK_FRAGS */
	struct gpe_seg frag[GPE_BLK_FRAGS];
};

/**
 * struct gpe_msg - a message, or a control item of a stream
 * @rec: head as a delivered record
 * @refs: stream (until stable), stage queue (until delivered), log (until
 *	read); all under the host's lock, so a plain number
 * @type: enum gpe_item_type
 * @level: enum gpe_level
 * @rank: of the stream's sender, in the epoch of its stream
 * @dispatched: gpe_dispatch() has taken it
 * @early: of order none, taken before its turn in the stream
 * @ordered: has its place in the stage's total list
 * @hurry: others wait to hear that it is stable
 * @epoch: of its stream
 * @first_seq: sequence number of its first fragment
 * @n_frags: fragments; @got of them are here
 * @frag_len: bytes of every fragment but the last
 * @len: payload bytes of the whole message
 * @credit: number of the credit entry whose unread bytes it counts in
 * @lamport: its sender's clock
 * @after: the last order record that its sender had used in this view
 * @rec_seq: the record that orders it, once there is one
 * @vec: what else its sender had delivered, NULL: nothing new
 * @rb: in the stream's tree, by @first_seq
 * @q: in its stage's queue of the sender
 * @tq: in its stage's total list, or the stream's list of unordered totals
 * @buf: own message, or single fragment: payload is @len bytes of @buf from
 *	@off; NULL with several received fragments, which are in @blk
 * @inl: content of a control item
 */
struct gpe_msg {
	struct gpe_rec rec;
	u32 refs;
	u8 type;
	u8 level;
	u8 rank;
	bool dispatched;
	bool early;
	bool ordered;
	bool hurry;
	u8 inl_len;
	u16 n_frags;
	u16 got;
	u32 frag_len;
	u32 len;
	u32 off;
	u64 epoch;
	u64 first_seq;
	u64 gid;
	struct gpe_vid vid;
	struct gpe_addr sender;
	u32 dst_port;
	u32 credit;
	u64 position;
	u64 lamport;
	u64 after;
	u64 rec_seq;
	struct gpe_vec *vec;
	struct rb_node rb;
	struct list_head q;
	struct list_head tq;
	struct gpe_stage *stage; /* it waits in, NULL: none */
	void *buf;
	struct gpe_fragblk *blk;
	u8 inl[GPE_INLINE_MAX];
};

/* From the reserve, one reference; NULL when it is empty. */
struct gpe_msg *gpe_msg_new(struct gpe_node *node, u8 type);
void gpe_msg_get(struct gpe_msg *msg);
void gpe_msg_put(struct gpe_node *node, struct gpe_msg *msg);
/* Payload of fragment @idx; false if it is not here. */
bool gpe_msg_frag(const struct gpe_msg *msg, u32 idx, struct gpe_seg *seg);

static inline bool gpe_item_is_ctl(u8 type)
{
	return type >= GPE_IT_ORDER;
}

static inline u64 gpe_msg_last_seq(const struct gpe_msg *msg)
{
	return msg->first_seq + msg->n_frags - 1;
}

/* ---- regions and streams (gpe_region) ---- */

/**
 * struct gpe_stream - numbered items of one sender to one region
 * @msgs: received (or own) and not yet both stable and dispatched
 * @cum: every item up to here is held
 * @next: first item not yet dispatched; below it all were
 * @stable: every node of the region has this much, as the sender says; for
 *	the own stream, as the acknowledgements say
 * @top: highest sequence number known to exist
 * @mark_k: highest change of a MARK dispatched
 * @stable_k: highest change of a MARK that is stable: everyone has all that
 *	came before it
 * @unordered: own or received total messages, dispatched, that no record has
 *	ordered yet, in sequence
 * @todo_safe: one of @n_todo is safe
 * @n_early: messages taken before their turn, and still beyond @next
 * @cut: closing epoch: last item that belongs to it; U64_MAX otherwise
 * @holder: closing epoch: rank of a node that holds all up to @cut
 */
struct gpe_stream {
	struct rb_root msgs;
	struct gpe_msg *hint;	/* gpe_region's cache: last one touched */
	u64 cum;
	u64 next;
	u64 stable;
	u64 top;
	u64 mark_k;
	u64 stable_k;
	struct list_head unordered;
	u32 n_todo;		/* sequencer: of those, not in a record yet */
	bool todo_safe;
	u32 n_early;
	u64 cut;
	u8 holder;
	/* receiver side, gpe_region's own */
	bool ack_due;
	bool stalled;
	u32 unacked;
	u64 nack_at;		/* not before */
};

/* What another node has told about the own stream; gpe_region's own. */
struct gpe_peerack {
	u64 cum;
	u64 stable;
	u64 sent_at;
	u32 n_repair;
	struct {
		u64 from;
		u64 to;
		u8 origin;	/* closing epoch: of which sender's stream */
	} repair[GPE_NACKS_MAX];
};

/**
 * struct gpe_region - a set of nodes of the current epoch
 * @rb: in the node's tree, by @mask and @dir
 * @mask: its nodes by rank; it is the region's id as well, so nodes agree on
 *	it without talking and ids cannot collide
 * @dir: region 0, the directory log; @mask is all nodes
 * @stream: one for each set bit of @mask, by gpe_slot()
 * @ack: likewise: acknowledgements of the own stream
 * @mark_due: a MARK through @mark_want is to be put into the own stream
 * @closing: stages whose closing waits for markers of this region, by change
 * @recs: what the sequencer's stream says about order and is not done yet:
 *	records and its own total messages, in sequence
 * @rec_pos: byte of the first record that is to be done next
 * @rec_left: messages its entry there still orders, 0: not begun
 * @rec_done: place of the last record that is done
 * @waits: stages that wait for a record, or for something to be stable
 */
struct gpe_region {
	struct rb_node rb;
	struct list_head all;	/* in node->regions */
	struct list_head work;	/* in node->work_regions when it has work */
	struct gpe_timer timer;
	u64 mask;
	bool dir;
	u32 n;
	struct gpe_stream *stream;
	struct gpe_peerack *ack;

	/* order and markers: gpe_group */
	struct list_head recs;
	u32 rec_pos;
	u32 rec_left;
	u64 rec_done;
	struct list_head waits;
	struct list_head seq_work; /* in node->seq_regions */
	u64 mark_want;
	u64 mark_sent;
	struct list_head mark_work; /* in node->mark_regions */
	struct list_head closing;

	/* own stream, sender side: gpe_region */
	u64 tx_next;		/* first item not yet sent */
	u64 push_seq;		/* up to here nothing is held for a batch */
	u64 hold_at;		/* what is held goes then, U64_MAX: nothing is */
	u64 sent_at;		/* when the last message was numbered */
	u32 streak;		/* those numbered in quick succession, and
				 * without one of another node in between
				 */
	u32 inflight_data;	/* numbered and not stable */
	u32 inflight_ctl;
	u32 cwnd;		/* items sent and not stable, at most */
	u64 recover;		/* no further cut of cwnd below this item */
	u64 srtt_ns;		/* 0: no sample yet */
	u64 rto_ns;
	u64 rtt_seq;		/* item being timed, 0: none */
	u64 rtt_sent;
	u64 status_to;		/* ranks to send a STATUS to */
	u64 rto_at;		/* U64_MAX: settled */
	u64 ack_at;		/* delayed acknowledgements, U64_MAX: none */
	u64 repair_at;		/* closing epoch: ask again, U64_MAX: no */
};

static inline struct gpe_stream *gpe_stream(struct gpe_region *rgn, u32 rank)
{
	return &rgn->stream[gpe_slot(rgn->mask, rank)];
}

/* ---- groups (gpe_group) ---- */

enum gpe_local_state {
	GPE_LS_ASK,	/* the join is to be (re)quested */
	GPE_LS_ASKED,	/* requested in this epoch */
	GPE_LS_IN,	/* in the directory */
	GPE_LS_LEAVE,	/* the leave is to be requested */
	GPE_LS_LEFT,	/* leave requested in this epoch */
	GPE_LS_OUT,	/* out of the directory; GONE follows its last view */
	GPE_LS_GONE,	/* GONE is due */
};

/**
 * struct gpe_local - a local socket in a group
 * @list: in node->locals, for all its life
 * @by_port: in node->ports, likewise
 * @work: in node->work_locals while a request is due
 * @grp: once the directory has it
 * @inc: incarnation it was entered under
 * @why: reason asked for with the leave
 * @fresh: has not had its first view since it joined or rejoined
 * @out_vid: the view that lists it as left
 */
struct gpe_local {
	struct list_head list;
	struct rb_node by_port;
	struct list_head work;
	struct list_head in_grp;
	void *host;
	void *cookie;
	struct gpe_group *grp;
	struct gpe_props props;
	enum gpe_local_state state;
	u64 inc;
	u32 port;
	u32 limit;
	u8 why;
	bool fresh;
	struct gpe_vid out_vid;
	int error;
	char name[GPE_NAME_MAX + 1];
};

/**
 * struct gpe_credit - room between this node and one node of a group
 * @list: in the group's list, for each node of its latest view, self included
 * @id, @inc: that node
 * @nr: of the entry, never used again on this node
 * @rank: of that node in the current epoch
 * @k: change at which the pair came to be in the group in this epoch
 * @sent: cost of what this node sent that node in this epoch
 * @limit: up to which @sent may go, as that node says
 * @serial: of the last question; answers to earlier ones count for nothing
 * @want: cost of a message that waits for more than the usual room
 * @got: cost of what that node's members sent us and was delivered
 * @unread: of that, not read by all local members yet (any epoch)
 * @told: limit last told
 * @their_serial: of its last question
 * @their_sent: what it had sent when it gave its grant back
 * @giving_back: the grant ends when @got has come to that
 * @grant: room beyond the usual, granted for one large message
 * @granted: holds the group's one grant
 * @grant_used: a message above the base has come since
 */
struct gpe_credit {
	struct list_head list;
	struct list_head work;	/* in node->work_credit: to be told */
	struct list_head ask;	/* in node->ask_credit while asking */
	struct list_head held;	/* in node->held_credit: grant not used yet */
	struct gpe_group *grp;
	u32 id;
	u32 nr;
	u8 rank;
	u64 inc;
	u64 k;
	u64 sent;
	u64 limit;
	u32 serial;
	u32 want;
	u64 asked_at;
	u64 wanted_at;
	u64 ask_gap;
	u64 got;
	u64 unread;
	u64 told;
	u32 their_serial;
	u32 their_want;
	u64 their_sent;
	u64 grant;
	bool granted;
	bool grant_used;
	bool giving_back;
};

/**
 * struct gpe_group - a group of the directory
 * @gid: number, given by the change that created it; never used again
 * @latest: view as of the last change applied
 * @mask: nodes of @latest
 * @locals: local members, those in the directory
 * @stages: views not yet closed here; empty without local members
 */
struct gpe_group {
	struct rb_node by_name;
	struct rb_node by_gid;
	struct list_head work;	/* in node->work_groups */
	struct list_head dying;	/* in node->dying, once dead */
	u64 gid;
	struct gpe_props props;
	struct gpe_view *latest;
	u64 mask;
	u64 region;
	void *host;
	struct list_head locals;
	u32 n_locals;
	struct list_head stages;
	struct list_head credits;
	u32 limit;		/* least of the local members' limits */
	u64 unread;		/* bytes in the log, of whatever sender */
	u8 grant_rank;		/* who holds the large grant, 0xff: nobody */
	struct gpe_hist hist[GPE_HIST];
	u32 n_hist;
	struct list_head waiting; /* in node->waiting: a submit was refused */
	bool wake_due;
	bool dead;		/* without members; goes with its last stage */
	bool suspended;		/* local members were told so */
	struct gpe_note *notes[2]; /* made ready: suspended, resumed */
	u64 delivered;
	u64 sent;
	char name[GPE_NAME_MAX + 1];
};

/* ---- the closing of an epoch ---- */

/**
 * struct gpe_cut - what belongs to the closing epoch, for one stream
 * @region: mask; @dir: region 0
 * @rank: the stream's sender, in the closing epoch's ranks
 * @holder: a node of the proposal that holds all of it
 * @seq: last item
 * @mark_k: highest change of a MARK up to @seq
 * @one: a whole message of order none beyond that, items @mark_k to @seq
 *
 * A stream without an entry ends at its stable mark: all old nodes stood there.
 */
struct gpe_cut {
	u64 region;
	u64 seq;
	u64 mark_k;
	u8 rank;
	u8 holder;
	bool dir;
	bool one;
};

/**
 * struct gpe_value - what a ballot decides: the next node view
 * @closing: epoch that it closes, 0: a formation
 * @next: the new epoch; @next.self and paths are not part of the value
 * @old: ranks of @next that come from the closing epoch
 * @old_rank: their rank in the closing epoch
 * @bye: ranks of the closing epoch that said goodbye
 * @cut: @n_cut entries
 */
struct gpe_value {
	u64 closing;
	struct gpe_epoch next;
	u64 old;
	u8 old_rank[GPE_NODES_MAX];
	u64 bye;
	u32 n_cut;
	struct gpe_cut *cut;
};

/* ---- the node ---- */

/**
 * struct gpe_path - a configured remote address; gpe_detect's own
 * @up: a node is there and was heard within the detection time
 * @bye: what is there said goodbye
 * @hears_me: this very incarnation is in its list of nodes heard
 * @seat: rank of @id, @inc in the current epoch, or GPE_NO_PATH
 * @was_in: whoever is there had a seat in the current epoch when it began
 * @id: node last heard there, 0: never
 * @hears: paths of ours whose nodes it hears as well
 * @beat_ns: when its last heartbeat came, 0: none since it is up
 * @beat_epoch: with all below, from its last heartbeat
 * @fresh_ns: since when it is fresh and heard both ways, 0: it is not
 * @in_ns: when it came into the node view
 * @salt: makes the times in our probes unguessable
 * @new_id, @new_inc: who says to be there instead, and was asked for
 * @flap_ns: hold-off of a node that came and went
 */
struct gpe_path {
	bool used;
	bool up;
	bool bye;
	bool hears_me;
	bool was_in;
	u8 seat;
	u8 state;
	u8 rank;
	u8 flags;
	u8 refuse_why;
	u32 mtu;
	u32 id;
	u32 votes;
	u32 expected;
	u32 view_votes;
	u64 inc;
	u64 heard_ns;
	u64 beat_ns;
	u64 rtt_ns;
	u64 hears;
	u64 beat_epoch;
	u64 max_epoch;
	u64 fresh_ns;
	u64 in_ns;
	u64 salt;
	u64 echo_nonce;
	u64 refuse_inc;
	u32 new_id;
	u64 new_inc;
	u64 foreign_ns;
	u64 flap_ns;
	u64 hold_until;
};

struct gpe_detect;	/* gpe_detect.c */
struct gpe_change;	/* gpe_view.c: ballot under way, decisions known */

/**
 * struct gpe_node - a node: all state of the protocol
 *
 * Everything is under the host's lock. @out is set during a step only.
 */
struct gpe_node {
	struct gpe_cfg cfg;
	u64 inc;
	u64 rng;
	u64 now;
	u64 wall_off;		/* wall clock minus @now, when last told */
	struct gpe_out *out;
	enum gpe_state state;
	bool doubt;		/* paused: asks a quorum before it goes on */
	bool quorate;
	u32 n_bearers;
	const char *why;	/* text for people */
	u64 max_epoch;		/* highest epoch heard of */
	u64 lamport;		/* clock of messages, of all groups */
	struct gpe_epoch ep;	/* current; ep.epoch 0: none */
	struct gpe_path path[GPE_PATHS_MAX];
	u32 n_paths;
	u32 frag_len;		/* payload bytes of a fragment */
	u64 counters[GPE_CNT_N];

	struct rb_root timers;
	struct list_head pool;
	u32 n_pool;
	bool cells_out;		/* something found none in this step */

	/* gpe_region */
	struct rb_root region_tree;
	struct list_head regions;
	u32 n_regions;
	struct list_head work_regions;
	struct list_head seq_regions;
	struct list_head mark_regions;
	u32 n_singles;
	struct gpe_cut *singles; /* closing: of the cut, those of order none */

	/* gpe_dir, gpe_group */
	struct rb_root groups_by_name;
	struct rb_root groups_by_gid;
	u32 n_groups;
	u64 next_gid;
	u64 log_k;		/* last change applied in this epoch */
	u64 log_out;		/* rank 0: last change written */
	struct list_head work_groups;
	struct list_head dying;	/* groups that are dead, and not gone yet */
	struct list_head locals;
	struct rb_root ports;	/* the same, by port */
	struct list_head work_locals;
	u32 n_locals;
	struct list_head waiting; /* groups that refused a submit */
	struct list_head gone;	/* locals whose GONE is due, by work */
	struct list_head notes;	/* suspended, resumed: to be delivered */
	struct list_head reqs;	/* rank 0: requests to be written */
	struct list_head replies; /* refusals to be sent */
	struct list_head opens;	/* stages whose OPEN is to be sent */
	bool draining;		/* an epoch is being closed */
	bool unstall_due;	/* the log has moved on */
	struct gpe_epoch closed; /* the epoch before, for who left how */
	struct gpe_opening opening;
	u32 n_sets;
	u64 *sets;		/* node sets in use, agreed, ascending */
	struct gpe_timer dir_timer;

	/* gpe_credit */
	struct list_head work_credit;
	struct list_head ask_credit;
	struct list_head held_credit;
	struct gpe_timer credit_timer;
	u32 credits;		/* entries made so far */

	struct gpe_detect *detect;
	struct gpe_change *change;
	u64 last_run;
	struct gpe_pkt pkt;	/* the packet being worked on */
	bool act_node;		/* GPE_ACT_NODE is due */
	u64 act_peers;		/* GPE_ACT_PEER is due for these paths */
	u64 ballots;
	u64 view_changes;
};

static inline void gpe_count(struct gpe_node *node, enum gpe_counter c)
{
	node->counters[c]++;
}

/* May data move: not wedged, not suspended, not in doubt, all groups open. */
static inline bool gpe_moving(const struct gpe_node *node)
{
	return node->state == GPE_ST_NORMAL && !node->doubt &&
	       !node->opening.on;
}

u32 gpe_random(struct gpe_node *node, u32 below);

/* The wall clock; one that is set to the far future leaves epochs room. */
static inline u64 gpe_wall(const struct gpe_node *node)
{
	return min_t(u64, node->now + node->wall_off,
		     GPE_EPOCH_TOP - 2 * GPE_EPOCH_AHEAD);
}

/* ---- output (gpe_core) ---- */

/* A slot for an action, or NULL and out->more. */
struct gpe_act *gpe_act_new(struct gpe_node *node, enum gpe_act_type type);
/*
 * Begins a datagram to @paths: returns where its header goes, with room for
 * @room bytes, or NULL and out->more. gpe_send_seg() adds payload,
 * gpe_send_end() ends it at @hdr_len bytes of header; @hdr_len 0 takes it back.
 */
u8 *gpe_send_begin(struct gpe_node *node, u64 paths, u32 room);
void gpe_send_seg(struct gpe_node *node, const struct gpe_seg *seg);
void gpe_send_end(struct gpe_node *node, u32 hdr_len);

void *gpe_cell_get(struct gpe_node *node);
void gpe_cell_put(struct gpe_node *node, void *cell);

/* ---- wire (gpe_wire): all bytes from the network pass here ---- */

/* Common head of every packet, bytes. */
#define GPE_WIRE_HDR	48
/* Writes it; returns its length. hdr_len is patched by gpe_wire_close(). */
u32 gpe_wire_open(struct gpe_node *node, u8 *p, enum gpe_pkt_type type,
		  u64 dst_inc);
void gpe_wire_close(u8 *p, u32 hdr_len);
/*
 * Decodes and validates; no state is read but the cluster's name and, to
 * bound ranks, nothing else. 0, or the counter of the reason plus 1.
 */
int gpe_wire_decode(struct gpe_node *node, const struct gpe_ev_packet *ev,
		    struct gpe_pkt *pkt);
/* Bodies of stream packets, for gpe_region; each returns its length. */
u32 gpe_wire_body(u8 *p, u64 region, u64 a, u64 b, u8 nr, bool dir,
		  bool repair, u8 n);
u32 gpe_wire_range(u8 *p, u64 from, u64 to);
u32 gpe_wire_item_len(const struct gpe_msg *msg, u32 idx);
u32 gpe_wire_item(u8 *p, const struct gpe_msg *msg, u32 idx);
/* Body of control packets, after the common head: gpe_wirev. Same result. */
int gpe_wirev_decode(const u8 *p, u32 len, struct gpe_pkt *pkt);
/* Body of CREDIT packets: gpe_credit. */
int gpe_credit_decode(const u8 *p, u32 len, struct gpe_pkt *pkt);
/* Content of a control item well formed? gpe_group, gpe_dir. */
bool gpe_item_check(u8 type, const u8 *inl, u32 len);

/* ---- regions (gpe_region) ---- */

/* Found or made; NULL without memory, at the limit, or if self is not in it. */
struct gpe_region *gpe_region_get(struct gpe_node *node, u64 mask, bool dir);
struct gpe_region *gpe_region_find(struct gpe_node *node, u64 mask, bool dir);
/* Room to number @n more items of this kind now? */
bool gpe_region_room(const struct gpe_region *rgn, u32 n, bool ctl);
/*
 * Numbers @msg (n_frags, len, buf or inl set) as the next of the own stream;
 * takes the caller's reference. It is dispatched before this returns, unless
 * something before it is stalled. Room was checked.
 */
void gpe_region_append(struct gpe_node *node, struct gpe_region *rgn,
		       struct gpe_msg *msg);
bool gpe_other_epoch(const struct gpe_node *node, const struct gpe_pkt *pkt);
void gpe_region_rx_data(struct gpe_node *node, struct gpe_pkt *pkt);
void gpe_region_rx_ack(struct gpe_node *node, struct gpe_pkt *pkt);
void gpe_region_rx_status(struct gpe_node *node, struct gpe_pkt *pkt);
void gpe_region_rx_repair(struct gpe_node *node, struct gpe_pkt *pkt);
void gpe_region_timer(struct gpe_node *node, struct gpe_region *rgn);
/* A marker is in @s: views wait until it is known to be stable. */
void gpe_region_hurry(struct gpe_node *node, struct gpe_region *rgn,
		      struct gpe_stream *s);
/* The log has moved on: dispatch what was stalled. */
void gpe_region_unstall(struct gpe_node *node);
/* Datagrams due, of all regions with work. */
void gpe_region_pump(struct gpe_node *node);
/*
 * Closing: what this node holds, one entry for each stream that is not known
 * stable or has had a marker in this epoch. Writes up to @max entries, returns
 * how many there are.
 */
u32 gpe_region_report(struct gpe_node *node, struct gpe_cut *cut, u32 max);
/* Closing: sets the cut and begins to fetch what lacks; may be called again
 * with another cut. @n entries in the closing epoch's ranks.
 */
int gpe_region_set_cut(struct gpe_node *node, const struct gpe_cut *cut,
		       u32 n);
/* Closing: everything up to the cut is here. */
bool gpe_region_complete(struct gpe_node *node);
/* Closing: another ballot was promised, the cut of the last one is void. */
void gpe_region_drop_cut(struct gpe_node *node);
/* Installing: dispatch all up to the cut (region 0 first), drop the rest.
 * 0, or -ENOMEM: the node cannot follow into the next epoch.
 */
int gpe_region_drain(struct gpe_node *node);
/* All regions of the epoch are over. */
void gpe_region_free_all(struct gpe_node *node);

/* ---- groups (gpe_group) ---- */

enum gpe_verdict { GPE_TAKEN, GPE_STALL };
/*
 * A complete item in sequence. Takes references of its own. GPE_STALL: it
 * belongs to a change of the log that was not applied yet; offered again by
 * gpe_region_unstall().
 */
enum gpe_verdict gpe_dispatch(struct gpe_node *node, struct gpe_region *rgn,
			      struct gpe_msg *msg);
void gpe_submit(struct gpe_node *node, struct gpe_ev_submit *ev);
/* More of a stream of @rgn is stable than before. */
void gpe_group_stable(struct gpe_node *node, struct gpe_region *rgn);
/* Deliveries, order records, markers, opens: what is due and has room. */
void gpe_group_pump(struct gpe_node *node);
void gpe_group_work(struct gpe_node *node, struct gpe_group *grp);
/* All groups: what was refused may go now (window, unwedged, resumed). */
void gpe_group_wake_all(struct gpe_node *node);
/* A region's own stream has room again. */
void gpe_group_wake_region(struct gpe_node *node, struct gpe_region *rgn);

/*
 * The directory has changed @grp: a new latest view, of which the caller's
 * reference is taken, opened by change @k. 0, or -ENOMEM and nothing changed.
 */
int gpe_group_change(struct gpe_node *node, struct gpe_group *grp,
		     struct gpe_view *view, u64 mask, u64 k);
/* At the opening of an epoch: the view, changed or not, in the new ranks. */
int gpe_group_reopen(struct gpe_node *node, struct gpe_group *grp,
		     struct gpe_view *view, u64 mask);
/* Nothing more will come for the stages of the epoch that was closed. */
void gpe_group_force(struct gpe_node *node, struct gpe_group *grp);
/* Drops the stages and what they hold. */
void gpe_group_drop(struct gpe_node *node, struct gpe_group *grp);
/* A whole message of order none, before its turn: delivers it if it may. */
void gpe_take_early(struct gpe_node *node, struct gpe_region *rgn,
		    struct gpe_msg *msg);
/* A total message, in sequence: where does its order come from? */
void gpe_order_add(struct gpe_node *node, struct gpe_region *rgn,
		   struct gpe_msg *msg);
/* Order records received, as far as they go. */
void gpe_order_run(struct gpe_node *node, struct gpe_region *rgn);
/* The sequencer's records that are due. */
void gpe_seq_pump(struct gpe_node *node);
/* Order records of all regions, as far as they go; skips what is missing. */
void gpe_order_finish(struct gpe_node *node);
/* Region of a node set: the set itself, or all nodes if too many are in use. */
u64 gpe_set_region(struct gpe_node *node, u64 mask);
struct gpe_group *gpe_group_by_gid(const struct gpe_node *node, u64 gid);
struct gpe_group *gpe_group_by_name(const struct gpe_node *node,
				    const char *name);
/* The first group with a number beyond @gid. */
struct gpe_group *gpe_group_after(const struct gpe_node *node, u64 gid);
/* The one after @grp, for walks that free none. */
struct gpe_group *gpe_group_succ(const struct gpe_group *grp);
struct gpe_group *gpe_group_new(struct gpe_node *node, u64 gid,
				const char *name,
				const struct gpe_props *props);
bool gpe_gid_free(const struct gpe_node *node, u64 gid);
bool gpe_name_ok(const u8 *p, u32 len);
bool gpe_props_ok(const u8 *p);
struct gpe_view *gpe_view_new(u32 n, u32 n_left);
/* Puts MARKs and OPENs that are due into the streams; true: none is left. */
bool gpe_marks_flush(struct gpe_node *node);

/* ---- directory (gpe_dir) ---- */

enum gpe_verdict gpe_dir_log(struct gpe_node *node, struct gpe_msg *msg);
void gpe_dir_req(struct gpe_node *node, struct gpe_msg *msg);
void gpe_dir_reply(struct gpe_node *node, struct gpe_msg *msg);
/* GONE is due for @loc; it is in no list of work any more but that. */
void gpe_local_gone(struct gpe_node *node, struct gpe_local *loc);
void gpe_local_free(struct gpe_node *node, struct gpe_local *loc);
void gpe_local_work(struct gpe_node *node, struct gpe_local *loc);
/* The first local member with a port beyond @port. */
struct gpe_local *gpe_local_after(const struct gpe_node *node, u32 port);
/* The name is free again; the group goes with its last stage. */
void gpe_group_die(struct gpe_node *node, struct gpe_group *grp);
void gpe_group_free(struct gpe_node *node, struct gpe_group *grp);
/* Nodes of a view, as ranks of the current epoch. */
u64 gpe_view_mask(const struct gpe_node *node, const struct gpe_view *view);
/* A group without members, stages and local members is over. */
void gpe_group_reap(struct gpe_node *node, struct gpe_group *grp);
/* Rank of a node of the current epoch, or -ENOENT. */
int gpe_rank_of(const struct gpe_node *node, u32 id, u64 inc);

void gpe_dir_join(struct gpe_node *node, struct gpe_ev_join *ev);
void gpe_dir_leave(struct gpe_node *node, struct gpe_ev_leave *ev);
void gpe_dir_pump(struct gpe_node *node);
/* Serialised directory as of the cut, for a joiner; *len bytes; NULL: no
 * memory. The caller frees it with gpe_free().
 */
u8 *gpe_dir_snapshot(struct gpe_node *node, u32 *len);

void gpe_dir_timer(struct gpe_node *node);
/* What found no memory is tried again a little later. */
void gpe_dir_retry(struct gpe_node *node);
bool gpe_group_notes(struct gpe_group *grp);
void gpe_group_note(struct gpe_node *node, struct gpe_group *grp,
		    bool suspended);

/* ---- credit (gpe_credit) ---- */

/* Room at every node of @mask (ranks of the epoch)? Else asks and says who. */
enum gpe_block gpe_credit_check(struct gpe_node *node, struct gpe_group *grp,
				u64 mask, u32 cost);
void gpe_credit_take(struct gpe_node *node, struct gpe_group *grp, u64 mask,
		     u32 cost);
void gpe_credit_delivered(struct gpe_node *node, struct gpe_group *grp,
			  struct gpe_msg *msg, bool read);
void gpe_credit_consumed(struct gpe_node *node, struct list_head *recs);
void gpe_credit_limit(struct gpe_node *node, struct gpe_ev_limit *ev);
void gpe_credit_locals(struct gpe_node *node, struct gpe_group *grp);
/* The latest view or the epoch is to change: entries that come, and then,
 * when it has, those that go.
 */
int gpe_credit_prepare(struct gpe_node *node, struct gpe_group *grp, u64 mask,
		       u64 k);
void gpe_credit_sync(struct gpe_node *node, struct gpe_group *grp,
		     bool new_epoch);
void gpe_credit_free(struct gpe_node *node, struct gpe_group *grp);
void gpe_credit_rx(struct gpe_node *node, struct gpe_pkt *pkt);
void gpe_credit_timer(struct gpe_node *node);
void gpe_credit_pump(struct gpe_node *node);

static inline u32 gpe_cost(u32 len)
{
	return len + GPE_RECORD_COST;
}

/* ---- failure detector (gpe_detect) ---- */

int gpe_detect_init(struct gpe_node *node);
void gpe_detect_destroy(struct gpe_node *node);
/* Any packet from this path: @pkt has passed the decoder. False: drop it. */
bool gpe_detect_heard(struct gpe_node *node, struct gpe_pkt *pkt);
void gpe_detect_rx(struct gpe_node *node, struct gpe_pkt *pkt);
void gpe_detect_timer(struct gpe_node *node, struct gpe_timer *tm);
void gpe_detect_pump(struct gpe_node *node);
/* First thing in a step: has this node not run for too long? */
void gpe_detect_ran(struct gpe_node *node, u64 now_ns);
void gpe_detect_peer(struct gpe_node *node, const struct gpe_ev_peer *ev,
		     bool add);
/* A new epoch, or none: seats are found anew, suspicions are over. */
void gpe_detect_epoch(struct gpe_node *node);
/* Who we are, or whether there is a bearer, has changed: tell all at once. */
void gpe_detect_restart(struct gpe_node *node);
/* Ranks of the current epoch that are silent, condemned or said goodbye. */
u64 gpe_detect_suspects(const struct gpe_node *node);
u64 gpe_detect_byes(const struct gpe_node *node);
void gpe_detect_hold_off(struct gpe_node *node, struct gpe_path *p);
/* A path to a node, GPE_NO_PATH if there is none. */
u8 gpe_detect_path(const struct gpe_node *node, u32 id, u64 inc);
/* Own setting. */
u32 gpe_expected(const struct gpe_node *node);

/* ---- node views (gpe_view) ---- */

int gpe_view_init(struct gpe_node *node);
void gpe_view_destroy(struct gpe_node *node);
void gpe_view_rx(struct gpe_node *node, struct gpe_pkt *pkt);
void gpe_view_timer(struct gpe_node *node, struct gpe_timer *tm);
void gpe_view_pump(struct gpe_node *node);
/* Who hears whom has changed, a node is suspected, came, or said goodbye. */
void gpe_view_consider(struct gpe_node *node);
/* Bearers or settings changed: the cluster of one ends or begins. */
int gpe_view_config(struct gpe_node *node, struct gpe_ev_config *ev);
void gpe_view_bearers(struct gpe_node *node, struct gpe_ev_bearers *ev);
void gpe_view_goodbye(struct gpe_node *node);
/* A packet of a higher epoch than ours: ask its sender what was decided. */
void gpe_view_behind(struct gpe_node *node, const struct gpe_pkt *pkt);
/* Closing: gpe_region_complete() may have become true. */
void gpe_view_repaired(struct gpe_node *node);
/* Leaves the node view for good, without memory to go on in it. */
void gpe_view_fail(struct gpe_node *node);
/* Peers came or went: the cluster of one may end. */
void gpe_view_peers(struct gpe_node *node, u32 before);
/* A heartbeat of a node that is behind in our very view, or in another. */
void gpe_view_beat(struct gpe_node *node, const struct gpe_pkt *pkt);
/* Another node uses our id. */
void gpe_view_refused(struct gpe_node *node);
u64 gpe_view_before(const struct gpe_node *node);
bool gpe_view_left(const struct gpe_node *node);
/* Do these ranks hold a quorum of the epoch's votes? protocol.md 6. */
bool gpe_quorum(const struct gpe_epoch *ep, u64 mask);
bool gpe_old_enough(const struct gpe_epoch *ep, u64 mask);

static inline int gpe_ballot_cmp(const struct gpe_ballot *a,
				 const struct gpe_ballot *b)
{
	if (a->nr != b->nr)
		return a->nr < b->nr ? -1 : 1;
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return 0;
}

#endif /* GPE_INT_H */
