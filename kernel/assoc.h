/* SPDX-License-Identifier: GPL-2.0 */
/* An association holds the keys, epochs and counters of one peer. */
#ifndef _DTLS_ASSOC_H
#define _DTLS_ASSOC_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rbtree_types.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "hash.h"

struct dtls_counters;
struct dtls_epoch;
struct dtls_flow_entry;
struct dtls_info;
struct dtls_record;
struct dtls_sock;
struct dtls_table;

/*
 * An association has the read keys of at most so many epochs: the previous one,
 * the current one and the next one.
 */
#define DTLS_RX_EPOCHS	3

/*
 * enum dtls_count names the counters of an association that several tasks may
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
 * @n:		how many connection IDs are in @cid
 * @cid:	the connection IDs side by side, each of dtls_assoc.rx_cid_len
 *		bytes, the newest last
 */
struct dtls_cid_list {
	struct rcu_head rcu;
	unsigned int n;
	u8 cid[];
};

/**
 * struct dtls_retiring - the associations of a socket that have old read keys
 * @lock:	spin lock that guards @tree. A task takes it inside dtls_assoc.lock, and
 *		in process context only
 * @tree:	the associations, linked by dtls_assoc.retire and ordered by
 *		dtls_assoc.retire_at: peers decide how many there are, and when each
 *		comes and goes. The tree holds a reference to each association
 * @work:	drops old epochs from dtls_assoc.rx. It is scheduled, for the time of the
 *		first association, or running, whenever @tree is not empty
 */
struct dtls_retiring {
	spinlock_t lock;	/* The lock guards @tree. */
	struct rb_root_cached tree;
	struct delayed_work work;
};

/**
 * struct dtls_assoc - the keys, epochs, numbers and counters of one peer
 * @lock:	spin lock that guards the replay windows of @rx and the members
 *		from @under_way to @rx_bytes. A task takes it inside
 *		dtls_sock.lock, and in process context only
 * @refs:	number of references: the table holds one, and so does each
 *		datagram, run of records, message and system call that concerns
 *		the association. References to the association with @id 0 are not
 *		counted, as it lives as long as its socket
 * @under_way:	runs of records that were checked against a replay window and are
 *		not marked in it yet
 * @heard:	when the last record was verified, in nanoseconds of CLOCK_MONOTONIC;
 *		0: no record was verified yet
 * @heard_tick:	the jiffies when a record was last verified; 0: @heard tells it
 * @rx_records:	how many application records were verified
 * @rx_bytes:	how many bytes of content the records of @rx_records had
 * @count:	the counters that enum dtls_count names
 * @id:		number that the user gave the association, unique on its socket.
 *		0: the association of a connected socket; on a socket with a table,
 *		the one that stands for datagrams of strangers
 * @flow:	the association's entry in dtls_table.flows, or NULL. Written under
 *		dtls_table.lock, read under RCU
 * @tx:		the current write epoch, or NULL
 * @rx:		the read epochs, the newest first
 * @newest_rx:	number of the newest read epoch, or 0. Written after @rx, so a
 *		task that reads a number here finds that epoch in @rx
 * @cids:	connection IDs that this end gave the peer besides those of the
 *		read keys, or NULL
 * @replay_window: size of the replay window that the next read key gets, in
 *		records
 * @version:	DTLS_VERSION_* of every key; 0: no key was set yet
 * @rx_cid_len:	bytes of connection ID in every received record that has one
 * @succeeds:	the association gets its address from another one with its first
 *		record that is verified. Written under the table's lock
 * @eof:	the peer sent close_notify, and every record that was taken in
 *		before close_notify is with a reader or in a queue
 * @reset:	the peer sent a fatal alert. Guarded by dtls_sock.lock
 * @retire_at:	when the work of @retiring looks at @rx, in seconds since boot
 * @held:	how many messages refer to the association
 * @early_bytes: memory of early records in @early and dtls_sock.pending. Guarded
 *		by dtls_sock.lock
 * @control_bytes: memory of authenticated records in dtls_sock.control. Guarded
 *		by dtls_sock.lock
 * @setup:	mutex under which @version, @tx, @rx and @cids are written. A task
 *		that holds the mutex may load the module of a cipher
 * @home:	the socket that has the association, or NULL: the association was
 *		deleted or its socket is closed, and nothing of it may be queued any
 *		more. Written under @setup, @lock and dtls_sock.lock; see
 *		dtls_sock_lock_home()
 * @retiring:	dtls_sock.retiring of @home, or NULL. Written under @setup and the lock
 *		of the tree that it pointed to
 * @table:	the table whose @cids may have entries of the association, or NULL.
 *		Under @setup
 * @retire:	node in the tree of @retiring, guarded by the lock of that tree; empty
 *		if the association is not in it
 * @early:	records whose key has not come, linked by dtls_msg.own, the oldest
 *		first. Guarded by dtls_sock.lock
 * @cid_entries: the association's entries in dtls_table.cids, the newest last.
 *		Guarded by @setup
 * @by_id:	node in dtls_table.ids
 * @order:	node in dtls_table.order
 * @rcu:	frees the structure, which is in no table by then
 *
 * The members that each record changes come first, in one cache line. The structure has
 * a cache of its own, as one of many idle associations is little more than it.
 *
 * Lifetime: the association with @id 0 is made and freed with its socket. Any other
 * is added to the socket's table. Its last reference is put in process context
 * without a spin lock held, which frees the keys at once. Readers look at @tx, @rx
 * and @cids under RCU.
 */
struct dtls_assoc {
	spinlock_t lock;	/* The lock guards windows and what follows. */
	refcount_t refs;
	struct hlist_head under_way;
	u64 heard;
	u64 heard_tick;
	u64 rx_records;
	u64 rx_bytes;
	atomic64_t count[DTLS_COUNT_MAX];
	u64 id;
	struct dtls_flow_entry __rcu *flow;
	struct dtls_epoch __rcu *tx;
	struct dtls_epoch __rcu *rx[DTLS_RX_EPOCHS];
	atomic64_t newest_rx;
	struct dtls_cid_list __rcu *cids;
	u32 replay_window;
	u16 version;
	u8 rx_cid_len;
	bool succeeds;
	bool eof;
	bool reset;
	u32 retire_at;
	atomic_t held;
	unsigned int early_bytes;
	unsigned int control_bytes;
	struct mutex setup;	/* The mutex guards @tx, @rx, @cids and @version. */
	struct dtls_sock __rcu *home;
	struct dtls_retiring __rcu *retiring;
	struct dtls_table *table;
	struct rb_node retire;
	struct list_head early;
	struct list_head cid_entries;
	struct dtls_hash_node by_id;
	union {
		struct rb_node order;
		struct rcu_head rcu;
	};
};

/* Return the pointer @slot of @assoc. The caller holds the setup mutex. */
#define dtls_assoc_slot(assoc, slot)					\
	rcu_dereference_protected((slot), lockdep_is_held(&(assoc)->setup))

/* Return the number of the newest read epoch, or 0 if there is none. */
static inline u64 dtls_assoc_newest_rx(const struct dtls_assoc *assoc)
{
	/* The acquire pairs with the release in dtls_assoc_set_rx(). */
	return atomic64_read_acquire(&assoc->newest_rx);
}

/* Return the version of the association, DTLS_VERSION_*; 0 before the first key. */
static inline u16 dtls_assoc_version(const struct dtls_assoc *assoc)
{
	return READ_ONCE(assoc->version);
}

/* Take one more reference to @assoc. Return @assoc. */
static inline struct dtls_assoc *dtls_assoc_get(struct dtls_assoc *assoc)
{
	if (unlikely(assoc->id))
		refcount_inc(&assoc->refs);
	return assoc;
}

void dtls_assoc_free(struct dtls_assoc *assoc);

/*
 * Put a reference to @assoc, which may be NULL. The last reference frees the keys,
 * which may sleep, so the caller holds no spin lock.
 */
static inline void dtls_assoc_put(struct dtls_assoc *assoc)
{
	if (assoc && unlikely(assoc->id) &&
	    refcount_dec_and_test(&assoc->refs))
		dtls_assoc_free(assoc);
}

struct dtls_assoc *dtls_assoc_new(u64 id, u32 replay_window,
				  struct dtls_sock *home,
				  struct dtls_retiring *retiring);
int __must_check dtls_assoc_setup(void);
void dtls_assoc_exit(void);
void dtls_assoc_set_retiring(struct dtls_assoc *assoc,
			     struct dtls_retiring *to);
void dtls_assoc_init_retiring(struct dtls_retiring *retiring);
void dtls_assoc_stop_retiring(struct dtls_retiring *retiring);
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
