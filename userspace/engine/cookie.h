/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions make and check the stateless cookies of HelloVerifyRequest
 * and HelloRetryRequest. The cookie of a HelloVerifyRequest (RFC 6347 4.2.1) is
 * a MAC over the sender's address and the random of its hello, under a key that
 * is replaced every period. The MAC does not cover the session id, as Mbed TLS
 * makes a new one for each hello with a ticket.
 *
 * Cookies of both versions begin with the time at which they were made, which
 * the MAC covers. The time tells the key, so that computing one MAC is enough
 * to check a cookie. It also orders the hellos of one address: the network may
 * deliver an older one last.
 */
#ifndef _DTLS_COOKIE_H
#define _DTLS_COOKIE_H

#include "crypto.h"
#include "fragment.h"
#include "hello.h"
#include "shared.h"

#define DTLS_COOKIE_TIME_SIZE	4
#define DTLS_COOKIE_SIZE	(DTLS_COOKIE_TIME_SIZE + 20)

/**
 * struct dtls_cookie - the keys of cookies
 * @period:	number of the current period
 * @life:	microseconds of a period
 * @ready:	the keys are set
 * @key:	the keys of even and of odd periods
 * @shared:	the secret that keys are derived from, if endpoints share one
 */
struct dtls_cookie {
	u64 period;
	u64 life;
	bool ready;
	struct dtls_hmac *key[2];
	struct dtls_shared shared;
};

/*
 * Set up the keys, which are replaced every @life microseconds. Return false if
 * there is no memory; dtls_cookie_exit() has to be called even then.
 */
bool dtls_cookie_init(struct dtls_cookie *k, u64 life);

/* Wipe and free the keys. @k may be all zero. */
void dtls_cookie_exit(struct dtls_cookie *k);

/*
 * Write a cookie for @ch into @out, DTLS_COOKIE_SIZE bytes. Return: false if
 * libcrypto failed.
 */
bool dtls_cookie_make(struct dtls_cookie *k, struct dtls_bytes address,
		      const struct dtls_client_hello *ch, u64 now, u8 *out);

/*
 * Return true if @ch->cookie was made for @address and for this hello, and is
 * not too old. Then @made is set to when that was, which is not after @now.
 */
bool dtls_cookie_check(struct dtls_cookie *k, struct dtls_bytes address,
		       const struct dtls_client_hello *ch, u64 now, u64 *made);

/**
 * struct dtls_retry - what the cookie of a HelloRetryRequest says
 * @made:	when the cookie was made; dtls_cookie_open() alone sets this
 * @suite:	the suite that was chosen
 * @group:	the group that was asked for, or 0
 * @hash_len:	bytes of @hash
 * @hash:	the hash of the first ClientHello
 *
 * The cookie (RFC 9147 5.1) carries all that the server must know of the first
 * ClientHello, so that the server need not keep it.
 */
struct dtls_retry {
	u64 made;
	u16 suite;
	u16 group;
	u8 hash_len;
	u8 hash[DTLS_HASH_MAX];
};

#define DTLS_RETRY_MAC_SIZE	16
#define DTLS_RETRY_COOKIE_MAX \
	(DTLS_COOKIE_TIME_SIZE + 2 + 2 + DTLS_HASH_MAX + DTLS_RETRY_MAC_SIZE)

/*
 * Write the cookie of a HelloRetryRequest to @out, which has room for
 * DTLS_RETRY_COOKIE_MAX bytes. Return how many bytes the cookie has, or 0 if
 * libcrypto failed.
 */
size_t dtls_cookie_seal(struct dtls_cookie *k, struct dtls_bytes address,
			const struct dtls_retry *r, u64 now, u8 *out);

/*
 * Read the cookie of a HelloRetryRequest. Return false if the cookie was not
 * made by this endpoint and for @address, or is too old.
 */
bool dtls_cookie_open(struct dtls_cookie *k, struct dtls_bytes address,
		      struct dtls_bytes cookie, u64 now, struct dtls_retry *r);

#define DTLS_VERIFY_REQUEST_SIZE \
	(DTLS12_HEADER_SIZE + DTLS_MESSAGE_HEADER + 3 + DTLS_COOKIE_SIZE)

/**
 * dtls_cookie_request() - write a HelloVerifyRequest, as a datagram
 * @hello:	the record of the ClientHello, whose sequence number the request
 *		has, too (RFC 6347 4.2.1)
 * @message_seq: message_seq of the ClientHello
 * @cookie:	DTLS_COOKIE_SIZE bytes of cookie for that hello
 * @out:	DTLS_VERIFY_REQUEST_SIZE bytes
 */
void dtls_cookie_request(const struct dtls_record *hello, u16 message_seq,
			 const u8 *cookie, u8 *out);

#endif /* _DTLS_COOKIE_H */
