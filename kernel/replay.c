// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/* This file checks and marks sequence numbers in the replay window. See replay.h. */
#include "replay.h"

/* Return the bit of @seq in the word that dtls_replay_word() returns. */
static u64 bit_of(u64 seq)
{
	return 1ULL << (seq % 64);
}

/*
 * Move the window up to @next: clear the bits of the numbers from w->next up to
 * @next - 1. None of them was received.
 */
static void advance(struct dtls_replay *w, u64 next)
{
	u64 seq = w->next, end;

	if (next - seq >= w->size) {
		memset(dtls_replay_word(w, 0), 0, w->size / 8);
		seq = next;
	}
	for (; seq < next; seq = end) {
		end = (seq | 63) + 1;
		if (end <= next) {
			*dtls_replay_word(w, seq) &= bit_of(seq) - 1;
		} else {
			*dtls_replay_word(w, seq) &= ~(bit_of(next) - bit_of(seq));
			end = next;
		}
	}
	w->next = next;
}

/* Give the window @size bits, all of them clear. */
static void set_ring(struct dtls_replay *w, u64 *ring, u32 size)
{
	w->size = size;
	w->ring = ring;
	memset(dtls_replay_word(w, 0), 0, size / 8);
}

void dtls_replay_init(struct dtls_replay *w, u64 *ring, u32 size, u64 floor)
{
	w->next = floor;
	w->floor = floor;
	set_ring(w, ring, size);
}

bool dtls_replay_left(const struct dtls_replay *w, u64 seq)
{
	return seq < w->floor || (seq < w->next && w->next - seq > w->size);
}

bool dtls_replay_check(const struct dtls_replay *w, u64 seq)
{
	if (seq >= w->next)
		return true;
	if (dtls_replay_left(w, seq))
		return false;
	return !(*dtls_replay_word(w, seq) & bit_of(seq));
}

bool dtls_replay_mark(struct dtls_replay *w, u64 seq)
{
	if (seq >= w->next) {
		if (seq > w->next)
			advance(w, seq);
		w->next = seq + 1;
	} else if (!dtls_replay_check(w, seq)) {
		return false;
	}
	*dtls_replay_word(w, seq) |= bit_of(seq);
	return true;
}

u64 dtls_replay_check_run(const struct dtls_replay *w, u64 seq, u32 n)
{
	u64 good = 0;
	u32 i;

	if (seq >= w->next)
		return dtls_replay_bits(n);
	for (i = 0; i < n; i++)
		good |= (u64)dtls_replay_check(w, seq + i) << i;
	return good;
}

u64 dtls_replay_mark_each(struct dtls_replay *w, u64 seq, u32 n, u64 set)
{
	u64 marked = 0;
	u32 i;

	for (i = 0; i < n; i++)
		if (set >> i & 1 && dtls_replay_mark(w, seq + i))
			marked |= 1ULL << i;
	return marked;
}

u64 *dtls_replay_resize(struct dtls_replay *w, u64 *ring, u32 size)
{
	struct dtls_replay old = *w;
	u64 i;

	if (w->next > w->size && w->next - w->size > w->floor)
		w->floor = w->next - w->size;
	set_ring(w, ring, size);
	for (i = 1; i <= size && i <= old.size && i <= w->next; i++)
		if (!dtls_replay_check(&old, w->next - i))
			*dtls_replay_word(w, w->next - i) |= bit_of(w->next - i);
	return dtls_replay_ring(&old);
}

void dtls_replay_export(const struct dtls_replay *w, u64 *seen)
{
	u64 i;

	/*
	 * A number that the window has moved past counts as received, as
	 * dtls_replay_check() refuses it too.
	 */
	memset(seen, 0, DTLS_REPLAY_WINDOW_MAX / 8);
	for (i = 0; i < DTLS_REPLAY_WINDOW_MAX && i < w->next; i++)
		if (!dtls_replay_check(w, w->next - 1 - i))
			seen[i / 64] |= 1ULL << (i % 64);
}

bool dtls_replay_import(struct dtls_replay *w, u64 next, const u64 *seen)
{
	u64 i;

	if (next < w->next)
		return false;
	advance(w, next);
	for (i = 0; i < w->size && i < next; i++)
		if (seen[i / 64] & 1ULL << (i % 64))
			*dtls_replay_word(w, next - 1 - i) |= bit_of(next - 1 - i);
	return true;
}
