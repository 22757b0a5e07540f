// SPDX-License-Identifier: GPL-2.0
/*
 * This file is the table of a socket's associations. Three hash tables find an
 * association in constant time: by the number that the user gave it, by the addresses of
 * its datagrams, and by the connection IDs that its peer may use. A tree, ordered by
 * number, serves dtls_table_next(), which lists the associations one after the other.
 */
#include <linux/sched.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "assoc.h"
#include "record.h"
#include "table.h"

/**
 * struct dtls_cid_entry - one connection ID of an association
 * @node:	node in dtls_table.cids
 * @list:	node in dtls_assoc.cid_entries
 * @rcu:	frees the entry
 * @assoc:	the association, whose memory outlives the entry's
 * @len:	bytes of @cid
 * @cid:	the connection ID
 */
struct dtls_cid_entry {
	struct dtls_hash_node node;
	struct list_head list;
	struct rcu_head rcu;
	struct dtls_assoc *assoc;
	u8 len;
	u8 cid[];
};

/*
 * An association has at most so many connection IDs in use: one of each read key and
 * DTLS_CIDS_MAX in its list. make_cid_room() removes the entries of others first.
 */
#define CID_ENTRIES_MAX	(DTLS_RX_EPOCHS + DTLS_CIDS_MAX)

/*
 * Return the hash value of the addresses @flow. Those of IPv4 are three words, for which
 * the kernel has a function that takes half as long as dtls_hash_value().
 */
static u32 value_of_flow(const struct dtls_hash *hash, const struct dtls_flow *flow)
{
	if (ipv6_addr_v4mapped(&flow->peer))
		return hsiphash_3u32((__force u32)flow->peer.s6_addr32[3],
				     (__force u32)flow->local.s6_addr32[3],
				     (__force u32)flow->port, &hash->key);
	return dtls_hash_value(hash, flow, sizeof(*flow));
}

static u32 value_of_assoc(const struct dtls_hash *hash,
			  const struct dtls_hash_node *node)
{
	return dtls_hash_number(hash, container_of(node, struct dtls_assoc, by_id)->id);
}

static u32 value_of_flow_entry(const struct dtls_hash *hash,
			       const struct dtls_hash_node *node)
{
	return value_of_flow(hash, &container_of(node, struct dtls_flow_entry, node)->flow);
}

static u32 value_of_cid_entry(const struct dtls_hash *hash,
			      const struct dtls_hash_node *node)
{
	const struct dtls_cid_entry *entry =
		container_of(node, struct dtls_cid_entry, node);

	return dtls_hash_value(hash, entry->cid, entry->len);
}

/* Flows of IPv6 are hashed as a whole, so struct dtls_flow has no holes. */
static_assert(sizeof(struct dtls_flow) == 2 * sizeof(struct in6_addr) + 8);

/*
 * Make an empty table of @owner whose connection IDs all have @cid_len bytes. Sleeps.
 * Return: the table, with one reference, or NULL.
 */
struct dtls_table *dtls_table_new(struct dtls_sock *owner, u8 cid_len)
{
	struct dtls_table *table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);

	if (!table)
		return NULL;
	refcount_set(&table->refs, 1);
	mutex_init(&table->lock);
	mutex_init(&table->cid_lock);
	table->owner = owner;
	table->order = RB_ROOT;
	table->cid_len = cid_len;
	if (!dtls_hash_init(&table->ids, &table->lock, value_of_assoc) &&
	    !dtls_hash_init(&table->flows, &table->lock, value_of_flow_entry) &&
	    !dtls_hash_init(&table->cids, &table->cid_lock, value_of_cid_entry))
		return table;
	dtls_table_put(table);
	return NULL;
}

/* ---- looking up ---- */

/* Return the association with the number @id, or NULL. Under RCU. */
static struct dtls_assoc *find_id(const struct dtls_table *table, u64 id)
{
	u32 value = dtls_hash_number(&table->ids, id);
	const struct dtls_hash_array *array;
	struct dtls_hash_node *node;
	struct dtls_assoc *assoc;

	node = dtls_hash_first(&table->ids, value, &array);
	for (; node; node = dtls_hash_next(array, node)) {
		assoc = container_of(node, struct dtls_assoc, by_id);
		if (assoc->id == id)
			return assoc;
	}
	return NULL;
}

/* Return true if @a and @b are equal, word by word, which is quicker than memcmp(). */
static bool same_flow(const struct dtls_flow *a, const struct dtls_flow *b)
{
	return ipv6_addr_equal(&a->peer, &b->peer) && a->port == b->port &&
	       ipv6_addr_equal(&a->local, &b->local) && a->scope == b->scope;
}

/* Return the entry of the addresses @flow, or NULL. Under RCU. */
static struct dtls_flow_entry *find_flow(const struct dtls_table *table,
					 const struct dtls_flow *flow)
{
	u32 value = value_of_flow(&table->flows, flow);
	const struct dtls_hash_array *array;
	struct dtls_flow_entry *entry;
	struct dtls_hash_node *node;

	node = dtls_hash_first(&table->flows, value, &array);
	for (; node; node = dtls_hash_next(array, node)) {
		entry = container_of(node, struct dtls_flow_entry, node);
		if (same_flow(&entry->flow, flow))
			return entry;
	}
	return NULL;
}

/* Return the entry of the @len bytes of connection ID at @cid, or NULL. Under RCU. */
static struct dtls_cid_entry *find_cid(const struct dtls_table *table,
				       const u8 *cid, unsigned int len)
{
	u32 value = dtls_hash_value(&table->cids, cid, len);
	const struct dtls_hash_array *array;
	struct dtls_cid_entry *entry;
	struct dtls_hash_node *node;

	node = dtls_hash_first(&table->cids, value, &array);
	for (; node; node = dtls_hash_next(array, node)) {
		entry = container_of(node, struct dtls_cid_entry, node);
		if (entry->len == len && !memcmp(entry->cid, cid, len))
			return entry;
	}
	return NULL;
}

/*
 * Take a reference to @assoc, which was found under RCU and may be NULL. Return
 * @assoc, or NULL if its last reference has been put already.
 */
static struct dtls_assoc *hold_assoc(struct dtls_assoc *assoc)
{
	return assoc && refcount_inc_not_zero(&assoc->refs) ? assoc : NULL;
}

/* Return the association with the number @id, with a reference, or NULL. */
struct dtls_assoc *dtls_table_by_id(struct dtls_table *table, u64 id)
{
	struct dtls_assoc *assoc;

	rcu_read_lock();
	assoc = hold_assoc(find_id(table, id));
	rcu_read_unlock();
	return assoc;
}

/*
 * Return the association that has the addresses @flow, with a reference, or NULL. One
 * that waits for them is not meant.
 */
struct dtls_assoc *dtls_table_by_flow(struct dtls_table *table,
				      const struct dtls_flow *flow)
{
	struct dtls_flow_entry *entry;
	struct dtls_assoc *assoc;

	rcu_read_lock();
	entry = find_flow(table, flow);
	assoc = hold_assoc(entry ? READ_ONCE(entry->assoc) : NULL);
	rcu_read_unlock();
	return assoc;
}

/*
 * Return the association that may have sent a record from the address @flow which
 * @assoc did not open, with a reference, or NULL: the next one beside @assoc, or the one
 * that has had the address since @assoc lost it.
 */
struct dtls_assoc *dtls_table_other(struct dtls_table *table,
				    const struct dtls_flow *flow,
				    const struct dtls_assoc *assoc)
{
	struct dtls_assoc *other = NULL, *next;
	struct dtls_flow_entry *entry;

	rcu_read_lock();
	entry = find_flow(table, flow);
	if (entry) {
		/* The acquire pairs with the releases in enter_flow() and leave_flow(). */
		next = smp_load_acquire(&entry->next);
		other = READ_ONCE(entry->assoc);
		if (next == assoc)
			other = NULL;
		else if (other == assoc)
			other = next;
	}
	other = hold_assoc(other);
	rcu_read_unlock();
	return other;
}

/* Return true if another association waits for the address of @assoc. */
bool dtls_table_has_next(const struct dtls_assoc *assoc)
{
	const struct dtls_flow_entry *entry;
	const struct dtls_assoc *next = NULL;

	rcu_read_lock();
	entry = rcu_dereference(assoc->flow);
	if (entry)
		next = READ_ONCE(entry->next);
	rcu_read_unlock();
	return next && next != assoc;
}

/*
 * Return the association whose peer was given the @len bytes of connection ID at
 * @cid, with a reference, or NULL. A connection ID of a retired key is found too, so
 * the caller asks dtls_assoc_knows_cid() as well.
 */
struct dtls_assoc *dtls_table_by_cid(struct dtls_table *table, const u8 *cid,
				     unsigned int len)
{
	struct dtls_cid_entry *entry;
	struct dtls_assoc *assoc;

	rcu_read_lock();
	entry = find_cid(table, cid, len);
	assoc = hold_assoc(entry ? entry->assoc : NULL);
	rcu_read_unlock();
	return assoc;
}

/*
 * Return the association with the lowest number above @id, with a reference, or
 * NULL. Takes the table's lock, so it may sleep.
 */
struct dtls_assoc *dtls_table_next(struct dtls_table *table, u64 id)
{
	struct dtls_assoc *assoc, *next = NULL;
	struct rb_node *node;

	mutex_lock(&table->lock);
	node = table->order.rb_node;
	while (node) {
		assoc = rb_entry(node, struct dtls_assoc, order);
		if (assoc->id > id) {
			next = assoc;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	if (next)
		dtls_assoc_get(next);
	mutex_unlock(&table->lock);
	return next;
}

/*
 * Copy the addresses of @assoc, as they are now, to @flow. Return false if it has
 * none: it is in no table any more, or another association has succeeded it.
 */
bool dtls_table_get_flow(const struct dtls_assoc *assoc, struct dtls_flow *flow)
{
	const struct dtls_flow_entry *entry;

	rcu_read_lock();
	entry = rcu_dereference(assoc->flow);
	if (entry)
		*flow = entry->flow;
	rcu_read_unlock();
	return entry;
}

/* ---- adding, moving, removing ---- */

/* Return the entry of @assoc in dtls_table.flows. The caller holds the table's lock. */
static struct dtls_flow_entry *flow_of(struct dtls_table *table,
				       struct dtls_assoc *assoc)
{
	return rcu_dereference_protected(assoc->flow,
					 lockdep_is_held(&table->lock));
}

/*
 * Make an entry for @assoc at @flow and hash it, as no association has these
 * addresses. Return the entry, or -ENOMEM.
 */
static struct dtls_flow_entry *hash_flow(struct dtls_table *table,
					 struct dtls_assoc *assoc,
					 const struct dtls_flow *flow)
{
	struct dtls_flow_entry *entry;

	entry = kzalloc(sizeof(*entry), GFP_KERNEL_ACCOUNT);
	if (!entry)
		return ERR_PTR(-ENOMEM);
	entry->flow = *flow;
	entry->assoc = assoc;
	if (!dtls_hash_add(&table->flows, &entry->node))
		return entry;
	kfree(entry);
	return ERR_PTR(-ENOMEM);
}

/*
 * Find the entry that @assoc has at @flow from now on: an entry of its own or, with
 * @succeed, the entry of another association, which @assoc will succeed. The table's
 * lock is held. Return the entry; or -EADDRINUSE if other associations have these
 * addresses, or -ENOMEM.
 */
static struct dtls_flow_entry *enter_flow(struct dtls_table *table,
					  struct dtls_assoc *assoc,
					  const struct dtls_flow *flow,
					  bool succeed)
{
	struct dtls_flow_entry *entry;

	lockdep_assert_held(&table->lock);
	rcu_read_lock();
	entry = find_flow(table, flow);
	rcu_read_unlock();
	/* Nobody else removes an entry. */
	if (!entry)
		return hash_flow(table, assoc, flow);
	/* What an association that was peeled off does not open is seen elsewhere. */
	if (!succeed || entry->next ||
	    rcu_access_pointer(entry->assoc->home) !=
	    rcu_access_pointer(assoc->home))
		return ERR_PTR(-EADDRINUSE);
	/* Whoever finds @assoc here finds all that was set in it. */
	smp_store_release(&entry->next, assoc);
	return entry;
}

/*
 * Take @assoc out of @entry. If another association waits for the addresses, it has them
 * then; else the entry is freed. The caller holds the table's lock.
 */
static void leave_flow(struct dtls_table *table, struct dtls_flow_entry *entry,
		       struct dtls_assoc *assoc)
{
	struct dtls_assoc *next = entry->next;

	if (!next) {
		dtls_hash_remove(&table->flows, &entry->node);
		kfree_rcu(entry, rcu);
		return;
	}
	if (next != assoc) {
		WRITE_ONCE(next->succeeds, false);
		/* As in enter_flow(). */
		smp_store_release(&entry->assoc, next);
	}
	/* Whoever reads NULL here finds the association that has the addresses. */
	smp_store_release(&entry->next, NULL);
}

static bool has_lower_id(struct rb_node *node, const struct rb_node *other)
{
	return rb_entry(node, struct dtls_assoc, order)->id <
	       rb_entry(other, struct dtls_assoc, order)->id;
}

/**
 * dtls_table_add() - add an association
 * @table:	the table, whose lock is held
 * @assoc:	the association; its reference is the table's afterwards
 * @flow:	the addresses of the association
 * @succeed:	one other association may have these addresses
 *
 * System calls and datagrams may find the association before this function returns.
 * Even if the function fails, a system call may have found the association by its
 * number meanwhile, and holds a reference then.
 *
 * Return: 0, -EEXIST (the number is taken), -EADDRINUSE (the addresses are),
 * -ENOSPC (the maximum is reached) or -ENOMEM.
 */
int dtls_table_add(struct dtls_table *table, struct dtls_assoc *assoc,
		   const struct dtls_flow *flow, bool succeed)
{
	struct dtls_flow_entry *entry;
	bool taken;

	lockdep_assert_held(&table->lock);
	if (table->max && table->count >= table->max)
		return -ENOSPC;
	rcu_read_lock();
	taken = find_id(table, assoc->id);
	rcu_read_unlock();
	if (taken)
		return -EEXIST;
	if (dtls_hash_add(&table->ids, &assoc->by_id))
		return -ENOMEM;
	entry = enter_flow(table, assoc, flow, succeed);
	if (IS_ERR(entry)) {
		dtls_hash_remove(&table->ids, &assoc->by_id);
		return PTR_ERR(entry);
	}
	rcu_assign_pointer(assoc->flow, entry);
	WRITE_ONCE(assoc->succeeds, entry->next == assoc);
	rb_add(&assoc->order, &table->order, has_lower_id);
	WRITE_ONCE(table->count, table->count + 1);
	return 0;
}

/*
 * Take @assoc out of the table. The caller holds the table's lock and takes over the
 * table's reference. Tasks that found @assoc before may still use it under their own
 * references.
 */
void dtls_table_remove(struct dtls_table *table, struct dtls_assoc *assoc)
{
	struct dtls_flow_entry *entry = flow_of(table, assoc);

	lockdep_assert_held(&table->lock);
	dtls_hash_remove(&table->ids, &assoc->by_id);
	RCU_INIT_POINTER(assoc->flow, NULL);
	if (entry)
		leave_flow(table, entry, assoc);
	rb_erase(&assoc->order, &table->order);
	WRITE_ONCE(table->count, table->count - 1);
}

/*
 * Give @assoc, which is in the table, the addresses @flow instead of its own. With
 * @succeed one other association may have them. The caller holds the table's lock.
 * Return: 0, -EADDRINUSE or -ENOMEM.
 */
int dtls_table_move(struct dtls_table *table, struct dtls_assoc *assoc,
		    const struct dtls_flow *flow, bool succeed)
{
	struct dtls_flow_entry *old = flow_of(table, assoc), *entry;

	lockdep_assert_held(&table->lock);
	if (old && same_flow(&old->flow, flow))
		return 0;
	entry = enter_flow(table, assoc, flow, succeed);
	if (IS_ERR(entry))
		return PTR_ERR(entry);
	rcu_assign_pointer(assoc->flow, entry);
	if (old)
		leave_flow(table, old, assoc);
	WRITE_ONCE(assoc->succeeds, entry->next == assoc);
	return 0;
}

/*
 * Return the association that has the address @flow, if @assoc waits for that address, or
 * NULL. The answer is true as long as the caller holds the table's lock.
 */
struct dtls_assoc *dtls_table_before(struct dtls_table *table,
				     struct dtls_assoc *assoc,
				     const struct dtls_flow *flow)
{
	struct dtls_flow_entry *entry = flow_of(table, assoc);

	lockdep_assert_held(&table->lock);
	if (!entry || entry->next != assoc ||
	    !same_flow(&entry->flow, flow))
		return NULL;
	return entry->assoc;
}

/*
 * Give @assoc the address that it waits for. The association that had the address has none
 * then. The caller holds the table's lock.
 */
void dtls_table_succeed(struct dtls_table *table, struct dtls_assoc *assoc)
{
	struct dtls_flow_entry *entry = flow_of(table, assoc);
	struct dtls_assoc *old = entry->assoc;

	lockdep_assert_held(&table->lock);
	RCU_INIT_POINTER(old->flow, NULL);
	leave_flow(table, entry, old);
}

/* ---- connection IDs ---- */

static void remove_cid(struct dtls_table *table, struct dtls_cid_entry *entry)
{
	mutex_lock(&table->cid_lock);
	dtls_hash_remove(&table->cids, &entry->node);
	mutex_unlock(&table->cid_lock);
	list_del(&entry->list);
	kfree_rcu(entry, rcu);
}

/*
 * Remove entries of connection IDs that @assoc does not use any more, the oldest
 * first, until it has fewer than CID_ENTRIES_MAX. Such entries exist because a read
 * key is retired without a look at the table. The caller holds the setup mutex of
 * @assoc.
 */
static void make_cid_room(struct dtls_table *table, struct dtls_assoc *assoc)
{
	struct dtls_cid_entry *entry, *next;
	unsigned int n = 0;

	list_for_each_entry(entry, &assoc->cid_entries, list)
		n++;
	list_for_each_entry_safe(entry, next, &assoc->cid_entries, list) {
		const struct dtls_record rec = {
			.cid = entry->cid,
			.cid_len = entry->len,
		};

		if (n < CID_ENTRIES_MAX)
			break;
		if (!dtls_assoc_knows_cid(assoc, &rec)) {
			remove_cid(table, entry);
			n--;
		}
	}
}

/*
 * Hash @entry; or free it if its connection ID is in the table already, or if that fails.
 * The caller holds the setup mutex of the entry's association. Takes dtls_table.cid_lock.
 * Return 0 if the connection ID is that of the association; -EADDRINUSE if it is
 * another's; or -ENOMEM.
 */
static int hash_cid(struct dtls_table *table, struct dtls_cid_entry *entry)
{
	struct dtls_assoc *assoc = entry->assoc;
	struct dtls_cid_entry *other;
	int err = 0;

	mutex_lock(&table->cid_lock);
	rcu_read_lock();
	other = find_cid(table, entry->cid, entry->len);
	rcu_read_unlock();
	if (!other)
		err = dtls_hash_add(&table->cids, &entry->node);
	else if (other->assoc != assoc)
		err = -EADDRINUSE;
	mutex_unlock(&table->cid_lock);

	if (other || err)
		kfree(entry);
	if (!err)
		list_move_tail(other ? &other->list : &entry->list,
			       &assoc->cid_entries);
	return err;
}

/**
 * dtls_table_add_cid() - let an association be found by a connection ID
 * @assoc:	the association, whose setup mutex is held
 * @cid:	the connection ID
 * @len:	bytes of @cid; 0: there is no connection ID, and nothing to do
 *
 * An association without a table, as that of a connected socket, needs no entry.
 *
 * Return: 0, also if the association has this connection ID already; -EADDRINUSE if
 * another association has it; or -ENOMEM.
 */
int dtls_table_add_cid(struct dtls_assoc *assoc, const u8 *cid,
		       unsigned int len)
{
	struct dtls_table *table = assoc->table;
	struct dtls_cid_entry *entry;

	lockdep_assert_held(&assoc->setup);
	if (!table || !len)
		return 0;
	make_cid_room(table, assoc);
	entry = kzalloc(struct_size(entry, cid, len), GFP_KERNEL_ACCOUNT);
	if (!entry)
		return -ENOMEM;
	entry->assoc = assoc;
	entry->len = len;
	memcpy(entry->cid, cid, len);
	INIT_LIST_HEAD(&entry->list);
	return hash_cid(table, entry);
}

/*
 * Take all connection IDs of @assoc out of its table, and let it have none there any
 * more. The caller holds the setup mutex of @assoc.
 */
void dtls_table_remove_cids(struct dtls_assoc *assoc)
{
	struct dtls_cid_entry *entry, *next;

	lockdep_assert_held(&assoc->setup);
	list_for_each_entry_safe(entry, next, &assoc->cid_entries, list)
		remove_cid(assoc->table, entry);
	assoc->table = NULL;
}

/*
 * Take the association with the lowest number out of @table. Return it, with the table's
 * reference, or NULL if there is none. Takes the table's lock.
 */
static struct dtls_assoc *remove_first(struct dtls_table *table)
{
	struct dtls_assoc *assoc = NULL;
	struct rb_node *node;

	mutex_lock(&table->lock);
	node = rb_first(&table->order);
	if (node) {
		assoc = rb_entry(node, struct dtls_assoc, order);
		dtls_table_remove(table, assoc);
	}
	mutex_unlock(&table->lock);
	return assoc;
}

/*
 * Take all associations out of @table, which may be NULL, and put the table's references
 * to them. dtls_close() calls this when no other call is on the socket of the table,
 * and before it drops what the socket has queued. A socket that has peeled an
 * association off may be closed at the same time. All memory is freed after one RCU
 * grace period and not after one for each association. Sleeps.
 */
void dtls_table_close(struct dtls_table *table)
{
	struct dtls_assoc *assoc;

	if (!table)
		return;
	mutex_lock(&table->lock);
	table->owner = NULL;
	mutex_unlock(&table->lock);

	while ((assoc = remove_first(table))) {
		mutex_lock(&assoc->setup);
		dtls_table_remove_cids(assoc);
		mutex_unlock(&assoc->setup);
		dtls_assoc_put(assoc);
		cond_resched();
	}
}

/* Put a reference to @table, which may be NULL. The last one frees it. Sleeps. */
void dtls_table_put(struct dtls_table *table)
{
	if (!table || !refcount_dec_and_test(&table->refs))
		return;
	dtls_hash_destroy(&table->cids);
	dtls_hash_destroy(&table->flows);
	dtls_hash_destroy(&table->ids);
	mutex_destroy(&table->cid_lock);
	mutex_destroy(&table->lock);
	kfree(table);
}
