/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libkdtls: DTLS records in the kernel, for programs.
 *
 * The short way is kdtls/socket.h, which shakes hands itself; for a program that
 * has a finished DTLS 1.2 session of OpenSSL or GnuTLS, kdtls/openssl.h or
 * kdtls/gnutls.h. This header is what these stand on: the socket options of
 * linux/dtls.h as functions.
 *
 * Every function that can fail returns 0 (or a count) on success and a
 * negative error else: either -errno, as the kernel gave it, or one of
 * -KDTLS_E*, here or in kdtls/engine.h. kdtls_strerror() tells for all of them
 * what to do. errno is not kept.
 *
 * All functions may be called from any thread. None is async-signal-safe.
 */
#ifndef _KDTLS_KDTLS_H
#define _KDTLS_KDTLS_H

#include <linux/dtls.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef KDTLS_API
#define KDTLS_API __attribute__((visibility("default")))
#endif

/* Errors of the library's own; they lie above every errno. */
enum kdtls_error {
	KDTLS_ENOMODULE = 0x1000, /* the kernel has no DTLS record layer */
	KDTLS_ENOTUDP,		/* not a UDP socket */
	KDTLS_ENOTCONN,		/* the socket is not connected */
	KDTLS_EATTACHED,	/* the socket has the record layer already */
	KDTLS_EOWNED,		/* a tunnel, sockmap or corked data has the socket */
	KDTLS_EMAPPED,		/* an AF_INET6 socket with an IPv4 peer */
	KDTLS_ENOCIPHER,	/* the kernel has not this cipher */
	KDTLS_EHALF,		/* attached, but without its keys: close it */
	KDTLS_EVERSION,		/* the session is not DTLS 1.2 */
	KDTLS_ESUITE,		/* the session's suite has no AEAD known here */
	KDTLS_EHANDSHAKE,	/* the handshake is not finished */
	KDTLS_ECLOSED,		/* the session was shut down */
	KDTLS_EEXTENSION,	/* compression or a smaller record size is on */
	KDTLS_ERENEGOTIATED,	/* the session had more than one handshake */
	KDTLS_EUNWATCHED,	/* nobody noted what the session has read */
	KDTLS_ELATE,		/* the watch must start before the handshake */
	KDTLS_EUNREAD,		/* received data is still inside the session */
	KDTLS_EMISSED,		/* more came in than could be accounted for */
	KDTLS_EKEYS,		/* the keys do not fit the session's records */
	KDTLS_ERESTARTED,	/* the peer started anew on the same port */
	KDTLS_ENOHOST,		/* no such host or service */
};

/**
 * kdtls_strerror() - what an error means and what to do about it
 * @err:	what a function of this library returned, negative or not
 *
 * Return: one line of English without a full stop; never NULL; constant for
 * the errors above, else as strerror(3), which is valid until its next call.
 */
KDTLS_API const char *kdtls_strerror(int err);

/**
 * kdtls_cipher_name() - a name to show
 * @cipher:	DTLS_CIPHER_*
 *
 * Return: a constant string such as "AES-128-GCM"; "none" for 0; "unknown".
 */
KDTLS_API const char *kdtls_cipher_name(unsigned int cipher);

/**
 * kdtls_available() - does the running kernel have the DTLS record layer?
 *
 * Return: 0, -KDTLS_ENOMODULE, or -errno if no UDP socket can be made.
 */
KDTLS_API int kdtls_available(void);

/**
 * kdtls_supports() - could this socket take this cipher?
 * @fd:		a connected UDP socket; not changed, nothing is sent
 * @cipher:	DTLS_CIPHER_*
 *
 * Tries the attach and a key on a socket made for that, connected to the same
 * peer, once for each cipher in the life of the process. An attach cannot be
 * undone, so ask before it, not after it.
 *
 * Return: 0, -KDTLS_ENOMODULE, -KDTLS_ENOTUDP, -KDTLS_ENOTCONN,
 * -KDTLS_ENOCIPHER or -errno.
 */
KDTLS_API int kdtls_supports(int fd, unsigned int cipher);

/**
 * kdtls_attach() - give a UDP socket the DTLS record layer
 * @fd:		the socket; stays the caller's
 *
 * From here on send(2) fails with ENOKEY until the write key is there and
 * recv(2) waits for the read key; only closing the socket ends it.
 *
 * Return: 0, -KDTLS_ENOMODULE, -KDTLS_ENOTUDP, -KDTLS_EATTACHED,
 * -KDTLS_EOWNED, -KDTLS_EMAPPED, or -errno, with the socket unchanged.
 */
KDTLS_API int kdtls_attach(int fd);

/**
 * kdtls_set_key() - install one direction's key
 * @fd:		an attached, connected socket
 * @direction:	DTLS_TX or DTLS_RX
 * @key:	see linux/dtls.h; copied. Zeroising it is the caller's
 *
 * Return: 0, -KDTLS_ENOTCONN, -KDTLS_ENOCIPHER, or -errno as linux/dtls.h
 * lists under struct dtls_key_info; nothing has changed then.
 */
KDTLS_API int kdtls_set_key(int fd, int direction,
			    const struct dtls_key_info *key);

/**
 * kdtls_get_info() - state of an attached socket
 * @fd:		the socket
 * @info:	filled in; never holds a key
 *
 * Return: 0, -KDTLS_ENOMODULE, or -errno (not attached: ENOPROTOOPT or
 * EOPNOTSUPP).
 */
KDTLS_API int kdtls_get_info(int fd, struct dtls_info *info);

/**
 * kdtls_get_counters() - what became of an attached socket's records
 * @fd:		the socket
 * @counters:	filled in
 *
 * Return: as kdtls_get_info().
 */
KDTLS_API int kdtls_get_counters(int fd, struct dtls_counters *counters);

/**
 * kdtls_get_mtu() - how much plaintext one datagram takes on the path now
 * @fd:		an attached, connected socket
 *
 * Return: bytes (RFC 6347 4.1.1.1), or -errno: ENOKEY without a write key,
 * ENOTCONN without a peer or a route to it.
 */
KDTLS_API int kdtls_get_mtu(int fd);

/**
 * kdtls_get_window() - which records of a read epoch were seen
 * @fd:		an attached socket
 * @epoch:	the read epoch
 * @window:	filled in (RFC 6347 4.1.2.6)
 *
 * Return: 0 or -errno (ENOENT: no such epoch).
 */
KDTLS_API int kdtls_get_window(int fd, uint64_t epoch,
			       struct dtls_window *window);

/**
 * kdtls_set_window() - mark records of a read epoch as seen
 * @fd:		an attached socket
 * @window:	epoch, and what to mark; records are never unmarked
 *
 * Return: 0 or -errno (ENOENT: no such epoch; EINVAL: the window would move
 * back), with nothing changed.
 */
KDTLS_API int kdtls_set_window(int fd, const struct dtls_window *window);

/**
 * kdtls_set_replay_window() - size of the replay window
 * @fd:		an attached socket
 * @records:	64 (what it is from the start) to 4096
 *
 * Return: 0 or -errno.
 */
KDTLS_API int kdtls_set_replay_window(int fd, unsigned int records);

/**
 * kdtls_send_record() - send one record that is not application data
 * @fd:		an attached socket with a write key
 * @type:	content type (RFC 6347 4.1), such as 21 for an alert
 * @data:	the record's content, in the clear
 * @len:	its bytes
 *
 * Return: @len or -errno, as send(2).
 */
KDTLS_API ssize_t kdtls_send_record(int fd, uint8_t type, const void *data,
				    size_t len);

/**
 * kdtls_send_raw() - send a datagram as it is, unprotected
 * @fd:		an attached, connected socket
 * @data:	the datagram: whole records, header and all
 * @len:	its bytes
 *
 * For a handshake that runs on an attached socket.
 *
 * Return: @len or -errno, as send(2).
 */
KDTLS_API ssize_t kdtls_send_raw(int fd, const void *data, size_t len);

/**
 * kdtls_recv_record() - take one record from the control queue
 * @fd:		an attached socket
 * @buf:	room for the record; longer ones are cut
 * @len:	its bytes
 * @info:	says which record it is, and whether it was verified
 *
 * Alerts, handshake messages and news from the kernel wait here, application
 * data in recv(2). Never waits: see kdtls_poll_control().
 *
 * Return: bytes, or -errno (EAGAIN: the queue is empty).
 */
KDTLS_API ssize_t kdtls_recv_record(int fd, void *buf, size_t len,
				    struct dtls_record_info *info);

/**
 * kdtls_poll_control() - let control records wake poll(2) with POLLPRI
 * @fd:		an attached socket
 * @on:		0 (as from the start) or 1
 *
 * Return: 0 or -errno.
 */
KDTLS_API int kdtls_poll_control(int fd, int on);

/**
 * kdtls_close_notify() - tell the peer that no more will be sent
 * @fd:		an attached socket with a write key
 *
 * The peer's recv(2) gives 0 then, if it is a socket of this kind. The
 * socket stays open, and readable (RFC 5246 7.2.1).
 *
 * Return: 0 or -errno, as send(2).
 */
KDTLS_API int kdtls_close_notify(int fd);

/**
 * struct kdtls_keys - all a socket needs to go on with a finished session
 * @tx:		write key and the number of the next record
 * @rx:		read key
 * @seen:	records of @rx.epoch that were read before; @seen.next 0: none
 */
struct kdtls_keys {
	struct dtls_key_info tx;
	struct dtls_key_info rx;
	struct dtls_window seen;
};

/**
 * kdtls_install() - attach a socket and give it all its keys
 * @fd:		a connected UDP socket
 * @keys:	copied; the caller zeroises them with kdtls_keys_wipe()
 *
 * Asks kdtls_supports() first: but for -KDTLS_EHALF every error leaves the
 * socket as it was, good for records in user space.
 *
 * Return: 0, -KDTLS_EHALF, or as kdtls_supports() and kdtls_attach().
 */
KDTLS_API int kdtls_install(int fd, const struct kdtls_keys *keys);

/**
 * kdtls_keys_wipe() - zeroise keys
 * @keys:	overwritten with zeroes, in a way no compiler leaves out
 */
KDTLS_API void kdtls_keys_wipe(struct kdtls_keys *keys);

#ifdef __cplusplus
}
#endif

#endif /* _KDTLS_KDTLS_H */
