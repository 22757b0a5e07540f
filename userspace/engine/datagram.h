/* SPDX-License-Identifier: BSD-3-Clause */
/* This function cuts a datagram into records. */
#ifndef _DTLS_DATAGRAM_H
#define _DTLS_DATAGRAM_H

#include "wire.h"

/**
 * dtls_datagram_next() - take the next record out of a datagram
 * @d:		the rest of the datagram
 * @cid_len:	length of the connection IDs that this end asked for; 0: none
 * @record:	set to the header of the record
 * @bytes:	set to the bytes of the record, header included
 * @dropped:	counter of records that are passed over. A record of an unknown
 *		type or version whose length is known is skipped, and those
 *		behind it are used (RFC 6347 4.1.2.7). A record of unknown
 *		length ends the datagram
 *
 * Of the version of a record with a handshake message in the clear only the
 * first byte is checked (RFC 5246 E.1), as the hellos themselves agree on a
 * version.
 *
 * Return: false if no usable record is left.
 */
bool dtls_datagram_next(struct dtls_bytes *d, size_t cid_len,
			struct dtls_record *record, struct dtls_bytes *bytes,
			u64 *dropped);

#endif /* _DTLS_DATAGRAM_H */
