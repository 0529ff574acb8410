// SPDX-License-Identifier: GPL-2.0
/* Waiting, in the verbs that go on until they are told to stop. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include "wait.h"

int stop_fd(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int wait_any(struct pollfd *fds, unsigned int n)
{
	int ret;

	do {
		ret = poll(fds, n, -1);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}
