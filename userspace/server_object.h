/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This header has the structures of a server object, which serves many clients on
 * one socket (see kdtls/server.h), and the functions by which its files use each
 * other:
 *
 *	table.c          finds clients by address, connection ID and number
 *	server_limits.c  decides which clients may come, and which go for that
 *	server_cids.c    gives clients connection IDs, and finds clients by them
 *	server_client.c  has the handshake and the end of one client
 *	server_user.c    makes records in user space
 *	server_kernel.c  lets the kernel make records
 *	server_hello.c   lets clients in, and those that start anew
 *	server_stray.c   keeps datagrams that came to another socket than the server's
 *	server_batch.c   receives many datagrams or records in one system call
 *	server_in.c      takes datagrams and makes messages of their records
 *	server_out.c     makes records of messages and sends them
 *	server_steer.c   tells the kernel which socket of a port a datagram is for
 *	turn.c           lets processes follow each other on a port
 *	server_object.c  makes, times and frees the server object
 *	server_socket.c  gives clients of a server connected sockets
 *	server_peel.c    makes a client that of a socket of its own
 *	listener.c       gives each client of a server a socket, for kdtls_accept()
 */
#ifndef _KDTLS_SERVER_OBJECT_H
#define _KDTLS_SERVER_OBJECT_H

#include <kdtls/server.h>

#include "address.h"
#include "driver.h"
#include "table.h"

/*
 * A connection ID of a server has so many bytes: enough that nobody guesses one of
 * another client, and not more than the record layer takes.
 */
#define SERVER_CID_MIN	8
#define SERVER_CID_MAX	20

struct server_cid;
struct server_in;
struct server_out;

TAILQ_HEAD(server_list, kdtls_client);

/**
 * struct stray - a datagram for a server that came to another socket than the server's
 * @list:	link of the server's list @strays
 * @from:	the sender's address, and the local address that was written to
 * @len:	bytes of @data
 * @data:	the datagram
 */
struct stray {
	STAILQ_ENTRY(stray) list;
	struct stranger from;
	size_t len;
	uint8_t data[];
};

STAILQ_HEAD(stray_list, stray);

/**
 * struct server_path - the functions that differ between records made by the kernel
 *	and records made in user space
 * @owner:	the functions that take the keys and connection IDs of a client that
 *		server_client_begin() has begun
 * @kernel:	true if the kernel makes the records. The socket gives and takes the
 *		content of records then, with the number of the client
 * @begin:	makes the owner and the engine of a new client. Returns 0 or a negative
 *		error
 * @free:	frees what @begin has made
 * @beside:	called for a client that is to replace another one at its address, when the
 *		handshake has begun. What the call fails to do is done when the handshake
 *		ends. NULL: nothing is to do
 * @take:	takes a datagram that came for an open client; NULL: the records of the
 *		datagram become messages
 * @end:	called when the association of a client has ended
 * @peel:	gives the connected socket @fd the association that the kernel has of a
 *		client. NULL: the kernel has none. Returns 0 or a negative error
 * @retire:	called for a client that is about to replace another one, which has this
 *		path: ends the socket of that one. NULL: clients have no sockets
 * @add_cid:	lets records from a client bear one more connection ID. Returns 0 or a
 *		negative error
 * @heard:	returns the time of a client's last authentic record, or 0. The kernel gives
 *		nobody an empty record. NULL: the server gets all records
 * @send:	sends @data as one record of the type in @info, without waiting. Sets
 *		@number to the number of the record, with epoch 0 if the record did not
 *		go out. Returns the bytes that were sent or -errno
 */
struct server_path {
	struct owner_ops owner;
	bool kernel;
	int (*begin)(struct kdtls_client *c);
	void (*free)(struct kdtls_client *c);
	void (*beside)(struct kdtls_client *c);
	void (*take)(struct kdtls_client *c, const uint8_t *data, size_t len);
	void (*end)(struct kdtls_client *c);
	int (*peel)(struct kdtls_client *c, int fd);
	void (*retire)(struct kdtls_client *c);
	int (*add_cid)(struct kdtls_client *c, const uint8_t *cid, size_t len);
	uint64_t (*heard)(const struct kdtls_client *c);
	ssize_t (*send)(struct kdtls_client *c,
			const struct dtls_record_info *info,
			const uint8_t *data, size_t len,
			struct dtls_record_number *number);
};

/**
 * struct shaking - clients in a handshake, in the order in which they make room
 * @unproven:	those whose addresses nothing has proven but a ticket, oldest first
 * @proven:	all others, in the order in which their addresses were proven
 */
struct shaking {
	struct server_list unproven;
	struct server_list proven;
};

/**
 * struct source - the clients of one source; see kdtls_sender.source_len
 * @link:	link of the server's table of sources
 * @clients:	number of clients that have this source
 * @half_open_count: number of clients in @half_open
 * @held:	KiB that the handshakes of the clients in @half_open take
 * @half_open:	clients of the source that are in a handshake
 * @len:	bytes of @key
 * @key:	the beginning of the addresses of the source's clients
 */
struct source {
	struct table_link link;
	uint32_t clients;
	uint32_t half_open_count;
	uint64_t held;
	struct shaking half_open;
	uint8_t len;
	uint8_t key[16];
};

/* enum server_stage is how far the association of a client has come. */
enum server_stage {
	SERVED_SHAKES,		/* in the handshake */
	SERVED_OPEN,		/* after the handshake */
	SERVED_PEELED,		/* the program has a socket; the server passes on */
	SERVED_GONE,		/* the association has ended */
};

/**
 * struct kdtls_client - one client of a server
 * @own:	the client's engine and, while the library makes its records, their
 *		keys; the first member. Not in use for a listener's client
 * @owner:	points to @own, or to the owner that the connected socket of the client
 *		begins with; see server_client_socket(). The socket belongs to the client
 *		until @told is set, and then to the program
 * @server:	the server that the client belongs to
 * @data:	the program's pointer; see kdtls_client_set_data()
 * @by_address:	link of the server's table of addresses, if @hashed
 * @by_id:	link of the server's table of numbers, if @id is set
 * @id:		the kernel's number of the client's association; 0: the kernel has no
 *		association for the client. While @old is set the association has no
 *		address yet
 * @cids:	the client's connection IDs, oldest first
 * @old:	the client at the same address that this one is to replace, or NULL
 * @next:	the client at the same address that is to replace this one, or NULL
 * @source:	the source of the client's address; NULL when the client is gone or was
 *		peeled off, and after the handshake if a source may have all clients of
 *		the server
 * @list:	link of @shaking, @open, @peeled or @gone of the server
 * @near:	link of the source's list @half_open during the handshake; later link
 *		of the server's list @news, if @listed
 * @timed:	the client's timer
 * @since:	the time at which the handshake began; later the time of the last
 *		authentic record that is known
 * @random:	the first bytes of the random of the hello that began the
 *		association; 0: not known
 * @proven:	kdtls_hello_proven() of that hello, during the handshake; or the time at
 *		which the address was proven, if the hello itself did not prove it
 * @error:	why the client is gone: 0 or a negative error; in place of @proven
 * @overhead:	bytes by which a record to the client is longer than its content
 * @stage:	enum server_stage
 * @hashed:	the client is in the table of addresses
 * @listed:	the client is in the list of news
 * @opened:	the client's handshake was completed; stays set when the client is gone
 * @told:	the program was told of @opened
 * @confirmed:	the engine was told that data came from the client
 * @goodbye:	the client has said goodbye. The client is in the list of news until
 *		the program has been told
 * @key_len:	bytes of @key
 * @key:	the client's address and that of this end; see address_key()
 */
struct kdtls_client {
	struct owner own;
	struct owner *owner;
	struct kdtls_server *server;
	void *data;
	struct table_link by_address;
	struct table_link by_id;
	uint64_t id;
	struct server_cid *cids;
	struct kdtls_client *old;
	struct kdtls_client *next;
	struct source *source;
	TAILQ_ENTRY(kdtls_client) list;
	TAILQ_ENTRY(kdtls_client) near;
	struct timed timed;
	uint64_t since;
	uint64_t random;
	union {
		uint64_t proven;
		int error;
	};
	uint16_t overhead;
	uint8_t stage;
	bool hashed:1;
	bool listed:1;
	bool opened:1;
	bool told:1;
	bool confirmed:1;
	bool goodbye:1;
	uint8_t key_len;
	uint8_t key[];
};

_Static_assert(!offsetof(struct kdtls_client, own),
	       "an owner is the beginning of its client");

/* Return the connected socket of @c, or NULL. */
static inline struct kdtls_socket *server_client_socket(const struct kdtls_client *c)
{
	return c->owner == &c->own ? NULL : (struct kdtls_socket *)c->owner;
}

/**
 * struct kdtls_server - a server object
 * @endpoint:	the endpoint that new handshakes use
 * @listener:	the listener whose server this is, or NULL
 * @path:	server_user_path, server_kernel_path, or that of a listener
 * @why:	why the kernel does not make the records, as a negative error; 0: the
 *		options ask for records in user space
 * @attached:	the socket is attached to the kernel's record layer
 * @fd:		the socket
 * @local:	the address that the socket is bound to
 * @local_len:	bytes of @local
 * @any:	@local is the wildcard address
 * @shares:	other sockets may be bound to the port
 * @options:	the program's options, with the defaults filled in
 * @info:	the server's counters
 * @addresses:	clients by address; of two clients at one address the older
 * @cids:	clients by connection ID
 * @ids:	clients by the kernel's number of their association
 * @last_id:	the last number that an association was given. No number is given
 *		twice
 * @sources:	struct source by the first bytes of addresses
 * @timers:	timers of the clients
 * @shaking:	clients in a handshake
 * @open:	clients with a finished handshake, the one heard least recently
 *		first
 * @peeled:	clients that have a socket of the program's
 * @news:	clients that the program is to be told something about
 * @gone:	clients that the next kdtls_server_recv() frees
 * @gone_count:	number of clients in @gone
 * @strays:	datagrams that came to another socket, oldest first
 * @stray_bytes: bytes of memory in @strays
 * @ended:	a file that is at its end for reading and for writing, for the file
 *		descriptors of sockets that have lost their clients; -1: there is none yet
 * @leaving:	the client whose goodbye the next kdtls_server_recv() answers, or
 *		NULL. The client is in @open until then
 * @in:		state and memory of receiving
 * @out:	memory of sending
 * @more:	the socket may have more that the last kdtls_server_recv() did not take
 * @held:	KiB that the handshakes of the clients in @shaking take
 * @turn_due:	the time of the next look at the turn of the options, if there is one
 * @parted:	as many handshakes as were completed when all clients without a connection
 *		ID were last told that the turn is over
 */
struct kdtls_server {
	struct kdtls_endpoint *endpoint;
	struct kdtls_listener *listener;
	const struct server_path *path;
	int why;
	bool attached;
	int fd;
	struct sockaddr_storage local;
	socklen_t local_len;
	bool any;
	bool shares;
	struct kdtls_server_options options;
	struct kdtls_server_info info;
	struct table addresses;
	struct table cids;
	struct table ids;
	uint64_t last_id;
	struct table sources;
	struct timers timers;
	struct shaking shaking;
	struct server_list open;
	struct server_list peeled;
	struct server_list news;
	struct server_list gone;
	uint32_t gone_count;
	struct stray_list strays;
	size_t stray_bytes;
	int ended;
	struct kdtls_client *leaving;
	struct server_in *in;
	struct server_out *out;
	bool more;
	uint64_t held;
	uint64_t turn_due;
	uint64_t parted;
};

/* ---- server_limits.c ---- */

/* Make the lists of @s empty. */
void server_limits_init(struct shaking *s);

/*
 * Return the client of @s whose handshake ends first to make room: the oldest one of an
 * address that is not proven, or else the oldest. Return NULL if there is none.
 */
struct kdtls_client *server_limits_first(const struct shaking *s);

/*
 * Return true if there is a place for @c, which begins or ends its handshake, among the
 * clients of the server and of its source. One that replaces another has its place.
 */
bool server_limits_has_place(const struct kdtls_client *c);

/*
 * Count @c, which begins its handshake, and make room for it: if its source has as many
 * handshakes as it may the first one of that source ends, and if the server has, the first
 * one of all. A client that has not proven its address ends no handshake of one that has.
 * Return false if there is no place, no room or no memory; @c is not counted then.
 */
bool server_limits_begin(struct kdtls_client *c);

/*
 * Count the memory that the handshake of @c takes now. If all handshakes take too much, or
 * those of a source more than half of that, the first ones end, which may be that of @c.
 */
void server_limits_held(struct kdtls_client *c);

/*
 * Note that @c has proven its address, which nothing but a ticket had proven before. Its
 * handshake is the last one to make room then.
 */
void server_limits_proven(struct kdtls_client *c, uint64_t now);

/* Count the end of the handshake of @c. */
void server_limits_shaken(struct kdtls_client *c);

/* Count the end of @c, after server_limits_shaken(). */
void server_limits_end(struct kdtls_client *c);

/* ---- server_cids.c ---- */

/*
 * Give @c a connection ID of its own, before its handshake. Without memory it
 * gets none.
 */
void server_cids_first(struct kdtls_client *c);

/*
 * Write a new connection ID of @len bytes to @cid, and let the records from @c bear
 * it. Return 0 or -KDTLS_EMEMORY.
 */
int server_cids_add(struct kdtls_client *c, uint8_t *cid, size_t len);

/*
 * Call server_cids_add() for the client whose owner is @o. The function is the callback
 * @cid of struct owner_ops.
 */
int server_cids_take(struct owner *o, uint8_t *cid, size_t len);

/* Forget the connection IDs of @c. */
void server_cids_free(struct kdtls_client *c);

/*
 * Return the client that was given the connection ID at @cid, which is as long as the
 * server's options say; or NULL.
 */
struct kdtls_client *server_cids_find(const struct kdtls_server *server,
				      const uint8_t *cid);

/* ---- server_peel.c ---- */

/* server_peel_path has the functions of clients that were peeled off. */
extern const struct server_path server_peel_path;

/* ---- server_client.c ---- */

/* Return the functions that the records of @c need. */
static inline const struct server_path *
server_client_path(const struct kdtls_client *c)
{
	return c->stage == SERVED_PEELED ? &server_peel_path : c->server->path;
}

/*
 * Make a client for a new handshake, which is in no table of addresses yet. The sender of
 * its hello has proven the address at the time @proven. The client is to replace @old at
 * this address, if that is not NULL. Return NULL if there is no room or no memory.
 */
struct kdtls_client *server_client_new(struct kdtls_server *server,
				       const uint8_t *key, size_t key_len,
				       uint64_t proven, struct kdtls_client *old);

/* Give @c an owner of its own; see @begin of struct server_path. */
int server_client_begin(struct kdtls_client *c);

/* Free the owner and the engine that server_client_begin() has made. */
void server_client_free_own(struct kdtls_client *c);

/* Return the client with the address key @key, or NULL. */
struct kdtls_client *server_client_find(const struct kdtls_server *server,
					const uint8_t *key, size_t key_len);

/* Let server_client_find() find @c. */
void server_client_hash(struct kdtls_client *c);

/*
 * Do what the state of the engine of @c asks for, after each call of the engine:
 * send what the engine hands out, note that the handshake is done or has failed, or
 * that the association has ended, and set the timer of @c.
 */
void server_client_settle(struct kdtls_client *c, uint64_t now);

/*
 * Keep the records of a datagram that came to @c for the client that is to replace @c, if
 * there is one. What this client holds counts, which may end handshakes, its own too.
 */
void server_client_keep(struct kdtls_client *c, const uint8_t *data, size_t len);

/*
 * End @c, and let the program be told, with @error. Nothing more is sent to the
 * client.
 */
void server_client_end(struct kdtls_client *c, int error);

/*
 * Let @c have its place: end the client that @c is to replace, if there is one, with
 * KDTLS_ERESTARTED. Called when the client's Finished was verified, before the first key of
 * @c is installed. Return 0, or -ENOBUFS if others have taken the last place meanwhile.
 */
int server_client_succeed(struct kdtls_client *c);

/* End @c without telling the program. The next kdtls_server_recv() frees @c. */
void server_client_drop(struct kdtls_client *c);

/*
 * Note that the program has a socket for @c, which no limit and no timer of the server
 * concerns any more.
 */
void server_client_peel(struct kdtls_client *c);

/* Note that @c sends nothing more, and let the program be told. */
void server_client_goodbye(struct kdtls_client *c);

/* Put @c into the list of news, so that the program is told about it. */
void server_client_news(struct kdtls_client *c);

/* Take @c out of the list of news. */
void server_client_hush(struct kdtls_client *c);

/*
 * Note that an authentic record of @c came at the time @when. @c goes to the end of the
 * server's list @open.
 */
void server_client_heard(struct kdtls_client *c, uint64_t when);

/* Run the timer of @c, which is due. */
void server_client_expire(struct kdtls_client *c, uint64_t now);

/* End @c with a close_notify alert, and let the program be told, with @error. */
void server_client_dismiss(struct kdtls_client *c, int error, uint64_t now);

/*
 * Answer the goodbye of the client @leaving of the server, and free the clients in its
 * list @gone.
 */
void server_client_reap(struct kdtls_server *server);

/*
 * Return true if so many clients wait for server_client_reap() that no new one may end
 * another one before.
 */
bool server_client_reap_due(const struct kdtls_server *server);

/* ---- server_user.c ---- */

extern const struct server_path server_user_path;

/* ---- server_kernel.c ---- */

extern const struct server_path server_kernel_path;

/*
 * Attach the server's socket to the kernel's record layer. Return 0 or a negative
 * error, after which @server->attached tells whether the socket is attached.
 */
int server_kernel_attach(struct kdtls_server *server);

/* Return the client whose association has the number @id in the kernel, or NULL. */
struct kdtls_client *server_kernel_find(const struct kdtls_server *server,
					uint64_t id);

/* ---- server_hello.c ---- */

/* Take a datagram from an address that has no client. */
void server_hello_stranger(struct kdtls_server *server,
			   const struct stranger *from, const uint8_t *data,
			   size_t len, uint64_t now);

/*
 * Take a datagram from the address of @c, or the part of one that the keys of @c do
 * not open. The client may be starting anew (RFC 6347 4.2.8), which can end @c.
 */
void server_hello_client(struct kdtls_client *c, const uint8_t *data, size_t len,
			 uint64_t now);

/* ---- server_stray.c ---- */

/* Keep a datagram of @from for the server, or drop it for want of memory. */
void server_stray_add(struct kdtls_server *server, const struct stranger *from,
		      const uint8_t *data, size_t len);

/*
 * Take the oldest stray out of the list. The caller frees it with OPENSSL_free(). Return
 * NULL if there is none.
 */
struct stray *server_stray_next(struct kdtls_server *server);

/*
 * Return true if there may be more strays: as many as before, and those of a socket whose
 * queue is charged @queue bytes at most.
 */
bool server_stray_has_room(const struct kdtls_server *server, size_t queue);

/* Free all strays. */
void server_stray_free_all(struct kdtls_server *server);

/* ---- server_in.c ---- */

/* Make the memory of receiving. Return NULL if there is no memory. */
struct server_in *server_in_new(void);

/* Wipe and free @in, which may be NULL. */
void server_in_free(struct server_in *in);

/*
 * Run the timers that are due, receive what has come without waiting, and fill in up
 * to @count messages. Return how many there are, or -errno. Set @more if the socket
 * may have more.
 */
ssize_t server_in_collect(struct kdtls_server *server,
			  struct kdtls_message *messages, size_t count,
			  bool *more);

/*
 * Return a mark for server_in_passed(). It stands for all datagrams that have come to the
 * server's socket by now.
 */
uint64_t server_in_mark(const struct kdtls_server *server);

/* Return true if all datagrams that @mark stands for, and all strays, were taken. */
bool server_in_passed(const struct kdtls_server *server, uint64_t mark);

/*
 * Give the socket of @c, which was peeled off, what was received for it: what the server
 * has not read yet and, if the library makes the records, what waits in the server's
 * socket. Datagrams of other clients become strays, for which there has to be room.
 */
void server_in_peel(struct kdtls_client *c);

/*
 * Return true if server_in_collect() has something for the program that was received
 * already, so that poll(2) does not tell about it.
 */
bool server_in_pending(const struct kdtls_server *server);

/* Forget what is left of a datagram of @c, which is about to be freed. */
void server_in_forget(struct kdtls_client *c);

/* ---- server_out.c ---- */

/* Make the memory of sending. Return NULL if there is no memory. */
struct server_out *server_out_new(void);

/* Wipe and free @out, which may be NULL. */
void server_out_free(struct server_out *out);

/*
 * Send a datagram to the address of @key, without waiting. Return the bytes that were
 * sent or -errno.
 */
ssize_t server_out_datagram(const struct kdtls_server *server,
			    const uint8_t *key, size_t key_len,
			    const uint8_t *data, size_t len);

/* ---- server_socket.c ---- */

/*
 * Make a socket that is bound to @local and shares the port with other sockets of this
 * user. Its receive buffer has @buffer bytes, or as many as the system gives if @buffer is
 * 0. With @first the socket gets all datagrams that no connected socket gets, and no other
 * socket may have the port before. Return its file or -errno.
 */
int server_socket_bound(const struct sockaddr *local, socklen_t len, int buffer,
			bool first);

/* Make a socket that is connected to @c. Return its file or -errno. */
int server_socket_connected(const struct kdtls_client *c, int buffer);

/*
 * Make the file @ended of the server, before its first client gets a socket. Return 0 or
 * -errno.
 */
int server_socket_prepare(struct kdtls_server *server);

/*
 * Let datagrams that the socket @fd has received become strays of the server: those of
 * others, which came before the socket was connected to @c just now. The first datagram of
 * @c ends that, so that those of @c stay in their order. A datagram of another sender is
 * lost if it came between the first one of @c and the connect.
 */
void server_socket_sort(const struct kdtls_client *c, int fd);

/* Part @c and its socket, so that neither points to the other any more. */
void server_socket_part(struct kdtls_client *c);

/* Choose a connection ID as @add_cid of struct socket_home does. */
int server_socket_add_cid(struct kdtls_socket *s, uint8_t *cid, size_t len);

/* Keep the records of a datagram as @keep of struct socket_home does. */
void server_socket_keep(struct kdtls_socket *s, const uint8_t *data, size_t len);

/*
 * Give the server bytes that came to @s and that the keys of @s do not open, as @unopened of
 * struct socket_home does.
 */
void server_socket_unopened(struct kdtls_socket *s, const uint8_t *data,
			    size_t len);

/* Take @s, which is about to be freed, and its client out of the server. */
void server_socket_leave(struct kdtls_socket *s);

/* Write the address of the client of @s, and its length. */
void server_socket_address(const struct kdtls_socket *s, struct sockaddr *address,
			   socklen_t *len);

/* Free the socket of @c if the program was not given it. */
void server_socket_free(struct kdtls_client *c);

/* Pass a datagram that came to the server's socket on to that of @c. */
void server_socket_take(struct kdtls_client *c, const uint8_t *data, size_t len);

/* End the socket of the client that @c is about to replace. */
void server_socket_retire(struct kdtls_client *c);

/* Let received records of @c have one more connection ID. Return 0 or a negative error. */
int server_socket_take_cid(struct kdtls_client *c, const uint8_t *cid, size_t len);

/* Send a record of the engine of @c as @send of struct server_path does. */
ssize_t server_socket_send(struct kdtls_client *c,
			   const struct dtls_record_info *info,
			   const uint8_t *data, size_t len,
			   struct dtls_record_number *number);

/* ---- server_object.c ---- */

/*
 * Make a server object as kdtls_server_new() does, for @listener with @path; or for the
 * program if both are NULL. Return 0 or a negative error.
 */
int server_new(struct kdtls_endpoint *endpoint, int fd,
	       const struct kdtls_server_options *options,
	       struct kdtls_listener *listener, const struct server_path *path,
	       struct kdtls_server **server);

#endif /* _KDTLS_SERVER_OBJECT_H */
