/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Only these functions ask the owner for pre-shared keys, and they check each
 * key (RFC 9257 4, 6).
 */
#ifndef _DTLS_PSKS_H
#define _DTLS_PSKS_H

#include "state.h"

/**
 * dtls_psks_client() - ask the owner for a client's key
 * @e:		the engine whose owner is asked
 * @hint:	the server's hint (RFC 4279 5.2), or NULL
 * @identity:	room for KDTLS_PSK_IDENTITY_MAX bytes
 * @identity_len: set to the bytes of @identity
 * @key:	room for KDTLS_PSK_MAX bytes, which the caller wipes
 *
 * Return: bytes of @key; 0 if the owner has no key; or an error if the key must
 * not be used.
 */
int dtls_psks_client(struct kdtls_engine *e, const char *hint, u8 *identity,
		     size_t *identity_len, u8 *key);

/*
 * Ask the owner for the key of a client with @identity. @key has room for
 * KDTLS_PSK_MAX bytes, which the caller wipes. Return the bytes of @key; 0 if the
 * owner has no key; or an error if the key must not be used.
 */
int dtls_psks_server(struct kdtls_engine *e, struct dtls_bytes identity,
		     u8 *key);

/* Return true if the owner still gives the key that the session began with. */
bool dtls_psks_still_good(struct kdtls_engine *e, const struct dtls_session *s);

#endif /* _DTLS_PSKS_H */
