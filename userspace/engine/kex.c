// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file makes the keys of key exchanges, and derives their secrets. See
 * kex.h.
 */
#include <openssl/core_names.h>

#include "kex.h"

static EVP_PKEY_CTX *keygen_new(const struct dtls_group *group)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, group->type, NULL);

	if (ctx && EVP_PKEY_keygen_init(ctx) == 1 &&
	    (strcmp(group->type, "EC") ||
	     EVP_PKEY_CTX_set_group_name(ctx, group->name) == 1))
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

EVP_PKEY *dtls_kex_generate(struct dtls_crypto *c,
			    const struct dtls_group *group)
{
	EVP_PKEY_CTX **ctx = &c->keygen[group - dtls_groups];
	EVP_PKEY *key = NULL;

	if (!*ctx)
		*ctx = keygen_new(group);
	if (*ctx && EVP_PKEY_generate(*ctx, &key) == 1)
		return key;
	EVP_PKEY_free(key);
	return NULL;
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

/*
 * Return true if @point has the length and form of a public key of @group. A
 * point on a curve has to be uncompressed (RFC 8422 5.4.1, RFC 8446 4.2.8.2).
 * libcrypto would read the hybrid form too, which has the same length.
 */
static bool is_point(const struct dtls_group *group, struct dtls_bytes point)
{
	return point.len == group->point_len &&
	       (strcmp(group->type, "EC") || point.p[0] == 4);
}

size_t dtls_kex_derive(const struct dtls_group *group, EVP_PKEY *key,
		       struct dtls_bytes point, u8 *out)
{
	EVP_PKEY *peer = EVP_PKEY_new();
	EVP_PKEY_CTX *ctx = NULL;
	size_t len = DTLS_SHARED_MAX;
	bool ok;

	ok = is_point(group, point) && peer &&
	     EVP_PKEY_copy_parameters(peer, key) == 1 &&
	     EVP_PKEY_set1_encoded_public_key(peer, point.p, point.len) == 1;
	if (ok)
		ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	/*
	 * The check of RFC 8422 5.11 is complete here. public_key() refuses a
	 * point off the curve, and is_point() the point at infinity by its
	 * length. The cofactor of all groups is 1, so the full check, which is
	 * a multiplication by the order, would find nothing more.
	 */
	ok = ctx && EVP_PKEY_derive_init(ctx) == 1 &&
	     EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 &&
	     EVP_PKEY_derive(ctx, out, &len) == 1;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	return ok ? len : 0;
}

/*
 * Make a key of the public bytes of the peer. Return NULL if libcrypto refuses
 * them.
 */
static EVP_PKEY *public_key(const struct dtls_group *group,
			    struct dtls_bytes share)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, group->type, NULL);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
						  (void *)share.p, share.len),
		OSSL_PARAM_END,
	};
	EVP_PKEY *key = NULL;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static size_t encapsulate(const struct dtls_group *group,
			  struct dtls_bytes share, u8 *answer, u8 *secret)
{
	size_t len = DTLS_SHARED_MAX, answer_len = DTLS_POINT_MAX;
	EVP_PKEY *peer = public_key(group, share);
	EVP_PKEY_CTX *ctx = NULL;
	bool ok;

	if (peer)
		ctx = EVP_PKEY_CTX_new_from_pkey(NULL, peer, NULL);
	ok = ctx && EVP_PKEY_encapsulate_init(ctx, NULL) == 1 &&
	     EVP_PKEY_encapsulate(ctx, answer, &answer_len, secret,
				  &len) == 1 &&
	     answer_len == group->answer_len;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	return ok ? len : 0;
}

size_t dtls_kex_answer(struct dtls_crypto *c, const struct dtls_group *group,
		       struct dtls_bytes share, u8 *answer, u8 *secret)
{
	EVP_PKEY *key;
	size_t len = 0;

	if (share.len != group->point_len)
		return 0;
	if (group->kem)
		return encapsulate(group, share, answer, secret);
	key = dtls_kex_generate(c, group);
	if (key && dtls_kex_public(group, key, answer))
		len = dtls_kex_derive(group, key, share, secret);
	EVP_PKEY_free(key);
	return len;
}

size_t dtls_kex_finish(const struct dtls_group *group, EVP_PKEY *key,
		       struct dtls_bytes answer, u8 *secret)
{
	size_t len = DTLS_SHARED_MAX;
	EVP_PKEY_CTX *ctx;
	bool ok;

	if (!group->kem)
		return dtls_kex_derive(group, key, answer, secret);
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	ok = answer.len == group->answer_len && ctx &&
	     EVP_PKEY_decapsulate_init(ctx, NULL) == 1 &&
	     EVP_PKEY_decapsulate(ctx, secret, &len, answer.p,
				  answer.len) == 1;
	EVP_PKEY_CTX_free(ctx);
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
