/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is fetched from libcrypto once for an endpoint, and the few operations
 * that more than one concern needs.
 */
#ifndef _DTLS_CRYPTO_H
#define _DTLS_CRYPTO_H

#include <openssl/evp.h>

#include "wire.h"

#define DTLS_HASH_MAX		48	/* SHA-384 */
#define DTLS_SECRET_SIZE	48	/* master secret, RFC 5246 8.1 */
#define DTLS_RANDOM_SIZE	32

/* HMAC under one key: what the key makes of either pass, to be copied */
struct dtls_hmac {
	EVP_MD_CTX *inner;
	EVP_MD_CTX *outer;
	EVP_MD_CTX *work;
};

struct dtls_crypto {
	EVP_MD *sha256;
	EVP_MD *sha384;
	EVP_CIPHER *aes128_gcm;
	EVP_CIPHER *aes256_gcm;
	EVP_CIPHER *aes128_ccm;
	EVP_CIPHER *aes256_ccm;
	EVP_CIPHER *chacha;
	struct dtls_hmac hmac;	/* unkeyed between calls */
};

/* Return: false if libcrypto lacks one; everything is freed then. */
bool dtls_crypto_init(struct dtls_crypto *c);
void dtls_crypto_exit(struct dtls_crypto *c);

/* Return: false for want of memory; dtls_hmac_exit() is due all the same. */
bool dtls_hmac_init(struct dtls_hmac *h);
void dtls_hmac_exit(struct dtls_hmac *h);

/**
 * dtls_hmac_key() - key an HMAC (RFC 2104)
 *
 * EVP_MAC looks the digest up by name and sets three contexts up for each key,
 * which is most of the time of a PSK handshake; so this is composed of digests.
 * dtls_hmac_forget() must follow, also after a failure, or dtls_hmac_exit().
 */
bool dtls_hmac_key(const struct dtls_hmac *h, const EVP_MD *md, const u8 *key,
		   size_t len);

/**
 * dtls_hmac() - HMAC of several pieces, any number of times with one key
 * @out:	bytes of the digest's size; may be one of @pieces
 */
bool dtls_hmac(const struct dtls_hmac *h, const struct dtls_bytes *pieces,
	       unsigned int count, u8 *out);

void dtls_hmac_forget(const struct dtls_hmac *h);

#endif /* _DTLS_CRYPTO_H */
