/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Other people's DTLS 1.2 as the other end: OpenSSL and GnuTLS, in the same
 * process, over a queue of datagrams each way that can lose, repeat and
 * reorder them.
 */
#ifndef _TEST_PEER_H
#define _TEST_PEER_H

#include "end.h"

#define WIRE_DATAGRAMS	256
#define WIRE_SIZE	2048

/* One direction; a seed of 0 is a perfect one */
struct wire {
	struct {
		size_t len;
		u8 data[WIRE_SIZE];
	} ring[WIRE_DATAGRAMS];
	unsigned int head, tail;
	u64 seed;
	unsigned int loss;		/* percent; duplicated and swapped too */
	size_t largest;			/* datagram seen */
};

void wire_put(struct wire *w, const void *data, size_t len);
/* Return: bytes, 0: none. @data stays valid until the next wire_put(). */
size_t wire_peek(const struct wire *w, const void **data);
size_t wire_get(struct wire *w, void *data, size_t size);

struct peer_options {
	bool server;
	u16 suite;
	const char *psk;
	const char *identity;
	const struct cert *ca;
	const struct cert *cert;
	bool request_cert;
	bool tickets;
	bool no_ems;			/* RFC 7627 switched off */
	unsigned int mtu;
	const char *alpn;
	const char *srtp;
	struct wire *in, *out;
};

/* What it can be asked to do; a peer outlives several associations. */
struct peer_type {
	const char *name;
	void *(*open)(const struct peer_options *options);
	/* Begin an association; @resume: of a client, its last session */
	bool (*start)(void *peer, bool resume);
	/* Go on. Return: 1 done, 0 in progress, -1 failed. */
	int (*step)(void *peer);
	bool (*send)(void *peer, const void *data, size_t len);
	/* Return: bytes, 0: none. */
	size_t (*receive)(void *peer, void *data, size_t size);
	bool (*resumed)(void *peer);
	bool (*export)(void *peer, const char *label, u8 *out, size_t len);
	const char *(*alpn)(void *peer);
	void (*stop)(void *peer);
	void (*close)(void *peer);
};

extern const struct peer_type peer_openssl;
extern const struct peer_type peer_gnutls;

#endif /* _TEST_PEER_H */
