// SPDX-License-Identifier: GPL-2.0
/*
 * The engine under BoringSSL's test runner: connects to it over TCP, takes part
 * in as many handshakes as asked for, echoes application data with every bit
 * turned over, and says on stderr why it gave up. The clock is the runner's.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../engine/end.h"
#include "settings.h"

/* What stands before each thing the runner says, and the one thing it hears */
#define PACKET		'P'	/* 32 bits of length, a datagram */
#define TIMEOUT		'T'	/* 64 bits, ns: so much time has passed */
#define TIMEOUT_ACK	't'
#define MTU		'M'	/* 32 bits, bytes */
#define EXPECT_TIMEOUT	'E'	/* 64 bits, ns: the time until the next expiry */
#define SET_TIMEOUT	'U'	/* 32 bits, ms */

#define START		1000000000ULL	/* ns on the clock when it begins */
#define US		1000		/* ns */
#define LIST_MAX	16
#define CERT_LIST_MAX	102400	/* bytes of a message if nothing is said */
#define EXPORT_MAX	4096

struct shim {
	struct end end;			/* first: the engine's context */
	const struct settings *s;
	bool resumed;			/* this connection is to resume one */
	u64 now;			/* ns; the engine's are µs */
	FILE *in;
	int fd;
	bool greeted;			/* what is due after the handshake is done */
	bool closed;			/* nothing more is to come */
	bool failed;
	bool retried;			/* there was a HelloRetryRequest */
	const struct dtls_identity *identity;	/* chosen in the handshake */
	char *alpn[LIST_MAX + 1];
	u16 srtp[LIST_MAX];
	size_t srtp_count;
};

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void __attribute__((noreturn)) unimplemented(void)
{
	exit(UNIMPLEMENTED);
}

static bool complain(struct shim *shim, const char *what)
{
	fprintf(stderr, "%s\n", what);
	shim->failed = true;
	shim->closed = true;
	return false;
}

/* To and from the runner */

static void write_all(int fd, const void *data, size_t len)
{
	const u8 *p = data;
	ssize_t n;

	/* A runner that has seen enough does not listen any more. */
	while (len && (n = write(fd, p, len)) > 0) {
		p += n;
		len -= (size_t)n;
	}
}

static void connect_runner(struct shim *shim)
{
	const struct settings *s = shim->s;
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons((u16)s->port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons((u16)s->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	uint64_t id = htole64((uint64_t)s->shim_id);
	const int on = 1;

	shim->fd = socket(s->ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	if (shim->fd < 0 ||
	    (s->ipv6 ? connect(shim->fd, (void *)&in6, sizeof(in6)) :
		       connect(shim->fd, (void *)&in, sizeof(in))))
		die("connect");
	/* Some tests take 65,536 turns: each is to be sent at once. */
	if (setsockopt(shim->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		die("setsockopt");
	shim->in = fdopen(shim->fd, "r");
	if (!shim->in)
		die("fdopen");
	write_all(shim->fd, &id, sizeof(id));
}

/* The runner may still be writing: read it to its end. */
static void disconnect_runner(struct shim *shim)
{
	shutdown(shim->fd, SHUT_WR);
	while (getc(shim->in) != EOF)
		;
	fclose(shim->in);
}

static void send_datagram(struct shim *shim, const u8 *datagram, size_t len)
{
	u8 header[5] = { PACKET };

	dtls_put_be(header + 1, 4, len);
	write_all(shim->fd, header, sizeof(header));
	write_all(shim->fd, datagram, len);
}

static void send_data(struct shim *shim, const u8 *data, size_t len)
{
	static u8 datagram[END_DATAGRAM];
	size_t n = end_send(&shim->end, data, len, datagram);

	if (!n)
		complain(shim, "cannot protect application data");
	send_datagram(shim, datagram, n);
}

static void update_keys(struct shim *shim)
{
	if (kdtls_engine_update_keys(shim->end.e, false))
		complain(shim, "the engine does not update its keys");
}

static void echo(struct end *end, const u8 *data, size_t len)
{
	struct shim *shim = (struct shim *)end;
	u8 turned[DTLS_RECORD_SIZE_MAX];
	size_t i;

	for (i = 0; i < len; i++)
		turned[i] = data[i] ^ 0xff;
	/* An empty record is nothing to a reader. */
	if (!len || shim->s->shim_shuts_down)
		return;
	if (shim->s->key_update)
		update_keys(shim);
	send_data(shim, turned, len);
	if (shim->s->key_update_before_read)
		update_keys(shim);
}

/* What the engine asks for */

static int verify(void *ctx, const struct kdtls_peer *peer)
{
	const struct shim *shim = ctx;
	const struct settings *s = shim->s;

	/* Who does not ask for verification takes what comes. */
	if (!s->verify_peer && !s->require_cert)
		return 0;
	if (s->verify_fail) {
		fprintf(stderr, "certificate refused\n");
		return s->custom_verify ? KDTLS_ALERT_CERTIFICATE_UNKNOWN :
					  KDTLS_ALERT_HANDSHAKE_FAILURE;
	}
	if (peer->result)
		fprintf(stderr, "%s\n", peer->reason);
	return peer->result ? KDTLS_ALERT_BAD_CERTIFICATE : 0;
}

static size_t psk_client(void *ctx, const char *hint, u8 *identity, size_t *len,
			 u8 *key)
{
	const struct shim *shim = ctx;
	const struct settings *s = shim->s;
	const char *wanted = s->psk_identity ? s->psk_identity : "";

	/* Without a hint it is for DTLS 1.3, where the runner knows none. */
	if (!hint && *wanted)
		return 0;
	if (strcmp(hint ? hint : "", wanted)) {
		fprintf(stderr, "another identity hint than expected\n");
		return 0;
	}
	*len = strlen(wanted);
	memcpy(identity, wanted, *len);
	memcpy(key, s->psk, strlen(s->psk));
	return strlen(s->psk);
}

static size_t psk_server(void *ctx, const u8 *identity, size_t len, u8 *key)
{
	const struct shim *shim = ctx;
	const struct settings *s = shim->s;
	const char *wanted = s->psk_identity ? s->psk_identity : "";

	if (len != strlen(wanted) || memcmp(identity, wanted, len))
		return 0;
	memcpy(key, s->psk, strlen(s->psk));
	return strlen(s->psk);
}

/* From settings to an endpoint */

/* A list as in the extension: each with its length before it */
static void set_alpn(struct shim *shim)
{
	const struct settings *s = shim->s;
	const char *p = s->advertise_alpn;
	unsigned int n = 0;
	size_t len;

	if (s->server && s->reject_alpn) {
		shim->alpn[n++] = strdup("nothing anybody offers");
	} else if (s->server && s->select_alpn) {
		shim->alpn[n++] = strdup(s->select_alpn);
	} else if (!s->server && p) {
		for (; *p && n < LIST_MAX; p += 1 + len) {
			len = (u8)*p;
			shim->alpn[n++] = strndup(p + 1, len);
		}
	}
	if (n)
		shim->end.config.alpn = (const char *const *)shim->alpn;
}

static void set_srtp(struct shim *shim)
{
	static const struct {
		const char *name;
		u16 id;
	} profiles[] = {
		{ "SRTP_AES128_CM_SHA1_80", 1 },
		{ "SRTP_AES128_CM_SHA1_32", 2 },
		{ "SRTP_AEAD_AES_128_GCM", 7 },
		{ "SRTP_AEAD_AES_256_GCM", 8 },
	};
	const char *p = shim->s->srtp_profiles;
	size_t i, len;

	for (; p && *p && shim->srtp_count < LIST_MAX; p += len) {
		p += *p == ':';
		len = strcspn(p, ":");
		for (i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
			if (strlen(profiles[i].name) == len &&
			    !memcmp(profiles[i].name, p, len))
				shim->srtp[shim->srtp_count++] = profiles[i].id;
	}
	shim->end.config.srtp = shim->srtp;
	shim->end.config.srtp_count = shim->srtp_count;
}

/* The engine has one list for what it signs with and for what it takes. */
static void set_schemes(struct shim *shim)
{
	const struct settings *s = shim->s;
	const struct numbers *schemes = &s->verify_prefs;
	unsigned int i;

	for (i = 0; i <= CREDENTIALS_MAX; i++) {
		if (!s->credential[i].signing_prefs.count)
			continue;
		if (!s->server || s->require_cert || s->verify_peer ||
		    s->credential_count)
			unimplemented();
		schemes = &s->credential[i].signing_prefs;
	}
	/* A server that asks for no certificate verifies nothing. */
	if (schemes == &s->verify_prefs && s->server && !s->require_cert)
		return;
	if (schemes->count) {
		shim->end.config.schemes = schemes->v;
		shim->end.config.scheme_count = schemes->count;
	}
}

static void set_versions(struct kdtls_config *config, const struct settings *s)
{
	long min = DTLS_VERSION_1_2, max = DTLS_VERSION_1_3;

	/* They count downwards. */
	if (s->no_12 || s->min_version == DTLS_VERSION_1_3)
		min = DTLS_VERSION_1_3;
	if (s->no_13 || s->max_version == DTLS_VERSION_1_2)
		max = DTLS_VERSION_1_2;
	if (s->max_version > DTLS_VERSION_1_2 || min < max)
		unimplemented();
	config->version_min = (u16)min;
	config->version_max = (u16)max;
}

static const u16 usual_groups[] = { 29, 23, 24 };

static void set_config(struct shim *shim)
{
	struct kdtls_config *config = &shim->end.config;
	const struct settings *s = shim->s;

	end_config(&shim->end, NULL);
	shim->end.data = echo;
	config->flags = KDTLS_NO_COOKIE | KDTLS_ALLOW_NO_EMS |
			KDTLS_NO_NAME_CHECK | KDTLS_NO_VERIFY | KDTLS_SHORT_PSK;
	if (s->no_ticket)
		config->flags |= KDTLS_NO_TICKETS;
	if (s->server && s->verify_peer)
		config->flags |= KDTLS_REQUEST_CERT;
	else if (s->server && s->require_cert)
		config->flags |= KDTLS_REQUIRE_CERT;
	config->cache_size = 16;
	config->ops.verify = verify;
	if (s->psk) {
		config->psk_hint = s->psk_identity;
		config->ops.psk_client = psk_client;
		config->ops.psk_server = psk_server;
	}
	if (s->mtu)
		config->mtu = (u32)s->mtu;
	config->mtu_min = config->mtu;	/* the runner changes it itself */
	/* The schedule that the runner knows; no round trip takes any time. */
	config->timeout_initial = s->timeout ? (u32)s->timeout : 400;
	config->timeout_min = config->timeout_initial;
	config->ack_delay = config->timeout_initial / 4;
	config->retransmits = 12;
	config->max_message = s->max_cert_list ? (u32)s->max_cert_list :
						 CERT_LIST_MAX;
	config->max_certificates = config->max_message;
	config->max_handshake = WR_MAX;
	/* The runner reckons with these, whatever else libcrypto has. */
	config->groups = usual_groups;
	config->group_count = sizeof(usual_groups) / sizeof(usual_groups[0]);
	if (s->groups.count) {
		config->groups = s->groups.v;
		config->group_count = s->groups.count;
	}
	/* Of the reasons for no early data one is not BoringSSL's own. */
	if (s->expect_early_reason &&
	    strcmp(s->expect_early_reason, "disabled"))
		unimplemented();
	set_versions(config, s);
	set_schemes(shim);
	set_alpn(shim);
	set_srtp(shim);
}

/* A whole file; to be freed */
static char *read_file(const char *name)
{
	FILE *f = fopen(name, "r");
	char *text = NULL;
	size_t size = 0;

	if (!f || getdelim(&text, &size, '\0', f) < 0)
		die(name);
	fclose(f);
	return text;
}

static void add_credential(struct shim *shim, const struct credential *c)
{
	char *cert, *key;

	int err;

	if (!c->key_file || (!c->cert_file && !c->raw))
		return;
	key = read_file(c->key_file);
	if (c->raw) {
		err = kdtls_endpoint_use_raw_key(shim->end.ep, key,
						 strlen(key));
	} else {
		cert = read_file(c->cert_file);
		err = kdtls_endpoint_use_certificate(shim->end.ep, cert,
						     strlen(cert), key,
						     strlen(key));
		free(cert);
	}
	free(key);
	/* The kinds of keys that are not taken are those that are not offered. */
	if (err)
		unimplemented();
}

static void add_credentials(struct shim *shim)
{
	const struct settings *s = shim->s;
	char *roots;
	unsigned int i;

	for (i = 0; i < s->credential_count; i++)
		add_credential(shim, &s->credential[i]);
	add_credential(shim, &s->credential[CREDENTIALS_MAX]);
	if (s->trust_cert) {
		roots = read_file(s->trust_cert);
		if (kdtls_endpoint_trust(shim->end.ep, roots, strlen(roots)))
			complain(shim, "roots cannot be read");
		free(roots);
	}
}

/* A new endpoint that can resume the sessions of the old one */
static void replace_endpoint(struct shim *shim, struct kdtls_endpoint *old)
{
	struct dtls_tickets tickets;
	struct dtls_cache cache;

	if (!old)
		return;
	tickets = shim->end.ep->tickets;
	shim->end.ep->tickets = old->tickets;
	old->tickets = tickets;
	cache = shim->end.ep->cache;
	shim->end.ep->cache = old->cache;
	old->cache = cache;
	kdtls_endpoint_free(old);
}

static void open_engine(struct shim *shim, struct kdtls_endpoint *old,
			const u8 *session, size_t session_len)
{
	const struct settings *s = shim->s;
	struct end *end = &shim->end;
	int err;

	err = kdtls_endpoint_new(&end->config, &end->ep);
	/* Suites, groups and schemes that are not known here, mostly */
	if (err)
		unimplemented();
	replace_endpoint(shim, old);
	add_credentials(shim);
	if (end_open(end, s->server ? KDTLS_SERVER : KDTLS_CLIENT))
		die("engine");
	if (s->server)
		return;
	if (s->host_name && kdtls_engine_set_name(end->e, s->host_name))
		complain(shim, "the engine refuses the name");
	if (shim->resumed && !session)
		complain(shim, "no session to offer");
	else if (session &&
		 kdtls_engine_set_session(end->e, session, session_len))
		complain(shim, "the engine refuses its session");
	if (kdtls_engine_start(end->e, shim->now / US))
		complain(shim, "the engine does not start");
}

/* What has been negotiated must be what was expected. */

static bool same(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

static long credential_number(const struct shim *shim)
{
	const struct dtls_identity *id = shim->end.ep->identities;
	const struct settings *s = shim->s;
	long i = 0;

	for (; id && id != shim->identity; id = id->next)
		i++;
	return i < (long)s->credential_count ? i : -1;
}

static bool check_session(struct shim *shim, const struct kdtls_info *info)
{
	const struct settings *s = shim->s;
	bool fresh = !info->resumed || s->expect_ticket_renewal;
	bool cached = info->version == DTLS_VERSION_1_2 && s->server &&
		      !info->resumed && shim->end.e->d12->session_id_len;

	if (info->resumed != (shim->resumed && !s->expect_session_miss))
		return complain(shim, info->resumed ?
				"the session was resumed" :
				"the session was not resumed");
	/* Those of DTLS 1.3 come after the handshake. */
	if (!s->server && info->version == DTLS_VERSION_1_2 &&
	    (fresh && !s->expect_no_session) != !!shim->end.sessions)
		return complain(shim, shim->end.sessions ?
				"a session to keep was not expected" :
				"a session to keep was expected");
	if (!shim->resumed && ((s->expect_session_id && !cached) ||
			       (s->expect_no_session_id && cached)))
		return complain(shim, cached ? "a session was cached" :
					       "no session was cached");
	return true;
}

/* What the ClientHello, the first thing in the transcript, offers */
static void check_offer(struct shim *shim)
{
	const struct dtls_transcript *t = &shim->end.e->hs->transcript;
	const char *wanted = shim->s->expect_advertised_alpn;
	struct dtls_bytes hello = { t->all.p, t->all.len }, head, body, alpn;
	struct dtls_client_hello ch;

	if (!rd_bytes(&hello, DTLS_MESSAGE_HEADER, &head) ||
	    !rd_bytes(&hello, (size_t)dtls_get_be(head.p + 1, 3), &body) ||
	    !dtls_hello_parse_client(&ch, body))
		return;
	alpn = ch.ext.ext[DTLS_EXT_ALPN];
	if (!rd_vec(&alpn, 2, &body) ||
	    !dtls_bytes_equal(body, wanted, strlen(wanted)))
		complain(shim, "other application protocols were offered");
}

static bool check(struct shim *shim)
{
	static const u8 none[32];
	const struct settings *s = shim->s;
	struct kdtls_info info;
	bool peer;

	kdtls_engine_info(shim->end.e, &info);
	peer = memcmp(info.peer_hash, none, sizeof(none));
	if (!check_session(shim, &info))
		return false;
	if ((s->expect_hrr && !shim->retried) ||
	    (s->expect_no_hrr && shim->retried))
		return complain(shim, shim->retried ? "there was a retry" :
						      "there was no retry");
	if (s->expect_early_reason && info.early != KDTLS_EARLY_NONE)
		return complain(shim, "there was early data");
	if (s->server && s->expect_server_name &&
	    !same(info.name, s->expect_server_name))
		return complain(shim, "another server name");
	if (s->server && s->expect_no_server_name && info.name)
		return complain(shim, "a server name");
	if (!same(info.alpn, s->server ? s->select_alpn : s->expect_alpn))
		return complain(shim, "another application protocol");
	if (s->expect_no_peer_cert || s->psk) {
		if (peer)
			return complain(shim, "the peer has a certificate");
	} else if ((!s->server || s->require_cert) && !peer) {
		return complain(shim, "the peer has no certificate");
	}
	if (s->expect_credential != CREDENTIAL_ANY && !info.resumed &&
	    s->expect_credential != credential_number(shim))
		return complain(shim, "another certificate was shown");
	return true;
}

static bool export_key(struct shim *shim)
{
	const struct settings *s = shim->s;
	const char *context = s->export_context ? s->export_context : "";
	u8 key[EXPORT_MAX];

	if (s->export_len > EXPORT_MAX ||
	    kdtls_engine_export(shim->end.e, s->export_label,
				s->use_export_context ? (const u8 *)context :
							NULL,
				strlen(context), key, (size_t)s->export_len))
		return complain(shim, "cannot export keying material");
	send_data(shim, key, (size_t)s->export_len);
	return true;
}

/* Once, as soon as the handshake is done */
static void greet(struct shim *shim)
{
	shim->greeted = true;
	if (!check(shim) || (shim->s->export_len && !export_key(shim)))
		return;
	if (shim->s->shim_writes_first)
		send_data(shim, (const u8 *)"hello", 5);
	if (shim->s->key_update_before_read)
		update_keys(shim);
	if (shim->s->shim_shuts_down) {
		kdtls_engine_close(shim->end.e);
		shim->closed = true;
	}
}

/* The connection */

static void flush(struct shim *shim)
{
	static u8 datagram[END_DATAGRAM];
	long n;

	/*
	 * The engine gives each message of a flight that is sent again a record
	 * of its own. The runner wants records that are full.
	 */
	motion(shim->end.e)->flight.again = false;
	while ((n = end_output(&shim->end, datagram, sizeof(datagram),
			       shim->now / US)) > 0)
		send_datagram(shim, datagram, (size_t)n);
}

static void report(struct shim *shim)
{
	struct kdtls_failure failure;

	kdtls_engine_failure(shim->end.e, &failure);
	if (!failure.error)
		return;
	if (failure.alert_received != KDTLS_ALERT_NONE)
		fprintf(stderr, "alert %u received\n", failure.alert_received);
	complain(shim, failure.reason);
}

/* After anything that may have moved the engine */
static void look(struct shim *shim)
{
	const struct kdtls_engine *e = shim->end.e;

	if (e->hs && e->hs->identity)
		shim->identity = e->hs->identity;
	if (e->hs && e->hs->retried)
		shim->retried = true;
	if (e->server && e->hs && e->version && shim->s->expect_advertised_alpn)
		check_offer(shim);
	flush(shim);
	report(shim);
	if (!shim->closed && end_established(&shim->end) && !shim->greeted) {
		greet(shim);
		flush(shim);
	}
	if (kdtls_engine_state(e) == KDTLS_CLOSED)
		shim->closed = true;
}

static u64 read_number(struct shim *shim, size_t len)
{
	u8 bytes[8];

	if (fread(bytes, 1, len, shim->in) != len) {
		complain(shim, "the runner broke off");
		return 0;
	}
	return dtls_get_be(bytes, (unsigned int)len);
}

static void read_datagram(struct shim *shim)
{
	static u8 datagram[END_DATAGRAM];
	size_t len = read_number(shim, 4);

	if (len > sizeof(datagram) ||
	    fread(datagram, 1, len, shim->in) != len)
		complain(shim, "the runner broke off");
	else
		end_input(&shim->end, datagram, len, shim->now / US);
}

static void check_timeout(struct shim *shim, u64 ns)
{
	u64 expiry = kdtls_engine_expiry(shim->end.e);
	u64 wanted = ns == UINT64_MAX ? KDTLS_NEVER : (shim->now + ns) / US;

	/* The time to give up waiting is the engine's own affair. */
	if (ns == UINT64_MAX && dtls_flight_done(&motion(shim->end.e)->flight) &&
	    expiry == motion(shim->end.e)->timer.expiry)
		return;
	/* The engine's settings are in milliseconds. */
	if ((expiry > wanted ? expiry - wanted : wanted - expiry) >= 1000)
		complain(shim, expiry == KDTLS_NEVER ? "no time-out" :
			 expiry < wanted ? "an earlier time-out" :
			 "a later time-out");
}

static void serve(struct shim *shim)
{
	int what = getc(shim->in);

	switch (what) {
	case PACKET:
		read_datagram(shim);
		break;
	case TIMEOUT:
		shim->now += read_number(shim, 8);
		write_all(shim->fd, &(char){ TIMEOUT_ACK }, 1);
		kdtls_engine_expire(shim->end.e, shim->now / US);
		break;
	case MTU:
		kdtls_engine_set_mtu(shim->end.e, (u32)read_number(shim, 4));
		break;
	case EXPECT_TIMEOUT:
		check_timeout(shim, read_number(shim, 8));
		break;
	case SET_TIMEOUT:
		unimplemented(); /* timers belong to the endpoint */
	case EOF:
		if (!shim->greeted)
			complain(shim, "the runner left during the handshake");
		shim->closed = true;
		break;
	default:
		complain(shim, "the runner speaks another language");
		break;
	}
}

/* By the end there is a session, unless nobody listened for it. */
static void check_late_session(struct shim *shim)
{
	const struct settings *s = shim->s;
	struct kdtls_info info;

	kdtls_engine_info(shim->end.e, &info);
	if (!shim->failed && !s->server && info.version == DTLS_VERSION_1_3 &&
	    !s->shim_shuts_down && s->expect_no_session != !shim->end.sessions)
		complain(shim, shim->end.sessions ?
			 "a session to keep was not expected" :
			 "a session to keep was expected");
}

static bool run_connection(struct shim *shim, const struct settings *s,
			   bool resumed)
{
	struct kdtls_endpoint *old = shim->end.ep;
	u8 *session = shim->end.session;
	size_t session_len = shim->end.session_len;
	unsigned int i;

	memset(shim, 0, sizeof(*shim));
	shim->s = s;
	shim->resumed = resumed;
	shim->now = START;
	set_config(shim);
	open_engine(shim, old, session, session_len);
	connect_runner(shim);
	look(shim);
	while (!shim->closed) {
		serve(shim);
		look(shim);
	}
	disconnect_runner(shim);
	check_late_session(shim);

	for (i = 0; shim->alpn[i]; i++)
		free(shim->alpn[i]);
	end_close(&shim->end);
	/* Without a new one the old one is still there to be offered. */
	if (!shim->end.session) {
		shim->end.session = session;
		shim->end.session_len = session_len;
	} else {
		free(session);
	}
	return !shim->failed;
}

/* What a sanitizer says after this line is a failure of its own. */
static void mark_end(void)
{
	fprintf(stderr, "--- DONE ---\n");
}

int main(int argc, char **argv)
{
	struct settings first, resumed;
	static struct shim shim;
	bool ok = true;
	long i;

	settings_parse(&first, argc, argv, false);
	settings_parse(&resumed, argc, argv, true);
	if (first.handshaker_supported) {
		puts("No");
		return EXIT_SUCCESS;
	}
	if (!first.dtls)
		return UNIMPLEMENTED;
	signal(SIGPIPE, SIG_IGN);
	atexit(mark_end);
	for (i = 0; ok && i <= first.resume_count; i++) {
		ok = run_connection(&shim, i ? &resumed : &first, i);
		if (!ok)
			fprintf(stderr, "connection %ld failed\n", i);
	}
	end_exit(&shim.end);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
