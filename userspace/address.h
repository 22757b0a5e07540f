/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pairs of addresses, in keys and in control messages: a client's address, and the
 * local address that the client writes to.
 */
#ifndef _KDTLS_ADDRESS_H
#define _KDTLS_ADDRESS_H

#include <kdtls/engine.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define ADDRESS_KEY_MAX	64	/* the longest address of a struct kdtls_sender */

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

#define ADDRESS_CONTROL	CMSG_SPACE(sizeof(struct in6_pktinfo))

/* Return true if @a is the wildcard address of its family. */
bool address_is_any(const struct sockaddr *a);

/*
 * Return true if @a and @b are the same address and port of one family, whatever interface
 * the address is of.
 */
bool address_same(const struct sockaddr *a, const struct sockaddr *b);

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

/*
 * Return the sender that a key means to the gate. The source of a sender is its IPv4
 * address, or the /56 of its IPv6 address; its address is whole.
 */
struct kdtls_sender address_sender(const uint8_t *key, size_t key_len);

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

#endif /* _KDTLS_ADDRESS_H */
