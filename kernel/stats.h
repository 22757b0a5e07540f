/* SPDX-License-Identifier: GPL-2.0 */
/*
 * These functions count for an association and for its network namespace, whose
 * counters /proc/net/dtls_stat shows.
 */
#ifndef _DTLS_STATS_H
#define _DTLS_STATS_H

#include <linux/percpu.h>

#include "assoc.h"
#include "sock.h"

enum dtls_stat {
	DTLS_STAT_ATTACHED,
	DTLS_STAT_TX_EPOCHS,
	DTLS_STAT_RX_EPOCHS,
	DTLS_STAT_TX_RECORDS,
	DTLS_STAT_TX_BYTES,
	DTLS_STAT_TX_ERRORS,
	DTLS_STAT_TX_EXPIRED,
	DTLS_STAT_RX_RECORDS,
	DTLS_STAT_RX_BYTES,
	DTLS_STAT_RX_CONTROL,
	DTLS_STAT_RX_EMPTY,
	DTLS_STAT_RX_REPLAYS,
	DTLS_STAT_RX_AUTH_FAILED,
	DTLS_STAT_RX_NO_KEY,
	DTLS_STAT_RX_MALFORMED,
	DTLS_STAT_RX_OVERSIZE,
	DTLS_STAT_RX_NO_BUDGET,
	DTLS_STAT_RX_EXPIRED,
	DTLS_STAT_MAX
};

int __must_check dtls_stats_init(void);
void dtls_stats_exit(void);
u64 __percpu *dtls_stats_of(struct net *net);

/*
 * Add @n to the counter @stat of the socket's network namespace. The function may be
 * called in any context.
 */
static inline void dtls_stats_add(struct dtls_sock *ds, enum dtls_stat stat,
				  u64 n)
{
	this_cpu_add(ds->stats[stat], n);
}

static inline void dtls_stats_inc(struct dtls_sock *ds, enum dtls_stat stat)
{
	dtls_stats_add(ds, stat, 1);
}

void dtls_stats_count(struct dtls_sock *ds, struct dtls_assoc *assoc,
		      enum dtls_count what);
void dtls_stats_lost(const struct dtls_sock *ds);
u8 dtls_stats_drop_reason(enum dtls_count what);

#endif /* _DTLS_STATS_H */
