// SPDX-License-Identifier: GPL-2.0
/* This file makes and destroys keys. See struct dtls_key. */
#include <crypto/aes.h>
#include <crypto/chacha.h>
#include <linux/build_bug.h>
#include <linux/crypto.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "aead.h"
#include "key.h"

static_assert(AES_KEYSIZE_256 <= DTLS_KEY_SIZE_MAX &&
	      CHACHA_KEY_SIZE <= DTLS_KEY_SIZE_MAX);

/* The names that the crypto API has for each kind of AEAD. */
static const char * const names[] = {
	[DTLS_AEAD_GCM] = "gcm(aes)",
	[DTLS_AEAD_CCM] = "ccm(aes)",
	[DTLS_AEAD_CHACHA] = "rfc7539(chacha20,poly1305)",
};

/**
 * dtls_key_init() - make a key ready for use
 * @key:	memory for the key, all zero
 * @info:	the user's key, checked by check_key()
 * @cipher:	the AEAD of the key
 * @write:	the key is a write key
 *
 * Sleeps, as the cipher's module may be loaded. Return: 0, or an error, and
 * @key is wiped.
 */
int dtls_key_init(struct dtls_key *key, const struct dtls_key_info *info,
		  const struct dtls_aead *cipher, bool write)
{
	bool v13 = dtls_is_13(info->version);
	int err;

	key->cipher = cipher;
	key->version = info->version;
	key->cid_len = info->cid_len;
	key->explicit_len = v13 ? 0 : cipher->explicit_len;
	key->length_len = v13 ? 2 : 0;
	key->head = (v13 ? 3 : DTLS12_HEADER_SIZE) + key->cid_len +
		    key->explicit_len;
	key->tail = (v13 || key->cid_len) + cipher->tag_len;
	key->max_plaintext = info->max_plaintext ?: DTLS_RECORD_SIZE_MAX;
	key->open_limit = info->limit ?: cipher->open_limit;
	seqlock_init(&key->cid_lock);
	memcpy(key->iv, info->iv, sizeof(key->iv));
	memcpy(key->cid, info->cid, info->cid_len);

	/*
	 * Asynchronous implementations are allowed. Before 7.0 the fast AES-NI
	 * code has the flag CRYPTO_ALG_ASYNC, and a request for synchronous
	 * code alone would get the slow generic one.
	 */
	key->aead = crypto_alloc_aead(names[cipher->kind], 0, 0);
	if (IS_ERR(key->aead)) {
		err = PTR_ERR(key->aead);
		goto no_aead;
	}

	err = crypto_aead_setauthsize(key->aead, cipher->tag_len);
	if (!err)
		err = crypto_aead_setkey(key->aead, info->key, cipher->key_len);
	if (!err && v13)
		err = dtls_mask_init(&key->mask, cipher->id, info->sn_key,
				     cipher->key_len, write);
	if (!err)
		return 0;

	crypto_free_aead(key->aead);
no_aead:
	memzero_explicit(key, sizeof(*key));
	return err;
}

/* Free the ciphers of @key, and wipe @key. The caller is in process context. */
void dtls_key_destroy(struct dtls_key *key)
{
	/* Both functions wipe the key schedule that they free. */
	crypto_free_aead(key->aead);
	dtls_mask_destroy(&key->mask);
	memzero_explicit(key, sizeof(*key));
}
