/* SPDX-License-Identifier: BSD-3-Clause */
/* This header has the tables of cipher suites, groups and signature schemes. */
#ifndef _DTLS_SUITES_H
#define _DTLS_SUITES_H

#include "aead.h"
#include "crypto.h"

/*
 * DTLS_KX_* tell the kind of a suite: how the premaster secret is made, and
 * what authenticates the server.
 */
#define DTLS_KX_PSK	0x01	/* RFC 4279 */
#define DTLS_KX_ECDHE	0x02	/* RFC 8422; with DTLS_KX_PSK: RFC 5489 */
#define DTLS_KX_ECDSA	0x04	/* a certificate with an EC or Ed25519 key */
#define DTLS_KX_RSA	0x08	/* a certificate with an RSA key */
#define DTLS_KX_CERT	(DTLS_KX_ECDSA | DTLS_KX_RSA)
#define DTLS_KX_13	0x10	/* DTLS 1.3, whose extensions tell both */

/**
 * struct dtls_suite - a cipher suite
 * @id:		number of the suite
 * @kx:		DTLS_KX_*: key exchange and authentication
 * @cipher:	the AEAD, DTLS_CIPHER_*
 * @sha384:	the hash of the PRF or of HKDF is SHA-384, else SHA-256
 */
struct dtls_suite {
	u16 id;
	u8 kx;
	u16 cipher;
	bool sha384;
};

/**
 * struct dtls_group - a group of key exchange: a curve, or a curve with a KEM
 * @id:		number of the group
 * @point_len:	bytes of a client's share
 * @answer_len:	bytes of a server's share
 * @kem:	the server encapsulates a secret; for DTLS 1.3 alone
 * @type:	libcrypto's name for the type of key
 * @name:	libcrypto's name for the group
 */
struct dtls_group {
	u16 id;
	u16 point_len;
	u16 answer_len;
	bool kem;
	const char *type;
	const char *name;
};

/**
 * struct dtls_scheme - a signature scheme
 * @id:		number of the scheme
 * @kx:		DTLS_KX_*: the suites that it can authenticate
 * @pss:	the padding is RSA-PSS
 * @curve:	DTLS 1.3: the only curve of its keys (RFC 8446 4.2.3), or 0
 * @key:	libcrypto's name for the type of key
 * @md:		libcrypto's name for the hash, or NULL if the scheme has its
 *		own
 */
struct dtls_scheme {
	u16 id;
	u8 kx;
	bool pss;
	u16 curve;
	const char *key;
	const char *md;
};

#define DTLS_SUITE_SCSV		0x00ff	/* RFC 5746 3.3 */

extern const struct dtls_suite dtls_suites[];
extern const size_t dtls_suite_count;
/* The first dtls_suite_default_count suites are used if none is configured. */
extern const size_t dtls_suite_default_count;
extern const struct dtls_group dtls_groups[];
extern const size_t dtls_group_count;
extern const struct dtls_scheme dtls_schemes[];
extern const size_t dtls_scheme_count;

/* Return the suite with the number @id, or NULL if there is none. */
const struct dtls_suite *dtls_suite_find(u16 id);

/* Return the group with the number @id, or NULL if there is none. */
const struct dtls_group *dtls_group_find(u16 id);

/* Return the signature scheme with the number @id, or NULL if there is none. */
const struct dtls_scheme *dtls_scheme_find(u16 id);

/* Return true if @suite is one of DTLS 1.3. */
static inline bool dtls_suite_is_13(const struct dtls_suite *suite)
{
	return suite->kx & DTLS_KX_13;
}

/* Return the bytes of the suite's hash. */
static inline size_t dtls_suite_hash_len(const struct dtls_suite *suite)
{
	return suite->sha384 ? 48 : 32;
}

/* Return the suite's hash, which belongs to @c. */
static inline const EVP_MD *dtls_suite_md(const struct dtls_crypto *c,
					  const struct dtls_suite *suite)
{
	return suite->sha384 ? c->sha384 : c->sha256;
}

#endif /* _DTLS_SUITES_H */
