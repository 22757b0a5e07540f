// SPDX-License-Identifier: BSD-3-Clause
/* What is fetched from libcrypto; see crypto.h. */
#include "crypto.h"

#define HMAC_BLOCK_MAX	128	/* SHA-384 */

bool dtls_crypto_init(struct dtls_crypto *c)
{
	c->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	c->sha384 = EVP_MD_fetch(NULL, "SHA384", NULL);
	c->aes128_gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	c->aes256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	c->aes128_ccm = EVP_CIPHER_fetch(NULL, "AES-128-CCM", NULL);
	c->aes256_ccm = EVP_CIPHER_fetch(NULL, "AES-256-CCM", NULL);
	c->chacha = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	if (dtls_hmac_init(&c->hmac) && c->sha256 && c->sha384 &&
	    c->aes128_gcm && c->aes256_gcm && c->aes128_ccm && c->aes256_ccm &&
	    c->chacha)
		return true;
	dtls_crypto_exit(c);
	return false;
}

void dtls_crypto_exit(struct dtls_crypto *c)
{
	EVP_MD_free(c->sha256);
	EVP_MD_free(c->sha384);
	EVP_CIPHER_free(c->aes128_gcm);
	EVP_CIPHER_free(c->aes256_gcm);
	EVP_CIPHER_free(c->aes128_ccm);
	EVP_CIPHER_free(c->aes256_ccm);
	EVP_CIPHER_free(c->chacha);
	dtls_hmac_exit(&c->hmac);
	memset(c, 0, sizeof(*c));
}

bool dtls_hmac_init(struct dtls_hmac *h)
{
	h->inner = EVP_MD_CTX_new();
	h->outer = EVP_MD_CTX_new();
	h->work = EVP_MD_CTX_new();
	return h->inner && h->outer && h->work;
}

void dtls_hmac_exit(struct dtls_hmac *h)
{
	EVP_MD_CTX_free(h->inner);
	EVP_MD_CTX_free(h->outer);
	EVP_MD_CTX_free(h->work);
}

/* Begin a pass: the key, filled up with zeroes, each byte xor @pad */
static bool begin(EVP_MD_CTX *ctx, const EVP_MD *md, const u8 *key, u8 pad,
		  size_t block)
{
	u8 mixed[HMAC_BLOCK_MAX];
	size_t i;
	bool ok;

	for (i = 0; i < block; i++)
		mixed[i] = key[i] ^ pad;
	ok = EVP_DigestInit_ex2(ctx, md, NULL) == 1 &&
	     EVP_DigestUpdate(ctx, mixed, block) == 1;
	OPENSSL_cleanse(mixed, block);
	return ok;
}

bool dtls_hmac_key(const struct dtls_hmac *h, const EVP_MD *md, const u8 *key,
		   size_t len)
{
	size_t block = (size_t)EVP_MD_get_block_size(md);
	u8 padded[HMAC_BLOCK_MAX] = { 0 };
	bool ok = block <= sizeof(padded);

	if (ok && len > block)
		ok = EVP_Digest(key, len, padded, NULL, md, NULL) == 1;
	else if (ok && len)
		memcpy(padded, key, len);
	ok = ok && begin(h->inner, md, padded, 0x36, block) &&
	     begin(h->outer, md, padded, 0x5c, block);
	OPENSSL_cleanse(padded, sizeof(padded));
	return ok;
}

bool dtls_hmac(const struct dtls_hmac *h, const struct dtls_bytes *pieces,
	       unsigned int count, u8 *out)
{
	u8 inner[EVP_MAX_MD_SIZE];
	unsigned int len;
	bool ok;

	ok = EVP_MD_CTX_copy_ex(h->work, h->inner) == 1;
	for (; ok && count; count--, pieces++)
		ok = EVP_DigestUpdate(h->work, pieces->p, pieces->len) == 1;
	return ok && EVP_DigestFinal_ex(h->work, inner, &len) == 1 &&
	       EVP_MD_CTX_copy_ex(h->work, h->outer) == 1 &&
	       EVP_DigestUpdate(h->work, inner, len) == 1 &&
	       EVP_DigestFinal_ex(h->work, out, NULL) == 1;
}

void dtls_hmac_forget(const struct dtls_hmac *h)
{
	EVP_MD_CTX_reset(h->inner);
	EVP_MD_CTX_reset(h->outer);
	EVP_MD_CTX_reset(h->work);
}
