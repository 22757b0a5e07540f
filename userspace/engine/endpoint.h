/* SPDX-License-Identifier: BSD-3-Clause */
/* What the engines of an endpoint share; see struct kdtls_config. */
#ifndef _DTLS_ENDPOINT_H
#define _DTLS_ENDPOINT_H

#include <kdtls/engine.h>

#include "cache.h"
#include "collect.h"
#include "cookie.h"
#include "spent.h"
#include "ticket.h"
#include "x509.h"

#define DTLS_SUITES_MAX		32
#define DTLS_SCHEMES_MAX	16

/**
 * struct dtls_psk_use - the pre-shared key that one role used last; see psks.c
 * @used:	there was such a key
 * @basis:	hash of that key
 */
struct dtls_psk_use {
	bool used;
	u8 basis[DTLS_BASIS_SIZE];
};

/*
 * struct dtls_scratch begins a buffer of the socket driver's; see ../scratch.c.
 */
struct dtls_scratch {
	struct dtls_scratch *next;
};

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
	struct dtls_trust trust;
	bool speaks12;		/* versions, and suites of them, are allowed */
	bool speaks13;
	bool trust_x509;	/* roots were given, or nothing is verified */
	struct dtls_cookie cookie;
	struct dtls_collector collector;
	struct dtls_tickets tickets;
	struct dtls_spent spent;
	struct dtls_cache cache;
	struct dtls_psk_use psk_use[2];	/* of clients and of servers */
	u32 handshakes;		/* how many are going on */
	u32 engines;		/* how many there are */
	bool dropped;		/* its owner has freed it; the last engine does */

	/* The driver keeps the pre-shared key of kdtls_use_psk() here. */
	u8 psk_len;
	u8 psk_identity_len;
	u8 psk[KDTLS_PSK_MAX];
	u8 psk_identity[KDTLS_PSK_IDENTITY_MAX];
	struct dtls_scratch *scratch;	/* buffers that are not in use */
};

static inline bool dtls_endpoint_flag(const struct kdtls_endpoint *ep, u32 flag)
{
	return ep->config.flags & flag;
}

/* Take one engine of @ep off. The last one frees an endpoint that was freed. */
void dtls_endpoint_put(struct kdtls_endpoint *ep);

/*
 * Return the time, in seconds since 1970. @ctx is the context of an engine, or
 * NULL if there is none yet.
 */
int64_t dtls_endpoint_time(const struct kdtls_endpoint *ep, void *ctx);

/* Return the suite of this number if the endpoint may use it, or NULL. */
const struct dtls_suite *dtls_endpoint_suite(const struct kdtls_endpoint *ep,
					     u16 id);

/* Return the group of this number if the endpoint may use it, or NULL. */
const struct dtls_group *dtls_endpoint_group(const struct kdtls_endpoint *ep,
					     u16 id);

/* Return true if this hello is answered in DTLS 1.3. */
static inline bool dtls_endpoint_takes_13(const struct kdtls_endpoint *ep,
					  const struct dtls_client_hello *ch)
{
	return ep->speaks13 && dtls_hello_offers(ch, DTLS_VERSION_1_3);
}

#endif /* _DTLS_ENDPOINT_H */
