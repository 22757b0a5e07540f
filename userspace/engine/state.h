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

#include "cids.h"
#include "endpoint.h"
#include "datagram.h"
#include "flight.h"
#include "asked.h"
#include "kex.h"
#include "keys12.h"
#include "keys13.h"
#include "reassembly.h"
#include "protection.h"
#include "timer.h"
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
	CLIENT13_EXTENSIONS,
	CLIENT13_CERTIFICATE,
	CLIENT13_VERIFY,
	CLIENT13_FINISHED,
	SERVER13_CERTIFICATE,
	SERVER13_VERIFY,
	SERVER13_FINISHED,
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
	struct dtls_protection *data_tx; /* DTLS 1.3: server's, if used early */
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
	struct dtls_peer peer;	/* as the peer claims, until it is proven */
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

	struct kdtls_hello *hello;	/* server: that is being read; or NULL */

	/* client */
	u64 offered;			/* bits: enum dtls_extension */
	struct dtls_bytes cookie;	/* OPENSSL_malloc()ed */
	unsigned int verify_requests;	/* HelloVerifyRequests taken */

	/* DTLS 1.3 */
	bool retried;			/* there was a HelloRetryRequest */
	bool psk_chosen;		/* and no certificate is shown */
	bool psk_resumes;		/* it is a session's */
	u16 share_group;		/* client: of kex_key */
	bool psk_asked;			/* client: the owner, for a key */
	u16 retry_suite;		/* in HelloRetryRequest */
	u16 retry_group;		/* server: the same; 0: none */
	u16 psk_index;			/* server: of the one chosen */
	u8 secret[DTLS_HASH_MAX];	/* the schedule's present stage */
	u8 client_secret[DTLS_HASH_MAX]; /* handshake traffic secrets */
	u8 server_secret[DTLS_HASH_MAX];
	u8 psk[KDTLS_PSK_MAX];		/* client: external; server: chosen */
	u8 psk_basis[DTLS_BASIS_SIZE];	/* of the key the owner gave last */
	u8 psk_len;
	u8 psk_identity_len;
	u8 psk_identity[KDTLS_PSK_IDENTITY_MAX];
};

#define DTLS_EPOCH_MAX		65535	/* as much as struct dtls_key_info takes */
#define DTLS_MESSAGE_SEQ_MAX	65535	/* message_seq does not wrap */

/* DTLS 1.3: what stays when the handshake is done */
struct dtls13 {
	u8 rx_secret[DTLS_HASH_MAX];	/* traffic secrets of the newest epochs */
	u8 tx_secret[DTLS_HASH_MAX];
	u8 exporter[DTLS_HASH_MAX];
	u8 resumption[DTLS_HASH_MAX];
	u64 rx_epoch;
	u64 tx_epoch;
	u64 linger;			/* server: when e->rx goes */
	struct dtls_reassembly *in;	/* of messages after the handshake */
	u32 send_seq;			/* message_seq after the handshake */
	u32 receive_seq;		/* does not wrap: all are old then */
	bool arrived;			/* all of the handshake's last flight */
	bool updating;			/* KeyUpdate is in the flight */
	bool ticket_due;
	bool update_due;		/* KeyUpdate is to be sent */
	bool update_both;		/* and the peer asked for its own */
	struct dtls_writer new_cids;	/* NewConnectionId that is to be sent */
	struct dtls_writer spare;	/* connection IDs of the peer's, a list */
	u8 spare_count;			/* DTLS_CIDS_MAX at most */
	u8 cids_wanted;			/* of an unanswered RequestConnectionId */
	bool request_due;		/* and it is to be sent */
};

/* Handshake records to be acknowledged (RFC 9147 7) */
#define DTLS_ACKS_MAX	32

struct dtls_acks {
	u64 expiry;			/* when it goes out by itself */
	bool due;
	bool timed;			/* some came when the version was known */
	u8 count;			/* DTLS_ACKS_MAX at most */
	struct {
		u64 epoch;
		u64 seq;
	} number[];
};

#define DTLS_HEARTBEAT_PAYLOAD	16 /* of our requests: tells an answer from others */

struct dtls_heartbeat {
	struct dtls_timer timer;	/* of our request */
	bool request_due;
	size_t size;
	u8 payload[DTLS_HEARTBEAT_PAYLOAD];
	u8 *response;			/* to the peer's */
	size_t response_len;
};

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
	bool unproven;			/* no cookie, no answer: see dtls_state_credit() */
	u8 early_state;			/* enum kdtls_early */
	u8 peer_len;			/* see dtls_auth_peer() */
	u8 cid_tx_len;
	u8 session_id_len;
	u16 version;
	u16 group;
	u16 peer_scheme;
	u16 srtp_profile;
	u16 peer_record_limit;		/* bytes of content the peer takes */
	u16 record_limit;		/* that this end takes; 0: 2^14 */
	const struct dtls_suite *suite;
	const char *alpn;		/* in the configuration */
	char *name;
	struct dtls_cids cids;		/* in records that arrive */
	u8 *cid_tx;
	u8 session_id[DTLS_SESSION_ID_SIZE];
	u8 *peer;			/* who has proven to be there */
	struct dtls12_secrets secrets;
	struct dtls13 *d13;		/* NULL: not DTLS 1.3 */
	struct dtls_early *early;	/* NULL: none is to come */

	/* of the handshake's encrypted epoch: 1; in DTLS 1.3 2, for a while longer */
	struct dtls_protection *tx;
	struct dtls_protection *rx;

	/* to be sent */
	struct dtls_flight flight;
	struct dtls_timer timer;
	u64 tx_seq;			/* epoch 0 */
	u64 last_out;			/* when a flight went out last */
	u32 mtu;
	u16 peer_finished;		/* message_seq */
	bool alert_due;
	u8 alert_level;
	u8 *reply;			/* of the gate's */
	size_t reply_len;
	struct dtls_acks *acks;		/* DTLS 1.3 */
	struct dtls_heartbeat *heartbeat;

	/* what happened */
	u64 dropped;
	const char *reason;
	u32 resent;
	u32 credit;			/* while unproven: bytes that may go out */
	int error;			/* enum kdtls_engine_error */
	u8 alert;
	u8 alert_received;

	u8 address_len;
	u8 address[];			/* server: the peer's */
};

/* Is it DTLS 1.3, or may it become that? Only there are acknowledgements. */
static inline bool dtls_state_may_be_13(const struct kdtls_engine *e)
{
	return e->ep->speaks13 && e->version != DTLS_VERSION_1_2;
}

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

void dtls_state_random(struct kdtls_engine *e, u8 *buf, size_t len);
int64_t dtls_state_time(const struct kdtls_engine *e);
struct dtls_handshake *dtls_state_handshake_new(struct kdtls_engine *e);
void dtls_state_handshake_drop(struct kdtls_engine *e);
void dtls_state_timer_limits(const struct kdtls_engine *e,
			     struct dtls_timer_limits *l);

/* The handshake is over: hand out the keys and drop what is not needed. */
int dtls_complete_handshake(struct kdtls_engine *e);

/* The keys go to the owner; either may be NULL. @rx: what has used @rx_key. */
int dtls_handout_keys(struct kdtls_engine *e, struct dtls_protection *rx,
		      struct dtls_key_info *rx_key,
		      struct dtls_key_info *tx_key);

/* Nothing more is to be sent but what is there to be fetched. */
void dtls_state_stop(struct kdtls_engine *e);

/* The key of the handshake's epoch */
void dtls_state_drop_keys(struct kdtls_engine *e);

/* input.c */

/* A hello that the gate let in is the first message of the handshake. */
int begin_handshake(struct kdtls_engine *e, struct kdtls_hello *hello);

/* Records that waited for their key can be opened now. */
int open_held(struct kdtls_engine *e);
/* Keep something for later, within the limit. */
void dtls_content_hold(struct kdtls_engine *e, bool opened, const u8 *data,
		       size_t len);
int dtls_content_take(struct kdtls_engine *e, const struct dtls_record *record,
		      u8 type, struct dtls_bytes content);

/* output.c */

/* Bytes came from an address that has proven nothing: three times these may go. */
void dtls_state_credit(struct kdtls_engine *e, size_t len);
void dtls_retransmit_flight(struct kdtls_engine *e);

/* Not more often than a timer would: anybody may have asked for it. */
void dtls_retransmit_paced(struct kdtls_engine *e);
int dtls_retransmit_expired(struct kdtls_engine *e);
void dtls_retransmit_rest(struct kdtls_engine *e);

/* ack.c */

/* A handshake record was taken in: it goes on the list. */
void dtls_ack_note(struct kdtls_engine *e, const struct dtls_record *record);
/* The list goes out at the next output, or @after µs at the latest. */
void dtls_ack_due(struct kdtls_engine *e);
void dtls_ack_after(struct kdtls_engine *e, u64 after);
void dtls_state_drop_acks(struct kdtls_engine *e);
u64 dtls_ack_expiry(const struct kdtls_engine *e);
void dtls_ack_expire(struct kdtls_engine *e);

#define DTLS_ACK_SIZE	(2 + 16 * DTLS_ACKS_MAX)
/* Write it, @size bytes at most. Return: bytes; 0: none is due. */
size_t dtls_ack_write(struct kdtls_engine *e, u8 *out, size_t size);
/* Return: the peer has the whole flight. */
bool dtls_ack_receive(struct kdtls_engine *e, u64 epoch,
		      struct dtls_bytes content);

/* alert.c */
void dtls_state_alert(struct kdtls_engine *e, u8 level, u8 alert);
int dtls_alert_receive(struct kdtls_engine *e, u64 epoch,
		       struct dtls_bytes content);

/* heartbeat.c */
void dtls_heartbeat_receive(struct kdtls_engine *e, struct dtls_bytes content);
long dtls_heartbeat_output(struct kdtls_engine *e, u8 *buf, size_t size);
u64 dtls_heartbeat_expiry(const struct kdtls_engine *e);
void dtls_heartbeat_expire(struct kdtls_engine *e);
void dtls_state_drop_heartbeat(struct kdtls_engine *e);

/* handshake.c: what client and server have in common */

/* Write a message: everything between goes into the writer. */
struct dtls_writer *dtls_handshake_message(struct kdtls_engine *e, u8 type);
int dtls_handshake_message_end(struct kdtls_engine *e);

/* A new flight; the old one has been received. */
void dtls_handshake_flight_begin(struct kdtls_engine *e);
void dtls_handshake_flight_end(struct kdtls_engine *e, bool answer_due);

/* A message by the table of what is expected when */
struct dtls_expected {
	enum dtls_step step;
	u8 type;
	int (*receive)(struct kdtls_engine *e, struct dtls_bytes body);
};

int dtls_handshake_receive(struct kdtls_engine *e,
			   const struct dtls_expected *table, size_t count,
			   u8 type, struct dtls_bytes body);

/* A line of the key log, if there is one to write */
void dtls_handshake_key_log(struct kdtls_engine *e, const char *label,
			    const u8 *secret, size_t len);

int dtls_handshake12_send_certificate(struct kdtls_engine *e);
int dtls_handshake12_send_finished(struct kdtls_engine *e);
int dtls_auth_receive_certificate(struct kdtls_engine *e,
				  struct dtls_bytes body);
int dtls_handshake12_receive_finished(struct kdtls_engine *e,
				      struct dtls_bytes body);

/* Master secret from a premaster (wiped), then dtls_handshake12_keys() */
int dtls_handshake12_master(struct kdtls_engine *e, u8 *premaster, size_t len);

/* Keys of epoch 1 from the master secret */
int dtls_handshake12_keys(struct kdtls_engine *e);

/* Hash of the transcript's first @len bytes; empty: libcrypto failed. */
struct dtls_bytes dtls_handshake_hash(const struct kdtls_engine *e, size_t len,
				      u8 *buf);

/*
 * Find an identity of ours that can sign for suites of @kx with a scheme of
 * @schemes and on a curve of @groups (lists as on the wire; no groups: any
 * curve), of one of the kinds allowed; sets hs->identity, hs->scheme and
 * hs->own_raw.
 */
bool dtls_identity_choose(struct kdtls_engine *e, u8 kx,
			  struct dtls_bytes schemes, struct dtls_bytes groups,
			  bool raw, bool x509, const char *name);

/*
 * @body, to its end, has to be a scheme and the peer's signature of @data (RFC
 * 5246 4.7, RFC 8446 4.4.3), made for suites of @kx with the key of its
 * certificate. Return: 0, and the peer is verified; or an error.
 */
int dtls_auth_check_signature(struct kdtls_engine *e, struct dtls_bytes body,
			      u8 kx, struct dtls_bytes data);

/* The signed part of ServerKeyExchange (RFC 8422 5.4) */
void dtls_handshake12_signed_params(const struct kdtls_engine *e,
				    struct dtls_bytes params,
				    struct dtls_writer *w);

/*
 * What is worth keeping of this session. With a life of 0 it must not be kept:
 * the peer has to prove anew who it is.
 */
void dtls_resumption_session(const struct kdtls_engine *e,
			     struct dtls_session *s);

/* peer.c: see peer.h */

/* The peer claims to have the pre-shared key that the owner gave last. */
int dtls_auth_claim_key(struct kdtls_engine *e, struct dtls_bytes identity);
/* The peer claims to be who it was in the session, which is resumed. */
int dtls_auth_claim_session(struct kdtls_engine *e,
			    const struct dtls_session *s);
/* The name that the peer's certificate has to bear; NULL: any name will do. */
const char *dtls_auth_wanted_name(const struct kdtls_engine *e);
/* What the built-in checks say of a certificate or raw key, and the owner */
int judge_chain(struct kdtls_engine *e, const struct dtls_chain *chain);
/* The peer's Finished or binder is right: what it claims is so. */
int dtls_auth_proven(struct kdtls_engine *e);
/* Who has proven to be there. It points into what the engine has. */
struct dtls_peer dtls_auth_peer(const struct kdtls_engine *e);
/*
 * May the session be resumed with what the endpoint asks for now, and does the
 * owner agree? If not, a full handshake finds out.
 */
bool dtls_resumption_allowed(struct kdtls_engine *e,
			     const struct dtls_session *s);

/* psks.c */

/*
 * Ask the owner for a key of KDTLS_PSK_MAX bytes at most. Return: its bytes, 0:
 * there is none, or an error: the key must not be used.
 */
int dtls_psks_client(struct kdtls_engine *e, const char *hint, u8 *identity,
		     size_t *identity_len, u8 *key);
int dtls_psks_server(struct kdtls_engine *e, struct dtls_bytes identity,
		     u8 *key);
/* Does the owner still give the session's key for its identity? */
bool dtls_psks_still_good(struct kdtls_engine *e, const struct dtls_session *s);

/* extensions.c */

/* Begin an extension of a client's, and remember that it was offered. */
size_t dtls_extensions_offer(struct kdtls_engine *e, struct dtls_writer *w,
			     enum dtls_extension i);
void dtls_extensions_write_schemes(const struct kdtls_engine *e,
				   struct dtls_writer *w);
void dtls_extensions_write_client(struct kdtls_engine *e,
				  struct dtls_writer *w);
void dtls_extensions_write_server(struct kdtls_engine *e, struct dtls_writer *w,
				  const struct dtls_client_hello *ch);
int dtls_extensions_read_server(struct kdtls_engine *e,
				const struct dtls_extensions *x);
int dtls_extensions_read_client(struct kdtls_engine *e,
				const struct dtls_extensions *x);

/* The same in DTLS 1.3: EncryptedExtensions */
void dtls_extensions_write_answers13(struct kdtls_engine *e,
				     struct dtls_writer *w,
				     const struct dtls_extensions *theirs);
int dtls_extensions_read_answers13(struct kdtls_engine *e,
				   const struct dtls_extensions *x);
/* Extensions that may not stand in this message: @allowed is bits of them. */
int dtls_extensions_check13(struct kdtls_engine *e,
			    const struct dtls_extensions *x, u64 allowed);
/* Connection IDs stand in the hellos of both versions. */
void dtls_extensions_write_cid(struct kdtls_engine *e, struct dtls_writer *w,
			       const struct dtls_extensions *theirs);
int dtls_extensions_read_cid(struct kdtls_engine *e,
			     const struct dtls_extensions *x);

/* client.c, server.c */
int dtls_client_start(struct kdtls_engine *e);
int dtls_client_message(struct kdtls_engine *e, u8 type, struct dtls_bytes body);
int dtls_client12_server_hello(struct kdtls_engine *e,
			       const struct dtls_server_hello *sh);
int dtls_client12_message(struct kdtls_engine *e, u8 type,
			  struct dtls_bytes body);
int dtls_server12_client_hello(struct kdtls_engine *e,
			       const struct dtls_client_hello *ch);
int dtls_server12_message(struct kdtls_engine *e, u8 type,
			  struct dtls_bytes body);
int dtls_server_message(struct kdtls_engine *e, u8 type, struct dtls_bytes body);
/* Ask the client for a certificate or raw key, if it can show one. */
void dtls_identity_ask_client(struct kdtls_engine *e,
			      const struct dtls_client_hello *ch);
bool dtls_identity_for_hello(struct kdtls_engine *e, u8 kx,
			     const struct dtls_client_hello *ch);

/* client13.c */

int dtls_client13_server_hello(struct kdtls_engine *e,
			       const struct dtls_server_hello *sh);
int dtls_client13_message(struct kdtls_engine *e, u8 type,
			  struct dtls_bytes body);

/* server13.c */
int dtls_server13_client_hello(struct kdtls_engine *e,
			       const struct dtls_client_hello *ch);
int dtls_server13_message(struct kdtls_engine *e, u8 type,
			  struct dtls_bytes body);

/* handshake13.c: what client and server have in common in DTLS 1.3 */
int dtls_handshake13_begin(struct kdtls_engine *e);
void dtls_state_free13(struct kdtls_engine *e);

/* The stages of the key schedule (RFC 8446 7.1) */
int dtls_handshake13_keys(struct kdtls_engine *e);
int dtls_handshake13_data_secrets(struct kdtls_engine *e);
int dtls_handshake13_resumption(struct kdtls_engine *e);
/* The newest key of a direction, connection ID and all */
int dtls_handshake13_data_key(struct kdtls_engine *e, int direction,
			      struct dtls_key_info *key);

int dtls_handshake13_send_certificate(struct kdtls_engine *e,
				      struct dtls_bytes context);
int dtls_handshake13_send_verify(struct kdtls_engine *e);
int dtls_handshake13_send_finished(struct kdtls_engine *e);
int dtls_handshake13_receive_certificate(struct kdtls_engine *e,
					 struct dtls_bytes body);
int dtls_handshake13_receive_verify(struct kdtls_engine *e,
				    struct dtls_bytes body);
int dtls_handshake13_receive_finished(struct kdtls_engine *e,
				      struct dtls_bytes body);

/* cids13.c: connection IDs after the handshake */
int dtls_cids13_requested(struct kdtls_engine *e,
			  struct dtls_bytes body);
int dtls_cids13_given(struct kdtls_engine *e, struct dtls_bytes body);
/* Return: the type of the message whose body was written; 0: none is due. */
u8 dtls_cids13_write(struct kdtls_engine *e, struct dtls_writer *w);

/* post13.c: after the handshake */
int complete_13(struct kdtls_engine *e);
/* Handshake content when the keys are out; @record has epoch and number. */
int dtls_post13_receive(struct kdtls_engine *e,
			const struct dtls_record *record,
			struct dtls_bytes content);
/* A flight of ours has arrived as a whole. */
int dtls_post13_acknowledged(struct kdtls_engine *e);
/* Are there keys, and numbers for messages of ours? */
bool dtls_state_can_tell13(const struct kdtls_engine *e);
/* And epochs for another write key? */
bool dtls_state_can_update13(const struct kdtls_engine *e);
/* Begin what is to be sent next, if nothing is on its way. */
int dtls_post13_next_flight(struct kdtls_engine *e);
void dtls_post13_event(struct kdtls_engine *e, u16 event);
void dtls_post13_expire(struct kdtls_engine *e);
void dtls_retransmit_expired13(struct kdtls_engine *e);
/* Something came from the peer. */
void dtls_retransmit_alive(struct kdtls_engine *e);

#endif /* _DTLS_STATE_H */
