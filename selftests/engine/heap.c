// SPDX-License-Identifier: GPL-2.0
/* Counts what libcrypto's allocator gives out; see heap.h. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"

#define HEAD	16	/* keeps the size, and the alignment */

size_t heap_used, heap_peak;
unsigned long heap_calls, heap_fail;

/* Whose call this is stands in its file name. */
static bool shall_fail(const char *file)
{
	if (!file || !strstr(file, "userspace/"))
		return false;
	return ++heap_calls == heap_fail;
}

static void *heap_malloc(size_t n, const char *file, int line)
{
	size_t *p;

	(void)line;
	if (shall_fail(file))
		return NULL;
	p = malloc(n + HEAD);
	if (!p)
		return NULL;
	*p = n;
	heap_used += n;
	if (heap_used > heap_peak)
		heap_peak = heap_used;
	return (char *)p + HEAD;
}

static void heap_free(void *ptr, const char *file, int line)
{
	size_t *p;

	(void)file;
	(void)line;
	if (!ptr)
		return;
	p = (size_t *)((char *)ptr - HEAD);
	heap_used -= *p;
	free(p);
}

static void *heap_realloc(void *ptr, size_t n, const char *file, int line)
{
	size_t old = ptr ? *(size_t *)((char *)ptr - HEAD) : 0;
	void *copy;

	if (!n) {
		heap_free(ptr, file, line);
		return NULL;
	}
	copy = heap_malloc(n, file, line);
	if (copy && ptr) {
		memcpy(copy, ptr, old < n ? old : n);
		heap_free(ptr, file, line);
	}
	return copy;
}

bool heap_watch(void)
{
	return CRYPTO_set_mem_functions(heap_malloc, heap_realloc, heap_free);
}

static int run_failing(int (*run)(void *arg), void *arg, unsigned long fail)
{
	int err;

	heap_calls = 0;
	heap_fail = fail;
	err = run(arg);
	heap_fail = 0;
	return err;
}

/* What libcrypto keeps it may; a leak grows when the same is done again. */
static bool leaks(int (*run)(void *arg), void *arg, unsigned long fail)
{
	size_t before;
	int i;

	for (i = 0; i < 3; i++) {
		before = heap_used;
		run_failing(run, arg, fail);
		if (heap_used <= before)
			return false;
	}
	printf("# allocation %lu: %zu bytes lost\n", fail, heap_used - before);
	return true;
}

void heap_each_fails(int (*run)(void *arg), void *arg, struct heap_trial *trial)
{
	unsigned long i;

	*trial = (struct heap_trial){ .err = run_failing(run, arg, 0) };
	trial->allocations = heap_calls;
	for (i = 1; i <= trial->allocations; i++) {
		trial->survived += !run_failing(run, arg, i);
		trial->lost += leaks(run, arg, i);
	}
	printf("# %lu allocations, %lu failures did not matter\n",
	       trial->allocations, trial->survived);
}
