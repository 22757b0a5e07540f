// SPDX-License-Identifier: GPL-2.0
/* Whole handshakes, engine against engine, over a network that loses nothing. */
#include <kselftest_harness.h>

#include "end.h"

static const char psk[] = "0123456789abcdef";

/* Application data goes through the keys both ways. */
static bool data_passes(struct end *a, struct end *b)
{
	u8 buf[256];
	size_t n;

	n = end_send(a, "over", 4, buf);
	if (end_input(b, buf, n, 0) || b->received_len != 4 ||
	    memcmp(b->received, "over", 4))
		return false;
	n = end_send(b, "back", 4, buf);
	return !end_input(a, buf, n, 0) && a->received_len == 4 &&
	       !memcmp(a->received, "back", 4);
}

FIXTURE(suite)
{
	struct end client, server;
	struct cert ca, cert;
	u16 suites[1];
	u16 groups[1];
};

FIXTURE_VARIANT(suite)
{
	u16 suite;
	u16 group;
	enum cert_kind kind;
};

#define VARIANT(name_, suite_, group_, kind_)				\
FIXTURE_VARIANT_ADD(suite, name_)					\
{									\
	.suite = suite_, .group = group_, .kind = kind_,		\
}

VARIANT(ecdsa_gcm128, 0xc02b, 29, CERT_P256);
VARIANT(ecdsa_gcm128_p384, 0xc02b, 24, CERT_P384);
VARIANT(ecdsa_gcm256, 0xc02c, 24, CERT_P384);
VARIANT(ecdsa_chacha, 0xcca9, 23, CERT_P256);
VARIANT(ecdsa_ccm, 0xc0ac, 23, CERT_P256);
VARIANT(ecdsa_ccm8, 0xc0ae, 23, CERT_P256);
VARIANT(ed25519_gcm128, 0xc02b, 29, CERT_ED25519);
VARIANT(rsa_gcm128, 0xc02f, 29, CERT_RSA);
VARIANT(rsa_gcm256, 0xc030, 23, CERT_RSA);
VARIANT(rsa_chacha, 0xcca8, 24, CERT_RSA);
VARIANT(rsapss_gcm128, 0xc02f, 29, CERT_PSS);
VARIANT(psk_gcm128, 0x00a8, 0, 0);
VARIANT(psk_gcm256, 0x00a9, 0, 0);
VARIANT(psk_chacha, 0xccab, 0, 0);
VARIANT(psk_ccm, 0xc0a4, 0, 0);
VARIANT(psk_ccm8, 0xc0a8, 0, 0);
VARIANT(ecdhe_psk_gcm128, 0xd001, 29, 0);
VARIANT(ecdhe_psk_gcm256, 0xd002, 23, 0);
VARIANT(ecdhe_psk_chacha, 0xccac, 24, 0);
VARIANT(ecdhe_psk_ccm, 0xd005, 29, 0);
VARIANT(ecdhe_psk_ccm8, 0xd003, 23, 0);

FIXTURE_SETUP(suite)
{
	end_config(&self->client, psk);
	end_config(&self->server, psk);
	cert_make(&self->ca, &(struct cert_options){
		.kind = CERT_P256, .ca = true });
	cert_make(&self->cert, &(struct cert_options){
		.kind = variant->kind, .issuer = &self->ca,
		.name = "DNS:end.example,IP:192.0.2.1,IP:2001:db8::1" });
	self->suites[0] = variant->suite;
	self->client.config.suites = self->suites;
	self->client.config.suite_count = 1;
	if (variant->group) {
		/* The server's choice is its own; the certificate's curve counts. */
		self->groups[0] = variant->group;
		self->server.config.groups = self->groups;
		self->server.config.group_count = 1;
	}
}

FIXTURE_TEARDOWN(suite)
{
	end_exit(&self->client);
	end_exit(&self->server);
	cert_free(&self->cert);
	cert_free(&self->ca);
}

/* Open both ends with the certificate where it belongs. */
static int open_both(struct end *client, struct end *server,
		     const struct cert *ca, const struct cert *cert)
{
	int err = end_open(client, KDTLS_CLIENT);

	if (!err)
		err = end_open(server, KDTLS_SERVER);
	if (!err)
		err = kdtls_endpoint_trust(client->ep, ca->pem,
					   strlen(ca->pem));
	if (!err)
		err = kdtls_endpoint_trust(server->ep, ca->pem,
					   strlen(ca->pem));
	if (!err)
		err = kdtls_endpoint_use_certificate(server->ep, cert->pem,
						     strlen(cert->pem),
						     cert->key_pem,
						     strlen(cert->key_pem));
	if (!err)
		err = kdtls_endpoint_use_certificate(client->ep, cert->pem,
						     strlen(cert->pem),
						     cert->key_pem,
						     strlen(cert->key_pem));
	if (!err)
		err = kdtls_engine_set_name(client->e, "end.example");
	return err;
}

TEST_F(suite, full_handshake)
{
	struct kdtls_info info;

	ASSERT_EQ(0, open_both(&self->client, &self->server, &self->ca,
			       &self->cert));
	ASSERT_EQ(0, end_handshake(&self->client, &self->server));
	ASSERT_TRUE(end_agree(&self->client, &self->server));
	kdtls_engine_info(self->client.e, &info);
	EXPECT_EQ(variant->suite, info.suite);
	EXPECT_EQ(variant->group, info.group);
	EXPECT_EQ(DTLS_VERSION_1_2, info.version);
	EXPECT_EQ(1, info.extended_master_secret);
	EXPECT_EQ(0, info.resumed);
	EXPECT_EQ(0, info.dropped);
	EXPECT_STREQ("end.example", self->server.e->name);
	EXPECT_STREQ(self->client.keylog, self->server.keylog);
	EXPECT_TRUE(data_passes(&self->client, &self->server));
}

TEST_F(suite, client_certificate)
{
	struct kdtls_info info;
	bool has_cert = variant->suite == 0xc02b || dtls_suite_find(
				variant->suite)->kx & DTLS_KX_CERT;

	self->server.config.flags |= KDTLS_REQUEST_CERT;
	ASSERT_EQ(0, open_both(&self->client, &self->server, &self->ca,
			       &self->cert));
	ASSERT_EQ(0, end_handshake(&self->client, &self->server));
	ASSERT_TRUE(end_agree(&self->client, &self->server));
	kdtls_engine_info(self->server.e, &info);
	EXPECT_EQ(has_cert, info.peer_verified);
	EXPECT_EQ(has_cert, info.scheme != 0);
	EXPECT_TRUE(data_passes(&self->client, &self->server));
}

TEST_F(suite, resumption)
{
	struct kdtls_info info;
	int by_id;

	for (by_id = 0; by_id < 2; by_id++) {
		if (by_id) {
			end_exit(&self->client);
			end_exit(&self->server);
			self->client.config.flags |= KDTLS_NO_TICKETS;
			self->server.config.cache_size = 16;
		}
		ASSERT_EQ(0, open_both(&self->client, &self->server, &self->ca,
				       &self->cert));
		ASSERT_EQ(0, end_handshake(&self->client, &self->server));
		ASSERT_NE(NULL, self->client.session);
		end_close(&self->client);
		end_close(&self->server);

		ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
		ASSERT_EQ(0, kdtls_engine_set_name(self->client.e,
						   "end.example"));
		ASSERT_EQ(0, kdtls_engine_set_session(self->client.e,
						self->client.session,
						self->client.session_len));
		ASSERT_EQ(0, end_handshake(&self->client, &self->server));
		ASSERT_TRUE(end_agree(&self->client, &self->server));
		kdtls_engine_info(self->client.e, &info);
		EXPECT_EQ(1, info.resumed);
		kdtls_engine_info(self->server.e, &info);
		EXPECT_EQ(1, info.resumed);
		EXPECT_EQ(variant->suite, info.suite);
		EXPECT_TRUE(data_passes(&self->client, &self->server));
	}
}

TEST_F(suite, smallest_mtu_and_connection_ids)
{
	struct kdtls_info info;

	self->server.config.mtu = KDTLS_MTU_MIN;
	self->client.config.mtu = KDTLS_MTU_MIN;
	self->server.config.flags |= KDTLS_REQUEST_CERT;
	ASSERT_EQ(0, open_both(&self->client, &self->server, &self->ca,
			       &self->cert));
	ASSERT_EQ(0, kdtls_engine_set_cid(self->client.e, (u8 *)"cl", 2));
	ASSERT_EQ(0, kdtls_engine_set_cid(self->server.e, (u8 *)"server", 6));
	ASSERT_EQ(0, end_handshake(&self->client, &self->server));
	ASSERT_TRUE(end_agree(&self->client, &self->server));
	kdtls_engine_info(self->client.e, &info);
	EXPECT_EQ(6, info.cid_tx_len);
	EXPECT_EQ(2, info.cid_rx_len);
	EXPECT_TRUE(data_passes(&self->client, &self->server));
}

TEST_HARNESS_MAIN
