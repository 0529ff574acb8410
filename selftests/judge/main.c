// SPDX-License-Identifier: GPL-2.0
/*
 * judge FILE...: reads a history, in one file or several, and says which of
 * design.md's properties do not hold in it, and by which lines.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hist.h"

enum { PROPERTIES = 14 };

/**
 * struct court - what is judged, and how much of what is wrong is shown
 */
struct court {
	struct hist h;
	u32 limit;
	u32 found[PROPERTIES];
};

static void report(void *ctx, const struct judge_report *r)
{
	struct court *c = ctx;
	u32 nr = strtoul(r->property + 1, NULL, 10), i;
	char place[256];

	if (c->found[nr]++ >= c->limit && c->limit)
		return;
	printf("%s: %s", r->property, r->text);
	for (i = 0; i < r->n_at; i++) {
		hist_place(&c->h, r->at[i], place, sizeof(place));
		printf("%s%s", i ? ", " : " [", place);
	}
	puts(r->n_at ? "]" : "");
}

static const char *msg_name(void *ctx, u32 id)
{
	struct court *c = ctx;

	return c->h.msgs.name[id];
}

static const struct judge_ops ops = { report, msg_name };

/* One history: 0, 1 if it breaks a property, 2 if it is none. */
static int judge_files(char **path, int n, u32 limit, const char *label)
{
	struct court c = { .limit = limit };
	struct judge_counts counts;
	struct judge *j;
	u32 i;

	for (i = 0; i < (u32)n; i++) {
		if (!hist_read(&c.h, path[i]))
			continue;
		fflush(stdout);
		fprintf(stderr, "judge: %s\n", c.h.error);
		hist_free(&c.h);
		return 2;
	}
	j = judge_new(&ops, &c);
	hist_play(&c.h, j);
	judge_counts(j, &counts);
	for (i = 0; i < PROPERTIES; i++)
		if (limit && c.found[i] > limit)
			printf("V%u: %u more\n", i, c.found[i] - limit);
	printf("judge: %s%s%u lines, %u members, %u messages, %u views, %llu violations\n",
	       label, *label ? ": " : "", c.h.n_lines, counts.members,
	       counts.messages, counts.views, counts.violations);
	judge_free(j);
	hist_free(&c.h);
	return !!counts.violations;
}

static void usage(FILE *f)
{
	fputs("usage: judge [--each] [--limit N] FILE...\n"
	      "Judges a history of group members, JSON lines in one file or several.\n"
	      "  --each     each file is a history of its own\n"
	      "  --limit N  show N violations of each property, 0: all (10)\n"
	      "Exit status: 0 all properties hold, 1 some do not, 2 no history.\n",
	      f);
}

static u32 limit_of(const char *text)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || n > UINT32_MAX) {
		fprintf(stderr, "judge: --limit wants a number, not \"%s\"\n",
			text);
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "each", 0, 0, 'e' }, { "limit", 1, 0, 'l' },
		{ "help", 0, 0, 'h' }, { 0 }
	};
	int c, ret, status = 0;
	bool each = false;
	u32 limit = 10;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		switch (c) {
		case 'e':
			each = true;
			break;
		case 'l':
			limit = limit_of(optarg);
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind == argc) {
		usage(stderr);
		return 2;
	}
	if (!each)
		return judge_files(argv + optind, argc - optind, limit, "");
	for (; optind < argc; optind++) {
		ret = judge_files(argv + optind, 1, limit, argv[optind]);
		if (ret > status)
			status = ret;
	}
	return status;
}
