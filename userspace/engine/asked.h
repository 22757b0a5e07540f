/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct kdtls_hello is a ClientHello that was let in at a server's gate, with
 * what the gate has found out about it.
 */
#ifndef _DTLS_ASKED_H
#define _DTLS_ASKED_H

#include "endpoint.h"

/**
 * struct kdtls_hello - a ClientHello that was let in, and what is known about it
 * @ch:		the parsed hello; points into @data
 * @parsed:	the hello is well-formed; if false, @ch is not set
 * @seq:	message_seq of the hello
 * @record_seq:	number of the record that the last piece of the hello came in
 * @has_retry:	the hello has a cookie of a HelloRetryRequest of this endpoint
 * @retry:	the contents of that cookie
 * @tried:	the gate has tried to decrypt the identity of the first key that
 *		the hello offers, as a ticket. The engine does not try it again
 * @opened:	the identity of the first key is a ticket of this endpoint
 * @early:	the binder of the ticket is right, and the ticket is spent on
 *		this hello. It stands in place of a cookie, and allows early
 *		data
 * @session:	the session that the ticket holds; points into @plain
 * @plain:	the decrypted ticket
 * @unproven:	only the ticket proves the sender's address
 * @proven:	when the cookie was made that proves the sender's address. If the
 *		server asks for no cookie: when the hello came. With @unproven: 0
 * @heard:	bytes that came from the sender's address
 * @address_len: bytes of @address
 * @address:	address of the sender
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
	u64 proven;
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
 * @from:	the sender of the hello
 * @record:	the record of the hello, or of its last piece
 * @f:		the hello as one fragment
 * @ch:		the parsed hello
 * @heard:	bytes that came from the sender for this hello
 * @now:	the time that the caller gave to kdtls_endpoint_gate(), in
 *		microseconds
 * @hello:	the result; it is handed out if the hello is let in
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
