// SPDX-License-Identifier: GPL-2.0
/*
 * What endpoints with one secret have in common, and what is gone for good when they
 * have forgotten it: keys and tickets of the past. No time passes here: each call is told
 * its second.
 */
#include <string.h>

#include "../../userspace/engine/secret.h"
#include "../../userspace/engine/ticket.h"
#include "harness.h"

#define LIFE	1000
#define NOW	1800000500LL	/* in the middle of a period */
#define BEGIN	(NOW - NOW % LIFE)

static const u8 random_bytes[DTLS_TREE_NODE_SIZE] = "what all of these endpoints know";

/* Some seconds in order: the first, the last, and neighbours of which many bits differ */
static const u64 seconds[] = {
	0, 1, 2, 3, 1023, 1024, 1025, BEGIN - 1, BEGIN, BEGIN + 1, BEGIN + LIFE,
	0x7fffffff, 0x80000000, 0x7fffffffff, 0x8000000000, 0xfffffffffe, 0xffffffffff,
};

#define COUNT	(sizeof(seconds) / sizeof(seconds[0]))

FIXTURE(secret)
{
	struct dtls_crypto crypto;
	struct dtls_secret secret;
	struct dtls_tickets a, b;	/* of two endpoints */
};

FIXTURE_SETUP(secret)
{
	self->a.life = LIFE;
	self->b.life = LIFE;
	ASSERT_TRUE(dtls_crypto_init(&self->crypto));
	ASSERT_TRUE(dtls_secret_make(&self->secret, random_bytes));
	ASSERT_TRUE(dtls_tickets_share(&self->a, &self->secret.tickets));
	ASSERT_TRUE(dtls_tickets_share(&self->b, &self->secret.tickets));
}

FIXTURE_TEARDOWN(secret)
{
	dtls_tickets_exit(&self->a);
	dtls_tickets_exit(&self->b);
	dtls_crypto_exit(&self->crypto);
}

/* ---- the tree ---- */

static bool same_key(const struct dtls_tree *a, const struct dtls_tree *b, u64 second)
{
	u8 x[DTLS_HASH_MAX], y[DTLS_HASH_MAX];

	return dtls_tree_derive(a, second, "key", x) &&
	       dtls_tree_derive(b, second, "key", y) &&
	       !memcmp(x, y, DTLS_TREE_NODE_SIZE);
}

TEST_F(secret, a_second_has_one_key_whatever_was_forgotten_before)
{
	const struct dtls_tree *whole = &self->secret.tickets;
	struct dtls_tree step = *whole, leap;
	u8 key[DTLS_HASH_MAX];
	size_t i, j;

	for (i = 0; i < COUNT; i++) {
		leap = *whole;
		ASSERT_TRUE(dtls_tree_forget(&leap, seconds[i]));
		ASSERT_TRUE(dtls_tree_forget(&step, seconds[i]));
		EXPECT_EQ(0, memcmp(&leap, &step, sizeof(step)));
		for (j = 0; j < i; j++)
			EXPECT_FALSE(dtls_tree_derive(&step, seconds[j], "key", key));
		for (; j < COUNT; j++)
			EXPECT_TRUE(same_key(whole, &step, seconds[j]));
	}
	EXPECT_FALSE(dtls_tree_derive(&step, 1ULL << DTLS_TREE_DEPTH, "key", key));
	EXPECT_FALSE(dtls_tree_forget(&step, 1ULL << DTLS_TREE_DEPTH));
}

TEST_F(secret, keys_differ_by_second_and_purpose)
{
	u8 key[COUNT + 1][DTLS_HASH_MAX];
	size_t i, j;

	for (i = 0; i < COUNT; i++)
		ASSERT_TRUE(dtls_tree_derive(&self->secret.tickets, seconds[i], "key",
					     key[i]));
	ASSERT_TRUE(dtls_tree_derive(&self->secret.tickets, seconds[0], "name", key[i]));
	for (i = 0; i <= COUNT; i++)
		for (j = 0; j < i; j++)
			EXPECT_NE(0, memcmp(key[i], key[j], DTLS_TREE_NODE_SIZE));
}

/* Return true if the node is somewhere in the tree. */
static bool has_node(const struct dtls_tree *t, const u8 *node)
{
	const u8 *p = (const u8 *)t;
	size_t i;

	for (i = 0; i + DTLS_TREE_NODE_SIZE <= sizeof(*t); i++)
		if (!memcmp(p + i, node, DTLS_TREE_NODE_SIZE))
			return true;
	return false;
}

TEST_F(secret, no_node_above_the_past_is_left)
{
	static const u8 zeros[DTLS_TREE_NODE_SIZE];
	struct dtls_tree at, later = self->secret.tickets;
	unsigned int level;

	at = self->secret.tickets;
	ASSERT_TRUE(dtls_tree_forget(&at, NOW));
	ASSERT_TRUE(dtls_tree_forget(&later, NOW + 1));
	EXPECT_FALSE(has_node(&later, at.leaf));
	for (level = 0; level < DTLS_TREE_DEPTH; level++)
		if ((NOW + 1) >> (DTLS_TREE_DEPTH - 1 - level) & 1)
			EXPECT_EQ(0, memcmp(later.right[level], zeros, sizeof(zeros)));
	/* All nodes beside the way are above the past when half of the leaves are. */
	ASSERT_TRUE(dtls_tree_forget(&later, 1ULL << (DTLS_TREE_DEPTH - 1)));
	for (level = 0; level < DTLS_TREE_DEPTH; level++)
		if (memcmp(at.right[level], zeros, sizeof(zeros)))
			EXPECT_FALSE(has_node(&later, at.right[level]));
}

/* ---- tickets ---- */

/* Let @t make a ticket. */
static bool seal(struct _test_data_secret *self, struct dtls_tickets *t, int64_t now,
		 struct dtls_writer *ticket)
{
	struct dtls_session s = {
		.version = DTLS_VERSION_1_2, .suite = 0xc0a8, .ems = true,
		.made = now, .life = LIFE,
	};

	memset(ticket, 0, sizeof(*ticket));
	s.peer.since = now;
	s.peer.until = INT64_MAX;
	memset(s.master, 7, sizeof(s.master));
	return dtls_ticket_seal(t, &self->crypto, &s, now, ticket);
}

static bool opens(struct _test_data_secret *self, struct dtls_tickets *t, int64_t now,
		  const struct dtls_writer *ticket)
{
	struct dtls_writer plain = { 0 };
	struct dtls_session s;
	bool ok;

	ok = dtls_ticket_open(t, &self->crypto,
			      (struct dtls_bytes){ ticket->p, ticket->len }, now, &plain,
			      &s);
	wr_free(&plain);
	return ok;
}

/* Return true if @b opens at @now what @a makes at @before. */
static bool passes(struct _test_data_secret *self, struct dtls_tickets *a, int64_t before,
		   struct dtls_tickets *b, int64_t now)
{
	struct dtls_writer ticket;
	bool ok = seal(self, a, before, &ticket) && opens(self, b, now, &ticket);

	wr_free(&ticket);
	return ok;
}

TEST_F(secret, tickets_of_each_are_taken_by_the_other_across_periods)
{
	int64_t now = NOW;
	unsigned int i;

	for (i = 0; i < 5; i++, now += LIFE) {
		EXPECT_TRUE(passes(self, &self->a, now, &self->b, now));
		/* The other is in the next period already. */
		EXPECT_TRUE(passes(self, &self->b, now, &self->a, now + LIFE - 1));
		EXPECT_FALSE(passes(self, &self->a, now + LIFE - 1, &self->b,
				    now + 2 * LIFE));
	}
	now += 1000000LL * LIFE;
	EXPECT_TRUE(passes(self, &self->a, now, &self->b, now + LIFE - 1));
}

TEST_F(secret, one_that_begins_late_opens_what_is_still_good)
{
	struct dtls_tickets late = { .life = LIFE };
	struct dtls_writer ticket;
	int64_t now;

	for (now = BEGIN; now < BEGIN + 2 * LIFE; now += LIFE / 4) {
		ASSERT_TRUE(seal(self, &self->a, now, &ticket));
		ASSERT_TRUE(dtls_secret_age(&self->secret, LIFE, now + LIFE - 1));
		ASSERT_TRUE(dtls_tickets_share(&late, &self->secret.tickets));
		EXPECT_TRUE(opens(self, &late, now + LIFE - 1, &ticket));
		EXPECT_TRUE(passes(self, &late, now + LIFE - 1, &self->a, now + LIFE));
		dtls_tickets_exit(&late);
		memset(&late, 0, sizeof(late));
		late.life = LIFE;
		wr_free(&ticket);
	}
}

TEST_F(secret, what_is_left_of_the_secret_opens_no_older_ticket)
{
	struct dtls_tickets thief = { .life = LIFE };
	struct dtls_writer ticket, other;

	ASSERT_TRUE(seal(self, &self->a, NOW, &ticket));
	/* Whoever has it as it was can, at any time: this is not about the clock. */
	ASSERT_TRUE(dtls_tickets_share(&thief, &self->secret.tickets));
	EXPECT_TRUE(opens(self, &thief, NOW, &ticket));
	dtls_tickets_exit(&thief);
	/* The file, as it is later. */
	memset(&thief, 0, sizeof(thief));
	thief.life = LIFE;
	ASSERT_TRUE(dtls_secret_age(&self->secret, LIFE, NOW + 3 * LIFE));
	ASSERT_TRUE(dtls_tickets_share(&thief, &self->secret.tickets));
	EXPECT_FALSE(opens(self, &thief, NOW, &ticket));
	dtls_tickets_exit(&thief);
	/* What an endpoint has in memory, as soon as it was in the next period but one. */
	memset(&thief, 0, sizeof(thief));
	thief.life = LIFE;
	ASSERT_TRUE(seal(self, &self->a, NOW + 2 * LIFE, &other));
	wr_free(&other);
	ASSERT_TRUE(dtls_tickets_share(&thief, self->a.tree));
	EXPECT_FALSE(opens(self, &thief, NOW, &ticket));
	EXPECT_FALSE(opens(self, &self->a, NOW, &ticket));
	dtls_tickets_exit(&thief);
	wr_free(&ticket);
}

TEST_F(secret, an_idle_endpoint_forgets_with_the_others)
{
	struct dtls_tickets thief = { .life = LIFE };
	struct dtls_writer ticket;

	ASSERT_TRUE(seal(self, &self->a, NOW, &ticket));
	dtls_tickets_age(&self->a, &self->crypto, NOW + LIFE);
	EXPECT_TRUE(opens(self, &self->a, NOW + LIFE - 1, &ticket));
	dtls_tickets_age(&self->a, &self->crypto, NOW + 2 * LIFE);
	ASSERT_TRUE(dtls_tickets_share(&thief, self->a.tree));
	EXPECT_FALSE(opens(self, &thief, NOW, &ticket));
	EXPECT_FALSE(opens(self, &self->a, NOW, &ticket));
	dtls_tickets_exit(&thief);
	wr_free(&ticket);
	/* One that has made no ticket yet */
	dtls_tickets_age(&self->b, &self->crypto, NOW + 2 * LIFE);
	EXPECT_TRUE(passes(self, &self->a, NOW + 2 * LIFE, &self->b, NOW + 2 * LIFE));
}

TEST_F(secret, a_clock_that_goes_back_spoils_nothing)
{
	struct dtls_writer ticket;

	ASSERT_TRUE(passes(self, &self->a, NOW, &self->b, NOW));
	/* A little, into the period before */
	EXPECT_TRUE(passes(self, &self->a, BEGIN - 1, &self->b, BEGIN - 1));
	/* Far: each has keys of its own, and opens its own tickets. */
	EXPECT_TRUE(passes(self, &self->a, NOW - 9 * LIFE, &self->a, NOW - 9 * LIFE + 1));
	EXPECT_FALSE(passes(self, &self->a, NOW - 9 * LIFE, &self->b,
			    NOW - 9 * LIFE + 1));
	/* When it is put right, the key of the present is there still. */
	EXPECT_TRUE(passes(self, &self->a, NOW, &self->b, NOW));
	EXPECT_TRUE(passes(self, &self->b, NOW, &self->a, NOW));
	ASSERT_TRUE(seal(self, &self->a, NOW, &ticket));
	EXPECT_TRUE(opens(self, &self->a, NOW, &ticket));
	wr_free(&ticket);
	/* And again together, when the clock comes to what was never forgotten */
	EXPECT_TRUE(passes(self, &self->a, NOW + LIFE, &self->b, NOW + LIFE));
	EXPECT_TRUE(passes(self, &self->b, NOW + LIFE, &self->a, NOW + LIFE));
	/* A clock before 1970 */
	EXPECT_TRUE(seal(self, &self->a, -5, &ticket));
	wr_free(&ticket);
}

TEST_HARNESS_MAIN
