/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The handshake engine of libkdtls does handshakes of DTLS without any I/O.
 *
 * Datagrams go in and come out, times go in and come out, and finished keys come out
 * through one callback. The engine has no socket, thread or global state. Random bytes
 * and the time of day come from callbacks, or from libcrypto and time(2) where the
 * callbacks are not set; keys of the endpoint's own always come from libcrypto.
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
 * The loop ends when kdtls_engine_state() is KDTLS_ESTABLISHED or KDTLS_FAILED. Before
 * that everything is a whole datagram (DTLS_RECORD_RAW). When the handshake is done
 * both keys go out through ops->key. Whoever took them, the kernel or records in user
 * space, protects and opens the records of that epoch from then on: what the engine
 * sends under it comes out of kdtls_engine_output() as the content of one record, and
 * what arrives for the engine takes the same way in. struct dtls_record_info is the
 * kernel's own (linux/dtls.h): what recvmsg(MSG_OOB) returns goes in as it is, and what
 * comes out goes to sendmsg() as it is.
 *
 * Times are microseconds of a clock that never goes backwards, with any zero. Sizes are
 * bytes. Numbers are in host byte order. Strings are UTF-8 with a NUL. A pointer
 * argument is read during the call alone unless its page says otherwise. A datagram
 * that does not verify is no error: it is dropped and counted. Only max_forgeries of them
 * under one key end the association (KDTLS_EFORGERIES).
 *
 * Context: An endpoint and its engines belong to one thread at a time. The function is
 * not async-signal-safe, and no callback may call it. It leaves libcrypto's queue of
 * errors as it was.
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

/* enum kdtls_state has the states of an engine. */
enum kdtls_state {
	KDTLS_IDLE,		/* a client has not started; a server has no whole ClientHello */
	KDTLS_HANDSHAKE,	/* the handshake is in progress */
	KDTLS_ESTABLISHED,	/* the owner has the keys */
	KDTLS_CLOSED,		/* either side has sent close_notify */
	KDTLS_FAILED,		/* kdtls_engine_failure() says why */
};

/*
 * enum kdtls_engine_error has errors in addition to those of kdtls.h. Functions return
 * them negative, and 0 for success. An engine that has failed goes on failing.
 */
enum kdtls_engine_error {
	KDTLS_EMEMORY = 0x1100,	/* there is no memory, or a limit is reached */
	KDTLS_EUSAGE,		/* an argument or the moment is wrong; nothing changed */
	KDTLS_ECRYPTO,		/* libcrypto failed */
	KDTLS_ETIMEOUT,		/* the peer stopped answering */
	KDTLS_EALERT,		/* the peer sent a fatal alert */
	KDTLS_EPROTOCOL,	/* the peer broke the protocol */
	KDTLS_ENEGOTIATION,	/* the ends have no version, suite or group in common */
	KDTLS_EPEER,		/* the peer's certificate, name or key is refused */
	KDTLS_ECALLBACK,	/* ops->key refused a key */
	KDTLS_EPSK,		/* a pre-shared key is too short, or used in both roles */
	KDTLS_ENAME,		/* the name is neither a host's nor an address */
	KDTLS_EEMPTY,		/* there is no certificate, or no public key, in what was given */
	KDTLS_EKEYLESS,		/* there is no private key in what was given */
	KDTLS_EDAMAGED,		/* a block of PEM cannot be read */
	KDTLS_EENCRYPTED,	/* what was given is encrypted, and no passphrase is set */
	KDTLS_EPASSPHRASE,	/* what was given does not open with the passphrase */
	KDTLS_EURI,		/* libcrypto opens nothing at the URI, or not with this PIN */
	KDTLS_EMISMATCH,	/* the private key is not the certificate's */
	KDTLS_EKIND,		/* the kind of key is not supported */
	KDTLS_EFORGERIES,	/* max_forgeries of the configuration was reached */
};

/* enum kdtls_alert has the alerts of RFC 5246 7.2, RFC 8446 6, RFC 6066 and RFC 7301. */
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
	KDTLS_ALERT_NONE = 255,	/* no alert was sent or received */
};

/*
 * These are the flags of struct kdtls_config. KDTLS_NO_COOKIE is for networks in which nobody
 * forges addresses. With this flag anybody can let a server send whole flights to a false
 * address, and hold memory in its name; and a hello from the false address of a client ends
 * a handshake of the client that is not done.
 */
#define KDTLS_ALLOW_NO_EMS	0x0001	/* accept a peer without RFC 7627 */
#define KDTLS_REQUEST_CERT	0x0002	/* server: ask for a client certificate */
#define KDTLS_REQUIRE_CERT	0x0004	/* server: ask, and refuse clients without one */
#define KDTLS_NO_NAME_CHECK	0x0008	/* client: take any name in the certificate */
#define KDTLS_NO_VERIFY		0x0010	/* no chain is refused: ops->verify decides alone */
#define KDTLS_NO_TICKETS	0x0020	/* neither offer nor issue tickets (RFC 5077, RFC 8446) */
#define KDTLS_NO_COOKIE		0x0040	/* server: answer addresses that have proven nothing */
#define KDTLS_HEARTBEAT		0x0080	/* offer and answer heartbeats (RFC 6520) */
#define KDTLS_CID		0x0100	/* put a connection ID into records if the peer wants one */
#define KDTLS_PSK_KE		0x0200	/* DTLS 1.3: allow psk_ke: no Diffie-Hellman */
#define KDTLS_ALLOW_NO_RENEGOTIATION_INFO 0x0400 /* accept a server without RFC 5746 */
#define KDTLS_SHORT_PSK		0x0800	/* accept pre-shared keys below KDTLS_PSK_MIN bytes */

#define KDTLS_PSK_MIN		16	/* least bytes of a pre-shared key (RFC 9257 6) */
#define KDTLS_PSK_MAX		64	/* most bytes of a pre-shared key */
#define KDTLS_PSK_IDENTITY_MAX	128	/* most bytes of a key's identity (RFC 4279 5.3) */
#define KDTLS_MTU_MIN		256	/* least bytes of UDP payload in a datagram */
#define KDTLS_MTU_MAX		65507	/* most bytes of UDP payload in a datagram */
#define KDTLS_OUTPUT_MIN	512	/* least bytes of buffer for kdtls_engine_output() */
#define KDTLS_NEVER		UINT64_MAX	/* a time that does not come */

/* enum kdtls_auth tells how a peer has proven who it is. */
enum kdtls_auth {
	KDTLS_AUTH_NONE,	/* the peer has proven nothing: it has no certificate or key */
	KDTLS_AUTH_CERTIFICATE,	/* the peer has the key of an X.509 certificate */
	KDTLS_AUTH_RAW_KEY,	/* the peer has the key of a raw public key (RFC 7250) */
	KDTLS_AUTH_PSK,		/* the peer has a pre-shared key */
};

/* These bits tell what was checked of a certificate or raw public key, and is right. */
#define KDTLS_VERIFIED_CHAIN	0x01	/* the chain, or the key, is trusted */
#define KDTLS_VERIFIED_NAME	0x02	/* the certificate bears the name that was set */
#define KDTLS_VERIFIED_OWNER	0x04	/* ops->verify accepted the certificate or key */

/**
 * struct kdtls_peer - the certificate that a peer has shown, for ops->verify
 * @result:	0 if the certificate passed the built-in checks; else libcrypto's
 *		X509_V_ERR_*. With KDTLS_NO_VERIFY the owner judges it
 * @reason:	@result in words
 * @raw_key:	1 if @der is one SubjectPublicKeyInfo (RFC 7250) and no certificate
 * @count:	entries of @der and @der_len; the peer's own certificate is the first
 * @der:	certificates in DER, as they were received
 * @der_len:	bytes of each entry of @der
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
 * struct kdtls_resumption - a session that is about to be resumed, for ops->resume
 * @auth:	enum kdtls_auth: how the peer proved who it is, in the full handshake
 *		that the session comes from, however often it was renewed
 * @verified:	the checks that the peer's certificate passed in that handshake:
 *		KDTLS_VERIFIED_*, ORed together
 * @peer_hash:	SHA-256 of the peer's certificate or raw key; zero if there is none
 * @psk_identity: identity of the pre-shared key, not NUL terminated; NULL: none
 * @psk_identity_len: bytes of @psk_identity
 * @authenticated: the time of that handshake, in seconds since 1970
 * @chain_end:	when the first of the peer's certificates expires, in seconds since
 *		1970; 0: there are none
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
 * struct kdtls_ops - callbacks: what an engine asks its owner for
 *
 * @ctx is the pointer that kdtls_engine_new() was given. No callback may call the engine.
 *
 * @key: takes a key that is ready. When the handshake is done it is called twice, with
 *	DTLS_RX first. In DTLS 1.3 it is called again for each new key after that, which
 *	is of the next epoch; and on a server that takes early data first of all with
 *	DTLS_RX of epoch 1, for early data that is still on its way.
 *	@direction is DTLS_RX or DTLS_TX. @key holds version, cipher, epoch, next
 *	sequence number, key, IV and connection ID, ready for setsockopt(), and is wiped
 *	after the call. With DTLS_RX @seen tells which records the engine has taken
 *	already; with DTLS_TX it is NULL. A return value that is not 0 fails the engine
 *	with KDTLS_ECALLBACK. This callback is required.
 * @early: takes application data that came before the keys were out and was verified,
 *	one record a call, after both calls of @key. NULL: such data is dropped.
 * @replayable: server: takes early data (0-RTT) that was verified, one record a call, as
 *	it comes. The handshake is not over then, and somebody may have sent the same
 *	data before (RFC 8446 8). NULL: such data is dropped; an owner that keeps the
 *	records can open them with the key of epoch 1 that @key gets.
 * @psk_client: chooses identity and key for the server's hint (RFC 4279), which is NULL
 *	if the server gave none. It writes the identity, KDTLS_PSK_IDENTITY_MAX bytes at
 *	most, its length, and the key, KDTLS_PSK_MAX bytes at most, and returns the
 *	length of the key, or 0 to give up. NULL: no suite with pre-shared keys is offered.
 *	If DTLS 1.3 is offered it is called before the first hello too, without a hint:
 *	the key is one for SHA-256 then (RFC 8446 4.2.11), and 0 goes on without it.
 *	A session that comes from a pre-shared key is offered only if this callback still
 *	returns the key of its identity when it is called without a hint; or, in DTLS
 *	1.2, if it returns none without a hint.
 *	A key of fewer than KDTLS_PSK_MIN bytes ends the handshake, unless
 *	KDTLS_SHORT_PSK is set. So does a key that the endpoint uses in the other role
 *	too, as it could be sent its own messages back (RFC 9257 4.1): one key is for one
 *	client and one server.
 * @psk_server: finds the key of an identity, writes it, KDTLS_PSK_MAX bytes at most, and
 *	returns its length, or 0 if there is none. The identity is not NUL terminated and
 *	may hold any bytes. An unknown identity looks to the peer as a wrong key does
 *	(RFC 4279 2). The callback is called again before a session that comes from a
 *	pre-shared key is resumed: without the key, or with another one, the handshake is
 *	a full one. As with @psk_client, a key that is too short, or that the endpoint
 *	uses as a client too, ends the handshake.
 * @verify: judges the peer's certificate after the built-in checks. It returns 0 to accept
 *	a certificate that the checks accept, or with KDTLS_NO_VERIFY any certificate; or
 *	an alert to refuse the certificate. NULL: the checks decide.
 * @resume: judges a session that is about to be resumed and satisfies what the endpoint
 *	asks for: it is not too old, it is of the same name, its chain was checked as it
 *	would be now and against the same roots, and its pre-shared key is still there.
 *	It returns 0 to resume the session. After any other value the handshake is a
 *	full one, in which the peer proves who it is. A server of DTLS 1.2 calls it
 *	before the peer has proven that it holds the session, a server of DTLS 1.3
 *	afterwards; a client calls it before it offers the session. NULL: all these
 *	sessions are resumed.
 * @session: client: takes a session that can be resumed, as bytes for
 *	kdtls_engine_set_session(). The bytes are secret. In DTLS 1.3 the callback is
 *	called after the handshake, once for each ticket. NULL: not wanted.
 * @keylog: takes one line of the NSS key log, without newline. The line is secret.
 *	NULL: off.
 * @heartbeat: is told that the answer to a request of @size bytes took @rtt µs; or, with
 *	@rtt KDTLS_NEVER, that no answer came to any retransmission, or that the MTU has
 *	become smaller than the request. NULL: not told.
 * @cid: DTLS 1.3: accepts another connection ID that this end is about to give the peer.
 *	@cid has @len random bytes, as many as the connection ID of kdtls_engine_set_cid().
 *	An owner that tells peers apart by connection IDs may write other bytes to @cid.
 *	If it returns 0, it lets the peer's records bear this connection ID from now on,
 *	beside the one of the handshake and the last DTLS_CIDS_MAX (linux/dtls.h) that were
 *	given, this one included. After any other value the peer does not get the connection
 *	ID. NULL: the peer gets no connection ID but the one of the handshake.
 * @peer_cid: DTLS 1.3: puts this connection ID of the peer's into the records that go
 *	out from now on under the present key. If it returns another value than 0, as it
 *	does for a connection ID of another length, the change comes with the next write
 *	key, a round trip later. NULL: the change always comes with the next write key.
 * @random: fills @buf with @len random bytes. NULL: libcrypto's generator, which makes
 *	keys and signatures in any case.
 * @unix_time: returns seconds since 1970, for certificates, tickets and sessions. @ctx
 *	is NULL where there is no engine yet. NULL: time(2).
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
 * A program fills the structure in with kdtls_config_init() and then changes members.
 * Memory that the structure points to has to live as long as the endpoint.
 *
 * @flags:	KDTLS_* flags, ORed together
 * @version_min: the oldest version that is spoken, DTLS_VERSION_*
 * @version_max: the newest version that is spoken. One hello offers both, and the newer
 *		one is used if the peer has it (RFC 8446 4.2.1). A version without a
 *		suite in @suites is not spoken
 * @suites:	cipher suites by IANA number, best first. NULL: every suite of the
 *		engine (RFC 8446 B.4; RFC 5289, 5487, 6655, 7251, 7905, 8442), with CCM_8 last
 *		and for pre-shared keys of DTLS 1.2 alone: CCM_8 with certificates
 *		(0xc0ae) and of DTLS 1.3 (0x1305) is used only if it is listed. If
 *		this list, @groups or @schemes is NULL, the engine leaves out what
 *		libcrypto's providers lack. kdtls_endpoint_new() refuses a list with
 *		something that they lack
 * @suite_count: entries of @suites
 * @groups:	key exchange groups, best first; NULL: X25519MLKEM768 (0x11ec,
 *		DTLS 1.3 alone) if libcrypto has it, x25519 (29), secp256r1 (23),
 *		secp384r1 (24) (RFC 8422). A server of DTLS 1.2 takes
 *		secp256r1 first with the ECDHE_PSK suites (RFC 5489), as clients
 *		exist that offer x25519 and cannot use it there
 * @group_count: entries of @groups
 * @schemes:	signature schemes, best first; NULL: ECDSA, Ed25519, RSA-PSS and
 *		RSA-PKCS1 with SHA-256 and longer (RFC 8446 4.2.3)
 * @scheme_count: entries of @schemes
 * @alpn:	application protocols, best first, ended by NULL (RFC 7301), of 1 to 255
 *		bytes each, and of 4096 bytes together with a byte for each. A server that
 *		has some refuses a client that offers only others
 * @srtp:	SRTP protection profiles, best first (RFC 5764); NULL: none
 * @srtp_count:	entries of @srtp
 * @psk_hint:	server: identity hint (RFC 4279), 128 bytes at most, or NULL
 * @record_size_limit: bytes of the largest record that this end takes, 64 to 16384
 *		(RFC 8449): its content, and in DTLS 1.3 the byte of its type. 0: the
 *		extension is not used. If the peer uses the extension, too, an end sends no
 *		record above the limit of the other end, and drops records above its own
 * @mtu:	bytes of UDP payload in a datagram, KDTLS_MTU_MIN to KDTLS_MTU_MAX
 * @mtu_min:	bytes that the back-off of lost flights does not go below; KDTLS_MTU_MIN
 *		to @mtu
 * @timeout_initial: ms until a flight is sent again (RFC 6347 4.2.4.1) while no round
 *		trip was measured; @timeout_min to @timeout_max
 * @timeout_min: ms that the measured timer does not go below; 50 or more
 * @timeout_max: ms where the doubling of the timer stops
 * @retransmits: how often a flight is sent again before KDTLS_ETIMEOUT
 * @ack_delay:	DTLS 1.3: ms until a message after the handshake is acknowledged,
 *		together with what else has come by then (RFC 9147 7.1); 0: at
 *		once
 * @linger:	ms for which the last flight is kept (2 MSL), to be sent again when the peer
 *		repeats its own. Every second repetition makes the datagrams of the last
 *		flight smaller. A peer that has not received the flight after @linger has
 *		to begin anew. In DTLS 1.3 ms for which a server acknowledges the client's
 *		last flight again
 * @cookie_life: ms for which a cookie is good at least; twice as long at most. In DTLS
 *		1.3 a client that comes later has to begin anew
 * @ticket_life: seconds for which a session can be resumed, 604800 at most (RFC 8446
 *		4.6.1), counted from the full handshake in which the peer proved who it
 *		is, however often the session is renewed. A session ends with the peer's
 *		certificates too. Ticket keys are replaced as often
 * @cache_size:	server: sessions that are kept for resumption by session id; 0: none
 * @max_message: bytes of the largest handshake message that is taken, except
 *		Certificate and CertificateRequest
 * @max_certificates: bytes of the largest Certificate or CertificateRequest that is
 *		taken, where one may come; @max_message to @max_handshake
 * @max_handshake: bytes of messages that one handshake holds, in reassembly and in the
 *		transcript each
 * @max_early_data: server: bytes of early data (0-RTT, RFC 8446 4.2.10) with which a
 *		session may be resumed; 0: none. The endpoint takes such data once for
 *		each of its tickets, and only within seconds of the time that follows from
 *		the ticket's age (RFC 8446 8). The application guards against all other
 *		replays. A ticket that is spent on early data counts for a cookie. A
 *		process that was forked off after the endpoint was made takes none, as
 *		only the process that made it knows which tickets are spent
 * @max_early:	bytes of records that one handshake holds because they came before their
 *		key
 * @max_handshakes: how many handshakes the endpoint has at once
 * @max_forgeries: records that may fail to verify under one read key. 0: the cipher's
 *		default, which is 2^7 for CCM_8 (RFC 9147 4.5.3); UINT64_MAX: any number.
 *		DTLS 1.3 changes the keys shortly before. A key that has reached the limit
 *		opens nothing more, and the engine fails with KDTLS_EFORGERIES. A limit
 *		lets those who can send from the peer's address end the association;
 *		without one they may guess a record after a long time
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
 * kdtls_config_init() - fill in the defaults of an endpoint's policy
 * @config:	filled in: DTLS 1.2 to 1.3; MTU 1400, 256 at least; timers 1000 ms, 50 at
 *		least and 60000 at most; 8 retransmissions; linger 240000 ms; cookies
 *		15000 ms; tickets 86400 s; no cache; messages up to 16384 bytes,
 *		certificates up to 102400, handshakes up to 262144, early records up to
 *		4096; 100000 handshakes at once; everything else zero
 */
KDTLS_API void kdtls_config_init(struct kdtls_config *config);

/**
 * kdtls_endpoint_new() - make an endpoint
 * @config:	copied; memory that it points to has to live as long as the endpoint
 * @endpoint:	set on success; kdtls_endpoint_free() frees it
 *
 * Return: 0, -KDTLS_EUSAGE (a value out of its range, an unknown suite, group or
 * scheme, ops->key missing), -KDTLS_EMEMORY, -KDTLS_ECRYPTO.
 */
KDTLS_API int kdtls_endpoint_new(const struct kdtls_config *config,
				 struct kdtls_endpoint **endpoint);

/**
 * kdtls_endpoint_free() - free an endpoint
 * @endpoint:	may be NULL. No other function may be called with it any more
 *
 * Engines of the endpoint go on. The memory that they share is freed with the last of
 * them.
 */
KDTLS_API void kdtls_endpoint_free(struct kdtls_endpoint *endpoint);

#define KDTLS_PASSPHRASE_MAX	1000	/* bytes for kdtls_endpoint_set_passphrase() */

/**
 * kdtls_endpoint_set_passphrase() - set the passphrase of keys and certificates
 * @endpoint:	the endpoint
 * @passphrase:	the passphrase of an encrypted key or PKCS#12, or the PIN of a token of
 *		PKCS#11; copied. NULL: none; the passphrase that was set before is wiped
 *
 * The functions that take keys and certificates, of this header and of kdtls/socket.h,
 * use the passphrase for encrypted data. A program that has no passphrase yet may call
 * these functions without one, and ask its user if they return -KDTLS_EENCRYPTED. The
 * passphrase is kept until another one is set or the endpoint is freed.
 *
 * Return: 0; -KDTLS_EUSAGE: more than KDTLS_PASSPHRASE_MAX bytes; -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_endpoint_set_passphrase(struct kdtls_endpoint *endpoint,
					    const char *passphrase);

/**
 * kdtls_endpoint_use_certificate() - show this certificate to peers
 * @endpoint:	the endpoint
 * @chain:	the chain as PEM, this end's own certificate first; or PKCS#12, or one
 *		certificate as DER; copied
 * @chain_len:	bytes of @chain
 * @key:	the private key as PEM or DER (PKCS#8 or older), or PKCS#12; copied
 * @key_len:	bytes of @key
 *
 * The function may be called several times. Of the certificates that suit the peer's
 * signature algorithms the endpoint shows one that bears the name that the client asked
 * for (RFC 6066 3). If there is none, it shows one whose chain was issued by an authority
 * that the peer names, and else the first. Keys are EC P-256 and P-384, Ed25519, RSA, or
 * RSA-PSS.
 *
 * Encrypted data is opened with the passphrase of kdtls_endpoint_set_passphrase(), which
 * is the same for @chain and @key. The function passes over text between blocks of PEM,
 * keys in @chain, and certificates and parameters in @key. A damaged block is an error
 * wherever it stands. The certificates of PKCS#12 are put in order.
 *
 * Return: 0, -KDTLS_EEMPTY, -KDTLS_EKEYLESS, -KDTLS_EDAMAGED, -KDTLS_EENCRYPTED,
 * -KDTLS_EPASSPHRASE, -KDTLS_EMISMATCH, -KDTLS_EKIND, -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_endpoint_use_certificate(struct kdtls_endpoint *endpoint,
					     const void *chain, size_t chain_len,
					     const void *key, size_t key_len);

/**
 * kdtls_endpoint_use_raw_key() - show a public key instead of a certificate
 * @endpoint:	the endpoint
 * @key:	the private key as PEM or DER (PKCS#8 or older), or PKCS#12; copied
 * @key_len:	bytes of @key
 *
 * The key is shown to peers that take raw public keys (RFC 7250).
 *
 * Return: 0, -KDTLS_EKEYLESS, -KDTLS_EDAMAGED, -KDTLS_EENCRYPTED, -KDTLS_EPASSPHRASE,
 * -KDTLS_EKIND, -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_endpoint_use_raw_key(struct kdtls_endpoint *endpoint,
					 const void *key, size_t key_len);

/**
 * kdtls_endpoint_trust() - take these certificates as roots
 * @endpoint:	the endpoint
 * @roots:	one or more certificates as PEM or PKCS#12, or one as DER; copied
 * @len:	bytes of @roots
 *
 * A peer's certificate is good if its chain leads to one of the roots. A damaged block
 * is an error, and then none of @roots is a root.
 *
 * Return: 0, -KDTLS_EEMPTY, -KDTLS_EDAMAGED, -KDTLS_EENCRYPTED, -KDTLS_EPASSPHRASE,
 * -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_endpoint_trust(struct kdtls_endpoint *endpoint,
				   const void *roots, size_t len);

/**
 * kdtls_endpoint_trust_system() - take the system's certificates as roots
 * @endpoint:	the endpoint
 *
 * The roots are those of libcrypto's default paths.
 *
 * Return: 0 or -KDTLS_ECRYPTO.
 */
KDTLS_API int kdtls_endpoint_trust_system(struct kdtls_endpoint *endpoint);

/**
 * kdtls_endpoint_trust_raw_key() - accept this public key from a peer
 * @endpoint:	the endpoint
 * @key:	a public key as PEM or DER; copied
 * @len:	bytes of @key
 *
 * The function makes the endpoint accept raw public keys (RFC 7250): all keys that the
 * function was called with, or any key if KDTLS_NO_VERIFY is set. Names are not checked,
 * as the key stands for the name.
 *
 * Return: 0, -KDTLS_EEMPTY, -KDTLS_EDAMAGED, -KDTLS_EKIND, -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_endpoint_trust_raw_key(struct kdtls_endpoint *endpoint,
					   const void *key, size_t len);

#define KDTLS_SECRET_SIZE	32	/* bytes for kdtls_endpoint_use_secret() */

/**
 * kdtls_endpoint_use_secret() - take the cookies and tickets of other endpoints
 * @endpoint:	a server's endpoint that has judged no hello yet, with max_early_data 0: of
 *		several endpoints each would take the same early data
 * @secret:	KDTLS_SECRET_SIZE random bytes, copied; the caller wipes them
 * @len:	bytes of @secret
 *
 * Endpoints with one secret and one configuration derive the same keys for cookies and
 * tickets. They may belong to several threads or processes on one port, to a process that
 * was started anew, or have other certificates. Each of them accepts the cookies of the
 * others, and resumes their sessions. All times that are given to these endpoints have to
 * be of one clock. The socket driver's times are of CLOCK_MONOTONIC, which processes share
 * until the system starts anew.
 *
 * The endpoint does not keep the secret. It keeps what it needs for cookies, for tickets that
 * are still good and for later ones, and forgets a ticket's key two lives of a ticket
 * (ticket_life) after the key's first use at most, when it next makes or opens a ticket: who
 * reads its memory then cannot open older tickets. But anybody who learns the secret itself
 * can open all tickets that were made under it. So a program wipes it when the endpoints
 * have it, or, if it needs the secret for more endpoints, makes a new one from time to
 * time. Processes on one host may use kdtls_turn_take(), whose file forgets, too.
 *
 * An endpoint whose clock goes back to a period that it has forgotten makes keys of its own,
 * which no other endpoint has, until the clock has passed that period, or is where it was
 * before.
 *
 * Return: 0; -KDTLS_EUSAGE: @len is not KDTLS_SECRET_SIZE, or the endpoint is not of
 * that kind; -KDTLS_ECRYPTO: libcrypto failed.
 */
KDTLS_API int kdtls_endpoint_use_secret(struct kdtls_endpoint *endpoint,
					const void *secret, size_t len);

/* These are the verdicts on a datagram of a stranger. */
enum kdtls_gate {
	KDTLS_GATE_DROP,	/* the caller drops the datagram */
	KDTLS_GATE_REPLY,	/* the caller sends the verdict's reply */
	KDTLS_GATE_ACCEPT,	/* the caller gives the verdict's hello to an engine */
};

#define KDTLS_GATE_REPLY_SIZE	256

/**
 * struct kdtls_sender - where a datagram came from
 * @address:	the sender's address and port, in any form that is always the same for
 *		the same sender
 * @len:	bytes of @address, 64 at most
 * @source_len:	bytes at the beginning of @address that name the source: senders of one
 *		source, such as an IPv4 address or 56 bits of an IPv6 one, share one
 *		limit. 0: all of @address
 */
struct kdtls_sender {
	const void *address;
	size_t len;
	size_t source_len;
};

/* struct kdtls_hello is a ClientHello that the gate has accepted, and what it found out. */
struct kdtls_hello;

/**
 * struct kdtls_verdict - what the caller is to do with a stranger's datagram
 * @hello:	with KDTLS_GATE_ACCEPT the accepted hello. It belongs to the caller, who gives
 *		it to kdtls_engine_accept() or kdtls_hello_free(). Else NULL
 * @reply_len:	with KDTLS_GATE_REPLY bytes of @reply, at most twice as many as the hello has
 * @reply:	with KDTLS_GATE_REPLY the datagram to send
 */
struct kdtls_verdict {
	struct kdtls_hello *hello;
	size_t reply_len;
	uint8_t reply[KDTLS_GATE_REPLY_SIZE];
};

/**
 * kdtls_endpoint_gate() - judge a datagram from a stranger
 * @endpoint:	a server's endpoint
 * @from:	the sender
 * @datagram:	the datagram as it was received
 * @len:	bytes of @datagram
 * @now:	time in µs, of a clock that never goes backwards
 * @verdict:	filled in
 *
 * The function does the stateless cookie exchange (RFC 6347 4.2.1; RFC 9147 5.1 by
 * HelloRetryRequest). It keeps nothing of a hello that comes in one piece. It puts
 * hellos in several pieces together, whether they have a cookie or not, and keeps a
 * piece for 10 s. All pieces take 256 KiB at most, those of one source an eighth of
 * that; then the newest piece takes the place of the oldest. A server of DTLS 1.2 alone
 * answers a hello without a cookie by its first piece.
 *
 * A hello with early data that the endpoint accepts needs no cookie if it proves that it
 * has the ticket's key. That is so once for each ticket.
 *
 * The function is also for a peer that restarts on its old address (RFC 6347 4.2.8): the
 * program runs a second engine for the hello that was accepted, and drops the old
 * association only when the new one is established. The network may deliver a copy
 * of the hello that began the old association late. The copy is accepted as well; it has
 * the same kdtls_hello_random(). A late copy of a hello that is older than another one is
 * accepted, too; kdtls_hello_proven() tells.
 *
 * Return: one of enum kdtls_gate.
 */
KDTLS_API enum kdtls_gate
kdtls_endpoint_gate(struct kdtls_endpoint *endpoint,
		    const struct kdtls_sender *from, const uint8_t *datagram,
		    size_t len, uint64_t now, struct kdtls_verdict *verdict);

/**
 * kdtls_hello_random() - return the random of a hello, which tells hellos apart
 * @hello:	from kdtls_endpoint_gate()
 *
 * Return: the 32 bytes of the hello's random, which live as long as @hello; NULL: the
 * hello is malformed.
 */
KDTLS_API const uint8_t *kdtls_hello_random(const struct kdtls_hello *hello);

/**
 * kdtls_hello_proven() - return when the sender of a hello has proven its address
 * @hello:	from kdtls_endpoint_gate()
 *
 * The function tells which of two hellos from one address is the older one: a program gives
 * up a handshake that is not done only for a hello with a time that is not less than that of
 * the handshake's own hello, and never for a hello with the time 0. Else a late copy of an
 * older hello, or a hello that somebody sends from the false address of a client, would end
 * the handshake of the client.
 *
 * Return: when the gate made the cookie that the hello bears, as the @now of that call, be it
 * of another endpoint with the same secret; with KDTLS_NO_COOKIE when the hello came; 0: the
 * hello has been accepted for its ticket alone, and nothing proves the address.
 */
KDTLS_API uint64_t kdtls_hello_proven(const struct kdtls_hello *hello);

/**
 * kdtls_hello_free() - free a hello that is not given to an engine
 * @hello:	from kdtls_endpoint_gate(), or NULL
 */
KDTLS_API void kdtls_hello_free(struct kdtls_hello *hello);

/**
 * kdtls_engine_new() - make an engine
 * @endpoint:	the endpoint, which can be freed before the engine
 * @role:	KDTLS_CLIENT or KDTLS_SERVER
 * @ctx:	the pointer that the callbacks get as their ctx
 * @address:	server: the peer's address, in the form of struct kdtls_sender, to which
 *		the cookie is bound. A client does not use it
 * @address_len: bytes of @address, 64 at most
 * @engine:	set on success; kdtls_engine_free() frees it
 *
 * Return: 0; -KDTLS_EUSAGE: @address is too long; -KDTLS_EMEMORY: no memory, or
 * max_handshakes of the configuration is reached.
 */
KDTLS_API int kdtls_engine_new(struct kdtls_endpoint *endpoint, enum kdtls_role role,
			       void *ctx, const void *address, size_t address_len,
		     struct kdtls_engine **engine);

/**
 * kdtls_engine_free() - free an engine, and wipe every secret in it
 * @engine:	may be NULL
 */
KDTLS_API void kdtls_engine_free(struct kdtls_engine *engine);

/**
 * kdtls_engine_set_name() - client: set the name that the server has to show
 * @engine:	the engine of a client that is not started yet
 * @name:	a host name, which is sent to the server (RFC 6066 3), or an IP address,
 *		which is not; copied. The server's certificate has to bear it. A dot at the
 *		end, upper case and the zone of an IPv6 address ("fe80::1%eth0") are taken
 *		off first. Internationalised names are not converted: the program gives
 *		their ASCII form
 *
 * Return: 0; -KDTLS_EUSAGE: a server's engine, or one that was started; -KDTLS_ENAME: an
 * empty label, as in ".com", a character that no host name has, or a number at the end
 * of what is no whole address, as in "127.1"; -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_engine_set_name(struct kdtls_engine *engine, const char *name);

/**
 * kdtls_engine_set_session() - client: resume a session
 * @engine:	the engine of a client that is not started yet
 * @session:	the bytes that ops->session got; copied
 * @len:	bytes of @session
 *
 * When the handshake starts the session has to satisfy what the endpoint asks
 * for then: its age, the name, the roots, the checks that it makes (an endpoint
 * without KDTLS_NO_VERIFY does not resume a session of an endpoint with it), the
 * pre-shared key, and ops->resume. If the session does not, the handshake is a
 * full one.
 *
 * Return: 0; -KDTLS_EUSAGE: the session is damaged, of another version of the library,
 * too old, for another name than is set, or not allowed by the configuration. The
 * handshake is a full one then.
 */
KDTLS_API int kdtls_engine_set_session(struct kdtls_engine *engine,
				       const uint8_t *session, size_t len);

/**
 * kdtls_engine_set_cid() - ask the peer to put a connection ID into its records
 * @engine:	a client's engine that is not started yet, or a server's that has had no
 *		datagram yet
 * @cid:	the connection ID (RFC 9146); copied
 * @len:	bytes of @cid, 1 to 255
 *
 * The peer uses the connection ID if it knows the extension, which struct kdtls_info
 * tells when the handshake is done.
 *
 * Return: 0; -KDTLS_EUSAGE: @len is out of its range, or the handshake has begun;
 * -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_engine_set_cid(struct kdtls_engine *engine, const uint8_t *cid,
				   size_t len);

/**
 * kdtls_engine_set_mtu() - set the size of datagrams that the path takes
 * @engine:	the engine
 * @mtu:	bytes of UDP payload. A value below KDTLS_MTU_MIN or above KDTLS_MTU_MAX is
 *		taken for that limit
 *
 * Datagrams that kdtls_engine_output() returns from now on, retransmissions too, are no
 * longer than that.
 */
KDTLS_API void kdtls_engine_set_mtu(struct kdtls_engine *engine, uint32_t mtu);

/**
 * kdtls_engine_start() - client: begin the handshake
 * @engine:	the engine of a client that is not started yet
 * @now:	time in µs, of a clock that never goes backwards
 *
 * Return: 0; -KDTLS_EUSAGE: a server's engine, one that was started before, or one that
 * would accept certificates and has no name to look for (without KDTLS_NO_NAME_CHECK and
 * KDTLS_NO_VERIFY); another error of enum kdtls_engine_error: the engine has failed.
 */
KDTLS_API int kdtls_engine_start(struct kdtls_engine *engine, uint64_t now);

/**
 * kdtls_engine_send_early() - client: send data before the handshake (0-RTT)
 * @engine:	a client's engine that has a session whose server takes early data, and
 *		that is not started yet or has no answer to its first hello yet
 * @data:	content of one record; copied
 * @len:	bytes of @data, 1 or more, no more than a datagram holds: mtu of struct
 *		kdtls_info less 64 bytes
 *
 * The data goes out behind the first hello, once. Only the session's secret protects it,
 * and somebody may record it and send it to the server again (RFC 8446 8). When the
 * handshake is done the caller sends the data once more if the server refused it (early of
 * struct kdtls_info). The engine sends no early data again whose datagram is lost. If the MTU
 * becomes smaller before all of the data has gone out, and a record does not fit any more,
 * nothing more of it goes out, and it counts as refused. The server may have taken what went
 * out before, and gets that part twice.
 *
 * Return: 0; -KDTLS_EUSAGE: an answer has come, the session is for no early data, the server
 * does not take so many bytes, or earlier data did not fit the MTU; -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_engine_send_early(struct kdtls_engine *engine,
				      const uint8_t *data, size_t len);

/**
 * kdtls_engine_input() - give an engine a datagram or a record that arrived
 * @engine:	the engine
 * @data:	a datagram if @info is NULL or has DTLS_RECORD_RAW; else the verified
 *		content of one record
 * @len:	bytes of @data
 * @info:	NULL: @data is a datagram. Else what recvmsg(MSG_OOB) returned: type, epoch
 *		and number of the record, or an event, which has no data
 * @now:	time in µs, of a clock that never goes backwards
 *
 * A datagram that does not verify is dropped and counted, and is no error before there are
 * max_forgeries of the configuration. So is content of epoch 1 of DTLS 1.3, early data's,
 * that is no application data.
 *
 * Return: 0; or the error that the engine has failed with, of which
 * kdtls_engine_failure() says more. There may still be an alert to send.
 */
KDTLS_API int kdtls_engine_input(struct kdtls_engine *engine, const uint8_t *data,
				 size_t len, const struct dtls_record_info *info,
		       uint64_t now);

/**
 * kdtls_engine_accept() - server: begin with a hello that the gate has accepted
 * @engine:	a server's engine that has had no datagram yet. It was made with the endpoint
 *		whose gate has accepted @hello, and with the address of the sender
 * @hello:	from kdtls_endpoint_gate(); the function frees it, whatever it returns
 * @now:	time in µs, of a clock that never goes backwards
 *
 * The engine also takes the records that stand behind the hello in its datagram. A server
 * that gives its engine the first datagram by kdtls_engine_input() does not need this
 * function: the engine asks the gate itself, and kdtls_engine_output() returns its reply.
 *
 * Return: 0; -KDTLS_EUSAGE: the engine has had a datagram, or has another address than the
 * sender of the hello; another error of enum kdtls_engine_error: the engine has failed.
 */
KDTLS_API int kdtls_engine_accept(struct kdtls_engine *engine,
				  struct kdtls_hello *hello, uint64_t now);

/**
 * kdtls_engine_output() - get the next datagram or record that an engine has to send
 * @engine:	the engine
 * @buf:	memory for the datagram or the record's content
 * @size:	bytes of @buf: the MTU and KDTLS_OUTPUT_MIN at least
 * @info:	filled in. With DTLS_RECORD_RAW in flags @buf holds a datagram; else the
 *		content of one record to be sent as @info->type under the key of
 *		@info->epoch
 * @now:	time in µs, of a clock that never goes backwards
 *
 * The caller calls the function until it returns 0, after each of kdtls_engine_start(),
 * kdtls_engine_input() and kdtls_engine_expire(). The function may finish the handshake
 * and then calls ops->key. After the content of a record the caller says by
 * kdtls_engine_sent() which record it became.
 *
 * Return: bytes in @buf; 0: there is nothing to send; -KDTLS_EUSAGE: @size is too small;
 * another error of enum kdtls_engine_error: the engine has failed.
 *
 * Example:
 *
 *	// A client's handshake over a connected, non-blocking UDP socket.
 *	int shake(struct kdtls_engine *engine, int fd, uint64_t (*clock)(void))
 *	{
 *		struct pollfd p = { .fd = fd, .events = POLLIN };
 *		static uint8_t buf[65536];
 *		struct dtls_record_info info;
 *		uint64_t at;
 *		long n;
 *		int err = kdtls_engine_start(engine, clock());
 *
 *		while (!err && kdtls_engine_state(engine) == KDTLS_HANDSHAKE) {
 *			while ((n = kdtls_engine_output(engine, buf, sizeof(buf),
 *							&info, clock())) > 0)
 *				send(fd, buf, n, 0);	// what is lost is sent again
 *			if (n < 0)
 *				return n;
 *			at = kdtls_engine_expiry(engine);
 *			n = at > clock() ? (at - clock()) / 1000 + 1 : 0;
 *			if (poll(&p, 1, n) < 0)
 *				return -errno;
 *			n = recv(fd, buf, sizeof(buf), 0);
 *			if (n > 0)
 *				err = kdtls_engine_input(engine, buf, n, NULL, clock());
 *			else
 *				err = kdtls_engine_expire(engine, clock());
 *		}
 *		return err;
 *	}
 */
KDTLS_API long kdtls_engine_output(struct kdtls_engine *engine, uint8_t *buf, size_t size,
				   struct dtls_record_info *info, uint64_t now);

/**
 * kdtls_engine_sent() - tell an engine which record its last content became
 * @engine:	the engine, after kdtls_engine_output() returned the content of a record
 * @number:	the record's epoch and number, which sendmsg() writes where number_ptr of
 *		struct dtls_record_info says; epoch 0: the record did not go out
 *
 * In DTLS 1.3 the peer acknowledges handshake messages by the numbers of their records
 * (RFC 9147 7). The caller calls the function before the next kdtls_engine_output(). If
 * it does not, the engine cannot match the acknowledgement, and sends the content again
 * until it gives up.
 */
KDTLS_API void kdtls_engine_sent(struct kdtls_engine *engine,
				 const struct dtls_record_number *number);

/**
 * kdtls_engine_expiry() - return the time at which kdtls_engine_expire() is due
 * @engine:	the engine
 *
 * The time may change with every call for the engine.
 *
 * Return: a time in µs of the caller's clock; KDTLS_NEVER: no timer runs.
 */
KDTLS_API uint64_t kdtls_engine_expiry(const struct kdtls_engine *engine);

/**
 * kdtls_engine_expire() - do what an engine's timers ask for
 * @engine:	the engine
 * @now:	time in µs, of a clock that never goes backwards; nothing happens before that
 *		of kdtls_engine_expiry()
 *
 * Return: 0, or the error that the engine has failed with.
 */
KDTLS_API int kdtls_engine_expire(struct kdtls_engine *engine, uint64_t now);

/**
 * kdtls_engine_confirm() - tell an engine that application data came from the peer
 * @engine:	the engine
 *
 * In DTLS 1.2 application data proves that the peer has the last flight of the handshake,
 * so the engine frees that flight before linger of the configuration is over. In DTLS 1.3
 * application data proves only that the peer is there. If the engine has given up a
 * message after all retransmissions, it sends the message once more.
 */
KDTLS_API void kdtls_engine_confirm(struct kdtls_engine *engine);

/**
 * kdtls_engine_update_keys() - change the write key (RFC 9147 8)
 * @engine:	an established engine of DTLS 1.3
 * @both:	true: ask the peer to change its write key, too
 *
 * The new key comes out through ops->key when the peer has acknowledged the KeyUpdate.
 * The events DTLS_EVENT_TX_LIMIT and DTLS_EVENT_RX_LIMIT change the key without this
 * call.
 *
 * Return: 0; -KDTLS_EUSAGE: the engine is not established, is of DTLS 1.2, or has no
 * epochs or message numbers left, as after 65,532 changes.
 */
KDTLS_API int kdtls_engine_update_keys(struct kdtls_engine *engine, bool both);

/**
 * kdtls_engine_give_cids() - give the peer more connection IDs (RFC 9147 9)
 * @engine:	an established engine of DTLS 1.3 whose peer puts a connection ID of
 *		kdtls_engine_set_cid() into its records; ops->cid is set
 * @count:	number of connection IDs at most, 1 to DTLS_CIDS_MAX (linux/dtls.h)
 * @at_once:	true: the peer is to use one of the new connection IDs from now on;
 *		false: the peer uses them when it wants to change
 *
 * The connection IDs are as long as the one of the handshake. That one and the last
 * DTLS_CIDS_MAX that were given can be used by the peer. A peer that asks for connection
 * IDs gets up to half of DTLS_CIDS_MAX without this call.
 *
 * Return: 0: the peer gets those that ops->cid accepted before it refused one, or before
 * memory was short; -KDTLS_EUSAGE: the engine is not of that kind, @count is out of its
 * range, or the connection IDs of the call before were not sent yet; -KDTLS_ECALLBACK:
 * ops->cid refused the first, and none is given; -KDTLS_EMEMORY: none is given;
 * -KDTLS_ECRYPTO: there are no random bytes, and the engine has failed.
 */
KDTLS_API int kdtls_engine_give_cids(struct kdtls_engine *engine,
				     unsigned int count, bool at_once);

/**
 * kdtls_engine_request_cids() - ask the peer for more connection IDs (RFC 9147 9)
 * @engine:	an established engine of DTLS 1.3 whose peer asked for a connection ID in
 *		the records that it gets
 * @count:	number of connection IDs, 1 to DTLS_CIDS_MAX less cid_spares of struct
 *		kdtls_info
 *
 * The peer may give fewer, or none. The next request can be made when the peer has
 * answered.
 *
 * Return: 0; -KDTLS_EUSAGE: the engine is not of that kind, @count is out of its range,
 * or the peer has not answered the request before.
 */
KDTLS_API int kdtls_engine_request_cids(struct kdtls_engine *engine,
					unsigned int count);

/**
 * kdtls_engine_change_cid() - use another of the peer's connection IDs
 * @engine:	an established engine of DTLS 1.3 with cid_spares of struct kdtls_info
 *		above 0
 *
 * Records bear the oldest of the spare connection IDs from then on. A program calls the
 * function when its address changes, so that nobody on the path can link its old and its
 * new address (RFC 9147 9). The change takes effect at once if ops->peer_cid accepts the
 * connection ID. Otherwise it takes effect with the next write key, and the function also
 * changes the write key.
 *
 * Return: 0; -KDTLS_EUSAGE: the engine is not of that kind, or has no epochs or message
 * numbers left; -KDTLS_EMEMORY.
 */
KDTLS_API int kdtls_engine_change_cid(struct kdtls_engine *engine);

/**
 * kdtls_engine_close() - end an association with close_notify (RFC 5246 7.2.1)
 * @engine:	the engine
 *
 * The function also ends a handshake that is in progress. The state of the engine is
 * KDTLS_CLOSED at once, and kdtls_engine_output() returns the alert.
 */
KDTLS_API void kdtls_engine_close(struct kdtls_engine *engine);

/**
 * kdtls_engine_heartbeat() - ask whether the peer is there and a size gets through
 * @engine:	an established engine whose peer answers heartbeats
 * @size:	bytes of the record's content, 35 (3 + 16 + 16) to mtu and peer_record_limit
 *		of struct kdtls_info; the answer is as long
 * @now:	time in µs, of a clock that never goes backwards
 *
 * One request is on its way at a time. The engine sends it again as it does a flight (RFC
 * 6520 3), as long as the MTU is not made smaller than the request. ops->heartbeat tells
 * whether the answer came.
 *
 * Return: 0; -KDTLS_EUSAGE: a request is on its way, heartbeats were not negotiated, or
 * @size is out of its range; -KDTLS_EMEMORY; -KDTLS_ECRYPTO: there are no random bytes, and
 * the engine has failed.
 */
KDTLS_API int kdtls_engine_heartbeat(struct kdtls_engine *engine, size_t size,
				     uint64_t now);

/**
 * kdtls_engine_state() - return the state of an engine
 * @engine:	the engine
 *
 * Return: one of enum kdtls_state.
 */
KDTLS_API enum kdtls_state kdtls_engine_state(const struct kdtls_engine *engine);

/**
 * struct kdtls_failure - why an engine failed
 * @error:	enum kdtls_engine_error, positive; 0: the engine has not failed
 * @alert_sent:	enum kdtls_alert; KDTLS_ALERT_NONE: no alert was sent
 * @alert_received: enum kdtls_alert of the peer's, with KDTLS_EALERT;
 *		KDTLS_ALERT_NONE: no alert came
 * @reason:	one line for a log; a constant string
 */
struct kdtls_failure {
	int error;
	uint8_t alert_sent;
	uint8_t alert_received;
	const char *reason;
};

/**
 * kdtls_engine_failure() - tell why an engine failed
 * @engine:	the engine
 * @failure:	filled in
 */
KDTLS_API void kdtls_engine_failure(const struct kdtls_engine *engine,
				    struct kdtls_failure *failure);

/**
 * kdtls_alert_name() - return the name of an alert
 * @alert:	any number
 *
 * Return: a constant string as in the RFCs, such as "unknown_ca"; "unknown" for a number
 * that is not known.
 */
KDTLS_API const char *kdtls_alert_name(unsigned int alert);

/* These tell what has become of early data (0-RTT). */
enum kdtls_early {
	KDTLS_EARLY_NONE,	/* there was no early data */
	KDTLS_EARLY_SENT,	/* a client has sent the data; the server has not answered */
	KDTLS_EARLY_ACCEPTED,	/* the server accepts the data */
	KDTLS_EARLY_REJECTED,	/* the server refuses the data, or not all went out */
};

/**
 * struct kdtls_info - what was negotiated, and what happened
 * @version:	DTLS_VERSION_*; 0: not known yet
 * @suite:	IANA number of the cipher suite
 * @cipher:	DTLS_CIPHER_*
 * @group:	IANA number of the key exchange group; 0: none
 * @scheme:	IANA number of the scheme that the peer signed with; 0: none
 * @srtp_profile: SRTP protection profile (RFC 5764); 0: none
 * @peer_record_limit: bytes of the largest record content that the peer takes
 * @resumed:	1 if an earlier session was resumed
 * @extended_master_secret: 1 if RFC 7627 is in use, or with DTLS 1.3, which does not need
 *		it
 * @peer_heartbeat: 1 if the peer answers heartbeats
 * @peer_verified: 1 if the peer showed a certificate or raw key that is trusted, or that
 *		ops->verify accepted, in this handshake or in the one that was resumed; 0
 *		also if KDTLS_NO_VERIFY let a peer in whom nobody has judged
 * @early:	enum kdtls_early: what became of early data
 * @auth:	enum kdtls_auth: how the peer proved who it is. @auth to @chain_end are of
 *		the full handshake, and the same after any number of resumptions. They are
 *		known when the peer's Finished has come
 * @verified:	the checks that the peer's certificate has passed: KDTLS_VERIFIED_*, ORed
 *		together
 * @peer_hash:	SHA-256 of the peer's certificate or raw key; zero if there is none
 * @psk_identity: identity of the pre-shared key (on a client its own), not NUL
 *		terminated; NULL: none. It lives as long as the engine
 * @psk_identity_len: bytes of @psk_identity
 * @authenticated: when the peer proved who it is, in seconds since 1970; 0: not yet
 * @chain_end:	when the first of the peer's certificates expires, in seconds since 1970;
 *		0: there are none
 * @alpn:	application protocol that was chosen, or NULL; lives as long as the engine
 * @name:	on a server the name that the client sent (RFC 6066); on a client the name
 *		of kdtls_engine_set_name() in lower case, without a dot at its end. NULL:
 *		none. It lives as long as the engine
 * @cid_rx:	connection ID that this end asked for in the handshake, or NULL; lives until
 *		the next call with the engine. Those that are given later go to ops->cid
 * @cid_rx_len:	bytes of @cid_rx
 * @cid_tx:	connection ID in records that are sent, or NULL; lives until the next call
 *		with the engine. After kdtls_engine_change_cid() records may bear the old
 *		connection ID until the next write key
 * @cid_tx_len:	bytes of @cid_tx
 * @cid_spares:	connection IDs of the peer's that kdtls_engine_change_cid() can use
 * @rtt:	round-trip time in µs; 0: not measured
 * @mtu:	bytes of UDP payload of the largest datagram that the engine sends now
 * @flights_resent: retransmissions, by timer or because the peer sent again
 * @dropped:	records and messages that were dropped: malformed, forged, replayed, or too
 *		many
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
 * kdtls_engine_info() - tell what was negotiated, and what happened
 * @engine:	the engine
 * @info:	filled in
 */
KDTLS_API void kdtls_engine_info(const struct kdtls_engine *engine,
				 struct kdtls_info *info);

#define KDTLS_EXPORT_CONTEXT_MAX 512

/**
 * kdtls_engine_export() - derive keying material for other uses (RFC 5705, RFC 8446 7.5)
 * @engine:	an established engine with extended master secret
 * @label:	the label of RFC 5705 4, such as "EXTRACTOR-dtls_srtp" for RFC 5764;
 *		KDTLS_EXPORT_CONTEXT_MAX / 4 bytes at most
 * @context:	the context; NULL: none, which in DTLS 1.2 is not the same as an empty one
 * @context_len: bytes of @context, KDTLS_EXPORT_CONTEXT_MAX at most
 * @out:	filled in; secret
 * @len:	bytes wanted, 1 or more
 *
 * Return: 0; -KDTLS_EUSAGE: the engine is not of that kind, or a length is out of its
 * range; -KDTLS_ECRYPTO: libcrypto failed.
 */
KDTLS_API int kdtls_engine_export(const struct kdtls_engine *engine, const char *label,
				  const uint8_t *context, size_t context_len,
			uint8_t *out, size_t len);

#ifdef __cplusplus
}
#endif

#endif /* _KDTLS_ENGINE_H */
