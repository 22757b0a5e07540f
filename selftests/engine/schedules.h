/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command line of a simulator, and what is checked of the schedules of every
 * simulator: each gives back all memory, and every sixteenth is run twice and must do
 * the same. libcrypto draws its random numbers from the seed of a schedule, too: a
 * datagram that was corrupted may be of use or not by a random byte in it.
 *
 *	PROGRAM [SCHEDULES [FIRST_SEED]]	run schedules, print the results
 *	PROGRAM -v SEED				run one schedule, print what happens
 */
#ifndef _TEST_SCHEDULES_H
#define _TEST_SCHEDULES_H

#include <stdbool.h>
#include <stddef.h>

#include "network.h"

/**
 * struct schedules - a run of schedules
 * @run:	run the schedule of @seed and return a hash of what happened; with
 *		@again the schedule was run before, and is not counted
 * @count:	how many schedules were run; 0: one was run with -v, and nothing was checked
 * @leaks:	how many schedules did not give back all memory
 * @differ:	how many schedules ran otherwise when they were run again
 */
struct schedules {
	u64 (*run)(u64 seed, bool again);
	u64 count, leaks, differ;
};

/* struct schedules_test is a line of TAP. */
struct schedules_test {
	const char *what;
	bool ok;
};

/* Run the schedules that @argv asks for. The caller has called heap_watch() before. */
void schedules_run(struct schedules *s, int argc, char **argv);

/* Print @n tests as TAP. Return the exit status of the program. */
int schedules_report(const struct schedules_test *tests, size_t n);

#endif /* _TEST_SCHEDULES_H */
