// SPDX-License-Identifier: GPL-2.0
/* Certificates and keys out of files that are not as they should be */
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>

#include "harness.h"

#include "end.h"

FIXTURE(pem)
{
	struct end end;
	struct cert cert[3];
	char *all;		/* the three in one file */
};

FIXTURE_SETUP(pem)
{
	size_t i, len = 1;

	end_config(&self->end, NULL);
	ASSERT_EQ(0, end_open(&self->end, KDTLS_SERVER));
	for (i = 0; i < 3; i++) {
		cert_make(&self->cert[i], &(struct cert_options){
			.kind = CERT_P256, .ca = true });
		len += strlen(self->cert[i].pem);
	}
	self->all = malloc(len);
	self->all[0] = '\0';
	for (i = 0; i < 3; i++)
		strcat(self->all, self->cert[i].pem);
}

FIXTURE_TEARDOWN(pem)
{
	int i;

	for (i = 0; i < 3; i++)
		cert_free(&self->cert[i]);
	free(self->all);
	end_exit(&self->end);
}

static int roots(const struct end *end)
{
	return sk_X509_OBJECT_num(X509_STORE_get0_objects(end->ep->trust.store));
}

static int trust_text(struct end *end, const char *text)
{
	return kdtls_endpoint_trust(end->ep, text, strlen(text));
}

static int show_text(struct end *end, const char *chain, const char *key)
{
	return kdtls_endpoint_use_certificate(end->ep, chain, strlen(chain),
					      key, strlen(key));
}

/* Where the second of three blocks begins and ends */
static char *second(char *all)
{
	return strstr(strstr(all, "-----BEGIN") + 1, "-----BEGIN");
}

static char *second_end(char *all)
{
	return strstr(second(all), "-----END");
}

static void damage(char *all, int how)
{
	char *begin = second(all), *end = second_end(all);

	switch (how) {
	case 0:
		begin[60] = '!';	/* in the text */
		break;
	case 1:
		begin[60] = '=';
		break;
	case 2:				/* letters that are lost */
		memmove(begin + 40, begin + 47, strlen(begin + 47) + 1);
		break;
	case 3:				/* the last line is */
		memmove(end, strchr(end, '\n') + 1,
			strlen(strchr(end, '\n') + 1) + 1);
		break;
	case 4:				/* the first line is */
		memmove(begin, strchr(begin, '\n') + 1,
			strlen(strchr(begin, '\n') + 1) + 1);
		break;
	case 5:
		*begin = ' ';		/* a dash is */
		break;
	case 6:
		begin[strlen("-----BEGIN C")] = 'X';
		break;
	case 7:
		end[strlen("-----END C")] = 'X';
		break;
	case 8:
		*end = '\0';		/* all the rest is */
		break;
	default:			/* DER that is none */
		begin[strlen("-----BEGIN CERTIFICATE-----\n")] = 'A';
	}
}

TEST_F(pem, damage_anywhere_in_a_file_is_an_error)
{
	char *copy;
	int how;

	for (how = 0; how < 10; how++) {
		copy = strdup(self->all);
		damage(copy, how);
		EXPECT_EQ(-KDTLS_EDAMAGED, trust_text(&self->end, copy)) {
			TH_LOG("as roots, damage %d", how);
		}
		EXPECT_EQ(-KDTLS_EDAMAGED,
			  show_text(&self->end, copy,
				    self->cert[0].key_pem)) {
			TH_LOG("as a chain, damage %d", how);
		}
		free(copy);
	}
	/* None of a damaged file is believed, and none of it is shown. */
	EXPECT_EQ(0, roots(&self->end));
	EXPECT_EQ(NULL, self->end.ep->identities);
	EXPECT_EQ(0, trust_text(&self->end, self->all));
	EXPECT_EQ(3, roots(&self->end));
}

TEST_F(pem, what_else_a_file_holds_is_passed_over)
{
	const struct cert *c = self->cert;
	char text[16384];

	snprintf(text, sizeof(text), "\r\n subject=us - not them\n%s\n"
		 "-----BEGIN DH PARAMETERS-----\nMAA=\n"
		 "-----END DH PARAMETERS-----\n%s# the end\n%s%s",
		 c[0].pem, c[0].public_pem, c[0].key_pem, c[1].pem);
	EXPECT_EQ(0, trust_text(&self->end, text));
	EXPECT_EQ(2, roots(&self->end));
	EXPECT_EQ(0, show_text(&self->end, text, text));
	EXPECT_EQ(0, kdtls_endpoint_use_raw_key(self->end.ep, text,
						strlen(text)));
	EXPECT_EQ(0, kdtls_endpoint_trust_raw_key(self->end.ep, text,
						  strlen(text)));
}

/* The forms that an encrypted key has in PEM: PKCS#8, and the one before it */
static char *encrypted_pem(EVP_PKEY *key, bool old)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text;
	long len;

	if (old)
		PEM_write_bio_PrivateKey_traditional(bio, key,
						     EVP_aes_128_cbc(),
						     (unsigned char *)"word", 4,
						     NULL, NULL);
	else
		PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(),
					      "word", 4, NULL, NULL);
	len = BIO_get_mem_data(bio, &data);
	text = strndup(data, (size_t)len);
	BIO_free(bio);
	return text;
}

/* Write PKCS#12 of a key and certificates to @der, and return its bytes. */
static size_t make_pkcs12(const char *word, EVP_PKEY *key, X509 *cert,
			  STACK_OF(X509) *others, u8 **der)
{
	PKCS12 *p12 = PKCS12_create(word, NULL, key, cert, others, 0, 0, 1000,
				    1000, 0);
	int len;

	*der = NULL;
	len = i2d_PKCS12(p12, der);
	PKCS12_free(p12);
	return len > 0 ? (size_t)len : 0;
}

static char *key_pem(const char *curve)
{
	EVP_PKEY *key = EVP_EC_gen(curve);
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text;
	long len;

	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	len = BIO_get_mem_data(bio, &data);
	text = strndup(data, (size_t)len);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return text;
}

TEST_F(pem, each_fault_of_a_key_has_its_own_error)
{
	const struct cert *c = self->cert;
	char *text;
	int i;

	for (i = 0; i < 2; i++) {
		text = encrypted_pem(c[0].key, i);
		EXPECT_EQ(-KDTLS_EENCRYPTED,
			  show_text(&self->end, c[0].pem, text));
		EXPECT_EQ(-KDTLS_EENCRYPTED,
			  kdtls_endpoint_use_raw_key(self->end.ep, text,
						     strlen(text)));
		free(text);
	}
	text = key_pem("P-521");
	EXPECT_EQ(-KDTLS_EKIND, show_text(&self->end, c[0].pem, text));
	free(text);
	EXPECT_EQ(-KDTLS_EMISMATCH,
		  show_text(&self->end, c[0].pem, c[1].key_pem));
	EXPECT_EQ(-KDTLS_EMISMATCH,
		  show_text(&self->end, self->all, c[1].key_pem));
	EXPECT_EQ(-KDTLS_EKEYLESS, show_text(&self->end, c[0].pem, ""));
	EXPECT_EQ(-KDTLS_EKEYLESS, show_text(&self->end, c[0].pem, c[0].pem));
	EXPECT_EQ(-KDTLS_EKEYLESS,
		  kdtls_endpoint_use_raw_key(self->end.ep, c[0].pem,
					     strlen(c[0].pem)));
	EXPECT_EQ(NULL, self->end.ep->identities);
}

TEST_F(pem, each_fault_of_certificates_has_its_own_error)
{
	const struct cert *c = self->cert;
	unsigned char *der = NULL;
	int len = i2d_X509(c[0].x509, &der);

	EXPECT_EQ(-KDTLS_EEMPTY,
		  kdtls_endpoint_trust(self->end.ep, der, (size_t)len - 1));
	EXPECT_EQ(-KDTLS_EEMPTY,
		  kdtls_endpoint_use_certificate(self->end.ep, der, (size_t)len - 1,
						 c[0].key_pem,
						 strlen(c[0].key_pem)));
	OPENSSL_free(der);
	EXPECT_EQ(-KDTLS_EEMPTY, trust_text(&self->end, ""));
	EXPECT_EQ(-KDTLS_EEMPTY, trust_text(&self->end, "0 certificates\n"));
	EXPECT_EQ(-KDTLS_EEMPTY, trust_text(&self->end, c[0].key_pem));
	EXPECT_EQ(-KDTLS_EEMPTY,
		  show_text(&self->end, c[0].key_pem, c[0].key_pem));
	EXPECT_EQ(-KDTLS_EEMPTY,
		  kdtls_endpoint_trust_raw_key(self->end.ep, c[0].pem,
					       strlen(c[0].pem)));
	EXPECT_EQ(0, roots(&self->end));
}

TEST_F(pem, encrypted_keys_open_with_their_passphrase_alone)
{
	struct kdtls_endpoint *ep = self->end.ep;
	const struct cert *c = self->cert;
	char *text, *all;
	int i;

	for (i = 0; i < 2; i++) {
		text = encrypted_pem(c[0].key, i);
		ASSERT_LE(0, asprintf(&all, "%s%s", c[0].pem, text));
		ASSERT_EQ(0, kdtls_endpoint_set_passphrase(ep, "Word"));
		EXPECT_EQ(-KDTLS_EPASSPHRASE,
			  show_text(&self->end, c[0].pem, text));
		EXPECT_EQ(-KDTLS_EPASSPHRASE, show_text(&self->end, all, all));
		EXPECT_EQ(-KDTLS_EPASSPHRASE,
			  kdtls_endpoint_use_raw_key(ep, text, strlen(text)));
		/* No passphrase is needed for what is not encrypted. */
		EXPECT_EQ(0, trust_text(&self->end, all));
		ASSERT_EQ(0, kdtls_endpoint_set_passphrase(ep, "word"));
		EXPECT_EQ(0, show_text(&self->end, c[0].pem, text));
		EXPECT_EQ(0, show_text(&self->end, all, all));
		EXPECT_EQ(0, kdtls_endpoint_use_raw_key(ep, text, strlen(text)));
		EXPECT_EQ(0, show_text(&self->end, c[1].pem, c[1].key_pem));
		ASSERT_EQ(0, kdtls_endpoint_set_passphrase(ep, NULL));
		EXPECT_EQ(-KDTLS_EENCRYPTED,
			  show_text(&self->end, c[0].pem, text));
		free(all);
		free(text);
	}
}

TEST_F(pem, a_passphrase_has_a_longest_length)
{
	char word[KDTLS_PASSPHRASE_MAX + 2];
	struct kdtls_endpoint *ep = self->end.ep;
	const struct cert *c = self->cert;
	size_t len;
	u8 *der;

	memset(word, 'w', sizeof(word));
	word[KDTLS_PASSPHRASE_MAX + 1] = 0;
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_endpoint_set_passphrase(ep, word));
	word[KDTLS_PASSPHRASE_MAX] = 0;
	EXPECT_EQ(0, kdtls_endpoint_set_passphrase(ep, word));
	len = make_pkcs12(word, c[0].key, c[0].x509, NULL, &der);
	EXPECT_EQ(0, kdtls_endpoint_use_certificate(ep, der, len, der, len));
	OPENSSL_free(der);
}

TEST_F(pem, der_is_taken)
{
	struct kdtls_endpoint *ep = self->end.ep;
	const struct cert *c = self->cert;
	u8 *cert = NULL, *key = NULL, *public = NULL;
	size_t cert_len = (size_t)i2d_X509(c[0].x509, &cert);
	size_t key_len = (size_t)i2d_PrivateKey(c[0].key, &key);
	size_t public_len = (size_t)i2d_PUBKEY(c[0].key, &public);

	EXPECT_EQ(0, kdtls_endpoint_use_certificate(ep, cert, cert_len, key,
						    key_len));
	EXPECT_EQ(0, kdtls_endpoint_use_raw_key(ep, key, key_len));
	EXPECT_EQ(0, kdtls_endpoint_trust(ep, cert, cert_len));
	EXPECT_EQ(1, roots(&self->end));
	EXPECT_EQ(0, kdtls_endpoint_trust_raw_key(ep, public, public_len));
	/* What is of another kind is not there. */
	EXPECT_EQ(-KDTLS_EEMPTY, kdtls_endpoint_trust(ep, key, key_len));
	EXPECT_EQ(-KDTLS_EKEYLESS,
		  kdtls_endpoint_use_raw_key(ep, cert, cert_len));
	OPENSSL_free(cert);
	OPENSSL_free(key);
	OPENSSL_free(public);
}

/* Return true if the identity's Certificate message holds these, in this order. */
static bool shows(const struct dtls_identity *id, const struct cert *const *c,
		  size_t count)
{
	struct dtls_bytes r = { id->message.p, id->message.len }, list, der;
	unsigned char *own;
	bool same = rd_vec(&r, 3, &list);
	size_t i;
	int len;

	for (i = 0; i < count && same; i++) {
		own = NULL;
		len = i2d_X509(c[i]->x509, &own);
		same = rd_vec(&list, 3, &der) &&
		       dtls_bytes_equal(der, own, (size_t)len);
		OPENSSL_free(own);
	}
	return same && !list.len;
}

TEST_F(pem, pkcs12_gives_a_chain_in_order)
{
	struct cert *root = &self->cert[0], between = { 0 }, leaf = { 0 };
	const struct cert *chain[] = { &leaf, &between, root };
	struct kdtls_endpoint *ep = self->end.ep;
	STACK_OF(X509) *others = sk_X509_new_null();
	size_t len;
	u8 *der;
	int i;

	cert_make(&between, &(struct cert_options){
		.kind = CERT_P256, .ca = true, .issuer = root });
	cert_make(&leaf, &(struct cert_options){
		.kind = CERT_P256, .issuer = &between });
	ASSERT_EQ(0, kdtls_endpoint_set_passphrase(ep, "word"));
	for (i = 0; i < 2; i++) {
		sk_X509_zero(others);
		sk_X509_push(others, i ? root->x509 : between.x509);
		sk_X509_push(others, i ? between.x509 : root->x509);
		len = make_pkcs12("word", leaf.key, leaf.x509, others, &der);
		ASSERT_EQ(0, kdtls_endpoint_use_certificate(ep, der, len, der,
							    len));
		OPENSSL_free(der);
	}
	EXPECT_TRUE(shows(ep->identities, chain, 3));
	EXPECT_TRUE(shows(ep->identities->next, chain, 3));

	len = make_pkcs12("other", leaf.key, leaf.x509, others, &der);
	EXPECT_EQ(-KDTLS_EPASSPHRASE,
		  kdtls_endpoint_use_certificate(ep, der, len, der, len));
	EXPECT_EQ(-KDTLS_EPASSPHRASE, kdtls_endpoint_trust(ep, der, len));
	ASSERT_EQ(0, kdtls_endpoint_set_passphrase(ep, NULL));
	EXPECT_EQ(-KDTLS_EENCRYPTED,
		  kdtls_endpoint_use_certificate(ep, der, len, der, len));
	OPENSSL_free(der);
	sk_X509_free(others);
	cert_free(&leaf);
	cert_free(&between);
}

TEST_HARNESS_MAIN
