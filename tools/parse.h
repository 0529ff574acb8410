/* SPDX-License-Identifier: GPL-2.0 */
/* Words, numbers, names and addresses as people write them. */
#ifndef GSOCKCTL_PARSE_H
#define GSOCKCTL_PARSE_H

#include <stddef.h>
#include <stdint.h>

/* What find_word() says when it is none of the words. */
#define WORD_UNKNOWN	(-1)
#define WORD_AMBIGUOUS	(-2)

/**
 * struct words - a list of right words
 * @n: how many
 * @at: the word number i, in a table of any shape
 * @table: given to @at
 */
struct words {
	size_t n;
	const char *(*at)(const void *table, size_t i);
	const void *table;
};

/**
 * struct inaddr - an address without a name
 * @family: AF_INET or AF_INET6
 * @bytes: 4 or 16 of them, network byte order
 */
struct inaddr {
	int family;
	unsigned char bytes[16];
};

/* Index of @word, whole or as the only one that begins so. */
int find_word(const struct words *words, const char *word);
/* Index of the word with the fewest typing errors from @word. */
int closest_word(const struct words *words, const char *word);
/* How many letters to add, drop, change or swap make @b of @a. */
unsigned int edit_distance(const char *a, const char *b);

/*
 * Each returns NULL, or what is wrong, as a phrase to follow the word in
 * question; it stands in @why, of PARSE_WHY_MAX bytes, or is constant.
 */
#define PARSE_WHY_MAX 128
const char *parse_num(const char *text, uint32_t min, uint32_t max,
		      uint32_t *num, char *why);
const char *parse_addr(const char *text, struct inaddr *addr);
const char *parse_cluster(const char *text);
const char *parse_group(const char *text);

/* Bytes of the UTF-8 character at @p, up to @end; 0 if it is none. */
size_t utf8_len(const unsigned char *p, const unsigned char *end);

#endif /* GSOCKCTL_PARSE_H */
