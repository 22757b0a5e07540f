// SPDX-License-Identifier: BSD-3-Clause
/* This file fetches the algorithms from libcrypto. See crypto.h. */
#include <openssl/err.h>

#include "crypto.h"

bool dtls_crypto_has_keys(const char *type)
{
	EVP_KEYMGMT *k;
	bool has;

	ERR_set_mark();
	k = EVP_KEYMGMT_fetch(NULL, type, NULL);
	ERR_pop_to_mark();
	has = k;
	EVP_KEYMGMT_free(k);
	return has;
}

bool dtls_crypto_init(struct dtls_crypto *c)
{
	ERR_set_mark();
	c->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	c->sha384 = EVP_MD_fetch(NULL, "SHA384", NULL);
	c->aes128_gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	c->aes256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	c->aes128_ccm = EVP_CIPHER_fetch(NULL, "AES-128-CCM", NULL);
	c->aes256_ccm = EVP_CIPHER_fetch(NULL, "AES-256-CCM", NULL);
	c->chacha = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	c->aes128_ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
	c->aes256_ecb = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
	c->chacha20 = EVP_CIPHER_fetch(NULL, "ChaCha20", NULL);
	ERR_pop_to_mark();
	c->hmac_sha256 = dtls_hmac_new("SHA256");
	c->hmac_sha384 = dtls_hmac_new("SHA384");
	c->digest = EVP_MD_CTX_new();
	c->loans = dtls_loans_new();
	c->pool = dtls_pool_new();
	if (c->hmac_sha256 && c->hmac_sha384 && c->digest && c->loans &&
	    c->sha256 && c->sha384 && c->aes256_gcm)
		return true;
	dtls_crypto_exit(c);
	return false;
}

void dtls_crypto_exit(struct dtls_crypto *c)
{
	size_t i;

	EVP_MD_free(c->sha256);
	EVP_MD_free(c->sha384);
	EVP_CIPHER_free(c->aes128_gcm);
	EVP_CIPHER_free(c->aes256_gcm);
	EVP_CIPHER_free(c->aes128_ccm);
	EVP_CIPHER_free(c->aes256_ccm);
	EVP_CIPHER_free(c->chacha);
	EVP_CIPHER_free(c->aes128_ecb);
	EVP_CIPHER_free(c->aes256_ecb);
	EVP_CIPHER_free(c->chacha20);
	dtls_hmac_free(c->hmac_sha256);
	dtls_hmac_free(c->hmac_sha384);
	EVP_MD_CTX_free(c->digest);
	for (i = 0; i < DTLS_GROUPS_MAX; i++)
		EVP_PKEY_CTX_free(c->keygen[i]);
	dtls_loans_free(c->loans);
	dtls_pool_free(c->pool);
	memset(c, 0, sizeof(*c));
}

static struct dtls_hmac *keyed_of(const struct dtls_crypto *c,
				  const EVP_MD *md)
{
	return md == c->sha384 ? c->hmac_sha384 : c->hmac_sha256;
}

struct dtls_hmac *dtls_crypto_hmac_key(const struct dtls_crypto *c,
				       const EVP_MD *md,
				       const u8 *key, size_t len)
{
	struct dtls_hmac *k = keyed_of(c, md);

	if (len && len == k->len && !CRYPTO_memcmp(key, k->key, len))
		return k;
	if (!dtls_hmac_set(k, key, len))
		return NULL;
	if (len && len <= sizeof(k->key)) {
		memcpy(k->key, key, len);
		k->len = len;
	}
	return k;
}

void dtls_crypto_forget_keys(const struct dtls_crypto *c)
{
	dtls_hmac_forget(c->hmac_sha256);
	dtls_hmac_forget(c->hmac_sha384);
}

size_t dtls_crypto_digest(const struct dtls_crypto *c, const EVP_MD *md,
			  const struct dtls_bytes *pieces, unsigned int count,
			  u8 *out)
{
	unsigned int len;
	bool ok;

	ok = EVP_DigestInit_ex2(c->digest, md, NULL) == 1;
	for (; ok && count; count--, pieces++)
		ok = EVP_DigestUpdate(c->digest, pieces->p, pieces->len) == 1;
	return ok && EVP_DigestFinal_ex(c->digest, out, &len) == 1 ? len : 0;
}
