// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file is the client's handshake of DTLS 1.2 (RFC 6347 4.2, RFC 5246 7.3,
 * 7.4).
 */
#include "auth.h"
#include "client12.h"
#include "client_hello.h"
#include "extensions.h"
#include "handshake.h"
#include "handshake12.h"
#include "identity.h"
#include "psks.h"
#include "resumption.h"

/*
 * Resume the session, as the server has accepted it: its master secret is used
 * again. Return 0 or an error.
 */
static int resume(struct kdtls_engine *e)
{
	const struct dtls_session *s = &e->hs->session;

	if (s->suite != e->suite->id || s->version != e->version)
		return dtls_fail_illegal(e,
			"the server changed the suite of a resumed session");
	if (s->ems != e->ems)
		return dtls_fail(e, KDTLS_EPROTOCOL,
				 KDTLS_ALERT_HANDSHAKE_FAILURE,
				 "extended master secret differs from the session's");
	if (dtls_auth_claim_session(e, s))
		return -e->error;
	memcpy(e->d12->secrets.master, s->master, DTLS_SECRET_SIZE);
	e->hs->step = e->hs->ticket_due ? CLIENT_TICKET : CLIENT_FINISHED;
	return dtls_handshake12_keys(e);
}

int dtls_client12_server_hello(struct kdtls_engine *e,
			       const struct dtls_server_hello *sh)
{
	struct dtls_handshake *hs = e->hs;
	bool resumed;

	if (sh->version != DTLS_VERSION_1_2 || !e->ep->speaks12 || hs->retried)
		return dtls_fail(e, KDTLS_ENEGOTIATION,
				 KDTLS_ALERT_PROTOCOL_VERSION,
				 "the server wants another version");
	/* Early data is for a server of DTLS 1.3 alone (RFC 8446 D.3). */
	if (e->m->early)
		return dtls_fail(e, KDTLS_ENEGOTIATION,
				 KDTLS_ALERT_PROTOCOL_VERSION,
				 "early data was sent for a newer version");
	/*
	 * A server that has DTLS 1.3 and finds no offer of it marks its random.
	 * This client has offered it, so somebody on the path has changed the
	 * hello (RFC 8446 4.1.3).
	 */
	if (e->ep->speaks13 &&
	    !memcmp(sh->random.p + DTLS_RANDOM_SIZE - 8, DTLS_DOWNGRADE, 7) &&
	    sh->random.p[DTLS_RANDOM_SIZE - 1] <= 1)
		return dtls_fail_illegal(e, "the handshake was downgraded");
	e->version = sh->version;
	e->suite = dtls_endpoint_suite(e->ep, sh->suite);
	if (!e->suite || !dtls_client_hello_suite(e, e->suite) || sh->compression)
		return dtls_fail_illegal(e, "the server chose what was not offered");
	memcpy(e->d12->secrets.server_random, sh->random.p, DTLS_RANDOM_SIZE);
	resumed = hs->has_session && hs->session.version == DTLS_VERSION_1_2 &&
		  sh->session_id.len &&
		  dtls_bytes_equal(sh->session_id, e->d12->session_id,
				   e->d12->session_id_len);
	if (dtls_extensions_read_server(e, &sh->ext, resumed))
		return -e->error;
	if (resumed)
		return resume(e);
	e->d12->session_id_len = (u8)sh->session_id.len;
	memcpy(e->d12->session_id, sh->session_id.p, sh->session_id.len);
	hs->step = e->suite->kx & DTLS_KX_CERT ? CLIENT_CERTIFICATE :
						 CLIENT_KEY_EXCHANGE;
	return 0;
}

static int certificate(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls_handshake *hs = e->hs;

	if (dtls_auth_receive_certificate(e, body))
		return -e->error;
	if (!hs->peer_key)
		return dtls_fail_decode(e, "the server shows no certificate");
	/*
	 * The peer's key must be of the kind that the suite asks for (RFC 5246
	 * 7.4.2).
	 */
	if (!(e->suite->kx & (EVP_PKEY_is_a(hs->peer_key, "RSA") ||
			      EVP_PKEY_is_a(hs->peer_key, "RSA-PSS") ?
			      DTLS_KX_RSA : DTLS_KX_ECDSA)))
		return dtls_fail_illegal(e, "the server's key is not the suite's");
	hs->step = CLIENT_KEY_EXCHANGE;
	return 0;
}

/*
 * Read the server's hint about the pre-shared key. A client ignores a hint that
 * it does not understand (RFC 4279 5.2). A hint that is not a string, or is
 * longer than an identity may be, is not given to the owner.
 */
static int read_hint(struct kdtls_engine *e, struct dtls_bytes *body)
{
	struct dtls_bytes hint;

	if (!rd_vec(body, 2, &hint))
		return dtls_fail_decode(e, "malformed identity hint");
	if (!hint.len || hint.len > KDTLS_PSK_IDENTITY_MAX ||
	    memchr(hint.p, 0, hint.len))
		return 0;
	e->hs->psk_hint = OPENSSL_strndup((const char *)hint.p, hint.len);
	return e->hs->psk_hint ? 0 : dtls_fail_memory(e);
}

/* Read ServerECDHParams, make the client's key and derive the shared secret. */
static int read_point(struct kdtls_engine *e, struct dtls_bytes *body)
{
	struct dtls_handshake *hs = e->hs;
	const struct dtls_group *group;
	struct dtls_bytes point;
	u8 curve_type;
	u16 id;

	if (!rd_u8(body, &curve_type) || !rd_u16(body, &id) ||
	    !rd_vec(body, 1, &point))
		return dtls_fail_decode(e, "malformed key exchange");
	group = dtls_endpoint_group(e->ep, id);
	if (curve_type != 3 || !group || group->kem) /* named_curve */
		return dtls_fail_illegal(e, "group was not offered");
	e->group = id;
	EVP_PKEY_free(hs->kex_key);
	hs->kex_key = dtls_kex_generate(&e->ep->crypto, group);
	if (!hs->kex_key)
		return dtls_fail_internal(e);
	hs->shared_len = dtls_kex_derive(group, hs->kex_key, point, hs->shared);
	if (!hs->shared_len)
		return dtls_fail_illegal(e, "bad public key from the server");
	return 0;
}

static int check_kex_signature(struct kdtls_engine *e, struct dtls_bytes params,
			       struct dtls_bytes body)
{
	struct dtls_writer w = { 0 };
	int err;

	dtls_handshake12_signed_params(e, params, &w);
	err = w.failed ? dtls_fail_memory(e) :
	      dtls_auth_check_signature(e, body, e->suite->kx,
					(struct dtls_bytes){ w.p, w.len });
	wr_free(&w);
	return err;
}

static int server_key_exchange(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls_bytes params = body;
	u8 kx = e->suite->kx;

	if (kx & DTLS_KX_PSK && read_hint(e, &body))
		return -e->error;
	if (kx & DTLS_KX_ECDHE && read_point(e, &body))
		return -e->error;
	params.len -= body.len;
	if (kx & DTLS_KX_CERT) {
		if (check_kex_signature(e, params, body))
			return -e->error;
	} else if (body.len) {
		return dtls_fail_decode(e, "malformed key exchange");
	}
	e->hs->step = kx & DTLS_KX_CERT ? CLIENT_REQUEST : CLIENT_HELLO_DONE;
	return 0;
}

static int certificate_request(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_wanted wanted = {
		.raw = hs->own_raw,
		.x509 = !hs->own_raw,
	};
	struct dtls_bytes types;

	if (!rd_vec(&body, 1, &types) || !types.len ||
	    !rd_vec(&body, 2, &wanted.schemes) || !wanted.schemes.len ||
	    wanted.schemes.len % 2 ||
	    !rd_vec(&body, 2, &wanted.authorities) || body.len ||
	    !dtls_hello_are_names(wanted.authorities))
		return dtls_fail_decode(e, "malformed CertificateRequest");
	hs->cert_requested = true;
	if (memchr(types.p, 1, types.len)) /* rsa_sign */
		wanted.kx |= DTLS_KX_RSA;
	if (memchr(types.p, 64, types.len)) /* ecdsa_sign: RFC 8422 5.5 */
		wanted.kx |= DTLS_KX_ECDSA;
	/*
	 * Without an identity that suits, an empty list is sent (RFC 5246
	 * 7.4.6).
	 */
	dtls_identity_choose(e, &wanted);
	hs->step = CLIENT_HELLO_DONE;
	return 0;
}

static int choose_psk(struct kdtls_engine *e, u8 *identity,
		      size_t *identity_len, u8 *psk, size_t *psk_len)
{
	int len = dtls_psks_client(e, e->hs->psk_hint, identity,
				   identity_len, psk);

	if (len < 0)
		return len;
	if (!len)
		return dtls_fail(e, KDTLS_ENEGOTIATION,
				 KDTLS_ALERT_HANDSHAKE_FAILURE,
				 "no pre-shared key for this server");
	*psk_len = (size_t)len;
	return dtls_auth_claim_key(e, (struct dtls_bytes){ identity,
							   *identity_len });
}

/* Send ClientKeyExchange and make the master secret. The caller wipes @psk. */
static int exchange_keys(struct kdtls_engine *e, u8 *psk)
{
	struct dtls_handshake *hs = e->hs;
	u8 identity[KDTLS_PSK_IDENTITY_MAX];
	u8 premaster[DTLS_PREMASTER_MAX], point[DTLS_POINT_MAX];
	size_t identity_len = 0, psk_len = 0, len;
	struct dtls_writer *w;

	if (e->suite->kx & DTLS_KX_PSK &&
	    choose_psk(e, identity, &identity_len, psk, &psk_len))
		return -e->error;
	w = dtls_handshake_message(e, DTLS_CLIENT_KEY_EXCHANGE);
	if (e->suite->kx & DTLS_KX_PSK)
		wr_vec(w, 2, identity, identity_len);
	if (e->suite->kx & DTLS_KX_ECDHE) {
		len = dtls_kex_public(dtls_group_find(e->group), hs->kex_key,
				      point);
		if (!len)
			return dtls_fail_internal(e);
		wr_vec(w, 1, point, len);
	}
	if (dtls_handshake_message_end(e))
		return -e->error;
	if (!(e->suite->kx & DTLS_KX_PSK))
		return dtls_handshake12_master(e, hs->shared, hs->shared_len);
	len = dtls_kex_psk(hs->shared, hs->shared_len, psk, psk_len, premaster);
	return dtls_handshake12_master(e, premaster, len);
}

static int send_key_exchange(struct kdtls_engine *e)
{
	u8 psk[KDTLS_PSK_MAX];
	int err = exchange_keys(e, psk);

	OPENSSL_cleanse(psk, sizeof(psk));
	return err;
}

static int send_certificate_verify(struct kdtls_engine *e)
{
	const struct dtls_writer *t = &e->hs->transcript.all;
	struct dtls_bytes all = { t->p, t->len };
	struct dtls_writer *w = dtls_handshake_message(e, DTLS_CERTIFICATE_VERIFY);
	int err = dtls_handshake_sign(e, w, all);

	return err ? err : dtls_handshake_message_end(e);
}

static int server_hello_done(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls_handshake *hs = e->hs;

	if (body.len)
		return dtls_fail_decode(e, "ServerHelloDone is not empty");
	dtls_handshake_flight_begin(e);
	if (hs->cert_requested && dtls_handshake12_send_certificate(e))
		return -e->error;
	if (send_key_exchange(e))
		return -e->error;
	if (hs->cert_requested && hs->identity && send_certificate_verify(e))
		return -e->error;
	if (dtls_handshake12_send_finished(e))
		return -e->error;
	dtls_handshake_flight_end(e, true);
	hs->step = hs->ticket_due ? CLIENT_TICKET : CLIENT_FINISHED;
	return 0;
}

static int new_session_ticket(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_bytes ticket;

	if (!rd_u32(&body, 4, &hs->ticket_life) || !rd_vec(&body, 2, &ticket) ||
	    body.len)
		return dtls_fail_decode(e, "malformed NewSessionTicket");
	wr_bytes(&hs->ticket, ticket.p, ticket.len);
	if (hs->ticket.failed)
		return dtls_fail_memory(e);
	hs->step = CLIENT_FINISHED;
	return 0;
}

/* Give the owner the session, if it can be resumed. */
static void offer_session(struct kdtls_engine *e)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_writer w = { 0 };
	struct dtls_session s;

	if (!e->ep->config.ops.session)
		return;
	dtls_resumption_session(e, &s);
	if (!s.life)
		return;
	s.ticket = (struct dtls_bytes){ hs->ticket.p, hs->ticket.len };
	if (s.ticket.len) {
		s.id.len = 0;
		if (hs->ticket_life && hs->ticket_life < s.life)
			s.life = hs->ticket_life;
	} else if (e->resumed || !s.id.len) {
		return;	/* There is no session, or no new ticket for it. */
	}
	dtls_session_write(&s, &w);
	if (!w.failed)
		e->ep->config.ops.session(e->ctx, w.p, w.len);
	wr_free(&w);
	OPENSSL_cleanse(&s, sizeof(s));
}

static int finished(struct kdtls_engine *e, struct dtls_bytes body)
{
	if (dtls_handshake12_receive_finished(e, body))
		return -e->error;
	offer_session(e);
	dtls_handshake_flight_begin(e);
	if (!e->resumed) {
		dtls_timer_stop(&e->m->timer);
		e->hs->step = DTLS_STEP_DONE;
		return 0;
	}
	if (dtls_handshake12_send_finished(e))
		return -e->error;
	dtls_handshake_flight_end(e, false);
	e->hs->step = DTLS_STEP_FLUSH;
	return 0;
}

static const struct dtls_expected expected[] = {
	{ CLIENT_CERTIFICATE, DTLS_CERTIFICATE, certificate },
	{ CLIENT_KEY_EXCHANGE, DTLS_SERVER_KEY_EXCHANGE, server_key_exchange },
	{ CLIENT_REQUEST, DTLS_CERTIFICATE_REQUEST, certificate_request },
	{ CLIENT_REQUEST, DTLS_SERVER_HELLO_DONE, server_hello_done },
	{ CLIENT_HELLO_DONE, DTLS_SERVER_HELLO_DONE, server_hello_done },
	{ CLIENT_TICKET, DTLS_NEW_SESSION_TICKET, new_session_ticket },
	{ CLIENT_FINISHED, DTLS_FINISHED, finished },
};

int dtls_client12_message(struct kdtls_engine *e, u8 type,
			  struct dtls_bytes body)
{
	/*
	 * With plain PSK the server sends a key exchange only if it has a hint
	 * (RFC 4279 2).
	 */
	if (e->hs->step == CLIENT_KEY_EXCHANGE && type == DTLS_SERVER_HELLO_DONE &&
	    e->suite->kx == DTLS_KX_PSK)
		return server_hello_done(e, body);
	return dtls_handshake_receive(e, expected,
				      sizeof(expected) / sizeof(expected[0]),
				      type, body);
}
