/* SPDX-License-Identifier: BSD-3-Clause */
/* A ClientHello that asks to be let in, and what the gate has found out of it. */
#ifndef _DTLS_ASKED_H
#define _DTLS_ASKED_H

#include "endpoint.h"

/**
 * struct kdtls_hello - a ClientHello that was let in, and what is known of it
 * @ch:		the hello, read; points into @data
 * @parsed:	false: the hello is malformed, and @ch means nothing
 * @seq:	its message_seq
 * @record_seq:	number of the record that its last piece came in
 * @has_retry:	its cookie was made for a HelloRetryRequest of this endpoint
 * @retry:	what that cookie says
 * @tried:	the gate has tried to open its first key as a ticket; the engine
 *		does not try again
 * @opened:	that key is a ticket of this endpoint
 * @early:	the proof of that ticket is right, and the ticket is spent on this
 *		hello: in place of a cookie, and for early data
 * @session:	what that ticket holds; points into @plain
 * @plain:	the ticket, decrypted
 * @unproven:	nothing but that ticket proves the address
 * @heard:	bytes that came from the address
 * @address_len: bytes of @address
 * @address:	of the sender
 * @len:	bytes of the message with its header, in @data
 * @rest_len:	bytes behind the message in @data: the rest of its datagram
 * @data:	the message, and the rest of its datagram
 */
struct kdtls_hello {
	struct dtls_client_hello ch;
	bool parsed;
	u16 seq;
	u64 record_seq;
	bool has_retry;
	struct dtls_retry retry;
	bool tried;
	bool opened;
	bool early;
	struct dtls_session session;
	struct dtls_writer plain;
	bool unproven;
	size_t heard;
	u8 address_len;
	u8 address[DTLS_ADDRESS_MAX];
	u32 len;
	size_t rest_len;
	u8 data[];
};

/**
 * struct dtls_asked - a ClientHello at the gate
 * @ep:		the endpoint whose gate it is
 * @from:	who sent the hello
 * @record:	the record of the hello, or of its last piece
 * @f:		the hello as one fragment
 * @ch:		the hello, read
 * @heard:	bytes that came for it
 * @now:	the time of kdtls_endpoint_gate(), in microseconds
 * @hello:	takes what is found out, and becomes the hello that is let in
 */
struct dtls_asked {
	struct kdtls_endpoint *ep;
	const struct dtls_sender *from;
	const struct dtls_record *record;
	const struct dtls_fragment *f;
	const struct dtls_client_hello *ch;
	size_t heard;
	u64 now;
	struct kdtls_hello *hello;
};

#endif /* _DTLS_ASKED_H */
