// SPDX-License-Identifier: BSD-3-Clause
/* This file keeps timers in a tree ordered by time. See timers.h. */
#include "timers.h"
#include <kdtls/engine.h>

/*
 * Compare a timer that is being set with one in the tree. Of timers that are due at
 * the same time the one that was set first is first.
 */
static int compare(const struct timed *t, const struct timed *other)
{
	return t->when < other->when ? -1 : 1;
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
