// SPDX-License-Identifier: BSD-3-Clause
/* This file decides what becomes of a ClientHello of DTLS 1.2. See gate.h. */
#include "gate12.h"

enum kdtls_gate dtls_gate12_judge(const struct dtls_asked *a,
				  struct kdtls_verdict *v)
{
	struct dtls_cookie *k = &a->ep->cookie;
	struct dtls_bytes address = a->from->address;
	u8 cookie[DTLS_COOKIE_SIZE];
	u64 made;

	if (dtls_cookie_check(k, address, a->ch, a->now, &made)) {
		a->hello->proven = made;
		return KDTLS_GATE_ACCEPT;
	}
	if (!dtls_cookie_make(k, address, a->ch, a->now, cookie))
		return KDTLS_GATE_DROP;
	dtls_cookie_request(a->record, a->f->seq, cookie, v->reply);
	v->reply_len = DTLS_VERIFY_REQUEST_SIZE;
	return KDTLS_GATE_REPLY;
}

enum kdtls_gate dtls_gate12_piece(struct dtls_asked *a, struct kdtls_verdict *v)
{
	struct dtls_bytes body = a->f->body;
	struct dtls_client_hello ch;

	if (a->ep->speaks13 || a->f->offset ||
	    !dtls_hello_front(&ch, &body) || ch.cookie.len)
		return KDTLS_GATE_DROP;
	a->ch = &ch;
	return dtls_gate12_judge(a, v) == KDTLS_GATE_REPLY && v->reply_len < a->heard ?
	       KDTLS_GATE_REPLY : KDTLS_GATE_DROP;
}
