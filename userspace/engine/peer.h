/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct dtls_peer has the identity of a peer, and how it was proven. A full
 * handshake finds the identity out. A session contains it, so that an end that
 * resumes the session learns the same.
 */
#ifndef _DTLS_PEER_H
#define _DTLS_PEER_H

#include <kdtls/engine.h>

#include "wire.h"

#define DTLS_BASIS_SIZE	16
#define DTLS_PEER_HASH	32
/*
 * The latest time that can be written. It stands for a chain that does not end.
 */
#define DTLS_NO_END	(((int64_t)1 << 40) - 1)

/**
 * struct dtls_peer - the identity of a peer, and how it was proven
 * @auth:	enum kdtls_auth
 * @verified:	KDTLS_VERIFIED_*
 * @basis:	hash of the pre-shared key, or of the roots and raw keys that
 *		were trusted. If it has changed, the identity is not valid any
 *		more
 * @hash:	SHA-256 of the certificate or raw public key; zero: there is
 *		none
 * @since:	when the peer proved its identity in a full handshake, in
 *		seconds since 1970
 * @until:	when the chain of certificates ends, in seconds since 1970;
 *		DTLS_NO_END: there is no chain
 * @identity:	identity of the pre-shared key. In a handshake the memory
 *		belongs to this structure; in a session it points into the
 *		session's bytes
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

/* dtls_peer_write() writes at most so many bytes. */
#define DTLS_PEER_MAX	(1 + 1 + 5 + DTLS_BASIS_SIZE + 5 + DTLS_PEER_HASH + \
			 1 + KDTLS_PSK_IDENTITY_MAX)

/* Write @peer as bytes, for sessions and engines. */
void dtls_peer_write(const struct dtls_peer *peer, struct dtls_writer *w);

/*
 * Read the bytes that dtls_peer_write() wrote. @peer points into them. Return
 * false if they are damaged.
 */
bool dtls_peer_read(struct dtls_peer *peer, struct dtls_bytes *bytes);

/* Free the memory of a handshake's @peer, and zero @peer. */
void dtls_peer_forget(struct dtls_peer *peer);

#endif /* _DTLS_PEER_H */
