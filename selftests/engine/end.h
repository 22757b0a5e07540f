/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One end of an association for tests: an engine, and what takes its keys, as
 * the kernel would.
 */
#ifndef _TEST_END_H
#define _TEST_END_H

#include <kdtls/engine.h>

#include "../../userspace/engine/datagram.h"
#include "../../userspace/engine/retransmit.h"
#include "../../userspace/engine/state.h"

#define END_DATAGRAM	65536
#define END_RECEIVED	4096

struct end {
	struct kdtls_config config;
	struct kdtls_endpoint *ep;
	struct kdtls_engine *e;
	const char *psk;		/* NULL: no suites with PSK */
	const char *identity;
	struct dtls_protection *tx;	/* what took the keys */
	struct dtls_protection *rx;
	struct dtls_protection *rx_before; /* DTLS 1.3: of the epoch before */
	struct dtls_cids cids;		/* that @rx takes */
	struct dtls_key_info tx_key;
	struct dtls_key_info rx_key;
	int early_keys;			/* keys of epoch 1 handed out */
	u8 received[END_RECEIVED];	/* application data */
	size_t received_len;
	u8 early[256];			/* replayable application data */
	size_t early_len;
	/* takes each record's data if set */
	void (*data)(struct end *end, const u8 *data, size_t len);
	u8 *session;			/* ops.session */
	size_t session_len;
	int sessions;
	int verdict;			/* ops.verify returns it */
	int verify_result;
	char keylog[256];
	bool fail_key;
	bool cid_with_key;		/* ops.peer_cid refuses */
	size_t heartbeat_size;
	u64 heartbeat_rtt;
	int64_t unix_time;
	u64 random;			/* state of the generator; 0: libcrypto's */
};

static const char psk[] = "0123456789abcdef";

/*
 * end_config() allows no version newer than this: DTLS 1.2 unless a test sets
 * it.
 */
extern u16 end_version;

/*
 * Endpoints without an engine are told this time, in seconds since 1970; 0
 * means time(2).
 */
extern int64_t end_unix_time;

/* What is under way in an engine; zeros if nothing is */
static inline struct dtls_motion *motion(const struct kdtls_engine *e)
{
	static struct dtls_motion none;

	return e->m ? e->m : &none;
}

/* Make a configuration with callbacks for PSK, keys and sessions. */
void end_config(struct end *end, const char *psk);

/*
 * Make an endpoint, unless there is one, and an engine. Return 0 or an error.
 */
int end_open(struct end *end, enum kdtls_role role);

/* Drop the engine and its keys; the endpoint and the session stay. */
void end_close(struct end *end);
void end_exit(struct end *end);

/*
 * Make the next datagram as it is on the wire. Return its bytes, or 0 if there
 * is none.
 */
long end_output(struct end *end, u8 *buf, size_t size, u64 now);

/* Give a datagram that arrived to the engine, or to the holder of the key. */
int end_input(struct end *end, const u8 *datagram, size_t len, u64 now);

/* Protect application data. Return the bytes of the datagram. */
size_t end_send(struct end *end, const void *data, size_t len, u8 *out);

/* Carry datagrams to and fro until none is left; at most @rounds each way. */
int end_exchange(struct end *a, struct end *b, u64 *now, int rounds);

/*
 * Shake hands from nothing to keys. Return 0, or the error of the end that
 * failed.
 */
int end_handshake(struct end *client, struct end *server);

/* When the hello has proven its address that a gate has let in last */
extern u64 end_proven;

/*
 * Ask the gate. A hello that it lets in is freed, and sets end_proven. Return the
 * verdict.
 */
enum kdtls_gate end_gate(struct kdtls_endpoint *ep, const void *address,
			 size_t address_len, const u8 *datagram, size_t len,
			 u64 now, u8 *reply, size_t *reply_len);

static inline bool end_established(const struct end *end)
{
	return kdtls_engine_state(end->e) == KDTLS_ESTABLISHED;
}

static inline struct kdtls_failure failure_of(const struct end *end)
{
	struct kdtls_failure failure;

	kdtls_engine_failure(end->e, &failure);
	return failure;
}

static inline struct kdtls_info info_of(const struct end *end)
{
	struct kdtls_info info;

	kdtls_engine_info(end->e, &info);
	return info;
}

/* Return true if the keys of both ends fit, and their exporters agree. */
bool end_agree(const struct end *a, const struct end *b);

/* enum cert_kind is the certificates that tests make on the spot. */
enum cert_kind {
	CERT_P256,
	CERT_P384,
	CERT_ED25519,
	CERT_RSA,
	CERT_PSS,
};

struct cert {
	char *pem;
	char *key_pem;
	char *public_pem;
	EVP_PKEY *key;
	X509 *x509;
};

struct cert_options {
	enum cert_kind kind;
	const char *name;	/* "DNS:…,IP:…"; NULL: none */
	const struct cert *issuer; /* NULL: self-signed */
	bool ca;
	long from, to;		/* s from now; both 0: -3600, 86400 */
	const char *usage;	/* extended key usage, or NULL */
	const char *key_usage;	/* or NULL */
};

/*
 * Make a certificate. The function exits on failure, as there is nothing to
 * test then.
 */
void cert_make(struct cert *cert, const struct cert_options *options);
void cert_free(struct cert *cert);

/*
 * Let an end that is open show a certificate, which the endpoint keeps. Return
 * 0 or an error.
 */
static inline int show(struct end *end, const struct cert *cert)
{
	return kdtls_endpoint_use_certificate(end->ep, cert->pem,
					      strlen(cert->pem), cert->key_pem,
					      strlen(cert->key_pem));
}

static inline int trust(struct end *end, const struct cert *ca)
{
	return kdtls_endpoint_trust(end->ep, ca->pem, strlen(ca->pem));
}

#endif /* _TEST_END_H */
