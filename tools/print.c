// SPDX-License-Identifier: GPL-2.0
/* Output: tables for people, JSON for programs. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gsockctl.h"
#include "parse.h"
#include "print.h"

const char *partition_name(uint64_t partition)
{
	return partition == GSOCK_PARTITION_NONE ? "none" : "primary";
}

/* ---- JSON ---- */

static struct json_object *field_json(const struct gsock_rec *rec,
				      const struct field *f)
{
	char buf[ADDR_TEXT_MAX];
	uint64_t num = gsock_rec_num(rec, f->attr);

	switch (f->kind) {
	case FIELD_NUM:
		return json_object_new_uint64(num);
	case FIELD_BOOL:
		return json_object_new_boolean(num != 0);
	case FIELD_STR:
		return json_object_new_string(gsock_rec_str(rec, f->attr));
	case FIELD_ADDR:
		return json_object_new_string(addr_text(rec, buf));
	case FIELD_ORDER:
		return json_object_new_string(gsock_order_name(num));
	case FIELD_STATE:
		return json_object_new_string(gsock_node_state_name(num));
	case FIELD_PARTITION:
		return json_object_new_string(partition_name(num));
	}
	return NULL;
}

void rec_json_add(struct json_object *obj, const struct gsock_rec *rec,
		  const struct field *fields)
{
	for (; fields->key; fields++)
		json_object_object_add(obj, fields->key,
				       field_json(rec, fields));
}

struct json_object *rec_json(const struct gsock_rec *rec,
			     const struct field *fields)
{
	struct json_object *obj = json_object_new_object();

	rec_json_add(obj, rec, fields);
	return obj;
}

struct json_object *recs_json(const struct gsock_rec *recs,
			      const struct field *fields)
{
	struct json_object *array = json_object_new_array();

	for (; recs; recs = gsock_rec_next(recs))
		json_object_array_add(array, rec_json(recs, fields));
	return array;
}

static bool is_utf8(const unsigned char *p, size_t len)
{
	const unsigned char *end = p + len;
	size_t n;

	for (; p < end; p += n) {
		n = utf8_len(p, end);
		if (!n)
			return false;
	}
	return true;
}

void json_bytes(struct json_object *obj, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;
	char *hex;
	size_t i;

	if (is_utf8(p, len)) {
		json_object_object_add(obj, "text",
				       json_object_new_string_len(data, len));
		return;
	}
	hex = need(malloc(2 * len + 1));
	for (i = 0; i < len; i++) {
		hex[2 * i] = digits[p[i] >> 4];
		hex[2 * i + 1] = digits[p[i] & 15];
	}
	json_object_object_add(obj, "hex",
			       json_object_new_string_len(hex, 2 * len));
	free(hex);
}

void json_show(struct json_object *obj)
{
	puts(json_object_to_json_string_ext(
		obj, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(obj);
}

void json_line(struct json_object *obj)
{
	puts(json_object_to_json_string_ext(
		obj, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(obj);
}

/* ---- text ---- */

void print_safe(const void *data, size_t len)
{
	const unsigned char *p = data, *end = p + len;
	size_t n;

	for (; p < end; p += n) {
		n = utf8_len(p, end);
		/* Terminals take U+0080 to U+009f for control characters. */
		if (!n || (*p < 0x20 && *p != '\t') || *p == 0x7f ||
		    (*p == 0xc2 && p[1] < 0xa0)) {
			printf("\\x%02x", *p);
			n = 1;
		} else {
			fwrite(p, 1, n, stdout);
		}
	}
}

const char *addr_text(const struct gsock_rec *rec, char *buf)
{
	const void *addr;
	int family;

	addr = gsock_rec_addr(rec, &family);
	if (!addr || !inet_ntop(family, addr, buf, ADDR_TEXT_MAX))
		strcpy(buf, "?");
	return buf;
}

/* ---- tables ---- */

/**
 * struct table - cells row by row
 * @columns: cells a row
 * @n: cells so far
 * @room: cells that fit
 */
struct table {
	unsigned int columns;
	size_t n;
	size_t room;
	char **cell;
};

struct table *table_new(unsigned int columns)
{
	struct table *t = need(calloc(1, sizeof(*t)));

	t->columns = columns;
	return t;
}

void table_cell(struct table *t, const char *fmt, ...)
{
	va_list args;
	int n;

	if (t->n == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->cell = need(realloc(t->cell, t->room * sizeof(*t->cell)));
	}
	va_start(args, fmt);
	n = vasprintf(&t->cell[t->n], fmt, args);
	va_end(args);
	need(n < 0 ? NULL : t->cell[t->n]);
	t->n++;
}

void table_free(struct table *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->cell[i]);
	free(t->cell);
	free(t);
}

/* Nothing but empty cells in the rest of the row? */
static bool table_rest_empty(const struct table *t, size_t i)
{
	for (; (i + 1) % t->columns; i++)
		if (*t->cell[i + 1])
			return false;
	return true;
}

static size_t table_width(const struct table *t, unsigned int column)
{
	size_t i, width = 0;

	for (i = column; i < t->n; i += t->columns)
		if (strlen(t->cell[i]) > width)
			width = strlen(t->cell[i]);
	return width;
}

void table_print(struct table *t)
{
	size_t *width = need(calloc(t->columns, sizeof(*width)));
	size_t i;

	for (i = 0; i < t->columns; i++)
		width[i] = table_width(t, i);
	for (i = 0; i < t->n; i++) {
		bool last = i % t->columns == t->columns - 1;

		if (last)
			puts(t->cell[i]);
		else if (table_rest_empty(t, i))
			fputs(t->cell[i], stdout);
		else
			printf("%-*s  ", (int)width[i % t->columns],
			       t->cell[i]);
	}
	free(width);
	table_free(t);
}
