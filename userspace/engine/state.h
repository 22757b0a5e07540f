/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One association: struct kdtls_engine is what stays, struct dtls_handshake
 * what is dropped when the handshake is done.
 *
 * A function that returns int returns 0 or, after dtls_fail(), the engine's
 * final error.
 */
#ifndef _DTLS_STATE_H
#define _DTLS_STATE_H

#include "endpoint.h"
#include "flight.h"
#include "kex.h"
#include "keys12.h"
#include "reassembly.h"
#include "records.h"
#include "transcript.h"

/* What a handshake waits for */
enum dtls_step {
	DTLS_STEP_START,
	CLIENT_SERVER_HELLO,
	CLIENT_CERTIFICATE,
	CLIENT_KEY_EXCHANGE,
	CLIENT_REQUEST,
	CLIENT_HELLO_DONE,
	CLIENT_TICKET,
	CLIENT_FINISHED,
	SERVER_CLIENT_HELLO,
	SERVER_CERTIFICATE,
	SERVER_KEY_EXCHANGE,
	SERVER_VERIFY,
	SERVER_FINISHED,
	DTLS_STEP_FLUSH,	/* that our last flight is out */
	DTLS_STEP_DONE,
};

/* A record that came before its key, or application data before the end */
struct dtls_held {
	struct dtls_held *next;
	bool opened;		/* data, verified; else a record */
	size_t len;
	u8 data[];
};

struct dtls_handshake {
	enum dtls_step step;

	/* messages */
	struct dtls_transcript transcript;
	size_t before;		/* bytes of transcript before this message */
	struct dtls_reassembly in;
	struct dtls_writer out;	/* message being written */
	u16 send_seq;
	bool answer_due;	/* the peer's next new message is an answer */
	u16 flight_end;		/* message_seq that ended the peer's last flight */
	bool flight_seen;	/* there was one */

	/* keys */
	u64 tx_epoch;
	struct dtls_key_info tx_key;
	struct dtls_key_info rx_key;
	struct dtls_protection *tx;
	struct dtls_protection *rx;
	struct dtls_held *held;
	size_t held_len;

	/* key exchange */
	EVP_PKEY *kex_key;
	u8 shared[DTLS_SHARED_MAX];
	size_t shared_len;
	char *psk_hint;

	/* who is who */
	const struct dtls_identity *identity;	/* ours, if we show one */
	const struct dtls_scheme *scheme;	/* that we sign with */
	EVP_PKEY *peer_key;
	bool peer_raw;		/* the peer shows a raw public key */
	bool own_raw;		/* we do */
	bool cert_requested;

	/* resumption */
	struct dtls_writer session_bytes;
	struct dtls_session session;	/* in session_bytes */
	bool has_session;
	bool send_ticket;
	bool ticket_due;
	struct dtls_writer ticket;	/* client: just got */
	u32 ticket_life;

	/* client */
	u64 offered;			/* bits: enum dtls_extension */
	struct dtls_bytes cookie;	/* OPENSSL_malloc()ed */
};

struct dtls_heartbeat;

struct kdtls_engine {
	struct kdtls_endpoint *ep;
	void *ctx;
	struct dtls_handshake *hs;
	u64 now;
	bool server;
	u8 state;			/* enum kdtls_state */
	bool keys_out;

	/* negotiated */
	bool resumed;
	bool ems;
	bool heartbeats;		/* negotiated: we answer */
	bool peer_heartbeat;		/* the peer answers too */
	bool peer_verified;
	u16 version;
	u16 group;
	u16 peer_scheme;
	u16 srtp_profile;
	u16 peer_record_limit;
	const struct dtls_suite *suite;
	const char *alpn;		/* in the configuration */
	char *name;
	u8 *cid_rx;
	u8 *cid_tx;
	u8 cid_rx_len;
	u8 cid_tx_len;
	u8 session_id_len;
	u8 session_id[DTLS_SESSION_ID_SIZE];
	u8 peer_hash[32];
	struct dtls12_secrets secrets;

	/* to be sent */
	struct dtls_flight flight;
	struct dtls_timer timer;
	u64 tx_seq;			/* epoch 0 */
	u64 last_out;			/* when a flight went out last */
	u32 mtu;
	u16 peer_finished;		/* message_seq */
	u8 *reply;			/* HelloVerifyRequest */
	bool alert_due;
	u8 alert_level;
	u8 alert;
	struct dtls_heartbeat *heartbeat;

	/* what happened */
	u32 resent;
	u64 dropped;
	int error;			/* enum kdtls_engine_error */
	u8 alert_received;
	const char *reason;

	u8 address_len;
	u8 address[];			/* server: the peer's */
};

/* engine.c */

/* Give up: an alert goes out, unless it is KDTLS_ALERT_NONE. Return: -@error. */
int dtls_fail(struct kdtls_engine *e, int error, u8 alert, const char *reason);
static inline int dtls_fail_decode(struct kdtls_engine *e, const char *reason)
{
	return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_DECODE_ERROR, reason);
}

static inline int dtls_fail_illegal(struct kdtls_engine *e, const char *reason)
{
	return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_ILLEGAL_PARAMETER,
			 reason);
}

static inline int dtls_fail_internal(struct kdtls_engine *e)
{
	return dtls_fail(e, KDTLS_ECRYPTO, KDTLS_ALERT_INTERNAL_ERROR,
			 "libcrypto failed");
}

static inline int dtls_fail_memory(struct kdtls_engine *e)
{
	return dtls_fail(e, KDTLS_EMEMORY, KDTLS_ALERT_INTERNAL_ERROR,
			 "out of memory, or a limit reached");
}

void dtls_random(struct kdtls_engine *e, u8 *buf, size_t len);
int64_t dtls_unix_time(const struct kdtls_engine *e);
struct dtls_handshake *dtls_handshake_new(struct kdtls_engine *e);
void dtls_handshake_drop(struct kdtls_engine *e);
void dtls_timer_limits(const struct kdtls_engine *e,
		       struct dtls_timer_limits *l);

/* The handshake is over: hand out the keys and drop what is not needed. */
int dtls_complete(struct kdtls_engine *e);

/* input.c */

/* Records that waited for their key can be opened now. */
int dtls_open_held(struct kdtls_engine *e);

/* output.c */
void dtls_resend_flight(struct kdtls_engine *e);

/* alert.c */
void dtls_alert_send(struct kdtls_engine *e, u8 level, u8 alert);
int dtls_alert_receive(struct kdtls_engine *e, u64 epoch,
		       struct dtls_bytes content);

/* heartbeat.c */
void dtls_heartbeat_receive(struct kdtls_engine *e, struct dtls_bytes content);
long dtls_heartbeat_output(struct kdtls_engine *e, u8 *buf, size_t size);
u64 dtls_heartbeat_expiry(const struct kdtls_engine *e);
void dtls_heartbeat_expire(struct kdtls_engine *e);
void dtls_heartbeat_free(struct kdtls_engine *e);

/* handshake.c: what client and server have in common */

/* Write a message: everything between goes into the writer. */
struct dtls_writer *dtls_message_begin(struct kdtls_engine *e, u8 type);
int dtls_message_end(struct kdtls_engine *e);

/* A new flight; the old one has been received. */
void dtls_flight_begin(struct kdtls_engine *e);
void dtls_flight_end(struct kdtls_engine *e, bool answer_due);

int dtls_send_certificate(struct kdtls_engine *e);
int dtls_send_finished(struct kdtls_engine *e);
int dtls_receive_certificate(struct kdtls_engine *e, struct dtls_bytes body);
int dtls_receive_finished(struct kdtls_engine *e, struct dtls_bytes body);

/* Master secret from a premaster (wiped), then dtls_derive_keys() */
int dtls_derive_master(struct kdtls_engine *e, u8 *premaster, size_t len);

/* Keys of epoch 1 from the master secret */
int dtls_derive_keys(struct kdtls_engine *e);

/* Hash of the transcript's first @len bytes; empty: libcrypto failed. */
struct dtls_bytes dtls_hash_upto(const struct kdtls_engine *e, size_t len,
				 u8 *buf);

/*
 * Find an identity of ours that can sign for suites of @kx with a scheme of
 * @schemes and on a curve of @groups (lists as on the wire; no groups: any
 * curve), of one of the kinds allowed; sets hs->identity, hs->scheme and
 * hs->own_raw.
 */
bool dtls_choose_identity(struct kdtls_engine *e, u8 kx,
			  struct dtls_bytes schemes, struct dtls_bytes groups,
			  bool raw, bool x509, const char *name);

/* A scheme of ours by number that this key and suite can have used */
const struct dtls_scheme *dtls_peer_scheme(const struct kdtls_engine *e, u16 id,
					   u8 kx, EVP_PKEY *key);
const struct dtls_group *dtls_own_group(const struct kdtls_engine *e, u16 id);
const struct dtls_suite *dtls_own_suite(const struct kdtls_engine *e, u16 id);

/* The signed part of ServerKeyExchange (RFC 8422 5.4) */
void dtls_kex_signed(const struct kdtls_engine *e, struct dtls_bytes params,
		     struct dtls_writer *w);

/* What is worth keeping of this session */
void dtls_session_of(const struct kdtls_engine *e, struct dtls_session *s);

/* extensions.c */
void dtls_write_schemes(const struct kdtls_engine *e, struct dtls_writer *w);
void dtls_write_client_extensions(struct kdtls_engine *e, struct dtls_writer *w);
void dtls_write_server_extensions(struct kdtls_engine *e, struct dtls_writer *w,
				  const struct dtls_extensions *theirs);
int dtls_read_server_extensions(struct kdtls_engine *e,
				const struct dtls_extensions *x);
int dtls_read_client_extensions(struct kdtls_engine *e,
				const struct dtls_extensions *x);

/* client.c, server.c */
int dtls_client_start(struct kdtls_engine *e);
int dtls_client_message(struct kdtls_engine *e, u8 type, struct dtls_bytes body);
int dtls_server_message(struct kdtls_engine *e, u8 type, struct dtls_bytes body);

#endif /* _DTLS_STATE_H */
