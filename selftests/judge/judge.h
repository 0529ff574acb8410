/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The judge: design.md's properties V1 to V11 and V13, over what programs see;
 * of V11, what is to be true when all is quiet. It shares no code with the
 * engine, and knows neither simulator nor kernel: whoever has a history calls
 * what follows, line by line, such that the lines of one member come in their
 * order and every send comes before its deliveries. Nothing else is asked of
 * the order in which lines of different members are mixed.
 *
 * Messages and groups are numbered by the caller, from 0 and densely. Work is
 * linear in the lines, but for causality: there it is lines times senders.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef unsigned long long u64;

struct judge;
struct judge_member;

/* Order levels, weakest first. */
enum judge_level {
	JUDGE_NONE,
	JUDGE_FIFO,
	JUDGE_CAUSAL,
	JUDGE_TOTAL,
	JUDGE_SAFE,
	JUDGE_LEVELS
};

/**
 * struct judge_vid - number of a view; epoch 0: none known
 */
struct judge_vid {
	u64 epoch;
	u64 seq;
};

/**
 * struct judge_addr - a socket of one incarnation of a node
 */
struct judge_addr {
	u64 inc;
	u32 node;
	u32 port;
};

/**
 * struct judge_node - a node of a node view
 */
struct judge_node {
	u64 inc;
	u32 id;
};

enum { JUDGE_PLACES = 4 };

/**
 * struct judge_report - a property that does not hold
 * @property: its number, "V1" and so on
 * @text: what is wrong
 * @n_at: how many lines are concerned
 * @at: these lines, as they were named to judge_at(); the latest first
 */
struct judge_report {
	const char *property;
	char text[240];
	u32 n_at;
	u32 at[JUDGE_PLACES];
};

/**
 * struct judge_ops - what the judge asks of its caller
 * @report: called for each violation
 * @msg_name: of a message, for texts; NULL: its number. Valid until the report
 */
struct judge_ops {
	void (*report)(void *ctx, const struct judge_report *report);
	const char *(*msg_name)(void *ctx, u32 id);
};

/**
 * struct judge_send - a message about to be sent
 * @to_one: to @dst only
 */
struct judge_send {
	struct judge_addr dst;
	u32 len;
	enum judge_level level;
	bool to_one;
};

/**
 * struct judge_deliver - a message delivered
 * @group: in this group
 * @from: the sender it names
 * @vid: the view it is stamped with
 * @pos: its place among the messages to all of this view, 0: not known
 * @lamport: its Lamport stamp, 0: not known
 * @ok: the bytes are those that were sent
 */
struct judge_deliver {
	struct judge_addr from;
	struct judge_vid vid;
	u64 pos;
	u64 lamport;
	u32 group;
	u32 len;
	enum judge_level level;
	bool to_one;
	bool ok;
};

/**
 * struct judge_view_line - a view installed
 * @self: the member's own address
 * @n: members
 * @m: their addresses, in rank order
 */
struct judge_view_line {
	struct judge_vid vid;
	struct judge_addr self;
	u32 n;
	const struct judge_addr *m;
};

/**
 * struct judge_epoch_line - a node view installed
 * @epoch: its number
 * @before: the epoch it goes on from, 0: none
 * @n: nodes
 * @node: their ids, in rank order
 * @timed: these lines come in the order of time
 * @free: nodes need no quorum: each part of a cluster has a chain, and only
 *	their numbers differ
 */
struct judge_epoch_line {
	u64 epoch;
	u64 before;
	u32 n;
	const struct judge_node *node;
	bool timed;
	bool free;
};

/* Why a member is out. */
enum judge_out {
	JUDGE_LEFT,	/* by its own wish */
	JUDGE_EVICTED,
	JUDGE_CRASHED,
};

/**
 * struct judge_counts - how much was judged
 */
struct judge_counts {
	u32 members;
	u32 messages;
	u32 views;
	u64 delivered;
	u64 violations;
};

/* @ops and @ctx must outlive the judge. Never NULL: aborts without memory. */
struct judge *judge_new(const struct judge_ops *ops, void *ctx);
void judge_free(struct judge *j);

/* The calls that follow are about this line; 0: about none. */
void judge_at(struct judge *j, u32 at);

/* A socket was bound. @name: for texts, copied. */
struct judge_member *judge_join(struct judge *j, u32 group, const char *name);

/*
 * A message, before the system call that sends it; then what became of it.
 * A refused one (@unknown: it may have gone out all the same) can be sent
 * again under the same number.
 */
void judge_send(struct judge *j, struct judge_member *m, u32 id,
		const struct judge_send *send);
void judge_sent(struct judge *j, u32 id, struct judge_vid vid);
void judge_refused(struct judge *j, u32 id, bool unknown);

/* @id: U32_MAX for bytes that name no message. */
void judge_deliver(struct judge *j, struct judge_member *m, u32 id,
		   const struct judge_deliver *d);
void judge_view(struct judge *j, struct judge_member *m,
		const struct judge_view_line *v);

/* It comes before its send, in whatever order lines are taken. */
void judge_early(struct judge *j, struct judge_member *m, u32 id);

/*
 * Nothing comes until it is resumed, and what was promised to it is not until
 * it has a view again.
 */
void judge_suspended(struct judge *j, struct judge_member *m);
void judge_resumed(struct judge *j, struct judge_member *m);
/* Nothing more comes of it. */
void judge_out(struct judge *j, struct judge_member *m, enum judge_out why);
/* It is still in when the run is over and all is quiet. */
void judge_stays(struct judge *j, struct judge_member *m);

void judge_epoch(struct judge *j, const struct judge_epoch_line *e);

/* What can be said only at the end. */
void judge_finish(struct judge *j);

void judge_counts(const struct judge *j, struct judge_counts *counts);

#endif /* JUDGE_H */
