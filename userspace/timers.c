// SPDX-License-Identifier: BSD-3-Clause
/* This file keeps timers in a tree ordered by time. See timers.h. */
#include "timers.h"
#include <kdtls/engine.h>

/*
 * Compare two timers by time, and those that are due at the same time by
 * address.
 */
static int compare(struct timed *a, struct timed *b)
{
	if (a->when != b->when)
		return a->when < b->when ? -1 : 1;
	return (uintptr_t)a < (uintptr_t)b ? -1 : a != b;
}

RB_GENERATE_INTERNAL(timers, timed, node, compare,
		     __attribute__((unused)) static)

void timers_set(struct timers *timers, struct timed *t, uint64_t when)
{
	if (t->set)
		RB_REMOVE(timers, timers, t);
	t->when = when;
	t->set = when != KDTLS_NEVER;
	if (t->set)
		RB_INSERT(timers, timers, t);
}

struct timed *timers_first(struct timers *timers)
{
	return RB_MIN(timers, timers);
}
