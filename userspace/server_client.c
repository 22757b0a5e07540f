// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file has what is done for one client of a server: its handshake, its keys,
 * its end; see server_object.h.
 *
 * A client leaves every table, and every list but the news, when its association
 * ends. struct kdtls_client stays until the next kdtls_server_recv() after the one
 * that told the program of the end.
 */
#include "server_object.h"
#include <errno.h>

/*
 * A round ends when so many clients wait to be freed. One client that starts anew again and
 * again leaves that many handshakes behind, which no limit of handshakes counts any more.
 */
#define GONE_MAX	64

/* ---- life ---- */

/* Return the bytes of a client whose key has @key_len bytes. */
static size_t client_size(size_t key_len)
{
	return offsetof(struct kdtls_client, key) + key_len;
}

/* Wipe and free @c, which is in no list and no table of addresses any more. */
static void client_free(struct kdtls_client *c)
{
	size_t size = client_size(c->key_len);

	server_in_forget(c);
	server_cids_free(c);
	server_client_path(c)->free(c);
	OPENSSL_clear_free(c, size);
}

int server_client_begin(struct kdtls_client *c)
{
	c->own.ops = &server_client_path(c)->owner;
	return owner_init(&c->own, c->server->endpoint, KDTLS_SERVER, c->key,
			  c->key_len);
}

void server_client_free_own(struct kdtls_client *c)
{
	owner_exit(&c->own);
}

struct kdtls_client *server_client_new(struct kdtls_server *server,
				       const uint8_t *key, size_t key_len,
				       uint64_t proven, struct kdtls_client *old)
{
	struct kdtls_endpoint *ep = server->endpoint;
	struct kdtls_client *c = NULL;

	/* The client's hello comes again. An alert would end the client for good. */
	if (ep->handshakes < ep->config.max_handshakes)
		c = OPENSSL_zalloc(client_size(key_len));
	if (!c) {
		server->info.limited++;
		return NULL;
	}
	c->owner = &c->own;
	c->server = server;
	c->data = server->options.data;
	c->since = driver_now();
	c->proven = proven;
	c->old = old;
	c->key_len = (uint8_t)key_len;
	memcpy(c->key, key, key_len);
	if (server_client_path(c)->begin(c)) {
		server->info.limited++;
		OPENSSL_free(c);
		return NULL;
	}
	if (!server_limits_begin(c)) {
		server->info.limited++;
		client_free(c);
		return NULL;
	}
	if (old)
		old->next = c;
	server_cids_first(c);
	return c;
}

struct kdtls_client *server_client_find(const struct kdtls_server *server,
					const uint8_t *key, size_t key_len)
{
	uint32_t hash = table_hash(&server->addresses, key, key_len);
	struct table_link *link = NULL;
	struct kdtls_client *c;

	while ((link = table_next(&server->addresses, hash, link))) {
		c = (struct kdtls_client *)((char *)link -
			offsetof(struct kdtls_client, by_address));
		if (c->key_len == key_len && !memcmp(c->key, key, key_len))
			return c;
	}
	return NULL;
}

void server_client_hash(struct kdtls_client *c)
{
	struct table *t = &c->server->addresses;

	table_add(t, &c->by_address, table_hash(t, c->key, c->key_len));
	c->hashed = true;
}

/*
 * Take @c out of every table, and out of every list but the news. A client that was
 * to replace @c has the address for itself from then on.
 */
static void leave(struct kdtls_client *c)
{
	struct kdtls_server *server = c->server;

	if (c->hashed)
		table_remove(&server->addresses, &c->by_address);
	c->hashed = false;
	if (c->next) {
		c->next->old = NULL;
		server_client_hash(c->next);
	}
	c->next = NULL;
	if (c->old)
		c->old->next = NULL;
	c->old = NULL;
	if (server->leaving == c)
		server->leaving = NULL;
	timers_set(&server->timers, &c->timed, KDTLS_NEVER);
	server_client_path(c)->end(c);
	server_cids_free(c);
	if (c->stage == SERVED_SHAKES)
		server_limits_shaken(c);
	else if (c->stage == SERVED_OPEN)
		TAILQ_REMOVE(&server->open, c, list);
	else
		TAILQ_REMOVE(&server->peeled, c, list);
	if (c->stage != SERVED_PEELED)
		server_limits_end(c);
	c->stage = SERVED_GONE;
}

void server_client_peel(struct kdtls_client *c)
{
	struct kdtls_server *server = c->server;

	timers_set(&server->timers, &c->timed, KDTLS_NEVER);
	server_client_hush(c);
	TAILQ_REMOVE(&server->open, c, list);
	TAILQ_INSERT_TAIL(&server->peeled, c, list);
	server_limits_end(c);
	c->stage = SERVED_PEELED;
	server->info.peeled++;
}

void server_client_news(struct kdtls_client *c)
{
	if (c->listed)
		return;
	TAILQ_INSERT_TAIL(&c->server->news, c, near);
	c->listed = true;
}

void server_client_hush(struct kdtls_client *c)
{
	if (c->listed)
		TAILQ_REMOVE(&c->server->news, c, near);
	c->listed = false;
}

void server_client_end(struct kdtls_client *c, int error)
{
	if (c->opened)
		c->server->info.closed++;
	else
		c->server->info.refused++;
	leave(c);
	c->error = error;
	server_client_news(c);
}

void server_client_drop(struct kdtls_client *c)
{
	if (c->stage != SERVED_GONE)
		leave(c);
	server_client_hush(c);
	TAILQ_INSERT_TAIL(&c->server->gone, c, list);
	c->server->gone_count++;
}

void server_client_goodbye(struct kdtls_client *c)
{
	c->goodbye = true;
	server_client_news(c);
}

void server_client_reap(struct kdtls_server *server)
{
	struct kdtls_client *c = server->leaving;

	if (c)
		kdtls_client_close(c);
	while ((c = TAILQ_FIRST(&server->gone))) {
		TAILQ_REMOVE(&server->gone, c, list);
		client_free(c);
	}
	server->gone_count = 0;
}

bool server_client_reap_due(const struct kdtls_server *server)
{
	return server->gone_count >= GONE_MAX;
}

/* ---- the engine ---- */

/*
 * Send all datagrams and records that the engine hands out, without waiting. One
 * that the socket has no room for is lost, and the engine will send it again if it
 * matters, as any datagram can be lost.
 */
static void flush(struct kdtls_client *c, uint64_t now)
{
	struct kdtls_engine *e = c->owner->engine;
	uint8_t *buf = scratch_take(c->owner->endpoint);
	struct dtls_record_number number;
	struct dtls_record_info info;
	struct kdtls_info state;
	ssize_t n;
	long len;

	while (buf && (len = kdtls_engine_output(e, buf, DATAGRAM_MAX, &info,
						 now)) > 0) {
		if (info.flags & DTLS_RECORD_RAW) {
			n = server_out_datagram(c->server, c->key, c->key_len,
						buf, len);
		} else {
			n = server_client_path(c)->send(c, &info, buf, len,
							&number);
			OPENSSL_cleanse(buf, len);
			kdtls_engine_sent(e, &number);
		}
		/*
		 * The datagram is too long for the path, so the next ones are
		 * cut shorter. The engine sends this one's content again.
		 */
		if (n == -EMSGSIZE) {
			kdtls_engine_info(e, &state);
			kdtls_engine_set_mtu(e, state.mtu - state.mtu / 4);
		}
	}
	scratch_give(c->owner->endpoint, buf);
}

/*
 * Return the negative error of an engine that has failed: the driver's own reason if
 * one of its callbacks has ended the handshake, or else the engine's.
 */
static int reason(const struct kdtls_client *c)
{
	struct kdtls_failure f;

	kdtls_engine_failure(c->owner->engine, &f);
	return f.error == KDTLS_ECALLBACK && c->owner->why ? c->owner->why :
							   -f.error;
}

int server_client_succeed(struct kdtls_client *c)
{
	struct kdtls_client *old = c->old;

	if (!server_limits_has_place(c)) {
		c->server->info.limited++;
		return -ENOBUFS;
	}
	if (!old)
		return 0;
	c->server->info.restarted++;
	if (server_client_path(old)->retire)
		server_client_path(old)->retire(c);
	if (old->stage == SERVED_PEELED)
		server_client_drop(old);
	else
		server_client_end(old, -KDTLS_ERESTARTED);
	return 0;
}

/* Note that the handshake of @c is done, which the program will be told. */
static void open_client(struct kdtls_client *c, uint64_t now)
{
	struct kdtls_server *server = c->server;
	struct kdtls_info info;

	server_limits_shaken(c);
	c->stage = SERVED_OPEN;
	c->opened = true;
	c->since = now;
	TAILQ_INSERT_TAIL(&server->open, c, list);
	server->info.established++;
	kdtls_engine_info(c->owner->engine, &info);
	if (!info.cid_rx_len)
		server_cids_free(c);
	server_client_news(c);
}

void server_client_heard(struct kdtls_client *c, uint64_t when)
{
	c->since = when;
	TAILQ_REMOVE(&c->server->open, c, list);
	TAILQ_INSERT_TAIL(&c->server->open, c, list);
}

/*
 * Return the end of the time that the handshake of @c may take, or the time at which @c is
 * idle for too long.
 */
static uint64_t end_of_patience(const struct kdtls_client *c)
{
	const struct kdtls_server_options *o = &c->server->options;

	if (c->stage == SERVED_SHAKES)
		return c->since + 1000ULL * o->handshake_timeout;
	if (c->stage == SERVED_OPEN && o->idle_timeout)
		return c->since + 1000ULL * o->idle_timeout;
	return KDTLS_NEVER;
}

/*
 * Set the timer of @c to when its engine has something to do, or to the end of the
 * server's patience. A record that comes later does not set the timer anew, which finds out
 * about the record when it is due.
 */
static void set_timer(struct kdtls_client *c)
{
	uint64_t when = kdtls_engine_expiry(c->owner->engine);
	uint64_t end = end_of_patience(c);

	/* The program attends to a socket of its own. */
	if (server_client_socket(c) && c->opened)
		when = KDTLS_NEVER;
	if (when > end)
		when = end;
	if (!c->timed.set || c->timed.when != when)
		timers_set(&c->server->timers, &c->timed, when);
}

void server_client_settle(struct kdtls_client *c, uint64_t now)
{
	flush(c, now);
	switch (kdtls_engine_state(c->owner->engine)) {
	case KDTLS_FAILED:
		server_client_end(c, reason(c));
		return;
	case KDTLS_CLOSED:
		server_client_end(c, c->opened ? 0 : -KDTLS_ECLOSED);
		return;
	case KDTLS_ESTABLISHED:
		if (c->stage == SERVED_SHAKES)
			open_client(c, now);
		break;
	default:
		if (!c->proven && dtls_state_proven(c->owner->engine))
			server_limits_proven(c, now);
		server_limits_held(c);
		break;
	}
	if (c->stage != SERVED_GONE)
		set_timer(c);
}

void server_client_keep(struct kdtls_client *c, const uint8_t *data, size_t len)
{
	struct kdtls_client *next = c->next;

	if (!next)
		return;
	kept_add(next->owner, data, len);
	server_limits_held(next);
}

/*
 * Let the record layer of @c tell of records that it gave nobody. What comes behind a
 * goodbye does not count.
 */
static void ask_heard(struct kdtls_client *c)
{
	uint64_t heard = 0;

	if (c->server->path->heard && !c->goodbye)
		heard = c->server->path->heard(c);
	if (heard > c->since)
		server_client_heard(c, heard);
}

void server_client_expire(struct kdtls_client *c, uint64_t now)
{
	struct dtls_record_info info;

	if (c->stage == SERVED_OPEN && end_of_patience(c) <= now)
		ask_heard(c);
	if (end_of_patience(c) <= now) {
		if (c->stage == SERVED_OPEN)
			server_client_dismiss(c, -ETIMEDOUT, now);
		else
			server_client_end(c, -ETIMEDOUT);
		return;
	}
	while (user_records_event(&c->owner->user, &info))
		kdtls_engine_input(c->owner->engine, NULL, 0, &info, now);
	kdtls_engine_expire(c->owner->engine, now);
	server_client_settle(c, now);
	/*
	 * The timer of one client runs once in a round, so that an engine with a
	 * timer in the past cannot keep the round from ending.
	 */
	if (c->timed.set && c->timed.when <= now)
		timers_set(&c->server->timers, &c->timed, now + 1);
}

void server_client_dismiss(struct kdtls_client *c, int error, uint64_t now)
{
	kdtls_engine_close(c->owner->engine);
	flush(c, now);
	server_client_end(c, error);
}

/* ---- the interface ---- */

void kdtls_client_close(struct kdtls_client *client)
{
	struct kdtls_client *c = client;

	if (c->stage == SERVED_PEELED)
		return;
	if (c->stage != SERVED_GONE) {
		kdtls_engine_close(c->owner->engine);
		flush(c, driver_now());
		c->server->info.closed += c->opened;
		server_client_drop(c);
	} else if (c->listed) {
		server_client_drop(c);
	}
}

void kdtls_client_address(const struct kdtls_client *client,
			  struct sockaddr *address, socklen_t *len)
{
	struct stranger s;

	address_of_key(client->key, client->key_len, &s);
	memcpy(address, &s.peer, *len < s.len ? *len : s.len);
	*len = s.len;
}

size_t kdtls_client_payload(const struct kdtls_client *client)
{
	struct kdtls_info info;
	size_t room;

	kdtls_engine_info(client->owner->engine, &info);
	if (!client->opened)
		return 0;
	room = info.mtu > client->overhead ? info.mtu - client->overhead : 0;
	return room < info.peer_record_limit ? room : info.peer_record_limit;
}

struct kdtls_engine *kdtls_client_engine(struct kdtls_client *client)
{
	if (client->stage == SERVED_OPEN)
		timers_set(&client->server->timers, &client->timed, 0);
	return client->owner->engine;
}

void *kdtls_client_data(const struct kdtls_client *client)
{
	return client->data;
}

void kdtls_client_set_data(struct kdtls_client *client, void *data)
{
	client->data = data;
}
