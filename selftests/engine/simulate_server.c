// SPDX-License-Identifier: GPL-2.0
/*
 * A server object with up to hundreds of clients over a network made of a seed.
 *
 *	simulate_server [SCHEDULES [FIRST_SEED]]  run them, print what came of them
 *	simulate_server -v SEED			  run one, print what happens
 *
 * The server and its limits, its clients and the network are drawn. A schedule has
 * three phases. First the network loses, repeats, delays and corrupts datagrams;
 * clients come, talk, change keys and addresses, fall silent, vanish, start anew,
 * and live where another client has just lived; and the server may start anew. Then
 * the faults end, and every client is served within a bounded time, unless a limit
 * of the server keeps it out. At last all clients go, half of them without a word.
 *
 * All the time the server gives its program what clients have sent, once, as of the
 * client that has sent it; it has no more clients than its limits say; and it tells
 * the program of each client that comes and goes. In the end it has no client, and
 * no memory for one. Every schedule must give back all memory, and run the same
 * when it is run again.
 */
#include <inttypes.h>
#include <stdio.h>

#include "../../userspace/engine/loans.h"
#include "crowd.h"
#include "heap.h"
#include "schedules.h"

#define TODAY		1767225600	/* seconds since 1970 when a schedule begins */
#define STORM_TIME	(20 * SECOND)	/* and as much again, by chance */
#define CALM_TIME	(300 * SECOND)	/* in which everybody is served */
/*
 * An empty server may leave LEFT_MAX bytes. The server's endpoint and those of the clients
 * keep the contexts that they lend, of some 2 KiB for a cipher and its mask together.
 */
#define LEFT_MAX	(256 * 1024 + (1 + KINDS) * DTLS_LOANS * 2048)
#define FIXED_MAX	(2 * 1024 * 1024) /* bytes of a server without clients */
#define CLIENT_MAX	(64 * 1024)	/* bytes of a client, at both ends */

/**
 * struct result - of schedules
 * @bad:	schedules in which something was that must not be
 * @left:	most bytes that an empty server had
 * @each:	most bytes that a client took, with its share of all else
 * @peak:	most clients that a server had
 */
struct result {
	u64 lives, records, echoes, early, resumed, restarted, moved;
	u64 bad;
	size_t left, each;
	u32 peak;
};

static struct crowd crowd;
static struct result result;

int64_t crowd_time(const struct crowd *w)
{
	return TODAY + (int64_t)(w->net.now / SECOND);
}

/* ---- phases ---- */

static void begin_calm(struct crowd *w)
{
	unsigned int i;

	note(&w->net, "sees the storm end", SERVER, 0);
	w->phase = CALM;
	w->phase_end = w->net.now + CALM_TIME;
	w->net.loss = 0;
	w->net.twice = 0;
	w->net.corrupt = 0;
	w->net.later_mtu = w->net.mtu;
	for (i = 0; i < w->guests; i++) {
		struct guest *g = &w->guest[i];

		/* Who was not there comes now. */
		if (g->act > w->net.now + 10 * SECOND)
			g->act = w->net.now + below(&w->net, 10 * SECOND);
	}
}

static bool all_served(const struct crowd *w)
{
	unsigned int i;

	for (i = 0; i < w->guests; i++)
		if (!w->guest[i].served)
			return false;
	return true;
}

static void begin_empty(struct crowd *w)
{
	const struct kdtls_server_options *o = &w->host.options;
	unsigned int i;

	if (w->host.roomy && !all_served(w))
		crowd_blame(w, "a client is not served");
	note(&w->net, "sees all clients go", SERVER, 0);
	w->phase = EMPTY;
	/* Copies of datagrams may be seconds late; the gate keeps pieces 10 s. */
	w->phase_end = w->net.now + 60 * SECOND +
		       1000ULL * (o->idle_timeout + o->handshake_timeout);
	for (i = 0; i < w->guests; i++) {
		guest_leave(w, &w->guest[i], i % 2);
		w->guest[i].act = KDTLS_NEVER;
	}
}

static void judge_empty(struct crowd *w, size_t before, struct result *r)
{
	struct kdtls_server_info info;
	size_t left;

	kdtls_server_get_info(w->host.server, &info);
	if (info.clients || info.half_open || w->host.alive)
		crowd_blame(w, "clients that are gone are still there");
	left = heap_used > before ? heap_used - before : 0;
	if (left > LEFT_MAX)
		crowd_blame(w, "memory of clients that are gone is still there");
	if (left > r->left)
		r->left = left;
}

/* ---- what happens next ---- */

static void arrive(struct crowd *w)
{
	struct datagram d = *network_next(&w->net);
	struct guest *g;

	network_drop(&w->net);
	note(&w->net, "receives", d.to, d.len);
	if (d.to == CLIENT) {
		g = w->occupant[d.life];
		if (g)
			guest_receive(w, g, d.data, d.len);
		return;
	}
	port_put((unsigned int)d.life, d.data, d.len);
	/* The host may be busy, and then finds several datagrams. */
	if (w->host.wake > w->net.now + 50000)
		w->host.wake = w->net.now +
			       (chance(&w->net, 30) ? below(&w->net, 50000) : 0);
}

static u64 least(u64 a, u64 b)
{
	return a < b ? a : b;
}

/* The next thing happens, if one does before @end. */
static bool step(struct crowd *w, u64 end)
{
	const struct datagram *d = network_next(&w->net);
	u64 host = least(w->host.wake, w->host.restart);
	struct guest *g = NULL;
	u64 guest = guests_next(w, &g);
	u64 arrival = d ? d->due : KDTLS_NEVER;
	u64 when = least(least(host, guest), arrival);

	if (when >= end) {
		w->net.now = end;
		return false;
	}
	if (when > w->net.now)
		w->net.now = when;
	if (arrival == when)
		arrive(w);
	else if (guest == when)
		guest_act(w, g);
	else if (w->host.restart == when)
		host_restart(w);
	else
		host_serve(w);
	return true;
}

static void run_phase(struct crowd *w)
{
	while (!w->fault && step(w, w->phase_end))
		if (w->phase == CALM && all_served(w))
			break;
}

/* ---- schedules ---- */

static unsigned int draw_guests(struct crowd *w)
{
	switch (below(&w->net, 10)) {
	case 0:
		return 100 + (unsigned int)below(&w->net, GUESTS_MAX - 99);
	case 1 ... 4:
		return 8 + (unsigned int)below(&w->net, 56);
	default:
		return 1 + (unsigned int)below(&w->net, 8);
	}
}

static void set_up(struct crowd *w, u64 seed)
{
	/* network_init() clears the network, whose queue is large. */
	memset(w, 0, offsetof(struct crowd, net));
	network_init(&w->net, seed);
	w->guests = draw_guests(w);
	w->addresses = w->guests + w->guests / 8 + 2;
	guests_set_up(w);
	host_set_up(w);
	w->phase_end = w->net.now + STORM_TIME + below(&w->net, STORM_TIME);
}

static void judge_memory(struct crowd *w, size_t before, struct result *r)
{
	size_t all = w->guests + w->peak, most = heap_peak - before;

	if (most > FIXED_MAX + all * CLIENT_MAX)
		crowd_blame(w, "too much memory is held");
	if (all > 100 && most / all > r->each)
		r->each = most / all;
}

static void add(struct result *r, const struct crowd *w)
{
	r->lives += w->lives;
	r->records += w->records;
	r->echoes += w->echoes;
	r->early += w->early_taken;
	r->resumed += w->resumed;
	r->restarted += w->restarted;
	r->moved += w->moved;
	r->bad += !!w->fault;
	if (w->peak > r->peak)
		r->peak = w->peak;
}

/* Return a hash of what happened. */
static u64 schedule(u64 seed, struct result *r)
{
	struct crowd *w = &crowd;
	size_t before;

	set_up(w, seed);
	before = heap_used;
	heap_peak = before;
	run_phase(w);
	begin_calm(w);
	run_phase(w);
	begin_empty(w);
	judge_memory(w, before, r);
	run_phase(w);
	if (!w->fault)
		judge_empty(w, before, r);
	add(r, w);
	if (w->fault && r->bad <= 20)
		printf("# seed %" PRIu64 ", %u clients: %s\n", (uint64_t)seed,
		       w->guests, w->fault);
	host_free(w);
	guests_free(w);
	return w->net.trace;
}

static u64 run(u64 seed, bool again)
{
	struct result unused = { 0 };

	return schedule(seed, again ? &unused : &result);
}

static void print_counts(const struct result *r)
{
	printf("# %" PRIu64 " lives, %" PRIu64 " of them anew, %" PRIu64
	       " resumed, %" PRIu64 " moves\n", (uint64_t)r->lives,
	       (uint64_t)r->restarted, (uint64_t)r->resumed,
	       (uint64_t)r->moved);
	printf("# %" PRIu64 " records, %" PRIu64 " of them early, %" PRIu64
	       " echoes\n", (uint64_t)r->records, (uint64_t)r->early,
	       (uint64_t)r->echoes);
	printf("# %u clients at once; %zu bytes a client, %zu when all are gone\n",
	       r->peak, r->each, r->left);
}

static int report(const struct schedules *all)
{
	const struct result *r = &result;
	const struct schedules_test tests[] = {
		{ "every schedule ends well", !r->bad },
		{ "all memory is given back", !all->leaks },
		{ "a seed runs the same again", !all->differ },
		{ "some resume, some start anew, some move, some send early data",
		  all->count < 100 || (r->resumed && r->restarted && r->moved &&
				       r->early) },
	};

	print_counts(r);
	return schedules_report(tests, 4);
}

int main(int argc, char **argv)
{
	struct schedules all = { .run = run };

	if (!heap_watch())
		return 1;
	end_version = DTLS_VERSION_1_3;
	schedules_run(&all, argc, argv);
	return all.count ? report(&all) : !!result.bad;
}
