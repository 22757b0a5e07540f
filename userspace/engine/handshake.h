/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions make messages and flights, for both versions and both ends.
 */
#ifndef _DTLS_HANDSHAKE_H
#define _DTLS_HANDSHAKE_H

#include "state.h"

/* Begin a message. Return the writer of its body. */
struct dtls_writer *dtls_handshake_message(struct kdtls_engine *e, u8 type);

/*
 * Complete the message that dtls_handshake_message() began, and add it to the
 * transcript and to the flight. Return 0 or an error.
 */
int dtls_handshake_message_end(struct kdtls_engine *e);

/*
 * Write the scheme of this end's key, and the signature of @data under it, into
 * a message (RFC 5246 4.7, RFC 8446 4.4.3). Return 0 or an error.
 */
int dtls_handshake_sign(struct kdtls_engine *e, struct dtls_writer *w,
			struct dtls_bytes data);

/* Begin a flight. The flight before is dropped, as the peer has received it. */
void dtls_handshake_flight_begin(struct kdtls_engine *e);

/* Complete the flight. The timer starts if an answer is due. */
void dtls_handshake_flight_end(struct kdtls_engine *e, bool answer_due);

/**
 * struct dtls_expected - a line in a table of the messages that are expected
 * @step:	the step of the handshake
 * @type:	the type of a message that may come in it
 * @receive:	takes the body of that message, and returns 0 or an error
 */
struct dtls_expected {
	enum dtls_step step;
	u8 type;
	int (*receive)(struct kdtls_engine *e, struct dtls_bytes body);
};

/*
 * Find the message @type in a table of the messages that are expected in this
 * step, and call its function. Return 0 or an error.
 */
int dtls_handshake_receive(struct kdtls_engine *e,
			   const struct dtls_expected *table, size_t count,
			   u8 type, struct dtls_bytes body);

/*
 * Hash the transcript's first @len bytes into @buf, which has DTLS_HASH_MAX
 * bytes. Return the hash, which is empty if libcrypto failed.
 */
struct dtls_bytes dtls_handshake_hash(const struct kdtls_engine *e, size_t len,
				      u8 *buf);

/*
 * Give the owner a line of the key log (NSS format), if the owner has a
 * callback for it.
 */
void dtls_handshake_key_log(struct kdtls_engine *e, const char *label,
			    const u8 *secret, size_t len);

#endif /* _DTLS_HANDSHAKE_H */
