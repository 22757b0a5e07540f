/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions read and write fragments of handshake messages (RFC 6347
 * 4.2.2). Every byte of the input is hostile. Parsed structures point into the
 * input.
 */
#ifndef _DTLS_FRAGMENT_H
#define _DTLS_FRAGMENT_H

#include "wire.h"

/* These are the types of handshake messages (RFC 5246 7.4). */
enum dtls_message_type {
	DTLS_HELLO_REQUEST = 0,
	DTLS_CLIENT_HELLO = 1,
	DTLS_SERVER_HELLO = 2,
	DTLS_HELLO_VERIFY_REQUEST = 3,
	DTLS_NEW_SESSION_TICKET = 4,
	DTLS_ENCRYPTED_EXTENSIONS = 8,	/* RFC 8446 4 */
	DTLS_REQUEST_CONNECTION_ID = 9,	/* RFC 9147 9 */
	DTLS_NEW_CONNECTION_ID = 10,
	DTLS_CERTIFICATE = 11,
	DTLS_SERVER_KEY_EXCHANGE = 12,
	DTLS_CERTIFICATE_REQUEST = 13,
	DTLS_SERVER_HELLO_DONE = 14,
	DTLS_CERTIFICATE_VERIFY = 15,
	DTLS_CLIENT_KEY_EXCHANGE = 16,
	DTLS_FINISHED = 20,
	DTLS_KEY_UPDATE = 24,
	DTLS_MESSAGE_HASH = 254,	/* The message is in transcripts alone (RFC 8446 4.4.1). */
};

#define DTLS_MESSAGE_HEADER	12

/**
 * struct dtls_fragment - a fragment of a handshake message
 * @type:	enum dtls_message_type
 * @seq:	message_seq of the message
 * @length:	bytes of the whole message, without its header
 * @offset:	where the fragment begins in the message
 * @body:	the bytes of the fragment
 */
struct dtls_fragment {
	u8 type;
	u16 seq;
	u32 length;
	u32 offset;
	struct dtls_bytes body;
};

/**
 * dtls_fragment_parse() - take the next fragment out of a record's content
 * @r:		the rest of the content; moved behind the fragment
 * @f:		filled in; points into the content
 *
 * Return: false if @r does not begin with a well-formed fragment; @r is
 * unchanged then.
 */
bool dtls_fragment_parse(struct dtls_bytes *r, struct dtls_fragment *f);

/* Write the header of a fragment, DTLS_MESSAGE_HEADER bytes. */
void dtls_fragment_write(u8 *p, u8 type, u32 length, u16 seq, u32 offset,
			 u32 len);

#endif /* _DTLS_FRAGMENT_H */
