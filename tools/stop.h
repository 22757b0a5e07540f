/* SPDX-License-Identifier: BSD-3-Clause */
/* These functions let a command say goodbye to its peers before a signal ends it. */
#ifndef STOP_H
#define STOP_H

#include <stdbool.h>

/*
 * Make the file that is readable, for all threads, when a signal has come. A server calls
 * the function before it has clients, which may use up all its file descriptors. Return
 * the file.
 */
int stop_open(void);

/*
 * Catch SIGHUP, SIGINT and SIGTERM from now on, unless they are ignored. A second one ends
 * the process at once.
 */
void stop_watch(void);

/* Return true if a signal has come since stop_watch(). */
bool stop_asked(void);

/* End the process by the signal that has come. If none has, catch no more of them. */
void stop_end(void);

#endif
