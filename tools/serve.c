// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file is the server for many clients; see serve.h. Each thread has an endpoint of
 * its own, and a server object for each address family, on ports that the threads share.
 * The content of a client's records goes back to the client, or to a command.
 */
#include "serve.h"
#include "child.h"
#include "endpoint.h"
#include "listen.h"
#include "net.h"
#include "stop.h"
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

#define EVENTS		64
#define MESSAGES	64
#define ROUNDS		16	/* calls for one server before the next server */
#define SERVERS_MAX	2	/* IPv4 and IPv6 */
#define CID_MIN		8	/* bytes of connection ID that a server object wants */

/**
 * struct loop - the server objects and commands of one thread
 * @o:		the options of the command line
 * @share:	number of the thread
 * @turn:	the turn of this process at the port, or NULL
 * @endpoint:	the endpoint of all server objects of the thread
 * @server:	a server object for each address that is listened on
 * @count:	number of server objects
 * @epoll:	the epoll file that waits for the sockets of @server and for a signal, with
 *		a NULL pointer, and for commands, with a pointer to struct child
 * @children:	the commands of clients
 * @thread:	the thread, except in the first loop, which the main thread runs
 */
struct loop {
	const struct options *o;
	unsigned int share;
	struct kdtls_turn *turn;
	struct kdtls_endpoint *endpoint;
	struct kdtls_server *server[SERVERS_MAX];
	int count;
	int epoll;
	struct children children;
	pthread_t thread;
};

/* ---- clients ---- */

void serve_end(struct kdtls_client *client, const char *why)
{
	struct child *child = kdtls_client_data(client);
	char peer[ADDRESS_MAX];

	warnx("%s: %s", net_client(client, peer), why);
	kdtls_client_close(client);
	if (child)
		child_end(child);
}

/* Return true if @m is a record that could not be sent, to a client that is there. */
static bool has_failed(const struct kdtls_message *m)
{
	return m->len && m->error && m->error != -ENOTCONN &&
	       m->error != -ECONNREFUSED;
}

/* Return true if no record to the client of @m[i] has failed before that one. */
static bool is_first(const struct kdtls_message *m, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (m[k].client == m[i].client && has_failed(&m[k]))
			return false;
	return true;
}

/* End each client to which a record could not be sent, and say so once. */
static void end_failed(struct kdtls_message *m, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (has_failed(&m[i]) && is_first(m, i))
			serve_end(m[i].client, kdtls_strerror(m[i].error));
}

void serve_send(struct kdtls_server *server, struct kdtls_message *messages,
		size_t count)
{
	struct pollfd p = {
		.fd = kdtls_server_fd(server),
		.events = POLLOUT,
	};
	size_t done;

	done = kdtls_server_send(server, messages, count);
	if (done < count) {
		poll(&p, 1, 100);
		done += kdtls_server_send(server, messages + done, count - done);
	}
	end_failed(messages, done);
}

static void take_opened(struct loop *l, struct kdtls_server *server,
			struct kdtls_client *client)
{
	char peer[ADDRESS_MAX];
	struct child *child;
	const char *why;
	enum kdtls_path path = kdtls_server_path(server, &why);

	endpoint_describe(kdtls_client_engine(client), net_client(client, peer),
			  path, why);
	if (!l->o->command)
		return;
	child = child_start(&l->children, l->epoll, server, client, l->o);
	if (child)
		kdtls_client_set_data(client, child);
	else
		kdtls_client_close(client);
}

static void take_closed(const struct kdtls_message *m)
{
	struct child *child = kdtls_client_data(m->client);
	char peer[ADDRESS_MAX];

	warnx("%s: %s", net_client(m->client, peer),
	      m->error ? endpoint_reason(kdtls_client_engine(m->client),
					 m->error) : "closed");
	if (child)
		child_end(child);
}

static void take_data(const struct kdtls_message *m)
{
	struct child *child = kdtls_client_data(m->client);
	char peer[ADDRESS_MAX];

	if (m->marks & KDTLS_MARK_REPLAYABLE)
		warnx("%s: %zd bytes of early data, maybe replayed",
		      net_client(m->client, peer), m->len);
	if (child && child->client)
		child_take(child, m->data, m->len);
}

static void take(struct loop *l, struct kdtls_server *server,
		 const struct kdtls_message *m)
{
	char peer[ADDRESS_MAX];
	struct child *child;

	switch (m->news) {
	case KDTLS_NEWS_OPENED:
		take_opened(l, server, m->client);
		break;
	case KDTLS_NEWS_DATA:
		take_data(m);
		break;
	case KDTLS_NEWS_GOODBYE:
		child = kdtls_client_data(m->client);
		if (child && child->client)
			child_goodbye(child);
		break;
	case KDTLS_NEWS_CLOSED:
		take_closed(m);
		break;
	case KDTLS_NEWS_REFUSED:
		endpoint_complain(kdtls_client_engine(m->client),
				  net_client(m->client, peer), m->error);
		break;
	}
}

/* ---- the loop ---- */

/* Receive and answer what has come for one server object, up to ROUNDS calls. */
static void attend(struct loop *l, struct kdtls_server *server)
{
	struct kdtls_message m[MESSAGES];
	ssize_t n = 0, i;
	int rounds;

	for (rounds = 0; rounds < ROUNDS; rounds++) {
		n = kdtls_server_recv(server, m, MESSAGES, 0);
		if (n < 0)
			break;
		for (i = 0; i < n; i++)
			take(l, server, &m[i]);
		if (l->o->echo)
			serve_send(server, m, n);
	}
	if (n < 0 && n != -EAGAIN)
		errx(1, "%s", kdtls_strerror((int)n));
}

/* Return the ms until the first server object of @l is due, as epoll_wait() wants. */
static int due(const struct loop *l)
{
	int i, wait, least = -1;

	for (i = 0; i < l->count; i++) {
		wait = kdtls_server_timeout(l->server[i]);
		if (wait >= 0 && (least < 0 || wait < least))
			least = wait;
	}
	return least;
}

/* Return true if a client of @l was served and has gone. */
static bool has_ended(const struct loop *l)
{
	struct kdtls_server_info info;
	bool any = false;
	int i;

	for (i = 0; i < l->count; i++) {
		kdtls_server_get_info(l->server[i], &info);
		any |= info.closed;
	}
	return any;
}

/* Return true if another process has the port now, and @l has no clients any more. */
static bool has_had_its_turn(const struct loop *l)
{
	struct kdtls_server_info info;
	int i;

	if (!l->turn || !kdtls_turn_is_over(l->turn))
		return false;
	for (i = 0; i < l->count; i++) {
		kdtls_server_get_info(l->server[i], &info);
		if (info.clients)
			return false;
	}
	return true;
}

/*
 * Serve until a signal comes, or with --once until the first client has gone, or with
 * --turn until another process has taken over and the last client has gone.
 */
static void *run(void *arg)
{
	struct epoll_event events[EVENTS];
	struct loop *l = arg;
	int i, n;

	while (!stop_asked() && !(l->o->once && has_ended(l)) &&
	       !has_had_its_turn(l)) {
		n = epoll_wait(l->epoll, events, EVENTS, due(l));
		for (i = 0; i < n; i++)
			if (events[i].data.ptr)
				child_attend(events[i].data.ptr);
		for (i = 0; i < l->count; i++)
			attend(l, l->server[i]);
		child_bury(&l->children);
	}
	return NULL;
}

/* ---- set up ---- */

static int add_server(void *ctx, const char *host)
{
	struct loop *l = ctx;
	const struct options *o = l->o;
	struct kdtls_server_options so = {
		.path = o->path,
		.cid_len = o->cid_len && o->cid_len < CID_MIN ? CID_MIN :
							       o->cid_len,
		.max_clients = o->max_clients,
		.max_half_open = o->max_half_open,
		.max_clients_source = o->max_clients_source,
		.max_half_open_source = o->max_half_open_source,
		.handshake_timeout = o->timeout * 1000,
		.idle_timeout = o->idle_timeout * 1000,
		.sharers = l->turn ? 0 : o->threads,
		.share = l->share,
		.turn = l->turn,
		.half_close = o->command,
	};
	struct epoll_event e = { .data.ptr = NULL };
	struct kdtls_server *server;
	int bad = kdtls_server_on(l->endpoint, host, o->port, &so, &server);

	if (bad)
		return bad;
	net_prepare(kdtls_server_fd(server));
	e.events = kdtls_server_events(server);
	epoll_ctl(l->epoll, EPOLL_CTL_ADD, kdtls_server_fd(server), &e);
	l->server[l->count++] = server;
	return 0;
}

static void open_loop(struct loop *l, const struct options *o,
		      unsigned int share, const uint8_t *secret)
{
	int bad = 0;

	l->o = o;
	l->share = share;
	LIST_INIT(&l->children);
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		err(1, "epoll");
	l->endpoint = endpoint_open(o);
	if (o->turn) {
		bad = kdtls_turn_take(o->turn, &l->turn);
		if (bad)
			errx(1, "--turn %s: %s", o->turn, kdtls_strerror(bad));
		bad = kdtls_turn_use_secret(l->turn, l->endpoint);
	} else if (o->threads > 1) {
		bad = kdtls_endpoint_use_secret(l->endpoint, secret,
						KDTLS_SECRET_SIZE);
	}
	if (bad)
		errx(1, "%s", kdtls_strerror(bad));
	listen_all(o, add_server, l);
}

static void close_loop(struct loop *l)
{
	while (l->count > 0)
		kdtls_server_close(l->server[--l->count]);
	kdtls_turn_end(l->turn);
	kdtls_endpoint_free(l->endpoint);
}

int serve(struct options *o)
{
	struct loop *loops = calloc(o->threads, sizeof(*loops));
	struct epoll_event e = { .events = EPOLLIN };
	uint8_t secret[KDTLS_SECRET_SIZE];
	int stop = stop_open();
	unsigned int i;

	signal(SIGCHLD, SIG_IGN);	/* Commands that ended leave no zombies. */
	if (!loops || getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		err(1, "server");
	for (i = 0; i < o->threads; i++)
		open_loop(&loops[i], o, i, secret);
	explicit_bzero(secret, sizeof(secret));
	endpoint_forget(o);
	stop_watch();
	for (i = 0; i < o->threads; i++)
		epoll_ctl(loops[i].epoll, EPOLL_CTL_ADD, stop, &e);
	listen_tell(o);
	for (i = 1; i < o->threads; i++) {
		errno = pthread_create(&loops[i].thread, NULL, run, &loops[i]);
		if (errno)
			err(1, "thread");
	}
	/* With --once or --turn this is the only thread. A signal ends all of them. */
	run(&loops[0]);
	for (i = 1; i < o->threads; i++)
		pthread_join(loops[i].thread, NULL);
	for (i = 0; i < o->threads; i++)
		close_loop(&loops[i]);
	free(loops);
	stop_end();
	return 0;
}
