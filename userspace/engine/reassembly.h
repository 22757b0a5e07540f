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

#include "messages.h"

#define DTLS_AHEAD	8	/* no flight of DTLS 1.2 has more messages */

/* Bytes of a message's body that have come */
struct dtls_chunk {
	struct dtls_chunk *next;
	u32 offset;
	u32 len;
	u8 data[];
};

/**
 * struct dtls_incoming - a message, or the part of it that has come
 * @data:	header as if unfragmented, and body; NULL until all has come
 * @chunks:	until then what has come, by offset; no byte stands in two
 * @size:	bytes of memory held
 * @epoch:	of the records that bore it
 * @len:	bytes of header and body; 0: nothing has come
 * @missing:	bytes of body that have not come
 * @seq:	message_seq
 * @type:	enum dtls_message_type
 */
struct dtls_incoming {
	u8 *data;
	struct dtls_chunk *chunks;
	size_t size;
	u64 epoch;
	u32 len;
	u32 missing;
	u16 seq;
	u8 type;
};

/**
 * dtls_incoming_add() - take a fragment
 * @m:		zeroed at first; else of the same type, length and message_seq
 * @room:	bytes of memory that may be taken
 *
 * Bytes that have come before stay as they are.
 *
 * Return: false for want of room or memory; what was taken stays.
 */
bool dtls_incoming_add(struct dtls_incoming *m, const struct dtls_fragment *f,
		       size_t room);

/* Return true if @f cannot be a fragment of this message. */
bool dtls_incoming_contradicts(const struct dtls_incoming *m,
			       const struct dtls_fragment *f);

void dtls_incoming_clear(struct dtls_incoming *m);

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
