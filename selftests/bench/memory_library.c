// SPDX-License-Identifier: GPL-2.0
/* What idle peers of libkdtls take; see memory.h. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <kdtls/server.h>

#include "memory.h"

#define WARM	40	/* peers that come before those that are weighed */

static struct kdtls_endpoint *client, *server;
static enum kdtls_path path;

static struct kdtls_listener *listener;
static struct kdtls_socket *sockets[PEERS][2];
static struct kdtls_server *one_socket;

static bool complain(int err)
{
	if (err)
		fprintf(stderr, "bench: libkdtls: %s\n", kdtls_strerror(err));
	return !err;
}

static struct kdtls_endpoint *new_endpoint(void)
{
	struct kdtls_endpoint *endpoint = NULL;
	struct kdtls_config config;

	kdtls_socket_config(&config);
	if (complain(kdtls_endpoint_new(&config, &endpoint)) &&
	    complain(kdtls_use_psk(endpoint, "bench", "0123456789abcdef", 16)))
		return endpoint;
	kdtls_endpoint_free(endpoint);
	return NULL;
}

static bool open_endpoints(void)
{
	client = new_endpoint();
	server = new_endpoint();
	return client && server;
}

static void close_endpoints(void)
{
	kdtls_endpoint_free(client);
	kdtls_endpoint_free(server);
	client = NULL;
	server = NULL;
}

/*
 * Begin a client's handshake with a server on a port of the loopback address. Each
 * client has an address of its own: on the address of one before it would be that one,
 * started anew.
 */
static int begin(in_port_t port, struct kdtls_socket **s)
{
	static in_addr_t address = 0x7f020000;	/* 127.2.0.0 */
	struct kdtls_socket_options options = { .path = path };
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = port,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(++address),
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), err;

	if (fd < 0)
		return -errno;
	err = bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
	      connect(fd, (struct sockaddr *)&to, sizeof(to)) ? -errno :
	      kdtls_connect(client, fd, &options, 0, s);
	if (err && err != -EINPROGRESS)
		close(fd);
	return err;
}

/* Make a client's socket and the one that the listener has for it. */
static bool take_sockets(unsigned int i)
{
	struct kdtls_socket **s = sockets[i];
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	int accepted = -EAGAIN, err;

	kdtls_listener_address(listener, (struct sockaddr *)&at, &len);
	err = begin(at.sin_port, &s[0]);
	while (err == -EINPROGRESS || (!err && accepted == -EAGAIN)) {
		if (accepted == -EAGAIN)
			accepted = kdtls_accept(listener, 0, &s[1]);
		err = kdtls_process(s[0]);
	}
	return complain(err) && complain(accepted);
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

	path = which;
	ok = open_endpoints() &&
	     complain(kdtls_listen_on(server, "127.0.0.1", "0", &options,
				      &listener)) &&
	     warm_up(take_sockets);
	drop_all(drop_sockets);
	ok = ok && weigh(name, take_sockets, 2);
	drop_all(drop_sockets);
	kdtls_listener_close(listener);
	listener = NULL;
	close_endpoints();
	return ok;
}

/*
 * Make one client of the server. The client's own end goes as soon as the handshake
 * is done; its goodbye is sent to a port that nobody has.
 */
static bool take_client(unsigned int i)
{
	struct sockaddr_in at = { 0 }, nobody = {
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct kdtls_message message = { .news = KDTLS_NEWS_DATA };
	socklen_t len = sizeof(at);
	struct kdtls_socket *s = NULL;
	ssize_t n = -EAGAIN;
	int err;

	(void)i;
	getsockname(kdtls_server_fd(one_socket), (struct sockaddr *)&at, &len);
	err = begin(at.sin_port, &s);
	while (err == -EINPROGRESS || (!err && n == -EAGAIN)) {
		if (n == -EAGAIN)
			n = kdtls_server_recv(one_socket, &message, 1, 0);
		err = kdtls_process(s);
	}
	if (!err &&
	    connect(kdtls_fd(s), (struct sockaddr *)&nobody, sizeof(nobody)))
		err = -errno;
	kdtls_close(s);
	return complain(err) && n == 1 && message.news == KDTLS_NEWS_OPENED;
}

static bool weigh_clients(void)
{
	bool ok;

	path = KDTLS_PATH_USER;
	ok = open_endpoints() &&
	     complain(kdtls_server_on(server, "127.0.0.1", "0", NULL,
				      &one_socket)) &&
	     warm_up(take_client) &&
	     weigh("libkdtls 1.3 server's client", take_client, 1);
	kdtls_server_close(one_socket);
	one_socket = NULL;
	close_endpoints();
	return ok;
}

bool memory_library(void)
{
	return weigh_sockets("libkdtls 1.3 socket, kernel's records",
			     KDTLS_PATH_KERNEL) &&
	       weigh_sockets("libkdtls 1.3 socket, library's records",
			     KDTLS_PATH_USER) &&
	       weigh_clients();
}
