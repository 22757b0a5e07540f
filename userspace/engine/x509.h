/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This header has identities and trust: the certificates and raw public keys of
 * this end, and the roots and raw public keys that it trusts. libcrypto handles
 * X.509.
 */
#ifndef _DTLS_X509_H
#define _DTLS_X509_H

#include <openssl/x509.h>

#include "store.h"
#include "suites.h"

#define DTLS_CHAIN_MAX	64	/* most certificates that a peer may show */

/* These are the certificate types (RFC 7250 3). */
#define DTLS_CERT_X509	0
#define DTLS_CERT_RAW	2

/**
 * struct dtls_identity - a key of this end, with its certificate or as a raw key
 * @next:	the endpoint's next identity, or NULL
 * @key:	the private key
 * @leaf:	certificate of the key, or NULL if the key is shown as a raw
 *		public key
 * @message:	the body of the Certificate message, in the form of DTLS 1.2
 * @issuers:	the issuers of the chain, as a list of names
 */
struct dtls_identity {
	struct dtls_identity *next;
	EVP_PKEY *key;
	X509 *leaf;
	struct dtls_writer message;
	struct dtls_writer issuers;
};

/**
 * struct dtls_trust - the roots and raw public keys that this end trusts
 * @store:	the roots
 * @raw:	the raw public keys, each a SubjectPublicKeyInfo in DER
 * @raw_count:	number of @raw
 * @digest:	SHA-256 of all roots and keys, in the order in which they were
 *		added
 */
struct dtls_trust {
	X509_STORE *store;
	struct dtls_writer *raw;
	size_t raw_count;
	u8 digest[32];
};

/**
 * struct dtls_chain - the certificates or the raw public key that a peer has shown
 * @leaf:	the peer's certificate, or NULL if it has shown a raw public key
 * @others:	the other certificates of the chain
 * @key:	the peer's public key
 * @count:	number of certificates, or 1 for a raw key
 * @der:	each certificate, or the raw key, in DER; points into the message
 * @der_len:	bytes of each element of @der
 */
struct dtls_chain {
	X509 *leaf;
	STACK_OF(X509) *others;
	EVP_PKEY *key;
	size_t count;
	const u8 *der[DTLS_CHAIN_MAX];
	size_t der_len[DTLS_CHAIN_MAX];
};

/*
 * Read an identity: a chain of certificates and its private key.
 * dtls_x509_identity_free() frees it. Return 0, or an error that
 * kdtls_endpoint_use_certificate() has, or -KDTLS_EURI.
 */
int dtls_x509_identity_new(const struct dtls_store *chain,
			   const struct dtls_store *key,
			   struct dtls_identity **identity);

/*
 * Read an identity that is shown as a raw public key (RFC 7250). Return what
 * dtls_x509_identity_new() returns.
 */
int dtls_x509_identity_new_raw(const struct dtls_store *key,
			       struct dtls_identity **identity);

/* Wipe and free @id, which may be NULL. */
void dtls_x509_identity_free(struct dtls_identity *id);

/*
 * Return true if the identity's certificate has the name @name. A raw key has
 * every name.
 */
bool dtls_x509_identity_named(const struct dtls_identity *id, const char *name);

/*
 * Return true if one of the identity's certificates is issued by one of these
 * authorities, a list of names as on the wire. A raw key suits every list.
 */
bool dtls_x509_identity_issued(const struct dtls_identity *id,
			       struct dtls_bytes authorities);

/* Add roots. Return 0 or an error of enum kdtls_engine_error. */
int dtls_x509_trust_add(struct dtls_trust *t, const struct dtls_store *roots);

/*
 * Add a raw public key. Return 0, or an error that
 * kdtls_endpoint_trust_raw_key() has.
 */
int dtls_x509_trust_add_raw(struct dtls_trust *t,
			    const struct dtls_store *source);

/* Add the roots that the system has. Return false if libcrypto failed. */
bool dtls_x509_trust_add_system(struct dtls_trust *t);

/* Free all that is trusted, and zero @t. */
void dtls_x509_trust_exit(struct dtls_trust *t);

/**
 * dtls_x509_chain_parse() - read the body of a Certificate message
 * @chain:	all zero before; points into @body on success
 * @body:	the message in the form of DTLS 1.2 (RFC 5246 7.4.2), or a raw
 *		key
 * @raw:	@body is one SubjectPublicKeyInfo (RFC 7250 3)
 *
 * Return: 0, or the alert to send. An empty list leaves @chain->count 0.
 */
int dtls_x509_chain_parse(struct dtls_chain *chain, struct dtls_bytes body,
			  bool raw);

/* Free the parsed certificates and key, and zero @chain. */
void dtls_x509_chain_free(struct dtls_chain *chain);

/**
 * struct dtls_purpose - what a chain is verified for
 * @server:	true: the chain is that of a server; false: of a client
 * @name:	the host name or address that the certificate must have, from
 *		dtls_name_read(); NULL: any name will do
 * @time:	the time at which the chain must be valid, in seconds since 1970
 */
struct dtls_purpose {
	bool server;
	const char *name;
	int64_t time;
};

/**
 * dtls_x509_chain_verify() - verify the chain or raw key that a peer has shown
 * @t:		the roots and raw keys that are trusted
 * @chain:	the chain or raw key
 * @purpose:	the purpose of the chain; a trusted raw key serves every purpose
 * @until:	if the chain is valid, set to when the first of its certificates
 *		expires
 * @reason:	set to the result in words
 *
 * Return: 0 or an X509_V_ERR_*.
 */
int dtls_x509_chain_verify(const struct dtls_trust *t,
			   const struct dtls_chain *chain,
			   const struct dtls_purpose *purpose, int64_t *until,
			   const char **reason);

/*
 * Return when the peer's certificate expires, in seconds since 1970, without a
 * look at its issuers; or DTLS_NO_END for a raw public key.
 */
int64_t dtls_x509_chain_end(const struct dtls_chain *chain);

/* Return the alert for an X509_V_ERR_* (RFC 5246 7.2.2). */
int dtls_x509_chain_alert(int result);

#endif /* _DTLS_X509_H */
