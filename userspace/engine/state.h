/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One association. struct kdtls_engine has what stays as long as the
 * association does, struct dtls_handshake what is dropped when the handshake is
 * done. A function that returns int returns 0, or the final error of the engine
 * after dtls_fail().
 */
#ifndef _DTLS_STATE_H
#define _DTLS_STATE_H

#include "asked.h"
#include "cids.h"
#include "endpoint.h"
#include "flight.h"
#include "kex.h"
#include "keys12.h"
#include "keys13.h"
#include "protection.h"
#include "reassembly.h"
#include "timer.h"
#include "transcript.h"

/* enum dtls_step is the message, or the event, that a handshake waits for. */
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
	DTLS_STEP_FLUSH,	/* the last flight of this end to be sent */
	DTLS_STEP_DONE,
};

/*
 * struct dtls_held is a record that came before its key, or application data
 * that came before the end of the handshake.
 */
struct dtls_held {
	struct dtls_held *next;
	bool opened;		/* verified data; else a record */
	size_t len;
	u8 data[];
};

/*
 * struct dtls_handshake is what only a handshake needs. All that is secret in it
 * is wiped with it.
 */
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
	bool flight_seen;	/* @flight_end is set */

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

	/* identities */
	const struct dtls_identity *identity;	/* that this end shows, if any */
	const struct dtls_scheme *scheme;	/* signs for this end */
	struct dtls_peer peer;	/* as the peer claims; see auth.h */
	EVP_PKEY *peer_key;
	bool peer_raw;		/* the peer shows a raw key */
	bool own_raw;		/* this end shows a raw key */
	bool cert_requested;

	/* resumption */
	struct dtls_writer session_bytes;
	struct dtls_session session;	/* points into session_bytes */
	bool has_session;
	bool send_ticket;
	bool ticket_due;
	struct dtls_writer ticket;	/* client: the ticket just received */
	u32 ticket_life;

	struct kdtls_hello *hello;	/* server: hello being read, or NULL */

	/* client */
	u64 offered;			/* bits: enum dtls_extension */
	struct dtls_bytes cookie;	/* OPENSSL_malloc()ed */
	unsigned int verify_requests;	/* HelloVerifyRequests taken */
	u64 hello_record;	/* number of the newest hello's first record */

	/* DTLS 1.3 */
	bool retried;			/* there was a HelloRetryRequest */
	bool psk_chosen;		/* a key is used, and no certificate */
	bool psk_resumes;		/* the key is that of a session */
	u16 share_group;		/* client: group of @kex_key */
	bool psk_asked;			/* client: the owner was asked */
	u16 retry_suite;		/* suite that HelloRetryRequest chose */
	u16 retry_group;		/* server: group it asked for, or 0 */
	u16 psk_index;			/* server: place of the key looked at */
	u8 secret[DTLS_HASH_MAX];	/* present stage of the schedule */
	u8 client_secret[DTLS_HASH_MAX]; /* handshake traffic secrets */
	u8 server_secret[DTLS_HASH_MAX];
	u8 psk[KDTLS_PSK_MAX];		/* client: external; server: chosen */
	u8 psk_basis[DTLS_BASIS_SIZE];	/* what the owner's last key is */
	u8 psk_len;
	u8 psk_identity_len;
	u8 psk_identity[KDTLS_PSK_IDENTITY_MAX];
};

#define DTLS_EPOCH_MAX		65535	/* the most in struct dtls_key_info */
#define DTLS_MESSAGE_SEQ_MAX	65535	/* message_seq does not wrap */

/* struct dtls13 is what DTLS 1.3 needs when the handshake is done. */
struct dtls13 {
	u8 rx_secret[DTLS_HASH_MAX];	/* traffic secrets of the newest epochs */
	u8 tx_secret[DTLS_HASH_MAX];
	u8 exporter[DTLS_HASH_MAX];
	u8 resumption[DTLS_HASH_MAX];
	u64 rx_epoch;
	u64 tx_epoch;
	u64 linger;			/* server: when e->rx is dropped */
	struct dtls_reassembly *in;	/* messages after the handshake */
	u32 send_seq;			/* message_seq after the handshake */
	u32 receive_seq;		/* may be 65536: no message is new */
	bool arrived;			/* the last flight has arrived */
	bool updating;			/* KeyUpdate is in the flight */
	bool ticket_due;
	bool update_due;		/* a KeyUpdate is to be sent */
	bool update_both;		/* it is to ask for the peer's, too */
	struct dtls_writer new_cids;	/* NewConnectionId that is to be sent */
	struct dtls_writer spare;	/* connection IDs of the peer */
	u8 spare_count;			/* DTLS_CIDS_MAX at most */
	u8 cids_wanted;			/* that the last request asked for */
	bool request_due;		/* RequestConnectionId is to be sent */
};

/* struct dtls_acks lists handshake records to be acknowledged (RFC 9147 7). */
#define DTLS_ACKS_MAX	32

struct dtls_acks {
	u64 expiry;			/* when the list goes out by itself */
	bool due;
	bool timed;			/* one came with a known version */
	u8 count;			/* DTLS_ACKS_MAX at most */
	struct {
		u64 epoch;
		u64 seq;
	} number[];
};

#define DTLS_HEARTBEAT_PAYLOAD	16 /* bytes that tell a request's answer */

/* struct dtls_heartbeat is the heartbeats under way (RFC 6520). */
struct dtls_heartbeat {
	struct dtls_timer timer;	/* runs for the request of this end */
	bool request_due;
	size_t size;
	u8 payload[DTLS_HEARTBEAT_PAYLOAD];
	u8 *response;			/* answers the request of the peer */
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
	bool heartbeats;		/* this end answers requests */
	bool peer_heartbeat;		/* the peer answers requests */
	bool unproven;			/* the peer's address may be forged */
	u8 early_state;			/* enum kdtls_early */
	u8 peer_len;			/* see dtls_auth_peer() */
	u8 cid_tx_len;
	u8 session_id_len;
	u16 version;
	u16 group;
	u16 peer_scheme;
	u16 srtp_profile;
	u16 peer_record_limit;		/* bytes of content the peer takes */
	u16 record_limit;		/* bytes this end takes; 0 means 2^14 */
	const struct dtls_suite *suite;
	const char *alpn;		/* in the configuration */
	char *name;
	struct dtls_cids cids;		/* in records that arrive */
	u8 *cid_tx;
	u8 session_id[DTLS_SESSION_ID_SIZE];
	u8 *peer;			/* as bytes; see dtls_auth_peer() */
	struct dtls12_secrets secrets;
	struct dtls13 *d13;		/* NULL unless DTLS 1.3 */
	struct dtls_early *early;	/* NULL if none is to come */

	/* keys of the handshake's encrypted epoch: 1, or 2 in DTLS 1.3 */
	struct dtls_protection *tx;
	struct dtls_protection *rx;

	/* to be sent */
	struct dtls_flight flight;
	struct dtls_timer timer;
	u64 tx_seq;			/* epoch 0 */
	u64 last_out;			/* when a flight last went out */
	u32 mtu;
	u16 peer_finished;		/* message_seq */
	bool alert_due;
	u8 alert_level;
	u8 *reply;			/* what the gate answers */
	size_t reply_len;
	struct dtls_acks *acks;		/* NULL unless DTLS 1.3 */
	struct dtls_heartbeat *heartbeat;

	/* counters and the final error */
	u64 dropped;
	const char *reason;
	u32 resent;
	u32 credit;			/* while unproven: bytes that may go */
	int error;			/* enum kdtls_engine_error */
	u8 alert;
	u8 alert_received;

	u8 address_len;
	u8 address[];			/* server: the peer's address */
};

/*
 * Return true if the version is DTLS 1.3 or may become that. Only DTLS 1.3 has
 * acknowledgements.
 */
static inline bool dtls_state_may_be_13(const struct kdtls_engine *e)
{
	return e->ep->speaks13 && e->version != DTLS_VERSION_1_2;
}

/**
 * dtls_fail() - give up
 * @e:		the engine, which makes no more progress after that
 * @error:	enum kdtls_engine_error
 * @alert:	goes to the peer, unless it is KDTLS_ALERT_NONE
 * @reason:	text that is never freed
 *
 * Only the first failure counts.
 *
 * Return: -@error, or the negative error of the first failure.
 */
int dtls_fail(struct kdtls_engine *e, int error, u8 alert, const char *reason);

/* Give up for a message that cannot be parsed. */
static inline int dtls_fail_decode(struct kdtls_engine *e, const char *reason)
{
	return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_DECODE_ERROR, reason);
}

/* Give up for a message with a value that it must not have. */
static inline int dtls_fail_illegal(struct kdtls_engine *e, const char *reason)
{
	return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_ILLEGAL_PARAMETER,
			 reason);
}

/* Give up because libcrypto failed. */
static inline int dtls_fail_internal(struct kdtls_engine *e)
{
	return dtls_fail(e, KDTLS_ECRYPTO, KDTLS_ALERT_INTERNAL_ERROR,
			 "libcrypto failed");
}

/* Give up for want of memory, or because a limit of memory is reached. */
static inline int dtls_fail_memory(struct kdtls_engine *e)
{
	return dtls_fail(e, KDTLS_EMEMORY, KDTLS_ALERT_INTERNAL_ERROR,
			 "out of memory, or a limit reached");
}

/* Make an alert go out with the next output. @level is one of DTLS_ALERT_*. */
void dtls_state_alert(struct kdtls_engine *e, u8 level, u8 alert);

/* Let nothing more be sent but an alert, and what it is sent under. */
void dtls_state_stop(struct kdtls_engine *e);

/* Fill @buf with random bytes that may be seen by all; if that fails, give up. */
void dtls_state_random(struct kdtls_engine *e, u8 *buf, size_t len);

/* Return the time, in seconds since 1970. */
int64_t dtls_state_time(const struct kdtls_engine *e);

/* Fill in the endpoint's timeouts, in microseconds. */
void dtls_state_timer_limits(const struct kdtls_engine *e,
			     struct dtls_timer_limits *l);

/*
 * Make a handshake. Return NULL if there is no memory, or if
 * kdtls_config.max_handshakes are going on.
 */
struct dtls_handshake *dtls_state_handshake_new(struct kdtls_engine *e);

/* Wipe and free the handshake, if there is one. */
void dtls_state_handshake_drop(struct kdtls_engine *e);

/* Wipe and free the keys of the handshake's encrypted epoch. */
void dtls_state_drop_keys(struct kdtls_engine *e);

/* Free the list of records to be acknowledged. No ACK goes out then. */
void dtls_state_drop_acks(struct kdtls_engine *e);

/* Free the heartbeats under way: no request, response or timer is left. */
void dtls_state_drop_heartbeat(struct kdtls_engine *e);

/* Wipe and free what DTLS 1.3 needs after the handshake, if it is there. */
void dtls_state_free13(struct kdtls_engine *e);

/*
 * Count @len bytes that came from an address that has proven nothing: three
 * times as many may go there (RFC 9147 5.1).
 */
void dtls_state_credit(struct kdtls_engine *e, size_t len);

/*
 * Return true if there are keys of DTLS 1.3, and numbers for another message of
 * this end.
 */
bool dtls_state_can_tell13(const struct kdtls_engine *e);

/* Return true if there is an epoch for another write key as well. */
bool dtls_state_can_update13(const struct kdtls_engine *e);

#endif /* _DTLS_STATE_H */
