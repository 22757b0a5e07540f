/* SPDX-License-Identifier: GPL-2.0 */
/*
 * These functions seal and open records with a key and a scratch. See crypt.c.
 */
#ifndef _DTLS_CRYPT_H
#define _DTLS_CRYPT_H

#include <linux/types.h>

struct bio_vec;
struct dtls_key;
struct dtls_run;
struct dtls_scratch;

void dtls_crypt_seal_begin(const struct dtls_key *key,
			   struct dtls_scratch *scratch, size_t len, u8 type,
			   u64 epoch, bool more);
int __must_check dtls_crypt_seal(const struct dtls_key *key,
				 struct dtls_scratch *scratch, u8 *record,
				 const struct bio_vec *pages, u64 seq);
int __must_check dtls_crypt_seal_end(const struct dtls_key *key,
				     struct dtls_scratch *scratch);
u64 __must_check dtls_crypt_open(struct dtls_scratch *scratch,
				 struct dtls_run *rx);

#endif /* _DTLS_CRYPT_H */
