// SPDX-License-Identifier: BSD-3-Clause
/* This file reads objects out of files and stores. See store.h. */
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509v3.h>

#include <kdtls/engine.h>

#include "pem.h"
#include "store.h"

/**
 * struct load - objects of one kind, as they are read
 * @type:	the kind of object that is wanted, OSSL_STORE_INFO_*
 * @block:	the kind of block that holds one in PEM
 * @passphrase:	the passphrase for what is encrypted, or NULL
 * @asked:	libcrypto has asked for the passphrase
 * @count:	number of objects that were read
 * @certs:	the certificates among the objects
 * @key:	the first key among the objects, or NULL
 */
struct load {
	int type;
	enum dtls_pem_kind block;
	const char *passphrase;
	bool asked;
	unsigned int count;
	STACK_OF(X509) *certs;
	EVP_PKEY *key;
};

/*
 * Give libcrypto the passphrase. It may ask several times for one, with each
 * decoder that it tries.
 */
static int give_passphrase(char *buf, int size, int writing, void *ctx)
{
	struct load *l = ctx;
	size_t len;

	(void)writing;
	l->asked = true;
	if (!l->passphrase)
		return -1;
	len = strlen(l->passphrase);
	if (len > (size_t)size)
		return -1;
	memcpy(buf, l->passphrase, len);
	return (int)len;
}

/* Add an object to those that were read. Return: 0 or an error. */
static int keep_object(struct load *l, OSSL_STORE_INFO *info)
{
	X509 *cert;

	if (OSSL_STORE_INFO_get_type(info) != l->type)
		return 0;
	l->count++;
	if (l->type == OSSL_STORE_INFO_CERT) {
		cert = OSSL_STORE_INFO_get1_CERT(info);
		if (cert && sk_X509_push(l->certs, cert))
			return 0;
		X509_free(cert);
		return -KDTLS_EMEMORY;
	}
	if (!l->key)
		l->key = l->type == OSSL_STORE_INFO_PKEY ?
			 OSSL_STORE_INFO_get1_PKEY(info) :
			 OSSL_STORE_INFO_get1_PUBKEY(info);
	return l->key ? 0 : -KDTLS_EMEMORY;
}

/*
 * Return why an object could not be read: @damaged, unless it is the
 * passphrase.
 */
static int unreadable(const struct load *l, int damaged)
{
	if (!l->asked)
		return damaged;
	return l->passphrase ? -KDTLS_EPASSPHRASE : -KDTLS_EENCRYPTED;
}

/*
 * Read the objects of a store. Return: 0; @damaged if one of them cannot be
 * read; or another error.
 */
static int read_store(struct load *l, OSSL_STORE_CTX *store, int damaged)
{
	OSSL_STORE_INFO *info;
	int err = 0;

	OSSL_STORE_expect(store, l->type);
	while (!err && !OSSL_STORE_eof(store)) {
		info = OSSL_STORE_load(store);
		if (info)
			err = keep_object(l, info);
		else if (OSSL_STORE_error(store))
			err = unreadable(l, damaged);
		OSSL_STORE_INFO_free(info);
	}
	return err;
}

static int read_bytes(struct load *l, UI_METHOD *ui, struct dtls_bytes data,
		      int damaged)
{
	BIO *bio = data.len > INT_MAX ?
		   NULL : BIO_new_mem_buf(data.p, (int)data.len);
	OSSL_STORE_CTX *store = NULL;
	int err = -KDTLS_EMEMORY;

	if (bio)
		store = OSSL_STORE_attach(bio, "file", NULL, NULL, ui, l, NULL,
					  NULL, NULL);
	if (store)
		err = read_store(l, store, damaged);
	OSSL_STORE_close(store);
	BIO_free(bio);
	return err;
}

/*
 * Read the blocks of PEM one by one, as libcrypto passes over damaged ones:
 * every certificate, and the first key. Return: the number of blocks or an
 * error.
 */
static int read_blocks(struct load *l, UI_METHOD *ui, struct dtls_bytes data)
{
	struct dtls_pem_block b;
	int err = 0, n, blocks = 0;
	unsigned int before;

	while (!err && (n = dtls_pem_next(&data, &b)) > 0) {
		blocks++;
		if (b.kind != l->block || l->key)
			continue;
		before = l->count;
		err = read_bytes(l, ui, b.text, -KDTLS_EDAMAGED);
		if (!err && l->count == before)
			err = -KDTLS_EDAMAGED;
	}
	if (!err)
		err = n;
	return err ?: blocks;
}

static int read_uri(struct load *l, UI_METHOD *ui, const char *uri)
{
	OSSL_STORE_CTX *store = OSSL_STORE_open(uri, ui, l, NULL, NULL);
	int err;

	if (!store)
		return unreadable(l, -KDTLS_EURI);
	err = read_store(l, store, -KDTLS_EURI);
	OSSL_STORE_close(store);
	/*
	 * A provider does not tell a wrong PIN from an object that is not
	 * there.
	 */
	return err == -KDTLS_EPASSPHRASE ? -KDTLS_EURI : err;
}

/*
 * Put the issuer of each certificate behind it, from the first on (RFC 5246
 * 7.4.2).
 */
static void sort_chain(STACK_OF(X509) *certs)
{
	int i, j, count = sk_X509_num(certs);
	X509 *cert;

	for (i = 0; i + 1 < count; i++) {
		cert = sk_X509_value(certs, i);
		for (j = i + 1; j < count; j++)
			if (X509_check_issued(sk_X509_value(certs, j), cert) ==
			    X509_V_OK)
				break;
		if (j == count)
			return;
		cert = sk_X509_delete(certs, j);
		sk_X509_insert(certs, cert, i + 1);
	}
}

/* Read the objects of @s. Return: 0, or an error: @none if there are none. */
static int read_objects(struct load *l, const struct dtls_store *s, int none)
{
	UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give_passphrase, 0);
	int n = 0;

	l->passphrase = s->passphrase;
	l->certs = sk_X509_new_null();
	if (!ui || !l->certs)
		n = -KDTLS_EMEMORY;
	else if (s->uri)
		n = read_uri(l, ui, s->uri);
	else
		n = read_blocks(l, ui, s->data);
	/* Bytes without a block are of another kind, or nothing of use. */
	if (!n && !s->uri && s->data.len)
		n = read_bytes(l, ui, s->data, none);
	if (!n)
		sort_chain(l->certs);
	if (ui)
		UI_destroy_method(ui);
	if (n >= 0 && !l->count)
		n = none;
	return n < 0 ? n : 0;
}

/*
 * Read the first key of @type. Return: 0, or an error: @none if there is none.
 */
static int read_key(const struct dtls_store *s, int type,
		    enum dtls_pem_kind block, int none, EVP_PKEY **key)
{
	struct load l = { .type = type, .block = block };
	int err = read_objects(&l, s, none);

	sk_X509_pop_free(l.certs, X509_free);
	if (err)
		EVP_PKEY_free(l.key);
	*key = err ? NULL : l.key;
	return err;
}

int dtls_store_certificates(const struct dtls_store *s, STACK_OF(X509) **certs)
{
	struct load l = { .type = OSSL_STORE_INFO_CERT,
			  .block = DTLS_PEM_CERTIFICATE };
	int err = read_objects(&l, s, -KDTLS_EEMPTY);

	if (err)
		sk_X509_pop_free(l.certs, X509_free);
	else
		*certs = l.certs;
	return err;
}

int dtls_store_private_key(const struct dtls_store *s, EVP_PKEY **key)
{
	return read_key(s, OSSL_STORE_INFO_PKEY, DTLS_PEM_PRIVATE,
			-KDTLS_EKEYLESS, key);
}

int dtls_store_public_key(const struct dtls_store *s, EVP_PKEY **key)
{
	return read_key(s, OSSL_STORE_INFO_PUBKEY, DTLS_PEM_PUBLIC,
			-KDTLS_EEMPTY, key);
}
