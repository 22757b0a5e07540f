/* SPDX-License-Identifier: GPL-2.0 */
/* These functions cut records out of datagrams. See cut.c. */
#ifndef _DTLS_CUT_H
#define _DTLS_CUT_H

#include <linux/types.h>

struct dtls_assoc;
struct dtls_dgram;
struct dtls_record;
struct dtls_run;
struct dtls_sock;

bool __must_check dtls_cut_next(struct dtls_sock *ds, struct dtls_dgram *d,
				struct dtls_run *rx,
				const struct dtls_record *first,
				unsigned int max);
bool __must_check dtls_cut_again(struct dtls_sock *ds,
				 const struct dtls_run *rx,
				 struct dtls_assoc *other,
				 struct dtls_run *again);

#endif /* _DTLS_CUT_H */
