/* SPDX-License-Identifier: GPL-2.0 */
/* The mask over a DTLS 1.3 record's sequence number (RFC 9147 4.2.3) */
#ifndef _DTLS_MASK_H
#define _DTLS_MASK_H

#include <crypto/skcipher.h>
#include <linux/crypto.h>
#include <linux/types.h>

/* DTLS 1.3: a key for sequence numbers */
struct dtls_mask {
	struct crypto_cipher *aes;	/* NULL: ChaCha20 */
	struct crypto_skcipher *ecb;	/* @aes for many blocks, or NULL */
	u32 chacha[8];
};

/* Are the masks of @n records cheaper made at once? */
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
