// SPDX-License-Identifier: GPL-2.0
/*
 * Hostile datagrams against engines in process: three nodes on a virtual
 * network with members that send all the time, and a stranger who speaks in
 * the name of one of them. What is mutated is what the nodes really say; see
 * ../net/hostile.h for the two sets and what each may do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "gpe.h"
#include "../net/hostile.h"

#define MS 1000000ULL
#define LATENCY (MS / 5)

enum {
	NODES = HOSTILE_NODES,
	GROUPS = 2,
	FLIGHT = 1 << 16,
	LIMIT = GPE_MSG_MAX + GPE_LIMIT_SLACK,
	SEND_EVERY = 3, /* ms */
	HOSTILE_A_MS = 4,
};

/*
 * A member of a group.
 * @next: of each sender, the number of the message to come
 * @lost: messages that came neither in order nor whole
 */
struct member {
	struct gpe_local *local;
	u64 sent;
	u64 next[NODES];
	u64 lost;
	u64 got;
};

struct node {
	struct gpe_node *engine;
	struct gpe_out *out;
	struct list_head read;
	struct member member[GROUPS];
	u32 host[GROUPS];
	u32 next_port;
	bool cut;
};

struct flight {
	u64 at;
	u32 to;
	u32 path;
	struct gpe_shim_buf *buf;
};

static struct {
	u64 now;
	struct node node[NODES];
	struct flight flight[FLIGHT];
	u32 first, last; /* of the ring: latency is the same for all */
	struct hostile_corpus corpus;
	bool race; /* lies overtake what they are made of */
} w;

/* ---- what is said: sender, number and bytes that follow from them ---- */

static u8 content(u32 from, u64 n, u32 i)
{
	return from * 101 + n * 31 + i * 7;
}

static void payload_make(struct gpe_shim_buf *buf, u32 from, u64 n)
{
	u32 i;

	buf->data[0] = from;
	put_unaligned_be64(n, buf->data + 1);
	for (i = 9; i < buf->len; i++)
		buf->data[i] = content(from, n, i);
}

static void payload_read(struct member *m, const struct gpe_rec *rec)
{
	struct gpe_msg_info info;
	u8 head[9] = { 0 };
	u32 i, k, off, len, pos = 0;
	bool whole = true;
	void *buf;
	u64 n = 0;

	gpe_msg_info(rec, &info);
	for (i = 0; gpe_msg_seg(rec, i, &buf, &off, &len); i++) {
		const u8 *p = ((struct gpe_shim_buf *)buf)->data + off;

		for (k = 0; k < len; k++, pos++) {
			if (pos < 9)
				head[pos] = p[k];
			else if (p[k] != content(head[0], n, pos))
				whole = false;
			if (pos == 8)
				n = get_unaligned_be64(head + 1);
		}
	}
	m->got++;
	if (!whole || pos != info.len || head[0] >= NODES ||
	    n != m->next[head[0]])
		m->lost++;
	else
		m->next[head[0]]++;
}

/* ---- hosting the engine ---- */

static void step(struct node *n, struct gpe_event *ev);

static void fly(struct node *from, const struct gpe_act_send *send)
{
	struct gpe_shim_buf *buf = gpe_shim_buf_new(send->len);
	u32 i, at = send->hdr_len, me = from - w.node, mask = 0;
	u64 paths;

	memcpy(buf->data, send->hdr, send->hdr_len);
	for (i = 0; i < send->n_segs; i++) {
		struct gpe_shim_buf *part = send->segs[i].buf;

		memcpy(buf->data + at, part->data + send->segs[i].off,
		       send->segs[i].len);
		at += send->segs[i].len;
	}
	for (paths = send->paths; paths; paths &= paths - 1) {
		u32 p = __ffs64(paths), to = p < me ? p : p + 1;
		struct flight *f = &w.flight[w.last % FLIGHT];

		mask |= 1 << to;
		if (from->cut || w.node[to].cut)
			continue;
		gpe_buf_get(buf);
		*f = (struct flight){ w.now + LATENCY, to,
				      me < to ? me : me - 1, buf };
		w.last++;
		assert_true(w.last - w.first < FLIGHT);
	}
	hostile_capture(&w.corpus, me, mask, buf->data, buf->len);
	gpe_buf_put(buf);
}

static void act(struct node *n, const struct gpe_act *a)
{
	struct member *m;

	switch (a->type) {
	case GPE_ACT_SEND:
		fly(n, &a->send);
		break;
	case GPE_ACT_DELIVER:
	case GPE_ACT_DELIVER_ONE:
		m = &n->member[*(u32 *)a->deliver.host];
		if (a->deliver.rec->type == GPE_REC_MSG)
			payload_read(m, a->deliver.rec);
		list_add_tail(&a->deliver.rec->link, &n->read);
		break;
	case GPE_ACT_GONE:
		((struct member *)a->gone.cookie)->local = NULL;
		break;
	default:
		break;
	}
}

static void one_step(struct node *n, struct gpe_event *ev)
{
	u32 i, need;

	for (need = gpe_pool_need(n->engine); need; need--)
		gpe_pool_add(n->engine, gpe_alloc(GPE_CELL_SIZE));
	gpe_step(n->engine, w.now, ev, n->out);
	for (i = 0; i < n->out->n; i++)
		act(n, &n->out->act[i]);
}

static void step(struct node *n, struct gpe_event *ev)
{
	struct gpe_event tick = { .type = GPE_EV_TICK };
	struct gpe_event read = { .type = GPE_EV_CONSUMED };
	u32 rounds = 0;

	one_step(n, ev);
	do {
		struct list_head list;

		INIT_LIST_HEAD(&list);
		list_splice_tail_init(&n->read, &list);
		read.consumed = &list;
		one_step(n, list_empty(&list) ? &tick : &read);
		assert_true(++rounds < 10000);
	} while (n->out->more || !list_empty(&n->read));
}

static void packet(u32 to, u32 path, struct gpe_shim_buf *buf)
{
	struct gpe_event ev = { .type = GPE_EV_PACKET };

	ev.packet.path = path;
	ev.packet.hdr = buf->data;
	ev.packet.hdr_len = min_t(u32, buf->len, GPE_HDR_MAX);
	ev.packet.len = buf->len;
	ev.packet.buf = buf;
	step(&w.node[to], &ev);
	gpe_buf_put(buf);
}

/*
 * A changed copy comes before the datagram itself. Ballots are rare, so more
 * of them are met.
 */
static void overtake(const struct flight *f)
{
	struct gpe_shim_buf *buf;
	struct hostile_pkt pkt;
	u32 how = HOSTILE_BITS +
		  hostile_rand(&w.corpus, HOSTILE_N - HOSTILE_BITS);

	if (f->buf->len < HOSTILE_HEAD || f->buf->len > HOSTILE_LEN ||
	    hostile_rand(&w.corpus,
			 hostile_is_ballot(f->buf->data[3]) ? 3 : 50))
		return;
	pkt.len = f->buf->len;
	memcpy(pkt.data, f->buf->data, pkt.len);
	hostile_free(&w.corpus, &pkt, how);
	buf = gpe_shim_buf_new(pkt.len);
	memcpy(buf->data, pkt.data, pkt.len);
	packet(f->to, f->path, buf);
}

/* ---- time ---- */

static void run(u64 until)
{
	struct gpe_event tick = { .type = GPE_EV_TICK };
	u32 i;

	for (;;) {
		struct flight *f = &w.flight[w.first % FLIGHT];
		u64 at = w.first != w.last ? f->at : U64_MAX;
		struct node *n = NULL;

		for (i = 0; i < NODES; i++) {
			u64 t = gpe_next_deadline(w.node[i].engine);

			if (t < at) {
				at = t;
				n = &w.node[i];
			}
		}
		if (at > until)
			break;
		if (at > w.now)
			w.now = at;
		if (n) {
			step(n, &tick);
		} else {
			w.first++;
			if (w.race)
				overtake(f);
			packet(f->to, f->path, f->buf);
		}
	}
	w.now = until;
}

static void join(struct node *n, u32 g)
{
	static const char *const names[GROUPS] = { "alpha", "beta" };
	struct gpe_event ev = { .type = GPE_EV_JOIN };

	n->host[g] = g;
	ev.join.host = &n->host[g];
	ev.join.cookie = &n->member[g];
	ev.join.name = names[g];
	ev.join.port = ++n->next_port;
	ev.join.limit = LIMIT;
	ev.join.local_at = &n->member[g].local;
	step(n, &ev);
}

static u32 draw_len(void)
{
	switch (hostile_rand(&w.corpus, 40)) {
	case 0:
		return 9 + hostile_rand(&w.corpus, 30000);
	case 1:
	case 2:
	case 3:
		return 9 + hostile_rand(&w.corpus, 3000);
	default:
		return 9 + hostile_rand(&w.corpus, 200);
	}
}

/* False: refused for now; the number is used for the next try. */
static bool say(struct node *n, u32 g)
{
	struct member *m = &n->member[g];
	struct gpe_event ev = { .type = GPE_EV_SUBMIT };
	struct gpe_shim_buf *buf;
	u32 me = n - w.node;

	if (!m->local) {
		join(n, g);
		return false;
	}
	buf = gpe_shim_buf_new(draw_len());
	payload_make(buf, me, m->sent);
	ev.submit.local_at = &m->local;
	ev.submit.buf = buf;
	ev.submit.len = buf->len;
	ev.submit.level = hostile_rand(&w.corpus, 2) ? GPE_FIFO : GPE_TOTAL;
	/* Counted before the step, in which it may come back. */
	m->sent++;
	step(n, &ev);
	if (ev.submit.ret)
		m->sent--;
	/* Own references of the engine are another matter. */
	gpe_buf_put(buf);
	return !ev.submit.ret;
}

static u64 drops(u32 i)
{
	const u64 *c = gpe_counters(w.node[i].engine);
	u64 sum = 0;
	u32 k;

	for (k = GPE_CNT_DROP_SHORT; k < GPE_CNT_N; k++)
		sum += c[k];
	return sum;
}

static const char *const hows[] = {
#define X(id, text) [HOSTILE_##id] = text,
	HOSTILE_HOWS(X)
#undef X
};

/* One hostile datagram: of the strict set each is dropped and counted once. */
static void attack(u64 *made, bool strict)
{
	u32 to = hostile_rand(&w.corpus, 2) ? 0 : 2;
	u64 before = drops(to);
	struct hostile_pkt pkt;
	struct gpe_shim_buf *buf;
	enum hostile_how how = hostile_make(&w.corpus, &pkt, strict, 1, to);

	made[how]++;
	buf = gpe_shim_buf_new(pkt.len);
	memcpy(buf->data, pkt.data, pkt.len);
	packet(to, to ? 1 : 0, buf);
	if (!strict || how == HOSTILE_REPLAY || drops(to) == before + 1)
		return;
	print_error("%s, type %u: %llu drops\n", hows[how], pkt.data[3],
		    drops(to) - before);
	fail();
}

/* @ms of traffic, with @hostile datagrams each. */
static void traffic(u32 ms, u32 hostile, bool strict)
{
	u64 made[HOSTILE_N] = { 0 };
	u32 i, t;

	for (t = 0; t < ms; t++) {
		for (i = 0; i < NODES * GROUPS && t % SEND_EVERY == 0; i++)
			say(&w.node[i / GROUPS], i % GROUPS);
		for (i = 0; i < hostile; i++)
			attack(made, strict);
		run(w.now + MS);
	}
	/* Each kind was sent, unless this was a short one. */
	for (i = 0; ms * hostile > 10000 && i < HOSTILE_STRICT; i++)
		assert_true(made[i]);
}

/* ---- looking ---- */

static bool settled(void)
{
	struct gpe_node_info info;
	u64 epoch = 0;
	u32 i;

	for (i = 0; i < NODES; i++) {
		gpe_node_info(w.node[i].engine, &info);
		if (info.state != GPE_ST_NORMAL || info.n_nodes != NODES ||
		    (epoch && info.epoch != epoch))
			return false;
		epoch = info.epoch;
	}
	return true;
}

static void settle(u32 ms)
{
	struct gpe_node_info info;
	u32 i;

	while (ms-- && !settled())
		run(w.now + MS);
	for (i = 0; i < NODES && !settled(); i++) {
		gpe_node_info(w.node[i].engine, &info);
		print_error("node %u: state %u, epoch %llu of %u nodes: %s\n",
			    info.cfg.id, info.state, info.epoch, info.n_nodes,
			    info.why);
	}
	assert_true(settled());
}

static bool all_here(void)
{
	u32 i, g, s;

	for (i = 0; i < NODES; i++)
		for (g = 0; g < GROUPS; g++)
			for (s = 0; s < NODES; s++)
				if (w.node[i].member[g].next[s] !=
				    w.node[s].member[g].sent)
					return false;
	return true;
}

static u64 lost(void)
{
	u64 sum = 0;
	u32 i, g;

	for (i = 0; i < NODES; i++)
		for (g = 0; g < GROUPS; g++)
			sum += w.node[i].member[g].lost;
	return sum;
}

/* ---- up and down ---- */

static void up(u32 seed)
{
	struct gpe_cfg cfg = { .cluster = 7,
			       .votes = 1,
			       .heartbeat_ns = GPE_HEARTBEAT_NS,
			       .detect_ns = GPE_DETECT_NS };
	u64 wall = 1700000000000 * MS;
	struct gpe_event ev;
	u32 i, p, g;

	memset(&w, 0, sizeof(w));
	w.now = 1000 * MS;
	w.corpus.rng = seed;
	for (i = 0; i < NODES; i++) {
		struct node *n = &w.node[i];

		cfg.id = i + 1;
		INIT_LIST_HEAD(&n->read);
		n->engine =
			gpe_node_create(&cfg, 1000 + i, seed + i, w.now, wall);
		n->out = malloc(sizeof(*n->out));
		assert_true(n->engine && n->out);
		ev.type = GPE_EV_BEARERS;
		ev.bearers.count = 1;
		ev.bearers.wall_ns = wall;
		step(n, &ev);
		for (p = 0; p < NODES - 1; p++) {
			ev.type = GPE_EV_PEER_ADD;
			ev.peer.path = p;
			ev.peer.mtu = HOSTILE_LEN;
			step(n, &ev);
		}
	}
	settle(10000);
	for (i = 0; i < NODES; i++)
		for (g = 0; g < GROUPS; g++)
			join(&w.node[i], g);
	run(w.now + 1000 * MS);
}

static void down(void)
{
	u32 i, g;

	for (; w.first != w.last; w.first++)
		gpe_buf_put(w.flight[w.first % FLIGHT].buf);
	for (i = 0; i < NODES; i++) {
		gpe_node_free(w.node[i].engine);
		free(w.node[i].out);
		for (g = 0; g < GROUPS; g++)
			w.node[i].member[g].local = NULL;
	}
	assert_int_equal(gpe_shim_allocs, 0);
	assert_int_equal(gpe_shim_bufs, 0);
}

/* The members forget what they know and count from here. */
static void count_anew(void)
{
	u32 i, g;

	for (i = 0; i < NODES; i++) {
		for (g = 0; g < GROUPS; g++) {
			struct member *m = &w.node[i].member[g];

			m->sent = 0;
			m->lost = 0;
			memset(m->next, 0, sizeof(m->next));
		}
	}
}

static void cut_for(u32 i, u32 ms)
{
	w.node[i].cut = true;
	run(w.now + ms * MS);
	w.node[i].cut = false;
}

/* A view change, so that its packets are there to be mutated. */
static void learn(void)
{
	u32 t, i;

	traffic(300, 0, true);
	cut_for(2, 1500);
	settle(40000);
	memcpy(w.corpus.since, w.corpus.seen, sizeof(w.corpus.seen));
	run(w.now + 3000 * MS);
	count_anew();
	/* Heartbeats enough of this view to fill what is kept of them. */
	for (t = 0; t < 70; t++)
		traffic(100, 0, true);
	for (i = 1; i < HOSTILE_TYPES; i++)
		if (i != HOSTILE_GOODBYE && i != HOSTILE_REFUSE &&
		    i != HOSTILE_REPAIR)
			assert_true(w.corpus.seen[i][0] + w.corpus.seen[i][1] +
				    w.corpus.seen[i][2]);
}

/* ---- tests ---- */

static void test_strict(void **state)
{
	struct gpe_node_info before, after;
	long bufs, allocs;
	u32 ms;

	(void)state;
	up(1);
	learn();
	run(w.now + 3000 * MS);
	assert_true(all_here());
	gpe_node_info(w.node[0].engine, &before);
	allocs = gpe_shim_allocs;
	bufs = gpe_shim_bufs;
	traffic(200000 / HOSTILE_A_MS, HOSTILE_A_MS, true);
	/* Nothing is lost, late or altered, and no view changes. */
	for (ms = 0; ms < 5000 && !all_here(); ms++)
		run(w.now + MS);
	assert_true(all_here());
	assert_int_equal(lost(), 0);
	gpe_node_info(w.node[0].engine, &after);
	assert_int_equal(before.epoch, after.epoch);
	run(w.now + 5000 * MS);
	assert_true(gpe_shim_bufs <= bufs);
	assert_true(gpe_shim_allocs <= allocs + NODES * GPE_POOL_MAX);
	down();
}

/* One view, and new messages come through, all of them and in order. */
static void goes_on(void)
{
	u32 ms;

	/*
	 * A stream that was lied about stays so until the epoch ends; whoever
	 * cannot follow into the next one comes back as a newcomer.
	 */
	run(w.now + 2000 * MS);
	cut_for(1, 1500);
	settle(120000);
	traffic(2000, 0, true);
	run(w.now + 40000 * MS);
	settle(60000);
	count_anew();
	traffic(2000, 0, true);
	for (ms = 0; ms < 20000 && !all_here(); ms++)
		run(w.now + MS);
	assert_true(all_here());
	assert_int_equal(lost(), 0);
	down();
}

static void test_anything(void **state)
{
	u32 seed;

	(void)state;
	for (seed = 1; seed <= 10; seed++) {
		up(seed);
		learn();
		traffic(20000 / HOSTILE_A_MS, HOSTILE_A_MS, false);
		goes_on();
	}
}

/* View changes under lies about the very packets that make them. */
static void test_overtaken(void **state)
{
	u32 seed, i;

	(void)state;
	for (seed = 201; seed <= 206; seed++) {
		up(seed);
		learn();
		w.race = true;
		for (i = 0; i < 10; i++) {
			traffic(250, HOSTILE_A_MS, false);
			cut_for(hostile_rand(&w.corpus, NODES), 800);
		}
		w.race = false;
		goes_on();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_anything),
		cmocka_unit_test(test_overtaken),
	};

	return cmocka_run_group_tests_name("gpe_attack", tests, NULL, NULL);
}
