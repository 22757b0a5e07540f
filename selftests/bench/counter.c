// SPDX-License-Identifier: GPL-2.0
/* The counter, and what is made of its figures; see bench.h. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <x86intrin.h>

#include "bench.h"

static const char *counter;
static int perf_fd = -1;

bool counter_open(const char *name)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = strcmp(name, "cycles") ? PERF_COUNT_HW_INSTRUCTIONS :
						   PERF_COUNT_HW_CPU_CYCLES,
	};

	cpu_set_t here;
	int cpu = sched_getcpu();

	counter = name;
	if (!strcmp(name, "tsc") || !strcmp(name, "time"))
		return true;
	/* All that its processor does, the kernel's threads too; so stay there. */
	CPU_ZERO(&here);
	CPU_SET((unsigned int)cpu, &here);
	if (sched_setaffinity(0, sizeof(here), &here))
		return false;
	perf_fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, 0);
	return perf_fd >= 0;
}

uint64_t now(void)
{
	struct timespec ts;
	uint64_t n;

	if (perf_fd >= 0)
		return read(perf_fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
	if (counter[0] == 't' && counter[1] == 's')
		return __rdtsc();
	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static double sum(const struct cost *c)
{
	return c->deliver + c->send + c->recv;
}

static int by_sum(const void *a, const void *b)
{
	double d = sum(a) - sum(b);

	return (d > 0) - (d < 0);
}

struct cost middle_half(struct cost *rounds, unsigned int n)
{
	unsigned int quarter = n / 4, kept = n - 2 * quarter, i;
	struct cost mean = { 0 };

	qsort(rounds, n, sizeof(rounds[0]), by_sum);
	for (i = quarter; i < quarter + kept; i++) {
		mean.deliver += rounds[i].deliver / kept / BATCH;
		mean.send += rounds[i].send / kept / BATCH;
		mean.recv += rounds[i].recv / kept / BATCH;
	}
	return mean;
}
