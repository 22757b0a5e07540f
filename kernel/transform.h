/* SPDX-License-Identifier: GPL-2.0 */
/* A key owns transforms of the crypto API or borrows them. See transform.c. */
#ifndef _DTLS_TRANSFORM_H
#define _DTLS_TRANSFORM_H

#include <linux/mutex.h>
#include <linux/types.h>

struct crypto_aead;
struct dtls_key;

/**
 * struct dtls_loan - a transform that keys without one of their own borrow
 * @lock:	mutex that a task holds while it uses @aead or changes its key: while
 *		records are sealed or opened, and for nothing that could take longer
 * @aead:	the transform; NULL: it was not needed yet
 * @serial:	dtls_key.serial of the key that @aead has; 0: it has the key of no
 *		association. Written under @lock
 */
struct dtls_loan {
	struct mutex lock;	/* The mutex guards @aead and @serial. */
	struct crypto_aead *aead;
	u64 serial;
};

int __must_check dtls_transform_init(struct dtls_key *key, const u8 *raw);
void dtls_transform_destroy(struct dtls_key *key);
struct dtls_loan *__must_check dtls_transform_borrow(const struct dtls_key *key);
int __must_check dtls_transform_setup(void);
void dtls_transform_exit(void);

/* dtls_transform_return() gives back the transform of dtls_transform_borrow(). */
static inline void dtls_transform_return(struct dtls_loan *loan)
{
	mutex_unlock(&loan->lock);
}

#endif /* _DTLS_TRANSFORM_H */
