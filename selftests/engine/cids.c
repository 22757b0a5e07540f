// SPDX-License-Identifier: GPL-2.0
/* Connection IDs in DTLS 1.3, and others after the handshake (RFC 9147 4, 9) */
#include <stdlib.h>

#include "no_random.h"
#include "pair.h"

PAIR_OF(cids13, DTLS_VERSION_1_3)

#define SERVER_CID	"server's"
#define CID_LEN		8

#define OPEN()								\
do {									\
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));		\
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));		\
	ASSERT_EQ(0, kdtls_engine_set_cid(self->client.e, (u8 *)"cl", 2)); \
	ASSERT_EQ(0, kdtls_engine_set_cid(self->server.e,		\
					  (u8 *)SERVER_CID, CID_LEN));	\
} while (0)

#define SETTLE()							\
	ASSERT_EQ(0, end_exchange(&self->client, &self->server,		\
				  &self->now, 10))

/* From nothing to keys, and nothing of the handshake is on its way */
#define UP()								\
do {									\
	OPEN();								\
	HANDSHAKE();							\
	SETTLE();							\
} while (0)

/* Return true if a record arrives that bears this connection ID. */
static bool taken(struct end *from, struct end *to, const u8 *cid)
{
	u8 before[CID_LEN];
	bool passes;

	memcpy(before, dtls_protection_cid(from->tx), CID_LEN);
	memcpy(dtls_protection_cid(from->tx), cid, CID_LEN);
	passes = data_passes(from, to);
	memcpy(dtls_protection_cid(from->tx), before, CID_LEN);
	return passes;
}

/* A record without a connection ID, as those behind another may be */
static size_t unnamed(struct dtls_protection *tx, u8 type, const void *data,
		      size_t len, u8 *out)
{
	u8 cid_len = tx->cid_len;
	size_t n;

	tx->cid_len = 0;
	n = dtls_protection_seal(tx, type, data, len, out);
	tx->cid_len = cid_len;
	return n;
}

TEST_F(cids13, spares_are_for_when_the_peer_wants_to_change)
{
	u8 late[256];
	size_t n;

	UP();
	ASSERT_EQ(0, kdtls_engine_give_cids(self->server.e, 2, false));
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_give_cids(self->server.e, 1,
							false));
	SETTLE();
	EXPECT_EQ(NULL, motion(self->server.e)->flight.first);
	EXPECT_EQ(2, info_of(&self->client).cid_spares);
	EXPECT_EQ(3, self->server.cids.count);
	EXPECT_EQ(0, memcmp(self->client.tx_key.cid, SERVER_CID, CID_LEN));
	n = end_send(&self->client, "late", 4, late);

	ASSERT_EQ(0, kdtls_engine_change_cid(self->client.e));
	SETTLE();
	EXPECT_EQ(3, self->client.tx_key.epoch);
	ASSERT_EQ(CID_LEN, self->client.tx_key.cid_len);
	EXPECT_EQ(0, memcmp(self->client.tx_key.cid,
			    dtls_cids_all(&self->server.cids) + CID_LEN, CID_LEN));
	EXPECT_EQ(1, info_of(&self->client).cid_spares);
	EXPECT_TRUE(end_agree(&self->client, &self->server));
	EXPECT_TRUE(data_passes(&self->client, &self->server));
	EXPECT_TRUE(data_passes(&self->server, &self->client));
	/* What was on its way is still good. */
	ASSERT_EQ(0, end_input(&self->server, late, n, self->now));
	EXPECT_EQ(8, self->server.received_len);

	ASSERT_EQ(0, kdtls_engine_change_cid(self->client.e));
	SETTLE();
	EXPECT_EQ(0, memcmp(self->client.tx_key.cid,
			    dtls_cids_all(&self->server.cids) + 2 * CID_LEN, CID_LEN));
	EXPECT_TRUE(data_passes(&self->client, &self->server));
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_change_cid(self->client.e));
}

TEST_F(cids13, at_once_is_at_once_and_for_good)
{
	long n;

	UP();
	ASSERT_EQ(0, kdtls_engine_give_cids(self->server.e, 3, false));
	SETTLE();
	ASSERT_EQ(0, kdtls_engine_give_cids(self->server.e, 2, true));
	n = end_output(&self->server, self->buf, END_DATAGRAM, self->now);
	ASSERT_LT(0, n);
	/* RFC 9147 9: immediately, for all records from here on */
	ASSERT_EQ(0, end_input(&self->client, self->buf, (size_t)n, self->now));
	EXPECT_EQ(0, memcmp(dtls_protection_cid(self->client.tx),
			    dtls_cids_all(&self->server.cids) + 4 * CID_LEN, CID_LEN));
	SETTLE();
	EXPECT_EQ(3, self->client.tx_key.epoch);
	EXPECT_TRUE(data_passes(&self->client, &self->server));
	/* Nor are spares from before used any more. */
	ASSERT_EQ(1, info_of(&self->client).cid_spares);
	ASSERT_EQ(0, kdtls_engine_change_cid(self->client.e));
	SETTLE();
	EXPECT_EQ(0, memcmp(self->client.tx_key.cid,
			    dtls_cids_all(&self->server.cids) + 5 * CID_LEN, CID_LEN));
}

/* Where a key's cannot be changed, another key brings it. */
TEST_F(cids13, or_at_once_is_with_the_next_key)
{
	int none;

	for (none = 0; none < 2; none++) {
		self->client.cid_with_key = !none;
		if (none)
			self->client.config.ops.peer_cid = NULL;
		UP();
		ASSERT_EQ(0, kdtls_engine_give_cids(self->server.e, 2, true));
		SETTLE();
		EXPECT_EQ(4, self->client.tx_key.epoch);
		EXPECT_EQ(0, memcmp(dtls_protection_cid(self->client.tx),
				    dtls_cids_all(&self->server.cids) + CID_LEN, CID_LEN));
		EXPECT_TRUE(data_passes(&self->client, &self->server));
		ASSERT_EQ(0, kdtls_engine_change_cid(self->client.e));
		SETTLE();
		EXPECT_EQ(5, self->client.tx_key.epoch);
		EXPECT_EQ(0, memcmp(dtls_protection_cid(self->client.tx),
				    dtls_cids_all(&self->server.cids) + 2 * CID_LEN,
				    CID_LEN));
		EXPECT_TRUE(data_passes(&self->client, &self->server));
		end_exit(&self->client);
		end_exit(&self->server);
		end_config(&self->client, psk);
		end_config(&self->server, psk);
	}
}

/* One key change is enough, if it has yet to end. */
TEST_F(cids13, a_key_that_is_on_its_way_brings_it_too)
{
	self->client.cid_with_key = true;
	UP();
	ASSERT_EQ(0, kdtls_engine_give_cids(self->server.e, 1, false));
	SETTLE();
	ASSERT_EQ(0, kdtls_engine_update_keys(self->client.e, false));
	ASSERT_LT(0, end_output(&self->client, self->buf, END_DATAGRAM,
				self->now));
	ASSERT_EQ(0, kdtls_engine_change_cid(self->client.e));
	self->now = kdtls_engine_expiry(self->client.e);
	ASSERT_EQ(0, kdtls_engine_expire(self->client.e, self->now));
	SETTLE();
	EXPECT_EQ(4, self->client.tx_key.epoch);
	EXPECT_EQ(0, memcmp(dtls_protection_cid(self->client.tx),
			    dtls_cids_all(&self->server.cids) + CID_LEN, CID_LEN));
}

TEST_F(cids13, given_ones_are_sent_again_until_they_are_acknowledged)
{
	UP();
	ASSERT_EQ(0, kdtls_engine_give_cids(self->server.e, 1, true));
	ASSERT_LT(0, end_output(&self->server, self->buf, END_DATAGRAM,
				self->now));
	self->now = kdtls_engine_expiry(self->server.e);
	ASSERT_EQ(0, kdtls_engine_expire(self->server.e, self->now));
	SETTLE();
	EXPECT_EQ(NULL, motion(self->server.e)->flight.first);
	EXPECT_EQ(0, memcmp(self->client.tx_key.cid,
			    dtls_cids_all(&self->server.cids) + CID_LEN, CID_LEN));
}

TEST_F(cids13, the_last_ones_are_good_and_that_of_the_handshake)
{
	u8 given[DTLS_CIDS_MAX * CID_LEN];
	unsigned int i;

	UP();
	ASSERT_EQ(0, kdtls_engine_give_cids(self->server.e, DTLS_CIDS_MAX,
					    false));
	memcpy(given, dtls_cids_all(&self->server.cids) + CID_LEN, sizeof(given));
	SETTLE();
	for (i = 0; i < DTLS_CIDS_MAX; i++)
		EXPECT_TRUE(taken(&self->client, &self->server,
				  given + i * CID_LEN));
	ASSERT_EQ(0, kdtls_engine_give_cids(self->server.e, 3, false));
	SETTLE();
	EXPECT_EQ(DTLS_CIDS_MAX + 1, self->server.cids.count);
	EXPECT_EQ(DTLS_CIDS_MAX + 1, self->server.e->cids.count);
	EXPECT_EQ(DTLS_CIDS_MAX, info_of(&self->client).cid_spares);
	for (i = 0; i < DTLS_CIDS_MAX; i++)
		EXPECT_EQ(i >= 3, taken(&self->client, &self->server,
					given + i * CID_LEN)) TH_LOG("%u", i);
	EXPECT_TRUE(taken(&self->client, &self->server, (u8 *)SERVER_CID));
	EXPECT_FALSE(taken(&self->client, &self->server, (u8 *)"unheard."));
	EXPECT_EQ(0, memcmp(dtls_cids_all(&self->server.cids),
			    dtls_cids_all(&self->server.e->cids),
			    (DTLS_CIDS_MAX + 1) * CID_LEN));
	EXPECT_EQ(0, memcmp(info_of(&self->server).cid_rx, SERVER_CID,
			    CID_LEN));
}

TEST_F(cids13, a_peer_is_asked_for_more)
{
	UP();
	ASSERT_EQ(0, kdtls_engine_request_cids(self->client.e, 3));
	/* RFC 9147 9: one request at a time */
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_request_cids(self->client.e, 1));
	SETTLE();
	EXPECT_EQ(3, info_of(&self->client).cid_spares);
	EXPECT_EQ(4, self->server.cids.count);
	/* There is no room for more than DTLS_CIDS_MAX ... */
	EXPECT_EQ(-KDTLS_EUSAGE,
		  kdtls_engine_request_cids(self->client.e, DTLS_CIDS_MAX - 2));
	EXPECT_EQ(-KDTLS_EUSAGE,
		  kdtls_engine_request_cids(self->client.e, ~0U));
	/* ... nor an answer of more than half of that. */
	ASSERT_EQ(0, kdtls_engine_request_cids(self->client.e,
					       DTLS_CIDS_MAX - 3));
	SETTLE();
	EXPECT_EQ(3 + DTLS_CIDS_MAX / 2, info_of(&self->client).cid_spares);
	ASSERT_EQ(0, kdtls_engine_change_cid(self->client.e));
	SETTLE();
	EXPECT_TRUE(data_passes(&self->client, &self->server));
	EXPECT_EQ(0, memcmp(self->client.tx_key.cid,
			    dtls_cids_all(&self->server.cids) + CID_LEN, CID_LEN));
}

TEST_F(cids13, what_was_given_before_the_request_does_not_answer_it)
{
	long n;

	UP();
	ASSERT_EQ(0, kdtls_engine_give_cids(self->server.e, 1, false));
	n = end_output(&self->server, self->buf, END_DATAGRAM, self->now);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, kdtls_engine_request_cids(self->client.e, 3));
	ASSERT_EQ(0, end_input(&self->client, self->buf, (size_t)n, self->now));
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_request_cids(self->client.e, 1));
	SETTLE();
	EXPECT_EQ(4, info_of(&self->client).cid_spares);
}

TEST_F(cids13, asking_without_end_fills_nothing)
{
	static const u8 many[] = { 255 };
	int i;

	UP();
	for (i = 0; i < 50; i++)
		ASSERT_EQ(0, inject_message(&self->client, &self->server,
					    DTLS_REQUEST_CONNECTION_ID, many, 1,
					    self->now));
	/* One answer is about to go out, for all of them. */
	EXPECT_EQ(1 + DTLS_CIDS_MAX / 2, self->server.cids.count);
	SETTLE();
	EXPECT_EQ(NULL, motion(self->server.e)->flight.first);
	EXPECT_EQ(1 + DTLS_CIDS_MAX / 2, self->server.cids.count);
	EXPECT_EQ(DTLS_CIDS_MAX / 2, info_of(&self->client).cid_spares);
}

/* Return: the connection IDs in the message of @end's that is on its way. */
static long count_given(struct end *end, u8 *buf, u64 now)
{
	const struct dtls_outgoing *m;
	struct dtls_bytes body, list, cid;
	long n = 0;

	while (end_output(end, buf, END_DATAGRAM, now) > 0)
		;
	m = motion(end->e)->flight.first;
	if (!m || m->data[0] != DTLS_NEW_CONNECTION_ID)
		return -1;
	body = (struct dtls_bytes){ m->data + DTLS_MESSAGE_HEADER,
				    m->len - DTLS_MESSAGE_HEADER };
	if (!rd_vec(&body, 2, &list) || body.len != 1)
		return -1;
	while (rd_vec(&list, 1, &cid))
		n++;
	return n;
}

/* How many more connection IDs the owner accepts */
static unsigned int acceptable;

static int take_acceptable(void *ctx, u8 *cid, size_t len)
{
	struct end *end = ctx;

	if (!acceptable)
		return -1;
	acceptable--;
	return !dtls_cids_add(&end->cids, cid, len);
}

TEST_F(cids13, who_has_none_says_so)
{
	static const u8 two[] = { 2 };
	int refuses;

	for (refuses = 0; refuses < 2; refuses++) {
		self->server.config.ops.cid = refuses ? take_acceptable : NULL;
		acceptable = 0;
		UP();
		EXPECT_EQ(refuses ? -KDTLS_ECALLBACK : -KDTLS_EUSAGE,
			  kdtls_engine_give_cids(self->server.e, 2, true));
		EXPECT_EQ(0, end_output(&self->server, self->buf, END_DATAGRAM,
					self->now));
		ASSERT_EQ(0, inject_message(&self->client, &self->server,
					    DTLS_REQUEST_CONNECTION_ID, two, 1,
					    self->now));
		EXPECT_EQ(0, count_given(&self->server, self->buf, self->now));
		end_exit(&self->client);
		end_exit(&self->server);
		end_config(&self->server, psk);
	}
}

/* Each that is accepted pushes out an older one, which the peer uses. */
TEST_F(cids13, all_that_were_accepted_are_told)
{
	int i;

	self->server.config.ops.cid = take_acceptable;
	UP();
	acceptable = 1;
	ASSERT_EQ(0, kdtls_engine_give_cids(self->server.e, 1, true));
	SETTLE();
	for (i = 0; i < 3; i++) {
		acceptable = DTLS_CIDS_MAX - 1;
		EXPECT_EQ(0, kdtls_engine_give_cids(self->server.e, DTLS_CIDS_MAX,
						    true));
		SETTLE();
		EXPECT_TRUE(data_passes(&self->client, &self->server));
		EXPECT_EQ(DTLS_CIDS_MAX - 2, info_of(&self->client).cid_spares);
	}
	EXPECT_EQ(-KDTLS_ECALLBACK, kdtls_engine_give_cids(self->server.e, 1, true));
	acceptable = 1;
	ASSERT_EQ(0, kdtls_engine_request_cids(self->client.e, 2));
	SETTLE();
	EXPECT_EQ(DTLS_CIDS_MAX - 1, info_of(&self->client).cid_spares);
}

TEST_F(cids13, without_random_bytes_none_is_made)
{
	static const u8 two[] = { 2 };
	int asked, err;

	for (asked = 0; asked < 2; asked++) {
		UP();
		no_random = true;
		err = asked ? inject_message(&self->client, &self->server,
					     DTLS_REQUEST_CONNECTION_ID, two, 1,
					     self->now) :
			      kdtls_engine_give_cids(self->server.e, 2, true);
		no_random = false;
		EXPECT_EQ(-KDTLS_ECRYPTO, err);
		EXPECT_EQ(1, self->server.cids.count);
		end_close(&self->client);
		end_close(&self->server);
	}
}

TEST_F(cids13, moments_that_are_wrong)
{
	OPEN();
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_give_cids(self->server.e, 1,
							false));
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_request_cids(self->client.e, 1));
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_change_cid(self->client.e));
	HANDSHAKE();
	SETTLE();
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_give_cids(self->server.e, 0,
							false));
	EXPECT_EQ(-KDTLS_EUSAGE,
		  kdtls_engine_give_cids(self->server.e, DTLS_CIDS_MAX + 1,
					 false));
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_request_cids(self->client.e, 0));
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_change_cid(self->client.e));
	end_close(&self->client);
	end_close(&self->server);
	/* None was agreed on. */
	HANDSHAKE();
	SETTLE();
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_give_cids(self->server.e, 1,
							false));
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_request_cids(self->client.e, 1));
	end_exit(&self->client);
	end_exit(&self->server);
	self->client.config.version_max = DTLS_VERSION_1_2;
	UP();
	ASSERT_EQ(DTLS_VERSION_1_2, info_of(&self->client).version);
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_give_cids(self->server.e, 1,
							false));
	EXPECT_EQ(-KDTLS_EUSAGE, kdtls_engine_request_cids(self->client.e, 1));
}

/* Of another length, as a peer may choose: it knows where it ends. */
TEST_F(cids13, of_the_peers_any_length_will_do)
{
	static const u8 fresh[] = { 0, 9, 3, 'n', 'e', 'w', 4, 'm', 'o', 'r',
				    'e', 1 };

	UP();
	ASSERT_EQ(0, inject_message(&self->client, &self->server,
				    DTLS_NEW_CONNECTION_ID, fresh,
				    sizeof(fresh), self->now));
	EXPECT_EQ(2, info_of(&self->server).cid_spares);
	ASSERT_EQ(0, kdtls_engine_change_cid(self->server.e));
	EXPECT_EQ(3, info_of(&self->server).cid_tx_len);
	EXPECT_EQ(0, memcmp(info_of(&self->server).cid_tx, "new", 3));
	ASSERT_EQ(0, kdtls_engine_change_cid(self->server.e));
	EXPECT_EQ(4, info_of(&self->server).cid_tx_len);
	EXPECT_EQ(0, memcmp(info_of(&self->server).cid_tx, "more", 4));
}

static const struct wrong wrong[] = {
	{ DTLS_REQUEST_CONNECTION_ID, 2, { 1, 1 }, KDTLS_ALERT_DECODE_ERROR },
	{ DTLS_NEW_CONNECTION_ID, 4, { 0, 1, 1, 1 }, KDTLS_ALERT_DECODE_ERROR },
	{ DTLS_NEW_CONNECTION_ID, 6, { 0, 2, 1, 1, 0, 0 }, KDTLS_ALERT_DECODE_ERROR },
	{ DTLS_NEW_CONNECTION_ID, 5, { 0, 2, 1, 1, 2 }, KDTLS_ALERT_ILLEGAL_PARAMETER },
	{ DTLS_NEW_CONNECTION_ID, 4, { 0, 1, 0, 1 }, KDTLS_ALERT_ILLEGAL_PARAMETER },
	{ DTLS_NEW_CONNECTION_ID, 3, { 0, 0, 0 }, KDTLS_ALERT_ILLEGAL_PARAMETER },
};

TEST_F(cids13, wrong_messages_end_it)
{
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		UP();
		EXPECT_TRUE(refused(&self->client, &self->server, &wrong[i],
				    self->now))
			TH_LOG("%zu", i);
		end_close(&self->client);
		end_close(&self->server);
	}
}

/* Application data that comes before the engine has done, so that it waits */
TEST_F(cids13, of_a_datagram_the_first_record_has_one)
{
	u8 last[END_DATAGRAM], datagram[512];
	size_t n;
	long len;

	OPEN();
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now, 4));
	len = end_output(&self->client, last, sizeof(last), self->now);
	ASSERT_LT(0, len);
	ASSERT_TRUE(end_established(&self->client));
	/* With none at all it may be anybody's. */
	n = unnamed(self->client.tx, DTLS_CT_APPLICATION_DATA, "alone", 5,
		    datagram);
	ASSERT_EQ(0, end_input(&self->server, datagram, n, self->now));
	n = end_send(&self->client, "one", 3, datagram);
	n += unnamed(self->client.tx, DTLS_CT_APPLICATION_DATA, "two", 3,
		     datagram + n);
	ASSERT_EQ(0, end_input(&self->server, datagram, n, self->now));
	ASSERT_EQ(0, end_input(&self->server, last, (size_t)len, self->now));
	ASSERT_TRUE(end_established(&self->server));
	ASSERT_EQ(6, self->server.received_len);
	EXPECT_EQ(0, memcmp(self->server.received, "onetwo", 6));
}

TEST_F(cids13, of_a_flight_the_first_record_has_one)
{
	u8 datagram[END_DATAGRAM];
	struct dtls_record record;
	size_t i, n;

	/* The client's Finished, behind another record and alone */
	for (i = 0; i < 2; i++) {
		struct dtls_outgoing *m;

		OPEN();
		ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
		ASSERT_EQ(0, end_exchange(&self->client, &self->server,
					  &self->now, 4));
		ASSERT_LT(0, end_output(&self->client, datagram,
					sizeof(datagram), self->now));
		m = motion(self->client.e)->flight.first;
		ASSERT_NE(NULL, m);
		/* Ours may come first, or somebody else's: then all is his. */
		n = dtls_protection_seal(motion(self->client.e)->tx, DTLS_CT_ACK, (u8 *)"\0", 2,
					 datagram);
		if (i)
			datagram[1] ^= 1;
		n += unnamed(motion(self->client.e)->tx, DTLS_CT_HANDSHAKE, m->data,
			     m->len, datagram + n);
		ASSERT_EQ(0, dtls_record_parse(&record, datagram, n, n,
					       CID_LEN));
		ASSERT_EQ(CID_LEN, record.cid_len);
		ASSERT_EQ(0, end_input(&self->server, datagram, n, self->now));
		EXPECT_EQ(!i, end_established(&self->server));
		end_close(&self->client);
		end_close(&self->server);
	}
}

/* A few short connection IDs are kept in another place than many or long ones. */
TEST(cids_of_each_length_are_kept)
{
	u8 given[DTLS_CIDS_MAX + 4][DTLS_CID_SIZE_MAX], *all;
	struct dtls_cids c = { 0 };
	unsigned int i, k, n;
	size_t len;

	for (len = 1; len <= DTLS_CID_SIZE_MAX; len++) {
		EXPECT_EQ(NULL, dtls_cids_all(&c));
		for (i = 0; i < DTLS_CIDS_MAX + 4; i++) {
			memset(given[i], (int)i + 1, len);
			ASSERT_TRUE(dtls_cids_add(&c, given[i], len));
			n = i < DTLS_CIDS_MAX ? i + 1 : DTLS_CIDS_MAX + 1;
			ASSERT_EQ(n, c.count);
			ASSERT_EQ(len, c.len);
			all = (u8 *)dtls_cids_all(&c);
			EXPECT_EQ(0, memcmp(all, given[0], len));
			for (k = 1; k < n; k++)
				EXPECT_EQ(0, memcmp(all + k * len,
						    given[i + 1 - n + k], len))
					TH_LOG("%zu bytes, %u of %u", len, k, i);
		}
		dtls_cids_free(&c);
	}
}

TEST_HARNESS_MAIN
