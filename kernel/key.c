// SPDX-License-Identifier: GPL-2.0
/* This file makes and wipes keys, which are kept as bytes. See struct dtls_key. */
#include <crypto/aes.h>
#include <crypto/chacha.h>
#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/string.h>

#include "compat.h"
#include "key.h"

static_assert(AES_KEYSIZE_256 <= DTLS_KEY_SIZE_MAX &&
	      CHACHA_KEY_SIZE <= DTLS_KEY_SIZE_MAX);

/* last_serial is the highest dtls_key.serial that was given to a key. */
static atomic64_t last_serial;

/* raw_len() returns how many bytes of the AEAD's key are kept. */
static unsigned int raw_len(const struct dtls_aead *cipher, bool own)
{
	return own ? 0 : cipher->key_len;
}

/*
 * sn_len() returns how many bytes of the key of the sequence numbers are kept. A key of
 * ChaCha20 is always kept, as it has no transform: ChaCha20 is a function of the
 * kernel's library.
 */
static unsigned int sn_len(const struct dtls_key_info *info,
			   const struct dtls_aead *cipher, bool own)
{
	if (!dtls_is_13(info->version))
		return 0;
	return own && cipher->kind != DTLS_AEAD_CHACHA ? 0 : cipher->key_len;
}

/* dtls_key_room() returns how long dtls_key.bytes is; see dtls_key_init(). */
size_t dtls_key_room(const struct dtls_key_info *info,
		     const struct dtls_aead *cipher, bool own)
{
	return raw_len(cipher, own) + sn_len(info, cipher, own) + info->cid_len;
}

/* copy_sn() copies the key of the sequence numbers in the form that mask.c wants. */
static void copy_sn(struct dtls_key *key, const u8 *from, unsigned int len)
{
	u32 *words = (u32 *)(key->bytes + key->sn_at);
	unsigned int i;

	if (key->cipher->kind != DTLS_AEAD_CHACHA) {
		memcpy(words, from, len);
		return;
	}
	for (i = 0; i < len / sizeof(*words); i++)
		words[i] = get_unaligned_le32(from + sizeof(*words) * i);
}

/**
 * dtls_key_init() - fill in a key
 * @key:	zero, with dtls_key_room() bytes at its end
 * @info:	the user's key, checked by check_key()
 * @cipher:	the key's AEAD
 * @own:	the key gets transforms of its own by dtls_transform_init()
 */
void dtls_key_init(struct dtls_key *key, const struct dtls_key_info *info,
		   const struct dtls_aead *cipher, bool own)
{
	bool v13 = dtls_is_13(info->version);

	key->cipher = cipher;
	key->version = info->version;
	key->cid_len = info->cid_len;
	key->explicit_len = v13 ? 0 : cipher->explicit_len;
	key->head = (v13 ? 3 : DTLS12_HEADER_SIZE) + key->cid_len +
		    key->explicit_len;
	key->tail = (v13 || key->cid_len) + cipher->tag_len;
	key->max_plaintext = info->max_plaintext ?: DTLS_RECORD_SIZE_MAX;
	key->sn_at = raw_len(cipher, own);
	key->cid_at = key->sn_at + sn_len(info, cipher, own);
	key->serial = own ? 0 : atomic64_inc_return(&last_serial);
	seqlock_init(&key->cid_lock);
	memcpy(key->iv, info->iv, sizeof(key->iv));
	memcpy(key->bytes, info->key, raw_len(cipher, own));
	copy_sn(key, info->sn_key, sn_len(info, cipher, own));
	memcpy(key->bytes + key->cid_at, info->cid, info->cid_len);
}

/* dtls_key_set_cid() gives a write key another connection ID of the same length. */
void dtls_key_set_cid(struct dtls_key *key, const u8 *cid)
{
	write_seqlock(&key->cid_lock);
	memcpy(key->bytes + key->cid_at, cid, key->cid_len);
	write_sequnlock(&key->cid_lock);
}

/* dtls_key_wipe() zeroes @key, whose transforms were let go before. */
void dtls_key_wipe(struct dtls_key *key)
{
	memzero_explicit(key, sizeof(*key) + key->cid_at + key->cid_len);
}
