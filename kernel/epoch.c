// SPDX-License-Identifier: GPL-2.0
/*
 * This file makes and frees epochs, takes sequence numbers from the write epoch, and
 * watches the limits of keys.
 */
#include <linux/err.h>
#include <linux/slab.h>

#include "epoch.h"
#include "mask.h"
#include "transform.h"

/* Each event has a bit in dtls_epoch.told. */
static_assert(DTLS_EVENT_RX_EXPIRED < BITS_PER_LONG);

/* Set @ring to memory for a window of @size numbers. Sleeps. Return: 0 or -ENOMEM. */
static int new_ring(u32 size, u64 **ring)
{
	u32 room = dtls_replay_room(size);

	*ring = room ? kmalloc(room, GFP_KERNEL_ACCOUNT) : NULL;
	return *ring || !room ? 0 : -ENOMEM;
}

/* make_window() gives a read epoch its replay window. Return: 0 or -ENOMEM. */
static int make_window(struct dtls_epoch *epoch, u32 size, u64 floor)
{
	u64 *ring;

	if (new_ring(size, &ring))
		return -ENOMEM;
	dtls_replay_init(&epoch->replay, ring, size, floor);
	return 0;
}

/**
 * dtls_epoch_new() - make an epoch
 * @info:	the user's key, checked by check_key()
 * @cipher:	the AEAD of the key
 * @replay_window: size of the window of a read key, in records; 0: a write key
 * @own:	the key has transforms of its own: records need not wait for one, but
 *		it takes ten times the memory
 *
 * Sleeps. Return: an epoch with one reference, or an error.
 */
struct dtls_epoch *dtls_epoch_new(const struct dtls_key_info *info,
				  const struct dtls_aead *cipher,
				  u32 replay_window, bool own)
{
	struct dtls_epoch *epoch;
	bool write = !replay_window;
	int err = 0;

	epoch = kzalloc(struct_size(epoch, key.bytes,
				    dtls_key_room(info, cipher, own)),
			GFP_KERNEL_ACCOUNT);
	if (!epoch)
		return ERR_PTR(-ENOMEM);

	refcount_set(&epoch->refs, 1);
	epoch->number = info->epoch;
	if (write) {
		epoch->limit = min(info->limit ?: cipher->seal_limit,
				   DTLS_SEQ_MAX);
		atomic64_set(&epoch->seq, info->rec_seq);
	} else {
		epoch->limit = info->limit ?: cipher->open_limit;
		err = make_window(epoch, replay_window, info->rec_seq);
	}
	dtls_key_init(&epoch->key, info, cipher, own);
	err = err ?: dtls_transform_init(&epoch->key, info->key);
	err = err ?: dtls_mask_init(&epoch->key, info->sn_key, write);
	if (!err)
		return epoch;
	dtls_epoch_free(epoch);
	return ERR_PTR(err);
}

/*
 * Free @epoch, as dtls_epoch_put() has put the last reference. Nothing of the key is
 * left then, in no transform either. Sleeps.
 */
void dtls_epoch_free(struct dtls_epoch *epoch)
{
	might_sleep();
	dtls_transform_destroy(&epoch->key);
	dtls_mask_destroy(&epoch->key);
	dtls_key_wipe(&epoch->key);
	kfree(dtls_replay_ring(&epoch->replay));
	kfree_rcu(epoch, rcu);
}

/**
 * dtls_epoch_take_seq() - take sequence numbers that no other record gets
 * @epoch:	write epoch
 * @n:		how many numbers in a row are wanted
 * @seq:	set to the first one
 *
 * A number that was taken is spent, whatever becomes of its record. The counter
 * stops at the limit: it neither passes the limit nor wraps around.
 *
 * Return: how many numbers were taken, which are fewer than @n only if no more
 * are left; or -EKEYEXPIRED.
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

/*
 * Return true if the forgeries under the read key have reached the number that @event
 * stands for and the library has not been told: 7/8 of the key's limit for
 * DTLS_EVENT_RX_LIMIT, the limit for DTLS_EVENT_RX_EXPIRED. The caller then queues
 * @event.
 */
bool dtls_epoch_rx_warn(struct dtls_epoch *epoch, u16 event)
{
	u64 forged = atomic64_read(&epoch->forged);
	u64 at = epoch->limit;

	if (event == DTLS_EVENT_RX_LIMIT)
		at -= at / 8;
	return forged >= at && !test_and_set_bit(event, &epoch->told);
}

/* Note that @event could not be queued, so that the next record tries it again. */
void dtls_epoch_warn_again(struct dtls_epoch *epoch, u16 event)
{
	clear_bit(event, &epoch->told);
}

/*
 * Set the size of the replay window of @epoch to @size records. Numbers that were
 * received stay so. @lock is the association's lock, which this function takes.
 * Sleeps. Return: 0 or -ENOMEM.
 */
int dtls_epoch_resize(struct dtls_epoch *epoch, spinlock_t *lock, u32 size)
{
	u64 *ring;

	if (new_ring(size, &ring))
		return -ENOMEM;
	spin_lock(lock);
	ring = dtls_replay_resize(&epoch->replay, ring, size);
	spin_unlock(lock);
	kfree(ring);
	return 0;
}
