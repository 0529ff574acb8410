// SPDX-License-Identifier: GPL-2.0
/* group_hold NAME: is a member of a group until a signal ends it. */
#include <stdio.h>
#include "sockets.h"

int main(int argc, char **argv)
{
	int fd = argc == 2 ? join(argv[1]) : -1;

	if (fd < 0) {
		fprintf(stderr, "group_hold: no member: %s\n",
			strerror(errno));
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	pause();
	return 0;
}
