/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A server's socket with many associations, and its clients: plain UDP sockets that
 * make records themselves. Of each test program one thread at a time uses the
 * functions that fill the buffers below.
 */
#ifndef SELFTESTS_CLIENTS_H
#define SELFTESTS_CLIENTS_H

#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "common.h"

/* server_recv() leaves the content of a record in buf. */
extern __u8 buf[DGRAM_MAX];
/* client_recv() leaves a datagram in wire, and its record opened in rec. */
extern __u8 wire[DGRAM_MAX];
extern struct peer_record rec;

/**
 * struct client - a plain UDP socket that makes records itself
 * @fd:		the socket
 * @id:		number of its association on the server's socket
 * @up:		what it sends is protected with
 * @down:	what it receives is protected with
 * @seq:	number of the next record it sends
 */
struct client {
	int fd;
	__u64 id;
	struct peer_key up;
	struct peer_key down;
	__u64 seq;
};

/* Options of an attached socket. All return what the system call returns. */
int set_table(int fd, unsigned int cid_len, unsigned int max);
/* Add or move (@option) the association @id, whose peer has the address of @peer. */
int set_peer(int server, int option, __u64 id, int peer);
/* The same, with DTLS_PEER_* in @flags */
int set_peer_flags(int server, int option, __u64 id, int peer, __u32 flags);
int delete(int server, __u64 id);
int set_key(int server, __u64 id, int dir, const struct peer_key *k);
int get_info(int server, __u64 id, struct dtls_info *info);
int get_counters(int server, __u64 id, struct dtls_counters *counters);
/* Get the association @id as a list has it; fails with ENOENT, or finds a later one. */
int get_peer(int server, __u64 id, struct dtls_assoc_peer *peer);

/*
 * Make an attached socket that has the address of @server and is connected to @peer.
 * Both sockets with the address need SO_REUSEADDR, which the new one has.
 */
int connected_socket(int server, int peer);
/* Let @fd peel the association @id of @server off. */
int peel_off(int fd, int server, __u64 id);

/* The address that the socket @fd is bound to; all zero: it has none */
void address_of(int fd, struct dtls_addr *addr);
in_port_t port_of(const struct sockaddr_storage *name);

/*
 * Make the socket of a server: attached, and with a table for connection IDs of
 * @cid_len bytes. Return the socket or -1.
 */
int make_server(int family, unsigned int cid_len);
/* Set the keys of @c, in both directions and of the first epoch. */
void make_keys(struct client *c, __u16 cipher, unsigned int cid_len,
	       unsigned int seed);
/* Make the client number @n, whose socket is connected to @server. */
int make_client(struct client *c, int family, __u16 cipher,
		unsigned int cid_len, int server, unsigned int n);
/* Add the association of @c to @server, with both keys. */
int add_client(int server, const struct client *c);
/* The same, with DTLS_PEER_* in @flags */
int add_client_flags(int server, const struct client *c, __u32 flags);
/* Make and add @count clients, all of one kind, with numbers from 0 on. Return 0 or -1. */
int make_clients(struct client *c, unsigned int count, int family, __u16 cipher,
		 unsigned int cid_len, int server);

/* Send a record of @c's from the socket @fd. Return its bytes of content or -1. */
ssize_t send_from(struct client *c, int fd, __u8 type, const void *data,
		  size_t len);
ssize_t client_send(struct client *c, const void *data, size_t len);
/*
 * Receive one datagram of one record, and open it. Return its bytes of content, or
 * -1 if it is not a record of @c's.
 */
ssize_t client_recv(struct client *c);

/* Return the bytes of a control message of @msg, copied to @to, or -1. */
int find_control(struct msghdr *msg, int level, int type, void *to, size_t len);
/* Receive a record. @id is set to its association's number; 0: it has none. */
ssize_t server_recv(int fd, __u64 *id, struct sockaddr_storage *name, int flags);
/*
 * Send @len bytes to the association @id, if that is not 0; cut them into records of
 * @size bytes, if that is not 0; and name the address of @peer, if that is not
 * negative.
 */
ssize_t send_cut(int fd, __u64 id, int peer, const void *data, size_t len,
		 __u16 size, int flags);
ssize_t server_send(int fd, __u64 id, const void *data, size_t len);

/* Return true if the association of @c works in both directions on @server. */
bool client_works(int server, struct client *c);
/* Return true if neither data nor control records are there to be read on @fd. */
bool nothing_waits(int fd);

/**
 * struct takers - threads that read what comes to a server's socket
 * @server:	the socket
 * @count:	number of threads
 * @stop:	the threads end
 * @received:	how many records they have read
 * @mixed:	how many of these do not begin with the number that they came with
 * @thread:	the threads
 */
struct takers {
	int server;
	unsigned int count;
	int stop;
	unsigned int received;
	unsigned int mixed;
	pthread_t thread[4];
};

/* Let @count threads read. Return 0 or -1. */
int takers_begin(struct takers *t, int server, unsigned int count);
/* End the threads. */
void takers_end(struct takers *t);

/* SERVER_FIXTURE is a fixture with a server, and variants as those of a link. */
#define SERVER_FIXTURE(fixture, clients)				\
	FIXTURE(fixture) {						\
		int server;						\
		struct client c[clients];				\
	};								\
	FIXTURE_VARIANT(fixture) {					\
		__u16 cipher;						\
		int family;						\
		unsigned int cid_len;					\
	}

/*
 * SERVER_SETUP makes the server of a SERVER_FIXTURE and its clients, and closes all
 * sockets at the end. Data to send is in the array @text then.
 */
#define SERVER_SETUP(fixture, text)					\
	FIXTURE_SETUP(fixture) {					\
		stay();							\
		fill(text, sizeof(text), 1);				\
		self->server = make_server(variant->family,		\
					   variant->cid_len);		\
		ASSERT_LE(0, self->server);				\
		ASSERT_OK(make_clients(self->c, ARRAY_SIZE(self->c),	\
				       variant->family, variant->cipher, \
				       variant->cid_len, self->server)); \
	}								\
	FIXTURE_TEARDOWN(fixture) {					\
		unsigned int i;						\
									\
		for (i = 0; i < ARRAY_SIZE(self->c); i++)		\
			close(self->c[i].fd);				\
		close(self->server);					\
	}

#endif
