// SPDX-License-Identifier: BSD-3-Clause
/* This file keeps timers in a tree ordered by time. See timers.h. */
#include "timers.h"
#include <kdtls/engine.h>

/* Compare two timers. No two of a tree have the same @when and @turn. */
static int compare(const struct timed *a, const struct timed *b)
{
	if (a->when != b->when)
		return a->when < b->when ? -1 : 1;
	return a->turn == b->turn ? 0 : (int32_t)(a->turn - b->turn) < 0 ? -1 : 1;
}

SPLAY_PROTOTYPE(timed_tree, timed, node, compare)
SPLAY_GENERATE(timed_tree, timed, node, compare)

void timers_set(struct timers *timers, struct timed *t, uint64_t when)
{
	if (t->set)
		SPLAY_REMOVE(timed_tree, &timers->tree, t);
	t->when = when;
	t->turn = timers->turn++;
	t->set = when != KDTLS_NEVER;
	if (t->set)
		SPLAY_INSERT(timed_tree, &timers->tree, t);
}

struct timed *timers_first(struct timers *timers)
{
	return SPLAY_MIN(timed_tree, &timers->tree);
}
