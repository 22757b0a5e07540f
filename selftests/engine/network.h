/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A network made of a seed, between a client's address and a server's: loss,
 * reordering, duplication, corruption, delay, and an MTU that changes on the
 * way. All that is random in a schedule is drawn here or, by libcrypto, from a
 * generator with the same seed (see schedules.h), so that a seed tells all of it.
 */
#ifndef _TEST_NETWORK_H
#define _TEST_NETWORK_H

#include <stdbool.h>
#include <string.h>

#include "../../userspace/engine/wire.h"

#define NETWORK_DATAGRAMS	4096
#define NETWORK_SIZE		2048

/* enum side is where a datagram goes, and who does what note() tells. */
enum side {
	CLIENT,
	SERVER,
};

/**
 * struct datagram - on its way
 * @due:	when it arrives
 * @number:	tells datagrams apart that arrive at the same time
 * @life:	the client's life that it belongs to (see world.h), or with many
 *		clients the address of the client (see crowd.h)
 */
struct datagram {
	u64 due;
	u64 number;
	enum side to;
	int life;
	size_t len;
	u8 data[NETWORK_SIZE];
};

/**
 * struct network - its rules, and what is on its way
 * @now:	µs
 * @trace:	hash of all that has happened, and of the bytes of all datagrams
 * @loss:	percent of datagrams; the same are @twice and @corrupt
 * @delay:	µs that each datagram takes
 * @jitter:	µs that it may take in addition
 * @change:	when @mtu becomes @later_mtu
 * @corrupted:	a datagram was corrupted
 * @queued:	number of datagrams on their way
 * @heap:	points to all elements of @queue. The first @queued of them are on
 *		their way, as a binary heap with the next to arrive on top
 */
struct network {
	u64 seed;
	u64 now;
	u64 trace;
	u64 numbers;
	unsigned int loss, twice, corrupt;
	u64 delay, jitter;
	size_t mtu, later_mtu;
	u64 change;
	bool corrupted;
	unsigned int queued;
	struct datagram *heap[NETWORK_DATAGRAMS];
	struct datagram queue[NETWORK_DATAGRAMS];
};

/* note() prints what happens. */
extern bool network_verbose;

/* Return the next random number of splitmix64, whose state is a seed at first. */
u64 draw_from(u64 *state);

u64 draw(struct network *n);
u64 below(struct network *n, u64 limit);
bool chance(struct network *n, unsigned int percent);

void note(struct network *n, const char *what, enum side who, u64 value);

/* Draw the rules. */
void network_init(struct network *n, u64 seed);

/* Send a datagram from the side @from. */
void network_send(struct network *n, enum side from, int life, const u8 *data,
		  size_t len);

/* Send a recorded datagram once more, @late. */
void network_replay(struct network *n, const struct datagram *d, u64 late);

/* Return the datagram that arrives next, or NULL. */
struct datagram *network_next(const struct network *n);

/* Forget the datagram that network_next() returns. */
void network_drop(struct network *n);

#endif /* _TEST_NETWORK_H */
