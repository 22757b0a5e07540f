/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This header has the server objects of libkdtls, which serve many DTLS clients on one
 * UDP socket.
 *
 *	struct kdtls_message m[64];
 *	struct kdtls_server *server;
 *	ssize_t n;
 *
 *	kdtls_server_on(endpoint, "0.0.0.0", "4433", NULL, &server);
 *	while ((n = kdtls_server_recv(server, m, 64, -1)) > 0)
 *		kdtls_server_send(server, m, n);	// echo
 *
 * One call, kdtls_server_recv(), does everything that arriving datagrams and timers ask
 * for, and returns messages for the program: records of many clients, and news of
 * clients that came or went. kdtls_server_send() takes records for many clients. All
 * clients are on one socket; only kdtls_client_peel() makes others.
 *
 * A program with an event loop polls kdtls_server_fd() for kdtls_server_events(), for
 * kdtls_server_timeout() ms at most, and then calls kdtls_server_recv() with timeout 0
 * until it returns -EAGAIN.
 *
 * The program knows a client as a struct kdtls_client from the message
 * KDTLS_NEWS_OPENED on. The object lives until the first kdtls_server_recv() after the
 * message KDTLS_NEWS_CLOSED of that client, or after kdtls_client_close(). So every
 * client that a message of one kdtls_server_recv() names can be used until the next.
 *
 * A program that wants a socket for each client uses kdtls_accept() of kdtls/socket.h. One
 * that wants it for some of its clients uses kdtls_client_peel().
 *
 * A function that can fail returns 0 or a count on success. It returns a negative
 * error otherwise: -errno, -KDTLS_E* of kdtls/kdtls.h, or one of enum
 * kdtls_engine_error of kdtls/engine.h. kdtls_strerror() says what it means.
 *
 * Context: An endpoint with all its servers and their clients belongs to one thread at
 * a time. The function is not async-signal-safe, and no callback of the endpoint may
 * call it.
 */
#ifndef _KDTLS_SERVER_H
#define _KDTLS_SERVER_H

#include <kdtls/engine.h>
#include <kdtls/kdtls.h>
#include <kdtls/socket.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kdtls_server;
struct kdtls_client;
struct kdtls_turn;

/**
 * struct kdtls_server_options - what a program may set for a server
 * @path:	who makes the records; see kdtls_server_path(). KDTLS_PATH_USER: the
 *		library. KDTLS_PATH_KERNEL: the kernel; it is an error if the kernel lacks
 *		the module or a cipher of the endpoint, or if the socket takes both IPv4
 *		and IPv6. KDTLS_PATH_AUTO: the kernel or, where that would be an error,
 *		the library
 * @cid_len:	bytes of the connection ID that clients are asked to put into their
 *		records (RFC 9146), 8 to 20; 0: none. A record with a connection ID is
 *		delivered from whatever address it comes. Records to the client go to the
 *		address of its handshake
 * @max_clients: how many clients with a finished handshake there may be; 0: 1048576. When
 *		there are so many, hellos of others are dropped, and a handshake that ends
 *		meanwhile fails with -ENOBUFS. A client that starts anew takes the place of
 *		the one that it replaces
 * @max_half_open: how many more may be in a handshake; 0: 4096. One more ends the
 *		oldest of these handshakes, and first those that began with early data: their
 *		clients have not proven their addresses yet. One that begins with early data ends
 *		none, and begins only while an eighth of the number is free; its client comes
 *		again without. Handshakes also end after a datagram with which all of them
 *		take more memory than 9 KiB for each of @max_half_open, and 1 MiB; or those
 *		of one source more than half of that
 * @max_clients_source: how many clients with a finished handshake one source may have, as
 *		with @max_clients; 0: @max_clients. A source is an IPv4 address or an IPv6 /56
 * @max_half_open_source: how many clients of one source may be in a handshake; 0: half
 *		of @max_half_open. One more ends the oldest of these handshakes
 * @handshake_timeout: ms that a handshake may take; 0: 30000
 * @idle_timeout: ms without an authentic record after which a client is closed; 0: none
 * @sharers:	how many sockets share the port (SO_REUSEPORT), each with a server object of
 *		its own, as those of several threads; 256 at most; 0 or 1: no other one
 * @share:	number of this server's socket among them: 0 for the socket that was bound
 *		first, and so on. It is the first byte of the connection IDs that this server
 *		gives its clients
 * @turn:	the turn that this process has at the port, from kdtls_turn_take(); NULL: none.
 *		With it the library sets @sharers and @share, which have to be 0, and the
 *		socket needs SO_REUSEPORT, set before it is bound. Has to outlive the
 *		server; 16 servers of a turn at most
 * @half_close:	true: KDTLS_NEWS_GOODBYE tells that a client has said goodbye, and the
 *		program can send to the client until kdtls_client_close() or
 *		@idle_timeout ends it. false: the server answers a goodbye itself
 * @data:	what kdtls_client_data() returns for a new client
 *
 * If several sockets share a port, the kernel chooses a socket for each datagram by the
 * addresses of the datagram. With @sharers a datagram that begins with a connection ID goes
 * to the socket whose server has given that connection ID, whatever address it comes from
 * and however many sockets have come behind it. The kernel gives the number of a socket
 * that is closed to the one that was bound last. So the server with the highest @share is
 * closed first, and the clients of the others are not concerned. If another one is closed
 * before, the server with the highest @share no longer hears its clients: what bears their
 * connection IDs goes to the socket that the addresses choose, and is dropped if that is of
 * another server. No new server mends that before all of them are closed. The endpoints of
 * all these servers should have one secret, see kdtls_endpoint_use_secret(): when the
 * number of sockets changes, a client's second hello may reach another socket than its
 * first.
 */
struct kdtls_server_options {
	enum kdtls_path path;
	uint32_t cid_len;
	uint32_t max_clients;
	uint32_t max_half_open;
	uint32_t max_clients_source;
	uint32_t max_half_open_source;
	uint32_t handshake_timeout;
	uint32_t idle_timeout;
	uint32_t sharers;
	uint32_t share;
	struct kdtls_turn *turn;
	bool half_close;
	void *data;
};

/**
 * kdtls_server_new() - serve clients on a UDP socket
 * @endpoint:	made with kdtls_socket_config(); must outlive the server
 * @fd:		a UDP socket that is bound and not connected, of AF_INET or AF_INET6, also
 *		one for both families. On success the server owns the socket, and
 *		kdtls_server_close() closes it. After an error the caller owns it
 * @options:	copied; NULL: all zero
 * @server:	set on success; kdtls_server_close() frees it
 *
 * The caller makes the socket, and can so bind it to a port below 1024 before it drops
 * its privileges, take it from systemd, or set SO_BINDTODEVICE or SO_RCVBUF. The server
 * does not change the flag O_NONBLOCK of the file, and waits in kdtls_server_recv()
 * alone. On a wildcard address the server answers a client from the address that the
 * client wrote to. With IP_RECVERR the program has to empty the error queue of the socket
 * (MSG_ERRQUEUE of recvmsg(2)) from an event loop: poll(2) does not wait before that, and
 * neither does kdtls_server_recv().
 *
 * A client has to prove its address (RFC 6347 4.2.1) before the server begins a handshake
 * with it, unless KDTLS_NO_COOKIE is set or the client has a ticket for early data that is
 * used for the first time. Before that the server keeps only pieces of hellos, within the
 * limits of kdtls_endpoint_gate(). The endpoint's callbacks get the struct kdtls_client as
 * their ctx.
 *
 * If the kernel makes the records, the function attaches the socket to the kernel's
 * record layer (linux/dtls.h). The socket stays attached, also after a later error.
 *
 * Return: 0; -KDTLS_ENOTUDP; -KDTLS_EUSAGE: the socket is connected or not bound, or an
 * option is out of its range; with KDTLS_PATH_KERNEL -KDTLS_ENOMODULE, -KDTLS_ENOCIPHER,
 * -KDTLS_EMAPPED (a socket for both families), -KDTLS_EATTACHED or -KDTLS_EOWNED;
 * -KDTLS_EMEMORY; -errno.
 *
 * Example:
 *
 *	// Serve on a port below 1024, and give up the right to bind to one.
 *	int serve_low(struct kdtls_endpoint *endpoint, uid_t user,
 *		      struct kdtls_server **server)
 *	{
 *		struct sockaddr_in a = { .sin_family = AF_INET };
 *		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;
 *
 *		a.sin_port = htons(443);
 *		if (fd < 0)
 *			return -errno;
 *		if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || setuid(user))
 *			err = -errno;
 *		else
 *			err = kdtls_server_new(endpoint, fd, NULL, server);
 *		if (err)
 *			close(fd);
 *		return err;
 *	}
 */
KDTLS_API int kdtls_server_new(struct kdtls_endpoint *endpoint, int fd,
			       const struct kdtls_server_options *options,
			       struct kdtls_server **server);

/**
 * kdtls_server_on() - serve clients on a UDP port that is given by name
 * @endpoint:	made with kdtls_socket_config(); must outlive the server
 * @host:	name or address of this host, of which the first address is taken;
 *		"0.0.0.0" or "::" for all addresses of a family
 * @service:	the port, as number or name
 * @options:	copied; NULL: all zero
 * @server:	set on success; kdtls_server_close() frees it
 *
 * The function makes a socket, binds it and gives it to kdtls_server_new(). A socket of
 * AF_INET6 is for IPv6 alone. If @sharers of the options is above 1, or @turn is set, the
 * socket has SO_REUSEPORT.
 *
 * Return: 0; -KDTLS_ENOHOST: there is no such host or service; -EADDRINUSE: the port is
 * taken; -KDTLS_EUSAGE: an option is out of its range; with KDTLS_PATH_KERNEL
 * -KDTLS_ENOMODULE or -KDTLS_ENOCIPHER; -KDTLS_EMEMORY; -errno.
 */
KDTLS_API int kdtls_server_on(struct kdtls_endpoint *endpoint, const char *host,
			      const char *service,
			      const struct kdtls_server_options *options,
			      struct kdtls_server **server);

/**
 * kdtls_server_set_endpoint() - exchange certificates, keys, trust and policy
 * @server:	the server
 * @endpoint:	made with kdtls_socket_config(); must outlive the server, or the next call
 *		of this function
 *
 * Handshakes that begin after the call use the new endpoint. Existing clients go on with
 * the endpoint that they began with, which the program can free at once: what the clients
 * need of it stays until the last of them is gone. If the kernel makes the records, a
 * handshake that ends with a cipher that the kernel lacks fails. If both endpoints have
 * one secret, see kdtls_endpoint_use_secret(), cookies and sessions of the old endpoint
 * are good for the new one.
 *
 * Example:
 *
 *	// Show another certificate from now on.
 *	int renew(struct kdtls_server *server, struct kdtls_endpoint **endpoint,
 *		  const struct kdtls_config *config, const void *secret)
 *	{
 *		struct kdtls_endpoint *fresh;
 *		int err = kdtls_endpoint_new(config, &fresh);
 *
 *		if (err)
 *			return err;
 *		err = kdtls_use_certificate_file(fresh, "chain.pem", "key.pem");
 *		if (!err)
 *			err = kdtls_endpoint_use_secret(fresh, secret,
 *							KDTLS_SECRET_SIZE);
 *		if (err) {
 *			kdtls_endpoint_free(fresh);
 *			return err;		// the old endpoint stays in use
 *		}
 *		kdtls_server_set_endpoint(server, fresh);
 *		kdtls_endpoint_free(*endpoint);
 *		*endpoint = fresh;
 *		return 0;
 *	}
 */
KDTLS_API void kdtls_server_set_endpoint(struct kdtls_server *server,
					 struct kdtls_endpoint *endpoint);

/**
 * kdtls_server_close() - stop serving, and free a server with its clients
 * @server:	freed, its file closed; may be NULL
 *
 * The function sends a close_notify alert to every client with a finished handshake, if
 * the socket has room for it. Handshakes in progress end without an alert. Of servers that
 * share a port the one with the highest @share of struct kdtls_server_options is closed
 * first.
 */
KDTLS_API void kdtls_server_close(struct kdtls_server *server);

/**
 * kdtls_turn_take() - take a port over from another process
 * @file:	a file that all processes on the port have in common, on a file system with
 *		locks. It is made, for its owner alone, if there is none
 * @turn:	set on success; kdtls_turn_end() frees it
 *
 * A program calls the function when it starts, and gives the turn to its endpoint
 * (kdtls_turn_use_secret()) and to its servers (@turn of the options), one for each
 * address. It makes all of them before it calls kdtls_server_recv(): if an older process
 * is on the port with the same file, that process has its turn until this one first calls
 * that function. If a server cannot be made, and this process closes the others, the older
 * one goes on as before. What has come to a server's socket in between waits there, or is
 * lost. From that first call on the older process serves the clients that it has, and this
 * process gets all that come:
 *
 * - A client with a connection ID stays with the older process, which gets every record of
 *   the client. It loses none, whatever address it writes from.
 * - A client of the older process without a connection ID is told goodbye by the older
 *   process, with KDTLS_NEWS_CLOSED and -KDTLS_ETURN there. Its records no longer reach that
 *   process. When it begins anew it can resume its session.
 * - A handshake with the older process that is under way may fail, as any may, and begins
 *   anew with this process. A hello with a cookie of the older process is good here.
 *
 * The older process sees kdtls_turn_is_over(), and ends when it has no clients any more or
 * does not want to wait for that. If this process ends first, however it ends, the older one
 * gets new clients again. There is one server object for each address, as several threads
 * of one process cannot take a port over. Both processes have to be of one user (see
 * SO_REUSEPORT in socket(7)).
 *
 * Return: 0; -EBUSY: two processes are on the port, the older one has gone or come a moment
 * ago, or it has been at the secret in the file for a second, as if it was stopped there;
 * -EPERM: others own the file or may read it, and it has the secret; -EINVAL: it is no file
 * of this function; -KDTLS_EMEMORY, -KDTLS_ECRYPTO, -errno.
 *
 * Example:
 *
 *	// Serve until another process has taken over and the last client has left.
 *	int serve_a_turn(struct kdtls_endpoint *endpoint, const char *port)
 *	{
 *		struct kdtls_server_options options = { .cid_len = 8 };
 *		struct kdtls_server_info info = { 0 };
 *		struct kdtls_message m[64];
 *		struct kdtls_server *server;
 *		ssize_t n = 0;
 *		int err;
 *
 *		err = kdtls_turn_take("/run/example/port", &options.turn);
 *		if (err)
 *			return err;
 *		err = kdtls_turn_use_secret(options.turn, endpoint);
 *		if (!err)
 *			err = kdtls_server_on(endpoint, "0.0.0.0", port, &options,
 *					      &server);
 *		if (!err) {
 *			while ((n >= 0 || n == -EAGAIN) &&
 *			       (info.clients || !kdtls_turn_is_over(options.turn))) {
 *				n = kdtls_server_recv(server, m, 64, 1000);
 *				if (n > 0)
 *					kdtls_server_send(server, m, n);
 *				kdtls_server_get_info(server, &info);
 *			}
 *			kdtls_server_close(server);
 *		}
 *		kdtls_turn_end(options.turn);
 *		return err;
 *	}
 */
KDTLS_API int kdtls_turn_take(const char *file, struct kdtls_turn **turn);

/**
 * kdtls_turn_use_secret() - give an endpoint the secret of all processes on a port
 * @turn:	from kdtls_turn_take()
 * @endpoint:	as with kdtls_endpoint_use_secret(), with the same ticket_life in all
 *		processes; copies what it needs of the secret
 *
 * The file holds the secret, and forgets as the endpoints do: the keys of tickets that are
 * older than three lives of a ticket cannot be computed from what is in the file, or in the
 * memory of the processes whose servers have this turn and this endpoint. These servers
 * write the file, about once in that life; while no process runs it stays as it is, and the
 * next process takes what is too old out of it when it calls this function. What was in the
 * file is overwritten in place. A file system that keeps old blocks, a snapshot or a backup
 * may still have it, so a file below /run is best. Times are those of time(2).
 *
 * If the clock goes back by more than two lives, a process that is alone on the port begins
 * with another secret, and so does the next one after the file was removed.
 *
 * Return: 0; -KDTLS_EUSAGE: the endpoint was used already, or takes early data;
 * -KDTLS_ECRYPTO: libcrypto failed.
 */
KDTLS_API int kdtls_turn_use_secret(struct kdtls_turn *turn,
				    struct kdtls_endpoint *endpoint);

/**
 * kdtls_turn_is_over() - tell whether a newer process has taken the port over
 * @turn:	from kdtls_turn_take()
 *
 * kdtls_server_recv() looks for a newer process four times a second, and
 * kdtls_server_timeout() says when. So the answer can be that much too old.
 *
 * Return: true if new clients go to another process. It can become false again, if that
 * process ends first.
 */
KDTLS_API bool kdtls_turn_is_over(const struct kdtls_turn *turn);

/**
 * kdtls_turn_end() - leave the port to others
 * @turn:	freed, after the servers that have it were closed; may be NULL
 */
KDTLS_API void kdtls_turn_end(struct kdtls_turn *turn);

/* These tell what a message from kdtls_server_recv() is. */
enum kdtls_news {
	KDTLS_NEWS_DATA,	/* the content of one record */
	KDTLS_NEWS_OPENED,	/* a new client: its handshake is done */
	KDTLS_NEWS_CLOSED,	/* a client is gone, and @error says why */
	KDTLS_NEWS_REFUSED,	/* a handshake failed, and @error says why */
	KDTLS_NEWS_GOODBYE,	/* a client sends nothing more; see @half_close */
};

/**
 * struct kdtls_message - one record of a client, or news of a client
 * @client:	the client
 * @data:	the record's content. The content that kdtls_server_recv() returns belongs to
 *		the server and lives until the next kdtls_server_recv()
 * @len:	bytes of @data; 0 with news
 * @news:	enum kdtls_news
 * @marks:	values of enum kdtls_mark, ORed together
 * @error:	set by kdtls_server_recv() with KDTLS_NEWS_CLOSED and
 *		KDTLS_NEWS_REFUSED: 0 if the client said goodbye, else why the client is
 *		gone: -ETIMEDOUT (a timeout of the options), -ENOBUFS (a limit of the
 *		options), -KDTLS_ERESTARTED (the client has started anew on its address,
 *		which is a new client), -KDTLS_ETURN (see kdtls_turn_take()), -KDTLS_ECLOSED
 *		(the client has ended its handshake by close_notify), -KDTLS_ENOCIPHER or
 *		another -errno (the kernel has refused the client's keys), or an error of
 *		enum kdtls_engine_error. Set by kdtls_server_send(): 0 or why the record
 *		was not sent
 */
struct kdtls_message {
	struct kdtls_client *client;
	const void *data;
	size_t len;
	enum kdtls_news news;
	unsigned int marks;
	int error;
};

/**
 * kdtls_server_recv() - receive records of many clients, and news of clients
 * @server:	the server
 * @messages:	filled in
 * @count:	entries of @messages, 1 or more
 * @timeout:	ms to wait for the first message; negative: without end; 0: not at all
 *
 * The function also goes on with all handshakes and runs all timers, which no other
 * function does. So a program that only sends has to call it, too.
 *
 * The messages of one client are in order: KDTLS_NEWS_OPENED, then data as it came, with
 * @half_close perhaps KDTLS_NEWS_GOODBYE, then KDTLS_NEWS_CLOSED. KDTLS_NEWS_REFUSED comes
 * alone. A program that has stored nothing with a client may ignore news.
 *
 * Without @half_close of the options the next call of this function answers the goodbye of
 * a client, which ends the client. Until then the program can send to the client, and so
 * answer what came before the goodbye. Early data (0-RTT), which somebody may have recorded
 * and sent again, bears KDTLS_MARK_REPLAYABLE.
 *
 * A signal does not end the wait. A program that wants to stop for a signal gives a
 * timeout or has an event loop.
 *
 * Return: how many messages there are, 1 or more; -EAGAIN: none came in time;
 * -KDTLS_EUSAGE: @count is 0; -ENOMEM; another -errno of the socket.
 *
 * Example:
 *
 *	// Serve from an event loop, and count what each client sends.
 *	int serve(struct kdtls_server *server)
 *	{
 *		struct pollfd p = { .fd = kdtls_server_fd(server) };
 *		struct kdtls_message m[64];
 *		ssize_t n, i;
 *
 *		for (;;) {
 *			p.events = kdtls_server_events(server);
 *			if (poll(&p, 1, kdtls_server_timeout(server)) < 0 &&
 *			    errno != EINTR)
 *				return -errno;
 *			while ((n = kdtls_server_recv(server, m, 64, 0)) > 0) {
 *				for (i = 0; i < n; i++) {
 *					size_t *bytes = kdtls_client_data(m[i].client);
 *
 *					if (m[i].news == KDTLS_NEWS_OPENED)
 *						kdtls_client_set_data(m[i].client,
 *							calloc(1, sizeof(*bytes)));
 *					else if (m[i].news == KDTLS_NEWS_CLOSED)
 *						free(bytes);
 *					else if (bytes)
 *						*bytes += m[i].len;
 *				}
 *			}
 *			if (n != -EAGAIN)
 *				return n;
 *		}
 *	}
 */
KDTLS_API ssize_t kdtls_server_recv(struct kdtls_server *server,
				    struct kdtls_message *messages,
				    size_t count, int timeout);

/**
 * kdtls_server_send() - send records to many clients
 * @server:	the server
 * @messages:	the function reads @client, @data and @len of each entry, and sets @error.
 *		It passes over an entry whose @len is 0, so that the messages of
 *		kdtls_server_recv() can be sent back as they are
 * @count:	entries of @messages
 *
 * Each entry becomes one record in one datagram. Entries that follow each other and have
 * one client and one length cost least, as the kernel sends them together (UDP_SEGMENT).
 * The function never waits.
 *
 * The error of an entry is 0; -EMSGSIZE: the record is too long for the path or the peer;
 * -ENOTCONN: the client is gone, or is that of another server; -EKEYEXPIRED: the key seals
 * no more records (RFC 9325 4.4); -KDTLS_ECRYPTO: libcrypto failed, where the library makes
 * the records; or another -errno of sendmsg(2).
 *
 * Return: the number of entries, from the first on, whose @error is set. It is less than
 * @count if the socket had no room for more: poll(2) tells by POLLOUT when to go on.
 */
KDTLS_API size_t kdtls_server_send(struct kdtls_server *server,
				   struct kdtls_message *messages, size_t count);

/**
 * kdtls_server_fd() - return the file descriptor of a server's socket
 * @server:	the server, which owns the file
 *
 * Return: the file descriptor, for poll(2), for options of the socket and for its error queue.
 * No data may be read from it or written to it.
 */
KDTLS_API int kdtls_server_fd(const struct kdtls_server *server);

/**
 * kdtls_server_events() - return the events of poll(2) after which to call kdtls_server_recv()
 * @server:	the server
 *
 * Return: events of poll(2), such as POLLIN.
 */
KDTLS_API short kdtls_server_events(const struct kdtls_server *server);

/**
 * kdtls_server_path() - tell who makes the records, and why
 * @server:	the server
 * @why:	set to one line of English, which lives as long as @server; may be NULL
 *
 * Return: KDTLS_PATH_KERNEL or KDTLS_PATH_USER.
 */
KDTLS_API enum kdtls_path kdtls_server_path(const struct kdtls_server *server,
					    const char **why);

/**
 * kdtls_server_timeout() - return the time after which kdtls_server_recv() is due
 * @server:	the server
 *
 * The time may change with every call for the server, a client of it, or a socket of
 * kdtls_client_peel(), so a program asks again after each.
 *
 * Return: ms, rounded up, as for poll(2); -1: no timer runs; 0: a timer is due, or the
 * server has messages that poll(2) does not tell about.
 */
KDTLS_API int kdtls_server_timeout(const struct kdtls_server *server);

/**
 * kdtls_server_next() - walk through the clients of a server
 * @server:	the server
 * @client:	the client that the call before returned; NULL: begin with the first
 *
 * A program that closes or peels off clients during a walk asks for the next client before
 * it does so with this one, which is in no walk any more.
 *
 * Return: the next client with a finished handshake, the one that was heard least recently
 * first; NULL: there are no more. A walk ends with the next kdtls_server_recv(). If the kernel
 * makes the records, a record without content does not count for this order.
 */
KDTLS_API struct kdtls_client *
kdtls_server_next(const struct kdtls_server *server,
		  const struct kdtls_client *client);

/**
 * struct kdtls_server_info - counters of a server
 * @clients:	number of clients now, with those in a handshake
 * @half_open:	number of clients in a handshake now
 * @established: handshakes that were completed
 * @refused:	handshakes that failed
 * @restarted:	completed handshakes by which a client has started anew on its address
 * @closed:	clients that ended after a completed handshake
 * @peeled:	clients that kdtls_client_peel() has given sockets
 * @replies:	replies to hellos of strangers, most of which ask for a cookie
 * @dropped:	datagrams that were dropped: of no client, and no hello to answer; of a
 *		client, but from another address, with nothing protected in front; a hello
 *		that is older than that of the handshake at its address; or a hello that
 *		came while 64 clients that have ended wait for kdtls_server_recv() to free
 *		them
 * @limited:	handshakes that were refused or ended for a limit of the options, or for
 *		want of memory
 */
struct kdtls_server_info {
	uint32_t clients;
	uint32_t half_open;
	uint64_t established;
	uint64_t refused;
	uint64_t restarted;
	uint64_t closed;
	uint64_t peeled;
	uint64_t replies;
	uint64_t dropped;
	uint64_t limited;
};

/**
 * kdtls_server_get_info() - read the counters of a server
 * @server:	the server
 * @info:	filled in
 */
KDTLS_API void kdtls_server_get_info(const struct kdtls_server *server,
				     struct kdtls_server_info *info);

/**
 * kdtls_client_close() - end a client's association
 * @client:	a client with a finished handshake
 *
 * The function sends a close_notify alert. The next kdtls_server_recv() has no message
 * about the client. Other messages of the last call may be about the client, too, and
 * KDTLS_NEWS_CLOSED may be one of them: a program that frees what it keeps with a client
 * sets the pointer to NULL (kdtls_client_set_data()), and looks at it with each message.
 * The object lives until the next kdtls_server_recv(), and kdtls_server_send() refuses
 * records for the client with -ENOTCONN. For a client that is gone the function does
 * nothing.
 */
KDTLS_API void kdtls_client_close(struct kdtls_client *client);

/**
 * kdtls_client_peel() - give a client a socket of its own
 * @client:	a client with a finished handshake, of which the program was told
 * @socket:	set on success to the client's socket, which belongs to the program and is of
 *		kdtls/socket.h; kdtls_close() frees it
 *
 * The function makes a UDP socket, binds it to the address and port that the client writes
 * to, and connects it to the client. The association goes there with its engine, keys,
 * sequence numbers, connection IDs and counters, and with all that was received for the
 * client and that kdtls_server_recv() has not returned. No record comes twice, and none that
 * one of the two sockets has received is lost. The kernel makes the records as before, or
 * the library does. The file is non-blocking, and has no options of the server's socket.
 *
 * From then on the client is not the server's: no message of kdtls_server_recv() names it,
 * no limit or timeout of the server counts it, and @client is not to be used. Callbacks of
 * the endpoint get the struct kdtls_socket as their ctx, and kdtls_data() returns what
 * kdtls_client_data() has returned. What still comes to the server's socket for the client,
 * as records with a connection ID from another address, is passed on by
 * kdtls_server_recv(). A client that starts anew at its address is a new client of the
 * server, and its socket is dead with KDTLS_ERESTARTED. The hello of such a client comes to
 * the client's socket. So that the server gets it, the program goes on calling
 * kdtls_process() or kdtls_recv() of the socket, and asks kdtls_server_timeout() after each
 * of these calls. Socket and server may be closed in any order.
 *
 * kdtls_timeout() of the socket is 0 as long as kdtls_recv() has something that the server
 * had received. A program that wants to use recv(2) calls kdtls_recv() until it returns
 * -EAGAIN before.
 *
 * The first call sets SO_REUSEPORT on the server's socket, so other sockets of this user
 * may be bound to the port. Each socket makes it slower to find one for a datagram, so this
 * is for a few of many clients: see the README.
 *
 * Return: 0; -ENOTCONN: the client is gone, has said goodbye, or the program was not told of
 * it yet; -EBUSY: the client is starting anew; -ENOBUFS: datagrams of other clients that
 * earlier calls have read take over 1 MiB, and kdtls_server_recv() has to be called before;
 * -EOPNOTSUPP: @sharers of the server's options is above 1, or @turn is set; -EACCES or
 * -EADDRINUSE: the process may not bind to the port any more; -EMFILE; -KDTLS_EMEMORY;
 * another -errno. After an error the client is the server's as before.
 *
 * Example:
 *
 *	// Give a client that sends much a socket with a large queue.
 *	int give_room(struct kdtls_client *client, struct kdtls_socket **s)
 *	{
 *		int err = kdtls_client_peel(client, s), bytes = 8 << 20;
 *
 *		if (err)
 *			return err;	// the server goes on with the client
 *		return setsockopt(kdtls_fd(*s), SOL_SOCKET, SO_RCVBUF, &bytes,
 *				  sizeof(bytes)) ? -errno : 0;
 *	}
 */
KDTLS_API int kdtls_client_peel(struct kdtls_client *client,
				struct kdtls_socket **socket);

/**
 * kdtls_client_address() - return the address of a client
 * @client:	the client
 * @address:	filled in
 * @len:	before the call: bytes of @address; after it: bytes of the client's address
 */
KDTLS_API void kdtls_client_address(const struct kdtls_client *client,
				    struct sockaddr *address, socklen_t *len);

/**
 * kdtls_client_payload() - return how much content a datagram to a client takes
 * @client:	a client with a finished handshake
 *
 * Return: bytes of content of the longest record in a datagram of the MTU. That is the mtu
 * of the endpoint, or less if the handshake got through with smaller datagrams only; the
 * client's record size limit (RFC 8449) also counts. A longer record may be sent if the
 * path takes it. 0: the client's connection ID, which has up to 255 bytes, leaves no room in
 * a datagram of the MTU, or the handshake is not finished.
 */
KDTLS_API size_t kdtls_client_payload(const struct kdtls_client *client);

/**
 * kdtls_client_engine() - return the engine of a client
 * @client:	the client
 *
 * The engine is for kdtls_engine_info(), kdtls_engine_failure() and
 * kdtls_engine_export(); and, with a kdtls_server_recv() behind them, for
 * kdtls_engine_heartbeat(), kdtls_engine_update_keys(), kdtls_engine_give_cids(),
 * kdtls_engine_request_cids(), kdtls_engine_change_cid() and kdtls_engine_set_mtu(). No
 * other function may be called with it. kdtls_server_timeout() is 0 after this call, so
 * that an event loop calls kdtls_server_recv().
 *
 * Return: the engine, which lives as long as @client.
 */
KDTLS_API struct kdtls_engine *kdtls_client_engine(struct kdtls_client *client);

/**
 * kdtls_client_data() - return the pointer that the program stored with a client
 * @client:	the client
 *
 * Return: @data of struct kdtls_server_options, or of the last kdtls_client_set_data().
 */
KDTLS_API void *kdtls_client_data(const struct kdtls_client *client);

/**
 * kdtls_client_set_data() - store a pointer of the program's with a client
 * @client:	the client
 * @data:	what kdtls_client_data() returns from now on; the library does not look at it
 */
KDTLS_API void kdtls_client_set_data(struct kdtls_client *client, void *data);

#ifdef __cplusplus
}
#endif

#endif /* _KDTLS_SERVER_H */
