// SPDX-License-Identifier: BSD-3-Clause
/* The handshake messages so far; see transcript.h. */
#include "transcript.h"

bool dtls_transcript_add(struct dtls_transcript *t, const u8 *message,
			 size_t len, size_t max)
{
	if (len > max || t->all.len > max - len)
		return false;
	wr_bytes(&t->all, message, len);
	return !t->all.failed;
}

size_t dtls_transcript_hash(const struct dtls_transcript *t, size_t len,
			    const EVP_MD *md, u8 *out)
{
	unsigned int hash_len = 0;

	if (EVP_Digest(t->all.p, len, out, &hash_len, md, NULL) != 1)
		return 0;
	return hash_len;
}

void dtls_transcript_clear(struct dtls_transcript *t)
{
	wr_free(&t->all);
}
