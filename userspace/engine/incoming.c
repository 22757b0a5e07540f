// SPDX-License-Identifier: BSD-3-Clause
/* This file puts a handshake message together that comes in fragments. */
#include "incoming.h"

/* The allocator needs about so many bytes for each chunk. */
#define CHUNK_REST	16
/* Nothing is appended to a chunk that has so many bytes. */
#define CHUNK_GROWS	1024

/*
 * A message may have CHUNKS_MAX chunks, and one more for each CHUNK_BYTES of its
 * bytes. This bounds the search for the place of a fragment. Pieces of 20 bytes
 * that come in reverse order are a chunk each, and a ClientHello of 5,000 bytes
 * still fits; one with a key share of X25519MLKEM768 has some 1,700.
 */
#define CHUNKS_MAX	256
#define CHUNK_BYTES	512

static size_t chunk_size(u32 len)
{
	return sizeof(struct dtls_chunk) + len + CHUNK_REST;
}

static void free_chunks(struct dtls_incoming *m)
{
	struct dtls_chunk *c = m->chunks, *next;

	for (; c; c = next) {
		next = c->next;
		OPENSSL_clear_free(c, sizeof(*c) + c->len);
	}
	m->chunks = NULL;
	m->count = 0;
}

void dtls_incoming_clear(struct dtls_incoming *m)
{
	free_chunks(m);
	if (m->data)
		OPENSSL_clear_free(m->data, m->len);
	memset(m, 0, sizeof(*m));
}

/* Insert a chunk of @len bytes in front of the chunk that @at points to. */
static bool insert(struct dtls_incoming *m, struct dtls_chunk **at, u32 offset,
		   const u8 *data, u32 len, size_t room)
{
	struct dtls_chunk *c;

	if (chunk_size(len) > room ||
	    m->count >= CHUNKS_MAX + m->len / CHUNK_BYTES)
		return false;
	c = OPENSSL_malloc(sizeof(*c) + len);
	if (!c)
		return false;
	c->next = *at;
	c->offset = offset;
	c->len = len;
	memcpy(c->data, data, len);
	*at = c;
	m->count++;
	m->size += chunk_size(len);
	m->missing -= len;
	return true;
}

/* Append @len bytes to the chunk that @at points to. */
static bool append(struct dtls_incoming *m, struct dtls_chunk **at,
		   const u8 *data, u32 len, size_t room)
{
	struct dtls_chunk *c = *at;

	if (len > room)
		return false;
	c = OPENSSL_clear_realloc(c, sizeof(*c) + c->len,
				  sizeof(*c) + c->len + len);
	if (!c)
		return false;
	memcpy(c->data + c->len, data, len);
	c->len += len;
	*at = c;
	m->size += len;
	m->missing -= len;
	return true;
}

/*
 * Return true if bytes at @offset are to be appended to the chunk @c. Because
 * of this, a message in tiny pieces takes little more memory than its bytes.
 * CHUNK_GROWS bounds how many bytes are copied for each piece.
 */
static bool continues(const struct dtls_chunk *c, u32 offset)
{
	return c && c->offset + c->len == offset && c->len < CHUNK_GROWS;
}

/*
 * Store those bytes of a fragment that have not come before. Return false if it
 * failed.
 */
static bool fill(struct dtls_incoming *m, const struct dtls_fragment *f,
		 size_t room)
{
	u32 pos = f->offset, end = f->offset + (u32)f->body.len, n;
	struct dtls_chunk **at = &m->chunks, **before = at;
	size_t held = m->size, left;
	const u8 *data;

	while (pos < end) {
		while (*at && (*at)->offset + (*at)->len <= pos) {
			before = at;
			at = &(*at)->next;
		}
		if (*at && (*at)->offset <= pos) {
			pos = (*at)->offset + (*at)->len;
			continue;
		}
		n = *at && (*at)->offset < end ? (*at)->offset - pos :
						 end - pos;
		data = f->body.p + (pos - f->offset);
		left = room - (m->size - held);
		if (before != at && continues(*before, pos)) {
			if (!append(m, before, data, n, left))
				return false;
			at = &(*before)->next;
		} else if (!insert(m, at, pos, data, n, left)) {
			return false;
		}
		pos += n;
	}
	return true;
}

/*
 * Put the whole message together, from @body if that is not NULL, else from the
 * chunks. Return false if there is no memory.
 */
static bool complete(struct dtls_incoming *m, const u8 *body)
{
	u32 len = m->len - DTLS_MESSAGE_HEADER;
	const struct dtls_chunk *c;

	m->data = OPENSSL_malloc(m->len);
	if (!m->data)
		return false;
	dtls_fragment_write(m->data, m->type, len, m->seq, 0, len);
	if (body)
		memcpy(m->data + DTLS_MESSAGE_HEADER, body, len);
	for (c = m->chunks; c; c = c->next)
		memcpy(m->data + DTLS_MESSAGE_HEADER + c->offset, c->data,
		       c->len);
	free_chunks(m);
	m->missing = 0;
	m->size = m->len;
	return true;
}

bool dtls_incoming_add(struct dtls_incoming *m, const struct dtls_fragment *f,
		       size_t room)
{
	if (!m->len) {
		m->len = DTLS_MESSAGE_HEADER + f->length;
		m->missing = f->length;
		m->seq = f->seq;
		m->type = f->type;
	}
	if (m->data)
		return true;
	if (!m->chunks && f->body.len == f->length)
		return m->len <= room && complete(m, f->body.p);
	return fill(m, f, room) && (m->missing || complete(m, NULL));
}

bool dtls_incoming_contradicts(const struct dtls_incoming *m,
			       const struct dtls_fragment *f)
{
	u32 end = f->offset + (u32)f->body.len, from, to;
	const struct dtls_chunk *c;

	if (f->type != m->type || f->seq != m->seq ||
	    f->length != m->len - DTLS_MESSAGE_HEADER)
		return true;
	for (c = m->chunks; c; c = c->next) {
		from = c->offset > f->offset ? c->offset : f->offset;
		to = c->offset + c->len < end ? c->offset + c->len : end;
		if (from < to && memcmp(c->data + (from - c->offset),
					f->body.p + (from - f->offset),
					to - from))
			return true;
	}
	return false;
}
