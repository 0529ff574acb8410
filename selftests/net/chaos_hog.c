// SPDX-License-Identifier: GPL-2.0
/*
 * Takes away what others need, for so many seconds:
 *
 *	chaos_hog cpu HOW_MANY SECONDS		processes that spin
 *	chaos_hog mem KEEP_MB SECONDS		memory, until so much is left
 *	chaos_hog udp ADDRESS SECONDS		datagrams, as fast as they go
 *
 * or looks on, and tells for how many milliseconds at most a processor did not
 * even run what goes before everything else: when that is long, the machine
 * under the guest stood still, and no kernel could have done anything.
 *
 *	chaos_hog watch MS SECONDS		status 1: for longer than MS
 *
 * Fractions of a second count. Ends by itself, whatever becomes of its parent.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <sched.h>
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

static int watch_cpu(int cpu, long limit_ms, double end)
{
	struct sched_param first = { .sched_priority = 99 };
	struct timespec gap = { .tv_nsec = 10000000 };
	double before = now(), longest = 0, t;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) ||
	    sched_setscheduler(0, SCHED_FIFO, &first)) {
		perror("chaos_hog");
		return 2;
	}
	while (before < end) {
		nanosleep(&gap, NULL);
		t = now();
		if (t - before > longest)
			longest = t - before;
		before = t;
	}
	printf("# processor %d stood still for %.0f ms at most\n", cpu,
	       longest * 1e3 - 10);
	return longest * 1e3 - 10 > limit_ms;
}

static int hog_watch(long limit_ms, double end)
{
	long i, n = sysconf(_SC_NPROCESSORS_ONLN);
	int status, worst = 0;

	for (i = 0; i < n; i++)
		if (!fork())
			return watch_cpu(i, limit_ms, end);
	while (wait(&status) > 0)
		if (WEXITSTATUS(status) > worst)
			worst = WEXITSTATUS(status);
	return worst;
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
	if (argc == 4 && !strcmp(argv[1], "watch"))
		return hog_watch(atol(argv[2]), end);
	fprintf(stderr,
		"chaos_hog: cpu N, mem MB, udp ADDRESS or watch MS, and seconds\n");
	return 2;
}
