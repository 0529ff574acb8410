/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A history as text: JSON lines, one event of one member each. Lines of one
 * member are in the order in which its program saw or did them; those of
 * different members may be mixed in any way, and be in files of their own.
 * Addresses are "node:inc:port" (inc hexadecimal), views "epoch.seq".
 *
 *   join       m g                             before all others of m
 *   send       m g id order len to?            before the system call
 *   sent       m id view?                      it returned success
 *   refused    m id errno                      "UNKNOWN": it may be sent
 *   deliver    m g id from view order pos len ok to_one? lamport?
 *   view       m g view self members           in rank order
 *   suspended  resumed  m view?
 *   left  evicted  m view?                     by own wish, or not
 *   crash      m                               nothing more comes of it
 *   end        m                               still in when all was quiet
 *   epoch      n inc epoch before nodes at?    "id:inc" of each node; at: ns
 *
 * "e" names the event. Keys that are not listed are passed over.
 */
#ifndef HIST_H
#define HIST_H

#include "judge.h"

enum hist_event {
	HIST_JOIN,
	HIST_SEND,
	HIST_SENT,
	HIST_REFUSED,
	HIST_DELIVER,
	HIST_VIEW,
	HIST_SUSPENDED,
	HIST_RESUMED,
	HIST_LEFT,
	HIST_EVICTED,
	HIST_CRASH,
	HIST_END,
	HIST_EPOCH,
	HIST_EVENTS
};

/**
 * struct hist_view - of a view line
 */
struct hist_view {
	struct judge_vid vid;
	struct judge_addr self;
	u32 n;
	struct judge_addr m[];
};

/**
 * struct hist_epoch - of an epoch line
 * @at: time, ns; 0: not known
 * @free: made without a quorum, as the nodes' policy allows
 */
struct hist_epoch {
	u64 epoch;
	u64 before;
	u64 at;
	bool free;
	u32 n;
	struct judge_node node[];
};

/**
 * struct hist_line - a line
 * @event: enum hist_event
 * @unknown: refused, but it may have been sent
 * @member: its number; none for an epoch
 * @id: of the message
 * @next: the member's next line, 0 after the last
 */
struct hist_line {
	u8 event;
	bool unknown;
	u32 member;
	u32 id;
	u32 next;
	union {
		u32 group;
		struct judge_send send;
		struct judge_deliver deliver;
		struct judge_vid sent;
		struct hist_view *view;
		struct hist_epoch *epoch;
	};
};

/**
 * struct hist_names - texts, numbered from 0
 */
struct hist_names {
	char **name;
	u32 n;
	u32 size;
	u32 *slot;
	u32 n_slots;
};

/* The number of @name; a new one if it was not there. */
u32 hist_name(struct hist_names *names, const char *name);
void hist_names_free(struct hist_names *names);

struct hist_file {
	char *path;
	u32 first;	/* number of its first line */
};

/**
 * struct hist_member - what is read of a member
 * @first, @last: its lines, 0: it has not joined
 * @out: line that says that it left, crashed or was evicted
 * @end: line that says that it was still in
 */
struct hist_member {
	u32 group;
	u32 first;
	u32 last;
	u32 out;
	u32 end;
};

/**
 * struct hist_msg - what is read of a message
 * @send: the line that sends it, 0: none
 * @answered: it was sent, or refused
 */
struct hist_msg {
	u32 send;
	bool answered;
};

/**
 * struct hist - a history
 * @line: from 1
 * @error: what is wrong, when hist_read() fails
 */
struct hist {
	struct hist_names groups;
	struct hist_names members;
	struct hist_names msgs;
	struct hist_file *file;
	u32 n_files;
	u32 size_files;
	struct hist_line *line;
	u32 n_lines;
	u32 size_lines;
	struct hist_member *member;
	u32 size_members;
	struct hist_msg *msg;
	u32 size_msgs;
	char error[512];
};

/* Reads a file of it; -1 and @h->error where it is none. */
int hist_read(struct hist *h, const char *path);
/* "path:line" of a line. */
void hist_place(const struct hist *h, u32 line, char *buf, size_t size);
void hist_free(struct hist *h);

/* Tells the judge all of it, in an order in which it can have happened. */
void hist_play(const struct hist *h, struct judge *j);

#endif /* HIST_H */
