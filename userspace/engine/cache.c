// SPDX-License-Identifier: BSD-3-Clause
/* This file keeps sessions of DTLS 1.2 by their ids. See cache.h. */
#include "cache.h"

bool dtls_cache_init(struct dtls_cache *c, size_t size)
{
	/* There is no memory of so many bytes that size_t cannot count them. */
	if (size > SIZE_MAX / sizeof(*c->entry))
		return false;
	c->size = size;
	if (size)
		c->entry = OPENSSL_zalloc(size * sizeof(*c->entry));
	return !size || c->entry;
}

void dtls_cache_exit(struct dtls_cache *c)
{
	size_t i;

	for (i = 0; c->entry && i < c->size; i++)
		wr_free(&c->entry[i]);
	OPENSSL_free(c->entry);
	memset(c, 0, sizeof(*c));
}

/*
 * Return the place of a session id. Ids are random, so some bytes of an id
 * serve as its hash.
 */
static struct dtls_writer *entry_of(const struct dtls_cache *c,
				    struct dtls_bytes id)
{
	if (!c->size || id.len != DTLS_SESSION_ID_SIZE)
		return NULL;
	return &c->entry[dtls_get_be(id.p, 8) % c->size];
}

void dtls_cache_add(struct dtls_cache *c, const struct dtls_session *s)
{
	struct dtls_writer *entry = entry_of(c, s->id);

	if (!entry)
		return;
	wr_free(entry);
	dtls_session_write(s, entry);
	if (entry->failed)
		wr_free(entry);
}

bool dtls_cache_find(const struct dtls_cache *c, struct dtls_bytes id,
		     struct dtls_session *s)
{
	struct dtls_writer *entry = entry_of(c, id);

	return entry && entry->p &&
	       dtls_session_read(s, (struct dtls_bytes){ entry->p,
				 entry->len }) &&
	       s->id.len == id.len && !CRYPTO_memcmp(s->id.p, id.p, id.len);
}

void dtls_cache_remove(struct dtls_cache *c, struct dtls_bytes id)
{
	struct dtls_session s;

	if (dtls_cache_find(c, id, &s))
		wr_free(entry_of(c, id));
	OPENSSL_cleanse(&s, sizeof(s));
}
