// SPDX-License-Identifier: GPL-2.0
/* GnuTLS as the other end; see peer.h. */
#include <errno.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>

#include "peer.h"

#define PEM	GNUTLS_X509_FMT_PEM

enum setting {
	ONE_SUITE,
	USUAL,				/* as programs are that set nothing */
	OLD,				/* without RFC 5746 */
};

struct peer {
	struct peer_options o;
	gnutls_session_t session;
	gnutls_certificate_credentials_t cert;
	gnutls_psk_client_credentials_t psk_client;
	gnutls_psk_server_credentials_t psk_server;
	gnutls_priority_t priority;
	gnutls_datum_t ticket_key;
	gnutls_datum_t saved;
	gnutls_datum_t db_key;		/* a server's cache of one session */
	gnutls_datum_t db_data;
	gnutls_datum_t cookie_key;
	bool reachable;			/* the client has shown its cookie */
	enum setting setting;
};

/* The words of a priority string for a suite. Return: false: it has it not. */
static bool words_of(u16 suite, char *words, size_t size)
{
	gnutls_kx_algorithm_t kx;
	gnutls_cipher_algorithm_t cipher;
	u8 id[2];
	size_t i;

	for (i = 0; gnutls_cipher_suite_info(i, id, &kx, &cipher, NULL, NULL);
	     i++) {
		if (id[0] != suite >> 8 || id[1] != (suite & 0xff))
			continue;
		snprintf(words, size, "+%s:+%s", gnutls_kx_get_name(kx),
			 gnutls_cipher_get_name(cipher));
		return true;
	}
	return false;
}

static bool speaks(u16 suite)
{
	char words[64];

	return words_of(suite, words, sizeof(words));
}

/* NORMAL has no suite with a short tag. */
static bool speaks_usually(u16 suite)
{
	char words[64];

	return words_of(suite, words, sizeof(words)) &&
	       !strstr(words, "CCM-8");
}

static const char *version(void)
{
	return gnutls_check_version(NULL);
}

static bool set_priority(struct peer *p)
{
	char all[256], words[64];

	if (p->setting == USUAL)
		return !gnutls_priority_init(&p->priority, p->o.psk ?
				"NORMAL:-KX-ALL:+ECDHE-PSK:+PSK" : "NORMAL",
				NULL);
	if (!words_of(p->o.suite, words, sizeof(words)))
		return false;
	snprintf(all, sizeof(all),
		 "NONE:+VERS-DTLS1.2:+AEAD:+COMP-NULL:+SIGN-ALL:+GROUP-ALL:"
		 "+CTYPE-CLI-ALL:+CTYPE-SRV-ALL:%s%s%s", words,
		 p->o.no_ems ? ":%NO_SESSION_HASH" : "",
		 p->setting == OLD ? ":%DISABLE_SAFE_RENEGOTIATION" : "");
	return !gnutls_priority_init(&p->priority, all, NULL);
}

static ssize_t push(gnutls_transport_ptr_t ptr, const void *data, size_t len)
{
	struct peer *p = ptr;

	wire_put(p->o.out, data, len);
	return (ssize_t)len;
}

static ssize_t pull(gnutls_transport_ptr_t ptr, void *data, size_t size)
{
	struct peer *p = ptr;
	size_t n = wire_get(p->o.in, data, size);

	if (n)
		return (ssize_t)n;
	gnutls_transport_set_errno(p->session, EAGAIN);
	return -1;
}

static int pull_timeout(gnutls_transport_ptr_t ptr, unsigned int ms)
{
	struct peer *p = ptr;

	(void)ms;
	return p->o.in->head != p->o.in->tail;
}

static int find_psk(gnutls_session_t session, const char *identity,
		    gnutls_datum_t *key)
{
	struct peer *p = gnutls_session_get_ptr(session);

	if (strcmp(identity, p->o.identity))
		return -1;
	key->size = (unsigned int)strlen(p->o.psk);
	key->data = gnutls_malloc(key->size);
	memcpy(key->data, p->o.psk, key->size);
	return 0;
}

static gnutls_datum_t copy_of(gnutls_datum_t d)
{
	gnutls_datum_t copy = { gnutls_malloc(d.size), d.size };

	memcpy(copy.data, d.data, d.size);
	return copy;
}

static int db_store(void *ptr, gnutls_datum_t key, gnutls_datum_t data)
{
	struct peer *p = ptr;

	gnutls_free(p->db_key.data);
	gnutls_free(p->db_data.data);
	p->db_key = copy_of(key);
	p->db_data = copy_of(data);
	return 0;
}

static gnutls_datum_t db_retrieve(void *ptr, gnutls_datum_t key)
{
	struct peer *p = ptr;

	if (key.size != p->db_key.size ||
	    memcmp(key.data, p->db_key.data, key.size))
		return (gnutls_datum_t){ 0 };
	return copy_of(p->db_data);
}

static int db_remove(void *ptr, gnutls_datum_t key)
{
	(void)ptr;
	(void)key;
	return 0;
}

static gnutls_datum_t datum(const char *s)
{
	return (gnutls_datum_t){ (u8 *)s, s ? (unsigned int)strlen(s) : 0 };
}

static bool credentials(struct peer *p)
{
	const struct peer_options *o = &p->o;
	gnutls_datum_t ca = datum(o->ca), psk = datum(o->psk);
	gnutls_datum_t cert = datum(o->cert), key = datum(o->key);

	gnutls_certificate_allocate_credentials(&p->cert);
	if (o->ca &&
	    gnutls_certificate_set_x509_trust_mem(p->cert, &ca, PEM) < 1)
		return false;
	if (o->cert &&
	    gnutls_certificate_set_x509_key_mem(p->cert, &cert, &key, PEM) < 0)
		return false;
	gnutls_psk_allocate_server_credentials(&p->psk_server);
	gnutls_psk_allocate_client_credentials(&p->psk_client);
	if (o->psk) {
		gnutls_psk_set_client_credentials(p->psk_client, o->identity,
						  &psk, GNUTLS_PSK_KEY_RAW);
		gnutls_psk_set_server_credentials_function(p->psk_server,
							   find_psk);
	}
	return true;
}

static struct peer *open_set(const struct peer_options *options,
			     enum setting setting)
{
	struct peer *p = calloc(1, sizeof(*p));

	p->o = *options;
	p->setting = setting;
	gnutls_session_ticket_key_generate(&p->ticket_key);
	gnutls_key_generate(&p->cookie_key, GNUTLS_COOKIE_KEY_SIZE);
	if (set_priority(p) && credentials(p))
		return p;
	peer_gnutls.close(p);
	return NULL;
}

static struct peer *open_peer(const struct peer_options *options)
{
	return open_set(options, ONE_SUITE);
}

static struct peer *open_usual(const struct peer_options *options)
{
	return open_set(options, USUAL);
}

static struct peer *open_old(const struct peer_options *options)
{
	return open_set(options, OLD);
}

static void set_server(struct peer *p)
{
	gnutls_session_t s = p->session;

	if (p->o.request_cert)
		gnutls_certificate_server_set_request(s, GNUTLS_CERT_REQUIRE);
	if (p->o.tickets)
		gnutls_session_ticket_enable_server(s, &p->ticket_key);
	gnutls_db_set_store_function(s, db_store);
	gnutls_db_set_retrieve_function(s, db_retrieve);
	gnutls_db_set_remove_function(s, db_remove);
	gnutls_db_set_ptr(s, p);
}

static bool start_peer(struct peer *p, bool resume)
{
	const struct peer_options *o = &p->o;
	gnutls_datum_t name = datum(o->alpn);
	gnutls_session_t s;

	/* NO_TICKETS is a client's flag; a server has tickets by their key. */
	if (gnutls_init(&s, (o->server ? GNUTLS_SERVER : GNUTLS_CLIENT) |
			GNUTLS_DATAGRAM | GNUTLS_NONBLOCK |
			(o->tickets ? 0 : GNUTLS_NO_TICKETS)))
		return false;
	p->session = s;
	p->reachable = !o->server;
	gnutls_session_set_ptr(s, p);
	gnutls_priority_set(s, p->priority);
	gnutls_transport_set_ptr(s, p);
	gnutls_transport_set_push_function(s, push);
	gnutls_transport_set_pull_function(s, pull);
	gnutls_transport_set_pull_timeout_function(s, pull_timeout);
	gnutls_dtls_set_timeouts(s, TIMER_FIRST / 1000, 240000);
	gnutls_dtls_set_mtu(s, o->mtu);
	gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, p->cert);
	gnutls_credentials_set(s, GNUTLS_CRD_PSK,
			       o->server ? (void *)p->psk_server :
					   (void *)p->psk_client);
	if (o->alpn)
		gnutls_alpn_set_protocols(s, &name, 1, 0);
	if (o->srtp)
		gnutls_srtp_set_profile_direct(s, o->srtp, NULL);
	if (o->server) {
		set_server(p);
		return true;
	}
	gnutls_server_name_set(s, GNUTLS_NAME_DNS, PEER_NAME,
			       strlen(PEER_NAME));
	if (o->ca)
		gnutls_session_set_verify_cert(s, PEER_NAME, 0);
	return !resume || !gnutls_session_set_data(s, p->saved.data,
						   p->saved.size);
}

/* Its cookies are the program's business, not the session's. */
static bool client_reachable(struct peer *p)
{
	char client[] = "address";
	gnutls_dtls_prestate_st prestate = { 0 };
	const void *data;
	size_t len;

	while (!p->reachable && (len = wire_peek(p->o.in, &data))) {
		if (!gnutls_dtls_cookie_verify(&p->cookie_key, client,
					       sizeof(client), (void *)data,
					       len, &prestate)) {
			gnutls_dtls_prestate_set(p->session, &prestate);
			p->reachable = true;
			break;
		}
		gnutls_dtls_cookie_send(&p->cookie_key, client, sizeof(client),
					&prestate, p, push);
		p->o.in->head++;
	}
	return p->reachable;
}

static int step_peer(struct peer *p)
{
	int ret;

	if (!client_reachable(p))
		return 0;
	ret = gnutls_handshake(p->session);
	if (!ret)
		return 1;
	if (!gnutls_error_is_fatal(ret))
		return 0;
	fprintf(stderr, "GnuTLS: %s\n", gnutls_strerror(ret));
	return -1;
}

static bool send_peer(struct peer *p, const void *data, size_t len)
{
	return gnutls_record_send(p->session, data, len) == (ssize_t)len;
}

static long receive_peer(struct peer *p, void *data, size_t size)
{
	return gnutls_record_recv(p->session, data, size);
}

static bool resumed_peer(struct peer *p)
{
	return gnutls_session_is_resumed(p->session);
}

static bool export_peer(struct peer *p, const char *label, u8 *out, size_t len)
{
	return !gnutls_prf_rfc5705(p->session, strlen(label), label, 0, NULL,
				   len, (char *)out);
}

static size_t alpn_peer(struct peer *p, const char **name)
{
	gnutls_datum_t d = { 0 };

	gnutls_alpn_get_selected_protocol(p->session, &d);
	*name = (const char *)d.data;
	return d.size;
}

static void stop_peer(struct peer *p)
{
	if (!p->session)
		return;
	gnutls_free(p->saved.data);
	p->saved.data = NULL;
	gnutls_session_get_data2(p->session, &p->saved);
	gnutls_deinit(p->session);
	p->session = NULL;
}

static void close_peer(struct peer *p)
{
	stop_peer(p);
	gnutls_free(p->saved.data);
	gnutls_free(p->ticket_key.data);
	gnutls_free(p->cookie_key.data);
	gnutls_free(p->db_key.data);
	gnutls_free(p->db_data.data);
	gnutls_certificate_free_credentials(p->cert);
	gnutls_psk_free_client_credentials(p->psk_client);
	gnutls_psk_free_server_credentials(p->psk_server);
	gnutls_priority_deinit(p->priority);
	free(p);
}

const struct peer_ops peer_gnutls = {
	.name = "GnuTLS",
	.can = PEER_ED25519_CLIENT | PEER_ED25519_SERVER | PEER_NO_EMS_SERVER,
	PEER_CALLS,
};

const struct peer_ops peer_gnutls_usual = {
	.name = "GnuTLS usual",
	.note = "its priority is NORMAL: it offers all that it has",
	.can = PEER_OTHERWISE,
	PEER_CALLS_BUT_OPEN_AND_SPEAKS,
	.open = open_usual,
	.speaks = speaks_usually,
};

const struct peer_ops peer_gnutls_old = {
	.name = "GnuTLS old",
	.note = "it neither sends renegotiation_info nor takes it",
	.can = PEER_NO_RENEGOTIATION | PEER_OTHERWISE,
	PEER_CALLS_BUT_OPEN,
	.open = open_old,
};
