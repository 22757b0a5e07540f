/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The gate decides what becomes of a ClientHello before the server keeps
 * anything for its sender. It puts the hello together, parses it, checks its
 * cookie or its ticket, and gives the engine the hello with all that it has
 * found out.
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
