/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions number the ciphers, and take a protected record apart so that
 * the AEAD of another library can open it.
 */
#ifndef _KDTLS_CIPHER_H
#define _KDTLS_CIPHER_H

#include "aead.h"

/*
 * Return a bit that stands for the cipher @id and for no other one, or 0 if
 * there is no such cipher.
 */
unsigned int cipher_bit(unsigned int id);

/**
 * struct sealed - the parts of a protected record that an AEAD needs
 * @cipher:	the AEAD
 * @rec:	the record's header
 * @nonce:	the record's nonce
 * @aad:	additional data that the tag covers too
 * @aad_len:	bytes of @aad
 * @text:	ciphertext with the tag behind it; points into the record
 * @text_len:	bytes of ciphertext and tag
 */
struct sealed {
	const struct dtls_aead *cipher;
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
 * @key:	the key that the record is to be opened with
 * @buf:	the bytes from the record's first to the datagram's last
 * @len:	number of bytes at @buf
 *
 * Return: the record's length, or 0 if it is malformed or of another epoch.
 */
size_t sealed_parse(struct sealed *s, const struct dtls_key_info *key,
		    const u8 *buf, size_t len);

/**
 * open_fn - open one record with the AEAD of another library
 * @key:	the key
 * @s:		the parts of the record
 * @plain:	room for the content
 *
 * Return: true if the tag is right.
 */
typedef bool open_fn(const struct dtls_key_info *key, const struct sealed *s,
		     u8 *plain);

#endif /* _KDTLS_CIPHER_H */
