/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Putting handshake messages together (RFC 6347 4.2.3): fragments come in any
 * order, cut anywhere, overlapping, twice, or not at all.
 *
 * Memory is taken for bytes that have come, never for a length that is only
 * claimed, and is bounded: by DTLS_AHEAD messages, each of a largest size, and
 * a largest sum.
 */
#ifndef _DTLS_REASSEMBLY_H
#define _DTLS_REASSEMBLY_H

#include "incoming.h"

#define DTLS_AHEAD	8	/* no flight of DTLS 1.2 has more messages */

struct dtls_reassembly {
	struct dtls_incoming slot[DTLS_AHEAD];
	size_t held;		/* bytes */
	u16 next;		/* message_seq to deliver next */
};

enum dtls_reassembly_result {
	DTLS_REASSEMBLY_TAKEN,
	DTLS_REASSEMBLY_OLD,	/* message_seq was delivered before */
	DTLS_REASSEMBLY_DROPPED, /* too far ahead, contradictory, or no room */
	DTLS_REASSEMBLY_TOO_LONG, /* of the message that is next */
};

/**
 * dtls_reassembly_add() - take a fragment
 * @epoch:	of its record: one that was verified replaces what was not
 * @max_message: bytes of the largest message
 * @max_held:	bytes of all that is held
 *
 * Return: one of enum dtls_reassembly_result.
 */
enum dtls_reassembly_result
dtls_reassembly_add(struct dtls_reassembly *r, const struct dtls_fragment *f,
		    u64 epoch, size_t max_message, size_t max_held);

/* Return: the message that is next, if complete, else NULL. */
const struct dtls_incoming *
dtls_reassembly_next(const struct dtls_reassembly *r);

/* Is there anything of a message in records of @epoch or later? */
bool dtls_reassembly_has(const struct dtls_reassembly *r, u64 epoch);

/* Is there anything behind something that is missing? */
bool dtls_reassembly_gap(const struct dtls_reassembly *r);

/* Done with what dtls_reassembly_next() gave. */
void dtls_reassembly_pop(struct dtls_reassembly *r);

void dtls_reassembly_clear(struct dtls_reassembly *r);

#endif /* _DTLS_REASSEMBLY_H */
