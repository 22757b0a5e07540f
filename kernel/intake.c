// SPDX-License-Identifier: GPL-2.0
/*
 * The intake takes records out of datagrams. Its steps, in the order of the calls:
 *
 *   take_datagram()	takes a datagram from UDP's queue
 *   sort_datagram()	finds the datagram's association, if the socket has a table
 *   find_record()	finds the next record in the datagram
 *   cut_record()	takes the record, and charges the rest of the datagram
 *   dtls_admit_run()	looks for the key, copies bytes that others may write to,
 *			and checks the record against the replay window
 *   dtls_rx_open()	in rx.c, decides what becomes of the record
 *
 * All but the last run in the reader's context under dtls_sock.lock, so that records
 * keep the order of their arrival.
 */
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/udp.h>

#include "assoc.h"
#include "batch.h"
#include "compat.h"
#include "early.h"
#include "epoch.h"
#include "intake.h"
#include "mask.h"
#include "msg.h"
#include "record.h"
#include "replay.h"
#include "run.h"
#include "scratch.h"
#include "sock.h"
#include "stats.h"
#include "table.h"
#include "wait.h"

/*
 * Each record of a run has a bit in dtls_run.fresh, and one call of
 * dtls_replay_check_run() takes a whole run.
 */
static_assert(DTLS_RUN_MAX <= DTLS_REPLAY_RUN_MAX &&
	      DTLS_RUN_MAX <= BITS_PER_BYTE * sizeof_field(struct dtls_run, fresh));
/*
 * dtls_record_unsized() reads DTLS12_HEADER_SIZE bytes at most. A record that is long
 * enough for a sample has these bytes.
 */
static_assert(DTLS_SAMPLE_SIZE >= DTLS12_HEADER_SIZE);

/*
 * Set the state of @d for the datagram that starts at d->pos: the first or the next
 * one in a coalesced skb.
 */
static void dtls_dgram_next_segment(struct dtls_dgram *d)
{
	d->has_cid = false;
	d->begun = false;
	d->junk = 0;
	d->seg_end = d->pos + min(d->end - d->pos, d->seg_len);
}

/*
 * Find the piece of memory that byte d->pos of the datagram lies in. The linear
 * memory of an skb is written by the kernel alone, and so are pages that
 * dtls_batch_mark_page() marked when a socket of this machine sent them. Any other
 * page may belong to a file that was sent by reference, or to an AF_PACKET ring. No flag
 * of the skb tells: SKBFL_SHARED_FRAG is not set for the ring.
 */
static noinline void dtls_dgram_find_piece(struct dtls_dgram *d)
{
	const struct skb_shared_info *shinfo = skb_shinfo(d->skb);

	if (!d->piece_end) {
		d->piece = d->skb->data;
		d->piece_start = 0;
		d->piece_end = skb_headlen(d->skb);
		d->piece_next = 0;
		d->piece_ours = true;
	}
	while (d->pos >= d->piece_end && d->piece_next < shinfo->nr_frags) {
		const skb_frag_t *frag = &shinfo->frags[d->piece_next++];
		struct page *page = skb_frag_page(frag);

		d->piece_start = d->piece_end;
		d->piece_end += skb_frag_size(frag);
		d->piece = NULL;
		d->piece_ours = false;
		if (page && !PageHighMem(page)) {
			d->piece = skb_frag_address(frag);
			d->piece_ours = dtls_batch_page_is_marked(page);
		}
	}
}

/*
 * Return the address of the @len bytes at d->pos; or NULL if they lie in several
 * pieces of memory, or in memory without an address.
 */
static const u8 *dtls_dgram_peek(struct dtls_dgram *d, unsigned int len)
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
 * Begin to cut records out of @skb, a datagram of @assoc. @d takes over one reference
 * to each of the two. The caller holds dtls_sock.lock.
 */
static void dtls_dgram_begin(struct dtls_sock *ds, struct dtls_dgram *d,
			     struct sk_buff *skb, struct dtls_assoc *assoc)
{
	lockdep_assert_held(&ds->lock);
	d->assoc = assoc;
	d->serial = ++ds->serial;
	d->pos = 0;
	d->end = skb->len;
	d->seg_len = skb_is_gso(skb) ? skb_shinfo(skb)->gso_size : skb->len;
	d->piece_end = 0;
	d->intact = false;
	d->cut = false;
	WRITE_ONCE(d->skb, skb);
	dtls_dgram_next_segment(d);
}

/*
 * Put the references of @d to its skb and its association, as no more records are cut
 * out of it. Runs that were cut out have references of their own. A datagram without
 * any record is counted as dropped. The caller holds dtls_sock.lock.
 */
static void dtls_dgram_end(struct dtls_sock *ds, struct dtls_dgram *d)
{
	dtls_assoc_put(d->assoc);
	if (d->cut)
		consume_skb(d->skb);
	else
		dtls_skb_drop(ds->sk, d->skb,
			      dtls_stats_drop_reason(DTLS_COUNT_RX_MALFORMED));
	WRITE_ONCE(d->skb, NULL);
}

/*
 * Take the next datagram from UDP's queue into @d. @budget is the number of datagrams
 * that the caller may still take, and goes down by one. The caller holds
 * dtls_sock.lock. Return: 0; -EAGAIN if the queue or the budget is empty; or the
 * error that was pending on the socket.
 */
static int take_datagram(struct dtls_sock *ds, struct dtls_dgram *d,
			 unsigned int *budget)
{
	struct sk_buff *skb;
	int off = 0, err;

	lockdep_assert_held(&ds->lock);
	/*
	 * The queue is looked at first, because __skb_recv_udp() would
	 * busy-poll for an empty one, and busy polling sleeps.
	 */
	if (!*budget || !dtls_wait_udp_unread(ds->sk))
		return -EAGAIN;
	--*budget;

	/* UDP never peeks nor waits here: ready.c and wait.c do that. */
	skb = __skb_recv_udp(ds->sk, MSG_DONTWAIT, &off, &err);
	if (!skb)
		return err;
	dtls_udp_count(ds->sk, UDP_MIB_INDATAGRAMS);
	skb->dev = NULL;	/* UDP used skb->dev for data of its own. */
	dtls_dgram_begin(ds, d, skb, dtls_assoc_get(ds->assoc));
	if (!d->end)
		dtls_stats_count(ds, d->assoc, DTLS_COUNT_RX_MALFORMED);
	return 0;
}

/*
 * Take the oldest message out of dtls_sock.pending, which is not empty, and make it a
 * datagram to cut records out of. The caller holds dtls_sock.lock.
 */
static void take_pending(struct dtls_sock *ds, struct dtls_dgram *d)
{
	struct dtls_msg *m = dtls_early_take(ds);

	dtls_dgram_begin(ds, d, m->skb, m->assoc);
	d->has_cid = m->has_cid;
	d->begun = true;
}

/*
 * Return true if the record in the @len bytes at @p has a connection ID of unknown
 * length, and the rest of its datagram must be kept with it; @rx->rec is its header
 * then.
 *
 * A header does not tell how long its connection ID is. The length comes with
 * the first read key (in DTLS 1.3 with the first one after the key of early
 * data). Until then the end of the header cannot be found, so the rest of the
 * datagram is kept as one record.
 *
 * The same holds for an association without connection IDs whose peer starts a new
 * handshake and asks for one: a record that may belong to that handshake goes to the
 * library together with the rest of its datagram.
 */
static noinline bool find_unsized(const struct dtls_assoc *assoc,
				  struct dtls_run *rx, const u8 *p,
				  unsigned int len)
{
	struct dtls_record *rec = &rx->rec;

	if (!dtls_record_unsized(rec, p, len))
		return false;
	rx->newest = dtls_assoc_newest_rx(assoc);
	if (rx->newest > (rec->unified ? DTLS13_EPOCH_EARLY : 0)) {
		if (!dtls_may_be_handshake(rec))
			return false;
		if (rec->unified)
			rec->epoch = DTLS13_EPOCH_HANDSHAKE;
	} else if (rec->unified) {
		rec->epoch = dtls_record_epoch(rec, rx->newest);
	}
	return true;
}

/*
 * Find the epoch of the record in @rx from the two bits of it in a unified header
 * (RFC 9147 4.2.2). Return false if the record is too short for its sequence number
 * to be decrypted (RFC 9147 4.2.3).
 */
static bool find_epoch(const struct dtls_assoc *assoc, struct dtls_run *rx)
{
	if (!rx->rec.unified)
		return true;
	rx->newest = dtls_assoc_newest_rx(assoc);
	rx->rec.epoch = dtls_record_epoch(&rx->rec, rx->newest);
	return rx->rec.fragment_len >= DTLS_SAMPLE_SIZE;
}

/*
 * Return true if the record with the header @rec may belong to @assoc, whose peer was
 * given connection IDs of @cid_len bytes. Once agreed on, a connection ID is in the
 * first record of each datagram, and records behind it without one belong to the same
 * association (RFC 9147 4). A record that may belong to a new handshake needs no
 * connection ID.
 */
static __always_inline bool find_cid(const struct dtls_assoc *assoc,
				     struct dtls_dgram *d,
				     const struct dtls_record *rec,
				     unsigned int cid_len)
{
	if (rec->cid_len)
		d->has_cid = dtls_assoc_knows_cid(assoc, rec);
	else if (!rec->unified || rec->epoch == DTLS13_EPOCH_EARLY)
		return true;
	return d->has_cid || !(cid_len | rec->cid_len) ||
	       dtls_may_be_handshake(rec);
}

/* Move d->pos over the next @len bytes, which end no later than the datagram. */
static void dtls_dgram_skip(struct dtls_dgram *d, unsigned int len)
{
	d->pos += len;
	if (d->pos == d->seg_end)
		dtls_dgram_next_segment(d);
}

/*
 * When so many records of one datagram were malformed, forged or without a key, the
 * rest of that datagram is dropped. An honest sender makes fewer of them, and the
 * bound keeps one datagram from costing hundreds of decryptions.
 */
#define DTLS_DGRAM_JUNK_MAX	8

/*
 * Drop the next @len bytes of @d and count them as one record @what. If the datagram
 * has had DTLS_DGRAM_JUNK_MAX such records, drop the rest of it, too.
 */
static void skip_junk(struct dtls_sock *ds, struct dtls_dgram *d,
		      unsigned int len, enum dtls_count what)
{
	dtls_stats_count(ds, d->assoc, what);
	if (++d->junk >= DTLS_DGRAM_JUNK_MAX)
		len = d->seg_end - d->pos;
	dtls_dgram_skip(d, len);
}

/*
 * Make @assoc the association of @d from d->pos on, and take over one reference to
 * it. If the association changes, d->serial changes too, so that a reader with
 * UDP_GRO does not get records of two associations together. The caller holds
 * dtls_sock.lock, a spin lock. The reference put here is never the last one, which
 * would sleep: dtls_rest_forget() takes a deleted association out of @d.
 */
static void dtls_dgram_set_owner(struct dtls_sock *ds, struct dtls_dgram *d,
				 struct dtls_assoc *assoc)
{
	lockdep_assert_held(&ds->lock);
	if (assoc != d->assoc)
		d->serial = ++ds->serial;
	dtls_assoc_put(d->assoc);
	d->assoc = assoc;
}

/*
 * Find the association that the datagram at d->pos belongs to: by the connection ID
 * of its first record if that has one, else by its addresses. All records of the
 * datagram are tried with the keys of that association alone. A datagram that
 * belongs to no association gets dtls_sock.assoc, which stands for strangers.
 */
static noinline void sort_datagram(struct dtls_sock *ds,
				   struct dtls_table *table,
				   struct dtls_dgram *d, struct dtls_run *rx)
{
	unsigned int cid_len = table->cid_len, len = d->seg_end - d->pos;
	unsigned int head = min(len, DTLS12_HEADER_SIZE + cid_len);
	const u8 *p = dtls_dgram_peek_header(d, rx, head);
	struct dtls_record *rec = &rx->rec;
	struct dtls_assoc *assoc;
	struct dtls_flow flow;

	if (p && !dtls_record_parse(rec, p, head, len, cid_len) &&
	    rec->cid_len) {
		assoc = dtls_table_by_cid(table, rec->cid, rec->cid_len);
	} else {
		dtls_path_flow_of(ds->sk, d->skb, &flow);
		assoc = dtls_table_by_flow(table, &flow);
	}
	dtls_dgram_set_owner(ds, d, assoc ?: dtls_assoc_get(ds->assoc));
}

/*
 * Make @rx->rec one record that is the whole datagram at d->pos, which came from a
 * stranger. Its type and epoch are those of the datagram's first record. Return false
 * if that is not a record that a stranger may send.
 */
static bool find_stranger(struct dtls_dgram *d, struct dtls_run *rx,
			  unsigned int cid_len)
{
	unsigned int len = d->seg_end - d->pos;
	unsigned int head = min(len, DTLS12_HEADER_SIZE + cid_len);
	const u8 *p = dtls_dgram_peek_header(d, rx, head);
	struct dtls_record *rec = &rx->rec;

	if (!p)
		return false;
	if (dtls_record_parse(rec, p, head, len, cid_len) &&
	    (cid_len || !dtls_record_unsized(rec, p, len)))
		return false;
	/* Application data is always encrypted, and epoch 0 has no key. */
	if (!rec->epoch && (rec->type == DTLS_CT_APPLICATION_DATA ||
			    rec->type == DTLS_CT_TLS12_CID))
		return false;
	rec->header_len = 0;
	rec->fragment_len = len;
	return true;
}

/*
 * Parse the record at d->pos into @rx->rec, as one of d->assoc. Return 0 if there is a
 * record in @rx; else how many bytes are not a record of this association, and @what
 * they shall be counted as.
 */
static __always_inline unsigned int
parse_record(struct dtls_dgram *d, struct dtls_run *rx,
	     const struct dtls_table *table, enum dtls_count *what)
{
	struct dtls_assoc *assoc = d->assoc;
	unsigned int own_len = READ_ONCE(assoc->rx_cid_len);
	unsigned int cid_len = unlikely(table) ? table->cid_len : own_len;
	unsigned int len = d->seg_end - d->pos;
	unsigned int head = min(len, DTLS12_HEADER_SIZE + cid_len);
	const u8 *p = dtls_dgram_peek_header(d, rx, head);
	unsigned int size;

	rx->wire[0] = p;
	*what = DTLS_COUNT_RX_MALFORMED;
	if (p && dtls_is_unified(p[0]) &&
	    dtls_assoc_version(assoc) == DTLS_VERSION_1_2 &&
	    (p[0] & DTLS_UNIFIED_EPOCH) != DTLS13_EPOCH_HANDSHAKE)
		p = NULL;
	if (p && !dtls_record_parse(&rx->rec, p, head, len, cid_len)) {
		size = rx->rec.header_len + rx->rec.fragment_len;
		if (!find_epoch(assoc, rx))
			return size;
		if (find_cid(assoc, d, &rx->rec, own_len))
			return 0;
		/*
		 * The records behind an unknown connection ID belong to the
		 * same foreign association (RFC 9147 4).
		 */
		*what = DTLS_COUNT_RX_NO_KEY;
		return rx->rec.unified && rx->rec.cid_len ? len : size;
	}
	if (p && !cid_len && find_unsized(assoc, rx, p, len))
		return 0;
	/* Without a valid header, the next record cannot be found. */
	return len;
}

/*
 * Make the other association at the address of @d the association of @d from d->pos on,
 * as the next record cannot be of d->assoc. Return false if no other association is
 * there. Each call goes from an association to a later one, so the calls come to an end.
 */
static noinline bool dtls_sort_pass_on(struct dtls_sock *ds,
				       struct dtls_dgram *d,
				       struct dtls_table *table)
{
	struct dtls_assoc *other;
	struct dtls_flow flow;

	if (!table || d->has_cid)
		return false;
	dtls_path_flow_of(ds->sk, d->skb, &flow);
	other = dtls_table_other(table, &flow, d->assoc);
	if (!other)
		return false;
	dtls_dgram_set_owner(ds, d, other);
	return true;
}

/*
 * Parse the record at d->pos into @rx->rec. Bytes that are not a record, or a record
 * that cannot be of this association, are skipped and counted, unless another
 * association may have sent them. Return true if there is a record in @rx.
 */
static bool find_next(struct dtls_sock *ds, struct dtls_dgram *d,
		      struct dtls_run *rx, struct dtls_table *table)
{
	enum dtls_count what;
	unsigned int junk = parse_record(d, rx, table, &what);

	if (likely(!junk))
		return true;
	if (!dtls_sort_pass_on(ds, d, table))
		skip_junk(ds, d, junk, what);
	return false;
}

/*
 * Look at the datagram at d->pos as a whole before its first record: find its
 * association if the socket has a table, and check whether it is DTLS. Return true if
 * @rx is a datagram of another protocol and the user set DTLS_PASS to read it.
 * RFC 7983 tells protocols that share a port apart by their first byte.
 */
static noinline bool dtls_sort_begin(struct dtls_sock *ds,
				     struct dtls_table *table,
				     struct dtls_dgram *d, struct dtls_run *rx)
{
	const u8 *p;

	d->begun = true;
	if (table)
		sort_datagram(ds, table, d, rx);
	p = READ_ONCE(ds->pass) ? dtls_dgram_peek_header(d, rx, 1) : NULL;
	if (!p || dtls_is_dtls(*p))
		return false;
	rx->rec = (struct dtls_record) {
		.fragment_len = d->seg_end - d->pos,
	};
	return true;
}

/*
 * Make @rx the whole datagram at d->pos, on a socket with many associations. It is a
 * stranger's, or of an association that was peeled off, whose socket gets it as it is.
 */
static bool dtls_sort_whole(const struct dtls_sock *ds, struct dtls_dgram *d,
			    struct dtls_run *rx, unsigned int cid_len)
{
	if (d->assoc == ds->assoc)
		return find_stranger(d, rx, cid_len);
	rx->rec = (struct dtls_record) {
		.fragment_len = d->seg_end - d->pos,
	};
	return true;
}

/* Return true if records of @d are opened on this socket, which has many associations. */
static bool dtls_sort_opens_here(const struct dtls_sock *ds,
				 const struct dtls_dgram *d)
{
	return d->assoc != ds->assoc &&
	       likely(rcu_access_pointer(d->assoc->home) == ds);
}

/*
 * Find the next record in @d. The caller holds dtls_sock.lock. Return false if there
 * is no record any more: @d has given its references back then.
 */
static bool find_record(struct dtls_sock *ds, struct dtls_dgram *d,
			struct dtls_run *rx)
{
	struct dtls_table *table = dtls_sock_table(ds);

	lockdep_assert_held(&ds->lock);
	while (d->pos < d->end) {
		rx->foreign = unlikely(table || READ_ONCE(ds->pass)) &&
			      !d->begun && dtls_sort_begin(ds, table, d, rx);
		if (unlikely(rx->foreign))
			return true;
		if (likely(!table) || dtls_sort_opens_here(ds, d)) {
			if (find_next(ds, d, rx, table))
				return true;
			continue;
		}
		if (dtls_sort_whole(ds, d, rx, table->cid_len))
			return true;
		skip_junk(ds, d, d->seg_end - d->pos, DTLS_COUNT_RX_MALFORMED);
	}
	dtls_dgram_end(ds, d);
	return false;
}

/*
 * Take the record that find_record() has found out of @d and give @rx its
 * references. The rest of the datagram is charged to the receive buffer, and dropped
 * if the buffer is full. The caller holds dtls_sock.lock.
 */
static void cut_record(struct dtls_sock *ds, struct dtls_dgram *d,
		       struct dtls_run *rx)
{
	unsigned int len = dtls_run_size(rx);
	bool held = d->cut;

	lockdep_assert_held(&ds->lock);
	rx->skb = d->skb;
	rx->assoc = d->assoc;
	rx->dgram = d->serial;
	rx->seg_end = d->seg_end;
	rx->intact = d->intact;
	rx->offset = d->pos;
	rx->n = 1;
	rx->why = 0;
	d->cut = true;
	rx->has_cid = d->has_cid;
	rx->piece = dtls_dgram_peek(d, len);
	rx->ours = d->piece_ours;
	dtls_dgram_skip(d, len);

	if (d->pos < d->end) {
		skb_get(d->skb);
		dtls_assoc_get(d->assoc);
		/*
		 * The first cut that leaves a rest charges the whole datagram,
		 * so later cuts do not charge it again.
		 */
		if (held || dtls_msg_hold(ds, d->skb, DTLS_CHARGE_RECEIVED))
			return;
		dtls_stats_count(ds, d->assoc, DTLS_COUNT_RX_NO_BUDGET);
		dtls_dgram_end(ds, d);
	} else {
		/* The datagram is used up, and @rx takes its references over. */
		WRITE_ONCE(d->skb, NULL);
	}
}

/*
 * Copy @len bytes at @offset of @rx->skb to @to. @piece is their address, or NULL if
 * they lie in several pieces of memory. Return false if they cannot be read.
 */
static bool dtls_admit_copy(const struct dtls_run *rx, const u8 *piece,
			    unsigned int offset, unsigned int len, u8 *to)
{
	if (!piece)
		return !skb_copy_bits(rx->skb, offset, to, len);
	memcpy(to, piece, len);
	return true;
}

/*
 * Return the record of @len bytes at d->pos in one piece of memory that nobody else
 * writes to, or NULL if there is no room for a copy. A cipher reads the ciphertext
 * twice, to verify and to decrypt it, and must find the same bytes both times. So
 * bytes that somebody else may write to are copied to @rx->room.
 */
static const u8 *steady_record(struct dtls_run *rx, struct dtls_dgram *d,
			       unsigned int len)
{
	unsigned int place = dtls_scratch_place(rx->used, len);
	const u8 *piece = dtls_dgram_peek(d, len);

	if (piece && d->piece_ours)
		return piece;
	if (place + len > DTLS_SCRATCH_ROOM ||
	    !dtls_admit_copy(rx, piece, d->pos, len, rx->room + place))
		return NULL;
	rx->used = place + len;
	return rx->room + place;
}

/*
 * Set @rx->wire[0] to the first record of @rx in one piece of memory that nobody else
 * writes to, as steady_record() does for the records behind it. The header is at
 * @rx->wire[0] already. It is copied from there and not from the skb, because it must
 * not be read a second time where others may write to it. Return false if the record
 * cannot be copied.
 */
static __always_inline bool dtls_admit_steady(struct dtls_run *rx)
{
	unsigned int head = rx->rec.header_len, size = dtls_run_size(rx);
	const u8 *piece = rx->piece;

	rx->used = 0;
	if (likely(piece && rx->ours))
		return true;
	if (size > DTLS_SCRATCH_ROOM ||
	    !dtls_admit_copy(rx, piece ? piece + head : NULL, rx->offset + head,
			     size - head, rx->room + head))
		return false;
	memcpy(rx->room, rx->wire[0], head);
	rx->wire[0] = rx->room;
	rx->used = size;
	return true;
}

/*
 * Decrypt the part of the sequence number in a unified header (RFC 9147 4.2.3), and
 * find the whole number from the next one that the window expects (RFC 9147 4.2.2).
 * Other readers move the window, so the caller holds the lock of @assoc.
 */
static noinline void dtls_admit_number(struct dtls_assoc *assoc,
				       struct dtls_run *rx)
{
	struct dtls_epoch *epoch = rx->epoch;
	u8 mask[DTLS_SAMPLE_SIZE];

	lockdep_assert_held(&assoc->lock);
	/* A number that cannot be decrypted is taken as it is: no tag fits it. */
	if (dtls_mask_make(&epoch->key, rx->wire[0] + rx->rec.header_len, mask))
		memset(mask, 0, sizeof(mask));
	dtls_record_resolve(&rx->rec, mask, epoch->number, epoch->replay.next);
}

/*
 * Return true if the record at @p, which is as long as those of @rx, has the header
 * that the @n-th record of @rx must have.
 */
static bool follows_run(const struct dtls_run *rx, unsigned int n, const u8 *p)
{
	u8 mask[DTLS_SAMPLE_SIZE];

	if (!rx->rec.unified)
		return dtls_record_follows(&rx->rec, n, p);
	return !dtls_mask_make(&rx->epoch->key, p + rx->rec.header_len, mask) &&
	       dtls_record_follows_unified(&rx->rec, n, p, mask);
}

/*
 * Add to @rx the records that follow in @d, each in a datagram of its own, as long as
 * their numbers are consecutive and there are fewer than @max. Most coalesced skbs
 * are one such run. The caller holds dtls_sock.lock and the association's lock.
 */
static noinline void dtls_admit_extend(struct dtls_sock *ds,
				       struct dtls_dgram *d,
				       struct dtls_run *rx, unsigned int max)
{
	unsigned int size = dtls_run_size(rx), n;
	const u8 *p;

	lockdep_assert_held(&rx->assoc->lock);
	if (d->skb != rx->skb || d->seg_len != size)
		return;
	for (n = 1; n < max && d->end - d->pos >= size; n++) {
		p = steady_record(rx, d, size);
		if (!p || !follows_run(rx, n, p))
			break;
		rx->wire[n] = p;
		d->pos += size;
	}
	rx->n = n;
	dtls_dgram_next_segment(d);
	if (d->pos == d->end)
		dtls_dgram_end(ds, d);
}

/*
 * Return the epoch whose key may open @rx, with a reference, or NULL. A key of DTLS
 * 1.2 does not open records with a unified header, and a key of DTLS 1.3 opens no
 * others.
 */
static __always_inline struct dtls_epoch *dtls_admit_key(struct dtls_run *rx)
{
	u16 version = dtls_assoc_version(rx->assoc);

	/* Before the first key there is no version, and it does not change. */
	if (!version || dtls_is_13(version) != !!rx->rec.unified)
		return NULL;
	return dtls_assoc_rx(rx->assoc, rx->rec.epoch);
}

/*
 * Check @rx against the replay window, if there is a key for it, and set @rx->fresh.
 * Records that follow in @d become part of @rx, up to @max records in all. From here
 * to settle_run() in rx.c the run is under way: its records are accepted even if
 * another reader moves the window past them meanwhile. The caller holds
 * dtls_sock.lock. Takes the lock of the association inside it.
 */
static __always_inline void dtls_admit_run(struct dtls_sock *ds,
					   struct dtls_run *rx,
					   struct dtls_dgram *d,
					   unsigned int max)
{
	struct dtls_assoc *assoc = rx->assoc;
	bool steady;

	lockdep_assert_held(&ds->lock);
	/*
	 * The bytes come before the key, as a reference to an epoch must not be
	 * put under a spin lock.
	 */
	steady = rx->rec.epoch && rx->rec.header_len && dtls_admit_steady(rx);
	rx->epoch = steady ? dtls_admit_key(rx) : NULL;
	if (unlikely(!rx->epoch)) {
		/*
		 * A key that is set at the same time is either found now or
		 * newer than @rx->newest, so that route_unopened() in rx.c does
		 * not take the record for one of an old epoch.
		 */
		rx->newest = dtls_assoc_newest_rx(assoc);
		rx->epoch = steady ? dtls_admit_key(rx) : NULL;
	}
	if (!rx->epoch)
		return;

	spin_lock(&assoc->lock);
	if (rx->rec.unified)
		dtls_admit_number(assoc, rx);
	if (max > 1)
		dtls_admit_extend(ds, d, rx, max);
	rx->fresh = dtls_replay_check_run(&rx->epoch->replay, rx->rec.seq,
					  rx->n);
	hlist_add_head(&rx->under_way, &assoc->under_way);
	spin_unlock(&assoc->lock);
}

/*
 * Take the next record of @d into @rx. If @first, the header of a record before it, is
 * given, the next record must have the same type and epoch and no more bytes, and
 * records behind it may come along, up to @max in all. The caller holds
 * dtls_sock.lock. Return false if there is no such record.
 */
static noinline bool dtls_cut_next(struct dtls_sock *ds, struct dtls_dgram *d,
				   struct dtls_run *rx,
				   const struct dtls_record *first,
				   unsigned int max)
{
	u64 serial = d->serial;

	lockdep_assert_held(&ds->lock);
	if (!find_record(ds, d, rx))
		return false;
	if (first && (d->serial != serial || rx->rec.epoch != first->epoch ||
		      rx->rec.type != first->type ||
		      rx->rec.fragment_len > first->fragment_len))
		return false;
	cut_record(ds, d, rx);
	if (max > 1)
		max = min(max, dtls_scratch_places(rx->rec.fragment_len));
	dtls_admit_run(ds, rx, d, max);
	dtls_wait_begin(ds, rx);
	return true;
}

/*
 * Take the next received record of the socket into @rx. One call looks at one
 * datagram at most, so that dtls_sock.lock, which it takes, is not held for long.
 * @budget is the number of datagrams that the caller may still take from UDP.
 *
 * Return: 0, and the caller gives @rx to dtls_rx_open() and dtls_wait_done();
 * -ERESTART if the datagram had no record, and the caller looks for signals and gives
 * the CPU away before it calls again; -EAGAIN if there is no datagram or @budget is
 * used up; or the error that was pending on the socket.
 */
int dtls_intake_next(struct dtls_sock *ds, struct dtls_run *rx,
		     unsigned int *budget)
{
	struct dtls_dgram *d;
	int err = 0;

	spin_lock(&ds->lock);
	d = &ds->kept_dgram;
	if (!d->skb && !list_empty(&ds->pending))
		take_pending(ds, d);
	if (!d->skb)
		d = &ds->current_dgram;
	if (!d->skb)
		err = take_datagram(ds, d, budget);
	if (!err && !dtls_cut_next(ds, d, rx, NULL, 1))
		err = -ERESTART;
	if (unlikely(err && err != -ERESTART))
		dtls_wait_missed(ds);
	spin_unlock(&ds->lock);
	return err;
}

/**
 * dtls_cut_again() - find a record once more, as one of another association
 * @ds:		socket
 * @rx:		a run of one record, which its association did not open
 * @other:	the other association, to which the caller holds a reference
 * @again:	set to the record as a run of @other, without references of its own to
 *		the datagram and to @other
 *
 * Takes dtls_sock.lock. Return: false if the record cannot be of @other. Else the caller
 * opens @again, for which dtls_wait_begin() is not called.
 */
bool dtls_cut_again(struct dtls_sock *ds, const struct dtls_run *rx,
		    struct dtls_assoc *other, struct dtls_run *again)
{
	struct dtls_dgram d = {
		.skb = rx->skb,
		.assoc = other,
		.pos = rx->offset,
		.seg_end = rx->seg_end,
		.end = rx->seg_end,
		.has_cid = rx->has_cid,
	};
	enum dtls_count what;
	bool found;

	spin_lock(&ds->lock);
	found = !parse_record(&d, again, dtls_sock_table(ds), &what) &&
		dtls_run_size(again) == dtls_run_size(rx);
	if (found) {
		again->skb = rx->skb;
		again->assoc = other;
		again->dgram = rx->dgram;
		again->seg_end = rx->seg_end;
		again->offset = rx->offset;
		again->has_cid = d.has_cid;
		again->intact = rx->intact;
		again->foreign = false;
		again->n = 1;
		again->piece = dtls_dgram_peek(&d, dtls_run_size(again));
		again->ours = d.piece_ours;
		dtls_admit_run(ds, again, &d, 1);
	}
	spin_unlock(&ds->lock);
	return found;
}

/*
 * Return the datagram that @rx was cut out of, if there is something left of it, or
 * NULL. The caller holds dtls_sock.lock.
 */
static struct dtls_dgram *rest_of(struct dtls_sock *ds,
				  const struct dtls_run *rx)
{
	lockdep_assert_held(&ds->lock);
	if (ds->current_dgram.skb && ds->current_dgram.serial == rx->dgram)
		return &ds->current_dgram;
	if (ds->kept_dgram.skb && ds->kept_dgram.serial == rx->dgram)
		return &ds->kept_dgram;
	return NULL;
}

/* Drop the bytes of @d from d->pos up to @end. The caller holds dtls_sock.lock. */
static void skip_to(struct dtls_sock *ds, struct dtls_dgram *d,
		    unsigned int end)
{
	lockdep_assert_held(&ds->lock);
	dtls_dgram_skip(d, end - d->pos);
	if (d->pos == d->end)
		dtls_dgram_end(ds, d);
}

/*
 * Make @other, which has opened @rx, the association of @rx and of the rest of its
 * datagram. Takes over a reference to @other, and takes dtls_sock.lock. Return the
 * association that @rx belonged to before, with a reference.
 */
struct dtls_assoc *dtls_rest_reown(struct dtls_sock *ds, struct dtls_run *rx,
				   struct dtls_assoc *other)
{
	struct dtls_assoc *old = rx->assoc;
	struct dtls_dgram *d;

	spin_lock(&ds->lock);
	d = rest_of(ds, rx);
	if (d && d->seg_end == rx->seg_end && d->assoc == old) {
		dtls_dgram_set_owner(ds, d, dtls_assoc_get(other));
		rx->dgram = d->serial;
	}
	rx->assoc = other;
	spin_unlock(&ds->lock);
	return old;
}

/*
 * Count @rx, a record that has no key or is forged, against DTLS_DGRAM_JUNK_MAX of
 * its datagram. A run of several records is not counted, as each of them has a
 * datagram of its own. Takes dtls_sock.lock.
 */
void dtls_rest_junk(struct dtls_sock *ds, const struct dtls_run *rx)
{
	struct dtls_dgram *d;

	if (rx->n > 1)
		return;
	spin_lock(&ds->lock);
	d = rest_of(ds, rx);
	if (d && d->seg_end == rx->seg_end && ++d->junk >= DTLS_DGRAM_JUNK_MAX)
		skip_to(ds, d, d->seg_end);
	spin_unlock(&ds->lock);
}

/*
 * Return true if the UDP checksum of the datagram of @rx is right. Only records that
 * no AEAD verifies need it. If the checksum is right, the datagram remembers that, so
 * that it is computed once; if it is wrong, the rest of the datagram is dropped. The
 * function computes the checksum without a lock, as that takes long for a large
 * datagram, and then takes dtls_sock.lock. So two readers may compute it at the same
 * time, with the same result.
 */
bool dtls_rest_intact(struct dtls_sock *ds, struct dtls_run *rx)
{
	struct dtls_dgram *d;
	bool intact;

	if (rx->intact || skb_csum_unnecessary(rx->skb))
		return true;
	intact = !__skb_checksum_complete(rx->skb);
	rx->intact = intact;
	spin_lock(&ds->lock);
	d = rest_of(ds, rx);
	if (d)
		d->intact = intact;
	if (d && !intact)
		skip_to(ds, d, d->end);
	spin_unlock(&ds->lock);
	if (!intact)
		dtls_udp_count(ds->sk, UDP_MIB_CSUMERRORS);
	return intact;
}

/*
 * Return true if a record that @assoc does not open is tried with another association.
 * Such records come one by one.
 */
static bool may_be_others(const struct dtls_assoc *assoc)
{
	return unlikely(assoc->id) && dtls_table_has_next(assoc);
}

/*
 * Take the records that a reader with UDP_GRO may get together with @first into @rx:
 * those that follow it in the same coalesced datagram, whose serial is @dgram, with no
 * more bytes than @first, up to @max records and as many as a scratch has room for.
 * Takes dtls_sock.lock. Return: false if there are none; else the caller gives @rx to
 * dtls_rx_open() and dtls_wait_done().
 */
bool dtls_intake_coalesced(struct dtls_sock *ds, u64 dgram,
			   const struct dtls_record *first, struct dtls_run *rx,
			   unsigned int max)
{
	struct dtls_dgram *d = &ds->current_dgram;
	bool found = false;

	if (!READ_ONCE(d->skb))
		return false;
	spin_lock(&ds->lock);
	if (d->skb && d->serial == dgram && !may_be_others(d->assoc))
		found = dtls_cut_next(ds, d, rx, first, max);
	spin_unlock(&ds->lock);
	return found;
}

/* Let @d be of dtls_sock.assoc if it is of the association that was there before. */
static void adopt_datagram(struct dtls_sock *ds, struct dtls_dgram *d)
{
	if (d->skb && d->assoc == ds->former)
		dtls_dgram_set_owner(ds, d, dtls_assoc_get(ds->assoc));
}

/*
 * Let the datagrams that are being cut be of dtls_sock.assoc, which was just peeled off.
 * The caller holds dtls_sock.lock.
 */
void dtls_rest_adopt(struct dtls_sock *ds)
{
	lockdep_assert_held(&ds->lock);
	adopt_datagram(ds, &ds->current_dgram);
	adopt_datagram(ds, &ds->kept_dgram);
}

/* Drop the rest of @d if @d belongs to @assoc. */
static void forget_datagram(struct dtls_sock *ds, struct dtls_dgram *d,
			    const struct dtls_assoc *assoc)
{
	if (d->skb && d->assoc == assoc)
		dtls_dgram_end(ds, d);
}

/*
 * Drop the rest of each datagram that belongs to @assoc, which no look-up of the table
 * finds any more. The caller holds dtls_sock.lock, a spin lock, and a reference to
 * @assoc, so that none of the references put here is the last one.
 */
void dtls_rest_forget(struct dtls_sock *ds, const struct dtls_assoc *assoc)
{
	lockdep_assert_held(&ds->lock);
	forget_datagram(ds, &ds->current_dgram, assoc);
	forget_datagram(ds, &ds->kept_dgram, assoc);
}

/*
 * Call dtls_rest_forget() for @assoc, which another socket has peeled off. Takes
 * dtls_sock.lock.
 */
void dtls_rest_leave(struct dtls_sock *ds, const struct dtls_assoc *assoc)
{
	spin_lock(&ds->lock);
	dtls_rest_forget(ds, assoc);
	spin_unlock(&ds->lock);
}

static void purge_datagram(struct dtls_dgram *d)
{
	if (!d->skb)
		return;
	consume_skb(d->skb);
	dtls_assoc_put(d->assoc);
}

/*
 * Drop all datagrams and messages of the socket. dtls_close() calls this when no
 * other call is on the socket, so no lock is needed.
 */
void dtls_intake_purge(struct dtls_sock *ds)
{
	purge_datagram(&ds->current_dgram);
	purge_datagram(&ds->kept_dgram);
	dtls_msg_purge(ds, &ds->pending);
	dtls_msg_purge(ds, &ds->early);
	dtls_msg_purge(ds, &ds->ready);
	dtls_msg_purge(ds, &ds->control);
}
