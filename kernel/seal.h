/* SPDX-License-Identifier: GPL-2.0 */
/* These functions make records of what a program sends. See seal.c. */
#ifndef _DTLS_SEAL_H
#define _DTLS_SEAL_H

#include <linux/types.h>

#include "batch.h"
#include "key.h"

struct dtls_send;

/**
 * struct dtls_seal_run - records that are made together
 * @spot:	the place in the batch where the first record lies
 * @n:		the number of records
 * @len:	bytes of content of all records
 * @segment:	bytes of content of each record but the last, which has the rest
 * @size:	bytes of each record but the last
 * @last:	bytes of the last record
 * @head:	bytes before the content of each record
 * @more:	another record will follow in the same datagram
 * @wait:	where the content of several short records waits, from
 *		dtls_seal_copy() on, to be sealed; NULL: each part lies in its record
 */
struct dtls_seal_run {
	struct dtls_spot spot;
	unsigned int n;
	size_t len;
	size_t segment;
	size_t size;
	size_t last;
	unsigned int head;
	bool more;
	u8 *wait;
};

/*
 * dtls_seal_begin() fills in @run for @n records with @len bytes of content in
 * all, @segment bytes in each but the last. The caller has set @run->spot and
 * @run->more.
 */
static inline void dtls_seal_begin(struct dtls_seal_run *run,
				   const struct dtls_key *key, unsigned int n,
				   size_t segment, size_t len)
{
	run->n = n;
	run->len = len;
	run->head = dtls_key_head(key, run->more);
	run->last = dtls_key_size(key, len - (n - 1) * segment, run->more);
	run->segment = n > 1 ? segment : len;
	run->size = n > 1 ? dtls_key_size(key, segment, run->more) : run->last;
}

int __must_check dtls_seal_clear_number(const struct dtls_send *s);
int __must_check dtls_seal_copy(struct dtls_send *s,
				const struct dtls_batch *batch,
				struct dtls_seal_run *run);
int __must_check dtls_seal_make(struct dtls_send *s,
				const struct dtls_seal_run *run);

#endif /* _DTLS_SEAL_H */
