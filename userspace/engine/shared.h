/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several endpoints may share a secret. Each of them derives the same keys for
 * cookies and tickets from it, so that one endpoint takes cookies and tickets
 * that another has made. Every period of time has a key of its own.
 */
#ifndef _DTLS_SHARED_H
#define _DTLS_SHARED_H

#include "hmac.h"

#define DTLS_SHARED_KEY_SIZE	32	/* A derived key is an HMAC-SHA256. */

/*
 * struct dtls_shared has the secret as the key of an HMAC context, which is
 * NULL if there is no secret.
 */
struct dtls_shared {
	struct dtls_hmac *secret;
};

/* Set the secret. Return false if libcrypto failed or there is no memory. */
bool dtls_shared_set(struct dtls_shared *s, const u8 *secret, size_t len);

/* Wipe and free the secret, if there is one. */
void dtls_shared_exit(struct dtls_shared *s);

/*
 * Derive the key that is used in @period for the purpose that @label names.
 * @out has room for DTLS_HASH_MAX bytes, of which the first
 * DTLS_SHARED_KEY_SIZE are the key. Return false if libcrypto failed, or if
 * there is no secret.
 */
bool dtls_shared_derive(const struct dtls_shared *s, const char *label,
			u64 period, u8 *out);

#endif /* _DTLS_SHARED_H */
