/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The handshake messages so far (RFC 6347 4.2.6), each with a header as if it
 * had come in one fragment.
 *
 * The messages are kept, not only a running hash: the hash is known only after
 * ServerHello, CertificateVerify may want another one or the messages
 * themselves (Ed25519), and DTLS 1.3 leaves the fields of DTLS out and replaces
 * a first ClientHello by its hash (RFC 9147 5.2, RFC 8446 4.4.1).
 */
#ifndef _DTLS_TRANSCRIPT_H
#define _DTLS_TRANSCRIPT_H

#include "crypto.h"

/**
 * struct dtls_transcript - the messages so far; zeroed to begin with
 * @all:	the messages
 * @hashed:	bytes of @all that are in @running
 * @running:	hash of the first @hashed bytes of @all, or NULL
 * @short_headers: headers lack the fields of DTLS, as in DTLS 1.3
 */
struct dtls_transcript {
	struct dtls_writer all;
	EVP_MD_CTX *running;
	size_t hashed;
	bool short_headers;
};

#define DTLS_SHORT_HEADER	4

/**
 * dtls_transcript_add() - add a message
 * @t:		the transcript
 * @message:	the message with its 12 bytes of header, unfragmented
 * @len:	bytes of @message
 * @max:	bytes that the transcript may hold
 *
 * Return: false if there is no room or no memory.
 */
bool dtls_transcript_add(struct dtls_transcript *t, const u8 *message,
			 size_t len, size_t max);

/**
 * dtls_transcript_hash() - hash the messages
 * @t:		the transcript
 * @c:		the endpoint's
 * @md:		c->sha256 or c->sha384
 * @len:	bytes from the beginning that count
 * @out:	DTLS_HASH_MAX bytes
 *
 * Return: bytes of hash; 0: libcrypto failed.
 */
size_t dtls_transcript_hash(struct dtls_transcript *t,
			    const struct dtls_crypto *c, const EVP_MD *md,
			    size_t len, u8 *out);

/*
 * Shorten the headers of all messages, of those that are there and of those to
 * come, as DTLS 1.3 leaves out its own fields (RFC 9147 5.2).
 */
void dtls_transcript_shorten(struct dtls_transcript *t);

/**
 * dtls_transcript_fold() - put a hash in place of the first ClientHello
 * @t:		the transcript
 * @hash:	of the first ClientHello (RFC 8446 4.4.1)
 * @rest:	what came after it, with short headers
 *
 * Everything that was there before is gone. A HelloRetryRequest asks for this,
 * as a server keeps no more of the hello than its hash.
 *
 * Return: false if there is no memory.
 */
bool dtls_transcript_fold(struct dtls_transcript *t, struct dtls_bytes hash,
			  struct dtls_bytes rest);

/* Wipe and free the messages, and zero @t. */
void dtls_transcript_clear(struct dtls_transcript *t);

#endif /* _DTLS_TRANSCRIPT_H */
