// SPDX-License-Identifier: BSD-3-Clause
/* Session tickets (RFC 5077); see session.h. */
#include <openssl/rand.h>

#include "session.h"

#define IV_SIZE		12
#define TAG_SIZE	16
#define NAME_SIZE	16

static bool current_key(struct dtls_tickets *t, int64_t now)
{
	struct dtls_ticket_key *k = &t->key[0];
	struct dtls_ticket_key fresh;

	if (k->ready && now >= k->made && now - k->made < t->life)
		return true;
	fresh.ready = true;
	fresh.made = now;
	if (RAND_bytes(fresh.name, sizeof(fresh.name)) != 1 ||
	    RAND_priv_bytes(fresh.key, sizeof(fresh.key)) != 1)
		return false;
	t->key[1] = t->key[0];
	t->key[0] = fresh;
	OPENSSL_cleanse(&fresh, sizeof(fresh));
	return true;
}

/* AES-256-GCM; the key's name is authenticated too. @tag is read or written. */
static bool crypt(const struct dtls_crypto *c, const struct dtls_ticket_key *k,
		  int enc, const u8 *iv, const u8 *in, size_t len, u8 *out,
		  u8 *tag)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, last;
	bool ok;

	ok = ctx &&
	     EVP_CipherInit_ex2(ctx, c->aes256_gcm, k->key, iv, enc,
				NULL) == 1 &&
	     EVP_CipherUpdate(ctx, NULL, &n, k->name, NAME_SIZE) == 1 &&
	     EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1;
	if (ok && !enc)
		ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE,
					 tag) == 1;
	ok = ok && EVP_CipherFinal_ex(ctx, out + n, &last) == 1;
	if (ok && enc)
		ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE,
					 tag) == 1;
	EVP_CIPHER_CTX_free(ctx);
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
	ok = !plain.failed && current_key(t, now) &&
	     RAND_bytes(iv, IV_SIZE) == 1;
	if (ok) {
		wr_bytes(out, t->key[0].name, NAME_SIZE);
		wr_bytes(out, iv, IV_SIZE);
		text = wr_room(out, plain.len);
		ok = text && crypt(c, &t->key[0], 1, iv, plain.p, plain.len,
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
	    !rd_copy(&ticket, tag, TAG_SIZE) || !current_key(t, now))
		return false;
	for (i = 0; i < 2; i++) {
		k = &t->key[i];
		if (!k->ready || memcmp(k->name, name.p, NAME_SIZE))
			continue;
		out = wr_room(plain, text.len);
		return out &&
		       crypt(c, k, 0, iv.p, text.p, text.len, out, tag) &&
		       dtls_session_read(s, (struct dtls_bytes){ plain->p,
					 plain->len }) &&
		       !dtls_session_expired(s, now);
	}
	return false;
}
