/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A flight is the messages that this end sends before it waits for an answer
 * (RFC 6347 4.2.4). They are kept until the peer is known to have them. In DTLS
 * 1.3 the peer names the records that it has (RFC 9147 7), and the pieces that
 * were in those records are not sent again.
 */
#ifndef _DTLS_FLIGHT_H
#define _DTLS_FLIGHT_H

#include "fragment.h"

/**
 * struct dtls_outgoing - a message of a flight, or a ChangeCipherSpec
 * @next:	the next message of the flight, or NULL
 * @epoch:	epoch of the records that the message is sent in
 * @type:	content type of the records
 * @len:	bytes of the message, header included
 * @missing:	bytes of the body that the peer has not acknowledged; 1 if
 *		there is no body
 * @data:	the message, and a bitmap of the missing bytes
 */
struct dtls_outgoing {
	struct dtls_outgoing *next;
	u64 epoch;
	u8 type;
	u32 len;
	u32 missing;
	u8 data[];
};

#define DTLS_SENT_MAX	64

/**
 * struct dtls_sent - the records that the last pieces went out in, as a ring
 * @count:	number of pieces noted so far
 * @room:	number of places in @record
 * @record:	where a piece went out, and which piece it is; pieces of one
 *		record have the same number
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

/**
 * struct dtls_flight - the flight that is being sent; all zero at first
 * @first:	the first message of the flight, or NULL
 * @last:	the last message of the flight
 * @cursor:	the message that goes out next, or NULL
 * @offset:	where in the body of @cursor the next piece begins
 * @again:	the flight went out before
 * @sent:	DTLS 1.3: the records that pieces of the flight went out in, or
 *		NULL
 */
struct dtls_flight {
	struct dtls_outgoing *first;
	struct dtls_outgoing *last;
	struct dtls_outgoing *cursor;
	u32 offset;
	bool again;
	struct dtls_sent *sent;
};

/**
 * struct dtls_piece - a piece of a message that goes into one record
 * @epoch:	epoch of the record
 * @type:	content type of the record
 * @len:	bytes of the piece, header included
 * @message:	the message that the piece is cut off
 * @offset:	where the piece begins in the message's body
 * @body:	bytes of the message's body in the piece
 */
struct dtls_piece {
	u64 epoch;
	u8 type;
	size_t len;
	struct dtls_outgoing *message;
	u32 offset;
	u32 body;
};

/**
 * dtls_flight_add() - append a message, which goes out after the others
 * @f:		the flight
 * @epoch:	epoch of the records that the message will be sent in
 * @type:	content type of these records
 * @data:	the message with its header; copied
 * @len:	bytes of @data
 *
 * Return: false if there is no memory.
 */
bool dtls_flight_add(struct dtls_flight *f, u64 epoch, u8 type, const u8 *data,
		     size_t len);

/* Return true if a part of the flight is still to go out. */
static inline bool dtls_flight_pending(const struct dtls_flight *f)
{
	return f->cursor;
}

/**
 * dtls_flight_next() - cut off what goes into a record
 * @f:		the flight
 * @room:	bytes of content that the record may have
 * @out:	room for @room bytes
 * @piece:	set to the piece of a message that was cut off
 *
 * Return: false if nothing useful fits into @room.
 */
bool dtls_flight_next(struct dtls_flight *f, size_t room, u8 *out,
		      struct dtls_piece *piece);

/* Let all pieces go out again that are not acknowledged. */
void dtls_flight_rewind(struct dtls_flight *f);

#define DTLS_SEQ_UNKNOWN	UINT64_MAX

/**
 * dtls_flight_sent() - note that a piece goes out in a record
 * @f:		the flight
 * @piece:	the piece, from dtls_flight_next()
 * @epoch:	the record's epoch
 * @seq:	the record's number, or DTLS_SEQ_UNKNOWN until
 *		dtls_flight_numbered() tells it
 *
 * Return: false if there is no memory.
 */
bool dtls_flight_sent(struct dtls_flight *f, const struct dtls_piece *piece,
		      u64 epoch, u64 seq);

#define DTLS_SEQ_LOST		(UINT64_MAX - 1)

/*
 * Give the pieces that have no number yet the number of the record that they
 * went out in. DTLS_SEQ_LOST says that they did not go out, or that the record
 * is not known.
 */
void dtls_flight_numbered(struct dtls_flight *f, u64 epoch, u64 seq);

/*
 * Note that the peer has this record. Return true if that was not known before.
 */
bool dtls_flight_acknowledge(struct dtls_flight *f, u64 epoch, u64 seq);

/* Return true if the peer has acknowledged the whole flight. */
bool dtls_flight_done(const struct dtls_flight *f);

/*
 * Wipe and free all messages. The flight is all zero afterwards, as at first.
 */
void dtls_flight_clear(struct dtls_flight *f);

/* Return how many bytes of memory the flight takes. */
size_t dtls_flight_size(const struct dtls_flight *f);

#endif /* _DTLS_FLIGHT_H */
