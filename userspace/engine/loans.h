/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys borrow contexts of libcrypto. A context takes about a kilobyte, so the keys of
 * associations that are silent have none.
 */
#ifndef _DTLS_LOANS_H
#define _DTLS_LOANS_H

#include <openssl/evp.h>

#include "aead.h"

/*
 * enum dtls_loan_kind is the cipher of a context: an AEAD, which has its index in
 * dtls_aeads, or a cipher that masks sequence numbers of DTLS 1.3 (RFC 9147 4.2.3).
 */
enum dtls_loan_kind {
	DTLS_LOAN_AES128 = DTLS_AEADS,
	DTLS_LOAN_AES256,
	DTLS_LOAN_CHACHA20,
	DTLS_LOAN_KINDS,
};

#define DTLS_LOANS	128	/* contexts of a kind at most */
#define DTLS_LOANS_KEPT	32	/* contexts of a kind that stay when their keys are gone */

/**
 * struct dtls_loan - a context that keys borrow
 * @ctx:	the context, or NULL if none was needed here yet
 * @borrower:	whose key the context has; NULL: no key that is in use
 */
struct dtls_loan {
	EVP_CIPHER_CTX *ctx;
	const void *borrower;
};

/**
 * struct dtls_loans - the contexts of an endpoint
 * @keys:	number of keys that borrow from each place
 * @of:		the contexts of each kind
 *
 * A key borrows from the same place as long as it lives, and finds itself there if no
 * other key of that place was used since. Otherwise the context is keyed anew. So the
 * first DTLS_LOANS keys have contexts of their own. A context is made when it is first
 * needed. It stays until the endpoint goes, or until the last key of its place is gone if
 * DTLS_LOANS_KEPT places are before that.
 */
struct dtls_loans {
	u32 keys[DTLS_LOANS];
	struct dtls_loan of[DTLS_LOAN_KINDS][DTLS_LOANS];
};

/* Make the places, with no contexts. Return NULL if there is no memory. */
struct dtls_loans *dtls_loans_new(void);

/* Wipe and free all contexts. @l may be NULL. */
void dtls_loans_free(struct dtls_loans *l);

/* Return the place that a new key is to borrow from: one with the fewest keys. */
u8 dtls_loans_enter(struct dtls_loans *l);

/*
 * Note that a key is gone that has borrowed from @place. Return true if the contexts of the
 * place were freed.
 */
bool dtls_loans_leave(struct dtls_loans *l, u8 place);

/**
 * dtls_loan_take() - lend a context to another key
 * @loan:	its place, with a context
 * @borrower:	stands for the key
 * @key:	the key, as long as the cipher wants it
 * @nonce:	nonce of a record, or NULL
 * @enc:	1: to encrypt, 0: to decrypt, for as long as the context is lent
 *
 * Return: the context with key and nonce, or NULL if libcrypto failed.
 */
EVP_CIPHER_CTX *dtls_loan_take(struct dtls_loan *loan, const void *borrower,
			       const u8 *key, const u8 *nonce, int enc);

/* Overwrite the key of @borrower if the context has it. */
void dtls_loan_end(struct dtls_loan *loan, const void *borrower);

#endif /* _DTLS_LOANS_H */
