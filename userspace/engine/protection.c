// SPDX-License-Identifier: BSD-3-Clause
/* This file seals and opens records in user space. See protection.h. */
#include "protection.h"

/* A datagram may be under way for so many microseconds (RFC 9293 3.4.2). */
#define SEGMENT_LIFETIME	120000000ULL

static bool is_ccm(const struct dtls_protection *p)
{
	return p->aead->id != DTLS_CIPHER_CHACHA20_POLY1305 &&
	       p->aead->id != DTLS_CIPHER_AES_GCM_128 &&
	       p->aead->id != DTLS_CIPHER_AES_GCM_256;
}

static const EVP_CIPHER *evp_cipher(const struct dtls_crypto *c, u16 id)
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

/* Return the cipher that masks sequence numbers (RFC 9147 4.2.3). */
static const EVP_CIPHER *sn_cipher(const struct dtls_crypto *c,
				   const struct dtls_aead *aead)
{
	if (aead->id == DTLS_CIPHER_CHACHA20_POLY1305)
		return c->chacha20;
	return aead->key_len == 16 ? c->aes128_ecb : c->aes256_ecb;
}

bool dtls_protection_usable(const struct dtls_crypto *c, u16 id)
{
	return evp_cipher(c, id) && sn_cipher(c, dtls_aead_find(id));
}

static EVP_CIPHER_CTX *sn_new(const struct dtls_crypto *c,
			      const struct dtls_aead *aead, const u8 *key)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const EVP_CIPHER *evp = sn_cipher(c, aead);

	if (ctx && evp && EVP_EncryptInit_ex2(ctx, evp, key, NULL, NULL) == 1 &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1)
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
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
	p->aead = dtls_aead_find(key->cipher);
	p->epoch = key->epoch;
	p->seq = key->rec_seq;
	p->limit = key->limit;
	p->max_plaintext = key->max_plaintext ? key->max_plaintext :
						DTLS_RECORD_SIZE_MAX;
	memcpy(p->iv, key->iv, DTLS_IV_SIZE);
	p->cid_len = (u8)key->cid_len;
	memcpy(p->cid, key->cid, key->cid_len);
	dtls_replay_init(&p->seen, p->ring, DTLS_WINDOW_SIZE, key->rec_seq);

	p->ctx = EVP_CIPHER_CTX_new();
	if (!p->aead || !p->ctx)
		goto fail;
	cipher = evp_cipher(c, p->aead->id);
	if (!cipher)
		goto fail;
	/* CCM has to know the lengths of nonce and tag before the key. */
	if (is_ccm(p)) {
		if (EVP_CipherInit_ex2(p->ctx, cipher, NULL, NULL, enc,
				       NULL) != 1 ||
		    EVP_CIPHER_CTX_ctrl(p->ctx, EVP_CTRL_AEAD_SET_IVLEN,
					DTLS_NONCE_SIZE, NULL) != 1 ||
		    EVP_CIPHER_CTX_ctrl(p->ctx, EVP_CTRL_AEAD_SET_TAG,
					p->aead->tag_len, NULL) != 1)
			goto fail;
		cipher = NULL;
	}
	if (EVP_CipherInit_ex2(p->ctx, cipher, key->key, NULL, enc, NULL) != 1)
		goto fail;
	if (key->version == DTLS_VERSION_1_3) {
		p->sn = sn_new(c, p->aead, key->sn_key);
		if (!p->sn)
			goto fail;
	}
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
	EVP_CIPHER_CTX_free(p->sn);
	OPENSSL_clear_free(p, sizeof(*p) + p->cid_len);
}

/* Return the bytes of explicit nonce in a record. DTLS 1.3 has none. */
static size_t explicit_len(const struct dtls_protection *p)
{
	return p->sn ? 0 : p->aead->explicit_len;
}

static size_t overhead_of(const struct dtls_aead *aead, bool v13,
			  size_t cid_len)
{
	/*
	 * A record of DTLS 1.3 adds the unified header, the inner type, the tag
	 * and, at most, so many bytes of padding.
	 */
	if (v13)
		return 1 + cid_len + 2 + 2 + 1 + aead->tag_len +
		       dtls_record_padding(0, aead->tag_len);
	return DTLS12_HEADER_SIZE + cid_len + !!cid_len + aead->explicit_len +
	       aead->tag_len;
}

size_t dtls_protection_overhead(const struct dtls_protection *p)
{
	return overhead_of(p->aead, p->sn, p->cid_len);
}

size_t dtls_protection_overhead_of(const struct dtls_key_info *key)
{
	return overhead_of(dtls_aead_find(key->cipher),
			   key->version == DTLS_VERSION_1_3, key->cid_len);
}

/*
 * Make the mask of a sequence number, two bytes, from the first bytes of the
 * fragment (RFC 9147 4.2.3).
 */
static bool make_mask(struct dtls_protection *p, const u8 *fragment, u8 *mask)
{
	static const u8 zeros[DTLS_SAMPLE_SIZE];
	bool chacha = p->aead->id == DTLS_CIPHER_CHACHA20_POLY1305;
	u8 block[2 * DTLS_SAMPLE_SIZE];
	int n;

	/*
	 * The sample is the counter and nonce of ChaCha20, which libcrypto
	 * calls the IV.
	 */
	if (chacha && EVP_EncryptInit_ex2(p->sn, NULL, NULL, fragment,
					  NULL) != 1)
		return false;
	if (EVP_EncryptUpdate(p->sn, block, &n, chacha ? zeros : fragment,
			      DTLS_SAMPLE_SIZE) != 1)
		return false;
	memcpy(mask, block, 2);
	return true;
}

/*
 * Begin to seal or open a record: give the AEAD the nonce and the additional
 * data, and, as CCM needs it first, the length of the text. Return false if
 * libcrypto failed.
 */
static bool aead_begin(struct dtls_protection *p, int enc, const u8 *nonce,
		       const struct dtls_record *r, size_t len, u8 *tag)
{
	u8 aad[DTLS_AAD_SIZE_MAX];
	size_t aad_len = dtls_record_aad(aad, r, len);
	int n;

	if (!enc && EVP_CIPHER_CTX_ctrl(p->ctx, EVP_CTRL_AEAD_SET_TAG,
					p->aead->tag_len, tag) != 1)
		return false;
	if (EVP_CipherInit_ex2(p->ctx, NULL, NULL, nonce, enc, NULL) != 1)
		return false;
	if (is_ccm(p) &&
	    EVP_CipherUpdate(p->ctx, NULL, &n, NULL, (int)len) != 1)
		return false;
	return EVP_CipherUpdate(p->ctx, NULL, &n, aad, (int)aad_len) == 1;
}

size_t dtls_protection_seal(struct dtls_protection *p, u8 type,
			    const u8 *content, size_t len, u8 *out)
{
	const struct dtls_aead *a = p->aead;
	size_t padding = p->sn ? dtls_record_padding(len, a->tag_len) : 0;
	bool typed = p->sn || p->cid_len; /* The type follows the content. */
	size_t inner = len + typed + padding;
	struct dtls_record r = {
		.type = p->cid_len ? DTLS_CT_TLS12_CID : type,
		.unified = p->sn ? DTLS_UNIFIED | DTLS_UNIFIED_SEQ16 |
				   DTLS_UNIFIED_LENGTH : 0,
		.cid_len = p->cid_len,
		.version = DTLS_VERSION_1_2,
		.fragment_len = (u16)(explicit_len(p) + inner + a->tag_len),
		.epoch = p->epoch,
		.seq = p->seq,
		.cid = p->cid,
	};
	u8 nonce[DTLS_NONCE_SIZE], mask[2];
	u8 *q = out;
	int n, last;

	if (p->seq > DTLS_SEQ_MAX || len > p->max_plaintext)
		return 0;
	p->seq++;

	q += dtls_record_write_header(q, &r);
	if (explicit_len(p))
		dtls_put_be(q, 8, p->epoch << 48 | r.seq);
	dtls_aead_nonce(nonce, p->iv, &r, explicit_len(p) ? q : NULL);
	q += explicit_len(p);

	/*
	 * Content, type and padding are put together first, as CCM takes the
	 * text in one call only.
	 */
	memmove(q, content, len);
	if (typed)
		q[len] = type;
	memset(q + len + typed, 0, padding);
	if (!aead_begin(p, 1, nonce, &r, inner, NULL) ||
	    EVP_CipherUpdate(p->ctx, q, &n, q, (int)inner) != 1 ||
	    EVP_CipherFinal_ex(p->ctx, q + n, &last) != 1 ||
	    EVP_CIPHER_CTX_ctrl(p->ctx, EVP_CTRL_AEAD_GET_TAG, a->tag_len,
				q + inner) != 1)
		goto fail;
	if (p->sn) {
		if (!make_mask(p, q, mask))
			goto fail;
		dtls_record_mask(out, &r, mask);
	}
	return (size_t)(q - out) + inner + a->tag_len;

fail:
	OPENSSL_cleanse(q, inner);	/* The bytes may still be plaintext. */
	return 0;
}

/*
 * Return true if the record with the parsed header @record may belong to the
 * key @p. The epoch and the number of a unified header are filled in then.
 */
static bool resolve(struct dtls_protection *p, struct dtls_record *record,
		    const u8 *fragment)
{
	u8 mask[2];

	if (record->fragment_len < explicit_len(p) + p->aead->tag_len)
		return false;
	if (!p->sn)
		return !record->unified && record->epoch == p->epoch &&
		       record->cid_len == p->cid_len &&
		       (!p->cid_len ||
			!memcmp(record->cid, p->cid, p->cid_len));
	if (!record->unified || record->fragment_len < DTLS_SAMPLE_SIZE ||
	    (record->unified & DTLS_UNIFIED_EPOCH) !=
		    (p->epoch & DTLS_UNIFIED_EPOCH) ||
	    !make_mask(p, fragment, mask))
		return false;
	dtls_record_resolve(record, mask, p->epoch, p->seen.next);
	return true;
}

long dtls_protection_open(struct dtls_protection *p, struct dtls_record *record,
			  const u8 *bytes, u8 *out, u8 *type)
{
	const struct dtls_aead *a = p->aead;
	const u8 *fragment = bytes + record->header_len;
	u8 nonce[DTLS_NONCE_SIZE], tag[16];
	size_t len = record->fragment_len;
	long content;
	int n = 0, last;

	if (!resolve(p, record, fragment) ||
	    !dtls_replay_check(&p->seen, record->seq))
		return -1;

	dtls_aead_nonce(nonce, p->iv, record,
			explicit_len(p) ? fragment : NULL);
	fragment += explicit_len(p);
	len -= explicit_len(p) + a->tag_len;
	memcpy(tag, fragment + len, a->tag_len);

	/*
	 * CCM verifies in its one call to update, which is needed even without
	 * content.
	 */
	if (!aead_begin(p, 0, nonce, record, len, tag) ||
	    EVP_CipherUpdate(p->ctx, out, &n, fragment, (int)len) != 1 ||
	    (!is_ccm(p) && EVP_CipherFinal_ex(p->ctx, out + n, &last) != 1)) {
		p->failed++;
		return -1;
	}

	dtls_replay_mark(&p->seen, record->seq);
	content = (long)len;
	*type = record->type;
	if (p->sn || p->cid_len)
		content = dtls_record_inner(out, len, type);
	if (content < 0)
		return DTLS_RECORD_UNTYPED;
	return content > p->max_plaintext ? -1 : content;
}

void dtls_protection_used(struct dtls_protection **key, unsigned int count,
			  unsigned int used, u64 now)
{
	unsigned int i;

	for (i = used + 1; i < count && key[i]; i++)
		if (!key[i]->expiry)
			key[i]->expiry = now + SEGMENT_LIFETIME;
}

void dtls_protection_expire(struct dtls_protection **key, unsigned int count,
			    u64 now)
{
	unsigned int i;

	for (i = 0; i < count && key[i]; i++) {
		if (key[i]->expiry && key[i]->expiry <= now) {
			dtls_protection_free(key[i]);
			key[i] = NULL;
		}
	}
}
