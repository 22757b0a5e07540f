/* SPDX-License-Identifier: GPL-2.0 */
/* A look at what was received; see look.c. */
#ifndef _DTLS_LOOK_H
#define _DTLS_LOOK_H

#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/types.h>

#include "wait.h"

struct dtls_reader;
struct dtls_sock;

int dtls_look(struct dtls_reader *r);

/*
 * Return the budget of a look: how many datagrams are queued now. A datagram
 * that comes later wakes the reader again.
 */
static inline unsigned int dtls_look_budget(const struct dtls_sock *ds)
{
	/* The length may be read while a datagram goes from queue to queue. */
	return max(dtls_wait_queued(ds), 1U);
}

/* Return true if a task that has found nothing yet may look further. Sleeps. */
static inline bool dtls_look_further(void)
{
	cond_resched();
	return !fatal_signal_pending(current);
}

#endif /* _DTLS_LOOK_H */
