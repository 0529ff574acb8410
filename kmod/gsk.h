/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the glue's files share. Layers, top to bottom; each calls only
 * downwards and through the functions named here:
 *
 *   sock, sendmsg, recvmsg, sockopt   sockets
 *   netlink, sysfs                    configuration and inspection
 *   group, queue                      a group on this node: its log, members;
 *                                     what each member has yet to read
 *   orphan, sysctl                    closed sockets on their way out; limits
 *   run                               the only caller of the engine
 *   bearer, bearer_udp                datagrams to and from peers
 *   buf                               payload, as the engine's buffers
 *   net                               per-namespace state
 */
#ifndef GSK_H
#define GSK_H

#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include <linux/group.h>
#include "gpe.h"

struct ctl_table_header;
struct gsk_bearers;

/* Objects counted from birth to death; the balance is logged at unload. */
enum gsk_obj { GSK_OBJ_NODE, GSK_OBJ_GROUP, GSK_OBJ_SOCK, GSK_OBJ_BUF, GSK_OBJ_N };

void gsk_count_created(enum gsk_obj obj);
void gsk_count_destroyed(enum gsk_obj obj);

/**
 * struct gsk_net - a node: one network namespace
 * @net: the namespace, not counted: pernet exit comes before it goes
 * @lock: serialises the engine and everything it delivers into (group logs,
 *	member queues). Taken with softirqs off, never with another gsk lock
 *	held but @cfg_lock; gsk_group and gsk_sock queues are under it
 * @node: the engine; NULL until the first socket or bearer
 * @out: result of the step under way, under @lock
 * @timer: hrtimer at the engine's next deadline
 * @tick: what it starts
 * @cfg_lock: configuration: bearers, peers, node settings; may sleep;
 *	order: @cfg_lock, then @lock
 * @cluster: cluster name, under @cfg_lock
 * @bearers: bearer.c's state: bearers, peers, transmit queues
 * @groups: struct gsk_group by name, under @lock
 * @groups_due: groups that changed: @work shows and notifies; under @lock
 * @spent: groups with records that all members have passed, for @work to
 *	hand back if no reader does; under @lock
 * @ports: next port number, under @lock
 * @socks: members by port, under @lock
 * @n_members: sockets in @groups, under @lock
 * @max_members: limit of @n_members, see sysctl.c
 * @sysctl: its entry in /proc/sys
 * @more: the engine has more to say: tick before any other event, under @lock
 * @cells_due: what the engine's reserve lacked when the lock was dropped last;
 *	written under @lock
 * @wakes: sockets to be woken once the lock is dropped
 * @work: what softirq context may not do: sysfs, notifications, evictions
 * @evict: sockets to be evicted by @work, under @lock
 * @orphans: closed sockets that the engine has yet to let go, oldest first,
 *	under @lock
 * @orphan_work: ends their hold on the namespace
 * @node_due: the node's state or view changed: @work notifies
 * @peers_due: mask of paths whose state changed: @work notifies
 * @peers_up: mask of those that are up
 * @mtu_due: a path's MTU changed: @work tells the engine
 * @sysfs_lock: guards @sysfs and @n_sysfs
 * @sysfs: list of struct gsk_dev
 * @n_sysfs: groups shown
 * @record: what the engine was given so far, NULL: nothing is recorded; set
 *	with @node, under @lock
 * @dead: the namespace ends: no new engine, no new work; under @lock
 */
struct gsk_net {
	struct net *net;
	spinlock_t lock;
	struct gpe_node *node;
	struct gpe_out *out;
	struct hrtimer timer;
	struct tasklet_struct tick;
	struct mutex cfg_lock;
	char cluster[GROUP_NAME_MAX + 1];
	struct gsk_bearers *bearers;
	struct rb_root groups;
	struct list_head groups_due;
	struct list_head spent;
	u32 ports;
	struct xarray socks;
	u32 n_members;
	unsigned int max_members;
	struct ctl_table_header *sysctl;
	bool more;
	u32 cells_due;
	struct llist_head wakes;
	struct work_struct work;
	struct list_head evict;
	struct list_head orphans;
	struct delayed_work orphan_work;
	bool node_due;
	u64 peers_due;
	u64 peers_up;
	bool mtu_due;
	struct mutex sysfs_lock;
	struct list_head sysfs;
	u32 n_sysfs;
	struct gsk_record *record;
	bool dead;
};

extern unsigned int gsk_net_id;
extern struct workqueue_struct *gsk_wq;
/* The family number in use. */
extern int gsk_family;

static inline struct gsk_net *gsk_net(const struct net *net);

/* ---- net.c ---- */

/* Makes the engine's node if there is none. May sleep. 0 or -ENOMEM. */
int gsk_net_start(struct gsk_net *gn);
/* All counters, GPE_CNT_N of them; zero without a node. */
void gsk_net_counters(struct gsk_net *gn, u64 *val);
/* What identifies a cluster on the wire. */
u64 gsk_cluster_hash(const char *name);
/* Whatever the engine must hear before bearers and memory go. May sleep. */
void gsk_net_stop(struct gsk_net *gn);
/* Has the worker look at what is due. Under @lock. */
void gsk_net_work_due(struct gsk_net *gn);
int gsk_net_init(void);
void gsk_net_exit(void);

/* ---- sysctl.c ---- */

int gsk_sysctl_init(struct gsk_net *gn);
void gsk_sysctl_exit(struct gsk_net *gn);
/* How many members this namespace may have now. */
unsigned int gsk_max_members(const struct gsk_net *gn);

/* ---- sock.c ---- */

/* Is the number in the parameter one that a family can have? */
int gsk_family_check(void);
int gsk_sock_init(void);
void gsk_sock_exit(void);

/* ---- run.c ---- */

/**
 * gsk_run() - give the engine an event and do what it says
 * @gn: the node; does nothing if it has no engine yet
 * @ev: the event; its result fields are valid on return
 *
 * Any context but hard interrupts; no gsk lock but @cfg_lock held. Goes on for
 * a bounded time if the engine has more to say, and leaves the rest to @work;
 * then wakes and transmits with no lock held.
 */
void gsk_run(struct gsk_net *gn, struct gpe_event *ev);

/**
 * gsk_run_task() - the same, for who may sleep: memory is waited for
 * @gn: the node
 * @ev: the event
 *
 * Context: process; the engine is not freed meanwhile, since the caller has a
 * socket, or is its namespace's worker, configuration or exit.
 *
 * Return: true if the engine has more to say.
 */
bool gsk_run_task(struct gsk_net *gn, struct gpe_event *ev);

/* From @work: all that the engine has to say, as a rule. */
void gsk_run_rest(struct gsk_net *gn);

/* Bearer to engine: the datagrams of @skb, each of @seg bytes but the last,
 * which may be shorter. The caller keeps its reference to @skb. Softirq
 * context.
 */
void gsk_run_rx(struct gsk_net *gn, u32 path, struct sk_buff *skb, u32 seg);

void gsk_run_timer_init(struct gsk_net *gn);
/* No more of it, and none running; gn->dead is set. Sleeps. */
void gsk_run_timer_exit(struct gsk_net *gn);

/* ---- record.c ---- */

struct gpe_record_made;
struct gsk_record;

void gsk_record_init(void);
void gsk_record_exit(void);
struct gsk_record *gsk_record_begin(const struct gpe_record_made *made);
void gsk_record_show(struct gsk_net *gn);
void gsk_record_end(struct gsk_record *rec);
void gsk_record_event(struct gsk_net *gn, u64 now, const struct gpe_event *ev);
void gsk_record_result(struct gsk_net *gn, const struct gpe_event *ev);

/* ---- group.c: called by run.c under @lock for each action ---- */

void gsk_group_deliver(struct gsk_net *gn, void *host, struct gpe_rec *rec);
void gsk_group_deliver_one(struct gsk_net *gn, void *host, void *cookie,
			   struct gpe_rec *rec);
void gsk_group_gone(struct gsk_net *gn, void *cookie, int error,
		    enum gpe_why why);
void gsk_group_wake(struct gsk_net *gn, void *host);
/* After the lock is dropped: wake who was marked in the step. */
void gsk_group_wake_flush(struct gsk_net *gn);
/* From @work: members past twice their limit leave. */
void gsk_group_evict(struct gsk_net *gn);
/* From @work: credit for what nobody returned. */
void gsk_group_collect(struct gsk_net *gn);
/* From @work: sysfs and notifications of groups that changed. */
void gsk_group_announce(struct gsk_net *gn);

/* ---- orphan.c ---- */

void gsk_orphan_init(struct gsk_net *gn);

/* ---- bearer.c ---- */

int gsk_bearer_init(struct gsk_net *gn);
/* Namespace exit or module unload: closes sockets, drops queues. May sleep. */
void gsk_bearer_exit(struct gsk_net *gn);
/* Frees what gsk_bearer_init() made; after gsk_bearer_exit(). */
void gsk_bearer_free(struct gsk_net *gn);
/* Under @lock: copies the datagram into the paths' transmit queues. Never
 * blocks; a queue at its limit drops and counts (the protocol repairs).
 */
void gsk_bearer_queue(struct gsk_net *gn, const struct gpe_act_send *send);
/* Without @lock: transmits what is queued, one CPU at a time per path. */
void gsk_bearer_flush(struct gsk_net *gn);

/* ---- netlink.c: notifications, called from @work ---- */

void gsk_netlink_notify_node(struct gsk_net *gn);
void gsk_netlink_notify_peer(struct gsk_net *gn, u32 path, bool up);
void gsk_netlink_notify_group(struct gsk_net *gn, const char *name);
int gsk_netlink_init(void);
void gsk_netlink_exit(void);

/* ---- sysfs.c ---- */

int gsk_sysfs_init(void);
void gsk_sysfs_exit(void);
/* From @work: a group got its first local member, or lost its last. */
int gsk_sysfs_add(struct gsk_net *gn, const char *name);
void gsk_sysfs_del(struct gsk_net *gn, const char *name);
/* pernet exit, before the namespace's devices are torn down. */
void gsk_sysfs_net_exit(struct gsk_net *gn);

#include <net/netns/generic.h>

static inline struct gsk_net *gsk_net(const struct net *net)
{
	return net_generic(net, gsk_net_id);
}

#endif /* GSK_H */
