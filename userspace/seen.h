/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This file finds out which records another library's record layer has read.
 *
 * That library does not tell its replay window, so it is watched where it reads
 * datagrams. Nothing is authenticated there, and a forged sequence number must
 * not move a window. So copies of the protected records are kept until there is
 * a key that tells forgeries from genuine records.
 */
#ifndef _KDTLS_SEEN_H
#define _KDTLS_SEEN_H

#include "cipher.h"
#include "../kernel/replay.h"

#define SEEN_STASH_SIZE	(256 * 1024)
#define FIRST_EPOCH	DTLS12_EPOCH_DATA	/* the epoch of a session's first keys */

/**
 * struct seen - what was read so far
 * @window:	replay window of the genuine records
 * @ring:	memory of @window
 * @missed:	records were read of which no copy could be kept
 * @stash:	copies of protected records not opened yet, one behind the other
 * @stash_len:	bytes used of SEEN_STASH_SIZE at @stash
 */
struct seen {
	struct dtls_replay window;
	u64 ring[DTLS_REPLAY_WINDOW_MAX / 64];
	bool missed;
	u8 *stash;
	size_t stash_len;
};

/* Make @s empty. Return false if there is no memory. */
bool seen_init(struct seen *s);

/* Free the memory of @s. The copies are ciphertext and need no wiping. */
void seen_fini(struct seen *s);

/**
 * seen_room() - return true if a datagram's records can be kept
 * @s:		what was read so far
 * @len:	the datagram's bytes
 *
 * If they cannot, seen_settle() makes room.
 */
bool seen_room(const struct seen *s, size_t len);

/**
 * seen_datagram() - note the protected records of one datagram
 * @s:		where they are noted
 * @buf:	the datagram, in room for DTLS12_HEADER_SIZE bytes or more
 * @len:	the datagram's bytes
 *
 * The library that is watched may have whole, well-formed records alone: in the
 * rest it might find records that this file did not. A datagram without any
 * becomes a header of zeroes, which every library drops. It is not made empty,
 * as GnuTLS 3.7 drops the next datagram, too, after one that is shorter than a
 * header.
 *
 * Return: bytes at @buf the library may have.
 */
size_t seen_datagram(struct seen *s, u8 *buf, size_t len);

/**
 * seen_settle() - open the copies and mark those that are genuine
 * @s:		what was read so far; no copies are left in it afterwards
 * @key:	the read key; copies of other epochs are dropped
 * @open:	opens a record with the watched library's AEAD
 *
 * Return: false if there is no memory for the plaintext, which is wiped.
 */
bool seen_settle(struct seen *s, const struct dtls_key_info *key,
		 open_fn *open);

/**
 * seen_report() - write the replay window in the form that the kernel takes
 * @s:		after seen_settle()
 * @epoch:	the read epoch
 * @out:	filled in
 *
 * Return: 0; -KDTLS_EMISSED if records were read that nobody can tell about any
 * more; -KDTLS_EKEYS if not even the peer's Finished was genuine under the key,
 * which must be another one then.
 */
int seen_report(const struct seen *s, u64 epoch, struct dtls_window *out);

#endif /* _KDTLS_SEEN_H */
