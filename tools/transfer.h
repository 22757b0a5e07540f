/* SPDX-License-Identifier: BSD-3-Clause */
/* Data both ways until both sides have said close_notify. */
#ifndef TRANSFER_H
#define TRANSFER_H

#include "conn.h"

/* Return: exit status, after a message if it is not 0. */
int transfer(struct kdtls_socket *s, const struct options *o);

#endif
