/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This file remembers the tickets that early data came with (RFC 8446 8). A
 * ticket is good for early data once, and only near the time that its age tells.
 *
 * A hello tells how old its ticket is, and its early data is accepted for
 * DTLS_FRESH seconds around the time that follows from this (8.3). For so long
 * its ticket is remembered (8.1), in a table of fixed size; a ticket that finds
 * no place there is refused. Tickets of another endpoint are under another key, so no
 * table is shared.
 */
#ifndef _DTLS_SPENT_H
#define _DTLS_SPENT_H

#include "session.h"

#define DTLS_FRESH	10	/* seconds that a hello may come early or late */

/*
 * The table is memory that a child process finds wiped (MADV_WIPEONFORK), as a
 * child cannot know what the others take. So a process that was forked off
 * after the endpoint was made takes no early data, and the one that made the
 * endpoint goes on.
 */
struct dtls_spent_table;

struct dtls_spent {
	struct dtls_spent_table *table;
};

/* Make the table. Return false if the system has no such memory. */
bool dtls_spent_init(struct dtls_spent *spent);

/* Free the table, if there is one. */
void dtls_spent_exit(struct dtls_spent *spent);

/**
 * dtls_spent_ask() - ask whether early data may come with a ticket
 * @spent:	the endpoint's; without a table no early data may come
 * @ticket:	as issued by this endpoint
 * @s:		what the ticket holds
 * @age:	as the client tells it, hidden by @s->age_add
 * @now:	seconds since 1970
 * @spend:	the ticket is used for early data, and must not be used again
 *
 * Return: true if early data may come.
 */
bool dtls_spent_ask(struct dtls_spent *spent, struct dtls_bytes ticket,
		    const struct dtls_session *s, u32 age, int64_t now,
		    bool spend);

#endif /* _DTLS_SPENT_H */
