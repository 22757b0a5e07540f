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
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/*
 * Of a datagram that begins with the first piece of a ClientHello: record and
 * message header, version, random
 */
#define RANDOM_OFFSET	(DTLS12_HEADER_SIZE + 12 + 2)
#define FRAGMENT_OFFSET	(DTLS12_HEADER_SIZE + 6)
#define CLIENT_HELLO	1

const uint8_t *restart_random(const uint8_t *data, size_t len)
{
	if (len < RANDOM_OFFSET + DTLS_RANDOM_SIZE ||
	    data[0] != DTLS_CT_HANDSHAKE || dtls_get_be(data + 3, 2) ||
	    data[DTLS12_HEADER_SIZE] != CLIENT_HELLO ||
	    dtls_get_be(data + FRAGMENT_OFFSET, 3))
		return NULL;
	return data + RANDOM_OFFSET;
}

/* Half a handshake proves nothing that would have to be kept. */
static bool begin_again(struct kdtls_socket *s, const uint8_t *random)
{
	struct kdtls_engine *old = s->engine;

	if (kdtls_engine_new(s->endpoint, KDTLS_SERVER, s, s->key, s->key_len,
			     &s->engine))
		return false;
	kdtls_engine_free(old);
	handover_forget(s);
	memcpy(s->random, random, sizeof(s->random));
	listener_prepare(s);
	return true;
}

static bool begin_beside(struct kdtls_socket *s, const uint8_t *random)
{
	struct kdtls_socket *n;

	n = listener_client(s->listener, s->key, s->key_len, random);
	if (!n)
		return false;
	socket_free(s->next);
	n->old = s;
	s->next = n;
	listener_prepare(n);
	return true;
}

bool restart_input(struct kdtls_socket *s, const uint8_t *data, size_t len)
{
	static const uint8_t unknown[DTLS_RANDOM_SIZE];
	uint8_t *known = s->next ? s->next->random : s->random;
	const uint8_t *random = restart_random(data, len);
	uint8_t reply[KDTLS_GATE_REPLY_SIZE];
	size_t reply_len;
	bool accepted;

	if (random && !memcmp(known, unknown, sizeof(unknown)))
		memcpy(known, random, sizeof(s->random));
	if (random && memcmp(random, known, sizeof(s->random))) {
		switch (kdtls_endpoint_gate(s->endpoint, s->key, s->key_len,
					    data, len, driver_now(), reply,
					    &reply_len)) {
		case KDTLS_GATE_ACCEPT:
			accepted = socket_established(s) ?
				   begin_beside(s, random) :
				   begin_again(s, random);
			if (!accepted)
				return true;
			break;
		case KDTLS_GATE_REPLY:
			socket_send_raw(s, reply, reply_len);
			return true;
		default:
			return true;
		}
	}
	if (!s->next)
		return false;
	kdtls_engine_input(s->next->engine, data, len, NULL, driver_now());
	return true;
}

void restart_process(struct kdtls_socket *s, uint8_t *buf)
{
	struct kdtls_socket *n = s->next;

	if (n->deadline <= driver_now())
		n->error = -ETIMEDOUT;
	else
		kdtls_engine_expire(n->engine, driver_now());
	socket_flush(n, buf);
	if (n->error) {
		s->next = NULL;
		listener_refused(n);
	} else if (socket_established(n)) {
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

int restart_take_over(struct kdtls_socket *s)
{
	struct sockaddr_storage local, peer;
	socklen_t local_len = sizeof(local), len = sizeof(peer);
	struct kdtls_socket *old = s->old;
	uint8_t buf[DATAGRAM_MAX];
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
	listener_strays(s, buf);
	return 0;
}
