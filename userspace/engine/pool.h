/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pool has random bytes that go over the wire: randoms, session ids, IVs.
 * They are not for keys.
 *
 * At each request libcrypto asks the system whether the process has forked,
 * which takes longer than making the bytes. So the pool gets many bytes at a
 * time. They lie in a page that the system empties in a child process, so that
 * no two processes give out the same bytes. Bytes that were given out are
 * wiped.
 */
#ifndef _DTLS_POOL_H
#define _DTLS_POOL_H

#include "record.h"

struct dtls_pool;

/*
 * Make a pool. Return NULL if the system has no page that a child finds wiped;
 * dtls_pool_take() works without a pool.
 */
struct dtls_pool *dtls_pool_new(void);

/* Wipe and free @pool, which may be NULL. */
void dtls_pool_free(struct dtls_pool *pool);

/* Take random bytes out of @pool. Return false if libcrypto failed. */
bool dtls_pool_take(struct dtls_pool *pool, u8 *out, size_t len);

#endif /* _DTLS_POOL_H */
