// SPDX-License-Identifier: GPL-2.0
/*
 * group_many N [hold]: joins N groups on one node, waits until each member can send,
 * sends one message in each, reads it, and closes all at once by its death.
 * (with hold: by a signal). Prints the times; not 0 if anything was refused or did not come.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include "sockets.h"

/* Waits until @what is true of all sockets. */
static int all(const int *fd, int n, short what)
{
	int i;

	for (i = 0; i < n; i++)
		if (!(wait_for(fd[i], what) & what))
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 0, i, *fd = calloc(n, sizeof(*fd));
	struct rlimit lim = { n + 64, n + 64 };
	uint64_t t0 = now_ms(), t1, t2;
	char name[32], c;

	if (n < 1 || !fd || setrlimit(RLIMIT_NOFILE, &lim)) {
		fprintf(stderr, "usage: group_many NUMBER (as root)\n");
		return 2;
	}
	for (i = 0; i < n; i++) {
		int err;

		snprintf(name, sizeof(name), "many%d", i);
		fd[i] = group_socket();
		err = fd[i] < 0 ? -errno : try_join(fd[i], name);
		if (err) {
			printf("# group %d: %s\n", i, strerror(-err));
			return 1;
		}
	}
	if (all(fd, n, POLLOUT)) {
		printf("# a join did not end\n");
		return 1;
	}
	t1 = now_ms();
	for (i = 0; i < n; i++) {
		if (send(fd[i], "m", 1, 0) != 1 ||
		    next(fd[i], &c, 1, NULL) != 1) {
			printf("# group %d: message lost\n", i);
			return 1;
		}
	}
	t2 = now_ms();
	printf("# %d groups: joined in %d ms, a message each in %d ms\n", n,
	       (int)(t1 - t0), (int)(t2 - t1));
	fflush(stdout);
	if (argc > 2)
		pause();
	return 0;
}
