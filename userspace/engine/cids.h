/* SPDX-License-Identifier: BSD-3-Clause */
/* The connection IDs that a peer may put into its records. */
#ifndef _DTLS_CIDS_H
#define _DTLS_CIDS_H

#include "wire.h"

/**
 * struct dtls_cids - connection IDs of one length
 * @len:	bytes of each; 0: none was agreed on
 * @count:	of them: that of the handshake, and the last DTLS_CIDS_MAX that
 *		were given since (linux/dtls.h: as many as the kernel knows)
 * @cid:	the handshake's, then the others, oldest first
 *
 * Start from a zeroed one.
 */
struct dtls_cids {
	u8 len;
	u8 count;
	u8 *cid;
};

/* @len: as of those before. Return: false: no memory; nothing changed. */
bool dtls_cids_add(struct dtls_cids *c, const u8 *cid, size_t len);
void dtls_cids_free(struct dtls_cids *c);

/**
 * dtls_cids_fit() - may the next record of a datagram be this association's?
 * @record:	as parsed
 * @named:	false before a datagram's first record. Set to whether the
 *		datagram says, as RFC 9147 4 demands, whose it is: a record that
 *		protects data is to be taken then
 *
 * RFC 9147 4: a connection ID is in each datagram, not in each record; behind
 * one that is not ours nothing is. A record of DTLS 1.2 is not judged here: it
 * has to bear that of its key (RFC 9146 3).
 *
 * Return: false: neither this record nor what follows it is.
 */
bool dtls_cids_fit(const struct dtls_cids *c, const struct dtls_record *record,
		   bool *named);

#endif /* _DTLS_CIDS_H */
