/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Acknowledgements of DTLS 1.3 (RFC 9147 7): the list of the peer's handshake
 * records that were taken in, and what the peer says of this end's records.
 */
#ifndef _DTLS_ACK_H
#define _DTLS_ACK_H

#include "state.h"

/* A handshake record was taken in: note its number. */
void dtls_ack_note(struct kdtls_engine *e, const struct dtls_record *record);

/* The list goes out with the next output. */
void dtls_ack_due(struct kdtls_engine *e);

/* The list goes out @after microseconds at the latest. */
void dtls_ack_after(struct kdtls_engine *e, u64 after);

/* When the list goes out by itself; KDTLS_NEVER: it does not */
u64 dtls_ack_expiry(const struct kdtls_engine *e);
void dtls_ack_expire(struct kdtls_engine *e);

#define DTLS_ACK_SIZE	(2 + 16 * DTLS_ACKS_MAX)

/*
 * Write the content of an ACK, @size bytes at most. Return: bytes; 0: none is
 * due.
 */
size_t dtls_ack_write(struct kdtls_engine *e, u8 *out, size_t size);

/**
 * dtls_ack_receive() - read the peer's ACK
 * @epoch:	of the record that bore it
 *
 * Return: true if the peer has the whole flight.
 */
bool dtls_ack_receive(struct kdtls_engine *e, u64 epoch,
		      struct dtls_bytes content);

#endif /* _DTLS_ACK_H */
