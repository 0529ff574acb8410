// SPDX-License-Identifier: GPL-2.0
/*
 * Packets of a living cluster, captured, damaged behind their common head and
 * sent again, to a cluster at work. What they say may be believed, since there
 * is no key; but nothing crashes, loops, or is left behind.
 */
#include "unit_wire.h"

enum { RING = 64 };

struct shot {
	u32 from;
	u32 to;
	u32 len;
	u8 p[1472];
};

static struct shot ring[RING];
static u32 n_shots;

static void capture(struct u_net *net, u32 from, u32 to,
		    const struct gpe_shim_buf *buf, struct u_fate *fate)
{
	struct shot *s = &ring[n_shots % RING];

	(void)net;
	(void)fate;
	if (buf->len > sizeof(s->p))
		return;
	s->from = from;
	s->to = to;
	s->len = buf->len;
	memcpy(s->p, buf->data, buf->len);
	n_shots++;
}

/* One of the last packets: flipped, overwritten, spliced, cut, or as it was. */
static void shoot(struct u_net *net)
{
	struct shot s = ring[w_random(RING)];
	const struct shot *other = &ring[w_random(RING)];
	u32 n = 1 + w_random(3), at;

	if (!s.len || !net->node[s.to].engine)
		return;
	while (n-- && s.len > GPE_WIRE_HDR) {
		at = GPE_WIRE_HDR + w_random(min(s.len, 400) - GPE_WIRE_HDR);
		switch (w_random(4)) {
		case 0:
			s.p[at] ^= 1 << w_random(8);
			break;
		case 1:
			s.p[at] = w_random(256);
			break;
		case 2:
			if (other->len > at)
				memcpy(s.p + at, other->p + at,
				       min(other->len, s.len) - at);
			break;
		default:
			if (!w_random(4))
				s.len = at;
			break;
		}
	}
	u_inject(net, s.to, s.from, s.p, s.len);
}

static void busy(struct u_net *net, struct u_sock **s, u64 *tag)
{
	u32 i = w_random(3);

	if (!net->node[i].engine)
		return;
	if (!s[i] || !s[i]->bound)
		s[i] = u_join(net, i, w_random(2) ? "alpha" : "beta");
	else if (!w_random(40))
		u_leave(net, s[i]);
	else
		u_send(net, s[i], w_random(2) ? GPE_TOTAL : GPE_FIFO,
		       8 + w_random(4000), ++*tag);
}

static void siege(u32 shots, bool deaths)
{
	struct u_net *net = u_cluster(3);
	struct u_sock *s[3] = { NULL };
	u64 tag = 0;
	u32 i, who;

	n_shots = 0;
	memset(ring, 0, sizeof(ring));
	net->quiet = true;
	net->filter = capture;
	for (i = 0; i < shots; i++) {
		busy(net, s, &tag);
		shoot(net);
		shoot(net);
		u_run(net, w_random(3) * U_MS / 4);
		if (deaths && i % 500 == 499) {
			who = w_random(3);
			if (net->node[who].engine)
				u_kill(net, who);
			else
				u_start(net, who);
			s[who] = NULL;
		}
	}
	u_free(net);
}

static void gpe_step__damaged_packets_at_work(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < 60; i++)
		siege(500, false);
}

static void gpe_step__damaged_packets_and_deaths(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < 15; i++)
		siege(3000, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpe_step__damaged_packets_at_work),
		cmocka_unit_test(gpe_step__damaged_packets_and_deaths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
