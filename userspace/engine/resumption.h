/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This file decides which sessions may be resumed, and what of a session is worth
 * keeping.
 */
#ifndef _DTLS_RESUMPTION_H
#define _DTLS_RESUMPTION_H

#include "session.h"
#include "state.h"

/*
 * Return true if the session may be resumed: it has what the endpoint would ask
 * of a full handshake now, and the owner agrees. If not, a full handshake finds
 * out who the peer is.
 */
bool dtls_resumption_allowed(struct kdtls_engine *e,
			     const struct dtls_session *s);

/*
 * Fill in what is worth keeping of the session. A life of 0 says that the
 * session must not be kept: the peer has to prove anew who it is.
 */
void dtls_resumption_session(const struct kdtls_engine *e,
			     struct dtls_session *s);

#endif /* _DTLS_RESUMPTION_H */
