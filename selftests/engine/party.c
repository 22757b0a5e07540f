// SPDX-License-Identifier: GPL-2.0
/* Who is in the simulator's world, and what the owners say; see world.h. */
#include <time.h>

#include "world.h"

#define DAY	86400
#define LONG	(400L * DAY)

static const u16 ed25519_only[] = { 0x0807 };
static const u16 x25519_only[] = { 29 };
/* With a key and nothing else: a server that has a certificate too */
static const u16 key_suites[] = { 0x1301, 0xd001 };

static const char *const identity[] = { "alice", "bob" };
static const char *const key[] = { "secret of alice's", "secret of bob's.." };
static const char *const other_key[] = {
	"alice's new secret", "bob's new secret..",
};

static struct cert ca, server_cert, carol_cert;
static int64_t today;

void parties_init(void)
{
	struct cert_options o = {
		.kind = CERT_ED25519, .ca = true, .from = -DAY, .to = LONG,
	};

	today = time(NULL);
	cert_make(&ca, &o);
	o.ca = false;
	o.issuer = &ca;
	cert_make(&server_cert, &o);
	cert_make(&carol_cert, &o);
}

void parties_exit(void)
{
	cert_free(&ca);
	cert_free(&server_cert);
	cert_free(&carol_cert);
}

int64_t parties_time(const struct world *w)
{
	return today + (int64_t)(w->net.now / 1000000);
}

void parties_set_time(struct world *w)
{
	int i;

	end_unix_time = parties_time(w);
	for (i = 0; i < PERSONS; i++)
		w->person[i].unix_time = parties_time(w);
	for (i = 0; i < PLACES; i++)
		w->place[i].end.unix_time = parties_time(w);
}

/* ---- what the owners say ---- */

/* An engine's owner is an end, and all ends are in this world. */
static struct world *here;

static bool has_key(enum person who)
{
	return who == ALICE || who == BOB;
}

static bool asks_for_certificates(const struct world *w)
{
	return w->place[0].end.config.flags &
	       (KDTLS_REQUEST_CERT | KDTLS_REQUIRE_CERT);
}

/* Whom the server takes a person for */
static enum person known_as(const struct world *w, enum person who)
{
	return who == CAROL && !asks_for_certificates(w) ? NOBODY : who;
}

bool parties_revoked(const struct world *w, enum person who)
{
	return w->revoked_at && known_as(w, w->revoked) == known_as(w, who);
}

static const char *key_of(const struct world *w, enum person who)
{
	return w->revocation == REPLACE_KEY && parties_revoked(w, who) ?
	       other_key[who] : key[who];
}

static size_t find_key(void *ctx, const u8 *name, size_t len, u8 *out)
{
	enum person who;

	(void)ctx;
	for (who = ALICE; who <= BOB; who++) {
		if (len != strlen(identity[who]) ||
		    memcmp(name, identity[who], len))
			continue;
		if (here->revocation == REVOKE_KEY &&
		    parties_revoked(here, who))
			return 0;
		memcpy(out, key_of(here, who), strlen(key_of(here, who)));
		return strlen(key_of(here, who));
	}
	return 0;
}

static bool is_carol(const u8 *hash)
{
	u8 own[32];

	X509_digest(carol_cert.x509, EVP_sha256(), own, NULL);
	return !memcmp(own, hash, sizeof(own));
}

/* The server's owner knows whose session it is by what is in the session. */
static enum person whose(const struct kdtls_resumption *s)
{
	enum person who = NOBODY;

	if (s->auth == KDTLS_AUTH_CERTIFICATE && is_carol(s->peer_hash))
		return CAROL;
	if (s->auth != KDTLS_AUTH_PSK)
		return NOBODY;
	for (who = ALICE; who <= BOB; who++)
		if (s->psk_identity_len == strlen(identity[who]) &&
		    !memcmp(s->psk_identity, identity[who],
			    s->psk_identity_len))
			return who;
	return NOBODY;
}

static int owner_resumes(void *ctx, const struct kdtls_resumption *s)
{
	(void)ctx;
	return here->revocation == REVOKE_SESSIONS &&
	       parties_revoked(here, whose(s)) &&
	       s->authenticated <= here->revoked_at;
}

void parties_revoke(struct world *w)
{
	w->revoke_at = KDTLS_NEVER;
	if (w->revocation == REVOKE_NOTHING)
		return;
	w->revoked_at = parties_time(w);
	w->revoked_us = w->net.now;
	note(&w->net, "revokes", SERVER, w->revoked);
}

/* ---- who is there ---- */

static void configure(struct world *w, struct end *end)
{
	struct kdtls_config *c = &end->config;

	if (chance(&w->net, 30))
		c->version_max = DTLS_VERSION_1_2;
	c->mtu = chance(&w->net, 80) ? (u32)w->net.mtu : 1400;
	if (c->mtu < KDTLS_MTU_MIN)
		c->mtu = KDTLS_MTU_MIN;
	c->timeout_initial = 50 + (u32)below(&w->net, 1500);
	c->timeout_max = 8000;
	c->retransmits = 24;
	c->schemes = ed25519_only;
	c->scheme_count = 1;
	c->groups = x25519_only;
	c->group_count = 1;
	c->flags = KDTLS_NO_NAME_CHECK | KDTLS_CID;
	if (chance(&w->net, 30))
		c->flags |= KDTLS_NO_TICKETS;
}

static void set_up_person(struct world *w, enum person who)
{
	struct end *end = &w->person[who];

	end_config(end, has_key(who) ? key[who] : NULL);
	configure(w, end);
	if (!has_key(who))
		return;
	end->identity = identity[who];
	if (w->certificates) {
		end->config.suites = key_suites;
		end->config.suite_count = 2;
	}
}

/* Both places are of one endpoint. */
static void set_up_server(struct world *w)
{
	struct end *end = &w->place[0].end;
	struct kdtls_config *c = &end->config;

	end_config(end, NULL);
	configure(w, end);
	if (w->keys)
		c->ops.psk_server = find_key;
	c->ops.resume = owner_resumes;
	c->cache_size = 4;
	c->max_early_data = chance(&w->net, 80) ? 4096 : 0;
	/* In DTLS 1.3 one that is too old ends it (RFC 9147 5.1). */
	c->cookie_life = 600000;
	c->ticket_life = chance(&w->net, 30) ? 3600 : 5 * DAY;
	if (chance(&w->net, 20))
		c->flags |= KDTLS_NO_COOKIE;
	if (w->certificates && chance(&w->net, 50))
		c->flags |= w->keys ? KDTLS_REQUEST_CERT : KDTLS_REQUIRE_CERT;
	end_open(end, KDTLS_SERVER);
	end_close(end);
	if (w->certificates) {
		trust(end, &ca);
		show(end, &server_cert);
	}
	w->place[1].end = *end;
}

static enum person draw_person(struct world *w)
{
	bool require = w->place[0].end.config.flags & KDTLS_REQUIRE_CERT;

	if (w->keys && (!w->certificates || chance(&w->net, 50)))
		return chance(&w->net, 50) ? ALICE : BOB;
	return require || chance(&w->net, 50) ? CAROL : NOBODY;
}

void parties_set_up(struct world *w)
{
	enum person first, other;
	int i;

	here = w;
	w->certificates = chance(&w->net, 40);
	w->keys = !w->certificates || chance(&w->net, 30);
	w->listens = chance(&w->net, 70);
	w->lives = w->listens && chance(&w->net, 70) ?
		   2 + (int)below(&w->net, 3) : 1;
	for (i = 0; i < 2; i++)
		w->cid[i] = chance(&w->net, 30);
	set_up_server(w);
	first = draw_person(w);
	other = draw_person(w);
	set_up_person(w, first);
	if (other != first)
		set_up_person(w, other);
	for (i = 0; i < LIVES_MAX; i++)
		w->lives_lived[i].person = chance(&w->net, 70) ? first : other;
	w->revoke_at = KDTLS_NEVER;
	if (w->lives > 1 && chance(&w->net, 50)) {
		w->revocation = has_key(first) ?
				REVOKE_SESSIONS + below(&w->net, 3) :
				REVOKE_SESSIONS;
		w->revoked = first;
		w->revoke_at = w->net.now + below(&w->net, 20000000);
	}
	parties_set_time(w);
}

void parties_open_client(struct world *w)
{
	enum person who = this_life(w)->person;
	struct end *end = &w->person[who];
	bool is_new = !end->ep;

	w->client = end;
	if (has_key(who))
		end->psk = key_of(w, who);
	end_open(end, KDTLS_CLIENT);
	if (is_new && !has_key(who))
		trust(end, &ca);
	if (is_new && who == CAROL)
		show(end, &carol_cert);
	if (w->cid[CLIENT])
		kdtls_engine_set_cid(end->e, (const u8 *)"client", 6);
}

void parties_open_place(struct world *w, struct place *p)
{
	end_open(&p->end, KDTLS_SERVER);
	if (w->cid[SERVER])
		kdtls_engine_set_cid(p->end.e, (const u8 *)"server's", 8);
	p->number = ++w->places;
	p->admitted = false;
	p->born = w->net.now;
	p->born_at = parties_time(w);
}

void parties_free(struct world *w)
{
	int i;

	for (i = 0; i < PERSONS; i++)
		end_exit(&w->person[i]);
	end_close(&w->place[1].end);
	w->place[1].end.ep = NULL;
	end_exit(&w->place[0].end);
}

/* ---- who is known ---- */

static bool identity_is(const struct kdtls_info *info, enum person who)
{
	return info->auth == KDTLS_AUTH_PSK &&
	       info->psk_identity_len == strlen(identity[who]) &&
	       !memcmp(info->psk_identity, identity[who],
		       info->psk_identity_len);
}

bool parties_server_knows(const struct world *w, const struct place *p,
			  enum person who)
{
	struct kdtls_info info = info_of(&p->end);

	if (has_key(who))
		return identity_is(&info, who);
	if (known_as(w, who) == CAROL)
		return info.auth == KDTLS_AUTH_CERTIFICATE &&
		       info.verified & KDTLS_VERIFIED_CHAIN &&
		       is_carol(info.peer_hash);
	return info.auth == KDTLS_AUTH_NONE;
}

bool parties_client_knows(const struct world *w)
{
	enum person who = w->lives_lived[w->life].person;
	struct kdtls_info info = info_of(w->client);
	u8 hash[32];

	if (has_key(who))
		return identity_is(&info, who);
	X509_digest(server_cert.x509, EVP_sha256(), hash, NULL);
	return info.auth == KDTLS_AUTH_CERTIFICATE &&
	       info.verified & KDTLS_VERIFIED_CHAIN &&
	       !memcmp(hash, info.peer_hash, sizeof(hash));
}
