/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Endpoints that share a secret split it: what cookies are made with, and what
 * tickets are. The latter forgets the past, so that whoever learns it opens no
 * ticket of the time before.
 */
#ifndef _DTLS_SECRET_H
#define _DTLS_SECRET_H

#include "tree.h"

#define DTLS_SECRET_MARK	"kdtls 1\n"

/**
 * struct dtls_secret - a secret that endpoints share; a file may hold it as it is
 * @mark:	DTLS_SECRET_MARK without its end, by which a file is known
 * @cookies:	what the keys of cookies are derived from
 * @tickets:	what the keys of tickets are derived from
 */
struct dtls_secret {
	u8 mark[8];
	u8 cookies[DTLS_TREE_NODE_SIZE];
	struct dtls_tree tickets;
};

/*
 * Make a secret of @random, DTLS_TREE_NODE_SIZE bytes, which always yield the
 * same one. Return false if libcrypto failed. The caller wipes @s even then.
 */
bool dtls_secret_make(struct dtls_secret *s, const u8 *random);

/* Return true if @s, which was read from a file, can be a secret. */
bool dtls_secret_valid(const struct dtls_secret *s);

/*
 * Forget what no ticket needs that was made @life seconds before @now, in seconds
 * since 1970, or later. A ticket's key is that of the second when a period of
 * @life seconds began. Return false if libcrypto failed.
 */
bool dtls_secret_age(struct dtls_secret *s, u32 life, int64_t now);

#endif /* _DTLS_SECRET_H */
