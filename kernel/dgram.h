/* SPDX-License-Identifier: GPL-2.0 */
/* These functions walk through a datagram that is cut into records. See dgram.c. */
#ifndef _DTLS_DGRAM_H
#define _DTLS_DGRAM_H

#include <linux/skbuff.h>
#include <linux/string.h>

#include "record.h"
#include "run.h"
#include "sock.h"

/*
 * The rest of a datagram is dropped when its records have so many points: four for each
 * that is malformed, forged, without a key or of one that has reached its limit, and one
 * for each that is kept although nothing of it was verified, raw or for a key to come. An
 * honest sender makes fewer of them. The bound keeps one datagram from costing hundreds of
 * decryptions, or of records that are kept and make room for the next one at once.
 */
#define DTLS_DGRAM_JUNK_MAX	32
#define DTLS_DGRAM_USELESS	4
#define DTLS_DGRAM_UNVERIFIED	1

/*
 * dtls_record_unsized() reads DTLS12_HEADER_SIZE bytes at most. A record that is long
 * enough for a sample has these bytes.
 */
static_assert(DTLS_SAMPLE_SIZE >= DTLS12_HEADER_SIZE);

void dtls_dgram_find_piece(struct dtls_dgram *d);
void dtls_dgram_end(struct dtls_sock *ds, struct dtls_dgram *d);
void dtls_dgram_set_owner(struct dtls_sock *ds, struct dtls_dgram *d,
			  struct dtls_assoc *assoc);

/*
 * Set the state of @d for the datagram that starts at d->pos: the first or the next
 * one in a coalesced skb.
 */
static inline void dtls_dgram_next_segment(struct dtls_dgram *d)
{
	d->has_cid = false;
	d->begun = false;
	d->junk = 0;
	d->seg_end = d->pos + min(d->end - d->pos, d->seg_len);
}

/*
 * Make the linear memory of @skb, whose records @d has, the piece that d->pos is looked
 * for in. It is written by the kernel alone.
 */
static inline void dtls_dgram_first_piece(struct dtls_dgram *d,
					  const struct sk_buff *skb)
{
	d->piece = skb->data;
	d->piece_start = 0;
	d->piece_end = skb_headlen(skb);
	d->piece_next = 0;
	d->piece_ours = true;
}

/*
 * Return the address of the @len bytes at d->pos; or NULL if they lie in several
 * pieces of memory, or in memory without an address.
 */
static inline const u8 *dtls_dgram_peek(struct dtls_dgram *d, unsigned int len)
{
	if (d->pos >= d->piece_end)
		dtls_dgram_find_piece(d);
	if (!d->piece || d->pos + len > d->piece_end || d->pos < d->piece_start)
		return NULL;
	return d->piece + d->pos - d->piece_start;
}

/*
 * Return the @len bytes at d->pos, a header and perhaps bytes behind it, in memory
 * that nobody else writes to; or NULL if they cannot be read. Bytes that others may
 * write to are read once, to @rx->header, and the parser sees that copy alone.
 */
static __always_inline const u8 *
dtls_dgram_peek_header(struct dtls_dgram *d, struct dtls_run *rx,
		       unsigned int len)
{
	const u8 *p = dtls_dgram_peek(d, len);

	if (p && d->piece_ours)
		return p;
	if (p)
		return memcpy(rx->header, p, len);
	return skb_copy_bits(d->skb, d->pos, rx->header, len) ? NULL :
								rx->header;
}

/*
 * Return how many bytes each datagram of @skb but the last has. Only an skb of type
 * SKB_GSO_UDP_L4 is several datagrams. SKB_GSO_UDP is one datagram, whose sender, a
 * virtual machine, left it to others to make IP fragments of it (UFO).
 */
static inline unsigned int dtls_dgram_seg_len(const struct sk_buff *skb)
{
	if (skb_is_gso(skb) && skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4)
		return skb_shinfo(skb)->gso_size;
	return skb->len;
}

/*
 * Begin to cut records out of @skb, a datagram of @assoc. @d takes over one reference
 * to each of the two. The caller holds dtls_sock.lock.
 */
static inline void dtls_dgram_begin(struct dtls_sock *ds, struct dtls_dgram *d,
				    struct sk_buff *skb,
				    struct dtls_assoc *assoc)
{
	lockdep_assert_held(&ds->lock);
	d->assoc = assoc;
	d->serial = ++ds->serial;
	d->pos = 0;
	d->end = skb->len;
	d->seg_len = dtls_dgram_seg_len(skb);
	dtls_dgram_first_piece(d, skb);
	d->intact = false;
	d->cut = false;
	dtls_dgram_next_segment(d);
	WRITE_ONCE(d->skb, skb);
}

/*
 * Move d->pos over the next @len bytes, which end no later than the datagram. Behind the
 * last datagram of an skb there is no state to set: most skbs are one record.
 */
static inline void dtls_dgram_skip(struct dtls_dgram *d, unsigned int len)
{
	d->pos += len;
	if (d->pos == d->seg_end && d->pos < d->end)
		dtls_dgram_next_segment(d);
}

#endif /* _DTLS_DGRAM_H */
