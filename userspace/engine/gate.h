/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The gate: what becomes of a ClientHello before anything is kept of its
 * sender. It puts the hello together, reads it, checks its cookie or its ticket,
 * and hands all that it has found out on to the engine with the hello.
 */
#ifndef _DTLS_GATE_H
#define _DTLS_GATE_H

#include "cookie.h"
#include "endpoint.h"

/**
 * struct kdtls_hello - a ClientHello that was let in, and what is known of it
 * @ch:		the hello, read; points into @data
 * @parsed:	false: it is malformed, and @ch means nothing
 * @seq:	its message_seq
 * @record_seq:	number of the record that its last piece came in
 * @has_retry:	it has a cookie of a HelloRetryRequest of ours, which said:
 * @retry:	this
 * @early:	its first key is a ticket of ours, whose proof is right, and which
 *		is spent on it: in place of a cookie, and for early data
 * @session:	what that ticket holds; points into @plain
 * @plain:	the ticket, decrypted
 * @unproven:	nothing proves the address but that ticket
 * @heard:	bytes that came from the address
 * @address:	of the sender, @address_len bytes
 * @len:	bytes of the message with its header, in @data
 * @rest_len:	bytes behind it in @data: what came after it in its datagram
 */
struct kdtls_hello {
	struct dtls_client_hello ch;
	bool parsed;
	u16 seq;
	u64 record_seq;
	bool has_retry;
	struct dtls_retry retry;
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
 * struct dtls_asked - a whole ClientHello, and who asks
 * @record:	its record, or that of its last piece
 * @f:		it
 * @ch:		it, read
 * @heard:	bytes that came for it
 * @hello:	what is found out is noted here, for struct kdtls_hello
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

/* Will this hello be answered in DTLS 1.3? */
static inline bool dtls_hello_is_13(const struct kdtls_endpoint *ep,
				    const struct dtls_client_hello *ch)
{
	return ep->speaks13 && dtls_client_hello_offers(ch, DTLS_VERSION_1_3);
}

/* Judge a datagram of a stranger's, as kdtls_endpoint_gate() does. */
enum kdtls_gate dtls_gate(struct kdtls_endpoint *ep,
			  const struct dtls_sender *from,
			  struct dtls_bytes datagram, u64 now,
			  struct kdtls_verdict *v);

#endif /* _DTLS_GATE_H */
