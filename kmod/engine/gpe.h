/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The engine's public face, the only engine header that the glue, the
 * simulator and the fuzzers include (besides gpe_limits.h).
 *
 * One struct gpe_node is one node: a state machine that does no I/O. Whoever
 * hosts it calls gpe_step() with the time and what happened, and does what the
 * returned actions say, in their order. The host serialises all calls for one
 * node (the kernel: one spinlock, softirqs off); different nodes share nothing.
 */
#ifndef GPE_H
#define GPE_H

#include "gpe_env.h"
#include "gpe_limits.h"

struct gpe_node;
struct gpe_local;

/**
 * struct gpe_vid - id of a group view: see struct group_view_id
 */
struct gpe_vid {
	u64 epoch;
	u64 seq;
};

/* Order levels; the values are those of GROUP_ORDER_* in the uapi header. */
enum gpe_level {
	GPE_NONE,
	GPE_FIFO,
	GPE_CAUSAL,
	GPE_TOTAL,
	GPE_SAFE,
	GPE_GROUPS_OWN,		/* in a submit: the group's default */
};

/* Why a member left; the values are those of GROUP_WHY_*. */
enum gpe_why {
	GPE_WHY_NONE,
	GPE_WHY_LEAVE,
	GPE_WHY_NODE_DOWN,
	GPE_WHY_NODE_LEFT,
	GPE_WHY_OVERRUN,
};

/**
 * struct gpe_addr - a member: one socket of one incarnation of one node
 */
struct gpe_addr {
	u64 inc;
	u32 node;
	u32 port;
};

/**
 * struct gpe_props - properties of a group, zero means default
 * @order: default order level
 * @orders: mask of 1 << level that may be used
 * @msg_max: bytes
 */
struct gpe_props {
	u32 order;
	u32 orders;
	u32 msg_max;
};

/* As struct group_props says: 0 is total, or none where that is left out. */
static inline u8 gpe_props_level(const struct gpe_props *props)
{
	if (props->order)
		return props->order;
	return !props->orders || (props->orders & BIT(GPE_TOTAL)) ? GPE_TOTAL :
								    GPE_NONE;
}

/* ---- records: what is delivered ---- */

enum gpe_rec_type {
	GPE_REC_MSG,		/* struct gpe_msg */
	GPE_REC_VIEW,		/* struct gpe_view_rec */
	GPE_REC_SUSPENDED,	/* struct gpe_note */
	GPE_REC_RESUMED,	/* struct gpe_note */
};

/**
 * struct gpe_rec - common head of everything that enters a group's log
 * @link: the host's, from the moment the record is delivered
 * @type: enum gpe_rec_type
 * @host_u64: two words for the host (position in the log and the like)
 *
 * The host owns a delivered record. It hands messages back in GPE_EV_CONSUMED
 * when every local member has read them, since reading returns credit, and
 * everything else (and messages nobody accounts for any more) by
 * gpe_rec_free(), both under the lock that serialises gpe_step().
 */
struct gpe_rec {
	struct list_head link;
	u8 type;
	u64 host_u64[2];
};

/**
 * struct gpe_member - a line of a view
 * @addr: who
 * @change: 0 stayed, 1 joined, 2 left (as GROUP_STAYED and so on)
 * @why: enum gpe_why for one who left
 */
struct gpe_member {
	struct gpe_addr addr;
	u16 change;
	u16 why;
};

/**
 * struct gpe_view - an agreed member list; immutable once published
 * @refs: references; gpe_view_get() and gpe_view_put()
 * @id: number
 * @n: members, in rank order
 * @n_left: entries behind the members for those who left
 * @n_joined: members marked as joined
 * @m: @n members, then @n_left
 */
struct gpe_view {
	refcount_t refs;
	struct gpe_vid id;
	u32 n;
	u32 n_left;
	u32 n_joined;
	struct gpe_member m[];
};

struct gpe_view_rec {
	struct gpe_rec rec;
	struct gpe_view *view;
};

/**
 * struct gpe_note - suspended or resumed
 * @vid: the view it falls into
 */
struct gpe_note {
	struct gpe_rec rec;
	struct gpe_vid vid;
};

/**
 * struct gpe_msg_info - what a host may read of a delivered message
 */
struct gpe_msg_info {
	struct gpe_addr sender;
	struct gpe_vid vid;
	u64 position;	/* from 1 within the view; 0: to one member */
	u64 lamport;	/* grows along happened-before, in all groups */
	u32 len;
	u32 dst_port;	/* 0: to all */
	u8 level;
};

/* The rest of struct gpe_msg is the engine's own. */
struct gpe_msg;

void gpe_msg_info(const struct gpe_rec *rec, struct gpe_msg_info *info);
/* Ranges of the payload, in order: false when @i is past the last one. */
bool gpe_msg_seg(const struct gpe_rec *rec, u32 i, void **buf, u32 *off,
		 u32 *len);
void gpe_rec_free(struct gpe_node *node, struct gpe_rec *rec);
void gpe_view_get(struct gpe_view *view);
void gpe_view_put(struct gpe_view *view);

/* ---- events: what happened ---- */

enum gpe_ev_type {
	GPE_EV_TICK,		/* a deadline passed; also after out->more */
	GPE_EV_PACKET,		/* a datagram came */
	GPE_EV_SUBMIT,		/* a member sends */
	GPE_EV_JOIN,		/* a socket was bound */
	GPE_EV_LEAVE,		/* a member leaves, or is evicted */
	GPE_EV_CONSUMED,	/* records were read by all local members */
	GPE_EV_LIMIT,		/* a member's limit changed */
	GPE_EV_CONFIG,		/* node settings changed */
	GPE_EV_BEARERS,		/* number of bearers changed */
	GPE_EV_PEER_ADD,	/* a remote address was configured */
	GPE_EV_PEER_DEL,
	GPE_EV_GOODBYE,		/* the node ends: tell the others, then stop */
};

/**
 * struct gpe_ev_packet - a datagram
 * @path: index of the peer address it came from
 * @hdr: its first @hdr_len bytes, in linear memory: at least
 *	min(@len, GPE_HDR_MAX)
 * @len: bytes of the datagram
 * @buf: handle of the buffer that holds it; the engine takes references
 *	of its own for what it keeps
 * @off: where in that buffer the datagram starts
 */
struct gpe_ev_packet {
	u32 path;
	u32 hdr_len;
	const u8 *hdr;
	u32 len;
	u32 off;
	void *buf;
};

/* What holds a refused submit back. */
enum gpe_block {
	GPE_BLOCK_NONE,
	GPE_BLOCK_JOINING,
	GPE_BLOCK_VIEW,		/* wedged: the node view is changing */
	GPE_BLOCK_SUSPENDED,
	GPE_BLOCK_WINDOW,	/* too much of ours is not stable */
	GPE_BLOCK_CREDIT,	/* a receiver has no room */
	GPE_BLOCK_SELF,		/* only receivers of this very node have none */
};

/**
 * struct gpe_ev_submit - a message
 * @local_at: where the host keeps the sender's handle
 * @buf: payload; the engine takes a reference on success only
 * @len: bytes, 0 to the group's msg_max
 * @level: enum gpe_level; out: the level taken
 * @to_one: send to @dst only
 * @dst: a member of the current view
 * @demand: fail with -ESTALE unless @vid is the current view
 * @ret: out: 0, -EAGAIN, -ESTALE, -EHOSTUNREACH, -EMSGSIZE, -EINVAL,
 *	-EPIPE, -ENOMEM
 * @block: out: with -EAGAIN, what is in the way
 * @vid: in: the view demanded; out: the view stamped
 */
struct gpe_ev_submit {
	struct gpe_local *const *local_at;
	void *buf;
	u32 len;
	u8 level;
	bool to_one;
	bool demand;
	struct gpe_addr dst;
	struct gpe_vid vid;
	int ret;
	enum gpe_block block;
};

/**
 * struct gpe_ev_join - a local socket joins
 * @host: the host's object of this group on this node, the same for all local
 *	members of a group; named in actions until GPE_ACT_GONE of the last
 * @cookie: the host's object of the socket
 * @name: group name, checked by the caller, zero-terminated
 * @props: zero: as the group is
 * @port: number of the socket, unique on this node, never 0
 * @limit: bytes of records from which senders are to be held back
 * @local_at: where the host keeps the engine's handle: written before any
 *	action of this step is done; the host clears it at GPE_ACT_GONE. Later
 *	events name the place, which the engine reads inside the step, so that
 *	a handle cannot be used after its end; NULL there: -EPIPE, or nothing
 * @ret: out: 0, -ENOMEM, -ENOSPC
 */
struct gpe_ev_join {
	void *host;
	void *cookie;
	const char *name;
	struct gpe_props props;
	u32 port;
	u32 limit;
	struct gpe_local **local_at;
	int ret;
};

struct gpe_ev_leave {
	struct gpe_local *const *local_at;
	enum gpe_why why;	/* GPE_WHY_LEAVE or GPE_WHY_OVERRUN */
};

struct gpe_ev_limit {
	struct gpe_local *const *local_at;
	u32 limit;
};

/* What a part of a cluster without a quorum does; as GSOCK_PARTITION_*. */
enum gpe_partition {
	GPE_PART_PRIMARY,	/* it is suspended */
	GPE_PART_NONE,		/* it forms a chain of its own, at once */
	GPE_PART_N
};

/**
 * struct gpe_cfg - settings of a node
 * @id: node id, not 0
 * @cluster: hash of the cluster's name
 * @votes: votes of this node, 0 to 16
 * @expected_votes: 0: 1 + number of peers
 * @partition: enum gpe_partition; GPE_PART_NONE: no votes are expected
 * @heartbeat_ns: 10 ms to 10 s
 * @detect_ns: silence before suspicion, at least 3 heartbeats
 */
struct gpe_cfg {
	u32 id;
	u64 cluster;
	u32 votes;
	u32 expected_votes;
	u32 partition;
	u64 heartbeat_ns;
	u64 detect_ns;
};

struct gpe_ev_config {
	struct gpe_cfg cfg;
	u64 wall_ns;	/* wall clock, for a new chain's first epoch */
	int ret;	/* out: 0 or -EINVAL */
};

struct gpe_ev_bearers {
	u32 count;
	u64 wall_ns;
};

/**
 * struct gpe_ev_peer - a remote address
 * @path: index chosen by the host, 0 to GPE_PATHS_MAX - 1, not in use
 * @mtu: largest datagram that passes unfragmented, bytes; a PEER_ADD for a
 *	path that exists only changes this
 */
struct gpe_ev_peer {
	u32 path;
	u32 mtu;
};

struct gpe_event {
	enum gpe_ev_type type;
	union {
		struct gpe_ev_packet packet;
		struct gpe_ev_submit submit;
		struct gpe_ev_join join;
		struct gpe_ev_leave leave;
		struct gpe_ev_limit limit;
		struct gpe_ev_config config;
		struct gpe_ev_bearers bearers;
		struct gpe_ev_peer peer;
		/* GPE_EV_CONSUMED: struct gpe_rec by link; emptied */
		struct list_head *consumed;
	};
};

/* ---- actions: what must be done ---- */

enum gpe_act_type {
	GPE_ACT_SEND,		/* a datagram to a set of paths */
	GPE_ACT_DELIVER,	/* append a record to a group's log */
	GPE_ACT_DELIVER_ONE,	/* a message for one member */
	GPE_ACT_GONE,		/* a local member is out */
	GPE_ACT_WAKE,		/* what was refused in this group may go now */
	GPE_ACT_NODE,		/* node state or node view changed: notify */
	GPE_ACT_PEER,		/* a peer went up or down: notify */
};

struct gpe_seg {
	void *buf;
	u32 off;
	u32 len;
};

/**
 * struct gpe_act_send - a datagram
 * @paths: mask of paths; the same bytes go to each
 * @hdr: header bytes, in the out structure's arena
 * @hdr_len: how many
 * @n_segs: ranges of payload that follow the header
 * @len: bytes of the whole datagram
 * @segs: the ranges
 *
 * Header and ranges are valid until the next gpe_step() of this node.
 */
struct gpe_act_send {
	u64 paths;
	const u8 *hdr;
	u16 hdr_len;
	u16 n_segs;
	u32 len;
	struct gpe_seg segs[GPE_SEGS_MAX];
};

struct gpe_act {
	enum gpe_act_type type;
	union {
		struct gpe_act_send send;
		struct {
			void *host;	/* of the group */
			void *cookie;	/* DELIVER_ONE: of the socket */
			struct gpe_rec *rec;
		} deliver;
		struct {
			void *cookie;
			/* 0: left as asked; else refused or evicted */
			int error;
			enum gpe_why why;
		} gone;
		struct {
			void *host;
		} wake;
		struct {
			u32 path;
			bool up;
		} peer;
	};
};

/**
 * struct gpe_out - result of a step
 * @n: actions
 * @more: not everything fitted: do these, then call again with GPE_EV_TICK
 *	before anything else
 * @used: bytes of @arena in use
 *
 * GPE_ACT_DELIVER of a struct gpe_view_rec: local members that it lists as
 * joined start reading at this very record; those it lists as left read up to
 * and with it. GPE_ACT_GONE follows for those who left.
 */
struct gpe_out {
	u32 n;
	bool more;
	u32 used;
	struct gpe_act act[GPE_ACTS_MAX];
	u8 arena[GPE_ARENA];
};

/**
 * gpe_node_create() - a node without bearer or peer, a cluster of its own
 * @cfg: settings
 * @inc: incarnation: random, never used before, not 0
 * @seed: for the engine's own random numbers
 * @now_ns: time since boot, suspend included
 * @wall_ns: wall clock
 *
 * Return: the node, or NULL without memory. The caller owns it.
 */
struct gpe_node *gpe_node_create(const struct gpe_cfg *cfg, u64 inc, u64 seed,
				 u64 now_ns, u64 wall_ns);

/**
 * gpe_node_free() - free a node and everything it holds
 *
 * Records delivered and not handed back stay valid and must have been freed
 * before by gpe_rec_free().
 */
void gpe_node_free(struct gpe_node *node);

/**
 * gpe_step() - work off deadlines, then one event
 * @node: the node
 * @now_ns: time since boot, never less than in the call before
 * @ev: what happened; result fields are written
 * @out: filled with what must be done
 *
 * Never fails half-way: what cannot be taken in is dropped and counted (a
 * packet) or refused in the event's result field.
 */
void gpe_step(struct gpe_node *node, u64 now_ns, struct gpe_event *ev,
	      struct gpe_out *out);

/* When to call gpe_step() with GPE_EV_TICK at the latest; U64_MAX: never. */
u64 gpe_next_deadline(const struct gpe_node *node);

/*
 * The reserve: before a step the host adds cells of GPE_CELL_SIZE bytes, from
 * the allocator behind gpe_alloc(), until gpe_pool_need() is 0. A step that
 * finds too few drops its packet, or refuses with -ENOMEM.
 */
u32 gpe_pool_need(const struct gpe_node *node);
void gpe_pool_add(struct gpe_node *node, void *cell);

/* ---- looking in, under the same lock ---- */

enum gpe_state {
	GPE_ST_FRESH,		/* in no view, looking for a cluster */
	GPE_ST_NORMAL,
	GPE_ST_WEDGED,		/* promised: the view is changing */
	GPE_ST_SUSPENDED,	/* no quorum */
	GPE_ST_STOPPED,		/* after GPE_EV_GOODBYE */
};

struct gpe_node_entry {
	u32 id;
	u32 votes;
	u64 inc;
};

/**
 * struct gpe_node_info - a node's own state and view
 * @before: the epoch that @epoch was decided to follow, 0: it was formed
 * @left: has accepted a formation, so takes no more part in @epoch
 * @why: text for people: why the node is suspended or waits, or ""
 */
struct gpe_node_info {
	struct gpe_cfg cfg;
	u64 inc;
	u64 epoch;
	u64 before;
	enum gpe_state state;
	bool left;
	bool quorate;
	u32 expected_votes;	/* as decided with the view, 0: none are */
	u32 n_nodes;
	struct gpe_node_entry nodes[GPE_NODES_MAX];
	u32 groups;
	u32 regions;
	u64 ballots;		/* started by this node */
	u64 view_changes;
	const char *why;
};

void gpe_node_info(const struct gpe_node *node, struct gpe_node_info *info);
/* Is @addr of this node, in its present incarnation? */
bool gpe_is_self(const struct gpe_node *node, const struct gpe_addr *addr);
/* This node's own id and incarnation; port 0. */
void gpe_self(const struct gpe_node *node, struct gpe_addr *addr);

struct gpe_peer_info {
	u32 path;
	u32 node;		/* 0: never heard */
	u64 inc;
	bool up;
	u64 heard_ns;		/* when last heard */
	u64 rtt_ns;		/* 0: unknown */
	u32 mtu;
};

/* -ENOENT if there is no such path. */
int gpe_peer_info(const struct gpe_node *node, u32 path,
		  struct gpe_peer_info *info);

/**
 * struct gpe_group_info - a group as the directory has it
 * @view: latest agreed view; the caller takes a reference if it keeps it
 * @host: of the group, NULL without local members
 * @installed: id of the view that local members are in
 * @backlog: messages held for order or for a later view
 */
struct gpe_group_info {
	u64 gid;
	char name[GPE_NAME_MAX + 1];
	struct gpe_props props;
	struct gpe_view *view;
	void *host;
	struct gpe_vid installed;
	u32 backlog;
	u64 delivered;
	u64 sent;
};

/* By name; -ENOENT. */
int gpe_group_find(const struct gpe_node *node, const char *name,
		   struct gpe_group_info *info);
/* In order of gid, the first one beyond @after_gid; -ENOENT at the end. */
int gpe_group_next(const struct gpe_node *node, u64 after_gid,
		   struct gpe_group_info *info);

/*
 * Counters, one a reason. The names are those shown in sysfs and by netlink.
 * Heartbeats are counted by how much more than this node's own heartbeat period
 * has passed since the one before, each in the first line that it fits.
 */
#define GPE_BEAT_LATE_N 16
#define GPE_COUNTERS(X)							\
	X(RX_PACKETS, "rx_packets", "datagrams taken in")		\
	X(TX_PACKETS, "tx_packets", "datagrams sent, each path counted")	\
	X(RX_ITEMS, "rx_items", "stream items received in full")	\
	X(TX_ITEMS, "tx_items", "stream items sent for the first time")	\
	X(TX_REPAIRS, "tx_repairs", "stream items sent again")		\
	X(RX_DUPLICATES, "rx_duplicates", "stream items that were here")	\
	X(MSG_SENT, "msg_sent", "messages accepted from local members")	\
	X(MSG_DELIVERED, "msg_delivered", "messages put into logs")	\
	X(MSG_VOID, "msg_void", "messages dropped by all at a cut")	\
	X(VIEW_CHANGES, "view_changes", "node views installed")		\
	X(BALLOTS, "ballots", "ballots started here")			\
	X(SUSPICIONS, "suspicions", "nodes of the view suspected")	\
	X(DOUBTS, "doubts", "times this node had not run and asked")	\
	X(BEAT_64US, "beat_late_64us", "heartbeats late by less")	\
	X(BEAT_128US, "beat_late_128us", "heartbeats late by less")	\
	X(BEAT_256US, "beat_late_256us", "heartbeats late by less")	\
	X(BEAT_512US, "beat_late_512us", "heartbeats late by less")	\
	X(BEAT_1024US, "beat_late_1024us", "heartbeats late by less")	\
	X(BEAT_2048US, "beat_late_2048us", "heartbeats late by less")	\
	X(BEAT_4096US, "beat_late_4096us", "heartbeats late by less")	\
	X(BEAT_8192US, "beat_late_8192us", "heartbeats late by less")	\
	X(BEAT_16384US, "beat_late_16384us", "heartbeats late by less")	\
	X(BEAT_32768US, "beat_late_32768us", "heartbeats late by less")	\
	X(BEAT_65536US, "beat_late_65536us", "heartbeats late by less")	\
	X(BEAT_131072US, "beat_late_131072us", "heartbeats late by less")	\
	X(BEAT_262144US, "beat_late_262144us", "heartbeats late by less")	\
	X(BEAT_524288US, "beat_late_524288us", "heartbeats late by less")	\
	X(BEAT_1048576US, "beat_late_1048576us", "heartbeats late by less")	\
	X(BEAT_LATER, "beat_late_more", "heartbeats late by more")	\
	X(BLOCKED_CREDIT, "blocked_credit", "sends held for a receiver")	\
	X(BLOCKED_WINDOW, "blocked_window", "sends held for the window")	\
	X(DROP_SHORT, "drop_short", "datagram or field cut off")	\
	X(DROP_VERSION, "drop_version", "other wire version or magic")	\
	X(DROP_CLUSTER, "drop_cluster", "other cluster name")		\
	X(DROP_TYPE, "drop_type", "unknown packet type")		\
	X(DROP_MALFORMED, "drop_malformed", "a field out of its range")	\
	X(DROP_PATH, "drop_path", "from a path that is not configured")	\
	X(DROP_SELF, "drop_self", "carries this node's own identity")	\
	X(DROP_DUP_ID, "drop_dup_id", "node id in use by another node")	\
	X(DROP_INC, "drop_inc", "for or from another incarnation")	\
	X(DROP_EPOCH, "drop_epoch", "of another epoch")			\
	X(DROP_WEDGED, "drop_wedged", "stream data while wedged")	\
	X(DROP_REGION, "drop_region", "region without sender or receiver")	\
	X(DROP_WINDOW, "drop_window", "beyond the receive window")	\
	X(DROP_PLACE, "drop_place", "in sequence, but fits nothing here")	\
	X(DROP_NOMEM, "drop_nomem", "no memory, will be sent again")	\
	X(DROP_STATE, "drop_state", "control message for another state")	\
	X(DROP_LIMIT, "drop_limit", "a table is full")

enum gpe_counter {
#define GPE_X(id, name, text) GPE_CNT_##id,
	GPE_COUNTERS(GPE_X)
#undef GPE_X
	GPE_CNT_N
};

extern const char *const gpe_counter_names[GPE_CNT_N];
const u64 *gpe_counters(const struct gpe_node *node);

#endif /* GPE_H */
