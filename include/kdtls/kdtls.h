/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This header has the socket options of linux/dtls.h, by which the kernel makes the
 * records of DTLS, as functions.
 *
 * Most programs use kdtls/socket.h, which shakes hands itself. A program that has a
 * finished DTLS 1.2 session of OpenSSL or GnuTLS uses kdtls/openssl.h or
 * kdtls/gnutls.h. All three use this header, which is for programs with a handshake
 * of their own.
 *
 * A function that can fail returns 0 or a count on success. It returns a negative
 * error otherwise: -errno as the kernel gave it, or -KDTLS_E* of this header or of
 * kdtls/engine.h. kdtls_strerror() says for all of them what to do. The functions do
 * not keep errno.
 *
 * Context: Any thread may call this function at any time. It is not
 * async-signal-safe.
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

/* enum kdtls_error has the library's own errors. Their numbers lie above every errno. */
enum kdtls_error {
	KDTLS_ENOMODULE = 0x1000, /* the kernel has no DTLS record layer */
	KDTLS_ENOTUDP,		/* the file is not a UDP socket */
	KDTLS_ENOTCONN,		/* the socket is not connected */
	KDTLS_EATTACHED,	/* the socket has the record layer already */
	KDTLS_EOWNED,		/* a tunnel, sockmap or corked data has the socket */
	KDTLS_EMAPPED,		/* the socket is AF_INET6 and its peer IPv4 */
	KDTLS_ENOCIPHER,	/* the kernel does not have this cipher */
	KDTLS_EHALF,		/* the socket is attached without its keys: close it */
	KDTLS_EVERSION,		/* the session is not DTLS 1.2 */
	KDTLS_ESUITE,		/* the session's suite has no AEAD that this library knows */
	KDTLS_EHANDSHAKE,	/* the handshake is not finished */
	KDTLS_ECLOSED,		/* the session was shut down, or its handshake ended by the peer */
	KDTLS_EEXTENSION,	/* compression or a smaller record size is on */
	KDTLS_ERENEGOTIATED,	/* the session had more than one handshake */
	KDTLS_EUNWATCHED,	/* the session was not watched */
	KDTLS_ELATE,		/* the watch has to start before the handshake */
	KDTLS_EUNREAD,		/* received data is still inside the session */
	KDTLS_EMISSED,		/* more records came in than the watch could keep */
	KDTLS_EKEYS,		/* the keys do not fit the session's records */
	KDTLS_ERESTARTED,	/* the peer started anew on the same port */
	KDTLS_ENOHOST,		/* there is no such host or service */
	KDTLS_ETURN,		/* another process serves the port now */
	KDTLS_EUNSENT,		/* data for the peer is still inside the session */
};

/**
 * kdtls_strerror() - say what an error means and what to do about it
 * @err:	an error of a function of this library, negative or not
 *
 * Return: one line of English without a full stop; never NULL. The string is
 * constant for the library's errors. For an error of the system it is the string of
 * strerror(3), which is valid until the next call of strerror(3).
 */
KDTLS_API const char *kdtls_strerror(int err);

/**
 * kdtls_cipher_name() - return the name of a cipher
 * @cipher:	DTLS_CIPHER_* of linux/dtls.h
 *
 * Return: a constant string such as "AES-128-GCM"; "none" for 0; "unknown" for a
 * number that is not known.
 */
KDTLS_API const char *kdtls_cipher_name(unsigned int cipher);

/**
 * kdtls_available() - ask whether the running kernel has the DTLS record layer
 *
 * Return: 0 if it has; -KDTLS_ENOMODULE if not; -errno if no UDP socket can be made
 * to ask with.
 */
KDTLS_API int kdtls_available(void);

/**
 * kdtls_supports() - ask whether the kernel can take over a socket with a cipher
 * @fd:		a connected UDP socket; it is not changed, and nothing is sent
 * @cipher:	DTLS_CIPHER_* of linux/dtls.h
 *
 * The function tries the attach and a key of DTLS 1.2 on a socket of its own that is
 * connected to the same peer. A cipher that the kernel has is tried once in the life of
 * the process, one that it lacks in every call. If there is no route to the peer the
 * function returns 0. An attach cannot be undone, so a program asks before it attaches.
 *
 * Return: 0, -KDTLS_ENOMODULE, -KDTLS_ENOTUDP, -KDTLS_ENOTCONN,
 * -KDTLS_ENOCIPHER or -errno.
 */
KDTLS_API int kdtls_supports(int fd, unsigned int cipher);

/**
 * kdtls_attach() - give a UDP socket the DTLS record layer
 * @fd:		the socket, which stays the caller's
 *
 * From here on send(2) fails with ENOKEY until the write key is set, and recv(2)
 * waits for the read key. An attach cannot be undone: closing the socket ends it.
 *
 * Return: 0. After an error the socket is unchanged: -KDTLS_ENOMODULE,
 * -KDTLS_ENOTUDP, -KDTLS_EATTACHED, -KDTLS_EOWNED, -KDTLS_EMAPPED, or -errno.
 */
KDTLS_API int kdtls_attach(int fd);

/**
 * kdtls_set_key() - set the key of one direction
 * @fd:		an attached, connected socket
 * @direction:	DTLS_TX or DTLS_RX
 * @key:	the key, its epoch and its numbers, as linux/dtls.h describes struct
 *		dtls_key_info; it is copied, and the caller wipes it
 *
 * A key of a later epoch replaces the write key, and is taken beside the read keys.
 *
 * Return: 0. After an error nothing has changed: -KDTLS_ENOTCONN, -KDTLS_ENOCIPHER,
 * -EINVAL (a field that struct dtls_key_info does not allow), -EEXIST (the epoch is not
 * newer), -EISCONN (the peer is not that of the keys before), -EADDRINUSE (another
 * association has the connection ID), -EBUSY (UDP_ENCAP), -EOPNOTSUPP (the version),
 * -ENOMEM. It is -KDTLS_ENOCIPHER, too, if no association has the number @id of the key.
 *
 * Example:
 *
 *	int take_over(int fd, const struct dtls_key_info *rx,
 *		      const struct dtls_key_info *tx)
 *	{
 *		int err = kdtls_attach(fd);
 *
 *		if (err)
 *			return err;	// the socket is unchanged
 *		err = kdtls_set_key(fd, DTLS_RX, rx);
 *		if (!err)
 *			err = kdtls_set_key(fd, DTLS_TX, tx);
 *		if (err)		// there is no way back
 *			close(fd);
 *		return err;
 *	}
 */
KDTLS_API int kdtls_set_key(int fd, int direction,
			    const struct dtls_key_info *key);

/**
 * kdtls_get_info() - read the state of an attached socket
 * @fd:		the socket
 * @info:	filled in: versions, ciphers, epochs, numbers and limits; never a key
 *
 * Return: 0; -KDTLS_ENOMODULE; or -errno, which is ENOPROTOOPT or EOPNOTSUPP for a
 * socket that is not attached.
 */
KDTLS_API int kdtls_get_info(int fd, struct dtls_info *info);

/**
 * kdtls_get_counters() - read what became of an attached socket's records
 * @fd:		the socket
 * @counters:	filled in; the counters start with the attach
 *
 * Return: 0; -KDTLS_ENOMODULE; or -errno, which is ENOPROTOOPT or EOPNOTSUPP for a
 * socket that is not attached.
 */
KDTLS_API int kdtls_get_counters(int fd, struct dtls_counters *counters);

/**
 * kdtls_get_mtu() - return how much plaintext one datagram takes on the path now
 * @fd:		an attached, connected socket
 *
 * Return: bytes of content of one record (RFC 6347 4.1.1.1); -ENOKEY without a write
 * key; -ENOTCONN without a peer or a route to it, or if no record with content fits a
 * datagram; or another -errno.
 */
KDTLS_API int kdtls_get_mtu(int fd);

/**
 * kdtls_get_window() - read which records of a read epoch were seen
 * @fd:		an attached socket
 * @epoch:	the read epoch
 * @window:	filled in (RFC 6347 4.1.2.6)
 *
 * Return: 0; -ENOENT if there is no key of that epoch; or another -errno.
 */
KDTLS_API int kdtls_get_window(int fd, uint64_t epoch,
			       struct dtls_window *window);

/**
 * kdtls_set_window() - mark records of a read epoch as seen
 * @fd:		an attached socket
 * @window:	the epoch and the records to mark; no record is unmarked
 *
 * Return: 0. After an error nothing has changed: -ENOENT if there is no key of that
 * epoch; -EINVAL if the window would move back; or another -errno.
 */
KDTLS_API int kdtls_set_window(int fd, const struct dtls_window *window);

/**
 * kdtls_set_replay_window() - set the size of the replay window
 * @fd:		an attached socket
 * @records:	64 to 4096, rounded up to a power of two; a socket begins with 64
 *
 * Records that were seen stay seen.
 *
 * Return: 0; -EINVAL for a size out of range; or another -errno.
 */
KDTLS_API int kdtls_set_replay_window(int fd, unsigned int records);

/**
 * kdtls_send_record() - send one record that is not application data
 * @fd:		an attached socket with a write key
 * @type:	content type (RFC 6347 4.1), such as 21 for an alert
 * @data:	the record's content, in the clear
 * @len:	bytes of @data
 *
 * Return: @len, or -errno of send(2): EAGAIN, EMSGSIZE, EKEYEXPIRED, ENOKEY, EINVAL
 * (a type that is not to be sent), and others.
 */
KDTLS_API ssize_t kdtls_send_record(int fd, uint8_t type, const void *data,
				    size_t len);

/**
 * kdtls_send_raw() - send a datagram as it is, unprotected
 * @fd:		an attached, connected socket
 * @data:	the datagram: whole records with their headers
 * @len:	bytes of @data
 *
 * The function is for a handshake that runs on an attached socket.
 *
 * Return: @len, or -errno of send(2).
 */
KDTLS_API ssize_t kdtls_send_raw(int fd, const void *data, size_t len);

/**
 * kdtls_recv_record() - take one record from the control queue
 * @fd:		an attached socket
 * @buf:	room for the record; a longer one is cut
 * @len:	bytes of @buf
 * @info:	filled in: which record it is, and whether it was verified
 *
 * Alerts, handshake messages and events of the kernel wait in the control queue;
 * application data comes from recv(2). The function never waits: after
 * kdtls_poll_control() poll(2) tells of a control record by POLLPRI.
 *
 * Return: bytes, 0 for an event; or -errno: EAGAIN if the queue is empty, ENOBUFS if
 * application data in front of it has to be read first.
 *
 * Example:
 *
 *	// Return 1 after a fatal alert that was verified, else 0.
 *	int look_for_alert(int fd)
 *	{
 *		struct dtls_record_info info;
 *		uint8_t record[2048];
 *		ssize_t n;
 *
 *		while ((n = kdtls_recv_record(fd, record, sizeof(record),
 *					      &info)) >= 0) {
 *			if (info.flags & (DTLS_RECORD_RAW | DTLS_RECORD_EVENT))
 *				continue;	// not authentic, or no record
 *			if (info.type == 21 && n == 2 && record[0] == 2)
 *				return 1;
 *		}
 *		return 0;
 *	}
 */
KDTLS_API ssize_t kdtls_recv_record(int fd, void *buf, size_t len,
				    struct dtls_record_info *info);

/**
 * kdtls_poll_control() - let control records wake poll(2) with POLLPRI
 * @fd:		an attached socket
 * @on:		0, as it is from the start, or 1
 *
 * Return: 0 or -errno.
 */
KDTLS_API int kdtls_poll_control(int fd, int on);

/**
 * kdtls_close_notify() - tell the peer that no more will be sent
 * @fd:		an attached socket with a write key
 *
 * The function sends a close_notify alert (RFC 5246 7.2.1). The socket stays open and
 * readable. If the peer is a socket of this kind, its recv(2) returns 0 after what was
 * sent before.
 *
 * Return: 0, or -errno of send(2).
 */
KDTLS_API int kdtls_close_notify(int fd);

/**
 * struct kdtls_keys - keys and numbers with which a socket goes on with a session
 * @tx:		write key, and the number of the next record
 * @rx:		read key
 * @seen:	records of the read key's epoch that were read before; next is 0 if
 *		there are none
 */
struct kdtls_keys {
	struct dtls_key_info tx;
	struct dtls_key_info rx;
	struct dtls_window seen;
};

/**
 * kdtls_install() - attach a socket and give it all its keys
 * @fd:		a connected UDP socket
 * @keys:	copied; the caller wipes them with kdtls_keys_wipe()
 *
 * The function asks first whether the kernel has module and cipher, so that an error
 * leaves the socket as it was, good for records in user space. The exception is
 * -KDTLS_EHALF: the socket is attached and has not all its keys; the caller closes it.
 *
 * Return: 0, -KDTLS_EHALF, -KDTLS_ENOMODULE, -KDTLS_ENOTUDP, -KDTLS_ENOTCONN,
 * -KDTLS_ENOCIPHER, -KDTLS_EATTACHED, -KDTLS_EOWNED, -KDTLS_EMAPPED, or -errno.
 */
KDTLS_API int kdtls_install(int fd, const struct kdtls_keys *keys);

/**
 * kdtls_keys_wipe() - overwrite keys with zeroes
 * @keys:	overwritten in a way that no compiler leaves out
 */
KDTLS_API void kdtls_keys_wipe(struct kdtls_keys *keys);

#ifdef __cplusplus
}
#endif

#endif /* _KDTLS_KDTLS_H */
