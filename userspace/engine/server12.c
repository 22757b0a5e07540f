// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file is the server's handshake of DTLS 1.2 (RFC 6347 4.2, RFC 5246 7.3,
 * 7.4).
 */
#include <openssl/rand.h>

#include "auth.h"
#include "extensions.h"
#include "handshake.h"
#include "handshake12.h"
#include "identity.h"
#include "psks.h"
#include "resumption.h"
#include "server12.h"

/*
 * Return the first of the endpoint's groups that the client has too, or NULL. A
 * client without a list may be sent any group; P-256 is the one that all
 * clients have (RFC 8422 4). P-256 is also preferred for the ECDHE_PSK suites,
 * which are older than X25519 (RFC 5489): wolfSSL 5.5 offers X25519 and cannot
 * use it with them.
 */
static const struct dtls_group *
common_group(const struct kdtls_engine *e, const struct dtls_client_hello *ch,
	     unsigned int kx)
{
	struct dtls_bytes r = ch->ext.ext[DTLS_EXT_GROUPS], list;
	const struct dtls_group *p256 = dtls_endpoint_group(e->ep, 23);
	size_t i;

	if (!dtls_ext_has(&ch->ext, DTLS_EXT_GROUPS))
		return p256;
	if (!rd_vec(&r, 2, &list))
		return NULL;
	if (kx & DTLS_KX_PSK && p256 && rd_has_u16(list, p256->id))
		return p256;
	for (i = 0; i < e->ep->group_count; i++)
		if (!e->ep->groups[i]->kem &&
		    rd_has_u16(list, e->ep->groups[i]->id))
			return e->ep->groups[i];
	return NULL;
}

static int choose_suite(struct kdtls_engine *e,
			const struct dtls_client_hello *ch)
{
	const struct kdtls_endpoint *ep = e->ep;
	const struct dtls_group *group;
	const struct dtls_suite *s;
	size_t i;

	for (i = 0; i < ep->suite_count; i++) {
		s = ep->suites[i];
		group = s->kx & DTLS_KX_ECDHE ? common_group(e, ch, s->kx) :
						 NULL;
		if (!rd_has_u16(ch->suites, s->id) || dtls_suite_is_13(s) ||
		    (s->kx & DTLS_KX_PSK && !ep->config.ops.psk_server) ||
		    (s->kx & DTLS_KX_ECDHE && !group) ||
		    (s->kx & DTLS_KX_CERT && !dtls_identity_for_hello(e, s->kx,
								      ch)))
			continue;
		e->suite = s;
		if (group)
			e->group = group->id;
		return 0;
	}
	return dtls_identity_none(e, ch, "no cipher suite in common");
}

/*
 * Find the session that the client names by its ticket or its session id, and
 * set hs->session. Return false if there is none.
 */
static bool find_session(struct kdtls_engine *e,
			 const struct dtls_client_hello *ch)
{
	struct kdtls_endpoint *ep = e->ep;
	struct dtls_handshake *hs = e->hs;
	struct dtls_bytes ticket = ch->ext.ext[DTLS_EXT_TICKET];

	if (!dtls_endpoint_flag(ep, KDTLS_NO_TICKETS) && ticket.len)
		return dtls_ticket_open(&ep->tickets, &ep->crypto, ticket,
					dtls_state_time(e), &hs->session_bytes,
					&hs->session);
	return dtls_cache_find(&ep->cache, ch->session_id, &hs->session) &&
	       !dtls_session_expired(&hs->session, ep->config.ticket_life,
				     dtls_state_time(e));
}

/*
 * Decide whether a session is resumed. Return 1 if it is, 0 if a full handshake
 * follows, or an error.
 */
static int try_resume(struct kdtls_engine *e,
		      const struct dtls_client_hello *ch)
{
	const struct dtls_session *s = &e->hs->session;

	if (!find_session(e, ch) || s->version != e->version ||
	    !rd_has_u16(ch->suites, s->suite) || !dtls_endpoint_suite(e->ep, s->suite))
		return 0;
	/*
	 * A session with extended master secret is not resumed without it (RFC
	 * 7627 5.3).
	 */
	if (s->ems && !e->ems)
		return dtls_fail(e, KDTLS_EPROTOCOL,
				 KDTLS_ALERT_HANDSHAKE_FAILURE,
				 "the session had extended master secret");
	if (s->ems != e->ems || !dtls_resumption_allowed(e, s))
		return 0;
	e->suite = dtls_endpoint_suite(e->ep, s->suite);
	if (dtls_auth_claim_session(e, s))
		return -e->error;
	memcpy(e->d12->secrets.master, s->master, DTLS_SECRET_SIZE);
	/*
	 * The server echoes the client's session id to tell that it resumes
	 * the session, by ticket or by id (RFC 5077 3.4).
	 */
	e->d12->session_id_len = (u8)ch->session_id.len;
	memcpy(e->d12->session_id, ch->session_id.p, ch->session_id.len);
	return 1;
}

static int send_hello(struct kdtls_engine *e, const struct dtls_client_hello *ch)
{
	struct dtls_writer *w;
	size_t mark;

	dtls_state_random(e, e->d12->secrets.server_random, DTLS_RANDOM_SIZE);
	if (e->ep->speaks13)
		memcpy(e->d12->secrets.server_random + DTLS_RANDOM_SIZE - 8,
		       DTLS_DOWNGRADE "\1", 8);
	w = dtls_handshake_message(e, DTLS_SERVER_HELLO);
	wr_u16(w, DTLS_VERSION_1_2);
	wr_bytes(w, e->d12->secrets.server_random, DTLS_RANDOM_SIZE);
	wr_vec(w, 1, e->d12->session_id, e->d12->session_id_len);
	wr_u16(w, e->suite->id);
	wr_u8(w, 0);
	mark = wr_open(w, 2);
	dtls_extensions_write_server(e, w, ch);
	wr_close(w, mark, 2);
	return dtls_handshake_message_end(e);
}

/*
 * Write ServerECDHParams. The key is kept until the client's key share comes.
 * Return 0 or an error.
 */
static int write_point(struct kdtls_engine *e, struct dtls_writer *w)
{
	const struct dtls_group *group = dtls_group_find(e->group);
	struct dtls_handshake *hs = e->hs;
	u8 point[DTLS_POINT_MAX];
	size_t len;

	hs->kex_key = dtls_kex_generate(&e->ep->crypto, group);
	len = hs->kex_key ? dtls_kex_public(group, hs->kex_key, point) : 0;
	if (!len)
		return dtls_fail_internal(e);
	wr_u8(w, 3); /* named_curve */
	wr_u16(w, group->id);
	wr_vec(w, 1, point, len);
	return 0;
}

static int write_kex_signature(struct kdtls_engine *e, struct dtls_writer *w)
{
	struct dtls_bytes params = { w->p + DTLS_MESSAGE_HEADER,
				     w->len - DTLS_MESSAGE_HEADER };
	struct dtls_writer content = { 0 };
	int err;

	dtls_handshake12_signed_params(e, params, &content);
	if (content.failed)
		err = dtls_fail_internal(e);
	else
		err = dtls_handshake_sign(e, w, (struct dtls_bytes){ content.p,
					  content.len });
	wr_free(&content);
	return err;
}

static int send_key_exchange(struct kdtls_engine *e)
{
	const char *hint = e->ep->config.psk_hint;
	struct dtls_writer *w;
	u8 kx = e->suite->kx;

	if (kx == DTLS_KX_PSK && !hint)
		return 0; /* Without a hint there is no message (RFC 4279 2). */
	w = dtls_handshake_message(e, DTLS_SERVER_KEY_EXCHANGE);
	if (kx & DTLS_KX_PSK)
		wr_vec(w, 2, hint, hint ? strlen(hint) : 0);
	if (kx & DTLS_KX_ECDHE && write_point(e, w))
		return -e->error;
	if (w->failed)
		return dtls_fail_memory(e);
	if (kx & DTLS_KX_CERT && write_kex_signature(e, w))
		return -e->error;
	return dtls_handshake_message_end(e);
}

static int send_certificate_request(struct kdtls_engine *e)
{
	static const u8 types[] = { 64, 1 }; /* ecdsa_sign, rsa_sign */
	struct dtls_writer *w;

	w = dtls_handshake_message(e, DTLS_CERTIFICATE_REQUEST);
	wr_vec(w, 1, types, sizeof(types));
	dtls_extensions_write_schemes(e, w);
	wr_u16(w, 0); /* any authority */
	return dtls_handshake_message_end(e);
}

static int send_full_flight(struct kdtls_engine *e,
			    const struct dtls_client_hello *ch)
{
	struct dtls_handshake *hs = e->hs;

	if (send_hello(e, ch))
		return -e->error;
	if (e->suite->kx & DTLS_KX_CERT && dtls_handshake12_send_certificate(e))
		return -e->error;
	if (send_key_exchange(e))
		return -e->error;
	if (hs->cert_requested && send_certificate_request(e))
		return -e->error;
	dtls_handshake_message(e, DTLS_SERVER_HELLO_DONE);
	if (dtls_handshake_message_end(e))
		return -e->error;
	dtls_handshake_flight_end(e, true);
	hs->step = hs->cert_requested ? SERVER_CERTIFICATE :
					SERVER_KEY_EXCHANGE;
	return 0;
}

static int send_resumed_flight(struct kdtls_engine *e,
			       const struct dtls_client_hello *ch)
{
	if (send_hello(e, ch) || dtls_handshake12_keys(e) ||
	    dtls_handshake12_send_finished(e))
		return -e->error;
	dtls_handshake_flight_end(e, true);
	e->hs->step = SERVER_FINISHED;
	return 0;
}

/*
 * Choose what ServerHello depends on in a full handshake: the suite, whether the
 * client is asked for a certificate, and whether it gets a ticket or a session
 * id. Return 0 or an error.
 */
static int prepare_full(struct kdtls_engine *e,
			const struct dtls_client_hello *ch)
{
	struct kdtls_endpoint *ep = e->ep;
	struct dtls_handshake *hs = e->hs;
	bool cert;

	if (choose_suite(e, ch))
		return -e->error;
	cert = e->suite->kx & DTLS_KX_CERT;
	if (cert && dtls_identity_ask_client(e, ch))
		return -e->error;
	if (!cert && dtls_endpoint_flag(ep, KDTLS_REQUIRE_CERT))
		return dtls_fail(e, KDTLS_ENEGOTIATION,
				 KDTLS_ALERT_HANDSHAKE_FAILURE,
				 "the client cannot show a certificate");
	hs->send_ticket = dtls_ext_has(&ch->ext, DTLS_EXT_TICKET) &&
			  !dtls_endpoint_flag(ep, KDTLS_NO_TICKETS);
	if (!hs->send_ticket && ep->cache.size) {
		e->d12->session_id_len = DTLS_SESSION_ID_SIZE;
		dtls_state_random(e, e->d12->session_id, e->d12->session_id_len);
	}
	return -e->error;
}

int dtls_server12_client_hello(struct kdtls_engine *e,
			       const struct dtls_client_hello *ch)
{
	int resumed;

	/*
	 * Version numbers count downwards, so a version above that of DTLS 1.2
	 * is an older one (RFC 8446 4.2.1).
	 */
	if (e->d13 || !e->ep->speaks12 ||
	    (dtls_ext_has(&ch->ext, DTLS_EXT_VERSIONS) &&
	     !dtls_hello_offers(ch, DTLS_VERSION_1_2)) ||
	    ch->version > DTLS_VERSION_1_2)
		return dtls_fail(e, KDTLS_ENEGOTIATION,
				 KDTLS_ALERT_PROTOCOL_VERSION,
				 "no version in common");
	if (!memchr(ch->compressions.p, 0, ch->compressions.len))
		return dtls_fail_illegal(e, "the client insists on compression");
	e->version = DTLS_VERSION_1_2;
	memcpy(e->d12->secrets.client_random, ch->random.p, DTLS_RANDOM_SIZE);
	if (dtls_extensions_read_client(e, &ch->ext))
		return -e->error;
	resumed = try_resume(e, ch);
	if (resumed < 0 || (!resumed && prepare_full(e, ch)))
		return -e->error;
	dtls_handshake_flight_begin(e);
	return resumed ? send_resumed_flight(e, ch) : send_full_flight(e, ch);
}

static int certificate(struct kdtls_engine *e, struct dtls_bytes body)
{
	if (dtls_auth_receive_certificate(e, body))
		return -e->error;
	if (!e->hs->peer_key && dtls_endpoint_flag(e->ep, KDTLS_REQUIRE_CERT))
		return dtls_fail(e, KDTLS_EPEER, KDTLS_ALERT_HANDSHAKE_FAILURE,
				 "the client shows no certificate");
	e->hs->step = SERVER_KEY_EXCHANGE;
	return 0;
}

/*
 * Find the pre-shared key of an identity. For an unknown identity the handshake
 * goes on with a random key, so that a stranger cannot find out which
 * identities exist (RFC 4279 2). Return 0 or an error.
 */
static int find_psk(struct kdtls_engine *e, struct dtls_bytes identity, u8 *psk,
		    size_t *len)
{
	int n = dtls_psks_server(e, identity, psk);

	if (n < 0)
		return n;
	*len = (size_t)n;
	if (n)
		return dtls_auth_claim_key(e, identity);
	*len = KDTLS_PSK_MAX;
	if (RAND_priv_bytes(psk, KDTLS_PSK_MAX) != 1)
		return dtls_fail_internal(e);
	return 0;
}

/* Make the master secret of a suite with a pre-shared key, that of @identity. */
static int psk_master(struct kdtls_engine *e, struct dtls_bytes identity)
{
	const struct dtls_handshake *hs = e->hs;
	u8 premaster[DTLS_PREMASTER_MAX], psk[KDTLS_PSK_MAX];
	size_t psk_len, len = 0;
	int err = find_psk(e, identity, psk, &psk_len);

	if (!err)
		len = dtls_kex_psk(hs->shared, hs->shared_len, psk, psk_len,
				   premaster);
	OPENSSL_cleanse(psk, sizeof(psk));
	return err ? err : dtls_handshake12_master(e, premaster, len);
}

static int client_key_exchange(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_bytes identity = { 0 }, point = { 0 };
	u8 kx = e->suite->kx;

	if ((kx & DTLS_KX_PSK && !rd_vec(&body, 2, &identity)) ||
	    (kx & DTLS_KX_ECDHE && !rd_vec(&body, 1, &point)) || body.len)
		return dtls_fail_decode(e, "malformed key exchange");
	if (kx & DTLS_KX_ECDHE) {
		hs->shared_len = dtls_kex_derive(dtls_group_find(e->group),
						 hs->kex_key, point,
						 hs->shared);
		if (!hs->shared_len)
			return dtls_fail_illegal(e,
						 "bad public key from the client");
	}
	hs->step = hs->peer_key ? SERVER_VERIFY : SERVER_FINISHED;
	if (kx & DTLS_KX_PSK)
		return psk_master(e, identity);
	return dtls_handshake12_master(e, hs->shared, hs->shared_len);
}

static int certificate_verify(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_bytes all = { hs->transcript.all.p, hs->before };

	if (dtls_auth_check_signature(e, body, DTLS_KX_CERT, all))
		return -e->error;
	hs->step = SERVER_FINISHED;
	return 0;
}

/*
 * Write NewSessionTicket. A ticket that was promised may be empty (RFC 5077
 * 3.3).
 */
static int send_ticket(struct kdtls_engine *e)
{
	struct dtls_writer ticket = { 0 };
	struct dtls_session s;
	struct dtls_writer *w;
	bool ok;

	dtls_resumption_session(e, &s);
	s.id.len = 0;
	ok = !s.life ||
	     dtls_ticket_seal(&e->ep->tickets, &e->ep->crypto, &s, s.made,
			      &ticket);
	w = dtls_handshake_message(e, DTLS_NEW_SESSION_TICKET);
	wr_int(w, 4, s.life);
	OPENSSL_cleanse(&s, sizeof(s));
	wr_vec(w, 2, ticket.p, ticket.len);
	wr_free(&ticket);
	return ok ? dtls_handshake_message_end(e) : dtls_fail_internal(e);
}

static void keep_session(struct kdtls_engine *e)
{
	struct dtls_session s;

	dtls_resumption_session(e, &s);
	if (s.life)
		dtls_cache_add(&e->ep->cache, &s);
	OPENSSL_cleanse(&s, sizeof(s));
}

static int finished(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls_handshake *hs = e->hs;

	if (dtls_handshake12_receive_finished(e, body))
		return -e->error;
	dtls_handshake_flight_begin(e);
	if (e->resumed) {
		dtls_timer_stop(&e->m->timer);
		hs->step = DTLS_STEP_DONE;
		return 0;
	}
	if (hs->send_ticket && send_ticket(e))
		return -e->error;
	if (dtls_handshake12_send_finished(e))
		return -e->error;
	if (!hs->send_ticket)
		keep_session(e);
	dtls_handshake_flight_end(e, false);
	hs->step = DTLS_STEP_FLUSH;
	return 0;
}

static const struct dtls_expected expected[] = {
	{ SERVER_CERTIFICATE, DTLS_CERTIFICATE, certificate },
	{ SERVER_KEY_EXCHANGE, DTLS_CLIENT_KEY_EXCHANGE, client_key_exchange },
	{ SERVER_VERIFY, DTLS_CERTIFICATE_VERIFY, certificate_verify },
	{ SERVER_FINISHED, DTLS_FINISHED, finished },
};

int dtls_server12_message(struct kdtls_engine *e, u8 type,
			  struct dtls_bytes body)
{
	return dtls_handshake_receive(e, expected,
				      sizeof(expected) / sizeof(expected[0]),
				      type, body);
}
