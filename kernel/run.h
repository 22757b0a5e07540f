/* SPDX-License-Identifier: GPL-2.0 */
/* A run is records on their way from a datagram to the reader, handled together. */
#ifndef _DTLS_RUN_H
#define _DTLS_RUN_H

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/types.h>

#include "record.h"

struct dtls_assoc;
struct dtls_epoch;
struct sk_buff;

/* A run has at most so many records. They come from one coalesced datagram. */
#define DTLS_RUN_MAX	32

/**
 * struct dtls_opened - one record of a run after it was opened
 * @content:	the decrypted content, in the scratch; NULL: the record was a
 *		replay when it came, and was not decrypted
 * @len:	bytes of @content, or the error of dtls_crypt_open()
 * @type:	content type, the inner one
 * @verdict:	enum dtls_verdict or -ENOMEM
 */
struct dtls_opened {
	u8 *content;
	int len;
	u8 type;
	s8 verdict;
};

/* dtls_opened.verdict holds -ENOMEM in one byte. */
static_assert(-ENOMEM >= S8_MIN);

/**
 * struct dtls_run - received records of one size with consecutive numbers
 * @skb:	the datagram, maybe a coalesced one, that the records came in:
 *		one reference
 * @assoc:	the association that the datagram belongs to: one reference
 * @dgram:	serial of the datagram: dtls_dgram.serial
 * @seg_end:	where in @skb the datagram ends that the first record came in
 * @offset:	where in @skb the first record begins; the others follow it
 *		without a gap, each in a datagram of its own
 * @rec:	header of the first record. The headers of the others differ
 *		from it in the sequence number alone, which goes up by one
 * @has_cid:	a connection ID that this end asked for stands in the records,
 *		or before the first one in its datagram
 * @intact:	the UDP checksum of @skb was verified
 * @foreign:	the datagram is not DTLS: it is one record with an empty header
 * @why:	enum skb_drop_reason of a record that was dropped, or 0
 * @newest:	epoch of the newest read key when the records came; 0: there was
 *		none. Valid if @rec is a unified header, or if @epoch is NULL
 * @epoch:	the read epoch of the records, with a reference; NULL if there is no
 *		key for it
 * @n:		how many records there are: 1 in most runs
 * @fresh:	bit i is set while no other record with the number of the i-th is
 *		known to have been verified. Written under dtls_assoc.lock
 * @under_way:	node in dtls_assoc.under_way, from dtls_admit_run() to settle_run():
 *		a task that verifies the same number meanwhile clears bits of
 *		@fresh
 * @carried:	node in dtls_sock.carried, from dtls_wait_begin() to
 *		dtls_wait_done()
 * @missed:	a task looked for records while this run was carried, and found
 *		none. Guarded by dtls_sock.lock
 * @goodbye:	the peer's close_notify was in this run, or in a run that was
 *		taken in later and is done. Guarded by dtls_sock.lock
 * @opened:	what became of each record: valid after dtls_rx_open()
 * @wire:	each record in one piece of memory that nobody else writes to:
 *		valid if @epoch is set
 * @piece:	the first record where it lies in @skb; NULL: it lies in several
 *		pieces of memory
 * @ours:	@piece is memory that nobody else writes to
 * @room:	DTLS_SCRATCH_ROOM bytes of the scratch. A record that others may write
 *		to is copied there
 * @used:	how many bytes of @room are in use
 * @header:	a copy of the first record's header, if others may write to it:
 *		@rec.cid may point into it
 *
 * A run lies in the scratch of the task that carries it.
 */
struct dtls_run {
	struct sk_buff *skb;
	struct dtls_assoc *assoc;
	u64 dgram;
	unsigned int seg_end;
	unsigned int offset;
	struct dtls_record rec;
	bool has_cid;
	bool intact;
	bool foreign;
	u8 why;
	u64 newest;
	struct dtls_epoch *epoch;
	unsigned int n;
	u64 fresh;
	struct hlist_node under_way;
	struct hlist_node carried;
	bool missed;
	bool goodbye;
	struct dtls_opened opened[DTLS_RUN_MAX];
	const u8 *wire[DTLS_RUN_MAX];
	const u8 *piece;
	bool ours;
	u8 *room;
	unsigned int used;
	u8 header[DTLS_HEADER_SIZE_MAX];
};

/* Return how many bytes each record of @rx has in its datagram. */
static inline unsigned int dtls_run_size(const struct dtls_run *rx)
{
	return rx->rec.header_len + rx->rec.fragment_len;
}

/* Return true if @rx is early data, which can be replayed (RFC 8446 8). */
static inline bool dtls_run_replayable(const struct dtls_run *rx)
{
	return rx->rec.unified && rx->rec.epoch == DTLS13_EPOCH_EARLY;
}

/*
 * Return true if the key of @rx, for whose epoch there is none, may still come: the key
 * is the association's first, or the next one. In DTLS 1.3 it may also be a later one.
 */
static inline bool dtls_run_early(const struct dtls_run *rx)
{
	return rx->rec.epoch > rx->newest &&
	       (!rx->newest || rx->rec.unified ||
		rx->rec.epoch == rx->newest + 1);
}

/*
 * Return true if the reader of @rx gets DTLS_RECORD_INFO with application data, as it
 * must know that @rx is early data, or a datagram of another protocol.
 */
static inline bool dtls_run_marked(const struct dtls_run *rx)
{
	return rx->foreign || dtls_run_replayable(rx);
}

#endif /* _DTLS_RUN_H */
