/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The suite and the group that a server of DTLS 1.3 takes, and its
 * HelloRetryRequest (RFC 8446 4.1.4).
 */
#ifndef _DTLS_RETRY_H
#define _DTLS_RETRY_H

#include "endpoint.h"

/**
 * struct dtls_choice - what a server of DTLS 1.3 takes of a hello
 * @suite:	the suite
 * @group:	the group, or NULL if none is in common
 * @share:	the client's share of that group, or empty
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
 * @again:	the client has to be asked again anyway: the best group will do,
 *		whether its share is there or not
 * @choice:	filled in
 *
 * Return: false: no suite in common.
 */
bool dtls_retry_choose(const struct kdtls_endpoint *ep,
		       const struct dtls_client_hello *ch, bool again,
		       struct dtls_choice *choice);

#define DTLS_RETRY_MESSAGE_MAX \
	(DTLS_MESSAGE_HEADER + 40 + 6 + 6 + DTLS_RETRY_COOKIE_MAX + 6)

/*
 * Write the body of a HelloRetryRequest. The same arguments give the same
 * bytes.
 */
void dtls_retry_write(struct dtls_writer *w, u16 suite, u16 group,
		      struct dtls_bytes cookie);

#endif /* _DTLS_RETRY_H */
