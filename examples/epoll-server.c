// SPDX-License-Identifier: BSD-3-Clause
/*
 * A server for many clients in one thread and on one socket, in a loop of epoll(7) that
 * may have other files. It sends each record back, and says what each client sent.
 *
 *	epoll-server CERTIFICATE KEY PORT
 *
 *	cc -o epoll-server epoll-server.c $(pkg-config --cflags --libs libkdtls)
 */
#include <errno.h>
#include <kdtls/server.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#define MESSAGES	64

/* What the program knows of a client */
struct client {
	unsigned long records;
	unsigned long bytes;
};

static void take(const struct kdtls_message *m)
{
	struct client *client = kdtls_client_data(m->client);

	switch (m->news) {
	case KDTLS_NEWS_OPENED:
		kdtls_client_set_data(m->client, calloc(1, sizeof(*client)));
		break;
	case KDTLS_NEWS_DATA:
		if (client) {
			client->records++;
			client->bytes += m->len;
		}
		break;
	case KDTLS_NEWS_CLOSED:
		if (client)
			printf("%lu records, %lu bytes: %s\n", client->records,
			       client->bytes,
			       m->error ? kdtls_strerror(m->error) : "goodbye");
		free(client);
		break;
	default:
		break;
	}
}

/* Take what has come, until there is nothing more. Return 0 or a negative error. */
static int attend(struct kdtls_server *server)
{
	struct kdtls_message m[MESSAGES];
	ssize_t n, i;

	while ((n = kdtls_server_recv(server, m, MESSAGES, 0)) > 0) {
		for (i = 0; i < n; i++)
			take(&m[i]);
		/* News has no length, and is passed over. */
		kdtls_server_send(server, m, n);
	}
	return n == -EAGAIN ? 0 : (int)n;
}

static int serve(struct kdtls_server *server)
{
	/* POLLIN and POLLPRI have the same numbers for epoll. */
	struct epoll_event e = { .events = kdtls_server_events(server) };
	int epoll = epoll_create1(EPOLL_CLOEXEC), err = 0;

	if (epoll < 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, kdtls_server_fd(server), &e))
		return -errno;
	while (!err) {
		if (epoll_wait(epoll, &e, 1, kdtls_server_timeout(server)) < 0 &&
		    errno != EINTR)
			return -errno;
		err = attend(server);
	}
	return err;
}

int main(int argc, char **argv)
{
	struct kdtls_endpoint *endpoint = NULL;
	struct kdtls_server *server = NULL;
	struct kdtls_config config;
	int err;

	if (argc != 4) {
		fprintf(stderr, "usage: epoll-server CERTIFICATE KEY PORT\n");
		return 1;
	}
	kdtls_socket_config(&config);
	err = kdtls_endpoint_new(&config, &endpoint);
	if (!err)
		err = kdtls_use_certificate_file(endpoint, argv[1], argv[2]);
	if (!err)
		err = kdtls_server_on(endpoint, "0.0.0.0", argv[3], NULL, &server);
	if (!err)
		err = serve(server);
	fprintf(stderr, "%s\n", kdtls_strerror(err));
	kdtls_server_close(server);
	kdtls_endpoint_free(endpoint);
	return 1;
}
