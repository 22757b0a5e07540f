/* SPDX-License-Identifier: BSD-3-Clause */
/* The connection IDs that a peer may put into its records. */
#ifndef _DTLS_CIDS_H
#define _DTLS_CIDS_H

#include "wire.h"

/**
 * struct dtls_cids - connection IDs of one length
 * @len:	bytes of each; 0: none was agreed on
 * @count:	their number: that of the handshake, and the last DTLS_CIDS_MAX
 *		that were given since, as many as the kernel knows
 * @cid:	that of the handshake, then the others, oldest first
 *
 * Zeroed at first.
 */
struct dtls_cids {
	u8 len;
	u8 count;
	u8 *cid;
};

/*
 * Add a connection ID, which is as long as the others. Return false if there is
 * no memory; nothing is changed then.
 */
bool dtls_cids_add(struct dtls_cids *c, const u8 *cid, size_t len);

/* Free all connection IDs, and zero @c. */
void dtls_cids_free(struct dtls_cids *c);

/**
 * dtls_cids_fit() - tell whether a record may be of this association
 * @c:		the connection IDs that this end has given to the peer
 * @record:	the record as parsed
 * @named:	false before the first record of a datagram. It is set if the
 *		datagram names this association, as RFC 9147 4 demands of every
 *		datagram with protected records
 *
 * A connection ID is in each datagram, not in each record: all that follows a
 * record with the connection ID of another association is not of this one (RFC
 * 9147 4). A record of DTLS 1.2 is not judged here: it has to bear the
 * connection ID of its key (RFC 9146 3).
 *
 * Return: false if neither this record nor any behind it is of this
 * association.
 */
bool dtls_cids_fit(const struct dtls_cids *c, const struct dtls_record *record,
		   bool *named);

#endif /* _DTLS_CIDS_H */
