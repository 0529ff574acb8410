// SPDX-License-Identifier: GPL-2.0
/* Words behind the verb, and complaints about them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gsockctl.h"

void *need(void *p)
{
	if (p)
		return p;
	fputs("gsockctl: no memory\n", stderr);
	exit(EXIT_REFUSED);
}

static void complain(const struct call *call)
{
	fprintf(stderr, "gsockctl: %s%s", call->name, *call->name ? ": " : "");
}

int usage(const struct call *call, const char *fmt, ...)
{
	va_list args;

	complain(call);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

int unknown_word(const struct call *call, const struct words *words,
		 const char *word, const char *what)
{
	size_t i, len = strlen(word);
	const char *at;

	if (find_word(words, word) != WORD_AMBIGUOUS)
		return usage(call, "unknown %s '%s'; did you mean '%s'?", what,
			     word,
			     words->at(words->table,
				       closest_word(words, word)));
	complain(call);
	fprintf(stderr, "'%s' is short for more than one %s:", word, what);
	for (i = 0; i < words->n; i++) {
		at = words->at(words->table, i);
		if (!strncmp(at, word, len))
			fprintf(stderr, " %s", at);
	}
	fputc('\n', stderr);
	return EXIT_USAGE;
}

int failed(const struct call *call, int err)
{
	complain(call);
	if (err == -EAFNOSUPPORT)
		fputs("the gsock module is not loaded\n", stderr);
	else
		fprintf(stderr, "%s\n", strerror(-err));
	return EXIT_REFUSED;
}

int refused(const struct call *call, const struct gsock_ctx *ctx, int err)
{
	const char *text = gsock_error_text(ctx);
	const char *attr = gsock_attr_name(gsock_error_attr(ctx));

	if (err == -EPERM && !*text)
		text = "needs CAP_NET_ADMIN";
	if (err == -EAFNOSUPPORT || (!*text && !*attr))
		return failed(call, err);
	complain(call);
	if (*attr)
		fprintf(stderr, "%s: ", attr);
	if (*text)
		fprintf(stderr, "%s (%s)\n", text, strerror(-err));
	else
		fprintf(stderr, "%s\n", strerror(-err));
	return EXIT_REFUSED;
}

static const char *keyword_at(const void *table, size_t i)
{
	return ((const struct keyword *)table)[i].word;
}

int take_keywords(const struct call *call, int from, struct keyword *words,
		  size_t n)
{
	struct words list = { n, keyword_at, words };
	int i, k;

	for (i = from; i < call->argc; i += 2) {
		k = find_word(&list, call->argv[i]);
		if (k < 0)
			return unknown_word(call, &list, call->argv[i],
					    "word");
		if (words[k].given)
			return usage(call, "'%s' is given twice",
				     words[k].word);
		if (i + 1 == call->argc)
			return usage(call, "'%s' needs a value behind it",
				     words[k].word);
		words[k].given = true;
		words[k].value = call->argv[i + 1];
	}
	return 0;
}

int take_num(const struct call *call, const char *word, const char *text,
	     uint32_t min, uint32_t max, uint32_t *num)
{
	char why[PARSE_WHY_MAX];
	const char *bad = parse_num(text, min, max, num, why);

	return bad ? usage(call, "%s: '%s' %s", word, text, bad) : 0;
}

int take_words(const struct call *call, int min, int max, const char *what)
{
	if (call->argc < min)
		return usage(call, "%s is missing", what);
	if (call->argc > max)
		return usage(call, "too many words: '%s'", call->argv[max]);
	return 0;
}

int take_ctx(const struct call *call, struct gsock_ctx **ctx)
{
	int err = gsock_ctx_new(ctx);

	return err ? failed(call, err) : 0;
}

int show(const struct call *call, get_fn *get, say_fn *say)
{
	struct gsock_rec *recs;
	struct gsock_ctx *ctx;
	int ret = take_ctx(call, &ctx);

	if (ret)
		return ret;
	ret = get(ctx, call, &recs);
	if (ret) {
		ret = refused(call, ctx, ret);
	} else {
		say(call, recs);
		gsock_rec_free(recs);
	}
	gsock_ctx_free(ctx);
	return ret;
}
