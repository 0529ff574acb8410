// SPDX-License-Identifier: GPL-2.0
/*
 * Takes away what others need, for so many seconds:
 *
 *	chaos_hog cpu HOW_MANY SECONDS		processes that spin
 *	chaos_hog mem KEEP_MB SECONDS		memory, until so much is left
 *	chaos_hog udp ADDRESS SECONDS		datagrams, as fast as they go
 *
 * Fractions of a second count. Ends by itself, whatever becomes of its parent.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (1 << 20)

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int hog_cpu(int n, double end)
{
	int i;

	for (i = 0; i < n; i++) {
		if (fork())
			continue;
		/* With its parent, also if that is killed. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (now() < end)
			;
		return 0;
	}
	while (wait(NULL) > 0)
		;
	return 0;
}

static long available_mb(void)
{
	char line[128];
	long kb = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && kb < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "MemAvailable: %ld", &kb);
	if (f)
		fclose(f);
	return kb / 1024;
}

/* Takes what becomes free, until the time is over. */
static int hog_mem(long keep, double end)
{
	FILE *f = fopen("/proc/self/oom_score_adj", "w");
	char *p;

	/* The first to go, if it comes to that. */
	if (f) {
		fputs("1000", f);
		fclose(f);
	}
	while (now() < end) {
		if (available_mb() <= keep) {
			usleep(5000);
			continue;
		}
		p = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (p == MAP_FAILED)
			usleep(5000);
	}
	return 0;
}

static int hog_udp(const char *address, double end)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(9),
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	static char data[1400];

	if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1) {
		fprintf(stderr, "chaos_hog: no address: %s\n", address);
		return 2;
	}
	/* A full queue, or ICMP's word that nobody listens: all the same. */
	while (now() < end)
		if (sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&to,
			   sizeof(to)) < 0)
			usleep(100);
	return 0;
}

int main(int argc, char **argv)
{
	double end = now() + (argc == 4 ? atof(argv[3]) : 0);

	if (argc == 4 && !strcmp(argv[1], "cpu"))
		return hog_cpu(atoi(argv[2]), end);
	if (argc == 4 && !strcmp(argv[1], "mem"))
		return hog_mem(atol(argv[2]), end);
	if (argc == 4 && !strcmp(argv[1], "udp"))
		return hog_udp(argv[2], end);
	fprintf(stderr, "chaos_hog: cpu N, mem MB or udp ADDRESS, and seconds\n");
	return 2;
}
