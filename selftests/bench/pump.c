// SPDX-License-Identifier: GPL-2.0
/*
 * Messages as fast as they go, and how many arrive, for groups and, to compare
 * with, for plain UDP sent to each receiver in turn.
 *
 *	pump send GROUP SIZE SECONDS [MEMBERS [COUNT]]
 *	pump recv GROUP
 *	pump udpsend PORT SIZE SECONDS ADDR...
 *	pump udprecv PORT
 *
 * A sender waits until the group has MEMBERS members, and ends after COUNT
 * messages if that comes first; an empty message is the end. Every message
 * is numbered and its bytes follow from its number, so that a receiver can
 * tell a lost, repeated, misplaced or altered one: exit status 1.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/group.h>

#define SIZE_MAX_BYTES GROUP_MSG_MAX
/* A receiver that hears nothing for so long gives up. */
#define SILENCE_MS 20000

static unsigned char pattern[SIZE_MAX_BYTES + 256];
static unsigned char buf[SIZE_MAX_BYTES + 256];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "pump: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* Message @seq: its number, then bytes of the pattern from there on. */
static void fill(uint64_t seq, size_t size)
{
	memcpy(buf, pattern + (seq & 255), size);
	if (size >= sizeof(seq))
		memcpy(buf, &seq, sizeof(seq));
}

static int good(uint64_t seq, size_t size)
{
	if (size < sizeof(seq))
		return !memcmp(buf, pattern + (seq & 255), size);
	return !memcmp(buf, &seq, sizeof(seq)) &&
	       !memcmp(buf + 8, pattern + (seq & 255) + 8, size - 8);
}

static int join(const char *name, int loopback)
{
	struct sockaddr_group a = { .sgr_family = AF_GROUP };
	int fd = socket(AF_GROUP, SOCK_SEQPACKET, 0);
	int events = 1 << GROUP_EV_VIEW | 1 << GROUP_EV_EVICTED;

	strncpy(a.sgr_name, name, GROUP_NAME_MAX);
	if (fd < 0 ||
	    setsockopt(fd, SOL_GROUP, GROUP_EVENTS, &events, 4) ||
	    setsockopt(fd, SOL_GROUP, GROUP_LOOPBACK, &loopback, 4) ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die(name);
	return fd;
}

static ssize_t next(int fd, int *flags)
{
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);

	while (n < 0 && errno == EAGAIN) {
		if (poll(&p, 1, SILENCE_MS) != 1) {
			errno = ETIMEDOUT;
			return -1;
		}
		n = recvmsg(fd, &m, MSG_DONTWAIT);
	}
	*flags = m.msg_flags;
	return n;
}

static void wait_members(int fd, unsigned int members)
{
	struct group_event *ev = (void *)buf;
	int flags;

	do {
		if (next(fd, &flags) < 0)
			die("waiting for members");
	} while (!(flags & MSG_NOTIFICATION) || ev->type != GROUP_EV_VIEW ||
		 ev->members < members);
}

/* Also when only this node's own members hold it back: they do not read. */
static void send_one(int fd, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	while (send(fd, buf, size, 0) < 0)
		if (errno != EDEADLK || poll(&p, 1, SILENCE_MS) != 1)
			die("send");
}

static int send_group(const char *name, size_t size, double seconds,
		      unsigned int members, uint64_t count)
{
	int fd = join(name, 0);
	double start, took;
	int none = 0;
	uint64_t seq = 0;

	wait_members(fd, members);
	/* What is queued and never read would hold it back. */
	if (setsockopt(fd, SOL_GROUP, GROUP_EVENTS, &none, sizeof(none)))
		die("events");
	start = now();
	do {
		fill(seq, size);
		send_one(fd, size);
		seq++;
	} while ((seq % 16 || now() - start < seconds) &&
		 (!count || seq < count));
	took = now() - start;
	send_one(fd, 0);
	printf("pump: sent %llu of %zu B, %.0f/s\n", (unsigned long long)seq,
	       size, seq / took);
	close(fd);
	return 0;
}

static int report(uint64_t n, uint64_t wrong, double took)
{
	printf("pump: received %llu, wrong %llu, %.0f/s\n",
	       (unsigned long long)n, (unsigned long long)wrong,
	       took > 0 ? n / took : 0);
	return wrong || !n;
}

static int recv_group(const char *name)
{
	uint64_t n = 0, wrong = 0;
	double start = 0;
	int fd = join(name, 1), flags;
	ssize_t len;

	for (;;) {
		len = next(fd, &flags);
		if (len < 0 || !(flags & MSG_EOR)) {
			report(n, wrong, now() - start);
			die(len < 0 ? "recv" : "left");
		}
		if (flags & MSG_NOTIFICATION)
			continue;
		if (!len)
			break;
		if (!n)
			start = now();
		wrong += !good(n, len);
		n++;
	}
	return report(n, wrong, now() - start);
}

static int send_udp(int port, size_t size, double seconds, char **addr, int n)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), i, k;
	uint64_t seq = 0;
	double start = now(), took;

	do {
		fill(seq, size);
		for (i = 0; i < n; i++) {
			inet_pton(AF_INET, addr[i], &to.sin_addr);
			sendto(fd, buf, size, 0, (struct sockaddr *)&to,
			       sizeof(to));
		}
		seq++;
	} while (seq % 16 || now() - start < seconds);
	took = now() - start;
	for (k = 0; k < 50; k++) {
		for (i = 0; i < n; i++) {
			inet_pton(AF_INET, addr[i], &to.sin_addr);
			sendto(fd, buf, 0, 0, (struct sockaddr *)&to,
			       sizeof(to));
		}
		usleep(2000);
	}
	printf("pump: sent %llu of %zu B, %.0f/s\n", (unsigned long long)seq,
	       size, seq / took);
	return 0;
}

/* What is lost is no error here: only what arrives is counted. */
static int recv_udp(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), flags;
	double start = 0;
	uint64_t n = 0;
	ssize_t len;

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die("bind");
	while ((len = next(fd, &flags)) > 0)
		if (!n++)
			start = now();
	return report(n, 0, now() - start);
}

int main(int argc, char **argv)
{
	size_t i, size = argc > 3 ? strtoul(argv[3], NULL, 0) : 0;

	for (i = 0; i < sizeof(pattern); i++)
		pattern[i] = i * 7 + (i >> 8);
	if (size > SIZE_MAX_BYTES || argc < 3)
		goto usage;
	if (argc >= 5 && !strcmp(argv[1], "send"))
		return send_group(argv[2], size, atof(argv[4]),
				  argc > 5 ? atoi(argv[5]) : 1,
				  argc > 6 ? strtoull(argv[6], NULL, 0) : 0);
	if (argc == 3 && !strcmp(argv[1], "recv"))
		return recv_group(argv[2]);
	if (argc > 5 && !strcmp(argv[1], "udpsend"))
		return send_udp(atoi(argv[2]), size, atof(argv[4]), argv + 5,
				argc - 5);
	if (argc == 3 && !strcmp(argv[1], "udprecv"))
		return recv_udp(atoi(argv[2]));
usage:
	fprintf(stderr, "pump: send GROUP SIZE SECONDS [MEMBERS [COUNT]] | recv GROUP | udpsend PORT SIZE SECONDS ADDR... | udprecv PORT; SIZE up to %d\n",
		SIZE_MAX_BYTES);
	return 2;
}
