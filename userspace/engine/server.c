// SPDX-License-Identifier: BSD-3-Clause
/* This file gives the server's messages to the functions of their version. */
#include "handshake.h"
#include "server.h"
#include "server12.h"
#include "server13.h"

/*
 * Receive a ClientHello. The gate has read the first one; a second one after a
 * HelloRetryRequest of this engine is read here.
 */
static int client_hello(struct kdtls_engine *e, struct dtls_bytes body)
{
	const struct kdtls_hello *hello = e->hs->hello;
	struct dtls_client_hello second;
	const struct dtls_client_hello *ch = hello ? &hello->ch : &second;

	if (hello ? !hello->parsed : !dtls_hello_parse_client(&second, body))
		return dtls_fail_decode(e, "malformed ClientHello");
	if (dtls_endpoint_takes_13(e->ep, ch))
		return dtls_server13_client_hello(e, ch);
	return dtls_server12_client_hello(e, ch);
}

static const struct dtls_expected expected[] = {
	{ SERVER_CLIENT_HELLO, DTLS_CLIENT_HELLO, client_hello },
};

int dtls_server_message(struct kdtls_engine *e, u8 type, struct dtls_bytes body)
{
	if (e->hs->step != SERVER_CLIENT_HELLO)
		return e->d13 ? dtls_server13_message(e, type, body) :
				dtls_server12_message(e, type, body);
	return dtls_handshake_receive(e, expected,
				      sizeof(expected) / sizeof(expected[0]),
				      type, body);
}
