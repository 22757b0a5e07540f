/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions read certificates and keys out of PEM, DER, PKCS#12, and URIs that
 * providers of libcrypto open, such as PKCS#11. OSSL_STORE reads all of them, with a
 * passphrase for what is encrypted.
 */
#ifndef _DTLS_STORE_H
#define _DTLS_STORE_H

#include <openssl/x509.h>

#include "wire.h"

/**
 * struct dtls_store - where certificates and keys are read from
 * @data:	the content of a file
 * @uri:	a URI that is opened instead of @data, or NULL
 * @passphrase:	the passphrase for what is encrypted, or NULL
 */
struct dtls_store {
	struct dtls_bytes data;
	const char *uri;
	const char *passphrase;
};

/**
 * dtls_store_certificates() - read every certificate
 * @s:		the source
 * @certs:	set on success: one at least; the caller frees them with
 *		sk_X509_pop_free()
 *
 * Certificates of PEM stand in the file's order, and all blocks of the file have to be in
 * order. Elsewhere the first is followed by its issuer, and so on.
 *
 * Return: 0, -KDTLS_EEMPTY, -KDTLS_EDAMAGED, -KDTLS_EENCRYPTED, -KDTLS_EPASSPHRASE,
 * -KDTLS_EURI, -KDTLS_EMEMORY.
 */
int dtls_store_certificates(const struct dtls_store *s, STACK_OF(X509) **certs);

/**
 * dtls_store_private_key() - read the first private key
 * @s:		the source
 * @key:	set on success; the caller frees it with EVP_PKEY_free()
 *
 * Return: 0 or what dtls_store_certificates() returns, with -KDTLS_EKEYLESS in place of
 * -KDTLS_EEMPTY.
 */
int dtls_store_private_key(const struct dtls_store *s, EVP_PKEY **key);

/*
 * Read the first public key, which the caller frees with EVP_PKEY_free(). Return
 * what dtls_store_certificates() returns.
 */
int dtls_store_public_key(const struct dtls_store *s, EVP_PKEY **key);

#endif /* _DTLS_STORE_H */
