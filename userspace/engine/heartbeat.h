/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions send and answer heartbeats (RFC 6520) after the handshake.
 * The public call is kdtls_engine_heartbeat().
 */
#ifndef _DTLS_HEARTBEAT_H
#define _DTLS_HEARTBEAT_H

#include "state.h"

/*
 * Read a verified heartbeat message: answer a request; or take a response,
 * which ends the request of this end. Return 0 or an error.
 */
int dtls_heartbeat_receive(struct kdtls_engine *e, struct dtls_bytes content);

/*
 * Write the message that is due. Return how many bytes it has, 0 if none is
 * due, or an error.
 */
long dtls_heartbeat_output(struct kdtls_engine *e, u8 *buf, size_t size);

/*
 * Return the time at which the request goes out again or is given up, or
 * KDTLS_NEVER if no request is under way.
 */
u64 dtls_heartbeat_expiry(const struct kdtls_engine *e);

/*
 * Send the request again, or give it up after the last try, if the time of
 * dtls_heartbeat_expiry() has come.
 */
void dtls_heartbeat_expire(struct kdtls_engine *e);

#endif /* _DTLS_HEARTBEAT_H */
