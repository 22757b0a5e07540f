/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a server listens. */
#ifndef LISTEN_H
#define LISTEN_H

#include "options.h"

#define LISTEN_MAX	2	/* calls of listen_all() to its function that succeed */

/*
 * Call @open with the address of the options, or with the wildcard address of each
 * family that the host has, if no address was given. @open returns 0 or a negative error,
 * with which the program exits.
 */
void listen_all(const struct options *o, int (*open)(void *ctx, const char *host),
		void *ctx);

/* Say that the server listens. */
void listen_tell(const struct options *o);

#endif
