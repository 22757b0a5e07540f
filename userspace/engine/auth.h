/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions find out who the peer is. During a handshake its claim is in
 * struct dtls_handshake, member peer. When its Finished or its binder proves
 * the claim, it goes to struct kdtls_engine, member peer.
 */
#ifndef _DTLS_AUTH_H
#define _DTLS_AUTH_H

#include "peer.h"
#include "state.h"

/*
 * Note that the peer claims to have the pre-shared key that the owner gave
 * last, with this identity, which is copied. Return 0 or an error.
 */
int dtls_auth_claim_key(struct kdtls_engine *e, struct dtls_bytes identity);

/*
 * Note that the peer claims the identity that it had in the session that is
 * resumed. Return 0 or an error.
 */
int dtls_auth_claim_session(struct kdtls_engine *e,
			    const struct dtls_session *s);

/**
 * dtls_auth_receive_certificate() - read and judge the peer's Certificate
 * @e:		the engine, whose handshake gets the peer's key
 * @body:	the list of certificates in the form of DTLS 1.2 or, with
 *		hs->peer_raw, one SubjectPublicKeyInfo
 *
 * The certificate or raw key is checked by the built-in rules, and the owner is
 * asked. An empty list is no error and leaves hs->peer_key NULL.
 *
 * Return: 0 or an error.
 */
int dtls_auth_receive_certificate(struct kdtls_engine *e,
				  struct dtls_bytes body);

/**
 * dtls_auth_check_signature() - check the peer's signature
 * @e:		the engine, whose handshake has the peer's key
 * @body:	the signature scheme and the signature (RFC 5246 4.7, RFC 8446
 *		4.4.3), with nothing behind them
 * @kx:		kind of suites that the signature is made for
 * @data:	the signed bytes
 *
 * Return: 0: the peer has the key of its certificate; or an error.
 */
int dtls_auth_check_signature(struct kdtls_engine *e, struct dtls_bytes body,
			      u8 kx, struct dtls_bytes data);

/*
 * Take the identity that the peer claims as proven, because its Finished or its
 * binder is right. Return 0 or an error.
 */
int dtls_auth_proven(struct kdtls_engine *e);

/*
 * Return the identity that the peer has proven, or an all-zero structure
 * before. The structure points into the engine.
 */
struct dtls_peer dtls_auth_peer(const struct kdtls_engine *e);

/*
 * Return the name that the peer's certificate must have, or NULL if it may have
 * any.
 */
const char *dtls_auth_wanted_name(const struct kdtls_engine *e);

#endif /* _DTLS_AUTH_H */
