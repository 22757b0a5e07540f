/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libkdtls-gnutls: hand a finished DTLS 1.2 session of GnuTLS to the kernel.
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
 * If err is 0, go on with send(2) and recv(2) on the socket and keep the
 * session for nothing but its names: gnutls_record_send() and gnutls_bye()
 * would use sequence numbers again. Close with kdtls_close_notify(). Else go
 * on with GnuTLS as before; kdtls_strerror(err) says why.
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
 * @session:	a DTLS session whose transport was set to a UDP socket, before
 *		its handshake; only one that uses GnuTLS's own socket
 *		functions
 *
 * GnuTLS does not tell its replay window. This replaces the pull functions by
 * ones that keep copies of the protected records (256 KiB at most), so that
 * the take-over can tell by the read key which were genuine, and that hand
 * them to GnuTLS one by one. gnutls_transport_get_int() does not give the
 * socket until kdtls_gnutls_unwatch().
 *
 * Context: the thread that owns @session.
 *
 * Return: 0, -KDTLS_ENOTUDP, -KDTLS_ELATE (it is watched already) or -ENOMEM.
 */
KDTLS_API int kdtls_gnutls_watch(gnutls_session_t session);

/**
 * kdtls_gnutls_unwatch() - undo kdtls_gnutls_watch()
 * @session:	a session, watched or not; not yet deinitialised
 *
 * Frees and zeroises what the watch kept.
 */
KDTLS_API void kdtls_gnutls_unwatch(gnutls_session_t session);

/**
 * kdtls_gnutls_keys() - the keys and numbers of a finished session
 * @session:	a watched session, its handshake finished, not shut down by
 *		gnutls_bye() (GnuTLS does not tell)
 * @keys:	filled in on success, all zero else; wipe with
 *		kdtls_keys_wipe()
 *
 * From gnutls_record_get_state(). Data already received must be read with
 * gnutls_record_recv() first (-KDTLS_EUNREAD); try again until it is.
 *
 * Return: 0 or -KDTLS_EHANDSHAKE, -KDTLS_EVERSION, -KDTLS_ESUITE,
 * -KDTLS_EEXTENSION, -KDTLS_ERENEGOTIATED, -KDTLS_EUNWATCHED, -KDTLS_EUNREAD, -KDTLS_EMISSED,
 * -KDTLS_EKEYS. The session is usable as before.
 */
KDTLS_API int kdtls_gnutls_keys(gnutls_session_t session,
				struct kdtls_keys *keys);

/**
 * kdtls_offload_gnutls() - let the kernel take a finished session over
 * @session:	as kdtls_gnutls_keys()
 *
 * Return: 0, or as kdtls_gnutls_keys() and kdtls_install().
 */
KDTLS_API int kdtls_offload_gnutls(gnutls_session_t session);

#ifdef __cplusplus
}
#endif

#endif /* _KDTLS_GNUTLS_H */
