// SPDX-License-Identifier: GPL-2.0
/* What the RFCs and common sense ask of an engine, case by case. */
#include <openssl/err.h>
#include <sys/wait.h>
#include <unistd.h>

#include "no_random.h"
#include "pair.h"

/* What holds in both versions */
PAIR_OF_BOTH(pair);

FIXTURE_SETUP(pair)
{
	PAIR_SETUP(variant->version);
}

#define IS_13	(variant->version == DTLS_VERSION_1_3)

/* What is of DTLS 1.2 alone */
PAIR_OF(pair12, DTLS_VERSION_1_2)

/* Names and chains */

static const struct {
	const char *what;
	const char *san;
	const char *name;
	int alert;
} names[] = {
	{ "same name", "DNS:end.example", "end.example", 0 },
	{ "wildcard", "DNS:*.end.example", "a.end.example", 0 },
	{ "IPv4", "IP:192.0.2.1", "192.0.2.1", 0 },
	{ "IPv6", "IP:2001:db8::1", "2001:db8::1", 0 },
	{ "other name", "DNS:end.example", "other.example",
	  KDTLS_ALERT_BAD_CERTIFICATE },
	{ "wildcard over two labels", "DNS:*.end.example", "a.b.end.example",
	  KDTLS_ALERT_BAD_CERTIFICATE },
	{ "part of a label", "DNS:a*.end.example", "ab.end.example",
	  KDTLS_ALERT_BAD_CERTIFICATE },
	{ "common name alone", NULL, "end", KDTLS_ALERT_BAD_CERTIFICATE },
	{ "address as a name", "DNS:192.0.2.1", "192.0.2.1",
	  KDTLS_ALERT_BAD_CERTIFICATE },
	{ "other address", "IP:192.0.2.2", "192.0.2.1",
	  KDTLS_ALERT_BAD_CERTIFICATE },
};

TEST_F(pair, name_checks)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cert_make(&self->cert, &(struct cert_options){
			.issuer = &self->ca, .name = names[i].san });
		ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
				       &self->cert, names[i].name));
		end_handshake(&self->client, &self->server);
		EXPECT_EQ(!names[i].alert, end_established(&self->client))
			TH_LOG("%s", names[i].what);
		if (names[i].alert) {
			EXPECT_EQ(KDTLS_EPEER, failure_of(&self->client).error);
			EXPECT_EQ(names[i].alert,
				  failure_of(&self->client).alert_sent);
			EXPECT_EQ(names[i].alert,
				  failure_of(&self->server).alert_received);
		}
		end_exit(&self->client);
		end_exit(&self->server);
		cert_free(&self->cert);
	}
}

TEST_F(pair, no_name_is_refused_unless_said_so)
{
	cert_make(&self->cert, &(struct cert_options){ .issuer = &self->ca });
	ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
			       &self->cert, NULL));
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_start(self->client.e, self->now));
	end_exit(&self->client);
	end_exit(&self->server);
	self->client.config.flags = KDTLS_NO_NAME_CHECK;
	ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
			       &self->cert, NULL));
	HANDSHAKE();
}

static const struct {
	const char *what;
	struct cert_options options;
	bool other_ca;
	int alert;
} chains[] = {
	{ "expired", { .from = -7200, .to = -3600 }, false,
	  KDTLS_ALERT_CERTIFICATE_EXPIRED },
	{ "not yet valid", { .from = 3600, .to = 7200 }, false,
	  KDTLS_ALERT_CERTIFICATE_EXPIRED },
	{ "a client's", { .usage = "clientAuth" }, false,
	  KDTLS_ALERT_UNSUPPORTED_CERTIFICATE },
	{ "for encryption", { .key_usage = "keyEncipherment" }, false,
	  KDTLS_ALERT_UNSUPPORTED_CERTIFICATE },
	{ "of somebody else", { 0 }, true, KDTLS_ALERT_UNKNOWN_CA },
	{ "a server's", { .usage = "serverAuth",
			  .key_usage = "digitalSignature" }, false, 0 },
};

TEST_F(pair, chain_checks)
{
	struct cert_options options;
	struct cert other;
	size_t i;

	cert_make(&other, &(struct cert_options){ .ca = true });
	for (i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		options = chains[i].options;
		options.issuer = &self->ca;
		options.name = "DNS:end.example";
		cert_make(&self->cert, &options);
		ASSERT_EQ(0, open_with(&self->client, &self->server,
				       chains[i].other_ca ? &other : &self->ca,
				       &self->cert, "end.example"));
		ERR_clear_error();
		end_handshake(&self->client, &self->server);
		/* A caller that uses libcrypto too finds nothing of ours. */
		EXPECT_EQ(0, ERR_peek_error());
		EXPECT_EQ(!chains[i].alert, end_established(&self->client))
			TH_LOG("%s", chains[i].what);
		if (chains[i].alert) {
			EXPECT_EQ(chains[i].alert,
				  failure_of(&self->client).alert_sent)
				TH_LOG("%s: %s", chains[i].what,
				       failure_of(&self->client).reason);
		}
		end_exit(&self->client);
		end_exit(&self->server);
		cert_free(&self->cert);
	}
	cert_free(&other);
}

TEST_F(pair, client_certificate_is_required)
{
	cert_make(&self->cert, &(struct cert_options){
		.issuer = &self->ca, .name = "DNS:end.example" });
	self->server.config.flags = KDTLS_REQUIRE_CERT;
	ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
			       &self->cert, "end.example"));
	end_handshake(&self->client, &self->server);
	EXPECT_EQ(KDTLS_EPEER, failure_of(&self->server).error);
	EXPECT_EQ(IS_13 ? KDTLS_ALERT_CERTIFICATE_REQUIRED :
			  KDTLS_ALERT_HANDSHAKE_FAILURE,
		  failure_of(&self->client).alert_received);
	EXPECT_EQ(NULL, self->server.rx);
	end_exit(&self->client);
	end_exit(&self->server);

	/* Asked for only, it may be missing. */
	self->server.config.flags = KDTLS_REQUEST_CERT;
	ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
			       &self->cert, "end.example"));
	HANDSHAKE();
	EXPECT_EQ(0, info_of(&self->server).peer_verified);
}

TEST_F(pair12, client_certificate_is_of_a_type_asked_for)
{
	struct dtls_outgoing *m;

	cert_make(&self->cert, &(struct cert_options){
		.issuer = &self->ca, .name = "DNS:end.example" });
	self->server.config.flags = KDTLS_REQUEST_CERT;
	ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
			       &self->cert, "end.example"));
	ASSERT_EQ(0, show(&self->client, &self->cert));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 3));
	for (m = motion(self->server.e)->flight.first; m; m = m->next)
		if (m->data[0] == DTLS_CERTIFICATE_REQUEST)
			break;
	ASSERT_NE(NULL, m);
	ASSERT_EQ(2, m->data[DTLS_MESSAGE_HEADER]);
	m->data[DTLS_MESSAGE_HEADER + 1] = 1; /* rsa_sign alone */
	ASSERT_EQ(0, end_exchange(&self->server, &self->client, &self->now, 1));
	ASSERT_TRUE(self->client.e->hs->cert_requested);
	EXPECT_EQ(NULL, self->client.e->hs->identity);
}

TEST_F(pair, raw_public_keys)
{
	struct cert other;

	cert_make(&self->cert, &(struct cert_options){ .kind = CERT_ED25519 });
	cert_make(&other, &(struct cert_options){ .kind = CERT_P256 });
	self->client.config.ops.psk_client = NULL;
	self->server.config.flags = KDTLS_REQUIRE_CERT;
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, kdtls_endpoint_use_raw_key(self->server.ep,
						self->cert.key_pem,
						strlen(self->cert.key_pem)));
	ASSERT_EQ(0, kdtls_endpoint_use_raw_key(self->client.ep, other.key_pem,
						strlen(other.key_pem)));
	ASSERT_EQ(0, kdtls_endpoint_trust_raw_key(self->client.ep,
						  self->cert.public_pem,
						  strlen(self->cert.public_pem)));
	ASSERT_EQ(0, kdtls_endpoint_trust_raw_key(self->server.ep,
						  other.public_pem,
						  strlen(other.public_pem)));
	HANDSHAKE();
	EXPECT_EQ(1, info_of(&self->client).peer_verified);
	EXPECT_EQ(1, info_of(&self->server).peer_verified);
	end_close(&self->client);
	end_close(&self->server);

	/* The same with a key that is not trusted */
	kdtls_endpoint_free(self->client.ep);
	self->client.ep = NULL;
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, kdtls_endpoint_trust_raw_key(self->client.ep,
						  other.public_pem,
						  strlen(other.public_pem)));
	end_handshake(&self->client, &self->server);
	EXPECT_EQ(KDTLS_EPEER, failure_of(&self->client).error);
	cert_free(&other);
}

TEST_F(pair, sessions_of_raw_public_keys_are_resumed)
{
	cert_make(&self->cert, &(struct cert_options){ .kind = CERT_ED25519 });
	self->client.config.ops.psk_client = NULL;
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, kdtls_endpoint_use_raw_key(self->server.ep,
						self->cert.key_pem,
						strlen(self->cert.key_pem)));
	ASSERT_EQ(0, kdtls_endpoint_trust_raw_key(self->client.ep,
						  self->cert.public_pem,
						  strlen(self->cert.public_pem)));
	HANDSHAKE();
	end_close(&self->client);
	end_close(&self->server);
	HANDSHAKE_AGAIN();
	EXPECT_EQ(1, info_of(&self->client).resumed);
	EXPECT_EQ(KDTLS_AUTH_RAW_KEY, info_of(&self->client).auth);
}

/* Negotiation */

/*
 * RFC 7250 4.2: a client that takes a raw key alone, or has one, and a server that has a
 * certificate, or takes one. A client that has not said so may not know what a type is.
 */
TEST_F(pair, no_type_of_certificate_in_common)
{
	static const struct {
		bool raw_server;	/* what the server has */
		bool raw_trust;		/* what the client takes */
		bool raw_client;	/* the client has a raw key, and has to show it */
		u8 alert;
	} cases[] = {
		{ false, true, false, KDTLS_ALERT_UNSUPPORTED_CERTIFICATE },
		{ true, false, false, KDTLS_ALERT_HANDSHAKE_FAILURE },
		{ false, false, true, KDTLS_ALERT_UNSUPPORTED_CERTIFICATE },
	};
	struct end *client = &self->client, *server = &self->server;
	const char *key, *public;
	size_t i;

	cert_make(&self->cert, &(struct cert_options){
		.issuer = &self->ca, .name = "DNS:end.example" });
	key = self->cert.key_pem;
	public = self->cert.public_pem;
	client->config.ops.psk_client = NULL;
	server->config.ops.psk_server = NULL;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		server->config.flags = cases[i].raw_client ? KDTLS_REQUIRE_CERT : 0;
		ASSERT_EQ(0, end_open(client, KDTLS_CLIENT));
		ASSERT_EQ(0, end_open(server, KDTLS_SERVER));
		ASSERT_EQ(0, cases[i].raw_server ?
			  kdtls_endpoint_use_raw_key(server->ep, key, strlen(key)) :
			  show(server, &self->cert));
		ASSERT_EQ(0, cases[i].raw_trust ?
			  kdtls_endpoint_trust_raw_key(client->ep, public,
						       strlen(public)) :
			  trust(client, &self->ca));
		if (cases[i].raw_client)
			ASSERT_EQ(0, kdtls_endpoint_use_raw_key(client->ep, key,
								strlen(key)));
		ASSERT_EQ(0, trust(server, &self->ca));
		if (!cases[i].raw_trust)
			ASSERT_EQ(0, kdtls_engine_set_name(client->e,
							   "end.example"));
		end_handshake(client, server);
		EXPECT_EQ(KDTLS_ENEGOTIATION, failure_of(server).error);
		EXPECT_EQ(cases[i].alert, failure_of(client).alert_received)
			TH_LOG("case %zu: %s", i, failure_of(server).reason);
		end_exit(client);
		end_exit(server);
	}
}

static const char *const coap[] = { "coap", NULL };
static const char *const http[] = { "h2", "http/1.1", NULL };

TEST_F(pair, no_protocol_in_common)
{
	self->client.config.alpn = coap;
	self->server.config.alpn = http;
	end_handshake(&self->client, &self->server);
	EXPECT_EQ(KDTLS_ENEGOTIATION, failure_of(&self->server).error);
	EXPECT_EQ(KDTLS_ALERT_NO_APPLICATION_PROTOCOL,
		  failure_of(&self->client).alert_received);
}

TEST_F(pair, no_suite_in_common)
{
	static const u16 one[] = { 0x00a8 }, two[] = { 0xc0a8 };

	self->client.config.suites = one;
	self->client.config.suite_count = 1;
	self->server.config.suites = two;
	self->server.config.suite_count = 1;
	end_handshake(&self->client, &self->server);
	EXPECT_EQ(KDTLS_ALERT_HANDSHAKE_FAILURE,
		  failure_of(&self->client).alert_received);
}

TEST_F(pair12, certificate_on_a_curve_the_client_lacks)
{
	static const u16 x25519[] = { 29 };

	cert_make(&self->cert, &(struct cert_options){
		.kind = CERT_P256, .issuer = &self->ca,
		.name = "DNS:end.example" });
	self->client.config.groups = x25519;
	self->client.config.group_count = 1;
	ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
			       &self->cert, "end.example"));
	end_handshake(&self->client, &self->server);
	EXPECT_EQ(KDTLS_ENEGOTIATION, failure_of(&self->server).error);
}

/* Clients exist that offer x25519 and cannot use it with these suites. */
TEST_F(pair12, secp256r1_goes_first_with_ecdhe_psk)
{
	static const u16 p256_last[] = { 29, 24, 23 };
	static const struct {
		const char *what;
		u16 suite;
		unsigned int client, server;	/* groups each end has of these */
		u16 group;
	} cases[] = {
		{ "a key", 0xd001, 3, 3, 23 },
		{ "a key, and no secp256r1 at the client", 0xd001, 2, 3, 29 },
		{ "a key, and no secp256r1 at the server", 0xd001, 3, 2, 29 },
		{ "a certificate", 0xc02b, 3, 3, 29 },
	};
	size_t i;

	cert_make(&self->cert, &(struct cert_options){
		.issuer = &self->ca, .name = "DNS:end.example" });
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		self->client.config.suites = &cases[i].suite;
		self->client.config.suite_count = 1;
		self->client.config.groups = p256_last;
		self->client.config.group_count = cases[i].client;
		self->server.config.groups = p256_last;
		self->server.config.group_count = cases[i].server;
		ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
		ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
		ASSERT_EQ(0, show(&self->server, &self->cert));
		ASSERT_EQ(0, trust(&self->client, &self->ca));
		ASSERT_EQ(0, kdtls_engine_set_name(self->client.e,
						   "end.example"));
		HANDSHAKE();
		EXPECT_EQ(cases[i].group, info_of(&self->server).group)
			TH_LOG("%s", cases[i].what);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

TEST_F(pair, record_size_limit_and_srtp)
{
	static const u16 ours[] = { 8, 7 }, theirs[] = { 7, 1 };

	self->client.config.record_size_limit = 512;
	self->server.config.record_size_limit = 1024;
	self->client.config.srtp = ours;
	self->client.config.srtp_count = 2;
	self->server.config.srtp = theirs;
	self->server.config.srtp_count = 2;
	HANDSHAKE();
	/* In DTLS 1.3 the content's type counts (RFC 8449 4). */
	EXPECT_EQ(1024 - IS_13, info_of(&self->client).peer_record_limit);
	EXPECT_EQ(512 - IS_13, info_of(&self->server).peer_record_limit);
	EXPECT_EQ(7, info_of(&self->client).srtp_profile);
	EXPECT_EQ(7, info_of(&self->server).srtp_profile);
}

/* Application data is under these keys: RFC 8449 4 is for it, too. */
TEST_F(pair, record_size_limit_goes_with_the_keys)
{
	static const u8 large[513];
	u8 record[1024];

	self->client.config.record_size_limit = 512;
	self->server.config.record_size_limit = 1024;
	HANDSHAKE();
	EXPECT_EQ(1024 - IS_13, self->client.tx_key.max_plaintext);
	EXPECT_EQ(512 - IS_13, self->client.rx_key.max_plaintext);
	EXPECT_EQ(512 - IS_13, self->server.tx_key.max_plaintext);
	EXPECT_EQ(1024 - IS_13, self->server.rx_key.max_plaintext);
	EXPECT_LT(0U, end_send(&self->server, large, 512 - IS_13, record));
	EXPECT_EQ(0U, end_send(&self->server, large, 513 - IS_13, record));
}

TEST_F(pair, record_size_limit_of_one_end_is_none)
{
	self->client.config.record_size_limit = 512;
	HANDSHAKE();
	EXPECT_EQ(DTLS_RECORD_SIZE_MAX, self->client.tx_key.max_plaintext);
	EXPECT_EQ(0, self->client.rx_key.max_plaintext);
	EXPECT_EQ(DTLS_RECORD_SIZE_MAX, self->server.tx_key.max_plaintext);
}

/* RFC 9147 4.5.3 */
TEST_F(pair, forgeries_that_used_up_the_key_end_it)
{
	struct dtls_record_info info = {
		.flags = DTLS_RECORD_EVENT,
		.event = DTLS_EVENT_RX_EXPIRED,
	};

	self->client.config.max_forgeries = 1000;
	HANDSHAKE();
	EXPECT_EQ(1000U, self->client.rx_key.limit);
	EXPECT_EQ(0U, self->client.tx_key.limit);
	EXPECT_EQ(0U, self->server.rx_key.limit);
	/* That of a key which was changed in time ends nothing. */
	info.epoch = self->client.rx_key.epoch - 1;
	ASSERT_EQ(0, kdtls_engine_input(self->client.e, NULL, 0, &info,
					self->now));
	info.epoch++;
	ASSERT_EQ(-KDTLS_EFORGERIES,
		  kdtls_engine_input(self->client.e, NULL, 0, &info,
				     self->now));
	/* The peer is told. */
	end_exchange(&self->client, &self->server, &self->now, 4);
	EXPECT_EQ(KDTLS_EALERT, failure_of(&self->server).error);
	EXPECT_EQ(KDTLS_ALERT_BAD_RECORD_MAC,
		  failure_of(&self->server).alert_received);
}

/* Make a record of the handshake's epoch that verifies under no key. */
static size_t forge(u16 version, u8 *out)
{
	struct dtls_record r = {
		.type = DTLS_CT_HANDSHAKE,
		.version = DTLS_VERSION_1_2,
		.fragment_len = 40,
		.epoch = version == DTLS_VERSION_1_3 ? DTLS13_EPOCH_HANDSHAKE :
						       DTLS12_EPOCH_DATA,
		.unified = version == DTLS_VERSION_1_3 ?
			   DTLS_UNIFIED | DTLS_UNIFIED_SEQ16 |
			   DTLS_UNIFIED_LENGTH : 0,
	};
	size_t n = dtls_record_write_header(out, &r);

	memset(out + n, 0x5a, r.fragment_len);
	return n + r.fragment_len;
}

#define FORGERIES	5

/* RFC 9147 4.5.3: the keys of the handshake have the limit, too. */
TEST_F(pair, forgeries_count_from_the_first_key_on)
{
	int last, i, err = 0;
	u8 record[64];
	size_t n = forge(variant->version, record);

	self->client.config.max_forgeries = FORGERIES;
	for (last = 0; last < 2; last++) {
		ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
		ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
		ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
		for (i = 0; i < 20 && !motion(self->client.e)->rx; i++)
			ASSERT_EQ(0, end_exchange(&self->client, &self->server,
						  &self->now, 1 + i % 2));
		ASSERT_NE(NULL, motion(self->client.e)->rx);
		for (i = 0; i < FORGERIES - !last; i++)
			err = end_input(&self->client, record, n, self->now);
		EXPECT_EQ(last ? -KDTLS_EFORGERIES : 0, err);
		end_exchange(&self->client, &self->server, &self->now, 20);
		EXPECT_EQ(!last, end_established(&self->client));
		/* Those of DTLS 1.2 were under the key of the data. */
		if (!last)
			EXPECT_EQ(IS_13 ? FORGERIES : 1,
				  (int)self->client.rx_key.limit);
		end_close(&self->client);
		end_close(&self->server);
	}
}

/* A short tag is for who has asked for it. */
TEST_F(pair, ccm_8_with_certificates_is_not_offered_unasked)
{
	size_t i;

	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	for (i = 0; i < self->client.ep->suite_count; i++) {
		EXPECT_NE(0x1305, self->client.ep->suites[i]->id);
		EXPECT_NE(0xc0ae, self->client.ep->suites[i]->id);
	}
}

TEST_F(pair12, wrong_key_ends_in_a_time_out_that_says_so)
{
	self->server.psk = "another 16 bytes";
	self->server.config.retransmits = 2;
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, end_handshake(&self->client, &self->server));
	EXPECT_EQ(KDTLS_HANDSHAKE, kdtls_engine_state(self->server.e));
	self->now = 1000000;
	while (kdtls_engine_expiry(self->server.e) != KDTLS_NEVER) {
		self->now = kdtls_engine_expiry(self->server.e);
		kdtls_engine_expire(self->server.e, self->now);
	}
	EXPECT_EQ(KDTLS_ETIMEOUT, failure_of(&self->server).error);
	EXPECT_NE(NULL, strstr(failure_of(&self->server).reason,
			       "pre-shared key"));
	EXPECT_EQ(NULL, self->server.rx);
}

TEST_F(pair12, unknown_identity_looks_like_a_wrong_key)
{
	self->client.identity = "nobody";
	ASSERT_EQ(0, end_handshake(&self->client, &self->server));
	EXPECT_EQ(KDTLS_HANDSHAKE, kdtls_engine_state(self->server.e));
	EXPECT_EQ(KDTLS_HANDSHAKE, kdtls_engine_state(self->client.e));
}

TEST_F(pair, refused_keys_end_it)
{
	self->client.fail_key = true;
	end_handshake(&self->client, &self->server);
	EXPECT_EQ(KDTLS_ECALLBACK, failure_of(&self->client).error);
}

/* Proofs */

TEST_F(pair, signature_of_another_key_is_refused)
{
	struct cert other;
	int client_signs;

	cert_make(&self->cert, &(struct cert_options){
		.issuer = &self->ca, .name = "DNS:end.example" });
	cert_make(&other, &(struct cert_options){ .issuer = &self->ca });
	self->server.config.flags = KDTLS_REQUIRE_CERT;
	for (client_signs = 0; client_signs < 2; client_signs++) {
		struct end *signer = client_signs ? &self->client : &self->server;
		struct end *judge = client_signs ? &self->server : &self->client;
		EVP_PKEY **key;

		ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
				       &self->cert, "end.example"));
		ASSERT_EQ(0, show(&self->client, &self->cert));
		key = &signer->ep->identities->key;
		EVP_PKEY_free(*key);
		*key = other.key;
		EVP_PKEY_up_ref(other.key);
		end_handshake(&self->client, &self->server);
		EXPECT_EQ(KDTLS_EPROTOCOL, failure_of(judge).error);
		EXPECT_EQ(KDTLS_ALERT_DECRYPT_ERROR,
			  failure_of(judge).alert_sent);
		EXPECT_EQ(NULL, judge->rx);
		end_exit(&self->client);
		end_exit(&self->server);
	}
	cert_free(&other);
}

/* One record at a time; before one that is protected the listener's memory changes. */
static void finish_wrongly(struct end *from, struct end *to, u64 now)
{
	static u8 buf[END_DATAGRAM];
	struct dtls_record record;
	bool tampered = false;
	u8 *p = buf;
	long n;

	n = end_output(from, buf, sizeof(buf), now);
	while (n > 0 && !dtls_record_parse(&record, p, (size_t)n, (size_t)n, 0)) {
		size_t len = record.header_len + record.fragment_len;

		if (record.epoch && !tampered) {
			to->e->hs->transcript.all.p[20] ^= 1;
			EVP_MD_CTX_free(to->e->hs->transcript.running);
			to->e->hs->transcript.running = NULL;
			to->e->hs->transcript.hashed = 0;
			tampered = true;
		}
		end_input(to, p, len, now);
		p += len;
		n -= (long)len;
	}
}

TEST_F(pair, finished_must_match_the_handshake)
{
	int of_server;

	for (of_server = 0; of_server < 2; of_server++) {
		struct end *judge = of_server ? &self->client : &self->server;

		ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
		ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
		ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
		/* Cookie, hellos, and the last flight of this end is to come. */
		ASSERT_EQ(0, end_exchange(&self->client, &self->server,
					  &self->now, 4 + (IS_13 ? -of_server :
							   of_server)));
		finish_wrongly(of_server ? &self->server : &self->client, judge,
			       self->now);
		EXPECT_EQ(KDTLS_EPROTOCOL, failure_of(judge).error);
		EXPECT_EQ(KDTLS_ALERT_DECRYPT_ERROR,
			  failure_of(judge).alert_sent);
		EXPECT_EQ(NULL, judge->rx);
		end_close(&self->client);
		end_close(&self->server);
	}
}

TEST_F(pair, endpoints_keep_no_key_of_a_handshake)
{
	u8 exported[32];

	HANDSHAKE();
	EXPECT_TRUE(keeps_no_key(&self->client));
	EXPECT_TRUE(keeps_no_key(&self->server));
	EXPECT_EQ(0, kdtls_engine_export(self->client.e, "EXPORTER", NULL, 0,
					 exported, sizeof(exported)));
	EXPECT_TRUE(keeps_no_key(&self->client));
	if (IS_13) {
		ASSERT_EQ(0, kdtls_engine_update_keys(self->client.e, true));
		ASSERT_EQ(0, end_exchange(&self->client, &self->server,
					  &self->now, 10));
		EXPECT_EQ(4, self->client.tx_key.epoch);
		EXPECT_EQ(4, self->client.rx_key.epoch);
		EXPECT_TRUE(keeps_no_key(&self->client));
		EXPECT_TRUE(keeps_no_key(&self->server));
	}
	end_close(&self->client);
	end_close(&self->server);

	/* Given up with the keys just made */
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 4));
	end_close(&self->client);
	end_close(&self->server);
	EXPECT_TRUE(keeps_no_key(&self->client));
	EXPECT_TRUE(keeps_no_key(&self->server));
}

TEST_F(pair, server_answers_only_what_was_offered)
{
	static const u16 psk_only[] = { 0x00a8 }, other[] = { 0x00a9 };

	/* The client forgets what it offered once the hello is out. */
	self->client.config.suites = psk_only;
	self->client.config.suite_count = 1;
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 3));
	self->client.ep->suites[0] = dtls_suite_find(other[0]);
	end_exchange(&self->server, &self->client, &self->now, 2);
	EXPECT_EQ(KDTLS_EPROTOCOL, failure_of(&self->client).error);
	EXPECT_EQ(KDTLS_ALERT_ILLEGAL_PARAMETER,
		  failure_of(&self->client).alert_sent);
}

/* Sessions */

TEST_F(pair, session_does_not_outlive_its_time)
{
	self->client.config.ticket_life = 100;
	self->server.config.ticket_life = 100;
	HANDSHAKE();
	end_close(&self->client);
	end_close(&self->server);
	self->client.unix_time += 101;
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	EXPECT_EQ(-KDTLS_EUSAGE,
		  kdtls_engine_set_session(self->client.e, self->client.session,
					   self->client.session_len));
	/* A client that does not look at the time meets a server that does. */
	self->client.unix_time -= 101;
	EXPECT_EQ(0, kdtls_engine_set_session(self->client.e,
					      self->client.session,
					      self->client.session_len));
	self->server.unix_time += 101;
	HANDSHAKE();
	EXPECT_EQ(0, info_of(&self->client).resumed);
}

TEST_F(pair, session_of_another_name_or_damaged_is_refused)
{
	size_t i;

	HANDSHAKE();
	end_close(&self->client);
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, kdtls_engine_set_name(self->client.e, "other.example"));
	EXPECT_EQ(-KDTLS_EUSAGE,
		  kdtls_engine_set_session(self->client.e, self->client.session,
					   self->client.session_len));
	for (i = 0; i < self->client.session_len; i++)
		EXPECT_EQ(-KDTLS_EUSAGE,
			  kdtls_engine_set_session(self->client.e,
						   self->client.session, i));
}

TEST_F(pair, restarted_server_does_a_full_handshake)
{
	HANDSHAKE();
	end_close(&self->client);
	end_exit(&self->server);
	HANDSHAKE_AGAIN();
	EXPECT_EQ(0, info_of(&self->client).resumed);
}

TEST_F(pair, ticket_keys_are_replaced)
{
	u8 name[16];

	HANDSHAKE();
	memcpy(name, self->server.ep->tickets.key[0].name, sizeof(name));
	end_close(&self->client);
	end_close(&self->server);
	self->client.unix_time += 86399;
	self->server.unix_time += 86399;
	HANDSHAKE_AGAIN();
	EXPECT_EQ(1, info_of(&self->client).resumed);
	end_close(&self->client);
	end_close(&self->server);
	self->client.unix_time += 2;
	self->server.unix_time += 2;
	HANDSHAKE();
	EXPECT_NE(0, memcmp(name, self->server.ep->tickets.key[0].name,
			    sizeof(name)));
}

/* The gate */

TEST_F(pair12, gate_answers_small_and_accepts_only_the_proven)
{
	u8 reply[KDTLS_GATE_REPLY_SIZE], hello[2048];
	struct kdtls_endpoint *ep;
	size_t n, at, reply_len;

	ASSERT_EQ(0, kdtls_endpoint_new(&self->server.config, &ep));
	n = second_hello(&self->client, ep, reply, hello, sizeof(hello),
			 self->now);
	ASSERT_LT(0, n);
	EXPECT_EQ(KDTLS_GATE_ACCEPT,
		  end_gate(ep, "here", 4, hello, n, self->now, reply,
			   &reply_len));
	EXPECT_EQ(KDTLS_GATE_REPLY,
		  end_gate(ep, "there", 5, hello, n, self->now,
			   reply, &reply_len));
	/* The next period's key accepts it still, the one after no more. */
	EXPECT_EQ(KDTLS_GATE_ACCEPT,
		  end_gate(ep, "here", 4, hello, n,
			   self->now + 15000000, reply, &reply_len));
	EXPECT_EQ(KDTLS_GATE_REPLY,
		  end_gate(ep, "here", 4, hello, n,
			   self->now + 31000000, reply, &reply_len));
	/* Every changed byte of random, session id or cookie is noticed. */
	for (at = 27; at < 27 + 32 + 1 + 1 + DTLS_COOKIE_SIZE; at++) {
		hello[at] ^= 1;
		EXPECT_NE(KDTLS_GATE_ACCEPT,
			  end_gate(ep, "here", 4, hello, n,
				   self->now, reply, &reply_len));
		hello[at] ^= 1;
	}
	kdtls_endpoint_free(ep);
}

TEST_F(pair12, gate_never_answers_more_than_it_got)
{
	u8 reply[KDTLS_GATE_REPLY_SIZE];
	struct kdtls_endpoint *ep;
	size_t n, len, reply_len;

	ASSERT_EQ(0, kdtls_endpoint_new(&self->server.config, &ep));
	n = first_hello(&self->client, self->buf, self->now);
	/* Shorter and shorter fragments of it, until it is no use */
	for (len = n - 25; len > 0; len--) {
		dtls_put_be(self->buf + 11, 2, 12 + len);
		dtls_put_be(self->buf + 22, 3, len);
		if (end_gate(ep, "here", 4, self->buf, 25 + len,
			     self->now, reply, &reply_len) ==
		    KDTLS_GATE_REPLY) {
			EXPECT_LT(reply_len, 25 + len);
		} else {
			EXPECT_GT(36, len);
		}
	}
	kdtls_endpoint_free(ep);
}

TEST_F(pair12, hello_in_fragments_is_served)
{
	u8 piece[2048], hello[2048];
	size_t at, n, body;
	long len;

	n = first_hello(&self->client, self->buf, self->now);
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, end_input(&self->server, self->buf, n, self->now));
	EXPECT_EQ(NULL, self->server.e->hs);
	len = end_output(&self->server, self->buf, END_DATAGRAM, self->now);
	ASSERT_LT(0, len);
	ASSERT_EQ(0, end_input(&self->client, self->buf, (size_t)len,
			       self->now));
	len = end_output(&self->client, hello, sizeof(hello), self->now);
	ASSERT_LT(25, len);
	body = (size_t)len - 25;
	/* A later fragment alone opens nothing. */
	for (at = 64; at < 2 * 64 + body; at += 64) {
		size_t from = at % (64 * ((body + 63) / 64));
		size_t size = body - from < 64 ? body - from : 64;

		memcpy(piece, hello, 25);
		memcpy(piece + 25, hello + 25 + from, size);
		dtls_put_be(piece + 5, 6, at);
		dtls_put_be(piece + 11, 2, 12 + size);
		dtls_put_be(piece + 19, 3, from);
		dtls_put_be(piece + 22, 3, size);
		ASSERT_EQ(0, end_input(&self->server, piece, 25 + size,
				       self->now));
		if (at == 64)
			EXPECT_EQ(NULL, self->server.e->hs);
	}
	EXPECT_EQ(0, end_exchange(&self->server, &self->client, &self->now, 20));
	EXPECT_TRUE(end_agree(&self->client, &self->server));
}

TEST_F(pair, without_cookie_any_fragment_may_be_the_first)
{
	u8 piece[2048];
	size_t n, half;

	self->server.config.flags = KDTLS_NO_COOKIE;
	n = first_hello(&self->client, self->buf, self->now);
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	half = (n - 25) / 2;

	/* The second half first; but not of a message further on. */
	memcpy(piece, self->buf, 25);
	memcpy(piece + 25, self->buf + 25 + half, n - 25 - half);
	dtls_put_be(piece + 5, 6, 1);
	dtls_put_be(piece + 11, 2, 12 + n - 25 - half);
	dtls_put_be(piece + 19, 3, half);
	dtls_put_be(piece + 22, 3, n - 25 - half);
	dtls_put_be(piece + 17, 2, 7);
	ASSERT_EQ(0, end_input(&self->server, piece, n - half, self->now));
	EXPECT_EQ(NULL, self->server.e->hs);
	dtls_put_be(piece + 17, 2, 0);
	ASSERT_EQ(0, end_input(&self->server, piece, n - half, self->now));
	EXPECT_EQ(NULL, self->server.e->hs);

	dtls_put_be(self->buf + 11, 2, 12 + half);
	dtls_put_be(self->buf + 22, 3, half);
	ASSERT_EQ(0, end_input(&self->server, self->buf, 25 + half, self->now));
	EXPECT_EQ(0, end_exchange(&self->server, &self->client, &self->now, 20));
	EXPECT_TRUE(end_agree(&self->client, &self->server));
}

TEST_F(pair, client_restarts_on_its_address)
{
	struct end again, second;
	u8 reply[KDTLS_GATE_REPLY_SIZE];
	size_t n, reply_len;
	long len;

	HANDSHAKE();
	end_config(&again, psk);
	again.config.mtu = HELLO_MTU;
	n = first_hello(&again, self->buf, self->now);
	/* The old association takes no notice, the gate asks for a proof. */
	EXPECT_EQ(0, end_input(&self->server, self->buf, n, self->now));
	EXPECT_EQ(0, end_output(&self->server, self->buf, END_DATAGRAM,
				self->now));
	n = (size_t)end_output(&again, self->buf, END_DATAGRAM, self->now);
	kdtls_engine_expire(again.e, self->now + 1000000);
	n = (size_t)end_output(&again, self->buf, END_DATAGRAM, self->now);
	ASSERT_EQ(KDTLS_GATE_REPLY,
		  end_gate(self->server.ep, "address", 7, self->buf,
			   n, self->now, reply, &reply_len));
	ASSERT_EQ(0, end_input(&again, reply, reply_len, self->now));
	len = end_output(&again, self->buf, END_DATAGRAM, self->now);
	ASSERT_EQ(KDTLS_GATE_ACCEPT,
		  end_gate(self->server.ep, "address", 7, self->buf,
			   (size_t)len, self->now, reply,
				      &reply_len));
	end_config(&second, psk);
	second.ep = self->server.ep;
	ASSERT_EQ(0, end_open(&second, KDTLS_SERVER));
	ASSERT_EQ(0, end_input(&second, self->buf, (size_t)len, self->now));
	ASSERT_EQ(0, end_exchange(&second, &again, &self->now, 20));
	EXPECT_TRUE(end_agree(&again, &second));
	EXPECT_TRUE(end_established(&self->server));
	second.ep = NULL;
	end_exit(&second);
	end_exit(&again);
}

/* Timers and datagram sizes */

TEST_F(pair, retransmission_doubles_up_to_its_limit)
{
	static const u64 ms[] = { 100, 200, 400, 700, 700, 700 };
	size_t i;

	self->client.config.timeout_initial = 100;
	self->client.config.timeout_max = 700;
	self->client.config.retransmits = 5;
	first_hello(&self->client, self->buf, self->now);
	for (i = 0; i < 6; i++) {
		self->now += 1000 * ms[i];
		EXPECT_EQ(self->now, kdtls_engine_expiry(self->client.e));
		EXPECT_EQ(0, kdtls_engine_expire(self->client.e,
						 self->now - 1));
		EXPECT_EQ(0, end_output(&self->client, self->buf, END_DATAGRAM,
					self->now));
		EXPECT_EQ(i < 5 ? 0 : -KDTLS_ETIMEOUT,
			  kdtls_engine_expire(self->client.e, self->now));
		if (i < 5)
			EXPECT_LT(0, end_output(&self->client, self->buf,
						END_DATAGRAM, self->now));
	}
	EXPECT_EQ(KDTLS_NEVER, kdtls_engine_expiry(self->client.e));
}

TEST_F(pair, first_timer_follows_the_round_trip)
{
	u64 rtt = 80000;
	long n;

	first_hello(&self->client, self->buf, self->now);
	kdtls_engine_free(self->client.e);
	n = (long)first_hello(&self->client, self->buf, self->now);
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, end_input(&self->server, self->buf, (size_t)n, self->now));
	n = end_output(&self->server, self->buf, END_DATAGRAM, self->now);
	self->now += rtt;
	ASSERT_EQ(0, end_input(&self->client, self->buf, (size_t)n, self->now));
	EXPECT_EQ(rtt, info_of(&self->client).rtt);
	/* RFC 6298 2.2 */
	EXPECT_EQ(self->now + 3 * rtt, kdtls_engine_expiry(self->client.e));
}

TEST_F(pair, datagrams_shrink_when_flights_get_lost)
{
	static const u32 mtu[] = { 1400, 1400, 1232, 1232, 548, 548, 256, 256 };
	size_t i;

	self->client.config.retransmits = 8;
	first_hello(&self->client, self->buf, self->now);
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(mtu[i], info_of(&self->client).mtu);
		self->now = kdtls_engine_expiry(self->client.e);
		kdtls_engine_expire(self->client.e, self->now);
	}
}

TEST_F(pair, back_off_does_not_undo_a_smaller_mtu)
{
	size_t i;

	self->client.config.mtu_min = 1000;
	first_hello(&self->client, self->buf, self->now);
	kdtls_engine_set_mtu(self->client.e, 300);
	for (i = 0; i < 4; i++) {
		self->now = kdtls_engine_expiry(self->client.e);
		kdtls_engine_expire(self->client.e, self->now);
		EXPECT_EQ(300, info_of(&self->client).mtu);
	}
}

/* After the keys are out */

TEST_F(pair12, lost_last_flight_is_sent_again)
{
	long n, sent = 0;

	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	while (!end_established(&self->server)) {
		while ((n = end_output(&self->client, self->buf, END_DATAGRAM,
				       self->now)) > 0)
			end_input(&self->server, self->buf, (size_t)n,
				  self->now);
		while ((n = end_output(&self->server, self->buf, END_DATAGRAM,
				       self->now)) > 0)
			if (!end_established(&self->server))
				end_input(&self->client, self->buf, (size_t)n,
					  self->now);
	}
	EXPECT_FALSE(end_established(&self->client));
	EXPECT_EQ(self->now + 240000000, kdtls_engine_expiry(self->server.e));
	/* It went out once, and was lost; the client's timer brings it again. */
	self->now = kdtls_engine_expiry(self->client.e);
	ASSERT_EQ(0, kdtls_engine_expire(self->client.e, self->now));
	while ((n = end_output(&self->client, self->buf, END_DATAGRAM,
			       self->now)) > 0)
		end_input(&self->server, self->buf, (size_t)n, self->now);
	while ((n = end_output(&self->server, self->buf, END_DATAGRAM,
			       self->now)) > 0) {
		sent++;
		end_input(&self->client, self->buf, (size_t)n, self->now);
	}
	EXPECT_EQ(2, sent);
	EXPECT_TRUE(end_agree(&self->client, &self->server));
	kdtls_engine_confirm(self->server.e);
	EXPECT_EQ(KDTLS_NEVER, kdtls_engine_expiry(self->server.e));
}

/*
 * Give @to what @from sends. Once the handshake of @server is done, datagrams above the
 * smallest MTU get lost.
 */
static void carry_small(struct end *from, struct end *to,
			const struct end *server, u64 now)
{
	static u8 buf[END_DATAGRAM];
	long n;

	while ((n = end_output(from, buf, sizeof(buf), now)) > 0)
		if (n <= KDTLS_MTU_MIN || !end_established(server))
			end_input(to, buf, (size_t)n, now);
}

/* The ticket is longer than what the path takes when the handshake is done. */
TEST_F(pair, last_messages_get_through_a_narrow_path)
{
	char name[KDTLS_PSK_IDENTITY_MAX + 1];
	u64 client, server;
	unsigned int i;

	memset(name, 'n', KDTLS_PSK_IDENTITY_MAX);
	name[KDTLS_PSK_IDENTITY_MAX] = 0;
	self->client.identity = name;
	self->server.identity = name;
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	for (i = 0; i < 40 && !self->client.sessions; i++) {
		carry_small(&self->client, &self->server, &self->server,
			    self->now);
		carry_small(&self->server, &self->client, &self->server,
			    self->now);
		if (i % 4 < 3)
			continue;
		client = kdtls_engine_expiry(self->client.e);
		server = kdtls_engine_expiry(self->server.e);
		ASSERT_NE(KDTLS_NEVER, client < server ? client : server);
		self->now = client < server ? client : server;
		kdtls_engine_expire(self->client.e, self->now);
		kdtls_engine_expire(self->server.e, self->now);
	}
	EXPECT_TRUE(end_agree(&self->client, &self->server));
	EXPECT_EQ(1, self->client.sessions);
	/*
	 * The last flight of DTLS 1.2 is of the handshake, which tells the MTU. After
	 * the handshake of DTLS 1.3 a silent peer may be asleep, and the MTU stays.
	 */
	EXPECT_EQ(variant->version == DTLS_VERSION_1_3 ? 1400 : KDTLS_MTU_MIN,
		  info_of(&self->server).mtu);
}

TEST_F(pair12, last_flight_is_forgotten_in_time)
{
	u64 expiry;

	HANDSHAKE();
	expiry = kdtls_engine_expiry(self->server.e);
	ASSERT_NE(KDTLS_NEVER, expiry);
	EXPECT_EQ(KDTLS_NEVER, kdtls_engine_expiry(self->client.e));
	EXPECT_EQ(0, kdtls_engine_expire(self->server.e, expiry));
	EXPECT_EQ(NULL, motion(self->server.e)->flight.first);
	EXPECT_EQ(KDTLS_NEVER, kdtls_engine_expiry(self->server.e));
}

TEST_F(pair12, renegotiation_is_declined)
{
	static const u8 hello_request[12] = { DTLS_HELLO_REQUEST, 0, 0, 0, 0, 9 };
	static const u8 client_hello[12] = { DTLS_CLIENT_HELLO };
	long n;

	HANDSHAKE();
	ASSERT_EQ(0, inject(&self->server, &self->client, DTLS_CT_HANDSHAKE,
			    hello_request, 12, self->now));
	n = end_output(&self->client, self->buf, END_DATAGRAM, self->now);
	ASSERT_LT(0, n);
	EXPECT_EQ(DTLS_CT_ALERT, self->buf[0]);
	EXPECT_EQ(1, self->client.e->alert_level);
	EXPECT_EQ(KDTLS_ALERT_NO_RENEGOTIATION, self->client.e->alert);
	EXPECT_TRUE(end_established(&self->client));
	/* What begins a handshake is the first message of it. */
	ASSERT_EQ(0, inject(&self->client, &self->server, DTLS_CT_HANDSHAKE,
			    client_hello, 12, self->now));
	EXPECT_EQ(KDTLS_ALERT_NO_RENEGOTIATION, self->server.e->alert);
	EXPECT_TRUE(end_established(&self->server));
}

TEST_F(pair, messages_after_the_handshake_end_it)
{
	u8 finished[12] = { DTLS_FINISHED };

	HANDSHAKE();
	dtls_put_be(finished + 4, 2, self->server.e->peer_finished + 1);
	EXPECT_EQ(-KDTLS_EPROTOCOL,
		  inject(&self->client, &self->server, DTLS_CT_HANDSHAKE,
			 finished, 12, self->now));
	EXPECT_EQ(KDTLS_ALERT_UNEXPECTED_MESSAGE,
		  failure_of(&self->server).alert_sent);
}

TEST_F(pair12, a_message_behind_finished_ends_it)
{
	u8 more[13] = { DTLS_FINISHED, 0, 0, 2 };
	size_t n;
	long len;

	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 5));
	len = end_output(&self->server, self->buf, END_DATAGRAM, self->now);
	ASSERT_LT(0, len);
	ASSERT_TRUE(end_established(&self->server));
	/* Half of one, packed with Finished */
	dtls_put_be(more + 4, 2, self->client.e->hs->in.next + 2);
	dtls_put_be(more + 9, 3, 1);
	n = dtls_protection_seal(self->server.tx, DTLS_CT_HANDSHAKE, more,
				 sizeof(more), self->buf + len);
	EXPECT_EQ(-KDTLS_EPROTOCOL, end_input(&self->client, self->buf,
					      (size_t)len + n, self->now));
	EXPECT_EQ(KDTLS_ALERT_UNEXPECTED_MESSAGE,
		  failure_of(&self->client).alert_sent);
	EXPECT_EQ(NULL, self->client.rx);
}

TEST_F(pair12, finished_in_fragments_is_answered_once)
{
	u8 finished[13] = { DTLS_FINISHED, 0, 0, 12 };
	size_t i;

	HANDSHAKE();
	dtls_put_be(finished + 4, 2, self->server.e->peer_finished);
	dtls_put_be(finished + 9, 3, 1);
	for (i = 0; i < 12; i++) {
		dtls_put_be(finished + 6, 3, i);
		ASSERT_EQ(0, inject(&self->client, &self->server,
				    DTLS_CT_HANDSHAKE, finished, 13,
				    self->now));
		while (end_output(&self->server, self->buf, END_DATAGRAM,
				  self->now) > 0)
			;
		EXPECT_EQ(i == 11, info_of(&self->server).flights_resent);
	}
}

TEST_F(pair, malformed_alerts_under_the_key_end_it)
{
	static const u8 alert[] = { 0x42, KDTLS_ALERT_UNEXPECTED_MESSAGE };

	HANDSHAKE();
	EXPECT_EQ(-KDTLS_EPROTOCOL,
		  inject(&self->server, &self->client, DTLS_CT_ALERT, alert, 2,
			 self->now));
	EXPECT_EQ(KDTLS_ALERT_ILLEGAL_PARAMETER,
		  failure_of(&self->client).alert_sent);
}

TEST_F(pair, alerts_in_the_clear_mean_nothing_afterwards)
{
	static const u8 alert[] = { 21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0,
				    2, 2, 40 };
	static const u8 fatal[] = { 2, 80 };

	HANDSHAKE();
	EXPECT_EQ(0, end_input(&self->client, alert, sizeof(alert), self->now));
	EXPECT_EQ(0, end_input(&self->server, alert, sizeof(alert), self->now));
	EXPECT_TRUE(end_agree(&self->client, &self->server));
	EXPECT_EQ(-KDTLS_EALERT,
		  inject(&self->server, &self->client, DTLS_CT_ALERT, fatal, 2,
			 self->now));
	EXPECT_EQ(80, failure_of(&self->client).alert_received);
}

TEST_F(pair, close_notify_both_ways)
{
	long n;

	HANDSHAKE();
	kdtls_engine_close(self->client.e);
	EXPECT_EQ(KDTLS_CLOSED, kdtls_engine_state(self->client.e));
	n = end_output(&self->client, self->buf, END_DATAGRAM, self->now);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, end_input(&self->server, self->buf, (size_t)n, self->now));
	EXPECT_EQ(KDTLS_CLOSED, kdtls_engine_state(self->server.e));
	n = end_output(&self->server, self->buf, END_DATAGRAM, self->now);
	ASSERT_LT(0, n);
	EXPECT_EQ(0, end_input(&self->client, self->buf, (size_t)n, self->now));
	EXPECT_EQ(0, end_output(&self->client, self->buf, END_DATAGRAM,
				self->now));
}

TEST_F(pair12, early_data_is_not_lost)
{
	u8 data[256];
	size_t data_len;
	long n;

	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	do {
		while ((n = end_output(&self->client, self->buf, END_DATAGRAM,
				       self->now)) > 0)
			end_input(&self->server, self->buf, (size_t)n,
				  self->now);
		n = end_output(&self->server, self->buf, END_DATAGRAM,
			       self->now);
		if (!end_established(&self->server))
			end_input(&self->client, self->buf, (size_t)n,
				  self->now);
	} while (!end_established(&self->server));
	/* The server's data overtakes its Finished, and comes twice. */
	data_len = end_send(&self->server, "early", 5, data);
	ASSERT_EQ(0, end_input(&self->client, data, data_len, self->now));
	ASSERT_EQ(0, end_input(&self->client, data, data_len, self->now));
	EXPECT_EQ(0, self->client.received_len);
	ASSERT_EQ(0, end_input(&self->client, self->buf, (size_t)n, self->now));
	ASSERT_TRUE(end_agree(&self->client, &self->server));
	EXPECT_EQ(5, self->client.received_len);
	/* Whoever has the keys now knows that it was seen. */
	ASSERT_EQ(0, end_input(&self->client, data, data_len, self->now));
	EXPECT_EQ(5, self->client.received_len);
}

TEST_F(pair, noise_changes_nothing)
{
	u64 x = 88172645463325252ULL;
	unsigned int i, j;
	u8 noise[64];

	HANDSHAKE();
	for (i = 0; i < 200000; i++) {
		for (j = 0; j < sizeof(noise); j++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			noise[j] = (u8)(x >> 32);
		}
		if (i % 2) {
			noise[0] = (u8)(20 + i / 2 % 6);
			noise[1] = 0xfe;
			noise[2] = 0xfd;
			noise[3] = 0;
			noise[4] = i % 3 ? 0 : 1;
			dtls_put_be(noise + 11, 2, sizeof(noise) - 13);
		}
		ASSERT_EQ(0, kdtls_engine_input(self->server.e, noise,
						x % sizeof(noise), NULL,
						self->now));
		ASSERT_EQ(0, end_input(&self->client, noise, sizeof(noise),
				       self->now));
	}
	EXPECT_TRUE(end_agree(&self->client, &self->server));
	EXPECT_LT(100000, info_of(&self->server).dropped);
	EXPECT_EQ(0, self->client.received_len);
}

/* Heartbeats */

TEST_F(pair, heartbeat_is_answered_and_measured)
{
	self->client.config.flags = KDTLS_HEARTBEAT;
	self->server.config.flags = KDTLS_HEARTBEAT;
	HANDSHAKE();
	EXPECT_EQ(-KDTLS_EUSAGE,
		  kdtls_engine_heartbeat(self->client.e, 34, self->now));
	/* No record is as long as that. */
	kdtls_engine_set_mtu(self->client.e, KDTLS_MTU_MAX);
	EXPECT_EQ(-KDTLS_EUSAGE,
		  kdtls_engine_heartbeat(self->client.e,
					 DTLS_RECORD_SIZE_MAX + 1, self->now));
	ASSERT_EQ(0, kdtls_engine_heartbeat(self->client.e, 1200, self->now));
	EXPECT_EQ(-KDTLS_EUSAGE,
		  kdtls_engine_heartbeat(self->client.e, 64, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 4));
	EXPECT_EQ(1200, self->client.heartbeat_size);
	EXPECT_EQ(2000, self->client.heartbeat_rtt);
	EXPECT_EQ(NULL, motion(self->client.e)->heartbeat);
	EXPECT_EQ(NULL, motion(self->server.e)->heartbeat);
}

TEST_F(pair, heartbeat_without_answer_is_told)
{
	int sent = 0;

	self->client.config.flags = KDTLS_HEARTBEAT;
	self->client.config.retransmits = 3;
	self->server.config.flags = KDTLS_HEARTBEAT;
	HANDSHAKE();
	ASSERT_EQ(0, kdtls_engine_heartbeat(self->client.e, 64, self->now));
	while (!self->client.heartbeat_size) {
		while (end_output(&self->client, self->buf, END_DATAGRAM,
				  self->now) > 0)
			sent++;
		self->now = kdtls_engine_expiry(self->client.e);
		ASSERT_EQ(0, kdtls_engine_expire(self->client.e, self->now));
	}
	EXPECT_EQ(4, sent);
	EXPECT_EQ(KDTLS_NEVER, self->client.heartbeat_rtt);
	EXPECT_TRUE(end_established(&self->client));
}

/* A request that is longer than a datagram may be now ends, and writes nowhere. */
TEST_F(pair, heartbeat_ends_when_the_mtu_has_become_smaller)
{
	struct dtls_record_info info;
	u8 *small = malloc(1200);
	int i;

	ASSERT_NE(NULL, small);
	self->client.config.flags = KDTLS_HEARTBEAT;
	self->server.config.flags = KDTLS_HEARTBEAT;
	HANDSHAKE();
	/* Before the request has gone out, and when it is to go out again */
	for (i = 0; i < 2; i++) {
		self->client.heartbeat_size = 0;
		kdtls_engine_set_mtu(self->client.e, 9000);
		ASSERT_EQ(0, kdtls_engine_heartbeat(self->client.e, 8000,
						    self->now));
		if (i) {
			ASSERT_LT(8000, end_output(&self->client, self->buf,
						   END_DATAGRAM, self->now));
			self->now = kdtls_engine_expiry(self->client.e);
			ASSERT_EQ(0, kdtls_engine_expire(self->client.e,
							 self->now));
		}
		kdtls_engine_set_mtu(self->client.e, 1200);
		EXPECT_EQ(0, kdtls_engine_output(self->client.e, small, 1200,
						 &info, self->now));
		EXPECT_EQ(8000, self->client.heartbeat_size);
		EXPECT_EQ(KDTLS_NEVER, self->client.heartbeat_rtt);
		EXPECT_EQ(NULL, motion(self->client.e)->heartbeat);
	}
	free(small);
	/* What a datagram has room for goes out. */
	ASSERT_EQ(0, kdtls_engine_heartbeat(self->client.e, 1200, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 4));
	EXPECT_EQ(1200, self->client.heartbeat_size);
}

/* At a request that is asked for, that goes out, and that comes */
TEST_F(pair, heartbeat_without_random_bytes_is_none)
{
	long sent = 0, ret = 0;
	int when;

	self->client.config.flags = KDTLS_HEARTBEAT;
	self->server.config.flags = KDTLS_HEARTBEAT;
	for (when = 0; when < 3; when++) {
		HANDSHAKE();
		no_random = when == 0;
		ret = kdtls_engine_heartbeat(self->client.e, 64, self->now);
		no_random = when == 1;
		if (when)
			sent = end_output(&self->client, self->buf, END_DATAGRAM,
					  self->now);
		no_random = when == 2;
		if (when == 1)
			ret = sent;
		if (when == 2)
			ret = end_input(&self->server, self->buf, (size_t)sent,
					self->now);
		no_random = false;
		EXPECT_EQ(-KDTLS_ECRYPTO, ret) TH_LOG("%d", when);
		end_close(&self->client);
		end_close(&self->server);
	}
}

/* A response that the buffer has no room for is lost, and a request behind it is not. */
TEST_F(pair, heartbeat_response_is_no_longer_than_the_buffer)
{
	u8 *request = calloc(1, 8000), *small = malloc(1200);
	struct dtls_record_info info;

	ASSERT_NE(NULL, request);
	ASSERT_NE(NULL, small);
	self->client.config.flags = KDTLS_HEARTBEAT;
	self->server.config.flags = KDTLS_HEARTBEAT;
	HANDSHAKE();
	request[0] = 1;
	dtls_put_be(request + 1, 2, 16);
	info = (struct dtls_record_info){
		.type = DTLS_CT_HEARTBEAT, .epoch = self->client.rx_key.epoch,
	};
	kdtls_engine_set_mtu(self->client.e, 1200);
	ASSERT_EQ(0, kdtls_engine_heartbeat(self->client.e, 64, self->now));
	ASSERT_EQ(0, kdtls_engine_input(self->client.e, request, 8000, &info,
					self->now));
	EXPECT_EQ(64, kdtls_engine_output(self->client.e, small, 1200, &info,
					  self->now));
	EXPECT_EQ(0, kdtls_engine_output(self->client.e, small, 1200, &info,
					 self->now));
	free(request);
	free(small);
}

TEST_F(pair, heartbeat_lengths_are_not_believed)
{
	u8 request[64] = { 1 };
	unsigned int len, claim;

	self->client.config.flags = KDTLS_HEARTBEAT;
	self->server.config.flags = KDTLS_HEARTBEAT;
	HANDSHAKE();
	for (len = 0; len <= sizeof(request); len++) {
		for (claim = 0; claim < 65536; claim += claim < 80 ? 1 : 4999) {
			dtls_put_be(request + 1, 2, claim);
			ASSERT_EQ(0, inject(&self->client, &self->server,
					    DTLS_CT_HEARTBEAT, request, len,
					    self->now));
			EXPECT_EQ(len >= 3 + claim + 16,
				  end_output(&self->server, self->buf,
					     END_DATAGRAM, self->now) > 0);
		}
	}
}

TEST_F(pair, heartbeat_is_off_by_default)
{
	u8 request[64] = { 1, 0, 16 };

	HANDSHAKE();
	EXPECT_EQ(-KDTLS_EUSAGE,
		  kdtls_engine_heartbeat(self->client.e, 64, self->now));
	ASSERT_EQ(0, inject(&self->client, &self->server, DTLS_CT_HEARTBEAT,
			    request, sizeof(request), self->now));
	EXPECT_EQ(0, end_output(&self->server, self->buf, END_DATAGRAM,
				self->now));
}

/* Limits */

TEST_F(pair, handshakes_at_once_are_limited)
{
	struct kdtls_engine *e[3];

	self->client.config.max_handshakes = 2;
	ASSERT_EQ(0, kdtls_endpoint_new(&self->client.config, &self->client.ep));
	ASSERT_EQ(0, kdtls_engine_new(self->client.ep, KDTLS_CLIENT, NULL, "",
				      0, &e[0]));
	ASSERT_EQ(0, kdtls_engine_new(self->client.ep, KDTLS_CLIENT, NULL, "",
				      0, &e[1]));
	EXPECT_EQ(-KDTLS_EMEMORY,
		  kdtls_engine_new(self->client.ep, KDTLS_CLIENT, NULL, "", 0,
				   &e[2]));
	kdtls_engine_free(e[0]);
	EXPECT_EQ(0, kdtls_engine_new(self->client.ep, KDTLS_CLIENT, NULL, "",
				      0, &e[2]));
	kdtls_engine_free(e[1]);
	kdtls_engine_free(e[2]);
}

TEST_F(pair, configuration_is_checked)
{
	static const u16 unknown[] = { 0x1234 };
	struct kdtls_config c, good = self->client.config;
	const char *names[18] = { "a", "" };
	struct kdtls_endpoint *ep;
	char name[257] = "";
	size_t i;

#define REFUSED(change) do {						\
	c = good;							\
	change;								\
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_endpoint_new(&c, &ep));		\
} while (0)

	REFUSED(c.ops.key = NULL);
	REFUSED(c.mtu = 255);
	REFUSED(c.mtu = 65508);
	REFUSED(c.mtu_min = 255);
	REFUSED(c.mtu_min = 1401);
	REFUSED(c.timeout_min = 49);
	REFUSED(c.timeout_initial = 49);
	REFUSED(c.timeout_max = 999);
	REFUSED(c.cookie_life = 0);
	REFUSED(c.ticket_life = 0);
	REFUSED(c.record_size_limit = 63);
	REFUSED(c.record_size_limit = 16385);
	REFUSED(c.max_message = 0);
	REFUSED(c.max_message = c.max_handshake + 1);
	REFUSED(c.max_certificates = c.max_message - 1);
	REFUSED(c.max_certificates = c.max_handshake + 1);
	REFUSED((c.suites = unknown, c.suite_count = 1));
	REFUSED((c.groups = unknown, c.group_count = 1));
	REFUSED((c.schemes = unknown, c.scheme_count = 1));
	REFUSED(c.alpn = names);
	memset(name, 'a', 256);
	names[1] = name;
	REFUSED(c.alpn = names);
	name[255] = 0;
	names[0] = name;
	for (i = 1; i < 17; i++)
		names[i] = name;
	REFUSED(c.alpn = names);
	names[16] = NULL;
	good.alpn = names;
	ASSERT_EQ(0, kdtls_endpoint_new(&good, &ep));
	kdtls_endpoint_free(ep);
}

static size_t derive(const struct dtls_group *group, EVP_PKEY *key,
		     const u8 *point, size_t len)
{
	u8 secret[DTLS_SHARED_MAX];

	return dtls_kex_derive(group, key, (struct dtls_bytes){ point, len },
			       secret);
}

/* A public value that is none must not get as far as our private one. */
TEST(points_off_the_curve)
{
	struct dtls_crypto c = { 0 };
	const struct dtls_group *g;
	u8 point[DTLS_POINT_MAX];
	EVP_PKEY *ours, *theirs;
	size_t i, len;

	ASSERT_TRUE(dtls_crypto_init(&c));
	for (i = 0; i < dtls_group_count; i++) {
		g = &dtls_groups[i];
		if (g->kem)
			continue;
		ours = dtls_kex_generate(&c, g);
		theirs = dtls_kex_generate(&c, g);
		len = dtls_kex_public(g, theirs, point);
		ASSERT_EQ(g->point_len, len);
		EXPECT_NE(1, EVP_PKEY_eq(ours, theirs));
		EXPECT_LT(0, derive(g, ours, point, len));
		EXPECT_EQ(0, derive(g, ours, point, len - 1));
		if (!strcmp(g->type, "EC")) {
			point[len - 1] ^= 1;
			EXPECT_EQ(0, derive(g, ours, point, len));
			/* Its hybrid form is as long, and may not be used. */
			point[len - 1] ^= 1;
			point[0] = 6 + (point[len - 1] & 1);
			EXPECT_EQ(0, derive(g, ours, point, len));
		}
		/* Infinity, and a point of small order on x25519 */
		memset(point, 0, len);
		EXPECT_EQ(0, derive(g, ours, point, len));
		EXPECT_EQ(0, derive(g, ours, point, 1));
		EVP_PKEY_free(ours);
		EVP_PKEY_free(theirs);
	}
	dtls_crypto_exit(&c);
}

TEST(no_extension_comes_twice)
{
	static const struct {
		u8 list[14];
		bool good;
	} cases[] = {
		{ { 0, 12, 0, 23, 0, 0, 0x1a, 0x1a, 0, 0, 0, 35, 0, 0 }, true },
		{ { 0, 12, 0, 23, 0, 0, 0, 35, 0, 0, 0, 23, 0, 0 }, false },
		{ { 0, 12, 0x1a, 0x1a, 0, 0, 0x2a, 0x2a, 0, 0, 0, 23, 0, 0 },
		  true },
		{ { 0, 12, 0x1a, 0x1a, 0, 0, 0x2a, 0x2a, 0, 0, 0x1a, 0x1a, 0,
		    0 }, false },
	};
	struct dtls_extensions e;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		EXPECT_EQ(cases[i].good,
			  dtls_ext_parse(&e, (struct dtls_bytes){
				  cases[i].list, sizeof(cases[i].list) }));
}

/* On a machine of 32 bits the largest cache_size has more bytes than size_t counts. */
TEST(a_cache_of_more_places_than_memory_has_is_none)
{
	struct dtls_cache c = { 0 };

	ASSERT_FALSE(dtls_cache_init(&c, SIZE_MAX / sizeof(*c.entry) + 2));
	dtls_cache_exit(&c);
	ASSERT_FALSE(dtls_cache_init(&c, SIZE_MAX));
	dtls_cache_exit(&c);
}

/* Two processes must not say the same: an IV twice gives a ticket's key away. */
TEST(random_after_a_fork)
{
	struct dtls_pool *pool = dtls_pool_new();
	u8 ours[32], theirs[32];
	int fd[2];
	pid_t child;

	ASSERT_NE(NULL, pool);
	ASSERT_TRUE(dtls_pool_take(pool, ours, sizeof(ours)));
	ASSERT_EQ(0, pipe(fd));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (!dtls_pool_take(pool, theirs, sizeof(theirs)) ||
		    write(fd[1], theirs, sizeof(theirs)) != sizeof(theirs))
			_exit(1);
		_exit(0);
	}
	close(fd[1]);
	ASSERT_EQ(sizeof(theirs), read(fd[0], theirs, sizeof(theirs)));
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	close(fd[0]);
	ASSERT_TRUE(dtls_pool_take(pool, ours, sizeof(ours)));
	EXPECT_NE(0, memcmp(ours, theirs, sizeof(ours)));
	dtls_pool_free(pool);
}

/* More at once than the pool holds, often enough to empty it, and without it */
TEST(random_in_any_amount)
{
	static const size_t amount[] = { 1, 12, 32, 1000, 4095, 16384 };
	static u8 zeros[16384], buf[16384], before[16384];
	struct dtls_pool *pool = dtls_pool_new();
	size_t i, n;

	for (i = 0; i < 20 * sizeof(amount) / sizeof(amount[0]); i++) {
		n = amount[i / 20];
		memset(buf, 0, sizeof(buf));
		ASSERT_TRUE(dtls_pool_take(i % 5 ? pool : NULL, buf, n));
		EXPECT_EQ(0, memcmp(buf + n, zeros, sizeof(buf) - n));
		if (n < 12)
			continue;
		EXPECT_NE(0, memcmp(buf, before, 12));
		EXPECT_NE(0, memcmp(buf + n - 12, zeros, 12));
		memcpy(before, buf, n);
	}
	dtls_pool_free(pool);
}

TEST_HARNESS_MAIN
