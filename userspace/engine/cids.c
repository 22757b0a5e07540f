// SPDX-License-Identifier: BSD-3-Clause
/* This file keeps the connection IDs that a peer may use. See cids.h. */
#include "cids.h"

/* Return true if @c has memory of its own. */
static bool has_many(const struct dtls_cids *c)
{
	return c->count && dtls_cids_all(c) != c->few;
}

/* Make room for one more connection ID behind the others. Return false without memory. */
static bool make_room(struct dtls_cids *c, size_t len)
{
	bool had = has_many(c);
	size_t old = c->count * len;
	u8 *many;

	if (old + len > sizeof(c->few)) {
		many = OPENSSL_realloc(had ? c->many : NULL, old + len);
		if (!many)
			return false;
		if (!had)
			memcpy(many, c->few, old);
		c->many = many;
	}
	c->len = (u8)len;
	c->count++;
	return true;
}

bool dtls_cids_add(struct dtls_cids *c, const u8 *cid, size_t len)
{
	u8 *all;

	if (c->count < DTLS_CIDS_ALL) {
		if (!make_room(c, len))
			return false;
		all = (u8 *)dtls_cids_all(c);
	} else {
		all = (u8 *)dtls_cids_all(c);
		memmove(all + len, all + 2 * len, (DTLS_CIDS_ALL - 2) * len);
	}
	memcpy(all + (c->count - 1) * len, cid, len);
	return true;
}

void dtls_cids_free(struct dtls_cids *c)
{
	if (has_many(c))
		OPENSSL_free(c->many);
	memset(c, 0, sizeof(*c));
}

static bool known(const struct dtls_cids *c, const u8 *cid)
{
	const u8 *all = dtls_cids_all(c);
	unsigned int i;

	for (i = 0; i < c->count; i++)
		if (!memcmp(all + i * c->len, cid, c->len))
			return true;
	return false;
}

bool dtls_cids_fit(const struct dtls_cids *c, const struct dtls_record *record,
		   bool *named)
{
	if (!c->len)
		*named = true;
	if (!c->len || !record->unified || !record->cid_len)
		return true;
	*named = known(c, record->cid);
	return *named;
}
