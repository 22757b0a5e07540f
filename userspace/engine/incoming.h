/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions put a handshake message together (RFC 6347 4.2.3). Its
 * fragments may come in any order, be cut anywhere, overlap, come twice, or get
 * lost. Memory is taken for bytes that have come, and never for a length that
 * is only claimed.
 */
#ifndef _DTLS_INCOMING_H
#define _DTLS_INCOMING_H

#include "fragment.h"

/**
 * struct dtls_chunk - a run of bytes of a message's body
 * @next:	the chunk with the next higher offset, or NULL
 * @offset:	where the chunk begins in the body
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
 * @data:	the complete message, with the header of an unfragmented message;
 *		NULL while bytes are missing
 * @chunks:	the bytes that have come while others are missing, by offset; no
 *		byte is in two chunks
 * @size:	bytes of memory that the message takes
 * @epoch:	epoch of the records that the fragments came in
 * @len:	bytes of header and body; 0: no fragment has come
 * @missing:	bytes of body that have not come
 * @seq:	message_seq of the message
 * @count:	number of @chunks
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
	u16 count;
	u8 type;
};

/**
 * dtls_incoming_add() - take a fragment
 * @m:		the message, of the same type, length and message_seq; or all
 *		zero before the first fragment
 * @f:		the fragment; its bytes are copied
 * @room:	how many bytes of memory may be taken
 *
 * Bytes that have come before are not overwritten. The number of chunks is
 * bounded, as each fragment is looked for among them.
 *
 * Return: false if there is no room or memory, or there are too many chunks;
 * bytes that were stored stay.
 */
bool dtls_incoming_add(struct dtls_incoming *m, const struct dtls_fragment *f,
		       size_t room);

/* Return true if @f cannot be a fragment of this message. */
bool dtls_incoming_contradicts(const struct dtls_incoming *m,
			       const struct dtls_fragment *f);

/* Wipe and free all bytes that have come, and zero @m. */
void dtls_incoming_clear(struct dtls_incoming *m);

#endif /* _DTLS_INCOMING_H */
