/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Codecs of control packets and of the blobs that travel in parts. */
#ifndef GPE_WIREV_H
#define GPE_WIREV_H

#include "gpe_int.h"

/* Body of a promise. */
struct gpe_promise {
	u64 epoch;		/* the promiser's, 0: none */
	u64 max_epoch;
	struct gpe_ballot accepted;
	u32 n_cut;
	u32 value_len;		/* 0: nothing accepted */
	const u8 *cuts;
	const u8 *value;
};

#define GPE_CUT_LEN 28

/* Bodies: write at @p, return the length. */
u32 gpe_wirev_beat(u8 *p, const struct gpe_pkt_beat *beat);
u32 gpe_wirev_probe(u8 *p, u64 nonce);
u32 gpe_wirev_refuse(u8 *p, u8 reason);
u32 gpe_wirev_view(u8 *p, const struct gpe_pkt_view *v);
/* Blobs. */
void gpe_cut_put(u8 *p, const struct gpe_cut *cut);
bool gpe_cut_get(const u8 *p, struct gpe_cut *cut);
int gpe_cut_cmp(const struct gpe_cut *a, const struct gpe_cut *b);
u32 gpe_value_len(const struct gpe_value *val);
void gpe_value_put(u8 *p, const struct gpe_value *val);
int gpe_value_get(const u8 *p, u32 len, struct gpe_value *val);
void gpe_value_free(struct gpe_value *val);
u32 gpe_promise_len(const struct gpe_promise *pr);
u8 *gpe_promise_put(u8 *p, const struct gpe_promise *pr);
int gpe_promise_get(const u8 *p, u32 len, struct gpe_promise *pr);

#endif /* GPE_WIREV_H */
