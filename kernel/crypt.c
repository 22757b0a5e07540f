// SPDX-License-Identifier: GPL-2.0
/*
 * This file seals and opens records: it makes the nonce and the additional data and
 * calls the AEAD (RFC 5288, RFC 6655, RFC 7905; RFC 9146 for records with a
 * connection ID; RFC 9147 for DTLS 1.3).
 */
#include <crypto/aead.h>
#include <linux/align.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "aead.h"
#include "batch.h"
#include "compat.h"
#include "crypt.h"
#include "epoch.h"
#include "key.h"
#include "mask.h"
#include "record.h"
#include "run.h"
#include "scratch.h"

/*
 * Additional data lie in the room of the record's header, right before the content,
 * or in dtls_scratch.aad.
 */
static_assert(DTLS12_AAD_SIZE <= DTLS12_HEADER_SIZE);
static_assert(DTLS_AAD_SIZE_MAX >= DTLS_HEADER_SIZE_MAX);
/*
 * CCM's counter block is a byte of flags, the nonce, and 3 bytes of counter
 * (RFC 3610 2.3).
 */
static_assert(sizeof_field(struct dtls_scratch, iv) == 1 + DTLS_NONCE_SIZE + 3);

/*
 * Write the nonce of record @rec to @scratch->iv. @explicit is the record's explicit
 * nonce; it is ignored if records of @key have none. The whole nonce is written for
 * each record, as the cipher may have overwritten the last one with its counter.
 */
static __always_inline
void make_nonce(const struct dtls_key *key, struct dtls_scratch *scratch,
		const u8 *explicit, const struct dtls_record *rec)
{
	u8 *nonce = scratch->iv;

	if (key->cipher->kind == DTLS_AEAD_CCM) {
		/*
		 * The crypto API takes counter block 0 of CCM (RFC 3610 2.3).
		 * Its first byte is the number of length bytes, 3, minus one.
		 */
		memset(scratch->iv, 0, sizeof(scratch->iv));
		*nonce++ = 3 - 1;
	}
	dtls_aead_nonce(nonce, key->iv, rec,
			key->explicit_len ? explicit : NULL);
}

/*
 * Set the entries of content and tag in @scratch->flat to the @len bytes at @buf and the
 * @tail bytes behind them. The bytes may cross the end of a page: an entry of a
 * scatterlist may be longer than a page if its memory is contiguous. To find the struct
 * page of an address costs more than all else here, and most records begin in the page
 * of the record before them.
 */
static __always_inline void set_pair(struct dtls_scratch *scratch,
				     const u8 *buf, unsigned int len,
				     unsigned int tail)
{
	const u8 *page = PTR_ALIGN_DOWN(buf, PAGE_SIZE);
	struct scatterlist *sg = &scratch->flat[1];

	if (page != scratch->flat_page) {
		scratch->flat_page = page;
		sg_assign_page(&sg[0], virt_to_page(page));
		sg_assign_page(&sg[1], virt_to_page(page));
	}
	sg[0].offset = offset_in_page(buf);
	sg[0].length = len;
	sg[1].offset = sg[0].offset + len;
	sg[1].length = tail;
}

/*
 * Write the unified header of @rec to @record. The option DTLS_CID may change the
 * key's connection ID at the same time, so the header is written anew until the
 * connection ID did not change meanwhile.
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
 * dtls_crypt_seal_begin() - prepare what records of one run have in common
 * @key:	write key
 * @scratch:	from dtls_scratch_get(), after dtls_scratch_fit() for @key
 * @len:	bytes of content of each record
 * @type:	content type
 * @epoch:	the key's epoch
 * @more:	another record follows each of these records in its datagram
 *
 * The records that dtls_crypt_seal() makes afterwards differ in content and sequence
 * number alone.
 *
 * A unified header gets 16 bits of the sequence number. With 8 bits, which tell 256
 * numbers apart, the records of one lost GSO packet could be half of them. The header
 * has a length only if another record follows in the datagram, as the length would
 * cost two bytes in each record.
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
		.cid = dtls_key_cid(key),
		.cid_len = key->cid_len,
	};
	s->type = type;
	s->head = dtls_key_head(key, more);
	s->len = len;
	s->inner_len = len;
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
	 * Additional data that lie right before the content share an entry of
	 * the scatterlist with it. In DTLS 1.3 the additional data are the
	 * header itself. In DTLS 1.2 they are copied to the header's room, and
	 * the header is written over them after the encryption. With a
	 * connection ID they are longer than the header (RFC 9146 5.3) and lie
	 * in the scratch.
	 */
	if (!s->rec.unified) {
		s->aad_len = dtls_record_aad(scratch->aad, &s->rec,
					     s->inner_len);
		dtls_record_write_header(s->header, &s->rec);
		if (key->cid_len) {
			sg = scratch->flat;
			sg->length = s->aad_len;
		}
	}
	aead_request_set_tfm(req, scratch->aead);
	aead_request_set_ad(req, s->aad_len);
	aead_request_set_crypt(req, sg, sg, s->inner_len, scratch->iv);
}

/*
 * Write the header of the record with epoch and sequence number @number to @record, for
 * versions before DTLS 1.3. Most records have no connection ID. The size of their header
 * is a constant here, so that the copy takes no call.
 */
static __always_inline void put_header(const struct dtls_sealing *s, u8 *record,
				       u64 number)
{
	if (s->rec.cid_len)
		memcpy(record, s->header, DTLS12_HEADER_SIZE + s->rec.cid_len);
	else
		memcpy(record, s->header, DTLS12_HEADER_SIZE);
	put_unaligned_be64(number, record + DTLS12_HEADER_NUMBER);
}

/* Encrypt the sequence number of a record that was just sealed (RFC 9147 4.2.3). */
static noinline int mask_number(const struct dtls_key *key,
				struct dtls_scratch *scratch, u8 *record,
				const u8 *fragment)
{
	u8 mask[DTLS_SAMPLE_SIZE];
	int err = dtls_mask_make(key, fragment, mask);

	if (!err)
		dtls_record_mask(record, &scratch->sealing.rec, mask);
	return err;
}

/*
 * Note a record that was just sealed, for dtls_crypt_seal_end(), which encrypts the
 * numbers of all noted records in one request.
 */
static void hold_number(struct dtls_masks *masks, u8 *record,
			const u8 *fragment)
{
	memcpy(masks->block[masks->n], fragment, DTLS_SAMPLE_SIZE);
	masks->record[masks->n++] = record;
}

/*
 * Encrypt a record that lies in several pieces of memory, @pages. The @len bytes from
 * @start on are the additional data, unless these lie in the scratch, then the content
 * and room for the tag. Return: 0 or an error of the cipher.
 */
static noinline int seal_pages(struct dtls_scratch *scratch, const u8 *start,
			       size_t len, const struct bio_vec *pages)
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
 * Write the content type and the padding behind the content (RFC 9147 4, RFC 9146
 * 4). @pages are the pieces of memory that the record lies in, or NULL if it lies in
 * one.
 */
static void put_inner_type(const struct dtls_sealing *s, u8 *content,
			   const struct bio_vec *pages)
{
	size_t room;

	/*
	 * A record in several pieces is longer than a page, and so it has no
	 * padding: dtls_record_padding() pads short records alone.
	 */
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
 * @record:	room for the record, dtls_key_size() bytes, which nobody else writes
 *		to. The content lies in it at offset dtls_key_head()
 * @pages:	the pieces of memory that the record lies in, beginning with
 *		@record, if it lies in several; else NULL
 * @seq:	sequence number from dtls_epoch_take_seq(), which no other record
 *		has
 *
 * If @scratch->hold is set, the sequence number stays in the clear until
 * dtls_crypt_seal_end(). Sleeps.
 *
 * Return: 0 or an error. After an error the room may still hold plaintext.
 */
int dtls_crypt_seal(const struct dtls_key *key, struct dtls_scratch *scratch,
		    u8 *record, const struct bio_vec *pages, u64 seq)
{
	struct dtls_sealing *s = &scratch->sealing;
	unsigned int tag_len = key->cipher->tag_len;
	u8 *content = record + s->head, *start = content, *explicit = NULL;
	struct dtls_record *rec = &s->rec;
	size_t len = s->inner_len;
	u64 number;
	int err;

	rec->seq = seq;
	number = dtls_record_number(rec);
	if (len > s->len)
		put_inner_type(s, content, pages);
	if (rec->unified) {
		write_unified(key, record, rec);
		start = record;
	} else if (rec->cid_len) {
		explicit = scratch->aad + DTLS12_CID_AAD_NUMBER;
		put_unaligned_be64(number, explicit);
	} else {
		start -= DTLS12_AAD_SIZE;
		memcpy(start, scratch->aad, DTLS12_AAD_SIZE);
		explicit = start + DTLS12_AAD_NUMBER;
		put_unaligned_be64(number, explicit);
	}
	/* The explicit nonce is the number, which lies in the additional data. */
	make_nonce(key, scratch, explicit, rec);
	len += content - start;
	if (unlikely(pages)) {
		err = seal_pages(scratch, start, len + tag_len, pages);
	} else {
		/*
		 * The tag has a scatterlist entry of its own, as the crypto
		 * API's scatterwalk_ffwd(), by which ciphers find it, builds a
		 * temporary list for a tag in the middle of an entry.
		 */
		set_pair(scratch, start, len, tag_len);
		err = crypto_wait_req(crypto_aead_encrypt(scratch->req),
				      &scratch->wait);
	}
	if (err)
		return err;
	if (rec->unified) {
		if (!scratch->hold)
			return mask_number(key, scratch, record, content);
		hold_number(scratch->masks, record, content);
		return 0;
	}
	put_header(s, record, number);
	if (key->explicit_len)
		put_unaligned_be64(number, content - DTLS_EXPLICIT_SIZE);
	return 0;
}

/**
 * dtls_crypt_seal_end() - encrypt the sequence numbers that are in the clear
 * @key:	the key that was given to dtls_crypt_seal()
 * @scratch:	the scratch that was given to dtls_crypt_seal()
 *
 * The masks of all records that hold_number() noted are made by one request to the
 * cipher. Sleeps.
 *
 * Return: 0; or an error, and the records must not be sent.
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
	skcipher_request_set_tfm(req, key->ecb);
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
 * Return true if @type may be the content type inside a DTLS 1.3 record with the header
 * @rec (RFC 9147 4.1). In epoch 1 there is nothing but early data (RFC 9147 6.1): whoever
 * knows the session's secret has the key of that epoch, and could end the association with
 * an alert.
 */
static bool inner_type_fits(const struct dtls_record *rec, u8 type)
{
	if (rec->epoch == DTLS13_EPOCH_EARLY)
		return type == DTLS_CT_APPLICATION_DATA;
	return type >= DTLS_CT_ALERT && type <= DTLS_CT_ACK &&
	       type != DTLS_CT_TLS12_CID;
}

/*
 * Check that the records of @rx, which have @len bytes of content each, have the form
 * that @key asks for. Once a connection ID is agreed on, every record of DTLS 1.2 has
 * it (RFC 9146 3); in DTLS 1.3 the first record of every datagram has it (RFC 9147
 * 4). Return: 0; -ENOKEY if the connection ID is missing; or -EMSGSIZE if the records
 * are shorter than the cipher's overhead or of another version.
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
 * Prepare what records of one run have in common. Their headers differ from @rec in
 * the sequence number alone, and each has @len bytes of content.
 */
static void open_begin(const struct dtls_key *key, struct dtls_scratch *scratch,
		       const struct dtls_record *rec, unsigned int len)
{
	size_t aad_len = dtls_record_aad(scratch->aad, rec, len);
	struct aead_request *req = scratch->req;

	scratch->flat[0].length = aad_len;
	scratch->dst[0].length = aad_len;
	/*
	 * The entry of an empty content has one byte, as some scatterlist
	 * walkers of the crypto API skip an entry of length 0.
	 */
	scratch->dst[1].length = max(len, 1U);
	aead_request_set_tfm(req, scratch->aead);
	aead_request_set_ad(req, aad_len);
	aead_request_set_crypt(req, scratch->flat, scratch->dst,
			       len + key->cipher->tag_len, scratch->iv);
}

/*
 * Return true if the number of forgeries under @epoch's key has reached its limit
 * (RFC 9147 4.5.3). The key then opens no more records. The caller asks before each
 * record, so that many forgeries in one coalesced datagram cannot pass the limit
 * together.
 */
static bool is_expired(const struct dtls_epoch *epoch)
{
	return unlikely((u64)atomic64_read(&epoch->forged) >= epoch->limit);
}

/*
 * Verify and decrypt the @i-th record of @rx, after open_begin(). @rec is its header
 * and @len the number of its bytes of content. Return: 0, -EBADMSG if the record is
 * not authentic, or another error of dtls_crypt_open().
 */
static int open_one(const struct dtls_key *key, struct dtls_scratch *scratch,
		    const struct dtls_run *rx, unsigned int i,
		    const struct dtls_record *rec, unsigned int len)
{
	const u8 *fragment = rx->wire[i] + rec->header_len;
	unsigned int tag_len = key->cipher->tag_len;
	unsigned int first = len ?: 1;

	if (is_expired(rx->epoch))
		return -EKEYEXPIRED;
	dtls_record_aad_number(scratch->aad, rec);
	make_nonce(key, scratch, fragment, rec);
	/*
	 * The tag has an entry of its own, as in dtls_crypt_seal(). If there
	 * is no content, the first byte of the tag is in the first entry,
	 * which must not be empty; see open_begin().
	 */
	set_pair(scratch, fragment + key->explicit_len, first,
		 len + tag_len - first);
	return crypto_wait_req(crypto_aead_decrypt(scratch->req),
			       &scratch->wait);
}

/*
 * Find the content type and the length of a decrypted record whose header is @rec.
 * The type is in the header, or behind the content if it is hidden (RFC 9146 4, RFC
 * 9147 4). Return: the length without type and padding; or -EPROTO if there is no
 * type, or none that a DTLS 1.3 record of this epoch may have.
 */
static int open_inner(const struct dtls_record *rec, const u8 *content,
		      unsigned int len, u8 *type)
{
	long inner;

	*type = rec->type;
	if (!rec->unified && !rec->cid_len)
		return len;
	inner = dtls_record_inner(content, len, type);
	if (inner < 0 || (rec->unified && !inner_type_fits(rec, *type)))
		return -EPROTO;
	return inner;
}

/* Note for each record of @rx but the replays that it was not opened because of @err. */
static noinline void refuse_run(struct dtls_scratch *scratch,
				struct dtls_run *rx, int err)
{
	u64 fresh = READ_ONCE(rx->fresh);
	unsigned int i;

	for (i = 0; i < rx->n; i++) {
		rx->opened[i].content = fresh >> i & 1 ? scratch->content : NULL;
		rx->opened[i].len = err;
	}
	dtls_scratch_return(scratch);
}

/**
 * dtls_crypt_open() - verify and decrypt records
 * @scratch:	from dtls_scratch_get(true); @scratch->content is overwritten
 * @rx:		the records, which lie at @rx->wire. Those whose bit is set in
 *		@rx->fresh are opened with the key of @rx->epoch
 *
 * Fills in @rx->opened, except the verdicts: where in the scratch the content
 * lies, its type and its length. Instead of the length there may be an error:
 *
 * * -EBADMSG: the record is not authentic;
 * * -EPROTO: the record is authentic, but has no content type that it may have;
 * * -EMSGSIZE: the record is too short for its cipher, or of another version;
 * * -ENOKEY: the record lacks a connection ID;
 * * -EKEYEXPIRED: the key has reached its limit of forgeries;
 * * any other error comes from the cipher or the allocator and says nothing
 *   about the record.
 *
 * After an error the content must not be used. Sleeps.
 *
 * Return: bit i is set if the i-th record is authentic.
 */
u64 dtls_crypt_open(struct dtls_scratch *scratch, struct dtls_run *rx)
{
	const struct dtls_key *key = &rx->epoch->key;
	int len = rx->rec.fragment_len - key->explicit_len -
		  key->cipher->tag_len;
	struct dtls_record rec = rx->rec;
	/* A page that is larger than the buffer may not begin with it. */
	unsigned int start = offset_in_page(scratch->content);
	int err = check_fits(key, rx, len) ?: dtls_scratch_fit(scratch, key);
	u64 authentic = 0;
	size_t place = 0, end = 0;
	unsigned int i;

	if (unlikely(err)) {
		refuse_run(scratch, rx, err);
		return 0;
	}
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
		err = open_one(key, scratch, rx, i, &rec, len);
		if (unlikely(err)) {
			if (err == -EBADMSG)
				atomic64_inc(&rx->epoch->forged);
			o->len = err;
			continue;
		}
		o->len = open_inner(&rec, o->content, len, &o->type);
		authentic |= BIT_ULL(i);
		place += max(o->len, 0);
	}
	scratch->plain = max(scratch->plain, end);
	dtls_scratch_return(scratch);
	return authentic;
}
