// SPDX-License-Identifier: GPL-2.0
/* The hash table of the server object, beside a list that cannot be wrong. */
#include "../../userspace/table.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "harness.h"

#define ITEMS	5000
#define STEPS	200000

/* An element: its key is @key, and it is in the table if @in is set. */
struct item {
	struct table_link link;
	uint32_t key;
	bool in;
};

static struct item items[ITEMS];
static unsigned int seed = 1;

static unsigned int next_random(unsigned int below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static struct item *find(const struct table *t, uint32_t key)
{
	uint32_t hash = table_hash(t, &key, sizeof(key));
	struct table_link *link = NULL;

	while ((link = table_next(t, hash, link)))
		if (((struct item *)link)->key == key)
			return (struct item *)link;
	return NULL;
}

static void change(struct table *t, struct item *i)
{
	if (i->in)
		table_remove(t, &i->link);
	else
		table_add(t, &i->link,
			  table_hash(t, &i->key, sizeof(i->key)));
	i->in = !i->in;
}

FIXTURE(table)
{
	struct table t;
};

FIXTURE_SETUP(table)
{
	unsigned int i;

	ASSERT_TRUE(table_init(&self->t));
	for (i = 0; i < ITEMS; i++)
		items[i] = (struct item){ .key = i };
}

FIXTURE_TEARDOWN(table)
{
	table_exit(&self->t);
}

TEST_F(table, what_is_in_it_is_found_and_nothing_else)
{
	unsigned int i, in = 0;
	struct item *one;

	for (i = 0; i < STEPS; i++) {
		one = &items[next_random(ITEMS)];
		ASSERT_EQ(one->in ? one : NULL, find(&self->t, one->key));
		change(&self->t, one);
		in += one->in ? 1 : -1;
		ASSERT_EQ(in, self->t.count);
	}
	for (i = 0; i < ITEMS; i++)
		ASSERT_EQ(items[i].in ? &items[i] : NULL, find(&self->t, i));
}

TEST_F(table, buckets_stay_short)
{
	struct table_link *link;
	unsigned int i, n, longest = 0;

	for (i = 0; i < ITEMS; i++)
		change(&self->t, &items[i]);
	EXPECT_LE(ITEMS, self->t.size);
	for (i = 0; i < self->t.size; i++) {
		n = 0;
		for (link = self->t.bucket[i]; link; link = link->next)
			n++;
		longest = n > longest ? n : longest;
	}
	/* Of 5000 thrown into 8192 buckets that is one in 10^11. */
	EXPECT_GT(20, longest);
}

TEST_F(table, two_tables_have_different_secrets)
{
	unsigned int same = 0;
	struct table other;
	uint32_t i;

	ASSERT_TRUE(table_init(&other));
	for (i = 0; i < 1000; i++)
		same += table_hash(&self->t, &i, sizeof(i)) ==
			table_hash(&other, &i, sizeof(i));
	EXPECT_GT(5, same);
	table_exit(&other);
}

TEST_F(table, every_byte_of_a_key_counts)
{
	uint8_t key[40] = { 0 };
	uint32_t zero[sizeof(key) + 1];
	size_t len, i;

	for (len = 0; len <= sizeof(key); len++) {
		zero[len] = table_hash(&self->t, key, len);
		if (len)
			EXPECT_NE(zero[len - 1], zero[len]);
		for (i = 0; i < len; i++) {
			key[i] = 1;
			EXPECT_NE(zero[len], table_hash(&self->t, key, len));
			key[i] = 0;
		}
	}
}

/* Compute SipHash-1-3 with libcrypto. */
static uint64_t siphash(const struct table *t, const uint8_t *key, size_t len)
{
	unsigned int size = 8, c = 1, d = 3;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_uint(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_uint(OSSL_MAC_PARAM_C_ROUNDS, &c),
		OSSL_PARAM_uint(OSSL_MAC_PARAM_D_ROUNDS, &d),
		OSSL_PARAM_END,
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	uint64_t hash = 0;
	size_t n;

	if (EVP_MAC_init(ctx, (const uint8_t *)t->secret, sizeof(t->secret),
			 params) != 1 ||
	    EVP_MAC_update(ctx, key, len) != 1 ||
	    EVP_MAC_final(ctx, (uint8_t *)&hash, &n, sizeof(hash)) != 1)
		exit(1);
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return hash;
}

TEST_F(table, the_hash_is_siphash_1_3)
{
	uint8_t key[64];
	uint64_t hash;
	size_t len;

	for (len = 0; len < sizeof(key); len++) {
		key[len] = (uint8_t)next_random(256);
		hash = siphash(&self->t, key, len);
		EXPECT_EQ((uint32_t)(hash ^ hash >> 32),
			  table_hash(&self->t, key, len));
	}
}

TEST_HARNESS_MAIN
