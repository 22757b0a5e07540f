// SPDX-License-Identifier: BSD-3-Clause
/* This file asks the owner for pre-shared keys, and checks them. See psks.h. */
#include "psks.h"

#define IN_BOTH_ROLES	"the pre-shared key is used by client and server (RFC 9257)"
#define TOO_SHORT	"the pre-shared key is too short (RFC 9257)"

static bool make_basis(const struct dtls_crypto *c, struct dtls_bytes key,
		       u8 *basis)
{
	u8 hash[DTLS_HASH_MAX];
	bool ok = dtls_crypto_digest(c, c->sha256, &key, 1, hash);

	memcpy(basis, hash, DTLS_BASIS_SIZE);
	OPENSSL_cleanse(hash, sizeof(hash));
	return ok;
}

static int refuse(struct kdtls_engine *e, u8 *key, const char *reason)
{
	OPENSSL_cleanse(key, KDTLS_PSK_MAX);
	return dtls_fail(e, KDTLS_EPSK, KDTLS_ALERT_INTERNAL_ERROR, reason);
}

/*
 * Check a key that the owner gave. The clients and the servers of an endpoint
 * must not use the same key: an end that used it as both would take its own
 * messages, sent back to it, for those of the peer (RFC 9257 4.1). The endpoint
 * remembers the last key of each role. Return 0 or an error.
 */
static int check_key(struct kdtls_engine *e, u8 *key, size_t len)
{
	struct dtls_psk_use *use = e->ep->psk_use;
	u8 *basis = e->hs->psk_basis;

	if (len < KDTLS_PSK_MIN && !dtls_endpoint_flag(e->ep, KDTLS_SHORT_PSK))
		return refuse(e, key, TOO_SHORT);
	if (!make_basis(&e->ep->crypto, (struct dtls_bytes){ key, len },
			basis))
		return dtls_fail_internal(e);
	if (use[!e->server].used &&
	    !CRYPTO_memcmp(use[!e->server].basis, basis, DTLS_BASIS_SIZE))
		return refuse(e, key, IN_BOTH_ROLES);
	use[e->server].used = true;
	memcpy(use[e->server].basis, basis, DTLS_BASIS_SIZE);
	return (int)len;
}

/*
 * Ask the owner for the pre-shared key of a client. Return how many bytes @key
 * has, or 0 if the owner has no key.
 */
static size_t ask_client(struct kdtls_engine *e, const char *hint, u8 *identity,
			 size_t *identity_len, u8 *key)
{
	const struct kdtls_ops *ops = &e->ep->config.ops;
	size_t len = 0;

	*identity_len = 0;
	if (ops->psk_client)
		len = ops->psk_client(e->ctx, hint, identity, identity_len,
				      key);
	return len > KDTLS_PSK_MAX || *identity_len > KDTLS_PSK_IDENTITY_MAX ?
	       0 : len;
}

static size_t ask_server(struct kdtls_engine *e, struct dtls_bytes identity,
			 u8 *key)
{
	const struct kdtls_ops *ops = &e->ep->config.ops;
	size_t len = 0;

	if (ops->psk_server && identity.len <= KDTLS_PSK_IDENTITY_MAX)
		len = ops->psk_server(e->ctx, identity.p, identity.len, key);
	return len > KDTLS_PSK_MAX ? 0 : len;
}

int dtls_psks_client(struct kdtls_engine *e, const char *hint, u8 *identity,
		     size_t *identity_len, u8 *key)
{
	size_t len = ask_client(e, hint, identity, identity_len, key);

	return len ? check_key(e, key, len) : 0;
}

int dtls_psks_server(struct kdtls_engine *e, struct dtls_bytes identity,
		     u8 *key)
{
	size_t len = ask_server(e, identity, key);

	return len ? check_key(e, key, len) : 0;
}

static bool same_key(const struct kdtls_engine *e, const u8 *key, size_t len,
		     const struct dtls_session *s)
{
	u8 basis[DTLS_BASIS_SIZE];

	return len &&
	       make_basis(&e->ep->crypto, (struct dtls_bytes){ key, len },
			  basis) &&
	       !CRYPTO_memcmp(basis, s->peer.basis, sizeof(basis));
}

/*
 * Return true if the owner of a client still has the key that the session @s
 * began with. An owner that needs the server's hint to choose a key (RFC 4279
 * 5.1) gives none here. In DTLS 1.2 the session may be resumed even then, as a
 * full handshake would ask with the hint.
 */
static bool client_has_key(struct kdtls_engine *e, const struct dtls_session *s,
			   u8 *key)
{
	u8 identity[KDTLS_PSK_IDENTITY_MAX];
	size_t identity_len;
	size_t len = ask_client(e, NULL, identity, &identity_len, key);

	if (!len)
		return e->ep->config.ops.psk_client &&
		       s->version == DTLS_VERSION_1_2;
	return dtls_bytes_equal(s->peer.identity, identity, identity_len) &&
	       same_key(e, key, len, s);
}

bool dtls_psks_still_good(struct kdtls_engine *e, const struct dtls_session *s)
{
	u8 key[KDTLS_PSK_MAX];
	bool good;

	if (e->server)
		good = same_key(e, key, ask_server(e, s->peer.identity, key),
				s);
	else
		good = client_has_key(e, s, key);
	OPENSSL_cleanse(key, sizeof(key));
	return good;
}
