// SPDX-License-Identifier: GPL-2.0
/* A hash table, and memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "judge_int.h"

void *judge_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p) {
		fprintf(stderr, "judge: no memory\n");
		abort();
	}
	return p;
}

void *judge_grow(void *p, u32 n, u32 *size, size_t one)
{
	u32 more = *size ? *size : 16;

	if (n < *size)
		return p;
	while (more <= n)
		more *= 2;
	p = realloc(p, more * one);
	if (!p) {
		fprintf(stderr, "judge: no memory\n");
		abort();
	}
	memset((char *)p + *size * one, 0, (more - *size) * one);
	*size = more;
	return p;
}

static u64 hash(const struct judge_key *key)
{
	u64 h = 0;
	u32 i;

	for (i = 0; i < 3; i++) {
		h = (h ^ key->w[i]) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	return h;
}

static struct judge_slot *lookup(const struct judge_table *t,
				 const struct judge_key *key)
{
	u32 i = hash(key) & (t->size - 1);

	while (t->slot[i].thing && memcmp(&t->slot[i].key, key, sizeof(*key)))
		i = (i + 1) & (t->size - 1);
	return &t->slot[i];
}

void *judge_find(const struct judge_table *t, struct judge_key key)
{
	return t->size ? lookup(t, &key)->thing : NULL;
}

/* True if nothing was there. */
static bool put(struct judge_table *t, const struct judge_key *key, void *thing)
{
	struct judge_slot *slot = lookup(t, key);
	bool new = !slot->thing;

	slot->key = *key;
	slot->thing = thing;
	return new;
}

void judge_put(struct judge_table *t, struct judge_key key, void *thing)
{
	struct judge_table old = *t;
	u32 i;

	if (2 * (t->n + 1) > t->size) {
		t->size = t->size ? 2 * t->size : 64;
		t->slot = judge_alloc(t->size * sizeof(*t->slot));
		for (i = 0; i < old.size; i++)
			if (old.slot[i].thing)
				put(t, &old.slot[i].key, old.slot[i].thing);
		free(old.slot);
	}
	t->n += put(t, &key, thing);
}
