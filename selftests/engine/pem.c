// SPDX-License-Identifier: GPL-2.0
/* Certificates and keys out of files that are not as they should be */
#include <openssl/pem.h>
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
	unsigned char *der = NULL;
	char *text;
	int i, len;

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
	len = i2d_PrivateKey(c[0].key, &der);
	EXPECT_EQ(-KDTLS_EDER,
		  kdtls_endpoint_use_raw_key(self->end.ep, der, (size_t)len));
	OPENSSL_free(der);
	EXPECT_EQ(NULL, self->end.ep->identities);
}

TEST_F(pem, each_fault_of_certificates_has_its_own_error)
{
	const struct cert *c = self->cert;
	unsigned char *der = NULL;
	int len = i2d_X509(c[0].x509, &der);

	EXPECT_EQ(-KDTLS_EDER,
		  kdtls_endpoint_trust(self->end.ep, der, (size_t)len));
	EXPECT_EQ(-KDTLS_EDER,
		  kdtls_endpoint_use_certificate(self->end.ep, der, (size_t)len,
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

TEST_HARNESS_MAIN
