/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The traffic of hostile.c: a member on each of three nodes, all in one
 * thread. What a message says follows from its sender and number, so every
 * reader knows what has to come next. A gap is an error unless the reader was
 * told: by a suspension, or by a view without the sender.
 */
#ifndef HOSTILE_TALK_H
#define HOSTILE_TALK_H

#include "hostile.h"

#define TALK_GROUP "hostile"
#define TALK_EVERY_MS 6

enum {
	TALK_HEAD = 9,
	TALK_ROOM = 1 << 18,
	TALK_TOTALS = 1 << 20,
};

/*
 * struct talker - a member
 * @sent: messages accepted from it; a number is used until it is accepted
 * @next: of each sender, the number to come
 * @any: of each sender, a gap is allowed
 * @total: what came in total order, sender << 28 | number
 * @told: suspensions, evictions, and views that somebody left
 */
struct talker {
	int fd;
	struct gsock_rx *rx;
	uint64_t sent;
	uint64_t next[HOSTILE_NODES];
	bool any[HOSTILE_NODES];
	uint32_t *total;
	uint32_t n_total;
	uint64_t told;
	uint64_t got;
	uint64_t altered;
	uint64_t late;
	uint64_t gaps;
};

static struct {
	struct talker t[HOSTILE_NODES];
	pthread_mutex_t lock;
	pthread_t thread;
	atomic_bool sending;
	atomic_bool ending;
	uint64_t rng;
	uint64_t send_at;
	uint8_t buf[TALK_ROOM];
} talk = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void talk_die(const char *what)
{
	printf("fail %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t talk_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

static void talk_join(struct talker *t)
{
	unsigned int all = 1 << GROUP_EV_VIEW | 1 << GROUP_EV_SUSPENDED |
			   1 << GROUP_EV_RESUMED | 1 << GROUP_EV_EVICTED;

	if (gsock_set_events(t->fd, all) || gsock_set_info(t->fd, 1) ||
	    gsock_join(t->fd, TALK_GROUP))
		talk_die("join");
}

/* In the namespace of node @i. A socket stays where it was opened. */
static void talk_open(int i)
{
	struct talker *t = &talk.t[i];

	t->fd = gsock_open(SOCK_CLOEXEC | SOCK_NONBLOCK);
	t->total = calloc(TALK_TOTALS, sizeof(*t->total));
	if (t->fd < 0 || !t->total || gsock_rx_new(&t->rx, TALK_ROOM))
		talk_die("socket");
	/* Ours from the start: what is measured is the kernel's memory. */
	memset(t->total, 0xff, TALK_TOTALS * sizeof(*t->total));
	talk_join(t);
}

static uint8_t talk_byte(uint32_t from, uint64_t n, uint32_t i)
{
	return from * 101 + n * 31 + i * 7;
}

static uint32_t talk_rand(uint32_t below)
{
	talk.rng = talk.rng * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(talk.rng >> 33) % below;
}

static uint32_t talk_len(void)
{
	switch (talk_rand(64)) {
	case 0:
		return TALK_HEAD + talk_rand(100000);
	case 1:
	case 2:
	case 3:
		return TALK_HEAD + talk_rand(9000);
	default:
		return TALK_HEAD + talk_rand(300);
	}
}

static void talk_say(int i)
{
	struct talker *t = &talk.t[i];
	uint32_t len = talk_len(), k;
	int order = talk_rand(2) ? GROUP_ORDER_FIFO : GROUP_ORDER_TOTAL;

	talk.buf[0] = i;
	memcpy(talk.buf + 1, &t->sent, 8);
	for (k = TALK_HEAD; k < len; k++)
		talk.buf[k] = talk_byte(i, t->sent, k);
	if (gsock_send(t->fd, talk.buf, len, order, MSG_DONTWAIT) >= 0)
		t->sent++;
}

/* ---- reading ---- */

static void talk_message(struct talker *t)
{
	const struct sockaddr_group *from = gsock_rx_sender(t->rx);
	const struct group_msg_info *info = gsock_rx_info(t->rx);
	size_t len, k;
	const uint8_t *p = gsock_rx_data(t->rx, &len);
	uint64_t n;

	t->got++;
	if (len < TALK_HEAD || p[0] >= HOSTILE_NODES || !from || !info ||
	    from->sgr_node != p[0] + 1u) {
		t->altered++;
		return;
	}
	memcpy(&n, p + 1, 8);
	for (k = TALK_HEAD; k < len; k++) {
		if (p[k] != talk_byte(p[0], n, k)) {
			t->altered++;
			return;
		}
	}
	if (n < t->next[p[0]]) {
		t->late++;
		return;
	}
	t->gaps += n > t->next[p[0]] && !t->any[p[0]];
	t->next[p[0]] = n + 1;
	t->any[p[0]] = false;
	if (info->order == GROUP_ORDER_TOTAL && t->n_total < TALK_TOTALS)
		t->total[t->n_total++] = p[0] << 28 | (n & 0xfffffff);
}

static void talk_told_all(struct talker *t)
{
	int i;

	t->told++;
	for (i = 0; i < HOSTILE_NODES; i++)
		t->any[i] = true;
}

static void talk_event(struct talker *t)
{
	const struct group_event *ev = gsock_rx_event(t->rx);
	const struct group_member *left;
	unsigned int n, i;

	if (ev->type != GROUP_EV_VIEW) {
		talk_told_all(t);
		return;
	}
	left = gsock_rx_left(t->rx, &n);
	t->told += n > 0;
	for (i = 0; i < n; i++)
		if (left[i].node >= 1 && left[i].node <= HOSTILE_NODES)
			t->any[left[i].node - 1] = true;
}

/* False: nothing more to read now. */
static bool talk_read(struct talker *t)
{
	int kind = gsock_recv(t->fd, t->rx, MSG_DONTWAIT);

	switch (kind) {
	case GSOCK_MESSAGE:
		talk_message(t);
		return true;
	case GSOCK_EVENT:
		talk_event(t);
		return true;
	default:
		/* Evicted, or the end: as if suspended for good. */
		if (kind != -EAGAIN)
			talk_told_all(t);
		return false;
	}
}

static void *talk_run(void *arg)
{
	struct pollfd p[HOSTILE_NODES];
	int i;

	while (!talk.ending) {
		for (i = 0; i < HOSTILE_NODES; i++)
			p[i] = (struct pollfd){ .fd = talk.t[i].fd,
						.events = POLLIN };
		poll(p, HOSTILE_NODES, 3);
		pthread_mutex_lock(&talk.lock);
		for (i = 0; i < HOSTILE_NODES; i++)
			while (talk_read(&talk.t[i]))
				;
		if (talk.sending && talk_now() >= talk.send_at) {
			talk.send_at = talk_now() + TALK_EVERY_MS;
			for (i = 0; i < HOSTILE_NODES; i++)
				talk_say(i);
		}
		pthread_mutex_unlock(&talk.lock);
	}
	return arg;
}

static void talk_start(void)
{
	if (pthread_create(&talk.thread, NULL, talk_run, NULL))
		talk_die("thread");
}

static void talk_stop(void)
{
	int i;

	talk.ending = true;
	pthread_join(talk.thread, NULL);
	for (i = 0; i < HOSTILE_NODES; i++) {
		close(talk.t[i].fd);
		gsock_rx_free(talk.t[i].rx);
		free(talk.t[i].total);
	}
}

static void talk_send(bool on)
{
	pthread_mutex_lock(&talk.lock);
	talk.sending = on;
	pthread_mutex_unlock(&talk.lock);
}

/* Only while nothing is under way: count from here. */
static void talk_anew(void)
{
	int i, s;

	pthread_mutex_lock(&talk.lock);
	for (i = 0; i < HOSTILE_NODES; i++) {
		struct talker *t = &talk.t[i];

		t->n_total = 0;
		t->got = 0;
		t->altered = 0;
		t->late = 0;
		t->gaps = 0;
		for (s = 0; s < HOSTILE_NODES; s++) {
			t->next[s] = talk.t[s].sent;
			t->any[s] = false;
		}
	}
	pthread_mutex_unlock(&talk.lock);
}

/* ---- results ---- */

static bool talk_all_here(void)
{
	bool all = true;
	int i, s;

	pthread_mutex_lock(&talk.lock);
	for (i = 0; i < HOSTILE_NODES; i++)
		for (s = 0; s < HOSTILE_NODES; s++)
			all &= talk.t[i].next[s] == talk.t[s].sent;
	pthread_mutex_unlock(&talk.lock);
	return all;
}

static uint64_t talk_sum(size_t field)
{
	uint64_t sum = 0;
	int i;

	pthread_mutex_lock(&talk.lock);
	for (i = 0; i < HOSTILE_NODES; i++)
		sum += *(uint64_t *)((char *)&talk.t[i] + field);
	pthread_mutex_unlock(&talk.lock);
	return sum;
}

#define TALK_SUM(field) talk_sum(offsetof(struct talker, field))

static uint64_t talk_bad(void)
{
	return TALK_SUM(altered) + TALK_SUM(late) + TALK_SUM(gaps);
}

static uint64_t talk_told(void)
{
	return TALK_SUM(told);
}

static uint64_t talk_sent(void)
{
	return TALK_SUM(got) / HOSTILE_NODES;
}

/* Nobody has read anything for a second. */
static bool talk_quiet(void)
{
	static uint64_t got, since;
	uint64_t now = TALK_SUM(got);

	if (now != got || !since) {
		got = now;
		since = talk_now();
	}
	return talk_now() - since > 1000;
}

static bool talk_same_order(void)
{
	const struct talker *t = talk.t;
	bool same;

	pthread_mutex_lock(&talk.lock);
	same = t[0].n_total && t[0].n_total == t[1].n_total &&
	       t[0].n_total == t[2].n_total &&
	       !memcmp(t[0].total, t[1].total, 4ULL * t[0].n_total) &&
	       !memcmp(t[0].total, t[2].total, 4ULL * t[0].n_total);
	pthread_mutex_unlock(&talk.lock);
	return same;
}

static void talk_report(void)
{
	printf("# messages: %llu read, %llu altered, %llu late, %llu missing\n",
	       (unsigned long long)TALK_SUM(got),
	       (unsigned long long)TALK_SUM(altered),
	       (unsigned long long)TALK_SUM(late),
	       (unsigned long long)TALK_SUM(gaps));
}

#endif /* HOSTILE_TALK_H */
