// SPDX-License-Identifier: GPL-2.0
/* The authorities that a peer names, and which certificate it is shown then. */
#include <stdlib.h>

#include "../../userspace/engine/identity.h"
#include "pair.h"

#define OTHERS		3

PAIR(authorities);

FIXTURE_SETUP(authorities)
{
	PAIR_SETUP(DTLS_VERSION_1_2);
}

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
		.kx = DTLS_KX_ECDSA,
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

/* Put @to for @from into what was heard and said so far. */
static bool rewrite(struct dtls_writer *all, struct dtls_bytes from,
		    struct dtls_bytes to)
{
	u8 *at = memmem(all->p, all->len, from.p, from.len);
	struct dtls_writer w = { 0 };

	if (!at)
		return false;
	wr_bytes(&w, all->p, (size_t)(at - all->p));
	wr_bytes(&w, to.p, to.len);
	at += from.len;
	wr_bytes(&w, at, (size_t)(all->p + all->len - at));
	wr_free(all);
	*all = w;
	return !w.failed;
}

/*
 * Have a server of DTLS 1.2, whose flight is not out yet, name these authorities
 * in its CertificateRequest, which named none.
 */
static bool name_authorities(struct end *server, struct dtls_bytes names)
{
	struct dtls_outgoing **at = &server->e->flight.first, *m, *longer;
	u32 body;

	while (*at && (*at)->data[0] != DTLS_CERTIFICATE_REQUEST)
		at = &(*at)->next;
	m = *at;
	if (!m || !m->next)
		return false;
	body = m->len - DTLS_MESSAGE_HEADER + (u32)names.len;
	longer = OPENSSL_zalloc(sizeof(*m) + m->len + names.len +
				(m->len + names.len) / 8 + 1);
	memcpy(longer, m, sizeof(*m) + m->len);
	longer->len += (u32)names.len;
	longer->missing = body;
	dtls_put_be(longer->data + 1, 3, body);
	dtls_put_be(longer->data + 9, 3, body);
	dtls_put_be(longer->data + m->len - 2, 2, names.len);
	memcpy(longer->data + m->len, names.p, names.len);
	*at = longer;
	return rewrite(&server->e->hs->transcript.all,
		       (struct dtls_bytes){ m->data, m->len },
		       (struct dtls_bytes){ longer->data, longer->len }) &&
	       (OPENSSL_free(m), true);
}

/* A server asks for a certificate, and names authorities. */
static int shake_hands(struct end *client, struct end *server,
		       struct dtls_bytes names, u64 *now)
{
	int i;

	if (kdtls_engine_start(client->e, *now))
		return -1;
	/* A hello, a cookie, and the hello with it */
	for (i = 0; i < 3; i++)
		if (end_exchange(i % 2 ? server : client,
				 i % 2 ? client : server, now, 1))
			return -1;
	return name_authorities(server, names) ?
	       end_exchange(server, client, now, 20) : -1;
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
	EXPECT_EQ(0, shake_hands(&self->client, &self->server,
				 (struct dtls_bytes){ list.p, list.len },
				 &self->now));
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
		shake_hands(&self->client, &self->server,
			    (struct dtls_bytes){ lists[i].bytes, lists[i].len },
			    &self->now);
		EXPECT_EQ(KDTLS_ALERT_DECODE_ERROR,
			  failure_of(&self->client).alert_sent)
			TH_LOG("list %zu", i);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

TEST_HARNESS_MAIN
