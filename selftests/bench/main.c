// SPDX-License-Identifier: GPL-2.0
/*
 * bench costs: what a record costs, in one thread: BATCH records are sent, then
 * received, and the counter is read in between. bench clock: throughput, CPU
 * time and latency of two threads, and several on one socket. bench scale:
 * many sockets. bench servers: one server with many clients. bench memory: what
 * idle peers take. One JSON object a line.
 */
#include <argp.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>

#include "bench.h"
#include "servers.h"

static const struct row rows[] = {
	{ .name = "UDP", .plain = true, .batch = ONE, .open = udp_open,
	  .send = udp_send, .recv = udp_recv, .close = close_pair },
	{ .name = "UDP", .plain = true, .batch = MMSG, .open = udp_open,
	  .send = udp_send, .recv = udp_recv, .close = close_pair },
	{ .name = "UDP", .plain = true, .batch = GSO, .open = udp_open,
	  .send = udp_send, .recv = udp_recv, .close = close_pair },
	{ .name = "UDP", .plain = true, .batch = GSO_GRO, .open = udp_open,
	  .send = udp_send, .recv = udp_recv, .close = close_pair },
	{ .name = "OpenSSL DTLS", .batch = ONE, .open = openssl_open,
	  .send = openssl_send, .recv = openssl_recv, .close = openssl_close },
	{ .name = "OpenSSL DTLS", .batch = GSO_GRO,
	  .open = openssl_batch_open, .send = openssl_batch_send,
	  .recv = openssl_batch_recv, .close = openssl_close },
	{ .name = "GnuTLS DTLS", .batch = ONE, .open = gnutls_dtls_open,
	  .send = gnutls_dtls_send, .recv = gnutls_dtls_recv,
	  .close = gnutls_dtls_close },
	{ .name = "kTLS", .batch = ONE, .open = ktls_open, .send = ktls_send,
	  .recv = ktls_recv, .close = openssl_close },
	{ .name = "kTLS", .batch = STREAM, .open = ktls_open,
	  .send = ktls_send, .recv = ktls_recv, .close = openssl_close },
	{ .name = "WireGuard", .tunnel = true, .batch = ONE, .open = udp_open,
	  .send = udp_send, .recv = udp_recv, .close = close_pair },
	{ .name = "WireGuard", .tunnel = true, .batch = GSO_GRO,
	  .open = udp_open, .send = udp_send, .recv = udp_recv,
	  .close = close_pair },
	{ .name = "ours 1.2", .batch = ONE, .open = ours_open,
	  .send = udp_send, .recv = udp_recv, .close = close_pair },
	{ .name = "ours 1.2", .batch = MMSG, .open = ours_open,
	  .send = udp_send, .recv = udp_recv, .close = close_pair },
	{ .name = "ours 1.2", .batch = GSO, .open = ours_open,
	  .send = udp_send, .recv = udp_recv, .close = close_pair },
	{ .name = "ours 1.2", .batch = GSO_GRO, .open = ours_open,
	  .send = udp_send, .recv = udp_recv, .close = close_pair },
	{ .name = "ours 1.3", .v13 = true, .batch = ONE,
	  .open = ours_open, .send = udp_send, .recv = udp_recv,
	  .close = close_pair },
	{ .name = "ours 1.3", .v13 = true, .batch = MMSG,
	  .open = ours_open, .send = udp_send, .recv = udp_recv,
	  .close = close_pair },
	{ .name = "ours 1.3", .v13 = true, .batch = GSO,
	  .open = ours_open, .send = udp_send, .recv = udp_recv,
	  .close = close_pair },
	{ .name = "ours 1.3", .v13 = true, .batch = GSO_GRO,
	  .open = ours_open, .send = udp_send, .recv = udp_recv,
	  .close = close_pair },
};

#define ROWS	(sizeof(rows) / sizeof(rows[0]))

static const unsigned int sizes[] = { 64, 512, 1400 };

#define SIZES	(sizeof(sizes) / sizeof(sizes[0]))

static const struct cipher {
	__u16 id;
	const char *name;
	unsigned int overhead;	/* bytes by which a record is longer */
} ciphers[] = {
	{ DTLS_CIPHER_AES_GCM_128, "AES-128-GCM", 13 + 8 + 16 },
	{ DTLS_CIPHER_CHACHA20_POLY1305, "ChaCha20-Poly1305", 13 + 16 },
};

#define CIPHERS	(sizeof(ciphers) / sizeof(ciphers[0]))

static struct options {
	const char *mode;
	const char *counter;
	const char *only;
	enum path path;
	unsigned int rounds;
	double seconds;
} options = { .counter = "tsc", .only = "*", .rounds = 64, .seconds = 1 };

static bool measure(const struct row *row, struct ends *e, struct cost *cost)
{
	struct cost costs[ROUNDS_MAX];
	unsigned int warm = WARM(options.rounds), i;
	uint64_t start, middle;

	for (i = 0; i < warm + options.rounds; i++) {
		start = now();
		if (!row->send(e, BATCH))
			return false;
		middle = now();
		if (!row->recv(e, BATCH))
			return false;
		if (i < warm)
			continue;
		costs[i - warm] = (struct cost){ .send = middle - start,
						 .recv = now() - middle };
	}
	*cost = middle_half(costs, options.rounds);
	return true;
}

static struct ends ends_of(const struct row *row, const struct cipher *c,
			   unsigned int size)
{
	return (struct ends){
		.row = row,
		.path = options.path,
		.cipher = c->id,
		.cipher_name = row->plain ? "none" : c->name,
		.size = size,
		.tx = -1,
		.rx = -1,
	};
}

static bool complain(const struct ends *e)
{
	fprintf(stderr, "bench: %s %s %u: %s\n", e->row->name,
		batch_name(e->row->batch), e->size, strerror(errno));
	return false;
}

static bool measure_row(struct ends *e, struct cost *cost)
{
	errno = 0;
	if (!e->row->open(e) || !measure(e->row, e, cost))
		return complain(e);
	e->row->close(e);
	return true;
}

static void print_cost(const struct ends *e, const struct cost *cost)
{
	struct json_object *o = figure("cost", e);

	figure_add(o, "send", cost->send);
	figure_add(o, "receive", cost->recv);
	figure_print(o);
}

/* --only is a pattern for NAME/BATCH/CIPHER/SIZE. */
static bool selected(const struct row *row, const struct cipher *c,
		     unsigned int size)
{
	char all[128];

	snprintf(all, sizeof(all), "%s/%s/%s/%u", row->name,
		 batch_name(row->batch), c->name, size);
	return !fnmatch(options.only, all, 0);
}

/* Plain UDP with datagrams as long as the records, and the bare AEAD */
static bool floors(const struct cipher *c, unsigned int size)
{
	struct row named = { .name = "AEAD" };
	struct ends e = ends_of(&named, c, size);
	struct cost aead, cost;
	size_t i;

	if (!floor_cost(c->id, size, false, options.rounds, &aead))
		return false;
	print_cost(&e, &aead);
	for (i = 0; i < ROWS && rows[i].plain; i++) {
		struct ends plain = ends_of(&rows[i], c, size + c->overhead);

		if (!measure_row(&plain, &cost))
			return false;
		cost.send += aead.send;
		cost.recv += aead.recv;
		named = (struct row){ .name = "floor", .batch = rows[i].batch };
		print_cost(&e, &cost);
	}
	return true;
}

static bool costs(void)
{
	static const struct row floor_row = { .name = "floor" };
	bool ok = true, chacha;
	struct cost cost;
	size_t c, s, r;

	for (c = 0; c < CIPHERS; c++) {
		chacha = ciphers[c].id == DTLS_CIPHER_CHACHA20_POLY1305;
		for (s = 0; s < SIZES; s++) {
			for (r = 0; r < ROWS; r++) {
				struct ends e = ends_of(&rows[r], &ciphers[c],
							sizes[s]);

				if ((rows[r].plain && c) ||
				    (rows[r].tunnel && !chacha) ||
				    !selected(&rows[r], &ciphers[c], sizes[s]))
					continue;
				if (measure_row(&e, &cost))
					print_cost(&e, &cost);
				else
					ok = false;
			}
			if (selected(&floor_row, &ciphers[c], sizes[s]) &&
			    !floors(&ciphers[c], sizes[s]))
				ok = false;
		}
	}
	return ok;
}

/* AES-128-GCM alone, but what WireGuard has */
static bool clock_figures(void)
{
	bool ok = true;
	size_t s, r;

	for (s = 0; s < SIZES; s++) {
		for (r = 0; r < ROWS; r++) {
			const struct row *row = &rows[r];
			bool ours = row->open == ours_open && !row->v13, fine;
			struct ends e = ends_of(row, &ciphers[row->tunnel],
						sizes[s]);

			if (!selected(row, &ciphers[row->tunnel], sizes[s]))
				continue;
			errno = 0;
			fine = stream(&e, options.seconds);
			if (fine && row->batch == ONE)
				fine = latency(&e, options.seconds);
			if (fine && sizes[s] == 1400 && (ours || row->plain) &&
			    (row->batch == ONE || row->batch == GSO))
				fine = send_threads(&e, options.seconds);
			if (fine && sizes[s] == 1400 && (ours || row->plain) &&
			    row->batch == ONE)
				fine = drain_threads(&e);
			if (!fine)
				ok = complain(&e);
		}
	}
	return ok;
}

static bool scale(void)
{
	bool ok = true;
	size_t r;

	for (r = 0; r < ROWS; r++) {
		struct ends e = ends_of(&rows[r], &ciphers[0], 64);

		if (rows[r].batch != ONE || rows[r].tunnel || rows[r].v13 ||
		    (rows[r].open != ours_open && !rows[r].plain))
			continue;
		errno = 0;
		if (!many_sockets(&e))
			ok = complain(&e);
	}
	return ok;
}

static bool memory_figures(void)
{
	static const struct row row = { .name = "ours 1.2" };
	struct ends e = ends_of(&row, &ciphers[0], 64);

	return memory(&e);
}

static const struct argp_option known[] = {
	{ "counter", 'c', "NAME", 0, "tsc, cycles, instructions or time", 0 },
	{ "only", 'o', "PATTERN", 0, "rows that fit: NAME/BATCH/CIPHER/SIZE", 0 },
	{ "rounds", 'r', "N", 0, "batches a measurement", 0 },
	{ "seconds", 's', "N", 0, "of each measurement by the clock", 0 },
	{ "veth", 'v', NULL, 0, "between the namespaces net.sh made", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'c':
		options.counter = arg;
		break;
	case 'o':
		options.only = arg;
		break;
	case 'r':
		options.rounds = (unsigned int)strtoul(arg, NULL, 0);
		if (!options.rounds || options.rounds > ROUNDS_MAX)
			argp_error(state, "rounds: 1 to %d", ROUNDS_MAX);
		break;
	case 's':
		options.seconds = strtod(arg, NULL);
		break;
	case 'v':
		options.path = VETH;
		break;
	case ARGP_KEY_ARG:
		if (options.mode)
			argp_usage(state);
		options.mode = arg;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const char modes[] =
		"costs|clock|scale|servers|newcomers|flood|million|memory";
	const struct argp argp = { known, parse, modes,
				   "What records cost, as JSON.", NULL, NULL, NULL };

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (!counter_open(options.counter)) {
		fprintf(stderr, "bench: no counter %s: %s\n", options.counter,
			strerror(errno));
		return 1;
	}
	if (!strcmp(options.mode, "costs"))
		return !costs();
	if (!strcmp(options.mode, "clock"))
		return !clock_figures();
	if (!strcmp(options.mode, "scale"))
		return !scale();
	if (!strcmp(options.mode, "servers"))
		return !servers(options.only, options.rounds);
	if (!strcmp(options.mode, "newcomers"))
		return !newcomers();
	if (!strcmp(options.mode, "flood"))
		return !flood();
	if (!strcmp(options.mode, "million"))
		return !million();
	if (!strcmp(options.mode, "memory"))
		return !memory_figures();
	fprintf(stderr, "bench: %s, not %s\n", modes, options.mode);
	return 1;
}
