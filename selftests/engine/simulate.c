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
 * early data has come once or not at all. No record number comes twice under a key,
 * whatever was sent again. Every schedule must give back all
 * memory, hold no more than a fixed amount at any time, and run the same when it
 * is run again.
 */
#include <inttypes.h>
#include <stdio.h>

#include "heap.h"
#include "schedules.h"
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
	u64 resumed, restarted, early, bad;
};

static struct world world;
static struct result result;

/* ---- no number comes twice under a key ---- */

#define SEALED_MAX	16384	/* records of a schedule */

/* struct sealed is a record that was sealed: its key, and its nonce. */
struct sealed {
	u8 key[16];
	u8 iv[DTLS_IV_SIZE];
	u64 seq;
};

static struct sealed sealed[SEALED_MAX];
static unsigned int sealed_count;

static void note_sealed(const struct dtls_protection *p, u64 seq)
{
	struct sealed *s = &sealed[sealed_count];
	unsigned int i;

	if (sealed_count == SEALED_MAX) {
		blame(&world, "too many records for the test");
		return;
	}
	memcpy(s->key, p->room, sizeof(s->key));
	memcpy(s->iv, p->iv, sizeof(s->iv));
	s->seq = seq;
	for (i = 0; i < sealed_count; i++)
		if (!memcmp(s, &sealed[i], sizeof(*s)))
			blame(&world, "a number comes twice under a key");
	sealed_count++;
}

/* All engines and their owners seal by this function; see Makefile. */
size_t __real_dtls_protection_seal(struct dtls_protection *p, u8 type,
				   const u8 *content, size_t len, u8 *out);
size_t __wrap_dtls_protection_seal(struct dtls_protection *p, u8 type,
				   const u8 *content, size_t len, u8 *out)
{
	note_sealed(p, p->seq);
	return __real_dtls_protection_seal(p, type, content, len, out);
}

/* Return: a hash of what happened. */
static u64 schedule(u64 seed, struct result *r)
{
	struct world *w = &world;
	size_t used;
	int i;

	/* network_init() clears the network, whose queue is large. */
	memset(&w->fault, 0, sizeof(*w) - offsetof(struct world, fault));
	network_init(&w->net, seed);
	sealed_count = 0;
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

static u64 run(u64 seed, bool again)
{
	struct result unused = { 0 };

	return schedule(seed, again ? &unused : &result);
}

/* A few schedules may have none of what most have. */
static int report(const struct schedules *all)
{
	const struct result *r = &result;
	u64 ended = 0, shared = r->outcome[SHARED];
	struct schedules_test tests[] = {
		{ "every schedule ends well", !r->bad },
		{ "most lives end with a key", true },
		{ "all memory is given back", !all->leaks },
		{ "a seed runs the same again", !all->differ },
		{ "some resume, some restart, some are revoked",
		  all->count < 100 || (r->resumed && r->restarted &&
				       r->outcome[REVOKED]) },
	};
	int i;

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
	return schedules_report(tests, 5);
}

int main(int argc, char **argv)
{
	struct schedules all = { .run = run };
	int ret;

	if (!heap_watch())
		return 1;
	end_version = DTLS_VERSION_1_3;
	parties_init();
	schedules_run(&all, argc, argv);
	ret = all.count ? report(&all) : !!result.bad;
	parties_exit();
	return ret;
}
