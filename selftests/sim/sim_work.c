// SPDX-License-Identifier: GPL-2.0
/* Programs that join, send, read and leave. */
#include "sim.h"

/* Most groups live on some of the nodes only. */
static bool pick_group(struct sim_node *n, u32 *group)
{
	u32 tries;

	for (tries = 0; tries < 8; tries++) {
		*group = sim_rand(S.n_groups);
		if (S.spans[*group] >> n->index & 1)
			return true;
	}
	return false;
}

static void join(struct sim_node *n, struct sim_sock *s)
{
	struct gpe_event ev = { .type = GPE_EV_JOIN };
	char name[16];

	memset(s, 0, sizeof(*s));
	s->node = n;
	if (!pick_group(n, &s->group))
		return;
	s->host = &n->host[s->group];
	s->port = ++n->next_port;
	s->bound = true;
	s->member = check_join(s);
	sim_tell(s->group, "n%u-%u joins group %u", n->index + 1, s->port,
		 s->group);
	ev.join.host = s->host;
	ev.join.cookie = s;
	snprintf(name, sizeof(name), "group%u", s->group);
	ev.join.name = name;
	ev.join.port = s->port;
	ev.join.limit = SIM_LIMIT;
	ev.join.local_at = &s->local;
	sim_node_step(n, &ev);
	/* bind() fails, and the program tries again some time. */
	if (ev.join.ret && s->bound)
		sim_sock_free(s);
}

static void leave(struct sim_sock *s)
{
	struct gpe_event ev = { .type = GPE_EV_LEAVE };

	s->closing = true;
	check_left(s->member);
	sim_tell(s->group, "n%u-%u leaves", s->node->index + 1, s->port);
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
		return 8 + sim_rand(sim_chance(100) ? GPE_MSG_MAX - 7 : 20000);
	return 8 + sim_rand(300);
}

static void tell_sent(const struct sim_sock *s, u64 id,
		      const struct gpe_ev_submit *sub)
{
	static const char * const levels[] = {
		"none", "fifo", "causal", "total", "safe", "default"
	};
	char to[40] = "to all";

	if (!S.trace)
		return;
	if (sub->to_one)
		snprintf(to, sizeof(to), "to %u:%u", sub->dst.node,
			 sub->dst.port);
	if (sub->ret)
		sim_tell(s->group, "n%u-%u: %llu refused: %s",
			 s->node->index + 1, s->port, id,
			 strerror(-sub->ret));
	else
		sim_tell(s->group, "n%u-%u has sent %llu, %s, %u bytes, %s, in view %llu.%llu",
			 s->node->index + 1, s->port, id, levels[sub->level],
			 sub->len, to, sub->vid.epoch, sub->vid.seq);
}

void sim_retry(struct sim_sock *s)
{
	struct gpe_event ev = { .type = GPE_EV_SUBMIT, .submit = s->submit };
	struct gpe_shim_buf *buf = s->submit.buf;
	struct sim_member *m = s->member;
	struct sim_node *n = s->node;
	struct sim_sock was = *s;
	u64 id = s->submit_id;
	u32 group = s->group;

	/* Before the step, which may deliver it at once. */
	check_send(m, id, &s->submit);
	s->pending = false;
	s->woken = false;
	s->submit.buf = NULL;
	sim_node_step(n, &ev);
	S.at_group = group + 1;
	check_sent(m, id, &ev.submit);
	S.at_group = 0;
	tell_sent(&was, id, &ev.submit);
	if (!ev.submit.ret)
		pause_acts(n, "sends");
	if (ev.submit.ret == -EAGAIN && s->bound && !s->closing) {
		s->submit.buf = buf;
		s->submit.block = ev.submit.block;
		s->pending = true;
		/* Woken in the very step that refused it. */
		if (s->woken)
			sim_at(S.now, SIM_EV_WAKE, n->index, 0, NULL);
		return;
	}
	gpe_buf_put(buf);
}

static u8 draw_level(void)
{
	u32 i, sum = 0, at;

	for (i = 0; i < ARRAY_SIZE(S.mix.level); i++)
		sum += S.mix.level[i];
	at = sim_rand(sum);
	for (i = 0; at >= S.mix.level[i]; i++)
		at -= S.mix.level[i];
	return i;
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
	s->submit.level = draw_level();
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
	for (i = 0; i < S.n_groups; i++) {
		if (!all && sim_luck(n, S.mix.slow))
			continue;
		list_splice_tail_init(&n->host[i].log, &list);
		n->host[i].unread = 0;
	}
	ev.consumed = &list;
	if (!list_empty(&list))
		sim_node_step(n, &ev);
}

static void work_sock(struct sim_node *n, u32 i)
{
	struct sim_sock *s = &n->sock[i];
	u32 burst;

	if (!s->bound) {
		sim_stream(SIM_JOIN, n->index, n->works, i);
		if (sim_chance(100) && sim_do(SIM_JOIN, n->index, 0, i))
			join(n, s);
		return;
	}
	if (s->closing || s->pending)
		return;
	sim_stream(SIM_LEAVE, n->index, n->works, i);
	if (s->attached && sim_chance(S.mix.leave) &&
	    sim_do(SIM_LEAVE, n->index, n->works, i)) {
		leave(s);
		return;
	}
	for (burst = sim_rand(4) + 1; burst && s->bound && !s->pending;
	     burst--) {
		sim_stream(SIM_SEND, n->index, n->works, i << 8 | burst);
		if (sim_chance(S.mix.send) &&
		    sim_do(SIM_SEND, n->index, n->works, i << 8 | burst))
			send_some(s);
	}
}

void sim_wake(struct sim_node *n)
{
	u32 i;

	if (!n->engine)
		return;
	for (i = 0; i < S.n_socks && !S.bad; i++) {
		struct sim_sock *s = &n->sock[i];

		if (s->bound && s->pending && s->woken && !s->closing)
			sim_retry(s);
	}
}

/* @start: a program dies with its node. */
void sim_work(struct sim_node *n, u32 start)
{
	u64 was = S.rng;
	u32 i;

	if (!n->engine || start != n->starts)
		return;
	n->works++;
	for (i = 0; S.working && i < S.n_socks && !S.bad; i++)
		work_sock(n, i);
	sim_read(n, !S.faults);
	sim_stream(SIM_WORK, n->index, n->works, 0);
	sim_at(S.now + (5 + sim_rand(20)) * SIM_MS, SIM_EV_WORK, n->index,
	       start, NULL);
	S.rng = was;
}
