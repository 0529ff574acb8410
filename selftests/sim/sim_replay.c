// SPDX-License-Identifier: GPL-2.0
/*
 * sim --replay FILE: runs the recording of a live node (debugfs, see
 * kmod/record.c) through this binary's engine, and says where it does
 * something else than the kernel's did.
 */
#include "sim.h"
#include "gpe_record.h"

enum { SOCKS = 4096, PLACES = 1 << 20 };

struct replay_group {
	struct replay_group *next;
	char name[GPE_NAME_MAX + 1];
};

struct replay_sock {
	struct gpe_local *local;
	u32 port;
};

static struct {
	struct gpe_node *engine;
	struct gpe_out *out;
	struct replay_group *groups;
	struct replay_sock sock[SOCKS];
	u32 n_socks;
	struct gpe_rec *rec[PLACES];	/* delivered and not read, by number */
	u32 n_recs;
	u64 steps;
	u64 scarce;	/* the kernel's reserve lacked cells */
	const u8 *p;	/* the next field, up to @end */
	const u8 *end;
} R;

static const char *host_name(const void *host)
{
	return ((const struct replay_group *)host)->name;
}

static u32 cookie_port(const void *cookie)
{
	return ((const struct replay_sock *)cookie)->port;
}

static const struct gpe_record_names names = { host_name, cookie_port };

/* ---- fields ---- */

static const u8 *take(u32 n)
{
	static const u8 zero[GPE_HDR_MAX + 64];
	const u8 *p = R.p;

	if (n > (u32)(R.end - R.p)) {
		R.p = R.end;
		return zero;
	}
	R.p += n;
	return p;
}

static u32 take32(void)
{
	return get_unaligned_be32(take(4));
}

static u64 take64(void)
{
	return get_unaligned_be64(take(8));
}

static struct replay_group *group_of(const char *name, u32 len)
{
	struct replay_group *g;

	for (g = R.groups; g; g = g->next)
		if (strlen(g->name) == len && !memcmp(g->name, name, len))
			return g;
	g = calloc(1, sizeof(*g));
	if (!g)
		abort();
	memcpy(g->name, name, min_t(u32, len, GPE_NAME_MAX));
	g->next = R.groups;
	R.groups = g;
	return g;
}

/* The socket with this port; a new one, or one whose member is gone. */
static struct replay_sock *sock_of(u32 port)
{
	struct replay_sock *none = NULL;
	u32 i;

	for (i = 0; i < R.n_socks; i++) {
		if (R.sock[i].port == port && port)
			return &R.sock[i];
		if (!R.sock[i].local && !none)
			none = &R.sock[i];
	}
	if (!none && R.n_socks < SOCKS)
		none = &R.sock[R.n_socks++];
	if (!none)
		abort();
	none->local = NULL;
	none->port = port;
	return none;
}

/* ---- events ---- */

static void take_packet(struct gpe_event *ev, struct gpe_shim_buf **buf)
{
	u32 path = take32(), len = take32(), hdr_len = take32();

	if (hdr_len > GPE_HDR_MAX || len < hdr_len || len > GPE_DGRAM_MAX * 2)
		hdr_len = len = 0;
	*buf = gpe_shim_buf_new(len);
	memcpy((*buf)->data, take(hdr_len), hdr_len);
	ev->packet.path = path;
	ev->packet.hdr = (*buf)->data;
	ev->packet.hdr_len = hdr_len;
	ev->packet.len = len;
	ev->packet.buf = *buf;
}

static void take_submit(struct gpe_event *ev, struct gpe_shim_buf **buf)
{
	u32 flags;

	ev->submit.local_at = &sock_of(take32())->local;
	ev->submit.len = take32();
	ev->submit.level = *take(1);
	flags = *take(1);
	ev->submit.to_one = flags & 1;
	ev->submit.demand = flags & 2;
	ev->submit.dst.inc = take64();
	ev->submit.dst.node = take32();
	ev->submit.dst.port = take32();
	ev->submit.vid.epoch = take64();
	ev->submit.vid.seq = take64();
	*buf = gpe_shim_buf_new(min_t(u32, ev->submit.len, 16 * GPE_MSG_MAX));
	ev->submit.buf = *buf;
}

static void take_join(struct gpe_event *ev, char *name)
{
	struct replay_sock *s = sock_of(take32());
	u32 len;

	ev->join.cookie = s;
	ev->join.local_at = &s->local;
	ev->join.port = s->port;
	ev->join.limit = take32();
	ev->join.props.order = take32();
	ev->join.props.orders = take32();
	ev->join.props.msg_max = take32();
	len = min_t(u32, R.end - R.p, GPE_NAME_MAX);
	memcpy(name, take(len), len);
	name[len] = '\0';
	ev->join.name = name;
	ev->join.host = group_of(name, len);
}

static void take_config(struct gpe_event *ev)
{
	ev->config.cfg.id = take32();
	ev->config.cfg.cluster = take64();
	ev->config.cfg.votes = take32();
	ev->config.cfg.expected_votes = take32();
	ev->config.cfg.partition = take32();
	ev->config.cfg.heartbeat_ns = take64();
	ev->config.cfg.detect_ns = take64();
	ev->config.wall_ns = take64();
}

static void take_consumed(struct list_head *list)
{
	while (R.p < R.end) {
		u64 nr = take64();

		if (!nr || nr > R.n_recs || !R.rec[nr])
			continue;
		list_add_tail(&R.rec[nr]->link, list);
		R.rec[nr] = NULL;
	}
}

static void take_event(struct gpe_event *ev, struct list_head *list,
		       struct gpe_shim_buf **buf, char *name)
{
	switch (ev->type) {
	case GPE_EV_PACKET:
		take_packet(ev, buf);
		break;
	case GPE_EV_SUBMIT:
		take_submit(ev, buf);
		break;
	case GPE_EV_JOIN:
		take_join(ev, name);
		break;
	case GPE_EV_LEAVE:
		ev->leave.local_at = &sock_of(take32())->local;
		ev->leave.why = take32();
		break;
	case GPE_EV_LIMIT:
		ev->limit.local_at = &sock_of(take32())->local;
		ev->limit.limit = take32();
		break;
	case GPE_EV_CONFIG:
		take_config(ev);
		break;
	case GPE_EV_BEARERS:
		ev->bearers.count = take32();
		ev->bearers.wall_ns = take64();
		break;
	case GPE_EV_PEER_ADD:
	case GPE_EV_PEER_DEL:
		ev->peer.path = take32();
		ev->peer.mtu = take32();
		break;
	case GPE_EV_CONSUMED:
		take_consumed(list);
		ev->consumed = list;
		break;
	case GPE_EV_TICK:
	case GPE_EV_GOODBYE:
		break;
	}
}

/* ---- steps ---- */

static void book(void)
{
	u32 i;

	for (i = 0; i < R.out->n; i++) {
		const struct gpe_act *act = &R.out->act[i];

		if (act->type == GPE_ACT_GONE)
			((struct replay_sock *)act->gone.cookie)->local = NULL;
		if (act->type != GPE_ACT_DELIVER &&
		    act->type != GPE_ACT_DELIVER_ONE)
			continue;
		if (++R.n_recs == PLACES)
			abort();
		R.rec[R.n_recs] = act->deliver.rec;
	}
}

/* One entry of @len bytes: whether the engine did the same. */
static bool replay_step(const u8 *p, u32 len)
{
	struct gpe_event ev = { .type = p[4] };
	u64 now = get_unaligned_be64(p + 5);
	u8 got[GPE_RECORD_RESULT];
	char name[GPE_NAME_MAX + 1];
	struct gpe_shim_buf *buf = NULL;
	struct list_head list;
	u32 need;

	INIT_LIST_HEAD(&list);
	R.scarce += !!get_unaligned_be16(p + 13);
	R.p = p + GPE_RECORD_EVENT;
	R.end = p + len;
	take_event(&ev, &list, &buf, name);
	for (need = gpe_pool_need(R.engine); need; need--)
		gpe_pool_add(R.engine, gpe_alloc(GPE_CELL_SIZE));
	gpe_step(R.engine, now, &ev, R.out);
	gpe_record_result(got, &ev, R.out, &names);
	if (buf)
		gpe_buf_put(buf);
	book();
	R.steps++;
	if (!memcmp(got, p + len, GPE_RECORD_RESULT))
		return true;
	printf("sim: step %llu, event %u at %llu: %u actions, hash %016llx; the kernel: %u, %016llx\n",
	       R.steps, p[4], now, get_unaligned_be16(got),
	       (u64)get_unaligned_be64(got + 3), get_unaligned_be16(p + len),
	       (u64)get_unaligned_be64(p + len + 3));
	return false;
}

static u8 *load(const char *path, u32 *len)
{
	FILE *f = fopen(path, "rb");
	u32 size = 0, n;
	u8 *p = NULL;

	*len = 0;
	if (!f)
		return NULL;
	do {
		if (*len == size) {
			size = size ? 2 * size : 1 << 20;
			p = realloc(p, size);
			if (!p)
				abort();
		}
		n = fread(p + *len, 1, size - *len, f);
		*len += n;
	} while (n);
	fclose(f);
	return p;
}

static int begin(const char *path, const u8 *p, u32 len)
{
	struct gpe_record_made made;
	u16 wire = 0;
	int ret = p ? gpe_record_head_get(p, len, &made, &wire) : -ENOENT;

	if (ret == -EPROTO)
		fprintf(stderr, "sim: %s: made by an engine of wire version %u, this one has %u\n",
			path, wire, GPE_VERSION);
	else if (ret)
		fprintf(stderr, "sim: %s: %s\n", path,
			p ? "not a recording" : "cannot be read");
	if (ret)
		return ret;
	R.engine = gpe_node_create(&made.cfg, made.inc, made.seed, made.now,
				   made.wall);
	R.out = malloc(sizeof(*R.out));
	if (!R.engine || !R.out)
		abort();
	return 0;
}

static void finish(void)
{
	struct replay_group *g;
	u32 i;

	for (i = 1; i <= R.n_recs; i++)
		if (R.rec[i])
			gpe_rec_free(R.engine, R.rec[i]);
	gpe_node_free(R.engine);
	free(R.out);
	while ((g = R.groups)) {
		R.groups = g->next;
		free(g);
	}
}

/**
 * sim_replay() - run a recording
 * @path: file
 *
 * Return: exit status: 0: all actions equal, 1: not, 2: no recording.
 */
int sim_replay(const char *path)
{
	u32 len, at = GPE_RECORD_HEAD;
	u8 *p = load(path, &len);
	bool same = true;

	if (begin(path, p, len)) {
		free(p);
		return 2;
	}
	while (same && len - at >= GPE_RECORD_EVENT + GPE_RECORD_RESULT) {
		u32 n = get_unaligned_be32(p + at);

		if (n < GPE_RECORD_EVENT || n > len - at ||
		    len - at - n < GPE_RECORD_RESULT)
			break;
		same = replay_step(p + at, n);
		at += n + GPE_RECORD_RESULT;
	}
	if (same && at != len) {
		fprintf(stderr, "sim: %s: cut off or damaged at byte %u\n",
			path, at);
		same = false;
	}
	printf("sim: replayed %llu steps, %u records delivered, %llu with the reserve scarce: %s\n",
	       R.steps, R.n_recs, R.scarce,
	       same ? "all actions equal" : "not equal");
	finish();
	free(p);
	return !same;
}
