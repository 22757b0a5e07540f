// SPDX-License-Identifier: GPL-2.0
/*
 * Clients of libcoap, which is linked with OpenSSL or with GnuTLS; see clients.h.
 *
 * A line is the payload of a CoAP request (RFC 7252). The server sends it back as it is,
 * so it comes as a request to the client, which reads the line there. What the client
 * answers comes back, too, and ends the request.
 */
#include "clients.h"
#include <coap3/coap.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

static coap_context_t *ctx;

struct line {
	STAILQ_ENTRY(line) list;
	size_t len;
	char text[];
};

/* What libcoap has told of a client */
struct told {
	bool ended;
	STAILQ_HEAD(, line) lines;
	coap_address_t local;
};

static const char *version(void)
{
	return coap_package_version();
}

static struct told *told_of(const coap_session_t *s)
{
	struct client *c = coap_session_get_app_data(s);

	return c ? c->data : NULL;
}

static int take_event(coap_session_t *s, coap_event_t event)
{
	struct told *t = told_of(s);

	if (t && (event == COAP_EVENT_DTLS_ERROR || event == COAP_EVENT_DTLS_CLOSED))
		t->ended = true;
	return 0;
}

static void take_nack(coap_session_t *s, const coap_pdu_t *sent,
		      coap_nack_reason_t reason, coap_mid_t mid)
{
	struct told *t = told_of(s);

	(void)sent;
	(void)mid;
	if (t && reason == COAP_NACK_TLS_FAILED)
		t->ended = true;
}

static void take_request(coap_resource_t *resource, coap_session_t *s,
			 const coap_pdu_t *request, const coap_string_t *query,
			 coap_pdu_t *response)
{
	struct told *t = told_of(s);
	const uint8_t *data;
	struct line *line;
	size_t len;

	(void)resource;
	(void)query;
	coap_pdu_set_code(response, COAP_RESPONSE_CODE_CHANGED);
	if (!t || !coap_get_data(request, &len, &data))
		return;
	line = malloc(sizeof(*line) + len);
	if (!line)
		return;
	line->len = len;
	memcpy(line->text, data, len);
	STAILQ_INSERT_TAIL(&t->lines, line, list);
}

static bool init(const struct crowd *crowd)
{
	(void)crowd;
	coap_startup();
	coap_set_log_level(LOG_EMERG);
	coap_dtls_set_log_level(LOG_EMERG);
	ctx = coap_new_context(NULL);
	if (!ctx)
		return false;
	coap_register_event_handler(ctx, take_event);
	coap_register_nack_handler(ctx, take_nack);
	coap_add_resource(ctx, coap_resource_unknown_init(take_request));
	return true;
}

static coap_session_t *new_session(const struct crowd *crowd, coap_address_t *local)
{
	coap_dtls_cpsk_t psk = {
		.version = COAP_DTLS_CPSK_SETUP_VERSION,
		.client_sni = CROWD_NAME,
		.psk_info.identity = {
			strlen(CROWD_IDENTITY), (const uint8_t *)CROWD_IDENTITY
		},
		.psk_info.key = { strlen(CROWD_KEY), (const uint8_t *)CROWD_KEY },
	};
	coap_dtls_pki_t pki = {
		.version = COAP_DTLS_PKI_SETUP_VERSION,
		.verify_peer_cert = 1,
		.check_common_ca = 1,
		.cert_chain_validation = 1,
		.cert_chain_verify_depth = 3,
		.client_sni = CROWD_NAME,
		.pki_key.key_type = COAP_PKI_KEY_PEM,
		.pki_key.key.pem.ca_file = crowd->ca,
	};
	coap_address_t server;

	coap_address_init(&server);
	server.size = sizeof(crowd->server);
	server.addr.sin = crowd->server;
	return crowd->ca ?
	       coap_new_client_session_pki(ctx, local, &server, COAP_PROTO_DTLS,
					   &pki) :
	       coap_new_client_session_psk2(ctx, local, &server, COAP_PROTO_DTLS,
					    &psk);
}

static bool open_session(struct client *c)
{
	struct told *t = c->data;

	if (!t) {
		/* The library has a socket of its own, on the port of this one. */
		socklen_t len = sizeof(t->local.addr);

		t = calloc(1, sizeof(*t));
		if (!t)
			return false;
		STAILQ_INIT(&t->lines);
		coap_address_init(&t->local);
		getsockname(c->fd, &t->local.addr.sa, &len);
		t->local.size = len;
		close(c->fd);
		c->fd = -1;
		c->data = t;
	}
	t->ended = false;
	c->session = new_session(c->crowd, &t->local);
	if (c->session)
		coap_session_set_app_data(c->session, c);
	return c->session;
}

static int step(struct client *c)
{
	const struct told *t = c->data;

	if (t->ended)
		return -1;
	return coap_session_get_state(c->session) == COAP_SESSION_STATE_ESTABLISHED;
}

static bool send_record(struct client *c, const char *line, size_t len)
{
	coap_pdu_t *pdu = coap_new_pdu(COAP_MESSAGE_CON, COAP_REQUEST_CODE_PUT,
				       c->session);
	uint8_t token[8];
	size_t token_len;

	if (!pdu)
		return false;
	coap_session_new_token(c->session, &token_len, token);
	if (!coap_add_token(pdu, token_len, token) ||
	    !coap_add_option(pdu, COAP_OPTION_URI_PATH, 1, (const uint8_t *)"x") ||
	    !coap_add_data(pdu, len, (const uint8_t *)line))
		return false;
	return coap_send(c->session, pdu) != COAP_INVALID_MID;
}

static ssize_t receive(struct client *c, char *text, size_t size)
{
	struct told *t = c->data;
	struct line *line = STAILQ_FIRST(&t->lines);
	size_t len;

	if (!line)
		return t->ended ? -1 : 0;
	len = line->len < size ? line->len : size;
	memcpy(text, line->text, len);
	STAILQ_REMOVE_HEAD(&t->lines, list);
	free(line);
	return (ssize_t)len;
}

static void turn(void)
{
	coap_io_process(ctx, COAP_IO_NO_WAIT);
}

static void close_session(struct client *c, bool goodbye)
{
	(void)goodbye;		/* The library says goodbye by itself. */
	coap_session_set_app_data(c->session, NULL);
	coap_session_release(c->session);
	c->session = NULL;
}

const struct library library = {
	.name = "libcoap with " COAP_TLS,
	.version = version,
	.tls = "1.2",
	.init = init,
	.open = open_session,
	.step = step,
	.send = send_record,
	.receive = receive,
	.turn = turn,
	.close = close_session,
};
