/* SPDX-License-Identifier: BSD-3-Clause */
/* A transfer moves data both ways until both ends have sent close_notify. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include "conn.h"

/*
 * Look at the files of the options, so that a mistake is told before anybody is connected,
 * open that of --output, and call stop_open(). The program exits with a message if a file
 * is not usable.
 */
void transfer_prepare(const struct options *o);

/*
 * Move data between @s and the files of the options until both ends have sent
 * close_notify, or something fails. Return the exit status, which is not 0 after a message.
 */
int transfer(struct kdtls_socket *s, const struct options *o);

#endif
