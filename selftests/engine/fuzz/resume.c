// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions that another pair of endpoints has made, with other keys, roots or
 * checks, and altered at that: in the client's hands, and in a ticket under the
 * server's own key. Whoever resumes one is as sure of the peer as this
 * configuration wants it.
 */
#include <stdlib.h>

#include "common.h"

#define LIFE	86400

/* What a pair of endpoints is configured with */
struct kind {
	const char *psk;
	u8 roots;		/* which certificates are shown and trusted */
	bool raw;		/* and they are raw keys */
	u32 client_flags, server_flags;
};

static const char one_key[] = "secret of theirs", other_key[] = "another of these";

static const struct kind kinds[] = {
	{ one_key, 0, false, 0, 0 },
	{ other_key, 0, false, 0, 0 },
	{ NULL, 0, false, 0, 0 },
	{ NULL, 1, false, 0, 0 },
	{ NULL, 0, false, 0, KDTLS_REQUIRE_CERT },
	{ NULL, 1, false, KDTLS_NO_VERIFY,
	  KDTLS_REQUEST_CERT | KDTLS_NO_VERIFY },
	{ NULL, 0, true, 0, KDTLS_REQUIRE_CERT },
	{ one_key, 0, false, 0, KDTLS_REQUEST_CERT },
};

#define KINDS	(sizeof(kinds) / sizeof(kinds[0]))

/* A session as the client keeps it, and as its ticket holds it */
struct made {
	u8 *client, *server;
	size_t client_len, server_len;
};

static struct kdtls_endpoint *endpoint[KINDS][2];
static struct made made[KINDS][2];
static struct cert cert[2];
static int64_t start;

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void configure(struct end *end, const struct kind *k, bool server)
{
	end_version = DTLS_VERSION_1_3;
	end_config(end, k->psk);
	end->unix_time = start;
	end->config.cache_size = 4;
	end->config.max_early_data = 4096;
	end->config.ticket_life = LIFE;
	end->config.flags = server ? k->server_flags | KDTLS_NO_COOKIE :
				     k->client_flags;
}

static void equip(struct kdtls_endpoint *ep, const struct kind *k)
{
	const struct cert *c = &cert[k->roots];

	if (k->raw) {
		must(!kdtls_endpoint_trust_raw_key(ep, c->public_pem,
						   strlen(c->public_pem)));
		must(!kdtls_endpoint_use_raw_key(ep, c->key_pem,
						 strlen(c->key_pem)));
	} else {
		must(!kdtls_endpoint_trust(ep, c->pem, strlen(c->pem)));
		must(!kdtls_endpoint_use_certificate(ep, c->pem, strlen(c->pem),
						     c->key_pem,
						     strlen(c->key_pem)));
	}
}

static void open_end(struct end *end, unsigned int kind, bool server,
		     bool speaks13)
{
	struct kdtls_endpoint **ep = &endpoint[kind][server];

	configure(end, &kinds[kind], server);
	end->ep = *ep;
	must(!end_open(end, server ? KDTLS_SERVER : KDTLS_CLIENT));
	if (!*ep) {
		*ep = end->ep;
		equip(end->ep, &kinds[kind]);
	}
	end->ep->speaks13 = speaks13;
	if (!server)
		must(!kdtls_engine_set_name(end->e, "end.example"));
}

static void close_end(struct end *end)
{
	end->ep = NULL;
	end_exit(end);
}

/* What a session's ticket holds is known to the server that made it. */
static void make_session(unsigned int kind, bool speaks13)
{
	struct made *m = &made[kind][speaks13];
	struct dtls_writer plain = { 0 };
	struct dtls_session s, inner;
	struct end c, t;

	open_end(&c, kind, false, speaks13);
	open_end(&t, kind, true, speaks13);
	must(!end_handshake(&c, &t) && end_agree(&c, &t) && c.session);
	m->client = c.session;
	m->client_len = c.session_len;
	c.session = NULL;
	must(dtls_session_read(&s, (struct dtls_bytes){ m->client,
			       m->client_len }));
	must(dtls_ticket_open(&t.ep->tickets, &t.ep->crypto, s.ticket, start,
			      &plain, &inner));
	m->server = OPENSSL_memdup(plain.p, plain.len);
	m->server_len = plain.len;
	wr_free(&plain);
	close_end(&c);
	close_end(&t);
}

static void make_all(void)
{
	struct cert_options o = {
		.kind = CERT_ED25519, .name = "DNS:end.example",
		.from = -LIFE, .to = 2 * LIFE,
	};
	unsigned int i;

	if (start)
		return;
	start = time(NULL);
	cert_make(&cert[0], &o);
	cert_make(&cert[1], &o);
	for (i = 0; i < KINDS; i++) {
		make_session(i, false);
		make_session(i, true);
	}
}

/* A copy with some bytes altered, as the input says */
static u8 *altered(const u8 *from, size_t len, struct dtls_bytes *in)
{
	u8 *copy = malloc(len);
	u8 count = 0, value;
	u16 at;

	memcpy(copy, from, len);
	rd_u8(in, &count);
	for (count %= 8; count; count--)
		if (rd_u16(in, &at) && rd_u8(in, &value))
			copy[at % len] ^= value;
	return copy;
}

/* Put a ticket under the server's own key, with @inner in it, into @outer. */
static bool reseal(struct end *server, struct dtls_session *outer,
		   struct dtls_bytes inner, struct dtls_writer *out)
{
	struct dtls_writer ticket = { 0 };
	struct dtls_session s;
	bool ok;

	ok = dtls_session_read(&s, inner) &&
	     dtls_ticket_seal(&server->ep->tickets, &server->ep->crypto, &s,
			      start, &ticket);
	if (ok) {
		outer->ticket = (struct dtls_bytes){ ticket.p, ticket.len };
		dtls_session_write(outer, out);
		ok = !out->failed;
	}
	wr_free(&ticket);
	return ok;
}

static void give_session(struct end *client, struct end *server,
			 const struct made *m, bool own_ticket,
			 struct dtls_bytes *in)
{
	u8 *outer = altered(m->client, m->client_len, in);
	u8 *inner = altered(m->server, m->server_len, in);
	struct dtls_writer w = { 0 };
	struct dtls_session s;

	if (own_ticket &&
	    dtls_session_read(&s, (struct dtls_bytes){ outer,
			      m->client_len }) &&
	    reseal(server, &s, (struct dtls_bytes){ inner, m->server_len }, &w))
		kdtls_engine_set_session(client->e, w.p, w.len);
	else
		kdtls_engine_set_session(client->e, outer, m->client_len);
	kdtls_engine_send_early(client->e, (const u8 *)"early", 5);
	wr_free(&w);
	free(outer);
	free(inner);
}

/* @end of a pair of kind @to resumed what a pair of kind @from has made. */
static void check(const struct end *end, const struct kind *from,
		  const struct kind *to, bool server)
{
	struct kdtls_info info = info_of(end);
	u32 flags = server ? to->server_flags : to->client_flags;
	u8 wanted = KDTLS_VERIFIED_CHAIN;

	must(info.authenticated <= end->unix_time &&
	     end->unix_time - info.authenticated < LIFE);
	must(!info.chain_end || end->unix_time < info.chain_end);
	switch (info.auth) {
	case KDTLS_AUTH_PSK:
		must(to->psk && from->psk == to->psk);
		must(!(flags & KDTLS_REQUIRE_CERT) || !server);
		must(info.psk_identity_len == strlen(end->identity) &&
		     !memcmp(info.psk_identity, end->identity,
			     info.psk_identity_len));
		break;
	case KDTLS_AUTH_NONE:
		must(server && !(flags & KDTLS_REQUIRE_CERT));
		break;
	case KDTLS_AUTH_CERTIFICATE:
		if (!server)
			wanted |= KDTLS_VERIFIED_NAME;
		/* fall through */
	case KDTLS_AUTH_RAW_KEY:
		must(flags & KDTLS_NO_VERIFY ||
		     (from->roots == to->roots && from->raw == to->raw &&
		      !(wanted & ~info.verified)));
		break;
	default:
		abort();
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct dtls_bytes in = { data, len };
	struct end client, server;
	u8 version, kind, how;
	u16 hours;
	bool both;

	if (!rd_u8(&in, &version) || !rd_u8(&in, &kind) || !rd_u8(&in, &how) ||
	    !rd_u16(&in, &hours))
		return 0;
	make_all();
	open_end(&client, kind % KINDS, false, version & 1);
	open_end(&server, kind % KINDS, true, version & 1);
	give_session(&client, &server,
		     &made[kind / KINDS % KINDS][version >> 1 & 1], how & 1,
		     &in);
	client.unix_time += how & 2 ? hours * 60 : 0;
	server.unix_time += how & 4 ? hours * 60 : 0;
	end_handshake(&client, &server);
	both = end_established(&client) && end_established(&server);
	must(!both || end_agree(&client, &server));
	if (end_established(&client) && info_of(&client).resumed)
		check(&client, &kinds[kind / KINDS % KINDS],
		      &kinds[kind % KINDS], false);
	if (end_established(&server) && info_of(&server).resumed)
		check(&server, &kinds[kind / KINDS % KINDS],
		      &kinds[kind % KINDS], true);
	close_end(&client);
	close_end(&server);
	return 0;
}
