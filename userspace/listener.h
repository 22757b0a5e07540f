/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inside of a listener:
 *
 *	address.c   has pairs of addresses, in keys and in control messages
 *	keepers.c   has the sockets that strangers write to
 *	clients.c   has the table of peers
 *	timers.c    tells which of the peers' handshakes is due first
 *	listener.c  has the peers' handshakes, and gives kdtls_accept() a peer
 */
#ifndef _KDTLS_LISTENER_H
#define _KDTLS_LISTENER_H

#include "driver.h"

#define KEEPERS_MAX	128

/**
 * struct stranger - where a datagram came from, and what it was sent to
 * @peer:	the sender's address
 * @local:	the address that the datagram was sent to
 * @len:	bytes of either address
 * @key:	see address_key()
 * @key_len:	bytes of @key
 */
struct stranger {
	struct sockaddr_storage peer;
	struct sockaddr_storage local;
	socklen_t len;
	uint8_t key[ADDRESS_KEY_MAX];
	size_t key_len;
};

/* ---- address.c ---- */

#define ADDRESS_CONTROL	CMSG_SPACE(sizeof(struct in6_pktinfo))

/* Return true if it is the wildcard address of its family. */
bool address_is_any(const struct sockaddr *a);

/* Return true if two addresses differ in nothing but the port. */
bool address_same(const struct sockaddr_storage *a,
		  const struct sockaddr_storage *b);

#define ADDRESS_KEY_IPV4	10	/* bytes of a key of IPv4 addresses */
#define ADDRESS_KEY_IPV6	38

/*
 * Set the key of @s. The same pair of addresses gives the same bytes; see
 * struct kdtls_sender.
 */
void address_key(struct stranger *s);

/*
 * Read addresses back out of a key. @s is filled in but for the port of the local
 * address, which a key does not have.
 */
void address_of_key(const uint8_t *key, size_t key_len, struct stranger *s);

/* Let a socket tell where its datagrams were sent to. Return 0 or -errno. */
int address_ask(int fd, int family);

/*
 * Read where a datagram was sent to. @local has family and port already. Return
 * false if the socket did not tell.
 */
bool address_told(struct msghdr *msg, struct sockaddr_storage *local);

/*
 * Let @msg be sent from @local. The control of @msg is ADDRESS_CONTROL zeroed
 * bytes.
 */
void address_from(struct msghdr *msg, const struct sockaddr_storage *local);

/* ---- keepers.c ---- */

/**
 * struct keeper - a socket that strangers write to
 * @fd:		the socket
 * @any:	bound to the wildcard address
 * @clients:	sockets of the listener's clients at this address
 * @local:	the address that the socket is bound to
 * @len:	bytes of @local
 */
struct keeper {
	int fd;
	bool any;
	unsigned int clients;
	struct sockaddr_storage local;
	socklen_t len;
};

/**
 * struct keepers - those of a listener
 * @epoll:	waits for them, with a pointer to the keeper
 * @receive_buffer: bytes of SO_RCVBUF of each socket; 0: the system's default
 * @denied:	-EACCES or -EADDRINUSE: the port is no longer the process's, and the
 *		caller of kdtls_accept() has not been told of it
 * @count:	number of keepers
 * @keeper:	the keepers
 */
struct keepers {
	int epoll;
	int receive_buffer;
	int denied;
	unsigned int count;
	struct keeper *keeper[KEEPERS_MAX];
};

/*
 * Open the first keeper. Return 0 or -errno; EADDRINUSE says that somebody has
 * the port.
 */
int keepers_open(struct keepers *k, const struct sockaddr *local,
		 socklen_t len);

/* Close all keepers. */
void keepers_close(struct keepers *k);

/* Return the keeper at an address, whatever its port, or NULL. */
const struct keeper *keepers_find(const struct keepers *k,
				  const struct sockaddr_storage *local);

/*
 * Return the keeper at the very address of a client, which clients' sockets
 * need, and open it if there is none. With KEEPERS_MAX keepers one that has no
 * clients makes room. Return NULL if that is not possible.
 */
struct keeper *keepers_need(struct keepers *k,
			    const struct sockaddr_storage *local,
			    socklen_t len);

/* Return true if the pointer that epoll gave back is one of the keepers. */
bool keepers_have(const struct keepers *k, const void *ptr);

/* Make a socket that is connected to a client. Return its file or -errno. */
int keepers_connect(struct keepers *k, const struct sockaddr *local,
		    const struct sockaddr *peer, socklen_t len);

/**
 * keeper_receive() - take a datagram
 * @k:		the keeper whose socket it is read from
 * @from:	filled in
 * @buf:	DATAGRAM_MAX bytes
 *
 * Return: its bytes, or -errno: EAGAIN if there is none, else it was of no use.
 */
ssize_t keeper_receive(const struct keeper *k, struct stranger *from,
		       uint8_t *buf);

/* Answer a stranger, from the address that the stranger wrote to. */
void keeper_reply(const struct keeper *k, const struct stranger *to,
		  const uint8_t *data, size_t len);

/* ---- clients.c ---- */

LIST_HEAD(client_list, kdtls_socket);

/*
 * struct clients is the clients by key, in buckets that a hash chooses which
 * nobody outside can foretell.
 */
struct clients {
	uint64_t seed;
	size_t buckets;
	struct client_list *table;
};

/* Make room for @max clients. Return false if libcrypto or memory fail. */
bool clients_init(struct clients *c, size_t max);

/* Free the table, in which no client is left. */
void clients_exit(struct clients *c);

/* Put a client into the table under its key. */
void clients_add(struct clients *c, struct kdtls_socket *s);

/* Take a client out of the table. */
void clients_remove(struct kdtls_socket *s);

/* Return the client with this key, or NULL. */
struct kdtls_socket *clients_find(const struct clients *c, const uint8_t *key,
				  size_t len);

/* Return any client, or NULL if there is none. */
struct kdtls_socket *clients_first(const struct clients *c);

#endif /* _KDTLS_LISTENER_H */
