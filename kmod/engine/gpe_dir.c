// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The directory: which groups there are and who is in them, the same at every
 * node because every node applies the same log.
 *
 * A local socket's way in and out:
 *
 *	ASK --request--> ASKED --log: join--> IN --close--> LEAVE
 *	 ^                 |                                  | request
 *	 +---new epoch-----+                                  v
 *	                     GONE <--last view-- OUT <--log-- LEFT
 *
 * Requests go to the epoch's lowest-ranked node by the pair's stream, so once
 * and in order. What the cut of an epoch does not hold was never a change; its
 * node finds its sockets in the state of asking and asks again.
 */
#include "gpe_int.h"

/* A change that found no memory is tried again after this. */
#define GPE_DIR_RETRY_NS	(5 * GPE_MS)
#define GPE_LOCALS_MAX		65536
/* Levels that messages can have, see gpe_submit_check(). */
#define GPE_ORDERS		(2 * BIT(GPE_SAFE) - 1)

enum gpe_dir_op {
	GPE_OP_JOIN = 1,
	GPE_OP_LEAVE,
};

/**
 * struct gpe_dir_change - a request, or a change of the log
 * @op: enum gpe_dir_op
 * @why: GPE_OP_LEAVE: enum gpe_why
 * @name_len: bytes of @name
 * @k: log only: number of the change
 * @gid: log only: the group
 * @addr: the member; of a request only the port counts, its node is the sender
 * @props: GPE_OP_JOIN: what is asked for
 * @name: the group
 */
struct gpe_dir_change {
	u8 op;
	u8 why;
	u8 name_len;
	u64 k;
	u64 gid;
	struct gpe_addr addr;
	struct gpe_props props;
	char name[GPE_NAME_MAX + 1];
};

/* Bytes of a change without its name. */
#define GPE_DIR_FIXED	48
#define GPE_REPLY_LEN	12

static_assert(GPE_DIR_FIXED + GPE_NAME_MAX <= GPE_INLINE_MAX);

/* ---- encoding ---- */

static u8 gpe_change_encode(const struct gpe_dir_change *ch, u8 *p)
{
	p[0] = ch->op;
	p[1] = ch->why;
	p[2] = ch->name_len;
	p[3] = 0;
	put_unaligned_be64(ch->k, p + 4);
	put_unaligned_be64(ch->gid, p + 12);
	put_unaligned_be32(ch->addr.node, p + 20);
	put_unaligned_be32(ch->addr.port, p + 24);
	put_unaligned_be64(ch->addr.inc, p + 28);
	put_unaligned_be32(ch->props.order, p + 36);
	put_unaligned_be32(ch->props.orders, p + 40);
	put_unaligned_be32(ch->props.msg_max, p + 44);
	memcpy(p + GPE_DIR_FIXED, ch->name, ch->name_len);
	return GPE_DIR_FIXED + ch->name_len;
}

static void gpe_change_decode(struct gpe_dir_change *ch, const u8 *p)
{
	memset(ch, 0, sizeof(*ch));
	ch->op = p[0];
	ch->why = p[1];
	ch->name_len = p[2];
	ch->k = get_unaligned_be64(p + 4);
	ch->gid = get_unaligned_be64(p + 12);
	ch->addr.node = get_unaligned_be32(p + 20);
	ch->addr.port = get_unaligned_be32(p + 24);
	ch->addr.inc = get_unaligned_be64(p + 28);
	ch->props.order = get_unaligned_be32(p + 36);
	ch->props.orders = get_unaligned_be32(p + 40);
	ch->props.msg_max = get_unaligned_be32(p + 44);
	memcpy(ch->name, p + GPE_DIR_FIXED, ch->name_len);
}

bool gpe_name_ok(const u8 *p, u32 len)
{
	u32 i;

	if (!len || len > GPE_NAME_MAX)
		return false;
	for (i = 0; i < len; i++)
		if (p[i] < 0x21 || p[i] > 0x7e || p[i] == '/')
			return false;
	return true;
}

bool gpe_props_ok(const u8 *p)
{
	return get_unaligned_be32(p) <= GPE_SAFE &&
	       get_unaligned_be32(p + 4) < 1 << (GPE_SAFE + 1) &&
	       get_unaligned_be32(p + 8) <= GPE_MSG_MAX;
}

static bool gpe_change_check(const u8 *p, u32 len)
{
	if (len < GPE_DIR_FIXED || len != GPE_DIR_FIXED + (u32)p[2] || p[3])
		return false;
	if (p[0] != GPE_OP_JOIN && p[0] != GPE_OP_LEAVE)
		return false;
	if (p[1] > GPE_WHY_OVERRUN || !get_unaligned_be32(p + 24))
		return false;
	return gpe_name_ok(p + GPE_DIR_FIXED, p[2]) && gpe_props_ok(p + 36);
}

/**
 * gpe_item_check() - is the content of a control item well formed?
 * @type: enum gpe_item_type, a control item
 * @inl: content
 * @len: bytes
 */
bool gpe_item_check(u8 type, const u8 *inl, u32 len)
{
	switch (type) {
	case GPE_IT_ORDER:
		return len && len <= 3 * GPE_NODES_MAX && !(len % 3);
	case GPE_IT_MARK:
		return len == 8;
	case GPE_IT_OPEN:
		return len == 16;
	case GPE_IT_LOG:
	case GPE_IT_REQ:
		return gpe_change_check(inl, len);
	case GPE_IT_REPLY:
		return len == GPE_REPLY_LEN;
	}
	return false;
}

/* ---- groups ---- */

struct gpe_group *gpe_group_by_gid(const struct gpe_node *node, u64 gid)
{
	struct rb_node *p = node->groups_by_gid.rb_node;

	while (p) {
		struct gpe_group *grp = rb_entry(p, struct gpe_group, by_gid);

		if (gid == grp->gid)
			return grp;
		p = gid < grp->gid ? p->rb_left : p->rb_right;
	}
	return NULL;
}

struct gpe_group *gpe_group_by_name(const struct gpe_node *node,
				    const char *name)
{
	struct rb_node *p = node->groups_by_name.rb_node;

	while (p) {
		struct gpe_group *grp = rb_entry(p, struct gpe_group, by_name);
		int c = strcmp(name, grp->name);

		if (!c)
			return grp;
		p = c < 0 ? p->rb_left : p->rb_right;
	}
	return NULL;
}

struct gpe_group *gpe_group_after(const struct gpe_node *node, u64 gid)
{
	struct rb_node *p = node->groups_by_gid.rb_node;
	struct gpe_group *best = NULL;

	while (p) {
		struct gpe_group *grp = rb_entry(p, struct gpe_group, by_gid);

		if (grp->gid > gid) {
			best = grp;
			p = p->rb_left;
		} else {
			p = p->rb_right;
		}
	}
	return best;
}

struct gpe_group *gpe_group_succ(const struct gpe_group *grp)
{
	struct rb_node *next = rb_next(&grp->by_gid);

	return next ? rb_entry(next, struct gpe_group, by_gid) : NULL;
}

static void gpe_group_link(struct gpe_node *node, struct gpe_group *grp)
{
	struct rb_node **p = &node->groups_by_name.rb_node, *parent = NULL;

	while (*p) {
		parent = *p;
		if (strcmp(grp->name, rb_entry(parent, struct gpe_group,
					       by_name)->name) < 0)
			p = &parent->rb_left;
		else
			p = &parent->rb_right;
	}
	rb_link_node(&grp->by_name, parent, p);
	rb_insert_color(&grp->by_name, &node->groups_by_name);

	p = &node->groups_by_gid.rb_node;
	parent = NULL;
	while (*p) {
		parent = *p;
		if (grp->gid < rb_entry(parent, struct gpe_group, by_gid)->gid)
			p = &parent->rb_left;
		else
			p = &parent->rb_right;
	}
	rb_link_node(&grp->by_gid, parent, p);
	rb_insert_color(&grp->by_gid, &node->groups_by_gid);
	node->n_groups++;
}

struct gpe_group *gpe_group_new(struct gpe_node *node, u64 gid,
				const char *name,
				const struct gpe_props *props)
{
	struct gpe_group *grp = gpe_alloc(sizeof(*grp));

	if (!grp)
		return NULL;
	grp->latest = gpe_view_new(0, 0);
	if (!grp->latest) {
		gpe_free(grp);
		return NULL;
	}
	INIT_LIST_HEAD(&grp->work);
	INIT_LIST_HEAD(&grp->dying);
	INIT_LIST_HEAD(&grp->locals);
	INIT_LIST_HEAD(&grp->stages);
	INIT_LIST_HEAD(&grp->credits);
	INIT_LIST_HEAD(&grp->waiting);
	grp->gid = gid;
	grp->props = *props;
	grp->grant_rank = 0xff;
	grp->limit = U32_MAX;
	memcpy(grp->name, name, strlen(name));
	gpe_group_link(node, grp);
	if (gid >= node->next_gid)
		node->next_gid = gid + 1;
	return grp;
}

/* The name is free again as soon as the last member is out. */
void gpe_group_die(struct gpe_node *node, struct gpe_group *grp)
{
	if (grp->dead)
		return;
	grp->dead = true;
	rb_erase(&grp->by_name, &node->groups_by_name);
	list_add_tail(&grp->dying, &node->dying);
	gpe_group_work(node, grp);
}

void gpe_group_free(struct gpe_node *node, struct gpe_group *grp)
{
	gpe_group_drop(node, grp);
	gpe_credit_free(node, grp);
	if (!grp->dead)
		rb_erase(&grp->by_name, &node->groups_by_name);
	rb_erase(&grp->by_gid, &node->groups_by_gid);
	list_del(&grp->work);
	list_del(&grp->dying);
	list_del(&grp->waiting);
	gpe_view_put(grp->latest);
	gpe_free(grp->notes[0]);
	gpe_free(grp->notes[1]);
	gpe_free(grp);
	node->n_groups--;
}

void gpe_group_reap(struct gpe_node *node, struct gpe_group *grp)
{
	if (grp->dead && list_empty(&grp->stages) && list_empty(&grp->locals))
		gpe_group_free(node, grp);
}

struct gpe_view *gpe_view_new(u32 n, u32 n_left)
{
	struct gpe_view *view = gpe_alloc(sizeof(*view) +
					  (n + n_left) * sizeof(view->m[0]));

	if (!view)
		return NULL;
	refcount_set(&view->refs, 1);
	view->n = n;
	view->n_left = n_left;
	return view;
}

/* ---- local members ---- */

void gpe_local_work(struct gpe_node *node, struct gpe_local *loc)
{
	if (list_empty(&loc->work))
		list_add_tail(&loc->work, &node->work_locals);
}

void gpe_local_gone(struct gpe_node *node, struct gpe_local *loc)
{
	loc->state = GPE_LS_GONE;
	list_move_tail(&loc->work, &node->gone);
}

static void gpe_local_link(struct gpe_node *node, struct gpe_local *loc)
{
	struct rb_node **p = &node->ports.rb_node, *parent = NULL;

	while (*p) {
		parent = *p;
		if (loc->port < rb_entry(parent, struct gpe_local,
					 by_port)->port)
			p = &parent->rb_left;
		else
			p = &parent->rb_right;
	}
	rb_link_node(&loc->by_port, parent, p);
	rb_insert_color(&loc->by_port, &node->ports);
	list_add_tail(&loc->list, &node->locals);
	node->n_locals++;
}

void gpe_local_free(struct gpe_node *node, struct gpe_local *loc)
{
	rb_erase(&loc->by_port, &node->ports);
	list_del(&loc->list);
	list_del(&loc->work);
	list_del(&loc->in_grp);
	if (loc->grp) {
		loc->grp->n_locals--;
		gpe_credit_locals(node, loc->grp);
	}
	node->n_locals--;
	gpe_free(loc);
}

void gpe_dir_join(struct gpe_node *node, struct gpe_ev_join *ev)
{
	struct gpe_local *loc;

	ev->ret = -ENOSPC;
	if (node->n_locals >= GPE_LOCALS_MAX ||
	    node->state == GPE_ST_STOPPED)
		return;
	ev->ret = -ENOMEM;
	loc = gpe_alloc(sizeof(*loc));
	if (!loc)
		return;
	INIT_LIST_HEAD(&loc->work);
	INIT_LIST_HEAD(&loc->in_grp);
	loc->host = ev->host;
	loc->cookie = ev->cookie;
	loc->props = ev->props;
	loc->port = ev->port;
	loc->limit = ev->limit;
	loc->state = GPE_LS_ASK;
	loc->fresh = true;
	memcpy(loc->name, ev->name, strnlen(ev->name, GPE_NAME_MAX));
	gpe_local_link(node, loc);
	gpe_local_work(node, loc);
	*ev->local_at = loc;
	ev->ret = 0;
}

void gpe_dir_leave(struct gpe_node *node, struct gpe_ev_leave *ev)
{
	struct gpe_local *loc = *ev->local_at;

	if (!loc || loc->state >= GPE_LS_LEAVE)
		return;
	loc->why = ev->why;
	if (!loc->grp && loc->state == GPE_LS_ASK) {
		gpe_local_gone(node, loc);
		return;
	}
	loc->state = GPE_LS_LEAVE;
	gpe_local_work(node, loc);
}

struct gpe_local *gpe_local_after(const struct gpe_node *node, u32 port)
{
	struct rb_node *p = node->ports.rb_node;
	struct gpe_local *best = NULL;

	while (p) {
		struct gpe_local *loc = rb_entry(p, struct gpe_local, by_port);

		if (loc->port > port) {
			best = loc;
			p = p->rb_left;
		} else {
			p = p->rb_right;
		}
	}
	return best;
}

/* @port from the network may be 0, which is nobody's. */
static struct gpe_local *gpe_local_by_port(struct gpe_node *node, u32 port)
{
	struct gpe_local *loc = port ? gpe_local_after(node, port - 1) : NULL;

	return loc && loc->port == port ? loc : NULL;
}

static void gpe_local_enter(struct gpe_node *node, struct gpe_local *loc,
			    struct gpe_group *grp)
{
	if (loc->state == GPE_LS_ASKED || loc->state == GPE_LS_ASK) {
		loc->state = GPE_LS_IN;
		list_del_init(&loc->work);
	}
	loc->grp = grp;
	loc->inc = node->inc;
	loc->fresh = true;
	list_add_tail(&loc->in_grp, &grp->locals);
	grp->n_locals++;
	grp->host = loc->host;
	if (loc->limit < grp->limit)
		grp->limit = loc->limit;
}

/* ---- applying a change ---- */

u64 gpe_view_mask(const struct gpe_node *node, const struct gpe_view *view)
{
	u64 mask = 0;
	u32 i, last_node = 0;
	u64 last_inc = 0;

	for (i = 0; i < view->n; i++) {
		const struct gpe_addr *a = &view->m[i].addr;
		int rank;

		if (a->node == last_node && a->inc == last_inc)
			continue;
		rank = gpe_rank_of(node, a->node, a->inc);
		if (rank >= 0)
			mask |= gpe_bit(rank);
		last_node = a->node;
		last_inc = a->inc;
	}
	return mask;
}

/* The view after @grp's latest, with one member more. */
static struct gpe_view *gpe_view_with(const struct gpe_node *node,
				      const struct gpe_group *grp,
				      const struct gpe_dir_change *ch)
{
	const struct gpe_view *old = grp->latest;
	struct gpe_view *view = gpe_view_new(old->n + 1, 0);
	u32 i;

	if (!view)
		return NULL;
	for (i = 0; i < old->n; i++)
		view->m[i].addr = old->m[i].addr;
	view->m[i].addr = ch->addr;
	view->m[i].change = 1;
	view->n_joined = 1;
	if (GPE_BROKEN(GPE_FAULT_VIEW_RANKS) && (node->ep.self & 1) && i)
		swap(view->m[0], view->m[i]);
	view->id.epoch = node->ep.epoch;
	view->id.seq = ch->k;
	return view;
}

static bool gpe_addr_same(const struct gpe_addr *a, const struct gpe_addr *b)
{
	return a->port == b->port && a->node == b->node && a->inc == b->inc;
}

static bool gpe_view_has(const struct gpe_view *view,
			 const struct gpe_addr *addr)
{
	u32 i;

	for (i = 0; i < view->n; i++)
		if (gpe_addr_same(&view->m[i].addr, addr))
			return true;
	return false;
}

static struct gpe_view *gpe_view_without(const struct gpe_node *node,
					 const struct gpe_group *grp,
					 const struct gpe_dir_change *ch)
{
	const struct gpe_view *old = grp->latest;
	struct gpe_view *view = gpe_view_new(old->n - 1, 1);
	u32 i, n = 0;

	if (!view)
		return NULL;
	for (i = 0; i < old->n; i++)
		if (!gpe_addr_same(&old->m[i].addr, &ch->addr))
			view->m[n++].addr = old->m[i].addr;
	view->m[n].addr = ch->addr;
	view->m[n].change = 2;
	view->m[n].why = ch->why;
	view->id.epoch = node->ep.epoch;
	view->id.seq = ch->k;
	return view;
}

bool gpe_is_self(const struct gpe_node *node, const struct gpe_addr *addr)
{
	return addr->node == node->cfg.id && addr->inc == node->inc;
}

/**
 * gpe_gid_free() - may a new group have this number?
 * @node: the node
 * @gid: the number, from the network
 *
 * Return: false for what is no number, or another group's.
 */
bool gpe_gid_free(const struct gpe_node *node, u64 gid)
{
	return gid && gid < GPE_EPOCH_TOP && !gpe_group_by_gid(node, gid);
}

static int gpe_apply_join(struct gpe_node *node,
			  const struct gpe_dir_change *ch)
{
	struct gpe_group *grp = gpe_group_by_name(node, ch->name);
	struct gpe_local *loc = NULL;
	struct gpe_view *view;
	int ret;

	/* The same at every node, whatever the writer of the log was up to. */
	if (!grp && !gpe_gid_free(node, ch->gid)) {
		gpe_count(node, GPE_CNT_DROP_PLACE);
		return 0;
	}
	if (!grp)
		grp = gpe_group_new(node, ch->gid, ch->name, &ch->props);
	if (!grp)
		return -ENOMEM;
	view = gpe_view_with(node, grp, ch);
	if (gpe_is_self(node, &ch->addr))
		loc = gpe_local_by_port(node, ch->addr.port);
	if (view && loc && !gpe_group_notes(grp)) {
		gpe_view_put(view);
		view = NULL;
	}
	if (loc && !loc->grp)
		gpe_local_enter(node, loc, grp);
	ret = view ? gpe_group_change(node, grp, view,
				      gpe_view_mask(node, view), ch->k) :
		     -ENOMEM;
	if (!ret)
		return 0;
	if (view)
		gpe_view_put(view);
	if (loc && loc->grp == grp) {
		/* Undone, to be entered again with the change. */
		list_del_init(&loc->in_grp);
		grp->n_locals--;
		loc->grp = NULL;
		if (loc->state == GPE_LS_IN)
			loc->state = GPE_LS_ASKED;
		if (list_empty(&grp->locals))
			grp->host = NULL;
	}
	if (!grp->latest->n) {
		gpe_group_die(node, grp);
		gpe_group_reap(node, grp);
	}
	return ret;
}

static int gpe_apply_leave(struct gpe_node *node,
			   const struct gpe_dir_change *ch)
{
	struct gpe_group *grp = gpe_group_by_gid(node, ch->gid);
	struct gpe_local *loc = NULL;
	struct gpe_view *view;
	int ret;

	if (!grp || !gpe_view_has(grp->latest, &ch->addr)) {
		gpe_count(node, GPE_CNT_DROP_PLACE);
		return 0;
	}
	view = gpe_view_without(node, grp, ch);
	if (!view)
		return -ENOMEM;
	ret = gpe_group_change(node, grp, view, gpe_view_mask(node, view),
			       ch->k);
	if (ret) {
		gpe_view_put(view);
		return ret;
	}
	if (gpe_is_self(node, &ch->addr))
		loc = gpe_local_by_port(node, ch->addr.port);
	if (loc && loc->grp == grp && loc->state < GPE_LS_OUT) {
		list_del_init(&loc->work);
		loc->state = GPE_LS_OUT;
		loc->out_vid = view->id;
		loc->error = ch->why == GPE_WHY_OVERRUN ? -ECONNRESET : 0;
	}
	if (!view->n)
		gpe_group_die(node, grp);
	return 0;
}

void gpe_dir_retry(struct gpe_node *node)
{
	gpe_timer_sooner(node, &node->dir_timer, node->now + GPE_DIR_RETRY_NS);
}

enum gpe_verdict gpe_dir_log(struct gpe_node *node, struct gpe_msg *msg)
{
	struct gpe_dir_change ch;
	int ret;

	gpe_change_decode(&ch, msg->inl);
	if (msg->rank || ch.k != node->log_k + 1) {
		gpe_count(node, GPE_CNT_DROP_PLACE);
		return GPE_TAKEN;
	}
	ret = ch.op == GPE_OP_JOIN ? gpe_apply_join(node, &ch) :
				     gpe_apply_leave(node, &ch);
	if (ret) {
		gpe_count(node, GPE_CNT_DROP_NOMEM);
		gpe_dir_retry(node);
		return GPE_STALL;
	}
	node->log_k = ch.k;
	node->unstall_due = true;
	return GPE_TAKEN;
}

/**
 * gpe_dir_replay() - apply a change of a closing epoch to a joiner's directory
 * @node: a joiner, in no epoch: no group of it has local members or stages
 * @inl: the change, as it stands in the log
 * @len: bytes
 * @closing: the epoch
 * @k: last change applied; moves on
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int gpe_dir_replay(struct gpe_node *node, const u8 *inl, u32 len, u64 closing,
		   u64 *k)
{
	struct gpe_dir_change ch;
	struct gpe_group *grp;
	struct gpe_view *view;

	if (!gpe_change_check(inl, len))
		return -EINVAL;
	gpe_change_decode(&ch, inl);
	if (ch.k != *k + 1)
		return 0;
	*k = ch.k;
	if (ch.op == GPE_OP_JOIN) {
		grp = gpe_group_by_name(node, ch.name);
		if (!grp && !gpe_gid_free(node, ch.gid))
			return 0; /* as in gpe_apply_join() */
		if (!grp)
			grp = gpe_group_new(node, ch.gid, ch.name, &ch.props);
		if (grp && grp->latest->n >= GPE_MEMBERS_MAX)
			return -EINVAL;
		view = grp ? gpe_view_with(node, grp, &ch) : NULL;
	} else {
		grp = gpe_group_by_gid(node, ch.gid);
		if (!grp || !gpe_view_has(grp->latest, &ch.addr))
			return 0;
		view = gpe_view_without(node, grp, &ch);
	}
	if (!view)
		return -ENOMEM;
	view->id.epoch = closing;
	gpe_view_put(grp->latest);
	grp->latest = view;
	if (!view->n) {
		gpe_group_die(node, grp);
		gpe_group_reap(node, grp);
	}
	return 0;
}

void gpe_dir_timer(struct gpe_node *node)
{
	node->unstall_due = true;
}

/* ---- rank 0: requests become changes ---- */

/* False: no cell for it, so the request stays. */
static bool gpe_dir_refuse(struct gpe_node *node, u32 rank, u32 port, int err)
{
	struct gpe_msg *msg = gpe_msg_new(node, GPE_IT_REPLY);

	if (!msg)
		return false;
	msg->rank = rank;
	put_unaligned_be32(port, msg->inl);
	put_unaligned_be32(-err, msg->inl + 4);
	msg->inl_len = GPE_REPLY_LEN;
	list_add_tail(&msg->q, &node->replies);
	return true;
}

/*
 * Zero in @want asks for nothing, in @have it stands for the default. Two masks
 * of levels are the same if they allow the same of those that there are.
 */
static bool gpe_props_match(const struct gpe_props *want,
			    const struct gpe_props *have)
{
	u32 orders = have->orders ? have->orders : GPE_ORDERS;

	return (!want->order ||
		want->order == gpe_props_level(have)) &&
	       (!want->orders || !((want->orders ^ orders) & GPE_ORDERS)) &&
	       (!want->msg_max || want->msg_max == (have->msg_max ?
							    have->msg_max :
							    GPE_MSG_MAX));
}

static int gpe_join_check(const struct gpe_node *node,
			  const struct gpe_group *grp,
			  const struct gpe_dir_change *ch)
{
	if (!grp)
		return node->n_groups < GPE_GROUPS_MAX ? 0 : -ENOSPC;
	if (!gpe_props_match(&ch->props, &grp->props))
		return -EPROTOTYPE;
	return grp->latest->n < GPE_MEMBERS_MAX ? 0 : -ENOSPC;
}

/* True when done: written, refused or pointless. False: no room yet. */
static bool gpe_dir_do(struct gpe_node *node, u32 rank,
		       struct gpe_dir_change *ch)
{
	struct gpe_region *dir =
		gpe_region_get(node, gpe_all(&node->ep), true);
	struct gpe_group *grp = gpe_group_by_name(node, ch->name);
	struct gpe_msg *msg;
	bool in;
	int err;

	if (!dir || !gpe_region_room(dir, 1, true) ||
	    node->log_out != node->log_k)
		return false;
	ch->addr.node = node->ep.seat[rank].id;
	ch->addr.inc = node->ep.seat[rank].inc;
	in = grp && gpe_view_has(grp->latest, &ch->addr);
	if (in != (ch->op == GPE_OP_LEAVE))
		return true;
	if (ch->op == GPE_OP_JOIN) {
		err = gpe_join_check(node, grp, ch);
		if (err)
			return gpe_dir_refuse(node, rank, ch->addr.port, err);
	}
	msg = gpe_msg_new(node, GPE_IT_LOG);
	if (!msg)
		return false;
	if (!node->next_gid)
		node->next_gid = node->ep.epoch;
	ch->gid = grp ? grp->gid : node->next_gid;
	ch->k = ++node->log_out;
	msg->inl_len = gpe_change_encode(ch, msg->inl);
	gpe_region_append(node, dir, msg);
	return true;
}

void gpe_dir_req(struct gpe_node *node, struct gpe_msg *msg)
{
	/* A closing epoch's requests were never changes. */
	if (node->ep.self || node->state != GPE_ST_NORMAL || node->draining ||
	    msg->rank == node->ep.self)
		return;
	gpe_msg_get(msg);
	list_add_tail(&msg->q, &node->reqs);
}

void gpe_dir_reply(struct gpe_node *node, struct gpe_msg *msg)
{
	struct gpe_local *loc =
		gpe_local_by_port(node, get_unaligned_be32(msg->inl));
	u32 err = get_unaligned_be32(msg->inl + 4);

	if (msg->rank || !loc || loc->grp)
		return;
	if (loc->state != GPE_LS_ASKED && loc->state != GPE_LS_LEAVE &&
	    loc->state != GPE_LS_LEFT)
		return;
	loc->error = -(int)(err && err < 4096 ? err : EPROTOTYPE);
	gpe_local_gone(node, loc);
}

/* ---- requests of this node ---- */

static void gpe_local_request(const struct gpe_local *loc,
			      struct gpe_dir_change *ch)
{
	memset(ch, 0, sizeof(*ch));
	ch->op = loc->state == GPE_LS_ASK ? GPE_OP_JOIN : GPE_OP_LEAVE;
	ch->why = ch->op == GPE_OP_LEAVE ? loc->why : 0;
	ch->addr.port = loc->port;
	ch->props = loc->props;
	ch->name_len = strlen(loc->name);
	memcpy(ch->name, loc->name, ch->name_len);
}

static bool gpe_local_ask(struct gpe_node *node, struct gpe_local *loc)
{
	struct gpe_dir_change ch;
	struct gpe_region *rgn;
	struct gpe_msg *msg;

	gpe_local_request(loc, &ch);
	loc->state = ch.op == GPE_OP_JOIN ? GPE_LS_ASKED : GPE_LS_LEFT;
	if (!node->ep.self) {
		if (gpe_dir_do(node, 0, &ch))
			return true;
		goto no_room;
	}
	rgn = gpe_region_get(node, 1 | gpe_bit(node->ep.self), false);
	if (!rgn || !gpe_region_room(rgn, 1, true))
		goto no_room;
	msg = gpe_msg_new(node, GPE_IT_REQ);
	if (!msg)
		goto no_room;
	msg->inl_len = gpe_change_encode(&ch, msg->inl);
	gpe_region_append(node, rgn, msg);
	return true;

no_room:
	loc->state = ch.op == GPE_OP_JOIN ? GPE_LS_ASK : GPE_LS_LEAVE;
	return false;
}

static void gpe_reqs_pump(struct gpe_node *node)
{
	struct gpe_msg *msg, *next;
	struct gpe_dir_change ch;
	struct gpe_region *rgn;

	list_for_each_entry_safe(msg, next, &node->reqs, q) {
		gpe_change_decode(&ch, msg->inl);
		if (!gpe_dir_do(node, msg->rank, &ch))
			break;
		list_del_init(&msg->q);
		gpe_msg_put(node, msg);
	}
	list_for_each_entry_safe(msg, next, &node->replies, q) {
		u64 mask = gpe_bit(msg->rank) | gpe_bit(node->ep.self);

		rgn = gpe_region_get(node, mask, false);
		if (!rgn || !gpe_region_room(rgn, 1, true))
			break;
		list_del_init(&msg->q);
		gpe_region_append(node, rgn, msg);
	}
}

void gpe_dir_pump(struct gpe_node *node)
{
	struct gpe_local *loc, *next;

	if (node->unstall_due) {
		node->unstall_due = false;
		gpe_region_unstall(node);
	}
	if (!gpe_moving(node))
		return;
	gpe_reqs_pump(node);
	list_for_each_entry_safe(loc, next, &node->work_locals, work) {
		/* The log may have no memory: in order, or not at all. */
		if (!gpe_local_ask(node, loc))
			break;
		if (!list_empty(&loc->work) && loc->state < GPE_LS_OUT)
			list_del_init(&loc->work);
	}
	/* A refusal of one of our own, just now. */
	if (!list_empty(&node->replies))
		gpe_reqs_pump(node);
	/* A node alone has no other timer that would come back to these. */
	if (!list_empty(&node->reqs) || !list_empty(&node->replies) ||
	    !list_empty(&node->work_locals))
		gpe_dir_retry(node);
}
