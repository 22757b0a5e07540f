// SPDX-License-Identifier: BSD-3-Clause
/* This file puts the pieces of ClientHellos together. See collect.h. */
#include <openssl/rand.h>

#include "collect.h"

bool dtls_collector_init(struct dtls_collector *c)
{
	unsigned int i;

	TAILQ_INIT(&c->all);
	for (i = 0; i < DTLS_COLLECT_SOURCES; i++)
		TAILQ_INIT(&c->source[i].list);
	return RAND_bytes((u8 *)&c->seed, sizeof(c->seed)) == 1;
}

/* The random begins and ends at these bytes in the body of a hello. */
#define RANDOM_OFFSET	2
#define RANDOM_END	(RANDOM_OFFSET + DTLS_RANDOM_SIZE)

/*
 * Return how many bytes an entry counts against the limits of its source and of
 * all sources.
 */
static size_t cost(const struct dtls_collected *one)
{
	return sizeof(*one) + one->address_len + one->hello.size;
}

static void drop_entry(struct dtls_collector *c, struct dtls_collected *one)
{
	c->held -= cost(one);
	one->source->held -= cost(one);
	TAILQ_REMOVE(&c->all, one, by_age);
	TAILQ_REMOVE(&one->source->list, one, by_source);
	dtls_incoming_clear(&one->hello);
	OPENSSL_free(one);
}

void dtls_collector_exit(struct dtls_collector *c)
{
	struct dtls_collected *one;

	/* An endpoint may fail before the collector is set up. */
	while (c->all.tqh_last && (one = TAILQ_FIRST(&c->all)))
		drop_entry(c, one);
}

static struct dtls_source *source_of(struct dtls_collector *c,
				     const struct dtls_sender *from)
{
	size_t i, len = from->source_len ? from->source_len :
					   from->address.len;
	u64 hash = c->seed;

	for (i = 0; i < len; i++)
		hash = (hash ^ from->address.p[i]) * 0x100000001b3ULL;
	hash ^= hash >> 32;
	return &c->source[(hash ^ hash >> 16) % DTLS_COLLECT_SOURCES];
}

static struct dtls_collected *find(const struct dtls_source *s,
				   struct dtls_bytes address)
{
	struct dtls_collected *one;

	TAILQ_FOREACH(one, &s->list, by_source)
		if (dtls_bytes_equal(address, one->address, one->address_len))
			return one;
	return NULL;
}

static struct dtls_collected *begin(struct dtls_collector *c,
				    struct dtls_source *s,
				    struct dtls_bytes address, u64 now)
{
	struct dtls_collected *one;

	one = OPENSSL_zalloc(sizeof(*one) + address.len);
	if (!one)
		return NULL;
	one->source = s;
	one->begun = now;
	one->address_len = (u8)address.len;
	if (address.len)
		memcpy(one->address, address.p, address.len);
	TAILQ_INSERT_TAIL(&c->all, one, by_age);
	TAILQ_INSERT_TAIL(&s->list, one, by_source);
	c->held += cost(one);
	s->held += cost(one);
	return one;
}

/*
 * Drop the oldest entries until the limits are kept. @one has just got a piece
 * and is not dropped.
 */
static void make_room(struct dtls_collector *c, struct dtls_collected *one)
{
	struct dtls_source *s = one->source;
	struct dtls_collected *oldest;

	while (s->held > DTLS_COLLECT_SOURCE) {
		oldest = TAILQ_FIRST(&s->list);
		if (oldest == one)
			oldest = TAILQ_NEXT(one, by_source);
		drop_entry(c, oldest);
	}
	while (c->held > DTLS_COLLECT_MAX) {
		oldest = TAILQ_FIRST(&c->all);
		if (oldest == one)
			oldest = TAILQ_NEXT(one, by_age);
		drop_entry(c, oldest);
	}
}

static void drop_old(struct dtls_collector *c, u64 now)
{
	struct dtls_collected *one;

	while ((one = TAILQ_FIRST(&c->all)) &&
	       now - one->begun > DTLS_COLLECT_LIFE)
		drop_entry(c, one);
}

/* Return true if the piece @f is of another hello than the one in @one. */
static bool is_other(const struct dtls_collected *one,
		     const struct dtls_fragment *f)
{
	if (one->finished && !f->offset && f->body.len >= RANDOM_END &&
	    memcmp(f->body.p + RANDOM_OFFSET, one->random, DTLS_RANDOM_SIZE))
		return true;
	return one->hello.len && dtls_incoming_contradicts(&one->hello, f);
}

struct dtls_collected *dtls_collector_add(struct dtls_collector *c,
					  const struct dtls_sender *from,
					  const struct dtls_fragment *f,
					  u64 now)
{
	struct dtls_source *s = source_of(c, from);
	struct dtls_collected *one;
	size_t before;

	if (f->length > DTLS_COLLECT_HELLO)
		return NULL;
	drop_old(c, now);
	one = find(s, from->address);
	if (one && is_other(one, f)) {
		drop_entry(c, one);
		one = NULL;
	}
	if (!one)
		one = begin(c, s, from->address, now);
	if (!one)
		return NULL;
	before = one->hello.size;
	dtls_incoming_add(&one->hello, f, DTLS_COLLECT_SOURCE - cost(one));
	c->held += one->hello.size - before;
	s->held += one->hello.size - before;
	make_room(c, one);
	return one->hello.data ? one : NULL;
}

void dtls_collector_finish(struct dtls_collector *c, struct dtls_collected *one)
{
	size_t size = one->hello.size;

	if (one->hello.len >= DTLS_MESSAGE_HEADER + RANDOM_END) {
		memcpy(one->random,
		       one->hello.data + DTLS_MESSAGE_HEADER + RANDOM_OFFSET,
		       DTLS_RANDOM_SIZE);
		one->finished = true;
	}
	dtls_incoming_clear(&one->hello);
	c->held -= size;
	one->source->held -= size;
}
