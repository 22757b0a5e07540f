// SPDX-License-Identifier: GPL-2.0
/*
 * Engine against engine over a network made of a seed: loss, reordering,
 * duplication, corruption, delay, and an MTU that changes on the way.
 *
 *	simulate [SCHEDULES [FIRST_SEED]]	run them, print what came of them
 *	simulate -v SEED			run one, print what happens
 *
 * The ends speak DTLS 1.3 or 1.2 or one of them each, and some change keys. In
 * most schedules clients come to the server one after the other from the same
 * address: some resume, some start anew in the midst of an association or of a
 * handshake, some are somebody else, and what some have is revoked.
 *
 * A life of a client is good if both ends have the same keys and each takes what
 * the other sends under them; or if it ended in a stated time-out; or, where
 * plaintext bytes of the handshake were corrupted or came from another life, in
 * a stated alert: who comes again then gets in. Whenever there are keys, each
 * end knows who the other is, nothing that was revoked before is resumed, and
 * early data has come once or not at all. Every schedule must give back all
 * memory, hold no more than a fixed amount at any time, and run the same when it
 * is run again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "heap.h"
#include "world.h"

#define MEMORY_MAX	(512 * 1024)	/* all engines, with libcrypto's */

static const char *const outcome_name[OUTCOMES] = {
	"shared key", "timed out", "last flight lost", "corrupted",
	"took another life's", "revoked", "left before", "BAD",
};

/**
 * struct result - of schedules
 * @outcome:	lives that ended so
 * @restarted:	associations that gave way to a successor
 * @bad:	schedules in which something was that must not be
 */
struct result {
	u64 outcome[OUTCOMES];
	u64 resumed, restarted, early, bad, leaks, differ;
};

static struct world world;

/* Return: a hash of what happened. */
static u64 schedule(u64 seed, struct result *r)
{
	struct world *w = &world;
	size_t used;
	int i;

	/* network_init() clears the network, whose queue is large. */
	memset(&w->fault, 0, sizeof(*w) - offsetof(struct world, fault));
	network_init(&w->net, seed);
	parties_set_up(w);
	used = heap_used;
	heap_peak = used;
	lives_run(w);
	if (heap_peak - used > MEMORY_MAX)
		blame(w, "too much memory is held");
	for (i = 0; i < OUTCOMES; i++)
		r->outcome[i] += w->outcomes[i];
	r->resumed += w->resumed;
	r->restarted += w->restarted;
	r->early += w->early_taken;
	r->bad += !!w->fault;
	if (w->fault && r->bad <= 20)
		printf("# seed %" PRIu64 ": %s\n", (uint64_t)seed, w->fault);
	parties_free(w);
	return w->net.trace;
}

static void examine(u64 seed, struct result *r)
{
	static size_t used;
	struct result again = { 0 };
	u64 trace = schedule(seed, r);

	/* What libcrypto fetches it keeps; a leak happens again. */
	if (heap_used > used) {
		used = heap_used;
		schedule(seed, &again);
		if (heap_used > used) {
			printf("# seed %" PRIu64 " leaks %zu bytes\n",
			       (uint64_t)seed, heap_used - used);
			r->leaks++;
		}
		used = heap_used;
	}
	if (!(seed % 16) && schedule(seed, &again) != trace) {
		printf("# seed %" PRIu64 " ran otherwise\n", (uint64_t)seed);
		r->differ++;
	}
}

/* @count: schedules; a few may have none of what most have. */
static int report(const struct result *r, u64 count)
{
	u64 ended = 0, shared = r->outcome[SHARED];
	int i, bad = 0;
	struct {
		const char *what;
		bool ok;
	} tests[] = {
		{ "every schedule ends well", !r->bad },
		{ "most lives end with a key", true },
		{ "all memory is given back", !r->leaks },
		{ "a seed runs the same again", !r->differ },
		{ "some resume, some restart, some are revoked",
		  count < 100 || (r->resumed && r->restarted &&
				  r->outcome[REVOKED]) },
	};

	for (i = 0; i < OUTCOMES; i++) {
		printf("# %-20s %" PRIu64 "\n", outcome_name[i],
		       (uint64_t)r->outcome[i]);
		if (i != REVOKED && i != LEFT)
			ended += r->outcome[i];
	}
	printf("# %-20s %" PRIu64 "\n", "resumed", (uint64_t)r->resumed);
	printf("# %-20s %" PRIu64 "\n", "restarted", (uint64_t)r->restarted);
	printf("# %-20s %" PRIu64 "\n", "early data taken", (uint64_t)r->early);
	tests[1].ok = shared * 10 >= ended * 9;
	for (i = 0; i < 5; i++) {
		printf("%sok %d %s\n", tests[i].ok ? "" : "not ", i + 1,
		       tests[i].what);
		bad |= !tests[i].ok;
	}
	return bad;
}

int main(int argc, char **argv)
{
	struct result r = { 0 };
	u64 count, first = 1, seed;
	int ret;

	if (!heap_watch())
		return 1;
	end_version = DTLS_VERSION_1_3;
	parties_init();
	if (argc > 2 && !strcmp(argv[1], "-v")) {
		network_verbose = true;
		schedule(strtoull(argv[2], NULL, 0), &r);
		return r.bad;
	}
	count = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000;
	if (argc > 2)
		first = strtoull(argv[2], NULL, 0);
	printf("TAP version 13\n1..5\n");
	for (seed = first; seed < first + count; seed++)
		examine(seed, &r);
	ret = report(&r, count);
	parties_exit();
	return ret;
}
