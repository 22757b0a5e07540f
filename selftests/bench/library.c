// SPDX-License-Identifier: GPL-2.0
/* Peers of libkdtls on the loopback address; see library.h. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "bench.h"
#include "library.h"

#define LINGER		1	/* ms */
#define PATIENCE	60000	/* ms */

struct kdtls_endpoint *library_server;
static struct kdtls_endpoint *client;
static enum kdtls_path path;

bool library_complain(int err)
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
	/*
	 * Nothing is lost here, so a server need not keep its last flight, and nobody
	 * sends a flight again because the other end has been slow.
	 */
	config.linger = LINGER;
	config.timeout_initial = PATIENCE;
	if (library_complain(kdtls_endpoint_new(&config, &endpoint)) &&
	    library_complain(kdtls_use_psk(endpoint, "bench", "0123456789abcdef", 16)))
		return endpoint;
	kdtls_endpoint_free(endpoint);
	return NULL;
}

bool library_open(enum kdtls_path which)
{
	path = which;
	client = new_endpoint();
	library_server = new_endpoint();
	return client && library_server;
}

void library_close(void)
{
	kdtls_endpoint_free(client);
	kdtls_endpoint_free(library_server);
	client = NULL;
	library_server = NULL;
}

int library_begin(in_port_t port, const struct sockaddr_in *from, struct kdtls_socket **s)
{
	static in_addr_t address = 0x7f020000;	/* 127.2.0.0 */
	struct kdtls_socket_options options = { .path = path };
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = port,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_in own = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), err;

	if (fd < 0)
		return -errno;
	if (!from) {
		own.sin_addr.s_addr = htonl(++address);
		from = &own;
	}
	err = bind(fd, (const struct sockaddr *)from, sizeof(*from)) ||
	      connect(fd, (struct sockaddr *)&to, sizeof(to)) ? -errno :
	      kdtls_connect(client, fd, &options, 0, s);
	if (err && err != -EINPROGRESS)
		close(fd);
	return err;
}

/* Receive with @server, and add what that costs to @cost. Return the number of messages. */
static ssize_t receive(struct kdtls_server *server, struct kdtls_message *message,
		       double *cost)
{
	uint64_t begin = now();
	ssize_t n = kdtls_server_recv(server, message, 1, 0);

	*cost += (double)(now() - begin);
	return n;
}

/* Let the client of @s go without a word: its goodbye goes to a port that nobody has. */
static int vanish(struct kdtls_socket *s)
{
	struct sockaddr_in nobody = {
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int err = 0;

	if (connect(kdtls_fd(s), (struct sockaddr *)&nobody, sizeof(nobody)))
		err = -errno;
	kdtls_close(s);
	return err;
}

in_port_t library_port(const struct kdtls_server *server)
{
	struct sockaddr_in at = { 0 };
	socklen_t len = sizeof(at);

	getsockname(kdtls_server_fd(server), (struct sockaddr *)&at, &len);
	return at.sin_port;
}

/*
 * Let the client acknowledge what the server has sent behind the handshake, and the
 * server's last flight go.
 */
static void settle(struct kdtls_server *server, struct kdtls_socket *s, double *cost)
{
	struct kdtls_message message;

	kdtls_process(s);
	receive(server, &message, cost);
	usleep(2000 * LINGER);
	receive(server, &message, cost);
}

bool library_client(struct kdtls_server *server, double *cost)
{
	struct kdtls_message message = { .news = KDTLS_NEWS_DATA };
	struct kdtls_socket *s = NULL;
	ssize_t n = -EAGAIN;
	int err;

	err = library_begin(library_port(server), NULL, &s);
	while (err == -EINPROGRESS || (!err && n == -EAGAIN)) {
		if (n == -EAGAIN)
			n = receive(server, &message, cost);
		err = kdtls_process(s);
	}
	if (!err) {
		settle(server, s, cost);
		err = vanish(s);
	}
	return library_complain(err) && n == 1 &&
	       message.news == KDTLS_NEWS_OPENED;
}

/* Return how many handshakes have begun, as long as none is completed. */
static uint64_t begun(const struct kdtls_server *server)
{
	struct kdtls_server_info info;

	kdtls_server_get_info(server, &info);
	return info.half_open + info.limited;
}

bool library_half_client(struct kdtls_server *server, const struct sockaddr_in *from,
			 double cost[2])
{
	struct kdtls_message message;
	struct kdtls_socket *s = NULL;
	uint64_t before = begun(server);
	int err;

	err = library_begin(library_port(server), from, &s);
	if (err == -EINPROGRESS) {
		receive(server, &message, &cost[0]);
		err = kdtls_process(s);
	}
	if (err == -EINPROGRESS) {
		receive(server, &message, &cost[1]);
		err = begun(server) > before ? vanish(s) : -EPROTO;
	}
	return library_complain(err);
}
