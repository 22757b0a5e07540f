// SPDX-License-Identifier: BSD-3-Clause
/* This file splits the secret that endpoints share. See secret.h. */
#include <openssl/crypto.h>

#include "secret.h"

/* Derive a part of the secret. @out has room for DTLS_TREE_NODE_SIZE bytes. */
static bool derive(const u8 *random, const char *label, u8 *out)
{
	const struct dtls_bytes piece = { (const u8 *)label, strlen(label) };
	struct dtls_hmac *k = dtls_hmac_new("SHA256");
	u8 digest[DTLS_HASH_MAX];
	bool ok;

	ok = k && dtls_hmac_set(k, random, DTLS_TREE_NODE_SIZE) &&
	     dtls_hmac_digest(k, &piece, 1, digest);
	dtls_hmac_free(k);
	if (ok)
		memcpy(out, digest, DTLS_TREE_NODE_SIZE);
	OPENSSL_cleanse(digest, sizeof(digest));
	return ok;
}

bool dtls_secret_make(struct dtls_secret *s, const u8 *random)
{
	u8 root[DTLS_TREE_NODE_SIZE];
	bool ok;

	memcpy(s->mark, DTLS_SECRET_MARK, sizeof(s->mark));
	ok = derive(random, "cookies", s->cookies) &&
	     derive(random, "tickets", root) &&
	     dtls_tree_grow(&s->tickets, root);
	OPENSSL_cleanse(root, sizeof(root));
	return ok;
}

bool dtls_secret_valid(const struct dtls_secret *s)
{
	return !memcmp(s->mark, DTLS_SECRET_MARK, sizeof(s->mark)) &&
	       !(s->tickets.least >> DTLS_TREE_DEPTH);
}

bool dtls_secret_age(struct dtls_secret *s, u32 life, int64_t now)
{
	return now < 2 * (int64_t)life ||
	       dtls_tree_forget(&s->tickets, (u64)now - 2 * (u64)life);
}
