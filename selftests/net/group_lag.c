// SPDX-License-Identifier: GPL-2.0
/*
 * group_lag: on each processor a thread of real-time priority that sleeps a
 * millisecond at a time; the worst it was late tells how long something kept
 * the processor in softirqs, or with interrupts or preemption off. Prints the
 * worst of each at SIGTERM; SIGUSR1 starts the count anew.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { CPUS = 64 };

static volatile uint64_t worst[CPUS];

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void *watch(void *arg)
{
	int cpu = (intptr_t)arg;
	struct sched_param prio = { .sched_priority = 50 };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	pthread_setschedparam(pthread_self(), SCHED_FIFO, &prio);
	for (;;) {
		struct timespec ms = { 0, 1000000 };
		uint64_t late, before = now_ns();

		nanosleep(&ms, NULL);
		late = now_ns() - before - 1000000;
		if (late > worst[cpu])
			worst[cpu] = late;
	}
	return NULL;
}

int main(void)
{
	int i, sig, n = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t thread;
	sigset_t set;

	n = n < CPUS ? n : CPUS;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (i = 0; i < n; i++)
		if (pthread_create(&thread, NULL, watch, (void *)(intptr_t)i))
			return 1;
	while (!sigwait(&set, &sig) && sig == SIGUSR1)
		for (i = 0; i < n; i++)
			worst[i] = 0;
	for (i = 0; i < n; i++)
		printf("# processor %d: at most %d us late\n", i,
		       (int)(worst[i] / 1000));
	return 0;
}
