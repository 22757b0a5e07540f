/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages and flights of a handshake, for both versions and both ends. */
#ifndef _DTLS_HANDSHAKE_H
#define _DTLS_HANDSHAKE_H

#include "state.h"

/* Begin a message. Return: where its body is to be written. */
struct dtls_writer *dtls_handshake_message(struct kdtls_engine *e, u8 type);

/* The message is complete: it joins transcript and flight. */
int dtls_handshake_message_end(struct kdtls_engine *e);

/* Begin a flight; the peer has got the one before. */
void dtls_handshake_flight_begin(struct kdtls_engine *e);

/* The flight is complete; if an answer is due, the timer starts. */
void dtls_handshake_flight_end(struct kdtls_engine *e, bool answer_due);

/* A line in a table of what is expected when */
struct dtls_expected {
	enum dtls_step step;
	u8 type;
	int (*receive)(struct kdtls_engine *e, struct dtls_bytes body);
};

/* Call the function for a message by such a table. Return: 0 or an error. */
int dtls_handshake_receive(struct kdtls_engine *e,
			   const struct dtls_expected *table, size_t count,
			   u8 type, struct dtls_bytes body);

/*
 * Hash the transcript's first @len bytes into @buf, DTLS_HASH_MAX bytes.
 * Return: the hash; empty: libcrypto failed.
 */
struct dtls_bytes dtls_handshake_hash(const struct kdtls_engine *e, size_t len,
				      u8 *buf);

/* Give the owner a line of the key log (NSS format), if it wants any. */
void dtls_handshake_key_log(struct kdtls_engine *e, const char *label,
			    const u8 *secret, size_t len);

#endif /* _DTLS_HANDSHAKE_H */
