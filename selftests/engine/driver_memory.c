// SPDX-License-Identifier: GPL-2.0
/*
 * What the socket driver does when it gets no memory: each allocation of the
 * driver and of its engines fails once, while a client and a listener, or a server
 * object, on the loopback shake hands, exchange a record, and the client starts
 * anew on its port. The server object peels the client off before that.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <kdtls/server.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "heap.h"

#define TURNS	150

/* The two ends; @old is what the server has of the client's first life. */
struct ends {
	struct kdtls_endpoint *client_ep, *server_ep;
	struct kdtls_listener *listener;
	struct kdtls_server *object;	/* in place of a listener */
	struct kdtls_socket *client, *server, *old;
	struct sockaddr_in here;	/* the client's address */
};

static uint16_t version;
static unsigned int tests, failures;
static uint8_t session[4096];
static size_t session_len;

static void result(bool ok, const char *what)
{
	printf("%sok %u %x: %s\n", ok ? "" : "not ", ++tests, version, what);
	failures += !ok;
}

static void take_session(void *ctx, const uint8_t *data, size_t len)
{
	(void)ctx;
	session_len = len < sizeof(session) ? len : 0;
	memcpy(session, data, session_len);
}

static int open_endpoint(struct kdtls_endpoint **ep)
{
	struct kdtls_config config;
	int err;

	kdtls_socket_config(&config);
	config.version_min = version;
	config.version_max = version;
	config.timeout_initial = 50;
	config.timeout_max = 50;
	config.retransmits = 2;
	config.max_early_data = 64;
	config.flags = KDTLS_CID;
	config.ops.session = take_session;
	err = kdtls_endpoint_new(&config, ep);
	return err ? err : kdtls_use_psk(*ep, "me", "0123456789abcdef", 16);
}

static int open_listener(struct ends *e)
{
	static const struct kdtls_listener_options options = {
		.path = KDTLS_PATH_USER,
		.max_sockets = 8,
	};
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	return kdtls_listen(e->server_ep, (struct sockaddr *)&a, sizeof(a),
			    &options, &e->listener);
}

/* Return 0, a negative error, or what socket(2) failed with. */
static int open_object(struct ends *e)
{
	static const struct kdtls_server_options options = { .cid_len = 8 };
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), err;

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)))
		return -1;
	err = kdtls_server_new(e->server_ep, fd, &options, &e->object);
	if (err)
		close(fd);
	return err;
}

static int address_of(const struct ends *e, struct sockaddr *to, socklen_t *len)
{
	return e->object ? getsockname(kdtls_server_fd(e->object), to, len) :
			   kdtls_listener_address(e->listener, to, len);
}

/* A client on the port of the one before, if there was one */
static int open_client(struct ends *e)
{
	struct kdtls_socket_options options = {
		.path = KDTLS_PATH_USER,
	};
	struct sockaddr_in to;
	socklen_t len = sizeof(to);
	int fd, err;

	if (session_len) {
		options.session = session;
		options.session_len = session_len;
		options.early = (const uint8_t *)"early";
		options.early_len = 5;
	}
	e->here.sin_family = AF_INET;
	e->here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&e->here, len) ||
	    getsockname(fd, (struct sockaddr *)&e->here, &len) ||
	    address_of(e, (struct sockaddr *)&to, &len) ||
	    connect(fd, (struct sockaddr *)&to, len)) {
		perror("socket");
		close(fd);
		return -1;
	}
	err = kdtls_connect(e->client_ep, fd, &options, 0, &e->client);
	if (err && err != -EINPROGRESS)
		close(fd);
	return err == -EINPROGRESS ? 0 : err;
}

static void accept_one(struct ends *e)
{
	struct kdtls_socket *s;

	if (kdtls_accept(e->listener, 0, &s))
		return;
	kdtls_close(e->server);
	e->server = s;
}

/* Return: 0 when both ends are there, else why not. */
static int shake(struct ends *e)
{
	int i, err = -ETIMEDOUT;

	for (i = 0; i < TURNS; i++) {
		struct pollfd p[] = {
			{ .fd = kdtls_fd(e->client), .events = POLLIN },
			{ .fd = kdtls_listener_fd(e->listener),
			  .events = POLLIN },
		};

		poll(p, 2, 1);
		err = kdtls_process(e->client);
		accept_one(e);
		if (e->old)
			kdtls_process(e->old);
		if (err != -EINPROGRESS && (err || e->server))
			break;
	}
	return err || e->server ? err : -ETIMEDOUT;
}

static int exchange(struct ends *e)
{
	char buf[16];
	ssize_t n = -EAGAIN;
	int i;

	if (kdtls_send(e->client, "hello", 5) != 5)
		return -1;
	for (i = 0; i < TURNS && n < 0; i++) {
		n = kdtls_recv(e->server, buf, sizeof(buf));
		kdtls_process(e->client);
		if (n < 0)
			usleep(500);
	}
	return n > 0 ? 0 : -1;
}

/* A handshake, and one of a client that has forgotten it, on the same port */
static int twice(void *arg)
{
	struct ends e = { 0 };
	int round, err;

	(void)arg;
	session_len = 0;
	err = open_endpoint(&e.client_ep);
	if (!err)
		err = open_endpoint(&e.server_ep);
	if (!err)
		err = open_listener(&e);
	for (round = 0; round < 2 && !err; round++) {
		e.old = e.server;
		e.server = NULL;
		err = open_client(&e);
		if (!err)
			err = shake(&e);
		if (!err)
			err = exchange(&e);
		if (!round && e.client) {
			/* Nobody says goodbye for a client that is gone. */
			shutdown(kdtls_fd(e.client), SHUT_RDWR);
			dup2(STDERR_FILENO, kdtls_fd(e.client));
		}
		kdtls_close(e.client);
		e.client = NULL;
	}
	kdtls_close(e.server);
	kdtls_close(e.old);
	kdtls_listener_close(e.listener);
	kdtls_endpoint_free(e.client_ep);
	kdtls_endpoint_free(e.server_ep);
	ERR_clear_error();
	return err;
}

/* Send back what has come. */
static void serve(struct ends *e)
{
	struct kdtls_message m[4];
	ssize_t n;

	if (e->server)
		kdtls_process(e->server);
	while ((n = kdtls_server_recv(e->object, m, 4, 0)) > 0)
		kdtls_server_send(e->object, m, n);
}

/* Return 0 when a record of the client has come back. */
static int talk(struct ends *e)
{
	int i, err = -EINPROGRESS;
	char buf[16];

	for (i = 0; i < TURNS && err == -EINPROGRESS; i++) {
		err = kdtls_process(e->client);
		serve(e);
		usleep(500);
	}
	if (!err && kdtls_send(e->client, "hello", 5) != 5)
		err = -1;
	for (i = 0; i < TURNS && !err; i++) {
		serve(e);
		if (kdtls_recv(e->client, buf, sizeof(buf)) == 5)
			return 0;
		usleep(500);
	}
	return err ? err : -ETIMEDOUT;
}

/* Give the client a socket. If that fails the client is the server's as before. */
static int peel(struct ends *e)
{
	struct kdtls_client *c = kdtls_server_next(e->object, NULL);

	return c && !kdtls_client_peel(c, &e->server) ? exchange(e) : talk(e);
}

/* The same with a server object */
static int twice_served(void *arg)
{
	struct ends e = { 0 };
	int round, err;

	(void)arg;
	session_len = 0;
	err = open_endpoint(&e.client_ep);
	if (!err)
		err = open_endpoint(&e.server_ep);
	if (!err)
		err = open_object(&e);
	for (round = 0; round < 2 && !err; round++) {
		err = open_client(&e);
		if (!err)
			err = talk(&e);
		if (!err && !round)
			err = peel(&e);
		if (!round && e.client) {
			shutdown(kdtls_fd(e.client), SHUT_RDWR);
			dup2(STDERR_FILENO, kdtls_fd(e.client));
		}
		kdtls_close(e.client);
		e.client = NULL;
	}
	if (!err)
		serve(&e);
	kdtls_close(e.server);
	kdtls_server_close(e.object);
	kdtls_endpoint_free(e.client_ep);
	kdtls_endpoint_free(e.server_ep);
	ERR_clear_error();
	return err;
}

static void each_fails(int (*run)(void *arg), const char *what)
{
	struct heap_trial t;

	heap_each_fails(run, NULL, &t);
	if (t.err)
		printf("# %s\n", kdtls_strerror(t.err));
	result(!t.err, what);
	result(t.allocations > 100 && t.survived < t.allocations,
	       "each allocation fails once");
	result(!t.lost, "and nothing is lost");
}

static void each_version(uint16_t v)
{
	version = v;
	each_fails(twice, "a client on a listener, and anew on its port");
	each_fails(twice_served, "a client of a server, and anew on its port");
}

int main(void)
{
	if (!heap_watch())
		return 1;
	printf("TAP version 13\n1..12\n");
	each_version(DTLS_VERSION_1_2);
	each_version(DTLS_VERSION_1_3);
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n",
	       tests - failures, failures);
	return failures;
}
