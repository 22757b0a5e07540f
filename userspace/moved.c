// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file is about datagrams that bear a connection ID of an association, and come from
 * another address than the peer's. The peer may have moved. Or anybody sends them who has
 * seen the connection ID, or guessed it if it is short. A record that verifies tells one
 * from the other (RFC 9146 6), so no other record counts: while the handshake of the
 * association, or of one that is to replace it, goes on, a record in the clear could end it.
 */
#include "driver.h"

size_t moved_len(const uint8_t *data, size_t len, size_t cid_len)
{
	struct dtls_record record;
	size_t at = 0;

	while (!dtls_record_parse(&record, data + at, len - at, len - at,
				  cid_len) && record.epoch)
		at += record.header_len + record.fragment_len;
	return at;
}
