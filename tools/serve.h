/* SPDX-License-Identifier: BSD-3-Clause */
/* Many clients at once: an echo, or a command for each. */
#ifndef SERVE_H
#define SERVE_H

#include "options.h"
#include <kdtls/socket.h>

#define LISTENERS_MAX	2

/* One, or where no address was given one for each family there is */
struct listeners {
	struct kdtls_listener *listener[LISTENERS_MAX];
	int count;
};

/* Goes on for ever, or with --once until the first client has gone. */
int serve(const struct listeners *ls, const struct options *o);

#endif
