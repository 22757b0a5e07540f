// SPDX-License-Identifier: GPL-2.0
/* What idle peers of libkdtls take; see memory.h. */
#include <errno.h>
#include <netinet/in.h>

#include "library.h"
#include "memory.h"

#define WARM	100	/* peers that come before those that are weighed */

static struct kdtls_listener *listener;
static struct kdtls_socket *sockets[PEERS][2];
static struct kdtls_server *one_socket;

/* Make a client's socket and the one that the listener has for it. */
static bool take_sockets(unsigned int i)
{
	struct kdtls_socket **s = sockets[i];
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	int accepted = -EAGAIN, err;

	kdtls_listener_address(listener, (struct sockaddr *)&at, &len);
	err = library_begin(at.sin_port, NULL, &s[0]);
	while (err == -EINPROGRESS || (!err && accepted == -EAGAIN)) {
		if (accepted == -EAGAIN)
			accepted = kdtls_accept(listener, 0, &s[1]);
		err = kdtls_process(s[0]);
	}
	return library_complain(err) && library_complain(accepted);
}

static void drop_sockets(unsigned int i)
{
	kdtls_close(sockets[i][0]);
	kdtls_close(sockets[i][1]);
	sockets[i][0] = NULL;
	sockets[i][1] = NULL;
}

/*
 * Take the first peers, with which the endpoints make the contexts of libcrypto that
 * all keys borrow.
 */
static bool warm_up(bool (*take)(unsigned int i))
{
	unsigned int i;

	for (i = 0; i < WARM; i++)
		if (!take(i))
			return false;
	return true;
}

static bool weigh_sockets(const char *name, enum kdtls_path which)
{
	struct kdtls_listener_options options = { .path = which };
	bool ok;

	ok = library_open(which) &&
	     library_complain(kdtls_listen_on(library_server, "127.0.0.1", "0",
					      &options, &listener)) &&
	     warm_up(take_sockets);
	drop_all(drop_sockets);
	ok = ok && weigh(name, take_sockets, 2);
	drop_all(drop_sockets);
	kdtls_listener_close(listener);
	listener = NULL;
	library_close();
	return ok;
}

static bool take_client(unsigned int i)
{
	double cost = 0;

	(void)i;
	return library_client(one_socket, &cost);
}

static bool take_half_client(unsigned int i)
{
	double cost[2] = { 0 };

	(void)i;
	return library_half_client(one_socket, NULL, cost);
}

/* Weigh clients of a server with the kernel's records or the library's. */
static bool weigh_clients(const char *name, enum kdtls_path which)
{
	struct kdtls_server_options options = { .path = which };
	bool ok;

	ok = library_open(KDTLS_PATH_USER) &&
	     library_complain(kdtls_server_on(library_server, "127.0.0.1", "0",
					      &options, &one_socket)) &&
	     warm_up(take_client) && weigh(name, take_client, 1) &&
	     (which == KDTLS_PATH_KERNEL ||
	      weigh("its handshake, half open", take_half_client, 1));
	kdtls_server_close(one_socket);
	one_socket = NULL;
	library_close();
	return ok;
}

bool memory_library(void)
{
	return weigh_sockets("libkdtls 1.3 socket, kernel's records",
			     KDTLS_PATH_KERNEL) &&
	       weigh_sockets("libkdtls 1.3 socket, library's records",
			     KDTLS_PATH_USER) &&
	       weigh_clients("libkdtls 1.3 server's client, kernel's records",
			     KDTLS_PATH_KERNEL) &&
	       weigh_clients("libkdtls 1.3 server's client, library's records",
			     KDTLS_PATH_USER);
}
