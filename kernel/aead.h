/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * The AEADs of DTLS: their sizes, how long a key of each is good for, and their
 * nonces. Pure like record.h: the module and the library have them from here.
 */
#ifndef _DTLS_AEAD_H
#define _DTLS_AEAD_H

#include "record.h"

/* What an AEAD is made of: the name of each kind depends on who computes it. */
enum dtls_aead_kind {
	DTLS_AEAD_GCM,
	DTLS_AEAD_CCM,
	DTLS_AEAD_CHACHA,
};

/**
 * struct dtls_aead - one AEAD
 * @id:		DTLS_CIPHER_*
 * @kind:	what it is made of
 * @name:	for people
 * @key_len:	bytes of key
 * @salt_len:	bytes of the write IV that DTLS 1.2 uses
 * @explicit_len: bytes of nonce that each DTLS 1.2 record begins with:
 *		DTLS_EXPLICIT_SIZE or 0
 * @tag_len:	bytes of tag
 * @v13:	DTLS 1.3 has this AEAD, too
 * @seal_limit:	how many records a key protects, unless its owner says otherwise
 * @open_limit:	after how many forgeries a read key opens nothing more, unless
 *		its owner says otherwise
 */
struct dtls_aead {
	u16 id;
	enum dtls_aead_kind kind;
	const char *name;
	u8 key_len;
	u8 salt_len;
	u8 explicit_len;
	u8 tag_len;
	bool v13;
	u64 seal_limit;
	u64 open_limit;
};

#define DTLS_TAG_SIZE_MAX	16
/*
 * A record of DTLS 1.2 begins with so many bytes of nonce, if its AEAD wants
 * that.
 */
#define DTLS_EXPLICIT_SIZE	8

#define DTLS_AEADS		7
extern const struct dtls_aead dtls_aeads[DTLS_AEADS];

/**
 * dtls_aead_find() - find an AEAD
 * @id:		DTLS_CIPHER_*
 *
 * Return: the AEAD, or NULL if there is none with that number.
 */
const struct dtls_aead *dtls_aead_find(unsigned int id);

/**
 * dtls_aead_nonce() - make a record's nonce
 * @nonce:	room for DTLS_NONCE_SIZE bytes
 * @iv:		DTLS_NONCE_SIZE bytes: the key's write IV
 * @rec:	the record, epoch and sequence number known
 * @explicit:	DTLS_EXPLICIT_SIZE bytes of nonce that the record begins with;
 *		NULL: it has none, because of its AEAD or in DTLS 1.3
 *
 * An explicit nonce follows the salt (RFC 5288 3, RFC 6655 3). The sender
 * chooses it, so a reader takes it from the record and never from a counter.
 * Without one see dtls_record_nonce() (RFC 7905 2, RFC 8446 5.3).
 */
static __always_inline
void dtls_aead_nonce(u8 *nonce, const u8 *iv, const struct dtls_record *rec,
		     const u8 *explicit)
{
	if (!explicit) {
		dtls_record_nonce(nonce, iv, rec);
		return;
	}
	memcpy(nonce, iv, DTLS_NONCE_SIZE);
	memcpy(nonce + DTLS_NONCE_SIZE - DTLS_EXPLICIT_SIZE, explicit,
	       DTLS_EXPLICIT_SIZE);
}

#endif /* _DTLS_AEAD_H */
