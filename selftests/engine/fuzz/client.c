// SPDX-License-Identifier: GPL-2.0
/* A client whose server says anything at all. */
#include "common.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	static u8 buf[END_DATAGRAM];
	struct dtls_bytes in = { data, len }, piece;
	static struct end end;
	u64 now = 1000000;

	if (!fuzz_version(&in))
		return 0;
	fuzz_client(&end);
	kdtls_engine_start(end.e, now);
	while (next_piece(&in, &piece)) {
		while (end_output(&end, buf, sizeof(buf), now) > 0)
			;
		end_input(&end, piece.p, piece.len, now);
		now += 400000;
		kdtls_engine_expire(end.e, now);
	}
	end.ep = NULL;
	end_exit(&end);
	return 0;
}
