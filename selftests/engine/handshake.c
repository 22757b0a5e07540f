// SPDX-License-Identifier: GPL-2.0
/* Whole handshakes, engine against engine, over a network that loses nothing. */
#include "harness.h"

#include "end.h"

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
	bool psk;	/* DTLS 1.3, where the suite does not say it */
};

#define VARIANT_PSK(name_, suite_, group_)				\
FIXTURE_VARIANT_ADD(suite, name_)					\
{									\
	.suite = suite_, .group = group_, .psk = true,			\
}

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

VARIANT(v13_gcm128, 0x1301, 29, CERT_P256);
VARIANT(v13_gcm128_p384, 0x1301, 24, CERT_P384);
VARIANT(v13_gcm256, 0x1302, 23, CERT_P384);
VARIANT(v13_chacha, 0x1303, 29, CERT_ED25519);
VARIANT(v13_ccm, 0x1304, 23, CERT_RSA);
VARIANT(v13_ccm8, 0x1305, 24, CERT_PSS);
VARIANT_PSK(v13_psk_gcm128, 0x1301, 29);
VARIANT_PSK(v13_psk_chacha, 0x1303, 23);
VARIANT_PSK(v13_psk_ccm, 0x1304, 24);
VARIANT_PSK(v13_psk_ccm8, 0x1305, 29);
VARIANT_PSK(v13_psk_ke_gcm128, 0x1301, 0);
VARIANT_PSK(v13_psk_ke_ccm8, 0x1305, 0);

FIXTURE_SETUP(suite)
{
	bool is_13 = dtls_suite_is_13(dtls_suite_find(variant->suite));

	end_version = DTLS_VERSION_1_3;
	end_config(&self->client, is_13 && !variant->psk ? NULL : psk);
	end_config(&self->server, is_13 && !variant->psk ? NULL : psk);
	if (is_13 && !variant->group) {
		/* No group in common */
		static const u16 ours[] = { 29 }, theirs[] = { 24 };

		self->client.config.flags |= KDTLS_PSK_KE;
		self->client.config.groups = ours;
		self->client.config.group_count = 1;
		self->server.config.flags |= KDTLS_PSK_KE;
		self->server.config.groups = theirs;
		self->server.config.group_count = 1;
	}
	cert_make(&self->ca, &(struct cert_options){
		.kind = CERT_P256, .ca = true });
	cert_make(&self->cert, &(struct cert_options){
		.kind = variant->kind, .issuer = &self->ca,
		.name = "DNS:end.example,IP:192.0.2.1,IP:2001:db8::1" });
	self->suites[0] = variant->suite;
	self->client.config.suites = self->suites;
	self->client.config.suite_count = 1;
	/* Some a server takes only if it is told to. */
	if (is_13 || variant->suite == 0xc0ae) {
		self->server.config.suites = self->suites;
		self->server.config.suite_count = 1;
	}
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
	return end_open(client, KDTLS_CLIENT) ||
	       end_open(server, KDTLS_SERVER) || trust(client, ca) ||
	       trust(server, ca) || show(server, cert) || show(client, cert) ||
	       kdtls_engine_set_name(client->e, "end.example");
}

TEST_F(suite, full_handshake)
{
	struct kdtls_info info;

	ASSERT_EQ(0, open_both(&self->client, &self->server, &self->ca,
			       &self->cert));
	ASSERT_EQ(0, end_handshake(&self->client, &self->server));
	ASSERT_TRUE(end_agree(&self->client, &self->server));
	info = info_of(&self->client);
	EXPECT_EQ(variant->suite, info.suite);
	EXPECT_EQ(variant->group, info.group);
	EXPECT_EQ(dtls_suite_is_13(dtls_suite_find(variant->suite)) ?
		  DTLS_VERSION_1_3 : DTLS_VERSION_1_2, info.version);
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
	const struct dtls_suite *suite = dtls_suite_find(variant->suite);
	bool has_cert = dtls_suite_is_13(suite) ? !variant->psk :
						  suite->kx & DTLS_KX_CERT;

	self->server.config.flags |= KDTLS_REQUEST_CERT;
	ASSERT_EQ(0, open_both(&self->client, &self->server, &self->ca,
			       &self->cert));
	ASSERT_EQ(0, end_handshake(&self->client, &self->server));
	ASSERT_TRUE(end_agree(&self->client, &self->server));
	info = info_of(&self->server);
	EXPECT_EQ(has_cert, info.peer_verified);
	EXPECT_EQ(has_cert, info.scheme != 0);
	EXPECT_TRUE(data_passes(&self->client, &self->server));
}

TEST_F(suite, resumption)
{
	struct kdtls_info info;
	int by_id;

	/* DTLS 1.3 has tickets only. */
	for (by_id = 0; by_id < 2; by_id++) {
		if (by_id && dtls_suite_is_13(dtls_suite_find(variant->suite)))
			break;
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
		info = info_of(&self->client);
		EXPECT_EQ(1, info.resumed);
		info = info_of(&self->server);
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
	info = info_of(&self->client);
	EXPECT_EQ(6, info.cid_tx_len);
	EXPECT_EQ(2, info.cid_rx_len);
	EXPECT_TRUE(data_passes(&self->client, &self->server));
}

TEST_HARNESS_MAIN
