// SPDX-License-Identifier: GPL-2.0
/* The AEADs, and one direction's key for one epoch; see key.h. */
#include <crypto/aes.h>
#include <crypto/chacha.h>
#include <linux/build_bug.h>
#include <linux/crypto.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "aead_limits.h"
#include "key.h"

/*
 * The write IV of DTLS 1.2 is the first part of the nonce, if a record has the
 * rest.
 */
#define SALT_SIZE	(DTLS_NONCE_SIZE - DTLS_EXPLICIT_SIZE)
#define TAG_SIZE	16
#define CCM_8_TAG_SIZE	8

static_assert(AES_KEYSIZE_256 <= DTLS_KEY_SIZE_MAX &&
	      CHACHA_KEY_SIZE <= DTLS_KEY_SIZE_MAX);
static_assert(TAG_SIZE <= DTLS_TAG_SIZE_MAX);

static const struct dtls_aead aeads[] = {
	{
		.id = DTLS_CIPHER_AES_GCM_128,
		.name = "gcm(aes)",
		.key_len = AES_KEYSIZE_128,
		.salt_len = SALT_SIZE,
		.explicit_len = DTLS_EXPLICIT_SIZE,
		.tag_len = TAG_SIZE,
		.v13 = true,
		.seal_limit = DTLS_GCM_SEAL_LIMIT,
		.open_limit = DTLS_OPEN_LIMIT,
	}, {
		.id = DTLS_CIPHER_AES_GCM_256,
		.name = "gcm(aes)",
		.key_len = AES_KEYSIZE_256,
		.salt_len = SALT_SIZE,
		.explicit_len = DTLS_EXPLICIT_SIZE,
		.tag_len = TAG_SIZE,
		.v13 = true,
		.seal_limit = DTLS_GCM_SEAL_LIMIT,
		.open_limit = DTLS_OPEN_LIMIT,
	}, {
		.id = DTLS_CIPHER_CHACHA20_POLY1305,
		.name = "rfc7539(chacha20,poly1305)",
		.key_len = CHACHA_KEY_SIZE,
		.salt_len = DTLS_NONCE_SIZE,
		.tag_len = TAG_SIZE,
		.v13 = true,
		.seal_limit = DTLS_CHACHA_SEAL_LIMIT,
		.open_limit = DTLS_OPEN_LIMIT,
	}, {
		.id = DTLS_CIPHER_AES_CCM_128,
		.name = "ccm(aes)",
		.key_len = AES_KEYSIZE_128,
		.salt_len = SALT_SIZE,
		.explicit_len = DTLS_EXPLICIT_SIZE,
		.tag_len = TAG_SIZE,
		.ccm = true,
		.v13 = true,
		.seal_limit = DTLS_CCM_SEAL_LIMIT,
		.open_limit = DTLS_CCM_OPEN_LIMIT,
	}, {
		.id = DTLS_CIPHER_AES_CCM_256,
		.name = "ccm(aes)",
		.key_len = AES_KEYSIZE_256,
		.salt_len = SALT_SIZE,
		.explicit_len = DTLS_EXPLICIT_SIZE,
		.tag_len = TAG_SIZE,
		.ccm = true,
		.seal_limit = DTLS_CCM_SEAL_LIMIT,
		.open_limit = DTLS_CCM_OPEN_LIMIT,
	}, {
		.id = DTLS_CIPHER_AES_CCM_8_128,
		.name = "ccm(aes)",
		.key_len = AES_KEYSIZE_128,
		.salt_len = SALT_SIZE,
		.explicit_len = DTLS_EXPLICIT_SIZE,
		.tag_len = CCM_8_TAG_SIZE,
		.ccm = true,
		.v13 = true,
		.seal_limit = DTLS_CCM_SEAL_LIMIT,
		.open_limit = DTLS_CCM_8_OPEN_LIMIT,
	}, {
		.id = DTLS_CIPHER_AES_CCM_8_256,
		.name = "ccm(aes)",
		.key_len = AES_KEYSIZE_256,
		.salt_len = SALT_SIZE,
		.explicit_len = DTLS_EXPLICIT_SIZE,
		.tag_len = CCM_8_TAG_SIZE,
		.ccm = true,
		.seal_limit = DTLS_CCM_SEAL_LIMIT,
		.open_limit = DTLS_CCM_8_OPEN_LIMIT,
	},
};

/* Return the AEAD with number @id, or NULL. */
const struct dtls_aead *dtls_key_find_aead(u16 id)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(aeads); i++)
		if (aeads[i].id == id)
			return &aeads[i];
	return NULL;
}

/**
 * dtls_key_init() - make a key ready for use
 * @key:	zero
 * @info:	the user's key, checked by check_key()
 * @cipher:	its AEAD
 * @write:	it is a write key
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
	 * CRYPTO_ALG_ASYNC is not masked. Before 7.0 the AES-NI code hides
	 * behind that flag, and to mask it is to get the generic code.
	 */
	key->aead = crypto_alloc_aead(cipher->name, 0, 0);
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

/* Free what @key holds, and wipe it. Process context. */
void dtls_key_destroy(struct dtls_key *key)
{
	crypto_free_aead(key->aead);	/* wipes the key schedule */
	dtls_mask_destroy(&key->mask);
	memzero_explicit(key, sizeof(*key));
}
