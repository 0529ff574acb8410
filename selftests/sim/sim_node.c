// SPDX-License-Identifier: GPL-2.0
/*
 * Hosts the engine of a node as the kernel's glue does: actions in their
 * order, one log a group, records handed back when all sockets have read them.
 */
#include "sim.h"

/*
 * One for all nodes: actions are done before the next step of any. The node
 * whose step it is pays for memory.
 */
static struct gpe_out out;
static struct sim_node *stepping;

/* ---- records in logs: host_u64[0] counts the readers still to come ---- */

static struct gpe_msg_info info_of(const struct gpe_rec *rec)
{
	struct gpe_msg_info info;

	gpe_msg_info(rec, &info);
	return info;
}

/* The number in the first 8 bytes; the rest must follow from it. */
static u64 payload(const struct gpe_rec *rec, u32 len)
{
	u8 head[8] = { 0 };
	u32 i, k, off, n, at = 0;
	u64 id = 0;
	void *buf;

	for (i = 0; gpe_msg_seg(rec, i, &buf, &off, &n); i++) {
		const u8 *p = ((struct gpe_shim_buf *)buf)->data + off;

		for (k = 0; k < n && at < 8; k++, at++)
			head[at] = p[k];
		if (at == 8)
			id = get_unaligned_be64(head);
		if (k < n && (at + n - k > len ||
			      memcmp(p + k, sim_bytes(id) + at, n - k)))
			return U64_MAX;
		at += n - k;
	}
	return at == len ? id : U64_MAX;
}

static bool listed(const struct sim_sock *s, const struct gpe_view *view)
{
	u32 i;

	for (i = 0; i < view->n; i++)
		if (view->m[i].addr.port == s->port &&
		    gpe_is_self(s->node->engine, &view->m[i].addr))
			return true;
	return false;
}

/* Somebody to send to alone. */
static void pick_peer(struct sim_sock *s, const struct gpe_view *view)
{
	s->peer = view->m[sim_draw(&s->node->luck, view->n)].addr;
}

/* @info, @id: of a message */
static void give(struct sim_sock *s, struct gpe_rec *rec,
		 const struct gpe_msg_info *info, u64 id)
{
	S.at_group = s->group + 1;
	if (rec->type == GPE_REC_MSG || rec->type == GPE_REC_VIEW)
		pause_acts(s->node, "delivers");
	switch (rec->type) {
	case GPE_REC_MSG:
		check_deliver(s->member, info, id);
		break;
	case GPE_REC_VIEW:
		check_view(s->member,
			   container_of(rec, struct gpe_view_rec, rec)->view);
		pick_peer(s, container_of(rec, struct gpe_view_rec, rec)->view);
		break;
	case GPE_REC_SUSPENDED:
		check_suspended(s->member);
		break;
	case GPE_REC_RESUMED:
		check_resumed(s->member);
		break;
	}
}

/* Into the log, which is bounded by the members' limit. */
static void append(struct sim_host *h, struct gpe_rec *rec)
{
	list_add_tail(&rec->link, &h->log);
	if (rec->type != GPE_REC_MSG)
		return;
	h->unread += info_of(rec).len + GPE_RECORD_COST;
	if (h->unread > 2 * SIM_LIMIT)
		sim_bad("V13", "%llu bytes unread at a limit of %u",
			h->unread, SIM_LIMIT);
}

static void deliver(struct sim_node *n, struct sim_host *h,
		    struct gpe_rec *rec)
{
	struct gpe_msg_info info;
	u64 id = 0;
	u32 i;

	append(h, rec);
	if (rec->type == GPE_REC_MSG) {
		info = info_of(rec);
		id = payload(rec, info.len);
	}
	for (i = 0; i < S.n_socks; i++) {
		struct sim_sock *s = &n->sock[i];
		const struct gpe_view *view;

		if (!s->bound || s->host != h || s->closing)
			continue;
		if (rec->type == GPE_REC_VIEW) {
			view = container_of(rec, struct gpe_view_rec,
					    rec)->view;
			s->attached = listed(s, view);
		}
		if (s->attached)
			give(s, rec, &info, id);
	}
}

static void deliver_one(struct sim_node *n, struct sim_sock *s,
			struct gpe_rec *rec)
{
	struct gpe_msg_info info = info_of(rec);

	if (s->attached && !s->closing)
		give(s, rec, &info, payload(rec, info.len));
	append(&n->host[s->group], rec);
}

void sim_sock_free(struct sim_sock *s)
{
	check_gone(s->member);
	if (s->pending && s->submit.buf)
		gpe_buf_put(s->submit.buf);
	memset(s, 0, sizeof(*s));
}

/* As in the kernel, whoever was refused sleeps until it is woken. */
static void wake(struct sim_node *n, struct sim_host *h)
{
	bool any = false;
	u32 i;

	for (i = 0; i < S.n_socks; i++) {
		struct sim_sock *s = &n->sock[i];

		if (!s->bound || s->host != h)
			continue;
		s->woken = true;
		any |= s->pending;
	}
	if (any)
		sim_at(S.now, SIM_EV_WAKE, n->index, 0, NULL);
}

static void act(struct sim_node *n, const struct gpe_act *a)
{
	switch (a->type) {
	case GPE_ACT_SEND:
		sim_send(n, &a->send);
		break;
	case GPE_ACT_DELIVER:
		deliver(n, a->deliver.host, a->deliver.rec);
		break;
	case GPE_ACT_DELIVER_ONE:
		deliver_one(n, a->deliver.cookie, a->deliver.rec);
		break;
	case GPE_ACT_GONE:
		sim_sock_free(a->gone.cookie);
		break;
	case GPE_ACT_WAKE:
		wake(n, a->wake.host);
		break;
	default:
		break;
	}
}

static void look(struct sim_node *n)
{
	struct gpe_node_info info;

	gpe_node_info(n->engine, &info);
	sim_bound_look(n, &info);
	chain_look(n, &info);
	/* All of a decided view is ready for it. */
	if (info.state == GPE_ST_FRESH &&
	    !strcmp(info.why, "lacks what its next node view holds"))
		sim_bad("V11", "node %u %s", n->index, info.why);
	if (!info.epoch || info.epoch == n->last_epoch)
		return;
	sim_trace("node %u (inc %llx) epoch %llu of %u nodes, was %llu",
		  n->index, info.inc & 0xffff, info.epoch, info.n_nodes,
		  n->last_epoch);
	check_epoch(&info);
	n->last_epoch = info.epoch;
}

/* ---- memory ---- */

static bool no_memory(void)
{
	return sim_luck(stepping, stepping->nomem);
}

/* Filled as far as there is memory, as in the kernel. */
static void reserve(struct sim_node *n)
{
	u32 need;

	for (need = gpe_pool_need(n->engine); need; need--) {
		void *cell = gpe_alloc(GPE_CELL_SIZE);

		if (!cell)
			return;
		gpe_pool_add(n->engine, cell);
	}
}

/* ---- steps ---- */

static void one_step(struct sim_node *n, struct gpe_event *ev)
{
	long bytes = gpe_shim_bytes;
	u32 i;

	pause_ran(n);
	stepping = n;
	gpe_shim_fail = no_memory;
	reserve(n);
	gpe_step(n->engine, sim_clock(n), ev, &out);
	gpe_shim_fail = NULL;
	n->bytes += gpe_shim_bytes - bytes;
	S.steps++;
	S.hash = (S.hash ^ (S.now + n->index + ev->type)) *
		 0x100000001b3ULL;
	n->more = out.more;
	for (i = 0; i < out.n; i++)
		act(n, &out.act[i]);
	look(n);
}

/* One tick is under way at most, as the kernel's timer, early or just right. */
static void arm(struct sim_node *n)
{
	u64 at = gpe_next_deadline(n->engine);

	if (at != U64_MAX)
		at = sim_when(n, at);
	if (n->more)
		at = min(at, S.now + sim_draw(&n->luck, S.mix.late * SIM_MS));
	if (at == U64_MAX || (n->tick_at && n->tick_at <= at))
		return;
	n->tick_at = at > S.now ? at : S.now + 1;
	sim_at(n->tick_at, SIM_EV_TICK, n->index, 0, NULL);
}

/* Its clock is another one. */
void sim_node_rearm(struct sim_node *n)
{
	n->tick_at = 0;
	arm(n);
}

void sim_node_step(struct sim_node *n, struct gpe_event *ev)
{
	struct gpe_event tick = { .type = GPE_EV_TICK };
	u32 rounds = 0;

	one_step(n, ev);
	/* As the kernel leaves to its worker what takes long. */
	while (n->more && !S.bad && !sim_luck(n, S.mix.lazy)) {
		one_step(n, &tick);
		if (++rounds > sim_bound_rounds())
			sim_bad("V11", "node %u: more to do after %u steps in a row",
				n->index, rounds);
	}
	S.at_group = 0;
	arm(n);
}

void sim_node_tick(struct sim_node *n)
{
	struct gpe_event ev = { .type = GPE_EV_TICK };

	n->tick_at = 0;
	if (n->more || gpe_next_deadline(n->engine) <= sim_clock(n))
		sim_node_step(n, &ev);
	else
		arm(n);
}

void sim_node_packet(struct sim_node *n, u32 path, struct gpe_shim_buf *buf)
{
	struct gpe_event ev = { .type = GPE_EV_PACKET };

	if (n->engine && n->bearer) {
		pause_heard(n, path, buf->sent);
		ev.packet.path = path;
		ev.packet.hdr = buf->data;
		ev.packet.hdr_len = min(buf->len, GPE_HDR_MAX);
		ev.packet.len = buf->len;
		ev.packet.buf = buf;
		sim_node_step(n, &ev);
	}
	gpe_buf_put(buf);
}

void sim_node_peer(struct sim_node *n, u32 to, bool there)
{
	struct gpe_event ev = { .type = there ? GPE_EV_PEER_ADD :
						GPE_EV_PEER_DEL };

	if (S.node[to].absent)
		return;
	ev.peer.path = sim_path(n->index, to);
	ev.peer.mtu = S.link[n->index][to].mtu;
	sim_node_step(n, &ev);
}

void sim_node_bearer(struct sim_node *n, bool there)
{
	struct gpe_event ev = { .type = GPE_EV_BEARERS };

	/* What it says at the end still goes out. */
	n->bearer = true;
	ev.bearers.count = there;
	ev.bearers.wall_ns = sim_wall(n);
	sim_node_step(n, &ev);
	n->bearer = there;
}

static void hosts_init(struct sim_node *n)
{
	u32 i;

	if (!n->host) {
		n->host = calloc(S.n_groups, sizeof(*n->host));
		n->sock = calloc(S.n_socks, sizeof(*n->sock));
		if (!n->host || !n->sock)
			abort();
	}
	for (i = 0; i < S.n_groups; i++) {
		INIT_LIST_HEAD(&n->host[i].log);
		n->host[i].group = i;
		n->host[i].unread = 0;
	}
}

/* Whoever loses addresses still knows how many nodes there are. */
static bool engine_new(struct sim_node *n)
{
	bool told = S.mix.peer || S.n_votes != sim_there();
	struct gpe_cfg cfg = { .id = n->index + 1, .cluster = 7,
			       .votes = n->votes,
			       .partition = S.none ? GPE_PART_NONE :
						     GPE_PART_PRIMARY,
			       .heartbeat_ns = S.heartbeat_ns,
			       .detect_ns = S.detect_ns,
			       .expected_votes = told ? S.n_votes : 0 };
	long bytes = gpe_shim_bytes;
	u64 was = sim_stream(SIM_START, n->index, n->starts, 0);

	n->inc = (u64)sim_rand(U32_MAX) << 32 | (sim_rand(U32_MAX) + 1);
	sim_clock_start(n);
	n->ran_at = 0;
	n->woke_at = 0;
	stepping = n;
	gpe_shim_fail = no_memory;
	n->engine = gpe_node_create(&cfg, n->inc, sim_rand(U32_MAX),
				    sim_clock(n), sim_wall(n));
	gpe_shim_fail = NULL;
	n->bytes = gpe_shim_bytes - bytes;
	S.rng = was;
	return n->engine;
}

void sim_node_start(struct sim_node *n)
{
	u32 i;

	if (n->absent)
		return;
	n->starts++;
	if (!engine_new(n)) {
		sim_at(S.now + 10 * SIM_MS, SIM_EV_START, n->index, 0, NULL);
		return;
	}
	n->last_epoch = 0;
	n->chain_epoch = 0;
	n->last_ballots = 0;
	n->last_n = 0;
	memset(n->left, 0, sizeof(n->left));
	n->tick_at = 0;
	n->more = false;
	hosts_init(n);
	sim_trace("node %u starts, inc %llx", n->index, n->inc & 0xffff);
	sim_node_bearer(n, true);
	for (i = 0; i < S.n_nodes; i++)
		if (i != n->index)
			sim_node_peer(n, i, true);
	sim_at(S.now + SIM_MS, SIM_EV_WORK, n->index, n->starts, NULL);
}

void sim_node_crash(struct sim_node *n)
{
	struct gpe_rec *rec, *next;
	u32 i;

	sim_trace("node %u crashes", n->index);
	for (i = 0; i < S.n_groups; i++) {
		list_for_each_entry_safe(rec, next, &n->host[i].log, link) {
			list_del(&rec->link);
			gpe_rec_free(n->engine, rec);
		}
	}
	for (i = 0; i < S.n_socks; i++)
		if (n->sock[i].bound)
			sim_sock_free(&n->sock[i]);
	gpe_node_free(n->engine);
	n->engine = NULL;
	n->tick_at = 0;
	n->bytes = 0;
}

/* What a socket still waits for; NULL: nothing, and every socket is in. */
const char *sim_node_busy(const struct sim_node *n)
{
	static const char * const blocked[] = {
		"cannot send", "joining", "view", "suspended", "no window",
		"no credit", "no own credit"
	};
	static char text[60];
	u32 i;

	for (i = 0; i < S.n_socks; i++) {
		const struct sim_sock *s = &n->sock[i];
		const char *why = NULL;

		if (!s->bound)
			continue;
		if (s->pending)
			why = blocked[s->submit.block];
		else if (s->closing)
			why = "cannot leave";
		else if (!s->attached)
			why = "has not joined";
		if (!why)
			continue;
		S.at_group = s->group + 1;
		snprintf(text, sizeof(text), "port %u of group %u: %s ",
			 s->port, s->group, why);
		return text;
	}
	return NULL;
}
