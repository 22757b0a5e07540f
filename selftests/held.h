/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that are not there: a system call that touches one of them waits, in
 * the midst of what it does, until the test lets the call go on.
 */
#ifndef _SELFTESTS_HELD_H
#define _SELFTESTS_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/**
 * struct held - pages that nobody brings
 * @fd:		userfaultfd
 * @size:	bytes of a page
 * @n:		how many pages are not there
 * @page:	the first of them; the page before it is there
 */
struct held {
	int fd;
	size_t size;
	unsigned int n;
	__u8 *page;
};

/* Map @n such pages; 0 or -1. */
int held_open(struct held *h, unsigned int n);

/* Wait until a call touches one of the pages; false: none does. */
bool held_somebody(const struct held *h);

/* Bring all pages: the first begins with @len bytes of @data; 0 or -1. */
int held_let_go(const struct held *h, const void *data, size_t len);

/* Take the pages away: whoever waits fails with EFAULT; 0 or -1. */
int held_fail(const struct held *h);

void held_close(const struct held *h);

#endif /* _SELFTESTS_HELD_H */
