// SPDX-License-Identifier: GPL-2.0
/* Programs that join, send, read and leave; and faults. */
#include "sim.h"

static void join(struct sim_node *n, struct sim_sock *s)
{
	struct gpe_event ev = { .type = GPE_EV_JOIN };
	char name[16];

	memset(s, 0, sizeof(*s));
	s->node = n;
	s->group = sim_rand(S.n_groups);
	s->host = &n->host[s->group];
	s->port = ++n->next_port;
	s->bound = true;
	s->member = check_join(s);
	ev.join.host = s->host;
	ev.join.cookie = s;
	snprintf(name, sizeof(name), "group%u", s->group);
	ev.join.name = name;
	ev.join.port = s->port;
	ev.join.limit = SIM_LIMIT;
	ev.join.local_at = &s->local;
	sim_node_step(n, &ev);
}

static void leave(struct sim_sock *s)
{
	struct gpe_event ev = { .type = GPE_EV_LEAVE };

	s->closing = true;
	check_left(s->member);
	ev.leave.local_at = &s->local;
	ev.leave.why = GPE_WHY_LEAVE;
	sim_node_step(s->node, &ev);
}

enum { PERIOD = 8191 };

/* What message @id consists of behind its first 8 bytes: neighbours differ. */
const u8 *sim_bytes(u64 id)
{
	static u8 *table;
	u64 x = 88172645463325252ULL;
	u32 i;

	if (!table) {
		table = malloc(GPE_MSG_MAX + PERIOD);
		if (!table)
			abort();
		for (i = 0; i < GPE_MSG_MAX + PERIOD; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			table[i] = x >> 32;
		}
	}
	return table + id * 31 % PERIOD;
}

static struct gpe_shim_buf *content(u64 id, u32 len)
{
	struct gpe_shim_buf *buf = gpe_shim_buf_new(len);

	put_unaligned_be64(id, buf->data);
	memcpy(buf->data + 8, sim_bytes(id) + 8, len - 8);
	return buf;
}

static u32 draw_len(void)
{
	if (sim_chance(S.mix.big))
		return 8 + sim_rand(sim_chance(100) ? 700000 : 20000);
	return 8 + sim_rand(300);
}

void sim_retry(struct sim_sock *s)
{
	struct gpe_event ev = { .type = GPE_EV_SUBMIT, .submit = s->submit };
	struct gpe_shim_buf *buf = s->submit.buf;
	struct sim_node *n = s->node;
	u64 id = s->submit_id;

	/* Before the step, which may deliver it at once. */
	check_send(s->member, id, &s->submit);
	s->pending = false;
	s->woken = false;
	s->submit.buf = NULL;
	sim_node_step(n, &ev);
	check_sent(id, &ev.submit);
	if (ev.submit.ret == -EAGAIN && s->bound && !s->closing) {
		s->submit.buf = buf;
		s->pending = true;
		/* Woken in the very step that refused it. */
		if (s->woken)
			sim_at(S.now, SIM_EV_WAKE, n->index, 0, NULL);
		return;
	}
	gpe_buf_put(buf);
}

static void send_some(struct sim_sock *s)
{
	u64 id = S.n_msgs;
	u32 len = draw_len();

	if (id >= SIM_MSGS)
		return;
	S.n_msgs++;
	memset(&s->submit, 0, sizeof(s->submit));
	s->submit.local_at = &s->local;
	s->submit.len = len;
	s->submit.level = sim_rand(5);
	if (s->peer.port && sim_chance(S.mix.one)) {
		s->submit.to_one = true;
		s->submit.dst = s->peer;
	}
	s->submit.buf = content(id, len);
	s->submit_id = id;
	sim_retry(s);
}

/* Programs read what is in the logs; slow ones not each time. */
void sim_read(struct sim_node *n, bool all)
{
	struct gpe_event ev = { .type = GPE_EV_CONSUMED };
	struct list_head list;
	u32 i;

	INIT_LIST_HEAD(&list);
	for (i = 0; i < SIM_GROUPS; i++) {
		if (!all && sim_chance(S.mix.slow))
			continue;
		list_splice_tail_init(&n->host[i].log, &list);
		n->host[i].unread = 0;
	}
	ev.consumed = &list;
	if (!list_empty(&list))
		sim_node_step(n, &ev);
}

static void work_sock(struct sim_node *n, struct sim_sock *s)
{
	u32 burst = 1 + sim_rand(4);

	if (!s->bound) {
		if (S.working && sim_chance(100))
			join(n, s);
		return;
	}
	if (s->closing)
		return;
	if (s->pending || !S.working)
		return;
	if (s->attached && sim_chance(S.mix.leave)) {
		leave(s);
		return;
	}
	while (burst-- && s->bound && !s->pending && sim_chance(S.mix.send))
		send_some(s);
}

void sim_wake(struct sim_node *n)
{
	u32 i;

	if (!n->engine)
		return;
	for (i = 0; i < SIM_SOCKS && !S.bad; i++) {
		struct sim_sock *s = &n->sock[i];

		if (s->bound && s->pending && s->woken && !s->closing)
			sim_retry(s);
	}
}

void sim_work(struct sim_node *n)
{
	u32 i;

	if (!n->engine)
		return;
	for (i = 0; i < SIM_SOCKS && !S.bad; i++)
		work_sock(n, &n->sock[i]);
	sim_read(n, !S.faults);
	sim_at(S.now + (5 + sim_rand(20)) * SIM_MS, SIM_EV_WORK, n->index,
	       0, NULL);
}

/* ---- faults ---- */

static void cut_some(bool oneway)
{
	u32 a, b, side = 1 + sim_rand((1 << S.n_nodes) - 2);

	sim_trace("cut%s: %x", oneway ? " one way" : "", side);
	for (a = 0; a < S.n_nodes; a++) {
		for (b = 0; b < S.n_nodes; b++) {
			if ((side >> a & 1) == (side >> b & 1))
				continue;
			if (oneway && (side >> a & 1))
				continue;
			S.cut[a][b] = true;
		}
	}
}

static u32 alive(void)
{
	u32 i, n = 0;

	for (i = 0; i < S.n_nodes; i++)
		n += !!S.node[i].engine;
	return n;
}

void sim_fault(void)
{
	struct sim_node *n = &S.node[sim_rand(S.n_nodes)];

	if (!S.faults)
		return;
	sim_at(S.now + (50 + sim_rand(400)) * SIM_MS, SIM_EV_FAULT, 0, 0,
	       NULL);
	if (!n->engine && n->paused_until <= S.now)
		sim_node_start(n);
	else if (n->engine && alive() > 1 && sim_chance(S.mix.crash))
		sim_node_crash(n);
	if (n->engine && sim_chance(S.mix.pause)) {
		n->paused_until = S.now + sim_rand(2000) * SIM_MS;
		sim_trace("node %u stands still", n->index);
	}
	if (sim_chance(300)) {
		memset(S.cut, 0, sizeof(S.cut));
		sim_trace("links whole");
	}
	if (S.n_nodes > 1 && sim_chance(S.mix.cut))
		cut_some(false);
	if (S.n_nodes > 1 && sim_chance(S.mix.oneway))
		cut_some(true);
}

/*
 * All links are whole, and whoever stands still goes on. Nodes that are down
 * come back, or some of them stay away as long as a quorum can form.
 */
void sim_heal(void)
{
	u32 i;

	S.faults = false;
	S.working = false;
	memset(S.cut, 0, sizeof(S.cut));
	sim_trace("faults end");
	for (i = 0; i < S.n_nodes; i++) {
		S.node[i].paused_until = 0;
		if (!S.node[i].engine && (2 * alive() <= S.n_nodes ||
					  sim_chance(500)))
			sim_node_start(&S.node[i]);
	}
}
