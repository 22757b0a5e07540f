/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * The replay window (RFC 6347 4.1.2.6): pure functions, see record.h.
 *
 * The window is a ring of one bit a sequence number. The caller provides the
 * locking: check and mark of one window do not run at the same time.
 */
#ifndef _DTLS_REPLAY_H
#define _DTLS_REPLAY_H

#include "record.h"

/**
 * struct dtls_replay - which of the last @size sequence numbers were seen
 * @next:	the number after the highest one seen
 * @floor:	everything below was seen, or counts as if
 * @size:	records the window spans: a power of two, 64 at least
 * @ring:	@size bits, number n at bit n % @size; the caller's memory
 */
struct dtls_replay {
	u64 next;
	u64 floor;
	u32 size;
	u64 *ring;
};

/**
 * dtls_replay_init() - an empty window
 * @w:		the window
 * @ring:	@size / 8 bytes that live as long as @w
 * @size:	a power of two, DTLS_REPLAY_WINDOW_MIN to DTLS_REPLAY_WINDOW_MAX
 * @floor:	numbers below it are refused
 */
void dtls_replay_init(struct dtls_replay *w, u64 *ring, u32 size, u64 floor);

/**
 * dtls_replay_check() - would this number be accepted?
 *
 * Return: true if @seq is neither seen nor older than the window.
 */
bool dtls_replay_check(const struct dtls_replay *w, u64 seq);

/**
 * dtls_replay_mark() - take a number as seen
 *
 * Only for a record whose tag was verified: a forged number must not move the
 * window.
 *
 * Return: false if @seq was seen before or is too old; @w is unchanged then.
 */
bool dtls_replay_mark(struct dtls_replay *w, u64 seq);

/**
 * dtls_replay_left() - tell whether the window moved past a number
 *
 * Return: true if @seq is too old to be marked, whether it was seen or not.
 */
bool dtls_replay_left(const struct dtls_replay *w, u64 seq);

/* Numbers that are checked or marked at once */
#define DTLS_REPLAY_RUN_MAX	64

/**
 * dtls_replay_check_run() - which of these numbers would be accepted?
 * @w:		the window
 * @seq:	the first of them; they follow one another
 * @n:		how many: 1 to DTLS_REPLAY_RUN_MAX
 *
 * Return: bit i is set if @seq + i is.
 */
u64 dtls_replay_check_run(const struct dtls_replay *w, u64 seq, u32 n);

/**
 * dtls_replay_mark_run() - take numbers as seen, one after another
 * @w:		the window
 * @seq:	as for dtls_replay_check_run()
 * @n:		likewise
 * @set:	bit i is set if @seq + i is to be marked
 *
 * Return: those of @set for which dtls_replay_mark() is true.
 */
u64 dtls_replay_mark_run(struct dtls_replay *w, u64 seq, u32 n, u64 set);

/**
 * dtls_replay_resize() - give the window another size
 * @ring:	@size / 8 bytes of new memory
 * @size:	as for dtls_replay_init()
 *
 * What was seen stays seen; a larger window does not go back to what the old
 * one had given up.
 *
 * Return: the old ring, the caller's to free.
 */
u64 *dtls_replay_resize(struct dtls_replay *w, u64 *ring, u32 size);

/**
 * dtls_replay_export() - the window as in struct dtls_window
 * @seen:	DTLS_REPLAY_WINDOW_MAX / 64 words, see there
 */
void dtls_replay_export(const struct dtls_replay *w, u64 *seen);

/**
 * dtls_replay_import() - mark more numbers as seen, as in struct dtls_window
 *
 * Return: false if @next lies below the window's; @w is unchanged then.
 */
bool dtls_replay_import(struct dtls_replay *w, u64 next, const u64 *seen);

#endif /* _DTLS_REPLAY_H */
