/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libkdtls-openssl: hand a finished DTLS 1.2 session of OpenSSL to the kernel.
 *
 *	ssl = SSL_new(ctx);
 *	SSL_set_bio(ssl, bio, bio);		(a connected UDP socket's)
 *	kdtls_openssl_watch(ssl);
 *	SSL_connect(ssl);			(or SSL_accept)
 *	err = kdtls_offload_openssl(ssl);
 *
 * If err is 0, go on with send(2) and recv(2) on the socket and keep the SSL
 * object for nothing but its names and SSL_free(): SSL_write() on it would use
 * sequence numbers again, and so would SSL_shutdown(). (A quiet shutdown is
 * set, so that a forgotten SSL_shutdown() sends nothing.) Close the session
 * with kdtls_close_notify(). Else go on with SSL_write() and SSL_read(), which
 * work as before, and kdtls_strerror(err) says why.
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
 * @ssl:	a DTLS session with its BIO set, before its handshake
 *		(SSL_connect, SSL_accept); after DTLSv1_listen() is good too
 *
 * OpenSSL does not tell its replay window. This pushes a filter on the read
 * BIO that keeps copies of the protected records (256 KiB at most), so that
 * the take-over can tell by the read key which were genuine. The filter goes
 * away with the BIO chain; a BIO set later is not watched.
 *
 * Context: the thread that owns @ssl.
 *
 * Return: 0, -KDTLS_ENOTUDP (no BIO), -KDTLS_ELATE or -ENOMEM.
 */
KDTLS_API int kdtls_openssl_watch(SSL *ssl);

/**
 * kdtls_openssl_keys() - the keys and numbers of a finished session
 * @ssl:	a watched session, its handshake finished
 * @keys:	filled in on success, all zero else; wipe with
 *		kdtls_keys_wipe()
 *
 * The keys come from the master secret (RFC 5246 6.3). The next sequence
 * number comes from a record of one byte that OpenSSL writes to memory and
 * nobody sends: that number is never used again. Data already received must be
 * read with SSL_read() first (-KDTLS_EUNREAD); try again until it is.
 *
 * The kernel takes no datagram from @ssl's socket here.
 *
 * Return: 0 or -KDTLS_EHANDSHAKE, -KDTLS_EVERSION, -KDTLS_ESUITE,
 * -KDTLS_ECLOSED, -KDTLS_EEXTENSION, -KDTLS_ERENEGOTIATED, -KDTLS_EUNWATCHED, -KDTLS_EUNREAD,
 * -KDTLS_EMISSED, -KDTLS_EKEYS, -ENOMEM. @ssl is usable as before.
 */
KDTLS_API int kdtls_openssl_keys(SSL *ssl, struct kdtls_keys *keys);

/**
 * kdtls_offload_openssl() - let the kernel take a finished session over
 * @ssl:	as kdtls_openssl_keys(); both its BIOs on one connected UDP
 *		socket
 *
 * Return: 0, or as kdtls_openssl_keys() and kdtls_install().
 */
KDTLS_API int kdtls_offload_openssl(SSL *ssl);

/**
 * kdtls_openssl_answer() - send the handshake's last flight again
 * @ssl:	a session that was taken over
 * @info:	of a record that kdtls_recv_record() gave
 *
 * The end that sent the handshake's last flight does not see whether it
 * arrived. If it did not, the peer repeats its own (RFC 6347 4.2.4), and a
 * verified handshake record comes to the control queue. The records go out
 * under new sequence numbers, as a peer may have dropped the old ones.
 *
 * Return: 1 if the flight was sent, 0 if the record asks for nothing or no
 * flight was kept (over 8 KiB, or the session has two BIOs), or -errno.
 */
KDTLS_API int kdtls_openssl_answer(SSL *ssl,
				   const struct dtls_record_info *info);

#ifdef __cplusplus
}
#endif

#endif /* _KDTLS_OPENSSL_H */
