/* SPDX-License-Identifier: BSD-3-Clause */
/* Signatures by scheme (RFC 5246 4.7, RFC 8446 4.2.3). */
#ifndef _DTLS_SIGN_H
#define _DTLS_SIGN_H

#include "suites.h"

/*
 * Return true if this key can make signatures of this scheme, for suites of
 * @kx.
 */
bool dtls_sign_fits(const struct dtls_scheme *scheme, u8 kx, EVP_PKEY *key);

/**
 * dtls_sign_make() - make a signature
 * @scheme:	a scheme that dtls_sign_fits() the key
 * @key:	the private key
 * @data:	what is signed
 * @signature:	set on success; the caller frees it with OPENSSL_free()
 *
 * Return: bytes of the signature, or 0 if libcrypto failed.
 */
size_t dtls_sign_make(const struct dtls_scheme *scheme, EVP_PKEY *key,
		      struct dtls_bytes data, u8 **signature);

/*
 * Return true if @signature is one of @data by this key and scheme, which
 * dtls_sign_fits() the key.
 */
bool dtls_sign_verify(const struct dtls_scheme *scheme, EVP_PKEY *key,
		      struct dtls_bytes data, struct dtls_bytes signature);

#endif /* _DTLS_SIGN_H */
