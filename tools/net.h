/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP sockets and addresses */
#ifndef NET_H
#define NET_H

#include <kdtls/socket.h>
#include <stdint.h>

#define ADDRESS_MAX	64	/* bytes of "[address]:port" */

#define RECEIVE_BUFFER	(8 << 20) /* of sockets: a burst must find room */

/* A socket of the library's for an event loop and for bursts */
void net_prepare(int fd);

/* "address:port" of the peer */
const char *net_peer(const struct kdtls_socket *s, char buf[ADDRESS_MAX]);

/* Microseconds of a clock that only goes forward */
uint64_t net_now(void);

#endif
