/* SPDX-License-Identifier: BSD-3-Clause */
/* Data before the handshake (0-RTT); see early.c. */
#ifndef _DTLS_EARLY_H
#define _DTLS_EARLY_H

#include "state.h"

struct dtls_early_queue {
	struct dtls_early_queue *next;
	size_t len;
	u8 data[];
};

struct dtls_early {
	struct dtls_protection *key;	/* client: to write with; server: to read */
	struct dtls_key_info info;	/* the same */
	struct dtls_early_queue *queue;	/* client: to be sent, a record each */
	u32 left;			/* bytes that may still come */
};

void dtls_early_free(struct kdtls_engine *e);

/* client: @hash: of the hello, which is complete and offers it */
int dtls_early_offered(struct kdtls_engine *e, struct dtls_bytes hash);
/* Return: bytes of one record; 0: there is none. */
long dtls_early_output(struct kdtls_engine *e, u8 *buf, size_t size);
/* The server does not take it: HelloRetryRequest, or no word of it */
void dtls_early_refused(struct kdtls_engine *e);
/* What EncryptedExtensions say of it */
int dtls_early_answer(struct kdtls_engine *e, const struct dtls_extensions *x);

/* server: its session was chosen: was the hello's ticket spent on it? */
bool dtls_early_offers(struct kdtls_engine *e,
		       const struct dtls_client_hello *ch);
/* And is the session as it was? Then its early data is read from here on. */
int dtls_early_accept(struct kdtls_engine *e);
/* Verified content of epoch 1 */
int dtls_early_take(struct kdtls_engine *e, u8 type, struct dtls_bytes content);

bool dtls_early_same_alpn(const struct kdtls_engine *e,
			  const struct dtls_session *s);

#endif /* _DTLS_EARLY_H */
