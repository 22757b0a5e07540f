/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This header has the functions by which server objects use struct kdtls_turn, the turn
 * that a process has at a port; see kdtls_turn_take() of kdtls/server.h.
 */
#ifndef _KDTLS_TURN_H
#define _KDTLS_TURN_H

#include <stdbool.h>
#include <stdint.h>

#define TURN_SHARES	2	/* processes that are on a port at once */

struct kdtls_turn;

/* Return the first byte of the connection IDs that servers with this turn give. */
uint8_t turn_share(const struct kdtls_turn *turn);

/*
 * Let the datagrams that are this process's come to the socket @fd, which is bound, and
 * keep that so until turn_remove(). Return 0, -KDTLS_EUSAGE if there are too many
 * sockets, or -errno.
 */
int turn_add(struct kdtls_turn *turn, int fd);

/* Forget the socket @fd, if it was added. */
void turn_remove(struct kdtls_turn *turn, int fd);

/*
 * Look, from time to time, for the other process on the port: whether an older one has
 * gone, or a newer one has come. The first call also ends the turn of an older one, so it
 * comes when the program has all its servers. @now is the time of driver_now(). Servers
 * have to call the function before turn_due() of that.
 */
void turn_look(struct kdtls_turn *turn, uint64_t now);

/* Return the time of the next look. */
uint64_t turn_due(const struct kdtls_turn *turn);

#endif /* _KDTLS_TURN_H */
