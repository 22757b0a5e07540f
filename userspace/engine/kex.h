/* SPDX-License-Identifier: BSD-3-Clause */
/* Key exchange: ephemeral Diffie-Hellman (RFC 8422) and the PSK mix (RFC 4279). */
#ifndef _DTLS_KEX_H
#define _DTLS_KEX_H

#include "suites.h"

#define DTLS_POINT_MAX		97	/* uncompressed secp384r1 */
#define DTLS_SHARED_MAX		48
/* RFC 4279 2: two lengths, the other secret (or zeros), the key */
#define DTLS_PREMASTER_MAX	(2 + 64 + 2 + 64)

/* A fresh key; freed by EVP_PKEY_free(). */
EVP_PKEY *dtls_kex_generate(const struct dtls_group *group);

/* Return: bytes written to @out (DTLS_POINT_MAX), 0: failed. */
size_t dtls_kex_public(const struct dtls_group *group, EVP_PKEY *key, u8 *out);

/**
 * dtls_kex_derive() - the shared secret
 * @point:	the peer's; whether it lies on the curve is checked
 * @out:	DTLS_SHARED_MAX bytes
 *
 * Return: bytes of secret; 0: the peer's point is bad, or libcrypto failed.
 */
size_t dtls_kex_derive(const struct dtls_group *group, EVP_PKEY *key,
		       struct dtls_bytes point, u8 *out);

/**
 * dtls_kex_psk() - premaster secret of the PSK suites (RFC 4279 2, RFC 5489 2)
 * @shared_len:	0: plain PSK
 * @out:	DTLS_PREMASTER_MAX bytes
 *
 * Return: bytes written.
 */
size_t dtls_kex_psk(const u8 *shared, size_t shared_len, const u8 *psk,
		    size_t psk_len, u8 *out);

#endif /* _DTLS_KEX_H */
