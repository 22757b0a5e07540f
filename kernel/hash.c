// SPDX-License-Identifier: GPL-2.0
/*
 * This file is a hash table that grows in the task that adds to it, so that its memory is
 * charged to the cgroup of that task. The kernel's rhashtable grows in a work item, whose
 * memory nobody is charged for.
 *
 * A table has at least as many buckets as objects. Its array, with the header, has a size
 * that is a power of two: kmalloc() would round any other size up to the next one. To grow
 * the table, a task links all objects in a second array of twice that size, while other
 * tasks search the first one: each node has a link for either. A task that found the first
 * array goes on in it until the end of its RCU read-side critical section. So the table
 * does not grow again, which changes the links of the first array, before a grace period
 * has passed. That period begins when the table has grown, so a task seldom waits for its
 * end.
 *
 * A table does not shrink, as its memory is its owner's.
 */
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "hash.h"

/* Bytes of the first array of a table */
#define ARRAY_MIN	512

/* Return the pointer @slot of @hash, whose lock the caller holds. */
#define under_lock(hash, slot)						\
	rcu_dereference_protected((slot), lockdep_is_held((hash)->lock))

/*
 * Make an empty array of @bytes bytes that uses @link. Sleeps. Return NULL for ENOMEM, of
 * which the caller is told, so the kernel's log is not.
 */
static struct dtls_hash_array *new_array(size_t bytes, u32 link)
{
	struct dtls_hash_array *array;

	array = kvzalloc(bytes, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (array) {
		array->size = (bytes - sizeof(*array)) / sizeof(array->head[0]);
		array->link = link;
	}
	return array;
}

/* Return the bucket of @node in @array. */
static struct dtls_hash_node __rcu **bucket_of(const struct dtls_hash *hash,
					       struct dtls_hash_array *array,
					       const struct dtls_hash_node *node)
{
	return &array->head[reciprocal_scale(hash->value(hash, node), array->size)];
}

/*
 * Make an empty table that changes under @lock and whose objects have the hash values
 * @value. Sleeps. Return 0 or -ENOMEM.
 */
int dtls_hash_init(struct dtls_hash *hash, struct mutex *lock,
		   u32 (*value)(const struct dtls_hash *hash,
				const struct dtls_hash_node *node))
{
	struct dtls_hash_array *array = new_array(ARRAY_MIN, 0);

	if (!array)
		return -ENOMEM;
	hash->lock = lock;
	hash->value = value;
	get_random_bytes(&hash->key, sizeof(hash->key));
	hash->count = 0;
	hash->grown = get_completed_synchronize_rcu();
	RCU_INIT_POINTER(hash->array, array);
	return 0;
}

/* Free @hash, which no task can search any more; zeros are a table without memory. */
void dtls_hash_destroy(struct dtls_hash *hash)
{
	kvfree(rcu_dereference_protected(hash->array, true));
}

/* Make @node the first one of its bucket of @array. */
static void link_node(struct dtls_hash *hash, struct dtls_hash_array *array,
		      struct dtls_hash_node *node)
{
	struct dtls_hash_node __rcu **head = bucket_of(hash, array, node);

	RCU_INIT_POINTER(node->next[array->link], under_lock(hash, *head));
	/* Whoever finds the node finds its object complete. */
	rcu_assign_pointer(*head, node);
}

/* Double the size of the array. The caller holds the lock. Sleeps. Return 0 or -ENOMEM. */
static int grow(struct dtls_hash *hash)
{
	struct dtls_hash_array *old = under_lock(hash, hash->array), *array;
	struct dtls_hash_node *node;
	u32 i;

	array = new_array(2 * struct_size(old, head, old->size), !old->link);
	if (!array)
		return -ENOMEM;
	/* Nobody searches the array of before the last growth any more then. */
	cond_synchronize_rcu(hash->grown);
	for (i = 0; i < old->size; i++) {
		node = under_lock(hash, old->head[i]);
		while (node) {
			link_node(hash, array, node);
			node = under_lock(hash, node->next[old->link]);
		}
		cond_resched();
	}
	rcu_assign_pointer(hash->array, array);
	hash->grown = start_poll_synchronize_rcu();
	kvfree_rcu(old, rcu);
	return 0;
}

/*
 * Add an object to the table by its node. The caller holds the lock, and has looked that
 * no equal object is there. Sleeps. Return 0 or -ENOMEM.
 */
int dtls_hash_add(struct dtls_hash *hash, struct dtls_hash_node *node)
{
	lockdep_assert_held(hash->lock);
	if (hash->count >= under_lock(hash, hash->array)->size && grow(hash))
		return -ENOMEM;
	link_node(hash, under_lock(hash, hash->array), node);
	hash->count++;
	return 0;
}

/*
 * Take an object out of the table by its node. The caller holds the lock, and frees the
 * object after a grace period.
 */
void dtls_hash_remove(struct dtls_hash *hash, struct dtls_hash_node *node)
{
	struct dtls_hash_array *array = under_lock(hash, hash->array);
	struct dtls_hash_node __rcu **at;
	struct dtls_hash_node *found;

	lockdep_assert_held(hash->lock);
	at = bucket_of(hash, array, node);
	while ((found = under_lock(hash, *at)) != node)
		at = &found->next[array->link];
	rcu_assign_pointer(*at, under_lock(hash, node->next[array->link]));
	hash->count--;
}
