// SPDX-License-Identifier: GPL-2.0
/*
 * How records come out of datagrams. In the order of the calls:
 *
 *   take_datagram()	takes a datagram from UDP's queue
 *   sort_datagram()	finds its association on a socket with many
 *   find_record()	finds the next record in the datagram
 *   cut_record()	takes the record, and charges what is left
 *   admit_run()	copies what others may write to, looks for the key, and
 *			holds the record against the replay window
 *   dtls_rx_open()	in rx.c, decides what becomes of the record
 *
 * The first five functions run in the reader's context under the lock of struct
 * dtls_sock, so that records keep the order of their arrival.
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
 * The records of a run are the bits of dtls_run.fresh, and one call of replay.h
 * takes all of them.
 */
static_assert(DTLS_RUN_MAX <= DTLS_REPLAY_RUN_MAX &&
	      DTLS_RUN_MAX <= BITS_PER_BYTE * sizeof_field(struct dtls_run, fresh));
/*
 * A record with a sample is as long as what dtls_record_unsized() reads of it.
 */
static_assert(DTLS_SAMPLE_SIZE >= DTLS12_HEADER_SIZE);

/*
 * Begin with the datagram that starts at d->pos, the next one in a coalesced
 * skb.
 */
static void next_segment(struct dtls_dgram *d)
{
	d->has_cid = false;
	d->begun = false;
	d->junk = 0;
	d->seg_end = d->pos + min(d->end - d->pos, d->seg_len);
}

/*
 * Find the piece of memory that byte d->pos of the datagram lies in. Linear
 * memory of an skb belongs to the kernel alone, and so do pages that the sender
 * half of this module marked. Other pages may belong to a file that was sent by
 * reference, or to an AF_PACKET ring, and no flag tells (SKBFL_SHARED_FRAG is
 * not set for the ring).
 */
static noinline void find_piece(struct dtls_dgram *d)
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

/* Return the @len bytes at d->pos where they lie, or NULL if in pieces. */
static const u8 *peek_bytes(struct dtls_dgram *d, unsigned int len)
{
	if (d->pos >= d->piece_end)
		find_piece(d);
	if (!d->piece || d->pos + len > d->piece_end || d->pos < d->piece_start)
		return NULL;
	return d->piece + d->pos - d->piece_start;
}

/*
 * Return @len bytes at d->pos, a header and what may follow it, in memory that
 * nobody else writes to, or NULL. Bytes that others may write to are read once,
 * and their copy in @rx->header is what the parser sees.
 */
static __always_inline const u8 *peek_header(struct dtls_dgram *d,
					     struct dtls_run *rx,
					     unsigned int len)
{
	const u8 *p = peek_bytes(d, len);

	if (p && d->piece_ours)
		return p;
	if (p)
		return memcpy(rx->header, p, len);
	return skb_copy_bits(d->skb, d->pos, rx->header, len) ? NULL :
								rx->header;
}

/*
 * Let @d be cut from @skb, a datagram of @assoc, and take over a reference to
 * each.
 */
static void begin_datagram(struct dtls_sock *ds, struct dtls_dgram *d,
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
	next_segment(d);
}

/*
 * Let go of the skb and the association of @d, which is used up. Runs may still
 * hold them.
 */
static void end_datagram(struct dtls_sock *ds, struct dtls_dgram *d)
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
 * Take the next datagram from UDP's queue. @budget is how many more the caller
 * may take. Return: 0, -EAGAIN, or an error that was waiting on the socket.
 */
static int take_datagram(struct dtls_sock *ds, struct dtls_dgram *d,
			 unsigned int *budget)
{
	struct sk_buff *skb;
	int off = 0, err;

	lockdep_assert_held(&ds->lock);
	/*
	 * With an empty queue __skb_recv_udp() would busy-poll, which sleeps.
	 */
	if (!*budget || !dtls_wait_udp_unread(ds->sk))
		return -EAGAIN;
	--*budget;

	/* UDP is never asked to peek or to wait: recvmsg.c does both itself. */
	skb = __skb_recv_udp(ds->sk, MSG_DONTWAIT, &off, &err);
	if (!skb)
		return err;
	dtls_udp_count(ds->sk, UDP_MIB_INDATAGRAMS);
	skb->dev = NULL;	/* UDP kept its scratch in skb->dev */
	begin_datagram(ds, d, skb, dtls_assoc_get(ds->assoc));
	if (!d->end)
		dtls_stats_count(ds, d->assoc, DTLS_COUNT_RX_MALFORMED);
	return 0;
}

/*
 * Take the oldest message of dtls_sock.pending, which is not empty, as a
 * datagram.
 */
static void take_pending(struct dtls_sock *ds, struct dtls_dgram *d)
{
	struct dtls_msg *m = dtls_early_take(ds);

	begin_datagram(ds, d, m->skb, m->assoc);
	d->has_cid = m->has_cid;
	d->begun = true;
}

/*
 * A header does not tell how long its connection ID is. The length comes with
 * the first read key (DTLS 1.3: with the first one after the key of early
 * data). Until then the end of the header cannot be found, so the rest of the
 * datagram is kept as one record.
 *
 * The same holds for an association without connection IDs whose peer begins
 * anew with one: a record that may be of the new handshake is shown to the
 * library, with the rest of its datagram.
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
 * Find the epoch that a unified header means. Return false if the record is too
 * short for its number to be unmasked (RFC 9147 4.2.3).
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
 * Return true if the record just found may belong to this association, whose peer
 * was given connection IDs of @cid_len bytes. Once agreed on, a connection ID is in
 * each datagram, and records behind it without one belong to the same association
 * (RFC 9147 4). A record that may belong to a handshake that begins anew is let
 * through without one.
 */
static bool find_cid(const struct dtls_assoc *assoc, struct dtls_dgram *d,
		     const struct dtls_record *rec, unsigned int cid_len)
{
	if (rec->cid_len)
		d->has_cid = dtls_assoc_knows_cid(assoc, rec);
	else if (!rec->unified || rec->epoch == DTLS13_EPOCH_EARLY)
		return true;
	return d->has_cid || !(cid_len | rec->cid_len) ||
	       dtls_may_be_handshake(rec);
}

/* Go on behind the next @len bytes of @d. */
static void skip_bytes(struct dtls_dgram *d, unsigned int len)
{
	d->pos += len;
	if (d->pos == d->seg_end)
		next_segment(d);
}

/*
 * So many records of one datagram may be malformed, forged, or without a key.
 * An honest sender makes fewer, so the rest of such a datagram is dropped.
 */
#define JUNK_MAX	8

/* Drop the next @len bytes of @d, which are counted as @what. */
static void skip_junk(struct dtls_sock *ds, struct dtls_dgram *d,
		      unsigned int len, enum dtls_count what)
{
	dtls_stats_count(ds, d->assoc, what);
	if (++d->junk >= JUNK_MAX)
		len = d->seg_end - d->pos;
	skip_bytes(d, len);
}

/*
 * Let @d, from d->pos on, be of @assoc, and take over its reference. What different
 * associations have of a coalesced datagram does not go to a reader together. A
 * deleted association lies in no datagram, so no reference that is put is the last.
 */
static void set_owner(struct dtls_sock *ds, struct dtls_dgram *d,
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
 * of its first record if that has one, else by its addresses. All records in the
 * datagram are held against that association alone. A datagram that belongs to none
 * is nobody's, dtls_sock.assoc.
 */
static noinline void sort_datagram(struct dtls_sock *ds,
				   struct dtls_table *table,
				   struct dtls_dgram *d, struct dtls_run *rx)
{
	unsigned int cid_len = table->cid_len, len = d->seg_end - d->pos;
	unsigned int head = min(len, DTLS12_HEADER_SIZE + cid_len);
	const u8 *p = peek_header(d, rx, head);
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
	set_owner(ds, d, assoc ?: dtls_assoc_get(ds->assoc));
}

/*
 * Make @rx the whole datagram at d->pos, which is nobody's: the header tells what
 * its first record is. Return false if it is no record that a stranger may send.
 */
static bool find_stranger(struct dtls_dgram *d, struct dtls_run *rx,
			  unsigned int cid_len)
{
	unsigned int len = d->seg_end - d->pos;
	unsigned int head = min(len, DTLS12_HEADER_SIZE + cid_len);
	const u8 *p = peek_header(d, rx, head);
	struct dtls_record *rec = &rx->rec;

	if (!p)
		return false;
	if (dtls_record_parse(rec, p, head, len, cid_len) &&
	    (cid_len || !dtls_record_unsized(rec, p, len)))
		return false;
	/* Data is never in the clear. */
	if (!rec->epoch && (rec->type == DTLS_CT_APPLICATION_DATA ||
			    rec->type == DTLS_CT_TLS12_CID))
		return false;
	rec->header_len = 0;
	rec->fragment_len = len;
	return true;
}

/*
 * Find the next record at d->pos, or skip what is none. Return true if @rx has a
 * record.
 */
static bool find_next(struct dtls_sock *ds, struct dtls_dgram *d,
		      struct dtls_run *rx, const struct dtls_table *table)
{
	struct dtls_assoc *assoc = d->assoc;
	unsigned int own_len = READ_ONCE(assoc->rx_cid_len);
	unsigned int cid_len = unlikely(table) ? table->cid_len : own_len;
	unsigned int len = d->seg_end - d->pos;
	unsigned int head = min(len, DTLS12_HEADER_SIZE + cid_len);
	const u8 *p = peek_header(d, rx, head);
	unsigned int size;

	rx->wire[0] = p;
	if (p && dtls_is_unified(p[0]) &&
	    dtls_assoc_version(assoc) == DTLS_VERSION_1_2 &&
	    (p[0] & DTLS_UNIFIED_EPOCH) != DTLS13_EPOCH_HANDSHAKE)
		p = NULL;
	if (p && !dtls_record_parse(&rx->rec, p, head, len, cid_len)) {
		size = rx->rec.header_len + rx->rec.fragment_len;
		if (!find_epoch(assoc, rx)) {
			skip_junk(ds, d, size, DTLS_COUNT_RX_MALFORMED);
			return false;
		}
		if (find_cid(assoc, d, &rx->rec, own_len))
			return true;
		/*
		 * What follows in this datagram belongs to another association
		 * (RFC 9147 4).
		 */
		if (rx->rec.unified && rx->rec.cid_len)
			size = len;
		skip_junk(ds, d, size, DTLS_COUNT_RX_NO_KEY);
		return false;
	}
	if (p && !cid_len && find_unsized(assoc, rx, p, len))
		return true;
	/* The beginning of the next record cannot be found. */
	skip_junk(ds, d, len, DTLS_COUNT_RX_MALFORMED);
	return false;
}

/*
 * Look at the datagram at d->pos as a whole: at whose it is, and whether it is DTLS
 * at all. Return true if @rx is a datagram of another protocol, which the user wants
 * to read. By their first byte RFC 7983 tells protocols apart that share a port.
 */
static noinline bool begin_whole(struct dtls_sock *ds, struct dtls_table *table,
				 struct dtls_dgram *d, struct dtls_run *rx)
{
	const u8 *p;

	d->begun = true;
	if (table)
		sort_datagram(ds, table, d, rx);
	p = READ_ONCE(ds->pass) ? peek_header(d, rx, 1) : NULL;
	if (!p || dtls_is_dtls(*p))
		return false;
	rx->rec = (struct dtls_record) {
		.fragment_len = d->seg_end - d->pos,
	};
	return true;
}

/* Find the next record in @d. Return false if @d is used up. */
static bool find_record(struct dtls_sock *ds, struct dtls_dgram *d,
			struct dtls_run *rx)
{
	struct dtls_table *table = dtls_sock_table(ds);

	lockdep_assert_held(&ds->lock);
	while (d->pos < d->end) {
		rx->foreign = unlikely(table || READ_ONCE(ds->pass)) &&
			      !d->begun && begin_whole(ds, table, d, rx);
		if (unlikely(rx->foreign))
			return true;
		if (likely(!table) || d->assoc != ds->assoc) {
			if (find_next(ds, d, rx, table))
				return true;
			continue;
		}
		if (find_stranger(d, rx, table->cid_len))
			return true;
		skip_junk(ds, d, d->seg_end - d->pos, DTLS_COUNT_RX_MALFORMED);
	}
	end_datagram(ds, d);
	return false;
}

/*
 * Take the record just found out of @d. The rest of the datagram is charged to
 * the socket, and dropped if it cannot be.
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
	rx->piece = peek_bytes(d, len);
	rx->ours = d->piece_ours;
	skip_bytes(d, len);

	if (d->pos < d->end) {
		skb_get(d->skb);
		dtls_assoc_get(d->assoc);
		/*
		 * The first cut that leaves a rest charges the datagram; later
		 * cuts do not charge it again.
		 */
		if (held || dtls_msg_hold(ds, d->skb, DTLS_CHARGE_RECEIVED))
			return;
		dtls_stats_count(ds, d->assoc, DTLS_COUNT_RX_NO_BUDGET);
		end_datagram(ds, d);
	} else {
		/* The datagram is used up: the run gets the references. */
		WRITE_ONCE(d->skb, NULL);
	}
}

/*
 * Copy @len bytes at @offset of @rx->skb to @to. @piece is where they lie, or
 * NULL if they lie in several pieces.
 */
static bool copy_bytes(const struct dtls_run *rx, const u8 *piece,
		       unsigned int offset, unsigned int len, u8 *to)
{
	if (!piece)
		return !skb_copy_bits(rx->skb, offset, to, len);
	memcpy(to, piece, len);
	return true;
}

/*
 * Return the record of @len bytes at d->pos in one piece that nobody else
 * writes to, or NULL. A cipher reads ciphertext twice, and the bytes verified
 * must be the bytes decrypted. So bytes that somebody else may write to are
 * copied.
 */
static const u8 *steady_record(struct dtls_run *rx, struct dtls_dgram *d,
			       unsigned int len)
{
	unsigned int place = dtls_scratch_place(rx->used, len);
	const u8 *piece = peek_bytes(d, len);

	if (piece && d->piece_ours)
		return piece;
	if (place + len > DTLS_SCRATCH_ROOM ||
	    !copy_bytes(rx, piece, d->pos, len, rx->room + place))
		return NULL;
	rx->used = place + len;
	return rx->room + place;
}

/*
 * Make the first record of @rx steady in the same way. Its header was read
 * already, to @rx->wire[0]. Where others may write to the header, it must not
 * be read a second time.
 */
static bool steady_first(struct dtls_run *rx)
{
	unsigned int head = rx->rec.header_len, size = dtls_run_size(rx);
	const u8 *piece = rx->piece;

	rx->used = 0;
	if (likely(piece && rx->ours))
		return true;
	if (size > DTLS_SCRATCH_ROOM ||
	    !copy_bytes(rx, piece ? piece + head : NULL, rx->offset + head,
			size - head, rx->room + head))
		return false;
	memcpy(rx->room, rx->wire[0], head);
	rx->wire[0] = rx->room;
	rx->used = size;
	return true;
}

/*
 * Unmask the number in a unified header, and find all bits of it (RFC 9147
 * 4.2.2). Other readers move the window that the number is found by, so the
 * association's lock is held.
 */
static noinline void find_number(struct dtls_assoc *assoc, struct dtls_run *rx)
{
	struct dtls_epoch *epoch = rx->epoch;
	u8 mask[DTLS_SAMPLE_SIZE];

	lockdep_assert_held(&assoc->lock);
	dtls_mask_make(&epoch->key.mask, rx->wire[0] + rx->rec.header_len,
		       mask);
	dtls_record_resolve(&rx->rec, mask, epoch->number, epoch->replay.next);
}

/* Return true if the record at @p, of the same size, is the @n-th of @rx. */
static bool follows_run(const struct dtls_run *rx, unsigned int n, const u8 *p)
{
	u8 mask[DTLS_SAMPLE_SIZE];

	if (!rx->rec.unified)
		return dtls_record_follows(&rx->rec, n, p);
	dtls_mask_make(&rx->epoch->key.mask, p + rx->rec.header_len, mask);
	return dtls_record_follows_unified(&rx->rec, n, p, mask);
}

/*
 * Add to @rx the records that follow in @d, each in a datagram of its own,
 * until there are @max. Most coalesced datagrams are one such run. The caller
 * holds the association's lock.
 */
static noinline void extend_run(struct dtls_sock *ds, struct dtls_dgram *d,
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
	next_segment(d);
	if (d->pos == d->end)
		end_datagram(ds, d);
}

/*
 * Return the epoch whose key may open @rx, with a reference, or NULL. The key's
 * version comes before the key, so a key that is found has the version.
 */
static __always_inline struct dtls_epoch *find_key(struct dtls_run *rx)
{
	struct dtls_epoch *epoch;

	if (!rx->rec.epoch || !rx->rec.header_len)
		return NULL;
	epoch = dtls_assoc_rx(rx->assoc, rx->rec.epoch);
	if (!epoch || likely(dtls_is_13(epoch->key.version) == !!rx->rec.unified))
		return epoch;
	dtls_epoch_put(epoch);
	return NULL;
}

/*
 * Look once more for the key of @rx. A key that is set in the meantime is found
 * now, or is newer than @rx->newest.
 */
static noinline struct dtls_epoch *find_key_again(struct dtls_run *rx)
{
	rx->newest = dtls_assoc_newest_rx(rx->assoc);
	return find_key(rx);
}

/*
 * Hold @rx against the replay window if there is a key for it and its header
 * was read to the end. Records that follow in @d come with it, up to @max in
 * all. From here to settle_run() they are under way: if another reader moves
 * the window past them in the meantime, they are still accepted.
 */
static void admit_run(struct dtls_sock *ds, struct dtls_run *rx,
		      struct dtls_dgram *d, unsigned int max)
{
	struct dtls_assoc *assoc = rx->assoc;

	lockdep_assert_held(&ds->lock);
	rx->epoch = find_key(rx);
	if (unlikely(!rx->epoch))
		rx->epoch = find_key_again(rx);
	if (rx->epoch && unlikely(!steady_first(rx))) {
		dtls_epoch_put(rx->epoch);
		rx->epoch = NULL;
		rx->newest = dtls_assoc_newest_rx(assoc);
	}
	if (!rx->epoch)
		return;

	spin_lock(&assoc->lock);
	if (rx->rec.unified)
		find_number(assoc, rx);
	if (max > 1)
		extend_run(ds, d, rx, max);
	rx->fresh = dtls_replay_check_run(&rx->epoch->replay, rx->rec.seq,
					  rx->n);
	hlist_add_head(&rx->under_way, &assoc->under_way);
	spin_unlock(&assoc->lock);
}

/*
 * take_record() takes the next record of @d into @rx. With @first, a record
 * before it, the next record must be of the same kind and of the same size or
 * less; @rx is then a run of @max records at most. Return: false if there is
 * no such record.
 */
static noinline bool take_record(struct dtls_sock *ds, struct dtls_dgram *d,
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
	admit_run(ds, rx, d, max);
	dtls_wait_begin(ds, rx);
	return true;
}

/*
 * Find the next record received, in one datagram at most, so that the lock is
 * not held for long. Return: 0, and @rx is to be given to dtls_rx_open() and
 * dtls_wait_done(); -ERESTART if the datagram had none: the caller looks for
 * signals and gives the CPU away before the next call; or an error of
 * take_datagram().
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
	if (!err && !take_record(ds, d, rx, NULL, 1))
		err = -ERESTART;
	if (unlikely(err && err != -ERESTART))
		dtls_wait_missed(ds);
	spin_unlock(&ds->lock);
	return err;
}

/* Return what is left of the datagram that @rx came in, or NULL. */
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

/* Drop what is left of @d up to @end. */
static void skip_to(struct dtls_sock *ds, struct dtls_dgram *d,
		    unsigned int end)
{
	lockdep_assert_held(&ds->lock);
	skip_bytes(d, end - d->pos);
	if (d->pos == d->end)
		end_datagram(ds, d);
}

/*
 * Count @rx, a record that has no key or is forged, against JUNK_MAX of its
 * datagram. The records of a longer run have a datagram each.
 */
void dtls_intake_junk(struct dtls_sock *ds, const struct dtls_run *rx)
{
	struct dtls_dgram *d;

	if (rx->n > 1)
		return;
	spin_lock(&ds->lock);
	d = rest_of(ds, rx);
	if (d && d->seg_end == rx->seg_end && ++d->junk >= JUNK_MAX)
		skip_to(ds, d, d->seg_end);
	spin_unlock(&ds->lock);
}

/*
 * Return true if the UDP checksum of the datagram of @rx is right. Records that
 * an AEAD verifies do not need it. The checksum is computed once a datagram: if
 * it is right, the datagram remembers that, else the rest of the datagram is
 * dropped. No lock is held while it is computed, as that takes long for a large
 * datagram; so another reader may compute it at the same time.
 */
bool dtls_intake_intact(struct dtls_sock *ds, struct dtls_run *rx)
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
 * Find the run of records after @first, in the same coalesced datagram @dgram,
 * that a reader with UDP_GRO may get together with it: they are of the same
 * size or less, @max at most, and no more than a scratch has room for. Return:
 * false if there is none; else @rx is to be given to dtls_rx_open() and
 * dtls_wait_done().
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
	if (d->skb && d->serial == dgram)
		found = take_record(ds, d, rx, first, max);
	spin_unlock(&ds->lock);
	return found;
}

/* Drop the datagram that is being cut if it is of @assoc, which is dead. */
static void forget_datagram(struct dtls_sock *ds, struct dtls_dgram *d,
			    const struct dtls_assoc *assoc)
{
	if (d->skb && d->assoc == assoc)
		end_datagram(ds, d);
}

/*
 * Let nothing of @assoc, which is dead, be cut any more. The socket's spin lock is
 * held.
 */
void dtls_intake_forget(struct dtls_sock *ds, const struct dtls_assoc *assoc)
{
	lockdep_assert_held(&ds->lock);
	forget_datagram(ds, &ds->current_dgram, assoc);
	forget_datagram(ds, &ds->kept_dgram, assoc);
}

static void purge_datagram(struct dtls_dgram *d)
{
	if (!d->skb)
		return;
	consume_skb(d->skb);
	dtls_assoc_put(d->assoc);
}

/*
 * Drop what the socket holds. close() calls this, when no other call is left.
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
