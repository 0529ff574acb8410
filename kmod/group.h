/* SPDX-License-Identifier: GPL-2.0 */
/* A group on this node, and the sockets in it. */
#ifndef GSK_GROUP_H
#define GSK_GROUP_H

#include <linux/refcount.h>
#include <net/sock.h>
#include "gsk.h"
#include "buf.h"

/* Orders that are there. */

/* Member lists of views that a member may leave unread, bytes: enough for a
 * thousand that join one by one.
 */
#define GSK_VIEWS_MAX	(32 << 20)

/* So often a member may come back without having read of the first time. */
#define GSK_BACKS_MAX	8

/* What a socket is to be woken for. */
#define GSK_WAKE_READ	1	/* there is something to read */
#define GSK_WAKE_WRITE	2	/* what was refused may go now */
#define GSK_WAKE_STATE	4	/* it is out: also who waits for HUP alone */

/**
 * struct gsk_group - a group's log on this node
 * @node: in gn->groups
 * @members: struct gsk_sock by @in_grp: bound to it, until closed and gone
 * @log: delivered records that some member has yet to pass, oldest first;
 *	rec.host_u64[0] is the position, rec.host_u64[1] how many members have
 *	yet to pass it, one more for each that copies it just now
 * @next_pos: position of the next record, from 1
 * @consumed: messages passed by all, to be handed back to the engine
 * @consumed_bytes: their cost
 * @n_consumed: their number
 * @spent: in gn->spent while @consumed is not empty
 * @n_attached: members that new records count for
 * @n_blocked: members that wait to send, for local readers only
 * @shown: sysfs has it; the worker's
 * @due: in gn->groups_due: a view came since the worker last looked
 * @view_gen: counts views, see gsk_group_view()
 * @name: of the group
 *
 * All under gn->lock but @shown. Made by the first bind, freed when the last
 * of its sockets is closed and the engine has let go of it, by the worker if
 * that has shown it or is about to; the engine names it only until
 * GPE_ACT_GONE of its last member.
 */
struct gsk_group {
	struct rb_node node;
	struct list_head members;
	struct list_head log;
	u64 next_pos;
	struct list_head consumed;
	u32 consumed_bytes;
	u32 n_consumed;
	struct list_head spent;
	u32 n_attached;
	u32 n_blocked;
	bool shown;
	struct list_head due;
	u64 view_gen;
	char name[GROUP_NAME_MAX + 1];
};

/**
 * struct gsk_back - a member is in its group again
 * @from: records from this position on are not for it, since its node was out
 *	of the cluster,
 * @to: up to before this one, a view that lists it. As @from: none was left
 *	out
 * @resumed: a resumed event is to be read before that view
 */
struct gsk_back {
	u64 from;
	u64 to;
	bool resumed;
};

/**
 * struct gsk_sock - a socket, and the member that it is
 * @sk: first; its lock guards @bound, @props, @charged and changes of @limit
 * @gn: the node
 * @acct: memory of messages sent and not stable
 * @rd_lock: one reader at a time; taken before gn->lock
 * @order: GROUP_ORDER_* of messages that do not say otherwise
 * @events: mask of GROUP_EV_* to be read; under gn->lock
 * @loopback: reads its own messages; under gn->lock
 * @info: adds GROUP_CMSG_INFO
 * @bound: set once, with release; what is bound has @grp until it is closed
 * @props: asked for in bind
 * @charged: bytes charged for @limit
 * @want: bytes of a send that the send buffer had no room for, 0: none
 * @readers: threads in recvmsg
 * @sent: messages sent
 *
 * Under gn->lock:
 * @grp: from bind until the socket is closed and the engine let go
 * @in_grp: in @grp->members
 * @evict: in gn->evict, with a reference to @sk
 * @orphan: in gn->orphans: closed, and the engine has yet to let go
 * @orphan_at: jiffies of when it stops to hold the namespace
 * @wake_node: in gn->wakes, with a reference to @sk
 * @wake: GSK_WAKE_*; who sets the first bit puts it into gn->wakes
 * @local: the engine's handle, NULL before bind and after GPE_ACT_GONE
 * @port: its number on this node
 * @cursor: next record of the log to read; NULL: at the end. Never a record
 *	that this socket passes over, so it alone says whether there is one
 * @reading: record that a reader copies just now, without the lock
 * @reading_one: that is one of @ones
 * @attached: new records of the log are for it
 * @joined: has had its first view
 * @suspended: between those two events
 * @closed: no descriptor is left
 * @leaving: shut down or closed
 * @gone: the engine let go
 * @evict_due: the last record, GROUP_EV_EVICTED, is to be read
 * @overrun: is being evicted
 * @error: negative errno that later calls get
 * @why: it is gone
 * @n_backs: how many of @back there are, in the order of the log
 * @back: views that it came back with and has not read past
 * @self: as the last view that lists it names it
 * @end_pos: not attached: records from here on are not for it
 * @ones: messages to it alone, by rec.link; host_u64[0] is the position of
 *	the record of the log that they stand before, host_u64[1] 1 while one
 *	is copied
 * @view: the view that it has read last
 * @queued: records for it that it has not passed
 * @queued_bytes: their cost
 * @limit: from which on senders are held back
 * @limit_max: highest @limit so far: twice that is too much
 * @view_bytes: memory of the member lists of views among @queued
 * @wake_gen: raised whenever what was refused may go
 * @refused: the engine refused a send, and has not said since that it may go
 * @blocked: a sender waits for local readers only
 * @seen_gen: last view that listed it, see gsk_group_view()
 * @received: messages read
 *
 * References to @sk: its file; the engine from bind to GPE_ACT_GONE; and
 * @evict, @wake_node. A group holds none: it is left before the last one goes.
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
	u32 charged;
	u32 want;
	atomic_t readers;
	atomic64_t sent;

	struct gsk_group *grp;
	struct list_head in_grp;
	struct list_head evict;
	struct list_head orphan;
	unsigned long orphan_at;
	struct llist_node wake_node;
	atomic_t wake;
	struct gpe_local *local;
	u32 port;
	struct gpe_rec *cursor;
	struct gpe_rec *reading;
	bool reading_one;
	bool attached;
	bool joined;
	bool suspended;
	bool closed;
	bool leaving;
	bool gone;
	bool evict_due;
	bool overrun;
	int error;
	enum gpe_why why;
	struct gpe_addr self;
	u64 end_pos;
	u32 n_backs;
	struct gsk_back back[GSK_BACKS_MAX];
	struct list_head ones;
	struct gpe_view *view;
	u32 queued;
	u64 queued_bytes;
	u32 limit;
	u32 limit_max;
	u32 view_bytes;
	u64 wake_gen;
	bool refused;
	u32 blocked;
	u64 seen_gen;
	u64 received;
};

static inline struct gsk_sock *gsk_sk(const struct sock *sk)
{
	return (struct gsk_sock *)sk;
}

/**
 * struct gsk_group_figures - queues of a group's local members
 * @locals: sockets
 * @queued: records of the fullest member
 * @queued_bytes: their cost
 */
struct gsk_group_figures {
	u32 locals;
	u32 queued;
	u64 queued_bytes;
};

/* ---- group.c ---- */

bool gsk_is_self(struct gsk_net *gn, const struct gpe_addr *addr);
bool gsk_group_figures(struct gsk_net *gn, void *host,
		       struct gsk_group_figures *f);
int gsk_group_join(struct gsk_sock *gsk, const char *name);
void gsk_group_leave(struct gsk_sock *gsk, bool close);
void gsk_group_abandon(struct gsk_net *gn);
void gsk_group_settle(struct gsk_sock *gsk);
void gsk_group_spend(struct gsk_net *gn, struct gsk_group *grp,
		     struct gpe_rec *rec);
void gsk_group_rouse(struct gsk_group *grp);
void gsk_group_unwanted(struct gsk_sock *gsk);

/* ---- queue.c ---- */

struct gpe_rec *gsk_queue_next(const struct gsk_sock *gsk);
void gsk_queue_given(struct gsk_sock *gsk, struct gpe_rec *rec);
void gsk_queue_given_one(struct gsk_sock *gsk, struct gpe_rec *rec);
void gsk_queue_skip(struct gsk_sock *gsk);
void gsk_queue_resume(struct gsk_sock *gsk, const struct gpe_rec *rec);
void gsk_queue_attach(struct gsk_sock *gsk, const struct gpe_rec *rec);
bool gsk_resumes_at(const struct gsk_sock *gsk, const struct gpe_rec *rec);
void gsk_queue_resumed(struct gsk_sock *gsk, const struct gpe_rec *rec);
void gsk_queue_detach(struct gsk_sock *gsk, u64 end_pos);
bool gsk_queue_flush(struct gsk_sock *gsk, u32 budget);
void gsk_queue_trim(struct gsk_net *gn, struct gsk_group *grp);
void gsk_queue_read_begin(struct gsk_sock *gsk, struct gpe_rec *rec);
void gsk_queue_read_end(struct gsk_sock *gsk, bool pass);
u64 gsk_queue_own_bytes(const struct gsk_sock *gsk);
void gsk_sock_wake(struct gsk_sock *gsk, int what);

/* ---- orphan.c ---- */

void gsk_orphan_add(struct gsk_sock *gsk);

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

/* ---- sock.c, sendmsg.c, recvmsg.c, sockopt.c ---- */

u32 gsk_sock_limit(const struct gsk_sock *gsk);
int gsk_sock_charge(struct gsk_sock *gsk, u32 limit);
bool gsk_send_room(const struct gsk_sock *gsk, size_t len);
int gsk_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);
int gsk_recvmsg(struct socket *sock, struct msghdr *msg, size_t len,
		int flags);
int gsk_setsockopt(struct socket *sock, int level, int opt, sockptr_t val,
		   unsigned int len);
int gsk_getsockopt(struct socket *sock, int level, int opt,
		   char __user *val, int __user *len);
u32 gsk_own_node(const struct gsk_sock *gsk);
int gsk_addr_check(const struct sockaddr_group *addr, int len);
void gsk_addr_fill(struct sockaddr_group *addr, const char *name,
		   const struct gpe_addr *member);

#endif /* GSK_GROUP_H */
