// SPDX-License-Identifier: BSD-3-Clause
/* This file finds out who the peer is, and checks its proof. See auth.h. */
#include <assert.h>

#include "auth.h"
#include "sign.h"

struct dtls_peer dtls_auth_peer(const struct kdtls_engine *e)
{
	struct dtls_bytes bytes = { e->peer, e->peer_len };
	struct dtls_peer peer = { 0 };

	if (bytes.len)
		dtls_peer_read(&peer, &bytes);
	return peer;
}

/*
 * Copy @from to the handshake as the identity that the peer claims. Return 0 or
 * an error.
 */
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

int dtls_auth_claim_key(struct kdtls_engine *e, struct dtls_bytes identity)
{
	struct dtls_peer peer = {
		.auth = KDTLS_AUTH_PSK,
		.until = DTLS_NO_END,
		.identity = identity,
	};

	memcpy(peer.basis, e->hs->psk_basis, sizeof(peer.basis));
	return claim(e, &peer);
}

int dtls_auth_claim_session(struct kdtls_engine *e,
			    const struct dtls_session *s)
{
	e->resumed = true;
	return claim(e, &s->peer);
}

/*
 * dtls_auth_proven() keeps the peer's identity for the engine's life. The
 * identity is stored as bytes, which takes less memory than the structures of a
 * handshake.
 */
int dtls_auth_proven(struct kdtls_engine *e)
{
	struct dtls_peer *peer = &e->hs->peer;
	struct dtls_writer w = { 0 };

	static_assert(DTLS_PEER_MAX <= UINT8_MAX, "peer_len is a byte");
	if (e->peer)
		return 0;
	if (!e->resumed)
		peer->since = dtls_state_time(e);
	dtls_peer_write(peer, &w);
	if (!w.failed)
		e->peer = OPENSSL_memdup(w.p, w.len);
	e->peer_len = e->peer ? (u8)w.len : 0;
	wr_free(&w);
	return e->peer ? 0 : dtls_fail_memory(e);
}

const char *dtls_auth_wanted_name(const struct kdtls_engine *e)
{
	return e->server || dtls_endpoint_flag(e->ep, KDTLS_NO_NAME_CHECK) ?
	       NULL : e->name;
}

/*
 * Ask the owner about the peer. Return 0, or the alert that refuses the peer.
 */
static u8 ask_owner(struct kdtls_engine *e, const struct kdtls_peer *shown)
{
	int alert = e->ep->config.ops.verify(e->ctx, shown);

	if (alert < 0 || alert >= KDTLS_ALERT_NONE)
		return KDTLS_ALERT_CERTIFICATE_UNKNOWN;
	return (u8)alert;
}

/*
 * Check the certificate by the built-in rules, if their result matters to the
 * engine or to the owner, and note in hs->peer what was verified. Return 0 or
 * an X509_V_ERR_*, which is set in @shown, too.
 */
static int check_chain(struct kdtls_engine *e, const struct dtls_chain *chain,
		       struct kdtls_peer *shown)
{
	bool counts = !dtls_endpoint_flag(e->ep, KDTLS_NO_VERIFY);
	struct dtls_peer *peer = &e->hs->peer;
	struct dtls_purpose purpose = {
		.server = !e->server,
		.name = dtls_auth_wanted_name(e),
	};

	peer->until = dtls_x509_chain_end(chain);
	if (!counts && !e->ep->config.ops.verify)
		return 0;
	purpose.time = dtls_state_time(e);
	shown->result = dtls_x509_chain_verify(&e->ep->trust, chain, &purpose,
					       &peer->until, &shown->reason);
	if (!shown->result) {
		peer->verified |= KDTLS_VERIFIED_CHAIN;
		if (purpose.name && chain->leaf)
			peer->verified |= KDTLS_VERIFIED_NAME;
	}
	return counts ? shown->result : 0;
}

/*
 * Check a certificate or raw key by the built-in rules, and ask the owner.
 * Return 0 or an error.
 */
static int judge_chain(struct kdtls_engine *e, const struct dtls_chain *chain)
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
		alert = (u8)dtls_x509_chain_alert(result);
	if (alert)
		return dtls_fail(e, KDTLS_EPEER, alert, reason);
	if (EVP_Digest(chain->der[0], chain->der_len[0], peer->hash, NULL,
		       e->ep->crypto.sha256, NULL) != 1)
		return dtls_fail_internal(e);
	return 0;
}

static const struct dtls_scheme *peer_scheme(const struct kdtls_engine *e,
					     u16 id, u8 kx, EVP_PKEY *key)
{
	const struct kdtls_endpoint *ep = e->ep;
	size_t i;

	for (i = 0; i < ep->scheme_count; i++)
		if (ep->schemes[i]->id == id &&
		    dtls_sign_fits(ep->schemes[i], kx, key))
			return ep->schemes[i];
	return NULL;
}

int dtls_auth_check_signature(struct kdtls_engine *e, struct dtls_bytes body,
			      u8 kx, struct dtls_bytes data)
{
	EVP_PKEY *key = e->hs->peer_key;
	const struct dtls_scheme *scheme;
	struct dtls_bytes signature;
	u16 id;

	if (!rd_u16(&body, &id) || !rd_vec(&body, 2, &signature) || body.len)
		return dtls_fail_decode(e, "malformed signature");
	scheme = peer_scheme(e, id, kx, key);
	if (!scheme)
		return dtls_fail_illegal(e, "signature scheme was not offered");
	if (!dtls_sign_verify(scheme, key, data, signature))
		return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_DECRYPT_ERROR,
				 e->server ? "the client's signature is wrong" :
					     "the server's signature is wrong");
	e->peer_scheme = id;
	e->hs->peer.auth = e->hs->peer_raw ? KDTLS_AUTH_RAW_KEY :
					     KDTLS_AUTH_CERTIFICATE;
	return 0;
}

int dtls_auth_receive_certificate(struct kdtls_engine *e,
				  struct dtls_bytes body)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_chain chain = { 0 };
	int err, alert;

	alert = dtls_x509_chain_parse(&chain, body, hs->peer_raw);
	if (alert) {
		err = dtls_fail(e, KDTLS_EPROTOCOL, (u8)alert,
				"the peer's certificate cannot be read");
		goto out;
	}
	err = 0;
	if (!chain.count)
		goto out;
	err = judge_chain(e, &chain);
	if (err)
		goto out;
	hs->peer_key = chain.key;
	chain.key = NULL;
out:
	dtls_x509_chain_free(&chain);
	return err;
}
