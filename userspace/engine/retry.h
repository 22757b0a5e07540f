/* SPDX-License-Identifier: BSD-3-Clause */
/* Which suite and group a server takes, and HelloRetryRequest (RFC 8446 4.1.4) */
#ifndef _DTLS_RETRY_H
#define _DTLS_RETRY_H

#include "endpoint.h"

struct dtls_choice {
	const struct dtls_suite *suite;
	const struct dtls_group *group;	/* NULL: none in common */
	struct dtls_bytes share;	/* the client's; empty: to be asked for */
};

/**
 * dtls_retry_choose() - suite and group for a hello
 * @again:	the client has to be asked again anyway: the best group will do,
 *		whether its share is there or not
 *
 * Return: false: no suite in common.
 */
bool dtls_retry_choose(const struct kdtls_endpoint *ep,
		       const struct dtls_client_hello *ch, bool again,
		       struct dtls_choice *choice);

#define DTLS_RETRY_MESSAGE_MAX \
	(DTLS_MESSAGE_HEADER + 40 + 6 + 6 + DTLS_RETRY_COOKIE_MAX + 6)

/* The body of a HelloRetryRequest; the same for the same arguments */
void dtls_retry_write(struct dtls_writer *w, u16 suite, u16 group,
		      struct dtls_bytes cookie);

#endif /* _DTLS_RETRY_H */
