/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The key schedule of DTLS 1.3 (RFC 8446 7, RFC 9147 5.9). The caller has to
 * call dtls_crypto_forget_keys().
 */
#ifndef _DTLS_KEYS13_H
#define _DTLS_KEYS13_H

#include "suites.h"

/**
 * dtls_keys13_extract() - HKDF-Extract
 * @salt:	a hash's length of bytes; NULL: zeros
 * @ikm:	input keying material; without bytes: a hash's length of zeros
 * @out:	DTLS_HASH_MAX bytes; may be @salt
 */
bool dtls_keys13_extract(const struct dtls_crypto *c, const EVP_MD *md,
			 const u8 *salt, struct dtls_bytes ikm, u8 *out);

/**
 * dtls_keys13_expand() - HKDF-Expand-Label with the prefix of DTLS
 * @secret:	a hash's length of bytes
 * @context:	255 bytes at most
 * @out:	@len bytes
 */
bool dtls_keys13_expand(const struct dtls_crypto *c, const EVP_MD *md,
			const u8 *secret, const char *label,
			struct dtls_bytes context, u8 *out, size_t len);

/**
 * dtls_keys13_derived() - the salt of the next stage of the schedule
 * @secret:	replaced
 */
bool dtls_keys13_derived(const struct dtls_crypto *c, const EVP_MD *md,
			 u8 *secret);

/**
 * dtls_keys13_key() - keys of an epoch from its traffic secret (RFC 8446 7.3,
 * RFC 9147 4.2.3)
 * @key:	all but rec_seq and connection ID is set, these to zero
 */
bool dtls_keys13_key(const struct dtls_crypto *c,
		     const struct dtls_suite *suite,
		     const u8 *secret, u64 epoch, struct dtls_key_info *key);

/*
 * Replace a traffic secret by the next one, after a KeyUpdate (RFC 8446 7.2).
 */
bool dtls_keys13_update(const struct dtls_crypto *c, const EVP_MD *md,
			u8 *secret);

/**
 * dtls_keys13_finished() - MAC over a transcript's hash (RFC 8446 4.4.4)
 * @secret:	the base key: a traffic secret, or that of a binder
 * @out:	DTLS_HASH_MAX bytes
 */
bool dtls_keys13_finished(const struct dtls_crypto *c, const EVP_MD *md,
			  const u8 *secret, struct dtls_bytes hash, u8 *out);

/*
 * Make a binder: the proof of a key over the hash of a hello (RFC 8446
 * 4.2.11.2). @resumes: the key is that of a ticket.
 */
bool dtls_keys13_binder(const struct dtls_crypto *c, const EVP_MD *md,
			struct dtls_bytes psk, bool resumes,
			struct dtls_bytes hash, u8 *out);

/* Export keying material (RFC 8446 7.5). No context means the empty one. */
bool dtls_keys13_export(const struct dtls_crypto *c, const EVP_MD *md,
			const u8 *secret, const char *label,
			struct dtls_bytes context, u8 *out, size_t len);

#endif /* _DTLS_KEYS13_H */
