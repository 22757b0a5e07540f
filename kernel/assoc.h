/* SPDX-License-Identifier: GPL-2.0 */
/* An association is what is shared with one peer. */
#ifndef _DTLS_ASSOC_H
#define _DTLS_ASSOC_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct dtls_counters;
struct dtls_epoch;
struct dtls_info;
struct dtls_record;

#define DTLS_RX_EPOCHS	3	/* previous, current, next */

/*
 * enum dtls_count is the counters of an association that several tasks may
 * raise at the same time.
 */
enum dtls_count {
	DTLS_COUNT_TX_RECORDS,
	DTLS_COUNT_TX_BYTES,
	DTLS_COUNT_RX_REPLAYS,
	DTLS_COUNT_RX_AUTH_FAILED,
	DTLS_COUNT_RX_NO_KEY,
	DTLS_COUNT_RX_MALFORMED,
	DTLS_COUNT_RX_OVERSIZE,
	DTLS_COUNT_RX_EMPTY,
	DTLS_COUNT_RX_CONTROL,
	DTLS_COUNT_RX_NO_BUDGET,
	DTLS_COUNT_RX_EXPIRED,
	DTLS_COUNT_MAX
};

/**
 * struct dtls_cid_list - connection IDs beside those of the read keys
 * @rcu:	frees the list
 * @n:		how many there are
 * @cid:	the connection IDs side by side, each of dtls_assoc.rx_cid_len
 *		bytes, the newest last
 */
struct dtls_cid_list {
	struct rcu_head rcu;
	unsigned int n;
	u8 cid[];
};

/**
 * struct dtls_assoc - what is shared with one peer: keys, numbers, counters
 * @version:	DTLS_VERSION_* of every key
 * @rx_cid_len:	bytes of connection ID in every received record that has one
 * @eof:	the peer sent close_notify, and every record that was taken in
 *		before it is with a reader or in a queue
 * @replay_window: size of the window of a read key that comes, in records
 * @tx:		the current write epoch, or NULL
 * @rx:		the read epochs, the newest first
 * @newest_rx:	number of the newest read epoch, or 0; written after @rx, so who
 *		reads a number here finds its epoch there
 * @cids:	connection IDs that this end gave the peer besides those of the
 *		read keys, or NULL
 * @setup:	dtls_sock.setup: the mutex under which @tx, @rx and @cids are
 *		written
 * @retire:	work that takes old epochs out of @rx, under the mutex
 * @lock:	spin lock around the windows of @rx and the members behind it.
 *		Taken in process context alone, inside of dtls_sock.lock
 * @under_way:	runs of records that were held against a window and are not
 *		marked in it yet
 * @rx_records:	how many application records were verified
 * @rx_bytes:	how many bytes of content they had
 * @count:	see enum dtls_count
 *
 * Lifetime: made with the first key of its socket and freed in close(), which
 * waits for @retire. No call runs on a socket that is being closed, so the data
 * path uses the association without a reference. The slots are read under RCU.
 */
struct dtls_assoc {
	u16 version;
	u8 rx_cid_len;
	bool eof;
	u32 replay_window;
	struct dtls_epoch __rcu *tx;
	struct dtls_epoch __rcu *rx[DTLS_RX_EPOCHS];
	atomic64_t newest_rx;
	struct dtls_cid_list __rcu *cids;
	struct mutex *setup;	/* of the slots above */
	struct delayed_work retire;
	spinlock_t lock ____cacheline_aligned_in_smp;
	struct hlist_head under_way;
	u64 rx_records;
	u64 rx_bytes;
	atomic64_t count[DTLS_COUNT_MAX];
};

/* Return the pointer @slot of @assoc to a caller with the setup mutex. */
#define dtls_assoc_slot(assoc, slot)					\
	rcu_dereference_protected((slot), lockdep_is_held((assoc)->setup))

/*
 * Return the number of the newest read epoch, or 0 if there is none. @assoc may
 * be NULL.
 */
static inline u64 dtls_assoc_newest_rx(const struct dtls_assoc *assoc)
{
	/* Pairs with dtls_assoc_set_rx(). */
	return assoc ? atomic64_read_acquire(&assoc->newest_rx) : 0;
}

struct dtls_assoc *
dtls_assoc_new(u16 version, u32 replay_window, struct mutex *setup);
void dtls_assoc_free(struct dtls_assoc *assoc);
int __must_check dtls_assoc_set_tx(struct dtls_assoc *assoc,
				   struct dtls_epoch *epoch);
int __must_check dtls_assoc_set_rx(struct dtls_assoc *assoc,
				   struct dtls_epoch *epoch);
struct dtls_epoch *dtls_assoc_tx(struct dtls_assoc *assoc);
struct dtls_epoch *dtls_assoc_rx(struct dtls_assoc *assoc, u64 number);
void dtls_assoc_used(struct dtls_assoc *assoc, struct dtls_epoch *epoch);
int __must_check dtls_assoc_add_cid(struct dtls_assoc *assoc, const u8 *cid);
bool dtls_assoc_knows_cid(const struct dtls_assoc *assoc,
			  const struct dtls_record *rec);
void dtls_assoc_info(struct dtls_assoc *assoc, struct dtls_info *info);
void dtls_assoc_counters(struct dtls_assoc *assoc,
			 struct dtls_counters *counters);

#endif /* _DTLS_ASSOC_H */
