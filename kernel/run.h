/* SPDX-License-Identifier: GPL-2.0 */
/* A run of records on its way in, from the datagram to the reader */
#ifndef _DTLS_RUN_H
#define _DTLS_RUN_H

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/types.h>

#include "record.h"

struct dtls_epoch;
struct sk_buff;

/* Records of a coalesced datagram that are taken at once */
#define DTLS_RUN_MAX	32

/**
 * struct dtls_opened - what became of one record
 * @content:	in the scratch's; NULL: it was a replay when it came
 * @len:	bytes of content or an error; see dtls_crypt_open()
 * @type:	of the content
 * @verdict:	enum dtls_verdict or -ENOMEM
 */
struct dtls_opened {
	u8 *content;
	int len;
	u8 type;
	s8 verdict;
};

/* dtls_opened.verdict is a byte. */
static_assert(-ENOMEM >= S8_MIN);

/**
 * struct dtls_run - a run of records on its way; in the scratch of who carries it
 * @skb:	one reference
 * @dgram:	serial of the datagram
 * @seg_end:	end of the datagram within @skb that the first one is of
 * @offset:	of the first record in @skb; the others follow without a gap
 * @rec:	the first one's header; the others' differs in the number
 *		alone, which goes up by one
 * @has_cid:	a connection ID of ours stands in them or before the first
 * @intact:	the checksum of @skb was looked at, and is right
 * @why:	enum skb_drop_reason, if a record of them was dropped
 * @newest:	read epoch when they came; 0: there was none
 * @epoch:	of @rec if it has a key, with a reference, or NULL
 * @n:		records; most runs are of one
 * @fresh:	bit i: of the i-th, no record of its number is known to have
 *		been verified
 * @under_way:	struct dtls_assoc's list, where @fresh may be cleared
 * @carried:	in dtls_sock's list, from the intake to dtls_wait_done()
 * @missed:	somebody looked for records meanwhile and found nothing
 * @goodbye:	the peer's close_notify was in it, or in one taken in later
 * @opened:	after dtls_rx_open()
 * @wire:	the bytes of each record, in one piece that nobody else writes
 *		to, if there is @epoch
 * @piece:	the first record where it lies, or NULL if it is in several
 *		pieces
 * @ours:	nobody else writes to @piece
 * @room:	DTLS_SCRATCH_ROOM bytes of the scratch's, where @wire may lie
 * @used:	bytes of @room that are taken
 * @header:	where @rec.cid may point
 */
struct dtls_run {
	struct sk_buff *skb;
	u64 dgram;
	unsigned int seg_end;
	unsigned int offset;
	struct dtls_record rec;
	bool has_cid;
	bool intact;
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

/* Bytes of each record on the wire */
static inline unsigned int dtls_run_size(const struct dtls_run *rx)
{
	return rx->rec.header_len + rx->rec.fragment_len;
}

/* Is it early data? */
static inline bool dtls_run_replayable(const struct dtls_run *rx)
{
	return rx->rec.unified && rx->rec.epoch == DTLS13_EPOCH_EARLY;
}

#endif /* _DTLS_RUN_H */
