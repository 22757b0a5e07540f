/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * First hellos in fragments, from strangers. A cookie for DTLS 1.3 holds the
 * hash of the whole hello (RFC 9147 5.1), so its pieces must be put together
 * before there is anything to prove an address with. There is room for
 * DTLS_STRANGERS of them, each of DTLS_STRANGER_HELLO bytes at most, and the
 * newest takes the place of the oldest: a flood of pieces costs no more memory
 * than that, and keeps nobody out whose hello comes in one.
 */
#ifndef _DTLS_STRANGERS_H
#define _DTLS_STRANGERS_H

#include "reassembly.h"

#define DTLS_STRANGERS		32
#define DTLS_STRANGER_HELLO	4096
#define DTLS_ADDRESS_MAX	64

struct dtls_stranger {
	u64 last;		/* when a piece came; 0: nobody */
	u8 address_len;
	u8 address[DTLS_ADDRESS_MAX];
	struct dtls_reassembly in;
};

struct dtls_strangers {
	struct dtls_stranger *list;	/* NULL: there was none yet */
};

/**
 * dtls_strangers_add() - a piece of a first hello
 * @hello:	set with a stranger who has sent all of it
 *
 * Return: him, to be let go by dtls_stranger_clear(); NULL: there is more to
 * come, or no memory.
 */
struct dtls_stranger *dtls_strangers_add(struct dtls_strangers *s,
					 struct dtls_bytes address,
					 const struct dtls_fragment *f, u64 now,
					 struct dtls_fragment *hello);

void dtls_stranger_clear(struct dtls_stranger *one);
void dtls_strangers_exit(struct dtls_strangers *s);

#endif /* _DTLS_STRANGERS_H */
