/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions are the acknowledgements of DTLS 1.3 (RFC 9147 7). This end
 * keeps a list of the peer's handshake records that it has taken in, sends it
 * in an ACK, and reads the ACKs of the peer.
 */
#ifndef _DTLS_ACK_H
#define _DTLS_ACK_H

#include "state.h"

/* Note the number of a handshake record that was taken in. */
void dtls_ack_note(struct kdtls_engine *e, const struct dtls_record *record);

/* Make the list go out in an ACK with the next output. */
void dtls_ack_due(struct kdtls_engine *e);

/*
 * Make the list go out in an ACK, @after microseconds from now at the latest.
 */
void dtls_ack_after(struct kdtls_engine *e, u64 after);

/* Return the time at which the list has to go out, or KDTLS_NEVER. */
u64 dtls_ack_expiry(const struct kdtls_engine *e);

/* Make the list go out if the time of dtls_ack_expiry() has come. */
void dtls_ack_expire(struct kdtls_engine *e);

#define DTLS_ACK_SIZE	(2 + 16 * DTLS_ACKS_MAX)

/*
 * Write the content of an ACK, @size bytes at most. Return how many bytes it
 * has, or 0 if no ACK is due.
 */
size_t dtls_ack_write(struct kdtls_engine *e, u8 *out, size_t size);

/**
 * dtls_ack_receive() - read the peer's ACK
 * @e:		the engine, whose flight the ACK may be about
 * @epoch:	epoch of the record that the ACK came in
 * @content:	the ACK; a malformed one changes nothing
 *
 * Return: true if the peer has the whole flight.
 */
bool dtls_ack_receive(struct kdtls_engine *e, u64 epoch,
		      struct dtls_bytes content);

#endif /* _DTLS_ACK_H */
