/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libkdtls-openssl hands a finished DTLS 1.2 session of OpenSSL to the kernel.
 *
 * The program watches the session before its handshake and offloads it afterwards:
 *
 *	ssl = SSL_new(ctx);
 *	SSL_set_bio(ssl, bio, bio);		(a connected UDP socket's)
 *	kdtls_openssl_watch(ssl);
 *	SSL_connect(ssl);			(or SSL_accept)
 *	err = kdtls_offload_openssl(ssl);
 *
 * If err is 0, the program goes on with send(2) and recv(2) on the socket, and uses the
 * SSL object for its names and SSL_free() alone: SSL_write() and SSL_shutdown() would use
 * sequence numbers again. (A quiet shutdown is set, so that SSL_shutdown() sends
 * nothing.) kdtls_close_notify() ends the session. If err is not 0, SSL_write() and
 * SSL_read() work as before, and kdtls_strerror() says why.
 *
 * Context: The function is called by the thread that owns the SSL object.
 */
#ifndef _KDTLS_OPENSSL_H
#define _KDTLS_OPENSSL_H

#include <kdtls/kdtls.h>
#include <openssl/ssl.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * kdtls_openssl_watch() - note which records a session reads
 * @ssl:	a DTLS session with its BIO set, before SSL_connect() or SSL_accept(), and
 *		before or after DTLSv1_listen()
 *
 * OpenSSL does not tell its replay window. The function therefore pushes a filter on the
 * read BIO that keeps copies of the protected records, 256 KiB at most, so that
 * kdtls_offload_openssl() can tell by the read key which of them were genuine. The filter
 * goes with the BIO chain; a BIO that is set later is not watched.
 *
 * Return: 0; -KDTLS_ENOTUDP: there is no BIO; -KDTLS_ELATE: the session is watched
 * already, or its handshake has begun; -ENOMEM.
 */
KDTLS_API int kdtls_openssl_watch(SSL *ssl);

/**
 * kdtls_openssl_keys() - return the keys and numbers of a finished session
 * @ssl:	a watched session, its handshake finished
 * @keys:	filled in on success, and zero after an error; the caller wipes them with
 *		kdtls_keys_wipe()
 *
 * The keys come from the master secret (RFC 5246 6.3). The next sequence number comes from
 * a record of one byte that OpenSSL writes to memory and that is not sent; its number is
 * not used again. The program reads data that OpenSSL has received with SSL_read() first:
 * -KDTLS_EUNREAD says that there is some. The socket is not read.
 *
 * Return: 0. After an error @ssl can be used as before: -KDTLS_EHANDSHAKE,
 * -KDTLS_EVERSION, -KDTLS_ESUITE, -KDTLS_ECLOSED, -KDTLS_EEXTENSION,
 * -KDTLS_ERENEGOTIATED, -KDTLS_EUNWATCHED, -KDTLS_EUNREAD, -KDTLS_EMISSED,
 * -KDTLS_EKEYS, -ENOMEM.
 */
KDTLS_API int kdtls_openssl_keys(SSL *ssl, struct kdtls_keys *keys);

/**
 * kdtls_offload_openssl() - let the kernel take a finished session over
 * @ssl:	a watched session, its handshake finished, both its BIOs on one connected
 *		UDP socket
 *
 * After success the program uses send(2) and recv(2) on the socket, and neither
 * SSL_write() nor SSL_read().
 *
 * Return: 0; -KDTLS_EHANDSHAKE, -KDTLS_EVERSION, -KDTLS_ESUITE, -KDTLS_ECLOSED,
 * -KDTLS_EEXTENSION, -KDTLS_ERENEGOTIATED, -KDTLS_EUNWATCHED, -KDTLS_EUNREAD,
 * -KDTLS_EMISSED, -KDTLS_EKEYS: the session cannot be taken over; -KDTLS_ENOMODULE,
 * -KDTLS_ENOCIPHER: the kernel lacks the module or the cipher; -KDTLS_ENOTUDP,
 * -KDTLS_ENOTCONN, -KDTLS_EATTACHED, -KDTLS_EOWNED, -KDTLS_EMAPPED: the socket cannot be
 * attached; -ENOMEM; another -errno. After these errors SSL_write() and SSL_read() work
 * as before. -KDTLS_EHALF: the socket is attached and lacks a key, and the caller closes
 * it.
 *
 * Example:
 *
 *	// Offload a session where that is possible. Return who makes the records.
 *	const char *offload(SSL *ssl)
 *	{
 *		char data[16384];
 *		int err;
 *
 *		while ((err = kdtls_offload_openssl(ssl)) == -KDTLS_EUNREAD)
 *			if (SSL_read(ssl, data, sizeof(data)) <= 0)
 *				break;
 *		if (!err)
 *			return "the kernel";
 *		fprintf(stderr, "%s\n", kdtls_strerror(err));
 *		return "OpenSSL";
 *	}
 */
KDTLS_API int kdtls_offload_openssl(SSL *ssl);

/**
 * kdtls_openssl_answer() - send the handshake's last flight again
 * @ssl:	a session that was taken over
 * @info:	the type, epoch and number that kdtls_recv_record() told of a record
 *
 * The end that sent the handshake's last flight does not see whether it arrived. If it
 * did not, the peer repeats its own flight (RFC 6347 4.2.4), and a verified handshake
 * record comes to the control queue. The program then calls this function. The records of
 * the flight go out under new sequence numbers, as a peer may have dropped the old ones.
 *
 * Return: 1: the flight was sent; 0: the record asks for nothing, or no flight was kept,
 * as it is longer than 8 KiB or the session has two BIOs; or -errno.
 */
KDTLS_API int kdtls_openssl_answer(SSL *ssl,
				   const struct dtls_record_info *info);

#ifdef __cplusplus
}
#endif

#endif /* _KDTLS_OPENSSL_H */
