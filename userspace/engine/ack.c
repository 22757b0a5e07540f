// SPDX-License-Identifier: BSD-3-Clause
/* This file writes and reads the acknowledgements of DTLS 1.3. See ack.h. */
#include "ack.h"
#include "retransmit.h"

#define RECORD_NUMBER	16	/* bytes of a record number in an ACK */

/*
 * Make room for one more number, up to DTLS_ACKS_MAX. Return the list, or NULL
 * if there is no memory.
 */
static struct dtls_acks *make_room(struct kdtls_engine *e)
{
	unsigned int count = e->acks ? e->acks->count : 0;
	struct dtls_acks *a;

	if (count == DTLS_ACKS_MAX)
		return e->acks;
	a = OPENSSL_realloc(e->acks, sizeof(*a) +
				     (count + 1) * sizeof(a->number[0]));
	if (!a)
		return NULL;
	if (!e->acks)
		*a = (struct dtls_acks){ .expiry = KDTLS_NEVER };
	e->acks = a;
	return a;
}

/*
 * dtls_ack_note() keeps the numbers in increasing order. When the list is full,
 * it drops the lowest number.
 */
void dtls_ack_note(struct kdtls_engine *e, const struct dtls_record *record)
{
	struct dtls_acks *a = make_room(e);
	unsigned int i, at;

	if (!a)
		return;	/* The peer will send the record again. */
	a->timed |= e->version == DTLS_VERSION_1_3;
	for (at = a->count; at; at--) {
		if (a->number[at - 1].epoch < record->epoch ||
		    (a->number[at - 1].epoch == record->epoch &&
		     a->number[at - 1].seq <= record->seq))
			break;
	}
	if (at && a->number[at - 1].epoch == record->epoch &&
	    a->number[at - 1].seq == record->seq)
		return;
	if (a->count == DTLS_ACKS_MAX) {
		if (!at)
			return;
		at--;
		memmove(&a->number[0], &a->number[1],
			at * sizeof(a->number[0]));
	} else {
		for (i = a->count++; i > at; i--)
			a->number[i] = a->number[i - 1];
	}
	a->number[at].epoch = record->epoch;
	a->number[at].seq = record->seq;
}

void dtls_ack_due(struct kdtls_engine *e)
{
	if (e->acks)
		e->acks->due = true;
}

void dtls_ack_after(struct kdtls_engine *e, u64 after)
{
	struct dtls_acks *a = e->acks;

	if (a && e->m->now + after < a->expiry)
		a->expiry = e->m->now + after;
}

u64 dtls_ack_expiry(const struct kdtls_engine *e)
{
	return e->acks ? e->acks->expiry : KDTLS_NEVER;
}

void dtls_ack_expire(struct kdtls_engine *e)
{
	struct dtls_acks *a = e->acks;

	if (!a || a->expiry > e->m->now)
		return;
	a->expiry = KDTLS_NEVER;
	a->due = true;
}

/*
 * dtls_ack_write() keeps the list, as the ACK may be lost. The list is dropped
 * when a flight answers the peer (RFC 9147 7.1).
 */
size_t dtls_ack_write(struct kdtls_engine *e, u8 *out, size_t size)
{
	struct dtls_acks *a = e->acks;
	size_t i = 0, len;

	if (!a || !a->due)
		return 0;
	a->due = false;
	a->expiry = KDTLS_NEVER;
	/* The oldest numbers are left out if the list does not fit. */
	if (size < 2 + (size_t)a->count * RECORD_NUMBER)
		i = a->count - (size - 2) / RECORD_NUMBER;
	len = 2;
	for (; i < a->count; i++) {
		dtls_put_be(out + len, 8, a->number[i].epoch);
		dtls_put_be(out + len + 8, 8, a->number[i].seq);
		len += RECORD_NUMBER;
	}
	dtls_put_be(out, 2, len - 2);
	return len;
}

bool dtls_ack_receive(struct kdtls_engine *e, u64 epoch,
		      struct dtls_bytes content)
{
	struct dtls_bytes list;
	bool news = false;
	u64 of, seq;

	/* ACKs mean nothing until the version is known (RFC 9147 7). */
	if (e->version != DTLS_VERSION_1_3)
		return false;
	if (!rd_vec(&content, 2, &list) || content.len ||
	    list.len % RECORD_NUMBER) {
		e->dropped++;
		return false;
	}
	if (!e->m->flight.first)
		return false;
	while (rd_int(&list, 8, &of) && rd_int(&list, 8, &seq)) {
		/*
		 * During the handshake an ACK is sent under a key that is no
		 * older than that of the records it names (RFC 9147 7); anybody
		 * may have sent an ACK in the clear. After the handshake the
		 * directions have epochs of their own. The rule binds the
		 * sender: a number of a higher epoch, as a widespread peer
		 * writes, is ignored, and the rest of its ACK is taken.
		 */
		if (of <= epoch || epoch >= DTLS13_EPOCH_DATA)
			news |= dtls_flight_acknowledge(&e->m->flight, of, seq);
	}
	if (dtls_flight_done(&e->m->flight))
		return true;
	if (!news) {
		/*
		 * A flight that has gone out as often as the timer allows does
		 * not go out for each such ACK without an end.
		 */
		if (e->m->timer.expiry != KDTLS_NEVER)
			dtls_retransmit_paced(e);
	} else if (!dtls_flight_pending(&e->m->flight)) {
		/*
		 * The pieces that the ACK does not name go out again after a
		 * pause (RFC 9147 7.2).
		 */
		dtls_timer_soon(&e->m->timer, e->m->now);
	}
	return false;
}
