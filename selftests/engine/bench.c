// SPDX-License-Identifier: GPL-2.0
/*
 * bench [SECONDS]: handshakes per second of processor time (both ends, in one
 * process) and heap per idle session, beside OpenSSL and GnuTLS, each the best
 * of some rounds. Every server asks for a cookie and issues tickets, every
 * client verifies certificates.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "end.h"
#include "peer.h"

#define SESSIONS	100	/* held at once, to weigh them */
#define ROUNDS		5
#define BATCH		16	/* handshakes between two looks at the clock */

enum kind { PSK, ECDSA, RESUMED, KINDS };

static const char *const kind_name[KINDS] = {
	"PSK", "ECDHE-ECDSA P-256", "resumed",
};

static struct cert ca, leaf;
static double duration = 2;

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: %s failed\n", what);
	exit(1);
}

/* Our engine */

static const u16 psk_suite[] = { 0x00a8 }, ecdsa_suite[] = { 0xc02b };
static const u16 p256[] = { 23 };

static void configure(struct end *end, enum kind kind)
{
	end_config(end, kind == ECDSA ? NULL : psk);
	end->config.suites = kind == ECDSA ? ecdsa_suite : psk_suite;
	end->config.suite_count = 1;
	end->config.groups = p256;
	end->config.group_count = 1;
	end->config.ops.keylog = NULL;	/* the others write none either */
}

static void engine_handshake(struct end *client, struct end *server,
			     enum kind kind)
{
	bool resume = kind == RESUMED && client->session;

	must(!end_open(client, KDTLS_CLIENT) && !end_open(server, KDTLS_SERVER),
	     "open");
	if (kind == ECDSA && !server->ep->identities)
		must(!trust(client, &ca) && !show(server, &leaf),
		     "certificate");
	must(!kdtls_engine_set_name(client->e, PEER_NAME), "name");
	if (resume)
		must(!kdtls_engine_set_session(client->e, client->session,
					       client->session_len), "session");
	must(!end_handshake(client, server) && end_established(client) &&
	     end_established(server) &&
	     client->e->resumed == resume,
	     "handshake");
}

static double engine_rate(enum kind kind)
{
	static struct end client, server;
	unsigned long n = 0;
	double start;

	configure(&client, kind);
	configure(&server, kind);
	engine_handshake(&client, &server, kind);
	start = seconds();
	while (n % BATCH || seconds() - start < duration) {
		end_close(&client);
		end_close(&server);
		engine_handshake(&client, &server, kind);
		n++;
	}
	start = seconds() - start;
	end_exit(&client);
	end_exit(&server);
	return (double)n / start;
}

/* Engines alone: the keys are the kernel's, and the peer was heard. */
static double engine_heap(void)
{
	static struct end client[SESSIONS], server[SESSIONS];
	size_t before = 0;
	int i;

	for (i = 0; i < SESSIONS; i++) {
		configure(&client[i], PSK);
		configure(&server[i], PSK);
		if (i) {
			client[i].ep = client[0].ep;
			server[i].ep = server[0].ep;
		}
		if (i == 1)
			before = mallinfo2().uordblks;
		engine_handshake(&client[i], &server[i], PSK);
		kdtls_engine_confirm(server[i].e);
		dtls_protection_free(client[i].rx);
		dtls_protection_free(client[i].tx);
		dtls_protection_free(server[i].rx);
		dtls_protection_free(server[i].tx);
		free(client[i].session);
		client[i].session = NULL;
	}
	return (double)(mallinfo2().uordblks - before) / (SESSIONS - 1) / 2;
}

/* The others */

static const struct peer_ops *const others_type[] = { &peer_openssl,
							&peer_gnutls };

struct others {
	const struct peer_ops *type;
	struct peer_options client, server;
	struct wire to_server, to_client;
	struct peer *c, *s;
};

static void others_open(struct others *o, enum kind kind)
{
	o->client = (struct peer_options){
		.suite = kind == ECDSA ? 0xc02b : 0x00a8,
		.psk = kind == ECDSA ? NULL : psk,
		.identity = "Client_identity",
		.ca = kind == ECDSA ? ca.pem : NULL,
		.tickets = true,
		.mtu = 1400,
		.in = &o->to_client,
		.out = &o->to_server,
	};
	o->server = o->client;
	o->server.server = true;
	o->server.cert = kind == ECDSA ? leaf.pem : NULL;
	o->server.key = kind == ECDSA ? leaf.key_pem : NULL;
	o->server.in = &o->to_server;
	o->server.out = &o->to_client;
	o->c = o->type->open(&o->client);
	o->s = o->type->open(&o->server);
	must(o->c && o->s, o->type->name);
}

static void others_handshake(struct others *o, bool resume)
{
	int c = 0, s = 0;

	wire_clear(&o->to_client);
	wire_clear(&o->to_server);
	must(o->type->start(o->c, resume) && o->type->start(o->s, false),
	     o->type->name);
	while (c != 1 || s != 1) {
		if (c != 1)
			c = o->type->step(o->c);
		if (s != 1)
			s = o->type->step(o->s);
		must(c >= 0 && s >= 0, o->type->name);
	}
	must(!resume || o->type->resumed(o->c), "resumption");
}

static double others_rate(const struct peer_ops *type, enum kind kind)
{
	static struct others o;
	unsigned long n = 0;
	double start;

	memset(&o, 0, sizeof(o));
	o.type = type;
	others_open(&o, kind);
	others_handshake(&o, false);
	start = seconds();
	while (n % BATCH || seconds() - start < duration) {
		o.type->stop(o.c);
		o.type->stop(o.s);
		others_handshake(&o, kind == RESUMED);
		n++;
	}
	start = seconds() - start;
	o.type->close(o.c);
	o.type->close(o.s);
	return (double)n / start;
}

/* With their contexts shared as ours are, or they would weigh too much */
static double others_heap(const struct peer_ops *type)
{
	static struct others o;
	size_t before, after;
	int i;

	memset(&o, 0, sizeof(o));
	o.type = type;
	others_open(&o, PSK);
	others_handshake(&o, false);
	o.type->stop(o.c);
	o.type->stop(o.s);
	before = mallinfo2().uordblks;
	/* Started again without a stop, the old session stays where it is. */
	for (i = 0; i < SESSIONS; i++)
		others_handshake(&o, false);
	after = mallinfo2().uordblks;
	return (double)(after - before) / SESSIONS / 2;
}

/* Whatever else the machine does makes a round slower, never faster. */
static void rates(enum kind kind, double *best)
{
	double rate;
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < 3; i++) {
			rate = i ? others_rate(others_type[i - 1], kind) :
				   engine_rate(kind);
			if (rate > best[i])
				best[i] = rate;
		}
	}
}

int main(int argc, char **argv)
{
	enum kind kind;

	if (argc > 1)
		duration = atof(argv[1]);
	duration /= ROUNDS;
	cert_make(&ca, &(struct cert_options){ .ca = true });
	cert_make(&leaf, &(struct cert_options){ .issuer = &ca,
		  .name = "DNS:" PEER_NAME });
	printf("%-28s %10s %10s %10s\n", "", "kdtls", "OpenSSL", "GnuTLS");
	for (kind = 0; kind < KINDS; kind++) {
		double best[3] = { 0 };

		rates(kind, best);
		printf("%-18s per second %9.0f %10.0f %10.0f\n",
		       kind_name[kind], best[0], best[1], best[2]);
	}
	printf("%-28s %10.0f %10.0f %10.0f\n", "heap per idle session, bytes",
	       engine_heap(), others_heap(others_type[0]),
	       others_heap(others_type[1]));
	cert_free(&ca);
	cert_free(&leaf);
	return 0;
}
