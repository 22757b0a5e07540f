/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions send and take data before the handshake (0-RTT, RFC 8446
 * 4.2.10, RFC 9147 5.6). The public call is kdtls_engine_send_early().
 */
#ifndef _DTLS_EARLY_H
#define _DTLS_EARLY_H

#include "state.h"

/**
 * struct dtls_early_queue - the content of a record that is still to be sent
 * @next:	the content of the next record, or NULL
 * @len:	bytes of @data
 * @data:	the content
 */
struct dtls_early_queue {
	struct dtls_early_queue *next;
	size_t len;
	u8 data[];
};

/**
 * struct dtls_early - state of early data while it may be sent or received
 * @key:	the key, with which a client seals and a server opens records; NULL: a
 *		client has not written its hello yet, or dtls_early_stop() was called
 * @info:	the same key as a structure for the owner
 * @queue:	client: the records that are still to be sent
 * @left:	how many more bytes may be sent or received
 * @cut:	client: what was in @queue did not go out, as not all of it fits the MTU
 */
struct dtls_early {
	struct dtls_protection *key;
	struct dtls_key_info info;
	struct dtls_early_queue *queue;
	u32 left;
	bool cut;
};

/* Wipe and free @e->early, if there is one. */
void dtls_early_free(struct kdtls_engine *e);

/*
 * End the early data that a client sends, and wipe what has not gone out. A server of
 * DTLS 1.2 is still refused (RFC 8446 D.3).
 */
void dtls_early_stop(struct kdtls_engine *e);

/*
 * Begin early data when a client has written a complete hello that offers it.
 * @hash is the hash of that hello. Return 0 or an error.
 */
int dtls_early_offered(struct kdtls_engine *e, struct dtls_bytes hash);

/*
 * Write one record of a client's early data. Return how many bytes it has, or 0
 * if there is none to send. If a record does not fit, none of those that are left is sent.
 */
long dtls_early_output(struct kdtls_engine *e, u8 *buf, size_t size);

/*
 * End early data that the server does not take, as it has asked for another
 * hello or does not mention early data.
 */
void dtls_early_refused(struct kdtls_engine *e);

/* Read what EncryptedExtensions say of early data. Return 0 or an error. */
int dtls_early_answer(struct kdtls_engine *e, const struct dtls_extensions *x);

/*
 * Return true if the server may accept the early data of this hello, because it
 * resumes the session of the ticket that is spent on it.
 */
bool dtls_early_offers(struct kdtls_engine *e,
		       const struct dtls_client_hello *ch);

/*
 * Let a server read early data from now on, if the suite and the ALPN protocol
 * are those of the session. Return 0 or an error.
 */
int dtls_early_accept(struct kdtls_engine *e);

/* Take verified data of epoch 1. Return 0 or an error. */
int dtls_early_take(struct kdtls_engine *e, struct dtls_bytes content);

/*
 * Return true if the protocol of this handshake is that of the session, or if
 * neither has one (RFC 8446 4.2.10).
 */
bool dtls_early_same_alpn(const struct kdtls_engine *e,
			  const struct dtls_session *s);

#endif /* _DTLS_EARLY_H */
