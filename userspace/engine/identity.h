/* SPDX-License-Identifier: BSD-3-Clause */
/* This file chooses which of the endpoint's identities is shown to the peer. */
#ifndef _DTLS_IDENTITY_H
#define _DTLS_IDENTITY_H

#include "hello.h"
#include "state.h"

/**
 * struct dtls_wanted - what the peer takes
 * @kx:		kinds of suites that the key has to sign for
 * @schemes:	list as on the wire
 * @groups:	curves a key may be on, a list as on the wire; empty: any
 * @raw:	raw public keys are taken
 * @x509:	certificates are taken
 * @name:	a certificate that bears this name is better; NULL: any name
 * @authorities: a certificate issued by one of these is better, a list as on
 *		the wire (RFC 5246 7.4.6, RFC 8446 4.4.2.2); empty: any
 */
struct dtls_wanted {
	u8 kx;
	struct dtls_bytes schemes;
	struct dtls_bytes groups;
	bool raw;
	bool x509;
	const char *name;
	struct dtls_bytes authorities;
};

/*
 * Find an identity that the peer takes, and set hs->identity, hs->scheme and
 * hs->own_raw. Return: false if there is none.
 */
bool dtls_identity_choose(struct kdtls_engine *e,
			  const struct dtls_wanted *wanted);

/* Do so for a server, for suites of @kx, by what the client's hello says. */
bool dtls_identity_for_hello(struct kdtls_engine *e, u8 kx,
			     const struct dtls_client_hello *ch);

/*
 * Decide whether the client is asked for a certificate or a raw key: it is, if
 * the endpoint asks and the client can show one. hs->cert_requested and
 * hs->peer_raw are set.
 */
void dtls_identity_ask_client(struct kdtls_engine *e,
			      const struct dtls_client_hello *ch);

#endif /* _DTLS_IDENTITY_H */
