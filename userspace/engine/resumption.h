/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions decide whether a session may be resumed, and make the session
 * that is kept after a handshake.
 */
#ifndef _DTLS_RESUMPTION_H
#define _DTLS_RESUMPTION_H

#include "session.h"
#include "state.h"

/*
 * Return true if the session may be resumed: it satisfies everything that the
 * endpoint would ask of a full handshake now, and the owner agrees. Otherwise a
 * full handshake finds out who the peer is.
 */
bool dtls_resumption_allowed(struct kdtls_engine *e,
			     const struct dtls_session *s);

/*
 * Fill in @s, the session to keep after this handshake. A life of 0 tells that
 * the session must not be kept, as the peer has to prove its identity anew.
 */
void dtls_resumption_session(const struct kdtls_engine *e,
			     struct dtls_session *s);

#endif /* _DTLS_RESUMPTION_H */
