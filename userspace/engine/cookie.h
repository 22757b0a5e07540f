/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stateless cookie (RFC 6347 4.2.1): a MAC over the sender's address and
 * the random of his hello, under a key that is replaced every period. The
 * period's number goes along, so that one MAC is enough to check. The session
 * id is left out: Mbed TLS draws a new one for each hello with a ticket.
 */
#ifndef _DTLS_COOKIE_H
#define _DTLS_COOKIE_H

#include "crypto.h"
#include "messages.h"

#define DTLS_COOKIE_SIZE	21

struct dtls_cookie {
	u64 period;		/* number of the current one */
	u64 life;		/* µs of a period */
	bool ready;
	EVP_MAC_CTX *key[2]; /* of even and odd periods */
};

/* Return: false for want of memory; dtls_cookie_exit() is due all the same. */
bool dtls_cookie_init(struct dtls_cookie *k, u64 life);
void dtls_cookie_exit(struct dtls_cookie *k);

/* Return: false: libcrypto failed. @out: DTLS_COOKIE_SIZE bytes */
bool dtls_cookie_make(struct dtls_cookie *k, struct dtls_bytes address,
		      const struct dtls_client_hello *ch, u64 now, u8 *out);

/* Is @ch->cookie one of ours, for this address and hello, and not too old? */
bool dtls_cookie_check(struct dtls_cookie *k, struct dtls_bytes address,
		       const struct dtls_client_hello *ch, u64 now);

#define DTLS_VERIFY_REQUEST_SIZE \
	(DTLS12_HEADER_SIZE + DTLS_MESSAGE_HEADER + 3 + DTLS_COOKIE_SIZE)

/**
 * dtls_cookie_request() - a HelloVerifyRequest, as a datagram
 * @hello:	the record of the ClientHello: its number is used (4.2.1)
 * @message_seq: of the ClientHello
 * @out:	DTLS_VERIFY_REQUEST_SIZE bytes
 */
void dtls_cookie_request(const struct dtls_record *hello, u16 message_seq,
			 const u8 *cookie, u8 *out);

#endif /* _DTLS_COOKIE_H */
