/* SPDX-License-Identifier: BSD-3-Clause */
/* An HMAC (RFC 2104) context is made once and keyed many times. */
#ifndef _DTLS_HMAC_H
#define _DTLS_HMAC_H

#include <openssl/evp.h>

#include "wire.h"

#define DTLS_HASH_MAX		48	/* bytes of the longest hash, SHA-384 */
#define DTLS_SECRET_SIZE	48	/* bytes of a master secret (RFC 5246 8.1) */

/**
 * struct dtls_hmac - an HMAC context (RFC 2104) and the key that is in it
 * @mac:	the context
 * @set:	a key was set, and dtls_hmac_forget() was not called since
 * @ready:	a key was set, and nothing was hashed since
 * @len:	bytes of @key; 0: @key is not a copy of the key in the context
 * @key:	copy of the key, by which dtls_hmac_set() sees that a key is set
 *		already
 */
struct dtls_hmac {
	EVP_MAC_CTX *mac;
	bool set;
	bool ready;
	size_t len;
	u8 key[DTLS_SECRET_SIZE];
};

/**
 * dtls_hmac_new() - make an HMAC context without a key
 * @digest:	libcrypto's name for the hash
 *
 * libcrypto takes longer to find a digest by its name than to use it, so
 * contexts are made once and keyed again and again.
 *
 * Return: the context, or NULL if libcrypto failed or there is no memory.
 */
struct dtls_hmac *dtls_hmac_new(const char *digest);

/* Wipe and free @k, which may be NULL. */
void dtls_hmac_free(struct dtls_hmac *k);

/*
 * Put a key into the context. dtls_hmac_digest() uses that key until another
 * one is set. Return false if libcrypto failed.
 */
bool dtls_hmac_set(struct dtls_hmac *k, const u8 *key, size_t len);

/*
 * Replace the key in the context by zeros, and wipe the copy of the key in @k.
 */
void dtls_hmac_forget(struct dtls_hmac *k);

/**
 * dtls_hmac_digest() - compute HMAC of several pieces
 * @k:		a context with a key, for any number of calls; NULL fails
 * @pieces:	what is hashed, in this order
 * @count:	number of @pieces
 * @out:	room for DTLS_HASH_MAX bytes; may be one of @pieces
 *
 * Return: false if libcrypto failed.
 */
bool dtls_hmac_digest(struct dtls_hmac *k, const struct dtls_bytes *pieces,
		      unsigned int count, u8 *out);

#endif /* _DTLS_HMAC_H */
