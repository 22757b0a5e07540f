// SPDX-License-Identifier: BSD-3-Clause
/* This file seals and opens session tickets (RFC 5077). See ticket.h. */
#include <openssl/rand.h>

#include "ticket.h"

#define IV_SIZE		12
#define TAG_SIZE	16
#define NAME_SIZE	16
#define KEY_SIZE	32

_Static_assert(KEY_SIZE == DTLS_TREE_NODE_SIZE,
	       "a derived key is as long as a random one");

/*
 * Fill in a new key and its name: those that the shared secret yields for the
 * period that began at @begin, or random ones if that is negative. @key has room
 * for DTLS_HASH_MAX bytes. Return false if libcrypto failed.
 */
static bool choose_key(const struct dtls_tickets *t, int64_t begin, u8 *name,
		       u8 *key)
{
	u8 derived[DTLS_HASH_MAX];

	if (begin < 0)
		return RAND_bytes(name, NAME_SIZE) == 1 &&
		       RAND_priv_bytes(key, KEY_SIZE) == 1;
	if (!dtls_tree_derive(t->tree, (u64)begin, "ticket name", derived) ||
	    !dtls_tree_derive(t->tree, (u64)begin, "ticket", key))
		return false;
	memcpy(name, derived, NAME_SIZE);
	return true;
}

/*
 * Make a new current key, random or that of the period since @begin. The key
 * before becomes the previous one.
 */
static bool new_key(struct dtls_tickets *t, const struct dtls_crypto *c,
		    int64_t made, int64_t begin)
{
	struct dtls_ticket_key fresh = { .made = made };
	u8 key[DTLS_HASH_MAX];
	bool ok;

	fresh.ctx = EVP_CIPHER_CTX_new();
	ok = fresh.ctx && choose_key(t, begin, fresh.name, key) &&
	     EVP_CipherInit_ex2(fresh.ctx, c->aes256_gcm, key, NULL, 1,
				NULL) == 1;
	OPENSSL_cleanse(key, sizeof(key));
	if (!ok) {
		EVP_CIPHER_CTX_free(fresh.ctx);
		return false;
	}
	EVP_CIPHER_CTX_free(t->key[1].ctx);
	t->key[1] = t->key[0];
	t->key[0] = fresh;
	return true;
}

/* Make the previous key the current one again, as the clock is in its period. */
static void swap_keys(struct dtls_tickets *t)
{
	struct dtls_ticket_key key = t->key[0];

	t->key[0] = t->key[1];
	t->key[1] = key;
}

/*
 * Take the keys of @now's period and of the one before, in which another endpoint
 * may have made tickets, and forget how to derive them. If the clock went back to
 * a period that was forgotten, this endpoint has random keys of its own until the
 * clock has passed that period, or is in the period of the key before again.
 */
static bool shared_keys(struct dtls_tickets *t, const struct dtls_crypto *c,
			int64_t now)
{
	int64_t begin = now - now % t->life, before = begin - t->life;

	if (now < 0)
		return new_key(t, c, now, -1);
	if ((u64)begin < t->tree->least && t->key[1].ctx &&
	    t->key[1].made == begin) {
		swap_keys(t);
		return true;
	}
	if ((u64)begin < t->tree->least)
		return new_key(t, c, begin, -1);
	if (before >= 0 && (u64)before >= t->tree->least &&
	    !new_key(t, c, before, before))
		return false;
	return new_key(t, c, begin, begin) &&
	       dtls_tree_forget(t->tree, (u64)begin + 1);
}

static bool current_key(struct dtls_tickets *t, const struct dtls_crypto *c,
			int64_t now)
{
	const struct dtls_ticket_key *k = &t->key[0], *previous = &t->key[1];

	if (k->ctx && now >= k->made && now - k->made < t->life)
		return true;
	if (!t->tree)
		return new_key(t, c, now, -1);
	/* The clock went back a little, to the period before. */
	if (previous->ctx && now >= previous->made && now < k->made)
		return true;
	return shared_keys(t, c, now);
}

void dtls_tickets_age(struct dtls_tickets *t, const struct dtls_crypto *c,
		      int64_t now)
{
	if (t->tree)
		current_key(t, c, now);
}

bool dtls_tickets_share(struct dtls_tickets *t, const struct dtls_tree *tree)
{
	struct dtls_tree *copy = OPENSSL_memdup(tree, sizeof(*tree));

	if (!copy)
		return false;
	OPENSSL_clear_free(t->tree, sizeof(*t->tree));
	t->tree = copy;
	return true;
}

void dtls_tickets_exit(struct dtls_tickets *t)
{
	EVP_CIPHER_CTX_free(t->key[0].ctx);
	EVP_CIPHER_CTX_free(t->key[1].ctx);
	OPENSSL_clear_free(t->tree, sizeof(*t->tree));
	t->key[0].ctx = NULL;
	t->key[1].ctx = NULL;
	t->tree = NULL;
}

/*
 * Seal or open a session with AES-256-GCM. The name of the key is
 * authenticated, too. @tag is written when sealing, and read when opening.
 * Return false if it failed.
 */
static bool crypt(const struct dtls_ticket_key *k, int enc, const u8 *iv,
		  struct dtls_bytes in, u8 *out, u8 *tag)
{
	int n = 0, last;
	bool ok;

	ok = EVP_CipherInit_ex2(k->ctx, NULL, NULL, iv, enc, NULL) == 1 &&
	     EVP_CipherUpdate(k->ctx, NULL, &n, k->name, NAME_SIZE) == 1 &&
	     EVP_CipherUpdate(k->ctx, out, &n, in.p, (int)in.len) == 1;
	if (ok && !enc)
		ok = EVP_CIPHER_CTX_ctrl(k->ctx, EVP_CTRL_AEAD_SET_TAG,
					 TAG_SIZE, tag) == 1;
	ok = ok && EVP_CipherFinal_ex(k->ctx, out + n, &last) == 1;
	if (ok && enc)
		ok = EVP_CIPHER_CTX_ctrl(k->ctx, EVP_CTRL_AEAD_GET_TAG,
					 TAG_SIZE, tag) == 1;
	return ok;
}

bool dtls_ticket_seal(struct dtls_tickets *t, const struct dtls_crypto *c,
		      const struct dtls_session *s, int64_t now,
		      struct dtls_writer *out)
{
	struct dtls_writer plain = { 0 };
	u8 iv[IV_SIZE], tag[TAG_SIZE];
	u8 *text;
	bool ok;

	dtls_session_write(s, &plain);
	ok = !plain.failed && current_key(t, c, now) &&
	     dtls_pool_take(c->pool, iv, IV_SIZE);
	if (ok) {
		wr_bytes(out, t->key[0].name, NAME_SIZE);
		wr_bytes(out, iv, IV_SIZE);
		text = wr_room(out, plain.len);
		ok = text && crypt(&t->key[0], 1, iv,
				   (struct dtls_bytes){ plain.p, plain.len },
				   text, tag);
		wr_bytes(out, tag, TAG_SIZE);
	}
	wr_free(&plain);
	return ok && !out->failed;
}

bool dtls_ticket_open(struct dtls_tickets *t, const struct dtls_crypto *c,
		      struct dtls_bytes ticket, int64_t now,
		      struct dtls_writer *plain, struct dtls_session *s)
{
	const struct dtls_ticket_key *k;
	struct dtls_bytes name, iv, text;
	u8 tag[TAG_SIZE];
	u8 *out;
	int i;

	if (!rd_bytes(&ticket, NAME_SIZE, &name) ||
	    !rd_bytes(&ticket, IV_SIZE, &iv) || ticket.len < TAG_SIZE ||
	    !rd_bytes(&ticket, ticket.len - TAG_SIZE, &text) ||
	    !rd_copy(&ticket, tag, TAG_SIZE) || !current_key(t, c, now))
		return false;
	for (i = 0; i < 2; i++) {
		k = &t->key[i];
		if (!k->ctx || memcmp(k->name, name.p, NAME_SIZE))
			continue;
		out = wr_room(plain, text.len);
		return out &&
		       crypt(k, 0, iv.p, text, out, tag) &&
		       dtls_session_read(s, (struct dtls_bytes){ plain->p,
					 plain->len }) &&
		       !dtls_session_expired(s, t->life, now);
	}
	return false;
}
