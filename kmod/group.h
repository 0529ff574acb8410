/* SPDX-License-Identifier: GPL-2.0 */
/* A group on this node, and the sockets in it. */
#ifndef GSK_GROUP_H
#define GSK_GROUP_H

#include <linux/refcount.h>
#include <net/sock.h>
#include "gsk.h"
#include "buf.h"

/**
 * struct gsk_group - a group's log on this node
 * @list: in gn->groups
 * @members: struct gsk_sock by @in_grp: bound to it, until closed and gone
 * @log: delivered records that some member has yet to pass, oldest first;
 *	rec.host_u64[0] is the position, rec.host_u64[1] how many members have
 *	yet to pass it
 * @next_pos: position of the next record, from 1
 * @consumed: messages passed by all, to be handed back to the engine
 * @consumed_bytes: their cost
 * @n_consumed: their number
 * @n_attached: members that new records count for
 * @shown: sysfs has it; @show: sysfs is to have it: the worker's
 * @changed: a view came since the worker last looked
 *
 * All under gn->lock but @shown. Made by the first bind, freed when the last
 * of its sockets is closed and the engine has let go of it; the engine names
 * it only until GPE_ACT_GONE of its last member.
 */
struct gsk_group {
	struct list_head list;
	struct list_head members;
	struct list_head log;
	u64 next_pos;
	struct list_head consumed;
	u32 consumed_bytes;
	u32 n_consumed;
	u32 n_attached;
	bool shown;
	bool changed;
	u64 view_gen;
	char name[GROUP_NAME_MAX + 1];
};

/**
 * struct gsk_sock - a socket, and the member that it is
 * @sk: first; @sk.sk_lock guards @bound and the options while unbound
 * @rd_lock: one reader at a time; taken before gn->lock
 * @acct: memory of messages sent and not stable
 *
 * Under gn->lock:
 * @grp: from bind until the socket is closed and the engine let go
 * @local: the engine's handle, NULL before bind and after GPE_ACT_GONE
 * @cursor: next record of the log to read; NULL: at the end. Never a record
 *	that this socket passes over, so it alone says whether there is one
 * @attached: new records of the log are for it
 * @gap_from, @gap_to: records from the one to before the other are not for
 *	it: its node was out of the cluster; 0: none
 * @self: as the last view that lists it names it
 * @end_pos: not attached: records from here on are not for it
 * @ones: messages to it alone, by rec.link; host_u64[0] is the position of
 *	the record of the log that they stand before
 * @view: the view that it has read last
 * @queued, @queued_bytes: records for it that it has not passed
 * @limit: from which on senders are held back
 * @wake_gen: raised whenever what was refused may go
 * @refused: bytes of a send that was refused and not woken since, plus 1
 * @seen_gen: last view that listed it, see gsk_group_deliver()
 */
struct gsk_sock {
	struct sock sk;
	struct gsk_net *gn;
	struct gsk_acct *acct;
	struct mutex rd_lock;
	int order;
	u32 events;
	bool loopback;
	bool info;
	bool bound;
	struct gpe_props props;
	atomic_t readers;

	struct gsk_group *grp;
	struct list_head in_grp;
	struct list_head evict;
	struct llist_node wake_node;
	unsigned long wake_bit;
	struct gpe_local *local;
	u32 port;
	struct gpe_rec *cursor;
	bool attached;
	bool joined;
	bool suspended;
	bool resume_due;
	bool closed;
	bool leaving;
	bool gone;
	bool evict_due;
	bool overrun;
	int error;
	enum gpe_why why;
	struct gpe_addr self;
	u64 end_pos;
	u64 gap_from;
	u64 gap_to;
	struct list_head ones;
	struct gpe_view *view;
	u32 queued;
	u64 queued_bytes;
	u32 limit;
	u64 wake_gen;
	u32 refused;
	u64 seen_gen;
	u64 sent;
	u64 received;
};

static inline struct gsk_sock *gsk_sk(const struct sock *sk)
{
	return (struct gsk_sock *)sk;
}

/**
 * struct gsk_group_figures - queues of a group's local members
 * @locals: sockets
 * @queued: records in the log
 * @queued_bytes: of the fullest member
 */
struct gsk_group_figures {
	u32 locals;
	u32 queued;
	u64 queued_bytes;
};

/* Is this an address of this very node? Under gn->lock; asks the engine. */
bool gsk_is_self(struct gsk_net *gn, const struct gpe_addr *addr);
/* Under gn->lock. False if @host is none of this namespace's groups. */
bool gsk_group_figures(struct gsk_net *gn, void *host,
		       struct gsk_group_figures *f);

/* Joins; process context, gn->lock not held. 0 or a negative errno. */
int gsk_group_join(struct gsk_sock *gsk, const char *name);
/* Leaves; the handle is gone soon. @close: the socket reads no more. */
void gsk_group_leave(struct gsk_sock *gsk, bool close);
/* Under gn->lock, at the end of the namespace: as if all were gone. */
void gsk_group_abandon(struct gsk_net *gn);

/* The next record for @gsk, or NULL. Under gn->lock. */
struct gpe_rec *gsk_sock_next(struct gsk_sock *gsk);
/* Passes it. Under gn->lock. */
void gsk_sock_pass(struct gsk_sock *gsk, struct gpe_rec *rec);
/* Options have changed: passes over what is not wanted. Under gn->lock. */
void gsk_sock_skip(struct gsk_sock *gsk);
/* Returns credit for what was passed, if it is time. gn->lock not held. */
void gsk_group_settle(struct gsk_sock *gsk);

static inline u32 gsk_rec_cost(const struct gpe_rec *rec)
{
	struct gpe_msg_info info;

	if (rec->type != GPE_REC_MSG)
		return GPE_RECORD_COST;
	gpe_msg_info(rec, &info);
	return info.len + GPE_RECORD_COST;
}

static inline const struct gpe_view *gsk_rec_view(const struct gpe_rec *rec)
{
	return container_of(rec, const struct gpe_view_rec, rec)->view;
}

/* sendmsg.c, recvmsg.c, sockopt.c */
int gsk_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);
int gsk_recvmsg(struct socket *sock, struct msghdr *msg, size_t len,
		int flags);
int gsk_setsockopt(struct socket *sock, int level, int opt, sockptr_t val,
		   unsigned int len);
int gsk_getsockopt(struct socket *sock, int level, int opt,
		   char __user *val, int __user *len);
/* @name of a checked address: 0, -EINVAL, -ENAMETOOLONG, -EAFNOSUPPORT. */
int gsk_addr_check(const struct sockaddr_group *addr, int len);
void gsk_addr_fill(struct sockaddr_group *addr, const char *name,
		   const struct gpe_addr *member);

#endif /* GSK_GROUP_H */
