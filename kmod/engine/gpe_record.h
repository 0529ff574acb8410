/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A recording of a node's life: what it was made of, then each event with its
 * time and what the engine did, as a hash. The engine being deterministic, a
 * recording of a live node runs through the simulator's binary
 * (build/sim --replay FILE) and comes to the same actions, or the step is
 * named where it does not.
 *
 * Payload is not in it, since the engine never looks into it. Numbers are
 * big-endian. Head: "GPER" | version of this format 2 | of the wire 2 |
 * settings: id 4, cluster 8, votes 4, expected votes 4, partition 4,
 * heartbeat 8, detection 8 | incarnation 8 | seed 8 | time 8 | wall clock 8.
 * Then entries: bytes of the event 4 | type 1 | time 8 | cells lacking in the
 * reserve 2 | the event's fields; actions 2 | more 1 | hash 8.
 */
#ifndef GPE_RECORD_H
#define GPE_RECORD_H

#include "gpe.h"

#define GPE_RECORD_VERSION	2
#define GPE_RECORD_HEAD		80
/* Bytes of an entry before the event's fields, and of the result after them. */
#define GPE_RECORD_EVENT	15
#define GPE_RECORD_RESULT	11
/* A datagram's header part is the largest thing that an event brings, but for
 * a list of records read.
 */
#define GPE_RECORD_MAX		(GPE_RECORD_EVENT + 64 + GPE_HDR_MAX)

/**
 * struct gpe_record_names - what a host calls its objects, for the hash
 * @host: name of a group
 * @cookie: port of a socket
 */
struct gpe_record_names {
	const char *(*host)(const void *host);
	u32 (*cookie)(const void *cookie);
};

/**
 * struct gpe_record_made - what a node was made of
 */
struct gpe_record_made {
	struct gpe_cfg cfg;
	u64 inc;
	u64 seed;
	u64 now;
	u64 wall;
};

void gpe_record_head(u8 *p, const struct gpe_record_made *made);
/* 0, -EINVAL: not a recording; -EPROTO: of another version, then *@wire. */
int gpe_record_head_get(const u8 *p, u32 len, struct gpe_record_made *made,
			u16 *wire);

/*
 * An event, before it is given to the engine, without its result: bytes
 * written, at most GPE_RECORD_MAX. Of GPE_EV_CONSUMED only the head: the host
 * appends the numbers of the records, 8 bytes each, and adds them to the
 * length in front. @lack: gpe_pool_need() before the step.
 */
u32 gpe_record_event(u8 *p, u64 now, u32 lack, const struct gpe_event *ev);
/* After the step: what it did. */
void gpe_record_result(u8 *p, const struct gpe_event *ev,
		       const struct gpe_out *out,
		       const struct gpe_record_names *names);

#endif /* GPE_RECORD_H */
