// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file peels clients off a server: the program gets a connected socket for a client,
 * with the client's engine and keys; see kdtls/server.h.
 *
 * The struct kdtls_client stays in the tables of addresses and connection IDs, so that the
 * server can pass on what still comes to its own socket, and so that a client which starts
 * anew at its address is a client of the server again. It leaves them when the socket is
 * closed, or with the server.
 */
#include "server_object.h"
#include <errno.h>
#include <unistd.h>

#include "server_steer.h"

/*
 * Return 0 if @c can be peeled off, or a negative error. What the server's socket has in its
 * queue is read then if the library makes the records: datagrams of others become strays,
 * and if they were left there, those of @c behind them would come after newer ones.
 */
static int may_peel(const struct kdtls_client *c)
{
	if (c->stage != SERVED_OPEN || !c->told || c->goodbye)
		return -ENOTCONN;
	/* The kernel numbers the sockets of a port, and a socket more has a number. */
	if (c->server->options.sharers > 1)
		return -EOPNOTSUPP;
	if (!c->id && !server_stray_has_room(c->server, 0))
		return -ENOBUFS;
	return c->next ? -EBUSY : 0;
}

/*
 * Let other sockets of this user be bound to the server's port. If the program itself has
 * let them, it knows which sockets there are, and chooses among them.
 */
static int share_port(struct kdtls_server *server)
{
	int one = 1, shares = 0;
	socklen_t len = sizeof(shares);

	if (getsockopt(server->fd, SOL_SOCKET, SO_REUSEPORT, &shares, &len))
		return -errno;
	if (shares)
		return 0;
	if (setsockopt(server->fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)))
		return -errno;
	server->shares = true;
	return 0;
}

/* Let the kernel end the passing on of what comes to the server's socket for @c. */
static void peel_end(struct kdtls_client *c)
{
	c->server->path->end(c);
}

static const struct socket_home peel_home = {
	.keep = server_socket_keep,
	.unopened = server_socket_unopened,
	.add_cid = server_socket_add_cid,
	.address = server_socket_address,
	.leave = server_socket_leave,
};

const struct server_path server_peel_path = {
	.take = server_socket_take,
	.end = peel_end,
	.retire = server_socket_retire,
	.add_cid = server_socket_take_cid,
	.send = server_socket_send,
};

/*
 * Make a socket that is connected to @c and has the association that the kernel has of @c.
 * Datagrams of @c stay in the queue of the socket: those that wait in the server's socket
 * are older, and come before them. If the kernel refuses the association they are lost, as
 * any datagram may be. Return the file of the socket or a negative error.
 */
static int make_file(struct kdtls_client *c)
{
	int fd = server_socket_connected(c, 0), err = 0;

	if (fd < 0)
		return fd;
	/*
	 * From the second such socket on, the server gets what comes before the connect. Since
	 * Linux 6.13 a socket may form a group of its own with an earlier one that is
	 * connected, and server_socket_sort() passes on what comes to it.
	 */
	if (c->server->shares)
		steer_alone(c->server->fd);
	server_socket_sort(c, fd);
	if (server_client_path(c)->peel)
		err = server_client_path(c)->peel(c, fd);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* Let @s, whose file is @fd, be the socket of @c from now on. */
static void adopt(struct kdtls_client *c, struct kdtls_socket *s, int fd)
{
	uint8_t *buf;

	socket_adopt(s, c->owner, fd);
	s->confirmed = c->confirmed;
	s->home = &peel_home;
	s->client = c;
	s->inherits = true;
	c->owner = &s->owner;
	server_client_peel(c);
	server_in_peel(c);
	s->inherits = false;
	buf = scratch_take(s->owner.endpoint);
	if (buf)
		socket_flush(s, buf);
	scratch_give(s->owner.endpoint, buf);
}

int kdtls_client_peel(struct kdtls_client *client, struct kdtls_socket **socket)
{
	struct kdtls_client *c = client;
	struct kdtls_socket *s;
	int err, fd;

	err = may_peel(c);
	if (!err)
		err = server_socket_prepare(c->server);
	if (!err)
		err = share_port(c->server);
	if (err)
		return err;
	s = socket_alloc(c->server->options.path, c->data);
	if (!s)
		return -KDTLS_EMEMORY;
	fd = make_file(c);
	if (fd < 0) {
		socket_free(s);
		return fd;
	}
	adopt(c, s, fd);
	*socket = s;
	return 0;
}
