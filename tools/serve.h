/* SPDX-License-Identifier: BSD-3-Clause */
/* Many clients at once: an echo, or a command for each. */
#ifndef SERVE_H
#define SERVE_H

#include "options.h"
#include <kdtls/socket.h>

#define LISTENERS_MAX	2

/*
 * struct listeners is one listener, or one for each address family if no
 * address was given.
 */
struct listeners {
	struct kdtls_listener *listener[LISTENERS_MAX];
	int count;
};

/* Serve for ever, or with --once until the first client has gone. */
int serve(const struct listeners *ls, const struct options *o);

#endif
