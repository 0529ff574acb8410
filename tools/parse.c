// SPDX-License-Identifier: GPL-2.0
/*
 * Words, numbers, names and addresses as people write them. Pure functions:
 * the unit test and the tool share this file, and it needs nothing else.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "parse.h"

/* A word longer than this is compared by its beginning. */
#define WORD_MAX 32
/* Bytes of a name of a group or a cluster. */
#define NAME_MAX_LEN 63

/* ---- words ---- */

int find_word(const struct words *words, const char *word)
{
	size_t i, len = strlen(word);
	int found = WORD_UNKNOWN;

	for (i = 0; i < words->n; i++)
		if (!strcmp(words->at(words->table, i), word))
			return i;
	for (i = 0; len && i < words->n; i++) {
		if (strncmp(words->at(words->table, i), word, len))
			continue;
		if (found != WORD_UNKNOWN)
			return WORD_AMBIGUOUS;
		found = i;
	}
	return found;
}

static unsigned int min2(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Damerau's distance, CACM 7(3), 1964, restricted: no pair is edited twice. */
unsigned int edit_distance(const char *a, const char *b)
{
	unsigned int row[3][WORD_MAX + 1];
	size_t la = strnlen(a, WORD_MAX), lb = strnlen(b, WORD_MAX), i, j;

	for (j = 0; j <= lb; j++)
		row[0][j] = j;
	for (i = 1; i <= la; i++) {
		unsigned int *now = row[i % 3], *up = row[(i + 2) % 3];
		const unsigned int *up2 = row[(i + 1) % 3];

		now[0] = i;
		for (j = 1; j <= lb; j++) {
			now[j] = min2(min2(up[j], now[j - 1]) + 1,
				      up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				now[j] = min2(now[j], up2[j - 2] + 1);
		}
	}
	return row[la % 3][lb];
}

int closest_word(const struct words *words, const char *word)
{
	unsigned int d, best_d = ~0u;
	int best = WORD_UNKNOWN;
	size_t i;

	for (i = 0; i < words->n; i++) {
		d = edit_distance(word, words->at(words->table, i));
		if (d < best_d) {
			best_d = d;
			best = i;
		}
	}
	return best;
}

/* ---- numbers ---- */

const char *parse_num(const char *text, uint32_t min, uint32_t max,
		      uint32_t *num, char *why)
{
	uint64_t val = 0;
	const char *p = text;

	if (*p == '-' && p[1] >= '0' && p[1] <= '9')
		goto range;
	if (!*p)
		goto not_num;
	for (; *p; p++)
		if (*p < '0' || *p > '9')
			goto not_num;
	for (p = text; *p; p++) {
		val = val * 10 + (*p - '0');
		if (val > max)
			goto range;
	}
	if (val < min)
		goto range;
	*num = val;
	return NULL;

range:
	snprintf(why, PARSE_WHY_MAX, "is out of range: %u to %u", min, max);
	return why;
not_num:
	snprintf(why, PARSE_WHY_MAX, "is not a whole number from %u to %u",
		 min, max);
	return why;
}

/* ---- addresses and names ---- */

const char *parse_addr(const char *text, struct inaddr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (strchr(text, '%'))
		return "names a device, which a bearer cannot carry: give an address that is not link-local";
	if (inet_pton(AF_INET, text, addr->bytes) == 1) {
		addr->family = AF_INET;
		return NULL;
	}
	if (inet_pton(AF_INET6, text, addr->bytes) != 1)
		return "is not an IPv4 or IPv6 address (names are not looked up; a port is given as 'port N')";
	addr->family = AF_INET6;
	if (addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80)
		return "is link-local, which needs a device that a bearer cannot carry";
	return NULL;
}

static const char *bad_name(const char *text, char not_this)
{
	size_t len = strlen(text);

	if (!len)
		return "is empty";
	if (len > NAME_MAX_LEN)
		return "is longer than 63 bytes";
	for (; *text; text++)
		if (*text < 0x21 || *text > 0x7e || *text == not_this)
			return not_this ? "has a byte that is not in ! to ~, or a '/'" :
					  "has a byte that is not in ! to ~";
	return NULL;
}

const char *parse_cluster(const char *text)
{
	return bad_name(text, 0);
}

const char *parse_group(const char *text)
{
	return bad_name(text, '/');
}

/* ---- text ---- */

size_t utf8_len(const unsigned char *p, const unsigned char *end)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code;
	size_t len, i;

	if (*p < 0x80)
		return 1;
	len = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
	if (*p < 0xc2 || *p > 0xf4 || (size_t)(end - p) < len)
		return 0;
	code = *p & (0x7f >> len);
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least[len] || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return len;
}
