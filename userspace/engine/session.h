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

/* Seconds a session may live at most (RFC 8446 4.6.1) */
#define DTLS_SESSION_LIFE_MAX	604800

struct dtls_session {
	u16 version;
	u16 suite;
	bool ems;
	struct dtls_peer peer;		/* as a full handshake found it */
	u8 master[DTLS_SECRET_SIZE];	/* DTLS 1.3: the ticket's key */
	int64_t made;			/* seconds since 1970 */
	u32 life;			/* seconds */
	u32 age_add;			/* DTLS 1.3: hides the ticket's age */
	u32 early;			/* DTLS 1.3: bytes of early data; 0: none */
	struct dtls_bytes alpn;
	struct dtls_bytes name;		/* of the server (SNI) */
	struct dtls_bytes id;
	struct dtls_bytes ticket;
};

void dtls_session_write(const struct dtls_session *s, struct dtls_writer *w);

/*
 * Return: false if @bytes are damaged, of another version of this library, or
 * no session at all. @s points into @bytes.
 */
bool dtls_session_read(struct dtls_session *s, struct dtls_bytes bytes);

/*
 * For how long a session with this peer may still be resumed: @limit seconds
 * from when the peer proved who it is, and no longer than its chain is valid.
 * That the session was renewed since does not count (RFC 8446 4.6.1).
 *
 * Return: seconds; 0: no longer.
 */
u32 dtls_session_life(const struct dtls_peer *peer, u32 limit, int64_t now);

/* Is the session too old, by its own life or by dtls_session_life()? */
bool dtls_session_expired(const struct dtls_session *s, u32 limit, int64_t now);

/*
 * Tickets: AES-256-GCM under a key of the endpoint's, replaced after a ticket's
 * life; the key before that still opens, so every ticket lives its time out.
 */
struct dtls_ticket_key {
	EVP_CIPHER_CTX *ctx;		/* holds the key; NULL: none yet */
	int64_t made;
	u8 name[16];
};

struct dtls_tickets {
	u32 life;			/* seconds */
	struct dtls_ticket_key key[2];	/* current and previous */
};

void dtls_tickets_exit(struct dtls_tickets *t);

bool dtls_ticket_seal(struct dtls_tickets *t, const struct dtls_crypto *c,
		      const struct dtls_session *s, int64_t now,
		      struct dtls_writer *out);

/* Return: false: not ours, damaged or too old. @s points into @plain. */
bool dtls_ticket_open(struct dtls_tickets *t, const struct dtls_crypto *c,
		      struct dtls_bytes ticket, int64_t now,
		      struct dtls_writer *plain, struct dtls_session *s);

/*
 * The server's cache: one place for each value of a hash of the id. A newer
 * session takes an older one's place, so nothing has to be tidied up.
 */
struct dtls_cache {
	struct dtls_writer *entry;	/* session as bytes; empty: none */
	size_t size;
};

bool dtls_cache_init(struct dtls_cache *c, size_t size);
void dtls_cache_exit(struct dtls_cache *c);
void dtls_cache_add(struct dtls_cache *c, const struct dtls_session *s);
bool dtls_cache_find(const struct dtls_cache *c, struct dtls_bytes id,
		     struct dtls_session *s);

/* A session a fatal alert ended must not be resumed (RFC 5246 7.2.2). */
void dtls_cache_remove(struct dtls_cache *c, struct dtls_bytes id);

#endif /* _DTLS_SESSION_H */
