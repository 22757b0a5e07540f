/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions judge hellos of DTLS 1.3 by the cookie of HelloRetryRequest,
 * or by a ticket that comes with early data.
 */
#ifndef _DTLS_GATE13_H
#define _DTLS_GATE13_H

#include "asked.h"

/**
 * dtls_gate13_judge() - judge a hello of DTLS 1.3 by its cookie or its ticket
 * @a:		the hello; the result goes to @a->hello
 * @v:		set to the reply, if there is one
 *
 * Return: one of enum kdtls_gate; with KDTLS_GATE_ACCEPT @a->hello tells why.
 */
enum kdtls_gate dtls_gate13_judge(struct dtls_asked *a,
				  struct kdtls_verdict *v);

/* Answer with an alert in the clear. Return KDTLS_GATE_REPLY. */
enum kdtls_gate dtls_gate13_alert(const struct dtls_asked *a, u8 alert,
				  struct kdtls_verdict *v);

#endif /* _DTLS_GATE13_H */
