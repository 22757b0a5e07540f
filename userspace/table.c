// SPDX-License-Identifier: BSD-3-Clause
/* This file has a hash table that grows. See table.h. */
#include "table.h"
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#define SIZE_FIRST	64

bool table_init(struct table *t)
{
	t->count = 0;
	t->size = SIZE_FIRST;
	t->bucket = OPENSSL_zalloc(t->size * sizeof(*t->bucket));
	return t->bucket &&
	       RAND_bytes((uint8_t *)t->secret, sizeof(t->secret)) == 1;
}

void table_exit(struct table *t)
{
	OPENSSL_free(t->bucket);
	OPENSSL_cleanse(t, sizeof(*t));
}

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

uint32_t table_hash(const struct table *t, const void *key, size_t len)
{
	uint64_t v[4] = {
		t->secret[0] ^ 0x736f6d6570736575,
		t->secret[1] ^ 0x646f72616e646f6d,
		t->secret[0] ^ 0x6c7967656e657261,
		t->secret[1] ^ 0x7465646279746573,
	};
	const uint8_t *p = key;
	size_t left = len;
	uint64_t word;

	for (; left >= sizeof(word); left -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sip_word(v, word);
		p += sizeof(word);
	}
	word = 0;
	memcpy(&word, p, left);
	sip_word(v, word ^ (uint64_t)len << 56);
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	word = v[0] ^ v[1] ^ v[2] ^ v[3];
	return (uint32_t)(word ^ word >> 32);
}

static void grow(struct table *t)
{
	struct table_link **bucket, *link, *next;
	size_t size = 2 * t->size, i;

	bucket = OPENSSL_zalloc(size * sizeof(*bucket));
	if (!bucket)
		return;
	for (i = 0; i < t->size; i++) {
		for (link = t->bucket[i]; link; link = next) {
			next = link->next;
			link->next = bucket[link->hash & (size - 1)];
			bucket[link->hash & (size - 1)] = link;
		}
	}
	OPENSSL_free(t->bucket);
	t->bucket = bucket;
	t->size = size;
}

void table_add(struct table *t, struct table_link *link, uint32_t hash)
{
	struct table_link **bucket;

	if (t->count >= t->size)
		grow(t);
	bucket = &t->bucket[hash & (t->size - 1)];
	link->hash = hash;
	link->next = *bucket;
	*bucket = link;
	t->count++;
}

void table_remove(struct table *t, struct table_link *link)
{
	struct table_link **at = &t->bucket[link->hash & (t->size - 1)];

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	t->count--;
}

struct table_link *table_next(const struct table *t, uint32_t hash,
			      const struct table_link *link)
{
	struct table_link *next = link ? link->next :
					 t->bucket[hash & (t->size - 1)];

	while (next && next->hash != hash)
		next = next->next;
	return next;
}
