// SPDX-License-Identifier: GPL-2.0
/*
 * A datagram's way to the reader, top to bottom:
 *
 *   take_datagram()	from UDP's own queue
 *   cut_record()	one record out of it
 *   admit()		the replay window is held against it
 *   dtls_rx_open()	by its epoch: open it, keep it for a key to come, or
 *			drop it
 *   dtls_recvmsg()	in recv.c, to the user
 *
 * All of it runs in the reader's context, and several readers may be in it at
 * once. Intake, the first three, is under struct dtls_sock's lock and keeps the
 * order of arrival; crypto and the copy to the user are under none.
 *
 * What cannot be delivered is dropped without a word and counted. It harms
 * neither association nor socket: anybody can send it (RFC 6347 4.1.2.7).
 */
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/udp.h>

#include "compat.h"
#include "dtls.h"
#include "trace.h"

/* RFC 8446 6 */
#define ALERT_CLOSE_NOTIFY	0
#define ALERT_USER_CANCELED	90

void dtls_count(struct dtls_sock *ds, enum dtls_count what)
{
	static const u8 stat[DTLS_COUNT_MAX] = {
		[DTLS_COUNT_RX_REPLAYS] = DTLS_STAT_RX_REPLAYS,
		[DTLS_COUNT_RX_AUTH_FAILED] = DTLS_STAT_RX_AUTH_FAILED,
		[DTLS_COUNT_RX_NO_KEY] = DTLS_STAT_RX_NO_KEY,
		[DTLS_COUNT_RX_MALFORMED] = DTLS_STAT_RX_MALFORMED,
		[DTLS_COUNT_RX_OVERSIZE] = DTLS_STAT_RX_OVERSIZE,
		[DTLS_COUNT_RX_EMPTY] = DTLS_STAT_RX_EMPTY,
		[DTLS_COUNT_RX_CONTROL] = DTLS_STAT_RX_CONTROL,
		[DTLS_COUNT_RX_NO_BUDGET] = DTLS_STAT_RX_NO_BUDGET,
	};
	struct dtls_assoc *assoc = dtls_sock_assoc(ds);

	dtls_stat_inc(sock_net(ds->sk), stat[what]);
	if (assoc)
		atomic64_inc(&assoc->count[what]);
	if (what != DTLS_COUNT_RX_CONTROL)
		trace_dtls_drop(ds->sk, what);
}

/* Wake whoever waits, for whatever; each looks for himself what there is. */
void dtls_rx_wake(struct sock *sk)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_all(&wq->wait);
	sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
	rcu_read_unlock();
}

/* Is there anything received that nobody looked at? */
bool dtls_rx_unread(struct dtls_sock *ds)
{
	struct sock *sk = ds->sk;

	return READ_ONCE(ds->current_dgram.skb) || !list_empty(&ds->pending) ||
	       !skb_queue_empty_lockless(&sk->sk_receive_queue) ||
	       !skb_queue_empty_lockless(&udp_sk(sk)->reader_queue);
}

/* A datagram wakes one waiting reader: pass on what he leaves behind. */
void dtls_rx_wake_next(struct dtls_sock *ds)
{
	if (list_empty(&ds->ready) && !dtls_rx_unread(ds))
		return;
	smp_mb();	/* pairs with prepare_to_wait in wait_for_more() */
	if (atomic_read(&ds->waiting))
		wake_up_interruptible(sk_sleep(ds->sk));
}

/* ---- datagrams ---- */

static void next_segment(struct dtls_dgram *d)
{
	unsigned int size = skb_shinfo(d->skb)->gso_size;

	d->seg_end = d->end;
	if (skb_is_gso(d->skb) && d->end - d->pos > size)
		d->seg_end = d->pos + size;
}

/* Find the piece of memory that byte d->pos of the datagram lies in. */
static void find_flat(struct dtls_dgram *d)
{
	const struct skb_shared_info *shinfo = skb_shinfo(d->skb);

	if (!d->flat_end) {
		d->flat = d->skb->data;
		d->flat_start = 0;
		d->flat_end = skb_headlen(d->skb);
		d->flat_next = 0;
	}
	while (d->pos >= d->flat_end && d->flat_next < shinfo->nr_frags) {
		const skb_frag_t *frag = &shinfo->frags[d->flat_next++];
		struct page *page = skb_frag_page(frag);

		d->flat_start = d->flat_end;
		d->flat_end += skb_frag_size(frag);
		d->flat = page && !PageHighMem(page) ? skb_frag_address(frag) :
						       NULL;
	}
}

/* @len bytes of the datagram at d->pos if they lie in one piece, or NULL */
static const u8 *peek(struct dtls_dgram *d, unsigned int len)
{
	if (d->pos >= d->flat_end)
		find_flat(d);
	if (!d->flat || d->pos + len > d->flat_end || d->pos < d->flat_start)
		return NULL;
	return d->flat + d->pos - d->flat_start;
}

/* @d is used up; its skb may be in other hands by now. */
static void end_datagram(struct dtls_sock *ds, struct dtls_dgram *d)
{
	dtls_uncharge(ds, d->charge);
	d->charge = 0;
	consume_skb(d->skb);
	WRITE_ONCE(d->skb, NULL);
}

/*
 * The next datagram that UDP has, or an error: -EAGAIN, or one that was
 * waiting on the socket. @budget: datagrams the caller may still take.
 */
static int take_datagram(struct dtls_sock *ds, struct dtls_dgram *d,
			 unsigned int *budget)
{
	struct sk_buff *skb;
	int off = 0, err;

	if (!*budget)
		return -EAGAIN;
	--*budget;

	/* Never with MSG_PEEK, never waiting: see recv.c. */
	skb = __skb_recv_udp(ds->sk, MSG_DONTWAIT, &off, &err);
	if (!skb)
		return err;
	dtls_udp_count_in(ds->sk);
	skb->dev = NULL;	/* UDP kept its scratch there */
	d->pos = 0;
	d->end = skb->len;
	d->flat_end = 0;
	WRITE_ONCE(d->skb, skb);
	next_segment(d);
	if (!d->end)
		dtls_count(ds, DTLS_COUNT_RX_MALFORMED);
	return 0;
}

/*
 * How long connection IDs are comes with the first read key, in DTLS 1.3 with
 * the first but that of early data. Until then the rest of the datagram is one
 * record that waits for it.
 */
static bool find_unsized(struct dtls_rx *rx, const u8 *p, unsigned int len)
{
	if (len < DTLS_SAMPLE_SIZE)
		return false;
	if (dtls_is_unified(p[0]) && p[0] & DTLS_UNIFIED_CID &&
	    rx->newest <= DTLS13_EPOCH_EARLY) {
		rx->rec = (struct dtls_record) {
			.unified = p[0],
			.fragment_len = len,
		};
		rx->rec.epoch = dtls_record_epoch(&rx->rec, rx->newest);
		return true;
	}
	if (p[0] != DTLS_CT_TLS12_CID || rx->newest)
		return false;
	rx->rec = (struct dtls_record) {
		.type = DTLS_CT_TLS12_CID,
		.epoch = dtls_get_be(p + 3, 2),
		.fragment_len = len,
	};
	return true;
}

/* What dtls_record_parse() left open of a unified header, but the number */
static bool find_epoch(struct dtls_rx *rx)
{
	if (!rx->rec.unified)
		return true;
	rx->rec.epoch = dtls_record_epoch(&rx->rec, rx->newest);
	return rx->rec.fragment_len >= DTLS_SAMPLE_SIZE;
}

static void skip(struct dtls_dgram *d, unsigned int len)
{
	d->pos += len;
	if (d->pos == d->seg_end)
		next_segment(d);
}

/*
 * Find the next record in @d, where rx->newest says which keys there are.
 * False: nothing sensible was left in it.
 */
static bool find_record(struct dtls_sock *ds, struct dtls_dgram *d,
			struct dtls_rx *rx)
{
	struct dtls_assoc *assoc = dtls_sock_assoc(ds);
	unsigned int cid_len = assoc ? READ_ONCE(assoc->rx_cid_len) : 0;
	bool v12 = assoc && !dtls_is_13(assoc->version);

	while (d->pos < d->end) {
		unsigned int len = d->seg_end - d->pos;
		unsigned int head = min(len, DTLS12_HEADER_SIZE + cid_len);
		const u8 *p = peek(d, head);

		if (!p)
			p = skb_header_pointer(d->skb, d->pos, head,
					       rx->header);
		if (p && v12 && dtls_is_unified(p[0]))
			p = NULL;
		if (p && !dtls_record_parse(&rx->rec, p, head, len, cid_len)) {
			if (find_epoch(rx))
				return true;
			dtls_count(ds, DTLS_COUNT_RX_MALFORMED);
			skip(d, rx->rec.header_len + rx->rec.fragment_len);
			continue;
		}
		if (p && !cid_len && find_unsized(rx, p, len))
			return true;
		/* Where in this datagram another starts cannot be told. */
		dtls_count(ds, DTLS_COUNT_RX_MALFORMED);
		skip(d, len);
	}
	end_datagram(ds, d);
	return false;
}

/* Take the record just found; @borrow: the skb does not go away anyway. */
static void cut_record(struct dtls_sock *ds, struct dtls_dgram *d,
		       struct dtls_rx *rx, bool borrow)
{
	unsigned int len = rx->rec.header_len + rx->rec.fragment_len;

	rx->skb = d->skb;
	rx->offset = d->pos;
	rx->flat = peek(d, len);
	skip(d, len);

	if (d->pos == d->end) {
		if (!borrow)
			d->skb = NULL;	/* ours was the last part of it */
		end_datagram(ds, d);
		return;
	}
	if (!borrow)
		skb_get(d->skb);
	if (!d->charge)
		d->charge = dtls_charge(ds, d->skb->truesize);
}

/* The number of a record with a unified header, in the place of its last bits */
static void find_number(struct dtls_epoch *epoch, struct dtls_rx *rx)
{
	u8 sample[DTLS_SAMPLE_SIZE] = {}, mask[DTLS_SAMPLE_SIZE];
	const u8 *fragment = sample;

	if (rx->flat)
		fragment = rx->flat + rx->rec.header_len;
	else
		skb_copy_bits(rx->skb, rx->offset + rx->rec.header_len, sample,
			      sizeof(sample));
	dtls_mask_make(&epoch->key.mask, fragment, mask);
	dtls_record_resolve(&rx->rec, mask, epoch->number, epoch->replay.next);
}

/*
 * Hold the replay window against @n records of one epoch in the order of
 * arrival. From here to dtls_rx_open() they are under way: the other readers
 * may move the window past them in the meantime, and they are no replays for
 * that.
 */
static void admit(struct dtls_sock *ds, struct dtls_rx *rx, unsigned int n)
{
	struct dtls_assoc *assoc = dtls_sock_assoc(ds);
	unsigned int i;

	rx->n = n;
	rx->epoch = NULL;
	if (assoc && rx->rec.epoch &&
	    !!rx->rec.unified == dtls_is_13(assoc->version))
		rx->epoch = dtls_assoc_rx(assoc, rx->rec.epoch);
	if (!rx->epoch)
		return;

	spin_lock(&assoc->lock);
	for (i = 0; i < n; i++) {
		if (rx[i].rec.unified)
			find_number(rx->epoch, &rx[i]);
		rx[i].fresh = dtls_replay_check(&rx->epoch->replay,
						rx[i].rec.seq);
	}
	list_add(&rx->under_way, &assoc->under_way);
	spin_unlock(&assoc->lock);
}

static u64 newest_rx(struct dtls_sock *ds)
{
	struct dtls_assoc *assoc = dtls_sock_assoc(ds);

	return assoc ? dtls_assoc_newest_rx(assoc) : 0;
}

/*
 * The next record received: 0, or an error as of take_datagram(). The caller
 * has to give it to dtls_rx_open() and to free its skb.
 */
int dtls_rx_next(struct dtls_sock *ds, struct dtls_rx *rx, unsigned int *budget)
{
	struct dtls_dgram *d;
	int err = 0;
	bool found;

	spin_lock(&ds->lock);
	rx->newest = newest_rx(ds);
	do {
		d = list_first_entry_or_null(&ds->pending, struct dtls_dgram,
					     list);
		if (!d)
			d = &ds->current_dgram;
		if (!d->skb)
			err = take_datagram(ds, d, budget);
		if (err)
			break;
		found = find_record(ds, d, rx);
		if (found)
			cut_record(ds, d, rx, false);
		if (!d->skb && d != &ds->current_dgram) {
			list_del(&d->list);
			kfree(d);
		}
	} while (!found);
	if (!err)
		admit(ds, rx, 1);
	spin_unlock(&ds->lock);
	return err;
}

/*
 * The records after @first in the same coalesced datagram, @max at most, that
 * may follow it to a reader that asked for UDP_GRO: of the same size or, as the
 * last, less; and no more than there is room for in a scratch. They borrow
 * @first's skb. Returns how many; then give @rx to dtls_rx_open().
 */
unsigned int dtls_rx_coalesced(struct dtls_sock *ds,
			       const struct dtls_rx *first,
			       struct dtls_rx *rx, unsigned int max)
{
	unsigned int len = first->rec.fragment_len, end = 0, n = 0;
	struct dtls_dgram *d = &ds->current_dgram;

	if (READ_ONCE(d->skb) != first->skb)
		return 0;
	spin_lock(&ds->lock);
	rx->newest = newest_rx(ds);
	while (n < max && d->skb == first->skb &&
	       dtls_place(end, len) + len <= DTLS_SCRATCH_ROOM) {
		rx[n].newest = rx->newest;
		if (!find_record(ds, d, &rx[n]) ||
		    rx[n].rec.epoch != first->rec.epoch ||
		    rx[n].rec.type != first->rec.type ||
		    rx[n].rec.fragment_len > first->rec.fragment_len)
			break;
		len = rx[n].rec.fragment_len;
		end = dtls_place(end, len) + len;
		cut_record(ds, d, &rx[n++], true);
		if (len < first->rec.fragment_len)
			break;
	}
	if (n)
		admit(ds, rx, n);
	spin_unlock(&ds->lock);
	return n;
}

/* ---- records ---- */

/* An AEAD's tag makes the checksum superfluous; without a key there is none. */
static bool checksum_wrong(struct dtls_sock *ds, struct sk_buff *skb)
{
	if (skb_csum_unnecessary(skb) || !__skb_checksum_complete(skb))
		return false;
	dtls_count(ds, DTLS_COUNT_RX_MALFORMED);
	return true;
}

/*
 * A record whose key is still to come waits for it, within half the receive
 * buffer: the other half stays free for the handshake that brings the key.
 */
static void keep_early(struct dtls_sock *ds, struct dtls_rx *rx)
{
	unsigned int len = rx->rec.header_len + rx->rec.fragment_len;
	struct dtls_assoc *assoc;
	struct dtls_dgram *d;
	bool kept = true;

	if (checksum_wrong(ds, rx->skb))
		return;
	d = kmalloc(sizeof(*d), GFP_KERNEL);
	if (!d)
		goto no_room;
	d->skb = dtls_cut(rx->skb, rx->offset, len);
	if (!d->skb) {
		kfree(d);
		goto no_room;
	}
	d->pos = 0;
	d->seg_end = len;
	d->end = len;
	d->flat_end = 0;
	d->charge = dtls_charge(ds, d->skb->truesize + sizeof(*d));

	spin_lock(&ds->lock);
	assoc = dtls_sock_assoc(ds);
	if (assoc && dtls_assoc_newest_rx(assoc) >= rx->rec.epoch) {
		/* The key came in between. */
		list_add_tail(&d->list, &ds->pending);
	} else if (ds->early_bytes + d->charge <=
		   (unsigned int)READ_ONCE(ds->sk->sk_rcvbuf) / 2) {
		list_add_tail(&d->list, &ds->early);
		ds->early_bytes += d->charge;
	} else {
		kept = false;
	}
	spin_unlock(&ds->lock);
	if (kept)
		return;

	end_datagram(ds, d);
	kfree(d);
no_room:
	dtls_count(ds, DTLS_COUNT_RX_NO_BUDGET);
}

/* A record nobody here can verify goes to the library as it came. */
static void queue_raw(struct dtls_sock *ds, struct dtls_rx *rx)
{
	unsigned int len = rx->rec.header_len + rx->rec.fragment_len;
	struct sk_buff *headers;
	struct dtls_msg *m;

	if (checksum_wrong(ds, rx->skb))
		return;
	headers = dtls_cut(rx->skb, 0, 0);
	m = headers ? dtls_msg_new(ds, headers, len) : NULL;
	if (!m || skb_copy_bits(rx->skb, rx->offset, m->data, len)) {
		dtls_count(ds, DTLS_COUNT_RX_NO_BUDGET);
		dtls_msg_put(ds, m);
		return;
	}
	m->info.type = rx->rec.type;
	m->info.epoch = rx->rec.epoch;
	m->info.seq = rx->rec.unified ? 0 : rx->rec.seq;
	m->info.flags = DTLS_RECORD_RAW;
	dtls_control_queue(ds, m);
}

/*
 * A peer that lost its state starts anew on the same port and counts epochs
 * from the beginning (RFC 6347 4.2.8): what its handshake sends under the new
 * keys does not verify under ours. The library has those keys.
 */
static void show_unverified(struct dtls_sock *ds, struct dtls_rx *rx)
{
	if (rx->rec.type == DTLS_CT_HANDSHAKE)
		queue_raw(ds, rx);
}

/* Without a read key for its epoch, a record waits, is shown, or goes. */
static void route_unopened(struct dtls_sock *ds, struct dtls_rx *rx)
{
	bool unified = rx->rec.unified;
	bool data = rx->rec.type == DTLS_CT_APPLICATION_DATA ||
		    rx->rec.type == DTLS_CT_TLS12_CID || unified;

	if (unified && rx->rec.epoch == DTLS13_EPOCH_HANDSHAKE) {
		queue_raw(ds, rx);	/* the library has the keys */
	} else if (!rx->rec.epoch && data) {
		dtls_count(ds, DTLS_COUNT_RX_MALFORMED);
	} else if (!rx->rec.epoch) {
		queue_raw(ds, rx);
	} else if (rx->rec.epoch <= rx->newest) {
		dtls_count(ds, DTLS_COUNT_RX_NO_KEY);
	} else if (!data) {
		queue_raw(ds, rx);
	} else if (!rx->newest || unified ||
		   rx->rec.epoch == rx->newest + 1) {
		keep_early(ds, rx);
	} else {
		dtls_count(ds, DTLS_COUNT_RX_NO_KEY);
	}
}

/* RFC 5246 7.2; RFC 8446 6: all but two are fatal, whatever the level */
static bool alert_is_fatal(const struct dtls_assoc *assoc, const u8 *alert)
{
	if (dtls_is_13(assoc->version))
		return alert[1] != ALERT_USER_CANCELED;
	return alert[0] == 2;
}

/* From a peer whose tag was verified */
static void heed_alert(struct dtls_sock *ds, struct dtls_assoc *assoc,
		       const u8 *alert, int len)
{
	struct sock *sk = ds->sk;

	if (len != 2)
		return;
	if (alert[1] == ALERT_CLOSE_NOTIFY) {
		WRITE_ONCE(assoc->eof, true);
		dtls_rx_wake(sk);
	} else if (alert_is_fatal(assoc, alert)) {
		WRITE_ONCE(sk->sk_err, ECONNRESET);
		sk_error_report(sk);
	}
}

static bool authentic(const struct dtls_rx *rx)
{
	return rx->len >= 0 || rx->len == -EPROTO;
}

/*
 * Is this authentic record, the @i-th of @rx, the first of its number? It was
 * in the window when it came; that it fell out since then is our doing.
 */
static bool first_of_number(struct dtls_replay *window,
			    const struct dtls_rx *rx, unsigned int i)
{
	u64 seq = rx[i].rec.seq;

	if (dtls_replay_mark(window, seq))
		return true;
	if (seq + window->size >= window->next)
		return false;
	while (i--)
		if (rx[i].fresh && rx[i].rec.seq == seq)
			return false;
	return true;
}

/*
 * @rx are no longer under way. Those that are authentic and the first of their
 * number are marked so, for those to come and those under way.
 */
static void settle(struct dtls_assoc *assoc, struct dtls_rx *rx)
{
	struct dtls_rx *other;
	unsigned int i, j;

	spin_lock(&assoc->lock);
	list_del(&rx->under_way);
	for (i = 0; i < rx->n; i++) {
		struct dtls_rx *r = &rx[i];

		if (!r->fresh)
			continue;
		r->fresh = authentic(r) &&
			   first_of_number(&rx->epoch->replay, rx, i);
		if (!r->fresh)
			continue;
		list_for_each_entry(other, &assoc->under_way, under_way)
			for (j = 0; other->epoch == rx->epoch && j < other->n; j++)
				if (other[j].rec.seq == r->rec.seq)
					other[j].fresh = false;
		if (r->verdict == DTLS_RX_DATA) {
			assoc->rx_records++;
			assoc->rx_bytes += r->len;
		}
	}
	spin_unlock(&assoc->lock);
}

/* Why a record could not be opened */
static void count_failure(struct dtls_sock *ds, struct dtls_epoch *epoch,
			  int err)
{
	if (err == -EBADMSG) {
		dtls_count(ds, DTLS_COUNT_RX_AUTH_FAILED);
		if (dtls_epoch_rx_failed(epoch))
			dtls_control_event(ds, epoch->number,
					   DTLS_EVENT_RX_LIMIT);
	} else if (err == -EMSGSIZE) {
		dtls_count(ds, DTLS_COUNT_RX_MALFORMED);
	} else {
		dtls_count(ds, DTLS_COUNT_RX_NO_BUDGET);
	}
}

/* What dtls_open() made of a record, if it was the first of its number */
static int judge(const struct dtls_rx *rx)
{
	if (rx->len == 0 && rx->type == DTLS_CT_APPLICATION_DATA)
		return DTLS_RX_DONE;	/* recv() returning 0 means end of file */
	if (rx->len < 0 || rx->len > DTLS_RECORD_SIZE_MAX)
		return DTLS_RX_DONE;
	return rx->type == DTLS_CT_APPLICATION_DATA ? DTLS_RX_DATA :
						      DTLS_RX_CONTROL;
}

/* Count what became of a record; @opened: it was no replay when it came. */
static void conclude(struct dtls_sock *ds, struct dtls_epoch *epoch,
		     struct dtls_rx *rx, bool opened)
{
	if (opened && !authentic(rx)) {
		count_failure(ds, epoch, rx->len);
		show_unverified(ds, rx);
		rx->verdict = rx->len == -ENOMEM ? -ENOMEM : DTLS_RX_DONE;
	} else if (!rx->fresh) {
		dtls_count(ds, DTLS_COUNT_RX_REPLAYS);
		show_unverified(ds, rx);
		rx->verdict = DTLS_RX_DONE;
	} else if (rx->verdict == DTLS_RX_DATA) {
		trace_dtls_open(ds->sk, rx->rec.epoch, rx->rec.seq, rx->type,
				rx->len);
	} else if (rx->verdict == DTLS_RX_CONTROL) {
		if (rx->type == DTLS_CT_ALERT)
			heed_alert(ds, dtls_sock_assoc(ds), rx->content,
				   rx->len);
	} else if (rx->len < 0) {
		dtls_count(ds, DTLS_COUNT_RX_MALFORMED);
	} else if (rx->len > 0) {
		dtls_count(ds, DTLS_COUNT_RX_OVERSIZE);
	} else {
		dtls_count(ds, DTLS_COUNT_RX_EMPTY);
	}
}

/*
 * Open @rx and those that came with it into @scratch->content, one behind the
 * other, or find them another place, as each one's verdict says. Sleeps.
 */
void dtls_rx_open(struct dtls_sock *ds, struct dtls_rx *rx,
		  struct dtls_scratch *scratch)
{
	struct dtls_assoc *assoc = dtls_sock_assoc(ds);
	unsigned int i, records = 0, bytes = 0;
	struct dtls_epoch *epoch = rx->epoch;
	size_t end = 0;

	if (!epoch) {
		for (i = 0; i < rx->n; i++) {
			route_unopened(ds, &rx[i]);
			rx[i].verdict = DTLS_RX_DONE;
		}
		return;
	}

	for (i = 0; i < rx->n; i++) {
		struct dtls_rx *r = &rx[i];

		r->verdict = DTLS_RX_DONE;
		r->content = NULL;
		if (!READ_ONCE(r->fresh))
			continue;
		end = dtls_place(end, r->rec.fragment_len);
		r->content = scratch->content + end;
		r->len = -EBADMSG;
		if (dtls_assoc_knows_cid(assoc, &epoch->key, &r->rec))
			r->len = dtls_open(&epoch->key, scratch, &r->rec,
					   r->skb, r->offset, r->flat,
					   r->content, &r->type);
		r->verdict = judge(r);
		end += max(r->len, 0);
	}
	settle(assoc, rx);
	for (i = 0; i < rx->n; i++) {
		conclude(ds, epoch, &rx[i], rx[i].content);
		if (rx[i].verdict == DTLS_RX_DATA) {
			records++;
			bytes += rx[i].len;
		}
	}
	if (records) {
		dtls_stat_add(sock_net(ds->sk), DTLS_STAT_RX_RECORDS, records);
		dtls_stat_add(sock_net(ds->sk), DTLS_STAT_RX_BYTES, bytes);
	}
	dtls_epoch_put(epoch);
}

/* What there is to know of an opened record */
void dtls_rx_info(const struct dtls_rx *rx, struct dtls_record_info *info)
{
	*info = (struct dtls_record_info) {
		.epoch = rx->rec.epoch,
		.seq = rx->rec.seq,
		.type = rx->type,
	};
	if (rx->rec.unified && rx->rec.epoch == DTLS13_EPOCH_EARLY)
		info->flags = DTLS_RECORD_REPLAYABLE;
}

/* Turn an opened record into a message, with @skb, whose reference goes. */
static struct dtls_msg *make_msg(struct dtls_sock *ds, struct dtls_rx *rx,
				 struct sk_buff *skb)
{
	struct dtls_msg *m = skb ? dtls_msg_new(ds, skb, rx->len) : NULL;

	if (!m) {
		dtls_count(ds, DTLS_COUNT_RX_NO_BUDGET);
		return NULL;
	}
	memcpy(m->data, rx->content, rx->len);
	m->rec = rx->rec;
	m->rec.cid = NULL;
	dtls_rx_info(rx, &m->info);
	return m;
}

void dtls_rx_control(struct dtls_sock *ds, struct dtls_rx *rx)
{
	struct dtls_msg *m = make_msg(ds, rx, dtls_cut(rx->skb, 0, 0));

	if (m)
		dtls_control_queue(ds, m);
}

bool dtls_rx_ready(struct dtls_sock *ds, struct dtls_rx *rx)
{
	struct dtls_msg *m = make_msg(ds, rx, skb_get(rx->skb));

	if (!m)
		return false;
	spin_lock(&ds->lock);
	list_add_tail(&m->list, &ds->ready);
	spin_unlock(&ds->lock);
	return true;
}

/* How many datagrams there are now; what comes later wakes by itself. */
unsigned int dtls_rx_queued(struct dtls_sock *ds)
{
	return skb_queue_len_lockless(&ds->sk->sk_receive_queue) +
	       skb_queue_len_lockless(&udp_sk(ds->sk)->reader_queue);
}

/*
 * Work on what was received until an application record is ready (0) or, with
 * @control, a control record is; or there is nothing more (-EAGAIN).
 */
int dtls_rx_fill(struct dtls_sock *ds, bool control)
{
	unsigned int budget = dtls_rx_queued(ds);
	struct dtls_scratch *scratch;
	struct dtls_rx *rx;
	int err, verdict;

	scratch = dtls_scratch_get();
	if (!scratch)
		return -ENOMEM;
	rx = scratch->rx;
	for (;;) {
		if (control && !list_empty(&ds->control)) {
			err = 0;
			break;
		}
		if (control && atomic_read(&ds->sk->sk_rmem_alloc) >
			       READ_ONCE(ds->sk->sk_rcvbuf)) {
			err = -ENOBUFS;	/* read application data first */
			break;
		}
		err = dtls_rx_next(ds, rx, &budget);
		if (err)
			break;
		dtls_rx_open(ds, rx, scratch);
		verdict = rx->verdict;
		if (verdict == DTLS_RX_CONTROL)
			dtls_rx_control(ds, rx);
		else if (verdict == DTLS_RX_DATA && !dtls_rx_ready(ds, rx))
			verdict = -ENOMEM;
		consume_skb(rx->skb);
		if (verdict < 0 || (verdict == DTLS_RX_DATA && !control)) {
			err = min(verdict, 0);
			break;
		}
		cond_resched();
	}
	dtls_scratch_put(scratch);
	return err;
}

/*
 * Is an application record ready? For poll, whose yes must hold: so it opens
 * records until one is. An error that was waiting is put back.
 */
bool dtls_rx_poll(struct dtls_sock *ds)
{
	int err;

	if (!list_empty(&ds->ready))
		return true;
	if (!dtls_rx_unread(ds))
		return false;
	err = dtls_rx_fill(ds, false);
	if (err && err != -EAGAIN && err != -ENOMEM)
		WRITE_ONCE(ds->sk->sk_err, -err);
	dtls_rx_wake_next(ds);
	return !err;
}

/*
 * A read key came, or a socket filter: let the early records try again, and
 * have UDP coalesce datagrams for us unless a filter would see that.
 */
void dtls_rx_key(struct dtls_sock *ds)
{
	struct sock *sk = ds->sk;
	int gro = !rcu_access_pointer(sk->sk_filter);

	if (gro != ds->gro &&
	    !ds->base->setsockopt(sk, SOL_UDP, UDP_GRO, KERNEL_SOCKPTR(&gro),
				  sizeof(gro)))
		ds->gro = gro;

	spin_lock(&ds->lock);
	list_splice_init(&ds->early, &ds->pending);
	ds->early_bytes = 0;
	spin_unlock(&ds->lock);
	dtls_rx_wake(sk);
}

/* The headers the datagram had, for those who ask whence it came. */
static void feed_headers(struct sock *sk, struct sk_buff *skb)
{
	const struct inet_sock *inet = inet_sk(sk);
	struct udphdr *uh;

	skb_reset_network_header(skb);
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		struct ipv6hdr *ip6 = skb_put_zero(skb, sizeof(*ip6));

		ip6->version = 6;
		ip6->saddr = sk->sk_v6_daddr;
		ip6->daddr = inet6_sk(sk)->saddr;
		skb->protocol = htons(ETH_P_IPV6);
	}
#endif
	if (sk->sk_family == AF_INET) {
		struct iphdr *ip = skb_put_zero(skb, sizeof(*ip));

		ip->version = 4;
		ip->ihl = sizeof(*ip) / 4;
		ip->saddr = inet->inet_daddr;
		ip->daddr = inet->inet_saddr;
		skb->protocol = htons(ETH_P_IP);
	}
	skb_set_transport_header(skb, skb->len);
	uh = skb_put_zero(skb, sizeof(*uh));
	uh->source = inet->inet_dport;
	uh->dest = inet->inet_sport;
	skb_pull(skb, skb->len);
}

/* A datagram that was read before the attach comes back. Sleeps. */
int dtls_rx_feed(struct dtls_sock *ds, sockptr_t data, unsigned int len)
{
	unsigned int head = sizeof(struct ipv6hdr) + sizeof(struct udphdr);
	struct sock *sk = ds->sk;
	struct dtls_dgram *d;
	struct sk_buff *skb;
	int err = -ENOMEM;

	if (READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return -ENOTCONN;
	if (!len)
		return -EINVAL;
	if (len > USHRT_MAX)
		return -EMSGSIZE;

	d = kzalloc(sizeof(*d), GFP_KERNEL);
	skb = alloc_skb(head + len, GFP_KERNEL);
	if (!d || !skb)
		goto out;
	feed_headers(sk, skb);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	err = -EFAULT;
	if (copy_from_sockptr(skb_put(skb, len), data, len))
		goto out;
	err = -ENOBUFS;
	if (atomic_read(&sk->sk_rmem_alloc) + skb->truesize >
	    READ_ONCE(sk->sk_rcvbuf))
		goto out;

	d->skb = skb;
	d->end = len;
	d->charge = dtls_charge(ds, skb->truesize + sizeof(*d));
	next_segment(d);
	spin_lock(&ds->lock);
	list_add_tail(&d->list, &ds->pending);
	spin_unlock(&ds->lock);
	dtls_rx_wake(sk);
	return 0;
out:
	kfree_skb(skb);
	kfree(d);
	return err;
}

static void purge_dgrams(struct dtls_sock *ds, struct list_head *list)
{
	struct dtls_dgram *d, *next;

	list_for_each_entry_safe(d, next, list, list) {
		end_datagram(ds, d);
		kfree(d);
	}
	INIT_LIST_HEAD(list);
}

/* From close(): nobody else is there. */
void dtls_rx_purge(struct dtls_sock *ds)
{
	end_datagram(ds, &ds->current_dgram);
	purge_dgrams(ds, &ds->pending);
	purge_dgrams(ds, &ds->early);
	dtls_msg_purge(ds, &ds->ready);
	dtls_msg_purge(ds, &ds->control);
}
