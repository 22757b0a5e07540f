// SPDX-License-Identifier: GPL-2.0
/* This file runs the schedules of a simulator and checks them. See schedules.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "schedules.h"

static void examine(struct schedules *s, u64 seed)
{
	static size_t used;
	u64 trace = s->run(seed, false);

	/*
	 * libcrypto keeps the algorithms that a schedule was the first to use.
	 * Only memory that is missing after a second run as well has leaked.
	 */
	if (heap_used > used) {
		used = heap_used;
		s->run(seed, true);
		if (heap_used > used) {
			printf("# seed %" PRIu64 " leaks %zu bytes\n",
			       (uint64_t)seed, heap_used - used);
			s->leaks++;
		}
		used = heap_used;
	}
	if (!(seed % 16) && s->run(seed, true) != trace) {
		printf("# seed %" PRIu64 " ran otherwise\n", (uint64_t)seed);
		s->differ++;
	}
}

void schedules_run(struct schedules *s, int argc, char **argv)
{
	u64 first = 1, seed;

	if (argc > 2 && !strcmp(argv[1], "-v")) {
		network_verbose = true;
		s->run(strtoull(argv[2], NULL, 0), false);
		return;
	}
	s->count = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000;
	if (argc > 2)
		first = strtoull(argv[2], NULL, 0);
	printf("TAP version 13\n");
	printf("# seeds %" PRIu64 " to %" PRIu64 "\n", (uint64_t)first,
	       (uint64_t)(first + s->count - 1));
	for (seed = first; seed < first + s->count; seed++)
		examine(s, seed);
}

int schedules_report(const struct schedules_test *tests, size_t n)
{
	size_t i;
	int bad = 0;

	printf("1..%zu\n", n);
	for (i = 0; i < n; i++) {
		printf("%sok %zu %s\n", tests[i].ok ? "" : "not ", i + 1,
		       tests[i].what);
		bad |= !tests[i].ok;
	}
	return bad;
}
