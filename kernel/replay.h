/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * These functions are the replay window (RFC 6347 4.1.2.6, RFC 9147 4.5.1). replay.c is
 * pure, as record.h says.
 *
 * The window is a ring with one bit for each sequence number: a word in the structure
 * where that is enough, as most windows are so small. The caller provides the
 * locking: no two functions run on one window at the same time unless both take the
 * window as const.
 */
#ifndef _DTLS_REPLAY_H
#define _DTLS_REPLAY_H

#include "record.h"

/**
 * struct dtls_replay - which of the last @size sequence numbers were received
 * @next:	the number after the highest one received
 * @floor:	numbers below @floor are refused, whether they were received or not
 * @size:	how many numbers the window spans: a power of two, 64 at least
 * @word:	a window of DTLS_REPLAY_WINDOW_MIN numbers: number n has bit n % 64
 * @ring:	a larger window: memory of the caller with @size bits, of which number n
 *		has bit n % @size
 */
struct dtls_replay {
	u64 next;
	u64 floor;
	u32 size;
	union {
		u64 word;
		u64 *ring;
	};
};

/**
 * dtls_replay_room() - tell how much memory a window needs beside its structure
 * @size:	a power of two, DTLS_REPLAY_WINDOW_MIN to DTLS_REPLAY_WINDOW_MAX
 *
 * Return: the bytes of its ring; 0: it has none.
 */
static inline u32 dtls_replay_room(u32 size)
{
	return size == DTLS_REPLAY_WINDOW_MIN ? 0 : size / 8;
}

/* Return the ring of @w, or NULL if it has none, as all zeros have none. */
static inline u64 *dtls_replay_ring(const struct dtls_replay *w)
{
	return dtls_replay_room(w->size) ? w->ring : NULL;
}

/**
 * dtls_replay_init() - make an empty window
 * @w:		the window
 * @ring:	dtls_replay_room() bytes that live as long as @w
 * @size:	a power of two, DTLS_REPLAY_WINDOW_MIN to DTLS_REPLAY_WINDOW_MAX
 * @floor:	the window refuses every number below @floor
 */
void dtls_replay_init(struct dtls_replay *w, u64 *ring, u32 size, u64 floor);

/**
 * dtls_replay_check() - tell whether the window would accept a number
 * @w:		the window
 * @seq:	the number
 *
 * Return: true if @seq was not received before and is not older than the
 * window.
 */
bool dtls_replay_check(const struct dtls_replay *w, u64 seq);

/**
 * dtls_replay_mark() - mark a number as received
 * @w:		the window
 * @seq:	the number
 *
 * The caller has verified the tag of the record with that number, as a forged
 * number must not move the window.
 *
 * Return: false if @seq was received before or is older than the window, which
 * is unchanged then.
 */
bool dtls_replay_mark(struct dtls_replay *w, u64 seq);

/**
 * dtls_replay_left() - tell whether the window has moved past a number
 * @w:		the window
 * @seq:	the number
 *
 * Return: true if @seq is too old to be marked, whether it was received or not.
 */
bool dtls_replay_left(const struct dtls_replay *w, u64 seq);

/* One call checks or marks at most so many numbers, as each has a bit in a u64. */
#define DTLS_REPLAY_RUN_MAX	64

/**
 * dtls_replay_check_run() - tell which of some numbers the window would accept
 * @w:		the window
 * @seq:	the first number; the others follow it without a gap
 * @n:		how many numbers there are: 1 to DTLS_REPLAY_RUN_MAX
 *
 * Return: bit i is what dtls_replay_check() returns for @seq + i.
 */
u64 dtls_replay_check_run(const struct dtls_replay *w, u64 seq, u32 n);

/*
 * Mark the numbers of @set as dtls_replay_mark_run() does, one by one, as some may be old
 * or have gaps before them.
 */
u64 dtls_replay_mark_each(struct dtls_replay *w, u64 seq, u32 n, u64 set);

/*
 * Return the word of the window that has the bit of @seq. The window's size is a power
 * of two, so a mask makes the index and no division is needed. The caller does not
 * write to a window that is const.
 */
static inline u64 *dtls_replay_word(const struct dtls_replay *w, u64 seq)
{
	if (w->size == DTLS_REPLAY_WINDOW_MIN)
		return (u64 *)&w->word;
	return &w->ring[(seq & (w->size - 1)) / 64];
}

/* Return a word whose lowest @n bits are set. @n is 1 at least. */
static inline u64 dtls_replay_bits(u32 n)
{
	return ~0ULL >> (DTLS_REPLAY_RUN_MAX - n);
}

/**
 * dtls_replay_mark_run() - mark numbers as received, the lowest first
 * @w:		the window
 * @seq:	the first number; the others follow it without a gap
 * @n:		how many numbers there are: 1 to DTLS_REPLAY_RUN_MAX
 * @set:	bit i says that @seq + i is to be marked
 *
 * Return: the bits of @set for which dtls_replay_mark() returns true.
 */
static inline u64 dtls_replay_mark_run(struct dtls_replay *w, u64 seq, u32 n,
				       u64 set)
{
	if (seq != w->next || set != dtls_replay_bits(n))
		return dtls_replay_mark_each(w, seq, n, set);

	/*
	 * The numbers follow the window, as most do, and their bits lie in one
	 * word of the window or in two.
	 */
	w->next = seq + n;
	*dtls_replay_word(w, seq) |= set << (seq % 64);
	if (seq % 64 + n > 64)
		*dtls_replay_word(w, seq + n - 1) |= set >> (64 - seq % 64);
	return set;
}

/**
 * dtls_replay_resize() - give the window another size
 * @w:		the window
 * @ring:	dtls_replay_room() bytes of new memory
 * @size:	a power of two, DTLS_REPLAY_WINDOW_MIN to DTLS_REPLAY_WINDOW_MAX
 *
 * Numbers that were received stay so. A number that the old window had moved past
 * stays refused, even if the new window is large enough to span it.
 *
 * Return: the old ring, which is the caller's to free, or NULL if there was none.
 */
u64 *dtls_replay_resize(struct dtls_replay *w, u64 *ring, u32 size);

/**
 * dtls_replay_export() - write the window in the form of struct dtls_window
 * @w:		the window
 * @seen:	dtls_window.seen: DTLS_REPLAY_WINDOW_MAX / 64 words
 *
 * A number that the window has moved past counts as received.
 */
void dtls_replay_export(const struct dtls_replay *w, u64 *seen);

/**
 * dtls_replay_import() - mark the numbers that a struct dtls_window tells
 * @w:		the window
 * @next:	dtls_window.next
 * @seen:	dtls_window.seen
 *
 * Return: false if @next is less than @w->next; @w is unchanged then.
 */
bool dtls_replay_import(struct dtls_replay *w, u64 next, const u64 *seen);

#endif /* _DTLS_REPLAY_H */
