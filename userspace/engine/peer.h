/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This file keeps who the peer is and how that is known. A full handshake finds
 * it out, sessions carry it on, and an end that resumes a session is told the same.
 */
#ifndef _DTLS_PEER_H
#define _DTLS_PEER_H

#include <kdtls/engine.h>

#include "wire.h"

#define DTLS_BASIS_SIZE	16
#define DTLS_PEER_HASH	32
#define DTLS_NO_END	(((int64_t)1 << 40) - 1)	/* the latest time that can be written */

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

/* dtls_peer_write() writes no more bytes than these. */
#define DTLS_PEER_MAX	(1 + 1 + 5 + DTLS_BASIS_SIZE + 5 + DTLS_PEER_HASH + \
			 1 + KDTLS_PSK_IDENTITY_MAX)

/* Write what is known of a peer, for sessions and engines. */
void dtls_peer_write(const struct dtls_peer *peer, struct dtls_writer *w);

/*
 * Read what dtls_peer_write() wrote. Return false if it is damaged. @peer
 * points into the bytes.
 */
bool dtls_peer_read(struct dtls_peer *peer, struct dtls_bytes *bytes);

/* Free what a handshake's @peer holds, and zero it. */
void dtls_peer_forget(struct dtls_peer *peer);

#endif /* _DTLS_PEER_H */
