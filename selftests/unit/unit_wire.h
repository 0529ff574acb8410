/* SPDX-License-Identifier: GPL-2.0 */
/* Packets by hand: a base packet, one field changed, decoded from memory that
 * ends where the packet ends.
 */
#ifndef UNIT_WIRE_H
#define UNIT_WIRE_H

#include "unit_net.h"

/* A field's value, and what the decoder must say: 0 or a counter plus 1. */
struct w_case {
	u32 off;
	u32 size;
	u64 val;
	bool ok;
};

struct w_pkt {
	u8 p[GPE_HDR_MAX + 64];
	u32 hdr_len;
	u32 len;
};

static struct gpe_node *w_node;
static struct gpe_pkt w_out;	/* result; points into the bytes decoded last */
static u8 *w_mem;

static inline int w_setup(void **state)
{
	struct gpe_cfg cfg = { .id = 9, .cluster = 0x1122334455667788ULL,
			       .votes = 1, .heartbeat_ns = GPE_HEARTBEAT_NS,
			       .detect_ns = GPE_DETECT_NS };

	(void)state;
	w_node = gpe_node_create(&cfg, 0xabcdef, 1, 1, 1);
	return !w_node;
}

static inline int w_teardown(void **state)
{
	(void)state;
	gpe_node_free(w_node);
	free(w_mem);
	w_mem = NULL;
	return gpe_shim_allocs != 0;
}

static inline int w_decode_at(const u8 *p, u32 hdr_len, u32 len, u32 off)
{
	struct gpe_ev_packet ev = { .path = 3, .hdr_len = hdr_len,
				    .len = len, .off = off };

	free(w_mem);
	w_mem = malloc(hdr_len ? hdr_len : 1);
	assert_non_null(w_mem);
	memcpy(w_mem, p, hdr_len);
	ev.hdr = w_mem;
	return gpe_wire_decode(w_node, &ev, &w_out);
}

static inline int w_decode(const struct w_pkt *w)
{
	return w_decode_at(w->p, w->hdr_len, w->len, 0);
}

static inline void w_put(u8 *p, u32 size, u64 val)
{
	while (size--) {
		p[size] = val;
		val >>= 8;
	}
}

static inline void w_open(struct w_pkt *w, enum gpe_pkt_type type, u64 dst)
{
	memset(w, 0, sizeof(*w));
	w->hdr_len = gpe_wire_open(w_node, w->p, type, dst);
}

static inline void w_close(struct w_pkt *w, u32 body, u32 payload)
{
	w->hdr_len += body;
	w->len = w->hdr_len + payload;
	gpe_wire_close(w->p, w->hdr_len);
}

static inline void w_cases(const struct w_pkt *base, const struct w_case *c,
			   u32 n)
{
	struct w_pkt w;
	u32 i;

	assert_int_equal(w_decode(base), 0);
	for (i = 0; i < n; i++) {
		w = *base;
		w_put(w.p + c[i].off, c[i].size, c[i].val);
		if (!w_decode(&w) != c[i].ok)
			fail_msg("case %u: %u bytes at %u set to %llu: %s", i,
				 c[i].size, c[i].off, c[i].val,
				 c[i].ok ? "refused" : "taken");
	}
}

/* Every shorter header part is an error, said so in the length or not. */
static inline void w_truncate(const struct w_pkt *base)
{
	struct w_pkt w = *base;
	u32 i;

	assert_int_equal(w_decode(base), 0);
	for (i = 0; i < base->hdr_len; i++) {
		assert_int_not_equal(w_decode_at(base->p, i, i, 0), 0);
		assert_int_not_equal(w_decode_at(base->p, i, base->len, 0), 0);
		if (i < GPE_WIRE_HDR)
			continue;
		w = *base;
		gpe_wire_close(w.p, i);
		assert_int_not_equal(w_decode_at(w.p, i, i, 0), 0);
		assert_int_not_equal(w_decode_at(w.p, i, base->len, 0), 0);
	}
	/* And longer ones: bytes that nothing accounts for. */
	w = *base;
	gpe_wire_close(w.p, base->hdr_len + 1);
	assert_int_not_equal(w_decode_at(w.p, base->hdr_len + 1,
					 base->len + 1, 0), 0);
	w = *base;
	assert_int_not_equal(w_decode_at(w.p, w.hdr_len, w.len + 1, 0), 0);
}

static inline u32 w_random(u32 below)
{
	static u64 x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x % below;
}

/* Damages a packet a little, so that most checks are reached. */
static inline void w_fuzz(const struct w_pkt *base, u32 rounds)
{
	while (rounds--) {
		struct w_pkt w = *base;
		u32 n = 1 + w_random(4), len = w.hdr_len;

		while (n--)
			w.p[w_random(w.hdr_len)] = w_random(256);
		if (!w_random(4))
			len = w_random(w.hdr_len + 1);
		w_decode_at(w.p, len, max(w.len, len), w_random(100));
	}
}

#endif /* UNIT_WIRE_H */
