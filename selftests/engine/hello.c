// SPDX-License-Identifier: GPL-2.0
/* Hellos as other clients send them, and what is answered to them. */
#include "pair.h"

PAIR_OF_BOTH(hello);

FIXTURE_SETUP(hello)
{
	PAIR_SETUP(variant->version);
}

PAIR_OF(hello12, DTLS_VERSION_1_2)
PAIR_OF(hello13, DTLS_VERSION_1_3)

#define HELLO_FRONT	(DTLS12_HEADER_SIZE + DTLS_MESSAGE_HEADER)

/* The extensions of a hello, as a list without its length; @suites may be NULL */
static struct dtls_bytes extensions_of(struct dtls_bytes body, bool client,
				       struct dtls_bytes *suites)
{
	struct dtls_bytes skip, list = { 0 };
	u8 compression;
	u16 number;

	rd_bytes(&body, 34, &skip);
	rd_vec(&body, 1, &skip);
	if (client) {
		rd_vec(&body, 1, &skip);
		rd_vec(&body, 2, suites ? suites : &skip);
		rd_vec(&body, 1, &skip);
	} else {
		rd_u16(&body, &number);
		rd_u8(&body, &compression);
	}
	rd_vec(&body, 2, &list);
	return list;
}

static bool has_extension(struct dtls_bytes list, u16 wanted)
{
	struct dtls_bytes body;
	u16 number;

	while (rd_u16(&list, &number) && rd_vec(&list, 2, &body))
		if (number == wanted)
			return true;
	return false;
}

/* Take extension @i out of the hello in @datagram. Return: its number, or -1. */
static int take_out(u8 *datagram, size_t *len, unsigned int i)
{
	struct dtls_bytes list = extensions_of((struct dtls_bytes){
		datagram + HELLO_FRONT, *len - HELLO_FRONT }, true, NULL);
	size_t at = (size_t)(list.p - datagram), all = list.len, gone;
	struct dtls_bytes body;
	u16 number;

	do {
		if (!rd_u16(&list, &number) || !rd_vec(&list, 2, &body))
			return -1;
		gone = 4 + body.len;
	} while (i--);
	memmove((u8 *)body.p - 4, list.p, list.len);
	*len -= gone;
	dtls_put_be(datagram + at - 2, 2, all - gone);
	dtls_put_be(datagram + 11, 2, *len - DTLS12_HEADER_SIZE);
	dtls_put_be(datagram + 14, 3, *len - HELLO_FRONT);
	dtls_put_be(datagram + 22, 3, *len - HELLO_FRONT);
	return number;
}

#define COOKIE_EXT	44	/* HelloRetryRequest's own (RFC 8446 4.2) */
#define NAME_EXT	0xffff	/* there is none of this number */

/* Return: the number of an extension that answers nothing in @hello; NAME_EXT */
static u16 unasked(struct dtls_bytes hello, struct dtls_bytes answers)
{
	struct dtls_bytes suites, list = extensions_of(hello, true, &suites);
	struct dtls_bytes body;
	u16 number;

	while (rd_u16(&answers, &number) && rd_vec(&answers, 2, &body))
		if (!has_extension(list, number) && number != COOKIE_EXT &&
		    !(number == 0xff01 && rd_has_u16(suites, 0x00ff)))
			return number;
	return NAME_EXT;
}

/* The same for all messages that a server has made to answer @hello */
static u16 unasked_in_flight(struct dtls_bytes hello,
			     const struct dtls_flight *f)
{
	const struct dtls_outgoing *m;
	struct dtls_bytes body;
	u16 number = NAME_EXT;

	for (m = f->first; m && number == NAME_EXT; m = m->next) {
		body = (struct dtls_bytes){ m->data + DTLS_MESSAGE_HEADER,
					    m->len - DTLS_MESSAGE_HEADER };
		if (m->data[0] == DTLS_SERVER_HELLO)
			number = unasked(hello,
					 extensions_of(body, false, NULL));
		else if (m->data[0] == DTLS_ENCRYPTED_EXTENSIONS)
			number = unasked(hello, (struct dtls_bytes){
				body.p + 2, body.len - 2 });
	}
	return number;
}

/* All that can be answered is offered, and the other end would answer it. */
static void offer_all(struct end *end)
{
	static const char *const protocols[] = { "coap", NULL };
	static const u16 profiles[] = { 7 };

	end->config.alpn = protocols;
	end->config.srtp = profiles;
	end->config.srtp_count = 1;
	end->config.record_size_limit = 1024;
	end->config.flags = KDTLS_HEARTBEAT | KDTLS_CID | KDTLS_ALLOW_NO_EMS;
}

TEST_F(hello, server_answers_only_what_was_offered)
{
	u8 reply[KDTLS_GATE_REPLY_SIZE];
	struct dtls_bytes hello, answer;
	unsigned int i, answered = 0;
	size_t len, reply_len;
	const char *pem;
	int gone;

	cert_make(&self->cert, &(struct cert_options){
		.issuer = &self->ca, .name = "DNS:end.example" });
	for (i = 0, gone = 0; gone >= 0; i++) {
		offer_all(&self->client);
		offer_all(&self->server);
		ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
				       &self->cert, "end.example"));
		pem = self->cert.public_pem;
		ASSERT_EQ(0, kdtls_endpoint_trust_raw_key(self->client.ep, pem,
							  strlen(pem)));
		pem = self->cert.key_pem;
		ASSERT_EQ(0, kdtls_endpoint_use_raw_key(self->server.ep, pem,
							strlen(pem)));
		ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
		len = (size_t)end_output(&self->client, self->buf, END_DATAGRAM,
					 self->now);
		gone = take_out(self->buf, &len, i);
		hello = (struct dtls_bytes){ self->buf + HELLO_FRONT,
					     len - HELLO_FRONT };
		/* What a stranger is answered, */
		if (end_gate(self->server.ep, "here", 4, self->buf,
			     len, self->now, reply, &reply_len) ==
		    KDTLS_GATE_REPLY && reply[13] == DTLS_SERVER_HELLO) {
			answer = (struct dtls_bytes){ reply + HELLO_FRONT,
						      reply_len - HELLO_FRONT };
			EXPECT_EQ(NAME_EXT, unasked(hello,
						    extensions_of(answer, false, NULL)))
				TH_LOG("without extension %d: retry", gone);
		}
		/* and what one who needs no cookie */
		self->server.ep->config.flags |= KDTLS_NO_COOKIE;
		end_input(&self->server, self->buf, len, self->now);
		answered += !!motion(self->server.e)->flight.first;
		EXPECT_EQ(NAME_EXT,
			  unasked_in_flight(hello, &motion(self->server.e)->flight))
			TH_LOG("without extension %d", gone);
		end_exit(&self->client);
		end_exit(&self->server);
	}
	EXPECT_LT(8, answered);
}

/* Take an extension by its number out of a hello. Return: it was there. */
static bool take_out_number(u8 *datagram, size_t *len, u16 number)
{
	unsigned int i;
	size_t n;
	int gone;

	for (i = 0;; i++) {
		u8 copy[2048];

		n = *len;
		memcpy(copy, datagram, n);
		gone = take_out(copy, &n, i);
		if (gone < 0)
			return false;
		if (gone != number)
			continue;
		memcpy(datagram, copy, n);
		*len = n;
		return true;
	}
}

/* RFC 5746 3.6: the client's other way to say it can */
TEST_F(hello12, server_answers_the_number_that_stands_for_renegotiation_info)
{
	size_t len = first_hello(&self->client, self->buf, self->now);
	struct dtls_bytes suites;

	ASSERT_TRUE(take_out_number(self->buf, &len, 0xff01));
	self->server.config.flags = KDTLS_NO_COOKIE;
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	extensions_of((struct dtls_bytes){ self->buf + HELLO_FRONT,
		      len - HELLO_FRONT }, true, &suites);
	dtls_put_be((u8 *)suites.p + suites.len - 2, 2, 0x00ff);
	ASSERT_EQ(0, end_input(&self->server, self->buf, len, self->now));
	ASSERT_NE(NULL, motion(self->server.e)->flight.first);
	EXPECT_TRUE(has_extension(extensions_of((struct dtls_bytes){
		motion(self->server.e)->flight.first->data + DTLS_MESSAGE_HEADER,
		motion(self->server.e)->flight.first->len - DTLS_MESSAGE_HEADER },
		false, NULL), 0xff01));
}

TEST_F(hello12, server_without_renegotiation_info_only_if_said_so)
{
	size_t len;
	int allowed;

	for (allowed = 0; allowed < 2; allowed++) {
		self->client.config.flags = allowed ?
			KDTLS_ALLOW_NO_RENEGOTIATION_INFO : 0;
		self->server.config.flags = KDTLS_NO_COOKIE;
		len = first_hello(&self->client, self->buf, self->now);
		ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
		ASSERT_TRUE(take_out_number(self->buf, &len, 0xff01));
		ASSERT_EQ(0, end_input(&self->server, self->buf, len,
				       self->now));
		end_exchange(&self->server, &self->client, &self->now, 1);
		EXPECT_EQ(allowed, !failure_of(&self->client).error);
		EXPECT_EQ(allowed ? KDTLS_ALERT_NONE :
				    KDTLS_ALERT_HANDSHAKE_FAILURE,
			  failure_of(&self->client).alert_sent);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

/* RFC 4279 5.2; more bytes than an identity has, and bytes of no string */
TEST_F(hello12, hint_that_means_nothing_is_ignored)
{
	static const u16 plain[] = { 0x00a8 };
	struct dtls_writer *all;
	struct dtls_outgoing *m;
	char hint[200] = "h";
	int i;

	memset(hint, 'h', sizeof(hint) - 1);
	self->client.config.suites = plain;
	self->client.config.suite_count = 1;
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
		ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
		self->server.ep->config.psk_hint = hint + (i ? 180 : 0);
		ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
		ASSERT_EQ(0, end_exchange(&self->client, &self->server,
					  &self->now, 3));
		ASSERT_NE(NULL, self->server.e->hs);
		m = motion(self->server.e)->flight.first->next;
		ASSERT_EQ(DTLS_SERVER_KEY_EXCHANGE, m->data[0]);
		all = &self->server.e->hs->transcript.all;
		if (i) {
			u8 *p = memmem(all->p, all->len, m->data, m->len);

			ASSERT_NE(NULL, p);
			p[m->len - 3] = 0;
			m->data[m->len - 3] = 0;
		}
		ASSERT_EQ(0, end_exchange(&self->server, &self->client,
					  &self->now, 20));
		EXPECT_TRUE(end_agree(&self->client, &self->server));
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

#define PERIOD		15000000ULL	/* µs that the key of cookies is good for */

/*
 * A cookie tells when it was made, to the endpoint that has made it and to another one with
 * the same secret: at both ends of a period, and in the next period too.
 */
TEST_F(hello, a_cookie_tells_when_it_was_made)
{
	static const u64 at[] = { 1, PERIOD, 2 * PERIOD - 1, 257 * PERIOD - 1,
				  (1ULL << 50) + 1 };
	static const u8 secret[KDTLS_SECRET_SIZE] = "what these endpoints have in all";
	u8 reply[KDTLS_GATE_REPLY_SIZE], hello[2048];
	struct kdtls_endpoint *ep[2];
	unsigned int i, j;
	size_t n, len;

	self->server.config.cookie_life = PERIOD / 1000;
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		for (j = 0; j < 2; j++) {
			ASSERT_EQ(0, kdtls_endpoint_new(&self->server.config,
							&ep[j]));
			ASSERT_EQ(0, kdtls_endpoint_use_secret(ep[j], secret,
							       sizeof(secret)));
		}
		n = second_hello(&self->client, ep[0], reply, hello,
				 sizeof(hello), at[i]);
		ASSERT_LT(0, n);
		for (j = 0; j < 4; j++) {
			end_proven = 0;
			EXPECT_EQ(KDTLS_GATE_ACCEPT,
				  end_gate(ep[j % 2], "here", 4, hello, n,
					   at[i] + (j / 2) * PERIOD, reply,
					   &len));
			EXPECT_EQ(at[i], end_proven);
		}
		/* A clock that began anew is at the beginning of the same period. */
		end_proven = 0;
		EXPECT_EQ(KDTLS_GATE_ACCEPT,
			  end_gate(ep[1], "here", 4, hello, n,
				   at[i] - at[i] % PERIOD, reply, &len));
		EXPECT_EQ(at[i] - at[i] % PERIOD, end_proven);
		end_exit(&self->client);
		kdtls_endpoint_free(ep[0]);
		kdtls_endpoint_free(ep[1]);
	}
}

/* Begin an extension whose body is a vector with a length of @n bytes. */
static size_t open_extension(struct dtls_writer *w, u16 number, unsigned int n,
			     size_t *outer)
{
	wr_u16(w, number);
	*outer = wr_open(w, 2);
	return wr_open(w, n);
}

/* Write an extension whose body is a list with one number. */
static void extension_of_one(struct dtls_writer *w, u16 number, unsigned int n,
			     u16 value)
{
	size_t outer, list = open_extension(w, number, n, &outer);

	wr_u16(w, value);
	wr_close(w, list, n);
	wr_close(w, outer, 2);
}

/*
 * Write the smallest ClientHello of DTLS 1.3 with certificates as a datagram: of
 * extensions it has the version, one group, one signature algorithm and, in the
 * list of shares, one of X25519 or none, for the server to ask for.
 */
static size_t smallest_hello(u16 suite, bool share, u8 *out)
{
	struct dtls_writer w = { 0 };
	size_t len, extensions, outer, list;
	struct dtls_record r = {
		.type = DTLS_CT_HANDSHAKE,
		.version = DTLS_VERSION_1_2,
	};

	wr_u16(&w, DTLS_VERSION_1_2);
	memset(wr_room(&w, 32), 0x5a, 32);	/* random */
	wr_u8(&w, 0);				/* legacy_session_id */
	wr_u8(&w, 0);				/* legacy_cookie */
	wr_u16(&w, 2);
	wr_u16(&w, suite);
	wr_u16(&w, 0x0100);			/* no compression */
	extensions = wr_open(&w, 2);
	extension_of_one(&w, 43, 1, DTLS_VERSION_1_3);
	extension_of_one(&w, 10, 2, 0x001d);
	extension_of_one(&w, 13, 2, 0x0403);
	list = open_extension(&w, 51, 2, &outer);
	if (share) {
		wr_u16(&w, 0x001d);
		wr_u16(&w, 32);
		memset(wr_room(&w, 32), 0x09, 32);
	}
	wr_close(&w, list, 2);
	wr_close(&w, outer, 2);
	wr_close(&w, extensions, 2);

	r.fragment_len = (u16)(DTLS_MESSAGE_HEADER + w.len);
	len = dtls_record_write_header(out, &r);
	dtls_fragment_write(out + len, DTLS_CLIENT_HELLO, (u32)w.len, 0, 0,
			    (u32)w.len);
	memcpy(out + HELLO_FRONT, w.p, w.len);
	len = HELLO_FRONT + w.len;
	wr_free(&w);
	return len;
}

/*
 * The smallest hellos get an answer, too, which is at most twice as long: so much may a
 * server send to an address that a stranger has made up.
 */
TEST_F(hello13, the_smallest_hellos_are_answered)
{
	static const u16 suites[] = { 0x1301, 0x1302, 0x1303 };
	u8 reply[KDTLS_GATE_REPLY_SIZE];
	size_t n, len;
	unsigned int i;

	cert_make(&self->cert, &(struct cert_options){ .issuer = &self->ca });
	ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
			       &self->cert, NULL));
	for (i = 0; i < 2 * sizeof(suites) / sizeof(suites[0]); i++) {
		n = smallest_hello(suites[i / 2], i % 2, self->buf);
		ASSERT_EQ(i % 2 ? 134 : 98, n);
		len = 0;
		ASSERT_EQ(KDTLS_GATE_REPLY,
			  end_gate(self->server.ep, "here", 4, self->buf, n,
				   self->now, reply, &len));
		EXPECT_EQ(DTLS_SERVER_HELLO, reply[DTLS12_HEADER_SIZE]);
		EXPECT_GE(2 * n, len);
	}
}

/* RFC 8446 9.2, with a cookie and where none is asked for */
TEST_F(hello13, the_client_hears_that_its_hello_lacks_an_extension)
{
	static const u16 lacks[] = { 10, 51, 13 };
	u8 reply[KDTLS_GATE_REPLY_SIZE];
	size_t len, reply_len;
	unsigned int i;
	int cookie;

	cert_make(&self->cert, &(struct cert_options){ .issuer = &self->ca });
	self->client.config.flags = KDTLS_NO_NAME_CHECK;
	self->client.config.mtu = HELLO_MTU;
	for (i = 0; i < 2 * sizeof(lacks) / sizeof(lacks[0]); i++) {
		cookie = i % 2;
		self->server.config.flags = cookie ? 0 : KDTLS_NO_COOKIE;
		ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
				       &self->cert, NULL));
		ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
		len = (size_t)end_output(&self->client, self->buf, END_DATAGRAM,
					 self->now);
		ASSERT_TRUE(take_out_number(self->buf, &len, lacks[i / 2]));
		if (cookie) {
			ASSERT_EQ(KDTLS_GATE_REPLY,
				  end_gate(self->server.ep, "address", 7,
					   self->buf, len, self->now, reply,
					   &reply_len));
			ASSERT_EQ(0, end_input(&self->client, reply, reply_len,
					       self->now));
			len = (size_t)end_output(&self->client, self->buf,
						 END_DATAGRAM, self->now);
			ASSERT_TRUE(take_out_number(self->buf, &len,
						    lacks[i / 2]));
		}
		EXPECT_EQ(-KDTLS_EPROTOCOL, end_input(&self->server, self->buf,
						      len, self->now));
		end_exchange(&self->server, &self->client, &self->now, 1);
		EXPECT_EQ(KDTLS_ALERT_MISSING_EXTENSION,
			  failure_of(&self->client).alert_received)
			TH_LOG("without extension %d: %s", lacks[i / 2],
			       failure_of(&self->server).reason);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

TEST_F(hello, without_cookies_a_hello_is_as_old_as_it_is)
{
	u8 reply[KDTLS_GATE_REPLY_SIZE];
	size_t n, len;

	self->server.config.flags = KDTLS_NO_COOKIE;
	n = first_hello(&self->client, self->buf, self->now);
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(KDTLS_GATE_ACCEPT,
		  end_gate(self->server.ep, "here", 4, self->buf, n,
			   self->now + 7, reply, &len));
	EXPECT_EQ(self->now + 7, end_proven);
}

/* A server that keeps nothing numbers each of its requests 0. */
TEST_F(hello12, another_verify_request_may_bear_the_same_number)
{
	u8 reply[2][KDTLS_GATE_REPLY_SIZE];
	size_t n, len[2];

	n = first_hello(&self->client, self->buf, self->now);
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(KDTLS_GATE_REPLY,
		  end_gate(self->server.ep, "address", 7, self->buf,
			   n, self->now, reply[0], &len[0]));
	ASSERT_EQ(0, end_input(&self->client, reply[0], len[0], self->now));
	ASSERT_LT(0, end_output(&self->client, self->buf, END_DATAGRAM,
				self->now));
	/* The same once more is no other. */
	ASSERT_EQ(0, end_input(&self->client, reply[0], len[0], self->now));
	EXPECT_EQ(0, end_output(&self->client, self->buf, END_DATAGRAM,
				self->now));
	/* The cookie was too old for the server: here is another. */
	motion(self->client.e)->now = self->now;
	dtls_retransmit_flight(self->client.e);
	n = (size_t)end_output(&self->client, self->buf, END_DATAGRAM,
			       self->now);
	ASSERT_EQ(KDTLS_GATE_REPLY,
		  end_gate(self->server.ep, "address", 7, self->buf,
			   n, self->now + 60000000, reply[1],
				      &len[1]));
	dtls_put_be(reply[1] + 17, 2, 0);
	ASSERT_EQ(0, end_input(&self->client, reply[1], len[1], self->now));
	n = (size_t)end_output(&self->client, self->buf, END_DATAGRAM,
			       self->now);
	ASSERT_LT(HELLO_FRONT, n);
	EXPECT_EQ(KDTLS_GATE_ACCEPT,
		  end_gate(self->server.ep, "address", 7, self->buf,
			   n, self->now + 60000000, reply[1],
				      &len[1]));
	EXPECT_EQ(1, self->client.e->hs->in.next);
}

/* The second reply to a hello that was sent twice has another cookie in it. */
TEST_F(hello12, verify_request_for_a_hello_before_asks_for_nothing)
{
	u8 reply[2][KDTLS_GATE_REPLY_SIZE];
	size_t n, len[2];
	int i;

	n = first_hello(&self->client, self->buf, self->now);
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(KDTLS_GATE_REPLY,
			  end_gate(self->server.ep, "address", 7, self->buf, n,
				   self->now, reply[i], &len[i]));
		self->now += 1000ULL * self->server.config.cookie_life;
		kdtls_engine_expire(self->client.e, self->now);
		n = (size_t)end_output(&self->client, self->buf, END_DATAGRAM,
				       self->now);
	}
	ASSERT_NE(0, memcmp(reply[0], reply[1], len[0]));
	ASSERT_EQ(0, end_input(&self->client, reply[1], len[1], self->now));
	n = (size_t)end_output(&self->client, self->buf, END_DATAGRAM,
			       self->now);
	ASSERT_EQ(0, end_input(&self->server, self->buf, n, self->now));
	/* It comes when the server has taken the client's next hello. */
	ASSERT_EQ(0, end_input(&self->client, reply[0], len[0], self->now));
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now,
				  20));
	EXPECT_TRUE(end_agree(&self->client, &self->server));
}

/* Answers to other hellos */

/* Make the first hello of a client, which resumes its session if it has one. */
static size_t returning_hello(struct end *client, u8 *hello, u64 now)
{
	long len;

	if (end_open(client, KDTLS_CLIENT))
		return 0;
	if (client->session)
		kdtls_engine_set_session(client->e, client->session,
					 client->session_len);
	if (kdtls_engine_start(client->e, now))
		return 0;
	len = end_output(client, hello, END_DATAGRAM, now);
	return len > 0 ? (size_t)len : 0;
}

/* A hello with a ticket and a share of X25519MLKEM768 is one datagram, as is the answer. */
#define BOTH_IN_ONE_DATAGRAM()						\
	(self->client.config.mtu = self->server.config.mtu = 2 * HELLO_MTU)

/*
 * Let a client begin a handshake. Return the bytes of the hello that the server will
 * let in: it is the first one, or the one with the cookie.
 */
static size_t admitted_hello(struct end *client, struct end *server, u8 *hello,
			     u64 now)
{
	static u8 reply[END_DATAGRAM];
	size_t n;
	long len;

	n = returning_hello(client, hello, now);
	if (!n || end_open(server, KDTLS_SERVER))
		return 0;
	if (server->config.flags & KDTLS_NO_COOKIE)
		return n;
	if (end_input(server, hello, n, now))
		return 0;
	len = end_output(server, reply, sizeof(reply), now);
	if (len <= 0 || end_input(client, reply, (size_t)len, now))
		return 0;
	len = end_output(client, hello, END_DATAGRAM, now);
	return len > 0 ? (size_t)len : 0;
}

/* Let both ends begin, and go. Return the bytes of the server's answer. */
static size_t answer_of_before(struct end *client, struct end *server, u8 *answer,
			       u64 now)
{
	size_t n = admitted_hello(client, server, answer, now);
	long len;

	if (!n || end_input(server, answer, n, now))
		return 0;
	len = end_output(server, answer, END_DATAGRAM, now);
	end_close(client);
	end_close(server);
	return len > 0 ? (size_t)len : 0;
}

/* Return the bytes of the first record of a datagram. */
static size_t first_record(const u8 *datagram, size_t len)
{
	struct dtls_record r;

	return dtls_record_parse(&r, datagram, len, len, 0) ? 0 :
	       r.header_len + r.fragment_len;
}

/*
 * A client starts anew on its port, and its hello gets lost. Then it gets what the
 * server has answered to the hello before. In a full handshake of DTLS 1.2 that is
 * the ServerHello alone, as what is behind it is in the clear and would be taken.
 */
TEST_F(hello, a_server_hello_for_another_hello_gives_way)
{
	static u8 stale[END_DATAGRAM];
	size_t n;
	int i;

	BOTH_IN_ONE_DATAGRAM();
	for (i = 0; i < 4; i++) {
		self->server.config.flags = i % 2 ? 0 : KDTLS_NO_COOKIE;
		if (i / 2) {
			HANDSHAKE();
			end_close(&self->client);
			end_close(&self->server);
		}
		n = answer_of_before(&self->client, &self->server, stale,
				     self->now);
		ASSERT_LT(0, n);
		if (variant->version == DTLS_VERSION_1_2 && i < 2)
			n = first_record(stale, n);
		ASSERT_LT(0, admitted_hello(&self->client, &self->server,
					    self->buf, self->now));
		ASSERT_EQ(0, end_input(&self->client, stale, n, self->now));
		self->now += 2000000;
		kdtls_engine_expire(self->client.e, self->now);
		ASSERT_EQ(0, end_exchange(&self->client, &self->server,
					  &self->now, 20));
		EXPECT_TRUE(end_agree(&self->client, &self->server))
			TH_LOG("%d", i);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

/* The same with what the two answers have agreed on: all that there is, or nothing. */
TEST_F(hello, what_a_server_hello_has_said_goes_with_it)
{
	static u8 stale[END_DATAGRAM];
	struct kdtls_info info;
	size_t n;
	int i;

	for (i = 0; i < 2; i++) {
		BOTH_IN_ONE_DATAGRAM();
		offer_all(&self->client);
		if (i)
			offer_all(&self->server);
		HANDSHAKE();
		end_close(&self->client);
		end_close(&self->server);
		n = answer_of_before(&self->client, &self->server, stale,
				     self->now);
		ASSERT_LT(0, n);
		end_exit(&self->server);
		end_config(&self->server, psk);
		if (!i)
			offer_all(&self->server);
		ASSERT_LT(0, admitted_hello(&self->client, &self->server,
					    self->buf, self->now));
		ASSERT_EQ(0, end_input(&self->client, stale,
				       first_record(stale, n), self->now));
		self->now += 2000000;
		kdtls_engine_expire(self->client.e, self->now);
		ASSERT_EQ(0, end_exchange(&self->client, &self->server,
					  &self->now, 20));
		ASSERT_TRUE(end_agree(&self->client, &self->server));
		info = info_of(&self->client);
		EXPECT_EQ(!i, !!info.alpn);
		EXPECT_EQ(!i, !!info.srtp_profile);
		EXPECT_EQ(!i, info.peer_heartbeat);
		EXPECT_EQ(!i, info.peer_record_limit < DTLS_RECORD_SIZE_MAX);
		end_exit(&self->client);
		end_exit(&self->server);
		end_config(&self->client, psk);
		end_config(&self->server, psk);
	}
}

/* It was held until the server's request for a cookie came, and then taken. */
TEST_F(hello, what_comes_before_a_hello_does_not_answer_it)
{
	static u8 stale[END_DATAGRAM], reply[END_DATAGRAM];
	size_t n;
	long len;

	BOTH_IN_ONE_DATAGRAM();
	n = answer_of_before(&self->client, &self->server, stale, self->now);
	ASSERT_LT(0, n);
	len = (long)first_hello(&self->client, self->buf, self->now);
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, end_input(&self->client, stale, n, self->now));
	ASSERT_EQ(0, end_input(&self->server, self->buf, (size_t)len, self->now));
	len = end_output(&self->server, reply, sizeof(reply), self->now);
	ASSERT_LT(0, len);
	ASSERT_EQ(0, end_input(&self->client, reply, (size_t)len, self->now));
	EXPECT_EQ(CLIENT_SERVER_HELLO, self->client.e->hs->step);
	ASSERT_EQ(0, end_exchange(&self->client, &self->server, &self->now,
				  20));
	EXPECT_TRUE(end_agree(&self->client, &self->server));
}

#define RANDOM_AT	(HELLO_FRONT + 2)

/* A stranger who guesses the client's port makes one ServerHello after the other. */
TEST_F(hello, a_flood_of_server_hellos_costs_few_key_exchanges)
{
	size_t n, first;
	int i;

	BOTH_IN_ONE_DATAGRAM();
	HANDSHAKE();
	end_close(&self->client);
	end_close(&self->server);
	n = admitted_hello(&self->client, &self->server, self->buf, self->now);
	ASSERT_LT(0, n);
	ASSERT_EQ(0, end_input(&self->server, self->buf, n, self->now));
	n = (size_t)end_output(&self->server, self->buf, END_DATAGRAM,
			       self->now);
	first = first_record(self->buf, n);
	ASSERT_LT(RANDOM_AT, first);
	for (i = 0; i < 1000; i++) {
		self->buf[RANDOM_AT + i % 8]++;
		ASSERT_EQ(0, end_input(&self->client, self->buf, first,
				       self->now));
	}
	EXPECT_LT(0, self->client.e->hs->taken_back);
	EXPECT_GE(32, self->client.e->hs->taken_back);
}

/* The server's true answer comes before the stranger's, or behind it. */
TEST_F(hello, a_stranger_s_server_hello_ends_nothing)
{
	static u8 forged[END_DATAGRAM];
	size_t n, first, at;
	int i;

	for (i = 0; i < 3; i++) {
		HANDSHAKE();
		end_close(&self->client);
		end_close(&self->server);
		n = admitted_hello(&self->client, &self->server, self->buf,
				   self->now);
		ASSERT_LT(0, n);
		ASSERT_EQ(0, end_input(&self->server, self->buf, n, self->now));
		n = (size_t)end_output(&self->server, self->buf, END_DATAGRAM,
				       self->now);
		first = first_record(self->buf, n);
		memcpy(forged, self->buf, first);
		forged[RANDOM_AT]++;
		/* In front of all, behind the true ServerHello, behind all */
		at = i == 0 ? 0 : i == 1 ? first : n;
		if (at)
			ASSERT_EQ(0, end_input(&self->client, self->buf, at,
					       self->now));
		ASSERT_EQ(0, end_input(&self->client, forged, first, self->now));
		if (at < n)
			ASSERT_EQ(0, end_input(&self->client, self->buf + at,
					       n - at, self->now));
		for (n = 0; n < 4 && !end_established(&self->client); n++) {
			ASSERT_EQ(0, end_exchange(&self->client, &self->server,
						  &self->now, 20));
			self->now += 4000000;
			kdtls_engine_expire(self->client.e, self->now);
			kdtls_engine_expire(self->server.e, self->now);
		}
		ASSERT_EQ(0, end_exchange(&self->client, &self->server,
					  &self->now, 20));
		EXPECT_TRUE(end_agree(&self->client, &self->server))
			TH_LOG("%d", i);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

/* Messages that are long */

/* Names for a certificate that is to have about so many bytes */
static char *many_names(size_t bytes)
{
	char *names = malloc(bytes + 100);
	size_t at = (size_t)sprintf(names, "DNS:end.example");

	while (at < bytes)
		at += (size_t)sprintf(names + at, ",DNS:%055zu.example", at);
	return names;
}

TEST_F(hello, certificates_may_be_longer_than_other_messages)
{
	static const struct {
		size_t bytes;
		u32 max;
		bool taken;
	} cases[] = {
		{ 20000, 0, true }, { 90000, 0, true }, { 20000, 16384, false },
	};
	char *names;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		names = many_names(cases[i].bytes);
		cert_make(&self->cert, &(struct cert_options){
			.issuer = &self->ca, .name = names });
		if (cases[i].max)
			self->client.config.max_certificates = cases[i].max;
		ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
				       &self->cert, "end.example"));
		end_handshake(&self->client, &self->server);
		EXPECT_EQ(cases[i].taken, end_established(&self->client))
			TH_LOG("%zu bytes: %s", cases[i].bytes,
			       failure_of(&self->client).reason);
		end_exit(&self->client);
		end_exit(&self->server);
		cert_free(&self->cert);
		free(names);
	}
}

/* Hellos in pieces */

/* One record with @n bytes of a message's body, at @offset. Return: its size. */
static size_t make_piece(u8 *out, const u8 *body, u32 len, u16 seq, u64 record,
			 u32 offset, u32 n)
{
	struct dtls_record r = {
		.type = DTLS_CT_HANDSHAKE, .version = 0xfeff, .seq = record,
		.fragment_len = (u16)(DTLS_MESSAGE_HEADER + n),
	};
	size_t at = dtls_record_write_header(out, &r);

	dtls_fragment_write(out + at, DTLS_CLIENT_HELLO, len, seq, offset, n);
	memcpy(out + at + DTLS_MESSAGE_HEADER, body + offset, n);
	return at + DTLS_MESSAGE_HEADER + n;
}

/* The whole hello that a client has to send, out of as many datagrams as it is */
static u32 next_hello(struct end *client, u8 *body, u16 *seq, u64 *record,
		      u64 now)
{
	struct dtls_bytes content;
	struct dtls_fragment f;
	u8 datagram[2048];
	u32 len = 0;
	long n;

	while ((n = end_output(client, datagram, sizeof(datagram), now)) > 0) {
		content = (struct dtls_bytes){ datagram + DTLS12_HEADER_SIZE,
					       (size_t)n - DTLS12_HEADER_SIZE };
		if (!dtls_fragment_parse(&content, &f) ||
		    f.type != DTLS_CLIENT_HELLO)
			return 0;
		memcpy(body + f.offset, f.body.p, f.body.len);
		*seq = f.seq;
		*record = dtls_get_be(datagram + 5, 6);
		len = f.length;
	}
	return len;
}

/* How a hello comes */
struct cut {
	u32 size;		/* bytes in a piece */
	bool backwards;
	bool together;		/* all pieces in one datagram */
};

static int send_cut(struct end *client, struct end *server,
		    const struct cut *cut, u64 now)
{
	u8 body[4096], datagram[8192];
	u32 len, i, count, n, offset;
	size_t at = 0;
	u64 record;
	u16 seq;

	len = next_hello(client, body, &seq, &record, now);
	count = (len + cut->size - 1) / cut->size;
	for (i = 0; i < count; i++) {
		offset = (cut->backwards ? count - 1 - i : i) * cut->size;
		n = len - offset < cut->size ? len - offset : cut->size;
		at += make_piece(datagram + at, body, len, seq,
				 record * 100 + i, offset, n);
		if (cut->together && i + 1 < count)
			continue;
		if (end_input(server, datagram, at, now))
			return -1;
		at = 0;
	}
	return 0;
}

static const struct cut cuts[] = {
	{ 200, false, true }, { 200, false, false }, { 200, true, false },
	{ 103, false, false }, { 103, true, false }, { 80, false, false },
	{ 67, false, false }, { 67, true, false }, { 40, false, false },
	{ 40, true, true }, { 20, false, false }, { 20, true, false },
};

/* A handshake whose hellos, the first and the one with a cookie, are cut so */
static bool shakes_hands(struct end *client, struct end *server,
			 const struct cut *cut, u64 *now)
{
	int i;

	if (kdtls_engine_start(client->e, *now))
		return false;
	for (i = 0; i < 2; i++)
		if (send_cut(client, server, cut, *now) ||
		    end_exchange(server, client, now, 1))
			return false;
	return !end_exchange(client, server, now, 20) &&
	       end_agree(client, server);
}

TEST_F(hello, a_hello_is_served_however_it_is_cut)
{
	size_t i;

	/* Both speak both versions: a piece does not tell which one is meant. */
	self->server.config.version_max = DTLS_VERSION_1_3;
	for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
		ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
		EXPECT_TRUE(shakes_hands(&self->client, &self->server, &cuts[i],
					 &self->now))
			TH_LOG("in pieces of %u bytes%s%s", cuts[i].size,
			       cuts[i].backwards ? ", backwards" : "",
			       cuts[i].together ? ", in one datagram" : "");
		/* No hello is held, but what the collector knows of the last. */
		EXPECT_GT(sizeof(struct dtls_collected) + DTLS_ADDRESS_MAX,
			  self->server.ep->collector.held);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

/* Make a client's hello as large as with a share of X25519MLKEM768. */
static void offer_much(struct end *client)
{
	static char name[10][140];
	static const char *names[11];
	int i;

	for (i = 0; i < 10; i++) {
		memset(name[i], 'a' + i, sizeof(name[i]) - 1);
		names[i] = name[i];
	}
	client->config.alpn = names;
}

/* What is kept of it is little more than its bytes. */
TEST_F(hello, a_long_hello_in_tiny_pieces_is_served)
{
	static const struct cut tiny[] = {
		{ 1, false, false }, { 2, false, false }, { 20, true, false },
	};
	size_t i;

	offer_much(&self->client);
	self->server.config.version_max = DTLS_VERSION_1_3;
	for (i = 0; i < sizeof(tiny) / sizeof(tiny[0]); i++) {
		ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
		ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
		EXPECT_TRUE(shakes_hands(&self->client, &self->server, &tiny[i],
					 &self->now))
			TH_LOG("in pieces of %u bytes%s", tiny[i].size,
			       tiny[i].backwards ? ", backwards" : "");
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

#define EXTENSIONS_MAX	32

/*
 * Put the extensions of the hello that a client has to send in another order,
 * which @seed tells. Nothing of the hello's is known to anybody yet but to the
 * client's transcript.
 */
static bool permute(struct end *client, unsigned int *seed)
{
	struct dtls_outgoing *m = motion(client->e)->flight.first;
	struct dtls_writer *all = &client->e->hs->transcript.all;
	struct dtls_bytes hello = { m->data + DTLS_MESSAGE_HEADER,
				    m->len - DTLS_MESSAGE_HEADER };
	struct dtls_bytes list = extensions_of(hello, true, NULL), body;
	u8 *copy = memmem(all->p, all->len, hello.p, hello.len), mixed[4096];
	struct dtls_bytes ext[EXTENSIONS_MAX];
	u8 *at = (u8 *)list.p;
	size_t n = 0, i, len = 0;
	u16 number;

	while (n < EXTENSIONS_MAX && rd_u16(&list, &number) &&
	       rd_vec(&list, 2, &body))
		ext[n++] = (struct dtls_bytes){ body.p - 4, body.len + 4 };
	if (!copy || list.len)
		return false;
	for (; n; n--) {
		i = (size_t)rand_r(seed) % n;
		memcpy(mixed + len, ext[i].p, ext[i].len);
		len += ext[i].len;
		ext[i] = ext[n - 1];
	}
	memcpy(at, mixed, len);
	memcpy(copy, hello.p, hello.len);
	return true;
}

/* As browsers send them. With a pre-shared key one would have to be the last. */
TEST_F(hello, extensions_may_come_in_any_order)
{
	unsigned int i, round, seed;

	cert_make(&self->cert, &(struct cert_options){
		.issuer = &self->ca, .name = "DNS:end.example" });
	self->server.config.version_max = DTLS_VERSION_1_3;
	offer_all(&self->client);
	for (i = 0; i < 40; i++) {
		seed = i;
		if (i == 20)
			offer_much(&self->client);
		ASSERT_EQ(0, open_with(&self->client, &self->server, &self->ca,
				       &self->cert, "end.example"));
		ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
		/* The first, and the one with a cookie */
		for (round = 0; round < 2; round++) {
			ASSERT_TRUE(permute(&self->client, &seed));
			ASSERT_EQ(0, end_exchange(&self->client, &self->server,
						  &self->now, 1));
			ASSERT_EQ(0, end_exchange(&self->server, &self->client,
						  &self->now, 1));
		}
		EXPECT_EQ(0, end_exchange(&self->client, &self->server,
					  &self->now, 20));
		EXPECT_TRUE(end_agree(&self->client, &self->server))
			TH_LOG("order %u: %s", i,
			       failure_of(&self->server).reason);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

/* And the second is resumed by its session id. */
TEST_F(hello, hellos_of_two_datagrams_are_served)
{
	int i;

	offer_much(&self->client);
	self->client.config.flags = KDTLS_NO_TICKETS;
	self->server.config.version_max = DTLS_VERSION_1_3;
	self->server.config.cache_size = 4;
	for (i = 0; i < 2; i++) {
		HANDSHAKE();
		end_close(&self->client);
		end_close(&self->server);
		ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
		ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
		if (variant->version == DTLS_VERSION_1_2)
			ASSERT_EQ(0, kdtls_engine_set_session(self->client.e,
							      self->client.session,
						self->client.session_len));
	}
}

/* A piece of a hello, as the gate is asked about it */
static enum kdtls_gate ask(struct kdtls_endpoint *ep, u64 who, size_t source_len,
			   const u8 *datagram, size_t len, u64 now)
{
	u8 address[8];
	struct kdtls_sender from = { address, 8, source_len };
	struct kdtls_verdict v;
	enum kdtls_gate gate;

	dtls_put_be(address, 8, who);
	gate = kdtls_endpoint_gate(ep, &from, datagram, len, now, &v);
	kdtls_hello_free(v.hello);
	return gate;
}

/* What comes between two pieces of an honest hello */
static const struct {
	const char *what;
	unsigned int count;
	u32 bytes;
	u64 step;		/* from one sender's address to the next */
	size_t source_len;
} floods[] = {
	{ "1,000 spoofed pieces of a byte", 1000, 1, 0x9e3779b97f4a7c15ULL, 4 },
	{ "150 spoofed pieces of 1,200 bytes", 150, 1200,
	  0x9e3779b97f4a7c15ULL, 4 },
	{ "a million pieces from one source", 1000000, 100, 1, 4 },
};

TEST_F(hello, a_flood_of_pieces_displaces_no_honest_hello)
{
	static const u8 zeros[4096];
	u8 body[4096], half[2][4096], junk[2048];
	struct kdtls_endpoint *ep;
	size_t i, n[2], junk_len;
	unsigned int j;
	u64 record, who;
	u32 len;
	u16 seq;

	self->server.config.version_max = DTLS_VERSION_1_3;
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	len = next_hello(&self->client, body, &seq, &record, self->now);
	ASSERT_LT(100, len);
	n[0] = make_piece(half[0], body, len, seq, 0, 0, 100);
	n[1] = make_piece(half[1], body, len, seq, 1, 100, len - 100);
	for (i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
		ASSERT_EQ(0, kdtls_endpoint_new(&self->server.config, &ep));
		/*
		 * Two sources share a limit by chance, one time in
		 * DTLS_COLLECT_SOURCES. With this seed the flood's and the
		 * honest one's do not.
		 */
		ep->collector.seed = 1;
		EXPECT_EQ(KDTLS_GATE_DROP, ask(ep, 0, 4, half[0], n[0],
					       self->now));
		for (j = 0; j < floods[i].count; j++) {
			who = (j + 1) * floods[i].step + (1ULL << 63);
			junk_len = make_piece(junk, zeros, 4000, 0, 0, 1,
					      floods[i].bytes);
			ask(ep, who, floods[i].source_len, junk, junk_len,
			    self->now);
			ASSERT_GE(DTLS_COLLECT_MAX, ep->collector.held);
		}
		EXPECT_EQ(KDTLS_GATE_REPLY, ask(ep, 0, 4, half[1], n[1],
						self->now))
			TH_LOG("%s", floods[i].what);
		kdtls_endpoint_free(ep);
	}
}

/* The hello of a new client, cut in two. Return: its bytes, or 0. */
static u32 new_halves(struct end *client, u8 half[2][4096], size_t n[2])
{
	u8 body[4096];
	u64 record;
	u32 len;
	u16 seq;

	if (end_open(client, KDTLS_CLIENT) || kdtls_engine_start(client->e, 0))
		return 0;
	len = next_hello(client, body, &seq, &record, 0);
	n[0] = make_piece(half[0], body, len, seq, 0, 0, 100);
	n[1] = make_piece(half[1], body, len, seq, 1, 100, len - 100);
	end_exit(client);
	return len;
}

/* The last piece of a hello comes twice; then the client starts anew on its port. */
TEST_F(hello, a_piece_that_comes_again_spoils_no_other_hello)
{
	u8 one[2][4096], other[2][4096];
	size_t n[2], m[2], i;
	u32 len;

	self->server.config.version_max = DTLS_VERSION_1_3;
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	len = new_halves(&self->client, one, n);
	ASSERT_LT(100, len);
	ASSERT_EQ(len, new_halves(&self->client, other, m));
#define ASK(half, size, i)						\
	ask(self->server.ep, 1, 0, half[i], size[i], self->now)
	/* Both halves may come again, too, and are answered again. */
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(KDTLS_GATE_DROP, ASK(one, n, 0));
		EXPECT_EQ(KDTLS_GATE_REPLY, ASK(one, n, 1));
	}
	EXPECT_EQ(KDTLS_GATE_DROP, ASK(one, n, 1));
	EXPECT_EQ(KDTLS_GATE_DROP, ASK(other, m, 0));
	EXPECT_EQ(KDTLS_GATE_REPLY, ASK(other, m, 1));
	/* Its own pieces may be in any order. */
	EXPECT_EQ(KDTLS_GATE_DROP, ASK(other, m, 1));
	EXPECT_EQ(KDTLS_GATE_REPLY, ASK(other, m, 0));
#undef ASK
}

TEST_F(hello, half_a_hello_is_forgotten)
{
	u8 body[4096], half[2048];
	u64 record;
	size_t n;
	u32 len;
	u16 seq;

	self->server.config.version_max = DTLS_VERSION_1_3;
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
	ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
	ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
	len = next_hello(&self->client, body, &seq, &record, self->now);
	n = make_piece(half, body, len, seq, 0, 0, len / 2);
	ask(self->server.ep, 1, 0, half, n, self->now);
	ASSERT_LT(0, self->server.ep->collector.held);
	self->now += 11000000;
	ask(self->server.ep, 2, 0, half, n, self->now);
	EXPECT_EQ(TAILQ_FIRST(&self->server.ep->collector.all),
		  TAILQ_LAST(&self->server.ep->collector.all,
			     dtls_collected_list));
}

/* Whatever is in front of it in its datagram, and whatever version its record has */
TEST_F(hello, a_hello_behind_unusable_records_is_served)
{
	static const struct {
		u8 bytes[16];
		size_t len;
	} front[] = {
		{ { 99 }, 0 },
		{ { 31, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 1, 2 }, 15 },
		{ { 22, 3, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1 }, 14 },
		{ { 23, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0 }, 13 },
		{ { 21, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 9 }, 14 },
	};
	static const u8 minor[] = { 0xff, 0xfd, 0xfc, 0xfe, 0x00 };
	u8 datagram[4096];
	size_t i, len;
	long n;
	int round;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));
		ASSERT_EQ(0, end_open(&self->server, KDTLS_SERVER));
		ASSERT_EQ(0, kdtls_engine_start(self->client.e, self->now));
		for (round = 0; round < 2; round++) {
			len = front[i].len;
			memcpy(datagram, front[i].bytes, len);
			n = end_output(&self->client, datagram + len, 2048,
				       self->now);
			ASSERT_LT(0, n);
			datagram[len + 2] = minor[i];
			ASSERT_EQ(0, end_input(&self->server, datagram,
					       len + (size_t)n, self->now));
			ASSERT_EQ(0, end_exchange(&self->server, &self->client,
						  &self->now, 1));
		}
		ASSERT_EQ(0, end_exchange(&self->client, &self->server,
					  &self->now, 20));
		EXPECT_TRUE(end_agree(&self->client, &self->server))
			TH_LOG("%zu", i);
		end_exit(&self->client);
		end_exit(&self->server);
	}
}

TEST_HARNESS_MAIN
