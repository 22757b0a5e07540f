/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of a server object, which is many clients on one socket; see
 * kdtls/server.h. A file uses those above it:
 *
 *	table.c          has clients by address and by connection ID
 *	server_limits.c  says who may come, and who has to go for that
 *	server_cids.c    gives clients connection IDs, and finds clients by them
 *	server_client.c  is one client: its handshake, its end
 *	server_user.c    makes the records in user space
 *	server_kernel.c  lets the kernel make them
 *	server_hello.c   lets clients in, and those that start anew
 *	server_batch.c   receives many datagrams or records in one system call
 *	server_in.c      takes datagrams and makes messages of their records
 *	server_out.c     makes records of messages and sends them
 *	server_object.c  is the object: made, timed, asked, freed
 */
#ifndef _KDTLS_SERVER_OBJECT_H
#define _KDTLS_SERVER_OBJECT_H

#include <kdtls/server.h>

#include "listener.h"
#include "table.h"

#define SERVER_CID_MIN	8
#define SERVER_CID_MAX	20

struct server_cid;
struct server_in;
struct server_out;

TAILQ_HEAD(server_list, kdtls_client);

/**
 * struct server_path - what differs with who makes the records
 * @owner:	what becomes of a client's keys and connection IDs
 * @kernel:	the kernel makes the records: the socket gives the content of records,
 *		and takes it, with the number of the client
 * @end:	called when the association of a client has ended
 * @add_cid:	lets a client's records bear one more connection ID. Returns 0 or a
 *		negative error
 * @send:	sends the content of one record, with the type of @info, without
 *		waiting. Returns its bytes or -errno. @number is set to the record's,
 *		with epoch 0 if it did not go out
 */
struct server_path {
	struct owner_ops owner;
	bool kernel;
	void (*end)(struct kdtls_client *c);
	int (*add_cid)(struct kdtls_client *c, const uint8_t *cid, size_t len);
	ssize_t (*send)(struct kdtls_client *c,
			const struct dtls_record_info *info,
			const uint8_t *data, size_t len,
			struct dtls_record_number *number);
};

/**
 * struct source - clients of one source; see kdtls_sender.source_len
 * @link:	in the server's table of sources
 * @clients:	how many there are
 * @half_open:	those in a handshake, oldest first
 * @half_open_count: how many of them there are
 * @len:	bytes of @key
 * @key:	the beginning of these clients' addresses
 */
struct source {
	struct table_link link;
	uint32_t clients;
	uint32_t half_open_count;
	struct server_list half_open;
	uint8_t len;
	uint8_t key[16];
};

/**
 * struct kdtls_client - one client of a server
 * @owner:	its engine, and what belongs to that; the first member
 * @server:	its server
 * @data:	the program's pointer
 * @by_address:	in the table of addresses, if @hashed
 * @by_id:	in the table of numbers, if @id is set
 * @id:		the kernel's number of its association; 0: the kernel has none
 * @cids:	its connection IDs, oldest first
 * @old:	the client at the same address that this one is to replace
 * @next:	the client at the same address that is to replace this one
 * @source:	where it comes from
 * @list:	in the server's list of its stage
 * @near:	in the source's list while its handshake goes on; later in the
 *		server's list of news, if @listed
 * @timed:	in the server's tree of timers
 * @since:	when the handshake began; later when the client was last heard
 * @random:	the beginning of the random of the hello that began the
 *		association; 0: not known
 * @error:	why it is gone
 * @stage:	how far it has come
 * @hashed:	it is in the table of addresses
 * @listed:	it is in the list of news
 * @opened:	its handshake is done
 * @told:	the program knows that @opened is set
 * @confirmed:	the engine knows that data came from the client
 * @goodbye:	the client has said goodbye; it is in the list of news until the
 *		program has been told of that
 * @overhead:	bytes by which a record to the client is longer than its content
 * @key_len:	bytes of @key
 * @key:	the client's address and that of this end; see address_key()
 */
struct kdtls_client {
	struct owner owner;
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
	int error;
	enum { SERVED_SHAKES, SERVED_OPEN, SERVED_GONE } stage;
	bool hashed;
	bool listed;
	bool opened;
	bool told;
	bool confirmed;
	bool goodbye;
	uint16_t overhead;
	uint8_t key_len;
	uint8_t key[];
};

_Static_assert(!offsetof(struct kdtls_client, owner),
	       "an owner is the beginning of its client");

/**
 * struct kdtls_server - the object
 * @endpoint:	that of new handshakes
 * @path:	who makes the records
 * @why:	why the kernel does not, as a negative error; 0: nobody asked for that
 * @attached:	the kernel has the socket
 * @fd:		the socket
 * @local:	the address that the socket is bound to
 * @local_len:	bytes of @local
 * @any:	that is the wildcard address
 * @options:	with the defaults filled in
 * @info:	the counters
 * @addresses:	clients by address; of two at one address the older
 * @cids:	clients by connection ID
 * @ids:	clients by the kernel's number
 * @last_id:	the last number that was given: none is given twice
 * @sources:	struct source by the beginning of addresses
 * @timers:	of clients
 * @shaking:	clients in a handshake, oldest first
 * @open:	clients with a finished handshake, the one heard least recently
 *		first
 * @news:	clients with something that the program is to be told
 * @gone:	clients that are freed with the next kdtls_server_recv()
 * @leaving:	the client whose goodbye the next kdtls_server_recv() answers, or
 *		NULL. It is in @open until then
 * @in:		what is being received
 * @out:	what is being sent
 * @more:	the socket may have more that the last call did not take
 */
struct kdtls_server {
	struct kdtls_endpoint *endpoint;
	const struct server_path *path;
	int why;
	bool attached;
	int fd;
	struct sockaddr_storage local;
	socklen_t local_len;
	bool any;
	struct kdtls_server_options options;
	struct kdtls_server_info info;
	struct table addresses;
	struct table cids;
	struct table ids;
	uint64_t last_id;
	struct table sources;
	struct timers timers;
	struct server_list shaking;
	struct server_list open;
	struct server_list news;
	struct server_list gone;
	struct kdtls_client *leaving;
	struct server_in *in;
	struct server_out *out;
	bool more;
};

/* ---- server_limits.c ---- */

/*
 * Count a client that begins its handshake, and make room for it: the oldest
 * handshakes go, those of the same source first. Return false, after which nothing
 * has changed, if there is no room or no memory.
 */
bool server_limits_begin(struct kdtls_client *c);

/* Count the end of the handshake of @c. */
void server_limits_shaken(struct kdtls_client *c);

/* Count the end of @c, whose handshake has ended, too. */
void server_limits_end(struct kdtls_client *c);

/* ---- server_cids.c ---- */

/*
 * Give @c a connection ID of its own, before its handshake. Without memory it
 * gets none.
 */
void server_cids_first(struct kdtls_client *c);

/* Do what cid of struct owner_ops does. */
int server_cids_add(struct owner *o, uint8_t *cid, size_t len);

/* Forget the connection IDs of @c. */
void server_cids_free(struct kdtls_client *c);

/* Return the client that has a connection ID, or NULL. */
struct kdtls_client *server_cids_find(const struct kdtls_server *server,
				      const uint8_t *cid);

/* ---- server_client.c ---- */

/*
 * Make a client for a new handshake, which is in no table of addresses yet.
 * Return NULL if there is no room or no memory.
 */
struct kdtls_client *server_client_new(struct kdtls_server *server,
				       const uint8_t *key, size_t key_len);

/* Find a client by its address. */
struct kdtls_client *server_client_find(const struct kdtls_server *server,
					const uint8_t *key, size_t key_len);

/* Let server_client_find() find @c. */
void server_client_hash(struct kdtls_client *c);

/*
 * Do what follows from the state of an engine: send what it has to send, note
 * that the handshake is done or has failed, or that the association has ended,
 * and set the timer.
 */
void server_client_settle(struct kdtls_client *c, uint64_t now);

/*
 * End @c, which the program is told. The engine says nothing more to the peer.
 */
void server_client_end(struct kdtls_client *c, int error);

/*
 * The handshake of @c is about to give out its keys: a client that @c is to replace
 * has ended.
 */
void server_client_succeed(struct kdtls_client *c);

/* End @c without telling the program. */
void server_client_drop(struct kdtls_client *c);

/* Note that @c sends nothing more, which the program is told. */
void server_client_goodbye(struct kdtls_client *c);

/* Let the program hear of @c. */
void server_client_news(struct kdtls_client *c);

/* Let the program hear nothing more of @c. */
void server_client_hush(struct kdtls_client *c);

/* Run the timer of @c, which is due. */
void server_client_expire(struct kdtls_client *c, uint64_t now);

/* End @c, which has been silent for too long, with a close_notify. */
void server_client_idle(struct kdtls_client *c, uint64_t now);

/* Answer the goodbye of the client that is leaving, and free those that are gone. */
void server_client_reap(struct kdtls_server *server);

/* ---- server_user.c ---- */

extern const struct server_path server_user_path;

/* ---- server_kernel.c ---- */

extern const struct server_path server_kernel_path;

/*
 * Let the kernel make the records of the server's socket. Return 0 or a negative
 * error, after which @server->attached says whether the socket is changed.
 */
int server_kernel_attach(struct kdtls_server *server);

/* Return the client with this number, or NULL. */
struct kdtls_client *server_kernel_find(const struct kdtls_server *server,
					uint64_t id);

/*
 * Give the kernel a datagram of @c that it took for a stranger's. What it has no
 * room for is lost, as any datagram may be.
 */
void server_kernel_feed(struct kdtls_client *c, const uint8_t *data, size_t len);

/* ---- server_hello.c ---- */

/* Take a datagram from an address that has no client. */
void server_hello_stranger(struct kdtls_server *server,
			   const struct stranger *from, const uint8_t *data,
			   size_t len, uint64_t now);

/*
 * Take a datagram, or something of one that the keys of @c do not open, from the
 * address of @c. The client may be starting anew (RFC 6347 4.2.8). @c may be
 * dropped.
 */
void server_hello_client(struct kdtls_client *c, const uint8_t *data, size_t len,
			 uint64_t now);

/* ---- server_in.c ---- */

/* Make room for what is received. Return NULL if there is no memory. */
struct server_in *server_in_new(void);

/* Wipe and free the room. @in may be NULL. */
void server_in_free(struct server_in *in);

/*
 * Receive what has come, and fill in messages. Return how many there are, or
 * -errno. @more is set if the socket may have more.
 */
ssize_t server_in_collect(struct kdtls_server *server,
			  struct kdtls_message *messages, size_t count,
			  bool *more);

/* Return true if messages wait that the socket does not tell of. */
bool server_in_pending(const struct kdtls_server *server);

/* Forget what is left of a datagram of @c, which is about to be freed. */
void server_in_forget(struct kdtls_client *c);

/* ---- server_out.c ---- */

/* Make room for what is sent. Return NULL if there is no memory. */
struct server_out *server_out_new(void);

/* Wipe and free the room. @out may be NULL. */
void server_out_free(struct server_out *out);

/*
 * Send a datagram to an address, without waiting. Return its bytes or -errno.
 */
ssize_t server_out_datagram(const struct kdtls_server *server,
			    const uint8_t *key, size_t key_len,
			    const uint8_t *data, size_t len);

#endif /* _KDTLS_SERVER_OBJECT_H */
