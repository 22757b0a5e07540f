// SPDX-License-Identifier: GPL-2.0
/*
 * The protection of one record: nonce, additional data, seal and open (RFC
 * 5288, RFC 6655, RFC 7905; RFC 9146 with a connection ID; RFC 9147 for DTLS
 * 1.3).
 */
#include <crypto/aead.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "batch.h"
#include "compat.h"
#include "crypt.h"
#include "key.h"
#include "mask.h"
#include "record.h"
#include "run.h"
#include "scratch.h"

/*
 * Additional data lie before the content, where the header comes, or in @aad.
 */
static_assert(DTLS12_AAD_SIZE <= DTLS12_HEADER_SIZE);
static_assert(DTLS_AAD_SIZE_MAX >= DTLS_HEADER_SIZE_MAX);
/* CCM's counter block is a byte of flags, the nonce, and 3 bytes of counter. */
static_assert(sizeof_field(struct dtls_scratch, iv) == 1 + DTLS_NONCE_SIZE + 3);

/*
 * @explicit: the nonce bytes that stand in the record. They are the sender's
 * choice, so reading takes them from the record, never from a counter. Made
 * whole each time: a cipher may have left the last one's counter in there.
 */
static void make_nonce(const struct dtls_key *key, struct dtls_scratch *scratch,
		       const u8 *explicit, const struct dtls_record *rec)
{
	u8 *nonce = scratch->iv;

	if (key->cipher->ccm) {
		/* RFC 3610 2.3: counter block 0; q = 3 bytes of length */
		memset(scratch->iv, 0, sizeof(scratch->iv));
		*nonce++ = 3 - 1;
	}
	if (!key->explicit_len) {
		dtls_record_nonce(nonce, key->iv, rec);
		return;
	}
	memcpy(nonce, key->iv, DTLS_NONCE_SIZE);
	memcpy(nonce + DTLS_NONCE_SIZE - DTLS_EXPLICIT_SIZE, explicit, DTLS_EXPLICIT_SIZE);
}

/* What lies side by side, in two entries: the second one's page follows. */
static void set_pair(struct scatterlist *sg, const u8 *buf, unsigned int len,
		     unsigned int tail)
{
	sg_set_buf(sg, buf, len);
	sg_set_page(sg + 1, sg_page(sg), tail, sg->offset + len);
}

/* Whoever changes the connection ID meanwhile, it is one or the other. */
static void write_unified(const struct dtls_key *key, u8 *record,
			  const struct dtls_record *rec)
{
	unsigned int start;

	do {
		start = read_seqbegin(&key->cid_lock);
		dtls_record_write_header(record, rec);
	} while (read_seqretry(&key->cid_lock, start));
}

/**
 * dtls_crypt_seal_begin() - get ready for records that differ in the number alone
 * @key:	write key
 * @scratch:	from dtls_scratch_get()
 * @len:	bytes of content of each
 * @type:	content type
 * @epoch:	of @key
 * @more:	another record will follow in the datagram
 *
 * DTLS 1.3: the header has 16 bits of the number, as one GSO packet alone can
 * be overtaken by half of what 8 bits tell apart; and the length only where it
 * is needed, as each byte of it would be sent with each record.
 */
void dtls_crypt_seal_begin(const struct dtls_key *key,
			   struct dtls_scratch *scratch, size_t len, u8 type,
			   u64 epoch, bool more)
{
	struct scatterlist *sg = scratch->flat + 1;
	struct aead_request *req = scratch->req;
	struct dtls_sealing *s = &scratch->sealing;

	s->rec = (struct dtls_record) {
		.type = type,
		.version = key->version,
		.epoch = epoch,
		.cid = key->cid,
		.cid_len = key->cid_len,
	};
	s->type = type;
	s->head = dtls_key_head(key, more);
	s->len = len;
	s->inner_len = len;
	s->aad_len = DTLS12_AAD_SIZE;
	if (dtls_is_13(key->version)) {
		s->inner_len += 1 + dtls_record_padding(len, key->cipher->tag_len);
		s->rec.unified = DTLS_UNIFIED | DTLS_UNIFIED_SEQ16 |
				 (more ? DTLS_UNIFIED_LENGTH : 0);
		s->aad_len = s->head;
	} else if (key->cid_len) {
		/* RFC 9146 4: the real type goes inside, unpadded. */
		s->inner_len++;
		s->rec.type = DTLS_CT_TLS12_CID;
	}
	s->rec.fragment_len = key->explicit_len + s->inner_len +
			      key->cipher->tag_len;

	/*
	 * Additional data right before the content needs one entry for both. In
	 * DTLS 1.3 that is the header; else the header is written over it
	 * afterwards. RFC 9146's is longer than the header.
	 */
	if (!s->rec.unified && key->cid_len) {
		s->aad_len = dtls_record_aad(scratch->aad, &s->rec,
					     s->inner_len);
		sg = scratch->flat;
		sg->length = s->aad_len;
	}
	aead_request_set_tfm(req, key->aead);
	aead_request_set_ad(req, s->aad_len);
	aead_request_set_crypt(req, sg, sg, s->inner_len, scratch->iv);
}

/*
 * The number of the record just made is to be hidden, now or with the others.
 */
static void mask_number(const struct dtls_key *key,
			struct dtls_scratch *scratch, u8 *record,
			const u8 *fragment)
{
	struct dtls_masks *masks = scratch->masks;
	u8 mask[DTLS_SAMPLE_SIZE];

	if (scratch->hold) {
		memcpy(masks->block[masks->n], fragment, DTLS_SAMPLE_SIZE);
		masks->record[masks->n++] = record;
	} else {
		dtls_mask_make(&key->mask, fragment, mask);
		dtls_record_mask(record, &scratch->sealing.rec, mask);
	}
}

/*
 * Run the request over what lies from @start on: additional data (or that
 * stands in @scratch), content and tag, @len bytes in all, in @pages.
 */
static int seal_pages(struct dtls_scratch *scratch, const u8 *start, size_t len,
		      const struct bio_vec *pages)
{
	struct aead_request *req = scratch->req;
	struct scatterlist *sg = scratch->pieces, *whole = req->src;
	unsigned int skip = start - dtls_batch_piece(pages), part;
	int err;

	if (whole == scratch->flat)
		sg_set_buf(sg++, scratch->aad, scratch->sealing.aad_len);
	for (; len; len -= part, skip = 0, pages++, sg++) {
		part = min_t(size_t, len, pages->bv_len - skip);
		sg_set_page(sg, pages->bv_page, part, pages->bv_offset + skip);
	}
	sg_mark_end(sg - 1);
	req->src = scratch->pieces;
	req->dst = scratch->pieces;
	err = crypto_wait_req(crypto_aead_encrypt(req), &scratch->wait);
	req->src = whole;
	req->dst = whole;
	sg_unmark_end(sg - 1);
	return err;
}

/* The type, and zeros, after the content (RFC 9147 4, RFC 9146 4) */
static void put_inner_type(const struct dtls_sealing *s, u8 *content,
			   const struct bio_vec *pages)
{
	size_t room;

	/* What is longer than a page is not padded. */
	if (pages)
		*dtls_batch_pages_at(pages, s->head + s->len, &room) = s->type;
	else
		content[s->len] = s->type;
	if (s->inner_len > s->len + 1)
		memset(content + s->len + 1, 0, s->inner_len - s->len - 1);
}

/**
 * dtls_crypt_seal() - make a record around its content, in place
 * @key:	write key, for which @scratch is fit
 * @scratch:	after dtls_crypt_seal_begin() with that key
 * @record:	memory of ours: dtls_key_size() bytes, the content at
 *		dtls_key_head()
 * @pages:	what the record lies in, from @record on, if these are several
 *		pieces; else NULL
 * @seq:	from dtls_epoch_take_seq(): never used before
 *
 * If @scratch holds masks back, the number stays in the clear until
 * dtls_crypt_seal_end(). Sleeps. Return: 0 or an error.
 */
int dtls_crypt_seal(const struct dtls_key *key, struct dtls_scratch *scratch,
		    u8 *record, const struct bio_vec *pages, u64 seq)
{
	struct dtls_sealing *s = &scratch->sealing;
	unsigned int tag_len = key->cipher->tag_len;
	u8 *content = record + s->head, *start = content;
	struct dtls_record *rec = &s->rec;
	size_t len = s->inner_len;
	u8 explicit[DTLS_EXPLICIT_SIZE];
	int err;

	rec->seq = seq;
	if (len > s->len)
		put_inner_type(s, content, pages);
	if (rec->unified) {
		write_unified(key, record, rec);
		start = record;
	} else if (!rec->cid_len) {
		start -= s->aad_len;
		dtls_record_aad(start, rec, len);
	} else {
		dtls_record_aad_number(scratch->aad, rec);
	}
	put_unaligned_be64(dtls_record_number(rec), explicit);
	make_nonce(key, scratch, explicit, rec);
	len += content - start;
	if (unlikely(pages)) {
		err = seal_pages(scratch, start, len + tag_len, pages);
	} else {
		/*
		 * A tag in an entry of its own is found without a table for it.
		 */
		set_pair(&scratch->flat[1], start, len, tag_len);
		err = crypto_wait_req(crypto_aead_encrypt(scratch->req),
				      &scratch->wait);
	}
	if (err)
		return err;
	if (rec->unified) {
		mask_number(key, scratch, record, content);
		return 0;
	}
	dtls_record_write_header(record, rec);
	if (key->explicit_len)
		memcpy(content - DTLS_EXPLICIT_SIZE, explicit, DTLS_EXPLICIT_SIZE);
	return 0;
}

/**
 * dtls_crypt_seal_end() - hide the numbers that were left in the clear
 * @key:	what it was given
 * @scratch:	likewise
 *
 * Sleeps. Return: 0, or an error, and the records must not be sent.
 */
int dtls_crypt_seal_end(const struct dtls_key *key,
			struct dtls_scratch *scratch)
{
	const struct dtls_record rec = {
		.unified = DTLS_UNIFIED | DTLS_UNIFIED_SEQ16,
		.cid_len = key->cid_len,
	};
	struct dtls_masks *masks = scratch->masks;
	struct skcipher_request *req = &masks->req;
	unsigned int n = masks->n, i;
	int err;

	masks->n = 0;
	scratch->hold = false;
	skcipher_request_set_tfm(req, key->mask.ecb);
	skcipher_request_set_crypt(req, &masks->sg, &masks->sg,
				   n * DTLS_SAMPLE_SIZE, NULL);
	err = crypto_wait_req(crypto_skcipher_encrypt(req), &scratch->wait);
	for (i = 0; i < n && !err; i++)
		dtls_record_mask(masks->record[i], &rec, masks->block[i]);
	memzero_explicit(masks->block, n * DTLS_SAMPLE_SIZE);
	memzero_explicit(req->__ctx, masks->req_size);
	return err;
}

/* RFC 9147 4.1 */
static bool inner_type_known(u8 type)
{
	return type >= DTLS_CT_ALERT && type <= DTLS_CT_ACK &&
	       type != DTLS_CT_TLS12_CID;
}

/*
 * May they be this key's? RFC 9146 3: with a connection ID agreed on, every
 * record has one; in DTLS 1.3 every datagram.
 */
static int check_fits(const struct dtls_key *key, const struct dtls_run *rx,
		      int len)
{
	bool has_cid = rx->rec.cid_len == key->cid_len;

	if (key->cid_len)
		has_cid = rx->has_cid && (rx->rec.unified || has_cid);
	if (!has_cid)
		return -ENOKEY;
	return len < 0 || rx->rec.version != key->version ? -EMSGSIZE : 0;
}

/* Get ready for records that differ in the number alone; @len: of content */
static void open_begin(const struct dtls_key *key, struct dtls_scratch *scratch,
		       const struct dtls_record *rec, unsigned int len)
{
	size_t aad_len = dtls_record_aad(scratch->aad, rec, len);
	struct aead_request *req = scratch->req;

	scratch->flat[0].length = aad_len;
	scratch->dst[0].length = aad_len;
	/* An empty entry is no entry to some of the crypto API's walkers. */
	scratch->dst[1].length = max(len, 1U);
	aead_request_set_tfm(req, key->aead);
	aead_request_set_ad(req, aad_len);
	aead_request_set_crypt(req, scratch->flat, scratch->dst,
			       len + key->cipher->tag_len, scratch->iv);
}

/*
 * RFC 9147 4.5.3: forgeries are counted, and a key goes that has seen as many
 * as its limit. They are counted here, before the next record is opened, so
 * that those of one super-packet do not get past the limit together.
 */
static bool is_expired(const struct dtls_key *key)
{
	return unlikely((u64)atomic64_read(&key->forged) >= key->open_limit);
}

/* What open_begin() has not done yet for the @i-th record of @rx */
static int open_one(const struct dtls_key *key, struct dtls_scratch *scratch,
		    const struct dtls_run *rx, unsigned int i,
		    const struct dtls_record *rec, unsigned int len)
{
	const u8 *fragment = rx->wire[i] + rec->header_len;
	unsigned int tag_len = key->cipher->tag_len;
	unsigned int first = len ?: 1;

	dtls_record_aad_number(scratch->aad, rec);
	make_nonce(key, scratch, fragment, rec);
	/*
	 * The tag by itself, as dtls_crypt_seal() has it. Without content the
	 * tag lies in both entries, as an empty one is none to some of the
	 * walkers.
	 */
	set_pair(&scratch->flat[1], fragment + key->explicit_len, first,
		 len + tag_len - first);
	return crypto_wait_req(crypto_aead_decrypt(scratch->req),
			       &scratch->wait);
}

/* Find type and length of what was decrypted. Returns bytes or -EPROTO. */
static int open_inner(const struct dtls_record *rec, const u8 *content,
		      unsigned int len, u8 *type)
{
	long inner;

	*type = rec->type;
	if (!rec->unified && !rec->cid_len)
		return len;
	inner = dtls_record_inner(content, len, type);
	if (inner < 0 || (rec->unified && !inner_type_known(*type)))
		return -EPROTO;
	return inner;
}

/**
 * dtls_crypt_open() - verify and decrypt records
 * @key:	read key
 * @scratch:	from dtls_scratch_get()
 * @rx:		the records, of which those that are fresh are opened, from
 *		@rx->wire
 *
 * Fills in @rx->opened but the verdicts: content, placed in @scratch->content,
 * type, and bytes of content; instead of these -EBADMSG if a record is not
 * authentic, -EPROTO if it is but makes no sense, -EMSGSIZE if it is too short
 * for its cipher or of another version, -ENOKEY if it lacks a connection ID,
 * -EKEYEXPIRED if @key has reached its limit of forgeries, or another error,
 * which says nothing of the record. What stands in the content after an error
 * must not be looked at. Sleeps.
 *
 * Return: bit i is set if the i-th record is authentic.
 */
u64 dtls_crypt_open(struct dtls_key *key, struct dtls_scratch *scratch,
		    struct dtls_run *rx)
{
	int len = rx->rec.fragment_len - key->explicit_len -
		  key->cipher->tag_len;
	struct dtls_record rec = rx->rec;
	/* Where pages are large, several scratches share one. */
	unsigned int start = offset_in_page(scratch->content);
	int wrong = check_fits(key, rx, len), err;
	u64 authentic = 0;
	size_t place = 0;
	unsigned int i;

	if (!wrong)
		wrong = dtls_scratch_fit(scratch, key);
	if (!wrong)
		open_begin(key, scratch, &rec, len);
	for (i = 0; i < rx->n; i++, rec.seq++) {
		struct dtls_opened *o = &rx->opened[i];

		o->content = NULL;
		if (!(READ_ONCE(rx->fresh) >> i & 1))
			continue;
		place = dtls_scratch_place(place, rec.fragment_len);
		o->content = scratch->content + place;
		scratch->dst[1].offset = start + place;
		err = wrong;
		if (!err && is_expired(key))
			err = -EKEYEXPIRED;
		if (!err) {
			err = open_one(key, scratch, rx, i, &rec, len);
			scratch->plain = max_t(size_t, scratch->plain,
					       place + len);
		}
		if (err == -EBADMSG)
			atomic64_inc(&key->forged);
		o->len = err ?: open_inner(&rec, o->content, len, &o->type);
		if (err)
			continue;
		authentic |= BIT_ULL(i);
		place += max(o->len, 0);
	}
	return authentic;
}
