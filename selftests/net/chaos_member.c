// SPDX-License-Identifier: GPL-2.0
/*
 * Members that do what they like, and write down all they do and see:
 *
 *	chaos_member -n NAME -d DIR -g "GROUP ..." -o "ORDER ..." -s SEED
 *	chaos_member -n NAME -d DIR -k
 *
 * One process sits in up to four groups at a time. It joins and leaves, sends
 * messages of mixed sizes and orders, some to one member, some only in the view
 * it knows, some waiting, and reads now fast, now slowly, now not at all; all
 * drawn from SEED. Each of its sockets is a member of its own, NAME.1, NAME.2,
 * ..., with a file in DIR: JSON lines, the history that a judge reads. A line
 * is one write(2), so that SIGKILL costs no more than the last one. NAME.0 has
 * the node views that its node told of.
 *
 * Files in DIR tell how far the run is:
 *	calm   nobody begins anything; this one answers with calm.NAME when all
 *	       its members are in
 *	fence  each member sends a last message of each order, once a view; done.
 *	       NAME when all those of the members of its view have come
 *	end    it is over: ended.NAME
 *
 * -k: the process was killed: completes its files, and says so in them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <gsock.h>

#define SEATS		4
#define GROUPS		8
#define VIEW_MAX	128
#define SIZE_MAX_MSG	300000
#define LINE_MAX_LEN	8192
#define NAME_LEN	48
#define ID_LEN		72

enum state {
	VACANT,
	JOINING,
	IN,
	LEAVING,
};

/* A member: a socket, its log, and what it does next, in ms. */
struct seat {
	enum state state;
	bool suspended;
	bool refused;		/* no room: waits for POLLOUT */
	int fd;
	int log;
	const char *group;
	char m[NAME_LEN];
	unsigned int sent;
	uint64_t next_send, next_read, next_move, next_mood;
	unsigned int gap_ms;	/* between sends, about */
	unsigned int read_ms;	/* between reads, 0: all at once */
	bool knows;		/* a view has been read */
	struct group_view_id view;
	unsigned int n;
	struct sockaddr_group self;	/* its own address in this view */
	struct group_member member[VIEW_MAX];
	unsigned int fences[VIEW_MAX];	/* orders that came, by rank */
	unsigned int fences_due;	/* orders to be sent */
};

static struct {
	const char *name;
	const char *dir;
	const char *group[GROUPS];
	unsigned int n_groups;
	int order[8];
	unsigned int n_orders;
	unsigned int orders;	/* the same, a mask */
	uint64_t random;
	unsigned int made;	/* members so far */
	bool calm, fence, end;
	bool was_calm, was_done;
	struct gsock_mon *mon;
	int epochs;		/* log of node views */
	uint64_t epoch;		/* the last one in it */
	struct gsock_rx *rx;
	char *data;
	struct seat seat[SEATS];
} me;

/* ---- small things ---- */

static void die(const char *what, int err)
{
	fprintf(stderr, "chaos_member %s: %s: %s\n", me.name, what,
		strerror(-err));
	exit(1);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

/* xorshift64 (Marsaglia). */
static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static unsigned int draw(unsigned int n)
{
	return (next_random(&me.random) >> 11) % n;
}

static bool chance(unsigned int percent)
{
	return draw(100) < percent;
}

/* The bytes of a message follow from its id, which it begins with. */
static void fill(char *data, size_t from, size_t len, const char *id)
{
	uint64_t x = 14695981039346656037ULL;
	size_t i;

	for (; *id; id++)
		x = (x ^ (unsigned char)*id) * 1099511628211ULL;
	x ^= len;
	if (!x)
		x = 1;
	for (i = from; i < len; i++)
		data[i] = next_random(&x) >> 24;
}

static bool is_as_sent(const char *data, size_t from, size_t len,
		       const char *id)
{
	static char copy[SIZE_MAX_MSG];

	if (len > sizeof(copy))
		return false;
	fill(copy, from, len, id);
	return !memcmp(copy + from, data + from, len - from);
}

static bool there(const char *what)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", me.dir, what);
	return !access(path, F_OK);
}

static void say(const char *what)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s.%s", me.dir, what, me.name);
	fd = open(path, O_CREAT | O_WRONLY, 0644);
	if (fd < 0)
		die(path, -errno);
	close(fd);
}

/* ---- the log ---- */

static void put_line(int fd, const char *line, size_t len)
{
	ssize_t n = write(fd, line, len);

	if (n != (ssize_t)len)
		die("log", n < 0 ? -errno : -ENOSPC);
}

/* One line: {"e":EVENT,"m":ITSELF and what fmt adds}. */
static void note(struct seat *s, const char *event, const char *fmt, ...)
{
	char line[LINE_MAX_LEN];
	va_list ap;
	int n;

	n = snprintf(line, sizeof(line), "{\"e\":\"%s\",\"m\":\"%s\"", event,
		     s->m);
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 3)
		die("a line is too long", -ENOSPC);
	line[n++] = '}';
	line[n++] = '\n';
	put_line(s->log, line, n);
}

static const char *addr_text(char *buf, uint32_t node, uint64_t inc,
			     uint32_t port)
{
	sprintf(buf, "%u:%llx:%u", node, (unsigned long long)inc, port);
	return buf;
}

static void note_view(struct seat *s)
{
	char list[LINE_MAX_LEN - 512], addr[64];
	unsigned int i;
	int n = 0;

	for (i = 0; i < s->n; i++)
		n += snprintf(list + n, sizeof(list) - n, "%s\"%s\"",
			      i ? "," : "",
			      addr_text(addr, s->member[i].node,
					s->member[i].inc, s->member[i].port));
	note(s, "view",
	     ",\"g\":\"%s\",\"view\":\"%llu.%llu\",\"self\":\"%s\",\"members\":[%s]",
	     s->group, s->view.epoch, s->view.seq,
	     addr_text(addr, s->self.sgr_node, s->self.sgr_inc,
		       s->self.sgr_port), list);
}

/* ---- joining and leaving ---- */

static void vacate(struct seat *s, const char *event)
{
	if (event)
		note(s, event, "");
	close(s->fd);
	close(s->log);
	s->state = VACANT;
	s->next_move = now_ms() + draw(3000);
}

static int open_socket(void)
{
	unsigned int all = 1 << GROUP_EV_VIEW | 1 << GROUP_EV_SUSPENDED |
			   1 << GROUP_EV_RESUMED | 1 << GROUP_EV_EVICTED;
	struct timeval some = { .tv_usec = 200000 };
	int fd = gsock_open(SOCK_CLOEXEC), err;

	if (fd < 0)
		return fd;
	err = gsock_set_events(fd, all);
	if (!err)
		err = gsock_set_info(fd, 1);
	if (!err && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &some,
			       sizeof(some)))
		err = -errno;
	if (err)
		die("socket", err);
	return fd;
}

static int open_log(const char *m)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s.log", me.dir, m);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_APPEND, 0644);
	if (fd < 0)
		die(path, -errno);
	return fd;
}

static void join(struct seat *s)
{
	int fd = open_socket(), err;

	if (fd < 0) {
		s->next_move = now_ms() + 100;
		return;
	}
	memset(s, 0, sizeof(*s));
	s->fd = fd;
	snprintf(s->m, sizeof(s->m), "%s.%u", me.name, ++me.made);
	s->log = open_log(s->m);
	s->group = me.group[draw(me.n_groups)];
	s->gap_ms = 50 + draw(1000);
	s->next_move = now_ms() + 500 + draw(30000);
	s->state = JOINING;
	/* Before the call: it may be in before the call is back. */
	note(s, "join", ",\"g\":\"%s\"", s->group);
	err = gsock_join(s->fd, s->group);
	if (!err)
		return;
	if (err != -ENOMEM && err != -ENOSPC)
		die("join", err);
	vacate(s, "crash");
}

/* Some go without reading what is left: nothing more is known of those. */
static void leave(struct seat *s)
{
	if (chance(20)) {
		vacate(s, "crash");
		return;
	}
	s->state = LEAVING;
	gsock_leave(s->fd);
}

static void move(struct seat *s, uint64_t now)
{
	if (now < s->next_move)
		return;
	if (s->state == VACANT && !me.calm)
		join(s);
	else if (s->state == IN && !me.calm && !s->suspended)
		leave(s);
}

/* ---- what comes ---- */

/* Its address has another incarnation when its node has begun anew. */
static void find_self(struct seat *s, const struct group_event *ev)
{
	const struct group_member *m = &s->member[ev->rank];
	int err;

	if (!s->self.sgr_port) {
		err = gsock_self(s->fd, &s->self);
		if (err)
			die("getsockname", err);
	}
	if (ev->rank < s->n && m->port == s->self.sgr_port &&
	    m->node == s->self.sgr_node)
		s->self.sgr_inc = m->inc;
	else if (s->state != LEAVING)
		die("a view has another at this one's rank", -EPROTO);
}

static void take_view(struct seat *s)
{
	const struct group_event *ev = gsock_rx_event(me.rx);
	const struct group_member *m;
	unsigned int n;

	m = gsock_rx_members(me.rx, &n);
	if (n > VIEW_MAX || n != ev->members)
		die("a view's list is cut", -EPROTO);
	memcpy(s->member, m, n * sizeof(*m));
	memset(s->fences, 0, sizeof(s->fences));
	s->n = n;
	s->view = ev->view;
	find_self(s, ev);
	s->knows = true;
	s->fences_due = me.orders;
	if (s->state == JOINING)
		s->state = IN;
	note_view(s);
}

static void note_at(struct seat *s, const char *event)
{
	const struct group_event *ev = gsock_rx_event(me.rx);

	note(s, event, ",\"view\":\"%llu.%llu\"", ev->view.epoch,
	     ev->view.seq);
}

static void take_event(struct seat *s)
{
	switch (gsock_rx_event(me.rx)->type) {
	case GROUP_EV_VIEW:
		take_view(s);
		break;
	case GROUP_EV_SUSPENDED:
		s->suspended = true;
		note_at(s, "suspended");
		break;
	case GROUP_EV_RESUMED:
		s->suspended = false;
		s->refused = false;
		s->fences_due = me.orders;
		note_at(s, "resumed");
		break;
	case GROUP_EV_EVICTED:
		note_at(s, "evicted");
		break;
	}
}

/* The id at the begin of a message; how long it is with its zero byte, or 0. */
static size_t id_of(const char *data, size_t len)
{
	size_t n = strnlen(data, len < ID_LEN ? len : ID_LEN), i;

	for (i = 0; i < n; i++)
		if (data[i] < '!' || data[i] > '~' || data[i] == '"' ||
		    data[i] == '\\')
			return 0;
	return n && n < len && n < ID_LEN ? n + 1 : 0;
}

static void count_fence(struct seat *s, const char *id,
			const struct sockaddr_group *from, unsigned int order)
{
	unsigned int i;

	if (!strstr(id, ":F"))
		return;
	for (i = 0; i < s->n; i++)
		if (s->member[i].node == from->sgr_node &&
		    s->member[i].inc == from->sgr_inc &&
		    s->member[i].port == from->sgr_port)
			s->fences[i] |= 1 << order;
}

static void take_message(struct seat *s)
{
	const struct sockaddr_group *from = gsock_rx_sender(me.rx);
	const struct group_msg_info *info = gsock_rx_info(me.rx);
	const char *data, *id = "?";
	char addr[64];
	size_t len, n;
	bool ok;

	data = gsock_rx_data(me.rx, &len);
	n = id_of(data, len);
	ok = n && !gsock_rx_truncated(me.rx) && is_as_sent(data, n, len, data);
	if (n)
		id = data;
	note(s, "deliver",
	     ",\"g\":\"%s\",\"id\":\"%s\",\"from\":\"%s\",\"view\":\"%llu.%llu\",\"order\":\"%s\",\"pos\":%llu,\"lamport\":%llu,\"len\":%zu,\"ok\":%s%s",
	     s->group, id,
	     addr_text(addr, from->sgr_node, from->sgr_inc, from->sgr_port),
	     info->view.epoch, info->view.seq, gsock_order_name(info->order),
	     info->position, info->lamport, len, ok ? "true" : "false",
	     info->position ? "" : ",\"to_one\":true");
	if (n && info->position)
		count_fence(s, id, from, info->order);
}

/* One record; false: nothing there, or the member is no more. */
static bool take(struct seat *s)
{
	int kind = gsock_recv(s->fd, me.rx, MSG_DONTWAIT);

	if (kind == -EAGAIN || kind == -EINTR)
		return false;
	if (kind == GSOCK_MESSAGE) {
		take_message(s);
		return true;
	}
	if (kind == GSOCK_EVENT) {
		take_event(s);
		return true;
	}
	if (kind == GSOCK_END && s->state == LEAVING)
		vacate(s, "left");
	else if (kind == -ECONNRESET)
		vacate(s, NULL);	/* the event said it */
	else if (s->state == JOINING && (kind == -ENOMEM || kind == -ENOSPC))
		vacate(s, "crash");
	else
		die("receive", kind);
	return false;
}

static void new_mood(struct seat *s, uint64_t now)
{
	unsigned int n = draw(100);

	s->next_mood = now + 200 + draw(2000);
	s->read_ms = 0;
	if (n >= 95)
		s->read_ms = s->next_mood - now;
	else if (n >= 75)
		s->read_ms = 1 + draw(20);
	if (chance(20))
		s->gap_ms = chance(10) ? 1 + draw(10) : 50 + draw(1000);
}

static void receive(struct seat *s, uint64_t now)
{
	int i;

	if (now >= s->next_mood)
		new_mood(s, now);
	if (me.calm || s->state == LEAVING)
		s->read_ms = 0;
	if (s->read_ms && now < s->next_read)
		return;
	s->next_read = now + s->read_ms;
	/* So many, that the others of this process have their turn. */
	for (i = 0; i < (s->read_ms ? 1 : 64) && take(s); i++)
		;
}

/* ---- what goes ---- */

static size_t draw_size(void)
{
	unsigned int n = draw(1000);

	if (n < 600)
		return draw(200);
	if (n < 900)
		return draw(3000);
	if (n < 995)
		return draw(20000);
	return draw(SIZE_MAX_MSG);
}

static int send_somehow(struct seat *s, size_t len, int order, int flags,
			const struct sockaddr_group *to, bool in_view)
{
	if (to)
		return gsock_send_to(s->fd, to, me.data, len, order, flags);
	if (in_view)
		return gsock_send_in(s->fd, &s->view, me.data, len, order,
				     flags);
	return gsock_send(s->fd, me.data, len, order, flags);
}

static void one_of_them(const struct seat *s, struct sockaddr_group *to)
{
	const struct group_member *m = &s->member[draw(s->n)];

	memset(to, 0, sizeof(*to));
	to->sgr_family = gsock_family();
	to->sgr_kind = GROUP_ADDR_MEMBER;
	to->sgr_node = m->node;
	to->sgr_inc = m->inc;
	to->sgr_port = m->port;
	strcpy(to->sgr_name, s->group);
}

static bool may_be_refused(int err)
{
	switch (-err) {
	case EAGAIN:
	case EDEADLK:
	case ESTALE:
	case EHOSTUNREACH:
	case EPIPE:
	case EINTR:
	case ENOMEM:
		return true;
	}
	return false;
}

/* Makes a message and tries to send it; 0 or -errno. */
static int attempt(struct seat *s, const char *kind, size_t len, int order,
		   int flags, const struct sockaddr_group *to, bool in_view)
{
	char id[ID_LEN], where[80] = "", addr[64];
	int err;

	snprintf(id, sizeof(id), "%s:%s%u", s->m, kind, ++s->sent);
	if (len <= strlen(id))
		len = strlen(id) + 1;
	strcpy(me.data, id);
	fill(me.data, strlen(id) + 1, len, id);
	if (to)
		snprintf(where, sizeof(where), ",\"to\":\"%s\"",
			 addr_text(addr, to->sgr_node, to->sgr_inc,
				   to->sgr_port));
	note(s, "send",
	     ",\"g\":\"%s\",\"id\":\"%s\",\"order\":\"%s\",\"len\":%zu%s",
	     s->group, id, gsock_order_name(order), len, where);
	err = send_somehow(s, len, order, flags, to, in_view);
	if (err && !may_be_refused(err))
		die("send", err);
	if (err)
		note(s, "refused", ",\"id\":\"%s\",\"errno\":\"%s\"", id,
		     strerrorname_np(-err));
	else if (in_view)
		note(s, "sent", ",\"id\":\"%s\",\"view\":\"%llu.%llu\"", id,
		     s->view.epoch, s->view.seq);
	else
		note(s, "sent", ",\"id\":\"%s\"", id);
	return err;
}

static void send_one(struct seat *s, uint64_t now)
{
	int order = me.order[draw(me.n_orders)];
	struct sockaddr_group to;
	bool single = chance(10), in_view = !single && chance(10);
	int flags = chance(10) ? 0 : MSG_DONTWAIT;
	int err;

	s->next_send = now + draw(2 * s->gap_ms) + 1;
	if (single)
		one_of_them(s, &to);
	err = attempt(s, "", draw_size(), order, flags, single ? &to : NULL,
		      in_view);
	s->refused = err == -EAGAIN;
	if (err == -ENOMEM || err == -EDEADLK)
		s->next_send = now + 50;
}

static void send_fences(struct seat *s)
{
	int order, err;

	while (s->fences_due && !s->refused) {
		order = __builtin_ctz(s->fences_due);
		err = attempt(s, "F", 0, order, MSG_DONTWAIT, NULL, false);
		if (!err)
			s->fences_due &= s->fences_due - 1;
		else if (err == -EAGAIN)
			s->refused = true;
		else if (err != -ENOMEM)
			return;
	}
}

static void send_some(struct seat *s, uint64_t now)
{
	if (s->state != IN || !s->knows || s->suspended || s->refused)
		return;
	if (me.fence)
		send_fences(s);
	else if (!me.calm && now >= s->next_send)
		send_one(s, now);
}

/* ---- node views ---- */

static void note_epoch(const struct gsock_rec *rec)
{
	uint64_t epoch = gsock_rec_num(rec, GSOCK_A_NODE_EPOCH);
	struct gsock_rec *seat = gsock_rec_nested(rec);
	char line[LINE_MAX_LEN];
	int n;

	if (!seat || !epoch || epoch == me.epoch ||
	    gsock_rec_num(rec, GSOCK_A_NODE_STATE) != GSOCK_NODE_NORMAL)
		return;
	me.epoch = epoch;
	n = sprintf(line,
		    "{\"e\":\"epoch\",\"n\":%u,\"inc\":\"%llx\",\"epoch\":%llu,\"before\":%llu,\"nodes\":[",
		    (unsigned int)gsock_rec_num(rec, GSOCK_A_NODE_ID),
		    (unsigned long long)gsock_rec_num(rec, GSOCK_A_NODE_INC),
		    (unsigned long long)epoch,
		    (unsigned long long)gsock_rec_num(
			    rec, GSOCK_A_NODE_EPOCH_BEFORE));
	for (; seat && n < LINE_MAX_LEN - 64; seat = gsock_rec_next(seat))
		n += sprintf(line + n, "%s\"%u:%llx\"",
			     line[n - 1] == '[' ? "" : ",",
			     (unsigned int)gsock_rec_num(seat, GSOCK_A_NODE_ID),
			     (unsigned long long)gsock_rec_num(
				     seat, GSOCK_A_NODE_INC));
	n += sprintf(line + n, "]}\n");
	put_line(me.epochs, line, n);
}

static void watch_node(void)
{
	struct gsock_rec *rec;

	while (!gsock_mon_next(me.mon, &rec)) {
		if (gsock_rec_cmd(rec) == GSOCK_CMD_NODE_NTF)
			note_epoch(rec);
		gsock_rec_free(rec);
	}
}

/* ---- how far the run is ---- */

static bool seat_calm(const struct seat *s)
{
	return s->state == VACANT || (s->state == IN && !s->suspended);
}

static bool seat_done(const struct seat *s)
{
	unsigned int i;

	if (s->state == VACANT)
		return true;
	if (s->state != IN || s->suspended || s->fences_due)
		return false;
	for (i = 0; i < s->n; i++)
		if (s->fences[i] != me.orders)
			return false;
	return true;
}

static bool all_seats(bool (*is)(const struct seat *s))
{
	unsigned int i;

	for (i = 0; i < SEATS; i++)
		if (!is(&me.seat[i]))
			return false;
	return true;
}

static bool seat_vacant(const struct seat *s)
{
	return s->state == VACANT;
}

static void look_around(void)
{
	me.calm = me.calm || there("calm");
	me.fence = me.fence || (me.calm && there("fence"));
	me.end = me.fence && there("end");
	/* Whoever is left without any member takes part in the end, too. */
	if (me.calm && !me.was_calm && all_seats(seat_vacant))
		join(&me.seat[0]);
	if (me.calm && !me.was_calm && all_seats(seat_calm)) {
		me.was_calm = true;
		say("calm");
	}
	if (me.fence && !me.was_done && all_seats(seat_done)) {
		me.was_done = true;
		say("done");
	}
}

/* Stays, so that none of the others sees a member leave. */
static void finish(void)
{
	struct seat *s;

	watch_node();
	for (s = me.seat; s < me.seat + SEATS; s++) {
		if (s->state == VACANT)
			continue;
		while (take(s))
			;
		if (s->state == IN)
			note(s, "end", "");
	}
	say("ended");
	for (;;)
		pause();
}

static void run(void)
{
	struct pollfd p[SEATS];
	uint64_t now, looked = 0;
	int i;

	while (!me.end) {
		for (i = 0; i < SEATS; i++) {
			struct seat *s = &me.seat[i];

			p[i].fd = s->state == VACANT ? -1 : s->fd;
			p[i].events = s->read_ms && !me.calm ? 0 : POLLIN;
			if (s->refused)
				p[i].events |= POLLOUT;
		}
		/* The files that tell how far the run is do not wake poll. */
		if (poll(p, SEATS, 20) < 0 && errno != EINTR)
			die("poll", -errno);
		now = now_ms();
		for (i = 0; i < SEATS; i++) {
			struct seat *s = &me.seat[i];

			if (p[i].fd >= 0 && p[i].revents & POLLOUT)
				s->refused = false;
			if (s->state != VACANT)
				receive(s, now);
			send_some(s, now);
			move(s, now);
		}
		if (now - looked >= 50) {
			looked = now;
			watch_node();
			look_around();
		}
	}
	finish();
}

/* ---- the last words of a killed process ---- */

static bool is_last_word(const char *line)
{
	return strstr(line, "{\"e\":\"left\"") == line ||
	       strstr(line, "{\"e\":\"crash\"") == line ||
	       strstr(line, "{\"e\":\"evicted\"") == line ||
	       strstr(line, "{\"e\":\"end\"") == line;
}

/* A line that was cut off goes; who had not come to an end crashed. */
static void mark(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	char *text, *last, line[128];
	struct stat st;
	off_t len;
	int fd, n;

	fd = open(path, O_RDWR | O_APPEND);
	if (fd < 0 || fstat(fd, &st))
		die(path, -errno);
	text = calloc(1, st.st_size + 1);
	if (!text || pread(fd, text, st.st_size, 0) != st.st_size)
		die(path, -EIO);
	len = st.st_size;
	while (len && text[len - 1] != '\n')
		len--;
	if (ftruncate(fd, len))
		die(path, -errno);
	last = len > 1 ? memrchr(text, '\n', len - 1) : NULL;
	if (!is_last_word(last ? last + 1 : text)) {
		n = snprintf(line, sizeof(line),
			     "{\"e\":\"crash\",\"m\":\"%.*s\"}\n",
			     (int)strlen(name) - 4, name);
		put_line(fd, line, n);
	}
	free(text);
	close(fd);
}

static void mark_all(void)
{
	char pattern[512];
	glob_t found;
	size_t i;

	snprintf(pattern, sizeof(pattern), "%s/%s.*.log", me.dir, me.name);
	if (glob(pattern, 0, NULL, &found))
		return;
	for (i = 0; i < found.gl_pathc; i++)
		if (!strstr(found.gl_pathv[i], ".0.log"))
			mark(found.gl_pathv[i]);
	globfree(&found);
}

/* ---- all of it ---- */

static void take_orders(char *list)
{
	char *word;
	int order;

	for (word = strtok(list, " ,"); word; word = strtok(NULL, " ,")) {
		order = gsock_order_of(word);
		if (order < 0)
			die(word, order);
		me.order[me.n_orders++ % 8] = order;
		me.orders |= 1 << order;
	}
}

static void take_groups(char *list)
{
	char *word;

	for (word = strtok(list, " ,"); word; word = strtok(NULL, " ,")) {
		if (me.n_groups == GROUPS)
			die("too many groups", -E2BIG);
		me.group[me.n_groups++] = word;
	}
}

static void start(void)
{
	char log[NAME_LEN];
	int i, err;

	for (i = 0; i < 16; i++)
		next_random(&me.random);
	me.data = malloc(SIZE_MAX_MSG);
	err = gsock_rx_new(&me.rx, GROUP_MSG_MAX);
	if (err || !me.data)
		die("memory", -ENOMEM);
	err = gsock_mon_new(&me.mon);
	if (err)
		die("monitor", err);
	snprintf(log, sizeof(log), "%s.0", me.name);
	me.epochs = open_log(log);
	join(&me.seat[0]);
}

int main(int argc, char **argv)
{
	bool killed = false;
	int c;

	while ((c = getopt(argc, argv, "n:d:g:o:s:k")) != -1) {
		if (c == 'n')
			me.name = optarg;
		else if (c == 'd')
			me.dir = optarg;
		else if (c == 'g')
			take_groups(optarg);
		else if (c == 'o')
			take_orders(optarg);
		else if (c == 's')
			me.random = strtoull(optarg, NULL, 0) * 2654435769U + 1;
		else if (c == 'k')
			killed = true;
		else
			return 2;
	}
	if (!me.name || !me.dir ||
	    (!killed && (!me.n_groups || !me.n_orders || !me.random))) {
		fprintf(stderr, "chaos_member: -n, -d and -g, -o, -s or -k are needed\n");
		return 2;
	}
	if (killed) {
		mark_all();
		return 0;
	}
	start();
	run();
	return 0;
}
