// SPDX-License-Identifier: GPL-2.0
/* What DTLS 1.3 asks of an engine, case by case. */
#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include "pair.h"

PAIR_OF(pair13, DTLS_VERSION_1_3)

/* The key schedule, against libcrypto's own */

static bool kdf(const char *digest, int mode, const u8 *key, size_t key_len,
		const u8 *salt, const char *label, const u8 *data,
		size_t data_len, u8 *out, size_t len)
{
	EVP_KDF *alg = EVP_KDF_fetch(NULL, "TLS13-KDF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(alg);
	char prefix[] = "dtls13";
	OSSL_PARAM params[8], *p = params;
	bool ok;

	*p++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
	*p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
						(char *)digest, 0);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, prefix,
						 6);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL,
						 (char *)label, strlen(label));
	if (key)
		*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
							 (u8 *)key, key_len);
	if (salt)
		*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
							 (u8 *)salt, key_len);
	if (data)
		*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_DATA,
							 (u8 *)data, data_len);
	*p = OSSL_PARAM_construct_end();
	ok = EVP_KDF_derive(ctx, out, len, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(alg);
	return ok;
}

TEST(key_schedule_is_libcryptos)
{
	static const char *const labels[] = { "c hs traffic", "key", "iv", "sn",
					      "finished", "traffic upd" };
	static const size_t lens[] = { 0, 16, 12, 32, 0, 0 };
	u8 psk_key[48], hash[48], secret[48], other[48], out[48];
	u8 wanted[48], shared[32];
	struct dtls_crypto c = { 0 };
	struct dtls_label label;
	size_t i, len, n;
	int sha384;

	ASSERT_TRUE(dtls_crypto_init(&c));
	for (sha384 = 0; sha384 < 2; sha384++) {
		const char *digest = sha384 ? "SHA384" : "SHA256";
		const EVP_MD *md = sha384 ? c.sha384 : c.sha256;

		len = sha384 ? 48 : 32;
		for (i = 0; i < sizeof(psk_key); i++) {
			psk_key[i] = (u8)(3 * i + 1);
			hash[i] = (u8)(7 * i + 2);
			shared[i % 32] = (u8)(11 * i);
		}
		/* Early Secret, and what follows from it: RFC 8446 7.1 */
		ASSERT_TRUE(dtls_keys13_extract(&c, md, NULL,
						(struct dtls_bytes){ psk_key,
								    len },
						secret));
		ASSERT_TRUE(kdf(digest, EVP_KDF_HKDF_MODE_EXTRACT_ONLY, psk_key,
				len, NULL, "", NULL, 0, other, len));
		EXPECT_EQ(0, memcmp(secret, other, len));
		ASSERT_TRUE(dtls_keys13_derived(&c, md, secret));
		ASSERT_TRUE(dtls_keys13_extract(&c, md, secret,
						(struct dtls_bytes){ shared,
								    len > 32 ?
								32 : len },
						secret));
		if (!sha384) {
			/* libcrypto takes salt and key of one length alone. */
			ASSERT_TRUE(kdf(digest, EVP_KDF_HKDF_MODE_EXTRACT_ONLY,
					shared, 32, other, "derived", NULL, 0,
					wanted, len));
			EXPECT_EQ(0, memcmp(secret, wanted, len));
		}
		for (i = 0; i < 6; i++) {
			n = lens[i] ? lens[i] : len;
			label = (struct dtls_label){ labels[i],
						     { hash, i ? 0 : len } };
			ASSERT_TRUE(dtls_keys13_expand(&c, md, secret, &label,
						       out, n));
			ASSERT_TRUE(kdf(digest, EVP_KDF_HKDF_MODE_EXPAND_ONLY,
					secret, len, NULL, labels[i],
					i ? NULL : hash, i ? 0 : len, wanted,
					n));
			EXPECT_EQ(0, memcmp(out, wanted, n))
				TH_LOG("%s", labels[i]);
		}
	}
	dtls_crypto_exit(&c);
}

/* Which version */

static const struct {
	u16 client_min, client_max, server_min, server_max, result;
} versions[] = {
	{ 0xfefd, 0xfefc, 0xfefd, 0xfefc, 0xfefc },
	{ 0xfefd, 0xfefd, 0xfefd, 0xfefc, 0xfefd },
	{ 0xfefd, 0xfefc, 0xfefd, 0xfefd, 0xfefd },
	{ 0xfefc, 0xfefc, 0xfefd, 0xfefc, 0xfefc },
	{ 0xfefd, 0xfefc, 0xfefc, 0xfefc, 0xfefc },
	{ 0xfefc, 0xfefc, 0xfefd, 0xfefd, 0 },
	{ 0xfefd, 0xfefd, 0xfefc, 0xfefc, 0 },
};

TEST_F(pair13, better_version_is_used)
{
	size_t i;
	int cookie;

	for (i = 0; i < 2 * sizeof(versions) / sizeof(versions[0]); i++) {
		cookie = i % 2;
		self->client.config.version_min = versions[i / 2].client_min;
		self->client.config.version_max = versions[i / 2].client_max;
		self->server.config.version_min = versions[i / 2].server_min;
		self->server.config.version_max = versions[i / 2].server_max;
		self->server.config.flags = cookie ? 0 : KDTLS_NO_COOKIE;
		end_handshake(&self->client, &self->server);
		EXPECT_EQ(!!versions[i / 2].result,
			  end_established(&self->client)) TH_LOG("%zu", i);
		if (versions[i / 2].result) {
			EXPECT_TRUE(end_agree(&self->client, &self->server));
			EXPECT_EQ(versions[i / 2].result,
				  info_of(&self->client).version);
			EXPECT_EQ(versions[i / 2].result,
				  info_of(&self->server).version);
		} else {
			EXPECT_EQ(KDTLS_ALERT_PROTOCOL_VERSION,
				  failure_of(&self->client).alert_received);
		}
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

TEST_F(pair13, downgrade_is_noticed)
{
	static const u8 versions_ext[] = { 0, 43, 0, 5, 4, 0xfe, 0xfc, 0xfe,
					   0xfd };
	u8 *ext;
	long n;

	self->server.config.flags = KDTLS_NO_COOKIE;
	n = (long)first_hello(&self->client, self->buf, self->now);
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	/* Somebody on the way takes DTLS 1.3 out of the offer. */
	ext = memmem(self->buf, (size_t)n, versions_ext, sizeof(versions_ext));
	ASSERT_NE(NULL, ext);
	ext[6] = 0xfd;
	ASSERT_EQ(0, end_input(&self->server, self->buf, (size_t)n, self->now));
	EXPECT_EQ(DTLS_VERSION_1_2, info_of(&self->server).version);
	n = end_output(&self->server, self->buf, END_DATAGRAM, self->now);
	EXPECT_EQ(-KDTLS_EPROTOCOL,
		  end_input(&self->client, self->buf, (size_t)n, self->now));
	EXPECT_EQ(KDTLS_ALERT_ILLEGAL_PARAMETER,
		  failure_of(&self->client).alert_sent);
}

/* Round trips */

/*
 * Datagrams go in turns; a turn each way is a round trip. Return: round trips
 * until @client may send.
 */
static int round_trips(struct end *client, struct end *server, u64 *now)
{
	static u8 buf[END_DATAGRAM];
	int turns = 0;
	long n;

	if (kdtls_engine_start(client->e, *now))
		return -1;
	while (turns < 12) {
		while ((n = end_output(client, buf, sizeof(buf), *now)) > 0)
			end_input(server, buf, (size_t)n, *now);
		if (end_established(client))
			return turns;
		turns++;
		while ((n = end_output(server, buf, sizeof(buf), *now)) > 0)
			end_input(client, buf, (size_t)n, *now);
	}
	return -1;
}

/* The gate */

TEST_F(pair13, gate_accepts_only_the_proven)
{
	u8 reply[KDTLS_GATE_REPLY_SIZE], hello[2048];
	static const u8 cookie_ext[] = { 0, 44 };
	size_t n, at, reply_len = 0;
	struct kdtls_endpoint *ep;
	long len;

	ASSERT_EQ(0, kdtls_endpoint_new(&self->server.config, &ep));
	n = second_hello(&self->client, ep, reply, hello, sizeof(hello),
			 self->now);
	ASSERT_LT(0, n);
	EXPECT_EQ(DTLS_SERVER_HELLO, reply[DTLS12_HEADER_SIZE]);
#define GATE(who, when) end_gate(ep, who, strlen(who), hello, n, \
					    self->now + (when), reply, &reply_len)
	EXPECT_EQ(KDTLS_GATE_ACCEPT, GATE("here", 0));
	/* A cookie that is not good ends it (RFC 9147 5.1). */
	EXPECT_EQ(KDTLS_GATE_REPLY, GATE("hear", 0));
	EXPECT_EQ(DTLS_CT_ALERT, reply[0]);
	EXPECT_EQ(15, reply_len);
	EXPECT_EQ(KDTLS_ALERT_ILLEGAL_PARAMETER, reply[14]);
	at = (size_t)((u8 *)memmem(hello + 60, n - 60, cookie_ext, 2) - hello);
	ASSERT_LT(at, n);
	len = (long)dtls_get_be(hello + at + 4, 2);
	EXPECT_EQ(DTLS_COOKIE_TIME_SIZE + 2 + 2 + 32 + DTLS_RETRY_MAC_SIZE, len);
	for (at += 6; len--; at++) {
		hello[at] ^= 1;
		EXPECT_EQ(KDTLS_GATE_REPLY, GATE("here", 0));
		hello[at] ^= 1;
	}
	/* The next period's key accepts it still, the one after no more. */
	EXPECT_EQ(KDTLS_GATE_ACCEPT, GATE("here", 15000000));
	EXPECT_EQ(KDTLS_GATE_REPLY, GATE("here", 31000000));
	kdtls_endpoint_free(ep);
}

TEST_F(pair13, gate_never_answers_more_than_it_got)
{
	u8 reply[KDTLS_GATE_REPLY_SIZE];
	struct kdtls_endpoint *ep;
	size_t n, len, reply_len;
	unsigned int answered = 0;

	ASSERT_EQ(0, kdtls_endpoint_new(&self->server.config, &ep));
	n = first_hello(&self->client, self->buf, self->now);
	/* Shorter and shorter fragments of it, and shorter and shorter hellos */
	for (len = n - 25; len > 0; len--) {
		dtls_put_be(self->buf + 11, 2, 12 + len);
		dtls_put_be(self->buf + 22, 3, len);
		if (end_gate(ep, "here", 4, self->buf, 25 + len,
			     self->now, reply, &reply_len) ==
		    KDTLS_GATE_REPLY) {
			answered++;
			EXPECT_LT(reply_len, 25 + len);
		}
		dtls_put_be(self->buf + 14, 3, len);
		if (end_gate(ep, "here", 4, self->buf, 25 + len,
			     self->now, reply, &reply_len) ==
		    KDTLS_GATE_REPLY) {
			answered++;
			EXPECT_LT(reply_len, 25 + len);
		}
		dtls_put_be(self->buf + 14, 3, n - 25);
	}
	EXPECT_LT(0, answered);
	kdtls_endpoint_free(ep);
}

TEST_F(pair13, second_hello_in_fragments_is_served)
{
	static u8 piece[16][END_DATAGRAM];
	size_t len[16], count = 0, i;
	long n;

	cert_make(&self->cert, &(struct cert_options){
		.issuer = &self->ca, .name = "DNS:end.example" });
	self->server.config.flags = KDTLS_REQUEST_CERT;
	ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
			       &self->cert, "end.example"));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 2));
	EXPECT_EQ(NULL, self->server.e->hs);
	kdtls_engine_set_mtu(self->client.e, KDTLS_MTU_MIN);
	while (count < 16 && (n = end_output(&self->client, piece[count],
					     END_DATAGRAM, self->now)) > 0)
		len[count++] = (size_t)n;
	ASSERT_LE(2, count);
	/* Backwards; only the whole hello is let in. */
	for (i = count; i--;) {
		EXPECT_EQ(NULL, self->server.e->hs);
		ASSERT_EQ(0, end_input(&self->server, piece[i], len[i],
				       self->now));
	}
	EXPECT_NE(NULL, self->server.e->hs);
	ASSERT_EQ(0, end_exchange(&self->server, &self->client, &self->now, 20));
	EXPECT_TRUE(end_agree(&self->client, &self->server));
}

static const char *const long_name[] = {
	"a-protocol-with-a-name-that-leaves-no-hello-in-one-datagram", NULL
};

TEST_F(pair13, first_hello_in_fragments_is_served)
{
	static u8 piece[8][END_DATAGRAM];
	size_t len[8], count = 0, i, sum = 0;
	u8 reply[KDTLS_GATE_REPLY_SIZE];
	size_t reply_len;
	long n;

	self->client.config.mtu = KDTLS_MTU_MIN;
	self->client.config.alpn = long_name;
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	while (count < 8 && (n = end_output(&self->client, piece[count],
					    END_DATAGRAM, self->now)) > 0) {
		len[count++] = (size_t)n;
		sum += (size_t)n;
	}
	ASSERT_LE(2, count);
	/* The last first, and then the others; strangers push in between. */
	for (i = count; i--;) {
		EXPECT_EQ(KDTLS_GATE_DROP,
			  end_gate(self->server.ep, "a", 1, piece[i],
				   len[i] - 1, self->now, reply,
					      &reply_len));
		EXPECT_EQ(KDTLS_GATE_DROP,
			  end_gate(self->server.ep, "stranger", 8,
				   piece[i ? i : 1], len[i ? i : 1],
					      self->now, reply, &reply_len));
		EXPECT_EQ(i ? KDTLS_GATE_DROP : KDTLS_GATE_REPLY,
			  end_gate(self->server.ep, "address", 7,
				   piece[i], len[i], self->now,
					      reply, &reply_len));
	}
	EXPECT_LT(reply_len, sum);
	ASSERT_EQ(0, end_input(&self->client, reply, reply_len, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 20));
	EXPECT_TRUE(end_agree(&self->client, &self->server));
	/* By an engine alone, without a gate before it, just so */
	end_close(&self->client);
	end_close(&self->server);
	HANDSHAKE();
}

TEST_F(pair13, group_is_asked_for)
{
	static const u16 ours[] = { 29, 24 }, theirs[] = { 24 };
	int cookie;

	self->client.config.groups = ours;
	self->client.config.group_count = 2;
	self->server.config.groups = theirs;
	self->server.config.group_count = 1;
	for (cookie = 0; cookie < 2; cookie++) {
		self->server.config.flags = cookie ? 0 : KDTLS_NO_COOKIE;
		ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
		ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
		EXPECT_EQ(2, round_trips(&self->client, &self->server,
					 &self->now));
		EXPECT_TRUE(end_agree(&self->client, &self->server));
		EXPECT_EQ(24, info_of(&self->client).group);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

TEST_F(pair13, best_group_only_if_it_costs_no_round_trip)
{
	static const u16 ours[] = { 29, 24 }, theirs[] = { 24, 29 };
	int cookie;

	self->client.config.groups = ours;
	self->client.config.group_count = 2;
	self->server.config.groups = theirs;
	self->server.config.group_count = 2;
	for (cookie = 0; cookie < 2; cookie++) {
		self->server.config.flags = cookie ? 0 : KDTLS_NO_COOKIE;
		ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
		ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
		EXPECT_EQ(1 + cookie, round_trips(&self->client, &self->server,
						  &self->now));
		EXPECT_EQ(cookie ? 24 : 29, info_of(&self->client).group);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

TEST_F(pair13, hybrid_group_where_libcrypto_has_it)
{
	static const u16 hybrid[] = { 0x11ec, 29 };
	struct kdtls_endpoint *ep;
	size_t i, count;

	ASSERT_EQ(0, kdtls_endpoint_new(&self->server.config, &ep));
	/* It is the best there is, and must be there if it is insisted on. */
	EXPECT_EQ(dtls_crypto_has_keys("X25519MLKEM768"),
		  ep->groups[0]->id == 0x11ec);
	for (i = 0; i < 2; i++) {
		count = 1 + i;
		self->client.config.groups = hybrid;
		self->client.config.group_count = count;
		self->server.config.groups = hybrid;
		self->server.config.group_count = count;
		if (!dtls_crypto_has_keys("X25519MLKEM768")) {
			EXPECT_EQ(-KDTLS_EUSAGE,
				  end_open(&self->client, KDTLS_CLIENT));
			continue;
		}
		/* Its share is too large for the first datagram. */
		HANDSHAKE();
		EXPECT_EQ(0x11ec, info_of(&self->client).group);
		EXPECT_TRUE(data_passes(&self->client, &self->server));
		end_exit(&self->client);
		end_exit(&self->server);
	}
	kdtls_endpoint_free(ep);
}

/* Keys agreed on before */

TEST_F(pair13, wrong_key_and_unknown_identity_are_the_same)
{
	int unknown;

	for (unknown = 0; unknown < 2; unknown++) {
		self->client.identity = unknown ? "nobody" : "Client_identity";
		self->server.psk = unknown ? psk : "another 16 bytes";
		end_handshake(&self->client, &self->server);
		EXPECT_EQ(KDTLS_EPROTOCOL, failure_of(&self->server).error);
		EXPECT_EQ(KDTLS_ALERT_DECRYPT_ERROR,
			  failure_of(&self->client).alert_received);
		EXPECT_EQ(NULL, self->server.rx);
		EXPECT_EQ(NULL, self->client.rx);
		end_close(&self->client);
		end_close(&self->server);
	}
}

TEST_F(pair13, refused_ticket_falls_back_in_the_same_round_trip)
{
	HANDSHAKE();
	end_close(&self->client);
	end_exit(&self->server);
	self->server.config.flags = KDTLS_NO_COOKIE;
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, kdtls_engine_set_session(self->client.e,
					      self->client.session,
					      self->client.session_len));
	EXPECT_EQ(1, round_trips(&self->client, &self->server, &self->now));
	EXPECT_TRUE(end_agree(&self->client, &self->server));
	EXPECT_EQ(0, info_of(&self->client).resumed);
}

TEST_F(pair13, key_without_group_only_if_both_say_so)
{
	static const u16 ours[] = { 29 }, theirs[] = { 24 };
	int i;

	self->client.config.groups = ours;
	self->client.config.group_count = 1;
	self->server.config.groups = theirs;
	self->server.config.group_count = 1;
	for (i = 0; i < 4; i++) {
		self->client.config.flags = i & 1 ? KDTLS_PSK_KE : 0;
		self->server.config.flags = i & 2 ? KDTLS_PSK_KE : 0;
		end_handshake(&self->client, &self->server);
		EXPECT_EQ(i == 3, end_established(&self->client));
		if (i == 3)
			EXPECT_EQ(0, info_of(&self->client).group);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

/* Let both ends use keys without a group, and a server that asks for no cookie. */
static void allow_no_group(struct end *client, struct end *server)
{
	static const u16 ours[] = { 29, 24 }, theirs[] = { 24 };

	client->config.groups = ours;
	client->config.group_count = 2;
	server->config.groups = theirs;
	server->config.group_count = 1;
	client->config.flags = KDTLS_PSK_KE;
	server->config.flags = KDTLS_PSK_KE | KDTLS_NO_COOKIE;
}

/* RFC 8446 4.1.1: the server asks for the share that the certificate needs. */
TEST_F(pair13, unknown_key_without_group_falls_back_to_a_certificate)
{
	allow_no_group(&self->client, &self->server);
	self->server.identity = "somebody else";
	self->server.config.flags |= KDTLS_REQUEST_CERT;
	cert_make(&self->cert, &(struct cert_options){
		.kind = CERT_P256, .name = "DNS:end.example",
		.issuer = &self->ca });
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, show(&self->server, &self->cert));
	ASSERT_EQ(0, trust(&self->client, &self->ca));
	ASSERT_EQ(0, kdtls_engine_set_name(self->client.e, "end.example"));
	ASSERT_EQ(0, kdtls_engine_set_cid(self->server.e, (u8 *)"cid", 3));
	HANDSHAKE();
	EXPECT_EQ(24, info_of(&self->client).group);
	EXPECT_EQ(KDTLS_AUTH_CERTIFICATE, info_of(&self->client).auth);
}

TEST_F(pair13, unknown_identity_looks_like_a_wrong_key_without_group_too)
{
	int unknown;

	for (unknown = 0; unknown < 2; unknown++) {
		allow_no_group(&self->client, &self->server);
		/* Not even a group in common */
		self->client.config.group_count = 1;
		self->client.identity = unknown ? "nobody" : "Client_identity";
		self->server.psk = "another 16 bytes";
		end_handshake(&self->client, &self->server);
		EXPECT_EQ(KDTLS_ALERT_DECRYPT_ERROR,
			  failure_of(&self->client).alert_received);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

/* What must not be taken */

/* A handshake up to the server's flight, which is in the buffer then */
static long server_flight(struct end *client, struct end *server, u8 *buf,
			  u64 *now)
{
	if (end_open(client, KDTLS_CLIENT) || end_open(server, KDTLS_SERVER) ||
	    kdtls_engine_start(client->e, *now) ||
	    end_exchange(client, server, now, 3))
		return -1;
	return end_output(server, buf, END_DATAGRAM, *now);
}

TEST_F(pair13, server_keeps_to_the_suite_of_its_retry)
{
	u8 *suite = self->buf + DTLS12_HEADER_SIZE + DTLS_MESSAGE_HEADER + 35;
	long n;

	n = server_flight(&self->client, &self->server, self->buf, &self->now);
	ASSERT_LT(0, n);
	ASSERT_EQ(0x1301, dtls_get_be(suite, 2));
	suite[1] = 3;
	EXPECT_EQ(-KDTLS_EPROTOCOL, end_input(&self->client, self->buf,
					      (size_t)n, self->now));
	EXPECT_EQ(KDTLS_ALERT_ILLEGAL_PARAMETER,
		  failure_of(&self->client).alert_sent);
}

TEST_F(pair13, there_is_one_retry)
{
	u8 retry[2048];
	long n;

	n = (long)first_hello(&self->client, self->buf, self->now);
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, end_input(&self->server, self->buf, (size_t)n, self->now));
	n = end_output(&self->server, retry, sizeof(retry), self->now);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, end_input(&self->client, retry, (size_t)n, self->now));
	retry[10]++;	/* the record's number, and the message's */
	retry[18]++;
	EXPECT_EQ(-KDTLS_EPROTOCOL,
		  end_input(&self->client, retry, (size_t)n, self->now));
	EXPECT_EQ(KDTLS_ALERT_UNEXPECTED_MESSAGE,
		  failure_of(&self->client).alert_sent);
}

TEST_F(pair13, nothing_in_the_clear_counts_once_there_are_keys)
{
	u8 forged[DTLS12_HEADER_SIZE + DTLS_MESSAGE_HEADER + 2] = { 0 };
	struct dtls_record record, r = {
		.type = DTLS_CT_HANDSHAKE, .version = DTLS_VERSION_1_2,
		.fragment_len = DTLS_MESSAGE_HEADER + 2, .seq = 99,
	};
	size_t first;
	long n;

	n = server_flight(&self->client, &self->server, self->buf, &self->now);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, dtls_record_parse(&record, self->buf, (size_t)n, (size_t)n,
				       0));
	first = record.header_len + record.fragment_len;
	ASSERT_EQ(0, end_input(&self->client, self->buf, first, self->now));
	ASSERT_NE(NULL, motion(self->client.e)->rx);
	dtls_record_write_header(forged, &r);
	dtls_fragment_write(forged + DTLS12_HEADER_SIZE,
			    DTLS_ENCRYPTED_EXTENSIONS, 2,
			    self->client.e->hs->in.next, 0, 2);
	ASSERT_EQ(0, end_input(&self->client, forged, sizeof(forged),
			       self->now));
	ASSERT_EQ(0, end_input(&self->client, self->buf + first,
			       (size_t)n - first, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 20));
	EXPECT_TRUE(end_agree(&self->client, &self->server));
}

/*
 * Return the ServerHello that the server sends, as one record in @buf, and its bytes; 0 on
 * failure. The client is about to receive it.
 */
static size_t server_hello(struct end *client, struct end *server, u8 *buf, u64 *now)
{
	long n = server_flight(client, server, buf, now);
	struct dtls_record record;

	if (n <= 0 || dtls_record_parse(&record, buf, (size_t)n, (size_t)n, 0))
		return 0;
	return (size_t)record.header_len + record.fragment_len;
}

/* Return the first record of @client under the handshake's key, as its number, or -1. */
static long long acknowledged(struct end *client, u8 *buf, u64 *now)
{
	u64 seq = motion(client->e)->tx->seq;
	long n;

	*now = kdtls_engine_expiry(client->e);
	if (kdtls_engine_expire(client->e, *now))
		return -1;
	while ((n = end_output(client, buf, END_DATAGRAM, *now)) > 0)
		if ((buf[0] & 0xe3) == (DTLS_UNIFIED | DTLS13_EPOCH_HANDSHAKE))
			return (long long)seq;
	return -1;
}

/*
 * A ServerHello that another one took the place of may come again. Its keys come again
 * then, and with them no number that was used.
 */
TEST_F(pair13, keys_that_come_again_go_on_with_their_numbers)
{
	u8 *random = self->buf + DTLS12_HEADER_SIZE + DTLS_MESSAGE_HEADER + 2;
	size_t len = server_hello(&self->client, &self->server, self->buf,
				  &self->now);
	u8 out[END_DATAGRAM], iv[3][DTLS_IV_SIZE];
	long long seq[3];
	int i;

	ASSERT_NE(0, len);
	for (i = 0; i < 3; i++) {
		*random ^= 1;
		self->buf[10] = (u8)(50 + i);
		ASSERT_EQ(0, end_input(&self->client, self->buf, len,
				       self->now));
		memcpy(iv[i], motion(self->client.e)->tx->iv, DTLS_IV_SIZE);
		seq[i] = acknowledged(&self->client, out, &self->now);
		ASSERT_LE(0, seq[i]);
	}
	EXPECT_NE(0, memcmp(iv[0], iv[1], DTLS_IV_SIZE));
	EXPECT_EQ(0, memcmp(iv[0], iv[2], DTLS_IV_SIZE));
	EXPECT_LT(seq[0], seq[2]);
}

/* A peer whose record has verified has keys for its alerts, too. */
TEST_F(pair13, alerts_in_the_clear_mean_nothing_once_the_peer_has_keys)
{
	static const u8 alert[] = { 21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0,
				    2, 2, 40 };
	struct end *ends[] = { &self->server, &self->client };
	struct end *to;
	int i, heard[2] = { 0 };
	long n;

	cert_make(&self->cert, &(struct cert_options){
		.kind = CERT_RSA, .name = "DNS:end.example",
		.issuer = &self->ca });
	/* Flights of several datagrams */
	self->client.config.mtu = 400;
	self->server.config.mtu = 400;
	self->server.config.flags = KDTLS_REQUIRE_CERT;
	ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
			       &self->cert, "end.example"));
	ASSERT_EQ(0, show(&self->client, &self->cert));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	for (i = 0; i < 100; i++) {
		n = end_output(ends[i % 2], self->buf, END_DATAGRAM, self->now);
		if (n <= 0)
			continue;
		to = ends[!(i % 2)];
		ASSERT_EQ(0, end_input(to, self->buf, (size_t)n, self->now));
		if (!to->e->hs || !motion(to->e)->rx ||
		    !dtls_protection_reading(motion(to->e)->rx)->seen.next)
			continue;
		heard[i % 2]++;
		EXPECT_EQ(0, end_input(to, alert, sizeof(alert), self->now));
	}
	EXPECT_LT(0, heard[0]);
	EXPECT_LT(0, heard[1]);
	EXPECT_TRUE(end_agree(&self->client, &self->server));
}

TEST_F(pair13, finished_is_the_last_message)
{
	u8 message[DTLS_MESSAGE_HEADER + 1] = { 0 }, record[256];
	long last;
	size_t n;

	last = server_flight(&self->client, &self->server, self->buf,
			     &self->now);
	ASSERT_LT(0, last);
	ASSERT_EQ(0, end_input(&self->client, self->buf, (size_t)last,
			       self->now));
	last = end_output(&self->client, self->buf, END_DATAGRAM, self->now);
	ASSERT_LT(0, last);
	ASSERT_NE(NULL, motion(self->client.e)->tx);
	dtls_fragment_write(message, DTLS_KEY_UPDATE, 1,
			    (u16)self->client.e->d13->send_seq, 0, 1);
	n = dtls_protection_seal(motion(self->client.e)->tx, DTLS_CT_HANDSHAKE, message,
				 sizeof(message), record);
	ASSERT_EQ(0, end_input(&self->server, record, n, self->now));
	EXPECT_EQ(-KDTLS_EPROTOCOL, end_input(&self->server, self->buf,
					      (size_t)last, self->now));
	EXPECT_EQ(KDTLS_ALERT_UNEXPECTED_MESSAGE,
		  failure_of(&self->server).alert_sent);
}

/* RFC 8446 4.4.3, word for word: both our ends might have it wrong. */
TEST_F(pair13, server_signs_what_the_rfc_says)
{
	static const char context[] = "TLS 1.3, server CertificateVerify";
	struct dtls_bytes all, m, body, signature = { 0 };
	u8 signed_bytes[64 + sizeof(context) + 32];
	const u8 *begin;
	EVP_MD_CTX *ctx;
	u16 scheme = 0;
	u8 type = 0;

	cert_make(&self->cert, &(struct cert_options){
		.issuer = &self->ca, .name = "DNS:end.example" });
	ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
			       &self->cert, "end.example"));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 3));
	ASSERT_NE(NULL, self->server.e->hs);
	all = (struct dtls_bytes){ self->server.e->hs->transcript.all.p,
				   self->server.e->hs->transcript.all.len };
	for (begin = all.p; all.len; begin = all.p) {
		ASSERT_TRUE(rd_u8(&all, &type) && rd_vec(&all, 3, &m));
		if (type == DTLS_CERTIFICATE_VERIFY)
			break;
	}
	ASSERT_EQ(DTLS_CERTIFICATE_VERIFY, type);
	body = m;
	ASSERT_TRUE(rd_u16(&body, &scheme) && rd_vec(&body, 2, &signature));
	ASSERT_EQ(0x0403, scheme);
	memset(signed_bytes, ' ', 64);
	memcpy(signed_bytes + 64, context, sizeof(context));
	all.p = self->server.e->hs->transcript.all.p;
	ASSERT_EQ(1, EVP_Digest(all.p, (size_t)(begin - all.p),
				signed_bytes + 64 + sizeof(context), NULL,
				EVP_sha256(), NULL));
	ctx = EVP_MD_CTX_new();
	ASSERT_EQ(1, EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL,
					  self->cert.key));
	EXPECT_EQ(1, EVP_DigestVerify(ctx, signature.p, signature.len,
				      signed_bytes, sizeof(signed_bytes)));
	EVP_MD_CTX_free(ctx);
}

TEST_F(pair13, a_key_is_no_certificate)
{
	self->server.config.flags = KDTLS_REQUIRE_CERT;
	EXPECT_NE(0, end_handshake(&self->client, &self->server));
	EXPECT_FALSE(end_established(&self->server));
}

/* A session of one handshake, offered to the same server again */
static int offer_again(struct end *client, struct end *server, u64 *now)
{
	end_exchange(client, server, now, 10);
	end_close(client);
	end_close(server);
	if (end_open(client, KDTLS_CLIENT) || end_open(server, KDTLS_SERVER) ||
	    kdtls_engine_set_name(client->e, "end.example"))
		return -1;
	return kdtls_engine_set_session(client->e, client->session,
					client->session_len);
}

TEST_F(pair13, a_ticket_is_as_good_as_its_handshake)
{
	cert_make(&self->cert, &(struct cert_options){
		.issuer = &self->ca,
		.name = "DNS:end.example,DNS:other.example" });
	ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
			       &self->cert, "end.example"));
	HANDSHAKE();
	ASSERT_EQ(0, offer_again(&self->client, &self->server, &self->now));
	HANDSHAKE();
	EXPECT_TRUE(info_of(&self->server).resumed);
	/* It is not good for another name. */
	ASSERT_EQ(0, offer_again(&self->client, &self->server, &self->now));
	ASSERT_EQ(0, kdtls_engine_set_name(self->client.e, "other.example"));
	HANDSHAKE();
	EXPECT_FALSE(info_of(&self->server).resumed);
	/* Who has shown no certificate does not get round it. */
	end_exchange(&self->client, &self->server, &self->now, 10);
	end_close(&self->client);
	end_close(&self->server);
	self->server.ep->config.flags |= KDTLS_REQUIRE_CERT;
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, kdtls_engine_set_name(self->client.e, "other.example"));
	ASSERT_EQ(0, kdtls_engine_set_session(self->client.e,
					      self->client.session,
					      self->client.session_len));
	end_handshake(&self->client, &self->server);
	EXPECT_FALSE(end_established(&self->server));
}

/* Acknowledgements */

TEST_F(pair13, last_flight_is_kept_until_acknowledged)
{
	long n, sent = 0;

	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(2, round_trips(&self->client, &self->server, &self->now));
	ASSERT_TRUE(end_established(&self->server));
	EXPECT_NE(NULL, motion(self->client.e)->flight.first);
	EXPECT_NE(NULL, motion(self->client.e)->tx);
	/* The server's answer is lost; the client's timer brings another. */
	while (end_output(&self->server, self->buf, END_DATAGRAM, self->now) > 0)
		;
	self->now = kdtls_engine_expiry(self->client.e);
	ASSERT_EQ(0, kdtls_engine_expire(self->client.e, self->now));
	while ((n = end_output(&self->client, self->buf, END_DATAGRAM,
			       self->now)) > 0)
		ASSERT_EQ(0, end_input(&self->server, self->buf, (size_t)n,
				       self->now));
	while ((n = end_output(&self->server, self->buf, END_DATAGRAM,
			       self->now)) > 0) {
		sent++;
		ASSERT_EQ(0, end_input(&self->client, self->buf, (size_t)n,
				       self->now));
	}
	EXPECT_EQ(1, sent);
	EXPECT_EQ(NULL, motion(self->client.e)->flight.first);
	EXPECT_EQ(NULL, motion(self->client.e)->tx);
	EXPECT_EQ(KDTLS_NEVER, kdtls_engine_expiry(self->client.e));
	/* And it answers as long as it lingers, no longer. */
	ASSERT_NE(NULL, motion(self->server.e)->rx);
	self->now = 1000000 + 240000000;
	kdtls_engine_expire(self->server.e, self->now);
	EXPECT_EQ(NULL, motion(self->server.e)->rx);
}

TEST_F(pair13, silent_peer_ends_an_unproven_handshake)
{
	self->client.config.retransmits = 3;
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(2, round_trips(&self->client, &self->server, &self->now));
	while (kdtls_engine_expiry(self->client.e) != KDTLS_NEVER) {
		self->now = kdtls_engine_expiry(self->client.e);
		kdtls_engine_expire(self->client.e, self->now);
		while (end_output(&self->client, self->buf, END_DATAGRAM,
				  self->now) > 0)
			;
	}
	EXPECT_EQ(KDTLS_ETIMEOUT, failure_of(&self->client).error);
}

/* A part of the client's last flight has come, and the server waits for the rest. */
TEST_F(pair13, a_server_waits_as_often_as_it_is_told)
{
	int i;
	long n;

	cert_make(&self->cert, &(struct cert_options){
		.kind = CERT_RSA, .name = "DNS:end.example",
		.issuer = &self->ca });
	self->client.config.mtu = 400;
	self->server.config.flags = KDTLS_REQUIRE_CERT;
	self->server.config.retransmits = UINT32_MAX;
	ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
			       &self->cert, "end.example"));
	ASSERT_EQ(0, show(&self->client, &self->cert));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 4));
	n = end_output(&self->client, self->buf, END_DATAGRAM, self->now);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, end_input(&self->server, self->buf, (size_t)n, self->now));
	ASSERT_EQ(NULL, motion(self->server.e)->flight.first);
	for (i = 0; i < 20; i++) {
		self->now = kdtls_engine_expiry(self->server.e);
		ASSERT_EQ(0, kdtls_engine_expire(self->server.e, self->now));
		while (end_output(&self->server, self->buf, END_DATAGRAM,
				  self->now) > 0)
			;
	}
}

TEST_F(pair13, only_what_is_missing_is_sent_again)
{
	static const u16 x25519[] = { 29 };
	u8 lost[END_DATAGRAM];
	size_t lost_len = 0, all = 0, again = 0;
	unsigned int i;
	u64 timeout;
	long n;

	self->client.config.groups = x25519;
	self->client.config.group_count = 1;
	cert_make(&self->cert, &(struct cert_options){
		.kind = CERT_RSA, .issuer = &self->ca,
		.name = "DNS:end.example" });
	self->server.config.mtu = KDTLS_MTU_MIN;
	ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
			       &self->cert, "end.example"));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 3));
	/* The second datagram of the server's flight is lost. */
	for (i = 0; (n = end_output(&self->server, self->buf, END_DATAGRAM,
				    self->now)) > 0; i++) {
		all += (size_t)n;
		if (i == 1) {
			memcpy(lost, self->buf, (size_t)n);
			lost_len = (size_t)n;
			continue;
		}
		ASSERT_EQ(0, end_input(&self->client, self->buf, (size_t)n,
				       self->now));
	}
	ASSERT_LT(3, i);
	/* The client says what it has well before the server's timer. */
	EXPECT_LT(kdtls_engine_expiry(self->client.e),
		  kdtls_engine_expiry(self->server.e));
	self->now = kdtls_engine_expiry(self->client.e);
	ASSERT_EQ(0, kdtls_engine_expire(self->client.e, self->now));
	n = end_output(&self->client, self->buf, END_DATAGRAM, self->now);
	ASSERT_LT(0, n);
	timeout = motion(self->server.e)->timer.timeout;
	ASSERT_EQ(0, end_input(&self->server, self->buf, (size_t)n, self->now));
	/* What is late and not lost has a moment to be acknowledged, too. */
	EXPECT_EQ(0, end_output(&self->server, self->buf, END_DATAGRAM,
				self->now));
	EXPECT_EQ(self->now + timeout / 16,
		  kdtls_engine_expiry(self->server.e));
	self->now = kdtls_engine_expiry(self->server.e);
	ASSERT_EQ(0, kdtls_engine_expire(self->server.e, self->now));
	/* It goes out with a timer of its own (RFC 9147 5.8.1). */
	EXPECT_EQ(self->now + 2 * timeout, motion(self->server.e)->timer.expiry);
	while ((n = end_output(&self->server, self->buf, END_DATAGRAM,
			       self->now)) > 0) {
		again += (size_t)n;
		ASSERT_EQ(0, end_input(&self->client, self->buf, (size_t)n,
				       self->now));
	}
	EXPECT_LE(lost_len, again);
	EXPECT_LT(again, lost_len + 128);
	EXPECT_LT(again, all / 2);
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 20));
	EXPECT_TRUE(end_agree(&self->client, &self->server));
}

/* Records and datagrams of what an end has to send */
static void count_output(struct end *end, u8 *buf, u64 now, unsigned int *records,
			 unsigned int *datagrams)
{
	struct dtls_bytes d, bytes;
	struct dtls_record record;
	u64 dropped = 0;
	long n;

	*records = 0;
	for (*datagrams = 0; (n = end_output(end, buf, END_DATAGRAM, now)) > 0;
	     ++*datagrams) {
		d = (struct dtls_bytes){ buf, (size_t)n };
		while (dtls_datagram_next(&d, 0, &record, &bytes, &dropped))
			++*records;
	}
}

TEST_F(pair13, a_flight_sent_again_has_a_record_for_each_message)
{
	unsigned int first[2], again[2], messages = 0, mtu;
	const struct dtls_outgoing *m;

	cert_make(&self->cert, &(struct cert_options){
		.issuer = &self->ca, .name = "DNS:end.example" });
	for (mtu = 256; mtu <= 1400; mtu += 44) {
		self->server.config.mtu = mtu;
		self->server.config.mtu_min = mtu;
		self->server.config.flags = KDTLS_NO_COOKIE | KDTLS_REQUEST_CERT;
		ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
				       &self->cert, "end.example"));
		ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
		ASSERT_EQ(0, end_exchange(&self->client, &self->server,
					  &self->now, 1));
		messages = 0;
		for (m = motion(self->server.e)->flight.first; m; m = m->next)
			messages++;
		ASSERT_EQ(6, messages);
		count_output(&self->server, self->buf, self->now, &first[0],
			     &first[1]);
		self->now = kdtls_engine_expiry(self->server.e);
		ASSERT_EQ(0, kdtls_engine_expire(self->server.e, self->now));
		count_output(&self->server, self->buf, self->now, &again[0],
			     &again[1]);
		/* It costs no datagram, and is had where there is room. */
		EXPECT_EQ(first[1], again[1]) TH_LOG("mtu %u", mtu);
		EXPECT_LE(first[0], again[0]);
		end_exit(&self->client);
		end_exit(&self->server);
	}
	EXPECT_EQ(1, again[1]);
	EXPECT_EQ(2, first[0]);
	EXPECT_EQ(messages, again[0]);
}

/* Two ends of which one has said its flight to the other but for its end */
static int begin_with(struct end *client, struct end *server,
		      const struct cert *ca, const struct cert *cert, u64 *now)
{
	client->config.mtu = KDTLS_MTU_MIN;
	server->config.mtu = KDTLS_MTU_MIN;
	server->config.flags = KDTLS_NO_COOKIE | KDTLS_REQUIRE_CERT;
	return open_with(client, server, ca, cert, "end.example") ||
	       show(client, cert) || kdtls_engine_start(client->e, *now) ||
	       end_exchange(client, server, now, 1);
}

/* All but the last datagram that is to be had. Return: how many arrived. */
static int all_but_one(struct end *from, struct end *to, u64 now)
{
	static u8 buf[2][END_DATAGRAM];
	long n, before = 0;
	int i, arrived = 0;

	for (i = 0; (n = end_output(from, buf[i], END_DATAGRAM, now)) > 0;
	     i = !i) {
		if (before && end_input(to, buf[!i], (size_t)before, now))
			return -1;
		arrived += before > 0;
		before = n;
	}
	return arrived;
}

/* Return true if a datagram has a protected record behind one in the clear. */
static bool mixes_epochs(const u8 *datagram, size_t len)
{
	struct dtls_record r;
	bool clear = false;
	size_t at;

	for (at = 0; at < len; at += r.header_len + r.fragment_len) {
		if (dtls_record_parse(&r, datagram + at, len - at, len - at, 0))
			return false;
		if (clear && r.epoch)
			return true;
		clear |= !r.epoch;
	}
	return false;
}

/* Clients exist that have keys and drop what begins with a record in the clear. */
TEST_F(pair13, unanswered_flight_keeps_what_is_in_the_clear_apart)
{
	bool mixed;
	int i;
	long n;

	self->server.config.flags = KDTLS_NO_COOKIE;
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 1));
	for (i = 0; i < 4; i++) {
		mixed = false;
		while ((n = end_output(&self->server, self->buf, END_DATAGRAM,
				       self->now)) > 0)
			mixed |= mixes_epochs(self->buf, (size_t)n);
		/* At first, and the first time again, all fits into one. */
		EXPECT_EQ(i < 2, mixed)
			TH_LOG("sent %d times before", i);
		self->now = kdtls_engine_expiry(self->server.e);
		ASSERT_EQ(0, kdtls_engine_expire(self->server.e, self->now));
	}
	ASSERT_EQ(0, end_exchange(&self->server, &self->client, &self->now,
				  10));
	EXPECT_TRUE(end_agree(&self->client, &self->server));
}

TEST_F(pair13, part_of_an_answer_acknowledges_the_flight)
{
	u64 begin;
	int sent;

	cert_make(&self->cert, &(struct cert_options){
		.kind = CERT_RSA, .issuer = &self->ca,
		.name = "DNS:end.example" });
	ASSERT_EQ(0, begin_with(&self->client, &self->server, &self->ca,
				&self->cert, &self->now));
	EXPECT_NE(NULL, motion(self->client.e)->flight.first);
	ASSERT_LT(2, all_but_one(&self->server, &self->client, self->now));
	EXPECT_EQ(NULL, motion(self->client.e)->flight.first);
	/* It says what it has, once, and waits for the rest; not for ever. */
	begin = self->now;
	for (sent = 0; kdtls_engine_state(self->client.e) == KDTLS_HANDSHAKE;) {
		self->now = kdtls_engine_expiry(self->client.e);
		ASSERT_NE(KDTLS_NEVER, self->now);
		kdtls_engine_expire(self->client.e, self->now);
		while (end_output(&self->client, self->buf, END_DATAGRAM,
				  self->now) > 0)
			sent++;
	}
	EXPECT_EQ(1, sent);
	EXPECT_EQ(KDTLS_ETIMEOUT, failure_of(&self->client).error);
	/* Longer than the server tries: nine times, 1 s to 60 s */
	EXPECT_LT(begin + 243000000, self->now);
}

/* A part of the client's second hello shows that the HelloRetryRequest has arrived. */
TEST_F(pair13, part_of_a_second_hello_acknowledges_the_retry)
{
	static const u16 ours[] = { 29, 23 }, theirs[] = { 23 };
	long n;

	self->client.config.groups = ours;
	self->client.config.group_count = 2;
	self->server.config.groups = theirs;
	self->server.config.group_count = 1;
	self->server.config.flags = KDTLS_NO_COOKIE;
	n = (long)first_hello(&self->client, self->buf, self->now);
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, end_input(&self->server, self->buf, (size_t)n, self->now));
	n = end_output(&self->server, self->buf, END_DATAGRAM, self->now);
	ASSERT_LT(0, n);
	EXPECT_NE(NULL, motion(self->server.e)->flight.first);
	ASSERT_EQ(0, end_input(&self->client, self->buf, (size_t)n, self->now));
	kdtls_engine_set_mtu(self->client.e, KDTLS_MTU_MIN);
	n = end_output(&self->client, self->buf, END_DATAGRAM, self->now);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, end_input(&self->server, self->buf, (size_t)n, self->now));
	EXPECT_EQ(NULL, motion(self->server.e)->flight.first);
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 20));
	EXPECT_TRUE(end_agree(&self->client, &self->server));
}

TEST_F(pair13, server_acknowledges_under_the_data_key)
{
	struct dtls_record record;
	long n;

	cert_make(&self->cert, &(struct cert_options){
		.kind = CERT_RSA, .issuer = &self->ca,
		.name = "DNS:end.example" });
	ASSERT_EQ(0, begin_with(&self->client, &self->server, &self->ca,
				&self->cert, &self->now));
	ASSERT_EQ(0, end_exchange(&self->server, &self->client, &self->now, 1));
	ASSERT_LT(2, all_but_one(&self->client, &self->server, self->now));
	ASSERT_TRUE(end_established(&self->client));
	self->now = kdtls_engine_expiry(self->server.e);
	ASSERT_EQ(0, kdtls_engine_expire(self->server.e, self->now));
	n = end_output(&self->server, self->buf, END_DATAGRAM, self->now);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, dtls_record_parse(&record, self->buf, (size_t)n, (size_t)n,
				       0));
	EXPECT_EQ(DTLS13_EPOCH_DATA, record.unified & DTLS_UNIFIED_EPOCH);
	ASSERT_EQ(0, end_input(&self->client, self->buf, (size_t)n, self->now));
	/* What is missing comes, and the key's owner goes on with its numbers. */
	self->now = kdtls_engine_expiry(self->client.e);
	ASSERT_EQ(0, kdtls_engine_expire(self->client.e, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 10));
	ASSERT_TRUE(end_agree(&self->client, &self->server));
	EXPECT_EQ(1, self->server.tx_key.rec_seq);
	EXPECT_TRUE(data_passes(&self->server, &self->client));
	EXPECT_EQ(NULL, motion(self->client.e)->flight.first);
}

TEST_F(pair13, what_has_no_place_under_the_handshake_key_ends_it)
{
	static const u8 types[] = { DTLS_CT_APPLICATION_DATA, 0 };
	u8 record[256];
	size_t i, n;

	for (i = 0; i < 2; i++) {
		self->server.config.flags = KDTLS_NO_COOKIE;
		ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
		ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
		ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
		ASSERT_EQ(0, end_exchange(&self->client, &self->server,
					  &self->now, 2));
		n = dtls_protection_seal(motion(self->client.e)->tx, types[i], record,
					 0, record);
		ASSERT_LT(0, n);
		EXPECT_EQ(-KDTLS_EPROTOCOL,
			  end_input(&self->server, record, n, self->now));
		EXPECT_EQ(KDTLS_ALERT_UNEXPECTED_MESSAGE,
			  failure_of(&self->server).alert_sent);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

TEST_F(pair13, protected_records_before_the_hello_are_told)
{
	u8 hello[END_DATAGRAM];
	struct dtls_record record;
	size_t first;
	long n;

	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 3));
	n = end_output(&self->server, hello, sizeof(hello), self->now);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, dtls_record_parse(&record, hello, (size_t)n, (size_t)n, 0));
	first = record.header_len + record.fragment_len;
	/* All but ServerHello arrives. */
	ASSERT_EQ(0, end_input(&self->client, hello + first, (size_t)n - first,
			       self->now));
	EXPECT_EQ(NULL, motion(self->client.e)->rx);
	ASSERT_EQ(0, end_input(&self->client, hello, first, self->now));
	/* What was held is opened, and the handshake goes on. */
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 20));
	EXPECT_TRUE(end_agree(&self->client, &self->server));
	EXPECT_EQ(0, info_of(&self->server).flights_resent);
}

TEST_F(pair13, data_that_overtakes_the_last_flight_is_not_lost)
{
	u8 data[256], last[END_DATAGRAM];
	size_t len;
	long n;

	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 4));
	n = end_output(&self->client, last, sizeof(last), self->now);
	ASSERT_LT(0, n);
	ASSERT_TRUE(end_established(&self->client));
	len = end_send(&self->client, "early", 5, data);
	ASSERT_EQ(0, end_input(&self->server, data, len, self->now));
	ASSERT_EQ(0, end_input(&self->server, data, len, self->now));
	EXPECT_EQ(0, self->server.received_len);
	ASSERT_EQ(0, end_input(&self->server, last, (size_t)n, self->now));
	EXPECT_TRUE(end_established(&self->server));
	EXPECT_EQ(5, self->server.received_len);
	/* Whoever has the keys now knows that it was seen. */
	ASSERT_EQ(0, end_input(&self->server, data, len, self->now));
	EXPECT_EQ(5, self->server.received_len);
}

/* After the handshake */

TEST_F(pair13, keys_are_updated)
{
	int i;

	HANDSHAKE();
	for (i = 1; i <= 40; i++) {
		ASSERT_EQ(0, kdtls_engine_update_keys(self->client.e, i % 2));
		ASSERT_EQ(0, end_exchange(&self->client, &self->server,
					  &self->now, 10));
		EXPECT_EQ(3 + i, self->client.tx_key.epoch);
		EXPECT_EQ(3 + (i + 1) / 2, self->server.tx_key.epoch);
		ASSERT_TRUE(end_agree(&self->client, &self->server));
		ASSERT_TRUE(data_passes(&self->client, &self->server));
		ASSERT_TRUE(data_passes(&self->server, &self->client));
		self->client.received_len = 0;
		self->server.received_len = 0;
	}
	EXPECT_EQ(NULL, motion(self->client.e)->flight.first);
	EXPECT_EQ(KDTLS_NEVER, kdtls_engine_expiry(self->client.e));
}

TEST_F(pair13, write_key_waits_for_the_acknowledgement)
{
	long n;

	HANDSHAKE();
	ASSERT_EQ(0, kdtls_engine_update_keys(self->client.e, false));
	n = end_output(&self->client, self->buf, END_DATAGRAM, self->now);
	ASSERT_LT(0, n);
	/* It is lost. */
	EXPECT_EQ(3, self->client.tx_key.epoch);
	ASSERT_TRUE(data_passes(&self->client, &self->server));
	self->now = kdtls_engine_expiry(self->client.e);
	ASSERT_EQ(0, kdtls_engine_expire(self->client.e, self->now));
	n = end_output(&self->client, self->buf, END_DATAGRAM, self->now);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, end_input(&self->server, self->buf, (size_t)n, self->now));
	EXPECT_EQ(4, self->server.rx_key.epoch);
	/* So is the answer. The old key is good until the new one is used. */
	ASSERT_LT(0, end_output(&self->server, self->buf, END_DATAGRAM,
				self->now));
	EXPECT_EQ(3, self->client.tx_key.epoch);
	ASSERT_TRUE(data_passes(&self->client, &self->server));
	self->now = kdtls_engine_expiry(self->client.e);
	ASSERT_EQ(0, kdtls_engine_expire(self->client.e, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 4));
	EXPECT_EQ(4, self->client.tx_key.epoch);
	EXPECT_EQ(4, self->server.rx_key.epoch);
	ASSERT_TRUE(data_passes(&self->client, &self->server));
}

/* Data may go out between a message of ours and the peer's answer to it. */
TEST_F(pair13, acknowledgement_of_another_record_is_none)
{
	u64 seq;
	u8 ack[18] = { 0, 16 };

	HANDSHAKE();
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 10));
	ASSERT_EQ(0, kdtls_engine_update_keys(self->client.e, false));
	seq = self->client.tx->seq;
	ASSERT_LT(0, end_output(&self->client, self->buf, END_DATAGRAM,
				self->now));
	ASSERT_EQ(seq + 1, self->client.tx->seq);
	/* The datagram is lost, and the data behind it comes. */
	ASSERT_TRUE(data_passes(&self->client, &self->server));
	dtls_put_be(ack + 2, 8, 3);
	dtls_put_be(ack + 10, 8, seq + 1);
	ASSERT_EQ(0, inject(&self->server, &self->client, DTLS_CT_ACK, ack,
			    sizeof(ack), self->now));
	EXPECT_EQ(3, self->client.tx_key.epoch);
	dtls_put_be(ack + 10, 8, seq);
	ASSERT_EQ(0, inject(&self->server, &self->client, DTLS_CT_ACK, ack,
			    sizeof(ack), self->now));
	EXPECT_EQ(4, self->client.tx_key.epoch);
}

TEST_F(pair13, old_read_key_goes_two_minutes_after_the_new_one_is_used)
{
	u8 late[3][256];
	size_t n[3];
	int i;

	HANDSHAKE();
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 10));
	for (i = 0; i < 3; i++)
		n[i] = end_send(&self->client, "late", 4, late[i]);
	ASSERT_EQ(0, kdtls_engine_update_keys(self->client.e, false));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 10));
	ASSERT_EQ(4, self->client.tx_key.epoch);
	/* The client may not know yet that there is a new one. */
	self->now += 300000000;
	ASSERT_EQ(0, end_input(&self->server, late[0], n[0], self->now));
	EXPECT_EQ(4, self->server.received_len);
	n[0] = end_send(&self->client, "new", 3, late[0]);
	ASSERT_EQ(0, end_input(&self->server, late[0], n[0], self->now));
	EXPECT_EQ(7, self->server.received_len);
	/* RFC 9147 4.2.1 */
	self->now += 119999999;
	ASSERT_EQ(0, end_input(&self->server, late[1], n[1], self->now));
	EXPECT_EQ(11, self->server.received_len);
	self->now++;
	ASSERT_EQ(0, end_input(&self->server, late[2], n[2], self->now));
	EXPECT_EQ(11, self->server.received_len);
	EXPECT_EQ(NULL, self->server.rx_before);
}

TEST_F(pair13, the_last_numbers_are_used_and_none_twice)
{
	struct dtls13 *d;

	HANDSHAKE();
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 10));
	d = self->client.e->d13;
	d->send_seq = 65535;
	self->server.e->d13->receive_seq = 65535;
	ASSERT_EQ(0, kdtls_engine_update_keys(self->client.e, false));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 10));
	EXPECT_EQ(4, self->client.tx_key.epoch);
	EXPECT_EQ(4, self->server.rx_key.epoch);
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_update_keys(self->client.e, false));
	/* Whatever the server is sent now is old to it. */
	EXPECT_EQ(65536, self->server.e->d13->receive_seq);
	d->send_seq = 0;
	ASSERT_EQ(0, inject_message(&self->client, &self->server,
				    DTLS_KEY_UPDATE, "", 0, self->now));
	EXPECT_EQ(4, self->server.rx_key.epoch);
	d->tx_epoch = 65535;
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_update_keys(self->client.e, false));
}

TEST_F(pair13, limits_make_new_keys)
{
	struct dtls_record_info info = {
		.flags = DTLS_RECORD_EVENT,
		.event = DTLS_EVENT_TX_LIMIT,
	};

	HANDSHAKE();
	ASSERT_EQ(0, kdtls_engine_input(self->client.e, NULL, 0, &info,
					self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 10));
	EXPECT_EQ(4, self->client.tx_key.epoch);
	EXPECT_EQ(3, self->client.rx_key.epoch);
	info.event = DTLS_EVENT_RX_LIMIT;
	ASSERT_EQ(0, kdtls_engine_input(self->client.e, NULL, 0, &info,
					self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 10));
	EXPECT_EQ(4, self->client.rx_key.epoch);
	EXPECT_TRUE(end_agree(&self->client, &self->server));
}

static const struct wrong wrong[] = {
	{ DTLS_KEY_UPDATE, 0, { 0 }, KDTLS_ALERT_DECODE_ERROR },
	{ DTLS_KEY_UPDATE, 2, { 0 }, KDTLS_ALERT_DECODE_ERROR },
	{ DTLS_KEY_UPDATE, 1, { 2 }, KDTLS_ALERT_ILLEGAL_PARAMETER },
	{ DTLS_FINISHED, 1, { 0 }, KDTLS_ALERT_UNEXPECTED_MESSAGE },
	{ DTLS_NEW_SESSION_TICKET, 1, { 0 }, KDTLS_ALERT_UNEXPECTED_MESSAGE },
	{ DTLS_REQUEST_CONNECTION_ID, 1, { 1 }, KDTLS_ALERT_UNEXPECTED_MESSAGE },
	{ DTLS_REQUEST_CONNECTION_ID, 0, { 0 }, KDTLS_ALERT_DECODE_ERROR },
	{ DTLS_NEW_CONNECTION_ID, 3, { 0, 0, 1 }, KDTLS_ALERT_UNEXPECTED_MESSAGE },
	{ DTLS_NEW_CONNECTION_ID, 2, { 0, 0 }, KDTLS_ALERT_DECODE_ERROR },
};

TEST_F(pair13, wrong_messages_end_it)
{
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		HANDSHAKE();
		EXPECT_TRUE(refused(&self->client, &self->server, &wrong[i],
				    self->now))
			TH_LOG("%zu", i);
		end_close(&self->client);
		end_close(&self->server);
	}
}

TEST_F(pair13, a_key_update_is_its_keys_last_message)
{
	static const u8 no[] = { 0 };

	HANDSHAKE();
	ASSERT_EQ(0, inject_message(&self->client, &self->server,
				    DTLS_KEY_UPDATE, no, 1, self->now));
	EXPECT_EQ(-KDTLS_EPROTOCOL,
		  inject_message(&self->client, &self->server, DTLS_KEY_UPDATE,
				 no, 1, self->now));
	EXPECT_EQ(KDTLS_ALERT_UNEXPECTED_MESSAGE,
		  failure_of(&self->server).alert_sent);
}

static const u8 ticket[] = { 0, 0, 1, 0, 1, 2, 3, 4, 1, 7, 0, 2, 't', 't',
			     0, 0 };

/* The ticket numbered @at of those that the server may send */
static int inject_ticket(struct end *server, struct end *client, int at,
			 u64 now)
{
	u32 first = server->e->d13->send_seq;
	int err;

	server->e->d13->send_seq = first + (u32)at;
	err = inject_message(server, client, DTLS_NEW_SESSION_TICKET, ticket,
			     sizeof(ticket), now);
	server->e->d13->send_seq = first;
	return err;
}

TEST_F(pair13, messages_ahead_of_their_turn_are_kept)
{
	static const u8 no[] = { 0 };
	int sessions;

	HANDSHAKE();
	sessions = self->client.sessions;
	ASSERT_EQ(0, inject_ticket(&self->server, &self->client, 1, self->now));
	EXPECT_EQ(sessions, self->client.sessions);
	ASSERT_EQ(0, inject_ticket(&self->server, &self->client, 0, self->now));
	EXPECT_EQ(sessions + 2, self->client.sessions);
	EXPECT_EQ(NULL, motion(self->client.e)->in);
	/* But not after a KeyUpdate under the same key */
	self->server.e->d13->send_seq += 2;
	ASSERT_EQ(0, inject_ticket(&self->server, &self->client, 1, self->now));
	EXPECT_EQ(-KDTLS_EPROTOCOL,
		  inject_message(&self->server, &self->client, DTLS_KEY_UPDATE,
				 no, 1, self->now));
	EXPECT_EQ(KDTLS_ALERT_UNEXPECTED_MESSAGE,
		  failure_of(&self->client).alert_sent);
}

/* Begin messages of @size bytes, all but the next one, and end none of them. */
static void begin_messages(struct end *from, struct end *to, u32 size, u64 now)
{
	u8 message[DTLS_MESSAGE_HEADER + 500] = { 0 };
	u32 i, offset;

	for (i = 1; i < DTLS_AHEAD; i++)
		for (offset = 0; offset + 500 < size; offset += 500) {
			dtls_fragment_write(message, DTLS_NEW_CONNECTION_ID, size,
					    (u16)(from->e->d13->send_seq + i),
					    offset, 500);
			inject(from, to, DTLS_CT_HANDSHAKE, message,
			       sizeof(message), now);
		}
}

TEST_F(pair13, a_server_holds_little_of_messages_after_the_handshake)
{
	static const u32 sizes[] = { 16000, 4000, 600 };
	const struct dtls_reassembly *in;
	size_t i, most = 0;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		HANDSHAKE();
		begin_messages(&self->client, &self->server, sizes[i], self->now);
		in = motion(self->server.e)->in;
		EXPECT_GE(8192, in ? in->held : 0) TH_LOG("%u", sizes[i]);
		most |= in ? in->held : 0;
		EXPECT_TRUE(data_passes(&self->client, &self->server));
		end_close(&self->client);
		end_close(&self->server);
	}
	EXPECT_LT(0, most);
}

TEST_F(pair13, acknowledgements_are_repeated)
{
	long n, before = 0;
	int i;

	HANDSHAKE();
	/* Each names what those before it named: they may be lost. */
	for (i = 0; i < 2 * DTLS_ACKS_MAX; i++, before = n) {
		ASSERT_EQ(0, inject_ticket(&self->server, &self->client, i,
					   self->now));
		n = end_output(&self->client, self->buf, END_DATAGRAM,
			       self->now);
		ASSERT_LT(0, n);
		if (i && i < DTLS_ACKS_MAX - 1)
			EXPECT_EQ(before + 16, n) TH_LOG("%d", i);
	}
	EXPECT_EQ(before, n);
	/* Until we send something ourselves */
	ASSERT_EQ(0, kdtls_engine_update_keys(self->client.e, false));
	ASSERT_LT(0, end_output(&self->client, self->buf, END_DATAGRAM,
				self->now));
	EXPECT_EQ(NULL, self->client.e->acks);
}

TEST_F(pair13, acknowledgement_in_the_clear_is_not_believed)
{
	u8 ack[] = { 26, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 18, 0, 16, 0, 0,
		     0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 9 };

	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(2, round_trips(&self->client, &self->server, &self->now));
	ASSERT_NE(NULL, motion(self->client.e)->flight.first);
	ASSERT_EQ(0, end_input(&self->client, ack, sizeof(ack), self->now));
	EXPECT_NE(NULL, motion(self->client.e)->flight.first);
}

/* Let the timer of @end send the flight until it gives up. Return what it sent. */
static int send_in_vain(struct end *end, u8 *buf, u64 *now)
{
	int sent = 0;

	for (;;) {
		while (end_output(end, buf, END_DATAGRAM, *now) > 0)
			sent++;
		if (kdtls_engine_expiry(end->e) == KDTLS_NEVER)
			return sent;
		*now = kdtls_engine_expiry(end->e);
		if (kdtls_engine_expire(end->e, *now))
			return -1;
	}
}

/* An ACK without news, in the clear or from the peer, starts nothing for ever. */
TEST_F(pair13, acknowledgement_of_nothing_wakes_no_timer)
{
	static const u8 clear[] = { 26, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 0, 0 };
	int i, peers, sent, timed;

	for (peers = 0; peers < 2; peers++) {
		HANDSHAKE();
		ASSERT_EQ(0, end_exchange(&self->client, &self->server,
					  &self->now, 10));
		ASSERT_EQ(0, kdtls_engine_update_keys(self->server.e, false));
		timed = send_in_vain(&self->server, self->buf, &self->now);
		EXPECT_EQ(1 + self->server.config.retransmits, timed);
		for (i = 0, sent = 0; i < 100; i++) {
			self->now += 500000;
			ASSERT_EQ(0, peers ?
				  inject(&self->client, &self->server,
					 DTLS_CT_ACK, clear + 13, 2, self->now) :
				  end_input(&self->server, clear, sizeof(clear),
					    self->now));
			while (end_output(&self->server, self->buf, END_DATAGRAM,
					  self->now) > 0)
				sent++;
		}
		EXPECT_EQ(0, sent);
		/* Data shows that the peer is there. */
		ASSERT_TRUE(data_passes(&self->client, &self->server));
		kdtls_engine_confirm(self->server.e);
		ASSERT_EQ(0, end_exchange(&self->server, &self->client,
					  &self->now, 10));
		EXPECT_EQ(4, self->server.tx_key.epoch);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

/* In the clear an ACK does not even count while the timer runs. */
TEST_F(pair13, acknowledgement_in_the_clear_asks_for_no_flight)
{
	static const u8 clear[] = { 26, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 0, 0 };
	u64 dropped, sent;

	HANDSHAKE();
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 10));
	ASSERT_EQ(0, kdtls_engine_update_keys(self->server.e, false));
	/* Until the timer is slower than an ACK may ask for the flight */
	do {
		ASSERT_LT(0, end_output(&self->server, self->buf, END_DATAGRAM,
					self->now));
		sent = self->now;
		self->now = kdtls_engine_expiry(self->server.e);
		ASSERT_EQ(0, kdtls_engine_expire(self->server.e, self->now));
	} while (self->now - sent < 1000000);
	ASSERT_LT(0, end_output(&self->server, self->buf, END_DATAGRAM,
				self->now));
	dropped = info_of(&self->server).dropped;
	self->now = kdtls_engine_expiry(self->server.e) - 1;
	ASSERT_EQ(0, end_input(&self->server, clear, sizeof(clear), self->now));
	EXPECT_EQ(0, end_output(&self->server, self->buf, END_DATAGRAM,
				self->now));
	EXPECT_EQ(dropped + 1, info_of(&self->server).dropped);
	/* The peer's own does. */
	ASSERT_EQ(0, inject(&self->client, &self->server, DTLS_CT_ACK,
			    clear + 13, 2, self->now));
	EXPECT_LT(0, end_output(&self->server, self->buf, END_DATAGRAM,
				self->now));
}

TEST_F(pair13, acknowledgement_of_a_higher_epoch_is_ignored)
{
	u8 ack[2 + 2 * 16] = { 0, 32 }, record[256];
	size_t n;

	/* The client's Finished is on its way; the server names epochs 3 and 2. */
	self->server.config.flags = KDTLS_NO_COOKIE;
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 1));
	ASSERT_EQ(0, end_exchange(&self->server, &self->client, &self->now, 1));
	while (end_output(&self->client, self->buf, END_DATAGRAM, self->now) > 0)
		;
	ASSERT_NE(NULL, motion(self->server.e)->tx);
	ASSERT_NE(NULL, motion(self->client.e)->flight.first);
	ack[9] = 3;
	n = dtls_protection_seal(motion(self->server.e)->tx, DTLS_CT_ACK, ack,
				 sizeof(ack), record);
	ASSERT_EQ(0, end_input(&self->client, record, n, self->now));
	EXPECT_TRUE(end_established(&self->client));
	EXPECT_NE(NULL, motion(self->client.e)->flight.first);
	ack[25] = 2;
	n = dtls_protection_seal(motion(self->server.e)->tx, DTLS_CT_ACK, ack,
				 sizeof(ack), record);
	ASSERT_EQ(0, end_input(&self->client, record, n, self->now));
	EXPECT_EQ(NULL, motion(self->client.e)->flight.first);
	EXPECT_TRUE(end_established(&self->client));
}

TEST_F(pair13, late_acknowledgement_is_of_what_it_names)
{
	u8 ack[18] = { 0, 16, 0, 0, 0, 0, 0, 0, 0, 3 };
	u64 ticket;

	HANDSHAKE();
	/* Numbers of the ticket's records come again when KeyUpdate is out. */
	ticket = self->server.tx->seq - 1;
	ASSERT_EQ(0, kdtls_engine_update_keys(self->server.e, false));
	ASSERT_LT(0, end_output(&self->server, self->buf, END_DATAGRAM,
				self->now));
	dtls_put_be(ack + 10, 8, ticket);
	ASSERT_EQ(0, inject(&self->client, &self->server, DTLS_CT_ACK, ack,
			    sizeof(ack), self->now));
	EXPECT_EQ(3, self->server.tx_key.epoch);
	dtls_put_be(ack + 10, 8, ticket + 1);
	ASSERT_EQ(0, inject(&self->client, &self->server, DTLS_CT_ACK, ack,
			    sizeof(ack), self->now));
	EXPECT_EQ(4, self->server.tx_key.epoch);
}

TEST_HARNESS_MAIN
