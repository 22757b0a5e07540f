// SPDX-License-Identifier: BSD-3-Clause
/* Protecting and opening records in user space; see records.h. */
#include <limits.h>

#include "records.h"

static bool is_ccm(const struct dtls_protection *p)
{
	return p->cipher->id != DTLS_CIPHER_CHACHA20_POLY1305 &&
	       p->cipher->id != DTLS_CIPHER_AES_GCM_128 &&
	       p->cipher->id != DTLS_CIPHER_AES_GCM_256;
}

static const EVP_CIPHER *evp_cipher(const struct dtls_crypto *c, u8 id)
{
	switch (id) {
	case DTLS_CIPHER_AES_GCM_128:
		return c->aes128_gcm;
	case DTLS_CIPHER_AES_GCM_256:
		return c->aes256_gcm;
	case DTLS_CIPHER_AES_CCM_128:
	case DTLS_CIPHER_AES_CCM_8_128:
		return c->aes128_ccm;
	case DTLS_CIPHER_AES_CCM_256:
	case DTLS_CIPHER_AES_CCM_8_256:
		return c->aes256_ccm;
	default:
		return c->chacha;
	}
}

struct dtls_protection *dtls_protection_new(const struct dtls_crypto *c,
					    int direction,
					    const struct dtls_key_info *key)
{
	struct dtls_protection *p;
	int enc = direction == DTLS_TX;
	const EVP_CIPHER *cipher;

	p = OPENSSL_zalloc(sizeof(*p) + key->cid_len);
	if (!p)
		return NULL;
	p->cipher = dtls_cipher_find(key->cipher);
	p->epoch = key->epoch;
	p->seq = key->rec_seq;
	memcpy(p->iv, key->iv, DTLS_IV_SIZE);
	p->cid_len = (u8)key->cid_len;
	memcpy(p->cid, key->cid, key->cid_len);
	dtls_replay_init(&p->seen, p->ring, DTLS_REPLAY_WINDOW_MIN,
			 key->rec_seq);

	p->ctx = EVP_CIPHER_CTX_new();
	if (!p->cipher || !p->ctx)
		goto fail;
	cipher = evp_cipher(c, p->cipher->id);
	/* CCM wants the lengths of nonce and tag before the key */
	if (is_ccm(p)) {
		if (EVP_CipherInit_ex2(p->ctx, cipher, NULL, NULL, enc,
				       NULL) != 1 ||
		    EVP_CIPHER_CTX_ctrl(p->ctx, EVP_CTRL_AEAD_SET_IVLEN,
					DTLS_NONCE_SIZE, NULL) != 1 ||
		    EVP_CIPHER_CTX_ctrl(p->ctx, EVP_CTRL_AEAD_SET_TAG,
					p->cipher->tag_len, NULL) != 1)
			goto fail;
		cipher = NULL;
	}
	if (EVP_CipherInit_ex2(p->ctx, cipher, key->key, NULL, enc, NULL) != 1)
		goto fail;
	return p;
fail:
	dtls_protection_free(p);
	return NULL;
}

void dtls_protection_free(struct dtls_protection *p)
{
	if (!p)
		return;
	EVP_CIPHER_CTX_free(p->ctx);
	OPENSSL_clear_free(p, sizeof(*p) + p->cid_len);
}

size_t dtls_protection_overhead(const struct dtls_protection *p)
{
	return DTLS12_HEADER_SIZE + p->cid_len + !!p->cid_len +
	       p->cipher->explicit_len + p->cipher->tag_len;
}

/*
 * RFC 5288 3: salt and explicit nonce; RFC 7905 2: IV xor sequence number. @nonce
 * is the record's explicit one, if the cipher has that.
 */
static void make_nonce(const struct dtls_protection *p, u64 seq,
		       const u8 *explicit, u8 *nonce)
{
	unsigned int i;
	u8 number[8];

	memcpy(nonce, p->iv, DTLS_NONCE_SIZE);
	if (p->cipher->explicit_len) {
		memcpy(nonce + p->cipher->iv_len, explicit,
		       p->cipher->explicit_len);
		return;
	}
	dtls_put_be(number, 8, p->epoch << 48 | seq);
	for (i = 0; i < 8; i++)
		nonce[4 + i] ^= number[i];
}

/* Nonce, AAD and, for CCM, the length of what is to come */
static bool aead_begin(struct dtls_protection *p, int enc, const u8 *nonce,
		       const struct dtls_record *r, size_t len, u8 *tag)
{
	u8 aad[DTLS_AAD_SIZE_MAX];
	size_t aad_len = dtls_record_aad(aad, r, len);
	int n;

	if (!enc && EVP_CIPHER_CTX_ctrl(p->ctx, EVP_CTRL_AEAD_SET_TAG,
					p->cipher->tag_len, tag) != 1)
		return false;
	if (EVP_CipherInit_ex2(p->ctx, NULL, NULL, nonce, enc, NULL) != 1)
		return false;
	if (is_ccm(p) &&
	    EVP_CipherUpdate(p->ctx, NULL, &n, NULL, (int)len) != 1)
		return false;
	return EVP_CipherUpdate(p->ctx, NULL, &n, aad, (int)aad_len) == 1;
}

size_t dtls_protect(struct dtls_protection *p, u8 type, const u8 *content,
		    size_t len, u8 *out)
{
	const struct dtls_cipher *c = p->cipher;
	size_t inner = len + !!p->cid_len;
	struct dtls_record r = {
		.type = p->cid_len ? DTLS_CT_TLS12_CID : type,
		.cid_len = p->cid_len,
		.version = DTLS_VERSION_1_2,
		.fragment_len = (u16)(c->explicit_len + inner + c->tag_len),
		.epoch = p->epoch,
		.seq = p->seq,
		.cid = p->cid,
	};
	u8 nonce[DTLS_NONCE_SIZE];
	u8 *q = out;
	int n, last;

	if (p->seq > DTLS_SEQ_MAX || len > DTLS_RECORD_SIZE_MAX)
		return 0;
	p->seq++;

	q += dtls_record_write_header(q, &r);
	if (c->explicit_len) {
		dtls_put_be(q, 8, p->epoch << 48 | r.seq);
		make_nonce(p, r.seq, q, nonce);
		q += c->explicit_len;
	} else {
		make_nonce(p, r.seq, NULL, nonce);
	}

	/* One update call: CCM can take no more */
	memmove(q, content, len);
	if (p->cid_len)
		q[len] = type;
	if (!aead_begin(p, 1, nonce, &r, inner, NULL) ||
	    EVP_CipherUpdate(p->ctx, q, &n, q, (int)inner) != 1 ||
	    EVP_CipherFinal_ex(p->ctx, q + n, &last) != 1)
		return 0;
	q += inner;
	if (EVP_CIPHER_CTX_ctrl(p->ctx, EVP_CTRL_AEAD_GET_TAG, c->tag_len,
				q) != 1)
		return 0;
	return (size_t)(q - out) + c->tag_len;
}

long dtls_unprotect(struct dtls_protection *p, const struct dtls_record *record,
		    const u8 *bytes, u8 *out, u8 *type)
{
	const struct dtls_cipher *c = p->cipher;
	const u8 *fragment = bytes + record->header_len;
	u8 nonce[DTLS_NONCE_SIZE], tag[16];
	size_t len = record->fragment_len;
	long content;
	int n = 0, last;

	if (record->epoch != p->epoch || record->cid_len != p->cid_len ||
	    (p->cid_len && memcmp(record->cid, p->cid, p->cid_len)) ||
	    len < (size_t)c->explicit_len + c->tag_len ||
	    !dtls_replay_check(&p->seen, record->seq))
		return -1;

	make_nonce(p, record->seq, fragment, nonce);
	fragment += c->explicit_len;
	len -= c->explicit_len + c->tag_len;
	memcpy(tag, fragment + len, c->tag_len);

	/* CCM verifies in its one update, and wants it even for no content */
	if (!aead_begin(p, 0, nonce, record, len, tag) ||
	    EVP_CipherUpdate(p->ctx, out, &n, fragment, (int)len) != 1 ||
	    (!is_ccm(p) && EVP_CipherFinal_ex(p->ctx, out + n, &last) != 1)) {
		p->failed++;
		return -1;
	}

	dtls_replay_mark(&p->seen, record->seq);
	content = (long)len;
	*type = record->type;
	if (p->cid_len)
		content = dtls_record_inner(out, len, type);
	return content > DTLS_RECORD_SIZE_MAX ? -1 : content;
}
