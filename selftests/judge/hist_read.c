// SPDX-License-Identifier: GPL-2.0
/* Reads a history, and refuses what no program can have written. */
#include <ctype.h>
#include <errno.h>
#include <json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hist.h"
#include "judge_int.h"

/*
 * A line that is being read. The first thing wrong with it is kept, and what
 * is read after that is nothing.
 */
struct reader {
	struct hist *h;
	struct json_object *obj;
	struct hist_line *line;
	bool bad;
};

static void wrong(struct reader *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void wrong(struct reader *r, const char *fmt, ...)
{
	struct hist *h = r->h;
	va_list ap;
	size_t n;

	if (r->bad)
		return;
	r->bad = true;
	hist_place(h, h->n_lines, h->error, sizeof(h->error) / 2);
	n = strlen(h->error);
	n += snprintf(h->error + n, sizeof(h->error) - n, ": ");
	va_start(ap, fmt);
	vsnprintf(h->error + n, sizeof(h->error) - n, fmt, ap);
	va_end(ap);
}

/* ---- values ---- */

static struct json_object *get(struct reader *r, const char *key)
{
	struct json_object *val = NULL;

	json_object_object_get_ex(r->obj, key, &val);
	return val;
}

static bool has(struct reader *r, const char *key)
{
	return json_object_object_get_ex(r->obj, key, NULL);
}

static const char *text(struct reader *r, const char *key)
{
	struct json_object *val = get(r, key);

	if (!json_object_is_type(val, json_type_string) ||
	    !json_object_get_string_len(val) ||
	    strlen(json_object_get_string(val)) !=
		    (size_t)json_object_get_string_len(val)) {
		wrong(r, "\"%s\" is missing or no text", key);
		return "";
	}
	return json_object_get_string(val);
}

static u64 count(struct reader *r, const char *key, u64 max)
{
	struct json_object *val = get(r, key);
	int64_t n = -1;

	/* One that is too large is given as the largest. */
	if (json_object_is_type(val, json_type_int))
		n = json_object_get_int64(val);
	if (n < 0 || n == INT64_MAX || (u64)n > max) {
		wrong(r, "\"%s\" is missing or no number up to %llu", key, max);
		return 0;
	}
	return n;
}

static bool flag(struct reader *r, const char *key)
{
	struct json_object *val = get(r, key);

	if (!json_object_is_type(val, json_type_boolean))
		wrong(r, "\"%s\" is missing or not true or false", key);
	return json_object_get_boolean(val);
}

/* Digits of @base and no more, up to @max, then @end: its place, or NULL. */
static const char *digits(const char *s, int base, u64 max, char end, u64 *val)
{
	char *p;

	if (!(base == 16 ? isxdigit((u8)*s) : isdigit((u8)*s)) ||
	    (s[0] == '0' && s[1] == 'x'))
		return NULL;
	errno = 0;
	*val = strtoull(s, &p, base);
	if (errno || *val > max || *p != end)
		return NULL;
	return end ? p + 1 : p;
}

static struct judge_vid vid(struct reader *r, const char *key)
{
	struct judge_vid v = { 0 };
	const char *s = text(r, key), *p;

	p = digits(s, 10, ~0ULL, '.', &v.epoch);
	if (!p || !v.epoch || !digits(p, 10, ~0ULL, 0, &v.seq))
		wrong(r, "\"%s\": \"%s\" is not epoch.seq", key, s);
	return v;
}

static bool parse_addr(const char *s, struct judge_addr *addr)
{
	u64 node, port;

	s = digits(s, 10, UINT32_MAX, ':', &node);
	s = s ? digits(s, 16, ~0ULL, ':', &addr->inc) : NULL;
	s = s ? digits(s, 10, UINT32_MAX, 0, &port) : NULL;
	if (!s || !node)
		return false;
	addr->node = node;
	addr->port = port;
	return true;
}

static struct judge_addr addr(struct reader *r, const char *key)
{
	struct judge_addr a = { 0 };
	const char *s = text(r, key);

	if (!parse_addr(s, &a))
		wrong(r, "\"%s\": \"%s\" is not node:inc:port", key, s);
	return a;
}

static enum judge_level level(struct reader *r)
{
	static const char *const names[JUDGE_LEVELS] = {
		"none", "fifo", "causal", "total", "safe"
	};
	const char *s = text(r, "order");
	u32 i;

	for (i = 0; i < JUDGE_LEVELS; i++)
		if (!strcmp(s, names[i]))
			return i;
	wrong(r, "\"order\": \"%s\" is no order", s);
	return JUDGE_NONE;
}

/* How long a list is; its texts. */
static u32 list(struct reader *r, const char *key)
{
	if (!json_object_is_type(get(r, key), json_type_array)) {
		wrong(r, "\"%s\" is missing or no list", key);
		return 0;
	}
	return json_object_array_length(get(r, key));
}

static const char *entry(struct reader *r, const char *key, u32 i)
{
	struct json_object *val = json_object_array_get_idx(get(r, key), i);

	if (json_object_is_type(val, json_type_string))
		return json_object_get_string(val);
	return "";
}

/* ---- events ---- */

static struct hist_member *member(struct reader *r)
{
	return &r->h->member[r->line->member];
}

static void own_group(struct reader *r)
{
	const char *g = text(r, "g");

	if (!r->bad && hist_name(&r->h->groups, g) != member(r)->group)
		wrong(r, "member \"%s\" is not in group \"%s\"", text(r, "m"),
		      g);
}

static void read_join(struct reader *r)
{
	r->line->group = hist_name(&r->h->groups, text(r, "g"));
	member(r)->group = r->line->group;
}

static u32 msg(struct reader *r)
{
	struct hist *h = r->h;
	u32 id = hist_name(&h->msgs, text(r, "id"));

	h->msg = judge_grow(h->msg, id, &h->size_msgs, sizeof(*h->msg));
	return id;
}

static void read_send(struct reader *r)
{
	struct judge_send *send = &r->line->send;

	own_group(r);
	r->line->id = msg(r);
	send->level = level(r);
	send->len = count(r, "len", UINT32_MAX);
	send->to_one = has(r, "to");
	if (send->to_one)
		send->dst = addr(r, "to");
	if (r->h->msg[r->line->id].send)
		wrong(r, "message \"%s\" is sent twice", text(r, "id"));
	r->h->msg[r->line->id].send = r->h->n_lines;
}

static void read_answer(struct reader *r)
{
	struct hist *h = r->h;
	struct hist_msg *m;

	r->line->id = msg(r);
	m = &h->msg[r->line->id];
	if (!m->send || m->answered ||
	    h->line[m->send].member != r->line->member)
		wrong(r, "member \"%s\" has not sent message \"%s\", or knows what became of it",
		      text(r, "m"), text(r, "id"));
	m->answered = true;
}

static void read_sent(struct reader *r)
{
	read_answer(r);
	if (has(r, "view"))
		r->line->sent = vid(r, "view");
}

static void read_refused(struct reader *r)
{
	read_answer(r);
	r->line->unknown = !strcmp(text(r, "errno"), "UNKNOWN");
}

static void read_deliver(struct reader *r)
{
	struct judge_deliver *d = &r->line->deliver;

	d->group = hist_name(&r->h->groups, text(r, "g"));
	r->line->id = msg(r);
	d->from = addr(r, "from");
	d->vid = vid(r, "view");
	d->level = level(r);
	d->pos = count(r, "pos", INT64_MAX);
	d->len = count(r, "len", UINT32_MAX);
	d->ok = flag(r, "ok");
	d->to_one = has(r, "to_one") && flag(r, "to_one");
	d->lamport = has(r, "lamport") ? count(r, "lamport", INT64_MAX) : 0;
}

static void read_view(struct reader *r)
{
	u32 i, n = list(r, "members");
	struct hist_view *v = judge_alloc(sizeof(*v) + n * sizeof(v->m[0]));

	r->line->view = v;
	own_group(r);
	v->vid = vid(r, "view");
	v->self = addr(r, "self");
	v->n = n;
	for (i = 0; i < n; i++)
		if (!parse_addr(entry(r, "members", i), &v->m[i]))
			wrong(r, "\"members\": entry %u is not node:inc:port",
			      i + 1);
}

static void read_note(struct reader *r)
{
	if (has(r, "view"))
		vid(r, "view");
}

/* A program that is killed does not say so: another one may, at any time. */
static void read_out(struct reader *r)
{
	if (has(r, "view"))
		vid(r, "view");
	if (r->line->event == HIST_END ? member(r)->out : member(r)->end)
		wrong(r, "member \"%s\" is out, and still in at the end",
		      text(r, "m"));
	if (r->line->event == HIST_END)
		member(r)->end = r->h->n_lines;
	else if (r->line->event == HIST_CRASH || !member(r)->out)
		member(r)->out = r->h->n_lines;
}

static bool parse_node(const char *s, struct judge_node *node)
{
	u64 id;

	s = digits(s, 10, UINT32_MAX, ':', &id);
	if (!s || !id || !digits(s, 16, ~0ULL, 0, &node->inc))
		return false;
	node->id = id;
	return true;
}

static void read_epoch(struct reader *r)
{
	u32 i, n = list(r, "nodes");
	struct hist_epoch *e = judge_alloc(sizeof(*e) + n * sizeof(e->node[0]));
	const char *inc = text(r, "inc");
	u64 val;

	r->line->epoch = e;
	count(r, "n", UINT32_MAX);
	if (!digits(inc, 16, ~0ULL, 0, &val))
		wrong(r, "\"inc\": \"%s\" is not hexadecimal", inc);
	e->epoch = count(r, "epoch", INT64_MAX);
	e->before = count(r, "before", INT64_MAX);
	e->at = has(r, "at") ? count(r, "at", INT64_MAX) : 0;
	e->free = has(r, "quorum") && !flag(r, "quorum");
	e->n = n;
	for (i = 0; i < n; i++)
		if (!parse_node(entry(r, "nodes", i), &e->node[i]))
			wrong(r, "\"nodes\": entry %u is not id:inc", i + 1);
}

static const struct {
	const char *name;
	void (*read)(struct reader *r);
} events[HIST_EVENTS] = {
	[HIST_JOIN] = { "join", read_join },
	[HIST_SEND] = { "send", read_send },
	[HIST_SENT] = { "sent", read_sent },
	[HIST_REFUSED] = { "refused", read_refused },
	[HIST_DELIVER] = { "deliver", read_deliver },
	[HIST_VIEW] = { "view", read_view },
	[HIST_SUSPENDED] = { "suspended", read_note },
	[HIST_RESUMED] = { "resumed", read_note },
	[HIST_LEFT] = { "left", read_out },
	[HIST_EVICTED] = { "evicted", read_out },
	[HIST_CRASH] = { "crash", read_out },
	[HIST_END] = { "end", read_out },
	[HIST_EPOCH] = { "epoch", read_epoch },
};

/* ---- lines ---- */

/* A member's lines but those on its end are one chain, from its join on. */
static void chain(struct reader *r)
{
	struct hist *h = r->h;
	const char *name = text(r, "m");
	struct hist_member *m;

	r->line->member = hist_name(&h->members, name);
	h->member = judge_grow(h->member, r->line->member, &h->size_members,
			       sizeof(*h->member));
	m = member(r);
	if (r->line->event == HIST_JOIN ? m->first : !m->first)
		wrong(r, m->first ? "member \"%s\" joins twice" :
				    "member \"%s\" has not joined", name);
	if (m->end && r->line->event < HIST_LEFT)
		wrong(r, "member \"%s\" goes on after its end", name);
	if (m->first)
		h->line[m->last].next = h->n_lines;
	else
		m->first = h->n_lines;
	m->last = h->n_lines;
}

static void read_line(struct reader *r)
{
	const char *name = text(r, "e");
	u32 i;

	for (i = 0; i < HIST_EVENTS; i++)
		if (!strcmp(name, events[i].name))
			break;
	if (i == HIST_EVENTS) {
		wrong(r, "\"%s\" is no event", name);
		return;
	}
	r->line->event = i;
	if (i != HIST_EPOCH)
		chain(r);
	if (!r->bad)
		events[i].read(r);
}

static void parse(struct reader *r, struct json_tokener *tok, const char *s,
		  size_t len)
{
	if (len && s[len - 1] == '\n')
		len--;
	json_tokener_reset(tok);
	if (len < INT32_MAX)
		r->obj = json_tokener_parse_ex(tok, s, len);
	/* A number is complete only with what follows, but none is a line. */
	if (!r->obj || json_tokener_get_parse_end(tok) != len)
		wrong(r, "no JSON: %s",
		      json_tokener_error_desc(json_tokener_get_error(tok)));
	else if (!json_object_is_type(r->obj, json_type_object))
		wrong(r, "no JSON object");
	else
		read_line(r);
	json_object_put(r->obj);
}

static int add_file(struct hist *h, const char *path, FILE *f)
{
	struct json_tokener *tok = json_tokener_new();
	struct reader r = { .h = h };
	char *s = NULL;
	size_t size = 0;
	ssize_t len;

	json_tokener_set_flags(tok, JSON_TOKENER_STRICT |
				    JSON_TOKENER_VALIDATE_UTF8);
	while (!r.bad && (len = getline(&s, &size, f)) > 0) {
		h->n_lines++;
		h->line = judge_grow(h->line, h->n_lines, &h->size_lines,
				     sizeof(*h->line));
		r.line = &h->line[h->n_lines];
		r.obj = NULL;
		parse(&r, tok, s, len);
	}
	if (!r.bad && ferror(f)) {
		snprintf(h->error, sizeof(h->error), "%s: %s", path,
			 strerror(errno));
		r.bad = true;
	}
	free(s);
	json_tokener_free(tok);
	return r.bad ? -1 : 0;
}

int hist_read(struct hist *h, const char *path)
{
	FILE *f = fopen(path, "r");
	int ret;

	if (!f) {
		snprintf(h->error, sizeof(h->error), "%s: %s", path,
			 strerror(errno));
		return -1;
	}
	h->file = judge_grow(h->file, h->n_files, &h->size_files,
			     sizeof(*h->file));
	h->file[h->n_files].path = strdup(path);
	h->file[h->n_files++].first = h->n_lines + 1;
	ret = add_file(h, path, f);
	fclose(f);
	return ret;
}

void hist_place(const struct hist *h, u32 line, char *buf, size_t size)
{
	u32 i = h->n_files - 1;

	while (i && h->file[i].first > line)
		i--;
	snprintf(buf, size, "%s:%u", h->file[i].path,
		 line - h->file[i].first + 1);
}

void hist_free(struct hist *h)
{
	u32 i;

	for (i = 1; i <= h->n_lines; i++) {
		if (h->line[i].event == HIST_VIEW)
			free(h->line[i].view);
		else if (h->line[i].event == HIST_EPOCH)
			free(h->line[i].epoch);
	}
	for (i = 0; i < h->n_files; i++)
		free(h->file[i].path);
	free(h->file);
	free(h->line);
	free(h->member);
	free(h->msg);
	hist_names_free(&h->groups);
	hist_names_free(&h->members);
	hist_names_free(&h->msgs);
}
