// SPDX-License-Identifier: GPL-2.0
/* libFuzzer: a program for the replay window, run on the model too */
#include "model.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u64 ring[2][DTLS_REPLAY_WINDOW_MAX / 64];
static u64 seen[DTLS_REPLAY_WINDOW_MAX / 64];
static struct model m;

static void check(bool good)
{
	if (!good)
		abort();
}

/* Marked at once is what is marked one after the other. */
static void check_run(struct dtls_replay *w, u64 seq, u32 n, u64 set)
{
	u64 good = 0, marked = 0;
	u32 i;

	set &= ~0ULL >> (64 - n);
	for (i = 0; i < n; i++)
		good |= (u64)model_check(&m, seq + i) << i;
	check(dtls_replay_check_run(w, seq, n) == good);
	for (i = 0; i < n; i++)
		if (set >> i & 1 && model_mark(&m, seq + i))
			marked |= 1ULL << i;
	check(dtls_replay_mark_run(w, seq, n, set) == marked);
}

/*
 * Four bytes an instruction: what to do and for how many, and three of a number
 */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct dtls_replay w, copy;
	u32 records, run;
	u64 seq, n;
	int other;

	dtls_replay_init(&w, ring[0], DTLS_REPLAY_WINDOW_MIN, 0);
	model_init(&m, DTLS_REPLAY_WINDOW_MIN, 0);
	for (; size >= 4; data += 4, size -= 4) {
		n = dtls_get_be(data + 1, 3);
		run = 1 + data[0] / 4;
		switch (data[0] % 4) {
		case 0:
			seq = w.next + n % 200;
			break;
		case 1:
			seq = w.next - n % (w.next + 1 < 5000 ? w.next + 1 :
							       5000);
			break;
		case 2:
			records = 64 << n % 7;
			other = dtls_replay_ring(&w) == ring[0];
			dtls_replay_resize(&w, ring[other], records);
			model_resize(&m, records);
			continue;
		default:
			seq = w.next + n;
		}
		check(dtls_replay_check(&w, seq) == model_check(&m, seq));
		check_run(&w, seq, run, n % 2 ? ~0ULL : n * n);
		check(w.next == m.next);
	}

	/* A copy of the largest size refuses what the window refuses. */
	dtls_replay_export(&w, seen);
	other = dtls_replay_ring(&w) == ring[0];
	dtls_replay_init(&copy, ring[other], DTLS_REPLAY_WINDOW_MAX, 0);
	check(dtls_replay_import(&copy, w.next, seen));
	for (n = 1; n <= 4200 && n <= w.next; n++)
		check(dtls_replay_check(&copy, w.next - n) ==
		      dtls_replay_check(&w, w.next - n));
	return 0;
}
