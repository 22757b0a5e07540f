/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions are the steps of a DTLS 1.2 handshake that both ends take
 * (RFC 5246 7.4, 8.1).
 */
#ifndef _DTLS_HANDSHAKE12_H
#define _DTLS_HANDSHAKE12_H

#include "handshake.h"

/*
 * Write Certificate with the chain of the chosen identity, or an empty list.
 * Return 0 or an error.
 */
int dtls_handshake12_send_certificate(struct kdtls_engine *e);

/* Write ChangeCipherSpec and Finished. Return 0 or an error. */
int dtls_handshake12_send_finished(struct kdtls_engine *e);

/* Check the peer's Finished (RFC 5246 7.4.9). Return 0 or an error. */
int dtls_handshake12_receive_finished(struct kdtls_engine *e,
				      struct dtls_bytes body);

/*
 * Derive the master secret from a premaster secret, which is wiped, and then
 * the keys. Return 0 or an error.
 */
int dtls_handshake12_master(struct kdtls_engine *e, u8 *premaster, size_t len);

/*
 * Derive the keys of epoch 1 from the master secret (RFC 5246 6.3). Return 0 or
 * an error.
 */
int dtls_handshake12_keys(struct kdtls_engine *e);

/* Write the bytes that ServerKeyExchange signs (RFC 8422 5.4). */
void dtls_handshake12_signed_params(const struct kdtls_engine *e,
				    struct dtls_bytes params,
				    struct dtls_writer *w);

#endif /* _DTLS_HANDSHAKE12_H */
