/* SPDX-License-Identifier: BSD-3-Clause */
/* This function takes the client's messages in a server's handshake. */
#ifndef _DTLS_SERVER_H
#define _DTLS_SERVER_H

#include "state.h"

/* Take a message of the client, in its turn. Return 0 or an error. */
int dtls_server_message(struct kdtls_engine *e, u8 type, struct dtls_bytes body);

#endif /* _DTLS_SERVER_H */
