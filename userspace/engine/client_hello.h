/* SPDX-License-Identifier: BSD-3-Clause */
/* The ClientHello of both versions. */
#ifndef _DTLS_CLIENT_HELLO_H
#define _DTLS_CLIENT_HELLO_H

#include "state.h"

/* A key that is offered */
struct dtls_offered_psk {
	struct dtls_bytes key;
	struct dtls_bytes identity;
	u32 age;
	bool resumes;
	bool sha384;
};

#define DTLS_OFFERED_PSKS	2

/* Write the hello, the first one or that after a HelloRetryRequest. */
int dtls_client_hello_send(struct kdtls_engine *e);

/* A suite of DTLS 1.2 is offered if it could succeed here. */
bool dtls_client_hello_suite(const struct kdtls_engine *e,
			     const struct dtls_suite *suite);

/*
 * The keys that are offered. Return: how many. One whose hash is not that of the
 * suite a server asked for is left out (RFC 8446 4.1.4).
 */
unsigned int dtls_client_hello_psks(const struct kdtls_engine *e,
				    struct dtls_offered_psk *list);

/* Make the key whose public half is the next hello's share. */
bool dtls_client_hello_share_key(struct kdtls_engine *e,
				 const struct dtls_group *group);

#endif /* _DTLS_CLIENT_HELLO_H */
