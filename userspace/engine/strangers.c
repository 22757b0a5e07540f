// SPDX-License-Identifier: BSD-3-Clause
/* First hellos in fragments; see strangers.h. */
#include "strangers.h"

void dtls_stranger_clear(struct dtls_stranger *one)
{
	dtls_reassembly_clear(&one->in);
	memset(one, 0, sizeof(*one));
}

void dtls_strangers_exit(struct dtls_strangers *s)
{
	unsigned int i;

	for (i = 0; s->list && i < DTLS_STRANGERS; i++)
		dtls_reassembly_clear(&s->list[i].in);
	OPENSSL_free(s->list);
	s->list = NULL;
}

static struct dtls_stranger *place_of(struct dtls_strangers *s,
				      struct dtls_bytes address)
{
	struct dtls_stranger *one, *oldest = s->list;
	unsigned int i;

	for (i = 0; i < DTLS_STRANGERS; i++) {
		one = &s->list[i];
		if (one->last && dtls_bytes_equal(address, one->address,
						  one->address_len))
			return one;
		if (one->last < oldest->last)
			oldest = one;
	}
	dtls_stranger_clear(oldest);
	oldest->address_len = (u8)address.len;
	if (address.len)
		memcpy(oldest->address, address.p, address.len);
	return oldest;
}

/* A piece that contradicts what is there begins another hello. */
static bool contradicts(const struct dtls_incoming *m,
			const struct dtls_fragment *f)
{
	const u8 *body = m->data + DTLS_MESSAGE_HEADER;
	const u8 *have = m->data + m->len;
	size_t i, at;

	if (f->length != m->len - DTLS_MESSAGE_HEADER)
		return true;
	for (i = 0; i < f->body.len; i++) {
		at = f->offset + i;
		if (have[at / 8] & 1 << at % 8 && body[at] != f->body.p[i])
			return true;
	}
	return false;
}

struct dtls_stranger *dtls_strangers_add(struct dtls_strangers *s,
					 struct dtls_bytes address,
					 const struct dtls_fragment *f, u64 now,
					 struct dtls_fragment *hello)
{
	const struct dtls_incoming *m;
	struct dtls_stranger *one;

	if (f->length > DTLS_STRANGER_HELLO || address.len > DTLS_ADDRESS_MAX)
		return NULL;
	if (!s->list)
		s->list = OPENSSL_zalloc(DTLS_STRANGERS * sizeof(*s->list));
	if (!s->list)
		return NULL;
	one = place_of(s, address);
	one->last = now ? now : 1;
	m = &one->in.slot[0];
	if (m->data && contradicts(m, f))
		dtls_reassembly_clear(&one->in);
	dtls_reassembly_add(&one->in, f, 0, DTLS_STRANGER_HELLO,
			    2 * DTLS_STRANGER_HELLO);
	m = dtls_reassembly_next(&one->in);
	if (!m)
		return NULL;
	*hello = (struct dtls_fragment){
		.type = f->type,
		.seq = f->seq,
		.length = f->length,
		.body = { m->data + DTLS_MESSAGE_HEADER, f->length },
	};
	return one;
}
