// SPDX-License-Identifier: BSD-3-Clause
/* This file decides which sessions may be resumed. See resumption.h. */
#include "auth.h"
#include "psks.h"
#include "resumption.h"

/*
 * Return true if the peer passed all checks that a full handshake would have to
 * make now, against the roots that are trusted now.
 */
static bool chain_satisfies(const struct kdtls_engine *e,
			    const struct dtls_peer *peer)
{
	const struct dtls_trust *trust = &e->ep->trust;
	u8 wanted = 0;

	if (!dtls_endpoint_flag(e->ep, KDTLS_NO_VERIFY)) {
		wanted |= KDTLS_VERIFIED_CHAIN;
		if (dtls_auth_wanted_name(e) && peer->auth == KDTLS_AUTH_CERTIFICATE)
			wanted |= KDTLS_VERIFIED_NAME;
		if (memcmp(peer->basis, trust->digest, sizeof(peer->basis)))
			return false;
	}
	if (e->ep->config.ops.verify)
		wanted |= KDTLS_VERIFIED_OWNER;
	return !(wanted & ~peer->verified);
}

static bool satisfies(struct kdtls_engine *e, const struct dtls_session *s)
{
	bool require = e->server &&
		       dtls_endpoint_flag(e->ep, KDTLS_REQUIRE_CERT);

	switch (s->peer.auth) {
	case KDTLS_AUTH_CERTIFICATE:
	case KDTLS_AUTH_RAW_KEY:
		return chain_satisfies(e, &s->peer);
	case KDTLS_AUTH_PSK:
		return !require && dtls_psks_still_good(e, s);
	default:
		/* A server always shows who it is; a client need not. */
		return e->server && !require;
	}
}

bool dtls_resumption_allowed(struct kdtls_engine *e,
			     const struct dtls_session *s)
{
	const struct kdtls_ops *ops = &e->ep->config.ops;
	const char *name = e->name ? e->name : "";
	const struct dtls_peer *peer = &s->peer;
	struct kdtls_resumption r = {
		.auth = peer->auth,
		.verified = peer->verified,
		.psk_identity = peer->identity.p,
		.psk_identity_len = peer->identity.len,
		.authenticated = peer->since,
		.chain_end = peer->until == DTLS_NO_END ? 0 : peer->until,
		.age = dtls_state_time(e) - peer->since,
	};

	if (dtls_session_expired(s, e->ep->config.ticket_life,
				 dtls_state_time(e)) ||
	    !dtls_bytes_equal(s->name, name, strlen(name)) || !satisfies(e, s))
		return false;
	memcpy(r.peer_hash, peer->hash, sizeof(r.peer_hash));
	return !ops->resume || !ops->resume(e->ctx, &r);
}

void dtls_resumption_session(const struct kdtls_engine *e,
			     struct dtls_session *s)
{
	memset(s, 0, sizeof(*s));
	s->version = e->version;
	s->suite = e->suite->id;
	s->ems = e->ems;
	s->peer = dtls_auth_peer(e);
	s->made = dtls_state_time(e);
	s->life = dtls_session_life(&s->peer, e->ep->config.ticket_life,
				    s->made);
	if (e->name)
		s->name = (struct dtls_bytes){ (const u8 *)e->name,
					       strlen(e->name) };
	if (e->alpn)
		s->alpn = (struct dtls_bytes){ (const u8 *)e->alpn,
					       strlen(e->alpn) };
	if (!e->d12)
		return;
	memcpy(s->master, e->d12->secrets.master, sizeof(s->master));
	s->id = (struct dtls_bytes){ e->d12->session_id,
				     e->d12->session_id_len };
}
