// SPDX-License-Identifier: GPL-2.0
/*
 * offload DEVICE on|off: checksums of what a device sends, and whether it
 * takes those of what it receives for granted; what ethtool -K does, where
 * there is no ethtool.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <net/if.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>

static int set(int fd, const char *dev, unsigned int cmd, unsigned int on)
{
	struct ethtool_value val = { .cmd = cmd, .data = on };
	struct ifreq ifr = { .ifr_data = (void *)&val };

	strncpy(ifr.ifr_name, dev, IFNAMSIZ - 1);
	return ioctl(fd, SIOCETHTOOL, &ifr) ? -errno : 0;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), on, err;

	if (argc != 3 || (strcmp(argv[2], "on") && strcmp(argv[2], "off"))) {
		fprintf(stderr, "offload DEVICE on|off\n");
		return 2;
	}
	on = !strcmp(argv[2], "on");
	err = set(fd, argv[1], ETHTOOL_STXCSUM, on);
	if (!err)
		err = set(fd, argv[1], ETHTOOL_SRXCSUM, on);
	if (err)
		fprintf(stderr, "offload: %s: %s\n", argv[1], strerror(-err));
	return err ? 1 : 0;
}
