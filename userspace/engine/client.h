/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions start the client's handshake and take the server's messages.
 */
#ifndef _DTLS_CLIENT_H
#define _DTLS_CLIENT_H

#include "state.h"

/* Send the first ClientHello. Return: 0 or an error. */
int dtls_client_start(struct kdtls_engine *e);

/* Take a message of the server, in its turn. Return 0 or an error. */
int dtls_client_message(struct kdtls_engine *e, u8 type, struct dtls_bytes body);

#endif /* _DTLS_CLIENT_H */
