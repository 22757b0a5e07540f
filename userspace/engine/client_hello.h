/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions write the ClientHello. A client sends the same hello for both
 * versions, and the server chooses one of them.
 */
#ifndef _DTLS_CLIENT_HELLO_H
#define _DTLS_CLIENT_HELLO_H

#include "state.h"

/**
 * struct dtls_offered_psk - a key that a ClientHello offers
 * @key:	the key
 * @identity:	identity of the key, or the ticket
 * @age:	the ticket's obfuscated age (RFC 8446 4.2.11.1), or 0
 * @resumes:	the key is that of a session
 * @sha384:	the binder is made with SHA-384, else with SHA-256
 */
struct dtls_offered_psk {
	struct dtls_bytes key;
	struct dtls_bytes identity;
	u32 age;
	bool resumes;
	bool sha384;
};

#define DTLS_OFFERED_PSKS	2

/*
 * Write the first hello, or the one that answers HelloVerifyRequest or
 * HelloRetryRequest. Return: 0 or an error.
 */
int dtls_client_hello_send(struct kdtls_engine *e);

/*
 * Take back the ServerHello that answered the hello: the handshake is where it was
 * when the hello had gone out. The hello has to be the last message that the client
 * has sent. Return 0 or an error.
 */
int dtls_client_hello_unanswered(struct kdtls_engine *e);

/*
 * Return true if a suite of DTLS 1.2 may be offered, because the client could
 * complete a handshake with it.
 */
bool dtls_client_hello_suite(const struct kdtls_engine *e,
			     const struct dtls_suite *suite);

/*
 * List the pre-shared keys and tickets that the hello offers, DTLS_OFFERED_PSKS
 * at most. A key whose hash is not that of the suite in a HelloRetryRequest is
 * left out (RFC 8446 4.1.4). Return how many keys are in the list.
 */
unsigned int dtls_client_hello_psks(const struct kdtls_engine *e,
				    struct dtls_offered_psk *list);

/*
 * Make a key pair whose public key is the key share of the next hello. It
 * replaces an earlier one. Return false if libcrypto failed.
 */
bool dtls_client_hello_share_key(struct kdtls_engine *e,
				 const struct dtls_group *group);

#endif /* _DTLS_CLIENT_HELLO_H */
