/* SPDX-License-Identifier: GPL-2.0 */
/* Output: tables for people, JSON for programs. */
#ifndef GSOCKCTL_PRINT_H
#define GSOCKCTL_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>
#include <gsock.h>

enum field_kind {
	FIELD_NUM,
	FIELD_BOOL,
	FIELD_STR,
	FIELD_ADDR,
	FIELD_ORDER,	/* GROUP_ORDER_* by its word */
	FIELD_STATE,	/* enum gsock_node_state by its word */
	FIELD_PARTITION	/* enum gsock_partition by its word */
};

/**
 * struct field - an attribute and its key in JSON; a table ends with key NULL
 */
struct field {
	const char *key;
	int attr;
	enum field_kind kind;
};

/* A record as a JSON object. The caller's; json_object_put(). */
struct json_object *rec_json(const struct gsock_rec *rec,
			     const struct field *fields);
/* Adds what the fields say to an object that is there. */
void rec_json_add(struct json_object *obj, const struct gsock_rec *rec,
		  const struct field *fields);
/* A list of records as an array. */
struct json_object *recs_json(const struct gsock_rec *recs,
			      const struct field *fields);
/* A text of any bytes: "text", or "hex" when it is not UTF-8. */
void json_bytes(struct json_object *obj, const void *data, size_t len);
/* Prints on lines of its own, or on one line, and frees. */
void json_show(struct json_object *obj);
void json_line(struct json_object *obj);

/* Bytes to the terminal: control characters as \xNN, so that none acts. */
void print_safe(const void *data, size_t len);
/* The address of a record, into @buf of ADDR_TEXT_MAX bytes. */
#define ADDR_TEXT_MAX 48
const char *addr_text(const struct gsock_rec *rec, char *buf);

/* A table whose columns are as wide as they must be. */
struct table;
struct table *table_new(unsigned int columns);
void table_cell(struct table *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Prints and frees. */
void table_print(struct table *t);
void table_free(struct table *t);

/* The word for enum gsock_partition. */
const char *partition_name(uint64_t partition);

#endif /* GSOCKCTL_PRINT_H */
