/* SPDX-License-Identifier: BSD-3-Clause */
/* These functions find and print the addresses that a server listens on. */
#ifndef LISTEN_H
#define LISTEN_H

#include "options.h"

#define LISTEN_MAX	2	/* most calls of @open by listen_all() that succeed */

/*
 * Call @open with the address of the options or, if the options have none, with the
 * wildcard address of each family that the host has. @open returns 0 or a negative error,
 * after which the program exits with a message.
 */
void listen_all(const struct options *o, int (*open)(void *ctx, const char *host),
		void *ctx);

/* Print where the server listens. */
void listen_tell(const struct options *o);

#endif
