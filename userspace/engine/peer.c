// SPDX-License-Identifier: BSD-3-Clause
/*
 * Who the peer is: what it claims (struct dtls_handshake, peer) becomes what is
 * known (struct kdtls_engine, peer) when its Finished or its binder proves it.
 * And whether what was found out once is good enough to resume a session.
 */
#include <assert.h>

#include "state.h"

#define TIME_SIZE	5	/* seconds since 1970, for 34,000 years */

static bool shows_key(const struct dtls_peer *peer)
{
	return peer->auth == KDTLS_AUTH_CERTIFICATE ||
	       peer->auth == KDTLS_AUTH_RAW_KEY;
}

void dtls_peer_write(const struct dtls_peer *peer, struct dtls_writer *w)
{
	wr_u8(w, peer->auth);
	wr_u8(w, peer->verified);
	wr_int(w, TIME_SIZE, (u64)peer->since);
	if (peer->auth != KDTLS_AUTH_NONE)
		wr_bytes(w, peer->basis, sizeof(peer->basis));
	if (shows_key(peer)) {
		wr_int(w, TIME_SIZE, (u64)peer->until);
		wr_bytes(w, peer->hash, sizeof(peer->hash));
	} else if (peer->auth == KDTLS_AUTH_PSK) {
		wr_vec(w, 1, peer->identity.p, peer->identity.len);
	}
}

bool dtls_peer_read(struct dtls_peer *peer, struct dtls_bytes *bytes)
{
	u64 since, until = DTLS_NO_END;

	memset(peer, 0, sizeof(*peer));
	if (!rd_u8(bytes, &peer->auth) || peer->auth > KDTLS_AUTH_PSK ||
	    !rd_u8(bytes, &peer->verified) || !rd_int(bytes, TIME_SIZE, &since) ||
	    (peer->auth != KDTLS_AUTH_NONE &&
	     !rd_copy(bytes, peer->basis, sizeof(peer->basis))) ||
	    (shows_key(peer) &&
	     (!rd_int(bytes, TIME_SIZE, &until) ||
	      !rd_copy(bytes, peer->hash, sizeof(peer->hash)))) ||
	    (peer->auth == KDTLS_AUTH_PSK &&
	     (!rd_vec(bytes, 1, &peer->identity) ||
	      peer->identity.len > KDTLS_PSK_IDENTITY_MAX)))
		return false;
	peer->since = (int64_t)since;
	peer->until = (int64_t)until;
	return true;
}

/* Nobody is known yet: all zero. */
struct dtls_peer dtls_peer_of(const struct kdtls_engine *e)
{
	struct dtls_bytes bytes = { e->peer, e->peer_len };
	struct dtls_peer peer = { 0 };

	if (bytes.len)
		dtls_peer_read(&peer, &bytes);
	return peer;
}

void dtls_peer_forget(struct dtls_peer *peer)
{
	OPENSSL_free((void *)peer->identity.p);
	memset(peer, 0, sizeof(*peer));
}

/* The handshake's @peer becomes a copy of @from. */
static int claim(struct kdtls_engine *e, const struct dtls_peer *from)
{
	struct dtls_peer *peer = &e->hs->peer;

	dtls_peer_forget(peer);
	*peer = *from;
	peer->identity = (struct dtls_bytes){ 0 };
	if (!from->identity.len)
		return 0;
	peer->identity.p = OPENSSL_memdup(from->identity.p,
					  from->identity.len);
	if (!peer->identity.p)
		return dtls_fail_memory(e);
	peer->identity.len = from->identity.len;
	return 0;
}

int dtls_peer_claim_key(struct kdtls_engine *e, struct dtls_bytes identity)
{
	struct dtls_peer peer = {
		.auth = KDTLS_AUTH_PSK,
		.until = DTLS_NO_END,
		.identity = identity,
	};

	memcpy(peer.basis, e->hs->psk_basis, sizeof(peer.basis));
	return claim(e, &peer);
}

int dtls_peer_claim_session(struct kdtls_engine *e,
			    const struct dtls_session *s)
{
	e->resumed = true;
	return claim(e, &s->peer);
}

/* What is kept as long as the engine is not larger than need be. */
int dtls_peer_proven(struct kdtls_engine *e)
{
	struct dtls_peer *peer = &e->hs->peer;
	struct dtls_writer w = { 0 };

	static_assert(DTLS_PEER_MAX <= UINT8_MAX, "peer_len is a byte");
	if (e->peer)
		return 0;
	if (!e->resumed)
		peer->since = dtls_unix_time(e);
	dtls_peer_write(peer, &w);
	if (!w.failed)
		e->peer = OPENSSL_memdup(w.p, w.len);
	e->peer_len = e->peer ? (u8)w.len : 0;
	wr_free(&w);
	return e->peer ? 0 : dtls_fail_memory(e);
}

/* ---- certificates and raw public keys ---- */

/* The name that the peer's certificate has to bear; NULL: any name will do. */
static const char *wanted_name(const struct kdtls_engine *e)
{
	return e->server || dtls_endpoint_flag(e->ep, KDTLS_NO_NAME_CHECK) ?
	       NULL : e->name;
}

/* Ask the owner. Return: 0, or the alert that refuses the peer. */
static u8 ask_owner(struct kdtls_engine *e, const struct kdtls_peer *shown)
{
	int alert = e->ep->config.ops.verify(e->ctx, shown);

	if (alert < 0 || alert >= KDTLS_ALERT_NONE)
		return KDTLS_ALERT_CERTIFICATE_UNKNOWN;
	return (u8)alert;
}

/*
 * Run the built-in checks if they count or the owner is to be told of them, and
 * note in @peer what passed. Return: 0 or an X509_V_ERR_*, which is in @shown
 * too.
 */
static int check_chain(struct kdtls_engine *e, const struct dtls_chain *chain,
		       struct kdtls_peer *shown)
{
	bool counts = !dtls_endpoint_flag(e->ep, KDTLS_NO_VERIFY);
	struct dtls_peer *peer = &e->hs->peer;
	const char *name = wanted_name(e);

	peer->until = dtls_chain_end(chain);
	if (!counts && !e->ep->config.ops.verify)
		return 0;
	shown->result = dtls_chain_verify(&e->ep->trust, chain, !e->server,
					  name, dtls_unix_time(e),
					  &peer->until, &shown->reason);
	if (!shown->result) {
		peer->verified |= KDTLS_VERIFIED_CHAIN;
		if (name && chain->leaf)
			peer->verified |= KDTLS_VERIFIED_NAME;
	}
	return counts ? shown->result : 0;
}

int dtls_peer_judge(struct kdtls_engine *e, const struct dtls_chain *chain)
{
	struct dtls_peer *peer = &e->hs->peer;
	struct kdtls_peer shown = {
		.reason = "not checked",
		.raw_key = !chain->leaf,
		.count = chain->count,
		.der = chain->der,
		.der_len = chain->der_len,
	};
	const char *reason;
	int result;
	u8 alert = 0;

	memcpy(peer->basis, e->ep->trust.digest, sizeof(peer->basis));
	result = check_chain(e, chain, &shown);
	reason = result ? shown.reason : "the owner refuses the certificate";
	if (e->ep->config.ops.verify)
		alert = ask_owner(e, &shown);
	if (e->ep->config.ops.verify && !alert)
		peer->verified |= KDTLS_VERIFIED_OWNER;
	if (!alert && result)
		alert = (u8)dtls_chain_alert(result);
	if (alert)
		return dtls_fail(e, KDTLS_EPEER, alert, reason);
	if (EVP_Digest(chain->der[0], chain->der_len[0], peer->hash, NULL,
		       e->ep->crypto.sha256, NULL) != 1)
		return dtls_fail_internal(e);
	return 0;
}

/* ---- resumption ---- */

/* Was the peer found as good as a full handshake would have to find it now? */
static bool chain_satisfies(const struct kdtls_engine *e,
			    const struct dtls_peer *peer)
{
	const struct dtls_trust *trust = &e->ep->trust;
	u8 wanted = 0;

	if (!dtls_endpoint_flag(e->ep, KDTLS_NO_VERIFY)) {
		wanted |= KDTLS_VERIFIED_CHAIN;
		if (wanted_name(e) && peer->auth == KDTLS_AUTH_CERTIFICATE)
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
		return !require && dtls_psk_still_good(e, s);
	default:
		/* A server shows who it is, always. */
		return e->server && !require;
	}
}

bool dtls_may_resume(struct kdtls_engine *e, const struct dtls_session *s)
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
		.age = dtls_unix_time(e) - peer->since,
	};

	if (!dtls_bytes_equal(s->name, name, strlen(name)) || !satisfies(e, s))
		return false;
	memcpy(r.peer_hash, peer->hash, sizeof(r.peer_hash));
	return !ops->resume || !ops->resume(e->ctx, &r);
}
