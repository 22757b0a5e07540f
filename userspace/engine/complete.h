/* SPDX-License-Identifier: BSD-3-Clause */
/* This function ends a handshake. */
#ifndef _DTLS_COMPLETE_H
#define _DTLS_COMPLETE_H

#include "state.h"

/*
 * Hand out the keys and the data that came early under them, and drop what only
 * the handshake needed. Return 0 or an error.
 */
int dtls_complete_handshake(struct kdtls_engine *e);

#endif /* _DTLS_COMPLETE_H */
