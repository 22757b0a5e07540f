/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PEM (RFC 7468) as it stands in files of certificates and keys. The blocks are told
 * apart here, because libcrypto passes over those that it cannot read. store.c has
 * libcrypto read what is in a block.
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
 * @kind:	what its label says
 * @text:	the block, from its first dash to its last; points into the file
 */
struct dtls_pem_block {
	enum dtls_pem_kind kind;
	struct dtls_bytes text;
};

/**
 * dtls_pem_next() - take the next block off a file
 * @r:		what is left of the file
 * @b:		set to the block
 *
 * Text between blocks has no line that begins with five dashes.
 *
 * Return: 1; 0: there is no block any more; -KDTLS_EDAMAGED: the lines of a block do
 * not fit each other, or its label is not known.
 */
int dtls_pem_next(struct dtls_bytes *r, struct dtls_pem_block *b);

#endif /* _DTLS_PEM_H */
