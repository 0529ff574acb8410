/* SPDX-License-Identifier: GPL-2.0 */
/* How long the test programs wait for what must come; see lib.sh's scale. */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <stdlib.h>

static inline int time_scale(void)
{
	const char *scale = getenv("TIMESCALE");

	return scale ? atoi(scale) : 1;
}

#define DEADLINE_MS (10000 * time_scale())

#endif /* DEADLINE_H */
