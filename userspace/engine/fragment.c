// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file reads and writes fragments of handshake messages. See fragment.h.
 */
#include "fragment.h"

bool dtls_fragment_parse(struct dtls_bytes *r, struct dtls_fragment *f)
{
	struct dtls_bytes copy = *r;
	u32 len;

	if (!rd_u8(&copy, &f->type) || !rd_u32(&copy, 3, &f->length) ||
	    !rd_u16(&copy, &f->seq) || !rd_u32(&copy, 3, &f->offset) ||
	    !rd_u32(&copy, 3, &len) || !rd_bytes(&copy, len, &f->body))
		return false;
	if (f->offset > f->length || len > f->length - f->offset)
		return false;
	*r = copy;
	return true;
}

void dtls_fragment_write(u8 *p, u8 type, u32 length, u16 seq, u32 offset,
			 u32 len)
{
	p[0] = type;
	dtls_put_be(p + 1, 3, length);
	dtls_put_be(p + 4, 2, seq);
	dtls_put_be(p + 6, 3, offset);
	dtls_put_be(p + 9, 3, len);
}
