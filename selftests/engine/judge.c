// SPDX-License-Identifier: GPL-2.0
/* What must hold in the simulator's world; see world.h. */
#include <stdio.h>

#include "world.h"

void judge_text(char text[TEXT_SIZE + 1], const char *from, int life)
{
	snprintf(text, TEXT_SIZE + 1, "of %s %02u", from,
		 (unsigned int)life % 100);
}

/* What came is what was sent, all of it and once, or nothing. */
static bool is_text(const u8 *data, size_t len, const char *from, int life)
{
	char text[TEXT_SIZE + 1];

	judge_text(text, from, life);
	return !len || (len == TEXT_SIZE && !memcmp(data, text, TEXT_SIZE));
}

/* Return true if the owner had revoked what @who has before @when. */
static bool was_revoked(const struct world *w, enum person who, u64 when)
{
	return parties_revoked(w, who) && when > w->revoked_us;
}

/* ---- early data ---- */

static void judge_early(struct world *w, struct place *p)
{
	struct life *l = &w->lives_lived[p->life];

	if (!p->end.early_len)
		return;
	if (!is_text(p->end.early, p->end.early_len, "early!", p->life))
		blame(w, "early data is not what was sent, or came twice");
	if (l->early_to && l->early_to != p->number)
		blame(w, "two engines took the same early data");
	if (w->revocation == REVOKE_KEY && was_revoked(w, l->person, p->born))
		blame(w, "early data came with a key that is gone");
	w->early_taken += !l->early_to;
	l->early_to = p->number;
}

/* ---- who is who ---- */

/* A session is no older than it may be; else the peer has just proven it. */
static bool age_is_right(const struct world *w, const struct place *p,
			 const struct kdtls_info *info)
{
	int64_t since = info->authenticated;

	if (!info->resumed)
		return since >= p->born_at && since <= parties_time(w);
	return since <= p->born_at &&
	       p->born_at - since < p->end.config.ticket_life;
}

static void admit(struct world *w, struct place *p)
{
	enum person who = w->lives_lived[p->life].person;
	struct kdtls_info info = info_of(&p->end);
	bool revoked = was_revoked(w, who, p->born);

	if (!parties_server_knows(w, p, who))
		blame(w, "the server takes the client for somebody else");
	if (!age_is_right(w, p, &info))
		blame(w, "a session is too old, or its age is not true");
	if (revoked && w->revocation == REVOKE_KEY)
		blame(w, "a key that is gone is taken");
	if (revoked && info.resumed && info.authenticated < w->revoked_at)
		blame(w, "what was revoked is resumed");
	w->resumed += info.resumed;
}

void judge_place(struct world *w, struct place *p)
{
	judge_early(w, p);
	if (!is_text(p->end.received, p->end.received_len, "client", p->life))
		blame(w, "the server got what its client did not send");
	if (p->admitted || !end_established(&p->end))
		return;
	p->admitted = true;
	admit(w, p);
}

void judge_client(struct world *w)
{
	struct life *l = this_life(w);

	if (!is_text(w->client->received, w->client->received_len, "server",
		     w->life))
		blame(w, "the client got what its server did not send");
	if (l->met || !end_established(w->client))
		return;
	l->met = true;
	if (!parties_client_knows(w))
		blame(w, "the client takes the server for somebody else");
	if (w->revocation == REVOKE_KEY && was_revoked(w, l->person, l->began))
		blame(w, "a key that is gone is good to a client");
}

/* ---- what has become of it ---- */

static int error_of(const struct end *end)
{
	return failure_of(end).error;
}

static bool timed_out(const struct end *end)
{
	return failed(end) && error_of(end) == KDTLS_ETIMEOUT;
}

/*
 * Return true if each end has a read key for what the other writes. A KeyUpdate
 * whose acknowledgement got lost may have arrived.
 */
static bool keys_fit(const struct end *from, const struct end *to)
{
	u64 ahead = to->rx_key.epoch - from->tx_key.epoch;

	if (!ahead)
		return !memcmp(from->tx_key.key, to->rx_key.key,
			       sizeof(to->rx_key.key));
	return ahead == 1 && from->e->d13 && from->e->d13->updating;
}

static bool agree(const struct end *c, const struct end *s)
{
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
	return timed_out(end) && end->e->keys_out && end->e->d13 &&
	       !end->e->d13->arrived && keys_fit(end, other) &&
	       keys_fit(other, end);
}

/* Plaintext was taken that nobody of this life had sent so. */
static bool is_misled(const struct world *w)
{
	return w->net.corrupted || w->lives_lived[w->life].confused;
}

static enum outcome misled(const struct world *w)
{
	return w->net.corrupted ? CORRUPTED : CONFUSED;
}

/* @end has keys alone: then it must still wait for a proof. */
static enum outcome judge_alone(const struct world *w, const struct end *end,
				const struct end *other)
{
	if (other && is_misled(w) && failed(other) && !timed_out(other))
		return misled(w);
	if (other && gave_up_late(other, end))
		return UNPROVEN;
	if (motion(end->e)->flight.first &&
	    (!other || !failed(other) || timed_out(other)))
		return UNPROVEN;
	return BAD;
}

static enum outcome judge_both(struct world *w, const struct end *c,
			       const struct end *s)
{
	bool has_key = end_established(c);

	if (has_key && s && agree(c, s)) {
		if (info_of(c).resumed != info_of(s).resumed)
			blame(w, "only one end has resumed a session");
		if (info_of(c).early == KDTLS_EARLY_REJECTED && s->early_len)
			blame(w, "early data was taken and refused");
		return SHARED;
	}
	if (has_key && s && end_established(s))
		return BAD;
	if (has_key)
		return judge_alone(w, c, s);
	if (s && end_established(s))
		return judge_alone(w, s, c);
	if (timed_out(c) && (!s || !failed(s) || timed_out(s)))
		return w->lives_lived[w->life].confused ? CONFUSED : TIMED_OUT;
	return is_misled(w) && failed(c) ? misled(w) : BAD;
}

/* The owner took its key while it was on the way in, or before. */
static bool is_shut_out(const struct world *w)
{
	const struct life *l = &w->lives_lived[w->life];

	return w->revocation >= REVOKE_KEY && parties_revoked(w, l->person) &&
	       (w->revocation == REVOKE_KEY || l->began < w->revoked_us) &&
	       failed(w->client);
}

enum outcome judge_life(struct world *w)
{
	const struct end *s = NULL;
	enum outcome outcome;

	/* What the server has of another life is not this one's affair. */
	if (w->beside && w->beside->life == w->life)
		s = &w->beside->end;
	if (w->now && w->now->life == w->life)
		s = &w->now->end;
	if (is_shut_out(w))
		return REVOKED;
	outcome = judge_both(w, w->client, s);
	if (outcome == BAD)
		blame(w, "the ends do not agree, or do not end");
	return outcome;
}
