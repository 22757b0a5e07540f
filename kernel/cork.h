/* SPDX-License-Identifier: GPL-2.0 */
/* The cork puts several records into one datagram. See cork.c. */
#ifndef _DTLS_CORK_H
#define _DTLS_CORK_H

#include <linux/types.h>

struct dtls_sock;
struct dtls_send;

ssize_t dtls_cork_send(struct dtls_send *s, size_t len, bool more);
int dtls_cork_flush(struct dtls_sock *ds);
void dtls_cork_purge(struct dtls_sock *ds);

#endif /* _DTLS_CORK_H */
