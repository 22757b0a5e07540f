/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A session that can be resumed: what a client keeps, what a server seals into
 * a ticket (RFC 5077) or keeps under a session id (RFC 5246 7.3).
 */
#ifndef _DTLS_SESSION_H
#define _DTLS_SESSION_H

#include "peer.h"
#include "suites.h"

#define DTLS_SESSION_ID_SIZE	32

/* A session may live so many seconds at most (RFC 8446 4.6.1). */
#define DTLS_SESSION_LIFE_MAX	604800

/**
 * struct dtls_session - a session that can be resumed
 * @version:	DTLS_VERSION_*
 * @suite:	number of its suite
 * @ems:	its master secret is extended (RFC 7627)
 * @peer:	who the peer is, as a full handshake found it
 * @master:	the master secret; DTLS 1.3: the ticket's key
 * @made:	when it was made, in seconds since 1970
 * @life:	seconds that it may be resumed for
 * @age_add:	DTLS 1.3: the number that hides the ticket's age (RFC 8446
 *		4.2.11.1)
 * @early:	DTLS 1.3: bytes of early data that it allows, or 0
 * @alpn:	the protocol, or empty
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
 * Write a session as bytes. It has secrets, so that whoever wipes @w wipes them
 * as well.
 */
void dtls_session_write(const struct dtls_session *s, struct dtls_writer *w);

/*
 * Read a session. @s points into @bytes. Return: false if they are damaged, or
 * of another version of this library.
 */
bool dtls_session_read(struct dtls_session *s, struct dtls_bytes bytes);

/*
 * Compute for how long a session with this peer may still be resumed: @limit
 * seconds from when the peer proved who it is, and no longer than its chain is
 * valid. It does not count that the session was renewed since (RFC 8446 4.6.1).
 * Return: seconds; 0: it may not.
 */
u32 dtls_session_life(const struct dtls_peer *peer, u32 limit, int64_t now);

/*
 * Return true if the session is too old, by its own life or by
 * dtls_session_life().
 */
bool dtls_session_expired(const struct dtls_session *s, u32 limit, int64_t now);

#endif /* _DTLS_SESSION_H */
