/* SPDX-License-Identifier: BSD-3-Clause */
/* These functions serve many clients at once: an echo, or a command for each. */
#ifndef SERVE_H
#define SERVE_H

#include "options.h"
#include <kdtls/server.h>

/*
 * Serve for ever, or with --once until the first client has gone. Return the exit
 * status. If the program cannot serve it exits with a message.
 */
int serve(struct options *o);

/*
 * Send records to clients. If the socket has no room the function waits a moment, and what
 * then finds no room is lost, as datagrams are.
 */
void serve_send(struct kdtls_server *server, struct kdtls_message *messages,
		size_t count);

/* End a client, and print why. */
void serve_end(struct kdtls_client *client, const char *why);

#endif
