// SPDX-License-Identifier: GPL-2.0
/*
 * One judge for ClientHellos: what the gate has found out is handed on to the
 * engine and not found out again. The linker puts the functions below in the
 * place of those whose calls are counted.
 */
#include <stdlib.h>

#include "pair.h"

bool __real_dtls_hello_parse_client(struct dtls_client_hello *ch,
				    struct dtls_bytes body);
bool __real_dtls_cookie_check(struct dtls_cookie *k, struct dtls_bytes address,
			      const struct dtls_client_hello *ch, u64 now,
			      u64 *made);
bool __real_dtls_cookie_open(struct dtls_cookie *k, struct dtls_bytes address,
			     struct dtls_bytes cookie, u64 now,
			     struct dtls_retry *r);
bool __real_dtls_ticket_open(struct dtls_tickets *t,
			     const struct dtls_crypto *c,
			     struct dtls_bytes ticket, int64_t now,
			     struct dtls_writer *plain,
			     struct dtls_session *s);

/* Hellos parsed, cookies of either version checked, tickets opened */
static unsigned int parsed, checked, opened;

bool __wrap_dtls_hello_parse_client(struct dtls_client_hello *ch,
				    struct dtls_bytes body)
{
	parsed++;
	return __real_dtls_hello_parse_client(ch, body);
}

bool __wrap_dtls_cookie_check(struct dtls_cookie *k, struct dtls_bytes address,
			      const struct dtls_client_hello *ch, u64 now,
			      u64 *made)
{
	checked += ch->cookie.len > 0;
	return __real_dtls_cookie_check(k, address, ch, now, made);
}

bool __wrap_dtls_cookie_open(struct dtls_cookie *k, struct dtls_bytes address,
			     struct dtls_bytes cookie, u64 now,
			     struct dtls_retry *r)
{
	checked++;
	return __real_dtls_cookie_open(k, address, cookie, now, r);
}

bool __wrap_dtls_ticket_open(struct dtls_tickets *t,
			     const struct dtls_crypto *c,
			     struct dtls_bytes ticket, int64_t now,
			     struct dtls_writer *plain, struct dtls_session *s)
{
	opened++;
	return __real_dtls_ticket_open(t, c, ticket, now, plain, s);
}

PAIR(once)

FIXTURE_SETUP(once)
{
	PAIR_SETUP(DTLS_VERSION_1_3);
	self->server.config.max_early_data = 4096;
	parsed = 0;
	checked = 0;
	opened = 0;
}

/*
 * Close both ends, and let the client come back with its session. The counts
 * begin anew.
 */
static int come_back(struct end *client, struct end *server, bool early)
{
	end_close(client);
	end_close(server);
	if (end_open(client, KDTLS_CLIENT) || end_open(server, KDTLS_SERVER) ||
	    kdtls_engine_set_session(client->e, client->session,
				     client->session_len))
		return -1;
	parsed = 0;
	checked = 0;
	opened = 0;
	return early ? kdtls_engine_send_early(client->e, (const u8 *)"soon",
					       4) : 0;
}

/*
 * Shake hands, resume the session by its ticket and without early data, and
 * expect one judge for both hellos of the resumed handshake.
 */
#define EXPECT_TICKET_OPENED_ONCE()					\
	do {								\
		HANDSHAKE();						\
		ASSERT_EQ(0, come_back(&self->client, &self->server,	\
				       false));				\
		HANDSHAKE();						\
		EXPECT_TRUE(info_of(&self->server).resumed);		\
		EXPECT_EQ(2, parsed);					\
		EXPECT_EQ(1, checked);					\
		EXPECT_EQ(1, opened);					\
	} while (0)

TEST_F(once, a_hello_of_dtls_1_2_is_parsed_once_and_its_cookie_checked_once)
{
	self->client.config.version_max = DTLS_VERSION_1_2;
	HANDSHAKE();
	EXPECT_EQ(2, parsed);
	EXPECT_EQ(1, checked);
}

TEST_F(once, a_ticket_of_dtls_1_2_is_opened_once)
{
	self->client.config.version_max = DTLS_VERSION_1_2;
	EXPECT_TICKET_OPENED_ONCE();
}

TEST_F(once, a_hello_of_dtls_1_3_is_parsed_once_and_its_cookie_checked_once)
{
	HANDSHAKE();
	EXPECT_EQ(2, parsed);
	EXPECT_EQ(1, checked);
}

TEST_F(once, a_ticket_without_early_data_is_opened_once)
{
	EXPECT_TICKET_OPENED_ONCE();
}

TEST_F(once, a_ticket_with_early_data_is_opened_once)
{
	HANDSHAKE();
	ASSERT_EQ(0, come_back(&self->client, &self->server, true));
	HANDSHAKE();
	EXPECT_EQ(4, self->server.early_len);
	EXPECT_EQ(1, parsed);
	EXPECT_EQ(0, checked);
	EXPECT_EQ(1, opened);
}

/* A server that asks for no cookie resumes by a ticket that was spent before. */
TEST_F(once, a_spent_ticket_is_opened_once)
{
	size_t len;
	u8 *session;

	self->server.config.flags |= KDTLS_NO_COOKIE;
	HANDSHAKE();
	len = self->client.session_len;
	session = malloc(len);
	ASSERT_NE(NULL, session);
	memcpy(session, self->client.session, len);
	ASSERT_EQ(0, come_back(&self->client, &self->server, true));
	HANDSHAKE();
	EXPECT_EQ(4, self->server.early_len);
	ASSERT_EQ(len, self->client.session_len);
	memcpy(self->client.session, session, len);
	free(session);
	ASSERT_EQ(0, come_back(&self->client, &self->server, true));
	self->server.early_len = 0;
	HANDSHAKE();
	EXPECT_TRUE(info_of(&self->server).resumed);
	EXPECT_EQ(0, self->server.early_len);
	EXPECT_EQ(1, parsed);
	EXPECT_EQ(1, opened);
}

TEST_HARNESS_MAIN
