// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: configuration, inspection, notifications. The manual is
 * uapi/linux/group_netlink.h. Handlers run one at a time and namespace, under
 * cfg_lock where they change something; what they show is read under gn->lock.
 */
#include <linux/slab.h>
#include <net/genetlink.h>
#include <linux/group_netlink.h>
#include "bearer.h"
#include "group.h"

static struct genl_family gsk_genl;

enum { GSK_MC_EVENTS };

/* ---- what each command takes ---- */

static const struct nla_policy gsk_node_policy[GSOCK_A_MAX + 1] = {
	[GSOCK_A_NODE_ID] = { .type = NLA_U32 },
	[GSOCK_A_NODE_CLUSTER] = { .type = NLA_NUL_STRING,
				   .len = GROUP_NAME_MAX },
	[GSOCK_A_NODE_VOTES] = NLA_POLICY_MAX(NLA_U32, 16),
	[GSOCK_A_NODE_EXPECTED_VOTES] = NLA_POLICY_MAX(NLA_U32, 1024),
	[GSOCK_A_NODE_PARTITION] = NLA_POLICY_MAX(NLA_U32,
						  GSOCK_PARTITION_NONE),
	[GSOCK_A_NODE_HEARTBEAT_MS] = NLA_POLICY_RANGE(NLA_U32, 10, 10000),
	[GSOCK_A_NODE_DETECT_MS] = { .type = NLA_U32 },
};

static const struct nla_policy gsk_addr_policy[GSOCK_A_MAX + 1] = {
	[GSOCK_A_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[GSOCK_A_PORT] = { .type = NLA_U32 },
};

static const struct nla_policy gsk_name_policy[GSOCK_A_MAX + 1] = {
	[GSOCK_A_GROUP_NAME] = { .type = NLA_NUL_STRING,
				 .len = GROUP_NAME_MAX },
};

static const struct nla_policy gsk_none_policy[GSOCK_A_MAX + 1] = {
	[GSOCK_A_PAD] = { .type = NLA_REJECT },
};

static int gsk_put_u64(struct sk_buff *skb, int attr, u64 val)
{
	return nla_put_u64_64bit(skb, attr, val, GSOCK_A_PAD);
}

/* ---- node ---- */

static int gsk_put_seats(struct sk_buff *skb, const struct gpe_node_info *i)
{
	struct nlattr *nest;
	u32 n;

	for (n = 0; n < i->n_nodes; n++) {
		nest = nla_nest_start(skb, GSOCK_A_NODE_VIEW);
		if (!nest ||
		    nla_put_u32(skb, GSOCK_A_NODE_ID, i->nodes[n].id) ||
		    gsk_put_u64(skb, GSOCK_A_NODE_INC, i->nodes[n].inc) ||
		    nla_put_u32(skb, GSOCK_A_NODE_VOTES, i->nodes[n].votes))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

static int gsk_put_node(struct sk_buff *skb, struct gsk_net *gn,
			const struct gpe_node_info *i)
{
	if (nla_put_u32(skb, GSOCK_A_NODE_ID, i->cfg.id) ||
	    gsk_put_u64(skb, GSOCK_A_NODE_INC, i->inc) ||
	    nla_put_string(skb, GSOCK_A_NODE_CLUSTER, gn->cluster) ||
	    nla_put_u32(skb, GSOCK_A_NODE_STATE, i->state) ||
	    nla_put_string(skb, GSOCK_A_NODE_WHY, i->why ? i->why : "") ||
	    gsk_put_u64(skb, GSOCK_A_NODE_EPOCH, i->epoch) ||
	    gsk_put_u64(skb, GSOCK_A_NODE_EPOCH_BEFORE, i->before) ||
	    nla_put_u32(skb, GSOCK_A_NODE_QUORATE, i->quorate) ||
	    nla_put_u32(skb, GSOCK_A_NODE_VOTES, i->cfg.votes) ||
	    nla_put_u32(skb, GSOCK_A_NODE_EXPECTED_VOTES,
			i->cfg.expected_votes) ||
	    nla_put_u32(skb, GSOCK_A_NODE_EXPECTED_DECIDED,
			i->expected_votes) ||
	    nla_put_u32(skb, GSOCK_A_NODE_PARTITION, i->cfg.partition) ||
	    nla_put_u32(skb, GSOCK_A_NODE_HEARTBEAT_MS,
			div_u64(i->cfg.heartbeat_ns, NSEC_PER_MSEC)) ||
	    nla_put_u32(skb, GSOCK_A_NODE_DETECT_MS,
			div_u64(i->cfg.detect_ns, NSEC_PER_MSEC)) ||
	    nla_put_u32(skb, GSOCK_A_NODE_FAMILY, gsk_family) ||
	    nla_put_u32(skb, GSOCK_A_NODE_GROUPS, i->groups) ||
	    gsk_put_u64(skb, GSOCK_A_NODE_BALLOTS, i->ballots) ||
	    gsk_put_u64(skb, GSOCK_A_NODE_VIEW_CHANGES, i->view_changes))
		return -EMSGSIZE;
	return gsk_put_seats(skb, i);
}

/* A message with the node in it, or an ERR_PTR. */
static struct sk_buff *gsk_node_msg(struct gsk_net *gn, u32 portid, u32 seq,
				    u8 cmd)
{
	struct gpe_node_info *info = kzalloc(sizeof(*info), GFP_KERNEL);
	struct sk_buff *skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	int err = -ENOMEM;
	void *hdr;

	if (!info || !skb)
		goto err_free;
	err = gsk_net_start(gn);
	if (err)
		goto err_free;
	/* The cluster's name is to be the one that the figures go with. */
	mutex_lock(&gn->cfg_lock);
	spin_lock_bh(&gn->lock);
	if (gn->node)
		gpe_node_info(gn->node, info);
	spin_unlock_bh(&gn->lock);
	hdr = genlmsg_put(skb, portid, seq, &gsk_genl, 0, cmd);
	err = hdr ? gsk_put_node(skb, gn, info) : -EMSGSIZE;
	mutex_unlock(&gn->cfg_lock);
	if (err)
		goto err_free;
	genlmsg_end(skb, hdr);
	kfree(info);
	return skb;

err_free:
	kfree(info);
	nlmsg_free(skb);
	return ERR_PTR(err);
}

static int gsk_node_get(struct sk_buff *req, struct genl_info *info)
{
	struct sk_buff *skb = gsk_node_msg(gsk_net(genl_info_net(info)),
					   info->snd_portid, info->snd_seq,
					   GSOCK_CMD_NODE_GET);

	return IS_ERR(skb) ? PTR_ERR(skb) : genlmsg_reply(skb, info);
}

static bool gsk_cluster_ok(const char *name)
{
	const char *p;

	for (p = name; *p; p++)
		if (*p < 0x21 || *p > 0x7e)
			return false;
	return p > name;
}

static u64 gsk_ms(const struct nlattr *attr)
{
	return (u64)nla_get_u32(attr) * NSEC_PER_MSEC;
}

static int gsk_node_cfg(struct genl_info *info, struct gpe_cfg *cfg)
{
	struct nlattr **a = info->attrs;

	if (a[GSOCK_A_NODE_ID])
		cfg->id = nla_get_u32(a[GSOCK_A_NODE_ID]);
	if (a[GSOCK_A_NODE_VOTES])
		cfg->votes = nla_get_u32(a[GSOCK_A_NODE_VOTES]);
	if (a[GSOCK_A_NODE_EXPECTED_VOTES])
		cfg->expected_votes =
			nla_get_u32(a[GSOCK_A_NODE_EXPECTED_VOTES]);
	if (a[GSOCK_A_NODE_PARTITION])
		cfg->partition = nla_get_u32(a[GSOCK_A_NODE_PARTITION]);
	if (a[GSOCK_A_NODE_HEARTBEAT_MS])
		cfg->heartbeat_ns = gsk_ms(a[GSOCK_A_NODE_HEARTBEAT_MS]);
	if (a[GSOCK_A_NODE_DETECT_MS])
		cfg->detect_ns = gsk_ms(a[GSOCK_A_NODE_DETECT_MS]);
	if (cfg->id > S32_MAX || !cfg->id) {
		NL_SET_ERR_MSG_ATTR(info->extack, a[GSOCK_A_NODE_ID],
				    "node id is 1 to 2147483647");
		return -ERANGE;
	}
	if (cfg->detect_ns < 3 * cfg->heartbeat_ns ||
	    cfg->detect_ns > 60ULL * NSEC_PER_SEC) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    a[GSOCK_A_NODE_DETECT_MS] ?
					    a[GSOCK_A_NODE_DETECT_MS] :
					    a[GSOCK_A_NODE_HEARTBEAT_MS],
				    "detection time is 3 heartbeats to 60 s");
		return -ERANGE;
	}
	return 0;
}

static int gsk_node_set_locked(struct gsk_net *gn, struct genl_info *info)
{
	struct nlattr *cluster = info->attrs[GSOCK_A_NODE_CLUSTER];
	struct gpe_event ev = { .type = GPE_EV_CONFIG };
	struct gpe_node_info *ni;
	int err;

	if (cluster && !gsk_cluster_ok(nla_data(cluster))) {
		NL_SET_ERR_MSG_ATTR(info->extack, cluster,
				    "cluster name is 1 to 63 printable bytes");
		return -EINVAL;
	}
	ni = kzalloc(sizeof(*ni), GFP_KERNEL);
	if (!ni)
		return -ENOMEM;
	spin_lock_bh(&gn->lock);
	gpe_node_info(gn->node, ni);
	spin_unlock_bh(&gn->lock);
	ev.config.cfg = ni->cfg;
	kfree(ni);
	err = gsk_node_cfg(info, &ev.config.cfg);
	if (err)
		return err;
	if (cluster)
		ev.config.cfg.cluster = gsk_cluster_hash(nla_data(cluster));
	ev.config.wall_ns = ktime_get_real_ns();
	ev.config.ret = -ESHUTDOWN;
	gsk_run_task(gn, &ev);
	if (ev.config.ret)
		NL_SET_ERR_MSG(info->extack, "the node refused the settings");
	else if (cluster)
		strscpy(gn->cluster, nla_data(cluster), sizeof(gn->cluster));
	return ev.config.ret;
}

static int gsk_node_set(struct sk_buff *req, struct genl_info *info)
{
	struct gsk_net *gn = gsk_net(genl_info_net(info));
	int err = gsk_net_start(gn);

	if (err) {
		NL_SET_ERR_MSG(info->extack, "no memory for the node");
		return err;
	}
	mutex_lock(&gn->cfg_lock);
	err = gsk_node_set_locked(gn, info);
	mutex_unlock(&gn->cfg_lock);
	return err;
}

/* ---- bearers and peers ---- */

static int gsk_addr_get(struct genl_info *info, struct gsk_addr *addr)
{
	struct nlattr *a = info->attrs[GSOCK_A_ADDR];
	struct nlattr *p = info->attrs[GSOCK_A_PORT];
	u32 port = p ? nla_get_u32(p) : GSOCK_PORT_DEFAULT;

	if (GENL_REQ_ATTR_CHECK(info, GSOCK_A_ADDR)) {
		NL_SET_ERR_MSG(info->extack, "an address is required: ADDR");
		return -EINVAL;
	}
	if (nla_len(a) != 4 && nla_len(a) != 16) {
		NL_SET_ERR_MSG_ATTR(info->extack, a,
				    "address is 4 or 16 bytes");
		return -EINVAL;
	}
	if (!port || port > U16_MAX) {
		NL_SET_ERR_MSG_ATTR(info->extack, p, "port is 1 to 65535");
		return -ERANGE;
	}
	memset(addr, 0, sizeof(*addr));
	addr->family = nla_len(a) == 4 ? AF_INET : AF_INET6;
	addr->port = htons(port);
	memcpy(&addr->v6, nla_data(a), nla_len(a));
	if (memchr_inv(&addr->v6, 0, sizeof(addr->v6)))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, a,
			    "the unspecified address names no node");
	return -EINVAL;
}

static int gsk_addr_do(struct genl_info *info,
		       int (*what)(struct gsk_net *gn,
				   const struct gsk_addr *addr,
				   struct netlink_ext_ack *extack))
{
	struct gsk_net *gn = gsk_net(genl_info_net(info));
	struct gsk_addr addr;
	int err = gsk_addr_get(info, &addr);

	if (err)
		return err;
	mutex_lock(&gn->cfg_lock);
	err = what(gn, &addr, info->extack);
	mutex_unlock(&gn->cfg_lock);
	return err;
}

static int gsk_nl_bearer_add(struct sk_buff *req, struct genl_info *info)
{
	return gsk_addr_do(info, gsk_bearer_add);
}

static int gsk_nl_bearer_del(struct sk_buff *req, struct genl_info *info)
{
	return gsk_addr_do(info, gsk_bearer_del);
}

static int gsk_nl_peer_add(struct sk_buff *req, struct genl_info *info)
{
	return gsk_addr_do(info, gsk_peer_add);
}

static int gsk_nl_peer_del(struct sk_buff *req, struct genl_info *info)
{
	return gsk_addr_do(info, gsk_peer_del);
}

static int gsk_put_addr(struct sk_buff *skb, const struct gsk_addr *addr)
{
	return nla_put(skb, GSOCK_A_ADDR, addr->family == AF_INET ? 4 : 16,
		       &addr->v6) ||
	       nla_put_u32(skb, GSOCK_A_PORT, ntohs(addr->port)) ?
		       -EMSGSIZE : 0;
}

static void *gsk_dump_put(struct sk_buff *skb, struct netlink_callback *cb,
			  u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
			   cb->nlh->nlmsg_seq, &gsk_genl, NLM_F_MULTI, cmd);
}

static int gsk_nl_bearer_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct gsk_net *gn = gsk_net(sock_net(skb->sk));
	struct gsk_bearers *b = gn->bearers;
	long i;

	mutex_lock(&gn->cfg_lock);
	for (i = cb->args[0]; i < GSK_BEARERS_MAX; i++) {
		void *hdr;

		if (!rcu_access_pointer(b->bearer[i].sock))
			continue;
		hdr = gsk_dump_put(skb, cb, GSOCK_CMD_BEARER_GET);
		if (!hdr)
			break;
		if (gsk_put_addr(skb, &b->bearer[i].addr)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	mutex_unlock(&gn->cfg_lock);
	cb->args[0] = i;
	return skb->len;
}

static int gsk_put_peer(struct sk_buff *skb, struct gsk_net *gn, u32 path)
{
	struct gsk_peer *peer = &gn->bearers->peer[path];
	struct gpe_peer_info i = {};
	u64 now;

	spin_lock_bh(&gn->lock);
	if (gn->node)
		gpe_peer_info(gn->node, path, &i);
	/* Under the lock: or it may be less than when the peer was heard. */
	now = ktime_get_boottime_ns();
	spin_unlock_bh(&gn->lock);
	if (gsk_put_addr(skb, &peer->addr) ||
	    nla_put_u32(skb, GSOCK_A_PEER_PATH, path) ||
	    nla_put_u32(skb, GSOCK_A_PEER_NODE, i.node) ||
	    gsk_put_u64(skb, GSOCK_A_PEER_INC, i.inc) ||
	    nla_put_u32(skb, GSOCK_A_PEER_UP, i.up) ||
	    gsk_put_u64(skb, GSOCK_A_PEER_HEARD_MS,
			i.heard_ns ? div_u64(now - i.heard_ns, NSEC_PER_MSEC) :
				     0) ||
	    gsk_put_u64(skb, GSOCK_A_PEER_RTT_US,
			div_u64(i.rtt_ns, NSEC_PER_USEC)) ||
	    nla_put_u32(skb, GSOCK_A_PEER_MTU, i.mtu) ||
	    gsk_put_u64(skb, GSOCK_A_PEER_TX_PACKETS,
			atomic64_read(&peer->tx_packets)) ||
	    gsk_put_u64(skb, GSOCK_A_PEER_TX_BYTES,
			atomic64_read(&peer->tx_bytes)) ||
	    gsk_put_u64(skb, GSOCK_A_PEER_TX_DROPS,
			atomic64_read(&peer->tx_drops)) ||
	    gsk_put_u64(skb, GSOCK_A_PEER_RX_PACKETS,
			atomic64_read(&peer->rx_packets)) ||
	    gsk_put_u64(skb, GSOCK_A_PEER_RX_BYTES,
			atomic64_read(&peer->rx_bytes)))
		return -EMSGSIZE;
	return 0;
}

static int gsk_nl_peer_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct gsk_net *gn = gsk_net(sock_net(skb->sk));
	long i;

	mutex_lock(&gn->cfg_lock);
	for (i = cb->args[0]; i < GPE_PATHS_MAX; i++) {
		void *hdr;

		if (!gn->bearers->peer[i].used)
			continue;
		hdr = gsk_dump_put(skb, cb, GSOCK_CMD_PEER_GET);
		if (!hdr)
			break;
		if (gsk_put_peer(skb, gn, i)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	mutex_unlock(&gn->cfg_lock);
	cb->args[0] = i;
	return skb->len;
}

/* ---- groups and members ---- */

/* Under gn->lock, as @info's view is. */
static int gsk_put_group(struct sk_buff *skb, struct gsk_net *gn,
			 const struct gpe_group_info *i)
{
	struct gsk_group_figures f;

	lockdep_assert_held(&gn->lock);
	gsk_group_figures(gn, i->host, &f);
	if (nla_put_string(skb, GSOCK_A_GROUP_NAME, i->name) ||
	    gsk_put_u64(skb, GSOCK_A_GROUP_ID, i->gid) ||
	    gsk_put_u64(skb, GSOCK_A_GROUP_EPOCH, i->view->id.epoch) ||
	    gsk_put_u64(skb, GSOCK_A_GROUP_SEQ, i->view->id.seq) ||
	    nla_put_u32(skb, GSOCK_A_GROUP_MEMBERS, i->view->n) ||
	    nla_put_u32(skb, GSOCK_A_GROUP_LOCALS, f.locals) ||
	    nla_put_u32(skb, GSOCK_A_GROUP_ORDER,
			gpe_props_level(&i->props)) ||
	    nla_put_u32(skb, GSOCK_A_GROUP_MSG_MAX,
			i->props.msg_max ? i->props.msg_max : GROUP_MSG_MAX) ||
	    nla_put_u32(skb, GSOCK_A_GROUP_BACKLOG, i->backlog) ||
	    nla_put_u32(skb, GSOCK_A_GROUP_QUEUED, f.queued) ||
	    gsk_put_u64(skb, GSOCK_A_GROUP_QUEUED_BYTES, f.queued_bytes) ||
	    gsk_put_u64(skb, GSOCK_A_GROUP_DELIVERED, i->delivered) ||
	    gsk_put_u64(skb, GSOCK_A_GROUP_SENT, i->sent))
		return -EMSGSIZE;
	return 0;
}

static struct sk_buff *gsk_group_msg(struct gsk_net *gn, const char *name,
				     u32 portid, u32 seq, u8 cmd)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	struct gpe_group_info info;
	int err = -ENOENT;
	void *hdr;

	if (!skb)
		return ERR_PTR(-ENOMEM);
	spin_lock_bh(&gn->lock);
	if (gn->node && !gpe_group_find(gn->node, name, &info)) {
		hdr = genlmsg_put(skb, portid, seq, &gsk_genl, 0, cmd);
		err = hdr ? gsk_put_group(skb, gn, &info) : -EMSGSIZE;
		if (!err)
			genlmsg_end(skb, hdr);
	}
	spin_unlock_bh(&gn->lock);
	if (!err)
		return skb;
	nlmsg_free(skb);
	return ERR_PTR(err);
}

static int gsk_nl_group_get(struct sk_buff *req, struct genl_info *info)
{
	struct nlattr *name = info->attrs[GSOCK_A_GROUP_NAME];
	struct sk_buff *skb;

	if (GENL_REQ_ATTR_CHECK(info, GSOCK_A_GROUP_NAME)) {
		NL_SET_ERR_MSG(info->extack,
			       "a group name is required: GROUP_NAME");
		return -EINVAL;
	}
	skb = gsk_group_msg(gsk_net(genl_info_net(info)), nla_data(name),
			    info->snd_portid, info->snd_seq,
			    GSOCK_CMD_GROUP_GET);
	if (skb == ERR_PTR(-ENOENT))
		NL_SET_ERR_MSG_ATTR(info->extack, name, "no such group");
	return IS_ERR(skb) ? PTR_ERR(skb) : genlmsg_reply(skb, info);
}

/* The cursor is the number of the last group shown: numbers only grow. */
static int gsk_nl_group_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct gsk_net *gn = gsk_net(sock_net(skb->sk));
	struct gpe_group_info info;
	u64 gid = cb->args[0];

	spin_lock_bh(&gn->lock);
	while (gn->node && !gpe_group_next(gn->node, gid, &info)) {
		void *hdr = gsk_dump_put(skb, cb, GSOCK_CMD_GROUP_GET);

		if (!hdr)
			break;
		if (gsk_put_group(skb, gn, &info)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		gid = info.gid;
	}
	spin_unlock_bh(&gn->lock);
	cb->args[0] = gid;
	return skb->len;
}

static int gsk_put_member(struct sk_buff *skb, struct gsk_net *gn,
			  const struct gpe_member *m, u32 rank)
{
	return nla_put_u32(skb, GSOCK_A_MEMBER_NODE, m->addr.node) ||
	       gsk_put_u64(skb, GSOCK_A_MEMBER_INC, m->addr.inc) ||
	       nla_put_u32(skb, GSOCK_A_MEMBER_PORT, m->addr.port) ||
	       nla_put_u32(skb, GSOCK_A_MEMBER_RANK, rank) ||
	       nla_put_u32(skb, GSOCK_A_MEMBER_LOCAL,
			   gsk_is_self(gn, &m->addr)) ? -EMSGSIZE : 0;
}

/* May the members of this group be shown? 0, or why not. */
static int gsk_member_check(struct netlink_callback *cb, struct gsk_net *gn)
{
	const struct genl_dumpit_info *di = genl_dumpit_info(cb);
	struct nlattr *name = gsk_dump_attrs(di)[GSOCK_A_GROUP_NAME];
	struct gpe_group_info info;
	int err = -ENOENT;

	if (!name) {
		NL_SET_ERR_ATTR_MISS(cb->extack, NULL, GSOCK_A_GROUP_NAME);
		NL_SET_ERR_MSG(cb->extack,
			       "a group name is required: GROUP_NAME");
		return -EINVAL;
	}
	spin_lock_bh(&gn->lock);
	if (gn->node)
		err = gpe_group_find(gn->node, nla_data(name), &info);
	spin_unlock_bh(&gn->lock);
	if (err)
		NL_SET_ERR_MSG_ATTR(cb->extack, name, "no such group");
	return err;
}

/*
 * Refused here, a dump ends like any other request, and not in its last
 * message; but older kernels have no room for a text here.
 */
static int gsk_nl_member_start(struct netlink_callback *cb)
{
	if (!cb->extack)
		return 0;
	return gsk_member_check(cb, gsk_net(sock_net(cb->skb->sk)));
}

/* A view that changes between two parts of a dump shows by its sequence. */
static int gsk_nl_member_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct genl_dumpit_info *di = genl_dumpit_info(cb);
	struct gsk_net *gn = gsk_net(sock_net(skb->sk));
	struct nlattr *name = gsk_dump_attrs(di)[GSOCK_A_GROUP_NAME];
	struct gpe_group_info info;
	u32 i = cb->args[0];
	int err = i ? 0 : gsk_member_check(cb, gn);

	if (err)
		return err;
	spin_lock_bh(&gn->lock);
	/* It may have gone since the dump began: then this is its end. */
	if (!gn->node || gpe_group_find(gn->node, nla_data(name), &info)) {
		spin_unlock_bh(&gn->lock);
		return skb->len;
	}
	cb->seq = (u32)info.view->id.seq + 1;
	for (; i < info.view->n; i++) {
		void *hdr = gsk_dump_put(skb, cb, GSOCK_CMD_MEMBER_GET);

		if (!hdr)
			break;
		genl_dump_check_consistent(cb, hdr);
		if (gsk_put_member(skb, gn, &info.view->m[i], i)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	spin_unlock_bh(&gn->lock);
	cb->args[0] = i;
	return skb->len;
}

/* ---- counters ---- */

static int gsk_put_counters(struct sk_buff *skb, const u64 *val)
{
	struct nlattr *nest;
	int i;

	for (i = 0; i < GPE_CNT_N; i++) {
		nest = nla_nest_start(skb, GSOCK_A_COUNTER);
		if (!nest ||
		    nla_put_string(skb, GSOCK_A_COUNTER_NAME,
				   gpe_counter_names[i]) ||
		    gsk_put_u64(skb, GSOCK_A_COUNTER_VALUE, val[i]))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

static int gsk_nl_counters(struct sk_buff *req, struct genl_info *info)
{
	struct gsk_net *gn = gsk_net(genl_info_net(info));
	struct sk_buff *skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	u64 val[GPE_CNT_N];
	void *hdr;

	if (!skb)
		return -ENOMEM;
	gsk_net_counters(gn, val);
	hdr = genlmsg_put_reply(skb, info, &gsk_genl, 0,
				GSOCK_CMD_COUNTERS_GET);
	if (!hdr || gsk_put_counters(skb, val)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

/* ---- notifications, from the worker ---- */

/* False at unload too: the family goes before the nodes do. */
static bool gsk_nl_up;

static bool gsk_heard(struct gsk_net *gn)
{
	return READ_ONCE(gsk_nl_up) &&
	       genl_has_listeners(&gsk_genl, gn->net, GSK_MC_EVENTS);
}

static void gsk_notify(struct gsk_net *gn, struct sk_buff *skb)
{
	if (!IS_ERR(skb))
		genlmsg_multicast_netns(&gsk_genl, gn->net, skb, 0,
					GSK_MC_EVENTS, GFP_KERNEL);
}

/**
 * gsk_netlink_notify_node() - the node's state or view has changed
 * @gn: the node
 *
 * Context: the worker.
 */
void gsk_netlink_notify_node(struct gsk_net *gn)
{
	if (gsk_heard(gn))
		gsk_notify(gn, gsk_node_msg(gn, 0, 0, GSOCK_CMD_NODE_NTF));
}

/**
 * gsk_netlink_notify_group() - a group has a new view
 * @gn: the node
 * @name: of the group; nothing happens if it is not there any more
 *
 * Context: the worker.
 */
void gsk_netlink_notify_group(struct gsk_net *gn, const char *name)
{
	if (gsk_heard(gn))
		gsk_notify(gn, gsk_group_msg(gn, name, 0, 0, GSOCK_CMD_GROUP_NTF));
}

/**
 * gsk_netlink_notify_peer() - a peer went up or down
 * @gn: the node
 * @path: which
 * @up: which way, when it was noted; the message has what is so by now
 *
 * Context: the worker.
 */
void gsk_netlink_notify_peer(struct gsk_net *gn, u32 path, bool up)
{
	struct sk_buff *skb;
	void *hdr;
	int err;

	if (!gsk_heard(gn))
		return;
	skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return;
	hdr = genlmsg_put(skb, 0, 0, &gsk_genl, 0, GSOCK_CMD_PEER_NTF);
	mutex_lock(&gn->cfg_lock);
	err = hdr && gn->bearers->peer[path].used ?
		      gsk_put_peer(skb, gn, path) : -ENOENT;
	mutex_unlock(&gn->cfg_lock);
	if (err) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	gsk_notify(gn, skb);
}

/* ---- the family ---- */

static const struct genl_ops gsk_genl_ops[] = {
	{
		.cmd = GSOCK_CMD_NODE_GET,
		.policy = gsk_none_policy,
		.doit = gsk_node_get,
	}, {
		.cmd = GSOCK_CMD_NODE_SET,
		.policy = gsk_node_policy,
		.doit = gsk_node_set,
		.flags = GENL_UNS_ADMIN_PERM,
	}, {
		.cmd = GSOCK_CMD_BEARER_ADD,
		.policy = gsk_addr_policy,
		.doit = gsk_nl_bearer_add,
		.flags = GENL_UNS_ADMIN_PERM,
	}, {
		.cmd = GSOCK_CMD_BEARER_DEL,
		.policy = gsk_addr_policy,
		.doit = gsk_nl_bearer_del,
		.flags = GENL_UNS_ADMIN_PERM,
	}, {
		.cmd = GSOCK_CMD_BEARER_GET,
		.policy = gsk_none_policy,
		.dumpit = gsk_nl_bearer_dump,
	}, {
		.cmd = GSOCK_CMD_PEER_ADD,
		.policy = gsk_addr_policy,
		.doit = gsk_nl_peer_add,
		.flags = GENL_UNS_ADMIN_PERM,
	}, {
		.cmd = GSOCK_CMD_PEER_DEL,
		.policy = gsk_addr_policy,
		.doit = gsk_nl_peer_del,
		.flags = GENL_UNS_ADMIN_PERM,
	}, {
		.cmd = GSOCK_CMD_PEER_GET,
		.policy = gsk_none_policy,
		.dumpit = gsk_nl_peer_dump,
	}, {
		.cmd = GSOCK_CMD_GROUP_GET,
		.policy = gsk_name_policy,
		.doit = gsk_nl_group_get,
		.dumpit = gsk_nl_group_dump,
	}, {
		.cmd = GSOCK_CMD_MEMBER_GET,
		.policy = gsk_name_policy,
		.start = gsk_nl_member_start,
		.dumpit = gsk_nl_member_dump,
	}, {
		.cmd = GSOCK_CMD_COUNTERS_GET,
		.policy = gsk_none_policy,
		.doit = gsk_nl_counters,
	},
};

static const struct genl_multicast_group gsk_genl_groups[] = {
	[GSK_MC_EVENTS] = { .name = GSOCK_MCGRP_EVENTS },
};

static struct genl_family gsk_genl __ro_after_init = {
	.name = GSOCK_GENL_NAME,
	.version = GSOCK_GENL_VERSION,
	.maxattr = GSOCK_A_MAX,
	.netnsok = true,
	.module = THIS_MODULE,
	.ops = gsk_genl_ops,
	.n_ops = ARRAY_SIZE(gsk_genl_ops),
	.mcgrps = gsk_genl_groups,
	.n_mcgrps = ARRAY_SIZE(gsk_genl_groups),
};

/**
 * gsk_netlink_init() - at load
 *
 * Return: 0 or a negative errno.
 */
int gsk_netlink_init(void)
{
	int err = genl_register_family(&gsk_genl);

	WRITE_ONCE(gsk_nl_up, !err);
	return err;
}

/**
 * gsk_netlink_exit() - at unload: no request runs or comes any more
 */
void gsk_netlink_exit(void)
{
	WRITE_ONCE(gsk_nl_up, false);
	genl_unregister_family(&gsk_genl);
}
