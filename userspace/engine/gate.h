/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The gate: what becomes of a ClientHello before anything is kept of its
 * sender. It puts the hello together, reads it, checks its cookie or its
 * ticket, and hands all that it has found out on to the engine with the hello.
 */
#ifndef _DTLS_GATE_H
#define _DTLS_GATE_H

#include "asked.h"

/* Judge a datagram of a stranger, as kdtls_endpoint_gate() does. */
enum kdtls_gate dtls_gate_judge(struct kdtls_endpoint *ep,
				const struct dtls_sender *from,
				struct dtls_bytes datagram, u64 now,
				struct kdtls_verdict *v);

#endif /* _DTLS_GATE_H */
