/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An endpoint has everything that its engines share. See struct kdtls_config.
 */
#ifndef _DTLS_ENDPOINT_H
#define _DTLS_ENDPOINT_H

#include <kdtls/engine.h>

#include "cache.h"
#include "collect.h"
#include "cookie.h"
#include "secret.h"
#include "spent.h"
#include "ticket.h"
#include "x509.h"

#define DTLS_SUITES_MAX		32
#define DTLS_SCHEMES_MAX	16

/**
 * struct dtls_psk_use - the pre-shared key that one role used last; see psks.c
 * @used:	a pre-shared key was used
 * @basis:	hash of the key
 */
struct dtls_psk_use {
	bool used;
	u8 basis[DTLS_BASIS_SIZE];
};

/*
 * struct dtls_scratch begins a buffer of the socket driver, which scratch.c of
 * the driver makes. @next is the next buffer that is not in use, or NULL.
 */
struct dtls_scratch {
	struct dtls_scratch *next;
};

/**
 * struct kdtls_endpoint - what engines share; one thread at a time uses it
 * @config:	copy of the configuration
 * @crypto:	the algorithms of libcrypto
 * @suites:	the suites that may be used, the best first
 * @groups:	the groups that may be used, the best first
 * @schemes:	the signature schemes that may be used, the best first
 * @suite_count: number of @suites
 * @group_count: number of @groups
 * @scheme_count: number of @schemes
 * @identities:	certificates and raw keys of this end
 * @passphrase:	the passphrase of encrypted keys and certificates, or NULL
 * @trust:	roots and raw keys that this end trusts
 * @speaks12:	DTLS 1.2 is allowed, and so are suites of it
 * @speaks13:	DTLS 1.3 is allowed, and so are suites of it
 * @trust_x509:	roots were given, or chains are not verified
 * @cookie:	the keys of cookies
 * @collector:	pieces of strangers' hellos
 * @tickets:	the keys of tickets
 * @spent:	tickets that were spent on early data
 * @cache:	sessions of DTLS 1.2 by id
 * @psk_use:	the pre-shared key that clients used last, and that of servers
 * @handshakes:	number of handshakes that are going on
 * @engines:	number of engines of this endpoint
 * @dropped:	the owner has freed the endpoint, so the last engine frees it
 * @psk_len:	bytes of @psk; 0: kdtls_use_psk() was not called
 * @psk_identity_len: bytes of @psk_identity
 * @psk:	the pre-shared key of kdtls_use_psk(), kept for the driver
 * @psk_identity: identity of @psk
 * @scratch:	buffers of the driver that are not in use
 */
struct kdtls_endpoint {
	struct kdtls_config config;
	struct dtls_crypto crypto;
	const struct dtls_suite *suites[DTLS_SUITES_MAX];
	const struct dtls_group *groups[DTLS_GROUPS_MAX];
	const struct dtls_scheme *schemes[DTLS_SCHEMES_MAX];
	size_t suite_count;
	size_t group_count;
	size_t scheme_count;
	struct dtls_identity *identities;
	char *passphrase;
	struct dtls_trust trust;
	bool speaks12;
	bool speaks13;
	bool trust_x509;
	struct dtls_cookie cookie;
	struct dtls_collector collector;
	struct dtls_tickets tickets;
	struct dtls_spent spent;
	struct dtls_cache cache;
	struct dtls_psk_use psk_use[2];
	u32 handshakes;
	u32 engines;
	bool dropped;

	u8 psk_len;
	u8 psk_identity_len;
	u8 psk[KDTLS_PSK_MAX];
	u8 psk_identity[KDTLS_PSK_IDENTITY_MAX];
	struct dtls_scratch *scratch;
};

/* Return true if the configuration has this flag: KDTLS_*. */
static inline bool dtls_endpoint_flag(const struct kdtls_endpoint *ep, u32 flag)
{
	return ep->config.flags & flag;
}

/*
 * Show the certificates of @chain with the key of @key. Return 0 or an error of
 * enum kdtls_engine_error.
 */
int dtls_endpoint_show(struct kdtls_endpoint *ep,
		       const struct dtls_store *chain,
		       const struct dtls_store *key);

/*
 * Take the certificates of @roots as roots. Return 0 or an error of enum
 * kdtls_engine_error.
 */
int dtls_endpoint_believe(struct kdtls_endpoint *ep,
			  const struct dtls_store *roots);

/*
 * Count one engine of @ep less. If the owner has freed the endpoint, the last
 * engine frees its memory.
 */
void dtls_endpoint_put(struct kdtls_endpoint *ep);

/*
 * Take copies of the parts of @secret, which others have, too. Return 0;
 * -KDTLS_EUSAGE: the endpoint is used already, or takes early data;
 * -KDTLS_ECRYPTO: libcrypto or memory failed.
 */
int dtls_endpoint_share(struct kdtls_endpoint *ep,
			const struct dtls_secret *secret);

/* Forget the shared keys of tickets that are too old now; see dtls_tickets_age(). */
void dtls_endpoint_age(struct kdtls_endpoint *ep);

/*
 * Return the time, in seconds since 1970. @ctx is the context of an engine, or
 * NULL if there is none yet.
 */
int64_t dtls_endpoint_time(const struct kdtls_endpoint *ep, void *ctx);

/* Return the suite with the number @id if the endpoint may use it, or NULL. */
const struct dtls_suite *dtls_endpoint_suite(const struct kdtls_endpoint *ep,
					     u16 id);

/* Return the group with the number @id if the endpoint may use it, or NULL. */
const struct dtls_group *dtls_endpoint_group(const struct kdtls_endpoint *ep,
					     u16 id);

/* Return true if a server of @ep answers this hello in DTLS 1.3. */
static inline bool dtls_endpoint_takes_13(const struct kdtls_endpoint *ep,
					  const struct dtls_client_hello *ch)
{
	return ep->speaks13 && dtls_hello_offers(ch, DTLS_VERSION_1_3);
}

#endif /* _DTLS_ENDPOINT_H */
