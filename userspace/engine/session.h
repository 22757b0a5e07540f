/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A session is what two ends need to resume an association. A client keeps it; a
 * server seals it into a ticket (RFC 5077) or keeps it under a session id (RFC 5246
 * 7.3).
 */
#ifndef _DTLS_SESSION_H
#define _DTLS_SESSION_H

#include "peer.h"
#include "suites.h"

#define DTLS_SESSION_ID_SIZE	32

/* A session may be resumed for so many seconds at most (RFC 8446 4.6.1). */
#define DTLS_SESSION_LIFE_MAX	604800

/**
 * struct dtls_session - a session that can be resumed
 * @version:	DTLS_VERSION_*
 * @suite:	number of the suite
 * @ems:	the master secret is extended (RFC 7627)
 * @peer:	identity of the peer, from a full handshake
 * @master:	the master secret; DTLS 1.3: the ticket's pre-shared key
 * @made:	when the session was made, in seconds since 1970
 * @life:	how many seconds the session may be resumed
 * @age_add:	DTLS 1.3: the number that hides the ticket's age (RFC 8446
 *		4.2.11.1)
 * @early:	DTLS 1.3: how many bytes of early data the session allows, or 0
 * @alpn:	the protocol of ALPN, or empty
 * @name:	the server's name (SNI), or empty
 * @id:		session id of DTLS 1.2, or empty
 * @ticket:	the ticket, or empty
 */
struct dtls_session {
	u16 version;
	u16 suite;
	bool ems;
	struct dtls_peer peer;
	u8 master[DTLS_SECRET_SIZE];
	int64_t made;
	u32 life;
	u32 age_add;
	u32 early;
	struct dtls_bytes alpn;
	struct dtls_bytes name;
	struct dtls_bytes id;
	struct dtls_bytes ticket;
};

/*
 * Write a session as bytes. The bytes contain secrets, so the caller wipes @w.
 */
void dtls_session_write(const struct dtls_session *s, struct dtls_writer *w);

/*
 * Read a session. @s points into @bytes. Return false if the bytes are damaged,
 * or written by another version of this library.
 */
bool dtls_session_read(struct dtls_session *s, struct dtls_bytes bytes);

/*
 * Return for how many more seconds a session with @peer may be resumed: until
 * @limit seconds after the full handshake in which the peer proved its
 * identity, and no longer than its chain is valid. A renewal of the session
 * does not prolong this (RFC 8446 4.6.1). Return 0 if it may not be resumed.
 */
u32 dtls_session_life(const struct dtls_peer *peer, u32 limit, int64_t now);

/*
 * Return true if the session is too old, by its own life or by
 * dtls_session_life().
 */
bool dtls_session_expired(const struct dtls_session *s, u32 limit, int64_t now);

#endif /* _DTLS_SESSION_H */
