/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A collector puts together ClientHellos that strangers send in pieces. A
 * cookie of DTLS 1.3 holds the hash of the whole first hello (RFC 9147 5.1),
 * and the cookie of a second hello may be in any of its pieces. So the pieces
 * must be put together before the sender's address is proven.
 *
 * A piece takes the memory of its bytes and of one entry. All pieces together
 * take DTLS_COLLECT_MAX bytes at most, those of one source DTLS_COLLECT_SOURCE.
 * A new piece displaces the oldest ones of the same source, and then the oldest
 * ones of all. So a flood from one source displaces only its own pieces, and a
 * flood from spoofed addresses must bring more than a thousand pieces between
 * two pieces of an honest hello to displace it.
 *
 * An entry outlives the hello that was put together in it, and keeps the
 * hello's random. A piece that is received twice may come after its hello is
 * complete. It waits in the entry, and the kept random tells it from the first
 * piece of the sender's next hello, which has another random.
 */
#ifndef _DTLS_COLLECT_H
#define _DTLS_COLLECT_H

#include <sys/queue.h>

#include "crypto.h"
#include "incoming.h"

#define DTLS_ADDRESS_MAX	64
#define DTLS_COLLECT_HELLO	16384	/* most bytes of one hello */
#define DTLS_COLLECT_MAX	(256 * 1024)
#define DTLS_COLLECT_SOURCE	(DTLS_COLLECT_MAX / 8)
#define DTLS_COLLECT_SOURCES	64	/* values of the hash of a source, a power of two */
#define DTLS_COLLECT_LIFE	10000000 /* µs that an entry lives, from its first piece on */

_Static_assert(DTLS_COLLECT_HELLO < DTLS_COLLECT_SOURCE,
	       "a hello has room within its source's share");

TAILQ_HEAD(dtls_collected_list, dtls_collected);

/**
 * struct dtls_sender - the sender of a datagram
 * @address:	the sender's address as bytes
 * @source_len:	bytes at the front of @address whose senders share one limit;
 *		0: all
 */
struct dtls_sender {
	struct dtls_bytes address;
	size_t source_len;
};

/**
 * struct dtls_collected - an entry: a hello of which a piece has come
 * @by_age:	node in dtls_collector.all
 * @by_source:	node in dtls_source.list
 * @source:	the source that the memory of the hello is counted for
 * @begun:	when the first piece came, in microseconds
 * @hello:	the pieces that have come
 * @finished:	a hello was put together in this entry before, and @random is
 *		set
 * @random:	the random of the hello that was put together before
 * @address_len: bytes of @address
 * @address:	address of the hello's sender
 */
struct dtls_collected {
	TAILQ_ENTRY(dtls_collected) by_age;
	TAILQ_ENTRY(dtls_collected) by_source;
	struct dtls_source *source;
	u64 begun;
	struct dtls_incoming hello;
	bool finished;
	u8 random[DTLS_RANDOM_SIZE];
	u8 address_len;
	u8 address[];
};

/**
 * struct dtls_source - the sources whose addresses have the same hash
 * @list:	the hellos of the sources with this hash, the oldest first
 * @held:	bytes of memory of the hellos in @list
 */
struct dtls_source {
	struct dtls_collected_list list;
	size_t held;
};

/**
 * struct dtls_collector - the hellos of which a piece has come
 * @source:	the hellos by source
 * @all:	all hellos, the oldest first
 * @held:	bytes of memory of all hellos
 * @seed:	a random number that makes the hash of sources unguessable
 */
struct dtls_collector {
	struct dtls_source source[DTLS_COLLECT_SOURCES];
	struct dtls_collected_list all;
	size_t held;
	u64 seed;
};

/* Set up a collector. Return false if libcrypto failed. */
bool dtls_collector_init(struct dtls_collector *c);

/* Free all hellos. @c may be all zero. */
void dtls_collector_exit(struct dtls_collector *c);

/**
 * dtls_collector_add() - take a piece of a ClientHello
 * @c:		the collector
 * @from:	the sender of the piece
 * @f:		the piece; its bytes are copied
 * @now:	the time in microseconds
 *
 * A piece that contradicts the pieces before it begins another hello.
 *
 * Return: an entry whose hello is complete, which the caller gives to
 * dtls_collector_finish(); or NULL if pieces are missing, or if there is no
 * memory.
 */
struct dtls_collected *dtls_collector_add(struct dtls_collector *c,
					  const struct dtls_sender *from,
					  const struct dtls_fragment *f,
					  u64 now);

/*
 * Free the hello of @one, and keep its random for the rest of the entry's life.
 */
void dtls_collector_finish(struct dtls_collector *c,
			   struct dtls_collected *one);

#endif /* _DTLS_COLLECT_H */
