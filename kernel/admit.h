/* SPDX-License-Identifier: GPL-2.0 */
/* A record is admitted if there is a key and the window takes it. See admit.c. */
#ifndef _DTLS_ADMIT_H
#define _DTLS_ADMIT_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "assoc.h"
#include "epoch.h"
#include "record.h"
#include "replay.h"
#include "run.h"
#include "scratch.h"
#include "sock.h"

bool dtls_admit_copy(const struct dtls_run *rx, const u8 *piece,
		     unsigned int offset, unsigned int len, u8 *to);
void dtls_admit_number(struct dtls_assoc *assoc, struct dtls_run *rx);
void dtls_admit_extend(struct dtls_sock *ds, struct dtls_dgram *d,
		       struct dtls_run *rx, unsigned int max);

/*
 * Set @rx->wire[0] to the first record of @rx in one piece of memory that nobody else
 * writes to, as steady_record() does for the records behind it. The header is at
 * @rx->wire[0] already. It is copied from there and not from the skb, because it must
 * not be read a second time where others may write to it. Return false if the record
 * cannot be copied.
 */
static __always_inline bool dtls_admit_steady(struct dtls_run *rx)
{
	unsigned int head = rx->rec.header_len, size = dtls_run_size(rx);
	const u8 *piece = rx->piece;

	rx->used = 0;
	if (likely(piece && rx->ours))
		return true;
	if (size > DTLS_SCRATCH_ROOM ||
	    !dtls_admit_copy(rx, piece ? piece + head : NULL, rx->offset + head,
			     size - head, rx->room + head))
		return false;
	memcpy(rx->room, rx->wire[0], head);
	rx->wire[0] = rx->room;
	rx->used = size;
	return true;
}

/*
 * Return the epoch whose key may open @rx, with a reference, or NULL. A key of DTLS
 * 1.2 does not open records with a unified header, and a key of DTLS 1.3 opens no
 * others.
 */
static __always_inline struct dtls_epoch *dtls_admit_key(struct dtls_run *rx)
{
	u16 version = dtls_assoc_version(rx->assoc);

	/* Before the first key there is no version, and it does not change. */
	if (!version || dtls_is_13(version) != !!rx->rec.unified)
		return NULL;
	return dtls_assoc_rx(rx->assoc, rx->rec.epoch);
}

/*
 * Check @rx against the replay window, if there is a key for it, and set @rx->fresh.
 * Records that follow in @d become part of @rx, up to @max records in all. From here
 * to settle_run() in rx.c the run is under way: its records are accepted even if
 * another reader moves the window past them meanwhile. The caller holds
 * dtls_sock.lock. Takes the lock of the association inside it.
 */
static __always_inline void dtls_admit_run(struct dtls_sock *ds,
					   struct dtls_run *rx,
					   struct dtls_dgram *d,
					   unsigned int max)
{
	struct dtls_assoc *assoc = rx->assoc;
	bool steady;

	lockdep_assert_held(&ds->lock);
	/*
	 * The bytes come before the key, as a reference to an epoch must not be
	 * put under a spin lock.
	 */
	steady = rx->rec.epoch && rx->rec.header_len && dtls_admit_steady(rx);
	rx->epoch = steady ? dtls_admit_key(rx) : NULL;
	if (unlikely(!rx->epoch)) {
		/*
		 * A key that is set at the same time is either found now or
		 * newer than @rx->newest, so that route_unopened() in rx.c does
		 * not take the record for one of an old epoch. A record that
		 * was cut without a key, as its header has no known length, has
		 * to be cut again then: it keeps its @newest.
		 */
		if (rx->rec.header_len)
			rx->newest = dtls_assoc_newest_rx(assoc);
		rx->epoch = steady ? dtls_admit_key(rx) : NULL;
	}
	if (!rx->epoch)
		return;

	spin_lock(&assoc->lock);
	if (rx->rec.unified)
		dtls_admit_number(assoc, rx);
	if (max > 1)
		dtls_admit_extend(ds, d, rx, max);
	rx->fresh = dtls_replay_check_run(&rx->epoch->replay, rx->rec.seq,
					  rx->n);
	hlist_add_head(&rx->under_way, &assoc->under_way);
	spin_unlock(&assoc->lock);
}

#endif /* _DTLS_ADMIT_H */
