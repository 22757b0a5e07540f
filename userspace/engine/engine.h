/* SPDX-License-Identifier: BSD-3-Clause */
/* What the driver may know of an engine, beside what kdtls/engine.h tells. */
#ifndef _DTLS_ENGINE_H
#define _DTLS_ENGINE_H

#include <kdtls/engine.h>

#include "cids.h"

/*
 * Return the connection IDs that the peer may put into its records. They belong to the
 * engine, and change with its next call.
 */
const struct dtls_cids *dtls_engine_cids(const struct kdtls_engine *engine);

#endif /* _DTLS_ENGINE_H */
