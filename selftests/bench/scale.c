// SPDX-License-Identifier: GPL-2.0
/* What many sockets cost, in work and in memory; see bench.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define PAIRS_MAX	10000
#define PAIRS_WEIGHED	2000

static bool many_files(void)
{
	struct rlimit limit = { 2 * PAIRS_MAX + 100, 2 * PAIRS_MAX + 100 };

	return !setrlimit(RLIMIT_NOFILE, &limit);
}

/* A record over each of 1 to 10,000 pairs of sockets in turn */
bool many_sockets(struct ends *e)
{
	struct ends *pairs = calloc(PAIRS_MAX, sizeof(*pairs));
	unsigned int open = 0, n, round, i;
	bool ok = pairs && many_files();

	for (n = 1; ok && n <= PAIRS_MAX; n *= 10) {
		unsigned int rounds = PAIRS_MAX / n;
		uint64_t start, spent = 0;
		struct json_object *o;

		for (; ok && open < n; open++) {
			pairs[open] = *e;
			ok = e->row->open(&pairs[open]);
		}
		for (round = 0; ok && round <= rounds; round++) {
			start = now();
			for (i = 0; ok && i < n; i++)
				ok = e->row->send(&pairs[i], 1);
			for (i = 0; ok && i < n; i++)
				ok = e->row->recv(&pairs[i], 1);
			if (round)
				spent += now() - start;
		}
		if (!ok)
			break;
		o = figure("sockets", e);
		figure_add(o, "pairs", n);
		figure_add(o, "sum", (double)spent / rounds / n);
		figure_print(o);
	}
	while (open--)
		e->row->close(&pairs[open]);
	free(pairs);
	return ok;
}

static double memory_free(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kib = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemFree: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return (double)kib * 1024;
}

static bool open_bare(struct ends *e)
{
	return open_pair(e, SOCK_DGRAM);
}

/* What the kernel has less of for each socket: bare, attached, with its keys */
bool memory(struct ends *e)
{
	static const struct step {
		const char *name;
		bool (*take)(struct ends *e);
	} steps[] = {
		{ "socket_bytes", open_bare },
		{ "attached_bytes", ours_attach },
		{ "association_bytes", ours_keys },
	};
	struct ends *pairs = calloc(PAIRS_WEIGHED, sizeof(*pairs));
	struct json_object *o = figure("memory", e);
	bool ok = pairs && many_files();
	unsigned int s, i;

	for (i = 0; ok && i < PAIRS_WEIGHED; i++)
		pairs[i] = *e;
	for (s = 0; ok && s < sizeof(steps) / sizeof(steps[0]); s++) {
		double before = memory_free();

		for (i = 0; ok && i < PAIRS_WEIGHED; i++)
			ok = steps[s].take(&pairs[i]);
		figure_add(o, steps[s].name,
			   (before - memory_free()) / 2 / PAIRS_WEIGHED);
	}
	if (ok)
		figure_print(o);
	else
		json_object_put(o);
	for (i = 0; pairs && i < PAIRS_WEIGHED; i++)
		close_pair(&pairs[i]);
	free(pairs);
	return ok;
}
