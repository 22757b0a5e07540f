// SPDX-License-Identifier: GPL-2.0
/*
 * This file cuts the next record out of a datagram. In the order of the calls:
 *
 *   dtls_sort_begin()	in sort.c, finds the datagram's association, if the socket
 *			has a table
 *   find_record()	finds the next record in the datagram
 *   cut_record()	takes the record, and charges the rest of the datagram
 *   dtls_admit_run()	in admit.h, looks for the key, copies bytes that others may
 *			write to, and checks the record against the replay window
 *
 * All of these functions run in the reader's context under dtls_sock.lock.
 */
#include <linux/minmax.h>
#include <linux/skbuff.h>

#include "admit.h"
#include "assoc.h"
#include "cut.h"
#include "dgram.h"
#include "msg.h"
#include "record.h"
#include "run.h"
#include "scratch.h"
#include "sock.h"
#include "sort.h"
#include "stats.h"
#include "table.h"
#include "wait.h"

/*
 * Return true if the record in the @len bytes at @p has a connection ID of unknown
 * length, and the rest of its datagram must be kept with it; @rx->rec is its header
 * then.
 *
 * A header does not tell how long its connection ID is. The length comes with
 * the first read key (in DTLS 1.3 with the first one after the key of early
 * data). Until then the end of the header cannot be found, so the rest of the
 * datagram is kept as one record.
 *
 * The same holds for an association without connection IDs whose peer starts a new
 * handshake and asks for one: a record that may belong to that handshake goes to the
 * library together with the rest of its datagram.
 */
static noinline bool find_unsized(const struct dtls_assoc *assoc,
				  struct dtls_run *rx, const u8 *p,
				  unsigned int len)
{
	struct dtls_record *rec = &rx->rec;

	if (!dtls_record_unsized(rec, p, len))
		return false;
	rx->newest = dtls_assoc_newest_rx(assoc);
	if (rx->newest > (rec->unified ? DTLS13_EPOCH_EARLY : 0)) {
		if (!dtls_may_be_handshake(rec))
			return false;
		if (rec->unified)
			rec->epoch = DTLS13_EPOCH_HANDSHAKE;
	} else if (rec->unified) {
		rec->epoch = dtls_record_epoch(rec, rx->newest);
	}
	return true;
}

/*
 * Find the epoch of the record in @rx from the two bits of it in a unified header
 * (RFC 9147 4.2.2). Return false if the record is too short for its sequence number
 * to be decrypted (RFC 9147 4.2.3).
 */
static bool find_epoch(const struct dtls_assoc *assoc, struct dtls_run *rx)
{
	if (!rx->rec.unified)
		return true;
	rx->newest = dtls_assoc_newest_rx(assoc);
	rx->rec.epoch = dtls_record_epoch(&rx->rec, rx->newest);
	return rx->rec.fragment_len >= DTLS_SAMPLE_SIZE;
}

/*
 * Return true if the record with the header @rec may belong to @assoc, whose peer was
 * given connection IDs of @cid_len bytes. Once agreed on, a connection ID is in the
 * first record of each datagram, and records behind it without one belong to the same
 * association (RFC 9147 4). A record that may belong to a new handshake needs no
 * connection ID.
 */
static __always_inline bool find_cid(const struct dtls_assoc *assoc,
				     struct dtls_dgram *d,
				     const struct dtls_record *rec,
				     unsigned int cid_len)
{
	if (rec->cid_len)
		d->has_cid = dtls_assoc_knows_cid(assoc, rec);
	else if (!rec->unified || rec->epoch == DTLS13_EPOCH_EARLY)
		return true;
	return d->has_cid || !(cid_len | rec->cid_len) ||
	       dtls_may_be_handshake(rec);
}

/*
 * Drop the next @len bytes of @d and count them as one record @what. If that gives the
 * datagram DTLS_DGRAM_JUNK_MAX points, drop the rest of it, too.
 */
static void skip_junk(struct dtls_sock *ds, struct dtls_dgram *d,
		      unsigned int len, enum dtls_count what)
{
	dtls_stats_count(ds, d->assoc, what);
	d->junk += DTLS_DGRAM_USELESS;
	if (d->junk >= DTLS_DGRAM_JUNK_MAX)
		len = d->seg_end - d->pos;
	dtls_dgram_skip(d, len);
}

/*
 * Parse the record at d->pos into @rx->rec, as one of d->assoc. With a @table all
 * connection IDs have the table's length, else @own_len, the length that d->assoc has from
 * its keys. Return 0 if there is a record in @rx; else how many bytes are not a record of
 * this association, and set @what to the counter that they belong to.
 */
static __always_inline unsigned int
parse_record(struct dtls_dgram *d, struct dtls_run *rx,
	     const struct dtls_table *table, unsigned int own_len,
	     enum dtls_count *what)
{
	struct dtls_assoc *assoc = d->assoc;
	unsigned int cid_len = unlikely(table) ? table->cid_len : own_len;
	unsigned int len = d->seg_end - d->pos;
	unsigned int head = min(len, DTLS12_HEADER_SIZE + cid_len);
	const u8 *p = dtls_dgram_peek_header(d, rx, head);
	unsigned int size;

	rx->wire[0] = p;
	*what = DTLS_COUNT_RX_MALFORMED;
	/*
	 * A peer of DTLS 1.2 has no unified headers. Those of epoch 2 are of a
	 * handshake of DTLS 1.3, with which the peer begins anew.
	 */
	if (p && dtls_is_unified(p[0]) &&
	    dtls_assoc_version(assoc) == DTLS_VERSION_1_2 &&
	    (p[0] & DTLS_UNIFIED_EPOCH) != DTLS13_EPOCH_HANDSHAKE)
		p = NULL;
	if (p && !dtls_record_parse(&rx->rec, p, head, len, cid_len)) {
		size = rx->rec.header_len + rx->rec.fragment_len;
		if (!find_epoch(assoc, rx))
			return size;
		if (find_cid(assoc, d, &rx->rec, own_len))
			return 0;
		/*
		 * The records behind an unknown connection ID belong to the
		 * same foreign association (RFC 9147 4).
		 */
		*what = DTLS_COUNT_RX_NO_KEY;
		return rx->rec.unified && rx->rec.cid_len ? len : size;
	}
	if (p && !cid_len && find_unsized(assoc, rx, p, len))
		return 0;
	/* Without a valid header, the next record cannot be found. */
	return len;
}

/*
 * Parse the record at d->pos into @rx->rec. Bytes that are not a record, or a record
 * that cannot be of this association, are skipped and counted, unless another
 * association may have sent them. Return true if there is a record in @rx.
 */
static bool find_next(struct dtls_sock *ds, struct dtls_dgram *d,
		      struct dtls_run *rx, struct dtls_table *table)
{
	unsigned int cid_len, junk;
	enum dtls_count what;

	do {
		cid_len = READ_ONCE(d->assoc->rx_cid_len);
		junk = parse_record(d, rx, table, cid_len, &what);
		if (likely(!junk))
			return true;
		/* The first key that tells the length may be set at the same time. */
	} while (unlikely(cid_len != READ_ONCE(d->assoc->rx_cid_len)));

	if (!dtls_sort_pass_on(ds, d, table))
		skip_junk(ds, d, junk, what);
	return false;
}

/*
 * Find the next record in @d. The caller holds dtls_sock.lock. Return false if there
 * is no record any more: @d has given its references back then.
 */
static bool find_record(struct dtls_sock *ds, struct dtls_dgram *d,
			struct dtls_run *rx)
{
	struct dtls_table *table = dtls_sock_table(ds);

	lockdep_assert_held(&ds->lock);
	while (d->pos < d->end) {
		rx->foreign = unlikely(table || READ_ONCE(ds->pass)) &&
			      !d->begun && dtls_sort_begin(ds, table, d, rx);
		if (unlikely(rx->foreign))
			return true;
		if (likely(!table) || dtls_sort_opens_here(ds, d)) {
			if (find_next(ds, d, rx, table))
				return true;
			continue;
		}
		if (dtls_sort_whole(ds, d, rx, table->cid_len))
			return true;
		skip_junk(ds, d, d->seg_end - d->pos, DTLS_COUNT_RX_MALFORMED);
	}
	dtls_dgram_end(ds, d);
	return false;
}

/*
 * Take the record that find_record() has found out of @d and give @rx its
 * references. The rest of the datagram is charged to the receive buffer, and dropped
 * if the buffer is full. The caller holds dtls_sock.lock.
 */
static void cut_record(struct dtls_sock *ds, struct dtls_dgram *d,
		       struct dtls_run *rx)
{
	unsigned int len = dtls_run_size(rx);
	bool held = d->cut;

	lockdep_assert_held(&ds->lock);
	rx->skb = d->skb;
	rx->assoc = d->assoc;
	rx->dgram = d->serial;
	rx->seg_end = d->seg_end;
	rx->intact = d->intact;
	rx->offset = d->pos;
	rx->n = 1;
	rx->why = 0;
	d->cut = true;
	rx->has_cid = d->has_cid;
	rx->piece = dtls_dgram_peek(d, len);
	rx->ours = d->piece_ours;
	dtls_dgram_skip(d, len);

	if (d->pos < d->end) {
		skb_get(d->skb);
		dtls_assoc_get(d->assoc);
		/*
		 * The first cut that leaves a rest charges the whole datagram,
		 * so later cuts do not charge it again.
		 */
		if (held || dtls_msg_hold(ds, d->skb, DTLS_CHARGE_RECEIVED))
			return;
		dtls_stats_count(ds, d->assoc, DTLS_COUNT_RX_NO_BUDGET);
		dtls_dgram_end(ds, d);
	} else {
		/* The datagram is used up, and @rx takes its references over. */
		WRITE_ONCE(d->skb, NULL);
	}
}

/*
 * Take the next record of @d into @rx. If @first, the header of a record before it, is
 * given, the next record must have the same type and epoch and no more bytes, and
 * records behind it may come along, up to @max in all. The caller holds
 * dtls_sock.lock. Return false if there is no such record.
 */
bool dtls_cut_next(struct dtls_sock *ds, struct dtls_dgram *d,
		   struct dtls_run *rx, const struct dtls_record *first,
		   unsigned int max)
{
	u64 serial = d->serial;

	lockdep_assert_held(&ds->lock);
	if (!find_record(ds, d, rx))
		return false;
	if (first && (d->serial != serial || rx->rec.epoch != first->epoch ||
		      rx->rec.type != first->type ||
		      rx->rec.fragment_len > first->fragment_len)) {
		/* The next call finds out once more that this is another protocol. */
		if (unlikely(rx->foreign))
			d->begun = false;
		return false;
	}
	cut_record(ds, d, rx);
	if (max > 1)
		max = min(max, dtls_scratch_places(rx->rec.fragment_len));
	dtls_admit_run(ds, rx, d, max);
	dtls_wait_begin(ds, rx);
	return true;
}

/**
 * dtls_cut_again() - find a record once more, as one of another association
 * @ds:		socket
 * @rx:		a run of one record, which its association did not open
 * @other:	the other association, to which the caller holds a reference
 * @again:	set to the record as a run of @other, without references of its own to
 *		the datagram and to @other
 *
 * Takes dtls_sock.lock. Return: false if the record cannot be of @other. Else the caller
 * opens @again, for which dtls_wait_begin() is not called.
 */
bool dtls_cut_again(struct dtls_sock *ds, const struct dtls_run *rx,
		    struct dtls_assoc *other, struct dtls_run *again)
{
	struct dtls_dgram d = {
		.skb = rx->skb,
		.assoc = other,
		.pos = rx->offset,
		.seg_end = rx->seg_end,
		.end = rx->seg_end,
		.has_cid = rx->has_cid,
	};
	enum dtls_count what;
	bool found;

	dtls_dgram_first_piece(&d, rx->skb);
	spin_lock(&ds->lock);
	found = !parse_record(&d, again, dtls_sock_table(ds),
			      READ_ONCE(other->rx_cid_len), &what) &&
		dtls_run_size(again) == dtls_run_size(rx);
	if (found) {
		again->skb = rx->skb;
		again->assoc = other;
		again->dgram = rx->dgram;
		again->seg_end = rx->seg_end;
		again->offset = rx->offset;
		again->has_cid = d.has_cid;
		again->intact = rx->intact;
		again->foreign = false;
		again->n = 1;
		again->piece = dtls_dgram_peek(&d, dtls_run_size(again));
		again->ours = d.piece_ours;
		dtls_admit_run(ds, again, &d, 1);
	}
	spin_unlock(&ds->lock);
	return found;
}
