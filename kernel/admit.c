// SPDX-License-Identifier: GPL-2.0
/*
 * A record that was cut out is admitted: its key is looked for, bytes that others may
 * write to are copied, and the record is checked against the replay window. Records
 * that follow it in a coalesced datagram may be admitted with it, as one run. What
 * every record needs is in admit.h: dtls_admit_run(). This file has what only some
 * records need.
 */
#include <linux/build_bug.h>
#include <linux/skbuff.h>

#include "admit.h"
#include "assoc.h"
#include "dgram.h"
#include "epoch.h"
#include "mask.h"
#include "record.h"
#include "replay.h"
#include "run.h"
#include "scratch.h"
#include "sock.h"

/*
 * Each record of a run has a bit in dtls_run.fresh, and one call of
 * dtls_replay_check_run() takes a whole run.
 */
static_assert(DTLS_RUN_MAX <= DTLS_REPLAY_RUN_MAX &&
	      DTLS_RUN_MAX <= BITS_PER_BYTE * sizeof_field(struct dtls_run, fresh));

/*
 * Copy @len bytes at @offset of @rx->skb to @to. @piece is their address, or NULL if
 * they lie in several pieces of memory. Return false if they cannot be read.
 */
bool dtls_admit_copy(const struct dtls_run *rx, const u8 *piece,
		     unsigned int offset, unsigned int len, u8 *to)
{
	if (!piece)
		return !skb_copy_bits(rx->skb, offset, to, len);
	memcpy(to, piece, len);
	return true;
}

/*
 * Return the record of @len bytes at d->pos in one piece of memory that nobody else
 * writes to, or NULL if there is no room for a copy. A cipher reads the ciphertext
 * twice, to verify and to decrypt it, and must find the same bytes both times. So
 * bytes that somebody else may write to are copied to @rx->room.
 */
static const u8 *steady_record(struct dtls_run *rx, struct dtls_dgram *d,
			       unsigned int len)
{
	const u8 *piece = dtls_dgram_peek(d, len);
	unsigned int place;

	if (piece && d->piece_ours)
		return piece;
	place = dtls_scratch_place(rx->used, len);
	if (place + len > DTLS_SCRATCH_ROOM ||
	    !dtls_admit_copy(rx, piece, d->pos, len, rx->room + place))
		return NULL;
	rx->used = place + len;
	return rx->room + place;
}

/*
 * Decrypt the part of the sequence number in a unified header (RFC 9147 4.2.3), and
 * find the whole number from the next one that the window expects (RFC 9147 4.2.2).
 * Other readers move the window, so the caller holds the lock of @assoc.
 */
void dtls_admit_number(struct dtls_assoc *assoc, struct dtls_run *rx)
{
	struct dtls_epoch *epoch = rx->epoch;
	u8 mask[DTLS_SAMPLE_SIZE];

	lockdep_assert_held(&assoc->lock);
	/* A number that cannot be decrypted is taken as it is: no tag fits it. */
	if (dtls_mask_make(&epoch->key, rx->wire[0] + rx->rec.header_len, mask))
		memset(mask, 0, sizeof(mask));
	dtls_record_resolve(&rx->rec, mask, epoch->number, epoch->replay.next);
}

/*
 * Return true if the record at @p, which is as long as those of @rx, has the header
 * that the @n-th record of @rx must have.
 */
static bool follows_run(const struct dtls_run *rx, unsigned int n, const u8 *p)
{
	u8 mask[DTLS_SAMPLE_SIZE];

	if (!rx->rec.unified)
		return dtls_record_follows(&rx->rec, n, p);
	return !dtls_mask_make(&rx->epoch->key, p + rx->rec.header_len, mask) &&
	       dtls_record_follows_unified(&rx->rec, n, p, mask);
}

/*
 * Add to @rx the records that follow in @d, each in a datagram of its own, as long as
 * their numbers are consecutive and there are fewer than @max. Most coalesced skbs
 * are one such run. The caller holds dtls_sock.lock and the association's lock.
 */
void dtls_admit_extend(struct dtls_sock *ds, struct dtls_dgram *d,
		       struct dtls_run *rx, unsigned int max)
{
	unsigned int size = dtls_run_size(rx), n;
	const u8 *p;

	lockdep_assert_held(&rx->assoc->lock);
	if (d->skb != rx->skb || d->seg_len != size)
		return;
	for (n = 1; n < max && d->end - d->pos >= size; n++) {
		p = steady_record(rx, d, size);
		if (!p || !follows_run(rx, n, p))
			break;
		rx->wire[n] = p;
		d->pos += size;
	}
	rx->n = n;
	dtls_dgram_next_segment(d);
	if (d->pos == d->end)
		dtls_dgram_end(ds, d);
}
