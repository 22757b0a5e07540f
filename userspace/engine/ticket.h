/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A ticket is a session that a server seals and the client keeps (RFC 5077).
 */
#ifndef _DTLS_TICKET_H
#define _DTLS_TICKET_H

#include "session.h"
#include "tree.h"

/**
 * struct dtls_ticket_key - a key that seals tickets
 * @ctx:	libcrypto's context with the key, or NULL if there is none yet
 * @made:	when the key was made, in seconds since 1970
 * @name:	name of the key, with which each ticket under it begins
 */
struct dtls_ticket_key {
	EVP_CIPHER_CTX *ctx;
	int64_t made;
	u8 name[16];
};

/**
 * struct dtls_tickets - the keys of tickets
 * @life:	seconds of life of a ticket, and of a key
 * @key:	the current key and the one before
 * @tree:	what keys are derived from, if endpoints share a secret; NULL: none
 *
 * Tickets are sealed with AES-256-GCM under a key of the endpoint. The key is
 * replaced after the life of a ticket, and the previous key still opens
 * tickets, so that every ticket can be used for its whole life. If endpoints
 * share a secret, each period of that length has the key of its first second, and
 * the tree has forgotten the keys that were taken out of it. So a key is gone when
 * its tickets are no longer opened.
 */
struct dtls_tickets {
	u32 life;
	struct dtls_ticket_key key[2];
	struct dtls_tree *tree;
};

/*
 * Derive the keys from a copy of @tree. No key has been made yet. Return false if
 * there is no memory.
 */
bool dtls_tickets_share(struct dtls_tickets *t, const struct dtls_tree *tree);

/*
 * Forget the shared keys of tickets that are too old at @now, in seconds since 1970. Sealing
 * and opening do so, too; this is for an endpoint that does neither for long. If libcrypto or
 * memory failed, the next call forgets them.
 */
void dtls_tickets_age(struct dtls_tickets *t, const struct dtls_crypto *c,
		      int64_t now);

/* Wipe and free the keys. A ticket that is sealed afterwards has a random key. */
void dtls_tickets_exit(struct dtls_tickets *t);

/*
 * Seal a session into a ticket, and write the ticket to @out. @now is in
 * seconds since 1970. Return false if libcrypto or memory failed.
 */
bool dtls_ticket_seal(struct dtls_tickets *t, const struct dtls_crypto *c,
		      const struct dtls_session *s, int64_t now,
		      struct dtls_writer *out);

/*
 * Open a ticket. @s points into @plain. Return false if the ticket is not of
 * this endpoint, is damaged, or is too old.
 */
bool dtls_ticket_open(struct dtls_tickets *t, const struct dtls_crypto *c,
		      struct dtls_bytes ticket, int64_t now,
		      struct dtls_writer *plain, struct dtls_session *s);

#endif /* _DTLS_TICKET_H */
