/* SPDX-License-Identifier: BSD-3-Clause */
/* These functions are the handshake of a DTLS 1.3 server. */
#ifndef _DTLS_SERVER13_H
#define _DTLS_SERVER13_H

#include "state.h"

/* Answer a hello in DTLS 1.3. Return: 0 or an error. */
int dtls_server13_client_hello(struct kdtls_engine *e,
			       const struct dtls_client_hello *ch);

/* Take a message after ClientHello. Return 0 or an error. */
int dtls_server13_message(struct kdtls_engine *e, u8 type,
			  struct dtls_bytes body);

#endif /* _DTLS_SERVER13_H */
