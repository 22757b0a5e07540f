// SPDX-License-Identifier: GPL-2.0
/*
 * What a handshake costs on the wire, counted from a capture of it: round trips
 * before the client's first application data, and bytes each way, beside
 * OpenSSL's. Certificates of P-256, X25519 or P-256 for the keys, tickets.
 */
#include "pair.h"
#include "peer.h"

#define CAPTURE_MAX	64
#define OPENSSL_MTU	1400

struct capture {
	struct {
		bool up;		/* from the client */
		size_t len;
		u8 data[WIRE_SIZE];
	} datagram[CAPTURE_MAX];
	unsigned int n;
};

static void note(struct capture *c, bool up, const void *data, size_t len)
{
	if (c->n == CAPTURE_MAX || len > WIRE_SIZE)
		return;
	c->datagram[c->n].up = up;
	c->datagram[c->n].len = len;
	memcpy(c->datagram[c->n].data, data, len);
	c->n++;
}

/*
 * By its header: in DTLS 1.3 epoch 1 or 3, where a client's first record is
 * data, since it has nothing to acknowledge before.
 */
static bool is_data(const u8 *data, size_t len)
{
	struct dtls_record r;

	for (; !dtls_record_parse(&r, data, len, len, 0);
	     len -= r.header_len + r.fragment_len,
	     data += r.header_len + r.fragment_len)
		if (r.unified ? r.unified & 1 :
				r.type == DTLS_CT_APPLICATION_DATA)
			return true;
	return false;
}

/* Return: turns of the server's before the client's first data; -1: none. */
static int round_trips(const struct capture *c)
{
	unsigned int i;
	int turns = 0;

	for (i = 0; i < c->n; i++) {
		if (c->datagram[i].up &&
		    is_data(c->datagram[i].data, c->datagram[i].len))
			return turns;
		turns += !c->datagram[i].up && i && c->datagram[i - 1].up;
	}
	return -1;
}

/* All but the client's first data, which is of @data bytes */
static size_t bytes(const struct capture *c, bool up, size_t data)
{
	size_t sum = 0;
	unsigned int i;

	for (i = 0; i < c->n; i++)
		if (c->datagram[i].up == up)
			sum += c->datagram[i].len;
	return up ? sum - data : sum;
}

static void tell(const char *what, const struct capture *c, size_t data)
{
	printf("# %-28s %d round trips, client %4zu bytes, server %4zu\n", what,
	       round_trips(c), bytes(c, true, data), bytes(c, false, data));
}

PAIR(trips)

FIXTURE_SETUP(trips)
{
	PAIR_SETUP(DTLS_VERSION_1_3);
	cert_make(&self->cert, &(struct cert_options){
		.issuer = &self->ca, .name = "DNS:end.example" });
}

static const struct {
	const char *what;
	u16 version;
	bool cookie, resumed, early;
	int trips;
} rows[] = {
	{ "1.2 full", 0xfefd, false, false, false, 2 },
	{ "1.2 full, cookie", 0xfefd, true, false, false, 3 },
	{ "1.2 resumed", 0xfefd, false, true, false, 1 },
	{ "1.2 resumed, cookie", 0xfefd, true, true, false, 2 },
	{ "1.3 full", 0xfefc, false, false, false, 1 },
	{ "1.3 full, cookie", 0xfefc, true, false, false, 2 },
	{ "1.3 resumed", 0xfefc, false, true, false, 1 },
	{ "1.3 resumed, cookie", 0xfefc, true, true, false, 2 },
	{ "1.3 early data", 0xfefc, true, true, true, 0 },
};

static const u16 suites12[] = { 0xc02b }, suites13[] = { 0x1301 };
static const u16 groups[] = { 29, 23 };

/* Each end says all that it has, in turns; the client data as soon as it may. */
static size_t capture_ours(struct end *client, struct end *server, u64 now,
			   struct capture *c)
{
	static u8 buf[END_DATAGRAM];
	struct end *end[2] = { server, client };
	bool up = true, said = info_of(client).early;
	size_t data = 0;
	int idle;
	long n;

	for (idle = 0; idle < 2; up = !up) {
		idle++;
		while ((n = end_output(end[up], buf, sizeof(buf), now)) > 0) {
			idle = 0;
			note(c, up, buf, (size_t)n);
			if (said && !data && up && buf[0] >> 5 == 1)
				data = (size_t)n;
			end_input(end[!up], buf, (size_t)n, now);
		}
		if (up && !said && end_established(client)) {
			said = true;
			data = end_send(client, "data", 4, buf);
			note(c, true, buf, data);
			end_input(server, buf, data, now);
		}
	}
	return data;
}

TEST_F(trips, as_few_as_can_be)
{
	static struct capture c;
	size_t i, data;
	int round;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool old = rows[i].version == DTLS_VERSION_1_2;
		struct end *client = &self->client, *server = &self->server;

		client->config.version_max = rows[i].version;
		client->config.version_min = rows[i].version;
		client->config.suites = old ? suites12 : suites13;
		client->config.suite_count = 1;
		client->config.groups = groups;
		client->config.group_count = 2;
		server->config.flags = rows[i].cookie ? 0 : KDTLS_NO_COOKIE;
		server->config.max_early_data = rows[i].early ? 4096 : 0;
		ASSERT_EQ(0, open_with(client, server, &self->ca, &self->cert,
				       "end.example"));
		for (round = 0; round <= rows[i].resumed; round++) {
			if (round) {
				end_close(client);
				end_close(server);
				ASSERT_EQ(0, end_open(client, KDTLS_CLIENT));
				ASSERT_EQ(0, end_open(server, KDTLS_SERVER));
				ASSERT_EQ(0, kdtls_engine_set_name(client->e,
								   "end.example"));
				ASSERT_EQ(0, kdtls_engine_set_session(client->e,
								      client->session,
						client->session_len));
			}
			if (round && rows[i].early)
				ASSERT_EQ(0, kdtls_engine_send_early(client->e,
								     (u8 *)"data",
								     4));
			memset(&c, 0, sizeof(c));
			ASSERT_EQ(0, kdtls_engine_start(client->e, self->now));
			data = capture_ours(client, server, self->now, &c);
			ASSERT_TRUE(end_agree(client, server));
		}
		tell(rows[i].what, &c, data);
		EXPECT_EQ(rows[i].trips, round_trips(&c))
			TH_LOG("%s", rows[i].what);
		EXPECT_EQ(rows[i].resumed, info_of(client).resumed);
		/* It was taken where it came. */
		EXPECT_EQ(4, rows[i].early ? server->early_len :
					     server->received_len);
		end_exit(client);
		end_exit(server);
		free(client->session);
		client->session = NULL;
	}
}

/* All that one has put on its wire, to the other's */
static void carry(struct wire *from, struct wire *to, bool up,
		  struct capture *c)
{
	u8 buf[WIRE_SIZE];
	size_t n;

	while ((n = wire_get(from, buf, sizeof(buf)))) {
		note(c, up, buf, n);
		wire_put(to, buf, n);
	}
}

/* Its timer runs, so what a busy machine has it say twice does not count. */
#define TRIES	10

TEST_F(trips, openssl_for_comparison)
{
	static struct wire from_client, to_server, from_server, to_client;
	const struct peer_ops *ops = &peer_openssl;
	struct peer_options o = {
		.suite = suites12[0],
		.ca = self->ca.pem,
		.tickets = true,
		.mtu = OPENSSL_MTU,
		.in = &to_client,
		.out = &from_client,
	};
	struct peer *client, *server;
	static struct capture c, best[2];
	size_t data, best_data[2] = { 0 };
	int i, round, a, b;

	client = ops->open(&o);
	o.server = true;
	o.ca = NULL;	/* it would send it along */
	o.cert = self->cert.pem;
	o.key = self->cert.key_pem;
	o.in = &to_server;
	o.out = &from_server;
	server = ops->open(&o);
	ASSERT_TRUE(client && server);
	for (i = 0; i < 2 * TRIES; i++) {
		round = i % 2;
		memset(&c, 0, sizeof(c));
		wire_clear(&to_server);
		wire_clear(&to_client);
		ASSERT_TRUE(ops->start(client, round) &&
			    ops->start(server, false));
		for (a = 0, b = 0, data = 0; !data || b != 1;) {
			if (a != 1)
				a = ops->step(client);
			carry(&from_client, &to_server, true, &c);
			if (a == 1 && !data) {
				ASSERT_TRUE(ops->send(client, "data", 4));
				carry(&from_client, &to_server, true, &c);
				data = c.datagram[c.n - 1].len;
			}
			if (b != 1)
				b = ops->step(server);
			carry(&from_server, &to_client, false, &c);
			ASSERT_TRUE(a >= 0 && b >= 0);
		}
		EXPECT_EQ(round, ops->resumed(client));
		ops->stop(client);
		ops->stop(server);
		if (!best[round].n ||
		    bytes(&c, true, data) + bytes(&c, false, data) <
		    bytes(&best[round], true, best_data[round]) +
		    bytes(&best[round], false, best_data[round])) {
			best[round] = c;
			best_data[round] = data;
		}
	}
	tell("OpenSSL 1.2 full, cookie", &best[0], best_data[0]);
	tell("OpenSSL 1.2 resumed, cookie", &best[1], best_data[1]);
	EXPECT_EQ(3, round_trips(&best[0]));
	EXPECT_EQ(2, round_trips(&best[1]));
	ops->close(client);
	ops->close(server);
}

TEST_HARNESS_MAIN
