/* SPDX-License-Identifier: GPL-2.0 */
/* A mask encrypts the sequence number of a DTLS 1.3 record (RFC 9147 4.2.3). */
#ifndef _DTLS_MASK_H
#define _DTLS_MASK_H

#include <crypto/skcipher.h>
#include <linux/crypto.h>
#include <linux/types.h>

/**
 * struct dtls_mask - the key that makes the masks of sequence numbers (DTLS 1.3)
 * @aes:	cipher with the key, which makes one mask a call; NULL: the key is one
 *		of ChaCha20
 * @ecb:	cipher with the same key, which makes many masks a call; NULL for a
 *		read key, or if the kernel has no ecb(aes)
 * @chacha:	the key of ChaCha20, if @aes is NULL
 */
struct dtls_mask {
	struct crypto_cipher *aes;
	struct crypto_skcipher *ecb;
	u32 chacha[8];
};

/*
 * Return true if one request to @mask->ecb for the masks of @n records costs less than
 * @n calls of @mask->aes. A request has a fixed cost, which pays from four records on.
 */
static inline bool dtls_mask_worth(const struct dtls_mask *mask, unsigned int n)
{
	return n >= 4 && mask->ecb;
}

int __must_check dtls_mask_init(struct dtls_mask *mask, u16 cipher,
				const u8 *sn_key, unsigned int key_len,
				bool write);
void dtls_mask_destroy(struct dtls_mask *mask);
void dtls_mask_make(const struct dtls_mask *mask, const u8 *sample, u8 *out);

#endif /* _DTLS_MASK_H */
