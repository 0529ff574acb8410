// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/sys/net/group/max_members: how many sockets of a namespace may be
 * members. The initial namespace's value is everybody's maximum: who owns a
 * namespace by owning a user namespace cannot raise it above that.
 */
#include <linux/sysctl.h>
#include "gsk.h"

/* As many as the engine takes. */
static unsigned int gsk_members_most = 65536;
static unsigned int gsk_members_least = 1;

static const struct ctl_table gsk_sysctl_table[] = {
	{
		.procname = "max_members",
		.maxlen = sizeof(unsigned int),
		.mode = 0644,
		.proc_handler = proc_douintvec_minmax,
		.extra1 = &gsk_members_least,
	},
	{ }
};

/**
 * gsk_max_members() - limit of members
 * @gn: the node
 *
 * Return: its own limit, or the initial namespace's if that is lower.
 */
unsigned int gsk_max_members(const struct gsk_net *gn)
{
	return min(READ_ONCE(gn->max_members),
		   READ_ONCE(gsk_net(&init_net)->max_members));
}

/**
 * gsk_sysctl_init() - a namespace's entry
 * @gn: the node; its limit begins as the initial namespace's
 *
 * Return: 0 or -ENOMEM.
 */
int gsk_sysctl_init(struct gsk_net *gn)
{
	bool first = net_eq(gn->net, &init_net);
	struct ctl_table *table = kmemdup(gsk_sysctl_table,
					  sizeof(gsk_sysctl_table),
					  GFP_KERNEL_ACCOUNT);

	if (!table)
		return -ENOMEM;
	/* The initial namespace is the first that this is called for. */
	gn->max_members = first ? gsk_members_most :
				  READ_ONCE(gsk_net(&init_net)->max_members);
	table[0].data = &gn->max_members;
	table[0].extra2 = first ? &gsk_members_most :
				  &gsk_net(&init_net)->max_members;
	gn->sysctl = gsk_register_sysctl(gn->net, "net/group", table,
					 ARRAY_SIZE(gsk_sysctl_table) - 1);
	if (gn->sysctl)
		return 0;
	kfree(table);
	return -ENOMEM;
}

/**
 * gsk_sysctl_exit() - takes it away again
 * @gn: the node
 */
void gsk_sysctl_exit(struct gsk_net *gn)
{
	const struct ctl_table *table = gn->sysctl->ctl_table_arg;

	unregister_net_sysctl_table(gn->sysctl);
	kfree(table);
}
