/* SPDX-License-Identifier: BSD-3-Clause */
/* Session tickets (RFC 5077): what a server seals for the client to keep. */
#ifndef _DTLS_TICKET_H
#define _DTLS_TICKET_H

#include "session.h"

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

#endif /* _DTLS_TICKET_H */
