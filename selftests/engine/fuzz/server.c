// SPDX-License-Identifier: GPL-2.0
/* A server that hears a stranger: through the gate, and without one. */
#include "common.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	static u8 buf[END_DATAGRAM];
	struct dtls_bytes in = { data, len }, piece;
	u8 reply[KDTLS_GATE_REPLY_SIZE];
	struct kdtls_endpoint *gate;
	static struct end end;
	size_t reply_len, heard = 0, sent = 0;
	u64 now = 1000000;

	if (!fuzz_version(&in))
		return 0;
	fuzz_server(&end);
	gate = fuzz_gate();
	while (next_piece(&in, &piece)) {
		heard += piece.len;
		if (end_gate(gate, "address", 7, piece.p, piece.len,
			     now, reply, &reply_len) ==
		    KDTLS_GATE_REPLY) {
			sent += reply_len;
			if (sent > 2 * heard)
				__builtin_trap();
		}
		end_input(&end, piece.p, piece.len, now);
		while (end_output(&end, buf, sizeof(buf), now) > 0)
			;
		now += 400000;
		kdtls_engine_expire(end.e, now);
	}
	end.ep = NULL;
	end_exit(&end);
	return 0;
}
