/* SPDX-License-Identifier: BSD-3-Clause */
/* struct dtls_cids has the connection IDs that a peer may put into its records. */
#ifndef _DTLS_CIDS_H
#define _DTLS_CIDS_H

#include "wire.h"

/*
 * A peer may use so many connection IDs: that of the handshake, and the last DTLS_CIDS_MAX
 * that were given since, as many as the kernel keeps.
 */
#define DTLS_CIDS_ALL	(1 + DTLS_CIDS_MAX)

/**
 * struct dtls_cids - connection IDs of one length; all zero at first
 * @len:	bytes of each connection ID; 0: no connection ID was agreed on
 * @count:	how many connection IDs there are, DTLS_CIDS_ALL at most
 * @few:	all connection IDs, if they have room here, as one mostly has
 * @many:	else the memory of all connection IDs
 */
struct dtls_cids {
	u8 len;
	u8 count;
	union {
		u8 few[sizeof(u8 *)];
		u8 *many;
	};
};

/*
 * Return the bytes of all connection IDs: that of the handshake, then the others, the
 * oldest first. They stay there until @c changes. Return NULL if there are none.
 */
static inline const u8 *dtls_cids_all(const struct dtls_cids *c)
{
	if (!c->count)
		return NULL;
	return c->count * c->len > sizeof(c->few) ? c->many : c->few;
}

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
 * In DTLS 1.3 each datagram has a connection ID, but not each record: the
 * records that follow one with the connection ID of another association belong
 * to that association, too (RFC 9147 4). A record of DTLS 1.2 is not judged
 * here, as it has to have the connection ID of its key (RFC 9146 3).
 *
 * Return: false if neither this record nor any behind it is of this
 * association.
 */
bool dtls_cids_fit(const struct dtls_cids *c, const struct dtls_record *record,
		   bool *named);

#endif /* _DTLS_CIDS_H */
