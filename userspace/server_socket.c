// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file gives clients of a server connected sockets; see server_object.h. The struct
 * kdtls_client stays in the server's tables until its socket is closed. Datagrams of the
 * client that still reach the server's socket are passed on: those that came before the
 * connect, and those from another address with a connection ID of the client's. What the
 * keys of the socket do not open goes the other way, as the client may be starting anew.
 *
 * Between bind and connect the new socket may get datagrams of anybody, which go to the
 * server's strays.
 */
#include "server_object.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "server_steer.h"

#define QUEUED_MAX	256	/* datagrams that are moved out of a socket's queue */

/* ---- files ---- */

int server_socket_bound(const struct sockaddr *local, socklen_t len, int buffer,
			bool first)
{
	const struct sockaddr_in6 *local6 = (const void *)local;
	int fd, one = 1, only, err;

	fd = socket(local->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd < 0)
		return -errno;
	if (buffer && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer,
				 sizeof(buffer)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	/*
	 * The kernel attaches no IPv6 socket with an IPv4 peer. As the first socket has its
	 * BPF program before the bind, the bind fails if another socket has the port.
	 */
	only = local->sa_family == AF_INET6 &&
	       !IN6_IS_ADDR_V4MAPPED(&local6->sin6_addr);
	if ((local->sa_family == AF_INET6 &&
	     setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &only, sizeof(only))) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) ||
	    (first && steer_alone(fd)) || bind(fd, local, len)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int server_socket_connected(const struct kdtls_client *c, int buffer)
{
	struct sockaddr_in *local4;
	struct stranger s;
	int fd, err;

	address_of_key(c->key, c->key_len, &s);
	/* The port is at the same place in both families. */
	local4 = (struct sockaddr_in *)&s.local;
	local4->sin_port = ((struct sockaddr_in *)&c->server->local)->sin_port;
	fd = server_socket_bound((struct sockaddr *)&s.local, s.len, buffer,
				 false);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&s.peer, s.len)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int server_socket_prepare(struct kdtls_server *server)
{
	int pair[2];

	if (server->ended >= 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, pair))
		return -errno;
	close(pair[1]);
	server->ended = pair[0];
	return 0;
}

/* Return true if @from is the address of @c. */
static bool is_from(const struct kdtls_client *c, struct stranger *from)
{
	address_key(from);
	return from->key_len == c->key_len &&
	       !memcmp(from->key, c->key, c->key_len);
}

void server_socket_sort(const struct kdtls_client *c, int fd)
{
	uint8_t *buf = scratch_take(c->owner->endpoint);
	struct sockaddr *peer;
	struct stranger from;
	ssize_t n = buf ? 0 : -1;
	int i;

	address_of_key(c->key, c->key_len, &from);
	peer = (struct sockaddr *)&from.peer;
	for (i = 0; i < QUEUED_MAX && n >= 0; i++) {
		from.len = sizeof(from.peer);
		n = recvfrom(fd, buf, 1, MSG_DONTWAIT | MSG_PEEK, peer,
			     &from.len);
		if (n < 0 || is_from(c, &from))
			break;
		n = recv(fd, buf, DATAGRAM_MAX, MSG_DONTWAIT);
		if (n >= 0)
			server_stray_add(c->server, &from, buf, n);
	}
	scratch_give(c->owner->endpoint, buf);
}

/* ---- what sockets of clients ask for ---- */

void server_socket_part(struct kdtls_client *c)
{
	struct kdtls_socket *s = server_client_socket(c);

	s->home = NULL;
	s->client = NULL;
	c->owner = &c->own;
}

int server_socket_add_cid(struct kdtls_socket *s, uint8_t *cid, size_t len)
{
	return server_cids_add(s->client, cid, len);
}

void server_socket_keep(struct kdtls_socket *s, const uint8_t *data, size_t len)
{
	server_client_keep(s->client, data, len);
}

void server_socket_unopened(struct kdtls_socket *s, const uint8_t *data,
			    size_t len)
{
	server_hello_client(s->client, data, len, driver_now());
}

void server_socket_leave(struct kdtls_socket *s)
{
	struct kdtls_client *c = s->client;

	server_socket_part(c);
	server_client_drop(c);
}

void server_socket_address(const struct kdtls_socket *s, struct sockaddr *address,
			   socklen_t *len)
{
	kdtls_client_address(s->client, address, len);
}

/* ---- what the server asks for ---- */

void server_socket_free(struct kdtls_client *c)
{
	struct kdtls_socket *s = server_client_socket(c);

	if (!s)
		return;
	server_socket_part(c);
	socket_free(s);
}

void server_socket_take(struct kdtls_client *c, const uint8_t *data, size_t len)
{
	struct kdtls_socket *s = server_client_socket(c);
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

/*
 * Keep for @c the datagrams that are still in the queue of @old, the socket of the client
 * that @c replaces: data that the client sent right behind its last flight. If @old is
 * attached the kernel has taken the records already.
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
 * The old socket must leave the port, as it would go on to get the datagrams for @c. Its
 * file descriptor belongs to the program, so the file @ended of the server takes its place
 * under the same number, and a thread that waits there in recv(2) returns.
 */
void server_socket_retire(struct kdtls_client *c)
{
	struct kdtls_client *gone = c->old;
	struct kdtls_socket *old = server_client_socket(gone);

	keep_rest(c, old);
	shutdown(old->fd, SHUT_RDWR);
	dup3(c->server->ended, old->fd, O_CLOEXEC);
	old->error = -KDTLS_ERESTARTED;
	if (gone->told)
		server_socket_part(gone);
}

int server_socket_take_cid(struct kdtls_client *c, const uint8_t *cid, size_t len)
{
	return handover_add_cid(server_client_socket(c), cid, len);
}

ssize_t server_socket_send(struct kdtls_client *c,
			   const struct dtls_record_info *info,
			   const uint8_t *data, size_t len,
			   struct dtls_record_number *number)
{
	return socket_transmit(server_client_socket(c), info, data, len, number);
}
