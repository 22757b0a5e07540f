/* SPDX-License-Identifier: GPL-2.0 */
/* Two ends, and what the tests of the protocol do with them. */
#ifndef _TEST_PAIR_H
#define _TEST_PAIR_H

#include "harness.h"

#include "end.h"

#define PAIR(name_)							\
FIXTURE(name_)								\
{									\
	struct end client, server;					\
	struct cert ca, cert;						\
	u64 now;							\
	u8 buf[END_DATAGRAM];						\
};									\
FIXTURE_TEARDOWN(name_)							\
{									\
	end_exit(&self->client);					\
	end_exit(&self->server);					\
	if (self->cert.key)						\
		cert_free(&self->cert);					\
	cert_free(&self->ca);						\
}

/* Set up a fixture whose ends speak no newer version than @version_. */
#define PAIR_SETUP(version_)						\
do {									\
	end_version = version_;						\
	end_config(&self->client, psk);					\
	end_config(&self->server, psk);					\
	self->now = 1000000;						\
	cert_make(&self->ca, &(struct cert_options){			\
		.kind = CERT_P256, .ca = true });			\
} while (0)

/* Make a fixture of pairs that speak no newer version than @version_. */
#define PAIR_OF(name_, version_)					\
PAIR(name_)								\
FIXTURE_SETUP(name_)							\
{									\
	PAIR_SETUP(version_);						\
}

/*
 * Make a fixture for tests that hold in both versions. Each runs as v12 and
 * v13.
 */
#define PAIR_OF_BOTH(name_)						\
PAIR(name_)								\
FIXTURE_VARIANT(name_)							\
{									\
	u16 version;							\
};									\
FIXTURE_VARIANT_ADD(name_, v12)						\
{									\
	.version = DTLS_VERSION_1_2,					\
};									\
FIXTURE_VARIANT_ADD(name_, v13)						\
{									\
	.version = DTLS_VERSION_1_3,					\
}

/*
 * Open both ends with certificates alone. The client wants @name in the
 * server's.
 */
static inline int open_with(struct end *client, struct end *server,
			    const struct cert *ca, const struct cert *cert,
		     const char *name)
{
	client->config.ops.psk_client = NULL;
	server->config.ops.psk_server = NULL;
	if (end_open(client, KDTLS_CLIENT) || end_open(server, KDTLS_SERVER) ||
	    show(server, cert) || trust(client, ca) || trust(server, ca))
		return -1;
	return name ? kdtls_engine_set_name(client->e, name) : 0;
}

/* Give @to one record that verifies, made with the keys of @from. */
static inline int inject(struct end *from, struct end *to, u8 type, const void *data,
			 size_t len, u64 now)
{
	u8 record[2048];
	size_t n = dtls_protection_seal(from->tx, type, data, len, record);

	return end_input(to, record, n, now);
}

/* Give @to a message after the handshake, as @from would send it. */
static inline int inject_message(struct end *from, struct end *to, u8 type,
				 const void *body, u32 len, u64 now)
{
	u8 message[256];

	dtls_fragment_write(message, type, len,
			    (u16)from->e->d13->send_seq++, 0, len);
	memcpy(message + DTLS_MESSAGE_HEADER, body, len);
	return inject(from, to, DTLS_CT_HANDSHAKE, message,
		      DTLS_MESSAGE_HEADER + len, now);
}

/*
 * struct wrong is a message that must not come after the handshake, and the
 * alert that ends it then.
 */
struct wrong {
	u8 type;
	u8 len;
	u8 body[6];
	u8 alert;
};

static inline bool refused(struct end *from, struct end *to,
			   const struct wrong *wrong, u64 now)
{
	return inject_message(from, to, wrong->type, wrong->body, wrong->len,
			      now) == -KDTLS_EPROTOCOL &&
	       failure_of(to).alert_sent == wrong->alert;
}

/* Return true if a record of application data arrives. */
static inline bool data_passes(struct end *from, struct end *to)
{
	size_t before = to->received_len, n;
	u8 buf[256];

	n = end_send(from, "data", 4, buf);
	return !end_input(to, buf, n, 0) && to->received_len == before + 4;
}

/* Return true if the endpoint's contexts of HMAC have no key. */
static inline bool keeps_no_key(const struct end *end)
{
	static const u8 none[DTLS_SECRET_SIZE];
	const struct dtls_crypto *c = &end->ep->crypto;

	return !c->hmac_sha256->set && !c->hmac_sha384->set &&
	       !c->hmac_sha256->len && !c->hmac_sha384->len &&
	       !memcmp(c->hmac_sha256->key, none, sizeof(none)) &&
	       !memcmp(c->hmac_sha384->key, none, sizeof(none));
}

#define HANDSHAKE()							\
do {									\
	ASSERT_EQ(0, end_handshake(&self->client, &self->server));	\
	ASSERT_TRUE(end_agree(&self->client, &self->server));		\
} while (0)

/* Shake hands with a new engine of the client, which offers the last session. */
#define HANDSHAKE_AGAIN()						\
do {									\
	ASSERT_EQ(0, end_open(&self->client, KDTLS_CLIENT));		\
	ASSERT_EQ(0, kdtls_engine_set_session(self->client.e,		\
					      self->client.session,	\
					      self->client.session_len)); \
	HANDSHAKE();							\
} while (0)

/* Make a client's first datagram. */
static inline size_t first_hello(struct end *client, u8 *buf, u64 now)
{
	long n;

	if (end_open(client, KDTLS_CLIENT) || kdtls_engine_start(client->e, now))
		return 0;
	n = end_output(client, buf, END_DATAGRAM, now);
	return n > 0 ? (size_t)n : 0;
}

/* A hello is one datagram, even with a share of X25519MLKEM768. */
#define HELLO_MTU	2048

/*
 * Make a client's second datagram. @ep's gate must have answered the first by
 * @reply, in fewer bytes.
 */
static inline size_t second_hello(struct end *client, struct kdtls_endpoint *ep,
				  u8 *reply, u8 *hello, size_t room, u64 now)
{
	u8 first[END_DATAGRAM];
	size_t n, reply_len;
	long len;

	client->config.mtu = HELLO_MTU;
	n = first_hello(client, first, now);
	if (!n || end_gate(ep, "here", 4, first, n, now, reply,
			   &reply_len) != KDTLS_GATE_REPLY ||
	    reply_len >= n || end_input(client, reply, reply_len, now))
		return 0;
	len = end_output(client, hello, room, now);
	return len > 0 ? (size_t)len : 0;
}

#endif /* _TEST_PAIR_H */
