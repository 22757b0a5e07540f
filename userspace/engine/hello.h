/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions read and write hellos and their extensions (RFC 6347 4.3.2,
 * RFC 5246 7.4.1). They need not know the state of a handshake. Every byte of
 * the input is hostile. Parsed structures point into the input.
 */
#ifndef _DTLS_HELLO_H
#define _DTLS_HELLO_H

#include "wire.h"

/* The extensions that the engine knows, each with the RFC that defines it. */
enum dtls_extension {
	DTLS_EXT_SERVER_NAME,		/* RFC 6066 3 */
	DTLS_EXT_GROUPS,		/* RFC 8422 5.1.1 */
	DTLS_EXT_POINT_FORMATS,		/* RFC 8422 5.1.2 */
	DTLS_EXT_SCHEMES,		/* RFC 5246 7.4.1.4.1 */
	DTLS_EXT_SRTP,			/* RFC 5764 4.1.1 */
	DTLS_EXT_HEARTBEAT,		/* RFC 6520 2 */
	DTLS_EXT_ALPN,			/* RFC 7301 3.1 */
	DTLS_EXT_CLIENT_CERT_TYPE,	/* RFC 7250 3 */
	DTLS_EXT_SERVER_CERT_TYPE,
	DTLS_EXT_EMS,			/* RFC 7627 5.1 */
	DTLS_EXT_RECORD_LIMIT,		/* RFC 8449 4 */
	DTLS_EXT_TICKET,		/* RFC 5077 3.2 */
	DTLS_EXT_CID,			/* RFC 9146 3 */
	DTLS_EXT_RENEGOTIATION,		/* RFC 5746 3.2 */
	DTLS_EXT_VERSIONS,		/* RFC 8446 4.2.1; the first of DTLS 1.3 */
	DTLS_EXT_COOKIE,		/* RFC 8446 4.2.2 */
	DTLS_EXT_KEY_SHARE,		/* RFC 8446 4.2.8 */
	DTLS_EXT_PSK_MODES,		/* RFC 8446 4.2.9 */
	DTLS_EXT_EARLY_DATA,		/* RFC 8446 4.2.10 */
	DTLS_EXT_AUTHORITIES,		/* RFC 8446 4.2.4 */
	DTLS_EXT_PSK,			/* RFC 8446 4.2.11; the last of a hello */
	DTLS_EXT_COUNT,
};

/**
 * struct dtls_extensions - the extensions of a message
 * @ext:	content of each extension, by enum dtls_extension; @p is NULL if
 *		the message lacks the extension
 * @unknown:	the message has an extension that is not in the enum
 * @last:	number of the last extension on the wire
 */
struct dtls_extensions {
	struct dtls_bytes ext[DTLS_EXT_COUNT];
	bool unknown;
	u16 last;
};

static inline bool dtls_ext_has(const struct dtls_extensions *e,
				enum dtls_extension i)
{
	return e->ext[i].p;
}

/*
 * Read a list of extensions with its length. A message may end without a list,
 * which is an empty list then. Return false if the list is malformed, or if an
 * extension comes twice.
 */
bool dtls_ext_parse(struct dtls_extensions *e, struct dtls_bytes r);

/* Begin an extension in a hello. Return the mark for wr_close(w, mark, 2). */
size_t dtls_ext_open(struct dtls_writer *w, enum dtls_extension i);

/* Write an extension without content. */
void dtls_ext_empty(struct dtls_writer *w, enum dtls_extension i);

/* These are the modes of psk_key_exchange_modes (RFC 8446 4.2.9). */
#define DTLS_MODE_PSK		0
#define DTLS_MODE_PSK_DHE	1

/**
 * struct dtls_client_hello - a ClientHello; points into the message
 * @version:	legacy_version
 * @random:	the client's random
 * @session_id:	session id that the client names, or empty
 * @cookie:	the cookie of HelloVerifyRequest, or empty
 * @suites:	the offered suites as a list of numbers
 * @compressions: the offered compression methods
 * @ext:	the extensions
 */
struct dtls_client_hello {
	u16 version;
	struct dtls_bytes random;
	struct dtls_bytes session_id;
	struct dtls_bytes cookie;
	struct dtls_bytes suites;
	struct dtls_bytes compressions;
	struct dtls_extensions ext;
};

/**
 * struct dtls_server_hello - a ServerHello; points into the message
 * @version:	legacy_version
 * @random:	the server's random
 * @session_id:	session id that the server names, or empty
 * @suite:	the chosen suite
 * @compression: the chosen compression method
 * @ext:	the extensions
 */
struct dtls_server_hello {
	u16 version;
	struct dtls_bytes random;
	struct dtls_bytes session_id;
	u16 suite;
	u8 compression;
	struct dtls_extensions ext;
};

/**
 * dtls_hello_front() - read a ClientHello up to its cookie
 * @ch:		filled in up to the cookie; points into @body
 * @body:	the first bytes of the hello's body; moved behind the cookie
 *
 * Return: false if @body is malformed or ends before the cookie does.
 */
bool dtls_hello_front(struct dtls_client_hello *ch,
		      struct dtls_bytes *body);

/*
 * Read the body of a ClientHello. Return false if the bytes are not one
 * well-formed hello.
 */
bool dtls_hello_parse_client(struct dtls_client_hello *ch,
			     struct dtls_bytes body);

/*
 * Read the body of a ServerHello or HelloRetryRequest. Return false if the
 * bytes are not one well-formed hello.
 */
bool dtls_hello_parse_server(struct dtls_server_hello *sh,
			     struct dtls_bytes body);

/* The number of the extension pre_shared_key, which is the last of a hello. */
#define DTLS_PSK_NUMBER	41

/*
 * These bytes and one of 0 or 1 are the end of the random of a server that has
 * a newer version than the client offered (RFC 8446 4.1.3).
 */
#define DTLS_DOWNGRADE	"DOWNGRD"

/* A HelloRetryRequest is a ServerHello with this random (RFC 8446 4.1.3). */
extern const u8 dtls_hello_retry_random[32];

/*
 * Write a ServerHello or HelloRetryRequest of DTLS 1.3 up to its first
 * extension, supported_versions. Return the mark of the extensions for
 * wr_close(w, mark, 2).
 */
size_t dtls_hello_open13(struct dtls_writer *w, const u8 *random, u16 suite);

/* Return true if the hello offers @version in supported_versions. */
bool dtls_hello_offers(const struct dtls_client_hello *ch, u16 version);

/*
 * Return true if @list is one of distinguished names, each with two bytes of
 * length (RFC 5246 7.4.4, RFC 8446 4.2.4).
 */
bool dtls_hello_are_names(struct dtls_bytes list);

/*
 * Find the client's key share for @group. Return false if the hello has none.
 */
bool dtls_hello_share(const struct dtls_client_hello *ch, u16 group,
		      struct dtls_bytes *share);

#endif /* _DTLS_HELLO_H */
