/* SPDX-License-Identifier: BSD-3-Clause */
/* Many clients at once: an echo, or a command for each. */
#ifndef SERVE_H
#define SERVE_H

#include "options.h"
#include <kdtls/socket.h>

/* Goes on for ever, or with --once until the first client has gone. */
int serve(struct kdtls_listener *l, const struct options *o);

#endif
