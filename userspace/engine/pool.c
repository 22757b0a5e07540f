// SPDX-License-Identifier: BSD-3-Clause
/* This file gives out random bytes that go over the wire. See pool.h. */
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/mman.h>

#include "pool.h"

#define POOL_SIZE	4096

struct dtls_pool {
	size_t left;		/* bytes at the front of @bytes, not given out yet */
	u8 bytes[POOL_SIZE - sizeof(size_t)];
};

struct dtls_pool *dtls_pool_new(void)
{
	void *page = mmap(NULL, POOL_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return NULL;
	if (!madvise(page, POOL_SIZE, MADV_WIPEONFORK))
		return page;
	munmap(page, POOL_SIZE);
	return NULL;
}

void dtls_pool_free(struct dtls_pool *pool)
{
	if (!pool)
		return;
	OPENSSL_cleanse(pool, sizeof(*pool));
	munmap(pool, POOL_SIZE);
}

bool dtls_pool_take(struct dtls_pool *pool, u8 *out, size_t len)
{
	if (!pool || len > sizeof(pool->bytes))
		return RAND_bytes(out, (int)len) == 1;
	if (pool->left < len) {
		pool->left = 0;
		if (RAND_bytes(pool->bytes, sizeof(pool->bytes)) != 1)
			return false;
		pool->left = sizeof(pool->bytes);
	}
	pool->left -= len;
	memcpy(out, pool->bytes + pool->left, len);
	OPENSSL_cleanse(pool->bytes + pool->left, len);
	return true;
}
