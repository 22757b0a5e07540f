// SPDX-License-Identifier: GPL-2.0
/* This file runs the schedules of a simulator and checks them. See schedules.h. */
#define OPENSSL_SUPPRESS_DEPRECATED	/* RAND_METHOD is. */

#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "schedules.h"

static u64 random_state;

static int fill_random(unsigned char *buf, int len)
{
	while (len-- > 0)
		*buf++ = (unsigned char)draw_from(&random_state);
	return 1;
}

static int has_random(void)
{
	return 1;
}

/* All that uses random numbers in libcrypto has them from here, keys included. */
static const RAND_METHOD from_seed = {
	.bytes = fill_random,
	.pseudorand = fill_random,
	.status = has_random,
};

static u64 run(const struct schedules *s, u64 seed, bool again)
{
	random_state = ~seed;
	return s->run(seed, again);
}

static void examine(struct schedules *s, u64 seed)
{
	static size_t used;
	u64 trace = run(s, seed, false);

	/*
	 * libcrypto keeps the algorithms that a schedule was the first to use.
	 * Only memory that is missing after a second run as well has leaked.
	 */
	if (heap_used > used) {
		used = heap_used;
		run(s, seed, true);
		if (heap_used > used) {
			printf("# seed %" PRIu64 " leaks %zu bytes\n",
			       (uint64_t)seed, heap_used - used);
			s->leaks++;
		}
		used = heap_used;
	}
	if (!(seed % 16) && run(s, seed, true) != trace) {
		printf("# seed %" PRIu64 " ran otherwise\n", (uint64_t)seed);
		s->differ++;
	}
}

void schedules_run(struct schedules *s, int argc, char **argv)
{
	u64 first = 1, seed;

	RAND_set_rand_method(&from_seed);
	if (argc > 2 && !strcmp(argv[1], "-v")) {
		network_verbose = true;
		run(s, strtoull(argv[2], NULL, 0), false);
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
