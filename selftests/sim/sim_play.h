/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What scenes are made of. Nodes are named by their index, sets of nodes are
 * masks, times are ms.
 */
#ifndef SIM_PLAY_H
#define SIM_PLAY_H

#include "gpe_pkt.h"
#include "sim.h"

/* The bound of V11: ten times detection, and the repair of one window. */
enum { BOUND = 3500, FORM = 1000 };

/**
 * struct budget - what nodes had spent at some moment
 * @mask: which nodes
 * @views: node views of each
 * @ballots: of all of them
 */
struct budget {
	u32 mask;
	u64 views[SIM_NODES];
	u64 ballots;
};

u32 bit(u32 i);
u32 all(void);
u32 between(u32 least, u32 most);
void pass(u32 ms);
void pass_steps(u32 n);

/* What nodes say of themselves. */
struct gpe_node_info info_of(u32 i);
bool state_is(u32 i, enum gpe_state state);
bool one_view(u32 mask);
u32 rank_of(u32 i);
u32 at_rank(u32 rank, u32 asked);
u64 counted(u32 mask, enum gpe_counter c);

/* What is asked of them. */
void failed(const char *property, const char *what);
void settle(u32 mask, u32 ms, const char *what);
void becomes(u32 i, enum gpe_state state, u32 ms, const char *what);
void stays(u32 mask, u32 ms, const char *what);
void calm(u32 mask, u32 ms, const char *what);
void never_out(u32 mask, u32 ms, const char *what);
struct budget spend(u32 mask);
void at_most(const struct budget *b, u32 views, u32 ballots, const char *what);

/* What is done to them. */
void start(u32 mask);
void crash(u32 mask);
void cut(u32 from, u32 to, bool off);
void split(u32 side, bool off);
void wall_set(u32 i, s64 ms);
void cluster(void);
void healed(u32 ms);

/* Packets of one type between two nodes, and DATA of one region only. */
void tap(u32 from, u32 to, enum gpe_pkt_type type, enum sim_tap what);
void tap_region(u32 from, u32 to, u64 region, enum sim_tap what);
void tap_log(u32 from, u32 to, enum sim_tap what);
void tap_end(void);
/* So many were sent, to nobody or not; PROMISE and READY: that mean it. */
u32 said(u32 from, u32 to, enum gpe_pkt_type type);
void await_said(u32 from, u32 to, enum gpe_pkt_type type, u32 ms);
void await_epoch(u32 i, u64 after, u32 ms);
/* Which levels programs use, each with a weight. */
void levels(u32 none, u32 fifo, u32 causal, u32 total, u32 safe);

#endif /* SIM_PLAY_H */
