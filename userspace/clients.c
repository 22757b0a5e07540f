// SPDX-License-Identifier: BSD-3-Clause
/* A listener's peers by their address; see listener.h. */
#include "listener.h"
#include <openssl/rand.h>

bool clients_init(struct clients *c, size_t max)
{
	c->buckets = max / 2 + 1;
	c->table = OPENSSL_zalloc(c->buckets * sizeof(*c->table));
	return c->table &&
	       RAND_bytes((uint8_t *)&c->seed, sizeof(c->seed)) == 1;
}

void clients_exit(struct clients *c)
{
	OPENSSL_free(c->table);
	c->table = NULL;
}

static struct client_list *bucket(const struct clients *c, const uint8_t *key,
				  size_t len)
{
	uint64_t hash = c->seed;

	while (len--)
		hash = (hash ^ *key++) * 0x100000001b3;
	return &c->table[(hash ^ hash >> 32) % c->buckets];
}

void clients_add(struct clients *c, struct kdtls_socket *s)
{
	LIST_INSERT_HEAD(bucket(c, s->key, s->key_len), s, hash);
	s->hashed = true;
}

void clients_remove(struct kdtls_socket *s)
{
	if (s->hashed)
		LIST_REMOVE(s, hash);
	s->hashed = false;
}

struct kdtls_socket *clients_find(const struct clients *c, const uint8_t *key,
				  size_t len)
{
	struct kdtls_socket *s;

	LIST_FOREACH(s, bucket(c, key, len), hash)
		if (s->key_len == len && !memcmp(s->key, key, len))
			return s;
	return NULL;
}

struct kdtls_socket *clients_first(const struct clients *c)
{
	size_t i;

	for (i = 0; c->table && i < c->buckets; i++)
		if (!LIST_EMPTY(&c->table[i]))
			return LIST_FIRST(&c->table[i]);
	return NULL;
}
