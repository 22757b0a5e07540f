// SPDX-License-Identifier: GPL-2.0
/* Clients of GnuTLS; see clients.h. */
#include "clients.h"
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>

static gnutls_certificate_credentials_t roots;
static gnutls_psk_client_credentials_t key;

static const char *version(void)
{
	return gnutls_check_version(NULL);
}

static bool init(const struct crowd *crowd)
{
	const gnutls_datum_t raw = {
		(unsigned char *)CROWD_KEY, (unsigned int)strlen(CROWD_KEY)
	};

	if (crowd->ca)
		return !gnutls_certificate_allocate_credentials(&roots) &&
		       gnutls_certificate_set_x509_trust_file(roots, crowd->ca,
							      GNUTLS_X509_FMT_PEM) == 1;
	return !gnutls_psk_allocate_client_credentials(&key) &&
	       !gnutls_psk_set_client_credentials(key, CROWD_IDENTITY, &raw,
						  GNUTLS_PSK_KEY_RAW);
}

/* Say what a user of certificates, or of a pre-shared key, says to the library. */
static bool set_credentials(gnutls_session_t s, const struct crowd *crowd)
{
	if (!crowd->ca)
		return !gnutls_credentials_set(s, GNUTLS_CRD_PSK, key) &&
		       !gnutls_priority_set_direct(s, "NORMAL:-KX-ALL:+ECDHE-PSK:"
						   "+DHE-PSK:+PSK", NULL);
	gnutls_session_set_verify_cert(s, CROWD_NAME, 0);
	return !gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, roots) &&
	       !gnutls_set_default_priority(s);
}

static bool open_session(struct client *c)
{
	gnutls_session_t s;

	if (gnutls_init(&s, GNUTLS_CLIENT | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK))
		return false;
	c->session = s;
	gnutls_server_name_set(s, GNUTLS_NAME_DNS, CROWD_NAME, strlen(CROWD_NAME));
	gnutls_transport_set_int(s, c->fd);
	return set_credentials(s, c->crowd);
}

static int step(struct client *c)
{
	int ret = gnutls_handshake(c->session);

	if (!ret)
		return 1;
	return gnutls_error_is_fatal(ret) ? -1 : 0;
}

static bool send_record(struct client *c, const char *line, size_t len)
{
	return gnutls_record_send(c->session, line, len) == (ssize_t)len;
}

static ssize_t receive(struct client *c, char *line, size_t size)
{
	ssize_t n = gnutls_record_recv(c->session, line, size);

	if (n > 0)
		return n;
	/*
	 * GnuTLS 3.7 looks at the time limit of the handshake, a minute, whenever a record
	 * comes that is not data, such as the server's last flight once more. The session
	 * goes on.
	 */
	if (n == GNUTLS_E_TIMEDOUT || (n && !gnutls_error_is_fatal((int)n)))
		return 0;
	fprintf(stderr, "# GnuTLS: %s\n", n ? gnutls_strerror((int)n) : "goodbye");
	return -1;
}

static void close_session(struct client *c, bool goodbye)
{
	if (goodbye)
		gnutls_bye(c->session, GNUTLS_SHUT_WR);
	gnutls_deinit(c->session);
	c->session = NULL;
}

const struct library library = {
	.name = "GnuTLS",
	.version = version,
	.tls = "1.2",
	.init = init,
	.open = open_session,
	.step = step,
	.send = send_record,
	.receive = receive,
	.close = close_session,
};
