/* SPDX-License-Identifier: GPL-2.0 */
/* Waiting, in the verbs that go on until they are told to stop. */
#ifndef GSOCKCTL_WAIT_H
#define GSOCKCTL_WAIT_H

#include <poll.h>
#include <stdbool.h>

/*
 * A descriptor that becomes readable with SIGINT and SIGTERM, which no longer
 * end the program; -errno. To be called once.
 */
int stop_fd(void);

/* Like poll(2) without a limit; -errno; never -EINTR. */
int wait_any(struct pollfd *fds, unsigned int n);

#endif /* GSOCKCTL_WAIT_H */
