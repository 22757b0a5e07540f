// SPDX-License-Identifier: BSD-3-Clause
/* Tickets that early data came with; see spent.h. */
#include "spent.h"

#define ROWS	2048
#define PLACES	8	/* in a row */

bool dtls_spent_init(struct dtls_spent *spent)
{
	spent->entry = OPENSSL_zalloc(ROWS * PLACES * sizeof(*spent->entry));
	return spent->entry;
}

void dtls_spent_exit(struct dtls_spent *spent)
{
	OPENSSL_free(spent->entry);
	spent->entry = NULL;
}

/* Does the hello come when its ticket's age says so? (RFC 8446 8.3) */
static bool fresh(const struct dtls_session *s, u32 age, int64_t now)
{
	int64_t late = 1000 * (now - s->made) - (u32)(age - s->age_add);

	return late >= -1000 * DTLS_FRESH && late <= 1000 * DTLS_FRESH;
}

bool dtls_spent_ask(struct dtls_spent *spent, struct dtls_bytes ticket,
		    const struct dtls_session *s, u32 age, int64_t now,
		    bool spend)
{
	unsigned int i, row, place = PLACES;
	u64 id;

	if (!spent->entry || ticket.len < 8 || !fresh(s, age, now))
		return false;
	/* Its end is a tag: nobody can choose it. */
	id = dtls_get_be(ticket.p + ticket.len - 8, 8);
	row = id % ROWS * PLACES;
	for (i = 0; i < PLACES; i++) {
		if (spent->entry[row + i].until < now)
			place = i;
		else if (spent->entry[row + i].ticket == id)
			return false;
	}
	if (place == PLACES)
		return false;
	if (spend) {
		spent->entry[row + place].ticket = id;
		/* The window's length, and what rounding to seconds took */
		spent->entry[row + place].until = now + 2 * DTLS_FRESH + 1;
	}
	return true;
}
