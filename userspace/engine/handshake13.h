/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions are the steps of a DTLS 1.3 handshake that both ends take
 * (RFC 8446 4.4, 7).
 */
#ifndef _DTLS_HANDSHAKE13_H
#define _DTLS_HANDSHAKE13_H

#include "handshake.h"

/* Each of these functions returns 0; or an error, after dtls_fail(). */

/*
 * Set up the state that DTLS 1.3 needs, when the version is known. The function
 * may be called again.
 */
int dtls_handshake13_begin(struct kdtls_engine *e);

/*
 * Derive Early Secret, Handshake Secret and the keys of epoch 2 (RFC 8446 7.1).
 * @psk is the pre-shared key that was chosen, or empty. Return 0 or an error.
 */
int dtls_handshake13_keys(struct kdtls_engine *e, struct dtls_bytes psk);

/*
 * Derive Master Secret and the traffic secrets of data, after the server's
 * Finished (RFC 8446 7.1).
 */
int dtls_handshake13_data_secrets(struct kdtls_engine *e);

/*
 * Derive the secret that the keys of tickets are derived from, after the
 * client's Finished (RFC 8446 7.1).
 */
int dtls_handshake13_resumption(struct kdtls_engine *e);

/* Make the newest data key of a direction, with its connection ID. */
int dtls_handshake13_data_key(struct kdtls_engine *e, int direction,
			      struct dtls_key_info *key);

/*
 * Write Certificate with the chosen identity, or an empty list. @context is
 * that of the CertificateRequest which a client answers; for a server it is
 * empty (RFC 8446 4.4.2).
 */
int dtls_handshake13_send_certificate(struct kdtls_engine *e,
				      struct dtls_bytes context);

/*
 * Write CertificateVerify: a signature over the transcript with the key of the
 * chosen identity (RFC 8446 4.4.3).
 */
int dtls_handshake13_send_verify(struct kdtls_engine *e);

/* Write Finished: a MAC over the transcript (RFC 8446 4.4.4). */
int dtls_handshake13_send_finished(struct kdtls_engine *e);

/* Read the peer's Certificate, and check the chain or raw key in it. */
int dtls_handshake13_receive_certificate(struct kdtls_engine *e,
					 struct dtls_bytes body);

/* Check the signature in the peer's CertificateVerify. */
int dtls_handshake13_receive_verify(struct kdtls_engine *e,
				    struct dtls_bytes body);

/* Check the MAC in the peer's Finished, in constant time. */
int dtls_handshake13_receive_finished(struct kdtls_engine *e,
				      struct dtls_bytes body);

#endif /* _DTLS_HANDSHAKE13_H */
