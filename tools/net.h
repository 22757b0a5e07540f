/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP sockets and addresses */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_MAX	64	/* bytes of "[address]:port" */

#define RECEIVE_BUFFER	(8 << 20) /* of sockets: a burst must find room */

/* Exits with a message if it cannot. */
int net_connect(const char *host, const char *port);

/* Where to listen. Exits with a message if that is no address. */
socklen_t net_address(const char *host, const char *port,
		      struct sockaddr_storage *address);

/* "address:port" of the peer */
const char *net_peer(int fd, char buf[ADDRESS_MAX]);

/* Microseconds of a clock that only goes forward */
uint64_t net_now(void);

#endif
