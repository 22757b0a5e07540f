/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PEM (RFC 7468) as it stands in files of certificates and keys. A damaged
 * block anywhere in a file is an error of the whole file.
 */
#ifndef _DTLS_PEM_H
#define _DTLS_PEM_H

#include <openssl/x509.h>

#include "wire.h"

/**
 * dtls_pem_certificates() - read every certificate
 * @pem:	the file
 * @certs:	set on success: in the file's order, one at least; the caller
 *		frees them with sk_X509_pop_free()
 *
 * Keys, parameters, requests and revocation lists are passed over, and so is
 * text between blocks.
 *
 * Return: 0, -KDTLS_EEMPTY, -KDTLS_EDER, -KDTLS_EDAMAGED, -KDTLS_EMEMORY.
 */
int dtls_pem_certificates(struct dtls_bytes pem, STACK_OF(X509) **certs);

/**
 * dtls_pem_private_key() - read the first private key
 * @pem:	the file
 * @key:	set on success; the caller frees it with EVP_PKEY_free()
 *
 * A pass phrase is never asked for.
 *
 * Return: 0, -KDTLS_EKEYLESS, -KDTLS_EENCRYPTED, -KDTLS_EDER, -KDTLS_EDAMAGED,
 * -KDTLS_EMEMORY.
 */
int dtls_pem_private_key(struct dtls_bytes pem, EVP_PKEY **key);

/*
 * Read the first public key, which the caller frees with EVP_PKEY_free(). Return
 * what dtls_pem_certificates() returns.
 */
int dtls_pem_public_key(struct dtls_bytes pem, EVP_PKEY **key);

#endif /* _DTLS_PEM_H */
