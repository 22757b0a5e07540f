/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This table has the spent tickets, which were used for early data (RFC 8446 8).
 * A ticket may be used for early data once, and only near the time that its age
 * tells.
 *
 * A hello tells how old its ticket is, and its early data is accepted for
 * DTLS_FRESH seconds around the time that follows from this (RFC 8446 8.3). For
 * so long its ticket is remembered (RFC 8446 8.1), in a table of fixed size; a
 * ticket for which the table has no place is refused. Tickets of another
 * endpoint are under another key, so no table is shared.
 */
#ifndef _DTLS_SPENT_H
#define _DTLS_SPENT_H

#include "session.h"

#define DTLS_FRESH	10	/* A hello may come so many seconds early or late. */

/*
 * The table lies in memory that a child process finds wiped (MADV_WIPEONFORK),
 * as a child cannot know which tickets the other processes take. So a process
 * that was forked off after the endpoint was made takes no early data. The
 * process that made the endpoint goes on taking it.
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
 * @spent:	the endpoint's table; without one no early data may come
 * @ticket:	a ticket that this endpoint has issued
 * @s:		the session in the ticket
 * @age:	the ticket's age that the client tells, hidden by @s->age_add
 * @now:	seconds since 1970
 * @spend:	the ticket is used for early data, and must not be used again
 *
 * Return: true if early data may come.
 */
bool dtls_spent_ask(struct dtls_spent *spent, struct dtls_bytes ticket,
		    const struct dtls_session *s, u32 age, int64_t now,
		    bool spend);

#endif /* _DTLS_SPENT_H */
