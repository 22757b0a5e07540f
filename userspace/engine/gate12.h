/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions judge hellos of DTLS 1.2 by the cookie of HelloVerifyRequest.
 */
#ifndef _DTLS_GATE12_H
#define _DTLS_GATE12_H

#include "asked.h"

/*
 * Judge a hello of DTLS 1.2 by its cookie. The hello may be incomplete, if its
 * cookie is there.
 */
enum kdtls_gate dtls_gate12_judge(const struct dtls_asked *a,
				  struct kdtls_verdict *v);

/*
 * Answer a first hello when only its first piece has come, for a server that
 * has no version but DTLS 1.2. The piece has all bytes that the cookie is made
 * of. Return KDTLS_GATE_DROP if more of the hello is needed.
 */
enum kdtls_gate dtls_gate12_piece(struct dtls_asked *a,
				  struct kdtls_verdict *v);

#endif /* _DTLS_GATE12_H */
