/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hostile datagrams, made from captured ones. Shared by the test in the guest
 * (hostile.c) and the one that runs in process (../unit/test_gpe_attack.c).
 *
 * Without a key a datagram that is well-formed and lies is believed: that a
 * peer has acknowledged what it has not, that its stream goes on like this,
 * that it says goodbye. So there are two sets.
 *
 * The strict set can do no harm at all, whatever traffic it meets:
 *  - what is not well-formed: noise, cut off or too long, another magic,
 *    version, cluster, unknown type, a length that does not fit, a field out
 *    of its range, halves of two datagrams of different kinds;
 *  - what is well-formed but not from here and now: for or from another
 *    incarnation, stream packets of another epoch;
 *  - what was said before, word for word.
 * Left out of it, since only a key can tell them from the truth:
 *  - bits of the body that stay within their range (sequence numbers, stable
 *    marks, acknowledgements, credit, ballots, payload);
 *  - a type that has the same layout (ACK and STATUS, PREPARE to PART), and a
 *    GOODBYE, which is nothing but a head;
 *  - epoch and body of a BEAT, which tell how its node stands, and its source
 *    when it answers a probe (else another source is asked for first);
 *  - heartbeats of before a view change, which say that somebody is not heard.
 *
 * The free set is everything: any bit, any field, any splice.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
	HOSTILE_HEAD = 48, /* of every datagram: gpe_wire.c */
	HOSTILE_BODY = 32, /* of DATA, ACK, STATUS, REPAIR */
	HOSTILE_LEN = 1472, /* largest, of an Ethernet frame */
	HOSTILE_KEEP = 64, /* captured ones of each type and sender */
	HOSTILE_NODES = 3,
};

/* The types of gpe_pkt.h. */
enum {
	HOSTILE_BEAT = 1,
	HOSTILE_PROBE,
	HOSTILE_GOODBYE,
	HOSTILE_REFUSE,
	HOSTILE_PREPARE,
	HOSTILE_PART = 13,
	HOSTILE_DATA,
	HOSTILE_ACK,
	HOSTILE_STATUS,
	HOSTILE_REPAIR,
	HOSTILE_CREDIT,
	HOSTILE_TYPES
};

/* What is done to a datagram: first the strict set, all dropped but REPLAY. */
#define HOSTILE_HOWS(X)                               \
	X(NOISE, "noise")                             \
	X(HEADED, "noise behind a head")              \
	X(CUT, "cut off")                             \
	X(LONGER, "bytes added")                      \
	X(MAGIC, "another magic or version")          \
	X(CLUSTER, "another cluster")                 \
	X(TYPE, "unknown type")                       \
	X(HDR_LEN, "another header length")           \
	X(ZERO, "a reserved byte set")                \
	X(DST_INC, "for another incarnation")         \
	X(SRC, "from another node or incarnation")    \
	X(EPOCH, "of another epoch")                  \
	X(RANGE, "a field out of its range")          \
	X(HALVES, "halves of two kinds")              \
	X(REPLAY, "said before")                      \
	X(BITS, "any bits flipped")                   \
	X(FIELD, "any field set to a limit")          \
	X(RETYPE, "any known type")                   \
	X(SPLICE, "spliced anywhere")                 \
	X(FIT, "cut or grown, with lengths that fit") \
	X(ANY_REPLAY, "said before, by anybody to anybody")

enum hostile_how {
#define X(id, text) HOSTILE_##id,
	HOSTILE_HOWS(X)
#undef X
		HOSTILE_N,
	HOSTILE_STRICT = HOSTILE_REPLAY + 1
};

struct hostile_pkt {
	uint16_t len;
	uint8_t from; /* index of the node that sent it */
	uint8_t to; /* mask of nodes it was sent to */
	uint8_t data[HOSTILE_LEN];
};

/*
 * @seen: how many of each type and sender were captured; the last HOSTILE_KEEP
 *	of them are here
 * @since: what @seen was when the node view last changed
 */
struct hostile_corpus {
	uint64_t rng;
	uint32_t seen[HOSTILE_TYPES][HOSTILE_NODES];
	uint32_t since[HOSTILE_TYPES][HOSTILE_NODES];
	struct hostile_pkt pkt[HOSTILE_TYPES][HOSTILE_NODES][HOSTILE_KEEP];
};

static inline uint32_t hostile_rand(struct hostile_corpus *c, uint32_t below)
{
	uint64_t z = (c->rng += 0x9e3779b97f4a7c15ULL); /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (uint32_t)((z ^ (z >> 31)) >> 32) % below;
}

static inline void hostile_noise(struct hostile_corpus *c, uint8_t *p,
				 uint32_t n)
{
	while (n--)
		*p++ = hostile_rand(c, 256);
}

static inline void hostile_capture(struct hostile_corpus *c, uint8_t from,
				   uint8_t to, const uint8_t *data,
				   uint32_t len)
{
	struct hostile_pkt *pkt;
	uint8_t type;

	if (len < HOSTILE_HEAD || len > HOSTILE_LEN)
		return;
	type = data[3];
	if (!type || type >= HOSTILE_TYPES)
		return;
	pkt = &c->pkt[type][from][c->seen[type][from]++ % HOSTILE_KEEP];
	pkt->len = len;
	pkt->from = from;
	pkt->to = to;
	memcpy(pkt->data, data, len);
}

/* One of @type from @from (-1: anybody), or NULL. */
static inline const struct hostile_pkt *hostile_pick(struct hostile_corpus *c,
						     uint32_t type, int from)
{
	uint32_t node = from < 0 ? hostile_rand(c, HOSTILE_NODES)
				 : (uint32_t)from;
	uint32_t n = c->seen[type][node];

	if (!n)
		return NULL;
	return &c->pkt[type][node]
		      [hostile_rand(c, n < HOSTILE_KEEP ? n : HOSTILE_KEEP)];
}

static inline const struct hostile_pkt *hostile_any(struct hostile_corpus *c,
						    int from)
{
	const struct hostile_pkt *pkt = NULL;

	while (!pkt)
		pkt = hostile_pick(c, 1 + hostile_rand(c, HOSTILE_TYPES - 1),
				   from);
	return pkt;
}

static inline bool hostile_is_ballot(uint8_t type)
{
	return type >= HOSTILE_PREPARE && type <= HOSTILE_PART;
}

/* Changes at least one bit of @n bytes. */
static inline void hostile_change(struct hostile_corpus *c, uint8_t *p,
				  uint32_t n)
{
	if (hostile_rand(c, 2))
		p[hostile_rand(c, n)] ^= 1 << hostile_rand(c, 8);
	else
		p[hostile_rand(c, n)] ^= 1 + hostile_rand(c, 255);
}

static inline void hostile_set_len(uint8_t *p, uint32_t hdr_len)
{
	p[4] = hdr_len >> 8;
	p[5] = hdr_len;
}

/* ---- the strict set ---- */

/* A head that is right, a body that is not. */
static inline bool hostile_headed(struct hostile_corpus *c,
				  struct hostile_pkt *p)
{
	p->len = HOSTILE_HEAD + hostile_rand(c, 1025 - HOSTILE_HEAD);
	hostile_noise(c, p->data + HOSTILE_HEAD, p->len - HOSTILE_HEAD);
	hostile_set_len(p->data, p->len);
	p->data[3] = 1 + hostile_rand(c, HOSTILE_TYPES - 1);
	/* These two say nothing with their bodies. */
	return p->data[3] != HOSTILE_PROBE && p->data[3] != HOSTILE_GOODBYE;
}

/* A value that the type does not have at that place. */
static inline bool hostile_range(struct hostile_corpus *c,
				 struct hostile_pkt *p)
{
	uint8_t *body = p->data + HOSTILE_HEAD;

	switch (p->data[3]) {
	case HOSTILE_BEAT:
		if (hostile_rand(c, 2))
			body[22] = 5 + hostile_rand(c, 251); /* state */
		else
			body[24] |= 1 << (2 + hostile_rand(c, 6)); /* flags */
		return true;
	case HOSTILE_DATA:
		if (hostile_rand(c, 2))
			body[24] = 64 + hostile_rand(c, 192); /* origin */
		else
			body[27 + hostile_rand(c, 5)] = 1;
		return true;
	case HOSTILE_ACK:
	case HOSTILE_STATUS:
		if (hostile_rand(c, 2))
			body[24] = 17 + hostile_rand(c, 239); /* ranges */
		else
			memset(body, 0, 8); /* region */
		return true;
	case HOSTILE_REPAIR:
		body[24] = 64 + hostile_rand(c, 192); /* origin */
		return true;
	case HOSTILE_CREDIT:
		body[hostile_rand(c, 2) ? 1 : 4 + 33] = 1;
		return true;
	default:
		if (!hostile_is_ballot(p->data[3]))
			return false;
		body[hostile_rand(c, 2) ? 20 : 25] |= 0x80; /* kind, zero */
		return true;
	}
}

static inline bool hostile_halves(struct hostile_corpus *c,
				  struct hostile_pkt *p)
{
	const struct hostile_pkt *q = hostile_any(c, -1);
	uint32_t at, shorter = p->len < q->len ? p->len : q->len;
	bool alike = (hostile_is_ballot(p->data[3]) &&
		      hostile_is_ballot(q->data[3])) ||
		     p->data[3] == q->data[3];

	if (alike || p->len == q->len || shorter <= HOSTILE_HEAD + 1)
		return false;
	at = HOSTILE_HEAD + 1 + hostile_rand(c, shorter - HOSTILE_HEAD - 1);
	memcpy(p->data + at, q->data + at, q->len - at);
	p->len = q->len;
	return true;
}

static inline bool hostile_head(struct hostile_corpus *c, struct hostile_pkt *p,
				enum hostile_how how)
{
	uint8_t type = p->data[3];
	static const uint8_t zero[8];
	/* Who asks does not matter; an answer overheard proves who answers. */
	bool anybody = type == HOSTILE_PROBE || type == HOSTILE_REFUSE ||
		       (type == HOSTILE_BEAT &&
			memcmp(p->data + HOSTILE_HEAD + 8, zero, 8));

	switch (how) {
	case HOSTILE_MAGIC:
		hostile_change(c, p->data, 3);
		return true;
	case HOSTILE_CLUSTER:
		hostile_change(c, p->data + 8, 8);
		return true;
	case HOSTILE_TYPE:
		p->data[3] =
			hostile_rand(c, 8)
				? HOSTILE_TYPES +
					  hostile_rand(c, 256 - HOSTILE_TYPES)
				: 0;
		return true;
	case HOSTILE_HDR_LEN:
		hostile_change(c, p->data + 4, 2);
		return true;
	case HOSTILE_ZERO:
		hostile_change(
			c, hostile_rand(c, 2) ? p->data + 6 : p->data + 20, 2);
		return true;
	case HOSTILE_DST_INC:
		hostile_noise(c, p->data + 32, 8);
		return true;
	case HOSTILE_SRC:
		if (hostile_rand(c, 2))
			hostile_change(c, p->data + 16, 4);
		else
			hostile_change(c, p->data + 24, 8);
		return !anybody;
	default:
		hostile_change(c, p->data + 40, 8);
		return type >= HOSTILE_DATA;
	}
}

/* ---- the free set ---- */

static inline void hostile_bits(struct hostile_corpus *c, struct hostile_pkt *p)
{
	uint32_t n = 1 + hostile_rand(c, hostile_rand(c, 4) ? 3 : 32);
	/* Most bytes are payload: the head of the datagram matters more. */
	uint32_t room = hostile_rand(c, 4) && p->len > 192 ? 192 : p->len;

	while (n--)
		p->data[hostile_rand(c, room)] ^= 1 << hostile_rand(c, 8);
}

static inline void hostile_field(struct hostile_corpus *c,
				 struct hostile_pkt *p)
{
	static const uint8_t fill[] = { 0x00, 0xff, 0x7f, 0x80, 0x3f, 0x01 };
	uint32_t width = 1 << hostile_rand(c, 4), at, i;
	uint32_t room = p->len < 192 ? p->len : 192;

	if (room < HOSTILE_HEAD + width)
		return;
	at = hostile_rand(c, 8)
		     ? HOSTILE_HEAD +
			       hostile_rand(c, room - HOSTILE_HEAD - width + 1)
		     : hostile_rand(c, room - width + 1);
	switch (hostile_rand(c, 3)) {
	case 0: /* a limit */
		p->data[at] = fill[hostile_rand(c, sizeof(fill))];
		memset(p->data + at + 1, fill[hostile_rand(c, 2)], width - 1);
		break;
	case 1: /* a little more or less */
		p->data[at + width - 1] += hostile_rand(c, 2) ? 1 : -1;
		break;
	default:
		for (i = 0; i < width; i++)
			p->data[at + i] = hostile_rand(c, 256);
	}
}

static inline void hostile_splice(struct hostile_corpus *c,
				  struct hostile_pkt *p)
{
	const struct hostile_pkt *q = hostile_rand(c, 2)
					      ? hostile_any(c, -1)
					      : hostile_pick(c, p->data[3], -1);
	uint32_t at, from;

	if (!q)
		return;
	at = hostile_rand(c, p->len + 1);
	from = hostile_rand(c, 2) && at <= q->len ? at
						  : hostile_rand(c, q->len + 1);
	if (at + (q->len - from) > HOSTILE_LEN)
		return;
	memcpy(p->data + at, q->data + from, q->len - from);
	p->len = at + (q->len - from);
}

/* Another length, and the header says so too. */
static inline void hostile_fit(struct hostile_corpus *c, struct hostile_pkt *p)
{
	uint32_t len = HOSTILE_HEAD + hostile_rand(c, 400);

	if (len > p->len)
		hostile_noise(c, p->data + p->len, len - p->len);
	p->len = len;
	hostile_set_len(p->data, len);
}

/*
 * Numbers of epochs and ballots end at 2^62 and only grow, so a lie about them
 * that is believed may use them up, and no view can follow: a key is needed
 * against that. Here they stay below 2^61, above every true one.
 */
static inline void hostile_tame(struct hostile_pkt *p)
{
	static const uint8_t beat[] = { 40, HOSTILE_HEAD };
	/* Ballot, nonce, and the numbers that blobs begin with. */
	static const uint8_t ballot[] = { 40,
					  HOSTILE_HEAD + 8,
					  HOSTILE_HEAD + 36,
					  HOSTILE_HEAD + 44,
					  HOSTILE_HEAD + 52,
					  HOSTILE_HEAD + 60 };
	bool is_beat = p->len > 3 && p->data[3] == HOSTILE_BEAT;
	const uint8_t *at = is_beat ? beat : ballot;
	size_t i, n = is_beat ? sizeof(beat) : sizeof(ballot);

	if (p->len <= 3 || (!is_beat && !hostile_is_ballot(p->data[3])))
		return;
	for (i = 0; i < n; i++)
		if (at[i] < p->len)
			p->data[at[i]] &= 0x1f;
}

static inline void hostile_free(struct hostile_corpus *c, struct hostile_pkt *p,
				enum hostile_how how)
{
	switch (how) {
	case HOSTILE_BITS:
		hostile_bits(c, p);
		break;
	case HOSTILE_FIELD:
		hostile_field(c, p);
		break;
	case HOSTILE_RETYPE:
		p->data[3] = 1 + hostile_rand(c, HOSTILE_TYPES - 1);
		if (hostile_rand(c, 2))
			hostile_bits(c, p);
		break;
	case HOSTILE_SPLICE:
		hostile_splice(c, p);
		break;
	case HOSTILE_FIT:
		hostile_fit(c, p);
		break;
	default:
		break;
	}
	hostile_tame(p);
}

/* ---- either ---- */

/* One that node @me sent to node @to in this node view, as it was. */
static inline bool hostile_replay(struct hostile_corpus *c,
				  struct hostile_pkt *p, int me, int to)
{
	uint32_t type = 1 + hostile_rand(c, HOSTILE_TYPES - 1);
	const struct hostile_pkt *q = hostile_pick(c, type, me);

	if (!q || !(q->to & (1 << to)) || type == HOSTILE_GOODBYE ||
	    type == HOSTILE_REFUSE)
		return false;
	/* All that is kept has to be of this view. */
	if ((type == HOSTILE_BEAT || hostile_is_ballot(type)) &&
	    c->seen[type][me] - c->since[type][me] < HOSTILE_KEEP)
		return false;
	*p = *q;
	return true;
}

/* Tries; false: this datagram does not lend itself to that. */
static inline bool hostile_try(struct hostile_corpus *c, struct hostile_pkt *p,
			       enum hostile_how how, int me, int to)
{
	if (how == HOSTILE_REPLAY)
		return hostile_replay(c, p, me, to);
	*p = *hostile_any(c,
			  how < HOSTILE_STRICT && hostile_rand(c, 4) ? me : -1);
	switch (how) {
	case HOSTILE_NOISE:
		p->len = hostile_rand(c, HOSTILE_LEN + 1);
		hostile_noise(c, p->data, p->len);
		return true;
	case HOSTILE_HEADED:
		return hostile_headed(c, p);
	case HOSTILE_CUT:
		p->len = hostile_rand(c, p->len);
		return true;
	case HOSTILE_LONGER:
		if (p->len >= HOSTILE_LEN)
			return false;
		p->data[p->len] = hostile_rand(c, 256);
		p->len++;
		return true;
	case HOSTILE_RANGE:
		return hostile_range(c, p);
	case HOSTILE_HALVES:
		return hostile_halves(c, p);
	default:
		if (how < HOSTILE_STRICT)
			return hostile_head(c, p, how);
		hostile_free(c, p, how);
		return true;
	}
}

/**
 * hostile_make() - a hostile datagram
 * @c: what was captured; not nothing
 * @p: result
 * @strict: of the strict set only
 * @me: node in whose name it goes
 * @to: node it goes to
 *
 * Return: what was done.
 */
static inline enum hostile_how hostile_make(struct hostile_corpus *c,
					    struct hostile_pkt *p, bool strict,
					    int me, int to)
{
	enum hostile_how how;

	do {
		how = hostile_rand(c, strict || !hostile_rand(c, 4)
					      ? HOSTILE_STRICT
					      : HOSTILE_N);
	} while (!hostile_try(c, p, how, me, to));
	return how;
}

#endif /* HOSTILE_H */
