/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Other people's DTLS as the other end, over a queue of datagrams each way that
 * can lose, repeat and reorder them. Nothing of OpenSSL's is included here:
 * wolfSSL's headers cannot stand beside it.
 */
#ifndef _TEST_PEER_H
#define _TEST_PEER_H

#include <time.h>

#include "record.h"

/* This is the server's name, which a client makes sure of. */
#define PEER_NAME	"end.example"

#define WIRE_DATAGRAMS	256
#define WIRE_SIZE	8192

/* struct wire is one direction. A seed of 0 is a perfect one. */
struct wire {
	struct {
		size_t len;
		u8 data[WIRE_SIZE];
	} ring[WIRE_DATAGRAMS];
	unsigned int head, tail;
	u64 seed;
	unsigned int loss;		/* percent; as many twice or swapped */
	size_t largest;			/* bytes of the largest datagram */
};

void wire_put(struct wire *w, const void *data, size_t len);
/*
 * Look at the next datagram. @data stays valid until the next wire_put().
 * Return its bytes, or 0 if there is none.
 */
size_t wire_peek(const struct wire *w, const void **data);
size_t wire_get(struct wire *w, void *data, size_t size);
static inline void wire_clear(struct wire *w)
{
	w->head = w->tail;
}

static inline u64 now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000 + (u64)ts.tv_nsec / 1000;
}

/*
 * The first timeout is in microseconds. It doubles with each loss, up to what a
 * test can wait for.
 */
#define TIMER_FIRST	20000
#define TIMER_MAX	400000

static inline unsigned int timer_after(unsigned int us)
{
	return us < TIMER_MAX / 2 ? 2 * us : TIMER_MAX;
}

struct peer_options {
	bool server;
	u16 suite;
	const char *psk;		/* NULL: certificates */
	const char *identity;
	const char *ca;			/* PEM, as the next two; or NULL */
	const char *cert;
	const char *key;
	bool request_cert;
	bool tickets;
	bool no_ems;			/* RFC 7627 switched off */
	unsigned int mtu;
	const char *alpn;
	const char *srtp;
	u16 group;			/* the only group it takes; 0: any */
	const char *cid;		/* for its records, or NULL */
	struct wire *in, *out;
};

/*
 * Find the key of @identity. OpenSSL and wolfSSL ask for it in the same way.
 * Return its bytes, or 0 if there is none.
 */
static inline unsigned int peer_psk(const struct peer_options *o,
				    const char *identity, u8 *key,
				    unsigned int size)
{
	size_t len = strlen(o->psk);

	if (strcmp(identity, o->identity) || len > size)
		return 0;
	memcpy(key, o->psk, len);
	return (unsigned int)len;
}

/* These bits are what not every peer does. */
#define PEER_SRTP_AEAD		0x01	/* SRTP profiles with an AEAD (RFC 7714) */
#define PEER_ED25519_CLIENT	0x02	/* as a client that is shown such a key */
#define PEER_ED25519_SERVER	0x04
#define PEER_NO_EMS_SERVER	0x08	/* as a server it does without RFC 7627 */
#define PEER_WHOLE_HELLO	0x10	/* as a server: in one piece only */
#define PEER_CCS_IN_ORDER	0x20	/* gives up if that comes too early */
#define PEER_COAP		0x40	/* a program for CoAP: peer_coap.c */
#define PEER_13			0x80	/* DTLS 1.3, and that alone */
#define PEER_NO_RENEGOTIATION	0x100	/* is without RFC 5746 */
#define PEER_OTHERWISE		0x200	/* the library of a row above, set up in
					 * another way: what differs is tried
					 */
#define PEER_CID		0x400	/* connection IDs of RFC 9146 or 9147 */

struct peer;				/* each has its own */

/*
 * struct peer_ops is what a peer can be asked to do. A peer outlives several
 * associations.
 */
struct peer_ops {
	const char *name;
	const char *note;		/* to be read with its figures, or NULL */
	u32 can;
	/*
	 * So many handshakes with losses are begun until one has to succeed; 0
	 * means a few.
	 */
	unsigned int tries;
	const char *(*version)(void);	/* NULL: it cannot be had */
	bool (*speaks)(u16 suite);
	const struct peer_ops *library;	/* that says so for it, or NULL */
	struct peer *(*open)(const struct peer_options *options);
	/*
	 * Begin an association. With @resume a client resumes its last session.
	 */
	bool (*start)(struct peer *p, bool resume);
	/*
	 * Go on. Return 1 when done, 0 if not yet, -1 if the association
	 * failed.
	 */
	int (*step)(struct peer *p);
	bool (*send)(struct peer *p, const void *data, size_t len);
	/* Return the bytes received, or less than 1 if there are none. */
	long (*receive)(struct peer *p, void *data, size_t size);
	/*
	 * Return true if the peer has ended the association by itself. NULL
	 * means that step() tells.
	 */
	bool (*gave_up)(struct peer *p);
	bool (*resumed)(struct peer *p);
	bool (*export)(struct peer *p, const char *label, u8 *out, size_t len);
	/* Return the bytes of the protocol's name. */
	size_t (*alpn)(struct peer *p, const char **name);
	/* Change its write key (RFC 9147 8). NULL means that it cannot. */
	bool (*update)(struct peer *p);
	void (*stop)(struct peer *p);
	void (*close)(struct peer *p);
};

/* PEER_CALLS names the functions of a file that has one for each call. */
#define PEER_CALLS							\
	.open = open_peer,						\
	PEER_CALLS_BUT_OPEN

#define PEER_CALLS_BUT_OPEN						\
	.speaks = speaks,						\
	PEER_CALLS_BUT_OPEN_AND_SPEAKS

#define PEER_CALLS_BUT_OPEN_AND_SPEAKS					\
	.version = version,						\
	.start = start_peer,						\
	.step = step_peer,						\
	.send = send_peer,						\
	.receive = receive_peer,					\
	.resumed = resumed_peer,					\
	.export = export_peer,						\
	.alpn = alpn_peer,						\
	.stop = stop_peer,						\
	.close = close_peer

/* Return true if OpenSSL has the suite, at the security level of its default. */
bool peer_openssl_allows(u16 suite);

extern const struct peer_ops peer_openssl;
extern const struct peer_ops peer_openssl_memory;
extern const struct peer_ops peer_gnutls;
extern const struct peer_ops peer_gnutls_usual;
extern const struct peer_ops peer_gnutls_old;
extern const struct peer_ops peer_mbedtls;
extern const struct peer_ops peer_wolfssl;
extern const struct peer_ops peer_wolfssl13;
extern const struct peer_ops peer_coap_openssl;
extern const struct peer_ops peer_coap_gnutls;

#endif /* _TEST_PEER_H */
