/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The AEADs of DTLS: their sizes, their limits and their nonces. The engine,
 * the driver and the take-overs of other libraries' sessions all have them from
 * here.
 */
#ifndef _DTLS_AEAD_H
#define _DTLS_AEAD_H

#include "record.h"

/**
 * struct dtls_aead - one AEAD
 * @id:		DTLS_CIPHER_*
 * @name:	for people
 * @key_size:	bytes
 * @iv_size:	bytes of write IV out of the key block of DTLS 1.2
 * @explicit_size: bytes of nonce in each record of DTLS 1.2
 * @tag_size:	bytes
 * @seal_limit:	records that may be sealed with one key
 * @open_limit:	forgeries that may be seen with one key
 *
 * The limits hold for keys that have none of their own (RFC 9147 4.5.3, RFC
 * 9325 4.4).
 */
struct dtls_aead {
	unsigned int id;
	const char *name;
	u8 key_size;
	u8 iv_size;
	u8 explicit_size;
	u8 tag_size;
	u64 seal_limit;
	u64 open_limit;
};

extern const struct dtls_aead dtls_aeads[];

/* Return the AEAD of this number, or NULL if there is none. */
const struct dtls_aead *dtls_aead_find(unsigned int id);

/**
 * dtls_aead_nonce() - make a record's nonce
 * @nonce:	DTLS_NONCE_SIZE bytes
 * @iv:		of the key, DTLS_IV_SIZE bytes
 * @r:		the record, of which epoch and number count
 * @explicit:	the record's explicit nonce
 * @explicit_size: bytes of it; 0 in DTLS 1.3, which has none
 *
 * With an explicit nonce it follows the IV (RFC 5288 3, RFC 6655 3); without
 * one see dtls_record_nonce() (RFC 7905 2, RFC 8446 5.3).
 */
void dtls_aead_nonce(u8 *nonce, const u8 *iv, const struct dtls_record *r,
		     const u8 *explicit, size_t explicit_size);

#endif /* _DTLS_AEAD_H */
