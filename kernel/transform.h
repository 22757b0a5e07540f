/* SPDX-License-Identifier: GPL-2.0 */
/* A key owns transforms of the crypto API or borrows them. See transform.c. */
#ifndef _DTLS_TRANSFORM_H
#define _DTLS_TRANSFORM_H

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/types.h>

struct crypto_aead;
struct dtls_key;

/**
 * struct dtls_loan - a transform that keys without one of their own borrow
 * @in_use:	bit 0 is set while a task has the loan: while it seals or opens records,
 *		and for nothing that could take longer. No task waits for another one,
 *		which may be of a cgroup that gets no processor for long
 * @once:	the loan was made for one use and is freed after it
 * @aead:	the transform; NULL: it was not needed yet. Guarded by @in_use
 * @serial:	dtls_key.serial of the key that @aead has; 0: it has the key of no
 *		association. Written by the task that has the loan
 */
struct dtls_loan {
	unsigned long in_use;
	bool once;
	struct crypto_aead *aead;
	u64 serial;
};

int __must_check dtls_transform_init(struct dtls_key *key, const u8 *raw);
void dtls_transform_destroy(struct dtls_key *key);
struct dtls_loan *__must_check dtls_transform_borrow(const struct dtls_key *key);
int __must_check dtls_transform_setup(void);
void dtls_transform_exit(void);

void dtls_transform_free(struct dtls_loan *loan);

/* dtls_transform_return() gives back the transform of dtls_transform_borrow(). */
static inline void dtls_transform_return(struct dtls_loan *loan)
{
	if (unlikely(loan->once))
		dtls_transform_free(loan);
	else
		clear_bit_unlock(0, &loan->in_use);
}

#endif /* _DTLS_TRANSFORM_H */
