/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The peer's handshake messages are kept until they can be delivered in their
 * order (RFC 6347 4.2.3). At most DTLS_AHEAD messages are kept. The size of
 * each message and the memory of all of them have limits, which the caller
 * gives.
 */
#ifndef _DTLS_REASSEMBLY_H
#define _DTLS_REASSEMBLY_H

#include "incoming.h"

#define DTLS_AHEAD	8	/* No flight of DTLS 1.2 has more messages. */

/**
 * struct dtls_reassembly - messages that wait to be delivered; all zero at first
 * @slot:	the messages from @next on, each at message_seq modulo
 *		DTLS_AHEAD
 * @held:	bytes of memory of all messages
 * @next:	message_seq of the message that is delivered next
 */
struct dtls_reassembly {
	struct dtls_incoming slot[DTLS_AHEAD];
	size_t held;
	u16 next;
};

/*
 * enum dtls_reassembly_result tells what dtls_reassembly_add() did with a
 * fragment.
 */
enum dtls_reassembly_result {
	DTLS_REASSEMBLY_TAKEN,	/* The fragment is kept, or was there before. */
	DTLS_REASSEMBLY_OLD,	/* The message was delivered before. */
	DTLS_REASSEMBLY_DROPPED, /* The fragment contradicts others, or is too far ahead or big. */
	DTLS_REASSEMBLY_TOO_LONG, /* The next message is longer than allowed. */
};

/**
 * dtls_reassembly_add() - take a fragment
 * @r:		the messages so far
 * @f:		the fragment; its bytes are copied
 * @epoch:	epoch of the fragment's record. A protected message replaces one
 *		that came in the clear
 * @max_message: how many bytes the message may have
 * @max_held:	how many bytes of memory all messages may take
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

/* Return true if a message has come while one before it is missing. */
bool dtls_reassembly_gap(const struct dtls_reassembly *r);

/*
 * Drop the message that dtls_reassembly_next() returned, and go on to the next.
 */
void dtls_reassembly_pop(struct dtls_reassembly *r);

/* Wipe and free all messages. @r->next stays as it is. */
void dtls_reassembly_clear(struct dtls_reassembly *r);

#endif /* _DTLS_REASSEMBLY_H */
