/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which of many is due first: a red-black tree ordered by time. Nothing here takes
 * a lock; the owner of the tree does. Times are those of driver_now().
 */
#ifndef _KDTLS_TIMERS_H
#define _KDTLS_TIMERS_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct timed - what waits in a tree, or will; zeroed to begin with
 * @node:	in the tree
 * @when:	it is due, µs
 * @set:	it is in the tree
 */
struct timed {
	RB_ENTRY(timed) node;
	uint64_t when;
	bool set;
};

RB_HEAD(timers, timed);

/* Let @t be due at @when, and at no other time; KDTLS_NEVER: at none. */
void timers_set(struct timers *timers, struct timed *t, uint64_t when);

/* Return: the one that is due first, or NULL. */
struct timed *timers_first(struct timers *timers);

#endif /* _KDTLS_TIMERS_H */
