// SPDX-License-Identifier: GPL-2.0
/* Fragments of all kinds; what comes out must be what went in first. */
#include <stdlib.h>

#include "common.h"

#define MAX_MESSAGE	4096
#define MAX_HELD	16384

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct dtls_bytes in = { data, len }, piece;
	struct dtls_reassembly r = { 0 };
	const struct dtls_incoming *m;
	struct dtls_fragment f;
	u16 next;

	while (next_piece(&in, &piece)) {
		u64 epoch = piece.len ? piece.p[0] & 1 : 0;

		if (piece.len) {
			piece.p++;
			piece.len--;
		}
		while (dtls_fragment_parse(&piece, &f)) {
			next = r.next;
			dtls_reassembly_add(&r, &f, epoch, MAX_MESSAGE,
					    MAX_HELD);
			if (r.held > MAX_HELD || r.next != next)
				abort();
		}
		while ((m = dtls_reassembly_next(&r))) {
			if (m->len > MAX_MESSAGE + DTLS_MESSAGE_HEADER ||
			    dtls_get_be(m->data + 4, 2) != r.next)
				abort();
			dtls_reassembly_pop(&r);
		}
	}
	dtls_reassembly_clear(&r);
	if (r.held)
		abort();
	return 0;
}
