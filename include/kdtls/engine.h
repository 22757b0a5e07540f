/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The handshake engine of libkdtls: DTLS without I/O.
 *
 * Datagrams go in and come out, times go in and come out, and finished keys
 * come out through one callback. There is no socket, clock, thread or global
 * state inside; time and randomness come from the caller.
 *
 *	endpoint  what many associations share: policy, credentials, cookie and
 *		  ticket keys, the session cache
 *	engine	  one association: its handshake, and afterwards what is left to
 *		  answer (the last flight, alerts, heartbeats; in DTLS 1.3
 *		  tickets, key updates, connection IDs and acknowledgements)
 *
 * A handshake is this loop:
 *
 *	kdtls_engine_start(e, now);			(client)
 *	for (;;) {
 *		while ((n = kdtls_engine_output(e, buf, size, &info, now)) > 0)
 *			send them as info says;
 *		wait for a datagram, or for kdtls_engine_expiry(e);
 *		kdtls_engine_input(e, datagram, len, &info, now) or
 *		kdtls_engine_expire(e, now);
 *	}
 *
 * It ends when kdtls_engine_state() is KDTLS_ESTABLISHED or KDTLS_FAILED.
 * Before that everything is a whole datagram (DTLS_RECORD_RAW). When the
 * handshake is done both keys go out through ops->key, and whoever took them
 * (the kernel, or records in user space) protects and opens the records of
 * that epoch from then on: what the engine sends under it comes out of
 * kdtls_engine_output() as the content of one record, and what arrives for the
 * engine goes in the same way. struct dtls_record_info is the kernel's own
 * (linux/dtls.h): what recvmsg(MSG_OOB) returns goes in as it is, and what
 * comes out goes to sendmsg() as it is.
 *
 * An endpoint and its engines belong to one thread at a time. libcrypto's error
 * queue is left as it was found.
 *
 * Times are microseconds of a clock that never goes backwards, with any zero.
 * Sizes are bytes. Numbers are in host byte order. Strings are UTF-8 with a
 * NUL. Every pointer argument is only read during the call if nothing else is
 * said. A datagram that does not verify is never an error: it is dropped and
 * counted.
 */
#ifndef _KDTLS_ENGINE_H
#define _KDTLS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/dtls.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef KDTLS_API
#define KDTLS_API __attribute__((visibility("default")))
#endif

struct kdtls_endpoint;
struct kdtls_engine;

enum kdtls_role {
	KDTLS_CLIENT,
	KDTLS_SERVER,
};

enum kdtls_state {
	KDTLS_IDLE,		/* client: not started; server: no whole ClientHello yet */
	KDTLS_HANDSHAKE,	/* in progress */
	KDTLS_ESTABLISHED,	/* keys are out */
	KDTLS_CLOSED,		/* closed by either side with close_notify */
	KDTLS_FAILED,		/* see kdtls_engine_failure() */
};

/*
 * Errors, beside those of kdtls.h; functions return them negative, and 0 for
 * success. An engine's error is final.
 */
enum kdtls_engine_error {
	KDTLS_EMEMORY = 0x1100,	/* no memory, or a limit of the configuration */
	KDTLS_EUSAGE,		/* wrong argument or wrong moment; nothing changed */
	KDTLS_ECRYPTO,		/* libcrypto failed */
	KDTLS_ETIMEOUT,		/* the peer stopped answering */
	KDTLS_EALERT,		/* the peer sent a fatal alert */
	KDTLS_EPROTOCOL,	/* the peer broke the protocol */
	KDTLS_ENEGOTIATION,	/* nothing in common with the peer */
	KDTLS_EPEER,		/* the peer's certificate, name or key is refused */
	KDTLS_ECALLBACK,	/* ops->key refused a key */
	KDTLS_EPSK,		/* a pre-shared key is too short, or used in both roles */
	KDTLS_ENAME,		/* neither a host name nor an address */
	KDTLS_EEMPTY,		/* no certificate, or no key, in what was given */
	KDTLS_EDER,		/* it is DER, and should be PEM */
	KDTLS_EDAMAGED,		/* a block of PEM cannot be read */
	KDTLS_EENCRYPTED,	/* the private key is encrypted */
	KDTLS_EMISMATCH,	/* the private key is not the certificate's */
	KDTLS_EKIND,		/* a kind of key that is not supported */
	KDTLS_EFORGERIES,	/* config.max_forgeries was reached */
};

/* Alerts (RFC 5246 7.2, RFC 8446 6, RFC 6066, RFC 7301) */
enum kdtls_alert {
	KDTLS_ALERT_CLOSE_NOTIFY = 0,
	KDTLS_ALERT_UNEXPECTED_MESSAGE = 10,
	KDTLS_ALERT_BAD_RECORD_MAC = 20,
	KDTLS_ALERT_RECORD_OVERFLOW = 22,
	KDTLS_ALERT_HANDSHAKE_FAILURE = 40,
	KDTLS_ALERT_BAD_CERTIFICATE = 42,
	KDTLS_ALERT_UNSUPPORTED_CERTIFICATE = 43,
	KDTLS_ALERT_CERTIFICATE_REVOKED = 44,
	KDTLS_ALERT_CERTIFICATE_EXPIRED = 45,
	KDTLS_ALERT_CERTIFICATE_UNKNOWN = 46,
	KDTLS_ALERT_ILLEGAL_PARAMETER = 47,
	KDTLS_ALERT_UNKNOWN_CA = 48,
	KDTLS_ALERT_ACCESS_DENIED = 49,
	KDTLS_ALERT_DECODE_ERROR = 50,
	KDTLS_ALERT_DECRYPT_ERROR = 51,
	KDTLS_ALERT_PROTOCOL_VERSION = 70,
	KDTLS_ALERT_INSUFFICIENT_SECURITY = 71,
	KDTLS_ALERT_INTERNAL_ERROR = 80,
	KDTLS_ALERT_USER_CANCELED = 90,
	KDTLS_ALERT_NO_RENEGOTIATION = 100,
	KDTLS_ALERT_MISSING_EXTENSION = 109,
	KDTLS_ALERT_UNSUPPORTED_EXTENSION = 110,
	KDTLS_ALERT_UNKNOWN_PSK_IDENTITY = 115,
	KDTLS_ALERT_CERTIFICATE_REQUIRED = 116,
	KDTLS_ALERT_NO_APPLICATION_PROTOCOL = 120,
	KDTLS_ALERT_NONE = 255,	/* nothing was sent or received */
};

/* struct kdtls_config, flags */
#define KDTLS_ALLOW_NO_EMS	0x0001	/* do without RFC 7627 if the peer has it not */
#define KDTLS_REQUEST_CERT	0x0002	/* server: ask for a client certificate */
#define KDTLS_REQUIRE_CERT	0x0004	/* server: and refuse clients without */
#define KDTLS_NO_NAME_CHECK	0x0008	/* client: any name in the certificate will do */
#define KDTLS_NO_VERIFY		0x0010	/* no chain is refused: ops->verify decides alone */
#define KDTLS_NO_TICKETS	0x0020	/* neither offer nor issue tickets (RFC 5077, RFC 8446) */
#define KDTLS_NO_COOKIE		0x0040	/* server: flights go to addresses that proved nothing */
#define KDTLS_HEARTBEAT		0x0080	/* offer and answer heartbeats (RFC 6520) */
#define KDTLS_CID		0x0100	/* put a connection ID into records if the peer wants one */
#define KDTLS_PSK_KE		0x0200	/* DTLS 1.3: keys without Diffie-Hellman too (psk_ke) */
#define KDTLS_ALLOW_NO_RENEGOTIATION_INFO 0x0400 /* DTLS 1.2 client: do without RFC 5746 */
#define KDTLS_SHORT_PSK		0x0800	/* take pre-shared keys below KDTLS_PSK_MIN */

#define KDTLS_PSK_MIN		16	/* bytes of a pre-shared key at least (RFC 9257 6) */
#define KDTLS_PSK_MAX		64	/* bytes of a pre-shared key */
#define KDTLS_PSK_IDENTITY_MAX	128	/* bytes of its identity (RFC 4279 5.3) */
#define KDTLS_MTU_MIN		256	/* bytes of a datagram */
#define KDTLS_OUTPUT_MIN	512	/* bytes of buffer for kdtls_engine_output() */
#define KDTLS_NEVER		UINT64_MAX

/* How a peer has proven who it is */
enum kdtls_auth {
	KDTLS_AUTH_NONE,	/* not at all: a client without certificate or key */
	KDTLS_AUTH_CERTIFICATE,	/* by the key of an X.509 certificate */
	KDTLS_AUTH_RAW_KEY,	/* by a raw public key (RFC 7250) */
	KDTLS_AUTH_PSK,		/* by a pre-shared key */
};

/* What was found in order of a certificate or raw public key */
#define KDTLS_VERIFIED_CHAIN	0x01	/* it leads to a root, or is a key, that is trusted */
#define KDTLS_VERIFIED_NAME	0x02	/* it bears the name of kdtls_engine_set_name() */
#define KDTLS_VERIFIED_OWNER	0x04	/* ops->verify did not refuse it */

/**
 * struct kdtls_peer - the certificate a peer has shown, for ops->verify
 * @result:	0: it passed the built-in checks; else libcrypto's X509_V_ERR_*.
 *		With KDTLS_NO_VERIFY it is for the owner to judge
 * @reason:	the same in words
 * @raw_key:	1: one SubjectPublicKeyInfo (RFC 7250) instead of certificates
 * @count:	entries of @der and @der_len, leaf first
 * @der:	DER, as received
 * @der_len:	their lengths
 */
struct kdtls_peer {
	int result;
	const char *reason;
	int raw_key;
	size_t count;
	const uint8_t *const *der;
	const size_t *der_len;
};

/**
 * struct kdtls_resumption - a session about to be resumed, for ops->resume
 * @auth:	enum kdtls_auth: how the peer proved who it is, in the full handshake
 *		that the session, renewed or not, comes from
 * @verified:	KDTLS_VERIFIED_*: what was in order then
 * @peer_hash:	SHA-256 of the peer's certificate or raw key, zero if none
 * @psk_identity: of the pre-shared key, not NUL terminated; NULL: none
 * @psk_identity_len: its bytes
 * @authenticated: seconds since 1970 of that handshake
 * @chain_end:	when the peer's chain expires, the same; 0: there is none
 * @age:	seconds since @authenticated
 */
struct kdtls_resumption {
	uint8_t auth;
	uint8_t verified;
	uint8_t peer_hash[32];
	const uint8_t *psk_identity;
	size_t psk_identity_len;
	int64_t authenticated;
	int64_t chain_end;
	int64_t age;
};

/**
 * struct kdtls_ops - what an engine asks of its owner
 *
 * @ctx is what kdtls_engine_new() was given. None may call the engine.
 *
 * @key: a key is ready: called twice when the handshake is done, DTLS_RX first;
 *	in DTLS 1.3 once more for each new key after that, of the next epoch,
 *	and on a server that takes early data first of all for DTLS_RX of epoch
 *	1, for what of it is still on its way.
 *	@direction is DTLS_RX or DTLS_TX; @key holds version, cipher, epoch, next
 *	sequence number, key, IV and connection ID, ready for setsockopt(), and
 *	is wiped after the call. With DTLS_RX, @seen says which records the
 *	engine has taken already; with DTLS_TX it is NULL. 0, or nonzero: the
 *	engine fails with KDTLS_ECALLBACK. Required.
 * @early: application data that came before the keys were out, verified; one
 *	record a call, after both @key calls. NULL: dropped.
 * @psk_client: choose identity and key for the server's hint (@hint is NULL if
 *	it gave none). Write the identity (KDTLS_PSK_IDENTITY_MAX bytes at most)
 *	and its length, the key (KDTLS_PSK_MAX) and return the key's length, or 0
 *	to give up. NULL: no PSK suites are offered. RFC 4279. If DTLS 1.3 is
 *	offered it is asked before the first hello too, without a hint: then a
 *	key of SHA-256's (RFC 8446 4.2.11), and 0 goes on without it.
 *	A session that comes from a pre-shared key is offered only if the key of
 *	its identity is given once more, without a hint; or, in DTLS 1.2, none is
 *	given without one.
 *	A key of fewer than KDTLS_PSK_MIN bytes ends the handshake, unless
 *	KDTLS_SHORT_PSK is set, and so does one that the endpoint uses in the
 *	other role too: whoever does that may be sent its own messages back (RFC
 *	9257 4.1). One key is for one client and one server.
 * @psk_server: find the key of an identity; the same. The identity is not NUL
 *	terminated and any bytes may stand in it. An unknown identity is told
 *	to the peer as a wrong key is (RFC 4279 2). It is asked again before a
 *	session that comes from a pre-shared key is resumed: without the key, or
 *	with another one, there is a full handshake.
 * @verify: judge the peer's certificate after the built-in checks. Return 0 to
 *	go by @peer->result (with KDTLS_NO_VERIFY: to accept), or the alert to
 *	refuse with. NULL: @peer->result decides.
 * @resume: a session is about to be resumed that satisfies what the endpoint asks
 *	for: it is not too old, of the same name, its chain was checked as one
 *	would be now and against the same roots, its pre-shared key is still
 *	there. Return 0 to agree; nonzero: a full handshake finds out who the
 *	peer is. A server of DTLS 1.2 asks before the peer has proven that it
 *	holds the session, one of DTLS 1.3 afterwards; a client asks before it
 *	offers the session. NULL: agreed.
 * @session: client: the session can be resumed with these bytes (secret!)
 *	through kdtls_engine_set_session(). In DTLS 1.3 it comes with a ticket
 *	after the handshake, maybe several times. NULL: not wanted.
 * @keylog: one line of the NSS key log, without newline (secret!). NULL: off.
 * @heartbeat: the answer to a request of @size bytes took @rtt; or, with @rtt
 *	KDTLS_NEVER, none came to any of its retransmissions.
 * @replayable: server: early data (0-RTT), verified, one record a call, as it
 *	comes: the handshake is not over, and somebody may have sent the same
 *	before (RFC 8446 8). NULL: dropped; an owner that has kept the record
 *	can open it when @key gives the key of epoch 1.
 * @cid: DTLS 1.3: the peer is about to be given another connection ID of ours:
 *	@cid, @len random bytes, as many as that of kdtls_engine_set_cid() has.
 *	Who tells peers apart by them may write others there. When this returns
 *	0, records with it are taken beside those with the handshake's and the
 *	last DTLS_CIDS_MAX (linux/dtls.h) that were given, of which it is one.
 *	Nonzero: it is not given. NULL: the peer gets none but the handshake's.
 * @peer_cid: DTLS 1.3: records that go out are to have this connection ID of the
 *	peer's from now on, under the key they have. Nonzero, as is right if it
 *	is not as long as that key's, or NULL: it comes with the next key, a
 *	round trip later.
 * @random: fill @buf. NULL: libcrypto's generator, which is used inside key
 *	generation and signatures in any case.
 * @unix_time: seconds since 1970, for certificates, tickets and sessions. @ctx is
 *	NULL where there is no engine yet. NULL: time(2).
 */
struct kdtls_ops {
	int (*key)(void *ctx, int direction, const struct dtls_key_info *key,
		   const struct dtls_window *seen);
	void (*early)(void *ctx, const uint8_t *data, size_t len);
	void (*replayable)(void *ctx, const uint8_t *data, size_t len);
	size_t (*psk_client)(void *ctx, const char *hint, uint8_t *identity,
			     size_t *identity_len, uint8_t *key);
	size_t (*psk_server)(void *ctx, const uint8_t *identity,
			     size_t identity_len, uint8_t *key);
	int (*verify)(void *ctx, const struct kdtls_peer *peer);
	int (*resume)(void *ctx, const struct kdtls_resumption *session);
	void (*session)(void *ctx, const uint8_t *session, size_t len);
	void (*keylog)(void *ctx, const char *line);
	void (*heartbeat)(void *ctx, size_t size, uint64_t rtt);
	int (*cid)(void *ctx, uint8_t *cid, size_t len);
	int (*peer_cid)(void *ctx, const uint8_t *cid, size_t len);
	void (*random)(void *ctx, uint8_t *buf, size_t len);
	int64_t (*unix_time)(void *ctx);
};

/**
 * struct kdtls_config - policy of an endpoint
 *
 * Fill it with kdtls_config_init() and change what shall differ. What it points
 * to must live as long as the endpoint.
 *
 * @flags:	KDTLS_*
 * @version_min: DTLS_VERSION_*: the oldest that is spoken
 * @version_max: and the newest. One hello offers both, the newer one is used if
 *		the peer has it (RFC 8446 4.2.1). A version without a suite in
 *		@suites is not spoken
 * @suites:	cipher suites by IANA number, best first; NULL: every one the
 *		engine has (RFC 8446 B.4; RFC 5289, 5487, 7251, 7905, 8442), CCM_8
 *		last, and with pre-shared keys of DTLS 1.2 alone: those with
 *		certificates (0xc0ae) and of DTLS 1.3 (0x1305) are to be asked for.
 *		Suites, groups and schemes that libcrypto's providers lack are left
 *		out of these lists where they are NULL; an endpoint that is
 *		configured with one of them is refused
 * @suite_count: entries of @suites
 * @groups:	key exchange groups, best first; NULL: X25519MLKEM768 (0x11ec,
 *		DTLS 1.3 alone) if libcrypto has it, x25519 (29), secp256r1 (23),
 *		secp384r1 (24) (RFC 8422)
 * @group_count: entries of @groups
 * @schemes:	signature schemes, best first; NULL: ECDSA, Ed25519, RSA-PSS and
 *		RSA-PKCS1 with SHA-256 and longer (RFC 8446 4.2.3)
 * @scheme_count: entries of @schemes
 * @alpn:	application protocols, best first, ended by NULL (RFC 7301). A
 *		server that has some refuses a client that offers only others
 * @srtp:	SRTP protection profiles, best first (RFC 5764); NULL: none
 * @srtp_count:	entries of @srtp
 * @psk_hint:	server: identity hint (RFC 4279), 128 bytes at most, or NULL
 * @record_size_limit: largest record this end takes, 64 to 16384 (RFC 8449):
 *		bytes of content, and in DTLS 1.3 the type's; 0: the extension is
 *		not used. If the peer uses it too, both keep to each other's:
 *		larger records are not sent, and dropped when they come
 * @mtu:	bytes of UDP payload in a datagram, KDTLS_MTU_MIN to 65507
 * @mtu_min:	the back-off goes no lower; KDTLS_MTU_MIN to @mtu
 * @timeout_initial: ms until a flight is sent again (RFC 6347 4.2.4.1), until
 *		a round trip was measured; @timeout_min to @timeout_max
 * @timeout_min: ms; the measured timer goes no lower; 50 or more
 * @timeout_max: ms; the doubling stops here
 * @retransmits: times a flight is sent again before KDTLS_ETIMEOUT
 * @ack_delay:	DTLS 1.3: ms until a message after the handshake is acknowledged,
 *		together with what else has come by then (RFC 9147 7.1); 0: at
 *		once
 * @linger:	ms the last flight is kept for a peer that lost it (2 MSL); in
 *		DTLS 1.3 ms a server acknowledges the client's again
 * @cookie_life: ms a cookie is good for at least (and twice that at most); in
 *		DTLS 1.3 a client that comes later has to begin anew
 * @ticket_life: seconds a session can be resumed, 604800 at most (RFC 8446
 *		4.6.1), counted from the full handshake in which the peer proved
 *		who it is: that the session is renewed changes nothing. It ends
 *		with the peer's certificates, too. Ticket keys are replaced as
 *		often
 * @cache_size:	server: sessions kept for resumption by session id; 0: none
 * @max_message: bytes of the largest handshake message taken, but for
 * @max_certificates: bytes of the largest Certificate or CertificateRequest
 *		taken, where one may come; @max_message to @max_handshake
 * @max_handshake: bytes of messages one handshake holds, for reassembly and
 *		transcript each
 * @max_early_data: server: bytes of early data (0-RTT, RFC 8446 4.2.10) that a
 *		session may be resumed with; 0: none. The endpoint takes it once
 *		for each of its tickets, and within seconds of when it was to be
 *		expected (RFC 8446 8); the rest is for the application to see to.
 *		A ticket that is spent on it counts for a cookie. A process that was
 *		forked off after the endpoint was made takes none: only the one
 *		that made it knows which tickets are spent
 * @max_early:	bytes of records one handshake holds that came before their key
 * @max_handshakes: handshakes at once on this endpoint
 * @max_forgeries: records that may fail to verify under one read key; 0: as the
 *		cipher has it, 2^7 for CCM_8 (RFC 9147 4.5.3); UINT64_MAX: any
 *		number. Shortly before, DTLS 1.3 changes the keys. A key that has
 *		reached it opens nothing more, and the engine fails with
 *		KDTLS_EFORGERIES: whoever can send from the peer's address may
 *		bring that about, and who does not limit it may be sent, after
 *		long, a record that was guessed
 * @ops:	callbacks; copied
 */
struct kdtls_config {
	uint32_t flags;
	uint16_t version_min;
	uint16_t version_max;
	const uint16_t *suites;
	size_t suite_count;
	const uint16_t *groups;
	size_t group_count;
	const uint16_t *schemes;
	size_t scheme_count;
	const char *const *alpn;
	const uint16_t *srtp;
	size_t srtp_count;
	const char *psk_hint;
	uint16_t record_size_limit;
	uint32_t mtu;
	uint32_t mtu_min;
	uint32_t timeout_initial;
	uint32_t timeout_min;
	uint32_t timeout_max;
	uint32_t retransmits;
	uint32_t ack_delay;
	uint32_t linger;
	uint32_t cookie_life;
	uint32_t ticket_life;
	uint32_t cache_size;
	uint32_t max_message;
	uint32_t max_certificates;
	uint32_t max_handshake;
	uint32_t max_early_data;
	uint32_t max_early;
	uint32_t max_handshakes;
	uint64_t max_forgeries;
	struct kdtls_ops ops;
};

/**
 * kdtls_config_init() - defaults
 * @config:	filled in: DTLS 1.2 to 1.3, MTU 1400 (least 256), timers 1000 ms
 *		(least 50, most 60000), 8 retransmissions, linger 240000 ms,
 *		cookies 15000 ms, tickets 86400 s, no cache, messages to 16384
 *		bytes, certificates to 102400, handshakes to 262144, early records to 4096, 100000
 *		handshakes at once; everything else zero
 */
KDTLS_API void kdtls_config_init(struct kdtls_config *config);

/**
 * kdtls_endpoint_new() - make an endpoint
 * @config:	copied; see there for what it points to
 * @endpoint:	set on success
 *
 * Return: 0, -KDTLS_EUSAGE (a value out of its range, an unknown suite, group or
 * scheme, ops->key missing), -KDTLS_EMEMORY, -KDTLS_ECRYPTO.
 */
KDTLS_API int kdtls_endpoint_new(const struct kdtls_config *config,
				 struct kdtls_endpoint **endpoint);

/**
 * kdtls_endpoint_free() - free an endpoint
 * @endpoint:	may be NULL; its engines must be gone
 */
KDTLS_API void kdtls_endpoint_free(struct kdtls_endpoint *endpoint);

/**
 * kdtls_endpoint_use_certificate() - show this certificate
 * @endpoint:	the endpoint
 * @pem:	the chain, leaf first, as PEM
 * @pem_len:	bytes of @pem
 * @key_pem:	the private key as PEM (PKCS#8 or older), not encrypted
 * @key_len:	bytes of @key_pem
 *
 * May be called several times: the first that suits the peer's signature
 * algorithms and, on a server, the name it asked for (RFC 6066 3) is used.
 * EC P-256 and P-384, Ed25519, RSA, RSA-PSS.
 *
 * All of @pem and @key_pem has to be in order: text between the blocks, and keys
 * and parameters beside what is looked for, are passed over, but a damaged block
 * is an error wherever it stands.
 *
 * Return: 0, -KDTLS_EEMPTY, -KDTLS_EDER, -KDTLS_EDAMAGED, -KDTLS_EENCRYPTED,
 * -KDTLS_EMISMATCH, -KDTLS_EKIND, -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_endpoint_use_certificate(struct kdtls_endpoint *endpoint,
					     const void *pem, size_t pem_len,
				   const void *key_pem, size_t key_len);

/**
 * kdtls_endpoint_use_raw_key() - show this public key instead of a certificate
 * @endpoint:	the endpoint
 * @key_pem:	the private key as PEM
 * @key_len:	bytes of @key_pem
 *
 * For peers that take raw public keys (RFC 7250).
 *
 * Return: as kdtls_endpoint_use_certificate().
 */
KDTLS_API int kdtls_endpoint_use_raw_key(struct kdtls_endpoint *endpoint,
					 const void *key_pem, size_t key_len);

/**
 * kdtls_endpoint_trust() - take these certificates as roots
 * @endpoint:	the endpoint
 * @pem:	one or more certificates as PEM
 * @pem_len:	bytes of @pem
 *
 * A damaged block is an error, and then none of them is a root.
 *
 * Return: 0, -KDTLS_EEMPTY, -KDTLS_EDER, -KDTLS_EDAMAGED, -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_endpoint_trust(struct kdtls_endpoint *endpoint, const void *pem,
				   size_t pem_len);

/**
 * kdtls_endpoint_trust_system() - take the system's roots
 * @endpoint:	the endpoint
 *
 * Return: 0 or -KDTLS_ECRYPTO.
 */
KDTLS_API int kdtls_endpoint_trust_system(struct kdtls_endpoint *endpoint);

/**
 * kdtls_endpoint_trust_raw_key() - take this public key from a peer
 * @endpoint:	the endpoint
 * @pem:	a public key as PEM
 * @pem_len:	bytes of @pem
 *
 * Makes the endpoint accept raw public keys (RFC 7250), these alone unless
 * KDTLS_NO_VERIFY is set. Names are not checked: the key is the name.
 *
 * Return: 0, -KDTLS_EEMPTY, -KDTLS_EDER, -KDTLS_EDAMAGED, -KDTLS_EKIND,
 * -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_endpoint_trust_raw_key(struct kdtls_endpoint *endpoint,
					   const void *pem, size_t pem_len);

enum kdtls_gate {
	KDTLS_GATE_DROP,	/* nothing to do */
	KDTLS_GATE_REPLY,	/* send what stands in the verdict's reply */
	KDTLS_GATE_ACCEPT,	/* give the verdict's hello to an engine */
};

#define KDTLS_GATE_REPLY_SIZE	256

/**
 * struct kdtls_sender - where a datagram came from
 * @address:	in any form that is the same for the same sender
 * @len:	bytes of @address, 64 at most
 * @source_len:	bytes at its beginning that name the source whose senders share
 *		one limit, such as an IPv4 address or 56 bits of an IPv6 one; 0:
 *		all of it
 */
struct kdtls_sender {
	const void *address;
	size_t len;
	size_t source_len;
};

/* A ClientHello that was let in, and what is known of it */
struct kdtls_hello;

/**
 * struct kdtls_verdict - what becomes of a datagram
 * @hello:	with KDTLS_GATE_ACCEPT: for kdtls_engine_accept(), or for
 *		kdtls_hello_free(); else NULL
 * @reply_len:	with KDTLS_GATE_REPLY: bytes of @reply; always less than what
 *		has come for the hello from this sender
 * @reply:	a datagram
 */
struct kdtls_verdict {
	struct kdtls_hello *hello;
	size_t reply_len;
	uint8_t reply[KDTLS_GATE_REPLY_SIZE];
};

/**
 * kdtls_endpoint_gate() - judge a datagram from a stranger
 * @endpoint:	a server's
 * @from:	the sender
 * @datagram:	as received
 * @len:	bytes of @datagram
 * @now:	time
 * @verdict:	filled in
 *
 * The stateless cookie exchange (RFC 6347 4.2.1; RFC 9147 5.1 by
 * HelloRetryRequest): nothing is kept of a hello that comes in one piece. Hellos
 * in pieces, of one datagram or several, first ones and those with a cookie, are
 * put together: 256 KiB of them at most, an eighth of that from one source, the
 * newest in the place of the oldest, each for 10 s. A server of DTLS 1.2 alone
 * answers a first hello by its first piece.
 *
 * A hello with early data that may be taken needs no cookie, once for each
 * ticket, and with the right proof of the ticket's key alone.
 *
 * This is also for a peer that restarts on its old address (RFC 6347 4.2.8):
 * once accepted run a second engine, and drop the old association only when the
 * new one is established.
 *
 * Return: one of enum kdtls_gate.
 */
KDTLS_API enum kdtls_gate
kdtls_endpoint_gate(struct kdtls_endpoint *endpoint,
		    const struct kdtls_sender *from, const uint8_t *datagram,
		    size_t len, uint64_t now, struct kdtls_verdict *verdict);

/**
 * kdtls_hello_random() - tell hellos apart
 * @hello:	from kdtls_endpoint_gate()
 *
 * Return: the 32 bytes of its random, which live as long as @hello; NULL: it is
 * malformed.
 */
KDTLS_API const uint8_t *kdtls_hello_random(const struct kdtls_hello *hello);

/**
 * kdtls_hello_free() - let go of a hello that no engine gets
 * @hello:	from kdtls_endpoint_gate(), or NULL
 */
KDTLS_API void kdtls_hello_free(struct kdtls_hello *hello);

/**
 * kdtls_engine_new() - make an engine
 * @endpoint:	must outlive it
 * @role:	KDTLS_CLIENT or KDTLS_SERVER
 * @ctx:	for the callbacks
 * @address:	server: the peer, as in struct kdtls_sender; the cookie is
 *		bound to it. Not used by a client
 * @address_len: bytes of @address, 64 at most
 * @engine:	set on success
 *
 * Return: 0, -KDTLS_EUSAGE, -KDTLS_EMEMORY (also: config.max_handshakes).
 */
KDTLS_API int kdtls_engine_new(struct kdtls_endpoint *endpoint, enum kdtls_role role,
			       void *ctx, const void *address, size_t address_len,
		     struct kdtls_engine **engine);

/**
 * kdtls_engine_free() - free an engine; every secret in it is wiped
 * @engine:	may be NULL
 */
KDTLS_API void kdtls_engine_free(struct kdtls_engine *engine);

/**
 * kdtls_engine_set_name() - client: the server's name
 * @engine:	not started yet
 * @name:	a host name (sent as SNI, RFC 6066 3) or an IP address (not sent);
 *		the certificate must bear it. A dot at the end, upper case and
 *		the zone of an IPv6 address ("fe80::1%eth0") are taken off before
 *		it is sent and compared. Internationalised names are not
 *		converted: give their ASCII form
 *
 * Return: 0, -KDTLS_EUSAGE, -KDTLS_ENAME (an empty label, as in ".com"; a
 * character no host name has; a number at the end of what is no whole address,
 * as in "127.1"), -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_engine_set_name(struct kdtls_engine *engine, const char *name);

/**
 * kdtls_engine_set_session() - client: resume this session
 * @engine:	not started yet
 * @session:	what ops->session gave
 * @len:	its bytes
 *
 * When the handshake starts the session has to satisfy what is asked for then:
 * the name, the roots, the checks that this endpoint makes (a session of
 * KDTLS_NO_VERIFY is none for an endpoint without), its pre-shared key, and
 * ops->resume. If it does not, the handshake is a full one.
 *
 * Return: 0, or -KDTLS_EUSAGE: damaged, of another version of the library, too
 * old, for another name than is set, or not allowed by the configuration; the
 * handshake will be a full one then.
 */
KDTLS_API int kdtls_engine_set_session(struct kdtls_engine *engine,
				       const uint8_t *session, size_t len);

/**
 * kdtls_engine_set_cid() - ask the peer to put this into its records
 * @engine:	not started yet (server: no datagram put in yet)
 * @cid:	a connection ID (RFC 9146)
 * @len:	its bytes, 1 to 255
 *
 * Used if the peer knows the extension; see struct kdtls_info.
 *
 * Return: 0, -KDTLS_EUSAGE, -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_engine_set_cid(struct kdtls_engine *engine, const uint8_t *cid,
				   size_t len);

/**
 * kdtls_engine_set_mtu() - the path takes datagrams of this size
 * @engine:	the engine
 * @mtu:	bytes of UDP payload; taken into KDTLS_MTU_MIN to 65507
 *
 * Whatever is not sent yet, and every retransmission, obeys it.
 */
KDTLS_API void kdtls_engine_set_mtu(struct kdtls_engine *engine, uint32_t mtu);

/**
 * kdtls_engine_start() - client: begin the handshake
 * @engine:	not started yet
 * @now:	time
 *
 * Return: 0, -KDTLS_EUSAGE (server, started before, or certificates would be
 * accepted and no name is set: see KDTLS_NO_NAME_CHECK), or a final error.
 */
KDTLS_API int kdtls_engine_start(struct kdtls_engine *engine, uint64_t now);

/**
 * kdtls_engine_send_early() - client: send this before the handshake (0-RTT)
 * @engine:	not started yet, with a session whose server takes early data; or
 *		started so, and the server has not answered yet
 * @data:	content of one record; copied
 * @len:	its bytes, 1 or more, so that a datagram holds it (config.mtu less
 *		64 bytes)
 *
 * It goes out behind the first hello, once. The session's secret alone protects
 * it, and whoever records it can send it to the server again (RFC 8446 8). What
 * the server does not take (struct kdtls_info, early) is for the caller to send
 * anew, when the handshake is done; lost datagrams are, as always, too.
 *
 * Return: 0, -KDTLS_EUSAGE (wrong moment, session, or more bytes than the server
 * takes), -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_engine_send_early(struct kdtls_engine *engine,
				      const uint8_t *data, size_t len);

/**
 * kdtls_engine_input() - something arrived
 * @engine:	the engine
 * @data:	with DTLS_RECORD_RAW in @info->flags, or no @info: a datagram;
 *		else the verified content of one record of @info->type and
 *		@info->epoch
 * @len:	bytes of @data
 * @info:	see struct dtls_record_info; NULL means DTLS_RECORD_RAW
 * @now:	time
 *
 * Return: 0, or the engine's final error (see kdtls_engine_failure(); there may
 * still be an alert to send).
 */
KDTLS_API int kdtls_engine_input(struct kdtls_engine *engine, const uint8_t *data,
				 size_t len, const struct dtls_record_info *info,
		       uint64_t now);

/**
 * kdtls_engine_accept() - server: begin with a hello that was let in
 * @engine:	no datagram put in yet; of the endpoint and address that @hello
 *		came to and from
 * @hello:	from kdtls_endpoint_gate(); is freed, whatever is returned
 * @now:	time
 *
 * What came behind the hello in its datagram is taken in too. A server's engine
 * that gets datagrams instead asks the gate itself, and its replies come out of
 * kdtls_engine_output().
 *
 * Return: 0, -KDTLS_EUSAGE, or the engine's final error.
 */
KDTLS_API int kdtls_engine_accept(struct kdtls_engine *engine,
				  struct kdtls_hello *hello, uint64_t now);

/**
 * kdtls_engine_output() - get what is to be sent
 * @engine:	the engine
 * @buf:	room for it
 * @size:	bytes of @buf: the MTU and KDTLS_OUTPUT_MIN at least
 * @info:	filled in: DTLS_RECORD_RAW in flags: @buf holds a datagram; else
 *		the content of one record to be sent as @info->type under the
 *		key of @info->epoch
 * @now:	time
 *
 * To be called until it returns 0. May finish the handshake (ops->key).
 *
 * Return: bytes in @buf, 0: nothing to send, or an error.
 */
KDTLS_API long kdtls_engine_output(struct kdtls_engine *engine, uint8_t *buf, size_t size,
				   struct dtls_record_info *info, uint64_t now);

/**
 * kdtls_engine_sent() - which record the last content became
 * @engine:	the engine, after kdtls_engine_output() gave content
 * @number:	the record's epoch and number (struct dtls_record_info,
 *		number_ptr); epoch 0: it did not go out
 *
 * DTLS 1.3: the peer acknowledges handshake messages by the numbers of their
 * records (RFC 9147 7). To be called before the next kdtls_engine_output();
 * content that is not told of is sent again until the engine gives up.
 */
KDTLS_API void kdtls_engine_sent(struct kdtls_engine *engine,
				 const struct dtls_record_number *number);

/**
 * kdtls_engine_expiry() - when to call kdtls_engine_expire()
 * @engine:	the engine
 *
 * Return: a time, or KDTLS_NEVER.
 */
KDTLS_API uint64_t kdtls_engine_expiry(const struct kdtls_engine *engine);

/**
 * kdtls_engine_expire() - time has passed
 * @engine:	the engine
 * @now:	time; nothing happens before kdtls_engine_expiry()
 *
 * Return: 0, or the engine's final error.
 */
KDTLS_API int kdtls_engine_expire(struct kdtls_engine *engine, uint64_t now);

/**
 * kdtls_engine_confirm() - the peer has our last flight
 * @engine:	the engine
 *
 * To be called when application data arrived from the peer, which proves it:
 * what was kept for retransmission is freed before config.linger is over. In
 * DTLS 1.3 it proves only that the peer is there: what it has not acknowledged
 * in config.retransmits times goes out once more.
 */
KDTLS_API void kdtls_engine_confirm(struct kdtls_engine *engine);

/**
 * kdtls_engine_update_keys() - change the write key (RFC 9147 8)
 * @engine:	established, DTLS 1.3
 * @both:	ask the peer to change its own as well
 *
 * The new key comes out through ops->key when the peer has acknowledged the
 * KeyUpdate. DTLS_EVENT_TX_LIMIT and DTLS_EVENT_RX_LIMIT do the same.
 *
 * Return: 0; -KDTLS_EUSAGE, also after 65,532 changes: no epochs or message
 * numbers are left.
 */
KDTLS_API int kdtls_engine_update_keys(struct kdtls_engine *engine, bool both);

/**
 * kdtls_engine_give_cids() - give the peer more connection IDs (RFC 9147 9)
 * @engine:	established, DTLS 1.3, and the peer puts one of ours into its
 *		records: see kdtls_engine_set_cid() and ops->cid
 * @count:	1 to DTLS_CIDS_MAX (linux/dtls.h)
 * @at_once:	the peer is to use one of them from now on, and none from before;
 *		else they are for when it wants to change
 *
 * They are as long as the one of the handshake, which stays good, as do the last
 * DTLS_CIDS_MAX that were given. A peer that asks is answered without this, with
 * half as many at most.
 *
 * Return: 0; -KDTLS_EUSAGE, also while those given before are not out yet;
 * -KDTLS_ECALLBACK: ops->cid refused one, and none is given; -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_engine_give_cids(struct kdtls_engine *engine,
				     unsigned int count, bool at_once);

/**
 * kdtls_engine_request_cids() - ask the peer for more of its own (RFC 9147 9)
 * @engine:	established, DTLS 1.3, and the peer wants a connection ID in our
 *		records
 * @count:	1 to DTLS_CIDS_MAX less struct kdtls_info, cid_spares
 *
 * The peer may give fewer, or none. One request at a time: it stands until the
 * peer has answered.
 *
 * Return: 0 or -KDTLS_EUSAGE.
 */
KDTLS_API int kdtls_engine_request_cids(struct kdtls_engine *engine,
					unsigned int count);

/**
 * kdtls_engine_change_cid() - use another of the peer's connection IDs
 * @engine:	established, DTLS 1.3, with a spare one (struct kdtls_info)
 *
 * The oldest of the spare ones, so that nobody on the path knows the association
 * again when its address changes (RFC 9147 9). See ops->peer_cid for what it is
 * used from on; if that is the next write key, this changes it too.
 *
 * Return: 0, -KDTLS_EUSAGE (also as for kdtls_engine_update_keys()),
 * -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_engine_change_cid(struct kdtls_engine *engine);

/**
 * kdtls_engine_close() - send close_notify (RFC 5246 7.2.1)
 * @engine:	the engine; a handshake in progress is given up
 *
 * The state is KDTLS_CLOSED at once; the alert is there to be fetched.
 */
KDTLS_API void kdtls_engine_close(struct kdtls_engine *engine);

/**
 * kdtls_engine_heartbeat() - is the peer there, and does this size get through?
 * @engine:	established, and the peer takes heartbeats
 * @size:	bytes of the record's content: 3 + 16 + 16 or more, to be answered
 *		in the same size
 * @now:	time
 *
 * One at a time; sent again as a flight is (RFC 6520 3). ops->heartbeat tells.
 *
 * Return: 0, or -KDTLS_EUSAGE (one is on its way, not negotiated, size).
 */
KDTLS_API int kdtls_engine_heartbeat(struct kdtls_engine *engine, size_t size,
				     uint64_t now);

/**
 * kdtls_engine_state() - where the engine stands
 * @engine:	the engine
 *
 * Return: one of enum kdtls_state.
 */
KDTLS_API enum kdtls_state kdtls_engine_state(const struct kdtls_engine *engine);

/**
 * struct kdtls_failure - why an engine failed
 * @error:	enum kdtls_engine_error, positive
 * @alert_sent: enum kdtls_alert, KDTLS_ALERT_NONE: none
 * @alert_received: the same, with KDTLS_EALERT
 * @reason:	one line for a log
 */
struct kdtls_failure {
	int error;
	uint8_t alert_sent;
	uint8_t alert_received;
	const char *reason;
};

/**
 * kdtls_engine_failure() - why it failed
 * @engine:	the engine
 * @failure:	filled in; error 0 if it has not failed
 */
KDTLS_API void kdtls_engine_failure(const struct kdtls_engine *engine,
				    struct kdtls_failure *failure);

/**
 * kdtls_alert_name() - an alert's name to show
 * @alert:	any number
 *
 * Return: a constant string as the RFCs have it, such as "unknown_ca"; "unknown".
 */
KDTLS_API const char *kdtls_alert_name(unsigned int alert);

/* Early data (0-RTT) */
enum kdtls_early {
	KDTLS_EARLY_NONE,	/* there was none */
	KDTLS_EARLY_SENT,	/* client: the server has not answered yet */
	KDTLS_EARLY_ACCEPTED,	/* the server takes it */
	KDTLS_EARLY_REJECTED,	/* or not: none of it has reached the application */
};

/**
 * struct kdtls_info - what was negotiated, and what happened
 * @version:	DTLS_VERSION_*; 0: not known yet
 * @suite:	IANA number of the cipher suite
 * @cipher:	DTLS_CIPHER_*
 * @group:	IANA number of the key exchange group; 0: none
 * @scheme:	IANA number of the scheme the peer signed with; 0: none
 * @srtp_profile: 0: none
 * @peer_record_limit: largest record content the peer takes
 * @resumed:	1: an earlier session was resumed
 * @extended_master_secret: 1: RFC 7627 is in use, or DTLS 1.3, which needs it
 *		not
 * @peer_heartbeat: 1: the peer answers heartbeats
 * @peer_verified: 1: the peer showed a certificate or raw key, and was accepted
 *		(in this handshake or in the one resumed)
 * @early:	enum kdtls_early
 * @auth:	enum kdtls_auth: how the peer proved who it is. This and what follows
 *		to @chain_end is of the full handshake, and the same after any
 *		number of resumptions; known when the peer's Finished has come
 * @verified:	KDTLS_VERIFIED_*
 * @peer_hash:	SHA-256 of the peer's certificate or raw key, zero if none
 * @psk_identity: of the pre-shared key (a client: its own), not NUL terminated;
 *		NULL: none. Lives as long as the engine
 * @psk_identity_len: its bytes
 * @authenticated: seconds since 1970 when the peer proved it; 0: not yet
 * @chain_end:	when the first of the peer's certificates expires, the same; 0:
 *		there are none
 * @alpn:	protocol chosen, or NULL; lives as long as the engine
 * @name:	the server's name as the client sent it (RFC 6066), or NULL; the
 *		same. On a client what kdtls_engine_set_name() has made of it
 * @cid_rx:	connection ID of the handshake's in records that arrive, or NULL;
 *		until the engine is called again. For others of ours see
 *		kdtls_engine_give_cids()
 * @cid_rx_len:	its bytes
 * @cid_tx:	connection ID in records sent (see ops->peer_cid if it has just
 *		changed), or NULL; until the engine is called again
 * @cid_tx_len:	its bytes
 * @cid_spares:	of the peer's, for kdtls_engine_change_cid()
 * @rtt:	µs; 0: not measured
 * @mtu:	bytes of UDP payload now reckoned with
 * @flights_resent: retransmissions, by time or because the peer sent again
 * @dropped:	records and messages thrown away: malformed, forged, replayed,
 *		too many
 */
struct kdtls_info {
	uint16_t version;
	uint16_t suite;
	uint16_t cipher;
	uint16_t group;
	uint16_t scheme;
	uint16_t srtp_profile;
	uint16_t peer_record_limit;
	uint8_t resumed;
	uint8_t extended_master_secret;
	uint8_t peer_heartbeat;
	uint8_t peer_verified;
	uint8_t early;
	uint8_t auth;
	uint8_t verified;
	uint8_t peer_hash[32];
	const uint8_t *psk_identity;
	size_t psk_identity_len;
	int64_t authenticated;
	int64_t chain_end;
	const char *alpn;
	const char *name;
	const uint8_t *cid_rx;
	size_t cid_rx_len;
	const uint8_t *cid_tx;
	size_t cid_tx_len;
	uint8_t cid_spares;
	uint64_t rtt;
	uint32_t mtu;
	uint32_t flights_resent;
	uint64_t dropped;
};

/**
 * kdtls_engine_info() - read it
 * @engine:	the engine
 * @info:	filled in
 */
KDTLS_API void kdtls_engine_info(const struct kdtls_engine *engine,
				 struct kdtls_info *info);

#define KDTLS_EXPORT_CONTEXT_MAX 512

/**
 * kdtls_engine_export() - keying material for others (RFC 5705, RFC 8446 7.5)
 * @engine:	established, with extended master secret
 * @label:	see RFC 5705 4; "EXTRACTOR-dtls_srtp" for RFC 5764
 * @context:	or NULL for none, which in DTLS 1.2 is not the same as an empty one
 * @context_len: bytes of @context, KDTLS_EXPORT_CONTEXT_MAX at most
 * @out:	room for @len bytes
 * @len:	bytes wanted
 *
 * Return: 0, -KDTLS_EUSAGE, -KDTLS_ECRYPTO.
 */
KDTLS_API int kdtls_engine_export(const struct kdtls_engine *engine, const char *label,
				  const uint8_t *context, size_t context_len,
			uint8_t *out, size_t len);

#ifdef __cplusplus
}
#endif

#endif /* _KDTLS_ENGINE_H */
