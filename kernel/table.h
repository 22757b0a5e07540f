/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table finds the associations of one socket by number, addresses or
 * connection ID.
 */
#ifndef _DTLS_TABLE_H
#define _DTLS_TABLE_H

#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "hash.h"
#include "path.h"

struct dtls_assoc;
struct dtls_sock;

/**
 * struct dtls_table - the associations of one socket
 * @refs:	one reference held by the socket, and one by each socket that has
 *		peeled an association off
 * @lock:	mutex that guards @owner, @order, @count and @max, and which associations
 *		are in @ids and @flows. A task takes it outside dtls_assoc.setup
 * @cid_lock:	mutex that guards which entries are in @cids. A task takes it inside
 *		dtls_assoc.setup, which guards the entries
 * @owner:	the socket of the table, or NULL after its close
 * @ids:	hash table of the associations by number, linked by dtls_assoc.by_id
 * @flows:	hash table of struct dtls_flow_entry by addresses
 * @cids:	hash table of struct dtls_cid_entry by connection ID
 * @order:	tree of the associations, ordered by number, linked by
 *		dtls_assoc.order
 * @count:	how many associations are in the table
 * @max:	how many associations may be in the table; 0: any number
 * @cid_len:	bytes of every connection ID that this end gives to a peer; 0: this
 *		end gives no connection IDs
 *
 * The table holds one reference to each association. The look-up functions search
 * under RCU and return the association with a reference of the caller's.
 */
struct dtls_table {
	refcount_t refs;
	struct mutex lock;	/* The lock guards the table's members. */
	struct mutex cid_lock;	/* The lock guards changes of @cids. */
	struct dtls_sock *owner;
	struct dtls_hash ids;
	struct dtls_hash flows;
	struct dtls_hash cids;
	struct rb_root order;
	u32 count;
	u32 max;
	u8 cid_len;
};

/**
 * struct dtls_flow_entry - who has an address, in dtls_table.flows
 * @node:	node in the hash table
 * @rcu:	frees the entry
 * @flow:	the addresses, which are the hash key
 * @assoc:	the association that has the addresses
 * @next:	the association that gets the addresses with its first record that is
 *		verified, or NULL
 *
 * The memory of both associations is freed after the entry's. @assoc and @next are
 * written under the table's lock. When @next gets the addresses, @assoc is written
 * before @next is cleared.
 */
struct dtls_flow_entry {
	struct dtls_hash_node node;
	struct rcu_head rcu;
	struct dtls_flow flow;
	struct dtls_assoc *assoc;
	struct dtls_assoc *next;
};

struct dtls_table *dtls_table_new(struct dtls_sock *owner, u8 cid_len);
void dtls_table_close(struct dtls_table *table);
void dtls_table_put(struct dtls_table *table);
struct dtls_assoc *dtls_table_by_id(struct dtls_table *table, u64 id);
struct dtls_assoc *dtls_table_by_flow(struct dtls_table *table,
				      const struct dtls_flow *flow);
struct dtls_assoc *dtls_table_other(struct dtls_table *table,
				    const struct dtls_flow *flow,
				    const struct dtls_assoc *assoc);
bool dtls_table_has_next(const struct dtls_assoc *assoc);
struct dtls_assoc *dtls_table_by_cid(struct dtls_table *table, const u8 *cid,
				     unsigned int len);
struct dtls_assoc *dtls_table_next(struct dtls_table *table, u64 id);
bool dtls_table_get_flow(const struct dtls_assoc *assoc, struct dtls_flow *flow);
int __must_check dtls_table_add(struct dtls_table *table,
				struct dtls_assoc *assoc,
				const struct dtls_flow *flow, bool succeed);
void dtls_table_remove(struct dtls_table *table, struct dtls_assoc *assoc);
int __must_check dtls_table_move(struct dtls_table *table,
				 struct dtls_assoc *assoc,
				 const struct dtls_flow *flow, bool succeed);
struct dtls_assoc *dtls_table_before(struct dtls_table *table,
				     struct dtls_assoc *assoc,
				     const struct dtls_flow *flow);
void dtls_table_succeed(struct dtls_table *table, struct dtls_assoc *assoc);
int __must_check dtls_table_add_cid(struct dtls_assoc *assoc, const u8 *cid,
				    unsigned int len);
void dtls_table_remove_cids(struct dtls_assoc *assoc);

#endif /* _DTLS_TABLE_H */
