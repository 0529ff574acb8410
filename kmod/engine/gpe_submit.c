// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A member sends: everything is checked, and room taken, before the message
 * gets its numbers; from then on it is delivered whatever happens.
 */
#include "gpe_int.h"

/* What is in the way of any message of this member, whatever it is. */
static enum gpe_block gpe_submit_state(const struct gpe_node *node,
				       const struct gpe_local *loc)
{
	if (node->state == GPE_ST_SUSPENDED || node->state == GPE_ST_FRESH)
		return loc->grp && !loc->fresh ? GPE_BLOCK_SUSPENDED :
						 GPE_BLOCK_JOINING;
	if (loc->state == GPE_LS_ASK || loc->state == GPE_LS_ASKED ||
	    loc->fresh)
		return GPE_BLOCK_JOINING;
	if (!gpe_moving(node) && !(node->state == GPE_ST_WEDGED &&
				   GPE_BROKEN(GPE_FAULT_SEND_WEDGED)))
		return GPE_BLOCK_VIEW;
	return GPE_BLOCK_NONE;
}

static int gpe_submit_check(const struct gpe_group *grp,
			    struct gpe_ev_submit *ev)
{
	u32 max = grp->props.msg_max ? grp->props.msg_max : GPE_MSG_MAX;

	if (ev->len > max)
		return -EMSGSIZE;
	if (ev->level == GPE_GROUPS_OWN)
		ev->level = gpe_props_level(&grp->props);
	if (ev->level > GPE_SAFE ||
	    (grp->props.orders && !(grp->props.orders & BIT(ev->level))))
		return -EINVAL;
	if (ev->demand && gpe_vid_cmp(&ev->vid, &grp->latest->id))
		return -ESTALE;
	return 0;
}

/* The node of a member of the latest view, as a rank, or -EHOSTUNREACH. */
static int gpe_submit_dst(const struct gpe_node *node,
			  const struct gpe_group *grp,
			  const struct gpe_addr *dst)
{
	const struct gpe_view *view = grp->latest;
	int rank;
	u32 i;

	for (i = 0; i < view->n; i++)
		if (view->m[i].addr.port == dst->port &&
		    view->m[i].addr.node == dst->node &&
		    view->m[i].addr.inc == dst->inc)
			break;
	rank = i < view->n ? gpe_rank_of(node, dst->node, dst->inc) : -ENOENT;
	return rank < 0 ? -EHOSTUNREACH : rank;
}

/*
 * What the message depends on, beyond what its sender's last one did. The
 * stage is that of the latest view: what was delivered in one before it comes
 * first anyway.
 */
static bool gpe_submit_deps(struct gpe_node *node, struct gpe_stage *st,
			    struct gpe_msg *msg, u32 vec_len)
{
	msg->after = st->rec_used;
	if (!vec_len)
		return true;
	msg->vec = gpe_cell_get(node);
	if (msg->vec)
		gpe_vec_make(node, st, msg->vec);
	return msg->vec;
}

static struct gpe_msg *gpe_submit_msg(struct gpe_node *node,
				      struct gpe_group *grp,
				      const struct gpe_ev_submit *ev,
				      u32 frag_len, u32 vec_len)
{
	struct gpe_msg *msg =
		gpe_msg_new(node, ev->to_one ? GPE_IT_ONE : GPE_IT_DATA);

	if (!msg)
		return NULL;
	msg->level = ev->level;
	if (!ev->to_one && ev->level >= GPE_CAUSAL &&
	    !gpe_submit_deps(node, gpe_stage_last(grp), msg, vec_len)) {
		gpe_msg_put(node, msg);
		return NULL;
	}
	msg->n_frags = ev->len ? DIV_ROUND_UP(ev->len, frag_len) : 1;
	msg->got = msg->n_frags;
	msg->frag_len = frag_len;
	msg->len = ev->len;
	msg->gid = grp->gid;
	msg->vid = grp->latest->id;
	msg->lamport = ++node->lamport;
	msg->sender.node = node->cfg.id;
	msg->sender.inc = node->inc;
	msg->sender.port = (*ev->local_at)->port;
	msg->dst_port = ev->to_one ? ev->dst.port : 0;
	if (ev->len) {
		msg->buf = ev->buf;
		gpe_buf_get(ev->buf);
	}
	return msg;
}

static int gpe_submit_blocked(struct gpe_node *node, struct gpe_group *grp,
			      struct gpe_ev_submit *ev, enum gpe_block block)
{
	if (block == GPE_BLOCK_WINDOW)
		gpe_count(node, GPE_CNT_BLOCKED_WINDOW);
	if (block == GPE_BLOCK_CREDIT || block == GPE_BLOCK_SELF)
		gpe_count(node, GPE_CNT_BLOCKED_CREDIT);
	if (grp && list_empty(&grp->waiting))
		list_add_tail(&grp->waiting, &node->waiting);
	ev->block = block;
	return -EAGAIN;
}

static int gpe_submit_do(struct gpe_node *node, struct gpe_ev_submit *ev)
{
	struct gpe_local *loc = *ev->local_at;
	struct gpe_group *grp = loc ? loc->grp : NULL;
	u64 self = gpe_bit(node->ep.self), mask, region;
	u32 frag_len, vec_len = 0;
	struct gpe_region *rgn;
	enum gpe_block block;
	struct gpe_msg *msg;
	int ret;

	if (!loc || loc->state >= GPE_LS_LEAVE || node->state == GPE_ST_STOPPED)
		return -EPIPE;
	block = gpe_submit_state(node, loc);
	if (block)
		return gpe_submit_blocked(node, grp, ev, block);
	ret = gpe_submit_check(grp, ev);
	if (ret)
		return ret;
	mask = grp->mask;
	region = grp->region;
	if (ev->to_one) {
		ret = gpe_submit_dst(node, grp, &ev->dst);
		if (ret < 0)
			return ret;
		mask = gpe_bit(ret);
		region = mask | self;
	}
	/* A message of a new view goes out only behind the marker of the old
	 * one: a marker lost at a cut makes what is stamped after it void.
	 */
	if (!list_empty(&node->mark_regions) && !gpe_marks_flush(node))
		return gpe_submit_blocked(node, grp, ev, GPE_BLOCK_WINDOW);
	rgn = gpe_region_get(node, region, false);
	if (!rgn)
		return -ENOMEM;
	if (!ev->to_one && ev->level >= GPE_CAUSAL)
		vec_len = gpe_vec_len(node, gpe_stage_last(grp));
	frag_len = rgn->n == 1 ? GPE_MSG_MAX : node->frag_len - vec_len;
	if (!gpe_region_room(rgn, max(1U, DIV_ROUND_UP(ev->len, frag_len)),
			     false))
		return gpe_submit_blocked(node, grp, ev, GPE_BLOCK_WINDOW);
	block = gpe_credit_check(node, grp, mask, gpe_cost(ev->len));
	if (block)
		return gpe_submit_blocked(node, grp, ev, block);
	msg = gpe_submit_msg(node, grp, ev, frag_len, vec_len);
	if (!msg)
		return -ENOMEM;
	ev->vid = msg->vid;
	gpe_credit_take(node, grp, mask, gpe_cost(ev->len));
	grp->sent++;
	gpe_count(node, GPE_CNT_MSG_SENT);
	gpe_region_append(node, rgn, msg);
	return 0;
}

void gpe_submit(struct gpe_node *node, struct gpe_ev_submit *ev)
{
	ev->block = GPE_BLOCK_NONE;
	ev->ret = gpe_submit_do(node, ev);
}
