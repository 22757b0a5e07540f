// SPDX-License-Identifier: GPL-2.0
/* A queue of datagrams that can lose, repeat and reorder them; see peer.h. */
#include "peer.h"

static unsigned int chance(struct wire *w)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return (unsigned int)(w->seed >> 20) % 100;
}

static void append(struct wire *w, const void *data, size_t len)
{
	unsigned int at = w->tail % WIRE_DATAGRAMS;

	if (len > WIRE_SIZE || w->tail - w->head == WIRE_DATAGRAMS)
		return;
	w->ring[at].len = len;
	memcpy(w->ring[at].data, data, len);
	w->tail++;
}

static void swap_last(struct wire *w)
{
	unsigned int a = (w->tail - 1) % WIRE_DATAGRAMS;
	unsigned int b = (w->tail - 2) % WIRE_DATAGRAMS;
	typeof(w->ring[0]) copy = w->ring[a];

	w->ring[a] = w->ring[b];
	w->ring[b] = copy;
}

void wire_put(struct wire *w, const void *data, size_t len)
{
	if (len > w->largest)
		w->largest = len;
	if (w->seed && chance(w) < w->loss)
		return;
	append(w, data, len);
	if (!w->seed)
		return;
	if (chance(w) < w->loss / 2)
		append(w, data, len);
	if (chance(w) < w->loss && w->tail - w->head >= 2)
		swap_last(w);
}

size_t wire_peek(const struct wire *w, const void **data)
{
	unsigned int at = w->head % WIRE_DATAGRAMS;

	*data = w->ring[at].data;
	return w->head == w->tail ? 0 : w->ring[at].len;
}

size_t wire_get(struct wire *w, void *data, size_t size)
{
	const void *from;
	size_t len = wire_peek(w, &from);

	if (!len)
		return 0;
	if (len > size)
		len = size;
	memcpy(data, from, len);
	w->head++;
	return len;
}
