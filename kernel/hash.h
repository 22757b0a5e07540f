/* SPDX-License-Identifier: GPL-2.0 */
/* A hash table that tasks search under RCU, and that grows. See hash.c. */
#ifndef _DTLS_HASH_H
#define _DTLS_HASH_H

#include <linux/compiler.h>
#include <linux/math.h>
#include <linux/rcupdate.h>
#include <linux/siphash.h>
#include <linux/types.h>

struct mutex;

/**
 * struct dtls_hash_node - the place of an object in a hash table
 * @next:	the next node of the same bucket, in one array or the other
 */
struct dtls_hash_node {
	struct dtls_hash_node __rcu *next[2];
};

/**
 * struct dtls_hash_array - the buckets of a hash table
 * @rcu:	frees the array
 * @size:	number of buckets
 * @link:	which of dtls_hash_node.next links the nodes of this array
 * @head:	the first node of each bucket
 */
struct dtls_hash_array {
	struct rcu_head rcu;
	u32 size;
	u32 link;
	struct dtls_hash_node __rcu *head[];
};

/**
 * struct dtls_hash - a hash table
 * @array:	the buckets. Written under @lock, read under RCU
 * @lock:	the caller's mutex, under which the table changes
 * @value:	returns the hash value of an object by its node
 * @key:	a random key for dtls_hash_value() and dtls_hash_number()
 * @count:	how many objects are in the table
 * @grown:	when the table has grown, as start_poll_synchronize_rcu() tells it
 */
struct dtls_hash {
	struct dtls_hash_array __rcu *array;
	struct mutex *lock;	/* The caller's lock guards the table. */
	u32 (*value)(const struct dtls_hash *hash,
		     const struct dtls_hash_node *node);
	hsiphash_key_t key;
	u32 count;
	unsigned long grown;
};

/*
 * Return the hash value of the @len bytes at @data. Peers choose their addresses, and some
 * have many. Without the key of @hash nobody can choose them so that their values are
 * equal.
 */
static inline u32 dtls_hash_value(const struct dtls_hash *hash, const void *data,
				  size_t len)
{
	return hsiphash(data, len, &hash->key);
}

/*
 * Return the hash value of @number, in half as many instructions as dtls_hash_value(). The
 * program chooses the numbers, and may be hostile: in a long bucket the removal of each
 * object, which no signal ends, would be a walk.
 */
static inline u32 dtls_hash_number(const struct dtls_hash *hash, u64 number)
{
	return hsiphash_2u32(lower_32_bits(number), upper_32_bits(number), &hash->key);
}

/*
 * Return the first node of @hash whose object may have the hash value @value, or NULL, and
 * set @array for dtls_hash_next(). Under RCU. An object that is added or removed at the
 * same time may be found or not; no other object is missed.
 */
static inline struct dtls_hash_node *
dtls_hash_first(const struct dtls_hash *hash, u32 value,
		const struct dtls_hash_array **array)
{
	*array = rcu_dereference(hash->array);
	return rcu_dereference((*array)->head[reciprocal_scale(value, (*array)->size)]);
}

/* Return the node behind @node, or NULL. Under RCU. */
static inline struct dtls_hash_node *
dtls_hash_next(const struct dtls_hash_array *array,
	       const struct dtls_hash_node *node)
{
	return rcu_dereference(node->next[array->link]);
}

int __must_check dtls_hash_init(struct dtls_hash *hash, struct mutex *lock,
				u32 (*value)(const struct dtls_hash *hash,
					     const struct dtls_hash_node *node));
void dtls_hash_destroy(struct dtls_hash *hash);
int __must_check dtls_hash_add(struct dtls_hash *hash,
			       struct dtls_hash_node *node);
void dtls_hash_remove(struct dtls_hash *hash, struct dtls_hash_node *node);

#endif /* _DTLS_HASH_H */
