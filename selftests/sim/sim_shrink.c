// SPDX-License-Identifier: GPL-2.0
/*
 * A seed that fails, made small: which nodes, chances, faults, sockets and
 * messages can be left out so that it still breaks the same property? Halves
 * are tried first, then quarters and so on (delta debugging, Zeller &
 * Hildebrandt 2002), each try in a process of its own, since one may die.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "sim.h"
#include "sim_scene.h"

enum { KEYS = 1 << 18, TRIES = 3000, SECONDS = 120, HANG = 60 };

struct keys {
	u32 n;
	u64 key[KEYS];
};

/* What a try has to say, in shared memory. */
struct outcome {
	bool bad;
	u32 group;
	char property[16];
	char what[240];
	struct keys done;
};

static struct keys *skip;	/* what is left out; NULL: not shrinking */
static struct keys *done;	/* decisions taken in this run */

static u64 key_of(enum sim_kind kind, u32 a, u32 b, u32 c)
{
	return (u64)kind << 56 | (u64)a << 48 | (u64)b << 20 | c;
}

static enum sim_kind kind_of(u64 key)
{
	return (enum sim_kind)(key >> 56);
}

/* A table with open addressing, twice as large as it need be. */
static u64 *place(struct keys *set, u64 key)
{
	u32 i = (key * 0x9e3779b97f4a7c15ULL) >> 46;

	while (set->key[i] && set->key[i] != key)
		i = (i + 1) % KEYS;
	return &set->key[i];
}

/* Shall it be? Asked of each thing that a smaller run could do without. */
bool sim_do(enum sim_kind kind, u32 a, u32 b, u32 c)
{
	u64 key = key_of(kind, a, b, c);

	if (skip && *place(skip, key))
		return false;
	if (done && done->n < KEYS)
		done->key[done->n++] = key;
	return true;
}

/* From now on it may compute for so many seconds, then it is killed. */
void sim_watch(void)
{
	struct itimerval limit = { .it_value.tv_sec = HANG };

	setitimer(ITIMER_PROF, &limit, NULL);
}

static struct keys *keys_new(void)
{
	struct keys *k = mmap(NULL, sizeof(*k), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (k == MAP_FAILED)
		abort();
	return k;
}

struct shrink {
	u64 seed;
	u32 nodes;
	const struct sim_scene *scene;
	char property[16];
	struct outcome *out;
	u32 tries;
	time_t until;
};

/* Nothing is heard of it: an assertion, or it never comes to an end. */
static void play(struct shrink *sh, enum sim_trace_level trace, u32 group)
{
	struct outcome *out = sh->out;
	int status;

	out->bad = true;
	out->group = 0;
	out->done.n = 0;
	strcpy(out->property, "assertion");
	fflush(stdout);
	if (!fork()) {
		if (!trace)
			(void)!freopen("/dev/null", "w", stderr);
		gpe_shim_panic = NULL;
		done = &out->done;
		sim_watch();
		memset(&S, 0, sizeof(S));
		S.trace = trace;
		S.focus = group;
		sim_seed(sh->seed, sh->nodes, sh->scene);
		out->bad = S.bad;
		out->group = S.focus_found;
		snprintf(out->property, sizeof(out->property), "%s",
			 S.bad ? S.property : "");
		snprintf(out->what, sizeof(out->what), "%s", S.what);
		fflush(stdout);
		_exit(0);
	}
	wait(&status);
	sh->tries++;
}

static bool still_bad(struct shrink *sh)
{
	play(sh, SIM_TRACE_NONE, 0);
	return sh->out->bad && !strcmp(sh->out->property, sh->property);
}

static void leave_out(const u64 *key, u32 n, bool out)
{
	u32 i;

	for (i = 0; i < n; i++)
		*place(skip, key[i]) = out ? key[i] : 0;
}

/* Zeroing an entry may hide another behind it: all of them afresh. */
static void restore(const struct keys *kept)
{
	memset(skip->key, 0, sizeof(skip->key));
	leave_out(kept->key, kept->n, true);
}

static int by_key(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Those of one kind, each once. */
static u32 list_of(const struct keys *keys, enum sim_kind kind, u64 *list)
{
	u32 i, n = 0, once = 0;

	for (i = 0; i < keys->n; i++)
		if (kind_of(keys->key[i]) == kind)
			list[n++] = keys->key[i];
	qsort(list, n, sizeof(*list), by_key);
	for (i = 0; i < n; i++)
		if (!i || list[i] != list[i - 1])
			list[once++] = list[i];
	return once;
}

/* Tries to do without the decisions of this kind. Return: some went. */
static bool without(struct shrink *sh, enum sim_kind kind, struct keys *kept)
{
	static u64 list[KEYS];
	u32 i, n, left, chunk, was = kept->n;

	n = list_of(&sh->out->done, kind, list);
	for (chunk = n; chunk; chunk /= 2) {
		left = 0;
		for (i = 0; i < n; i += chunk) {
			u32 k = min(chunk, n - i);
			bool gone = false;

			if (sh->tries < TRIES && time(NULL) < sh->until &&
			    kept->n + k < KEYS / 2) {
				leave_out(list + i, k, true);
				gone = still_bad(sh);
			}
			if (gone) {
				memcpy(kept->key + kept->n, list + i,
				       k * sizeof(u64));
				kept->n += k;
				continue;
			}
			restore(kept);
			memmove(list + left, list + i, k * sizeof(u64));
			left += k;
		}
		n = left;
	}
	return kept->n > was;
}

static u32 count(const struct keys *k, enum sim_kind kind)
{
	static u64 list[KEYS];

	return list_of(k, kind, list);
}

static void say(const char *when, const struct keys *k)
{
	printf("%s: %u nodes, %u faults, %u sockets, %u messages, %u leaves\n",
	       when, count(k, SIM_NODE), count(k, SIM_FAULT),
	       count(k, SIM_JOIN), count(k, SIM_SEND), count(k, SIM_LEAVE));
}

/**
 * sim_shrink() - make a failing seed small, and tell its story
 * @seed: one that fails
 * @nodes: as it was run
 * @scene: as it was run
 */
void sim_shrink(u64 seed, u32 nodes, const struct sim_scene *scene)
{
	static const enum sim_kind order[] = {
		SIM_MIX, SIM_NODE, SIM_FAULT, SIM_JOIN, SIM_LEAVE, SIM_SEND
	};
	bool less = true;
	struct shrink sh = { .seed = seed, .nodes = nodes, .scene = scene,
			     .until = time(NULL) + SECONDS };
	struct keys *kept = keys_new();
	u32 i;

	sh.out = mmap(NULL, sizeof(*sh.out), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh.out == MAP_FAILED)
		abort();
	skip = keys_new();
	play(&sh, SIM_TRACE_NONE, 0);
	if (!sh.out->bad)
		return;
	strcpy(sh.property, sh.out->property);
	say("as it was", &sh.out->done);
	while (less) {
		less = false;
		for (i = 0; i < ARRAY_SIZE(order); i++) {
			less |= without(&sh, order[i], kept);
			/* What is done now, not what was in the last try. */
			play(&sh, SIM_TRACE_NONE, 0);
		}
	}
	say("shrunk", &sh.out->done);
	printf("after %u runs: %s violated: %s\n", sh.tries, sh.property,
	       sh.out->what);
	play(&sh, SIM_TRACE_STORY, sh.out->group);
	munmap(sh.out, sizeof(*sh.out));
	munmap(kept, sizeof(*kept));
	munmap(skip, sizeof(*skip));
	skip = NULL;
}
