// SPDX-License-Identifier: GPL-2.0
/*
 * This file makes the masks that encrypt the sequence numbers of DTLS 1.3 records
 * (RFC 9147 4.2.3).
 */
#include <crypto/aes.h>
#include <crypto/internal/cipher.h>
#include <linux/err.h>
#include <linux/module.h>

#include "compat.h"
#include "mask.h"
#include "record.h"

DTLS_IMPORT_CRYPTO_INTERNAL;

/*
 * The sample of a record's ciphertext is one block of AES. The key of ChaCha20 is as
 * long as the longest key that an option can bring.
 */
static_assert(DTLS_SAMPLE_SIZE == AES_BLOCK_SIZE);
static_assert(sizeof_field(struct dtls_mask, chacha) == DTLS_KEY_SIZE_MAX);

/*
 * Make @mask->ecb. If the kernel has no ecb(aes), leave it NULL, and each mask is made
 * by a call of @mask->aes. Sleeps. Return: 0 or an error.
 */
static int init_ecb(struct dtls_mask *mask, const u8 *sn_key,
		    unsigned int key_len)
{
	struct crypto_skcipher *ecb = crypto_alloc_skcipher("ecb(aes)", 0, 0);

	if (IS_ERR(ecb))
		return PTR_ERR(ecb) == -ENOENT ? 0 : PTR_ERR(ecb);
	mask->ecb = ecb;
	return crypto_skcipher_setkey(ecb, sn_key, key_len);
}

/**
 * dtls_mask_init() - make a key for sequence numbers ready for use
 * @mask:	zero
 * @cipher:	DTLS_CIPHER_*
 * @sn_key:	the key
 * @key_len:	bytes of @sn_key
 * @write:	the key is that of a sender, who makes many masks at once
 *
 * Sleeps, as the cipher's module may be loaded. Return: 0, or an error, and
 * @mask is wiped.
 */
int dtls_mask_init(struct dtls_mask *mask, u16 cipher, const u8 *sn_key,
		   unsigned int key_len, bool write)
{
	unsigned int i;
	int err;

	if (cipher == DTLS_CIPHER_CHACHA20_POLY1305) {
		for (i = 0; i < ARRAY_SIZE(mask->chacha); i++)
			mask->chacha[i] = get_unaligned_le32(sn_key + 4 * i);
		return 0;
	}
	mask->aes = crypto_alloc_cipher("aes", 0, 0);
	if (IS_ERR(mask->aes)) {
		err = PTR_ERR(mask->aes);
		mask->aes = NULL;
		return err;
	}
	err = crypto_cipher_setkey(mask->aes, sn_key, key_len);
	if (!err && write)
		err = init_ecb(mask, sn_key, key_len);
	if (err)
		dtls_mask_destroy(mask);
	return err;
}

/* Free what @mask holds, and wipe it. Process context. */
void dtls_mask_destroy(struct dtls_mask *mask)
{
	/* Both functions wipe the key schedule that they free. */
	if (mask->aes)
		crypto_free_cipher(mask->aes);
	crypto_free_skcipher(mask->ecb);
	memzero_explicit(mask, sizeof(*mask));
}

/**
 * dtls_mask_make() - make the mask of one record
 * @mask:	the key
 * @sample:	the first DTLS_SAMPLE_SIZE bytes of the record's ciphertext
 * @out:	DTLS_SAMPLE_SIZE bytes, of which the first two are the mask
 *
 * Any context: a reader makes a mask under a spin lock, where a request of the
 * crypto API cannot be waited for. For a single record this costs less than
 * ecb(aes), too.
 */
void dtls_mask_make(const struct dtls_mask *mask, const u8 *sample, u8 *out)
{
	if (mask->aes)
		crypto_cipher_encrypt_one(mask->aes, out, sample);
	else
		dtls_chacha20_block(mask->chacha, sample, out);
}
