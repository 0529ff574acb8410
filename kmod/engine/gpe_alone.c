// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Node views of a node without a bearer: it is a cluster of its own at once,
 * and nothing ever comes that could change its view.
 */
#include "gpe_int.h"

static int gpe_alone_form(struct gpe_node *node)
{
	u64 wall = node->now + node->wall_off;

	gpe_epoch_drop(node);
	node->ep.epoch = max(wall, node->max_epoch + 1);
	node->max_epoch = node->ep.epoch;
	node->ep.n = 1;
	node->ep.self = 0;
	node->ep.expected = 1;
	node->ep.seat[0].id = node->cfg.id;
	node->ep.seat[0].inc = node->inc;
	node->ep.seat[0].votes = node->cfg.votes;
	node->ep.seat[0].path = GPE_NO_PATH;
	node->state = GPE_ST_NORMAL;
	node->quorate = true;
	node->why = "";
	node->view_changes++;
	gpe_count(node, GPE_CNT_VIEW_CHANGES);
	node->act_node = true;
	return gpe_epoch_open(node, 0);
}

int gpe_view_init(struct gpe_node *node)
{
	return gpe_alone_form(node);
}

void gpe_view_destroy(struct gpe_node *node)
{
	node->ep.epoch = 0;
}

/* A node id or a cluster name is an identity: another one is another node. */
int gpe_view_config(struct gpe_node *node, struct gpe_ev_config *ev)
{
	const struct gpe_cfg *cfg = &ev->cfg;
	bool other = cfg->id != node->cfg.id ||
		     cfg->cluster != node->cfg.cluster;

	if (!cfg->id || cfg->votes > 16 || cfg->expected_votes > 1024 ||
	    cfg->heartbeat_ns < 10 * GPE_MS ||
	    cfg->heartbeat_ns > 10000 * GPE_MS ||
	    cfg->detect_ns < 3 * cfg->heartbeat_ns ||
	    cfg->detect_ns > 60000 * GPE_MS)
		return -EINVAL;
	node->cfg = *cfg;
	node->wall_off = ev->wall_ns - node->now;
	if (!other)
		return 0;
	gpe_groups_suspend(node);
	return gpe_alone_form(node);
}

void gpe_view_goodbye(struct gpe_node *node)
{
	node->state = GPE_ST_STOPPED;
	node->act_node = true;
}

void gpe_view_fail(struct gpe_node *node)
{
	gpe_alone_form(node);
}

bool gpe_quorum(const struct gpe_epoch *ep, u64 mask)
{
	return mask & gpe_bit(ep->self);
}

bool gpe_view_left(const struct gpe_node *node)
{
	return !node->ep.n;
}

void gpe_view_rx(struct gpe_node *node, struct gpe_pkt *pkt)
{
	(void)pkt;
	gpe_count(node, GPE_CNT_DROP_STATE);
}

/* No view ever changes: there is nothing to do when these happen. */

void gpe_view_timer(struct gpe_node *node, struct gpe_timer *tm)
{
	(void)node;
	(void)tm;
}

void gpe_view_pump(struct gpe_node *node)
{
	(void)node;
}

void gpe_view_consider(struct gpe_node *node)
{
	(void)node;
}

void gpe_view_bearers(struct gpe_node *node, struct gpe_ev_bearers *ev)
{
	(void)node;
	(void)ev;
}

void gpe_view_behind(struct gpe_node *node, const struct gpe_pkt *pkt)
{
	(void)node;
	(void)pkt;
}

void gpe_view_repaired(struct gpe_node *node)
{
	(void)node;
}

void gpe_view_peers(struct gpe_node *node, u32 before)
{
	(void)node;
	(void)before;
}

void gpe_view_beat(struct gpe_node *node, const struct gpe_pkt *pkt)
{
	(void)node;
	(void)pkt;
}

void gpe_view_refused(struct gpe_node *node)
{
	(void)node;
}
