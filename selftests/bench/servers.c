// SPDX-License-Identifier: GPL-2.0
/*
 * What a server with many clients pays for a record; see servers.h.
 *
 * In each round the clients send BATCH records, which were sealed before; the
 * server receives them; the server sends BATCH records; the clients take them away
 * unopened. Three figures come out of that: what the server's recv calls and its
 * send calls cost, with all that they do to the records, and what the clients' send
 * calls cost. The last one, "deliver", is no work of the server's process; but the
 * look-up of the server's socket is in it, which a server's kernel does for each
 * datagram. The send calls have the look-up of the client's socket in them likewise.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "servers.h"

static const struct server ways[] = {
	{ .name = "UDP", .plain = true, .batch = ONE, .most = CLIENTS_MAX,
	  .floor = "floor", .open = server_udp_open, .recv = server_udp_recv,
	  .send = server_udp_send, .close = server_udp_close },
	{ .name = "UDP", .plain = true, .batch = MMSG, .most = CLIENTS_MAX,
	  .floor = "floor", .open = server_udp_open, .recv = server_udp_recv,
	  .send = server_udp_send, .close = server_udp_close },
	{ .name = "UDP", .plain = true, .batch = GSO_GRO, .most = CLIENTS_MAX,
	  .floor = "floor", .open = server_udp_open, .recv = server_udp_recv,
	  .send = server_udp_send, .close = server_udp_close },
	{ .name = "UDP, IP_PKTINFO", .plain = true, .batch = ONE,
	  .most = CLIENTS_MAX, .floor = "floor, IP_PKTINFO, key set",
	  .rekey = true, .open = server_pktinfo_open,
	  .recv = server_pktinfo_recv, .send = server_pktinfo_send,
	  .close = server_udp_close },
	{ .name = "UDP, IP_PKTINFO", .plain = true, .batch = MMSG,
	  .most = CLIENTS_MAX, .floor = "floor, IP_PKTINFO, key set",
	  .rekey = true, .open = server_pktinfo_open,
	  .recv = server_pktinfo_recv, .send = server_pktinfo_send,
	  .close = server_udp_close },
	{ .name = "UDP, a socket each", .plain = true, .batch = ONE,
	  .most = 10000, .open = server_udp_open_each,
	  .recv = server_udp_recv, .send = server_udp_send,
	  .close = server_udp_close },
	{ .name = "OpenSSL DTLS", .batch = ONE, .most = 10000,
	  .open = server_openssl_open, .client_key = server_openssl_key,
	  .recv = server_openssl_recv, .send = server_openssl_send,
	  .close = server_udp_close },
	{ .name = "OpenSSL DTLS", .batch = GSO_GRO, .most = 10000,
	  .open = server_openssl_open, .client_key = server_openssl_key,
	  .recv = server_openssl_recv, .send = server_openssl_send,
	  .close = server_udp_close },
	{ .name = "ours 1.2, a socket each", .batch = ONE, .most = 10000,
	  .open = server_ours_open_each, .client_key = server_ours_key,
	  .recv = server_udp_recv, .send = server_udp_send,
	  .close = server_udp_close },
	{ .name = "ours 1.2, a socket each", .batch = GSO_GRO, .most = 10000,
	  .open = server_ours_open_each, .client_key = server_ours_key,
	  .recv = server_udp_recv, .send = server_udp_send,
	  .close = server_udp_close },
	{ .name = "ours 1.2", .batch = ONE, .most = CLIENTS_MAX,
	  .open = server_table_open, .client_key = server_ours_key,
	  .recv = server_table_recv, .send = server_table_send,
	  .close = server_udp_close },
	{ .name = "ours 1.2", .batch = MMSG, .most = CLIENTS_MAX,
	  .open = server_table_open, .client_key = server_ours_key,
	  .recv = server_table_recv, .send = server_table_send,
	  .close = server_udp_close },
	{ .name = "ours 1.2", .batch = GSO_GRO, .most = CLIENTS_MAX,
	  .open = server_table_open, .client_key = server_ours_key,
	  .recv = server_table_recv, .send = server_table_send,
	  .close = server_udp_close },
};

static const unsigned int numbers[] = { 1, 100, 10000, CLIENTS_MAX };
static const unsigned int sizes[] = { 64, 1400 };

#define MILLION		1000000	/* clients at most */
#define ACTIVE		512	/* clients that take part, of all there are */
#define CIPHER_NAME	"AES-128-GCM"
#define AES_OVERHEAD	(13 + 8 + 16)	/* bytes by which a record is longer */

#define N(array)	(sizeof(array) / sizeof((array)[0]))

/*
 * Return a client that takes part: ACTIVE of them do at most, at equal distances, so
 * that all can have their first records before what counts begins.
 */
static unsigned int active(const struct service *s, unsigned int i)
{
	return s->clients <= ACTIVE ? i % s->clients :
	       (unsigned int)((uint64_t)(i % ACTIVE) * s->clients / ACTIVE);
}

/* Choose whose records a round has, the same ones in each run of the program. */
static void choose(const struct service *s, unsigned int *clients)
{
	static uint64_t state = 1;
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		clients[i] = s->server->batch == GSO_GRO && i ? clients[0] :
			     active(s, (unsigned int)(state >> 33));
	}
}

/*
 * Write what the clients send in a round. Return the bytes of one datagram. Each client
 * counts its records, as a gap in the numbers makes a replay window take longer.
 */
static size_t prepare(struct service *s, const unsigned int *clients,
		      unsigned char *datagrams)
{
	static const char content[SIZE_MAX_RECORD];
	static uint64_t number[MILLION];
	struct peer_key k;
	size_t len = s->size;
	unsigned int i;

	for (i = 0; !s->server->plain && i < BATCH; i++) {
		s->server->client_key(s, clients[i], &k);
		len = peer_seal(&k, CT_DATA, ++number[clients[i]], content,
				s->size, datagrams + i * len);
	}
	return len;
}

static bool play_round(struct service *s, const unsigned int *clients,
		       struct cost *cost)
{
	static unsigned char datagrams[BATCH * DATAGRAM_ROOM];
	bool one = s->server->batch == GSO_GRO;
	uint64_t t[4];
	size_t len;

	len = prepare(s, clients, datagrams);
	t[0] = now();
	if (!wire_send(s, clients, datagrams, len, one))
		return false;
	t[1] = now();
	if (!s->server->recv(s, clients))
		return false;
	t[2] = now();
	if (!s->server->send(s, clients))
		return false;
	t[3] = now();
	*cost = (struct cost){ .deliver = t[1] - t[0], .recv = t[2] - t[1],
			       .send = t[3] - t[2] };
	return wire_take(len);
}

/*
 * Let every client that takes part have records of this size. OpenSSL's memory BIOs
 * grow then, and memory is touched for the first time.
 */
static bool warm_up(struct service *s)
{
	unsigned int n = s->clients < ACTIVE ? s->clients : ACTIVE, i, j;
	unsigned int step = s->server->batch == GSO_GRO ? 1 : BATCH;
	unsigned int clients[BATCH];
	struct cost cost;

	for (i = 0; i < n; i += step) {
		for (j = 0; j < BATCH; j++)
			clients[j] = active(s, step == 1 ? i : i + j);
		if (!play_round(s, clients, &cost))
			return false;
	}
	return true;
}

static bool measure(struct service *s, unsigned int rounds, struct cost *cost)
{
	unsigned int warm = WARM(rounds), clients[BATCH], i;
	struct cost costs[ROUNDS_MAX];

	if (!warm_up(s))
		return false;
	for (i = 0; i < warm + rounds; i++) {
		choose(s, clients);
		if (!play_round(s, clients, &costs[i < warm ? 0 : i - warm]))
			return false;
	}
	*cost = middle_half(costs, rounds);
	return true;
}

static void print(const struct service *s, const char *name, const char *cipher,
		  unsigned int size, const struct cost *cost)
{
	struct row row = { .name = name, .batch = s->server->batch };
	struct ends e = { .row = &row, .cipher_name = cipher, .size = size };
	struct json_object *o = figure("server", &e);

	figure_add(o, "clients", s->clients);
	figure_add(o, "deliver", cost->deliver);
	figure_add(o, "receive", cost->recv);
	figure_add(o, "send", cost->send);
	figure_print(o);
}

/* Plain UDP with datagrams as long as the records, and the bare AEAD */
static bool measure_floor(struct service *s, unsigned int size,
			  unsigned int rounds)
{
	struct cost aead, cost;

	s->size = size + AES_OVERHEAD;
	if (!floor_cost(DTLS_CIPHER_AES_GCM_128, size, s->server->rekey, rounds,
			&aead) ||
	    !measure(s, rounds, &cost))
		return false;
	cost.recv += aead.recv;
	cost.send += aead.send;
	print(s, s->server->floor, CIPHER_NAME, size, &cost);
	return true;
}

static bool selected(const struct server *server, const char *only,
		     unsigned int size)
{
	char all[128];

	snprintf(all, sizeof(all), "%s/%s/" CIPHER_NAME "/%u", server->name,
		 batch_name(server->batch), size);
	return !fnmatch(only, all, 0);
}

static bool measure_sizes(struct service *s, const char *only,
			  unsigned int rounds)
{
	struct cost cost;
	size_t i;

	for (i = 0; i < N(sizes); i++) {
		if (!selected(s->server, only, sizes[i]))
			continue;
		s->size = sizes[i];
		if (!measure(s, rounds, &cost))
			return false;
		print(s, s->server->name,
		      s->server->plain ? "none" : CIPHER_NAME, s->size, &cost);
		if (s->server->floor && !measure_floor(s, sizes[i], rounds))
			return false;
	}
	return true;
}

/* Measure a server with 1 to CLIENTS_MAX clients. */
static bool measure_server(const struct server *server, const char *only,
			   unsigned int rounds)
{
	bool ok = true;
	size_t i;

	for (i = 0; ok && i < N(numbers) && numbers[i] <= server->most; i++) {
		struct service s = { .server = server, .clients = numbers[i],
				     .fd = -1 };

		errno = 0;
		ok = server->open(&s) && measure_sizes(&s, only, rounds);
		if (!ok)
			fprintf(stderr, "bench: %s %s, %u clients: %s\n",
				server->name, batch_name(server->batch),
				s.clients, strerror(errno));
		server->close(&s);
	}
	return ok;
}

bool servers(const char *only, unsigned int rounds)
{
	bool ok = true;
	size_t i, size;

	if (!wire_open()) {
		fprintf(stderr, "bench: clients: %s\n", strerror(errno));
		return false;
	}
	for (i = 0; i < N(ways); i++)
		for (size = 0; size < N(sizes); size++)
			if (selected(&ways[i], only, sizes[size])) {
				ok = measure_server(&ways[i], only, rounds) &&
				     ok;
				break;
			}
	return ok;
}

/* ---- a million ---- */

#define HEARD		100000	/* of them are heard, each once */
#define STRIDE		314159	/* no divisor of MILLION, so that all differ */

/* Measure HEARD records, each of another client if there are so many. */
static bool measure_each_once(struct service *s, struct cost *cost)
{
	static struct cost costs[HEARD / BATCH];
	unsigned int clients[BATCH], i, j;

	for (i = 0; i < N(costs); i++) {
		for (j = 0; j < BATCH; j++)
			clients[j] = (unsigned int)((uint64_t)STRIDE *
						    (i * BATCH + j) %
						    s->clients);
		if (!play_round(s, clients, &costs[i]))
			return false;
	}
	*cost = middle_half(costs, N(costs));
	return true;
}

static bool measure_million(struct service *s)
{
	static const struct row row = {
		.name = "association of a table, both keys",
	};
	struct ends e = { .row = &row, .cipher_name = CIPHER_NAME };
	double before = held().kernel;
	struct json_object *o;
	struct cost cost;

	if (!s->server->open(s))
		return false;
	/* What one client takes is less than what else changes. */
	if (s->clients > 1) {
		o = figure("memory", &e);
		figure_add(o, "clients", s->clients);
		figure_add(o, "kernel_bytes",
			   (held().kernel - before) / s->clients);
		figure_print(o);
	}
	if (!measure_each_once(s, &cost))
		return false;
	print(s, s->server->name, CIPHER_NAME, s->size, &cost);
	return true;
}

bool million(void)
{
	static const unsigned int clients[] = { 1, MILLION };
	static const struct server one = {
		.name = "ours 1.2", .batch = ONE, .most = MILLION,
		.open = server_table_open, .client_key = server_ours_key,
		.recv = server_table_recv, .send = server_table_send,
		.close = server_udp_close,
	};
	bool ok = wire_open();
	size_t i;

	for (i = 0; ok && i < N(clients); i++) {
		struct service s = { .server = &one, .clients = clients[i],
				     .size = sizes[0], .fd = -1 };

		errno = 0;
		ok = measure_million(&s);
		one.close(&s);
	}
	if (!ok)
		fprintf(stderr, "bench: million: %s\n", strerror(errno));
	return ok;
}
