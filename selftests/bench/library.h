/* SPDX-License-Identifier: GPL-2.0 */
/* Peers of libkdtls on the loopback address, for the files that weigh or count them. */
#ifndef _BENCH_LIBRARY_H
#define _BENCH_LIBRARY_H

#include <stdbool.h>
#include <netinet/in.h>
#include <kdtls/server.h>

/* The endpoint of servers, between library_open() and library_close() */
extern struct kdtls_endpoint *library_server;

/*
 * Make the endpoints of clients and servers. Clients make their records as @path says. A
 * false return has written to stderr.
 */
bool library_open(enum kdtls_path path);
void library_close(void);

/* Return true if @err is 0, or write it to stderr. */
bool library_complain(int err);

/*
 * Begin a client's handshake with a server on a port of the loopback address. The client
 * has the address @from; NULL: one of its own, as on the address of one before it would be
 * that one, started anew. Return what kdtls_connect() does, or -errno.
 */
int library_begin(in_port_t port, const struct sockaddr_in *from, struct kdtls_socket **s);

/* The port of a server's socket */
in_port_t library_port(const struct kdtls_server *server);

/*
 * Make one client of the server, which is idle then, and add to @cost what the server's
 * calls have cost. The client's own end goes without a word.
 */
bool library_client(struct kdtls_server *server, double *cost);

/*
 * Make a client that goes without a word in the middle of its handshake, from @from as with
 * library_begin(). Add to cost[0] what its hello without a cookie costs the server, and to
 * cost[1] what its hello with one does.
 */
bool library_half_client(struct kdtls_server *server, const struct sockaddr_in *from,
			 double cost[2]);

#endif /* _BENCH_LIBRARY_H */
