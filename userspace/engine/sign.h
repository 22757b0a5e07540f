/* SPDX-License-Identifier: BSD-3-Clause */
/* These functions make and verify signatures (RFC 5246 4.7, RFC 8446 4.2.3). */
#ifndef _DTLS_SIGN_H
#define _DTLS_SIGN_H

#include "suites.h"

/*
 * Return true if @key can make signatures of @scheme for suites of the kinds
 * @kx.
 */
bool dtls_sign_fits(const struct dtls_scheme *scheme, u8 kx, EVP_PKEY *key);

/**
 * dtls_sign_make() - make a signature
 * @scheme:	a scheme for which dtls_sign_fits() has returned true
 * @key:	the private key
 * @data:	the bytes to sign
 * @signature:	set on success; the caller frees it with OPENSSL_free()
 *
 * Return: bytes of the signature, or 0 if libcrypto failed.
 */
size_t dtls_sign_make(const struct dtls_scheme *scheme, EVP_PKEY *key,
		      struct dtls_bytes data, u8 **signature);

/*
 * Return true if @signature is a signature of @data by @key and @scheme, for
 * which dtls_sign_fits() has returned true.
 */
bool dtls_sign_verify(const struct dtls_scheme *scheme, EVP_PKEY *key,
		      struct dtls_bytes data, struct dtls_bytes signature);

#endif /* _DTLS_SIGN_H */
