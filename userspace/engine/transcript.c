// SPDX-License-Identifier: BSD-3-Clause
/* The handshake messages so far; see transcript.h. */
#include "messages.h"
#include "transcript.h"

bool dtls_transcript_add(struct dtls_transcript *t, const u8 *message,
			 size_t len, size_t max)
{
	if (len > max || t->all.len > max - len)
		return false;
	if (t->short_headers) {
		wr_bytes(&t->all, message, DTLS_SHORT_HEADER);
		message += DTLS_MESSAGE_HEADER;
		len -= DTLS_MESSAGE_HEADER;
	}
	wr_bytes(&t->all, message, len);
	return !t->all.failed;
}

void dtls_transcript_shorten(struct dtls_transcript *t)
{
	u8 *from = t->all.p, *end = from + t->all.len, *to = from;
	size_t body;

	if (t->short_headers)
		return;
	t->short_headers = true;
	while (from < end) {
		body = dtls_get_be(from + 1, 3);
		memmove(to, from, DTLS_SHORT_HEADER);
		memmove(to + DTLS_SHORT_HEADER, from + DTLS_MESSAGE_HEADER,
			body);
		to += DTLS_SHORT_HEADER + body;
		from += DTLS_MESSAGE_HEADER + body;
	}
	t->all.len = (size_t)(to - t->all.p);
}

bool dtls_transcript_fold(struct dtls_transcript *t, struct dtls_bytes hash,
			  struct dtls_bytes rest)
{
	struct dtls_writer w = { 0 };

	wr_u8(&w, DTLS_MESSAGE_HASH);
	wr_vec(&w, 3, hash.p, hash.len);
	wr_bytes(&w, rest.p, rest.len);
	wr_free(&t->all);
	t->all = w;
	return !w.failed;
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
	t->short_headers = false;
}
