/* SPDX-License-Identifier: BSD-3-Clause */
/* Data is moved both ways until both sides have sent close_notify. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include "conn.h"

/*
 * Move data until the end. Return the exit status; a message has been printed
 * if it is not 0.
 */
int transfer(struct kdtls_socket *s, const struct options *o);

#endif
