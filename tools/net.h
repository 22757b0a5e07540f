/* SPDX-License-Identifier: BSD-3-Clause */
/* These functions are about UDP sockets, addresses and the clock. */
#ifndef NET_H
#define NET_H

#include <kdtls/server.h>
#include <kdtls/socket.h>
#include <stdint.h>

#define ADDRESS_MAX	64	/* bytes of "[address]:port", with its NUL */

#define RECEIVE_BUFFER	(8 << 20) /* bytes, so that a burst finds room */

/*
 * Make a socket of the library's non-blocking, with a receive buffer for
 * bursts.
 */
void net_prepare(int fd);

/* Return "address:port" of the peer of @s, written to @buf. */
const char *net_peer(const struct kdtls_socket *s, char buf[ADDRESS_MAX]);

/* Return "address:port" of a client of a server object, written to @buf. */
const char *net_client(const struct kdtls_client *c, char buf[ADDRESS_MAX]);

/* Write "address:port" of both ends of a socket, or "?" for an end without one. */
void net_socket(int fd, char local[ADDRESS_MAX], char peer[ADDRESS_MAX]);

/* Write "address:port" of one end of an association. */
void net_association(const struct dtls_addr *addr, char buf[ADDRESS_MAX]);

/* Return the microseconds of CLOCK_MONOTONIC. */
uint64_t net_now(void);

#endif
