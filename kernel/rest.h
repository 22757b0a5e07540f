/* SPDX-License-Identifier: GPL-2.0 */
/*
 * These functions change the rest of a datagram that a record was cut out of. See
 * rest.c.
 */
#ifndef _DTLS_REST_H
#define _DTLS_REST_H

#include <linux/types.h>

struct dtls_assoc;
struct dtls_run;
struct dtls_sock;

struct dtls_assoc *dtls_rest_reown(struct dtls_sock *ds, struct dtls_run *rx,
				   struct dtls_assoc *other);
void dtls_rest_junk(struct dtls_sock *ds, const struct dtls_run *rx,
		    unsigned int points);
bool __must_check dtls_rest_intact(struct dtls_sock *ds, struct dtls_run *rx);
void dtls_rest_adopt(struct dtls_sock *ds);
void dtls_rest_forget(struct dtls_sock *ds, const struct dtls_assoc *assoc);
void dtls_rest_leave(struct dtls_sock *ds, const struct dtls_assoc *assoc);

#endif /* _DTLS_REST_H */
