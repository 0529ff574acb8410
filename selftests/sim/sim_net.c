// SPDX-License-Identifier: GPL-2.0
/* Events in the order of time (a binary heap), and the network's faults. */
#include "sim.h"

struct sim_event {
	u64 when;
	u64 nr;		/* breaks ties the same way each time */
	enum sim_ev_type type;
	u32 node;
	u32 path;
	struct gpe_shim_buf *buf;
};

enum { KEPT = 256 };

/* What a scene keeps: the latest so many. */
static struct {
	u32 from;
	u32 to;
	struct gpe_shim_buf *buf;
} kept[KEPT];
static u32 n_kept;

static struct sim_event *heap;
static u32 heap_n, heap_size;
static u64 heap_nr;

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->when != b->when ? a->when < b->when : a->nr < b->nr;
}

void sim_at(u64 when, enum sim_ev_type type, u32 node, u32 path,
	    struct gpe_shim_buf *buf)
{
	struct sim_event ev = { when, heap_nr++, type, node, path, buf };
	u32 i = heap_n++;

	if (heap_n > heap_size) {
		heap_size = heap_size ? 2 * heap_size : 1024;
		heap = realloc(heap, heap_size * sizeof(*heap));
		if (!heap)
			abort();
	}
	while (i && before(&ev, &heap[(i - 1) / 2])) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = ev;
}

static struct sim_event pop(void)
{
	struct sim_event top = heap[0], last = heap[--heap_n];
	u32 i = 0, c;

	while ((c = 2 * i + 1) < heap_n) {
		if (c + 1 < heap_n && before(&heap[c + 1], &heap[c]))
			c++;
		if (!before(&heap[c], &last))
			break;
		heap[i] = heap[c];
		i = c;
	}
	heap[i] = last;
	return top;
}

/*
 * A node that stands still finds it all waiting when it wakes, or nothing but
 * its own timers when it was switched off with its bearer.
 */
static void defer(struct sim_node *n, const struct sim_event *ev)
{
	if (ev->type == SIM_EV_PACKET && n->loses) {
		gpe_buf_put(ev->buf);
		return;
	}
	if (ev->type == SIM_EV_TICK && ev->when == n->tick_at)
		n->tick_at = n->paused_until;
	sim_at(n->paused_until, ev->type, ev->node, ev->path, ev->buf);
}

static void happen(struct sim_node *n, const struct sim_event *ev)
{
	switch (ev->type) {
	case SIM_EV_PACKET:
		sim_node_packet(n, ev->path, ev->buf);
		break;
	case SIM_EV_TICK:
		if (n->engine && ev->when == n->tick_at)
			sim_node_tick(n);
		break;
	case SIM_EV_WORK:
		sim_work(n, ev->path);
		break;
	case SIM_EV_WAKE:
		sim_wake(n);
		break;
	case SIM_EV_START:
		if (!n->engine)
			sim_node_start(n);
		break;
	case SIM_EV_FAULT:
		sim_fault();
		break;
	case SIM_EV_UNDO:
		sim_undo(n, ev->path);
		break;
	}
}

/* The next event not after @until; false if there is none. */
bool sim_next(u64 until)
{
	struct sim_event ev;
	struct sim_node *n;

	if (!heap_n || heap[0].when > until) {
		S.now = until;
		return false;
	}
	ev = pop();
	n = &S.node[ev.node];
	if (ev.type < SIM_EV_FAULT && n->paused_until > ev.when) {
		defer(n, &ev);
		return true;
	}
	S.now = ev.when;
	happen(n, &ev);
	return true;
}

static void forget(void)
{
	u32 i;

	for (i = 0; i < KEPT; i++) {
		if (kept[i].buf)
			gpe_buf_put(kept[i].buf);
		kept[i].buf = NULL;
	}
}

void sim_net_clear(void)
{
	forget();
	n_kept = 0;
	while (heap_n) {
		struct sim_event ev = pop();

		if (ev.buf)
			gpe_buf_put(ev.buf);
	}
	free(heap);
	heap = NULL;
	heap_size = 0;
	heap_nr = 0;
}

/* Node @to as a path of node @from, and the way back. */
u32 sim_path(u32 from, u32 to)
{
	return to < from ? to : to - 1;
}

u32 sim_behind(u32 from, u32 path)
{
	return path < from ? path : path + 1;
}

static struct gpe_shim_buf *datagram(const struct gpe_act_send *send)
{
	struct gpe_shim_buf *buf = gpe_shim_buf_new(send->len);
	u32 i, at = send->hdr_len;

	buf->sent = S.now;
	memcpy(buf->data, send->hdr, send->hdr_len);
	for (i = 0; i < send->n_segs; i++) {
		struct gpe_shim_buf *from = send->segs[i].buf;

		memcpy(buf->data + at, from->data + send->segs[i].off,
		       send->segs[i].len);
		at += send->segs[i].len;
	}
	return buf;
}

/* Lost: one piece of it, or flipped bits that no checksum lets through. */
static bool lost(struct sim_node *n, const struct sim_link *l, u32 len)
{
	u32 pieces = DIV_ROUND_UP(len, l->mtu);
	u32 flip = S.mix.flip * (len / 64 + 1);

	if (flip && sim_draw(&n->luck, 1000000) < flip)
		return true;
	while (pieces--)
		if (sim_luck(n, S.mix.loss) || sim_luck(n, l->loss))
			return true;
	return false;
}

/* How long it waits for its turn on the wire; false: no room, dropped. */
static bool queued(struct sim_node *n, u32 len, u64 *wait)
{
	u64 ahead = n->busy_until > S.now ? n->busy_until - S.now : 0;

	*wait = 0;
	if (!S.rate)
		return true;
	if (ahead * S.rate / SIM_S > S.queue)
		return false;
	*wait = ahead + (len + 46) * SIM_S / S.rate;
	n->busy_until = S.now + *wait;
	return true;
}

static u64 latency(struct sim_node *n, const struct sim_link *l)
{
	u64 ns = l->delay + sim_draw(&n->luck, 200000);

	if (S.faults && sim_luck(n, S.mix.reorder))
		ns += sim_draw(&n->luck, 20) * SIM_MS;
	if (S.faults && sim_luck(n, S.mix.stale))
		ns += sim_draw(&n->luck, 3000) * SIM_MS;
	return ns;
}

static void arrive(struct sim_node *from, u32 to, u64 wait,
		   struct gpe_shim_buf *buf)
{
	gpe_buf_get(buf);
	sim_at(S.now + wait + latency(from, &S.link[from->index][to]),
	       SIM_EV_PACKET, to, sim_path(to, from->index), buf);
}

static void keep(u32 from, u32 to, struct gpe_shim_buf *buf)
{
	u32 i = n_kept++ % KEPT;

	if (kept[i].buf)
		gpe_buf_put(kept[i].buf);
	gpe_buf_get(buf);
	kept[i].from = from;
	kept[i].to = to;
	kept[i].buf = buf;
}

/* What was kept comes now, in its order. */
void sim_release(void)
{
	u32 i;

	for (i = 0; i < KEPT; i++) {
		u32 nr = (n_kept + i) % KEPT;

		if (kept[nr].buf)
			arrive(&S.node[kept[nr].from], kept[nr].to, 0,
			       kept[nr].buf);
	}
	forget();
}

static void send_to(struct sim_node *from, u32 to, struct gpe_shim_buf *buf)
{
	const struct sim_link *l = &S.link[from->index][to];
	enum sim_tap tap = SIM_PASS;
	int copies = 1;
	u64 wait;

	if (!queued(from, buf->len, &wait) || S.cut[from->index][to])
		return;
	if (S.tap)
		tap = S.tap(from->index, to, buf);
	if (tap == SIM_KEEP || tap == SIM_COPY)
		keep(from->index, to, buf);
	if (tap == SIM_KEEP || tap == SIM_DROP)
		return;
	if (S.faults && lost(from, l, buf->len))
		return;
	if (S.faults && sim_luck(from, S.mix.dup))
		copies = 2;
	copies += tap == SIM_TWICE;
	while (copies--)
		arrive(from, to, wait, buf);
}

void sim_send(struct sim_node *from, const struct gpe_act_send *send)
{
	struct gpe_shim_buf *buf;
	u64 paths;

	if (!from->bearer)
		return;
	buf = datagram(send);
	for (paths = send->paths; paths; paths &= paths - 1) {
		u32 to = sim_behind(from->index, __ffs64(paths));

		if (to < S.n_nodes)
			send_to(from, to, buf);
	}
	gpe_buf_put(buf);
}
