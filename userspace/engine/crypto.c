// SPDX-License-Identifier: BSD-3-Clause
/* What is fetched from libcrypto; see crypto.h. */
#include <openssl/core_names.h>

#include "crypto.h"

bool dtls_crypto_init(struct dtls_crypto *c)
{
	c->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	c->sha384 = EVP_MD_fetch(NULL, "SHA384", NULL);
	c->prf12 = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
	c->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	c->aes128_gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	c->aes256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	c->aes128_ccm = EVP_CIPHER_fetch(NULL, "AES-128-CCM", NULL);
	c->aes256_ccm = EVP_CIPHER_fetch(NULL, "AES-256-CCM", NULL);
	c->chacha = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	if (c->sha256 && c->sha384 && c->prf12 && c->hmac && c->aes128_gcm &&
	    c->aes256_gcm && c->aes128_ccm && c->aes256_ccm && c->chacha)
		return true;
	dtls_crypto_exit(c);
	return false;
}

void dtls_crypto_exit(struct dtls_crypto *c)
{
	EVP_MD_free(c->sha256);
	EVP_MD_free(c->sha384);
	EVP_KDF_free(c->prf12);
	EVP_MAC_free(c->hmac);
	EVP_CIPHER_free(c->aes128_gcm);
	EVP_CIPHER_free(c->aes256_gcm);
	EVP_CIPHER_free(c->aes128_ccm);
	EVP_CIPHER_free(c->aes256_ccm);
	EVP_CIPHER_free(c->chacha);
	memset(c, 0, sizeof(*c));
}

bool dtls_hmac_sha256(const struct dtls_crypto *c, const u8 *key,
		      size_t key_len, const struct dtls_bytes *pieces,
		      unsigned int count, u8 *out)
{
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(c->hmac);
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
				       sizeof(digest) - 1),
		OSSL_PARAM_END,
	};
	size_t len;
	bool ok;

	ok = ctx && EVP_MAC_init(ctx, key, key_len, params) == 1;
	for (; ok && count; count--, pieces++)
		ok = EVP_MAC_update(ctx, pieces->p, pieces->len) == 1;
	ok = ok && EVP_MAC_final(ctx, out, &len, 32) == 1 && len == 32;
	EVP_MAC_CTX_free(ctx);
	return ok;
}
