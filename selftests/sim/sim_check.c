// SPDX-License-Identifier: GPL-2.0
/*
 * Tells the judge what programs see. It names no line, as the trace shows the
 * time.
 */
#include "judge.h"
#include "sim.h"

/* A socket, also when it is gone. */
struct sim_member {
	struct sim_member *next;
	struct judge_member *m;
	struct sim_node *node;
	u32 group;
	u32 port;
	bool out;
};

struct sim_check {
	struct judge *judge;
	struct sim_member *members;
};

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
}

void check_free(void)
{
	struct sim_member *m;

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
	char name[32];

	if (!m)
		abort();
	m->node = s->node;
	m->group = s->group;
	m->port = s->port;
	snprintf(name, sizeof(name), "n%u-%u", s->node->index + 1, s->port);
	m->m = judge_join(S.check->judge, s->group, name);
	m->next = S.check->members;
	S.check->members = m;
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
}

void check_sent(u64 id, const struct gpe_ev_submit *sub)
{
	if (sub->ret)
		judge_refused(S.check->judge, id, false);
	else
		judge_sent(S.check->judge, id, vid_of(&sub->vid));
}

void check_view(struct sim_member *m, const struct gpe_view *v)
{
	struct judge_view_line line = { .vid = vid_of(&v->id), .n = v->n };
	struct judge_addr *list = calloc(v->n, sizeof(*list));
	struct gpe_addr self;
	u32 i;

	sim_tell(m->group, "n%u-%u of group %u: view %llu.%llu, %u members",
		  m->node->index + 1, m->port, m->group, v->id.epoch,
		  v->id.seq, v->n);
	if (!list)
		abort();
	for (i = 0; i < v->n; i++)
		list[i] = addr_of(&v->m[i].addr);
	gpe_self(m->node->engine, &self);
	self.port = m->port;
	line.self = addr_of(&self);
	line.m = list;
	judge_view(S.check->judge, m->m, &line);
	free(list);
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
		sim_bad("V3", "message %llu for another at n%u-%u", id,
			m->node->index + 1, m->port);
	sim_tell(m->group, "n%u-%u gets %llu from %u:%u", m->node->index + 1,
		 m->port, id, info->sender.node, info->sender.port);
	judge_deliver(S.check->judge, m->m, id < U32_MAX ? id : U32_MAX, &d);
}

void check_suspended(struct sim_member *m)
{
	sim_tell(m->group, "n%u-%u suspended", m->node->index + 1, m->port);
	judge_suspended(S.check->judge, m->m);
}

void check_reborn(struct sim_member *m)
{
	judge_reborn(S.check->judge, m->m);
}

void check_left(struct sim_member *m)
{
	m->out = true;
	judge_out(S.check->judge, m->m, JUDGE_LEFT);
}

/* Crashed, or evicted: one who left is out already. */
void check_gone(struct sim_member *m)
{
	if (!m->out)
		judge_out(S.check->judge, m->m, JUDGE_CRASHED);
	m->out = true;
}

void check_epoch(const struct gpe_node_info *info, u64 before)
{
	struct judge_node node[GPE_NODES_MAX];
	struct judge_epoch_line line = {
		.epoch = info->epoch, .before = before, .n = info->n_nodes,
		.node = node,
		/* Where wall clocks jump, numbers do not tell the time. */
		.timed = !S.mix.wall,
	};
	u32 i;

	for (i = 0; i < info->n_nodes; i++) {
		node[i].id = info->nodes[i].id;
		node[i].inc = info->nodes[i].inc;
	}
	judge_epoch(S.check->judge, &line);
}

void check_end(void)
{
	struct sim_member *m;

	for (m = S.check->members; m; m = m->next)
		if (!m->out)
			judge_stays(S.check->judge, m->m);
	judge_finish(S.check->judge);
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
