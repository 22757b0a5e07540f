// SPDX-License-Identifier: BSD-3-Clause
/*
 * A client that lost its state starts anew on its old port (RFC 6347 4.2.8).
 *
 * Its ClientHello arrives on the socket of the association it has forgotten.
 * Once its cookie has proven the address, a second engine shakes hands through
 * that socket, beside the association, which knows nothing of it. When the
 * second has keys it gets a socket of its own, and only then the first dies.
 */
#include "driver.h"
#include "hello_piece.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define REST_MAX	256	/* datagrams in the queue of the socket before */

/* Return true if @random is that of the association's hello, or its successor's. */
static bool is_known(const struct kdtls_socket *s, const uint8_t *random)
{
	return !memcmp(random, s->random, sizeof(s->random)) ||
	       (s->next &&
		!memcmp(random, s->next->random, sizeof(s->random)));
}

/* Half a handshake proves nothing that would have to be kept. */
static struct kdtls_socket *begin_again(struct kdtls_socket *s)
{
	struct kdtls_engine *old = s->owner.engine;

	if (kdtls_engine_new(s->owner.endpoint, KDTLS_SERVER, s, s->key, s->key_len,
			     &s->owner.engine))
		return NULL;
	kdtls_engine_free(old);
	kept_forget(&s->owner);
	return s;
}

static struct kdtls_socket *begin_beside(struct kdtls_socket *s)
{
	struct kdtls_socket *n;

	n = listener_client(s->listener, s->key, s->key_len);
	if (!n)
		return NULL;
	socket_free(s->next);
	n->old = s;
	s->next = n;
	return n;
}

/* A hello was let in. Return: false: it was the association's own, once more. */
static bool begin(struct kdtls_socket *s, struct kdtls_hello *hello,
		  const uint8_t *data, size_t len)
{
	const uint8_t *random = kdtls_hello_random(hello);
	struct kdtls_socket *n;

	if (random && is_known(s, random)) {
		kdtls_hello_free(hello);
		return false;
	}
	n = owner_established(&s->owner) ? begin_beside(s) : begin_again(s);
	if (n)
		listener_begin(n, hello, data, len);
	else
		kdtls_hello_free(hello);
	return true;
}

/*
 * A piece of a hello. Return: true if it was of another than the association's
 * own. Of what is not a hello's first piece that cannot be told before all of
 * the hello is here.
 */
static bool take_hello(struct kdtls_socket *s, const uint8_t *data, size_t len)
{
	struct kdtls_sender from = address_sender(s->key, s->key_len);
	const uint8_t *random = hello_piece_random(data, len);
	struct kdtls_verdict v;

	if (random && is_known(s, random))
		return false;
	switch (kdtls_endpoint_gate(s->owner.endpoint, &from, data, len, driver_now(),
				    &v)) {
	case KDTLS_GATE_ACCEPT:
		return begin(s, v.hello, data, len);
	case KDTLS_GATE_REPLY:
		socket_send_raw(s, v.reply, v.reply_len);
		return true;
	default:
		return random;
	}
}

bool restart_input(struct kdtls_socket *s, const uint8_t *data, size_t len)
{
	if (hello_piece_is(data, len) && take_hello(s, data, len))
		return true;
	if (!s->next)
		return false;
	kdtls_engine_input(s->next->owner.engine, data, len, NULL, driver_now());
	return true;
}

void restart_process(struct kdtls_socket *s, uint8_t *buf)
{
	struct kdtls_socket *n = s->next;

	if (n->deadline <= driver_now())
		n->error = -ETIMEDOUT;
	else
		kdtls_engine_expire(n->owner.engine, driver_now());
	socket_flush(n, buf);
	if (n->error) {
		s->next = NULL;
		listener_refused(n);
	} else if (owner_established(&n->owner)) {
		s->next = NULL;
		listener_ready(n);
	}
}

/* A file that is at its end, both ways */
static int dead_end(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, pair))
		return -errno;
	close(pair[1]);
	return pair[0];
}

/*
 * Keep for @s what is still in the queue of the association it replaces: data that
 * the client sent right behind its last flight. The kernel has read what came to
 * an attached socket.
 */
static void keep_rest(struct kdtls_socket *s)
{
	struct kdtls_socket *old = s->old;
	uint8_t *buf = old->attached ? NULL : scratch_take(s->owner.endpoint);
	ssize_t n = buf ? 0 : -1;
	int i;

	for (i = 0; i < REST_MAX && n >= 0; i++) {
		n = recv(old->fd, buf, DATAGRAM_MAX, MSG_DONTWAIT);
		if (n > 0)
			kept_add(&s->owner, buf, n);
	}
	scratch_give(s->owner.endpoint, buf);
}

int restart_take_over(struct kdtls_socket *s)
{
	struct sockaddr_storage local, peer;
	socklen_t local_len = sizeof(local), len = sizeof(peer);
	struct kdtls_socket *old = s->old;
	uint8_t *buf;
	int dead;

	if (getsockname(old->fd, (struct sockaddr *)&local, &local_len) ||
	    getpeername(old->fd, (struct sockaddr *)&peer, &len))
		return -errno;
	dead = dead_end();
	if (dead < 0)
		return dead;
	s->fd = listener_client_fd(s->listener, (struct sockaddr *)&local,
				   (struct sockaddr *)&peer, len);
	if (s->fd < 0) {
		close(dead);
		return s->fd;
	}
	keep_rest(s);
	/*
	 * The old socket must leave the port, or it would go on to take what is
	 * for the new one. Its number stays its owner's; who waits in recv(2)
	 * comes back.
	 */
	shutdown(old->fd, SHUT_RDWR);
	dup3(dead, old->fd, O_CLOEXEC);
	close(dead);
	old->error = -KDTLS_ERESTARTED;
	s->old = NULL;
	listener_replace(old, s);
	/* The datagram at hand is in another one. */
	buf = scratch_take(s->owner.endpoint);
	if (buf)
		listener_strays(s, buf);
	scratch_give(s->owner.endpoint, buf);
	return 0;
}
