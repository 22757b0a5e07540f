// SPDX-License-Identifier: GPL-2.0
/* What happens in the simulator's world; see world.h. */
#include <stdio.h>

#include "world.h"

#define TIME_MAX	(3600ULL * 1000000)	/* of a life */
#define SECOND		1000000ULL
#define PIECES_LIFE	(10 * SECOND)
#define HOUR		(3600 * SECOND)
#define DAY		(24 * HOUR)

static bool is_there(const struct end *end)
{
	return end && end->e;
}

static bool stands(const struct place *p)
{
	return p && end_established(&p->end);
}

/* ---- what an end sends ---- */

static void record(struct world *w, const u8 *data, size_t len)
{
	struct datagram *d = &w->first[w->firsts];

	if (w->firsts == FIRST)
		return;
	w->firsts++;
	d->to = SERVER;
	d->life = w->life;
	d->len = len;
	memcpy(d->data, data, len);
}

static void flush(struct world *w, struct end *end, enum side side, int life)
{
	u8 buf[NETWORK_SIZE];
	long n;

	while ((n = end_output(end, buf, sizeof(buf), w->net.now)) > 0) {
		network_send(&w->net, side, life, buf, (size_t)n);
		if (side == CLIENT)
			record(w, buf, (size_t)n);
	}
}

/* Once it has keys, it changes them, gives connection IDs, and sends data. */
static void speak(struct world *w, struct end *end, enum side side, int life)
{
	char text[TEXT_SIZE + 1];
	u8 buf[NETWORK_SIZE];
	size_t n;

	if (!end_established(end))
		return;
	if (w->updates[side] &&
	    !kdtls_engine_update_keys(end->e, w->updates[side] % 2)) {
		w->updates[side]--;
		note(&w->net, "wants a new key", side, w->updates[side]);
	}
	if (w->given[side] &&
	    !kdtls_engine_give_cids(end->e, 1, w->given[side] % 2)) {
		w->given[side]--;
		note(&w->net, "gives a connection ID", side, w->given[side]);
	}
	if (w->lives_lived[life].said[side])
		return;
	w->lives_lived[life].said[side] = true;
	note(&w->net, "has keys", side, end->tx_key.cipher);
	judge_text(text, side == CLIENT ? "client" : "server", life);
	n = end_send(end, text, TEXT_SIZE, buf);
	network_send(&w->net, side, life, buf, n);
}

static void drain_client(struct world *w)
{
	flush(w, w->client, CLIENT, w->life);
	speak(w, w->client, CLIENT, w->life);
	judge_client(w);
}

static void drain_place(struct world *w, struct place *p)
{
	if (!p)
		return;
	flush(w, &p->end, SERVER, p->life);
	speak(w, &p->end, SERVER, p->life);
	judge_place(w, p);
}

/* The server sends what it has to; a successor that stands takes over. */
static void settle(struct world *w)
{
	drain_place(w, w->now);
	drain_place(w, w->beside);
	if (!w->beside)
		return;
	if (stands(w->beside)) {
		note(&w->net, "has another association", SERVER,
		     (u64)w->beside->life);
		end_close(&w->now->end);
		w->now = w->beside;
		w->beside = NULL;
		w->restarted++;
	} else if (kdtls_engine_state(w->beside->end.e) > KDTLS_ESTABLISHED) {
		note(&w->net, "gives up a successor", SERVER,
		     (u64)w->beside->life);
		end_close(&w->beside->end);
		w->beside = NULL;
	}
}

/* ---- hellos that come to the server ---- */

/* In a record with the first piece of a ClientHello; the random follows. */
#define RANDOM_OFFSET	(DTLS12_HEADER_SIZE + DTLS_MESSAGE_HEADER + 2)
#define FRAGMENT_OFFSET	(DTLS12_HEADER_SIZE + 6)

static bool is_plain(const struct datagram *d)
{
	return d->len >= DTLS12_HEADER_SIZE &&
	       d->data[0] <= DTLS_CT_HANDSHAKE && !dtls_get_be(d->data + 3, 2);
}

static bool is_hello(const struct datagram *d)
{
	return is_plain(d) && d->len >= DTLS12_HEADER_SIZE + 12 &&
	       d->data[0] == DTLS_CT_HANDSHAKE &&
	       d->data[DTLS12_HEADER_SIZE] == DTLS_CLIENT_HELLO;
}

static const u8 *random_of(const struct datagram *d)
{
	return d->len >= RANDOM_OFFSET + DTLS_RANDOM_SIZE &&
	       !dtls_get_be(d->data + FRAGMENT_OFFSET, 3) ?
	       d->data + RANDOM_OFFSET : NULL;
}

static bool is_of(const struct place *p, const u8 *random)
{
	return p && !memcmp(p->random, random, sizeof(p->random));
}

static bool is_known(const struct world *w, const u8 *random)
{
	return random && (is_of(w->now, random) || is_of(w->beside, random));
}

/*
 * Return the life whose hello it is. A corrupted hello is of the life that it
 * came from.
 */
static int life_of(const struct world *w, const u8 *random, int from)
{
	int i;

	for (i = 0; random && i <= w->life; i++)
		if (!memcmp(w->lives_lived[i].random, random,
			    DTLS_RANDOM_SIZE))
			return i;
	return from;
}

/*
 * Half a handshake gives way to another; an association stands until its
 * successor does (RFC 6347 4.2.8).
 */
static struct place *make_room(struct world *w)
{
	struct place **p = stands(w->now) ? &w->beside : &w->now;

	if (*p)
		end_close(&(*p)->end);
	else
		*p = w->now == w->place ? w->place + 1 : w->place;
	return *p;
}

static void begin(struct world *w, struct kdtls_hello *hello, int from)
{
	const u8 *random = kdtls_hello_random(hello);
	struct place *p = make_room(w);

	parties_open_place(w, p);
	memset(p->random, 0, sizeof(p->random));
	if (random)
		memcpy(p->random, random, sizeof(p->random));
	p->life = life_of(w, random, from);
	/* A hello that was long on its way takes another's room. */
	if (p->life != w->life)
		this_life(w)->confused = true;
	note(&w->net, "takes a hello", SERVER, (u64)p->life);
	kdtls_engine_accept(p->end.e, hello, w->net.now);
}

/*
 * Pieces that come when their hello is complete wait at the gate, for nothing
 * tells them from those of a hello to come: that one may be spoilt by them.
 */
static void note_piece(struct world *w, const struct datagram *d)
{
	const u8 *message = d->data + DTLS12_HEADER_SIZE;

	if (dtls_get_be(message + 1, 3) == dtls_get_be(message + 9, 3))
		return;
	if (w->pieces_of != d->life && w->net.now < w->pieces_until)
		this_life(w)->confused = true;
	w->pieces_of = d->life;
	w->pieces_until = w->net.now + PIECES_LIFE;
}

/* Return: true: it was a hello, and not of an engine that is there. */
static bool take_hello(struct world *w, const struct datagram *d)
{
	struct kdtls_sender from = { "address", 7, 0 };
	struct kdtls_verdict v;

	if (is_known(w, random_of(d)))
		return false;
	note_piece(w, d);
	switch (kdtls_endpoint_gate(w->place[0].end.ep, &from, d->data, d->len,
				    w->net.now, &v)) {
	case KDTLS_GATE_ACCEPT:
		if (is_known(w, kdtls_hello_random(v.hello))) {
			kdtls_hello_free(v.hello);
			return false;
		}
		begin(w, v.hello, d->life);
		return true;
	case KDTLS_GATE_REPLY:
		network_send(&w->net, SERVER, d->life, v.reply, v.reply_len);
		return true;
	default:
		return random_of(d);
	}
}

/* ---- datagrams ---- */

static void receive(struct world *w, struct end *end, int life,
		    const struct datagram *d)
{
	size_t before = end->received_len;

	if (d->life != life && is_plain(d))
		w->lives_lived[life].confused = true;
	end_input(end, d->data, d->len, w->net.now);
	if (end->received_len > before && end_established(end))
		kdtls_engine_confirm(end->e);
}

static void arrive(struct world *w, struct datagram *next)
{
	struct datagram d = *next;

	network_drop(&w->net);
	note(&w->net, "receives", d.to, d.len);
	if (d.to == CLIENT && is_there(w->client)) {
		receive(w, w->client, w->life, &d);
		drain_client(w);
	} else if (d.to == SERVER) {
		if (!w->listens || !is_hello(&d) || !take_hello(w, &d)) {
			if (w->now)
				receive(w, &w->now->end, w->now->life, &d);
			if (w->beside)
				receive(w, &w->beside->end, w->beside->life,
					&d);
		}
		settle(w);
	}
}

/* ---- lives ---- */

static void offer_session(struct world *w)
{
	char text[TEXT_SIZE + 1];
	struct end *c = w->client;

	kdtls_engine_set_session(c->e, c->session, c->session_len);
	/* Only a server of some schedules has said that it takes it. */
	judge_text(text, "early!", w->life);
	kdtls_engine_send_early(c->e, (const u8 *)text, TEXT_SIZE);
}

static void begin_life(struct world *w)
{
	struct network *n = &w->net;
	struct life *l = this_life(w);
	int i;

	for (i = 0; i < 2; i++) {
		w->updates[i] = chance(n, 30) ? (unsigned int)below(n, 4) : 0;
		w->given[i] = chance(n, 30) ? (unsigned int)below(n, 4) : 0;
	}
	w->firsts = 0;
	parties_open_client(w);
	if (w->client->session && chance(n, 85))
		offer_session(w);
	l->began = n->now;
	w->next = w->life + 1 < w->lives && chance(n, 50) ?
		  n->now + below(n, 4 * SECOND) : KDTLS_NEVER;
	note(n, "begins a life", CLIENT, (u64)l->person);
	kdtls_engine_start(w->client->e, n->now);
	memcpy(l->random, w->client->e->d12->secrets.client_random,
	       sizeof(l->random));
	drain_client(w);
}

/* What a life began with comes once more, during the next one maybe. */
static void replay(struct world *w)
{
	u64 late = below(&w->net, 4 * SECOND);
	unsigned int i;

	for (i = 0; i < w->firsts; i++)
		network_replay(&w->net, &w->first[i], late + i);
}

/* It closes its association or not, and comes back at once or much later. */
static void end_life(struct world *w)
{
	struct network *n = &w->net;

	if (chance(n, 25))
		replay(w);
	if (end_established(w->client) && chance(n, 30)) {
		kdtls_engine_close(w->client->e);
		flush(w, w->client, CLIENT, w->life);
	}
	note(n, "is gone", CLIENT, 0);
	end_close(w->client);
	w->life++;
	w->next = n->now;
	if (chance(n, 60))
		w->next += below(n, 3 * SECOND);
	else if (chance(n, 60))
		w->next += below(n, 2 * HOUR);
	else
		w->next += below(n, 4 * DAY);
}

/* A session to resume, made over a network without faults */
static void make_session(struct world *w)
{
	struct place *p = &w->place[0];

	parties_open_client(w);
	parties_open_place(w, p);
	end_handshake(w->client, &p->end);
	end_close(w->client);
	end_close(&p->end);
}

/* DTLS 1.3: something of this end's is not acknowledged yet. */
static bool expects(const struct end *end)
{
	return end->e->d13 && end_established(end) && motion(end->e)->flight.first &&
	       motion(end->e)->timer.expiry != KDTLS_NEVER;
}

static bool is_busy(const struct end *end)
{
	return kdtls_engine_state(end->e) < KDTLS_ESTABLISHED || expects(end);
}

/* Nothing is on the way, and nobody will do anything but forget. */
static bool quiet(const struct world *w)
{
	if (w->net.queued || !is_there(w->client))
		return false;
	return failed(w->client) ||
	       (!is_busy(w->client) && (!w->now || !is_busy(&w->now->end)) &&
		(!w->beside || !is_busy(&w->beside->end)));
}

/* All is quiet. Return: false: it was the last life. */
static bool conclude(struct world *w)
{
	enum outcome outcome = judge_life(w);

	w->outcomes[outcome]++;
	note(&w->net, "has come to its end", CLIENT, outcome);
	/* Whoever met an error that passes comes again, as anybody would. */
	if ((outcome == CORRUPTED || outcome == CONFUSED) && w->listens &&
	    w->life + 1 == w->lives)
		w->lives++;
	if (w->lives > LIVES_MAX) {
		blame(w, "a client does not get in, however often it comes");
		return false;
	}
	if (w->life + 1 == w->lives)
		return false;
	end_life(w);
	return true;
}

/* Nothing will happen but this: at @next somebody comes, or goes. */
static void turn(struct world *w)
{
	if (!is_there(w->client)) {
		begin_life(w);
		return;
	}
	w->outcomes[LEFT]++;
	end_life(w);
}

/* The engine whose timer is the first to go off before @when, if any does */
static struct end *first_timer(const struct world *w, u64 *when)
{
	struct end *ends[] = {
		w->client, w->now ? &w->now->end : NULL,
		w->beside ? &w->beside->end : NULL,
	}, *first = NULL;
	u64 expiry;
	int i;

	for (i = 0; i < 3; i++) {
		if (!is_there(ends[i]))
			continue;
		expiry = kdtls_engine_expiry(ends[i]->e);
		if (expiry < *when) {
			*when = expiry;
			first = ends[i];
		}
	}
	return first;
}

static void advance(struct world *w, u64 when)
{
	if (when > w->net.now)
		w->net.now = when;
	parties_set_time(w);
}

static void expire(struct world *w, struct end *end)
{
	note(&w->net, "timer", end == w->client ? CLIENT : SERVER,
	     motion(end->e)->timer.tries);
	kdtls_engine_expire(end->e, w->net.now);
	if (end == w->client)
		drain_client(w);
	else
		settle(w);
}

/* The next thing happens. Return: false: there is none. */
static bool step(struct world *w)
{
	struct datagram *d = network_next(&w->net);
	u64 when = d ? d->due : KDTLS_NEVER;
	struct end *end = first_timer(w, &when);

	if (w->revoke_at < when && w->revoke_at < w->next) {
		advance(w, w->revoke_at);
		parties_revoke(w);
		return true;
	}
	if (w->next < when) {
		advance(w, w->next);
		turn(w);
		return true;
	}
	if (when == KDTLS_NEVER || (is_there(w->client) &&
				    when > this_life(w)->began + TIME_MAX))
		return false;
	advance(w, when);
	if (end)
		expire(w, end);
	else
		arrive(w, d);
	return true;
}

void lives_run(struct world *w)
{
	if (chance(&w->net, 30))
		make_session(w);
	w->now = NULL;
	if (!w->listens) {
		w->now = &w->place[0];
		parties_open_place(w, w->now);
	}
	begin_life(w);
	while (!w->fault)
		if (quiet(w) || !step(w))
			if (!conclude(w))
				return;
}
