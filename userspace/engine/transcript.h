/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The transcript has the messages of a handshake up to now (RFC 6347 4.2.6),
 * each with a header as if it had come in one fragment.
 *
 * The messages are kept, and not only a running hash. The hash function is
 * known only after ServerHello; CertificateVerify may need another one, or the
 * messages themselves (Ed25519); and DTLS 1.3 leaves out the header fields of
 * DTLS and replaces a first ClientHello by its hash (RFC 9147 5.2, RFC 8446
 * 4.4.1).
 */
#ifndef _DTLS_TRANSCRIPT_H
#define _DTLS_TRANSCRIPT_H

#include "crypto.h"

/**
 * struct dtls_transcript - the messages of a handshake; all zero at first
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
 * @c:		the endpoint's algorithms
 * @md:		the hash: c->sha256 or c->sha384
 * @len:	how many bytes of the transcript are hashed, from its beginning
 * @out:	room for DTLS_HASH_MAX bytes
 *
 * Return: bytes of the hash, or 0 if libcrypto failed.
 */
size_t dtls_transcript_hash(struct dtls_transcript *t,
			    const struct dtls_crypto *c, const EVP_MD *md,
			    size_t len, u8 *out);

/*
 * Shorten the headers of all messages, also of those that are added later: the
 * transcript of DTLS 1.3 leaves out the header fields that TLS does not have
 * (RFC 9147 5.2). Return where the message begins then that began at @at.
 */
size_t dtls_transcript_shorten(struct dtls_transcript *t, size_t at);

/**
 * dtls_transcript_fold() - put a hash in place of the first ClientHello
 * @t:		the transcript
 * @hash:	hash of the first ClientHello (RFC 8446 4.4.1)
 * @rest:	the messages behind the first ClientHello, with short headers
 *
 * All messages that were there before are dropped. This is done after a
 * HelloRetryRequest, as a server keeps no more of the first hello than its
 * hash.
 *
 * Return: false if there is no memory.
 */
bool dtls_transcript_fold(struct dtls_transcript *t, struct dtls_bytes hash,
			  struct dtls_bytes rest);

/* Drop the messages behind the first @len bytes. */
void dtls_transcript_cut(struct dtls_transcript *t, size_t len);

/* Wipe and free the messages, and zero @t. */
void dtls_transcript_clear(struct dtls_transcript *t);

#endif /* _DTLS_TRANSCRIPT_H */
