// SPDX-License-Identifier: BSD-3-Clause
/*
 * The server for many clients; see serve.h. The content of a client's records goes
 * back to the client, or to a command whose output goes back in records.
 */
#include "serve.h"
#include "conn.h"
#include "endpoint.h"
#include "net.h"
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS		64
#define ROUND		64	/* records of a client that are taken at once */
#define IDLE_MS		100	/* ms between two looks at a client that is not read from */

/**
 * struct client - a client of the server
 * @c:		its association
 * @command:	its command's standard input and output; -1: an echo
 * @got_close:	the client has said close_notify
 * @queue:	received and not written to @command yet
 * @have:	bytes of @queue
 * @gone:	to be freed when the events at hand are done with
 * @due:	when kdtls_timeout() has passed, µs; NEVER
 * @list:	in the list of all clients
 */
struct client {
	struct conn c;
	int command;
	bool got_close;
	bool gone;
	uint64_t due;
	size_t have;
	LIST_ENTRY(client) list;
	char queue[DTLS_RECORD_SIZE_MAX];
};

LIST_HEAD(clients, client);

#define NEVER	UINT64_MAX

/* Run @command. Return a file that is its standard input and output, or -1. */
static int start_command(const char *command, const char *peer)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(pair[1], STDIN_FILENO);
		dup2(pair[1], STDOUT_FILENO);
		setenv("KDTLS_PEER", peer, 1);
		signal(SIGPIPE, SIG_DFL);
		signal(SIGCHLD, SIG_DFL);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -1;
	}
	return pair[0];
}

static void watch(int epoll, int op, int fd, uint32_t events,
		  struct client *client)
{
	struct epoll_event e = { .events = events, .data.ptr = client };

	epoll_ctl(epoll, op, fd, &e);
}

/*
 * Return the time at which the client is attended to though nothing arrives. While
 * nothing is read from the client, records wait in the library, so that its timeout
 * is 0; then the client is looked at each IDLE_MS.
 */
static uint64_t due(const struct client *client)
{
	int wait = kdtls_timeout(client->c.s);

	if (wait < 0)
		return NEVER;
	if (!wait && (client->have || client->got_close))
		wait = IDLE_MS;
	return net_now() + wait * 1000ULL;
}

/* Wait for what the client can go on with. */
static void set_events(int epoll, struct client *client)
{
	uint32_t data = client->have || client->got_close ? 0 : EPOLLIN;

	client->due = due(client);
	if (!client->c.kernel && client->got_close)
		data = 0;
	else if (client->c.kernel)
		data |= EPOLLPRI;
	watch(epoll, EPOLL_CTL_MOD, client->c.fd, data, client);
	if (client->command >= 0)
		watch(epoll, EPOLL_CTL_MOD, client->command,
		      EPOLLIN | (client->have ? EPOLLOUT : 0), client);
}

static void add_client(int epoll, struct clients *clients,
		       struct kdtls_socket *s, const struct options *o)
{
	struct client *client = calloc(1, sizeof(*client));
	char peer[ADDRESS_MAX];

	endpoint_describe(s);
	if (!client) {
		kdtls_close(s);
		return;
	}
	conn_init(&client->c, s, o);
	client->command = -1;
	if (o->command) {
		client->command = start_command(o->command,
						net_peer(s, peer));
		if (client->command < 0) {
			warn("--exec %s", o->command);
			kdtls_close(s);
			free(client);
			return;
		}
		watch(epoll, EPOLL_CTL_ADD, client->command, 0, client);
	}
	watch(epoll, EPOLL_CTL_ADD, client->c.fd, 0, client);
	LIST_INSERT_HEAD(clients, client, list);
	set_events(epoll, client);
}

/*
 * Free the clients that are gone, once no event at hand names them. Return true if
 * there were any.
 */
static bool bury(struct clients *clients)
{
	struct client *client = LIST_FIRST(clients), *next;
	bool any = false;

	for (; client; client = next) {
		next = LIST_NEXT(client, list);
		if (!client->gone)
			continue;
		LIST_REMOVE(client, list);
		kdtls_close(client->c.s);
		if (client->command >= 0)
			close(client->command);
		free(client);
		any = true;
	}
	return any;
}

static void end(struct client *client, const char *why)
{
	char peer[ADDRESS_MAX];

	if (!client->gone)
		warnx("%s: %s", net_peer(client->c.s, peer), why);
	client->gone = true;
}

/* Send a record. If the socket has no room, try once more a moment later. */
static bool send_record(struct client *client, const char *data, size_t len)
{
	struct pollfd p = { .fd = client->c.fd, .events = POLLOUT };
	ssize_t n;

	n = kdtls_send(client->c.s, data, len);
	if (n == -EAGAIN) {
		poll(&p, 1, 100);
		n = kdtls_send(client->c.s, data, len);
	}
	if (n < 0 && n != -EAGAIN && n != -ECONNREFUSED)
		end(client, kdtls_strerror((int)n));
	return n > 0;
}

/*
 * Write the queue to the command. Return false if the command takes no more
 * now.
 */
static bool feed_command(struct client *client)
{
	ssize_t n;

	if (!client->have)
		return true;
	n = send(client->command, client->queue, client->have,
		 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN)
		n = client->have;	/* the command does not read any more */
	if (n <= 0)
		return false;
	client->have -= n;
	memmove(client->queue, client->queue + n, client->have);
	return !client->have;
}

static void from_client(struct client *client)
{
	ssize_t n;
	int i;

	for (i = 0; i < ROUND && !client->gone && !client->got_close; i++) {
		if (client->command >= 0 && !feed_command(client))
			return;
		n = endpoint_recv(client->c.s, client->queue,
				  sizeof(client->queue));
		if (n == -EAGAIN)
			return;
		if (n == -ECONNREFUSED)
			continue;
		if (n < 0) {
			end(client, kdtls_strerror((int)n));
		} else if (!n) {
			client->got_close = true;
		} else if (client->command >= 0) {
			client->have = n;
		} else {
			send_record(client, client->queue, n);
		}
	}
}

static void from_command(struct client *client)
{
	char buf[DTLS_RECORD_SIZE_MAX];
	ssize_t n;
	int i;

	for (i = 0; i < ROUND && !client->gone; i++) {
		n = recv(client->command, buf, client->c.mtu, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			end(client, "the command has ended");
			return;
		}
		send_record(client, buf, n);
	}
}

static void attend(int epoll, struct client *client)
{
	if (client->gone)
		return;
	from_client(client);
	if (client->command < 0 && client->got_close) {
		end(client, "closed");
	} else if (client->command >= 0) {
		if (feed_command(client) && client->got_close)
			shutdown(client->command, SHUT_WR);
		from_command(client);
	}
	if (!client->gone)
		set_events(epoll, client);
}

/* Attend to the clients that are due. Return when the next one is due. */
static uint64_t attend_due(int epoll, struct clients *clients)
{
	uint64_t now = net_now(), next = NEVER;
	struct client *client;

	LIST_FOREACH(client, clients, list) {
		if (client->due <= now && !client->gone) {
			if (!kdtls_timeout(client->c.s))
				kdtls_process(client->c.s);
			attend(epoll, client);
		}
		if (client->due < next && !client->gone)
			next = client->due;
	}
	return next;
}

/* Return the ms until @when, rounded up, as for epoll_wait(). */
static int wait_until(uint64_t when)
{
	uint64_t now = net_now();

	if (when == NEVER)
		return -1;
	return when > now ? (int)((when - now + 999) / 1000) : 0;
}

/* Take all clients that are ready. */
static void accept_clients(int epoll, struct clients *clients,
			   const struct listeners *ls, const struct options *o)
{
	struct kdtls_socket *s;
	int i, error;

	for (i = 0; i < ls->count; i++) {
		while (!(error = kdtls_accept(ls->listener[i], 0, &s)))
			add_client(epoll, clients, s, o);
		if (error != -EAGAIN)
			warnx("a client cannot be served: %s",
			      kdtls_strerror(error));
	}
}

int serve(const struct listeners *ls, const struct options *o)
{
	struct clients clients = LIST_HEAD_INITIALIZER(clients);
	struct epoll_event events[EVENTS];
	uint64_t next = NEVER;
	struct client *client;
	int epoll, i, n;

	signal(SIGCHLD, SIG_IGN);	/* no wait(2) for the commands */
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		err(1, "epoll");
	for (i = 0; i < ls->count; i++)
		watch(epoll, EPOLL_CTL_ADD,
		      kdtls_listener_fd(ls->listener[i]), EPOLLIN, NULL);
	for (;;) {
		n = epoll_wait(epoll, events, EVENTS, wait_until(next));
		for (i = 0; i < n; i++) {
			client = events[i].data.ptr;
			if (client)
				attend(epoll, client);
			else
				accept_clients(epoll, &clients, ls, o);
		}
		next = attend_due(epoll, &clients);
		if (bury(&clients) && o->once)
			return 0;
	}
}
