/* SPDX-License-Identifier: GPL-2.0 */
/* A key protects the records of one direction in one epoch. */
#ifndef _DTLS_KEY_H
#define _DTLS_KEY_H

#include <linux/seqlock.h>
#include <linux/types.h>

#include "aead.h"
#include "record.h"

struct crypto_aead;
struct crypto_cipher;
struct crypto_skcipher;

/**
 * struct dtls_key - the key of one direction in one epoch
 * @cipher:	the AEAD's sizes and limits
 * @aead:	transform of the crypto API with the key, which protects the content;
 *		NULL: the key has no transforms of its own, and borrows them for each
 *		use
 * @aes:	DTLS 1.3 with AES: transform that makes one mask of a sequence number a
 *		call; NULL: the key has no transforms of its own, or the cipher is not AES
 * @ecb:	DTLS 1.3 with AES: transform that makes many masks a call; NULL for a
 *		read key, if @aes is NULL, or if the kernel has no ecb(aes)
 * @serial:	number of a key without transforms of its own, which no other key of
 *		the module ever has; 0: the key has its own
 * @version:	DTLS_VERSION_*
 * @head:	bytes from a record's start to its content, without the length that a
 *		DTLS 1.3 header has if another record follows in the datagram
 * @tail:	bytes behind the content: type and tag, without padding
 * @max_plaintext: how many bytes of content a record may have
 * @cid_len:	bytes of connection ID; 0: records have no connection ID
 * @explicit_len: bytes of nonce that each record begins with
 * @sn_at:	where in @bytes the key of the sequence numbers begins
 * @cid_at:	where in @bytes the connection ID begins
 * @iv:		write IV
 * @cid_lock:	seqlock around the connection ID. DTLS_CID changes the connection
 *		ID of a write key while records are sealed with the key
 * @bytes:	the AEAD's key, if @aead is NULL; the key of the sequence numbers in
 *		DTLS 1.3, if @aes is NULL; the connection ID
 *
 * dtls_key_init() sets the bytes, dtls_transform_init() and dtls_mask_init() the
 * transforms. Only the connection ID changes afterwards. @bytes is as long as these
 * parts together, since an idle association is little more than its two keys.
 */
struct dtls_key {
	const struct dtls_aead *cipher;
	struct crypto_aead *aead;
	struct crypto_cipher *aes;
	struct crypto_skcipher *ecb;
	u64 serial;
	u16 version;
	u16 head;
	u16 tail;
	u16 max_plaintext;
	u8 cid_len;
	u8 explicit_len;
	u8 sn_at;
	u8 cid_at;
	u8 iv[DTLS_IV_SIZE];
	seqlock_t cid_lock;	/* The lock guards the connection ID. */
	u8 bytes[];
};

/*
 * The size of the longest record that the module makes: the longest content and all
 * that dtls_key_size() adds.
 */
#define DTLS_SEALED_SIZE_MAX	(DTLS_RECORD_SIZE_MAX + DTLS_HEADER_SIZE_MAX + \
				 DTLS_NONCE_SIZE + 1 + DTLS_TAG_SIZE_MAX)

/*
 * The sizes in struct dtls_key and struct dtls_record are as wide as their
 * values.
 */
static_assert(DTLS_IV_SIZE == DTLS_NONCE_SIZE);
static_assert(DTLS_CID_SIZE_MAX <= U8_MAX);
static_assert(2 * DTLS_KEY_SIZE_MAX <= U8_MAX);
static_assert(DTLS_RECORD_SIZE_MAX <= U16_MAX &&
	      DTLS_FRAGMENT_SIZE_MAX <= U16_MAX &&
	      DTLS_HEADER_SIZE_MAX + DTLS_EXPLICIT_SIZE <= U16_MAX);
static_assert(DTLS13_FRAGMENT_SIZE_MAX <= DTLS_FRAGMENT_SIZE_MAX);
/* A record grows by no more than every receiver has to take. */
static_assert(DTLS_EXPLICIT_SIZE + 1 + DTLS_TAG_SIZE_MAX <=
	      DTLS13_FRAGMENT_SIZE_MAX - DTLS_RECORD_SIZE_MAX);

/* Return the key that encrypts sequence numbers, if @key->bytes has it. */
static inline const u8 *dtls_key_sn(const struct dtls_key *key)
{
	return key->bytes + key->sn_at;
}

/* Return the connection ID, which has @key->cid_len bytes. */
static inline const u8 *dtls_key_cid(const struct dtls_key *key)
{
	return key->bytes + key->cid_at;
}

/*
 * Return how many bytes a record has before its content. @more tells that another
 * record follows in the datagram, so that a unified header has two bytes of length.
 */
static inline unsigned int dtls_key_head(const struct dtls_key *key, bool more)
{
	return key->head + (more && dtls_is_13(key->version) ? 2 : 0);
}

/*
 * Return how many bytes a record with @len bytes of content has. If @more, another record
 * follows in the datagram.
 */
static inline size_t dtls_key_size(const struct dtls_key *key, size_t len,
				   bool more)
{
	size_t size = dtls_key_head(key, more) + len + key->tail;

	if (dtls_is_13(key->version))
		size += dtls_record_padding(len, key->cipher->tag_len);
	return size;
}

size_t dtls_key_room(const struct dtls_key_info *info,
		     const struct dtls_aead *cipher, bool own);
void dtls_key_init(struct dtls_key *key, const struct dtls_key_info *info,
		   const struct dtls_aead *cipher, bool own);
void dtls_key_set_cid(struct dtls_key *key, const u8 *cid);
void dtls_key_wipe(struct dtls_key *key);

#endif /* _DTLS_KEY_H */
