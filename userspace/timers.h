/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A splay tree, ordered by time, tells which of many timers is due first. It takes
 * half the memory of a red-black tree. The functions take no lock; an owner with
 * several threads has one. Times are those of driver_now(), in microseconds.
 */
#ifndef _KDTLS_TIMERS_H
#define _KDTLS_TIMERS_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct timed - a timer; all zero at first
 * @node:	node in the tree
 * @when:	when the timer is due, in microseconds
 * @turn:	of timers that are due at the same time the one with the lower number
 *		is first: that which was set first
 * @set:	the timer is in the tree
 */
struct timed {
	SPLAY_ENTRY(timed) node;
	uint64_t when;
	uint32_t turn;
	bool set;
};

SPLAY_HEAD(timed_tree, timed);

/**
 * struct timers - many timers; all zero at first
 * @tree:	the timers that are set
 * @turn:	number of the timer that is set next
 */
struct timers {
	struct timed_tree tree;
	uint32_t turn;
};

/*
 * Set the timer @t to be due at @when, in place of an earlier setting.
 * KDTLS_NEVER turns the timer off.
 */
void timers_set(struct timers *timers, struct timed *t, uint64_t when);

/* Return the timer that is due first, or NULL if none is set. */
struct timed *timers_first(struct timers *timers);

#endif /* _KDTLS_TIMERS_H */
