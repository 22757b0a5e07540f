/* SPDX-License-Identifier: BSD-3-Clause */
/* The records of a datagram, one after the other. */
#ifndef _DTLS_DATAGRAM_H
#define _DTLS_DATAGRAM_H

#include "wire.h"

/**
 * dtls_datagram_next() - take the next record out of a datagram
 * @d:		the rest of the datagram
 * @cid_len:	as for dtls_record_parse()
 * @record:	set to what the record's header says
 * @bytes:	set to the record, from its header on
 * @dropped:	counts what is passed over: records of a type or version that
 *		is not known, whose length is (RFC 6347 4.1.2.7: bad records
 *		are dropped, and those behind them are not), and what has none
 *
 * The version of a record that bears a handshake message in the clear is not
 * looked at, but for its first byte (RFC 5246 E.1): the hellos say which one is
 * meant.
 *
 * Return: false if no usable record is left.
 */
bool dtls_datagram_next(struct dtls_bytes *d, size_t cid_len,
			struct dtls_record *record, struct dtls_bytes *bytes,
			u64 *dropped);

#endif /* _DTLS_DATAGRAM_H */
