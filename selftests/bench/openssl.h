/* SPDX-License-Identifier: GPL-2.0 */
/* OpenSSL's sessions, for the rows that use them. */
#ifndef _BENCH_OPENSSL_H
#define _BENCH_OPENSSL_H

#include <openssl/ssl.h>

#include "bench.h"

/*
 * Return a session with a pre-shared key and the cipher that is asked for, which
 * has no BIO yet. All sessions of one method and cipher share a context.
 */
SSL *openssl_session(const SSL_METHOD *method, __u16 cipher);

/*
 * Shake hands, both ends in this thread: neither may wait for the other. @carry
 * brings what one end wrote to the other; NULL: sockets do that.
 */
bool openssl_shake_hands(SSL *client, SSL *server, void (*carry)(void));

/* Make two sessions of DTLS and let them shake hands over memory. */
bool openssl_pair(__u16 cipher, SSL **client, SSL **server);

/*
 * The BIO of openssl_bio.c is one for all sessions of the program. It reads the
 * one datagram that openssl_bio_in() told it, and what it writes is appended at
 * the place that openssl_bio_out() told it. openssl_bio_written() returns how many
 * bytes were.
 */
bool openssl_bio_use(SSL *ssl);
void openssl_bio_in(const void *datagram, size_t len);
void openssl_bio_out(void *place, size_t room);
size_t openssl_bio_written(void);

/*
 * These are for a session that uses that BIO. openssl_seal() seals @n records of @size
 * bytes one behind the other at @place, and returns their bytes, or 0. openssl_unseal()
 * opens the records in @len bytes of datagrams of @segment bytes each (0: one datagram).
 * All contents have @size bytes. It returns how many records those are, or 0.
 */
size_t openssl_seal(SSL *ssl, unsigned int size, unsigned int n, void *place,
		    size_t room);
unsigned int openssl_unseal(SSL *ssl, unsigned int size, const void *datagrams,
			    ssize_t len, int segment);

#endif /* _BENCH_OPENSSL_H */
