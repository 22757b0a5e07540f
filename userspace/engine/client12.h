/* SPDX-License-Identifier: BSD-3-Clause */
/* These functions are the handshake of a DTLS 1.2 client. */
#ifndef _DTLS_CLIENT12_H
#define _DTLS_CLIENT12_H

#include "state.h"

/*
 * Take the ServerHello of a server that chose DTLS 1.2. Return 0 or an error.
 */
int dtls_client12_server_hello(struct kdtls_engine *e,
			       const struct dtls_server_hello *sh);

/* Take a message after ServerHello. Return 0 or an error. */
int dtls_client12_message(struct kdtls_engine *e, u8 type,
			  struct dtls_bytes body);

#endif /* _DTLS_CLIENT12_H */
