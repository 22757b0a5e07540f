/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A replay window as RFC 6347 4.1.2.6 tells it, with a list of every number
 * ever seen: slow, and too simple to be wrong.
 */
#ifndef MODEL_H
#define MODEL_H

#include "../../kernel/replay.h"

#define MODEL_MAX	16384	/* different numbers */

struct model {
	u64 next;
	u64 floor;
	u64 size;
	u64 seen[MODEL_MAX];
	unsigned int n;
};

static inline void model_init(struct model *m, u64 size, u64 floor)
{
	m->next = floor;
	m->floor = floor;
	m->size = size;
	m->n = 0;
}

static inline bool model_seen(const struct model *m, u64 seq)
{
	unsigned int i;

	/* The newest are asked for most. */
	for (i = m->n; i--;)
		if (m->seen[i] == seq)
			return true;
	return false;
}

static inline bool model_check(const struct model *m, u64 seq)
{
	if (seq < m->floor)
		return false;
	if (seq < m->next && m->next - seq > m->size)
		return false;
	return !model_seen(m, seq);
}

static inline bool model_mark(struct model *m, u64 seq)
{
	if (!model_check(m, seq) || m->n == MODEL_MAX)
		return false;
	m->seen[m->n++] = seq;
	if (seq >= m->next)
		m->next = seq + 1;
	return true;
}

/* What the window has given up stays given up when it grows. */
static inline void model_resize(struct model *m, u64 size)
{
	if (m->next > m->size && m->next - m->size > m->floor)
		m->floor = m->next - m->size;
	m->size = size;
}

#endif
