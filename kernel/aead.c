// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/* This file has the table of AEADs, which the module and the library share. */
#include "aead.h"

/*
 * These limits hold for a key unless its owner sets another one. They are those of
 * RFC 9147 4.5.3; RFC 9325 4.4 asks for the same in DTLS 1.2. 2^24.5 and 2^23.5 are
 * rounded down. The limit of GCM assumes records of full size. Shorter records use a
 * key up less, but RFC 8446 5.5 counts records ("up to 2^24.5 full-size records") and
 * not blocks, so every record counts here. The only limit of ChaCha20-Poly1305 is
 * that of the sequence numbers.
 */
#define GCM_SEAL_LIMIT		23726566ULL	/* 2^24.5 */
#define CCM_SEAL_LIMIT		8388608ULL	/* 2^23 */
#define CHACHA_SEAL_LIMIT	DTLS_SEQ_MAX
#define OPEN_LIMIT		68719476736ULL	/* 2^36 */
#define CCM_OPEN_LIMIT		11863283ULL	/* 2^23.5 */
#define CCM_8_OPEN_LIMIT	128ULL

/*
 * The write IV of a DTLS 1.2 key whose records have an explicit nonce is the first
 * part of the nonce, called salt (RFC 5288 3). The explicit nonce is the rest.
 */
#define SALT_SIZE		(DTLS_NONCE_SIZE - DTLS_EXPLICIT_SIZE)
#define TAG_SIZE		DTLS_TAG_SIZE_MAX
#define CCM_8_TAG_SIZE		8

/* The sizes are those of RFC 5288, RFC 6655 and RFC 7905. */
const struct dtls_aead dtls_aeads[DTLS_AEADS] = {
	{
		.id = DTLS_CIPHER_AES_GCM_128,
		.kind = DTLS_AEAD_GCM,
		.name = "AES-128-GCM",
		.key_len = 16,
		.salt_len = SALT_SIZE,
		.explicit_len = DTLS_EXPLICIT_SIZE,
		.tag_len = TAG_SIZE,
		.v13 = true,
		.seal_limit = GCM_SEAL_LIMIT,
		.open_limit = OPEN_LIMIT,
	}, {
		.id = DTLS_CIPHER_AES_GCM_256,
		.kind = DTLS_AEAD_GCM,
		.name = "AES-256-GCM",
		.key_len = 32,
		.salt_len = SALT_SIZE,
		.explicit_len = DTLS_EXPLICIT_SIZE,
		.tag_len = TAG_SIZE,
		.v13 = true,
		.seal_limit = GCM_SEAL_LIMIT,
		.open_limit = OPEN_LIMIT,
	}, {
		.id = DTLS_CIPHER_AES_CCM_128,
		.kind = DTLS_AEAD_CCM,
		.name = "AES-128-CCM",
		.key_len = 16,
		.salt_len = SALT_SIZE,
		.explicit_len = DTLS_EXPLICIT_SIZE,
		.tag_len = TAG_SIZE,
		.v13 = true,
		.seal_limit = CCM_SEAL_LIMIT,
		.open_limit = CCM_OPEN_LIMIT,
	}, {
		.id = DTLS_CIPHER_AES_CCM_256,
		.kind = DTLS_AEAD_CCM,
		.name = "AES-256-CCM",
		.key_len = 32,
		.salt_len = SALT_SIZE,
		.explicit_len = DTLS_EXPLICIT_SIZE,
		.tag_len = TAG_SIZE,
		.seal_limit = CCM_SEAL_LIMIT,
		.open_limit = CCM_OPEN_LIMIT,
	}, {
		.id = DTLS_CIPHER_AES_CCM_8_128,
		.kind = DTLS_AEAD_CCM,
		.name = "AES-128-CCM-8",
		.key_len = 16,
		.salt_len = SALT_SIZE,
		.explicit_len = DTLS_EXPLICIT_SIZE,
		.tag_len = CCM_8_TAG_SIZE,
		.v13 = true,
		.seal_limit = CCM_SEAL_LIMIT,
		.open_limit = CCM_8_OPEN_LIMIT,
	}, {
		.id = DTLS_CIPHER_AES_CCM_8_256,
		.kind = DTLS_AEAD_CCM,
		.name = "AES-256-CCM-8",
		.key_len = 32,
		.salt_len = SALT_SIZE,
		.explicit_len = DTLS_EXPLICIT_SIZE,
		.tag_len = CCM_8_TAG_SIZE,
		.seal_limit = CCM_SEAL_LIMIT,
		.open_limit = CCM_8_OPEN_LIMIT,
	}, {
		.id = DTLS_CIPHER_CHACHA20_POLY1305,
		.kind = DTLS_AEAD_CHACHA,
		.name = "CHACHA20-POLY1305",
		.key_len = 32,
		.salt_len = DTLS_NONCE_SIZE,
		.tag_len = TAG_SIZE,
		.v13 = true,
		.seal_limit = CHACHA_SEAL_LIMIT,
		.open_limit = OPEN_LIMIT,
	},
};

const struct dtls_aead *dtls_aead_find(unsigned int id)
{
	unsigned int i;

	for (i = 0; i < DTLS_AEADS; i++)
		if (dtls_aeads[i].id == id)
			return &dtls_aeads[i];
	return NULL;
}
