/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A DTLS socket of libkdtls runs the handshake engine of kdtls/engine.h on a UDP socket.
 *
 *	struct kdtls_config config;
 *	struct kdtls_endpoint *endpoint;
 *	struct kdtls_socket *s;
 *
 *	kdtls_socket_config(&config);
 *	... policy, callbacks ...
 *	kdtls_endpoint_new(&config, &endpoint);
 *	... keys, certificates ...
 *	kdtls_connect_to(endpoint, "host", "port", NULL, -1, &s);
 *	send(kdtls_fd(s), ...); recv(kdtls_fd(s), ...);
 *	kdtls_close(s);
 *
 * When the handshake is done the kernel makes the records, and send(2), recv(2) and
 * their kin on the socket carry one application record each. Where the kernel lacks
 * the module or the cipher the library makes the records, and the program uses
 * kdtls_send() and kdtls_recv(), which work in both cases. kdtls_path() tells which
 * case it is, and why.
 *
 * A program with an event loop does this from kdtls_connect() with timeout 0, or from
 * kdtls_accept(), on:
 *
 *	poll kdtls_fd() for POLLIN | kdtls_events(), kdtls_timeout() ms at most;
 *	kdtls_process();
 *	when established: kdtls_recv() until -EAGAIN
 *
 * The file of a socket is non-blocking, as a loop needs it: a POLLIN may be for a ticket
 * or an alert, and kdtls_recv() would wait behind it for data. The file is blocking where
 * kdtls_connect_to() was given a time to wait for the handshake. A file that the program
 * gives to kdtls_connect() stays as the program has set it. fcntl(2) with O_NONBLOCK
 * changes that at any time.
 *
 * kdtls_process() and kdtls_accept() may read application data together with what
 * they are called for. Then kdtls_timeout() of the socket that the data is for is 0
 * until kdtls_recv() has returned that data, so the loop misses nothing.
 *
 * kdtls_process() also answers what a peer may ask for after the handshake: the last
 * flight again, alerts, heartbeats, new keys. A program that does not wait for POLLPRI
 * works, but such a peer gets no answer.
 *
 * No call takes more than 32 KiB of stack. This includes what libcrypto takes, but not
 * what callbacks take.
 *
 * A signal does not end a call that waits. A program that wants to stop for a signal
 * gives a timeout or has an event loop.
 *
 * A function that can fail returns 0 or a count on success. It returns a negative
 * error otherwise: -errno, -KDTLS_E* of kdtls/kdtls.h, or one of enum
 * kdtls_engine_error of kdtls/engine.h. kdtls_strerror() says what it means.
 *
 * Context: An endpoint with all its sockets and listeners belongs to one thread at a
 * time. The function is not async-signal-safe. When the kernel makes the records,
 * send(2) and recv(2) on the file may be called from any thread.
 */
#ifndef _KDTLS_SOCKET_H
#define _KDTLS_SOCKET_H

#include <kdtls/engine.h>
#include <kdtls/kdtls.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kdtls_socket;
struct kdtls_listener;

/* enum kdtls_path tells whether the kernel or the library makes the records. */
enum kdtls_path {
	KDTLS_PATH_AUTO,	/* in options: the kernel if it can; as an answer: not known yet */
	KDTLS_PATH_KERNEL,	/* the kernel module makes the records */
	KDTLS_PATH_USER,	/* the library makes the records, in user space */
};

/**
 * kdtls_socket_config() - fill in the defaults of an endpoint for sockets
 * @config:	filled in as by kdtls_config_init(); ops.key, ops.cid and
 *		ops.peer_cid are the library's, and max_early is 65536
 *
 * The callbacks get the struct kdtls_socket as their ctx, or the struct kdtls_client of
 * kdtls/server.h; kdtls_data() and kdtls_client_data() return what the program has
 * stored there. During a handshake on a listener the struct kdtls_socket is the one that
 * kdtls_accept() is going to return, and has no file yet; kdtls_peer_address() says who
 * the client is. A server that sets ops.replayable is told early data
 * (0-RTT) as it comes, before kdtls_accept() returns the socket. A server that does
 * not set it receives such data from the socket when the handshake is done.
 */
KDTLS_API void kdtls_socket_config(struct kdtls_config *config);

/**
 * kdtls_use_psk() - use one pre-shared key for all peers (RFC 4279)
 * @endpoint:	made with kdtls_socket_config(); no handshake may be in progress
 * @identity:	the name of the key, which a client sends and a server looks for; 1
 *		to KDTLS_PSK_IDENTITY_MAX bytes without its NUL, copied
 * @key:	the key, copied; the caller wipes it
 * @len:	bytes of @key, KDTLS_PSK_MIN to KDTLS_PSK_MAX. They have to be
 *		random: a word that people can remember is found by trying (RFC 9257
 *		6)
 *
 * The function takes the place of psk_client and psk_server of struct kdtls_ops, which
 * are for endpoints with a key for each peer. The endpoint uses the key either as a
 * client or as a server: the first handshake decides, and handshakes of the other role
 * fail with KDTLS_EPSK (RFC 9257 4.1).
 *
 * Return: 0; -KDTLS_EUSAGE for a length out of range; -KDTLS_EPSK for a key that is
 * shorter than KDTLS_PSK_MIN while KDTLS_SHORT_PSK is not set.
 */
KDTLS_API int kdtls_use_psk(struct kdtls_endpoint *endpoint,
			    const char *identity, const void *key, size_t len);

/**
 * kdtls_use_certificate_file() - show the certificate that is in these files
 * @endpoint:	the endpoint
 * @chain:	name of a file with the chain as PEM, this end's own certificate first; or
 *		with PKCS#12, or one certificate as DER; or a URI
 * @key:	name of a file with the private key as PEM, DER or PKCS#12, or a URI; NULL:
 *		the key is in @chain too
 *
 * The function may be called several times. Of the certificates that suit the peer's
 * signature algorithms the endpoint shows one that bears the name that the client asked
 * for (RFC 6066 3). If there is none, it shows one whose chain was issued by an authority
 * that the peer names, and else the first. The function passes over text between blocks
 * of PEM. A damaged block is an error wherever it stands. The certificates of PKCS#12 are
 * put in order.
 *
 * A name that begins with a scheme, such as "pkcs11:token=my;object=server", and is not
 * the name of a file is a URI. The provider of libcrypto that has the scheme opens it, as
 * the configuration of OpenSSL says. If the provider opens nothing, for whatever reason,
 * the error is KDTLS_EURI. "file:" is the scheme of files.
 *
 * The passphrase of kdtls_endpoint_set_passphrase() opens encrypted data, and is the PIN
 * of a token.
 *
 * Return: 0; -errno for a file that cannot be read (EFBIG: over 1 MiB);
 * -KDTLS_EEMPTY, -KDTLS_EKEYLESS, -KDTLS_EDAMAGED, -KDTLS_EENCRYPTED,
 * -KDTLS_EPASSPHRASE, -KDTLS_EURI, -KDTLS_EMISMATCH, -KDTLS_EKIND, -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_use_certificate_file(struct kdtls_endpoint *endpoint,
					 const char *chain, const char *key);

/**
 * kdtls_trust_file() - take the certificates of a file as roots
 * @endpoint:	the endpoint
 * @roots:	name of a file with one or more certificates as PEM or PKCS#12, or one as
 *		DER; or a URI that a provider of libcrypto opens, such as "pkcs11:token=my"
 *
 * A damaged block is an error, and then none of the file's certificates is a root.
 *
 * Return: 0; -errno for a file that cannot be read (EFBIG: over 1 MiB);
 * -KDTLS_EEMPTY, -KDTLS_EDAMAGED, -KDTLS_EENCRYPTED, -KDTLS_EPASSPHRASE, -KDTLS_EURI,
 * -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_trust_file(struct kdtls_endpoint *endpoint,
			       const char *roots);

/**
 * struct kdtls_socket_options - what a client may set for one association
 * @path:	who shall make the records. Where the kernel cannot, KDTLS_PATH_KERNEL
 *		fails and KDTLS_PATH_AUTO takes user space
 * @name:	name of the server: a host name or an IP address that its certificate
 *		has to bear. A host name is sent to the server (RFC 6066 3). NULL: none
 * @session:	a session to resume, as ops->session gave it; one that cannot be used
 *		is ignored. NULL: none
 * @session_len: bytes of @session
 * @early:	early data (0-RTT), the content of one record that goes out with the
 *		first hello. Somebody may record it and send it to the server again
 *		(RFC 8446 8). kdtls_engine_info() tells what became of it: unless it
 *		was accepted the program sends it again. NULL: none
 * @early_len:	bytes of @early, 1 or more
 * @cid:	a connection ID that the peer shall put into its records (RFC 9146).
 *		NULL: none
 * @cid_len:	bytes of @cid, 1 to 255
 * @data:	what kdtls_data() returns
 * @refused:	called when kdtls_connect() or kdtls_connect_to() fails with one address of
 *		the server, with the error, before the next address is tried or the function
 *		returns; kdtls_peer_address() tells the address. @s lives during the call
 *		only. NULL: not called
 *
 * The structure is read during the call only.
 */
struct kdtls_socket_options {
	enum kdtls_path path;
	const char *name;
	const uint8_t *session;
	size_t session_len;
	const uint8_t *early;
	size_t early_len;
	const uint8_t *cid;
	size_t cid_len;
	void *data;
	void (*refused)(struct kdtls_socket *s, int error);
};

/**
 * kdtls_connect() - shake hands as a client
 * @endpoint:	made with kdtls_socket_config(); must outlive the socket
 * @fd:		a UDP socket connected to the server, blocking or not: it stays so, and
 *		is non-blocking in a program with an event loop. The new object owns it,
 *		and kdtls_close() closes it. After an error the caller owns it again
 * @options:	NULL: all zero
 * @timeout:	ms to wait for the end of the handshake; negative: as long as the
 *		endpoint's timers and retransmissions allow; 0: not at all
 * @s:		set on success, and with -EINPROGRESS; kdtls_close() frees it
 *
 * What the peer sends before the keys are in place is not lost: the first recv(2) or
 * kdtls_recv() returns it.
 *
 * Return: 0; -EINPROGRESS with @timeout 0: kdtls_process() goes on; -ETIMEDOUT: the
 * timeout is over; -KDTLS_ENOTUDP, -KDTLS_ENOTCONN: @fd is not a connected UDP socket;
 * -KDTLS_EMEMORY: no memory, or max_handshakes of the endpoint; -KDTLS_ENAME: the name
 * is no host name or address; -KDTLS_EUSAGE: the connection ID is too long or empty, or
 * certificates would be accepted and no name is set; -KDTLS_ENOMODULE,
 * -KDTLS_ENOCIPHER, -KDTLS_EOWNED, -KDTLS_EMAPPED with KDTLS_PATH_KERNEL: the kernel
 * cannot make the records; -KDTLS_ECLOSED: the server has ended the handshake by
 * close_notify; the other errors of enum kdtls_engine_error: the handshake failed; -errno.
 *
 * Example:
 *
 *	// Begin a handshake over a socket of the program's own, and do not wait.
 *	int begin(struct kdtls_endpoint *endpoint, int fd, const char *name,
 *		  struct kdtls_socket **s)
 *	{
 *		struct kdtls_socket_options options = { .name = name };
 *		int err = kdtls_connect(endpoint, fd, &options, 0, s);
 *
 *		if (!err || err == -EINPROGRESS)
 *			return 0;	// the object has the file
 *		close(fd);
 *		fprintf(stderr, "%s\n", kdtls_strerror(err));
 *		return err;
 *	}
 */
KDTLS_API int kdtls_connect(struct kdtls_endpoint *endpoint, int fd,
			    const struct kdtls_socket_options *options,
			    int timeout, struct kdtls_socket **s);

/**
 * kdtls_connect_to() - connect to a server by name, and shake hands as a client
 * @endpoint:	made with kdtls_socket_config(); must outlive the socket
 * @host:	name or address of the server; also the name that its certificate has
 *		to bear, unless @options has one
 * @service:	the server's port, as number or name
 * @options:	NULL: all zero
 * @timeout:	ms to wait for the end of the handshake; negative: as long as the
 *		endpoint's timers and retransmissions allow; 0: not at all. The
 *		look-up of @host is not part of it and may block
 * @s:		set on success, and with -EINPROGRESS; kdtls_close() frees it. Its file
 *		is non-blocking if @timeout is 0, and else blocking
 *
 * The function tries the host's addresses in the order of the resolver, each with a
 * UDP socket of its own, which it closes after an error. It goes on to the next address
 * at once if there is no route, or if an ICMP error arrives before anything else; and
 * after an equal share of the time that is left if nothing arrives. A server that
 * refuses the handshake ends the search. With @timeout 0 the function takes the first
 * address that there is a route to.
 *
 * Return: 0; -EINPROGRESS with @timeout 0: kdtls_process() goes on; -KDTLS_ENOHOST:
 * there is no such host or service; -ECONNREFUSED: nobody has the port; -errno: there
 * is no socket or route; or the other errors of kdtls_connect(). If there are several
 * addresses the error is that of the last one tried.
 *
 * Example:
 *
 *	// Ask a server whose certificate a root of the system has signed.
 *	ssize_t ask(const char *host, const char *question, char *answer, size_t room)
 *	{
 *		struct kdtls_endpoint *endpoint = NULL;
 *		struct kdtls_socket *s = NULL;
 *		struct kdtls_config config;
 *		ssize_t n;
 *
 *		kdtls_socket_config(&config);
 *		n = kdtls_endpoint_new(&config, &endpoint);
 *		if (!n)
 *			n = kdtls_endpoint_trust_system(endpoint);
 *		if (!n)
 *			n = kdtls_connect_to(endpoint, host, "4433", NULL, 5000, &s);
 *		if (!n)
 *			n = kdtls_send(s, question, strlen(question));
 *		if (n > 0)
 *			n = kdtls_recv(s, answer, room);
 *		if (n < 0)
 *			fprintf(stderr, "%s: %s\n", host, kdtls_strerror(n));
 *		kdtls_close(s);			// both take NULL
 *		kdtls_endpoint_free(endpoint);
 *		return n;
 *	}
 */
KDTLS_API int kdtls_connect_to(struct kdtls_endpoint *endpoint,
			       const char *host, const char *service,
			       const struct kdtls_socket_options *options,
			       int timeout, struct kdtls_socket **s);

/**
 * kdtls_process() - do what datagrams and timers ask for, without waiting
 * @s:		the socket
 *
 * A program calls the function when one of kdtls_events() came up on kdtls_fd(), when
 * kdtls_timeout() has passed, and after functions of the engine that leave something
 * to be sent: kdtls_engine_heartbeat(), kdtls_engine_update_keys(),
 * kdtls_engine_give_cids(), kdtls_engine_request_cids(), kdtls_engine_change_cid() and
 * kdtls_engine_set_mtu().
 *
 * Return: 0: the association is established; -EINPROGRESS: the handshake goes on;
 * -KDTLS_ERESTARTED: the peer started anew, kdtls_accept() returns the new socket, or a
 * server object has a new client, and this one is dead; another error: why the association
 * ended, for good, of which kdtls_engine_failure() says more. An end of file is not an
 * error: kdtls_recv() and recv(2) return 0 for it.
 *
 * Example:
 *
 *	// Serve one socket until its peer or an error ends it.
 *	int serve(struct kdtls_socket *s)
 *	{
 *		char data[16384];
 *		struct pollfd p = { .fd = kdtls_fd(s) };
 *		ssize_t n;
 *		int err;
 *
 *		for (;;) {
 *			p.events = POLLIN | kdtls_events(s);
 *			if (poll(&p, 1, kdtls_timeout(s)) < 0 && errno != EINTR)
 *				return -errno;
 *			err = kdtls_process(s);
 *			if (err == -EINPROGRESS)
 *				continue;
 *			if (err)
 *				return err;
 *			while ((n = kdtls_recv(s, data, sizeof(data))) > 0)
 *				kdtls_send(s, data, n);
 *			if (n != -EAGAIN)	// 0: the peer has ended
 *				return n;
 *		}
 *	}
 */
KDTLS_API int kdtls_process(struct kdtls_socket *s);

/**
 * kdtls_fd() - return the file descriptor of the UDP socket
 * @s:		the socket
 *
 * Return: the file descriptor, which the object owns: kdtls_close() closes it. -1: the
 * handshake goes through the socket of a listener; only callbacks of the endpoint and
 * @refused of struct kdtls_listener_options are given such an object.
 */
KDTLS_API int kdtls_fd(const struct kdtls_socket *s);

/**
 * kdtls_peer_address() - return the address of the peer
 * @s:		the socket, in the handshake or after it; also the one that @refused of
 *		the options is given
 * @address:	filled in
 * @len:	before the call: bytes of @address; after it: bytes of the peer's address
 *
 * Return: 0; -ENOTCONN: the peer started anew, and the socket has lost its port; or
 * -errno.
 */
KDTLS_API int kdtls_peer_address(const struct kdtls_socket *s,
				 struct sockaddr *address, socklen_t *len);

/**
 * kdtls_events() - return the events of poll(2) after which kdtls_process() is due
 * @s:		the socket
 *
 * The events change when the handshake ends, during kdtls_process() or kdtls_connect(),
 * and not later. A program with epoll(7) sets them anew when kdtls_process() has returned 0
 * for the first time. The sockets of kdtls_accept() are past that.
 *
 * Return: POLLIN; or POLLPRI after the handshake if the kernel makes the records, where
 * POLLIN means that there is application data.
 */
KDTLS_API short kdtls_events(const struct kdtls_socket *s);

/**
 * kdtls_timeout() - return the time after which kdtls_process() is due
 * @s:		the socket
 *
 * The time may change with every call for the socket, so a program asks again after
 * each.
 *
 * Return: ms, rounded up, as for poll(2); -1: no timer runs; 0 also while kdtls_recv()
 * has something that kdtls_fd() does not tell of: a record, an end of file or an error
 * that the library has read already.
 */
KDTLS_API int kdtls_timeout(const struct kdtls_socket *s);

/**
 * kdtls_send() - send one application record
 * @s:		an established socket
 * @data:	the record's content
 * @len:	bytes of @data, 1 or more; kdtls_payload() says how many fit a datagram
 *
 * The function works like send(2) with MSG_NOSIGNAL, and blocks if the file does. A
 * signal does not end it.
 *
 * Return: @len, or less if the file has the option UDP_SEGMENT, which makes several records
 * of the content, and not all of them were sent; -EAGAIN: the file is non-blocking and has
 * no room; -EMSGSIZE: the record is too long; -EKEYEXPIRED: the key seals no more records
 * (RFC 9325 4.4); -EPIPE: kdtls_shutdown() came before; -ENOTCONN: the handshake is not
 * done; -KDTLS_ECRYPTO: libcrypto failed, where the library makes the records; another
 * -errno of send(2); or the error that ended the association.
 */
KDTLS_API ssize_t kdtls_send(struct kdtls_socket *s, const void *data,
			     size_t len);

/**
 * kdtls_recv() - receive one application record
 * @s:		the socket
 * @buf:	room for the record's content; a longer record is cut
 * @len:	bytes of @buf
 *
 * The function blocks if the file does, for as long as SO_RCVTIMEO says (socket(7)). It
 * does what kdtls_process() does while it waits. A signal does not end it.
 *
 * Return: bytes; 0: the peer has said close_notify, and all that came before is read;
 * -EAGAIN: there is nothing, and the file is non-blocking or SO_RCVTIMEO is over; an
 * error of the network's, such as -ECONNREFUSED, which does not end the association; or
 * the error that ended it.
 */
KDTLS_API ssize_t kdtls_recv(struct kdtls_socket *s, void *buf, size_t len);

/* enum kdtls_mark has what kdtls_recv_marked() tells of a record. */
enum kdtls_mark {
	KDTLS_MARK_REPLAYABLE	= 1,	/* the record is early data (0-RTT) */
	KDTLS_MARK_CUT		= 2,	/* the record was longer than the buffer */
};

/**
 * kdtls_recv_marked() - receive one application record and its marks
 * @s:		the socket
 * @buf:	room for the record's content; a longer record is cut
 * @len:	bytes of @buf
 * @marks:	set to values of enum kdtls_mark, ORed together
 *
 * The function works like kdtls_recv(). A record with KDTLS_MARK_REPLAYABLE may have
 * been recorded and sent again by somebody else (RFC 8446 8); servers with
 * max_early_data receive such records, unless they have set ops.replayable. recvmsg(2)
 * tells the same by DTLS_RECORD_REPLAYABLE of linux/dtls.h, and a record that was cut
 * by MSG_TRUNC.
 *
 * Return: bytes; 0: the peer has said close_notify, and all that came before is read;
 * -EAGAIN: there is nothing, and the file is non-blocking or SO_RCVTIMEO is over; an
 * error of the network's, such as -ECONNREFUSED, which does not end the association; or
 * the error that ended it.
 */
KDTLS_API ssize_t kdtls_recv_marked(struct kdtls_socket *s, void *buf,
				    size_t len, unsigned int *marks);

/**
 * kdtls_shutdown() - tell the peer that no more will be sent (RFC 5246 7.2.1)
 * @s:		an established socket
 *
 * The function sends a close_notify alert, once. Receiving goes on (RFC 8446 6.1); a
 * peer of DTLS 1.2 may answer with its own alert at once.
 *
 * Return: 0; -ENOTCONN: the handshake is not done; another -errno of send(2); or the
 * error that ended the association.
 */
KDTLS_API int kdtls_shutdown(struct kdtls_socket *s);

/**
 * kdtls_close() - end an association and free its socket
 * @s:		freed with all its keys, its file closed; may be NULL
 *
 * The function sends a close_notify alert unless kdtls_shutdown() has sent one. It ends a
 * handshake in progress with an alert.
 */
KDTLS_API void kdtls_close(struct kdtls_socket *s);

/**
 * kdtls_path() - tell who makes the records, and why
 * @s:		the socket
 * @why:	set to one line of English, which lives as long as @s; may be NULL
 *
 * Return: KDTLS_PATH_KERNEL, KDTLS_PATH_USER, or KDTLS_PATH_AUTO before the end
 * of the handshake.
 */
KDTLS_API enum kdtls_path kdtls_path(const struct kdtls_socket *s,
				     const char **why);

/**
 * kdtls_payload() - return how much content one datagram takes on the path now
 * @s:		an established socket
 *
 * Return: bytes of content of one record, no more than the peer takes; 0: the path takes no
 * datagram with content, as the peer's connection ID fills it; -ENOTCONN: the handshake is
 * not done, or there is no route; another -errno; or the error that ended the association.
 * If the kernel makes the records -ENOTCONN stands for 0, too.
 */
KDTLS_API int kdtls_payload(const struct kdtls_socket *s);

/**
 * kdtls_engine() - return the engine of a socket
 * @s:		the socket
 *
 * The engine is for kdtls_engine_info(), kdtls_engine_failure() and
 * kdtls_engine_export(); and, with a kdtls_process() behind them, for
 * kdtls_engine_heartbeat(), kdtls_engine_update_keys(), kdtls_engine_give_cids(),
 * kdtls_engine_request_cids(), kdtls_engine_change_cid() and kdtls_engine_set_mtu(). No
 * other function may be called with it.
 *
 * Return: the engine, which lives as long as @s.
 */
KDTLS_API struct kdtls_engine *kdtls_engine(const struct kdtls_socket *s);

/**
 * kdtls_data() - return the pointer that the program stored with a socket
 * @s:		the socket
 *
 * Return: @data of struct kdtls_socket_options or struct kdtls_listener_options, or of
 * the last kdtls_set_data().
 */
KDTLS_API void *kdtls_data(const struct kdtls_socket *s);

/**
 * kdtls_set_data() - store a pointer of the program's with a socket
 * @s:		the socket
 * @data:	what kdtls_data() returns from now on; the library does not look at it
 */
KDTLS_API void kdtls_set_data(struct kdtls_socket *s, void *data);

/**
 * struct kdtls_listener_options - what a program may set for a listener
 * @path:	who shall make the records. Where the kernel cannot, KDTLS_PATH_KERNEL
 *		fails and KDTLS_PATH_AUTO takes user space
 * @max_sockets: how many clients may wait for kdtls_accept(), or have a socket that came
 *		from it; 0: 16384. The kernel's own limit is 32768. When there are so many,
 *		hellos of others are dropped, and a handshake that ends meanwhile fails with
 *		-ENOBUFS. A client that starts anew takes the place of the one that it replaces
 * @handshake_timeout: ms that a client's handshake may take; 0: 30000
 * @receive_buffer: bytes of SO_RCVBUF of the listener, which all handshakes share, and
 *		of each socket; 0: the system's default
 * @cid_len:	bytes of connection ID, chosen at random, that clients shall put into
 *		their records (RFC 9146), 20 at most; 0: none. Fewer than 8 bytes save
 *		a few in each record, and can be guessed: anybody can then send, from any
 *		address, records that reach a client's keys. They do not verify, but they
 *		cost work, count as forgeries (max_forgeries of struct kdtls_config) and
 *		take the room of records that come before their keys (max_early). With 1
 *		byte, moreover, 256 clients at most have a connection ID
 * @data:	what kdtls_data() returns for the listener's sockets
 * @refused:	called when a handshake has failed, with the error; kdtls_peer_address()
 *		tells whose handshake it was. @s lives during the call only. NULL: not
 *		called
 * @max_handshakes: how many more clients may be in a handshake; 0: 4096. One more
 *		takes the place of the oldest. One source, an IPv4 address or an IPv6
 *		/56, may have half of them, and then takes the place of its own oldest
 */
struct kdtls_listener_options {
	enum kdtls_path path;
	unsigned int max_sockets;
	unsigned int handshake_timeout;
	unsigned int receive_buffer;
	unsigned int cid_len;
	void *data;
	void (*refused)(struct kdtls_socket *s, int error);
	unsigned int max_handshakes;
};

/**
 * kdtls_listen() - serve clients on a UDP port
 * @endpoint:	made with kdtls_socket_config(); must outlive listener and sockets
 * @address:	AF_INET or AF_INET6. With the wildcard address every client is answered
 *		from the address that it wrote to. AF_INET6 is for IPv6 only
 * @len:	bytes of @address
 * @options:	copied; NULL: all zero
 * @listener:	set on success; kdtls_listener_close() frees it
 *
 * Each client proves its address (RFC 6347 4.2.1) before a handshake with it begins,
 * unless KDTLS_NO_COOKIE is set or the client has a ticket for early data that is used
 * for the first time. Before that only pieces of hellos are kept, within the limits of
 * kdtls_endpoint_gate(). Handshakes go through the one socket of the listener and take
 * no file. A client whose Finished is verified gets a connected socket of its own on the
 * same port, which kdtls_accept() returns. Datagrams of others stay with the listener.
 *
 * A listener is a server object (kdtls/server.h) whose clients get a socket each. Before
 * Linux 6.13 many connected sockets on one port cost time for each datagram, and each
 * is a file. A program with thousands of clients uses the server object itself.
 *
 * For this function an address and port is taken as long as a socket lives there that
 * kdtls_accept() has returned, also when its listener was closed. The same port of the
 * wildcard address is then taken, too. A server object can begin there with a socket that
 * has SO_REUSEPORT.
 *
 * Return: 0; -EADDRINUSE: the port is taken; another -errno; -KDTLS_EUSAGE: @address is of
 * another family, or an option is out of its range; -KDTLS_ENOMODULE: the options want
 * KDTLS_PATH_KERNEL, and the module is not loaded; -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_listen(struct kdtls_endpoint *endpoint,
			   const struct sockaddr *address, socklen_t len,
			   const struct kdtls_listener_options *options,
			   struct kdtls_listener **listener);

/**
 * kdtls_listen_on() - serve clients on a UDP port that is given by name
 * @endpoint:	made with kdtls_socket_config(); must outlive listener and sockets
 * @host:	name or address of this host, of which the first address is taken;
 *		"0.0.0.0" or "::" for all addresses of a family
 * @service:	the port, as number or name; "0": any free port, which
 *		kdtls_listener_address() tells
 * @options:	copied; NULL: all zero
 * @listener:	set on success; kdtls_listener_close() frees it
 *
 * The function works like kdtls_listen().
 *
 * Return: 0; -KDTLS_ENOHOST: there is no such host or service; or the errors of
 * kdtls_listen().
 *
 * Example:
 *
 *	// Listen on all IPv4 addresses, with a certificate from two files.
 *	int listen_here(struct kdtls_listener **listener,
 *			struct kdtls_endpoint **endpoint)
 *	{
 *		struct kdtls_config config;
 *		int err;
 *
 *		kdtls_socket_config(&config);
 *		err = kdtls_endpoint_new(&config, endpoint);
 *		if (err)
 *			return err;
 *		err = kdtls_use_certificate_file(*endpoint, "chain.pem", "key.pem");
 *		if (!err)
 *			err = kdtls_listen_on(*endpoint, "0.0.0.0", "4433", NULL,
 *					      listener);
 *		if (err)
 *			kdtls_endpoint_free(*endpoint);
 *		return err;
 *	}
 */
KDTLS_API int kdtls_listen_on(struct kdtls_endpoint *endpoint,
			      const char *host, const char *service,
			      const struct kdtls_listener_options *options,
			      struct kdtls_listener **listener);

/**
 * kdtls_accept() - return the socket of a client whose handshake is done
 * @listener:	the listener
 * @timeout:	ms to wait; negative: without end; 0: not at all
 * @s:		set on success; its file is non-blocking; kdtls_close() frees it
 *
 * All handshakes of the listener go on during this call and no other, so a program
 * calls it whenever kdtls_listener_fd() is readable. One call returns one client. The
 * file descriptor stays readable while there are more, so that a loop need not call until
 * -EAGAIN unless it uses EPOLLET.
 *
 * Each client's socket is bound to the port of the listener anew. A process that has
 * given up the right to do so gets no clients: under another user ID, or for a port
 * below 1024 without CAP_NET_BIND_SERVICE.
 *
 * The function also passes on what reaches the listener for sockets that it has returned
 * before: a datagram with a connection ID of the client's (RFC 9146) from another
 * address. The library still answers to the address of the handshake.
 *
 * Return: 0; -EAGAIN: there is no such client yet; -EACCES or -EADDRINUSE: a client
 * could not be served, as this process may not bind to the port; another -errno.
 *
 * Example:
 *
 *	// Echo one record for each client, one client after the other.
 *	int echo(struct kdtls_listener *listener)
 *	{
 *		struct kdtls_socket *s;
 *		char data[16384];
 *		int err;
 *
 *		while (!(err = kdtls_accept(listener, -1, &s))) {
 *			struct pollfd p = { .fd = kdtls_fd(s), .events = POLLIN };
 *			ssize_t n = kdtls_recv(s, data, sizeof(data));
 *
 *			if (n == -EAGAIN && poll(&p, 1, 1000) > 0)
 *				n = kdtls_recv(s, data, sizeof(data));
 *			if (n > 0)
 *				kdtls_send(s, data, n);
 *			kdtls_close(s);
 *		}
 *		return err;
 *	}
 */
KDTLS_API int kdtls_accept(struct kdtls_listener *listener, int timeout,
			   struct kdtls_socket **s);

/**
 * kdtls_listener_fd() - return a file descriptor that tells when kdtls_accept() is due
 * @listener:	the listener
 *
 * The file descriptor is for kdtls_accept() alone. A socket that kdtls_accept() has
 * returned has a file descriptor and timers of its own: kdtls_fd() and kdtls_timeout().
 *
 * Return: a file descriptor that is readable when kdtls_accept() has a client to return,
 * or when handshakes have to go on, by datagrams or by timers. The listener owns it.
 */
KDTLS_API int kdtls_listener_fd(const struct kdtls_listener *listener);

/**
 * kdtls_listener_address() - return the address and port that a listener serves
 * @listener:	the listener
 * @address:	filled in
 * @len:	before the call: bytes of @address; after it: bytes that were used
 *
 * Return: 0 or -errno.
 */
KDTLS_API int kdtls_listener_address(const struct kdtls_listener *listener,
				     struct sockaddr *address, socklen_t *len);

/**
 * struct kdtls_listener_info - counters of a listener
 * @sockets:	clients that are in a handshake, wait for kdtls_accept(), or have a
 *		socket that came from it, now
 * @handshakes:	those of @sockets that are in a handshake
 * @established: handshakes that ended well
 * @refused:	handshakes that failed
 * @restarted:	those of @established whose client came back on its old port
 * @replies:	replies to hellos that had to prove their address
 * @dropped:	datagrams that were of no use
 * @limited:	clients turned away, or given up in a handshake, for want of
 *		sockets, files, memory or handshakes
 */
struct kdtls_listener_info {
	uint32_t sockets;
	uint32_t handshakes;
	uint64_t established;
	uint64_t refused;
	uint64_t restarted;
	uint64_t replies;
	uint64_t dropped;
	uint64_t limited;
};

/**
 * kdtls_listener_get_info() - read the counters of a listener
 * @listener:	the listener
 * @info:	filled in
 */
KDTLS_API void kdtls_listener_get_info(const struct kdtls_listener *listener,
				       struct kdtls_listener_info *info);

/**
 * kdtls_listener_close() - stop listening and free a listener
 * @listener:	freed, its handshakes given up; may be NULL. Sockets that
 *		kdtls_accept() has returned go on
 */
KDTLS_API void kdtls_listener_close(struct kdtls_listener *listener);

#ifdef __cplusplus
}
#endif

#endif /* _KDTLS_SOCKET_H */
