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
	SIM_NODES = GPE_NODES_MAX,
	SIM_USUAL = 7,		/* nodes, but for one seed in a hundred */
	SIM_GROUPS = 200,
	SIM_SOCKS = 48,		/* a node, at most */
	SIM_MSGS = 1 << 16,
	SIM_LIMIT = GPE_MSG_MAX + GPE_LIMIT_SLACK, /* bytes, of each socket */
	/* Order levels that programs use, 1 << enum gpe_level. */
	SIM_LEVELS = (1 << GPE_GROUPS_OWN) - 1,
};

#define SIM_MS 1000000ULL
#define SIM_S (1000 * SIM_MS)

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

/* A node's own clock, which its engine sees: sim_time.c. */
struct sim_clock {
	u64 at;			/* since this moment, or standing until then */
	u64 shows;		/* what it showed at that moment */
	s32 ppm;		/* too fast */
	s64 wall;		/* the wall clock, off */
};

struct sim_node {
	u32 index;
	u64 inc;
	struct gpe_node *engine;
	struct gpe_out *out;
	struct sim_clock clock;
	u64 luck;		/* of the host, the network it sends into */
	u64 tick_at;
	u64 paused_until;
	bool loses;		/* what comes while it is paused */
	bool bearer;
	bool absent;		/* never starts: a shrunk run */
	bool more;
	u32 starts;
	u32 votes;
	u32 works;
	u32 flaps;		/* times its links still change */
	u32 nomem;		/* chance that memory is not there */
	u64 bytes;		/* held by its engine */
	u64 busy_until;		/* its link, with what is queued */
	u64 last_epoch;
	u64 last_ballots;
	u32 last_n;
	struct gpe_node_entry last_nodes[SIM_NODES];
	u8 left[SIM_NODES];	/* times it saw them go, or not get ready */
	struct sim_host *host;
	struct sim_sock *sock;
	u32 next_port;
	/* sim_chain.c: its epoch, 0: none that could go on */
	u64 chain_epoch;
	u64 chain_inc;
	/* sim_pause.c */
	u64 ran_at;
	u64 woke_at;		/* from standing still, 0: proved since */
	u64 answered;
};

/* One direction of a pair of nodes. */
struct sim_link {
	u16 loss;		/* on top of the usual */
	u32 mtu;		/* bytes of a datagram that pass in one piece */
	u32 delay;		/* ns */
};

/* Chances in 1/1000, drawn for each seed. */
struct sim_mix {
	u32 loss;
	u32 dup;
	u32 reorder;
	u32 flip;	/* in a million, for each 64 bytes: checksum, drop */
	u32 crash;
	u32 bye;	/* of crashes: the node says so first */
	u32 pause;
	u32 suspend;	/* its clock goes on, what is sent to it is lost */
	u32 freeze;	/* its clock stands as well */
	u32 jump;
	u32 wall;
	u32 cut;
	u32 oneway;
	u32 link;
	u32 deaf;
	u32 mute;
	u32 flap;
	u32 cable;
	u32 mtu;
	u32 bearer;
	u32 peer;	/* an address is taken away for a while */
	u32 nomem;
	u32 stale;	/* a packet is seconds late */
	u32 leave;
	u32 big;
	u32 slow;
	u32 send;
	u32 one;
	u32 lazy;	/* what the engine has to say is left for later */
	u32 late;	/* so much later, ms; no chance */
	u32 level[GPE_GROUPS_OWN];	/* weights */
};

/* What becomes of a packet that a scene looks at. */
enum sim_tap {
	SIM_PASS,
	SIM_DROP,
	SIM_TWICE,
	SIM_KEEP,	/* until sim_release(), whatever happens meanwhile */
	SIM_COPY,	/* it passes, and one like it is kept */
};

enum sim_trace_level {
	SIM_TRACE_NONE,
	SIM_TRACE_STORY,	/* nodes, and one group's members */
	SIM_TRACE_ALL,
};

struct sim {
	u64 seed;
	u64 rng;
	u64 now;
	u64 steps;
	u64 hash;		/* of everything that happened */
	u32 n_nodes;
	u32 n_votes;		/* of all of them */
	u32 n_groups;
	u32 n_socks;
	u64 heartbeat_ns;
	u64 detect_ns;
	u64 rate;		/* bytes/s a node can send, 0: any */
	u64 queue;		/* bytes that wait for that, at most */
	bool faults;
	bool working;
	enum sim_trace_level trace;
	u32 focus;		/* group + 1 the story is about, 0: any */
	u32 at_group;		/* group + 1 whose members are told now */
	u32 focus_found;
	bool none;		/* partition policy */
	bool bad;
	const char *property;
	char what[200];
	struct sim_mix mix;
	struct sim_node node[SIM_NODES];
	bool cut[SIM_NODES][SIM_NODES];
	struct sim_link link[SIM_NODES][SIM_NODES];
	enum sim_tap (*tap)(u32 from, u32 to, const struct gpe_shim_buf *buf);
	u32 void_node;		/* what this node sends is void, */
	u64 void_inc;
	u32 void_first;		/* from this message on */
	u64 spans[SIM_GROUPS];	/* nodes whose programs join the group */
	u32 n_msgs;
	u32 n_faults;
	u64 healed;		/* when faults ended; 0: not yet */
	u64 hold_until;		/* nodes that came and went may be kept out */
	struct sim_check *check;
};

extern struct sim S;

/* sim_main.c */
u32 sim_rand(u32 below);
bool sim_chance(u32 per_mille);
u32 sim_draw(u64 *rng, u32 below);
bool sim_luck(struct sim_node *n, u32 per_mille);
void sim_bad(const char *property, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void sim_trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void sim_tell(u32 group, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Each decision draws from a stream of its own, found by what it decides and
 * not by what was drawn before: leaving one out changes no other.
 */
enum sim_kind {
	SIM_SETUP,
	SIM_MIX,
	SIM_NODE,
	SIM_START,
	SIM_FAULT,
	SIM_WORK,
	SIM_JOIN,
	SIM_LEAVE,
	SIM_SEND,
	SIM_UNDO,
	SIM_LUCK,
};
u64 sim_stream(enum sim_kind kind, u32 a, u32 b, u32 c);

/* sim_shrink.c */
struct sim_scene;
void sim_watch(void);
bool sim_do(enum sim_kind kind, u32 a, u32 b, u32 c);
void sim_shrink(u64 seed, u32 nodes, const struct sim_scene *scene);

/* sim_run.c: what a seed consists of */
void sim_seed(u64 seed, u32 nodes, const struct sim_scene *scene);
void sim_run(u64 until);

/* sim_net.c: events in the order of time, and the network */
enum sim_ev_type {
	SIM_EV_PACKET,
	SIM_EV_TICK,
	SIM_EV_WORK,
	SIM_EV_WAKE,
	SIM_EV_START,
	SIM_EV_FAULT,
	SIM_EV_UNDO,
};
void sim_at(u64 when, enum sim_ev_type type, u32 node, u32 path,
	    struct gpe_shim_buf *buf);
bool sim_next(u64 until);
void sim_net_clear(void);
void sim_release(void);
void sim_send(struct sim_node *from, const struct gpe_act_send *send);
u32 sim_path(u32 from, u32 to);
u32 sim_behind(u32 from, u32 path);

/* sim_time.c: the clocks of nodes */
u64 sim_clock(const struct sim_node *n);
u64 sim_wall(const struct sim_node *n);
u64 sim_when(const struct sim_node *n, u64 shows);
void sim_clock_start(struct sim_node *n);
void sim_clock_jump(struct sim_node *n, u64 ns);
void sim_clock_stop(struct sim_node *n, u64 until);
void sim_clock_go(struct sim_node *n);

/* sim_node.c: hosts of the engine */
void sim_node_start(struct sim_node *n);
void sim_node_crash(struct sim_node *n);
void sim_node_step(struct sim_node *n, struct gpe_event *ev);
void sim_node_tick(struct sim_node *n);
void sim_node_rearm(struct sim_node *n);
void sim_node_packet(struct sim_node *n, u32 path, struct gpe_shim_buf *buf);
void sim_node_bearer(struct sim_node *n, bool there);
void sim_node_peer(struct sim_node *n, u32 to, bool there);
const char *sim_node_busy(const struct sim_node *n);
void sim_sock_free(struct sim_sock *s);

/* sim_work.c: programs */
const u8 *sim_bytes(u64 id);
void sim_work(struct sim_node *n, u32 start);
void sim_wake(struct sim_node *n);
void sim_retry(struct sim_sock *s);
void sim_read(struct sim_node *n, bool all);

/* sim_fault.c */
u32 sim_alive(void);
u32 sim_there(void);
void sim_fault(void);
void sim_undo(struct sim_node *n, u32 what);
void sim_heal(void);

/* sim_bound.c: how long it may take once faults are over; how much memory and
 * how many steps in a row
 */
void sim_bound_look(struct sim_node *n, const struct gpe_node_info *info);
u64 sim_bound(void);
void sim_bound_quiet(struct sim_node *n);
u32 sim_bound_rounds(void);

/* sim_replay.c */
int sim_replay(const char *path);

/* sim_pause.c */
void pause_ran(struct sim_node *n);
void pause_heard(struct sim_node *n, u32 path, u64 sent);
void pause_acts(struct sim_node *n, const char *what);

/* sim_chain.c */
void chain_reset(void);
void chain_look(struct sim_node *n, const struct gpe_node_info *info);
bool chain_quorum(const struct gpe_node_entry *node, u32 n, u32 expected,
		  u64 mask);

/* sim_check.c: what the judge is told */
void check_init(void);
void check_free(void);
struct sim_member *check_join(const struct sim_sock *s);
void check_send(struct sim_member *m, u64 id, const struct gpe_ev_submit *sub);
void check_sent(struct sim_member *m, u64 id, const struct gpe_ev_submit *sub);
void check_view(struct sim_member *m, const struct gpe_view *view);
void check_deliver(struct sim_member *m, const struct gpe_msg_info *info,
		   u64 id);
void check_suspended(struct sim_member *m);
void check_resumed(struct sim_member *m);
void check_left(struct sim_member *m);
void check_gone(struct sim_member *m);
void check_epoch(const struct gpe_node_info *info);
void check_end(void);
void check_unsettled(void);
u32 check_group(u32 node, u32 port);

#endif /* SIM_H */
