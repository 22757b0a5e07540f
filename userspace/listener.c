// SPDX-License-Identifier: BSD-3-Clause
/*
 * A listener is a server object whose clients get a connected socket each, which
 * kdtls_accept() returns.
 *
 * A handshake runs on the server's socket until the client's Finished is verified.
 * Only then a socket is bound to the local address that the client writes to, connected
 * to the client, and given the keys. So the association is on the connected socket from
 * its first record on, and nothing has to move. server_socket.c has what is done for such
 * sockets.
 */
#include "server_object.h"
#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MAX_SOCKETS	16384
#define ROUND		64	/* messages of the server in one call that does not wait */

TAILQ_HEAD(ready_list, kdtls_socket);

/**
 * struct kdtls_listener - a listener
 * @server:	the server object of the listener
 * @options:	the options that the program gave
 * @denied:	-EACCES or -EADDRINUSE: the process may not bind to the port any more, which
 *		kdtls_accept() has not returned yet; 0: the process may
 * @epoll:	the file of kdtls_listener_fd(), which is readable when the server's socket,
 *		@timer or @wake is
 * @timer:	timer file that expires when a timer of the server is due
 * @wake:	event file that is readable while there is work that no other file tells of
 * @ready:	sockets for kdtls_accept()
 */
struct kdtls_listener {
	struct kdtls_server *server;
	struct kdtls_listener_options options;
	int denied;
	int epoll;
	int timer;
	int wake;
	struct ready_list ready;
};

/* ---- files that tell of work ---- */

/* Let kdtls_listener_fd() be readable while @fd is. Return 0 or -errno. */
static int watch(struct kdtls_listener *l, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

/* Let kdtls_listener_fd() tell of what kdtls_accept() has left to do. */
static void arm(struct kdtls_listener *l)
{
	int ms = kdtls_server_timeout(l->server);
	struct itimerspec t = { 0 };
	uint64_t n = 1;
	ssize_t done;

	if (!TAILQ_EMPTY(&l->ready) || l->denied)
		ms = 0;
	if (ms > 0) {
		t.it_value.tv_sec = ms / 1000;
		t.it_value.tv_nsec = ms % 1000 * 1000000L;
	}
	timerfd_settime(l->timer, 0, &t, NULL);
	/* If the call fails, @wake already is as it should be. */
	done = ms ? read(l->wake, &n, sizeof(n)) : write(l->wake, &n, sizeof(n));
	(void)done;
}

/* ---- sockets for kdtls_accept() ---- */

/* Put @s into the list of sockets for kdtls_accept(). */
static void ready_add(struct kdtls_listener *l, struct kdtls_socket *s)
{
	s->waits = true;
	TAILQ_INSERT_TAIL(&l->ready, s, ready);
}

/*
 * Take @s out of the list. A socket that waits in it may have lost its client to one that
 * started anew, and has no home then; so nothing but the list tells of it.
 */
static void ready_remove(struct kdtls_listener *l, struct kdtls_socket *s)
{
	TAILQ_REMOVE(&l->ready, s, ready);
	s->waits = false;
}

/* ---- what sockets of clients ask for ---- */

/*
 * Make the connected file of @s, which is about to get its keys, and end the association
 * that @s replaces. After an error the old association goes on. Return 0 or -errno.
 */
static int home_connect(struct kdtls_socket *s)
{
	struct kdtls_client *c = s->client;
	struct kdtls_listener *l = c->server->listener;

	s->fd = server_socket_connected(c, (int)l->options.receive_buffer);
	if (s->fd < 0) {
		if (s->fd == -EACCES || s->fd == -EADDRINUSE)
			l->denied = s->fd;
		l->server->info.limited++;
		return s->fd;
	}
	server_socket_sort(c, s->fd);
	return server_client_succeed(c);
}

/*
 * Keep the records of a datagram for the client that is to replace that of @s, if there is
 * one, and tell of what the listener has to do if that ends a handshake.
 */
static void home_keep(struct kdtls_socket *s, const uint8_t *data, size_t len)
{
	if (!s->client->next)
		return;
	server_socket_keep(s, data, len);
	arm(s->client->server->listener);
}

/* Give the server bytes that the keys of @s do not open, and tell of what it has to do. */
static void home_unopened(struct kdtls_socket *s, const uint8_t *data,
			  size_t len)
{
	struct kdtls_listener *l = s->client->server->listener;

	server_socket_unopened(s, data, len);
	arm(l);
}

/* Take @s, which is about to be freed, and its client out of the listener. */
static void home_leave(struct kdtls_socket *s)
{
	if (s->waits)
		ready_remove(s->client->server->listener, s);
	server_socket_leave(s);
}

static const struct socket_home listener_home = {
	.connect = home_connect,
	.keep = home_keep,
	.unopened = home_unopened,
	.add_cid = server_socket_add_cid,
	.address = server_socket_address,
	.leave = home_leave,
};

/* ---- what the server asks for ---- */

/*
 * Make the socket of a new client, which has no file yet, with the client's engine.
 * Return 0 or a negative error.
 */
static int make_socket(struct kdtls_client *c)
{
	struct kdtls_listener *l = c->server->listener;
	struct kdtls_socket *s;

	s = socket_new(c->server->endpoint, KDTLS_SERVER, l->options.path,
		       l->options.data, c->key, c->key_len);
	if (!s)
		return -KDTLS_EMEMORY;
	s->home = &listener_home;
	s->client = c;
	c->owner = &s->owner;
	return 0;
}

/* Do nothing at the end of a client: its socket may live on. */
static void end_client(struct kdtls_client *c)
{
	(void)c;
}

static const struct server_path listener_path = {
	.begin = make_socket,
	.free = server_socket_free,
	.take = server_socket_take,
	.end = end_client,
	.retire = server_socket_retire,
	.add_cid = server_socket_take_cid,
	.send = server_socket_send,
};

/* ---- the interface ---- */

/*
 * Take a message of the server. If a handshake is done, the client's socket is put into
 * the list for kdtls_accept(). If a handshake was refused, the program is told.
 */
static void take_message(struct kdtls_listener *l, const struct kdtls_message *m)
{
	struct kdtls_socket *s = server_client_socket(m->client);
	int mtu;

	if (m->news == KDTLS_NEWS_OPENED && s && !s->error) {
		mtu = socket_path_mtu(s->fd);
		if (mtu > 0)
			kdtls_engine_set_mtu(s->owner.engine, mtu);
		s->due = server_in_mark(l->server);
		ready_add(l, s);
	} else if (m->news == KDTLS_NEWS_REFUSED && s) {
		s->error = m->error;
		if (l->options.refused)
			l->options.refused(s, m->error);
	}
}

/*
 * Set @s to the next socket for the program and return 0, if all datagrams of its client
 * that had come to the server's socket were passed on to it. Else return l->denied, once;
 * or -EAGAIN.
 */
static int take_ready(struct kdtls_listener *l, struct kdtls_socket **s)
{
	struct kdtls_socket *first = TAILQ_FIRST(&l->ready);
	int err = l->denied;

	*s = NULL;
	if (first && server_in_passed(l->server, first->due)) {
		ready_remove(l, first);
		*s = first;
		return 0;
	}
	l->denied = 0;
	return err ? err : -EAGAIN;
}

int kdtls_accept(struct kdtls_listener *l, int timeout, struct kdtls_socket **s)
{
	uint64_t end = timeout < 0 ? KDTLS_NEVER :
				     driver_now() + timeout * 1000ULL;
	struct kdtls_message m;
	unsigned int i = 0;
	bool waits;
	ssize_t n;
	int err;

	for (;;) {
		err = take_ready(l, s);
		if (err != -EAGAIN)
			break;
		waits = !TAILQ_EMPTY(&l->ready);
		if (!waits && !timeout && i++ == ROUND)
			break;
		n = kdtls_server_recv(l->server, &m, 1,
				      waits ? 0 : driver_wait_ms(end));
		if (n > 0) {
			take_message(l, &m);
		} else if (n != -EAGAIN) {
			err = (int)n;
			break;
		} else if (!waits && driver_now() >= end) {
			break;
		}
	}
	arm(l);
	return err;
}

static int set_up(struct kdtls_listener *l, struct kdtls_endpoint *endpoint,
		  const struct sockaddr *address, socklen_t len)
{
	struct kdtls_server_options o = {
		.path = KDTLS_PATH_USER,
		.cid_len = l->options.cid_len,
		.max_clients = l->options.max_sockets,
		.max_half_open = l->options.max_handshakes,
		.handshake_timeout = l->options.handshake_timeout,
	};
	int fd, err;

	if (!o.max_clients)
		o.max_clients = MAX_SOCKETS;
	/* Without the module no client could be given a socket. */
	err = l->options.path == KDTLS_PATH_KERNEL ? kdtls_available() : 0;
	if (err)
		return err;
	fd = server_socket_bound(address, len, (int)l->options.receive_buffer,
				 true);
	if (fd < 0)
		return fd;
	err = server_new(endpoint, fd, &o, l, &listener_path,
			 &l->server);
	if (err) {
		close(fd);
		return err;
	}
	/* The sockets of clients are bound to the port, too. */
	l->server->shares = true;
	err = server_socket_prepare(l->server);
	if (err)
		return err;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->epoll < 0 || l->timer < 0 || l->wake < 0)
		return -errno;
	err = watch(l, fd);
	if (!err)
		err = watch(l, l->timer);
	return err ? err : watch(l, l->wake);
}

int kdtls_listen(struct kdtls_endpoint *endpoint, const struct sockaddr *address,
		 socklen_t len, const struct kdtls_listener_options *options,
		 struct kdtls_listener **listener)
{
	struct kdtls_listener *l;
	int err;

	if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
		return -KDTLS_EUSAGE;
	l = OPENSSL_zalloc(sizeof(*l));
	if (!l)
		return -KDTLS_EMEMORY;
	l->epoll = -1;
	l->timer = -1;
	l->wake = -1;
	TAILQ_INIT(&l->ready);
	if (options)
		l->options = *options;
	/* SO_RCVBUFFORCE takes a negative size for the smallest one. */
	if (l->options.receive_buffer > INT_MAX)
		l->options.receive_buffer = INT_MAX;
	err = set_up(l, endpoint, address, len);
	if (err)
		kdtls_listener_close(l);
	else
		*listener = l;
	return err;
}

int kdtls_listener_fd(const struct kdtls_listener *listener)
{
	return listener->epoll;
}

int kdtls_listener_address(const struct kdtls_listener *listener,
			   struct sockaddr *address, socklen_t *len)
{
	int fd = kdtls_server_fd(listener->server);

	return getsockname(fd, address, len) ? -errno : 0;
}

void kdtls_listener_get_info(const struct kdtls_listener *listener,
			     struct kdtls_listener_info *info)
{
	struct kdtls_server_info of;

	kdtls_server_get_info(listener->server, &of);
	*info = (struct kdtls_listener_info){
		.sockets = of.clients,
		.handshakes = of.half_open,
		.established = of.established,
		.refused = of.refused,
		.restarted = of.restarted,
		.replies = of.replies,
		.dropped = of.dropped,
		.limited = of.limited,
	};
}

static void close_file(int fd)
{
	if (fd >= 0)
		close(fd);
}

void kdtls_listener_close(struct kdtls_listener *l)
{
	struct kdtls_client *c, *next;
	struct kdtls_socket *s;

	if (!l)
		return;
	while ((s = TAILQ_FIRST(&l->ready))) {
		ready_remove(l, s);
		kdtls_close(s);
	}
	if (l->server) {
		for (c = TAILQ_FIRST(&l->server->open); c; c = next) {
			next = TAILQ_NEXT(c, list);
			if (c->told)
				home_leave(server_client_socket(c));
			else
				server_client_drop(c);
		}
	}
	kdtls_server_close(l->server);
	close_file(l->epoll);
	close_file(l->timer);
	close_file(l->wake);
	OPENSSL_free(l);
}
