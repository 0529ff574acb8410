// SPDX-License-Identifier: GPL-2.0
/* Recordings: what is written of an event, and what changes a step's hash. */
#include "unit_net.h"
#include "gpe_int.h"
#include "gpe_record.h"

static const struct gpe_record_made made = {
	.cfg = {
		.id = 0x01020304, .cluster = 0x1112131415161718ULL,
		.votes = 3, .expected_votes = 7,
		.partition = GPE_PART_NONE,
		.heartbeat_ns = 100 * U_MS, .detect_ns = 300 * U_MS,
	},
	.inc = 0x2122232425262728ULL, .seed = 0x3132333435363738ULL,
	.now = 0x4142434445464748ULL, .wall = 0x5152535455565758ULL,
};

/* ---- head ---- */

static void gpe_record_head_get__what_was_written(void **state)
{
	struct gpe_record_made got = { 0 };
	u8 p[GPE_RECORD_HEAD];
	u16 wire = 0;

	(void)state;
	gpe_record_head(p, &made);
	assert_int_equal(gpe_record_head_get(p, sizeof(p), &got, &wire), 0);
	assert_int_equal(wire, GPE_VERSION);
	assert_int_equal(got.cfg.id, made.cfg.id);
	assert_int_equal(got.cfg.cluster, made.cfg.cluster);
	assert_int_equal(got.cfg.votes, made.cfg.votes);
	assert_int_equal(got.cfg.expected_votes, made.cfg.expected_votes);
	assert_int_equal(got.cfg.partition, made.cfg.partition);
	assert_int_equal(got.cfg.heartbeat_ns, made.cfg.heartbeat_ns);
	assert_int_equal(got.cfg.detect_ns, made.cfg.detect_ns);
	assert_int_equal(got.inc, made.inc);
	assert_int_equal(got.seed, made.seed);
	assert_int_equal(got.now, made.now);
	assert_int_equal(got.wall, made.wall);
}

static void gpe_record_head_get__refuses_others(void **state)
{
	struct gpe_record_made got;
	u8 p[GPE_RECORD_HEAD];
	u16 wire = 0;

	(void)state;
	gpe_record_head(p, &made);
	assert_int_equal(gpe_record_head_get(p, 7, &got, &wire), -EINVAL);
	assert_int_equal(gpe_record_head_get(p, sizeof(p) - 1, &got, &wire),
			 -EINVAL);
	p[0] ^= 1;
	assert_int_equal(gpe_record_head_get(p, sizeof(p), &got, &wire),
			 -EINVAL);
	gpe_record_head(p, &made);
	p[5]++;
	assert_int_equal(gpe_record_head_get(p, sizeof(p), &got, &wire),
			 -EPROTO);
	/* The number is told also where the rest cannot be read. */
	gpe_record_head(p, &made);
	put_unaligned_be16(GPE_VERSION + 1, p + 6);
	assert_int_equal(gpe_record_head_get(p, 8, &got, &wire), -EPROTO);
	assert_int_equal(wire, GPE_VERSION + 1);
}

/* ---- events ---- */

/* Written: the head of the entry is looked at, the fields are at @p. */
static u32 written(u8 *buf, const struct gpe_event *ev, const u8 **p)
{
	u32 len;

	memset(buf, 0xee, GPE_RECORD_MAX);
	len = gpe_record_event(buf, 0x0102030405060708ULL, 0x0a0b, ev);
	assert_int_equal(get_unaligned_be32(buf), len);
	assert_int_equal(buf[4], ev->type);
	assert_int_equal(get_unaligned_be64(buf + 5), 0x0102030405060708ULL);
	assert_int_equal(get_unaligned_be16(buf + 13), 0x0a0b);
	assert_in_range(len, GPE_RECORD_EVENT, GPE_RECORD_MAX);
	if (len < GPE_RECORD_MAX)
		assert_int_equal(buf[len], 0xee);
	*p = buf + GPE_RECORD_EVENT;
	return len - GPE_RECORD_EVENT;
}

static void gpe_record_event__packet(void **state)
{
	u8 buf[GPE_RECORD_MAX], hdr[GPE_HDR_MAX];
	struct gpe_event ev = {
		.type = GPE_EV_PACKET,
		.packet = {
			.path = 5, .hdr = hdr, .hdr_len = sizeof(hdr),
			.len = 4000,
		},
	};
	const u8 *p;

	(void)state;
	memset(hdr, 0x5a, sizeof(hdr));
	assert_int_equal(written(buf, &ev, &p), 12 + sizeof(hdr));
	assert_int_equal(get_unaligned_be32(p), 5);
	assert_int_equal(get_unaligned_be32(p + 4), 4000);
	assert_int_equal(get_unaligned_be32(p + 8), sizeof(hdr));
	assert_memory_equal(p + 12, hdr, sizeof(hdr));
}

static void gpe_record_event__submit(void **state)
{
	struct gpe_local local = { .port = 9 }, *at = &local;
	u8 buf[GPE_RECORD_MAX];
	struct gpe_event ev = {
		.type = GPE_EV_SUBMIT,
		.submit = {
			.local_at = &at, .len = 77, .level = GPE_SAFE,
			.dst = { .inc = 11, .node = 12, .port = 13 },
			.vid = { 14, 15 },
		},
	};
	const u8 *p;

	(void)state;
	assert_int_equal(written(buf, &ev, &p), 42);
	assert_int_equal(get_unaligned_be32(p), 9);
	assert_int_equal(get_unaligned_be32(p + 4), 77);
	assert_int_equal(p[8], GPE_SAFE);
	/* What the engine does not look at is not told. */
	assert_int_equal(p[9], 0);
	assert_int_equal(get_unaligned_be64(p + 10), 0);
	assert_int_equal(get_unaligned_be64(p + 34), 0);
	ev.submit.to_one = true;
	ev.submit.demand = true;
	at = NULL;
	assert_int_equal(written(buf, &ev, &p), 42);
	assert_int_equal(get_unaligned_be32(p), 0);
	assert_int_equal(p[9], 3);
	assert_int_equal(get_unaligned_be64(p + 10), 11);
	assert_int_equal(get_unaligned_be32(p + 18), 12);
	assert_int_equal(get_unaligned_be32(p + 22), 13);
	assert_int_equal(get_unaligned_be64(p + 26), 14);
	assert_int_equal(get_unaligned_be64(p + 34), 15);
}

static void gpe_record_event__members(void **state)
{
	struct gpe_local local = { .port = 9 }, *at = &local;
	u8 buf[GPE_RECORD_MAX];
	struct gpe_event ev = {
		.type = GPE_EV_JOIN,
		.join = {
			.name = "name", .port = 9, .limit = 1000,
			.props = { .order = 1, .orders = 2, .msg_max = 3 },
		},
	};
	const u8 *p;

	(void)state;
	assert_int_equal(written(buf, &ev, &p), 24);
	assert_int_equal(get_unaligned_be32(p), 9);
	assert_int_equal(get_unaligned_be32(p + 4), 1000);
	assert_int_equal(get_unaligned_be32(p + 8), 1);
	assert_int_equal(get_unaligned_be32(p + 12), 2);
	assert_int_equal(get_unaligned_be32(p + 16), 3);
	assert_memory_equal(p + 20, "name", 4);

	ev = (struct gpe_event){
		.type = GPE_EV_LEAVE,
		.leave = { &at, GPE_WHY_OVERRUN },
	};
	assert_int_equal(written(buf, &ev, &p), 8);
	assert_int_equal(get_unaligned_be32(p), 9);
	assert_int_equal(get_unaligned_be32(p + 4), GPE_WHY_OVERRUN);

	ev = (struct gpe_event){
		.type = GPE_EV_LIMIT, .limit = { &at, 2000 },
	};
	assert_int_equal(written(buf, &ev, &p), 8);
	assert_int_equal(get_unaligned_be32(p), 9);
	assert_int_equal(get_unaligned_be32(p + 4), 2000);
}

static void gpe_record_event__node(void **state)
{
	struct gpe_event ev = {
		.type = GPE_EV_CONFIG,
		.config = { .cfg = made.cfg, .wall_ns = 21 },
	};
	u8 buf[GPE_RECORD_MAX];
	const u8 *p;

	(void)state;
	assert_int_equal(written(buf, &ev, &p), 48);
	assert_int_equal(get_unaligned_be32(p), made.cfg.id);
	assert_int_equal(get_unaligned_be64(p + 4), made.cfg.cluster);
	assert_int_equal(get_unaligned_be32(p + 12), made.cfg.votes);
	assert_int_equal(get_unaligned_be32(p + 16), made.cfg.expected_votes);
	assert_int_equal(get_unaligned_be32(p + 20), made.cfg.partition);
	assert_int_equal(get_unaligned_be64(p + 24), made.cfg.heartbeat_ns);
	assert_int_equal(get_unaligned_be64(p + 32), made.cfg.detect_ns);
	assert_int_equal(get_unaligned_be64(p + 40), 21);

	ev = (struct gpe_event){
		.type = GPE_EV_BEARERS, .bearers = { 2, 22 },
	};
	assert_int_equal(written(buf, &ev, &p), 12);
	assert_int_equal(get_unaligned_be32(p), 2);
	assert_int_equal(get_unaligned_be64(p + 4), 22);
}

static void gpe_record_event__peers_and_bare_ones(void **state)
{
	static const enum gpe_ev_type bare[] = {
		GPE_EV_TICK, GPE_EV_CONSUMED, GPE_EV_GOODBYE,
	};
	struct gpe_event ev = { .type = GPE_EV_PEER_ADD, .peer = { 3, 1472 } };
	u8 buf[GPE_RECORD_MAX];
	const u8 *p;
	u32 i;

	(void)state;
	assert_int_equal(written(buf, &ev, &p), 8);
	assert_int_equal(get_unaligned_be32(p), 3);
	assert_int_equal(get_unaligned_be32(p + 4), 1472);
	ev.type = GPE_EV_PEER_DEL;
	assert_int_equal(written(buf, &ev, &p), 8);
	for (i = 0; i < ARRAY_SIZE(bare); i++) {
		ev.type = bare[i];
		assert_int_equal(written(buf, &ev, &p), 0);
	}
}

/* ---- results ---- */

static const char *host_name(const void *host)
{
	return host;
}

static u32 cookie_port(const void *cookie)
{
	return *(const u32 *)cookie;
}

static const struct gpe_record_names names = { host_name, cookie_port };

/**
 * struct step - all that a step's hash is made of
 * @view: with room for its members
 */
struct step {
	struct gpe_event ev;
	struct gpe_out *out;
	struct gpe_msg msg;
	struct gpe_note note;
	struct gpe_view_rec view_rec;
	struct gpe_view *view;
	u32 cookie;
	u8 hdr[4];
};

enum { MEMBERS = 2 };

static void setup(struct step *s)
{
	memset(s, 0, sizeof(*s));
	s->out = test_calloc(1, sizeof(*s->out));
	s->view = test_calloc(1, sizeof(*s->view) +
				 MEMBERS * sizeof(s->view->m[0]));
	s->view->n = 1;
	s->view->n_left = 1;
	s->view_rec.rec.type = GPE_REC_VIEW;
	s->view_rec.view = s->view;
	s->msg.rec.type = GPE_REC_MSG;
	s->note.rec.type = GPE_REC_SUSPENDED;
	s->out->n = 1;
}

static void teardown(struct step *s)
{
	test_free(s->view);
	test_free(s->out);
}

static u64 hash(const struct step *s)
{
	u8 p[GPE_RECORD_RESULT + 1];

	p[GPE_RECORD_RESULT] = 0xee;
	gpe_record_result(p, &s->ev, s->out, &names);
	assert_int_equal(get_unaligned_be16(p), s->out->n);
	assert_int_equal(p[2], s->out->more);
	assert_int_equal(p[GPE_RECORD_RESULT], 0xee);
	return get_unaligned_be64(p + 3);
}

/* Each change of something that a host acts on shows, and only that. */
#define CHANGES(s, what) do {				\
	u64 was = hash(s);				\
							\
	assert_int_equal(hash(s), was);			\
	(what)++;					\
	assert_int_not_equal(hash(s), was);		\
	(what)--;					\
	assert_int_equal(hash(s), was);			\
} while (0)

static void gpe_record_result__answers(void **state)
{
	struct step s;

	(void)state;
	setup(&s);
	s.out->n = 0;
	s.ev.type = GPE_EV_SUBMIT;
	CHANGES(&s, s.ev.submit.ret);
	CHANGES(&s, s.ev.submit.block);
	s.ev = (struct gpe_event){ .type = GPE_EV_JOIN };
	CHANGES(&s, s.ev.join.ret);
	s.ev = (struct gpe_event){ .type = GPE_EV_CONFIG };
	CHANGES(&s, s.ev.config.ret);
	s.out->more = true;
	hash(&s);
	teardown(&s);
}

static void gpe_record_result__datagrams(void **state)
{
	struct gpe_act_send *send;
	struct step s;

	(void)state;
	setup(&s);
	s.out->act[0].type = GPE_ACT_SEND;
	send = &s.out->act[0].send;
	send->hdr = s.hdr;
	send->hdr_len = sizeof(s.hdr);
	CHANGES(&s, send->paths);
	CHANGES(&s, send->len);
	CHANGES(&s, s.hdr[0]);
	CHANGES(&s, s.hdr[3]);
	teardown(&s);
}

static void gpe_record_result__messages(void **state)
{
	struct gpe_act *act;
	struct step s;
	char name[] = "group";
	u64 to_all;

	(void)state;
	setup(&s);
	act = &s.out->act[0];
	act->type = GPE_ACT_DELIVER;
	act->deliver.host = name;
	act->deliver.cookie = &s.cookie;
	act->deliver.rec = &s.msg.rec;
	CHANGES(&s, name[4]);
	CHANGES(&s, s.msg.vid.epoch);
	CHANGES(&s, s.msg.vid.seq);
	CHANGES(&s, s.msg.sender.inc);
	CHANGES(&s, s.msg.sender.port);
	CHANGES(&s, s.msg.position);
	CHANGES(&s, s.msg.lamport);
	CHANGES(&s, s.msg.dst_port);
	CHANGES(&s, s.msg.len);
	to_all = hash(&s);
	act->type = GPE_ACT_DELIVER_ONE;
	assert_int_not_equal(hash(&s), to_all);
	CHANGES(&s, s.cookie);
	CHANGES(&s, s.msg.len);
	teardown(&s);
}

static void gpe_record_result__views(void **state)
{
	struct gpe_act *act;
	struct step s;
	u64 suspended;

	(void)state;
	setup(&s);
	act = &s.out->act[0];
	act->type = GPE_ACT_DELIVER;
	act->deliver.host = "group";
	act->deliver.rec = &s.view_rec.rec;
	CHANGES(&s, s.view->id.epoch);
	CHANGES(&s, s.view->id.seq);
	CHANGES(&s, s.view->m[0].addr.inc);
	CHANGES(&s, s.view->m[0].addr.port);
	CHANGES(&s, s.view->m[0].change);
	CHANGES(&s, s.view->m[1].addr.port);
	act->deliver.rec = &s.note.rec;
	CHANGES(&s, s.note.vid.epoch);
	CHANGES(&s, s.note.vid.seq);
	suspended = hash(&s);
	s.note.rec.type = GPE_REC_RESUMED;
	assert_int_not_equal(hash(&s), suspended);
	teardown(&s);
}

static void gpe_record_result__others(void **state)
{
	struct gpe_act *act;
	char name[] = "group";
	struct step s;

	(void)state;
	setup(&s);
	act = &s.out->act[0];
	act->type = GPE_ACT_GONE;
	act->gone.cookie = &s.cookie;
	CHANGES(&s, s.cookie);
	CHANGES(&s, act->gone.error);
	CHANGES(&s, act->gone.why);
	*act = (struct gpe_act){ .type = GPE_ACT_WAKE, .wake = { name } };
	CHANGES(&s, name[0]);
	*act = (struct gpe_act){ .type = GPE_ACT_PEER };
	CHANGES(&s, act->peer.path);
	act->peer.up = true;
	hash(&s);
	*act = (struct gpe_act){ .type = GPE_ACT_NODE };
	CHANGES(&s, act->type);
	/* And how many there are, in which order. */
	s.out->n = 2;
	s.out->act[1].type = GPE_ACT_PEER;
	CHANGES(&s, s.out->act[1].peer.path);
	teardown(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_record_head_get__what_was_written),
		cmocka_unit_test(gpe_record_head_get__refuses_others),
		cmocka_unit_test(gpe_record_event__packet),
		cmocka_unit_test(gpe_record_event__submit),
		cmocka_unit_test(gpe_record_event__members),
		cmocka_unit_test(gpe_record_event__node),
		cmocka_unit_test(gpe_record_event__peers_and_bare_ones),
		cmocka_unit_test(gpe_record_result__answers),
		cmocka_unit_test(gpe_record_result__datagrams),
		cmocka_unit_test(gpe_record_result__messages),
		cmocka_unit_test(gpe_record_result__views),
		cmocka_unit_test(gpe_record_result__others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
