// SPDX-License-Identifier: GPL-2.0
/*
 * hostile [SEED]: hostile datagrams at nodes under traffic, in a cluster of
 * three nodes in the namespaces n1 to n3 (10.0.0.1 to 3) that the caller has
 * set up. Prints "pass NAME" or "fail NAME" for each thing looked at.
 *
 * Members on all nodes send each other messages of both orders and of many
 * sizes all the time (hostile_talk.h). Packet sockets listen to what the nodes
 * say. From the namespace of node 2, so in its name and from its address, raw
 * sockets send what hostile.h makes of it to nodes 1 (the sequencer) and 3.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <gsock.h>
#include "deadline.h"
#include "hostile.h"
#include "hostile_talk.h"

enum {
	PORT = 7018,
	/* What we send ourselves has this, so that it is not captured. */
	TTL = 63,
	STRICT_COUNT = 200000,
	FREE_COUNT = 60000,
	STRANGER_COUNT = 4000,
	BURST = 32,
	COUNTERS = 64,
};

/*
 * What a node has counted.
 * @drops: sum of all reasons
 */
struct counters {
	int n;
	char name[COUNTERS][32];
	uint64_t value[COUNTERS];
	uint64_t drops;
};

static struct {
	int ns[HOSTILE_NODES];
	struct gsock_ctx *ctx[HOSTILE_NODES];
	int capture[HOSTILE_NODES];
	int raw;
	uint64_t sent;
	uint64_t made[HOSTILE_N];
	struct hostile_corpus corpus;
} w;

static int failed;

static void say(bool ok, const char *name)
{
	printf("%s %s\n", ok ? "pass" : "fail", name);
	fflush(stdout);
	failed |= !ok;
}

static void enter(int node)
{
	if (setns(w.ns[node], CLONE_NEWNET))
		talk_die("setns");
}

/* ---- the network ---- */

static void open_all(void)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL) };
	int i, big = 4 << 20;
	char path[32];

	for (i = 0; i < HOSTILE_NODES; i++) {
		snprintf(path, sizeof(path), "/run/netns/n%d", i + 1);
		w.ns[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (w.ns[i] < 0)
			talk_die(path);
		enter(i);
		if (gsock_ctx_new(&w.ctx[i]))
			talk_die("netlink");
		w.capture[i] = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK,
				      htons(ETH_P_ALL));
		ll.sll_ifindex = if_nametoindex("eth0");
		if (w.capture[i] < 0 ||
		    bind(w.capture[i], (struct sockaddr *)&ll, sizeof(ll)))
			talk_die("packet socket");
		setsockopt(w.capture[i], SOL_SOCKET, SO_RCVBUFFORCE, &big,
			   sizeof(big));
		talk_open(i);
	}
	enter(1);
	w.raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (w.raw < 0)
		talk_die("raw socket");
}

static void link_set(int node, bool up)
{
	struct ifreq req = { .ifr_name = "eth0" };
	int fd;

	enter(node);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &req))
		talk_die("interface");
	req.ifr_flags &= ~IFF_UP;
	req.ifr_flags |= up ? IFF_UP : 0;
	if (ioctl(fd, SIOCSIFFLAGS, &req))
		talk_die("interface");
	close(fd);
}

static uint32_t be(const uint8_t *p, int n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

/*
 * How long the datagram at @p is: the nodes send super-packets, which a packet
 * socket sees before they are cut up. 0: not to be told.
 */
static uint32_t datagram_len(const uint8_t *p, uint32_t room)
{
	uint32_t hdr, at, len, i;

	if (room < HOSTILE_HEAD || be(p, 2) != 0x4753)
		return 0;
	hdr = be(p + 4, 2);
	if (p[3] != HOSTILE_DATA || hdr > room)
		return hdr <= room ? hdr : 0;
	at = HOSTILE_HEAD + HOSTILE_BODY;
	len = hdr;
	for (i = 0; i < p[HOSTILE_HEAD + 26] && at + 4 <= hdr; i++) {
		const uint8_t *it = p + at;
		uint32_t total, frags, idx, frag;

		if (it[0] > 2) { /* a control item */
			at += 4 + it[2];
			continue;
		}
		idx = be(it + 4, 2);
		frags = be(it + 6, 2);
		frag = be(it + 8, 4);
		total = be(it + 12, 4);
		if (frags == 1)
			len += total;
		else
			len += idx == frags - 1 ? total - idx * frag : frag;
		at += 48;
	}
	return len <= room ? len : 0;
}

static void capture_one(int from, const uint8_t *p, uint32_t len)
{
	const struct iphdr *ip = (const void *)p;
	uint32_t to, n;

	if (len < 28 || ip->version != 4 || ip->protocol != IPPROTO_UDP ||
	    ip->ttl == TTL || be(p + ip->ihl * 4 + 2, 2) != PORT)
		return;
	to = (ntohl(ip->daddr) & 0xff) - 1;
	p += ip->ihl * 4 + 8;
	len -= ip->ihl * 4 + 8;
	while (to < HOSTILE_NODES && (n = datagram_len(p, len))) {
		hostile_capture(&w.corpus, from, 1 << to, p, n);
		p += n;
		len -= n;
	}
}

static void capture(void)
{
	static uint8_t buf[70000];
	struct sockaddr_ll ll;
	socklen_t size;
	ssize_t n;
	int i;

	for (i = 0; i < HOSTILE_NODES; i++) {
		for (;;) {
			size = sizeof(ll);
			n = recvfrom(w.capture[i], buf, sizeof(buf), 0,
				     (struct sockaddr *)&ll, &size);
			if (n < 0)
				break;
			if (ll.sll_pkttype == PACKET_OUTGOING &&
			    ll.sll_protocol == htons(ETH_P_IP))
				capture_one(i, buf, n);
		}
	}
}

static void capture_for(int ms)
{
	struct timespec tick = { .tv_nsec = 5000000 };
	uint64_t end = talk_now() + ms;

	while (talk_now() < end) {
		nanosleep(&tick, NULL);
		capture();
	}
}

/* ---- datagrams of our own making ---- */

static uint32_t sum16(uint32_t sum, const uint8_t *p, uint32_t len)
{
	for (; len > 1; len -= 2, p += 2)
		sum += p[0] << 8 | p[1];
	return len ? sum + (p[0] << 8) : sum;
}

static void send_raw(uint32_t from, uint16_t sport, int to,
		     const struct hostile_pkt *pkt)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct {
		struct iphdr ip;
		struct udphdr udp;
		uint8_t data[HOSTILE_LEN];
	} d;
	uint32_t sum, len = sizeof(struct udphdr) + pkt->len;

	memset(&d, 0, sizeof(d.ip) + sizeof(d.udp));
	d.ip.version = 4;
	d.ip.ihl = 5;
	d.ip.ttl = TTL;
	d.ip.protocol = IPPROTO_UDP;
	d.ip.saddr = htonl(0x0a000000 | from);
	d.ip.daddr = htonl(0x0a000000 | (to + 1));
	d.ip.tot_len = htons(sizeof(d.ip) + len);
	d.udp.source = htons(sport);
	d.udp.dest = htons(PORT);
	d.udp.len = htons(len);
	memcpy(d.data, pkt->data, pkt->len);
	sum = sum16(IPPROTO_UDP + len, (uint8_t *)&d.ip.saddr, 8);
	sum = sum16(sum, (uint8_t *)&d.udp, sizeof(d.udp));
	sum = sum16(sum, d.data, pkt->len);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	d.udp.check = htons(sum == 0xffff ? 0xffff : ~sum);
	sin.sin_addr.s_addr = d.ip.daddr;
	while (sendto(w.raw, &d, sizeof(d.ip) + len, 0, (struct sockaddr *)&sin,
		      sizeof(sin)) < 0) {
		if (errno != ENOBUFS && errno != EAGAIN)
			talk_die("send");
		sched_yield();
	}
	w.sent++;
}

/* ---- counters and states ---- */

static void counters_get(int node, struct counters *c)
{
	struct gsock_rec *all, *rec;

	memset(c, 0, sizeof(*c));
	if (gsock_counters_get(w.ctx[node], &all))
		talk_die("counters");
	for (rec = gsock_rec_nested(all); rec; rec = gsock_rec_next(rec)) {
		if (!gsock_rec_has(rec, GSOCK_A_COUNTER_NAME) ||
		    c->n == COUNTERS)
			continue;
		snprintf(c->name[c->n], sizeof(c->name[0]), "%s",
			 gsock_rec_str(rec, GSOCK_A_COUNTER_NAME));
		c->value[c->n] = gsock_rec_num(rec, GSOCK_A_COUNTER_VALUE);
		if (!strncmp(c->name[c->n], "drop_", 5))
			c->drops += c->value[c->n];
		c->n++;
	}
	gsock_rec_free(all);
}

static uint64_t counter(const struct counters *c, const char *name)
{
	int i;

	for (i = 0; i < c->n; i++)
		if (!strcmp(c->name[i], name))
			return c->value[i];
	return 0;
}

static bool settled(void)
{
	uint64_t epoch = 0;
	int i;

	for (i = 0; i < HOSTILE_NODES; i++) {
		struct gsock_rec *node, *rec;
		uint64_t own;
		int n = 0;

		if (gsock_node_get(w.ctx[i], &node))
			talk_die("node");
		own = gsock_rec_num(node, GSOCK_A_NODE_EPOCH);
		for (rec = gsock_rec_nested(node); rec;
		     rec = gsock_rec_next(rec))
			n += gsock_rec_has(rec, GSOCK_A_NODE_ID);
		if (gsock_rec_num(node, GSOCK_A_NODE_STATE) !=
			    GSOCK_NODE_NORMAL ||
		    n != HOSTILE_NODES || (epoch && own != epoch))
			n = -1;
		epoch = own;
		gsock_rec_free(node);
		if (n < 0)
			return false;
	}
	return true;
}

static bool wait_for(bool (*done)(void), int seconds)
{
	uint64_t end = talk_now() + seconds * 1000 * time_scale();

	while (!done()) {
		if (talk_now() > end)
			return false;
		capture_for(20);
	}
	return true;
}

static long meminfo(const char *name)
{
	char line[128];
	long kib = 0;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			kib = atol(line + strlen(name) + 1);
	if (f)
		fclose(f);
	return kib;
}

/* Free pages that a CPU keeps for itself are not in use: given back first. */
static void mem_settle(void)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) != 1)
		printf("# cannot compact memory\n");
	if (fd >= 0)
		close(fd);
}

static long mem_used(void)
{
	mem_settle();
	return meminfo("MemTotal") - meminfo("MemAvailable");
}

static long mem_base, slab_base;

/*
 * Objects within 4 MiB, 20 bytes a datagram; pages within 16 MiB, since the
 * kernel's own caches move by half of that.
 */
static bool mem_back(void)
{
	return mem_used() - mem_base < 16384 &&
	       meminfo("Slab") - slab_base < 4096;
}

/* ---- the attack ---- */

/* No more under way than the nodes have taken in: their queues never fill. */
static void pace(uint64_t base, uint64_t sent)
{
	uint64_t end = talk_now() + 5000;
	struct counters a, b;

	do {
		counters_get(0, &a);
		counters_get(2, &b);
		if (counter(&a, "rx_packets") + counter(&b, "rx_packets") +
			    512 >=
		    base + sent)
			return;
		capture_for(5);
	} while (talk_now() < end);
}

static uint64_t attack(uint32_t count, bool strict)
{
	struct counters a, b;
	struct hostile_pkt pkt;
	uint64_t base, replays = w.made[HOSTILE_REPLAY];
	uint32_t i;

	counters_get(0, &a);
	counters_get(2, &b);
	base = counter(&a, "rx_packets") + counter(&b, "rx_packets");
	enter(1);
	for (i = 0; i < count; i++) {
		int to = hostile_rand(&w.corpus, 2) ? 0 : 2;

		w.made[hostile_make(&w.corpus, &pkt, strict, 1, to)]++;
		send_raw(2, PORT, to, &pkt);
		if (i % BURST == 0)
			capture();
		if (i % 256 == 0)
			pace(base, i);
	}
	pace(base, count);
	return w.made[HOSTILE_REPLAY] - replays;
}

/* True if it says of itself what it should. */
static bool grew(const struct counters *before, const struct counters *now,
		 const char *name)
{
	uint64_t by = counter(now, name) - counter(before, name);

	printf("# %s +%llu\n", name, (unsigned long long)by);
	return by;
}

static bool reasons(const struct counters *before, const struct counters *now)
{
	static const char *const each[] = { "drop_short",     "drop_version",
					    "drop_cluster",   "drop_type",
					    "drop_malformed", "drop_self",
					    "drop_inc",	      "drop_epoch" };
	bool all = true;
	size_t i;

	for (i = 0; i < sizeof(each) / sizeof(each[0]); i++)
		all &= grew(before, now, each[i]);
	return all;
}

/* From addresses that are no peer's: right in all else. */
static void strangers(void)
{
	struct counters before, now;
	struct hostile_pkt pkt;
	int i;

	counters_get(0, &before);
	enter(1);
	for (i = 0; i < STRANGER_COUNT; i++) {
		pkt = *hostile_any(&w.corpus, -1);
		if (i % 2)
			send_raw(99, PORT, 0, &pkt);
		else
			send_raw(2, PORT + 1, 0, &pkt);
		if (i % BURST == 0)
			capture_for(5);
	}
	capture_for(500);
	counters_get(0, &now);
	grew(&before, &now, "drop_path");
	say(counter(&now, "drop_path") - counter(&before, "drop_path") ==
		    STRANGER_COUNT,
	    "each datagram of a stranger is dropped and counted");
}

/* ---- what is looked at ---- */

/* A view change, so that its packets are known. */
static void learn(void)
{
	static const uint8_t types[] = { HOSTILE_BEAT,
					 HOSTILE_PROBE,
					 HOSTILE_PREPARE,
					 6,
					 7,
					 8,
					 9,
					 10,
					 11,
					 12,
					 HOSTILE_PART,
					 HOSTILE_DATA,
					 HOSTILE_ACK,
					 HOSTILE_STATUS,
					 HOSTILE_CREDIT };
	bool all = true;
	size_t i;
	int n;

	capture_for(1000);
	link_set(2, false);
	capture_for(2000);
	link_set(2, true);
	say(wait_for(settled, 60), "one view after a link was cut");
	memcpy(w.corpus.since, w.corpus.seen, sizeof(w.corpus.seen));
	/* Heartbeats of this view, until they are all that is kept. */
	for (n = 0; n < 200 && w.corpus.seen[HOSTILE_BEAT][1] -
					       w.corpus.since[HOSTILE_BEAT][1] <
				       HOSTILE_KEEP;
	     n++)
		capture_for(100);
	for (i = 0; i < sizeof(types); i++) {
		uint32_t *seen = w.corpus.seen[types[i]];

		if (!(seen[0] + seen[1] + seen[2])) {
			printf("# no packet of type %u\n", types[i]);
			all = false;
		}
	}
	say(all, "packets of every type were captured");
}

static void strict(void)
{
	struct counters a0, a1, b0, b1;
	uint64_t dropped, replays, told;
	bool all = true;
	int i;

	talk_send(false);
	say(wait_for(talk_all_here, 60), "traffic before the attack arrives");
	mem_base = mem_used();
	slab_base = meminfo("Slab");
	talk_anew();
	talk_send(true);
	capture_for(500);
	told = talk_told();
	counters_get(0, &a0);
	counters_get(2, &b0);
	replays = attack(STRICT_COUNT, true);
	counters_get(0, &a1);
	counters_get(2, &b1);
	talk_send(false);
	say(wait_for(talk_all_here, 60), "every message has arrived");
	talk_report();
	say(!talk_bad() && talk_sent() > 1000,
	    "none was altered, doubled or out of order");
	say(talk_told() == told && talk_same_order(),
	    "no member was told otherwise, and the totals are in one order");
	dropped = a1.drops - a0.drops + b1.drops - b0.drops;
	printf("# sent %u, of which %llu said before; dropped %llu\n",
	       STRICT_COUNT, (unsigned long long)replays,
	       (unsigned long long)dropped);
	say(dropped >= STRICT_COUNT - replays && dropped <= STRICT_COUNT,
	    "each was dropped and counted");
	say(reasons(&a0, &a1), "node 1 says why");
	say(reasons(&b0, &b1), "node 3 says why");
	for (i = 0; i < HOSTILE_STRICT; i++)
		all &= w.made[i] > 0;
	say(all, "every kind of the strict set was sent");
	say(wait_for(mem_back, 30), "memory is back where it was");
	printf("# memory %+ld KiB, slab %+ld KiB\n", mem_used() - mem_base,
	       meminfo("Slab") - slab_base);
}

/*
 * What lies may do harm for as long as the epoch lasts: a stream of which a
 * node has said that it has what it has not stays so. A view change ends it,
 * and whoever cannot follow comes back as a newcomer.
 */
static void anything(void)
{
	talk_send(true);
	attack(FREE_COUNT, false);
	link_set(1, false);
	capture_for(2000);
	link_set(1, true);
	say(wait_for(settled, 120), "one view after every kind of lie");
	talk_send(false);
	/* Until nothing of before is under way. */
	wait_for(talk_quiet, 60);
	talk_anew();
	talk_send(true);
	capture_for(3000);
	talk_send(false);
	say(wait_for(talk_all_here, 60) && !talk_bad() && talk_sent() > 100,
	    "new messages come through, all of them and in order");
	talk_report();
	say(wait_for(mem_back, 30), "memory is back where it was");
	printf("# memory %+ld KiB, slab %+ld KiB\n", mem_used() - mem_base,
	       meminfo("Slab") - slab_base);
}

int main(int argc, char **argv)
{
	int i;

	memset(&w.corpus, 0, sizeof(w.corpus));
	w.corpus.rng = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	open_all();
	talk_start();
	talk_send(true);
	learn();
	strangers();
	strict();
	anything();
	talk_stop();
	for (i = 0; i < HOSTILE_NODES; i++)
		gsock_ctx_free(w.ctx[i]);
	return failed;
}
