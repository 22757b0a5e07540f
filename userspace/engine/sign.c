// SPDX-License-Identifier: BSD-3-Clause
/* This file makes and verifies signatures. See sign.h. */
#include <openssl/rsa.h>

#include "sign.h"

/* In DTLS 1.3 each ECDSA scheme has one curve (RFC 8446 4.2.3). */
static bool curve_fits(const struct dtls_scheme *scheme, EVP_PKEY *key)
{
	char name[32];

	return EVP_PKEY_get_group_name(key, name, sizeof(name), NULL) == 1 &&
	       !strcmp(name, dtls_group_find(scheme->curve)->name);
}

bool dtls_sign_fits(const struct dtls_scheme *scheme, u8 kx, EVP_PKEY *key)
{
	return scheme->kx & kx && EVP_PKEY_is_a(key, scheme->key) &&
	       (!(kx & DTLS_KX_13) || !scheme->curve ||
		curve_fits(scheme, key));
}

/*
 * Set the padding of RSA-PSS: the salt is as long as the hash, which MGF1 uses
 * as well (RFC 8446 4.2.3).
 */
static bool padding(const struct dtls_scheme *scheme, EVP_PKEY_CTX *ctx)
{
	if (!scheme->pss)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx,
						RSA_PSS_SALTLEN_DIGEST) == 1;
}

size_t dtls_sign_make(const struct dtls_scheme *scheme, EVP_PKEY *key,
		      struct dtls_bytes data, u8 **signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	size_t len = 0;
	u8 *out = NULL;
	bool ok;

	ok = ctx &&
	     EVP_DigestSignInit_ex(ctx, &pctx, scheme->md, NULL, NULL, key,
				   NULL) == 1 &&
	     padding(scheme, pctx) &&
	     EVP_DigestSign(ctx, NULL, &len, data.p, data.len) == 1;
	if (ok)
		out = OPENSSL_malloc(len);
	ok = out && EVP_DigestSign(ctx, out, &len, data.p, data.len) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok) {
		OPENSSL_free(out);
		return 0;
	}
	*signature = out;
	return len;
}

bool dtls_sign_verify(const struct dtls_scheme *scheme, EVP_PKEY *key,
		      struct dtls_bytes data, struct dtls_bytes signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	bool ok;

	ok = ctx &&
	     EVP_DigestVerifyInit_ex(ctx, &pctx, scheme->md, NULL, NULL, key,
				     NULL) == 1 &&
	     padding(scheme, pctx) &&
	     EVP_DigestVerify(ctx, signature.p, signature.len, data.p,
			      data.len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}
