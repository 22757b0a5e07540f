// SPDX-License-Identifier: GPL-2.0
/* Counts what libcrypto's allocator gives out; see heap.h. */
#include <openssl/crypto.h>
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
