// SPDX-License-Identifier: BSD-3-Clause
/* This file puts the peer's handshake messages in order. See reassembly.h. */
#include "reassembly.h"

static struct dtls_incoming *slot_of(struct dtls_reassembly *r, u16 seq)
{
	return &r->slot[seq % DTLS_AHEAD];
}

static void slot_clear(struct dtls_reassembly *r, struct dtls_incoming *m)
{
	r->held -= m->size;
	dtls_incoming_clear(m);
}

enum dtls_reassembly_result
dtls_reassembly_add(struct dtls_reassembly *r, const struct dtls_fragment *f,
		    u64 epoch, size_t max_message, size_t max_held)
{
	struct dtls_incoming *m = slot_of(r, f->seq);
	size_t before;
	bool taken;

	if (f->seq < r->next)
		return DTLS_REASSEMBLY_OLD;
	if (f->seq - r->next >= DTLS_AHEAD)
		return DTLS_REASSEMBLY_DROPPED;
	if (f->length > max_message)
		return f->seq == r->next ? DTLS_REASSEMBLY_TOO_LONG :
					   DTLS_REASSEMBLY_DROPPED;

	if (m->len && epoch > m->epoch)
		slot_clear(r, m);
	if (m->len && (epoch != m->epoch || f->type != m->type ||
		       f->length != m->len - DTLS_MESSAGE_HEADER))
		return DTLS_REASSEMBLY_DROPPED;
	m->epoch = epoch;
	before = m->size;
	taken = dtls_incoming_add(m, f, max_held - r->held);
	r->held += m->size - before;
	/* A message of which nothing has come leaves its place to others. */
	if (!taken && !m->size)
		dtls_incoming_clear(m);
	return taken ? DTLS_REASSEMBLY_TAKEN : DTLS_REASSEMBLY_DROPPED;
}

const struct dtls_incoming *
dtls_reassembly_next(const struct dtls_reassembly *r)
{
	const struct dtls_incoming *m = &r->slot[r->next % DTLS_AHEAD];

	return m->data ? m : NULL;
}

bool dtls_reassembly_has(const struct dtls_reassembly *r, u64 epoch)
{
	unsigned int i;

	for (i = 0; i < DTLS_AHEAD; i++)
		if (r->slot[i].len && r->slot[i].epoch >= epoch)
			return true;
	return false;
}

bool dtls_reassembly_gap(const struct dtls_reassembly *r)
{
	const struct dtls_incoming *next = &r->slot[r->next % DTLS_AHEAD];
	const struct dtls_chunk *c;
	u32 end = 0;
	u32 i;

	for (i = 0; i < DTLS_AHEAD; i++)
		if (r->slot[i].len && &r->slot[i] != next)
			return true;
	for (c = next->chunks; c && c->offset == end; c = c->next)
		end += c->len;
	return c;
}

void dtls_reassembly_pop(struct dtls_reassembly *r)
{
	slot_clear(r, slot_of(r, r->next));
	r->next++;
}

void dtls_reassembly_clear(struct dtls_reassembly *r)
{
	unsigned int i;

	for (i = 0; i < DTLS_AHEAD; i++)
		slot_clear(r, &r->slot[i]);
}
