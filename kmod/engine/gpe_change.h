/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * State of the node-view consensus, shared by its files:
 *
 *   gpe_view     states of the node, installation, configuration, clock
 *   gpe_ballot   the leader's side of a ballot
 *   gpe_propose  what a leader proposes: nodes, ranks, the cut
 *   gpe_pick     which nodes of an epoch can go on together
 *   gpe_accept   the side of those who promise, prepare and accept
 *   gpe_form     who may start a ballot, and when; formations
 *   gpe_blob     packets in and out, and blobs that travel in parts
 */
#ifndef GPE_CHANGE_H
#define GPE_CHANGE_H

#include "gpe_wirev.h"

/* Bytes that several holders share: encoded values, promises, directories. */
struct gpe_blob {
	u32 refs;
	u32 len;
	u8 data[];
};

/* Decisions remembered, for those who ask late. */
#define GPE_DECISIONS 4

/**
 * struct gpe_decision - what was decided for an instance
 * @closing: epoch it closed, 0: a formation; @blob NULL: entry is free
 * @ballot: in which it was accepted
 * @epoch: the epoch it opened
 */
struct gpe_decision {
	u64 closing;
	u64 epoch;
	struct gpe_ballot ballot;
	struct gpe_blob *blob;
};

/**
 * struct gpe_acceptor - what this node has promised in one instance
 * @closing: epoch, 0: formation
 * @promised: no lower ballot gets anything
 * @accepted: ballot of @value, id 0: none
 * @report: body of the promise for @promised
 */
struct gpe_acceptor {
	u64 closing;
	struct gpe_ballot promised;
	struct gpe_ballot accepted;
	struct gpe_blob *value;
	struct gpe_blob *report;
};

/**
 * struct gpe_prop - the proposal this node takes part in
 * @path: its leader's, or GPE_NO_PATH for this node itself
 * @joiner: comes in as a newcomer, needs the directory
 * @cut_set: the regions know the cut; @ready follows
 * @dir: directory as of the cut of @blob
 */
struct gpe_prop {
	u64 closing;
	struct gpe_ballot ballot;
	struct gpe_blob *blob;
	struct gpe_blob *dir;
	u8 path;
	bool joiner;
	bool in;
	bool cut_set;
	bool ready;
};

enum gpe_phase {
	GPE_PH_IDLE,
	GPE_PH_PREPARE,		/* promises are collected */
	GPE_PH_FLUSH,		/* nodes of the proposal fetch what they lack */
	GPE_PH_ACCEPT,		/* votes are collected */
};

/**
 * struct gpe_part - a node that a leader talks to
 * @path: GPE_NO_PATH: the leader itself, or not reachable
 * @rank: in the closing epoch; with a formation, in its own old epoch
 * @epoch: formation: its old epoch
 * @old: of the closing epoch; else a newcomer
 * @in: in the value
 * @progress: what it said last of its repairs
 */
struct gpe_part {
	u32 id;
	u32 votes;
	u32 expected;
	u64 inc;
	u64 epoch;
	u64 progress;
	struct gpe_blob *promise;
	u8 path;
	u8 rank;
	bool self;
	bool old;
	bool promised;
	bool in;
	bool ready;
	bool accepted;
};

#define GPE_PARTS_MAX (2 * GPE_NODES_MAX)

/**
 * struct gpe_lead - a ballot led by this node
 * @began_ns: of the ballot
 * @quorum_ns: when a quorum had promised, 0: not yet
 * @moved_ns: last progress of the phase
 * @value: what is proposed
 * @inherited: it was accepted in an earlier ballot
 * @expected: formation: more than half of so many votes decide @value
 * @dir: directory for newcomers, as of the cut
 */
struct gpe_lead {
	enum gpe_phase phase;
	u64 closing;
	struct gpe_ballot ballot;
	u64 began_ns;
	u64 quorum_ns;
	u64 moved_ns;
	struct gpe_blob *value;
	struct gpe_blob *dir;
	bool inherited;
	u32 expected;
	u32 n;
	struct gpe_part part[GPE_PARTS_MAX];
};

/* Parts of a blob asked for at a time. */
#define GPE_BLOB_WINDOW 8

/**
 * struct gpe_rx - a blob under assembly
 * @kind: enum gpe_blob_kind, 0: none
 * @type: packet that began it: PROPOSE and ACCEPT bring the same blob
 * @base: parts below this are here
 * @have: bit i: part @base + i is here
 */
struct gpe_rx {
	u8 kind;
	u8 type;
	u8 have;
	u32 base;
	u64 closing;
	struct gpe_ballot ballot;
	struct gpe_blob *blob;
	u64 moved_ns;
};

/* What is due on a path. */
enum gpe_due {
	GPE_DUE_PREPARE = 1,
	GPE_DUE_PROMISE = 2,
	GPE_DUE_NAK = 4,
	GPE_DUE_PROPOSE = 8,
	GPE_DUE_READY = 0x10,
	GPE_DUE_ACCEPT = 0x20,
	GPE_DUE_ACCEPTED = 0x40,
	GPE_DUE_DECISION = 0x80,
	GPE_DUE_GONE = 0x100,
	GPE_DUE_ASK = 0x200,
	GPE_DUE_GET = 0x400,
	GPE_DUE_PART = 0x800,
};

/**
 * struct gpe_vpath - packets due to a path, and the blob coming from it
 * @due: enum gpe_due
 * @formation: PROMISE, NAK, ACCEPTED are about instance 0
 * @nak: ballot that is refused
 * @decision: instance whose decision is to be sent
 * @gone: instance nobody here knows
 * @ask: instance whose decision is asked for, @asked_ns when last
 * @tx_*: parts asked for by the other side
 */
struct gpe_vpath {
	u32 due;
	bool formation;
	struct gpe_ballot nak;
	u64 decision;
	u64 gone;
	u64 ask;
	u64 asked_ns;
	u8 tx_kind;
	u8 tx_want;
	u32 tx_base;
	u64 tx_closing;
	struct gpe_ballot tx_ballot;
	struct gpe_rx rx;
};

/**
 * struct gpe_pick - scratch of gpe_pick(), by rank
 * @with: those that a node hears, and is heard by
 * @set, @cand: choices not looked at yet: who is in, and who may still be
 */
struct gpe_pick {
	u64 with[GPE_NODES_MAX];
	u64 set[GPE_NODES_MAX + 1];
	u64 cand[GPE_NODES_MAX + 1];
};

/**
 * struct gpe_change - all of the consensus
 * @tm: next look at what is due
 * @acc: [0] formation, [1] the current epoch
 * @told: local members were told that nothing moves
 * @left: has accepted a formation: the old chain is left for good
 * @start_ns: no ballot before: the last one failed
 * @wait_ns: until then those who rank first have their turn, 0: not waiting
 * @contact_ns: when the leader we promised to was last heard
 * @lost_ns: since when there is no quorum, 0: there is
 * @deaf_ns: since when two nodes of the view do not hear each other
 * @form_ns: no formation before
 * @join_ns: when newcomers came in last
 * @refused_ns: until then the id is in use elsewhere
 * @backoff_ns: next back-off
 * @failed: ranks of the epoch that were not ready in time
 * @max_nr: highest ballot number seen
 * @install: ranks of the epoch that have not shown it yet; we led its ballot
 * @due: paths to which something is due
 * @val, @pick: scratch
 */
struct gpe_change {
	struct gpe_timer tm;
	struct gpe_acceptor acc[2];
	struct gpe_prop prop;
	struct gpe_lead lead;
	struct gpe_decision decision[GPE_DECISIONS];
	u32 next_decision;
	bool told;
	bool left;
	u64 start_ns;
	u64 wait_ns;
	u64 contact_ns;
	u64 lost_ns;
	u64 deaf_ns;
	u64 form_ns;
	u64 join_ns;
	u64 refused_ns;
	u64 backoff_ns;
	u64 failed;
	u64 max_nr;
	u64 install;
	u64 due;
	struct gpe_value val;
	struct gpe_pick pick;
	struct gpe_vpath path[GPE_PATHS_MAX];
};

static inline struct gpe_acceptor *gpe_acceptor(struct gpe_node *node,
						u64 closing)
{
	return &node->change->acc[closing != 0];
}

static inline void gpe_due(struct gpe_node *node, u8 path, u32 what)
{
	if (path >= GPE_PATHS_MAX)
		return;
	node->change->path[path].due |= what;
	node->change->due |= BIT_ULL(path);
}

/* ---- gpe_blob ---- */

struct gpe_blob *gpe_blob_new(u32 len);
struct gpe_blob *gpe_blob_get(struct gpe_blob *blob);
void gpe_blob_put(struct gpe_blob *blob);
/* *@to = @blob, with a reference of its own. */
void gpe_blob_set(struct gpe_blob **to, struct gpe_blob *blob);
bool gpe_blob_same(const struct gpe_blob *a, const struct gpe_blob *b);
/* Asks the path for the directory of the proposal. */
void gpe_blob_fetch(struct gpe_node *node, u8 path, u8 kind);
u64 gpe_blob_progress(const struct gpe_node *node, u8 path);
void gpe_blob_tick(struct gpe_node *node);
void gpe_blob_drop_all(struct gpe_node *node);

/* ---- gpe_ballot ---- */

void gpe_ballot_start(struct gpe_node *node, u64 closing);
void gpe_ballot_abort(struct gpe_node *node);
void gpe_ballot_tick(struct gpe_node *node);
struct gpe_part *gpe_ballot_part(struct gpe_node *node, u8 path);
bool gpe_ballot_is(const struct gpe_node *node, u64 closing,
		   const struct gpe_ballot *ballot, enum gpe_phase phase);
void gpe_ballot_promise(struct gpe_node *node, u8 path, struct gpe_blob *blob);
void gpe_ballot_nak(struct gpe_node *node, u64 closing,
		    const struct gpe_ballot *ballot, u64 nr);
void gpe_ballot_ready(struct gpe_node *node, u8 path,
		      const struct gpe_pkt_view *v);
void gpe_ballot_accepted(struct gpe_node *node, u8 path,
			 const struct gpe_pkt_view *v);

/* ---- gpe_propose ---- */

/* 0, -EAGAIN: no quorum among those who promised, -ENOMEM, -E2BIG. */
int gpe_propose(struct gpe_node *node);
/* May this newcomer come in now? */
bool gpe_newcomer_ok(const struct gpe_node *node, u32 path);

/* ---- gpe_pick ---- */

/* Do these two paths' nodes hear each other? */
bool gpe_paths_mutual(const struct gpe_node *node, u32 a, u32 b);
bool gpe_path_fits(const struct gpe_node *node, u32 path, u64 paths);
u32 gpe_set_weight(const struct gpe_node *node, u64 set);
/* The best choice of @cand that all hear each other and have a quorum, or 0. */
u64 gpe_pick(const struct gpe_node *node, u64 cand);

/* ---- gpe_accept ---- */

/* Promises; false: refused, or no memory. */
bool gpe_accept_promise(struct gpe_node *node, u64 closing,
			const struct gpe_ballot *ballot);
void gpe_accept_prepare(struct gpe_node *node, struct gpe_pkt *pkt);
/* Was a higher ballot promised? */
bool gpe_accept_overtaken(const struct gpe_acceptor *acc,
			  const struct gpe_ballot *ballot);
/* May a proposal in this ballot be looked at? */
bool gpe_accept_wants(const struct gpe_node *node, u64 closing,
		      const struct gpe_ballot *ballot);
/* A proposal is here. False: it is none, or no memory. */
bool gpe_accept_value(struct gpe_node *node, u8 path, u64 closing,
		      const struct gpe_ballot *ballot, struct gpe_blob *blob);
/* The vote. False: refused. */
bool gpe_accept_vote(struct gpe_node *node, u64 closing,
		     const struct gpe_ballot *ballot, struct gpe_blob *blob);
/* Has it become ready? */
void gpe_accept_check(struct gpe_node *node);
void gpe_accept_dir(struct gpe_node *node, struct gpe_blob *blob);
u64 gpe_accept_progress(const struct gpe_node *node);
void gpe_prop_drop(struct gpe_node *node);
void gpe_acceptor_clear(struct gpe_acceptor *acc);

/* ---- gpe_form ---- */

bool gpe_majority(u32 votes, u32 total, bool half);
u32 gpe_votes(const struct gpe_epoch *ep, u64 mask);
/* More than half of so many decide that this is formed. */
u32 gpe_form_votes(const struct gpe_epoch *next);
/* Ranks heard both ways and not suspected, self included. */
u64 gpe_ranks_heard(const struct gpe_node *node);
bool gpe_has_quorum(const struct gpe_node *node);
/* Candidate for a formation? */
bool gpe_form_cand(const struct gpe_node *node, u32 path);
void gpe_form_consider(struct gpe_node *node);
void gpe_regular_consider(struct gpe_node *node);
u64 gpe_backoff(struct gpe_node *node);

/* ---- gpe_view ---- */

const struct gpe_decision *gpe_decision(const struct gpe_node *node,
					u64 closing);
/* A value was decided. @path: who says so, GPE_NO_PATH: we */
void gpe_view_decided(struct gpe_node *node, u64 closing,
		      const struct gpe_ballot *ballot, struct gpe_blob *blob);
bool gpe_view_wants(const struct gpe_node *node, u64 closing);
/* Left out, or unknown to the cluster: starts afresh. */
u64 gpe_first_epoch(struct gpe_node *node);
void gpe_view_fresh(struct gpe_node *node, const char *why);
bool gpe_view_yields(const struct gpe_node *node);
void gpe_view_gone(struct gpe_node *node, u8 path, u64 closing);
void gpe_view_suspend(struct gpe_node *node, const char *why);
void gpe_view_busy(struct gpe_node *node);

#endif /* GPE_CHANGE_H */
