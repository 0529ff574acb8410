// SPDX-License-Identifier: GPL-2.0
/*
 * AF_GROUP: virtually synchronous process groups behind a socket. The way in
 * for programs is registered last and goes first.
 */
#include <linux/module.h>
#include "gsk.h"

static int __init gsk_init(void)
{
	int err;

	err = gsk_family_check();
	if (err)
		return err;
	err = gsk_sysfs_init();
	if (err)
		return err;
	gsk_record_init();
	err = gsk_net_init();
	if (err)
		goto err_record;
	err = gsk_netlink_init();
	if (err)
		goto err_net;
	err = gsk_sock_init();
	if (err)
		goto err_netlink;
	return 0;

err_netlink:
	gsk_netlink_exit();
err_net:
	gsk_net_exit();
err_record:
	gsk_record_exit();
	gsk_sysfs_exit();
	return err;
}

static void __exit gsk_exit(void)
{
	gsk_sock_exit();
	gsk_netlink_exit();
	gsk_net_exit();
	gsk_record_exit();
	gsk_sysfs_exit();
}

module_init(gsk_init);
module_exit(gsk_exit);
MODULE_DESCRIPTION("Virtually synchronous process groups (AF_GROUP)");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1");
