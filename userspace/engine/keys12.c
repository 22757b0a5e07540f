// SPDX-License-Identifier: BSD-3-Clause
/* The key schedule of DTLS 1.2; see keys12.h. */
#include "keys12.h"

#define SEED_MAX	4

/*
 * Compute P_hash (RFC 5246 5): A(1) = HMAC(label + seed), A(n + 1) =
 * HMAC(A(n)), and the n-th block of @out is HMAC(A(n) + label + seed). @pieces
 * are A(n), which this function fills in, the label and the seed.
 */
static bool p_hash(struct dtls_hmac *h, struct dtls_bytes *pieces,
		   unsigned int count, size_t hash_len, u8 *out, size_t len)
{
	u8 a[DTLS_HASH_MAX], block[DTLS_HASH_MAX];
	size_t n;
	bool ok;

	pieces[0] = (struct dtls_bytes){ a, hash_len };
	ok = dtls_hmac_digest(h, pieces + 1, count - 1, a);
	while (ok && len) {
		n = len < hash_len ? len : hash_len;
		ok = dtls_hmac_digest(h, pieces, count, block);
		if (ok)
			memcpy(out, block, n);
		out += n;
		len -= n;
		if (len)
			ok = ok && dtls_hmac_digest(h, pieces, 1, a);
	}
	OPENSSL_cleanse(a, sizeof(a));
	OPENSSL_cleanse(block, sizeof(block));
	return ok;
}

bool dtls_keys12_prf(const struct dtls_crypto *c, const EVP_MD *md,
		     const u8 *secret, size_t secret_len, const char *label,
		     const struct dtls_bytes *seed, unsigned int seed_count,
		     u8 *out, size_t len)
{
	struct dtls_bytes pieces[2 + SEED_MAX];

	if (seed_count > SEED_MAX)
		return false;
	pieces[1] = (struct dtls_bytes){ (const u8 *)label, strlen(label) };
	memcpy(pieces + 2, seed, seed_count * sizeof(*seed));
	return p_hash(dtls_crypto_hmac_key(c, md, secret, secret_len), pieces,
		      2 + seed_count, (size_t)EVP_MD_get_size(md), out, len);
}

bool dtls_keys12_master(const struct dtls_crypto *c, const EVP_MD *md,
			struct dtls12_secrets *s, const u8 *premaster,
			size_t premaster_len, struct dtls_bytes session_hash)
{
	struct dtls_bytes randoms[] = {
		{ s->client_random, DTLS_RANDOM_SIZE },
		{ s->server_random, DTLS_RANDOM_SIZE },
	};

	if (session_hash.len)
		return dtls_keys12_prf(c, md, premaster, premaster_len,
				       "extended master secret", &session_hash,
				       1, s->master, DTLS_SECRET_SIZE);
	return dtls_keys12_prf(c, md, premaster, premaster_len, "master secret",
			       randoms, 2, s->master, DTLS_SECRET_SIZE);
}

bool dtls_keys12_keys(const struct dtls_crypto *c,
		      const struct dtls_suite *suite,
		      const struct dtls12_secrets *s,
		      struct dtls_key_info *client,
		      struct dtls_key_info *server)
{
	const struct dtls_aead *aead = dtls_aead_find(suite->cipher);
	u8 block[2 * (DTLS_KEY_SIZE_MAX + DTLS_IV_SIZE)];
	size_t len = 2 * (aead->key_size + aead->iv_size);
	struct dtls_bytes randoms[] = {
		{ s->server_random, DTLS_RANDOM_SIZE },
		{ s->client_random, DTLS_RANDOM_SIZE },
	};
	u8 *p = block;
	bool ok;

	ok = dtls_keys12_prf(c, dtls_suite_md(c, suite), s->master,
			     DTLS_SECRET_SIZE, "key expansion", randoms, 2,
			     block, len);
	if (ok) {
		memset(client, 0, sizeof(*client));
		client->version = DTLS_VERSION_1_2;
		client->cipher = suite->cipher;
		client->epoch = DTLS12_EPOCH_DATA;
		*server = *client;
		memcpy(client->key, p, aead->key_size);
		p += aead->key_size;
		memcpy(server->key, p, aead->key_size);
		p += aead->key_size;
		memcpy(client->iv, p, aead->iv_size);
		p += aead->iv_size;
		memcpy(server->iv, p, aead->iv_size);
	}
	OPENSSL_cleanse(block, sizeof(block));
	return ok;
}

bool dtls_keys12_verify_data(const struct dtls_crypto *c, const EVP_MD *md,
			     const struct dtls12_secrets *s, bool server,
			     struct dtls_bytes hash, u8 *out)
{
	return dtls_keys12_prf(c, md, s->master, DTLS_SECRET_SIZE,
			       server ? "server finished" : "client finished",
			       &hash, 1, out, DTLS12_VERIFY_SIZE);
}

bool dtls_keys12_export(const struct dtls_crypto *c, const EVP_MD *md,
			const struct dtls12_secrets *s, const char *label,
			const struct dtls_bytes *context, u8 *out, size_t len)
{
	struct dtls_bytes seed[4] = {
		{ s->client_random, DTLS_RANDOM_SIZE },
		{ s->server_random, DTLS_RANDOM_SIZE },
	};
	unsigned int count = 2;
	u8 context_len[2];

	if (context) {
		dtls_put_be(context_len, 2, context->len);
		seed[count++] = (struct dtls_bytes){ context_len, 2 };
		seed[count++] = *context;
	}
	return dtls_keys12_prf(c, md, s->master, DTLS_SECRET_SIZE, label, seed,
			       count, out, len);
}
