/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DTLS sockets of libkdtls: the handshake engine of kdtls/engine.h on a UDP
 * socket, and then out of the way.
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
 * When the handshake is done the kernel makes the records, and send(2), recv(2)
 * and their kin on the socket carry one application record each. Where the
 * kernel cannot (no module, not this cipher) the library makes them, and
 * kdtls_send() and kdtls_recv() are to be used instead; these work on both
 * paths. kdtls_path() tells which one it is, and why.
 *
 * What a program with an event loop does, from kdtls_connect() with timeout 0 or
 * kdtls_accept() on:
 *
 *	poll kdtls_fd() for POLLIN | kdtls_events(), kdtls_timeout() ms at most;
 *	kdtls_process();
 *	when established: kdtls_recv() until -EAGAIN
 *
 * kdtls_process() may read application data that came with what it was called
 * for, and so does kdtls_accept(): then kdtls_timeout() is 0 until kdtls_recv()
 * has given that out, so the loop above misses nothing. It is the same on both
 * paths.
 *
 * kdtls_process() also answers what a peer may want after the handshake: the
 * last flight again, alerts, heartbeats, new keys. A program that does not wait
 * for POLLPRI works, but leaves such a peer alone.
 *
 * An endpoint with all its sockets and listeners belongs to one thread at a
 * time. On the kernel's path send(2) and recv(2) may be called from any.
 *
 * No call takes more than 32 KiB of stack, libcrypto's share included, and what
 * callbacks take not included.
 *
 * A signal does not end a call that waits. Who wants to stop for one gives a
 * timeout or has an event loop.
 *
 * Functions that can fail return 0 (or a count) or a negative error: -errno,
 * -KDTLS_E* of kdtls.h, or one of enum kdtls_engine_error.
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

/* Who makes the records */
enum kdtls_path {
	KDTLS_PATH_AUTO,	/* the kernel if it can; as an answer: not known yet */
	KDTLS_PATH_KERNEL,
	KDTLS_PATH_USER,
};

/**
 * kdtls_socket_config() - defaults for an endpoint whose engines have sockets
 * @config:	filled in as by kdtls_config_init(); ops.key, ops.cid and
 *		ops.peer_cid are the library's, and max_early is 65536
 *
 * The callbacks get the struct kdtls_socket as their ctx; see kdtls_data().
 * A server that sets ops.replayable is told early data at once, of a socket that
 * kdtls_accept() may give it when the handshake is done; else such data is
 * received then.
 */
KDTLS_API void kdtls_socket_config(struct kdtls_config *config);

/**
 * kdtls_use_psk() - one pre-shared key for all peers (RFC 4279)
 * @endpoint:	made with kdtls_socket_config(); no handshake may be in progress
 * @identity:	what clients call the key, and servers know it by; 1 to
 *		KDTLS_PSK_IDENTITY_MAX bytes without its NUL, copied
 * @key:	the key, copied; wiping it is the caller's
 * @len:	its bytes, KDTLS_PSK_MIN to KDTLS_PSK_MAX. They have to be random: a
 *		word that people can remember is found by trying (RFC 9257 6)
 *
 * Takes the place of psk_client and psk_server of struct kdtls_ops, which are
 * for those with a key for each peer. The endpoint uses the key either as a
 * client or as a server: the first handshake decides, and those of the other
 * role fail with KDTLS_EPSK (RFC 9257 4.1).
 *
 * Return: 0, -KDTLS_EUSAGE, or -KDTLS_EPSK: too short, and KDTLS_SHORT_PSK is not
 * set.
 */
KDTLS_API int kdtls_use_psk(struct kdtls_endpoint *endpoint,
			    const char *identity, const void *key, size_t len);

/**
 * kdtls_use_certificate_file() - kdtls_endpoint_use_certificate() of files
 * @endpoint:	the endpoint
 * @chain:	file with the chain, leaf first, as PEM
 * @key:	file with the private key as PEM; NULL: in @chain too
 *
 * kdtls_strerror() says what is wrong with a file.
 *
 * Return: as there, or -errno (EFBIG: over 1 MiB).
 */
KDTLS_API int kdtls_use_certificate_file(struct kdtls_endpoint *endpoint,
					 const char *chain, const char *key);

/**
 * kdtls_trust_file() - kdtls_endpoint_trust() of a file
 * @endpoint:	the endpoint
 * @roots:	file with certificates as PEM
 *
 * Return: as there, or -errno (EFBIG: over 1 MiB).
 */
KDTLS_API int kdtls_trust_file(struct kdtls_endpoint *endpoint,
			       const char *roots);

/**
 * struct kdtls_socket_options - what differs from one client to the next
 * @path:	KDTLS_PATH_KERNEL fails where KDTLS_PATH_AUTO takes user space
 * @name:	see kdtls_engine_set_name(); NULL: none
 * @session:	see kdtls_engine_set_session(); one that cannot be used is ignored
 * @session_len: bytes of @session
 * @early:	see kdtls_engine_send_early(); NULL: none. kdtls_engine_info() tells
 *		what became of it: unless it was accepted it is to be sent again
 * @early_len:	bytes of @early
 * @cid:	see kdtls_engine_set_cid(); NULL: none
 * @cid_len:	bytes of @cid
 * @data:	see kdtls_data()
 *
 * Read during the call only.
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
};

/**
 * kdtls_connect() - shake hands as a client
 * @endpoint:	made with kdtls_socket_config(); must outlive the socket
 * @fd:		a UDP socket connected to the server, blocking or not. It is the
 *		new object's from here on, and kdtls_close() closes it; after an
 *		error it is the caller's again, to close
 * @options:	NULL: all zero
 * @timeout:	ms to wait for the end of the handshake; negative: as long as the
 *		engine tries (see struct kdtls_config); 0: not at all
 * @s:		set on success, and with -EINPROGRESS
 *
 * What the peer sends before the keys are in place is not lost: it comes from
 * the first recv(2) or kdtls_recv().
 *
 * Return: 0; -EINPROGRESS with @timeout 0, to be carried on by
 * kdtls_process(); -ETIMEDOUT; -KDTLS_ENOTUDP, -KDTLS_ENOTCONN; with
 * KDTLS_PATH_KERNEL why the kernel cannot, as kdtls_supports() and
 * kdtls_attach(); or as kdtls_engine_new() and the functions named above.
 */
KDTLS_API int kdtls_connect(struct kdtls_endpoint *endpoint, int fd,
			    const struct kdtls_socket_options *options,
			    int timeout, struct kdtls_socket **s);

/**
 * kdtls_connect_to() - kdtls_connect() by name
 * @endpoint:	as there
 * @host:	name or address of the server; also the name its certificate has
 *		to show, unless @options has one: see kdtls_engine_set_name()
 * @service:	its port, as number or name
 * @options:	as there
 * @timeout:	as there; looking up @host is not part of it and may block
 * @s:		as there; its file is blocking, and closed after an error
 *
 * Takes the first of the host's addresses there is a route to.
 *
 * Return: as there, -KDTLS_ENOHOST, or -errno.
 */
KDTLS_API int kdtls_connect_to(struct kdtls_endpoint *endpoint,
			       const char *host, const char *service,
			       const struct kdtls_socket_options *options,
			       int timeout, struct kdtls_socket **s);

/**
 * kdtls_process() - do what is to be done now
 * @s:		the socket
 *
 * Never waits. To be called when kdtls_events() came up on kdtls_fd(), when
 * kdtls_timeout() has passed, and after what kdtls_engine() names.
 *
 * Return: 0: established; -EINPROGRESS: the handshake goes on; -KDTLS_ERESTARTED:
 * the peer started anew, kdtls_accept() has the new socket and this one is
 * dead; else why it ended, for good: see kdtls_engine_failure(). An end of file
 * is not an error: kdtls_recv() and recv(2) tell.
 */
KDTLS_API int kdtls_process(struct kdtls_socket *s);

/**
 * kdtls_fd() - the UDP socket
 * @s:		the socket
 *
 * Return: the file descriptor; still the object's.
 */
KDTLS_API int kdtls_fd(const struct kdtls_socket *s);

/**
 * kdtls_events() - when to call kdtls_process()
 * @s:		the socket
 *
 * Return: POLLIN; on the kernel's path after the handshake POLLPRI, where
 * POLLIN means that there is application data.
 */
KDTLS_API short kdtls_events(const struct kdtls_socket *s);

/**
 * kdtls_timeout() - and when, if nothing arrives
 * @s:		the socket
 *
 * Changes with every call for the socket, and is to be asked again after each.
 *
 * Return: ms, rounded up, as for poll(2); -1: never; 0 also while kdtls_recv()
 * has something that kdtls_fd() does not tell of: a record, an end of file or an
 * error that the library has read already.
 */
KDTLS_API int kdtls_timeout(const struct kdtls_socket *s);

/**
 * kdtls_send() - send one application record
 * @s:		established
 * @data:	its content
 * @len:	bytes, 1 or more; see kdtls_payload()
 *
 * As send(2) with MSG_NOSIGNAL, blocking if the file is.
 *
 * Return: @len, or -errno: EMSGSIZE, EKEYEXPIRED (RFC 9325 4.4: no more records
 * under this key), EPIPE after kdtls_shutdown(), ENOTCONN before the handshake
 * is over; or why the socket ended.
 */
KDTLS_API ssize_t kdtls_send(struct kdtls_socket *s, const void *data,
			     size_t len);

/**
 * kdtls_recv() - receive one application record
 * @s:		the socket
 * @buf:	room for it; a longer one is cut
 * @len:	bytes of @buf
 *
 * Blocks if the file does, for as long as SO_RCVTIMEO says (socket(7)); calls
 * kdtls_process() as needed.
 *
 * Return: bytes; 0: the peer has said close_notify; -EAGAIN; or why the socket
 * ended.
 */
KDTLS_API ssize_t kdtls_recv(struct kdtls_socket *s, void *buf, size_t len);

/* What kdtls_recv_marked() tells of a record */
enum kdtls_mark {
	KDTLS_MARK_REPLAYABLE	= 1,	/* it came before the handshake (0-RTT) */
	KDTLS_MARK_CUT		= 2,	/* it was longer than the buffer */
};

/**
 * kdtls_recv_marked() - the same, and what is to be known of the record
 * @s:		the socket
 * @buf:	room for it; a longer one is cut
 * @len:	bytes of @buf
 * @marks:	set to enum kdtls_mark, ORed together
 *
 * A replayable record may have been recorded and sent again by somebody else
 * (RFC 8446 8); servers with max_early_data get such. recvmsg(2) tells it by a
 * DTLS_RECORD_REPLAYABLE (linux/dtls.h), and a record that was cut by MSG_TRUNC.
 * With ops.replayable only what came
 * after the handshake is received so: see kdtls_socket_config().
 *
 * Return: as kdtls_recv().
 */
KDTLS_API ssize_t kdtls_recv_marked(struct kdtls_socket *s, void *buf,
				    size_t len, unsigned int *marks);

/**
 * kdtls_shutdown() - say that no more will be sent (RFC 5246 7.2.1)
 * @s:		established
 *
 * Sends close_notify, once. Receiving goes on (as RFC 8446 6.1 has it); a peer
 * of DTLS 1.2 may answer with its own at once.
 *
 * Return: 0 or -errno.
 */
KDTLS_API int kdtls_shutdown(struct kdtls_socket *s);

/**
 * kdtls_close() - end it
 * @s:		may be NULL; freed with all its keys, its file closed
 *
 * Sends close_notify unless that was done, or a handshake is given up.
 */
KDTLS_API void kdtls_close(struct kdtls_socket *s);

/**
 * kdtls_path() - who makes the records, and why
 * @s:		the socket
 * @why:	set to one line for people; lives as long as @s. May be NULL
 *
 * Return: KDTLS_PATH_KERNEL, KDTLS_PATH_USER, or KDTLS_PATH_AUTO before the end
 * of the handshake.
 */
KDTLS_API enum kdtls_path kdtls_path(const struct kdtls_socket *s,
				     const char **why);

/**
 * kdtls_payload() - bytes of content that go into one datagram on the path now
 * @s:		established
 *
 * Return: bytes, or -errno.
 */
KDTLS_API int kdtls_payload(const struct kdtls_socket *s);

/**
 * kdtls_engine() - the socket's engine
 * @s:		the socket
 *
 * For kdtls_engine_info(), _failure(), _export() and, with a kdtls_process()
 * behind them, _heartbeat(), _update_keys(), _give_cids(), _request_cids(),
 * _change_cid() and _set_mtu(). It lives as long as @s.
 */
KDTLS_API struct kdtls_engine *kdtls_engine(const struct kdtls_socket *s);

/**
 * kdtls_data() - what the owner wants to find again
 * @s:		the socket
 *
 * Return: data of the options, or of kdtls_set_data().
 */
KDTLS_API void *kdtls_data(const struct kdtls_socket *s);

/**
 * kdtls_set_data() - change that
 * @s:		the socket
 * @data:	what kdtls_data() shall return
 */
KDTLS_API void kdtls_set_data(struct kdtls_socket *s, void *data);

/**
 * struct kdtls_listener_options - how a listener works
 * @path:	as in struct kdtls_socket_options
 * @max_sockets: sockets at most that are in a handshake, wait for kdtls_accept()
 *		or came from it; 0: 16384; the kernel's own limit is 32768
 * @handshake_timeout: ms a client may take; 0: 30000
 * @receive_buffer: bytes, of the listener and of each socket (SO_RCVBUF); 0: the
 *		system's default
 * @cid_len:	bytes of connection ID, chosen at random, that clients shall put
 *		into their records (RFC 9146); 0: none; 20 at most
 * @data:	of the sockets, see kdtls_data()
 * @refused:	a handshake failed. @s lives during the call only. NULL: not told
 * @max_handshakes: of @max_sockets, those in a handshake; 0: 2048, and half of the
 *		files that the process may have (RLIMIT_NOFILE). One more takes the
 *		place of the oldest; one source, an IPv4 address or an IPv6 /56, has
 *		half of them and then takes the place of its own oldest
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
 * @address:	AF_INET or AF_INET6; with the wildcard address every client is
 *		answered from the address it wrote to. AF_INET6 is for IPv6 only
 * @len:	its bytes
 * @options:	NULL: all zero; copied
 * @listener:	set on success
 *
 * Each client proves its address (RFC 6347 4.2.1) before anything is kept, and
 * gets a connected socket of its own on the same port before its handshake
 * begins. A reuseport program keeps all others on the listener.
 *
 * Return: 0 or -errno (EADDRINUSE), -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_listen(struct kdtls_endpoint *endpoint,
			   const struct sockaddr *address, socklen_t len,
			   const struct kdtls_listener_options *options,
			   struct kdtls_listener **listener);

/**
 * kdtls_listen_on() - kdtls_listen() by name
 * @endpoint:	as there
 * @host:	name or address of ours, of which the first is taken; "0.0.0.0" or
 *		"::" for all of a family
 * @service:	the port, as number or name
 * @options:	as there
 * @listener:	as there
 *
 * Return: as there, or -KDTLS_ENOHOST.
 */
KDTLS_API int kdtls_listen_on(struct kdtls_endpoint *endpoint,
			      const char *host, const char *service,
			      const struct kdtls_listener_options *options,
			      struct kdtls_listener **listener);

/**
 * kdtls_accept() - get a client whose handshake is done
 * @listener:	the listener
 * @timeout:	ms to wait; negative: for ever; 0: not at all
 * @s:		set on success; non-blocking; kdtls_close() it
 *
 * All handshakes of the listener go on in here.
 *
 * Return: 0, -EAGAIN (nobody yet), or -errno.
 */
KDTLS_API int kdtls_accept(struct kdtls_listener *listener, int timeout,
			   struct kdtls_socket **s);

/**
 * kdtls_listener_fd() - a file for an event loop
 * @listener:	the listener
 *
 * Return: a file descriptor that is readable when kdtls_accept() is to be
 * called, for a client or to go on with handshakes; timers make it so too.
 */
KDTLS_API int kdtls_listener_fd(const struct kdtls_listener *listener);

/**
 * kdtls_listener_address() - where it listens
 * @listener:	the listener
 * @address:	filled in
 * @len:	in: bytes of @address; out: those used
 *
 * Return: 0 or -errno.
 */
KDTLS_API int kdtls_listener_address(const struct kdtls_listener *listener,
				     struct sockaddr *address, socklen_t *len);

/**
 * struct kdtls_listener_info - counters of a listener
 * @sockets:	now in a handshake, waiting or accepted
 * @handshakes:	of these in a handshake
 * @established: handshakes that ended well
 * @refused:	handshakes that failed
 * @restarted:	of @established, clients that came back on an old port
 * @replies:	HelloVerifyRequests sent
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
 * kdtls_listener_get_info() - read the counters
 * @listener:	the listener
 * @info:	filled in
 */
KDTLS_API void kdtls_listener_get_info(const struct kdtls_listener *listener,
				       struct kdtls_listener_info *info);

/**
 * kdtls_listener_close() - stop listening
 * @listener:	may be NULL; handshakes are given up. Sockets that were accepted
 *		go on
 */
KDTLS_API void kdtls_listener_close(struct kdtls_listener *listener);

#ifdef __cplusplus
}
#endif

#endif /* _KDTLS_SOCKET_H */
