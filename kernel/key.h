/* SPDX-License-Identifier: GPL-2.0 */
/* A key protects the records of one direction in one epoch. */
#ifndef _DTLS_KEY_H
#define _DTLS_KEY_H

#include <crypto/aead.h>
#include <linux/atomic.h>
#include <linux/seqlock.h>
#include <linux/types.h>

#include "aead.h"
#include "mask.h"
#include "record.h"

/**
 * struct dtls_key - the key of one direction in one epoch
 * @cipher:	the AEAD's sizes and limits
 * @aead:	the crypto API's AEAD with the key, which protects the content
 * @mask:	DTLS 1.3: the key that encrypts sequence numbers
 * @version:	DTLS_VERSION_*
 * @cid_len:	bytes of @cid; 0: records have no connection ID
 * @explicit_len: bytes of nonce that each record begins with
 * @length_len:	DTLS 1.3: bytes of the length, which a header has only if
 *		another record follows in the datagram
 * @head:	bytes from a record's start to its content, without @length_len
 * @tail:	bytes behind the content: type and tag, without padding
 * @max_plaintext: how many bytes of content a record may have
 * @iv:		write IV
 * @open_limit:	read key: number of forgeries after which the key opens no more
 *		records
 * @forged:	read key: how many records had a wrong tag
 * @cid_lock:	seqlock around @cid. DTLS_CID changes the connection ID of a
 *		write key while records are sealed with it
 * @cid:	connection ID
 *
 * dtls_key_init() sets all members. Only @forged and @cid change afterwards.
 */
struct dtls_key {
	const struct dtls_aead *cipher;
	struct crypto_aead *aead;
	struct dtls_mask mask;
	u16 version;
	u8 cid_len;
	u8 explicit_len;
	u8 length_len;
	u16 head;
	u16 tail;
	u16 max_plaintext;
	u8 iv[DTLS_IV_SIZE];
	u64 open_limit;
	atomic64_t forged;
	seqlock_t cid_lock;	/* The lock guards @cid. */
	u8 cid[DTLS_CID_SIZE_MAX];
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
static_assert(DTLS_RECORD_SIZE_MAX <= U16_MAX &&
	      DTLS_FRAGMENT_SIZE_MAX <= U16_MAX &&
	      DTLS_HEADER_SIZE_MAX + DTLS_EXPLICIT_SIZE <= U16_MAX);
static_assert(DTLS13_FRAGMENT_SIZE_MAX <= DTLS_FRAGMENT_SIZE_MAX);
/* A record grows by no more than every receiver has to take. */
static_assert(DTLS_EXPLICIT_SIZE + 1 + DTLS_TAG_SIZE_MAX <=
	      DTLS13_FRAGMENT_SIZE_MAX - DTLS_RECORD_SIZE_MAX);

/*
 * Return how many bytes a record has before its content. @more tells that another
 * record follows in the datagram, so that a unified header has a length.
 */
static inline unsigned int dtls_key_head(const struct dtls_key *key, bool more)
{
	return key->head + (more ? key->length_len : 0);
}

/*
 * Return how many bytes a record with @len bytes of content has. @more is as for
 * dtls_key_head().
 */
static inline size_t dtls_key_size(const struct dtls_key *key, size_t len,
				   bool more)
{
	size_t size = dtls_key_head(key, more) + len + key->tail;

	if (dtls_is_13(key->version))
		size += dtls_record_padding(len, key->cipher->tag_len);
	return size;
}

int __must_check dtls_key_init(struct dtls_key *key,
			       const struct dtls_key_info *info,
			       const struct dtls_aead *cipher, bool write);
void dtls_key_destroy(struct dtls_key *key);

#endif /* _DTLS_KEY_H */
