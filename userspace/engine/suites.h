/* SPDX-License-Identifier: BSD-3-Clause */
/* Cipher suites, groups and signature schemes: what the numbers mean. */
#ifndef _DTLS_SUITES_H
#define _DTLS_SUITES_H

#include "aead.h"
#include "crypto.h"

/*
 * These bits tell how the premaster secret comes about, and what authenticates
 * whom.
 */
#define DTLS_KX_PSK	0x01	/* RFC 4279 */
#define DTLS_KX_ECDHE	0x02	/* RFC 8422; with DTLS_KX_PSK: RFC 5489 */
#define DTLS_KX_ECDSA	0x04	/* certificate with EC or Ed25519 key */
#define DTLS_KX_RSA	0x08	/* certificate with RSA key */
#define DTLS_KX_CERT	(DTLS_KX_ECDSA | DTLS_KX_RSA)
#define DTLS_KX_13	0x10	/* a suite of DTLS 1.3, which tells neither */

/* struct dtls_suite is a cipher suite. */
struct dtls_suite {
	u16 id;
	u8 kx;
	u16 cipher;	/* DTLS_CIPHER_* */
	bool sha384;	/* hash of the PRF; else SHA-256 */
};

/* struct dtls_group is a group of key exchange: a curve, or one with a KEM. */
struct dtls_group {
	u16 id;
	u16 point_len;		/* bytes a client sends */
	u16 answer_len;		/* bytes a server sends */
	bool kem;		/* encapsulation; DTLS 1.3 only */
	const char *type;	/* libcrypto's names */
	const char *name;
};

/* struct dtls_scheme is a signature scheme. */
struct dtls_scheme {
	u16 id;
	u8 kx;			/* suites it can authenticate */
	bool pss;
	u16 curve;		/* DTLS 1.3: its only curve (RFC 8446 4.2.3) */
	const char *key;	/* libcrypto's key type */
	const char *md;		/* NULL if the scheme has its own */
};

#define DTLS_SUITE_SCSV		0x00ff	/* RFC 5746 3.3 */

extern const struct dtls_suite dtls_suites[];
extern const size_t dtls_suite_count;
extern const size_t dtls_suite_default_count;	/* used if none is configured */
extern const struct dtls_group dtls_groups[];
extern const size_t dtls_group_count;
extern const struct dtls_scheme dtls_schemes[];
extern const size_t dtls_scheme_count;

/* Return the suite of this number, or NULL if it is unknown. */
const struct dtls_suite *dtls_suite_find(u16 id);

/* Return the group of this number, or NULL if it is unknown. */
const struct dtls_group *dtls_group_find(u16 id);

/* Return the signature scheme of this number, or NULL if it is unknown. */
const struct dtls_scheme *dtls_scheme_find(u16 id);

/* Return true if it is a suite of DTLS 1.3. */
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
