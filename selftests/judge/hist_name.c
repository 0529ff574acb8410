// SPDX-License-Identifier: GPL-2.0
/* Texts and their numbers. */
#include <stdlib.h>
#include <string.h>
#include "hist.h"
#include "judge_int.h"

static u32 hash(const char *name)
{
	u32 h = 2166136261u; /* FNV-1a */

	for (; *name; name++)
		h = (h ^ (u8)*name) * 16777619u;
	return h;
}

/* Slots hold numbers plus 1. */
static u32 *lookup(const struct hist_names *names, const char *name)
{
	u32 i = hash(name) & (names->n_slots - 1);

	while (names->slot[i] && strcmp(names->name[names->slot[i] - 1], name))
		i = (i + 1) & (names->n_slots - 1);
	return &names->slot[i];
}

static void more_slots(struct hist_names *names)
{
	u32 i;

	free(names->slot);
	names->n_slots = names->n_slots ? 2 * names->n_slots : 64;
	names->slot = judge_alloc(names->n_slots * sizeof(u32));
	for (i = 0; i < names->n; i++)
		*lookup(names, names->name[i]) = i + 1;
}

u32 hist_name(struct hist_names *names, const char *name)
{
	u32 *slot;

	if (2 * names->n >= names->n_slots)
		more_slots(names);
	slot = lookup(names, name);
	if (*slot)
		return *slot - 1;
	names->name = judge_grow(names->name, names->n, &names->size,
				 sizeof(char *));
	names->name[names->n] = judge_alloc(strlen(name) + 1);
	strcpy(names->name[names->n], name);
	*slot = ++names->n;
	return names->n - 1;
}

void hist_names_free(struct hist_names *names)
{
	u32 i;

	for (i = 0; i < names->n; i++)
		free(names->name[i]);
	free(names->name);
	free(names->slot);
}
