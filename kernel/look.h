/* SPDX-License-Identifier: GPL-2.0 */
/* A look opens records until it finds the one that a reader wants. See look.c. */
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
void dtls_look_all(struct dtls_sock *ds);

/*
 * Give the CPU away if another task needs it. Return true if the task may go on
 * looking, and false if a fatal signal is pending. Sleeps.
 */
static inline bool dtls_look_further(void)
{
	cond_resched();
	return !fatal_signal_pending(current);
}

#endif /* _DTLS_LOOK_H */
