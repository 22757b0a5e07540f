/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The socket driver, inside. From the bottom up:
 *
 *	user_records.c  records in user space, where the kernel does not make them
 *	handover.c  the engine's keys to whoever makes the records
 *	socket.c    one association on its socket
 *	restart.c   a client that starts anew on its old port (RFC 6347 4.2.8)
 *	listener.c  many associations on one port: see listener.h
 */
#ifndef _KDTLS_DRIVER_H
#define _KDTLS_DRIVER_H

#include <kdtls/socket.h>
#include <netinet/in.h>
#include <sys/queue.h>

#include "engine/cids.h"
#include "engine/endpoint.h"
#include "engine/protection.h"
#include "timers.h"

#define DATAGRAM_MAX	65536	/* bytes of buffer for any datagram */
#define ADDRESS_KEY_MAX	64	/* as in struct kdtls_sender */

/* ---- scratch.c ---- */

/*
 * A program's threads may have stacks of 64 KiB, so a datagram is put nowhere
 * near the stack: an endpoint keeps the buffers its calls have needed, one for
 * each that works on a datagram while another does. Both functions take no lock,
 * as an endpoint belongs to one thread at a time.
 */

/* Return: DATAGRAM_MAX bytes, or NULL: no memory. */
uint8_t *scratch_take(struct kdtls_endpoint *ep);

/* @data may be NULL; it must hold no plaintext any more. */
void scratch_give(struct kdtls_endpoint *ep, uint8_t *data);

/* ---- user_records.c ---- */

struct user_records;

struct user_records *user_records_new(const struct dtls_crypto *crypto);
void user_records_free(struct user_records *u);

/* A key as of ops->key. Return: 0 or a negative error. */
int user_records_key(struct user_records *u, int direction,
		     const struct dtls_key_info *key,
		     const struct dtls_window *seen);

/* One more that the peer may use. Return: 0 or -KDTLS_EMEMORY. */
int user_records_cid(struct user_records *u, const uint8_t *cid, size_t len);

/* The peer's, from now on. Return: 0, or -EINVAL: another length than before. */
int user_records_peer_cid(struct user_records *u, const uint8_t *cid,
			  size_t len);

/* Bytes a record is larger than its content. */
size_t user_records_overhead(const struct user_records *u);

/* The record sealed last did not leave: the next one gets its number. */
void user_records_unseal(struct user_records *u);

/* Which record the next one under the write key will be */
struct dtls_record_number user_records_next(const struct user_records *u);

/* Return: @info is an event, each of which comes once for a key. */
bool user_records_event(struct user_records *u, struct dtls_record_info *info);

/**
 * user_records_seal() - make a record under the current write key
 * @out:	@len + user_records_overhead() bytes
 *
 * Return: bytes, or -EMSGSIZE, -EKEYEXPIRED, -KDTLS_ECRYPTO.
 */
ssize_t user_records_seal(struct user_records *u, uint8_t type,
			  const void *data, size_t len, uint8_t *out);

/**
 * struct datagram - a datagram that is being read
 * @rest:	what is left of it
 * @named:	see dtls_cids_fit()
 */
struct datagram {
	struct dtls_bytes rest;
	bool named;
};

/**
 * user_records_open() - take the next record off a datagram
 * @d:		moved on behind the record; emptied when no more can be told
 * @plain:	DTLS_FRAGMENT_SIZE_MAX bytes
 * @info:	which record it is; DTLS_RECORD_RAW: not opened, @raw is it
 *
 * Return: bytes of content or of @raw; -EAGAIN: nothing left; -EBADMSG: dropped,
 * call again.
 */
ssize_t user_records_open(struct user_records *u, struct datagram *d,
			  uint8_t *plain, struct dtls_bytes *raw,
			  struct dtls_record_info *info);

/*
 * Application data that waits for its reader; @flags: DTLS_RECORD_REPLAYABLE.
 * Return: false: dropped, too much.
 */
bool user_records_queue(struct user_records *u, const uint8_t *data,
			size_t len, uint8_t flags);
bool user_records_full(const struct user_records *u);
bool user_records_pending(const struct user_records *u);

/* @cut: set if there was more than @len. Return: bytes, or -EAGAIN. */
ssize_t user_records_read(struct user_records *u, void *buf, size_t len,
			  uint8_t *flags, bool *cut);

/* ---- socket.c ---- */

/* A protected record that came before the keys; see handover.c. */
struct kept {
	STAILQ_ENTRY(kept) list;
	uint64_t epoch;
	size_t len;
	uint8_t data[];
};

struct keeper;

/**
 * struct kdtls_socket - one association
 * @fd:		its socket, connected; -1: it speaks through that of @old
 * @error:	why it ended, negative
 * @icmp:	what the network said of the peer, negative
 * @heard:	a datagram has come
 * @why:	why not the kernel: 0: nobody asked for it, else an error
 * @attached:	the kernel has the socket
 * @confirmed:	the engine knows that the peer has the handshake's last flight
 * @shut:	our close_notify is out
 * @eof:	theirs has come
 * @end:	on the user path, the record it came in: what has a lower number is
 *		still to be received
 * @eof_told:	and kdtls_recv() has said so
 * @kept:	records before the keys
 * @user:	records in user space, on that path
 *
 * A listener's client has besides:
 * @listener:	NULL when that is closed
 * @old:	the association this one is to replace
 * @next:	the one that is to replace this
 * @deadline:	of the handshake, µs; KDTLS_NEVER
 * @stage:	who looks after it: the listener, until it was accepted
 * @keeper:	that at its address
 * @hashed:	it is in the listener's table
 * @listed:	it is in the listener's list of its stage
 * @timed:	in the listener's tree of timers, while its handshake goes on
 * @key:	the peer's address and ours, as the engine knows them
 * @random:	of the ClientHello that began this; zero: not seen yet, as its
 *		pieces came in another order
 */
struct kdtls_socket {
	struct kdtls_endpoint *endpoint;
	struct kdtls_engine *engine;
	int fd;
	int error;
	int icmp;
	int why;
	enum kdtls_path wanted;
	enum kdtls_path path;
	bool server;
	bool attached;
	bool confirmed;
	bool heard;
	bool shut;
	bool eof;
	bool eof_told;
	struct dtls_record_number end;
	void *data;
	size_t kept_len;
	STAILQ_HEAD(, kept) kept;
	struct user_records *user;

	struct kdtls_listener *listener;
	struct kdtls_socket *old;
	struct kdtls_socket *next;
	uint64_t deadline;
	enum { CLIENT_SHAKES, CLIENT_READY, CLIENT_ACCEPTED } stage;
	struct keeper *keeper;
	bool hashed;
	bool listed;
	LIST_ENTRY(kdtls_socket) hash;
	TAILQ_ENTRY(kdtls_socket) list;
	struct timed timed;
	size_t key_len;
	uint8_t key[ADDRESS_KEY_MAX];
	uint8_t random[DTLS_RANDOM_SIZE];
};

uint64_t driver_now(void);	/* µs */

/* Without a file yet. Return: NULL: no memory, or max_handshakes. */
struct kdtls_socket *socket_new(struct kdtls_endpoint *ep, enum kdtls_role role,
				enum kdtls_path wanted, void *data,
				const uint8_t *key, size_t key_len);
void socket_free(struct kdtls_socket *s);
bool socket_established(const struct kdtls_socket *s);
uint64_t socket_expiry(const struct kdtls_socket *s);

/*
 * kdtls_connect(). @hasty: an ICMP error ends the handshake, as long as nothing
 * has come from the peer.
 */
int socket_connect(struct kdtls_endpoint *endpoint, int fd,
		   const struct kdtls_socket_options *o, bool hasty, int timeout,
		   struct kdtls_socket **socket);

/* Room in a datagram on the path of a connected socket, or -errno. */
int socket_path_mtu(int fd);

/* A datagram for this association, from its socket or a listener's */
void socket_datagram(struct kdtls_socket *s, const uint8_t *data, size_t len);

/* Send what the engine has. @buf: DATAGRAM_MAX bytes of scratch */
void socket_flush(struct kdtls_socket *s, uint8_t *buf);

/* Send a datagram in the clear. */
void socket_send_raw(struct kdtls_socket *s, const uint8_t *data, size_t len);

/* ---- handover.c ---- */

int handover_key(void *ctx, int direction, const struct dtls_key_info *key,
		 const struct dtls_window *seen);
int handover_cid(void *ctx, uint8_t *cid, size_t len);
int handover_peer_cid(void *ctx, const uint8_t *cid, size_t len);

/* Note the protected records of a datagram before the engine gets it. */
void handover_keep(struct kdtls_socket *s, const uint8_t *data, size_t len);
void handover_forget(struct kdtls_socket *s);

/* ---- address.c ---- */

/* The gate's view of a key: an IPv4 address or an IPv6 /56 is one source. */
struct kdtls_sender address_sender(const uint8_t *key, size_t key_len);

/* ---- restart.c ---- */

/*
 * Something in the clear for a client's socket. Return: true if it was about
 * a handshake other than the socket's own, and has been dealt with.
 */
bool restart_input(struct kdtls_socket *s, const uint8_t *data, size_t len);

/* Timers and output of the handshake that is to replace this association */
void restart_process(struct kdtls_socket *s, uint8_t *buf);

/* @s is about to get its keys: it gets a socket, and the old one dies. */
int restart_take_over(struct kdtls_socket *s);

/* ---- listener.c ---- */

/*
 * A new handshake of one of @l's clients, without file or place in the table.
 * Return: NULL: no room.
 */
struct kdtls_socket *listener_client(struct kdtls_listener *l,
				     const uint8_t *key, size_t key_len);

/*
 * The gate has let in the first message of @s, with this datagram, which may
 * have early data behind it. @hello is freed.
 */
void listener_begin(struct kdtls_socket *s, struct kdtls_hello *hello,
		    const uint8_t *data, size_t len);

/* A socket for a client, connected to it. Return: fd or -errno. */
int listener_client_fd(struct kdtls_listener *l, const struct sockaddr *local,
		       const struct sockaddr *peer, socklen_t len);

/*
 * A datagram on the socket of @s: is it a stranger's? Return: true if so; the
 * listener has got it then.
 */
bool listener_stray(struct kdtls_socket *s, const struct sockaddr_storage *from,
		    socklen_t len, const uint8_t *data, size_t size);

/* The strays in front of the queue of @s, which nobody has read yet */
void listener_strays(struct kdtls_socket *s, uint8_t *buf);

/* @s takes the place of @old in the table of clients. */
void listener_replace(struct kdtls_socket *old, struct kdtls_socket *s);

/* The handshake is done: kdtls_accept() will find @s. */
void listener_ready(struct kdtls_socket *s);

/* The handshake failed: tells the owner and frees @s. */
void listener_refused(struct kdtls_socket *s);

/* @s is about to be freed, or none of the listener's any more. */
void listener_leave(struct kdtls_socket *s);

/* ---- ulp.c ---- */

/* kdtls_supports() for a key of any version */
int ulp_supports(int fd, unsigned int version, unsigned int cipher);

/* One more connection ID in records that arrive. Return: 0 or -errno. */
int ulp_add_cid(int fd, const uint8_t *cid, size_t len);
/* In those that go out, as long as the one before. The same. */
int ulp_change_cid(int fd, const uint8_t *cid, size_t len);

/* sendmsg() with a DTLS_RECORD_INFO. Return: as send(2), or -errno. */
ssize_t ulp_send(int fd, const struct dtls_record_info *info, const void *data,
		 size_t len, int flags);

/*
 * recvmsg(), which never waits. @cut: set if there was more than @len; may be
 * NULL. Return: as recv(2), or -errno.
 */
ssize_t ulp_recv(int fd, void *buf, size_t len, struct dtls_record_info *info,
		 bool *cut, int flags);

/* DTLS_FEED. Return: 0 or -errno. */
int ulp_feed(int fd, const void *datagram, size_t len);

#endif /* _KDTLS_DRIVER_H */
