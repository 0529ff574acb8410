// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Packets of the consensus in and out, and blobs: bodies that may be larger
 * than a packet. A blob's first part comes with the packet that announces it
 * (PROMISE, PROPOSE, ACCEPT, INSTALL); whoever wants the rest fetches it:
 *
 *      receiver                          sender
 *         | <--- announcement, part 0 ----- |   repeated until answered
 *         | ---- GET base, 8 bits --------> |   repeated every 20 ms,
 *         | <--- PART, PART, ... ---------- |   at once when the window moves
 *
 * The sender keeps nothing for it: a GET names the blob, and it is answered
 * from whatever state holds it, or not at all. The receiver has one assembly
 * for each path, and begins one only for a blob it has a use for, so a
 * stranger makes it allocate nothing.
 *
 * What is due to a path is a set of bits. A packet is made from state when the
 * output has room, so one that became pointless meanwhile is not sent.
 */
#include "gpe_change.h"

/* An assembly that stands still for so long gives way to another one. */
#define GPE_RX_STALL_NS	(5 * GPE_CTL_REPEAT_NS)

/* ---- blobs ---- */

/**
 * gpe_blob_new() - room for bytes
 * @len: how many, 1 to GPE_BLOB_MAX
 *
 * Return: the blob with one reference, or NULL.
 */
struct gpe_blob *gpe_blob_new(u32 len)
{
	struct gpe_blob *blob;

	if (!len || len > GPE_BLOB_MAX)
		return NULL;
	blob = gpe_alloc(sizeof(*blob) + len);
	if (!blob)
		return NULL;
	blob->refs = 1;
	blob->len = len;
	return blob;
}

/**
 * gpe_blob_get() - one reference more
 * @blob: blob or NULL
 *
 * Return: @blob.
 */
struct gpe_blob *gpe_blob_get(struct gpe_blob *blob)
{
	if (blob)
		blob->refs++;
	return blob;
}

/**
 * gpe_blob_put() - one reference less
 * @blob: blob or NULL
 */
void gpe_blob_put(struct gpe_blob *blob)
{
	if (blob && !--blob->refs)
		gpe_free(blob);
}

/**
 * gpe_blob_set() - make a holder hold another blob
 * @to: the holder
 * @blob: blob or NULL; gets a reference
 */
void gpe_blob_set(struct gpe_blob **to, struct gpe_blob *blob)
{
	struct gpe_blob *was = *to;

	*to = gpe_blob_get(blob);
	gpe_blob_put(was);
}

/**
 * gpe_blob_same() - equal bytes?
 * @a: blob or NULL
 * @b: blob or NULL
 *
 * Return: true if both are there and equal.
 */
bool gpe_blob_same(const struct gpe_blob *a, const struct gpe_blob *b)
{
	return a && b && a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/* ---- receiving ---- */

static void gpe_rx_drop(struct gpe_rx *rx)
{
	gpe_blob_put(rx->blob);
	memset(rx, 0, sizeof(*rx));
}

/* Has this node a use for the blob, now? */
static bool gpe_rx_wanted(struct gpe_node *node, u8 path, u8 kind, u64 closing,
			  const struct gpe_ballot *ballot)
{
	const struct gpe_prop *prop = &node->change->prop;
	const struct gpe_part *part;

	switch (kind) {
	case GPE_BK_PROMISE:
		part = gpe_ballot_part(node, path);
		return part && !part->promised &&
		       gpe_ballot_is(node, closing, ballot, GPE_PH_PREPARE);
	case GPE_BK_VALUE:
		return gpe_accept_wants(node, closing, ballot);
	case GPE_BK_DECISION:
		return gpe_view_wants(node, closing);
	case GPE_BK_DIR:
		return prop->joiner && !prop->dir && prop->path == path &&
		       prop->closing == closing &&
		       !gpe_ballot_cmp(&prop->ballot, ballot);
	}
	return false;
}

/* A blob is whole. It may be of use to more than one side. */
static void gpe_rx_done(struct gpe_node *node, u8 path, u8 kind, u8 type,
			u64 closing, const struct gpe_ballot *ballot,
			struct gpe_blob *blob)
{
	switch (kind) {
	case GPE_BK_PROMISE:
		gpe_ballot_promise(node, path, blob);
		break;
	case GPE_BK_VALUE:
		if (!gpe_accept_value(node, path, closing, ballot, blob))
			break;
		if (type == GPE_PK_ACCEPT &&
		    gpe_accept_vote(node, closing, ballot, blob)) {
			node->change->path[path].formation = !closing;
			gpe_due(node, path, GPE_DUE_ACCEPTED);
		}
		break;
	case GPE_BK_DECISION:
		gpe_view_decided(node, closing, ballot, blob);
		break;
	case GPE_BK_DIR:
		gpe_accept_dir(node, blob);
		break;
	}
}

static bool gpe_rx_is(const struct gpe_rx *rx, const struct gpe_pkt_view *v)
{
	return rx->kind == v->kind && rx->closing == v->closing &&
	       !gpe_ballot_cmp(&rx->ballot, &v->ballot);
}

static void gpe_rx_begin(struct gpe_node *node, struct gpe_rx *rx, u8 kind,
			 u64 closing, const struct gpe_ballot *ballot)
{
	gpe_rx_drop(rx);
	rx->kind = kind;
	rx->closing = closing;
	rx->ballot = *ballot;
	rx->moved_ns = node->now;
}

/* May a new blob take the path's assembly? */
static bool gpe_rx_yields(const struct gpe_node *node, const struct gpe_rx *rx,
			  const struct gpe_pkt_view *v)
{
	return !rx->kind || v->kind == GPE_BK_DECISION ||
	       node->now - rx->moved_ns > GPE_RX_STALL_NS ||
	       (rx->closing == v->closing &&
		gpe_ballot_cmp(&v->ballot, &rx->ballot) > 0);
}

static u32 gpe_parts(u32 total)
{
	return DIV_ROUND_UP(total, GPE_VIEW_PART);
}

/* Puts a part in its place. True: the window has moved. */
static bool gpe_rx_part(struct gpe_node *node, struct gpe_rx *rx,
			const struct gpe_pkt_view *v)
{
	u32 nr = v->off / GPE_VIEW_PART;

	if (nr < rx->base || nr >= rx->base + GPE_BLOB_WINDOW ||
	    (rx->have & BIT(nr - rx->base)))
		return false;
	memcpy(rx->blob->data + v->off, v->part, v->len);
	rx->have |= BIT(nr - rx->base);
	rx->moved_ns = node->now;
	if (!(rx->have & 1))
		return false;
	while (rx->have & 1) {
		rx->have >>= 1;
		rx->base++;
	}
	return true;
}

/* Announcement or PART: takes the part in, acts when the blob is whole. */
static void gpe_blob_rx(struct gpe_node *node, const struct gpe_pkt *pkt)
{
	const struct gpe_pkt_view *v = &pkt->view;
	struct gpe_rx *rx = &node->change->path[pkt->path].rx;
	struct gpe_blob *blob;
	u8 type;

	if (!gpe_rx_wanted(node, pkt->path, v->kind, v->closing, &v->ballot)) {
		if (gpe_rx_is(rx, v))
			gpe_rx_drop(rx);
		gpe_count(node, GPE_CNT_DROP_STATE);
		return;
	}
	if (!gpe_rx_is(rx, v)) {
		if (pkt->type == GPE_PK_PART || !gpe_rx_yields(node, rx, v))
			return;
		gpe_rx_begin(node, rx, v->kind, v->closing, &v->ballot);
	}
	if (pkt->type != GPE_PK_PART)
		rx->type = pkt->type;
	if (!rx->blob)
		rx->blob = gpe_blob_new(v->total);
	if (!rx->blob || rx->blob->len != v->total) {
		gpe_count(node, GPE_CNT_DROP_NOMEM);
		gpe_rx_drop(rx);
		return;
	}
	if (!gpe_rx_part(node, rx, v) && v->off)
		return;
	if (rx->base < gpe_parts(v->total)) {
		gpe_due(node, pkt->path, GPE_DUE_GET);
		gpe_view_busy(node);
		return;
	}
	blob = gpe_blob_get(rx->blob);
	type = rx->type;
	gpe_rx_drop(rx);
	gpe_rx_done(node, pkt->path, v->kind, type, v->closing, &v->ballot,
		    blob);
	gpe_blob_put(blob);
}

/**
 * gpe_blob_fetch() - ask for a blob of the proposal that is not announced
 * @node: the node
 * @path: from whom
 * @kind: GPE_BK_DIR
 */
void gpe_blob_fetch(struct gpe_node *node, u8 path, u8 kind)
{
	const struct gpe_prop *prop = &node->change->prop;
	struct gpe_pkt_view want = {
		.kind = kind,
		.closing = prop->closing,
		.ballot = prop->ballot,
	};
	struct gpe_rx *rx;

	if (path >= GPE_PATHS_MAX)
		return;
	rx = &node->change->path[path].rx;
	if (gpe_rx_is(rx, &want) || !gpe_rx_yields(node, rx, &want))
		return;
	gpe_rx_begin(node, rx, kind, prop->closing, &prop->ballot);
	gpe_due(node, path, GPE_DUE_GET);
}

/**
 * gpe_blob_progress() - how much of an assembly is here
 * @node: the node
 * @path: where it comes from
 *
 * Return: parts.
 */
u64 gpe_blob_progress(const struct gpe_node *node, u8 path)
{
	const struct gpe_rx *rx;
	u64 have;

	if (path >= GPE_PATHS_MAX)
		return 0;
	rx = &node->change->path[path].rx;
	have = rx->have;
	return rx->base + hweight64(have);
}

/**
 * gpe_blob_tick() - ask again for what did not come
 * @node: the node
 */
void gpe_blob_tick(struct gpe_node *node)
{
	u32 i;

	for (i = 0; i < GPE_PATHS_MAX; i++) {
		struct gpe_rx *rx = &node->change->path[i].rx;

		if (!rx->kind)
			continue;
		if (!gpe_rx_wanted(node, i, rx->kind, rx->closing,
				   &rx->ballot)) {
			gpe_rx_drop(rx);
			continue;
		}
		gpe_due(node, i, GPE_DUE_GET);
	}
}

/**
 * gpe_blob_drop_all() - nothing is due, nothing under assembly
 * @node: the node
 */
void gpe_blob_drop_all(struct gpe_node *node)
{
	u32 i;

	for (i = 0; i < GPE_PATHS_MAX; i++) {
		gpe_rx_drop(&node->change->path[i].rx);
		node->change->path[i].due = 0;
	}
	node->change->due = 0;
}

/* ---- packets in ---- */

static void gpe_get_rx(struct gpe_node *node, const struct gpe_pkt *pkt)
{
	const struct gpe_pkt_view *v = &pkt->view;
	struct gpe_vpath *vp = &node->change->path[pkt->path];

	/* An epoch's decision is asked for without knowing that there is one. */
	if (v->kind == GPE_BK_DECISION && !v->ballot.id) {
		if (gpe_decision(node, v->closing)) {
			vp->decision = v->closing;
			gpe_due(node, pkt->path, GPE_DUE_DECISION);
		} else if (v->closing && v->closing < node->ep.epoch &&
			   node->state == GPE_ST_NORMAL && node->quorate &&
			   node->path[pkt->path].seat >= node->ep.n) {
			vp->gone = v->closing;
			gpe_due(node, pkt->path, GPE_DUE_GONE);
		}
		return;
	}
	vp->tx_kind = v->kind;
	vp->tx_closing = v->closing;
	vp->tx_ballot = v->ballot;
	vp->tx_base = v->off / GPE_VIEW_PART;
	vp->tx_want = v->want;
	gpe_due(node, pkt->path, GPE_DUE_PART);
}

/* ACCEPT or PROPOSE whose value is here already. */
static bool gpe_known_value(struct gpe_node *node, const struct gpe_pkt *pkt)
{
	const struct gpe_pkt_view *v = &pkt->view;
	struct gpe_change *ch = node->change;
	struct gpe_prop *prop = &ch->prop;

	if (!prop->blob || prop->closing != v->closing ||
	    prop->path != pkt->path ||
	    gpe_ballot_cmp(&prop->ballot, &v->ballot) ||
	    prop->blob->len != v->total)
		return false;
	ch->contact_ns = node->now;
	if (pkt->type == GPE_PK_PROPOSE) {
		gpe_accept_check(node);
		if (prop->in)
			gpe_due(node, pkt->path, GPE_DUE_READY);
	} else if (gpe_accept_vote(node, v->closing, &v->ballot, prop->blob)) {
		ch->path[pkt->path].formation = !v->closing;
		gpe_due(node, pkt->path, GPE_DUE_ACCEPTED);
	}
	return true;
}

/* A value of a ballot that has been overtaken, or is over. */
static bool gpe_value_late(struct gpe_node *node, const struct gpe_pkt *pkt)
{
	const struct gpe_pkt_view *v = &pkt->view;
	struct gpe_vpath *vp = &node->change->path[pkt->path];
	const struct gpe_acceptor *acc = gpe_acceptor(node, v->closing);

	if (v->closing && gpe_decision(node, v->closing)) {
		vp->decision = v->closing;
		gpe_due(node, pkt->path, GPE_DUE_DECISION);
		return true;
	}
	if (node->state == GPE_ST_FRESH && v->closing)
		return false;
	if (!gpe_accept_overtaken(acc, &v->ballot) ||
	    (v->closing && acc->closing != v->closing))
		return false;
	vp->formation = !v->closing;
	vp->nak = v->ballot;
	gpe_due(node, pkt->path, GPE_DUE_NAK);
	return true;
}

/**
 * gpe_view_rx() - PREPARE to PART
 * @node: the node
 * @pkt: has passed gpe_detect_heard()
 */
void gpe_view_rx(struct gpe_node *node, struct gpe_pkt *pkt)
{
	const struct gpe_pkt_view *v = &pkt->view;

	switch (pkt->type) {
	case GPE_PK_PREPARE:
		gpe_accept_prepare(node, pkt);
		break;
	case GPE_PK_PROMISE:
		if (v->flags & GPE_VF_NAK)
			gpe_ballot_nak(node, v->closing, &v->ballot, v->nonce);
		else
			gpe_blob_rx(node, pkt);
		break;
	case GPE_PK_PROPOSE:
	case GPE_PK_ACCEPT:
		if (v->ballot.id != pkt->src)
			gpe_count(node, GPE_CNT_DROP_EPOCH);
		else if (!gpe_known_value(node, pkt) &&
			 !gpe_value_late(node, pkt))
			gpe_blob_rx(node, pkt);
		break;
	case GPE_PK_READY:
		gpe_ballot_ready(node, pkt->path, v);
		break;
	case GPE_PK_ACCEPTED:
		gpe_ballot_accepted(node, pkt->path, v);
		break;
	case GPE_PK_GET:
		gpe_get_rx(node, pkt);
		break;
	case GPE_PK_PART:
		if (v->flags & GPE_VF_GONE)
			gpe_view_gone(node, pkt->path, v->closing);
		else
			gpe_blob_rx(node, pkt);
		break;
	default: /* INSTALL */
		gpe_blob_rx(node, pkt);
		break;
	}
}

/* ---- packets out ---- */

static bool gpe_view_send(struct gpe_node *node, u32 path,
			  enum gpe_pkt_type type, const struct gpe_pkt_view *v)
{
	u8 *p = gpe_send_begin(node, BIT_ULL(path), GPE_HDR_MAX);
	u32 len;

	if (!p)
		return false;
	len = gpe_wire_open(node, p, type, node->path[path].inc);
	len += gpe_wirev_view(p + len, v);
	gpe_wire_close(p, len);
	gpe_send_end(node, len);
	return true;
}

static void gpe_part_fill(struct gpe_pkt_view *v, const struct gpe_blob *blob,
			  u32 nr)
{
	v->off = nr * GPE_VIEW_PART;
	v->total = blob->len;
	v->len = min_t(u32, blob->len - v->off, GPE_VIEW_PART);
	v->part = blob->data + v->off;
}

/* Whoever asks for a blob names it: it may be gone, then there is no answer. */
static const struct gpe_blob *gpe_tx_blob(const struct gpe_node *node,
					  const struct gpe_vpath *vp)
{
	const struct gpe_change *ch = node->change;
	const struct gpe_acceptor *acc = &ch->acc[vp->tx_closing != 0];
	const struct gpe_decision *dec;
	bool lead = ch->lead.phase != GPE_PH_IDLE &&
		    ch->lead.closing == vp->tx_closing &&
		    !gpe_ballot_cmp(&ch->lead.ballot, &vp->tx_ballot);

	switch (vp->tx_kind) {
	case GPE_BK_PROMISE:
		return acc->closing == vp->tx_closing &&
			       !gpe_ballot_cmp(&acc->promised,
					       &vp->tx_ballot) ?
			       acc->report : NULL;
	case GPE_BK_VALUE:
		return lead ? ch->lead.value : NULL;
	case GPE_BK_DECISION:
		dec = gpe_decision(node, vp->tx_closing);
		return dec && !gpe_ballot_cmp(&dec->ballot, &vp->tx_ballot) ?
			       dec->blob : NULL;
	case GPE_BK_DIR:
		return lead ? ch->lead.dir : NULL;
	}
	return NULL;
}

static bool gpe_send_parts(struct gpe_node *node, u32 path)
{
	struct gpe_vpath *vp = &node->change->path[path];
	const struct gpe_blob *blob = gpe_tx_blob(node, vp);
	struct gpe_pkt_view v = {
		.closing = vp->tx_closing,
		.ballot = vp->tx_ballot,
		.kind = vp->tx_kind,
	};

	while (blob && vp->tx_want) {
		u32 nr = vp->tx_base + __ffs64(vp->tx_want);

		if (nr < gpe_parts(blob->len)) {
			gpe_part_fill(&v, blob, nr);
			if (!gpe_view_send(node, path, GPE_PK_PART, &v))
				return false;
		}
		vp->tx_want &= vp->tx_want - 1;
	}
	return true;
}

static bool gpe_send_get(struct gpe_node *node, u32 path)
{
	const struct gpe_rx *rx = &node->change->path[path].rx;
	struct gpe_pkt_view v = {
		.closing = rx->closing,
		.ballot = rx->ballot,
		.kind = rx->kind,
		.off = rx->base * GPE_VIEW_PART,
		.want = ~rx->have,
	};

	/* The window is moved past what is here, so bit 0 is wanted. */
	return !rx->kind || gpe_view_send(node, path, GPE_PK_GET, &v);
}

static bool gpe_send_lead(struct gpe_node *node, u32 path, u32 what)
{
	const struct gpe_lead *lead = &node->change->lead;
	struct gpe_pkt_view v = {
		.closing = lead->closing,
		.ballot = lead->ballot,
	};

	if (what == GPE_DUE_PREPARE)
		return lead->phase != GPE_PH_PREPARE ||
		       gpe_view_send(node, path, GPE_PK_PREPARE, &v);
	if (!lead->value || lead->phase == GPE_PH_IDLE)
		return true;
	v.kind = GPE_BK_VALUE;
	gpe_part_fill(&v, lead->value, 0);
	return gpe_view_send(node, path, what == GPE_DUE_ACCEPT ?
			     GPE_PK_ACCEPT : GPE_PK_PROPOSE, &v);
}

static bool gpe_send_acceptor(struct gpe_node *node, u32 path, u32 what)
{
	const struct gpe_vpath *vp = &node->change->path[path];
	const struct gpe_acceptor *acc = &node->change->acc[!vp->formation];
	struct gpe_pkt_view v = { .closing = acc->closing };

	if (what == GPE_DUE_NAK) {
		v.ballot = vp->nak;
		v.flags = GPE_VF_NAK;
		v.nonce = acc->promised.nr;
		return gpe_view_send(node, path, GPE_PK_PROMISE, &v);
	}
	if (what == GPE_DUE_ACCEPTED) {
		v.ballot = acc->accepted;
		return !v.ballot.id ||
		       gpe_view_send(node, path, GPE_PK_ACCEPTED, &v);
	}
	if (!acc->report)
		return true;
	v.ballot = acc->promised;
	v.kind = GPE_BK_PROMISE;
	gpe_part_fill(&v, acc->report, 0);
	return gpe_view_send(node, path, GPE_PK_PROMISE, &v);
}

static bool gpe_send_ready(struct gpe_node *node, u32 path)
{
	const struct gpe_prop *prop = &node->change->prop;
	struct gpe_pkt_view v = {
		.closing = prop->closing,
		.ballot = prop->ballot,
	};

	if (!prop->blob || prop->path != path)
		return true;
	if (prop->ready)
		v.flags = GPE_VF_DONE;
	else
		v.nonce = gpe_accept_progress(node);
	return gpe_view_send(node, path, GPE_PK_READY, &v);
}

static bool gpe_send_decision(struct gpe_node *node, u32 path, u32 what)
{
	const struct gpe_vpath *vp = &node->change->path[path];
	const struct gpe_decision *dec;
	struct gpe_pkt_view v = { .kind = GPE_BK_DECISION };

	if (what == GPE_DUE_GONE) {
		v.closing = vp->gone;
		v.flags = GPE_VF_GONE;
		return gpe_view_send(node, path, GPE_PK_PART, &v);
	}
	if (what == GPE_DUE_ASK) {
		v.closing = vp->ask;
		v.want = 1;
		return gpe_view_send(node, path, GPE_PK_GET, &v);
	}
	dec = gpe_decision(node, vp->decision);
	if (!dec)
		return true;
	v.closing = dec->closing;
	v.ballot = dec->ballot;
	gpe_part_fill(&v, dec->blob, 0);
	return gpe_view_send(node, path, GPE_PK_INSTALL, &v);
}

static bool gpe_send_due(struct gpe_node *node, u32 path, u32 what)
{
	switch (what) {
	case GPE_DUE_PREPARE:
	case GPE_DUE_PROPOSE:
	case GPE_DUE_ACCEPT:
		return gpe_send_lead(node, path, what);
	case GPE_DUE_PROMISE:
	case GPE_DUE_NAK:
	case GPE_DUE_ACCEPTED:
		return gpe_send_acceptor(node, path, what);
	case GPE_DUE_READY:
		return gpe_send_ready(node, path);
	case GPE_DUE_GET:
		return gpe_send_get(node, path);
	case GPE_DUE_PART:
		return gpe_send_parts(node, path);
	default:
		return gpe_send_decision(node, path, what);
	}
}

/**
 * gpe_view_pump() - send what is due
 * @node: the node
 */
void gpe_view_pump(struct gpe_node *node)
{
	struct gpe_change *ch = node->change;

	while (ch->due) {
		u32 i = __ffs64(ch->due);
		struct gpe_vpath *vp = &ch->path[i];

		if (!node->path[i].used || !node->n_bearers ||
		    node->state == GPE_ST_STOPPED || !node->path[i].id)
			vp->due = 0;
		while (vp->due) {
			u32 what = vp->due & -vp->due;

			if (!gpe_send_due(node, i, what))
				return;
			vp->due &= ~what;
		}
		ch->due &= ch->due - 1;
	}
}
