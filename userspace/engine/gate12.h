/* SPDX-License-Identifier: BSD-3-Clause */
/* The gate's part for DTLS 1.2: the cookie of HelloVerifyRequest. */
#ifndef _DTLS_GATE12_H
#define _DTLS_GATE12_H

#include "asked.h"

/* Judge a hello of DTLS 1.2, or so much of it as shows its cookie. */
enum kdtls_gate dtls_gate12_judge(const struct dtls_asked *a,
				  struct kdtls_verdict *v);

/*
 * Answer a first hello by its first piece alone, for a server that has no
 * version but DTLS 1.2: the piece has all that the cookie is made of. Return
 * KDTLS_GATE_DROP if more of the hello is needed.
 */
enum kdtls_gate dtls_gate12_piece(struct dtls_asked *a,
				  struct kdtls_verdict *v);

#endif /* _DTLS_GATE12_H */
