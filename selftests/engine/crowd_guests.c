// SPDX-License-Identifier: GPL-2.0
/* The guests of a crowd; see crowd.h. */
#include <stdio.h>
#include <stdlib.h>

#include "crowd.h"

/* A client that does not know the MTU of its path needs several time-outs. */
#define PATIENCE	(60 * SECOND)
#define BURST_MAX	6

static const u16 x25519_only[] = { 29 };
static struct crowd *here;

static struct guest *guest_of(struct end *end)
{
	return (struct guest *)end;
}

static u32 number_of(const struct crowd *w, const struct guest *g)
{
	return (u32)(g - w->guest);
}

/* ---- set-up ---- */

static void set_up_kind(struct crowd *w, unsigned int i)
{
	struct end *end = &w->kind[i];
	struct kdtls_config *c = &end->config;

	end_config(end, "a key that nobody has");
	c->version_min = i == 1 ? DTLS_VERSION_1_3 : DTLS_VERSION_1_2;
	c->version_max = i ? DTLS_VERSION_1_3 : DTLS_VERSION_1_2;
	c->groups = x25519_only;
	c->group_count = 1;
	c->mtu = chance(&w->net, 50) ? (u32)w->net.mtu : 1400;
	if (c->mtu < KDTLS_MTU_MIN)
		c->mtu = KDTLS_MTU_MIN;
	c->timeout_initial = 100 + (u32)below(&w->net, 1000);
	c->timeout_max = 4000;
	c->retransmits = 24;
	c->flags = KDTLS_CID | KDTLS_NO_NAME_CHECK;
	if (kdtls_endpoint_new(c, &end->ep)) {
		fprintf(stderr, "a client has no endpoint\n");
		exit(1);
	}
}

static void take_echo(struct end *end, const u8 *data, size_t len);

static void set_up_guest(struct crowd *w, struct guest *g)
{
	int n;

	n = snprintf(g->identity, sizeof(g->identity), "guest %u",
		     number_of(w, g));
	/* Every third has a long name, and its ticket does not fit some paths. */
	if (number_of(w, g) % 3 == 2)
		memset(g->identity + n, '.',
		       KDTLS_PSK_IDENTITY_MAX - (size_t)n);
	snprintf(g->key, sizeof(g->key), "secret of guest %08x",
		 (unsigned int)(number_of(w, g) * 2654435761u));
	g->kind = (unsigned int)below(&w->net, KINDS);
	end_config(&g->end, g->key);
	g->end.identity = g->identity;
	g->end.ep = w->kind[g->kind].ep;
	g->end.data = take_echo;
	g->address = -1;
	g->due = KDTLS_NEVER;
	g->act = w->net.now + below(&w->net, 5 * SECOND);
}

void guests_set_up(struct crowd *w)
{
	unsigned int i;

	here = w;
	for (i = 0; i < KINDS; i++)
		set_up_kind(w, i);
	for (i = 0; i < w->guests; i++)
		set_up_guest(w, &w->guest[i]);
}

void guests_free(struct crowd *w)
{
	unsigned int i;

	for (i = 0; i < w->guests; i++) {
		w->guest[i].end.ep = NULL;
		end_exit(&w->guest[i].end);
	}
	for (i = 0; i < KINDS; i++)
		end_exit(&w->kind[i]);
}

/* ---- what a guest sends ---- */

static void flush(struct crowd *w, struct guest *g)
{
	u8 buf[NETWORK_SIZE];
	long n;

	while (g->end.e &&
	       (n = end_output(&g->end, buf, sizeof(buf), w->net.now)) > 0)
		network_send(&w->net, CLIENT, g->address, buf, (size_t)n);
	g->due = g->end.e ? kdtls_engine_expiry(g->end.e) : KDTLS_NEVER;
}

/* Write a word with its padding. Return the bytes of both. */
static size_t write_word(const struct crowd *w, const struct guest *g,
			 u32 number, size_t padding, u8 *out)
{
	struct word word = {
		.guest = number_of(w, g),
		.life = g->life,
		.number = number,
		.len = (u32)(sizeof(word) + padding),
	};

	memcpy(out, &word, sizeof(word));
	memset(out + sizeof(word), (int)number, padding);
	return word.len;
}

bool crowd_read_word(const u8 *data, size_t len, struct word *word)
{
	size_t i;

	if (len < sizeof(*word) || len > sizeof(*word) + PADDING_MAX)
		return false;
	memcpy(word, data, sizeof(*word));
	for (i = sizeof(*word); i < len; i++)
		if (data[i] != (u8)word->number)
			return false;
	return word->len == len;
}

static void speak(struct crowd *w, struct guest *g)
{
	size_t padding = below(&w->net, PADDING_MAX + 1), n;
	u64 burst = chance(&w->net, 20) ? 1 + below(&w->net, BURST_MAX) : 1;
	u8 text[sizeof(struct word) + PADDING_MAX], buf[NETWORK_SIZE];

	for (; burst && g->sent < WORDS_MAX; burst--) {
		n = write_word(w, g, g->sent, padding, text);
		n = end_send(&g->end, text, n, buf);
		w->sent[number_of(w, g)][g->life] = ++g->sent;
		network_send(&w->net, CLIENT, g->address, buf, n);
	}
	if (!g->waits)
		g->waits = w->net.now;
}

/* ---- what it gets ---- */

static void take_echo(struct end *end, const u8 *data, size_t len)
{
	struct guest *g = guest_of(end);
	struct crowd *w = here;
	struct word word;

	if (!crowd_read_word(data, len, &word) ||
	    word.guest != number_of(w, g) || word.life != g->life ||
	    (word.number != WORDS_MAX && word.number >= g->sent)) {
		crowd_blame(w, "a guest got what it had not sent");
		return;
	}
	if (g->echoed >> word.number & 1)
		crowd_blame(w, "an echo came twice");
	g->echoed |= 1ULL << word.number;
	g->waits = 0;
	g->served |= w->phase == CALM;
	w->echoes++;
	kdtls_engine_confirm(end->e);
}

void guest_receive(struct crowd *w, struct guest *g, const u8 *data, size_t len)
{
	bool was = g->end.e && end_established(&g->end);

	if (!g->end.e)
		return;
	end_input(&g->end, data, len, w->net.now);
	flush(w, g);
	if (!was && end_established(&g->end)) {
		g->waits = 0;
		g->act = w->net.now + below(&w->net, SECOND);
	}
}

/* ---- lives ---- */

static void move_to(struct crowd *w, struct guest *g, int address)
{
	if (g->address >= 0)
		w->occupant[g->address] = NULL;
	g->address = address;
	if (address >= 0)
		w->occupant[address] = g;
}

/* Return an address where nobody lives; there are more of them than guests. */
static int draw_address(struct crowd *w)
{
	unsigned int a = (unsigned int)below(&w->net, w->addresses);

	while (w->occupant[a])
		a = (a + 1) % w->addresses;
	return (int)a;
}

static void end_life(struct crowd *w, struct guest *g)
{
	end_close(&g->end);
	g->due = KDTLS_NEVER;
	g->waits = 0;
	g->life++;
	g->sent = 0;
	g->echoed = 0;
	note(&w->net, "is gone", CLIENT, number_of(w, g));
}

void guest_leave(struct crowd *w, struct guest *g, bool goodbye)
{
	if (goodbye && g->end.e && end_established(&g->end)) {
		kdtls_engine_close(g->end.e);
		flush(w, g);
	}
	if (g->end.e)
		end_life(w, g);
	move_to(w, g, -1);
}

static void begin_life(struct crowd *w, struct guest *g)
{
	static const u8 cid[] = "guest's";
	u8 text[sizeof(struct word)];
	size_t n;

	if (g->life == LIVES_MAX) {
		crowd_blame(w, "a guest does not get in, however often it comes");
		return;
	}
	if (g->address < 0)
		move_to(w, g, draw_address(w));
	g->end.unix_time = crowd_time(w);
	if (end_open(&g->end, KDTLS_CLIENT)) {
		crowd_blame(w, "a guest has no engine");
		return;
	}
	if (chance(&w->net, 30))
		kdtls_engine_set_cid(g->end.e, cid, 1 + below(&w->net, 7));
	if (g->end.session && chance(&w->net, 80)) {
		kdtls_engine_set_session(g->end.e, g->end.session,
					 g->end.session_len);
		n = write_word(w, g, WORDS_MAX, 0, text);
		if (!kdtls_engine_send_early(g->end.e, text, n))
			w->early[number_of(w, g)][g->life] = true;
	}
	g->waits = w->net.now;
	w->lives++;
	note(&w->net, "begins a life", CLIENT, number_of(w, g));
	kdtls_engine_start(g->end.e, w->net.now);
	flush(w, g);
}

/* Its association is lost, or it has lost it: it comes again from its address. */
static void begin_anew(struct crowd *w, struct guest *g)
{
	end_life(w, g);
	w->restarted++;
	begin_life(w, g);
}

/* Return true if the guest has nothing to hope for from its engine. */
static bool has_ended(const struct crowd *w, const struct guest *g)
{
	return kdtls_engine_state(g->end.e) > KDTLS_ESTABLISHED ||
	       (g->waits && w->net.now > g->waits + PATIENCE) ||
	       (g->sent == WORDS_MAX && !g->waits);
}

/* The record layer of a moved client tells its new address by its records. */
static void move_away(struct crowd *w, struct guest *g)
{
	move_to(w, g, draw_address(w));
	w->moved++;
	note(&w->net, "moves", CLIENT, number_of(w, g));
}

/* What guests do while the network has faults. */
static void be_wild(struct crowd *w, struct guest *g)
{
	u64 what = below(&w->net, 100);

	if (what < 8) {
		guest_leave(w, g, what < 4);
		g->act = w->net.now + below(&w->net, 30 * SECOND);
	} else if (what < 14) {
		begin_anew(w, g);
	} else if (what < 18) {
		move_away(w, g);
	} else if (what < 22) {
		g->act = w->net.now + below(&w->net, 100 * SECOND);
	} else if (what < 26 && end_established(&g->end)) {
		kdtls_engine_update_keys(g->end.e, what % 2);
		flush(w, g);
	}
}

void guest_act(struct crowd *w, struct guest *g)
{
	g->end.unix_time = crowd_time(w);
	if (g->end.e && g->due <= w->net.now) {
		kdtls_engine_expire(g->end.e, w->net.now);
		flush(w, g);
	}
	if (g->act > w->net.now)
		return;
	g->act = w->net.now + 1 + below(&w->net, 8 * SECOND);
	if (w->phase == EMPTY)
		return;
	if (!g->end.e)
		begin_life(w, g);
	else if (has_ended(w, g))
		begin_anew(w, g);
	else if (w->phase == STORM)
		be_wild(w, g);
	if (g->end.e && end_established(&g->end))
		speak(w, g);
}

u64 guests_next(struct crowd *w, struct guest **first)
{
	u64 when = KDTLS_NEVER, due;
	unsigned int i;

	for (i = 0; i < w->guests; i++) {
		struct guest *g = &w->guest[i];

		due = g->due < g->act ? g->due : g->act;
		if (due < when) {
			when = due;
			*first = g;
		}
	}
	return when;
}
