// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file lets clients in: strangers, and clients that have lost their state and
 * start anew on their address (RFC 6347 4.2.8); see server_object.h.
 *
 * A client whose handshake is done stays until the new handshake from its address
 * is done, too. Until the Finished of the new handshake is verified, the hello may
 * be one that somebody has recorded and sends again. The server has two clients at
 * one address until then, and a record belongs to the client whose keys open it.
 */
#include "hello_piece.h"
#include "server_object.h"

/*
 * Return the first eight bytes of the random of a hello, which tell this hello from
 * others; or 0 if @random is NULL.
 */
static uint64_t random_id(const uint8_t *random)
{
	return random ? dtls_get_be(random, 8) : 0;
}

/*
 * Begin the handshake of a client whose hello the gate has accepted. Protected
 * records behind the hello in the datagram at @data are kept until their key is
 * there. @hello is freed.
 */
static void begin(struct kdtls_client *c, struct kdtls_hello *hello,
		  const uint8_t *data, size_t len, uint64_t now)
{
	c->random = random_id(kdtls_hello_random(hello));
	kept_add(c->owner, data, len);
	kdtls_engine_accept(c->owner->engine, hello, now);
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
		c = server_client_new(server, from->key, from->key_len,
				      kdtls_hello_proven(v.hello), NULL);
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

/* Return true if the handshake of @c is done, and its association has not ended. */
static bool is_established(const struct kdtls_client *c)
{
	return c->stage == SERVED_OPEN || c->stage == SERVED_PEELED;
}

/* Return true if this hello began @c, or the client that is to replace it. */
static bool is_known(const struct kdtls_client *c, uint64_t random)
{
	return random && (random == c->random ||
			  (c->next && random == c->next->random));
}

/*
 * Return true if a hello that has proven its address at the time @proven may not end the
 * handshake of @c, or of the client that is to replace @c. Such a hello is a late copy, if
 * its cookie is older than that of the handshake's own hello. Without a cookie anybody may
 * have sent it from there; if the client itself has, its ticket is spent now, and its next
 * hello gets a cookie.
 */
static bool is_outdated(const struct kdtls_client *c, uint64_t proven)
{
	const struct kdtls_client *shakes = c->next ? c->next : c;

	return shakes->stage == SERVED_SHAKES &&
	       (!proven || proven < shakes->proven);
}

/*
 * Begin the handshake of a client with the address of @c, whose hello the gate has
 * accepted, unless the hello is outdated, or too many clients wait to be freed. Return false
 * if it is a retransmission of the hello that began @c, or the client that is to replace @c,
 * after which nothing has changed. @hello is freed.
 */
static bool begin_anew(struct kdtls_client *c, struct kdtls_hello *hello,
		       const uint8_t *data, size_t len, uint64_t now)
{
	uint64_t proven = kdtls_hello_proven(hello);
	struct kdtls_server *server = c->server;
	struct kdtls_client *old = is_established(c) ? c : NULL, *n;

	if (is_known(c, random_id(kdtls_hello_random(hello)))) {
		kdtls_hello_free(hello);
		return false;
	}
	/* A socket of a client may take many datagrams before the next kdtls_server_recv(). */
	if (is_outdated(c, proven) || server_client_reap_due(server)) {
		server->info.dropped++;
		kdtls_hello_free(hello);
		return true;
	}
	/*
	 * The latest hello wins among clients that have not finished a handshake:
	 * the client may have been restarted once more. What it replaces makes room for
	 * it, and for a limit that is reached no handshake of others ends.
	 */
	if (c->next)
		server_client_drop(c->next);
	else if (c->stage == SERVED_SHAKES)
		server_client_drop(c);
	n = server_client_new(server, c->key, c->key_len, proven, old);
	if (!n) {
		kdtls_hello_free(hello);
		return true;
	}
	if (!old)
		server_client_hash(n);
	else if (server_client_path(n)->beside)
		server_client_path(n)->beside(n);
	begin(n, hello, data, len, now);
	return true;
}

/*
 * Give the gate a piece of a hello that came from the address of @c. Return false if
 * the piece may be of the hello that began @c, so that the engine of @c has to have
 * it. Only the first piece has the random that tells; of another piece it is known
 * when the gate has put the hello together.
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

/* Give a datagram to the engine of @c, whose handshake goes on. */
static void shake(struct kdtls_client *c, const uint8_t *data, size_t len,
		  uint64_t now)
{
	kdtls_engine_input(c->owner->engine, data, len, NULL, now);
	server_client_settle(c, now);
}

void server_hello_client(struct kdtls_client *c, const uint8_t *data, size_t len,
			 uint64_t now)
{
	if (hello_piece_is(data, len) && take_hello(c, data, len, now))
		return;
	if (c->stage == SERVED_SHAKES) {
		kept_add(c->owner, data, len);
		shake(c, data, len, now);
		return;
	}
	/*
	 * The caller has kept the whole datagram for c->next: records in it may be
	 * under keys that the handshake is about to yield.
	 */
	if (c->next)
		shake(c->next, data, len, now);
	/* shake() has ended @c if the handshake of c->next is done now. */
	if (is_established(c))
		kdtls_engine_input(c->owner->engine, data, len, NULL, now);
}
