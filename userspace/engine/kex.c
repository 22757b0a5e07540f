// SPDX-License-Identifier: BSD-3-Clause
/* Key exchange; see kex.h. */
#include "kex.h"

EVP_PKEY *dtls_kex_generate(const struct dtls_group *group)
{
	if (!strcmp(group->type, "EC"))
		return EVP_PKEY_Q_keygen(NULL, NULL, group->type, group->name);
	return EVP_PKEY_Q_keygen(NULL, NULL, group->type);
}

size_t dtls_kex_public(const struct dtls_group *group, EVP_PKEY *key, u8 *out)
{
	unsigned char *point = NULL;
	size_t len = EVP_PKEY_get1_encoded_public_key(key, &point);

	if (len != group->point_len)
		len = 0;
	if (len)
		memcpy(out, point, len);
	OPENSSL_free(point);
	return len;
}

size_t dtls_kex_derive(const struct dtls_group *group, EVP_PKEY *key,
		       struct dtls_bytes point, u8 *out)
{
	EVP_PKEY *peer = EVP_PKEY_new();
	EVP_PKEY_CTX *ctx = NULL;
	size_t len = DTLS_SHARED_MAX;
	bool ok;

	ok = point.len == group->point_len && peer &&
	     EVP_PKEY_copy_parameters(peer, key) == 1 &&
	     EVP_PKEY_set1_encoded_public_key(peer, point.p, point.len) == 1;
	if (ok)
		ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	/*
	 * Above a point off the curve was refused (RFC 8422 5.11), and for want
	 * of a length infinity too. The groups' cofactor is 1: the full check,
	 * a multiplication by the order, would find nothing more.
	 */
	ok = ctx && EVP_PKEY_derive_init(ctx) == 1 &&
	     EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 &&
	     EVP_PKEY_derive(ctx, out, &len) == 1;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	return ok ? len : 0;
}

size_t dtls_kex_psk(const u8 *shared, size_t shared_len, const u8 *psk,
		    size_t psk_len, u8 *out)
{
	size_t other_len = shared_len ? shared_len : psk_len;
	u8 *p = out;

	dtls_put_be(p, 2, other_len);
	p += 2;
	if (shared_len)
		memcpy(p, shared, shared_len);
	else
		memset(p, 0, psk_len);
	p += other_len;
	dtls_put_be(p, 2, psk_len);
	p += 2;
	memcpy(p, psk, psk_len);
	return (size_t)(p - out) + psk_len;
}
