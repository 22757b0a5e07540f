/* SPDX-License-Identifier: BSD-3-Clause */
/* A cache keeps sessions of a server under their ids (RFC 5246 7.3). */
#ifndef _DTLS_CACHE_H
#define _DTLS_CACHE_H

#include "session.h"

/**
 * struct dtls_cache - sessions by id
 * @entry:	the places, each with a session as bytes, or empty
 * @size:	number of places
 *
 * There is one place for each value of a hash of the id. A newer session
 * replaces an older one with the same value, so old sessions need no other
 * clean-up.
 */
struct dtls_cache {
	struct dtls_writer *entry;
	size_t size;
};

/*
 * Make a cache of @size places. With 0 places nothing is ever kept. Return
 * false if there is no memory.
 */
bool dtls_cache_init(struct dtls_cache *c, size_t size);

/* Wipe and free every session, and the places. @c may be zeroed. */
void dtls_cache_exit(struct dtls_cache *c);

/*
 * Keep a copy of the session @s by its id. If there is no memory, or the id
 * does not have DTLS_SESSION_ID_SIZE bytes, nothing is kept.
 */
void dtls_cache_add(struct dtls_cache *c, const struct dtls_session *s);

/*
 * Find the session with this id. Return false if there is none. @s points into
 * the cache, until the cache is changed.
 */
bool dtls_cache_find(const struct dtls_cache *c, struct dtls_bytes id,
		     struct dtls_session *s);

/*
 * Drop the session with the id @id. A session that a fatal alert ended must not
 * be resumed (RFC 5246 7.2.2).
 */
void dtls_cache_remove(struct dtls_cache *c, struct dtls_bytes id);

#endif /* _DTLS_CACHE_H */
