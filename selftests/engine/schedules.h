/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command line of a simulator, and what holds for each schedule of any: it gives
 * back all memory, and runs the same when it is run again.
 *
 *	PROGRAM [SCHEDULES [FIRST_SEED]]	run them, print what came of them
 *	PROGRAM -v SEED				run one, print what happens
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
 * @count:	how many schedules were run; 0: one, to be looked at
 * @leaks:	those that did not give back all memory
 * @differ:	those that ran otherwise when they were run again
 */
struct schedules {
	u64 (*run)(u64 seed, bool again);
	u64 count, leaks, differ;
};

/* struct schedules_test - a line of TAP */
struct schedules_test {
	const char *what;
	bool ok;
};

/* Run what the command line @argv says. The process counts memory by heap_watch(). */
void schedules_run(struct schedules *s, int argc, char **argv);

/* Print @n tests as TAP. Return the exit status of the program. */
int schedules_report(const struct schedules_test *tests, size_t n);

#endif /* _TEST_SCHEDULES_H */
