// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file computes HMACs in contexts that are keyed many times. See hmac.h.
 */
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "hmac.h"

static EVP_MAC_CTX *hmac_new(const char *digest)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
						 (char *)digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;

	EVP_MAC_free(mac);
	if (ctx && EVP_MAC_CTX_set_params(ctx, params) == 1)
		return ctx;
	EVP_MAC_CTX_free(ctx);
	return NULL;
}

struct dtls_hmac *dtls_hmac_new(const char *digest)
{
	struct dtls_hmac *k = OPENSSL_zalloc(sizeof(*k));

	if (k)
		k->mac = hmac_new(digest);
	if (k && k->mac)
		return k;
	OPENSSL_free(k);
	return NULL;
}

void dtls_hmac_free(struct dtls_hmac *k)
{
	if (!k)
		return;
	EVP_MAC_CTX_free(k->mac);
	OPENSSL_clear_free(k, sizeof(*k));
}

bool dtls_hmac_set(struct dtls_hmac *k, const u8 *key, size_t len)
{
	static const u8 empty[1];

	k->len = 0;
	k->set = true;
	/* EVP_MAC_init() with NULL for a key would keep the earlier key. */
	k->ready = EVP_MAC_init(k->mac, len ? key : empty, len, NULL) == 1;
	return k->ready;
}

bool dtls_hmac_digest(struct dtls_hmac *k, const struct dtls_bytes *pieces,
		      unsigned int count, u8 *out)
{
	size_t len;
	bool ok;

	/*
	 * A context needs EVP_MAC_init() before each use but the first after
	 * dtls_hmac_set(), which has called it.
	 */
	ok = k && (k->ready || EVP_MAC_init(k->mac, NULL, 0, NULL) == 1);
	if (ok)
		k->ready = false;
	for (; ok && count; count--, pieces++)
		ok = EVP_MAC_update(k->mac, pieces->p, pieces->len) == 1;
	return ok && EVP_MAC_final(k->mac, out, &len, DTLS_HASH_MAX) == 1;
}

void dtls_hmac_forget(struct dtls_hmac *k)
{
	static const u8 other[DTLS_SECRET_SIZE];

	if (!k->set)
		return;
	dtls_hmac_set(k, other, sizeof(other));
	OPENSSL_cleanse(k->key, sizeof(k->key));
	k->set = false;
}
