/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions choose suite and group for a server of DTLS 1.3, and write
 * its HelloRetryRequest (RFC 8446 4.1.4).
 */
#ifndef _DTLS_RETRY_H
#define _DTLS_RETRY_H

#include "endpoint.h"

/**
 * struct dtls_choice - the suite and group that a server of DTLS 1.3 chooses
 * @suite:	the suite
 * @group:	the group, or NULL if no group is in common
 * @share:	the client's key share of @group, or empty
 */
struct dtls_choice {
	const struct dtls_suite *suite;
	const struct dtls_group *group;
	struct dtls_bytes share;
};

/**
 * dtls_retry_choose() - choose suite and group for a hello
 * @ep:		the endpoint that the hello is for
 * @ch:		the hello
 * @again:	a HelloRetryRequest is sent in any case, so the best group is
 *		chosen even if the hello has no key share of it
 * @choice:	filled in
 *
 * Return: false if no suite is in common.
 */
bool dtls_retry_choose(const struct kdtls_endpoint *ep,
		       const struct dtls_client_hello *ch, bool again,
		       struct dtls_choice *choice);

#define DTLS_RETRY_MESSAGE_MAX \
	(DTLS_MESSAGE_HEADER + 40 + 6 + 6 + DTLS_RETRY_COOKIE_MAX + 6)

/*
 * Write the body of a HelloRetryRequest. The same arguments give the same
 * bytes, so that a server can write it again from a cookie.
 */
void dtls_retry_write(struct dtls_writer *w, u16 suite, u16 group,
		      struct dtls_bytes cookie);

#endif /* _DTLS_RETRY_H */
