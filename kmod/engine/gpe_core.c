// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The frame of the engine: a step, the timers, the reserve of cells, messages
 * and the output. The protocol is in the other files.
 */
#include "gpe_int.h"

/* Timers worked off in one step before the host is asked for another. */
#define GPE_TIMERS_STEP 64

const char *const gpe_counter_names[GPE_CNT_N] = {
#define GPE_X(id, name, text) [GPE_CNT_##id] = name,
	GPE_COUNTERS(GPE_X)
#undef GPE_X
};

static_assert(sizeof(struct gpe_msg) <= GPE_CELL_SIZE);
static_assert(sizeof(struct gpe_fragblk) <= GPE_CELL_SIZE);
static_assert(sizeof(struct gpe_vec) <= GPE_CELL_SIZE);
static_assert(GPE_FRAG_MIN * GPE_WINDOW_DATA >= GPE_MSG_MAX);
static_assert(GPE_WINDOW_RX >= GPE_WINDOW_DATA + GPE_WINDOW_CTL);

const u64 *gpe_counters(const struct gpe_node *node)
{
	return node->counters;
}

/**
 * gpe_random() - a number from the node's own generator
 * @node: the node; seeded at creation
 * @below: bound, not 0
 *
 * xorshift64* (Vigna 2016): spread, not secrecy, is what back-off needs.
 *
 * Return: 0 to @below - 1.
 */
u32 gpe_random(struct gpe_node *node, u32 below)
{
	u64 x = node->rng;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	node->rng = x;
	return (u32)((x * 0x2545f4914f6cdd1dULL) >> 32) % below;
}

/* ---- timers ---- */

void gpe_timer_init(struct gpe_timer *tm, enum gpe_timer_kind kind)
{
	tm->kind = kind;
	tm->armed = false;
}

void gpe_timer_cancel(struct gpe_node *node, struct gpe_timer *tm)
{
	if (!tm->armed)
		return;
	rb_erase(&tm->rb, &node->timers);
	tm->armed = false;
}

void gpe_timer_set(struct gpe_node *node, struct gpe_timer *tm, u64 at)
{
	struct rb_node **p = &node->timers.rb_node, *parent = NULL;

	gpe_timer_cancel(node, tm);
	while (*p) {
		parent = *p;
		if (at < rb_entry(parent, struct gpe_timer, rb)->at)
			p = &parent->rb_left;
		else
			p = &parent->rb_right;
	}
	tm->at = at;
	tm->armed = true;
	rb_link_node(&tm->rb, parent, p);
	rb_insert_color(&tm->rb, &node->timers);
}

void gpe_timer_sooner(struct gpe_node *node, struct gpe_timer *tm, u64 at)
{
	if (!tm->armed || tm->at > at)
		gpe_timer_set(node, tm, at);
}

u64 gpe_next_deadline(const struct gpe_node *node)
{
	struct rb_node *first = rb_first(&node->timers);

	return first ? rb_entry(first, struct gpe_timer, rb)->at : U64_MAX;
}

static void gpe_timer_fire(struct gpe_node *node, struct gpe_timer *tm)
{
	switch ((enum gpe_timer_kind)tm->kind) {
	case GPE_TM_REGION:
		gpe_region_timer(node, container_of(tm, struct gpe_region,
						    timer));
		break;
	case GPE_TM_CREDIT:
		gpe_credit_timer(node);
		break;
	case GPE_TM_DIR:
		gpe_dir_timer(node);
		break;
	case GPE_TM_BEAT:
	case GPE_TM_CHECK:
		gpe_detect_timer(node, tm);
		break;
	case GPE_TM_VIEW:
		gpe_view_timer(node, tm);
		break;
	}
}

static void gpe_timers_run(struct gpe_node *node)
{
	u32 i;

	for (i = 0; i < GPE_TIMERS_STEP; i++) {
		struct rb_node *first = rb_first(&node->timers);
		struct gpe_timer *tm;

		if (!first)
			return;
		tm = rb_entry(first, struct gpe_timer, rb);
		if (tm->at > node->now)
			return;
		gpe_timer_cancel(node, tm);
		gpe_timer_fire(node, tm);
	}
	node->out->more = true;
}

/* ---- the reserve ---- */

u32 gpe_pool_need(const struct gpe_node *node)
{
	return node->n_pool < GPE_STEP_CELLS ? GPE_STEP_CELLS - node->n_pool :
					       0;
}

void gpe_pool_add(struct gpe_node *node, void *cell)
{
	list_add((struct list_head *)cell, &node->pool);
	node->n_pool++;
}

void *gpe_cell_get(struct gpe_node *node)
{
	struct list_head *cell;

	if (!node->n_pool) {
		node->cells_out = true;
		return NULL;
	}
	cell = node->pool.next;
	list_del(cell);
	node->n_pool--;
	memset(cell, 0, GPE_CELL_SIZE);
	return cell;
}

void gpe_cell_put(struct gpe_node *node, void *cell)
{
	if (node->n_pool >= GPE_POOL_MAX) {
		gpe_free(cell);
		return;
	}
	gpe_pool_add(node, cell);
}

/* ---- messages and records ---- */

struct gpe_msg *gpe_msg_new(struct gpe_node *node, u8 type)
{
	struct gpe_msg *msg = gpe_cell_get(node);

	if (!msg)
		return NULL;
	msg->refs = 1;
	msg->type = type;
	msg->n_frags = 1;
	msg->rec.type = GPE_REC_MSG;
	INIT_LIST_HEAD(&msg->rec.link);
	INIT_LIST_HEAD(&msg->q);
	INIT_LIST_HEAD(&msg->tq);
	RB_CLEAR_NODE(&msg->rb);
	return msg;
}

void gpe_msg_get(struct gpe_msg *msg)
{
	msg->refs++;
}

void gpe_msg_put(struct gpe_node *node, struct gpe_msg *msg)
{
	struct gpe_fragblk *blk, *next;
	u32 i;

	if (--msg->refs)
		return;
	if (msg->buf)
		gpe_buf_put(msg->buf);
	if (msg->vec)
		gpe_cell_put(node, msg->vec);
	for (blk = msg->blk; blk; blk = next) {
		next = blk->next;
		for (i = 0; i < GPE_BLK_FRAGS; i++)
			if (blk->have & BIT(i))
				gpe_buf_put(blk->frag[i].buf);
		gpe_cell_put(node, blk);
	}
	gpe_cell_put(node, msg);
}

/**
 * gpe_msg_frag() - where the payload of a fragment lies
 * @msg: message, own or received
 * @idx: fragment, below @msg->n_frags
 * @seg: result
 *
 * Return: false if the fragment is not here.
 */
bool gpe_msg_frag(const struct gpe_msg *msg, u32 idx, struct gpe_seg *seg)
{
	const struct gpe_fragblk *blk;
	u32 i = idx % GPE_BLK_FRAGS;

	if (msg->buf || !msg->len) {
		seg->buf = msg->buf;
		seg->off = msg->off + idx * msg->frag_len;
		seg->len = msg->len - idx * msg->frag_len;
		if (msg->n_frags > 1 && seg->len > msg->frag_len)
			seg->len = msg->frag_len;
		return true;
	}
	for (blk = msg->blk; blk; blk = blk->next) {
		if (blk->nr != idx / GPE_BLK_FRAGS)
			continue;
		if (!(blk->have & BIT(i)))
			return false;
		*seg = blk->frag[i];
		return true;
	}
	return false;
}

static const struct gpe_msg *gpe_rec_msg(const struct gpe_rec *rec)
{
	return container_of(rec, const struct gpe_msg, rec);
}

void gpe_msg_info(const struct gpe_rec *rec, struct gpe_msg_info *info)
{
	const struct gpe_msg *msg = gpe_rec_msg(rec);

	info->sender = msg->sender;
	info->vid = msg->vid;
	if (GPE_BROKEN(GPE_FAULT_STAMP_OLD))
		info->vid.seq++;
	info->position = msg->position;
	info->len = msg->len;
	info->dst_port = msg->dst_port;
	info->level = msg->level;
	info->lamport = msg->lamport;
}

bool gpe_msg_seg(const struct gpe_rec *rec, u32 i, void **buf, u32 *off,
		 u32 *len)
{
	const struct gpe_msg *msg = gpe_rec_msg(rec);
	struct gpe_seg seg;

	if (msg->buf || !msg->len) {
		if (i || !msg->len)
			return false;
		*buf = msg->buf;
		*off = msg->off;
		*len = msg->len;
		return true;
	}
	if (GPE_BROKEN(GPE_FAULT_FRAG_SWAP) && msg->n_frags > 2 && i < 2)
		i = !i;
	if (i >= msg->n_frags || !gpe_msg_frag(msg, i, &seg))
		return false;
	*buf = seg.buf;
	*off = seg.off;
	*len = seg.len;
	return true;
}

void gpe_view_get(struct gpe_view *view)
{
	refcount_inc(&view->refs);
}

void gpe_view_put(struct gpe_view *view)
{
	if (refcount_dec_and_test(&view->refs))
		gpe_free(view);
}

/**
 * gpe_rec_free() - give back a delivered record without returning credit
 * @node: the node that delivered it
 * @rec: the record; gone on return
 */
void gpe_rec_free(struct gpe_node *node, struct gpe_rec *rec)
{
	struct gpe_view_rec *vrec;

	switch ((enum gpe_rec_type)rec->type) {
	case GPE_REC_MSG:
		gpe_msg_put(node, container_of(rec, struct gpe_msg, rec));
		break;
	case GPE_REC_VIEW:
		vrec = container_of(rec, struct gpe_view_rec, rec);
		gpe_view_put(vrec->view);
		gpe_free(vrec);
		break;
	case GPE_REC_SUSPENDED:
	case GPE_REC_RESUMED:
		gpe_free(container_of(rec, struct gpe_note, rec));
		break;
	}
}

/* ---- output ---- */

struct gpe_act *gpe_act_new(struct gpe_node *node, enum gpe_act_type type)
{
	struct gpe_out *out = node->out;
	struct gpe_act *act;

	if (out->n >= GPE_ACTS_MAX) {
		out->more = true;
		return NULL;
	}
	act = &out->act[out->n++];
	act->type = type;
	return act;
}

u8 *gpe_send_begin(struct gpe_node *node, u64 paths, u32 room)
{
	struct gpe_out *out = node->out;
	struct gpe_act_send *send;
	struct gpe_act *act;

	if (out->used + room > GPE_ARENA) {
		out->more = true;
		return NULL;
	}
	act = gpe_act_new(node, GPE_ACT_SEND);
	if (!act)
		return NULL;
	send = &act->send;
	send->paths = paths;
	send->hdr = out->arena + out->used;
	send->n_segs = 0;
	send->len = 0;
	return out->arena + out->used;
}

void gpe_send_seg(struct gpe_node *node, const struct gpe_seg *seg)
{
	struct gpe_act_send *send = &node->out->act[node->out->n - 1].send;

	if (!seg->len || GPE_ASSERT(send->n_segs < GPE_SEGS_MAX))
		return;
	send->segs[send->n_segs++] = *seg;
	send->len += seg->len;
}

void gpe_send_end(struct gpe_node *node, u32 hdr_len)
{
	struct gpe_out *out = node->out;
	struct gpe_act_send *send = &out->act[out->n - 1].send;

	if (!hdr_len) {
		out->n--;
		return;
	}
	send->hdr_len = hdr_len;
	send->len += hdr_len;
	out->used += ALIGN(hdr_len, 8);
	node->counters[GPE_CNT_TX_PACKETS] += hweight64(send->paths);
}

/* ---- a step ---- */

static void gpe_rx(struct gpe_node *node, const struct gpe_ev_packet *ev)
{
	struct gpe_pkt *pkt = &node->pkt;
	int reason;

	gpe_count(node, GPE_CNT_RX_PACKETS);
	if (node->state == GPE_ST_STOPPED)
		return;
	if (ev->path >= GPE_PATHS_MAX || !node->path[ev->path].used) {
		gpe_count(node, GPE_CNT_DROP_PATH);
		return;
	}
	if (gpe_pool_need(node)) {
		gpe_count(node, GPE_CNT_DROP_NOMEM);
		return;
	}
	reason = gpe_wire_decode(node, ev, pkt);
	if (reason) {
		gpe_count(node, reason - 1);
		return;
	}
	if (!gpe_detect_heard(node, pkt))
		return;
	switch (pkt->type) {
	case GPE_PK_BEAT:
	case GPE_PK_PROBE:
	case GPE_PK_GOODBYE:
	case GPE_PK_REFUSE:
		gpe_detect_rx(node, pkt);
		break;
	case GPE_PK_DATA:
		gpe_region_rx_data(node, pkt);
		break;
	case GPE_PK_ACK:
		gpe_region_rx_ack(node, pkt);
		break;
	case GPE_PK_STATUS:
		gpe_region_rx_status(node, pkt);
		break;
	case GPE_PK_REPAIR:
		gpe_region_rx_repair(node, pkt);
		break;
	case GPE_PK_CREDIT:
		gpe_credit_rx(node, pkt);
		break;
	default:
		gpe_view_rx(node, pkt);
		break;
	}
}

static void gpe_event(struct gpe_node *node, struct gpe_event *ev)
{
	switch (ev->type) {
	case GPE_EV_TICK:
		break;
	case GPE_EV_PACKET:
		gpe_rx(node, &ev->packet);
		break;
	case GPE_EV_SUBMIT:
		gpe_submit(node, &ev->submit);
		break;
	case GPE_EV_JOIN:
		gpe_dir_join(node, &ev->join);
		break;
	case GPE_EV_LEAVE:
		gpe_dir_leave(node, &ev->leave);
		break;
	case GPE_EV_CONSUMED:
		gpe_credit_consumed(node, ev->consumed);
		break;
	case GPE_EV_LIMIT:
		gpe_credit_limit(node, &ev->limit);
		break;
	case GPE_EV_CONFIG:
		ev->config.ret = gpe_view_config(node, &ev->config);
		break;
	case GPE_EV_BEARERS:
		gpe_view_bearers(node, &ev->bearers);
		break;
	case GPE_EV_PEER_ADD:
		gpe_detect_peer(node, &ev->peer, true);
		break;
	case GPE_EV_PEER_DEL:
		gpe_detect_peer(node, &ev->peer, false);
		break;
	case GPE_EV_GOODBYE:
		gpe_view_goodbye(node);
		break;
	}
}

/* Notifications come from flags, so they too survive a full output. */
static void gpe_notify_pump(struct gpe_node *node)
{
	struct gpe_act *act;

	while (node->act_peers) {
		u32 path = __ffs64(node->act_peers);

		act = gpe_act_new(node, GPE_ACT_PEER);
		if (!act)
			return;
		act->peer.path = path;
		act->peer.up = node->path[path].up;
		node->act_peers &= node->act_peers - 1;
	}
	if (node->act_node && gpe_act_new(node, GPE_ACT_NODE))
		node->act_node = false;
}

/*
 * Something found no cell. If the reserve was whole at first, so will it be at
 * once in another step; if not, the host has no memory either, and asking it
 * to go on would ask for ever.
 */
static void gpe_cells_end(struct gpe_node *node, bool whole)
{
	if (!node->cells_out)
		return;
	node->cells_out = false;
	if (whole)
		node->out->more = true;
	else
		gpe_dir_retry(node);
}

void gpe_step(struct gpe_node *node, u64 now_ns, struct gpe_event *ev,
	      struct gpe_out *out)
{
	bool whole = !gpe_pool_need(node);

	out->n = 0;
	out->used = 0;
	out->more = false;
	node->out = out;
	if (now_ns > node->now)
		node->now = now_ns;
	gpe_detect_ran(node, node->now);
	gpe_timers_run(node);
	gpe_event(node, ev);

	gpe_view_pump(node);
	gpe_epoch_pump(node);
	gpe_dir_pump(node);
	gpe_group_pump(node);
	gpe_detect_pump(node);
	gpe_region_pump(node);
	gpe_credit_pump(node);
	gpe_notify_pump(node);
	gpe_cells_end(node, whole);
	node->out = NULL;
}

/* ---- the node ---- */

static void gpe_node_lists(struct gpe_node *node)
{
	node->timers = RB_ROOT;
	node->region_tree = RB_ROOT;
	node->groups_by_name = RB_ROOT;
	node->groups_by_gid = RB_ROOT;
	node->ports = RB_ROOT;
	INIT_LIST_HEAD(&node->pool);
	INIT_LIST_HEAD(&node->regions);
	INIT_LIST_HEAD(&node->work_regions);
	INIT_LIST_HEAD(&node->seq_regions);
	INIT_LIST_HEAD(&node->mark_regions);
	INIT_LIST_HEAD(&node->work_groups);
	INIT_LIST_HEAD(&node->dying);
	INIT_LIST_HEAD(&node->locals);
	INIT_LIST_HEAD(&node->work_locals);
	INIT_LIST_HEAD(&node->waiting);
	INIT_LIST_HEAD(&node->gone);
	INIT_LIST_HEAD(&node->notes);
	INIT_LIST_HEAD(&node->reqs);
	INIT_LIST_HEAD(&node->replies);
	INIT_LIST_HEAD(&node->opens);
	INIT_LIST_HEAD(&node->work_credit);
	INIT_LIST_HEAD(&node->ask_credit);
	INIT_LIST_HEAD(&node->held_credit);
	gpe_timer_init(&node->dir_timer, GPE_TM_DIR);
	gpe_timer_init(&node->credit_timer, GPE_TM_CREDIT);
}

struct gpe_node *gpe_node_create(const struct gpe_cfg *cfg, u64 inc, u64 seed,
				 u64 now_ns, u64 wall_ns)
{
	struct gpe_node *node = gpe_alloc(sizeof(*node));

	if (!node)
		return NULL;
	gpe_node_lists(node);
	node->cfg = *cfg;
	node->inc = inc;
	node->rng = seed ? seed : 1;
	node->now = now_ns;
	node->last_run = now_ns;
	node->wall_off = wall_ns - now_ns;
	node->frag_len = GPE_FRAG_MAX;
	node->why = "";
	if (gpe_detect_init(node))
		goto err_free;
	if (gpe_view_init(node))
		goto err_detect;
	return node;

err_detect:
	gpe_detect_destroy(node);
err_free:
	gpe_free(node->sets);
	gpe_free(node);
	return NULL;
}

void gpe_node_free(struct gpe_node *node)
{
	struct gpe_local *loc, *next;

	gpe_epoch_drop(node);
	list_for_each_entry_safe(loc, next, &node->locals, list) {
		list_del(&loc->list);
		gpe_free(loc);
	}
	while (!list_empty(&node->notes)) {
		struct gpe_note *note = list_first_entry(
			&node->notes, struct gpe_note, rec.link);

		list_del(&note->rec.link);
		gpe_free(note);
	}
	gpe_view_destroy(node);
	gpe_detect_destroy(node);
	while (!list_empty(&node->pool)) {
		struct list_head *cell = node->pool.next;

		list_del(cell);
		gpe_free(cell);
	}
	gpe_free(node->sets);
	gpe_free(node);
}

void gpe_node_info(const struct gpe_node *node, struct gpe_node_info *info)
{
	u32 i;

	memset(info, 0, sizeof(*info));
	info->cfg = node->cfg;
	info->inc = node->inc;
	info->epoch = node->ep.epoch;
	info->before = gpe_view_before(node);
	info->state = node->state;
	info->left = gpe_view_left(node);
	info->quorate = node->quorate;
	info->expected_votes = node->ep.expected;
	info->n_nodes = node->ep.n;
	for (i = 0; i < node->ep.n; i++) {
		info->nodes[i].id = node->ep.seat[i].id;
		info->nodes[i].inc = node->ep.seat[i].inc;
		info->nodes[i].votes = node->ep.seat[i].votes;
	}
	info->groups = node->n_groups;
	info->regions = node->n_regions;
	info->ballots = node->ballots;
	info->view_changes = node->view_changes;
	info->why = node->why;
}

int gpe_peer_info(const struct gpe_node *node, u32 path,
		  struct gpe_peer_info *info)
{
	const struct gpe_path *p;

	if (path >= GPE_PATHS_MAX || !node->path[path].used)
		return -ENOENT;
	p = &node->path[path];
	memset(info, 0, sizeof(*info));
	info->path = path;
	info->node = p->id;
	info->inc = p->inc;
	info->up = p->up;
	info->heard_ns = p->heard_ns;
	info->rtt_ns = p->rtt_ns;
	info->mtu = p->mtu;
	return 0;
}

int gpe_rank_of(const struct gpe_node *node, u32 id, u64 inc)
{
	u32 i;

	for (i = 0; i < node->ep.n; i++)
		if (node->ep.seat[i].id == id &&
		    (node->ep.seat[i].inc == inc ||
		     GPE_BROKEN(GPE_FAULT_INC_ANY)))
			return i;
	return -ENOENT;
}

void gpe_self(const struct gpe_node *node, struct gpe_addr *addr)
{
	addr->node = node->cfg.id;
	addr->inc = node->inc;
	addr->port = 0;
}
