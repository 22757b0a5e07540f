// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file keeps the buffers for datagrams that calls work on. See driver.h.
 */
#include "driver.h"

struct buffer {
	struct dtls_scratch head;
	uint8_t data[DATAGRAM_MAX];
};

uint8_t *scratch_take(struct kdtls_endpoint *ep)
{
	struct buffer *b = (struct buffer *)ep->scratch;

	if (b)
		ep->scratch = b->head.next;
	else
		b = OPENSSL_malloc(sizeof(*b));
	return b ? b->data : NULL;
}

void scratch_give(struct kdtls_endpoint *ep, uint8_t *data)
{
	struct buffer *b;

	if (!data)
		return;
	b = (struct buffer *)(data - offsetof(struct buffer, data));
	b->head.next = ep->scratch;
	ep->scratch = &b->head;
}
