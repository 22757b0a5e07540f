/* SPDX-License-Identifier: GPL-2.0 */
/* An epoch is a key with its sequence numbers and limits. See epoch.c. */
#ifndef _DTLS_EPOCH_H
#define _DTLS_EPOCH_H

#include <linux/atomic.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>

#include "key.h"
#include "replay.h"

/**
 * struct dtls_epoch - a key, its sequence numbers and its limits
 * @refs:	one reference held by the association's slot, and one by each
 *		record that is being sealed or opened
 * @used:	read epoch: when the first record was opened, in seconds since boot; 0
 *		if no record was opened yet
 * @rcu:	frees the structure. A reader of a slot gets its reference under
 *		RCU
 * @told:	bit DTLS_EVENT_* is set if the event that tells the library of a limit
 *		is queued, or a task is about to queue it
 * @number:	the epoch's number
 * @limit:	write epoch: the first sequence number that must not be used; read
 *		epoch: number of forgeries after which the key opens no more records
 * @seq:	write epoch: the next sequence number
 * @forged:	read epoch: how many records had a wrong tag
 * @replay:	read epoch: the replay window, guarded by dtls_assoc.lock
 * @key:	the key
 *
 * The members that each record changes come first, so that they share no cache line
 * with the members of @key, which every task that sends reads. An idle association is
 * little more than its two epochs. An epoch with a key of 16 bytes takes 192 bytes.
 *
 * The last reference is put in process context without a spin lock held, which frees
 * the transforms at once: once @refs is zero, no reader of a slot can get a reference
 * any more.
 */
struct dtls_epoch {
	refcount_t refs;
	u32 used;
	struct rcu_head rcu;
	unsigned long told;
	u64 number;
	u64 limit;
	union {
		atomic64_t seq;
		atomic64_t forged;
	};
	struct dtls_replay replay;
	struct dtls_key key;
};

struct dtls_epoch *dtls_epoch_new(const struct dtls_key_info *info,
				  const struct dtls_aead *cipher,
				  u32 replay_window, bool own);
void dtls_epoch_free(struct dtls_epoch *epoch);
int __must_check dtls_epoch_take_seq(struct dtls_epoch *epoch, unsigned int n,
				     u64 *seq);
bool dtls_epoch_rx_warn(struct dtls_epoch *epoch, u16 event);
void dtls_epoch_warn_again(struct dtls_epoch *epoch, u16 event);
int __must_check dtls_epoch_resize(struct dtls_epoch *epoch, spinlock_t *lock,
				   u32 size);

/*
 * Put a reference to @epoch, which may be NULL. The caller is in process context and
 * holds no spin lock, as the last reference frees the transforms, which sleeps.
 */
static inline void dtls_epoch_put(struct dtls_epoch *epoch)
{
	if (epoch && refcount_dec_and_test(&epoch->refs))
		dtls_epoch_free(epoch);
}

/*
 * Return true if 7/8 of the write key's limit are used up and the library has not been
 * told. The caller then queues DTLS_EVENT_TX_LIMIT.
 */
static inline bool dtls_epoch_tx_warn(struct dtls_epoch *epoch)
{
	return unlikely((u64)atomic64_read(&epoch->seq) >=
			epoch->limit - epoch->limit / 8) &&
	       !test_and_set_bit(DTLS_EVENT_TX_LIMIT, &epoch->told);
}

#endif /* _DTLS_EPOCH_H */
