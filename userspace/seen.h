/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which records has somebody else's record layer read?
 *
 * A library that does not tell its replay window is watched where it reads
 * datagrams. Nothing is authenticated there, and a forged number must not move
 * a window, so the protected records are kept until there is a key to tell
 * forgeries from the rest.
 */
#ifndef _KDTLS_SEEN_H
#define _KDTLS_SEEN_H

#include "cipher.h"
#include "../kernel/replay.h"

#define SEEN_STASH_SIZE	(256 * 1024)
#define FIRST_EPOCH	DTLS12_EPOCH_DATA	/* that of a session's first keys */

/**
 * struct seen - what was read so far
 * @window:	numbers of genuine records
 * @missed:	records went by that nobody can tell about any more
 * @stash:	protected records not looked at yet, one behind the other
 * @stash_len:	bytes of them
 */
struct seen {
	struct dtls_replay window;
	u64 ring[DTLS_REPLAY_WINDOW_MAX / 64];
	bool missed;
	u8 *stash;
	size_t stash_len;
};

/* Return: false if there is no memory. */
bool seen_init(struct seen *s);

/* Free and zeroise. */
void seen_fini(struct seen *s);

/**
 * seen_room() - is there room for another datagram?
 * @len:	its bytes
 *
 * If not, seen_settle() may make some.
 */
bool seen_room(const struct seen *s, size_t len);

/**
 * seen_datagram() - note the protected records of one datagram
 * @buf:	room for DTLS12_HEADER_SIZE bytes or more
 * @len:	the datagram's bytes
 *
 * Only whole, well-formed records may reach the library that is watched: it
 * might find records in the rest that this file did not. A datagram without
 * any becomes a header of zeroes, which every library drops. (GnuTLS 3.7 drops
 * the next datagram too if one is shorter than a header.)
 *
 * Return: bytes at @buf the library may have.
 */
size_t seen_datagram(struct seen *s, u8 *buf, size_t len);

/**
 * seen_settle() - mark the genuine ones of the records noted
 * @key:	the read key; records of other epochs are forgotten
 * @open:	opens a record
 *
 * Return: false if there is no memory for that.
 */
bool seen_settle(struct seen *s, const struct dtls_key_info *key,
		 open_fn *open);

/**
 * seen_report() - the result, for the kernel
 * @s:		settled
 * @epoch:	the read epoch
 * @out:	filled in
 *
 * Return: 0, -KDTLS_EMISSED, or -KDTLS_EKEYS: not even the peer's Finished was
 * genuine under this key.
 */
int seen_report(const struct seen *s, u64 epoch, struct dtls_window *out);

#endif /* _KDTLS_SEEN_H */
