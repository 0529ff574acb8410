/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A deterministic simulator of a cluster: every node is the module's own
 * engine, everything else (time, network, programs, faults) is made from one
 * seed, so that a failing seed fails again. The judge (selftests/judge) is told
 * only what programs would see.
 */
#ifndef SIM_H
#define SIM_H

#include "gpe.h"

enum {
	SIM_NODES = 7,
	SIM_GROUPS = 24,
	SIM_SOCKS = 12,		/* a node */
	SIM_MSGS = 1 << 16,
	SIM_LIMIT = GPE_MSG_MAX + GPE_LIMIT_SLACK, /* bytes, of each socket */
};

#define SIM_MS 1000000ULL

struct sim_host;
struct sim_member;

/* A socket of a node, or what is left of it in the hosts' books. */
struct sim_sock {
	struct sim_node *node;
	struct sim_host *host;
	struct gpe_local *local;
	struct sim_member *member;
	u32 group;
	u32 port;
	bool bound;
	bool closing;
	bool attached;
	u32 unread;
	bool pending;		/* a refused send: waits to be woken */
	bool woken;
	struct gpe_addr peer;	/* another member of the view it is in */
	struct gpe_ev_submit submit;
	u64 submit_id;
};

/* A group's log at a node: records and how many sockets have yet to read. */
struct sim_host {
	struct list_head log;
	u32 group;
	u64 unread;		/* bytes of messages in the log */
};

struct sim_node {
	u32 index;
	u64 inc;
	struct gpe_node *engine;
	struct gpe_out *out;
	u64 tick_at;
	u64 paused_until;
	bool more;
	u64 last_epoch;
	u64 last_inc;
	enum gpe_state last_state;
	struct sim_host host[SIM_GROUPS];
	struct sim_sock sock[SIM_SOCKS];
	u32 next_port;
};

/* Chances in 1/1000, drawn for each seed. */
struct sim_mix {
	u32 loss;
	u32 dup;
	u32 reorder;
	u32 crash;
	u32 pause;
	u32 cut;
	u32 oneway;
	u32 leave;
	u32 big;
	u32 slow;
	u32 send;
	u32 one;
	u32 lazy;	/* what the engine has to say is left for later */
	u32 late;	/* so much later, ms; no chance */
};

struct sim {
	u64 seed;
	u64 rng;
	u64 now;
	u64 steps;
	u64 hash;		/* of everything that happened */
	u32 n_nodes;
	u32 n_groups;
	bool faults;
	bool working;
	bool trace;
	bool bad;
	const char *property;
	char what[200];
	struct sim_mix mix;
	struct sim_node node[SIM_NODES];
	bool cut[SIM_NODES][SIM_NODES];
	u32 n_msgs;
	struct sim_check *check;
};

extern struct sim S;

u32 sim_rand(u32 below);
bool sim_chance(u32 per_mille);
void sim_bad(const char *property, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void sim_trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* sim_net.c: events in the order of time, and the network */
enum sim_ev_type {
	SIM_EV_PACKET,
	SIM_EV_TICK,
	SIM_EV_WORK,
	SIM_EV_WAKE,
	SIM_EV_FAULT
};
void sim_at(u64 when, enum sim_ev_type type, u32 node, u32 path,
	    struct gpe_shim_buf *buf);
bool sim_next(u64 until);
void sim_net_clear(void);
void sim_send(struct sim_node *from, const struct gpe_act_send *send);

/* sim_node.c: hosts of the engine */
void sim_node_start(struct sim_node *n);
void sim_node_crash(struct sim_node *n);
void sim_node_step(struct sim_node *n, struct gpe_event *ev);
void sim_node_tick(struct sim_node *n);
void sim_node_packet(struct sim_node *n, u32 path, struct gpe_shim_buf *buf);
bool sim_node_idle(const struct sim_node *n);

/* sim_work.c: programs and faults */
const u8 *sim_bytes(u64 id);
void sim_work(struct sim_node *n);
void sim_wake(struct sim_node *n);
void sim_retry(struct sim_sock *s);
void sim_read(struct sim_node *n, bool all);
void sim_fault(void);
void sim_heal(void);

/* sim_replay.c */
int sim_replay(const char *path);

/* sim_check.c: what the judge is told */
void check_init(void);
void check_free(void);
struct sim_member *check_join(const struct sim_sock *s);
void check_send(struct sim_member *m, u64 id, const struct gpe_ev_submit *sub);
void check_sent(u64 id, const struct gpe_ev_submit *sub);
void check_view(struct sim_member *m, const struct gpe_view *view);
void check_deliver(struct sim_member *m, const struct gpe_msg_info *info,
		   u64 id);
void check_suspended(struct sim_member *m);
void check_reborn(struct sim_member *m);
void check_left(struct sim_member *m);
void check_gone(struct sim_member *m);
void check_epoch(const struct gpe_node_info *info, u64 before);
void check_end(void);

#endif /* SIM_H */
