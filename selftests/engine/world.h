/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The simulator's world: an address where clients live, one after the other, and
 * a server. A life is one engine of a client, from its first hello to where it
 * ends its association, vanishes from it in the midst of anything, or has
 * nothing more to do. The next one comes from the same address: the same
 * client, maybe with its session, or somebody else.
 *
 * The server's owner keeps an association that stands until its successor
 * stands, as RFC 6347 4.2.8 wants it, and may revoke what a client has.
 */
#ifndef _TEST_WORLD_H
#define _TEST_WORLD_H

#include "end.h"
#include "network.h"

#define LIVES_MAX	12
#define PLACES		2
#define TEXT_SIZE	12
#define FIRST		4	/* datagrams that are recorded */

/* enum person is who can live at the address. */
enum person {
	ALICE,			/* has a pre-shared key */
	BOB,			/* has another one */
	CAROL,			/* has a certificate */
	NOBODY,			/* has neither */
	PERSONS,
};

/* enum revocation is what the server's owner does to a person. */
enum revocation {
	REVOKE_NOTHING,
	REVOKE_SESSIONS,	/* ops.resume refuses what is older */
	REVOKE_KEY,		/* the pre-shared key is gone */
	REPLACE_KEY,		/* both ends get another one */
};

/* enum outcome is how a life has ended. */
enum outcome {
	SHARED,		/* same keys, data both ways */
	TIMED_OUT,	/* it timed out, and both ends know it */
	UNPROVEN,	/* one end's last flight, or all word of it, was lost */
	CORRUPTED,	/* plaintext was changed on the way, and found out */
	CONFUSED,	/* plaintext of another life was taken */
	REVOKED,	/* its key is not good any more */
	LEFT,		/* it vanished before anything could be said */
	BAD,
	OUTCOMES,
};

/**
 * struct place - one of the server's engines
 * @number:	no other engine of the server's has it
 * @life:	the client's life whose hello it was given
 * @born:	when that was, µs; @born_at: the same, seconds since 1970
 * @random:	of that hello
 * @admitted:	it was looked at when it was established
 */
struct place {
	struct end end;
	u64 number;
	int life;
	u64 born;
	int64_t born_at;
	u8 random[DTLS_RANDOM_SIZE];
	bool admitted;
};

/**
 * struct life - what is known of one
 * @person:	who lives it
 * @began:	when
 * @random:	of its hello
 * @early_to:	number of the place that took its early data; 0: none has
 * @confused:	plaintext of another life came to it, or to its place
 * @met:	it was looked at when it was established
 * @said:	data was sent: by the client, by the server
 */
struct life {
	enum person person;
	u64 began;
	u8 random[DTLS_RANDOM_SIZE];
	u64 early_to;
	bool confused;
	bool met;
	bool said[2];
};

/**
 * struct world - all of it
 * @fault:	what must not be has happened: this; NULL: nothing
 * @listens:	the server is one that many clients come to: hellos go through its
 *		gate. Else its one engine takes all datagrams
 * @client:	who lives now; its engine is NULL between two lives
 * @now:	the server's association, or the handshake of its first; or NULL
 * @beside:	its successor, while @now still stands; or NULL
 * @life:	number of the life that is lived, or of the last one
 * @lives:	how many there are to be
 * @next:	when the client leaves, or the next one comes; KDTLS_NEVER: when all
 *		is quiet
 * @first:	the first datagrams that this life has sent, @firsts of them, which
 *		somebody on the path records
 * @pieces_of:	the life whose hello came in pieces last, until @pieces_until
 *		what the gate may still have of it
 * @updates:	of keys, that are to come: the client's, the server's
 * @given:	the same: connection IDs that are given
 * @revoke_at:	when the owner does @revocation to @revoked
 * @revoked_at:	when that was, seconds since 1970; 0: not yet
 * @revoked_us:	the same, µs
 * @places:	engines that the server has had
 */
struct world {
	struct network net;
	const char *fault;
	bool keys, certificates, listens, cid[2];
	struct end person[PERSONS];
	struct end *client;
	struct place place[PLACES];
	struct place *now, *beside;
	struct life lives_lived[LIVES_MAX];
	int life, lives;
	u64 next;
	struct datagram first[FIRST];
	unsigned int firsts;
	int pieces_of;
	u64 pieces_until;
	unsigned int updates[2], given[2];
	u64 revoke_at;
	int64_t revoked_at;
	u64 revoked_us;
	enum revocation revocation;
	enum person revoked;
	u64 places;
	u64 outcomes[OUTCOMES];
	u64 resumed, restarted, early_taken;
};

static inline struct life *this_life(struct world *w)
{
	return &w->lives_lived[w->life];
}

/* Note a fault: something happened that must not happen. */
static inline void blame(struct world *w, const char *fault)
{
	if (!w->fault)
		w->fault = fault;
}

/* ---- party.c: who is there ---- */

/* Make the certificates of all worlds. */
void parties_init(void);
void parties_exit(void);

/* Draw who lives at the address. */
void parties_set_up(struct world *w);
void parties_free(struct world *w);

/*
 * Return the time of certificates and tickets, which goes with the world's
 * clock.
 */
int64_t parties_time(const struct world *w);
void parties_set_time(struct world *w);

/* Open an engine for the person of this life, and one for the server. */
void parties_open_client(struct world *w);
void parties_open_place(struct world *w, struct place *p);

/* Let the owner take nothing from now on that it has revoked. */
void parties_revoke(struct world *w);
bool parties_revoked(const struct world *w, enum person who);

/*
 * Return true if the server has found this person; and the other way round, if
 * the client has found the server.
 */
bool parties_server_knows(const struct world *w, const struct place *p,
			  enum person who);
bool parties_client_knows(const struct world *w);

/* ---- lives.c: what happens ---- */

void lives_run(struct world *w);

/* ---- judge.c: whether it is right ---- */

/* Write what each end of a life sends, and what the client sends early. */
void judge_text(char text[TEXT_SIZE + 1], const char *from, int life);

/* Judge what a server's engine has received, and what the client's has. */
void judge_place(struct world *w, struct place *p);
void judge_client(struct world *w);

/* Return what has become of this life, when all is quiet. */
enum outcome judge_life(struct world *w);

static inline bool failed(const struct end *end)
{
	return kdtls_engine_state(end->e) == KDTLS_FAILED;
}

#endif /* _TEST_WORLD_H */
