// SPDX-License-Identifier: BSD-3-Clause
/* Putting handshake messages together; see reassembly.h. */
#include "reassembly.h"

static struct dtls_incoming *slot_of(struct dtls_reassembly *r, u16 seq)
{
	return &r->slot[seq % DTLS_AHEAD];
}

static void slot_clear(struct dtls_reassembly *r, struct dtls_incoming *m)
{
	r->held -= m->size;
	OPENSSL_clear_free(m->data, m->size);
	memset(m, 0, sizeof(*m));
}

static bool slot_open(struct dtls_reassembly *r, struct dtls_incoming *m,
		      const struct dtls_fragment *f, u64 epoch, size_t max_held)
{
	size_t len = DTLS_MESSAGE_HEADER + f->length;
	size_t size = len + (f->length + 7) / 8;

	if (size > max_held || r->held > max_held - size)
		return false;
	m->data = OPENSSL_zalloc(size);
	if (!m->data)
		return false;
	m->size = size;
	m->len = (u32)len;
	m->missing = f->length;
	m->epoch = epoch;
	r->held += size;
	dtls_fragment_write(m->data, f->type, f->length, f->seq, 0, f->length);
	return true;
}

/* First come, first served: bytes that are there stay as they are. */
static void fill(struct dtls_incoming *m, const struct dtls_fragment *f)
{
	u8 *body = m->data + DTLS_MESSAGE_HEADER;
	u8 *have = m->data + m->len;
	size_t i, at;

	if (f->body.len == m->missing && f->body.len == f->length) {
		memcpy(body, f->body.p, f->body.len);
		memset(have, 0xff, m->size - m->len);
		m->missing = 0;
		return;
	}
	for (i = 0; i < f->body.len; i++) {
		at = f->offset + i;
		if (have[at / 8] & 1 << at % 8)
			continue;
		have[at / 8] |= (u8)(1 << at % 8);
		body[at] = f->body.p[i];
		m->missing--;
	}
}

enum dtls_reassembly_result
dtls_reassembly_add(struct dtls_reassembly *r, const struct dtls_fragment *f,
		    u64 epoch, size_t max_message, size_t max_held)
{
	struct dtls_incoming *m = slot_of(r, f->seq);

	if (f->seq < r->next)
		return DTLS_REASSEMBLY_OLD;
	if (f->seq - r->next >= DTLS_AHEAD)
		return DTLS_REASSEMBLY_DROPPED;
	if (f->length > max_message)
		return f->seq == r->next ? DTLS_REASSEMBLY_TOO_LONG :
					   DTLS_REASSEMBLY_DROPPED;

	if (m->data && epoch > m->epoch)
		slot_clear(r, m);
	if (!m->data && !slot_open(r, m, f, epoch, max_held))
		return DTLS_REASSEMBLY_DROPPED;
	if (epoch != m->epoch || f->type != m->data[0] ||
	    f->length != m->len - DTLS_MESSAGE_HEADER)
		return DTLS_REASSEMBLY_DROPPED;
	fill(m, f);
	return DTLS_REASSEMBLY_TAKEN;
}

const struct dtls_incoming *
dtls_reassembly_next(const struct dtls_reassembly *r)
{
	const struct dtls_incoming *m = &r->slot[r->next % DTLS_AHEAD];

	return m->data && !m->missing ? m : NULL;
}

bool dtls_reassembly_has(const struct dtls_reassembly *r, u64 epoch)
{
	unsigned int i;

	for (i = 0; i < DTLS_AHEAD; i++)
		if (r->slot[i].data && r->slot[i].epoch >= epoch)
			return true;
	return false;
}

bool dtls_reassembly_gap(const struct dtls_reassembly *r)
{
	const struct dtls_incoming *next = &r->slot[r->next % DTLS_AHEAD];
	u32 i, got;

	for (i = 0; i < DTLS_AHEAD; i++)
		if (r->slot[i].data && &r->slot[i] != next)
			return true;
	if (!next->data)
		return false;
	got = next->len - DTLS_MESSAGE_HEADER - next->missing;
	for (i = 0; i < got; i++)
		if (!(next->data[next->len + i / 8] & 1 << i % 8))
			return true;
	return false;
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
