// SPDX-License-Identifier: GPL-2.0
/* Data before the handshake (0-RTT): who may, who takes it, and how often. */
#include <sys/wait.h>
#include <unistd.h>

#include "../../userspace/engine/early.h"
#include "pair.h"

#define ALLOWED	4096

PAIR(early)

static const char *const one[] = { "one", NULL };
static const char *const two[] = { "two", "one", NULL };

FIXTURE_SETUP(early)
{
	PAIR_SETUP(DTLS_VERSION_1_3);
	self->server.config.max_early_data = ALLOWED;
}

/* A session to come back with: both ends are new, their endpoints are not. */
static int again(struct end *client, struct end *server)
{
	end_close(client);
	end_close(server);
	if (end_open(client, KDTLS_CLIENT) || end_open(server, KDTLS_SERVER))
		return -1;
	return kdtls_engine_set_session(client->e, client->session,
					client->session_len);
}

static int send_early(struct end *client, const char *text)
{
	return kdtls_engine_send_early(client->e, (const u8 *)text,
				       strlen(text));
}

#define SESSION()							\
do {									\
	HANDSHAKE();							\
	ASSERT_EQ(0, again(&self->client, &self->server));		\
} while (0)

/* Shake hands with early data, which the server takes if @accepted. */
#define GO(accepted)							\
do {									\
	ASSERT_EQ(0, send_early(&self->client, "soon"));		\
	HANDSHAKE();							\
	EXPECT_EQ((accepted) ? 4 : 0, self->server.early_len);		\
	EXPECT_EQ((accepted) ? KDTLS_EARLY_ACCEPTED :			\
			       KDTLS_EARLY_REJECTED,			\
		  info_of(&self->client).early);			\
	EXPECT_EQ((accepted), info_of(&self->server).early ==		\
			      KDTLS_EARLY_ACCEPTED);			\
	EXPECT_EQ((accepted), self->server.early_keys);			\
} while (0)

/* What the client says at first, datagram by datagram */
struct first {
	u8 data[8][2048];
	size_t len[8];
	unsigned int n;
};

static void take_first(struct end *client, struct first *f, u64 now)
{
	long n;

	f->n = 0;
	while (f->n < 8 && (n = end_output(client, f->data[f->n],
					   sizeof(f->data[0]), now)) > 0)
		f->len[f->n++] = (size_t)n;
}

TEST_F(early, comes_in_the_first_flight_without_a_cookie)
{
	struct first f;

	SESSION();
	ASSERT_EQ(0, send_early(&self->client, "soon"));
	ASSERT_EQ(0, send_early(&self->client, "er"));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	EXPECT_EQ(0, strncmp(self->client.keylog, "CLIENT_EARLY_TRAFFIC_SECRET ",
			     28));
	take_first(&self->client, &f, self->now);
	ASSERT_EQ(3, f.n);
	EXPECT_EQ(0x21, f.data[1][0] & 0xe3);	/* unified, epoch 1 */
	ASSERT_EQ(0, end_input(&self->server, f.data[0], f.len[0], self->now));
	ASSERT_EQ(0, end_input(&self->server, f.data[1], f.len[1], self->now));
	/* Here it is, before the server has said a word. */
	EXPECT_EQ(4, self->server.early_len);
	ASSERT_EQ(0, end_input(&self->server, f.data[2], f.len[2], self->now));
	EXPECT_EQ(0, memcmp(self->server.early, "sooner", 6));
	EXPECT_EQ(0, self->server.received_len);
	ASSERT_EQ(0, end_input(&self->server, f.data[1], f.len[1], self->now));
	EXPECT_EQ(6, self->server.early_len);
	ASSERT_EQ(0, end_exchange(&self->server, &self->client, &self->now,
				  10));
	EXPECT_TRUE(end_agree(&self->client, &self->server));
	EXPECT_EQ(KDTLS_EARLY_ACCEPTED, info_of(&self->client).early);
	EXPECT_EQ(0, self->client.early_keys);
	EXPECT_EQ(1, self->server.early_keys);
}

TEST_F(early, every_session_has_its_one_time)
{
	int i;

	HANDSHAKE();
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, again(&self->client, &self->server));
		GO(1);
	}
	EXPECT_EQ(6, self->client.sessions);
}

TEST_F(early, replay_of_the_first_flight_is_rejected)
{
	struct first f;
	struct kdtls_sender from = { "address", 7, 0 };
	u8 reply[KDTLS_GATE_REPLY_SIZE];
	struct kdtls_verdict v;
	unsigned int i;
	size_t len = 0;

	SESSION();
	ASSERT_EQ(0, send_early(&self->client, "soon"));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	take_first(&self->client, &f, self->now);
	ASSERT_EQ(KDTLS_GATE_ACCEPT,
		  kdtls_endpoint_gate(self->server.ep, &from, f.data[0],
				      f.len[0], self->now, &v));
	ASSERT_EQ(0, kdtls_engine_accept(self->server.e, v.hello, self->now));
	for (i = 1; i < f.n; i++)
		end_input(&self->server, f.data[i], f.len[i], self->now);
	ASSERT_EQ(4, self->server.early_len);

	/* At the same server, at once: asked for a cookie, as any stranger */
	EXPECT_EQ(KDTLS_GATE_REPLY,
		  end_gate(self->server.ep, "another", 7, f.data[0],
			   f.len[0], self->now, reply, &len));
	end_close(&self->server);
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	for (i = 0; i < f.n; i++)
		end_input(&self->server, f.data[i], f.len[i], self->now);
	EXPECT_EQ(0, self->server.early_len);
	EXPECT_EQ(NULL, self->server.e->hs);

	/* And where there is no cookie: served, but without early data */
	self->server.ep->config.flags |= KDTLS_NO_COOKIE;
	end_close(&self->server);
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	for (i = 0; i < f.n; i++)
		end_input(&self->server, f.data[i], f.len[i], self->now);
	EXPECT_EQ(0, self->server.early_len);
	EXPECT_EQ(1, info_of(&self->server).resumed);
	EXPECT_EQ(KDTLS_EARLY_REJECTED, info_of(&self->server).early);

	/* Later, when the server has forgotten, the hello is stale. */
	self->server.unix_time += 3600;
	end_unix_time = self->server.unix_time;
	end_close(&self->server);
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	for (i = 0; i < f.n; i++)
		end_input(&self->server, f.data[i], f.len[i], self->now);
	EXPECT_EQ(0, self->server.early_len);
}

/* The server's owner has to know: anybody may have sent the hello. */
TEST_F(early, a_hello_that_needs_no_cookie_proves_no_address)
{
	u8 reply[KDTLS_GATE_REPLY_SIZE];
	struct first f;
	size_t len;
	int cookie;

	for (cookie = 0; cookie < 2; cookie++) {
		self->server.config.flags = cookie ? 0 : KDTLS_NO_COOKIE;
		end_exit(&self->client);
		end_exit(&self->server);
		SESSION();
		ASSERT_EQ(0, send_early(&self->client, "soon"));
		ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
		take_first(&self->client, &f, self->now);
		ASSERT_EQ(KDTLS_GATE_ACCEPT,
			  end_gate(self->server.ep, "here", 4, f.data[0],
				   f.len[0], self->now + 7, reply, &len));
		EXPECT_EQ(cookie ? 0 : self->now + 7, end_proven);
	}
}

TEST_F(early, stale_and_premature_hellos_get_a_cookie)
{
	/* What the server's clock runs ahead of the client's */
	static const struct {
		int seconds;
		bool taken;
	} clock[] = {
		{ 0, true }, { 9, true }, { 12, false }, { -9, true },
		{ -12, false }, { 3600, false },
	};
	size_t i;

	for (i = 0; i < sizeof(clock) / sizeof(clock[0]); i++) {
		self->server.config.flags = KDTLS_NO_COOKIE;
		end_exit(&self->client);
		end_exit(&self->server);
		self->client.unix_time = self->server.unix_time;
		HANDSHAKE();
		self->client.unix_time += 100;
		self->server.unix_time += 100 + clock[i].seconds;
		end_unix_time = self->server.unix_time;
		ASSERT_EQ(0, again(&self->client, &self->server));
		GO(clock[i].taken);
		EXPECT_EQ(1, info_of(&self->client).resumed);
	}
}

TEST_F(early, the_window_and_its_memory_are_one)
{
	const int64_t made = 1000000, start = made + 50;
	struct dtls_session s = { .made = made, .age_add = 7 };
	u8 id[8] = { 0 };
	struct dtls_bytes ticket = { id, 8 };
	struct dtls_spent spent;
	u32 age = 50000 + 7;
	int64_t now;
	int i, taken = 0;

	ASSERT_TRUE(dtls_spent_init(&spent));
	/* However it is replayed, it is taken once. */
	for (now = start - 100; now < start + 100; now++)
		taken += dtls_spent_ask(&spent, ticket, &s, age, now, true);
	EXPECT_EQ(1, taken);
	/* Asking is not spending. */
	id[7] = 1;
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(dtls_spent_ask(&spent, ticket, &s, age, start,
					   false));
	/* A row that is full refuses what is new, and knows the old. */
	for (i = 0; i < 20; i++) {
		id[0] = (u8)i;
		taken += dtls_spent_ask(&spent, ticket, &s, age, start, true);
	}
	EXPECT_EQ(1 + 8, taken);
	id[0] = 0;
	EXPECT_FALSE(dtls_spent_ask(&spent, ticket, &s, age, start, true));
	dtls_spent_exit(&spent);
}

TEST_F(early, off_by_default)
{
	self->server.config.max_early_data = 0;
	SESSION();
	EXPECT_EQ(-KDTLS_EUSAGE, send_early(&self->client, "soon"));
	HANDSHAKE();
	EXPECT_EQ(KDTLS_EARLY_NONE, info_of(&self->client).early);
	EXPECT_EQ(1, info_of(&self->client).resumed);
}

TEST_F(early, only_for_who_may)
{
	static const u8 large[2000];

	/* No session, no early data */
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	EXPECT_EQ(-KDTLS_EUSAGE, send_early(&self->client, "soon"));
	SESSION();
	EXPECT_EQ(-KDTLS_EUSAGE, send_early(&self->server, "soon"));
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_send_early(self->client.e, large,
							 0));
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_send_early(self->client.e, large,
							 sizeof(large)));
	/* 4096 bytes and no more */
	EXPECT_EQ(0, kdtls_engine_send_early(self->client.e, large, 1336));
	EXPECT_EQ(0, kdtls_engine_send_early(self->client.e, large, 1336));
	EXPECT_EQ(0, kdtls_engine_send_early(self->client.e, large, 1336));
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_send_early(self->client.e, large,
							 89));
	EXPECT_EQ(0, kdtls_engine_send_early(self->client.e, large, 88));
	HANDSHAKE();
	EXPECT_EQ(-KDTLS_EUSAGE, send_early(&self->client, "late"));
	EXPECT_EQ(sizeof(self->server.early), self->server.early_len);
}

/* The MTU becomes smaller before data goes out that was not too long for it. */
TEST_F(early, what_does_not_fit_the_mtu_is_sent_later)
{
	static const u8 large[1300];
	struct dtls_record_info info;
	struct first f;
	unsigned int i;
	int said;
	long n;

	/* None of the data has gone out, or some. */
	for (said = 0; said < 2; said++) {
		SESSION();
		ASSERT_EQ(0, send_early(&self->client, "soon"));
		if (!said)
			ASSERT_EQ(0, kdtls_engine_send_early(self->client.e,
							     large, sizeof(large)));
		ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
		if (said) {
			take_first(&self->client, &f, self->now);
			ASSERT_EQ(0, kdtls_engine_send_early(self->client.e,
							     large, sizeof(large)));
		}
		for (i = 0; said && i < f.n; i++)
			end_input(&self->server, f.data[i], f.len[i], self->now);
		kdtls_engine_set_mtu(self->client.e, 600);
		/* The caller's memory has room for more. */
		while ((n = kdtls_engine_output(self->client.e, self->buf,
						END_DATAGRAM, &info,
						self->now)) > 0) {
			EXPECT_GE(600, n);
			end_input(&self->server, self->buf, (size_t)n, self->now);
		}
		EXPECT_EQ(-KDTLS_EUSAGE, send_early(&self->client, "more"));
		ASSERT_EQ(0, end_exchange(&self->server, &self->client,
					  &self->now, 10));
		EXPECT_TRUE(end_agree(&self->client, &self->server));
		EXPECT_EQ(said ? 4 : 0, self->server.early_len);
		EXPECT_EQ(KDTLS_EARLY_ACCEPTED, info_of(&self->server).early);
		/* The caller sends it again, as after a refusal. */
		EXPECT_EQ(KDTLS_EARLY_REJECTED, info_of(&self->client).early);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

TEST_F(early, limit_is_the_servers)
{
	struct first f;
	unsigned int i;
	int err = 0;

	SESSION();
	self->client.e->hs->session.early = 2 * ALLOWED;
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, kdtls_engine_send_early(self->client.e, f.data[0],
						     1200));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	take_first(&self->client, &f, self->now);
	ASSERT_EQ(5, f.n);
	for (i = 0; i < f.n; i++)
		err = end_input(&self->server, f.data[i], f.len[i], self->now);
	EXPECT_EQ(-KDTLS_EPROTOCOL, err);
	EXPECT_EQ(KDTLS_ALERT_UNEXPECTED_MESSAGE,
		  failure_of(&self->server).alert_sent);
}

TEST_F(early, another_protocol_or_suite_is_rejected)
{
	static const u16 aes256[] = { 0x1302 }, chacha[] = { 0x1303, 0x1301 };
	static const u16 both[] = { 0x1301, 0x1303 };

	/* ALPN: the server has changed its mind. */
	self->client.config.alpn = two;
	self->server.config.alpn = one;
	SESSION();
	self->server.ep->config.alpn = two;
	GO(0);
	EXPECT_EQ(1, info_of(&self->client).resumed);
	/* The client must offer what it was. */
	ASSERT_EQ(0, again(&self->client, &self->server));
	self->client.ep->config.alpn = one;
	EXPECT_EQ(-KDTLS_EUSAGE, send_early(&self->client, "soon"));
	end_exit(&self->client);
	end_exit(&self->server);

	/* Another suite with the same hash resumes, and no more. */
	self->client.config.suites = both;
	self->client.config.suite_count = 2;
	self->server.config.suites = both;
	self->server.config.suite_count = 2;
	SESSION();
	self->server.ep->suites[0] = dtls_suite_find(chacha[0]);
	self->server.ep->suites[1] = dtls_suite_find(chacha[1]);
	GO(0);
	EXPECT_EQ(1, info_of(&self->client).resumed);

	/* And with another hash there is a full handshake. */
	ASSERT_EQ(0, again(&self->client, &self->server));
	self->client.ep->suites[0] = dtls_suite_find(aes256[0]);
	self->server.ep->suites[0] = dtls_suite_find(aes256[0]);
	self->server.ep->config.ops.psk_server = NULL;
	kdtls_engine_send_early(self->client.e, (const u8 *)"soon", 4);
	end_handshake(&self->client, &self->server);
	EXPECT_EQ(0, self->server.early_len);
}

TEST_F(early, retry_rejects_it)
{
	static const u16 ours[] = { 29, 23 }, theirs[] = { 23 };

	self->client.config.groups = ours;
	self->client.config.group_count = 2;
	SESSION();
	self->server.ep->groups[0] = dtls_group_find(theirs[0]);
	self->server.ep->group_count = 1;
	GO(0);
	EXPECT_EQ(1, info_of(&self->client).resumed);
}

TEST_F(early, a_restarted_server_rejects_it)
{
	int cookie;

	for (cookie = 0; cookie < 2; cookie++) {
		SESSION();
		end_exit(&self->server);
		self->server.config.flags = cookie ? 0 : KDTLS_NO_COOKIE;
		ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
		GO(0);
		EXPECT_EQ(0, info_of(&self->client).resumed);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

/*
 * Anybody may ask for a cookie, and for the same one twice. The hello that answers has the
 * bytes of the first one then, and so would have its key of early data.
 */
TEST_F(early, no_other_hello_has_early_data)
{
	static const u8 request[] = {
		22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 15,
		DTLS_HELLO_VERIFY_REQUEST, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 3,
		0xfe, 0xff, 0,
	};
	struct first f;
	unsigned int i;

	SESSION();
	ASSERT_EQ(0, send_early(&self->client, "soon"));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	take_first(&self->client, &f, self->now);
	ASSERT_EQ(2, f.n);
	ASSERT_EQ(0, send_early(&self->client, "a"));
	ASSERT_EQ(0, end_input(&self->client, request, sizeof(request),
			       self->now));
	EXPECT_EQ(-KDTLS_EUSAGE, send_early(&self->client, "b"));
	take_first(&self->client, &f, self->now);
	ASSERT_NE(0, f.n);
	for (i = 0; i < f.n; i++)
		EXPECT_EQ(DTLS_CT_HANDSHAKE, f.data[i][0]);
}

TEST_F(early, an_older_version_ends_it)
{
	SESSION();
	end_exit(&self->server);
	self->server.config.version_max = DTLS_VERSION_1_2;
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, send_early(&self->client, "soon"));
	end_handshake(&self->client, &self->server);
	EXPECT_EQ(KDTLS_ENEGOTIATION, failure_of(&self->client).error);
	EXPECT_EQ(KDTLS_ALERT_PROTOCOL_VERSION,
		  failure_of(&self->client).alert_sent);
}

TEST_F(early, forgeries_are_dropped_and_disorder_is_borne)
{
	struct first f;
	u8 forged[2048];

	SESSION();
	ASSERT_EQ(0, send_early(&self->client, "soon"));
	ASSERT_EQ(0, send_early(&self->client, "late"));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	take_first(&self->client, &f, self->now);
	ASSERT_EQ(3, f.n);
	ASSERT_EQ(0, end_input(&self->server, f.data[0], f.len[0], self->now));
	memcpy(forged, f.data[1], f.len[1]);
	forged[f.len[1] - 1] ^= 1;
	EXPECT_EQ(0, end_input(&self->server, forged, f.len[1], self->now));
	EXPECT_EQ(0, self->server.early_len);
	EXPECT_EQ(1, info_of(&self->server).dropped);
	ASSERT_EQ(0, end_input(&self->server, f.data[1], f.len[1], self->now));
	ASSERT_EQ(0, end_exchange(&self->server, &self->client, &self->now,
				  10));
	ASSERT_TRUE(end_agree(&self->client, &self->server));
	/* This one comes when all is over: the owner has its key. */
	EXPECT_EQ(4, self->server.early_len);
	ASSERT_EQ(0, end_input(&self->server, f.data[2], f.len[2], self->now));
	EXPECT_EQ(8, self->server.early_len);
	EXPECT_EQ(0, memcmp(self->server.early, "soonlate", 8));
	ASSERT_EQ(0, end_input(&self->server, f.data[1], f.len[1], self->now));
	EXPECT_EQ(8, self->server.early_len);
}

/* What comes under the key of early data and is none: alerts, and a KeyUpdate */
static const struct {
	u8 type;
	u8 len;
	u8 content[13];
} not_early[] = {
	{ DTLS_CT_ALERT, 2, { DTLS_ALERT_WARNING, KDTLS_ALERT_CLOSE_NOTIFY } },
	{ DTLS_CT_ALERT, 2, { DTLS_ALERT_FATAL, KDTLS_ALERT_HANDSHAKE_FAILURE } },
	{ DTLS_CT_HANDSHAKE, 13, { DTLS_KEY_UPDATE, 0, 0, 1, 0, 9, 0, 0, 0, 0, 0, 1, 1 } },
	{ DTLS_CT_ACK, 2, { 0, 0 } },
	{ 0, 0, { 0 } },
};

#define NOT_EARLY	(sizeof(not_early) / sizeof(not_early[0]))

/*
 * The ticket's key and the hello make the key of early data. Who has both ends nothing,
 * neither in the handshake nor after it.
 */
TEST_F(early, data_alone_has_its_key)
{
	struct dtls_record_info info = { .epoch = DTLS13_EPOCH_EARLY };
	struct dtls_protection *key;
	u8 record[256];
	struct first f;
	size_t i, len;
	int done;

	SESSION();
	ASSERT_EQ(0, send_early(&self->client, "soon"));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	take_first(&self->client, &f, self->now);
	key = dtls_protection_new(&self->client.ep->crypto, DTLS_TX,
				  &self->client.e->m->early->info);
	ASSERT_NE(NULL, key);
	key->seq = 100;
	ASSERT_EQ(0, end_input(&self->server, f.data[0], f.len[0], self->now));
	for (done = 0; done < 2; done++) {
		for (i = 0; i < NOT_EARLY; i++) {
			len = dtls_protection_seal(key, not_early[i].type,
						   not_early[i].content,
						   not_early[i].len, record);
			EXPECT_EQ(0, end_input(&self->server, record, len,
					       self->now));
		}
		/* The key is the right one. */
		len = dtls_protection_seal(key, DTLS_CT_APPLICATION_DATA,
					   (const u8 *)"data", 4, record);
		EXPECT_EQ(0, end_input(&self->server, record, len, self->now));
		EXPECT_EQ(4 * (done + 1), self->server.early_len);
		if (!done)
			ASSERT_EQ(0, end_exchange(&self->server, &self->client,
						  &self->now, 10));
		ASSERT_EQ(KDTLS_ESTABLISHED, kdtls_engine_state(self->server.e));
	}
	dtls_protection_free(key);
	/* An owner of the keys may not know that. */
	for (i = 0; i < NOT_EARLY; i++, info.seq++) {
		info.type = not_early[i].type;
		EXPECT_EQ(0, kdtls_engine_input(self->server.e,
						not_early[i].content,
						not_early[i].len, &info,
						self->now));
	}
	EXPECT_EQ(2 * NOT_EARLY, info_of(&self->server).dropped);
	EXPECT_TRUE(data_passes(&self->client, &self->server));
	EXPECT_TRUE(data_passes(&self->server, &self->client));
}

TEST_F(early, wrong_proof_spends_nothing)
{
	struct first f;
	u8 reply[2048];
	size_t proof;
	long len;
	int i;

	SESSION();
	ASSERT_EQ(0, send_early(&self->client, "soon"));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	take_first(&self->client, &f, self->now);
	/* The ticket's proof stands before that of the pre-shared key. */
	proof = f.len[0] - (1 + 32) - 1;
	f.data[0][proof] ^= 1;
	/* However often: who has a ticket and not its key is any stranger. */
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, end_input(&self->server, f.data[0], f.len[0],
				       self->now));
		EXPECT_EQ(NULL, self->server.e->hs);
		EXPECT_EQ(0, self->server.ep->handshakes);
		ASSERT_TRUE(keeps_no_key(&self->server));
		len = end_output(&self->server, reply, sizeof(reply),
				 self->now);
		ASSERT_LT(13, len);
		EXPECT_EQ(DTLS_SERVER_HELLO, reply[13]);
		EXPECT_GT(f.len[0], len);
	}
	f.data[0][proof] ^= 1;
	ASSERT_EQ(0, end_input(&self->server, f.data[0], f.len[0], self->now));
	ASSERT_EQ(0, end_input(&self->server, f.data[1], f.len[1], self->now));
	EXPECT_EQ(4, self->server.early_len);
}

/* Workers of a server that forks do not know of each other's tickets. */
TEST_F(early, forked_workers_take_it_once)
{
	struct first f;
	unsigned int i;
	int worker, status, taken = 0;
	pid_t child;

	SESSION();
	ASSERT_EQ(0, send_early(&self->client, "soon"));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	take_first(&self->client, &f, self->now);
	for (worker = 0; worker < 4; worker++) {
		child = worker < 3 ? fork() : 0;
		ASSERT_LE(0, child);
		if (!child) {
			for (i = 0; i < f.n; i++)
				end_input(&self->server, f.data[i], f.len[i],
					  self->now);
			if (worker < 3)
				_exit(self->server.early_len == 4);
			taken += self->server.early_len == 4;
			continue;
		}
		ASSERT_EQ(child, waitpid(child, &status, 0));
		ASSERT_TRUE(WIFEXITED(status));
		taken += WEXITSTATUS(status);
	}
	/* The process that made the endpoint is the one that does. */
	EXPECT_EQ(1, taken);
	EXPECT_EQ(4, self->server.early_len);
}

/*
 * A recorded hello that is sent on from a false address, before the client's own
 * arrives: its answer goes to somebody who has asked for nothing, and who never
 * says a word.
 */
TEST_F(early, an_address_that_is_silent_gets_three_times_what_it_sent)
{
	size_t heard, said = 0;
	struct first f;
	long n;

	cert_make(&self->cert, &(struct cert_options){
		.issuer = &self->ca, .name = "DNS:end.example" });
	ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
			       &self->cert, "end.example"));
	HANDSHAKE();
	end_close(&self->client);
	end_close(&self->server);
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, kdtls_engine_set_name(self->client.e, "end.example"));
	ASSERT_EQ(0, kdtls_engine_set_session(self->client.e,
					      self->client.session,
					      self->client.session_len));
	ASSERT_EQ(0, send_early(&self->client, "hi"));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	take_first(&self->client, &f, self->now);
	heard = f.len[0];
	ASSERT_EQ(0, end_input(&self->server, f.data[0], heard, self->now));
	ASSERT_NE(NULL, self->server.e->hs);
	while (kdtls_engine_state(self->server.e) == KDTLS_HANDSHAKE) {
		while ((n = end_output(&self->server, self->buf, END_DATAGRAM,
				       self->now)) > 0)
			said += (size_t)n;
		self->now = kdtls_engine_expiry(self->server.e);
		ASSERT_NE(KDTLS_NEVER, self->now);
		kdtls_engine_expire(self->server.e, self->now);
	}
	EXPECT_LT(heard, said);
	EXPECT_GE(3 * heard, said);
}

TEST_HARNESS_MAIN
