// SPDX-License-Identifier: BSD-3-Clause
/*
 * A listener is a server object whose clients get a connected socket each, which
 * kdtls_accept() returns.
 *
 * A handshake runs on the server's socket until the client's Finished is verified.
 * Only then a socket is bound to the local address that the client writes to, connected
 * to the client, and given the keys. So the association is on the connected socket from
 * its first record on, and nothing has to move. The struct kdtls_client stays in the
 * server's tables until the socket is closed. Datagrams of the client that still reach
 * the server's socket are passed on: those that came before the connect, and those from
 * another address with a connection ID of the client's.
 *
 * Between bind and connect the new socket may get datagrams of anybody. They go back
 * to the server (server_stray.c), as do the hellos of a client that starts anew on its
 * old address, which arrive on the connected socket.
 */
#include "server_object.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MAX_SOCKETS	16384
#define ROUND		64	/* messages of the server in one call that does not wait */
#define QUEUED_MAX	256	/* datagrams that are moved out of a socket's queue */

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

/* ---- files ---- */

/*
 * Let @fd, the listener's own socket, get all datagrams that no connected socket gets. It
 * is the first of the group of sockets with its address, and the BPF program chooses the
 * first socket. As the program is set before the bind, the bind fails if another socket
 * has the port.
 */
static int keep_strangers(int fd)
{
	struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
			  sizeof(program));
}

/*
 * Make a socket that is bound to @local and shares the port with other sockets of this
 * user. With @first the socket is the listener's own, and no other may have the port.
 * Return its file or -errno.
 */
static int bound_socket(const struct kdtls_listener *l,
			const struct sockaddr *local, socklen_t len, bool first)
{
	int fd, one = 1, size = (int)l->options.receive_buffer, err;

	fd = socket(local->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd < 0)
		return -errno;
	if (size && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
			       sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* The kernel attaches no IPv6 socket with an IPv4 peer. */
	if ((local->sa_family == AF_INET6 &&
	     setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &one, sizeof(one))) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) ||
	    (first && keep_strangers(fd)) || bind(fd, local, len)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* Make a socket that is connected to a client. Return its file or -errno. */
static int connected_socket(struct kdtls_listener *l,
			    const struct kdtls_client *c)
{
	struct sockaddr_in *local4;
	struct stranger s;
	int fd, err;

	address_of_key(c->key, c->key_len, &s);
	/* The port is at the same place in both families. */
	local4 = (struct sockaddr_in *)&s.local;
	local4->sin_port = ((struct sockaddr_in *)&l->server->local)->sin_port;
	fd = bound_socket(l, (struct sockaddr *)&s.local, s.len, false);
	if (fd == -EACCES || fd == -EADDRINUSE)
		l->denied = fd;
	if (fd >= 0 && connect(fd, (struct sockaddr *)&s.peer, s.len)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* Return a file that is at its end for reading and for writing, or -errno. */
static int ended_file(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, pair))
		return -errno;
	close(pair[1]);
	return pair[0];
}

/*
 * Empty the queue of a socket that was connected just now. Records of the client @c are
 * kept for its keys. Datagrams of others, which came before the connect, go to the
 * server. A datagram of another sender is lost if another processor has found the socket
 * before the connect and queues the datagram after this call.
 */
static void sort_queue(struct kdtls_listener *l, struct kdtls_client *c, int fd)
{
	uint8_t *buf = scratch_take(c->owner->endpoint);
	struct stranger from;
	ssize_t n = buf ? 0 : -1;
	int i;

	address_of_key(c->key, c->key_len, &from);
	for (i = 0; i < QUEUED_MAX && n >= 0; i++) {
		from.len = sizeof(from.peer);
		n = recvfrom(fd, buf, DATAGRAM_MAX, MSG_DONTWAIT,
			     (struct sockaddr *)&from.peer, &from.len);
		if (n < 0)
			break;
		address_key(&from);
		if (from.key_len == c->key_len &&
		    !memcmp(from.key, c->key, c->key_len))
			kept_add(c->owner, buf, n);
		else
			server_stray_add(l->server, &from, buf, n);
	}
	scratch_give(c->owner->endpoint, buf);
}

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

/* ---- what sockets of clients ask for ---- */

/* Part a client and its socket, so that neither points to the other any more. */
static void part(struct kdtls_client *c)
{
	c->socket->home = NULL;
	c->socket->client = NULL;
	c->socket = NULL;
	c->owner = &c->own;
}

/*
 * Keep for @c the datagrams that are still in the queue of @old, the socket that the
 * socket of @c replaces: data that the client sent right behind its last flight. If @old
 * is attached the kernel has taken the records already.
 */
static void keep_rest(struct kdtls_client *c, const struct kdtls_socket *old)
{
	uint8_t *buf = old->attached ? NULL : scratch_take(c->owner->endpoint);
	ssize_t n = buf ? 0 : -1;
	int i;

	for (i = 0; i < QUEUED_MAX && n >= 0; i++) {
		n = recv(old->fd, buf, DATAGRAM_MAX, MSG_DONTWAIT);
		if (n > 0)
			kept_add(c->owner, buf, n);
	}
	scratch_give(c->owner->endpoint, buf);
}

/*
 * End the socket of the client that @c replaces. The old socket must leave the port, as
 * it would go on to get the datagrams for the new socket. The file descriptor of the old
 * socket belongs to the program, so the file @ended takes its place under the same
 * number, and a thread that waits there in recv(2) returns.
 */
static void retire(struct kdtls_client *c, int ended)
{
	struct kdtls_client *gone = c->old;
	struct kdtls_socket *old = gone->socket;

	keep_rest(c, old);
	shutdown(old->fd, SHUT_RDWR);
	dup3(ended, old->fd, O_CLOEXEC);
	old->error = -KDTLS_ERESTARTED;
	if (gone->told)
		part(gone);
	server_client_succeed(c);
}

/*
 * Make the connected file of @s, which is about to get its keys, and end the association
 * that @s replaces. After an error the old association goes on. Return 0 or -errno.
 */
static int home_connect(struct kdtls_socket *s)
{
	struct kdtls_client *c = s->client;
	struct kdtls_listener *l = c->server->listener;
	int ended = -1;

	if (c->old) {
		ended = ended_file();
		if (ended < 0)
			return ended;
	}
	s->fd = connected_socket(l, c);
	if (s->fd >= 0) {
		sort_queue(l, c, s->fd);
		if (c->old)
			retire(c, ended);
	} else {
		l->server->info.limited++;
	}
	if (ended >= 0)
		close(ended);
	return s->fd < 0 ? s->fd : 0;
}

/* Choose a connection ID that no other client of the server has. */
static int home_add_cid(struct kdtls_socket *s, uint8_t *cid, size_t len)
{
	return server_cids_add(s->client, cid, len);
}

/* Keep the records of a datagram for the client that is to replace the client of @s. */
static void home_keep(struct kdtls_socket *s, const uint8_t *data, size_t len)
{
	struct kdtls_client *next = s->client->next;

	if (next)
		kept_add(next->owner, data, len);
}

/*
 * Give the server bytes that came to @s and that the keys of @s do not open, as the client
 * may be starting anew.
 */
static void home_unopened(struct kdtls_socket *s, const uint8_t *data,
			  size_t len)
{
	struct kdtls_listener *l = s->client->server->listener;

	server_hello_client(s->client, data, len, driver_now());
	arm(l);
}

/* Take @s, which is about to be freed, and its client out of the server. */
static void home_leave(struct kdtls_socket *s)
{
	struct kdtls_client *c = s->client;

	if (s->waits)
		TAILQ_REMOVE(&c->server->listener->ready, s, ready);
	part(c);
	server_client_drop(c);
}

/* Write the address of the client of @s, which has no file yet, to @address. */
static void home_address(const struct kdtls_socket *s, struct sockaddr *address,
			 socklen_t *len)
{
	kdtls_client_address(s->client, address, len);
}

static const struct socket_home listener_home = {
	.connect = home_connect,
	.keep = home_keep,
	.unopened = home_unopened,
	.add_cid = home_add_cid,
	.address = home_address,
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
	c->socket = s;
	c->owner = &s->owner;
	return 0;
}

/* Free the socket of a client that the program was not given. */
static void free_socket(struct kdtls_client *c)
{
	struct kdtls_socket *s = c->socket;

	if (!s)
		return;
	part(c);
	socket_free(s);
}

/* Pass a datagram that came to the server's socket on to the client's. */
static void pass_on(struct kdtls_client *c, const uint8_t *data, size_t len)
{
	struct kdtls_socket *s = c->socket;
	uint8_t *buf;

	if (!s || s->error)
		return;
	if (s->attached) {
		ulp_feed(s->fd, 0, data, len);
		return;
	}
	buf = scratch_take(s->owner.endpoint);
	if (buf) {
		socket_datagram(s, data, len);
		socket_flush(s, buf);
	}
	scratch_give(s->owner.endpoint, buf);
}

/* Do nothing at the end of a client: its socket may live on. */
static void end_client(struct kdtls_client *c)
{
	(void)c;
}

/* Let received records of @c have one more connection ID. */
static int add_cid(struct kdtls_client *c, const uint8_t *cid, size_t len)
{
	return handover_add_cid(c->socket, cid, len);
}

/* Send a record of the engine, as of its last flight, through the socket of @c. */
static ssize_t send_record(struct kdtls_client *c,
			   const struct dtls_record_info *info,
			   const uint8_t *data, size_t len,
			   struct dtls_record_number *number)
{
	return socket_transmit(c->socket, info, data, len, number);
}

static const struct server_path listener_path = {
	.begin = make_socket,
	.free = free_socket,
	.take = pass_on,
	.end = end_client,
	.add_cid = add_cid,
	.send = send_record,
};

/* ---- the interface ---- */

/*
 * Take a message of the server. If a handshake is done, the client's socket is put into
 * the list for kdtls_accept(). If a handshake was refused, the program is told.
 */
static void take_message(struct kdtls_listener *l, const struct kdtls_message *m)
{
	struct kdtls_socket *s = m->client->socket;
	int mtu;

	if (m->news == KDTLS_NEWS_OPENED && s && !s->error) {
		mtu = socket_path_mtu(s->fd);
		if (mtu > 0)
			kdtls_engine_set_mtu(s->owner.engine, mtu);
		s->due = server_in_mark(l->server);
		s->waits = true;
		TAILQ_INSERT_TAIL(&l->ready, s, ready);
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
		TAILQ_REMOVE(&l->ready, first, ready);
		first->waits = false;
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
	fd = bound_socket(l, address, len, true);
	if (fd < 0)
		return fd;
	err = server_new(endpoint, fd, &o, l, &listener_path,
			 &l->server);
	if (err) {
		close(fd);
		return err;
	}
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
	while ((s = TAILQ_FIRST(&l->ready)))
		kdtls_close(s);
	if (l->server) {
		for (c = TAILQ_FIRST(&l->server->open); c; c = next) {
			next = TAILQ_NEXT(c, list);
			if (c->told)
				home_leave(c->socket);
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
