// SPDX-License-Identifier: BSD-3-Clause
/* This file makes, times and frees server objects; see kdtls/server.h. */
#include "server_object.h"
#include "server_steer.h"
#include "turn.h"
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <unistd.h>

/* These are the defaults of struct kdtls_server_options. */
#define MAX_CLIENTS	1048576
#define MAX_HALF_OPEN	4096
#define SHAKE_MS	30000
#define SHARERS_MAX	256		/* One byte tells the sockets apart. */

/* Return @value, or @other if @value is 0. */
static uint32_t default_to(uint32_t value, uint32_t other)
{
	return value ? value : other;
}

/* Check and copy the options, with their defaults. Return 0 or -KDTLS_EUSAGE. */
static int set_options(struct kdtls_server *server,
		       const struct kdtls_server_options *options)
{
	struct kdtls_server_options *o = &server->options;

	if (options)
		*o = *options;
	if (o->cid_len > SERVER_CID_MAX ||
	    (o->cid_len && o->cid_len < SERVER_CID_MIN && !server->listener))
		return -KDTLS_EUSAGE;
	if (o->sharers > SHARERS_MAX || (o->share && o->share >= o->sharers) ||
	    (o->turn && o->sharers))
		return -KDTLS_EUSAGE;
	if (o->turn) {
		o->sharers = TURN_SHARES;
		o->share = turn_share(o->turn);
	}
	o->max_clients = default_to(o->max_clients, MAX_CLIENTS);
	o->max_half_open = default_to(o->max_half_open, MAX_HALF_OPEN);
	o->max_clients_source = default_to(o->max_clients_source,
					   o->max_clients);
	o->max_half_open_source = default_to(o->max_half_open_source,
					     o->max_half_open - o->max_half_open / 2);
	o->handshake_timeout = default_to(o->handshake_timeout, SHAKE_MS);
	return 0;
}

/*
 * Read the address of the socket. Return 0 if the socket is one of UDP that is bound
 * and not connected, or a negative error.
 */
static int check_socket(struct kdtls_server *server)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(int);
	struct sockaddr_in *local4 = (void *)&server->local;
	int protocol;

	if (getsockopt(server->fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len))
		return errno == ENOTSOCK ? -KDTLS_ENOTUDP : -errno;
	if (protocol != IPPROTO_UDP)
		return -KDTLS_ENOTUDP;
	len = sizeof(peer);
	if (!getpeername(server->fd, (struct sockaddr *)&peer, &len))
		return -KDTLS_EUSAGE;
	server->local_len = sizeof(server->local);
	if (getsockname(server->fd, (struct sockaddr *)&server->local,
			&server->local_len))
		return -errno;
	/* The port is at the same place in both families. */
	return local4->sin_port ? 0 : -KDTLS_EUSAGE;
}

/*
 * Switch on what the server wants from its socket: UDP_GRO, the local address of each
 * datagram on a wildcard address, and the choice among sockets of one process on a port.
 * Return 0 or a negative error.
 */
static int set_socket(struct kdtls_server *server)
{
	int one = 1, err = 0;

	server->any = address_is_any((struct sockaddr *)&server->local);
	/* A failure is ignored: without UDP_GRO each datagram comes by itself. */
	setsockopt(server->fd, SOL_UDP, UDP_GRO, &one, sizeof(one));
	if (server->any)
		err = address_ask(server->fd, server->local.ss_family);
	if (err)
		return err;
	if (!server->options.turn && server->options.sharers > 1 &&
	    server->options.cid_len)
		return steer_by_cid(server->fd);
	return 0;
}

/*
 * Choose the path unless a listener's is set: let the kernel make the records if the
 * options allow that and the kernel can, or else the library. Return 0 or a negative error.
 */
static int choose_path(struct kdtls_server *server)
{
	if (server->path)
		return 0;
	server->path = &server_user_path;
	if (server->options.path == KDTLS_PATH_USER)
		return 0;
	server->why = server_kernel_attach(server);
	if (!server->why)
		server->path = &server_kernel_path;
	else if (server->attached || server->options.path == KDTLS_PATH_KERNEL)
		return server->why;
	return 0;
}

/* Fill in @server, whose lists are empty. Return 0 or a negative error. */
static int set_up(struct kdtls_server *server,
		  const struct kdtls_server_options *options)
{
	int err;

	err = set_options(server, options);
	if (!err)
		err = check_socket(server);
	if (err)
		return err;
	server->in = server_in_new();
	server->out = server_out_new();
	if (!server->in || !server->out || !table_init(&server->addresses) ||
	    !table_init(&server->cids) || !table_init(&server->sources) ||
	    !table_init(&server->ids))
		return -KDTLS_EMEMORY;
	err = set_socket(server);
	if (!err)
		err = choose_path(server);
	/* An older process gets no new clients then, so this is what is done last. */
	if (!err && server->options.turn)
		err = turn_add(server->options.turn, server->fd);
	return err;
}

static void server_free(struct kdtls_server *server)
{
	if (server->options.turn)
		turn_remove(server->options.turn, server->fd);
	if (server->ended >= 0)
		close(server->ended);
	server_stray_free_all(server);
	server_in_free(server->in);
	server_out_free(server->out);
	table_exit(&server->addresses);
	table_exit(&server->cids);
	table_exit(&server->ids);
	table_exit(&server->sources);
	OPENSSL_free(server);
}

int server_new(struct kdtls_endpoint *endpoint, int fd,
	       const struct kdtls_server_options *options,
	       struct kdtls_listener *listener, const struct server_path *path,
	       struct kdtls_server **server)
{
	struct kdtls_server *s = OPENSSL_zalloc(sizeof(*s));
	int err;

	if (!s)
		return -KDTLS_EMEMORY;
	s->endpoint = endpoint;
	s->listener = listener;
	s->path = path;
	s->fd = fd;
	s->ended = -1;
	server_limits_init(&s->shaking);
	TAILQ_INIT(&s->open);
	TAILQ_INIT(&s->peeled);
	TAILQ_INIT(&s->news);
	TAILQ_INIT(&s->gone);
	STAILQ_INIT(&s->strays);
	err = set_up(s, options);
	if (err)
		server_free(s);
	else
		*server = s;
	return err;
}

int kdtls_server_new(struct kdtls_endpoint *endpoint, int fd,
		     const struct kdtls_server_options *options,
		     struct kdtls_server **server)
{
	return server_new(endpoint, fd, options, NULL, NULL, server);
}

void kdtls_server_set_endpoint(struct kdtls_server *server,
			       struct kdtls_endpoint *endpoint)
{
	server->endpoint = endpoint;
}

void kdtls_server_close(struct kdtls_server *server)
{
	struct kdtls_client *c;

	if (!server)
		return;
	while ((c = server_limits_first(&server->shaking)))
		server_client_drop(c);
	while ((c = TAILQ_FIRST(&server->open)))
		kdtls_client_close(c);
	while ((c = TAILQ_FIRST(&server->peeled)))
		server_socket_leave(server_client_socket(c));
	while ((c = TAILQ_FIRST(&server->news)))
		server_client_drop(c);
	server_client_reap(server);
	/* Sockets of clients live on, and another server may come to the port. */
	if (server->shares)
		steer_no_more(server->fd);
	close(server->fd);
	server_free(server);
}

/* Return true if records of @c have no connection ID by which they find this process. */
static bool is_cut_off(const struct kdtls_client *c)
{
	struct kdtls_info info;

	kdtls_engine_info(c->owner->engine, &info);
	return !info.cid_rx_len;
}

/*
 * Look from time to time whether a newer process is on the port. It gets the records of
 * all clients that have no connection ID. So say goodbye to these clients, which can begin
 * anew then. The newer process also makes and opens the tickets, and this one forgets the
 * keys of old ones with it.
 */
static void heed_turn(struct kdtls_server *server)
{
	struct kdtls_turn *turn = server->options.turn;
	uint64_t now = driver_now();
	struct kdtls_client *c, *next;

	if (!turn || now < server->turn_due)
		return;
	turn_look(turn, now);
	server->turn_due = turn_due(turn);
	dtls_endpoint_age(server->endpoint);
	/* Clients keep their connection IDs, so only new ones have to be looked at. */
	if (!kdtls_turn_is_over(turn) || server->parted == server->info.established)
		return;
	server->parted = server->info.established;
	for (c = TAILQ_FIRST(&server->open); c; c = next) {
		next = TAILQ_NEXT(c, list);
		if (is_cut_off(c))
			server_client_dismiss(c, -KDTLS_ETURN, now);
	}
}

/* Return the time of the next timer or look at the turn, or KDTLS_NEVER. */
static uint64_t next_due(const struct kdtls_server *server)
{
	uint64_t due = server->options.turn ? server->turn_due : KDTLS_NEVER;
	const struct timed *t;

	t = timers_first((struct timers *)&server->timers);
	if (t && t->when < due)
		due = t->when;
	return due;
}

int kdtls_server_timeout(const struct kdtls_server *server)
{
	if (server_in_pending(server) || server->more ||
	    server_client_reap_due(server))
		return 0;
	return driver_wait_ms(next_due(server));
}

/*
 * Wait until the socket has something, a timer is due or @end has come. Return 0, also
 * after a signal, or -errno.
 */
static int wait_due(const struct kdtls_server *server, uint64_t end)
{
	struct pollfd p = {
		.fd = server->fd,
		.events = kdtls_server_events(server),
	};
	uint64_t due = next_due(server);

	if (poll(&p, 1, driver_wait_ms(due < end ? due : end)) < 0 &&
	    errno != EINTR)
		return -errno;
	return 0;
}

ssize_t kdtls_server_recv(struct kdtls_server *server,
			  struct kdtls_message *messages, size_t count,
			  int timeout)
{
	uint64_t end = timeout < 0 ? KDTLS_NEVER :
				     driver_now() + timeout * 1000ULL;
	ssize_t n;
	int err;

	if (!count)
		return -KDTLS_EUSAGE;
	for (;;) {
		server_client_reap(server);
		heed_turn(server);
		n = server_in_collect(server, messages, count, &server->more);
		if (n)
			return n;
		if (!timeout || driver_now() >= end)
			return -EAGAIN;
		if (server->more)
			continue;
		err = wait_due(server, end);
		if (err)
			return err;
	}
}

int kdtls_server_fd(const struct kdtls_server *server)
{
	return server->fd;
}

short kdtls_server_events(const struct kdtls_server *server)
{
	/* With the kernel's records POLLPRI tells about control records. */
	return server->path->kernel ? POLLIN | POLLPRI : POLLIN;
}

enum kdtls_path kdtls_server_path(const struct kdtls_server *server,
				  const char **why)
{
	if (server->path->kernel) {
		if (why)
			*why = "the kernel has the module and the ciphers";
		return KDTLS_PATH_KERNEL;
	}
	if (why)
		*why = server->why ? kdtls_strerror(server->why) : "asked for";
	return KDTLS_PATH_USER;
}

struct kdtls_client *kdtls_server_next(const struct kdtls_server *server,
				       const struct kdtls_client *client)
{
	struct kdtls_client *c;

	c = client ? TAILQ_NEXT(client, list) : TAILQ_FIRST(&server->open);
	while (c && !c->told)
		c = TAILQ_NEXT(c, list);
	return c;
}

void kdtls_server_get_info(const struct kdtls_server *server,
			   struct kdtls_server_info *info)
{
	*info = server->info;
}
