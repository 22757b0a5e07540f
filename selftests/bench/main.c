// SPDX-License-Identifier: GPL-2.0
/*
 * bench: what a record costs, in one process: BATCH records are sent, then
 * received, and the counter is read in between. One JSON object a line.
 *
 * Counters: "tsc", which in a QEMU guest with -icount shift=0 counts executed
 * instructions; "cycles" and "instructions" of the processor; "time" in ns.
 */
#include <argp.h>
#include <errno.h>
#include <fnmatch.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <json-c/json.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <x86intrin.h>

#include "bench.h"

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
};

static const char *const batch_names[BATCHES] = {
	[ONE] = "1", [MMSG] = "mmsg", [GSO] = "gso", [GSO_GRO] = "gso+gro",
	[STREAM] = "stream",
};

static const unsigned int sizes[] = { 64, 512, 1400 };

static const struct cipher {
	__u16 id;
	const char *name;
	unsigned int overhead;	/* bytes by which a record is longer */
} ciphers[] = {
	{ DTLS_CIPHER_AES_GCM_128, "AES-128-GCM", 13 + 8 + 16 },
	{ DTLS_CIPHER_CHACHA20_POLY1305, "ChaCha20-Poly1305", 13 + 16 },
};

#define ROUNDS_MAX	1024

static struct options {
	const char *counter;
	const char *only;
	enum path path;
	unsigned int rounds;
} options = { .counter = "tsc", .only = "*", .rounds = 64 };

static int perf_fd = -1;

static bool open_counter(const char *name)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = strcmp(name, "cycles") ? PERF_COUNT_HW_INSTRUCTIONS :
						   PERF_COUNT_HW_CPU_CYCLES,
	};

	if (!strcmp(name, "tsc") || !strcmp(name, "time"))
		return true;
	perf_fd = (int)syscall(SYS_perf_event_open, &attr, -1,
			       sched_getcpu(), -1, 0);
	return perf_fd >= 0;
}

static uint64_t now(void)
{
	struct timespec ts;
	uint64_t n;

	if (perf_fd >= 0)
		return read(perf_fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
	if (options.counter[0] == 't' && options.counter[1] == 's')
		return __rdtsc();
	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

struct cost {
	double send;
	double recv;
};

static int by_sum(const void *a, const void *b)
{
	const struct cost *x = a, *y = b;
	double d = x->send + x->recv - y->send - y->recv;

	return (d > 0) - (d < 0);
}

/*
 * The first rounds set up what lasts: memory, routes, a window of TCP's. An
 * eighth of the others goes too, where a timer or a worker of the kernel came
 * in between.
 */
static bool measure(const struct row *row, struct ends *e, struct cost *cost)
{
	struct cost costs[ROUNDS_MAX];
	unsigned int warm = options.rounds / 4 + 2, kept, i;
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
		costs[i - warm].recv = now() - middle;
		costs[i - warm].send = middle - start;
	}
	qsort(costs, options.rounds, sizeof(costs[0]), by_sum);
	kept = options.rounds - options.rounds / 8;
	*cost = (struct cost){ 0 };
	for (i = 0; i < kept; i++) {
		cost->send += costs[i].send / kept / BATCH;
		cost->recv += costs[i].recv / kept / BATCH;
	}
	return true;
}

static bool measure_row(const struct row *row, __u16 cipher, unsigned int size,
			struct cost *cost)
{
	struct ends e = { .row = row, .path = options.path, .cipher = cipher,
			  .size = size };
	bool ok;

	errno = 0;
	ok = row->open(&e) && measure(row, &e, cost);
	if (!ok) {
		fprintf(stderr, "bench: %s %s %u: %s\n", row->name,
			batch_names[row->batch], size, strerror(errno));
		return false;
	}
	row->close(&e);
	return true;
}

/* What the loop costs beside its records, set-up and all, cancels out. */
static bool measure_aead(bool seal, double *cost)
{
	unsigned int n = options.rounds * BATCH / 4, i;
	uint64_t start, middle;
	double once;

	for (i = 0; i < 5; i++) {
		start = now();
		if (!floor_run(seal, n))
			return false;
		middle = now();
		if (!floor_run(seal, 2 * n))
			return false;
		once = (double)(now() - middle - (middle - start)) / n;
		if (!i || once < *cost)
			*cost = once;
	}
	return true;
}

static void print(const char *name, enum batch batch, const char *cipher,
		  unsigned int size, const struct cost *cost)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "row", json_object_new_string(name));
	json_object_object_add(o, "batch",
			       json_object_new_string(batch_names[batch]));
	json_object_object_add(o, "cipher", json_object_new_string(cipher));
	json_object_object_add(o, "size", json_object_new_int((int)size));
	json_object_object_add(o, "send",
			       json_object_new_int64((int64_t)cost->send));
	json_object_object_add(o, "receive",
			       json_object_new_int64((int64_t)cost->recv));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	fflush(stdout);
	json_object_put(o);
}

/* --only is a pattern for NAME/BATCH/CIPHER/SIZE. */
static bool selected(const char *name, enum batch batch,
		     const struct cipher *cipher, unsigned int size)
{
	char all[128];

	snprintf(all, sizeof(all), "%s/%s/%s/%u", name, batch_names[batch],
		 cipher->name, size);
	return !fnmatch(options.only, all, 0);
}

/* Plain UDP with datagrams as long as the records, and the bare AEAD */
static bool floors(const struct cipher *c, unsigned int size)
{
	struct cost aead, cost;
	size_t i;

	if (!selected("floor", ONE, c, size))
		return true;
	if (!floor_prepare(c->id, size) || !measure_aead(true, &aead.send) ||
	    !measure_aead(false, &aead.recv)) {
		fprintf(stderr, "bench: dtls_floor: %s\n", strerror(errno));
		return false;
	}
	print("AEAD", ONE, c->name, size, &aead);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]) && rows[i].plain; i++) {
		if (!measure_row(&rows[i], c->id, size + c->overhead, &cost))
			return false;
		cost.send += aead.send;
		cost.recv += aead.recv;
		print("floor", rows[i].batch, c->name, size, &cost);
	}
	return true;
}

static bool all_rows(void)
{
	struct cost cost;
	size_t c, s, r;
	bool ok = true;

	for (c = 0; c < sizeof(ciphers) / sizeof(ciphers[0]); c++) {
		for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
			for (r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
				const struct row *row = &rows[r];

				if ((row->plain && c) ||
				    (row->tunnel &&
				     ciphers[c].id != DTLS_CIPHER_CHACHA20_POLY1305) ||
				    !selected(row->name, row->batch,
					      &ciphers[c], sizes[s]))
					continue;
				if (measure_row(row, ciphers[c].id, sizes[s],
						&cost))
					print(row->name, row->batch,
					      row->plain ? "none" :
							   ciphers[c].name,
					      sizes[s], &cost);
				else
					ok = false;
			}
			if (!floors(&ciphers[c], sizes[s]))
				ok = false;
		}
	}
	return ok;
}

static const struct argp_option known[] = {
	{ "counter", 'c', "NAME", 0, "tsc, cycles, instructions or time", 0 },
	{ "only", 'o', "PATTERN", 0, "rows that fit: NAME/BATCH/CIPHER/SIZE", 0 },
	{ "rounds", 'r', "N", 0, "batches a measurement", 0 },
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
	case 'v':
		options.path = VETH;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct argp argp = { known, parse, NULL,
				   "What a record costs, as JSON.", NULL, NULL, NULL };

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (!open_counter(options.counter)) {
		fprintf(stderr, "bench: no counter %s: %s\n", options.counter,
			strerror(errno));
		return 1;
	}
	return !all_rows();
}
