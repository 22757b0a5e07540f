// SPDX-License-Identifier: GPL-2.0
/* A key's life: from the option that brings it to the last record under it. */
#include <linux/err.h>
#include <linux/slab.h>

#include "epoch.h"

/* Each event is a bit of dtls_epoch.told. */
static_assert(DTLS_EVENT_RX_EXPIRED < BITS_PER_LONG);

/**
 * dtls_epoch_new() - ready a key for use
 * @info:	checked
 * @cipher:	of @info
 * @replay_window: records; 0 for a write key
 *
 * Sleeps. Return: an epoch with one reference, or an error.
 */
struct dtls_epoch *dtls_epoch_new(const struct dtls_key_info *info,
				  const struct dtls_aead *cipher,
				  u32 replay_window)
{
	struct dtls_epoch *epoch;
	u64 *ring = NULL;
	int err;

	epoch = kzalloc(sizeof(*epoch), GFP_KERNEL_ACCOUNT);
	if (!epoch)
		return ERR_PTR(-ENOMEM);

	if (replay_window) {
		ring = kzalloc(replay_window / 8, GFP_KERNEL_ACCOUNT);
		if (!ring) {
			kfree(epoch);
			return ERR_PTR(-ENOMEM);
		}
		dtls_replay_init(&epoch->replay, ring, replay_window,
				 info->rec_seq);
	}

	err = dtls_key_init(&epoch->key, info, cipher, !replay_window);
	if (err) {
		kfree(ring);
		kfree(epoch);
		return ERR_PTR(err);
	}

	refcount_set(&epoch->refs, 1);
	epoch->number = info->epoch;
	epoch->limit = min(info->limit ?: cipher->seal_limit, DTLS_SEQ_MAX);
	atomic64_set(&epoch->seq, info->rec_seq);
	return epoch;
}

/* Process context; see struct dtls_epoch. */
void dtls_epoch_put(struct dtls_epoch *epoch)
{
	if (!epoch || !refcount_dec_and_test(&epoch->refs))
		return;
	dtls_key_destroy(&epoch->key);
	kfree(epoch->replay.ring);
	kfree_rcu(epoch, rcu);
}

/**
 * dtls_epoch_take_seq() - take sequence numbers that nobody else gets
 * @epoch:	write epoch
 * @n:		how many, in a row
 * @seq:	set to the first
 *
 * A number taken is spent, whatever becomes of its record. The counter stops
 * at the limit: it neither passes it nor wraps.
 *
 * Return: how many it were, fewer only if no more are left, or -EKEYEXPIRED.
 */
int dtls_epoch_take_seq(struct dtls_epoch *epoch, unsigned int n, u64 *seq)
{
	s64 old = atomic64_read(&epoch->seq);

	do {
		if ((u64)old >= epoch->limit)
			return -EKEYEXPIRED;
		n = min_t(u64, n, epoch->limit - old);
	} while (!atomic64_try_cmpxchg(&epoch->seq, &old, old + n));

	*seq = old;
	return n;
}

/* Is it time to tell the library that the write key nears its limit? Once. */
bool dtls_epoch_tx_warn(struct dtls_epoch *epoch)
{
	return unlikely((u64)atomic64_read(&epoch->seq) >=
			epoch->limit - epoch->limit / 8) &&
	       !test_and_set_bit(DTLS_EVENT_TX_LIMIT, &epoch->told);
}

/*
 * Return true if the forgeries under the read key have come to what @event
 * tells, and the library is to be told so, now and once.
 */
bool dtls_epoch_rx_warn(struct dtls_epoch *epoch, u16 event)
{
	u64 forged = atomic64_read(&epoch->key.forged);
	u64 at = epoch->key.open_limit;

	if (event == DTLS_EVENT_RX_LIMIT)
		at -= at / 8;
	return forged >= at && !test_and_set_bit(event, &epoch->told);
}

/* The event did not reach the library: let the next record bring it up. */
void dtls_epoch_warn_again(struct dtls_epoch *epoch, u16 event)
{
	clear_bit(event, &epoch->told);
}

/* Give the replay window another size; what it knows is kept. Sleeps. */
int dtls_epoch_resize(struct dtls_epoch *epoch, spinlock_t *lock, u32 size)
{
	u64 *ring = kzalloc(size / 8, GFP_KERNEL_ACCOUNT);

	if (!ring)
		return -ENOMEM;
	spin_lock(lock);
	ring = dtls_replay_resize(&epoch->replay, ring, size);
	spin_unlock(lock);
	kfree(ring);
	return 0;
}
