// SPDX-License-Identifier: GPL-2.0
/* From the words of the command line to a verb. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gsockctl.h"

#define VERSION "0.1"

/**
 * struct line - the command line, options taken out
 * @words: what is left
 * @n: how many
 * @plain: words from this index on stand behind "--"
 * @help: -h
 * @version: -V
 * @used: letters of the options given, for the verb to check
 */
struct line {
	char **words;
	int n;
	int plain;
	bool help;
	bool version;
	char used[8];
};

static const struct option_word {
	const char *word;
	char letter;
} option_words[] = {
	{ "--all", 'a' },  { "--help", 'h' },  { "--json", 'j' },
	{ "--keep", 'k' }, { "--order", 'o' }, { "--version", 'V' },
};

static const char *option_at(const void *table, size_t i)
{
	return ((const struct option_word *)table)[i].word;
}

static const char *noun_at(const void *table, size_t i)
{
	return ((const struct noun *)table)[i].name;
}

static const char *verb_at(const void *table, size_t i)
{
	return ((const struct verb *)table)[i].name;
}

/* ---- options ---- */

static int take_order(struct call *call, const char *word)
{
	call->order = word ? gsock_order_of(word) : -1;
	if (call->order >= 0)
		return 0;
	return usage(call,
		     "--order: %s%s%s is not an order: none, fifo, causal, total or safe",
		     word ? "'" : "", word ? word : "nothing",
		     word ? "'" : "");
}

static int take_letter(struct call *call, struct line *line, char letter)
{
	size_t n = strlen(line->used);

	switch (letter) {
	case 'h':
		line->help = true;
		return 0;
	case 'V':
		line->version = true;
		return 0;
	case 'j':
		call->json = true;
		return 0;
	case 'a':
		call->all = true;
		break;
	case 'k':
		call->keep = true;
		break;
	case 'o':
		break;
	default:
		return usage(call, "unknown option '-%c'; see gsockctl help",
			     letter);
	}
	if (!strchr(line->used, letter) && n + 1 < sizeof(line->used)) {
		line->used[n] = letter;
		line->used[n + 1] = 0;
	}
	return 0;
}

/* One word that begins with '-'; *i moves on when it takes a value. */
static int take_option(struct call *call, struct line *line, char **argv,
		       int *i)
{
	const struct words list = {
		sizeof(option_words) / sizeof(option_words[0]), option_at,
		option_words
	};
	const char *word = argv[*i], *letters = word + 1;
	char one[2] = "";
	int k, ret = 0;

	if (word[1] == '-') {
		k = find_word(&list, word);
		if (k < 0)
			return unknown_word(call, &list, word, "option");
		one[0] = option_words[k].letter;
		letters = one;
	}
	for (; !ret && *letters; letters++) {
		ret = take_letter(call, line, *letters);
		if (ret || *letters != 'o')
			continue;
		if (letters[1])
			return take_order(call, letters + 1);
		if (argv[*i + 1])
			++*i;
		else
			return take_order(call, NULL);
		return take_order(call, argv[*i]);
	}
	return ret;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] && (word[1] < '0' || word[1] > '9');
}

static int take_line(struct call *call, struct line *line, char **argv)
{
	int i, ret;

	line->plain = -1;
	for (i = 1; argv[i]; i++) {
		if (line->plain < 0 && !strcmp(argv[i], "--")) {
			line->plain = line->n;
			continue;
		}
		if (line->plain >= 0 || !is_option(argv[i])) {
			line->words[line->n++] = argv[i];
			continue;
		}
		ret = take_option(call, line, argv, &i);
		if (ret)
			return ret;
	}
	if (line->plain < 0)
		line->plain = line->n;
	return 0;
}

/* ---- words ---- */

/* Takes the word @at as help, wherever it may stand. */
static bool is_help(const struct line *line, int at)
{
	return at < line->n && at < line->plain &&
	       !strcmp(line->words[at], "help");
}

static int find_noun(struct call *call, const char *word,
		     const struct noun **noun)
{
	const struct words list = { n_nouns, noun_at, nouns };
	int k = find_word(&list, word);

	if (k < 0)
		return unknown_word(call, &list, word, "noun");
	*noun = &nouns[k];
	snprintf(call->name, sizeof(call->name), "%s", (*noun)->name);
	return 0;
}

/* *verb stays NULL when the noun needs one and there is no more word. */
static int find_verb(struct call *call, const struct line *line, int *at,
		     const struct noun *noun, const struct verb **verb)
{
	const struct words list = { noun->n, verb_at, noun->verb };
	size_t len = strlen(call->name);
	int k;

	if (!noun->verb[0].name) {
		*verb = &noun->verb[0];
		return 0;
	}
	if (*at == line->n)
		return 0;
	k = find_word(&list, line->words[*at]);
	if (k < 0)
		return unknown_word(call, &list, line->words[*at], "verb");
	++*at;
	*verb = &noun->verb[k];
	snprintf(call->name + len, sizeof(call->name) - len, " %s",
		 (*verb)->name);
	return 0;
}

static int run_verb(struct call *call, struct line *line, int at,
		    const struct verb *verb)
{
	const char *p;

	for (p = line->used; *p; p++)
		if (!strchr(verb->options, *p))
			return usage(call, "takes no option -%c", *p);
	call->argc = line->n - at;
	call->argv = line->words + at;
	return verb->run(call);
}

static int run_line(struct call *call, struct line *line)
{
	const struct noun *noun = NULL;
	const struct verb *verb = NULL;
	int at = 0, ret;

	if (is_help(line, 0)) {
		line->help = true;
		at++;
	}
	if (at == line->n) {
		if (line->help) {
			help_all();
			return EXIT_OK;
		}
		return usage(call, "what to do is missing; see gsockctl help");
	}
	ret = find_noun(call, line->words[at++], &noun);
	if (ret)
		return ret;
	if (is_help(line, at) || (line->help && at == line->n)) {
		help_noun(noun);
		return EXIT_OK;
	}
	ret = find_verb(call, line, &at, noun, &verb);
	if (ret)
		return ret;
	if (!verb)
		return usage(call, "a verb is missing; see gsockctl %s help",
			     noun->name);
	if (line->help || is_help(line, line->n - 1)) {
		help_verb(noun, verb);
		return EXIT_OK;
	}
	return run_verb(call, line, at, verb);
}

int main(int argc, char **argv)
{
	struct call call = { .order = GSOCK_ORDER_DEFAULT };
	struct line line = { };
	int ret;

	line.words = need(calloc(argc + 1, sizeof(*line.words)));
	ret = take_line(&call, &line, argv);
	if (!ret && line.version)
		puts("gsockctl " VERSION);
	else if (!ret)
		ret = run_line(&call, &line);
	free(line.words);
	if (fflush(stdout) || ferror(stdout)) {
		perror("gsockctl: standard output");
		ret = EXIT_REFUSED;
	}
	return ret;
}
