/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tickets that early data came with (RFC 8446 8): each is good for that once,
 * and only when it was to be expected.
 *
 * A hello tells how old its ticket is, and counts for DTLS_FRESH seconds around
 * the time that follows from this (8.3). For so long its ticket is kept in mind
 * (8.1); in a table of fixed size, and what finds no place there is refused.
 * Tickets of another endpoint have another key, so none is shared.
 */
#ifndef _DTLS_SPENT_H
#define _DTLS_SPENT_H

#include "session.h"

#define DTLS_FRESH	10	/* seconds */

/*
 * The table is memory that a child process finds wiped (MADV_WIPEONFORK): it
 * could not know what the others take. A process that was forked off after the
 * endpoint was made so takes no early data, and the one that made it goes on.
 */
struct dtls_spent_table;

struct dtls_spent {
	struct dtls_spent_table *table;
};

bool dtls_spent_init(struct dtls_spent *spent);
void dtls_spent_exit(struct dtls_spent *spent);

/**
 * dtls_spent_ask() - may early data come with this ticket?
 * @ticket:	as issued, under a key of ours
 * @s:		what it holds
 * @age:	as the client tells it, hidden by @s->age_add
 * @now:	seconds since 1970
 * @spend:	it does, and must not again
 */
bool dtls_spent_ask(struct dtls_spent *spent, struct dtls_bytes ticket,
		    const struct dtls_session *s, u32 age, int64_t now,
		    bool spend);

#endif /* _DTLS_SPENT_H */
