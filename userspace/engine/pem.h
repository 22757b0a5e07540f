/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This function takes the blocks of PEM (RFC 7468) out of a file of certificates or
 * keys one by one, because libcrypto passes over blocks that it cannot read. store.c
 * lets libcrypto read the content of a block.
 */
#ifndef _DTLS_PEM_H
#define _DTLS_PEM_H

#include "wire.h"

enum dtls_pem_kind {
	DTLS_PEM_OTHER,		/* a known block that is passed over */
	DTLS_PEM_CERTIFICATE,
	DTLS_PEM_PRIVATE,
	DTLS_PEM_PUBLIC,
};

/**
 * struct dtls_pem_block - a block of PEM
 * @kind:	the kind that the block's label names
 * @text:	the block, from its first dash to its last; points into the file
 */
struct dtls_pem_block {
	enum dtls_pem_kind kind;
	struct dtls_bytes text;
};

/**
 * dtls_pem_next() - take the next block off a file
 * @r:		the rest of the file that was not read yet
 * @b:		set to the block
 *
 * Text between blocks has no line that begins with five dashes.
 *
 * Return: 1; 0: there is no block any more; -KDTLS_EDAMAGED: the lines of a block do
 * not fit each other, or its label is not known.
 */
int dtls_pem_next(struct dtls_bytes *r, struct dtls_pem_block *b);

#endif /* _DTLS_PEM_H */
