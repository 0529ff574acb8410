// SPDX-License-Identifier: GPL-2.0
/*
 * sim --seeds N --first K: runs N seeds, two at a time. One line for each that
 * breaks a property; the last line counts. --nodes: so many, not drawn.
 *
 * sim --seeds 1 --first K: one, and if it fails it is made small and its story
 * is told (sim_shrink.c) unless --no-shrink; --trace: all of it as it goes on.
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
#include "sim_hist.h"
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

/* A member's group + 1, where a text names one: as n3-17. */
static u32 group_named(const char *text)
{
	unsigned int node, port;

	for (; *text; text++)
		if (sscanf(text, "n%u-%u", &node, &port) == 2)
			return check_group(node, port);
	return 0;
}

void sim_bad(const char *property, const char *fmt, ...)
{
	va_list ap;

	if (S.bad)
		return;
	S.property = property;
	va_start(ap, fmt);
	vsnprintf(S.what, sizeof(S.what), fmt, ap);
	va_end(ap);
	S.focus_found = S.at_group ? S.at_group : group_named(S.what);
	sim_trace("%s: %s", property, S.what);
	/* What comes now is no part of the story. */
	S.bad = true;
}

static void line(const char *fmt, va_list ap)
{
	printf("%10.3f ", S.now / 1e6);
	vprintf(fmt, ap);
	putchar('\n');
}

/* About nodes and links. */
void sim_trace(const char *fmt, ...)
{
	va_list ap;

	if (!S.trace || S.bad)
		return;
	va_start(ap, fmt);
	line(fmt, ap);
	va_end(ap);
}

/* About members of @group. */
void sim_tell(u32 group, const char *fmt, ...)
{
	va_list ap;

	if (!S.trace || S.bad)
		return;
	if (S.trace == SIM_TRACE_STORY && S.focus && S.focus != group + 1)
		return;
	va_start(ap, fmt);
	line(fmt, ap);
	va_end(ap);
}

/* How to see it again. */
static const char *replay(void)
{
	static char text[100];

	snprintf(text, sizeof(text),
		 "replay: build/sim%s%s --seeds 1 --first %llu",
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
		sim_watch();
		memset(&S, 0, sizeof(S));
		gpe_shim_allocs = 0;
		gpe_shim_bufs = 0;
		gpe_shim_bytes = 0;
		S.trace = trace ? SIM_TRACE_ALL : SIM_TRACE_NONE;
		sim_seed(seed, nodes, scene);
		report(t, seed);
	}
}

static void refuse(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));
static void refuse(const char *fmt, ...)
{
	va_list ap;

	fputs("sim: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

static u64 number(const char *opt, const char *text)
{
	char *end;
	u64 n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*end || *text < '0' || *text > '9' || errno)
		refuse("%s wants a number, not \"%s\"", opt, text);
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
	refuse("no such fault: %s", name);
}

/* In scenes that are made for the fault, or in all others. */
static void catch_in_scenes(struct tally *t, bool made, u64 seeds, u64 first)
{
	for (scene = NULL; (scene = sim_scene_next(scene));) {
		if (sim_scene_shows(scene, faults[gpe_fault].name) != made)
			continue;
		run_seeds(t, first, first + seeds, 0, false);
		if (t->caught)
			return;
	}
}

/* Runs seeds until the fault's property is found broken: whether it was. */
static bool catch_fault(struct tally *t, u32 nr, u64 seeds, u64 first)
{
	memset(t, 0, sizeof(*t));
	t->want = faults[nr].property;
	gpe_fault = nr;
	catch_in_scenes(t, true, 40, first);
	if (!t->caught)
		run_seeds(t, first, first + seeds / 10, 0, false);
	if (!t->caught)
		catch_in_scenes(t, false, 20, first);
	if (!t->caught)
		run_seeds(t, first + seeds / 10, first + seeds, 0, false);
	printf("%sok %u - %s: %s: ", t->caught ? "" : "not ", nr,
	       faults[nr].name, faults[nr].rule);
	if (t->caught)
		printf("%s, %s%s%sseed %llu\n", t->want, scene ? "scene " : "",
		       scene ? scene->name : "", scene ? ", " : "", t->caught);
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
	refuse("built without faults, so no %s", name);
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

/* What the command line asks for. */
struct options {
	u64 seeds;
	u64 first;
	u64 nodes;
	bool trace;
	bool all;	/* deliberate faults */
	bool scenes;
	bool whole;	/* a seed that fails is left as large as it is */
	const char *replay;
	const char *catch;	/* a deliberate fault */
};

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option opts[] = {
		{ "seeds", 1, 0, 's' }, { "first", 1, 0, 'f' },
		{ "nodes", 1, 0, 'n' }, { "trace", 0, 0, 't' },
		{ "fault", 1, 0, 'x' }, { "faults", 0, 0, 'a' },
		{ "catch", 1, 0, 'c' }, { "replay", 1, 0, 'r' },
		{ "scene", 1, 0, 'S' }, { "history", 1, 0, 'H' },
		{ "no-shrink", 0, 0, 'w' }, { 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (c == 's')
			o->seeds = number("--seeds", optarg);
		else if (c == 'f')
			o->first = number("--first", optarg);
		else if (c == 'n')
			o->nodes = number("--nodes", optarg);
		else if (c == 't')
			o->trace = true;
		else if (c == 'x')
			pick_fault(optarg);
		else if (c == 'a')
			o->all = true;
		else if (c == 'c')
			o->catch = optarg;
		else if (c == 'r')
			o->replay = optarg;
		else if (c == 'w')
			o->whole = true;
		else if (c == 'S' && !(o->scenes = !strcmp(optarg, "all")))
			scene = find_scene(optarg);
		else if (c == 'H' && !sim_hist_to(optarg))
			exit(2);
		else if (c == '?')
			exit(2);
	}
	if (argv[optind])
		refuse("\"%s\" is no option", argv[optind]);
}

/* What makes no sense is said, and not done otherwise. */
static void check_options(const struct options *o)
{
	if (!o->seeds)
		refuse("--seeds 0: nothing to run");
	if (o->seeds > U64_MAX - o->first)
		refuse("--seeds and --first: more seeds than there are numbers");
	if (o->nodes == 1 || o->nodes > SIM_NODES)
		refuse("--nodes is 2 to %d", SIM_NODES);
	if (o->nodes && (scene || o->scenes))
		refuse("--nodes: a scene says itself how many there are");
	if (o->trace && (o->seeds > 1 || o->all || o->scenes))
		refuse("--trace is for one seed: add --seeds 1");
	if (o->all && (scene || o->scenes || o->nodes))
		refuse("--faults plays seeds and scenes of its own");
	if (o->scenes && o->whole)
		refuse("--no-shrink is for one scene");
}

static int seeds_run(struct tally *t, const struct options *o)
{
	u32 died = run_seeds(t, o->first, o->first + o->seeds, o->nodes,
			     o->trace);

	if (t->done != o->seeds)
		printf("sim: %llu seeds were not run\n", o->seeds - t->done);
	if ((t->bad || died) && o->seeds == 1 && !o->trace && !o->whole)
		sim_shrink(o->first, o->nodes, scene);
	printf("sim: %llu seeds, %llu steps, %llu violations\n", o->seeds,
	       t->steps, t->bad + died);
	return t->bad || died || t->done != o->seeds;
}

int main(int argc, char **argv)
{
	struct options o = { .seeds = 100, .first = 1 };
	struct tally *t;

	parse(argc, argv, &o);
	if (o.replay)
		return sim_replay(o.replay);
	check_options(&o);
	t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t == MAP_FAILED)
		abort();
	gpe_shim_panic = panic;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (o.catch)
		return one_fault(t, o.catch, o.seeds, o.first);
	if (o.all)
		return all_faults(t, o.seeds, o.first);
	if (o.scenes)
		return all_scenes(t, o.seeds, o.first);
	return seeds_run(t, &o);
}
