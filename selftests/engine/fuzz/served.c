// SPDX-License-Identifier: GPL-2.0
/*
 * A server object that many peers send datagrams to: honest clients, whose datagrams
 * are lost, repeated, changed and sent from addresses of others, and strangers, who
 * send what they like. Nobody gets more than he gave before he has proven his
 * address, the program gets what a client has sent and as of that client, limits
 * hold, and whatever came before, an honest client gets in.
 */
#include <errno.h>
#include <stdlib.h>

#include "../port.h"
#include "common.h"

#define CLIENTS		4
#define ADDRESSES	16	/* the first are those of the clients */
#define MAX_CLIENTS	8
#define MAX_HALF_OPEN	4
#define KEPT		8	/* datagrams of each client that are kept */
#define LIMIT_MS	3000	/* of handshakes and of silence */

enum { DATAGRAM, CHANGED, STEP, TIME };

static struct end client[CLIENTS];
static struct {
	size_t len;
	u8 data[PORT_SIZE];
} kept[CLIENTS][KEPT];
static unsigned int count[CLIENTS];
static struct kdtls_endpoint *ep;
static struct kdtls_server *server;
static size_t heard[ADDRESSES], sent[ADDRESSES];
static bool proven[ADDRESSES];
static unsigned int alive;

static void must(bool good)
{
	if (!good)
		abort();
}

/* ---- what the server sends ---- */

static void deliver(unsigned int to, const u8 *data, size_t len)
{
	must(to < ADDRESSES);
	sent[to] += len;
	if (!proven[to] && to >= CLIENTS)
		must(sent[to] <= heard[to]);
	if (to < CLIENTS && client[to].e)
		end_input(&client[to], data, len, port.now);
}

/* ---- clients ---- */

static void start_client(unsigned int i)
{
	end_close(&client[i]);
	if (!client[i].ep) {
		fuzz_client(&client[i]);
	} else {
		must(!end_open(&client[i], KDTLS_CLIENT));
		must(!kdtls_engine_set_name(client[i].e, "end.example"));
	}
	kdtls_engine_start(client[i].e, port.now);
}

static void send_from(unsigned int i, const u8 *data, size_t len, bool lose)
{
	unsigned int at = count[i]++ % KEPT;

	must(len <= PORT_SIZE);
	kept[i][at].len = len;
	memcpy(kept[i][at].data, data, len);
	heard[i] += len;
	if (!lose)
		port_put(i, data, len);
}

/* Send all that a client has to send, and its number once it has keys; or lose it. */
static void step_client(unsigned int i, bool lose)
{
	static u8 data[END_DATAGRAM];
	u8 number = (u8)i;
	long n;

	if (!client[i].e)
		start_client(i);
	kdtls_engine_expire(client[i].e, port.now);
	while ((n = end_output(&client[i], data, sizeof(data), port.now)) > 0)
		send_from(i, data, (size_t)n, lose);
	if (end_established(&client[i]))
		send_from(i, data, end_send(&client[i], &number, 1, data), lose);
}

/* ---- the server's program ---- */

static void take(const struct kdtls_message *m)
{
	u8 *who = kdtls_client_data(m->client);
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	kdtls_client_address(m->client, (struct sockaddr *)&a, &len);
	switch (m->news) {
	case KDTLS_NEWS_OPENED:
		must(!who && port_number(&a) < ADDRESSES);
		kdtls_client_set_data(m->client, malloc(1));
		*(u8 *)kdtls_client_data(m->client) = CLIENTS;
		alive++;
		break;
	case KDTLS_NEWS_DATA:
		must(who && m->len == 1);
		must(*(const u8 *)m->data < CLIENTS);
		if (*who == CLIENTS)
			*who = *(const u8 *)m->data;
		must(*who == *(const u8 *)m->data);
		break;
	case KDTLS_NEWS_CLOSED:
		must(who);
		free(who);
		alive--;
		break;
	default:
		must(!who);
	}
}

static void serve(void)
{
	struct kdtls_server_info info;
	struct kdtls_message m[4];
	ssize_t n, i;

	while ((n = kdtls_server_recv(server, m, 4, 0)) > 0) {
		for (i = 0; i < n; i++)
			take(&m[i]);
		kdtls_server_send(server, m, (size_t)n);
	}
	must(n == -EAGAIN);
	kdtls_server_get_info(server, &info);
	must(info.clients == info.half_open + alive);
	must(alive <= MAX_CLIENTS && info.half_open <= MAX_HALF_OPEN);
}

static size_t find_key(void *ctx, const u8 *identity, size_t len, u8 *key)
{
	static const char secret[] = "secret of theirs";

	(void)ctx;
	(void)identity;
	(void)len;
	memcpy(key, secret, strlen(secret));
	return strlen(secret);
}

static void open_server(void)
{
	struct kdtls_server_options o = {
		.path = KDTLS_PATH_USER,
		.cid_len = 8,
		.max_clients = MAX_CLIENTS,
		.max_half_open = MAX_HALF_OPEN,
		.handshake_timeout = LIMIT_MS,
		.idle_timeout = LIMIT_MS,
	};
	struct kdtls_config config;

	if (!ep) {
		kdtls_socket_config(&config);
		config.flags = KDTLS_CID;
		config.ops.psk_server = find_key;
		must(!kdtls_endpoint_new(&config, &ep));
	}
	port.sent = deliver;
	port_clear();
	must(!port_open(ep, &o, &server));
}

/* ---- what the input says ---- */

static void put(unsigned int from, const u8 *data, size_t len)
{
	heard[from] += len;
	port_put(from, data, len);
}

static void put_changed(unsigned int who, struct dtls_bytes piece)
{
	u8 data[PORT_SIZE], from, at, change;
	size_t len;

	if (!count[who] || !rd_u8(&piece, &from) || !rd_u8(&piece, &at) ||
	    !rd_u8(&piece, &change))
		return;
	len = kept[who][at % KEPT].len;
	if (!len)
		return;
	memcpy(data, kept[who][at % KEPT].data, len);
	data[(at / KEPT * 8u + from / ADDRESSES) % len] ^= change;
	from %= ADDRESSES;
	/* Whoever sends what a client has sent may be that client, which has moved. */
	proven[from] = true;
	put(from, data, len);
}

/* The first byte of a piece: what to do, and how the server gets its datagrams */
#define CLIENT		0x03
#define MERGED		0x04
#define LATER		0x08
#define ANEW		0x10
#define LOST		0x20

static void do_piece(struct dtls_bytes piece)
{
	u8 what, from;

	if (!rd_u8(&piece, &what))
		return;
	switch (what >> 6) {
	case DATAGRAM:
		if (rd_u8(&piece, &from))
			put(from % ADDRESSES, piece.p, piece.len);
		break;
	case CHANGED:
		put_changed(what & CLIENT, piece);
		break;
	case STEP:
		if (what & ANEW)
			end_close(&client[what & CLIENT]);
		step_client(what & CLIENT, what & LOST);
		break;
	default:
		port.now += (what & 63) * 50000ULL;
		break;
	}
	port.merges = what & MERGED;
	if (!(what & LATER))
		serve();
}

/*
 * A client that comes now gets in, and its record comes to the program. What waited
 * for the server comes before it, and the handshakes that this began are given up: a
 * DTLS 1.3 client cannot tell a ServerHello from one to the life before its own.
 */
static void must_get_in(void)
{
	unsigned int i;

	serve();
	port.now += 20000000;
	serve();
	start_client(0);
	for (i = 0; i < 20 && !client[0].received_len; i++) {
		step_client(0, false);
		serve();
		port.now += 2000000;
	}
	must(client[0].received_len);
}

static void must_be_empty(void)
{
	struct kdtls_server_info info;

	port.now += 20000000;
	serve();
	kdtls_server_get_info(server, &info);
	must(!info.clients && !alive);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct dtls_bytes in = { data, len }, piece;
	unsigned int i;

	if (!fuzz_version(&in))
		return 0;
	port.now += 1000000000;
	memset(heard, 0, sizeof(heard));
	memset(sent, 0, sizeof(sent));
	memset(proven, 0, sizeof(proven));
	memset(count, 0, sizeof(count));
	memset(kept, 0, sizeof(kept));
	open_server();
	while (next_piece(&in, &piece))
		do_piece(piece);
	must_get_in();
	for (i = 0; i < CLIENTS; i++)
		end_close(&client[i]);
	must_be_empty();
	kdtls_server_close(server);
	for (i = 0; i < CLIENTS; i++) {
		client[i].ep = NULL;
		end_exit(&client[i]);
	}
	return 0;
}
