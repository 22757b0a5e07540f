/* SPDX-License-Identifier: BSD-3-Clause */
/* These functions let a command say goodbye to its peers before a signal ends it. */
#ifndef STOP_H
#define STOP_H

#include <stdbool.h>

/*
 * Catch SIGHUP, SIGINT and SIGTERM from now on, unless they are ignored. Return a file
 * that is readable, for all threads, when one of them has come. A second one ends the
 * process at once.
 */
int stop_watch(void);

/* Return true if a signal has come since stop_watch(). */
bool stop_asked(void);

/* End the process by the signal that has come. If none has, catch no more of them. */
void stop_end(void);

#endif
