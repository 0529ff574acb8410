// SPDX-License-Identifier: GPL-2.0
/*
 * Per-namespace state. The engine's node is made with the first socket or
 * bearer and lives until the namespace ends; a namespace that never uses the
 * family costs one structure.
 *
 * Teardown, in the namespace's exit or at unload: open sockets hold the
 * namespace and the module, so none is left but orphans (orphan.c).
 * gsk_net_stop() says goodbye while devices exist, closes the bearers (whose
 * receive path then has ended), stops the timer and the workers, lets the
 * orphans go, and only then frees the engine.
 */
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/mm.h>
#include "bearer.h"
#include "group.h"
#include "gpe_record.h"

unsigned int gsk_net_id;
struct workqueue_struct *gsk_wq;

static struct {
	const char *name;
	atomic64_t created;
	atomic64_t destroyed;
} gsk_objs[GSK_OBJ_N] = {
	[GSK_OBJ_NODE] = { .name = "nodes" },
	[GSK_OBJ_GROUP] = { .name = "groups" },
	[GSK_OBJ_SOCK] = { .name = "sockets" },
	[GSK_OBJ_BUF] = { .name = "buffers" },
};

void gsk_count_created(enum gsk_obj obj)
{
	atomic64_inc(&gsk_objs[obj].created);
}

void gsk_count_destroyed(enum gsk_obj obj)
{
	atomic64_inc(&gsk_objs[obj].destroyed);
}

/**
 * gsk_net_counters() - all counters, those of the bearers added
 * @gn: the namespace
 * @val: room for GPE_CNT_N of them; zero without a node
 *
 * Context: process.
 */
void gsk_net_counters(struct gsk_net *gn, u64 *val)
{
	const struct gsk_bearers *b = gn->bearers;
	u64 unknown = atomic64_read(&b->rx_unknown);
	u64 empty = atomic64_read(&b->rx_empty);

	memset(val, 0, GPE_CNT_N * sizeof(*val));
	spin_lock_bh(&gn->lock);
	if (gn->node)
		memcpy(val, gpe_counters(gn->node), GPE_CNT_N * sizeof(*val));
	spin_unlock_bh(&gn->lock);
	/* What the bearers drop never reaches the engine. */
	val[GPE_CNT_RX_PACKETS] += unknown + empty;
	val[GPE_CNT_DROP_PATH] += unknown;
	val[GPE_CNT_DROP_SHORT] += empty;
}

u64 gsk_cluster_hash(const char *name)
{
	/* No secret: both ends of a wire must come to the same number. */
	static const siphash_key_t key = { { 0x6772, 0x6f7570 } };

	return siphash(name, strlen(name), &key);
}

static u64 gsk_random_inc(void)
{
	u64 inc;

	do {
		get_random_bytes(&inc, sizeof(inc));
	} while (!inc);
	return inc;
}

static u32 gsk_random_id(void)
{
	u32 id;

	do {
		get_random_bytes(&id, sizeof(id));
		id &= S32_MAX;
	} while (!id);
	return id;
}

static struct gpe_node *gsk_node_create(struct gsk_net *gn,
					struct gsk_record **rec)
{
	struct gpe_record_made made = {
		.cfg = {
			.id = gsk_random_id(),
			.cluster = gsk_cluster_hash(gn->cluster),
			.votes = 1,
			.heartbeat_ns = GPE_HEARTBEAT_NS,
			.detect_ns = GPE_DETECT_NS,
		},
		.inc = gsk_random_inc(),
		.seed = gsk_random_inc(),
		.now = ktime_get_boottime_ns(),
		.wall = ktime_get_real_ns(),
	};

	*rec = gsk_record_begin(&made);
	return gpe_node_create(&made.cfg, made.inc, made.seed, made.now,
			       made.wall);
}

/**
 * gsk_net_start() - make the engine's node if there is none
 * @gn: the namespace
 *
 * Context: process.
 * Return: 0, -ENOMEM, or -ESHUTDOWN when the namespace ends.
 */
int gsk_net_start(struct gsk_net *gn)
{
	struct gsk_record *rec = NULL;
	struct gpe_node *node;
	struct gpe_out *out;
	int err = 0;

	if (READ_ONCE(gn->node))
		return 0;
	out = kvmalloc(sizeof(*out), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	node = out ? gsk_node_create(gn, &rec) : NULL;
	if (!node) {
		gsk_record_end(rec);
		kvfree(out);
		return -ENOMEM;
	}
	spin_lock_bh(&gn->lock);
	if (gn->dead) {
		err = -ESHUTDOWN;
	} else if (!gn->node) {
		gn->out = out;
		gn->record = rec;
		WRITE_ONCE(gn->node, node);
		gsk_count_created(GSK_OBJ_NODE);
		out = NULL;
		node = NULL;
		rec = NULL;
	}
	spin_unlock_bh(&gn->lock);
	if (node)
		gpe_node_free(node);
	else if (!err)
		gsk_record_show(gn);
	gsk_record_end(rec);
	kvfree(out);
	return err;
}

/**
 * gsk_net_work_due() - have the worker look
 * @gn: the node, its lock held
 *
 * Not any more once the namespace ends, which waits for the worker.
 */
void gsk_net_work_due(struct gsk_net *gn)
{
	lockdep_assert_held(&gn->lock);
	if (!gn->dead)
		queue_work(gsk_wq, &gn->work);
}

/**
 * gsk_net_stop() - whatever the engine must hear before bearers and memory go
 * @gn: the namespace: no user socket is left in it
 *
 * Context: process.
 */
void gsk_net_stop(struct gsk_net *gn)
{
	struct gpe_event ev = { .type = GPE_EV_GOODBYE };
	struct gsk_record *rec;
	struct gpe_node *node;
	struct gpe_out *out;

	gsk_run_task(gn, &ev);
	gsk_bearer_exit(gn);
	spin_lock_bh(&gn->lock);
	gn->dead = true;
	spin_unlock_bh(&gn->lock);
	gsk_run_timer_exit(gn);
	cancel_work_sync(&gn->work);
	cancel_delayed_work_sync(&gn->orphan_work);
	gsk_sysfs_net_exit(gn);

	spin_lock_bh(&gn->lock);
	gsk_group_abandon(gn);
	node = gn->node;
	out = gn->out;
	rec = gn->record;
	gn->out = NULL;
	WRITE_ONCE(gn->node, NULL);
	if (node) {
		gpe_node_free(node);
		gsk_count_destroyed(GSK_OBJ_NODE);
	}
	spin_unlock_bh(&gn->lock);
	gsk_group_wake_flush(gn);
	gsk_record_end(rec);
	kvfree(out);
}

static void gsk_net_work(struct work_struct *work)
{
	struct gsk_net *gn = container_of(work, struct gsk_net, work);
	u64 due, up;
	bool node;

	gsk_run_rest(gn);
	gsk_group_evict(gn);
	gsk_group_collect(gn);
	gsk_group_announce(gn);
	if (xchg(&gn->mtu_due, false))
		gsk_bearer_mtu(gn);
	spin_lock_bh(&gn->lock);
	node = gn->node_due;
	due = gn->peers_due;
	up = gn->peers_up;
	gn->node_due = false;
	gn->peers_due = 0;
	spin_unlock_bh(&gn->lock);
	if (node)
		gsk_netlink_notify_node(gn);
	for (; due; due &= due - 1)
		gsk_netlink_notify_peer(gn, __ffs64(due),
					up & BIT_ULL(__ffs64(due)));
}

static int __net_init gsk_net_enter(struct net *net)
{
	struct gsk_net *gn = gsk_net(net);
	int err;

	gn->net = net;
	spin_lock_init(&gn->lock);
	mutex_init(&gn->cfg_lock);
	mutex_init(&gn->sysfs_lock);
	INIT_LIST_HEAD(&gn->sysfs);
	strscpy(gn->cluster, "default", sizeof(gn->cluster));
	gn->groups = RB_ROOT;
	INIT_LIST_HEAD(&gn->groups_due);
	INIT_LIST_HEAD(&gn->spent);
	INIT_LIST_HEAD(&gn->evict);
	gsk_orphan_init(gn);
	init_llist_head(&gn->wakes);
	xa_init_flags(&gn->socks, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_BH |
				  XA_FLAGS_ACCOUNT);
	INIT_WORK(&gn->work, gsk_net_work);
	gsk_run_timer_init(gn);
	err = gsk_bearer_init(gn);
	if (err)
		return err;
	err = gsk_sysctl_init(gn);
	if (err)
		gsk_bearer_free(gn);
	return err;
}

static void __net_exit gsk_net_leave(struct net *net)
{
	struct gsk_net *gn = gsk_net(net);

	gsk_sysctl_exit(gn);
	gsk_net_stop(gn);
	gsk_bearer_free(gn);
	xa_destroy(&gn->socks);
}

static struct pernet_operations gsk_net_ops = {
	.init = gsk_net_enter,
	.pre_exit = gsk_net_leave,
	.id = &gsk_net_id,
	.size = sizeof(struct gsk_net),
};

/**
 * gsk_net_init() - at load: a node in each namespace, from now on
 *
 * Return: 0 or a negative errno.
 */
int gsk_net_init(void)
{
	int err;

	/* Work of one namespace never runs twice at once, so what it has to
	 * say is said in turn; namespaces do not wait for each other.
	 */
	gsk_wq = alloc_workqueue("gsock", WQ_UNBOUND, 0);
	if (!gsk_wq)
		return -ENOMEM;
	err = register_pernet_device(&gsk_net_ops);
	if (err)
		destroy_workqueue(gsk_wq);
	return err;
}

/**
 * gsk_net_exit() - at unload: every node ends; says what was left over
 */
void gsk_net_exit(void)
{
	int i;

	unregister_pernet_device(&gsk_net_ops);
	destroy_workqueue(gsk_wq);
	rcu_barrier();
	for (i = 0; i < GSK_OBJ_N; i++)
		pr_info("gsock: objects %s created %lld destroyed %lld\n",
			gsk_objs[i].name, atomic64_read(&gsk_objs[i].created),
			atomic64_read(&gsk_objs[i].destroyed));
}
