/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions exchange connection IDs after a handshake of DTLS 1.3 (RFC
 * 9147 9). The public calls are kdtls_engine_give_cids(), _request_cids() and
 * _change_cid().
 */
#ifndef _DTLS_CIDS13_H
#define _DTLS_CIDS13_H

#include "state.h"

/*
 * Read RequestConnectionId, by which the peer asks for connection IDs. Return 0
 * or an error.
 */
int dtls_cids13_requested(struct kdtls_engine *e, struct dtls_bytes body);

/*
 * Read NewConnectionId, by which the peer gives connection IDs. Return 0 or an
 * error.
 */
int dtls_cids13_given(struct kdtls_engine *e, struct dtls_bytes body);

/*
 * Write the body of the next message about connection IDs. Return the type of
 * the message, or 0 if no such message is due.
 */
u8 dtls_cids13_write(struct kdtls_engine *e, struct dtls_writer *w);

#endif /* _DTLS_CIDS13_H */
