/* SPDX-License-Identifier: BSD-3-Clause */
/* What the record layer has to know of a cipher, and of one record under it. */
#ifndef _KDTLS_CIPHER_H
#define _KDTLS_CIPHER_H

#include "../kernel/record.h"

/**
 * struct cipher_desc - one AEAD
 * @id:		DTLS_CIPHER_*
 * @name:	for people
 * @key_size:	bytes
 * @iv_size:	bytes of write IV out of the key block
 * @explicit_size: bytes of nonce in each record
 * @tag_size:	bytes
 */
struct cipher_desc {
	unsigned int id;
	const char *name;
	u8 key_size;
	u8 iv_size;
	u8 explicit_size;
	u8 tag_size;
};

/* Return: NULL if there is no such cipher. */
const struct cipher_desc *cipher_find(unsigned int id);

/* Return: a bit that no other cipher has, or 0 if there is no such cipher. */
unsigned int cipher_bit(unsigned int id);

/**
 * struct sealed - a protected record, taken apart for an AEAD
 * @text:	ciphertext with the tag behind it; points into the record
 * @text_len:	bytes of both
 */
struct sealed {
	const struct cipher_desc *cipher;
	struct dtls_record rec;
	u8 nonce[DTLS_NONCE_SIZE];
	u8 aad[DTLS_AAD_SIZE_MAX];
	size_t aad_len;
	const u8 *text;
	size_t text_len;
};

/**
 * sealed_parse() - take a record apart
 * @s:		filled in
 * @key:	the key it shall be opened with
 * @buf:	from the record's first byte to the datagram's last
 * @len:	their number
 *
 * Nonces: RFC 5288 3, RFC 6655 3, RFC 7905 2.
 *
 * Return: the record's length, or 0 if it is malformed or of another epoch.
 */
size_t sealed_parse(struct sealed *s, const struct dtls_key_info *key,
		    const u8 *buf, size_t len);

/**
 * open_fn - open one record with somebody's AEAD
 * @plain:	room for the content
 *
 * Return: whether the tag is right.
 */
typedef bool open_fn(const struct dtls_key_info *key, const struct sealed *s,
		     u8 *plain);

#endif /* _KDTLS_CIPHER_H */
