// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file decides which clients may come to a server, and which have to go for
 * that; see kdtls/server.h.
 *
 * A client has a place from the end of its handshake on, so that who never finishes one
 * takes nobody's place, however few places are left. A client that starts anew takes the
 * place of the one that it replaces.
 *
 * A stranger who proves an address and then is silent holds memory for as long as a
 * handshake may take. So the oldest handshakes make room for new ones, and no source
 * has more than its share of the handshakes, so that an honest client of another
 * source gets in.
 *
 * Who has a ticket can begin a handshake from a false address. So handshakes of addresses
 * that are not proven make room first, take nobody's room, and never take the last eighth:
 * where few handshakes are missing to a limit, the next one would end such a handshake that
 * has just begun. A client that is refused so has spent its ticket, and its next hello gets
 * a cookie.
 */
#include "server_object.h"
#include <errno.h>

/*
 * Handshakes may take HELD_EACH KiB on average, as one with certificates of usual length
 * does, and all of them HELD_MORE KiB in addition. HELD_BASE KiB of each are for what
 * owner_held() does not count: the client, its engine, and objects of libcrypto. By default
 * the handshakes of one source take less than 20 MB so.
 */
#define HELD_EACH	9ULL
#define HELD_MORE	1024ULL
#define HELD_BASE	5

void server_limits_init(struct shaking *s)
{
	TAILQ_INIT(&s->unproven);
	TAILQ_INIT(&s->proven);
}

struct kdtls_client *server_limits_first(const struct shaking *s)
{
	struct kdtls_client *c = TAILQ_FIRST(&s->unproven);

	return c ? c : TAILQ_FIRST(&s->proven);
}

/* Return the list of @s that @c is in, or is to be in. */
static struct server_list *list_of(struct shaking *s,
				   const struct kdtls_client *c)
{
	return c->proven ? &s->proven : &s->unproven;
}

/* Return the source whose addresses begin with @key, or NULL. */
static struct source *find(const struct kdtls_server *server, uint32_t hash,
			   const uint8_t *key, size_t len)
{
	struct table_link *link = NULL;

	while ((link = table_next(&server->sources, hash, link))) {
		struct source *s = (struct source *)link;

		if (s->len == len && !memcmp(s->key, key, len))
			return s;
	}
	return NULL;
}

_Static_assert(!offsetof(struct source, link), "a link is its source");

/*
 * Return the source of an address, which is made if it has no client yet; or NULL if
 * there is no memory.
 */
static struct source *get_source(struct kdtls_server *server,
				 const uint8_t *key, size_t key_len)
{
	size_t len = address_sender(key, key_len).source_len;
	uint32_t hash = table_hash(&server->sources, key, len);
	struct source *s = find(server, hash, key, len);

	if (s)
		return s;
	s = OPENSSL_zalloc(sizeof(*s));
	if (!s)
		return NULL;
	server_limits_init(&s->half_open);
	s->len = (uint8_t)len;
	memcpy(s->key, key, len);
	table_add(&server->sources, &s->link, hash);
	return s;
}

/* Free @s if it has no clients. */
static void put_source(struct kdtls_server *server, struct source *s)
{
	if (s->clients)
		return;
	table_remove(&server->sources, &s->link);
	OPENSSL_free(s);
}

/* Count @c no more as a client of its source, if it has one. */
static void leave_source(struct kdtls_client *c)
{
	struct source *s = c->source;

	if (!s)
		return;
	c->source = NULL;
	s->clients--;
	put_source(c->server, s);
}

/*
 * Return the client whose handshake has to end for the handshake of @c: the first of its
 * source if the limit of that is reached, else the first of all. Return NULL if no handshake
 * goes on, or none that @c may end.
 */
static struct kdtls_client *find_victim(const struct kdtls_client *c)
{
	const struct kdtls_server_options *o = &c->server->options;
	const struct source *s = c->source;

	if (!c->proven)
		return NULL;
	if (s->half_open_count >= o->max_half_open_source)
		return server_limits_first(&s->half_open);
	return server_limits_first(&c->server->shaking);
}

/* Return how many handshakes there may be before @c begins one, of @max that there may be. */
static uint32_t room_of(const struct kdtls_client *c, uint32_t max)
{
	return c->proven ? max : max - max / 8;
}

/* Return true if so many handshakes go on that there is no room for one of @c. */
static bool is_full(const struct kdtls_client *c)
{
	const struct kdtls_server_options *o = &c->server->options;

	return c->source->half_open_count >= room_of(c, o->max_half_open_source) ||
	       c->server->info.half_open >= room_of(c, o->max_half_open);
}

/* End handshakes until there is room for one of @c. Return false if none is to end. */
static bool make_room(struct kdtls_client *c)
{
	struct kdtls_client *victim;

	while (is_full(c)) {
		victim = find_victim(c);
		if (!victim)
			return false;
		c->server->info.limited++;
		server_client_end(victim, -ENOBUFS);
	}
	return true;
}

bool server_limits_has_place(const struct kdtls_client *c)
{
	const struct kdtls_server_options *o = &c->server->options;
	const struct kdtls_server_info *i = &c->server->info;
	const struct source *s = c->source;

	/* A client that was peeled off has no place. */
	if (c->old && c->old->stage == SERVED_OPEN)
		return true;
	return i->clients - i->half_open < o->max_clients &&
	       s->clients - s->half_open_count < o->max_clients_source;
}

bool server_limits_begin(struct kdtls_client *c)
{
	struct kdtls_server *server = c->server;
	struct source *s = get_source(server, c->key, c->key_len);
	bool has_place;

	if (!s)
		return false;
	c->source = s;
	has_place = server_limits_has_place(c);
	/* The count keeps @s when the last other client of @s ends in make_room(). */
	s->clients++;
	if (!has_place || !make_room(c)) {
		leave_source(c);
		return false;
	}
	s->half_open_count++;
	TAILQ_INSERT_TAIL(list_of(&s->half_open, c), c, near);
	TAILQ_INSERT_TAIL(list_of(&server->shaking, c), c, list);
	server->info.clients++;
	server->info.half_open++;
	return true;
}

/*
 * Return the client whose handshake has to end for what the handshakes take: the first of
 * the source @s if those of @s take more than half of what all may take, or the first of all
 * if all take too much. Return NULL if nobody has to go.
 */
static struct kdtls_client *find_holder(const struct kdtls_server *server,
					const struct source *s)
{
	uint64_t max = HELD_EACH * server->options.max_half_open + HELD_MORE;

	if (s->held > max / 2)
		return server_limits_first(&s->half_open);
	return server->held > max ? server_limits_first(&server->shaking) : NULL;
}

/* Count @held KiB for the handshake of @c, and no longer what was counted before. */
static void set_held(struct kdtls_client *c, uint16_t held)
{
	c->server->held -= c->owner->held;
	c->source->held -= c->owner->held;
	c->owner->held = held;
	c->server->held += held;
	c->source->held += held;
}

void server_limits_held(struct kdtls_client *c)
{
	size_t held = HELD_BASE + (owner_held(c->owner) + 1023) / 1024;
	struct kdtls_client *holder;

	set_held(c, (uint16_t)(held < UINT16_MAX ? held : UINT16_MAX));
	while (c->stage == SERVED_SHAKES &&
	       (holder = find_holder(c->server, c->source))) {
		c->server->info.limited++;
		server_client_end(holder, -ENOBUFS);
	}
}

void server_limits_proven(struct kdtls_client *c, uint64_t now)
{
	TAILQ_REMOVE(list_of(&c->source->half_open, c), c, near);
	TAILQ_REMOVE(list_of(&c->server->shaking, c), c, list);
	c->proven = now;
	TAILQ_INSERT_TAIL(list_of(&c->source->half_open, c), c, near);
	TAILQ_INSERT_TAIL(list_of(&c->server->shaking, c), c, list);
}

void server_limits_shaken(struct kdtls_client *c)
{
	const struct kdtls_server_options *o = &c->server->options;

	TAILQ_REMOVE(list_of(&c->source->half_open, c), c, near);
	TAILQ_REMOVE(list_of(&c->server->shaking, c), c, list);
	c->source->half_open_count--;
	c->server->info.half_open--;
	set_held(c, 0);
	/* A source that may have all clients need not be known any more. */
	if (o->max_clients_source >= o->max_clients)
		leave_source(c);
}

void server_limits_end(struct kdtls_client *c)
{
	c->server->info.clients--;
	leave_source(c);
}
