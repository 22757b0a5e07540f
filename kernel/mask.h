/* SPDX-License-Identifier: GPL-2.0 */
/* A mask encrypts the sequence number of a DTLS 1.3 record (RFC 9147 4.2.3). */
#ifndef _DTLS_MASK_H
#define _DTLS_MASK_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "key.h"

/*
 * dtls_mask_worth() returns true if one request for the masks of @n records costs less
 * than @n single blocks: a request has a price of its own.
 */
static inline bool dtls_mask_worth(const struct dtls_key *key, unsigned int n)
{
	return n >= 4 && key->ecb;
}

int __must_check dtls_mask_init(struct dtls_key *key, const u8 *sn_key,
				bool write);
void dtls_mask_destroy(struct dtls_key *key);
void dtls_mask_prepare(const struct dtls_key *key);
int __must_check dtls_mask_make(const struct dtls_key *key, const u8 *sample,
				u8 *out);
int __must_check dtls_mask_setup(void);
void dtls_mask_exit(void);

#endif /* _DTLS_MASK_H */
