// SPDX-License-Identifier: GPL-2.0
/* Who the peer is: in a handshake, and in all that resume its session. */
#include <stdlib.h>

#include "pair.h"

#define HOUR	3600
#define DAY	(24 * HOUR)
#define WEEK	(7 * DAY)

PAIR_OF_BOTH(peer);

#define SETUP(version)							\
do {									\
	PAIR_SETUP(version);						\
	self->client.config.ticket_life = WEEK;				\
	self->server.config.ticket_life = WEEK;				\
	cert_make(&self->cert, &(struct cert_options){			\
		.kind = CERT_P256, .issuer = &self->ca,			\
		.name = "DNS:end.example" });				\
} while (0)

FIXTURE_SETUP(peer)
{
	SETUP(variant->version);
}

PAIR(peer13);

FIXTURE_SETUP(peer13)
{
	SETUP(DTLS_VERSION_1_3);
}

/* New engines at a later time, the client with its session */
static int come_back(struct end *client, struct end *server, long later)
{
	end_close(client);
	end_close(server);
	client->unix_time += later;
	server->unix_time += later;
	if (end_open(client, KDTLS_CLIENT) || end_open(server, KDTLS_SERVER))
		return -1;
	return kdtls_engine_set_session(client->e, client->session,
					client->session_len);
}

/* The same with a name, and to the end. Return: 1: resumed, 0: not, or -1. */
static int resume(struct end *client, struct end *server, const char *name,
		  long later)
{
	if (come_back(client, server, later) ||
	    (name && kdtls_engine_set_name(client->e, name)))
		return -1;
	return end_handshake(client, server) || !end_agree(client, server) ?
	       -1 : info_of(server).resumed;
}

static void show_certificates(struct __test_metadata *_metadata,
			      struct end *client, struct end *server,
			      const struct cert *ca, const struct cert *cert)
{
	ASSERT_EQ(0, open_with(client, server, ca, cert, "end.example"));
}

/* ---- pre-shared keys ---- */

TEST_F(peer, deleted_key_resumes_no_session)
{
	HANDSHAKE();
	EXPECT_EQ(1, resume(&self->client, &self->server, NULL, HOUR));
	/* The server knows the client no longer. */
	self->server.identity = "somebody else";
	EXPECT_NE(1, resume(&self->client, &self->server, NULL, HOUR));
	EXPECT_EQ(0, info_of(&self->server).resumed);
}

TEST_F(peer13, deleted_key_leaves_the_certificate)
{
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, show(&self->server, &self->cert));
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, trust(&self->client, &self->ca));
	ASSERT_EQ(0, kdtls_engine_set_name(self->client.e, "end.example"));
	HANDSHAKE();
	EXPECT_EQ(1, resume(&self->client, &self->server, "end.example", HOUR));
	EXPECT_EQ(0, info_of(&self->client).peer_verified);
	self->server.identity = "somebody else";
	EXPECT_EQ(0, resume(&self->client, &self->server, "end.example", HOUR));
	EXPECT_EQ(1, info_of(&self->client).peer_verified);
	EXPECT_EQ(1, resume(&self->client, &self->server, "end.example", HOUR));
	EXPECT_EQ(1, info_of(&self->client).peer_verified);
}

TEST_F(peer, replaced_key_resumes_no_session)
{
	HANDSHAKE();
	EXPECT_EQ(1, resume(&self->client, &self->server, NULL, HOUR));
	self->server.psk = "another sixteen!";
	EXPECT_NE(1, resume(&self->client, &self->server, NULL, HOUR));
	EXPECT_EQ(0, info_of(&self->server).resumed);
	/* Neither does the client offer what its key has not made. */
	self->client.psk = "another sixteen!";
	EXPECT_EQ(0, resume(&self->client, &self->server, NULL, HOUR));
	EXPECT_EQ(1, resume(&self->client, &self->server, NULL, HOUR));
}

TEST_F(peer, identity_of_a_key_is_told_after_every_resumption)
{
	int64_t start = self->server.unix_time;
	struct kdtls_info info;
	int i;

	HANDSHAKE();
	for (i = 0; i < 3; i++) {
		info = info_of(&self->server);
		EXPECT_EQ(!!i, info.resumed);
		EXPECT_EQ(KDTLS_AUTH_PSK, info.auth);
		ASSERT_EQ(strlen("Client_identity"), info.psk_identity_len);
		EXPECT_EQ(0, memcmp("Client_identity", info.psk_identity,
				    info.psk_identity_len));
		EXPECT_EQ(start, info.authenticated);
		EXPECT_EQ(0, info.chain_end);
		EXPECT_EQ(0, info.peer_verified);
		info = info_of(&self->client);
		EXPECT_EQ(KDTLS_AUTH_PSK, info.auth);
		EXPECT_EQ(strlen("Client_identity"), info.psk_identity_len);
		EXPECT_EQ(start, info.authenticated);
		ASSERT_EQ(1, resume(&self->client, &self->server, NULL, HOUR));
	}
}

TEST_F(peer, client_without_credentials_is_told_from_one_with_a_key)
{
	show_certificates(_metadata, &self->client, &self->server, &self->ca,
			  &self->cert);
	HANDSHAKE();
	ASSERT_EQ(1, resume(&self->client, &self->server, "end.example", HOUR));
	EXPECT_EQ(KDTLS_AUTH_NONE, info_of(&self->server).auth);
	EXPECT_EQ(NULL, info_of(&self->server).psk_identity);
	EXPECT_EQ(KDTLS_AUTH_CERTIFICATE, info_of(&self->client).auth);
}

TEST_F(peer, keys_too_short_are_refused_unless_allowed)
{
	self->client.psk = "fifteen bytes..";
	self->server.psk = "fifteen bytes..";
	EXPECT_NE(0, end_handshake(&self->client, &self->server));
	EXPECT_EQ(KDTLS_EPSK, failure_of(&self->client).error);
	end_exit(&self->client);
	end_exit(&self->server);
	self->client.config.flags |= KDTLS_SHORT_PSK;
	EXPECT_NE(0, end_handshake(&self->client, &self->server));
	EXPECT_EQ(KDTLS_EPSK, failure_of(&self->server).error);
	end_exit(&self->client);
	end_exit(&self->server);
	self->server.config.flags |= KDTLS_SHORT_PSK;
	HANDSHAKE();
}

TEST_F(peer, one_key_is_not_for_both_roles)
{
	struct end back;

	HANDSHAKE();
	/* The server now is a client too, of itself for all it knows. */
	end_config(&back, psk);
	back.ep = self->server.ep;
	ASSERT_EQ(0, end_open(&back, KDTLS_CLIENT));
	end_close(&self->server);
	end_exit(&self->client);
	ASSERT_EQ(0, end_open(&self->client, KDTLS_SERVER));
	EXPECT_NE(0, end_handshake(&back, &self->client));
	EXPECT_EQ(KDTLS_EPSK, failure_of(&back).error);
	end_close(&back);
	/* Another key of its own is another matter. */
	back.psk = "another sixteen!";
	self->client.psk = "another sixteen!";
	end_close(&self->client);
	EXPECT_EQ(0, end_handshake(&back, &self->client));
	EXPECT_TRUE(end_agree(&back, &self->client));
	end_close(&back);
}

/* ---- certificates ---- */

static int owners_alert;
static int verify_calls;
static int told_result;

static int owner(void *ctx, const struct kdtls_peer *peer)
{
	(void)ctx;
	verify_calls++;
	told_result = peer->result;
	return owners_alert;
}

TEST_F(peer, owner_can_refuse_a_certificate_but_not_accept_a_bad_one)
{
	struct cert other;

	self->client.config.ops.verify = owner;
	owners_alert = 0;
	show_certificates(_metadata, &self->client, &self->server, &self->ca,
			  &self->cert);
	ASSERT_EQ(0, kdtls_engine_set_name(self->client.e, "bank.example"));
	EXPECT_NE(0, end_handshake(&self->client, &self->server));
	EXPECT_EQ(KDTLS_EPEER, failure_of(&self->client).error);
	EXPECT_NE(0, told_result);
	end_exit(&self->client);
	end_exit(&self->server);

	cert_make(&other, &(struct cert_options){ .kind = CERT_P256,
		  .ca = true });
	show_certificates(_metadata, &self->client, &self->server, &other,
			  &self->cert);
	EXPECT_NE(0, end_handshake(&self->client, &self->server));
	EXPECT_EQ(KDTLS_ALERT_UNKNOWN_CA, failure_of(&self->client).alert_sent);
	end_exit(&self->client);
	end_exit(&self->server);

	/* With KDTLS_NO_VERIFY the owner decides alone, and knows the result. */
	self->client.config.flags |= KDTLS_NO_VERIFY;
	told_result = 0;
	show_certificates(_metadata, &self->client, &self->server, &other,
			  &self->cert);
	cert_free(&other);
	HANDSHAKE();
	EXPECT_NE(0, told_result);
	EXPECT_EQ(KDTLS_VERIFIED_OWNER, info_of(&self->client).verified);
	EXPECT_EQ(1, info_of(&self->client).peer_verified);
}

TEST_F(peer, refusal_of_a_good_certificate_has_a_reason)
{
	static const int alerts[] = { KDTLS_ALERT_BAD_CERTIFICATE, 256, -1 };
	size_t i;

	self->client.config.ops.verify = owner;
	for (i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++) {
		owners_alert = alerts[i];
		show_certificates(_metadata, &self->client, &self->server,
				  &self->ca, &self->cert);
		EXPECT_NE(0, end_handshake(&self->client, &self->server));
		EXPECT_EQ(0, told_result);
		EXPECT_EQ(KDTLS_EPEER, failure_of(&self->client).error);
		EXPECT_EQ(i ? KDTLS_ALERT_CERTIFICATE_UNKNOWN : alerts[i],
			  failure_of(&self->client).alert_sent);
		EXPECT_STRNE("ok", failure_of(&self->client).reason);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

TEST_F(peer, resumption_tells_what_the_full_handshake_found)
{
	int64_t start = self->client.unix_time;
	struct kdtls_info full, info;
	int i;

	self->client.config.ops.verify = owner;
	owners_alert = 0;
	show_certificates(_metadata, &self->client, &self->server, &self->ca,
			  &self->cert);
	HANDSHAKE();
	full = info_of(&self->client);
	EXPECT_EQ(KDTLS_AUTH_CERTIFICATE, full.auth);
	EXPECT_EQ(KDTLS_VERIFIED_CHAIN | KDTLS_VERIFIED_NAME |
		  KDTLS_VERIFIED_OWNER, full.verified);
	EXPECT_EQ(start, full.authenticated);
	EXPECT_LT(start + DAY - HOUR, full.chain_end);
	EXPECT_GE(start + DAY + HOUR, full.chain_end);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, resume(&self->client, &self->server,
				    "end.example", HOUR));
		info = info_of(&self->client);
		EXPECT_EQ(full.auth, info.auth);
		EXPECT_EQ(full.verified, info.verified);
		EXPECT_EQ(full.authenticated, info.authenticated);
		EXPECT_EQ(full.chain_end, info.chain_end);
		EXPECT_EQ(0, memcmp(full.peer_hash, info.peer_hash, 32));
	}
}

TEST_F(peer, sessions_end_with_the_certificates_of_the_peer)
{
	int hours;

	show_certificates(_metadata, &self->client, &self->server, &self->ca,
			  &self->cert);
	HANDSHAKE();
	/* Certificates of a day: no renewal of a session makes it longer. */
	for (hours = 5; hours < 24; hours += 5)
		ASSERT_EQ(1, resume(&self->client, &self->server,
				    "end.example", 5 * HOUR));
	EXPECT_NE(1, resume(&self->client, &self->server, "end.example",
			    5 * HOUR));
	EXPECT_EQ(0, info_of(&self->client).resumed);
}

TEST_F(peer, server_keeps_no_session_beyond_the_clients_certificate)
{
	struct cert server, client;
	int hours;

	cert_make(&server, &(struct cert_options){
		.kind = CERT_P256, .ca = true, .name = "DNS:end.example",
		.from = -HOUR, .to = 30 * DAY });
	cert_make(&client, &(struct cert_options){
		.kind = CERT_P256, .issuer = &self->ca });
	self->server.config.flags |= KDTLS_REQUIRE_CERT;
	show_certificates(_metadata, &self->client, &self->server, &self->ca,
			  &server);
	ASSERT_EQ(0, show(&self->client, &client));
	ASSERT_EQ(0, trust(&self->client, &server));
	cert_free(&server);
	cert_free(&client);
	HANDSHAKE();
	for (hours = 5; hours < 24; hours += 5)
		ASSERT_EQ(1, resume(&self->client, &self->server,
				    "end.example", 5 * HOUR));
	/* Its certificate is expired: it must not get in without it. */
	EXPECT_EQ(-1, resume(&self->client, &self->server, "end.example",
			     5 * HOUR));
}

TEST_F(peer, no_number_of_renewals_outlives_a_week)
{
	int days;

	HANDSHAKE();
	for (days = 1; days < 7; days++)
		ASSERT_EQ(1, resume(&self->client, &self->server, NULL, DAY));
	EXPECT_NE(0, come_back(&self->client, &self->server, DAY));
	ASSERT_EQ(0, end_handshake(&self->client, &self->server));
	EXPECT_EQ(0, info_of(&self->server).resumed);
	EXPECT_EQ(self->server.unix_time, info_of(&self->server).authenticated);
}

TEST_F(peer, session_that_ends_before_the_handshake_starts_is_not_offered)
{
	HANDSHAKE();
	ASSERT_EQ(0, come_back(&self->client, &self->server, HOUR));
	/* Its server does not know of the time that has passed. */
	self->client.unix_time += WEEK;
	ASSERT_EQ(0, end_handshake(&self->client, &self->server));
	EXPECT_TRUE(end_agree(&self->client, &self->server));
	EXPECT_EQ(0, info_of(&self->client).resumed);
}

TEST_F(peer13, server_counts_the_week_itself)
{
	int days;

	/* A client that thinks no time passes offers what is over. */
	HANDSHAKE();
	for (days = 1; days < 7; days++)
		ASSERT_EQ(1, resume(&self->client, &self->server, NULL, DAY));
	self->server.unix_time += DAY;
	EXPECT_EQ(0, resume(&self->client, &self->server, NULL, 0));
}

/* ---- names ---- */

TEST_F(peer, names_are_read_once_and_then_the_same_everywhere)
{
	static const struct {
		const char *given, *name;
	} names[] = {
		{ "end.example", "end.example" },
		{ "END.Example.", "end.example" },
		{ "_dtls.end-1.example", "_dtls.end-1.example" },
		{ "1.end.example", "1.end.example" },
		{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
		{ "192.0.2.1", "192.0.2.1" },
		{ "2001:DB8:0:0::1", "2001:db8::1" },
		{ "fe80::1%eth0", "fe80::1" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
	};
	static const char *const none[] = {
		"", ".", "..", ".com", ".end.example", "end..example",
		"end.example..", "127.1", "0177.0.0.1", "0x7f.1", "0x7f000001",
		"2130706433", "192.0.2.1.", "192.0.2.1%eth0", "192.0.2.256",
		"fe80::1%", "[fe80::1]", "fe80::1::2", "end.example:4433",
		"*.example", "end example", "end.example\n", "user@end.example",
		"end.example/", "%eth0",
		"sixty-four-bytes-are-one-too-many-for-a-label-of-a-domain-name--.example",
	};
	size_t i;

	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		EXPECT_EQ(0, kdtls_engine_set_name(self->client.e,
						   names[i].given));
		EXPECT_STREQ(names[i].name, info_of(&self->client).name);
	}
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		EXPECT_EQ(-KDTLS_ENAME,
			  kdtls_engine_set_name(self->client.e, none[i]));
	EXPECT_STREQ("::ffff:192.0.2.1", info_of(&self->client).name);
}

/* As the server's certificate has it, and what the server is told of it */
static int connect_as(struct end *client, struct end *server,
		      const struct cert *ca, const char *alternative,
		      const char *name)
{
	struct cert cert;
	int err;

	end_exit(client);
	end_exit(server);
	cert_make(&cert, &(struct cert_options){
		.kind = CERT_P256, .issuer = ca, .name = alternative });
	err = open_with(client, server, ca, &cert, name);
	cert_free(&cert);
	return err ?: end_handshake(client, server);
}

TEST_F(peer, what_is_no_host_name_is_not_sent_as_one)
{
	EXPECT_EQ(0, connect_as(&self->client, &self->server, &self->ca,
				"DNS:end.example", "End.Example."));
	EXPECT_STREQ("end.example", info_of(&self->server).name);
	EXPECT_EQ(0, connect_as(&self->client, &self->server, &self->ca,
				"IP:fe80::1", "fe80::1%eth0"));
	EXPECT_EQ(NULL, info_of(&self->server).name);
	EXPECT_EQ(0, connect_as(&self->client, &self->server, &self->ca,
				"IP:192.0.2.1", "192.0.2.1"));
	EXPECT_EQ(NULL, info_of(&self->server).name);
	EXPECT_NE(0, connect_as(&self->client, &self->server, &self->ca,
				"DNS:evil.example", ".example"));
}

/* ---- what is asked for now ---- */

TEST_F(peer, session_of_an_unverified_server_is_none_for_a_strict_client)
{
	struct cert rogue;

	cert_make(&rogue, &(struct cert_options){ .kind = CERT_P256,
		  .ca = true, .name = "DNS:evil.example" });
	self->client.config.flags |= KDTLS_NO_VERIFY | KDTLS_NO_NAME_CHECK;
	show_certificates(_metadata, &self->client, &self->server, &self->ca,
			  &rogue);
	cert_free(&rogue);
	HANDSHAKE();
	EXPECT_EQ(0, info_of(&self->client).verified);
	EXPECT_EQ(0, info_of(&self->client).peer_verified);
	ASSERT_EQ(1, resume(&self->client, &self->server, "end.example", 0));
	EXPECT_EQ(0, info_of(&self->client).peer_verified);
	/* The same session, and a client that wants to know */
	end_close(&self->client);
	kdtls_endpoint_free(self->client.ep);
	self->client.ep = NULL;
	self->client.config.flags = 0;
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, trust(&self->client, &self->ca));
	EXPECT_EQ(-1, resume(&self->client, &self->server, "end.example", 0));
	EXPECT_EQ(0, info_of(&self->client).resumed);
	EXPECT_EQ(KDTLS_EPEER, failure_of(&self->client).error);
}

/* The client becomes another one with the same session. */
static int become(struct end *client, const struct cert *ca)
{
	end_close(client);
	kdtls_endpoint_free(client->ep);
	client->ep = NULL;
	return end_open(client, KDTLS_CLIENT) ?: trust(client, ca);
}

TEST_F(peer, who_checks_more_or_otherwise_shakes_hands_in_full)
{
	struct cert other;

	/* Without a name */
	self->client.config.flags = KDTLS_NO_NAME_CHECK;
	show_certificates(_metadata, &self->client, &self->server, &self->ca,
			  &self->cert);
	HANDSHAKE();
	EXPECT_EQ(KDTLS_VERIFIED_CHAIN, info_of(&self->client).verified);
	ASSERT_EQ(1, resume(&self->client, &self->server, "end.example", 0));
	/* With one */
	self->client.config.flags = 0;
	ASSERT_EQ(0, become(&self->client, &self->ca));
	EXPECT_EQ(0, resume(&self->client, &self->server, "end.example", 0));
	EXPECT_EQ(1, resume(&self->client, &self->server, "end.example", 0));
	/* With an owner that wants to see it */
	self->client.config.ops.verify = owner;
	owners_alert = 0;
	ASSERT_EQ(0, become(&self->client, &self->ca));
	verify_calls = 0;
	EXPECT_EQ(0, resume(&self->client, &self->server, "end.example", 0));
	EXPECT_EQ(1, verify_calls);
	EXPECT_EQ(1, resume(&self->client, &self->server, "end.example", 0));
	/* With other roots, which are not those of the server's chain */
	cert_make(&other, &(struct cert_options){ .kind = CERT_P256,
		  .ca = true });
	ASSERT_EQ(0, become(&self->client, &other));
	cert_free(&other);
	EXPECT_EQ(-1, resume(&self->client, &self->server, "end.example", 0));
	EXPECT_EQ(0, info_of(&self->client).resumed);
}

TEST_F(peer, session_is_judged_by_the_name_that_is_set_last)
{
	show_certificates(_metadata, &self->client, &self->server, &self->ca,
			  &self->cert);
	HANDSHAKE();
	ASSERT_EQ(0, come_back(&self->client, &self->server, 0));
	ASSERT_EQ(0, kdtls_engine_set_name(self->client.e, "end.example"));
	ASSERT_EQ(0, kdtls_engine_set_name(self->client.e, "bank.example"));
	EXPECT_NE(0, end_handshake(&self->client, &self->server));
	EXPECT_EQ(0, info_of(&self->client).resumed);
	EXPECT_EQ(KDTLS_EPEER, failure_of(&self->client).error);
}

TEST_F(peer, client_without_keys_resumes_no_session_of_a_key)
{
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, kdtls_engine_set_name(self->client.e, "end.example"));
	HANDSHAKE();
	ASSERT_EQ(1, resume(&self->client, &self->server, "end.example", 0));
	ASSERT_EQ(0, show(&self->server, &self->cert));
	self->client.config.ops.psk_client = NULL;
	ASSERT_EQ(0, become(&self->client, &self->ca));
	EXPECT_EQ(0, resume(&self->client, &self->server, "end.example", 0));
	EXPECT_EQ(KDTLS_AUTH_CERTIFICATE, info_of(&self->client).auth);
}

static struct kdtls_resumption asked;
static u8 asked_identity[KDTLS_PSK_IDENTITY_MAX];
static int asked_calls, agrees;

static int ask(void *ctx, const struct kdtls_resumption *session)
{
	(void)ctx;
	asked_calls++;
	asked = *session;
	if (session->psk_identity_len)
		memcpy(asked_identity, session->psk_identity,
		       session->psk_identity_len);
	return !agrees;
}

TEST_F(peer, owner_is_asked_before_a_resumption)
{
	int64_t start = self->server.unix_time;

	self->server.config.ops.resume = ask;
	asked_calls = 0;
	agrees = 1;
	HANDSHAKE();
	EXPECT_EQ(0, asked_calls);
	ASSERT_EQ(1, resume(&self->client, &self->server, NULL, HOUR));
	EXPECT_EQ(1, asked_calls);
	EXPECT_EQ(KDTLS_AUTH_PSK, asked.auth);
	EXPECT_EQ(strlen("Client_identity"), asked.psk_identity_len);
	EXPECT_EQ(0, memcmp("Client_identity", asked_identity,
			    asked.psk_identity_len));
	EXPECT_EQ(start, asked.authenticated);
	EXPECT_EQ(HOUR, asked.age);
	agrees = 0;
	EXPECT_EQ(0, resume(&self->client, &self->server, NULL, HOUR));
	EXPECT_EQ(2, asked_calls);
	agrees = 1;
	EXPECT_EQ(1, resume(&self->client, &self->server, NULL, HOUR));
	EXPECT_EQ(HOUR, asked.age);
}

TEST_F(peer, client_asks_its_owner_too)
{
	self->client.config.ops.resume = ask;
	agrees = 0;
	show_certificates(_metadata, &self->client, &self->server, &self->ca,
			  &self->cert);
	HANDSHAKE();
	asked_calls = 0;
	EXPECT_EQ(0, resume(&self->client, &self->server, "end.example", HOUR));
	EXPECT_EQ(1, asked_calls);
	EXPECT_EQ(KDTLS_AUTH_CERTIFICATE, asked.auth);
	EXPECT_EQ(KDTLS_VERIFIED_CHAIN | KDTLS_VERIFIED_NAME, asked.verified);
	EXPECT_EQ(0, memcmp(asked.peer_hash, info_of(&self->client).peer_hash,
			    32));
	EXPECT_EQ(info_of(&self->client).chain_end, asked.chain_end);
}

/* ---- early data ---- */

TEST_F(peer13, refused_resumption_with_early_data_is_a_full_handshake)
{
	self->server.config.max_early_data = 1024;
	self->server.config.ops.resume = ask;
	HANDSHAKE();
	agrees = 0;
	ASSERT_EQ(0, come_back(&self->client, &self->server, 1));
	ASSERT_EQ(0, kdtls_engine_send_early(self->client.e, (u8 *)"soon", 4));
	HANDSHAKE();
	EXPECT_EQ(0, info_of(&self->server).resumed);
	EXPECT_EQ(0, self->server.early_len);
	EXPECT_EQ(KDTLS_EARLY_REJECTED, info_of(&self->client).early);
	EXPECT_EQ(KDTLS_AUTH_PSK, info_of(&self->server).auth);
	EXPECT_TRUE(data_passes(&self->client, &self->server));
}

TEST_F(peer13, early_data_for_another_name_stays_here)
{
	self->server.config.max_early_data = 1024;
	HANDSHAKE();
	ASSERT_EQ(0, come_back(&self->client, &self->server, 1));
	ASSERT_EQ(0, kdtls_engine_send_early(self->client.e, (u8 *)"soon", 4));
	ASSERT_EQ(0, kdtls_engine_set_name(self->client.e, "bank.example"));
	HANDSHAKE();
	EXPECT_EQ(0, info_of(&self->server).resumed);
	EXPECT_EQ(0, self->server.early_len);
	EXPECT_EQ(KDTLS_EARLY_REJECTED, info_of(&self->client).early);
}

/* ---- sessions as bytes ---- */

TEST_F(peer, sessions_of_another_format_are_refused)
{
	u8 *copy;
	size_t i;

	HANDSHAKE();
	ASSERT_EQ(0, come_back(&self->client, &self->server, 0));
	/* Of an older version, and DER as another library keeps them */
	for (i = 0; i < 2; i++) {
		copy = malloc(self->client.session_len);
		memcpy(copy, self->client.session, self->client.session_len);
		copy[0] = i ? 0x30 : 3;
		EXPECT_EQ(-KDTLS_EUSAGE,
			  kdtls_engine_set_session(self->client.e, copy,
						   self->client.session_len));
		free(copy);
	}
	ASSERT_EQ(0, end_handshake(&self->client, &self->server));
	EXPECT_EQ(0, info_of(&self->server).resumed);
}

TEST_HARNESS_MAIN
