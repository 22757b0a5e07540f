/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A port without a kernel: a program that is linked with PORT_WRAPS of the Makefile
 * gives the library its datagrams here, gets what the library sends, and sets the
 * library's clock. All clients are at IPv4 addresses that a number tells.
 */
#ifndef _TEST_PORT_H
#define _TEST_PORT_H

#include <kdtls/server.h>
#include <netinet/in.h>
#include <stdbool.h>

#include "../../userspace/engine/wire.h"

#define PORT_SIZE	2048	/* bytes of the longest datagram */
#define PORT_ROOM	256	/* datagrams that a socket's buffer has room for */

/**
 * struct port - what the library sees of the world
 * @now:	µs, which the library takes for CLOCK_MONOTONIC
 * @sharers:	clients that one host has, and so share one IPv4 address
 * @merges:	datagrams that follow each other come as one, as with UDP_GRO
 * @full:	sends that fail, as the socket has no room
 * @sent:	takes each datagram that the library sends to the address @to
 */
struct port {
	u64 now;
	unsigned int sharers;
	bool merges;
	unsigned int full;
	void (*sent)(unsigned int to, const u8 *data, size_t len);
};

extern struct port port;

/*
 * Make a server of an endpoint. The process exits if it has no socket for it. Return
 * what kdtls_server_new() does.
 */
int port_open(struct kdtls_endpoint *ep,
	      const struct kdtls_server_options *options,
	      struct kdtls_server **server);

/*
 * Put a datagram from the address @from into the socket's buffer. Return false if the
 * datagram was lost for want of room.
 */
bool port_put(unsigned int from, const u8 *data, size_t len);

/* Return the number of datagrams that the library has not received yet. */
unsigned int port_left(void);

/* Forget them. */
void port_clear(void);

/* Return the number of a client's address. */
unsigned int port_number(const struct sockaddr_in *address);

#endif /* _TEST_PORT_H */
