/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A red-black tree, ordered by time, tells which of many timers is due first.
 * The functions take no lock; an owner with several threads has one. Times are
 * those of driver_now(), in microseconds.
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
 * @set:	the timer is in the tree
 */
struct timed {
	RB_ENTRY(timed) node;
	uint64_t when;
	bool set;
};

RB_HEAD(timers, timed);

/*
 * Set the timer @t to be due at @when, in place of an earlier setting.
 * KDTLS_NEVER turns the timer off.
 */
void timers_set(struct timers *timers, struct timed *t, uint64_t when);

/* Return the timer that is due first, or NULL if none is set. */
struct timed *timers_first(struct timers *timers);

#endif /* _KDTLS_TIMERS_H */
