// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Recordings: how events and what came of them are written. */
#include "gpe_int.h"
#include "gpe_record.h"

static const u8 gpe_record_magic[4] = { 'G', 'P', 'E', 'R' };

/**
 * gpe_record_head() - begin a recording
 * @p: room for GPE_RECORD_HEAD bytes
 * @made: arguments of gpe_node_create()
 */
void gpe_record_head(u8 *p, const struct gpe_record_made *made)
{
	memcpy(p, gpe_record_magic, 4);
	put_unaligned_be16(GPE_RECORD_VERSION, p + 4);
	put_unaligned_be16(GPE_VERSION, p + 6);
	put_unaligned_be32(made->cfg.id, p + 8);
	put_unaligned_be64(made->cfg.cluster, p + 12);
	put_unaligned_be32(made->cfg.votes, p + 20);
	put_unaligned_be32(made->cfg.expected_votes, p + 24);
	put_unaligned_be32(made->cfg.partition, p + 28);
	put_unaligned_be64(made->cfg.heartbeat_ns, p + 32);
	put_unaligned_be64(made->cfg.detect_ns, p + 40);
	put_unaligned_be64(made->inc, p + 48);
	put_unaligned_be64(made->seed, p + 56);
	put_unaligned_be64(made->now, p + 64);
	put_unaligned_be64(made->wall, p + 72);
}

/**
 * gpe_record_head_get() - read what gpe_record_head() wrote
 * @p: the recording
 * @len: its bytes
 * @made: result
 * @wire: wire version of the engine that made it
 *
 * Return: 0, -EINVAL: not a recording, -EPROTO: of another version.
 */
int gpe_record_head_get(const u8 *p, u32 len, struct gpe_record_made *made,
			u16 *wire)
{
	if (len < 8 || memcmp(p, gpe_record_magic, 4))
		return -EINVAL;
	*wire = get_unaligned_be16(p + 6);
	if (get_unaligned_be16(p + 4) != GPE_RECORD_VERSION ||
	    *wire != GPE_VERSION)
		return -EPROTO;
	if (len < GPE_RECORD_HEAD)
		return -EINVAL;
	made->cfg.id = get_unaligned_be32(p + 8);
	made->cfg.cluster = get_unaligned_be64(p + 12);
	made->cfg.votes = get_unaligned_be32(p + 20);
	made->cfg.expected_votes = get_unaligned_be32(p + 24);
	made->cfg.partition = get_unaligned_be32(p + 28);
	made->cfg.heartbeat_ns = get_unaligned_be64(p + 32);
	made->cfg.detect_ns = get_unaligned_be64(p + 40);
	made->inc = get_unaligned_be64(p + 48);
	made->seed = get_unaligned_be64(p + 56);
	made->now = get_unaligned_be64(p + 64);
	made->wall = get_unaligned_be64(p + 72);
	return 0;
}

/* ---- events ---- */

static u8 *gpe_put32(u8 *p, u32 val)
{
	put_unaligned_be32(val, p);
	return p + 4;
}

static u8 *gpe_put64(u8 *p, u64 val)
{
	put_unaligned_be64(val, p);
	return p + 8;
}

/* Port of the member that an event is about, 0: there is none any more. */
static u32 gpe_port_at(struct gpe_local *const *local_at)
{
	return *local_at ? (*local_at)->port : 0;
}

static u8 *gpe_put_packet(u8 *p, const struct gpe_ev_packet *pkt)
{
	p = gpe_put32(p, pkt->path);
	p = gpe_put32(p, pkt->len);
	p = gpe_put32(p, pkt->hdr_len);
	memcpy(p, pkt->hdr, pkt->hdr_len);
	return p + pkt->hdr_len;
}

static u8 *gpe_put_submit(u8 *p, const struct gpe_ev_submit *sub)
{
	p = gpe_put32(p, gpe_port_at(sub->local_at));
	p = gpe_put32(p, sub->len);
	*p++ = sub->level;
	*p++ = sub->to_one | sub->demand << 1;
	p = gpe_put64(p, sub->to_one ? sub->dst.inc : 0);
	p = gpe_put32(p, sub->to_one ? sub->dst.node : 0);
	p = gpe_put32(p, sub->to_one ? sub->dst.port : 0);
	p = gpe_put64(p, sub->demand ? sub->vid.epoch : 0);
	return gpe_put64(p, sub->demand ? sub->vid.seq : 0);
}

static u8 *gpe_put_join(u8 *p, const struct gpe_ev_join *join)
{
	u32 len = strlen(join->name);

	p = gpe_put32(p, join->port);
	p = gpe_put32(p, join->limit);
	p = gpe_put32(p, join->props.order);
	p = gpe_put32(p, join->props.orders);
	p = gpe_put32(p, join->props.msg_max);
	memcpy(p, join->name, len);
	return p + len;
}

static u8 *gpe_put_config(u8 *p, const struct gpe_ev_config *config)
{
	p = gpe_put32(p, config->cfg.id);
	p = gpe_put64(p, config->cfg.cluster);
	p = gpe_put32(p, config->cfg.votes);
	p = gpe_put32(p, config->cfg.expected_votes);
	p = gpe_put32(p, config->cfg.partition);
	p = gpe_put64(p, config->cfg.heartbeat_ns);
	p = gpe_put64(p, config->cfg.detect_ns);
	return gpe_put64(p, config->wall_ns);
}

static u8 *gpe_put_fields(u8 *p, const struct gpe_event *ev)
{
	switch (ev->type) {
	case GPE_EV_PACKET:
		return gpe_put_packet(p, &ev->packet);
	case GPE_EV_SUBMIT:
		return gpe_put_submit(p, &ev->submit);
	case GPE_EV_JOIN:
		return gpe_put_join(p, &ev->join);
	case GPE_EV_LEAVE:
		p = gpe_put32(p, gpe_port_at(ev->leave.local_at));
		return gpe_put32(p, ev->leave.why);
	case GPE_EV_LIMIT:
		p = gpe_put32(p, gpe_port_at(ev->limit.local_at));
		return gpe_put32(p, ev->limit.limit);
	case GPE_EV_CONFIG:
		return gpe_put_config(p, &ev->config);
	case GPE_EV_BEARERS:
		p = gpe_put32(p, ev->bearers.count);
		return gpe_put64(p, ev->bearers.wall_ns);
	case GPE_EV_PEER_ADD:
	case GPE_EV_PEER_DEL:
		p = gpe_put32(p, ev->peer.path);
		return gpe_put32(p, ev->peer.mtu);
	case GPE_EV_TICK:
	case GPE_EV_CONSUMED:
	case GPE_EV_GOODBYE:
		break;
	}
	return p;
}

/**
 * gpe_record_event() - write an event
 * @p: room for GPE_RECORD_MAX bytes
 * @now: time of the step
 * @lack: cells that the reserve lacks
 * @ev: the event, before the step
 *
 * Return: bytes written.
 */
u32 gpe_record_event(u8 *p, u64 now, u32 lack, const struct gpe_event *ev)
{
	u32 len;

	p[4] = ev->type;
	put_unaligned_be64(now, p + 5);
	put_unaligned_be16(lack, p + 13);
	len = gpe_put_fields(p + GPE_RECORD_EVENT, ev) - p;
	put_unaligned_be32(len, p);
	return len;
}

/* ---- what came of it ---- */

/* FNV-1a (Fowler, Noll, Vo): to find a difference, not to hide one. */
static u64 gpe_hash_bytes(u64 h, const void *p, u32 len)
{
	const u8 *b = p;

	while (len--)
		h = (h ^ *b++) * 0x100000001b3ULL;
	return h;
}

static u64 gpe_hash(u64 h, u64 val)
{
	u8 b[8];

	put_unaligned_be64(val, b);
	return gpe_hash_bytes(h, b, 8);
}

static u64 gpe_hash_vid(u64 h, const struct gpe_vid *vid)
{
	return gpe_hash(gpe_hash(h, vid->epoch), vid->seq);
}

static u64 gpe_hash_rec(u64 h, const struct gpe_rec *rec)
{
	const struct gpe_view *view;
	struct gpe_msg_info info;
	u32 i;

	h = gpe_hash(h, rec->type);
	switch ((enum gpe_rec_type)rec->type) {
	case GPE_REC_MSG:
		gpe_msg_info(rec, &info);
		h = gpe_hash_vid(h, &info.vid);
		h = gpe_hash(h, info.sender.inc);
		h = gpe_hash(h, info.sender.port);
		h = gpe_hash(h, info.position);
		h = gpe_hash(h, info.lamport);
		h = gpe_hash(h, info.dst_port);
		return gpe_hash(h, info.len);
	case GPE_REC_VIEW:
		view = container_of(rec, struct gpe_view_rec, rec)->view;
		h = gpe_hash_vid(h, &view->id);
		for (i = 0; i < view->n + view->n_left; i++) {
			h = gpe_hash(h, view->m[i].addr.inc);
			h = gpe_hash(h, view->m[i].addr.port);
			h = gpe_hash(h, view->m[i].change);
		}
		return h;
	default:
		return gpe_hash_vid(h, &container_of(rec, struct gpe_note,
						     rec)->vid);
	}
}

static u64 gpe_hash_name(u64 h, const struct gpe_record_names *names,
			 const void *host)
{
	const char *name = names->host(host);

	return gpe_hash_bytes(h, name, strlen(name));
}

static u64 gpe_hash_act(u64 h, const struct gpe_act *act,
			const struct gpe_record_names *names)
{
	h = gpe_hash(h, act->type);
	switch (act->type) {
	case GPE_ACT_SEND:
		h = gpe_hash(h, act->send.paths);
		h = gpe_hash(h, act->send.len);
		return gpe_hash_bytes(h, act->send.hdr, act->send.hdr_len);
	case GPE_ACT_DELIVER_ONE:
		h = gpe_hash(h, names->cookie(act->deliver.cookie));
		fallthrough;
	case GPE_ACT_DELIVER:
		h = gpe_hash_name(h, names, act->deliver.host);
		return gpe_hash_rec(h, act->deliver.rec);
	case GPE_ACT_GONE:
		h = gpe_hash(h, names->cookie(act->gone.cookie));
		h = gpe_hash(h, (u32)act->gone.error);
		return gpe_hash(h, act->gone.why);
	case GPE_ACT_WAKE:
		return gpe_hash_name(h, names, act->wake.host);
	case GPE_ACT_PEER:
		h = gpe_hash(h, act->peer.path);
		return gpe_hash(h, act->peer.up);
	case GPE_ACT_NODE:
		break;
	}
	return h;
}

/**
 * gpe_record_result() - write what a step did
 * @p: room for GPE_RECORD_RESULT bytes
 * @ev: the event, after the step
 * @out: its actions, none of them done yet
 * @names: of the host's objects
 */
void gpe_record_result(u8 *p, const struct gpe_event *ev,
		       const struct gpe_out *out,
		       const struct gpe_record_names *names)
{
	u64 h = 0xcbf29ce484222325ULL;
	u32 i;

	if (ev->type == GPE_EV_SUBMIT)
		h = gpe_hash(gpe_hash(h, (u32)ev->submit.ret),
			     ev->submit.block);
	if (ev->type == GPE_EV_JOIN)
		h = gpe_hash(h, (u32)ev->join.ret);
	if (ev->type == GPE_EV_CONFIG)
		h = gpe_hash(h, (u32)ev->config.ret);
	for (i = 0; i < out->n; i++)
		h = gpe_hash_act(h, &out->act[i], names);
	put_unaligned_be16(out->n, p);
	p[2] = out->more;
	put_unaligned_be64(h, p + 3);
}
