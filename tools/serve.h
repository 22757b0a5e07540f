/* SPDX-License-Identifier: BSD-3-Clause */
/* Many clients at once: an echo, or a command for each. */
#ifndef SERVE_H
#define SERVE_H

#include "options.h"
#include <kdtls/server.h>

/*
 * Serve for ever, or with --once until the first client has gone. Return the exit
 * status. The program exits with a message if that is not possible.
 */
int serve(struct options *o);

/* Send records. What finds no room a moment later either is lost, as datagrams are. */
void serve_send(struct kdtls_server *server, struct kdtls_message *messages,
		size_t count);

/* End a client, and say why. */
void serve_end(struct kdtls_client *client, const char *why);

#endif
