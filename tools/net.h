/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP sockets; each is non-blocking and has a large receive buffer. */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_MAX	64	/* bytes of "[address]:port" */

/* Both exit with a message if they cannot. */
int net_connect(const char *host, const char *port);
int net_bind(const char *host, const char *port);

/*
 * Connect a bound socket to a client, and forget what strangers sent it.
 * Return: -1 with errno if that fails.
 */
int net_claim(int fd, const struct sockaddr *peer);

/* "address:port" of the peer */
const char *net_peer(int fd, char buf[ADDRESS_MAX]);

/* Microseconds of a clock that only goes forward */
uint64_t net_now(void);

#endif
