// SPDX-License-Identifier: BSD-3-Clause
/* This file keeps the flight that is being sent. See flight.h. */
#include "flight.h"

static u32 body_len(const struct dtls_outgoing *m)
{
	return m->len - DTLS_MESSAGE_HEADER;
}

static size_t size_of(const struct dtls_outgoing *m)
{
	return sizeof(*m) + m->len + m->len / 8 + 1;
}

bool dtls_flight_add(struct dtls_flight *f, u64 epoch, u8 type, const u8 *data,
		     size_t len)
{
	struct dtls_outgoing *m = OPENSSL_zalloc(sizeof(*m) + len + len / 8 + 1);

	if (!m)
		return false;
	m->epoch = epoch;
	m->type = type;
	m->len = (u32)len;
	if (type == DTLS_CT_HANDSHAKE)
		m->missing = body_len(m) ? body_len(m) : 1;
	memcpy(m->data, data, len);
	if (f->last)
		f->last->next = m;
	else
		f->first = m;
	f->last = m;
	if (!f->cursor) {
		f->cursor = m;
		f->offset = 0;
	}
	return true;
}

static void advance(struct dtls_flight *f)
{
	f->cursor = f->cursor->next;
	f->offset = 0;
}

static bool acknowledged(const struct dtls_outgoing *m, u32 at)
{
	return m->data[m->len + at / 8] & 1 << at % 8;
}

/*
 * Return how many bytes of the message @m from @at on the peer has not
 * acknowledged, up to the first one that it has, and @max at most.
 */
static u32 unacknowledged(const struct dtls_outgoing *m, u32 at, u32 max)
{
	u32 n = 0;

	while (n < max && !acknowledged(m, at + n))
		n++;
	return n;
}

/* Move the cursor past what the peer has acknowledged. */
static void skip(struct dtls_flight *f)
{
	const struct dtls_outgoing *m;

	while ((m = f->cursor) && m->type == DTLS_CT_HANDSHAKE) {
		while (m->missing && f->offset < body_len(m) &&
		       acknowledged(m, f->offset))
			f->offset++;
		if (m->missing && (f->offset < body_len(m) || !body_len(m)))
			return;
		advance(f);
	}
}

bool dtls_flight_next(struct dtls_flight *f, size_t room, u8 *out,
		      struct dtls_piece *piece)
{
	struct dtls_outgoing *m = f->cursor;
	u32 left, n;

	if (!m)
		return false;
	piece->epoch = m->epoch;
	piece->type = m->type;
	piece->message = m;
	if (m->type != DTLS_CT_HANDSHAKE) {
		if (room < m->len)
			return false;
		memcpy(out, m->data, m->len);
		piece->len = m->len;
		advance(f);
		return true;
	}

	left = body_len(m) - f->offset;
	n = left < room ? left : (u32)room;
	if (m->missing < body_len(m))
		n = unacknowledged(m, f->offset, n);
	if (room < DTLS_MESSAGE_HEADER + n) {
		/*
		 * Even a fragment of a few bytes is cut, as it may save a
		 * datagram at the end of the flight.
		 */
		if (room <= DTLS_MESSAGE_HEADER)
			return false;
		n = (u32)(room - DTLS_MESSAGE_HEADER);
	}
	memcpy(out, m->data, DTLS_MESSAGE_HEADER);
	dtls_put_be(out + 6, 3, f->offset);
	dtls_put_be(out + 9, 3, n);
	memcpy(out + DTLS_MESSAGE_HEADER,
	       m->data + DTLS_MESSAGE_HEADER + f->offset, n);
	piece->len = DTLS_MESSAGE_HEADER + n;
	piece->offset = f->offset;
	piece->body = n;
	f->offset += n;
	if (n == left)
		advance(f);
	skip(f);
	return true;
}

/* The ring begins with so many places, which are enough for most flights. */
#define SENT_FIRST	4

/*
 * Return the ring with room for one more piece, or NULL if there is no memory.
 */
static struct dtls_sent *sent_room(struct dtls_flight *f)
{
	struct dtls_sent *s = f->sent;
	u32 room = s ? 2 * s->room : SENT_FIRST;

	if (s && (s->count < s->room || s->room == DTLS_SENT_MAX))
		return s;
	s = OPENSSL_realloc(s, sizeof(*s) + room * sizeof(s->record[0]));
	if (!s)
		return NULL;
	if (!f->sent)
		s->count = 0;
	s->room = room;
	f->sent = s;
	return s;
}

_Static_assert(DTLS_SENT_MAX % SENT_FIRST == 0 &&
	       !(DTLS_SENT_MAX & (DTLS_SENT_MAX - 1)),
	       "doubling does not end at DTLS_SENT_MAX");

bool dtls_flight_sent(struct dtls_flight *f, const struct dtls_piece *piece,
		      u64 epoch, u64 seq)
{
	struct dtls_sent *s = sent_room(f);
	u32 i;

	if (!s)
		return false;
	i = s->count++ % DTLS_SENT_MAX;
	s->record[i].epoch = epoch;
	s->record[i].seq = seq;
	s->record[i].message = piece->message;
	s->record[i].offset = piece->offset;
	s->record[i].len = piece->body;
	return true;
}

/*
 * Note that the peer has the @len bytes at @offset of the message @m. Return
 * true if that was not known before.
 */
static bool acknowledge(struct dtls_outgoing *m, u32 offset, u32 len)
{
	u32 missing = m->missing;
	u32 i;

	if (!body_len(m))
		m->missing = 0;
	for (i = offset; i < offset + len; i++) {
		if (acknowledged(m, i))
			continue;
		m->data[m->len + i / 8] |= (u8)(1 << i % 8);
		m->missing--;
	}
	return m->missing != missing;
}

static u32 count_sent(const struct dtls_sent *s)
{
	if (!s)
		return 0;
	return s->count < DTLS_SENT_MAX ? s->count : DTLS_SENT_MAX;
}

void dtls_flight_numbered(struct dtls_flight *f, u64 epoch, u64 seq)
{
	struct dtls_sent *s = f->sent;
	u32 i, n = count_sent(s);

	for (i = 0; i < n; i++) {
		if (s->record[i].seq != DTLS_SEQ_UNKNOWN)
			continue;
		s->record[i].seq = seq;
		s->record[i].epoch = epoch;
	}
}

bool dtls_flight_acknowledge(struct dtls_flight *f, u64 epoch, u64 seq)
{
	const struct dtls_sent *s = f->sent;
	u32 i, n = count_sent(s);
	bool news = false;

	if (seq > DTLS_SEQ_MAX)
		return false;
	for (i = 0; i < n; i++)
		if (s->record[i].epoch == epoch && s->record[i].seq == seq)
			news |= acknowledge(s->record[i].message,
					    s->record[i].offset,
					    s->record[i].len);
	if (news)
		skip(f);
	return news;
}

bool dtls_flight_done(const struct dtls_flight *f)
{
	const struct dtls_outgoing *m;

	for (m = f->first; m; m = m->next)
		if (m->missing)
			return false;
	return true;
}

void dtls_flight_rewind(struct dtls_flight *f)
{
	f->cursor = f->first;
	f->offset = 0;
	f->again = true;
	skip(f);
}

void dtls_flight_clear(struct dtls_flight *f)
{
	struct dtls_outgoing *m = f->first;
	struct dtls_outgoing *next;

	for (; m; m = next) {
		next = m->next;
		OPENSSL_clear_free(m, size_of(m));
	}
	OPENSSL_free(f->sent);
	memset(f, 0, sizeof(*f));
}

size_t dtls_flight_size(const struct dtls_flight *f)
{
	const struct dtls_outgoing *m;
	size_t size = 0;

	for (m = f->first; m; m = m->next)
		size += size_of(m);
	if (f->sent)
		size += sizeof(*f->sent) + f->sent->room * sizeof(f->sent->record[0]);
	return size;
}
