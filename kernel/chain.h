/* SPDX-License-Identifier: GPL-2.0 */
/* A chain is several records of one coalesced datagram, read with UDP_GRO. */
#ifndef _DTLS_CHAIN_H
#define _DTLS_CHAIN_H

#include <linux/types.h>

#include "reader.h"
#include "sock.h"

struct dtls_msg;
struct dtls_scratch;

/*
 * Return true if records may follow the first one in the user's buffer: the user asked
 * for UDP_GRO, and the first record, of @size bytes, was delivered whole. @ret is what
 * recv() would return for it.
 */
static inline bool dtls_chain_wanted(const struct dtls_reader *r, int size,
				     int ret)
{
	return READ_ONCE(r->ds->user_gro) && ret == size && size <= r->len;
}

int dtls_chain_opened(struct dtls_reader *r, struct dtls_scratch *scratch,
		      int size);
int dtls_chain_ready(struct dtls_reader *r, const struct dtls_msg *m);

#endif /* _DTLS_CHAIN_H */
