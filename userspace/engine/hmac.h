/* SPDX-License-Identifier: BSD-3-Clause */
/* HMAC (RFC 2104) with one key many times. */
#ifndef _DTLS_HMAC_H
#define _DTLS_HMAC_H

#include <openssl/evp.h>

#include "wire.h"

#define DTLS_HASH_MAX		48	/* SHA-384 */
#define DTLS_SECRET_SIZE	48	/* master secret, RFC 5246 8.1 */

/**
 * struct dtls_keyed - an HMAC context (RFC 2104) and the key that is in it
 * @set:	there is one; until dtls_hmac_forget()
 * @ready:	and nothing was hashed with it yet
 * @len:	bytes of @key; 0: another key than can be told
 */
struct dtls_keyed {
	EVP_MAC_CTX *mac;
	bool set;
	bool ready;
	size_t len;
	u8 key[DTLS_SECRET_SIZE];
};

/**
 * dtls_keyed_new() - make an HMAC context without a key
 * @digest:	libcrypto's name for the hash
 *
 * libcrypto finds a digest by its name, which takes longer than to use it: so
 * contexts are made once and keyed anew.
 */
struct dtls_keyed *dtls_keyed_new(const char *digest);
void dtls_keyed_free(struct dtls_keyed *k);

bool dtls_keyed_set(struct dtls_keyed *k, const u8 *key, size_t len);

/* The context has no key any more. */
void dtls_keyed_forget(struct dtls_keyed *k);

/**
 * dtls_hmac() - HMAC of several pieces, any number of times with one key
 * @out:	room for DTLS_HASH_MAX bytes; may be one of @pieces
 */
bool dtls_hmac(struct dtls_keyed *k, const struct dtls_bytes *pieces,
	       unsigned int count, u8 *out);

#endif /* _DTLS_HMAC_H */
