// SPDX-License-Identifier: GPL-2.0
/* Mbed TLS, 2.28 or 3.6, as the other end; see peer.h. */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/ssl_cookie.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif
#include <stdio.h>
#include <stdlib.h>

#include "peer.h"

#define MASTER_SIZE	48
#define RANDOM_SIZE	32
#define CID_SIZE	6	/* of all those that the options name */

struct peer {
	struct peer_options o;
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context random;
	mbedtls_ssl_config config;
	mbedtls_ssl_context ssl;
	mbedtls_ssl_cookie_ctx cookie;
	mbedtls_ssl_ticket_context ticket;
	mbedtls_ssl_cache_context cache;
	u64 timer[2];			/* intermediate and final; 0: off */
	mbedtls_x509_crt ca, cert;
	mbedtls_pk_context key;
	mbedtls_ssl_session session;
	bool running;
	u64 newest;			/* unprotected record it has received */
	bool late;			/* its last datagram is older than that */
	bool anew;			/* such a datagram has ended it */
	/* of this association, and of the one before */
	u8 master[MASTER_SIZE], last_master[MASTER_SIZE];
	u8 randoms[2 * RANDOM_SIZE];
	mbedtls_tls_prf_types prf;
	int suites[2];
	const char *protocols[2];
};

static const char *version(void)
{
	return MBEDTLS_VERSION_STRING;
}

static bool speaks(u16 suite)
{
	return mbedtls_ssl_ciphersuite_from_id(suite);
}

static int push(void *ctx, const u8 *data, size_t len)
{
	struct peer *p = ctx;

	wire_put(p->o.out, data, len);
	return (int)len;
}

/* Note whether a datagram was overtaken by another one. */
static void note_number(struct peer *p, const u8 *data)
{
	u64 number = dtls_get_be64(data + 3); /* the epoch is its top */

	p->late = number < p->newest;
	if (!p->late && !(number >> 48))
		p->newest = number;
}

static int pull(void *ctx, u8 *data, size_t size)
{
	struct peer *p = ctx;
	size_t n = wire_get(p->o.in, data, size);

	if (n >= DTLS12_HEADER_SIZE)
		note_number(p, data);
	return n ? (int)n : MBEDTLS_ERR_SSL_WANT_READ;
}

/* It doubles its timer without end. */
static u64 in_ms(u32 ms)
{
	return now_us() + (ms < TIMER_MAX / 1000 ? ms * 1000 : TIMER_MAX);
}

static void set_timer(void *ctx, u32 intermediate, u32 final)
{
	struct peer *p = ctx;

	p->timer[0] = in_ms(intermediate);
	p->timer[1] = final ? in_ms(final) : 0;
}

static int get_timer(void *ctx)
{
	struct peer *p = ctx;
	u64 now = now_us();

	if (!p->timer[1])
		return -1;
	return now >= p->timer[1] ? 2 : now >= p->timer[0];
}

/* It has no exporter of its own, but gives what one is made of. */
static void keep_secrets(struct peer *p, const u8 *master,
			 const u8 *client_random, const u8 *server_random,
			 mbedtls_tls_prf_types prf)
{
	memcpy(p->master, master, MASTER_SIZE);
	memcpy(p->randoms, client_random, RANDOM_SIZE);
	memcpy(p->randoms + RANDOM_SIZE, server_random, RANDOM_SIZE);
	p->prf = prf;
}

#if MBEDTLS_VERSION_MAJOR >= 3
static void take_secrets(void *ctx, mbedtls_ssl_key_export_type type,
			 const u8 *secret, size_t len,
			 const u8 client_random[RANDOM_SIZE],
			 const u8 server_random[RANDOM_SIZE],
			 mbedtls_tls_prf_types prf)
{
	if (type == MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET &&
	    len == MASTER_SIZE)
		keep_secrets(ctx, secret, client_random, server_random, prf);
}

/* Its CID is that of RFC 9146; 2.28 has the number of a draft. */
static bool set_later(struct peer *p)
{
	const struct peer_options *o = &p->o;

	mbedtls_ssl_set_export_keys_cb(&p->ssl, take_secrets, p);
	return !o->cid ||
	       !mbedtls_ssl_set_cid(&p->ssl, MBEDTLS_SSL_CID_ENABLED,
				    (const u8 *)o->cid, strlen(o->cid));
}

/* What the settings of all associations are told in another way than before */
static bool set_config(struct peer *p)
{
	mbedtls_ssl_conf_min_tls_version(&p->config, MBEDTLS_SSL_VERSION_TLS1_2);
	return !p->o.cid ||
	       !mbedtls_ssl_conf_cid(&p->config, CID_SIZE,
				     MBEDTLS_SSL_UNEXPECTED_CID_IGNORE);
}

static int parse_key(struct peer *p, const u8 *pem, size_t len)
{
	return mbedtls_pk_parse_key(&p->key, pem, len, NULL, 0,
				    mbedtls_ctr_drbg_random, &p->random);
}
#else
static int take_secrets(void *ctx, const u8 *master, const u8 *block,
			size_t mac_len, size_t key_len, size_t iv_len,
			const u8 *client_random, const u8 *server_random,
			mbedtls_tls_prf_types prf)
{
	(void)block;
	(void)mac_len;
	(void)key_len;
	(void)iv_len;
	keep_secrets(ctx, master, client_random, server_random, prf);
	return 0;
}

static bool set_later(struct peer *p)
{
	(void)p;
	return true;
}

static bool set_config(struct peer *p)
{
	mbedtls_ssl_conf_min_version(&p->config, MBEDTLS_SSL_MAJOR_VERSION_3,
				     MBEDTLS_SSL_MINOR_VERSION_3);
	mbedtls_ssl_conf_export_keys_ext_cb(&p->config, take_secrets, p);
	return true;
}

static int parse_key(struct peer *p, const u8 *pem, size_t len)
{
	return mbedtls_pk_parse_key(&p->key, pem, len, NULL, 0);
}

#define psa_crypto_init()	0
#define PSA_SUCCESS		0
#endif

static bool set_credentials(struct peer *p)
{
	const struct peer_options *o = &p->o;

	if (o->psk &&
	    mbedtls_ssl_conf_psk(&p->config, (const u8 *)o->psk, strlen(o->psk),
				 (const u8 *)o->identity, strlen(o->identity)))
		return false;
	if (o->ca) {
		if (mbedtls_x509_crt_parse(&p->ca, (const u8 *)o->ca,
					   strlen(o->ca) + 1))
			return false;
		mbedtls_ssl_conf_ca_chain(&p->config, &p->ca, NULL);
	}
	if (!o->cert)
		return true;
	return !mbedtls_x509_crt_parse(&p->cert, (const u8 *)o->cert,
				       strlen(o->cert) + 1) &&
	       !parse_key(p, (const u8 *)o->key, strlen(o->key) + 1) &&
	       !mbedtls_ssl_conf_own_cert(&p->config, &p->cert, &p->key);
}

static bool set_server(struct peer *p)
{
	mbedtls_ssl_config *c = &p->config;

	if (mbedtls_ssl_cookie_setup(&p->cookie, mbedtls_ctr_drbg_random,
				     &p->random))
		return false;
	mbedtls_ssl_conf_dtls_cookies(c, mbedtls_ssl_cookie_write,
				      mbedtls_ssl_cookie_check, &p->cookie);
	mbedtls_ssl_conf_session_cache(c, &p->cache, mbedtls_ssl_cache_get,
				       mbedtls_ssl_cache_set);
	if (!p->o.tickets)
		return true;
	if (mbedtls_ssl_ticket_setup(&p->ticket, mbedtls_ctr_drbg_random,
				     &p->random, MBEDTLS_CIPHER_AES_256_GCM,
				     86400))
		return false;
	mbedtls_ssl_conf_session_tickets_cb(c, mbedtls_ssl_ticket_write,
					    mbedtls_ssl_ticket_parse,
					    &p->ticket);
	return true;
}

static bool set_up(struct peer *p)
{
	const struct peer_options *o = &p->o;
	mbedtls_ssl_config *c = &p->config;

	if (psa_crypto_init() != PSA_SUCCESS ||
	    mbedtls_ctr_drbg_seed(&p->random, mbedtls_entropy_func, &p->entropy,
				  NULL, 0) ||
	    mbedtls_ssl_config_defaults(c, o->server ? MBEDTLS_SSL_IS_SERVER :
						       MBEDTLS_SSL_IS_CLIENT,
					MBEDTLS_SSL_TRANSPORT_DATAGRAM,
					MBEDTLS_SSL_PRESET_DEFAULT) ||
	    !set_config(p))
		return false;
	mbedtls_ssl_conf_rng(c, mbedtls_ctr_drbg_random, &p->random);
	p->suites[0] = o->suite;
	mbedtls_ssl_conf_ciphersuites(c, p->suites);
	/* It doubles from here to there, and then gives up. */
	mbedtls_ssl_conf_handshake_timeout(c, TIMER_FIRST / 1000,
					   UINT32_MAX / 2);
	mbedtls_ssl_conf_extended_master_secret(c, o->no_ems ?
			MBEDTLS_SSL_EXTENDED_MS_DISABLED :
			MBEDTLS_SSL_EXTENDED_MS_ENABLED);
	mbedtls_ssl_conf_authmode(c, !o->server || o->request_cert ?
				     MBEDTLS_SSL_VERIFY_REQUIRED :
				     MBEDTLS_SSL_VERIFY_NONE);
	p->protocols[0] = o->alpn;
	if (o->alpn && mbedtls_ssl_conf_alpn_protocols(c, p->protocols))
		return false;
	if (!set_credentials(p))
		return false;
	if (o->server)
		return set_server(p);
	mbedtls_ssl_conf_session_tickets(c, o->tickets ?
					 MBEDTLS_SSL_SESSION_TICKETS_ENABLED :
					 MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
	return true;
}

static struct peer *open_peer(const struct peer_options *options)
{
	struct peer *p = calloc(1, sizeof(*p));

	p->o = *options;
	mbedtls_entropy_init(&p->entropy);
	mbedtls_ctr_drbg_init(&p->random);
	mbedtls_ssl_config_init(&p->config);
	mbedtls_ssl_cookie_init(&p->cookie);
	mbedtls_ssl_ticket_init(&p->ticket);
	mbedtls_ssl_cache_init(&p->cache);
	mbedtls_x509_crt_init(&p->ca);
	mbedtls_x509_crt_init(&p->cert);
	mbedtls_pk_init(&p->key);
	mbedtls_ssl_session_init(&p->session);
	if (set_up(p))
		return p;
	peer_mbedtls.close(p);
	return NULL;
}

/* Which address a cookie is for: it is asked before each hello. */
static bool set_address(struct peer *p)
{
	return !mbedtls_ssl_set_client_transport_id(&p->ssl,
						    (const u8 *)"address", 7);
}

static bool start_peer(struct peer *p, bool resume)
{
	mbedtls_ssl_init(&p->ssl);
	p->running = true;
	p->newest = 0;
	p->anew = false;
	memcpy(p->last_master, p->master, MASTER_SIZE);
	if (mbedtls_ssl_setup(&p->ssl, &p->config) || !set_later(p))
		return false;
	mbedtls_ssl_set_bio(&p->ssl, p, push, pull, NULL);
	mbedtls_ssl_set_timer_cb(&p->ssl, p, set_timer, get_timer);
	mbedtls_ssl_set_mtu(&p->ssl, (u16)p->o.mtu);
	if (p->o.server)
		return set_address(p);
	return !mbedtls_ssl_set_hostname(&p->ssl, PEER_NAME) &&
	       (!resume || !mbedtls_ssl_set_session(&p->ssl, &p->session));
}

static int step_peer(struct peer *p)
{
	int ret = mbedtls_ssl_handshake(&p->ssl);

	if (ret == MBEDTLS_ERR_SSL_HELLO_VERIFY_REQUIRED) {
		/* It starts over with each hello: nothing is kept. */
		mbedtls_ssl_session_reset(&p->ssl);
		return set_address(p) ? 0 : -1;
	}
	if (!ret)
		return 1;
	if (ret == MBEDTLS_ERR_SSL_WANT_READ ||
	    ret == MBEDTLS_ERR_SSL_WANT_WRITE)
		return 0;
	fprintf(stderr, "Mbed TLS: -0x%04x\n", -ret);
	return -1;
}

static bool send_peer(struct peer *p, const void *data, size_t len)
{
	return mbedtls_ssl_write(&p->ssl, data, len) == (int)len;
}

/*
 * A server that is done takes each ClientHello with a good cookie for that of a
 * client which has lost its state (RFC 6347 4.2.8), and drops its keys at once.
 * It does so, too, for a copy of the hello that began the association, if another
 * datagram has overtaken the copy.
 */
static long receive_peer(struct peer *p, void *data, size_t size)
{
	int n = mbedtls_ssl_read(&p->ssl, data, size);

	if (n == MBEDTLS_ERR_SSL_CLIENT_RECONNECT && p->late) {
		fprintf(stderr, "Mbed TLS: begins anew for a hello that came late\n");
		p->anew = true;
	}
	return n;
}

static bool gave_up_peer(struct peer *p)
{
	return p->anew;
}

/* It does not tell, but a new handshake makes a new master secret. */
static bool resumed_peer(struct peer *p)
{
	return !memcmp(p->master, p->last_master, MASTER_SIZE);
}

static bool export_peer(struct peer *p, const char *label, u8 *out, size_t len)
{
	return !mbedtls_ssl_tls_prf(p->prf, p->master, MASTER_SIZE, label,
				    p->randoms, sizeof(p->randoms), out, len);
}

static size_t alpn_peer(struct peer *p, const char **name)
{
	*name = mbedtls_ssl_get_alpn_protocol(&p->ssl);
	return *name ? strlen(*name) : 0;
}

static void stop_peer(struct peer *p)
{
	if (!p->running)
		return;
	mbedtls_ssl_session_free(&p->session);
	mbedtls_ssl_session_init(&p->session);
	mbedtls_ssl_get_session(&p->ssl, &p->session);
	mbedtls_ssl_free(&p->ssl);
	p->running = false;
}

static void close_peer(struct peer *p)
{
	stop_peer(p);
	mbedtls_ssl_session_free(&p->session);
	mbedtls_pk_free(&p->key);
	mbedtls_x509_crt_free(&p->cert);
	mbedtls_x509_crt_free(&p->ca);
	mbedtls_ssl_cache_free(&p->cache);
	mbedtls_ssl_ticket_free(&p->ticket);
	mbedtls_ssl_cookie_free(&p->cookie);
	mbedtls_ssl_config_free(&p->config);
	mbedtls_ctr_drbg_free(&p->random);
	mbedtls_entropy_free(&p->entropy);
	free(p);
}

const struct peer_ops peer_mbedtls = {
	.name = "Mbed TLS",
	.note = "a server takes a ClientHello in one piece only, which is "
		"longer than 256 with a ticket; a server that is done drops "
		"its keys if a copy of the client's hello comes late, and is "
		"tried anew; 2.28 has the connection IDs of a draft, which "
		"are not tried",
	.can = PEER_NO_EMS_SERVER | PEER_WHOLE_HELLO |
	       (MBEDTLS_VERSION_MAJOR >= 3 ? PEER_CID : 0),
	.gave_up = gave_up_peer,
	PEER_CALLS,
};
