// SPDX-License-Identifier: GPL-2.0
/* kernel/replay.c: boundaries, jumps, and all of it against a simple model. */
#include "model.h"
#include <stdlib.h>
#include "harness.h"

FIXTURE(window)
{
	struct dtls_replay w;
	u64 *ring;
	struct model *m;
	u64 random;
};

FIXTURE_VARIANT(window)
{
	u32 size;
};

#define SIZE(n) FIXTURE_VARIANT_ADD(window, records_ ## n) { .size = n }

SIZE(64);
SIZE(128);
SIZE(256);
SIZE(512);
SIZE(1024);
SIZE(2048);
SIZE(4096);

/* As much memory as promised, so that ASan sees a step beyond, or NULL for none */
static u64 *new_ring(u32 size)
{
	return dtls_replay_room(size) ? malloc(dtls_replay_room(size)) : NULL;
}

FIXTURE_SETUP(window)
{
	self->ring = new_ring(variant->size);
	self->m = malloc(sizeof(*self->m));
	self->random = 1;
	dtls_replay_init(&self->w, self->ring, variant->size, 0);
	model_init(self->m, variant->size, 0);
}

FIXTURE_TEARDOWN(window)
{
	free(self->ring);
	free(self->m);
}

/* Numbers that are the same in every run (xorshift) */
static u64 next_random(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

TEST_F(window, in_order)
{
	u64 seq;

	for (seq = 0; seq < 3 * variant->size; seq++) {
		ASSERT_TRUE(dtls_replay_check(&self->w, seq));
		ASSERT_TRUE(dtls_replay_mark(&self->w, seq));
		ASSERT_FALSE(dtls_replay_check(&self->w, seq));
		ASSERT_FALSE(dtls_replay_mark(&self->w, seq));
		ASSERT_EQ(seq + 1, self->w.next);
	}
	for (seq = 0; seq < 3 * variant->size; seq++)
		ASSERT_FALSE(dtls_replay_check(&self->w, seq));
}

TEST_F(window, check_changes_nothing)
{
	ASSERT_TRUE(dtls_replay_check(&self->w, DTLS_SEQ_MAX));
	ASSERT_EQ(0, self->w.next);
	ASSERT_TRUE(dtls_replay_mark(&self->w, 0));
}

/* The oldest number that fits, and the youngest that does not */
TEST_F(window, edges)
{
	u64 top, size = variant->size;

	for (top = size; top < 3 * size; top += 7) {
		dtls_replay_init(&self->w, self->ring, size, 0);
		ASSERT_TRUE(dtls_replay_mark(&self->w, top));
		ASSERT_FALSE(dtls_replay_check(&self->w, top - size));
		ASSERT_TRUE(dtls_replay_mark(&self->w, top - size + 1));
		ASSERT_FALSE(dtls_replay_mark(&self->w, top - size + 1));
		/* It leaves the window with the next step. */
		ASSERT_TRUE(dtls_replay_mark(&self->w, top + 1));
		ASSERT_FALSE(dtls_replay_check(&self->w, top - size + 1));
		ASSERT_TRUE(dtls_replay_check(&self->w, top - size + 2));
	}
}

/* A jump forgets nothing it must know and knows nothing it must forget. */
TEST_F(window, jumps)
{
	u64 jump, seq, size = variant->size;

	for (jump = 1; jump <= 2 * size + 2; jump++) {
		dtls_replay_init(&self->w, self->ring, size, 0);
		for (seq = 0; seq < size; seq++)
			dtls_replay_mark(&self->w, seq);
		ASSERT_TRUE(dtls_replay_mark(&self->w, size - 1 + jump));
		for (seq = 0; seq < size; seq++)
			ASSERT_FALSE(dtls_replay_check(&self->w, seq));
		for (seq = size; seq < size - 1 + jump; seq++)
			ASSERT_EQ(seq >= jump,
				  dtls_replay_check(&self->w, seq));
	}
}

TEST_F(window, last_numbers)
{
	u64 seq = DTLS_SEQ_MAX;

	ASSERT_TRUE(dtls_replay_mark(&self->w, seq));
	ASSERT_FALSE(dtls_replay_mark(&self->w, seq));
	ASSERT_TRUE(dtls_replay_mark(&self->w, seq - variant->size + 1));
	ASSERT_FALSE(dtls_replay_mark(&self->w, seq - variant->size));
	ASSERT_EQ(seq + 1, self->w.next);
}

TEST_F(window, floor)
{
	dtls_replay_init(&self->w, self->ring, variant->size, 1000);
	EXPECT_EQ(1000, self->w.next);
	EXPECT_FALSE(dtls_replay_check(&self->w, 0));
	EXPECT_FALSE(dtls_replay_mark(&self->w, 999));
	EXPECT_TRUE(dtls_replay_mark(&self->w, 1001));
	EXPECT_TRUE(dtls_replay_mark(&self->w, 1000));
	EXPECT_FALSE(dtls_replay_check(&self->w, 999));
}

/* A number near the top of the window, seldom far ahead of it */
static u64 some_number(u64 *random, u64 next, u64 size)
{
	u64 r = next_random(random);
	u64 ahead = r >> 32;

	switch (r % 64) {
	case 0:
		ahead %= 4 * size;
		break;
	case 1:
		ahead = size - 2 + ahead % 4;
		break;
	default:
		ahead %= 4;
	}
	if (r % 3)
		return next + ahead;
	return next - (r >> 16) % (next + 1 < size + 70 ? next + 1 : size + 70);
}

TEST_F(window, random_against_model)
{
	u64 seq, size = variant->size;
	int i;

	for (i = 0; i < 20000; i++) {
		seq = some_number(&self->random, self->m->next, size);
		ASSERT_EQ(model_check(self->m, seq),
			  dtls_replay_check(&self->w, seq));
		ASSERT_EQ(model_mark(self->m, seq),
			  dtls_replay_mark(&self->w, seq));
		ASSERT_EQ(self->m->next, self->w.next);
		if (self->m->n == MODEL_MAX)
			break;
	}
	for (seq = 0; seq < 2 * size; seq++)
		ASSERT_EQ(model_check(self->m, self->m->next - seq),
			  dtls_replay_check(&self->w, self->m->next - seq));
}

/* What is checked and marked at once is what is so one after the other. */
TEST_F(window, runs_against_model)
{
	u64 seq, set, good, marked, next = 0, size = variant->size;
	u32 n, k;
	int i;

	for (i = 0; i < 3000 && self->m->n + 64 <= MODEL_MAX; i++) {
		seq = some_number(&self->random, self->m->next, size);
		n = 1 + next_random(&self->random) % DTLS_REPLAY_RUN_MAX;
		set = next_random(&self->random) | next_random(&self->random);
		if (i % 2)
			set = ~0ULL;
		set &= ~0ULL >> (64 - n);

		for (k = 0, good = 0; k < n; k++)
			good |= (u64)model_check(self->m, seq + k) << k;
		ASSERT_EQ(good, dtls_replay_check_run(&self->w, seq, n));
		for (k = 0, marked = 0; k < n; k++)
			if (set >> k & 1 && model_mark(self->m, seq + k))
				marked |= 1ULL << k;
		ASSERT_EQ(marked, dtls_replay_mark_run(&self->w, seq, n, set));
		ASSERT_EQ(self->m->next, self->w.next);
		for (next = self->m->next, k = 0; k < 200 && k < next; k++)
			ASSERT_EQ(model_check(self->m, next - 1 - k),
				  dtls_replay_check(&self->w, next - 1 - k));
	}
	EXPECT_LT(100, i);
}

/* Whatever the sizes: what one window refuses, its copy refuses. */
TEST_F(window, export_and_import)
{
	u64 seen[DTLS_REPLAY_WINDOW_MAX / 64], i, k;
	u64 ring[DTLS_REPLAY_WINDOW_MAX / 64];
	struct dtls_replay copy;
	u32 size;

	for (i = 0; i < 6000; i++)
		dtls_replay_mark(&self->w, some_number(&self->random,
						       self->w.next,
						       variant->size));
	dtls_replay_export(&self->w, seen);

	for (size = DTLS_REPLAY_WINDOW_MIN; size <= DTLS_REPLAY_WINDOW_MAX;
	     size *= 2) {
		dtls_replay_init(&copy, ring, size, 0);
		ASSERT_TRUE(dtls_replay_import(&copy, self->w.next, seen));
		ASSERT_EQ(self->w.next, copy.next);
		for (k = 1; k < 5000 && k <= copy.next; k++) {
			bool good = dtls_replay_check(&self->w, copy.next - k);

			ASSERT_EQ(good && k <= size,
				  dtls_replay_check(&copy, copy.next - k));
		}
	}
}

TEST_F(window, export_of_the_first_numbers)
{
	u64 seen[DTLS_REPLAY_WINDOW_MAX / 64];

	dtls_replay_export(&self->w, seen);
	EXPECT_EQ(0, seen[0]);
	dtls_replay_mark(&self->w, 0);
	dtls_replay_mark(&self->w, 3);
	dtls_replay_export(&self->w, seen);
	EXPECT_EQ(9, seen[0]);
	EXPECT_EQ(0, seen[1]);
}

TEST_F(window, import_unmarks_nothing)
{
	u64 nothing[DTLS_REPLAY_WINDOW_MAX / 64] = { 0 };
	u64 seq;

	for (seq = 0; seq < 50; seq++)
		dtls_replay_mark(&self->w, seq);
	EXPECT_FALSE(dtls_replay_import(&self->w, 49, nothing));
	EXPECT_EQ(50, self->w.next);
	EXPECT_TRUE(dtls_replay_import(&self->w, 50, nothing));
	EXPECT_TRUE(dtls_replay_import(&self->w, 60, nothing));
	EXPECT_EQ(60, self->w.next);
	for (seq = 0; seq < 60; seq++)
		EXPECT_EQ(seq >= 50, dtls_replay_check(&self->w, seq));
	EXPECT_TRUE(dtls_replay_import(&self->w, DTLS_SEQ_MAX, nothing));
	EXPECT_FALSE(dtls_replay_check(&self->w, 0));
}

TEST_F(window, resize_against_model)
{
	u64 *ring[2] = { self->ring, NULL };
	u64 seq, k;
	u32 size;
	int i;

	for (i = 0; i < 40; i++) {
		for (k = 0; k < 300; k++) {
			seq = some_number(&self->random, self->m->next,
					  self->m->size);
			ASSERT_EQ(model_mark(self->m, seq),
				  dtls_replay_mark(&self->w, seq));
		}
		size = 64 << next_random(&self->random) % 7;
		ring[1] = new_ring(size);
		model_resize(self->m, size);
		ASSERT_EQ(ring[0], dtls_replay_resize(&self->w, ring[1], size));
		free(ring[0]);
		ring[0] = ring[1];
		self->ring = ring[0];
		for (k = 1; k < 5000 && k <= self->m->next; k += 3)
			ASSERT_EQ(model_check(self->m, self->m->next - k),
				  dtls_replay_check(&self->w,
						    self->m->next - k));
	}
}

TEST_HARNESS_MAIN
