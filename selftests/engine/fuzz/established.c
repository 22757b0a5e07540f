// SPDX-License-Identifier: GPL-2.0
/*
 * A finished association whose peer, with good keys, sends anything: the first
 * byte of each piece is the content type.
 */
#include <stdlib.h>

#include "common.h"

static struct end ends[2];

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	static u8 buf[END_DATAGRAM], record[END_DATAGRAM];
	struct dtls_bytes in = { data, len }, piece;
	u64 now = 2000000;
	struct end *to;
	size_t n;
	u8 type;

	if (!fuzz_version(&in))
		return 0;
	fuzz_client(&ends[0]);
	fuzz_server(&ends[1]);
	if (end_handshake(&ends[0], &ends[1]) ||
	    !end_agree(&ends[0], &ends[1]))
		abort();
	kdtls_engine_heartbeat(ends[0].e, 64, now);
	while (next_piece(&in, &piece)) {
		if (!rd_u8(&piece, &type) || piece.len > DTLS_RECORD_SIZE_MAX)
			continue;
		to = &ends[type & 1];
		type = 20 + (type >> 1) % 7;
		if (end_version == DTLS_VERSION_1_3 && type == 20)
			kdtls_engine_update_keys(to->e, piece.len % 2);
		n = dtls_protection_seal(ends[to == ends].tx, type, piece.p,
					 piece.len, record);
		end_input(to, record, n, now);
		while (end_output(to, buf, sizeof(buf), now) > 0)
			;
		now += 300000;
		kdtls_engine_expire(to->e, now);
	}
	ends[0].ep = NULL;
	ends[1].ep = NULL;
	end_exit(&ends[0]);
	end_exit(&ends[1]);
	return 0;
}
