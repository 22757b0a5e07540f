// SPDX-License-Identifier: BSD-3-Clause
/* This file lends contexts of libcrypto to keys. See loans.h. */
#include "loans.h"

struct dtls_loans *dtls_loans_new(void)
{
	return OPENSSL_zalloc(sizeof(struct dtls_loans));
}

/* Wipe and free the context of a place. The next key makes a new one. */
static void drop(struct dtls_loan *loan)
{
	EVP_CIPHER_CTX_free(loan->ctx);
	*loan = (struct dtls_loan){ 0 };
}

void dtls_loans_free(struct dtls_loans *l)
{
	unsigned int i, j;

	for (i = 0; l && i < DTLS_LOAN_KINDS; i++)
		for (j = 0; j < DTLS_LOANS; j++)
			drop(&l->of[i][j]);
	OPENSSL_free(l);
}

u8 dtls_loans_enter(struct dtls_loans *l)
{
	u8 i, best = 0;

	for (i = 1; i < DTLS_LOANS && l->keys[best]; i++)
		if (l->keys[i] < l->keys[best])
			best = i;
	l->keys[best]++;
	return best;
}

bool dtls_loans_leave(struct dtls_loans *l, u8 place)
{
	unsigned int i;

	if (--l->keys[place] || place < DTLS_LOANS_KEPT)
		return false;
	for (i = 0; i < DTLS_LOAN_KINDS; i++)
		drop(&l->of[i][place]);
	return true;
}

EVP_CIPHER_CTX *dtls_loan_take(struct dtls_loan *loan, const void *borrower,
			       const u8 *key, const u8 *nonce, int enc)
{
	if (EVP_CipherInit_ex2(loan->ctx, NULL, key, nonce, enc, NULL) != 1) {
		/* The context may have a part of the key. */
		drop(loan);
		return NULL;
	}
	loan->borrower = borrower;
	return loan->ctx;
}

void dtls_loan_end(struct dtls_loan *loan, const void *borrower)
{
	static const u8 zeros[DTLS_KEY_SIZE_MAX];

	if (loan->borrower != borrower)
		return;
	if (EVP_EncryptInit_ex2(loan->ctx, NULL, zeros, NULL, NULL) == 1)
		loan->borrower = NULL;
	else
		drop(loan);
}
