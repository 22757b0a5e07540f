/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions are the key schedule of DTLS 1.3 (RFC 8446 7, RFC 9147 5.9).
 * They leave keys in the endpoint's HMAC contexts, so the caller has to call
 * dtls_crypto_forget_keys() afterwards. Each function returns false if
 * libcrypto failed.
 */
#ifndef _DTLS_KEYS13_H
#define _DTLS_KEYS13_H

#include "suites.h"

/**
 * dtls_keys13_extract() - compute HKDF-Extract (RFC 5869 2.2)
 * @c:		the endpoint's algorithms
 * @md:		the suite's hash
 * @salt:	as many bytes as the hash has; NULL stands for zeros
 * @ikm:	input keying material; if empty, as many zeros as the hash has
 *		bytes
 * @out:	room for DTLS_HASH_MAX bytes; may be @salt
 *
 * Return: false if libcrypto failed.
 */
bool dtls_keys13_extract(const struct dtls_crypto *c, const EVP_MD *md,
			 const u8 *salt, struct dtls_bytes ikm, u8 *out);

/**
 * dtls_keys13_expand() - compute HKDF-Expand-Label with the prefix of DTLS
 * @c:		the endpoint's algorithms
 * @md:		the suite's hash
 * @secret:	as many bytes as the hash has
 * @label:	label and context; the context has 255 bytes at most
 * @out:	room for @len bytes; may be @secret
 * @len:	bytes to make
 *
 * RFC 8446 7.1 defines the function, RFC 9147 5.9 the prefix.
 *
 * Return: false if libcrypto failed, or if label or context are too long.
 */
bool dtls_keys13_expand(const struct dtls_crypto *c, const EVP_MD *md,
			const u8 *secret, const struct dtls_label *label,
			u8 *out, size_t len);

/**
 * dtls_keys13_derived() - derive the salt of the next stage of the schedule
 * @c:		the endpoint's algorithms
 * @md:		the suite's hash
 * @secret:	the secret of this stage, which the salt replaces
 *
 * Return: false if libcrypto failed.
 */
bool dtls_keys13_derived(const struct dtls_crypto *c, const EVP_MD *md,
			 u8 *secret);

/**
 * dtls_keys13_key() - derive the keys of an epoch
 * @c:		the endpoint's algorithms
 * @suite:	the suite
 * @secret:	traffic secret of the epoch
 * @epoch:	the epoch
 * @key:	filled in; its number of the next record and connection ID are
 *		zero
 *
 * RFC 8446 7.3 and RFC 9147 4.2.3 define the labels.
 *
 * Return: false if libcrypto failed.
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
 * dtls_keys13_finished() - compute a MAC over a transcript's hash
 * @c:		the endpoint's algorithms
 * @md:		the suite's hash
 * @secret:	the base key: a traffic secret, or the secret of a binder
 * @hash:	the transcript's hash
 * @out:	room for DTLS_HASH_MAX bytes
 *
 * Finished and binders are such MACs (RFC 8446 4.4.4, 4.2.11.2).
 *
 * Return: false if libcrypto failed.
 */
bool dtls_keys13_finished(const struct dtls_crypto *c, const EVP_MD *md,
			  const u8 *secret, struct dtls_bytes hash, u8 *out);

/*
 * Make a binder, which proves over the hash of a hello that the client has the
 * pre-shared key (RFC 8446 4.2.11.2). @resumes tells that the key is that of a
 * ticket.
 */
bool dtls_keys13_binder(const struct dtls_crypto *c, const EVP_MD *md,
			struct dtls_bytes psk, bool resumes,
			struct dtls_bytes hash, u8 *out);

/*
 * Export @len bytes of keying material (RFC 8446 7.5). A missing context is the
 * same as an empty one.
 */
bool dtls_keys13_export(const struct dtls_crypto *c, const EVP_MD *md,
			const u8 *secret, const struct dtls_label *label,
			u8 *out, size_t len);

#endif /* _DTLS_KEYS13_H */
