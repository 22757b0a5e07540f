// SPDX-License-Identifier: BSD-3-Clause
/* This file reads identities and roots, and verifies chains. See x509.h. */
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <kdtls/engine.h>

#include "name.h"
#include "peer.h"
#include "x509.h"

/*
 * libcrypto's security level 2 refuses keys, curves and hashes of less than 112
 * bits of security (RFC 9325 4.2).
 */
#define AUTH_LEVEL	2

static bool key_known(EVP_PKEY *key)
{
	char name[32];
	size_t i;

	if (EVP_PKEY_is_a(key, "EC")) {
		if (EVP_PKEY_get_group_name(key, name, sizeof(name),
					    NULL) != 1)
			return false;
		for (i = 0; i < dtls_group_count; i++)
			if (!strcmp(name, dtls_groups[i].name))
				return true;
		return false;
	}
	return EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "RSA") ||
	       EVP_PKEY_is_a(key, "RSA-PSS");
}

/* Drop a key of a kind that is not supported. Return: 0 or an error. */
static int known_key(int err, EVP_PKEY **key)
{
	if (err || key_known(*key))
		return err;
	EVP_PKEY_free(*key);
	*key = NULL;
	return -KDTLS_EKIND;
}

static bool write_certificate(struct dtls_writer *w, X509 *cert)
{
	unsigned char *der = NULL;
	int len = i2d_X509(cert, &der);

	if (len > 0)
		wr_vec(w, 3, der, (size_t)len);
	OPENSSL_free(der);
	return len > 0 && !w->failed;
}

static bool write_issuer(struct dtls_writer *w, const X509 *cert)
{
	unsigned char *der = NULL;
	int len = i2d_X509_NAME(X509_get_issuer_name(cert), &der);

	if (len > 0)
		wr_vec(w, 2, der, (size_t)len);
	OPENSSL_free(der);
	return len > 0 && !w->failed;
}

/*
 * Write the SubjectPublicKeyInfo of @key in DER, behind its length in @n bytes;
 * with @n 0 there is no length. Return false on failure.
 */
static bool write_spki(struct dtls_writer *w, unsigned int n, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	if (len > 0 && n)
		wr_vec(w, n, der, (size_t)len);
	else if (len > 0)
		wr_bytes(w, der, (size_t)len);
	OPENSSL_free(der);
	return len > 0 && !w->failed;
}

/*
 * Write the body of Certificate to @id, as it is the same in each handshake.
 * The first certificate is kept, too. Return 0 or an error.
 */
static int write_chain(struct dtls_identity *id, STACK_OF(X509) *certs)
{
	size_t mark = wr_open(&id->message, 3);
	X509 *cert;
	int i;

	for (i = 0; i < sk_X509_num(certs); i++) {
		cert = sk_X509_value(certs, i);
		if (!write_certificate(&id->message, cert) ||
		    !write_issuer(&id->issuers, cert))
			return -KDTLS_EMEMORY;
	}
	wr_close(&id->message, mark, 3);
	id->leaf = sk_X509_shift(certs);
	if (id->message.failed)
		return -KDTLS_EMEMORY;
	return X509_check_private_key(id->leaf, id->key) == 1 ?
	       0 : -KDTLS_EMISMATCH;
}

int dtls_x509_identity_new(const struct dtls_store *chain,
			   const struct dtls_store *key,
			   struct dtls_identity **identity)
{
	struct dtls_identity *id = OPENSSL_zalloc(sizeof(*id));
	STACK_OF(X509) *certs = NULL;
	int err;

	if (!id)
		return -KDTLS_EMEMORY;
	err = dtls_store_certificates(chain, &certs);
	if (!err)
		err = known_key(dtls_store_private_key(key, &id->key),
				&id->key);
	if (!err)
		err = write_chain(id, certs);
	sk_X509_pop_free(certs, X509_free);
	if (err)
		dtls_x509_identity_free(id);
	else
		*identity = id;
	return err;
}

int dtls_x509_identity_new_raw(const struct dtls_store *key,
			       struct dtls_identity **identity)
{
	struct dtls_identity *id = OPENSSL_zalloc(sizeof(*id));
	int err;

	if (!id)
		return -KDTLS_EMEMORY;
	err = known_key(dtls_store_private_key(key, &id->key), &id->key);
	if (!err && !write_spki(&id->message, 3, id->key))
		err = -KDTLS_EMEMORY;
	if (err)
		dtls_x509_identity_free(id);
	else
		*identity = id;
	return err;
}

void dtls_x509_identity_free(struct dtls_identity *id)
{
	if (!id)
		return;
	EVP_PKEY_free(id->key);
	X509_free(id->leaf);
	wr_free(&id->message);
	wr_free(&id->issuers);
	OPENSSL_free(id);
}

bool dtls_x509_identity_issued(const struct dtls_identity *id,
			       struct dtls_bytes authorities)
{
	struct dtls_bytes issuers, authority, issuer;

	if (!id->leaf)
		return true;
	while (rd_vec(&authorities, 2, &authority)) {
		issuers = (struct dtls_bytes){ id->issuers.p, id->issuers.len };
		while (rd_vec(&issuers, 2, &issuer))
			if (dtls_bytes_equal(authority, issuer.p, issuer.len))
				return true;
	}
	return false;
}

bool dtls_x509_identity_named(const struct dtls_identity *id, const char *name)
{
	return !id->leaf ||
	       X509_check_host(id->leaf, name, 0,
			       X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
}

/*
 * Add a root or raw key to the digest of everything that is trusted. A session
 * is resumed only if the digest is the same as when the session was made.
 */
static bool digest_add(struct dtls_trust *t, const void *data, size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
	     EVP_DigestUpdate(ctx, t->digest, sizeof(t->digest)) == 1 &&
	     EVP_DigestUpdate(ctx, data, len) == 1 &&
	     EVP_DigestFinal_ex(ctx, t->digest, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

static bool add_root(struct dtls_trust *t, X509 *cert)
{
	u8 hash[EVP_MAX_MD_SIZE];
	unsigned int len;

	return X509_digest(cert, EVP_sha256(), hash, &len) == 1 &&
	       digest_add(t, hash, len) &&
	       X509_STORE_add_cert(t->store, cert) == 1;
}

bool dtls_x509_trust_add_system(struct dtls_trust *t)
{
	static const char system[] = "the system's roots";

	return digest_add(t, system, sizeof(system)) &&
	       X509_STORE_set_default_paths(t->store) == 1;
}

int dtls_x509_trust_add(struct dtls_trust *t, const struct dtls_store *roots)
{
	STACK_OF(X509) *certs = NULL;
	int err = dtls_store_certificates(roots, &certs);
	int i;

	for (i = 0; !err && i < sk_X509_num(certs); i++)
		if (!add_root(t, sk_X509_value(certs, i)))
			err = -KDTLS_EMEMORY;
	sk_X509_pop_free(certs, X509_free);
	return err;
}

static int add_raw(struct dtls_trust *t, EVP_PKEY *key)
{
	struct dtls_writer *raw;

	raw = OPENSSL_realloc(t->raw, (t->raw_count + 1) * sizeof(*raw));
	if (!raw)
		return -KDTLS_EMEMORY;
	t->raw = raw;
	raw += t->raw_count;
	memset(raw, 0, sizeof(*raw));
	if (!write_spki(raw, 0, key) || !digest_add(t, raw->p, raw->len)) {
		wr_free(raw);
		return -KDTLS_EMEMORY;
	}
	t->raw_count++;
	return 0;
}

int dtls_x509_trust_add_raw(struct dtls_trust *t,
			    const struct dtls_store *source)
{
	EVP_PKEY *key = NULL;
	int err = known_key(dtls_store_public_key(source, &key), &key);

	if (!err)
		err = add_raw(t, key);
	EVP_PKEY_free(key);
	return err;
}

void dtls_x509_trust_exit(struct dtls_trust *t)
{
	X509_STORE_free(t->store);
	while (t->raw_count)
		wr_free(&t->raw[--t->raw_count]);
	OPENSSL_free(t->raw);
	memset(t, 0, sizeof(*t));
}

static int parse_raw(struct dtls_chain *chain, struct dtls_bytes body)
{
	struct dtls_bytes spki;
	const unsigned char *p;

	if (!rd_vec(&body, 3, &spki) || body.len)
		return KDTLS_ALERT_DECODE_ERROR;
	if (!spki.len)
		return 0;
	p = spki.p;
	chain->key = d2i_PUBKEY(NULL, &p, (long)spki.len);
	if (!chain->key || p != spki.p + spki.len)
		return KDTLS_ALERT_BAD_CERTIFICATE;
	chain->der[0] = spki.p;
	chain->der_len[0] = spki.len;
	chain->count = 1;
	return 0;
}

static int parse_list(struct dtls_chain *chain, struct dtls_bytes body)
{
	struct dtls_bytes list, der;
	const unsigned char *p;
	X509 *cert;

	if (!rd_vec(&body, 3, &list) || body.len)
		return KDTLS_ALERT_DECODE_ERROR;
	chain->others = sk_X509_new_null();
	if (!chain->others)
		return KDTLS_ALERT_INTERNAL_ERROR;
	while (list.len) {
		if (!rd_vec(&list, 3, &der) || !der.len)
			return KDTLS_ALERT_DECODE_ERROR;
		if (chain->count == DTLS_CHAIN_MAX)
			return KDTLS_ALERT_BAD_CERTIFICATE;
		p = der.p;
		cert = d2i_X509(NULL, &p, (long)der.len);
		if (!cert || p != der.p + der.len) {
			X509_free(cert);
			return KDTLS_ALERT_BAD_CERTIFICATE;
		}
		if (!chain->count) {
			chain->leaf = cert;
		} else if (!sk_X509_push(chain->others, cert)) {
			X509_free(cert);
			return KDTLS_ALERT_INTERNAL_ERROR;
		}
		chain->der[chain->count] = der.p;
		chain->der_len[chain->count++] = der.len;
	}
	if (chain->leaf) {
		chain->key = X509_get_pubkey(chain->leaf);
		if (!chain->key)
			return KDTLS_ALERT_UNSUPPORTED_CERTIFICATE;
	}
	return 0;
}

int dtls_x509_chain_parse(struct dtls_chain *chain, struct dtls_bytes body,
			  bool raw)
{
	int alert = raw ? parse_raw(chain, body) : parse_list(chain, body);

	if (!alert && chain->key && !key_known(chain->key))
		alert = KDTLS_ALERT_UNSUPPORTED_CERTIFICATE;
	return alert;
}

void dtls_x509_chain_free(struct dtls_chain *chain)
{
	X509_free(chain->leaf);
	sk_X509_pop_free(chain->others, X509_free);
	EVP_PKEY_free(chain->key);
	memset(chain, 0, sizeof(*chain));
}

static int verify_raw(const struct dtls_trust *t, const struct dtls_chain *chain,
		      const char **reason)
{
	size_t i;

	for (i = 0; i < t->raw_count; i++) {
		if (t->raw[i].len == chain->der_len[0] &&
		    !memcmp(t->raw[i].p, chain->der[0], chain->der_len[0])) {
			*reason = "ok";
			return 0;
		}
	}
	*reason = "raw public key is not trusted";
	return X509_V_ERR_CERT_UNTRUSTED;
}

/*
 * Return when a certificate expires, in seconds since 1970, or 0 if that was
 * before 1970 or cannot be read.
 */
static int64_t expiry_of(const X509 *cert)
{
	const ASN1_TIME *end = X509_get0_notAfter(cert);
	ASN1_TIME *zero = ASN1_TIME_set(NULL, 0);
	int64_t expiry = 0;
	int days, seconds;

	if (zero && ASN1_TIME_diff(&days, &seconds, zero, end) == 1)
		expiry = (int64_t)days * 86400 + seconds;
	if (expiry < 0)
		expiry = 0;
	ASN1_TIME_free(zero);
	return expiry;
}

int64_t dtls_x509_chain_end(const struct dtls_chain *chain)
{
	return chain->leaf ? expiry_of(chain->leaf) : DTLS_NO_END;
}

/*
 * Return when the first certificate of the chain that libcrypto has built
 * expires.
 */
static int64_t built_chain_end(X509_STORE_CTX *ctx)
{
	STACK_OF(X509) *built = X509_STORE_CTX_get0_chain(ctx);
	int64_t expiry, end = DTLS_NO_END;
	int i;

	for (i = 0; i < sk_X509_num(built); i++) {
		expiry = expiry_of(sk_X509_value(built, i));
		if (expiry < end)
			end = expiry;
	}
	return end;
}

/* Return true if the certificate has a name of a host at all (RFC 9525 6.3). */
static bool has_names(X509 *leaf)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL,
						NULL);
	bool any = false;
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(names) && !any; i++)
		any = sk_GENERAL_NAME_value(names, i)->type == GEN_DNS;
	GENERAL_NAMES_free(names);
	return any;
}

int dtls_x509_chain_verify(const struct dtls_trust *t,
			   const struct dtls_chain *chain,
			   const struct dtls_purpose *purpose, int64_t *until,
			   const char **reason)
{
	const char *name = purpose->name;
	int result = X509_V_ERR_OUT_OF_MEM;
	X509_VERIFY_PARAM *param;
	X509_STORE_CTX *ctx;
	bool ok;

	if (!chain->leaf)
		return verify_raw(t, chain, reason);

	ctx = X509_STORE_CTX_new();
	ok = ctx && X509_STORE_CTX_init(ctx, t->store, chain->leaf,
					chain->others) == 1;
	if (ok) {
		param = X509_STORE_CTX_get0_param(ctx);
		X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
		X509_VERIFY_PARAM_set_time(param, (time_t)purpose->time);
		X509_VERIFY_PARAM_set_hostflags(param,
						X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
			X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		ok = X509_STORE_CTX_set_purpose(ctx, purpose->server ?
						X509_PURPOSE_SSL_SERVER :
						X509_PURPOSE_SSL_CLIENT) == 1;
		if (ok && name && dtls_name_is_address(name))
			ok = X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
		else if (ok && name)
			ok = X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
	}
	if (ok && X509_verify_cert(ctx) == 1)
		result = X509_V_OK;
	else if (ok && X509_STORE_CTX_get_error(ctx) != X509_V_OK)
		result = X509_STORE_CTX_get_error(ctx);
	/*
	 * All suites want signatures, so the key usage must allow them (RFC
	 * 8422 5.3, RFC 5246 7.4.2).
	 */
	if (result == X509_V_OK &&
	    !(X509_get_key_usage(chain->leaf) & KU_DIGITAL_SIGNATURE))
		result = X509_V_ERR_INVALID_PURPOSE;
	if (result == X509_V_OK)
		*until = built_chain_end(ctx);
	X509_STORE_CTX_free(ctx);
	*reason = result == X509_V_ERR_HOSTNAME_MISMATCH &&
		  !has_names(chain->leaf) ?
		  "the certificate has no name in subjectAltName, where names have to be" :
		  X509_verify_cert_error_string(result);
	return result;
}

int dtls_x509_chain_alert(int result)
{
	switch (result) {
	case X509_V_ERR_OUT_OF_MEM:
		return KDTLS_ALERT_INTERNAL_ERROR;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return KDTLS_ALERT_CERTIFICATE_EXPIRED;
	case X509_V_ERR_CERT_REVOKED:
		return KDTLS_ALERT_CERTIFICATE_REVOKED;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_INVALID_CA:
		return KDTLS_ALERT_UNKNOWN_CA;
	case X509_V_ERR_INVALID_PURPOSE:
		return KDTLS_ALERT_UNSUPPORTED_CERTIFICATE;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
	case X509_V_ERR_CA_MD_TOO_WEAK:
		return KDTLS_ALERT_BAD_CERTIFICATE;
	default:
		return KDTLS_ALERT_CERTIFICATE_UNKNOWN;
	}
}
