// SPDX-License-Identifier: GPL-2.0
/* The authorities that a peer names, and which certificate it is shown then. */
#include <stdlib.h>

#include "../../userspace/engine/handshake.h"
#include "../../userspace/engine/identity.h"
#include "pair.h"

#define OTHERS		3

int __real_dtls_handshake_message_end(struct kdtls_engine *e);
int __wrap_dtls_handshake_message_end(struct kdtls_engine *e);

/* The authorities that a server names when it asks for a certificate */
static struct dtls_bytes named;

/*
 * An engine's own CertificateRequest names none: in DTLS 1.2 it ends in an empty
 * list, in 1.3 in extensions that have no such list.
 */
static void name_authorities(struct dtls_writer *w, bool is_13)
{
	size_t list = DTLS_MESSAGE_HEADER + 3, ext; /* after a context of none */

	if (is_13) {
		ext = dtls_ext_open(w, DTLS_EXT_AUTHORITIES);
		wr_vec(w, 2, named.p, named.len);
		wr_close(w, ext, 2);
		wr_close(w, list, 2);
	} else {
		w->len -= 2;
		wr_vec(w, 2, named.p, named.len);
	}
}

int __wrap_dtls_handshake_message_end(struct kdtls_engine *e)
{
	struct dtls_writer *w = &e->hs->out;

	if (!w->failed && w->p[0] == DTLS_CERTIFICATE_REQUEST)
		name_authorities(w, dtls_suite_is_13(e->suite));
	return __real_dtls_handshake_message_end(e);
}

PAIR_OF_BOTH(authorities);

FIXTURE_SETUP(authorities)
{
	PAIR_SETUP(variant->version);
	named = (struct dtls_bytes){ 0 };
}

#define IS_13	(variant->version == DTLS_VERSION_1_3)

/* Append the subject of a certificate to a list of names. */
static void add_name(struct dtls_writer *list, const struct cert *ca)
{
	u8 *der = NULL;
	int len = i2d_X509_NAME(X509_get_subject_name(ca->x509), &der);

	wr_vec(list, 2, der, (size_t)len);
	OPENSSL_free(der);
}

static void make_issued(struct cert *cert, const struct cert *ca)
{
	cert_make(cert, &(struct cert_options){
		.kind = CERT_P256, .issuer = ca, .name = "DNS:end.example" });
}

/* Show a certificate together with that of the authority between. */
static int show_chain(struct end *end, const struct cert *cert,
		      const struct cert *between)
{
	char pem[8192];
	int len = snprintf(pem, sizeof(pem), "%s%s", cert->pem, between->pem);

	return kdtls_endpoint_use_certificate(end->ep, pem, (size_t)len,
					      cert->key_pem,
					      strlen(cert->key_pem));
}

static bool chooses(struct end *end, const struct dtls_wanted *wanted,
		    const struct cert *cert)
{
	return dtls_identity_choose(end->e, wanted) &&
	       !X509_cmp(end->e->hs->identity->leaf, cert->x509);
}

TEST_F(authorities, certificate_that_one_of_them_issued_is_shown)
{
	static const u8 schemes[] = { 0x04, 0x03 };
	struct cert ca[OTHERS], cert[OTHERS], between, below;
	struct dtls_wanted wanted = {
		.kx = IS_13 ? DTLS_KX_13 : DTLS_KX_ECDSA,
		.schemes = { schemes, sizeof(schemes) },
		.x509 = true,
	};
	struct dtls_writer list = { 0 };
	int i;

	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	for (i = 0; i < OTHERS; i++) {
		cert_make(&ca[i], &(struct cert_options){ .ca = true });
		make_issued(&cert[i], &ca[i]);
		ASSERT_EQ(0, show(&self->client, &cert[i]));
	}
	cert_make(&between, &(struct cert_options){
		.ca = true, .issuer = &self->ca });
	make_issued(&below, &between);
	ASSERT_EQ(0, show_chain(&self->client, &below, &between));

	EXPECT_TRUE(chooses(&self->client, &wanted, &cert[0]));
	add_name(&list, &below);	/* it is nobody's issuer */
	wanted.authorities = (struct dtls_bytes){ list.p, list.len };
	EXPECT_TRUE(chooses(&self->client, &wanted, &cert[0]));
	add_name(&list, &ca[2]);
	wanted.authorities = (struct dtls_bytes){ list.p, list.len };
	EXPECT_TRUE(chooses(&self->client, &wanted, &cert[2]));
	/* The one that issued the authority between */
	list.len = 0;
	add_name(&list, &self->ca);
	wanted.authorities = (struct dtls_bytes){ list.p, list.len };
	EXPECT_TRUE(chooses(&self->client, &wanted, &below));

	wr_free(&list);
	cert_free(&between);
	cert_free(&below);
	for (i = 0; i < OTHERS; i++) {
		cert_free(&ca[i]);
		cert_free(&cert[i]);
	}
}

TEST_F(authorities, a_request_with_many_of_them_is_answered)
{
	struct dtls_writer list = { 0 };
	struct cert other, wrong;
	u8 hash[32];
	int i;

	cert_make(&other, &(struct cert_options){ .ca = true });
	make_issued(&wrong, &other);
	make_issued(&self->cert, &self->ca);
	self->server.config.flags = KDTLS_REQUIRE_CERT;
	self->client.config.ops.psk_client = NULL;
	self->server.config.ops.psk_server = NULL;
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, show(&self->client, &wrong));
	ASSERT_EQ(0, show(&self->client, &self->cert));
	ASSERT_EQ(0, show(&self->server, &self->cert));
	ASSERT_EQ(0, trust(&self->client, &self->ca));
	ASSERT_EQ(0, trust(&self->server, &self->ca));
	ASSERT_EQ(0, kdtls_engine_set_name(self->client.e, "end.example"));
	/* More than 16 KiB, the limit of other messages */
	for (i = 0; i < 1500; i++)
		add_name(&list, &wrong);
	add_name(&list, &self->ca);
	ASSERT_LT(16384, list.len);
	named = (struct dtls_bytes){ list.p, list.len };
	EXPECT_EQ(0, end_handshake(&self->client, &self->server));
	EXPECT_TRUE(end_agree(&self->client, &self->server));
	X509_digest(self->cert.x509, EVP_sha256(), hash, NULL);
	EXPECT_EQ(0, memcmp(hash, info_of(&self->server).peer_hash, 32));
	wr_free(&list);
	cert_free(&other);
	cert_free(&wrong);
}

TEST_F(authorities, a_malformed_list_of_them_ends_the_handshake)
{
	static const struct {
		u8 bytes[4];
		size_t len;
	} lists[] = {
		{ { 0 }, 1 },			/* no length */
		{ { 0, 0 }, 2 },		/* a name of no bytes */
		{ { 0, 3, 0x30, 0 }, 4 },	/* that ends too early */
	};
	size_t i;

	make_issued(&self->cert, &self->ca);
	self->server.config.flags = KDTLS_REQUIRE_CERT;
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
				       &self->cert, "end.example"));
		named = (struct dtls_bytes){ lists[i].bytes, lists[i].len };
		end_handshake(&self->client, &self->server);
		EXPECT_EQ(KDTLS_ALERT_DECODE_ERROR,
			  failure_of(&self->client).alert_sent)
			TH_LOG("list %zu", i);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

TEST_HARNESS_MAIN
