/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This file finds out who the peer is. What the peer claims (struct
 * dtls_handshake, peer) becomes what is known (struct kdtls_engine, peer) when
 * its Finished or its binder proves it.
 */
#ifndef _DTLS_AUTH_H
#define _DTLS_AUTH_H

#include "peer.h"
#include "state.h"

/*
 * Let the peer claim to have the pre-shared key that the owner gave last, under
 * this identity, which is copied. Return 0 or an error.
 */
int dtls_auth_claim_key(struct kdtls_engine *e, struct dtls_bytes identity);

/*
 * Let the peer claim to be who it was in the session that is resumed. Return 0
 * or an error.
 */
int dtls_auth_claim_session(struct kdtls_engine *e,
			    const struct dtls_session *s);

/**
 * dtls_auth_receive_certificate() - read and judge the peer's Certificate
 * @e:		the engine, whose handshake gets the peer's key
 * @body:	in the form of DTLS 1.2, or one SubjectPublicKeyInfo (hs->peer_raw)
 *
 * The built-in checks run, and the owner is asked. An empty list is no error
 * and leaves hs->peer_key NULL.
 *
 * Return: 0 or an error.
 */
int dtls_auth_receive_certificate(struct kdtls_engine *e,
				  struct dtls_bytes body);

/**
 * dtls_auth_check_signature() - check the peer's signature
 * @e:		the engine, whose handshake has the peer's key
 * @body:	to its end a scheme and the signature (RFC 5246 4.7, RFC 8446 4.4.3)
 * @kx:		kind of suites that the signature is made for
 * @data:	what is signed
 *
 * Return: 0: the peer has the key of its certificate; or an error.
 */
int dtls_auth_check_signature(struct kdtls_engine *e, struct dtls_bytes body,
			      u8 kx, struct dtls_bytes data);

/*
 * Take what the peer claims for known, as its Finished or its binder is right.
 * Return 0 or an error.
 */
int dtls_auth_proven(struct kdtls_engine *e);

/*
 * Return who the peer has proven to be: all zero before that. The structure
 * points into the engine.
 */
struct dtls_peer dtls_auth_peer(const struct kdtls_engine *e);

/*
 * Return the name that the peer's certificate has to bear, or NULL if any will
 * do.
 */
const char *dtls_auth_wanted_name(const struct kdtls_engine *e);

#endif /* _DTLS_AUTH_H */
