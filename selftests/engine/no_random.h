/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A program that includes this file is linked with --wrap=dtls_pool_take. While @no_random
 * is true, libcrypto's generator fails.
 */
#ifndef _TEST_NO_RANDOM_H
#define _TEST_NO_RANDOM_H

#include "../../userspace/engine/pool.h"

static bool no_random;

bool __real_dtls_pool_take(struct dtls_pool *pool, u8 *out, size_t len);
bool __wrap_dtls_pool_take(struct dtls_pool *pool, u8 *out, size_t len);

bool __wrap_dtls_pool_take(struct dtls_pool *pool, u8 *out, size_t len)
{
	return !no_random && __real_dtls_pool_take(pool, out, len);
}

#endif
