// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file remembers the tickets that were used for early data. See spent.h.
 */
#include <sys/mman.h>

#include "spent.h"

#define ROWS	2048
#define PLACES	8	/* entries in a row of the table */

struct dtls_spent_table {
	u64 ours;		/* 1, or 0 in a child process, which finds it wiped */
	u64 unused;
	struct {
		u64 ticket;
		int64_t until;	/* seconds since 1970 */
	} entry[ROWS * PLACES];
};

bool dtls_spent_init(struct dtls_spent *spent)
{
	struct dtls_spent_table *t;

	t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t == MAP_FAILED)
		return false;
	if (madvise(t, sizeof(*t), MADV_WIPEONFORK)) {
		munmap(t, sizeof(*t));
		return false;
	}
	t->ours = 1;
	spent->table = t;
	return true;
}

void dtls_spent_exit(struct dtls_spent *spent)
{
	if (spent->table)
		munmap(spent->table, sizeof(*spent->table));
	spent->table = NULL;
}

/*
 * Return true if the hello comes at the time that the age of its ticket tells
 * (RFC 8446 8.3).
 */
static bool fresh(const struct dtls_session *s, u32 age, int64_t now)
{
	int64_t late = 1000 * (now - s->made) - (u32)(age - s->age_add);

	return late >= -1000 * DTLS_FRESH && late <= 1000 * DTLS_FRESH;
}

bool dtls_spent_ask(struct dtls_spent *spent, struct dtls_bytes ticket,
		    const struct dtls_session *s, u32 age, int64_t now,
		    bool spend)
{
	struct dtls_spent_table *t = spent->table;
	unsigned int i, row, place = PLACES;
	u64 id;

	if (!t || !t->ours || ticket.len < 8 || !fresh(s, age, now))
		return false;
	/*
	 * A ticket ends with a tag, which nobody can choose, and so is a hash.
	 */
	id = dtls_get_be(ticket.p + ticket.len - 8, 8);
	row = id % ROWS * PLACES;
	for (i = 0; i < PLACES; i++) {
		if (t->entry[row + i].until < now)
			place = i;
		else if (t->entry[row + i].ticket == id)
			return false;
	}
	if (place == PLACES)
		return false;
	if (spend) {
		t->entry[row + place].ticket = id;
		/*
		 * The ticket is remembered for the length of the window, and
		 * for a second that rounding may have taken.
		 */
		t->entry[row + place].until = now + 2 * DTLS_FRESH + 1;
	}
	return true;
}
