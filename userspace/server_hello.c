// SPDX-License-Identifier: BSD-3-Clause
/*
 * Clients that begin: strangers, and clients that have lost their state and start
 * anew on their address (RFC 6347 4.2.8); see server_object.h.
 *
 * A client whose handshake is done stays until the new handshake from its address
 * is done too: half a handshake proves nothing, as hellos can be recorded. The two
 * are beside each other until then, and a record belongs to the one whose keys open
 * it.
 */
#include "hello_piece.h"
#include "server_object.h"

/* Return what tells the hello with this random from others, or 0. */
static uint64_t random_id(const uint8_t *random)
{
	return random ? dtls_get_be(random, 8) : 0;
}

/* Begin the handshake of a client that the gate has let in. @hello is freed. */
static void begin(struct kdtls_client *c, struct kdtls_hello *hello,
		  const uint8_t *data, size_t len, uint64_t now)
{
	c->random = random_id(kdtls_hello_random(hello));
	kept_add(&c->owner, data, len);
	kdtls_engine_accept(c->owner.engine, hello, now);
	server_client_settle(c, now);
}

void server_hello_stranger(struct kdtls_server *server,
			   const struct stranger *from, const uint8_t *data,
			   size_t len, uint64_t now)
{
	struct kdtls_sender sender = address_sender(from->key, from->key_len);
	struct kdtls_verdict v;
	struct kdtls_client *c;

	switch (kdtls_endpoint_gate(server->endpoint, &sender, data, len, now,
				    &v)) {
	case KDTLS_GATE_REPLY:
		server->info.replies++;
		server_out_datagram(server, from->key, from->key_len, v.reply,
				    v.reply_len);
		break;
	case KDTLS_GATE_ACCEPT:
		c = server_client_new(server, from->key, from->key_len);
		if (!c) {
			kdtls_hello_free(v.hello);
			break;
		}
		server_client_hash(c);
		begin(c, v.hello, data, len, now);
		break;
	default:
		server->info.dropped++;
	}
}

/* Return true if this hello began @c, or the client that is to replace it. */
static bool is_known(const struct kdtls_client *c, uint64_t random)
{
	return random && (random == c->random ||
			  (c->next && random == c->next->random));
}

/*
 * The gate has let a hello in that comes from the address of @c. Return false if
 * it is the one that began @c, once more. @hello is freed.
 */
static bool begin_anew(struct kdtls_client *c, struct kdtls_hello *hello,
		       const uint8_t *data, size_t len, uint64_t now)
{
	struct kdtls_server *server = c->server;
	struct kdtls_client *n;

	if (is_known(c, random_id(kdtls_hello_random(hello)))) {
		kdtls_hello_free(hello);
		return false;
	}
	/* Half a handshake proves nothing that would have to stay. */
	if (c->next)
		server_client_drop(c->next);
	n = server_client_new(server, c->key, c->key_len);
	if (!n) {
		kdtls_hello_free(hello);
		return true;
	}
	if (c->stage == SERVED_OPEN) {
		n->old = c;
		c->next = n;
	} else {
		if (c->stage == SERVED_SHAKES)
			server_client_drop(c);
		server_client_hash(n);
	}
	begin(n, hello, data, len, now);
	return true;
}

/*
 * Take a piece of a hello. Return true if it was of another hello than that of @c.
 * A piece behind the first one shows that only with all other pieces.
 */
static bool take_hello(struct kdtls_client *c, const uint8_t *data, size_t len,
		       uint64_t now)
{
	struct kdtls_sender sender = address_sender(c->key, c->key_len);
	const uint8_t *random = hello_piece_random(data, len);
	struct kdtls_server *server = c->server;
	struct kdtls_verdict v;

	if (is_known(c, random_id(random)))
		return false;
	switch (kdtls_endpoint_gate(server->endpoint, &sender, data, len, now,
				    &v)) {
	case KDTLS_GATE_ACCEPT:
		return begin_anew(c, v.hello, data, len, now);
	case KDTLS_GATE_REPLY:
		server->info.replies++;
		server_out_datagram(server, c->key, c->key_len, v.reply,
				    v.reply_len);
		return true;
	default:
		return random;
	}
}

/* Give something to the engine of a client that shakes hands. */
static void shake(struct kdtls_client *c, const uint8_t *data, size_t len,
		  uint64_t now)
{
	kdtls_engine_input(c->owner.engine, data, len, NULL, now);
	server_client_settle(c, now);
}

void server_hello_client(struct kdtls_client *c, const uint8_t *data, size_t len,
			 uint64_t now)
{
	if (hello_piece_is(data, len) && take_hello(c, data, len, now))
		return;
	if (c->stage == SERVED_SHAKES) {
		kept_add(&c->owner, data, len);
		shake(c, data, len, now);
		return;
	}
	/* Whoever called has kept the records of the datagram for the next one. */
	if (c->next)
		shake(c->next, data, len, now);
	/* The shake may have ended @c. */
	if (c->stage == SERVED_OPEN)
		kdtls_engine_input(c->owner.engine, data, len, NULL, now);
}
