// SPDX-License-Identifier: GPL-2.0
/* Programs of unit_net.h: sockets that join, send, leave; and what they saw. */
#include "unit_net.h"

static struct u_host *host_of(struct u_node *n, const char *name)
{
	struct u_host *h;

	for (h = n->hosts; h; h = h->next)
		if (!strcmp(h->name, name))
			return h;
	h = calloc(1, sizeof(*h));
	assert_non_null(h);
	memcpy(h->name, name, strlen(name));
	INIT_LIST_HEAD(&h->log);
	h->next = n->hosts;
	n->hosts = h;
	return h;
}

int u_try_join(struct u_net *net, u32 i, const char *name,
	       const struct gpe_props *props, u32 limit, struct u_sock **out)
{
	struct gpe_event ev = { .type = GPE_EV_JOIN };
	struct u_node *n = &net->node[i];
	struct u_sock *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->node = n;
	s->host = host_of(n, name);
	s->port = ++n->next_port;
	s->bound = true;
	memcpy(s->name, name, strlen(name));
	s->next = n->socks;
	n->socks = s;
	ev.join.host = s->host;
	ev.join.cookie = s;
	ev.join.name = name;
	if (props)
		ev.join.props = *props;
	ev.join.port = s->port;
	ev.join.limit = limit ? limit : GPE_MSG_MAX + GPE_LIMIT_SLACK;
	ev.join.local_at = &s->local;
	u_event(net, i, &ev);
	*out = s;
	if (ev.join.ret)
		s->bound = false;
	return ev.join.ret;
}

struct u_sock *u_join(struct u_net *net, u32 i, const char *name)
{
	struct u_sock *s;

	assert_int_equal(u_try_join(net, i, name, NULL, 0, &s), 0);
	return s;
}

struct u_sock *u_member(struct u_net *net, u32 i, const char *name)
{
	struct u_sock *s = u_join(net, i, name);

	u_wait(net, s->attached, 2000);
	return s;
}

void u_leave(struct u_net *net, struct u_sock *s)
{
	struct gpe_event ev = { .type = GPE_EV_LEAVE };

	s->closing = true;
	ev.leave.local_at = &s->local;
	ev.leave.why = GPE_WHY_LEAVE;
	u_event(net, s->node->index, &ev);
}

static int submit(struct u_net *net, struct u_sock *s, struct gpe_event *ev,
		  u64 tag)
{
	struct gpe_shim_buf *buf = gpe_shim_buf_new(ev->submit.len);
	u32 i;

	for (i = 0; i < ev->submit.len; i++)
		buf->data[i] = i < 8 ? tag >> (56 - 8 * i) : tag * 31 + i * 7;
	ev->type = GPE_EV_SUBMIT;
	ev->submit.local_at = &s->local;
	ev->submit.buf = buf;
	u_event(net, s->node->index, ev);
	gpe_buf_put(buf);
	s->block = ev->submit.block;
	s->vid = ev->submit.vid;
	return ev->submit.ret;
}

int u_send(struct u_net *net, struct u_sock *s, u8 level, u32 len, u64 tag)
{
	struct gpe_event ev = { .submit = { .len = len, .level = level } };

	return submit(net, s, &ev, tag);
}

int u_send_in(struct u_net *net, struct u_sock *s, const struct gpe_vid *vid)
{
	struct gpe_event ev = { .submit = { .len = 8, .level = GPE_FIFO } };

	ev.submit.demand = true;
	ev.submit.vid = *vid;
	return submit(net, s, &ev, 1);
}

int u_send_to(struct u_net *net, struct u_sock *s, const struct gpe_addr *to,
	      u32 len, u64 tag)
{
	struct gpe_event ev = { .submit = { .len = len, .level = GPE_FIFO } };

	ev.submit.to_one = true;
	ev.submit.dst = *to;
	return submit(net, s, &ev, tag);
}

struct gpe_addr u_addr(const struct u_sock *s)
{
	struct gpe_addr addr;

	gpe_self(s->node->engine, &addr);
	addr.port = s->port;
	return addr;
}

void u_push(struct u_net *net, struct u_sock *s, u8 level, u32 len, u64 tag)
{
	for (;;) {
		u32 wakes = s->host->wakes;
		int ret = u_send(net, s, level, len, tag);

		if (!ret)
			return;
		assert_int_equal(ret, -EAGAIN);
		if (!u_until(net, s->host->wakes != wakes, 10000))
			fail_msg("no wake: node %u len %u block %d state %d",
				 s->node->index, len, s->block,
				 s->node->engine->state);
	}
}

/* ---- what sockets saw ---- */

u32 u_recs(const struct u_sock *s, enum gpe_rec_type type)
{
	u32 i, n = 0;

	for (i = 0; i < s->n_recs; i++)
		n += s->rec[i].type == type;
	return n;
}

u32 u_msgs(const struct u_sock *s)
{
	return u_recs(s, GPE_REC_MSG);
}

const struct u_rec *u_msg(const struct u_sock *s, u32 nr)
{
	u32 i;

	for (i = 0; i < s->n_recs; i++)
		if (s->rec[i].type == GPE_REC_MSG && !nr--)
			return &s->rec[i];
	return NULL;
}

const struct u_rec *u_last_view(const struct u_sock *s)
{
	u32 i;

	for (i = s->n_recs; i; i--)
		if (s->rec[i - 1].type == GPE_REC_VIEW)
			return &s->rec[i - 1];
	return NULL;
}

u32 u_members(const struct u_sock *s)
{
	const struct u_rec *r = u_last_view(s);

	return r ? r->view->n : 0;
}

bool u_got(const struct u_sock *s, u64 tag)
{
	u32 i;

	for (i = 0; i < s->n_recs; i++)
		if (s->rec[i].type == GPE_REC_MSG && s->rec[i].tag == tag)
			return true;
	return false;
}

/* ---- the contract among all sockets ---- */

static bool same_addr(const struct gpe_addr *a, const struct gpe_addr *b)
{
	return a->node == b->node && a->inc == b->inc && a->port == b->port;
}

/* Index of the next view or note after @i; n_recs: none. */
static u32 next_mark(const struct u_sock *s, u32 i)
{
	for (i++; i < s->n_recs; i++)
		if (s->rec[i].type != GPE_REC_MSG)
			return i;
	return s->n_recs;
}

static void check_one(const struct u_sock *s)
{
	struct gpe_vid vid = { 0, 0 };
	u32 i, k;

	for (i = 0; i < s->n_recs; i++) {
		const struct u_rec *r = &s->rec[i];

		if (r->type == GPE_REC_VIEW) {
			/* V1 */
			assert_true(gpe_vid_cmp(&vid, &r->vid) < 0);
			vid = r->vid;
		}
		if (r->type != GPE_REC_MSG)
			continue;
		/* V4; and V3, V5: tags of a sender grow, but for no order */
		if (r->position)
			assert_int_equal(gpe_vid_cmp(&vid, &r->vid), 0);
		if (r->position && r->level == GPE_NONE)
			continue;
		for (k = i; k && r->tag != U64_MAX; k--) {
			const struct u_rec *q = &s->rec[k - 1];

			if (q->type != GPE_REC_MSG || q->tag == U64_MAX ||
			    !same_addr(&q->sender, &r->sender) ||
			    !q->position != !r->position ||
			    (q->position && q->level == GPE_NONE))
				continue;
			assert_true(q->tag < r->tag);
			break;
		}
	}
}

static void same_view(const struct gpe_view *a, const struct gpe_view *b)
{
	u32 i;

	assert_int_equal(a->n, b->n);
	for (i = 0; i < a->n; i++)
		assert_true(same_addr(&a->m[i].addr, &b->m[i].addr));
}

static u32 find_view(const struct u_sock *s, const struct gpe_vid *vid)
{
	u32 i;

	for (i = 0; i < s->n_recs; i++)
		if (s->rec[i].type == GPE_REC_VIEW &&
		    !gpe_vid_cmp(&s->rec[i].vid, vid))
			return i;
	return s->n_recs;
}

/* Next message to all in [*i, end), or only a total one. */
static const struct u_rec *next_msg(const struct u_sock *s, u32 *i, u32 end,
				    bool total)
{
	while (*i < end) {
		const struct u_rec *r = &s->rec[(*i)++];

		if (r->type == GPE_REC_MSG && r->position &&
		    (!total || r->level >= GPE_TOTAL))
			return r;
	}
	return NULL;
}

/* Both installed the view at @i and @k and the same next one: V2, V7. */
static void check_span(const struct u_sock *a, u32 i, u32 a_end,
		       const struct u_sock *b, u32 k, u32 b_end)
{
	const struct u_rec *r, *q;
	u32 x = i, y = k, at;

	do {
		r = next_msg(a, &x, a_end, true);
		q = next_msg(b, &y, b_end, true);
		assert_int_equal(!r, !q);
		if (r)
			assert_true(same_addr(&r->sender, &q->sender) &&
				    r->hash == q->hash && r->len == q->len);
	} while (r);
	for (x = i; (r = next_msg(a, &x, a_end, false));) {
		for (at = k; (q = next_msg(b, &at, b_end, false));)
			if (same_addr(&r->sender, &q->sender) &&
			    r->hash == q->hash)
				break;
		assert_non_null(q);
	}
}

static void check_pair(const struct u_sock *a, const struct u_sock *b)
{
	u32 i;

	for (i = 0; i < a->n_recs; i++) {
		u32 k, a_end, b_end;

		if (a->rec[i].type != GPE_REC_VIEW)
			continue;
		k = find_view(b, &a->rec[i].vid);
		if (k == b->n_recs)
			continue;
		same_view(a->rec[i].view, b->rec[k].view);
		a_end = next_mark(a, i);
		b_end = next_mark(b, k);
		if (a_end < a->n_recs && b_end < b->n_recs &&
		    a->rec[a_end].type == GPE_REC_VIEW &&
		    b->rec[b_end].type == GPE_REC_VIEW &&
		    !gpe_vid_cmp(&a->rec[a_end].vid, &b->rec[b_end].vid))
			check_span(a, i, a_end, b, k, b_end);
	}
}

void u_check(struct u_net *net)
{
	struct u_sock *a, *b;
	u32 i, k;

	for (i = 0; i < net->n; i++) {
		for (a = net->node[i].socks; a; a = a->next) {
			check_one(a);
			for (k = 0; k < net->n; k++)
				for (b = net->node[k].socks; b; b = b->next)
					if (a != b && !strcmp(a->name, b->name))
						check_pair(a, b);
		}
	}
}
