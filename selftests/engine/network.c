// SPDX-License-Identifier: GPL-2.0
/* A network made of a seed; see network.h. */
#include <inttypes.h>
#include <stdio.h>

#include "network.h"

#define LATE	8000000		/* µs that a copy may be late */

bool network_verbose;

u64 draw_from(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

u64 draw(struct network *n)
{
	return draw_from(&n->seed);
}

u64 below(struct network *n, u64 limit)
{
	return limit ? draw(n) % limit : 0;
}

bool chance(struct network *n, unsigned int percent)
{
	return below(n, 100) < percent;
}

static void add_to_trace(struct network *n, u64 value)
{
	n->trace = (n->trace ^ value) * 0x100000001b3ULL;
}

void note(struct network *n, const char *what, enum side who, u64 value)
{
	const char *p;

	add_to_trace(n, n->now);
	add_to_trace(n, (u64)who);
	add_to_trace(n, value);
	for (p = what; *p; p++)
		add_to_trace(n, (u64)*p);
	if (network_verbose)
		printf("%10.3f ms  %s %s %" PRIu64 "\n", (double)n->now / 1000,
		       who == CLIENT ? "client" : "server", what,
		       (uint64_t)value);
}

void network_init(struct network *n, u64 seed)
{
	unsigned int i;

	memset(n, 0, offsetof(struct network, heap));
	for (i = 0; i < NETWORK_DATAGRAMS; i++)
		n->heap[i] = &n->queue[i];
	n->seed = seed;
	n->now = 1000000;
	n->loss = chance(n, 80) ? (unsigned int)below(n, 45) : 0;
	n->twice = chance(n, 50) ? (unsigned int)below(n, 40) : 0;
	n->corrupt = chance(n, 20) ? (unsigned int)below(n, 10) : 0;
	n->delay = below(n, 300000);
	n->jitter = chance(n, 60) ? below(n, 400000) : 0;
	n->mtu = 256 + below(n, 1245);
	n->later_mtu = chance(n, 20) ? 256 + below(n, 1245) : n->mtu;
	n->change = below(n, 3000000);
}

static bool is_before(const struct datagram *a, const struct datagram *b)
{
	return a->due < b->due || (a->due == b->due && a->number < b->number);
}

static void swap(struct network *n, unsigned int i, unsigned int j)
{
	struct datagram *d = n->heap[i];

	n->heap[i] = n->heap[j];
	n->heap[j] = d;
}

/* Move the last datagram of the heap to its place. */
static void sift_up(struct network *n)
{
	unsigned int i = n->queued - 1;

	for (; i && is_before(n->heap[i], n->heap[(i - 1) / 2]);
	     i = (i - 1) / 2)
		swap(n, i, (i - 1) / 2);
}

/* Move the first datagram of the heap to its place. */
static void sift_down(struct network *n)
{
	unsigned int i = 0, child;

	for (; (child = 2 * i + 1) < n->queued; i = child) {
		if (child + 1 < n->queued &&
		    is_before(n->heap[child + 1], n->heap[child]))
			child++;
		if (!is_before(n->heap[child], n->heap[i]))
			break;
		swap(n, i, child);
	}
}

/* @late: µs beside what the network takes */
static void enqueue(struct network *n, enum side to, int life, const u8 *data,
		    size_t len, u64 late)
{
	struct datagram *d;
	size_t at;

	if (n->queued == NETWORK_DATAGRAMS)
		return;
	d = n->heap[n->queued++];
	d->due = n->now + n->delay + below(n, n->jitter) + late;
	d->number = n->numbers++;
	d->to = to;
	d->life = life;
	d->len = len;
	memcpy(d->data, data, len);
	sift_up(n);
	if (!chance(n, n->corrupt))
		return;
	at = below(n, len);
	d->data[at] ^= (u8)(1 << below(n, 8));
	/* Epoch 0 has nothing that would tell. */
	n->corrupted = true;
	note(n, "will get a corrupted datagram", to, at);
}

void network_send(struct network *n, enum side from, int life, const u8 *data,
		  size_t len)
{
	size_t mtu = n->now < n->change ? n->mtu : n->later_mtu, i;

	for (i = 0; i < len; i++)
		add_to_trace(n, data[i]);
	if (len > mtu) {
		note(n, "sends too large a datagram", from, len);
	} else if (chance(n, n->loss)) {
		note(n, "sends in vain", from, len);
	} else {
		note(n, "sends", from, len);
		enqueue(n, !from, life, data, len, 0);
		if (chance(n, n->twice))
			enqueue(n, !from, life, data, len,
				chance(n, 20) ? below(n, LATE) : 0);
	}
}

void network_replay(struct network *n, const struct datagram *d, u64 late)
{
	note(n, "will get a replayed datagram", d->to, d->len);
	enqueue(n, d->to, d->life, d->data, d->len, late);
}

struct datagram *network_next(const struct network *n)
{
	return n->queued ? n->heap[0] : NULL;
}

void network_drop(struct network *n)
{
	swap(n, 0, --n->queued);
	sift_down(n);
}
