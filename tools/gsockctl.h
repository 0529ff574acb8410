/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gsockctl: who does what.
 *
 *	gsockctl.c  words of the command line to a verb
 *	help.c      what each verb says of itself
 *	args.c      words behind the verb; complaints
 *	parse.c     numbers, names, addresses, the closest word
 *	print.c     tables and JSON
 *	wait.c      waiting for descriptors and signals
 *	node.c addr.c group.c monitor.c cat.c   the verbs
 */
#ifndef GSOCKCTL_H
#define GSOCKCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <gsock.h>
#include "parse.h"

/* How the program ends. */
enum { EXIT_OK, EXIT_REFUSED, EXIT_USAGE };

/**
 * struct call - what one call of the program is about
 * @name: noun and verb, for complaints
 * @argc: words behind them
 * @argv: these words
 * @json: -j
 * @all: -a
 * @keep: -k
 * @order: -o, GSOCK_ORDER_DEFAULT without it
 */
struct call {
	char name[64];
	int argc;
	char **argv;
	bool json;
	bool all;
	bool keep;
	int order;
};

/**
 * struct verb - something that can be done
 * @name: its word; NULL: the noun alone says it
 * @run: does it; returns how the program ends
 * @options: letters of the options it takes, besides -j
 * @syntax: what follows the words
 * @what: what it does
 * @example: a line that works
 */
struct verb {
	const char *name;
	int (*run)(struct call *call);
	const char *options;
	const char *syntax;
	const char *what;
	const char *example;
};

/**
 * struct noun - something that verbs are about
 * @name: its word
 * @what: what it is
 * @n: how many verbs
 * @verb: the verbs
 */
struct noun {
	const char *name;
	const char *what;
	size_t n;
	const struct verb *verb;
};

extern const struct noun nouns[];
extern const size_t n_nouns;

/* ---- help.c ---- */

void help_all(void);
void help_noun(const struct noun *noun);
void help_verb(const struct noun *noun, const struct verb *verb);

/* ---- args.c ---- */

/**
 * struct keyword - a word that a value follows
 * @word: the word
 * @given: it was there
 * @value: what followed it
 */
struct keyword {
	const char *word;
	bool given;
	const char *value;
};

/* Each prints "gsockctl: NAME: ..." and returns EXIT_USAGE or EXIT_REFUSED. */
int usage(const struct call *call, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int unknown_word(const struct call *call, const struct words *words,
		 const char *word, const char *what);
int refused(const struct call *call, const struct gsock_ctx *ctx, int err);
int failed(const struct call *call, int err);

/* Asks for records: 0, or -errno of the library. */
typedef int get_fn(struct gsock_ctx *ctx, const struct call *call,
		   struct gsock_rec **recs);
/* Says what they are, as text or as JSON. */
typedef void say_fn(const struct call *call, const struct gsock_rec *recs);
/* A verb that shows: how the program ends. */
int show(const struct call *call, get_fn *get, say_fn *say);

/* 0, or how the program ends. Words from @from on are keyword and value. */
int take_keywords(const struct call *call, int from, struct keyword *words,
		  size_t n);
int take_num(const struct call *call, const char *word, const char *text,
	     uint32_t min, uint32_t max, uint32_t *num);
/* As many words as that and no more. */
int take_words(const struct call *call, int min, int max, const char *what);
int take_ctx(const struct call *call, struct gsock_ctx **ctx);

/* @p itself; ends the program when it is NULL: no memory. */
void *need(void *p);

/* ---- verbs ---- */

int node_show(struct call *call);
int node_set(struct call *call);
int bearer_add(struct call *call);
int bearer_del(struct call *call);
int bearer_show(struct call *call);
int peer_add(struct call *call);
int peer_del(struct call *call);
int peer_show(struct call *call);
int group_show(struct call *call);
int member_show(struct call *call);
int counters_show(struct call *call);
int monitor(struct call *call);
int cat(struct call *call);

#endif /* GSOCKCTL_H */
