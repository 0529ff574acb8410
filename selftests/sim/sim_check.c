// SPDX-License-Identifier: GPL-2.0
/*
 * Tells the judge what programs see, and writes it down where a history is
 * wanted. It names no line to the judge, as the trace shows the time.
 */
#define _GNU_SOURCE /* strerrorname_np() */
#include <stdarg.h>
#include "judge.h"
#include "sim.h"
#include "sim_hist.h"

/* A socket, also when it is gone. */
struct sim_member {
	struct sim_member *next;
	struct judge_member *m;
	struct sim_node *node;
	u32 group;
	u32 port;
	bool out;
	bool away;	/* suspended, and not resumed since */
	char name[24];
};

/* @ended: what follows is the end of the simulation, which nobody sees */
struct sim_check {
	struct judge *judge;
	struct sim_member *members;
	bool ended;
};

static const char *const levels[] = { "none", "fifo", "causal", "total",
				      "safe" };

/* A line of @m, with what fmt adds. */
static void note(const struct sim_member *m, const char *event,
		 const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void note(const struct sim_member *m, const char *event,
		 const char *fmt, ...)
{
	char more[400];
	va_list ap;

	if (!sim_hist_on())
		return;
	va_start(ap, fmt);
	vsnprintf(more, sizeof(more), fmt, ap);
	va_end(ap);
	sim_hist("{\"e\":\"%s\",\"m\":\"%s\"%s}", event, m->name, more);
}

static const char *addr_text(const struct gpe_addr *addr)
{
	static char buf[4][48];
	static u32 next;
	char *text = buf[next++ % 4];

	snprintf(text, sizeof(buf[0]), "%u:%llx:%u", addr->node, addr->inc,
		 addr->port);
	return text;
}

static void report(void *ctx, const struct judge_report *r)
{
	(void)ctx;
	sim_bad(r->property, "%s", r->text);
}

static const struct judge_ops ops = { .report = report };

void check_init(void)
{
	S.check = calloc(1, sizeof(*S.check));
	if (!S.check)
		abort();
	S.check->judge = judge_new(&ops, NULL);
	sim_hist_start();
}

void check_free(void)
{
	struct sim_member *m;

	sim_hist_stop();
	judge_free(S.check->judge);
	while ((m = S.check->members)) {
		S.check->members = m->next;
		free(m);
	}
	free(S.check);
	S.check = NULL;
}

static struct judge_vid vid_of(const struct gpe_vid *vid)
{
	return (struct judge_vid){ vid->epoch, vid->seq };
}

static struct judge_addr addr_of(const struct gpe_addr *addr)
{
	return (struct judge_addr){ addr->inc, addr->node, addr->port };
}

struct sim_member *check_join(const struct sim_sock *s)
{
	struct sim_member *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	m->node = s->node;
	m->group = s->group;
	m->port = s->port;
	snprintf(m->name, sizeof(m->name), "n%u-%u", s->node->index + 1,
		 s->port);
	m->m = judge_join(S.check->judge, s->group, m->name);
	m->next = S.check->members;
	S.check->members = m;
	note(m, "join", ",\"g\":\"group%u\"", m->group);
	return m;
}

void check_send(struct sim_member *m, u64 id, const struct gpe_ev_submit *sub)
{
	struct judge_send send = {
		.len = sub->len, .to_one = sub->to_one,
		.level = (enum judge_level)sub->level,
	};

	if (sub->to_one)
		send.dst = addr_of(&sub->dst);
	judge_send(S.check->judge, m->m, id, &send);
	sim_hist_try();
	note(m, "send",
	     ",\"g\":\"group%u\",\"id\":\"%llu\",\"order\":\"%s\",\"len\":%u%s%s%s",
	     m->group, id, levels[sub->level], sub->len,
	     sub->to_one ? ",\"to\":\"" : "",
	     sub->to_one ? addr_text(&sub->dst) : "", sub->to_one ? "\"" : "");
}

void check_sent(struct sim_member *m, u64 id, const struct gpe_ev_submit *sub)
{
	if (sub->ret == -EAGAIN) {
		sim_hist_untry();
	} else if (sub->ret) {
		note(m, "refused", ",\"id\":\"%llu\",\"errno\":\"%s\"", id,
		     strerrorname_np(-sub->ret));
	} else {
		note(m, "sent", ",\"id\":\"%llu\",\"view\":\"%llu.%llu\"", id,
		     sub->vid.epoch, sub->vid.seq);
	}
	if (sub->ret)
		judge_refused(S.check->judge, id, false);
	else
		judge_sent(S.check->judge, id, vid_of(&sub->vid));
}

static void note_view(const struct sim_member *m, const struct gpe_view *v,
		      const struct gpe_addr *self)
{
	size_t size = 64 * (v->n + 1), at = 0;
	char *list;
	u32 i;

	if (!sim_hist_on())
		return;
	list = malloc(size);
	if (!list)
		abort();
	list[0] = 0;
	for (i = 0; i < v->n; i++)
		at += snprintf(list + at, size - at, "%s\"%s\"", i ? "," : "",
			       addr_text(&v->m[i].addr));
	sim_hist("{\"e\":\"view\",\"m\":\"%s\",\"g\":\"group%u\",\"view\":\"%llu.%llu\",\"self\":\"%s\",\"members\":[%s]}",
		 m->name, m->group, v->id.epoch, v->id.seq, addr_text(self),
		 list);
	free(list);
}

void check_resumed(struct sim_member *m)
{
	m->away = false;
	note(m, "resumed", "%s", "");
	judge_resumed(S.check->judge, m->m);
}

void check_view(struct sim_member *m, const struct gpe_view *v)
{
	struct judge_view_line line = { .vid = vid_of(&v->id), .n = v->n };
	struct judge_addr *list = calloc(v->n, sizeof(*list));
	struct gpe_addr self;
	u32 i;

	sim_tell(m->group, "%s of group %u: view %llu.%llu, %u members",
		 m->name, m->group, v->id.epoch, v->id.seq, v->n);
	if (!list)
		abort();
	for (i = 0; i < v->n; i++)
		list[i] = addr_of(&v->m[i].addr);
	gpe_self(m->node->engine, &self);
	self.port = m->port;
	line.self = addr_of(&self);
	line.m = list;
	/* The kernel says so to who is in again, ahead of the view. */
	if (m->away)
		check_resumed(m);
	note_view(m, v, &self);
	judge_view(S.check->judge, m->m, &line);
	free(list);
}

static void note_deliver(const struct sim_member *m,
			 const struct gpe_msg_info *info, u64 id)
{
	char name[24] = "nobody's";

	if (id != U64_MAX)
		snprintf(name, sizeof(name), "%llu", id);
	note(m, "deliver",
	     ",\"g\":\"group%u\",\"id\":\"%s\",\"from\":\"%s\",\"view\":\"%llu.%llu\",\"order\":\"%s\",\"pos\":%llu,\"len\":%u,\"ok\":%s%s,\"lamport\":%llu",
	     m->group, name, addr_text(&info->sender), info->vid.epoch,
	     info->vid.seq, levels[info->level], info->position, info->len,
	     id == U64_MAX ? "false" : "true",
	     info->dst_port ? ",\"to_one\":true" : "", info->lamport);
}

/* Others must not have it: a scene knows that what came before is lost. */
static bool is_void(const struct sim_member *m,
		    const struct gpe_msg_info *info, u64 id)
{
	return S.void_inc && info->sender.inc == S.void_inc &&
	       m->node->index != S.void_node && id >= S.void_first;
}

/* @id: U64_MAX if the bytes are nobody's */
void check_deliver(struct sim_member *m, const struct gpe_msg_info *info,
		   u64 id)
{
	struct judge_deliver d = {
		.from = addr_of(&info->sender), .vid = vid_of(&info->vid),
		.pos = info->position, .lamport = info->lamport,
		.len = info->len, .ok = true,
		.level = (enum judge_level)info->level,
		.to_one = info->dst_port != 0, .group = m->group,
	};

	if (d.to_one && info->dst_port != m->port)
		sim_bad("V3", "message %llu for another at %s", id, m->name);
	if (is_void(m, info, id))
		sim_bad("V2", "void message %llu at %s: what its sender sent before is lost",
			id, m->name);
	sim_tell(m->group, "%s gets %llu from %u:%u", m->name, id,
		 info->sender.node, info->sender.port);
	note_deliver(m, info, id);
	judge_deliver(S.check->judge, m->m, id < U32_MAX ? id : U32_MAX, &d);
}

void check_suspended(struct sim_member *m)
{
	sim_tell(m->group, "%s suspended", m->name);
	m->away = true;
	note(m, "suspended", "%s", "");
	judge_suspended(S.check->judge, m->m);
}

void check_left(struct sim_member *m)
{
	m->out = true;
	note(m, "left", "%s", "");
	judge_out(S.check->judge, m->m, JUDGE_LEFT);
}

/* Crashed, or evicted: one who left is out already. */
void check_gone(struct sim_member *m)
{
	if (m->out || S.check->ended)
		return;
	m->out = true;
	note(m, "crash", "%s", "");
	judge_out(S.check->judge, m->m, JUDGE_CRASHED);
}

static void note_epoch(const struct gpe_node_info *info)
{
	char list[GPE_NODES_MAX * 40] = "", time[32] = "";
	u32 i, at = 0;

	if (!sim_hist_on())
		return;
	for (i = 0; i < info->n_nodes; i++)
		at += snprintf(list + at, sizeof(list) - at, "%s\"%u:%llx\"",
			       i ? "," : "", info->nodes[i].id,
			       info->nodes[i].inc);
	if (!S.mix.wall)
		snprintf(time, sizeof(time), ",\"at\":%llu", S.now);
	sim_hist("{\"e\":\"epoch\",\"n\":%u,\"inc\":\"%llx\",\"epoch\":%llu,\"before\":%llu,\"nodes\":[%s]%s%s}",
		 info->cfg.id, info->inc, info->epoch, info->before, list, time,
		 S.none ? ",\"quorum\":false" : "");
}

/* With policy none each part has a chain; a number is not used twice. */
void check_epoch(const struct gpe_node_info *info)
{
	struct judge_node node[GPE_NODES_MAX];
	struct judge_epoch_line line = {
		.epoch = info->epoch, .before = info->before, .n = info->n_nodes,
		.node = node,
		/* Where wall clocks jump, numbers do not tell the time. */
		.timed = !S.mix.wall,
		.free = S.none,
	};
	u32 i;

	for (i = 0; i < info->n_nodes; i++) {
		node[i].id = info->nodes[i].id;
		node[i].inc = info->nodes[i].inc;
	}
	note_epoch(info);
	judge_epoch(S.check->judge, &line);
}

/* The history says who is still in. */
static void note_ends(void)
{
	const struct sim_member *m;

	for (m = S.check->members; m; m = m->next)
		if (!m->out)
			note(m, "end", "%s", "");
	S.check->ended = true;
}

void check_end(void)
{
	struct sim_member *m;

	note_ends();
	for (m = S.check->members; m; m = m->next)
		if (!m->out)
			judge_stays(S.check->judge, m->m);
	judge_finish(S.check->judge);
}

/*
 * The time is over in which all was to be quiet. Judges that read the history
 * see what is still missing.
 */
void check_unsettled(void)
{
	note_ends();
}

/* The group + 1 of a member, 0: none such. */
u32 check_group(u32 node, u32 port)
{
	const struct sim_member *m;

	for (m = S.check->members; m; m = m->next)
		if (m->node->index + 1 == node && m->port == port)
			return m->group + 1;
	return 0;
}
