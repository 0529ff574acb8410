// SPDX-License-Identifier: GPL-2.0
/*
 * sim --seeds N --first K: runs N seeds, two at a time. One line for each that
 * breaks a property; the last line counts.
 *
 * sim --scene NAME|all: the same for scenes, see sim_scene.c.
 *
 * sim --faults (a build with GPE_FAULTS): for each deliberate fault of the
 * engine, runs seeds until the checker that the fault is meant for finds it.
 */
#include <getopt.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sim.h"
#include "sim_scene.h"

struct sim S;

/* Played instead of faults at random. */
static const struct sim_scene *scene;

enum { PROCS = 2 };

/*
 * What the processes add up, in shared memory. @want: stop when this property
 * is found broken, and say nothing; @caught: by which seed
 */
struct tally {
	const char *want;
	u64 caught;
	u64 steps;
	u64 bad;
	u64 done;
};

/* splitmix64 */
static u64 mixed(u64 z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

u32 sim_draw(u64 *rng, u32 below)
{
	*rng += 0x9e3779b97f4a7c15ULL;
	return (u32)(mixed(*rng) >> 32) % below;
}

bool sim_luck(struct sim_node *n, u32 per_mille)
{
	return per_mille && sim_draw(&n->luck, 1000) < per_mille;
}

u32 sim_rand(u32 below)
{
	return sim_draw(&S.rng, below);
}

bool sim_chance(u32 per_mille)
{
	return per_mille && sim_rand(1000) < per_mille;
}

/* Where it was before is returned, to go back there. */
u64 sim_stream(enum sim_kind kind, u32 a, u32 b, u32 c)
{
	u64 was = S.rng, x = S.seed * 0x2545f4914f6cdd1dULL + kind;

	x = mixed(x) ^ ((u64)a << 32 | b);
	S.rng = mixed(x * 0x9e3779b97f4a7c15ULL + c);
	return was;
}

void sim_bad(const char *property, const char *fmt, ...)
{
	va_list ap;

	if (S.bad)
		return;
	S.bad = true;
	S.property = property;
	va_start(ap, fmt);
	vsnprintf(S.what, sizeof(S.what), fmt, ap);
	va_end(ap);
	sim_trace("%s: %s", property, S.what);
}

void sim_trace(const char *fmt, ...)
{
	va_list ap;

	if (!S.trace)
		return;
	printf("%10.3f ", S.now / 1e6);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* How to see it again. */
static const char *replay(void)
{
	static char text[100];

	snprintf(text, sizeof(text),
		 "replay: build/sim%s%s --seeds 1 --first %llu --trace",
		 scene ? " --scene " : "", scene ? scene->name : "", S.seed);
	return text;
}

static void panic(void)
{
	printf("seed %llu: assertion; %s\n", S.seed, replay());
	fflush(stdout);
}

static void report(struct tally *t, u64 seed)
{
	__atomic_add_fetch(&t->steps, S.steps, __ATOMIC_RELAXED);
	__atomic_add_fetch(&t->done, 1, __ATOMIC_RELAXED);
	if (S.trace)
		printf("hash %016llx\n", S.hash);
	if (!S.bad)
		return;
	__atomic_add_fetch(&t->bad, 1, __ATOMIC_RELAXED);
	if (t->want) {
		if (!strcmp(S.property, t->want))
			t->caught = seed;
		return;
	}
	printf("seed %llu: %s violated: %s; %s\n", seed, S.property, S.what,
	       replay());
	fflush(stdout);
}

static void worker(struct tally *t, u64 seed, u64 end, u32 step, u32 nodes,
		   bool trace)
{
	for (; seed < end && !t->caught; seed += step) {
		memset(&S, 0, sizeof(S));
		gpe_shim_allocs = 0;
		gpe_shim_bufs = 0;
		gpe_shim_bytes = 0;
		S.trace = trace;
		sim_seed(seed, nodes, scene);
		report(t, seed);
	}
}

static u64 number(const char *opt, const char *text)
{
	char *end;
	u64 n = strtoull(text, &end, 10);

	if (*end || !*text) {
		fprintf(stderr, "sim: %s wants a number, not \"%s\"\n", opt,
			text);
		exit(2);
	}
	return n;
}

/* Runs the seeds from @first up to @end: how many processes died. */
static u32 run_seeds(struct tally *t, u64 first, u64 end, u32 nodes, bool trace)
{
	u32 i, died = 0;
	int status;

	for (i = 0; i < PROCS; i++) {
		fflush(stdout);
		if (!fork()) {
			worker(t, first + i, end, PROCS, nodes, trace);
			fflush(stdout);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		died += !!status;
	return died;
}

static const struct sim_scene *find_scene(const char *name)
{
	const struct sim_scene *sc = NULL;

	while ((sc = sim_scene_next(sc)))
		if (!strcmp(sc->name, name))
			return sc;
	fprintf(stderr, "sim: no such scene: %s; there are:\n", name);
	while ((sc = sim_scene_next(sc)))
		fprintf(stderr, "  %-16s %s\n", sc->name, sc->text);
	exit(2);
}

/* A line of TAP for each scene. */
static int all_scenes(struct tally *t, u64 seeds, u64 first)
{
	u32 n = 0, bad = 0;

	for (scene = NULL; (scene = sim_scene_next(scene));) {
		bool ok;

		memset(t, 0, sizeof(*t));
		ok = !run_seeds(t, first, first + seeds, 0, false) &&
		     !t->bad && t->done == seeds;
		bad += !ok;
		printf("%sok %u - %s: %s, %llu seeds\n", ok ? "" : "not ", ++n,
		       scene->name, scene->text, seeds);
	}
	printf("1..%u\n", n);
	return !!bad;
}

#if defined(GPE_FAULTS) || defined(GPE_MUTANT)
#include "gpe_fault.h"
#ifdef GPE_MUTANT
static int gpe_fault;	/* the one that is built in */
#endif

static const struct {
	const char *name;
	const char *rule;
	const char *property;
} faults[] = {
	{ "none", "", "" },
#define X(name, rule, property) { #name, rule, property },
	GPE_FAULT_LIST(X)
#undef X
};

static void pick_fault(const char *name)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(faults); i++)
		if (!strcmp(faults[i].name, name)) {
			gpe_fault = i;
			return;
		}
	fprintf(stderr, "sim: no such fault: %s\n", name);
	exit(2);
}

/* Runs seeds until the fault's property is found broken: whether it was. */
static bool catch_fault(struct tally *t, u32 nr, u64 seeds, u64 first)
{
	scene = NULL;
	memset(t, 0, sizeof(*t));
	t->want = faults[nr].property;
	gpe_fault = nr;
	run_seeds(t, first, first + seeds / 10, 0, false);
	/* What shows in a certain scene only. */
	while (!t->caught && (scene = sim_scene_next(scene)))
		run_seeds(t, first, first + 20, 0, false);
	if (!t->caught)
		run_seeds(t, first + seeds / 10, first + seeds, 0, false);
	printf("%sok %u - %s: %s: ", t->caught ? "" : "not ", nr,
	       faults[nr].name, faults[nr].rule);
	if (t->caught)
		printf("%s, %s%sseed %llu\n", t->want, scene ? scene->name : "",
		       scene ? ", " : "", t->caught);
	else
		printf("%s not found in %llu seeds\n", t->want, seeds);
	return t->caught;
}

static int one_fault(struct tally *t, const char *name, u64 seeds, u64 first)
{
	pick_fault(name);
	return !catch_fault(t, gpe_fault, seeds, first);
}

static int all_faults(struct tally *t, u64 seeds, u64 first)
{
	u32 i, missed = 0;

	for (i = 1; i < GPE_FAULT_OFTEN_END; i++)
		missed += !catch_fault(t, i, seeds, first);
	printf("faults: %u caught, %u missed\n", i - 1 - missed, missed);
	return !!missed;
}
#else
static void pick_fault(const char *name)
{
	fprintf(stderr, "sim: built without faults, so no %s\n", name);
	exit(2);
}

static int one_fault(struct tally *t, const char *name, u64 seeds, u64 first)
{
	(void)t;
	(void)seeds;
	(void)first;
	pick_fault(name);
	return 2;
}

static int all_faults(struct tally *t, u64 seeds, u64 first)
{
	(void)t;
	(void)seeds;
	(void)first;
	fprintf(stderr, "sim: built without faults\n");
	return 2;
}
#endif

int main(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "seeds", 1, 0, 's' }, { "first", 1, 0, 'f' },
		{ "nodes", 1, 0, 'n' }, { "trace", 0, 0, 't' },
		{ "fault", 1, 0, 'x' }, { "faults", 0, 0, 'a' },
		{ "catch", 1, 0, 'c' }, { "replay", 1, 0, 'r' },
		{ "scene", 1, 0, 'S' }, { 0 }
	};
	u64 seeds = 100, first = 1, nodes = 0;
	const char *catch = NULL;
	bool trace = false, all = false, scenes = false;
	struct tally *t;
	u32 died;
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 's':
			seeds = number("--seeds", optarg);
			break;
		case 'f':
			first = number("--first", optarg);
			break;
		case 'n':
			nodes = number("--nodes", optarg);
			break;
		case 't':
			trace = true;
			break;
		case 'x':
			pick_fault(optarg);
			break;
		case 'a':
			all = true;
			break;
		case 'c':
			catch = optarg;
			break;
		case 'r':
			return sim_replay(optarg);
		case 'S':
			scenes = !strcmp(optarg, "all");
			if (!scenes)
				scene = find_scene(optarg);
			break;
		default:
			return 2;
		}
	}
	if (nodes == 1 || nodes > SIM_NODES) {
		fprintf(stderr, "sim: --nodes is 2 to %d\n", SIM_NODES);
		return 2;
	}
	t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	gpe_shim_panic = panic;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (catch)
		return one_fault(t, catch, seeds, first);
	if (all)
		return all_faults(t, seeds, first);
	if (scenes)
		return all_scenes(t, seeds, first);
	died = run_seeds(t, first, first + seeds, nodes, trace);
	if (t->done != seeds)
		printf("sim: %llu seeds were not run\n", seeds - t->done);
	printf("sim: %llu seeds, %llu steps, %llu violations\n", seeds,
	       t->steps, t->bad + died);
	return t->bad || died || t->done != seeds;
}
