// SPDX-License-Identifier: BSD-3-Clause
/*
 * This file starts the client's handshake, and gives each message to the
 * functions of the version that the server chose (RFC 6347 4.2.1).
 */
#include "client.h"
#include "client12.h"
#include "client13.h"
#include "client_hello.h"
#include "early.h"
#include "handshake.h"
#include "resumption.h"

/* The client answers at most so many HelloVerifyRequests in a handshake. */
#define VERIFY_REQUESTS_MAX	8

int dtls_client_start(struct kdtls_engine *e)
{
	struct dtls_handshake *hs = e->hs;

	dtls_state_random(e, e->d12->secrets.client_random, DTLS_RANDOM_SIZE);
	/*
	 * Whether the session may be resumed depends on the name and the
	 * callbacks, which are final only now.
	 */
	if (hs->has_session && !dtls_resumption_allowed(e, &hs->session)) {
		hs->has_session = false;
		dtls_early_refused(e);
	}
	if (hs->has_session && hs->session.version == DTLS_VERSION_1_3) {
		e->d12->session_id_len = 0;
	} else if (hs->has_session && hs->session.ticket.len) {
		/*
		 * The client sends a session id with a ticket. A server that
		 * accepts the ticket echoes it (RFC 5077 3.4).
		 */
		e->d12->session_id_len = DTLS_SESSION_ID_SIZE;
		dtls_state_random(e, e->d12->session_id, DTLS_SESSION_ID_SIZE);
	} else if (hs->has_session) {
		e->d12->session_id_len = (u8)hs->session.id.len;
		memcpy(e->d12->session_id, hs->session.id.p, e->d12->session_id_len);
	}
	if (dtls_client_hello_send(e))
		return -e->error;
	dtls_handshake_flight_end(e, true);
	return 0;
}

static int hello_verify_request(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_bytes cookie;
	u16 version;

	if (!rd_u16(&body, &version) || !rd_vec(&body, 1, &cookie) || body.len)
		return dtls_fail_decode(e, "malformed HelloVerifyRequest");
	if (hs->verify_requests++ == VERIFY_REQUESTS_MAX || hs->retried)
		return dtls_fail(e, KDTLS_EPROTOCOL,
				 KDTLS_ALERT_UNEXPECTED_MESSAGE,
				 "the server takes no cookie");
	OPENSSL_free((void *)hs->cookie.p);
	hs->cookie.len = cookie.len;
	hs->cookie.p = OPENSSL_memdup(cookie.p, cookie.len);
	if (cookie.len && !hs->cookie.p) {
		hs->cookie.len = 0;
		return dtls_fail_memory(e);
	}
	dtls_early_stop(e);
	dtls_handshake_flight_begin(e);
	if (dtls_client_hello_send(e))
		return -e->error;
	dtls_handshake_flight_end(e, true);
	return 0;
}

static int server_hello(struct kdtls_engine *e, struct dtls_bytes body)
{
	struct dtls_handshake *hs = e->hs;
	struct dtls_server_hello sh;

	if (!dtls_hello_parse_server(&sh, body))
		return dtls_fail_decode(e, "malformed ServerHello");
	hs->answer = hs->before;
	hs->answer_seq = hs->in.next;
	if (!e->ep->speaks13 || !dtls_ext_has(&sh.ext, DTLS_EXT_VERSIONS))
		return dtls_client12_server_hello(e, &sh);
	/*
	 * A hello with a legacy_cookie cannot lead to DTLS 1.3 (RFC 9147 5.3).
	 */
	if (hs->verify_requests && !hs->retried)
		return dtls_fail_illegal(e,
					 "DTLS 1.3 after HelloVerifyRequest");
	return dtls_client13_server_hello(e, &sh);
}

static const struct dtls_expected expected[] = {
	{ CLIENT_SERVER_HELLO, DTLS_HELLO_VERIFY_REQUEST, hello_verify_request },
	{ CLIENT_SERVER_HELLO, DTLS_SERVER_HELLO, server_hello },
};

int dtls_client_message(struct kdtls_engine *e, u8 type, struct dtls_bytes body)
{
	enum dtls_step step = e->hs->step;

	if (e->d13 && step != CLIENT_SERVER_HELLO)
		return dtls_client13_message(e, type, body);
	/* HelloRequest is ignored during a handshake (RFC 5246 7.4.1.1). */
	if (type == DTLS_HELLO_REQUEST)
		return 0;
	if (step != CLIENT_SERVER_HELLO)
		return dtls_client12_message(e, type, body);
	return dtls_handshake_receive(e, expected,
				      sizeof(expected) / sizeof(expected[0]),
				      type, body);
}
