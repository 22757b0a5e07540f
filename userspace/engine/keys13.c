// SPDX-License-Identifier: BSD-3-Clause
/* This file is the key schedule of DTLS 1.3. See keys13.h. */
#include "keys13.h"

#define LABEL_PREFIX	"dtls13"	/* RFC 9147 5.9 */
#define INFO_MAX	(2 + 1 + 255 + 1 + 255)

bool dtls_keys13_extract(const struct dtls_crypto *c, const EVP_MD *md,
			 const u8 *salt, struct dtls_bytes ikm, u8 *out)
{
	static const u8 zeros[DTLS_HASH_MAX];
	size_t len = (size_t)EVP_MD_get_size(md);

	if (!ikm.len)
		ikm = (struct dtls_bytes){ zeros, len };
	return dtls_hmac_digest(dtls_crypto_hmac_key(c, md, salt ? salt : zeros,
						     len), &ikm,
				1, out);
}

/* Compute HKDF-Expand (RFC 5869 2.3). */
static bool expand(const struct dtls_crypto *c, const EVP_MD *md,
		   const u8 *secret, struct dtls_bytes info, u8 *out,
		   size_t len)
{
	size_t hash_len = (size_t)EVP_MD_get_size(md), n;
	u8 block[DTLS_HASH_MAX], count = 0;
	struct dtls_bytes pieces[] = {
		{ block, 0 },
		info,
		{ &count, 1 },
	};
	struct dtls_hmac *k = dtls_crypto_hmac_key(c, md, secret, hash_len);
	bool ok = len <= 255 * hash_len;

	for (; ok && len; len -= n, out += n) {
		count++;
		ok = dtls_hmac_digest(k, pieces, 3, block);
		n = len < hash_len ? len : hash_len;
		memcpy(out, block, n);
		pieces[0].len = hash_len;
	}
	OPENSSL_cleanse(block, sizeof(block));
	return ok;
}

bool dtls_keys13_expand(const struct dtls_crypto *c, const EVP_MD *md,
			const u8 *secret, const struct dtls_label *label,
			u8 *out, size_t len)
{
	struct dtls_bytes context = label->context;
	size_t label_len = strlen(label->name);
	size_t prefix_len = strlen(LABEL_PREFIX);
	u8 info[INFO_MAX];
	u8 *p = info;

	if (len > 65535 || prefix_len + label_len > 255 || context.len > 255)
		return false;
	dtls_put_be(p, 2, len);
	p[2] = (u8)(prefix_len + label_len);
	p += 3;
	memcpy(p, LABEL_PREFIX, prefix_len);
	memcpy(p + prefix_len, label->name, label_len);
	p += prefix_len + label_len;
	*p++ = (u8)context.len;
	if (context.len)
		memcpy(p, context.p, context.len);
	p += context.len;
	return expand(c, md, secret,
		      (struct dtls_bytes){ info, (size_t)(p - info) }, out,
		      len);
}

/*
 * Derive a secret that depends on no messages: Derive-Secret with an empty
 * transcript (RFC 8446 7.1). Return false if libcrypto failed.
 */
static bool derive(const struct dtls_crypto *c, const EVP_MD *md,
		   const u8 *secret, const char *name, u8 *out)
{
	u8 hash[DTLS_HASH_MAX];
	size_t len = dtls_crypto_digest(c, md, NULL, 0, hash);

	return len &&
	       dtls_keys13_expand(c, md, secret,
				  &(struct dtls_label){ name, { hash, len } },
				  out, len);
}

bool dtls_keys13_derived(const struct dtls_crypto *c, const EVP_MD *md,
			 u8 *secret)
{
	u8 next[DTLS_HASH_MAX];
	bool ok = derive(c, md, secret, "derived", next);

	memcpy(secret, next, (size_t)EVP_MD_get_size(md));
	OPENSSL_cleanse(next, sizeof(next));
	return ok;
}

bool dtls_keys13_key(const struct dtls_crypto *c,
		     const struct dtls_suite *suite,
		     const u8 *secret, u64 epoch, struct dtls_key_info *key)
{
	const struct dtls_aead *aead = dtls_aead_find(suite->cipher);
	const EVP_MD *md = dtls_suite_md(c, suite);

	memset(key, 0, sizeof(*key));
	key->version = DTLS_VERSION_1_3;
	key->cipher = suite->cipher;
	key->epoch = epoch;
	return dtls_keys13_expand(c, md, secret,
				  &(struct dtls_label){ .name = "key" },
				  key->key, aead->key_len) &&
	       dtls_keys13_expand(c, md, secret,
				  &(struct dtls_label){ .name = "iv" },
				  key->iv, DTLS_IV_SIZE) &&
	       dtls_keys13_expand(c, md, secret,
				  &(struct dtls_label){ .name = "sn" },
				  key->sn_key, aead->key_len);
}

bool dtls_keys13_update(const struct dtls_crypto *c, const EVP_MD *md,
			u8 *secret)
{
	size_t len = (size_t)EVP_MD_get_size(md);
	u8 next[DTLS_HASH_MAX];
	bool ok;

	ok = dtls_keys13_expand(c, md, secret,
				&(struct dtls_label){ .name = "traffic upd" },
				next, len);
	if (ok)
		memcpy(secret, next, len);
	OPENSSL_cleanse(next, sizeof(next));
	return ok;
}

bool dtls_keys13_finished(const struct dtls_crypto *c, const EVP_MD *md,
			  const u8 *secret, struct dtls_bytes hash, u8 *out)
{
	size_t len = (size_t)EVP_MD_get_size(md);
	u8 key[DTLS_HASH_MAX];
	bool ok;

	ok = dtls_keys13_expand(c, md, secret,
				&(struct dtls_label){ .name = "finished" }, key,
				len) &&
	     dtls_hmac_digest(dtls_crypto_hmac_key(c, md, key, len), &hash, 1,
			      out);
	OPENSSL_cleanse(key, sizeof(key));
	return ok;
}

bool dtls_keys13_export(const struct dtls_crypto *c, const EVP_MD *md,
			const u8 *secret, const struct dtls_label *label,
			u8 *out, size_t len)
{
	u8 derived[DTLS_HASH_MAX], hash[DTLS_HASH_MAX];
	size_t hash_len = dtls_crypto_digest(c, md, &label->context, 1, hash);
	bool ok;

	ok = hash_len &&
	     derive(c, md, secret, label->name, derived) &&
	     dtls_keys13_expand(c, md, derived,
				&(struct dtls_label){ "exporter",
						      { hash, hash_len } },
				out, len);
	OPENSSL_cleanse(derived, sizeof(derived));
	return ok;
}

bool dtls_keys13_binder(const struct dtls_crypto *c, const EVP_MD *md,
			struct dtls_bytes psk, bool resumes,
			struct dtls_bytes hash, u8 *out)
{
	const char *name = resumes ? "res binder" : "ext binder";
	u8 early[DTLS_HASH_MAX], key[DTLS_HASH_MAX];
	bool ok;

	ok = dtls_keys13_extract(c, md, NULL, psk, early) &&
	     derive(c, md, early, name, key) &&
	     dtls_keys13_finished(c, md, key, hash, out);
	OPENSSL_cleanse(early, sizeof(early));
	OPENSSL_cleanse(key, sizeof(key));
	return ok;
}
