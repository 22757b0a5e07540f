/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This counts what libcrypto's allocator gives out, to the library and to
 * itself.
 */
#ifndef _TEST_HEAP_H
#define _TEST_HEAP_H

#include <stdbool.h>
#include <stddef.h>

extern size_t heap_used;	/* bytes now */
extern size_t heap_peak;	/* most there ever were; may be set back */
extern unsigned long heap_calls; /* allocations of the library's own code */
extern unsigned long heap_fail;	/* the library's allocation to fail; 0: none */

/*
 * Begin to count, before anything is allocated. Return false if that is too
 * late.
 */
bool heap_watch(void);

/**
 * struct heap_trial - what came of the failure of each allocation
 * @err:	what came without any
 * @allocations: that there were then
 * @survived:	failures that did not matter
 * @lost:	those after which memory was not given back
 */
struct heap_trial {
	int err;
	unsigned long allocations, survived, lost;
};

/* Call @run as things are, and then with each of its allocations failing. */
void heap_each_fails(int (*run)(void *arg), void *arg, struct heap_trial *trial);

#endif /* _TEST_HEAP_H */
