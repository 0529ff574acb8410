/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Every limit of the protocol, with its unit and its reason. */
#ifndef GPE_LIMITS_H
#define GPE_LIMITS_H

/* Groups, or local members, taken into a new epoch in one step; kernel.md 3.
 * The simulator is built with 1 as well, to be caught between two of them.
 */
#ifndef GPE_OPEN_SLICE
#define GPE_OPEN_SLICE		64
#endif

/* Version of the wire format; raised with every change of it. */
#define GPE_VERSION		2

enum {
	/* Ranks fit into one 64-bit mask. */
	GPE_NODES_MAX = 64,
	/* Remote addresses of a node; paths fit into one 64-bit mask. */
	GPE_PATHS_MAX = 64,
	/* Node sets in use within one epoch, protocol.md 4. */
	GPE_REGIONS_MAX = 1024,
	GPE_GROUPS_MAX = 8192,
	/* Members of one group, all nodes together. */
	GPE_MEMBERS_MAX = 4096,
	GPE_NAME_MAX = 63,

	/* Payload of one message, bytes. */
	GPE_MSG_MAX = 1048576,
	/* Payload of one fragment: at least 1 KiB so that the largest message
	 * fits into a window, at most what a 16-bit length can say. A vector
	 * in front of the first makes all of them smaller, by up to so much.
	 */
	GPE_FRAG_MIN = 1024,
	GPE_FRAG_MAX = 60000,
	GPE_FRAG_VEC = 400,

	/* Items a sender may have numbered and not known stable: user data,
	 * and on top of it the share of records, markers and the log.
	 */
	GPE_WINDOW_DATA = 1024,
	GPE_WINDOW_CTL = 512,
	/* What a receiver takes beyond its contiguous prefix. */
	GPE_WINDOW_RX = 2048,
	/* Messages of order none delivered before their turn, a stream: each
	 * has an entry of its own in a promise and in the cut.
	 */
	GPE_EARLY_MAX = 64,

	/* Header part of a datagram (packet header and item headers), bytes. */
	GPE_HDR_MAX = 1024,
	/* Whole datagram, bytes. */
	GPE_DGRAM_MAX = 61440,
	/* Items in one datagram. */
	GPE_ITEMS_MAX = 24,
	/* Bytes of a control item, carried in the header part. */
	GPE_INLINE_MAX = 192,
	/* Missing ranges in one acknowledgement. */
	GPE_NACKS_MAX = 16,
	/* Payload ranges of one datagram handed to the host. */
	GPE_SEGS_MAX = GPE_ITEMS_MAX,

	/* A cell of the engine's reserve, bytes, and how many one step may
	 * use at most: each item of a datagram takes a message and a block of
	 * fragments; records and markers come on top.
	 */
	GPE_CELL_SIZE = 480,
	GPE_STEP_CELLS = 2 * GPE_ITEMS_MAX + 16,
	/* Free cells kept for later rather than given back. */
	GPE_POOL_MAX = 256,

	/* Actions of one step, and room for the headers of its datagrams. */
	GPE_ACTS_MAX = 64,
	GPE_ARENA = 16384,

	/* What a record costs its reader on top of its bytes, kernel.md 1. */
	GPE_RECORD_COST = 256,
	/* A member's limit is never below the largest message and this. */
	GPE_LIMIT_SLACK = 4096,

	/* Largest control message that travels in parts (promise, proposal,
	 * decision, directory), bytes.
	 */
	GPE_BLOB_MAX = 4 * 1048576,
};

/* Times, nanoseconds. Those that depend on detection are set per node. */
#define GPE_MS			1000000ULL
#define GPE_HEARTBEAT_NS	(100 * GPE_MS)
#define GPE_DETECT_NS		(300 * GPE_MS)
#define GPE_PROMISE_WAIT_NS	(100 * GPE_MS)
#define GPE_READY_WAIT_NS	(1000 * GPE_MS)
#define GPE_BACKOFF_MIN_NS	(50 * GPE_MS)
#define GPE_BACKOFF_MAX_NS	(2000 * GPE_MS)
#define GPE_REJOIN_NS		(500 * GPE_MS)
#define GPE_GATHER_NS		(50 * GPE_MS)
#define GPE_FORMATION_NS	(1000 * GPE_MS)
#define GPE_FLAP_MIN_NS		(1000 * GPE_MS)
#define GPE_FLAP_MAX_NS		(30000 * GPE_MS)
/* Control messages of a view change are repeated this often until answered. */
#define GPE_CTL_REPEAT_NS	(20 * GPE_MS)

/* Reliability of streams. */
#define GPE_RTO_MIN_NS		(5 * GPE_MS)
#define GPE_RTO_INIT_NS		(20 * GPE_MS)
#define GPE_RTO_MAX_NS		(320 * GPE_MS)
#define GPE_ACK_DELAY_NS	(2 * GPE_MS)
#define GPE_NACK_GAP_NS		(2 * GPE_MS)
/* Acknowledge at the latest after so many items. */
#define GPE_ACK_EVERY		16

/* Messages that follow each other quickly wait until so many are there, or so
 * long, once there were so many; see gpe_tx_hold().
 */
#define GPE_BATCH		64
#define GPE_HOLD_NS		(200 * 1000ULL)
#define GPE_STREAK		8

/* A blocked sender asks for credit this often. */
#define GPE_CREDIT_ASK_NS	(20 * GPE_MS)
#define GPE_CREDIT_ASK_MAX_NS	(200 * GPE_MS)
/* Room granted for one large message and not used is given back after this. */
#define GPE_CREDIT_IDLE_NS	(1000 * GPE_MS)

#endif /* GPE_LIMITS_H */
