/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This header has the state of one association. struct kdtls_engine lives as
 * long as the association, struct dtls_handshake until the handshake is done. A
 * function that returns int returns 0, or the final error of the engine after
 * dtls_fail().
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

/* enum dtls_step tells which message or event a handshake waits for. */
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
	DTLS_STEP_FLUSH,	/* The last flight of this end is still to be sent. */
	DTLS_STEP_DONE,
};

/**
 * struct dtls_held - data or a record that came too early and is kept
 * @next:	the next one in the order of arrival, or NULL
 * @opened:	true: @data is verified application data, which is handed out at
 *		the end of the handshake; false: @data is a record whose key is
 *		not there yet
 * @len:	bytes of @data
 * @data:	the data or the record
 */
struct dtls_held {
	struct dtls_held *next;
	bool opened;
	size_t len;
	u8 data[];
};

/**
 * struct dtls_handshake - state that is needed during a handshake only
 * @step:	the message or event that is expected next
 *
 * Messages:
 *
 * @transcript:	all messages so far
 * @before:	bytes of @transcript before the message that is being received
 * @in:		the peer's messages, put in order
 * @out:	the message that is being written
 * @send_seq:	message_seq of this end's next message
 * @answer_due:	the peer's next new message is the answer to this end's flight
 * @flight_end:	message_seq of the message that ended the peer's last flight
 * @flight_seen: @flight_end is set
 *
 * Keys:
 *
 * @tx_epoch:	epoch of this end's next message
 * @tx_key:	DTLS 1.2: write key of epoch 1
 * @rx_key:	DTLS 1.2: read key of epoch 1
 * @data_tx:	DTLS 1.3: the server's first data key, if it is used before the
 *		handshake is done
 * @held:	data and records that came too early, the oldest first
 * @held_len:	bytes of memory of @held, bounded by kdtls_config.max_early
 *
 * Key exchange:
 *
 * @kex_key:	this end's ephemeral key
 * @shared:	the secret of the exchange
 * @shared_len:	bytes of @shared
 * @psk_hint:	DTLS 1.2 client: the server's hint, or NULL
 *
 * Identities:
 *
 * @identity:	the identity that this end shows, or NULL
 * @scheme:	the signature scheme of @identity
 * @peer:	who the peer claims to be; see auth.h
 * @peer_key:	the peer's public key, or NULL
 * @peer_raw:	the peer shows a raw public key
 * @own_raw:	this end shows a raw public key
 * @cert_requested: a certificate or raw key of the client is asked for
 *
 * Resumption:
 *
 * @session_bytes: the session that may be resumed, as bytes
 * @session:	the parsed session; points into @session_bytes
 * @has_session: @session is set
 * @send_ticket: the server is going to send a ticket
 * @ticket_due:	the client waits for a ticket
 * @ticket:	client: the ticket just received
 * @ticket_life: client: seconds that the server gives for @ticket
 *
 * Both ends:
 *
 * @hello:	server: the hello being read, as the gate let it in, or NULL
 * @offered:	client: a bit (1 << enum dtls_extension) for each extension
 *		offered
 * @cookie:	client: the server's cookie, allocated by OPENSSL_malloc()
 * @verify_requests: client: number of HelloVerifyRequests taken
 * @hello_record: client: number of the first record of its newest hello
 * @unused:	the connection ID that this end offered and the peer does not use
 * @answer:	client: where in @transcript the ServerHello begins
 * @answer_seq:	client: message_seq of the ServerHello
 * @taken_back:	client: number of ServerHellos that gave way to another one
 * @tx_from:	client: number of the first record under the write key of the handshake.
 *		A ServerHello that was taken back may come again, and its keys with it
 *
 * DTLS 1.3:
 *
 * @retried:	there was a HelloRetryRequest
 * @psk_chosen:	a pre-shared key is used, and no certificate
 * @psk_resumes: the pre-shared key is that of a session
 * @share_group: client: group of @kex_key
 * @psk_asked:	client: the owner was asked for a pre-shared key
 * @retry_suite: suite of the HelloRetryRequest
 * @retry_group: server: group that the HelloRetryRequest asked for, or 0
 * @psk_index:	server: place in the hello's list of the key that is being tried
 * @secret:	the present stage of the key schedule (RFC 8446 7.1)
 * @client_secret: the client's handshake traffic secret
 * @server_secret: the server's handshake traffic secret
 * @psk:	client: the external key it offers; server: the key it chose
 * @psk_basis:	hash of the key that the owner gave last
 * @psk_len:	bytes of @psk
 * @psk_identity_len: bytes of @psk_identity
 * @psk_identity: identity of @psk
 *
 * All secrets in the structure are wiped when it is dropped.
 */
struct dtls_handshake {
	enum dtls_step step;

	struct dtls_transcript transcript;
	size_t before;
	struct dtls_reassembly in;
	struct dtls_writer out;
	u16 send_seq;
	bool answer_due;
	u16 flight_end;
	bool flight_seen;

	u64 tx_epoch;
	struct dtls_key_info tx_key;
	struct dtls_key_info rx_key;
	struct dtls_protection *data_tx;
	struct dtls_held *held;
	size_t held_len;

	EVP_PKEY *kex_key;
	u8 shared[DTLS_SHARED_MAX];
	size_t shared_len;
	char *psk_hint;

	const struct dtls_identity *identity;
	const struct dtls_scheme *scheme;
	struct dtls_peer peer;
	EVP_PKEY *peer_key;
	bool peer_raw;
	bool own_raw;
	bool cert_requested;

	struct dtls_writer session_bytes;
	struct dtls_session session;
	bool has_session;
	bool send_ticket;
	bool ticket_due;
	struct dtls_writer ticket;
	u32 ticket_life;

	struct kdtls_hello *hello;
	u64 offered;
	struct dtls_bytes cookie;
	unsigned int verify_requests;
	u64 hello_record;
	struct dtls_cids unused;
	size_t answer;
	u16 answer_seq;
	unsigned int taken_back;
	u64 tx_from;

	bool retried;
	bool psk_chosen;
	bool psk_resumes;
	u16 share_group;
	bool psk_asked;
	u16 retry_suite;
	u16 retry_group;
	u16 psk_index;
	u8 secret[DTLS_HASH_MAX];
	u8 client_secret[DTLS_HASH_MAX];
	u8 server_secret[DTLS_HASH_MAX];
	u8 psk[KDTLS_PSK_MAX];
	u8 psk_basis[DTLS_BASIS_SIZE];
	u8 psk_len;
	u8 psk_identity_len;
	u8 psk_identity[KDTLS_PSK_IDENTITY_MAX];
};

/**
 * struct dtls12 - state that DTLS 1.2 needs as long as the engine lives, and DTLS 1.3
 *	until the handshake is done
 * @secrets:	master secret and randoms, for the exporter
 * @session_id_len: bytes of @session_id
 * @session_id:	session id of DTLS 1.2
 */
struct dtls12 {
	struct dtls12_secrets secrets;
	u8 session_id_len;
	u8 session_id[DTLS_SESSION_ID_SIZE];
};

/**
 * struct dtls_cids13 - connection IDs that are being exchanged
 * @fresh:	the NewConnectionId message that is to be sent
 * @spare:	connection IDs that the peer gave and that are not used yet, each
 *		behind its length
 */
struct dtls_cids13 {
	struct dtls_writer fresh;
	struct dtls_writer spare;
};

#define DTLS_EPOCH_MAX		65535	/* Epochs are 16 bits in struct dtls_key_info. */
#define DTLS_MESSAGE_SEQ_MAX	65535	/* message_seq never wraps (RFC 6347 4.2.2). */

/**
 * struct dtls13 - state that DTLS 1.3 needs after the handshake
 * @cids:	connection IDs that are being exchanged, or NULL if none ever were
 * @resumption:	the secret that keys of tickets are derived from; NULL: there is
 *		no ticket to come
 * @rx_epoch:	the newest read epoch
 * @tx_epoch:	the newest write epoch
 * @send_seq:	message_seq of this end's next message
 * @receive_seq: message_seq of the peer's next message; 65536: no message is
 *		new
 * @arrived:	the last flight of this end has arrived
 * @updating:	the flight has a KeyUpdate
 * @ticket_due:	a ticket is to be sent
 * @update_due:	a KeyUpdate is to be sent
 * @update_both: the KeyUpdate asks the peer for one, too
 * @request_due: a RequestConnectionId is to be sent
 * @spare_count: number of connection IDs in @cids->spare, DTLS_CIDS_MAX at most
 * @cids_wanted: number that the last RequestConnectionId asked for
 * @hash_len:	bytes of each secret
 * @secrets:	the secrets of application data, see enum dtls_secret13. They are
 *		there from dtls_handshake13_data_secrets() on
 */
struct dtls13 {
	struct dtls_cids13 *cids;
	u8 *resumption;
	u16 rx_epoch;
	u16 tx_epoch;
	u32 send_seq;
	u32 receive_seq;
	bool arrived;
	bool updating;
	bool ticket_due;
	bool update_due;
	bool update_both;
	bool request_due;
	u8 spare_count;
	u8 cids_wanted;
	u8 hash_len;
	u8 secrets[];
};

/* enum dtls_secret13 is the place of a secret in struct dtls13. */
enum dtls_secret13 {
	DTLS_SECRET_RX,		/* traffic secret of the newest read epoch */
	DTLS_SECRET_TX,		/* traffic secret of the newest write epoch */
	DTLS_SECRET_EXPORTER,	/* the exporter's secret (RFC 8446 7.5) */
	DTLS_SECRETS,
};

/* Return a secret of application data. */
static inline u8 *dtls13_secret(struct dtls13 *d, enum dtls_secret13 which)
{
	return d->secrets + which * d->hash_len;
}

#define DTLS_ACKS_MAX	32

/**
 * struct dtls_acks - handshake records to be acknowledged (RFC 9147 7)
 * @expiry:	when the list goes out by itself
 * @due:	the list goes out with the next output
 * @timed:	a record came when the version was known to be DTLS 1.3
 * @count:	number of @number, DTLS_ACKS_MAX at most
 * @number:	epoch and sequence number of each record
 */
struct dtls_acks {
	u64 expiry;
	bool due;
	bool timed;
	u8 count;
	struct {
		u64 epoch;
		u64 seq;
	} number[];
};

#define DTLS_HEARTBEAT_PAYLOAD	16 /* These bytes show which request is answered. */

/**
 * struct dtls_heartbeat - heartbeats under way (RFC 6520)
 * @timer:	retransmission timer of the request of this end
 * @request_due: the request of this end is to be sent
 * @size:	bytes of the request of this end
 * @payload:	payload of the request of this end
 * @response:	the answer to the request of the peer, or NULL
 * @response_len: bytes of @response
 */
struct dtls_heartbeat {
	struct dtls_timer timer;
	bool request_due;
	size_t size;
	u8 payload[DTLS_HEARTBEAT_PAYLOAD];
	u8 *response;
	size_t response_len;
};

/**
 * struct dtls_motion - what is under way in an engine
 * @calls:	public functions that are at work, as one may call another one
 * @now:	the time of the owner's latest call, in microseconds
 *
 * Keys of the handshake's encrypted epoch, which is 1, or 2 in DTLS 1.3:
 *
 * @tx:		write key, or NULL
 * @rx:		read key, or NULL
 * @linger:	DTLS 1.3 server: when these keys are dropped
 *
 * What is to be sent:
 *
 * @flight:	the flight that goes out, or that is kept to go out again
 * @timer:	retransmission timer of @flight
 * @tx_seq:	number of the next record of epoch 0, which is of the handshake
 * @last_out:	when a flight last went out
 * @reply:	the gate's answer to a first hello, or NULL
 * @reply_len:	bytes of @reply
 * @heartbeat:	heartbeats under way, or NULL
 * @early:	state of early data, or NULL if none may be sent or received
 *
 * What is received:
 *
 * @address_len: bytes of @address
 * @address:	server, until the handshake is done: the peer's address as the owner
 *		gave it
 * @in:		DTLS 1.3: the peer's messages after the handshake, or NULL
 */
struct dtls_motion {
	unsigned int calls;
	u64 now;

	struct dtls_protection *tx;
	struct dtls_protection *rx;
	u64 linger;

	struct dtls_flight flight;
	struct dtls_timer timer;
	u64 tx_seq;
	u64 last_out;
	u8 *reply;
	size_t reply_len;
	struct dtls_heartbeat *heartbeat;
	struct dtls_early *early;

	u8 address_len;
	u8 *address;
	struct dtls_reassembly *in;
};

/**
 * struct kdtls_engine - one association, as long as it lives
 * @ep:		the endpoint
 * @ctx:	the owner's pointer, for callbacks
 * @hs:		the handshake, or NULL when it is done
 * @m:		what is under way, or NULL if nothing is; see dtls_state_wake()
 * @server:	this end is the server
 * @state:	enum kdtls_state
 * @keys_out:	the owner has the keys of application data
 * @kept:	the owner keeps the records that come before their keys, and opens them
 *		itself: those with data, and close_notify behind them
 *
 * What was negotiated:
 *
 * @resumed:	a session was resumed
 * @ems:	the master secret is extended (RFC 7627)
 * @heartbeats:	this end answers heartbeat requests
 * @peer_heartbeat: the peer answers heartbeat requests
 * @unproven:	the peer's address may be forged
 * @early_state: enum kdtls_early
 * @peer_len:	bytes of @peer
 * @cid_tx_len:	bytes of @cid_tx
 * @version:	DTLS_VERSION_*, or 0 until it is known
 * @group:	group of the key exchange, or 0
 * @peer_scheme: scheme of the peer's signature, or 0
 * @srtp_profile: profile of SRTP, or 0
 * @peer_record_limit: bytes of content of a record that the peer takes
 * @record_limit: bytes of content of a record that this end takes; 0: 2^14
 * @suite:	the suite, or NULL until it is known
 * @alpn:	the protocol, a string of the configuration, or NULL
 * @name:	the server's name, or NULL
 * @cids:	connection IDs of records that arrive
 * @cid_tx:	connection ID of records that go out
 * @peer:	who the peer is, as bytes that dtls_auth_peer() reads
 * @d12:	state of DTLS 1.2; NULL when a handshake of DTLS 1.3 is done
 * @d13:	state of DTLS 1.3, or NULL
 *
 * What is to be sent:
 *
 * @acks:	DTLS 1.3: records to be acknowledged, or NULL. They stay when an ACK
 *		went out, as it may be lost
 * @srtt:	without @m: the round trip as in struct dtls_timer
 * @rttvar:	without @m: its variation
 * @mtu:	bytes of the largest datagram
 * @peer_finished: message_seq of the peer's Finished
 * @alert_due:	the alert @alert is to be sent
 * @alert_level: level of that alert
 *
 * Counters and the final error:
 *
 * @dropped:	records that were dropped
 * @reason:	the final error in words
 * @resent:	flights that went out again
 * @credit:	while @unproven: bytes that may still be sent
 * @error:	enum kdtls_engine_error
 * @alert:	the alert that this end sends or has sent
 * @alert_received: the alert that the peer has sent
 */
struct kdtls_engine {
	struct kdtls_endpoint *ep;
	void *ctx;
	struct dtls_handshake *hs;
	struct dtls_motion *m;
	bool server;
	u8 state;
	bool keys_out;
	bool kept;

	bool resumed;
	bool ems;
	bool heartbeats;
	bool peer_heartbeat;
	bool unproven;
	u8 early_state;
	u8 peer_len;
	u8 cid_tx_len;
	u16 version;
	u16 group;
	u16 peer_scheme;
	u16 srtp_profile;
	u16 peer_record_limit;
	u16 record_limit;
	const struct dtls_suite *suite;
	const char *alpn;
	char *name;
	struct dtls_cids cids;
	u8 *cid_tx;
	u8 *peer;
	struct dtls12 *d12;
	struct dtls13 *d13;

	struct dtls_acks *acks;
	u32 srtt;
	u32 rttvar;
	u32 mtu;
	u16 peer_finished;
	bool alert_due;
	u8 alert_level;

	u64 dropped;
	const char *reason;
	u32 resent;
	u32 credit;
	int error;
	u8 alert;
	u8 alert_received;
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
 * dtls_fail() - end the association because of an error
 * @e:		the engine, which makes no more progress after that
 * @error:	enum kdtls_engine_error
 * @alert:	the alert that is sent to the peer; KDTLS_ALERT_NONE: none
 * @reason:	the error in words: a text that is never freed
 *
 * Only the first failure counts.
 *
 * Return: -@error, or the negative error of the first failure.
 */
int dtls_fail(struct kdtls_engine *e, int error, u8 alert, const char *reason);

/* Fail because of a message that cannot be parsed. */
static inline int dtls_fail_decode(struct kdtls_engine *e, const char *reason)
{
	return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_DECODE_ERROR, reason);
}

/* Fail because of a message with a value that it must not have. */
static inline int dtls_fail_illegal(struct kdtls_engine *e, const char *reason)
{
	return dtls_fail(e, KDTLS_EPROTOCOL, KDTLS_ALERT_ILLEGAL_PARAMETER,
			 reason);
}

/* Fail because libcrypto failed. */
static inline int dtls_fail_internal(struct kdtls_engine *e)
{
	return dtls_fail(e, KDTLS_ECRYPTO, KDTLS_ALERT_INTERNAL_ERROR,
			 "libcrypto failed");
}

/* Fail because there is no memory, or because a limit of memory is reached. */
static inline int dtls_fail_memory(struct kdtls_engine *e)
{
	return dtls_fail(e, KDTLS_EMEMORY, KDTLS_ALERT_INTERNAL_ERROR,
			 "out of memory, or a limit reached");
}

/* Make an alert go out with the next output. @level is one of DTLS_ALERT_*. */
void dtls_state_alert(struct kdtls_engine *e, u8 level, u8 alert);

/*
 * Drop everything that is to be sent but an alert, and drop the keys unless the
 * alert goes out under them.
 */
void dtls_state_stop(struct kdtls_engine *e);

/*
 * Fill @buf with random bytes that everybody may see. If that is not possible,
 * the engine fails, and the function returns false.
 */
bool dtls_state_random(struct kdtls_engine *e, u8 *buf, size_t len);

/* Return the time, in seconds since 1970. */
int64_t dtls_state_time(const struct kdtls_engine *e);

/* Fill in the endpoint's timeouts, in microseconds. */
void dtls_state_timer_limits(const struct kdtls_engine *e,
			     struct dtls_timer_limits *l);

/* Let the callbacks of the endpoint get @ctx for this engine from now on. */
void dtls_state_set_ctx(struct kdtls_engine *e, void *ctx);

/*
 * Note that the owner keeps the records that come before their keys, see @kept of struct
 * kdtls_engine.
 */
void dtls_state_set_kept(struct kdtls_engine *e);

/*
 * Begin a call of the owner: make @e->m if it is not there. Return false if there is no
 * memory. A call that began ends with dtls_state_rest().
 */
bool dtls_state_wake(struct kdtls_engine *e);

/*
 * End a call of the owner. If nothing is under way any more, @e->m is freed: an engine
 * that is idle keeps no memory for what is not there.
 */
void dtls_state_rest(struct kdtls_engine *e);

/*
 * Make a handshake. Return NULL if there is no memory, or if
 * kdtls_config.max_handshakes are going on.
 */
struct dtls_handshake *dtls_state_handshake_new(struct kdtls_engine *e);

/* Wipe and free the handshake, if there is one. */
void dtls_state_handshake_drop(struct kdtls_engine *e);

/*
 * Return how many bytes of memory the handshake of @e has for what the peer has sent and for
 * its own messages: those of the transcript and of the flight, those that wait for others,
 * and early records. It is 0 if no handshake goes on.
 */
size_t dtls_state_held(const struct kdtls_engine *e);

/*
 * Return true if a record of the peer has verified under the key of the handshake. So the
 * peer has the keys, and protects all that it sends from then on.
 */
bool dtls_state_peer_has_keys(const struct kdtls_engine *e);

/* Wipe and free all that is under way. */
void dtls_state_drop_motion(struct kdtls_engine *e);

/* Wipe and free the keys of the handshake's encrypted epoch. */
void dtls_state_drop_keys(struct kdtls_engine *e);

/* Free the list of records to be acknowledged. No ACK goes out then. */
void dtls_state_drop_acks(struct kdtls_engine *e);

/* Free the heartbeats under way: no request, response or timer is left. */
void dtls_state_drop_heartbeat(struct kdtls_engine *e);

/* Wipe and free @e->d12, if there is one. */
void dtls_state_free12(struct kdtls_engine *e);

/* Wipe and free @e->d13, if there is one. */
void dtls_state_free13(struct kdtls_engine *e);

/* Wipe and free the secret of tickets, if there is one. */
void dtls_state_drop_resumption(struct kdtls_engine *e);

/* Return true if the peer has proven its address, or need not. */
static inline bool dtls_state_proven(const struct kdtls_engine *e)
{
	return !e->unproven;
}

/*
 * Count @len bytes that came from an unproven address. Three times as many
 * bytes may be sent there (RFC 9147 5.1).
 */
void dtls_state_credit(struct kdtls_engine *e, size_t len);

/*
 * Return true if there are keys of DTLS 1.3, and a message_seq for another
 * message of this end.
 */
bool dtls_state_can_tell13(const struct kdtls_engine *e);

/*
 * Return true if dtls_state_can_tell13() returns true, and an epoch is left for
 * another write key.
 */
bool dtls_state_can_update13(const struct kdtls_engine *e);

#endif /* _DTLS_STATE_H */
