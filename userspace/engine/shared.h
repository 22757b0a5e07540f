/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A secret that several endpoints have in common, and the keys for cookies and
 * tickets that each of them derives from it, so that one takes what another has
 * made. Every period has a key of its own.
 */
#ifndef _DTLS_SHARED_H
#define _DTLS_SHARED_H

#include "hmac.h"

#define DTLS_SHARED_KEY_SIZE	32	/* of what is derived: HMAC-SHA256 */

/* struct dtls_shared is the secret, as the key of an HMAC; NULL: there is none. */
struct dtls_shared {
	struct dtls_hmac *secret;
};

/* Set the secret. Return false if libcrypto failed or there is no memory. */
bool dtls_shared_set(struct dtls_shared *s, const u8 *secret, size_t len);

/* Wipe and free the secret, if there is one. */
void dtls_shared_exit(struct dtls_shared *s);

/*
 * Derive the key for a use, which @label names, in a period. @out has room for
 * DTLS_HASH_MAX bytes, of which the first DTLS_SHARED_KEY_SIZE are the key. Return
 * false if libcrypto failed, or if there is no secret.
 */
bool dtls_shared_derive(const struct dtls_shared *s, const char *label,
			u64 period, u8 *out);

#endif /* _DTLS_SHARED_H */
