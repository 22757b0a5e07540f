/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This header has the internal functions of the socket driver. A file uses the
 * files above it in this list:
 *
 *	user_records.c  makes and opens records if the kernel does not
 *	owner.c     has the callbacks of an engine
 *	unread.c    keeps data that was opened for its reader
 *	kept.c      keeps records that came before their keys
 *	moved.c     says what counts of a datagram from another address than the peer's
 *	handover.c  gives a socket's keys to the kernel or to user_records.c
 *	socket.c    runs one association on its socket
 *
 * Many associations on one socket are a server object; see server_object.h.
 * listener.c gives each of them a socket.
 */
#ifndef _KDTLS_DRIVER_H
#define _KDTLS_DRIVER_H

#include <kdtls/socket.h>
#include <netinet/in.h>
#include <sys/queue.h>

#include "engine/alert.h"
#include "engine/endpoint.h"
#include "engine/engine.h"
#include "engine/protection.h"
#include "timers.h"

#define DATAGRAM_MAX	65536	/* A buffer of this size holds any datagram. */

/* ---- scratch.c ---- */

/*
 * A program's threads may have stacks of 64 KiB, so datagrams are not put on
 * the stack. Instead an endpoint keeps buffers. It has as many as its calls
 * have needed at once: a call that works on a datagram may lead to another one
 * that does. Both functions take no lock, as an endpoint belongs to one thread
 * at a time.
 */

/* Take a buffer of DATAGRAM_MAX bytes. Return NULL if there is no memory. */
uint8_t *scratch_take(struct kdtls_endpoint *ep);

/* Give a buffer back, in which no plaintext is left. @data may be NULL. */
void scratch_give(struct kdtls_endpoint *ep, uint8_t *data);

/* ---- user_records.c ---- */

#define READ_EPOCHS	3		/* The number of read keys is that of the kernel. */

/**
 * struct user_records - a record layer in user space; all zero at first
 * @tx:		the write key, or NULL
 * @rx:		the read keys, the newest first; NULL follows the last
 */
struct user_records {
	struct dtls_protection *tx;
	struct dtls_protection *rx[READ_EPOCHS];
};

/* Wipe and free the keys. */
void user_records_exit(struct user_records *u);

/*
 * Take a key from the callback @key of struct kdtls_ops. @crypto are the ciphers of the
 * endpoint, which lives longer than @u. Return 0 or a negative error. The time of the
 * key of early data begins to run out when the next read key is there; see
 * dtls_protection_used().
 */
int user_records_key(struct user_records *u, const struct dtls_crypto *crypto,
		     int direction, const struct dtls_key_info *key,
		     const struct dtls_window *seen);

/*
 * Put the connection ID @cid into the records that are made from now on. Return
 * 0, or -EINVAL if it is not as long as the connection ID before it.
 */
int user_records_peer_cid(struct user_records *u, const uint8_t *cid,
			  size_t len);

/* Return by how many bytes a record is longer than its content. */
size_t user_records_overhead(const struct user_records *u);

/*
 * Let the next record have the sequence number of the last one, which was
 * sealed but never sent.
 */
void user_records_unseal(struct user_records *u);

/* Return the number that the next record under the write key will have. */
struct dtls_record_number user_records_next(const struct user_records *u);

/*
 * Set @info to the next event that the engine has not been told of, if there is
 * one. Each event comes once for a key. Return false if there is none.
 */
bool user_records_event(struct user_records *u, struct dtls_record_info *info);

/**
 * user_records_seal() - make a record under the current write key
 * @u:		records in user space
 * @type:	content type
 * @data:	content
 * @len:	bytes of content
 * @out:	room for @len + user_records_overhead() bytes
 *
 * Return: bytes of the record, or -EMSGSIZE, -EKEYEXPIRED or -KDTLS_ECRYPTO.
 */
ssize_t user_records_seal(struct user_records *u, uint8_t type,
			  const void *data, size_t len, uint8_t *out);

/**
 * struct datagram - a datagram that is being read
 * @rest:	the bytes that are not read yet
 * @named:	the datagram has a connection ID of the association; see
 *		dtls_cids_fit()
 */
struct datagram {
	struct dtls_bytes rest;
	bool named;
};

/**
 * user_records_open() - take the next record off a datagram
 * @u:		records in user space
 * @cids:	the connection IDs that the peer may use, of dtls_engine_cids()
 * @d:		the datagram; @d->rest is moved behind the record, and is empty
 *		if the beginning of another record cannot be found
 * @plain:	room for DTLS_FRAGMENT_SIZE_MAX bytes of content
 * @raw:	set to the record as it was received, if it was not opened
 * @info:	set to type, epoch and number of the record; the flag
 *		DTLS_RECORD_RAW tells that the record was not opened
 *
 * Return: bytes of content or of @raw; -EAGAIN if the datagram has no more
 * records; or -EBADMSG if the record was dropped, and the caller calls again.
 */
ssize_t user_records_open(struct user_records *u, const struct dtls_cids *cids,
			  struct datagram *d, uint8_t *plain,
			  struct dtls_bytes *raw, struct dtls_record_info *info);

/* ---- owner.c ---- */

/*
 * struct kept is a protected record that came before its key; see kept.c.
 */
struct kept {
	STAILQ_ENTRY(kept) list;
	uint64_t epoch;
	size_t len;
	uint8_t data[];
};

STAILQ_HEAD(kept_list, kept);

/**
 * struct kept_queue - the records that an owner keeps
 * @list:	the records, in the order of their arrival
 * @size:	bytes of their memory, bounded by the endpoint's max_early
 */
struct kept_queue {
	struct kept_list list;
	size_t size;
};

struct owner;
struct unread;

/**
 * struct owner_ops - the functions that take an engine's keys and connection IDs
 * @first:	called with the first key before @key is: chooses whether the
 *		kernel or user space makes the records
 * @key:	takes a key, like @key of struct kdtls_ops; @seen may be NULL
 * @ready:	called when both keys of the handshake were taken: opens the
 *		records that were kept
 * @cid:	takes a connection ID for the peer to use, like @cid of struct
 *		kdtls_ops
 * @peer_cid:	takes a connection ID of the peer, like @peer_cid of struct
 *		kdtls_ops
 * @goodbye:	takes the peer's close_notify, if it is among the records that @ready has
 *		opened in user space
 *
 * Each but @goodbye returns 0 or a negative error.
 */
struct owner_ops {
	int (*first)(struct owner *o, const struct dtls_key_info *key);
	int (*key)(struct owner *o, int direction,
		   const struct dtls_key_info *key,
		   const struct dtls_window *seen);
	int (*ready)(struct owner *o);
	int (*cid)(struct owner *o, uint8_t *cid, size_t len);
	int (*peer_cid)(struct owner *o, const uint8_t *cid, size_t len);
	void (*goodbye)(struct owner *o, const struct dtls_record_info *info);
};

/**
 * struct owner - the owner of an engine of the driver, which is the engine's ctx
 * @ops:	tells owners of different kinds apart
 * @endpoint:	the endpoint that the association belongs to
 * @engine:	the engine of the association
 * @user:	the record layer in user space, without keys if the kernel makes the
 *		records
 * @unread:	data that was opened and that nobody has read; NULL: none has waited yet
 * @kept:	records that came before their keys, or NULL; see kept.c
 * @why:	why the kernel does not make the records, or why a key was not
 *		taken: an error, or 0 if nobody asked for that
 * @server:	this end is the server
 * @keyed:	@ops->first was called
 * @held:	KiB that the handshake takes, as server_limits_held() has counted last
 *
 * This structure is the first member of struct kdtls_socket and struct
 * kdtls_client.
 */
struct owner {
	const struct owner_ops *ops;
	struct kdtls_endpoint *endpoint;
	struct kdtls_engine *engine;
	struct user_records user;
	struct unread *unread;
	struct kept_queue *kept;
	int why;
	bool server;
	bool keyed;
	uint16_t held;
};

/*
 * Set up a zeroed owner and make its engine, for which @key is the peer's
 * address. The endpoint keeps a buffer of scratch from here on, so that no
 * later call fails for lack of it. Return 0, or -KDTLS_EMEMORY if there is no
 * memory or max_handshakes are going on.
 */
int owner_init(struct owner *o, struct kdtls_endpoint *ep, enum kdtls_role role,
	       const uint8_t *key, size_t key_len);

/*
 * Free the engine, the record layer, the data that nobody has read, and the records that
 * were kept.
 */
void owner_exit(struct owner *o);

/*
 * Move all that @from has to the zeroed owner @to, whose ops are @ops. The callbacks of the
 * endpoint get @to for the engine from then on. @from is zeroed.
 */
void owner_move(struct owner *to, struct owner *from, const struct owner_ops *ops);

/* Return true if the handshake is done and the association has not ended. */
bool owner_established(const struct owner *o);

/*
 * Return how many bytes the messages of the handshake take, and records that came before
 * their keys.
 */
size_t owner_held(const struct owner *o);

/*
 * Take a key from the engine. The function is the callback @key of struct
 * kdtls_ops for endpoints of sockets. @ctx is the struct owner. Return 0 or a
 * negative error.
 */
int owner_key(void *ctx, int direction, const struct dtls_key_info *key,
	      const struct dtls_window *seen);

/*
 * Let received records have one more connection ID. The function is the
 * callback @cid of struct kdtls_ops. Return 0 or a negative error.
 */
int owner_cid(void *ctx, uint8_t *cid, size_t len);

/*
 * Put another connection ID into records that are sent. The function is the
 * callback @peer_cid of struct kdtls_ops. Return 0 or a negative error.
 */
int owner_peer_cid(void *ctx, const uint8_t *cid, size_t len);

/* ---- unread.c ---- */

/* Wipe and free all data that nobody has read. */
void unread_free(struct owner *o);

/* Return true if the records of another datagram might find no room. */
bool unread_is_full(const struct owner *o);

/* Return true if unread_take() would return nothing. */
bool unread_is_empty(const struct owner *o);

/* Return true if there is room for @len bytes of content. */
bool unread_has_room(const struct owner *o, size_t len);

/*
 * Keep the content of a record, however much there is already. @flags may be
 * DTLS_RECORD_REPLAYABLE. Without memory the content is lost.
 */
void unread_add(struct owner *o, const uint8_t *data, size_t len, uint8_t flags);

/*
 * Read the oldest content that is kept. Set @cut if it has more than @len bytes. Return
 * how many bytes were read, or -EAGAIN if no content is kept.
 */
ssize_t unread_take(struct owner *o, void *buf, size_t len, uint8_t *flags,
		    bool *cut);

/* ---- kept.c ---- */

/*
 * Keep the protected records of a datagram, before the engine takes the
 * datagram. The endpoint's max_early bounds the bytes that are kept.
 */
void kept_add(struct owner *o, const uint8_t *data, size_t len);

/*
 * Sort the kept records of @key's epoch. Those with genuine application data, and
 * close_notify, stay: they are unmarked in @window, and @key->rec_seq is lowered to the
 * first of them, so that whoever gets @key accepts them. All other records were the
 * engine's, or forged, and are dropped. Return 0 or -KDTLS_ECRYPTO.
 */
int kept_sort(struct owner *o, struct dtls_key_info *key,
	      struct dtls_window *window);

/*
 * Let the record layer in user space open the kept records, queue their content, and tell
 * @o->ops->goodbye of close_notify.
 */
void kept_open(struct owner *o);

/* Return the record that was kept first, or NULL. */
struct kept *kept_first(const struct owner *o);

/* Drop the kept records. */
void kept_forget(struct owner *o);

/* ---- moved.c ---- */

/*
 * Return how many bytes at the beginning of a datagram count that bears a connection ID,
 * of @cid_len bytes, and comes from another address than the peer's: those of the records
 * before the first one that is in the clear or is none. The same goes for the rest of such
 * a datagram.
 */
size_t moved_len(const uint8_t *data, size_t len, size_t cid_len);

/* ---- socket.c ---- */

struct kdtls_socket;

/**
 * struct socket_home - what a listener, or the server that a client was peeled off from,
 *			does for the sockets of its clients
 * @connect:	gives a socket that is about to get its keys a connected file, and
 *		ends the association that the socket replaces. Returns 0 or -errno.
 *		NULL: the sockets are connected already
 * @keep:	keeps the records of a datagram that came to the socket for the
 *		association that is to replace the socket's, if there is one
 * @unopened:	takes bytes that the socket's keys do not open: for the socket's own
 *		engine, or for a handshake of a client that starts anew. The call may
 *		end the socket
 * @add_cid:	chooses a connection ID and lets the peer use it. Returns 0 or a
 *		negative error
 * @address:	writes the peer's address, and its length
 * @leave:	takes a socket that is about to be freed out of the listener or server
 */
struct socket_home {
	int (*connect)(struct kdtls_socket *s);
	void (*keep)(struct kdtls_socket *s, const uint8_t *data, size_t len);
	void (*unopened)(struct kdtls_socket *s, const uint8_t *data,
			 size_t len);
	int (*add_cid)(struct kdtls_socket *s, uint8_t *cid, size_t len);
	void (*address)(const struct kdtls_socket *s, struct sockaddr *address,
			socklen_t *len);
	void (*leave)(struct kdtls_socket *s);
};

/**
 * struct kdtls_socket - one association
 * @owner:	the owner of the engine; the first member
 * @fd:		the connected socket; -1: a listener's client has none before its
 *		keys are there
 * @error:	the negative error that ended the association, or 0
 * @icmp:	the negative error of an ICMP message about the peer, or 0
 * @wanted:	the path that the owner asked for
 * @path:	whether the kernel or user space makes the records
 * @attached:	the kernel has the socket
 * @confirmed:	the engine knows that the peer has the handshake's last flight
 * @heard:	a datagram has come from the peer
 * @inherits:	the socket is given what a server had received, which is bounded already
 * @shut:	this end has sent its close_notify
 * @eof:	the peer's close_notify has come
 * @eof_told:	kdtls_recv() has told the owner of the end
 * @end:	on the user path, the number of the record with the peer's
 *		close_notify. Data in records with lower numbers is still
 *		received
 * @data:	the owner's pointer
 * @home:	the functions of the listener or server; NULL if the socket has none, or
 *		does not belong to it any more
 * @client:	with @home: the client of the listener or server that has the socket
 * @waits:	the socket is in the listener's list for kdtls_accept()
 * @ready:	link of the listener's list for kdtls_accept(), if @waits
 * @due:	mark of server_in_mark(). kdtls_accept() returns the socket when
 *		server_in_passed() is true for the mark
 */
struct kdtls_socket {
	struct owner owner;
	int fd;
	int error;
	int icmp;
	enum kdtls_path wanted;
	enum kdtls_path path;
	bool attached;
	bool confirmed;
	bool heard;
	bool inherits;
	bool shut;
	bool eof;
	bool eof_told;
	struct dtls_record_number end;
	void *data;

	const struct socket_home *home;
	struct kdtls_client *client;
	bool waits;
	TAILQ_ENTRY(kdtls_socket) ready;
	uint64_t due;
};

_Static_assert(!offsetof(struct kdtls_socket, owner),
	       "an owner is the beginning of its socket");

/* Return the time of CLOCK_MONOTONIC in microseconds. */
uint64_t driver_now(void);

/* Return the ms until @expiry, rounded up, as for poll(2). */
int driver_wait_ms(uint64_t expiry);

/* Make a socket without an association and a file. Return NULL if there is no memory. */
struct kdtls_socket *socket_alloc(enum kdtls_path wanted, void *data);

/*
 * Give @s, from socket_alloc(), the association of @owner, whose handshake is done, and its
 * connected socket @fd. @owner is zeroed.
 */
void socket_adopt(struct kdtls_socket *s, struct owner *owner, int fd);

/*
 * Make an association that has no file yet. Return NULL if there is no memory,
 * or max_handshakes are going on.
 */
struct kdtls_socket *socket_new(struct kdtls_endpoint *ep, enum kdtls_role role,
				enum kdtls_path wanted, void *data,
				const uint8_t *key, size_t key_len);

/*
 * Close the file of @s, and wipe and free @s. The peer is not told. @s may be
 * NULL.
 */
void socket_free(struct kdtls_socket *s);

/*
 * Shake hands with the peer of the connected socket @fd, as kdtls_connect()
 * does. If @hasty, an ICMP error ends the handshake as long as no datagram has
 * come from the peer. Return 0 or a negative error.
 */
int socket_connect(struct kdtls_endpoint *endpoint, int fd,
		   const struct kdtls_socket_options *o, bool hasty, int timeout,
		   struct kdtls_socket **socket);

/*
 * Return how many bytes of UDP payload a datagram may have on the path of the
 * connected socket @fd, or -errno.
 */
int socket_path_mtu(int fd);

/*
 * Take a datagram of an association, which may still be in its handshake, from its
 * socket or from that of its listener or server.
 */
void socket_datagram(struct kdtls_socket *s, const uint8_t *data, size_t len);

/*
 * Take the records of the rest of a datagram of an established association whose records
 * the library makes.
 */
void socket_records(struct kdtls_socket *s, struct datagram *d);

/* Note that the peer ended with the record of @info, which is close_notify. */
void socket_goodbye(struct kdtls_socket *s, const struct dtls_record_info *info);

/*
 * Take the content of a record that was opened, an event of its keys, or bytes that they do
 * not open, as @info says.
 */
void socket_record(struct kdtls_socket *s, const struct dtls_record_info *info,
		   const uint8_t *data, size_t len);

/* Send what the engine has to send. @buf is DATAGRAM_MAX bytes of scratch. */
void socket_flush(struct kdtls_socket *s, uint8_t *buf);

/*
 * Send a datagram or a record of the engine, as @info says, without waiting. If
 * it cannot go out now it is lost, as any datagram may be. Set @number to the
 * number of the record that was made, or its epoch to 0 if none was made. Return
 * bytes or -errno.
 */
ssize_t socket_transmit(struct kdtls_socket *s,
			const struct dtls_record_info *info,
			const uint8_t *data, size_t len,
			struct dtls_record_number *number);

/* ---- handover.c ---- */

/*
 * handover_ops has the functions that take the keys and connection IDs of a struct
 * kdtls_socket.
 */
extern const struct owner_ops handover_ops;

/*
 * Let received records of @s have one more connection ID. Return 0 or a negative
 * error.
 */
int handover_add_cid(struct kdtls_socket *s, const uint8_t *cid, size_t len);

/* ---- ulp.c ---- */

/*
 * Return 0 if the kernel can make records of @version with @cipher on the
 * connected UDP socket @fd, or a negative error.
 */
int ulp_supports(int fd, unsigned int version, unsigned int cipher);

/*
 * Return 0 if the kernel can make records of @version with @cipher for the peer
 * @peer, or a negative error. @fd is a UDP socket, connected or not. The cipher
 * is tried on another socket, and only until the kernel has had it once.
 */
int ulp_has_cipher(int fd, const struct sockaddr *peer, socklen_t len,
		   unsigned int version, unsigned int cipher);

/*
 * Let received records of the association @id have one more connection ID.
 * Return 0 or -errno.
 */
int ulp_add_cid(int fd, uint64_t id, const uint8_t *cid, size_t len);

/*
 * Put the connection ID @cid, which is as long as the present one of these
 * records, into records that are sent. Return 0 or -errno.
 */
int ulp_change_cid(int fd, uint64_t id, const uint8_t *cid, size_t len);

/*
 * Send a record as @info says. Return the bytes of content that were sent, or
 * -errno.
 */
ssize_t ulp_send(int fd, const struct dtls_record_info *info, const void *data,
		 size_t len, int flags);

/*
 * Receive a record with its DTLS_RECORD_INFO, without waiting. @cut may be
 * NULL; it is set if the record has more than @len bytes. @from may be NULL; it is set to
 * the sender's address, with the family AF_UNSPEC if there is none. Return what recv(2)
 * does, or -errno.
 */
ssize_t ulp_recv(int fd, void *buf, size_t len, struct dtls_record_info *info,
		 bool *cut, struct sockaddr_storage *from, int flags);

/*
 * Give the kernel a datagram of the association @id by DTLS_FEED. Return 0 or
 * -errno.
 */
int ulp_feed(int fd, uint64_t id, const void *datagram, size_t len);

#endif /* _KDTLS_DRIVER_H */
