// SPDX-License-Identifier: GPL-2.0
/* GnuTLS: DTLS 1.2 with its records in user space, one record a call. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>

#include "bench.h"

static char out[SIZE_MAX_RECORD], in[2048];
static const gnutls_datum_t psk = { (unsigned char *)"0123456789abcdef", 16 };

struct session {
	gnutls_session_t session;
	gnutls_psk_client_credentials_t client;
	gnutls_psk_server_credentials_t server;
};

static int find_psk(gnutls_session_t session, const char *name,
		    gnutls_datum_t *key)
{
	(void)session;
	(void)name;
	key->data = gnutls_malloc(psk.size);
	if (!key->data)
		return -1;
	memcpy(key->data, psk.data, psk.size);
	key->size = psk.size;
	return 0;
}

static bool start(struct session *s, const struct ends *e, bool client)
{
	char priority[160];

	snprintf(priority, sizeof(priority),
		 "NONE:+VERS-DTLS1.2:+AEAD:+COMP-NULL:+SIGN-ALL:+GROUP-ALL:+PSK:+%s",
		 e->cipher == DTLS_CIPHER_CHACHA20_POLY1305 ?
		 "CHACHA20-POLY1305" : "AES-128-GCM");
	if (gnutls_init(&s->session, GNUTLS_DATAGRAM | GNUTLS_NONBLOCK |
			(client ? GNUTLS_CLIENT : GNUTLS_SERVER)) ||
	    gnutls_priority_set_direct(s->session, priority, NULL))
		return false;
	gnutls_dtls_set_mtu(s->session, 16384);
	gnutls_transport_set_int(s->session, client ? e->tx : e->rx);
	if (client)
		return !gnutls_psk_allocate_client_credentials(&s->client) &&
		       !gnutls_psk_set_client_credentials(s->client, "bench",
							  &psk,
							  GNUTLS_PSK_KEY_RAW) &&
		       !gnutls_credentials_set(s->session, GNUTLS_CRD_PSK,
					       s->client);
	if (gnutls_psk_allocate_server_credentials(&s->server))
		return false;
	gnutls_psk_set_server_credentials_function(s->server, find_psk);
	return !gnutls_credentials_set(s->session, GNUTLS_CRD_PSK, s->server);
}

bool gnutls_dtls_open(struct ends *e)
{
	static struct session client, server;
	int c = GNUTLS_E_AGAIN, s = GNUTLS_E_AGAIN;

	if (!open_pair(e, SOCK_DGRAM) || !start(&client, e, true) ||
	    !start(&server, e, false))
		return false;
	e->tx_session = &client;
	e->rx_session = &server;
	fcntl(e->tx, F_SETFL, O_NONBLOCK);
	fcntl(e->rx, F_SETFL, O_NONBLOCK);
	while (c || s) {
		if (c)
			c = gnutls_handshake(client.session);
		if (s)
			s = gnutls_handshake(server.session);
		if ((c && gnutls_error_is_fatal(c)) ||
		    (s && gnutls_error_is_fatal(s))) {
			fprintf(stderr, "GnuTLS: %s, %s\n", gnutls_strerror(c),
				gnutls_strerror(s));
			return false;
		}
	}
	fcntl(e->tx, F_SETFL, 0);
	fcntl(e->rx, F_SETFL, 0);
	return true;
}

bool gnutls_dtls_send(struct ends *e, unsigned int n)
{
	struct session *s = e->tx_session;

	while (n--)
		if (gnutls_record_send(s->session, out, e->size) !=
		    (ssize_t)e->size)
			return false;
	return true;
}

bool gnutls_dtls_recv(struct ends *e, unsigned int n)
{
	struct session *s = e->rx_session;

	while (n--)
		if (gnutls_record_recv(s->session, in, sizeof(in)) !=
		    (ssize_t)e->size)
			return false;
	return true;
}

void gnutls_dtls_close(struct ends *e)
{
	struct session *client = e->tx_session, *server = e->rx_session;

	gnutls_deinit(client->session);
	gnutls_deinit(server->session);
	gnutls_psk_free_client_credentials(client->client);
	gnutls_psk_free_server_credentials(server->server);
	close_pair(e);
}
