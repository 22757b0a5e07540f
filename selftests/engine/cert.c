// SPDX-License-Identifier: GPL-2.0
/* Certificates for tests, made on the spot; see end.h. */
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "end.h"

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "cannot make a certificate: %s\n", what);
	exit(1);
}

static EVP_PKEY *make_key(enum cert_kind kind)
{
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;

	switch (kind) {
	case CERT_P256:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	case CERT_P384:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	case CERT_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case CERT_RSA:
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	default:
		ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
		must(ctx && EVP_PKEY_keygen_init(ctx) == 1 &&
		     EVP_PKEY_generate(ctx, &key) == 1, "RSA-PSS key");
		EVP_PKEY_CTX_free(ctx);
		return key;
	}
}

static void extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(ext && X509_add_ext(cert, ext, -1) == 1, value);
	X509_EXTENSION_free(ext);
}

static char *pem_of(BIO *bio)
{
	char *data, *copy;
	long len = BIO_get_mem_data(bio, &data);

	copy = malloc((size_t)len + 1);
	must(copy, "memory");
	memcpy(copy, data, (size_t)len);
	copy[len] = '\0';
	BIO_free(bio);
	return copy;
}

void cert_make(struct cert *cert, const struct cert_options *o)
{
	static long serial;
	X509 *x = X509_new(), *issuer = o->issuer ? o->issuer->x509 : x;
	EVP_PKEY *key = make_key(o->kind), *signer;
	X509_NAME *name;
	char cn[32] = "end";
	BIO *bio;

	must(x && key, "key");
	signer = o->issuer ? o->issuer->key : key;
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
	if (o->ca)
		snprintf(cn, sizeof(cn), "ca %ld", serial);
	X509_gmtime_adj(X509_getm_notBefore(x), o->to ? o->from : -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), o->to ? o->to : 86400);
	X509_set_pubkey(x, key);
	name = X509_get_subject_name(x);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const u8 *)cn, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(issuer));
	extension(x, issuer, NID_basic_constraints,
		  o->ca ? "critical,CA:TRUE" : "CA:FALSE");
	if (o->name)
		extension(x, issuer, NID_subject_alt_name, o->name);
	if (o->usage)
		extension(x, issuer, NID_ext_key_usage, o->usage);
	if (o->key_usage)
		extension(x, issuer, NID_key_usage, o->key_usage);
	must(X509_sign(x, signer,
		       EVP_PKEY_is_a(signer, "ED25519") ? NULL : EVP_sha256()),
	     "signature");

	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(bio, x);
	cert->pem = pem_of(bio);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	cert->key_pem = pem_of(bio);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PUBKEY(bio, key);
	cert->public_pem = pem_of(bio);
	cert->key = key;
	cert->x509 = x;
}

void cert_free(struct cert *cert)
{
	free(cert->pem);
	free(cert->key_pem);
	free(cert->public_pem);
	EVP_PKEY_free(cert->key);
	X509_free(cert->x509);
	memset(cert, 0, sizeof(*cert));
}
