/* SPDX-License-Identifier: BSD-3-Clause */
/* These functions choose the identity that this end shows to the peer. */
#ifndef _DTLS_IDENTITY_H
#define _DTLS_IDENTITY_H

#include "hello.h"
#include "state.h"

/**
 * struct dtls_wanted - which identities the peer accepts
 * @kx:		kinds of suites that the key has to sign for
 * @schemes:	signature schemes that the peer accepts, as the list on the wire
 * @groups:	curves that the key may be on, as the list on the wire; empty:
 *		any
 * @raw:	the peer accepts raw public keys
 * @x509:	the peer accepts certificates
 * @name:	name that the peer prefers a certificate to have; NULL: any name
 * @authorities: issuers of certificates that the peer prefers, as the list on
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
 * Find the best identity that the peer accepts, and set hs->identity,
 * hs->scheme and hs->own_raw. Return false if there is none.
 */
bool dtls_identity_choose(struct kdtls_engine *e,
			  const struct dtls_wanted *wanted);

/*
 * Choose the identity of a server for suites of the kind @kx, by the client's
 * hello. Set the same members as dtls_identity_choose(). Return false if there
 * is none.
 */
bool dtls_identity_for_hello(struct kdtls_engine *e, u8 kx,
			     const struct dtls_client_hello *ch);

/*
 * Fail, as the server has no identity for the client. The alert tells whether
 * that is because of the types that the client takes (RFC 7250 4.2); if not,
 * @reason says why. Return the error.
 */
int dtls_identity_none(struct kdtls_engine *e,
		       const struct dtls_client_hello *ch, const char *reason);

/*
 * Decide whether the server asks the client for a certificate or a raw key,
 * which it does if it is configured to ask and the client can show one. Set
 * hs->cert_requested and hs->peer_raw. Return 0, or an error if the client has
 * to show one and cannot.
 */
int dtls_identity_ask_client(struct kdtls_engine *e,
			     const struct dtls_client_hello *ch);

#endif /* _DTLS_IDENTITY_H */
