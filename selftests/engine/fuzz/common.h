/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fuzz targets share. Each takes its bytes as a list of pieces, two
 * bytes of length before each, so that one input can be several datagrams.
 */
#ifndef _FUZZ_COMMON_H
#define _FUZZ_COMMON_H

#include "../end.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static inline bool next_piece(struct dtls_bytes *in, struct dtls_bytes *piece)
{
	u64 len;

	if (!rd_int(in, 2, &len))
		return false;
	return rd_bytes(in, len < in->len ? len : in->len, piece);
}

/* The same endpoints for every input: certificates, a raw key, PSK, all on */
void fuzz_client(struct end *end);
void fuzz_server(struct end *end);

/* A server's that wants cookies */
struct kdtls_endpoint *fuzz_gate(void);

/* The first byte of an input says what both ends speak at the most. */
bool fuzz_version(struct dtls_bytes *in);

#endif /* _FUZZ_COMMON_H */
