/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct table is a hash table that grows. Its elements contain a struct
 * table_link. Its keys are bytes that strangers may choose, so each table has a
 * secret that keeps them from choosing keys which collide. The functions take
 * no lock; an owner with several threads has one.
 */
#ifndef _KDTLS_TABLE_H
#define _KDTLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct table_link - the link of an element of a table
 * @next:	the link of the next element in the same bucket, or NULL
 * @hash:	hash of the element's key, by table_hash()
 */
struct table_link {
	struct table_link *next;
	uint32_t hash;
};

/**
 * struct table - a hash table
 * @secret:	the key of the hash
 * @count:	number of elements
 * @size:	number of buckets, a power of two
 * @bucket:	the first element of each bucket
 */
struct table {
	uint64_t secret[2];
	size_t count;
	size_t size;
	struct table_link **bucket;
};

/*
 * Make an empty table. Return false if there is no memory, or libcrypto failed.
 */
bool table_init(struct table *t);

/*
 * Free the buckets of a table. The elements belong to the caller. @t may be all
 * zero.
 */
void table_exit(struct table *t);

/* Return the hash of a key: SipHash-1-3 under the table's secret. */
uint32_t table_hash(const struct table *t, const void *key, size_t len);

/*
 * Add @link, whose key has the hash @hash. The table grows as it fills. If
 * there is no memory for that, its buckets get longer.
 */
void table_add(struct table *t, struct table_link *link, uint32_t hash);

/* Take @link out of the table. */
void table_remove(struct table *t, struct table_link *link);

/*
 * Walk through the elements of one hash: return the first one behind @link, or
 * the first of all if @link is NULL; NULL if there are no more. Elements of one
 * hash may have different keys, which the caller compares.
 */
struct table_link *table_next(const struct table *t, uint32_t hash,
			      const struct table_link *link);

#endif /* _KDTLS_TABLE_H */
