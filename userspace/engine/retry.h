/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a server makes of a ClientHello of DTLS 1.3 before it keeps anything:
 * which suite and group it takes, and the HelloRetryRequest (RFC 8446 4.1.4).
 */
#ifndef _DTLS_RETRY_H
#define _DTLS_RETRY_H

#include "gate.h"

struct dtls_choice {
	const struct dtls_suite *suite;
	const struct dtls_group *group;	/* NULL: none in common */
	struct dtls_bytes share;	/* the client's; empty: to be asked for */
};

/**
 * dtls_choose() - suite and group for a hello
 * @again:	the client has to be asked again anyway: the best group will do,
 *		whether its share is there or not
 *
 * Return: false: no suite in common.
 */
bool dtls_choose(const struct kdtls_endpoint *ep,
		 const struct dtls_client_hello *ch, bool again,
		 struct dtls_choice *choice);

#define DTLS_RETRY_MESSAGE_MAX \
	(DTLS_MESSAGE_HEADER + 40 + 6 + 6 + DTLS_RETRY_COOKIE_MAX + 6)

/* The body of a HelloRetryRequest; the same for the same arguments */
void dtls_retry_write(struct dtls_writer *w, u16 suite, u16 group,
		      struct dtls_bytes cookie);

/**
 * dtls_retry_gate() - judge a hello of DTLS 1.3 by its cookie or its ticket
 *
 * Return: one of enum kdtls_gate; with KDTLS_GATE_ACCEPT @a->hello says why.
 */
enum kdtls_gate dtls_retry_gate(struct dtls_asked *a, struct kdtls_verdict *v);

/* Answer with an alert, in the clear. Return: KDTLS_GATE_REPLY. */
enum kdtls_gate dtls_retry_alert(const struct dtls_asked *a, u8 alert,
				 struct kdtls_verdict *v);

#endif /* _DTLS_RETRY_H */
