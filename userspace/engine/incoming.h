/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A handshake message that comes in fragments (RFC 6347 4.2.3): in any order,
 * cut anywhere, overlapping, twice, or not at all. Memory is taken for bytes
 * that have come, never for a length that is only claimed.
 */
#ifndef _DTLS_INCOMING_H
#define _DTLS_INCOMING_H

#include "fragment.h"

/**
 * struct dtls_chunk - a run of bytes of a message's body
 * @next:	the run that follows, by offset, or NULL
 * @offset:	where it begins in the body
 * @len:	bytes of @data
 * @data:	the bytes
 */
struct dtls_chunk {
	struct dtls_chunk *next;
	u32 offset;
	u32 len;
	u8 data[];
};

/**
 * struct dtls_incoming - a message, or the part of it that has come
 * @data:	header as if unfragmented, and body; NULL until all has come
 * @chunks:	what has come before that, by offset; no byte is in two chunks
 * @size:	bytes of memory held
 * @epoch:	of the records that bore the message
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
 * @m:		zeroed, or of the fragment's type, length and message_seq
 * @f:		the fragment; its bytes are copied
 * @room:	bytes of memory that may be taken
 *
 * Bytes that have come before stay as they are.
 *
 * Return: false if there is no room or memory; what was taken stays.
 */
bool dtls_incoming_add(struct dtls_incoming *m, const struct dtls_fragment *f,
		       size_t room);

/* Return true if @f cannot be a fragment of this message. */
bool dtls_incoming_contradicts(const struct dtls_incoming *m,
			       const struct dtls_fragment *f);

/* Wipe and free what has come, and zero @m. */
void dtls_incoming_clear(struct dtls_incoming *m);

#endif /* _DTLS_INCOMING_H */
