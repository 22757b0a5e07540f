/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who the peer is and how that is known. A handshake finds it out, sessions
 * carry it on, and whoever resumes one is told the same.
 */
#ifndef _DTLS_PEER_H
#define _DTLS_PEER_H

#include <kdtls/engine.h>

#include "wire.h"

#define DTLS_BASIS_SIZE	16
#define DTLS_PEER_HASH	32
#define DTLS_NO_END	(((int64_t)1 << 40) - 1)	/* as much as is written */

/**
 * struct dtls_peer - who the peer is
 * @auth:	enum kdtls_auth
 * @verified:	KDTLS_VERIFIED_*
 * @basis:	what the verdict rests on, so that it falls when that changes: a
 *		hash of the pre-shared key, or of the roots and raw keys that
 *		were trusted
 * @hash:	SHA-256 of the certificate or raw public key; zero: none
 * @since:	seconds since 1970 when the peer proved it in a full handshake
 * @until:	when its chain ends; DTLS_NO_END: there is none
 * @identity:	of the pre-shared key. A handshake's own; a session's points into
 *		the session's bytes
 */
struct dtls_peer {
	u8 auth;
	u8 verified;
	u8 basis[DTLS_BASIS_SIZE];
	u8 hash[DTLS_PEER_HASH];
	int64_t since;
	int64_t until;
	struct dtls_bytes identity;
};

/* The most that dtls_peer_write() writes */
#define DTLS_PEER_MAX	(1 + 1 + 5 + DTLS_BASIS_SIZE + 5 + DTLS_PEER_HASH + \
			 1 + KDTLS_PSK_IDENTITY_MAX)

/* As bytes, in sessions and in engines; only what its kind of peer has */
void dtls_peer_write(const struct dtls_peer *peer, struct dtls_writer *w);

/* Return: false if damaged. @peer points into what @bytes was. */
bool dtls_peer_read(struct dtls_peer *peer, struct dtls_bytes *bytes);

/* Free what a handshake's @peer holds; nobody is known then. */
void dtls_peer_forget(struct dtls_peer *peer);

#endif /* _DTLS_PEER_H */
