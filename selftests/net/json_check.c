// SPDX-License-Identifier: GPL-2.0
/*
 * Reads JSON values (RFC 8259) from standard input, any number of them, and
 * fails at the first byte that is none. With a path such as nodes.0.id prints
 * the number, word or string that stands there in each value; a value without
 * it is passed over. Not built on the library that wrote the text.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32
#define TEXT_MAX (16 << 20)

static char *text;
static const char *p, *end;

static void bad(const char *why)
{
	fprintf(stderr, "json_check: byte %zu: %s\n", (size_t)(p - text), why);
	exit(1);
}

static void space(void)
{
	while (p < end && strchr(" \t\r\n", *p))
		p++;
}

static void want(char c)
{
	space();
	if (p == end || *p != c)
		bad("another character expected");
	p++;
}

static bool is(char c)
{
	space();
	if (p == end || *p != c)
		return false;
	p++;
	return true;
}

/* Returns the bytes between the quotes. */
static size_t string(const char **start)
{
	want('"');
	for (*start = p; p < end && *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)
			bad("control character in a string");
		if (*p != '\\')
			continue;
		if (++p == end || !strchr("\"\\/bfnrtu", *p))
			bad("bad escape");
		if (*p == 'u' && (end - p < 5 ||
				  strspn(p + 1, "0123456789abcdefABCDEF") < 4))
			bad("bad escape of four digits");
	}
	if (p == end)
		bad("string without end");
	p++;
	return p - 1 - *start;
}

static void digits(void)
{
	if (p == end || *p < '0' || *p > '9')
		bad("digit expected");
	while (p < end && *p >= '0' && *p <= '9')
		p++;
}

static void number(void)
{
	if (*p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else
		digits();
	if (p < end && *p == '.') {
		p++;
		digits();
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		digits();
	}
}

static void word(void)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t i, n;

	for (i = 0; i < 3; i++) {
		n = strlen(words[i]);
		if ((size_t)(end - p) >= n && !memcmp(p, words[i], n)) {
			p += n;
			return;
		}
	}
	bad("no value");
}

/* What is left of @path behind @key; NULL when it leads elsewhere. */
static const char *below(const char *path, const char *key, size_t len)
{
	if (!path || strncmp(path, key, len))
		return NULL;
	if (path[len] == '.')
		return path + len + 1;
	return path[len] ? NULL : path + len;
}

static void value(int depth, const char *path);

static void list(int depth, const char *path, char last)
{
	const char *start;
	char key[16];
	size_t i, len;

	if (is(last))
		return;
	for (i = 0; !i || is(','); i++) {
		if (last == '}') {
			len = string(&start);
			want(':');
		} else {
			len = snprintf(key, sizeof(key), "%zu", i);
			start = key;
		}
		value(depth, below(path, start, len));
	}
	want(last);
}

static void value(int depth, const char *path)
{
	const char *start;
	size_t len;

	if (depth > DEPTH_MAX)
		bad("too deep");
	if (is('{')) {
		list(depth + 1, path, '}');
		return;
	}
	if (is('[')) {
		list(depth + 1, path, ']');
		return;
	}
	space();
	start = p;
	if (p < end && *p == '"') {
		len = string(&start);
	} else {
		if (p < end && (*p == '-' || (*p >= '0' && *p <= '9')))
			number();
		else
			word();
		len = p - start;
	}
	if (path && !*path)
		printf("%.*s\n", (int)len, start);
}

int main(int argc, char **argv)
{
	size_t n;

	text = malloc(TEXT_MAX);
	if (!text)
		return 1;
	n = fread(text, 1, TEXT_MAX, stdin);
	p = text;
	end = text + n;
	space();
	if (p == end)
		bad("nothing there");
	for (; p < end; space())
		value(0, argc > 1 ? argv[1] : NULL);
	return 0;
}
