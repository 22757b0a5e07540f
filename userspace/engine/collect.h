/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ClientHellos in pieces, from strangers. A cookie of DTLS 1.3 holds the hash
 * of the whole first hello (RFC 9147 5.1), and a second hello's cookie may
 * stand in any of its pieces, so the pieces are put together before there is
 * anything to prove an address with.
 *
 * A piece costs the memory of its bytes and of one entry. All pieces together
 * hold DTLS_COLLECT_MAX bytes at most, those of one source DTLS_COLLECT_SOURCE;
 * what is new takes the place of the oldest of the same source, and then of the
 * oldest of all. A flood from one source so displaces nothing but its own, and
 * a flood of spoofed ones must bring more than a thousand pieces between two
 * pieces of an honest hello to displace it.
 *
 * An entry outlives the hello that was put together in it, and keeps the hello's
 * random. A piece that comes again waits in the entry for the others of its hello.
 * The first piece of the sender's next hello, with another random, does not meet
 * that piece, which would be taken for one of its own.
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
 * struct dtls_sender - a sender, as struct kdtls_sender describes it
 * @address:	the address as bytes
 * @source_len:	bytes at the front of @address whose senders share one limit;
 *		0: all
 */
struct dtls_sender {
	struct dtls_bytes address;
	size_t source_len;
};

/**
 * struct dtls_collected - a hello of which a piece has come
 * @by_age:	in the list of all, the oldest first
 * @by_source:	in the list of its source, the oldest first
 * @source:	where its memory is counted
 * @begun:	when its first piece came, in microseconds
 * @hello:	the pieces so far
 * @finished:	a hello was put together before, and @random is set
 * @random:	the random of that hello
 * @address_len: bytes of @address
 * @address:	its sender
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
 * struct dtls_source - the sources that have one value of a hash in common
 * @list:	their hellos, the oldest first
 * @held:	bytes of memory of these
 */
struct dtls_source {
	struct dtls_collected_list list;
	size_t held;
};

/**
 * struct dtls_collector - the hellos of which a piece has come
 * @source:	the hellos by source
 * @all:	all hellos, the oldest first
 * @held:	bytes of memory of these
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

/* Free all that is held. @c may be zeroed. */
void dtls_collector_exit(struct dtls_collector *c);

/**
 * dtls_collector_add() - take a piece of a ClientHello
 * @c:		the collector
 * @from:	who sent the piece
 * @f:		the piece; its bytes are copied
 * @now:	the time in microseconds
 *
 * A piece that contradicts those that came before begins another hello.
 *
 * Return: an entry with all of its hello, which the caller gives to
 * dtls_collector_finish(); or NULL if there is more to come, or no memory.
 */
struct dtls_collected *dtls_collector_add(struct dtls_collector *c,
					  const struct dtls_sender *from,
					  const struct dtls_fragment *f,
					  u64 now);

/* Free the hello of @one, and keep its random for the rest of the entry's life. */
void dtls_collector_finish(struct dtls_collector *c,
			   struct dtls_collected *one);

#endif /* _DTLS_COLLECT_H */
