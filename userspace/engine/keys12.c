// SPDX-License-Identifier: BSD-3-Clause
/* This file is the key schedule of DTLS 1.2. See keys12.h. */
#include "keys12.h"

#define SEED_MAX	4

/**
 * struct prf - the arguments of the PRF (RFC 5246 5)
 * @secret:	the key
 * @label:	the first piece of the seed, without its NUL
 * @seed:	the pieces of the seed behind the label
 * @count:	number of pieces in @seed, SEED_MAX at most
 */
struct prf {
	struct dtls_bytes secret;
	const char *label;
	const struct dtls_bytes *seed;
	unsigned int count;
};

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

/* Write @len bytes of PRF(secret, label, seed) to @out (RFC 5246 5). */
static bool compute_prf(const struct dtls_crypto *c, const EVP_MD *md,
			const struct prf *in, u8 *out, size_t len)
{
	struct dtls_bytes pieces[2 + SEED_MAX];

	if (in->count > SEED_MAX)
		return false;
	pieces[1] = (struct dtls_bytes){ (const u8 *)in->label,
					 strlen(in->label) };
	memcpy(pieces + 2, in->seed, in->count * sizeof(*in->seed));
	return p_hash(dtls_crypto_hmac_key(c, md, in->secret.p, in->secret.len),
		      pieces, 2 + in->count, (size_t)EVP_MD_get_size(md), out,
		      len);
}

bool dtls_keys12_master(const struct dtls_crypto *c, const EVP_MD *md,
			struct dtls12_secrets *s, const u8 *premaster,
			size_t premaster_len, struct dtls_bytes session_hash)
{
	struct dtls_bytes randoms[] = {
		{ s->client_random, DTLS_RANDOM_SIZE },
		{ s->server_random, DTLS_RANDOM_SIZE },
	};
	struct prf in = {
		.secret = { premaster, premaster_len },
		.label = "master secret",
		.seed = randoms,
		.count = 2,
	};

	if (session_hash.len) {
		in.label = "extended master secret";
		in.seed = &session_hash;
		in.count = 1;
	}
	return compute_prf(c, md, &in, s->master, DTLS_SECRET_SIZE);
}

bool dtls_keys12_keys(const struct dtls_crypto *c,
		      const struct dtls_suite *suite,
		      const struct dtls12_secrets *s,
		      struct dtls_key_info *client,
		      struct dtls_key_info *server)
{
	const struct dtls_aead *aead = dtls_aead_find(suite->cipher);
	u8 block[2 * (DTLS_KEY_SIZE_MAX + DTLS_IV_SIZE)];
	size_t len = 2 * (aead->key_len + aead->salt_len);
	struct dtls_bytes randoms[] = {
		{ s->server_random, DTLS_RANDOM_SIZE },
		{ s->client_random, DTLS_RANDOM_SIZE },
	};
	struct prf in = {
		.secret = { s->master, DTLS_SECRET_SIZE },
		.label = "key expansion",
		.seed = randoms,
		.count = 2,
	};
	u8 *p = block;
	bool ok;

	ok = compute_prf(c, dtls_suite_md(c, suite), &in, block, len);
	if (ok) {
		memset(client, 0, sizeof(*client));
		client->version = DTLS_VERSION_1_2;
		client->cipher = suite->cipher;
		client->epoch = DTLS12_EPOCH_DATA;
		*server = *client;
		memcpy(client->key, p, aead->key_len);
		p += aead->key_len;
		memcpy(server->key, p, aead->key_len);
		p += aead->key_len;
		memcpy(client->iv, p, aead->salt_len);
		p += aead->salt_len;
		memcpy(server->iv, p, aead->salt_len);
	}
	OPENSSL_cleanse(block, sizeof(block));
	return ok;
}

bool dtls_keys12_verify_data(const struct dtls_crypto *c, const EVP_MD *md,
			     const struct dtls12_secrets *s, bool server,
			     struct dtls_bytes hash, u8 *out)
{
	struct prf in = {
		.secret = { s->master, DTLS_SECRET_SIZE },
		.label = server ? "server finished" : "client finished",
		.seed = &hash,
		.count = 1,
	};

	return compute_prf(c, md, &in, out, DTLS12_VERIFY_SIZE);
}

bool dtls_keys12_export(const struct dtls_crypto *c, const EVP_MD *md,
			const struct dtls12_secrets *s,
			const struct dtls_label *label, u8 *out, size_t len)
{
	struct dtls_bytes seed[SEED_MAX] = {
		{ s->client_random, DTLS_RANDOM_SIZE },
		{ s->server_random, DTLS_RANDOM_SIZE },
	};
	struct prf in = {
		.secret = { s->master, DTLS_SECRET_SIZE },
		.label = label->name,
		.seed = seed,
		.count = 2,
	};
	u8 context_len[2];

	if (label->context.p) {
		dtls_put_be(context_len, 2, label->context.len);
		seed[in.count++] = (struct dtls_bytes){ context_len, 2 };
		seed[in.count++] = label->context;
	}
	return compute_prf(c, md, &in, out, len);
}
