/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions exchange keys: by ephemeral Diffie-Hellman (RFC 8422, RFC 8446
 * 4.2.8) or a KEM combined with it. They also make the premaster secret of the PSK
 * suites of DTLS 1.2 (RFC 4279).
 */
#ifndef _DTLS_KEX_H
#define _DTLS_KEX_H

#include "suites.h"

#define DTLS_POINT_MAX		1216	/* X25519MLKEM768 */
#define DTLS_SHARED_MAX		64
/*
 * The longest premaster secret has so many bytes: two lengths, the shared
 * secret or zeros, and the pre-shared key (RFC 4279 2).
 */
#define DTLS_PREMASTER_MAX	(2 + 64 + 2 + 64)

/**
 * dtls_kex_generate() - make a fresh key
 * @c:		the endpoint's algorithms, which keep a context for each group
 * @group:	the group of the key
 *
 * libcrypto builds a curve from its parameters when it gets the curve's name,
 * which may take longer than making a key on the curve. So the contexts are
 * kept.
 *
 * Return: a key that the caller frees with EVP_PKEY_free(), or NULL.
 */
EVP_PKEY *dtls_kex_generate(struct dtls_crypto *c,
			    const struct dtls_group *group);

/*
 * Write the public key of @key to @out, which has room for DTLS_POINT_MAX
 * bytes. Return how many bytes it has, or 0 if libcrypto failed.
 */
size_t dtls_kex_public(const struct dtls_group *group, EVP_PKEY *key, u8 *out);

/**
 * dtls_kex_derive() - derive the shared secret
 * @group:	the group of both keys, which is no KEM
 * @key:	this end's key, from dtls_kex_generate()
 * @point:	the peer's point; the function checks that it lies on the curve
 * @out:	room for DTLS_SHARED_MAX bytes
 *
 * Return: bytes of secret, or 0 if the peer's point is bad or libcrypto failed.
 */
size_t dtls_kex_derive(const struct dtls_group *group, EVP_PKEY *key,
		       struct dtls_bytes point, u8 *out);

/**
 * dtls_kex_answer() - make a server's share and secret for a client's share
 * @c:		the endpoint's algorithms
 * @group:	the group of the client's share
 * @share:	the client's share, which the function checks
 * @answer:	room for DTLS_POINT_MAX bytes; @group->answer_len are written
 * @secret:	room for DTLS_SHARED_MAX bytes
 *
 * Return: bytes of secret, or 0 if the client's share is bad or libcrypto
 * failed.
 */
size_t dtls_kex_answer(struct dtls_crypto *c, const struct dtls_group *group,
		       struct dtls_bytes share, u8 *answer, u8 *secret);

/**
 * dtls_kex_finish() - derive a client's secret from the server's answer
 * @group:	the group of @key
 * @key:	the client's key, from dtls_kex_generate()
 * @answer:	the server's share, which the function checks
 * @secret:	room for DTLS_SHARED_MAX bytes
 *
 * Return: bytes of secret, or 0 if the answer is bad or libcrypto failed.
 */
size_t dtls_kex_finish(const struct dtls_group *group, EVP_PKEY *key,
		       struct dtls_bytes answer, u8 *secret);

/**
 * dtls_kex_psk() - write the premaster secret of a PSK suite
 * @shared:	the secret of dtls_kex_derive(), for a suite that has one
 * @shared_len:	bytes of @shared; 0: plain PSK, which has zeros in place of
 *		@shared
 * @psk:	the pre-shared key
 * @psk_len:	bytes of @psk, KDTLS_PSK_MAX at most
 * @out:	room for DTLS_PREMASTER_MAX bytes, which the caller wipes
 *
 * The form is that of RFC 4279 2; with Diffie-Hellman that of RFC 5489 2.
 *
 * Return: bytes written.
 */
size_t dtls_kex_psk(const u8 *shared, size_t shared_len, const u8 *psk,
		    size_t psk_len, u8 *out);

#endif /* _DTLS_KEX_H */
