// SPDX-License-Identifier: GPL-2.0
/*
 * The intake takes records out of datagrams. Its steps, in the order of the calls:
 *
 *   take_datagram()	takes a datagram from UDP's queue
 *   dtls_cut_next()	in cut.c, cuts the next record out of the datagram
 *   dtls_rx_open()	in rx.c, decides what becomes of the record
 *
 * All but the last run in the reader's context under dtls_sock.lock, so that records
 * keep the order of their arrival.
 */
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/udp.h>

#include "assoc.h"
#include "compat.h"
#include "cut.h"
#include "dgram.h"
#include "early.h"
#include "intake.h"
#include "msg.h"
#include "run.h"
#include "sock.h"
#include "stats.h"
#include "table.h"
#include "wait.h"

/*
 * Set @budget to the number of datagrams that are queued now: one that comes later wakes
 * a reader. While the caller holds dtls_sock.lock, no other task moves datagrams between
 * UDP's two queues, which would make the number too low, and end the look with datagrams
 * that nobody is told of again. Only a call that was inside UDP when the socket was
 * attached may do so. The number is 0 for a moment when UDP has linked the first datagram
 * and not counted it yet.
 */
static void set_budget(const struct dtls_sock *ds, unsigned int *budget)
{
	lockdep_assert_held(&ds->lock);
	*budget = max(dtls_wait_queued(ds), 1U);
}

/*
 * Take the next datagram from UDP's queue into @d. @budget is the number of datagrams
 * that the caller may still take, and goes down by one; the first call sets it. The caller
 * holds dtls_sock.lock. Return: 0; -EAGAIN if the queue or the budget is empty; or the
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
	if (*budget == DTLS_BUDGET_UNSET)
		set_budget(ds, budget);
	--*budget;

	/* UDP never peeks nor waits here: ready.c and wait.c do that. */
	skb = __skb_recv_udp(ds->sk, MSG_DONTWAIT, &off, &err);
	if (!skb)
		return err;
	dtls_udp_count(ds->sk, UDP_MIB_INDATAGRAMS);
	skb->dev = NULL;	/* UDP used skb->dev for data of its own. */
	dtls_dgram_begin(ds, d, skb, dtls_assoc_get(ds->assoc));
	/* A jumbogram (RFC 2675) may be longer than dtls_record.fragment_len can say. */
	if (!d->end || d->seg_len > U16_MAX) {
		dtls_stats_count(ds, d->assoc, DTLS_COUNT_RX_MALFORMED);
		d->pos = d->end;
	}
	return 0;
}

/*
 * Take the oldest message out of dtls_sock.pending, which is not empty, and make it a
 * datagram to cut records out of. Its association is known already. On a connected socket
 * it may be a datagram of another protocol that the socket of a table has passed on, so
 * dtls_sort_begin() has to look at it. The caller holds dtls_sock.lock.
 */
static void take_pending(struct dtls_sock *ds, struct dtls_dgram *d)
{
	struct dtls_msg *m = dtls_early_take(ds);

	dtls_dgram_begin(ds, d, m->skb, m->assoc);
	d->has_cid = m->has_cid;
	d->begun = dtls_sock_table(ds);
}

/*
 * Take the next received record of the socket into @rx. One call looks at one
 * datagram at most, so that dtls_sock.lock, which it takes, is not held for long.
 * @budget is the number of datagrams that the caller may still take from UDP, or
 * DTLS_BUDGET_UNSET.
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
