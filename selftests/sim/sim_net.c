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
	/* A node that stands still finds it all waiting when it wakes. */
	if (ev.type != SIM_EV_FAULT && n->paused_until > ev.when) {
		if (ev.type == SIM_EV_TICK && ev.when == n->tick_at)
			n->tick_at = n->paused_until;
		sim_at(n->paused_until, ev.type, ev.node, ev.path, ev.buf);
		return true;
	}
	S.now = ev.when;
	switch (ev.type) {
	case SIM_EV_PACKET:
		sim_node_packet(n, ev.path, ev.buf);
		break;
	case SIM_EV_TICK:
		if (n->engine && ev.when == n->tick_at)
			sim_node_tick(n);
		break;
	case SIM_EV_WORK:
		sim_work(n);
		break;
	case SIM_EV_WAKE:
		sim_wake(n);
		break;
	case SIM_EV_FAULT:
		sim_fault();
		break;
	}
	return true;
}

void sim_net_clear(void)
{
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
	return buf;
}

static u64 latency(void)
{
	u64 ns = 100000 + sim_rand(200000);

	if (S.faults && sim_chance(S.mix.reorder))
		ns += sim_rand(20) * SIM_MS;
	return ns;
}

/*
 * Path p of node i leads to node p, or p + 1 from i on: every node has all
 * the others as peers.
 */
void sim_send(struct sim_node *from, const struct gpe_act_send *send)
{
	struct gpe_shim_buf *buf = datagram(send);
	u64 paths;

	for (paths = send->paths; paths; paths &= paths - 1) {
		u32 p = __ffs64(paths), to = p < from->index ? p : p + 1;
		u32 back = from->index < to ? from->index : from->index - 1;
		int copies = 1;

		if (to >= S.n_nodes || S.cut[from->index][to])
			continue;
		if (S.faults && sim_chance(S.mix.loss))
			continue;
		if (S.faults && sim_chance(S.mix.dup))
			copies = 2;
		while (copies--) {
			gpe_buf_get(buf);
			sim_at(S.now + latency(), SIM_EV_PACKET, to, back,
			       buf);
		}
	}
	gpe_buf_put(buf);
}
