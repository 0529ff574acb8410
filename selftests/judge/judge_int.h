/* SPDX-License-Identifier: GPL-2.0 */
/* What the judge's own files share. */
#ifndef JUDGE_INT_H
#define JUDGE_INT_H

#include "judge.h"

/* ---- judge_table.c: things found by number ---- */

struct judge_key {
	u64 w[3];
};

struct judge_slot {
	struct judge_key key;
	void *thing;
};

/**
 * struct judge_table - an open hash table; things are never taken out
 */
struct judge_table {
	struct judge_slot *slot;
	u32 n;
	u32 size;	/* a power of two */
};

void *judge_find(const struct judge_table *t, struct judge_key key);
void judge_put(struct judge_table *t, struct judge_key key, void *thing);

/* Memory, or the end: zeroed, or grown by doubling to hold one more than @n. */
void *judge_alloc(size_t size);
void *judge_grow(void *p, u32 n, u32 *size, size_t one);

/* ---- what is known ---- */

struct judge_got {
	u32 id;
	u32 at;
};

/**
 * struct judge_stay - what one member delivered in one view
 * @next: of the same view
 * @m: the member
 * @to: the view it installed next, or &struct judge.end; NULL: it did not
 * @at: line where this ended
 * @n: messages to all
 * @got: those, in order
 */
struct judge_stay {
	struct judge_stay *next;
	struct judge_member *m;
	const struct judge_view *to;
	u32 at;
	u32 n;
	struct judge_got *got;
};

/**
 * struct judge_view - a view, as first seen: the others must see the same
 * @went: for each view that followed, the stay of who installed it first; the
 *	others delivered the same
 * @broke: stays of those who installed none
 */
struct judge_view {
	struct judge_view *next;
	u32 group;
	struct judge_vid vid;
	u32 at;
	u32 n;
	struct judge_addr *m;
	struct judge_stay *went;
	struct judge_stay *broke;
};

/* Messages that happened before another one: the last one of each sender. */
struct judge_clock {
	struct judge_clock *next;
	u32 n;
	struct {
		u32 sender;
		u32 seq;
	} e[];
};

/**
 * struct judge_from - what a member knows of another one's messages
 * @last: latest one to all of order fifo or above delivered
 * @last_one: the same of those to this member alone
 * @upto: all to all so far are delivered, or never will be
 * @causal: latest one of order causal or above delivered in this view
 */
struct judge_from {
	u32 last;
	u32 last_one;
	u32 upto;
	u32 causal;
};

/**
 * struct judge_member - a socket
 * @group: number
 * @index: its number in the group
 * @in: it is in @view
 * @broken: suspended since it installed @view
 * @away: suspended, and not resumed since
 * @ended: still there at the end
 * @left: by its own wish
 * @outs: how often it was suspended or out: what is promised starts afresh
 * @self: its latest address
 * @first: number of its first view
 * @got: messages to all delivered in @view
 * @misplaced: the first one whose place in the view is not what it says
 * @misplaced_by: its place less what it is
 * @seen: a bit for each message of the group, in pages
 * @from: for each member of the group
 * @active: those with @from[].causal
 * @clock: made of these, unless @stale
 * @sends: messages to all of order fifo or above, in order
 * @n_ones: messages to one member so far
 * @lamport: highest stamp among what is causally before its next message
 */
struct judge_member {
	struct judge_member *next;
	char *name;
	u32 group;
	u32 index;
	bool in;
	bool broken;
	bool away;
	bool ended;
	bool left;
	bool stale;
	u32 outs;
	struct judge_addr self;
	struct judge_vid first;
	struct judge_view *view;
	u32 n_got;
	u32 size_got;
	struct judge_got *got;
	struct judge_got misplaced;
	long long misplaced_by;
	u64 **seen;
	u32 size_seen;
	struct judge_from *from;
	u32 size_from;
	u32 *active;
	u32 n_active;
	u32 size_active;
	struct judge_clock *clock;
	u32 *sends;
	u32 n_sends;
	u32 size_sends;
	u32 n_ones;
	u64 lamport;
};

enum judge_state {
	JUDGE_UNSENT,
	JUDGE_ASKED,
	JUDGE_ACCEPTED,
	JUDGE_REFUSED,
	JUDGE_UNKNOWN,
};

/**
 * struct judge_msg - a message
 * @state: what became of the system call
 * @nr: its number in the group
 * @seq: its place among its sender's, from 1 (@sends, or those to one member);
 *	0: none, as it is of order none
 * @outs: its sender's, when it was sent
 * @sent_at: line
 * @vid: epoch 0: not known yet
 * @from: epoch 0: not known yet
 * @clock: what it is causally after, besides its sender's own
 * @after: highest Lamport stamp before it
 * @lamport: its own, 0: not known
 */
struct judge_msg {
	struct judge_member *sender;
	const struct judge_clock *clock;
	struct judge_vid vid;
	struct judge_addr dst;
	struct judge_addr from;
	u64 after;
	u64 lamport;
	u32 len;
	u32 nr;
	u32 seq;
	u32 outs;
	u32 sent_at;
	u8 level;
	u8 state;
	bool to_one;
};

/**
 * struct judge_group - a group
 * @last: at the end, a member of the view that all share then
 */
struct judge_group {
	u32 n_members;
	u32 size_members;
	struct judge_member **member;
	u32 n_msgs;
	const struct judge_member *last;
};

struct judge_epoch;

struct judge {
	const struct judge_ops *ops;
	void *ctx;
	u32 at;
	struct judge_counts counts;
	struct judge_member *members;
	struct judge_view *views;
	struct judge_clock *clocks;
	struct judge_epoch *epochs;
	struct judge_view end;		/* the view after the last one */
	struct judge_group *group;
	u32 n_groups;
	u32 size_groups;
	struct judge_msg *msg;
	u32 n_msgs;
	u32 size_msgs;
	struct judge_table by_vid;
	struct judge_table by_addr;	/* of members */
	struct judge_table by_epoch;
	u64 top;	/* highest epoch of those that were agreed on */
	char name[4][32];
	u32 next_name;
};

/* ---- judge.c ---- */

/* @at1, @at2: more lines concerned, or 0 */
void judge_bad(struct judge *j, const char *property, u32 at1, u32 at2,
	       const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Valid for a few more calls. */
const char *judge_msg_name(struct judge *j, u32 id);

static inline bool judge_same(const struct judge_vid *a,
			      const struct judge_vid *b)
{
	return a->epoch == b->epoch && a->seq == b->seq;
}

static inline bool judge_before(const struct judge_vid *a,
				const struct judge_vid *b)
{
	return a->epoch != b->epoch ? a->epoch < b->epoch : a->seq < b->seq;
}

static inline bool judge_same_addr(const struct judge_addr *a,
				   const struct judge_addr *b)
{
	return a->inc == b->inc && a->node == b->node && a->port == b->port;
}

/* ---- judge_view.c ---- */
struct judge_view *judge_find_view(const struct judge *j, u32 group,
				   const struct judge_vid *vid);
/* Who has this address, as far as is known. */
struct judge_member *judge_owner(const struct judge *j,
				 const struct judge_addr *addr);

/* ---- judge_stay.c ---- */
/* @to: as in struct judge_stay */
void judge_close(struct judge *j, struct judge_member *m,
		 struct judge_view *to);
void judge_finish_views(struct judge *j);
void judge_free_stays(struct judge_stay *st);

/* ---- judge_msg.c ---- */
bool judge_seen(const struct judge_member *m, const struct judge_msg *msg);
void judge_finish_msgs(struct judge *j);

/* ---- judge_order.c ---- */
void judge_order_send(struct judge *j, struct judge_member *m, u32 id);
void judge_order_deliver(struct judge *j, struct judge_member *m, u32 id,
			 const struct judge_deliver *d);
/* Nothing of an earlier view is in the way of what comes now. */
void judge_order_view(struct judge_member *m);
/* Nor is what it knew before a suspension promised to be known after it. */
void judge_order_suspended(struct judge_member *m);
void judge_finish_order(struct judge *j);

/* ---- judge_epoch.c ---- */
void judge_free_epochs(struct judge *j);

#endif /* JUDGE_INT_H */
