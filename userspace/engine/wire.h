/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions read and write the presentation language (RFC 5246 4) within
 * bounds.
 *
 * A reader never reads past its end: its functions return false instead and
 * change nothing. A writer grows as needed. If it cannot, it sets @failed and
 * ignores what is written afterwards, so the caller checks @failed once at the
 * end.
 */
#ifndef _DTLS_WIRE_H
#define _DTLS_WIRE_H

#include <openssl/crypto.h>

#include "record.h"

/* These are the alert levels (RFC 5246 7.2). */
#define DTLS_ALERT_WARNING	1
#define DTLS_ALERT_FATAL	2

/**
 * struct dtls_bytes - borrowed bytes; as a reader, the bytes still to be read
 * @p:		the first byte
 * @len:	number of bytes
 */
struct dtls_bytes {
	const u8 *p;
	size_t len;
};

/* Read a number of @n bytes, 8 at most. */
static inline bool rd_int(struct dtls_bytes *r, unsigned int n, u64 *v)
{
	if (r->len < n)
		return false;
	*v = dtls_get_be(r->p, n);
	r->p += n;
	r->len -= n;
	return true;
}

/* Read a byte. */
static inline bool rd_u8(struct dtls_bytes *r, u8 *v)
{
	u64 x;

	if (!rd_int(r, 1, &x))
		return false;
	*v = (u8)x;
	return true;
}

/* Read a number of two bytes. */
static inline bool rd_u16(struct dtls_bytes *r, u16 *v)
{
	u64 x;

	if (!rd_int(r, 2, &x))
		return false;
	*v = (u16)x;
	return true;
}

/* Read a number of @n bytes, 4 at most. */
static inline bool rd_u32(struct dtls_bytes *r, unsigned int n, u32 *v)
{
	u64 x;

	if (!rd_int(r, n, &x))
		return false;
	*v = (u32)x;
	return true;
}

/* Read @n bytes without a copy: @out points to where they lie. */
static inline bool rd_bytes(struct dtls_bytes *r, size_t n,
			    struct dtls_bytes *out)
{
	if (r->len < n)
		return false;
	out->p = r->p;
	out->len = n;
	r->p += n;
	r->len -= n;
	return true;
}

/* Read a copy of @n bytes. */
static inline bool rd_copy(struct dtls_bytes *r, void *out, size_t n)
{
	struct dtls_bytes b;

	if (!rd_bytes(r, n, &b))
		return false;
	memcpy(out, b.p, n);
	return true;
}

/* Read a vector: its length in @n bytes, then its content. */
static inline bool rd_vec(struct dtls_bytes *r, unsigned int n,
			  struct dtls_bytes *out)
{
	struct dtls_bytes copy = *r;
	u64 len;

	if (!rd_int(&copy, n, &len) || !rd_bytes(&copy, len, out))
		return false;
	*r = copy;
	return true;
}

/*
 * Return true if @list, of 16-bit numbers, has @wanted. An odd last byte is
 * ignored.
 */
static inline bool rd_has_u16(struct dtls_bytes list, u16 wanted)
{
	u16 v;

	while (rd_u16(&list, &v))
		if (v == wanted)
			return true;
	return false;
}

/*
 * Return true if the bytes are the same. The time that this takes depends on
 * the bytes, so it is not for secrets.
 */
static inline bool dtls_bytes_equal(struct dtls_bytes b, const void *p,
				    size_t len)
{
	return b.len == len && (!len || !memcmp(b.p, p, len));
}

/**
 * struct dtls_writer - bytes that are being written; all zero at first
 * @p:		the bytes
 * @len:	number of bytes written
 * @size:	bytes of memory at @p
 * @failed:	there was no memory, or a length is too large
 *
 * wr_free() wipes and frees the bytes.
 */
struct dtls_writer {
	u8 *p;
	size_t len;
	size_t size;
	bool failed;
};

#define WR_MAX	(1U << 18)	/* bytes of the longest writer */

/* Return room for @n more bytes at the end, or NULL if it cannot be had. */
static inline u8 *wr_room(struct dtls_writer *w, size_t n)
{
	size_t size = w->size ? w->size : 256;
	u8 *p;

	if (w->failed || n > WR_MAX - w->len)
		goto fail;
	while (size < w->len + n)
		size *= 2;
	if (size != w->size) {
		p = OPENSSL_clear_realloc(w->p, w->size, size);
		if (!p)
			goto fail;
		w->p = p;
		w->size = size;
	}
	p = w->p + w->len;
	w->len += n;
	return p;
fail:
	w->failed = true;
	return NULL;
}

/* Write a number in @n bytes. */
static inline void wr_int(struct dtls_writer *w, unsigned int n, u64 v)
{
	u8 *p = wr_room(w, n);

	if (p)
		dtls_put_be(p, n, v);
}

/* Write a byte. */
static inline void wr_u8(struct dtls_writer *w, u8 v)
{
	wr_int(w, 1, v);
}

/* Write a number in two bytes. */
static inline void wr_u16(struct dtls_writer *w, u16 v)
{
	wr_int(w, 2, v);
}

/* Write @n bytes. */
static inline void wr_bytes(struct dtls_writer *w, const void *data, size_t n)
{
	u8 *p = wr_room(w, n);

	if (p && n)
		memcpy(p, data, n);
}

/*
 * Begin a vector with a length of @n bytes. Return the mark that wr_close()
 * needs.
 */
static inline size_t wr_open(struct dtls_writer *w, unsigned int n)
{
	wr_int(w, n, 0);
	return w->len;
}

/* End a vector: write its length to the @n bytes that wr_open() left for it. */
static inline void wr_close(struct dtls_writer *w, size_t mark, unsigned int n)
{
	size_t len = w->len - mark;

	if (w->failed)
		return;
	if (len >> (8 * n))
		w->failed = true;
	else
		dtls_put_be(w->p + mark - n, n, len);
}

/* Write a vector: its length in @n bytes, then its content. */
static inline void wr_vec(struct dtls_writer *w, unsigned int n,
			  const void *data, size_t len)
{
	size_t mark = wr_open(w, n);

	wr_bytes(w, data, len);
	wr_close(w, mark, n);
}

/* Wipe and free what was written, and zero @w. */
static inline void wr_free(struct dtls_writer *w)
{
	OPENSSL_clear_free(w->p, w->size);
	memset(w, 0, sizeof(*w));
}

#endif /* _DTLS_WIRE_H */
