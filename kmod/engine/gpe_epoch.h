/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * From one epoch to the next: how the directory and the groups of this node
 * are closed, dropped and opened. Included by gpe_int.h.
 */
#ifndef GPE_EPOCH_H
#define GPE_EPOCH_H

#include "gpe_env.h"

struct gpe_cut;
struct gpe_node;
struct gpe_value;

/**
 * struct gpe_opening - how far the opening of an epoch has come
 * @on: some group or local member is not in the epoch yet: nothing moves
 * @groups_done: every group is, the local members come next
 * @resume: local members were told that nothing moves: tell them that it does
 * @bye: ranks of the closing epoch that said goodbye
 * @gid: groups up to this number are open
 * @port: local members up to this port have been looked at
 * @survivors: ranks of the closing epoch that are in this one
 * @cut: what belongs to the closing epoch, @n_cut entries
 * @recs: where total order ends in its regions, ascending, @n_recs entries
 */
struct gpe_opening {
	bool on;
	bool groups_done;
	bool resume;
	u64 bye;
	u64 gid;
	u32 port;
	u32 n_cut;
	u64 survivors;
	struct gpe_cut *cut;
	u32 n_recs;
	struct {
		u64 region;
		u64 seq;
	} *recs;
};

/*
 * Called by gpe_view, in this order, at INSTALL. gpe_epoch_close(): everything
 * up to the cut goes into the stages, pending changes count as decided, the
 * streams are gone; only for a node that takes part as an old one. Takes the
 * cut out of @val.
 * gpe_epoch_drop(): instead of it, for a node that left its chain or had none:
 * what was held is dropped, the directory is empty.
 * gpe_dir_load(): the directory of a donor, whose ranks do not matter (members
 * are named by id and incarnation).
 * gpe_epoch_open(): node->ep is set to the new epoch; members of nodes that
 * are not in it leave, with reason node down or (for ranks of the closing
 * epoch in @bye) node left; locals ask to join where they are not members.
 * It only begins: see gpe_epoch.c. @resume: the members were told that nothing
 * moves.
 */
int gpe_epoch_close(struct gpe_node *node, struct gpe_value *val);
void gpe_epoch_drop(struct gpe_node *node);
int gpe_dir_load(struct gpe_node *node, const u8 *p, u32 len, u64 closing);
/* One change of the log of epoch @closing; *@k: the last one applied. */
int gpe_dir_replay(struct gpe_node *node, const u8 *inl, u32 len, u64 closing,
		   u64 *k);
int gpe_epoch_open(struct gpe_node *node, u64 bye, bool resume);
/* The next slice of an opening, if there is one. */
void gpe_epoch_pump(struct gpe_node *node);
/* Tell local members that nothing moves, until the node resumes. */
void gpe_groups_suspend(struct gpe_node *node);

#endif /* GPE_EPOCH_H */
