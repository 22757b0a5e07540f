// SPDX-License-Identifier: GPL-2.0
/*
 * Engine against engine over a network made of a seed: loss, reordering,
 * duplication, corruption, delay, and an MTU that changes on the way.
 *
 *	simulate [SCHEDULES [FIRST_SEED]]	run them, print what came of them
 *	simulate -v SEED			run one, print what happens
 *
 * The ends speak DTLS 1.3 or 1.2 or one of them each, and some change keys.
 *
 * A schedule is good if both ends have the same keys and each takes what the
 * other sends under them; or if it ended in a stated time-out; or, where
 * plaintext bytes of the handshake were corrupted, in a stated alert. Every
 * schedule must give back all memory, hold no more than a fixed amount at any
 * time, and run the same when it is run again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "end.h"
#include "heap.h"

#define DATAGRAMS	512
#define SIZE		2048
#define MEMORY_MAX	(512 * 1024)	/* both ends, with libcrypto's */
#define TIME_MAX	(3600ULL * 1000000)
#define CLIENT		0
#define SERVER		1

enum outcome {
	SHARED,		/* same keys, data both ways */
	TIMED_OUT,	/* and nobody believes otherwise */
	UNPROVEN,	/* one end's last flight, or all word of it, was lost */
	CORRUPTED,	/* plaintext was changed on the way, and found out */
	BAD,
	OUTCOMES,
};

static const char *const outcome_name[OUTCOMES] = {
	"shared key", "timed out", "last flight lost", "corrupted", "BAD",
};

struct network {
	unsigned int loss, twice, corrupt;	/* percent */
	u64 delay, jitter;			/* µs */
	size_t mtu, later_mtu;
	u64 change;				/* when the MTU changes */
};

struct datagram {
	u64 due;
	u64 number;
	int to;
	size_t len;
	u8 data[SIZE];
};

struct world {
	u64 seed;
	u64 now;
	u64 trace;		/* hash of all that happened */
	u64 numbers;
	struct network net;
	struct end end[2];
	bool said[2];		/* application data was sent */
	unsigned int updates[2]; /* of keys, that are to come */
	unsigned int cids[2];	/* the same: connection IDs that are given */
	bool plain_corrupted;
	struct datagram queue[DATAGRAMS];
	unsigned int queued;
};

static bool verbose;
static struct cert ca, leaf[2];
static int64_t today;

static u64 draw(struct world *w)
{
	/* splitmix64 */
	u64 z = w->seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static u64 below(struct world *w, u64 n)
{
	return n ? draw(w) % n : 0;
}

static bool chance(struct world *w, unsigned int percent)
{
	return below(w, 100) < percent;
}

static void note(struct world *w, const char *what, int who, u64 value)
{
	const char *p;

	w->trace = (w->trace ^ w->now) * 0x100000001b3ULL;
	w->trace = (w->trace ^ (u64)who) * 0x100000001b3ULL;
	w->trace = (w->trace ^ value) * 0x100000001b3ULL;
	for (p = what; *p; p++)
		w->trace = (w->trace ^ (u64)*p) * 0x100000001b3ULL;
	if (verbose)
		printf("%10.3f ms  %s %s %" PRIu64 "\n", (double)w->now / 1000,
		       who == CLIENT ? "client" : "server", what, (uint64_t)value);
}

static void enqueue(struct world *w, int to, const u8 *data, size_t len)
{
	struct datagram *d = &w->queue[w->queued];
	size_t at;

	if (w->queued == DATAGRAMS)
		return;
	w->queued++;
	d->due = w->now + w->net.delay + below(w, w->net.jitter);
	d->number = w->numbers++;
	d->to = to;
	d->len = len;
	memcpy(d->data, data, len);
	if (!chance(w, w->net.corrupt))
		return;
	at = below(w, len);
	d->data[at] ^= (u8)(1 << below(w, 8));
	/* Epoch 0 has nothing that would tell. */
	w->plain_corrupted = true;
	note(w, "will get a corrupted datagram", to, at);
}

static void transmit(struct world *w, int from, const u8 *data, size_t len)
{
	size_t mtu = w->now < w->net.change ? w->net.mtu : w->net.later_mtu;

	if (len > mtu) {
		note(w, "sends too large a datagram", from, len);
	} else if (chance(w, w->net.loss)) {
		note(w, "sends in vain", from, len);
	} else {
		note(w, "sends", from, len);
		enqueue(w, !from, data, len);
		if (chance(w, w->net.twice))
			enqueue(w, !from, data, len);
	}
}

/* All that an end has to send; and, once it has keys, something of its own */
static void drain(struct world *w, int who)
{
	struct end *end = &w->end[who];
	u8 buf[SIZE];
	long n;

	while ((n = end_output(end, buf, sizeof(buf), w->now)) > 0)
		transmit(w, who, buf, (size_t)n);
	if (end_established(end) && w->updates[who] &&
	    !kdtls_engine_update_keys(end->e, w->updates[who] % 2)) {
		w->updates[who]--;
		note(w, "wants a new key", who, w->updates[who]);
	}
	if (end_established(end) && w->cids[who] &&
	    !kdtls_engine_give_cids(end->e, 1, w->cids[who] % 2)) {
		w->cids[who]--;
		note(w, "gives a connection ID", who, w->cids[who]);
	}
	if (end_established(end) && !w->said[who]) {
		w->said[who] = true;
		note(w, "has keys", who, end->tx_key.cipher);
		n = (long)end_send(end, who == CLIENT ? "from client" :
				   "from server", 11, buf);
		transmit(w, who, buf, (size_t)n);
	}
}

static struct datagram *earliest(struct world *w)
{
	struct datagram *first = NULL;
	unsigned int i;

	for (i = 0; i < w->queued; i++) {
		struct datagram *d = &w->queue[i];

		if (!first || d->due < first->due ||
		    (d->due == first->due && d->number < first->number))
			first = d;
	}
	return first;
}

static bool heard(const struct end *end, int from)
{
	static const char *const said[] = { "from client", "from server" };

	return end->received_len >= 11 &&
	       !memcmp(end->received, said[from], 11);
}

static void arrive(struct world *w, struct datagram *d)
{
	struct end *end = &w->end[d->to];
	size_t before = end->received_len;
	int to = d->to;

	note(w, "receives", to, d->len);
	end_input(end, d->data, d->len, w->now);
	*d = w->queue[--w->queued];
	if (end->received_len > before && end_established(end))
		kdtls_engine_confirm(end->e);
	drain(w, to);
}

static bool failed(const struct end *end)
{
	return kdtls_engine_state(end->e) == KDTLS_FAILED;
}

/* DTLS 1.3: something of this end's is not acknowledged yet. */
static bool expects(const struct end *end)
{
	return end->e->d13 && end_established(end) && end->e->flight.first &&
	       end->e->timer.expiry != KDTLS_NEVER;
}

/* Nothing is on the way, and nobody will do anything but forget. */
static bool finished(const struct world *w)
{
	bool busy = false;
	int i;

	for (i = 0; i < 2; i++)
		busy |= kdtls_engine_state(w->end[i].e) < KDTLS_ESTABLISHED ||
			expects(&w->end[i]);
	return !w->queued && (!busy || failed(&w->end[CLIENT]));
}

static void run(struct world *w)
{
	struct datagram *d;
	u64 when, expiry;
	int i, who;

	kdtls_engine_start(w->end[CLIENT].e, w->now);
	drain(w, CLIENT);
	while (!finished(w)) {
		d = earliest(w);
		when = d ? d->due : KDTLS_NEVER;
		who = -1;
		for (i = 0; i < 2; i++) {
			expiry = kdtls_engine_expiry(w->end[i].e);
			if (expiry < when) {
				when = expiry;
				who = i;
			}
		}
		if (when == KDTLS_NEVER || when > TIME_MAX)
			return;
		if (when > w->now)
			w->now = when;
		if (who < 0) {
			arrive(w, d);
			continue;
		}
		note(w, "timer", who, w->end[who].e->timer.tries);
		kdtls_engine_expire(w->end[who].e, w->now);
		drain(w, who);
	}
}

static int error_of(const struct end *end)
{
	return failure_of(end).error;
}

/*
 * Does each end have a read key for what the other writes? A KeyUpdate whose
 * acknowledgement got lost may have arrived.
 */
static bool keys_fit(const struct end *from, const struct end *to)
{
	u64 ahead = to->rx_key.epoch - from->tx_key.epoch;

	if (!ahead)
		return !memcmp(from->tx_key.key, to->rx_key.key,
			       sizeof(to->rx_key.key));
	return ahead == 1 && from->e->d13 && from->e->d13->updating;
}

static bool agree(const struct world *w)
{
	const struct end *c = &w->end[CLIENT], *s = &w->end[SERVER];

	if (end_agree(c, s))
		return true;
	return end_established(c) && end_established(s) && keys_fit(c, s) &&
	       keys_fit(s, c);
}

/*
 * DTLS 1.3: @end had keys, and these, but nothing ever told it that its Finished
 * had arrived.
 */
static bool gave_up_late(const struct end *end, const struct end *other)
{
	return failed(end) && error_of(end) == KDTLS_ETIMEOUT &&
	       end->e->keys_out && end->e->d13 && !end->e->d13->arrived &&
	       keys_fit(end, other) && keys_fit(other, end);
}

/* Early data came once or not at all, and never where it was refused. */
static bool early_is_sound(const struct world *w)
{
	const struct end *s = &w->end[SERVER];

	if (!s->early_len)
		return true;
	return s->early_len == 5 && !memcmp(s->early, "early", 5) &&
	       info_of(&w->end[CLIENT]).early != KDTLS_EARLY_REJECTED;
}

static enum outcome judge(struct world *w)
{
	struct end *c = &w->end[CLIENT], *s = &w->end[SERVER];
	struct end *other;
	int i;

	if (!early_is_sound(w))
		return BAD;
	if (agree(w)) {
		/* What arrived is what was sent; it may have been lost. */
		for (i = 0; i < 2; i++)
			if (w->end[i].received_len &&
			    !heard(&w->end[i], !i))
				return BAD;
		return SHARED;
	}
	if (end_established(c) && end_established(s))
		return BAD;
	for (i = 0; i < 2; i++) {
		other = &w->end[!i];
		if (!end_established(&w->end[i]))
			continue;
		/* It has keys alone: then it must still wait for a proof. */
		if (w->plain_corrupted && failed(other) &&
		    error_of(other) != KDTLS_ETIMEOUT)
			return CORRUPTED;
		if (gave_up_late(other, &w->end[i]))
			return UNPROVEN;
		if (w->end[i].e->flight.first &&
		    (!failed(other) || error_of(other) == KDTLS_ETIMEOUT))
			return UNPROVEN;
		return BAD;
	}
	if (error_of(c) == KDTLS_ETIMEOUT &&
	    (!error_of(s) || error_of(s) == KDTLS_ETIMEOUT))
		return TIMED_OUT;
	if (w->plain_corrupted && failed(c))
		return CORRUPTED;
	return BAD;
}

static const u16 ed25519_only[] = { 0x0807 };
static const u16 x25519_only[] = { 29 };

/* Everything about a schedule comes from its seed. */
static void set_up(struct world *w)
{
	struct end *c = &w->end[CLIENT], *s = &w->end[SERVER];
	bool certificates = chance(w, 40);
	struct network *n = &w->net;
	int i;

	n->loss = chance(w, 80) ? (unsigned int)below(w, 45) : 0;
	n->twice = chance(w, 50) ? (unsigned int)below(w, 40) : 0;
	n->corrupt = chance(w, 20) ? (unsigned int)below(w, 10) : 0;
	n->delay = below(w, 300000);
	n->jitter = chance(w, 60) ? below(w, 400000) : 0;
	n->mtu = 256 + below(w, 1245);
	n->later_mtu = chance(w, 20) ? 256 + below(w, 1245) : n->mtu;
	n->change = below(w, 3000000);
	w->now = 1000000;

	for (i = 0; i < 2; i++) {
		struct end *end = &w->end[i];

		end_config(end, certificates ? NULL : "secret of theirs");
		if (chance(w, 30))
			end->config.version_max = DTLS_VERSION_1_2;
		w->updates[i] = chance(w, 30) ? (unsigned int)below(w, 4) : 0;
		w->cids[i] = chance(w, 30) ? (unsigned int)below(w, 4) : 0;
		end->unix_time = today;
		end->random = draw(w) | 1;
		end->config.mtu = chance(w, 80) ? (u32)n->mtu : 1400;
		if (end->config.mtu < KDTLS_MTU_MIN)
			end->config.mtu = KDTLS_MTU_MIN;
		end->config.timeout_initial = 50 + (u32)below(w, 1500);
		end->config.timeout_max = 8000;
		end->config.retransmits = 24;
		/* Lengths must not depend on what libcrypto draws. */
		end->config.schemes = ed25519_only;
		end->config.scheme_count = 1;
		end->config.groups = x25519_only;
		end->config.group_count = 1;
		end->config.flags = KDTLS_NO_NAME_CHECK | KDTLS_CID;
		if (chance(w, 30))
			end->config.flags |= KDTLS_NO_TICKETS;
	}
	s->config.cache_size = 4;
	s->config.max_early_data = chance(w, 80) ? 4096 : 0;
	/* In DTLS 1.3 one that is too old ends it (RFC 9147 5.1). */
	s->config.cookie_life = 600000;
	if (chance(w, 30))
		s->config.flags |= KDTLS_REQUIRE_CERT * certificates;
	if (chance(w, 20))
		s->config.flags |= KDTLS_NO_COOKIE;

	end_open(c, KDTLS_CLIENT);
	end_open(s, KDTLS_SERVER);
	for (i = 0; certificates && i < 2; i++) {
		trust(&w->end[i], &ca);
		show(&w->end[i], &leaf[i]);
	}
	if (chance(w, 30))
		kdtls_engine_set_cid(c->e, (const u8 *)"client", 6);
	if (chance(w, 30))
		kdtls_engine_set_cid(s->e, (const u8 *)"server's", 8);
}

/* A session to resume, made over a network without faults */
static void get_session(struct world *w)
{
	struct end *c = &w->end[CLIENT], *s = &w->end[SERVER];
	size_t sizes[2] = { c->e->cids.len, s->e->cids.len };

	if (end_handshake(c, s) || !c->session)
		return;
	end_close(c);
	end_close(s);
	end_open(c, KDTLS_CLIENT);
	end_open(s, KDTLS_SERVER);
	if (sizes[0])
		kdtls_engine_set_cid(c->e, (const u8 *)"client", 6);
	if (sizes[1])
		kdtls_engine_set_cid(s->e, (const u8 *)"server's", 8);
	kdtls_engine_set_session(c->e, c->session, c->session_len);
	/* Only a server of some schedules has said that it takes it. */
	kdtls_engine_send_early(c->e, (const u8 *)"early", 5);
}

static struct world world;
static u64 early_taken;

static enum outcome schedule(u64 seed, u64 *trace, u64 *took)
{
	struct world *w = &world;
	enum outcome outcome;
	size_t used;
	int i;

	memset(w, 0, sizeof(*w));
	w->seed = seed;
	set_up(w);
	if (chance(w, 30))
		get_session(w);
	used = heap_used;
	heap_peak = used;
	run(w);
	outcome = judge(w);
	early_taken += !!w->end[SERVER].early_len;
	if (heap_peak - used > MEMORY_MAX) {
		printf("# seed %" PRIu64 ": %zu bytes held\n", (uint64_t)seed,
		       heap_peak - used);
		outcome = BAD;
	}
	for (i = 0; i < 2 && verbose; i++)
		printf("%s: state %d, error %x, %s\n", i ? "server" : "client",
		       kdtls_engine_state(w->end[i].e), error_of(&w->end[i]),
		       w->end[i].e->reason ? : "-");
	*took = w->now - 1000000;
	*trace = w->trace;
	for (i = 0; i < 2; i++)
		end_exit(&w->end[i]);
	return outcome;
}

int main(int argc, char **argv)
{
	u64 count, first = 1, seed, trace, again, took, total = 0;
	u64 outcomes[OUTCOMES] = { 0 };
	enum outcome outcome;
	size_t used = 0;
	int leaks = 0, differ = 0;

	if (!heap_watch())
		return 1;
	end_version = DTLS_VERSION_1_3;
	today = time(NULL);
	cert_make(&ca, &(struct cert_options){ .kind = CERT_ED25519,
		  .ca = true });
	cert_make(&leaf[0], &(struct cert_options){ .kind = CERT_ED25519,
		  .issuer = &ca });
	cert_make(&leaf[1], &(struct cert_options){ .kind = CERT_ED25519,
		  .issuer = &ca });
	if (argc > 2 && !strcmp(argv[1], "-v")) {
		verbose = true;
		outcome = schedule(strtoull(argv[2], NULL, 0), &trace, &took);
		printf("%s\n", outcome_name[outcome]);
		return outcome == BAD;
	}
	count = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000;
	if (argc > 2)
		first = strtoull(argv[2], NULL, 0);

	printf("TAP version 13\n1..4\n");
	for (seed = first; seed < first + count; seed++) {
		outcome = schedule(seed, &trace, &took);
		outcomes[outcome]++;
		total += took;
		if (outcome == BAD && outcomes[BAD] <= 20)
			printf("# seed %" PRIu64 " is bad\n", (uint64_t)seed);
		/* What libcrypto fetches it keeps; a leak happens again. */
		if (heap_used > used) {
			used = heap_used;
			schedule(seed, &again, &took);
			if (heap_used > used) {
				printf("# seed %" PRIu64 " leaks %zu bytes\n",
				       (uint64_t)seed, heap_used - used);
				leaks++;
			}
			used = heap_used;
		}
		if (seed % 16)
			continue;
		schedule(seed, &again, &took);
		if (again != trace) {
			printf("# seed %" PRIu64 " ran otherwise\n",
			       (uint64_t)seed);
			differ++;
		}
	}
	for (outcome = 0; outcome < OUTCOMES; outcome++)
		printf("# %-18s %" PRIu64 "\n", outcome_name[outcome],
		       (uint64_t)outcomes[outcome]);
	printf("# early data taken   %" PRIu64 "\n", (uint64_t)early_taken);
	printf("# mean time %.3f s\n", (double)total / 1e6 / (double)count);
	printf("%sok 1 every schedule ends well\n",
	       outcomes[BAD] ? "not " : "");
	printf("%sok 2 most end with a key\n",
	       outcomes[SHARED] * 10 < count * 9 ? "not " : "");
	printf("%sok 3 all memory is given back\n", leaks ? "not " : "");
	printf("%sok 4 a seed runs the same again\n", differ ? "not " : "");
	cert_free(&ca);
	cert_free(&leaf[0]);
	cert_free(&leaf[1]);
	return outcomes[BAD] || outcomes[SHARED] * 10 < count * 9 || leaks ||
	       differ;
}
