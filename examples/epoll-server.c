// SPDX-License-Identifier: BSD-3-Clause
/*
 * A server for many clients in one thread, with epoll(7). It sends each record back.
 *
 *	epoll-server CERTIFICATE KEY PORT
 *
 *	cc -o epoll-server epoll-server.c $(pkg-config --cflags --libs libkdtls)
 */
#include <errno.h>
#include <kdtls/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/queue.h>

/* A client. @next is the next of the list of all clients. */
struct client {
	struct kdtls_socket *s;
	LIST_ENTRY(client) next;
};

static LIST_HEAD(, client) clients = LIST_HEAD_INITIALIZER(clients);

static void watch(int epoll, int fd, unsigned int events, struct client *client)
{
	struct epoll_event e = { .events = events, .data.ptr = client };

	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
}

/* Take each client whose handshake is done. */
static void accept_clients(int epoll, struct kdtls_listener *listener)
{
	struct client *client;
	struct kdtls_socket *s;

	while (!kdtls_accept(listener, 0, &s)) {
		client = malloc(sizeof(*client));
		if (!client) {
			kdtls_close(s);
			continue;
		}
		client->s = s;
		LIST_INSERT_HEAD(&clients, client, next);
		/* POLLIN and POLLPRI have the same numbers for epoll. */
		watch(epoll, kdtls_fd(s), EPOLLIN | kdtls_events(s), client);
	}
}

/* Closing the socket takes it out of epoll, too. */
static void end(struct client *client)
{
	LIST_REMOVE(client, next);
	kdtls_close(client->s);
	free(client);
}

/* Do what is due for a client. */
static void attend(struct client *client)
{
	static char data[DTLS_RECORD_SIZE_MAX];
	ssize_t n = kdtls_process(client->s);

	while (!n && (n = kdtls_recv(client->s, data, sizeof(data))) > 0) {
		kdtls_send(client->s, data, n);
		n = 0;
	}
	/* An ICMP error ends nothing: anybody may have sent it. */
	if (n != -EAGAIN && n != -ECONNREFUSED)
		end(client);
}

/*
 * Attend to the clients whose timers have run out. Return the ms until the next one. A
 * server with thousands of clients keeps them in a heap instead.
 */
static int run_timers(void)
{
	struct client *client, *next;
	int wait = -1, ms;

	for (client = LIST_FIRST(&clients); client; client = next) {
		next = LIST_NEXT(client, next);
		ms = kdtls_timeout(client->s);
		if (!ms)
			attend(client);
		else if (ms > 0 && (wait < 0 || ms < wait))
			wait = ms;
	}
	return wait;
}

static int serve(struct kdtls_listener *listener)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), i, n;
	struct epoll_event events[64];

	if (epoll < 0)
		return -errno;
	watch(epoll, kdtls_listener_fd(listener), EPOLLIN, NULL);
	for (;;) {
		n = epoll_wait(epoll, events, 64, run_timers());
		if (n < 0 && errno != EINTR)
			return -errno;
		for (i = 0; i < n; i++) {
			if (events[i].data.ptr)
				attend(events[i].data.ptr);
			else
				accept_clients(epoll, listener);
		}
	}
}

int main(int argc, char **argv)
{
	struct kdtls_listener *listener = NULL;
	struct kdtls_endpoint *endpoint = NULL;
	struct kdtls_config config;
	int err;

	if (argc != 4)
		return 1;
	kdtls_socket_config(&config);
	err = kdtls_endpoint_new(&config, &endpoint);
	if (!err)
		err = kdtls_use_certificate_file(endpoint, argv[1], argv[2]);
	if (!err)
		err = kdtls_listen_on(endpoint, "0.0.0.0", argv[3], NULL,
				      &listener);
	if (!err)
		err = serve(listener);
	fprintf(stderr, "%s\n", kdtls_strerror(err));
	kdtls_listener_close(listener);
	kdtls_endpoint_free(endpoint);
	return 1;
}
