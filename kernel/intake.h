/* SPDX-License-Identifier: GPL-2.0 */
/* The intake takes records out of received datagrams. See intake.c. */
#ifndef _DTLS_INTAKE_H
#define _DTLS_INTAKE_H

#include <linux/limits.h>
#include <linux/types.h>

struct dtls_record;
struct dtls_run;
struct dtls_sock;

/* The budget of a call that has taken no datagram yet; see dtls_intake_next(). */
#define DTLS_BUDGET_UNSET	UINT_MAX

int __must_check dtls_intake_next(struct dtls_sock *ds, struct dtls_run *rx,
				  unsigned int *budget);
bool dtls_intake_coalesced(struct dtls_sock *ds, u64 dgram,
			   const struct dtls_record *first, struct dtls_run *rx,
			   unsigned int max);
void dtls_intake_purge(struct dtls_sock *ds);

#endif /* _DTLS_INTAKE_H */
