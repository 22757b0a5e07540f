/* SPDX-License-Identifier: GPL-2.0 */
/* These functions find out whose a received datagram is. See sort.c. */
#ifndef _DTLS_SORT_H
#define _DTLS_SORT_H

#include <linux/rcupdate.h>
#include <linux/types.h>

#include "assoc.h"
#include "sock.h"

struct dtls_run;
struct dtls_table;

bool dtls_sort_begin(struct dtls_sock *ds, struct dtls_table *table,
		     struct dtls_dgram *d, struct dtls_run *rx);
bool dtls_sort_pass_on(struct dtls_sock *ds, struct dtls_dgram *d,
		       struct dtls_table *table);
bool dtls_sort_whole(const struct dtls_sock *ds, struct dtls_dgram *d,
		     struct dtls_run *rx, unsigned int cid_len);

/* Return true if records of @d are opened on this socket, which has many associations. */
static inline bool dtls_sort_opens_here(const struct dtls_sock *ds,
					const struct dtls_dgram *d)
{
	return d->assoc != ds->assoc &&
	       likely(rcu_access_pointer(d->assoc->home) == ds);
}

#endif /* _DTLS_SORT_H */
