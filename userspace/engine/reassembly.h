/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The peer's handshake messages in their order (RFC 6347 4.2.3). Memory is
 * bounded: by DTLS_AHEAD messages, each of a largest size, and by a largest
 * sum.
 */
#ifndef _DTLS_REASSEMBLY_H
#define _DTLS_REASSEMBLY_H

#include "incoming.h"

#define DTLS_AHEAD	8	/* no flight of DTLS 1.2 has more messages */

/**
 * struct dtls_reassembly - the messages so far; zeroed at first
 * @slot:	the messages from @next on, at message_seq modulo DTLS_AHEAD
 * @held:	bytes of memory of these
 * @next:	message_seq of the message that is delivered next
 */
struct dtls_reassembly {
	struct dtls_incoming slot[DTLS_AHEAD];
	size_t held;
	u16 next;
};

/* These tell what has become of a fragment. */
enum dtls_reassembly_result {
	DTLS_REASSEMBLY_TAKEN,	/* the fragment is kept, or was there before */
	DTLS_REASSEMBLY_OLD,	/* its message was delivered before */
	DTLS_REASSEMBLY_DROPPED, /* it is too far ahead or contradictory, or has no room */
	DTLS_REASSEMBLY_TOO_LONG, /* the next message is longer than is allowed */
};

/**
 * dtls_reassembly_add() - take a fragment
 * @r:		the messages so far
 * @f:		the fragment; its bytes are copied
 * @epoch:	of its record: what was verified replaces what was not
 * @max_message: bytes of the largest message
 * @max_held:	bytes of all that is held
 *
 * Return: one of enum dtls_reassembly_result.
 */
enum dtls_reassembly_result
dtls_reassembly_add(struct dtls_reassembly *r, const struct dtls_fragment *f,
		    u64 epoch, size_t max_message, size_t max_held);

/* Return the message that is next, if it is complete, or NULL. */
const struct dtls_incoming *
dtls_reassembly_next(const struct dtls_reassembly *r);

/* Return true if a part of a message came in a record of @epoch or later. */
bool dtls_reassembly_has(const struct dtls_reassembly *r, u64 epoch);

/* Return true if something has come that lies behind something missing. */
bool dtls_reassembly_gap(const struct dtls_reassembly *r);

/*
 * Drop the message that dtls_reassembly_next() returned, and go on to the next.
 */
void dtls_reassembly_pop(struct dtls_reassembly *r);

/* Wipe and free what is held. @r->next stays as it is. */
void dtls_reassembly_clear(struct dtls_reassembly *r);

#endif /* _DTLS_REASSEMBLY_H */
