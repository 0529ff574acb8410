// SPDX-License-Identifier: GPL-2.0
/* Hosts, network and clock of unit_net.h. */
#include "unit_net.h"

#define U_LATENCY 100000
#define U_WALL (1700000000ULL * 1000 * U_MS)

/* ---- time and packets ---- */

u64 u_random(struct u_net *net, u32 below)
{
	net->rng = net->rng * 6364136223846793005ULL + 1442695040888963407ULL;
	return (net->rng >> 33) % below;
}

static bool before(const struct u_packet *a, const struct u_packet *b)
{
	return a->at != b->at ? a->at < b->at : a->nr < b->nr;
}

static void heap_add(struct u_net *net, struct u_packet pkt)
{
	u32 i = net->heap_n++;

	if (net->heap_n > net->heap_size) {
		net->heap_size = net->heap_size ? 2 * net->heap_size : 256;
		net->heap = realloc(net->heap,
				    net->heap_size * sizeof(*net->heap));
		assert_non_null(net->heap);
	}
	pkt.nr = net->heap_nr++;
	for (; i && before(&pkt, &net->heap[(i - 1) / 2]); i = (i - 1) / 2)
		net->heap[i] = net->heap[(i - 1) / 2];
	net->heap[i] = pkt;
}

static struct u_packet heap_pop(struct u_net *net)
{
	struct u_packet top = net->heap[0], last = net->heap[--net->heap_n];
	u32 i = 0, c;

	while ((c = 2 * i + 1) < net->heap_n) {
		if (c + 1 < net->heap_n &&
		    before(&net->heap[c + 1], &net->heap[c]))
			c++;
		if (!before(&net->heap[c], &last))
			break;
		net->heap[i] = net->heap[c];
		i = c;
	}
	net->heap[i] = last;
	return top;
}

static struct gpe_shim_buf *datagram(const struct gpe_act_send *send)
{
	struct gpe_shim_buf *buf = gpe_shim_buf_new(send->len);
	u32 i, at = send->hdr_len;

	memcpy(buf->data, send->hdr, send->hdr_len);
	for (i = 0; i < send->n_segs; i++) {
		struct gpe_shim_buf *from = send->segs[i].buf;

		memcpy(buf->data + at, from->data + send->segs[i].off,
		       send->segs[i].len);
		at += send->segs[i].len;
	}
	assert_int_equal(at, send->len);
	return buf;
}

static void transmit(struct u_node *n, const struct gpe_act_send *send)
{
	struct gpe_shim_buf *buf = datagram(send);
	struct u_net *net = n->net;
	u64 paths;

	assert_true(send->len <= max(n->mtu, GPE_HDR_MAX));
	for (paths = send->paths; paths; paths &= paths - 1) {
		struct u_fate fate = { 1, 0 };
		u32 to = __ffs64(paths);

		net->sent++;
		if (to >= net->n || net->cut[n->index][to])
			continue;
		if (net->filter)
			net->filter(net, n->index, to, buf, &fate);
		while (fate.copies--) {
			gpe_buf_get(buf);
			heap_add(net, (struct u_packet){
				.at = net->now + U_LATENCY + fate.delay_ns,
				.from = n->index, .to = to, .buf = buf });
		}
	}
	gpe_buf_put(buf);
}

/* ---- records ---- */

u64 u_hash(u64 tag, u32 len)
{
	u64 hash = 0xcbf29ce484222325ULL;
	u32 i;

	for (i = 0; i < len; i++) {
		u8 byte = i < 8 ? tag >> (56 - 8 * i) : tag * 31 + i * 7;

		hash = (hash ^ byte) * 0x100000001b3ULL;
	}
	return hash;
}

static void payload(const struct gpe_rec *rec, struct u_rec *r)
{
	u64 hash = 0xcbf29ce484222325ULL, tag = 0;
	u32 i, k, off, len, at = 0;
	void *mem;

	for (i = 0; gpe_msg_seg(rec, i, &mem, &off, &len); i++) {
		const struct gpe_shim_buf *buf = mem;

		assert_true(off + len <= buf->len);
		for (k = 0; k < len; k++, at++) {
			hash = (hash ^ buf->data[off + k]) * 0x100000001b3ULL;
			if (at < 8)
				tag = tag << 8 | buf->data[off + k];
		}
	}
	assert_int_equal(at, r->len);
	r->hash = hash;
	r->tag = at >= 8 ? tag : U64_MAX;
	if (at >= 8)
		assert_true(hash == u_hash(tag, at));
}

static void keep(struct u_sock *s, const struct gpe_rec *rec)
{
	struct gpe_msg_info info;
	struct u_rec *r;

	if (s->node->net->quiet)
		return;
	if (!(s->n_recs & (s->n_recs - 1))) {
		s->rec = realloc(s->rec, 2 * (s->n_recs + 1) * sizeof(*s->rec));
		assert_non_null(s->rec);
	}
	r = &s->rec[s->n_recs++];
	memset(r, 0, sizeof(*r));
	r->type = rec->type;
	switch ((enum gpe_rec_type)rec->type) {
	case GPE_REC_MSG:
		gpe_msg_info(rec, &info);
		r->level = info.level;
		r->lamport = info.lamport;
		r->len = info.len;
		r->position = info.position;
		r->vid = info.vid;
		r->sender = info.sender;
		payload(rec, r);
		break;
	case GPE_REC_VIEW:
		r->view = container_of(rec, struct gpe_view_rec, rec)->view;
		r->vid = r->view->id;
		gpe_view_get(r->view);
		break;
	default:
		r->vid = container_of(rec, struct gpe_note, rec)->vid;
		break;
	}
}

static bool leaves(const struct u_sock *s, const struct gpe_view *view)
{
	u32 i;

	for (i = view->n; i < view->n + view->n_left; i++)
		if (view->m[i].addr.port == s->port &&
		    view->m[i].addr.node == s->node->cfg.id)
			return true;
	return false;
}

static bool holds(const struct u_sock *s, const struct gpe_view *view)
{
	u32 i;

	for (i = 0; i < view->n; i++)
		if (view->m[i].addr.port == s->port &&
		    gpe_is_self(s->node->engine, &view->m[i].addr))
			return true;
	return false;
}

/* With thousands of sockets only what has changed is looked at. */
static bool holds_quiet(const struct u_sock *s, const struct gpe_view *view)
{
	const struct gpe_member *last = view->n ? &view->m[view->n - 1] : NULL;

	if (s->attached)
		return !leaves(s, view);
	return last && last->addr.port == s->port &&
	       gpe_is_self(s->node->engine, &last->addr);
}

static void deliver(struct u_node *n, struct u_host *host,
		    struct gpe_rec *rec)
{
	const struct gpe_view *view = NULL;
	struct u_sock *s;

	if (rec->type == GPE_REC_VIEW)
		view = container_of(rec, struct gpe_view_rec, rec)->view;
	for (s = n->socks; s; s = s->next) {
		bool was = s->attached;

		if (!s->bound || s->host != host)
			continue;
		if (view)
			s->attached = n->net->quiet ? holds_quiet(s, view) :
						      holds(s, view);
		if (s->attached || (view && was && leaves(s, view)))
			keep(s, rec);
	}
	list_add_tail(&rec->link, &host->log);
}

static void deliver_one(struct u_host *host, struct u_sock *s,
			struct gpe_rec *rec)
{
	assert_true(s->bound);
	if (s->attached)
		keep(s, rec);
	list_add_tail(&rec->link, &host->log);
}

static void gone(struct u_sock *s, const struct gpe_act *act)
{
	assert_true(s->bound);
	s->bound = false;
	s->attached = false;
	s->local = NULL;
	s->error = act->gone.error;
	s->why = act->gone.why;
}

/* ---- steps ---- */

static void act(struct u_node *n, const struct gpe_act *a)
{
	switch (a->type) {
	case GPE_ACT_SEND:
		transmit(n, &a->send);
		break;
	case GPE_ACT_DELIVER:
		deliver(n, a->deliver.host, a->deliver.rec);
		break;
	case GPE_ACT_DELIVER_ONE:
		deliver_one(a->deliver.host, a->deliver.cookie,
			    a->deliver.rec);
		break;
	case GPE_ACT_GONE:
		gone(a->gone.cookie, a);
		break;
	case GPE_ACT_WAKE:
		((struct u_host *)a->wake.host)->wakes++;
		break;
	default:
		break;
	}
}

/* As the kernel does before each step; what fails is left for the next. */
static void top_up(struct u_node *n)
{
	u32 need = gpe_pool_need(n->engine);

	while (need--) {
		void *cell = gpe_alloc(GPE_CELL_SIZE);

		if (!cell)
			return;
		gpe_pool_add(n->engine, cell);
	}
}

static bool one_step(struct u_node *n, struct gpe_event *ev)
{
	bool short_now = n->net->now >= n->short_from &&
			 n->net->now < n->short_to;
	u64 now = n->net->now + n->skew;
	long was = n->fail_in;
	u32 i;

	gpe_shim_fail_in = was;
	if (!short_now || !n->short_cells)
		top_up(n);
	n->fail_in = gpe_shim_fail_in;
	gpe_shim_fail_in = short_now && !n->short_cells ? -1 : n->fail_in;
	gpe_step(n->engine, now, ev, n->out);
	if (!short_now)
		n->fail_in = gpe_shim_fail_in;
	gpe_shim_fail_in = 0;
	if (was && !n->fail_in)
		n->failed = true;
	assert_true(n->out->n <= GPE_ACTS_MAX);
	assert_true(n->out->used <= GPE_ARENA);
	for (i = 0; i < n->out->n; i++)
		act(n, &n->out->act[i]);
	return n->out->more;
}

static void steps(struct u_node *n, struct gpe_event *ev)
{
	struct gpe_event tick = { .type = GPE_EV_TICK };
	u32 rounds = 0;
	bool more = one_step(n, ev);

	while (more) {
		assert_true(rounds++ < 100000);
		more = one_step(n, &tick);
	}
}

u32 u_unread(const struct u_net *net, u32 i)
{
	const struct u_host *h;
	struct gpe_rec *rec;
	u32 n = 0;

	for (h = net->node[i].hosts; h; h = h->next)
		list_for_each_entry(rec, &h->log, link)
			n += rec->type == GPE_REC_MSG;
	return n;
}

u32 u_read(struct u_net *net, u32 i, u32 max)
{
	struct gpe_event ev = { .type = GPE_EV_CONSUMED };
	struct u_node *n = &net->node[i];
	struct list_head list;
	struct u_host *h;
	u32 done = 0;

	INIT_LIST_HEAD(&list);
	for (h = n->hosts; h; h = h->next)
		for (; !list_empty(&h->log) && done < max; done++)
			list_move_tail(h->log.next, &list);
	ev.consumed = &list;
	if (done)
		steps(n, &ev);
	return done;
}

void u_event(struct u_net *net, u32 i, struct gpe_event *ev)
{
	struct u_node *n = &net->node[i];

	steps(n, ev);
	while (!n->hold && u_read(net, i, U32_MAX))
		;
}

void u_inject(struct u_net *net, u32 to, u32 path, const u8 *p, u32 len)
{
	struct gpe_event ev = { .type = GPE_EV_PACKET };
	struct gpe_shim_buf *buf = gpe_shim_buf_new(len);

	memcpy(buf->data, p, len);
	ev.packet.path = path;
	ev.packet.hdr = buf->data;
	ev.packet.hdr_len = min(len, GPE_HDR_MAX);
	ev.packet.len = len;
	ev.packet.buf = buf;
	u_event(net, to, &ev);
	gpe_buf_put(buf);
}

static u64 due(const struct u_node *n)
{
	u64 at = n->engine ? gpe_next_deadline(n->engine) : U64_MAX;

	if (at == U64_MAX)
		return at;
	at = at > n->skew ? at - n->skew : 0;
	return max(at, n->paused_until);
}

static void arrive(struct u_net *net)
{
	struct u_packet pkt = heap_pop(net);
	struct u_node *n = &net->node[pkt.to];
	struct gpe_event ev = { .type = GPE_EV_PACKET };

	if (n->engine && n->paused_until > pkt.at) {
		pkt.at = n->paused_until;
		heap_add(net, pkt);
		return;
	}
	net->now = max(net->now, pkt.at);
	if (n->engine) {
		ev.packet.path = pkt.from;
		ev.packet.hdr = pkt.buf->data;
		ev.packet.hdr_len = min(pkt.buf->len, GPE_HDR_MAX);
		ev.packet.len = pkt.buf->len;
		ev.packet.buf = pkt.buf;
		u_event(net, pkt.to, &ev);
	}
	gpe_buf_put(pkt.buf);
}

bool u_turn(struct u_net *net, u64 until)
{
	struct gpe_event tick = { .type = GPE_EV_TICK };
	u64 at = U64_MAX, first = net->heap_n ? net->heap[0].at : U64_MAX;
	u32 i, who = 0;

	for (i = 0; i < net->n; i++) {
		if (due(&net->node[i]) < at) {
			at = due(&net->node[i]);
			who = i;
		}
	}
	if (min(at, first) > until || min(at, first) == U64_MAX) {
		net->now = max(net->now, until);
		return false;
	}
	if (first <= at) {
		arrive(net);
		return true;
	}
	/* A deadline of now has to be worked off by one tick. */
	net->now = max(net->now, at);
	u_event(net, who, &tick);
	return true;
}

void u_run(struct u_net *net, u64 ns)
{
	u64 end = net->now + ns;

	while (u_turn(net, end))
		;
}

/* ---- nodes ---- */

struct u_net *u_new(u32 n)
{
	struct u_net *net = calloc(1, sizeof(*net));
	u32 i;

	assert_non_null(net);
	assert_true(n <= U_NODES);
	/* A test that failed has left its net behind. */
	gpe_shim_allocs = 0;
	gpe_shim_bufs = 0;
	gpe_shim_fail_in = 0;
	net->now = 1000 * U_MS;
	net->n = n;
	net->rng = 1;
	for (i = 0; i < n; i++) {
		struct u_node *node = &net->node[i];

		node->net = net;
		node->index = i;
		node->mtu = 1472;
		node->cfg.id = i + 1;
		node->cfg.cluster = 7;
		node->cfg.votes = 1;
		node->cfg.heartbeat_ns = GPE_HEARTBEAT_NS;
		node->cfg.detect_ns = GPE_DETECT_NS;
	}
	return net;
}

void u_start_alone(struct u_net *net, u32 i)
{
	struct u_node *n = &net->node[i];

	assert_null(n->engine);
	n->inc = (u_random(net, U32_MAX) << 32) + u_random(net, U32_MAX) + 1;
	n->engine = gpe_node_create(&n->cfg, n->inc, u_random(net, U32_MAX),
				    net->now + n->skew, net->now + U_WALL);
	assert_non_null(n->engine);
	n->out = calloc(1, sizeof(*n->out));
	assert_non_null(n->out);
}

void u_start(struct u_net *net, u32 i)
{
	struct gpe_event ev = { .type = GPE_EV_BEARERS };
	u32 k;

	u_start_alone(net, i);
	ev.bearers.count = 1;
	ev.bearers.wall_ns = net->now + U_WALL;
	u_event(net, i, &ev);
	for (k = 0; k < net->n; k++) {
		if (k == i)
			continue;
		ev.type = GPE_EV_PEER_ADD;
		ev.peer.path = k;
		ev.peer.mtu = net->node[i].mtu;
		u_event(net, i, &ev);
	}
}

/* Records that nobody will read: freed before their node. */
static void hosts_free(struct u_node *n)
{
	struct u_host *h;

	while ((h = n->hosts)) {
		while (!list_empty(&h->log)) {
			struct gpe_rec *rec = list_first_entry(
				&h->log, struct gpe_rec, link);

			list_del(&rec->link);
			gpe_rec_free(n->engine, rec);
		}
		n->hosts = h->next;
		free(h);
	}
}

void u_kill(struct u_net *net, u32 i)
{
	struct u_node *n = &net->node[i];
	struct u_sock *s;

	if (!n->engine)
		return;
	hosts_free(n);
	gpe_node_free(n->engine);
	free(n->out);
	n->engine = NULL;
	n->out = NULL;
	for (s = n->socks; s; s = s->next) {
		s->bound = false;
		s->attached = false;
		s->host = NULL;
		s->local = NULL;
	}
}

void u_goodbye(struct u_net *net, u32 i)
{
	struct gpe_event ev = { .type = GPE_EV_GOODBYE };

	u_event(net, i, &ev);
}

static void socks_free(struct u_node *n)
{
	struct u_sock *s;
	u32 k;

	while ((s = n->socks)) {
		n->socks = s->next;
		for (k = 0; k < s->n_recs; k++)
			if (s->rec[k].view)
				gpe_view_put(s->rec[k].view);
		free(s->rec);
		free(s);
	}
}

void u_free(struct u_net *net)
{
	u32 i;

	for (i = 0; i < net->n; i++)
		u_kill(net, i);
	for (i = 0; i < net->n; i++)
		socks_free(&net->node[i]);
	while (net->heap_n)
		gpe_buf_put(heap_pop(net).buf);
	free(net->heap);
	free(net);
	assert_int_equal(gpe_shim_allocs, 0);
	assert_int_equal(gpe_shim_bufs, 0);
}

struct u_net *u_cluster(u32 n)
{
	struct u_net *net = u_new(n);
	u32 i;

	for (i = 0; i < n; i++)
		u_start(net, i);
	u_wait(net, u_one_view(net, (1 << n) - 1), 5000);
	return net;
}

void u_link(struct u_net *net, u32 a, u32 b, bool up)
{
	net->cut[a][b] = !up;
	net->cut[b][a] = !up;
}

void u_isolate(struct u_net *net, u32 i, bool off)
{
	u32 k;

	for (k = 0; k < net->n; k++)
		if (k != i)
			u_link(net, i, k, !off);
}

/* ---- looking in ---- */

u64 u_count(const struct u_net *net, u32 i, enum gpe_counter c)
{
	return gpe_counters(net->node[i].engine)[c];
}

bool u_state_is(const struct u_net *net, u32 i, enum gpe_state state)
{
	return net->node[i].engine && net->node[i].engine->state == state;
}

bool u_one_view(const struct u_net *net, u32 mask)
{
	u64 epoch = 0;
	u32 i, k;

	for (i = 0; i < net->n; i++) {
		const struct gpe_node *e = net->node[i].engine;

		if (!(mask >> i & 1))
			continue;
		if (!e || e->state != GPE_ST_NORMAL || e->doubt ||
		    e->ep.n != hweight64(mask) ||
		    (epoch && e->ep.epoch != epoch))
			return false;
		epoch = e->ep.epoch;
		for (k = 0; k < e->ep.n; k++)
			if (e->ep.seat[k].id > net->n ||
			    !(mask >> (e->ep.seat[k].id - 1) & 1))
				return false;
	}
	return true;
}

const char *u_why(const struct u_net *net, u32 i)
{
	struct gpe_node_info info;

	gpe_node_info(net->node[i].engine, &info);
	return info.why;
}
