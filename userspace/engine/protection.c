// SPDX-License-Identifier: BSD-3-Clause
/* This file seals and opens records in user space. See protection.h. */
#include "protection.h"

/* A datagram may be under way for so many microseconds (RFC 9293 3.4.2). */
#define SEGMENT_LIFETIME	120000000ULL

/* Return the cipher of a context, or NULL if libcrypto lacks it. */
static const EVP_CIPHER *evp_cipher(const struct dtls_crypto *c,
				    unsigned int kind)
{
	switch (kind) {
	case DTLS_LOAN_AES128:
		return c->aes128_ecb;
	case DTLS_LOAN_AES256:
		return c->aes256_ecb;
	case DTLS_LOAN_CHACHA20:
		return c->chacha20;
	}
	switch (dtls_aeads[kind].id) {
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

/*
 * Return the kind of the cipher that masks the sequence numbers of DTLS 1.3 with the
 * AEAD @a (RFC 9147 4.2.3).
 */
static u8 sn_kind(const struct dtls_aead *a)
{
	if (a->kind == DTLS_AEAD_CHACHA)
		return DTLS_LOAN_CHACHA20;
	return a->key_len == 16 ? DTLS_LOAN_AES128 : DTLS_LOAN_AES256;
}

bool dtls_protection_usable(const struct dtls_crypto *c, u16 id)
{
	const struct dtls_aead *a = dtls_aead_find(id);

	return evp_cipher(c, (unsigned int)(a - dtls_aeads)) &&
	       evp_cipher(c, sn_kind(a));
}

/* ---- memory ---- */

/* Return the bytes of the keys of the AEAD and of sequence numbers. */
static size_t keys_len(const struct dtls_aead *aead, bool v13)
{
	return aead->key_len * (v13 ? 2 : 1);
}

/* Return where the keys of @p are. */
static u8 *bytes_of(const struct dtls_protection *p)
{
	return (u8 *)p->room + (p->reads ? sizeof(struct dtls_reading) : 0);
}

u8 *dtls_protection_cid(struct dtls_protection *p)
{
	return bytes_of(p) + keys_len(dtls_protection_aead(p), p->sn);
}

/* Return how many bytes of its connection ID a key of @cid_len has room for. */
static size_t cid_room(bool reads, bool v13, size_t cid_len)
{
	return reads && v13 ? 0 : cid_len;
}

/* ---- contexts that are lent ---- */

/* Make a context that has no key yet. Return NULL if libcrypto failed. */
static EVP_CIPHER_CTX *new_ctx(const struct dtls_crypto *c, unsigned int kind)
{
	const EVP_CIPHER *evp = evp_cipher(c, kind);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok = ctx && evp &&
		  EVP_EncryptInit_ex2(ctx, evp, NULL, NULL, NULL) == 1;

	/*
	 * CCM has to know the lengths of nonce and tag before the key. A mask is one whole
	 * block, so its padding is not switched off, which libcrypto would do anew with
	 * each key.
	 */
	if (ok && kind < DTLS_AEADS && dtls_aeads[kind].kind == DTLS_AEAD_CCM)
		ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN,
					 DTLS_NONCE_SIZE, NULL) == 1 &&
		     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG,
					 dtls_aeads[kind].tag_len, NULL) == 1;
	if (ok)
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

/* Let @p borrow @loan, which has another key or none. */
static EVP_CIPHER_CTX *lend(const struct dtls_protection *p,
			    struct dtls_loan *loan, unsigned int kind,
			    const u8 *nonce, int enc)
{
	const u8 *key = bytes_of(p);

	if (kind != p->aead)
		key += dtls_protection_aead(p)->key_len;
	if (!loan->ctx)
		loan->ctx = new_ctx(p->crypto, kind);
	return loan->ctx ? dtls_loan_take(loan, p, key, nonce, enc) : NULL;
}

/*
 * Borrow the context of a kind, which is p->aead or p->sn, and set its @nonce if that
 * is not NULL. Return NULL if libcrypto failed.
 */
static EVP_CIPHER_CTX *borrow(const struct dtls_protection *p, unsigned int kind,
			      const u8 *nonce, int enc)
{
	struct dtls_loan *loan = &p->crypto->loans->of[kind][p->loan];

	if (loan->borrower != p)
		return lend(p, loan, kind, nonce, enc);
	if (nonce && EVP_CipherInit_ex2(loan->ctx, NULL, NULL, nonce, enc,
					NULL) != 1)
		return NULL;
	return loan->ctx;
}

/* Leave no copy of the keys of @p in the contexts that were lent to it. */
static void give_back(const struct dtls_protection *p)
{
	struct dtls_loans *l = p->crypto->loans;

	if (dtls_loans_leave(l, p->loan))
		return;
	dtls_loan_end(&l->of[p->aead][p->loan], p);
	if (p->sn)
		dtls_loan_end(&l->of[p->sn][p->loan], p);
}

/* ---- keys ---- */

struct dtls_protection *dtls_protection_new(const struct dtls_crypto *c,
					    int direction,
					    const struct dtls_key_info *key)
{
	const struct dtls_aead *aead = dtls_aead_find(key->cipher);
	bool v13 = key->version == DTLS_VERSION_1_3;
	bool reads = direction == DTLS_RX;
	struct dtls_protection *p;
	struct dtls_reading *r;
	u8 *bytes;

	if (!aead)
		return NULL;
	p = OPENSSL_zalloc(sizeof(*p) + (reads ? sizeof(*r) : 0) +
			   keys_len(aead, v13) +
			   cid_room(reads, v13, key->cid_len));
	if (!p)
		return NULL;
	p->crypto = c;
	p->aead = (u8)(aead - dtls_aeads);
	p->loan = dtls_loans_enter(c->loans);
	p->sn = v13 ? sn_kind(aead) : 0;
	p->epoch = (u16)key->epoch;
	p->max_plaintext = key->max_plaintext ? key->max_plaintext :
						DTLS_RECORD_SIZE_MAX;
	memcpy(p->iv, key->iv, DTLS_IV_SIZE);
	p->reads = reads;
	if (reads) {
		r = dtls_protection_reading(p);
		r->limit = key->limit;
		dtls_replay_init(&r->seen, r->ring, DTLS_WINDOW_SIZE,
				 key->rec_seq);
	} else {
		p->seq = key->rec_seq;
	}
	bytes = bytes_of(p);
	memcpy(bytes, key->key, aead->key_len);
	if (v13)
		memcpy(bytes + aead->key_len, key->sn_key, aead->key_len);
	p->cid_len = (u8)key->cid_len;
	memcpy(dtls_protection_cid(p), key->cid,
	       cid_room(reads, v13, key->cid_len));
	/* The contexts are made here, so that no record fails for lack of memory. */
	if (borrow(p, p->aead, NULL, !reads) &&
	    (!v13 || borrow(p, p->sn, NULL, 1)))
		return p;
	dtls_protection_free(p);
	return NULL;
}

void dtls_protection_free(struct dtls_protection *p)
{
	if (!p)
		return;
	give_back(p);
	OPENSSL_clear_free(p, (size_t)(dtls_protection_cid(p) - (u8 *)p) +
			   cid_room(p->reads, p->sn, p->cid_len));
}

/* Return the bytes of explicit nonce in a record. DTLS 1.3 has none. */
static size_t explicit_len(const struct dtls_protection *p)
{
	return p->sn ? 0 : dtls_protection_aead(p)->explicit_len;
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
	return overhead_of(dtls_protection_aead(p), p->sn, p->cid_len);
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
	bool chacha = p->sn == DTLS_LOAN_CHACHA20;
	u8 block[2 * DTLS_SAMPLE_SIZE];
	EVP_CIPHER_CTX *ctx;
	int n;

	/*
	 * The sample is the counter and nonce of ChaCha20, which libcrypto
	 * calls the IV.
	 */
	ctx = borrow(p, p->sn, chacha ? fragment : NULL, 1);
	if (!ctx || EVP_EncryptUpdate(ctx, block, &n, chacha ? zeros : fragment,
				      DTLS_SAMPLE_SIZE) != 1)
		return false;
	memcpy(mask, block, 2);
	return true;
}

/*
 * Begin to seal or open a record: give the AEAD the additional data and, as CCM needs
 * it first, the length of the text. Return false if libcrypto failed.
 */
static bool aead_begin(EVP_CIPHER_CTX *ctx, const struct dtls_aead *a,
		       const struct dtls_record *r, size_t len)
{
	u8 aad[DTLS_AAD_SIZE_MAX];
	size_t aad_len = dtls_record_aad(aad, r, len);
	int n;

	if (a->kind == DTLS_AEAD_CCM &&
	    EVP_CipherUpdate(ctx, NULL, &n, NULL, (int)len) != 1)
		return false;
	return EVP_CipherUpdate(ctx, NULL, &n, aad, (int)aad_len) == 1;
}

size_t dtls_protection_seal(struct dtls_protection *p, u8 type,
			    const u8 *content, size_t len, u8 *out)
{
	const struct dtls_aead *a = dtls_protection_aead(p);
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
		.cid = dtls_protection_cid(p),
	};
	u8 nonce[DTLS_NONCE_SIZE], mask[2];
	EVP_CIPHER_CTX *ctx;
	u8 *q = out;
	int n, last;

	if (p->seq > DTLS_SEQ_MAX || len > p->max_plaintext)
		return 0;
	p->seq++;

	q += dtls_record_write_header(q, &r);
	if (explicit_len(p))
		dtls_put_be(q, 8, r.epoch << 48 | r.seq);
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
	ctx = borrow(p, p->aead, nonce, 1);
	if (!ctx || !aead_begin(ctx, a, &r, inner) ||
	    EVP_CipherUpdate(ctx, q, &n, q, (int)inner) != 1 ||
	    EVP_CipherFinal_ex(ctx, q + n, &last) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, a->tag_len,
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

	if (record->fragment_len < explicit_len(p) + dtls_protection_aead(p)->tag_len)
		return false;
	if (!p->sn)
		return !record->unified && record->epoch == p->epoch &&
		       record->cid_len == p->cid_len &&
		       (!p->cid_len ||
			!memcmp(record->cid, dtls_protection_cid(p),
				p->cid_len));
	if (!record->unified || record->fragment_len < DTLS_SAMPLE_SIZE ||
	    (record->unified & DTLS_UNIFIED_EPOCH) !=
		    (p->epoch & DTLS_UNIFIED_EPOCH) ||
	    !make_mask(p, fragment, mask))
		return false;
	dtls_record_resolve(record, mask, p->epoch,
			    dtls_protection_reading(p)->seen.next);
	return true;
}

/*
 * Judge the @len bytes at @out, which are those of a record that verifies. Return what
 * dtls_protection_open() returns.
 */
static long judge(const struct dtls_protection *p,
		  const struct dtls_record *record, const u8 *out, size_t len,
		  u8 *type)
{
	long content = (long)len;

	*type = record->type;
	if (p->sn || p->cid_len)
		content = dtls_record_inner(out, len, type);
	if (p->sn && !dtls_protection_permits(p->epoch, *type))
		return -1;
	if (content < 0)
		return DTLS_RECORD_UNTYPED;
	return content > p->max_plaintext ? -1 : content;
}

long dtls_protection_open(struct dtls_protection *p, struct dtls_record *record,
			  const u8 *bytes, u8 *out, u8 *type)
{
	struct dtls_replay *seen = &dtls_protection_reading(p)->seen;
	const struct dtls_aead *a = dtls_protection_aead(p);
	const u8 *fragment = bytes + record->header_len;
	u8 nonce[DTLS_NONCE_SIZE], tag[16];
	size_t len = record->fragment_len;
	EVP_CIPHER_CTX *ctx;
	long content;
	int n = 0, last;

	if (!resolve(p, record, fragment) ||
	    !dtls_replay_check(seen, record->seq))
		return -1;

	dtls_aead_nonce(nonce, p->iv, record,
			explicit_len(p) ? fragment : NULL);
	fragment += explicit_len(p);
	len -= explicit_len(p) + a->tag_len;
	memcpy(tag, fragment + len, a->tag_len);
	ctx = borrow(p, p->aead, nonce, 0);
	if (!ctx || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, a->tag_len,
					tag) != 1)
		return -1;

	/*
	 * CCM verifies in its one call to update, which is needed even without
	 * content.
	 */
	if (!aead_begin(ctx, a, record, len) ||
	    EVP_CipherUpdate(ctx, out, &n, fragment, (int)len) != 1 ||
	    (a->kind != DTLS_AEAD_CCM &&
	     EVP_CipherFinal_ex(ctx, out + n, &last) != 1)) {
		p->failed++;
		content = -1;
	} else {
		dtls_replay_mark(seen, record->seq);
		content = judge(p, record, out, len, type);
	}
	/* Most ciphers decipher a record before they verify it. */
	if (content < 0)
		OPENSSL_cleanse(out, len);
	return content;
}

u64 dtls_protection_forgeries_left(const struct dtls_protection *p, u64 max)
{
	if (!max)
		max = dtls_protection_aead(p)->open_limit;
	return max > p->failed ? max - p->failed : 0;
}

void dtls_protection_used(struct dtls_protection **key, unsigned int count,
			  unsigned int used, u64 now)
{
	struct dtls_reading *r;
	unsigned int i;

	for (i = used + 1; i < count && key[i]; i++) {
		r = dtls_protection_reading(key[i]);
		if (!r->expiry)
			r->expiry = now + SEGMENT_LIFETIME;
	}
}

void dtls_protection_expire(struct dtls_protection **key, unsigned int count,
			    u64 now)
{
	unsigned int i;
	u64 expiry;

	for (i = 0; i < count && key[i]; i++) {
		expiry = dtls_protection_reading(key[i])->expiry;
		if (expiry && expiry <= now) {
			dtls_protection_free(key[i]);
			key[i] = NULL;
		}
	}
}
