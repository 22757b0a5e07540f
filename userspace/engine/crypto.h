/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is fetched from libcrypto once for an endpoint, and the few operations
 * that more than one concern needs.
 */
#ifndef _DTLS_CRYPTO_H
#define _DTLS_CRYPTO_H

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "wire.h"

#define DTLS_HASH_MAX		48	/* SHA-384 */
#define DTLS_SECRET_SIZE	48	/* master secret, RFC 5246 8.1 */
#define DTLS_RANDOM_SIZE	32

struct dtls_crypto {
	EVP_MD *sha256;
	EVP_MD *sha384;
	EVP_KDF *prf12;
	EVP_MAC *hmac;
	EVP_CIPHER *aes128_gcm;
	EVP_CIPHER *aes256_gcm;
	EVP_CIPHER *aes128_ccm;
	EVP_CIPHER *aes256_ccm;
	EVP_CIPHER *chacha;
};

/* Return: false if libcrypto lacks one; everything is freed then. */
bool dtls_crypto_init(struct dtls_crypto *c);
void dtls_crypto_exit(struct dtls_crypto *c);

/**
 * dtls_hmac_sha256() - HMAC over up to several pieces
 * @out:	32 bytes
 */
bool dtls_hmac_sha256(const struct dtls_crypto *c, const u8 *key,
		      size_t key_len, const struct dtls_bytes *pieces,
		      unsigned int count, u8 *out);

#endif /* _DTLS_CRYPTO_H */
