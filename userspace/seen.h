/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These functions find out which records the record layer of another library
 * has read.
 *
 * That library does not tell its replay window, so it is watched where it reads
 * datagrams. Nothing is authenticated there, and a forged sequence number must
 * not move a window. So copies of the protected records are kept until the read
 * key is known, which tells forgeries from genuine records.
 */
#ifndef _KDTLS_SEEN_H
#define _KDTLS_SEEN_H

#include "cipher.h"
#include "../kernel/replay.h"

#define SEEN_STASH_SIZE	(256 * 1024)
#define FIRST_EPOCH	DTLS12_EPOCH_DATA	/* the epoch of a session's first keys */

/**
 * struct seen - the records that were read
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
 * seen_room() - tell whether there is room for the records of a datagram
 * @s:		the records that were read
 * @len:	bytes of the datagram
 *
 * If there is no room, seen_settle() makes some.
 *
 * Return: true if there is room.
 */
bool seen_room(const struct seen *s, size_t len);

/**
 * seen_datagram() - note the protected records of one datagram
 * @s:		the records that were read
 * @buf:	the datagram, in room for DTLS12_HEADER_SIZE bytes or more
 * @len:	bytes of the datagram
 *
 * The watched library gets the whole, well-formed records at the beginning of
 * the datagram only, as it might find records in the rest that this function
 * did not find. A datagram without such records becomes a header of zeros,
 * which every library drops. It does not become empty, as GnuTLS 3.7 also drops
 * the datagram that follows one that is shorter than a header.
 *
 * Return: how many bytes at @buf the library gets.
 */
size_t seen_datagram(struct seen *s, u8 *buf, size_t len);

/**
 * seen_settle() - open the copies and mark those that are genuine
 * @s:		the records that were read; no copies are left in it afterwards
 * @key:	the read key; copies of other epochs are dropped
 * @open:	opens a record with the watched library's AEAD
 *
 * Return: false if there is no memory for the plaintext, which is wiped.
 */
bool seen_settle(struct seen *s, const struct dtls_key_info *key,
		 open_fn *open);

/**
 * seen_report() - write the replay window in the form that the kernel takes
 * @s:		the records that were read, after seen_settle()
 * @epoch:	the read epoch
 * @out:	filled in
 *
 * Return: 0; -KDTLS_EMISSED if records were read of which there was no copy, so
 * that the window is not known; or -KDTLS_EKEYS if not even the peer's Finished
 * was genuine, which means that the key was wrong.
 */
int seen_report(const struct seen *s, u64 epoch, struct dtls_window *out);

#endif /* _KDTLS_SEEN_H */
