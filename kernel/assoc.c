// SPDX-License-Identifier: GPL-2.0
/*
 * An association holds the epochs of one peer. This file makes and frees
 * associations, puts keys into their slots, drops old read keys, and keeps the list
 * of connection IDs. See struct dtls_assoc for locks and lifetimes.
 */
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/rbtree.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "assoc.h"
#include "epoch.h"

/*
 * msl is the maximum segment lifetime in seconds. RFC 793 3.3 says 2 minutes, after
 * which no packet is on its way any more.
 */
static unsigned short msl = 120;
module_param(msl, ushort, 0644);
MODULE_PARM_DESC(msl, "Seconds a read key stays when a newer one is in use");

/*
 * Drop the read keys of @assoc whose time is over. Records may overtake each
 * other, so an old read key stays when a newer one is in use, but for no longer
 * than the maximum segment lifetime (RFC 9147 4.2.1, RFC 6347 4.1). Takes the setup
 * mutex, but does not wait for it: that could keep a worker of all the system from its
 * work for as long as a user's task wants. Return the seconds until the next key's time is
 * over, or until the next try; or 0 if no key waits for its end.
 */
static int retire_epochs(struct dtls_assoc *assoc)
{
	u32 now = ktime_get_boottime_seconds(), since = 0;
	struct dtls_epoch *epoch;
	int i, left, wait = 0, keep = READ_ONCE(msl);

	if (!mutex_trylock(&assoc->setup))
		return 1;
	for (i = 0; i < DTLS_RX_EPOCHS; i++) {
		epoch = dtls_assoc_slot(assoc, assoc->rx[i]);
		if (!epoch)
			break;
		left = since ? (int)(since - now) + keep : 0;
		if (since && left <= 0) {
			RCU_INIT_POINTER(assoc->rx[i], NULL);
			dtls_epoch_put(epoch);
			continue;
		}
		wait = left;
		since = min_not_zero(since, READ_ONCE(epoch->used));
	}
	mutex_unlock(&assoc->setup);
	return wait;
}

/* ---- one work item for all associations of a socket ---- */

/* One call of retire_some() looks at so many associations at most. */
#define RETIRE_MAX	64

/* Return true if @at is later than @now. Both are in seconds since boot. */
static bool is_later(u32 at, u32 now)
{
	return (s32)(at - now) > 0;
}

/* Return true if the work looks at the association of @node before that of @other. */
static bool is_earlier(struct rb_node *node, const struct rb_node *other)
{
	return is_later(rb_entry(other, struct dtls_assoc, retire)->retire_at,
			rb_entry(node, struct dtls_assoc, retire)->retire_at);
}

/*
 * Put @assoc into the tree of @r, which takes over one reference. If it is the first one
 * there, let the work come in @wait seconds. The caller holds r->lock.
 */
static void link_retiring(struct dtls_retiring *r, struct dtls_assoc *assoc, int wait)
{
	lockdep_assert_held(&r->lock);
	assoc->retire_at = (u32)ktime_get_boottime_seconds() + wait;
	if (!rb_add_cached(&assoc->retire, &r->tree, is_earlier))
		return;
	cancel_delayed_work(&r->work);
	schedule_delayed_work(&r->work, wait * HZ);
}

/* Take @assoc out of the tree of @r. The caller holds r->lock. */
static void unlink_retiring(struct dtls_retiring *r, struct dtls_assoc *assoc)
{
	lockdep_assert_held(&r->lock);
	rb_erase_cached(&assoc->retire, &r->tree);
	RB_CLEAR_NODE(&assoc->retire);
}

/* Return the association that @r looks at next, or NULL. The caller holds r->lock. */
static struct dtls_assoc *first_retiring(struct dtls_retiring *r)
{
	struct rb_node *node = rb_first_cached(&r->tree);

	lockdep_assert_held(&r->lock);
	return node ? rb_entry(node, struct dtls_assoc, retire) : NULL;
}

/*
 * Put @assoc into the tree of @r, for @wait seconds at most if it is there already. Return
 * false if @r is not what the association has in dtls_assoc.retiring any more.
 */
static bool enter_retiring(struct dtls_retiring *r, struct dtls_assoc *assoc, int wait)
{
	u32 at = (u32)ktime_get_boottime_seconds() + wait;
	bool here;

	spin_lock(&r->lock);
	/* The acquire pairs with the release in dtls_assoc_set_retiring(). */
	here = unrcu_pointer(smp_load_acquire(&assoc->retiring)) == r;
	if (here && RB_EMPTY_NODE(&assoc->retire)) {
		link_retiring(r, dtls_assoc_get(assoc), wait);
	} else if (here && is_later(assoc->retire_at, at)) {
		unlink_retiring(r, assoc);
		link_retiring(r, assoc, wait);
	}
	spin_unlock(&r->lock);
	return here;
}

/*
 * Make the work of the socket that has @assoc look at it in @wait seconds. The keys of a
 * deleted association go with its last reference.
 */
static void retire_later(struct dtls_assoc *assoc, int wait)
{
	struct dtls_retiring *r;

	rcu_read_lock();
	do {
		r = rcu_dereference(assoc->retiring);
	} while (r && !enter_retiring(r, assoc, wait));
	rcu_read_unlock();
}

/*
 * Take the first association whose time has come out of the tree. Return it, with
 * the reference that the tree held. Return NULL if there is none: then the work is
 * scheduled for the next association, or ends because the tree is empty.
 */
static struct dtls_assoc *next_retiring(struct dtls_retiring *r)
{
	u32 now = ktime_get_boottime_seconds();
	struct dtls_assoc *assoc;

	spin_lock(&r->lock);
	assoc = first_retiring(r);
	if (assoc && is_later(assoc->retire_at, now)) {
		schedule_delayed_work(&r->work, (assoc->retire_at - now) * HZ);
		assoc = NULL;
	}
	if (assoc)
		unlink_retiring(r, assoc);
	spin_unlock(&r->lock);
	return assoc;
}

/*
 * retire_some() is the work of struct dtls_retiring. It drops the old read keys of
 * associations whose time has come, and queues those again that have keys left to drop.
 * After RETIRE_MAX associations it goes to the end of the workqueue, which other parts of
 * the system use, too, and which waits for each work to end.
 */
static void retire_some(struct work_struct *work)
{
	struct dtls_retiring *r = container_of(to_delayed_work(work),
					       struct dtls_retiring, work);
	struct dtls_assoc *assoc;
	int wait, n;

	for (n = 0; n < RETIRE_MAX; n++) {
		assoc = next_retiring(r);
		if (!assoc)
			return;
		wait = retire_epochs(assoc);
		if (wait)
			retire_later(assoc, wait);
		dtls_assoc_put(assoc);
		cond_resched();
	}
	schedule_delayed_work(&r->work, 0);
}

/*
 * Let @to look at @assoc from now on, as another socket has it, or NULL, as none has. If
 * the association was in the tree of the former one, it goes to the tree of @to, or the
 * reference of that tree does not keep its keys. The association leaves the former tree
 * before that tree's lock is free, so no task finds it in two trees. The caller holds the
 * setup mutex and a reference of its own.
 */
void dtls_assoc_set_retiring(struct dtls_assoc *assoc, struct dtls_retiring *to)
{
	struct dtls_retiring *from = dtls_assoc_slot(assoc, assoc->retiring);
	bool linked;

	spin_lock(&from->lock);
	linked = !RB_EMPTY_NODE(&assoc->retire);
	if (linked)
		unlink_retiring(from, assoc);
	/* The release pairs with the acquire in enter_retiring(). */
	rcu_assign_pointer(assoc->retiring, to);
	spin_unlock(&from->lock);
	if (!linked)
		return;
	retire_later(assoc, 1);
	dtls_assoc_put(assoc);
}

void dtls_assoc_init_retiring(struct dtls_retiring *retiring)
{
	spin_lock_init(&retiring->lock);
	retiring->tree = RB_ROOT_CACHED;
	INIT_DELAYED_WORK(&retiring->work, retire_some);
}

/*
 * Stop the work and empty the tree. dtls_close() calls this when no other call is
 * on the socket that could schedule the work again. Sleeps.
 */
void dtls_assoc_stop_retiring(struct dtls_retiring *retiring)
{
	struct dtls_assoc *assoc, *next;

	cancel_delayed_work_sync(&retiring->work);
	rbtree_postorder_for_each_entry_safe(assoc, next, &retiring->tree.rb_root, retire) {
		RB_CLEAR_NODE(&assoc->retire);
		dtls_assoc_put(assoc);
		cond_resched();
	}
	retiring->tree = RB_ROOT_CACHED;
}

/* ---- creation and destruction ---- */

/* The cache has the memory of associations, charged to the cgroup of their makers. */
static struct kmem_cache *cache;

/* Make the slab cache of struct dtls_assoc. Return: 0 or -ENOMEM. */
int dtls_assoc_setup(void)
{
	cache = KMEM_CACHE(dtls_assoc, SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT);
	return cache ? 0 : -ENOMEM;
}

/* Destroy the slab cache, when no association is left and rcu_barrier() has returned. */
void dtls_assoc_exit(void)
{
	kmem_cache_destroy(cache);
}

/*
 * Free the memory of an association after a grace period. kfree_rcu() is not used, as
 * before 6.12 nothing waits for it when the cache is destroyed.
 */
static void free_memory(struct rcu_head *rcu)
{
	kmem_cache_free(cache, container_of(rcu, struct dtls_assoc, rcu));
}

/*
 * Make an association without keys. @id is its number on the socket, @replay_window
 * the size of the window of its read keys, @home the socket that has it, and @retiring
 * that socket's dtls_sock.retiring. Sleeps. Return: the association, with one reference, or NULL.
 */
struct dtls_assoc *dtls_assoc_new(u64 id, u32 replay_window,
				  struct dtls_sock *home,
				  struct dtls_retiring *retiring)
{
	struct dtls_assoc *assoc;

	assoc = kmem_cache_zalloc(cache, GFP_KERNEL);
	if (!assoc)
		return NULL;
	refcount_set(&assoc->refs, 1);
	assoc->id = id;
	assoc->replay_window = replay_window;
	RCU_INIT_POINTER(assoc->home, home);
	RCU_INIT_POINTER(assoc->retiring, retiring);
	mutex_init(&assoc->setup);
	INIT_LIST_HEAD(&assoc->cid_entries);
	RB_CLEAR_NODE(&assoc->retire);
	INIT_LIST_HEAD(&assoc->early);
	spin_lock_init(&assoc->lock);
	INIT_HLIST_HEAD(&assoc->under_way);
	return assoc;
}

/*
 * Free @assoc with its keys. Called by dtls_assoc_put() for the last reference, and
 * for the association with number 0 when its socket is freed. Sleeps.
 */
void dtls_assoc_free(struct dtls_assoc *assoc)
{
	int i;

	might_sleep();
	dtls_epoch_put(rcu_dereference_protected(assoc->tx, true));
	for (i = 0; i < DTLS_RX_EPOCHS; i++)
		dtls_epoch_put(rcu_dereference_protected(assoc->rx[i], true));
	kfree(rcu_dereference_protected(assoc->cids, true));
	mutex_destroy(&assoc->setup);
	call_rcu(&assoc->rcu, free_memory);
}

/* ---- keys ---- */

/*
 * Make @epoch the current write epoch and take over its reference. The caller holds
 * the setup mutex. Return: 0; or -EEXIST if @epoch is not newer than the current
 * write epoch, and the caller keeps the reference.
 */
int dtls_assoc_set_tx(struct dtls_assoc *assoc, struct dtls_epoch *epoch)
{
	struct dtls_epoch *old = dtls_assoc_slot(assoc, assoc->tx);

	lockdep_assert_held(&assoc->setup);
	if (old && epoch->number <= old->number)
		return -EEXIST;
	rcu_assign_pointer(assoc->tx, epoch);
	dtls_epoch_put(old);
	return 0;
}

/*
 * Make @epoch the newest read epoch and take over its reference. If all
 * DTLS_RX_EPOCHS slots are in use, the oldest epoch is dropped. The caller holds the
 * setup mutex. Return: 0; or -EEXIST if @epoch is not newer than the newest read
 * epoch, and the caller keeps the reference.
 */
int dtls_assoc_set_rx(struct dtls_assoc *assoc, struct dtls_epoch *epoch)
{
	struct dtls_epoch *e;
	int i;

	lockdep_assert_held(&assoc->setup);
	e = dtls_assoc_slot(assoc, assoc->rx[0]);
	if (e && epoch->number <= e->number)
		return -EEXIST;

	/*
	 * The oldest slot is written first. dtls_assoc_rx() reads the newest slot
	 * first, so it cannot miss an epoch that moves.
	 */
	e = dtls_assoc_slot(assoc, assoc->rx[DTLS_RX_EPOCHS - 1]);
	for (i = DTLS_RX_EPOCHS - 1; i > 0; i--)
		rcu_assign_pointer(assoc->rx[i],
				   dtls_assoc_slot(assoc, assoc->rx[i - 1]));
	rcu_assign_pointer(assoc->rx[0], epoch);
	/* The release pairs with the acquire in dtls_assoc_newest_rx(). */
	atomic64_set_release(&assoc->newest_rx, epoch->number);
	dtls_epoch_put(e);
	return 0;
}

/* Return the current write epoch with a reference, or NULL. */
struct dtls_epoch *dtls_assoc_tx(struct dtls_assoc *assoc)
{
	struct dtls_epoch *epoch;

	rcu_read_lock();
	do {
		epoch = rcu_dereference(assoc->tx);
	} while (epoch && !refcount_inc_not_zero(&epoch->refs));
	rcu_read_unlock();
	return epoch;
}

/*
 * Return the read epoch with @number, with a reference, or NULL. While
 * dtls_assoc_set_rx() shifts the slots, an epoch stands in two slots rather than in
 * none, so a search from the newest slot to the oldest one finds it.
 */
struct dtls_epoch *dtls_assoc_rx(struct dtls_assoc *assoc, u64 number)
{
	struct dtls_epoch *epoch;
	int i;

	rcu_read_lock();
	for (i = 0; i < DTLS_RX_EPOCHS; i++) {
		epoch = rcu_dereference(assoc->rx[i]);
		if (epoch && epoch->number == number &&
		    refcount_inc_not_zero(&epoch->refs))
			goto found;
		/* The barrier pairs with the stores of dtls_assoc_set_rx(). */
		smp_rmb();
	}
	epoch = NULL;
found:
	rcu_read_unlock();
	return epoch;
}

/*
 * Note that the first record of read epoch @epoch was opened, which starts the time
 * after which older read keys are dropped. The caller holds @assoc's lock.
 */
void dtls_assoc_used(struct dtls_assoc *assoc, struct dtls_epoch *epoch)
{
	lockdep_assert_held(&assoc->lock);
	WRITE_ONCE(epoch->used, ktime_get_boottime_seconds());
	if (rcu_access_pointer(assoc->rx[1]))
		retire_later(assoc, READ_ONCE(msl));
}

/* ---- connection IDs ---- */

/*
 * Add @cid, of dtls_assoc.rx_cid_len bytes, to the connection IDs that the peer may
 * use. If the list has DTLS_CIDS_MAX already, the oldest is dropped. The caller holds
 * the setup mutex. Return: 0 or -ENOMEM.
 */
int dtls_assoc_add_cid(struct dtls_assoc *assoc, const u8 *cid)
{
	struct dtls_cid_list *old = dtls_assoc_slot(assoc, assoc->cids);
	unsigned int len = assoc->rx_cid_len, keep = old ? old->n : 0, skip = 0;
	struct dtls_cid_list *cids;

	lockdep_assert_held(&assoc->setup);
	if (keep == DTLS_CIDS_MAX)
		skip = 1;
	keep -= skip;
	cids = kmalloc(struct_size(cids, cid, (keep + 1) * len),
		       GFP_KERNEL_ACCOUNT);
	if (!cids)
		return -ENOMEM;
	if (keep)
		memcpy(cids->cid, old->cid + skip * len, keep * len);
	memcpy(cids->cid + keep * len, cid, len);
	cids->n = keep + 1;
	rcu_assign_pointer(assoc->cids, cids);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

/*
 * Return true if @rec's connection ID is one that this end gave the peer. The
 * comparison takes no lock, so a read key that is dropped meanwhile may be wiped
 * under it and make the answer wrong. A wrong answer does no harm, because the
 * record is delivered only if its tag verifies as well.
 */
bool dtls_assoc_knows_cid(const struct dtls_assoc *assoc,
			  const struct dtls_record *rec)
{
	const struct dtls_epoch *epoch;
	const struct dtls_cid_list *cids;
	bool known = false;
	unsigned int i;

	rcu_read_lock();
	for (i = 0; i < DTLS_RX_EPOCHS && !known; i++) {
		epoch = rcu_dereference(assoc->rx[i]);
		known = epoch &&
			/* The key may be wiped meanwhile, as said above. */
			data_race(epoch->key.cid_len == rec->cid_len &&
				  !memcmp(rec->cid, dtls_key_cid(&epoch->key),
					  rec->cid_len));
	}
	cids = rcu_dereference(assoc->cids);
	for (i = 0; cids && i < cids->n && !known; i++)
		known = !memcmp(rec->cid, cids->cid + i * rec->cid_len,
				rec->cid_len);
	rcu_read_unlock();
	return known;
}

/* ---- state ---- */

/* Return the value of the counter @what of @assoc. */
static u64 read_count(struct dtls_assoc *assoc, enum dtls_count what)
{
	return atomic64_read(&assoc->count[what]);
}

/*
 * Return dtls_assoc.heard, after the tick that a reader has noted was turned into it. A
 * reader only notes the tick, as the clock costs more. The jiffies and the clock may be a
 * tick apart, and the time must not go back for that, so the later of the two times
 * counts. The caller holds the lock of @assoc.
 */
static u64 when_heard(struct dtls_assoc *assoc)
{
	u64 ago;

	lockdep_assert_held(&assoc->lock);
	if (assoc->heard_tick) {
		ago = jiffies64_to_nsecs(get_jiffies_64() - assoc->heard_tick);
		assoc->heard = max(assoc->heard, ktime_get_coarse_ns() - ago);
		assoc->heard_tick = 0;
	}
	return assoc->heard;
}

/*
 * Fill in @info from @assoc. The caller holds the setup mutex. Takes @assoc's lock
 * for the replay window.
 */
void dtls_assoc_info(struct dtls_assoc *assoc, struct dtls_info *info)
{
	struct dtls_epoch *tx = dtls_assoc_slot(assoc, assoc->tx);
	struct dtls_epoch *rx = dtls_assoc_slot(assoc, assoc->rx[0]);

	lockdep_assert_held(&assoc->setup);
	info->version = assoc->version;
	info->replay_window = assoc->replay_window;
	if (READ_ONCE(assoc->eof))
		info->flags |= DTLS_INFO_EOF;
	if (tx) {
		info->tx_cipher = tx->key.cipher->id;
		info->tx_epoch = tx->number;
		info->tx_seq = atomic64_read(&tx->seq);
		info->tx_limit = tx->limit;
	}

	spin_lock(&assoc->lock);
	info->heard = div_u64(when_heard(assoc), NSEC_PER_MSEC);
	if (rx) {
		info->rx_cipher = rx->key.cipher->id;
		info->rx_epoch = rx->number;
		info->rx_seq = rx->replay.next;
		info->rx_forged = atomic64_read(&rx->forged);
		info->rx_limit = rx->limit;
	}
	spin_unlock(&assoc->lock);
}

/*
 * Fill in @counters from @assoc. Takes @assoc's lock, so the caller is in process
 * context.
 */
void dtls_assoc_counters(struct dtls_assoc *assoc,
			 struct dtls_counters *counters)
{
	spin_lock(&assoc->lock);
	counters->rx_records = assoc->rx_records;
	counters->rx_bytes = assoc->rx_bytes;
	spin_unlock(&assoc->lock);

	counters->tx_records = read_count(assoc, DTLS_COUNT_TX_RECORDS);
	counters->tx_bytes = read_count(assoc, DTLS_COUNT_TX_BYTES);
	counters->rx_replays = read_count(assoc, DTLS_COUNT_RX_REPLAYS);
	counters->rx_auth_failed = read_count(assoc, DTLS_COUNT_RX_AUTH_FAILED);
	counters->rx_no_key = read_count(assoc, DTLS_COUNT_RX_NO_KEY);
	counters->rx_malformed = read_count(assoc, DTLS_COUNT_RX_MALFORMED);
	counters->rx_oversize = read_count(assoc, DTLS_COUNT_RX_OVERSIZE);
	counters->rx_empty = read_count(assoc, DTLS_COUNT_RX_EMPTY);
	counters->rx_control = read_count(assoc, DTLS_COUNT_RX_CONTROL);
	counters->rx_no_budget = read_count(assoc, DTLS_COUNT_RX_NO_BUDGET);
	counters->rx_expired = read_count(assoc, DTLS_COUNT_RX_EXPIRED);
}
