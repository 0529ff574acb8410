/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hosts for whole nodes in a unit test: N engines, a network that a test
 * scripts packet by packet, one clock, and books of everything delivered.
 *
 * Path p of each node leads to node p. Nothing is random unless a test's
 * filter makes it so.
 */
#ifndef UNIT_NET_H
#define UNIT_NET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gpe_int.h"

#define U_MS GPE_MS
#define U_NODES 8

struct u_net;
struct u_node;
struct u_host;

/* A record as a socket saw it. */
struct u_rec {
	u8 type;		/* enum gpe_rec_type */
	u8 level;
	u32 len;
	u64 tag;		/* first 8 bytes; U64_MAX: shorter, or damaged */
	u64 hash;		/* of all bytes */
	u64 position;
	u64 lamport;
	struct gpe_vid vid;
	struct gpe_addr sender;
	struct gpe_view *view;	/* with a reference */
};

struct u_sock {
	struct u_sock *next;
	struct u_node *node;
	struct u_host *host;
	struct gpe_local *local;
	u32 port;
	char name[GPE_NAME_MAX + 1];
	bool bound;		/* GONE has not come */
	bool attached;		/* reads: between its first and last view */
	bool closing;
	int error;		/* of GONE */
	enum gpe_why why;
	enum gpe_block block;	/* of the last send */
	struct gpe_vid vid;	/* of the last send */
	struct u_rec *rec;
	u32 n_recs;
};

/* A group's log on a node: what was not read yet. */
struct u_host {
	struct u_host *next;
	char name[GPE_NAME_MAX + 1];
	struct list_head log;
	u32 wakes;
};

struct u_node {
	struct u_net *net;
	u32 index;
	struct gpe_cfg cfg;
	struct gpe_node *engine; /* NULL: not running */
	struct gpe_out *out;
	u64 inc;
	u64 skew;		/* this node's clock is so far ahead */
	u64 paused_until;
	bool hold;		/* programs do not read */
	u32 mtu;
	u32 next_port;
	struct u_host *hosts;
	struct u_sock *socks;
	/* memory: the n-th allocation from now fails, 0: none does */
	long fail_in;
	bool failed;
	/* in that time all in a step fail, or there are no cells */
	u64 short_from;
	u64 short_to;
	bool short_cells;
};

/* What becomes of a packet: copies made, and how much later it comes. */
struct u_fate {
	u32 copies;
	u64 delay_ns;
};

typedef void u_filter(struct u_net *net, u32 from, u32 to,
		      const struct gpe_shim_buf *buf, struct u_fate *fate);

struct u_packet {
	u64 at;
	u64 nr;
	u32 from;
	u32 to;
	struct gpe_shim_buf *buf;
};

struct u_net {
	u64 now;
	u32 n;
	bool quiet;		/* sockets keep no records */
	u64 rng;
	struct u_node node[U_NODES];
	bool cut[U_NODES][U_NODES];
	u_filter *filter;
	u64 filter_arg;
	struct u_packet *heap;
	u32 heap_n, heap_size;
	u64 heap_nr;
	u64 sent;
};

/* Nodes 0 to @n - 1, none of them running. */
struct u_net *u_new(u32 n);
/* All of it; checks that no allocation and no buffer is left. */
void u_free(struct u_net *net);
/* Runs @n nodes until they are one view. */
struct u_net *u_cluster(u32 n);
void u_start(struct u_net *net, u32 i);
/* Without bearer and peers: a cluster of its own. */
void u_start_alone(struct u_net *net, u32 i);
void u_kill(struct u_net *net, u32 i);
void u_goodbye(struct u_net *net, u32 i);
/* Cuts or heals the link both ways. */
void u_link(struct u_net *net, u32 a, u32 b, bool up);
/* @i and all others. */
void u_isolate(struct u_net *net, u32 i, bool off);

void u_event(struct u_net *net, u32 i, struct gpe_event *ev);
void u_inject(struct u_net *net, u32 to, u32 path, const u8 *p, u32 len);
/* The next thing that happens, not after @until: false if nothing does. */
bool u_turn(struct u_net *net, u64 until);
void u_run(struct u_net *net, u64 ns);

/* Goes on until @cond, at most @ms: whether it came true. */
#define u_until(net, cond, ms)						\
	({								\
		u64 u_end = (net)->now + (ms) * U_MS;			\
									\
		while (!(cond) && u_turn(net, u_end))			\
			;						\
		!!(cond);						\
	})
#define u_wait(net, cond, ms) assert_true(u_until(net, cond, ms))

u64 u_random(struct u_net *net, u32 below);
u64 u_count(const struct u_net *net, u32 i, enum gpe_counter c);
bool u_state_is(const struct u_net *net, u32 i, enum gpe_state state);
/* These nodes (a mask), and no others, are one node view, at each of them. */
bool u_one_view(const struct u_net *net, u32 mask);
const char *u_why(const struct u_net *net, u32 i);

/* ---- programs ---- */

struct u_sock *u_join(struct u_net *net, u32 i, const char *name);
int u_try_join(struct u_net *net, u32 i, const char *name,
	       const struct gpe_props *props, u32 limit, struct u_sock **out);
/* Joins and waits until it is in. */
struct u_sock *u_member(struct u_net *net, u32 i, const char *name);
void u_leave(struct u_net *net, struct u_sock *s);
/* One try: 0 or -errno; s->block and s->vid say more. */
int u_send(struct u_net *net, struct u_sock *s, u8 level, u32 len, u64 tag);
/* Only in this view. */
int u_send_in(struct u_net *net, struct u_sock *s, const struct gpe_vid *vid);
int u_send_to(struct u_net *net, struct u_sock *s, const struct gpe_addr *to,
	      u32 len, u64 tag);
struct gpe_addr u_addr(const struct u_sock *s);
/* Again after each WAKE until it is accepted. */
void u_push(struct u_net *net, struct u_sock *s, u8 level, u32 len, u64 tag);
/* Programs of the node read at most @max records. */
u32 u_read(struct u_net *net, u32 i, u32 max);
u32 u_unread(const struct u_net *net, u32 i);
u64 u_hash(u64 tag, u32 len);

/* What @s has read. */
u32 u_msgs(const struct u_sock *s);
const struct u_rec *u_msg(const struct u_sock *s, u32 nr);
u32 u_recs(const struct u_sock *s, enum gpe_rec_type type);
const struct u_rec *u_last_view(const struct u_sock *s);
u32 u_members(const struct u_sock *s);
bool u_got(const struct u_sock *s, u64 tag);

/* V1 to V5 and V7 among all sockets there ever were; fails the test. */
void u_check(struct u_net *net);

#endif /* UNIT_NET_H */
