/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * This header has the AEADs of DTLS: their sizes, the limits of their keys, and their
 * nonces. It and aead.c call nothing of the kernel's, so the library compiles them too.
 */
#ifndef _DTLS_AEAD_H
#define _DTLS_AEAD_H

#include "record.h"

/*
 * enum dtls_aead_kind is the construction of an AEAD. The crypto API and libcrypto
 * each have their own name for it.
 */
enum dtls_aead_kind {
	DTLS_AEAD_GCM,
	DTLS_AEAD_CCM,
	DTLS_AEAD_CHACHA,
};

/**
 * struct dtls_aead - one AEAD: its sizes and the default limits of its keys
 * @id:		DTLS_CIPHER_*
 * @kind:	construction of the AEAD
 * @name:	name that is shown to people
 * @key_len:	bytes of key
 * @salt_len:	bytes of write IV that a DTLS 1.2 key has
 * @explicit_len: bytes of nonce at the beginning of each DTLS 1.2 record:
 *		DTLS_EXPLICIT_SIZE or 0
 * @tag_len:	bytes of tag
 * @v13:	DTLS 1.3 has this AEAD, too
 * @seal_limit:	how many records a key protects, unless the key's owner sets a limit
 * @open_limit:	number of forgeries after which a read key opens no more records,
 *		unless the key's owner sets a limit
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

/* The longest tag of the AEADs has so many bytes. */
#define DTLS_TAG_SIZE_MAX	16
/*
 * The explicit nonce has so many bytes. With AES-GCM and AES-CCM the fragment of
 * a DTLS 1.2 record begins with an explicit nonce (RFC 5288 3, RFC 6655 3).
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
 * @explicit:	the record's explicit nonce of DTLS_EXPLICIT_SIZE bytes; NULL: the
 *		record has none, as with ChaCha20-Poly1305 and in DTLS 1.3
 *
 * The nonce is the salt and the explicit nonce behind it (RFC 5288 3, RFC 6655 3).
 * The sender chooses the explicit nonce, so a receiver takes it from the record and
 * does not compute it from the sequence number. A record without an explicit nonce
 * has the nonce of dtls_record_nonce() (RFC 7905 2, RFC 8446 5.3).
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
