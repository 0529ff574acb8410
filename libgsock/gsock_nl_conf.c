// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The commands. Each returns 0 or -errno of the kernel, with
 * gsock_error_text() and gsock_error_attr() to say more; -EAFNOSUPPORT when
 * the module is not loaded; -EPERM when a change is asked for without
 * CAP_NET_ADMIN; -ENOMEM. What is listed goes to the caller, who frees it by
 * gsock_rec_free(); an empty list is NULL and a success.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <netlink/attr.h>
#include "gsock_nl.h"

/* More settings than a node has. */
#define SET_MAX 16

/**
 * struct gsock_set - settings to be made at once
 * @n: how many
 * @item: the settings; @str is NULL for a number
 */
struct gsock_set {
	int n;
	struct {
		int attr;
		uint32_t num;
		char *str;
	} item[SET_MAX];
};

/**
 * gsock_set_new() - an empty set of settings
 * @set: set to the new object; free it by gsock_set_free()
 *
 * Return: 0 or -ENOMEM.
 */
int gsock_set_new(struct gsock_set **set)
{
	*set = calloc(1, sizeof(**set));
	return *set ? 0 : -ENOMEM;
}

/**
 * gsock_set_free() - free a set of settings
 * @set: may be NULL
 */
void gsock_set_free(struct gsock_set *set)
{
	int i;

	if (!set)
		return;
	for (i = 0; i < set->n; i++)
		free(set->item[i].str);
	free(set);
}

static int set_add(struct gsock_set *set, int attr, uint32_t num, char *str)
{
	int i;

	for (i = 0; i < set->n; i++)
		if (set->item[i].attr == attr)
			break;
	if (i == SET_MAX) {
		free(str);
		return -ENOSPC;
	}
	if (i == set->n)
		set->n++;
	free(set->item[i].str);
	set->item[i].attr = attr;
	set->item[i].num = num;
	set->item[i].str = str;
	return 0;
}

/**
 * gsock_set_num() - add a number to the settings
 * @set: the settings
 * @attr: GSOCK_A_* of type u32; one that is there already is replaced
 * @value: the number, in the unit of <linux/group_netlink.h>
 *
 * Return: 0 or -ENOSPC (16 settings).
 */
int gsock_set_num(struct gsock_set *set, int attr, uint32_t value)
{
	return set_add(set, attr, value, NULL);
}

/**
 * gsock_set_str() - add a text to the settings
 * @set: the settings
 * @attr: GSOCK_A_* of type string; one that is there already is replaced
 * @value: copied
 *
 * Return: 0, -ENOMEM or -ENOSPC (16 settings).
 */
int gsock_set_str(struct gsock_set *set, int attr, const char *value)
{
	char *str = strdup(value);

	return str ? set_add(set, attr, 0, str) : -ENOMEM;
}

/* ---- the node ---- */

static int ask(struct gsock_ctx *ctx, int cmd, int flags,
	       struct gsock_rec **out)
{
	*out = NULL;
	return gsock_nl_do(ctx, gsock_nl_msg(ctx, cmd, flags), out);
}

/**
 * gsock_node_get() - this node and its view
 * @ctx: the context
 * @node: set to one record with GSOCK_A_NODE_*; nested, the nodes of the view
 *
 * Return: 0 or -errno, see the head of this file.
 */
int gsock_node_get(struct gsock_ctx *ctx, struct gsock_rec **node)
{
	return ask(ctx, GSOCK_CMD_NODE_GET, 0, node);
}

/**
 * gsock_node_set() - change settings of the node, all of them or none
 * @ctx: the context
 * @set: any of GSOCK_A_NODE_ID, _CLUSTER, _VOTES, _EXPECTED_VOTES,
 *	_PARTITION, _HEARTBEAT_MS, _DETECT_MS. Stays the caller's.
 *
 * Return: 0; -ERANGE, -EINVAL, and see the head of this file.
 */
int gsock_node_set(struct gsock_ctx *ctx, const struct gsock_set *set)
{
	struct nl_msg *msg = gsock_nl_msg(ctx, GSOCK_CMD_NODE_SET, 0);
	int i, ret = 0;

	for (i = 0; msg && i < set->n; i++) {
		if (set->item[i].str)
			ret = nla_put_string(msg, set->item[i].attr,
					     set->item[i].str);
		else
			ret = nla_put_u32(msg, set->item[i].attr,
					  set->item[i].num);
		if (ret) {
			nlmsg_free(msg);
			return gsock_nl_errno(ret);
		}
	}
	return gsock_nl_do(ctx, msg, NULL);
}

/* ---- bearers and peers ---- */

static int addr_do(struct gsock_ctx *ctx, int cmd, int family,
		   const void *addr, uint16_t port)
{
	struct nl_msg *msg;
	int ret, len = family == AF_INET ? 4 : 16;

	if (family != AF_INET && family != AF_INET6)
		return -EINVAL;
	msg = gsock_nl_msg(ctx, cmd, 0);
	if (!msg)
		return -ENOMEM;
	ret = nla_put(msg, GSOCK_A_ADDR, len, addr);
	if (!ret && port)
		ret = nla_put_u32(msg, GSOCK_A_PORT, port);
	if (ret) {
		nlmsg_free(msg);
		return gsock_nl_errno(ret);
	}
	return gsock_nl_do(ctx, msg, NULL);
}

/**
 * gsock_bearer_add() - listen and send by a UDP address of this host
 * @ctx: the context
 * @family: AF_INET or AF_INET6
 * @addr: 4 or 16 bytes in network byte order
 * @port: in host byte order; 0: GSOCK_PORT_DEFAULT
 *
 * Return: 0; -EEXIST, -EADDRINUSE, -EADDRNOTAVAIL, -ENOSPC, -EINVAL, and see
 * the head of this file.
 */
int gsock_bearer_add(struct gsock_ctx *ctx, int family, const void *addr,
		     uint16_t port)
{
	return addr_do(ctx, GSOCK_CMD_BEARER_ADD, family, addr, port);
}

/**
 * gsock_bearer_del() - close a bearer
 * @ctx: the context
 * @family: as for gsock_bearer_add()
 * @addr: as for gsock_bearer_add()
 * @port: as for gsock_bearer_add()
 *
 * Return: 0; -ENOENT, and see the head of this file.
 */
int gsock_bearer_del(struct gsock_ctx *ctx, int family, const void *addr,
		     uint16_t port)
{
	return addr_do(ctx, GSOCK_CMD_BEARER_DEL, family, addr, port);
}

/**
 * gsock_bearer_list() - all bearers
 * @ctx: the context
 * @bearers: set to records with GSOCK_A_ADDR and GSOCK_A_PORT
 *
 * Return: 0 or -errno, see the head of this file.
 */
int gsock_bearer_list(struct gsock_ctx *ctx, struct gsock_rec **bearers)
{
	return ask(ctx, GSOCK_CMD_BEARER_GET, NLM_F_DUMP, bearers);
}

/**
 * gsock_peer_add() - name the address where another node listens
 * @ctx: the context
 * @family: as for gsock_bearer_add()
 * @addr: as for gsock_bearer_add()
 * @port: as for gsock_bearer_add()
 *
 * Return: 0; -EEXIST, -EINVAL (an address of this node), -ENOSPC, and see the
 * head of this file.
 */
int gsock_peer_add(struct gsock_ctx *ctx, int family, const void *addr,
		   uint16_t port)
{
	return addr_do(ctx, GSOCK_CMD_PEER_ADD, family, addr, port);
}

/**
 * gsock_peer_del() - forget a peer
 * @ctx: the context
 * @family: as for gsock_bearer_add()
 * @addr: as for gsock_bearer_add()
 * @port: as for gsock_bearer_add()
 *
 * Return: 0; -ENOENT, and see the head of this file.
 */
int gsock_peer_del(struct gsock_ctx *ctx, int family, const void *addr,
		   uint16_t port)
{
	return addr_do(ctx, GSOCK_CMD_PEER_DEL, family, addr, port);
}

/**
 * gsock_peer_list() - all peers
 * @ctx: the context
 * @peers: set to records with GSOCK_A_ADDR, GSOCK_A_PORT and GSOCK_A_PEER_*
 *
 * Return: 0 or -errno, see the head of this file.
 */
int gsock_peer_list(struct gsock_ctx *ctx, struct gsock_rec **peers)
{
	return ask(ctx, GSOCK_CMD_PEER_GET, NLM_F_DUMP, peers);
}

/* ---- groups ---- */

static int ask_name(struct gsock_ctx *ctx, int cmd, int flags,
		    const char *name, struct gsock_rec **out)
{
	struct nl_msg *msg = gsock_nl_msg(ctx, cmd, flags);
	int ret;

	*out = NULL;
	ret = msg ? nla_put_string(msg, GSOCK_A_GROUP_NAME, name) : 0;
	if (ret) {
		nlmsg_free(msg);
		return gsock_nl_errno(ret);
	}
	return gsock_nl_do(ctx, msg, out);
}

/**
 * gsock_group_get() - one group
 * @ctx: the context
 * @name: its name
 * @group: set to one record with GSOCK_A_GROUP_*
 *
 * Return: 0; -ENOENT, and see the head of this file.
 */
int gsock_group_get(struct gsock_ctx *ctx, const char *name,
		    struct gsock_rec **group)
{
	return ask_name(ctx, GSOCK_CMD_GROUP_GET, 0, name, group);
}

/**
 * gsock_group_list() - all groups of the directory
 * @ctx: the context
 * @groups: set to records with GSOCK_A_GROUP_*
 *
 * Return: 0 or -errno, see the head of this file.
 */
int gsock_group_list(struct gsock_ctx *ctx, struct gsock_rec **groups)
{
	return ask(ctx, GSOCK_CMD_GROUP_GET, NLM_F_DUMP, groups);
}

/**
 * gsock_member_list() - the members of a group, in rank order
 * @ctx: the context
 * @group: its name
 * @members: set to records with GSOCK_A_MEMBER_*, all of one view
 *
 * Return: 0; -ENOENT; -EBUSY (the view changed each time it was read), and
 * see the head of this file.
 */
int gsock_member_list(struct gsock_ctx *ctx, const char *group,
		      struct gsock_rec **members)
{
	return ask_name(ctx, GSOCK_CMD_MEMBER_GET, NLM_F_DUMP, group, members);
}

/**
 * gsock_counters_get() - all counters of the node
 * @ctx: the context
 * @counters: set to one record; nested, GSOCK_A_COUNTER_NAME and _VALUE
 *
 * Return: 0 or -errno, see the head of this file.
 */
int gsock_counters_get(struct gsock_ctx *ctx, struct gsock_rec **counters)
{
	return ask(ctx, GSOCK_CMD_COUNTERS_GET, 0, counters);
}
