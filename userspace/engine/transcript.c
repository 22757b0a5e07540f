// SPDX-License-Identifier: BSD-3-Clause
/* This file keeps and hashes the messages of a handshake. See transcript.h. */
#include "fragment.h"
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

/*
 * Drop the running hash, because the messages have changed, or the hash
 * function.
 */
static void restart(struct dtls_transcript *t)
{
	EVP_MD_CTX_free(t->running);
	t->running = NULL;
	t->hashed = 0;
}

static bool run(struct dtls_transcript *t, const EVP_MD *md, size_t len)
{
	if (t->running && (EVP_MD_CTX_get0_md(t->running) != md ||
			   t->hashed > len))
		restart(t);
	if (!t->running) {
		t->running = EVP_MD_CTX_new();
		if (!t->running ||
		    EVP_DigestInit_ex2(t->running, md, NULL) != 1)
			return false;
	}
	if (EVP_DigestUpdate(t->running, t->all.p + t->hashed,
			     len - t->hashed) != 1)
		return false;
	t->hashed = len;
	return true;
}

size_t dtls_transcript_hash(struct dtls_transcript *t,
			    const struct dtls_crypto *c, const EVP_MD *md,
			    size_t len, u8 *out)
{
	unsigned int hash_len;

	if (run(t, md, len) && EVP_MD_CTX_copy_ex(c->digest, t->running) == 1 &&
	    EVP_DigestFinal_ex(c->digest, out, &hash_len) == 1)
		return hash_len;
	restart(t);
	return 0;
}

size_t dtls_transcript_shorten(struct dtls_transcript *t, size_t at)
{
	u8 *from = t->all.p, *end = from + t->all.len, *to = from;
	const u8 *mark = from + at;
	size_t body;

	if (t->short_headers)
		return at;
	t->short_headers = true;
	restart(t);
	while (from < end) {
		if (from == mark)
			at = (size_t)(to - t->all.p);
		body = dtls_get_be(from + 1, 3);
		memmove(to, from, DTLS_SHORT_HEADER);
		memmove(to + DTLS_SHORT_HEADER, from + DTLS_MESSAGE_HEADER,
			body);
		to += DTLS_SHORT_HEADER + body;
		from += DTLS_MESSAGE_HEADER + body;
	}
	t->all.len = (size_t)(to - t->all.p);
	return at;
}

bool dtls_transcript_fold(struct dtls_transcript *t, struct dtls_bytes hash,
			  struct dtls_bytes rest)
{
	struct dtls_writer w = { 0 };

	wr_u8(&w, DTLS_MESSAGE_HASH);
	wr_vec(&w, 3, hash.p, hash.len);
	wr_bytes(&w, rest.p, rest.len);
	wr_free(&t->all);
	restart(t);
	t->all = w;
	return !w.failed;
}

void dtls_transcript_cut(struct dtls_transcript *t, size_t len)
{
	t->all.len = len;
	restart(t);
}

void dtls_transcript_clear(struct dtls_transcript *t)
{
	wr_free(&t->all);
	restart(t);
	t->short_headers = false;
}
