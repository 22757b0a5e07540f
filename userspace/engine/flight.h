/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The flight being sent (RFC 6347 4.2.4): its messages, kept until the peer is
 * seen to have them, what is still to go out, and the timer. In DTLS 1.3 the
 * peer says which records it has (RFC 9147 7): what it has does not go out again.
 */
#ifndef _DTLS_FLIGHT_H
#define _DTLS_FLIGHT_H

#include "fragment.h"

/* A handshake message with header, or a ChangeCipherSpec */
struct dtls_outgoing {
	struct dtls_outgoing *next;
	u64 epoch;
	u8 type;		/* content type */
	u32 len;
	u32 missing;		/* bytes of body not acknowledged; empty: 1 */
	u8 data[];		/* and a bitmap of what is */
};

#define DTLS_SENT_MAX	64

/*
 * Which piece went out in which record, the last ones in a ring. Pieces of one
 * record bear the same number. The ring grows with the pieces of a flight, up to
 * DTLS_SENT_MAX, and goes round only then.
 */
struct dtls_sent {
	u32 count;
	u32 room;
	struct {
		u64 epoch;
		u64 seq;
		struct dtls_outgoing *message;
		u32 offset;
		u32 len;
	} record[];
};

struct dtls_flight {
	struct dtls_outgoing *first;
	struct dtls_outgoing *last;
	struct dtls_outgoing *cursor;	/* goes out next; NULL: all is out */
	u32 offset;			/* in its body */
	bool again;			/* it went out before */
	struct dtls_sent *sent;		/* DTLS 1.3 */
};

/* All that is to be known of what a record bears of one message */
struct dtls_piece {
	u64 epoch;
	u8 type;
	size_t len;
	struct dtls_outgoing *message;
	u32 offset;
	u32 body;		/* bytes of the message's body */
};

/**
 * dtls_flight_add() - append a message; it goes out after the others
 * @data:	copied
 */
bool dtls_flight_add(struct dtls_flight *f, u64 epoch, u8 type, const u8 *data,
		     size_t len);

/* Return: a flight has messages that did not go out yet. */
static inline bool dtls_flight_pending(const struct dtls_flight *f)
{
	return f->cursor;
}

/**
 * dtls_flight_next() - cut off what goes into a record
 * @room:	bytes of content that may go in
 * @out:	@room bytes
 * @piece:	set
 *
 * Return: false if nothing useful fits into @room.
 */
bool dtls_flight_next(struct dtls_flight *f, size_t room, u8 *out,
		      struct dtls_piece *piece);

/* All of it that is not acknowledged is to go out again. */
void dtls_flight_rewind(struct dtls_flight *f);

/**
 * dtls_flight_sent() - a piece goes out in a record
 * @seq:	the record's number, or DTLS_SEQ_UNKNOWN until
 *		dtls_flight_numbered() tells it
 *
 * Return: false if there is no memory.
 */
#define DTLS_SEQ_UNKNOWN	UINT64_MAX
bool dtls_flight_sent(struct dtls_flight *f, const struct dtls_piece *piece,
		      u64 epoch, u64 seq);

/*
 * The pieces whose record had no number yet went out in this one; DTLS_SEQ_LOST:
 * they did not go out, or nobody knows in which.
 */
#define DTLS_SEQ_LOST		(UINT64_MAX - 1)
void dtls_flight_numbered(struct dtls_flight *f, u64 epoch, u64 seq);

/* The peer has this record. Return: whether that is news. */
bool dtls_flight_acknowledge(struct dtls_flight *f, u64 epoch, u64 seq);

/* Return: the peer has acknowledged all of it. */
bool dtls_flight_done(const struct dtls_flight *f);

void dtls_flight_clear(struct dtls_flight *f);

#endif /* _DTLS_FLIGHT_H */
