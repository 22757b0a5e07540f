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

#include "aead.h"
#include "batch.h"
#include "compat.h"
#include "crypt.h"
#include "key.h"
#include "mask.h"
#include "record.h"
#include "run.h"
#include "scratch.h"

/*
 * Additional data lie where the header will stand, right before the content, or
 * in dtls_scratch.aad.
 */
static_assert(DTLS12_AAD_SIZE <= DTLS12_HEADER_SIZE);
static_assert(DTLS_AAD_SIZE_MAX >= DTLS_HEADER_SIZE_MAX);
/* CCM's counter block is a byte of flags, the nonce, and 3 bytes of counter. */
static_assert(sizeof_field(struct dtls_scratch, iv) == 1 + DTLS_NONCE_SIZE + 3);

/*
 * Write the nonce of record @rec to @scratch->iv. @explicit counts only if the
 * AEAD has such a part. The whole nonce is written for each record, as a cipher
 * may have left its counter there.
 */
static __always_inline
void make_nonce(const struct dtls_key *key, struct dtls_scratch *scratch,
		const u8 *explicit, const struct dtls_record *rec)
{
	u8 *nonce = scratch->iv;

	if (key->cipher->kind == DTLS_AEAD_CCM) {
		/*
		 * RFC 3610 2.3: the crypto API wants counter block 0, whose
		 * first byte says 3 bytes of length.
		 */
		memset(scratch->iv, 0, sizeof(scratch->iv));
		*nonce++ = 3 - 1;
	}
	dtls_aead_nonce(nonce, key->iv, rec,
			key->explicit_len ? explicit : NULL);
}

/*
 * Describe @len bytes at @buf and the @tail bytes behind them in two entries.
 * Both lie in one piece of memory, whatever pages that has.
 */
static void set_pair(struct scatterlist *sg, const u8 *buf, unsigned int len,
		     unsigned int tail)
{
	sg_set_buf(sg, buf, len);
	sg_set_page(sg + 1, sg_page(sg), tail, sg->offset + len);
}

/*
 * Write a unified header. DTLS_CID may change the connection ID at the same
 * time: the header has the old one or the new one, and never a mixture.
 */
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
 * @scratch:	from dtls_scratch_get(), fit for @key
 * @len:	bytes of content of each record
 * @type:	content type
 * @epoch:	the key's epoch
 * @more:	another record follows each of them in its datagram
 *
 * A unified header gets 16 bits of the sequence number: with 8 bits, the
 * records of one GSO packet would be half of all numbers that can be told
 * apart. It gets a length only where another record follows, as each record
 * would carry it.
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
		/* The real type goes inside, without padding (RFC 9146 4). */
		s->inner_len++;
		s->rec.type = DTLS_CT_TLS12_CID;
	}
	s->rec.fragment_len = key->explicit_len + s->inner_len +
			      key->cipher->tag_len;

	/*
	 * Additional data that lie right before the content share an entry with
	 * it. In DTLS 1.3 they are the header; otherwise the header is written
	 * over them when the record is sealed. Those of RFC 9146 are longer
	 * than the header, and lie in the scratch.
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
 * Hide the sequence number of the record that was just sealed, or note the
 * record for dtls_crypt_seal_end() if the scratch holds masks back.
 */
static void mask_number(const struct dtls_key *key,
			struct dtls_scratch *scratch, u8 *record,
			const u8 *fragment)
{
	struct dtls_masks *masks = scratch->masks;

	if (scratch->hold) {
		memcpy(masks->block[masks->n], fragment, DTLS_SAMPLE_SIZE);
		masks->record[masks->n++] = record;
	} else {
		u8 mask[DTLS_SAMPLE_SIZE];

		dtls_mask_make(&key->mask, fragment, mask);
		dtls_record_mask(record, &scratch->sealing.rec, mask);
	}
}

/*
 * Encrypt @len bytes from @start on that lie in @pages: additional data, unless
 * they lie in the scratch, then content and tag.
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

/*
 * Put the content type and padding behind the content (RFC 9147 4, RFC 9146 4).
 */
static void put_inner_type(const struct dtls_sealing *s, u8 *content,
			   const struct bio_vec *pages)
{
	size_t room;

	/* A record longer than a page has no padding. */
	if (pages)
		*dtls_batch_pages_at(pages, s->head + s->len, &room) = s->type;
	else
		content[s->len] = s->type;
	if (s->inner_len > s->len + 1)
		memset(content + s->len + 1, 0, s->inner_len - s->len - 1);
}

/**
 * dtls_crypt_seal() - make a record around its content, in place
 * @key:	write key
 * @scratch:	after dtls_crypt_seal_begin() with that key
 * @record:	dtls_key_size() bytes that nobody else writes to, the content at
 *		dtls_key_head()
 * @pages:	the pieces of memory that the record lies in, from @record on,
 *		if it lies in several; else NULL
 * @seq:	sequence number from dtls_epoch_take_seq(): used for no other
 *		record
 *
 * If the scratch holds masks back, the number stays in the clear until
 * dtls_crypt_seal_end(). Sleeps.
 *
 * Return: 0 or an error. After an error the bytes may be plaintext.
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
	} else {
		put_unaligned_be64(dtls_record_number(rec), explicit);
		if (rec->cid_len) {
			dtls_record_aad_number(scratch->aad, rec);
		} else {
			start -= s->aad_len;
			dtls_record_aad(start, rec, len);
		}
	}
	make_nonce(key, scratch, explicit, rec);
	len += content - start;
	if (unlikely(pages)) {
		err = seal_pages(scratch, start, len + tag_len, pages);
	} else {
		/*
		 * Ciphers find a tag that has an entry of its own without a
		 * table.
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
		memcpy(content - DTLS_EXPLICIT_SIZE, explicit,
		       DTLS_EXPLICIT_SIZE);
	return 0;
}

/**
 * dtls_crypt_seal_end() - hide the sequence numbers that were left in the clear
 * @key:	the key of dtls_crypt_seal()
 * @scratch:	the scratch of dtls_crypt_seal()
 *
 * Sleeps. Return: 0; or an error, and the records must not be sent.
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

/*
 * Return true if @type is one that a DTLS 1.3 record may have inside (RFC 9147
 * 4.1).
 */
static bool inner_type_known(u8 type)
{
	return type >= DTLS_CT_ALERT && type <= DTLS_CT_ACK &&
	       type != DTLS_CT_TLS12_CID;
}

/*
 * Return 0 if the records of @rx, with @len bytes of content each, may be of
 * @key, else the error of dtls_crypt_open(). Once a connection ID is agreed on,
 * every record has it (RFC 9146 3), in DTLS 1.3 every datagram (RFC 9147 4).
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

/*
 * Get ready to open records that differ from @rec in the number alone, with
 * @len bytes of content each.
 */
static void open_begin(const struct dtls_key *key, struct dtls_scratch *scratch,
		       const struct dtls_record *rec, unsigned int len)
{
	size_t aad_len = dtls_record_aad(scratch->aad, rec, len);
	struct aead_request *req = scratch->req;

	scratch->flat[0].length = aad_len;
	scratch->dst[0].length = aad_len;
	/* Some walkers of the crypto API pass over an empty entry. */
	scratch->dst[1].length = max(len, 1U);
	aead_request_set_tfm(req, key->aead);
	aead_request_set_ad(req, aad_len);
	aead_request_set_crypt(req, scratch->flat, scratch->dst,
			       len + key->cipher->tag_len, scratch->iv);
}

/*
 * Return true if @key has seen as many forgeries as its limit, and so opens
 * nothing more (RFC 9147 4.5.3). Forgeries are counted before the next record
 * is opened, so that those of one coalesced datagram do not pass the limit
 * together.
 */
static bool is_expired(const struct dtls_key *key)
{
	return unlikely((u64)atomic64_read(&key->forged) >= key->open_limit);
}

/* Open the @i-th record of @rx, whose header is @rec, after open_begin(). */
static int open_one(const struct dtls_key *key, struct dtls_scratch *scratch,
		    const struct dtls_run *rx, unsigned int i,
		    const struct dtls_record *rec, unsigned int len)
{
	const u8 *fragment = rx->wire[i] + rec->header_len;
	unsigned int tag_len = key->cipher->tag_len;
	unsigned int first = len ?: 1;

	if (is_expired(key))
		return -EKEYEXPIRED;
	dtls_record_aad_number(scratch->aad, rec);
	make_nonce(key, scratch, fragment, rec);
	/*
	 * The tag has an entry of its own, as in dtls_crypt_seal(). Without
	 * content the tag lies in both entries: some walkers of the crypto API
	 * pass over an empty one.
	 */
	set_pair(&scratch->flat[1], fragment + key->explicit_len, first,
		 len + tag_len - first);
	return crypto_wait_req(crypto_aead_decrypt(scratch->req),
			       &scratch->wait);
}

/*
 * Find the type and length of decrypted content. Return: the length; or -EPROTO
 * if there is no type, or none that may stand there.
 */
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
 * @scratch:	from dtls_scratch_get(true); its content is overwritten
 * @rx:		the records, at @rx->wire. Those in @rx->fresh are opened
 *
 * Fills in @rx->opened but the verdicts: the content, which lies in the
 * scratch, its type and its length. Instead of the length there may be an
 * error:
 *
 * * -EBADMSG: the record is not authentic;
 * * -EPROTO: it is authentic, but makes no sense;
 * * -EMSGSIZE: it is too short for its cipher, or of another version;
 * * -ENOKEY: it lacks a connection ID;
 * * -EKEYEXPIRED: @key has reached its limit of forgeries;
 * * any other error says nothing of the record.
 *
 * After an error the content must not be looked at. Sleeps.
 *
 * Return: bit i is set if the i-th record is authentic.
 */
u64 dtls_crypt_open(struct dtls_key *key, struct dtls_scratch *scratch,
		    struct dtls_run *rx)
{
	int len = rx->rec.fragment_len - key->explicit_len -
		  key->cipher->tag_len;
	struct dtls_record rec = rx->rec;
	/* Where pages are large, @content may begin inside of one. */
	unsigned int start = offset_in_page(scratch->content);
	int wrong = check_fits(key, rx, len), err;
	u64 authentic = 0;
	size_t place = 0, end = 0;
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
		end = place + len;
		err = wrong ?: open_one(key, scratch, rx, i, &rec, len);
		if (unlikely(err)) {
			if (err == -EBADMSG)
				atomic64_inc(&key->forged);
			o->len = err;
			continue;
		}
		o->len = open_inner(&rec, o->content, len, &o->type);
		authentic |= BIT_ULL(i);
		place += max(o->len, 0);
	}
	if (!wrong)
		scratch->plain = max(scratch->plain, end);
	return authentic;
}
