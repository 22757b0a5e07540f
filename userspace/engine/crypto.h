/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This file has the algorithms that are fetched from libcrypto once for an
 * endpoint, and a few operations with them that several files need.
 */
#ifndef _DTLS_CRYPTO_H
#define _DTLS_CRYPTO_H

#include <openssl/evp.h>

#include "hmac.h"
#include "loans.h"
#include "pool.h"
#include "wire.h"

#define DTLS_RANDOM_SIZE	32
#define DTLS_GROUPS_MAX		8

/**
 * struct dtls_crypto - the algorithms and contexts of an endpoint
 * @sha256:	SHA-256
 * @sha384:	SHA-384
 * @aes256_gcm:	AES-256-GCM, for records and tickets
 * @aes128_gcm:	AES-128-GCM
 * @aes128_ccm:	AES-128-CCM
 * @aes256_ccm:	AES-256-CCM
 * @chacha:	ChaCha20-Poly1305
 * @aes128_ecb:	AES-128, which masks sequence numbers of DTLS 1.3
 * @aes256_ecb:	AES-256, which masks sequence numbers of DTLS 1.3
 * @chacha20:	ChaCha20, which masks sequence numbers of DTLS 1.3
 * @hmac_sha256: context of HMAC-SHA256 that dtls_crypto_hmac_key() keys
 * @hmac_sha384: context of HMAC-SHA384 that dtls_crypto_hmac_key() keys
 * @digest:	the context of dtls_crypto_digest()
 * @keygen:	for each group a context that makes keys, or NULL
 * @loans:	contexts that keys borrow
 * @pool:	random bytes that dtls_pool_take() gives out
 *
 * All ciphers but @aes256_gcm may be NULL, as libcrypto's providers may lack
 * them.
 */
struct dtls_crypto {
	EVP_MD *sha256;
	EVP_MD *sha384;
	EVP_CIPHER *aes256_gcm;
	EVP_CIPHER *aes128_gcm;
	EVP_CIPHER *aes128_ccm;
	EVP_CIPHER *aes256_ccm;
	EVP_CIPHER *chacha;
	EVP_CIPHER *aes128_ecb;
	EVP_CIPHER *aes256_ecb;
	EVP_CIPHER *chacha20;
	struct dtls_hmac *hmac_sha256;
	struct dtls_hmac *hmac_sha384;
	EVP_MD_CTX *digest;
	EVP_PKEY_CTX *keygen[DTLS_GROUPS_MAX];
	struct dtls_loans *loans;
	struct dtls_pool *pool;
};

/*
 * Fetch the algorithms into @c, which is all zero before. A cipher that the
 * providers of libcrypto lack stays NULL, as ChaCha20 does with FIPS providers.
 * Return false if the hashes or AES-256-GCM are missing; nothing is left to be
 * freed then.
 */
bool dtls_crypto_init(struct dtls_crypto *c);

/* Return true if libcrypto has keys of the type with the name @type. */
bool dtls_crypto_has_keys(const char *type);

/* Free the algorithms and contexts, and zero @c. */
void dtls_crypto_exit(struct dtls_crypto *c);

/**
 * dtls_crypto_hmac_key() - key an endpoint's context
 * @c:		the endpoint's algorithms
 * @md:		the hash: c->sha256 or c->sha384
 * @key:	the key
 * @len:	bytes of @key
 *
 * The key stays in the context until another one is set, or until
 * dtls_crypto_forget_keys(), which has to be called at the end of a handshake
 * and after each later use. Setting the same key again costs nothing.
 *
 * Return: the context for dtls_hmac_digest(), or NULL if libcrypto failed.
 * dtls_hmac_digest() takes NULL, and fails.
 */
struct dtls_hmac *dtls_crypto_hmac_key(const struct dtls_crypto *c,
				       const EVP_MD *md,
				       const u8 *key, size_t len);

/* Wipe the keys of both HMAC contexts. */
void dtls_crypto_forget_keys(const struct dtls_crypto *c);

/**
 * struct dtls_label - the purpose of a secret that is derived
 * @name:	the label, without its NUL
 * @context:	bytes that the secret is bound to: those of HkdfLabel (RFC 8446
 *		7.1), or an exporter's context. Without a context @p is NULL,
 *		which the exporter of DTLS 1.2 tells from an empty one (RFC 5705
 *		4)
 */
struct dtls_label {
	const char *name;
	struct dtls_bytes context;
};

/**
 * dtls_crypto_digest() - hash several pieces
 * @c:		the endpoint's algorithms
 * @md:		the hash: c->sha256 or c->sha384
 * @pieces:	what is hashed, in this order
 * @count:	number of @pieces
 * @out:	room for DTLS_HASH_MAX bytes
 *
 * Return: bytes of hash; 0: libcrypto failed.
 */
size_t dtls_crypto_digest(const struct dtls_crypto *c, const EVP_MD *md,
			  const struct dtls_bytes *pieces, unsigned int count,
			  u8 *out);

#endif /* _DTLS_CRYPTO_H */
