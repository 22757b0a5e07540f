// SPDX-License-Identifier: BSD-3-Clause
/* The flight being sent; see flight.h. */
#include "flight.h"

bool dtls_flight_add(struct dtls_flight *f, u64 epoch, u8 type, const u8 *data,
		     size_t len)
{
	struct dtls_outgoing *m = OPENSSL_malloc(sizeof(*m) + len);

	if (!m)
		return false;
	m->next = NULL;
	m->epoch = epoch;
	m->type = type;
	m->len = (u32)len;
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

bool dtls_flight_next(struct dtls_flight *f, size_t room, u8 *out,
		      struct dtls_piece *piece)
{
	const struct dtls_outgoing *m = f->cursor;
	u32 body, left, n;

	if (!m)
		return false;
	piece->epoch = m->epoch;
	piece->type = m->type;
	if (m->type != DTLS_CT_HANDSHAKE) {
		if (room < m->len)
			return false;
		memcpy(out, m->data, m->len);
		piece->len = m->len;
		advance(f);
		return true;
	}

	body = m->len - DTLS_MESSAGE_HEADER;
	left = body - f->offset;
	n = left;
	if (room < DTLS_MESSAGE_HEADER + n) {
		/* Even a byte may save a datagram in the end. */
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
	f->offset += n;
	if (n == left)
		advance(f);
	return true;
}

void dtls_flight_rewind(struct dtls_flight *f)
{
	f->cursor = f->first;
	f->offset = 0;
}

void dtls_flight_clear(struct dtls_flight *f)
{
	struct dtls_outgoing *m = f->first;
	struct dtls_outgoing *next;

	for (; m; m = next) {
		next = m->next;
		OPENSSL_clear_free(m, sizeof(*m) + m->len);
	}
	memset(f, 0, sizeof(*f));
}

static u64 clamp(u64 v, u64 min, u64 max)
{
	return v < min ? min : v > max ? max : v;
}

static void arm(struct dtls_timer *t, const struct dtls_timer_limits *l,
		u64 now)
{
	t->timeout = clamp(t->timeout, l->min, l->max);
	t->expiry = now + t->timeout;
}

void dtls_timer_start(struct dtls_timer *t, const struct dtls_timer_limits *l,
		      u64 now)
{
	t->timeout = t->srtt ? t->srtt + 4 * t->rttvar : l->initial;
	t->sent = now;
	t->tries = 0;
	arm(t, l, now);
}

void dtls_timer_back_off(struct dtls_timer *t,
			 const struct dtls_timer_limits *l, u64 now)
{
	t->timeout *= 2;
	t->tries++;
	arm(t, l, now);
}

void dtls_timer_answered(struct dtls_timer *t, u64 now)
{
	u64 rtt = now > t->sent ? now - t->sent : 1;
	u64 delta;

	if (t->tries || t->expiry == UINT64_MAX)
		return;
	if (!t->srtt) {
		t->srtt = rtt;
		t->rttvar = rtt / 2;
		return;
	}
	delta = rtt > t->srtt ? rtt - t->srtt : t->srtt - rtt;
	t->rttvar = (3 * t->rttvar + delta) / 4;
	t->srtt = (7 * t->srtt + rtt) / 8;
}

void dtls_timer_stop(struct dtls_timer *t)
{
	t->expiry = UINT64_MAX;
}
