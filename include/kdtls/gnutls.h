/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libkdtls-gnutls hands a finished DTLS 1.2 session of GnuTLS to the kernel.
 *
 * The program watches the session before its handshake and offloads it afterwards:
 *
 *	gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_DATAGRAM);
 *	gnutls_transport_set_int(session, fd);	(a connected UDP socket)
 *	kdtls_gnutls_watch(session);
 *	gnutls_handshake(session);
 *	err = kdtls_offload_gnutls(session);
 *	...
 *	kdtls_gnutls_unwatch(session);
 *	gnutls_deinit(session);
 *
 * If err is 0, the program goes on with send(2) and recv(2) on the socket, and uses the
 * session for its names alone: gnutls_record_send() and gnutls_bye() would use sequence
 * numbers again. kdtls_close_notify() ends the session. If err is not 0, GnuTLS works as
 * before, and kdtls_strerror() says why.
 *
 * Context: The function is called by the thread that owns the session.
 */
#ifndef _KDTLS_GNUTLS_H
#define _KDTLS_GNUTLS_H

#include <kdtls/kdtls.h>
#include <gnutls/gnutls.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * kdtls_gnutls_watch() - note which records a session reads
 * @session:	a DTLS session whose transport was set to a UDP socket, before its
 *		handshake, and that uses GnuTLS's own socket functions
 *
 * GnuTLS does not tell its replay window. The function therefore replaces the pull
 * functions by ones that keep copies of the protected records, 256 KiB at most, so that
 * kdtls_offload_gnutls() can tell by the read key which of them were genuine. They hand
 * the records to GnuTLS one by one. gnutls_transport_get_int() does not return the socket
 * until kdtls_gnutls_unwatch().
 *
 * Return: 0; -KDTLS_ENOTUDP; -KDTLS_ELATE: the session is watched already, or its
 * handshake is done; -ENOMEM.
 */
KDTLS_API int kdtls_gnutls_watch(gnutls_session_t session);

/**
 * kdtls_gnutls_unwatch() - end the watch of a session
 * @session:	a session, watched or not, before gnutls_deinit()
 *
 * The function wipes and frees what the watch has kept.
 */
KDTLS_API void kdtls_gnutls_unwatch(gnutls_session_t session);

/**
 * kdtls_gnutls_keys() - return the keys and numbers of a finished session
 * @session:	a watched session, its handshake finished, without a gnutls_bye() before,
 *		of which GnuTLS does not tell
 * @keys:	filled in on success, and zero after an error; the caller wipes them with
 *		kdtls_keys_wipe()
 *
 * The keys come from gnutls_record_get_state(). The program reads data that GnuTLS has
 * received with gnutls_record_recv() first: -KDTLS_EUNREAD says that there is some. It
 * sends what gnutls_record_cork() holds back with gnutls_record_uncork() first:
 * -KDTLS_EUNSENT says that there is some.
 *
 * Return: 0. After an error the session can be used as before: -KDTLS_EHANDSHAKE,
 * -KDTLS_EVERSION, -KDTLS_ESUITE, -KDTLS_EEXTENSION, -KDTLS_ERENEGOTIATED,
 * -KDTLS_EUNWATCHED, -KDTLS_EUNREAD, -KDTLS_EUNSENT, -KDTLS_EMISSED, -KDTLS_EKEYS,
 * -ENOMEM.
 */
KDTLS_API int kdtls_gnutls_keys(gnutls_session_t session,
				struct kdtls_keys *keys);

/**
 * kdtls_offload_gnutls() - let the kernel take a finished session over
 * @session:	a watched session, its handshake finished, on a connected UDP socket
 *
 * After success the program uses send(2) and recv(2) on the socket, and neither
 * gnutls_record_send() nor gnutls_record_recv().
 *
 * Return: 0; -KDTLS_EHANDSHAKE, -KDTLS_EVERSION, -KDTLS_ESUITE, -KDTLS_EEXTENSION,
 * -KDTLS_ERENEGOTIATED, -KDTLS_EUNWATCHED, -KDTLS_EUNREAD, -KDTLS_EUNSENT,
 * -KDTLS_EMISSED, -KDTLS_EKEYS: the session cannot be taken over; -KDTLS_ENOMODULE,
 * -KDTLS_ENOCIPHER: the kernel lacks the module or the cipher; -KDTLS_ENOTUDP,
 * -KDTLS_ENOTCONN, -KDTLS_EATTACHED, -KDTLS_EOWNED, -KDTLS_EMAPPED: the socket cannot be
 * attached; -errno. After these errors GnuTLS works as before. -KDTLS_EHALF: the socket is
 * attached and lacks a key, and the caller closes it.
 *
 * Example:
 *
 *	// Offload a session where that is possible. Return who makes the records.
 *	const char *offload(gnutls_session_t session)
 *	{
 *		char data[16384];
 *		int err;
 *
 *		while ((err = kdtls_offload_gnutls(session)) == -KDTLS_EUNREAD)
 *			if (gnutls_record_recv(session, data, sizeof(data)) <= 0)
 *				break;
 *		if (!err)
 *			return "the kernel";
 *		fprintf(stderr, "%s\n", kdtls_strerror(err));
 *		return "GnuTLS";
 *	}
 */
KDTLS_API int kdtls_offload_gnutls(gnutls_session_t session);

#ifdef __cplusplus
}
#endif

#endif /* _KDTLS_GNUTLS_H */
