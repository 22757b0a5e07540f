// SPDX-License-Identifier: GPL-2.0
/*
 * Our engine against OpenSSL and GnuTLS, both roles: what the bytes mean is
 * proven by peers nobody here wrote.
 */
#include <kselftest_harness.h>
#include <time.h>

#include "peer.h"

static const char psk[] = "0123456789abcdef";
static const char *const protocols[] = { "coap", NULL };
static const u16 profiles[] = { 0x0007 }; /* SRTP_AEAD_AES_128_GCM */

FIXTURE(interop)
{
	struct end end;
	struct peer_options options;
	struct wire to_peer, from_peer;
	struct cert ca, cert;
	void *peer;
	u16 suites[1];
};

FIXTURE_VARIANT(interop)
{
	const struct peer_type *type;
	bool peer_is_server;
	u16 suite;
	enum cert_kind kind;
};

#define VARIANT(name, peer, server, number, key)			\
FIXTURE_VARIANT_ADD(interop, name)					\
{									\
	.type = &peer, .peer_is_server = server, .suite = number, .kind = key, \
}

#define BOTH_ROLES(peer, name, number, key)				\
	VARIANT(peer##_server_##name, peer_##peer, true, number, key);	\
	VARIANT(peer##_client_##name, peer_##peer, false, number, key)

#define BOTH_PEERS(name, number, key)					\
	BOTH_ROLES(openssl, name, number, key);				\
	BOTH_ROLES(gnutls, name, number, key)

BOTH_PEERS(ecdsa_gcm128, 0xc02b, CERT_P256);
BOTH_PEERS(ecdsa_gcm256_p384, 0xc02c, CERT_P384);
BOTH_PEERS(ecdsa_chacha, 0xcca9, CERT_P256);
BOTH_PEERS(ecdsa_ccm, 0xc0ac, CERT_P256);
BOTH_PEERS(ecdsa_ccm8, 0xc0ae, CERT_P256);
/* An OpenSSL 3.0 server takes Ed25519 for TLS alone. */
VARIANT(openssl_client_ed25519_gcm128, peer_openssl, false, 0xc02b,
	CERT_ED25519);
BOTH_ROLES(gnutls, ed25519_gcm128, 0xc02b, CERT_ED25519);
BOTH_PEERS(rsa_gcm128, 0xc02f, CERT_RSA);
BOTH_PEERS(rsa_gcm256, 0xc030, CERT_RSA);
BOTH_PEERS(rsa_chacha, 0xcca8, CERT_RSA);
BOTH_PEERS(psk_gcm128, 0x00a8, 0);
BOTH_PEERS(psk_gcm256, 0x00a9, 0);
BOTH_PEERS(psk_chacha, 0xccab, 0);
BOTH_PEERS(psk_ccm, 0xc0a4, 0);
BOTH_PEERS(psk_ccm8, 0xc0a8, 0);
BOTH_PEERS(ecdhe_psk_chacha, 0xccac, 0);

static bool uses_psk(u16 suite)
{
	return dtls_suite_find(suite)->kx & DTLS_KX_PSK;
}

FIXTURE_SETUP(interop)
{
	bool with_psk = uses_psk(variant->suite);

	end_config(&self->end, with_psk ? psk : NULL);
	self->suites[0] = variant->suite;
	self->end.config.suites = self->suites;
	self->end.config.suite_count = 1;
	self->end.config.timeout_initial = 50;
	self->end.config.retransmits = 30;
	self->end.config.timeout_max = 400;
	self->end.config.psk_hint = "hint";
	cert_make(&self->ca, &(struct cert_options){
		.kind = CERT_P256, .ca = true });
	if (!with_psk)
		cert_make(&self->cert, &(struct cert_options){
			.kind = variant->kind, .issuer = &self->ca,
			.name = "DNS:end.example",
			.key_usage = "digitalSignature" });
	self->options = (struct peer_options){
		.server = variant->peer_is_server,
		.suite = variant->suite,
		.psk = with_psk ? psk : NULL,
		.identity = "Client_identity",
		.ca = with_psk ? NULL : &self->ca,
		.cert = with_psk ? NULL : &self->cert,
		.tickets = true,
		.mtu = 1400,
		.in = &self->to_peer,
		.out = &self->from_peer,
	};
}

FIXTURE_TEARDOWN(interop)
{
	if (self->peer)
		variant->type->close(self->peer);
	end_exit(&self->end);
	cert_free(&self->cert);
	cert_free(&self->ca);
}

static u64 now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000 + (u64)ts.tv_nsec / 1000;
}

static void drain(struct end *end, struct wire *to_peer)
{
	u8 buf[WIRE_SIZE];
	long n;

	while ((n = end_output(end, buf, sizeof(buf), now_us())) > 0)
		wire_put(to_peer, buf, (size_t)n);
}

/* Take part in what the peer sends. Return: false when the engine has failed. */
static bool feed(struct end *end, struct wire *from_peer, struct wire *to_peer)
{
	u8 buf[WIRE_SIZE];
	size_t n;

	while ((n = wire_get(from_peer, buf, sizeof(buf)))) {
		if (end_input(end, buf, n, now_us()))
			return false;
		drain(end, to_peer);
	}
	if (kdtls_engine_expire(end->e, now_us()))
		return false;
	drain(end, to_peer);
	return true;
}

/* Run until both ends are done. */
static bool run(struct end *end, const struct peer_type *type, void *peer,
		struct wire *from_peer, struct wire *to_peer)
{
	u64 deadline = now_us() + 20000000;
	struct kdtls_failure failure;
	u8 buf[WIRE_SIZE];
	int done = 0;

	drain(end, to_peer);
	while (now_us() < deadline) {
		/* A peer that is done answers for its last flight when it reads. */
		if (done == 1)
			type->receive(peer, buf, sizeof(buf));
		else
			done = type->step(peer);
		if (done < 0)
			return false;
		if (!feed(end, from_peer, to_peer)) {
			kdtls_engine_failure(end->e, &failure);
			fprintf(stderr, "engine: %s\n", failure.reason);
			return false;
		}
		if (done == 1 && end_established(end))
			return true;
		if (from_peer->head == from_peer->tail &&
		    to_peer->head == to_peer->tail)
			usleep(2000);
	}
	fprintf(stderr, "time-out: peer %d, engine %d\n", done,
		kdtls_engine_state(end->e));
	return false;
}

static bool open_end(struct end *end, bool server, const struct cert *ca,
		     const struct cert *cert)
{
	if (end_open(end, server ? KDTLS_SERVER : KDTLS_CLIENT))
		return false;
	if (cert && !end->ep->identities &&
	    (kdtls_endpoint_trust(end->ep, ca->pem, strlen(ca->pem)) ||
	     kdtls_endpoint_use_certificate(end->ep, cert->pem,
					    strlen(cert->pem), cert->key_pem,
					    strlen(cert->key_pem))))
		return false;
	return server || !kdtls_engine_set_name(end->e, "end.example");
}

/* From scratch to keys on both sides */
static bool connect_them(struct end *end, const struct peer_options *o,
			 const struct peer_type *type, void *peer, bool resume)
{
	if (!open_end(end, !o->server, o->ca, o->cert))
		return false;
	if (resume && o->server &&
	    kdtls_engine_set_session(end->e, end->session, end->session_len))
		return false;
	if (!type->start(peer, resume))
		return false;
	if (o->server && kdtls_engine_start(end->e, now_us()))
		return false;
	return run(end, type, peer, o->out, o->in);
}

/* Data both ways, and the same exporter */
static bool proven(struct end *end, const struct peer_options *o,
		   const struct peer_type *type, void *peer)
{
	static const char label[] = "EXTRACTOR-dtls_srtp";
	u8 buf[256], ours[60], theirs[60];
	size_t n;

	o->in->seed = 0;
	o->out->seed = 0;
	while (wire_get(o->in, buf, sizeof(buf)))
		;
	n = end_send(end, "over", 4, buf);
	wire_put(o->in, buf, n);
	if (type->receive(peer, buf, sizeof(buf)) != 4 ||
	    memcmp(buf, "over", 4) || !type->send(peer, "back", 4) ||
	    !feed(end, o->out, o->in) || end->received_len != 4 ||
	    memcmp(end->received, "back", 4))
		return false;
	/* Without extended master secret there is no exporter: RFC 7627 5.4 */
	if (o->no_ems)
		return kdtls_engine_export(end->e, label, NULL, 0, ours,
					   sizeof(ours)) == -KDTLS_EUSAGE;
	return !kdtls_engine_export(end->e, label, NULL, 0, ours,
				    sizeof(ours)) &&
	       type->export(peer, label, theirs, sizeof(theirs)) &&
	       !memcmp(ours, theirs, sizeof(ours));
}

#define OPEN_PEER() do {						\
	self->peer = variant->type->open(&self->options);		\
	ASSERT_NE(NULL, self->peer);					\
} while (0)

#define CONNECT(resume)							\
	ASSERT_TRUE(connect_them(&self->end, &self->options, variant->type, \
				 self->peer, resume))

#define PROVE()								\
	EXPECT_TRUE(proven(&self->end, &self->options, variant->type,	\
			   self->peer))

TEST_F(interop, full_handshake)
{
	struct kdtls_info info;

	self->end.config.alpn = protocols;
	self->end.config.srtp = profiles;
	self->end.config.srtp_count = 1;
	self->options.alpn = "coap";
	self->options.srtp = "SRTP_AEAD_AES_128_GCM";
	if (variant->type == &peer_gnutls) {
		/* It knows no profile with AEAD. */
		self->options.srtp = NULL;
		self->end.config.srtp_count = 0;
	}
	OPEN_PEER();
	CONNECT(false);
	PROVE();
	kdtls_engine_info(self->end.e, &info);
	EXPECT_EQ(variant->suite, info.suite);
	EXPECT_STREQ("coap", info.alpn);
	EXPECT_STREQ("coap", variant->type->alpn(self->peer));
	EXPECT_EQ(self->options.srtp ? profiles[0] : 0, info.srtp_profile);
	EXPECT_STREQ("end.example", info.name);
}

TEST_F(interop, client_certificate)
{
	struct kdtls_info info;

	if (uses_psk(variant->suite)) {
		/* Such a suite has none: it must not be asked for. */
		self->end.config.flags |= KDTLS_REQUEST_CERT;
	} else {
		self->end.config.flags |= KDTLS_REQUIRE_CERT;
		self->options.request_cert = true;
	}
	OPEN_PEER();
	CONNECT(false);
	PROVE();
	kdtls_engine_info(self->end.e, &info);
	EXPECT_EQ(!uses_psk(variant->suite), info.peer_verified);
}

TEST_F(interop, resumption_by_ticket)
{
	OPEN_PEER();
	CONNECT(false);
	PROVE();
	variant->type->stop(self->peer);
	end_close(&self->end);
	CONNECT(true);
	EXPECT_TRUE(self->end.e->resumed);
	EXPECT_TRUE(variant->type->resumed(self->peer));
	PROVE();
}

TEST_F(interop, resumption_by_session_id)
{
	self->options.tickets = false;
	self->end.config.cache_size = 16;
	self->end.config.flags |= KDTLS_NO_TICKETS;
	OPEN_PEER();
	CONNECT(false);
	PROVE();
	variant->type->stop(self->peer);
	end_close(&self->end);
	CONNECT(true);
	EXPECT_TRUE(self->end.e->resumed);
	EXPECT_TRUE(variant->type->resumed(self->peer));
	PROVE();
}

TEST_F(interop, without_extended_master_secret)
{
	struct kdtls_failure failure;

	self->options.no_ems = true;
	OPEN_PEER();
	EXPECT_FALSE(connect_them(&self->end, &self->options, variant->type,
				  self->peer, false));
	kdtls_engine_failure(self->end.e, &failure);
	EXPECT_EQ(KDTLS_ENEGOTIATION, failure.error);
	EXPECT_EQ(KDTLS_ALERT_HANDSHAKE_FAILURE, failure.alert_sent);
	variant->type->close(self->peer);
	end_exit(&self->end);
	self->to_peer.head = self->to_peer.tail;
	self->from_peer.head = self->from_peer.tail;

	self->end.config.flags |= KDTLS_ALLOW_NO_EMS;
	OPEN_PEER();
	CONNECT(false);
	EXPECT_FALSE(self->end.e->ems);
	PROVE();
	variant->type->stop(self->peer);
	end_close(&self->end);
	CONNECT(true);
	EXPECT_TRUE(self->end.e->resumed);
	PROVE();
}

TEST_F(interop, small_datagrams)
{
	static const unsigned int mtu[] = { 256, 576, 1280 };
	size_t i;

	for (i = 0; i < 3; i++) {
		self->end.config.mtu = mtu[i];
		self->options.mtu = mtu[i];
		self->to_peer.largest = 0;
		OPEN_PEER();
		CONNECT(false);
		EXPECT_GE(mtu[i], self->to_peer.largest);
		PROVE();
		variant->type->close(self->peer);
		self->peer = NULL;
		end_exit(&self->end);
	}
}

TEST_F(interop, lossy_network)
{
	unsigned int seed;

	for (seed = 1; seed <= 2; seed++) {
		self->to_peer.seed = seed * 0x9e3779b97f4a7c15ULL;
		self->from_peer.seed = seed * 0xbf58476d1ce4e5b9ULL;
		self->to_peer.loss = 30;
		self->from_peer.loss = 30;
		self->end.config.mtu = 576;
		self->options.mtu = 576;
		OPEN_PEER();
		CONNECT(false);
		PROVE();
		variant->type->close(self->peer);
		self->peer = NULL;
		end_exit(&self->end);
	}
}

TEST_HARNESS_MAIN
