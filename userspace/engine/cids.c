// SPDX-License-Identifier: BSD-3-Clause
/* This file keeps the connection IDs that a peer may use. See cids.h. */
#include "cids.h"

bool dtls_cids_add(struct dtls_cids *c, const u8 *cid, size_t len)
{
	u8 *all;

	if (c->count <= DTLS_CIDS_MAX) {
		all = OPENSSL_realloc(c->cid, (c->count + 1) * len);
		if (!all)
			return false;
		c->cid = all;
		c->len = (u8)len;
		c->count++;
	} else {
		memmove(c->cid + len, c->cid + 2 * len,
			(DTLS_CIDS_MAX - 1) * len);
	}
	memcpy(c->cid + (c->count - 1) * len, cid, len);
	return true;
}

void dtls_cids_free(struct dtls_cids *c)
{
	OPENSSL_free(c->cid);
	memset(c, 0, sizeof(*c));
}

static bool known(const struct dtls_cids *c, const u8 *cid)
{
	unsigned int i;

	for (i = 0; i < c->count; i++)
		if (!memcmp(c->cid + i * c->len, cid, c->len))
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
